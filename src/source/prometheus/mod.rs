//! Prometheus: servers that answer range queries, and services whose own endpoints are read.
//!
//! `scrape` is a service's pods as one source: `pod` asks one, `exposition` and `reading` read what it says,
//! `growth` makes values of it, `words` says how it went. `http` asks for all of them.

pub mod exposition;
mod growth;
mod http;
mod pod;
mod reading;
mod scrape;
mod words;

use crate::config::{Config, ScrapeConfig};
use crate::model::{Batch, Lapse, Stamp};
use crate::source::clock;
use crate::source::runner::{self, Handle, Plan};
pub use scrape::Scrape;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Shortest time between two attempts after a failure.
const FLOOR: Lapse = Lapse::seconds(5);

/// Starts a task for each scraped service.
pub fn start(config: &Config, to: &mpsc::Sender<Batch>, cancel: &CancellationToken) -> Vec<Handle> {
    config.scrapes.iter().map(|s| start_scrape(s.clone(), to.clone(), cancel.clone())).collect()
}

/// Starts one.
pub fn start_scrape(config: ScrapeConfig, to: mpsc::Sender<Batch>, cancel: CancellationToken) -> Handle {
    let turns = config.pods.len().div_ceil(scrape::AT_ONCE) as i64;
    let plan = Plan {
        name: config.name.as_str().into(),
        interval: config.interval,
        // The last resort: every request has a deadline of its own, and a pod two requests at most.
        deadline: config.timeout.times(2 * turns) + Lapse::seconds(5),
        floor: FLOOR,
        doing: "connecting",
    };
    runner::spawn(plan, move || Scrape::new(config.clone()), to, cancel)
}

/// Now, by the clock of this folder's sources.
fn now() -> Stamp {
    clock::now()
}
