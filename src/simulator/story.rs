//! The evening as an incident: its clock, and what a configuration would say of it. All times are WIB.

use super::scenario::{DEFAULT, Scenario, named};
use crate::model::incident::{Incident, Limit, Rules, SourceCard, SourceKind};
use crate::model::order::Role;
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::model::{Lapse, Span, Stamp, Zone};

/// 12 January 2025, 18:53 WIB: the demo begins in calm.
pub const START: Stamp = clock(18, 53, 0);
/// 21:30 WIB: it ends, recovered but for the orders.
pub const END: Stamp = clock(21, 30, 0);
/// How long after a minute its cloud metrics arrive.
pub const METRICS_LATE: Lapse = Lapse::seconds(90);
/// The baseline is the Sunday before.
pub const WEEK: Lapse = Lapse::hours(7 * 24);

/// A clock time of the evening.
pub const fn clock(h: i64, m: i64, s: i64) -> Stamp {
    // 2025-01-12T00:00:00+07:00
    Stamp(1_736_614_800_000_000 + (h * 3600 + m * 60 + s) * 1_000_000)
}

/// Which of its databases holds what.
const LEDGERS: [(Role, &str); 5] = [
    (Role::Orders, "mrg"),
    (Role::OrderEvents, "orch"),
    (Role::Payments, "upg"),
    (Role::Callbacks, "upg"),
    (Role::HoPayments, "ho"),
];

/// What the incident of the default scenario is.
pub fn incident() -> Incident {
    named(DEFAULT).map_or_else(|_| Incident::unnamed(Zone::wib()), |scenario| incident_of(&scenario))
}

/// What the incident is, as a configuration would say it. Nothing of it tells the cause.
pub fn incident_of(scenario: &Scenario) -> Incident {
    let set = scenario.first();
    let (pods, pool) = (f64::from(set.mrg.pods), f64::from(set.mrg.pool));
    let seconds = |ms: i64| ms as f64 / 1_000.0;
    Incident {
        title: scenario.title.as_str().into(),
        severity: "HIGH".into(),
        status: "investigating".into(),
        zone: Zone::wib(),
        window: Some(Span::new(START, END)),
        baseline: Some(Span::new(START - WEEK, END - WEEK)),
        rules: Rules::default(),
        lanes: lanes(f64::from(set.mrg.max_connections)),
        sources: sources(),
        limits: vec![
            Limit {
                of: format!("{pool} × {pods}"),
                ..limit("pool_max × pods", pods * pool, "metrics.pool_acquired", Unit::Count)
            },
            limit(
                "max_connections − reserved",
                f64::from(set.mrg.max_connections) - 3.0,
                "mrg.connections",
                Unit::Count,
            ),
            limit("acquire timeout", seconds(set.mrg.acquire_timeout), "metrics.pool_wait", Unit::Seconds),
            limit("client timeout", seconds(set.saga.upg_timeout), "metrics.upg_latency_p95", Unit::Seconds),
            limit("breaker opens at", 100.0 * set.breaker.ratio, "metrics.upg_timeouts", Unit::Percent),
            limit("callback attempts", f64::from(set.callback.attempts), "", Unit::Count),
        ],
        probes: Vec::new(),
        rule_files: Vec::new(),
        ledgers: LEDGERS.into_iter().map(|(role, source)| (role, source.into())).collect(),
        masks: Vec::new(),
        demo: true,
    }
}

fn limit(name: &str, value: f64, series: &str, unit: Unit) -> Limit {
    Limit { name: name.to_owned(), value, series: series.to_owned(), unit: Some(unit), of: String::new() }
}

fn lane(group: &str, name: &str, series: &str, unit: Unit, rollup: Rollup) -> Lane {
    Lane {
        group: group.to_owned(),
        name: name.to_owned(),
        series: series.into(),
        unit,
        rollup,
        bad: Bad::High,
        floor: 0.0,
        ceiling: None,
        lag: Lapse::ZERO,
        trigger: false,
        broken_at: None,
    }
}

fn lanes(max_connections: f64) -> Vec<Lane> {
    let usable = max_connections - 3.0;
    let late = |l: Lane| Lane { lag: Lapse::minutes(2), ..l };
    vec![
        late(Lane { trigger: true, ..lane("traffic", "users", "metrics.users", Unit::Users, Rollup::Last) }),
        late(lane("traffic", "requests", "metrics.requests", Unit::PerSecond, Rollup::Mean)),
        late(Lane {
            broken_at: Some(2.0),
            ..lane("application", "latency p95", "metrics.latency_p95", Unit::Seconds, Rollup::Max)
        }),
        late(Lane {
            broken_at: Some(2.0),
            ..lane("application", "errors", "metrics.errors", Unit::Percent, Rollup::Max)
        }),
        late(Lane {
            ceiling: Some(100.0),
            broken_at: Some(95.0),
            ..lane("database", "pool in use", "metrics.pool_in_use", Unit::Percent, Rollup::Max)
        }),
        late(Lane {
            broken_at: Some(0.5),
            ..lane("database", "pool wait p95", "metrics.pool_wait", Unit::Seconds, Rollup::Max)
        }),
        Lane {
            ceiling: Some(usable),
            broken_at: Some((usable * 0.95).floor()),
            ..lane("database", "connections", "mrg.connections", Unit::Count, Rollup::Max)
        },
        lane("database", "lock waits", "mrg.lock_waits", Unit::Count, Rollup::Max),
        Lane { bad: Bad::Low, ..lane("payment", "paid at UPG", "orders.paid", Unit::PerMinute, Rollup::SumPerMinute) },
        late(Lane {
            bad: Bad::Low,
            floor: 96.0,
            ceiling: Some(100.0),
            ..lane("payment", "callback ok", "metrics.callback_ok", Unit::Percent, Rollup::Min)
        }),
        Lane {
            broken_at: Some(1.0),
            ..lane("orders", "stuck, by birth", "orders.stuck_by_birth", Unit::PerMinute, Rollup::SumPerMinute)
        },
        Lane { broken_at: Some(1.0), ..lane("orders", "not at HO, Σ", "orders.not_at_ho", Unit::Count, Rollup::Last) },
        Lane {
            broken_at: Some(100.0),
            ..lane("logs", "ERROR lines", "logs.ERROR", Unit::PerMinute, Rollup::SumPerMinute)
        },
    ]
}

fn sources() -> Vec<SourceCard> {
    let card = |name: &str, kind, what: &str, every: Option<Lapse>| SourceCard {
        name: name.to_owned(),
        kind,
        what: what.into(),
        every,
    };
    vec![
        card("mrg", SourceKind::Database, "PostgreSQL, orders", Some(Lapse::seconds(15))),
        card("upg", SourceKind::Database, "PostgreSQL, payments", Some(Lapse::seconds(15))),
        card("orch", SourceKind::Database, "PostgreSQL, sagas", Some(Lapse::seconds(15))),
        card("ho", SourceKind::Database, "PostgreSQL, books", Some(Lapse::seconds(15))),
        card("logs", SourceKind::Logs, "3 services, 14 files", None),
        card("metrics", SourceKind::Metrics, "cloud metrics, 12 series", Some(Lapse::minutes(1))),
        card("mcp", SourceKind::Mcp, "log tools", None),
        card("note", SourceKind::Note, super::NOTE_NAME, None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_story_is_wib() {
        assert_eq!(Zone::wib().rfc3339(START), "2025-01-12T18:53:00+07:00");
    }
}
