//! What a query would read, as the server's planner says before it runs: tables from end to end are refused
//! above a size, because a question of ours may not become a load of theirs.
//!
//! May not know: pages, windows, when a query is asked.

use crate::config::QueryConfig;
use crate::source::orders::ask::Stopped;
use crate::source::orders::fields::Fault;
use crate::source::postgres::session::Session;
use sqlx::Row as _;

/// A fault when the plan (`FORMAT JSON`) reads more rows from end to end than the query may.
pub async fn weigh(session: &mut Session, query: &QueryConfig, plan: &str) -> Result<(), Stopped> {
    if query.allow_seqscan {
        return Ok(());
    }
    let tables = sizes(session, scanned(plan)).await?;
    if tables.iter().map(|(_, rows)| rows).sum::<f64>() <= f64::from(query.largest_scan) {
        return Ok(());
    }
    let list: Vec<String> = tables.iter().map(|(name, rows)| format!("{name} (about {rows:.0} rows)")).collect();
    Err(Fault::new(
        format!("it would read {} from end to end each time, so it is not asked", list.join(", ")),
        "CREATE INDEX CONCURRENTLY on what it is asked by (time and id, or the order id); or allow_seqscan = true in this [[query]].",
    )
    .into())
}

/// Tables that a plan (`FORMAT JSON`) reads from end to end: schema and name.
fn scanned(plan: &str) -> Vec<(String, String)> {
    fn walk(node: &serde_json::Value, out: &mut Vec<(String, String)>) {
        let text = |key: &str| node.get(key).and_then(|v| v.as_str());
        if text("Node Type") == Some("Seq Scan") {
            let schema = text("Schema").unwrap_or_default().to_owned();
            out.extend(text("Relation Name").map(|name| (schema, name.to_owned())));
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

/// The tables with their rows, as the server counted them last; of a table that was never counted, as many
/// as its size in bytes makes likely.
async fn sizes(session: &mut Session, tables: Vec<(String, String)>) -> Result<Vec<(String, f64)>, Stopped> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let list: Vec<String> = tables.iter().map(|(s, t)| format!("({}, {})", quoted(s), quoted(t))).collect();
    let sql = format!(
        "SELECT n.nspname || '.' || c.relname AS name,
           CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 100.0 ELSE c.reltuples END::float8 AS rows
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE (n.nspname, c.relname) IN ({}) ORDER BY 2 DESC, 1",
        list.join(", ")
    );
    let rows = session.all(sql.into()).await?;
    let line = |r: &sqlx::postgres::PgRow| Some((r.try_get("name").ok()?, r.try_get("rows").ok()?));
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
        assert_eq!(scanned(plan), [("mrg".to_owned(), "orders".to_owned())]);
    }
}
