//! Engines that keep lines, each against a server that speaks its wire format: every line once, counts that agree
//! with the lines, and every way in which a server may misbehave.

mod api;
mod elastic;
mod loki;
mod lts;
mod program;

pub use lts::cloud as lts_cloud;

use crate::web::{Answer, Request, Web};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::Mutex;
use warroom::config::LogServerConfig;
use warroom::config::load::parse;
use warroom::model::health::{Cost, State};
use warroom::model::log::LogLine;
use warroom::model::series::Counted;
use warroom::model::{Fact, Lapse, Span, Stamp};
use warroom::source::clock::Clock;
use warroom::source::engine::desk::Asker;
use warroom::source::engine::{Desk, LogEngine};
use warroom::source::logs::Known;
use warroom::source::runner::{Condition, Next, Poll as _};

/// 12 January 2025, 20:00 WIB.
const NOW: Stamp = Stamp::from_secs(1_736_686_800);

fn ago(minutes: i64) -> Stamp {
    NOW - Lapse::minutes(minutes)
}

fn server(text: &str) -> LogServerConfig {
    let huawei = if text.contains("'lts'") { "[huawei]\nregion = 'ap-southeast-4'\n" } else { "" };
    let whole = format!("{huawei}[[log_server]]\nname = 'l'\nper_minute = 6000\n{text}");
    let (config, _) = parse(Path::new("/etc/warroom/config.toml"), &whole);
    config.unwrap().log_servers.remove(0)
}

/// Every answer that is none is told with its code, and afterwards nothing is missing. Its timeout is a second.
async fn survives<E: LogEngine>(
    source: &mut Source<E>,
    web: &Web,
    good: impl Fn(&Request) -> Answer + Clone + Send + 'static,
    lines: usize,
) {
    let html = Answer::Says(200, vec![("content-type", "text/html".to_owned())], b"<html>login</html>".to_vec());
    for (answer, code) in [
        (Answer::status(429).with("retry-after", "7"), "429"),
        (Answer::Hangs, "no answer"),
        (html, "no JSON"),
        (Answer::json("{\"hits\": {\"hi"), "no JSON"),
        (Answer::Hangup, "cut off"),
        (Answer::status(401), "401"),
        (Answer::status(503), "503"),
    ] {
        let well = good.clone();
        // The first answer is good, the second is not.
        let mut asked = 0;
        web.now(move |r| {
            asked += 1;
            if asked > 1 { answer.clone() } else { well(r) }
        });
        source.round().await;
        assert!(source.failed && source.code() == code, "{code}: {} {}", source.code(), source.says());
        assert!(!source.condition.as_ref().unwrap().remedy.raw().is_empty(), "{code} has a remedy");
    }
    web.now(good);
    source.all().await;
    assert_eq!((source.lines.len(), source.state()), (lines, State::Well), "{}", source.says());
    source.agrees("l.all", "", |l| l.at);
}

/// A world's clock that the test turns.
#[derive(Clone)]
struct Turned(Arc<AtomicI64>);

impl Turned {
    fn now() -> Self {
        Self(Arc::new(AtomicI64::new(NOW.0)))
    }
    fn forward(&self, by: Lapse) {
        self.0.fetch_add(by.0, Ordering::SeqCst);
    }
    fn clock(&self) -> Clock {
        let there = Arc::clone(&self.0);
        Clock::by(move || Stamp(there.load(Ordering::SeqCst)))
    }
}

/// A source, and everything it has told.
struct Source<E> {
    asker: Asker<E>,
    lines: Vec<LogLine>,
    /// Series, minute of the day before now, value.
    points: BTreeMap<(String, Stamp), f64>,
    lost: Vec<String>,
    counted: BTreeMap<String, Counted>,
    condition: Option<Condition>,
    cost: Cost,
    wait: Option<Lapse>,
    failed: bool,
}

impl<E: LogEngine> Source<E> {
    fn new(server: &LogServerConfig, engine: Result<E, Condition>, wanted: &[Span], turned: &Turned) -> Self {
        let desk = Desk::new(server, engine, wanted, Known::default(), turned.clock());
        Self {
            asker: Asker(Arc::new(Mutex::new(desk))),
            lines: Vec::new(),
            points: BTreeMap::new(),
            lost: Vec::new(),
            counted: BTreeMap::new(),
            condition: None,
            cost: Cost::default(),
            wait: None,
            failed: false,
        }
    }

    async fn round(&mut self) -> &mut Self {
        let (facts, cost) = match self.asker.poll().await {
            Ok(round) => {
                self.failed = false;
                self.condition = Some(round.condition);
                self.wait = match round.next {
                    // So long it waits when there is nothing left.
                    Next::After(wait) => Some(wait).filter(|w| *w < Lapse::seconds(10)),
                    Next::Interval => None,
                };
                (round.facts, round.cost)
            }
            Err(failure) => {
                self.failed = true;
                self.condition = Some(failure.condition);
                self.wait = Some(failure.wait);
                (failure.facts, failure.cost)
            }
        };
        if let Some(cost) = cost {
            self.cost.add(&cost);
        }
        for fact in facts {
            match fact {
                Fact::Lines(lines) => self.lines.extend(lines),
                Fact::Samples(s) => {
                    self.points.extend(s.values.iter().map(|(n, v)| ((n.to_string(), s.at), *v)));
                }
                Fact::Loss(loss) => self.lost.push(loss.says.raw().to_owned()),
                Fact::Series(cards) => {
                    self.counted.extend(cards.iter().filter_map(|c| Some((c.name.to_string(), c.counted?))));
                }
                _ => {}
            }
        }
        self
    }

    /// Until nothing of the past is left to be asked for.
    async fn all(&mut self) -> &mut Self {
        for _ in 0..500 {
            self.round().await;
            assert!(!self.failed, "{}", self.says());
            if self.wait.is_none() {
                return self;
            }
        }
        unreachable!("it has no end: {}", self.says());
    }

    fn says(&self) -> &str {
        self.condition.as_ref().map_or("", |c| c.says.raw())
    }
    fn code(&self) -> &str {
        self.condition.as_ref().map_or("", |c| c.code.as_str())
    }
    fn state(&self) -> State {
        self.condition.as_ref().unwrap().state
    }
    fn messages(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.lines.iter().map(|l| l.message.raw()).collect();
        all.sort_unstable();
        all
    }
    /// The sum of a count.
    fn sum(&self, series: &str) -> u64 {
        self.points.iter().filter(|((n, _), _)| n == series).map(|(_, v)| *v as u64).sum()
    }
    /// Every count of a series, where the lines that were fetched have the same.
    fn agrees(&self, series: &str, word: &str, clock: impl Fn(&LogLine) -> Stamp) {
        let mut counted: BTreeMap<Stamp, u64> = BTreeMap::new();
        for line in self.lines.iter().filter(|l| l.message.raw().contains(word)) {
            *counted.entry(Stamp(clock(line).0.div_euclid(60_000_000) * 60_000_000)).or_default() += 1;
        }
        let points: Vec<_> = self.points.iter().filter(|((n, _), _)| n == series).collect();
        assert!(!points.is_empty(), "{series} was not counted");
        for ((_, at), n) in points {
            assert!(
                counted.get(at).copied().unwrap_or_default() == *n as u64,
                "{series} at {at:?}: {n}, {:?}",
                counted.get(at)
            );
        }
    }
}
