//! The statements a look consists of, chosen by `server_version_num`.
//!
//! One statement makes the whole look: counts by the server, rows only for sessions that wait, block or
//! have been in a transaction for long. `pg_blocking_pids` and `pg_locks` are reached only when somebody
//! waits for a lock (both take the lock manager for a moment). Knows no driver.

use std::fmt::Write as _;
use std::sync::Arc;

/// Waiting sessions whose blockers are asked for, those waiting longest first.
pub const MOST_WAITING: usize = 200;
/// Sessions named in one look.
pub const MOST_SESSIONS: usize = 300;
/// Applications and states counted apart.
pub const MOST_APPLICATIONS: usize = 60;
/// Statements of `pg_stat_statements` in one look.
pub const MOST_STATEMENTS: usize = 100;
/// Characters of a statement's text.
pub const LONGEST_QUERY: usize = 400;
/// A transaction open for longer than this is named.
pub const LONG_TRANSACTION: &str = "30 s";

/// The look. `counters`: whether `pg_stat_database` is read, which before 15 makes the backend wait for
/// the statistics collector's file (10 ms and more), so not each time.
pub fn look(version: i32, counters: bool) -> Arc<str> {
    let waitstart = if version >= 140_000 { "l.waitstart" } else { "NULL::timestamptz" };
    let counters = if counters { COUNTERS } else { "NULL::text" };
    let mut sql = String::with_capacity(6_000);
    let _ = write!(
        sql,
        "/* warroom: look */ WITH a AS MATERIALIZED (
  SELECT pid, usename::text AS role, application_name, client_addr, backend_type, state, wait_event_type, wait_event,
    backend_start, xact_start, query_start, state_change, query,
    coalesce(backend_type = 'client backend', usesysid IS NOT NULL AND datid IS NOT NULL) AS client
  FROM pg_stat_activity
), waiting AS MATERIALIZED (
  SELECT pid, pg_blocking_pids(pid) AS by FROM a WHERE wait_event_type = 'Lock' ORDER BY state_change, pid LIMIT {MOST_WAITING}
), blocking AS MATERIALIZED (
  SELECT DISTINCT b.pid FROM waiting, unnest(by) AS b(pid)
), named AS MATERIALIZED (
  SELECT a.*, w.by FROM a LEFT JOIN waiting w USING (pid)
  WHERE w.pid IS NOT NULL OR a.pid IN (SELECT pid FROM blocking)
    OR (a.client AND a.xact_start < now() - interval '{LONG_TRANSACTION}')
  ORDER BY w.pid IS NULL AND a.pid NOT IN (SELECT pid FROM blocking), w.pid IS NOT NULL, a.xact_start, a.pid
  LIMIT {MOST_SESSIONS}
), locks AS MATERIALIZED (
  SELECT l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid::text AS xid,
    l.classid::bigint AS classid, l.objid::bigint AS objid, l.objsubid, coalesce(l.pid, 0) AS pid, l.mode, l.granted,
    {waitstart} AS waitstart
  FROM pg_locks l WHERE EXISTS (SELECT FROM waiting) AND (l.pid IN (SELECT pid FROM named) OR l.pid IS NULL)
), wanted AS MATERIALIZED (
  SELECT * FROM locks WHERE NOT granted
), shown AS (
  SELECT l.pid, l.granted, l.locktype AS kind, l.mode,
    CASE WHEN l.relation IS NULL THEN NULL
      WHEN l.database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) THEN l.relation::regclass::text
      ELSE 'relation ' || l.relation || ' of database ' || coalesce((SELECT datname::text FROM pg_database WHERE oid = l.database), '?') END AS relation,
    l.page, l.tuple, l.virtualxid AS vxid, l.xid, l.classid, l.objid, l.objsubid,
    (date_part('epoch', l.waitstart) * 1000000)::bigint AS since
  FROM locks l
  WHERE NOT l.granted OR l.locktype IN ('advisory', 'tuple')
    OR (l.locktype = 'transactionid' AND l.xid IN (SELECT xid FROM wanted))
    OR (l.locktype = 'virtualxid' AND l.virtualxid IN (SELECT virtualxid FROM wanted))
    OR (l.locktype = 'relation' AND (l.relation IN (SELECT relation FROM wanted WHERE locktype = 'relation')
      OR l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')))
    OR (l.locktype NOT IN ('transactionid', 'virtualxid', 'relation') AND (l.locktype, coalesce(l.relation, 0), coalesce(l.objid, 0))
      IN (SELECT locktype, coalesce(relation, 0), coalesce(objid, 0) FROM wanted))
  ORDER BY l.granted LIMIT 2000
)
SELECT pg_is_in_recovery() AS replica, current_setting('max_connections')::int AS max_connections,
  current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
  pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all, s.*,
  (SELECT json_agg(x) FROM (
    SELECT coalesce(nullif(application_name, ''), role, backend_type, '') AS name, coalesce(state, '') AS state,
      count(*) AS sessions, (date_part('epoch', min(state_change)) * 1000000)::bigint AS since
    FROM a WHERE client GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT {MOST_APPLICATIONS}) x)::text AS applications,
  (SELECT json_agg(x) FROM (
    SELECT coalesce(wait_event_type, '') AS kind, coalesce(wait_event, '') AS event, count(*) AS sessions
    FROM a WHERE client AND state IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 200) x)::text AS waits,
  (SELECT json_agg(x) FROM (
    SELECT pid, coalesce(nullif(application_name, ''), role, backend_type, '') AS application, coalesce(role, '') AS role,
      coalesce(host(client_addr), '') AS client, coalesce(state, '') AS state, coalesce(wait_event_type, '') AS wait_kind,
      coalesce(wait_event, '') AS wait_event, coalesce(left(query, {LONGEST_QUERY}), '') AS query, by,
      (date_part('epoch', backend_start) * 1000000)::bigint AS connected, (date_part('epoch', xact_start) * 1000000)::bigint AS in_transaction,
      (date_part('epoch', query_start) * 1000000)::bigint AS in_query, (date_part('epoch', state_change) * 1000000)::bigint AS in_state
    FROM named) x)::text AS sessions,
  (SELECT json_agg(x) FROM shown x)::text AS locks,
  CASE WHEN EXISTS (SELECT FROM blocking WHERE pid = 0) THEN (SELECT json_agg(x) FROM (
    SELECT gid, owner::text AS owner, (date_part('epoch', prepared) * 1000000)::bigint AS prepared
    FROM pg_prepared_xacts ORDER BY prepared LIMIT 20) x)::text END AS prepared,
  {counters} AS counters,
  (date_part('epoch', now()) * 1000000)::bigint AS began, (date_part('epoch', clock_timestamp()) * 1000000)::bigint AS at
FROM (SELECT count(*) FILTER (WHERE client)::int AS used,
    count(*) FILTER (WHERE client AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock')::int AS running,
    count(*) FILTER (WHERE client AND state = 'active' AND wait_event_type = 'Lock')::int AS lock_waiting,
    count(*) FILTER (WHERE client AND state LIKE 'idle in transaction%')::int AS idle_in_transaction,
    count(*) FILTER (WHERE client AND state = 'idle')::int AS idle,
    count(*) FILTER (WHERE client AND state IS NULL)::int AS hidden,
    count(*) FILTER (WHERE client AND state = 'disabled')::int AS untracked,
    count(*) FILTER (WHERE wait_event_type = 'Lock')::int AS waiters,
    count(*) FILTER (WHERE client AND xact_start < now() - interval '{LONG_TRANSACTION}')::int AS long
  FROM a) s"
    );
    sql.into()
}

const COUNTERS: &str = "(SELECT json_agg(x) FROM (
    SELECT xact_commit AS commits, xact_rollback AS rollbacks, deadlocks, temp_bytes, blks_read AS blocks_read,
      blks_hit AS blocks_hit, (date_part('epoch', stats_reset) * 1000000)::bigint AS reset
    FROM pg_stat_database WHERE datname = current_database()) x)::text";

/// Where `pg_stat_statements` is and which columns it has. The extension's version decides, which may be
/// older than the server's: the columns are looked up rather than derived.
pub const EXTENSION: &str = "/* warroom: extension */
SELECT quote_ident(n.nspname) AS schema,
  EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'total_exec_time') AS exec,
  EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'toplevel') AS toplevel
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'pg_stat_statements'
WHERE e.extname = 'pg_stat_statements'";

/// A usable `pg_stat_statements`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its schema, quoted.
    pub schema: String,
    /// Whether times are `total_exec_time` (extension 1.8, PostgreSQL 13) or `total_time`.
    pub exec: bool,
    /// Whether nested statements can be told apart (1.9, PostgreSQL 14).
    pub toplevel: bool,
}

/// The heaviest statements of this database by time, without their texts: with them the server would read
/// its whole text file each time. Rows without an id are those of roles we may not see.
pub fn statements(e: &Extension) -> Arc<str> {
    let Extension { schema, .. } = e;
    let time = if e.exec { "total_exec_time" } else { "total_time" };
    let top = if e.toplevel { " AND toplevel" } else { "" };
    format!(
        "/* warroom: statements */ SELECT (SELECT json_agg(x) FROM (
  SELECT queryid AS id, sum(calls)::bigint AS calls, sum({time})::float8 AS total_ms, sum(rows)::bigint AS rows
  FROM {schema}.pg_stat_statements(false)
  WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()){top}
  GROUP BY queryid ORDER BY 3 DESC LIMIT {MOST_STATEMENTS}) x)::text AS statements,
  (date_part('epoch', clock_timestamp() - now()) * 1000000)::bigint AS took"
    )
    .into()
}

/// Texts of statements not met before. Parameter: the ids.
pub fn texts(e: &Extension, ids: &[i64]) -> Arc<str> {
    let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "/* warroom: texts */ SELECT (SELECT json_agg(x) FROM (
  SELECT queryid AS id, left(min(query), {LONGEST_QUERY}) AS query FROM {}.pg_stat_statements(true)
  WHERE queryid IN ({list}) GROUP BY 1) x)::text AS texts, (date_part('epoch', clock_timestamp() - now()) * 1000000)::bigint AS took",
        e.schema
    )
    .into()
}
