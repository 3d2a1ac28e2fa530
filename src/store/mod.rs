//! What is remembered in memory, bounded: series in tiers, database looks, the log index, the order book,
//! health, marks and the note's versions. Everything is asked "as of" an instant.
//!
//! Facts go in through [`Store::apply`] and nowhere else; what is derived from them is derived here or in
//! `analysis`, never recorded. May not know: clocks, files, screens.

pub mod book;
pub mod derive;
mod fold;
pub mod history;
pub mod lines;
pub mod miner;
pub mod past;
pub mod rows;
pub mod series;
pub mod summary;
pub mod template;
pub mod tier;
mod weight;
mod words;

use crate::model::database::DbSample;
use crate::model::health::{Cost, Fetched, Health, Loss, Progress, State};
use crate::model::incident::Incident;
use crate::model::note::{Binding, Bound, ItemId, NoteText, Override, Tick};
use crate::model::series::{Lane, SeriesCard, SeriesName};
use crate::model::{Batch, Fact, Mark, SourceName, Span, Stamp, Zone};
pub use book::OrderBook;
use derive::Value;
pub use history::History;
pub use lines::LogIndex;
use past::Past;
use series::Limits;
pub use series::{Bucket, Series};
use std::collections::{BTreeMap, BTreeSet};
pub use summary::{Summarizer, Summary};

/// Bytes of looks at databases kept; older ones are read back from the recording.
const LOOKS: usize = 32 << 20;
/// Bytes of costs kept for each source: about six hours at one in five seconds.
const COSTS: usize = 512 << 10;

/// Everything known.
#[derive(Clone)]
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
    cards: BTreeMap<SeriesName, SeriesCard>,
    progress: BTreeMap<SourceName, History<Progress>>,
    fetched: BTreeMap<SourceName, BTreeSet<Fetched>>,
    marks: Vec<Mark>,
    notes: History<NoteText>,
    ticks: Vec<Tick>,
    overrides: Vec<Override>,
    bindings: Vec<Binding>,
    /// Lanes that people put on the timeline.
    chosen: Vec<Lane>,
    deriver: derive::Deriver,
    past: Past,
    limits: Limits,
    /// The number of series that `limits` is for.
    shared_by: usize,
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
            cards: BTreeMap::new(),
            progress: BTreeMap::new(),
            fetched: BTreeMap::new(),
            marks: Vec::new(),
            notes: History::default(),
            ticks: Vec::new(),
            overrides: Vec::new(),
            bindings: Vec::new(),
            chosen: Vec::new(),
            deriver: derive::Deriver::default(),
            past: Past::default(),
            limits: Limits::ALL,
            shared_by: 1,
        }
    }
}

impl Store {
    /// Takes in a batch: the only way in for what is new. What is read back comes through
    /// [`Store::insert_past`], what a recording keeps in short through [`Store::absorb`].
    pub fn apply(&mut self, batch: &Batch) {
        self.generation += 1;
        let mut points = Vec::new();
        self.deriver.feed(batch, &mut |name, at, value| points.push((name, at, value)));
        for (name, at, value) in &points {
            let series = self.series_of(name);
            match value {
                Value::Is(value) => series.push(*at, *value),
                Value::More(by) => series.more(*at, *by),
            }
            self.touch(*at);
        }
        self.late_for_past(batch, &points);
        let mut lines_before = 0;
        for fact in &batch.facts {
            if let Fact::Lines(lines) = fact {
                for line in lines {
                    self.touch(line.at);
                }
                self.logs.take(batch, lines_before, lines);
                lines_before += lines.len();
            } else {
                self.apply_fact(&batch.source, fact);
            }
        }
    }

    /// Takes in a part of a recording in short. Parts come in order, before anything is applied.
    pub fn absorb(&mut self, summary: &Summary) {
        self.generation += 1;
        for (name, minutes) in &summary.minutes {
            self.series_of(name).absorb(minutes);
        }
        for batch in &summary.light {
            for fact in &batch.facts {
                if let Fact::Database(look) = fact {
                    self.deriver.seed(&batch.source, look);
                }
                self.apply_fact(&batch.source, fact);
            }
        }
        for (source, looks) in &summary.looks {
            let history = self.databases.entry(source.clone()).or_default();
            let gone = looks.iter().filter(|at| history.within(Span::new(**at, Stamp(at.0 + 1))).next().is_none());
            let gone: Vec<Stamp> = gone.copied().collect();
            for at in gone {
                history.note_forgotten(at);
            }
        }
        self.logs.skip(summary.lines, summary.lines_until.map_or(Stamp(i64::MIN), |t| Stamp(t.0.saturating_add(1))));
        if let Some(own) = summary.own {
            self.touch(own.from);
            self.touch(Stamp(own.to.0 - 1));
        }
    }

    /// A series, made when it is new. All share what may be kept.
    fn series_of(&mut self, name: &SeriesName) -> &mut Series {
        if !self.series.contains_key(name) {
            let mut series = Series::default();
            series.limit(self.limits);
            self.series.insert(name.clone(), series);
            // Shares are dealt out anew each time there is an eighth more series, not for each of them.
            if self.series.len() > self.shared_by + self.shared_by / 8 {
                self.shared_by = self.series.len();
                self.limits = Limits::ALL.shared(self.shared_by + self.shared_by / 8);
                self.series.values_mut().for_each(|s| s.limit(self.limits));
            }
        }
        self.series.entry(name.clone()).or_default()
    }

    fn touch(&mut self, at: Stamp) {
        self.newest = Some(self.newest.map_or(at, |n| n.max(at)));
        self.oldest = Some(self.oldest.map_or(at, |n| n.min(at)));
    }

    fn apply_fact(&mut self, source: &SourceName, fact: &Fact) {
        match fact {
            Fact::Incident(incident) => {
                self.incident = (**incident).clone();
                // What people chose to see stays when the program is started again.
                self.incident.lanes.extend(self.chosen.iter().cloned());
                self.take_units();
            }
            // Samples are points by now; lines need their place in the batch and are taken in by `apply`.
            Fact::Samples(_) | Fact::Lines(_) => {}
            Fact::Database(sample) => {
                self.touch(sample.at);
                let budget = LOOKS / self.databases.len().max(1);
                let history = self.databases.entry(source.clone()).or_default();
                history.push_weighed(sample.at, (**sample).clone(), weight::look(sample));
                history.trim(budget, &self.past.spans());
            }
            Fact::Ledger(ledger) => {
                self.touch(ledger.asof);
                self.orders.apply(ledger);
            }
            Fact::Health(health) => self.health.entry(source.clone()).or_default().push(health.at, health.clone()),
            Fact::Cost(cost) => {
                let history = self.costs.entry(source.clone()).or_default();
                history.push_weighed(cost.at, cost.clone(), size_of::<(Stamp, Cost)>());
                history.trim(COSTS, &[]);
            }
            Fact::Loss(loss) => self.losses.entry(source.clone()).or_default().push(loss.clone()),
            Fact::Series(cards) => {
                self.cards.extend(cards.iter().map(|card| (card.name.clone(), card.clone())));
                self.take_units();
            }
            Fact::Progress(progress) => {
                self.progress.entry(source.clone()).or_default().push(progress.at, progress.clone());
            }
            Fact::Fetched(fetched) => {
                self.fetched.entry(source.clone()).or_default().insert(fetched.clone());
            }
            Fact::Mark(mark) => {
                let i = self.marks.partition_point(|m| m.at <= mark.at);
                // A source that starts again tells the same past again.
                if !self.marks[..i].iter().rev().take_while(|m| m.at == mark.at).any(|m| m == mark) {
                    self.marks.insert(i, mark.clone());
                }
            }
            Fact::Note(note) => self.notes.push(note.at, note.clone()),
            Fact::Tick(tick) => self.ticks.push(tick.clone()),
            Fact::Override(o) => self.overrides.push(o.clone()),
            Fact::Bind(b) => self.bindings.push(b.clone()),
            Fact::Lane(chosen) => {
                for lanes in [&mut self.incident.lanes, &mut self.chosen] {
                    lanes.retain(|l| l.series != chosen.lane.series);
                    if chosen.shown {
                        lanes.push(chosen.lane.clone());
                    }
                }
            }
        }
    }

    /// Lanes are drawn in what their series are really in, as the source said.
    fn take_units(&mut self) {
        for lane in &mut self.incident.lanes {
            if let Some(unit) = self.cards.get(&lane.series).and_then(|card| card.unit) {
                lane.unit = unit;
            }
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
    /// Spans in which a source was down as known at `now`, clipped to `within`, each with the health that
    /// began it; one that changes its reason while it lasts is one span, an unfinished one ends at `now`.
    pub fn blind(&self, source: &str, within: Span, now: Stamp) -> Vec<(Span, &Health)> {
        let Some(history) = self.health.get(source) else { return Vec::new() };
        let mut out = Vec::new();
        let mut since: Option<(Stamp, &Health)> = None;
        for (at, health) in history.iter().take_while(|(at, _)| *at <= now) {
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
            out.push((Span::new(from, now), first));
        }
        out.retain(|(span, _)| span.overlaps(&within));
        for (span, _) in &mut out {
            *span = Span::new(span.from.max(within.from), span.to.min(within.to));
        }
        out
    }
    /// What a series is, as its source said.
    pub fn card(&self, series: &str) -> Option<&SeriesCard> {
        self.cards.get(series)
    }
    /// How far the long work of a source was at `at`; none when there is none, or it is over.
    pub fn progress(&self, source: &str, at: Stamp) -> Option<&Progress> {
        self.progress.get(source)?.at(at).filter(|p| p.done < p.of)
    }
    /// Stretches of the past that a source has fetched already.
    pub fn fetched(&self, source: &str) -> impl Iterator<Item = &Fetched> {
        self.fetched.get(source).into_iter().flatten()
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
    /// Verdicts of people over measured ones, and those taken back, up to `at`, as they came.
    pub fn overrides(&self, at: Stamp) -> impl Iterator<Item = &Override> {
        self.overrides.iter().filter(move |o| o.at <= at)
    }
    /// What people have bound checkboxes to, as of `at`: the last word of each counts.
    pub fn bindings(&self, at: Stamp) -> BTreeMap<&ItemId, &Bound> {
        let known = self.bindings.iter().filter(|b| b.at <= at);
        let mut last: BTreeMap<&ItemId, &Bound> = known.map(|b| (&b.item, &b.to)).collect();
        last.retain(|_, to| **to != Bound::Words);
        last
    }
    /// How often somebody has bound something up to `at`.
    pub fn bindings_said(&self, at: Stamp) -> usize {
        self.bindings.iter().filter(|b| b.at <= at).count()
    }
    /// The override of a check in force at `at`.
    pub fn override_of(&self, check: &str, at: Stamp) -> Option<&Override> {
        self.overrides.iter().rev().find(|o| o.at <= at && o.check == check).filter(|o| o.verdict.is_some())
    }
}
