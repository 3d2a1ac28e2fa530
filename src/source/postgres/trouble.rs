//! What can go wrong with a PostgreSQL server, as a state and a sentence with the remedy.
//!
//! Server messages are quoted (they are `Untrusted` once in a health), connection URLs never are. May not
//! know: when the next attempt is.

use crate::model::Lapse;
use crate::source::runner::Condition;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::io::ErrorKind;

/// A failure on the way to an answer.
#[derive(Debug)]
pub enum Trouble {
    /// From the driver or the server.
    Sql(sqlx::Error),
    /// Our own deadline passed while connecting.
    NoConnection(Lapse),
    /// Our own deadline passed while a statement ran: the connection has been dropped.
    NoAnswer(Lapse),
    /// A reason of our own not to go on.
    Refused(Condition),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// Who is spoken of: names for the sentences.
#[derive(Clone, Debug, Default)]
pub struct Whom {
    /// Name of the source.
    pub source: String,
    /// `host:port` or the socket.
    pub place: String,
    /// Role we log in as.
    pub role: String,
    /// Database.
    pub database: String,
}

impl Trouble {
    /// The server's error, when it is one.
    pub fn server(&self) -> Option<&PgDatabaseError> {
        match self {
            Self::Sql(sqlx::Error::Database(e)) => e.try_downcast_ref::<PgDatabaseError>(),
            _ => None,
        }
    }
    /// SQLSTATE, or nothing.
    pub fn sqlstate(&self) -> &str {
        self.server().map_or("", PgDatabaseError::code)
    }
    /// Whether the session can go on: the server refused a statement, not us.
    pub fn spares_the_session(&self) -> bool {
        self.server().is_some_and(|e| matches!(e.severity(), PgSeverity::Error)) && self.sqlstate() != "25P03"
    }
    /// How long to leave the server alone at least. A wrong password is tried rarely: servers and
    /// directories lock accounts that fail often.
    pub fn wait(&self) -> Lapse {
        if self.sqlstate().starts_with("28") { Lapse::seconds(30) } else { Lapse::ZERO }
    }
    /// The state in words.
    pub fn condition(&self, whom: &Whom) -> Condition {
        match self {
            Self::Refused(condition) => condition.clone(),
            Self::NoConnection(limit) => no_connection(whom, *limit),
            Self::NoAnswer(limit) => no_answer(whom, *limit),
            Self::Sql(error) => match self.server() {
                Some(server) => refused(whom, server),
                None => lost(whom, error),
            },
        }
    }
}

fn no_connection(whom: &Whom, limit: Lapse) -> Condition {
    let Whom { source, place, .. } = whom;
    Condition::down(
        "no answer",
        format!("{source} does not answer: no session with {place} within {}", seconds(limit)),
        "See whether the host is up and a firewall lets this machine through; connect_timeout in [[db]] sets the limit.",
    )
}

fn no_answer(whom: &Whom, limit: Lapse) -> Condition {
    let source = &whom.source;
    Condition::down(
        "no answer",
        format!("{source} took our statement and gave no answer within {}: the session was dropped", seconds(limit)),
        "The server or its disk hangs, or the network swallows packets: look at its host.",
    )
}

/// What the server itself said.
fn refused(whom: &Whom, e: &PgDatabaseError) -> Condition {
    let Whom { source, role, database, .. } = whom;
    let (code, message) = (e.code(), e.message());
    let down = |says: String, remedy: String| Condition::down(code, says, remedy);
    match code {
        "53300" => down(
            format!(
                "{source} has no free connection: it refused ours (\"{message}\"). That is evidence for pool exhaustion (H1), not a fault of warroom"
            ),
            format!(
                "Free a slot for the one connection warroom needs; from PostgreSQL 16 on one can be kept: reserved_connections = 2 and GRANT pg_use_reserved_connections TO {role};"
            ),
        ),
        _ if code.starts_with("53") => down(
            format!("{source} is out of resources (\"{message}\"); that is evidence, not a fault of warroom"),
            "Look at memory and disk of its host.".to_owned(),
        ),
        "28P01" => down(
            format!("{source} refused the password of role {role}"),
            "Set the right password where url in [[db]] takes it from, then press r.".to_owned(),
        ),
        _ if code.starts_with("28") => down(
            format!("{source} does not let role {role} in: {message}"),
            format!(
                "Add a line to pg_hba.conf for {database}, {role} and this host (and ALTER ROLE {role} LOGIN), or change url in [[db]]."
            ),
        ),
        "3D000" => down(
            format!("{source}: there is no database {database}"),
            "Correct the name at the end of url in [[db]].".to_owned(),
        ),
        "57P03" => down(
            format!("{source} is not ready: {message}"),
            "It is starting, stopping or recovering: wait.".to_owned(),
        ),
        "57P01" | "57P02" => down(
            format!("{source} ended our session: {message}"),
            "The server stops or restarts, or somebody ended the session: warroom comes back by itself.".to_owned(),
        ),
        "57014" => Condition::late(
            code,
            format!("{source} is too slow for its own statistics: our statement was cancelled ({message})"),
            "That is what statement_timeout in [[db]] is for; warroom asks less often now.",
        ),
        "55P03" => Condition::late(
            code,
            format!("{source}: our statement met a lock and gave up at once ({message})"),
            "Somebody holds an exclusive lock on a catalogue; warroom asks again.",
        ),
        "42501" => Condition::down(
            code,
            format!("{source} does not permit role {role} what a look needs: {message}"),
            format!("GRANT pg_monitor TO {role}; GRANT CONNECT ON DATABASE {database} TO {role};"),
        ),
        "08P01" => pooler(whom, message),
        _ if message.contains("startup parameter") => pooler(whom, message),
        _ => {
            let hint = e.hint().unwrap_or_default();
            Condition::down(code, format!("{source} answered with an error {code}: {message}"), hint)
        }
    }
}

/// A pooler stands in between: a setting of ours would leak into sessions of the applications.
pub fn pooler(whom: &Whom, message: &str) -> Condition {
    Condition::down(
        "pooler",
        format!(
            "{}: what answers at {} is a connection pooler or does not keep our limits ({message}); warroom needs a session of its own",
            whom.source, whom.place
        ),
        "Point url in [[db]] at PostgreSQL itself (port 5432, not PgBouncer's 6432): through a pooler our read-only setting and time limits would be lost or reach the applications.",
    )
}

/// The driver could not reach the server, or lost it.
fn lost(whom: &Whom, error: &sqlx::Error) -> Condition {
    let Whom { source, place, .. } = whom;
    match error {
        sqlx::Error::Io(e) => io(whom, e),
        sqlx::Error::Tls(e) => Condition::down(
            "TLS",
            format!("{source}: no secure connection with {place}: {e}"),
            "Set sslmode in url: disable without TLS, require without checking, verify-full with sslrootcert=/path/ca.pem.",
        ),
        sqlx::Error::Configuration(e) => {
            // A file that url names (sslrootcert) or a value that is none; the text names no URL.
            let what = if e.to_string().contains("://") { "not readable".to_owned() } else { e.to_string() };
            Condition::down("url", format!("{source}: url in [[db]] cannot be used: {what}"), URL_FORM)
        }
        sqlx::Error::Protocol(e) => Condition::down(
            "protocol",
            format!("{source}: what answers at {place} does not speak as PostgreSQL does: {e}"),
            "Check host and port of url in [[db]].",
        ),
        other => Condition::down("error", format!("{source}: {other}"), "See warroom's own log file."),
    }
}

fn io(whom: &Whom, e: &std::io::Error) -> Condition {
    let Whom { source, place, .. } = whom;
    let (code, says, remedy) = match e.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => (
            "refused",
            format!("{source}: nothing listens at {place}"),
            "Start the server, or correct host and port of url in [[db]].",
        ),
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => (
            "no route",
            format!("{source}: {place} cannot be reached ({e})"),
            "See whether the host is up and a firewall lets this machine through.",
        ),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::UnexpectedEof
        | ErrorKind::BrokenPipe => (
            "closed",
            format!("{source} closed our session without a word: it crashed, was stopped, or a proxy ended it"),
            "warroom comes back by itself; the server's own log has the reason.",
        ),
        _ if e.to_string().contains("lookup") => (
            "no host",
            format!("{source}: there is no host of the name in {place}"),
            "Correct the host of url in [[db]], or the name service of this machine.",
        ),
        _ => ("network", format!("{source}: {place} cannot be reached ({e})"), "Look at the network of this machine."),
    };
    Condition::down(code, says, remedy)
}

/// What a URL looks like.
pub const URL_FORM: &str = "Write postgres://ROLE@HOST:5432/DATABASE; put the password into ${env:NAME}, for example postgres://warroom:${env:PGPW}@HOST/mrg.";

fn seconds(limit: Lapse) -> String {
    if limit.0 % 1_000_000 == 0 { format!("{} s", limit.whole_seconds()) } else { format!("{} s", limit.as_secs_f64()) }
}

/// The message of any error, for a line about one query.
pub fn message(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Sql(sqlx::Error::Database(e)) => DatabaseError::message(e.as_ref()).to_owned(),
        Trouble::Sql(e) => e.to_string(),
        Trouble::NoConnection(limit) | Trouble::NoAnswer(limit) => format!("no answer within {}", seconds(*limit)),
        Trouble::Refused(condition) => condition.says.raw().to_owned(),
    }
}
