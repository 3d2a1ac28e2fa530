//! What lies beside a closed segment so that it need not be decoded: where in it which time is, and its
//! summary. A cache: made again, with the same content, when it is missing, damaged or of another file.

use crate::model::series::SeriesName;
use crate::model::{Batch, Fact, Span, Stamp};
use crate::recording::Damage;
use crate::recording::line::{Decoder, Encoder, Line, crc};
use crate::recording::reader::own_time;
use crate::recording::segment::{Segment, Text, index_name};
use crate::store::derive::Deriver;
use crate::store::summary::{Summarizer, Summary};
use crate::store::tier::Cell;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// First bytes of an index; the number changes with its layout, and then all are made again.
const MAGIC: &[u8; 16] = b"warroom index 1\n";
/// Bytes of a minute in the roll-ups: an instant, four values, two counts.
const CELL: usize = 48;

/// A part of a closed segment that can be unpacked alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// First byte in the file.
    pub from: u64,
    /// First byte after it.
    pub to: u64,
    /// Own times of the facts in it.
    pub own: Option<Span>,
}

/// The small part of an index, read for every question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Length of the segment's file: the index of another file is none.
    pub on_disk: u64,
    /// Length of its text.
    pub text: u64,
    /// Own times of all facts in it.
    pub own: Option<Span>,
    /// Its parts in order; empty when it is damaged and must be read as a whole.
    pub blocks: Vec<Block>,
    /// The sets of series its samples are of.
    pub shapes: Vec<(u32, Vec<SeriesName>)>,
    /// What in it cannot be read.
    pub damage: Vec<Damage>,
    /// Facts of kinds that were unknown when the index was made.
    pub unknown: u64,
}

/// The rest of the summary that is not roll-ups.
#[derive(Serialize, Deserialize)]
struct Counts {
    series: Vec<(SeriesName, usize)>,
    looks: Vec<(crate::model::SourceName, Vec<Stamp>)>,
    lines: u64,
    points: u64,
    batches: u64,
    own: Option<Span>,
    lines_until: Option<Stamp>,
    light: usize,
}

/// Makes an index from the text of a segment. `after` has seen the looks at databases before it.
pub fn make(file: &str, text: &Text, after: Deriver, decoder: &mut Decoder) -> (Head, Summary) {
    let mut summarizer = Summarizer::after(after);
    let block = |(disk, _): &(std::ops::Range<u64>, _)| Block { from: disk.start, to: disk.end, own: None };
    let mut blocks: Vec<Block> = text.members.iter().map(block).collect();
    let mut at = 0;
    let mut own = None;
    let mut damage = text.damage.clone();
    let unknown = std::mem::take(&mut decoder.unknown);
    decoder.next_segment();
    for placed in text.lines() {
        match decoder.line(placed.line) {
            Ok(Line::Batch(batch)) => {
                summarizer.feed(&batch);
                let span = own_time(&batch);
                own = union(own, span);
                while text.members.get(at).is_some_and(|(_, range)| range.end <= placed.range.start) {
                    at += 1;
                }
                if let Some(block) = blocks.get_mut(at) {
                    block.own = union(block.own, span);
                }
            }
            Ok(_) => {}
            Err(says) => damage.push(Damage { file: file.to_owned(), place: placed.place, says }),
        }
    }
    if !text.damage.is_empty() {
        blocks.clear();
    }
    let mut shapes: Vec<_> = decoder.shapes().map(|(n, names)| (n, names.to_vec())).collect();
    shapes.sort_unstable();
    let found = std::mem::replace(&mut decoder.unknown, unknown);
    decoder.unknown += found;
    let head =
        Head { on_disk: text.on_disk, text: text.bytes.len() as u64, own, blocks, shapes, damage, unknown: found };
    (head, summarizer.finish())
}

/// The shortest span that holds both.
pub fn union(a: Option<Span>, b: Option<Span>) -> Option<Span> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Span { from: a.from.min(b.from), to: a.to.max(b.to) }),
        (one, other) => one.or(other),
    }
}

/// Writes an index beside its segment: first under another name, so that a half one is never read.
///
/// # Errors
/// When the folder cannot be written; then the index is made again next time.
pub fn write(segment: &Segment, head: &Head, summary: &Summary) -> io::Result<()> {
    let Some(folder) = segment.path.parent() else { return Ok(()) };
    let bytes = pack(head, summary)?;
    let mut file = tempfile::Builder::new().prefix(".index-").tempfile_in(folder)?;
    file.write_all(&bytes)?;
    file.persist(folder.join(index_name(segment.number)))?;
    Ok(())
}

fn pack(head: &Head, summary: &Summary) -> io::Result<Vec<u8>> {
    let mut light = Vec::new();
    let mut encoder = Encoder::default();
    for batch in &summary.light {
        encoder.batch(batch, &mut light)?;
    }
    let counts = Counts {
        series: summary.minutes.iter().map(|(name, cells)| (name.clone(), cells.len())).collect(),
        looks: summary.looks.clone(),
        lines: summary.lines,
        points: summary.points,
        batches: summary.batches,
        own: summary.own,
        lines_until: summary.lines_until,
        light: light.len(),
    };
    let head = serde_json::to_vec(head)?;
    let mut body = serde_json::to_vec(&counts)?;
    let counts = body.len();
    body.extend_from_slice(&light);
    for cell in summary.minutes.iter().flat_map(|(_, cells)| cells) {
        put(&mut body, cell);
    }
    let mut out = MAGIC.to_vec();
    for n in [head.len(), counts, body.len()] {
        out.extend_from_slice(&(n as u64).to_le_bytes());
    }
    out.extend_from_slice(&crc(&head).to_le_bytes());
    out.extend_from_slice(&crc(&body).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(&body);
    Ok(out)
}

fn put(out: &mut Vec<u8>, cell: &Cell) {
    out.extend_from_slice(&cell.start.0.to_le_bytes());
    for value in [cell.min, cell.max, cell.sum, cell.last] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(&cell.count.to_le_bytes());
    out.extend_from_slice(&cell.last_after.to_le_bytes());
}

fn take(bytes: &[u8; CELL]) -> Cell {
    let word = |i: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[i * 8..i * 8 + 8]);
        eight
    };
    let value = |i| f64::from_le_bytes(word(i));
    let counts = u64::from_le_bytes(word(5));
    Cell {
        start: Stamp(i64::from_le_bytes(word(0))),
        min: value(1),
        max: value(2),
        sum: value(3),
        last: value(4),
        count: counts as u32,
        last_after: (counts >> 32) as u32,
    }
}

/// An index file opened: its head is read and fits the segment.
struct Opened {
    file: File,
    head: Head,
    counts: usize,
    body: usize,
    check: u32,
}

fn open(segment: &Segment) -> Option<Opened> {
    let path = segment.path.with_file_name(index_name(segment.number));
    let mut file = File::open(path).ok()?;
    let mut fixed = [0; MAGIC.len() + 32];
    file.read_exact(&mut fixed).ok()?;
    let numbers = fixed.strip_prefix(MAGIC)?;
    let long = |i: usize| Some(u64::from_le_bytes(numbers.get(i * 8..i * 8 + 8)?.try_into().ok()?) as usize);
    let short = |i: usize| Some(u32::from_le_bytes(numbers.get(24 + i * 4..28 + i * 4)?.try_into().ok()?));
    let (length, counts, body) = (long(0)?, long(1)?, long(2)?);
    // A damaged length must not become a huge allocation.
    let all = usize::try_from(file.metadata().ok()?.len()).ok()?;
    if fixed.len().checked_add(length)?.checked_add(body)? != all || counts > body {
        return None;
    }
    let mut head = vec![0; length];
    file.read_exact(&mut head).ok()?;
    if crc(&head) != short(0)? {
        return None;
    }
    let head: Head = serde_json::from_slice(&head).ok()?;
    let fits = fs::metadata(&segment.path).is_ok_and(|m| m.len() == head.on_disk);
    fits.then_some(Opened { file, head, counts, body, check: short(1)? })
}

/// The head of a segment's index; none when it must be made anew.
pub fn head(segment: &Segment) -> Option<Head> {
    open(segment).map(|o| o.head)
}

/// The whole index of a segment; none when it must be made anew.
pub fn read(segment: &Segment, decoder: &mut Decoder) -> Option<(Head, Summary)> {
    let mut opened = open(segment)?;
    let mut body = vec![0; opened.body];
    opened.file.read_exact(&mut body).ok()?;
    if crc(&body) != opened.check {
        return None;
    }
    let (counts, rest) = body.split_at(opened.counts);
    let counts: Counts = serde_json::from_slice(counts).ok()?;
    let (light, cells) = rest.split_at_checked(counts.light)?;
    let light = light.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let batch = |line| if let Ok(Line::Batch(batch)) = decoder.line(line) { Some(batch) } else { None };
    let light: Vec<Batch> = light.map(batch).collect::<Option<_>>()?;
    let (cells, remainder) = cells.as_chunks::<CELL>();
    let mut cells = cells.iter();
    let mut minutes = Vec::with_capacity(counts.series.len());
    for (name, n) in counts.series {
        let of_series: Vec<Cell> = cells.by_ref().take(n).map(take).collect();
        if of_series.len() != n {
            return None;
        }
        minutes.push((decoder.intern(&name), of_series));
    }
    let summary = Summary {
        light,
        minutes,
        looks: counts.looks,
        lines: counts.lines,
        points: counts.points,
        batches: counts.batches,
        own: counts.own,
        lines_until: counts.lines_until,
    };
    (remainder.is_empty() && cells.next().is_none()).then_some((opened.head, summary))
}

/// Lets a deriver go on after a part of the recording.
pub fn carry(deriver: &mut Deriver, light: &[Batch]) {
    for batch in light {
        for fact in &batch.facts {
            if let Fact::Database(look) = fact {
                deriver.seed(&batch.source, look);
            }
        }
    }
}

/// Whether a path is an index or a half-written one.
pub fn is_leftover(path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(".index-") || n.starts_with(".segment-"))
}
