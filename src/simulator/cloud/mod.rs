//! An emulator of the Huawei Cloud interfaces that an incident is looked at through, for loopback: it checks
//! signatures as the gateway does and answers from a [`World`] with the documented paging, limits, errors,
//! and faults on demand. Tests and the demo use it as a library, anybody by `warroom simulate --listen`.
//!
//! It owns the far side of the wire and nothing else: it knows no client, no configuration and no clock.
//! Two clocks are given to it: the wall's (signatures, tokens, locks, rates) and the world's (what can be
//! asked for already). They are the same clock unless a world is played at its own pace.
//!
//! # Our choices
//! Where no public text says what happens, the emulator does the strict or the plain thing, and says so at the
//! place ("our choice"). The list:
//! - gateway: order of checks (path, fault, signature, project, rate, media type, body); one trailing slash is
//!   forgiven; `+` in a query is a blank; the list of signed headers is sorted before it is compared; a header
//!   that is not UTF-8 matches no signature; a list without host or date, a skew and an unknown key are no
//!   strikes, only a wrong signature is; a signed word or hash for the body counts, an unsigned one does not;
//!   refused requests count for no rate; `Retry-After` is whole seconds, rounded up; a project that is not the
//!   account's is 403 in the service's own shape; a body that is not called JSON is 400 in the service's shape;
//! - keys: words of refusals that are documented nowhere; an unsigned security token is as good as none; the
//!   shape of IAM's own errors; how long a token of the metadata service may live; no token is bound to a region;
//! - CES: a period's cap on the span is refused with 400 (see [`Limits::span_caps`]); `period` must be a text in
//!   a batch; both ends of a range are included; variance is that of the population; windows above one hour are
//!   kept for a year; an unknown metric has an entry without points and without a unit; answers come sorted
//!   by name, not in the order asked; the single query moves no `from` and has no cap; the list is ascending
//!   unless asked otherwise, the marker of several dimensions is joined with dots, a page after the last has an
//!   empty one; alarm states follow from records; an alarm that is on has neither end nor recovery; of V2
//!   histories `from` and `to` are about the last change; V1 pages of histories and events are turned by
//!   number; events are those of seven days when no time is given;
//! - CTS: the marker is the last trace's id; a marker nobody gave out is 400; filters compare whole texts;
//! - LTS: a query may span 30 days and a histogram 180; keywords ignore case and may be nested 64 deep; fields
//!   are the collector's labels, others match nothing, nor do comparisons; `#"…"` is looked for as it stands; a
//!   wildcard is not expanded to 100 words but means all; a cursor without `line_num` is 400, and so is one
//!   without `__time__` where a stream goes by time; a page has no `scrollId`; steps of the histogram are at
//!   least a second, empty windows are there with 0, there are at most 10 000, the last is cut at the end; the
//!   context understands sizes in camelCase too, and a line that is not there is 400;
//! - AOM: the limit of 11 000 points is that of Prometheus; parts of PromQL that are not known are `bad_data`.

mod api;
mod ces;
mod change;
mod clock;
mod control;
mod cts;
mod evening;
mod faults;
mod gateway;
mod iam;
mod keyring;
mod lts;
mod metadata;
mod prometheus;
mod promql;
mod reply;
mod requests;
mod scrape;
pub mod signature;
mod text;
mod throttle;
pub mod wire;
pub mod world;

pub use api::{Api, Service};
pub use clock::{Clock, Watch};
pub use evening::{END, GROUP as LOG_GROUP, INSTANCES, OPENED, START, STREAMS as LOG_STREAMS, evening};
pub use faults::{Fault, Faults, Planned};
pub use gateway::Limits;
pub use keyring::{Account, Agency, Temporary};
pub use requests::{Asked, Requests};
pub use throttle::{Rate, Rates};
pub use world::World;

use crate::model::Lapse;
use gateway::State;
use keyring::Keyring;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use throttle::Throttle;
use tokio::task::JoinHandle;

/// An emulator before it listens.
#[derive(Debug)]
pub struct Cloud {
    world: World,
    wall: Clock,
    now: Clock,
    account: Account,
    limits: Limits,
    rates: Rates,
    control: bool,
}

impl Cloud {
    /// An emulator of this world, with the documented limits and the invented default account.
    pub fn new(world: World, clock: Clock) -> Self {
        Self {
            world,
            wall: clock.clone(),
            now: clock,
            account: Account::default(),
            limits: Limits::default(),
            rates: Rates::documented(),
            control: false,
        }
    }

    /// The world has a clock of its own; signatures keep the other one.
    #[must_use]
    pub fn world_clock(mut self, clock: Clock) -> Self {
        self.now = clock;
        self
    }

    /// Another account.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.account = account;
        self
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Other rates.
    #[must_use]
    pub fn rates(mut self, rates: Rates) -> Self {
        self.rates = rates;
        self
    }

    /// Faults can be set over HTTP as well, at `/emulator/faults`.
    #[must_use]
    pub fn with_control(mut self) -> Self {
        self.control = true;
        self
    }

    /// Listens and answers in the background until what comes back is dropped. Port 0 is a free one.
    pub async fn listen(self, address: SocketAddr) -> io::Result<Running> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            world: RwLock::new(self.world),
            wall: self.wall,
            now: self.now,
            keyring: Mutex::new(Keyring::new(self.account)),
            throttle: Mutex::new(Throttle::default()),
            limits: self.limits,
            rates: self.rates,
            control: self.control,
            faults: Faults::default(),
            requests: Requests::default(),
        });
        let task = tokio::spawn(gateway::serve(wire::Door(listener), state.clone()));
        Ok(Running { address, state, task })
    }
}

/// An emulator that listens; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:18080`, for every service alike.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where faults are set.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// What was asked.
    pub fn requests(&self) -> &Requests {
        &self.state.requests
    }

    /// The account that may ask.
    pub fn account(&self) -> Account {
        self.keyring(|k| k.account.clone())
    }

    /// Changes the world while it is asked about.
    pub fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.state.world.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Temporary keys, as an agency gives them out.
    pub fn lend(&self, life: Lapse) -> Temporary {
        let now = self.state.wall.now();
        self.keyring(|k| k.lend(now, life))
    }

    /// Ends every token and every temporary key now.
    pub fn expire_keys(&self) {
        let now = self.state.wall.now();
        self.keyring(|k| k.expire(now));
    }

    fn keyring<T>(&self, work: impl FnOnce(&mut Keyring) -> T) -> T {
        work(&mut self.state.keyring.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
