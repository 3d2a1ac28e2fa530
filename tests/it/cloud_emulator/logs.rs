//! Log Tank Service: cursors in every direction, keywords, counts, windows, neighbours, rates.

use super::{NOW, opened};
use crate::caller::Caller;
use serde_json::{Value, json};
use warroom::model::Lapse;
use warroom::simulator::cloud::world::{LogGroup, LogStream};
use warroom::simulator::cloud::{Api, Fault, Running, Watch, World};

const GROUP: &str = "00330565-5baf-4e0d-bd16-ba0c6b951d9a";
const STREAM: &str = "715cda3b-e17f-492a-a6ca-98a1ba16ad8c";

fn world(custom_time: bool) -> World {
    let mut stream = LogStream { custom_time, ..LogStream::new(STREAM, "mrg") };
    for i in 1..=9 {
        let content = format!("{} line {i} pool timeout", if i % 3 == 0 { "ERROR" } else { "INFO" });
        stream.write(NOW - Lapse::seconds(100 - 10 * i), content, &[("podName", if i < 5 { "a" } else { "b" })]);
    }
    // One that is still to come.
    stream.write(NOW + Lapse::seconds(10), "ERROR from the future", &[]);
    let group =
        LogGroup { id: GROUP.to_owned(), name: "prod".to_owned(), days: 30, streams: vec![stream], created: NOW };
    World { groups: vec![group], ..World::default() }
}

async fn logs() -> (Running, Caller, Watch) {
    opened(world(false), |c| c).await
}

fn path(what: &str) -> String {
    format!("/v2/{{project}}/groups/{GROUP}/streams/{STREAM}/{what}")
}

fn body(more: Value) -> Value {
    let milli = |t: warroom::model::Stamp| (t.0 / 1_000).to_string();
    let mut body = json!({"start_time": milli(NOW - Lapse::hours(1)), "end_time": milli(NOW + Lapse::hours(1)), "highlight": false});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn lines(caller: &Caller, more: Value) -> Vec<(u32, String)> {
    let answer = caller.post(&path("content/query"), &body(more)).await.json();
    let logs = answer["logs"].as_array().unwrap().clone();
    let number = |l: &Value| l["content"].as_str().unwrap().split(' ').nth(2).unwrap().parse().unwrap();
    logs.iter().map(|l| (number(l), l["line_num"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn groups_and_streams_are_listed_and_those_that_are_not_there_are_named() {
    let (_cloud, caller, _watch) = logs().await;
    let groups = caller.get("/v2/{project}/groups", &[]).await.json();
    assert_eq!(groups["log_groups"][0]["log_group_id"], GROUP);
    let streams = caller.get(&format!("/v2/{{project}}/groups/{GROUP}/streams"), &[]).await.json();
    assert_eq!(streams["log_streams"][0]["log_stream_name"], "mrg");
    let all = caller.get("/v2/{project}/log-streams", &[("log_group_name", "prod")]).await.json();
    assert_eq!(all["log_streams"][0]["log_group_id"], GROUP);
    let none = caller.get("/v2/{project}/groups/nothing/streams", &[]).await;
    assert_eq!((none.status, none.json()["error_code"].as_str()), (400, Some("LTS.0201")));
    let none = caller.post(&format!("/v2/{{project}}/groups/{GROUP}/streams/x/content/query"), &body(json!({}))).await;
    assert_eq!(none.json()["error_code"], "LTS.0208");
}

#[tokio::test]
async fn pages_go_forwards_and_backwards_from_a_cursor_in_both_orders() {
    for custom_time in [false, true] {
        let (_cloud, caller, _watch) = opened(world(custom_time), |c| c).await;
        let all = lines(&caller, json!({})).await;
        assert_eq!(all.iter().map(|l| l.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 9], "nothing from the future");
        assert!(all.iter().all(|l| l.1.len() == 19));
        let fifth = &all[4].1;
        let time = (NOW - Lapse::seconds(50)).0 / 1_000;
        let page = async |desc: bool, way: &str| {
            let more = json!({"is_desc": desc, "search_type": way, "line_num": fifth, "__time__": time.to_string(), "limit": 3});
            lines(&caller, more).await.into_iter().map(|l| l.0).collect::<Vec<_>>()
        };
        assert_eq!(page(false, "forwards").await, [6, 7, 8]);
        assert_eq!(page(true, "backwards").await, [8, 7, 6]);
        assert_eq!(page(false, "backwards").await, [2, 3, 4]);
        assert_eq!(page(true, "forwards").await, [4, 3, 2]);
        assert_eq!(page(true, "init").await, [9, 8, 7]);
        let bare = body(json!({"search_type": "forwards", "line_num": fifth}));
        let status = caller.post(&path("content/query"), &bare).await.status;
        assert_eq!(status, if custom_time { 400 } else { 200 }, "a stream that goes by time needs it in the cursor");
    }
}

#[tokio::test]
async fn keywords_labels_and_counts_narrow_and_tags_are_there_unless_refused() {
    let (_cloud, caller, _watch) = logs().await;
    let numbers = async |more| lines(&caller, more).await.into_iter().map(|l| l.0).collect::<Vec<_>>();
    assert_eq!(numbers(json!({"keywords": "ERROR and pool"})).await, [3, 6, 9]);
    assert_eq!(numbers(json!({"keywords": "ERROR", "labels": {"podName": "b"}})).await, [6, 9]);
    let answer = caller
        .post(&path("content/query"), &body(json!({"keywords": "error", "is_count": true, "limit": 2})))
        .await
        .json();
    assert_eq!((answer["logs"].as_array().map(Vec::len), &answer["count"]), (Some(2), &json!(3)));
    let mut tagged = body(json!({"keywords": "error"}));
    tagged.as_object_mut().unwrap().remove("highlight");
    let answer = caller.post(&path("content/query"), &tagged).await.json();
    assert_eq!(answer["logs"][0]["content"], "<HighLightTag>ERROR</HighLightTag> line 3 pool timeout");
    let bad = caller.post(&path("content/query"), &body(json!({"keywords": "*out"}))).await;
    assert_eq!((bad.status, bad.json()["error_code"].as_str()), (400, Some("LTS.0301")));
    for more in [
        json!({"start_time": 5}),
        json!({"limit": 5001}),
        json!({"start_time": "x"}),
        json!({"start_time": "0"}),
        json!({"search_type": "forwards"}),
    ] {
        let bad = caller.post(&path("content/query"), &body(more)).await;
        assert_eq!((bad.status, bad.json()["error_code"].as_str()), (400, Some("LTS.0009")));
    }
}

#[tokio::test]
async fn windows_count_every_line_once_and_a_line_has_neighbours() {
    let (_cloud, caller, _watch) = logs().await;
    let milli = |back: i64| ((NOW - Lapse::seconds(back)).0 / 1_000).to_string();
    let ask = json!({"start_time": milli(100), "end_time": milli(10), "step_interval": 30_000, "group_id": GROUP, "stream_id": STREAM, "key_word": "error"});
    let answer = caller.post("/v2/{project}/lts/keyword-count", &ask).await.json();
    let nums: Vec<_> = answer["histogram"].as_array().unwrap().iter().map(|w| w["num"].as_u64().unwrap()).collect();
    assert_eq!((nums, &answer["count"]), (vec![0, 1, 2], &json!(3)), "{answer}");
    let mut long = ask.clone();
    long["step_interval"] = 86_400_001.into();
    assert_eq!(caller.post("/v2/{project}/lts/keyword-count", &long).await.json()["error_code"], "LTS.0601");

    let fifth = lines(&caller, json!({})).await[4].1.clone();
    for names in [["backwards_size", "forwards_size"], ["backwardsSize", "forwardsSize"]] {
        let ask = json!({"line_num": fifth, names[0]: 3, names[1]: 2});
        let answer = caller.post(&path("context"), &ask).await.json();
        let counts = ["total_count", "backwards_count", "forwards_count"].map(|n| answer[n].as_u64().unwrap());
        assert_eq!((counts, answer["logs"].as_array().map(Vec::len)), ([6, 3, 2], Some(6)));
    }
}

#[tokio::test]
async fn a_stream_may_be_read_a_hundred_times_a_minute() {
    let (cloud, caller, watch) = logs().await;
    for _ in 0..100 {
        assert_eq!(caller.post(&path("content/query"), &body(json!({"limit": 1}))).await.status, 200);
    }
    let refused = caller.post(&path("content/query"), &body(json!({}))).await;
    assert_eq!((refused.status, refused.json()["error_code"].as_str()), (429, Some("APIGW.0308")));
    assert_eq!(caller.get("/v2/{project}/groups", &[]).await.status, 200, "lists are no reads");
    watch.advance(Lapse::minutes(1));
    cloud.faults().next(Api::Query, Fault::Incomplete, 1);
    let early = caller.post(&path("content/query"), &body(json!({}))).await.json();
    assert_eq!((&early["isQueryComplete"], early["logs"].as_array().map(Vec::len)), (&json!(false), Some(0)));
    let whole = caller.post(&path("content/query"), &body(json!({}))).await.json();
    assert_eq!(whole["isQueryComplete"], true);
}
