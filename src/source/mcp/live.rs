//! A log tool as a source: the newest window again and again, with an overlap for lines that come late, and
//! between the rounds what is wanted of the past.
//!
//! May not know: how a call is made.

use crate::config::Config;
use crate::config::mcp::McpConfig;
use crate::config::mcp_search::Search;
use crate::model::health::{Cost, Loss};
use crate::model::{Fact, Lapse, Span, Stamp};
use crate::source::Recorded;
use crate::source::clock::Clock;
use crate::source::engine::STEP;
use crate::source::engine::counting::{Cards, Counting};
use crate::source::logs::Known;
use crate::source::mcp::ask::Question;
use crate::source::mcp::count::counts;
use crate::source::mcp::link::Link;
use crate::source::mcp::read::Reader;
use crate::source::mcp::search::{Found, Seen, search, windows};
use crate::source::mcp::trouble::Trouble;
use crate::source::runner::{Condition, Failure, Next, Plan, Poll, Round};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Lines may come this much later than they were written.
const LATE: Lapse = Lapse::seconds(30);
/// Windows of the past that are asked for in one round.
const AT_ONCE: usize = 2;
/// Counts that are asked for in one round.
const COUNTS_AT_ONCE: usize = 6;

/// How it is run.
pub fn plan(config: &McpConfig) -> Plan {
    Plan {
        name: config.name.as_str().into(),
        interval: config.interval,
        // A round is several calls, each with a deadline of its own.
        deadline: (config.timeout.times(6)).min(Lapse::minutes(5)),
        floor: Lapse::seconds(2),
        doing: "connecting",
    }
}

/// From when on a recording may hold its lines.
pub fn since(config: &Config, mcp: &McpConfig, now: Stamp) -> Stamp {
    wanted(config, mcp, now).iter().map(|s| s.from).fold(now, Stamp::min)
}

/// The past that is wanted: the incident's window and what is normal, and the last minutes.
fn wanted(config: &Config, mcp: &McpConfig, now: Stamp) -> Vec<Span> {
    let recent = Span::new(now - mcp.read_back, now);
    let i = &config.incident;
    let cut = |s: Span| Span::new(s.from, s.to.min(recent.from).max(s.from));
    let mut out = vec![recent];
    out.extend(i.window.into_iter().chain(i.baseline).map(cut).filter(|s| s.from < s.to));
    out
}

/// What a source has done and has to do; outlives a round that was given up.
#[derive(Debug)]
pub struct Desk {
    link: Arc<Link>,
    clock: Clock,
    reader: Result<Reader, Trouble>,
    /// Up to when the newest lines were asked for.
    until: Stamp,
    past: VecDeque<Span>,
    seen: Seen,
    known: Known,
    lines: u64,
    counting: Counting,
    cards: Cards,
}

impl Desk {
    /// A desk for one source. `recorded` has the lines of earlier runs.
    pub fn new(link: Arc<Link>, config: &Config, recorded: &Recorded, clock: &Clock) -> Self {
        let mcp = link.config();
        let now = clock.now();
        let past = match mcp.search.as_ref().filter(|s| s.is_timed()) {
            Some(s) => {
                wanted(config, mcp, now).into_iter().flat_map(|w| windows(w, s.window).into_iter().rev()).collect()
            }
            // A tool that takes no time gives all it has at once.
            None => VecDeque::from([Span::new(since(config, mcp, now), now)]),
        };
        let reader = match &mcp.search {
            Some(search) => Reader::new(search, &mcp.name),
            None => Err(Trouble::Mapping("it has no [mcp.search]".to_owned())),
        };
        let counters = mcp.histogram.as_ref().map_or(0, |h| h.counters.len());
        let counting = Counting::new(counters, &wanted(config, mcp, now), now);
        let cards = Cards::new(&mcp.name);
        let known = recorded.lines.get(mcp.name.as_str()).cloned().unwrap_or_default();
        let (seen, clock) = (Seen::default(), clock.clone());
        Self { reader, until: now, past, seen, known, lines: 0, counting, cards, clock, link }
    }

    async fn round(&mut self) -> Result<Round, Failure> {
        let link = Arc::clone(&self.link);
        let Some(mapping) = &link.config().search else {
            return Err(failure(&Trouble::Mapping("it has no [mcp.search]".to_owned()), None));
        };
        let reader = self.reader.as_ref().map_err(|t| failure(t, None))?;
        let now = self.clock.now();
        let overlap = LATE.max(link.config().interval.times(2));
        let mut spans = vec![Span::new(self.until - overlap, now)];
        spans.extend(self.past.iter().take(AT_ONCE));
        let mut all = Found::default();
        for (i, span) in spans.into_iter().enumerate() {
            let q = Question { words: mapping.words.clone(), ..Question::all(span) };
            match search(&link, mapping, reader, &q, &mut self.seen, now).await {
                Ok(found) => {
                    if i == 0 {
                        self.until = now;
                    } else {
                        self.past.pop_front();
                    }
                    all.calls += found.calls;
                    all.bytes += found.bytes;
                    all.lines.extend(found.lines);
                    if !found.missing.is_empty() {
                        all.missing.push(format!("{} ({})", found.missing.join("; "), clock_of(span)));
                    }
                }
                Err(trouble) => {
                    let cost = Cost { requests: all.calls + 1, failed: 1, bytes: all.bytes, ..Cost::default() };
                    return Err(Failure { facts: self.facts(all, now), ..failure(&trouble, Some(cost)) });
                }
            }
        }
        let counted = self.count(mapping, now, &mut all).await;
        // The overlap and the past bring no line again that is older than both.
        let oldest = self.past.iter().map(|s| s.from).fold(self.until - overlap.times(2), Stamp::min);
        self.seen.forget(oldest);
        let cost = Cost { requests: all.calls, bytes: all.bytes, ..Cost::default() };
        let missing = all.missing.clone();
        let mut facts = self.facts(all, now);
        facts.extend(counted);
        let next = if self.past.is_empty() && !self.counting.is_behind(now) {
            Next::Interval
        } else {
            Next::After(Lapse::seconds(1))
        };
        Ok(Round { facts, cost: Some(cost), condition: self.condition(&missing), next })
    }

    /// Asks for what is to be counted. A count that fails leaves the lines alone.
    async fn count(&mut self, mapping: &Search, now: Stamp, all: &mut Found) -> Vec<Fact> {
        let link = Arc::clone(&self.link);
        let Some(histogram) = &link.config().histogram else { return Vec::new() };
        let mut facts = Vec::new();
        self.counting.become_due(now, LATE, STEP);
        for _ in 0..COUNTS_AT_ONCE {
            let Some((i, span, newest)) = self.counting.next(now) else { break };
            let Some(counter) = histogram.counters.get(i) else { break };
            all.calls += 1;
            match counts(&link, mapping, histogram, counter, span).await {
                Ok((counts, bytes)) => {
                    all.bytes += bytes;
                    self.counting.done(i, newest);
                    facts.extend(self.cards.counts(&histogram.tool, counter, &counts));
                }
                Err(trouble) => self.counting.refuse(i, now, trouble.condition()),
            }
        }
        facts
    }

    fn facts(&mut self, found: Found, now: Stamp) -> Vec<Fact> {
        let mut lines = found.lines;
        lines.retain(|l| !self.known.take(l));
        lines.sort_by_key(|l| l.at);
        self.lines += lines.len() as u64;
        let span = Span::new(now - Lapse::seconds(1), now);
        let mut facts: Vec<Fact> =
            found.missing.into_iter().map(|says| Fact::Loss(Loss { span, says: says.into() })).collect();
        if !lines.is_empty() {
            facts.push(Fact::Lines(lines));
        }
        facts
    }

    fn condition(&self, missing: &[String]) -> Condition {
        if let Some(says) = missing.first() {
            let remedy = "lower window_max in its [mcp.search], or map cursor and limit";
            return Condition::late("partly", says.clone(), remedy);
        }
        if let Some((_, refused)) = self.counting.refused() {
            let says = format!("lines come, but a count is refused: {}", refused.says.raw());
            return Condition::late("partly", says, refused.remedy.raw());
        }
        if !self.past.is_empty() {
            let says = format!("{} windows of the past are still to be asked for", self.past.len());
            return Condition::late("reading", says, "");
        }
        let tool = self.link.config().search.as_ref().map_or("", |s| s.tool.as_str());
        Condition { says: format!("{tool} answers; {} lines so far", self.lines).into(), ..Condition::well() }
    }
}

fn failure(trouble: &Trouble, cost: Option<Cost>) -> Failure {
    Failure { condition: trouble.condition(), facts: Vec::new(), cost, wait: Lapse::ZERO }
}

/// A stretch in words, in UTC.
fn clock_of(span: Span) -> String {
    let utc = crate::model::Zone::utc();
    format!("{}–{} UTC", utc.format(span.from, "%H:%M:%S"), utc.format(span.to, "%H:%M:%S"))
}

/// One asker of a desk.
#[derive(Debug)]
pub struct Asker(pub Arc<Mutex<Desk>>);

impl Poll for Asker {
    async fn poll(&mut self) -> Result<Round, Failure> {
        self.0.lock().await.round().await
    }
}
