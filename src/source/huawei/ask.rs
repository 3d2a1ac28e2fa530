//! A question to a service and the answer to it, which is read away from the async threads when it is long.
//!
//! May not know: who we are, how it is sent, when it is sent again.

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
    /// Further headers; they are sent and not signed. `Content-Type` is `application/json` unless it stands here.
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

/// An answer with a status below 300. Its `Debug` leaves out the body, which others wrote.
#[derive(Clone)]
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

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("cost", &self.cost()).finish_non_exhaustive()
    }
}

impl Answer {
    /// The body as JSON.
    pub async fn json<T: DeserializeOwned + Send + 'static>(&self) -> Result<T, Trouble> {
        self.read(|read: T| read).await
    }
    /// What is made of the body's JSON; with a long one all of it is done away from the async threads, where
    /// it would hold up others.
    pub async fn read<T, R>(&self, make: impl FnOnce(T) -> R + Send + 'static) -> Result<R, Trouble>
    where
        T: DeserializeOwned,
        R: Send + 'static,
    {
        let body = self.body.clone();
        let work = move || serde_json::from_slice(&body).map(make);
        let read = if self.body.len() <= READ_AT_ONCE {
            work()
        } else {
            match tokio::task::spawn_blocking(work).await {
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
