//! Huawei Cloud: one client for all its services, and the sources that ask through it.
//!
//! `client` asks: it signs (`sign`), proves who we are (`credentials`), keeps manners and puts failures
//! into words (`trouble`). What is asked and what the answers mean is the business of each source.

pub mod backfill;
pub mod ces;
pub mod client;
pub mod endpoint;
pub mod fetch;
pub mod known;
pub mod lenient;
pub mod marks;
pub mod metrics;
pub mod plan;
pub mod sign;
pub mod standing;
pub mod tasks;
pub mod trouble;
pub mod units;

pub use client::{Answer, Ask, Client};
pub use endpoint::Service;
pub use metrics::Past;
pub use tasks::start;
pub use trouble::{Kind, Trouble};
