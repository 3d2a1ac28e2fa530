//! Prometheus: servers that answer range queries, and services whose own endpoints are read.
//!
//! `query` is a server as a source: `asked` is one of its queries, `door` asks it (AOM through the cloud's
//! client), `matrix` reads the answer, `past` knows what of the incident is still to be fetched. `scrape` is a service's pods as one
//! source: `pod` asks one, `exposition` and `reading` read what it says, `growth` makes values of it, `words`
//! says how it went. `http` asks for all of them (`fault`: why there is no answer), `check` once.

mod asked;
mod check;
mod door;
pub mod exposition;
pub(super) mod fault;
pub mod growth;
pub(super) mod http;
mod matrix;
mod past;
pub(super) mod pod;
mod query;
pub mod reading;
mod scrape;
mod words;

use crate::config::prometheus::Server;
use crate::config::{Config, PrometheusConfig, ScrapeConfig};
use crate::model::{Batch, Lapse};
use crate::source::Recorded;
use crate::source::clock::Clock;
use crate::source::huawei::Client;
use crate::source::runner::{self, Handle, Plan};
pub use check::check;
pub use query::{Prometheus, Setting};
pub use scrape::Scrape;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Shortest time between two attempts after a failure.
const FLOOR: Lapse = Lapse::seconds(5);

/// Starts a task for each server and each scraped service. `aom` is the client of `[huawei]`, shared with its
/// other sources so that their manners are one; `have` is what an earlier run of the recording has fetched.
pub fn start(
    config: &Config,
    aom: Option<&Client>,
    have: &Recorded,
    clock: &Clock,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> Vec<Handle> {
    let mut out = Vec::new();
    for server in &config.prometheus {
        let setting = Setting {
            aom: aom.filter(|_| server.server == Server::Aom).cloned(),
            clock: clock.clone(),
            zone: config.incident.zone.clone(),
            spans: [config.incident.window, config.incident.baseline].into_iter().flatten().collect(),
            have: have.fetched(&server.name),
        };
        out.push(start_server(server.clone(), setting, to.clone(), cancel.clone()));
    }
    for service in &config.scrapes {
        out.push(start_scrape(service.clone(), clock.clone(), to.clone(), cancel.clone()));
    }
    out
}

/// Starts one server.
pub fn start_server(
    config: PrometheusConfig,
    setting: Setting,
    to: mpsc::Sender<Batch>,
    cancel: CancellationToken,
) -> Handle {
    let turns = 1 + config.queries.len().div_ceil(query::AT_ONCE) as i64;
    let plan = Plan {
        name: config.name.as_str().into(),
        interval: config.interval,
        // The last resort: every request has a deadline of its own, and a question two requests at most.
        deadline: config.timeout.times(2 * turns) + Lapse::seconds(30),
        floor: FLOOR,
        doing: "connecting",
    };
    let clock = setting.clock.clone();
    runner::spawn_by(plan, clock, move || Prometheus::new(config.clone(), setting.clone()), to, cancel)
}

/// Starts one scraped service.
pub fn start_scrape(config: ScrapeConfig, clock: Clock, to: mpsc::Sender<Batch>, cancel: CancellationToken) -> Handle {
    let turns = config.pods.len().div_ceil(scrape::AT_ONCE) as i64;
    let plan = Plan {
        name: config.name.as_str().into(),
        interval: config.interval,
        // The last resort: every request has a deadline of its own, and a pod two requests at most.
        deadline: config.timeout.times(2 * turns) + Lapse::seconds(5),
        floor: FLOOR,
        doing: "connecting",
    };
    runner::spawn_by(plan, clock.clone(), move || Scrape::new(config.clone(), clock.clone()), to, cancel)
}
