//! A recording played: a play head that moves at an adjustable pace. The demo plays through it too.
//!
//! A tape's batches come out exactly once, in order of arrival. Seeking back moves the play head and nothing
//! else, because the store already knows what came; seeking forward hands over everything in between. A
//! recording that was opened as a whole has nothing to hand over: only its head moves.

use crate::model::{Batch, Lapse, Stamp};
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
    Player { fed: batches, next: None, newest: None, head: None, pace, commands, commanded: true, out }.play().await;
    if let Err(e) = feeder.await {
        tracing::warn!(error = %e, "reading the recording ended early");
    }
}

/// Moves the play head of a recording that is known as a whole, from `at` up to `end`, both times of
/// arrival. Ends like [`play`].
pub async fn glide(at: Stamp, end: Stamp, pace: f64, commands: mpsc::Receiver<Command>, out: mpsc::Sender<Played>) {
    let (_, nothing) = mpsc::channel(1);
    let (newest, head) = (Some(end), Some(at));
    Player { fed: nothing, next: None, newest, head, pace, commands, commanded: true, out }.play().await;
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
    async fn play(mut self) {
        if self.run().await.is_none() {
            tracing::debug!("nobody listens to the replay any more");
        }
    }

    /// Returns nothing when nobody listens any more.
    async fn run(&mut self) -> Option<()> {
        self.advance().await;
        self.head = self.next.as_ref().map(|(due, _)| *due).or(self.head);
        let mut then = Instant::now();
        loop {
            self.hand_over().await?;
            if self.next.is_none() {
                // Nothing is known after the newest batch.
                self.head = if self.pace.is_infinite() { self.newest } else { self.head.min(self.newest) };
            }
            let ended = self.next.is_none() && self.head >= self.newest;
            if let Some(at) = self.head {
                self.out.send(Played::Progress { at, ended }).await.ok()?;
            }
            if ended && !self.commanded {
                return Some(());
            }
            let moving = !ended && self.pace > 0.0;
            let command = tokio::select! {
                biased;
                command = self.commands.recv(), if self.commanded => Some(command),
                () = tokio::time::sleep(REPORT), if moving => None,
                () = self.out.closed() => return None,
                // Paused for good: nobody can command it on.
                () = std::future::ready(()), if !moving && !self.commanded => return Some(()),
            };
            // What was played until now went at the pace before the command.
            let now = Instant::now();
            if moving {
                self.move_head(now - then);
            }
            then = now;
            if let Some(command) = command {
                self.obey(command);
            }
        }
    }

    fn obey(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Pace(pace)) => self.pace = if pace.is_nan() { 0.0 } else { pace.max(0.0) },
            Some(Command::Seek(at)) => self.head = Some(at),
            None => self.commanded = false,
        }
    }

    fn move_head(&mut self, by: Duration) {
        let played = by.as_secs_f64() * self.pace * 1e6;
        if played.is_finite() {
            self.head = self.head.map(|head| head + Lapse(played as i64));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Stamp = Stamp::from_secs(1_736_680_440);

    fn after(seconds: i64) -> Stamp {
        T0 + Lapse::seconds(seconds)
    }

    fn batch(second: i64) -> Arc<Batch> {
        Arc::new(Batch { source: "logs".into(), seq: second as u64 + 1, seen: after(second), facts: Vec::new() })
    }

    /// A replay under way in time that only passes when everybody waits.
    struct Show {
        commands: mpsc::Sender<Command>,
        played: mpsc::Receiver<Played>,
    }

    impl Show {
        /// A batch each second of a minute.
        fn of_tape(pace: f64) -> Self {
            let (commands, obeyed) = mpsc::channel(4);
            let (out, played) = mpsc::channel(1);
            tokio::spawn(play(Box::new((0..=60).map(batch)), pace, obeyed, out));
            Self { commands, played }
        }

        /// The same minute, known as a whole, from the second `at` on.
        fn of_whole(at: i64, pace: f64) -> Self {
            let (commands, obeyed) = mpsc::channel(4);
            let (out, played) = mpsc::channel(1);
            tokio::spawn(glide(after(at), after(60), pace, obeyed, out));
            Self { commands, played }
        }

        async fn command(&self, command: Command) {
            self.commands.send(command).await.unwrap();
        }

        /// Listens until the head satisfies, and returns it with the seconds of the batches on the way.
        async fn until(&mut self, enough: impl Fn(Stamp, bool) -> bool) -> (Stamp, bool, Vec<i64>) {
            let mut batches = Vec::new();
            loop {
                match self.played.recv().await.expect("it goes on") {
                    Played::Batch(b) => batches.push(b.seen.since(T0).whole_seconds()),
                    Played::Progress { at, ended } if enough(at, ended) => return (at, ended, batches),
                    Played::Progress { .. } => {}
                }
            }
        }

        /// Whether nothing is heard for an hour of waiting.
        async fn silent(&mut self) -> bool {
            tokio::time::timeout(Duration::from_hours(1), self.played.recv()).await.is_err()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_batch_comes_once_in_order_and_the_end_is_told() {
        let mut show = Show::of_tape(10.0);
        let begun = Instant::now();
        let (at, ended, batches) = show.until(|_, ended| ended).await;
        assert_eq!((at, ended), (after(60), true));
        assert_eq!(batches, (0..=60).collect::<Vec<_>>());
        assert_eq!(begun.elapsed().as_millis() / 100, 60, "a minute at ten seconds a second");
        assert!(show.silent().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_keeps_the_head_where_it_is_and_the_rest_follows_after_it() {
        let mut show = Show::of_tape(1.0);
        show.until(|at, _| at >= after(10)).await;
        show.command(Command::Pace(0.0)).await;
        let (paused, ..) = show.until(|_, _| true).await;
        assert!(show.silent().await, "a pause reports nothing and hands over nothing");
        show.command(Command::Pace(1.0)).await;
        let (on, ended, batches) = show.until(|_, _| true).await;
        assert_eq!((on, ended, batches), (paused, false, Vec::new()), "the hour of the pause was not played");
        let (_, _, rest) = show.until(|_, ended| ended).await;
        assert_eq!(rest, (11..=60).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn seeking_forward_hands_over_all_between_and_seeking_back_nothing_twice() {
        let mut show = Show::of_tape(0.0);
        show.until(|_, _| true).await;
        show.command(Command::Seek(after(30))).await;
        assert_eq!(show.until(|_, _| true).await, (after(30), false, (1..=30).collect()));
        show.command(Command::Seek(after(5))).await;
        assert_eq!(show.until(|_, _| true).await, (after(5), false, Vec::new()));
        show.command(Command::Pace(f64::INFINITY)).await;
        let (at, ended, rest) = show.until(|_, ended| ended).await;
        assert_eq!((at, ended, rest), (after(60), true, (31..=60).collect()));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_played_after_the_newest_batch() {
        let mut show = Show::of_tape(3600.0);
        assert_eq!(show.until(|_, ended| ended).await.0, after(60));
        show.command(Command::Seek(after(86_400))).await;
        let (at, ended, _) = show.until(|_, _| true).await;
        assert_eq!((at, ended), (after(60), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_known_as_a_whole_stands_at_its_end_until_it_is_sought() {
        let mut show = Show::of_whole(60, 2.0);
        assert_eq!(show.until(|_, _| true).await, (after(60), true, Vec::new()));
        assert!(show.silent().await);
        show.command(Command::Seek(after(40))).await;
        assert_eq!(show.until(|_, _| true).await, (after(40), false, Vec::new()));
        let begun = Instant::now();
        assert_eq!(show.until(|_, ended| ended).await.0, after(60));
        assert_eq!(begun.elapsed().as_millis() / 100, 100, "twenty seconds at two seconds a second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_pace_counts_from_when_it_was_asked() {
        let mut show = Show::of_whole(0, 1.0);
        show.until(|at, _| at >= after(10)).await;
        show.command(Command::Pace(3600.0)).await;
        let (at, ended, _) = show.until(|_, _| true).await;
        assert!(at < after(11) && !ended, "{at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_replay_without_anybody_to_command_it_ends_by_itself() {
        let Show { commands, mut played } = Show::of_whole(50, 1.0);
        drop(commands);
        let mut last = None;
        while let Some(what) = played.recv().await {
            last = Some(what);
        }
        assert!(matches!(last, Some(Played::Progress { at, ended: true }) if at == after(60)));
    }
}
