//! Reading sorted runs as one: a heap of the runs' next records, a block of the file for each.

use super::{Entry, HEAD};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// Memory for the blocks of all runs together.
const BLOCKS: usize = 8 << 20;

/// Records in order, one at a time.
#[derive(Debug)]
pub struct Merge<'s> {
    source: Source<'s>,
    record: Vec<u8>,
}

#[derive(Debug)]
enum Source<'s> {
    Memory { buffer: &'s [u8], index: std::slice::Iter<'s, Entry> },
    Runs { runs: Vec<Run<'s>>, heads: BinaryHeap<Next> },
}

/// The next record of a run.
#[derive(Debug, PartialEq, Eq)]
struct Next {
    rank: u64,
    record: Vec<u8>,
    run: usize,
}

impl Ord for Next {
    /// The least is at the top of the heap.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.rank, &other.record, other.run).cmp(&(self.rank, &self.record, self.run))
    }
}
impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'s> Merge<'s> {
    pub(super) fn of_memory(buffer: &'s [u8], index: &'s [Entry]) -> Self {
        Self { source: Source::Memory { buffer, index: index.iter() }, record: Vec::new() }
    }

    pub(super) fn of_runs(file: &'s File, ranges: &[Range<u64>]) -> io::Result<Self> {
        let block = (BLOCKS / ranges.len().max(1)).clamp(1 << 12, 1 << 18);
        let mut runs: Vec<Run<'s>> = ranges.iter().map(|r| Run::new(file, r.clone(), block)).collect();
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (i, run) in runs.iter_mut().enumerate() {
            let mut record = Vec::new();
            if let Some(rank) = run.next(&mut record)? {
                heads.push(Next { rank, record, run: i });
            }
        }
        Ok(Self { source: Source::Runs { runs, heads }, record: Vec::new() })
    }

    /// The next record with its rank; none at the end.
    #[expect(clippy::should_implement_trait, reason = "the record is lent, which an iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        match &mut self.source {
            Source::Memory { buffer, index } => Ok(index
                .next()
                .map(|e| (e.rank, buffer.get(e.at as usize..(e.at + e.len) as usize).unwrap_or_default()))),
            Source::Runs { runs, heads } => {
                let Some(mut top) = heads.peek_mut() else { return Ok(None) };
                let rank = top.rank;
                std::mem::swap(&mut self.record, &mut top.record);
                let run = runs.get_mut(top.run);
                let mut record = std::mem::take(&mut top.record);
                match run.map_or(Ok(None), |run| run.next(&mut record))? {
                    Some(next) => {
                        top.rank = next;
                        top.record = record;
                    }
                    None => {
                        PeekMut::pop(top);
                    }
                }
                Ok(Some((rank, &self.record)))
            }
        }
    }
}

fn put(to: &mut [u8], part: &[u8], at: usize) {
    if let Some(to) = to.get_mut(at..at + part.len()) {
        to.copy_from_slice(part);
    }
}

/// One run, read block by block.
#[derive(Debug)]
struct Run<'s> {
    file: &'s File,
    left: Range<u64>,
    block: Vec<u8>,
    /// What of the block is not read yet.
    unread: Range<usize>,
}

impl<'s> Run<'s> {
    fn new(file: &'s File, left: Range<u64>, block: usize) -> Self {
        Self { file, left, block: vec![0; block], unread: 0..0 }
    }

    /// Puts the next record into `record` and says its rank.
    fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Option<u64>> {
        record.clear();
        if self.unread.is_empty() && self.left.is_empty() {
            return Ok(None);
        }
        let (mut rank, mut len) = ([0_u8; 8], [0_u8; HEAD - 8]);
        self.fill(rank.len(), |part, at| put(&mut rank, part, at))?;
        self.fill(len.len(), |part, at| put(&mut len, part, at))?;
        self.fill(u32::from_le_bytes(len) as usize, |part, _| record.extend_from_slice(part))?;
        Ok(Some(u64::from_le_bytes(rank)))
    }

    /// Hands over `n` bytes in parts, each with its place.
    fn fill(&mut self, n: usize, mut to: impl FnMut(&[u8], usize)) -> io::Result<()> {
        let mut done = 0;
        while done < n {
            if self.unread.is_empty() {
                self.read_block()?;
            }
            let take = self.unread.len().min(n - done);
            let part = self.unread.start..self.unread.start + take;
            to(self.block.get(part).unwrap_or_default(), done);
            self.unread.start += take;
            done += take;
        }
        Ok(())
    }

    fn read_block(&mut self) -> io::Result<()> {
        let size = (self.left.end - self.left.start).min(self.block.len() as u64) as usize;
        let to = self.block.get_mut(..size).filter(|b| !b.is_empty());
        let to = to.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        self.file.read_exact_at(to, self.left.start)?;
        self.left.start += size as u64;
        self.unread = 0..size;
        Ok(())
    }
}
