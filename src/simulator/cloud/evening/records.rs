//! Alarms, events and traces of the evening: the story's marks as the cloud recorded them, and what any week
//! leaves beside them.

use super::metrics::{BALANCER, MRG, SCALING};
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::world::{Alarm, AlarmMetric, AlarmRecord, Condition, Event, Trace};
use crate::simulator::story::clock;

fn rule(number: u32, name: &str, level: u8, namespace: &str, metric: (&str, &str, &str), limit: (f64, &str)) -> Alarm {
    let (metric, dimension, resource) = metric;
    Alarm {
        id: format!("al17366{number:017}"),
        name: name.to_owned(),
        level,
        metric: AlarmMetric {
            namespace: namespace.to_owned(),
            name: metric.to_owned(),
            dimensions: vec![(dimension.to_owned(), resource.to_owned())],
        },
        condition: Condition { value: limit.0, unit: limit.1.to_owned(), count: 3, ..Condition::default() },
        updated: clock(0, 0, 0) - Lapse::hours(24 * 40),
    }
}

/// Rules, and when they were on.
pub fn alarms() -> (Vec<Alarm>, Vec<AlarmRecord>) {
    let rds = |metric| (metric, "postgresql_cluster_id", MRG);
    let elb = |metric| (metric, "lbaas_instance_id", BALANCER);
    let connections = rule(1, "connections of mrg above 95 %", 1, "SYS.RDS", rds("rds083_conn_usage"), (95.0, "%"));
    let errors = rule(2, "elb-5xx", 2, "SYS.ELB", elb("mf_l7_http_5xx"), (50.0, "Count/s"));
    let disk = rule(3, "mrg-disk", 3, "SYS.RDS", rds("rds039_disk_util"), (85.0, "%"));
    let cpu = rule(4, "mrg-cpu", 2, "SYS.RDS", rds("rds001_cpu_util"), (80.0, "%"));
    let slow = rule(5, "elb-latency", 3, "SYS.ELB", elb("m14_l7_rt"), (1_000.0, "ms"));
    let record = |number: u32, alarm: &Alarm, began: Stamp, ended: Stamp, value: f64| AlarmRecord {
        id: format!("ah17366{number:017}"),
        alarm: alarm.clone(),
        began,
        ended: Some(ended),
        points: (1..=3).rev().map(|i| (began - Lapse::minutes(i), value)).collect(),
        additional: String::new(),
    };
    let records = vec![
        record(
            1,
            &slow,
            clock(0, 0, 0) - Lapse::hours(75),
            clock(0, 0, 0) - Lapse::hours(75) + Lapse::minutes(6),
            1_120.0,
        ),
        record(2, &slow, clock(19, 37, 0), clock(20, 34, 0), 1_480.0),
        record(3, &connections, clock(19, 40, 0), clock(20, 36, 0), 98.5),
        record(4, &errors, clock(19, 41, 0), clock(20, 33, 0), 88.0),
    ];
    (vec![connections, errors, disk, cpu, slow], records)
}

/// What happened by itself, and what somebody reported.
pub fn events() -> Vec<Event> {
    let event = |number: u32, name: &str, system: bool, source: &str, at: Stamp, content: &str| Event {
        id: format!("ev17366{number:017}"),
        name: name.to_owned(),
        system,
        source: source.to_owned(),
        at,
        content: content.to_owned(),
        state: "normal".to_owned(),
        level: "Minor".to_owned(),
        ..Event::default()
    };
    let group = |event: Event| Event { resource_id: SCALING.to_owned(), resource_name: "as-mrg".to_owned(), ..event };
    vec![
        event(1, "promoPushSent", false, "campaign", clock(19, 18, 0), "promo push sent to 1.2 million devices"),
        group(event(2, "scaleOut", true, "SYS.AS", clock(19, 36, 20), "as-mrg grows from 8 to 10")),
        group(event(3, "scaleIn", true, "SYS.AS", clock(20, 40, 30), "as-mrg shrinks from 10 to 8")),
    ]
}

/// Who did what.
pub fn traces() -> Vec<Trace> {
    let trace = |number: u32, at: Stamp, user: &str, what: (&str, &str, &str, &str)| {
        let (service, kind, resource, name) = what;
        Trace {
            id: format!("3a1c5e70-0000-11f0-8000-{number:012}"),
            name: name.to_owned(),
            rating: "normal".to_owned(),
            kind: "ApiCall".to_owned(),
            at,
            service: service.to_owned(),
            resource_type: kind.to_owned(),
            resource_name: resource.to_owned(),
            resource_id: format!("id-of-{resource}"),
            code: "200".to_owned(),
            request: "{}".to_owned(),
            response: "{}".to_owned(),
            ip: "10.20.0.14".to_owned(),
            user: user.to_owned(),
            access_key: "EMULATORAK0000000009".to_owned(),
            ..Trace::default()
        }
    };
    let day = |n: i64| clock(0, 0, 0) - Lapse::hours(24 * n);
    // What was sent holds what must never reach a screen. The password is as invented as everything else.
    let deployed = r#"{"image":"mrg:2.41.3","env":[{"name":"DB_PASSWORD","value":"c0rrect-h0rse-b4ttery"}]}"#;
    let flag = r#"{"key":"sync_pay","value":false,"token":"eyJhbGciOiJub25lIn0.e30."}"#;
    let mut all = vec![
        Trace {
            request: deployed.to_owned(),
            ..trace(1, clock(18, 55, 0), "pipeline", ("CCE", "deployment", "mrg 2.41.3", "updateDeployment"))
        },
        Trace {
            request: flag.to_owned(),
            ..trace(
                2,
                clock(20, 32, 0),
                "orch",
                ("CSE", "configuration", "orchestrator flag sync_pay off", "updateConfig"),
            )
        },
        Trace {
            kind: "SystemAction".to_owned(),
            user: "System".to_owned(),
            ..trace(3, clock(19, 36, 20), "System", ("AS", "scaling_group", "as-mrg", "scaleOut"))
        },
        trace(4, day(2) + Lapse::hours(14), "rara", ("ELB", "listener", "https-443", "updateListener")),
        Trace {
            rating: "warning".to_owned(),
            code: "403".to_owned(),
            ..trace(5, clock(20, 5, 12), "dimas", ("RDS", "instance", "pg-order", "updateParameter"))
        },
    ];
    // Nightly backups, and people who only look.
    for n in 0..7 {
        let backup = trace(
            20 + n,
            day(i64::from(n)) + Lapse::hours(2),
            "System",
            ("RDS", "instance", "pg-order", "createBackup"),
        );
        all.push(Trace { kind: "SystemAction".to_owned(), ..backup });
    }
    for n in 0..30 {
        let look = trace(
            40 + n,
            clock(19, 44, 0) + Lapse::minutes(i64::from(n)),
            "dimas",
            ("RDS", "instance", "pg-order", "listInstances"),
        );
        all.push(Trace { read_only: true, kind: "ConsoleAction".to_owned(), ..look });
    }
    all
}
