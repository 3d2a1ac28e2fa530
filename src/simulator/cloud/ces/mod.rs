//! Cloud Eye: points of metrics, the list of metrics, alarms and events.

pub mod alarms;
pub mod batch;
pub mod data;
pub mod events;
pub mod histories;
pub mod metrics;
mod points;
