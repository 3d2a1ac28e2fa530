//! Any JSON API by a mapping: pages by cursor, number, offset and time, in both orders, and counts where it has them.

use super::*;
use serde_json::{Value, json};
use warroom::source::engine::api::Api;

const ROWS: i64 = 240;

/// A line every ten seconds of forty minutes.
fn at(i: i64) -> Stamp {
    ago(40) + Lapse::seconds(i * 10)
}

fn row(i: i64) -> Value {
    let word = if i % 5 == 0 { "connection refused" } else { "fine" };
    json!({"meta": {"when": at(i).0 / 1_000, "pod": "orch-1", "sev": "WARN"}, "text": format!("{word} {i:03}"), "uid": i})
}

/// The rows that a request is about.
fn wanted(request: &Request) -> Vec<i64> {
    let number = |name: &str| Stamp::from_millis(request.parameter(name).unwrap().parse().unwrap());
    let (from, to) = (number("since"), number("until"));
    assert_eq!(request.parameter("env").as_deref(), Some("prod"));
    let word = request.parameter("q").unwrap_or_default();
    (0..ROWS).filter(|i| from <= at(*i) && at(*i) < to && row(*i)["text"].as_str().unwrap().contains(&word)).collect()
}

fn answer(rows: &[i64], total: usize, next: Option<String>) -> Answer {
    let rows: Vec<Value> = rows.iter().map(|i| row(*i)).collect();
    Answer::json(json!({"data": {"lines": rows}, "paging": {"total": total, "next": next}}).to_string())
}

/// The API, with pages as `how` says.
fn api(how: &str, request: &Request) -> Answer {
    if request.path.starts_with("/histogram") {
        assert_eq!((request.parameter("every").as_deref(), request.parameter("size")), (Some("60000"), None));
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for i in wanted(request) {
            *counts.entry(at(i).0.div_euclid(60_000_000) * 60).or_default() += 1;
        }
        let rows: Vec<Value> = counts.iter().map(|(t, n)| json!({"t": t, "n": n})).collect();
        return Answer::json(json!({"windows": rows}).to_string());
    }
    let mut all = wanted(request);
    let total = all.len();
    let size: usize = request.parameter("size").unwrap().parse().unwrap();
    let after = request.parameter("after");
    match how {
        "newest first" => all.reverse(),
        "cursor" => {
            let behind = after.map_or(-1, |a| a.trim_start_matches("row ").parse().unwrap());
            all.retain(|i| *i > behind);
            let next = (all.len() > size).then(|| format!("row {}", all[size - 1]));
            all.truncate(size);
            return answer(&all, total, next);
        }
        "number" => all = all.into_iter().skip((after.unwrap().parse::<usize>().unwrap() - 1) * size).collect(),
        "offset" => all = all.into_iter().skip(after.map_or(0, |a| a.parse().unwrap())).collect(),
        _ => {}
    }
    all.truncate(size);
    answer(&all, total, None)
}

fn source(web: &Web, pages: &str, turned: &Turned) -> Source<Api> {
    source_within(web, pages, turned, Lapse::minutes(1))
}

fn source_within(web: &Web, pages: &str, turned: &Turned, timeout: Lapse) -> Source<Api> {
    let (arg, pages) = match pages {
        "oldest first" | "newest first" => ("", "time"),
        other => (", cursor = 'after'", other),
    };
    let mut server = server(&format!(
        "kind = 'http'\nurl = '{}'\ntimeout = '1m'\npage = 50\npages = '{pages}'\ntime_format = 'epoch_ms'\nfixed = {{ env = 'prod' }}\ncounts = {{ connection = 'connection' }}\nargs = {{ query = 'q', from = 'since', to = 'until', limit = 'size'{arg} }}\n[log_server.histogram]\nurl = '{}'\nstep = 'every'\nstep_unit = 'ms'\nrows = 'windows'\nts = 't'\ncount = 'n'\n[log_server.result]\nrows = 'data.lines'\nts = 'meta.when'\nservice = 'meta.pod'\nlevel = 'meta.sev'\nmessage = 'text'\nid = 'uid'\ntotal = 'paging.total'\nnext = 'paging.next'\n",
        web.url("/search"),
        web.url("/histogram")
    ));
    server.timeout = timeout;
    let engine = Api::new(&server, &turned.clock());
    Source::new(&server, engine, &[Span::new(ago(45), NOW)], turned)
}

#[tokio::test]
async fn pages_of_every_kind_bring_every_line_once_and_counts_agree() {
    for how in ["cursor", "number", "offset", "oldest first", "newest first"] {
        let web = Web::serve(move |r| api(how, r)).await;
        let mut source = source(&web, how, &Turned::now());
        source.all().await;
        assert_eq!((source.lines.len(), source.state()), (ROWS as usize, State::Well), "{how}: {}", source.says());
        source.agrees("l.all", "", |l| l.at);
        source.agrees("l.connection", "connection", |l| l.at);
        assert_eq!((source.sum("l.connection"), source.counted["l.all"]), (48, Counted::Engine), "{how}");
        assert_eq!(&*source.lines[0].service, "orch-1");
    }
}

#[tokio::test]
async fn a_cursor_that_is_over_begins_anew_and_one_that_stands_still_is_told() {
    let web = Web::serve(|r| api("cursor", r)).await;
    let mut asked = 0;
    web.now(move |r| {
        asked += i32::from(r.path.starts_with("/search") && r.parameter("after").is_some());
        if asked == 2 {
            asked += 1;
            return Answer::Says(410, Vec::new(), b"{\"message\": \"the cursor has expired\"}".to_vec());
        }
        api("cursor", r)
    });
    let mut one = source(&web, "cursor", &Turned::now());
    one.all().await;
    assert_eq!((one.lines.len(), one.state()), (ROWS as usize, State::Well), "{}", one.says());

    web.now(|r| {
        let stuck = || answer(&[1, 2, 3], 3, Some("for ever".to_owned()));
        if r.path.starts_with("/search") { stuck() } else { api("cursor", r) }
    });
    let mut two = source(&web, "cursor", &Turned::now());
    for _ in 0..4 {
        two.round().await;
    }
    assert!(two.lost.iter().any(|l| l.contains("nothing new")), "{:?}", two.lost);
    assert_eq!(two.lines.len(), 3);
}

#[tokio::test]
async fn answers_without_lines_or_with_none_that_have_a_time_say_what_to_correct() {
    let web = Web::serve(|_| Answer::json("{\"items_found\": 3, \"data\": {}}")).await;
    let mut one = source(&web, "cursor", &Turned::now());
    one.round().await;
    assert!(one.failed && one.says().contains("no rows under data.lines"), "{}", one.says());
    web.now(|r| {
        let timeless = || Answer::json(json!({"data": {"lines": [{"text": "x"}, {"text": "y"}]}}).to_string());
        if r.path.starts_with("/search") { timeless() } else { api("cursor", r) }
    });
    one.round().await;
    assert!(!one.failed && one.says().contains("2 rows have no time"), "{}", one.says());
    assert!(one.lines.is_empty());
}

#[tokio::test]
async fn an_api_that_counts_nothing_is_asked_for_no_count_and_that_is_said() {
    let web = Web::serve(|r| {
        assert_eq!(r.method, "POST");
        let body: Value = serde_json::from_str(&r.body).unwrap();
        assert_eq!(body["query"]["text"], "timeout");
        Answer::json(json!([{"ts": at(3).0 / 1_000_000, "msg": "acquire timeout", "level": "error"}]).to_string())
    })
    .await;
    let turned = Turned::now();
    let server = server(&format!(
        "kind = 'http'\nurl = '{}'\ntimeout = '1m'\nmethod = 'POST'\nwords = 'timeout'\nargs = {{ query = 'query.text' }}\n",
        web.url("/search")
    ));
    let engine = Api::new(&server, &turned.clock());
    let mut source = Source::new(&server, engine, &[Span::new(ago(40), NOW)], &turned);
    source.all().await;
    assert_eq!((source.lines.len(), source.points.len()), (1, 0));
    assert_eq!(source.counted["l.lines"], Counted::Lines);
    assert!(source.says().contains("counted from them"), "{}", source.says());
}

#[tokio::test]
async fn what_is_no_answer_is_told_and_afterwards_nothing_is_missing() {
    let web = Web::serve(|r| api("cursor", r)).await;
    let mut source = source_within(&web, "cursor", &Turned::now(), Lapse::seconds(1));
    survives(&mut source, &web, |r| api("cursor", r), ROWS as usize).await;
}
