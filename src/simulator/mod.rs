//! A world that has an incident: the bundled demo, 12 January 2025, with no server behind it.
//!
//! Owns the story and turns it into the same batches that real sources would hand over, lazily and always
//! the same. Every number in it is invented. May not know: clocks, files, screens.
//!
//! The story: a promotion doubles the users; the Orchestrator keeps a transaction of MRG's database open
//! while it waits for UPG; MRG's pools fill; orders hang in ACTIVE; payments that were charged never reach
//! Head Office. The circuit breaker and the timeouts come later and are consequences.

pub mod cloud;
mod database;
mod lines;
mod metrics;
mod orders;
pub mod play;
pub mod postgres;
pub mod scene;
mod story;
pub mod wired;

use crate::model::health::{Cost, Health, Loss, State};
use crate::model::note::NoteText;
use crate::model::{Batch, Fact, Lapse, Mark, MarkKind, SourceName, Span, Stamp, Untrusted};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub use story::{END, START, incident};

/// The note that comes with the demo.
pub const NOTE: &str = include_str!("../../assets/incident-note.md");

/// The name the demo's note has on screen.
pub const NOTE_NAME: &str = "2025-01-12 order gantung.md";

/// How often the world moves. Everything that happened in between is handed over at the end of a step.
const STEP: Lapse = Lapse::seconds(5);

/// All batches of the demo in order of arrival: what was known before it begins, then the evening.
pub struct Demo {
    at: Stamp,
    ready: VecDeque<Batch>,
    sequence: BTreeMap<SourceName, u64>,
    rng: fastrand::Rng,
    databases: Vec<database::Server>,
    orders: orders::Desk,
    lines: lines::Writers,
}

/// Begins the demo. The same seed gives the same world.
pub fn demo(seed: u64) -> Demo {
    let mut rng = fastrand::Rng::with_seed(seed);
    let orders = orders::Desk::open(&mut rng);
    let lines = lines::Writers::new(orders.first_stuck());
    let mut demo = Demo {
        at: START,
        ready: VecDeque::new(),
        sequence: BTreeMap::new(),
        rng,
        databases: database::servers(),
        orders,
        lines,
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
        self.hand_over("people", START, vec![Fact::Incident(Box::new(incident()))]);
        let baseline = metrics::baseline(&mut self.rng);
        self.hand_over("metrics", START, baseline);
        for i in 0..self.databases.len() {
            let name = self.databases[i].name;
            let facts = self.databases[i].baseline(&mut self.rng);
            self.hand_over(name, START, facts);
        }
        let usual = lines::baseline(&mut self.rng);
        self.hand_over("logs", START, vec![Fact::Lines(usual)]);
        let well = |says: &str| {
            Fact::Health(Health {
                at: START,
                state: State::Well,
                code: String::new(),
                says: Untrusted::from(says),
                remedy: Untrusted::default(),
                next: None,
            })
        };
        for server in ["mrg", "upg", "orch", "ho"] {
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
        for mark in story::marks().into_iter().filter(|m| span.contains(m.at)) {
            let source = if mark.kind == MarkKind::Note { "people" } else { "metrics" };
            self.hand_over(source, to, vec![Fact::Mark(mark)]);
        }
        self.refusals(span);
        self.read_logs(span);
        self.read_metrics(span);
        self.look_at_databases(to);
    }

    /// MRG turns us away for some minutes: evidence, and a gap.
    fn refusals(&mut self, span: Span) {
        let refused = story::refused();
        if span.contains(refused.from) {
            let health = Health {
                at: refused.from,
                state: State::Down,
                code: "53300".to_owned(),
                says: "mrg has no free connection and refused ours: sorry, too many clients already. \
                       This is evidence for an exhausted pool, not a fault of warroom"
                    .into(),
                remedy: "nothing to do here: warroom asks again by itself, with one connection".into(),
                next: Some(refused.from + Lapse::seconds(60)),
            };
            let cost = Cost { at: refused.from, requests: 1, failed: 1, ..Cost::default() };
            self.hand_over("mrg", span.to, vec![Fact::Health(health), Fact::Cost(cost)]);
        }
        if span.contains(refused.to) {
            let health = Health {
                at: refused.to,
                state: State::Well,
                code: String::new(),
                says: "well again after five minutes of refusals (53300)".into(),
                remedy: Untrusted::default(),
                next: None,
            };
            self.hand_over("mrg", span.to, vec![Fact::Health(health)]);
        }
        let rotation = story::rotation();
        if span.contains(rotation.to) {
            let says = "mrg-api-5: the file was rotated twice between two reads; 23 s of its lines are lost".into();
            self.hand_over("logs", span.to, vec![Fact::Loss(Loss { span: rotation, says })]);
        }
    }

    fn read_logs(&mut self, span: Span) {
        let mut lines = self.lines.write(span, &self.orders, &mut self.rng);
        if lines.is_empty() {
            return;
        }
        lines.sort_by_key(|l| l.at);
        let bytes = lines.iter().map(|l| l.message.len() as u64 + 120).sum();
        let cost = Cost { at: span.to, bytes, took: Lapse::millis(2), skew: Some(Lapse::ZERO), ..Cost::default() };
        self.hand_over("logs", span.to, vec![Fact::Lines(lines), Fact::Cost(cost)]);
    }

    /// Points of a minute arrive together, one and a half minutes after it: the cloud is late by nature.
    fn read_metrics(&mut self, span: Span) {
        let due = span.to - story::METRICS_LATE;
        if due.0.rem_euclid(60_000_000) != 0 {
            return;
        }
        let minute = due - Lapse::minutes(1);
        if minute < START {
            return;
        }
        let facts = metrics::minute(minute, &self.orders, &mut self.rng);
        let cost = Cost {
            at: span.to,
            requests: 2,
            bytes: 18_400,
            took: Lapse::millis(self.rng.i64(240..430)),
            skew: Some(Lapse::ZERO),
            interval: Lapse::minutes(1),
            ..Cost::default()
        };
        let facts = facts.into_iter().chain([Fact::Cost(cost)]).collect();
        self.hand_over("metrics", span.to, facts);
    }

    fn look_at_databases(&mut self, at: Stamp) {
        for i in 0..self.databases.len() {
            if !self.databases[i].due(at) {
                continue;
            }
            let name = self.databases[i].name;
            if name == "mrg" && story::refused().contains(at) {
                continue;
            }
            let mut facts = self.databases[i].look(at, &mut self.rng);
            facts.extend(self.orders.answers(name, at));
            self.hand_over(name, at, facts);
        }
    }
}

fn mark(at: Stamp, kind: MarkKind, text: &str, who: &str) -> Mark {
    Mark { at, kind, text: text.into(), who: who.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::order::Rows;

    fn facts() -> Vec<Fact> {
        demo(1).flat_map(|b| b.facts).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_world() {
        assert!(demo(7).eq(demo(7)));
    }

    #[test]
    fn batches_of_a_source_are_numbered_without_holes_and_never_go_back_in_time() {
        let mut last: BTreeMap<SourceName, u64> = BTreeMap::new();
        let mut seen = START;
        for batch in demo(1) {
            let n = last.entry(batch.source.clone()).or_default();
            assert_eq!(batch.seq, *n + 1);
            *n = batch.seq;
            assert!(batch.seen >= seen);
            seen = batch.seen;
        }
        assert_eq!(seen, END);
    }

    #[test]
    fn the_crowd_grows_from_under_thirty_to_seventy_seven_thousand() {
        let users: Vec<f64> = facts()
            .iter()
            .filter_map(|f| if let Fact::Samples(s) = f { Some(s) } else { None })
            .filter(|s| s.at >= START)
            .filter_map(|s| s.values.iter().find(|(n, _)| n.as_ref() == "metrics.users").map(|(_, v)| *v))
            .collect();
        assert!(users[0] < 30_000.0);
        assert!((users.iter().copied().fold(0.0, f64::max) - 77_000.0).abs() < 1.0);
    }

    #[test]
    fn mrg_is_silent_while_it_refuses() {
        let silent = story::refused();
        let looks = demo(1).filter(|b| b.source.as_ref() == "mrg" && silent.contains(b.seen));
        assert!(looks.flat_map(|b| b.facts).all(|f| !matches!(f, Fact::Database(_))));
    }

    #[test]
    fn orders_hang_and_some_of_them_were_charged() {
        let mut last = BTreeMap::new();
        let mut charged = std::collections::BTreeSet::new();
        for fact in facts() {
            let Fact::Ledger(ledger) = fact else { continue };
            match ledger.rows {
                Rows::Orders(rows) => last.extend(rows.into_iter().map(|o| (o.order_id.clone(), o.status))),
                Rows::Payments(rows) => {
                    charged.extend(rows.into_iter().filter(|p| p.settled_at.is_some()).map(|p| p.order_id));
                }
                _ => {}
            }
        }
        let early: Vec<_> = last.iter().filter(|(_, s)| **s == crate::model::order::OrderStatus::Active).collect();
        assert!(early.len() > 900, "{} orders are still active", early.len());
        assert!(early.iter().filter(|(id, _)| charged.contains(*id)).count() > 300);
    }
}
