//! A look's row to a [`DbSample`]: the server's JSON in our vocabulary, locks in a person's words.
//!
//! Pure: no socket, no clock. What was cut or hidden is said, not left out in silence.

use crate::model::database::{Application, Counters, DbSample, Limited, Lock, Pid, Session, States, Wait};
use crate::model::{Stamp, Untrusted};
use crate::source::postgres::sql;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The columns of the look as they came.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// `pg_is_in_recovery()`.
    pub replica: bool,
    /// `max_connections`.
    pub max_connections: i32,
    /// Both reserved settings.
    pub reserved: i32,
    /// Whether sessions of other roles are visible.
    pub sees_all: bool,
    /// Client backends by state: used, running, lock waiting, idle in transaction, idle.
    pub counts: [i32; 5],
    /// Client backends whose state we may not see.
    pub hidden: i32,
    /// Client backends that do not track their state.
    pub untracked: i32,
    /// All backends that wait for a lock.
    pub waiters: i32,
    /// Client backends in a long transaction.
    pub long: i32,
    /// JSON columns.
    pub applications: Option<Vec<u8>>,
    /// JSON.
    pub waits: Option<Vec<u8>>,
    /// JSON.
    pub sessions: Option<Vec<u8>>,
    /// JSON.
    pub locks: Option<Vec<u8>>,
    /// JSON.
    pub prepared: Option<Vec<u8>>,
    /// JSON.
    pub counters: Option<Vec<u8>>,
    /// `clock_timestamp()` at the end.
    pub at: i64,
}

#[derive(Deserialize)]
struct RawApplication {
    name: String,
    state: String,
    sessions: u32,
    since: Option<i64>,
}

#[derive(Deserialize)]
struct RawSession {
    pid: Pid,
    application: String,
    role: String,
    client: String,
    state: String,
    wait_kind: String,
    wait_event: String,
    query: String,
    by: Option<Vec<Pid>>,
    connected: Option<i64>,
    in_transaction: Option<i64>,
    in_query: Option<i64>,
    in_state: Option<i64>,
}

#[derive(Deserialize)]
struct RawLock {
    pid: Pid,
    granted: bool,
    kind: String,
    mode: String,
    relation: Option<String>,
    page: Option<i64>,
    tuple: Option<i64>,
    vxid: Option<String>,
    xid: Option<String>,
    classid: Option<i64>,
    objid: Option<i64>,
    objsubid: Option<i64>,
    since: Option<i64>,
}

#[derive(Deserialize)]
struct RawPrepared {
    gid: String,
    owner: String,
    prepared: Option<i64>,
}

#[derive(Deserialize)]
struct RawCounters {
    commits: i64,
    rollbacks: i64,
    deadlocks: i64,
    temp_bytes: i64,
    blocks_read: i64,
    blocks_hit: i64,
    reset: Option<i64>,
}

/// Reads a JSON array. Names and statements may hold bytes that are not UTF-8 (a database in `SQL_ASCII`,
/// or sessions of another database in another encoding): those become a visible `\xNN`.
pub fn rows<T: DeserializeOwned>(json: Option<&[u8]>) -> Result<Vec<T>, serde_json::Error> {
    let Some(bytes) = json else { return Ok(Vec::new()) };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return serde_json::from_str(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for b in chunk.invalid() {
            let _ = write!(text, "\\\\x{b:02X}");
        }
    }
    serde_json::from_str(&text)
}

/// Makes the sample. `role` is ours, for the grants.
pub fn sample(raw: &Raw, version: i32, role: &str) -> Result<DbSample, serde_json::Error> {
    let [used, running, lock_waiting, idle_in_transaction, idle] = raw.counts.map(count);
    let named = running + lock_waiting + idle_in_transaction + idle;
    let states = States { running, lock_waiting, idle_in_transaction, idle, other: used.saturating_sub(named) };
    let applications = rows::<RawApplication>(raw.applications.as_deref())?;
    let waits = rows::<Wait>(raw.waits.as_deref())?;
    let counters = rows::<RawCounters>(raw.counters.as_deref())?.into_iter().next();
    let mut sessions: Vec<Session> = rows::<RawSession>(raw.sessions.as_deref())?.into_iter().map(session).collect();
    sessions.extend(prepared(rows(raw.prepared.as_deref())?));
    attach_locks(&mut sessions, rows(raw.locks.as_deref())?);
    let counted: u32 = applications.iter().map(|a| a.sessions).sum();
    let limited = limited(raw, version, role, &sessions, used.saturating_sub(counted));
    Ok(DbSample {
        at: Stamp(raw.at),
        version,
        replica: raw.replica,
        max_connections: count(raw.max_connections),
        reserved: count(raw.reserved),
        states,
        applications: applications.into_iter().map(application).collect(),
        waits,
        sessions,
        counters: counters.map(totals),
        statements: None,
        limited,
    })
}

fn count(n: i32) -> u32 {
    u32::try_from(n).unwrap_or(0)
}

fn application(a: RawApplication) -> Application {
    Application { name: a.name.into(), state: a.state, sessions: a.sessions, since: a.since.map(Stamp) }
}

fn totals(c: RawCounters) -> Counters {
    Counters {
        commits: c.commits,
        rollbacks: c.rollbacks,
        deadlocks: c.deadlocks,
        temp_bytes: c.temp_bytes,
        blocks_read: c.blocks_read,
        blocks_hit: c.blocks_hit,
        reset: c.reset.map(Stamp),
    }
}

fn session(s: RawSession) -> Session {
    Session {
        pid: s.pid,
        application: s.application.into(),
        user: s.role.into(),
        client: s.client.into(),
        state: s.state,
        // Until the lock's own start is known (14 and later), a wait is as old as the statement's state.
        waiting: if s.wait_kind == "Lock" { s.in_state.map(Stamp) } else { None },
        wait_kind: s.wait_kind,
        wait_event: s.wait_event,
        connected: s.connected.map(Stamp),
        in_transaction: s.in_transaction.map(Stamp),
        in_query: s.in_query.map(Stamp),
        in_state: s.in_state.map(Stamp),
        query: s.query.into(),
        blocked_by: s.by.unwrap_or_default(),
        holds: Vec::new(),
        wants: None,
    }
}

/// Prepared transactions have no backend; `pg_blocking_pids` calls all of them 0, and so do we.
fn prepared(found: Vec<RawPrepared>) -> Option<Session> {
    let oldest = found.first()?;
    let names = found.iter().map(|p| p.gid.as_str()).collect::<Vec<_>>().join(", ");
    Some(Session {
        pid: 0,
        application: "prepared transaction".into(),
        user: oldest.owner.as_str().into(),
        state: "prepared".to_owned(),
        in_transaction: oldest.prepared.map(Stamp),
        in_state: oldest.prepared.map(Stamp),
        query: format!("PREPARE TRANSACTION {names}").into(),
        ..Session::default()
    })
}

fn attach_locks(sessions: &mut [Session], locks: Vec<RawLock>) {
    let place: BTreeMap<Pid, usize> = sessions.iter().enumerate().map(|(i, s)| (s.pid, i)).collect();
    for lock in locks {
        let Some(session) = place.get(&lock.pid).and_then(|i| sessions.get_mut(*i)) else { continue };
        let words = Lock { target: target(&lock), kind: lock.kind, mode: lock.mode };
        if lock.granted {
            session.holds.push(words);
        } else {
            if let Some(since) = lock.since {
                session.waiting = Some(Stamp(since));
            }
            session.wants.get_or_insert(words);
        }
    }
    for session in sessions {
        session.holds.sort();
        session.holds.dedup();
    }
}

/// What is locked, as one would say it.
fn target(l: &RawLock) -> Untrusted {
    let relation = l.relation.as_deref().unwrap_or("?");
    let n = Option::unwrap_or_default;
    let words = match l.kind.as_str() {
        "transactionid" => format!("xid {}", l.xid.as_deref().unwrap_or("?")),
        "virtualxid" => format!("virtual xid {}", l.vxid.as_deref().unwrap_or("?")),
        "tuple" => format!("row of {relation} ({},{})", n(l.page), n(l.tuple)),
        "page" => format!("page {} of {relation}", n(l.page)),
        // A bigint key is split over two columns, two integer keys are in the same ones; objsubid tells.
        "advisory" if l.objsubid == Some(2) => format!("advisory {},{}", signed(l.classid), signed(l.objid)),
        "advisory" => format!("advisory {}", (n(l.classid) << 32) | n(l.objid)),
        "relation" => relation.to_owned(),
        "extend" => format!("extension of {relation}"),
        other if l.relation.is_some() => format!("{other} of {relation}"),
        other => format!("{other} {}/{}", n(l.classid), n(l.objid)),
    };
    words.into()
}

/// An `int4` that `pg_locks` shows as an `oid`.
fn signed(oid: Option<i64>) -> i32 {
    oid.unwrap_or_default() as u32 as i32
}

/// What is missing in this look, with what would help.
fn limited(raw: &Raw, version: i32, role: &str, sessions: &[Session], more: u32) -> Vec<Limited> {
    let mut out = Vec::new();
    let mut say = |what: String, remedy: String| out.push(Limited { what, remedy });
    if !raw.sees_all {
        let hidden = raw.hidden;
        say(
            format!(
                "{hidden} sessions of other roles are counted only: their states, waits and statements are hidden from role {role}"
            ),
            format!("GRANT pg_monitor TO {role};"),
        );
    }
    if raw.untracked > 0 {
        say(
            format!("{} sessions do not tell their state: track_activities is off", raw.untracked),
            "ALTER SYSTEM SET track_activities = on; SELECT pg_reload_conf();".to_owned(),
        );
    }
    let waiting = sessions.iter().filter(|s| s.wait_kind == "Lock").count();
    let cut = (raw.waiters.max(0) as usize).saturating_sub(waiting.min(sql::MOST_WAITING));
    if cut > 0 {
        say(
            format!(
                "{cut} more sessions wait for a lock; the tree has the {} that wait longest, the counts have all",
                sql::MOST_WAITING.min(waiting)
            ),
            String::new(),
        );
    }
    let long = sessions.iter().filter(|s| s.in_transaction.is_some_and(|t| raw.at - t.0 > 30_000_000)).count();
    let cut = (raw.long.max(0) as usize).saturating_sub(long);
    if cut > 0 && sessions.len() >= sql::MOST_SESSIONS {
        say(
            format!("{cut} more transactions are open for over {}; the oldest are named", sql::LONG_TRANSACTION),
            String::new(),
        );
    }
    if more > 0 {
        let shown = sql::MOST_APPLICATIONS;
        say(
            format!("{more} sessions belong to applications after the first {shown}; the counts by state have all"),
            String::new(),
        );
    }
    if version < 140_000 && waiting > 0 {
        say(
            "lock waits are as old as the waiting statement: PostgreSQL tells when a wait began from version 14 on"
                .to_owned(),
            String::new(),
        );
    }
    out
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
