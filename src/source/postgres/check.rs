//! What `warroom check` says of a database and of each query that runs there.

use crate::config::{Config, DatabaseConfig, QueryConfig};
use crate::source::check::{CheckLine, Ok as Works};
use crate::source::orders;
use crate::source::postgres::look;
use crate::source::postgres::session::{self, Session};
use crate::source::postgres::statements::{self, Statements};
use crate::source::postgres::trouble::{Trouble, Whom, message};
use crate::source::runner::Condition;
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;

/// Reaches every database once, all at the same time.
pub async fn check(config: &Config) -> Vec<CheckLine> {
    let lines = join_all(config.databases.iter().map(|db| one(config, db))).await;
    lines.into_iter().flatten().collect()
}

async fn one(config: &Config, db: &DatabaseConfig) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    match open(db).await {
        Ok(mut session) => {
            lines.push(connected(db, &session));
            if db.watch {
                lines.extend(statistics(db, &mut session).await);
            }
            for query in config.queries.iter().filter(|q| q.file.is_none() && q.db == db.name) {
                lines.push(orders::check(query, config, &mut session).await);
            }
            session.close().await;
        }
        Err(condition) => {
            lines.push(CheckLine::not(&db.name, "connection", Works::No, condition.says, condition.remedy));
            let says = "not tried: there is no connection";
            let skipped = |q: &QueryConfig| CheckLine::not(&db.name, orders::name_of(q), Works::No, says, "");
            lines.extend(config.queries.iter().filter(|q| q.file.is_none() && q.db == db.name).map(skipped));
        }
    }
    lines
}

/// Opens the session with a database, or says in words why not.
pub(in crate::source) async fn open(db: &DatabaseConfig) -> Result<Session, Condition> {
    let url = db.url.obtain().await.map_err(|says| {
        Condition::down(
            "no secret",
            format!("{}: {says}", db.name),
            "url in [[db]] takes env:NAME, file:/path or cmd:COMMAND.",
        )
    })?;
    let options = session::options(url.expose_secret(), db)?;
    let whom = session::whom(&db.name, &options);
    Session::open(db, &options).await.map_err(|trouble| trouble.condition(&whom))
}

fn connected(db: &DatabaseConfig, session: &Session) -> CheckLine {
    let s = &session.server;
    let replica = if s.replica { ", a replica" } else { "" };
    let says = format!(
        "PostgreSQL {}{replica}; database {}, role {}; read-only and time limits are in force; its clock differs by {} ms",
        s.version_text,
        s.database,
        s.role,
        s.skew.0 / 1000
    );
    if s.superuser {
        let remedy = "CREATE ROLE warroom LOGIN; GRANT pg_monitor TO warroom; and put that role into url.";
        return CheckLine::not(
            &db.name,
            "connection",
            Works::Partly,
            format!("{says}; {} is a superuser, more than warroom needs", s.role),
            remedy,
        );
    }
    CheckLine::yes(&db.name, "connection", says)
}

/// One look and one reading of the statements.
async fn statistics(db: &DatabaseConfig, session: &mut Session) -> Vec<CheckLine> {
    let what = "statistics";
    let whom = Whom {
        source: db.name.clone(),
        role: session.server.role.clone(),
        database: session.server.database.clone(),
        ..Whom::default()
    };
    let mut lines = vec![if session.server.sees_all {
        CheckLine::yes(&db.name, what, "sessions, waits and locks of all roles are visible")
    } else {
        let says = format!(
            "sessions of other roles are counted only, their states and statements are hidden from {}",
            whom.role
        );
        CheckLine::not(&db.name, what, Works::Partly, says, format!("GRANT pg_monitor TO {};", whom.role))
    }];
    if let Err(trouble) = try_look(session).await {
        let c = trouble.condition(&whom);
        lines = vec![CheckLine::not(&db.name, what, Works::No, c.says, c.remedy)];
        if !trouble.spares_the_session() {
            return lines;
        }
    }
    lines.push(top_statements(db, session, &whom).await);
    lines
}

async fn try_look(session: &mut Session) -> Result<(), Trouble> {
    let version = session.server.version;
    let row = session.one_unprepared(super::sql::look(version, true)).await?;
    let raw = super::database::raw(&row)?;
    statements::json(look::sample(&raw, version, &session.server.role)).map(|_| ())
}

async fn top_statements(db: &DatabaseConfig, session: &mut Session, whom: &Whom) -> CheckLine {
    let what = "top statements";
    match Statements::default().read(session).await {
        Ok(reading) => {
            let n = reading.statements.as_ref().map(Vec::len);
            match (n, reading.limited.into_iter().next()) {
                (Some(n), None) => {
                    CheckLine::yes(&db.name, what, format!("pg_stat_statements answers with {n} statements"))
                }
                (n, Some(limited)) => {
                    let ok = if n.is_some() { Works::Partly } else { Works::No };
                    CheckLine::not(&db.name, what, ok, limited.what, limited.remedy)
                }
                (None, None) => CheckLine::not(&db.name, what, Works::No, "pg_stat_statements gave no answer", ""),
            }
        }
        Err(trouble) => {
            let c = trouble.condition(whom);
            let says = format!("pg_stat_statements: {}", message(&trouble));
            CheckLine::not(&db.name, what, Works::No, says, c.remedy)
        }
    }
}
