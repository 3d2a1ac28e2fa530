//! A recording as a source: its batches again, at an adjustable pace. The demo plays through it too.
//!
//! Every batch comes out exactly once, in order of arrival. Seeking back moves the play head and nothing
//! else, because the store already knows what came; seeking forward hands over everything in between.

use crate::model::{Batch, Lapse, Stamp};
use crate::recording::Reader;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How often the play head is reported while it moves.
const REPORT: Duration = Duration::from_millis(100);

/// What a person asks of a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Recorded seconds for each second of ours; 0 pauses, infinity plays all there is.
    Pace(f64),
    /// Continue from this instant.
    Seek(Stamp),
}

/// What comes out of a replay.
#[derive(Clone, Debug)]
pub enum Played {
    /// The next batch.
    Batch(Arc<Batch>),
    /// Where the play head is.
    Progress {
        /// The instant reached, by the time of arrival.
        at: Stamp,
        /// Nothing follows.
        ended: bool,
    },
}

/// Batches in order of arrival; `next` may read a disk.
pub type Tape = Box<dyn Iterator<Item = Arc<Batch>> + Send>;

/// All of a recording as a tape.
pub fn tape(reader: Arc<Reader>) -> Tape {
    Box::new(reader.all())
}

/// Plays a tape until it has ended and nobody commands any more, or nobody listens. Begins at `pace` at
/// the first batch's time of arrival.
pub async fn play(tape: Tape, pace: f64, commands: mpsc::Receiver<Command>, out: mpsc::Sender<Played>) {
    let (feed, batches) = mpsc::channel(64);
    // Reading may wait on the disk; the play head must not.
    let feeder = tokio::task::spawn_blocking(move || {
        for batch in tape {
            if feed.blocking_send(batch).is_err() {
                return;
            }
        }
    });
    let mut player =
        Player { fed: batches, next: None, newest: None, head: None, pace, commands, commanded: true, out };
    if player.run().await.is_none() {
        tracing::debug!("nobody listens to the replay any more");
    }
    drop(player);
    if let Err(e) = feeder.await {
        tracing::warn!(error = %e, "reading the recording ended early");
    }
}

struct Player {
    fed: mpsc::Receiver<Arc<Batch>>,
    /// The batch that comes next, with the time it is due: a clock that was set back makes nothing wait.
    next: Option<(Stamp, Arc<Batch>)>,
    newest: Option<Stamp>,
    head: Option<Stamp>,
    pace: f64,
    commands: mpsc::Receiver<Command>,
    /// Whether commands may still come.
    commanded: bool,
    out: mpsc::Sender<Played>,
}

impl Player {
    /// Returns nothing when nobody listens any more.
    async fn run(&mut self) -> Option<()> {
        self.advance().await;
        self.head = self.next.as_ref().map(|(due, _)| *due);
        let mut then = Instant::now();
        loop {
            self.hand_over().await?;
            let ended = self.next.is_none() && self.head >= self.newest;
            if let Some(at) = self.head {
                self.out.send(Played::Progress { at, ended }).await.ok()?;
            }
            if ended && !self.commanded {
                return Some(());
            }
            let moving = !ended && self.pace > 0.0;
            tokio::select! {
                biased;
                command = self.commands.recv(), if self.commanded => self.obey(command),
                () = tokio::time::sleep(REPORT), if moving => {}
                () = self.out.closed() => return None,
                // Paused for good: nobody can command it on.
                () = std::future::ready(()), if !moving && !self.commanded => return Some(()),
            }
            let now = Instant::now();
            self.move_head(now - then, moving);
            then = now;
        }
    }

    fn obey(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Pace(pace)) => self.pace = if pace.is_nan() { 0.0 } else { pace.max(0.0) },
            Some(Command::Seek(at)) => self.head = Some(at),
            None => self.commanded = false,
        }
    }

    fn move_head(&mut self, by: Duration, moving: bool) {
        let Some(head) = self.head.filter(|_| moving) else { return };
        let played = by.as_secs_f64() * self.pace * 1e6;
        let head = if played.is_finite() { head + Lapse(played as i64) } else { head };
        // Behind what was handed over already, and at the end, the newest batch is the limit.
        let limit = if self.next.is_none() { self.newest } else { None };
        self.head = Some(limit.map_or(head, |limit| head.min(limit.max(head.min(limit)))));
    }

    /// Hands over every batch that is due.
    async fn hand_over(&mut self) -> Option<()> {
        while let Some((due, batch)) = self.next.take_if(|(due, _)| self.pace.is_infinite() || Some(*due) <= self.head)
        {
            self.out.send(Played::Batch(batch)).await.ok()?;
            self.newest = self.newest.max(Some(due));
            if self.pace.is_infinite() {
                self.head = self.head.max(Some(due));
                // At full speed a pause must still be heard.
                if let Ok(command) = self.commands.try_recv() {
                    self.obey(Some(command));
                }
            }
            self.advance().await;
        }
        Some(())
    }

    async fn advance(&mut self) {
        let floor = self.next.take().map(|(due, _)| due).max(self.newest);
        self.next = self.fed.recv().await.map(|b| (floor.map_or(b.seen, |f| f.max(b.seen)), b));
    }
}
