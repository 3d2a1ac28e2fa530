//! What is remembered in memory, bounded: series in tiers, database looks, the log index, the order book,
//! health, marks and the note's versions. Everything is asked "as of" an instant.
//!
//! Facts go in through [`Store::apply`] and nowhere else; what is derived from them is derived here or in
//! `analysis`, never recorded. May not know: clocks, files, screens.

pub mod book;
pub mod derive;
pub mod history;
pub mod lines;
pub mod series;
pub mod template;

use crate::model::database::DbSample;
use crate::model::health::{Cost, Health, Loss, State};
use crate::model::incident::Incident;
use crate::model::note::{NoteText, Override, Tick};
use crate::model::series::SeriesName;
use crate::model::{Batch, Fact, Mark, SourceName, Span, Stamp, Zone};
pub use book::OrderBook;
pub use history::History;
pub use lines::LogIndex;
pub use series::{Bucket, Series};
use std::collections::BTreeMap;

/// Everything known.
pub struct Store {
    /// The incident, as last told.
    pub incident: Incident,
    /// Grows with every applied batch: whoever caches something derived compares it.
    pub generation: u64,
    /// The newest fact's own time, and the newest arrival.
    pub newest: Option<Stamp>,
    /// The oldest fact's own time.
    pub oldest: Option<Stamp>,
    series: BTreeMap<SeriesName, Series>,
    databases: BTreeMap<SourceName, History<DbSample>>,
    health: BTreeMap<SourceName, History<Health>>,
    costs: BTreeMap<SourceName, History<Cost>>,
    losses: BTreeMap<SourceName, Vec<Loss>>,
    /// Log lines and their counts.
    pub logs: LogIndex,
    /// Orders, payments and books.
    pub orders: OrderBook,
    marks: Vec<Mark>,
    notes: History<NoteText>,
    ticks: Vec<Tick>,
    overrides: Vec<Override>,
    deriver: derive::Deriver,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            incident: Incident::unnamed(Zone::wib()),
            generation: 0,
            newest: None,
            oldest: None,
            series: BTreeMap::new(),
            databases: BTreeMap::new(),
            health: BTreeMap::new(),
            costs: BTreeMap::new(),
            losses: BTreeMap::new(),
            logs: LogIndex::default(),
            orders: OrderBook::default(),
            marks: Vec::new(),
            notes: History::default(),
            ticks: Vec::new(),
            overrides: Vec::new(),
            deriver: derive::Deriver::default(),
        }
    }
}

impl Store {
    /// Takes in a batch. The only way in.
    pub fn apply(&mut self, batch: &Batch) {
        self.generation += 1;
        let mut points: Vec<(SeriesName, Stamp, f64)> = Vec::new();
        self.deriver.feed(batch, &mut |name, at, value| points.push((name, at, value)));
        for (name, at, value) in points {
            self.series.entry(name).or_default().push(at, value);
            self.touch(at);
        }
        for fact in &batch.facts {
            self.apply_fact(&batch.source, fact);
        }
    }

    fn touch(&mut self, at: Stamp) {
        self.newest = Some(self.newest.map_or(at, |n| n.max(at)));
        self.oldest = Some(self.oldest.map_or(at, |n| n.min(at)));
    }

    fn apply_fact(&mut self, source: &SourceName, fact: &Fact) {
        match fact {
            Fact::Incident(incident) => self.incident = (**incident).clone(),
            Fact::Samples(_) => {}
            Fact::Database(sample) => {
                self.touch(sample.at);
                self.databases.entry(source.clone()).or_default().push(sample.at, (**sample).clone());
            }
            Fact::Lines(lines) => {
                for line in lines {
                    self.touch(line.at);
                    self.logs.push(source, line.clone());
                }
            }
            Fact::Ledger(ledger) => {
                self.touch(ledger.asof);
                self.orders.apply(ledger);
            }
            Fact::Health(health) => self.health.entry(source.clone()).or_default().push(health.at, health.clone()),
            Fact::Cost(cost) => self.costs.entry(source.clone()).or_default().push(cost.at, cost.clone()),
            Fact::Loss(loss) => self.losses.entry(source.clone()).or_default().push(loss.clone()),
            Fact::Mark(mark) => {
                let i = self.marks.partition_point(|m| m.at <= mark.at);
                self.marks.insert(i, mark.clone());
            }
            Fact::Note(note) => self.notes.push(note.at, note.clone()),
            Fact::Tick(tick) => self.ticks.push(tick.clone()),
            Fact::Override(o) => self.overrides.push(o.clone()),
        }
    }

    /// A series by name.
    pub fn series(&self, name: &str) -> Option<&Series> {
        self.series.get(name)
    }
    /// Names of all series.
    pub fn series_names(&self) -> impl Iterator<Item = &SeriesName> {
        self.series.keys()
    }
    /// Databases that have answered at least once, by name.
    pub fn databases(&self) -> impl Iterator<Item = (&SourceName, &History<DbSample>)> {
        self.databases.iter()
    }
    /// The looks at one database.
    pub fn database(&self, name: &str) -> Option<&History<DbSample>> {
        self.databases.get(name)
    }
    /// How a source was at `at`.
    pub fn health(&self, source: &str, at: Stamp) -> Option<&Health> {
        self.health.get(source)?.at(at)
    }
    /// Every change of a source's health, oldest first.
    pub fn health_history(&self, source: &str) -> Option<&History<Health>> {
        self.health.get(source)
    }
    /// What asking a source cost, oldest first.
    pub fn costs(&self, source: &str) -> Option<&History<Cost>> {
        self.costs.get(source)
    }
    /// What a source says it lost.
    pub fn losses(&self, source: &str) -> &[Loss] {
        self.losses.get(source).map_or(&[], Vec::as_slice)
    }
    /// Spans in which a source was down, clipped to `within`; an unfinished one ends at `now`.
    pub fn blind(&self, source: &str, within: Span, now: Stamp) -> Vec<(Span, &Health)> {
        let Some(history) = self.health.get(source) else { return Vec::new() };
        let mut out = Vec::new();
        let mut since: Option<(Stamp, &Health)> = None;
        for (at, health) in history.iter() {
            match (health.state, since) {
                (State::Down, None) => since = Some((at, health)),
                (State::Down, Some(_)) | (_, None) => {}
                (_, Some((from, first))) => {
                    out.push((Span::new(from, at), first));
                    since = None;
                }
            }
        }
        if let Some((from, first)) = since {
            out.push((Span::new(from, now.max(from)), first));
        }
        out.retain(|(span, _)| span.overlaps(&within));
        out
    }
    /// Marks up to `at`, oldest first.
    pub fn marks(&self, at: Stamp) -> &[Mark] {
        &self.marks[..self.marks.partition_point(|m| m.at <= at)]
    }
    /// The note as it was at `at`.
    pub fn note(&self, at: Stamp) -> Option<&NoteText> {
        self.notes.at(at)
    }
    /// Ticks made up to `at`, oldest first.
    pub fn ticks(&self, at: Stamp) -> impl Iterator<Item = &Tick> {
        self.ticks.iter().filter(move |t| t.at <= at)
    }
    /// The override of a check in force at `at`.
    pub fn override_of(&self, check: &str, at: Stamp) -> Option<&Override> {
        self.overrides.iter().rev().find(|o| o.at <= at && o.check == check).filter(|o| o.verdict.is_some())
    }
}
