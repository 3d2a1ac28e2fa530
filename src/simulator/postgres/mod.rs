//! The far side of a database: a real PostgreSQL that shows what the simulated world says.
//!
//! Owns a private server where none is given, the tables of the four systems, the loader of their rows, and
//! the sessions that connect, wait, block and are refused there. It is driven from outside by plain data: a
//! [`Scene`](super::scene::Scene) for the sessions and rows of [`crate::model::order`] for the tables. May
//! not know: the story behind them, and how `warroom` itself asks a database.

pub mod copy;
mod duel;
mod find;
pub mod ground;
pub mod load;
pub mod plan;
pub mod private;
mod pulse;
mod row;
pub mod schema;
mod seat;
mod stage;
pub mod workload;

pub use find::binaries;
pub use ground::{Claim, Ground};
pub use load::Loader;
pub use private::Private;
pub use workload::{Limits, Standing, Workload};

/// The four systems, each with its own database.
pub const DATABASES: [&str; 4] = ["mrg", "orch", "upg", "ho"];

/// What a server or the way to it said, as it stands in a sentence of ours.
fn says(e: &sqlx::Error) -> String {
    match e.as_database_error() {
        Some(d) => match d.code() {
            Some(code) => format!("{} ({code})", d.message()),
            None => d.message().to_owned(),
        },
        None => e.to_string(),
    }
}

/// The SQLSTATE of an error that came from the server.
fn code(e: &sqlx::Error) -> Option<String> {
    e.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
