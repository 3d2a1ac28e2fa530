//! The alarms somebody set up on the platform's measures long ago, and when they were on: a threshold, three
//! minutes in a row.

use super::day::Day;
use super::platform::agenda::Ms;
use super::platform::stamp;
use super::signals::{self, MINUTE, Minute};
use super::stage::scene;
use crate::model::Stamp;

/// So many minutes in a row.
pub const COUNT: usize = 3;

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// What people call it.
    pub name: &'static str,
    /// From 1, critical, to 4, for information.
    pub level: u8,
    /// The threshold.
    pub over: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What is looked at.
    measure: fn(&Day, Ms, &Minute<'_>) -> f64,
}

/// All rules: connections, errors and latency of the balancer, the database's processors, the callback queue.
pub const RULES: [Rule; 5] = [
    Rule {
        name: "connections of mrg above 85 %",
        level: 1,
        over: 85.0,
        unit: "%",
        measure: |day, at, _| {
            let scene = scene(day, "mrg", at, false);
            let used: u32 = scene.crews.iter().map(|c| c.running + c.idle + c.idle_in_transaction + c.waiting).sum();
            100.0 * f64::from(used) / f64::from(scene.max_connections.max(1))
        },
    },
    Rule {
        name: "elb-5xx",
        level: 2,
        over: 50.0,
        unit: "Count/s",
        measure: |_, _, m| m.errors() / 100.0 * m.requests(),
    },
    Rule { name: "elb-latency", level: 3, over: 1_000.0, unit: "ms", measure: |_, _, m| 1_000.0 * m.latency_p95() },
    Rule { name: "mrg-cpu", level: 2, over: 80.0, unit: "%", measure: |_, _, m| m.db_cpu() },
    Rule {
        name: "ho-callbacks behind",
        level: 3,
        over: 500.0,
        unit: "count",
        measure: |_, _, m| f64::from(m.bucket.pending),
    },
];

/// A time an alarm was on.
#[derive(Clone, Debug, PartialEq)]
pub struct On {
    /// Which of [`RULES`].
    pub rule: usize,
    /// Since when.
    pub began: Stamp,
    /// Until when; none while it lasts.
    pub ended: Option<Stamp>,
    /// The values that made it fire, and when.
    pub points: Vec<(Stamp, f64)>,
}

/// When alarms were on, in order of time. Where metrics are lost the alarms are blind.
pub fn on(day: &Day, from: Ms, to: Ms) -> Vec<On> {
    let mut out = Vec::new();
    for (i, rule) in RULES.iter().enumerate() {
        let mut over: Vec<(Stamp, f64)> = Vec::new();
        let mut current: Option<On> = None;
        let mut at = from;
        while at < to {
            let seen = stamp(at + MINUTE);
            let lost = day.scenario.observed.metrics_lost.is_some_and(|s| s.contains(seen));
            if let Some(minute) = signals::minute(day, at, false).filter(|_| !lost) {
                let value = (rule.measure)(day, at, &minute);
                if value >= rule.over {
                    over.push((seen, value));
                } else {
                    over.clear();
                }
                let fires = over.len() >= COUNT;
                match &mut current {
                    None if fires => {
                        let points = over.iter().rev().take(COUNT).rev().copied().collect();
                        current = Some(On { rule: i, began: seen, ended: None, points });
                    }
                    Some(on) if !fires => {
                        on.ended = Some(seen);
                        out.extend(current.take());
                    }
                    _ => {}
                }
            }
            at += MINUTE;
        }
        out.extend(current);
    }
    out.sort_by_key(|on| on.began);
    out
}
