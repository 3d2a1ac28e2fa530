//! The first part of a reconciliation: every ledger is read over its window, all databases at the same time.

use crate::config::{QueryConfig, QueryMode};
use crate::model::brief::Brief;
use crate::model::order::{OrderId, Role, Rows};
use crate::model::{Span, Stamp};
use crate::runtime::reconcile::intake::{Intake, each};
use crate::runtime::reconcile::parcel::{Parcel, Turns};
use crate::runtime::reconcile::plan::{Job, Lines, ROLES};
use crate::source::orders::brief::Page;
use crate::source::orders::bulk::{ById, Halt, Line, MOST_IDS, Walk};
use crate::source::runner::Condition;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// Pages between the readers and whoever puts them aside.
const AHEAD: usize = 3;

/// What became of one query.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Its role.
    pub role: Role,
    /// Where it was asked.
    pub db: String,
    /// When the first page was so.
    pub asof: Option<Stamp>,
    /// Up to where in its own time it was read.
    pub upto: Stamp,
    /// Rows that came.
    pub rows: u64,
    /// Orders it was asked about by name.
    pub asked: u64,
    /// Why it was not read to its end.
    pub failed: Option<Condition>,
    /// When it answered last.
    pub last: Option<Stamp>,
    /// Status words nobody mapped.
    pub unknown: BTreeSet<String>,
}

impl Reached {
    /// A query that was not asked yet.
    pub fn nothing(query: &QueryConfig, from: Stamp) -> Self {
        Self {
            role: query.role,
            db: query.db.clone(),
            asof: None,
            upto: from,
            rows: 0,
            asked: 0,
            failed: None,
            last: None,
            unknown: BTreeSet::new(),
        }
    }
    /// An answer has come.
    pub fn answered(&mut self, asof: Stamp, rows: u64, unknown: BTreeSet<String>) {
        self.asof.get_or_insert(asof);
        self.last = Some(asof);
        self.rows += rows;
        self.unknown.extend(unknown);
    }
}

/// Reads all windows.
pub async fn walk(job: &Job, lines: &Lines) -> Result<(Intake, Vec<Reached>), Ended> {
    job.progress.doing("reading");
    let (to, mut parcels) = mpsc::channel::<Parcel>(AHEAD);
    let mut intake = Intake::new(&job.folder, job.room);
    let turns = Arc::clone(&intake.turns);
    let gather = tokio::task::spawn_blocking(move || -> io::Result<Intake> {
        while let Some(parcel) = parcels.blocking_recv() {
            intake.put(&parcel)?;
        }
        Ok(intake)
    });
    let mut walkers = JoinSet::new();
    for role in ROLES.into_iter().filter(|r| job.walks(*r)) {
        for query in job.queries(role, QueryMode::Window) {
            let Some(line) = lines.get(&query.db) else { continue };
            let follow = if role == Role::Orders && job.payments_follow() { followers(job, lines) } else { Vec::new() };
            let to = Desk { turns: Arc::clone(&turns), to: to.clone() };
            walkers.spawn(one(job.clone(), query.clone(), Arc::clone(line), follow, to));
        }
    }
    drop(to);
    let mut reached = Vec::new();
    while let Some(done) = walkers.join_next().await {
        match done {
            Ok(Ok(more)) => reached.extend(more),
            Ok(Err(ended)) => return Err(ended),
            Err(e) => return Err(Ended::Broken(format!("a reader ended early ({e})"))),
        }
    }
    let intake = gather.await.map_err(|e| Ended::Broken(format!("whoever puts rows aside ended early ({e})")))?;
    let intake = intake.map_err(|e| disk(job, &e))?;
    reached.sort_by_key(|r| ROLES.iter().position(|role| *role == r.role));
    Ok((intake, merged(reached)))
}

/// The payments of several parts of the orders are one query.
fn merged(all: Vec<Reached>) -> Vec<Reached> {
    let mut out: BTreeMap<(usize, String, bool), Reached> = BTreeMap::new();
    for r in all {
        let place = ROLES.iter().position(|role| *role == r.role).unwrap_or_default();
        match out.entry((place, r.db.clone(), r.asked > 0)) {
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(r);
            }
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.asof = known.asof.into_iter().chain(r.asof).min();
                known.last = known.last.max(r.last);
                known.upto = known.upto.min(r.upto);
                known.rows += r.rows;
                known.asked += r.asked;
                known.failed = known.failed.take().or(r.failed);
                known.unknown.extend(r.unknown);
            }
        }
    }
    out.into_values().collect()
}

/// Why a reconciliation has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Somebody wanted it to stop.
    Cancelled,
    /// It could not go on: a sentence with the remedy.
    Broken(String),
}

/// The disk did not take the rows.
pub fn disk(job: &Job, e: &io::Error) -> Ended {
    let folder = job.folder.display();
    Ended::Broken(match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!(
                "the disk of {folder} is full: a million orders need about 400 MiB there; set TMPDIR to a larger one"
            )
        }
        _ => format!("rows cannot be put aside in {folder} ({e}); set TMPDIR to a folder that can be written"),
    })
}

/// Where readers hand in what they have read.
struct Desk {
    turns: Turns,
    to: mpsc::Sender<Parcel>,
}

/// A page as it comes in, with the names of its orders where somebody is asked about each.
pub struct Reading {
    /// Its rows.
    pub parcel: Parcel,
    /// Their names.
    pub names: Option<Vec<OrderId>>,
}

impl Reading {
    /// Nothing yet; `named`: somebody is asked about each.
    pub fn new(turns: &Turns, named: bool) -> Self {
        Self { parcel: Parcel::new(turns), names: named.then(Vec::new) }
    }
}

impl Page for Reading {
    fn begin(&mut self) {
        self.parcel.clear();
        if let Some(names) = &mut self.names {
            names.clear();
        }
    }
    fn row(&mut self, row: &Brief<'_>) {
        if let (Some(names), Brief::Order(order)) = (&mut self.names, row) {
            names.push(order.order_id.into());
        }
        self.parcel.take(row);
    }
}

/// A query that is asked about every order that comes by.
struct Follower {
    query: ById,
    line: Arc<Mutex<Line>>,
    reached: Reached,
}

fn followers(job: &Job, lines: &Lines) -> Vec<Follower> {
    let make = |q: &QueryConfig| {
        let line = Arc::clone(lines.get(&q.db)?);
        let reached = Reached::nothing(q, job.window.from);
        Some((ById::new(q.clone()).ok()?, line, reached))
    };
    let all = job.queries(Role::Payments, QueryMode::Ids).filter_map(make);
    all.map(|(query, line, reached)| Follower { query, line, reached }).collect()
}

impl Follower {
    /// Asks about the orders of a page, in chunks.
    async fn ask(&mut self, ids: &[OrderId], upto: Stamp, to: &Desk, job: &Job) -> Result<(), Ended> {
        if self.reached.failed.is_some() {
            return Ok(());
        }
        for chunk in ids.chunks(MOST_IDS) {
            match self.query.rows(&self.line, chunk, &[]).await {
                Ok(page) => {
                    let n = count(&page.rows);
                    job.progress.page(self.query.role(), n, None);
                    self.reached.answered(page.asof, n as u64, page.unknown);
                    self.reached.asked += chunk.len() as u64;
                    // Nobody takes rows any more when the disk is full; that is told elsewhere.
                    let mut parcel = Parcel::new(&to.turns);
                    each(&page.rows, |row| parcel.take(&row));
                    let _ = to.to.send(parcel).await;
                }
                Err(Halt::Cancelled) => return Err(Ended::Cancelled),
                Err(Halt::Failed(condition)) => {
                    self.reached.failed = Some(condition);
                    return Ok(());
                }
            }
        }
        self.reached.upto = upto;
        Ok(())
    }
}

/// One query over its window.
async fn one(
    job: Job,
    query: QueryConfig,
    line: Arc<Mutex<Line>>,
    mut follow: Vec<Follower>,
    to: Desk,
) -> Result<Vec<Reached>, Ended> {
    let span: Span = job.span(query.role);
    let mut reached = Reached::nothing(&query, span.from);
    let mut walk = match Walk::new(query, span) {
        Ok(walk) => walk,
        Err(Halt::Cancelled) => return Err(Ended::Cancelled),
        Err(Halt::Failed(condition)) => {
            reached.failed = Some(condition);
            return Ok(vec![reached]);
        }
    };
    loop {
        let mut reading = Reading::new(&to.turns, !follow.is_empty());
        match walk.next(&line, &mut reading).await {
            Ok(Some(page)) => {
                job.progress.page(walk.role(), page.rows, Some(page.upto));
                reached.answered(page.asof, page.rows as u64, page.unknown);
                if to.to.send(reading.parcel).await.is_err() {
                    // The disk is full; whoever puts rows aside says so.
                    break;
                }
                for follower in &mut follow {
                    follower.ask(reading.names.as_deref().unwrap_or_default(), page.upto, &to, &job).await?;
                }
                reached.upto = page.upto;
            }
            Ok(None) => break,
            Err(Halt::Cancelled) => return Err(Ended::Cancelled),
            Err(Halt::Failed(condition)) => {
                reached.failed = Some(condition);
                break;
            }
        }
    }
    let mut all = vec![reached];
    all.extend(follow.into_iter().map(|f| f.reached));
    Ok(all)
}

/// How many rows.
pub fn count(rows: &Rows) -> usize {
    match rows {
        Rows::Orders(v) => v.len(),
        Rows::OrderEvents(v) => v.len(),
        Rows::Payments(v) => v.len(),
        Rows::Callbacks(v) => v.len(),
        Rows::HoPayments(v) => v.len(),
        Rows::OrdersAgg(v) => v.len(),
        Rows::Saga(v) => v.len(),
        Rows::CallbackQueue(v) => v.len(),
    }
}
