//! The log lines of the demo come from files that the services write: all of them, once, across a rotation; and
//! nothing of it stays.

use crate::pty::{patiently, warroom};
use rustix::process::Signal;
use std::path::Path;
use warroom::app::Message;
use warroom::model::log::LogLine;
use warroom::model::{Fact, Stamp};
use warroom::runtime::demo::wiring::{Evening, Wiring};
use warroom::runtime::demo::{self, Made, SEED, Shared};
use warroom::simulator::cloud::Watch;
use warroom::simulator::platform::ms;
use warroom::simulator::wired::Wires;
use warroom::simulator::{END, START, lines, scenario};
use warroom::source::replay::Command;

/// A demo without a screen.
struct Playing {
    evening: Evening,
    inbox: tokio::sync::mpsc::Receiver<Message>,
}

impl Playing {
    fn of(name: &str, folder: &Path) -> Self {
        let (to, inbox) = tokio::sync::mpsc::channel(64);
        let made = Made::later(scenario::named(name).unwrap(), SEED);
        let recorder = Shared::open(&folder.join("recording"));
        Self { evening: Evening { made, head: Watch::at(START), recorder, to }, inbox }
    }

    /// Lines of the evening that come until it is over and `enough` have come; those that still come after
    /// everything has been let go of are among them. With the words on the card of the logs.
    async fn lines(self, wiring: Wiring, enough: impl Fn(usize) -> bool) -> (Vec<LogLine>, String) {
        let Self { evening, mut inbox } = self;
        wiring.ask(&evening);
        let tape = demo::demo_tape(&evening, &wiring);
        let steer = demo::start(tape, 600.0, evening.to.clone(), evening.head.clone());
        let (mut lines, mut card) = (Vec::new(), String::new());
        let mut over = false;
        let mut hear = |message: Message, steer: Option<&tokio::sync::mpsc::Sender<Command>>| {
            match message {
                Message::Played { at, ended } => {
                    over |= ended;
                    if at > START + warroom::model::Lapse::minutes(30) {
                        // The rest of the evening at once, across the rotation.
                        steer.inspect(|s| drop(s.try_send(Command::Seek(END))));
                    }
                }
                Message::Batch(batch) => {
                    for fact in &batch.facts {
                        match fact {
                            Fact::Lines(some) if batch.source.as_ref() == "logs" => {
                                lines.extend(some.iter().filter(|l| l.at >= START).cloned());
                            }
                            Fact::Incident(i) => {
                                let logs = i.sources.iter().find(|c| c.name == "logs").unwrap();
                                card = logs.what.raw().to_owned();
                            }
                            Fact::Loss(loss) => panic!("{}", loss.says.raw()),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
            over && enough(lines.len())
        };
        while let Some(message) = inbox.recv().await {
            if hear(message, Some(&steer)) {
                break;
            }
        }
        drop((wiring, steer, evening));
        while let Some(message) = inbox.recv().await {
            hear(message, None);
        }
        (lines, card)
    }
}

fn sorted(mut lines: Vec<LogLine>) -> Vec<LogLine> {
    lines.sort_by_key(|l| (l.at, l.service.clone(), l.message.clone(), l.order.clone()));
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_evening_comes_from_a_file_once_across_its_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let playing = Playing::of("pool", folder.path());
    let wiring = Wiring::open(folder.path(), &playing.evening).await;
    assert!(wiring.up().logs);
    let made = playing.evening.made.clone();
    let said = sorted(lines::between(&made.day(), ms(START), ms(END)));
    let (read, card) = playing.lines(wiring, |n| n >= said.len()).await;
    let read = sorted(read);
    assert_eq!(read.len(), said.len());
    for (read, said) in read.iter().zip(&said) {
        assert!(read == said, "{said:?} came as {read:?}");
    }
    assert_eq!(card, "temporary files of 13 pods");
    for rotated in ["mrg-api-8.log.1", "orch-1.log.1", "upg-1.log.1"] {
        assert!(folder.path().join("logs").join(rotated).exists(), "{rotated}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_file_can_be_written_the_demo_hands_over_the_same_lines_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logs"), "not a folder").unwrap();
    let playing = Playing::of("pool", folder.path());
    let wiring = Wiring::open(folder.path(), &playing.evening).await;
    assert_eq!(wiring.up(), Wires { metrics: true, logs: false, databases: false });
    let made = playing.evening.made.clone();
    let (handed, card) = playing.lines(wiring, |_| true).await;
    let said = lines::between(&made.day(), ms(START), ms(END));
    assert!(sorted(handed) == sorted(said));
    assert_eq!(card, "generated lines");
}

#[test]
fn a_demo_that_is_told_to_end_leaves_no_file_behind() {
    let mut running = warroom(&["demo", "--pace", "600"]).size(200, 50).start();
    running.shows("DEMO");
    running.send("6");
    running.shows("temporary files of 13 pods");
    running.shows("13 files are followed");
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
