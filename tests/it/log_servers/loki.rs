//! Grafana Loki: pages that overlap in a nanosecond, counts pushed down, and a server that misbehaves.

use super::*;
use serde_json::{Value, json};
use std::sync::Mutex as Lock;
use warroom::source::engine::check;
use warroom::source::engine::loki::Loki;

pub(super) type Entries = Arc<Lock<Vec<(i128, &'static str, String)>>>;

/// What stands in quotes behind a bar: `|= "x"`, `|~ "(?i)x"`.
fn needles(query: &str) -> Vec<String> {
    let after = query.split('|').skip(1).filter_map(|part| part.split('"').nth(1));
    after.map(|n| n.trim_start_matches("(?i)").to_lowercase()).collect()
}

/// A Loki of these entries.
fn loki(entries: &Entries, request: &Request) -> Answer {
    let number = |name: &str| request.parameter(name).unwrap().parse::<i128>().unwrap();
    let query = request.parameter("query").unwrap();
    let entries = entries.lock().unwrap();
    let (start, end) = (number("start"), number("end"));
    if request.path.starts_with("/loki/api/v1/index/stats") {
        let n = entries.iter().filter(|(at, ..)| start <= *at && *at < end).count();
        return Answer::json(json!({"streams": 2, "chunks": 4, "bytes": 100, "entries": n}).to_string());
    }
    assert!(request.path.starts_with("/loki/api/v1/query_range"), "{}", request.path);
    let needles = needles(&query);
    let fits = |line: &str| needles.iter().all(|n| line.to_lowercase().contains(n));
    if query.starts_with("sum(count_over_time({") {
        assert!(query.ends_with("[1m] offset 1ns))"), "{query}");
        // Proxies may move a question to whole steps.
        assert!(start % 60_000_000_000 == 0 && end % 60_000_000_000 == 0);
        let step = number("step") * 1_000_000_000;
        let mut values = Vec::new();
        let mut t = start;
        while t <= end {
            let seen = t - 1;
            let n = entries.iter().filter(|(at, _, l)| seen - 60_000_000_000 < *at && *at <= seen && fits(l)).count();
            if n > 0 {
                values.push(json!([(t / 1_000_000) as f64 / 1e3, n.to_string()]));
            }
            t += step;
        }
        let result = if values.is_empty() { json!([]) } else { json!([{"metric": {}, "values": values}]) };
        return Answer::json(
            json!({"status": "success", "data": {"resultType": "matrix", "result": result}}).to_string(),
        );
    }
    assert_eq!(request.parameter("direction").as_deref(), Some("forward"));
    let mut found: Vec<_> = entries.iter().filter(|(at, _, l)| start <= *at && *at < end && fits(l)).collect();
    found.sort_by_key(|(at, ..)| *at);
    found.truncate(number("limit") as usize);
    let mut streams: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (at, pod, line) in found {
        streams.entry(pod).or_default().push(json!([at.to_string(), line]));
    }
    let streams: Vec<Value> = streams
        .into_iter()
        .map(|(pod, values)| json!({"stream": {"pod": pod, "level": "warn"}, "values": values}))
        .collect();
    Answer::json(
        json!({"status": "success", "data": {"resultType": "streams", "result": streams, "stats": {}}}).to_string(),
    )
}

fn nanos(at: Stamp) -> i128 {
    i128::from(at.0) * 1_000
}

/// An hour of lines, some of them in one nanosecond.
pub(super) fn evening() -> Entries {
    let mut out = Vec::new();
    for i in 0..900_i64 {
        let at = ago(60) + Lapse::seconds(i * 4);
        let word = if i % 3 == 0 { "acquire timeout" } else { "payment ok" };
        // Twenty in the same nanosecond, four times.
        let at = if i % 225 < 20 { nanos(ago(60) + Lapse::seconds(i / 225 * 900)) } else { nanos(at) };
        out.push((
            at,
            if i % 2 == 0 { "mrg-1" } else { "upg-1" },
            format!("level=error msg=\"{word} {i:03}\" order=ORD-{i}"),
        ));
    }
    Arc::new(Lock::new(out))
}

pub(super) async fn serve(entries: &Entries) -> Web {
    let entries = Arc::clone(entries);
    Web::serve(move |r| loki(&entries, r)).await
}

fn keys(web: &Web, more: &str) -> LogServerConfig {
    server(&format!(
        "kind = 'loki'\nurl = '{}'\nquery = '{{namespace=\"pay\"}}'\ncounts = {{ timeout = '|~ \"(?i)timeout\"' }}\n{more}",
        web.url("")
    ))
}

fn source(server: &LogServerConfig, turned: &Turned) -> Source<Loki> {
    let engine = Loki::new(server, &turned.clock());
    Source::new(server, engine, &[Span::new(ago(60), NOW)], turned)
}

#[tokio::test]
async fn every_line_comes_once_across_pages_that_overlap_and_counts_agree() {
    let entries = evening();
    let web = serve(&entries).await;
    let turned = Turned::now();
    let server = keys(&web, "page = 32\ntenant = 'pay'\nbearer = 'hunter2hunter2'\ntimeout = '1m'");
    let mut source = source(&server, &turned);
    source.all().await;
    assert_eq!(source.lines.len(), 900, "{:?}", source.lost);
    let line = source.lines.iter().find(|l| l.message.raw().contains("timeout 006")).unwrap();
    assert_eq!((&*line.service, line.order.as_deref()), ("mrg-1", Some("ORD-6")));
    assert_eq!(line.level, warroom::model::log::Level::Error, "the line's own level, not the label's");
    source.agrees("l.all", "", |l| l.at);
    source.agrees("l.timeout", "timeout", |l| l.at);
    assert_eq!((source.sum("l.all"), source.sum("l.timeout")), (900, 300));
    assert_eq!((source.counted["l.all"], source.counted["l.ERROR"]), (Counted::Engine, Counted::Lines));
    assert_eq!((source.state(), source.cost.failed), (State::Well, 0));
    let seen = web.seen();
    assert!(seen.iter().all(|r| r.header("x-scope-orgid") == Some("pay")));
    assert!(seen.iter().all(|r| r.header("authorization") == Some("Bearer hunter2hunter2")));
    // Two counts of an hour are two questions.
    let counts = seen.iter().filter(|r| r.parameter("query").unwrap().starts_with("sum(")).count();
    assert_eq!(counts, 2);
}

#[tokio::test]
async fn the_newest_lines_and_those_that_come_late_come_once_each() {
    let entries: Entries = Arc::default();
    let web = serve(&entries).await;
    let turned = Turned::now();
    let mut source = source(&keys(&web, "timeout = '1m'"), &turned);
    source.all().await;
    let say = |at: Stamp, text: &str| entries.lock().unwrap().push((nanos(at), "mrg-1", text.to_owned()));
    for step in 0..12_i64 {
        let now = NOW + Lapse::seconds(15 * step);
        say(now + Lapse::seconds(7), &format!("on time {step:02}"));
        // Written before the round before, and only there now.
        say(now - Lapse::seconds(9), &format!("late {step:02} timeout"));
        turned.forward(Lapse::seconds(15));
        source.round().await;
        assert!(!source.failed, "{}", source.says());
    }
    let all: Vec<String> = source.messages().iter().map(|m| (*m).to_owned()).collect();
    assert_eq!(all.len(), 24, "{all:?}");
    // The minutes that are over were counted, the first again after the late ones came.
    turned.forward(Lapse::minutes(1));
    source.round().await;
    source.agrees("l.timeout", "timeout", |l| l.at);
    assert_eq!(source.sum("l.timeout"), 12);
}

#[tokio::test]
async fn what_is_no_answer_is_told_with_its_remedy_and_afterwards_nothing_is_missing() {
    let entries = evening();
    let web = serve(&entries).await;
    let turned = Turned::now();
    let mut source = source(&keys(&web, "page = 100\ntimeout = '1s'"), &turned);
    let html = Answer::Says(200, vec![("content-type", "text/html".to_owned())], b"<html>login</html>".to_vec());
    for (answer, code, told) in [
        (Answer::status(429).with("retry-after", "7"), "429", "wants 7 s of rest"),
        (Answer::Hangs, "no answer", "no answer within 1 s"),
        (html, "no JSON", "a web page came"),
        (Answer::json("{\"status\": \"succ"), "no JSON", "broken JSON"),
        (Answer::json("{\"status\": \"fine\"}"), "not Loki", "not that of a Loki"),
        (Answer::CutOff(b"{\"status\": \"success\"}".to_vec()), "cut off", "cut off"),
        (Answer::Hangup, "cut off", "cut off"),
        (Answer::status(401), "401", "who asks"),
        (Answer::status(500), "500", "cannot answer"),
    ] {
        let there = Arc::clone(&entries);
        // The first page comes, the second does not.
        let mut asked = 0;
        web.now(move |r| {
            asked += 1;
            if asked > 1 { answer.clone() } else { loki(&there, r) }
        });
        source.round().await;
        assert!(source.failed && source.code() == code && source.says().contains(told), "{code}: {}", source.says());
        if code == "429" {
            assert_eq!((source.wait, source.cost.throttled), (Some(Lapse::seconds(7)), 1));
        }
    }
    let there = Arc::clone(&entries);
    web.now(move |r| loki(&there, r));
    source.all().await;
    assert_eq!((source.lines.len(), source.state()), (900, State::Well));
    source.agrees("l.all", "", |l| l.at);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_asked_for_in_smaller_pages() {
    let entries = evening();
    let web = serve(&entries).await;
    let (there, turned) = (Arc::clone(&entries), Turned::now());
    web.now(move |r| match r.parameter("limit").and_then(|l| l.parse::<u32>().ok()) {
        Some(101..) => Answer::json(" ".repeat(17 << 20)),
        _ => loki(&there, r),
    });
    let mut source = source(&keys(&web, "page = 800\ntimeout = '1m'"), &turned);
    source.all().await;
    assert_eq!((source.lines.len(), source.state(), source.cost.failed), (900, State::Well, 3));
}

#[tokio::test]
async fn more_lines_than_are_fetched_are_a_sample_and_the_counts_are_whole() {
    let entries = evening();
    let web = serve(&entries).await;
    let mut source = source(&keys(&web, "page = 50\nmost_lines = 100\ntimeout = '1m'"), &Turned::now());
    for _ in 0..10 {
        source.round().await;
    }
    assert!(source.lines.len() < 300, "{}", source.lines.len());
    assert!(source.lost.iter().any(|l| l.contains("most_lines")), "{:?}", source.lost);
    assert_eq!((source.sum("l.all"), source.counted["l.lines"]), (900, Counted::Sample));
    assert!(source.says().contains("a sample"), "{}", source.says());
}

#[tokio::test]
async fn a_count_that_is_refused_leaves_lines_and_other_counts_alone() {
    let entries = evening();
    let web = serve(&entries).await;
    let there = Arc::clone(&entries);
    web.now(move |r| match r.parameter("query") {
        Some(q) if q.contains("timeout") => {
            Answer::Says(400, Vec::new(), b"parse error at line 1, col 20: syntax error".to_vec())
        }
        _ => loki(&there, r),
    });
    let mut source = source(&keys(&web, "timeout = '1m'"), &Turned::now());
    source.all().await;
    assert_eq!((source.lines.len(), source.sum("l.all"), source.sum("l.timeout")), (900, 900, 0));
    assert!(source.points.keys().all(|(n, _)| n == "l.all"), "no count is no zero");
    assert!(source.says().contains("the count timeout is refused") && source.says().contains("syntax error"));
}

#[tokio::test]
async fn a_server_that_went_and_comes_back_has_lost_nothing() {
    let entries = evening();
    let web = serve(&entries).await;
    let (port, turned) = (web.port, Turned::now());
    let mut source = source(&keys(&web, "timeout = '1m'"), &turned);
    source.all().await;
    web.end().await;
    turned.forward(Lapse::hours(2));
    entries.lock().unwrap().push((nanos(NOW + Lapse::minutes(20)), "mrg-1", "while nobody was there".to_owned()));
    source.round().await;
    assert!(source.failed && source.code() == "refused", "{}", source.says());
    let there = Arc::clone(&entries);
    let _web = Web::at(port, move |r| loki(&there, r)).await;
    source.all().await;
    assert_eq!(source.lines.len(), 901);
    source.agrees("l.all", "", |l| l.at);
}

#[tokio::test]
async fn check_says_what_comes_and_what_each_count_is_worth() {
    let now = warroom::source::clock::now();
    let entries: Entries =
        Arc::new(Lock::new(vec![(nanos(now - Lapse::minutes(3)), "mrg-1", "acquire timeout".to_owned())]));
    let web = serve(&entries).await;
    let text = format!(
        "[[log_server]]\nname = 'l'\nkind = 'loki'\nurl = '{}'\nquery = '{{a=\"b\"}}'\ncounts = {{ timeout = '|= \"timeout\"' }}\ntimeout = '1m'\n",
        web.url("")
    );
    let config = parse(Path::new("c.toml"), &text).0.unwrap();
    let lines = check(&config, None).await;
    let says: Vec<String> = lines.iter().map(|l| format!("{} {:?} {}", l.what, l.ok, l.says.raw())).collect();
    assert!(says[0].starts_with("lines Yes Loki answers; 1 lines"), "{says:?}");
    assert!(
        says[2].starts_with("count timeout Yes 1 lines in 15 minutes, counted by the engine (count_over_time"),
        "{says:?}"
    );
    assert!(says[3].contains("(an estimate)"), "{says:?}");
}
