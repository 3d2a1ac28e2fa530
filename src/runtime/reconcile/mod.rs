//! `warroom reconcile` and `warroom orders`: the ledgers of a window compared, order by order, with memory
//! that does not grow with their number.
//!
//! `plan` is what is asked, `walks` reads the windows, `parcel` is a page of rows, `intake` puts them aside, `pass` goes over them order by
//! order, `late` asks by name, `engine` is all of it in turn, `first` finds the first few; `report` and `list` write the answer.

pub mod engine;
pub mod first;
mod intake;
mod late;
pub mod list;
mod parcel;
mod pass;
pub mod plan;
pub mod progress;
pub mod report;
mod walks;

use crate::analysis::reconcile::Class;
use crate::analysis::reconcile::class;
use crate::cli::{Listing, Options, Reconcile, Stretch};
use crate::config::Config;
use crate::model::order::Role;
use crate::model::{Lapse, Span, Stamp, Zone};
use crate::runtime::effects::now;
use crate::runtime::folders::Folders;
use crate::runtime::reconcile::engine::Outcome;
use crate::runtime::signals::{Asked, Signals};
use crate::runtime::{Ending, logfile, start};
use plan::Job;
use progress::Progress;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
pub use walks::Ended;

/// Memory for rows that are sorted.
pub const ROOM: usize = 24 << 20;
/// How often progress is told.
const TOLD: Duration = Duration::from_millis(500);

/// `warroom reconcile`.
pub async fn run(options: &Options, how: &Reconcile) -> Ending {
    let json = how.json;
    both(options, &how.stretch, None, None, move |outcome, zone| {
        let text = if json { report::json(outcome, zone) } else { report::table(outcome, zone) };
        std::io::stdout().write_all(text.as_bytes())
    })
    .await
}

/// `warroom orders`.
pub async fn orders(options: &Options, how: &Listing) -> Ending {
    let classes: Result<Vec<Class>, String> = how.class.iter().map(|key| known(key)).collect();
    let classes = match classes {
        Ok(classes) => classes,
        Err(says) => return Ending::Refused(says),
    };
    let format = how.format;
    both(options, &how.stretch, Some(classes), how.first, move |outcome, zone| {
        for line in report::unknown(outcome, zone) {
            let _ = writeln!(std::io::stderr(), "warroom: {line}");
        }
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        list::write(&mut out, outcome, format, zone)?;
        out.flush()
    })
    .await
}

fn known(key: &str) -> Result<Class, String> {
    Class::parse(key).ok_or_else(|| {
        let all = class::ALL.map(Class::key).join(", ");
        format!("there is no class {key}; there are: {all}")
    })
}

async fn both(
    options: &Options,
    stretch: &Stretch,
    list: Option<Vec<Class>>,
    first: Option<u32>,
    write: impl FnOnce(&Outcome, &Zone) -> std::io::Result<()>,
) -> Ending {
    let folders = Folders::of_process();
    let _log = logfile::open(&folders);
    let config = match start::configuration(options, &folders) {
        Ok(config) => config,
        Err(says) => return Ending::Refused(says),
    };
    if !config.queries.iter().any(|q| q.role == Role::Orders && q.mode == crate::config::QueryMode::Window) {
        return Ending::Refused(
            "there is nothing to reconcile: configure a [[query]] with role = \"orders\" and mode = \"window\""
                .to_owned(),
        );
    }
    let window = match window(&config, stretch, now()) {
        Ok(window) => window,
        Err(says) => return Ending::Refused(says),
    };
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(e) => return Ending::Failed(format!("signals cannot be listened to ({e})")),
    };
    let zone = config.incident.zone.clone();
    let job = Job {
        config,
        window,
        folder: std::env::temp_dir(),
        room: ROOM,
        list,
        cancel: CancellationToken::new(),
        progress: Arc::new(Progress::default()),
    };
    let first = first.filter(|_| first::possible(&job));
    match watched(&job, first, &mut signals).await {
        Ok(outcome) => match write(&outcome, &zone) {
            Ok(()) if outcome.whole() => Ending::Well,
            Ok(()) => Ending::Unwell,
            // Whoever reads has enough.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ending::Well,
            Err(e) => Ending::Failed(format!("standard output cannot be written ({e})")),
        },
        Err(ending) => ending,
    }
}

/// Runs it, tells on a terminal how far it is, and stops it at a signal.
async fn watched(job: &Job, first: Option<u32>, signals: &mut Signals) -> Result<Outcome, Ending> {
    let told = std::io::stderr().is_terminal();
    let zone = &job.config.incident.zone;
    let work = async {
        match first {
            Some(n) => first::first(job, n as usize).await,
            None => engine::run(job).await,
        }
    };
    tokio::pin!(work);
    let mut tick = tokio::time::interval(TOLD);
    let mut code = None;
    let clear = || {
        if told {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    };
    loop {
        tokio::select! {
            done = &mut work => {
                clear();
                return match (done, code) {
                    (Ok(outcome), _) => Ok(outcome),
                    (Err(Ended::Cancelled), Some(code)) => {
                        let line = job.progress.line(job.window, zone);
                        let _ = writeln!(std::io::stderr(), "warroom: cancelled while {line}; nothing was written anywhere");
                        Err(Ending::Signal(code))
                    }
                    (Err(Ended::Cancelled), None) => Err(Ending::Failed("it was cancelled".to_owned())),
                    (Err(Ended::Broken(says)), _) => Err(Ending::Failed(says)),
                };
            }
            asked = signals.next() => if let Asked::Terminate | Asked::Interrupt | Asked::HangUp = asked {
                code = Some(asked.exit_code());
                job.cancel.cancel();
            },
            _ = tick.tick(), if told => {
                let _ = write!(std::io::stderr(), "\r\x1b[K{}", job.progress.line(job.window, zone));
            }
        }
    }
}

/// The stretch that is meant: as told, else the incident's window, else the last 24 hours.
pub(super) fn window(config: &Config, stretch: &Stretch, now: Stamp) -> Result<Span, String> {
    let zone = &config.incident.zone;
    let usual = config.incident.window.unwrap_or(Span { from: now - Lapse::hours(24), to: now });
    let at = |text: &Option<String>, name: &str, usual: Stamp| match text {
        None => Ok(usual),
        Some(text) => Stamp::parse_rfc3339(text).or_else(|| zone.on_day(usual, text)).ok_or_else(|| {
            format!("--{name} {text} is no time: write 19:24 (in {}) or 2025-01-12T19:24:00+07:00", zone.name)
        }),
    };
    let from = at(&stretch.from, "from", usual.from)?;
    let to = at(&stretch.to, "to", usual.to)?;
    if from >= to {
        return Err(format!("the window is empty: it goes from {} to {}", zone.rfc3339(from), zone.rfc3339(to)));
    }
    Ok(Span { from, to })
}

#[cfg(test)]
mod tests;
