//! The vocabulary every other room speaks: plain data, no behaviour beyond arithmetic and names.
//!
//! Owns: instants and spans, facts and batches, what a database, an order, a log line, a source's health
//! and an incident are. May not know: clocks, files, sockets, screens. Imports nothing of the crate.

pub mod attributes;
pub mod batch;
pub mod brief;
pub mod database;
pub mod health;
pub mod incident;
pub mod log;
pub mod note;
pub mod order;
pub mod privacy;
pub mod recording;
pub mod series;
pub mod time;
pub mod untrusted;

pub use batch::{Batch, Fact, Mark, MarkKind, Seq, SourceName};
pub use time::{Lapse, Span, Stamp, Zone};
pub use untrusted::Untrusted;
