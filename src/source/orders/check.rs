//! What `warroom check` says of a query: its text, its columns, its parameters and its plan.

use crate::config::{Config, QueryConfig};
use crate::model::{Lapse, Span};
use crate::source::check::{CheckLine, Ok as Works};
use crate::source::clock;
use crate::source::orders::ask::{self, Ask, Given, Stopped};
use crate::source::orders::{faulty, name_of, plan, refused};
use crate::source::postgres::session::Session;
use std::sync::Arc;
use tokio::time::Instant;

/// Tries a query without running it: prepared, its columns checked, its plan asked for.
pub async fn check(query: &QueryConfig, config: &Config, session: &mut Session) -> CheckLine {
    let name = name_of(query);
    match attempt(query, config, session).await {
        Ok(columns) => {
            CheckLine::yes(&query.db, name, format!("{columns} columns found, parameters and plan accepted"))
        }
        Err(stopped) => {
            let condition = match &stopped {
                Stopped::Fault(fault) => faulty(&name, fault),
                Stopped::Trouble(trouble) => refused(&name, trouble),
            };
            CheckLine::not(&query.db, name, Works::No, condition.says, condition.remedy)
        }
    }
}

async fn attempt(query: &QueryConfig, config: &Config, session: &mut Session) -> Result<usize, Stopped> {
    let mut ask = Ask::new(query.clone(), Instant::now())?;
    let columns = ask.prepare(session).await?.shape.columns();
    let now = clock::now();
    let window = config.incident.window.unwrap_or(Span { from: now - Lapse::hours(1), to: now });
    let ids: Vec<Arc<str>> = vec!["0".into()];
    let given = Given { from: window.from, to: window.to, after: None, limit: query.limit, ids: &ids, refs: &ids };
    let begin = ask::begin(session, query.zone.as_ref());
    session.run(begin).await?;
    let plan = ask.explain(session, &given).await;
    session.run("ROLLBACK".to_owned()).await?;
    plan::weigh(session, query, &plan?).await?;
    Ok(columns)
}
