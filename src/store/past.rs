//! Stretches of the past read back from the recording because somebody looks there: raw points, lines and
//! looks that memory had let go. They stand beside what is known and count nothing twice.

use crate::model::series::SeriesName;
use crate::model::{Batch, Fact, Lapse, Seq, SourceName, Span, Stamp, Zone};
use crate::store::derive::{Deriver, Value};
use crate::store::series::Series;
use crate::store::{Store, weight};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Stretches held at once; the one looked at longest ago goes first.
const STRETCHES: usize = 4;
/// Points and bytes of lines that all but the newest stretch may hold.
const POINTS: usize = 1_000_000;
const LINES: usize = 24 << 20;

/// A batch by name; `seen` is part of it because every run of a source counts from 1.
type Key = (SourceName, Seq, Stamp);

/// The stretches in memory, the newest last.
#[derive(Clone, Debug, Default)]
pub struct Past {
    stretches: Vec<Stretch>,
}

#[derive(Clone, Debug)]
struct Stretch {
    span: Span,
    /// What it was made from: of these batches nothing is added again when they arrive late.
    batches: HashSet<Key>,
}

impl Past {
    /// Their spans.
    pub fn spans(&self) -> Vec<Span> {
        self.stretches.iter().map(|s| s.span).collect()
    }
}

fn key(batch: &Batch) -> Key {
    (batch.source.clone(), batch.seq, batch.seen)
}

impl Store {
    /// The stretch to read back from the recording so that `span` can be shown in full: its raw points, its
    /// lines and the looks at databases. None when all of it is in memory. Whole minutes, with a little
    /// before so that the first rates are known. Meant for stretches of minutes; what is drawn in steps of
    /// a minute needs nothing read back.
    pub fn missing(&self, span: Span) -> Option<Span> {
        if self.past.stretches.iter().any(|s| s.span.from <= span.from && span.to <= s.span.to) {
            return None;
        }
        // A series that began later lacks nothing before its beginning.
        let raw = self.series.values().any(|s| span.from < s.raw_from() && s.at(span.to).is_some());
        let lines = span.from < self.logs.complete_from();
        let looks = self.databases.values().any(|h| h.lacks(span));
        (raw || lines || looks).then(|| whole_minutes(span))
    }

    /// Puts batches that were read back for `span` beside what is known. The span is taken to the whole
    /// minutes inside it; the batches must hold every fact of it. Doing it twice changes nothing, and what
    /// is counted (minutes, arrived lines, orders) is not counted again.
    pub fn insert_past(&mut self, span: Span, batches: &[Arc<Batch>]) {
        self.generation += 1;
        let zone = Zone::utc();
        let minute = Lapse::minutes(1);
        let span =
            Span { from: (span.from + Lapse(minute.0 - 1)).floor(minute, &zone), to: span.to.floor(minute, &zone) };
        if span.to <= span.from {
            return;
        }
        self.forget(span);
        self.insert_points(span, batches);
        self.logs.begin_past(span);
        for batch in batches {
            let mut before = 0;
            for fact in &batch.facts {
                match fact {
                    Fact::Lines(lines) => {
                        self.logs.take_past(span, batch, before, lines);
                        before += lines.len();
                    }
                    Fact::Database(look) => {
                        let known = self.databases.get_mut(&batch.source);
                        if let Some(history) = known.filter(|_| span.contains(look.at)) {
                            history.remember(look.at, (**look).clone(), weight::look(look));
                        }
                    }
                    _ => {}
                }
            }
        }
        let batches = batches.iter().map(|b| key(b)).collect();
        self.past.stretches.push(Stretch { span, batches });
        self.bound_past();
    }

    fn insert_points(&mut self, span: Span, batches: &[Arc<Batch>]) {
        let mut deriver = Deriver::default();
        for (source, history) in &self.databases {
            history.at(span.from).into_iter().for_each(|look| deriver.seed(source, look));
        }
        let mut found: BTreeMap<SeriesName, Series> = BTreeMap::new();
        for batch in batches {
            deriver.feed(batch, &mut |name, at, value| {
                if span.contains(at) {
                    let series = found.entry(name).or_default();
                    match value {
                        Value::Is(value) => series.push(at, value),
                        Value::More(by) => series.more(at, by),
                    }
                }
            });
        }
        // A series without a point in the stretch was not measured in it, and that is known now.
        for (name, series) in &mut self.series {
            series.insert_past(span, found.get(name).map_or(&[], |s| s.raw(span)));
        }
    }

    /// What has just arrived and belongs to a stretch read back before.
    pub(super) fn late_for_past(&mut self, batch: &Batch, points: &[(SeriesName, Stamp, Value)]) {
        for stretch in &self.past.stretches {
            let span = stretch.span;
            if stretch.batches.contains(&key(batch)) {
                continue;
            }
            for (name, at, value) in points.iter().filter(|(_, at, _)| span.contains(*at)) {
                let Some(series) = self.series.get_mut(name) else { continue };
                series.late_for_past(span, *at, |known| match value {
                    Value::Is(value) => *value,
                    Value::More(by) => known.unwrap_or(0.0) + by,
                });
            }
            let mut before = 0;
            for fact in &batch.facts {
                if let Fact::Lines(lines) = fact {
                    self.logs.take_past(span, batch, before, lines);
                    before += lines.len();
                }
            }
        }
    }

    /// Lets go of a stretch that was read back. Its looks at databases go when room is needed.
    pub fn forget(&mut self, span: Span) {
        self.past.stretches.retain(|s| s.span != span);
        self.series.values_mut().for_each(|s| s.forget_past(span));
        self.logs.forget_past(span);
    }

    fn bound_past(&mut self) {
        while self.past.stretches.len() > 1 {
            let points: usize = self.series.values().map(Series::past_points).sum();
            let few = self.past.stretches.len() <= STRETCHES;
            if few && points <= POINTS && self.logs.past_bytes() <= LINES {
                return;
            }
            let oldest = self.past.stretches[0].span;
            self.forget(oldest);
        }
    }
}

fn whole_minutes(span: Span) -> Span {
    let minute = Lapse::minutes(1);
    let zone = Zone::utc();
    let from = span.from.floor(minute, &zone) - minute;
    let to = Stamp(span.to.0.saturating_add(minute.0 - 1)).floor(minute, &zone);
    Span::new(from, to)
}
