//! A server that answers range queries: what is asked of it and when, and every answer it can give.

use crate::web::{Answer, Request, Web};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warroom::config::Config;
use warroom::config::load::parse;
use warroom::model::health::{Cost, Fetched, State};
use warroom::model::{Fact, Lapse, Span, Stamp, Zone};
use warroom::source::clock::Clock;
use warroom::source::prometheus::{Prometheus, Setting};
use warroom::source::runner::{Condition, Poll as _};

/// 12 Jan 2025, 19:00 WIB.
const EVENING: Stamp = Stamp(1_736_683_200_000_000);

fn config(text: &str) -> Config {
    parse(Path::new("/etc/warroom/config.toml"), text).0.unwrap()
}

const ERRORS: &str = "[[prometheus.query]]\nname = 'errors'\npromql = 'errors:ratio'\nunit = 'percent'\n";

/// A server that is waited for as long as a busy machine may need.
fn keys(web: &Web) -> String {
    patient(web, "1m")
}

fn patient(web: &Web, timeout: &str) -> String {
    format!("[[prometheus]]\nname = 'prom'\nurl = '{}'\ntimeout = '{timeout}'\nstep = '30s'\n", web.url(""))
}

/// A world's clock that the test turns.
#[derive(Clone)]
struct Turned(Arc<AtomicI64>);

impl Turned {
    fn at(at: Stamp) -> Self {
        Self(Arc::new(AtomicI64::new(at.0)))
    }
    fn forward(&self, by: Lapse) {
        self.0.fetch_add(by.0, Ordering::SeqCst);
    }
    fn clock(&self) -> Clock {
        let there = Arc::clone(&self.0);
        Clock::by(move || Stamp(there.load(Ordering::SeqCst)))
    }
}

fn source(text: &str, turned: &Turned, spans: Vec<Span>, have: Vec<Fetched>) -> Prometheus {
    let setting = Setting { aom: None, clock: turned.clock(), zone: Zone::wib(), spans, have };
    Prometheus::new(config(text).prometheus.remove(0), setting)
}

/// Seconds of a request's start, end and step.
fn window(request: &Request) -> (i64, i64, i64) {
    let number = |name: &str| request.parameter(name).unwrap().parse::<i64>().unwrap();
    (number("start"), number("end"), number("step"))
}

/// A matrix whose values are functions of the time: one series for each set of labels.
fn matrix(request: &Request, series: &[(&str, &dyn Fn(i64) -> f64)]) -> Answer {
    let (from, to, step) = window(request);
    let one = |(labels, value): &(&str, &dyn Fn(i64) -> f64)| {
        let points: Vec<String> =
            (0..=(to - from) / step).map(|i| from + i * step).map(|t| format!("[{t},\"{}\"]", value(t))).collect();
        format!("{{\"metric\":{{{labels}}},\"values\":[{}]}}", points.join(","))
    };
    let all: Vec<String> = series.iter().map(one).collect();
    Answer::json(format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{}]}}}}",
        all.join(",")
    ))
}

fn error(status: u16, kind: &str, says: &str) -> Answer {
    let body = format!("{{\"status\":\"error\",\"errorType\":\"{kind}\",\"error\":\"{says}\"}}");
    Answer::Says(status, vec![("content-type", "application/json".to_owned())], body.into_bytes())
}

#[derive(Default)]
struct Told {
    points: BTreeMap<String, BTreeMap<i64, f64>>,
    cards: Vec<String>,
    fetched: Vec<Fetched>,
    lost: Vec<String>,
    progress: Vec<(u64, String)>,
    condition: Option<Condition>,
    cost: Cost,
    wait: Lapse,
    failed: bool,
}

impl Told {
    fn says(&self) -> &str {
        self.condition.as_ref().map_or("", |c| c.says.raw())
    }
    fn remedy(&self) -> &str {
        self.condition.as_ref().map_or("", |c| c.remedy.raw())
    }
    fn state(&self) -> State {
        self.condition.as_ref().unwrap().state
    }
    fn code(&self) -> &str {
        &self.condition.as_ref().unwrap().code
    }
    fn count(&self) -> usize {
        self.points.values().map(BTreeMap::len).sum()
    }
}

async fn look(source: &mut Prometheus) -> Told {
    let mut told = Told::default();
    let facts = match source.poll().await {
        Ok(round) => {
            (told.condition, told.cost) = (Some(round.condition), round.cost.unwrap_or_default());
            round.facts
        }
        Err(failure) => {
            (told.condition, told.cost) = (Some(failure.condition), failure.cost.unwrap_or_default());
            (told.failed, told.wait) = (true, failure.wait);
            failure.facts
        }
    };
    for fact in facts {
        match fact {
            Fact::Samples(s) => {
                for (name, value) in s.values {
                    told.points.entry(name.to_string()).or_default().insert(s.at.0 / 1_000_000, value);
                }
            }
            Fact::Series(cards) => told.cards.extend(cards.iter().map(|c| format!("{}: {}", c.name, c.from.raw()))),
            Fact::Fetched(fetched) => told.fetched.push(fetched),
            Fact::Loss(loss) => told.lost.push(loss.says.raw().to_owned()),
            Fact::Progress(p) => told.progress.push((p.done, p.what.raw().to_owned())),
            other => unreachable!("a server says nothing of this kind: {other:?}"),
        }
    }
    told
}

/// Polls until the look at now is due again: a new source of the same kind would forget, so time is waited.
/// Only that wait is skipped: a clock that stands while sockets are read would run on by itself to the next
/// timeout as soon as an answer is not there at once.
async fn again(source: &mut Prometheus) -> Told {
    tokio::time::pause();
    tokio::time::advance(Lapse::seconds(31).to_std()).await;
    tokio::time::resume();
    look(source).await
}

#[tokio::test]
async fn only_what_is_new_or_changed_is_handed_over_and_what_is_asked_overlaps() {
    let web = Web::serve(|r| matrix(r, &[("", &|t| (t % 1000) as f64)])).await;
    let turned = Turned::at(EVENING + Lapse::seconds(17));
    let mut prom = source(&(keys(&web) + ERRORS), &turned, vec![], vec![]);
    let first = look(&mut prom).await;
    assert_eq!(first.condition, Some(Condition::well()));
    let evening = EVENING.0 / 1_000_000;
    let points = &first.points["prom.errors"];
    assert_eq!(points.len(), 121, "an hour, both ends included");
    assert_eq!(points.last_key_value(), Some((&evening, &((evening % 1000) as f64))), "nothing of the step that runs");
    assert_eq!(first.cards, ["prom.errors: errors:ratio"]);
    turned.forward(Lapse::seconds(60));
    let second = again(&mut prom).await;
    let times: Vec<i64> = second.points["prom.errors"].keys().copied().collect();
    assert_eq!(times, [evening + 30, evening + 60]);
    let asked: Vec<_> = web.seen().iter().map(window).collect();
    assert_eq!(asked, [(evening - 3600, evening, 30), (evening - 60, evening + 60, 30)]);
    assert!(web.seen().iter().all(|r| r.method == "GET" && r.path.starts_with("/api/v1/query_range?")));
    // A point that was revised comes again; the others do not.
    web.now(move |r| matrix(r, &[("", &|t| if t == evening + 60 { 7.5 } else { (t % 1000) as f64 })]));
    let third = again(&mut prom).await;
    assert_eq!(third.points["prom.errors"], BTreeMap::from([(evening + 60, 7.5)]));
}

#[tokio::test]
async fn a_server_that_refuses_one_way_is_asked_the_other_and_it_is_remembered() {
    let web = Web::serve(|r| if r.method == "GET" { Answer::status(405) } else { matrix(r, &[("", &|_| 1.0)]) }).await;
    let turned = Turned::at(EVENING);
    let mut prom = source(&(keys(&web) + ERRORS), &turned, vec![], vec![]);
    assert_eq!(look(&mut prom).await.count(), 121);
    turned.forward(Lapse::seconds(30));
    assert_eq!(again(&mut prom).await.count(), 1);
    let methods: Vec<String> = web.seen().iter().map(|r| r.method.clone()).collect();
    assert_eq!(methods, ["GET", "POST", "POST"]);
    // A long expression is a form from the beginning.
    let long = format!("{}[[prometheus.query]]\nname = 'long'\npromql = '{}'\n", keys(&web), "a+".repeat(2_000));
    let mut prom = source(&long, &turned, vec![], vec![]);
    assert_eq!(look(&mut prom).await.condition, Some(Condition::well()));
    assert_eq!(web.seen().last().unwrap().parameter("query").unwrap().len(), 4_000);
    assert_eq!(web.seen().len(), 4);
}

#[tokio::test]
async fn a_split_draws_the_worst_and_says_how_many_there_are() {
    let web = Web::serve(|r| {
        matrix(r, &[(r#""pod":"a""#, &|_| 1.0), (r#""pod":"b""#, &|_| 9.0), (r#""pod":"c""#, &|_| 4.0)])
    })
    .await;
    let mut prom =
        source(&(keys(&web) + ERRORS + "split = 'pod'\nsplit_most = 2"), &Turned::at(EVENING), vec![], vec![]);
    let told = look(&mut prom).await;
    let newest: BTreeMap<&str, f64> =
        told.points.iter().map(|(n, p)| (n.as_str(), *p.last_key_value().unwrap().1)).collect();
    assert_eq!(newest, BTreeMap::from([("prom.errors", 9.0), ("prom.errors/a", 1.0), ("prom.errors/b", 9.0)]));
    assert!(told.cards[0].contains("largest of errors:ratio by pod, 2 of 3 shown"), "{:?}", told.cards);
}

#[tokio::test]
async fn an_answer_of_several_series_says_what_to_write_and_is_asked_again() {
    let web = Web::serve(|r| matrix(r, &[(r#""pod":"a""#, &|_| 1.0), (r#""pod":"b""#, &|_| 2.0)])).await;
    let mut prom = source(&(keys(&web) + ERRORS), &Turned::at(EVENING), vec![], vec![]);
    let told = look(&mut prom).await;
    assert_eq!((told.state(), told.code(), told.count()), (State::Late, "not drawn", 0));
    assert!(told.says().contains("2 series") && told.remedy().contains("split"), "{}", told.says());
    web.now(|r| matrix(r, &[("", &|_| 1.0)]));
    assert_eq!(again(&mut prom).await.condition, Some(Condition::well()));
}

#[tokio::test]
async fn one_bad_expression_is_named_and_the_others_still_come() {
    let web = Web::serve(|r| match r.parameter("query").unwrap().as_str() {
        "sum(" => error(400, "bad_data", "1:5: parse error: unclosed left parenthesis"),
        _ => matrix(r, &[("", &|_| 1.0)]),
    })
    .await;
    let bad = "[[prometheus.query]]\nname = 'bad'\npromql = 'sum('\n";
    let text = format!("{}{bad}{ERRORS}", keys(&web));
    let turned = Turned::at(EVENING);
    let mut prom = source(&text, &turned, vec![], vec![]);
    let told = look(&mut prom).await;
    assert_eq!((told.state(), told.code()), (State::Late, "1 of 2"));
    assert!(told.says().contains("bad is not answered: bad_data: 1:5: parse error"), "{}", told.says());
    assert!(told.remedy().contains("[[prometheus.query]]"));
    assert_eq!(told.points["prom.errors"].len(), 121);
    again(&mut prom).await;
    assert_eq!(web.seen().len(), 3, "what can never be answered is asked once");
}

#[tokio::test]
async fn answers_that_are_none_say_what_they_were_and_the_server_recovers() {
    let html = || Answer::text("<html>Sign in</html>").with("content-type", "text/html");
    let cases: Vec<(Answer, State, &str, &str)> = vec![
        (html(), State::Down, "a web page", "login"),
        (Answer::status(500), State::Down, "cannot answer (500)", "log"),
        (Answer::status(404), State::Down, "no range query", "base URL"),
        (Answer::status(302), State::Down, "elsewhere", "redirect"),
        (Answer::json("{}"), State::Down, "not that of a Prometheus server", "base URL"),
        (Answer::json("{\"status\":\"success\",\"data\":{\"resultType\":\"ma"), State::Late, "cut off", "again"),
        (Answer::json("{\"status\":\"success\",\"data\":7}"), State::Late, "not a range query's", "again"),
        (Answer::CutOff(vec![b' '; 500]), State::Down, "cut off", "crashed"),
        (Answer::Hangup, State::Down, "cut off", "crashed"),
        (error(503, "timeout", "query timed out in expression evaluation"), State::Late, "timed out", "ask for less"),
        (error(422, "execution", "too many samples"), State::Late, "too many samples", "ask for less"),
    ];
    let web = Web::serve(|_| Answer::Hangs).await;
    let turned = Turned::at(EVENING);
    let mut prom = source(&(keys(&web) + ERRORS), &turned, vec![], vec![]);
    for (answer, state, says, remedy) in cases {
        let shown = format!("{answer:?}");
        web.now(move |_| answer.clone());
        let told = again(&mut prom).await;
        assert_eq!(told.state(), state, "{shown}: {}", told.says());
        assert!(told.says().contains(says), "{shown}: {}", told.says());
        assert!(told.remedy().contains(remedy), "{shown}: {}", told.remedy());
        assert!(told.points.is_empty() && told.cost.failed == 1, "{shown}");
        web.now(|r| matrix(r, &[("", &|_| 1.0)]));
        turned.forward(Lapse::seconds(30));
        assert_eq!(again(&mut prom).await.condition, Some(Condition::well()), "after {shown}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_asked_one_question_and_not_all() {
    let web = Web::serve(|_| Answer::Hangs).await;
    let more: String = (0..5).map(|i| format!("[[prometheus.query]]\nname = 'q{i}'\npromql = 'up'\n")).collect();
    let mut prom = source(&(patient(&web, "1s") + &more), &Turned::at(EVENING), vec![], vec![]);
    let told = look(&mut prom).await;
    assert_eq!((told.state(), told.code(), web.seen().len()), (State::Down, "no answer", 1));
    drop(web);
}

#[tokio::test]
async fn a_refusal_stops_all_queries_after_the_first_with_its_reason() {
    for (status, wait, says) in [(401, 300, "does not believe us"), (403, 300, "forbids"), (429, 77, "77 s of rest")] {
        let web = Web::serve(move |_| Answer::status(status).with("retry-after", "77")).await;
        let more = "[[prometheus.query]]\nname = 'more'\npromql = 'up'\n";
        let text = keys(&web) + "bearer = 'hunter2'\nheaders = { X-Scope-OrgID = 'pay' }\n" + ERRORS + more;
        let mut prom = source(&text, &Turned::at(EVENING), vec![], vec![]);
        let told = look(&mut prom).await;
        assert_eq!((told.failed, told.wait), (true, Lapse::seconds(wait)), "{status}");
        assert!(told.says().contains(says) && !told.says().contains("hunter2"), "{}", told.says());
        assert_eq!((web.seen().len(), told.cost.throttled), (1, u32::from(status == 429)));
        let request = web.seen().remove(0);
        assert_eq!(request.header("authorization"), Some("Bearer hunter2"));
        assert_eq!(request.header("x-scope-orgid"), Some("pay"));
    }
    let web = Web::serve(|_| Answer::status(429).with("retry-after", "4294967295")).await;
    let told = look(&mut source(&(keys(&web) + ERRORS), &Turned::at(EVENING), vec![], vec![])).await;
    assert_eq!(told.wait, Lapse::hours(1), "nobody waits for years");
}

#[tokio::test]
async fn a_server_that_repeats_who_we_are_gets_no_secret_into_state_or_facts() {
    let secrets = [
        ("bearer = 'Hunter2secret'\n", vec!["Hunter2secret"]),
        // RFC 7617's own user and password.
        ("user = 'Aladdin'\npassword = 'open sesame'\n", vec!["QWxhZGRpbjpvcGVuIHNlc2FtZQ", "open sesame"]),
        ("headers = { X-Api-Key = 'k3y/with/slashes' }\n", vec!["k3y/with/slashes", "k3y%2Fwith%2Fslashes"]),
    ];
    for (auth, secrets) in secrets {
        let echo = |r: &Request| {
            let sent: Vec<&str> = ["authorization", "x-api-key"].iter().filter_map(|n| r.header(n)).collect();
            format!("who is {}? not open sesame, nor k3y%2Fwith%2Fslashes", sent.join(" "))
        };
        let web = Web::serve(|_| Answer::Hangs).await;
        let mut prom = source(&(keys(&web) + auth + ERRORS), &Turned::at(EVENING), vec![], vec![]);
        let answers: [fn(String) -> Answer; 5] = [
            |echo| error(503, "timeout", &echo),
            |echo| error(422, &format!("execution {echo}"), "too many samples"),
            |echo| {
                Answer::json(format!(
                    "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[]}},\"warnings\":[\"{echo}\"]}}"
                ))
            },
            |echo| Answer::Says(500, Vec::new(), echo.into_bytes()),
            |echo| error(400, "bad_data", &echo),
        ];
        let mut quoted = 0;
        for answer in answers {
            web.now(move |r| answer(echo(r)));
            let told = again(&mut prom).await;
            assert_ne!(told.state(), State::Well, "{}", told.says());
            let shown =
                format!("{:?} {} {} {:?} {:?}", told.condition, told.says(), told.code(), told.lost, told.cards);
            assert!(!secrets.iter().any(|s| shown.contains(s)), "{shown}");
            quoted += usize::from(shown.contains("‹cut›"));
        }
        assert!(quoted >= 4, "the rest of the words is told: {quoted}");
        let request = web.seen().remove(0);
        let sent = [request.header("authorization"), request.header("x-api-key")];
        assert!(sent.iter().flatten().any(|h| h.contains(secrets[0])), "it was sent: {sent:?}");
    }
}

#[tokio::test]
async fn warnings_future_points_and_silence_are_told() {
    let body = |inner: &str, more: &str| {
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{inner}]}}{more}}}")
    };
    let web = Web::serve(|_| Answer::Hangs).await;
    let turned = Turned::at(EVENING);
    let mut prom = source(&(keys(&web) + ERRORS), &turned, vec![], vec![]);
    let empty = body("", "");
    web.now(move |_| Answer::json(empty.clone()));
    let told = look(&mut prom).await;
    assert_eq!((told.state(), told.code(), told.count()), (State::Late, "no data", 0));
    assert!(told.says().contains("no data since 12 Jan 18:00"), "{}", told.says());
    let ahead = body(&format!("{{\"metric\":{{}},\"values\":[[{},\"1\"]]}}", EVENING.0 / 1_000_000 + 7200), "");
    web.now(move |_| Answer::json(ahead.clone()));
    let told = again(&mut prom).await;
    assert_eq!((told.code(), told.count()), ("future", 0));
    // It had points, and then has none: since the last of them.
    web.now(|r| matrix(r, &[("", &|_| 1.0)]));
    assert_eq!(again(&mut prom).await.condition, Some(Condition::well()));
    let empty = body("", "");
    web.now(move |_| Answer::json(empty.clone()));
    turned.forward(Lapse::minutes(5));
    assert_eq!(again(&mut prom).await.condition, Some(Condition::well()), "a few steps may be late");
    turned.forward(Lapse::minutes(2));
    let told = again(&mut prom).await;
    assert_eq!((told.state(), told.code(), told.count()), (State::Late, "no data", 0));
    assert!(told.says().contains("no data since 12 Jan 19:00"), "{}", told.says());
    let partial = body("", ",\"warnings\":[\"store thanos-store-0 is not there\"]");
    web.now(move |_| Answer::json(partial.clone()));
    let told = again(&mut prom).await;
    assert!(told.says().contains("warning: store thanos-store-0"), "{}", told.says());
}

fn evening_window() -> Span {
    Span::new(EVENING - Lapse::hours(5), EVENING - Lapse::hours(2))
}

#[tokio::test]
async fn the_day_of_the_incident_is_fetched_with_progress_and_goes_on_where_it_stopped() {
    let web = Web::serve(|r| matrix(r, &[("", &|t| (t % 977) as f64)])).await;
    let (text, turned) = (keys(&web) + ERRORS, Turned::at(EVENING));
    let baseline = evening_window().moved(Lapse::hours(-168));
    let spans = vec![evening_window(), baseline];
    let mut prom = source(&text, &turned, spans.clone(), vec![]);
    let mut have = look(&mut prom).await.fetched;
    assert!(have.is_empty(), "now comes first");
    let first = look(&mut prom).await;
    assert_eq!(first.progress.len(), 1);
    assert!(first.progress[0].1.starts_with("fetching 14:00–15:00 of 12 Jan"), "{:?}", first.progress);
    have.extend(first.fetched);
    // Started again with what is recorded: only the rest is asked for.
    let before = web.seen().len();
    let mut prom = source(&text, &turned, spans.clone(), have.clone());
    look(&mut prom).await;
    let mut last = 0;
    for _ in 0..20 {
        let told = look(&mut prom).await;
        have.extend(told.fetched);
        last = told.progress.last().map_or(last, |p| p.0);
        if last == 100 {
            break;
        }
    }
    assert_eq!(last, 100);
    let pieces: BTreeSet<(i64, i64)> =
        web.seen()[before + 1..].iter().map(window).map(|(from, to, _)| (from, to)).collect();
    assert_eq!(pieces.len(), 3, "one of the window, two of the baseline: {pieces:?}");
    let covered: i64 = have.iter().map(|f| f.span.length().whole_seconds()).sum();
    assert_eq!(covered, 2 * 3 * 3600);
    let third = source(&text, &turned, spans, have);
    let mut third = third;
    let before = web.seen().len();
    look(&mut third).await;
    look(&mut third).await;
    assert_eq!(web.seen().len(), before + 2, "nothing is left but now");
}

#[tokio::test]
async fn too_much_is_asked_in_halves_and_a_past_that_is_not_kept_is_said() {
    let web = Web::serve(|r| {
        let (from, to, step) = window(r);
        if (to - from) / step > 150 { error(422, "execution", "would load too many samples") } else { matrix(r, &[]) }
    })
    .await;
    let mut prom = source(&(keys(&web) + ERRORS), &Turned::at(EVENING), vec![evening_window()], vec![]);
    let (mut lost, mut fetched, mut done) = (Vec::new(), 0, 0);
    for _ in 0..20 {
        let told = look(&mut prom).await;
        lost.extend(told.lost);
        fetched += told.fetched.len();
        done = told.progress.last().map_or(done, |p| p.0);
        if done == 100 {
            break;
        }
    }
    assert_eq!((done, fetched), (100, 3), "an hour at a time");
    assert!(lost.len() == 1 && lost[0].contains("keeps less"), "{lost:?}");
}

#[tokio::test]
async fn after_an_outage_what_was_missed_is_asked_for() {
    let web = Web::serve(|r| matrix(r, &[("", &|_| 1.0)])).await;
    let turned = Turned::at(EVENING);
    let mut prom = source(&(keys(&web) + ERRORS), &turned, vec![], vec![]);
    look(&mut prom).await;
    web.now(|_| Answer::status(500));
    for _ in 0..3 {
        turned.forward(Lapse::minutes(10));
        assert!(again(&mut prom).await.failed);
    }
    web.now(|r| matrix(r, &[("", &|_| 1.0)]));
    assert_eq!(again(&mut prom).await.count(), 60, "half an hour of points, none twice");
}

#[tokio::test]
async fn check_tries_every_query_once_and_a_server_that_is_away_only_once() {
    let web = Web::serve(|r| match r.parameter("query").unwrap().as_str() {
        "sum(" => error(400, "bad_data", "parse error"),
        "nothing" => matrix(r, &[]),
        "many" => matrix(r, &[("\"a\":\"1\"", &|_| 1.0), ("\"a\":\"2\"", &|_| 1.0)]),
        _ => matrix(r, &[("", &|_| 1.0)]),
    })
    .await;
    let query = |name: &str, promql: &str| format!("[[prometheus.query]]\nname = '{name}'\npromql = '{promql}'\n");
    let queries = query("fine", "up") + &query("bad", "sum(") + &query("none", "nothing") + &query("many", "many");
    let told = |lines: Vec<warroom::source::CheckLine>| -> Vec<String> {
        lines.iter().map(|l| format!("{:?} {}: {}", l.ok, l.what, l.says.raw())).collect()
    };
    let lines = told(warroom::source::check(&config(&(keys(&web) + &queries))).await);
    assert!(lines[0].starts_with("Yes query fine: 1 series, newest point "), "{lines:?}");
    assert_eq!(lines[1], "No query bad: bad_data: parse error");
    assert_eq!(lines[2], "Partly query none: answers, but has no data in the last 10 min");
    assert!(lines[3].starts_with("Partly query many: the answer has 2 series"), "{lines:?}");
    let (text, port) = (keys(&web) + &queries, web.port);
    web.end().await;
    let lines = told(warroom::source::check(&config(&text)).await);
    assert_eq!(lines[0], "No connection: prom: connection refused", "{port}");
    assert!(lines[1].contains("not tried"), "{lines:?}");
}
