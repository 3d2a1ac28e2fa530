//! What of the demo comes over real wires. A wire is opened at once and may fail to; it says in a few words what it
//! is; it is asked from then on, and what it brings is recorded and handed on like everything else.
//!
//! Which wires are up decides what the tape leaves to them.

use super::cloud::DemoCloud;
use super::databases::{self, DemoDatabases, Fate, Outcome, Rest, Why};
use super::logs::DemoLogs;
use super::{Made, Shared};
use crate::app::Message;
use crate::model::incident::Incident;
use crate::model::{Batch, SourceName};
use crate::simulator::cloud::Watch;
use crate::simulator::wired::{LOGS, SOURCE, Wires};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The evening that is played: what every wire needs to know of it.
#[derive(Clone)]
pub struct Evening {
    /// The world.
    pub made: Made,
    /// The play head, which is the world's clock.
    pub head: Watch,
    /// Where everything is recorded.
    pub recorder: Shared,
    /// The screen.
    pub to: mpsc::Sender<Message>,
}

impl Evening {
    /// Where what people do enters, to be recorded like everything else: at the evening's time, not at ours.
    pub fn people(&self) -> mpsc::Sender<Batch> {
        let (enter, entered) = mpsc::channel(64);
        let head = self.head.clone();
        self.hand_on(entered, move |batch| batch.seen = head.now());
        enter
    }

    /// Records what a wire brings and hands it on, on a thread that may wait; `correct` may change a batch first, or
    /// leave nothing of it.
    /// Ends when the wire does, or when nobody looks any more.
    pub fn hand_on(&self, mut from: mpsc::Receiver<Batch>, mut correct: impl FnMut(&mut Batch) + Send + 'static) {
        let (recorder, to) = (self.recorder.clone(), self.to.clone());
        tokio::task::spawn_blocking(move || {
            while let Some(mut batch) = from.blocking_recv() {
                correct(&mut batch);
                if batch.facts.is_empty() {
                    continue;
                }
                recorder.append(&batch);
                if to.blocking_send(Message::Batch(Arc::new(batch))).is_err() {
                    return;
                }
            }
        });
    }
}

/// The wires that are up, for as long as this is kept.
#[derive(Debug)]
pub struct Wiring {
    /// Metrics, from an emulated cloud.
    cloud: Option<DemoCloud>,
    /// Log lines, from files.
    logs: Option<DemoLogs>,
    /// Sessions and rows, from private servers.
    databases: Option<DemoDatabases>,
    /// Whether those are there.
    fate: Fate,
}

impl Wiring {
    /// Opens what can be opened; `folder` is the demo's own, and `postgres` where the programs of PostgreSQL are, or
    /// why none is to be started. What cannot be opened, the tape hands over itself.
    pub async fn open(folder: &Path, evening: &Evening, postgres: Result<PathBuf, Why>) -> Self {
        let cloud = DemoCloud::listen(&evening.head).await;
        let logs = DemoLogs::open(folder, evening.made.scenario());
        let (databases, fate) = match postgres {
            Ok(bin) => {
                let fate = Fate::default();
                (Some(DemoDatabases::new(bin, fate.clone())), fate)
            }
            Err(why) => (None, Fate::known(Outcome::Generated(why))),
        };
        Self {
            databases,
            fate,
            cloud: cloud.inspect_err(|e| tracing::warn!(error = %e, "no emulated cloud")).ok(),
            logs: logs.inspect_err(|e| tracing::warn!(error = %e, "no log files")).ok(),
        }
    }

    /// Asks all of them from now on.
    pub fn ask(&self, evening: &Evening) {
        if let Some(cloud) = &self.cloud {
            cloud.ask(evening);
        }
        if let Some(logs) = &self.logs {
            logs.ask(evening);
        }
        if let Some(databases) = &self.databases {
            databases.ask(evening);
        }
    }

    /// Which are up; servers that are still being started are not.
    pub fn up(&self) -> Wires {
        Wires { metrics: self.cloud.is_some(), logs: self.logs.is_some(), databases: self.fate.now().is_up() }
    }

    /// What is left to the tape of an evening that is told like this.
    pub fn rest(&self, told: Box<Incident>) -> Rest {
        Rest::new(self.up(), self.fate.clone(), told)
    }

    /// Ends what takes a moment to end.
    pub async fn close(self) {
        if let Some(databases) = self.databases {
            databases.close().await;
        }
    }

    /// Says on the cards of the sources where what they show comes from, and how late it is.
    pub fn tell(&self, incident: &mut Incident) {
        if self.logs.is_some() {
            let of_logs = |name: &str| name.split('.').next() == Some(LOGS);
            let lanes = incident.lanes.iter_mut().filter(|l| of_logs(&l.series));
            lanes.for_each(|lane| lane.lag = lane.lag.max(DemoLogs::LAG));
        }
        databases::tell(&self.fate.now(), incident);
        let generated = |what: &str| format!("generated {what}");
        let words: [(SourceName, String); 2] = [
            (SOURCE.into(), self.cloud.as_ref().map_or_else(|| generated("points"), DemoCloud::what)),
            (LOGS.into(), self.logs.as_ref().map_or_else(|| generated("lines"), DemoLogs::what)),
        ];
        for (source, what) in words {
            let cards = incident.sources.iter_mut().filter(|c| *c.name == *source);
            cards.for_each(|card| card.what = what.as_str().into());
        }
    }
}
