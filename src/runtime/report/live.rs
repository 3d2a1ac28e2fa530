//! A report of what is out there now: the configured sources are asked until each has answered and every order is
//! asked for, within a bounded time.
//!
//! Owns the waiting. What did not answer in time is said in the report. May not know: what a report is.

use super::Known;
use crate::analysis::reconcile::{Standing, standing};
use crate::analysis::report::cost::Costs;
use crate::app::Message;
use crate::cli::Options;
use crate::model::health::State;
use crate::model::order::Role;
use crate::model::{Batch, Lapse, Span, Stamp};
use crate::recording::RecorderState;
use crate::runtime::effects::now;
use crate::runtime::folders::Folders;
use crate::runtime::live::{self, Keep, Live};
use crate::runtime::signals::{Asked, Signals};
use crate::runtime::{Ending, feed, start};
use crate::source::Recorded;
use crate::store::Store;
use std::io::Write as _;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether all have answered.
const LOOK: Duration = Duration::from_millis(500);
/// Nothing was left to wait for, and no ledger had anything to say, in so many looks after one another: what one system
/// shows is asked for in another, page after page.
const SURE: u32 = 6;
/// Ledgers that are asked again and again never fall silent: after so many looks without anything left it is enough.
const ENOUGH: u32 = 40;
/// Where no window is configured, so much of the past is judged.
const PAST: Lapse = Lapse::hours(24);

/// Asks all sources and gives what is known then.
pub async fn collect(options: &Options, wait: Lapse) -> Result<Known, Ending> {
    let config = start::configuration(options, &Folders::of_process()).map_err(Ending::Refused)?;
    let keep = match (&options.record, options.no_record) {
        (Some(folder), false) => Keep::Named(folder.clone()),
        _ => Keep::Nothing,
    };
    let (recorder, _): (_, RecorderState) = live::open_recorder(&keep, &config, now()).map_err(Ending::Refused)?;
    let failed = |e: std::io::Error| Ending::Failed(format!("signals cannot be listened to ({e})"));
    let mut signals = Signals::listen().map_err(failed)?;
    let cancel = CancellationToken::new();
    let (post, mut inbox) = mpsc::channel(feed::ROOM);
    let Live { sources, enter, recorder, .. } =
        live::start(&config, recorder, &Recorded::default(), post, &cancel).await.map_err(Ending::Failed)?;
    let mut seen = Seen::default();
    let _ = writeln!(std::io::stderr(), "asking the sources, for {} s at most", wait.whole_seconds());
    let deadline = Instant::now() + wait.to_std();
    let mut look = interval(LOOK);
    let (mut sure, mut enough) = (0, 0);
    let mut heard = 0;
    let stopped = loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Terminate | Asked::Interrupt | Asked::HangUp => break Some(asked.exit_code()),
                Asked::Stop | Asked::Continue => {}
            },
            Some(message) = inbox.recv() => if let Message::Batch(batch) = message { seen.take(&batch) },
            _ = look.tick() => {
                let all = seen.left(now()).is_empty();
                let quiet = heard == seen.store.orders.generation();
                heard = seen.store.orders.generation();
                sure = if all && quiet { sure + 1 } else { 0 };
                enough = if all { enough + 1 } else { 0 };
                if sure >= SURE || enough >= ENOUGH || Instant::now() >= deadline {
                    break None;
                }
            }
        }
    };
    // What is still on its way has to be taken, or the recorder would wait for it.
    let drain = tokio::spawn(async move { while inbox.recv().await.is_some() {} });
    drop(enter);
    live::end(sources, recorder, &cancel).await;
    drain.abort();
    match stopped {
        Some(code) => Err(Ending::Signal(code)),
        None => Ok(seen.known(now())),
    }
}

/// What has come so far.
#[derive(Default)]
struct Seen {
    store: Store,
    costs: Costs,
}

impl Seen {
    fn take(&mut self, batch: &Batch) {
        self.costs.take(batch, Stamp(i64::MAX));
        self.store.apply(batch);
    }

    fn window(&self, at: Stamp) -> Span {
        let oldest = self.store.oldest.unwrap_or(at).max(at - PAST);
        self.store.incident.window.unwrap_or(Span::new(oldest.min(at), at + Lapse(1)))
    }

    /// What has not answered yet, in words.
    fn left(&self, at: Stamp) -> Vec<String> {
        let store = &self.store;
        let mut out: Vec<String> = Vec::new();
        for card in &store.incident.sources {
            // Down is an answer too, and stands in the report with its remedy.
            let answered = store.health(&card.name, at).is_some_and(|h| h.state != State::Late);
            if !answered {
                out.push(format!("{} has not answered yet", card.name));
            } else if let Some(p) = store.progress(&card.name, at) {
                out.push(format!("{} has fetched {} of {} parts of the past", card.name, p.done, p.of));
            }
        }
        if store.incident.sources.is_empty() {
            out.push("nothing is known of the sources yet".to_owned());
        }
        let silent = store.incident.ledgers.iter().filter(|(role, _)| !store.orders.has(*role));
        out.extend(silent.map(|(role, source)| format!("{} were not read from {source}", role.name())));
        let Standing { asked: (done, of), .. } = standing(store, self.window(at), at);
        // Where a system is never asked, no order is ever asked for everywhere.
        let all = [Role::Orders, Role::Payments, Role::HoPayments];
        let asked = all.iter().all(|role| store.incident.ledgers.iter().any(|(r, _)| r == role));
        if asked && done < of {
            out.push(format!("{done} of {of} orders were asked for in all systems"));
        }
        out
    }

    fn known(self, at: Stamp) -> Known {
        let left = self.left(at).into_iter().map(|says| format!("when the time to wait was over, {says}"));
        let (window, doubts) = (self.window(at), left.collect());
        Known { store: self.store, costs: self.costs, window, at, doubts }
    }
}
