//! One configured query: prepared once a session, asked page by page or by ids, in a read-only
//! transaction of its own each time; only rows that are new or changed are handed on.

use crate::config::{QueryConfig, QueryMode};
use crate::model::order::{Asked, Ledger, OrderId, Role, Rows};
use crate::model::{Lapse, Span, Stamp, Zone};
use crate::source::orders::board::{Board, Wanted};
use crate::source::orders::fields::{Fault, Read};
use crate::source::orders::plan;
use crate::source::orders::prints::Prints;
use crate::source::orders::row::{self, Shape};
use crate::source::orders::text::{self, Name, Rewritten};
use crate::source::orders::wire::{self, Wire};
use crate::source::postgres::session::Session;
use crate::source::postgres::trouble::Trouble;
use crate::source::runner::{LEAST_GAP, Pace, lapse};
use sqlx::postgres::{PgArguments, PgRow, PgStatement, PgTypeInfo, PgTypeKind};
use sqlx::{Arguments as _, Either, Row as _, Statement as _};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::time::Instant;

/// Orders asked for at once by id.
pub const CHUNK: usize = 500;
/// Rows of one role that are kept track of; beyond that the window is too wide.
const MOST_ROWS: usize = 1_000_000;
/// A row may be committed this long after the instant it carries: the newest pages are read again.
const OVERLAP: Lapse = Lapse::minutes(2);
/// Everything is read again after this many intervals, for changes of rows that were seen.
const WHOLE_EACH: i64 = 5;

/// What the server says when a prepared query no longer fits its tables: the plan's result would change, a
/// column, a table or a function is gone.
const CHANGED: [&str; 4] = ["0A000", "42703", "42P01", "42883"];

/// A query that could not be asked.
#[derive(Debug)]
pub enum Stopped {
    /// The query is wrong, or its rows are.
    Fault(Fault),
    /// The server or the session is in trouble.
    Trouble(Trouble),
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A query that the server has accepted in this session.
pub struct Prepared {
    statement: PgStatement,
    /// Where its columns are.
    pub shape: Shape,
    parameters: Vec<PgTypeInfo>,
    /// Whether its plan was looked at.
    weighed: bool,
}

/// What a page goes on behind: the instant and the identifier of its last row.
pub type Key = (Stamp, Arc<str>);

/// Whoever takes rows one by one.
pub trait Taker {
    /// An answer begins, of this shape; what came of an earlier one that broke off is forgotten.
    fn begin(&mut self, shape: &Shape);
    /// A row.
    fn row(&mut self, row: &PgRow);
}

/// What one step brought.
#[derive(Debug, Default)]
pub struct Step {
    /// Answers to hand on.
    pub ledgers: Vec<Ledger>,
    /// Status words that are not in the map.
    pub unknown: Vec<String>,
}

/// A walk through a window, page by page.
struct Walk {
    to: Stamp,
    after: Option<(Stamp, Arc<str>)>,
    from: Stamp,
    /// Begin of what was read and not handed on yet.
    told: Stamp,
    begun: Instant,
    pages: usize,
    whole: bool,
    /// Of a stretch somebody waits for; the walk that was under way goes on after it.
    wish: bool,
}

/// How much later than its order a payment or a record may come and is read with a wanted stretch.
const AFTER: Lapse = Lapse::minutes(30);

/// One query with what it remembers.
pub struct Ask {
    /// As configured.
    pub query: QueryConfig,
    rewritten: Rewritten,
    prepared: Option<(i32, Prepared)>,
    pace: Pace,
    /// When it is asked next.
    pub due: Instant,
    walk: Option<Walk>,
    /// The walk that made way for a wanted stretch.
    parked: Option<Walk>,
    /// The last wish that was looked at.
    wish: u64,
    newest: Option<Stamp>,
    whole_due: Instant,
    prints: Prints,
}

impl Ask {
    /// A query that was not asked yet; a fault when its text is not a question.
    pub fn new(query: QueryConfig, now: Instant) -> Result<Self, Fault> {
        let rewritten = text::rewrite(&query.sql)
            .map_err(|says| Fault::new(format!("its SQL cannot be used: {says}"), "Mend sql in [[query]]."))?;
        needed(&query, &rewritten)?;
        let pace = Pace::new(query.interval.max(LEAST_GAP));
        Ok(Self {
            query,
            rewritten,
            prepared: None,
            pace,
            due: now,
            walk: None,
            parked: None,
            wish: 0,
            newest: None,
            whole_due: now,
            prints: Prints::default(),
        })
    }

    /// The interval in force.
    pub fn interval(&self) -> Lapse {
        self.pace.current()
    }

    /// Waits a whole interval before the next attempt, and prepares anew then.
    pub fn put_off(&mut self, now: Instant) {
        self.prepared = None;
        self.walk = None;
        self.parked = None;
        self.due = now + self.pace.current().to_std();
    }

    /// Whether a wish is new to it.
    pub fn wishes(&self, wanted: Option<Wanted>) -> bool {
        wanted.is_some_and(|w| w.number != self.wish)
    }

    /// Reads a wanted stretch before anything else, unless it has been read.
    pub fn take_up(&mut self, wanted: Option<Wanted>, window: Option<Span>, asof: Stamp) {
        let Some(wanted) = wanted.filter(|w| w.number != self.wish) else { return };
        self.wish = wanted.number;
        self.due = Instant::now();
        let pages = self.query.mode == QueryMode::Window && self.rewritten.has(Name::AfterAt);
        let window = window.unwrap_or(wanted.span);
        let later = if self.query.role == Role::Orders { Lapse::ZERO } else { AFTER };
        let (from, to) = (wanted.span.from.max(window.from), (wanted.span.to + later).min(window.to).min(asof));
        if !pages || to <= from || self.newest.is_some_and(|newest| to <= newest) {
            return;
        }
        // A second wish before the first was read: the first is given up, what was under way stays parked.
        if let Some(walk) = self.walk.take().filter(|w| !w.wish) {
            self.parked = Some(walk);
        }
        let begun = Instant::now();
        self.walk = Some(Walk { from, to, after: None, told: from, begun, pages: 0, whole: false, wish: true });
    }

    /// Asks for one page or one chunk; decides when it is due again.
    pub async fn step(
        &mut self,
        session: &mut Session,
        board: &Board,
        window: Option<Span>,
        asof: Stamp,
    ) -> Result<Step, Stopped> {
        match self.query.mode {
            QueryMode::Window | QueryMode::Watermark => self.page(session, board, window, asof).await,
            QueryMode::Ids => self.chunk(session, board, asof).await,
        }
    }

    /// Prepares the query in this session, if it is not.
    pub async fn prepare(&mut self, session: &mut Session) -> Result<&Prepared, Stopped> {
        let backend = session.server.backend.0;
        if self.prepared.as_ref().is_none_or(|(of, _)| *of != backend) {
            let statement = session.prepare(Arc::clone(&self.rewritten.sql)).await.map_err(unprepared)?;
            let shape = Shape::of(&self.query, statement.columns())?;
            let parameters = match statement.parameters() {
                Some(Either::Left(types)) => types.to_vec(),
                _ => Vec::new(),
            };
            self.prepared = Some((backend, Prepared { statement, shape, parameters, weighed: false }));
        }
        self.prepared.as_ref().map(|(_, p)| p).ok_or_else(|| Fault::new("it was not prepared", "").into())
    }

    async fn page(
        &mut self,
        session: &mut Session,
        board: &Board,
        window: Option<Span>,
        asof: Stamp,
    ) -> Result<Step, Stopped> {
        let window = window.unwrap_or(Span { from: asof - Lapse::hours(6), to: Stamp(i64::MAX) });
        // A row of the window may change after it: the time of change knows no end but now.
        let to = if self.query.watermark.is_some() { asof } else { window.to.min(asof) };
        if to <= window.from {
            self.due = Instant::now() + self.pace.current().to_std();
            return Ok(Step::default());
        }
        if self.walk.is_none() {
            self.walk = Some(self.begin(window.from, to));
        }
        let begun = Instant::now();
        let limit = self.query.limit.max(1);
        let rows = {
            let walk = self.walk.as_ref();
            let (from, to, after) = walk.map_or((window.from, to, None), |w| (w.from, w.to, w.after.clone()));
            let given = Given { from, to, after, limit, ids: &[], refs: &[] };
            self.fetch(session, &given).await?
        };
        let read = self.read(&rows)?;
        board.learn(&read.rows, Instant::now());
        let step = self.turn_page(read, rows.len() >= limit as usize, window, asof)?;
        if self.walk.is_some() {
            // Three parts of rest for one of work: a sweep never takes the server for itself.
            self.due = Instant::now() + begun.elapsed() * 3;
        }
        Ok(step)
    }

    /// The newest stretch each time, everything now and then.
    fn begin(&mut self, from: Stamp, to: Stamp) -> Walk {
        let begun = Instant::now();
        let tail = self.newest.map(|newest| (newest - OVERLAP).max(from));
        // Where changes are found by their time, everything need be read only once.
        let whole = tail.is_none() || (self.query.watermark.is_none() && self.whole_due <= begun);
        let from = if whole { from } else { tail.unwrap_or(from) };
        Walk { from, to, after: None, told: from, begun, pages: 0, whole, wish: false }
    }

    /// Goes on behind a page, or ends the walk.
    fn turn_page(&mut self, read: Read, full: bool, window: Span, asof: Stamp) -> Result<Step, Stopped> {
        let Some(mut walk) = self.walk.take() else { return Ok(Step::default()) };
        walk.pages += 1;
        let last = read.keys.last().cloned();
        // Rows without pages come whole, however many they are.
        let full = full && self.rewritten.has(Name::Limit);
        let ordered = read.keys.is_sorted_by_key(|(at, _)| at);
        self.sound(ordered, last.as_ref(), full, walk.after.as_ref(), self.query.limit)?;
        let upto = match (&last, full) {
            (Some((at, _)), true) => *at,
            _ => walk.to,
        };
        if let Some((at, _)) = last.as_ref().filter(|_| !walk.wish) {
            self.newest = self.newest.max(Some(*at));
        }
        let rows = self.prints.changed(read.rows);
        if self.prints.len() > MOST_ROWS {
            self.prints = Prints::default();
            return Err(Fault::new(
                format!("its window holds more than {MOST_ROWS} rows"),
                "Narrow window in [incident], or leave rows out in the SQL that cannot be part of the incident.",
            )
            .into());
        }
        let mut step = Step { ledgers: Vec::new(), unknown: read.unknown.into_iter().collect() };
        if !rows.is_empty() || !full {
            let span = match (self.query.watermark.is_some(), full) {
                (false, _) => Span { from: walk.told, to: upto.max(walk.told) },
                // In the order of their changes, rows born in a stretch are all known only at the end.
                (true, true) => Span { from: walk.told, to: walk.told },
                (true, false) => Span { from: window.from, to: walk.to.max(window.from) },
            };
            step.ledgers.push(Ledger { asof, asked: Asked::Window(span), rows });
            walk.told = upto;
        }
        if full {
            walk.after = last;
            self.walk = Some(walk);
        } else if walk.wish {
            self.walk = self.parked.take();
            self.due = Instant::now();
        } else {
            self.finish(&walk);
        }
        Ok(step)
    }

    /// Whether the page behind `after`, whose rows are `ordered` by time up to `last`, is one that a next page can
    /// follow.
    pub fn sound(
        &self,
        ordered: bool,
        last: Option<&Key>,
        full: bool,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<(), Fault> {
        if !ordered && self.query.role != Role::OrdersAgg {
            return Err(Fault::new(
                "its rows are not in the order of time",
                "End sql with ORDER BY its time and id columns, then LIMIT :limit.",
            ));
        }
        if full && after.is_some() && last == after {
            return Err(Fault::new(
                "its pages do not advance",
                "Compare the time and id columns together: (created_at, id) > (:after_at, :after_id).",
            ));
        }
        if full && !self.rewritten.has(Name::AfterAt) {
            return Err(Fault::new(
                format!("it has more than {limit} rows and no way to ask for the next page"),
                "Add AND (created_at, id) > (:after_at, :after_id) ORDER BY created_at, id LIMIT :limit.",
            ));
        }
        Ok(())
    }

    /// Whether it asks for UPG references and not for order ids.
    pub fn by_refs(&self) -> bool {
        self.rewritten.has(Name::Refs) && !self.rewritten.has(Name::Ids)
    }

    fn finish(&mut self, walk: &Walk) {
        let now = Instant::now();
        let took = lapse(walk.begun.elapsed());
        if walk.whole {
            let few = walk.pages <= 2;
            let rest = if few { Lapse::ZERO } else { self.query.interval.times(WHOLE_EACH).max(took.times(5)) };
            self.whole_due = now + rest.to_std();
        } else {
            // A whole sweep is slow by design and says nothing about the server.
            self.pace.took(took);
        }
        self.due = now + self.pace.current().to_std();
    }

    async fn chunk(&mut self, session: &mut Session, board: &Board, asof: Stamp) -> Result<Step, Stopped> {
        let role = self.query.role;
        let begun = Instant::now();
        let ids = board.due(role, CHUNK, begun);
        if ids.is_empty() {
            self.rest(board, begun);
            return Ok(Step::default());
        }
        let refs = if self.rewritten.has(Name::Refs) { board.refs(&ids) } else { Vec::new() };
        let by_refs = self.rewritten.has(Name::Refs) && !self.rewritten.has(Name::Ids);
        // As of before the question: a payment learned meanwhile was not in it.
        let with_refs = if by_refs { board.with_refs(&ids) } else { Vec::new() };
        let rows = if by_refs && refs.is_empty() {
            // Nobody paid for these: there is nothing to ask for.
            self.prepare(session).await?;
            Vec::new()
        } else {
            let given = Given { from: Stamp(0), to: asof, after: None, limit: u32::MAX, ids: &ids, refs: &refs };
            self.fetch(session, &given).await?
        };
        let read = self.read(&rows)?;
        board.learn(&read.rows, Instant::now());
        let unknown = read.unknown.into_iter().collect();
        let rows = self.prints.changed(read.rows);
        let late = board.answered(role, &ids, &news(&rows, &ids), self.pace.current(), (begun, Instant::now()));
        self.pace.took(lapse(begun.elapsed()));
        self.rest(board, begun);
        // An order without a known payment was not asked about by its reference: its silence is no answer.
        let mut asked = if by_refs { with_refs } else { ids };
        // Nor was one whose payment became known while the question was under way.
        asked.retain(|id| !late.contains(id));
        if asked.is_empty() && rows.is_empty() {
            return Ok(Step { ledgers: Vec::new(), unknown });
        }
        Ok(Step { ledgers: vec![Ledger { asof, asked: Asked::Ids(asked), rows }], unknown })
    }

    /// The next chunk when there is one, after a rest. With nothing to ask the board is looked at again
    /// soon, because other queries bring orders and payments; that costs the server nothing.
    fn rest(&mut self, board: &Board, begun: Instant) {
        let now = Instant::now();
        let soonest = now + begun.elapsed() * 3;
        let latest = now + self.pace.current().min(LEAST_GAP).to_std();
        self.due = board.next_due(self.query.role).map_or(latest, |due| due.max(soonest)).min(latest);
    }

    /// One answer. Where the tables have changed since the query was prepared, it is prepared anew at once:
    /// that tells what is wrong now, or nothing is.
    pub async fn fetch(&mut self, session: &mut Session, given: &Given<'_>) -> Result<Vec<PgRow>, Stopped> {
        match self.attempt(session, given).await {
            Err(Stopped::Trouble(trouble)) if CHANGED.contains(&trouble.sqlstate()) => {
                self.prepared = None;
                session.forget().await?;
                self.attempt(session, given).await
            }
            answer => answer,
        }
    }

    /// One answer, row by row as it comes, for somebody who keeps little of each.
    pub async fn each(&mut self, session: &mut Session, given: &Given<'_>, to: &mut impl Taker) -> Result<(), Stopped> {
        match self.attempt_each(session, given, to).await {
            Err(Stopped::Trouble(trouble)) if CHANGED.contains(&trouble.sqlstate()) => {
                self.prepared = None;
                session.forget().await?;
                self.attempt_each(session, given, to).await
            }
            answer => answer,
        }
    }

    async fn attempt_each(
        &mut self,
        session: &mut Session,
        given: &Given<'_>,
        to: &mut impl Taker,
    ) -> Result<(), Stopped> {
        self.weigh(session, given).await?;
        let begin = begin(session, self.query.zone.as_ref());
        let names = self.rewritten.names.clone();
        let zone = self.query.zone.clone();
        let prepared = self.prepare(session).await?;
        let arguments = arguments(&names, &prepared.parameters, given, zone.as_ref())?;
        session.run(begin).await?;
        to.begin(&prepared.shape);
        let answer = session.each(&prepared.statement, arguments, |row| to.row(row)).await;
        if answer.as_ref().err().is_none_or(Trouble::spares_the_session) {
            session.run("ROLLBACK".to_owned()).await?;
        }
        Ok(answer?)
    }

    /// Looks at the plan once for each session, before the first answer.
    async fn weigh(&mut self, session: &mut Session, given: &Given<'_>) -> Result<(), Stopped> {
        self.prepare(session).await?;
        if self.query.allow_seqscan || self.prepared.as_ref().is_none_or(|(_, p)| p.weighed) {
            return Ok(());
        }
        let begin = begin(session, self.query.zone.as_ref());
        session.run(begin).await?;
        let plan = self.explain(session, given).await;
        let whole = !matches!(&plan, Err(Stopped::Trouble(t)) if !t.spares_the_session());
        if whole {
            session.run("ROLLBACK".to_owned()).await?;
        }
        plan::weigh(session, &self.query, &plan?).await?;
        if let Some((_, prepared)) = &mut self.prepared {
            prepared.weighed = true;
        }
        Ok(())
    }

    /// One answer in a transaction that cannot write, with limits of its own, and ended whatever happens.
    async fn attempt(&mut self, session: &mut Session, given: &Given<'_>) -> Result<Vec<PgRow>, Stopped> {
        self.weigh(session, given).await?;
        let begin = begin(session, self.query.zone.as_ref());
        let names = self.rewritten.names.clone();
        let zone = self.query.zone.clone();
        let prepared = self.prepare(session).await?;
        let arguments = arguments(&names, &prepared.parameters, given, zone.as_ref())?;
        session.run(begin).await?;
        let answer = session.fetch(&prepared.statement, arguments).await;
        if answer.as_ref().err().is_none_or(Trouble::spares_the_session) {
            session.run("ROLLBACK".to_owned()).await?;
        }
        Ok(answer?)
    }

    /// The plan as JSON, inside a transaction that the caller began.
    pub async fn explain(&mut self, session: &mut Session, given: &Given<'_>) -> Result<String, Stopped> {
        let names = self.rewritten.names.clone();
        let zone = self.query.zone.clone();
        let parameters = self.prepare(session).await?.parameters.clone();
        let arguments = arguments(&names, &parameters, given, zone.as_ref())?;
        let sql = format!("EXPLAIN (VERBOSE, FORMAT JSON) {}", self.rewritten.sql);
        let rows = session.with(sql.into(), arguments).await?;
        let bytes = rows.first().and_then(|row| row.try_get_raw(0).ok()?.as_bytes().ok().map(<[u8]>::to_vec));
        Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
    }

    /// Reads the rows of an answer.
    pub fn read(&self, rows: &[PgRow]) -> Result<Read, Fault> {
        let Some((_, prepared)) = &self.prepared else { return Err(Fault::new("it was not prepared", "")) };
        row::read(&prepared.shape, &self.query, rows)
    }
}

/// A refusal of the server to prepare, as a fault of the query where it is one.
fn unprepared(trouble: Trouble) -> Stopped {
    let code = trouble.sqlstate().to_owned();
    let Some(server) = trouble.server() else { return trouble.into() };
    let says = format!("PostgreSQL does not accept it: {}", server.message());
    let remedy = match code.as_str() {
        "42P18" | "42P08" => {
            "Say the type of the parameter: :from::timestamptz, :after_id::text, :ids::text[].".to_owned()
        }
        "42501" => "GRANT SELECT ON the tables it reads TO the role in url of [[db]].".to_owned(),
        "42P01" | "3F000" => {
            "Correct the table's name in sql, with its schema; or db names another database.".to_owned()
        }
        "42703" => "Correct the column's name in sql.".to_owned(),
        _ if code.starts_with("42") || code.starts_with("22") => "Mend sql in [[query]].".to_owned(),
        _ => return trouble.into(),
    };
    Fault::new(says, remedy).into()
}

/// Which parameters a mode cannot do without.
fn needed(query: &QueryConfig, sql: &Rewritten) -> Result<(), Fault> {
    let window =
        [Name::From, Name::To, Name::Limit].iter().all(|n| sql.has(*n)) && !sql.has(Name::Ids) && !sql.has(Name::Refs);
    let ids = sql.has(Name::Ids) || sql.has(Name::Refs);
    match query.mode {
        QueryMode::Ids if matches!(query.role, Role::OrdersAgg | Role::CallbackQueue) => {
            Err(Fault::new("its rows are counts of many orders, not rows of one", "Use mode = \"window\"."))
        }
        // A queue is as it is now; counts are few and have no pages.
        QueryMode::Window | QueryMode::Watermark if query.role == Role::CallbackQueue && !ids => Ok(()),
        QueryMode::Window if query.role == Role::OrdersAgg && sql.has(Name::From) && sql.has(Name::To) && !ids => {
            Ok(())
        }
        QueryMode::Window | QueryMode::Watermark if !window => Err(Fault::new(
            "its SQL does not say which window and page it is asked for",
            "mode = \"window\" needs :from, :to, :limit (and :after_at, :after_id for further pages), and no :ids.",
        )),
        QueryMode::Ids if !ids => Err(Fault::new(
            "its SQL does not say which orders it is asked for",
            "mode = \"ids\" needs WHERE order_id = ANY(:ids), or WHERE upg_ref = ANY(:refs).",
        )),
        _ => Ok(()),
    }
}

/// What the parameters of a query are filled with.
pub struct Given<'a> {
    /// `:from`
    pub from: Stamp,
    /// `:to`
    pub to: Stamp,
    /// `:after_at`, `:after_id`
    pub after: Option<(Stamp, Arc<str>)>,
    /// `:limit`
    pub limit: u32,
    /// `:ids`
    pub ids: &'a [OrderId],
    /// `:refs`
    pub refs: &'a [Arc<str>],
}

/// Parameters in the types that the server inferred.
pub fn arguments(
    names: &[Name],
    types: &[PgTypeInfo],
    given: &Given<'_>,
    zone: Option<&Zone>,
) -> Result<PgArguments, Fault> {
    let mut arguments = PgArguments::default();
    for (name, info) in names.iter().zip(types) {
        let form = wire::form(info);
        let after = given.after.as_ref();
        let bytes = match name {
            Name::From => wire::stamp_bytes(form, given.from, zone),
            Name::To => wire::stamp_bytes(form, given.to, zone),
            Name::AfterAt => wire::stamp_bytes(form, after.map_or(given.from - Lapse(1), |a| a.0), zone),
            Name::AfterId => after.map_or_else(|| wire::least_id(form), |a| wire::id_bytes(form, &a.1)),
            Name::Limit => wire::id_bytes(form, &given.limit.min(i16::MAX as u32).to_string()),
            Name::Ids => array(info, given.ids),
            Name::Refs => array(info, given.refs),
        };
        let Some(bytes) = bytes else { return Err(cannot_fill(*name, info, zone)) };
        arguments
            .add(Wire { info: info.clone(), bytes })
            .map_err(|e| Fault::new(format!("a parameter cannot be sent: {e}"), "Mend sql in [[query]]."))?;
    }
    Ok(arguments)
}

fn array(info: &PgTypeInfo, ids: &[Arc<str>]) -> Option<Vec<u8>> {
    match info.kind() {
        PgTypeKind::Array(element) => wire::array_bytes(element, ids),
        _ => None,
    }
}

fn cannot_fill(name: Name, info: &PgTypeInfo, zone: Option<&Zone>) -> Fault {
    use sqlx::TypeInfo as _;
    let of = info.name().to_lowercase();
    match name {
        Name::From | Name::To | Name::AfterAt if wire::form(info) == wire::Form::LocalTime && zone.is_none() => {
            Fault::new(
                "it compares an instant with a time without a zone",
                "Set zone = \"Asia/Jakarta\" in this [[query]], or compare created_at AT TIME ZONE 'Asia/Jakarta'.",
            )
        }
        Name::From | Name::To | Name::AfterAt => {
            Fault::new(format!("it compares an instant with {of}"), "Cast the parameter: :from::timestamptz.")
        }
        Name::AfterId => Fault::new(
            format!("it compares :after_id with {of}"),
            "Select and compare the id as text: id::text > :after_id.",
        ),
        Name::Limit => Fault::new(format!("it uses :limit as {of}"), "Write LIMIT :limit."),
        Name::Ids | Name::Refs => Fault::new(
            format!("it uses a list of ids as {of}"),
            "Write order_id = ANY(:ids), with a cast where needed: ANY(:ids::text[]).",
        ),
    }
}

/// Begin of a transaction that cannot write. `SET LOCAL` ends with it.
pub fn begin(session: &Session, zone: Option<&Zone>) -> String {
    let zone = zone.map(|z| {
        let sign = if z.east < 0 { '-' } else { '+' };
        let minutes = z.east.abs() / 60;
        format!("; SET LOCAL TIME ZONE INTERVAL '{sign}{:02}:{:02}' HOUR TO MINUTE", minutes / 60, minutes % 60)
    });
    let limits = session.limits();
    format!(
        "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = 10000{}",
        limits.0,
        limits.1,
        zone.unwrap_or_default()
    )
}

/// Orders that rows bring news of. A row that names only its UPG reference may be of any of those asked.
fn news(rows: &Rows, asked: &[OrderId]) -> HashSet<OrderId> {
    let named: Vec<Option<&OrderId>> = match rows {
        Rows::Orders(v) => v.iter().map(|o| Some(&o.order_id)).collect(),
        Rows::OrderEvents(v) => v.iter().map(|e| Some(&e.order_id)).collect(),
        Rows::Payments(v) => v.iter().map(|p| Some(&p.order_id)).collect(),
        Rows::Callbacks(v) => v.iter().map(|c| c.order_id.as_ref()).collect(),
        Rows::HoPayments(v) => v.iter().map(|h| h.order_id.as_ref()).collect(),
        Rows::Saga(v) => v.iter().map(|s| Some(&s.order_id)).collect(),
        Rows::OrdersAgg(_) | Rows::CallbackQueue(_) => Vec::new(),
    };
    if named.iter().any(Option::is_none) {
        return asked.iter().cloned().collect();
    }
    named.into_iter().flatten().cloned().collect()
}
