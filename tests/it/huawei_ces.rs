//! The cloud's metrics against the emulator: the right lanes in the right units with the documented number
//! of requests, the past piece by piece, and every way in which the service may misbehave.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warroom::config::load::parse;
use warroom::config::{CredentialConfig, HuaweiConfig, Secret};
use warroom::model::health::{Fetched, State};
use warroom::model::series::Unit;
use warroom::model::{Batch, Fact, Lapse, Span, Stamp, Zone};
use warroom::simulator::cloud::world::Metric;
use warroom::simulator::cloud::{Api, Clock as CloudClock, Cloud, Fault, Limits, Rates, Running, Watch, World};
use warroom::source::clock::{Clock, now};
use warroom::source::huawei::metrics::Metrics;
use warroom::source::huawei::{Client, Past, start};
use warroom::source::runner::{Failure, Poll as _, Round};
use warroom::store::Store;

/// 12 January 2025, 20:00 WIB.
pub const NOW: Stamp = Stamp::from_secs(1_736_686_800);
const RDS: &str = "3c8cc15614ab46f5b8743317555e0de2in03";

pub fn ago(minutes: i64) -> Stamp {
    NOW - Lapse::minutes(minutes)
}

/// Wall time for signatures; the world's own time for its data.
pub async fn listen(world: World, change: impl FnOnce(Cloud) -> Cloud) -> (Running, Watch) {
    let watch = Watch::at(NOW);
    let cloud = Cloud::new(world, CloudClock::new(now)).world_clock(watch.clock()).rates(Rates::default());
    let running = change(cloud).listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    (running, watch)
}

/// A block for the emulator, with these instances and metrics, as a person would write it.
pub fn block(cloud: &Running, more: &str) -> HuaweiConfig {
    let account = cloud.account();
    let region = account.region();
    let text = format!(
        "[huawei]\nregion = \"{region}\"\nproject_id = \"{}\"\naccess_key = \"{}\"\nsecret_key = \"{}\"\n{more}",
        account.project(),
        account.ak,
        account.sk
    );
    let mut block = parse(Path::new("config.toml"), &text).0.unwrap().huawei.unwrap();
    // As many as the machine can: what is counted here is requests, not seconds.
    block.requests_per_second = 10_000.0;
    for service in ["ces", "cts", "iam"] {
        block.endpoints.insert(service.to_owned(), cloud.endpoint());
    }
    block
}

pub fn clock_of(watch: &Watch) -> Clock {
    let watch = watch.clone();
    Clock::by(move || watch.now())
}

/// A point a minute, seventeen seconds past it, from `from` to `to` minutes ago.
fn minutes(from: i64, to: i64, value: impl Fn(i64) -> f64) -> Vec<(Stamp, f64)> {
    (to..from).rev().map(|m| (ago(m) + Lapse::seconds(17), value(m))).collect()
}

fn rds(metric: &str, unit: &str, points: Vec<(Stamp, f64)>) -> Metric {
    Metric::new("SYS.RDS", metric, &[("postgresql_cluster_id", RDS)], unit).with_points(points)
}

const ONE: &str = "[[huawei.instance]]\nkind = \"rds\"\nname = \"pg\"\nid = \"3c8cc15614ab46f5b8743317555e0de2in03\"\n\
    only = [\"conn_usage\"]\n";

fn one(points: Vec<(Stamp, f64)>) -> World {
    World { metrics: vec![rds("rds083_conn_usage", "%", points)], ..World::default() }
}

/// So many metrics of one namespace, chosen freely.
fn many(count: usize, points: &[(Stamp, f64)]) -> (World, String) {
    let mut text = String::new();
    let mut metrics = Vec::new();
    for i in 0..count {
        let _ = writeln!(text, "[[huawei.metric]]\nname = \"m{i}\"\nnamespace = \"SYS.ELB\"\nmetric = \"metric_{i}\"");
        text += "dimensions = [\"id=lb\"]\n";
        let metric = Metric::new("SYS.ELB", &format!("metric_{i}"), &[("id", "lb")], "Count");
        metrics.push(metric.with_points(points.iter().copied()));
    }
    (World { metrics, ..World::default() }, text)
}

/// A source polled by hand, and all that came of it.
struct Scene {
    cloud: Running,
    watch: Watch,
    source: Metrics,
    block: HuaweiConfig,
    store: Store,
    facts: Vec<Fact>,
    /// How the last poll ended.
    state: State,
    code: String,
    says: String,
    seq: u64,
}

fn nothing_past() -> Past {
    Past::new(None, None, Zone::wib(), Vec::new())
}

async fn scene(world: World, more: &str) -> Scene {
    let (cloud, watch) = listen(world, |c| c).await;
    let block = block(&cloud, more);
    Scene::new(cloud, watch, block, nothing_past())
}

impl Scene {
    fn new(cloud: Running, watch: Watch, block: HuaweiConfig, past: Past) -> Self {
        let source = Metrics::new(Client::new(&block), clock_of(&watch), past);
        Self {
            cloud,
            watch,
            source,
            block,
            store: Store::default(),
            facts: Vec::new(),
            state: State::Off,
            code: String::new(),
            says: String::new(),
            seq: 0,
        }
    }

    async fn poll(&mut self) -> Result<Round, Failure> {
        let result = self.source.poll().await;
        let (facts, condition) = match &result {
            Ok(round) => (round.facts.clone(), round.condition.clone()),
            Err(failure) => (failure.facts.clone(), failure.condition.clone()),
        };
        self.seq += 1;
        let batch = Batch { source: "huawei".into(), seq: self.seq, seen: self.watch.now(), facts: facts.clone() };
        self.store.apply(&batch);
        self.facts.extend(facts);
        self.state = condition.state;
        self.code = condition.code;
        condition.says.raw().clone_into(&mut self.says);
        result
    }

    /// Polls until the past is there.
    async fn past(&mut self) {
        let mut over = None;
        for _ in 0..2_000 {
            let answered = self.poll().await.is_ok();
            assert!(answered, "{}", self.says);
            over = self.facts.iter().rev().find_map(|f| match f {
                Fact::Progress(p) => Some(p.done >= p.of),
                _ => None,
            });
            if over == Some(true) {
                break;
            }
        }
        assert_eq!(over, Some(true), "the past is not there: {}", self.says);
    }

    fn batches(&self) -> usize {
        self.cloud.requests().count(Api::Batch)
    }

    fn points(&self, series: &str) -> Vec<(Stamp, f64)> {
        let whole = Span::new(ago(400 * 24 * 60), NOW + Lapse::hours(24));
        self.store.series(series).map(|s| s.raw(whole).to_vec()).unwrap_or_default()
    }

    fn fetched(&self) -> Vec<Fetched> {
        self.store.fetched("huawei").cloned().collect()
    }

    fn losses(&self) -> String {
        self.store.losses("huawei").iter().map(|l| l.says.raw()).collect::<Vec<_>>().join(" | ")
    }
}

#[tokio::test]
async fn a_named_resource_brings_its_series_in_our_units_under_its_lanes() {
    let world = World {
        metrics: vec![
            rds("rds083_conn_usage", "%", minutes(20, 2, |_| 91.5)),
            rds("oldest_transaction_duration", "ms", minutes(20, 2, |_| 2500.0)),
            rds("rds082_tps", "count/s", minutes(20, 2, |m| m as f64)),
        ],
        ..World::default()
    };
    let more = "[[huawei.instance]]\nkind = \"rds\"\nname = \"pg\"\nid = \"3c8cc15614ab46f5b8743317555e0de2in03\"\n";
    let mut scene = scene(world, more).await;
    scene.poll().await.unwrap();
    let last = |series: &str| scene.store.series(series).and_then(|s| s.at(NOW)).map(|(_, v)| v);
    assert_eq!(last("huawei.pg_conn_usage"), Some(91.5));
    assert_eq!(last("huawei.pg_oldest_transaction"), Some(2.5));
    assert_eq!(last("huawei.pg_transactions"), Some(2.0));
    let card = scene.store.card("huawei.pg_oldest_transaction").unwrap();
    assert_eq!((card.unit, card.unit_said.raw()), (Some(Unit::Seconds), "ms"));
    assert_eq!(card.from.raw(), "SYS.RDS oldest_transaction_duration of pg (3c8c…in03), max");
    for lane in scene.block.metrics.lanes() {
        assert!(scene.block.metrics.targets.iter().any(|t| t.series == *lane.series), "{}", lane.name);
    }
    // The unaligned instants stay what they were.
    assert!(scene.points("huawei.pg_conn_usage").iter().all(|(at, _)| at.0 % 60_000_000 == 17_000_000));
    assert_eq!(scene.state, State::Well);
    assert!(scene.says.contains("no data so far of"), "{}", scene.says);
}

#[tokio::test]
async fn three_hundred_metrics_are_three_requests_and_nothing_is_handed_over_twice() {
    let points = minutes(20, 1, |m| m as f64);
    let (world, text) = many(300, &points);
    let mut scene = scene(world, &text).await;
    let round = scene.poll().await.unwrap();
    assert_eq!((scene.batches(), round.cost.unwrap().requests), (3, 3));
    let first = scene.facts.len();
    assert!(scene.points("huawei.m299").len() >= 13);
    scene.past().await;
    let (before, known) = (scene.batches(), scene.facts.len());
    assert!(known > first);
    let round = scene.poll().await.unwrap();
    assert_eq!((scene.batches() - before, round.cost.unwrap().requests), (3, 3));
    assert!(!scene.facts[known..].iter().any(|f| matches!(f, Fact::Samples(_) | Fact::Series(_))), "nothing new");
    scene.watch.advance(Lapse::minutes(1));
    scene.cloud.change(|w| w.metrics[7].points.push((NOW + Lapse::seconds(17), 1.0)));
    scene.poll().await.unwrap();
    let new: usize =
        scene.facts[known..].iter().map(|f| if let Fact::Samples(s) = f { s.values.len() } else { 0 }).sum();
    assert_eq!(new, 1);
}

#[tokio::test]
async fn a_larger_batch_takes_fewer_requests_as_far_as_the_points_fit() {
    let (world, text) = many(300, &minutes(20, 1, |_| 1.0));
    let (cloud, watch) = listen(world, |c| c).await;
    let block = block(&cloud, &format!("batch_size = 500\n{text}"));
    let mut scene = Scene::new(cloud, watch, block, nothing_past());
    scene.poll().await.unwrap();
    assert_eq!(scene.batches(), 2, "3000 points in quarters of an hour are 187 metrics");
    assert_eq!(scene.points("huawei.m299").len(), 15);
}

#[tokio::test]
async fn a_metric_that_is_refused_is_found_named_and_left_out_and_the_others_come() {
    let (world, text) = many(100, &minutes(20, 1, |_| 1.0));
    let mut scene = scene(world, &text).await;
    scene.cloud.faults().always(Api::Batch, Fault::BadMetric("metric_41".to_owned()));
    scene.poll().await.unwrap();
    assert!(scene.batches() <= 1 + 2 * 7, "{} requests", scene.batches());
    assert_eq!(scene.points("huawei.m42").len(), 15);
    assert!(scene.points("huawei.m41").is_empty());
    assert_eq!((scene.state, scene.code.as_str()), (State::Late, "1 refused"));
    assert!(
        scene.says.contains("SYS.ELB metric_41 of m41") && scene.says.contains("the other 99 come"),
        "{}",
        scene.says
    );
    scene.past().await;
    let before = scene.batches();
    scene.poll().await.unwrap();
    assert_eq!(scene.batches() - before, 1, "it is not asked for again");
    scene.watch.advance(Lapse::minutes(31));
    scene.cloud.faults().clear();
    scene.poll().await.unwrap();
    assert!(scene.says.is_empty() || !scene.says.contains("refuses"), "{}", scene.says);
}

#[tokio::test]
async fn when_the_service_takes_ten_at_once_it_gets_no_more_from_then_on() {
    let (world, text) = many(60, &minutes(20, 1, |_| 1.0));
    let limits = Limits { batch_metrics: 10, ..Limits::default() };
    let (cloud, watch) = listen(world, |c| c.limits(limits)).await;
    let block = block(&cloud, &text);
    let mut scene = Scene::new(cloud, watch, block, nothing_past());
    scene.poll().await.unwrap();
    assert_eq!(scene.points("huawei.m59").len(), 15);
    assert_eq!(scene.state, State::Well, "{}", scene.says);
    scene.past().await;
    scene.cloud.requests().clear();
    scene.poll().await.unwrap();
    let refused = scene.cloud.requests().all().iter().filter(|a| a.status == Some(400)).count();
    assert_eq!((refused, scene.batches()), (0, 8), "60 by at most 8: 60, 30, 15, 8");
}

#[tokio::test]
async fn a_question_that_is_wrong_for_all_is_nobodys_fault() {
    let (world, text) = many(40, &minutes(20, 1, |_| 1.0));
    let mut scene = scene(world, &text).await;
    scene.cloud.faults().always(Api::Batch, Fault::Status(400));
    let failure = scene.poll().await.unwrap_err();
    assert_eq!(failure.condition.state, State::Down);
    assert!(scene.batches() < 20, "{} requests", scene.batches());
    scene.cloud.faults().clear();
    scene.poll().await.unwrap();
    assert_eq!(scene.points("huawei.m39").len(), 15);
}

#[tokio::test]
async fn the_day_of_an_incident_is_fetched_newest_first_with_progress_and_missing_points_stay_missing() {
    let hole = Span::new(ago(20 * 60), ago(19 * 60 + 30));
    let points = minutes(24 * 60, 1, |m| m as f64).into_iter().filter(|(at, _)| !hole.contains(*at)).collect();
    let (cloud, watch) = listen(one(points), |c| c).await;
    let window = Span::new(ago(22 * 60), ago(18 * 60));
    let past = Past::new(Some(window), None, Zone::wib(), Vec::new());
    let block = block(&cloud, ONE);
    let mut scene = Scene::new(cloud, watch, block, past);
    scene.past().await;
    let got = scene.points("huawei.pg_conn_usage");
    let inside = got.iter().filter(|(at, _)| window.contains(*at)).count();
    assert_eq!(inside, 4 * 60 - 30);
    assert!(!got.iter().any(|(at, _)| hole.contains(*at)));
    let words: Vec<&str> =
        scene.facts.iter().filter_map(|f| if let Fact::Progress(p) = f { Some(p.what.raw()) } else { None }).collect();
    assert!(words.contains(&"fetching 21:30–02:30 of 11 Jan"), "{words:?}");
    // Newest first, within the documented spans.
    let asked = scene.fetched();
    assert!(!asked.is_empty() && asked.iter().all(|f| f.span.length() <= Lapse::hours(4)));
}

#[tokio::test]
async fn what_is_too_old_for_raw_points_comes_rolled_up_by_its_own_filter_and_says_so() {
    let days = 5 * 24 * 60;
    let points = minutes(days + 300, days, |m| f64::from(u32::from(m % 5 == 0)) * 100.0);
    let (cloud, watch) = listen(one(points), |c| c).await;
    let window = Span::new(ago(days + 240), ago(days + 60));
    let past = Past::new(Some(window), None, Zone::wib(), Vec::new());
    let block = block(&cloud, ONE);
    let mut scene = Scene::new(cloud, watch, block, past);
    scene.past().await;
    let inside: Vec<_> =
        scene.points("huawei.pg_conn_usage").into_iter().filter(|(at, _)| window.contains(*at)).collect();
    assert_eq!(inside.len(), 180 / 5);
    assert!(inside.iter().all(|(_, v)| *v > 99.0), "the largest of five minutes, not the mean");
    assert!(scene.losses().contains("one value in 5 min"), "{}", scene.losses());
}

#[tokio::test]
async fn what_is_older_than_everything_kept_is_told_and_not_asked_for() {
    let (cloud, watch) = listen(one(minutes(20, 1, |_| 1.0)), |c| c).await;
    let old = Span::new(ago(170 * 24 * 60), ago(169 * 24 * 60));
    let past = Past::new(Some(old), None, Zone::wib(), Vec::new());
    let block = block(&cloud, ONE);
    let mut scene = Scene::new(cloud, watch, block, past);
    scene.past().await;
    assert!(scene.losses().contains("keeps 155 days"), "{}", scene.losses());
}

#[tokio::test]
async fn an_answer_that_begins_later_than_asked_is_noticed_said_and_completed() {
    let (cloud, watch) = listen(one(minutes(24 * 60, 1, |m| m as f64)), |c| c).await;
    let window = Span::new(ago(10 * 60), ago(9 * 60));
    let past = Past::new(Some(window), None, Zone::wib(), Vec::new());
    let block = block(&cloud, ONE);
    let mut scene = Scene::new(cloud, watch, block, past);
    scene.poll().await.unwrap();
    scene.cloud.faults().next(Api::Batch, Fault::Moved(Lapse::minutes(40)), 1);
    scene.poll().await.unwrap();
    let mut said = String::new();
    for _ in 0..10 {
        scene.poll().await.unwrap();
        if scene.code == "moved" {
            said.clone_from(&scene.says);
        }
    }
    assert!(said.contains("asked from 09:30") && said.contains("answered from 10:10"), "{said}");
    let inside = scene.points("huawei.pg_conn_usage").iter().filter(|(at, _)| window.contains(*at)).count();
    assert_eq!(inside, 60);
    assert_eq!(scene.state, State::Well, "{}", scene.says);
}

#[tokio::test]
async fn drifting_types_unknown_fields_duplicates_and_the_future_cost_no_point() {
    for fault in [Fault::Types, Fault::Unknown, Fault::Duplicates, Fault::Future] {
        let mut scene = scene(one(minutes(20, 1, |m| m as f64)), ONE).await;
        scene.cloud.faults().always(Api::Batch, fault.clone());
        scene.poll().await.unwrap();
        let got = scene.points("huawei.pg_conn_usage");
        assert_eq!(got.len(), 15, "{fault:?}");
        assert!(got.iter().all(|(at, _)| *at <= NOW), "{fault:?}");
        assert_eq!(scene.state, State::Well, "{fault:?}: {}", scene.says);
        match fault {
            Fault::Duplicates => assert!(scene.says.contains("huawei.pg_conn_usage twice"), "{}", scene.says),
            Fault::Future => {
                assert!(scene.losses().contains("lie in the future"), "{}", scene.losses());
                assert!(scene.says.contains("lay in the future"), "{}", scene.says);
            }
            _ => assert!(scene.says.is_empty(), "{}", scene.says),
        }
    }
}

#[tokio::test]
async fn a_source_without_data_says_since_when_and_never_zero() {
    let mut scene = scene(one(Vec::new()), ONE).await;
    scene.poll().await.unwrap();
    assert_eq!((scene.state, scene.code.as_str()), (State::Late, "no data"));
    assert!(scene.says.contains("no data since 19:45"), "{}", scene.says);
    assert!(!scene.facts.iter().any(|f| matches!(f, Fact::Samples(_))));
}

#[tokio::test]
async fn a_series_that_falls_silent_is_named_with_its_last_instant_while_others_go_on() {
    let world = World {
        metrics: vec![
            rds("rds083_conn_usage", "%", minutes(20, 1, |_| 1.0)),
            rds("rds001_cpu_util", "%", minutes(40, 14, |_| 1.0)),
        ],
        ..World::default()
    };
    let more = ONE.replace("\"conn_usage\"", "\"conn_usage\", \"cpu\"");
    let mut scene = scene(world, &more).await;
    scene.poll().await.unwrap();
    assert_eq!((scene.state, scene.code.as_str()), (State::Late, "1 silent"));
    assert!(scene.says.contains("no data since 19:46 of huawei.pg_cpu"), "{}", scene.says);
}

#[tokio::test]
async fn points_that_come_late_find_their_place() {
    let mut scene =
        scene(one(minutes(20, 1, |_| 1.0).into_iter().filter(|(at, _)| *at < ago(10) || *at > ago(8)).collect()), ONE)
            .await;
    scene.poll().await.unwrap();
    let before = scene.points("huawei.pg_conn_usage").len();
    scene.past().await;
    let late = ago(9) + Lapse::seconds(17);
    scene.cloud.change(|w| {
        w.metrics[0].points.push((late, 55.0));
        w.metrics[0].points.sort_by_key(|p| p.0);
    });
    scene.poll().await.unwrap();
    let got = scene.points("huawei.pg_conn_usage");
    assert!(got.len() > before && got.contains(&(late, 55.0)));
}

/// A source that has asked for some of a long window, by an IAM user's token.
async fn in_the_middle() -> (Scene, Span) {
    let (cloud, watch) = listen(one(minutes(48 * 60, 1, |m| m as f64)), |c| c).await;
    let window = Span::new(ago(40 * 60), ago(4 * 60));
    let past = Past::new(Some(window), None, Zone::wib(), Vec::new());
    let mut block = block(&cloud, ONE);
    let account = cloud.account();
    block.credentials = CredentialConfig::Iam {
        domain: account.domain,
        user: account.user,
        password: Secret::Plain(account.password.into()),
    };
    let mut scene = Scene::new(cloud, watch, block, past);
    for _ in 0..4 {
        scene.poll().await.unwrap();
    }
    assert!(scene.fetched().len() >= 2);
    (scene, window)
}

fn complete(scene: &Scene, window: Span) {
    let inside = scene.points("huawei.pg_conn_usage").iter().filter(|(at, _)| window.contains(*at)).count();
    assert_eq!(inside as i64, window.length().0 / 60_000_000);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_the_past_is_renewed_and_nothing_is_lost() {
    let (mut scene, window) = in_the_middle().await;
    scene.cloud.expire_keys();
    scene.past().await;
    complete(&scene, window);
    assert_eq!(scene.state, State::Well, "{}", scene.says);
}

#[tokio::test]
async fn being_asked_to_wait_in_the_middle_of_the_past_only_takes_time() {
    let (mut scene, window) = in_the_middle().await;
    scene.cloud.faults().next(Api::Batch, Fault::Throttled(Some(1)), 2);
    let mut throttled = 0;
    for _ in 0..60 {
        if let Ok(Round { cost: Some(cost), .. }) = scene.poll().await {
            throttled += cost.throttled;
        }
        let done =
            scene.facts.iter().rev().find_map(|f| if let Fact::Progress(p) = f { Some(p.done >= p.of) } else { None });
        if done == Some(true) {
            break;
        }
    }
    assert!(throttled >= 1);
    complete(&scene, window);
}

#[tokio::test]
async fn a_restart_goes_on_with_what_is_left_and_asks_nothing_twice() {
    let (scene, window) = in_the_middle().await;
    let have = scene.fetched();
    let Scene { cloud, watch, block, store, .. } = scene;
    cloud.requests().clear();
    let past = Past::new(Some(window), None, Zone::wib(), have.clone());
    let mut scene = Scene::new(cloud, watch, block, past);
    scene.store = store;
    scene.past().await;
    complete(&scene, window);
    let first: Lapse = have.iter().fold(Lapse::ZERO, |sum, f| sum + f.span.length());
    let all = scene.fetched();
    let mut spans: BTreeMap<Stamp, Stamp> = BTreeMap::new();
    for f in &all {
        assert!(spans.range(..f.span.to).next_back().is_none_or(|(_, to)| *to <= f.span.from), "asked twice: {f:?}");
        spans.insert(f.span.from, f.span.to);
    }
    assert!(first > Lapse::ZERO && all.len() > have.len());
}

#[tokio::test]
async fn a_proxys_page_a_broken_answer_and_a_server_error_are_told_and_forgotten() {
    for fault in [Fault::Html, Fault::Login, Fault::Malformed, Fault::Status(500)] {
        let mut scene = scene(one(minutes(20, 1, |_| 1.0)), ONE).await;
        scene.cloud.faults().always(Api::Batch, fault.clone());
        let failure = scene.poll().await.unwrap_err();
        assert_eq!(failure.condition.state, State::Down, "{fault:?}");
        assert!(!scene.says.is_empty() && !scene.says.contains('<'), "{fault:?}: {}", scene.says);
        assert!(failure.cost.unwrap().failed > 0, "{fault:?}");
        scene.cloud.faults().clear();
        scene.poll().await.unwrap();
        assert_eq!(scene.points("huawei.pg_conn_usage").len(), 15, "{fault:?}");
        assert_eq!(scene.state, State::Well, "{fault:?}: {}", scene.says);
    }
}

#[tokio::test]
async fn a_region_without_the_service_is_told_by_its_host() {
    let (cloud, watch) = listen(one(minutes(20, 1, |_| 1.0)), |c| c).await;
    let mut block = block(&cloud, ONE);
    block.endpoints.insert("ces".to_owned(), "https://ces.nowhere-1.invalid".to_owned());
    let mut scene = Scene::new(cloud, watch, block, nothing_past());
    let failure = scene.poll().await.unwrap_err();
    assert_eq!((failure.condition.state, scene.code.as_str()), (State::Down, "no host"));
    assert!(scene.says.contains("ces.nowhere-1.invalid") && scene.says.contains("name service"), "{}", scene.says);
    let remedy = failure.condition.remedy.raw();
    assert!(remedy.contains("ces in [huawei.endpoints]") && remedy.contains("/etc/resolv.conf"), "{remedy}");
}

#[tokio::test]
async fn what_was_missed_while_the_network_was_gone_is_fetched_afterwards() {
    let mut scene = scene(one(minutes(20, 1, |m| m as f64)), ONE).await;
    scene.poll().await.unwrap();
    scene.past().await;
    scene.cloud.faults().always(Api::Batch, Fault::Status(500));
    scene.watch.advance(Lapse::hours(3));
    scene.poll().await.unwrap_err();
    let later: Vec<_> = (0..179).map(|m| (NOW + Lapse::minutes(m) + Lapse::seconds(17), 1.0)).collect();
    scene.cloud.change(|w| w.metrics[0].points.extend(later));
    scene.cloud.faults().clear();
    scene.poll().await.unwrap();
    assert_eq!(
        scene.points("huawei.pg_conn_usage").iter().filter(|(at, _)| *at >= NOW).count(),
        29,
        "half an hour at once"
    );
    scene.poll().await.unwrap();
    assert_eq!(scene.points("huawei.pg_conn_usage").iter().filter(|(at, _)| *at >= NOW).count(), 179);
}

#[tokio::test]
async fn trouble_with_the_past_makes_a_well_source_late_never_down() {
    let (mut scene, _) = in_the_middle().await;
    scene.cloud.faults().next(Api::Batch, Fault::Status(500), 1);
    scene.poll().await.unwrap();
    assert_eq!(scene.state, State::Late);
    assert!(scene.says.contains("the past is fetched further in"), "{}", scene.says);
}

#[tokio::test]
async fn a_long_answer_is_handed_over_in_pieces() {
    let (world, text) = many(500, &minutes(16, 1, |m| m as f64));
    let mut scene = scene(world, &text).await;
    let mut polls = 0;
    while scene.points("huawei.m499").len() < 15 {
        let round = scene.poll().await.unwrap();
        let values: usize = round.facts.iter().map(|f| if let Fact::Samples(s) = f { s.values.len() } else { 0 }).sum();
        assert!(values <= 5_000 + 500, "{values} at once");
        polls += 1;
    }
    assert!(polls > 1 && scene.batches() == 5, "{polls} polls, {} requests", scene.batches());
}

#[tokio::test]
async fn the_whole_source_runs_by_itself_and_recovers_from_a_refusal() {
    let (cloud, watch) = listen(one(minutes(20, 1, |_| 77.0)), |c| c).await;
    let mut block = block(&cloud, ONE);
    block.interval = Lapse::seconds(1);
    cloud.faults().next(Api::Batch, Fault::Status(500), 1);
    let (tx, mut rx) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let handles = start(&Client::new(&block), nothing_past(), &clock_of(&watch), &tx, &cancel);
    let mut store = Store::default();
    let mut states = Vec::new();
    let limit = tokio::time::Instant::now() + Duration::from_mins(2);
    while store.series("huawei.pg_conn_usage").is_none() || states.last() != Some(&State::Well) {
        let batch = tokio::time::timeout_at(limit, rx.recv()).await.expect("in time").expect("a batch");
        assert!(batch.seen <= NOW, "by the world's clock");
        if &*batch.source == "huawei" {
            states
                .extend(batch.facts.iter().filter_map(|f| if let Fact::Health(h) = f { Some(h.state) } else { None }));
        }
        store.apply(&batch);
    }
    assert_eq!(states, [State::Late, State::Down, State::Well]);
    cancel.cancel();
    drop(rx);
    for handle in handles {
        handle.ended().await;
    }
}
