//! One pod asked once: its `/metrics` and `/debug/vars`, and every answer that is none in words.
//!
//! Only `GET`, only what is wanted is kept. May not know: what is made of it, and when it is asked again.

use crate::config::scrape::Pod;
use crate::model::{Lapse, Stamp};
use crate::source::prometheus::exposition::Format;
use crate::source::prometheus::fault::Fault;
use crate::source::prometheus::http::{Ask, Http, READ_AT_ONCE, Reply};
use crate::source::prometheus::reading::{Reading, Wanted};
use std::sync::Arc;

/// Largest answer that is read: some hundred times what a service usually says.
pub const MOST: usize = 32 << 20;
/// Text first: OpenMetrics would put `_total` behind names that do not have it in text.
pub const ACCEPT_TEXT: &str = "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";
const ACCEPT_VARS: &str = "application/json";
/// A pod that refuses who we are is left alone this long: nothing gets better by asking.
const REFUSED_FOR: Lapse = Lapse::minutes(5);
/// After "too many requests" without a time.
const THROTTLED_FOR: Lapse = Lapse::minutes(1);

/// What asking cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests sent.
    pub requests: u32,
    /// How many of them failed.
    pub failed: u32,
    /// How many were turned away for asking too often.
    pub throttled: u32,
    /// Bytes received.
    pub bytes: u64,
}

/// Why a pod gave no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In words that stand behind its name.
    pub says: String,
    /// What a person can do.
    pub remedy: String,
    /// For beside the dot.
    pub code: String,
    /// Not to be asked again before this is over.
    pub leave: Lapse,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let (says, remedy) = (fault.says(), fault.remedy().to_owned());
        Self { says, remedy, code: fault.code().to_owned(), leave: Lapse::ZERO }
    }
}

/// Asks a pod for what is wanted. With it comes the pod's clock minus ours.
pub async fn ask(
    http: &Http,
    pod: &Pod,
    wanted: &Arc<Wanted>,
    now: Stamp,
    spent: &mut Spent,
) -> Result<(Reading, Lapse), Refusal> {
    let mut out = Reading::default();
    let mut skew = None;
    if let Some(url) = &pod.metrics {
        let reply = fetch(http, url, ACCEPT_TEXT, spent).await?;
        skew = reply.skew;
        out = text(reply, Arc::clone(wanted), now).await.inspect_err(|_| spent.failed += 1)?;
    }
    if let Some(url) = &pod.vars {
        let reply = fetch(http, url, ACCEPT_VARS, spent).await?;
        skew = skew.or(reply.skew);
        out.join(vars(reply, Arc::clone(wanted)).await.inspect_err(|_| spent.failed += 1)?);
    }
    Ok((out, skew.unwrap_or_default()))
}

/// One request; an answer of another status than 200 is a refusal.
pub async fn fetch(http: &Http, url: &str, accept: &'static str, spent: &mut Spent) -> Result<Reply, Refusal> {
    spent.requests += 1;
    let reply = http.ask(url, accept, &Ask::Get(Vec::new())).await.inspect_err(|_| spent.failed += 1)?;
    spent.bytes += reply.wire;
    match status(&reply) {
        None => Ok(reply),
        Some(refusal) => {
            spent.failed += 1;
            spent.throttled += u32::from(reply.status == 429);
            Err(refusal)
        }
    }
}

/// What a status other than 200 means.
fn status(reply: &Reply) -> Option<Refusal> {
    let refusal = |says: &str, remedy: &str, leave: Lapse| {
        let code = reply.status.to_string();
        Some(Refusal { says: format!("{code}: {says}"), remedy: remedy.to_owned(), code, leave })
    };
    match reply.status {
        200 => None,
        401 | 407 => refusal(
            "it wants to know who asks, or does not believe us",
            "Set bearer, or user and password, in its [[scrape]]; it is asked again in 5 minutes.",
            REFUSED_FOR,
        ),
        403 => refusal(
            "it knows us and forbids this",
            "Allow warroom to read the endpoint; it is asked again in 5 minutes.",
            REFUSED_FOR,
        ),
        404 => refusal(
            "there is nothing at this path",
            "Write the whole URL into targets (or vars), path included.",
            Lapse::ZERO,
        ),
        429 => {
            let wait = reply.retry_after.unwrap_or(THROTTLED_FOR);
            let says = format!("it is asked too often and wants {} s of rest", wait.whole_seconds());
            refusal(&says, "Raise interval in its [[scrape]].", wait)
        }
        300..=399 => refusal(
            "it sends us elsewhere, perhaps to a login",
            "Write the URL that answers itself into targets; warroom follows no redirect.",
            Lapse::ZERO,
        ),
        503 => refusal(
            "it says it cannot answer now",
            "See its log; if it is a proxy that says so, the pod behind it is down.",
            reply.retry_after.unwrap_or(Lapse::ZERO),
        ),
        _ => refusal("it cannot answer", "See its log for what went wrong there.", Lapse::ZERO),
    }
}

/// Reads Prometheus text, a long one on a thread of its own.
async fn text(reply: Reply, wanted: Arc<Wanted>, now: Stamp) -> Result<Reading, Refusal> {
    let format = Format::of(&reply.content_type);
    let html = reply.content_type.contains("html");
    let read = move |body: &[u8]| {
        let text = String::from_utf8_lossy(body);
        let page = html || text.trim_start().starts_with('<');
        (Reading::of_text(&text, format, &wanted, now), page)
    };
    let (reading, page) = away(reply.body, read).await?;
    let refusal = |says: &str, remedy: &str, code: &str| {
        Err(Refusal { says: says.to_owned(), remedy: remedy.to_owned(), code: code.to_owned(), leave: Lapse::ZERO })
    };
    if reading.report.samples == 0 {
        return if page {
            refusal(
                "a web page, not metrics",
                "Write the URL of the metrics into targets: this is a login or a proxy.",
                "no metrics",
            )
        } else {
            refusal(
                "no metrics in its answer",
                "Write the URL of the metrics into targets, path included.",
                "no metrics",
            )
        };
    }
    if format == Format::OpenMetrics && !reading.report.ended {
        return Err(Fault::CutOff.into());
    }
    Ok(reading)
}

/// Reads `expvar` JSON.
async fn vars(reply: Reply, wanted: Arc<Wanted>) -> Result<Reading, Refusal> {
    away(reply.body, move |body: &[u8]| Reading::of_vars(body, &wanted)).await?.map_err(|e| {
        if e.is_eof() {
            return Fault::CutOff.into();
        }
        Refusal {
            says: format!("what is published is no expvar JSON (line {}, column {})", e.line(), e.column()),
            remedy: "Write the URL of expvar into vars: it answers with one JSON object.".to_owned(),
            code: "no JSON".to_owned(),
            leave: Lapse::ZERO,
        }
    })
}

/// Does something with a body: here when it is short, away from the async threads when it is long.
pub async fn away<T: Send + 'static>(
    body: Vec<u8>,
    work: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, Refusal> {
    if body.len() <= READ_AT_ONCE {
        return Ok(work(&body));
    }
    let lost = |_| Refusal::from(Fault::Other("reading the answer failed inside warroom".to_owned()));
    tokio::task::spawn_blocking(move || work(&body)).await.map_err(lost)
}
