//! How a source is, what asking it costs, and what it lost: facts like any other, recorded and drawn.

use crate::model::{Lapse, Span, Stamp, Untrusted};
use serde::{Deserialize, Serialize};

/// The state of a source, worst last; each has its dot on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Answers: `●`.
    Well,
    /// Not configured or not started: `○`.
    Off,
    /// Answers late, partly, or has not answered yet: `◐`.
    Late,
    /// Refuses, does not answer, or is not there: `✕`.
    Down,
}

/// How a source is from `at` on, until the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Since when.
    pub at: Stamp,
    /// The state.
    pub state: State,
    /// What stands beside the dot when it is not well: an SQLSTATE, `no answer`, `2m`. At most 12 cells.
    #[serde(default)]
    pub code: String,
    /// The state in a sentence, with what follows from it.
    #[serde(default)]
    pub says: Untrusted,
    /// What a person can do about it, exactly; empty when nothing.
    #[serde(default)]
    pub remedy: Untrusted,
    /// When it is asked again, when that is planned.
    #[serde(default)]
    pub next: Option<Stamp>,
}

/// What one round of asking cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// When.
    pub at: Stamp,
    /// Statements or requests sent.
    pub requests: u32,
    /// How many of them failed.
    pub failed: u32,
    /// How many were turned away for asking too often.
    #[serde(default)]
    pub throttled: u32,
    /// Bytes received.
    #[serde(default)]
    pub bytes: u64,
    /// How long the round took from our side.
    pub took: Lapse,
    /// Time the server says it spent, when it says.
    #[serde(default)]
    pub server: Option<Lapse>,
    /// Connections held.
    #[serde(default)]
    pub connections: u32,
    /// The remote's clock minus ours, when known.
    #[serde(default)]
    pub skew: Option<Lapse>,
    /// The interval in force: longer than configured when the source slows itself down.
    #[serde(default)]
    pub interval: Lapse,
}

impl Cost {
    /// Adds what more requests cost; the times and the connections are the round's and stay.
    pub fn add(&mut self, more: &Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.failed = self.failed.saturating_add(more.failed);
        self.throttled = self.throttled.saturating_add(more.throttled);
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.skew = more.skew.or(self.skew);
    }
}

/// What a source knows it could not keep or read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Which time is affected.
    pub span: Span,
    /// Where and why, in a sentence.
    pub says: Untrusted,
}

/// How far a long piece of work is: fetching the day of an incident, say. The newest of a source counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// When.
    pub at: Stamp,
    /// What is done, at most 40 cells: `fetching 18:45–21:30 of 12 Jan`.
    pub what: Untrusted,
    /// Parts done. All done ends it.
    pub done: u64,
    /// Parts in all.
    pub of: u64,
}

/// What an engine's lines of a stretch are called in [`Fetched::what`]: all of them are here.
pub const LINES: &str = "lines";

/// A stretch of the past that a source has fetched: who starts again with the same recording goes on there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fetched {
    /// What was asked, in the source's own words: the same question has the same words.
    pub what: String,
    /// The stretch.
    pub span: Span,
}
