//! Huawei LTS against the emulator, which checks every signature: the evening of the demo stream by stream, cursors,
//! throttles, answers that are none.

use super::*;
use crate::huawei_ces::{block, clock_of};
use std::net::SocketAddr;
use std::sync::LazyLock;
use warroom::runtime::demo::{Made, SEED};
use warroom::simulator::cloud::world::{LogGroup, LogStream};
use warroom::simulator::cloud::{Api, Clock as CloudClock, Cloud, Fault, Rate, Rates, Running, Watch, World, evening};
use warroom::simulator::platform::ms;
use warroom::simulator::{lines, scenario};
use warroom::source::clock::now;
use warroom::source::engine::lts::Lts;
use warroom::source::huawei::Client;

pub(super) const GROUP: &str = "00330565-5baf-4e0d-bd16-ba0c6b951d9a";
pub(super) const STREAM: &str = "715cda3b-e17f-492a-a6ca-98a1ba16ad8c";

/// Wall time for signatures; the world's own time for its lines.
pub(super) async fn listen(world: World, rates: Rates) -> (Running, Watch) {
    let watch = Watch::at(NOW);
    let cloud = Cloud::new(world, CloudClock::new(now)).world_clock(watch.clock()).rates(rates);
    (cloud.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap(), watch)
}

/// The same, which lets itself be asked as often as one likes.
pub async fn cloud(world: World) -> (Running, Watch) {
    listen(world, Rates::default()).await
}

fn client(cloud: &Running) -> Client {
    let mut block = block(cloud, "");
    block.endpoints.insert("lts".to_owned(), cloud.endpoint());
    Client::new(&block)
}

fn stream(id: &str, more: &str) -> LogServerConfig {
    server(&format!(
        "kind = 'lts'\ngroup = '{GROUP}'\nstream = '{id}'\ncounts = {{ timeout = 'timeout', errors = 'ERROR' }}\n{more}"
    ))
}

fn source(cloud: &Running, watch: &Watch, server: &LogServerConfig, wanted: &[Span]) -> Source<Lts> {
    let clock = clock_of(watch);
    let turned = Turned(Arc::new(AtomicI64::new(clock.now().0)));
    Source::new(server, Lts::new(server, Some(&client(cloud))), wanted, &turned)
}

/// A line a second of the last ten minutes; the last of each ten in the same microsecond as the one before.
pub(super) fn small(custom_time: bool) -> World {
    let mut stream = LogStream { custom_time, ..LogStream::new(STREAM, "mrg") };
    for i in 0..600_i64 {
        let at = ago(10) + Lapse::seconds(if i % 10 == 9 { i - 1 } else { i });
        let time = warroom::model::Zone::wib().format(at, "%Y-%m-%d %H:%M:%S%.3f");
        let word = if i % 6 == 0 { "ERROR acquire timeout" } else { "INFO fine" };
        stream.write(at, format!("{time} {word} {i:03}"), &[("podName", "mrg-api-1")]);
    }
    let group =
        LogGroup { id: GROUP.to_owned(), name: "p".to_owned(), days: 30, streams: vec![stream], created: ago(600) };
    World { groups: vec![group], ..World::default() }
}

static MADE: LazyLock<Made> = LazyLock::new(|| Made::later(scenario::named("pool").unwrap(), SEED));

#[tokio::test]
async fn the_evening_of_the_demo_has_the_same_lines_and_counts_by_lts_as_its_services_wrote() {
    let day = MADE.day();
    let (cloud, watch) = listen(evening(&day, Lapse::ZERO), Rates::default()).await;
    let span = Span::new(ago(50), ago(20));
    let said = lines::between(&day, ms(span.from), ms(span.to));
    let mut read = Vec::new();
    for (id, prefix) in [
        (STREAM, "mrg"),
        ("0b8e5c1d-3a4f-4e2b-9d6c-7f8091a2b3c4", "upg"),
        ("c3d4e5f6-a7b8-4c9d-8e0f-112233445566", "orch"),
    ] {
        let mut source = source(&cloud, &watch, &stream(id, "page = 5000\nmost_lines = 1000000"), &[span]);
        source.all().await;
        let own: Vec<LogLine> = source.lines.iter().filter(|l| span.contains(l.at)).cloned().collect();
        assert!(own.iter().all(|l| l.service.starts_with(prefix)), "{prefix}");
        source.lines.clone_from(&own);
        source.points.retain(|(_, at), _| span.contains(*at));
        source.agrees("l.all", "", |l| l.at);
        let errors = own.iter().filter(|l| l.level == warroom::model::log::Level::Error).count();
        assert_eq!(source.sum("l.errors"), errors as u64, "{prefix}: its keyword counts what the lines say");
        read.extend(own);
    }
    let by = |l: &LogLine| (l.at, l.service.clone(), l.message.clone(), l.order.clone(), l.stack.clone());
    let (mut read, mut said) = (read, said);
    read.sort_by_key(by);
    said.sort_by_key(by);
    assert!(said.len() > 1000);
    assert_eq!(read.len(), said.len());
    for (read, said) in read.iter().zip(&said) {
        assert_eq!(by(read), by(said));
        assert_eq!(read.level, said.level);
    }
}

#[tokio::test]
async fn cursors_bring_every_line_once_in_streams_by_arrival_and_by_own_time() {
    for custom_time in [false, true] {
        let (cloud, watch) = listen(small(custom_time), Rates::default()).await;
        let server = stream(STREAM, &format!("page = 64\ncustom_time = {custom_time}"));
        let mut source = source(&cloud, &watch, &server, &[Span::new(ago(15), NOW)]);
        source.all().await;
        assert_eq!((source.lines.len(), source.state()), (600, State::Well), "{}", source.says());
        source.agrees("l.all", "", |l| l.at);
        source.agrees("l.timeout", "timeout", |l| l.at);
        let line = source.lines.iter().find(|l| l.message.raw() == "acquire timeout 006").unwrap();
        assert_eq!(
            (&*line.service, line.level, line.at),
            ("mrg-api-1", warroom::model::log::Level::Error, ago(10) + Lapse::seconds(6))
        );
        assert_eq!(cloud.requests().count(Api::Histogram), 3, "a question for each count, for all of the past");
        // 600 lines in pages of 64, and one page of the newest.
        assert!(cloud.requests().count(Api::Query) <= 12, "{}", cloud.requests().count(Api::Query));
    }
}

#[tokio::test]
async fn what_the_cloud_throws_at_us_is_told_and_nothing_is_lost_or_twice() {
    let (cloud, watch) = listen(small(false), Rates::default()).await;
    let mut source = source(&cloud, &watch, &stream(STREAM, "page = 100"), &[Span::new(ago(15), NOW)]);
    for (fault, times, told) in [
        (Fault::Throttled(Some(60)), 1, "asked less often"),
        (Fault::Login, 1, "a web page came"),
        (Fault::Forbidden, 1, "does not permit this"),
        (Fault::Incomplete, 3, "not complete"),
    ] {
        if let Fault::Throttled(_) = fault {
            cloud.faults().next(Api::Query, fault, times);
            source.round().await;
            assert_eq!((source.state(), source.cost.throttled), (State::Late, 1));
            assert!(source.says().contains(told), "{}", source.says());
            assert!(source.wait.unwrap() > Lapse::seconds(50), "{:?}", source.wait);
            // Its wish is the client's for a minute; another one begins anew.
            source.asker =
                self::source(&cloud, &watch, &stream(STREAM, "page = 100"), &[Span::new(ago(15), NOW)]).asker;
            continue;
        }
        cloud.faults().next(Api::Query, fault, times);
        source.round().await;
        assert!(source.failed && source.says().contains(told), "{told}: {}", source.says());
    }
    cloud.faults().next(Api::Query, Fault::Duplicates, 3);
    source.all().await;
    assert_eq!((source.lines.len(), source.state()), (600, State::Well), "{}", source.says());
    source.agrees("l.all", "", |l| l.at);
}

#[tokio::test]
async fn a_stream_that_may_be_read_eight_times_a_minute_is_not_read_more_often() {
    let rates = Rates { by_stream: Some(Rate::per_minute(8)), ..Rates::default() };
    let (cloud, watch) = listen(small(false), rates).await;
    let server = stream(STREAM, "").clone();
    let server = LogServerConfig { per_minute: 8, ..server };
    let mut source = source(&cloud, &watch, &server, &[Span::new(ago(15), NOW)]);
    for _ in 0..20 {
        source.round().await;
        assert!(!source.failed, "{}", source.says());
    }
    assert_eq!((source.cost.requests, source.cost.throttled), (4, 0), "half a minute's at once, then steadily");
    assert!(source.wait.unwrap() > Lapse::seconds(3), "{:?}", source.wait);
}

#[tokio::test]
async fn a_line_has_neighbours_and_a_wrong_stream_is_told_with_the_key_to_correct() {
    let (cloud, watch) = listen(small(false), Rates::default()).await;
    let lts = Lts::new(&stream(STREAM, ""), Some(&client(&cloud))).unwrap();
    let number = ((ago(10) + Lapse::seconds(100)).0 * 1_000).to_string();
    let around = lts.around(&number, 3, NOW, &mut Cost::default()).await.unwrap();
    let words: Vec<&str> = around.lines.iter().map(|l| l.message.raw()).collect();
    assert_eq!((around.before, words.len(), words[around.before]), (3, 7, "fine 100"));
    let wrong = stream("00000000-0000-0000-0000-000000000000", "");
    let mut source = source(&cloud, &watch, &wrong, &[Span::new(ago(15), NOW)]);
    source.round().await;
    assert!(source.failed, "{}", source.says());
    assert!(source.condition.as_ref().unwrap().remedy.raw().contains("Correct stream in its [[log_server]]"));
}
