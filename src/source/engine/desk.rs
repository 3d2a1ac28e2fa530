//! The source that drives an engine: the newest lines again and again, with an overlap for lines that come late;
//! what the engine counts, minute by minute; and between the rounds what is wanted of the past.
//!
//! Every line is handed over once, whatever pages overlap; what was found outlives a round that is given up. May
//! not know: how a question is put on the wire.

use crate::config::log_server::{Kind, LogServerConfig};
use crate::model::health::{Cost, Fetched, LINES, Loss, Progress};
use crate::model::log::LogLine;
use crate::model::series::Counted;
use crate::model::{Fact, Lapse, Span, Stamp};
use crate::source::clock::Clock;
use crate::source::engine::allowance::Allowance;
use crate::source::engine::counting::{Cards, Counting};
use crate::source::engine::looked::{Held, Looked};
use crate::source::engine::past::for_lines;
use crate::source::engine::{Ask, LogEngine, No, Page, STEP};
use crate::source::logs::Known;
use crate::source::runner::{Condition, Failure, Next, Pace, Plan, Poll, Round, lapse};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Stretches of the past that are asked for lines in one round.
const AT_ONCE: usize = 2;
/// Requests of one round, after which what was found is handed over.
const REQUESTS: u32 = 10;
/// Pause before the rest.
const BREATH: Lapse = Lapse::millis(50);
/// Cursors that may be over in one stretch before it is given up for this round.
const RESTARTS: u32 = 3;
/// Pages without anything new, one after the other, that are gone through.
const IDLE: u32 = 20;
/// Lines that were seen are remembered for at least so long.
const REMEMBERED: Lapse = Lapse::minutes(10);
/// The least page there is.
const LEAST_PAGE: u32 = 10;
/// After this long pages are as long as configured again.
const GROWN: Lapse = Lapse::minutes(10);
/// What is told of reading what is looked at.
const LOOKING: &str = "reading the lines in front";
/// Counts of a longer stretch are cut in half when they are too much.
const LEAST_COUNTED: Lapse = Lapse::minutes(30);

/// How it is run.
pub fn plan(server: &LogServerConfig) -> Plan {
    // The last resort: every request has a deadline of its own, and a round is several.
    let most = Lapse::minutes(10);
    let of_cloud = matches!(server.kind, Kind::Lts { .. });
    Plan {
        name: server.name.as_str().into(),
        interval: server.interval,
        deadline: if of_cloud { most } else { server.timeout.times(12).max(Lapse::minutes(2)).min(most) },
        floor: Lapse::seconds(2),
        doing: "connecting",
    }
}

/// An engine, and what was done and has to be done with it.
#[derive(Debug)]
pub struct Desk<E> {
    engine: Result<E, Condition>,
    book: Book,
}

/// What was done and has to be done.
#[derive(Debug)]
struct Book {
    server: LogServerConfig,
    clock: Clock,
    allowance: Allowance,
    /// How often the newest lines are asked for: less often while that takes long.
    pace: Pace,
    /// Up to when the newest lines were asked for.
    until: Stamp,
    /// The newest stretch while it is read, and when one was last read to its end.
    newest: Option<Going>,
    asked: Option<Stamp>,
    /// Stretches to ask for lines, and the first of them while it is read.
    past: VecDeque<Span>,
    oldest: Option<Going>,
    counting: Counting,
    /// What somebody has in front of them, which of the looks it is, and what is still to be read of it.
    looked: Arc<Looked>,
    look: u64,
    looking: VecDeque<Span>,
    before_eyes: Option<Going>,
    /// Of what stretches every line was handed over.
    held: Held,
    /// What tells lines apart that were handed over, and when an answer had them last.
    seen: HashMap<u64, Stamp>,
    tidied: Stamp,
    /// When nothing was left to be asked for: what was seen since may come again.
    idle: Stamp,
    known: Known,
    /// Lines and other facts that wait to be handed over.
    fresh: Vec<LogLine>,
    facts: Vec<Fact>,
    /// Lines of a page as the engine bears them, and when it bore less than is configured.
    page: u32,
    shrunk: Option<Stamp>,
    /// Whether there are lines that were not fetched.
    sampled: bool,
    cards: Cards,
    missing: Option<String>,
}

/// A stretch that is read: how far. What an allowance or a failure interrupts goes on there.
#[derive(Clone, Debug)]
struct Going {
    span: Span,
    /// Up to here the engine has told all; the stretch begins anew here when a cursor is over.
    from: Stamp,
    cursor: Option<Value>,
    taken: u32,
}

impl Going {
    const fn new(span: Span) -> Self {
        Self { span, from: span.from, cursor: None, taken: 0 }
    }
}

/// Which of the two stretches that can be under way.
#[derive(Clone, Copy, Debug)]
enum Which {
    Newest,
    Past,
    Looked,
}

impl<E: LogEngine> Desk<E> {
    /// A desk that has asked nothing yet. `known` are lines of earlier runs.
    pub fn new(
        server: &LogServerConfig,
        engine: Result<E, Condition>,
        wanted: &[Span],
        known: Known,
        clock: Clock,
    ) -> Self {
        let now = clock.now();
        let counters = if engine.as_ref().is_ok_and(LogEngine::counts_itself) { server.counters.len() } else { 0 };
        let counting = Counting::new(counters, wanted, now);
        let book = Book {
            allowance: Allowance::new(server.per_minute),
            pace: Pace::new(server.interval),
            until: now,
            newest: None,
            asked: None,
            past: for_lines(wanted, server.window).into(),
            oldest: None,
            counting,
            looked: Arc::default(),
            look: 0,
            looking: VecDeque::new(),
            before_eyes: None,
            held: Held::default(),
            seen: HashMap::new(),
            tidied: now,
            idle: now,
            known,
            fresh: Vec::new(),
            facts: Vec::new(),
            page: server.page,
            shrunk: None,
            sampled: false,
            cards: Cards::new(&server.name),
            missing: None,
            server: server.clone(),
            clock,
        };
        Self { engine, book }
    }

    /// The same, which reads first what is looked at.
    #[must_use]
    pub fn beside(mut self, looked: &Arc<Looked>) -> Self {
        self.book.looked = Arc::clone(looked);
        self
    }

    async fn round(&mut self) -> Result<Round, Failure> {
        let engine = match &self.engine {
            Ok(engine) => engine,
            Err(condition) => {
                let condition = condition.clone();
                return Err(Failure { condition, facts: Vec::new(), cost: None, wait: Lapse::minutes(1) });
            }
        };
        let (book, mut cost) = (&mut self.book, Cost::default());
        let now = book.clock.now();
        book.missing = None;
        let outcome = book.work(engine, now, &mut cost).await;
        let facts = book.hand_over(engine.name(), now);
        // A round of the past is long and says nothing of how the engine bears the newest lines.
        cost.interval = book.pace.current();
        let cost = (cost.requests > 0).then_some(cost);
        match outcome {
            Ok(wait) => {
                let next = Next::After(match wait {
                    Some(wait) => wait.min(book.server.interval).max(BREATH),
                    None if book.is_behind(now) => Lapse::seconds(1),
                    None => book.pace.current(),
                });
                Ok(Round { facts, cost, condition: book.condition(engine.name()), next })
            }
            Err(no) => {
                let wait = match &no {
                    No::Server(_, wait) => *wait,
                    No::Cursor(_) => Lapse::ZERO,
                    No::Amount(_) | No::Question(_) => Lapse::minutes(1),
                };
                Err(Failure { condition: no.condition(), facts, cost, wait })
            }
        }
    }
}

impl Book {
    /// Asks for as much as may be asked for now. Gives how long to wait when that was not all.
    async fn work<E: LogEngine>(&mut self, engine: &E, now: Stamp, cost: &mut Cost) -> Result<Option<Lapse>, No> {
        self.fall_behind(now);
        if let Some(wait) = self.look(engine, now, cost).await? {
            return Ok(Some(wait));
        }
        let from = self.until - self.server.late;
        // While the past is read, half of what is allowed is for it.
        let behind = self.is_behind(now) && self.asked.is_some_and(|a| now.since(a) < self.server.interval.times(2));
        if self.newest.is_some() || !behind {
            let begun = Instant::now();
            let to = self.newest.get_or_insert(Going::new(Span::new(from, now.max(from)))).span.to;
            if let Some(wait) = self.stretch(engine, Which::Newest, now, cost).await? {
                return Ok(Some(wait));
            }
            (self.newest, self.asked) = (None, Some(now));
            self.pace.took(lapse(begun.elapsed()));
            self.until = self.until.max(to);
        }
        if let Some(wait) = self.count(engine, now, cost).await? {
            return Ok(Some(wait));
        }
        for _ in 0..AT_ONCE {
            let Some(span) = self.past.front().copied() else { break };
            self.oldest.get_or_insert(Going::new(span));
            if let Some(wait) = self.stretch(engine, Which::Past, now, cost).await? {
                return Ok(Some(wait));
            }
            self.oldest = None;
            self.past.pop_front();
        }
        if self.past.is_empty() {
            self.idle = now;
        }
        Ok(None)
    }

    /// Reads what somebody has in front of them, as far as it is not here.
    async fn look<E: LogEngine>(&mut self, engine: &E, now: Stamp, cost: &mut Cost) -> Result<Option<Lapse>, No> {
        let look = self.looked.now();
        if look.number != self.look {
            if !self.looking.is_empty() {
                self.progress(now, 1);
            }
            self.look = look.number;
            self.before_eyes = None;
            self.looking = look.span.map(|s| self.held.missing(s)).unwrap_or_default().into();
            if !self.looking.is_empty() {
                self.progress(now, 0);
            }
        }
        while let Some(span) = self.looking.front().copied() {
            self.before_eyes.get_or_insert(Going::new(span));
            if let Some(wait) = self.stretch(engine, Which::Looked, now, cost).await? {
                return Ok(Some(wait));
            }
            if self.looked.now().number != self.look {
                // Somebody looks elsewhere; what came stays.
                return Ok(Some(BREATH));
            }
            self.before_eyes = None;
            self.looking.pop_front();
            if self.looking.is_empty() {
                self.progress(now, 1);
            }
        }
        Ok(None)
    }

    fn progress(&mut self, at: Stamp, done: u64) {
        self.facts.push(Fact::Progress(Progress { at, what: LOOKING.into(), done, of: 1 }));
    }

    /// Every line of the stretch was handed over.
    fn hold(&mut self, which: Which, span: Span) {
        if span.from >= span.to {
            return;
        }
        self.held.add(span);
        if matches!(which, Which::Looked) {
            // What was said to be lost of it is lost no more.
            self.facts.push(Fact::Fetched(Fetched { what: LINES.to_owned(), span }));
            let held = &self.held;
            // The first of them may be under way.
            let under_way = usize::from(self.oldest.is_some());
            let mut place = 0;
            self.past.retain(|s| {
                place += 1;
                place <= under_way || !held.missing(*s).is_empty()
            });
        }
    }

    /// Whether one more request fits into this round; else how long to wait.
    fn may_ask(&mut self, cost: &Cost) -> Result<(), Lapse> {
        if cost.requests >= REQUESTS { Err(BREATH) } else { self.allowance.take() }
    }

    fn going(&mut self, which: Which) -> Option<&mut Going> {
        match which {
            Which::Newest => self.newest.as_mut(),
            Which::Past => self.oldest.as_mut(),
            Which::Looked => self.before_eyes.as_mut(),
        }
    }

    /// After a long silence the newest lines come first, and what was missed is a part of the past.
    fn fall_behind(&mut self, now: Stamp) {
        let recent = now - self.server.window;
        if self.until < recent {
            let missed = Span::new(self.until - self.server.late, recent);
            for span in for_lines(&[missed], self.server.window).into_iter().rev() {
                self.past.push_front(span);
            }
            self.until = recent;
            (self.newest, self.oldest) = (None, None);
        }
    }

    fn is_behind(&self, now: Stamp) -> bool {
        !self.past.is_empty() || self.counting.is_behind(now)
    }

    /// Lines of a stretch, page by page. Gives how long to wait when nothing more may be asked before its end.
    async fn stretch<E: LogEngine>(
        &mut self,
        engine: &E,
        which: Which,
        now: Stamp,
        cost: &mut Cost,
    ) -> Result<Option<Lapse>, No> {
        let (mut restarts, mut idle) = (0_u32, 0_u32);
        if self.shrunk.is_some_and(|at| now.since(at) > GROWN) {
            // Long lines come in bursts.
            (self.page, self.shrunk) = (self.server.page, None);
        }
        while let Some(Going { span, from, cursor, taken }) = self.going(which).cloned().filter(|g| g.from < g.span.to)
        {
            if matches!(which, Which::Looked) && self.looked.now().number != self.look {
                return Ok(None);
            }
            if let Err(wait) = self.may_ask(cost) {
                return Ok(Some(wait));
            }
            let ask = Ask { span: Span::new(from, span.to), cursor: cursor.clone(), limit: self.page, near: now };
            let page = match engine.lines(&ask, cost).await {
                Ok(page) => page,
                // What is refused with a cursor may be fine without it.
                Err(No::Cursor(_) | No::Question(_)) if cursor.is_some() && restarts < RESTARTS => {
                    restarts += 1;
                    self.go_on(which, |g| g.cursor = None);
                    continue;
                }
                Err(No::Amount(_)) if self.page > LEAST_PAGE => {
                    self.page = (self.page / 2).max(LEAST_PAGE);
                    self.shrunk = Some(now);
                    continue;
                }
                Err(no) => return Err(no),
            };
            let taken = taken.saturating_add(u32::try_from(page.lines.len()).unwrap_or(u32::MAX));
            let news = self.keep(&page, now);
            idle = if news == 0 { idle + 1 } else { 0 };
            if let Some(says) = &page.missing {
                self.miss(span, says.clone());
            }
            let Some(next) = page.next else {
                if page.missing.is_none() {
                    self.hold(which, span);
                }
                return Ok(None);
            };
            if news == 0 && (cursor.as_ref() == Some(&next) || idle >= IDLE) {
                self.miss(span, format!("{} goes on with pages that have nothing new", engine.name()));
                return Ok(None);
            }
            if taken >= self.server.most {
                let of = page.total.map_or_else(String::new, |n| format!(" of {n}"));
                self.sampled = true;
                // What was fetched reaches up to the last line; from there on nothing is known.
                let last = page.lines.last().map_or(from, |(_, l)| l.at).clamp(span.from, span.to);
                self.hold(which, Span::new(span.from, last));
                // The rest may be looked at later: the lines of the instant at the edge come again then.
                page.lines.iter().filter(|(_, l)| l.at == last).for_each(|(_, l)| self.known.add(l));
                self.miss(
                    Span::new(last, span.to),
                    format!("the first {taken} lines{of} were fetched, which is most_lines; the rest is only counted"),
                );
                return Ok(None);
            }
            self.go_on(which, |g| {
                g.from = page.reached.map_or(g.from, |r| r.clamp(g.from, g.span.to));
                (g.cursor, g.taken) = (Some(next), taken);
            });
        }
        Ok(None)
    }

    fn go_on(&mut self, which: Which, how: impl FnOnce(&mut Going)) {
        if let Some(going) = self.going(which) {
            how(going);
        }
    }

    /// Keeps what is new; says how many lines had not been seen.
    fn keep(&mut self, page: &Page, now: Stamp) -> usize {
        let mut news = 0;
        for (key, line) in &page.lines {
            if self.seen.insert(*key, now).is_some() {
                continue;
            }
            news += 1;
            if !self.known.take(line) {
                self.fresh.push(line.clone());
            }
        }
        if page.undated > 0 {
            self.missing.get_or_insert(format!("{} rows have no time that is understood", page.undated));
        }
        news
    }

    fn miss(&mut self, span: Span, says: String) {
        let utc = crate::model::Zone::utc();
        let says = format!("{says} ({}–{} UTC)", utc.format(span.from, "%H:%M:%S"), utc.format(span.to, "%H:%M:%S"));
        let known = self.facts.iter().any(|f| matches!(f, Fact::Loss(l) if l.span == span && l.says.raw() == says));
        if !known {
            self.facts.push(Fact::Loss(Loss { span, says: says.as_str().into() }));
        }
        self.missing.get_or_insert(says);
    }

    /// Counts what is due, the newest first.
    async fn count<E: LogEngine>(&mut self, engine: &E, now: Stamp, cost: &mut Cost) -> Result<Option<Lapse>, No> {
        let pause = if self.past.is_empty() { STEP } else { STEP.times(2) };
        self.counting.become_due(now, self.server.late, pause);
        while let Some((i, span, newest)) = self.counting.next(now) {
            let Some(counter) = self.server.counters.get(i).cloned() else { break };
            if let Err(wait) = self.may_ask(cost) {
                return Ok(Some(wait));
            }
            match engine.counts(&counter, span, cost).await {
                Ok(counts) => {
                    self.counting.done(i, newest);
                    self.facts.extend(self.cards.counts(engine.name(), &counter, &counts));
                }
                Err(No::Amount(_)) if span.length() > LEAST_COUNTED => self.counting.halve(i, span, newest),
                Err(No::Question(condition) | No::Amount(condition)) => {
                    self.counting.refuse(i, now, condition);
                }
                Err(no) => return Err(no),
            }
        }
        Ok(None)
    }

    /// Everything that waits.
    fn hand_over(&mut self, engine: &str, now: Stamp) -> Vec<Fact> {
        if now.since(self.tidied) > STEP {
            self.tidied = now;
            let old = self.idle - REMEMBERED.max(self.server.interval.times(8)).max(self.server.late.times(4));
            self.seen.retain(|_, last| *last >= old);
        }
        if !self.fresh.is_empty() {
            let counted = if self.sampled { Counted::Sample } else { Counted::Lines };
            self.facts.extend(self.cards.lines(engine, counted));
            let mut lines = std::mem::take(&mut self.fresh);
            lines.sort_by_key(|l| l.at);
            self.facts.push(Fact::Lines(lines));
        }
        std::mem::take(&mut self.facts)
    }

    fn condition(&self, engine: &str) -> Condition {
        if let Some((i, condition)) = self.counting.refused() {
            let name = self.server.counters.get(i).map_or("", |c| c.name.as_str());
            let says = format!("the count {name} is refused: {}", condition.says.raw());
            return Condition { says: says.into(), ..Condition::late("partly", "", condition.remedy.raw()) };
        }
        if let Some(says) = &self.missing {
            let remedy = "Narrow query in its [[log_server]], or raise most_lines.";
            return Condition::late("partly", says.clone(), remedy);
        }
        let (lines, counts) = (self.past.len(), self.counting.left());
        if lines + counts > 0 {
            let says = format!("{lines} stretches of the past are still to be fetched, {counts} to be counted");
            return Condition::late("reading", says, "");
        }
        // The same words as long as nothing changes: health is told when it does.
        let fetched = if self.sampled { "lines are a sample of all" } else { "all lines are fetched" };
        let by = if self.counting.is_empty() { "counted from them" } else { "counts are the engine's own" };
        let says = format!("{engine} answers; {fetched}; {by}");
        Condition { says: says.into(), ..Condition::well() }
    }
}

/// One asker of a desk.
#[derive(Debug)]
pub struct Asker<E>(pub Arc<Mutex<Desk<E>>>);

impl<E: LogEngine> Poll for Asker<E> {
    async fn poll(&mut self) -> Result<Round, Failure> {
        self.0.lock().await.round().await
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
