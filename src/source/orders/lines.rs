//! Lines and rows of an export with an end: one that has none must not fill the memory.
//!
//! May not know: what a line says.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// Bytes of one line or row. The longest of a real ledger is some hundred.
pub const LONGEST: usize = 1 << 20;

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'l> {
    /// Its bytes, without its end.
    Whole(&'l [u8]),
    /// It has more than [`LONGEST`]; they were passed over.
    TooLong,
}

/// The lines of a file, one at a time.
pub struct Lines<R> {
    from: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// From the first on.
    pub const fn new(from: R) -> Self {
        Self { from, line: Vec::new() }
    }

    /// The next line and whether it is the last; none at the end.
    pub fn next(&mut self) -> io::Result<Option<(Line<'_>, bool)>> {
        self.line.clear();
        let (mut met, mut too_long) = (false, false);
        loop {
            let part = self.from.fill_buf()?;
            if part.is_empty() {
                break;
            }
            met = true;
            let end = memchr::memchr(b'\n', part);
            let bytes = part.get(..end.unwrap_or(part.len())).unwrap_or_default();
            if too_long || self.line.len() + bytes.len() > LONGEST {
                too_long = true;
                self.line.clear();
            } else {
                self.line.extend_from_slice(bytes);
            }
            let taken = bytes.len() + usize::from(end.is_some());
            self.from.consume(taken);
            if end.is_some() {
                break;
            }
        }
        let last = self.from.fill_buf()?.is_empty();
        let line = if too_long { Line::TooLong } else { Line::Whole(&self.line) };
        Ok(met.then_some((line, last)))
    }
}

/// What may still be read before a row has to end.
#[derive(Clone, Debug)]
pub struct Allowance(Rc<Cell<usize>>);

impl Allowance {
    /// A row has ended.
    pub fn renew(&self) {
        self.0.set(LONGEST);
    }
    /// Whether a row did not end in time.
    pub fn spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// A reader that stops where a row does not end.
pub struct Bounded<R> {
    from: R,
    left: Allowance,
}

impl<R: Read> Bounded<R> {
    /// Reads with an allowance that somebody renews.
    pub fn new(from: R) -> (Self, Allowance) {
        let left = Allowance(Rc::new(Cell::new(LONGEST)));
        (Self { from, left: left.clone() }, left)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.left.spent() {
            return Err(io::Error::other("a row does not end"));
        }
        let n = self.from.read(to)?;
        self.left.0.set(self.left.0.get().saturating_sub(n));
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Cursor};

    fn all(text: &[u8], buffer: usize) -> Vec<(Option<Vec<u8>>, bool)> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, Cursor::new(text)));
        let mut out = Vec::new();
        while let Some((line, last)) = lines.next().unwrap() {
            let bytes = if let Line::Whole(bytes) = line { Some(bytes.to_vec()) } else { None };
            out.push((bytes, last));
        }
        assert!(lines.line.capacity() <= 2 * LONGEST);
        out
    }

    #[test]
    fn lines_are_whole_in_any_buffer_and_the_last_is_known() {
        for buffer in [1, 3, 64] {
            let whole = |text: &[u8]| Some(text.to_vec());
            assert_eq!(all(b"", buffer), []);
            assert_eq!(all(b"a\n\nbcd\n", buffer), [(whole(b"a"), false), (whole(b""), false), (whole(b"bcd"), true)]);
            assert_eq!(all(b"a\nbc", buffer), [(whole(b"a"), false), (whole(b"bc"), true)]);
        }
    }

    #[test]
    fn a_line_without_end_is_passed_over_and_the_next_is_read() {
        let mut text = vec![b'x'; LONGEST];
        text.extend(b"\n");
        text.extend(vec![b'y'; 40 * LONGEST]);
        text.extend(b"\nz");
        let got = all(&text, 1 << 16);
        assert_eq!(
            got.iter().map(|(l, _)| l.as_ref().map(Vec::len)).collect::<Vec<_>>(),
            [Some(LONGEST), None, Some(1)]
        );
    }
}
