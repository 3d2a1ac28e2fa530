//! The demo's databases are real ones where PostgreSQL is: what the program's own sources learn there is the evening's,
//! in the evening's time, and nothing of it stays. Where it is not, snapshots are generated, and the cards say so.

#![expect(clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

use crate::pg;
use crate::pty::{Running, patiently, warroom};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::mpsc;
use warroom::app::Message;
use warroom::model::database::DbSample;
use warroom::model::incident::Incident;
use warroom::model::order::Rows;
use warroom::model::{Batch, Fact, Lapse, Span, Stamp};
use warroom::runtime::demo::databases::{self, Why};
use warroom::runtime::demo::wiring::{Evening, Wiring};
use warroom::runtime::demo::{self, Made, SEED, Shared};
use warroom::simulator::cloud::Watch;
use warroom::simulator::{END, START, play, scenario};

/// Nothing takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_mins(3);
const DATABASES: [&str; 4] = ["mrg", "upg", "orch", "ho"];

static MADE: LazyLock<Made> = LazyLock::new(|| Made::later(scenario::named("pool").unwrap(), SEED));

/// A demo without a screen.
fn evening(folder: &Path) -> (Evening, mpsc::Receiver<Message>) {
    let (to, inbox) = mpsc::channel(64);
    let recorder = Shared::open(&folder.join("recording"));
    (Evening { made: MADE.clone(), head: Watch::at(START), recorder, to }, inbox)
}

fn clock(hour: i64, minute: i64) -> Stamp {
    START + Lapse::minutes(hour * 60 + minute - (18 * 60 + 53))
}

/// Batches of the wire until one is as wanted, which is the last.
async fn until(inbox: &mut mpsc::Receiver<Message>, so: impl Fn(&Batch) -> bool) -> Vec<Batch> {
    let mut all = Vec::new();
    let waited = tokio::time::timeout(PATIENCE, async {
        while let Some(message) = inbox.recv().await {
            if let Message::Batch(batch) = message {
                all.push((*batch).clone());
                if so(&batch) {
                    return;
                }
            }
        }
        panic!("the wire ended");
    });
    if waited.await.is_err() {
        let last = all.iter().rev().find(|b| b.source.as_ref() == "mrg").map(|b| format!("{b:?}"));
        panic!("it never came to that; the last of {}: {last:?}", all.len());
    }
    all
}

fn sample<'b>(batch: &'b Batch, source: &str) -> Option<&'b DbSample> {
    let of = |f: &'b Fact| if let Fact::Database(sample) = f { Some(&**sample) } else { None };
    batch.facts.iter().filter(|_| batch.source.as_ref() == source).find_map(of)
}

fn incidents(batches: &[Batch]) -> Vec<&Incident> {
    let facts = batches.iter().flat_map(|b| &b.facts);
    facts.filter_map(|f| if let Fact::Incident(incident) = f { Some(&**incident) } else { None }).collect()
}

fn card(incident: &Incident, name: &str) -> String {
    incident.sources.iter().find(|c| c.name == name).map(|c| c.what.raw().to_owned()).unwrap_or_default()
}

/// Folders of private servers whose watcher is one of our own children.
fn servers() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit(')').next().and_then(|s| s.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent == Some(std::process::id()) {
            let words = line.split(|b| *b == 0).map(String::from_utf8_lossy);
            found.extend(words.filter(|w| w.contains("/warroom-pg-") && Path::new(&**w).is_dir()).map(String::from));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scene_of_the_evening_is_seen_on_a_real_server_in_the_evenings_time_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (evening, mut inbox) = evening(folder.path());
    let wiring = Wiring::open(folder.path(), &evening, Ok(pg::any().bin)).await;
    assert!(!wiring.up().databases, "the first frame does not wait for it");
    wiring.ask(&evening);
    let tape = demo::demo_tape(&evening, &wiring, None).take_while(|b| b.seen <= START + Lapse::minutes(3));
    let tape = tokio::task::spawn_blocking(|| tape.map(|b| (*b).clone()).collect::<Vec<Batch>>());
    until(&mut inbox, |b| sample(b, "mrg").is_some()).await;
    let tape = tape.await.unwrap();
    assert!(wiring.up().databases);
    let told = incidents(&tape);
    assert_eq!(card(told[0], "mrg"), "starting a private PostgreSQL …");
    assert!(card(told[1], "mrg").starts_with("private PostgreSQL 1"), "{:?}", card(told[1], "mrg"));
    let of_databases = tape.iter().filter(|b| DATABASES.contains(&b.source.as_ref()));
    assert_eq!(of_databases.map(|b| b.seq).collect::<Vec<_>>(), [1; 4], "the tape has last Sunday alone");
    let folders = servers();
    assert_eq!(folders.len(), 4);

    // The head goes to the bad minutes, and stays about there.
    let day = MADE.day();
    let bad = clock(19, 50);
    let scene = play::Play::scene(&play::within(day), "mrg", bad);
    let mut head = clock(19, 44);
    let mut seen = Vec::new();
    while head <= bad {
        evening.head.set(head);
        seen.extend(until(&mut inbox, |b| sample(b, "mrg").is_some_and(|s| s.at > head - Lapse::seconds(20))).await);
        head = head + Lapse::seconds(10);
    }
    let alike = |s: &DbSample| {
        s.states.used().abs_diff(scene.sessions()) <= 12 && s.sessions.iter().any(|w| !w.blocked_by.is_empty())
    };
    for i in 1.. {
        // It has to go on a little for another look.
        evening.head.set(bad + Lapse::millis(i * 250));
        let more = until(&mut inbox, |b| sample(b, "mrg").is_some()).await;
        let found = more.last().and_then(|b| sample(b, "mrg")).is_some_and(alike);
        seen.extend(more);
        if found {
            break;
        }
        assert!(i < 400, "{scene:?} is not {:?}", seen.iter().rev().find_map(|b| sample(b, "mrg")));
    }
    let mrg = seen.iter().rev().find_map(|b| sample(b, "mrg")).unwrap();
    assert_eq!(mrg.max_connections, scene.max_connections);
    let inside = Span::new(START, END);
    for source in DATABASES {
        let looks: Vec<&DbSample> = seen.iter().filter_map(|b| sample(b, source)).collect();
        assert!(looks.windows(2).all(|w| w[0].at < w[1].at), "{source} goes on");
        for look in looks {
            let sessions = look.sessions.iter().flat_map(|s| [s.connected, s.in_transaction, s.in_state, s.waiting]);
            let all = sessions.chain(look.applications.iter().map(|a| a.since)).flatten().chain([look.at]);
            assert!(all.into_iter().all(|at| inside.contains(at) && at <= look.at + Lapse::seconds(60)), "{look:?}");
        }
    }

    // Its rows are those of the tables, as far as they were loaded when it was asked.
    let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in seen.iter().flat_map(|b| &b.facts) {
        let Fact::Ledger(ledger) = fact else { continue };
        assert!(inside.contains(ledger.asof) && ledger.asof <= bad + Lapse::minutes(2));
        let (role, n) = match &ledger.rows {
            Rows::Orders(v) => ("orders", v.len()),
            Rows::OrderEvents(v) => ("events", v.len()),
            Rows::Payments(v) => ("payments", v.len()),
            Rows::Callbacks(v) => ("callbacks", v.len()),
            Rows::HoPayments(v) => ("books", v.len()),
            Rows::OrdersAgg(v) => ("counts", v.len()),
            Rows::Saga(v) => ("saga", v.len()),
            Rows::CallbackQueue(v) => ("queue", v.len()),
        };
        *roles.entry(role).or_default() += n;
    }
    assert!(roles.len() >= 4 && roles["orders"] > 1_000 && roles["books"] > 100, "{roles:?}");

    // One batch after the other, and no hole.
    for source in [DATABASES.as_slice(), &["orders"]].concat() {
        let numbers: Vec<u64> = seen.iter().filter(|b| b.source.as_ref() == source).map(|b| b.seq).collect();
        assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "{source}: {numbers:?}");
    }
    drop((wiring, evening, inbox));
    let gone = async {
        while folders.iter().any(|f| Path::new(f).exists()) || !servers().is_disjoint(&folders) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, gone).await.is_ok(), "{folders:?} are left");
}

/// A demo that has its servers in a folder where they may be, and that folder.
fn with_servers() -> (Running, tempfile::TempDir) {
    // Like /tmp: where we are root, the servers' user must be able to make room in it.
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), open_to_all).unwrap();
    let demo = warroom(&["demo", "--pace", "600"]).size(200, 50).env("WARROOM_GENERATED", "0");
    let running = demo.env("TMPDIR", folder.path().to_str().unwrap()).start();
    running.shows("DEMO");
    let mut running = running;
    running.send("6");
    running.shows("private PostgreSQL 1");
    (running, folder)
}

/// Folders of servers in a folder.
fn left(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|n| n.starts_with("warroom-pg")).collect()
}

#[test]
fn a_demo_that_is_told_to_end_has_no_server_when_it_has_ended() {
    let (mut running, folder) = with_servers();
    assert_eq!(left(folder.path()).len(), 4);
    running.signal(Signal::TERM);
    assert_eq!(running.exit_code(), 128 + 15);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_demo_that_is_killed_takes_its_servers_with_it() {
    let (running, folder) = with_servers();
    assert_eq!(left(folder.path()).len(), 4);
    running.signal(Signal::KILL);
    let gone = patiently(|| left(folder.path()).is_empty().then_some(()));
    assert!(gone.is_some(), "{:?} are left", left(folder.path()));
}

/// The tape of some minutes, with what it says of the databases at the beginning.
async fn generated(postgres: Result<std::path::PathBuf, Why>) -> (String, String, usize) {
    let folder = tempfile::tempdir().unwrap();
    let (evening, _inbox) = evening(folder.path());
    let wiring = Wiring::open(folder.path(), &evening, postgres).await;
    wiring.ask(&evening);
    let tape = demo::demo_tape(&evening, &wiring, None).take_while(|b| b.seen <= START + Lapse::minutes(10));
    let tape = tokio::task::spawn_blocking(|| tape.map(|b| (*b).clone()).collect::<Vec<Batch>>()).await.unwrap();
    assert!(!wiring.up().databases);
    let of_mrg: Vec<&Batch> = tape.iter().filter(|b| b.source.as_ref() == "mrg").collect();
    let numbers: Vec<u64> = of_mrg.iter().map(|b| b.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "no gap, nothing twice");
    let says = of_mrg.iter().flat_map(|b| &b.facts).find_map(|f| match f {
        Fact::Health(health) => Some(health.says.raw().to_owned()),
        _ => None,
    });
    let looks = of_mrg.iter().filter_map(|b| sample(b, "mrg")).filter(|s| s.at >= START).count();
    (card(incidents(&tape).last().unwrap(), "mrg"), says.unwrap(), looks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgresql_snapshots_are_generated_and_the_card_says_so() {
    let none = Why::new("generated: no PostgreSQL here", "PostgreSQL is not on this machine: install it");
    let (card, says, looks) = generated(Err(none)).await;
    assert_eq!(card, "generated: no PostgreSQL here");
    assert_eq!(says, "well; generated snapshots: PostgreSQL is not on this machine: install it");
    assert_eq!(looks, 40);
    assert!(databases::binaries(true).unwrap_err().says.contains("--generated"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_server_does_not_start_snapshots_are_generated_from_the_beginning_on() {
    let folder = tempfile::tempdir().unwrap();
    let (card, says, looks) = generated(Ok(folder.path().to_owned())).await;
    assert_eq!(card, "generated: PostgreSQL failed");
    assert!(says.contains("did not start"), "{says}");
    assert_eq!(looks, 40);
}
