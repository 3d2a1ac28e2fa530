//! Elasticsearch and OpenSearch: `search_after` with a tiebreaker, in a point in time, and without either.

use super::*;
use serde_json::{Value, json};
use std::sync::Mutex as Lock;
use warroom::source::engine::elastic::Elastic;

/// Milliseconds and sequence of a document.
type Docs = Arc<Lock<Vec<(i64, i64)>>>;

fn hit(at: i64, seq: i64, sort: Value) -> Value {
    let time = warroom::model::Zone::utc().format(Stamp::from_millis(at), "%Y-%m-%dT%H:%M:%S%.3fZ");
    let word = if seq % 4 == 0 { "acquire timeout" } else { "callback ok" };
    let source = json!({"@timestamp": time, "message": format!("{word} {seq}"), "log": {"level": "error"},
        "service": {"name": "upg"}, "order_id": format!("ORD-{seq}"), "seq": seq});
    json!({"_index": "logs-pay-1", "_id": format!("d{seq}"), "_source": source, "sort": sort})
}

fn millis(text: &Value) -> i64 {
    Stamp::parse_rfc3339(text.as_str().unwrap()).unwrap().0.div_euclid(1_000)
}

/// An index of these documents.
fn elastic(docs: &Docs, request: &Request) -> Answer {
    if request.path.starts_with("/logs-pay-*/_pit") {
        return Answer::json(json!({"id": "point-1"}).to_string());
    }
    if request.path == "/_pit" {
        assert_eq!(request.method, "DELETE");
        return Answer::json(json!({"succeeded": true}).to_string());
    }
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let pit = body.get("pit").is_some();
    let path = request.path.split('?').next().unwrap();
    assert_eq!(path, if pit { "/_search" } else { "/logs-pay-*/_search" });
    let filters = body.pointer("/query/bool/filter").unwrap().as_array().unwrap();
    let range = &filters[0]["range"]["@timestamp"];
    let (from, to) = (millis(&range["gte"]), millis(&range["lt"]));
    let wanted = filters.iter().filter_map(|f| f.pointer("/query_string/query")).all(|q| q != "message:nothing");
    let timeouts = filters.iter().any(|f| f.pointer("/query_string/query") == Some(&json!("message:timeout")));
    let mut found: Vec<(i64, i64)> = docs.lock().unwrap().clone();
    found.retain(|(at, seq)| wanted && from <= *at && *at < to && (!timeouts || seq % 4 == 0));
    if body.get("aggs").is_some() {
        let mut buckets: BTreeMap<i64, u64> = BTreeMap::new();
        for (at, _) in &found {
            *buckets.entry(at.div_euclid(60_000) * 60_000).or_default() += 1;
        }
        let buckets: Vec<Value> = buckets.iter().map(|(key, n)| json!({"key": key, "doc_count": n})).collect();
        return Answer::json(
            json!({"timed_out": false, "_shards": {"total": 2, "failed": 0}, "hits": {"hits": []},
                "aggregations": {"n": {"buckets": buckets}}})
            .to_string(),
        );
    }
    let sorts = body["sort"].as_array().unwrap();
    let second = sorts.get(1).and_then(|s| s.as_object()).and_then(|s| s.keys().next().cloned());
    // Documents of one instant come in any order where nothing tells them apart.
    found.sort_by_key(|(at, seq)| (*at, if second.is_some() { *seq } else { (seq * 7919) % 1009 }));
    let sort = |at: i64, seq: i64| if second.is_some() { json!([at, seq]) } else { json!([at]) };
    if let Some(after) = body.get("search_after") {
        let after = (after[0].as_i64().unwrap(), after[1].as_i64().unwrap());
        found.retain(|d| *d > after);
    }
    found.truncate(body["size"].as_u64().unwrap() as usize);
    let hits: Vec<Value> = found.iter().map(|(at, seq)| hit(*at, *seq, sort(*at, *seq))).collect();
    let mut answer = json!({"timed_out": false, "_shards": {"total": 2, "failed": 0}, "hits": {"hits": hits}});
    if pit {
        answer["pit_id"] = "point-2".into();
    }
    Answer::json(answer.to_string())
}

/// Half an hour; every tenth second has ten documents.
fn docs() -> Docs {
    let at = |i: i64| (ago(30) + Lapse::seconds(i / 10 * 10)).0 / 1_000;
    Arc::new(Lock::new((0..1800).map(|i| (at(i), i)).collect()))
}

async fn serve(docs: &Docs) -> Web {
    let docs = Arc::clone(docs);
    Web::serve(move |r| elastic(&docs, r)).await
}

fn source(web: &Web, more: &str, turned: &Turned) -> Source<Elastic> {
    let mut server = server(&format!(
        "kind = 'elastic'\nurl = '{}'\nindex = 'logs-pay-*'\ntimeout = '1m'\ncounts = {{ timeout = 'message:timeout' }}\napi_key = 'abcdefgh'\n{more}",
        web.url("")
    ));
    if more.contains("pit = false") {
        server.timeout = Lapse::seconds(1);
    }
    let engine = Elastic::new(&server, &turned.clock());
    Source::new(&server, engine, &[Span::new(ago(30), NOW)], turned)
}

#[tokio::test]
async fn pages_by_tiebreaker_point_in_time_or_instant_bring_every_document_once() {
    for (more, pages) in [("tiebreaker = 'seq'", "after"), ("pit = true", "pit"), ("", "from")] {
        let docs = docs();
        let web = serve(&docs).await;
        let mut source = source(&web, &format!("page = 128\n{more}"), &Turned::now());
        source.all().await;
        assert_eq!((source.lines.len(), source.state()), (1800, State::Well), "{pages}: {}", source.says());
        source.agrees("l.all", "", |l| l.at);
        source.agrees("l.timeout", "timeout", |l| l.at);
        assert_eq!((source.sum("l.all"), source.counted["l.timeout"]), (1800, Counted::Engine));
        let line = &source.lines[4];
        assert_eq!((&*line.service, line.order.as_deref().map(|o| &o[..4])), ("upg", Some("ORD-")));
        assert_eq!(line.level, warroom::model::log::Level::Error);
        let seen = web.seen();
        assert!(seen.iter().all(|r| r.header("authorization") == Some("ApiKey abcdefgh")));
        let opened = seen.iter().filter(|r| r.path.contains("_pit?keep_alive")).count();
        let closed = seen.iter().filter(|r| r.method == "DELETE").count();
        assert_eq!((opened, closed), if pages == "pit" { (1, 1) } else { (0, 0) }, "what was opened is closed");
    }
}

#[tokio::test]
async fn a_point_in_time_that_is_over_is_opened_anew_where_the_last_page_ended() {
    let docs = docs();
    let web = serve(&docs).await;
    let there = Arc::clone(&docs);
    let mut searched = 0;
    web.now(move |r| {
        searched += i32::from(r.body.contains("\"pit\""));
        if searched == 4 {
            searched += 1;
            let body = json!({"status": 404, "error": {"type": "search_phase_execution_exception",
                "root_cause": [{"type": "search_context_missing_exception", "reason": "No search context found for id [7]"}]}});
            return Answer::Says(404, Vec::new(), body.to_string().into_bytes());
        }
        elastic(&there, r)
    });
    let mut source = source(&web, "page = 128\npit = true", &Turned::now());
    source.all().await;
    assert_eq!((source.lines.len(), source.state()), (1800, State::Well), "{}", source.says());
    assert_eq!(web.seen().iter().filter(|r| r.path.contains("_pit?keep_alive")).count(), 2);
}

#[tokio::test]
async fn more_documents_of_one_instant_than_a_page_holds_are_told_and_not_asked_for_ever() {
    let docs: Docs =
        Arc::new(Lock::new((0..300).map(|i| (ago(5).0 / 1_000 + i64::from(i > 250), i64::from(i))).collect()));
    let web = serve(&docs).await;
    let mut source = source(&web, "page = 64", &Turned::now());
    for _ in 0..6 {
        source.round().await;
    }
    assert!(source.lost.iter().any(|l| l.contains("set tiebreaker or pit")), "{:?}", source.lost);
    assert_eq!((source.lines.len(), source.sum("l.all")), (64 + 49, 300), "the rest is counted");
}

#[tokio::test]
async fn a_part_of_the_shards_is_no_answer_and_a_refused_question_says_why() {
    let docs = docs();
    let web = serve(&docs).await;
    let turned = Turned::now();
    let mut source = source(&web, "", &turned);
    web.now(|_| {
        Answer::json(
            json!({"timed_out": false, "_shards": {"total": 2, "failed": 1}, "hits": {"hits": []}}).to_string(),
        )
    });
    source.round().await;
    assert!(source.failed && source.says().contains("a part of the shards"), "{}", source.says());
    web.now(|_| {
        let body = json!({"error": {"root_cause": [{"type": "query_shard_exception", "reason": "Failed to parse query [a:(]"}]}});
        Answer::Says(400, Vec::new(), body.to_string().into_bytes())
    });
    source.round().await;
    assert!(source.failed && source.says().contains("Failed to parse query"), "{}", source.says());
    web.now(|_| Answer::status(429).with("retry-after", "3"));
    source.round().await;
    assert_eq!((source.state(), source.wait), (State::Late, Some(Lapse::seconds(3))));
    let there = Arc::clone(&docs);
    web.now(move |r| elastic(&there, r));
    source.all().await;
    assert_eq!(source.lines.len(), 1800);
}

#[tokio::test]
async fn what_is_no_answer_is_told_and_afterwards_nothing_is_missing() {
    let docs = docs();
    let web = serve(&docs).await;
    let mut source = source(&web, "page = 400\ntiebreaker = 'seq'\npit = false", &Turned::now());
    survives(&mut source, &web, move |r| elastic(&docs, r), 1800).await;
}
