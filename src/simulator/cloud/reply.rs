//! Answers before they become bytes, and the shapes in which each service says no.

use super::api::Service;
use serde_json::{Value, json};

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// What is in it.
    pub content: Content,
    /// Headers besides `Content-Type`, `Date` and `X-Request-Id`.
    pub headers: Vec<(&'static str, String)>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub enum Content {
    /// JSON, still open to faults that change it.
    Json(Value),
    /// Anything else, with its media type.
    Text(&'static str, String),
}

/// What a handler gives back: an answer or a refusal, which is an answer too.
pub type Answer = Result<Reply, Reply>;

impl Reply {
    /// 200 with JSON.
    pub fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    /// JSON with a status.
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, content: Content::Json(body), headers: Vec::new() }
    }

    /// Plain text or HTML.
    pub fn text(status: u16, media: &'static str, body: impl Into<String>) -> Self {
        Self { status, content: Content::Text(media, body.into()), headers: Vec::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The gateway says no: `APIGW.0301` and its kin. The request's id is put in later.
pub fn gateway(status: u16, code: &str, says: impl Into<String>) -> Reply {
    Reply::json(status, json!({"error_msg": says.into(), "error_code": code, "request_id": ""}))
}

/// The gateway does not believe who is asking.
pub fn unauthorized(says: &str) -> Reply {
    gateway(401, "APIGW.0301", format!("Incorrect IAM authentication information: {says}"))
}

/// Cloud Eye's first interface says no.
pub fn ces(status: u16, code: &str, says: impl Into<String>) -> Reply {
    Reply::json(status, json!({"http_code": status.to_string(), "message": {"details": says.into(), "code": code}}))
}

/// Cloud Eye's second interface says no.
pub fn ces_v2(status: u16, code: &str, says: impl Into<String>) -> Reply {
    Reply::json(status, json!({"error_code": code, "error_msg": says.into(), "request_id": ""}))
}

/// LTS, CTS and others of the usual shape say no.
pub fn plain(status: u16, code: &str, says: impl Into<String>) -> Reply {
    Reply::json(status, json!({"error_code": code, "error_msg": says.into()}))
}

/// Prometheus says no.
pub fn prometheus(status: u16, kind: &str, says: impl Into<String>) -> Reply {
    Reply::json(status, json!({"status": "error", "errorType": kind, "error": says.into()}))
}

/// IAM says no. Our choice: the shape of OpenStack's identity service, which it descends from.
pub fn iam(status: u16, title: &str, says: impl Into<String>) -> Reply {
    Reply::json(status, json!({"error": {"code": status, "message": says.into(), "title": title}}))
}

/// A service says no in the shape it has, with the code that fits the status best.
pub fn by_service(service: Service, status: u16, says: impl Into<String>) -> Reply {
    match service {
        Service::Ces => ces(status, ces_code(status), says),
        Service::CesV2 => ces_v2(status, ces_code(status), says),
        Service::Cts => plain(status, if status == 403 { "CTS.0013" } else { "CTS.0005" }, says),
        Service::Lts => plain(status, if status == 403 { "LTS.0011" } else { "LTS.0202" }, says),
        Service::Aom | Service::Prometheus => {
            let kind = match status {
                503 => "timeout",
                400..500 => "bad_data",
                _ => "internal",
            };
            prometheus(status, kind, says)
        }
        Service::Iam => iam(status, "Error", says),
        Service::Metadata => Reply::text(status, "text/plain", says),
    }
}

fn ces_code(status: u16) -> &'static str {
    match status {
        400 => "ces.0014",
        401 => "ces.0015",
        403 => "ces.0017",
        404 => "ces.0016",
        429 => "ces.0429",
        _ => "ces.0007",
    }
}
