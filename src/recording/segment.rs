//! The files of a recording: their names, and their text with the damage found on the way.

use crate::recording::line::check;
use crate::recording::{Damage, OpenError, Place};
use flate2::bufread::GzDecoder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How a segment lies on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines as they were written; the last may be torn.
    Open,
    /// Complete, in gzip members one after the other.
    Closed,
}

/// A segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// From 1, in order of arrival.
    pub number: u32,
    /// Its file.
    pub path: PathBuf,
    /// How it lies there.
    pub form: Form,
}

/// Name of an open segment.
pub fn open_name(number: u32) -> String {
    format!("{number:06}.jsonl")
}
/// Name of a closed segment.
pub fn closed_name(number: u32) -> String {
    format!("{number:06}.jsonl.gz")
}
/// Name of the index of a closed segment.
pub fn index_name(number: u32) -> String {
    format!("{number:06}.index")
}

/// The segments of a folder by number. Where a crash left both forms of one, the closed one counts: it is
/// renamed into place only when it is whole.
///
/// # Errors
/// When the folder cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<Segment>, OpenError> {
    let failed = |source| OpenError::Io { path: folder.to_owned(), source };
    let mut found: BTreeMap<u32, Segment> = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Some((digits, rest)) = name.split_once('.') else { continue };
        let form = match rest {
            "jsonl" => Form::Open,
            "jsonl.gz" => Form::Closed,
            _ => continue,
        };
        let Ok(number) = digits.parse::<u32>() else { continue };
        let better = found.get(&number).is_none_or(|s| s.form == Form::Open);
        if better {
            found.insert(number, Segment { number, path, form });
        }
    }
    Ok(found.into_values().collect())
}

/// The text of a segment, uncompressed, as far as it can be read.
#[derive(Debug, Default)]
pub struct Text {
    /// Whole lines and, in an open segment, perhaps the beginning of another.
    pub bytes: Vec<u8>,
    /// What could not be read.
    pub damage: Vec<Damage>,
    /// Where something is missing from `bytes`: line numbers mean nothing from here on.
    pub torn_at: Option<usize>,
    /// The parts of a closed segment: bytes on disk and the bytes of the text they hold.
    pub members: Vec<(Range<u64>, Range<usize>)>,
    /// Length of the file.
    pub on_disk: u64,
    /// Whether this is a part of the segment: its lines cannot be numbered, and those that cannot be read
    /// are in the index already.
    pub part: bool,
}

impl Segment {
    /// The file's name without its folder.
    pub fn name(&self) -> String {
        self.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Its first line, for the header.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn first_line(&self) -> io::Result<Vec<u8>> {
        let file = BufReader::new(File::open(&self.path)?);
        let mut line = Vec::new();
        match self.form {
            Form::Open => read_line(file, &mut line)?,
            Form::Closed => read_line(BufReader::new(GzDecoder::new(file)), &mut line)?,
        }
        Ok(line)
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub fn text(&self) -> io::Result<Text> {
        let bytes = match fs::read(&self.path) {
            // It was closed since the folder was listed.
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.form == Form::Open => {
                let path = self.path.with_file_name(closed_name(self.number));
                return Self { path, form: Form::Closed, ..*self }.text();
            }
            read => read?,
        };
        let on_disk = bytes.len() as u64;
        match self.form {
            Form::Open => Ok(Text { bytes, on_disk, ..Text::default() }),
            Form::Closed => Ok(Text { on_disk, ..unpack(&self.name(), &bytes, 0) }),
        }
    }

    /// Reads one part of a closed segment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn part(&self, from: u64, to: u64) -> io::Result<Text> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
        Ok(Text { part: true, ..unpack(&self.name(), &bytes, from) })
    }
}

/// A header is short: what is longer is none.
fn read_line(from: impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    from.take(4096).read_until(b'\n', line)?;
    line.pop_if(|b| *b == b'\n');
    Ok(())
}

/// Unpacks gzip members. A damaged one costs what follows in it, not the members after it: they are found
/// by their first bytes.
fn unpack(file: &str, packed: &[u8], offset: u64) -> Text {
    let mut text = Text::default();
    let mut at = 0;
    while at < packed.len() {
        let start = text.bytes.len();
        let mut decoder = GzDecoder::new(&packed[at..]);
        let outcome = decoder.read_to_end(&mut text.bytes);
        match outcome {
            Ok(_) => {
                let end = packed.len() - decoder.into_inner().len();
                text.members.push((at as u64..end as u64, start..text.bytes.len()));
                at = end;
            }
            Err(e) => {
                // Up to the first wrong line it can be trusted; after it, a copy of an older line may stand
                // where another was, with the older one's checksum.
                let good = text.bytes[start..].split_inclusive(|b| *b == b'\n').take_while(|l| is_whole(l));
                let whole = start + good.map(<[u8]>::len).sum::<usize>();
                text.bytes.truncate(whole);
                if text.torn_at.is_none() {
                    text.torn_at = Some(whole);
                }
                let says = format!("the compressed part that begins here is damaged ({e}); the rest was read");
                text.damage.push(Damage { file: file.to_owned(), place: Place::Byte(offset + at as u64), says });
                at = next_member(packed, at + 1).unwrap_or(packed.len());
            }
        }
    }
    text
}

fn is_whole(line: &[u8]) -> bool {
    line.strip_suffix(b"\n").is_some_and(|line| check(line).is_ok())
}

/// Where the next gzip member begins that can be unpacked.
fn next_member(packed: &[u8], from: usize) -> Option<usize> {
    let rest = packed.get(from..)?;
    let starts = rest.windows(4).enumerate().filter(|(_, w)| *w == [0x1f, 0x8b, 8, 0]).map(|(i, _)| from + i);
    starts.into_iter().find(|at| {
        let mut first = [0; 1];
        GzDecoder::new(&packed[*at..]).read_exact(&mut first).is_ok() && first == *b"{"
    })
}

/// A line of a text with its place.
pub struct Placed<'a> {
    /// Without its line feed.
    pub line: &'a [u8],
    /// Its bytes in the text, line feed included.
    pub range: Range<usize>,
    /// Where it is, for a report.
    pub place: Place,
}

impl Text {
    /// Its whole lines. What follows the last line feed was torn by a kill and was never shown.
    pub fn lines(&self) -> impl Iterator<Item = Placed<'_>> {
        let mut start = 0;
        let mut number = 0;
        std::iter::from_fn(move || {
            let end = start + self.bytes[start..].iter().position(|b| *b == b'\n')?;
            number += 1;
            let torn = self.torn_at.is_some_and(|t| start >= t);
            let place = if torn { Place::Byte(start as u64) } else { Place::Line(number) };
            let placed = Placed { line: &self.bytes[start..end], range: start..end + 1, place };
            start = end + 1;
            Some(placed)
        })
    }
}
