//! `pg_stat_statements`: cumulative totals each time, texts once for each statement.

use crate::model::database::{Limited, Statement};
use crate::model::{Lapse, Untrusted};
use crate::source::postgres::look;
use crate::source::postgres::session::Session;
use crate::source::postgres::sql::{self, Extension};
use crate::source::postgres::trouble::{Trouble, message};
use serde::Deserialize;
use sqlx::Row as _;
use std::collections::BTreeMap;

/// Texts kept; beyond that all are fetched anew.
const MOST_TEXTS: usize = 2_000;
/// Readings between two looks for the extension, when it was missing.
const LOOK_AGAIN: u32 = 4;

/// The texts of statements met in one session.
#[derive(Debug, Default)]
pub struct Statements {
    readings: u32,
    texts: BTreeMap<i64, Untrusted>,
}

/// One reading.
#[derive(Debug, Default)]
pub struct Reading {
    /// The statements; `None` when they cannot be read.
    pub statements: Option<Vec<Statement>>,
    /// Why not, or not all.
    pub limited: Vec<Limited>,
    /// Time the server says it spent.
    pub server: Lapse,
}

#[derive(Deserialize)]
struct Heavy {
    id: Option<i64>,
    calls: i64,
    total_ms: f64,
    rows: i64,
}

#[derive(Deserialize)]
struct Text {
    id: i64,
    query: Option<String>,
}

impl Statements {
    /// Reads totals, and texts of statements not met before: two statements at most.
    pub async fn read(&mut self, session: &mut Session) -> Result<Reading, Trouble> {
        self.readings += 1;
        let Some(extension) = session.server.extension.clone() else {
            if self.readings.is_multiple_of(LOOK_AGAIN) {
                session.find_extension().await?;
            }
            return Ok(without(&session.server.database));
        };
        let row = match session.one(sql::statements(&extension)).await {
            Ok(row) => row,
            Err(trouble) if trouble.spares_the_session() => return Ok(unreadable(&trouble, session)),
            Err(trouble) => return Err(trouble),
        };
        let mut server = Lapse(row.try_get("took")?);
        let totals: Vec<Heavy> = json(look::rows(text(&row, "statements")))?;
        let hidden = totals.iter().any(|t| t.id.is_none());
        let known: Vec<(i64, &Heavy)> = totals.iter().filter_map(|t| Some((t.id?, t))).collect();
        let new: Vec<i64> = known.iter().map(|(id, _)| *id).filter(|id| !self.texts.contains_key(id)).collect();
        if !new.is_empty() {
            server = server + self.fetch_texts(session, &extension, &new).await?;
        }
        let statement = |(id, t): (i64, &Heavy)| Statement {
            id,
            calls: t.calls,
            total_ms: t.total_ms,
            rows: t.rows,
            query: self.texts.get(&id).cloned().unwrap_or_default(),
        };
        let statements = known.into_iter().map(statement).collect();
        let limited = if hidden { vec![partly(&session.server.role)] } else { Vec::new() };
        Ok(Reading { statements: Some(statements), limited, server })
    }

    async fn fetch_texts(&mut self, session: &mut Session, e: &Extension, new: &[i64]) -> Result<Lapse, Trouble> {
        if self.texts.len() + new.len() > MOST_TEXTS {
            self.texts.clear();
        }
        let row = session.one_unprepared(sql::texts(e, new)).await?;
        // A statement whose text is gone is not asked for again.
        self.texts.extend(new.iter().map(|id| (*id, Untrusted::default())));
        let texts: Vec<Text> = json(look::rows(text(&row, "texts")))?;
        self.texts.extend(texts.into_iter().filter_map(|t| Some((t.id, t.query?.into()))));
        Ok(Lapse(row.try_get("took")?))
    }
}

/// The extension is there and yet cannot be read; it is looked for again later.
fn unreadable(trouble: &Trouble, session: &mut Session) -> Reading {
    session.server.extension = None;
    let limited = match trouble.sqlstate() {
        "55000" => Limited {
            what: "top statements: pg_stat_statements is installed but not loaded by the server".to_owned(),
            remedy: "shared_preload_libraries = 'pg_stat_statements' in postgresql.conf, then restart the server"
                .to_owned(),
        },
        "42501" => partly(&session.server.role),
        _ => Limited {
            what: format!("top statements cannot be read: {}", message(trouble)),
            remedy: "ALTER EXTENSION pg_stat_statements UPDATE;".to_owned(),
        },
    };
    Reading { statements: None, limited: vec![limited], server: Lapse::ZERO }
}

fn without(database: &str) -> Reading {
    let limited = Limited {
        what: format!("top statements: the extension pg_stat_statements is not installed in database {database}"),
        remedy: "CREATE EXTENSION pg_stat_statements; (the server must load it: shared_preload_libraries)".to_owned(),
    };
    Reading { statements: None, limited: vec![limited], server: Lapse::ZERO }
}

fn partly(role: &str) -> Limited {
    Limited {
        what: format!("top statements: those of other roles are hidden from role {role}"),
        remedy: format!("GRANT pg_read_all_stats TO {role};"),
    }
}

/// JSON that the server made and we cannot read is the driver's trouble.
pub fn json<T>(read: Result<T, serde_json::Error>) -> Result<T, Trouble> {
    read.map_err(|e| Trouble::Sql(sqlx::Error::Decode(e.into())))
}

/// A text column's bytes.
pub fn text<'r>(row: &'r sqlx::postgres::PgRow, column: &str) -> Option<&'r [u8]> {
    row.try_get_raw(column).ok()?.as_bytes().ok()
}
