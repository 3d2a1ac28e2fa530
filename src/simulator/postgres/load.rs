//! Rows into the tables of the four systems: in bulk, and again when they have changed.
//!
//! Owns one connection for each system, the staging tables, and how each row becomes columns. A later row
//! replaces an earlier one of the same key, as with [`Rows`] everywhere. May not know: where rows come from.

use super::copy::Sheet;
use super::row::{book, callback, event, order, payment, saga};
use super::{DATABASES, Ground, says, schema};
use crate::model::Lapse;
use crate::model::order::{Callback, OrderEvent, Rows};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

/// Rows of one transaction: enough to be fast, few enough for others to get at the table in between.
const CHUNK: usize = 20_000;

/// Loads rows into a server.
#[derive(Debug)]
pub struct Loader {
    docks: BTreeMap<&'static str, Dock>,
}

/// The way into one system.
#[derive(Debug)]
struct Dock {
    system: &'static str,
    options: PgConnectOptions,
    conn: Option<PgConnection>,
    by: Lapse,
    /// Tables that were asked whether they are empty.
    asked: BTreeSet<&'static str>,
}

/// How the rows of a role go into their table.
struct Table {
    system: &'static str,
    name: &'static str,
    columns: &'static str,
    /// `ON CONFLICT …`
    conflict: &'static str,
}

const ORDERS: Table = Table {
    system: "mrg",
    name: "orders",
    columns: "order_id, created_at, status, amount, payment_method, region, service_type, saga_step, trace_id, pod, updated_at",
    conflict: "(order_id) DO UPDATE SET created_at = excluded.created_at, status = excluded.status, amount = excluded.amount, \
               payment_method = excluded.payment_method, region = excluded.region, service_type = excluded.service_type, \
               saga_step = excluded.saga_step, trace_id = excluded.trace_id, version = t.version + 1, pod = excluded.pod, \
               updated_at = excluded.updated_at",
};
const EVENTS: Table = Table {
    system: "orch",
    name: "order_events",
    columns: "order_id, at, from_status, to_status, actor, version",
    conflict: "(order_id, at, to_status, actor) DO UPDATE SET from_status = excluded.from_status, version = excluded.version",
};
const SAGA: Table = Table {
    system: "orch",
    name: "saga",
    columns: "order_id, step, attempt, state, at, error",
    conflict: "(order_id, step, attempt) DO UPDATE SET state = excluded.state, at = excluded.at, error = excluded.error",
};
const PAYMENTS: Table = Table {
    system: "upg",
    name: "payments",
    columns: "upg_ref, order_id, amount, payment_status, payment_method, created_at, settled_at, gateway_ms",
    conflict: "(upg_ref) DO UPDATE SET order_id = excluded.order_id, amount = excluded.amount, \
               payment_status = excluded.payment_status, payment_method = excluded.payment_method, \
               created_at = excluded.created_at, settled_at = excluded.settled_at, gateway_ms = excluded.gateway_ms",
};
const CALLBACKS: Table = Table {
    system: "upg",
    name: "callbacks",
    columns: "upg_ref, order_id, target, attempt, sent_at, http_status",
    conflict: "(upg_ref, order_id, target, attempt) DO UPDATE SET sent_at = excluded.sent_at, http_status = excluded.http_status",
};
const BOOKS: Table = Table {
    system: "ho",
    name: "ho_payments",
    columns: "ho_ref, upg_ref, order_id, amount, recorded_at",
    conflict: "(ho_ref) DO UPDATE SET upg_ref = excluded.upg_ref, order_id = excluded.order_id, amount = excluded.amount, \
               recorded_at = excluded.recorded_at",
};
/// Steps that a transition may name instead of a status.
const STEPS: [&str; 6] = ["CREATE", "RESERVE", "PAY", "RECORD", "RELEASE", "COMPLETE"];

impl Loader {
    /// A loader for claimed ground; every instant is moved by `by` on its way.
    pub fn new(ground: &Ground, by: Lapse) -> Self {
        let dock = |system| {
            let options = ground.admin_options(system).application_name("warroom simulate");
            (system, Dock { system, options, conn: None, by, asked: BTreeSet::new() })
        };
        Self { docks: DATABASES.map(dock).into() }
    }

    /// Loads rows: how many rows of their tables are new or have been replaced. After an error some chunks
    /// may be in; loading the same rows again makes it whole.
    pub async fn load(&mut self, rows: &Rows) -> Result<u64, String> {
        self.load_each(std::slice::from_ref(rows)).await
    }

    /// Loads rows of several roles, the systems side by side. After an error the same holds for all of them.
    pub async fn load_each(&mut self, rows: &[Rows]) -> Result<u64, String> {
        let docks = self.docks.values_mut().map(|dock| async move {
            let mut loaded = 0;
            let here = dock.system;
            for rows in rows.iter().filter(|r| system_of(r) == here) {
                loaded += dock.load(rows).await?;
            }
            Ok::<u64, String>(loaded)
        });
        futures_util::future::try_join_all(docks).await.map(|loaded| loaded.into_iter().sum())
    }

    /// Moves the sequence of order numbers on to `last`, which must be from 1 to the largest `int4`.
    pub async fn number(&mut self, last: i32) -> Result<(), String> {
        let Some(dock) = self.docks.get_mut("mrg") else { return Ok(()) };
        let set = sqlx::query_scalar::<_, i64>("SELECT setval('mrg.order_number', $1)").bind(i64::from(last));
        let set = set.fetch_one(dock.connection().await?).await;
        set.map(|_last| ()).map_err(|e| dock.lost("order_number", &e))
    }

    /// Ends its connections.
    pub async fn close(self) {
        for conn in self.docks.into_values().filter_map(|d| d.conn) {
            let _ = conn.close().await;
        }
    }
}

/// Whose tables the rows belong to.
pub const fn system_of(rows: &Rows) -> &'static str {
    match rows {
        Rows::Orders(_) | Rows::OrdersAgg(_) => "mrg",
        Rows::OrderEvents(_) | Rows::Saga(_) => "orch",
        Rows::Payments(_) | Rows::Callbacks(_) | Rows::CallbackQueue(_) => "upg",
        Rows::HoPayments(_) => "ho",
    }
}

impl Dock {
    async fn load(&mut self, rows: &Rows) -> Result<u64, String> {
        match rows {
            Rows::Orders(r) => self.load_all(&ORDERS, last_of(r, |o| &o.order_id), order).await,
            Rows::OrderEvents(r) => {
                let key = |e: &&OrderEvent| (e.order_id.clone(), e.at, e.to.clone(), e.actor.clone());
                let loaded = self.load_all(&EVENTS, last_of(r, key), event).await?;
                let steps: Vec<&OrderEvent> = r.iter().filter(|e| STEPS.contains(&e.to.as_ref())).collect();
                let steps = last_of(steps, |e| (e.order_id.clone(), e.to.clone()));
                Ok(loaded + self.load_all(&SAGA, steps, saga).await?)
            }
            Rows::Payments(r) => self.load_all(&PAYMENTS, last_of(r, |p| &p.upg_ref), payment).await,
            Rows::Callbacks(r) => {
                let key = |c: &&Callback| (c.upg_ref.clone(), c.order_id.clone(), c.target.clone(), c.attempt);
                self.load_all(&CALLBACKS, last_of(r, key), callback).await
            }
            Rows::HoPayments(r) => self.load_all(&BOOKS, last_of(r, |h| &h.ho_ref), book).await,
            // Steps come with the transitions; counts and queues are computed from the tables.
            Rows::Saga(_) | Rows::OrdersAgg(_) | Rows::CallbackQueue(_) => Ok(0),
        }
    }

    async fn load_all<T>(
        &mut self,
        to: &Table,
        rows: Vec<&T>,
        write: fn(&mut Sheet, &T, Lapse),
    ) -> Result<u64, String> {
        let mut loaded = 0;
        let empty = !rows.is_empty() && self.finds_empty(to).await?;
        for chunk in rows.chunks(CHUNK) {
            let mut sheet = Sheet::default();
            for row in chunk {
                write(&mut sheet, row, self.by);
                sheet.row();
            }
            let conn = self.connection().await?;
            let done = if empty { fill(conn, to, &sheet).await } else { merge(conn, to, &sheet).await };
            match done {
                Ok(n) => loaded += n,
                Err(e) => return Err(self.lost(to.name, &e)),
            }
        }
        Ok(loaded)
    }

    /// Whether a table is empty, asked once: all rows of the first load can then go straight into it.
    async fn finds_empty(&mut self, to: &Table) -> Result<bool, String> {
        if !self.asked.insert(to.name) {
            return Ok(false);
        }
        let sql = format!("SELECT NOT EXISTS (SELECT FROM {}.{})", to.system, to.name);
        let empty = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(self.connection().await?).await;
        empty.map_err(|e| self.lost(to.name, &e))
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, String> {
        let opened = match self.conn.take() {
            Some(open) => open,
            None => PgConnection::connect_with(&self.options)
                .await
                .map_err(|e| format!("rows for {} cannot be loaded: {}", self.system, says(&e)))?,
        };
        Ok(self.conn.insert(opened))
    }

    /// After an error the connection may stand anywhere: the next load begins with a fresh one.
    fn lost(&mut self, table: &str, e: &sqlx::Error) -> String {
        self.conn = None;
        format!("rows could not be loaded into {}.{table}: {}", self.system, says(e))
    }
}

/// The same rows with those of each role in one: many small hand-overs cost more than one large one.
pub fn merged(rows: impl IntoIterator<Item = Rows>) -> Vec<Rows> {
    let mut out: Vec<Rows> = Vec::new();
    for more in rows {
        let role = more.role();
        let Some(have) = out.iter_mut().find(|have| have.role() == role) else {
            out.push(more);
            continue;
        };
        match (have, more) {
            (Rows::Orders(have), Rows::Orders(more)) => have.extend(more),
            (Rows::OrderEvents(have), Rows::OrderEvents(more)) => have.extend(more),
            (Rows::Payments(have), Rows::Payments(more)) => have.extend(more),
            (Rows::Callbacks(have), Rows::Callbacks(more)) => have.extend(more),
            (Rows::HoPayments(have), Rows::HoPayments(more)) => have.extend(more),
            // The roles are equal.
            _ => {}
        }
    }
    out
}

/// Rows into a table that has none: nothing can be in the way.
async fn fill(conn: &mut PgConnection, to: &Table, sheet: &Sheet) -> Result<u64, sqlx::Error> {
    let Table { system, name, columns, .. } = *to;
    let mut copy = conn.copy_in_raw(&format!("COPY {system}.{name} ({columns}) FROM STDIN")).await?;
    copy.send(sheet.bytes()).await?;
    copy.finish().await
}

/// Rows into a table that has some, perhaps the same.
async fn merge(conn: &mut PgConnection, to: &Table, sheet: &Sheet) -> Result<u64, sqlx::Error> {
    let Table { system, name, columns, conflict } = *to;
    let stage = format!("stage_{name}");
    let begin = format!(
        "BEGIN; CREATE TEMP TABLE IF NOT EXISTS {stage} (LIKE {system}.{name} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
    );
    schema::run(conn, &begin).await?;
    let mut copy = conn.copy_in_raw(&format!("COPY {stage} ({columns}) FROM STDIN")).await?;
    copy.send(sheet.bytes()).await?;
    copy.finish().await?;
    let insert =
        format!("INSERT INTO {system}.{name} AS t ({columns}) SELECT {columns} FROM {stage} ON CONFLICT {conflict}");
    let done = sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut *conn).await?.rows_affected();
    schema::run(conn, "COMMIT").await?;
    Ok(done)
}

/// The last row of each key, in the order in which they were given: one statement may replace a row once.
fn last_of<T, K: Hash + Eq>(rows: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut at: HashMap<K, usize> = HashMap::new();
    let mut out: Vec<T> = Vec::new();
    for row in rows {
        match at.entry(key(&row)) {
            std::collections::hash_map::Entry::Occupied(place) => out[*place.get()] = row,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(out.len());
                out.push(row);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stamp;

    #[test]
    fn of_rows_with_one_key_the_last_is_kept_at_the_place_of_the_first() {
        let rows = [("a", 1), ("b", 2), ("a", 3), ("c", 4)];
        assert_eq!(last_of(rows, |(key, _)| *key), [("a", 3), ("b", 2), ("c", 4)]);
    }

    #[test]
    fn rows_of_a_role_are_put_together_in_their_order() {
        let event = |n: i64| OrderEvent {
            order_id: "o".into(),
            at: Stamp(n),
            from: None,
            to: "ACTIVE".into(),
            actor: None,
            version: None,
        };
        let events = |of: &[i64]| Rows::OrderEvents(of.iter().map(|n| event(*n)).collect());
        let books = || Rows::HoPayments(Vec::new());
        assert_eq!(merged([events(&[3, 1]), books(), events(&[2]), books()]), [events(&[3, 1, 2]), books()]);
    }
}
