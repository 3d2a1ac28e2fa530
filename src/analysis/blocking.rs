//! The blocking tree, exactly as `pg_blocking_pids` has it: roots first, waiters in queue order, equal
//! waiters foldable.

use crate::model::Stamp;
use crate::model::database::{DbSample, Pid};

/// The tree as rows ready to list, roots first, depth first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Rows in drawing order.
    pub rows: Vec<Row>,
    /// Sessions that wait for another session.
    pub waiting: usize,
    /// Sessions that block and wait for nobody.
    pub roots: usize,
    /// Whether a cycle was cut (a deadlock about to be broken by the server).
    pub cycle: bool,
}

/// One line of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// 0 for a root.
    pub depth: usize,
    /// For each level above, whether a sibling follows further down (draws `│` or blank); the last entry
    /// is this row's own (`├` or `└`).
    pub guides: Vec<bool>,
    /// Index into `DbSample::sessions`; for a fold, of its first session.
    pub session: usize,
    /// Process id, 0 for a prepared transaction.
    pub pid: Pid,
    /// How many sessions wait behind it, directly or not.
    pub blocks: usize,
    /// How long it has waited; for a fold, the longest.
    pub waits: Option<crate::model::Lapse>,
    /// Sessions folded into this row: equal waiters of the same blocker without waiters of their own.
    pub folded: Vec<usize>,
}

/// Builds the tree of a look. `unfolded` names the first pid of each fold that is shown open.
pub fn tree(sample: &DbSample, unfolded: &[Pid]) -> Tree {
    let _ = (sample, unfolded);
    Tree::default()
}

/// One sentence about a session: what it does, since when, whom it holds up.
pub fn sentence(sample: &DbSample, session: usize, at: Stamp) -> String {
    let _ = (sample, session, at);
    String::new()
}
