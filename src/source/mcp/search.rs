//! All lines of a stretch of time: windows, oldest first; pages by cursor, else by time; one call for each word
//! where the tool knows no OR; every line once. What is missing in the end is said.
//!
//! May not know: where the lines go.

use crate::config::mcp_search::{Field, Search};
use crate::model::log::LogLine;
use crate::model::{Lapse, Span, Stamp};
use crate::source::mcp::ask::{Question, arguments};
use crate::source::mcp::link::{Again, Link};
use crate::source::mcp::read::{Page, Reader};
use crate::source::mcp::trouble::Trouble;
use serde_json::Value;
use std::collections::BTreeSet;

/// Pages of one window, and calls of one search.
const PAGES: usize = 50;

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Calls made.
    pub calls: u32,
    /// Bytes of answers.
    pub bytes: u64,
    /// Why lines may be missing, in sentences.
    pub missing: Vec<String>,
}

/// Lines that were told already, by what tells them apart; forgotten when they are old.
#[derive(Debug, Default)]
pub struct Seen(BTreeSet<(Stamp, u64)>);

impl Seen {
    /// Whether a line is new.
    pub fn take(&mut self, key: u64, at: Stamp) -> bool {
        self.0.insert((at, key))
    }
    /// Forgets what no answer brings again.
    pub fn forget(&mut self, before: Stamp) {
        self.0 = self.0.split_off(&(before, 0));
    }
}

/// A stretch in windows that the tool bears, oldest first.
pub fn windows(span: Span, longest: Lapse) -> Vec<Span> {
    let mut out = Vec::new();
    let mut from = span.from;
    while from < span.to {
        let to = (from + longest).min(span.to);
        out.push(Span::new(from, to));
        from = to;
    }
    out
}

/// Searches. Lines that were `seen` are left out. `near` is now, for times without a date.
pub async fn search(
    link: &Link,
    mapping: &Search,
    reader: &Reader,
    question: &Question,
    seen: &mut Seen,
    near: Stamp,
) -> Result<Found, Trouble> {
    let mut found = Found::default();
    // A tool that cannot be told a time is asked once: the rest is sorted out here.
    let timed = mapping.is_timed();
    let parts = if timed { windows(question.span, mapping.window) } else { vec![question.span] };
    for span in parts {
        for q in (Question { span, ..question.clone() }).apart(mapping) {
            let mut window = Window { link, mapping, reader, seen: &mut *seen, found: &mut found, near };
            window.pages(q, timed).await?;
        }
    }
    found.lines.sort_by_key(|l| l.at);
    Ok(found)
}

struct Window<'a> {
    link: &'a Link,
    mapping: &'a Search,
    reader: &'a Reader,
    seen: &'a mut Seen,
    found: &'a mut Found,
    near: Stamp,
}

/// Where the next page is.
enum Next {
    Cursor(Value),
    Span(Span),
    End,
}

impl Window<'_> {
    async fn pages(&mut self, question: Question, timed: bool) -> Result<(), Trouble> {
        let mut q = question.clone();
        let mut cursor: Option<Value> = None;
        for _ in 0..PAGES {
            let arguments = arguments(self.mapping, &q, cursor.as_ref());
            let reply = self.link.call(&self.mapping.tool, &arguments, Again::May).await?;
            self.found.calls += reply.calls;
            self.found.bytes += reply.bytes;
            let page = self.reader.read(&reply.result, self.near)?;
            let fresh = self.keep(&page, &question);
            match self.next(&page, &q, cursor.as_ref(), fresh, timed) {
                Next::Cursor(next) => cursor = Some(next),
                Next::Span(span) => q.span = span,
                Next::End => return Ok(()),
            }
        }
        self.miss(format!("after {PAGES} pages the rest of a window was not fetched"));
        Ok(())
    }

    /// Keeps what is new and wanted; says how many rows had not been seen.
    fn keep(&mut self, page: &Page, question: &Question) -> usize {
        let mut fresh = 0;
        for (key, line) in &page.lines {
            if !question.wants(line, self.mapping) {
                continue;
            }
            if self.seen.take(*key, line.at) {
                fresh += 1;
                self.found.lines.push(line.clone());
            }
        }
        if page.undated > 0 {
            self.miss(format!("{} rows have no time that is understood (ts in [mcp.search.result])", page.undated));
        }
        fresh
    }

    fn next(&mut self, page: &Page, q: &Question, last: Option<&Value>, fresh: usize, timed: bool) -> Next {
        let by_cursor = self.mapping.args.contains_key(&Field::Cursor);
        if let (true, Some(next)) = (by_cursor, &page.next) {
            // A cursor that stands still would be asked for ever.
            if last == Some(next) && fresh == 0 {
                self.miss("the tool gave the same cursor again; what is behind it was not fetched".to_owned());
                return Next::End;
            }
            return Next::Cursor(next.clone());
        }
        // Who gave a cursor before and gives none now has given all; else a full page may be a part.
        let full = self.mapping.args.contains_key(&Field::Limit) && page.rows >= self.mapping.limit as usize;
        let more = match (last, page.total) {
            (Some(_), _) => false,
            (None, Some(total)) => total > page.rows as u64,
            (None, None) => full,
        };
        let more = more || page.truncated || page.next.is_some();
        if !more || page.rows == 0 {
            return Next::End;
        }
        if let Some(span) = (timed && last.is_none() && fresh > 0).then(|| rest(page, q.span)).flatten() {
            return Next::Span(span);
        }
        let of = page.total.map_or_else(String::new, |n| format!(" of {n}"));
        self.miss(format!(
            "an answer was cut after {}{of} lines, and the rest of its time cannot be asked for",
            page.rows
        ));
        Next::End
    }

    fn miss(&mut self, says: String) {
        if !self.found.missing.contains(&says) {
            self.found.missing.push(says);
        }
    }
}

/// What is left of a window whose answer was cut: behind its newest line, or before its oldest where the newest
/// come first. The line at the edge comes again, and those of its instant with it.
fn rest(page: &Page, span: Span) -> Option<Span> {
    let (first, last) = (page.lines.first()?.1.at, page.lines.last()?.1.at);
    let tick = Lapse(1_000_000);
    let rest = if first <= last {
        Span::new(last.max(span.from), span.to)
    } else {
        // Formats of whole seconds cut the end: the second of the oldest line is asked for again.
        Span::new(span.from, (last + tick).min(span.to))
    };
    (rest.from < rest.to && rest != span).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_whole_in_order_and_no_longer_than_allowed() {
        let span = Span::new(Stamp(0), Stamp(70_000_000));
        let parts = windows(span, Lapse::seconds(30));
        let ends: Vec<(i64, i64)> = parts.iter().map(|s| (s.from.0 / 1_000_000, s.to.0 / 1_000_000)).collect();
        assert_eq!(ends, [(0, 30), (30, 60), (60, 70)]);
        assert!(windows(Span::new(Stamp(5), Stamp(5)), Lapse::seconds(30)).is_empty());
    }

    #[test]
    fn a_line_is_new_once_and_what_is_old_is_forgotten() {
        let mut seen = Seen::default();
        assert!(seen.take(1, Stamp(10)) && !seen.take(1, Stamp(10)) && seen.take(1, Stamp(20)));
        seen.forget(Stamp(15));
        assert!(seen.take(1, Stamp(10)) && !seen.take(1, Stamp(20)));
    }
}
