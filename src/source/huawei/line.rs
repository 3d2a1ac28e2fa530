//! What every request of a block shares: the network, the environment, a bucket for each API, and the
//! bookkeeping. One request in, a whole answer or a trouble out.
//!
//! May not know: who we are, and when something is asked again.

use crate::config::HuaweiConfig;
use crate::model::health::Cost;
use crate::model::{Lapse, Stamp};
use crate::source::clock;
use crate::source::huawei::bucket::Bucket;
use crate::source::huawei::trouble::{Foreign, Kind, Trouble};
use crate::source::huawei::wire::{Fault, Incoming, Limits, Network, Outgoing, Transport};
use crate::source::huawei::{Service, refusal};
use crate::source::redact;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// No answer of these services is longer: a page of logs has up to 10 MB.
pub const LONGEST_ANSWER: usize = 16 << 20;
/// A wish to be left alone is waited for up to this; a longer one is told to whoever asks.
pub const PATIENCE: Duration = Duration::from_secs(8);
/// How long an API is left alone that turned us away without saying for how long.
const THROTTLED: Lapse = Lapse::seconds(1);

/// Reads one variable of the environment.
pub type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The world around a client, so that tests can bring their own.
#[derive(Clone)]
pub struct Surroundings {
    /// The environment.
    pub variable: Variable,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The network.
    pub transport: Arc<dyn Transport>,
    /// The wall clock.
    pub now: Arc<dyn Fn() -> Stamp + Send + Sync>,
}

impl Surroundings {
    /// The process' own.
    pub fn of_process() -> Self {
        Self {
            variable: Arc::new(|name| std::env::var(name).ok()),
            home: directories::BaseDirs::new().map(|d| d.home_dir().to_owned()),
            transport: Arc::new(Network::new(Limits::default())),
            now: Arc::new(clock::now),
        }
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("home", &self.home).finish_non_exhaustive()
    }
}

/// What asking has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests sent.
    pub requests: u32,
    /// How many of them failed.
    pub failed: u32,
    /// How many of them were turned away for asking too often.
    pub throttled: u32,
    /// Bytes of bodies received.
    pub bytes: u64,
    /// The server's clock minus ours, newest.
    pub skew: Option<Lapse>,
}

impl Tally {
    /// As a cost; the times in it are for the runner to fill in.
    pub fn cost(&self) -> Cost {
        Cost {
            requests: self.requests,
            failed: self.failed,
            throttled: self.throttled,
            bytes: self.bytes,
            skew: self.skew,
            ..Cost::default()
        }
    }
}

/// The line.
#[derive(Debug)]
pub struct Line {
    /// The block.
    pub config: HuaweiConfig,
    /// The world around.
    pub around: Surroundings,
    buckets: BTreeMap<Service, Bucket>,
}

/// Whom a request goes to, for what is said about it.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// The service.
    pub service: Service,
    /// Whether its bucket is asked for a turn; the metadata service has none.
    pub paced: bool,
    /// Whether the host was made from the region's name.
    pub made: bool,
    /// Where our proof comes from, as people know it.
    pub proof: &'a str,
    /// Secrets that must not come back in words.
    pub known: &'a [&'a str],
}

impl Line {
    /// A line that has asked nothing yet.
    pub fn new(config: HuaweiConfig, around: Surroundings) -> Self {
        let buckets = Service::ALL.iter().map(|s| (*s, Bucket::new(config.requests_per_second))).collect();
        Self { config, around, buckets }
    }

    /// Now, by our clock.
    pub fn now(&self) -> Stamp {
        (self.around.now)()
    }

    /// A trouble of ours, without an answer.
    pub fn trouble(&self, kind: Kind, service: Service, place: &str, says: impl Into<String>) -> Trouble {
        Trouble::new(kind, &self.config.name, service, place, says.into())
    }

    /// Waits for a turn, sends one request, and gives its answer when that has a status below 300 and is no
    /// web page.
    pub async fn send(&self, to: &To<'_>, out: Outgoing, tally: &mut Tally) -> Result<Incoming, Trouble> {
        let place = crate::source::huawei::wire::host(&out.url);
        let bucket = self.buckets.get(&to.service).filter(|_| to.paced);
        if let Some(bucket) = bucket
            && let Err(left) = bucket.turn(PATIENCE).await
        {
            let mut trouble = self.trouble(Kind::Throttled { after: Some(left) }, to.service, &place, "");
            (trouble.held, trouble.proof) = (Some(left), to.proof.to_owned());
            return Err(trouble);
        }
        let sent = self.now();
        tally.requests = tally.requests.saturating_add(1);
        let outcome = match self.around.transport.send(out).await {
            Ok(answer) => self.judged(to, &place, sent, answer, tally),
            Err(fault) => Err(self.fault(to, &place, fault)),
        };
        if let Err(trouble) = &outcome {
            tally.failed = tally.failed.saturating_add(1);
            let throttled = matches!(trouble.kind, Kind::Throttled { .. });
            tally.throttled = tally.throttled.saturating_add(throttled.into());
            if let (Some(bucket), Some(wish)) = (bucket, trouble.after.or(throttled.then_some(THROTTLED))) {
                bucket.shut(wish);
            }
        }
        outcome
    }

    fn judged(
        &self,
        to: &To<'_>,
        place: &str,
        sent: Stamp,
        answer: Incoming,
        tally: &mut Tally,
    ) -> Result<Incoming, Trouble> {
        let now = self.now();
        let skew = refusal::skew(&answer, sent, now);
        tally.skew = skew.or(tally.skew);
        tally.bytes = tally.bytes.saturating_add(answer.body.len() as u64);
        let fine = (200..300).contains(&answer.status);
        if fine && refusal::page(&answer).is_none() {
            return Ok(answer);
        }
        let said = refusal::said(&answer);
        let kind = if fine { Kind::NotJson(Foreign::Html) } else { refusal::kind(&answer, &said, skew, now) };
        let mut trouble = self.trouble(kind, to.service, place, redact::clean(&said.message, to.known));
        to.proof.clone_into(&mut trouble.proof);
        trouble.status = Some(answer.status);
        trouble.after = match kind {
            Kind::Throttled { after } => after,
            _ if answer.status == 503 => refusal::retry_after(&answer, now),
            _ => None,
        };
        (trouble.code, trouble.request_id) = (redact::clean(&said.code, to.known), said.request_id);
        Err(trouble)
    }

    fn fault(&self, to: &To<'_>, place: &str, fault: Fault) -> Trouble {
        let (kind, says) = match fault {
            Fault::Dns if to.made => (Kind::NoRegion, String::new()),
            Fault::Dns => (Kind::Dns, String::new()),
            Fault::Unreachable(says) => (Kind::Unreachable, says),
            Fault::Tls(says) => (Kind::Tls, says),
            Fault::TimedOut => (Kind::TimedOut, String::new()),
            Fault::Truncated => (Kind::NotJson(Foreign::Truncated), String::new()),
            Fault::TooLarge => (Kind::TooLarge, format!("more than {} MiB", LONGEST_ANSWER >> 20)),
            Fault::Unfit(says) => (Kind::Setup, format!("the request cannot be sent: {says}")),
        };
        let mut trouble = self.trouble(kind, to.service, place, redact::clean(&says, to.known));
        to.proof.clone_into(&mut trouble.proof);
        trouble
    }
}
