//! The tasks of a `[huawei]` block: one for its metrics, one for its marks.
//!
//! Each runs for itself: what the one is refused the other does not feel, but both ask through one client
//! with its manners. May not know: what they do.

use crate::model::{Batch, Lapse};
use crate::source::clock::Clock;
use crate::source::huawei::Client;
use crate::source::huawei::marks::Marks;
use crate::source::huawei::metrics::{Metrics, Past};
use crate::source::runner::{self, Handle, Plan};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Least time between two attempts after a failure.
const FLOOR: Lapse = Lapse::seconds(5);
/// The last resort: every request has a deadline of its own, with its repetitions well below this.
const DEADLINE: Lapse = Lapse::minutes(5);

/// Starts what the block of a client asks for. `clock` says what is now for the cloud's data; requests are signed by the
/// wall's. Ends when `cancel` is cancelled.
pub fn start(
    client: &Client,
    past: Past,
    clock: &Clock,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> Vec<Handle> {
    let client = client.clone();
    let config = &client.config().clone();
    let mut handles = Vec::new();
    let plan = |name: &str, interval: Lapse| Plan {
        name: name.into(),
        interval,
        deadline: DEADLINE,
        floor: FLOOR,
        doing: "connecting",
    };
    if !config.metrics.targets.is_empty() {
        let (client, clock, past, at) = (client.clone(), clock.clone(), past.clone(), clock.clone());
        let make = move || Metrics::new(client.clone(), clock.clone(), past.clone());
        let plan = plan(&config.name, config.interval);
        handles.push(runner::spawn_by(plan, at, make, to.clone(), cancel.clone()));
    }
    if config.metrics.marks() {
        let (clock, at) = (clock.clone(), clock.clone());
        let make = move || Marks::new(client.clone(), clock.clone(), past.clone());
        let plan = plan(&config.marks_name(), crate::config::cloud_metrics::MARKS_EVERY);
        handles.push(runner::spawn_by(plan, at, make, to.clone(), cancel.clone()));
    }
    handles
}
