//! What the four databases' sessions do, from what the platform's pools, rows and queues do.
//!
//! May not know: statistics views, servers.

use super::day::Day;
use super::platform::agenda::Ms;
use super::platform::meter::{BUCKET, Bucket};
use super::platform::stamp;
use super::scene::{Crew, Root, Scene};
use crate::model::Lapse;

/// The databases, by the names their sources have.
pub const DATABASES: [&str; 4] = ["mrg", "upg", "orch", "ho"];
/// Sessions of MRG's database that no pool of MRG's has.
const OTHERS: u32 = 13;

/// What the sessions of a database do at an instant of the day, or of the usual Sunday.
pub fn scene(day: &Day, database: &str, at: Ms, usual: bool) -> Scene {
    let meter = if usual { &day.usual } else { &day.history.meter };
    let from = at.div_euclid(BUCKET) * BUCKET;
    let b = meter.between(from, from + BUCKET).first().copied().unwrap_or_default();
    match database {
        "mrg" => mrg(day, at, &b),
        "upg" => plain("upg", 300, 44 + share(b.upg_busy, 1.2), share(b.upg_busy, 0.35), 26.0 * rate(b.calls + b.paid)),
        "orch" => plain("orch", 100, 30, share(b.completed, 0.03), 10.0 * rate(b.born + b.completed)),
        _ => plain("ho", 100, 22 + share(b.booked, 0.05), share(b.booked, 0.02), 8.0 * rate(b.booked + b.told)),
    }
}

fn share(of: f32, part: f32) -> u32 {
    (of * part).round() as u32
}

/// A bucket's count as a second's.
fn rate(n: f32) -> f64 {
    f64::from(n) * 1_000.0 / BUCKET as f64
}

fn crew(application: &str, running: u32, idle: u32, idle_in_transaction: u32, waiting: u32) -> Crew {
    Crew { application: application.to_owned(), running, idle, idle_in_transaction, waiting }
}

/// A database that nobody is in the way of.
fn plain(name: &str, max_connections: u32, idle: u32, running: u32, commits: f64) -> Scene {
    Scene {
        max_connections,
        crews: vec![crew(&format!("{name}-api"), running, idle, 0, 0), crew("psql", 0, 1, 0, 0)],
        commits,
        rollbacks: commits * 0.000_4,
        ..Scene::default()
    }
}

fn mrg(day: &Day, at: Ms, b: &Bucket) -> Scene {
    let set = day.scenario.at(stamp(at));
    let size = set.mrg.pods * set.mrg.pool;
    let waiting = b.locked as u32;
    // Steps of orders keep transactions open through the Orchestrator's connections; what leaks, leaks in MRG.
    let (ours, theirs) = if set.saga.sync_pay { (0, b.idle_open as u32) } else { (b.idle_open as u32, 0) };
    let used = (b.used.round() as u32).min(size);
    let running = used.saturating_sub(waiting + ours + theirs);
    let kept = (size * 2 / 5).max(used).min(size);
    let line = b.line as u32;
    // One of them waits for the root's row, the next for what that one holds, and so on; the rest for the root.
    let chain = waiting.min(line.max(1)).min(5);
    let advisory = if waiting > 8 { (waiting - chain) / 5 } else { 0 };
    let root = (waiting > 0).then(|| Root {
        application: "orchestrator".to_owned(),
        idle: set.saga.sync_pay,
        open_for: Lapse::millis((b.upg.quantile(0.95).unwrap_or(400.0) * (1.0 + 0.2 * b.line)) as i64),
    });
    let orchestrator = theirs.max(u32::from(root.as_ref().is_some_and(|r| r.idle)));
    Scene {
        max_connections: set.mrg.max_connections,
        crews: vec![
            crew("mrg-api", running.saturating_sub(1), kept - used, ours, waiting),
            crew("orchestrator", 1, 2, orchestrator, 0),
            crew("cron-settle", 1, 0, 0, 0),
            crew("bi-export", 2, 2, 0, 0),
            crew("psql", 0, OTHERS - 8, 0, 0),
        ],
        root,
        chain,
        fan: waiting - chain - advisory,
        advisory,
        deadlocks: day.deadlocks(at),
        commits: rate(b.commits),
        rollbacks: rate(b.rollbacks + b.starved * 0.2) + 0.3,
    }
}
