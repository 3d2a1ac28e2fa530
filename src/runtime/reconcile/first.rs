//! The first orders of some classes, as soon as they are found: page by page, each page's payments and records
//! asked for by name before the next. For somebody who waits for a list to begin.

use crate::analysis::reconcile::class::Class;
use crate::analysis::reconcile::day::Answers;
use crate::config::QueryMode;
use crate::model::Span;
use crate::model::order::{OrderId, Role, Rows};
use crate::runtime::reconcile::engine::{Lister, Outcome};
use crate::runtime::reconcile::intake::Intake;
use crate::runtime::reconcile::pass::{Broke, Found, Pass, Setting};
use crate::runtime::reconcile::plan::{Job, Lines};
use crate::runtime::reconcile::walks::{Ended, Reached, Reading, count, disk};
use crate::source::orders::bulk::{ById, Halt, Line, MOST_IDS, Walk};
use crate::spill::BINS;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The roles that are asked by name, in this order: payments bring references.
const NAMED: [Role; 3] = [Role::Payments, Role::HoPayments, Role::Callbacks];

/// Whether there is a way: everything that is configured can be asked by name.
pub fn possible(job: &Job) -> bool {
    let roles = [Role::Payments, Role::HoPayments];
    roles.iter().all(|r| job.has(*r, QueryMode::Ids)) && job.queries(Role::Orders, QueryMode::Window).count() == 1
}

/// Something that is asked by name.
struct Named {
    query: ById,
    line: Arc<Mutex<Line>>,
    reached: Reached,
}

/// Finds at least `enough` orders of the job's classes, if there are so many.
pub async fn first(job: &Job, enough: usize) -> Result<Outcome, Ended> {
    let lines = job.lines();
    let result = find(job, &lines, enough).await;
    for line in lines.values() {
        line.lock().await.close().await;
    }
    result
}

async fn find(job: &Job, lines: &Lines, enough: usize) -> Result<Outcome, Ended> {
    job.progress.doing("looking for the first");
    let query = job.queries(Role::Orders, QueryMode::Window).next();
    let Some((query, line)) = query.and_then(|q| Some((q, lines.get(&q.db)?))) else {
        return Err(Ended::Broken("no query of the orders is configured".to_owned()));
    };
    let mut reached = Reached::nothing(query, job.window.from);
    let mut walk = match Walk::new(query.clone(), job.window) {
        Ok(walk) => walk.small(MOST_IDS as u32),
        Err(Halt::Cancelled) => return Err(Ended::Cancelled),
        Err(Halt::Failed(condition)) => return Err(Ended::Broken(condition.says.raw().to_owned())),
    };
    let mut named = Vec::new();
    for role in NAMED {
        for q in job.queries(role, QueryMode::Ids) {
            if let (Some(line), Ok(query)) = (lines.get(&q.db), ById::new(q.clone())) {
                named.push(Named { query, line: Arc::clone(line), reached: Reached::nothing(q, job.window.from) });
            }
        }
    }
    let list = Lister::new(job);
    let mut outcome = Outcome::nothing(job);
    while list.listed() < enough as u64 {
        let mut rows = Intake::new(&job.folder, job.room / 4);
        let mut reading = Reading::new(&rows.turns, true);
        match walk.next(line, &mut reading).await {
            Ok(Some(page)) => {
                let ids = reading.names.unwrap_or_default();
                job.progress.page(Role::Orders, ids.len(), Some(page.upto));
                reached.answered(page.asof, ids.len() as u64, page.unknown);
                let span = Span { from: job.window.from, to: page.upto };
                let mut answers = Answers::default();
                answers.window(Role::Orders, job.window, page.asof);
                rows.put(&reading.parcel).map_err(|e| disk(job, &e))?;
                ask(job, &ids, &mut named, &mut rows, &mut answers).await?;
                reached.upto = span.to;
                compare(job, rows, &answers, &list, &mut outcome)?;
            }
            Ok(None) => break,
            Err(Halt::Cancelled) => return Err(Ended::Cancelled),
            Err(Halt::Failed(condition)) => {
                reached.failed = Some(condition);
                break;
            }
        }
    }
    outcome.window.to = reached.upto.max(job.window.from);
    outcome.list = list.finish().map_err(|e| disk(job, &e))?;
    outcome.covered(job, [reached].into_iter().chain(named.into_iter().map(|n| n.reached)).collect());
    Ok(outcome)
}

async fn ask(
    job: &Job,
    ids: &[OrderId],
    named: &mut [Named],
    rows: &mut Intake,
    answers: &mut Answers,
) -> Result<(), Ended> {
    let whole = Span { from: job.window.from, to: job.span(Role::Payments).to };
    for chunk in ids.chunks(MOST_IDS) {
        let mut refs: Vec<Arc<str>> = Vec::new();
        for n in &mut *named {
            let role = n.query.role();
            if n.query.by_refs() && refs.is_empty() {
                answers.window(role, whole, answers.asof(Role::Payments).unwrap_or(job.window.from));
                continue;
            }
            match n.query.rows(&n.line, chunk, &refs).await {
                Ok(page) => {
                    job.progress.page(role, count(&page.rows), None);
                    if let Rows::Payments(payments) = &page.rows {
                        refs.extend(payments.iter().map(|p| p.upg_ref.clone()));
                    }
                    answers.window(role, whole, page.asof);
                    n.reached.answered(page.asof, count(&page.rows) as u64, page.unknown);
                    n.reached.asked += chunk.len() as u64;
                    rows.take(&page.rows).map_err(|e| disk(job, &e))?;
                }
                Err(Halt::Cancelled) => return Err(Ended::Cancelled),
                Err(Halt::Failed(condition)) => {
                    answers.silent(role);
                    n.reached.failed = Some(condition);
                }
            }
        }
    }
    Ok(())
}

fn compare(job: &Job, rows: Intake, answers: &Answers, list: &Lister, outcome: &mut Outcome) -> Result<(), Ended> {
    let taken = rows.finish(None).map_err(|e| disk(job, &e))?;
    let rules = &job.config.incident.rules;
    let setting = Setting { answers, rules, window: job.window, cancel: &job.cancel };
    let day = std::mem::take(&mut outcome.day);
    let mut pass = Pass::new(setting, day, None, |f: &Found<'_>| list.take(f, rules));
    pass.over(&taken, 0..BINS, job.room).map_err(|e| match e {
        Broke::Cancelled => Ended::Cancelled,
        Broke::Disk(e) => disk(job, &e),
    })?;
    let Pass { day, again, .. } = pass;
    outcome.day = day;
    outcome.again.add(&again);
    outcome.read.add(&taken.read);
    outcome.unplaced.add(&taken.unplaced);
    Ok(())
}

/// The classes that are a fault: what somebody wants to see first.
pub fn faults() -> Vec<Class> {
    crate::analysis::reconcile::CLASSES.iter().filter(|c| !c.fine).map(|c| c.class).collect()
}
