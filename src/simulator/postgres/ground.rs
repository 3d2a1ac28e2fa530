//! A server that was given to us: claimed, built upon, and cleared.
//!
//! Owns what may be created where, and every refusal: a server elsewhere, names that somebody else took, a
//! second simulation on the same server. Nothing that does not carry our marker is ever changed or dropped.
//! May not know: what happens in the tables afterwards.

use super::{DATABASES, code, says, schema};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Tenths of a second that another one is waited for.
const LEAVING: u32 = 30;

/// The role of the sessions: no superuser, so that the server really refuses it when it is full.
pub const ROLE: &str = "warroom_simulate";
/// By this comment we know our own role.
const COMMENT: &str = "made by warroom simulate";
/// The lock by which a second simulation on the same server is noticed: any number that is ours.
const CLAIM: i64 = 0x0077_6172_726f_6f6d;
/// How long a server may take to let us in.
const PATIENCE: Duration = Duration::from_secs(10);

/// What may be done with a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Take a server that is not on this machine too.
    pub anywhere: bool,
    /// Leave everything in place at the end.
    pub keep: bool,
}

/// A server with our tables in it, for as long as this is kept.
#[derive(Debug)]
pub struct Ground {
    admin: PgConnection,
    options: PgConnectOptions,
    /// Whether each system has a database of its own.
    apart: bool,
    /// Role and password of the sessions, where one of ours could be made.
    role: Option<String>,
    keep: bool,
    /// `max_connections`, and how many of them are not for everybody.
    connections: (u32, u32),
    /// `server_version_num`.
    version: i32,
    /// Whose tables stand here.
    systems: Vec<&'static str>,
}

/// Who connects, and what may be created.
struct Rights {
    user: String,
    superuser: bool,
    databases: bool,
    roles: bool,
}

impl Ground {
    /// The same by a URL, which is never quoted: there may be a password in it.
    pub async fn claim_url(url: &str, claim: Claim) -> Result<Self, String> {
        match url.parse() {
            Ok(options) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Self::claim(&options, claim).await
            }
            _ => Err("a server is named by a URL: postgres://ROLE@127.0.0.1:5432/postgres".to_owned()),
        }
    }

    /// Claims a server and creates everything, or says why it may not be taken. What an earlier simulation
    /// left behind is made anew.
    pub async fn claim(options: &PgConnectOptions, claim: Claim) -> Result<Self, String> {
        Self::claim_for(options, claim, &DATABASES).await
    }

    /// The same for some of the systems.
    pub async fn claim_for(options: &PgConnectOptions, claim: Claim, systems: &[&'static str]) -> Result<Self, String> {
        if !claim.anywhere && !is_here(options) {
            return Err(format!(
                "{} is not on this machine, and a simulation fills the server with sessions and locks: name a server \
                 on loopback, or add --anywhere if nobody else needs that one",
                place(options)
            ));
        }
        let options = options.clone().application_name("warroom simulate").disable_statement_logging();
        let mut admin = connect(&options).await?;
        let rights = rights(&mut admin).await.map_err(|e| asked(&e))?;
        // One that was ended a moment ago may still be on its way out.
        let mut free = false;
        for _ in 0..LEAVING {
            free = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(CLAIM)
                .fetch_one(&mut admin)
                .await
                .map_err(|e| asked(&e))?;
            if free {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        if !free {
            return Err(format!(
                "another warroom simulate is at work on {}: end it first, or name another server",
                place(&options)
            ));
        }
        let apart = rights.databases;
        refuse_strangers(&mut admin, &options, apart).await?;
        let (connections, version) = connections(&mut admin).await.map_err(|e| asked(&e))?;
        let systems = systems.to_vec();
        let mut ground = Self { admin, options, apart, role: None, keep: claim.keep, connections, version, systems };
        ground.tear_down().await?;
        ground.build(&rights).await?;
        Ok(ground)
    }

    async fn build(&mut self, rights: &Rights) -> Result<(), String> {
        if rights.roles || rights.superuser {
            let password: String = std::iter::repeat_with(fastrand::alphanumeric).take(24).collect();
            let sql = format!(
                "CREATE ROLE {ROLE} LOGIN NOSUPERUSER PASSWORD '{password}'; COMMENT ON ROLE {ROLE} IS '{COMMENT}'"
            );
            schema::run(&mut self.admin, &sql)
                .await
                .map_err(|e| format!("the role {ROLE} could not be created: {}", says(&e)))?;
            self.role = Some(password);
        }
        let reader = if self.role.is_some() { ROLE.to_owned() } else { quoted(&rights.user) };
        for system in self.systems.clone() {
            if self.apart {
                schema::run(&mut self.admin, &format!("CREATE DATABASE {system}"))
                    .await
                    .map_err(|e| format!("the database {system} could not be created: {}", says(&e)))?;
            }
            let mut conn = connect(&self.admin_options(system)).await?;
            schema::create(&mut conn, system, &reader).await?;
            if rights.superuser {
                schema::statements(&mut conn).await?;
            }
            let _ = conn.close().await;
        }
        Ok(())
    }

    /// How our sessions connect to a system, with its tables found by their bare names.
    pub fn options(&self, system: &str) -> PgConnectOptions {
        let options = self.admin_options(system);
        match &self.role {
            Some(password) => options.username(ROLE).password(password),
            None => options,
        }
    }

    /// How the owner of the tables connects to a system.
    pub fn admin_options(&self, system: &str) -> PgConnectOptions {
        let options = if self.apart { self.options.clone().database(system) } else { self.options.clone() };
        let path = format!("{system},public");
        // A limit that the server has for its applications would end our scenery.
        options.options([
            ("search_path", path.as_str()),
            ("statement_timeout", "0"),
            ("lock_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
        ])
    }

    /// `max_connections`, less those that are reserved.
    pub const fn usable(&self) -> u32 {
        self.connections.0.saturating_sub(self.connections.1)
    }

    /// `server_version_num` of the server.
    pub const fn version(&self) -> i32 {
        self.version
    }

    /// What stands there because of us, for people.
    pub fn describe(&self) -> String {
        let what = if self.apart { "databases" } else { "schemas" };
        let role = if self.role.is_some() { format!(" and the role {ROLE}") } else { String::new() };
        let end = if self.keep { "They stay (--keep)" } else { "They are dropped at the end" };
        format!(
            "{}: {what} {}{role}, up to {} sessions. {end}.",
            place(&self.options),
            self.systems.join(", "),
            self.usable()
        )
    }

    /// Drops what was created, unless it is to be kept.
    pub async fn clear(mut self) -> Result<(), String> {
        if self.keep {
            return Ok(());
        }
        // The server may have been restarted since.
        if self.admin.ping().await.is_err() {
            self.admin = connect(&self.options).await?;
        }
        let cleared = self.tear_down().await;
        let _ = self.admin.close().await;
        cleared
    }

    /// Drops everything of ours. [`refuse_strangers`] has looked before that nothing else has these names.
    async fn tear_down(&mut self) -> Result<(), String> {
        for system in self.systems.clone() {
            let dropped = if self.apart {
                self.drop_database(system).await
            } else {
                schema::run(&mut self.admin, &format!("DROP SCHEMA IF EXISTS {system} CASCADE")).await
            };
            dropped.map_err(|e| {
                format!("{system} on {} could not be dropped: {}. Drop it yourself", place(&self.options), says(&e))
            })?;
        }
        let ours = "SELECT count(*) FROM pg_roles r WHERE rolname = $1 AND shobj_description(r.oid, 'pg_authid') = $2";
        let ours: i64 = sqlx::query_scalar(ours)
            .bind(ROLE)
            .bind(COMMENT)
            .fetch_one(&mut self.admin)
            .await
            .map_err(|e| asked(&e))?;
        if ours > 0 {
            schema::run(&mut self.admin, &format!("DROP ROLE {ROLE}"))
                .await
                .map_err(|e| format!("the role {ROLE} could not be dropped: {}. Drop it yourself", says(&e)))?;
        }
        Ok(())
    }

    /// Whoever is still connected to a database of ours is sent away: it is going.
    async fn drop_database(&mut self, system: &str) -> Result<(), sqlx::Error> {
        let away = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
        let mut last = Ok(());
        for _ in 0..40 {
            let _: i64 = sqlx::query_scalar(away).bind(system).fetch_one(&mut self.admin).await?;
            last = schema::run(&mut self.admin, &format!("DROP DATABASE IF EXISTS {system}")).await;
            // 55006: somebody is still leaving.
            match &last {
                Err(e) if code(e).as_deref() == Some("55006") => sleep(Duration::from_millis(100)).await,
                _ => break,
            }
        }
        last
    }
}

/// Refuses a server where one of our names belongs to somebody else.
async fn refuse_strangers(admin: &mut PgConnection, options: &PgConnectOptions, apart: bool) -> Result<(), String> {
    let taken = |what: &str, name: &str| {
        Err(format!(
            "{} has a {what} {name} that warroom simulate did not make, so this server is not touched: name an empty \
             server, or rename or drop that {what}",
            place(options)
        ))
    };
    for system in DATABASES {
        if apart {
            let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(system)
                .fetch_one(&mut *admin)
                .await
                .map_err(|e| asked(&e))?;
            if !exists {
                continue;
            }
            let mut inside = connect(&options.clone().database(system)).await?;
            let whose = schema::whose(&mut inside, system).await.map_err(|e| asked(&e))?;
            let _ = inside.close().await;
            if whose != Some(true) {
                return taken("database", system);
            }
        } else if schema::whose(admin, system).await.map_err(|e| asked(&e))? == Some(false) {
            return taken("schema", system);
        }
    }
    let comment = "SELECT coalesce(shobj_description(r.oid, 'pg_authid'), '') FROM pg_roles r WHERE rolname = $1";
    let comment: Option<String> =
        sqlx::query_scalar(comment).bind(ROLE).fetch_optional(admin).await.map_err(|e| asked(&e))?;
    match comment {
        Some(comment) if comment != COMMENT => taken("role", ROLE),
        _ => Ok(()),
    }
}

async fn rights(admin: &mut PgConnection) -> Result<Rights, sqlx::Error> {
    let sql = "SELECT rolname::text, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user";
    let row = sqlx::query(sql).fetch_one(admin).await?;
    let superuser: bool = row.try_get(1)?;
    let databases = superuser || row.try_get(2)?;
    Ok(Rights { user: row.try_get(0)?, superuser, databases, roles: superuser || row.try_get(3)? })
}

/// `max_connections`, and what of it only some may use; and the server's version.
async fn connections(admin: &mut PgConnection) -> Result<((u32, u32), i32), sqlx::Error> {
    let sql = "SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int \
               + coalesce(current_setting('reserved_connections', true)::int, 0), current_setting('server_version_num')::int";
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(admin).await?;
    Ok(((row.try_get::<i32, _>(0)? as u32, row.try_get::<i32, _>(1)? as u32), row.try_get(2)?))
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, String> {
    let there = place(options);
    match timeout(PATIENCE, PgConnection::connect_with(options)).await {
        Ok(Ok(conn)) => Ok(conn),
        Ok(Err(e)) => Err(format!("{there} does not let us in: {}. Check the URL, and that the server runs", says(&e))),
        Err(_elapsed) => Err(format!("{there} did not answer within {} s: check host and port", PATIENCE.as_secs())),
    }
}

fn asked(e: &sqlx::Error) -> String {
    format!("the server could not be looked into: {}", says(e))
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether the server stands on this machine, as far as its address says.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host == "localhost"
        || host.starts_with('/')
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Where a server is, without role and password.
fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => format!("{} port {}", socket.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}
