//! One file of exported rows: CSV with a header or lines of JSON, plain or gzipped, read as a stream.
//!
//! A row that cannot be read is counted and the first is told with its line; the others are used. May not
//! know: when a file is read, and what became of its rows.

use crate::config::QueryConfig;
use crate::model::order::Attributes;
use crate::model::{Span, Stamp, Zone};
use crate::source::logs::Instants;
use crate::source::orders::fields::{Fault, Fields, Read};
use crate::source::orders::lines::{Bounded, LONGEST, Line, Lines};
use crate::source::orders::row;
use chrono::NaiveDate;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// Rows handed on at once: memory does not grow with the file.
const PIECE: usize = 2_000;

/// What one reading of a file found.
#[derive(Debug, Default)]
pub struct Found {
    /// Rows that were read.
    pub rows: usize,
    /// Rows that could not be.
    pub broken: usize,
    /// The first of them: its line and what is wrong.
    pub first: Option<(u64, Fault)>,
    /// From the oldest to just after the newest row.
    pub span: Option<Span>,
    /// The last line may still be half-written and was left for the next reading.
    pub left_last: bool,
    /// Status words that are not in the map.
    pub unknown: BTreeSet<String>,
}

/// Why a file could not be read at all.
#[derive(Debug)]
pub enum Unread {
    /// The system refused.
    Io(io::Error),
    /// It is no such file, or a column is missing.
    Fault(Fault),
}

impl From<io::Error> for Unread {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// Reads a file, handing on its rows piece by piece until `take` says no. `quiet`: nobody writes to it any
/// more, so that a last line without its end is a line all the same.
pub fn read(
    path: &Path,
    query: &QueryConfig,
    quiet: bool,
    take: &mut dyn FnMut(Read) -> bool,
) -> Result<Found, Unread> {
    let mut file = File::open(path)?;
    let gzipped = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let whole = quiet || gzipped || ends_with_newline(&mut file)?;
    let plain: Box<dyn io::Read> =
        if gzipped { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut lines = BufReader::with_capacity(1 << 16, plain);
    let head = lines.fill_buf()?;
    let first = head.iter().find(|b| !b.is_ascii_whitespace()).copied();
    let mut reading = Reading::new(query, whole, take);
    match first {
        None => {}
        Some(b'{') => reading.json(lines)?,
        Some(_) => reading.csv(lines)?,
    }
    Ok(reading.end())
}

fn ends_with_newline(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(last == *b"\n")
}

struct Reading<'a> {
    query: &'a QueryConfig,
    instants: Instants,
    whole: bool,
    take: &'a mut dyn FnMut(Read) -> bool,
    piece: Read,
    found: Found,
    ended: bool,
}

impl<'a> Reading<'a> {
    fn new(query: &'a QueryConfig, whole: bool, take: &'a mut dyn FnMut(Read) -> bool) -> Self {
        let zone = query.zone.clone().unwrap_or_else(Zone::utc);
        let instants = Instants::new(zone, None);
        let piece = Read::new(query.role);
        Self { query, instants, whole, take, piece, found: Found::default(), ended: false }
    }

    fn csv(&mut self, mut lines: impl BufRead) -> Result<(), Unread> {
        let delimiter = delimiter(lines.fill_buf()?);
        let (lines, allowance) = Bounded::new(lines);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(lines);
        let header = reader.byte_headers().map_err(unread)?.clone();
        let name = |field: &[u8]| String::from_utf8_lossy(field).trim_matches(['\u{feff}', ' ']).to_lowercase();
        let places: HashMap<String, usize> = header.iter().enumerate().map(|(i, f)| (name(f), i)).collect();
        self.columns(&places)?;
        let mut record = csv::ByteRecord::new();
        let mut more = reader.read_byte_record(&mut record).map_err(unread)?;
        while more && !self.ended {
            let this = record.clone();
            let line = this.position().map_or(0, csv::Position::line);
            allowance.renew();
            let here = reader.position().line();
            let next = reader.read_byte_record(&mut record);
            // What follows cannot be told apart any more; what came before is good.
            let endless = next.is_err() && allowance.spent();
            more = if endless { true } else { next.map_err(unread)? };
            let value = |column: &str| {
                let field = this.get(*places.get(&column.to_lowercase())?)?;
                Some(String::from_utf8_lossy(field).trim().to_owned()).filter(|v| !v.is_empty() && v != "NULL")
            };
            if this.len() == header.len() {
                self.row(line, !more, &value);
            } else {
                let says = format!("it has {} fields, the header has {}", this.len(), header.len());
                self.bad(
                    line,
                    !more,
                    Fault::new(says, "Export the row again, or quote fields that hold the separator."),
                );
            }
            if endless {
                let says = format!("the row does not end within {} KiB, and nothing behind it was read", LONGEST >> 10);
                self.bad(
                    here,
                    false,
                    Fault::new(says, "A quotation mark is open: close or double it, and export again."),
                );
                break;
            }
        }
        Ok(())
    }

    fn json(&mut self, lines: impl BufRead) -> Result<(), Unread> {
        let mut lines = Lines::new(lines);
        let mut number = 0;
        while let Some((line, last)) = lines.next()?
            && !self.ended
        {
            number += 1;
            let line = match line {
                Line::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
                Line::Whole(line) => line,
                Line::TooLong => {
                    let says = format!("it is longer than {} KiB", LONGEST >> 10);
                    let remedy =
                        "Each line is one object: export one row a line, without what a ledger has no column for.";
                    self.bad(number, last, Fault::new(says, remedy));
                    continue;
                }
            };
            match serde_json::from_slice::<Map<String, Value>>(line) {
                Ok(row) => self.row(number, last, &|column| match row.get(column)? {
                    Value::Null | Value::Array(_) | Value::Object(_) => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                }),
                Err(e) => self.bad(number, last, Fault::new(format!("it is no JSON: {e}"), "Each line is one object.")),
            }
        }
        Ok(())
    }

    /// A column that the role needs and the header does not have.
    fn columns(&self, places: &HashMap<String, usize>) -> Result<(), Unread> {
        for (name, needed) in row::columns(self.query.role) {
            let theirs = self.query.map.get(name).map_or(name, String::as_str);
            if needed && !places.contains_key(&theirs.to_lowercase()) {
                let has: BTreeSet<&str> = places.keys().map(String::as_str).collect();
                let has = has.into_iter().collect::<Vec<_>>().join(", ");
                let remedy =
                    format!("Say what it is called there: map = {{ {name} = \"THEIR_NAME\" }} in this [[query]].");
                return Err(Unread::Fault(Fault::new(format!("it has no column {theirs}; it has {has}"), remedy)));
            }
        }
        Ok(())
    }

    fn row(&mut self, line: u64, last: bool, value: &dyn Fn(&str) -> Option<String>) {
        if last && !self.whole {
            self.found.left_last = true;
            return;
        }
        let fields = Row { query: self.query, instants: &self.instants, value };
        match self.piece.push(&fields, self.query) {
            Ok(()) => {
                self.found.rows += 1;
                if let Some((at, _)) = self.piece.keys.last() {
                    let span = self.found.span.unwrap_or(Span { from: *at, to: *at });
                    let to = span.to.max(Stamp(at.0.saturating_add(1)));
                    self.found.span = Some(Span { from: span.from.min(*at), to });
                }
                if self.piece.keys.len() >= PIECE {
                    self.hand_on();
                }
            }
            Err(fault) => self.bad(line, last, fault),
        }
    }

    fn bad(&mut self, line: u64, last: bool, fault: Fault) {
        if last && !self.whole {
            self.found.left_last = true;
            return;
        }
        self.found.broken += 1;
        self.found.first.get_or_insert((line, fault));
    }

    fn hand_on(&mut self) {
        let mut piece = std::mem::replace(&mut self.piece, Read::new(self.query.role));
        self.found.unknown.append(&mut piece.unknown);
        self.ended |= !piece.rows.is_empty() && !(self.take)(piece);
    }

    fn end(mut self) -> Found {
        self.hand_on();
        self.found
    }
}

fn unread(e: csv::Error) -> Unread {
    match e.into_kind() {
        csv::ErrorKind::Io(e) => Unread::Io(e),
        other => {
            Unread::Fault(Fault::new(format!("it is no CSV: {other:?}"), "Export it with a header and one row a line."))
        }
    }
}

/// What separates the fields of the header: the most frequent of the usual ones.
fn delimiter(head: &[u8]) -> u8 {
    let header = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |d: &u8| header.split(|b| b == d).count();
    [b',', b';', b'\t', b'|'].into_iter().max_by_key(|d| (count(d), *d == b',')).unwrap_or(b',')
}

struct Row<'r> {
    query: &'r QueryConfig,
    instants: &'r Instants,
    value: &'r dyn Fn(&str) -> Option<String>,
}

impl Row<'_> {
    fn value(&self, name: &str) -> Option<String> {
        (self.value)(self.query.map.get(name).map_or(name, String::as_str))
    }
}

impl Fields for Row<'_> {
    fn text(&self, name: &str) -> Option<Arc<str>> {
        self.value(name).map(Into::into)
    }
    fn stamp(&self, name: &str) -> Result<Option<Stamp>, Fault> {
        let Some(text) = self.value(name) else { return Ok(None) };
        if let Some(at) = Stamp::parse_rfc3339(&text.replacen(' ', "T", 1)) {
            return Ok(Some(at));
        }
        let zoned = text.get(11..).is_some_and(|t| t.contains(['+', '-', 'Z']) || t.contains("UTC"));
        if self.query.zone.is_none() && !zoned && !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Fault::new(
                format!("its {name} \"{text}\" is a time without a zone"),
                "Set zone = \"Asia/Jakarta\" in this [[query]].",
            ));
        }
        let european = european(&text);
        let at = self.instants.of_text(european.as_deref().unwrap_or(&text).as_bytes(), Stamp(0));
        at.map(Some).ok_or_else(|| {
            Fault::new(format!("its {name} \"{text}\" is no time"), "Export times like 2025-01-12 19:41:07.")
        })
    }
    fn rupiah(&self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(text) = self.value(name) else { return Ok(None) };
        rupiah(&text).map(Some).ok_or_else(|| {
            Fault::new(
                format!("its {name} \"{text}\" is not a whole number of rupiah"),
                "Export whole rupiah: 412500, 412.500 or Rp 412,500.00.",
            )
        })
    }
    fn int(&self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(text) = self.value(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Fault::new(format!("its {name} \"{text}\" is not a whole number"), "Export it as digits alone.")
        })
    }
    fn flag(&self, name: &str) -> Option<bool> {
        self.value(name).map(|v| ["true", "t", "1", "yes", "y"].iter().any(|yes| v.eq_ignore_ascii_case(yes)))
    }
    fn day(&self, name: &str) -> Option<NaiveDate> {
        let text = self.value(name)?;
        let day = |format| NaiveDate::parse_from_str(text.get(..10)?, format).ok();
        day("%Y-%m-%d").or_else(|| day("%d/%m/%Y")).or_else(|| NaiveDate::parse_from_str(&text, "%Y%m%d").ok())
    }
    fn attributes(&self) -> Attributes {
        let value = |name: &String| Some((name.as_str().into(), self.text(name)?));
        self.query.columns.iter().filter_map(value).collect()
    }
}

/// `12/01/2025 19:41` as books here write it, in the order that sorts.
fn european(text: &str) -> Option<String> {
    let (day, clock) = text.split_once(' ')?;
    let mut parts = day.split(['/', '-']);
    let (d, m, y) = (parts.next()?, parts.next()?, parts.next()?);
    (d.len() == 2 && m.len() == 2 && y.len() == 4).then_some(())?;
    let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
    Some(format!("{y}-{m}-{d} {clock}{seconds}"))
}

/// Whole rupiah as people and programs write them: 412500, 412.500, 412,500.00, Rp 412.500,-.
fn rupiah(text: &str) -> Option<i64> {
    let text = text.trim();
    let bare = text.strip_prefix("Rp").or_else(|| text.strip_prefix("IDR")).unwrap_or(text);
    let bare = bare.trim_start_matches('.').trim().trim_end_matches(",-");
    let (sign, bare) = bare.strip_prefix('-').map_or((1, bare), |rest| (-1, rest));
    // A last group of one or two digits is a fraction, and must be of nothing.
    let bare = match bare.rfind(['.', ',']) {
        Some(i) if bare.len() - i <= 3 => {
            let fraction = bare.get(i + 1..)?;
            (!fraction.is_empty() && fraction.bytes().all(|b| b == b'0')).then_some(())?;
            bare.get(..i)?
        }
        _ => bare,
    };
    let separator = bare.chars().find(|c| matches!(c, '.' | ','));
    let mut groups = separator.map_or_else(|| vec![bare], |c| bare.split(c).collect()).into_iter();
    let head = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let digits = |g: &str| !g.is_empty() && g.bytes().all(|b| b.is_ascii_digit());
    let whole = digits(head) && (rest.is_empty() || head.len() <= 3) && rest.iter().all(|g| g.len() == 3 && digits(g));
    whole.then_some(())?;
    format!("{head}{}", rest.concat()).parse::<i64>().ok().map(|n| sign * n)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
