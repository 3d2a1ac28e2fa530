//! `demo` and `replay`: a tape instead of sources. What of the demo comes over real wires is [`wiring`]'s.

mod cloud;
pub mod databases;
mod logs;
pub mod wiring;

use crate::app::Message;
use crate::model::note::NoteText;
use crate::model::{Batch, Fact, Stamp};
use crate::recording::{Options, Reader, Recorder};
use crate::runtime::feed;
use crate::simulator;
use crate::simulator::cloud::Watch;
use crate::simulator::day::Day;
use crate::simulator::scenario::Scenario;
use crate::source::replay::{Command, Played, Tape, glide, play};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::mpsc;
use wiring::{Evening, Wiring};

/// The demo is the same for everybody who talks about it.
pub const SEED: u64 = 77_000;

/// Starts a player in the background; it is steered through what comes back. Where it is stands on `head`,
/// which only goes on: what was there once is there, wherever somebody plays from again.
pub fn start(tape: Tape, pace: f64, to: mpsc::Sender<Message>, head: Watch) -> mpsc::Sender<Command> {
    let (steer, commands) = mpsc::channel(16);
    let (out, played) = mpsc::channel::<Played>(feed::ROOM);
    feed::played(played, to, move |at| {
        if at > head.now() {
            head.set(at);
        }
    });
    tokio::spawn(play(tape, pace, commands, out));
    steer
}

/// Moves the play head of a recording that is open as a whole.
pub fn start_whole(at: Stamp, end: Stamp, pace: f64, to: mpsc::Sender<Message>) -> mpsc::Sender<Command> {
    let (steer, commands) = mpsc::channel(16);
    let (out, played) = mpsc::channel::<Played>(feed::ROOM);
    feed::played(played, to, |_| {});
    tokio::spawn(glide(at, end, pace, commands, out));
    steer
}

/// The demo's recording, which several write: what cannot be written is said in its state, and the demo goes
/// on.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Option<Recorder>>>);

impl Shared {
    /// A recording in this folder.
    pub fn open(folder: &Path) -> Self {
        let recorder = match Recorder::open(folder, Options::default()) {
            Ok(recorder) => Some(recorder),
            Err(e) => {
                tracing::warn!(error = %e, "the demo is not recorded");
                None
            }
        };
        Self(Arc::new(Mutex::new(recorder)))
    }
    /// A recording in a folder that somebody named: it must work, and begin there.
    pub fn named(folder: &Path) -> Result<Self, String> {
        if Reader::open(folder).is_ok() {
            let shown = folder.display();
            return Err(format!("{shown} holds a recording already, and the demo begins anew: name another folder"));
        }
        let recorder = Recorder::open(folder, Options::default()).map_err(|e| e.to_string())?;
        Ok(Self(Arc::new(Mutex::new(Some(recorder)))))
    }
    /// Writes a batch. Waits for the disk.
    pub fn append(&self, batch: &Batch) {
        let mut recorder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(recorder) = recorder.as_mut() {
            let _ = recorder.append(batch);
        }
    }
}

/// The world that is played, made once by whoever needs it first: nobody waits for it who does not.
#[derive(Clone, Debug)]
pub struct Made(Arc<(Scenario, u64, OnceLock<Arc<Day>>)>);

impl Made {
    /// A world to be made.
    pub fn later(scenario: Scenario, seed: u64) -> Self {
        Self(Arc::new((scenario, seed, OnceLock::new())))
    }
    /// What it is a world of.
    pub fn scenario(&self) -> &Scenario {
        &self.0.0
    }
    /// The world. Takes a moment the first time: for threads that may wait.
    pub fn day(&self) -> Arc<Day> {
        let (scenario, seed, day) = &*self.0;
        Arc::clone(day.get_or_init(|| Arc::new(Day::evening(scenario.clone(), *seed).sharded(simulator::SHARD))))
    }
}

/// The bundled incident, written into a recording of its own as it is played, like everything else. What comes
/// over a wire is left to that.
/// With a note of one's own where one was given.
pub fn demo_tape(evening: &Evening, wiring: &Wiring, note: Option<NoteText>) -> Tape {
    let (made, recorder) = (evening.made.clone(), evening.recorder.clone());
    let mut told = Box::new(simulator::incident_of(made.scenario()));
    wiring.tell(&mut told);
    let rest = wiring.rest(told);
    // Made where it is read, on a thread of its own: the first frame waits for no world.
    let batches = std::iter::once_with(move || simulator::play(made.day())).flatten();
    Box::new(rest.of_all(batches).map(move |mut batch| {
        if let Some(note) = &note {
            in_place_of_bundled(&mut batch, note);
        }
        recorder.append(&batch);
        Arc::new(batch)
    }))
}

/// The bundled note of a batch becomes another.
fn in_place_of_bundled(batch: &mut Batch, note: &NoteText) {
    let Some(at) = batch.facts.iter().position(|f| matches!(f, Fact::Note(_))) else { return };
    let items = crate::note::parse::parse(note.name.raw(), note.text.raw()).items;
    let ticked = items.iter().filter(|i| i.ticked).count();
    for (i, fact) in batch.facts.iter_mut().enumerate() {
        match fact {
            Fact::Note(bundled) if i == at => *bundled = NoteText { at: bundled.at, ..note.clone() },
            Fact::Health(health) => health.says = format!("{} items, {ticked} ticked", items.len()).into(),
            _ => {}
        }
    }
}

/// A note of somebody's own, as it is now.
pub fn own_note(path: &Path) -> Result<NoteText, String> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        format!("the note {} cannot be read ({e}): check the path, and that it is UTF-8", path.display())
    })?;
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    Ok(NoteText { at: simulator::START, name: name.into(), text: text.into() })
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
