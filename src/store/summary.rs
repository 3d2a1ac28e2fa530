//! A part of a recording in short: what the first full frame needs of it, without its points and lines.
//!
//! The recording keeps one beside each closed segment; a store takes them in order instead of the batches.

use crate::model::series::SeriesName;
use crate::model::{Batch, Fact, Seq, SourceName, Span, Stamp};
use crate::store::derive::{Deriver, Value};
use crate::store::series::Series;
use crate::store::tier::Cell;
use std::collections::BTreeMap;

/// A part of a recording in short.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Facts that are few and kept verbatim, in order of arrival: everything but samples, lines, looks at
    /// databases and costs. At the end the newest look and cost of each source.
    pub light: Vec<Batch>,
    /// Minutes of every series, by name.
    pub minutes: Vec<(SeriesName, Vec<Cell>)>,
    /// Instants of all looks at each database, in time order.
    pub looks: Vec<(SourceName, Vec<Stamp>)>,
    /// Log lines in it.
    pub lines: u64,
    /// Points in it.
    pub points: u64,
    /// Batches in it.
    pub batches: u64,
    /// Own times of its measurements, orders and lines.
    pub own: Option<Span>,
    /// Own times of its lines.
    pub lines_until: Option<Stamp>,
}

/// Makes a summary, batch by batch.
#[derive(Debug, Default)]
pub struct Summarizer {
    deriver: Deriver,
    series: BTreeMap<SeriesName, Series>,
    looks: BTreeMap<SourceName, Vec<Stamp>>,
    newest: BTreeMap<(SourceName, u8), (Stamp, Seq, Stamp, Fact)>,
    out: Summary,
}

impl Summarizer {
    /// Begins after the parts before it, whose last looks at databases make the first rates.
    pub fn after(deriver: Deriver) -> Self {
        Self { deriver, ..Self::default() }
    }

    /// Takes in a batch.
    pub fn feed(&mut self, batch: &Batch) {
        self.out.batches += 1;
        let (series, points, own) = (&mut self.series, &mut self.out.points, &mut self.out.own);
        self.deriver.feed(batch, &mut |name, at, value| {
            *points += 1;
            widen(own, at);
            let series = series.entry(name).or_default();
            match value {
                Value::Is(value) => series.push(at, value),
                Value::More(by) => series.more(at, by),
            }
        });
        let mut light = Vec::new();
        for fact in &batch.facts {
            match fact {
                Fact::Samples(_) => {}
                Fact::Lines(lines) => {
                    self.out.lines += lines.len() as u64;
                    for line in lines {
                        widen(&mut self.out.own, line.at);
                        self.out.lines_until = self.out.lines_until.max(Some(line.at));
                    }
                }
                Fact::Database(look) => {
                    let looks = self.looks.entry(batch.source.clone()).or_default();
                    looks.insert(looks.partition_point(|t| *t <= look.at), look.at);
                    self.keep_newest(batch, 0, look.at, fact);
                }
                Fact::Cost(cost) => self.keep_newest(batch, 1, cost.at, fact),
                Fact::Ledger(ledger) => {
                    widen(&mut self.out.own, ledger.asof);
                    light.push(fact.clone());
                }
                other => light.push(other.clone()),
            }
        }
        if !light.is_empty() {
            self.out.light.push(Batch { facts: light, ..batch.clone() });
        }
    }

    fn keep_newest(&mut self, batch: &Batch, kind: u8, at: Stamp, fact: &Fact) {
        widen(&mut self.out.own, at);
        let key = (batch.source.clone(), kind);
        if self.newest.get(&key).is_none_or(|(known, ..)| *known <= at) {
            self.newest.insert(key, (at, batch.seq, batch.seen, fact.clone()));
        }
    }

    /// The summary of all that was fed.
    pub fn finish(mut self) -> Summary {
        for ((source, _), (_, seq, seen, fact)) in self.newest {
            self.out.light.push(Batch { source, seq, seen, facts: vec![fact] });
        }
        self.out.minutes = self.series.into_iter().map(|(name, series)| (name, series.minutes().to_vec())).collect();
        self.out.looks = self.looks.into_iter().collect();
        self.out
    }
}

fn widen(span: &mut Option<Span>, at: Stamp) {
    let to = Stamp(at.0.saturating_add(1));
    *span = Some(span.map_or(Span { from: at, to }, |s| Span { from: s.from.min(at), to: s.to.max(to) }));
}
