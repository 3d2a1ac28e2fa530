//! Huawei Cloud: one client for all its services, and the sources that ask through it.
//!
//! `client` asks (`ask` is a question and its answer): it signs (`sign`), proves who we are (`credentials`,
//! with `metadata` and `token`), keeps manners (`bucket`, `circuit`) and puts failures into words (`refusal`
//! reads them, `trouble` says them without secrets); `line` and `wire` send. What is asked and what the
//! answers mean is the business of each source.

pub mod ask;
pub mod backfill;
pub mod bucket;
pub mod ces;
pub mod check;
pub mod circuit;
pub mod client;
pub mod credentials;
pub mod discover;
pub mod endpoint;
pub mod fetch;
pub mod identity;
pub mod known;
pub mod lenient;
pub mod line;
pub mod marks;
pub mod metadata;
pub mod metrics;
pub mod plan;
pub mod project;
pub mod refusal;
pub mod sign;
pub mod standing;
pub mod tasks;
pub mod token;
pub mod trouble;
pub mod units;
pub mod wire;

pub use ask::{Answer, Ask};
pub use client::Client;
pub use endpoint::Service;
pub use metrics::Past;
pub use tasks::start;
pub use trouble::{Kind, Trouble};

#[cfg(test)]
#[path = "stand_in_tests.rs"]
mod stand_in;
