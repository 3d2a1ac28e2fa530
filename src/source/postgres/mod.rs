//! PostgreSQL: one session for each database, one look each interval, every version from 12 to 18.
//!
//! `session` opens and keeps, `sql` has the statements, `look` and `statements` read the answers, `trouble`
//! puts failures into words, `database` is the source that does it all in turn, `check` tries it once.

mod check;
mod database;
mod look;
pub(in crate::source) mod session;
mod sql;
mod statements;
pub(in crate::source) mod trouble;

use crate::config::{Config, DatabaseConfig};
use crate::model::{Batch, Lapse};
use crate::source::orders::{Asks, Board, Report};
use crate::source::runner::{self, Handle, Plan};
pub use check::check;
pub(in crate::source) use check::open;
pub use database::Database;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// At most one attempt to connect in this time (a watcher must not add to a connection storm).
const FLOOR: Lapse = Lapse::seconds(5);

/// Starts a task for each database that is watched or has queries, which report to `orders`.
pub fn start(
    config: &Config,
    board: &Arc<Board>,
    orders: &mpsc::Sender<Report>,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> Vec<Handle> {
    let used = |db: &&DatabaseConfig| db.watch || config.queries.iter().any(|q| q.file.is_none() && q.db == db.name);
    let one = |db| start_one(config, db, board, orders, to, cancel);
    config.databases.iter().filter(used).map(one).collect()
}

fn start_one(
    config: &Config,
    db: &DatabaseConfig,
    board: &Arc<Board>,
    orders: &mpsc::Sender<Report>,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> Handle {
    let plan = Plan {
        name: db.name.as_str().into(),
        interval: db.interval,
        // The last resort: every statement has a deadline of its own that fires earlier.
        deadline: db.connect_timeout + (db.statement_timeout + Lapse::seconds(3)).times(6),
        floor: FLOOR,
        doing: "connecting",
    };
    let (db, queries, board) = (db.clone(), config.queries.clone(), Arc::clone(board));
    let (window, orders) = (config.incident.window, orders.clone());
    let make = move || {
        let mine = queries.iter().filter(|q| q.file.is_none() && q.db == db.name).cloned().collect();
        Database::new(db.clone(), Asks::new(mine, window, &board, orders.clone()))
    };
    runner::spawn(plan, make, to.clone(), cancel.clone())
}
