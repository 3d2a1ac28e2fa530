//! One client for one `[huawei]` block: everything around a request.
//!
//! May not know: what is asked and what an answer means.

use crate::config::HuaweiConfig;
use crate::model::Lapse;
use crate::model::health::Cost;
use crate::source::huawei::Service;
use crate::source::huawei::trouble::{Foreign, Kind, Trouble};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// An answer longer than this is read on a thread of its own.
const READ_AT_ONCE: usize = 128 * 1024;

/// One question.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// Who is asked.
    pub service: Service,
    /// `GET`, `POST`.
    pub method: &'a str,
    /// Path as it goes on the wire; identifiers from outside have to be encoded ([`super::sign::encode`]).
    /// `{project_id}` stands for the project.
    pub path: String,
    /// Parameters, not encoded; the order does not matter.
    pub query: Vec<(String, String)>,
    /// JSON, as it goes on the wire.
    pub body: Option<Vec<u8>>,
    /// Further headers; they are sent and not signed.
    pub headers: Vec<(String, String)>,
}

impl<'a> Ask<'a> {
    /// A question without a body.
    pub fn get(service: Service, path: impl Into<String>) -> Self {
        Self { service, method: "GET", path: path.into(), query: Vec::new(), body: None, headers: Vec::new() }
    }
    /// A question with a JSON body, which may be empty.
    pub fn post(service: Service, path: impl Into<String>, body: Vec<u8>) -> Self {
        Self { method: "POST", body: Some(body), ..Self::get(service, path) }
    }
    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &'a str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }
}

/// An answer with a status below 300.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, decompressed.
    pub body: Bytes,
    /// The server's clock minus ours, when it said what time it has.
    pub skew: Option<Lapse>,
    /// Requests that were sent for this answer, repetitions and credentials included.
    pub requests: u32,
    /// How many of them failed.
    pub failed: u32,
    /// How many of them were turned away for asking too often.
    pub throttled: u32,
    /// Bytes received for it.
    pub bytes: u64,
    /// How long it took, waiting included.
    pub took: Lapse,
    /// Whose answer it is, for what is said about it.
    pub from: Arc<From>,
}

/// Who gave an answer.
#[derive(Clone, Debug)]
pub struct From {
    /// The `[huawei]` block.
    pub source: String,
    /// The service.
    pub service: Service,
    /// The host.
    pub place: String,
}

impl Answer {
    /// The body as JSON; a long one is read away from the async threads, where it would hold up others.
    pub async fn json<T: DeserializeOwned + Send + 'static>(&self) -> Result<T, Trouble> {
        let body = self.body.clone();
        let read = if body.len() <= READ_AT_ONCE {
            serde_json::from_slice(&body)
        } else {
            match tokio::task::spawn_blocking(move || serde_json::from_slice(&body)).await {
                Ok(read) => read,
                Err(_) => return Err(self.trouble(Kind::NotJson(Foreign::Other), "reading the answer failed")),
            }
        };
        read.map_err(|e: serde_json::Error| {
            let foreign = if e.is_eof() { Foreign::Truncated } else { Foreign::Other };
            // serde's own words may quote the answer, where secrets can stand.
            let says = format!("line {}, column {}", e.line(), e.column());
            self.trouble(Kind::NotJson(foreign), &says)
        })
    }
    /// A trouble with this answer, found by whoever reads it.
    pub fn trouble(&self, kind: Kind, says: &str) -> Trouble {
        let From { source, service, place } = self.from.as_ref();
        let mut trouble = Trouble::new(kind, source, *service, place, says);
        (trouble.status, trouble.cost) = (Some(self.status), self.cost());
        trouble
    }
    /// What it cost; the times are for the runner to fill in.
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

/// The client. Cheap to clone; all clones share keys, manners and what was learned.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: HuaweiConfig,
}

impl Client {
    /// A client that has asked nothing yet.
    pub fn new(config: &HuaweiConfig) -> Self {
        Self { inner: Arc::new(Inner { config: config.clone() }) }
    }
    /// Name of the block, which stands on the dot.
    pub fn name(&self) -> &str {
        &self.inner.config.name
    }
    /// The block.
    pub fn config(&self) -> &HuaweiConfig {
        &self.inner.config
    }
    /// Asks once; repeats where that is harmless and may help, after waiting as long as the server wants.
    pub async fn call(&self, ask: Ask<'_>) -> Result<Answer, Trouble> {
        tokio::task::yield_now().await;
        let says = "requests are not sent yet";
        Err(Trouble::new(Kind::Setup, self.name(), ask.service, "", says))
    }
}
