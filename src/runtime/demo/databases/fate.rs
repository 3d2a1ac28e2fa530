//! Whether the demo's servers are there: decided once, told to everybody who waits for it.
//!
//! Owns the waiting and what is left of the tape's batches meanwhile: the first look of the evening is handed over by
//! one of the two, never by both and never by neither.

use super::tell;
use crate::model::incident::Incident;
use crate::model::{Batch, Fact, Stamp};
use crate::simulator::wired::{BEFORE, Wires};
use crate::simulator::{START, stage};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The source that says anew what the incident's sources are.
const SELF: &str = "warroom";
/// The source of the batch that only says how long the evening is.
const CLOCK: &str = "evening";
/// Whoever waits longer than this decides by himself.
const PATIENCE: Duration = Duration::from_secs(25);

/// Why snapshots are generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// In the few words of a card.
    pub card: String,
    /// In a sentence.
    pub says: String,
}

impl Why {
    /// Words and sentence.
    pub fn new(card: &str, says: impl Into<String>) -> Self {
        Self { card: card.to_owned(), says: says.into() }
    }
}

/// What became of the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not known yet.
    Starting,
    /// They are there; what they are.
    Up(String),
    /// There are none.
    Generated(Why),
}

impl Outcome {
    /// Whether they are there.
    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }
    /// In the few words of a card.
    pub fn what(&self) -> String {
        match self {
            Self::Starting => "starting a private PostgreSQL …".to_owned(),
            Self::Up(what) => what.clone(),
            Self::Generated(why) => why.card.clone(),
        }
    }
}

/// The outcome, shared by whoever decides it and whoever waits.
#[derive(Clone, Debug)]
pub struct Fate(Arc<(Mutex<Outcome>, Condvar)>);

impl Default for Fate {
    fn default() -> Self {
        Self::known(Outcome::Starting)
    }
}

impl Fate {
    /// One that is known.
    pub fn known(outcome: Outcome) -> Self {
        Self(Arc::new((Mutex::new(outcome), Condvar::new())))
    }

    /// Decides, unless that was done before.
    pub fn decide(&self, outcome: Outcome) -> bool {
        let (now, told) = &*self.0;
        let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *now == Outcome::Starting;
        if first {
            *now = outcome;
            told.notify_all();
        }
        first
    }

    /// There are none, because it went wrong.
    pub fn failed(&self, says: impl Into<String>) {
        let says = says.into();
        tracing::warn!(says, "no private PostgreSQL");
        self.decide(Outcome::Generated(Why::new("generated: PostgreSQL failed", says)));
    }

    /// What is known now.
    pub fn now(&self) -> Outcome {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it is decided: for threads that may wait.
    pub fn wait(&self) -> Outcome {
        let (now, told) = &*self.0;
        let guard = now.lock().unwrap_or_else(PoisonError::into_inner);
        let starting = |outcome: &mut Outcome| *outcome == Outcome::Starting;
        drop(told.wait_timeout_while(guard, PATIENCE, starting).unwrap_or_else(PoisonError::into_inner));
        self.failed_unless_decided();
        self.now()
    }

    fn failed_unless_decided(&self) {
        if self.now() == Outcome::Starting {
            self.failed(format!("not ready after {} s", PATIENCE.as_secs()));
        }
    }
}

/// What is left of the tape's batches.
#[derive(Debug)]
pub struct Rest {
    wires: Wires,
    fate: Fate,
    /// The incident as it was told at first.
    told: Box<Incident>,
    /// What databases said at the beginning, until it is known whether it is theirs to say.
    held: Vec<Batch>,
    decided: bool,
}

impl Rest {
    /// What these wires leave, and those that the databases may become.
    pub const fn new(wires: Wires, fate: Fate, told: Box<Incident>) -> Self {
        Self { wires, fate, told, held: Vec::new(), decided: false }
    }

    /// What is left of a batch, after what has waited for it. May wait itself, before the evening begins.
    pub fn of(&mut self, batch: Batch) -> Vec<Batch> {
        let mut out = Vec::new();
        if !self.decided {
            if batch.seen <= START {
                let undecided = stage::DATABASES.contains(&batch.source.as_ref()) && batch.seq > BEFORE;
                if undecided {
                    self.held.push(batch);
                    return out;
                }
            } else {
                out = self.decide();
            }
        }
        out.extend(self.wires.rest(batch));
        out.into_iter().map(|batch| self.say(batch)).collect()
    }

    /// What is left of all batches, and one more without facts where the last of them has none left: the evening
    /// lasts until its end, also when nobody but the wires has anything to say any more.
    pub fn of_all(mut self, batches: impl Iterator<Item = Batch>) -> impl Iterator<Item = Batch> {
        let mut batches = batches;
        let mut until = None;
        let mut ended = false;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let Some(batch) = batches.next() else {
                ended = true;
                return until.map(|seen| vec![Batch { source: CLOCK.into(), seq: 1, seen, facts: Vec::new() }]);
            };
            until = Some(until.map_or(batch.seen, |seen: Stamp| seen.max(batch.seen)));
            Some(self.of(batch))
        })
        .flatten()
    }

    fn decide(&mut self) -> Vec<Batch> {
        self.decided = true;
        let outcome = self.fate.wait();
        self.wires.databases = outcome.is_up();
        let mut out = Vec::new();
        for mut batch in std::mem::take(&mut self.held) {
            if let Outcome::Generated(why) = &outcome {
                for fact in &mut batch.facts {
                    if let Fact::Health(health) = fact {
                        health.says = format!("well; generated snapshots: {}", why.says).into();
                    }
                }
            }
            out.extend(self.wires.rest(batch));
        }
        let before = self.told.clone();
        tell(&outcome, &mut self.told);
        if *before != *self.told {
            let facts = vec![Fact::Incident(self.told.clone())];
            out.push(Batch { source: SELF.into(), seq: 1, seen: START, facts });
        }
        out
    }

    /// The incident of the tape is told with what is known of its sources.
    fn say(&self, mut batch: Batch) -> Batch {
        for fact in &mut batch.facts {
            if let Fact::Incident(incident) = fact {
                incident.clone_from(&self.told);
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::health::{Health, State};

    #[test]
    fn it_is_decided_once_and_who_waits_is_told() {
        let fate = Fate::default();
        let waiting = std::thread::spawn({
            let fate = fate.clone();
            move || fate.wait()
        });
        assert!(fate.decide(Outcome::Up("private PostgreSQL 15".to_owned())));
        assert!(!fate.decide(Outcome::Generated(Why::new("generated", "too late"))));
        assert!(waiting.join().unwrap().is_up() && fate.now().is_up());
    }

    #[test]
    fn the_evening_lasts_until_its_end_when_everything_comes_over_wires() {
        let fate = Fate::known(Outcome::Up("private PostgreSQL 15".to_owned()));
        let wires = Wires { metrics: true, logs: true, databases: true };
        let rest = Rest::new(wires, fate, Box::new(crate::simulator::incident()));
        let batch = |source: &str, seq, minutes, facts| Batch {
            source: source.into(),
            seq,
            seen: START + crate::model::Lapse::minutes(minutes),
            facts,
        };
        let well = Health {
            at: START,
            state: State::Well,
            code: String::new(),
            says: "well".into(),
            remedy: "".into(),
            next: None,
        };
        let said = || vec![Fact::Health(well.clone())];
        let told = vec![batch("note", 1, 1, said()), batch("mrg", 2, 90, said()), batch("logs", 2, 150, said())];
        let left: Vec<(String, i64)> = rest
            .of_all(told.into_iter())
            .map(|b| (b.source.to_string(), b.seen.since(START).whole_seconds() / 60))
            .collect();
        assert!(left.contains(&("note".to_owned(), 1)));
        assert_eq!(left.last(), Some(&(CLOCK.to_owned(), 150)));
        assert_eq!(left.iter().filter(|(source, _)| source == "mrg" || source == "logs").count(), 0);
    }
}
