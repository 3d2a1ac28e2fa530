//! One client for one `[huawei]` block: who we are, when we may ask, what is asked again, and where.
//!
//! Everything that can be retried is read-only, so a repetition changes nothing there. May not know: what is
//! asked and what an answer means.

use crate::config::HuaweiConfig;
use crate::model::{Lapse, Zone};
use crate::source::huawei::ask::{Answer, Ask, From};
use crate::source::huawei::circuit::Circuit;
use crate::source::huawei::credentials::Credentials;
use crate::source::huawei::endpoint::{self, Endpoint};
use crate::source::huawei::identity::{Identity, Proof};
use crate::source::huawei::line::{LONGEST_ANSWER, Line, PATIENCE, Surroundings, Tally, To};
use crate::source::huawei::trouble::{Foreign, Kind, Trouble};
use crate::source::huawei::wire::{self, Incoming, Outgoing};
use crate::source::huawei::{Service, project, sign};
use crate::source::runner::lapse;
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// Pauses before the second, third and fourth attempt; up to half of each is added at random.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// No attempt begins later than this after the first.
const LAST_ATTEMPT: Duration = Duration::from_secs(30);
/// How long a call may take at most, waiting for its turn in a crowd aside: what a deadline around it has to
/// allow. Four attempts, each with its own time limit, and the pauses between them.
pub const LONGEST_CALL: Lapse = Lapse::seconds(60);

/// The client. Cheap to clone; all clones share keys, manners and what was learned.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    line: Line,
    credentials: Credentials,
    circuit: Circuit,
    /// The project that was found, and with whose keys.
    project: Mutex<Option<(Arc<Identity>, String)>>,
    /// Which of a service's hosts answered last.
    hosts: BTreeMap<Service, AtomicUsize>,
}

/// A whole answer, and the host that gave it.
type Sent = (Incoming, String);

impl Client {
    /// A client of a block that has asked nothing yet.
    pub fn new(config: &HuaweiConfig) -> Self {
        Self::within(config, Surroundings::of_process())
    }
    /// The same in other surroundings, for tests.
    pub fn within(config: &HuaweiConfig, around: Surroundings) -> Self {
        let hosts = Service::ALL.iter().map(|s| (*s, AtomicUsize::new(0))).collect();
        let line = Line::new(config.clone(), around);
        let (credentials, circuit, project) = Default::default();
        Self { inner: Arc::new(Inner { line, credentials, circuit, project, hosts }) }
    }
    /// Name of the block, which stands on the dot.
    pub fn name(&self) -> &str {
        &self.inner.line.config.name
    }
    /// The block.
    pub fn config(&self) -> &HuaweiConfig {
        &self.inner.line.config
    }
    /// Asks, and asks again where that may help: throttled, a gateway's failure, no answer in time. Waits for
    /// its turn, and as long as the server wants to be left alone when that is short; a long wish is the
    /// trouble, with the time in `held`. After who we are was refused nothing is sent for ten minutes.
    pub async fn call(&self, ask: Ask<'_>) -> Result<Answer, Trouble> {
        let (begun, mut tally) = (Instant::now(), Tally::default());
        match self.inner.tries(&ask, begun, &mut tally).await {
            Ok((incoming, place)) => Ok(Answer {
                status: incoming.status,
                body: incoming.body,
                skew: tally.skew,
                requests: tally.requests,
                failed: tally.failed,
                throttled: tally.throttled,
                bytes: tally.bytes,
                took: lapse(begun.elapsed()),
                from: Arc::new(From { source: self.name().to_owned(), service: ask.service, place }),
            }),
            Err(mut trouble) => {
                trouble.cost = tally.cost();
                tracing::debug!(service = ask.service.id(), code = %trouble.short(), "a request was not answered");
                Err(trouble)
            }
        }
    }
    /// Who we are and the project, asked for when needed; for `check`.
    pub(super) async fn introduce(&self) -> Result<Arc<Identity>, Trouble> {
        self.inner.identity(&mut Tally::default()).await
    }
    /// The project in use, resolved when needed; for `check`.
    pub(super) async fn project(&self) -> Result<String, Trouble> {
        let _turn = self.inner.circuit.enter(Service::Iam).await?;
        let mut tally = Tally::default();
        let identity = self.inner.identity(&mut tally).await?;
        // A project that needs no asking proves nothing, so only a refusal is learned from.
        self.inner.project(&identity, &mut tally).await.map_err(|trouble| self.inner.refused(Service::Iam, trouble))
    }
    /// The wall clock in use.
    pub(super) fn now(&self) -> crate::model::Stamp {
        self.inner.line.now()
    }
}

impl Inner {
    async fn tries(&self, ask: &Ask<'_>, begun: Instant, tally: &mut Tally) -> Result<Sent, Trouble> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let mut trouble = match self.attempt(ask, tally).await {
                Ok(sent) => return Ok(sent),
                Err(trouble) => trouble,
            };
            let after = trouble.after.unwrap_or_default();
            if after.to_std() > PATIENCE {
                trouble.held = Some(after);
            }
            let Some(pause) = pauses.next().filter(|_| trouble.is_passing() && trouble.held.is_none()) else {
                return Err(trouble);
            };
            let pause = (pause + pause.mul_f64(fastrand::f64() / 2.0)).max(after.to_std());
            if begun.elapsed() + pause > LAST_ATTEMPT {
                return Err(trouble);
            }
            sleep(pause).await;
        }
    }

    /// One attempt: one request, and what has to be asked before it.
    async fn attempt(&self, ask: &Ask<'_>, tally: &mut Tally) -> Result<Sent, Trouble> {
        self.look_for_corrections(tally).await;
        let _turn = self.circuit.enter(ask.service).await?;
        let outcome = self.asked(ask, tally).await;
        self.told(ask.service, outcome)
    }

    /// Lets the circuit learn from an outcome.
    fn told<T>(&self, service: Service, outcome: Result<T, Trouble>) -> Result<T, Trouble> {
        match outcome {
            Ok(fine) => {
                self.circuit.accepted(service);
                Ok(fine)
            }
            Err(trouble) => Err(self.refused(service, trouble)),
        }
    }

    fn refused(&self, service: Service, trouble: Trouble) -> Trouble {
        if trouble.is_refusal() { self.circuit.refused(service, trouble, self.line.now()) } else { trouble }
    }

    async fn identity(&self, tally: &mut Tally) -> Result<Arc<Identity>, Trouble> {
        self.credentials.identity(&self.line, tally).await
    }

    /// The project: the configuration's, the credentials' own, or the one that has the region's name.
    async fn project(&self, identity: &Arc<Identity>, tally: &mut Tally) -> Result<String, Trouble> {
        let config = &self.line.config;
        if let Some(id) = config.project_id.as_ref().or(identity.project.as_ref()) {
            return Ok(id.clone());
        }
        let mut kept = self.project.lock().await;
        if let Some((_, id)) = kept.as_ref().filter(|(whose, _)| whose.is_same(identity)) {
            return Ok(id.clone());
        }
        let ask = Ask::get(Service::Iam, project::PATH).with("name", &config.region);
        let (answer, place) = self.send(&ask, identity, None, tally).await?;
        let id = project::only(&answer.body, &config.region).map_err(|why| {
            let (kind, says) = match why {
                project::Why::NoList => (Kind::NotJson(Foreign::Other), "no list of projects".to_owned()),
                project::Why::Says(says) => (Kind::NoProject, says),
            };
            let mut trouble = self.line.trouble(kind, Service::Iam, &place, says);
            trouble.proof.clone_from(&identity.from);
            trouble
        })?;
        *kept = Some((Arc::clone(identity), id.clone()));
        Ok(id)
    }

    async fn asked(&self, ask: &Ask<'_>, tally: &mut Tally) -> Result<Sent, Trouble> {
        let identity = self.identity(tally).await?;
        let outcome = self.with(ask, &identity, tally).await;
        match outcome {
            // Somebody ended them early, or our clock is slow: new ones are asked for, once.
            Err(trouble) if is_over(&trouble, &identity) => {
                match self.credentials.renewed(&identity, &self.line, tally).await? {
                    Some(fresh) => self.with(ask, &fresh, tally).await,
                    None => Err(trouble),
                }
            }
            outcome => outcome,
        }
    }

    async fn with(&self, ask: &Ask<'_>, identity: &Arc<Identity>, tally: &mut Tally) -> Result<Sent, Trouble> {
        let project = match ask.service {
            Service::Iam if !ask.path.contains(PROJECT) => None,
            _ => Some(self.project(identity, tally).await?),
        };
        self.send(ask, identity, project.as_deref(), tally).await
    }

    /// While nobody asks because we were refused: whether the clock was set or the credentials were corrected.
    async fn look_for_corrections(&self, tally: &mut Tally) {
        if !self.circuit.look_again() {
            return;
        }
        if self.circuit.clock_was_set(self.line.now()) {
            self.circuit.corrected();
            return;
        }
        let Some(refused) = self.credentials.kept().await else { return };
        if refused.rereadable && matches!(self.credentials.renewed(&refused, &self.line, tally).await, Ok(Some(_))) {
            self.circuit.corrected();
        }
    }

    /// Sends to the service's hosts in turn, beginning with the one that answered last.
    async fn send(
        &self,
        ask: &Ask<'_>,
        identity: &Identity,
        project: Option<&str>,
        tally: &mut Tally,
    ) -> Result<Sent, Trouble> {
        let endpoint = endpoint::of(&self.line.config, ask.service, |name| (self.line.around.variable)(name))
            .map_err(|says| self.line.trouble(Kind::Setup, ask.service, "", says))?;
        let Endpoint { urls, made } = &endpoint;
        let known = identity.secrets();
        let to = To { service: ask.service, paced: true, made: *made, proof: &identity.from, known: &known };
        let first = self.hosts.get(&ask.service).map_or(0, |h| h.load(Ordering::Relaxed));
        let mut trouble = None;
        for turn in 0..urls.len() {
            let which = (first + turn) % urls.len();
            let Some(base) = urls.get(which) else { continue };
            let out = self.dressed(ask, base, identity, project)?;
            let place = wire::host(&out.url);
            match self.line.send(&to, out, tally).await {
                Ok(answer) => {
                    if let Some(host) = self.hosts.get(&ask.service) {
                        host.store(which, Ordering::Relaxed);
                    }
                    return Ok((answer, place));
                }
                // The first host's words are the ones to tell: the others are for when it is away.
                Err(t) if t.is_elsewhere() => trouble = trouble.or(Some(t)),
                Err(t) => return Err(t),
            }
        }
        Err(trouble.unwrap_or_else(|| self.line.trouble(Kind::Setup, ask.service, "", "it has no endpoint")))
    }

    /// The request as it goes out, signed.
    fn dressed(
        &self,
        ask: &Ask<'_>,
        base: &str,
        identity: &Identity,
        project: Option<&str>,
    ) -> Result<Outgoing, Trouble> {
        let path = ask.path.replace(PROJECT, &sign::encode(project.unwrap_or_default()));
        let url = wire::url(base, &path, &sign::canonical_query(&ask.query))
            .map_err(|says| self.line.trouble(Kind::Setup, ask.service, base, says))?;
        let mut headers = ask.headers.clone();
        let content_type = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(CONTENT_TYPE)).map(|(_, v)| v.clone());
        let content_type = content_type.or_else(|| ask.body.as_ref().map(|_| JSON.to_owned()));
        if let Some(content_type) = &content_type {
            headers.retain(|(n, _)| !n.eq_ignore_ascii_case(CONTENT_TYPE));
            headers.push((CONTENT_TYPE.to_owned(), content_type.clone()));
        }
        headers.extend(project.map(|id| ("X-Project-Id".to_owned(), id.to_owned())));
        if let Some(domain) = self.domain(identity).filter(|_| ask.service == Service::Iam) {
            headers.push(("X-Domain-Id".to_owned(), domain.to_owned()));
        }
        let body = ask.body.clone().unwrap_or_default();
        match &identity.proof {
            Proof::Token(token) => headers.push(("X-Auth-Token".to_owned(), token.expose_secret().to_owned())),
            Proof::Keys { ak, sk, token } => {
                // Only what nothing on the way changes is signed: neither user agent nor content type.
                let date = UTC.format(self.line.now(), "%Y%m%dT%H%M%SZ");
                let mut proofs = vec![(sign::DATE.to_owned(), date)];
                proofs.extend(token.as_ref().map(|t| ("X-Security-Token".to_owned(), t.expose_secret().to_owned())));
                proofs.extend(sign::content_hash(content_type.as_deref()));
                headers.extend(proofs.iter().cloned());
                let host = ("Host".to_owned(), wire::host(&url));
                let named = |n: &str| n.eq_ignore_ascii_case("x-project-id") || n.eq_ignore_ascii_case("x-domain-id");
                let sign: Vec<_> =
                    headers.iter().filter(|(n, _)| named(n)).cloned().chain(proofs).chain([host]).collect();
                let (method, path) = (ask.method, url.path());
                let request = sign::Request { method, path, query: &ask.query, headers: &sign, body: &body };
                let signed = sign::sign(&request, ak.expose_secret(), sk.expose_secret());
                headers.push(("Authorization".to_owned(), signed.authorization));
            }
        }
        Ok(Outgoing { method: ask.method.to_ascii_uppercase(), url, headers, body, most: LONGEST_ANSWER })
    }

    fn domain<'i>(&'i self, identity: &'i Identity) -> Option<&'i str> {
        self.line.config.domain_id.as_deref().or(identity.domain.as_deref())
    }
}

/// Whether new credentials may be all it needs. Of temporary ones that ended early the gateway may say that it
/// does not know them.
fn is_over(trouble: &Trouble, identity: &Identity) -> bool {
    let unknown = matches!(trouble.kind, Kind::UnknownKey | Kind::Unauthorized);
    trouble.kind == Kind::TokenExpired || (unknown && identity.expires.is_some())
}

/// Stands for the project in a path.
const PROJECT: &str = "{project_id}";
const CONTENT_TYPE: &str = "Content-Type";
const JSON: &str = "application/json";
static UTC: LazyLock<Zone> = LazyLock::new(Zone::utc);

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
