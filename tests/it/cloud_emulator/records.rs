//! Alarms, what they did, events, traces: pages, filters, and what is still ahead.

use super::{NOW, opened};
use crate::caller::Caller;
use serde_json::{Value, json};
use warroom::model::{Lapse, Stamp};
use warroom::simulator::cloud::world::{Alarm, AlarmMetric, AlarmRecord, Condition, Event, Trace};
use warroom::simulator::cloud::{Running, Watch, World};

fn ago(minutes: i64) -> Stamp {
    NOW - Lapse::minutes(minutes)
}

fn world() -> World {
    let alarms: Vec<Alarm> = (0..12)
        .map(|i| Alarm {
            id: format!("al{i:022}"),
            name: format!("rule {i}"),
            level: 1 + i % 4,
            metric: AlarmMetric {
                namespace: "SYS.RDS".to_owned(),
                name: "rds083_conn_usage".to_owned(),
                dimensions: vec![("postgresql_cluster_id".to_owned(), format!("db{i}"))],
            },
            condition: Condition { value: 90.0, unit: "%".to_owned(), count: 3, ..Condition::default() },
            updated: ago(10_000),
        })
        .collect();
    let record = |i: usize, began: i64, ended: Option<i64>| AlarmRecord {
        id: format!("ah{i:022}"),
        alarm: alarms[i].clone(),
        began: ago(began),
        ended: ended.map(ago),
        points: vec![(ago(began + 1), 99.5)],
        additional: String::new(),
    };
    let histories = vec![record(0, 50, Some(20)), record(1, 40, Some(-30)), record(2, 30, None), record(3, -5, None)];
    let event = |i: i64, name: &str, minutes: i64| Event {
        id: format!("ev{i}"),
        name: name.to_owned(),
        system: true,
        source: "SYS.ECS".to_owned(),
        at: ago(minutes),
        ..Event::default()
    };
    let events = vec![
        event(1, "rebootServer", 50),
        event(2, "rebootServer", 10),
        event(3, "stopServer", 5),
        event(4, "stopServer", -5),
    ];
    let trace = |i: i64| Trace {
        id: format!("tr{i:02}"),
        name: "updateParameter".to_owned(),
        at: ago(2 * i),
        service: if i % 2 == 0 { "RDS".to_owned() } else { "ELB".to_owned() },
        code: "200".to_owned(),
        user: "rara".to_owned(),
        request: r#"{"password":"hunter2"}"#.to_owned(),
        ..Trace::default()
    };
    let old = Trace { at: NOW - Lapse::hours(24 * 7 + 1), ..trace(99) };
    let traces = (0..25).map(trace).chain([old]).collect();
    World { alarms, histories, events, traces, ..World::default() }
}

async fn records() -> (Running, Caller, Watch) {
    opened(world(), |c| c).await
}

fn texts<'v>(list: &'v Value, name: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|v| v[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn rules_are_paged_by_id_and_by_number() {
    let (_cloud, caller, _watch) = records().await;
    let mut start = String::new();
    let mut states = Vec::new();
    loop {
        let page = caller.get("/V1.0/{project}/alarms", &[("limit", "5"), ("start", &start)]).await.json();
        let alarms = page["metric_alarms"].as_array().unwrap();
        if alarms.is_empty() {
            break;
        }
        states.extend(alarms.iter().map(|a| a["alarm_state"].as_str().unwrap().to_owned()));
        start = page["meta_data"]["marker"].as_str().unwrap().to_owned();
    }
    assert_eq!((states.len(), states.iter().filter(|s| *s == "alarm").count()), (12, 2));
    let page = caller.get("/v2/{project}/alarms", &[("offset", "10")]).await.json();
    assert_eq!((page["alarms"].as_array().map(Vec::len), &page["count"]), (Some(2), &json!(12)));
    assert_eq!(page["alarms"][0]["policies"][0]["value"], 90);
    assert_eq!(caller.get("/v2/{project}/alarms", &[("resource_id", "db7")]).await.json()["count"], 1);
}

#[tokio::test]
async fn histories_tell_what_is_over_what_lasts_and_nothing_that_is_ahead() {
    let (_cloud, caller, watch) = records().await;
    let ask = async |query: &[(&str, &str)]| caller.get("/v2/{project}/alarm-histories", query).await.json();
    let all = ask(&[]).await;
    assert_eq!(texts(&all["alarm_histories"], "name"), ["rule 0", "rule 2", "rule 1"], "newest change first");
    assert_eq!(texts(&all["alarm_histories"], "status"), ["ok", "alarm", "alarm"]);
    let first = &all["alarm_histories"][0];
    assert_eq!(
        (first["begin_time"].as_str(), first["end_time"].as_str()),
        (Some("2025-01-12T12:10:00Z"), Some("2025-01-12T12:40:00Z"))
    );
    assert_eq!(all["alarm_histories"][1]["end_time"], Value::Null);
    let from = [("from", "2025-01-12T19:35:00+07:00"), ("to", "2025-01-12T20:00:00+07:00")];
    assert_eq!(texts(&ask(&from).await["alarm_histories"], "name"), ["rule 0"]);
    assert_eq!(ask(&[("status", "alarm"), ("limit", "1")]).await["count"], 2);
    let two = [("alarm_id", "al0000000000000000000000"), ("alarm_id", "al0000000000000000000001")];
    assert_eq!(ask(&two).await["count"], 2);
    let bare = caller.get("/v2/{project}/alarm-histories", &[("from", "2025-01-12T19:35:00")]).await;
    assert_eq!((bare.status, bare.json()["error_code"].as_str()), (400, Some("ces.0013")));
    let v1 = caller.get("/V1.0/{project}/alarm-histories", &[("alarm_status", "alarm")]).await.json();
    assert_eq!(
        (&v1["meta_data"]["total"], &v1["alarm_histories"][0]["trigger_time"]),
        (&json!(2), &json!(ago(30).0 / 1_000))
    );
    watch.advance(Lapse::minutes(6));
    assert_eq!(
        Caller { date: watch.now(), ..caller.clone() }.get("/v2/{project}/alarm-histories", &[]).await.json()["count"],
        4
    );
}

#[tokio::test]
async fn events_are_counted_by_name_and_told_one_by_one() {
    let (_cloud, caller, _watch) = records().await;
    let events = caller.get("/V1.0/{project}/events", &[("event_type", "EVENT.SYS")]).await.json();
    assert_eq!(texts(&events["events"], "event_name"), ["stopServer", "rebootServer"]);
    assert_eq!((&events["events"][1]["event_count"], &events["meta_data"]["total"]), (&json!(2), &json!(2)));
    let detail = caller.get("/V1.0/{project}/event/rebootServer", &[("event_type", "EVENT.SYS")]).await.json();
    assert_eq!(texts(&detail["event_info"], "event_id"), ["ev2", "ev1"]);
    assert_eq!(caller.get("/V1.0/{project}/event/rebootServer", &[]).await.status, 400);
}

#[tokio::test]
async fn traces_come_newest_first_until_there_is_no_marker() {
    let (_cloud, caller, _watch) = records().await;
    let from = ((NOW - Lapse::hours(24 * 9)).0 / 1_000).to_string();
    let mut marker = String::new();
    let mut ids = Vec::new();
    loop {
        let query = [("trace_type", "system"), ("from", &from), ("limit", "10"), ("next", &marker)];
        let page = caller.get("/v3/{project}/traces", &query).await.json();
        ids.extend(texts(&page["traces"], "trace_id").into_iter().map(str::to_owned));
        let Some(next) = page["meta_data"]["marker"].as_str() else { break };
        marker = next.to_owned();
    }
    assert_eq!(
        (ids.len(), ids[0].as_str(), ids[24].as_str()),
        (25, "tr00", "tr24"),
        "what is older than a week is gone"
    );
    let hour = caller.get("/v3/{project}/traces", &[("trace_type", "system"), ("limit", "200")]).await.json();
    assert_eq!(hour["meta_data"]["count"], 25, "without from: the last hour");
    let recent = ((NOW - Lapse::minutes(8)).0 / 1_000).to_string();
    let query = [("trace_type", "system"), ("from", &recent), ("service_type", "RDS")];
    let few = caller.get("/v3/{project}/traces", &query).await.json();
    assert_eq!(texts(&few["traces"], "trace_id"), ["tr00", "tr02"], "from itself is outside");
    for query in
        [vec![], vec![("trace_type", "system"), ("limit", "201")], vec![("trace_type", "system"), ("next", "nobody")]]
    {
        let bad = caller.get("/v3/{project}/traces", &query).await;
        assert_eq!((bad.status, bad.json()["error_code"].as_str()), (400, Some("CTS.0003")));
    }
}
