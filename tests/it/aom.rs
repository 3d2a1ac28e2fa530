//! Range queries of the emulated cloud: AOM behind the signing gateway and the plain server give the same
//! rows, its faults are told and over, and a scraped day becomes lanes.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use warroom::config::Config;
use warroom::config::load::parse;
use warroom::model::health::State;
use warroom::model::{Fact, Lapse, Span, Stamp, Zone};
use warroom::simulator::cloud::world::Series;
use warroom::simulator::cloud::{self, Api, Cloud, Fault, Running, Watch, World};
use warroom::source::clock::{self, Clock};
use warroom::source::huawei::Client;
use warroom::source::prometheus::{Prometheus, Setting};
use warroom::source::runner::{Condition, Poll as _};

/// 12 Jan 2025, 19:30 WIB, on the world's clock.
const NOW: Stamp = Stamp(1_736_685_000_000_000);

/// Two pods count requests, ten a second and twenty; the second fails from 19:20 on.
fn world() -> World {
    let every = |f: &dyn Fn(i64) -> f64| -> Vec<(Stamp, f64)> {
        (0..=480).map(|i| (NOW - Lapse::seconds(30 * (480 - i)), f(i))).collect()
    };
    let late = |i: i64| (i - 460).max(0) as f64;
    let counter =
        |pod: &str, code: &str| Series::new("http_requests_total", &[("pod", pod), ("code", code)], "counter");
    World {
        series: vec![
            counter("mrg-1", "200").with_points(every(&|i| 300.0 * i as f64)),
            counter("mrg-2", "200").with_points(every(&|i| 600.0 * i as f64 - 300.0 * late(i))),
            counter("mrg-2", "503").with_points(every(&|i| 300.0 * late(i))),
        ],
        ..World::default()
    }
}

async fn emulator() -> Running {
    let wall = cloud::Clock::new(clock::now);
    let cloud = Cloud::new(world(), wall).world_clock(Watch::at(NOW).clock());
    cloud.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap()
}

const QUERIES: &str = r#"
[[prometheus.query]]
name = "requests"
promql = "sum(rate(http_requests_total[2m]))"
unit = "per_second"
[[prometheus.query]]
name = "failed"
promql = 'sum by (pod) (rate(http_requests_total{code="503"}[2m]))'
unit = "per_second"
split = "pod"
"#;

/// A minute of patience: more than any answer takes, on any machine.
fn config(running: &Running) -> Config {
    patient(running, "1m")
}

fn patient(running: &Running, timeout: &str) -> Config {
    let (endpoint, account) = (running.endpoint(), running.account());
    let text = format!(
        "[huawei]\nregion = 'ap-southeast-4'\ncredentials = 'keys'\naccess_key = '{}'\nsecret_key = '{}'\nrequests_per_second = 10\n\
         [huawei.endpoints]\naom = '{endpoint}'\niam = '{endpoint}'\n\
         [[prometheus]]\nname = 'aom'\naom = true\ntimeout = '{timeout}'\n{QUERIES}\
         [[prometheus]]\nname = 'plain'\nurl = '{endpoint}'\ntimeout = '{timeout}'\n{QUERIES}",
        account.ak, account.sk
    );
    parse(Path::new("/etc/warroom/config.toml"), &text).0.unwrap()
}

fn sources(running: &Running, spans: &[Span]) -> [Prometheus; 2] {
    sources_of(&config(running), spans)
}

fn sources_of(config: &Config, spans: &[Span]) -> [Prometheus; 2] {
    let client = Client::new(config.huawei.as_ref().unwrap());
    let setting =
        Setting { aom: Some(client), clock: Clock::by(|| NOW), zone: Zone::wib(), spans: spans.to_vec(), have: vec![] };
    [0, 1].map(|i| Prometheus::new(config.prometheus[i].clone(), setting.clone()))
}

struct Told {
    points: BTreeMap<String, BTreeMap<i64, f64>>,
    condition: Condition,
    progress: u64,
}

async fn look(source: &mut Prometheus) -> Told {
    let (facts, condition) = match source.poll().await {
        Ok(round) => (round.facts, round.condition),
        Err(failure) => (failure.facts, failure.condition),
    };
    let mut told = Told { points: BTreeMap::new(), condition, progress: 0 };
    for fact in facts {
        match fact {
            Fact::Samples(s) => {
                for (name, value) in s.values {
                    let measure = name.split_once('.').unwrap().1.to_owned();
                    told.points.entry(measure).or_default().insert(s.at.0 / 1_000_000, value);
                }
            }
            Fact::Progress(p) => told.progress = p.done,
            _ => {}
        }
    }
    told
}

#[tokio::test]
async fn aom_and_a_plain_server_draw_the_same_rows() {
    let running = emulator().await;
    let [mut aom, mut plain] = sources(&running, &[]);
    let (through, direct) = (look(&mut aom).await, look(&mut plain).await);
    assert_eq!(through.condition, Condition::well());
    assert_eq!(through.points, direct.points);
    let newest = |name: &str| *through.points[name].last_key_value().unwrap().1;
    assert!((newest("requests") - 30.0).abs() < 1e-6, "{}", newest("requests"));
    assert!((newest("failed/mrg-2") - 10.0).abs() < 1e-6);
    let before = through.points["failed/mrg-2"].values().next().unwrap();
    assert_eq!((*before, through.points["requests"].len()), (0.0, 121));
}

#[tokio::test]
async fn the_evening_is_fetched_through_the_gateway_with_progress() {
    let running = emulator().await;
    let window = Span::new(NOW - Lapse::hours(4), NOW - Lapse::minutes(90));
    let [mut aom, _] = sources(&running, &[window]);
    look(&mut aom).await;
    let mut points = 0;
    for _ in 0..10 {
        let told = look(&mut aom).await;
        points += told.points.get("requests").map_or(0, BTreeMap::len);
        if told.progress == 100 {
            assert!(points >= 298, "{points}: the first two minutes have no rate yet");
            return;
        }
    }
    unreachable!("the past is never over");
}

#[tokio::test]
async fn faults_of_the_emulator_are_told_and_over() {
    let running = emulator().await;
    let [_, mut patient_one] = sources(&running, &[]);
    let [_, mut hasty] = sources_of(&patient(&running, "3s"), &[]);
    look(&mut hasty).await;
    let usual = look(&mut patient_one).await.points;
    let cases = [
        (Fault::Unauthorized, State::Down, "does not believe us"),
        (Fault::Throttled(Some(30)), State::Down, "30 s of rest"),
        (Fault::Status(500), State::Late, "requests is not answered: internal"),
        (Fault::Html, State::Down, "web page"),
        (Fault::Login, State::Down, "web page"),
        (Fault::Hang, State::Down, "no answer within 3 s"),
        (Fault::Truncated, State::Down, "cut off"),
        (Fault::Malformed, State::Late, "cut off"),
        (Fault::Future, State::Late, "lie in the future"),
        (Fault::Duplicates, State::Late, "2 series"),
    ];
    for (fault, state, says) in cases {
        let shown = format!("{fault:?}");
        // Whoever waits for what never comes waits less.
        let plain = if fault == Fault::Hang { &mut hasty } else { &mut patient_one };
        running.faults().next(Api::PromRange, fault, 1);
        let told = look(plain).await;
        assert_eq!(told.condition.state, state, "{shown}: {}", told.condition.says.raw());
        assert!(told.condition.says.raw().contains(says), "{shown}: {}", told.condition.says.raw());
        running.faults().clear();
        assert_eq!(look(plain).await.condition, Condition::well(), "after {shown}");
    }
    for fault in [Fault::Types, Fault::Unknown] {
        let [_, mut fresh] = sources(&running, &[]);
        running.faults().next(Api::PromRange, fault.clone(), 2);
        assert_eq!(look(&mut fresh).await.points, usual, "{fault:?} changes nothing");
    }
}

#[tokio::test]
async fn a_wrong_secret_stops_aom_after_the_first_question() {
    let running = emulator().await;
    let mut config = config(&running);
    let wrong = warroom::config::Secret::Plain("another secret".into());
    let huawei = config.huawei.as_mut().unwrap();
    if let warroom::config::CredentialConfig::Keys { secret_key, .. } = &mut huawei.credentials {
        *secret_key = wrong;
    }
    huawei.project_id = Some(running.account().project().to_owned());
    let setting = Setting {
        aom: Some(Client::new(huawei)),
        clock: Clock::by(|| NOW),
        zone: Zone::wib(),
        spans: vec![],
        have: vec![],
    };
    let mut aom = Prometheus::new(config.prometheus[0].clone(), setting);
    for _ in 0..3 {
        let told = look(&mut aom).await;
        assert_eq!(told.condition.state, State::Down, "{}", told.condition.says.raw());
        assert!(!told.condition.says.raw().contains("another secret"));
    }
    assert_eq!(running.requests().all().len(), 1, "five wrong signatures lock the key for everybody");
}
