//! A reconciliation from the first page to the last sum: windows, a pass over all orders, the late ones by
//! name, a pass over those.

use crate::analysis::reconcile::class::Class;
use crate::analysis::reconcile::day::{Answers, Day, Ledgers};
use crate::model::incident::Rules;
use crate::model::order::Role;
use crate::model::{Span, Stamp, Zone};
use crate::runtime::reconcile::intake::Taken;
use crate::runtime::reconcile::late::Late;
use crate::runtime::reconcile::list::Line as Listed;
use crate::runtime::reconcile::pass::{Asks, Broke, Found, Pass, Setting};
use crate::runtime::reconcile::plan::{Job, ROLES};
use crate::runtime::reconcile::walks::{Ended, Reached, disk, walk};
use crate::spill::{BINS, Sorted, Sorter};
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a role contributed.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// The role.
    pub role: Role,
    /// The window of its own time that was read, if one was.
    pub span: Option<Span>,
    /// The query, with its rows and its failure.
    pub reached: Reached,
}

/// The result.
#[derive(Debug)]
pub struct Outcome {
    /// The window.
    pub window: Span,
    /// The counts.
    pub day: Day,
    /// As of when everything is at least: the oldest of the answers.
    pub asof: Option<Stamp>,
    /// What each query contributed.
    pub coverage: Vec<Coverage>,
    /// Everything that was read.
    pub read: Ledgers,
    /// Rows that came more than once.
    pub again: Ledgers,
    /// Rows no order can be named for.
    pub unplaced: Ledgers,
    /// Roles without a query.
    pub absent: Vec<Role>,
    /// What does not add up.
    pub broken: Option<String>,
    /// The orders of the classes that were to be listed, by birth.
    pub list: Option<Sorted>,
}

impl Outcome {
    /// Nothing was read yet.
    pub fn nothing(job: &Job) -> Self {
        let absent = [Role::Orders, Role::Payments, Role::HoPayments];
        let absent = absent.into_iter().filter(|r| job.config.queries.iter().all(|q| q.role != *r)).collect();
        Self {
            window: job.window,
            day: Day::default(),
            asof: None,
            coverage: Vec::new(),
            read: Ledgers::default(),
            again: Ledgers::default(),
            unplaced: Ledgers::default(),
            absent,
            broken: None,
            list: None,
        }
    }

    /// Everything has been read.
    pub fn covered(&mut self, job: &Job, reached: Vec<Reached>) {
        self.broken = self.day.broken(&self.read, &self.again, &self.unplaced);
        self.asof = reached.iter().filter_map(|r| r.asof).min();
        let covered = reached.into_iter().map(|reached| {
            let span = Span { from: job.window.from, to: reached.upto };
            let span = (reached.asked == 0 && reached.asof.is_some()).then_some(span);
            Coverage { role: reached.role, span, reached }
        });
        self.coverage = covered.collect();
        self.coverage.sort_by_key(|c| ROLES.iter().position(|r| *r == c.role));
    }

    /// Whether everything that was asked has answered, and adds up.
    pub fn whole(&self) -> bool {
        self.broken.is_none() && self.absent.is_empty() && self.coverage.iter().all(|c| c.reached.failed.is_none())
    }
}

/// Memory for the orders that are asked for by name, and for the list.
const LESS: usize = 4;
/// Threads that compare, at most: each needs memory for a bin.
const MOST_HANDS: usize = 4;

/// Reconciles.
pub async fn run(job: &Job) -> Result<Outcome, Ended> {
    let lines = job.lines();
    let result = with_lines(job, &lines).await;
    for line in lines.values() {
        line.lock().await.close().await;
    }
    result
}

async fn with_lines(job: &Job, lines: &super::plan::Lines) -> Result<Outcome, Ended> {
    let (intake, walked) = walk(job, lines).await?;
    let mut answers = answers(job, &walked);
    let window = answers.span(Role::Orders).map_or(job.window, |s| Span { from: s.from, to: s.to.min(job.window.to) });
    let mut late = Late::new(job, lines, &walked);
    let able = late.able(job);

    job.progress.doing("comparing");
    let list = Lister::new(job);
    let asks = Asks::new(&job.folder, job.room / LESS, able);
    let (taken, mut compared, list) = {
        let (job, answers, asks) = (job.clone(), answers.clone(), asks.clone());
        blocking(move || {
            let taken = intake.finish(None).map_err(|e| disk(&job, &e))?;
            let compared = compare(&job, &answers, window, &taken, Some(&asks), &list)?;
            Ok((taken, compared, list))
        })
        .await?
    };
    let (mut read, mut unplaced) = (taken.read, taken.unplaced);
    let (mut rows, asked) = asks.finish().map_err(|e| disk(job, &e))?;
    if able != 0 {
        late.ask(job, &asked, &mut rows, &mut answers).await?;
    }
    let (second, more, list) = {
        let (job, answers) = (job.clone(), answers.clone());
        blocking(move || {
            let second = rows.finish(Some(&taken)).map_err(|e| disk(&job, &e))?;
            let more = compare(&job, &answers, window, &second, None, &list)?;
            Ok((second, more, list))
        })
        .await?
    };
    compared.add(&more);
    read.add(&second.read);
    unplaced.add(&second.unplaced);
    let Compared { day, again } = compared;
    let mut outcome = Outcome { day, read, again, unplaced, ..Outcome::nothing(job) };
    outcome.list = list.finish().map_err(|e| disk(job, &e))?;
    outcome.covered(job, walked.into_iter().chain(late.reached()).collect());
    Ok(outcome)
}

/// Orders counted, and their rows that came more than once.
#[derive(Default)]
struct Compared {
    day: Day,
    again: Ledgers,
}

impl Compared {
    fn add(&mut self, other: &Self) {
        self.day.merge(&other.day);
        self.again.add(&other.again);
    }
}

/// Goes over all orders, bin by bin, with as many hands as there are.
fn compare(
    job: &Job,
    answers: &Answers,
    window: Span,
    taken: &Taken,
    asks: Option<&Asks>,
    list: &Lister,
) -> Result<Compared, Ended> {
    let hands = std::thread::available_parallelism().map_or(1, NonZero::get).clamp(1, MOST_HANDS);
    let rules = &job.config.incident.rules;
    let next = AtomicUsize::new(0);
    let work = || {
        let bins = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|bin| *bin < BINS));
        let setting = Setting { answers, rules, window, cancel: &job.cancel };
        let mut pass = Pass::new(setting, Day::default(), asks.cloned(), |f: &Found<'_>| list.take(f, rules));
        pass.over(taken, bins, job.room / 2 / hands).map_err(|e| broke(job, e))?;
        Ok(Compared { day: pass.day, again: pass.again })
    };
    let parts: Vec<Result<Compared, Ended>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..hands).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let ended = |_| Err(Ended::Broken("a part of the comparison ended early".to_owned()));
        std::iter::once(mine).chain(others.into_iter().map(|o| o.join().unwrap_or_else(ended))).collect()
    });
    let mut all = Compared::default();
    for part in parts {
        all.add(&part?);
    }
    Ok(all)
}

/// What the windows have told.
fn answers(job: &Job, walked: &[Reached]) -> Answers {
    let mut answers = Answers::default();
    for role in ROLES {
        let all: Vec<&Reached> = walked.iter().filter(|r| r.role == role).collect();
        // Of a role that is in several databases, only what all of them have told is known.
        let asof = all.iter().map(|r| r.asof).min().flatten();
        let upto = all.iter().map(|r| r.upto).min();
        if let (Some(asof), Some(upto)) = (asof, upto) {
            answers.window(role, Span { from: job.window.from, to: upto }, asof);
        }
        if all.iter().any(|r| r.failed.is_some()) {
            answers.silent(role);
        }
    }
    answers
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Ended> + Send + 'static) -> Result<T, Ended> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => Err(Ended::Broken(format!("the comparison ended early ({e})"))),
    }
}

fn broke(job: &Job, e: Broke) -> Ended {
    match e {
        Broke::Cancelled => Ended::Cancelled,
        Broke::Disk(e) => disk(job, &e),
    }
}

/// Puts the orders of some classes aside, by birth.
pub struct Lister {
    classes: Option<Vec<Class>>,
    zone: Zone,
    lines: Mutex<Sorter>,
}

impl Lister {
    /// Those of the job's classes.
    pub fn new(job: &Job) -> Self {
        let zone = job.config.incident.zone.clone();
        Self { classes: job.list.clone(), zone, lines: Mutex::new(Sorter::new(&job.folder, job.room / LESS)) }
    }
    /// Takes an order that is of one of them.
    pub fn take(&self, found: &Found<'_>, rules: &Rules) -> io::Result<()> {
        let wanted = self.classes.as_ref().is_some_and(|c| c.is_empty() || c.contains(&found.class));
        if !wanted {
            return Ok(());
        }
        let line = Listed::of(found, rules, &self.zone);
        // By birth, the negative ones first; then by id.
        let rank = (found.facts.born.0 as u64) ^ (1 << 63);
        let line = serde_json::to_vec(&line)?;
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(rank, &line)
    }
    /// How many there are.
    pub fn listed(&self) -> u64 {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).records()
    }
    /// All of them, when a list was wanted.
    pub fn finish(self) -> io::Result<Option<Sorted>> {
        let wanted = self.classes.is_some();
        let lines = self.lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(lines.finish()?).filter(|_| wanted))
    }
}
