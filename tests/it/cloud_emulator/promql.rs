//! PromQL behind the gateway and without one: ranges, instants, labels, and the errors of both.

use super::{NOW, opened};
use serde_json::json;
use warroom::model::Lapse;
use warroom::simulator::cloud::World;
use warroom::simulator::cloud::world::Series;

fn world() -> World {
    let series = |pod: &str, slope: i64| {
        let points = (0..=120).map(|i| (NOW - Lapse::seconds(30 * (120 - i)), (30 * slope * i) as f64));
        Series::new("http_requests_total", &[("pod", pod)], "counter").with_points(points)
    };
    World { series: vec![series("a", 3), series("b", 2)], ..World::default() }
}

#[tokio::test]
async fn a_range_query_is_the_same_behind_the_gateway_and_without_it() {
    let (_cloud, caller, _watch) = opened(world(), |c| c).await;
    let (start, end) = ((NOW - Lapse::minutes(10)).0 / 1_000_000, NOW.0 / 1_000_000);
    let (start, end) = (start.to_string(), end.to_string());
    let query =
        [("query", "sum by (pod) (rate(http_requests_total[2m]))"), ("start", &start), ("end", &end), ("step", "60")];
    let plain = caller.get("/api/v1/query_range", &query).await.json();
    let aom = "/v1/{project}/aom/api/v1/query_range";
    assert_eq!(caller.get(aom, &query).await.json(), plain);
    assert_eq!(caller.send(&caller.draft("POST", aom, &query, b"")).await.unwrap().json(), plain);
    let mut form = caller.draft("POST", "/api/v1/query_range", &[], b"");
    "application/x-www-form-urlencoded".clone_into(form.header("content-type"));
    form.body =
        format!("query=sum+by+(pod)+(rate(http_requests_total%5B2m%5D))&start={start}&end={end}&step=1m").into_bytes();
    assert_eq!(caller.send(&form).await.unwrap().json(), plain);

    assert_eq!((&plain["status"], &plain["data"]["resultType"]), (&json!("success"), &json!("matrix")));
    let first = &plain["data"]["result"][0];
    assert_eq!((&first["metric"], first["values"].as_array().map(Vec::len)), (&json!({"pod": "a"}), Some(11)));
    assert_eq!(first["values"][10], json!([NOW.0 / 1_000_000, "3"]));
}

#[tokio::test]
async fn instants_labels_and_metadata_are_answered() {
    let (_cloud, caller, _watch) = opened(world(), |c| c).await;
    let data = async |path: &str, query: &[(&str, &str)]| caller.get(path, query).await.json()["data"].clone();
    let now = data("/api/v1/query", &[("query", "http_requests_total{pod=\"b\"} / 2")]).await;
    assert_eq!(now["result"], json!([{"metric": {"pod": "b"}, "value": [NOW.0 / 1_000_000, "3600"]}]));
    assert_eq!(data("/v1/{project}/aom/api/v1/labels", &[]).await, json!(["__name__", "pod"]));
    assert_eq!(data("/api/v1/label/pod/values", &[("match[]", "http_requests_total{pod!=\"a\"}")]).await, json!(["b"]));
    assert_eq!(data("/api/v1/metadata", &[]).await["http_requests_total"][0]["type"], "counter");
}

#[tokio::test]
async fn a_pod_says_what_it_measures_and_leaves_out_what_prometheus_adds() {
    let (_cloud, caller, _watch) = opened(world(), |c| c).await;
    let heard = caller.get("/metrics/b", &[]).await;
    assert_eq!(heard.text(), "# TYPE http_requests_total counter\nhttp_requests_total 7200\n");
    assert!(heard.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert_eq!(caller.get("/metrics/nobody", &[]).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_standard_shape() {
    let (_cloud, caller, _watch) = opened(world(), |c| c).await;
    let (start, end) = ((NOW.0 / 1_000_000 - 11_000).to_string(), (NOW.0 / 1_000_000).to_string());
    let ask = async |query: &str, step: &str| {
        let query = [("query", query), ("start", start.as_str()), ("end", end.as_str()), ("step", step)];
        let heard = caller.get("/api/v1/query_range", &query).await;
        (heard.status, heard.json()["errorType"].as_str().map(str::to_owned))
    };
    let bad = (400, Some("bad_data".to_owned()));
    assert_eq!(ask("up", "1").await, bad, "11 001 points are one too many");
    assert_eq!(ask("up", "2").await.0, 200);
    for query in ["topk(1, up)", "up[5m]", "rate(up)", "sum(", "{}"] {
        assert_eq!(ask(query, "60").await, bad, "{query}");
    }
    assert_eq!((ask("up", "0").await, ask("up", "soon").await), (bad.clone(), bad));
    let signed = caller.draft("GET", "/v1/{project}/aom/api/v1/labels", &[], b"");
    let unsigned = crate::caller::Draft { headers: vec![("host".to_owned(), "x".to_owned())], ..signed };
    assert_eq!(caller.send(&unsigned).await.unwrap().status, 401);
}
