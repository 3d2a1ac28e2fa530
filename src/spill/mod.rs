//! More rows than memory holds, brought together by key: an external merge sort.
//!
//! A [`Sorter`] takes records in any order, sorts what fits into its buffer and writes it as a run to an
//! unlinked file that only this login may read; [`Sorted`] merges the runs as often as it is read. Memory
//! is the buffer, and one small block for each run: neither the number of rows nor how they are spread over
//! the keys changes that, so one key may have as many rows as it likes.
//!
//! `bins` deals records out before they are sorted, for more than one thread; `record` is how rows of ledgers are
//! written, `claims` says which references are not where they say. May not know: classes, sources, clocks.

mod bins;
pub mod claims;
mod merge;
pub mod record;

pub use bins::{BINS, Bins, Loose, Scratch};
pub use merge::Merge;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What precedes a record in a run: its rank and its length.
const HEAD: usize = 12;
/// What one entry of the index costs beside the record.
const ENTRY: usize = size_of::<Entry>();

/// Where a record stands in the buffer.
#[derive(Clone, Copy, Debug)]
struct Entry {
    rank: u64,
    at: u32,
    len: u32,
}

/// Takes records and hands them back by rank, those of one rank by their bytes.
#[derive(Debug)]
pub struct Sorter {
    folder: PathBuf,
    room: usize,
    buffer: Vec<u8>,
    index: Vec<Entry>,
    file: Option<File>,
    end: u64,
    runs: Vec<Range<u64>>,
    records: u64,
}

impl Sorter {
    /// Keeps up to `room` bytes in memory and the rest in an unlinked file in `folder`.
    pub fn new(folder: &Path, room: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            room: room.min(u32::MAX as usize / 2),
            buffer: Vec::new(),
            index: Vec::new(),
            file: None,
            end: 0,
            runs: Vec::new(),
            records: 0,
        }
    }

    /// Takes a record.
    pub fn push(&mut self, rank: u64, record: &[u8]) -> io::Result<()> {
        let len = u32::try_from(record.len()).map_err(|_| io::Error::other("a row is larger than 4 GiB"))?;
        let full = self.buffer.len() + record.len() + (self.index.len() + 1) * ENTRY > self.room;
        if full && !self.index.is_empty() {
            self.write_run()?;
        }
        // A buffer that grew by doubling would hold twice its room.
        if self.buffer.capacity() == 0 && self.file.is_some() {
            self.buffer.reserve_exact(self.room.saturating_sub(self.room / 4));
        }
        self.index.push(Entry { rank, at: self.buffer.len() as u32, len });
        self.buffer.extend_from_slice(record);
        self.records += 1;
        Ok(())
    }

    /// How many records were taken.
    pub const fn records(&self) -> u64 {
        self.records
    }

    fn write_run(&mut self) -> io::Result<()> {
        sort(&self.buffer, &mut self.index);
        let file = match self.file.take() {
            Some(file) => file,
            // Nameless from its first moment, readable by nobody else, gone with the process.
            None => tempfile::tempfile_in(&self.folder)?,
        };
        let begin = self.end;
        let mut out = io::BufWriter::with_capacity(1 << 16, file);
        for e in &self.index {
            let record = self.buffer.get(e.at as usize..(e.at + e.len) as usize).unwrap_or_default();
            out.write_all(&e.rank.to_le_bytes())?;
            out.write_all(&e.len.to_le_bytes())?;
            out.write_all(record)?;
            self.end += (HEAD + record.len()) as u64;
        }
        self.file = Some(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.runs.push(begin..self.end);
        self.buffer.clear();
        self.index.clear();
        Ok(())
    }

    /// No more records come.
    pub fn finish(mut self) -> io::Result<Sorted> {
        if self.file.is_some() && !self.index.is_empty() {
            self.write_run()?;
        }
        sort(&self.buffer, &mut self.index);
        Ok(Sorted { buffer: self.buffer, index: self.index, file: self.file, runs: self.runs, records: self.records })
    }
}

fn sort(buffer: &[u8], index: &mut [Entry]) {
    let bytes = |e: &Entry| buffer.get(e.at as usize..(e.at + e.len) as usize);
    index.sort_unstable_by(|a, b| a.rank.cmp(&b.rank).then_with(|| bytes(a).cmp(&bytes(b))));
}

/// Records in their order.
#[derive(Debug)]
pub struct Sorted {
    buffer: Vec<u8>,
    index: Vec<Entry>,
    file: Option<File>,
    runs: Vec<Range<u64>>,
    records: u64,
}

impl Sorted {
    /// What lies in a buffer, found by its index.
    fn of_memory(buffer: Vec<u8>, mut index: Vec<Entry>) -> Self {
        sort(&buffer, &mut index);
        let records = index.len() as u64;
        Self { buffer, index, file: None, runs: Vec::new(), records }
    }

    /// How many there are.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Reads them from the first on.
    pub fn read(&self) -> io::Result<Merge<'_>> {
        match &self.file {
            Some(file) => Merge::of_runs(file, &self.runs),
            None => Ok(Merge::of_memory(&self.buffer, &self.index)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(sorted: &Sorted) -> Vec<(u64, Vec<u8>)> {
        let mut merge = sorted.read().unwrap();
        let mut out = Vec::new();
        while let Some((rank, record)) = merge.next().unwrap() {
            out.push((rank, record.to_vec()));
        }
        out
    }

    proptest! {
        #[test]
        fn whatever_the_room_the_records_come_back_in_order(
            records in prop::collection::vec((0_u64..20, prop::collection::vec(any::<u8>(), 0..40)), 0..300),
            room in 0_usize..4_000,
        ) {
            let mut sorter = Sorter::new(&std::env::temp_dir(), room);
            for (rank, record) in &records {
                sorter.push(*rank, record).unwrap();
            }
            let done = sorter.finish().unwrap();
            let mut wanted = records;
            wanted.sort();
            prop_assert_eq!(done.records(), wanted.len() as u64);
            prop_assert_eq!(&all(&done), &wanted);
            prop_assert_eq!(&all(&done), &wanted, "read a second time");
        }
    }

    #[test]
    fn memory_is_the_room_whatever_comes() {
        let room = 1 << 16;
        let mut sorter = Sorter::new(&std::env::temp_dir(), room);
        for n in 0..100_000_u64 {
            sorter.push(n % 7, &n.to_be_bytes()).unwrap();
            assert!(sorter.buffer.capacity() + sorter.index.len() * ENTRY <= 2 * room);
        }
        let done = sorter.finish().unwrap();
        assert!(done.runs.len() > 30 && done.buffer.is_empty());
        assert_eq!(all(&done).len(), 100_000);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let mut sorter = Sorter::new(Path::new("/nowhere/at/all"), 10);
        sorter.push(1, b"fits").unwrap();
        assert!(sorter.push(2, b"does not fit").is_err());
    }
}
