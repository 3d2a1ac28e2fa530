//! A regular expression for lines, searched for in whole blocks of them: a match never reaches over the end of
//! a line, so what is found need not be looked at again line by line.

use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition,
};

/// Bytes a compiled expression may take.
const LARGEST: usize = 50 << 20;

/// The expression.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// The error is the last line of what the parser says.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let last = |says: String| says.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let how = syntax::Config::new().utf8(false).multi_line(true).crlf(true);
        let parsed = syntax::parse_with(pattern, &how).map_err(|e| last(e.to_string()))?;
        let config = meta::Config::new()
            .utf8_empty(false)
            .match_kind(MatchKind::LeftmostFirst)
            .nfa_size_limit(Some(LARGEST))
            .hybrid_cache_capacity(8 << 20);
        let built = meta::Builder::new().configure(config).build_from_hir(&bare(&within_a_line(&parsed)));
        built
            .map(Self)
            .map_err(|e| last(e.size_limit().map_or_else(|| e.to_string(), |_| "it is too large".to_owned())))
    }

    /// Where the first match ends that begins at `from` or behind it: no later than the line's end. Where it begins
    /// would take a second search, backwards, and nobody needs it.
    pub fn end(&self, block: &[u8], from: usize) -> Option<usize> {
        let input = Input::new(block).range(from..).earliest(true);
        self.0.search_half(&input).map(|half| half.offset())
    }
}

/// The same expression without newlines in it; the ends of the text are those of a line. What only a newline could
/// match matches nothing.
fn within_a_line(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(_) => hir.clone(),
        HirKind::Class(Class::Unicode(class)) => {
            let mut class = class.clone();
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(class)) => {
            let mut class = class.clone();
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Look(Look::Start) => Hir::look(Look::StartCRLF),
        HirKind::Look(Look::End) => Hir::look(Look::EndCRLF),
        HirKind::Look(look) => Hir::look(*look),
        HirKind::Repetition(repetition) => Hir::repetition(repetition.with(within_a_line(&repetition.sub))),
        // What a group holds is nobody's business here, and groups cost time.
        HirKind::Capture(capture) => within_a_line(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(within_a_line).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(within_a_line).collect()),
    }
}

/// The same expression without what its matches may lack at either end: `.*error.*` is found in the lines in which
/// `error` is, and that without looking at every byte of them.
fn bare(hir: &Hir) -> Hir {
    let mut parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        HirKind::Alternation(parts) => return Hir::alternation(parts.iter().map(bare).collect()),
        _ => return least(hir),
    };
    let mut ends = (None, None);
    while let (None, [first, rest @ ..]) = (&ends.0, parts) {
        ends.0 = Some(least(first)).filter(|p| *p.kind() != HirKind::Empty);
        parts = rest;
    }
    while let (None, [rest @ .., last]) = (&ends.1, parts) {
        ends.1 = Some(least(last)).filter(|p| *p.kind() != HirKind::Empty);
        parts = rest;
    }
    Hir::concat(ends.0.into_iter().chain(parts.iter().cloned()).chain(ends.1).collect())
}

/// What repeats, as seldom as it may.
fn least(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let repetition = Repetition { max: Some(repetition.min), ..repetition.clone() };
            Hir::repetition(repetition)
        }
        // An alternation at one end has another end of its own, which is not one of the whole.
        _ => hir.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_ends_where_it_is_certain_and_never_behind_its_line() {
        let end = |pattern: &str, from| Pattern::new(pattern).unwrap().end(b"ab\ncab\r\nd", from);
        assert_eq!((end("a", 0), end("a", 1), end("ab+", 3)), (Some(1), Some(5), Some(6)));
        assert_eq!((end("b$", 0), end("b$", 3), end(r"b\z", 3), end(r"\Ad", 0)), (Some(2), Some(6), Some(6), Some(9)));
        for crossing in [r"b\s+c", "(?s)b.c", "b[^x]c", r"\n", r"b\nc", r"(?s-u)b.c"] {
            assert_eq!(end(crossing, 0), None, "{crossing}");
        }
        assert_eq!(end(r"b(\n|$)", 0), Some(2));
        assert_eq!(end("x*", 4), Some(4));
    }

    #[test]
    fn what_a_match_may_lack_at_its_ends_is_not_looked_for() {
        let bared = |pattern: &str| bare(&syntax::parse_with(pattern, &syntax::Config::new()).unwrap()).to_string();
        for (pattern, left) in [
            (".*error.*", "error"),
            ("x?.*a+b.{2,7}", "ab.{2}"),
            ("(?:.*a|b.*)c", "(?:.*a|b.*)c"),
            (".*a|b.*", "[ab]"),
            ("^.*a$", "^.*a$"),
            (".*", ""),
        ] {
            let left = syntax::parse(left).unwrap().to_string();
            assert_eq!(bared(pattern), left, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_expression_is_said_in_a_line() {
        assert_eq!(Pattern::new("a(").unwrap_err(), "unclosed group");
    }
}
