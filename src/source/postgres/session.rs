//! The one session with a database: opened with its limits, checked that the server keeps them, used for
//! everything that is asked there.
//!
//! Limits travel in the startup packet, not in `SET`: through a pooler a `SET` would stay behind in a
//! session of the applications, while a pooler refuses or drops startup options, and both are noticed.

use crate::config::DatabaseConfig;
use crate::model::{Lapse, Stamp};
use crate::source::clock;
use crate::source::postgres::sql::{self, Extension};
use crate::source::postgres::trouble::{self, Trouble, Whom};
use crate::source::runner::Condition;
use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, PgStatement};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, SqlSafeStr as _, Statement as _,
};
use std::str::FromStr as _;
use std::sync::Arc;
use tokio::time::timeout;

/// Our name in `pg_stat_activity`.
pub const APPLICATION: &str = "warroom";
/// Beyond the server's own limit, this much time for the way there and back.
const GRACE: Lapse = Lapse::seconds(2);
/// A transaction of ours that waits for us this long is ended by the server.
const IDLE_IN_TRANSACTION: Lapse = Lapse::seconds(10);

/// A session that keeps our limits.
pub struct Session {
    conn: PgConnection,
    limit: Lapse,
    limits: (i64, i64),
    spent: Spent,
    /// What the server is.
    pub server: Server,
}

/// What was sent and received since last asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Statements.
    pub requests: u32,
    /// Bytes of values received.
    pub bytes: u64,
}

/// What a server says of itself and of us when a session begins.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// `server_version_num`.
    pub version: i32,
    /// Our backend: process id and start, which together name it for ever.
    pub backend: (i32, i64),
    /// Role in force.
    pub role: String,
    /// Database.
    pub database: String,
    /// Whether the role is a superuser.
    pub superuser: bool,
    /// Whether it is a replica.
    pub replica: bool,
    /// Whether sessions of others are visible.
    pub sees_all: bool,
    /// Its clock minus ours.
    pub skew: Lapse,
    /// `server_version`, for people.
    pub version_text: String,
    /// `pg_stat_statements`, where it is installed in this database.
    pub extension: Option<Extension>,
}

/// The options of a URL, or why it is none. Never quotes the URL.
pub fn options(url: &str, config: &DatabaseConfig) -> Result<PgConnectOptions, Condition> {
    let name = &config.name;
    let wrong = |what: String| Condition::down("url", format!("{name}: {what}"), trouble::URL_FORM);
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(wrong("url in [[db]] is not a connection URL".to_owned()));
    }
    if let Some(key) = unknown_key(url) {
        return Err(wrong(format!("url in [[db]] has a parameter {key} that is not known here")));
    }
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| wrong("url in [[db]] cannot be read: a part of it is malformed".to_owned()))?;
    let ms = |l: Lapse| (l.0 / 1000).max(1).to_string();
    Ok(options
        .application_name(APPLICATION)
        .extra_float_digits(None)
        .statement_cache_capacity(64)
        .options([
            ("default_transaction_read_only", "on"),
            ("statement_timeout", &ms(config.statement_timeout)),
            ("lock_timeout", &ms(config.lock_timeout)),
            ("idle_in_transaction_session_timeout", &ms(IDLE_IN_TRANSACTION)),
            // A bastion that vanishes must not leave a session behind for two hours.
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
            // One look is one core at most.
            ("max_parallel_workers_per_gather", "0"),
        ])
        .disable_statement_logging())
}

/// Parameters of a URL that the driver would only remark upon in a log, value included.
fn unknown_key(url: &str) -> Option<&str> {
    const KNOWN: [&str; 18] = [
        "sslmode",
        "ssl-mode",
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "statement-cache-capacity",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "application_name",
        "options",
    ];
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(key, _)| key))
        .find(|key| !KNOWN.contains(key) && !key.starts_with("options[") && !key.is_empty())
}

/// Who is spoken of, from the options.
pub fn whom(name: &str, options: &PgConnectOptions) -> Whom {
    let place = match options.get_socket() {
        Some(socket) => format!("{} port {}", socket.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let role = options.get_username().to_owned();
    let database = options.get_database().unwrap_or(&role).to_owned();
    Whom { source: name.to_owned(), place, role, database }
}

const HELLO: &str = "/* warroom: hello */ SELECT current_setting('server_version_num')::int AS version, split_part(current_setting('server_version'), ' ', 1) AS version_text,
  pg_backend_pid() AS pid,
  (SELECT (date_part('epoch', backend_start) * 1000000)::bigint FROM pg_stat_get_activity(pg_backend_pid())) AS started,
  current_user::text AS role, current_database()::text AS database, current_setting('is_superuser') = 'on' AS superuser,
  pg_is_in_recovery() AS replica, pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
  current_setting('default_transaction_read_only') AS read_only, current_setting('application_name') AS application,
  (SELECT setting FROM pg_settings WHERE name = 'statement_timeout') AS statement_timeout,
  (SELECT setting FROM pg_settings WHERE name = 'lock_timeout') AS lock_timeout,
  (date_part('epoch', clock_timestamp()) * 1000000)::bigint AS at";

impl Session {
    /// Opens a session and makes sure the server keeps our limits in it.
    pub async fn open(config: &DatabaseConfig, options: &PgConnectOptions) -> Result<Self, Trouble> {
        let limit = config.connect_timeout;
        let conn = timeout(limit.to_std(), PgConnection::connect_with(options))
            .await
            .map_err(|_| Trouble::NoConnection(limit))??;
        let ms = |l: Lapse| (l.0 / 1000).max(1);
        let limits = (ms(config.statement_timeout), ms(config.lock_timeout));
        let mut session = Self {
            conn,
            limits,
            limit: config.statement_timeout + GRACE,
            spent: Spent::default(),
            server: Server::default(),
        };
        let before = clock::now();
        let row = session.one(HELLO.into()).await?;
        let after = clock::now();
        session.server = Server {
            version: row.try_get("version")?,
            version_text: row.try_get("version_text")?,
            backend: (row.try_get("pid")?, row.try_get::<Option<i64>, _>("started")?.unwrap_or_default()),
            role: row.try_get("role")?,
            database: row.try_get("database")?,
            superuser: row.try_get("superuser")?,
            replica: row.try_get("replica")?,
            sees_all: row.try_get("sees_all")?,
            skew: skew(Stamp(row.try_get("at")?), before, after),
            extension: None,
        };
        let kept: [&str; 4] = [
            row.try_get("read_only")?,
            row.try_get("application")?,
            row.try_get("statement_timeout")?,
            row.try_get("lock_timeout")?,
        ];
        if kept != ["on", APPLICATION, &limits.0.to_string(), &limits.1.to_string()] {
            let whom = whom(&config.name, options);
            return Err(Trouble::Refused(trouble::pooler(
                &whom,
                "default_transaction_read_only and our limits did not arrive",
            )));
        }
        if session.server.version < 120_000 {
            let says = format!("{} is PostgreSQL {}; warroom knows 12 to 18", config.name, session.server.version_text);
            return Err(Trouble::Refused(Condition::down(
                "too old",
                says,
                "Upgrade the server, or remove its [[db]].",
            )));
        }
        session.notice_a_lost_client().await?;
        session.find_extension().await?;
        Ok(session)
    }

    /// From 14 on a backend can look now and then whether its client is still there; one that is busy
    /// with our statement after we are gone then ends by itself. Not every platform has it.
    async fn notice_a_lost_client(&mut self) -> Result<(), Trouble> {
        if self.server.version < 140_000 {
            return Ok(());
        }
        match self.run("SET client_connection_check_interval = '1s'".into()).await {
            Err(trouble) if !trouble.spares_the_session() => Err(trouble),
            _ => Ok(()),
        }
    }

    /// Looks whether and how `pg_stat_statements` is installed in this database.
    pub async fn find_extension(&mut self) -> Result<(), Trouble> {
        let rows = self.all(sql::EXTENSION.into()).await?;
        self.server.extension = match rows.first() {
            None => None,
            Some(row) => Some(Extension {
                schema: row.try_get("schema")?,
                exec: row.try_get("exec")?,
                toplevel: row.try_get("toplevel")?,
            }),
        };
        Ok(())
    }

    /// What was sent and received since the last call.
    pub fn spent(&mut self) -> Spent {
        std::mem::take(&mut self.spent)
    }

    /// One prepared statement without parameters that gives one row.
    pub async fn one(&mut self, sql: Arc<str>) -> Result<PgRow, Trouble> {
        self.spent.requests += 1;
        let row = within(self.limit, sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut self.conn)).await?;
        self.spent.bytes += size(&row);
        Ok(row)
    }

    /// One statement that is not worth keeping prepared.
    pub async fn one_unprepared(&mut self, sql: Arc<str>) -> Result<PgRow, Trouble> {
        self.spent.requests += 1;
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        let row = within(self.limit, query.fetch_one(&mut self.conn)).await?;
        self.spent.bytes += size(&row);
        Ok(row)
    }

    /// One prepared statement without parameters.
    pub async fn all(&mut self, sql: Arc<str>) -> Result<Vec<PgRow>, Trouble> {
        self.spent.requests += 1;
        let rows = within(self.limit, sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.conn)).await?;
        self.spent.bytes += rows.iter().map(size).sum::<u64>();
        Ok(rows)
    }

    /// Statements in one message, unprepared; what they return is not looked at.
    pub async fn run(&mut self, sql: String) -> Result<(), Trouble> {
        self.spent.requests += 1;
        within(self.limit, sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.conn)).await.map(|_| ())
    }

    /// Prepares a statement whose parameter types the server infers.
    pub async fn prepare(&mut self, sql: Arc<str>) -> Result<PgStatement, Trouble> {
        within(self.limit, (&mut self.conn).prepare_with(AssertSqlSafe(sql).into_sql_str(), &[])).await
    }

    /// Runs a prepared statement.
    pub async fn fetch(&mut self, statement: &PgStatement, arguments: PgArguments) -> Result<Vec<PgRow>, Trouble> {
        self.spent.requests += 1;
        let rows = within(self.limit, statement.query_with(arguments).fetch_all(&mut self.conn)).await?;
        self.spent.bytes += rows.iter().map(size).sum::<u64>();
        Ok(rows)
    }

    /// Runs a prepared statement and hands each row on as it comes; none of them is kept, nor its bytes counted.
    pub async fn each(
        &mut self,
        statement: &PgStatement,
        arguments: PgArguments,
        mut to: impl FnMut(&PgRow),
    ) -> Result<(), Trouble> {
        self.spent.requests += 1;
        let conn = &mut self.conn;
        let answer = async {
            let mut rows = statement.query_with(arguments).fetch(conn);
            while let Some(row) = rows.try_next().await? {
                to(&row);
            }
            Ok(())
        };
        within(self.limit, answer).await
    }

    /// One statement with parameters that is not worth keeping prepared.
    pub async fn with(&mut self, sql: Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, Trouble> {
        self.spent.requests += 1;
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false);
        let rows = within(self.limit, query.fetch_all(&mut self.conn)).await?;
        self.spent.bytes += rows.iter().map(size).sum::<u64>();
        Ok(rows)
    }

    /// Forgets prepared statements: the tables below them may have changed.
    pub async fn forget(&mut self) -> Result<(), Trouble> {
        within(self.limit, self.conn.clear_cached_statements()).await
    }

    /// `statement_timeout` and `lock_timeout` in milliseconds.
    pub const fn limits(&self) -> (i64, i64) {
        self.limits
    }

    /// Says goodbye, briefly.
    pub async fn close(self) {
        let _ = timeout(Lapse::seconds(1).to_std(), self.conn.close()).await;
    }
}

/// The remote's clock minus ours: it was read somewhere between the two, most likely half-way.
pub fn skew(at: Stamp, before: Stamp, after: Stamp) -> Lapse {
    at.since(before + Lapse(after.since(before).0 / 2))
}

async fn within<T>(limit: Lapse, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Trouble> {
    match timeout(limit.to_std(), answer).await {
        Ok(result) => result.map_err(Trouble::Sql),
        Err(_elapsed) => Err(Trouble::NoAnswer(limit)),
    }
}

fn size(row: &PgRow) -> u64 {
    let of = |i: usize| row.try_get_raw(i).ok().and_then(|v| v.as_bytes().ok().map(|b| b.len() as u64));
    (0..row.len()).filter_map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn config() -> DatabaseConfig {
        DatabaseConfig {
            name: "mrg".into(),
            url: Secret::Plain(String::new().into()),
            interval: Lapse::seconds(15),
            statement_timeout: Lapse::seconds(3),
            lock_timeout: Lapse::millis(200),
            connect_timeout: Lapse::seconds(5),
            watch: true,
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_never_quoted() {
        for url in [
            "host=db user=warroom password=hunter2",
            "postgres://w:hunter2@db/mrg?passwd=hunter2",
            "postgres://w:hunter2@[db/x",
        ] {
            let c = options(url, &config()).unwrap_err();
            assert!(!c.says.raw().contains("hunter2") && !c.remedy.raw().contains("hunter2"), "{}", c.says.raw());
            assert_eq!(c.code, "url");
        }
    }

    #[test]
    fn our_limits_come_after_those_in_the_url_so_that_they_win() {
        let o = options("postgres://w@db/mrg?options=-c%20statement_timeout%3D0", &config()).unwrap();
        let text = o.get_options().unwrap();
        assert!(text.rfind("statement_timeout=3000") > text.find("statement_timeout=0"), "{text}");
        assert_eq!(o.get_application_name(), Some("warroom"));
    }

    #[test]
    fn skew_is_taken_from_the_middle_of_the_round_trip() {
        assert_eq!(skew(Stamp(1_000), Stamp(100), Stamp(300)), Lapse(800));
    }
}
