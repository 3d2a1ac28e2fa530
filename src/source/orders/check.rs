//! What `warroom check` says of a query: its text, its columns, its parameters and its plan.

use crate::config::{Config, QueryConfig};
use crate::model::{Lapse, Span};
use crate::source::check::{CheckLine, Ok as Works};
use crate::source::clock;
use crate::source::orders::ask::{self, Ask, Given, Stopped};
use crate::source::orders::{faulty, name_of, refused};
use crate::source::postgres::session::Session;
use sqlx::Row as _;
use std::sync::Arc;
use tokio::time::Instant;

/// A table larger than this, read from end to end, is worth a remark.
const LARGE: f64 = 100_000.0;

/// Tries a query without running it: prepared, its columns checked, its plan asked for.
pub async fn check(query: &QueryConfig, config: &Config, session: &mut Session) -> CheckLine {
    let name = name_of(query);
    match attempt(query, config, session).await {
        Ok((columns, scans)) => {
            let says = format!("{columns} columns found, parameters and plan accepted");
            if scans.is_empty() {
                return CheckLine::yes(&query.db, name, says);
            }
            let says = format!("{says}; but it reads {} from end to end each time", scans.join(", "));
            let remedy = "CREATE INDEX CONCURRENTLY on the time column (mode window) or the order id (mode ids).";
            CheckLine::not(&query.db, name, Works::Partly, says, remedy)
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

async fn attempt(query: &QueryConfig, config: &Config, session: &mut Session) -> Result<(usize, Vec<String>), Stopped> {
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
    let scans = scanned(&plan?);
    Ok((columns, large(session, scans).await?))
}

/// Tables that a plan (`FORMAT JSON`) reads from end to end.
fn scanned(plan: &str) -> Vec<String> {
    fn walk(node: &serde_json::Value, out: &mut Vec<String>) {
        let text = |key: &str| node.get(key).and_then(|v| v.as_str());
        if text("Node Type") == Some("Seq Scan") {
            let schema = text("Schema").map(|s| format!("{s}.")).unwrap_or_default();
            out.extend(text("Relation Name").map(|name| format!("{schema}{name}")));
        }
        match node {
            serde_json::Value::Array(items) => items.iter().for_each(|n| walk(n, out)),
            serde_json::Value::Object(fields) => fields.values().for_each(|n| walk(n, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    if let Ok(plan) = serde_json::from_str::<serde_json::Value>(plan) {
        walk(&plan, &mut out);
    }
    out.sort();
    out.dedup();
    out
}

/// Those of the tables that are large, with their rows.
async fn large(session: &mut Session, tables: Vec<String>) -> Result<Vec<String>, Stopped> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let list = tables.iter().map(|t| format!("'{}'", t.replace('\'', "''"))).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT n.nspname || '.' || c.relname AS name, c.reltuples::float8 AS rows
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname || '.' || c.relname IN ({list}) AND c.reltuples > {LARGE}"
    );
    let rows = session.all(sql.into()).await?;
    let line = |r: &sqlx::postgres::PgRow| {
        Some(format!("{} ({:.0} rows)", r.try_get::<String, _>("name").ok()?, r.try_get::<f64, _>("rows").ok()?))
    };
    Ok(rows.iter().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_read_from_end_to_end_are_found_anywhere_in_a_plan() {
        let plan = r#"[{"Plan":{"Node Type":"Limit","Plans":[{"Node Type":"Hash Join","Plans":[
            {"Node Type":"Seq Scan","Relation Name":"orders","Schema":"mrg"},
            {"Node Type":"Index Scan","Relation Name":"users","Schema":"mrg"}]}]}}]"#;
        assert_eq!(scanned(plan), ["mrg.orders"]);
    }
}
