//! One look at a PostgreSQL server, as its statistics views gave it: counts made by the server, rows only
//! for the sessions that matter (waiting, blocking, or long in a transaction). Counters stay cumulative;
//! rates are differences that `analysis` takes between two looks.

use crate::model::{Stamp, Untrusted};
use serde::{Deserialize, Serialize};

/// A backend's process id.
pub type Pid = i32;

/// One look. All instants are the server's own clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DbSample {
    /// The server's `clock_timestamp()` when it answered.
    pub at: Stamp,
    /// `server_version_num`: 150018 is 15.18.
    pub version: i32,
    /// Whether it is a replica.
    pub replica: bool,
    /// `max_connections`.
    pub max_connections: u32,
    /// `superuser_reserved_connections` plus, from 16 on, `reserved_connections`.
    pub reserved: u32,
    /// Client backends by state; the sum is what is used of the usable connections.
    pub states: States,
    /// Client backends by application and state, most first.
    pub applications: Vec<Application>,
    /// What client backends wait for, most first; `type` empty means running on CPU.
    pub waits: Vec<Wait>,
    /// Sessions that wait for a lock, block one, or have been in a transaction for long.
    pub sessions: Vec<Session>,
    /// Counters of `pg_stat_database` for this database; not in every look before PostgreSQL 15, where
    /// reading them makes the server wait for its statistics collector.
    #[serde(default)]
    pub counters: Option<Counters>,
    /// `pg_stat_statements`, cumulative, the heaviest by time, in every fourth look; `None` in the others,
    /// and when it cannot be read (then `limited` says so).
    #[serde(default)]
    pub statements: Option<Vec<Statement>>,
    /// What could not be read, in words, with the grant that would help.
    #[serde(default)]
    pub limited: Vec<Limited>,
}

/// Client backends by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct States {
    /// `active` and not waiting on a lock.
    pub running: u32,
    /// `active` with `wait_event_type = 'Lock'`.
    pub lock_waiting: u32,
    /// `idle in transaction`, aborted ones included.
    pub idle_in_transaction: u32,
    /// `idle`.
    pub idle: u32,
    /// Anything else, and sessions whose state we may not see.
    pub other: u32,
}

impl States {
    /// Connections in use.
    pub const fn used(&self) -> u32 {
        self.running + self.lock_waiting + self.idle_in_transaction + self.idle + self.other
    }
}

/// Backends of one application in one state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// `application_name`, or the role's name where that is empty.
    pub name: Untrusted,
    /// `pg_stat_activity.state`.
    pub state: String,
    /// How many.
    pub sessions: u32,
    /// `state_change` of the one longest in this state.
    pub since: Option<Stamp>,
}

/// Backends that wait for one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// `wait_event_type`; empty: running on CPU.
    pub kind: String,
    /// `wait_event`.
    pub event: String,
    /// How many.
    pub sessions: u32,
}

/// A session worth naming.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Process id.
    pub pid: Pid,
    /// `application_name`, or the role's name.
    pub application: Untrusted,
    /// Role.
    pub user: Untrusted,
    /// Client address, when visible.
    #[serde(default)]
    pub client: Untrusted,
    /// `state`.
    pub state: String,
    /// `wait_event_type`, empty when not waiting.
    #[serde(default)]
    pub wait_kind: String,
    /// `wait_event`.
    #[serde(default)]
    pub wait_event: String,
    /// `backend_start`.
    #[serde(default)]
    pub connected: Option<Stamp>,
    /// `xact_start`.
    #[serde(default)]
    pub in_transaction: Option<Stamp>,
    /// `query_start`.
    #[serde(default)]
    pub in_query: Option<Stamp>,
    /// `state_change`.
    #[serde(default)]
    pub in_state: Option<Stamp>,
    /// Since when it waits for the lock: `pg_locks.waitstart` from 14 on, else `state_change`.
    #[serde(default)]
    pub waiting: Option<Stamp>,
    /// Statement, cut by the server.
    #[serde(default)]
    pub query: Untrusted,
    /// `pg_blocking_pids(pid)` in its own order; prepared transactions are 0.
    #[serde(default)]
    pub blocked_by: Vec<Pid>,
    /// Locks held that others want, or notable ones (advisory, exclusive on a relation).
    #[serde(default)]
    pub holds: Vec<Lock>,
    /// The lock not granted.
    #[serde(default)]
    pub wants: Option<Lock>,
}

/// A lock in a person's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lock {
    /// `locktype`: relation, transactionid, tuple, advisory, …
    pub kind: String,
    /// `mode`: `ShareLock`, …
    pub mode: String,
    /// What: `xid 91822407`, `row of orders (12,4)`, `orders`, `advisory 4711`.
    pub target: Untrusted,
}

/// Counters of `pg_stat_database`, cumulative since `reset`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Committed transactions.
    pub commits: i64,
    /// Rolled-back transactions.
    pub rollbacks: i64,
    /// Deadlocks found.
    pub deadlocks: i64,
    /// Bytes written to temporary files.
    pub temp_bytes: i64,
    /// Blocks read from disk.
    pub blocks_read: i64,
    /// Blocks found in cache.
    pub blocks_hit: i64,
    /// `stats_reset`: when it moves, the counters began anew.
    pub reset: Option<Stamp>,
}

/// One statement of `pg_stat_statements`, cumulative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// `queryid`, with user and database summed up.
    pub id: i64,
    /// Calls.
    pub calls: i64,
    /// Execution time in milliseconds.
    pub total_ms: f64,
    /// Rows returned or touched.
    pub rows: i64,
    /// Normalised text, cut by the server.
    pub query: Untrusted,
}

/// Something the role may not see, and what to grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limited {
    /// What is missing from the screen.
    pub what: String,
    /// The statement that mends it; empty when nothing does.
    pub remedy: String,
}
