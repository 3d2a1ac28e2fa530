//! The text that metrics endpoints answer with: Prometheus text 0.0.4 and OpenMetrics 1.0.
//!
//! Reads line by line without copying: a scrape looks at some dozens of the thousands of samples there, and
//! only those are taken apart. A broken line is counted and named; it never ends the reading. Our own
//! because the crates there are either unkept or under a licence that does not fit this program's.
//! May not know: which metrics matter, clocks, HTTP.

use crate::model::Stamp;
use std::borrow::Cow;

/// One sample, as far as it has been read: its labels are taken apart when somebody asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'t> {
    /// Name as it stands there, `_bucket`, `_sum`, `_count` and `_total` included.
    pub name: &'t str,
    /// What stands between the braces.
    labels: &'t str,
    /// The value; NaN and infinities included.
    pub value: f64,
    /// Its own time, which few endpoints give.
    pub at: Option<Stamp>,
}

/// What a text was like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Samples that were read.
    pub samples: usize,
    /// Lines that could not be read.
    pub broken: usize,
    /// The first of them: its number from 1, and what is wrong.
    pub first_broken: Option<(usize, &'static str)>,
    /// OpenMetrics ends with `# EOF`; without it something was cut off.
    pub ended: bool,
}

impl Report {
    /// Notes a line that could not be read.
    pub fn breaks(&mut self, line: usize, why: &'static str) {
        self.broken += 1;
        self.first_broken.get_or_insert((line, why));
    }
}

/// Which of the two formats a text is in: their timestamps differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text: timestamps in whole milliseconds.
    Text,
    /// OpenMetrics: timestamps in seconds with a fraction, and an end mark.
    OpenMetrics,
}

impl Format {
    /// From the answer's content type.
    pub fn of(content_type: &str) -> Self {
        if content_type.contains("openmetrics") { Self::OpenMetrics } else { Self::Text }
    }
}

/// Reads a text; `take` sees every sample with the number of its line, and may say what is wrong with it.
pub fn read<'t>(
    text: &'t str,
    format: Format,
    mut take: impl FnMut(&Sample<'t>) -> Result<(), &'static str>,
) -> Report {
    let mut report = Report::default();
    for (number, line) in text.lines().enumerate().map(|(i, l)| (i + 1, l.trim())) {
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            report.ended |= comment.trim() == "EOF";
            continue;
        }
        if report.ended {
            report.breaks(number, "stands behind # EOF");
            continue;
        }
        match sample(line, format).and_then(|s| take(&s)) {
            Ok(()) => report.samples += 1,
            Err(why) => report.breaks(number, why),
        }
    }
    report
}

/// `name{a="b"} value [timestamp] [# exemplar]`
fn sample(line: &str, format: Format) -> Result<Sample<'_>, &'static str> {
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace()).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => {
            let close = closing(inside).ok_or("its labels are not closed")?;
            (&inside[..close], &inside[close + 1..])
        }
        None => ("", rest),
    };
    // Names beyond ASCII stand in quotes as the first thing between the braces.
    let (name, labels) = if name.is_empty() { quoted_name(labels)? } else { (name, labels) };
    if !is_name(name) && !line.starts_with('{') {
        return Err("its name is none");
    }
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().ok_or("it has no value")?;
    let value: f64 = value.parse().map_err(|_| "its value is no number")?;
    let at = match words.next() {
        None | Some("#") => return Ok(Sample { name, labels, value, at: None }),
        Some(word) => timestamp(word, format).ok_or("its timestamp is none")?,
    };
    match words.next() {
        None | Some("#") => Ok(Sample { name, labels, value, at: Some(at) }),
        Some(_) => Err("something stands behind its timestamp"),
    }
}

fn timestamp(word: &str, format: Format) -> Option<Stamp> {
    match format {
        Format::Text => word.parse::<i64>().ok().map(|ms| Stamp(ms.saturating_mul(1_000))),
        // A cast from float to integer saturates; NaN is none.
        Format::OpenMetrics => {
            word.parse::<f64>().ok().filter(|s| s.is_finite()).map(|s| Stamp((s * 1e6).round() as i64))
        }
    }
}

/// Where the brace that closes the labels is: not one inside quotes.
fn closing(inside: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, b) in inside.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b':';
    name.bytes().all(fits) && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

/// `"a.name", a="b"`: the name, and the labels behind it. A name with escapes in it is nobody's.
fn quoted_name(labels: &str) -> Result<(&str, &str), &'static str> {
    let inside = labels.trim_start().strip_prefix('"').ok_or("it has no name")?;
    let (name, rest) = inside.split_once('"').ok_or("it has no name")?;
    if name.is_empty() || name.contains('\\') {
        return Err("its name is none");
    }
    let rest = rest.trim_start();
    match rest.strip_prefix(',') {
        Some(rest) => Ok((name, rest)),
        None if rest.is_empty() => Ok((name, rest)),
        None => Err("its labels are not separated"),
    }
}

impl<'t> Sample<'t> {
    /// Its labels in the order they stand there.
    pub fn labels(&self) -> Result<Vec<(&'t str, Cow<'t, str>)>, &'static str> {
        let mut out = Vec::new();
        let mut rest = self.labels.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').ok_or("a label has no value")?;
            let name = name.trim().trim_matches('"');
            if name.is_empty() {
                return Err("a label has no name");
            }
            let inside = after.trim_start().strip_prefix('"').ok_or("a label's value has no quotes")?;
            let end = end_of_value(inside).ok_or("a label's value is not closed")?;
            out.push((name, unescaped(&inside[..end])));
            rest = inside[end + 1..].trim_start();
            rest = match rest.strip_prefix(',') {
                Some(more) => more.trim_start(),
                None if rest.is_empty() => rest,
                None => return Err("its labels are not separated"),
            };
        }
        Ok(out)
    }
}

fn end_of_value(inside: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, b) in inside.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(i),
            _ => {}
        }
    }
    None
}

/// `\\`, `\"` and `\n`; any other backslash is one.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some(c @ ('"' | '\\')) => out.push(c),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
#[path = "exposition_tests.rs"]
mod tests;
