//! The demo's metrics over a real wire: an emulated cloud on loopback that knows the evening, asked by the
//! same source that asks the real one. Nothing has to be installed, and nothing is left behind.
//!
//! The world's clock is the play head. Where no port can be had, the demo goes on without the wire.

use super::wiring::Evening;
use crate::config::Secret;
use crate::config::cloud_metrics::{CloudMetrics, Target};
use crate::config::cloud_presets::Filter;
use crate::config::huawei::{CredentialConfig, ENDPOINTS, HuaweiConfig};
use crate::model::{Batch, Fact, Lapse, Stamp, Zone};
use crate::simulator::cloud::{self, Cloud, Running, Watch, World};
use crate::simulator::{START, wired};
use crate::source::clock::{self, Clock};
use crate::source::huawei::{self, Client, Past};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often the emulated cloud is asked, in our own time: at the usual pace a quarter of a minute of the
/// evening.
const EVERY: Lapse = Lapse::millis(250);

/// The emulated cloud, for as long as this is kept.
#[derive(Debug)]
pub struct DemoCloud {
    running: Arc<Running>,
    cancel: CancellationToken,
}

impl Drop for DemoCloud {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl DemoCloud {
    /// Listens on a free port of loopback, knowing nothing yet.
    pub async fn listen(head: &Watch) -> std::io::Result<Self> {
        let wall = cloud::Clock::new(clock::now);
        let cloud = Cloud::new(World::default(), wall).world_clock(head.clock());
        let running = cloud.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        Ok(Self { running: Arc::new(running), cancel: CancellationToken::new() })
    }

    /// What it is, for the screen of sources.
    pub fn what(&self) -> String {
        format!("emulated cloud at {}", self.running.address())
    }

    /// Lets it know the evening, and asks it from then on. What comes is recorded and goes to the screen.
    pub fn ask(&self, evening: &Evening) {
        let (enter, entered) = mpsc::channel(64);
        let (running, cancel) = (Arc::clone(&self.running), self.cancel.clone());
        let (made, head) = (evening.made.clone(), evening.head.clone());
        tokio::spawn(async move {
            // Making the evening takes a moment; the screen does not wait for it.
            let Ok(world) = tokio::task::spawn_blocking(move || wired::world(&made.day())).await else { return };
            let config = config(&running, &world);
            running.change(|w| *w = world);
            let clock = Clock::by(move || head.now());
            let past = Past::new(None, None, Zone::wib(), Vec::new());
            for handle in huawei::start(&Client::new(&config), past, &clock, &enter, &cancel) {
                handle.ended().await;
            }
        });
        let mut before = START;
        evening.hand_on(entered, move |batch| spaced(batch, &mut before));
    }
}

/// We ask in our own time; in the evening's, so much lies between two rounds, give or take some seconds.
fn spaced(batch: &mut Batch, before: &mut Stamp) {
    let between = Lapse::seconds(batch.seen.since(*before).whole_seconds() / 10 * 10);
    for fact in &mut batch.facts {
        if let Fact::Cost(cost) = fact {
            cost.interval = between;
            *before = batch.seen;
        }
    }
}

/// What a configuration would say to reach it.
fn config(running: &Running, world: &World) -> HuaweiConfig {
    let account = running.account();
    let target = |m: &crate::simulator::cloud::world::Metric| Target {
        series: format!("{}.{}", wired::SOURCE, m.name),
        instance: m.name.clone(),
        namespace: m.namespace.clone(),
        metric: m.name.clone(),
        dimensions: m.dimensions.clone(),
        filter: Filter::Average,
        said: "",
        raw: Lapse::minutes(1),
        lane: None,
    };
    HuaweiConfig {
        name: wired::SOURCE.to_owned(),
        region: account.region().to_owned(),
        project_id: None,
        domain_id: None,
        credentials: CredentialConfig::Keys {
            access_key: Secret::Plain(account.ak.as_str().into()),
            secret_key: Secret::Plain(account.sk.as_str().into()),
            security_token: None,
        },
        requests_per_second: 20.0,
        interval: EVERY,
        batch_size: 100,
        endpoints: ENDPOINTS.iter().map(|s| ((*s).to_owned(), running.endpoint())).collect(),
        metrics: CloudMetrics { targets: world.metrics.iter().map(target).collect(), ..CloudMetrics::default() },
    }
}
