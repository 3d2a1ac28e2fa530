//! The log lines of the demo come from files that the services write: all of them, once, across a rotation; and
//! nothing of it stays.

use crate::pty::{patiently, warroom};
use rustix::process::Signal;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::mpsc;
use warroom::app::Message;
use warroom::model::log::LogLine;
use warroom::model::{Fact, Lapse};
use warroom::runtime::demo::wiring::{Evening, Wiring};
use warroom::runtime::demo::{self, Made, SEED, Shared, databases};
use warroom::simulator::cloud::Watch;
use warroom::simulator::platform::ms;
use warroom::simulator::wired::Wires;
use warroom::simulator::{END, START, lines, scenario};

/// No line takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_mins(2);

static MADE: LazyLock<Made> = LazyLock::new(|| Made::later(scenario::named("pool").unwrap(), SEED));

/// A demo without a screen.
fn evening(folder: &Path) -> (Evening, mpsc::Receiver<Message>) {
    let (to, inbox) = mpsc::channel(64);
    let recorder = Shared::open(&folder.join("recording"));
    (Evening { made: MADE.clone(), head: Watch::at(START), recorder, to }, inbox)
}

/// The lines of this evening in a message.
fn lines_in(message: &Message) -> Vec<LogLine> {
    let Message::Batch(batch) = message else { return Vec::new() };
    let all = batch.facts.iter().flat_map(|f| match f {
        Fact::Lines(lines) if batch.source.as_ref() == "logs" => lines.clone(),
        Fact::Loss(loss) => {
            assert_eq!(loss.says.raw(), "", "nothing is lost");
            Vec::new()
        }
        _ => Vec::new(),
    });
    all.filter(|l| l.at >= START).collect()
}

fn sorted(mut lines: Vec<LogLine>) -> Vec<LogLine> {
    lines.sort_by_key(|l| (l.at, l.service.clone(), l.message.clone(), l.order.clone()));
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_evening_comes_from_a_file_once_across_its_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let (evening, mut inbox) = evening(folder.path());
    let said = sorted(lines::between(&MADE.day(), ms(START), ms(END)));
    let wiring = Wiring::open(folder.path(), &evening, databases::binaries(true)).await;
    assert!(wiring.up().logs);
    wiring.ask(&evening);
    let head = evening.head.clone();
    tokio::spawn(async move {
        // A play head in a hurry; nothing depends on how fast it really is.
        while head.now() < END {
            tokio::time::sleep(Duration::from_millis(10)).await;
            head.set((head.now() + Lapse::seconds(61)).min(END));
        }
    });
    let mut read = Vec::new();
    while read.len() < said.len() {
        let message = tokio::time::timeout(PATIENCE, inbox.recv()).await;
        let message = message.unwrap_or_else(|_| panic!("{} of {} lines came", read.len(), said.len()));
        read.extend(lines_in(&message.unwrap()));
    }
    // What comes although nothing more can come would show now.
    drop((wiring, evening));
    while let Some(message) = inbox.recv().await {
        read.extend(lines_in(&message));
    }
    assert_eq!(read.len(), said.len());
    for (read, said) in sorted(read).iter().zip(&said) {
        assert!(read == said, "{said:?} came as {read:?}");
    }
    for rotated in ["mrg-api-8.log.1", "orch-1.log.1", "upg-1.log.1"] {
        assert!(folder.path().join("logs").join(rotated).exists(), "{rotated}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_file_can_be_written_the_demo_hands_over_lines_itself_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logs"), "not a folder").unwrap();
    let (evening, _inbox) = evening(folder.path());
    let wiring = Wiring::open(folder.path(), &evening, databases::binaries(true)).await;
    assert_eq!(wiring.up(), Wires { metrics: true, logs: false, databases: false });
    let stretch = START + Lapse::minutes(10);
    let tape = demo::demo_tape(&evening, &wiring, None).take_while(|b| b.seen <= stretch);
    let batches: Vec<Message> = tape.map(Message::Batch).collect();
    let handed = batches.iter().flat_map(lines_in).collect();
    assert!(sorted(handed) == sorted(lines::between(&MADE.day(), ms(START), ms(stretch))));
    let facts = |b: &Message| if let Message::Batch(b) = b { b.facts.clone() } else { Vec::new() };
    let what = batches.iter().flat_map(facts).find_map(|f| match f {
        Fact::Incident(incident) => incident.sources.into_iter().find(|c| c.name == "logs").map(|c| c.what),
        _ => None,
    });
    assert_eq!(what.unwrap().raw(), "generated lines");
}

#[test]
fn a_demo_that_is_told_to_end_leaves_no_file_behind() {
    let mut running = warroom(&["demo", "--pace", "600"]).size(200, 50).start();
    running.shows("DEMO");
    running.send("6");
    running.shows("temporary files of 13 pods");
    running.until("lines that were followed", |s| {
        let contents = s.contents();
        let card = contents.lines().find(|l| l.contains("temporary files of 13 pods"));
        card.is_some_and(|l| l.contains("13 files are followed") && l.contains(" follow ") && l.contains("0s"))
    });
    let logs = || {
        let demo = std::fs::read_dir(running.home()).unwrap().map(|e| e.unwrap().path());
        demo.map(|p| p.join("logs/orch-1.log")).find(|p| p.exists())
    };
    let written = patiently(|| logs().filter(|p| std::fs::metadata(p).is_ok_and(|m| m.len() > 0)));
    assert!(written.is_some(), "the Orchestrator writes");
    running.signal(Signal::TERM);
    assert_eq!(running.exit_code(), 128 + 15);
    let left: Vec<_> = std::fs::read_dir(running.home()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().starts_with("warroom-demo")), "{left:?}");
}
