//! Looks at the four databases that no server stands behind: a scene as the statistics views of PostgreSQL would
//! show it, with counters, statements and the blocking tree.

use super::day::Day;
use super::platform::agenda::Ms;
use super::platform::{ms, stamp};
use super::scene::{Root, Scene};
use super::signals;
use super::stage::scene;
use crate::model::database::{Application, Counters, DbSample, Limited, Lock, Session, Statement, States, Wait};
use crate::model::health::Cost;
use crate::model::{Fact, Lapse, Stamp, Untrusted};

/// One of the databases, with what has been counted so far.
#[derive(Debug)]
pub struct Server {
    /// Name of its source.
    pub name: &'static str,
    version: i32,
    replica: bool,
    /// Looks happen at multiples of 15 s plus this.
    phase: i64,
    skew: Lapse,
    counters: Counters,
    statements: Vec<Statement>,
    last: Option<Stamp>,
}

/// MRG, UPG, the Orchestrator and Head Office.
pub fn servers(day: &Day) -> Vec<Server> {
    let server = |name, version, replica, phase, skew| Server {
        name,
        version,
        replica,
        phase,
        skew: Lapse::millis(skew),
        counters: Counters { commits: 88_000_000, rollbacks: 41_000, ..Counters::default() },
        statements: statements(name),
        last: None,
    };
    vec![
        server("mrg", 150_018, false, 0, -10 + day.scenario.ahead("mrg")),
        server("upg", 150_018, true, 5, 40 + day.scenario.ahead("upg")),
        server("orch", 140_020, false, 10, -10 + day.scenario.ahead("orchestrator")),
        server("ho", 130_023, true, 5, 200 + day.scenario.ahead("ho")),
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

/// Calls a second and mean milliseconds of a database's statement `i`.
fn pace(name: &str, i: usize, minute: &signals::Minute<'_>) -> (f64, f64) {
    let b = &minute.bucket;
    let second = |n: f32| f64::from(n) / 60.0;
    let slow = f64::from(b.slow).max(1.0);
    // Who waits for a row waits inside its statement.
    let held = |calls: f64| 1_000.0 * f64::from(b.locked) / calls.max(0.5);
    match (name, i) {
        ("mrg", 0) => (second(b.completed + b.born) * 2.0, 1.8 * slow),
        ("mrg", 1) => (second(b.completed + b.born) * 2.4, 1.9 * slow),
        ("mrg", 2) => (second(b.came - b.refused) * 0.8, 2.1 * slow),
        ("mrg", 3) => (second(b.born), 1.4 * slow),
        ("mrg", 4) => (second(b.born), 1.1 * slow + held(second(b.born))),
        ("mrg", _) => (second(b.came - b.refused) * 0.6, 0.9 * slow),
        ("upg", 0) => (second(b.calls), 0.9),
        ("upg", _) => (second(b.paid), 0.8),
        ("orch", _) => (second(b.born + b.completed) * 2.0, 0.7),
        (_, _) => (second(b.booked), 0.9),
    }
}

impl Server {
    /// Whether its turn has come.
    pub fn due(&self, at: Stamp) -> bool {
        (at.0 / 1_000_000 - self.phase).rem_euclid(15) == 0
    }

    /// The Sunday before, `week` earlier: a look a minute.
    pub fn usual(&mut self, day: &Day, from: Ms, to: Ms, week: Lapse) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut at = from;
        while at < to {
            let mut sample = self.sample(day, at, true);
            sample.at = stamp(at) - week;
            facts.push(Fact::Database(Box::new(sample)));
            at += signals::MINUTE;
        }
        self.counters.reset = Some(stamp(from) - Lapse::hours(30));
        self.last = None;
        facts
    }

    /// One look, with what it cost.
    pub fn look(&mut self, day: &Day, at: Stamp, rng: &mut fastrand::Rng) -> Vec<Fact> {
        let sample = self.sample(day, ms(at), false);
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

    fn sample(&mut self, day: &Day, now: Ms, usual: bool) -> DbSample {
        let scene = scene(day, self.name, now, usual);
        let at = stamp(now);
        self.count(day, now, &scene, usual);
        let sum = |of: fn(&super::scene::Crew) -> u32| scene.crews.iter().map(of).sum::<u32>();
        let mut states = States {
            running: sum(|c| c.running) + 1,
            lock_waiting: sum(|c| c.waiting),
            idle_in_transaction: sum(|c| c.idle_in_transaction),
            idle: sum(|c| c.idle),
            other: 0,
        };
        let usable = scene.max_connections.saturating_sub(3);
        let over = states.used().saturating_sub(usable);
        states.idle = states.idle.saturating_sub(over);
        DbSample {
            at,
            version: self.version,
            replica: self.replica,
            max_connections: scene.max_connections,
            reserved: 3,
            applications: applications(&scene, at),
            waits: waits(states, scene.advisory),
            sessions: sessions(&scene, at),
            states,
            counters: Some(self.counters.clone()),
            statements: (self.name != "orch").then(|| self.statements.clone()),
            limited: if self.name == "orch" {
                vec![Limited {
                    what: "statements: the extension pg_stat_statements is not there".to_owned(),
                    remedy: "CREATE EXTENSION pg_stat_statements; (and shared_preload_libraries)".to_owned(),
                }]
            } else {
                Vec::new()
            },
        }
    }

    /// Moves the cumulative counters on to `now`.
    fn count(&mut self, day: &Day, now: Ms, scene: &Scene, usual: bool) {
        let at = stamp(now);
        let seconds = self.last.map_or(15.0, |last| at.since(last).as_secs_f64()).clamp(0.0, 600.0);
        self.last = Some(at);
        self.counters.commits += (scene.commits * seconds) as i64;
        self.counters.rollbacks += (scene.rollbacks * seconds).round() as i64;
        self.counters.deadlocks = scene.deadlocks as i64;
        self.counters.blocks_hit += (41_000.0 * seconds) as i64;
        self.counters.blocks_read += (120.0 * seconds) as i64;
        let minute = now.div_euclid(signals::MINUTE) * signals::MINUTE;
        let Some(minute) = signals::minute(day, minute, usual) else { return };
        for (i, s) in self.statements.iter_mut().enumerate() {
            let (calls, mean) = pace(self.name, i, &minute);
            let calls = calls * seconds;
            s.calls += calls as i64;
            s.rows += calls as i64;
            s.total_ms += calls * mean;
        }
    }
}

fn applications(scene: &Scene, at: Stamp) -> Vec<Application> {
    let app = |name: &str, state: &str, sessions: u32| Application {
        name: name.into(),
        state: state.to_owned(),
        sessions,
        since: Some(at - Lapse::seconds(i64::from(sessions % 7) + 1)),
    };
    let mut out = vec![app("warroom", "active", 1)];
    for crew in &scene.crews {
        out.push(app(&crew.application, "active", crew.running + crew.waiting));
        out.push(app(&crew.application, "idle in transaction", crew.idle_in_transaction));
        out.push(app(&crew.application, "idle", crew.idle));
    }
    out.retain(|a| a.sessions > 0);
    out.sort_by_key(|a| std::cmp::Reverse(a.sessions));
    out
}

fn waits(states: States, advisory: u32) -> Vec<Wait> {
    let wait =
        |kind: &str, event: &str, sessions: u32| Wait { kind: kind.to_owned(), event: event.to_owned(), sessions };
    let tuple = u32::from(states.lock_waiting > advisory + 2);
    let io = states.running / 5;
    let mut out = vec![
        wait("Client", "ClientRead", states.idle + states.idle_in_transaction),
        wait("", "", states.running - io),
        wait("IO", "DataFileRead", io),
        wait("Lock", "transactionid", states.lock_waiting.saturating_sub(advisory + tuple)),
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
const STOCK: &str = "UPDATE stock SET held = held + $1 WHERE sku = $2";

fn session(pid: i32, application: &str, state: &str, query: &str, since: Stamp) -> Session {
    Session {
        pid,
        application: application.into(),
        user: "app".into(),
        client: "10.0.4.31".into(),
        state: state.to_owned(),
        connected: Some(since.min(stamp(18 * 3_600_000 + 1_800_000))),
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

const ROOT: i32 = 48_211;
const BATCH: i32 = 47_902;

/// Who blocks whom: the root, the line behind it, the fan around it, and the waiters for a batch job's lock.
fn sessions(scene: &Scene, at: Stamp) -> Vec<Session> {
    let Some(Root { application, idle, open_for }) = &scene.root else { return Vec::new() };
    // Nobody waits longer than the root has been open.
    let since = |place: u32, of: u32| {
        at - Lapse(open_for.0 * i64::from(of + 1 - place) / i64::from(of + 2)).max(Lapse::millis(40))
    };
    let xid = |n: i32| lock("transactionid", "ShareLock", &format!("xid {}", 91_822_407 + n));
    let begun = at - *open_for;
    let mut root = session(ROOT, application, if *idle { "idle in transaction" } else { "active" }, STATE, begun);
    if *idle {
        (root.wait_kind, root.wait_event) = ("Client".to_owned(), "ClientRead".to_owned());
    }
    root.holds =
        vec![lock("transactionid", "ExclusiveLock", "xid 91822407"), lock("relation", "RowExclusiveLock", "stock")];
    let mut out = vec![root];
    let pods = |i: u32| format!("mrg-api-{}", i % 8 + 1);
    let mut behind = ROOT;
    for i in 0..scene.chain {
        let pid = 48_377 + 25 * i as i32;
        let mut s = waiter(pid, &pods(i * 3 + 2), STOCK, since(i, scene.chain), &[behind], xid(i as i32));
        s.holds = vec![lock("tuple", "ExclusiveLock", &format!("row of stock (77,{})", 13 + i))];
        out.push(s);
        behind = pid;
    }
    if scene.advisory > 0 {
        let mut batch = session(BATCH, "cron-settle", "active", "SELECT settle_batch($1)", begun);
        (batch.wait_kind, batch.wait_event) = ("IO".to_owned(), "DataFileRead".to_owned());
        batch.holds = vec![lock("advisory", "ExclusiveLock", "advisory 4711")];
        out.push(batch);
    }
    for i in 0..scene.advisory {
        let wants = lock("advisory", "ExclusiveLock", "advisory 4711");
        let query = "SELECT pg_advisory_xact_lock($1)";
        out.push(waiter(48_120 + i as i32, &pods(i), query, since(i, scene.advisory), &[BATCH], wants));
    }
    for i in 0..scene.fan {
        out.push(waiter(48_500 + 3 * i as i32, &pods(i), STOCK, since(i, scene.fan), &[ROOT], xid(0)));
    }
    out
}
