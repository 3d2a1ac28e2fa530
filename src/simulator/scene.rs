//! What the sessions of one database do at an instant, for generated snapshots and for a real server alike.
//!
//! Plain data. May not know: who makes it so, or shows it.

use crate::model::Lapse;

/// What the sessions of one database do at an instant: for generated snapshots and for a real server alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// `max_connections`.
    pub max_connections: u32,
    /// Who is connected, by application, in which state, how many.
    pub crews: Vec<Crew>,
    /// An open transaction at the head of the blocking tree.
    pub root: Option<Root>,
    /// Sessions waiting one behind the other below the root, at most 6; part of the crews' `waiting`.
    pub chain: u32,
    /// Sessions waiting directly for the root's row; part of the crews' `waiting`.
    pub fan: u32,
    /// Sessions waiting for an advisory lock that a batch job holds; part of the crews' `waiting`.
    pub advisory: u32,
    /// Deadlocks since the world began.
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
    /// That run a statement.
    pub running: u32,
    /// That do nothing.
    pub idle: u32,
    /// That do nothing in an open transaction.
    pub idle_in_transaction: u32,
    /// That wait for a lock.
    pub waiting: u32,
}

/// The open transaction at the head of the blocking tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Root {
    /// Its `application_name`.
    pub application: String,
    /// Whether it idles; else it runs.
    pub idle: bool,
    /// For how long it has been open, in the world's time.
    pub open_for: Lapse,
}
