//! `demo` and `replay`: a tape instead of sources.

use crate::app::Message;
use crate::model::{Batch, Stamp};
use crate::recording::{Options, Recorder};
use crate::runtime::feed;
use crate::simulator;
use crate::source::replay::{Command, Played, Tape, glide, play};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The demo is the same for everybody who talks about it.
const SEED: u64 = 77_000;

/// Starts a player in the background; it is steered through what comes back.
pub fn start(tape: Tape, pace: f64, to: mpsc::Sender<Message>) -> mpsc::Sender<Command> {
    let (steer, commands) = mpsc::channel(16);
    let (out, played) = mpsc::channel::<Played>(feed::ROOM);
    feed::played(played, to);
    tokio::spawn(play(tape, pace, commands, out));
    steer
}

/// Moves the play head of a recording that is open as a whole.
pub fn start_whole(at: Stamp, end: Stamp, pace: f64, to: mpsc::Sender<Message>) -> mpsc::Sender<Command> {
    let (steer, commands) = mpsc::channel(16);
    let (out, played) = mpsc::channel::<Played>(feed::ROOM);
    feed::played(played, to);
    tokio::spawn(glide(at, end, pace, commands, out));
    steer
}

/// The bundled incident, written into a recording of its own as it is played, like everything else.
pub fn demo_tape(folder: &Path) -> Tape {
    let recorder = match Recorder::open(folder, Options::default()) {
        Ok(recorder) => Some(recorder),
        Err(e) => {
            tracing::warn!(error = %e, "the demo is not recorded");
            None
        }
    };
    Box::new(Recording { world: Box::new(simulator::demo(SEED)), recorder })
}

/// Batches that are recorded on their way.
struct Recording {
    world: Box<dyn Iterator<Item = Batch> + Send>,
    recorder: Option<Recorder>,
}

impl Iterator for Recording {
    type Item = Arc<Batch>;

    fn next(&mut self) -> Option<Arc<Batch>> {
        let batch = self.world.next()?;
        if let Some(recorder) = &mut self.recorder {
            // What it could not write it says in its state, and the demo goes on.
            let _ = recorder.append(&batch);
        }
        Some(Arc::new(batch))
    }
}

/// A folder for the demo's recording, gone when the program ends.
pub fn demo_folder() -> Result<tempfile::TempDir, String> {
    tempfile::Builder::new()
        .prefix("warroom-demo-")
        .tempdir()
        .map_err(|e| format!("the demo needs a temporary folder ({e}): make room, or set TMPDIR to another one"))
}

/// The demo's note as a file, so that ticking it works like everywhere.
pub fn demo_note(folder: &Path) -> Result<PathBuf, String> {
    let path = folder.join(simulator::NOTE_NAME);
    std::fs::write(&path, simulator::NOTE)
        .map_err(|e| format!("the demo's note could not be written ({e}): make room"))?;
    Ok(path)
}
