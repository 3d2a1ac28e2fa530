//! A world that has an incident. [`platform`] makes it happen, cause by cause; [`scenario`] says what it is set
//! to; a [`day::Day`] is what came of it. The other rooms show that day: as the batches that sources would hand
//! over ([`Demo`]), as an emulated cloud, as log files, as tables and sessions of PostgreSQL, as plain files.
//!
//! Every number in it is invented. May not know: clocks, screens, verdicts; whoever plays it brings the time.

pub mod alarms;
pub mod cloud;
pub mod day;
pub mod export;
pub mod ledger;
pub mod lines;
pub mod platform;
pub mod play;
pub mod postgres;
pub mod scenario;
pub mod scene;
pub mod signals;
mod snapshot;
pub mod stage;
mod story;
pub mod text;
pub mod wired;

use crate::model::batch::Samples;
use crate::model::health::{Cost, Health, State};
use crate::model::note::NoteText;
use crate::model::order::{Asked, Ledger as Answer, Rows};
use crate::model::{Batch, Fact, Lapse, Mark, MarkKind, SourceName, Span, Stamp, Untrusted};
use day::Day;
use ledger::{Ledger, Write};
use platform::agenda::Ms;
use platform::{ms, stamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

pub use story::{END, METRICS_LATE, START, WEEK, incident, incident_of};

/// The note that comes with the demo.
pub const NOTE: &str = include_str!("../../assets/incident-note.md");

/// The name the demo's note has on screen.
pub const NOTE_NAME: &str = "2025-01-12 order gantung.md";

/// How often the world moves. Everything that happened in between is handed over at the end of a step.
const STEP: Lapse = Lapse::seconds(5);

/// All batches of an evening in order of arrival: what was known before it begins, then the evening.
#[derive(Debug)]
pub struct Demo {
    day: Arc<Day>,
    at: Stamp,
    ready: VecDeque<Batch>,
    sequence: BTreeMap<SourceName, u64>,
    rng: fastrand::Rng,
    databases: Vec<snapshot::Server>,
    books: Books,
}

/// Which rows each system has written, and how far each has been read.
#[derive(Debug)]
struct Books {
    ledger: Ledger,
    writes: Vec<(Ms, Write)>,
    read: [usize; 4],
}

/// The demo's tables hold one order in so many: as one shard of a larger platform would, and so that a laptop
/// holds them. What the other orders do to pools, queues and metrics is all there.
pub const SHARD: u32 = 4;

/// The evening of the default scenario as the demo has it. The same seed gives the same world, made once for each:
/// tests and benches ask again and again.
pub fn demo(seed: u64) -> impl Iterator<Item = Batch> {
    static MADE: Mutex<BTreeMap<u64, Arc<Day>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let day = match made.get(&seed) {
        Some(day) => Some(Arc::clone(day)),
        None => scenario::named(scenario::DEFAULT).ok().map(|scenario| {
            let day = Arc::new(Day::evening(scenario, seed).sharded(SHARD));
            made.insert(seed, Arc::clone(&day));
            day
        }),
    };
    debug_assert!(day.is_some(), "the default scenario can be read");
    day.into_iter().flat_map(play)
}

/// The evening of a day, as batches.
pub fn play(day: Arc<Day>) -> Demo {
    let ledger = Ledger::new(Arc::clone(&day));
    let writes = play::of_the_evening(&day, &ledger);
    let mut demo = Demo {
        at: START,
        ready: VecDeque::new(),
        sequence: BTreeMap::new(),
        rng: fastrand::Rng::with_seed(day.seed),
        databases: snapshot::servers(&day),
        books: Books { ledger, writes, read: [0; 4] },
        day,
    };
    demo.known_before();
    demo
}

impl Iterator for Demo {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        while self.ready.is_empty() && self.at < END {
            self.step();
        }
        self.ready.pop_front()
    }
}

impl Demo {
    fn hand_over(&mut self, source: &str, seen: Stamp, facts: Vec<Fact>) {
        if facts.is_empty() {
            return;
        }
        let source: SourceName = Arc::from(source);
        let seq = self.sequence.entry(source.clone()).or_default();
        *seq += 1;
        self.ready.push_back(Batch { source, seq: *seq, seen, facts });
    }

    /// The incident, last Sunday as the baseline, and the note.
    fn known_before(&mut self) {
        let day = Arc::clone(&self.day);
        let (from, to) = (ms(START), ms(END));
        let incident = story::incident_of(&day.scenario);
        self.hand_over("people", START, vec![Fact::Incident(Box::new(incident))]);
        self.hand_over("metrics", START, baseline(&day));
        for i in 0..self.databases.len() {
            let name = self.databases[i].name;
            let facts = self.databases[i].usual(&day, from, to, WEEK);
            self.hand_over(name, START, facts);
        }
        self.hand_over("logs", START, vec![Fact::Lines(lines::usual(&day, from, to, WEEK))]);
        let well = |says: &str| Fact::Health(health(START, State::Well, "", says));
        for server in stage::DATABASES {
            self.hand_over(server, START, vec![well("well")]);
        }
        self.hand_over("logs", START, vec![well("3 services, 14 files; 10 % of INFO lines are kept")]);
        self.hand_over("metrics", START, vec![well("well; two minutes late by nature")]);
        let note = NoteText { at: START, name: NOTE_NAME.into(), text: NOTE.into() };
        self.hand_over("note", START, vec![Fact::Note(note), well("66 items, none ticked")]);
    }

    fn step(&mut self) {
        let from = self.at;
        let to = from + STEP;
        self.at = to;
        let span = Span::new(from, to);
        for (source, mark) in marks(&self.day, span) {
            self.hand_over(source, to, vec![Fact::Mark(mark)]);
        }
        self.refusals(span);
        self.read_logs(span);
        self.read_metrics(span);
        self.look_at_databases(to);
    }

    /// MRG turns us away for some minutes: evidence, and a gap.
    fn refusals(&mut self, span: Span) {
        let Some(refused) = self.day.scenario.observed.turned_away else { return };
        if span.contains(refused.from) {
            let says = "mrg has no free connection and refused ours: sorry, too many clients already. \
                        This is evidence for an exhausted pool, not a fault of warroom";
            let health = Health {
                remedy: "nothing to do here: warroom asks again by itself, with one connection".into(),
                next: Some(refused.from + Lapse::seconds(60)),
                ..health(refused.from, State::Down, "53300", says)
            };
            let cost = Cost { at: refused.from, requests: 1, failed: 1, ..Cost::default() };
            self.hand_over("mrg", span.to, vec![Fact::Health(health), Fact::Cost(cost)]);
        }
        if span.contains(refused.to) {
            let says = "well again after five minutes of refusals (53300)";
            self.hand_over("mrg", span.to, vec![Fact::Health(health(refused.to, State::Well, "", says))]);
        }
    }

    fn read_logs(&mut self, span: Span) {
        let lines = lines::between(&self.day, ms(span.from), ms(span.to));
        if lines.is_empty() {
            return;
        }
        let bytes = lines.iter().map(|l| l.message.len() as u64 + 120).sum();
        let cost = Cost { at: span.to, bytes, took: Lapse::millis(2), skew: Some(Lapse::ZERO), ..Cost::default() };
        self.hand_over("logs", span.to, vec![Fact::Lines(lines), Fact::Cost(cost)]);
    }

    /// Points of a minute arrive together, one and a half minutes after it: the cloud is late by nature.
    fn read_metrics(&mut self, span: Span) {
        let due = span.to - METRICS_LATE;
        if due.0.rem_euclid(60_000_000) != 0 {
            return;
        }
        let minute = due - Lapse::minutes(1);
        let Some(samples) = points(&self.day, minute).filter(|_| minute >= START) else { return };
        let cost = Cost {
            at: span.to,
            requests: 2,
            bytes: 18_400,
            took: Lapse::millis(self.rng.i64(240..430)),
            skew: Some(Lapse::ZERO),
            interval: Lapse::minutes(1),
            ..Cost::default()
        };
        self.hand_over("metrics", span.to, vec![Fact::Samples(samples), Fact::Cost(cost)]);
    }

    fn look_at_databases(&mut self, at: Stamp) {
        let day = Arc::clone(&self.day);
        for i in 0..self.databases.len() {
            if !self.databases[i].due(at) {
                continue;
            }
            let name = self.databases[i].name;
            if name == "mrg" && day.scenario.observed.turned_away.is_some_and(|s| s.contains(at)) {
                continue;
            }
            let mut facts = self.databases[i].look(&day, at, &mut self.rng);
            facts.extend(self.books.answers(name, at, day.scenario.observed.callbacks_kept));
            self.hand_over(name, at, facts);
        }
    }
}

impl Books {
    /// What the database of that name answers about orders: rows written since it was last asked.
    fn answers(&mut self, database: &str, at: Stamp, callbacks_kept: bool) -> Vec<Fact> {
        let Some(slot) = stage::DATABASES.iter().position(|d| *d == database) else { return Vec::new() };
        let until = self.writes.partition_point(|(t, _)| *t <= ms(at));
        let fresh = &self.writes[self.read[slot].min(until)..until];
        self.read[slot] = until;
        let asked = Asked::Window(Span::new(START, at));
        rows(&self.ledger, fresh, slot, callbacks_kept)
            .into_iter()
            .map(|rows| Fact::Ledger(Answer { asof: at, asked: asked.clone(), rows }))
            .collect()
    }
}

/// What of these writes the tables of one of [`stage::DATABASES`] have, role by role; empty ones too, because
/// nothing is an answer as well.
pub fn rows(ledger: &Ledger, writes: &[(Ms, Write)], database: usize, callbacks_kept: bool) -> Vec<Rows> {
    let each = || writes.iter().copied();
    match database {
        0 => vec![Rows::Orders(
            each()
                .filter_map(|(at, w)| match w {
                    Write::Order(order, status, step) => Some(ledger.order(order, at, status, step)),
                    _ => None,
                })
                .collect(),
        )],
        1 => {
            let payments = each().filter_map(|(_, w)| match w {
                Write::Begun(p) => Some(ledger.payment(p, false)),
                Write::Settled(p) => Some(ledger.payment(p, true)),
                _ => None,
            });
            let mut out = vec![Rows::Payments(payments.collect())];
            if callbacks_kept {
                let told = each().filter_map(|(_, w)| if let Write::Told(i) = w { Some(ledger.told(i)) } else { None });
                out.push(Rows::Callbacks(told.collect()));
            }
            out
        }
        2 => vec![Rows::OrderEvents(
            each()
                .filter_map(|(at, w)| match w {
                    Write::Step(order, step) => Some(ledger.step(order, step, at)),
                    Write::Moved(i) => Some(ledger.change(i)),
                    _ => None,
                })
                .collect(),
        )],
        _ => vec![Rows::HoPayments(
            each().filter_map(|(_, w)| if let Write::Booked(i) = w { Some(ledger.booked(i)) } else { None }).collect(),
        )],
    }
}

fn health(at: Stamp, state: State, code: &str, says: &str) -> Health {
    Health { at, state, code: code.to_owned(), says: says.into(), remedy: Untrusted::default(), next: None }
}

/// The points of a minute; none when they are lost.
fn points(day: &Day, minute: Stamp) -> Option<Samples> {
    if day.scenario.observed.metrics_lost.is_some_and(|lost| lost.contains(minute)) {
        return None;
    }
    let values = signals::minute(day, ms(minute), false)?.series();
    Some(Samples { at: minute, values: named_series(values) })
}

fn named_series(values: Vec<(&'static str, f64)>) -> Vec<(Arc<str>, f64)> {
    values.into_iter().map(|(name, v)| (format!("metrics.{name}").into(), v)).collect()
}

/// Last Sunday: the same series without a crowd.
fn baseline(day: &Day) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut at = ms(START);
    while at < ms(END) {
        if let Some(minute) = signals::minute(day, at, true) {
            let samples = Samples { at: stamp(at) - WEEK, values: named_series(minute.series()) };
            facts.push(Fact::Samples(samples));
        }
        at += signals::MINUTE;
    }
    facts
}

/// What people, deployments and alarms leave on the timeline in a stretch, and which source tells of it.
fn marks(day: &Day, span: Span) -> Vec<(&'static str, Mark)> {
    let mut out = Vec::new();
    for m in day.scenario.marks.iter().filter(|m| span.contains(m.at)) {
        let source = if m.kind == MarkKind::Note { "people" } else { "metrics" };
        out.push((source, mark(m.at, m.kind, &m.text, &m.who)));
    }
    out.extend(day.alarms().iter().flat_map(|on| {
        let name = alarms::RULES[on.rule].name;
        let raised = span.contains(on.began).then(|| ("metrics", mark(on.began, MarkKind::Alarm, name, "CES")));
        let over = on.ended.filter(|at| span.contains(*at));
        raised.into_iter().chain(over.map(|at| ("metrics", mark(at, MarkKind::Cleared, name, "CES"))))
    }));
    out
}

fn mark(at: Stamp, kind: MarkKind, text: &str, who: &str) -> Mark {
    Mark { at, kind, text: text.into(), who: who.into() }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world_tests;
