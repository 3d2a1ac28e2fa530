//! Engines that keep log lines: Huawei LTS, Grafana Loki, Elasticsearch and OpenSearch, any JSON API by mapping.
//!
//! An engine is asked for lines, page by page, and for counts, minute by minute; `desk` is the one source that
//! drives all of them: what is asked when, what came twice, what is still missing. `allowance` keeps the manners,
//! `door` asks over HTTP. May not know: what lines and counts are good for.

pub mod allowance;
pub mod api;
mod check;
pub mod counting;
pub mod desk;
pub mod door;
pub mod elastic;
pub mod loki;
pub mod looked;
pub mod lts;
pub mod past;

use crate::config::Config;
use crate::config::log_server::{Counter, Kind, LogServerConfig};
use crate::model::health::Cost;
use crate::model::log::LogLine;
use crate::model::series::Counted;
use crate::model::{Batch, Lapse, Span, Stamp};
use crate::source::Recorded;
use crate::source::clock::Clock;
use crate::source::huawei::Client;
use crate::source::logs::Instants;
use crate::source::mcp::read::path;
use crate::source::runner::{Condition, Handle, spawn_by};
pub use check::check;
pub use desk::Desk;
pub use looked::Looked;
pub use past::since;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// What is asked for counts has windows of this length.
pub const STEP: Lapse = Lapse::minutes(1);

/// A question for lines: the next page of a stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Lines of this time, by the engine's clock.
    pub span: Span,
    /// Where the page before ended, as the engine gave it; none for the first.
    pub cursor: Option<Value>,
    /// Lines at most.
    pub limit: u32,
    /// Now, for times without a date.
    pub near: Stamp,
}

/// A page of lines.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Lines, each with what tells it from every other.
    pub lines: Vec<(u64, LogLine)>,
    /// What the engine calls them, where one can be asked for by its name.
    pub names: BTreeMap<u64, String>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<Value>,
    /// Up to when the engine has told all there is, when it goes on after this page.
    pub reached: Option<Stamp>,
    /// How many lines the stretch has in all, when the engine says.
    pub total: Option<u64>,
    /// Rows that were there and are no lines.
    pub undated: usize,
    /// Why lines are missing although there is no next page.
    pub missing: Option<String>,
}

/// Counts of a stretch, window by window.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Who counted.
    pub how: Counted,
    /// By what: `count_over_time of 1 min`.
    pub by: &'static str,
    /// Beginning of each window and how many; every window of the stretch is there.
    pub windows: Vec<(Stamp, u64)>,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum No {
    /// The server, for every question: nothing more is asked before the wait is over.
    Server(Condition, Lapse),
    /// Where a page should begin is not known there any more.
    Cursor(String),
    /// Less may be answered.
    Amount(Condition),
    /// This question, for good.
    Question(Condition),
}

impl No {
    /// How the source is then.
    pub fn condition(&self) -> Condition {
        match self {
            Self::Server(condition, _) | Self::Amount(condition) | Self::Question(condition) => condition.clone(),
            Self::Cursor(says) => Condition::late("cursor", says.clone(), ""),
        }
    }
}

/// An engine that keeps lines.
pub trait LogEngine: Send + Sync + 'static {
    /// As people say it: `Loki`.
    fn name(&self) -> &'static str;
    /// Whether it counts.
    fn counts_itself(&self) -> bool {
        true
    }
    /// The next page of a stretch, oldest lines first where the engine can be told.
    fn lines(&self, ask: &Ask, cost: &mut Cost) -> impl Future<Output = Result<Page, No>> + Send;
    /// How many lines there are, window by window of [`STEP`]; `span` begins and ends on whole ones.
    fn counts(&self, counter: &Counter, span: Span, cost: &mut Cost)
    -> impl Future<Output = Result<Counts, No>> + Send;
}

/// Every whole window of a stretch, with none counted yet.
pub fn windows(span: Span) -> Vec<(Stamp, u64)> {
    let mut out = Vec::new();
    let mut at = span.from;
    while at < span.to {
        out.push((at, 0));
        at = at + STEP;
    }
    out
}

/// Puts a count into the window that holds `at`.
pub fn count_in(windows: &mut [(Stamp, u64)], at: Stamp, n: u64) {
    let place = windows.partition_point(|(from, _)| *from <= at);
    if let Some((from, count)) = place.checked_sub(1).and_then(|i| windows.get_mut(i))
        && at < *from + STEP
    {
        *count += n;
    }
}

/// Rows of a document as counts of a stretch: where they are, and in each when its window begins and how many it has.
pub fn counted_rows(document: &Value, (rows, ts, count): (&str, &str, &str), span: Span) -> Option<Vec<(Stamp, u64)>> {
    let mut out = windows(span);
    for row in path(document, rows)?.as_array()? {
        let n = path(row, count).and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
        if let (Some(at), Some(n)) = (path(row, ts).and_then(instant), n) {
            count_in(&mut out, at, n);
        }
    }
    Some(out)
}

/// RFC 3339, or a number by its size.
fn instant(value: &Value) -> Option<Stamp> {
    match value {
        Value::String(text) => Stamp::parse_rfc3339(text).or_else(|| Instants::of_number(text.parse().ok()?)),
        Value::Number(n) => Instants::of_number(n.as_f64()?),
        _ => None,
    }
}

/// Starts a source for every `[[log_server]]`. `cloud` is the client of `[huawei]`.
pub fn start(
    config: &Config,
    cloud: Option<&Client>,
    recorded: &Recorded,
    looked: &Arc<Looked>,
    clock: &Clock,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> Vec<Handle> {
    let each = config.log_servers.iter();
    each.map(|server| start_one(config, server, cloud, (recorded, looked), clock, to.clone(), cancel.clone())).collect()
}

/// Starts one.
fn start_one(
    config: &Config,
    server: &LogServerConfig,
    cloud: Option<&Client>,
    (recorded, looked): (&Recorded, &Arc<Looked>),
    clock: &Clock,
    to: mpsc::Sender<Batch>,
    cancel: CancellationToken,
) -> Handle {
    let known = recorded.lines.get(server.name.as_str()).cloned().unwrap_or_default();
    let wanted = past::wanted(config, server, clock.now());
    let looked = Arc::clone(looked);
    let run = Run { server: server.clone(), known, wanted, looked, clock: clock.clone(), to, cancel };
    match &server.kind {
        Kind::Lts { .. } => run.with(lts::Lts::new(server, cloud)),
        Kind::Loki { .. } => run.with(loki::Loki::new(server, clock)),
        Kind::Elastic { .. } => run.with(elastic::Elastic::new(server, clock)),
        Kind::Http { .. } => run.with(api::Api::new(server, clock)),
    }
}

/// What running one takes.
struct Run {
    server: LogServerConfig,
    known: crate::source::logs::Known,
    wanted: Vec<Span>,
    looked: Arc<Looked>,
    clock: Clock,
    to: mpsc::Sender<Batch>,
    cancel: CancellationToken,
}

impl Run {
    fn with<E: LogEngine>(self, engine: Result<E, Condition>) -> Handle {
        let plan = desk::plan(&self.server);
        // The desk outlives a round that was given up, so that no line is asked for twice or forgotten.
        let desk = Desk::new(&self.server, engine, &self.wanted, self.known, self.clock.clone());
        let desk = desk.beside(&self.looked);
        let desk = Arc::new(Mutex::new(desk));
        spawn_by(plan, self.clock, move || desk::Asker(Arc::clone(&desk)), self.to, self.cancel)
    }
}
