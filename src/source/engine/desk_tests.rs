//! The desk with an engine in memory: allowances that end within a stretch, failures in the middle, rounds that are
//! given up.

use super::*;
use crate::config::log_server::Counter;
use crate::model::log::Level;
use crate::source::engine::{Counts, windows};
use std::sync::Mutex as Lock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const NOW: Stamp = Stamp::from_secs(1_736_686_800);

/// An engine that knows a cursor and nothing else.
#[derive(Debug, Default)]
struct Memory {
    lines: Vec<Stamp>,
    asked: Lock<Vec<Ask>>,
    requests: AtomicUsize,
    /// Requests that fail, and whether they do so by never answering.
    trouble: Vec<(usize, bool)>,
}

impl LogEngine for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
    fn counts_itself(&self) -> bool {
        false
    }
    async fn lines(&self, ask: &Ask, cost: &mut Cost) -> Result<Page, No> {
        cost.requests += 1;
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        match self.trouble.iter().find(|(n, _)| *n == number) {
            Some((_, true)) => std::future::pending().await,
            Some((_, false)) => {
                return Err(No::Server(Condition::down("down", "it fails", ""), Lapse::seconds(1)));
            }
            None => {}
        }
        self.asked.lock().unwrap().push(ask.clone());
        let behind = ask.cursor.as_ref().and_then(Value::as_u64).unwrap_or_default() as usize;
        let all: Vec<(usize, &Stamp)> =
            self.lines.iter().enumerate().filter(|(i, at)| *i >= behind && ask.span.contains(**at)).collect();
        let line = |(i, at): &(usize, &Stamp)| {
            let line = LogLine {
                at: **at,
                service: "mrg".into(),
                level: Level::Info,
                order: None,
                trace: None,
                message: format!("line {i}").into(),
                stack: Vec::new(),
            };
            (*i as u64, line)
        };
        let lines: Vec<(u64, LogLine)> = all.iter().take(ask.limit as usize).map(line).collect();
        let next = lines.last().filter(|_| all.len() > lines.len()).map(|(i, _)| Value::from(i + 1));
        Ok(Page { lines, next, ..Page::default() })
    }
    async fn counts(&self, _: &Counter, span: Span, _: &mut Cost) -> Result<Counts, No> {
        Ok(Counts { how: Counted::Engine, by: "", windows: windows(span) })
    }
}

fn server() -> LogServerConfig {
    let text =
        "[[log_server]]\nname = 'l'\nkind = 'loki'\nurl = 'http://l'\nquery = '{a=\"b\"}'\npage = 10\nper_minute = 8\n";
    let config = crate::config::load::parse(std::path::Path::new("c.toml"), text).0;
    let server = config.unwrap().log_servers.remove(0);
    assert!(matches!(server.kind, Kind::Loki { .. }));
    server
}

fn desk(memory: Memory) -> Desk<Memory> {
    let wanted = [Span::new(NOW - Lapse::minutes(30), NOW)];
    Desk::new(&server(), Ok(memory), &wanted, Known::default(), Clock::by(|| NOW))
}

fn memory() -> Memory {
    Memory { lines: (0..400).map(|i| NOW - Lapse::minutes(29) + Lapse::seconds(i * 4)).collect(), ..Memory::default() }
}

fn lines(facts: &[Fact]) -> usize {
    facts.iter().map(|f| if let Fact::Lines(lines) = f { lines.len() } else { 0 }).sum()
}

#[tokio::test(start_paused = true)]
async fn a_stretch_of_more_pages_than_a_minute_allows_goes_on_where_it_stopped() {
    let mut desk = desk(memory());
    let (mut read, mut rounds) = (0, 0);
    loop {
        let round = desk.round().await.unwrap();
        read += lines(&round.facts);
        rounds += 1;
        let Next::After(wait) = round.next else { unreachable!("it has a pace of its own") };
        if wait >= Lapse::seconds(15) {
            break;
        }
        tokio::time::advance(wait.to_std()).await;
        assert!(rounds < 1000, "it has no end; {read} lines so far");
    }
    let asked = desk.engine.unwrap().asked.into_inner().unwrap();
    let past = asked.iter().filter(|a| a.span.from == NOW - Lapse::minutes(30)).count();
    assert_eq!((read, past), (400, 40), "no page is asked for twice");
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_failure_is_handed_over_and_the_rest_follows() {
    let mut desk = desk(Memory { trouble: vec![(20, false)], ..memory() });
    desk.book.allowance = Allowance::new(6000);
    let (mut read, mut failed) = (0, 0);
    for _ in 0..8 {
        match desk.round().await {
            Ok(round) => read += lines(&round.facts),
            Err(failure) => {
                failed += 1;
                read += lines(&failure.facts);
                assert_eq!((read, failure.condition.code.as_str()), (190, "down"));
            }
        }
    }
    assert_eq!((read, failed), (400, 1));
    let asked = desk.engine.unwrap().asked.into_inner().unwrap();
    let past = asked.iter().filter(|a| a.span.from == NOW - Lapse::minutes(30)).count();
    assert_eq!(past, 40, "no page is asked for twice");
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_given_up_loses_no_line_and_tells_none_twice() {
    let mut desk = desk(Memory { trouble: vec![(0, true), (9, true), (10, true), (30, true)], ..memory() });
    desk.book.allowance = Allowance::new(60);
    let mut read = 0;
    for _ in 0..60 {
        if let Ok(round) = tokio::time::timeout(Duration::from_secs(5), desk.round()).await {
            read += lines(&round.unwrap().facts);
        }
        tokio::time::advance(Duration::from_secs(3)).await;
    }
    assert_eq!(read, 400);
}

/// A desk of which a window keeps 40 lines at most, and what it is looked at by.
fn sampling(memory: Memory) -> (Desk<Memory>, Arc<Looked>) {
    let looked = Arc::new(Looked::default());
    let server = LogServerConfig { most: 40, page: 10, per_minute: 6000, ..server() };
    let wanted = [Span::new(NOW - Lapse::minutes(30), NOW)];
    let desk = Desk::new(&server, Ok(memory), &wanted, Known::default(), Clock::by(|| NOW)).beside(&looked);
    (desk, looked)
}

async fn told(desk: &mut Desk<Memory>, rounds: usize) -> Vec<Fact> {
    let mut facts = Vec::new();
    for _ in 0..rounds {
        facts.extend(desk.round().await.unwrap().facts);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    facts
}

fn messages(facts: &[Fact]) -> Vec<String> {
    let lines = facts.iter().flat_map(|f| if let Fact::Lines(lines) = f { lines.as_slice() } else { &[] });
    lines.map(|l| l.message.raw().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_left_out_of_a_window_is_read_when_somebody_looks_at_it_and_no_line_comes_twice() {
    let (mut desk, looked) = sampling(memory());
    let first = told(&mut desk, 30).await;
    assert_eq!(messages(&first).len(), 40, "a window keeps so many");
    assert!(first.iter().any(|f| matches!(f, Fact::Loss(l) if l.says.raw().contains("the rest is only counted"))));
    let before = desk.engine.as_ref().unwrap().asked.lock().unwrap().len();
    // Lines 100 to 114 are of this minute; those of the first forty are here.
    let minute = NOW - Lapse::minutes(29) + Lapse::seconds(400);
    let span = Span::new(minute, minute + Lapse::minutes(1));
    looked.at(Some(span));
    let then = told(&mut desk, 5).await;
    let expected: Vec<String> = (100..115).map(|i| format!("line {i}")).collect();
    assert_eq!(messages(&then), expected);
    assert!(then.iter().any(|f| matches!(f, Fact::Fetched(x) if x.what == "lines" && x.span == span)));
    let progress: Vec<u64> =
        then.iter().filter_map(|f| if let Fact::Progress(p) = f { Some(p.done) } else { None }).collect();
    assert_eq!(progress, [0, 1], "it is said that it is read, and that it is over");
    let asked = desk.engine.as_ref().unwrap().asked.lock().unwrap()[before..].to_vec();
    assert!(asked.iter().filter(|a| a.span.from >= minute && a.span.to <= span.to).count() <= 2, "{asked:?}");
    // A wider look reads what is around it, and nothing again.
    looked.at(Some(Span::new(minute - Lapse::seconds(40), span.to + Lapse::seconds(40))));
    let wider = told(&mut desk, 5).await;
    let around: Vec<String> = (90..100).chain(115..125).map(|i| format!("line {i}")).collect();
    let mut got = messages(&wider);
    got.sort_by_key(|m| m[5..].parse::<u32>().unwrap());
    assert_eq!(got, around);
    looked.at(Some(span));
    assert_eq!(messages(&told(&mut desk, 3).await), Vec::<String>::new(), "all of it is here");
}

#[tokio::test(start_paused = true)]
async fn the_lines_at_the_edge_of_a_sample_come_once_even_after_they_were_forgotten() {
    let instant = |i: i64| NOW - Lapse::minutes(29) + Lapse::seconds(i / 3);
    let (mut desk, looked) = sampling(Memory { lines: (0..90).map(instant).collect(), ..Memory::default() });
    let mut all = messages(&told(&mut desk, 10).await);
    desk.book.seen.clear();
    looked.at(Some(Span::new(NOW - Lapse::minutes(30), NOW)));
    all.extend(messages(&told(&mut desk, 10).await));
    // Forty of a look, and once more what is left.
    looked.at(Some(Span::new(NOW - Lapse::minutes(30), NOW)));
    all.extend(messages(&told(&mut desk, 10).await));
    all.sort_by_key(|m| m[5..].parse::<u32>().unwrap());
    assert_eq!(all, (0..90).map(|i| format!("line {i}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn somebody_who_looks_elsewhere_ends_the_reading_and_what_came_stays() {
    let (mut desk, looked) = sampling(memory());
    told(&mut desk, 30).await;
    desk.book.allowance = Allowance::new(6);
    looked.at(Some(Span::new(NOW - Lapse::minutes(20), NOW - Lapse::minutes(10))));
    let some = messages(&told(&mut desk, 2).await).len();
    assert!(some > 0 && some < 40, "{some}");
    looked.at(None);
    desk.book.allowance = Allowance::new(6000);
    let rest = told(&mut desk, 5).await;
    assert_eq!(messages(&rest).len(), 0);
    let ended = rest.iter().any(|f| matches!(f, Fact::Progress(p) if p.done == p.of));
    assert!(ended && desk.book.looking.is_empty());
}
