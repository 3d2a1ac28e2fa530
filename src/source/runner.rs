//! One task for each source: interval, deadline, backoff with jitter, sequence numbers, health.
//!
//! A source only knows how to ask once ([`Poll`]). When it is asked, how long an answer may take, what
//! follows a failure or a panic, and how all of it becomes facts is decided here, the same for all of
//! them. Knows no database, no file and no screen; waiting is tokio's time, so tests can turn its clock.

use crate::model::health::{Cost, Health, State};
use crate::model::{Batch, Fact, Lapse, SourceName, Untrusted};
use crate::source::clock::Clock;
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Where a source hands over what it learned: numbered batches into a bounded channel. A full channel
/// slows the source; nothing is dropped.
#[derive(Debug)]
pub struct Outlet {
    source: SourceName,
    seq: u64,
    to: mpsc::Sender<Batch>,
    clock: Clock,
}

/// Nobody listens any more: the program is ending.
#[derive(Debug, thiserror::Error)]
#[error("the program is ending")]
pub struct Closed;

impl Outlet {
    /// An outlet for one source.
    pub fn new(source: SourceName, to: mpsc::Sender<Batch>) -> Self {
        Self::timed(source, to, Clock::wall())
    }
    /// The same by another clock than the wall's.
    pub fn timed(source: SourceName, to: mpsc::Sender<Batch>, clock: Clock) -> Self {
        Self { source, seq: 0, to, clock }
    }
    /// Whose it is.
    pub fn source(&self) -> &SourceName {
        &self.source
    }
    /// Hands over facts as one batch, seen now. Waits while the channel is full.
    pub async fn emit(&mut self, facts: Vec<Fact>) -> Result<(), Closed> {
        if facts.is_empty() {
            return Ok(());
        }
        self.seq += 1;
        let batch = Batch { source: self.source.clone(), seq: self.seq, seen: self.clock.now(), facts };
        self.to.send(batch).await.map_err(|_| Closed)
    }
}

/// What a source does when its time has come.
pub trait Poll: Send + 'static {
    /// Asks once. The future may be dropped at any point (deadline, end of the program): a source that
    /// holds a connection takes it out of itself first and puts it back when the answer is complete.
    fn poll(&mut self) -> impl Future<Output = Result<Round, Failure>> + Send;
}

/// How a source finds itself: a [`Health`] without its times, which the runner adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The state.
    pub state: State,
    /// Beside the dot, at most 12 cells.
    pub code: String,
    /// A sentence.
    pub says: Untrusted,
    /// What a person can do.
    pub remedy: Untrusted,
}

impl Condition {
    /// All is well.
    pub fn well() -> Self {
        Self { state: State::Well, code: String::new(), says: Untrusted::default(), remedy: Untrusted::default() }
    }
    /// Answers, but not as it should.
    pub fn late(code: impl Into<String>, says: impl Into<Untrusted>, remedy: impl Into<Untrusted>) -> Self {
        Self { state: State::Late, code: code.into(), says: says.into(), remedy: remedy.into() }
    }
    /// Does not answer.
    pub fn down(code: impl Into<String>, says: impl Into<Untrusted>, remedy: impl Into<Untrusted>) -> Self {
        Self { state: State::Down, code: code.into(), says: says.into(), remedy: remedy.into() }
    }
}

/// When a source wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// After its interval, stretched when the round took long.
    Interval,
    /// After this long: a source with a schedule of its own, or one that has more to hand over.
    After(Lapse),
}

/// A round that was answered.
#[derive(Clone, Debug)]
pub struct Round {
    /// What was learned.
    pub facts: Vec<Fact>,
    /// What it cost; the runner adds `at` and `took`, and the interval where that is zero. `None` for a
    /// glance that is not worth recording (a file that did not grow).
    pub cost: Option<Cost>,
    /// How the source is: well, or answering partly.
    pub condition: Condition,
    /// When it wants to be asked again.
    pub next: Next,
}

/// A failed round.
#[derive(Clone, Debug)]
pub struct Failure {
    /// How the source is now, in words with the remedy.
    pub condition: Condition,
    /// Facts that are worth keeping all the same.
    pub facts: Vec<Fact>,
    /// What it cost all the same.
    pub cost: Option<Cost>,
    /// Wait at least this long before the next attempt.
    pub wait: Lapse,
}

/// How a source is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub name: SourceName,
    /// How often it is asked.
    pub interval: Lapse,
    /// How long one round may take before it is given up.
    pub deadline: Lapse,
    /// Shortest time between two attempts after a failure.
    pub floor: Lapse,
    /// What it is doing until the first answer: `connecting`.
    pub doing: &'static str,
}

/// Shortest time between two rounds, however often somebody asks for one now.
pub const LEAST_GAP: Lapse = Lapse::seconds(1);
/// Longest wait between two attempts.
const LONGEST_WAIT: Lapse = Lapse::seconds(60);
/// A source never slows itself down further than this many of its intervals.
const MOST_STRETCH: i64 = 20;

/// An interval that stretches while rounds take more than a tenth of it, and shrinks again by halves.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    configured: Lapse,
    current: Lapse,
}

impl Pace {
    /// Starts at the configured interval.
    pub const fn new(configured: Lapse) -> Self {
        Self { configured, current: configured }
    }
    /// The interval in force.
    pub const fn current(&self) -> Lapse {
        self.current
    }
    /// Learns how long a round took.
    pub fn took(&mut self, took: Lapse) {
        let need = took.times(10).min(self.configured.times(MOST_STRETCH));
        let shrunk = Lapse(self.current.0 / 2).max(self.configured);
        self.current = need.max(shrunk.min(self.current));
    }
}

/// Waits that grow with every failure: the floor, plus a random part of a range that doubles ("full
/// jitter"), so that many who lost the same server do not return at once.
#[derive(Debug)]
struct Backoff {
    floor: Lapse,
    failures: u32,
}

impl Backoff {
    fn wait(&mut self, least: Lapse) -> Lapse {
        let range = self.floor.times(1_i64 << self.failures.min(16)).min(LONGEST_WAIT - self.floor);
        self.failures = self.failures.saturating_add(1);
        (self.floor + Lapse(fastrand::i64(0..=range.0.max(0)))).max(least)
    }
}

/// A running source.
#[derive(Debug)]
pub struct Handle {
    /// Its name.
    pub name: SourceName,
    ask: Arc<Notify>,
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Handle {
    /// Asks it now, or as soon as its manners allow; several requests are one.
    pub fn refresh(&self) {
        self.ask.notify_one();
    }
    /// Has it look again at what is due, without asking for more than that.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
    /// Waits until it has ended after a cancellation.
    pub async fn ended(self) {
        let _ = self.task.await;
    }
}

/// Starts a source. `make` builds it, again after a panic.
pub fn spawn<P: Poll>(
    plan: Plan,
    make: impl FnMut() -> P + Send + 'static,
    to: mpsc::Sender<Batch>,
    cancel: CancellationToken,
) -> Handle {
    spawn_by(plan, Clock::wall(), make, to, cancel)
}

/// The same for a source of a world with a clock of its own.
pub fn spawn_by<P: Poll>(
    plan: Plan,
    clock: Clock,
    make: impl FnMut() -> P + Send + 'static,
    to: mpsc::Sender<Batch>,
    cancel: CancellationToken,
) -> Handle {
    let (ask, wake) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let name = plan.name.clone();
    let runner = Runner {
        outlet: Outlet::timed(name.clone(), to, clock),
        pace: Pace::new(plan.interval),
        backoff: Backoff { floor: plan.floor, failures: 0 },
        told: None,
        ask: Arc::clone(&ask),
        wake: Arc::clone(&wake),
        plan,
    };
    let task = tokio::spawn(async move {
        // Cancellation wins over everything, a full channel included.
        let _ = cancel.run_until_cancelled(runner.run(make)).await;
    });
    Handle { name, ask, wake, task }
}

struct Runner {
    plan: Plan,
    outlet: Outlet,
    pace: Pace,
    backoff: Backoff,
    told: Option<Health>,
    ask: Arc<Notify>,
    wake: Arc<Notify>,
}

/// How one round ended.
enum Outcome {
    Answered(Round),
    Failed(Failure),
    /// No answer within the deadline.
    Overdue,
    Panicked,
}

impl Runner {
    async fn run<P: Poll>(mut self, mut make: impl FnMut() -> P) -> Result<(), Closed> {
        let connecting = Condition::late(self.plan.doing, format!("{}: {}", self.outlet.source(), self.plan.doing), "");
        let first = self.health(connecting, None);
        self.outlet.emit(first.into_iter().collect()).await?;
        let mut source = make();
        loop {
            let begun = Instant::now();
            let deadline = self.plan.deadline.to_std();
            let outcome = match timeout(deadline, AssertUnwindSafe(source.poll()).catch_unwind()).await {
                Ok(Ok(Ok(round))) => Outcome::Answered(round),
                Ok(Ok(Err(failure))) => Outcome::Failed(failure),
                Ok(Err(_panic)) => Outcome::Panicked,
                Err(_elapsed) => Outcome::Overdue,
            };
            if matches!(outcome, Outcome::Panicked) {
                source = make();
            }
            let (wait, gap) = self.settle(outcome, begun).await?;
            self.rest(begun, wait, gap).await;
        }
    }

    /// Turns an outcome into facts; gives the wait until the next round and the least gap since the
    /// beginning of this one that a request for a round now must respect.
    async fn settle(&mut self, outcome: Outcome, begun: Instant) -> Result<(Lapse, Lapse), Closed> {
        let took = lapse(begun.elapsed());
        let failed = !matches!(outcome, Outcome::Answered(_));
        let (facts, cost, condition, wait, gap) = match outcome {
            Outcome::Answered(round) => {
                self.backoff.failures = 0;
                let wait = match round.next {
                    Next::After(wait) => wait,
                    Next::Interval => {
                        self.pace.took(took);
                        self.pace.current()
                    }
                };
                (round.facts, round.cost, round.condition, wait, LEAST_GAP)
            }
            Outcome::Failed(f) => (f.facts, f.cost, f.condition, self.backoff.wait(f.wait), self.plan.floor),
            Outcome::Overdue => {
                (Vec::new(), Some(failed_once()), self.overdue(), self.backoff.wait(Lapse::ZERO), self.plan.floor)
            }
            Outcome::Panicked => {
                (Vec::new(), Some(failed_once()), self.crashed(), self.backoff.wait(Lapse::ZERO), self.plan.floor)
            }
        };
        let next = (condition.state == State::Down || failed).then_some(wait);
        let mut facts = facts;
        facts.extend(self.health(condition, next));
        facts.extend(cost.map(|cost| self.priced(cost, took)));
        self.outlet.emit(facts).await?;
        Ok((wait, gap))
    }

    /// Sleeps until the next round is due, or until somebody asks and the gap is over.
    async fn rest(&self, begun: Instant, wait: Lapse, gap: Lapse) {
        let due = Instant::now() + wait.to_std();
        tokio::select! {
            () = sleep_until(due) => {}
            // A server that failed is left alone all the same.
            () = self.wake.notified() => {
                let gap = if gap > LEAST_GAP { gap } else { Lapse::ZERO };
                sleep_until(due.min(begun + gap.to_std())).await;
            }
            () = self.ask.notified() => sleep_until(due.min(begun + gap.to_std())).await,
        }
    }

    /// A health fact, when it says something new.
    fn health(&mut self, condition: Condition, next: Option<Lapse>) -> Option<Fact> {
        let Condition { state, code, says, remedy } = condition;
        let at = self.outlet.clock.now();
        let same = self.told.as_ref().is_some_and(|t| {
            (t.state, &t.code, &t.says, &t.remedy) == (state, &code, &says, &remedy)
                && t.next.is_none()
                && next.is_none()
        });
        if same {
            return None;
        }
        let health = Health { at, state, code, says, remedy, next: next.map(|wait| at + wait) };
        self.told = Some(health.clone());
        Some(Fact::Health(health))
    }

    fn priced(&self, mut cost: Cost, took: Lapse) -> Fact {
        cost.at = self.outlet.clock.now();
        if cost.took == Lapse::ZERO {
            cost.took = took;
        }
        if cost.interval == Lapse::ZERO {
            cost.interval = self.pace.current();
        }
        Fact::Cost(cost)
    }

    fn overdue(&self) -> Condition {
        let seconds = self.plan.deadline.whole_seconds();
        Condition::down("no answer", format!("{} gave no answer within {seconds} s", self.outlet.source()), "")
    }

    fn crashed(&self) -> Condition {
        let says = format!("the part of warroom that watches {} crashed and was restarted", self.outlet.source());
        Condition::down("crashed", says, "Please report it with warroom's own log file; the other sources go on.")
    }
}

fn failed_once() -> Cost {
    Cost { requests: 1, failed: 1, ..Cost::default() }
}

/// A standard duration as ours.
pub fn lapse(d: std::time::Duration) -> Lapse {
    Lapse(i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
