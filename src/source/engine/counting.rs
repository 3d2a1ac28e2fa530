//! What is to be counted and when: the newest minutes once they are over and once more for what came late, the past in
//! long stretches; and counts as facts, with who counted.
//!
//! May not know: how a count is asked for.

use crate::config::log_server::Counter;
use crate::model::batch::Samples;
use crate::model::series::{Counted, SeriesCard, SeriesName, Unit};
use crate::model::{Fact, Lapse, Span, Stamp};
use crate::source::engine::past::{floor, for_counts};
use crate::source::engine::{Counts, STEP};
use crate::source::runner::Condition;
use std::collections::{BTreeMap, VecDeque};

/// A count that is refused is asked for again after this.
const AGAIN: Lapse = Lapse::minutes(10);

/// What is to be counted.
#[derive(Debug)]
pub struct Counting {
    /// The newest windows, by counter.
    due: Vec<Option<Span>>,
    /// Up to when they were made due.
    until: Stamp,
    past: VecDeque<(usize, Span)>,
    /// Counters that are refused.
    refused: BTreeMap<usize, (Stamp, Condition)>,
}

impl Counting {
    /// Nothing of so many counts was counted yet; `wanted` is the past that is.
    pub fn new(counters: usize, wanted: &[Span], now: Stamp) -> Self {
        let past = for_counts(wanted, now);
        Self {
            due: vec![None; counters],
            until: floor(now),
            past: past.iter().flat_map(|s| (0..counters).map(|i| (i, *s))).collect(),
            refused: BTreeMap::new(),
        }
    }

    /// Whether there is nothing to count at all.
    pub const fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Stretches of the past that are still to be counted.
    pub fn left(&self) -> usize {
        self.past.len()
    }

    /// Whether some of them may be asked for now.
    pub fn is_behind(&self, now: Stamp) -> bool {
        let refused = |i: &usize| self.refused.get(i).is_some_and(|(again, _)| now < *again);
        self.past.iter().any(|(i, _)| !refused(i))
    }

    /// The first count that is refused, and why.
    pub fn refused(&self) -> Option<(usize, &Condition)> {
        self.refused.first_key_value().map(|(i, (_, condition))| (*i, condition))
    }

    /// A count is not asked for again for a while.
    pub fn refuse(&mut self, i: usize, now: Stamp, why: Condition) {
        self.refused.insert(i, (now + AGAIN, why));
    }

    /// Windows that are over by now are due, and those before them once more for what came late.
    pub fn become_due(&mut self, now: Stamp, late: Lapse, pause: Lapse) {
        let to = floor(now);
        if to.since(self.until) < pause {
            return;
        }
        let from = floor(self.until - late) - STEP;
        for due in &mut self.due {
            *due = Some(Span::new(due.map_or(from, |d| d.from.min(from)), to));
        }
        self.until = to;
    }

    /// What is to be counted next, and whether it is among the newest.
    pub fn next(&mut self, now: Stamp) -> Option<(usize, Span, bool)> {
        let welcome = |i: usize| self.refused.get(&i).is_none_or(|(again, _)| *again <= now);
        let newest = self.due.iter().enumerate().find_map(|(i, due)| Some((i, (*due)?)).filter(|(i, _)| welcome(*i)));
        if let Some((i, span)) = newest {
            return Some((i, span, true));
        }
        let place = self.past.iter().position(|(i, _)| welcome(*i))?;
        // What is asked stands first, where `done` finds it.
        let job = self.past.remove(place)?;
        self.past.push_front(job);
        Some((job.0, job.1, false))
    }

    /// It was counted.
    pub fn done(&mut self, i: usize, newest: bool) {
        self.refused.remove(&i);
        if newest {
            if let Some(due) = self.due.get_mut(i) {
                *due = None;
            }
        } else {
            self.past.pop_front();
        }
    }

    /// It was too much at once.
    pub fn halve(&mut self, i: usize, span: Span, newest: bool) {
        self.done(i, newest);
        let middle = floor(span.from + Lapse(span.length().0 / 2));
        self.past.push_front((i, Span::new(span.from, middle)));
        self.past.push_front((i, Span::new(middle, span.to)));
    }
}

/// What the counts of a source are, said once and when it changes.
#[derive(Debug)]
pub struct Cards {
    source: String,
    told: BTreeMap<SeriesName, SeriesCard>,
}

impl Cards {
    /// Nothing was said of this source yet.
    pub fn new(source: &str) -> Self {
        Self { source: source.to_owned(), told: BTreeMap::new() }
    }

    /// Counts as facts.
    pub fn counts(&mut self, engine: &str, counter: &Counter, counts: &Counts) -> Vec<Fact> {
        let name = self.series(&counter.name);
        let which = counter.filter.as_ref().map_or_else(|| "all lines".to_owned(), |f| format!("lines with {f}"));
        let from = format!("{engine}, {}: {which}; {}", counts.by, counts.how.words());
        let card = SeriesCard {
            name: name.clone(),
            unit: Some(Unit::PerMinute),
            unit_said: "lines a minute".into(),
            from: from.into(),
            counted: Some(counts.how),
        };
        let sample =
            |(at, n): &(Stamp, u64)| Fact::Samples(Samples { at: *at, values: vec![(name.clone(), *n as f64)] });
        self.news(card).into_iter().chain(counts.windows.iter().map(sample)).collect()
    }

    /// What the series are that are made of fetched lines.
    pub fn lines(&mut self, engine: &str, counted: Counted) -> Vec<Fact> {
        let card = |measure: &str, cards: &Self| SeriesCard {
            name: cards.series(measure),
            unit: None,
            unit_said: "lines".into(),
            from: format!("lines that {engine} gave; {}", counted.words()).into(),
            counted: Some(counted),
        };
        ["lines", "WARN", "ERROR"].into_iter().filter_map(|m| self.news(card(m, self))).collect()
    }

    fn series(&self, measure: &str) -> SeriesName {
        format!("{}.{measure}", self.source).into()
    }

    fn news(&mut self, card: SeriesCard) -> Option<Fact> {
        if self.told.get(&card.name) == Some(&card) {
            return None;
        }
        self.told.insert(card.name.clone(), card.clone());
        Some(Fact::Series(vec![card]))
    }
}
