//! Which lines a request is about: its range, the keywords, the collector's labels.

use super::invalid;
use super::keywords::Keywords;
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::reply::{Reply, plain};
use crate::simulator::cloud::world::{LogEntry, LogStream};

/// A range in milliseconds as texts; both ends are included.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub from: Stamp,
    /// The last instant inside.
    pub to: Stamp,
}

impl Range {
    /// Reads both ends, which must differ; at most `days` apart.
    pub fn read(from: &str, to: &str, days: i64) -> Result<Self, Reply> {
        let instant = |name: &str, text: &str| {
            let parsed: Result<i64, _> = text.parse();
            let milliseconds = parsed.ok().filter(|ms| (0..=9_999_999_999_999).contains(ms));
            milliseconds.ok_or_else(|| invalid(format!("{name} must be milliseconds as a text, not {text:?}")))
        };
        let (from, to) = (instant("start_time", from)?, instant("end_time", to)?);
        if from >= to {
            return Err(invalid("start_time must be earlier than end_time"));
        }
        let (from, to) = (Stamp::from_millis(from), Stamp::from_millis(to));
        if to.since(from) > Lapse::hours(24 * days) {
            return Err(invalid(format!("the range must not be longer than {days} days")));
        }
        // A line's own time is finer than a millisecond.
        Ok(Self { from, to: to + Lapse(999) })
    }
}

/// Keywords as they were sent, read.
pub fn keywords(text: &str) -> Result<Keywords, Reply> {
    Keywords::read(text).map_err(|says| plain(400, "LTS.0301", says))
}

/// Lines of a stream in a range that hold the keywords, oldest first; none younger than now.
pub fn found<'s>(stream: &'s LogStream, range: Range, keywords: &Keywords, now: Stamp) -> Vec<&'s LogEntry> {
    let first = stream.lines.partition_point(|l| l.at < range.from);
    let end = stream.lines.partition_point(|l| l.at <= range.to.min(now));
    let inside = stream.lines.get(first..end).unwrap_or_default();
    inside.iter().filter(|l| keywords.hold(&l.content, &l.labels)).collect()
}
