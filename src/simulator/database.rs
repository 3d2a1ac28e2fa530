//! The four databases of the story: counts, the blocking tree of MRG, counters and statements.

use super::story::{END, START, WEEK, clock, crowd, harm, pressure};
use crate::model::database::{Application, Counters, DbSample, Lock, Session, Statement, States, Wait};
use crate::model::health::Cost;
use crate::model::{Fact, Lapse, Stamp, Untrusted};

/// One of the databases, with what has been counted so far.
#[derive(Debug)]
pub struct Server {
    /// Name of its source.
    pub name: &'static str,
    version: i32,
    replica: bool,
    max_connections: u32,
    /// Looks happen at multiples of 15 s plus this.
    phase: i64,
    normal: u32,
    skew: Lapse,
    counters: Counters,
    statements: Vec<Statement>,
    last: Option<Stamp>,
}

/// MRG, UPG, the Orchestrator and Head Office.
pub fn servers() -> Vec<Server> {
    let server = |name, version, replica, max, phase, normal, skew| Server {
        name,
        version,
        replica,
        max_connections: max,
        phase,
        normal,
        skew: Lapse::millis(skew),
        counters: Counters { commits: 88_000_000, rollbacks: 41_000, ..Counters::default() },
        statements: statements(name),
        last: None,
    };
    vec![
        server("mrg", 150_018, false, 200, 0, 74, -10),
        server("upg", 150_018, true, 300, 5, 58, 40),
        server("orch", 140_020, false, 100, 10, 37, -10),
        server("ho", 130_023, true, 100, 5, 34, 200),
    ]
}

fn statements(name: &str) -> Vec<Statement> {
    let texts: &[&str] = match name {
        "mrg" => &[
            "SELECT id, state, ver FROM orders WHERE id = $1 FOR UPDATE",
            "UPDATE orders SET state = $1, ver = ver + $2 WHERE id = $3",
            "SELECT id, state, total FROM orders WHERE customer = $1 ORDER BY created_at DESC LIMIT $2",
            "INSERT INTO orders (id, customer, total, state) VALUES ($1, $2, $3, $4)",
            "UPDATE stock SET held = held + $1 WHERE sku = $2",
            "SELECT sku, free FROM stock WHERE sku = ANY($1)",
        ],
        "upg" => &[
            "INSERT INTO payments (ref, order_id, amount) VALUES ($1, $2, $3)",
            "UPDATE payments SET status = $1 WHERE ref = $2",
        ],
        "orch" => &["UPDATE saga SET step = $1 WHERE id = $2", "SELECT id, step FROM saga WHERE due < $1 LIMIT $2"],
        _ => &["INSERT INTO ho_payments (ref, upg_ref, amount) VALUES ($1, $2, $3)"],
    };
    texts
        .iter()
        .enumerate()
        .map(|(i, text)| Statement {
            id: 7_000 + i as i64 * 13,
            calls: 4_000_000,
            total_ms: 7_600_000.0,
            rows: 4_000_000,
            query: Untrusted::from(*text),
        })
        .collect()
}

/// Calls a second and mean milliseconds of MRG's statement `i` at `at`.
fn pace(name: &str, i: usize, at: Stamp) -> (f64, f64) {
    if name != "mrg" {
        return (90.0 + 30.0 * crowd(at).max(0.0), 0.9);
    }
    let harm = harm(at);
    match i {
        0 => (212.0 - 190.0 * harm, 1.8 + 2_300.0 * harm),
        1 => (196.0 - 60.0 * harm, 1.9 + 38.0 * harm),
        2 => (330.0, 2.1),
        3 => (168.0 + 66.0 * crowd(at).max(0.0), 1.4),
        4 => (120.0, 1.1 + 11.0 * harm),
        _ => (290.0, 0.9),
    }
}

impl Server {
    /// Whether its turn has come.
    pub fn due(&self, at: Stamp) -> bool {
        (at.0 / 1_000_000 - self.phase).rem_euclid(15) == 0
    }

    /// Last Sunday: a look a minute, nobody blocked.
    pub fn baseline(&mut self, rng: &mut fastrand::Rng) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut at = START - WEEK;
        while at < END - WEEK {
            facts.push(Fact::Database(Box::new(self.sample(at, 0.0, 0.0, 0.0, rng))));
            at = at + Lapse::minutes(1);
        }
        self.counters.reset = Some(START - Lapse::hours(30));
        self.last = None;
        facts
    }

    /// One look, with what it cost.
    pub fn look(&mut self, at: Stamp, rng: &mut fastrand::Rng) -> Vec<Fact> {
        let mrg = self.name == "mrg";
        let (p, h) = if mrg { (pressure(at), harm(at)) } else { (0.0, 0.0) };
        let sample = self.sample(at, p, h, crowd(at).max(0.0), rng);
        let cost = Cost {
            at,
            requests: 3,
            bytes: 9_000 + sample.sessions.len() as u64 * 260,
            took: Lapse(rng.i64(1_900..5_200)),
            server: Some(Lapse(rng.i64(900..1_900))),
            connections: 1,
            skew: Some(self.skew),
            interval: Lapse::seconds(15),
            ..Cost::default()
        };
        vec![Fact::Database(Box::new(sample)), Fact::Cost(cost)]
    }

    fn sample(&mut self, at: Stamp, pressure: f64, harm: f64, crowd: f64, rng: &mut fastrand::Rng) -> DbSample {
        self.count(at, harm);
        let usable = self.max_connections - 3;
        let wanted = f64::from(self.normal) * (1.0 + 0.12 * crowd) + f64::from(usable) * 0.9 * pressure;
        let used = (wanted as u32 + rng.u32(0..4)).min(usable);
        let waiting = ((31.0 * harm) as u32).min(used / 3);
        let idle_in_transaction = 2 + (69.0 * pressure) as u32;
        let running = 9 + (84.0 * pressure) as u32 + rng.u32(0..3);
        let states = States {
            running: running.min(used.saturating_sub(waiting + idle_in_transaction)),
            lock_waiting: waiting,
            idle_in_transaction,
            idle: 0,
            other: 0,
        };
        let states = States { idle: used.saturating_sub(states.used()), ..states };
        DbSample {
            at,
            version: self.version,
            replica: self.replica,
            max_connections: self.max_connections,
            reserved: 3,
            applications: self.applications(states, at),
            waits: waits(states),
            sessions: if waiting > 0 { scene(at, waiting as usize) } else { Vec::new() },
            states,
            counters: Some(self.counters.clone()),
            statements: (self.name != "orch").then(|| self.statements.clone()),
            limited: if self.name == "orch" {
                vec![crate::model::database::Limited {
                    what: "statements: the extension pg_stat_statements is not there".to_owned(),
                    remedy: "CREATE EXTENSION pg_stat_statements; (and shared_preload_libraries)".to_owned(),
                }]
            } else {
                Vec::new()
            },
        }
    }

    /// Moves the cumulative counters on to `at`.
    fn count(&mut self, at: Stamp, harm: f64) {
        let seconds = self.last.map_or(15.0, |last| at.since(last).as_secs_f64()).clamp(0.0, 600.0);
        self.last = Some(at);
        self.counters.commits += (498.0 * seconds * (1.0 - 0.15 * harm)) as i64;
        self.counters.rollbacks += ((0.3 + 14.0 * harm) * seconds) as i64;
        self.counters.blocks_hit += (41_000.0 * seconds) as i64;
        self.counters.blocks_read += (120.0 * seconds) as i64;
        for (i, s) in self.statements.iter_mut().enumerate() {
            let (calls, mean) = pace(self.name, i, at);
            s.calls += (calls * seconds) as i64;
            s.rows += (calls * seconds) as i64;
            s.total_ms += calls * seconds * mean;
        }
    }

    fn applications(&self, states: States, at: Stamp) -> Vec<Application> {
        let app = |name: &str, state: &str, sessions: u32| Application {
            name: name.into(),
            state: state.to_owned(),
            sessions,
            since: Some(at - Lapse::seconds(i64::from(sessions % 7) + 1)),
        };
        let mut out = vec![app("warroom", "active", 1)];
        if self.name == "mrg" {
            let orchestrator = states.idle_in_transaction.min(24);
            out.push(app("mrg-api", "active", (states.running + states.lock_waiting).saturating_sub(10)));
            out.push(app("mrg-api", "idle in transaction", states.idle_in_transaction - orchestrator));
            out.push(app("mrg-api", "idle", states.idle.saturating_sub(4)));
            out.push(app("orchestrator", "idle in transaction", orchestrator));
            out.push(app("cron-settle", "active", 5));
            out.push(app("bi-export", "active", 4));
            out.push(app("psql", "idle", 4));
        } else {
            out.push(app(&format!("{}-api", self.name), "active", states.running.saturating_sub(1)));
            out.push(app(&format!("{}-api", self.name), "idle", states.idle + states.idle_in_transaction));
        }
        out.retain(|a| a.sessions > 0);
        out.sort_by_key(|a| std::cmp::Reverse(a.sessions));
        out
    }
}

fn waits(states: States) -> Vec<Wait> {
    let wait =
        |kind: &str, event: &str, sessions: u32| Wait { kind: kind.to_owned(), event: event.to_owned(), sessions };
    let advisory = states.lock_waiting / 6;
    let tuple = u32::from(states.lock_waiting > 4);
    let io = states.running / 5;
    let mut out = vec![
        wait("Client", "ClientRead", states.idle + states.idle_in_transaction),
        wait("", "", states.running - io),
        wait("IO", "DataFileRead", io),
        wait("Lock", "transactionid", states.lock_waiting - advisory - tuple),
        wait("Lock", "advisory", advisory),
        wait("Lock", "tuple", tuple),
    ];
    out.retain(|w| w.sessions > 0);
    out.sort_by_key(|w| std::cmp::Reverse(w.sessions));
    out
}

fn lock(kind: &str, mode: &str, target: &str) -> Lock {
    Lock { kind: kind.to_owned(), mode: mode.to_owned(), target: target.into() }
}

const STATE: &str = "UPDATE orders SET state = $1, ver = ver + 1 WHERE id = $2";
const FOR_UPDATE: &str = "SELECT id, state, ver FROM orders WHERE id = $1 FOR UPDATE";
const STOCK: &str = "UPDATE stock SET held = held + $1 WHERE sku = $2";

fn session(pid: i32, application: &str, state: &str, query: &str, since: Stamp) -> Session {
    Session {
        pid,
        application: application.into(),
        user: "app".into(),
        client: "10.0.4.31".into(),
        state: state.to_owned(),
        connected: Some(clock(18, 30, 0)),
        in_transaction: Some(since),
        in_query: Some(since),
        in_state: Some(since),
        query: query.into(),
        ..Session::default()
    }
}

fn waiter(pid: i32, application: &str, query: &str, since: Stamp, behind: &[i32], wants: Lock) -> Session {
    Session {
        wait_kind: "Lock".to_owned(),
        wait_event: wants.kind.clone(),
        waiting: Some(since),
        blocked_by: behind.to_vec(),
        wants: Some(wants),
        ..session(pid, application, "active", query, since)
    }
}

/// Who blocks whom while orders hang: a transaction left open, a batch job with an advisory lock.
fn scene(at: Stamp, waiting: usize) -> Vec<Session> {
    let begun = clock(19, 29, 48);
    let since = |after: i64| (begun + Lapse::seconds(after)).min(at - Lapse::seconds(1));
    let xid = |mode: &str, n: &str| lock("transactionid", mode, n);
    let mut root = session(48_211, "orchestrator", "idle in transaction", STATE, begun.min(at));
    root.wait_kind = String::from("Client");
    root.wait_event = String::from("ClientRead");
    root.holds = vec![xid("ExclusiveLock", "xid 91822407"), lock("relation", "RowExclusiveLock", "orders")];
    let mut batch = session(47_902, "cron-settle", "active", "SELECT settle_batch($1)", since(10));
    batch.wait_kind = String::from("IO");
    batch.wait_event = String::from("DataFileRead");
    batch.holds = vec![lock("advisory", "ExclusiveLock", "advisory 4711")];
    let chain = [
        (48_377, "mrg-api-3", FOR_UPDATE, 14, 48_211, xid("ShareLock", "xid 91822407"), "row of orders (812,4)"),
        (
            48_402,
            "mrg-api-1",
            FOR_UPDATE,
            31,
            48_377,
            lock("tuple", "ExclusiveLock", "row of orders (812,4)"),
            "row of stock (77,13)",
        ),
        (48_419, "mrg-api-6", STOCK, 70, 48_402, xid("ShareLock", "xid 91822611"), "row of stock (77,14)"),
        (48_466, "mrg-api-2", STOCK, 175, 48_419, xid("ShareLock", "xid 91822640"), ""),
    ];
    let mut out = vec![root];
    for (pid, app, query, after, behind, wants, holds) in chain.into_iter().take(waiting) {
        let mut s = waiter(pid, app, query, since(after), &[behind], wants);
        if !holds.is_empty() {
            s.holds = vec![lock("tuple", "ExclusiveLock", holds)];
        }
        out.push(s);
    }
    let left = waiting.saturating_sub(out.len() - 1);
    let advisory = (waiting / 6).min(left);
    if advisory > 0 {
        out.push(batch);
    }
    for i in 0..advisory {
        let app = format!("mrg-api-{}", i % 8 + 1);
        let wants = lock("advisory", "ExclusiveLock", "advisory 4711");
        let pid = 48_120 + i as i32;
        out.push(waiter(pid, &app, "SELECT pg_advisory_xact_lock($1)", since(95 + 8 * i as i64), &[47_902], wants));
    }
    for i in 0..left - advisory {
        let app = format!("mrg-api-{}", i % 8 + 1);
        let wants = xid("ShareLock", "xid 91822407");
        let pid = 48_500 + 3 * i as i32;
        out.push(waiter(pid, &app, STATE, since(60 + 5 * i as i64), &[48_211], wants));
    }
    out
}
