//! Records dealt into bins by rank, so that each bin can be brought in order by itself, and by whichever
//! thread is free.
//!
//! What comes is written down once and read back once; a bin that fits into its room is sorted in memory, a
//! larger one (one key may have as many rows as it likes) by a [`Sorter`]. May not know: what a record says.

use super::{Entry, HEAD, Sorted, Sorter};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// How many bins there are: a million orders are about 3 MiB in each.
pub const BINS: usize = 64;

/// Takes records.
#[derive(Debug)]
pub struct Bins {
    folder: PathBuf,
    /// Bytes of one bin that wait in memory.
    room: usize,
    file: Option<File>,
    end: u64,
    each: Vec<Bin>,
}

/// Records of one bin, with their heads, as they came.
#[derive(Debug, Default)]
struct Bin {
    waiting: Vec<u8>,
    written: Vec<Range<u64>>,
}

/// Records on their way to their bins, with their heads: what one thread packs and another one deals out.
#[derive(Debug, Default)]
pub struct Loose(Vec<u8>);

impl Loose {
    /// Adds a record; one of 4 GiB is none.
    pub fn push(&mut self, rank: u64, record: &[u8]) {
        self.0.extend_from_slice(&rank.to_le_bytes());
        self.0.extend_from_slice(&(record.len() as u32).to_le_bytes());
        self.0.extend_from_slice(record);
    }
    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
    /// Calls `each` for every record, as they came.
    pub fn each(&self, mut each: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut rest = self.0.as_slice();
        while let Some((rank, record, after)) = first(rest) {
            each(rank, record)?;
            rest = after;
        }
        Ok(())
    }
}

/// Memory that is used again from bin to bin.
#[derive(Debug, Default)]
pub struct Scratch {
    buffer: Vec<u8>,
    index: Vec<Entry>,
}

const fn bin_of(rank: u64) -> usize {
    (rank >> (u64::BITS - BINS.ilog2())) as usize
}

impl Bins {
    /// Keeps up to about `room` bytes in memory and the rest in an unlinked file in `folder`.
    pub fn new(folder: &Path, room: usize) -> Self {
        let each = (0..BINS).map(|_| Bin::default()).collect();
        Self { folder: folder.to_owned(), room: room / BINS, file: None, end: 0, each }
    }

    /// Takes a record.
    pub fn push(&mut self, rank: u64, record: &[u8]) -> io::Result<()> {
        let len = u32::try_from(record.len()).map_err(|_| io::Error::other("a row is larger than 4 GiB"))?;
        let Some(bin) = self.each.get_mut(bin_of(rank)) else { return Ok(()) };
        if bin.waiting.len() + HEAD + record.len() > self.room && !bin.waiting.is_empty() {
            let file = match &mut self.file {
                Some(file) => file,
                // Nameless from its first moment, readable by nobody else, gone with the process.
                none => none.insert(tempfile::tempfile_in(&self.folder)?),
            };
            file.write_all_at(&bin.waiting, self.end)?;
            let end = self.end + bin.waiting.len() as u64;
            bin.written.push(self.end..end);
            self.end = end;
            bin.waiting.clear();
        }
        // A buffer that grew by doubling would hold twice its room.
        if bin.waiting.capacity() == 0 && self.file.is_some() {
            bin.waiting.reserve_exact(self.room);
        }
        bin.waiting.extend_from_slice(&rank.to_le_bytes());
        bin.waiting.extend_from_slice(&len.to_le_bytes());
        bin.waiting.extend_from_slice(record);
        Ok(())
    }

    /// Everything of one bin, one part at a time: whole records with their heads.
    fn parts(&self, bin: usize, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let Some(bin) = self.each.get(bin) else { return Ok(()) };
        let mut part = Vec::new();
        for range in &bin.written {
            part.resize((range.end - range.start) as usize, 0);
            if let Some(file) = &self.file {
                file.read_exact_at(&mut part, range.start)?;
            }
            to(&part)?;
        }
        to(&bin.waiting)
    }

    /// Calls `each` for every record, bin by bin, as they came.
    pub fn each(&self, mut each: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        (0..BINS).try_for_each(|bin| self.each_of(bin, &mut each))
    }

    /// Calls `each` for every record of one bin, as they came.
    pub fn each_of(&self, bin: usize, mut each: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        self.parts(bin, |part| {
            let mut rest = part;
            while let Some((rank, record, after)) = first(rest) {
                each(rank, record)?;
                rest = after;
            }
            Ok(())
        })
    }

    /// One bin in order, by rank and then by bytes, with at most about `room` bytes of memory.
    pub fn sorted(&self, number: usize, room: usize, scratch: Scratch) -> io::Result<Sorted> {
        let Some(bin) = self.each.get(number) else { return Sorter::new(&self.folder, room).finish() };
        let written: u64 = bin.written.iter().map(|r| r.end - r.start).sum();
        let size = written as usize + bin.waiting.len();
        if size > room.min(u32::MAX as usize) {
            let mut sorter = Sorter::new(&self.folder, room);
            self.each_of(number, |rank, record| sorter.push(rank, record))?;
            return sorter.finish();
        }
        let Scratch { mut buffer, mut index } = scratch;
        buffer.clear();
        index.clear();
        buffer.reserve(size);
        self.parts(number, |part| {
            let mut rest = part;
            while let Some((rank, record, after)) = first(rest) {
                let at = buffer.len() + part.len() - rest.len() + HEAD;
                index.push(Entry { rank, at: at as u32, len: record.len() as u32 });
                rest = after;
            }
            buffer.extend_from_slice(part);
            Ok(())
        })?;
        Ok(Sorted::of_memory(buffer, index))
    }
}

impl Scratch {
    /// What a bin was sorted in.
    pub fn of(sorted: Sorted) -> Self {
        Self { buffer: sorted.buffer, index: sorted.index }
    }
}

/// The first record of several, its rank and what follows.
fn first(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (rank, rest) = bytes.split_first_chunk::<8>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    Some((u64::from_le_bytes(*rank), record, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bins: &Bins, room: usize) -> Vec<(u64, Vec<u8>)> {
        let mut out = Vec::new();
        let mut scratch = Scratch::default();
        for bin in 0..BINS {
            let sorted = bins.sorted(bin, room, scratch).unwrap();
            let mut merge = sorted.read().unwrap();
            while let Some((rank, record)) = merge.next().unwrap() {
                out.push((rank, record.to_vec()));
            }
            drop(merge);
            scratch = Scratch::of(sorted);
        }
        out
    }

    proptest! {
        #[test]
        fn whatever_the_room_the_records_come_back_in_order(
            records in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 0..40)), 0..300),
            one_key in any::<bool>(),
            room in prop_oneof![Just(0_usize), 1_usize..20_000],
            sorting in prop_oneof![Just(0_usize), 1_usize..20_000],
        ) {
            let records: Vec<_> = records.into_iter().map(|(r, b)| (if one_key { 7 } else { r }, b)).collect();
            let mut bins = Bins::new(&std::env::temp_dir(), room);
            for (rank, record) in &records {
                bins.push(*rank, record).unwrap();
            }
            let mut came = Vec::new();
            bins.each(|rank, record| { came.push((rank, record.to_vec())); Ok(()) }).unwrap();
            came.sort();
            let mut wanted = records;
            wanted.sort();
            prop_assert_eq!(&came, &wanted);
            prop_assert_eq!(&all(&bins, sorting), &wanted);
            prop_assert_eq!(&all(&bins, sorting), &wanted, "read a second time");
        }
    }

    #[test]
    fn memory_is_the_room_whatever_comes() {
        let room = 1 << 20;
        let mut bins = Bins::new(&std::env::temp_dir(), room);
        for n in 0..100_000_u64 {
            let rank = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            bins.push(rank, &[7; 60]).unwrap();
            assert!(bins.each.iter().map(|b| b.waiting.capacity()).sum::<usize>() <= 2 * room);
        }
        assert!(bins.each.iter().all(|b| b.written.len() > 3));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let mut bins = Bins::new(Path::new("/nowhere/at/all"), BINS * 10);
        bins.push(1, b"fits").unwrap();
        assert!(bins.push(2, b"does not fit").is_err());
    }
}
