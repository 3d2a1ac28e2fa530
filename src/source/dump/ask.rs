//! Which lines are asked for: a pattern, a service, a level, an order, a stretch of time.
//!
//! What can be searched for in whole blocks is, so that most lines are never looked at one by one.

use crate::model::log::Level;
use crate::model::{Span, Stamp};
use crate::source::dump::pattern::Pattern;
use crate::source::logs::glance::{Glance, Glancer};
use crate::source::logs::service_of;
use memchr::memmem::Finder;
use std::path::Path;

/// Which lines. The usual one is all.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pattern: Option<Pattern>,
    order: Option<Finder<'static>>,
    service: Option<String>,
    level: Option<Level>,
    span: Option<Span>,
}

/// What a file's name says about the service that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Lines that name no service are of the wanted one.
    ours: bool,
}

impl Ask {
    /// Only lines in which the regular expression is found; it never reaches over the end of a line.
    pub fn pattern(mut self, pattern: &str) -> Result<Self, String> {
        let built = Pattern::new(pattern).map_err(|says| {
            format!("'{pattern}' is no regular expression: {says}; put a \\ before signs that are meant as they are")
        })?;
        self.pattern = Some(built);
        Ok(self)
    }

    /// Only lines that name this order anywhere.
    #[must_use]
    pub fn order(mut self, order: &str) -> Self {
        self.order = Some(Finder::new(order.as_bytes()).into_owned());
        self
    }

    /// Only lines of this service; `mrg-api` is also its replicas `mrg-api-1`, `mrg-api-2`.
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    /// Only lines of at least this level; a line that names none is `Info`.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Only lines with a time of their own in this stretch.
    #[must_use]
    pub fn span(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    pub(super) fn of_file(&self, path: &Path) -> Service {
        Service { ours: self.service.as_deref().is_some_and(|s| is_of(&service_of(path), s)) }
    }

    /// Hands the lines of a block to `each` that the pattern or the order is found in, until it has enough.
    pub(super) fn candidates(&self, block: &[u8], mut each: impl FnMut(&[u8]) -> bool) {
        let find = |from: usize| match (&self.pattern, &self.order) {
            (Some(pattern), _) => pattern.end(block, from),
            (None, Some(order)) => order.find(&block[from..]).map(|n| from + n),
            (None, None) => Some(from),
        };
        let mut at = 0;
        while at < block.len() {
            let Some(found) = find(at) else { return };
            let start = memchr::memrchr(b'\n', &block[at..found]).map_or(at, |n| at + n + 1);
            // An empty match behind the last newline belongs to no line.
            if start >= block.len() {
                return;
            }
            let end = memchr::memchr(b'\n', &block[found..]).map_or(block.len(), |n| found + n);
            let line = &block[start..end];
            at = end + 1;
            if !each(line.strip_suffix(b"\r").unwrap_or(line)) {
                return;
            }
        }
    }

    /// Whether a candidate is asked for.
    pub(super) fn passes(&self, line: &[u8], file: Service, glancer: &Glancer, near: Stamp) -> bool {
        let glance =
            if self.level.is_some() || self.span.is_some() { glancer.at(line, near) } else { Glance::default() };
        self.passes_glance(line, glance, file, glancer, near)
    }

    /// The same, after a glance.
    pub(super) fn passes_glance(
        &self,
        line: &[u8],
        glance: Glance,
        file: Service,
        glancer: &Glancer,
        near: Stamp,
    ) -> bool {
        self.level.is_none_or(|least| glance.level.unwrap_or(Level::Info) >= least)
            && self.span.is_none_or(|span| glance.at.is_some_and(|at| span.contains(at)))
            && self.order.as_ref().is_none_or(|order| names(line, order))
            && self.of_service(line, file, glancer, near)
    }

    fn of_service(&self, line: &[u8], file: Service, glancer: &Glancer, near: Stamp) -> bool {
        let Some(wanted) = self.service.as_deref() else { return true };
        // Without its name inside, a line can only be of the service that its file is of.
        if !file.ours && memchr::memmem::find(line, wanted.as_bytes()).is_none() {
            return false;
        }
        glancer.whole(line, near).service.map_or(file.ours, |service| is_of(&service, wanted))
    }
}

/// `mrg-api-2` is of `mrg-api`.
fn is_of(service: &str, wanted: &str) -> bool {
    service.strip_prefix(wanted).is_some_and(|rest| {
        let number = rest.strip_prefix('-').unwrap_or_default();
        rest.is_empty() || (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether the id stands in the line as a word: ORD-12 is not in ORD-123.
fn names(line: &[u8], order: &Finder<'_>) -> bool {
    let length = order.needle().len();
    let ends = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric());
    order.find_iter(line).any(|at| ends(line.get(at + length)) && ends(line[..at].last()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LogConfig;
    use crate::model::Zone;

    const BLOCK: &[u8] = b"ORD-1 a\nb ORD-12\r\n\n{\"time\":\"2025-01-12T12:31:08Z\",\"level\":\"error\",\"service\":\"mrg-api-2\",\"msg\":\"c ORD-1\"}\nlast a";

    fn found(ask: Ask) -> Vec<String> {
        let glancer = Glancer::new(&LogConfig::usual("x", &Zone::wib())).unwrap();
        let file = ask.of_file(Path::new("/x/upg.log"));
        let mut out = Vec::new();
        ask.candidates(BLOCK, |line| {
            if ask.passes(line, file, &glancer, Stamp(0)) {
                out.push(String::from_utf8_lossy(&line[..line.len().min(8)]).into_owned());
            }
            true
        });
        out
    }

    #[test]
    fn a_pattern_is_found_line_by_line() {
        let lines = |p: &str| found(Ask::default().pattern(p).unwrap());
        assert_eq!(lines("^b"), ["b ORD-12"]);
        assert_eq!(lines("a$"), ["ORD-1 a", "last a"]);
        assert_eq!(lines("12$"), ["b ORD-12"]);
        assert_eq!(lines(r"a\s+b"), Vec::<String>::new());
        assert_eq!(lines(r"a[^x]"), ["{\"time\":", "last a"]);
        assert_eq!(lines("(?s)1.*c"), ["{\"time\":"]);
        assert_eq!(lines("^$"), [""]);
        assert_eq!(lines("").len(), 5);
        assert_eq!(lines("(?i)LAST"), ["last a"]);
        let says = Ask::default().pattern("a(").unwrap_err();
        assert!(says.contains("'a(' is no regular expression: unclosed group"), "{says}");
    }

    #[test]
    fn an_order_is_a_whole_word_and_a_service_has_replicas() {
        assert_eq!(found(Ask::default().order("ORD-1")), ["ORD-1 a", "{\"time\":"]);
        assert_eq!(found(Ask::default().service("mrg-api")), ["{\"time\":"]);
        assert_eq!(found(Ask::default().service("mrg")), Vec::<String>::new());
        assert_eq!(found(Ask::default().service("upg")).len(), 4);
    }

    #[test]
    fn levels_and_times_are_those_of_the_line() {
        assert_eq!(found(Ask::default().level(Level::Warn)), ["{\"time\":"]);
        assert_eq!(found(Ask::default().level(Level::Info)).len(), 5);
        let at = Stamp::parse_rfc3339("2025-01-12T12:31:08Z").unwrap();
        assert_eq!(found(Ask::default().span(Span::new(at, Stamp(at.0 + 1)))), ["{\"time\":"]);
        assert_eq!(found(Ask::default().span(Span::new(Stamp(0), at))), Vec::<String>::new());
    }
}
