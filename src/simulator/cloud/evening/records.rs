//! Alarms, events and traces of the evening: the story's marks as the cloud recorded them, and what any week
//! leaves beside them.

use super::metrics::{BALANCER, KAFKA, MRG};
use crate::model::MarkKind;
use crate::model::{Lapse, Stamp};
use crate::simulator::alarms::RULES;
use crate::simulator::cloud::world::{Alarm, AlarmMetric, AlarmRecord, Condition, Event, Trace};
use crate::simulator::day::Day;
use crate::simulator::platform::life::Says;
use crate::simulator::platform::stamp;
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
pub fn alarms(day: &Day) -> (Vec<Alarm>, Vec<AlarmRecord>) {
    let rds = |metric| (metric, "postgresql_cluster_id", MRG);
    let elb = |metric| (metric, "lbaas_instance_id", BALANCER);
    let watched = [
        ("SYS.RDS", rds("rds083_conn_usage")),
        ("SYS.ELB", elb("mf_l7_http_5xx")),
        ("SYS.ELB", elb("m14_l7_rt")),
        ("SYS.RDS", rds("rds001_cpu_util")),
        ("SYS.DMS", ("consumer_messages_remained", "kafka_instance_id", KAFKA)),
    ];
    let mut rules: Vec<Alarm> = RULES
        .iter()
        .zip(watched)
        .enumerate()
        .map(|(i, (r, (namespace, metric)))| rule(i as u32 + 1, r.name, r.level, namespace, metric, (r.over, r.unit)))
        .collect();
    rules.push(rule(9, "mrg-disk", 3, "SYS.RDS", rds("rds039_disk_util"), (85.0, "%")));
    let record = |number: usize, rule: usize, began: Stamp, ended: Option<Stamp>, points: Vec<(Stamp, f64)>| {
        let (id, additional) = (format!("ah17366{number:017}"), String::new());
        AlarmRecord { id, alarm: rules[rule].clone(), began, ended, points, additional }
    };
    // One of any week, long over.
    let long_ago = clock(0, 0, 0) - Lapse::hours(75);
    let mut records = vec![record(1, 2, long_ago, Some(long_ago + Lapse::minutes(6)), vec![(long_ago, 1_120.0)])];
    for (i, on) in day.alarms().iter().enumerate() {
        records.push(record(i + 2, on.rule, on.began, on.ended, on.points.clone()));
    }
    (rules, records)
}

/// What happened by itself, and what somebody reported.
pub fn events(day: &Day) -> Vec<Event> {
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
    let mut out: Vec<Event> = Vec::new();
    if let Some((from, _, _)) = day.scenario.spike() {
        let sent = from - Lapse::seconds(210);
        out.push(event(1, "promoPushSent", false, "campaign", sent, "promo push sent to 1.2 million devices"));
    }
    for line in &day.history.lines {
        if let Says::OutOfMemory(pod) = line.says {
            let number = 10 + out.len() as u32;
            let content = format!("mrg-api-{} was killed: out of memory", pod + 1);
            out.push(event(number, "podOOMKilled", true, "SYS.CCE", stamp(line.at), &content));
        }
    }
    out
}

/// Who did what.
pub fn traces(lived: &Day) -> Vec<Trace> {
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
        trace(4, day(2) + Lapse::hours(14), "rara", ("ELB", "listener", "https-443", "updateListener")),
        Trace {
            rating: "warning".to_owned(),
            code: "403".to_owned(),
            ..trace(5, clock(20, 5, 12), "dimas", ("RDS", "instance", "pg-order", "updateParameter"))
        },
    ];
    // What people and pipelines changed that evening.
    let changes = lived.scenario.marks.iter().filter(|m| m.kind == MarkKind::Change);
    for (i, mark) in changes.enumerate() {
        let deployment = mark.text.strip_suffix(" deployed").or_else(|| mark.text.strip_suffix(" rolled back"));
        let (what, request) = match deployment {
            Some(name) => (("CCE", "deployment", name, "updateDeployment"), deployed),
            None => (("CSE", "configuration", mark.text.as_str(), "updateConfig"), flag),
        };
        all.push(Trace { request: request.to_owned(), ..trace(1_000 + i as u32, mark.at, &mark.who, what) });
    }
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
