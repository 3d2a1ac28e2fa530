//! Templates of log messages, mined online: the words that stay, with slots for what changes.
//!
//! Two steps, one setting for every log. A message is scanned once and finds its *shape*, the message with its
//! obvious values taken out, by hash. Shapes are few; they are gathered into templates when somebody asks, by
//! looking at which words vary where everything else stays. Nothing here knows a format, a service or a file.

mod gather;
#[cfg(test)]
mod miner_tests;
mod scan;
mod shape;
mod slot;

pub use gather::{Gathered, Template};
pub use slot::{Kind, Slot};

use gather::Frozen;
use scan::scan;
use shape::{Shape, Sum};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Names a shape inside one miner.
pub type ShapeId = u32;

/// The shape of everything that came after the most shapes and is like none of them.
pub const OTHER: ShapeId = 0;

/// More shapes than this come only from text that has no templates; what comes later joins a template that
/// is known by then, or [`OTHER`].
const MOST: usize = 10_000;

/// The first lines of a shape have their values looked at, later ones are a sample of one in so many.
const FIRST: u64 = 32;
const SAMPLE: u64 = 16;

/// A hash that is one already.
#[derive(Clone, Default)]
struct Through(u64);

impl Hasher for Through {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, b| sum.rotate_left(8) ^ u64::from(*b));
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// All shapes met so far.
#[derive(Clone, Debug)]
pub struct Miner {
    most: usize,
    ids: HashMap<u64, ShapeId, BuildHasherDefault<Through>>,
    shapes: Vec<Shape>,
    frozen: Option<Frozen>,
}

impl Default for Miner {
    fn default() -> Self {
        Self::with_most(MOST)
    }
}

impl std::fmt::Debug for Through {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl Miner {
    /// One that tells so many shapes apart at most.
    pub fn with_most(most: usize) -> Self {
        Self { most, ids: HashMap::default(), shapes: vec![Shape::other()], frozen: None }
    }

    /// Counts a message; answers its shape. Only the first line of the message counts.
    pub fn take(&mut self, message: &[u8]) -> ShapeId {
        let mut sum = Sum::default();
        scan(message, &mut sum);
        let id = match self.ids.get(&sum.hash()) {
            Some(id) => *id,
            None => self.meet(message, sum.hash()),
        };
        let shape = &mut self.shapes[id as usize];
        shape.lines += 1;
        if id != OTHER && (shape.lines <= FIRST || shape.lines.is_multiple_of(SAMPLE)) {
            shape.look(message);
        }
        id
    }

    /// A shape that was not met before; once there are too many, a known one that is like it.
    fn meet(&mut self, message: &[u8], hash: u64) -> ShapeId {
        if self.shapes.len() >= self.most {
            let frozen = self.frozen.get_or_insert_with(|| Frozen::new(&self.shapes));
            return frozen.find(&Shape::of(message)).unwrap_or(OTHER);
        }
        let id = self.shapes.len() as ShapeId;
        self.shapes.push(Shape::of(message));
        self.ids.insert(hash, id);
        id
    }

    /// How many shapes there are; [`Miner::gather`] says the same until this changes, counts aside.
    pub fn shapes(&self) -> usize {
        self.shapes.len()
    }

    /// A shape on its own, as a template reads.
    pub fn text(&self, shape: ShapeId) -> Option<String> {
        let known = (shape as usize) < self.shapes.len();
        known.then(|| gather::template(&self.shapes, &[shape as usize]).text)
    }

    /// The templates, and which of them every shape is of.
    pub fn gather(&self) -> Gathered {
        gather::gather(&self.shapes)
    }
}
