//! Alarms, events and changes of the cloud against the emulator: what becomes a mark, once, and what one
//! refused interface costs the others.

use crate::huawei_ces::{NOW, ago, block, clock_of, listen};
use warroom::model::health::State;
use warroom::model::{Batch, Fact, Lapse, MarkKind, Span, Stamp, Zone};
use warroom::simulator::cloud::world::{Alarm, AlarmMetric, AlarmRecord, Condition, Event, Trace};
use warroom::simulator::cloud::{Api, Fault, Running, Watch, World};
use warroom::source::huawei::marks::Marks;
use warroom::source::huawei::{Client, Past, discover};
use warroom::source::runner::{Failure, Poll as _, Round};
use warroom::store::Store;

fn record(id: &str, began: Stamp, ended: Option<Stamp>) -> AlarmRecord {
    let metric = AlarmMetric {
        namespace: "SYS.RDS".into(),
        name: "rds083_conn_usage".into(),
        dimensions: vec![("postgresql_cluster_id".into(), "3c8cc15614ab46f5b8743317555e0de2in03".into())],
    };
    let condition = Condition { operator: ">=".into(), value: 90.0, unit: "%".into(), ..Condition::default() };
    let alarm = Alarm { id: "al1".into(), name: "pg-conn-usage".into(), level: 1, metric, condition, updated: began };
    AlarmRecord { id: id.into(), alarm, began, ended, points: vec![(began, 99.1)], additional: String::new() }
}

fn trace(id: &str, at: Stamp, name: &str, read_only: bool) -> Trace {
    Trace {
        id: id.into(),
        name: name.into(),
        kind: "ConsoleAction".into(),
        at,
        service: "RDS".into(),
        resource_type: "instance".into(),
        resource_name: "pg-order".into(),
        code: "200".into(),
        user: "sari".into(),
        request: "{\"password\": \"hunter2\"}".into(),
        read_only,
        ..Trace::default()
    }
}

fn event(id: &str, at: Stamp) -> Event {
    Event {
        id: id.into(),
        name: "rebootServer".into(),
        system: true,
        source: "SYS.ECS".into(),
        at,
        content: "the host rebooted it".into(),
        resource_name: "mrg-01".into(),
        state: "normal".into(),
        level: "Major".into(),
        ..Event::default()
    }
}

fn world() -> World {
    World {
        histories: vec![record("ah1", ago(100), Some(ago(20))), record("ah2", ago(10), None)],
        events: vec![event("e1", ago(50))],
        traces: vec![trace("t1", ago(60), "resizeFlavor", false), trace("t2", ago(59), "listInstances", true)],
        ..World::default()
    }
}

struct Scene {
    cloud: Running,
    watch: Watch,
    source: Marks,
    store: Store,
    state: State,
    says: String,
    remedy: String,
    handed: usize,
}

async fn scene(world: World, more: &str, window: Option<Span>) -> Scene {
    let (cloud, watch) = listen(world, |c| c).await;
    let block = block(&cloud, more);
    let past = Past::new(window, None, Zone::wib(), Vec::new());
    let source = Marks::new(Client::new(&block), clock_of(&watch), past);
    let (says, remedy) = (String::new(), String::new());
    Scene { cloud, watch, source, store: Store::default(), state: State::Off, says, remedy, handed: 0 }
}

impl Scene {
    async fn poll(&mut self) -> Result<Round, Failure> {
        let result = self.source.poll().await;
        let (facts, condition) = match &result {
            Ok(round) => (round.facts.clone(), round.condition.clone()),
            Err(failure) => (failure.facts.clone(), failure.condition.clone()),
        };
        self.handed = facts.iter().filter(|f| matches!(f, Fact::Mark(_))).count();
        self.store.apply(&Batch { source: "huawei-marks".into(), seq: 1, seen: NOW, facts });
        self.state = condition.state;
        condition.says.raw().clone_into(&mut self.says);
        condition.remedy.raw().clone_into(&mut self.remedy);
        result
    }
    fn marks(&self) -> Vec<(MarkKind, Stamp, String, String)> {
        let marks = self.store.marks(Stamp(i64::MAX)).iter();
        marks.map(|m| (m.kind, m.at, m.text.raw().to_owned(), m.who.raw().to_owned())).collect()
    }
}

#[tokio::test]
async fn what_happened_stands_on_the_timeline_with_who_did_it() {
    let mut scene = scene(world(), "", None).await;
    scene.poll().await.unwrap();
    let alarm = "pg-conn-usage: rds083_conn_usage >= 90 %, was 99.1, 3c8c…in03";
    let expected = [
        (MarkKind::Alarm, ago(100), alarm.to_owned(), "CES".to_owned()),
        (MarkKind::Change, ago(60), "RDS/pg-order resizeFlavor".to_owned(), "sari".to_owned()),
        (MarkKind::Alarm, ago(50), "rebootServer mrg-01: the host rebooted it".to_owned(), "CES SYS.ECS".to_owned()),
        (MarkKind::Cleared, ago(20), format!("over: {alarm}"), "CES".to_owned()),
        (MarkKind::Alarm, ago(10), alarm.to_owned(), "CES".to_owned()),
    ];
    assert_eq!(scene.marks(), expected);
    assert_eq!(scene.state, State::Well, "{}", scene.says);
}

#[tokio::test]
async fn each_mark_is_handed_over_once_and_the_end_of_an_alarm_when_it_comes() {
    let mut scene = scene(world(), "", None).await;
    scene.poll().await.unwrap();
    assert_eq!(scene.handed, 5);
    scene.poll().await.unwrap();
    assert_eq!(scene.handed, 0);
    scene.watch.advance(Lapse::minutes(30));
    scene.cloud.change(|w| w.histories[1].ended = Some(NOW + Lapse::minutes(20)));
    scene.poll().await.unwrap();
    assert_eq!(scene.handed, 1);
    let marks = scene.marks();
    let last = marks.last().unwrap();
    assert_eq!((last.0, last.1), (MarkKind::Cleared, NOW + Lapse::minutes(20)));
}

#[tokio::test]
async fn one_refused_interface_is_named_with_what_to_grant_and_the_others_go_on() {
    let mut scene = scene(world(), "", None).await;
    scene.cloud.faults().always(Api::Traces, Fault::Forbidden);
    scene.poll().await.unwrap();
    assert_eq!(scene.state, State::Late);
    assert!(
        scene.says.contains("no changes") && scene.remedy.contains("cts:trace:list"),
        "{} {}",
        scene.says,
        scene.remedy
    );
    assert_eq!(scene.handed, 4);
    scene.cloud.faults().clear();
    scene.poll().await.unwrap();
    assert_eq!((scene.state, scene.handed), (State::Well, 1));
}

#[tokio::test]
async fn when_all_are_refused_the_source_is_down() {
    let mut scene = scene(world(), "alarms = false\nevents = false\n", None).await;
    scene.cloud.faults().always(Api::Traces, Fault::Forbidden);
    scene.poll().await.unwrap_err();
    assert_eq!(scene.state, State::Down);
    assert_eq!(scene.cloud.requests().count(Api::HistoriesV2), 0, "what is switched off is not asked");
}

#[tokio::test]
async fn where_there_is_no_second_interface_of_alarms_the_first_one_answers() {
    let mut scene = scene(world(), "events = false\ntraces = false\n", None).await;
    scene.cloud.faults().always(Api::HistoriesV2, Fault::Status(404));
    scene.poll().await.unwrap();
    let kinds: Vec<(MarkKind, Stamp)> = scene.marks().iter().map(|m| (m.0, m.1)).collect();
    assert_eq!(kinds, [(MarkKind::Alarm, ago(100)), (MarkKind::Cleared, ago(20)), (MarkKind::Alarm, ago(10))]);
    assert_eq!(scene.state, State::Well, "{}", scene.says);
    let asked = scene.cloud.requests().count(Api::HistoriesV2);
    scene.poll().await.unwrap();
    assert_eq!(scene.cloud.requests().count(Api::HistoriesV2), asked, "it is not asked again");
}

#[tokio::test]
async fn changes_of_the_window_come_page_by_page_and_what_is_forgotten_is_told() {
    let day = 24 * 60;
    let traces = (0..450).map(|i| trace(&format!("t{i}"), ago(5 * day) + Lapse::seconds(i), "resizeFlavor", false));
    let world = World { traces: traces.collect(), ..World::default() };
    let window = Span::new(ago(8 * day), ago(4 * day));
    let mut scene = scene(world, "alarms = false\nevents = false\n", Some(window)).await;
    scene.poll().await.unwrap();
    assert_eq!(scene.handed, 450);
    let losses: Vec<&str> = scene.store.losses("huawei-marks").iter().map(|l| l.says.raw()).collect();
    assert!(losses.iter().any(|l| l.contains("7 days")), "{losses:?}");
    let asked = scene.cloud.requests().count(Api::Traces);
    assert_eq!(asked, 1 + 3, "the last day, and three pages of the window");
    scene.poll().await.unwrap();
    assert_eq!(scene.cloud.requests().count(Api::Traces), asked + 1, "the window is there");
}

#[tokio::test]
async fn drifting_types_and_unknown_fields_cost_no_mark() {
    for fault in [Fault::Types, Fault::Unknown, Fault::Duplicates] {
        let mut scene = scene(world(), "", None).await;
        for api in [Api::HistoriesV2, Api::Events, Api::Event, Api::Traces] {
            scene.cloud.faults().always(api, fault.clone());
        }
        scene.poll().await.unwrap();
        assert_eq!(scene.marks().len(), 5, "{fault:?}");
    }
}

#[tokio::test]
async fn what_the_account_has_is_listed_to_the_last_page() {
    use warroom::simulator::cloud::world::Metric;
    let metrics = (0..2_300).map(|i| {
        let (name, id) = (["cpu_util", "mem_util"][i % 2], format!("ecs-{}", i / 2));
        Metric::new("SYS.ECS", name, &[("instance_id", &id)], "%")
    });
    let (cloud, _watch) = listen(World { metrics: metrics.collect(), ..World::default() }, |c| c).await;
    let client = Client::new(&block(&cloud, ""));
    let resources = discover::resources(&client, None).await.unwrap();
    assert_eq!(resources.len(), 1_150);
    assert!(resources.iter().all(|r| r.kind == Some("ecs") && r.metrics.len() == 2));
    assert!(discover::resources(&client, Some("SYS.RDS")).await.unwrap().is_empty());
}
