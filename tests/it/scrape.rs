//! A service's own endpoints: real HTTP on loopback, pods that restart, vanish and come back, and answers
//! as nobody should give them.

#![expect(clippy::float_cmp, reason = "the numbers are those of the fixtures, unchanged")]

use crate::web::{Answer, Web};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warroom::config::load::parse;
use warroom::config::{Config, ScrapeConfig};
use warroom::model::health::{Cost, State};
use warroom::model::{Fact, Lapse, Stamp};
use warroom::source::clock::Clock;
use warroom::source::prometheus::Scrape;
use warroom::source::runner::{Condition, Poll as _};

fn config(text: &str) -> Config {
    parse(Path::new("/etc/warroom/config.toml"), text).0.unwrap()
}

/// `[[scrape]]` of these pods with further keys.
fn service(pods: &[&Web], more: &str) -> ScrapeConfig {
    let targets: Vec<String> = pods.iter().map(|w| format!("'{}'", w.url("/metrics"))).collect();
    // More patience than any answer takes, unless the test is about patience.
    let patience = if more.contains("timeout") { "" } else { "timeout = '1m'\n" };
    config(&format!("[[scrape]]\nname = 'api'\ntargets = [{}]\n{patience}{more}", targets.join(", "))).scrapes.remove(0)
}

/// What a Go service with a pool says: the counters grow by a hundred acquires a look.
fn pod(look: u32, acquired: u32) -> String {
    let n = f64::from(look);
    format!(
        "# HELP go_goroutines Number of goroutines that exist now.\n# TYPE go_goroutines gauge\n\
         go_goroutines {}\n\
         # TYPE go_gc_duration_seconds summary\n\
         go_gc_duration_seconds{{quantile=\"0\"}} 3.1e-05\ngo_gc_duration_seconds{{quantile=\"1\"}} 0.0019\n\
         go_gc_duration_seconds_sum {}\ngo_gc_duration_seconds_count {}\n\
         # TYPE pgxpool_acquired_conns gauge\npgxpool_acquired_conns{{db=\"mrg\"}} {acquired}\n\
         pgxpool_max_conns{{db=\"mrg\"}} 40\n\
         # TYPE pgxpool_acquire_count counter\npgxpool_acquire_count{{db=\"mrg\"}} {}\n\
         pgxpool_acquire_duration_ns{{db=\"mrg\"}} {}\n\
         # TYPE http_requests_total counter\n\
         http_requests_total{{code=\"200\",method=\"post\"}} {}\nhttp_requests_total{{code=\"503\",method=\"post\"}} {}\n\
         process_start_time_seconds 1.7366e+09\n",
        1900 + look,
        0.01 * n,
        10.0 * n,
        100.0 * n,
        6e10 * n,
        90.0 * n,
        10.0 * n,
    )
}

struct Told {
    values: BTreeMap<String, f64>,
    cards: Vec<String>,
    condition: Condition,
    cost: Cost,
    answered: bool,
}

async fn look(scrape: &mut Scrape) -> Told {
    let (facts, condition, cost, answered) = match scrape.poll().await {
        Ok(round) => (round.facts, round.condition, round.cost, true),
        Err(failure) => (failure.facts, failure.condition, failure.cost, false),
    };
    let mut told =
        Told { values: BTreeMap::new(), cards: Vec::new(), condition, cost: cost.unwrap_or_default(), answered };
    for fact in facts {
        match fact {
            Fact::Samples(s) => told.values.extend(s.values.into_iter().map(|(n, v)| (n.to_string(), v))),
            Fact::Series(cards) => {
                told.cards.extend(cards.iter().map(|c| format!("{}: {}", c.name, c.from.raw())));
            }
            other => unreachable!("a scrape says nothing of this kind: {other:?}"),
        }
    }
    // Rates depend on the time between two looks; there has to be some.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    told
}

#[tokio::test]
async fn the_pools_of_several_services_are_limits_by_the_names_that_libraries_give_them() {
    use warroom::analysis::limit;
    let pgx = |acquired: u32| format!("pgxpool_acquired_conns {acquired}\npgxpool_max_conns 20\n");
    let a = Web::serve(move |_| Answer::text(pgx(19))).await;
    let b = Web::serve(move |_| Answer::text(pgx(7))).await;
    let sql = |open: u32| {
        format!(
            "go_sql_in_use_connections{{db_name=\"mrg\"}} 12\ngo_sql_max_open_connections{{db_name=\"mrg\"}} {open}\n"
        )
    };
    let c = Web::serve(move |_| Answer::text(sql(50))).await;
    let d = Web::serve(move |_| Answer::text(sql(0))).await;
    let mut store = warroom::store::Store::default();
    let clock = Clock::wall();
    for (name, preset, pods) in [
        ("orders-api", "pgxpool", vec![a.url("/metrics"), b.url("/metrics")]),
        ("payments", "sql", vec![c.url("/metrics")]),
        ("endless", "sql", vec![d.url("/metrics")]),
    ] {
        let text = format!("[[scrape]]\nname = '{name}'\ntargets = {pods:?}\npresets = ['{preset}']\n");
        let facts = Scrape::new(config(&text).scrapes.remove(0), clock.clone()).poll().await.unwrap().facts;
        store.apply(&warroom::model::Batch { source: name.into(), seq: 1, seen: clock.now(), facts });
    }
    let at = clock.now();
    let rows = limit::table(&store, warroom::model::Span::new(at - Lapse::minutes(5), at), at, &[]);
    let told: Vec<(&str, &str, f64, Option<f64>)> = rows
        .iter()
        .map(|r| (r.limit.name.as_str(), r.limit.series.as_str(), r.limit.value, r.now.map(|(_, v)| v)))
        .collect();
    assert_eq!(
        told,
        [
            ("pool of orders-api", "orders-api.pool_acquired", 40.0, Some(26.0)),
            ("pool of payments", "payments.pool_acquired", 50.0, Some(12.0)),
        ],
        "database/sql says 0 for no limit"
    );
}

const PRESETS: &str = "presets = ['go', 'pgxpool', 'http_server']\n";

#[tokio::test]
async fn two_looks_at_two_pods_give_totals_worst_values_and_shares() {
    let looks = std::sync::atomic::AtomicU32::new(0);
    let a =
        Web::serve(move |_| Answer::text(pod(1 + looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 10))).await;
    let looks = std::sync::atomic::AtomicU32::new(0);
    let b =
        Web::serve(move |_| Answer::text(pod(1 + looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 38))).await;
    let mut scrape = Scrape::new(service(&[&a, &b], PRESETS), Clock::wall());
    let first = look(&mut scrape).await;
    assert_eq!(first.condition, Condition::well());
    let names: Vec<&str> = first.values.keys().map(String::as_str).collect();
    assert_eq!(names, ["api.goroutines", "api.pods", "api.pool_acquired", "api.pool_in_use", "api.pool_max"]);
    assert_eq!(first.values["api.goroutines"], 3802.0);
    assert_eq!((first.values["api.pool_acquired"], first.values["api.pool_max"]), (48.0, 80.0));
    assert_eq!(first.values["api.pool_in_use"], 95.0, "the fuller of the two");
    assert!(first.cards.contains(&"api.goroutines: sum of all pods: go_goroutines".to_owned()), "{:?}", first.cards);
    assert_eq!((first.cost.requests, first.cost.failed), (2, 0));
    let second = look(&mut scrape).await;
    let close = |name: &str, expected: f64| {
        let value = second.values.get(name).copied().unwrap_or(f64::NAN);
        assert!((value - expected).abs() < 1e-9, "{name}: {value}, not {expected}");
    };
    close("api.pool_wait", 0.6);
    close("api.errors", 10.0);
    close("api.gc_pause", 0.001);
    assert!(second.values["api.requests"] > 0.0);
    assert!(second.cards.iter().all(|c| !c.contains("goroutines")), "said once: {:?}", second.cards);
    let requests = a.seen();
    assert!(requests.iter().all(|r| r.method == "GET" && r.path == "/metrics"));
    assert!(requests[0].header("accept").unwrap().starts_with("text/plain"));
}

#[tokio::test]
async fn a_pod_that_vanishes_is_named_and_its_totals_stop_instead_of_dropping() {
    let a = Web::serve(|_| Answer::text(pod(5, 10))).await;
    let b = Web::serve(|_| Answer::text(pod(5, 38))).await;
    let port = b.port;
    let mut scrape = Scrape::new(service(&[&a, &b], PRESETS), Clock::wall());
    assert_eq!(look(&mut scrape).await.values["api.pool_acquired"], 48.0);
    b.end().await;
    let without = look(&mut scrape).await;
    assert_eq!((without.condition.state, without.condition.code.as_str()), (State::Late, "1 of 2"));
    let says = without.condition.says.raw();
    assert!(
        says.contains(&format!("127.0.0.1:{port}: connection refused")) && says.contains("totals are not known"),
        "{says}"
    );
    assert!(!without.values.contains_key("api.pool_acquired"), "half of a total is no total");
    assert_eq!(without.values["api.pool_in_use"], 25.0, "of the pod that answers, as the words say");
    assert_eq!(without.values["api.pods"], 1.0);
    assert_eq!((without.cost.requests, without.cost.failed), (2, 1));
    let _b = Web::at(port, |_| Answer::text(pod(1, 38))).await;
    let back = look(&mut scrape).await;
    assert_eq!((back.condition, back.values["api.pool_acquired"]), (Condition::well(), 48.0));
}

#[tokio::test]
async fn a_pod_that_is_gone_for_long_no_longer_holds_up_the_totals() {
    let a = Web::serve(|_| Answer::text(pod(5, 10))).await;
    let b = Web::serve(|_| Answer::text(pod(5, 38))).await;
    let turned = Arc::new(AtomicI64::new(1_736_683_200_000_000));
    let there = Arc::clone(&turned);
    let clock = Clock::by(move || Stamp(there.load(Ordering::SeqCst)));
    let mut scrape = Scrape::new(service(&[&a, &b], &format!("{PRESETS}gone_after = '10m'")), clock);
    look(&mut scrape).await;
    b.end().await;
    assert!(!look(&mut scrape).await.values.contains_key("api.goroutines"));
    turned.fetch_add(Lapse::minutes(11).0, Ordering::SeqCst);
    let told = look(&mut scrape).await;
    assert_eq!(told.values["api.goroutines"], 1905.0);
    assert!(told.condition.says.raw().contains("totals are of the other pods"), "{}", told.condition.says.raw());
    assert_eq!(told.condition.state, State::Late);
}

#[tokio::test]
async fn nobody_answers_and_the_reason_is_the_state() {
    let a = Web::serve(|_| Answer::Hangs).await;
    let mut scrape = Scrape::new(service(&[&a], "timeout = '500ms'"), Clock::wall());
    let told = look(&mut scrape).await;
    assert!(!told.answered && told.values.is_empty());
    assert_eq!((told.condition.state, told.condition.code.as_str()), (State::Down, "no answer"));
    assert!(told.condition.says.raw().contains("no answer within 0.5 s"), "{}", told.condition.says.raw());
}

#[tokio::test]
async fn every_answer_that_is_none_says_what_it_was_and_recovers() {
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let cases: Vec<(Answer, &str, &str)> = vec![
        (Answer::status(404), "404", "path included"),
        (Answer::status(500), "500", "See its log"),
        (Answer::status(302).with("location", "http://127.0.0.1:1/login"), "302", "follows no redirect"),
        (Answer::text(html).with("content-type", "text/html"), "a web page", "login or a proxy"),
        (Answer::text(""), "no metrics", "path included"),
        (Answer::CutOff(pod(1, 1).into_bytes()), "cut off", "crashed"),
        (Answer::Hangup, "cut off", "crashed"),
        (Answer::text("x 1\n").with("content-encoding", "br"), "packed", "proxy"),
        (Answer::text("go_goroutines 5\n").with("content-encoding", "gzip"), "packed", "proxy"),
        (
            Answer::Says(
                200,
                vec![("content-type", "application/openmetrics-text; version=1.0.0".into())],
                b"up 1\n".to_vec(),
            ),
            "cut off",
            "crashed",
        ),
    ];
    let a = Web::serve(|_| Answer::Hangs).await;
    let mut scrape = Scrape::new(service(&[&a], ""), Clock::wall());
    for (answer, says, remedy) in cases {
        let shown = format!("{answer:?}");
        a.now(move |_| answer.clone());
        let told = look(&mut scrape).await;
        let c = &told.condition;
        assert_eq!(c.state, State::Down, "{shown}");
        assert!(c.says.raw().contains(says), "{shown}: {}", c.says.raw());
        assert!(c.remedy.raw().contains(remedy), "{shown}: {}", c.remedy.raw());
        assert!(c.code.chars().count() <= 12, "{}", c.code);
        assert!(told.values.is_empty() && told.cost.failed == 1, "{shown}: {:?}", told.cost);
        a.now(|_| Answer::text("go_goroutines 5\n"));
        assert_eq!(look(&mut scrape).await.condition, Condition::well(), "after {shown}");
    }
}

#[tokio::test]
async fn a_pod_that_does_not_believe_us_is_asked_once_and_left_alone() {
    let a = Web::serve(|_| Answer::status(401)).await;
    let b = Web::serve(|_| Answer::status(429).with("retry-after", "120")).await;
    let mut scrape = Scrape::new(service(&[&a, &b], "user = 'warroom'\npassword = 'hunter2'"), Clock::wall());
    for _ in 0..3 {
        let told = look(&mut scrape).await;
        let says = told.condition.says.raw();
        assert!(says.contains("401") && says.contains("120 s") && !says.contains("hunter2"), "{says}");
    }
    assert_eq!((a.seen().len(), b.seen().len()), (1, 1));
    assert_eq!(a.seen()[0].header("authorization"), Some("Basic d2Fycm9vbTpodW50ZXIy"));
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_and_a_bomb_is_not() {
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let body = packed(pod(3, 12).as_bytes());
    let size = body.len() as u64;
    let a = Web::serve(move |_| Answer::Says(200, vec![("content-encoding", "gzip".into())], body.clone())).await;
    let mut scrape = Scrape::new(service(&[&a], PRESETS), Clock::wall());
    let told = look(&mut scrape).await;
    assert_eq!(told.values["api.pool_in_use"], 30.0);
    assert_eq!(told.cost.bytes, size, "bytes are counted as they came over the wire");
    assert_eq!(a.seen()[0].header("accept-encoding"), Some("gzip"));
    let bomb = packed(&vec![b'#'; 64 << 20]);
    a.now(move |_| Answer::Says(200, vec![("content-encoding", "gzip".into())], bomb.clone()));
    let told = look(&mut scrape).await;
    assert!(told.condition.says.raw().contains("larger than 32 MiB"), "{}", told.condition.says.raw());
}

#[tokio::test]
async fn ten_megabytes_are_read_and_a_broken_line_among_them_is_named() {
    let mut text = pod(3, 12);
    let lines = text.lines().count();
    text.push_str("broken{a=\"b\" 1\n");
    let mut i = 0;
    while text.len() < 10 << 20 {
        text.extend(["orders_by_shop_total{shop=\"shop-", &i.to_string(), "\",region=\"jakarta\"} 5\n"]);
        i += 1;
    }
    let a = Web::serve(move |_| Answer::text(text.clone())).await;
    let mut scrape = Scrape::new(service(&[&a], PRESETS), Clock::wall());
    let told = look(&mut scrape).await;
    assert_eq!(told.values["api.pool_in_use"], 30.0);
    assert_eq!((told.condition.state, told.condition.code.as_str()), (State::Late, "broken"));
    let says = told.condition.says.raw();
    assert!(says.contains(&format!("1 line cannot be read, the first is line {}", lines + 1)), "{says}");
}

#[tokio::test]
async fn several_processes_behind_one_address_are_found_out() {
    let mut turn = 0;
    let a = Web::serve(move |_| {
        turn += 1;
        Answer::text(format!("go_goroutines 5\nprocess_start_time_seconds {}\n", 1.7e9 + f64::from(turn % 2) * 1e6))
    })
    .await;
    let mut scrape = Scrape::new(service(&[&a], ""), Clock::wall());
    assert_eq!(look(&mut scrape).await.condition.state, State::Well);
    let told = look(&mut scrape).await.condition;
    assert_eq!((told.state, told.code.as_str()), (State::Late, "mixed"));
    assert!(told.remedy.raw().contains("load balancer"));
}

#[tokio::test]
async fn debug_vars_are_read_beside_metrics_and_alone() {
    let vars = |n: u32| {
        format!(
            "{{\"cmdline\":[\"/app/api\"],\"goroutines\":321,\"jobs\":{{\"late\":{n}}},\
             \"memstats\":{{\"HeapInuse\":1048576,\"PauseTotalNs\":{},\"NumGC\":{n},\"GCCPUFraction\":0.05}}}}",
            u64::from(n) * 200_000_000
        )
    };
    let mut n = 10;
    let a = Web::serve(move |r| {
        assert_eq!(r.path, "/debug/vars");
        n += 2;
        Answer::json(vars(n))
    })
    .await;
    let text = format!(
        "[[scrape]]\nname = 'api'\ntimeout = '1m'\nvars = ['127.0.0.1:{}']\n[[scrape.metric]]\nname = 'late'\nmetric = 'jobs.late'\n",
        a.port
    );
    let mut scrape = Scrape::new(config(&text).scrapes.remove(0), Clock::wall());
    let first = look(&mut scrape).await;
    assert_eq!(first.condition, Condition::well());
    assert_eq!((first.values["api.goroutines"], first.values["api.heap"]), (321.0, 1_048_576.0));
    assert_eq!((first.values["api.gc_cpu"], first.values["api.late"]), (5.0, 12.0));
    let second = look(&mut scrape).await;
    assert!((second.values["api.gc_pause"] - 0.2).abs() < 1e-9, "200 ms for each of two collections");
    a.now(|_| Answer::json("[1,2]"));
    assert!(look(&mut scrape).await.condition.says.raw().contains("no expvar JSON"));
    a.now(|_| Answer::json("{\"memstats\":{\"HeapInuse\":1"));
    assert!(look(&mut scrape).await.condition.says.raw().contains("cut off"));
}

#[tokio::test]
async fn an_endpoint_without_the_metrics_of_its_presets_says_so() {
    let a = Web::serve(|_| Answer::text("jvm_threads 12\n")).await;
    let mut scrape = Scrape::new(service(&[&a], "presets = ['go', 'sql']"), Clock::wall());
    let told = look(&mut scrape).await;
    assert_eq!(told.condition.code, "no metrics");
    assert!(told.condition.says.raw().contains("none of the metrics of go, sql"), "{}", told.condition.says.raw());
}

#[tokio::test]
async fn the_source_runs_as_a_task_and_its_batches_say_what_it_is() {
    let a = Web::serve(|_| Answer::text(pod(3, 12))).await;
    let (to, mut batches) = tokio::sync::mpsc::channel(16);
    let cancel = tokio_util::sync::CancellationToken::new();
    let handle = warroom::source::prometheus::start_scrape(service(&[&a], PRESETS), Clock::wall(), to, cancel.clone());
    let mut states = Vec::new();
    while states.last() != Some(&State::Well) {
        let batch = tokio::time::timeout(Lapse::minutes(2).to_std(), batches.recv()).await.unwrap().unwrap();
        assert_eq!(&*batch.source, "api");
        states.extend(batch.facts.iter().filter_map(|f| if let Fact::Health(h) = f { Some(h.state) } else { None }));
    }
    assert_eq!(states, [State::Late, State::Well]);
    cancel.cancel();
    handle.ended().await;
}

#[tokio::test]
async fn check_says_what_is_there_what_is_missing_and_what_to_write() {
    let text = format!("{}go_sql_open_connections 3\ngo_sql_in_use_connections 2\n", pod(3, 12));
    let a = Web::serve(move |_| Answer::text(text.clone())).await;
    let b = Web::serve(|_| Answer::status(404)).await;
    let own = "[[scrape.metric]]\nname = 'paid'\nmetric = 'orders_paid_total'\nkind = 'counter'\n";
    let targets = format!("targets = ['127.0.0.1:{}', '127.0.0.1:{}']", a.port, b.port);
    let text = format!("[[scrape]]\nname = 'api'\ntimeout = '1m'\n{targets}\npresets = ['go', 'breaker']\n{own}");
    let lines = warroom::source::check(&config(&text)).await;
    let told: Vec<String> =
        lines.iter().map(|l| format!("{:?} {}: {} -> {}", l.ok, l.what, l.says.raw(), l.remedy.raw())).collect();
    let has =
        |parts: &[&str]| assert!(told.iter().any(|l| parts.iter().all(|p| l.contains(p))), "{parts:?} in {told:#?}");
    has(&["Partly pods: 1 of 2 pods answer", "404", "path included"]);
    has(&["Partly preset go: found: goroutines, gc_pause", "missing: gc_cpu, heap", "go_memstats_heap_inuse_bytes"]);
    has(&["No preset breaker: none of its metrics", "circuit_breaker_state{state=open}"]);
    has(&["No metric paid: not there: orders_paid_total", "[[scrape.metric]]"]);
    has(&["Partly presets", "presets = [\"go\", \"breaker\", \"sql\", \"pgxpool\", \"http_server\"]"]);
}

/// What the service's counters stand at in minute `m` of an evening on which its pool fills in minute 20.
fn evening(m: i64, sick: bool) -> String {
    let since = |from: i64| if sick { (m - from).max(0) } else { 0 };
    let (full, calm) = (since(20) as f64, (m - since(20)) as f64);
    let acquired = if full > 0.0 { 40 } else { 12 };
    let open = u8::from(sick && m >= 30);
    format!(
        "go_goroutines {}\ngo_gc_duration_seconds_sum {}\ngo_gc_duration_seconds_count {}\n\
         pgxpool_acquired_conns {acquired}\npgxpool_max_conns 40\n\
         pgxpool_acquire_count {}\npgxpool_acquire_duration_ns {}\npgxpool_canceled_acquire_count {}\n\
         http_requests_total{{code=\"200\"}} {}\nhttp_requests_total{{code=\"503\"}} {}\n\
         circuit_breaker_state{{name=\"upg\",state=\"open\"}} {open}\nprocess_start_time_seconds 1.7e9\n",
        1900.0 + 50.0 * full,
        0.02 * m as f64,
        20 * m,
        600 * m,
        1e9 * (0.6 * calm + 900.0 * full),
        7.0 * full,
        600.0 * calm + 540.0 * full,
        60.0 * full,
    )
}

#[tokio::test]
async fn what_a_service_says_of_itself_answers_the_built_in_checks() {
    use warroom::model::incident::{Incident, Limit};
    use warroom::model::note::Verdict;
    use warroom::model::{Batch, Span, Zone};
    const T0: Stamp = Stamp(1_736_683_200_000_000);
    const WEEK: Lapse = Lapse::hours(168);
    let now = Arc::new(AtomicI64::new(0));
    let world = Arc::clone(&now);
    let web = Web::serve(move |_| {
        let at = Stamp(world.load(Ordering::SeqCst));
        let sick = at >= T0;
        let begin = if sick { T0 } else { T0 - WEEK };
        Answer::text(evening(at.since(begin).0 / 60_000_000, sick))
    })
    .await;
    let read = Arc::clone(&now);
    let clock = Clock::by(move || Stamp(read.load(Ordering::SeqCst)));
    let presets = "presets = ['go', 'pgxpool', 'http_server', 'breaker']\ninterval = '60s'\n";
    let mut scrape = Scrape::new(service(&[&web], presets), clock);
    let mut store = warroom::store::Store::default();
    let mut incident = Incident::unnamed(Zone::wib());
    incident.window = Some(Span::new(T0, T0 + Lapse::hours(1)));
    incident.baseline = incident.window.map(|w| w.moved(Lapse(-WEEK.0)));
    let limit = |name: &str, value, series: &str| Limit {
        name: name.into(),
        value,
        series: series.into(),
        unit: None,
        of: String::new(),
    };
    incident.limits =
        vec![limit("pool_max × pods", 40.0, "api.pool_acquired"), limit("breaker failure ratio", 5.0, "api.errors")];
    let mut seq = 0;
    let mut put = |store: &mut warroom::store::Store, facts| {
        seq += 1;
        store.apply(&Batch { source: "api".into(), seq, seen: T0, facts });
    };
    put(&mut store, vec![Fact::Incident(Box::new(incident))]);
    for begin in [T0 - WEEK, T0] {
        for minute in 0..60 {
            now.store((begin + Lapse::minutes(minute)).0, Ordering::SeqCst);
            put(&mut store, scrape.poll().await.unwrap().facts);
        }
    }
    let window = store.incident.window.unwrap();
    let note = warroom::note::parse::parse(
        "note.md",
        "# Evening
## Areas
- [ ] Goroutine leak
- [ ] GC pauses
",
    );
    let findings = warroom::analysis::check::findings(&store, &note, window, window.to);
    let all = || findings.hypotheses.iter().flat_map(|f| &f.checks).chain(&findings.others);
    let told = |id: &str| {
        all().find(|c| c.id == id).map_or((Verdict::NoData, id.to_owned()), |c| (c.verdict, c.measured.clone()))
    };
    let (pool, says) = told("H1a");
    assert_eq!(pool, Verdict::Supports, "{says}");
    assert!(says.contains("100 %") && says.contains("273 timeouts"), "{says}");
    assert_eq!(told("H1b").0, Verdict::Supports, "{:?}", told("H1b"));
    let (wait, says) = told("H1c");
    assert!(wait == Verdict::Supports && says.contains("1.50 s"), "{says}");
    assert!(told("H3a").1.contains("open from 19:30"), "{:?}", told("H3a"));
    assert_eq!(told("H3c").0, Verdict::Refutes, "the callee had been failing: {:?}", told("H3c"));
    assert_eq!(told("M3").0, Verdict::Refutes, "{:?}", told("M3"));
    assert!(told("M2").1.contains("at most 3"), "{:?}", told("M2"));
}
