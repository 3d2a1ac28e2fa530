//! Order-side queries of the operator: pages, ids, read-only by construction.

use crate::config::{Config, QueryConfig};
use crate::model::incident::Rules;
use crate::model::order::Role;
use crate::model::{Fact, Lapse, Span};
use crate::source::check::CheckLine;
use crate::source::postgres::session::Session;
use crate::source::postgres::trouble::Trouble;
use crate::source::runner::Condition;
use std::sync::Arc;
use tokio::time::Instant;

/// What the queries of all databases know of each other's orders.
#[derive(Debug, Default)]
pub struct Board;

/// The queries of one database.
#[derive(Debug)]
pub struct Asks {
    due: Option<Instant>,
}

impl Asks {
    /// Nothing asked yet.
    pub fn new(_mine: Vec<QueryConfig>, _window: Option<Span>, _rules: &Rules, _board: &Arc<Board>) -> Self {
        Self { due: None }
    }
    /// When the next one is due.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }
    /// Makes all due.
    pub fn all_due(&mut self, now: Instant) {
        self.due = self.due.map(|_| now);
    }
    /// What ails a query.
    pub fn trouble(&self) -> Option<Condition> {
        None
    }
    /// One page or chunk.
    pub async fn step(&mut self, session: &mut Session, now: Instant) -> Result<(Vec<Fact>, Lapse), Trouble> {
        session.run("SELECT 1".to_owned()).await?;
        self.due = Some(now);
        Ok((Vec::new(), Lapse::ZERO))
    }
}

/// A query's name in sentences.
pub fn name_of(role: Role) -> String {
    format!("query {role:?}")
}

/// Tries a query.
pub async fn check(query: &QueryConfig, _config: &Config, session: &mut Session) -> CheckLine {
    let _ = session.run("SELECT 1".to_owned()).await;
    CheckLine::yes(&query.db, name_of(query.role), "")
}
