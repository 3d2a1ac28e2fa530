//! A stream cut into blocks of whole lines, in a buffer that does not grow with the file.

use crate::source::dump::Read;
use std::io;

/// Bytes of the buffer at first: what fits beside the processor.
const BUFFER: usize = 256 * 1024;
/// A longer line is cut: its head is looked at, the rest up to the newline is passed over.
pub const LONGEST: usize = 1 << 20;

/// The blocks of a stream.
pub struct Blocks {
    from: Box<dyn io::Read + Send>,
    buffer: Vec<u8>,
    filled: usize,
    /// Where the block that was handed out last ends.
    given: usize,
    done: bool,
    /// Inside the rest of a line that was cut.
    passing: bool,
    read: Read,
}

impl Blocks {
    /// Reads `from` to its end.
    pub fn new(from: Box<dyn io::Read + Send>) -> Self {
        let buffer = vec![0; BUFFER];
        Self { from, buffer, filled: 0, given: 0, done: false, passing: false, read: Read::default() }
    }

    /// What was read so far.
    pub fn read(&self) -> Read {
        self.read
    }

    /// The next lines, each with its newline except one that was cut or is the last; none at the end.
    #[expect(clippy::should_implement_trait, reason = "a block is lent, which an iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= std::mem::take(&mut self.given);
        loop {
            if self.passing && self.filled > 0 {
                let newline = memchr::memchr(b'\n', &self.buffer[..self.filled]);
                let gone = newline.map_or(self.filled, |n| n + 1);
                self.buffer.copy_within(gone..self.filled, 0);
                self.filled -= gone;
                self.passing = newline.is_none();
            }
            if self.done {
                self.given = self.filled;
                return Ok((self.filled > 0).then(|| &self.buffer[..self.filled]));
            }
            if self.filled == self.buffer.len() {
                if self.buffer.len() >= LONGEST {
                    self.passing = true;
                    self.read.cut += 1;
                    self.given = self.filled;
                    return Ok(Some(&self.buffer[..self.filled]));
                }
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            let more = match self.from.read(&mut self.buffer[self.filled..]) {
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            self.done = more == 0;
            self.read.bytes += more as u64;
            self.filled += more;
            if self.passing {
                continue;
            }
            if let Some(newline) = memchr::memrchr(b'\n', &self.buffer[..self.filled]) {
                self.given = newline + 1;
                return Ok(Some(&self.buffer[..=newline]));
            }
        }
    }
}

/// The lines of a block, without their newlines.
pub fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= block.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |n| at + n);
        let line = &block[at..end];
        at = end + 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, as pipes do.
    struct Drops(Vec<u8>, usize, usize);
    impl io::Read for Drops {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.2.min(into.len()).min(self.0.len() - self.1);
            into[..n].copy_from_slice(&self.0[self.1..self.1 + n]);
            self.1 += n;
            Ok(n)
        }
    }

    fn read(bytes: &[u8], drop: usize) -> (Vec<Vec<u8>>, Read) {
        let mut blocks = Blocks::new(Box::new(Drops(bytes.to_vec(), 0, drop)));
        let mut out = Vec::new();
        while let Some(block) = blocks.next().unwrap() {
            out.extend(lines(block).map(<[u8]>::to_vec));
        }
        assert!(blocks.buffer.len() <= LONGEST, "the buffer does not grow with a line");
        (out, blocks.read())
    }

    #[test]
    fn every_line_comes_once_and_whole_however_the_bytes_come() {
        let text = b"one\n\ntwo\r\nthree\0\xff\nno newline";
        for drop in 1..text.len() {
            let (lines, read) = read(text, drop);
            assert_eq!(lines, [&b"one"[..], b"", b"two", b"three\0\xff", b"no newline"]);
            assert_eq!(read, Read { bytes: text.len() as u64, cut: 0 });
        }
        assert_eq!(read(b"", 1).0.len(), 0);
        assert_eq!(read(b"\n", 1).0, [b""]);
    }

    #[test]
    fn a_line_longer_than_all_is_cut_and_the_next_is_whole() {
        let long = vec![b'x'; 3 * LONGEST + 17];
        let text = [b"a\n", long.as_slice(), b"\nb\n", &long[..LONGEST], b"\nc"].concat();
        let (lines, read) = read(&text, 70_000);
        let lengths: Vec<usize> = lines.iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, LONGEST, 1, LONGEST, 1]);
        assert_eq!((lines[2].as_slice(), lines[4].as_slice()), (&b"b"[..], &b"c"[..]));
        assert_eq!(read.bytes, text.len() as u64);
        assert_eq!(read.cut, 2);
    }
}
