//! Cloud and runtime metrics of the story: one point a minute for each series.

use super::orders::Desk;
use super::story::{self, END, START, WEEK, clock, crowd, harm, pressure};
use crate::model::batch::Samples;
use crate::model::{Fact, Lapse, Stamp};

/// Users on an ordinary Sunday evening.
pub const NORMAL_USERS: f64 = 28_400.0;
/// Users on top of that at the peak: together 77.0k.
pub const CROWD: f64 = 48_600.0;

/// The points of one minute.
pub fn minute(at: Stamp, desk: &Desk, rng: &mut fastrand::Rng) -> Vec<Fact> {
    let (attempts, acknowledged) = desk.callbacks(at, at + Lapse::minutes(1));
    let ok = if attempts == 0 { None } else { Some(100.0 * acknowledged as f64 / attempts as f64) };
    vec![Fact::Samples(points(at, ok, rng))]
}

/// Last Sunday: the same series without a crowd.
pub fn baseline(rng: &mut fastrand::Rng) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut at = START - WEEK;
    while at < END - WEEK {
        let ok = 99.9 + 0.1 * rng.f64();
        facts.push(Fact::Samples(points(at, Some(ok), rng)));
        at = at + Lapse::minutes(1);
    }
    facts
}

fn points(at: Stamp, callback_ok: Option<f64>, rng: &mut fastrand::Rng) -> Samples {
    let crowd = crowd(at).max(0.0);
    let pressure = pressure(at);
    let harm = harm(at);
    let mut around = |value: f64, share: f64| value * (1.0 + share * (rng.f64() * 2.0 - 1.0));
    let users =
        if at == clock(19, 55, 0) { 77_000.0 } else { around(NORMAL_USERS + CROWD * crowd, 0.008).min(76_900.0) };
    let requests = around(431.0 + 760.0 * crowd, 0.02);
    let latency = around(0.42 + 9.2 * pressure * (0.12 + 0.88 * crowd), 0.06);
    let errors = around(0.3 + 13.6 * harm, 0.08);
    let pool = (38.0 + 9.0 * crowd + 70.0 * pressure).min(100.0);
    let pool = if pool >= 100.0 { 100.0 } else { around(pool, 0.04).min(100.0) };
    let waiting = ramp_wait(at);
    let wait = around(0.002 + 4.9 * waiting * (0.2 + 0.8 * crowd), 0.07);
    let goroutines = around(1_900.0 + 5_200.0 * harm, 0.03);
    let pause = around(0.0011 + 0.004 * crowd, 0.2);
    let cpu = around(22.0 + 19.0 * crowd, 0.05);
    let timeouts = (1_150.0 * harm * (0.9 + 0.2 * rng.f64())).round();
    let mut values: Vec<(&str, f64)> = vec![
        ("metrics.users", users.round()),
        ("metrics.requests", (requests * 10.0).round() / 10.0),
        ("metrics.latency_p95", (latency * 1_000.0).round() / 1_000.0),
        ("metrics.errors", (errors * 100.0).round() / 100.0),
        ("metrics.pool_in_use", (pool * 10.0).round() / 10.0),
        ("metrics.pool_acquired", (pool * 1.6).round()),
        ("metrics.pool_wait", (wait * 10_000.0).round() / 10_000.0),
        ("metrics.pool_timeouts", timeouts),
        ("metrics.breaker_open", f64::from(u8::from(story::breaker_open(at)))),
        ("metrics.goroutines", goroutines.round()),
        ("metrics.gc_pause", (pause * 100_000.0).round() / 100_000.0),
        ("metrics.db_cpu", (cpu * 10.0).round() / 10.0),
    ];
    if let Some(ok) = callback_ok {
        values.push(("metrics.callback_ok", (ok * 100.0).round() / 100.0));
    }
    Samples { at, values: values.into_iter().map(|(name, v)| (name.into(), v)).collect() }
}

/// Waiting for a connection begins two minutes before the pools are full.
pub fn ramp_wait(at: Stamp) -> f64 {
    story::ramp(at, clock(19, 25, 30), clock(19, 32, 0)) * (1.0 - story::ramp(at, clock(20, 30, 0), clock(20, 36, 0)))
}
