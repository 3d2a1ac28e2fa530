//! One line of a segment: what is written for a batch and how it is read back.
//!
//! A line is one JSON object. The first of a segment is the header, a `shape` line names the series that
//! later samples give values for, every other line is a batch. Each ends in `"c"`, the CRC-32 of the bytes
//! before it: JSON alone would take a flipped digit for a measurement. May not know: files.

use crate::model::batch::Samples;
use crate::model::series::SeriesName;
use crate::model::{Batch, Fact, SourceName, Stamp};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;

/// The format this program writes. A reader refuses a larger one; fields and kinds of facts may be added
/// without raising it.
pub const FORMAT: u32 = 1;

/// Sets of series that are given a number in one segment; a source that never repeats itself must not
/// make the table grow without end.
const MAX_SHAPES: usize = 4096;

/// What closes every line, before the checksum.
const CHECK: &[u8] = b",\"c\":";

/// Writes lines. One for each segment, because the numbers of shapes begin anew in each.
#[derive(Debug, Default)]
pub struct Encoder {
    shapes: HashMap<Vec<SeriesName>, u32>,
    last: Vec<SeriesName>,
    last_number: u32,
    value: String,
}

impl Encoder {
    /// Appends the header of a segment.
    pub fn header(&self, segment: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let _ = write!(out, "{{\"warroom\":{FORMAT},\"segment\":{segment}");
        seal(out, start);
    }

    /// Appends a batch, and before it the shapes it needs that were not written yet.
    ///
    /// # Errors
    /// When a fact cannot be put into JSON.
    pub fn batch(&mut self, batch: &Batch, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut line = Vec::with_capacity(256);
        line.extend_from_slice(b"{\"s\":");
        serde_json::to_writer(&mut line, batch.source.as_ref())?;
        let _ = write!(line, ",\"n\":{},\"t\":{},\"f\":[", batch.seq, batch.seen.0);
        for (i, fact) in batch.facts.iter().enumerate() {
            if i > 0 {
                line.push(b',');
            }
            match fact {
                Fact::Samples(samples) => self.samples(samples, &mut line, out)?,
                other => serde_json::to_writer(&mut line, other)?,
            }
        }
        line.push(b']');
        seal(&mut line, 0);
        out.extend_from_slice(&line);
        Ok(())
    }

    fn samples(&mut self, samples: &Samples, line: &mut Vec<u8>, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let Some(shape) = self.shape(samples, out)? else {
            return serde_json::to_writer(line, &Fact::Samples(samples.clone()));
        };
        let _ = write!(line, "{{\"v\":[{shape},{},[", samples.at.0);
        let mut first = true;
        for (_, value) in samples.values.iter().filter(|(_, v)| v.is_finite()) {
            if !std::mem::take(&mut first) {
                line.push(b',');
            }
            self.number(*value, line)?;
        }
        line.extend_from_slice(b"]]}");
        Ok(())
    }

    /// Counts are most of what is measured: they are written without a fraction.
    fn number(&mut self, value: f64, line: &mut Vec<u8>) -> serde_json::Result<()> {
        let whole = value as i64;
        if value.abs() < 1e15 && value.fract() == 0.0 && !(whole == 0 && value.is_sign_negative()) {
            self.value.clear();
            let _ = write!(self.value, "{whole}");
            line.extend_from_slice(self.value.as_bytes());
            return Ok(());
        }
        serde_json::to_writer(line, &value)
    }

    /// The number of the set of series these samples are of; none when there are too many sets already.
    fn shape(&mut self, samples: &Samples, out: &mut Vec<u8>) -> serde_json::Result<Option<u32>> {
        let names = || samples.values.iter().filter(|(_, v)| v.is_finite()).map(|(name, _)| name);
        if !self.shapes.is_empty() && names().eq(self.last.iter()) {
            return Ok(Some(self.last_number));
        }
        let names: Vec<SeriesName> = names().cloned().collect();
        let number = match self.shapes.get(&names) {
            Some(number) => *number,
            None if self.shapes.len() >= MAX_SHAPES => return Ok(None),
            None => {
                let number = self.shapes.len() as u32;
                let start = out.len();
                let _ = write!(out, "{{\"shape\":{number},\"names\":");
                serde_json::to_writer(&mut *out, &names)?;
                seal(out, start);
                self.shapes.insert(names.clone(), number);
                number
            }
        };
        self.last = names;
        self.last_number = number;
        Ok(Some(number))
    }
}

/// Ends the object that began at `start` with its checksum and a line feed.
fn seal(out: &mut Vec<u8>, start: usize) {
    let check = crc(&out[start..]);
    out.extend_from_slice(CHECK);
    let _ = writeln!(out, "{check}}}");
}

/// CRC-32 as gzip has it.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// What a line said.
#[derive(Debug)]
pub enum Line {
    /// The header: format and number of the segment.
    Header {
        /// Major version.
        format: u32,
    },
    /// A shape, now known to the decoder.
    Shape,
    /// A batch.
    Batch(Batch),
    /// Something a later version writes.
    Unknown,
}

/// Reads lines. Shapes begin anew in each segment, names are shared by all.
#[derive(Debug, Default)]
pub struct Decoder {
    shapes: HashMap<u32, Vec<SeriesName>>,
    names: HashSet<Arc<str>>,
    /// Facts of kinds this version does not know, skipped.
    pub unknown: u64,
}

impl Decoder {
    /// Forgets the shapes: another segment follows.
    pub fn next_segment(&mut self) {
        self.shapes.clear();
    }
    /// Makes a shape known without its line, as the index has it.
    pub fn define(&mut self, number: u32, names: Vec<SeriesName>) {
        self.shapes.insert(number, names);
    }
    /// The shapes known, by number.
    pub fn shapes(&self) -> impl Iterator<Item = (u32, &[SeriesName])> {
        self.shapes.iter().map(|(n, names)| (*n, names.as_slice()))
    }
    /// The one name for a text.
    pub fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let name: Arc<str> = text.into();
        self.names.insert(name.clone());
        name
    }

    /// Reads a line, given without its line feed.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn line(&mut self, line: &[u8]) -> Result<Line, String> {
        check(line)?;
        let mut json = serde_json::Deserializer::from_slice(line);
        let line = LineSeed(self).deserialize(&mut json).map_err(|e| format!("it cannot be read: {e}"))?;
        Ok(line)
    }
}

/// Whether a line, given without its line feed, is as it was written.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check(line: &[u8]) -> Result<(), String> {
    // The checksum has at most ten digits, so its key is near the end.
    let tail = line.len().saturating_sub(CHECK.len() + 11);
    let at = line[tail..].windows(CHECK.len()).rposition(|w| w == CHECK).map(|i| tail + i);
    let at = at.ok_or("its checksum is missing")?;
    let digits = line[at + CHECK.len()..].strip_suffix(b"}").ok_or("its end is missing")?;
    let said: u32 = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()).ok_or("its checksum is damaged")?;
    if said == crc(&line[..at]) { Ok(()) } else { Err("its checksum does not match its content".to_owned()) }
}

struct LineSeed<'a>(&'a mut Decoder);

impl<'de> DeserializeSeed<'de> for LineSeed<'_> {
    type Value = Line;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Line, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LineSeed<'_> {
    type Value = Line;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of a recording")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
        let (mut format, mut shape, mut names) = (None, None, None);
        let (mut source, mut seq, mut seen, mut facts) = (None, None, None, None);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                "warroom" => format = Some(map.next_value()?),
                "shape" => shape = Some(map.next_value::<u32>()?),
                "names" => names = Some(map.next_value::<Vec<Cow<'_, str>>>()?),
                "s" => source = Some(map.next_value::<Cow<'_, str>>()?),
                "n" => seq = Some(map.next_value()?),
                "t" => seen = Some(map.next_value::<Stamp>()?),
                "f" => facts = Some(map.next_value_seed(Facts(self.0))?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if let (Some(source), Some(seq), Some(seen), Some(facts)) = (source, seq, seen, facts) {
            let source: SourceName = self.0.intern(&source);
            return Ok(Line::Batch(Batch { source, seq, seen, facts }));
        }
        if let (Some(number), Some(names)) = (shape, names) {
            let names = names.iter().map(|n| self.0.intern(n)).collect();
            self.0.define(number, names);
            return Ok(Line::Shape);
        }
        Ok(format.map_or(Line::Unknown, |format| Line::Header { format }))
    }
}

struct Facts<'a>(&'a mut Decoder);

impl<'de> DeserializeSeed<'de> for Facts<'_> {
    type Value = Vec<Fact>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Vec<Fact>, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Facts<'_> {
    type Value = Vec<Fact>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("facts")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Fact>, A::Error> {
        let mut facts = Vec::new();
        while let Some(fact) = seq.next_element_seed(OneFact(self.0))? {
            facts.extend(fact);
        }
        Ok(facts)
    }
}

/// One fact; none when its kind is unknown.
struct OneFact<'a>(&'a mut Decoder);

impl<'de> DeserializeSeed<'de> for OneFact<'_> {
    type Value = Option<Fact>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<Fact>, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneFact<'_> {
    type Value = Option<Fact>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fact")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Fact>, A::Error> {
        let Some(kind) = map.next_key::<Cow<'_, str>>()? else { return Ok(None) };
        let fact = match kind.as_ref() {
            "v" => {
                let (shape, at, values): (u32, Stamp, Vec<f64>) = map.next_value()?;
                let names = self.0.shapes.get(&shape).ok_or_else(|| {
                    A::Error::custom(format_args!("the line that names the series of shape {shape} is missing"))
                })?;
                if names.len() != values.len() {
                    return Err(A::Error::invalid_length(values.len(), &"one value for each series"));
                }
                Fact::Samples(Samples { at, values: names.iter().cloned().zip(values).collect() })
            }
            "incident" => Fact::Incident(map.next_value()?),
            "samples" => Fact::Samples(map.next_value()?),
            "database" => Fact::Database(map.next_value()?),
            "lines" => Fact::Lines(map.next_value()?),
            "ledger" => Fact::Ledger(map.next_value()?),
            "health" => Fact::Health(map.next_value()?),
            "cost" => Fact::Cost(map.next_value()?),
            "loss" => Fact::Loss(map.next_value()?),
            "series" => Fact::Series(map.next_value()?),
            "progress" => Fact::Progress(map.next_value()?),
            "fetched" => Fact::Fetched(map.next_value()?),
            "mark" => Fact::Mark(map.next_value()?),
            "note" => Fact::Note(map.next_value()?),
            "tick" => Fact::Tick(map.next_value()?),
            "override" => Fact::Override(map.next_value()?),
            "bind" => Fact::Bind(map.next_value()?),
            "lane" => Fact::Lane(map.next_value()?),
            _ => {
                map.next_value::<IgnoredAny>()?;
                self.0.unknown += 1;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
        };
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(fact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(values: &[(&str, f64)]) -> Batch {
        let values = values.iter().map(|(n, v)| ((*n).into(), *v)).collect();
        let samples = Samples { at: Stamp(1_736_683_200_000_000), values };
        Batch { source: "metrics".into(), seq: 7, seen: Stamp(1), facts: vec![Fact::Samples(samples)] }
    }

    fn written(batches: &[Batch]) -> Vec<Vec<u8>> {
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        encoder.header(1, &mut out);
        for b in batches {
            encoder.batch(b, &mut out).unwrap();
        }
        out.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
    }

    fn read(lines: &[Vec<u8>]) -> Vec<Batch> {
        let mut decoder = Decoder::default();
        let batch = |line: Line| if let Line::Batch(b) = line { Some(b) } else { None };
        lines.iter().filter_map(|l| batch(decoder.line(l).unwrap())).collect()
    }

    #[test]
    fn values_come_back_to_the_last_bit() {
        let odd =
            [("a", 0.1 + 0.2), ("b", -0.0), ("c", 5.0), ("d", 1e300), ("e", 9_007_199_254_740_993.0), ("f", -3.5)];
        let batches = [batch(&odd), batch(&odd), batch(&[("a", 1.0)]), batch(&[])];
        let back = read(&written(&batches));
        assert_eq!(back, batches);
        let Fact::Samples(s) = &back[0].facts[0] else { unreachable!() };
        assert!(s.values[1].1.is_sign_negative());
    }

    #[test]
    fn names_are_written_once() {
        let batches = vec![batch(&[("mrg.connections", 412.0), ("mrg.running", 31.0)]); 10];
        let lines = written(&batches);
        assert_eq!(lines.iter().filter(|l| l.windows(15).any(|w| w == b"mrg.connections")).count(), 1);
    }

    #[test]
    fn a_value_that_is_no_number_is_left_out_and_is_not_zero() {
        let back = read(&written(&[batch(&[("a", f64::NAN), ("b", 2.0)])]));
        assert_eq!(back, [batch(&[("b", 2.0)])]);
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        let line = written(&[batch(&[("a", 1.0), ("b", 2.5)])]).pop().unwrap();
        let mut decoder = Decoder::default();
        decoder.define(0, vec!["a".into(), "b".into()]);
        assert!(decoder.line(&line).is_ok());
        for i in 0..line.len() * 8 {
            let mut broken = line.clone();
            broken[i / 8] ^= 1 << (i % 8);
            assert!(decoder.line(&broken).is_err(), "bit {i}");
        }
    }

    #[test]
    fn kinds_of_facts_from_later_versions_are_skipped_and_counted() {
        let mut line = br#"{"s":"x","n":1,"t":2,"f":[{"weather":{"rain":[1,{"a":2}]}},{"loss":{"span":{"from":1,"to":2},"says":"cut"}}],"more":1"#.to_vec();
        seal(&mut line, 0);
        line.pop();
        let mut decoder = Decoder::default();
        let Ok(Line::Batch(batch)) = decoder.line(&line) else { panic!("it is a batch") };
        assert_eq!((batch.facts.len(), decoder.unknown), (1, 1));
    }
}
