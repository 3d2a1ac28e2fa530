//! Whole windows of a ledger, page by page, and orders by id: what a reconciliation reads.
//!
//! A [`Line`] is the one session with a database; whoever reads from it waits for its turn, page by page.
//! No transaction outlives its page, so a walk may take as long as it must: when the connection is lost it
//! goes on behind the last row it has, when the server is slow it asks for less and rests.
//!
//! May not know: where the rows go, and what is concluded from them.

use crate::config::{DatabaseConfig, QueryConfig};
use crate::model::order::{OrderId, Role, Rows};
use crate::model::{Lapse, Span, Stamp};
use crate::source::clock;
use crate::source::orders::ask::{Ask, CHUNK, Given, Key, Stopped};
use crate::source::orders::brief::{self, Briefs};
use crate::source::orders::fields::Fault;
use crate::source::orders::{faulty, name_of, refused};
use crate::source::postgres::session::Session;
use crate::source::postgres::trouble::Trouble;
use crate::source::runner::{Condition, lapse};
use sqlx::postgres::PgRow;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Orders asked for at once by id.
pub const MOST_IDS: usize = CHUNK;
/// Rows of the first page; a server that answers well gets twice as many each time.
const FIRST: u32 = 1_000;
/// Rows of a page at most: what is in memory of a ledger at one time.
const LARGEST: u32 = 5_000;
/// Rows of a page at least, however slow the server is.
const SMALLEST: u32 = 50;
/// Waits between attempts in milliseconds; after the last the ledger counts as unreachable.
const PATIENCE: [i64; 7] = [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000];
/// Attempts with a server that never answered: nobody should wait half a minute for a wrong port.
const NEVER_MET: usize = 2;

/// Why a ledger could not be read to its end.
#[derive(Clone, Debug)]
pub enum Halt {
    /// Somebody wanted it to stop.
    Cancelled,
    /// It cannot be read.
    Failed(Condition),
}

/// The one session with a database.
pub struct Line {
    db: DatabaseConfig,
    session: Option<Session>,
    met: bool,
    requests: u64,
    cancel: CancellationToken,
}

impl Line {
    /// Not connected yet; `cancel` ends whatever it does.
    pub fn new(db: DatabaseConfig, cancel: CancellationToken) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { db, session: None, met: false, requests: 0, cancel }))
    }

    /// Statements sent so far.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Says goodbye.
    pub async fn close(&mut self) {
        if let Some(session) = self.session.take().filter(|_| !self.cancel.is_cancelled()) {
            session.close().await;
        }
    }

    /// One attempt at one answer. A session that is in trouble is dropped.
    async fn once<T>(&mut self, question: &mut impl Question<Rows = T>, limit: u32) -> Result<Answer<T>, Refusal> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => crate::source::postgres::open(&self.db).await.map_err(Refusal::Lost)?,
        };
        self.met = true;
        let asof = clock::now() + session.server.skew;
        let begun = Instant::now();
        let rows = question.put(&mut session, limit).await;
        self.requests += u64::from(session.spent().requests);
        let name = question.name();
        match rows {
            Ok(rows) => {
                self.session = Some(session);
                Ok(Answer { rows, asof, took: lapse(begun.elapsed()) })
            }
            Err(Stopped::Fault(fault)) => {
                self.session = Some(session);
                Err(Refusal::Fault(fault))
            }
            Err(Stopped::Trouble(trouble)) if trouble.spares_the_session() => {
                self.session = Some(session);
                let condition = refused(&name, &trouble);
                Err(if may_pass(&trouble) { Refusal::Slow(condition) } else { Refusal::Never(condition) })
            }
            Err(Stopped::Trouble(trouble @ Trouble::NoAnswer(_))) => Err(Refusal::Slow(refused(&name, &trouble))),
            Err(Stopped::Trouble(trouble)) => Err(Refusal::Lost(refused(&name, &trouble))),
        }
    }
}

/// Too slow, locked, or cancelled by a standby's replay: another time it may work.
fn may_pass(trouble: &Trouble) -> bool {
    matches!(trouble.sqlstate(), "57014" | "55P03" | "40001" | "40P01") || trouble.sqlstate().starts_with("53")
}

struct Answer<T> {
    rows: T,
    asof: Stamp,
    took: Lapse,
}

/// Something that is asked as often as it takes.
trait Question {
    /// What an answer is.
    type Rows;
    /// Asks for at most so many rows.
    async fn put(&mut self, session: &mut Session, limit: u32) -> Result<Self::Rows, Stopped>;
    /// The query's name in sentences.
    fn name(&self) -> String;
}

/// A page of a window, read in brief.
struct Next<'a, P> {
    ask: &'a mut Ask,
    briefs: &'a mut Briefs,
    page: &'a mut P,
    span: Span,
    after: Option<&'a Key>,
}

impl<P: brief::Page> Question for Next<'_, P> {
    type Rows = ();
    async fn put(&mut self, session: &mut Session, limit: u32) -> Result<(), Stopped> {
        let (from, to, after) = (self.span.from, self.span.to, self.after.cloned());
        let given = Given { from, to, after, limit, ids: &[], refs: &[] };
        self.ask.each(session, &given, &mut self.briefs.to(self.page)).await
    }
    fn name(&self) -> String {
        name_of(&self.ask.query)
    }
}

/// Orders by their names.
struct Names<'a> {
    ask: &'a mut Ask,
    ids: &'a [OrderId],
    refs: &'a [Arc<str>],
}

impl Question for Names<'_> {
    type Rows = Vec<PgRow>;
    async fn put(&mut self, session: &mut Session, _: u32) -> Result<Vec<PgRow>, Stopped> {
        let (ids, refs) = (self.ids, self.refs);
        let given = Given { from: Stamp(0), to: clock::now(), after: None, limit: u32::MAX, ids, refs };
        self.ask.fetch(session, &given).await
    }
    fn name(&self) -> String {
        name_of(&self.ask.query)
    }
}

/// Why there was no answer this time.
enum Refusal {
    /// The query is wrong, or its rows are.
    Fault(Fault),
    /// The server will not have it.
    Never(Condition),
    /// It took too long.
    Slow(Condition),
    /// There is no session.
    Lost(Condition),
}

/// Asks until there is an answer, with patience; `size` is halved whenever it takes too long.
async fn patiently<T>(
    line: &Mutex<Line>,
    question: &mut impl Question<Rows = T>,
    size: &mut u32,
) -> Result<Answer<T>, Halt> {
    let cancel = line.lock().await.cancel.clone();
    let mut waits = PATIENCE.into_iter().enumerate();
    loop {
        // Dropped in the midst of an answer, the session is gone with its connection: the server notices.
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Halt::Cancelled),
            outcome = async { line.lock().await.once(question, *size).await } => outcome,
        };
        let (condition, never_met) = match outcome {
            Ok(answer) => return Ok(answer),
            Err(Refusal::Fault(fault)) => return Err(Halt::Failed(faulty(&question.name(), &fault))),
            Err(Refusal::Never(condition)) => return Err(Halt::Failed(condition)),
            Err(Refusal::Slow(condition)) => {
                *size = (*size / 2).max(SMALLEST);
                (condition, false)
            }
            Err(Refusal::Lost(condition)) => (condition, !line.lock().await.met),
        };
        let wait = waits.next().filter(|(attempt, _)| !never_met || *attempt < NEVER_MET);
        let Some((_, wait)) = wait else { return Err(Halt::Failed(condition)) };
        tokio::select! {
            () = cancel.cancelled() => return Err(Halt::Cancelled),
            () = sleep(Lapse::millis(wait).to_std()) => {}
        }
    }
}

/// One page of a window; its rows went to whoever wanted them.
#[derive(Debug)]
pub struct Page {
    /// How many rows.
    pub rows: usize,
    /// When the database said so, by its clock.
    pub asof: Stamp,
    /// Up to where in time everything has been read.
    pub upto: Stamp,
    /// Status words nobody mapped.
    pub unknown: BTreeSet<String>,
}

/// Rows of orders that were asked for by name.
#[derive(Debug)]
pub struct Named {
    /// The rows.
    pub rows: Rows,
    /// When the database said so, by its clock.
    pub asof: Stamp,
    /// Status words nobody mapped.
    pub unknown: BTreeSet<String>,
}

/// A walk through a window of one ledger.
pub struct Walk {
    ask: Ask,
    briefs: Briefs,
    span: Span,
    after: Option<Key>,
    size: u32,
    ended: bool,
}

impl Walk {
    /// A walk that has not begun.
    pub fn new(query: QueryConfig, span: Span) -> Result<Self, Halt> {
        let briefs = Briefs::new(query.clone());
        Ok(Self { ask: make(query)?, briefs, span, after: None, size: FIRST, ended: false })
    }

    /// The same with small pages, for somebody who waits for the first.
    #[must_use]
    pub const fn small(mut self, size: u32) -> Self {
        self.size = size;
        self
    }

    /// Whose rows.
    pub const fn role(&self) -> Role {
        self.ask.query.role
    }

    /// The next page, its rows for `page`; none at the end of the window.
    pub async fn next(&mut self, line: &Mutex<Line>, page: &mut impl brief::Page) -> Result<Option<Page>, Halt> {
        if self.ended {
            return Ok(None);
        }
        let mut size = self.size;
        let (ask, briefs, after) = (&mut self.ask, &mut self.briefs, self.after.as_ref());
        let mut question = Next { ask, briefs, page, span: self.span, after };
        let Answer { asof, took, .. } = patiently(line, &mut question, &mut size).await?;
        self.size = size;
        let now = self.briefs.now();
        let full = now.rows >= size as usize;
        let last = now.last();
        let fault = now.fault.take().map_or(Ok(()), Err);
        let sound = fault.and_then(|()| self.ask.sound(now.ordered, last.as_ref(), full, self.after.as_ref(), size));
        sound.map_err(|fault| Halt::Failed(faulty(&name_of(&self.ask.query), &fault)))?;
        let rows = now.rows;
        self.suit(line, took).await?;
        let upto = last.as_ref().filter(|_| full).map_or(self.span.to, |(at, _)| *at);
        self.ended = !full || last.is_none();
        self.after = last.or_else(|| self.after.take());
        Ok(Some(Page { rows, asof, upto, unknown: self.briefs.unknown.clone() }))
    }

    /// Larger pages for a server that answers well, smaller ones and a rest for one that does not.
    async fn suit(&mut self, line: &Mutex<Line>, took: Lapse) -> Result<(), Halt> {
        let (limit, cancel) = {
            let line = line.lock().await;
            (line.db.statement_timeout, line.cancel.clone())
        };
        if took.times(12) < limit {
            self.size = (self.size * 2).min(LARGEST);
        } else if took.times(3) > limit {
            self.size = (self.size / 2).max(SMALLEST);
            tokio::select! {
                () = cancel.cancelled() => return Err(Halt::Cancelled),
                () = sleep(took.to_std()) => {}
            }
        }
        Ok(())
    }
}

/// A query that asks for orders by their ids, or by the references of their payments.
pub struct ById {
    ask: Ask,
}

impl ById {
    /// A query that was not asked yet.
    pub fn new(query: QueryConfig) -> Result<Self, Halt> {
        Ok(Self { ask: make(query)? })
    }

    /// Whose rows.
    pub const fn role(&self) -> Role {
        self.ask.query.role
    }

    /// Whether it knows references only: an order without one cannot be asked for.
    pub fn by_refs(&self) -> bool {
        self.ask.by_refs()
    }

    /// The rows of these orders, of at most [`MOST_IDS`].
    pub async fn rows(&mut self, line: &Mutex<Line>, ids: &[OrderId], refs: &[Arc<str>]) -> Result<Named, Halt> {
        let mut question = Names { ask: &mut self.ask, ids, refs };
        let Answer { rows, asof, .. } = patiently(line, &mut question, &mut LARGEST.clone()).await?;
        let read = self.ask.read(&rows);
        let read = read.map_err(|fault| Halt::Failed(faulty(&name_of(&self.ask.query), &fault)))?;
        Ok(Named { rows: read.rows, asof, unknown: read.unknown })
    }
}

fn make(query: QueryConfig) -> Result<Ask, Halt> {
    let name = name_of(&query);
    Ask::new(query, Instant::now()).map_err(|fault| Halt::Failed(faulty(&name, &fault)))
}
