//! Cloud Eye: points of metrics, the list of metrics, alarms and events.

pub mod batch;
pub mod data;
pub mod metrics;
mod points;
