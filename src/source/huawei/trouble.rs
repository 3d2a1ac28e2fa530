//! What can go wrong with a request, in words with the remedy.
//!
//! Everything a server says passes through here before anybody may show, record or log it: keys, tokens
//! and the canonical request that gateways echo are cut out (`redact`). May not know: how a request is
//! sent, nor when it is sent again.

use crate::model::health::{Cost, State};
use crate::model::{Lapse, Untrusted};
use crate::source::huawei::Service;
use crate::source::runner::Condition;
use std::fmt::Write as _;

/// While nobody asks after a refusal, the client looks so often whether its reason is gone.
pub const LOOK_AGAIN: Lapse = Lapse::seconds(30);

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A page of a proxy or a login.
    Html,
    /// JSON that ends in the middle, or a connection that did.
    Truncated,
    /// JSON of another shape, or something else altogether.
    Other,
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 429, with the time the server asked for.
    Throttled {
        /// From `Retry-After`.
        after: Option<Lapse>,
    },
    /// 401: the signature is wrong, so the secret key is.
    BadSignature,
    /// 401: there is no such access key.
    UnknownKey,
    /// 401: the access key is locked after too many wrong signatures.
    Locked,
    /// 401 or 403: the token is over.
    TokenExpired,
    /// 401: our clock is too far away; the server's minus ours, when it said what time it has.
    Skewed(Option<Lapse>),
    /// 401 for another reason.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 400 and other refusals of what was asked.
    BadRequest,
    /// 404.
    NotFound,
    /// 413 and 414: what was asked is too long.
    TooLong,
    /// 5xx.
    Server,
    /// Something in between answered: a redirection, or a proxy that wants a password.
    Proxy,
    /// There is no host for this service and region.
    NoRegion,
    /// There is no host of this name.
    Dns,
    /// The host cannot be reached.
    Unreachable,
    /// No secure connection.
    Tls,
    /// No answer in time.
    TimedOut,
    /// An answer that is not what the service sends.
    NotJson(Foreign),
    /// An answer longer than is read.
    TooLarge,
    /// We have nothing to prove who we are with.
    NoCredentials,
    /// The project is not known.
    NoProject,
    /// The configuration or the environment asks for what cannot be done.
    Setup,
}

/// A request that was not answered. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trouble(Box<Told>);

/// What is known of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// What kind it is.
    pub kind: Kind,
    /// Which `[huawei]` block asked.
    pub source: String,
    /// Which service was asked.
    pub service: Service,
    /// Which host was asked.
    pub place: String,
    /// Where our proof comes from, as people know it: `secret_key in [huawei]`, `the environment`.
    pub proof: String,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The service's own code: `ces.0014`, `APIGW.0301`. Letters, digits, `.`, `-`, `_` only; may be empty.
    pub code: String,
    /// The server's words, or ours when it said nothing; without anything secret.
    pub message: Untrusted,
    /// What to name when asking the provider; may be empty.
    pub request_id: String,
    /// How long the server wants to be left alone, when it said so (429 and 503).
    pub after: Option<Lapse>,
    /// How long warroom will not ask again by itself, when it was not even asked this time or will not be.
    pub held: Option<Lapse>,
    /// What asking cost all the same; the times in it are for the runner to fill in.
    pub cost: Cost,
}

impl std::ops::Deref for Trouble {
    type Target = Told;
    fn deref(&self) -> &Told {
        &self.0
    }
}

impl std::ops::DerefMut for Trouble {
    fn deref_mut(&mut self) -> &mut Told {
        &mut self.0
    }
}

impl Trouble {
    /// A trouble of which no more is known than its kind and a sentence, ours or a library's.
    pub fn new(kind: Kind, source: &str, service: Service, place: &str, message: impl Into<Untrusted>) -> Self {
        Self(Box::new(Told {
            kind,
            source: source.to_owned(),
            service,
            place: place.to_owned(),
            proof: String::new(),
            status: None,
            code: String::new(),
            message: message.into(),
            request_id: String::new(),
            after: None,
            held: None,
            cost: Cost::default(),
        }))
    }

    /// What happened, in a sentence.
    pub fn says(&self) -> String {
        let mut out = format!("{}: {}", self.source, self.happened());
        // How long it is throttled was said already.
        if let Some(held) = self.held.filter(|_| !matches!(self.kind, Kind::Throttled { .. })) {
            let unless = if self.is_refusal() { ", unless that is corrected" } else { "" };
            let _ = write!(out, "; not asked again for {}{unless}", plainly(held));
        }
        out
    }

    /// The same without the block's name and without what follows, for a line of `check`.
    pub fn happened(&self) -> String {
        let (name, place, proof) = (self.service.name(), &self.place, &self.proof);
        let said = self.quoted();
        match self.kind {
            Kind::Throttled { after: Some(after) } => {
                format!("{name} wants to be asked less often, next in {}{said}", plainly(after))
            }
            Kind::Throttled { after: None } => format!("{name} wants to be asked less often{said}"),
            Kind::BadSignature => {
                format!("{name} refused our signature: the secret key does not belong to the access key{said}")
            }
            Kind::UnknownKey => format!("{name} does not know the access key{said}"),
            Kind::Locked => {
                format!("the access key is locked after too many wrong signatures, for everybody who uses it{said}")
            }
            Kind::TokenExpired => format!("{name} says that our token is over{said}"),
            Kind::Skewed(Some(skew)) => format!(
                "{name} refused our signature as too old or too new: this machine's clock is {} {} its own{said}",
                plainly(skew.abs()),
                if skew > Lapse::ZERO { "behind" } else { "ahead of" }
            ),
            Kind::Skewed(None) => format!("{name} refused our signature as too old or too new{said}"),
            Kind::Unauthorized => format!("{name} did not accept who we are{said}"),
            Kind::Forbidden => format!("{name} does not permit this{said}"),
            Kind::BadRequest => format!("{name} refused the question{said}"),
            Kind::NotFound => format!("{name} knows nothing under this address{said}"),
            Kind::TooLong => format!("{name} says that the question is too long{said}"),
            Kind::Server => format!("{name} failed on its own side{said}"),
            Kind::NoRegion => {
                format!(
                    "there is no host {place}: {name} is not offered in this region, the region's name is wrong, or this machine's name service does not answer"
                )
            }
            Kind::Dns => format!(
                "{name}: there is no host of the name {place}, or the name service of this machine does not answer"
            ),
            Kind::Unreachable => format!("{name}: {place} cannot be reached{said}"),
            Kind::Tls => format!("{name}: no secure connection with {place}{said}"),
            Kind::Proxy => format!("{name}: something between here and {place} answered in its place{said}"),
            Kind::TimedOut => format!("{name}: no answer from {place} in time{said}"),
            Kind::NotJson(Foreign::Html) => format!("{name}: a web page came instead of an answer{said}"),
            Kind::NotJson(Foreign::Truncated) => format!("{name}: the answer from {place} ends in the middle{said}"),
            Kind::NotJson(Foreign::Other) => format!("{name}: the answer is not what this service sends{said}"),
            Kind::TooLarge => format!("{name}: the answer is longer than warroom reads{said}"),
            Kind::NoCredentials => format!("no credentials from {proof}: {}", self.message.raw()),
            Kind::NoProject | Kind::Setup => self.message.raw().to_owned(),
        }
    }

    /// Status, code, words and request id of the server, as far as it gave them.
    fn quoted(&self) -> String {
        let status = self.status.map(|s| format!("HTTP {s}"));
        let words = (!self.message.is_empty()).then(|| format!("\"{}\"", self.message.raw()));
        let id = (!self.request_id.is_empty()).then(|| format!("request {}", self.request_id));
        let code = (!self.code.is_empty()).then(|| self.code.clone());
        let parts: Vec<String> = [status, code, words, id].into_iter().flatten().collect();
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    }

    /// What a person can do, exactly.
    pub fn remedy(&self) -> String {
        let (id, proof) = (self.service.id(), &self.proof);
        match self.kind {
            Kind::Throttled { .. } => {
                "warroom waits as long as it was told. If this lasts: lower requests_per_second in [huawei], or see who else uses the account.".to_owned()
            }
            Kind::BadSignature => format!(
                "Put the secret key (SK) of this access key where {proof} has it. warroom asks once and then leaves it: five wrong signatures lock the key for five minutes."
            ),
            Kind::UnknownKey => format!(
                "See in the console, under My Credentials, whether the access key of {proof} exists and is enabled."
            ),
            Kind::Locked => format!(
                "Wait five minutes; then look for whoever signs with a wrong secret key. It may be another tool; warroom takes its own from {proof}."
            ),
            Kind::TokenExpired => format!("Renew the token of {proof}; keys without a token do not run out."),
            Kind::Skewed(_) => {
                "Set this machine's clock (timedatectl set-ntp true, or chronyc makestep): up to 15 minutes of difference are accepted. warroom notices when it is set.".to_owned()
            }
            Kind::Unauthorized => format!("Check the credentials of {proof} and that they belong to region and account."),
            Kind::Forbidden => format!("Give the user of {proof} the permission to read: {}.", rights(self.service)),
            Kind::NotFound => format!(
                "Check project_id and region in [huawei], and {id} in [huawei.endpoints] when it is set."
            ),
            Kind::TooLong => "Ask for less at once: lower batch_size in [huawei].".to_owned(),
            Kind::NoRegion => format!(
                "Correct region in [huawei]; when the region is right, set {id} in [huawei.endpoints] or leave out what needs {}; when nothing else has a name either, mend this machine's name service (/etc/resolv.conf).",
                self.service.name()
            ),
            Kind::Dns => format!("Correct {id} in [huawei.endpoints], or the name service of this machine (/etc/resolv.conf)."),
            Kind::Unreachable | Kind::TimedOut => {
                "See whether a firewall or a proxy (HTTPS_PROXY) lets this machine through; warroom goes on trying.".to_owned()
            }
            Kind::Tls => {
                "Install the machine's CA certificates (package ca-certificates), or name the right ones in SSL_CERT_FILE.".to_owned()
            }
            Kind::Proxy | Kind::NotJson(Foreign::Html) => format!(
                "A proxy or a login page answers for it: set HTTPS_PROXY or NO_PROXY for this machine, or correct {id} in [huawei.endpoints]."
            ),
            Kind::NotJson(_) => "warroom asks again; if it stays, send the request id to the provider.".to_owned(),
            Kind::TooLarge => "Ask for a shorter time or fewer things at once.".to_owned(),
            Kind::NoCredentials => {
                "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or access_key and secret_key in [huawei]; credentials in [huawei] names other ways.".to_owned()
            }
            Kind::NoProject => "Set project_id in [huawei]: the console shows it under My Credentials.".to_owned(),
            Kind::BadRequest if self.service == Service::Ces => {
                "Check the ids, metrics and dimensions under [huawei]: warroom huawei metrics lists what the account has.".to_owned()
            }
            Kind::BadRequest => {
                "Check region and project_id in [huawei]; if they are right, ask the provider with code and request id.".to_owned()
            }
            Kind::Server => {
                "warroom goes on trying; if this lasts, ask the provider with the request id.".to_owned()
            }
            Kind::Setup => format!(
                "Correct [huawei], {id} in [huawei.endpoints] or the environment variable that is named."
            ),
        }
    }

    /// How the source is, for the runner.
    pub fn condition(&self) -> Condition {
        let state = if matches!(self.kind, Kind::Throttled { .. }) { State::Late } else { State::Down };
        Condition { state, code: self.short(), says: self.says().into(), remedy: self.remedy().into() }
    }

    /// At most 12 cells, for beside the dot.
    pub fn short(&self) -> String {
        let word = match self.kind {
            Kind::Locked => "key locked",
            Kind::TokenExpired => "token over",
            Kind::Skewed(_) => "clock",
            Kind::NoRegion => "no region",
            Kind::Dns => "no host",
            Kind::Unreachable => "no route",
            Kind::Tls => "TLS",
            Kind::Proxy | Kind::NotJson(Foreign::Html) => "proxy",
            Kind::TimedOut => "no answer",
            Kind::NotJson(_) => "not JSON",
            Kind::TooLarge => "too large",
            Kind::NoCredentials => "no keys",
            Kind::NoProject => "no project",
            Kind::Setup => "setup",
            _ => return self.status.map_or_else(|| "error".to_owned(), |s| s.to_string()),
        };
        word.to_owned()
    }

    /// How long to leave the service alone at least, for the runner. After a refusal it is the client that
    /// sends nothing: asking it costs nobody anything, and it notices what was corrected.
    pub fn wait(&self) -> Lapse {
        match (self.held.or(self.after), self.kind) {
            (Some(held), _) if self.is_refusal() => held.min(LOOK_AGAIN),
            (Some(wish), _) => wish,
            (None, Kind::Throttled { after }) => after.unwrap_or(Lapse::seconds(30)),
            _ => Lapse::ZERO,
        }
    }

    /// Whether who we are was refused: then nobody asks again for a while, because wrong signatures lock the
    /// key for everybody.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.kind,
            Kind::BadSignature
                | Kind::UnknownKey
                | Kind::Locked
                | Kind::TokenExpired
                | Kind::Skewed(_)
                | Kind::Unauthorized
        )
    }

    /// Whether the host was not reached at all, so that another one may serve.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self.kind, Kind::NoRegion | Kind::Dns | Kind::Unreachable | Kind::TimedOut) && self.status.is_none()
    }

    /// Whether asking the same again may help: throttled, a gateway's failure, no answer in time, half an answer.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::Throttled { .. } | Kind::TimedOut | Kind::NotJson(Foreign::Truncated))
            || matches!(self.status, Some(502..=504))
    }
}

/// What a role needs to be allowed for each service.
const fn rights(service: Service) -> &'static str {
    match service {
        Service::Ces => {
            "ces:metricData:list, ces:metrics:list, ces:alarms:list, ces:alarmHistory:list (CES ReadOnlyAccess)"
        }
        Service::Cts => "cts:trace:list (CTS ReadOnlyAccess)",
        Service::Aom => "aom:metric:get and aom:metric:list (AOM ReadOnlyAccess)",
        Service::Lts => "lts:groups:list, lts:topics:list and lts:logs:list (LTS ReadOnlyAccess)",
        Service::Iam => "iam:projects:listProjects, or set project_id in [huawei]",
        Service::Rds => "rds:instance:list and rds:log:list (RDS ReadOnlyAccess)",
    }
}

/// A length of time as people say it: `40 s`, `3 min`, `2 h 10 min`, `5 days`.
pub fn plainly(lapse: Lapse) -> String {
    let seconds = lapse.abs().whole_seconds();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
#[path = "trouble_tests.rs"]
mod tests;
