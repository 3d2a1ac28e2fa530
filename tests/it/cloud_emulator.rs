//! The emulator of the cloud, met over its wire: signatures, limits, pages, faults.

mod command;
mod logs;
mod promql;
mod records;

use crate::caller::Caller;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use warroom::model::{Lapse, Stamp};
use warroom::simulator::cloud::signature::Claim;
use warroom::simulator::cloud::wire::Wire;
use warroom::simulator::cloud::world::Metric;
use warroom::simulator::cloud::{Api, Cloud, Fault, Limits, Rate, Rates, Running, Watch, World};

/// 12 January 2025, 20:00 WIB.
const NOW: Stamp = Stamp::from_secs(1_736_686_800);
const BATCH: &str = "/V1.0/{project}/batch-query-metric-data";

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A metric with a point every minute of the last three hours, none of them on the minute.
fn metric(namespace: &str, name: &str, id: &str) -> Metric {
    let points = (0..180).map(|i| (NOW - Lapse::seconds(60 * i + 17), i as f64));
    Metric::new(namespace, name, &[("id", id)], "Count").with_points(points)
}

fn world() -> World {
    let metrics = (0..5).map(|i| metric("SYS.ELB", &format!("m{i}"), "lb")).collect();
    World { metrics, ..World::default() }
}

async fn cloud() -> (Running, Caller, Watch) {
    opened(world(), |c| c).await
}

async fn opened(world: World, change: impl FnOnce(Cloud) -> Cloud) -> (Running, Caller, Watch) {
    let watch = Watch::at(NOW);
    let running = change(Cloud::new(world, watch.clock())).listen(loopback()).await.unwrap();
    let caller = Caller::of(&running, NOW);
    (running, caller, watch)
}

fn batch(names: &[&str], period: &str, from: Stamp, to: Stamp) -> Value {
    let metrics: Vec<Value> = names
        .iter()
        .map(|n| json!({"namespace": "SYS.ELB", "metric_name": n, "dimensions": [{"name": "id", "value": "lb"}]}))
        .collect();
    json!({"metrics": metrics, "period": period, "filter": "max", "from": from.0 / 1_000, "to": to.0 / 1_000})
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("data/huawei_signing.json")).unwrap()
}

/// The request of a vector as it stands on the wire, with its secret.
fn wire(vector: &Value) -> (Wire, String) {
    let (input, expected) = (&vector["input"], &vector["expected"]);
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let url = text(&expected["wire_url"]);
    let after = url.split_once("://").unwrap().1;
    let target = &after[after.find('/').unwrap()..];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let given = input["headers"].as_array().unwrap();
    let mut headers: Vec<(String, String)> = given.iter().map(|h| (text(&h[0]).to_lowercase(), text(&h[1]))).collect();
    headers.push(("host".to_owned(), text(&input["host"])));
    if text(&expected["signed_headers"]).contains("x-sdk-content-sha256") {
        // The signer adds it by itself.
        headers.push(("x-sdk-content-sha256".to_owned(), "UNSIGNED-PAYLOAD".to_owned()));
    }
    headers.push(("authorization".to_owned(), text(&expected["authorization"])));
    let wire = Wire {
        method: text(&input["method"]),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: text(&input["body"]).into(),
    };
    (wire, text(&input["sk"]))
}

fn verifies(wire: &Wire, secret: &str) -> bool {
    let claim = Claim::read(wire.header("authorization").unwrap()).unwrap();
    claim.gap(wire).is_none() && claim.verify(wire, secret).0
}

#[test]
fn every_published_vector_verifies_and_its_canonical_request_is_the_same() {
    assert!(vectors().len() >= 12);
    for vector in vectors() {
        let (wire, secret) = wire(&vector);
        let claim = Claim::read(wire.header("authorization").unwrap()).unwrap();
        let (good, canonical) = claim.verify(&wire, &secret);
        assert_eq!(Some(canonical.as_str()), vector["expected"]["canonical_request"].as_str());
        assert!(good && claim.gap(&wire).is_none(), "{}", vector["name"]);
    }
}

#[test]
fn one_byte_changed_in_anything_signed_is_refused() {
    for vector in vectors() {
        let name = &vector["name"];
        let (good, secret) = wire(&vector);
        let unsigned_body = good.header("x-sdk-content-sha256").is_some() && !good.body.is_empty();
        let claim = Claim::read(good.header("authorization").unwrap()).unwrap();
        let spoiled = |spoil: &dyn Fn(&mut Wire)| {
            let mut wire = good.clone();
            spoil(&mut wire);
            verifies(&wire, &secret)
        };
        assert!(!spoiled(&|w| w.path.push('x')), "{name}: path");
        assert!(!spoiled(&|w| w.query.push_str("&x=")), "{name}: query");
        assert!(!spoiled(&|w| w.method = "PATCH".to_owned()), "{name}: method");
        assert!(!verifies(&good, &format!("{secret}x")), "{name}: secret");
        let mut longer = good.body.to_vec();
        longer.push(b' ');
        assert_eq!(spoiled(&|w| w.body = longer.clone().into()), unsigned_body, "{name}: body");
        for i in 0..good.headers.len() {
            let signed = claim.covers(&good.headers[i].0);
            if good.headers[i].0 == "authorization" {
                continue;
            }
            assert_eq!(spoiled(&|w| w.headers[i].1.push('1')), !signed, "{name}: {}", good.headers[i].0);
        }
        let with_more = spoiled(&|w| w.headers.push(("accept-encoding".to_owned(), "gzip".to_owned())));
        assert!(with_more, "{name}: a header that a proxy adds");
    }
}

#[test]
fn an_unsigned_word_does_not_take_the_body_out_of_the_signature() {
    let all = vectors();
    let vector = all.iter().find(|v| v["name"] == "a body").unwrap();
    let (mut wire, secret) = wire(vector);
    wire.headers.push(("x-sdk-content-sha256".to_owned(), "UNSIGNED-PAYLOAD".to_owned()));
    assert!(verifies(&wire, &secret));
    wire.body = "{}".into();
    assert!(!verifies(&wire, &secret));
}

#[tokio::test]
async fn a_signed_request_passes_and_every_doubt_has_its_own_sentence() {
    let (cloud, caller, watch) = cloud().await;
    let good = caller.draft("GET", "/v3/projects", &[("name", "ap-southeast-4")], b"");
    let heard = caller.send(&good).await.unwrap();
    assert_eq!((heard.status, heard.json()["projects"].as_array().map(Vec::len)), (200, Some(1)));
    assert_eq!(heard.json()["projects"][0]["id"], caller.project.as_str());
    assert_eq!(heard.header("date"), Some("Sun, 12 Jan 2025 13:00:00 GMT"), "the emulator's own clock");

    let says = async |draft: &crate::caller::Draft| {
        let heard = caller.send(draft).await.unwrap();
        assert_eq!((heard.status, heard.json()["error_code"].as_str()), (401, Some("APIGW.0301")));
        assert!(!heard.json()["request_id"].as_str().unwrap().is_empty());
        heard.json()["error_msg"].as_str().unwrap().to_owned()
    };
    let mut bad = good.clone();
    bad.target = "/v3/projects?name=ap-southeast-3".to_owned();
    let echo = says(&bad).await;
    assert!(
        echo.contains("verify aksk signature fail,canonicalRequest:GET|/v3/projects/|name=ap-southeast-3|host:"),
        "{echo}"
    );
    let mut unknown = good.clone();
    *unknown.header("authorization") = unknown.header("authorization").replace("EMULATORAK", "SOMEBODYAK");
    assert!(says(&unknown).await.contains("Get secretKey failed,ak:SOMEBODYAK0000000001,err:ak not exist"));
    let mut bare = good.clone();
    bare.headers.retain(|(n, _)| n != "authorization");
    assert!(says(&bare).await.contains("x-auth-token not found"));
    watch.advance(Lapse::minutes(15));
    assert_eq!(caller.send(&good).await.unwrap().status, 200);
    watch.advance(Lapse::seconds(1));
    assert!(says(&good).await.contains("signature expired"));
    assert_eq!(cloud.requests().count(Api::Projects), 6);
}

#[tokio::test]
async fn five_bad_signatures_in_a_row_lock_the_key_for_five_minutes() {
    let (_cloud, caller, watch) = cloud().await;
    let wrong = Caller { sk: "guess".to_owned(), ..caller.clone() };
    for _ in 0..4 {
        assert_eq!(wrong.get("/v3/projects", &[]).await.status, 401);
    }
    assert_eq!(caller.get("/v3/projects", &[]).await.status, 200, "a good one begins the count again");
    for _ in 0..5 {
        assert!(wrong.get("/v3/projects", &[]).await.text().contains("verify aksk signature fail"));
    }
    let locked = caller.get("/v3/projects", &[]).await;
    assert_eq!(locked.status, 401);
    assert!(locked.text().contains("AK access failed to reach the limit,forbidden."), "{}", locked.text());
    watch.advance(Lapse::minutes(5));
    assert_eq!(caller.get("/v3/projects", &[]).await.status, 200);
}

#[tokio::test]
async fn temporary_keys_need_their_token_and_end() {
    let (cloud, caller, watch) = cloud().await;
    let lent = cloud.lend(Lapse::minutes(10));
    let mut temporary = Caller { ak: lent.ak, sk: lent.sk, token: Some(lent.token), ..caller.clone() };
    assert_eq!(temporary.get("/v3/projects", &[]).await.status, 200);
    let bare = Caller { token: None, ..temporary.clone() };
    assert!(bare.get("/v3/projects", &[]).await.text().contains("x-security-token not found"));
    watch.advance(Lapse::minutes(10));
    temporary.date = watch.now();
    assert!(temporary.get("/v3/projects", &[]).await.text().contains("token expires, expires_at: 2025-01-12T13:10:00"));
}

#[tokio::test]
async fn a_password_gets_a_token_and_the_token_gets_in() {
    let (cloud, caller, _watch) = cloud().await;
    let account = cloud.account();
    let body = |password: &str| {
        let user = json!({"domain": {"name": account.domain}, "name": account.user, "password": password});
        json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"name": "ap-southeast-4"}}}})
    };
    assert_eq!(caller.post("/v3/auth/tokens", &body("guess")).await.status, 401);
    let heard = caller.post("/v3/auth/tokens", &body(&account.password)).await;
    assert_eq!(heard.status, 201);
    let token = heard.header("x-subject-token").unwrap().to_owned();
    let mut draft = caller.draft("GET", "/V1.0/{project}/metrics", &[], b"");
    draft.headers.retain(|(n, _)| n != "authorization");
    draft.headers.push(("x-auth-token".to_owned(), token));
    assert_eq!(caller.send(&draft).await.unwrap().status, 200);
    cloud.expire_keys();
    assert!(caller.send(&draft).await.unwrap().text().contains("token expires"));
    draft.headers.last_mut().unwrap().1.push('x');
    assert!(caller.send(&draft).await.unwrap().text().contains("decrypt token fail"));
}

#[tokio::test]
async fn the_machine_gives_keys_for_its_token() {
    let (_cloud, caller, _watch) = cloud().await;
    let mut ask = caller.draft("GET", "/openstack/latest/securitykey", &[], b"");
    assert_eq!(caller.send(&ask).await.unwrap().status, 401);
    let mut draft = caller.draft("PUT", "/meta-data/latest/api/token", &[], b"");
    draft.headers.push(("x-metadata-token-ttl-seconds".to_owned(), "21600".to_owned()));
    let token = caller.send(&draft).await.unwrap().text();
    ask.headers.push(("x-metadata-token".to_owned(), token));
    let keys = caller.send(&ask).await.unwrap().json();
    let text = |name: &str| keys["credential"][name].as_str().unwrap().to_owned();
    let lent = Caller { ak: text("access"), sk: text("secret"), token: Some(text("securitytoken")), ..caller };
    assert_eq!(lent.get("/v3/projects", &[]).await.status, 200);
    assert_eq!(text("expires_at"), "2025-01-13T13:00:00.000000Z");
}

#[tokio::test]
async fn unknown_paths_and_foreign_projects_are_told_apart() {
    let (_cloud, caller, _watch) = cloud().await;
    let nowhere = caller.get("/V9/{project}/metrics", &[]).await;
    assert_eq!((nowhere.status, nowhere.json()["error_code"].as_str()), (404, Some("APIGW.0101")));
    let foreign = Caller { project: "someoneelse".to_owned(), ..caller };
    let heard = foreign.get("/V1.0/{project}/metrics", &[]).await;
    assert_eq!((heard.status, heard.json()["http_code"].as_str()), (403, Some("403")));
}

#[tokio::test]
async fn a_batch_answers_raw_points_windows_and_empty_entries_for_what_is_unknown() {
    let (_cloud, caller, _watch) = cloud().await;
    let from = NOW - Lapse::minutes(30);
    let raw = caller.post(BATCH, &batch(&["m3", "nothing", "m1"], "1", from, NOW)).await.json();
    let names: Vec<_> = raw["metrics"].as_array().unwrap().iter().map(|m| m["metric_name"].clone()).collect();
    assert_eq!(names, ["m1", "m3", "nothing"]);
    let points = raw["metrics"][0]["datapoints"].as_array().unwrap();
    assert_eq!(points.len(), 30);
    assert!(points.iter().all(|p| p["timestamp"].as_i64().unwrap() % 60_000 == 43_000), "{points:?}");
    assert_eq!((&raw["metrics"][2]["datapoints"], &raw["metrics"][2]["unit"]), (&json!([]), &Value::Null));
    let windows = caller.post(BATCH, &batch(&["m1"], "300", from, NOW)).await.json();
    let windows = windows["metrics"][0]["datapoints"].as_array().unwrap().clone();
    assert_eq!(windows.len(), 6, "the window of now is not over");
    assert_eq!(windows[0], json!({"max": 29, "timestamp": from.0 / 1_000}));
}

#[tokio::test]
async fn a_batch_of_too_many_points_begins_later_in_silence() {
    let limits = Limits { batch_points: 300, ..Limits::default() };
    let (_cloud, caller, _watch) = opened(world(), |c| c.limits(limits)).await;
    let heard = caller.post(BATCH, &batch(&["m0", "m1", "m2"], "1", NOW - Lapse::hours(3), NOW)).await.json();
    let first = heard["metrics"][0]["datapoints"][0]["timestamp"].as_i64().unwrap();
    let expected = (NOW - Lapse::minutes(100)).0 / 1_000;
    assert!((expected..expected + 60_000).contains(&first), "{first} {expected}");
}

#[tokio::test]
async fn a_batch_beyond_a_limit_is_refused_in_the_shape_of_cloud_eye() {
    let (_cloud, caller, _watch) =
        opened(world(), |c| c.limits(Limits { batch_metrics: 2, ..Limits::default() })).await;
    let from = NOW - Lapse::hours(1);
    let mut bodies = vec![
        batch(&["m0", "m1", "m2"], "1", from, NOW),
        batch(&[], "1", from, NOW),
        batch(&["m0"], "7", from, NOW),
        batch(&["m0"], "1", NOW - Lapse::hours(5), NOW),
        batch(&["m0"], "1", NOW, from),
        json!({"metrics": []}),
    ];
    let mut number = batch(&["m0"], "1", from, NOW);
    number["period"] = 1.into();
    let mut filter = batch(&["m0"], "1", from, NOW);
    filter["filter"] = "median".into();
    let mut namespace = batch(&["m0"], "1", from, NOW);
    namespace["metrics"][0]["namespace"] = "SYSELB".into();
    let mut large = batch(&["m0"], "1", from, NOW);
    large["padding"] = "x".repeat(600 << 10).into();
    bodies.extend([number, filter, namespace, large]);
    for body in bodies {
        let heard = caller.post(BATCH, &body).await;
        let answer = heard.json();
        let code = answer["message"]["code"].as_str();
        assert_eq!(
            (heard.status, answer["http_code"].as_str(), code),
            (400, Some("400"), Some("ces.0014")),
            "{answer}"
        );
        assert!(!answer["message"]["details"].as_str().unwrap().is_empty());
    }
    let mut draft = caller.draft("POST", BATCH, &[], b"");
    assert_eq!(caller.send(&draft).await.unwrap().json()["message"]["code"], "ces.0001");
    draft.headers.retain(|(n, _)| n != "content-type");
    assert_eq!(caller.send(&draft).await.unwrap().status, 400);
}

#[tokio::test]
async fn one_metric_has_its_unit_in_each_point_and_the_list_is_turned_until_a_page_is_empty() {
    let (_cloud, caller, _watch) = cloud().await;
    let (from, to) = ((NOW - Lapse::minutes(10)).0 / 1_000, NOW.0 / 1_000);
    let (from, to) = (from.to_string(), to.to_string());
    let query = [
        ("namespace", "SYS.ELB"),
        ("metric_name", "m2"),
        ("dim.0", "id,lb"),
        ("filter", "max"),
        ("period", "300"),
        ("from", &from),
        ("to", &to),
    ];
    let one = caller.get("/V1.0/{project}/metric-data", &query).await.json();
    assert_eq!(one["datapoints"].as_array().map(Vec::len), Some(2));
    assert_eq!((&one["datapoints"][0]["unit"], &one["metric_name"]), (&json!("Count"), &json!("m2")));
    assert_eq!(caller.get("/V1.0/{project}/metric-data", &query[..6]).await.status, 400);

    let mut start = String::new();
    let mut names = Vec::new();
    let mut pages = 0;
    loop {
        let page = caller.get("/V1.0/{project}/metrics", &[("limit", "2"), ("start", &start)]).await.json();
        pages += 1;
        let metrics = page["metrics"].as_array().unwrap();
        if metrics.is_empty() {
            break;
        }
        names.extend(metrics.iter().map(|m| m["metric_name"].as_str().unwrap().to_owned()));
        assert_eq!(page["meta_data"]["total"], 5);
        start = page["meta_data"]["marker"].as_str().unwrap().to_owned();
    }
    assert_eq!((names.join(" ").as_str(), pages), ("m0 m1 m2 m3 m4", 4));
    assert_eq!(caller.get("/V1.0/{project}/metrics", &[("limit", "1001")]).await.status, 400);
}

#[tokio::test]
async fn a_rate_refuses_with_the_gateways_body_and_says_when_to_come_back() {
    let mut rates = Rates::documented();
    rates.by_api.insert(Api::Metrics, Rate::per_minute(2));
    let (_cloud, caller, watch) = opened(world(), |c| c.rates(rates)).await;
    let ask = async || caller.get("/V1.0/{project}/metrics", &[]).await;
    assert_eq!((ask().await.status, ask().await.status), (200, 200));
    watch.advance(Lapse::seconds(18));
    let refused = ask().await;
    assert_eq!((refused.status, refused.json()["error_code"].as_str()), (429, Some("APIGW.0308")));
    assert_eq!(refused.header("retry-after"), Some("42"));
    watch.advance(Lapse::seconds(42));
    assert_eq!(ask().await.status, 200);
}

#[tokio::test]
async fn every_fault_fails_in_its_own_way_and_as_often_as_it_was_told() {
    let (cloud, caller, _watch) = cloud().await;
    let ask = async |fault: Fault| {
        cloud.faults().next(Api::Batch, fault, 1);
        let body = batch(&["m0"], "1", NOW - Lapse::minutes(10), NOW).to_string();
        caller.send(&caller.draft("POST", BATCH, &[], body.as_bytes())).await
    };
    assert_eq!(ask(Fault::Unauthorized).await.unwrap().status, 401);
    assert_eq!(ask(Fault::Forbidden).await.unwrap().json()["error_code"], "APIGW.0302");
    let throttled = ask(Fault::Throttled(Some(7))).await.unwrap();
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("7")));
    assert_eq!(ask(Fault::Throttled(None)).await.unwrap().header("retry-after"), None);
    assert_eq!(ask(Fault::Status(500)).await.unwrap().json()["message"]["code"], "ces.0007");
    assert_eq!(ask(Fault::Status(502)).await.unwrap().json()["error_code"], "APIGW.0201");
    assert!(ask(Fault::Html).await.unwrap().text().starts_with("<!DOCTYPE html>"));
    assert_eq!(ask(Fault::Login).await.unwrap().status, 200);
    assert!(ask(Fault::Truncated).await.is_err());
    let malformed = ask(Fault::Malformed).await.unwrap();
    assert!(malformed.status == 200 && serde_json::from_slice::<Value>(&malformed.body).is_err());
    let point = ask(Fault::Types).await.unwrap().json()["metrics"][0]["datapoints"][0].clone();
    assert!(point["timestamp"].is_string() && point["max"].is_string(), "{point}");
    assert!(ask(Fault::Unknown).await.unwrap().json()["added_yesterday"].is_object());
    assert_eq!(ask(Fault::Duplicates).await.unwrap().json()["metrics"].as_array().map(Vec::len), Some(2));
    let future = ask(Fault::Future).await.unwrap().json();
    let last = future["metrics"][0]["datapoints"].as_array().unwrap().last().unwrap()["timestamp"].as_i64();
    assert_eq!(last, Some((NOW + Lapse::hours(1)).0 / 1_000));
    assert_eq!(ask(Fault::BadMetric("m0".to_owned())).await.unwrap().status, 400);
    let moved = ask(Fault::Moved(Lapse::minutes(5))).await.unwrap().json();
    assert_eq!(moved["metrics"][0]["datapoints"].as_array().map(Vec::len), Some(5));
    assert!(ask(Fault::Expired).await.unwrap().text().contains("token expires"));
    assert!(ask(Fault::Reset).await.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset));
    let hung = tokio::time::timeout(Duration::from_secs(2), ask(Fault::Hang)).await;
    assert!(hung.is_err());
    assert!(cloud.faults().list().is_empty());
    assert_eq!(ask(Fault::Slow(Lapse::millis(20))).await.unwrap().status, 200);
    assert_eq!(cloud.requests().of(Api::Batch).iter().filter(|a| a.status.is_none()).count(), 2);
}
