//! The evening minute by minute: when what breaks, how strongly, and who noted it. All times are WIB.

use super::mark;
use crate::model::incident::{Incident, Limit, Rules, SourceCard, SourceKind};
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::model::{Lapse, Mark, MarkKind, Span, Stamp, Zone};

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

/// MRG refuses our connection.
pub fn refused() -> Span {
    Span::new(clock(19, 41, 5), clock(19, 46, 20))
}

/// A log file is rotated under us.
pub fn rotation() -> Span {
    Span::new(clock(19, 30, 8), clock(19, 30, 31))
}

/// 0 before `from`, 1 after `to`, smooth between.
pub fn ramp(at: Stamp, from: Stamp, to: Stamp) -> f64 {
    let x = at.since(from).as_secs_f64() / to.since(from).as_secs_f64().max(1.0);
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Extra users over normal, 0 to 1: from 19:22 up to 19:55, back down by 20:41.
pub fn crowd(at: Stamp) -> f64 {
    ramp(at, clock(19, 21, 30), clock(19, 55, 0)) - 0.96 * ramp(at, clock(19, 57, 0), clock(20, 42, 0))
}

/// How full MRG's pools are beyond normal, 0 to 1: full from 19:28, eased by the flag of 20:32.
pub fn pressure(at: Stamp) -> f64 {
    ramp(at, clock(19, 24, 30), clock(19, 28, 30)) * (1.0 - ramp(at, clock(20, 31, 0), clock(20, 39, 0)))
}

/// How badly orders fare, 0 to 1: begins when the pools are full and follows the crowd.
pub fn harm(at: Stamp) -> f64 {
    let begun = ramp(at, clock(19, 28, 30), clock(19, 36, 0));
    let over = 1.0 - ramp(at, clock(20, 30, 0), clock(20, 36, 0));
    begun * over * (0.45 + 0.55 * crowd(at))
}

/// Whether the circuit breaker towards UPG is open.
pub fn breaker_open(at: Stamp) -> bool {
    clock(19, 36, 12) <= at && at < clock(20, 27, 30)
}

/// What people and deployments left on the timeline.
pub fn marks() -> Vec<Mark> {
    vec![
        mark(clock(18, 55, 0), MarkKind::Change, "mrg 2.41.3 deployed", "pipeline"),
        mark(clock(19, 18, 0), MarkKind::Note, "promo push sent", "ops"),
        mark(clock(19, 40, 0), MarkKind::Alarm, "connections of mrg above 95 %", "CES"),
        mark(clock(19, 50, 0), MarkKind::Note, "war room open", "leader"),
        mark(clock(20, 10, 0), MarkKind::Note, "UPG says it is healthy", "upg"),
        mark(clock(20, 32, 0), MarkKind::Change, "orchestrator flag sync_pay off", "orch"),
    ]
}

/// What the incident is, as a configuration would say it.
pub fn incident() -> Incident {
    Incident {
        title: "12 Jan 2025 · order gantung".into(),
        severity: "HIGH".into(),
        status: "investigating".into(),
        zone: Zone::wib(),
        window: Some(Span::new(START, END)),
        baseline: Some(Span::new(START - WEEK, END - WEEK)),
        rules: Rules::default(),
        lanes: lanes(),
        sources: sources(),
        limits: vec![
            Limit {
                of: "20 × 8".to_owned(), ..limit("pool_max × pods", 160.0, "metrics.pool_acquired", Unit::Count)
            },
            limit("max_connections − reserved", 197.0, "mrg.connections", Unit::Count),
            limit("acquire timeout", 5.0, "metrics.pool_wait", Unit::Seconds),
            limit("client timeout", 10.0, "metrics.latency_p95", Unit::Seconds),
            limit("breaker opens at", 50.0, "metrics.errors", Unit::Percent),
            limit("callback retries", 3.0, "", Unit::Count),
        ],
        probes: Vec::new(),
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

fn lanes() -> Vec<Lane> {
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
            ceiling: Some(197.0),
            broken_at: Some(188.0),
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

    #[test]
    fn calm_before_full_at_the_peak_and_nearly_over_at_the_end() {
        assert!(crowd(clock(19, 0, 0)).abs() < 1e-9);
        assert!((crowd(clock(19, 55, 0)) - 1.0).abs() < 1e-9);
        assert!(crowd(END) < 0.05);
        assert!(harm(clock(19, 28, 0)).abs() < 1e-9 && harm(END).abs() < 1e-9);
    }
}
