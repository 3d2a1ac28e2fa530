//! The tables of the four systems.
//!
//! Owns which table plays which part; their definitions are the files in `assets/postgres`. Each system has
//! a schema of its own name, in a database of its own where those can be made, else side by side in one.
//! May not know: who may create them where (`ground`), and what is put into them (`load`).

use super::says;
use sqlx::{AssertSqlSafe, PgConnection};

/// The small table whose rows the sessions of a system fight for. Rows 0 to 6 are for chains, row [`FAN`] for
/// those that all wait for the same, [`DUEL`] for deadlocks.
pub fn hot(system: &str) -> &'static str {
    match system {
        "mrg" => "stock",
        "orch" => "lease",
        "upg" => "vendor_limit",
        _ => "day_book",
    }
}

/// A table that the system's sessions read from; like [`hot`], found on their search path.
pub fn book(system: &str) -> &'static str {
    match system {
        "mrg" => "orders",
        "orch" => "order_events",
        "upg" => "payments",
        _ => "ho_payments",
    }
}

/// The row of [`hot`] that a fan waits for.
pub const FAN: u32 = 100;
/// The two rows of [`hot`] that are locked crosswise.
pub const DUEL: [u32; 2] = [150, 151];

fn definition(system: &str) -> &'static str {
    match system {
        "mrg" => include_str!("../../../assets/postgres/mrg.sql"),
        "orch" => include_str!("../../../assets/postgres/orch.sql"),
        "upg" => include_str!("../../../assets/postgres/upg.sql"),
        _ => include_str!("../../../assets/postgres/ho.sql"),
    }
}

/// The table by which we know our own: where a system's name is taken and this is not there, it is
/// somebody else's.
pub const MARKER: &str = "made_by_warroom_simulate";

/// Creates a system's schema and tables, marked as ours; `reader` may then work in it.
pub async fn create(conn: &mut PgConnection, system: &str, reader: &str) -> Result<(), String> {
    let sql = format!(
        "CREATE SCHEMA {system}; CREATE TABLE {system}.{MARKER} (at timestamptz NOT NULL DEFAULT now()); \
         INSERT INTO {system}.{MARKER} DEFAULT VALUES; {} \
         GRANT USAGE ON SCHEMA {system} TO {reader}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {system} TO {reader}; \
         GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {system} TO {reader}",
        definition(system)
    );
    // One message is one transaction: all of it, or nothing.
    run(conn, &sql).await.map_err(|e| format!("the tables of {system} could not be created: {}", says(&e)))
}

/// Makes `pg_stat_statements` readable in this database, where the server has it loaded.
pub async fn statements(conn: &mut PgConnection) -> Result<(), String> {
    let loaded = "SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' \
                  AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements')";
    let loaded: bool =
        sqlx::query_scalar(loaded).persistent(false).fetch_one(&mut *conn).await.map_err(|e| says(&e))?;
    if !loaded {
        return Ok(());
    }
    run(conn, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        .await
        .map_err(|e| format!("pg_stat_statements could not be created: {}", says(&e)))
}

/// Whether the system's schema in this database is there and ours: `None` when there is none.
pub async fn whose(conn: &mut PgConnection, system: &str) -> Result<Option<bool>, sqlx::Error> {
    let sql = format!(
        "SELECT CASE WHEN to_regnamespace('{system}') IS NULL THEN NULL \
         ELSE EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = '{system}' AND tablename = '{MARKER}') END"
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(conn).await
}

/// Runs statements in one message; what they return is not looked at.
pub async fn run(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.map(|_done| ())
}
