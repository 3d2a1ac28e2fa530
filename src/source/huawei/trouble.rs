//! What can go wrong with a request, in words with the remedy.
//!
//! Everything a server says passes through here before anybody may show, record or log it: keys, tokens
//! and the canonical request that gateways echo are cut out (`redact`). May not know: how a request is
//! sent, nor when it is sent again.

use crate::model::health::Cost;
use crate::model::{Lapse, Untrusted};
use crate::source::huawei::Service;
use crate::source::runner::Condition;

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
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The service's own code: `ces.0014`, `APIGW.0301`. Letters, digits, `.`, `-`, `_` only; may be empty.
    pub code: String,
    /// The server's words, or ours when it said nothing; without anything secret.
    pub message: Untrusted,
    /// What to name when asking the provider; may be empty.
    pub request_id: String,
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
    /// A trouble of which no more is known than its kind and a sentence of ours.
    pub fn new(kind: Kind, source: &str, service: Service, place: &str, message: impl Into<Untrusted>) -> Self {
        Self(Box::new(Told {
            kind,
            source: source.to_owned(),
            service,
            place: place.to_owned(),
            status: None,
            code: String::new(),
            message: message.into(),
            request_id: String::new(),
            cost: Cost::default(),
        }))
    }
    /// What happened, in a sentence.
    pub fn says(&self) -> String {
        format!("{}: {} at {}: {}", self.source, self.service.name(), self.place, self.message.raw())
    }
    /// What a person can do.
    pub fn remedy(&self) -> String {
        String::new()
    }
    /// How the source is, for the runner.
    pub fn condition(&self) -> Condition {
        Condition::down(self.short(), self.says(), self.remedy())
    }
    /// At most 12 cells, for beside the dot.
    pub fn short(&self) -> String {
        self.status.map(|s| s.to_string()).unwrap_or_default()
    }
}
