//! The past of a server's queries: the window and the baseline in pieces, newest first, each asked once.
//!
//! Pure: told what came, it says what is next and how far it is. What an earlier run of the same recording
//! has fetched is not asked for again. May not know: requests.

use crate::model::health::{Fetched, Progress};
use crate::model::{Lapse, Span, Stamp, Untrusted, Zone};
use crate::source::huawei::plan::{aligned, without};

/// Points of one series that a server gives at once. Prometheus refuses more than 11,000.
pub const MOST_POINTS: i64 = 10_000;
/// A piece is no longer than this, so that progress is seen and little is lost when it fails.
const LONGEST: Lapse = Lapse::hours(2);
/// A piece that was too much at this many points is given up.
const FEWEST_POINTS: i64 = 10;

/// What is left for one query.
#[derive(Clone, Debug)]
struct Stretch {
    query: usize,
    /// Its words in `Fetched`.
    what: String,
    span: Span,
}

/// One piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    stretch: usize,
    /// Place of the query in the configuration.
    pub query: usize,
    /// Which time; both ends are asked for.
    pub span: Span,
}

/// All that is left.
#[derive(Clone, Debug)]
pub struct Past {
    step: Lapse,
    left: Vec<Stretch>,
    /// Longest piece; shorter after "too much".
    longest: Vec<Lapse>,
    whole: i64,
}

impl Past {
    /// What `spans` need for each of the queries' words, without what they `have`.
    pub fn new(step: Lapse, whats: &[String], spans: &[Span], have: &[Fetched]) -> Self {
        let mut left = Vec::new();
        for span in spans {
            for (query, what) in whats.iter().enumerate() {
                let mut known: Vec<Span> = have.iter().filter(|f| f.what == *what).map(|f| f.span).collect();
                known.extend(left.iter().filter(|s: &&Stretch| s.query == query).map(|s| s.span));
                let parts = without(aligned(*span, step), &known);
                left.extend(parts.into_iter().map(|span| Stretch { query, what: what.clone(), span }));
            }
        }
        let longest = vec![step.times(MOST_POINTS).min(LONGEST.max(step)); whats.len()];
        let mut out = Self { step, left, longest, whole: 0 };
        out.whole = out.length();
        out
    }

    fn length(&self) -> i64 {
        self.left.iter().map(|s| s.span.length().0).fold(0, i64::saturating_add)
    }

    /// Whether nothing is left.
    pub const fn is_over(&self) -> bool {
        self.left.is_empty()
    }

    /// The next piece: the newest of the first stretch that has any.
    pub fn next(&self) -> Option<Piece> {
        let stretch = self.left.iter().position(|s| s.span == self.newest())?;
        let s = self.left.get(stretch)?;
        let longest = self.longest.get(s.query).copied().unwrap_or(LONGEST);
        let from = (s.span.to - longest).max(s.span.from);
        Some(Piece { stretch, query: s.query, span: Span::new(from, s.span.to) })
    }

    /// The span whose end is newest among those of the first wish.
    fn newest(&self) -> Span {
        let first = self.left.first().map_or(Span::new(Stamp(0), Stamp(0)), |s| s.span);
        let near = |s: &&Stretch| s.span.overlaps(&first);
        self.left.iter().filter(near).map(|s| s.span).max_by_key(|s| s.to).unwrap_or(first)
    }

    /// A piece came: it need not be asked again.
    pub fn came(&mut self, piece: &Piece) -> Option<Fetched> {
        let s = self.left.get_mut(piece.stretch)?;
        let fetched = Fetched { what: s.what.clone(), span: piece.span };
        s.span.to = piece.span.from;
        if s.span.from >= s.span.to {
            self.left.remove(piece.stretch);
        }
        Some(fetched)
    }

    /// A piece was too much: asked shorter, or false when it is as short as is sensible.
    pub fn too_much(&mut self, piece: &Piece) -> bool {
        let shorter = Lapse(piece.span.length().0 / 2 / self.step.0.max(1) * self.step.0.max(1));
        if shorter < self.step.times(FEWEST_POINTS) {
            return false;
        }
        if let Some(longest) = self.longest.get_mut(piece.query) {
            *longest = shorter;
        }
        true
    }

    /// A query is never answered: nothing more is asked for it. Gives what is not known then.
    pub fn give_up(&mut self, query: usize) -> Vec<Span> {
        let spans = self.left.iter().filter(|s| s.query == query).map(|s| s.span).collect();
        self.left.retain(|s| s.query != query);
        spans
    }

    /// How far it is, in hundredths.
    pub fn progress(&self, at: Stamp, zone: &Zone) -> Progress {
        let done = self.whole.saturating_sub(self.length());
        let part = if self.whole == 0 { 1.0 } else { done as f64 / self.whole as f64 };
        let done = if self.is_over() { 100 } else { ((part * 100.0) as u64).min(99) };
        let span = self.newest();
        let what = if self.is_over() {
            Untrusted::from("the past is fetched")
        } else {
            let (from, to) = (zone.hm(span.from), zone.hm(span.to));
            format!("fetching {from}–{to} of {}", zone.format(span.from, "%-d %b")).into()
        };
        Progress { at, what, done, of: 100 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: Lapse = Lapse::seconds(30);

    fn hours(from: i64, to: i64) -> Span {
        Span::new(Stamp(0) + Lapse::hours(from), Stamp(0) + Lapse::hours(to))
    }
    fn whats(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("query {i}")).collect()
    }

    #[test]
    fn a_window_and_its_baseline_are_asked_once_for_each_query() {
        let mut past = Past::new(STEP, &whats(2), &[hours(100, 105), hours(10, 13)], &[]);
        let mut asked = Vec::new();
        while let Some(piece) = past.next() {
            assert!(piece.span.length() <= LONGEST && piece.span.length().0 / STEP.0 <= MOST_POINTS);
            asked.push(piece.clone());
            past.came(&piece).unwrap();
        }
        assert_eq!(asked.len(), 2 * (3 + 2));
        assert_eq!(asked[0].span.to, hours(100, 105).to, "the newest first");
        assert!(asked[..6].iter().all(|p| p.span.from >= hours(100, 105).from), "the window before the baseline");
        let end = past.progress(Stamp(0), &Zone::wib());
        assert_eq!((end.done, end.of), (100, 100));
    }

    #[test]
    fn what_was_fetched_before_is_not_asked_again() {
        let spans = [hours(100, 106)];
        let mut first = Past::new(STEP, &whats(1), &spans, &[]);
        let piece = first.next().unwrap();
        let have = vec![first.came(&piece).unwrap()];
        let second = Past::new(STEP, &whats(1), &spans, &have);
        assert_eq!(second.next().unwrap().span, hours(102, 104));
        let other = Past::new(STEP, &["another expression".to_owned()], &spans, &have);
        assert_eq!(other.next().unwrap().span, hours(104, 106));
    }

    #[test]
    fn too_much_is_asked_in_halves_until_that_is_senseless() {
        let mut past = Past::new(STEP, &whats(1), &[hours(0, 2)], &[]);
        let mut lengths = Vec::new();
        while let Some(piece) = past.next() {
            lengths.push(piece.span.length().whole_seconds());
            if !past.too_much(&piece) {
                break;
            }
        }
        assert_eq!(lengths, [7200, 3600, 1800, 900, 450]);
        assert_eq!(past.give_up(0), [hours(0, 2)]);
        assert!(past.is_over());
    }

    proptest! {
        #[test]
        fn every_instant_is_asked_for(from in 0_i64..100_000, length in 1_i64..100_000, step in 1_i64..300) {
            let span = Span::new(Stamp::from_secs(from), Stamp::from_secs(from + length));
            let mut past = Past::new(Lapse::seconds(step), &whats(1), &[span], &[]);
            let mut to = aligned(span, Lapse::seconds(step)).to;
            while let Some(piece) = past.next() {
                prop_assert_eq!(piece.span.to, to);
                to = piece.span.from;
                past.came(&piece);
            }
            prop_assert!(to <= span.from);
        }
    }
}
