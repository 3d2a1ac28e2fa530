//! Order-side queries of the operator: pages, ids, read-only by construction.
//!
//! `text` makes a question of the operator's SQL, `plan` refuses what would read too much, `wire`, `row` and
//! `fields` read and write values, `ask` is one query, `file`, `files` and `lines` are rows that come as exports, `board`
//! is what all of them know together, `collect` gathers their answers under the source `orders`. `bulk` reads
//! whole windows, for a reconciliation, and `brief` their rows. A query runs in the session of its database: [`Asks`] is driven by that
//! database's task.

mod ask;
mod board;
pub mod brief;
pub mod bulk;
mod check;
mod collect;
mod fields;
mod file;
mod files;
mod lines;
mod plan;
mod prints;
mod row;
mod text;
mod wire;

use crate::config::{QueryConfig, QueryMode};
use crate::model::health::Cost;
use crate::model::order::Role;
use crate::model::{Fact, Span};
use crate::source::clock;
use crate::source::postgres::session::Session;
use crate::source::postgres::trouble::{Trouble, message};
use crate::source::runner::{Condition, lapse};
use ask::{Ask, Stopped};
pub use board::Board;
pub use check::check;
pub use collect::{NAME, Report, start};
use fields::Fault;
pub use files::{check as check_files, start as start_files};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The queries of one database.
pub struct Asks {
    queries: Vec<Ask>,
    /// Queries whose text is no question; told once.
    broken: Vec<(QueryConfig, Fault)>,
    window: Option<Span>,
    board: Arc<Board>,
    to: mpsc::Sender<Report>,
}

impl Asks {
    /// The queries `mine`, over a window, reporting to the collector.
    pub fn new(mine: Vec<QueryConfig>, window: Option<Span>, board: &Arc<Board>, to: mpsc::Sender<Report>) -> Self {
        let now = Instant::now();
        let mut asks = Vec::new();
        let mut broken = Vec::new();
        // The screen has its ids from the orders themselves; asking for those by id is for a reconciliation.
        for query in mine.into_iter().filter(|q| q.role != Role::Orders || q.mode != QueryMode::Ids) {
            match Ask::new(query.clone(), now) {
                Ok(ask) => asks.push(ask),
                Err(fault) => broken.push((query, fault)),
            }
        }
        for ask in asks.iter().filter(|a| a.query.mode == QueryMode::Ids) {
            board.asks_by_id(ask.query.role, now);
        }
        Self { queries: asks, broken, window, board: Arc::clone(board), to }
    }

    /// When the next one is due.
    pub fn due(&self) -> Option<Instant> {
        let wanted = self.board.wanted();
        if self.queries.iter().any(|a| a.wishes(wanted)) {
            return Some(Instant::now());
        }
        self.queries.iter().map(|a| a.due).min()
    }

    /// Makes all due.
    pub fn all_due(&mut self, now: Instant) {
        self.queries.iter_mut().for_each(|a| a.due = a.due.min(now));
    }

    /// Asks for one page or chunk of the query that is due first.
    pub async fn step(&mut self, session: &mut Session) -> Result<(), Trouble> {
        self.tell_broken().await;
        let asof = clock::now() + session.server.skew;
        let wanted = self.board.wanted();
        self.queries.iter_mut().for_each(|a| a.take_up(wanted, self.window, asof));
        let now = Instant::now();
        let Some(ask) = self.queries.iter_mut().filter(|a| a.due <= now).min_by_key(|a| a.due) else { return Ok(()) };
        let result = ask.step(session, &self.board, self.window, asof).await;
        let spent = session.spent();
        let mut cost = Cost {
            at: clock::now(),
            requests: spent.requests,
            bytes: spent.bytes,
            took: lapse(now.elapsed()),
            interval: ask.interval(),
            ..Cost::default()
        };
        let name = name_of(&ask.query);
        let condition = match result {
            Ok(step) => {
                let facts = step.ledgers.into_iter().map(Fact::Ledger).collect();
                let condition = unknown(&ask.query, &step.unknown).map_or_else(Condition::well, |f| faulty(&name, &f));
                return self
                    .report(Report { query: name, condition, facts, cost: (cost.requests > 0).then_some(cost) })
                    .await;
            }
            Err(Stopped::Fault(fault)) => faulty(&name, &fault),
            Err(Stopped::Trouble(trouble)) if trouble.spares_the_session() => refused(&name, &trouble),
            Err(Stopped::Trouble(trouble)) => return Err(trouble),
        };
        ask.put_off(Instant::now());
        session.forget().await?;
        cost.failed = 1;
        self.report(Report { query: name, condition, facts: Vec::new(), cost: Some(cost) }).await
    }

    /// The database cannot be reached, so none of its queries can be asked.
    pub async fn unreachable(&mut self, condition: &Condition) {
        self.tell_broken().await;
        let names: Vec<String> = self.queries.iter().map(|a| name_of(&a.query)).collect();
        for query in names {
            // The program is ending when nobody listens.
            let _ = self.report(Report { query, condition: condition.clone(), facts: Vec::new(), cost: None }).await;
        }
    }

    async fn tell_broken(&mut self) {
        for (query, fault) in std::mem::take(&mut self.broken) {
            let name = name_of(&query);
            let condition = faulty(&name, &fault);
            let _ = self.report(Report { query: name, condition, facts: Vec::new(), cost: None }).await;
        }
    }

    async fn report(&self, report: Report) -> Result<(), Trouble> {
        // Nobody listens any more: the program is ending and this task with it.
        let _ = self.to.send(report).await;
        Ok(())
    }
}

/// A query's name in sentences: `query payments on upg`, `ho_payments from ho-*.csv`.
pub fn name_of(query: &QueryConfig) -> String {
    match query.file {
        Some(_) => format!("{} from {}", query.role.name(), query.db),
        None => format!("query {} on {}", query.role.name(), query.db),
    }
}

fn faulty(name: &str, fault: &Fault) -> Condition {
    Condition::late("query", format!("{name}: {}", fault.says), fault.remedy.clone())
}

fn refused(name: &str, trouble: &Trouble) -> Condition {
    let remedy = match trouble.sqlstate() {
        "57014" => {
            "Make it cheaper (an index on the time column, a smaller limit), or raise statement_timeout in [[db]]."
        }
        "55P03" => "A table it reads is locked exclusively; it is asked again.",
        "25006" => "It tries to write: warroom asks in a read-only transaction.",
        "42501" => "GRANT SELECT on what it reads to the role in url of [[db]].",
        _ => "Mend sql in [[query]].",
    };
    let code = if trouble.sqlstate().is_empty() { "query" } else { trouble.sqlstate() };
    Condition::late(code, format!("{name} failed: {}", message(trouble)), remedy)
}

/// Status words that nobody told us the meaning of: an order in one of them would be in no class.
fn unknown(query: &QueryConfig, words: &[String]) -> Option<Fault> {
    let first = words.first()?;
    let (table, example) =
        if query.role == Role::Payments { ("payment_status", "paid") } else { ("order_status", "active") };
    Some(Fault::new(
        format!("the status {} is not one warroom knows", words.join(", ")),
        format!("Say what it means in this [[query]]: {table} = {{ \"{first}\" = \"{example}\" }}"),
    ))
}
