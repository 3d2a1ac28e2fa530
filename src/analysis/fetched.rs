//! How many of the lines that an engine counts in a stretch have been fetched: what is shown of lines is a part of
//! the rest as long as they are not all here.
//!
//! Counted by whole minutes, as engines count. May not know: how lines are fetched.

use crate::model::health::{LINES, Loss};
use crate::model::incident::SourceKind;
use crate::model::series::Counted;
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;

const MINUTE: Lapse = Lapse::minutes(1);

/// One engine's part in a stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The source.
    pub source: String,
    /// Lines by the engine's own count.
    pub counted: u64,
    /// Lines that are here of the same minutes.
    pub fetched: u64,
}

impl Part {
    /// Whether the engine has lines that are not here.
    pub const fn has_more(&self) -> bool {
        self.counted > self.fetched
    }
}

/// The whole minutes that hold a stretch.
pub fn minutes(span: Span) -> Span {
    let floor = |at: Stamp| Stamp(at.0.div_euclid(MINUTE.0).saturating_mul(MINUTE.0));
    Span::new(floor(span.from), floor(Stamp(span.to.0.saturating_add(MINUTE.0 - 1))))
}

/// The part of every source that is counted by its engine, in the minutes that have been counted.
pub fn parts(store: &Store, span: Span) -> Vec<Part> {
    let span = minutes(span);
    let columns = (span.length().0 / MINUTE.0).clamp(0, 7 * 24 * 60) as usize;
    let by_minute = |name: &str| store.series(name).map(|s| s.columns(span.from, MINUTE, columns));
    let sources = store.incident.sources.iter().filter(|s| s.kind == SourceKind::Logs);
    let part = |name: &String| {
        let all = format!("{name}.all");
        store.card(&all).filter(|card| card.counted == Some(Counted::Engine))?;
        let counted = by_minute(&all)?;
        let lines = by_minute(&format!("{name}.lines")).unwrap_or_else(|| vec![None; columns]);
        let mut out = Part { source: name.clone(), counted: 0, fetched: 0 };
        for (counted, lines) in counted.iter().zip(lines) {
            if let Some(counted) = counted {
                out.counted += counted.last.max(0.0) as u64;
                out.fetched += lines.map_or(0, |b| b.sum.max(0.0) as u64);
            }
        }
        Some(out)
    };
    sources.filter_map(|s| part(&s.name)).collect()
}

/// What a source still lacks of its lines: what it lost and did not fetch later.
pub fn losses<'a>(store: &'a Store, source: &str) -> impl Iterator<Item = &'a Loss> {
    let fetched: Vec<Span> = store.fetched(source).filter(|f| f.what == LINES).map(|f| f.span).collect();
    store.losses(source).iter().filter(move |loss| {
        let reached = fetched.iter().fold(loss.span.from, |at, f| if f.from <= at { at.max(f.to) } else { at });
        reached < loss.span.to || loss.span.from >= loss.span.to
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::Samples;
    use crate::model::health::Fetched;
    use crate::model::incident::SourceCard;
    use crate::model::log::{Level, LogLine};
    use crate::model::series::SeriesCard;
    use crate::model::{Batch, Fact};

    #[test]
    fn what_an_engine_has_beyond_what_was_fetched_is_told_by_whole_counted_minutes() {
        let mut store = Store::default();
        for name in ["loki", "files"] {
            let (name, what) = (name.to_owned(), "x".into());
            store.incident.sources.push(SourceCard { name, kind: SourceKind::Logs, what, every: None });
        }
        let at = |minute: i64| Stamp::from_secs(minute * 60);
        let line = |minute| LogLine {
            at: at(minute) + Lapse::seconds(7),
            service: "mrg".into(),
            level: Level::Info,
            order: None,
            trace: None,
            message: "x".into(),
            stack: Vec::new(),
        };
        let count = |minute, n: f64| Fact::Samples(Samples { at: at(minute), values: vec![("loki.all".into(), n)] });
        let card = SeriesCard {
            name: "loki.all".into(),
            unit: None,
            unit_said: "".into(),
            from: "".into(),
            counted: Some(Counted::Engine),
        };
        // Minute 3 was not counted yet; minute 1 was counted twice, as engines are asked for what came late.
        let facts = vec![
            Fact::Series(vec![card]),
            count(0, 2.0),
            count(1, 4.0),
            count(1, 5.0),
            count(2, 0.0),
            Fact::Lines(vec![line(0), line(0), line(1), line(3)]),
        ];
        store.apply(&Batch { source: "loki".into(), seq: 1, seen: at(9), facts });
        let part = |from, to| parts(&store, Span::new(at(from) + Lapse::seconds(1), at(to))).remove(0);
        assert_eq!(part(0, 4), Part { source: "loki".to_owned(), counted: 7, fetched: 3 });
        assert!(part(1, 2).has_more() && !part(0, 1).has_more() && !part(2, 4).has_more());
        assert_eq!(parts(&store, Span::new(at(0), at(4))).len(), 1, "files count nothing themselves");
    }

    #[test]
    fn what_was_fetched_later_is_lost_no_more() {
        let mut store = Store::default();
        let at = |minute: i64| Stamp::from_secs(minute * 60);
        let loss = |from, to| Fact::Loss(Loss { span: Span::new(at(from), at(to)), says: "cut".into() });
        let fetched =
            |what: &str, from, to| Fact::Fetched(Fetched { what: what.to_owned(), span: Span::new(at(from), at(to)) });
        let mut apply = |facts| {
            store.apply(&Batch { source: "loki".into(), seq: 1, seen: at(9), facts });
            losses(&store, "loki").map(|l| (l.span.from.0 / 60_000_000, l.span.to.0 / 60_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(apply(vec![loss(0, 10), loss(20, 30)]), [(0, 10), (20, 30)]);
        assert_eq!(apply(vec![fetched("lines", 4, 10), fetched("cpu", 0, 40)]), [(0, 10), (20, 30)]);
        assert_eq!(apply(vec![fetched("lines", 0, 5), fetched("lines", 20, 29)]), [(20, 30)]);
    }
}
