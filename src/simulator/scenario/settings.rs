//! What the platform is set to: every number a scenario may change, by section, as `usual.toml` explains them.
//!
//! Times are milliseconds unless the name says otherwise. May not know: what follows from them.

use serde::{Deserialize, Serialize};

/// All sections.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who comes.
    pub traffic: Traffic,
    /// The order service and its database.
    pub mrg: Mrg,
    /// The Orchestrator.
    pub saga: Saga,
    /// Rows that many orders want.
    pub stock: Stock,
    /// The Orchestrator's breaker towards UPG.
    pub breaker: Breaker,
    /// The payment service.
    pub upg: Upg,
    /// The payment gateway behind it.
    pub vendor: Vendor,
    /// How UPG tells Head Office.
    pub callback: Callback,
    /// Head Office.
    pub ho: Ho,
    /// The job that copies payment states onto orders.
    pub poller: Poller,
    /// What is never given back.
    pub leak: Leak,
}

/// Who comes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Users at once on an ordinary Sunday evening.
    pub normal_users: f64,
    /// Users at the peak of the spike.
    pub peak_users: f64,
    /// When the spike begins.
    pub from: String,
    /// When it peaks.
    pub peak: String,
    /// When it is over.
    pub until: String,
    /// Requests a second of one user.
    pub requests_per_user: f64,
    /// Orders a second of one user.
    pub orders_per_user: f64,
}

/// MRG.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mrg {
    /// How many run.
    pub pods: u32,
    /// Connections each may hold.
    pub pool: u32,
    /// `max_connections` of its database.
    pub max_connections: u32,
    /// How long a connection is waited for.
    pub acquire_timeout: i64,
    /// How long a request of a user holds one.
    pub request: f64,
    /// How long a step of an order holds one.
    pub step: f64,
    /// Share of all requests that fail whatever happens.
    pub faults: f64,
    /// How many statements run side by side before they slow each other down.
    pub busy_backends: f64,
    /// `statement_timeout`.
    pub statement_timeout: i64,
    /// Share of refused users that try again.
    pub insists: f64,
    /// Version that is deployed.
    pub version: String,
}

/// The Orchestrator.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Saga {
    /// Whether it runs.
    pub up: bool,
    /// How often a step tries to get a connection.
    pub attempts: u8,
    /// The same for the last step, which a queue repeats.
    pub last_attempts: u8,
    /// Pause between two of them.
    pub pause: i64,
    /// Whether the transaction stays open while UPG is called.
    pub sync_pay: bool,
    /// How long UPG is waited for.
    pub upg_timeout: i64,
    /// How often UPG is called.
    pub upg_attempts: u8,
    /// Pause before the second call, doubled for the third.
    pub upg_pause: i64,
    /// Share of sagas that panic after they reserved.
    pub faults: f64,
    /// Numbers its sequence had left at midnight; none: more than enough.
    #[serde(default)]
    pub ids_left: Option<u64>,
}

/// Rows that many orders want.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// How many such rows.
    pub rows: u8,
    /// Share of orders that want one.
    pub share: f64,
}

/// A circuit breaker: opens by share or by count.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// How far back it counts.
    pub window: i64,
    /// Share of failures that opens it.
    pub ratio: f64,
    /// Fewer calls than this say nothing.
    pub calls: u32,
    /// So many failures open it, whatever the share; 0 is never.
    pub count: u32,
    /// Whether a payment that the bank declined is a failure.
    pub counts_declined: bool,
    /// How long it stays open before it tries one call.
    pub open: i64,
}

/// UPG.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Upg {
    /// Payments worked on at once.
    pub workers: u32,
    /// What it needs itself for one.
    pub own: f64,
    /// Share of payments the bank declines.
    pub declined: f64,
    /// Share of users that never pay.
    pub abandoned: f64,
    /// Share of payments that a user pays a second time.
    pub paid_twice: f64,
}

/// The payment gateway.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Median of its answers.
    pub answer: f64,
    /// Spread: the standard deviation of the logarithm.
    pub spread: f64,
    /// So many times slower than that.
    pub factor: f64,
    /// Payments of this method …
    #[serde(default)]
    pub route_method: Option<String>,
    /// … in this region …
    #[serde(default)]
    pub route_region: Option<String>,
    /// … are so many times slower on top.
    pub route_factor: f64,
}

/// How UPG tells Head Office.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// How often.
    pub attempts: u8,
    /// Pause before the second.
    pub pause: i64,
    /// Each further pause is so many times longer.
    pub factor: f64,
    /// How long an answer is waited for.
    pub timeout: i64,
}

/// Head Office.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ho {
    /// Whether its endpoint answers at all.
    pub up: bool,
    /// Records written at once.
    pub workers: u32,
    /// Median of writing one.
    pub write: f64,
    /// Spread: the standard deviation of the logarithm.
    pub spread: f64,
    /// How many may wait; more are refused with 503.
    pub queue: usize,
    /// Share of callbacks it refuses for no reason anybody knows.
    pub faults: f64,
}

/// The job that copies payment states onto orders.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Poller {
    /// Whether it looks at the order's version before it writes.
    pub versioned: bool,
    /// How often it visits an order.
    pub every: i64,
    /// What asking UPG costs UPG.
    pub ask: f64,
}

/// What is never given back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// Memory that an order leaves behind in its pod, with its goroutine, in KiB.
    pub order_kib: f64,
    /// Memory a pod may have, in MiB.
    pub limit_mib: f64,
    /// Share of orders whose transaction is never ended.
    pub open_share: f64,
    /// When somebody's job ends such a one.
    pub open_for: i64,
}
