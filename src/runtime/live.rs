//! `run` and `record`: the configured sources, through the recorder, to the screen or to nobody.

use crate::app::Message;
use crate::config::Config;
use crate::model::recording::RecorderState;
use crate::model::{Batch, Fact, Stamp, Zone};
use crate::recording::{Options, Recorder};
use crate::runtime::feed;
use crate::source::runner::Outlet;
use crate::source::{self, Recorded, Sources};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Under this name the program says what the incident is.
const SELF: &str = "warroom";

/// Where, and whether, it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing is recorded, because somebody said so.
    Nothing,
    /// Into this folder, which somebody named: it must work.
    Named(PathBuf),
    /// Into a new folder below this one; when that does not work the screen comes up all the same.
    Below(PathBuf),
}

/// Running sources with everything behind them.
#[derive(Debug)]
pub struct Live {
    /// The sources.
    pub sources: Sources,
    /// Where batches enter; people's go here too.
    pub enter: mpsc::Sender<Batch>,
    /// The recording, when there is one.
    pub folder: Option<PathBuf>,
    /// The recorder's thread.
    pub recorder: Option<JoinHandle<()>>,
}

/// Opens the recording. The state says why there is none.
pub fn open_recorder(keep: &Keep, config: &Config, now: Stamp) -> Result<(Option<Recorder>, RecorderState), String> {
    let options = Options { keep_free: config.recording.keep_free, ..Options::default() };
    match keep {
        Keep::Nothing => Ok((None, RecorderState::default())),
        Keep::Named(folder) => {
            let recorder = Recorder::open(folder, options).map_err(|e| e.to_string())?;
            let state = recorder.state().clone();
            Ok((Some(recorder), state))
        }
        Keep::Below(parent) => match Recorder::open(&parent.join(folder_name(now)), options) {
            Ok(recorder) => {
                let state = recorder.state().clone();
                Ok((Some(recorder), state))
            }
            Err(e) => {
                let trouble = format!("not recording: {e}; name another folder with --record");
                Ok((None, RecorderState { trouble: Some(trouble), ..RecorderState::default() }))
            }
        },
    }
}

/// A recording is named by when it began, in UTC, so that names sort by time everywhere.
pub fn folder_name(now: Stamp) -> String {
    format!("{}-{}", Zone::utc().format(now, "%Y-%m-%dT%H%M%SZ"), std::process::id())
}

/// Starts everything behind the screen. Batches arrive at `to` after they were recorded; what the sources `have`
/// already does not come again.
pub async fn start(
    config: &Config,
    recorder: Option<Recorder>,
    have: &Recorded,
    to: mpsc::Sender<Message>,
    cancel: &CancellationToken,
) -> Result<Live, String> {
    let (enter, entered) = mpsc::channel::<Batch>(feed::ROOM);
    let folder = recorder.as_ref().map(|r| r.folder().to_owned());
    let recorder = if let Some(recorder) = recorder {
        Some(feed::recorded(recorder, entered, to)?)
    } else {
        feed::unrecorded(entered, to);
        None
    };
    let incident = crate::config::incident::incident(config);
    let mut first = Outlet::new(Arc::from(SELF), enter.clone());
    first.emit(vec![Fact::Incident(Box::new(incident))]).await.map_err(|e| e.to_string())?;
    let sources = source::resume(config, have, &enter, cancel);
    Ok(Live { sources, enter, folder, recorder })
}

/// Ends sources and recorder: the last batch is on the disk when this returns, or has had its time.
pub async fn end(sources: Sources, recorder: Option<JoinHandle<()>>, cancel: &CancellationToken) {
    cancel.cancel();
    let patience = feed::LAST_FLUSH.to_std();
    if tokio::time::timeout(patience, sources.ended()).await.is_err() {
        tracing::warn!("a source did not end in time");
    }
    let Some(recorder) = recorder else { return };
    let joined = tokio::task::spawn_blocking(move || recorder.join());
    match tokio::time::timeout(patience, joined).await {
        Ok(Ok(Ok(()))) => {}
        Ok(_) => tracing::error!("the recorder's thread panicked"),
        Err(_) => tracing::warn!("the recording was not confirmed by the disk in time"),
    }
}

/// What a collection without a screen says each minute.
#[derive(Debug, Default)]
pub struct Tally {
    batches: u64,
    facts: u64,
    state: RecorderState,
}

impl Tally {
    /// Counts a message.
    pub fn count(&mut self, message: &Message) {
        match message {
            Message::Batch(batch) => {
                self.batches += 1;
                self.facts += batch.facts.len() as u64;
            }
            Message::Recorder(state) => self.state = state.clone(),
            _ => {}
        }
    }
    /// The status line.
    pub fn line(&self, now: Stamp, zone: &Zone) -> String {
        let trouble = self.state.trouble.as_deref().unwrap_or("well");
        format!(
            "{} {} facts in {} batches · {} KiB in {} segments · {trouble}",
            zone.rfc3339(now),
            self.facts,
            self.batches,
            self.state.bytes / 1024,
            self.state.segments
        )
    }
}

/// How often a collection without a screen says that it lives.
pub const STATUS: Duration = Duration::from_mins(1);

/// The parent folder of recordings.
pub fn parent(config: &Config, fallback: &Path) -> PathBuf {
    config.recording.folder.clone().unwrap_or_else(|| fallback.to_owned())
}
