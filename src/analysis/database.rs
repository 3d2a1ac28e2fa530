//! What two looks at a database say together: rates, statements as differences, longest transactions.

use crate::model::database::DbSample;
use crate::model::{Lapse, Stamp, Untrusted};
use crate::store::Store;

/// A statement's share between two looks.
#[derive(Clone, Debug, PartialEq)]
pub struct StatementRate {
    /// `queryid`.
    pub id: i64,
    /// Mean time of a call between the looks.
    pub mean: Lapse,
    /// Mean in the baseline, when it was seen there.
    pub normal: Option<Lapse>,
    /// Calls per second.
    pub calls: f64,
    /// Share of all execution time between the looks, 0 to 100.
    pub share: f64,
    /// Normalised text.
    pub query: Untrusted,
}

/// Statements between the looks at `at` and at least `over` before it, heaviest first, with the stretch
/// they cover. Empty when there is only one look or the extension is not readable.
pub fn statements(store: &Store, database: &str, at: Stamp, over: Lapse) -> (Vec<StatementRate>, Lapse) {
    let _ = (store, database, at, over);
    (Vec::new(), Lapse::ZERO)
}

/// A rate with its normal.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// `commits/s`.
    pub name: &'static str,
    /// Now.
    pub value: Option<f64>,
    /// In the baseline.
    pub normal: Option<f64>,
}

/// Commits, rollbacks, deadlocks and temporary bytes per second at `at`.
pub fn rates(store: &Store, database: &str, at: Stamp) -> Vec<Rate> {
    let _ = (store, database, at);
    Vec::new()
}

/// A lock that several sessions want.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedLock {
    /// What is wanted.
    pub target: Untrusted,
    /// Mode and kind.
    pub mode: String,
    /// How many wait.
    pub waiting: usize,
    /// The longest wait.
    pub longest: Option<Lapse>,
}

/// Locks not granted, grouped, most wanted first.
pub fn wanted(sample: &DbSample) -> Vec<WantedLock> {
    let _ = sample;
    Vec::new()
}
