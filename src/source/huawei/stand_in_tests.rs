//! Stands in for network, environment and clock in the tests of the client: answers as told, remembers what
//! was sent. Tests against real sockets are in `tests/it/huawei_client.rs`.

use crate::config::{CredentialConfig, HuaweiConfig};
use crate::model::{Lapse, Stamp};
use crate::source::huawei::line::Surroundings;
use crate::source::huawei::wire::{Fault, Incoming, Outgoing, Transport};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

pub const AK: &str = "QTWAOYTTINDUT2QVKYUC";
pub const SK: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
pub const TOKEN: &str = "gQpjbi1ub3J0aC00iJ0EXAMPLETOKEN/abc+def==";
pub const PROJECT: &str = "0605767e1b00d5762fd0c003d4d1f4a8";
/// Sunday, 12 January 2025, 12:15:00 UTC.
pub const NOON: Stamp = Stamp::from_secs(1_736_684_100);

type Reply = Result<Incoming, Fault>;
type Answers = Box<dyn Fn(&Outgoing, usize) -> Reply + Send + Sync>;

/// Answers by a function of the request and its number.
pub struct Network {
    answers: Answers,
    pub seen: Mutex<Vec<(Outgoing, Instant)>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    /// How many requests went out.
    pub fn sent(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
    /// Whole seconds between the first request and each.
    pub fn seconds(&self) -> Vec<u64> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(_, at)| (*at - seen[0].1).as_secs()).collect()
    }
    /// The URLs asked, in their order.
    pub fn urls(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(out, _)| out.url.to_string()).collect()
    }
    /// A header of a request.
    pub fn header(&self, number: usize, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        seen[number].0.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone())
    }
}

impl Transport for Network {
    fn send(&self, out: Outgoing) -> BoxFuture<'_, Reply> {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push((out.clone(), Instant::now()));
            seen.len() - 1
        };
        Box::pin(async move {
            tokio::task::yield_now().await;
            (self.answers)(&out, number)
        })
    }
}

/// A network, an environment and a clock that a test turns.
pub struct World {
    pub network: Arc<Network>,
    pub variables: Arc<Mutex<BTreeMap<String, String>>>,
    pub now: Arc<AtomicI64>,
    pub around: Surroundings,
}

impl World {
    pub fn new(answers: impl Fn(&Outgoing, usize) -> Reply + Send + Sync + 'static) -> Self {
        let network = Arc::new(Network { answers: Box::new(answers), seen: Mutex::default() });
        let variables = Arc::new(Mutex::new(BTreeMap::<String, String>::new()));
        let now = Arc::new(AtomicI64::new(NOON.0));
        let around = Surroundings {
            variable: Arc::new({
                let variables = Arc::clone(&variables);
                move |name| variables.lock().unwrap().get(name).cloned()
            }),
            home: None,
            transport: Arc::<Network>::clone(&network),
            now: Arc::new({
                let now = Arc::clone(&now);
                move || Stamp(now.load(Ordering::SeqCst))
            }),
        };
        Self { network, variables, now, around }
    }
    pub fn set(&self, name: &str, value: &str) {
        self.variables.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
    pub fn later(&self, by: Lapse) {
        self.now.fetch_add(by.0, Ordering::SeqCst);
    }
}

/// A block with keys of its own, a project, and no limit that a test would feel.
pub fn config() -> HuaweiConfig {
    HuaweiConfig {
        name: "huawei".to_owned(),
        region: "ap-southeast-4".to_owned(),
        project_id: Some(PROJECT.to_owned()),
        domain_id: None,
        credentials: CredentialConfig::Keys {
            access_key: crate::config::Secret::Plain(AK.into()),
            secret_key: crate::config::Secret::Plain(SK.into()),
            security_token: None,
        },
        requests_per_second: 1000.0,
        interval: Lapse::minutes(1),
        batch_size: 100,
        endpoints: BTreeMap::new(),
        metrics: crate::config::cloud_metrics::CloudMetrics::default(),
    }
}

/// An answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Incoming {
    let headers: HeaderMap =
        headers.iter().map(|(n, v)| (HeaderName::try_from(*n).unwrap(), HeaderValue::from_str(v).unwrap())).collect();
    Incoming { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
}
