//! The only place that opens sockets, pools and child processes to the systems watched; all of it read-only.
//!
//! A source learns and hands over batches; it knows no store and no screen. Clocks are read here (a batch
//! says when it was seen) and in `runtime`, nowhere else.

pub mod check;
pub mod clock;
pub mod dump;
pub mod engine;
pub mod huawei;
pub mod logs;
pub mod mcp;
pub mod note;
pub mod orders;
pub mod postgres;
pub mod prometheus;
pub mod redact;
pub mod replay;
pub mod runner;

use crate::config::Config;
use crate::model::health::Fetched;
use crate::model::{Batch, SourceName, Span};
pub use check::{CheckLine, Ok as CheckOk, check};
use clock::Clock;
use runner::{Handle, Outlet};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Every source that runs.
#[derive(Debug, Default)]
pub struct Sources {
    handles: Vec<Handle>,
    /// Databases whose tasks ask the order-side queries.
    orders: Vec<SourceName>,
    /// What those queries know of each other, and what is wanted of them.
    board: Arc<orders::Board>,
    /// Engines that keep log lines, and the stretch of them that is looked at.
    engines: Vec<SourceName>,
    looked: Arc<engine::Looked>,
    /// The collector of the queries' answers, and the note.
    others: Vec<JoinHandle<()>>,
}

/// Starts a task for every source of the configuration. They hand their batches to `to` (bounded: a full
/// channel slows them, nothing is dropped) and end when `cancel` is cancelled. Call it within a tokio
/// runtime; it returns at once and fails never: what does not work is health, a fact like any other.
pub fn start(config: &Config, to: &mpsc::Sender<Batch>, cancel: &CancellationToken) -> Sources {
    resume(config, &Recorded::default(), to, cancel)
}

/// What a recording that is continued holds of each source already.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Stretches of the past that were fetched.
    pub fetched: BTreeMap<SourceName, Vec<Fetched>>,
    /// Log lines, as far back as they would be read again.
    pub lines: BTreeMap<SourceName, logs::Known>,
}

impl Recorded {
    /// What a source has fetched of the past.
    pub fn fetched(&self, source: &str) -> Vec<Fetched> {
        self.fetched.get(source).cloned().unwrap_or_default()
    }
}

/// The same into a recording that has something already: what was fetched of the past is not asked again, and
/// lines that were kept are not told again.
pub fn resume(config: &Config, recorded: &Recorded, to: &mpsc::Sender<Batch>, cancel: &CancellationToken) -> Sources {
    let (reports, collector) = orders::start(config, to, cancel);
    let orders = config.queries.iter().map(|q| SourceName::from(q.db.as_str())).collect();
    let board = Arc::new(orders::Board::default());
    let mut sources = Sources {
        orders,
        board: Arc::clone(&board),
        engines: config.log_servers.iter().map(|l| SourceName::from(l.name.as_str())).collect(),
        others: collector.into_iter().collect(),
        ..Sources::default()
    };
    if let Some(path) = config.incident.note.clone() {
        let outlet = Outlet::new("note".into(), to.clone());
        let watching = note::run(path, outlet, cancel.clone());
        // It ends early only when nobody listens any more, and then the program is ending.
        sources.others.push(tokio::spawn(async move { watching.await.unwrap_or_default() }));
    }
    sources.others.extend(orders::start_files(config, &board, &reports, cancel));
    sources.handles.extend(postgres::start(config, &board, &reports, to, cancel));
    // One client for everything that is asked of the cloud: its manners are those of all of them together.
    let cloud = config.huawei.as_ref().map(huawei::Client::new);
    let clock = Clock::wall();
    sources.handles.extend(prometheus::start(config, cloud.as_ref(), recorded, &clock, to, cancel));
    sources.handles.extend(logs::start(config, recorded, to, cancel));
    let (tools, endings) = mcp::start(config, recorded, to, cancel);
    sources.handles.extend(tools);
    sources.others.extend(endings);
    sources.handles.extend(engine::start(config, cloud.as_ref(), recorded, &sources.looked, &clock, to, cancel));
    if let Some(client) = &cloud {
        let fetched = recorded.fetched(client.name());
        let i = &config.incident;
        let past = huawei::Past::new(i.window, i.baseline, i.zone.clone(), fetched);
        sources.handles.extend(huawei::start(client, past, &clock, to, cancel));
    }
    sources
}

impl Sources {
    /// Asks one source now, or as soon as its manners allow. Says whether there is such a source.
    pub fn refresh(&self, source: &SourceName) -> bool {
        let meant = |name: &SourceName| name == source || (&**source == orders::NAME && self.orders.contains(name));
        self.handles.iter().filter(|h| meant(&h.name)).map(Handle::refresh).count() > 0
    }
    /// Somebody waits for the orders born in a stretch: they are read and asked for before all others.
    pub fn want(&self, span: Span) {
        self.board.want(span, Instant::now());
        self.handles.iter().filter(|h| self.orders.contains(&h.name)).for_each(Handle::wake);
    }
    /// Somebody has the lines of a stretch in front of them, or none any more: engines that have more of it than was
    /// fetched read it before anything else.
    pub fn look(&self, span: Option<Span>) {
        self.looked.at(span);
        self.handles.iter().filter(|h| self.engines.contains(&h.name)).for_each(Handle::wake);
    }
    /// Waits until every task has ended after the cancellation.
    pub async fn ended(self) {
        for handle in self.handles {
            handle.ended().await;
        }
        for task in self.others {
            let _ = task.await;
        }
    }
}
