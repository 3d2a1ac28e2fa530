//! One task for each source: interval, deadline, backoff with jitter, sequence numbers, health.

use crate::model::health::Health;
use crate::model::{Batch, Fact, Lapse, SourceName};
use crate::source::clock;
use tokio::sync::mpsc;

/// Where a source hands over what it learned: numbered batches into a bounded channel. A full channel
/// slows the source; nothing is dropped.
#[derive(Debug)]
pub struct Outlet {
    source: SourceName,
    seq: u64,
    to: mpsc::Sender<Batch>,
}

/// Nobody listens any more: the program is ending.
#[derive(Debug, thiserror::Error)]
#[error("the program is ending")]
pub struct Closed;

impl Outlet {
    /// An outlet for one source.
    pub fn new(source: SourceName, to: mpsc::Sender<Batch>) -> Self {
        Self { source, seq: 0, to }
    }
    /// Whose it is.
    pub fn source(&self) -> &SourceName {
        &self.source
    }
    /// Hands over facts as one batch, seen now. Waits while the channel is full.
    pub async fn emit(&mut self, facts: Vec<Fact>) -> Result<(), Closed> {
        if facts.is_empty() {
            return Ok(());
        }
        self.seq += 1;
        let batch = Batch { source: self.source.clone(), seq: self.seq, seen: clock::now(), facts };
        self.to.send(batch).await.map_err(|_| Closed)
    }
}

/// What a source does when its time has come.
pub trait Poll: Send {
    /// Asks once. Facts on success (its `Cost` among them), health in words on failure.
    fn poll(&mut self) -> impl Future<Output = Result<Vec<Fact>, Failure>> + Send;
}

/// A failed round.
#[derive(Clone, Debug)]
pub struct Failure {
    /// How the source is now, in words with the remedy.
    pub health: Health,
    /// Facts that are worth keeping all the same.
    pub facts: Vec<Fact>,
    /// Wait at least this long before the next attempt.
    pub wait: Lapse,
}
