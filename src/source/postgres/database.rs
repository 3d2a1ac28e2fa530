//! One database: its session, the looks at its statistics, and the operator's queries that run there.
//!
//! All of it goes through one task and one session, one thing after the other, so nothing that anybody
//! asks can open a second connection. What is due first is decided here; waiting is the runner's.

use crate::config::DatabaseConfig;
use crate::model::database::{DbSample, Limited};
use crate::model::health::Cost;
use crate::model::{Fact, Lapse, Stamp};
use crate::source::clock;
use crate::source::orders::Asks;
use crate::source::postgres::look::{self, Raw};
use crate::source::postgres::session::{self, Session};
use crate::source::postgres::sql;
use crate::source::postgres::statements::{Statements, json, text};
use crate::source::postgres::trouble::{Trouble, Whom};
use crate::source::runner::{Condition, Failure, Next, Pace, Poll, Round, lapse};
use secrecy::ExposeSecret as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use tokio::time::Instant;

/// Every how-manieth look reads `pg_stat_statements` too.
const STATEMENTS_EACH: u32 = 4;
/// Nobody looks more often than this; a configuration does not ask for less than a second.
const LEAST: Lapse = Lapse::millis(100);
/// Sessions of ours that hang in the server: with this many, no further one is used.
const MOST_HANGING: usize = 2;

/// The source of one `[[db]]`.
pub struct Database {
    config: DatabaseConfig,
    whom: Whom,
    session: Option<Session>,
    /// The backend of the last session, until it is known to have ended.
    last: Option<(i32, i64)>,
    hanging: Vec<(i32, i64)>,
    statements: Statements,
    /// What the last reading of the statements could not see.
    notes: Vec<Limited>,
    looks: u32,
    pace: Pace,
    due: Instant,
    asks: Asks,
}

/// What a poll did for the database's own name.
#[derive(Default)]
struct Done {
    facts: Vec<Fact>,
    cost: Option<Cost>,
}

impl Database {
    /// A source that has not connected yet.
    pub fn new(config: DatabaseConfig, asks: Asks) -> Self {
        let pace = Pace::new(config.interval.max(LEAST));
        let whom = Whom { source: config.name.clone(), ..Whom::default() };
        Self {
            config,
            whom,
            session: None,
            last: None,
            hanging: Vec::new(),
            statements: Statements::default(),
            notes: Vec::new(),
            looks: 0,
            pace,
            due: Instant::now(),
            asks,
        }
    }

    async fn connect(&mut self) -> Result<Session, Trouble> {
        let url = self.config.url.obtain().await.map_err(|says| {
            let says = format!("{}: {says}", self.config.name);
            Trouble::Refused(Condition::down(
                "no secret",
                says,
                "url in [[db]] takes env:NAME, file:/path or cmd:COMMAND.",
            ))
        })?;
        let options = session::options(url.expose_secret(), &self.config).map_err(Trouble::Refused)?;
        self.whom = session::whom(&self.config.name, &options);
        self.hanging.extend(self.last.take());
        let mut session = Session::open(&self.config, &options).await?;
        self.count_hanging(&mut session).await?;
        self.last = Some(session.server.backend);
        self.statements = Statements::default();
        Ok(session)
    }

    /// Sessions we gave up may still hang in the server. One is the price of going on; a second means that
    /// going on would fill the server with ours.
    async fn count_hanging(&mut self, session: &mut Session) -> Result<(), Trouble> {
        if self.hanging.is_empty() {
            return Ok(());
        }
        let list = self.hanging.iter().map(|(pid, start)| format!("'{pid}@{start}'")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT pid, pid || '@' || (date_part('epoch', backend_start) * 1000000)::bigint AS id FROM pg_stat_activity
             WHERE pid || '@' || (date_part('epoch', backend_start) * 1000000)::bigint IN ({list})"
        );
        let alive: Vec<i32> = session.all(sql.into()).await?.iter().filter_map(|r| r.try_get("pid").ok()).collect();
        self.hanging.retain(|(pid, _)| alive.contains(pid));
        if self.hanging.len() < MOST_HANGING {
            return Ok(());
        }
        let pids = self.hanging.iter().map(|(pid, _)| pid.to_string()).collect::<Vec<_>>().join(" and ");
        Err(Trouble::Refused(Condition::down(
            "hanging",
            format!(
                "{}: our sessions {pids} hang in the server and do not end; warroom opens no further one",
                self.config.name
            ),
            format!(
                "Look at what these backends do on the server's host (ps, gdb, disk); they end by themselves when they wake: {pids}."
            ),
        )))
    }

    /// One look; at most three statements.
    async fn look(&mut self, session: &mut Session) -> Result<Done, Trouble> {
        let begun = Instant::now();
        let version = session.server.version;
        let deep = self.looks.is_multiple_of(STATEMENTS_EACH);
        let before = clock::now();
        let row = session.one(sql::look(version, deep || version >= 150_000)).await?;
        let skew = session::skew(Stamp(row.try_get("at")?), before, clock::now());
        let mut server = Lapse(row.try_get::<i64, _>("at")? - row.try_get::<i64, _>("began")?);
        let mut sample: DbSample = json(look::sample(&raw(&row)?, version, &session.server.role))?;
        if deep {
            let reading = self.statements.read(session).await?;
            sample.statements = reading.statements;
            self.notes = reading.limited;
            server = server + reading.server;
        }
        self.looks = self.looks.wrapping_add(1);
        sample.limited.extend(self.notes.iter().cloned());
        self.pace.took(lapse(begun.elapsed()));
        self.due = begun + self.pace.current().to_std();
        session.server.skew = skew;
        let mut cost = cost(Some(session), 0);
        (cost.server, cost.skew, cost.interval) = (Some(server), Some(skew), self.pace.current());
        Ok(Done { facts: vec![Fact::Database(Box::new(sample))], cost: Some(cost) })
    }

    /// Does what is due first: the look before the queries, which wait for it between two pages.
    async fn work(&mut self, session: &mut Session) -> Result<Done, Trouble> {
        let now = Instant::now();
        if self.config.watch && self.due <= now {
            return self.look(session).await;
        }
        // Its answers and what they cost go out under the name `orders`.
        self.asks.step(session).await?;
        Ok(Done::default())
    }

    /// When something is due next.
    fn next(&self, now: Instant) -> Instant {
        let asks = self.asks.due();
        match (self.config.watch, asks) {
            (true, Some(asks)) => self.due.min(asks),
            (true, None) => self.due,
            (false, Some(asks)) => asks,
            (false, None) => now + self.pace.current().to_std(),
        }
    }
}

impl Poll for Database {
    async fn poll(&mut self) -> Result<Round, Failure> {
        // Asked although nothing is due: somebody wants to see everything now.
        let now = Instant::now();
        if self.session.is_some() && self.next(now) > now {
            self.due = now;
            self.asks.all_due(now);
        }
        // The session is out of `self` while it is used: a dropped future drops it too.
        let mut session = match self.session.take() {
            Some(session) => session,
            None => match self.connect().await {
                Ok(session) => session,
                Err(trouble) => return Err(self.failure(&trouble, None).await),
            },
        };
        match self.work(&mut session).await {
            Ok(done) => {
                self.session = Some(session);
                let now = Instant::now();
                let wait = self.next(now).saturating_duration_since(now);
                let next = Next::After(lapse(wait));
                Ok(Round { facts: done.facts, cost: done.cost, condition: Condition::well(), next })
            }
            Err(trouble) => {
                let failure = self.failure(&trouble, Some(&mut session)).await;
                if trouble.spares_the_session() {
                    self.session = Some(session);
                }
                Err(failure)
            }
        }
    }
}

impl Database {
    async fn failure(&mut self, trouble: &Trouble, session: Option<&mut Session>) -> Failure {
        let mut cost = cost(session, 1);
        if !trouble.spares_the_session() {
            cost.connections = 0;
        }
        let condition = trouble.condition(&self.whom);
        if !trouble.spares_the_session() {
            self.asks.unreachable(&condition).await;
        }
        Failure { condition, facts: Vec::new(), cost: Some(cost), wait: trouble.wait() }
    }
}

fn cost(session: Option<&mut Session>, failed: u32) -> Cost {
    let connections = u32::from(session.is_some());
    let spent = session.map(Session::spent).unwrap_or_default();
    Cost { requests: spent.requests.max(failed), failed, bytes: spent.bytes, connections, ..Cost::default() }
}

/// The columns of a look's row.
pub(super) fn raw(row: &PgRow) -> Result<Raw, sqlx::Error> {
    let owned = |column: &str| text(row, column).map(<[u8]>::to_vec);
    Ok(Raw {
        replica: row.try_get("replica")?,
        max_connections: row.try_get("max_connections")?,
        reserved: row.try_get("reserved")?,
        sees_all: row.try_get("sees_all")?,
        counts: [
            row.try_get("used")?,
            row.try_get("running")?,
            row.try_get("lock_waiting")?,
            row.try_get("idle_in_transaction")?,
            row.try_get("idle")?,
        ],
        hidden: row.try_get("hidden")?,
        untracked: row.try_get("untracked")?,
        waiters: row.try_get("waiters")?,
        long: row.try_get("long")?,
        applications: owned("applications"),
        waits: owned("waits"),
        sessions: owned("sessions"),
        locks: owned("locks"),
        prepared: owned("prepared"),
        counters: owned("counters"),
        at: row.try_get("at")?,
    })
}
