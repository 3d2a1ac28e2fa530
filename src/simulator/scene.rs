//! What the sessions of one database do at an instant, as plain numbers.
//!
//! Owns the common ground of the generated snapshots and of a real server that is made to look like them.
//! May not know: where the numbers come from, and how a server is brought to show them.

use crate::model::Lapse;

/// What the sessions of one database do at an instant: for generated snapshots and for a real server alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// `max_connections` of its server.
    pub max_connections: u32,
    /// Who is connected, by application, in which state, how many.
    pub crews: Vec<Crew>,
    /// An open transaction at the head of the blocking tree: its application, whether it idles (else it
    /// runs), and for how long it is open (in the world's time).
    pub root: Option<Root>,
    /// Sessions waiting one behind the other below the root (row locks), at most 6; part of the crews'
    /// `waiting`.
    pub chain: u32,
    /// Sessions waiting directly for the root's row; part of the crews' `waiting`.
    pub fan: u32,
    /// Sessions waiting for an advisory lock that a batch job holds; part of the crews' `waiting`.
    pub advisory: u32,
    /// Deadlocks since the world began, cumulative.
    pub deadlocks: u64,
    /// Committed transactions a second.
    pub commits: f64,
    /// Rolled back transactions a second.
    pub rollbacks: f64,
}

/// The sessions of one application.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crew {
    /// Its `application_name`.
    pub application: String,
    /// At work and waiting for no lock.
    pub running: u32,
    /// Connected, without a transaction.
    pub idle: u32,
    /// In a transaction, without a statement.
    pub idle_in_transaction: u32,
    /// At work and waiting for a lock.
    pub waiting: u32,
}

/// The transaction at the head of the blocking tree. It is one of its crew's sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Root {
    /// Its `application_name`.
    pub application: String,
    /// Whether it idles in its transaction; else it runs.
    pub idle: bool,
    /// For how long the transaction is open, in the world's time.
    pub open_for: Lapse,
}

impl Crew {
    /// All its sessions.
    pub const fn sessions(&self) -> u32 {
        self.running + self.idle + self.idle_in_transaction + self.waiting
    }
}

impl Scene {
    /// All sessions.
    pub fn sessions(&self) -> u32 {
        self.crews.iter().map(Crew::sessions).sum()
    }
    /// Sessions that wait for a lock.
    pub fn waiting(&self) -> u32 {
        self.crews.iter().map(|c| c.waiting).sum()
    }
}
