//! Shapes: a message with its obvious values taken out, as a hash and as parts.

use super::scan::{Piece, Sink, scan};
use super::slot::Slot;

/// A part of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Word(Box<str>),
    Value,
    Mark(u8),
}

/// A message with its obvious values taken out.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// With whether it stands glued to the part before.
    pub parts: Box<[(Part, bool)]>,
    /// One for each value of `parts`.
    pub slots: Box<[Slot]>,
    pub lines: u64,
}

impl Shape {
    pub(super) fn of(message: &[u8]) -> Self {
        let mut keep = Keep(Vec::new());
        scan(message, &mut keep);
        let slots = keep.0.iter().filter(|(p, _)| *p == Part::Value).map(|_| Slot::default()).collect();
        Self { parts: keep.0.into(), slots, lines: 0 }
    }

    /// What stands for messages that are like no other.
    pub(super) fn other() -> Self {
        let words = "a message unlike any other".split(' ');
        let parts = words.map(|w| (Part::Word(w.into()), false)).collect();
        Self { parts, slots: Box::default(), lines: 0 }
    }

    /// Remembers the values of a message of this shape.
    pub(super) fn look(&mut self, message: &[u8]) {
        scan(message, &mut Values { slots: &mut self.slots, next: 0 });
    }
}

/// The hash of a shape.
#[derive(Default)]
pub(super) struct Sum(u64);

/// The golden ratio's bits, an odd number without a pattern.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(a: u64, b: u64) -> u64 {
    let wide = u128::from(a ^ b) * u128::from(ODD);
    (wide as u64) ^ ((wide >> 64) as u64)
}

fn hash(word: &[u8]) -> u64 {
    let mut sum = word.len() as u64 | 0x400;
    for chunk in word.chunks(8) {
        let mut eight = [0; 8];
        eight[..chunk.len()].copy_from_slice(chunk);
        sum = mix(sum.rotate_left(7), u64::from_le_bytes(eight));
    }
    sum
}

impl Sum {
    pub(super) fn hash(&self) -> u64 {
        self.0
    }
}

impl Sink for Sum {
    fn take(&mut self, piece: Piece<'_>, _glued: bool) {
        let one = match piece {
            Piece::Mark(b) => u64::from(b) | 0x100,
            Piece::Value(_) => 0x200,
            Piece::Word(w) => hash(w),
        };
        self.0 = mix(self.0.rotate_left(5).wrapping_add(ODD), one);
    }
}

struct Keep(Vec<(Part, bool)>);

impl Sink for Keep {
    fn take(&mut self, piece: Piece<'_>, glued: bool) {
        let part = match piece {
            Piece::Mark(b) => Part::Mark(b),
            Piece::Value(_) => Part::Value,
            Piece::Word(w) => Part::Word(String::from_utf8_lossy(w).into()),
        };
        self.0.push((part, glued));
    }
}

struct Values<'a> {
    slots: &'a mut [Slot],
    next: usize,
}

impl Sink for Values<'_> {
    fn take(&mut self, piece: Piece<'_>, _glued: bool) {
        if let Piece::Value(value) = piece {
            if let Some(slot) = self.slots.get_mut(self.next) {
                slot.take(value);
            }
            self.next += 1;
        }
    }
}
