//! Effects: what `update` wants done. Each runs beside the loop and answers with a message; none can change
//! anything in the systems watched.

use crate::app::message::{Message, NoteWritten, People};
use crate::model::batch::PEOPLE;
use crate::model::{Batch, Fact, Span, Stamp};
use crate::note::edit::Change;
use crate::recording::Reader;
use crate::runtime::folders::Folders;
use crate::source::replay::Command;
use crate::source::runner::Outlet;
use crate::source::{Sources, clock};
use crate::terminal::clipboard::{self, Ways};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Everything effects can reach.
#[derive(Debug)]
pub struct Hands {
    /// Where answers go.
    pub answers: mpsc::Sender<Message>,
    /// Sequences for the terminal that an effect made (a clipboard write).
    pub sequences: mpsc::Sender<Vec<u8>>,
    /// The program's folders.
    pub folders: Folders,
    /// Running sources, when live.
    pub sources: Option<Sources>,
    /// What people do goes into the recording by here.
    pub people: mpsc::Sender<People>,
    /// The incident's note.
    pub note: Option<PathBuf>,
    /// The recording that can be read back.
    pub recording: Option<PathBuf>,
    /// Pace and place of a replay.
    pub player: Option<mpsc::Sender<Command>>,
}

impl Hands {
    /// Writes the note on a thread that may block.
    pub fn save_note(&self, change: Change) {
        let Some(path) = self.note.clone() else {
            self.answer(Message::NoteSaved(Err(
                "there is no note to write: name one as incident.note in the configuration".to_owned(),
            )));
            return;
        };
        self.blocking(move || {
            let saved = crate::note::save::save(&path, &change)
                .map(|text| NoteWritten { change, text })
                .map_err(|e| e.to_string());
            Message::NoteSaved(saved)
        });
    }

    /// Copies text and answers by which way.
    pub fn copy(&self, text: String, ways: Ways) {
        let yank = self.folders.yank();
        let (answers, sequences) = (self.answers.clone(), self.sequences.clone());
        tokio::task::spawn_blocking(move || {
            let copied = clipboard::copy(&text, ways, &yank);
            // A loop that has ended needs neither.
            if !copied.sequence.is_empty() {
                let _ = sequences.blocking_send(copied.sequence);
            }
            let _ = answers.blocking_send(Message::Copied(copied.says));
        });
    }

    /// Writes a file into the export folder.
    pub fn export(&self, name: String, text: String) {
        let folder = self.folders.data.clone();
        self.blocking(move || {
            Message::Said(match export(&folder, &name, &text) {
                Ok(path) => format!("written: {}", path.display()),
                Err(e) => format!("not written into {} ({e}): make room or allow it, then try again", folder.display()),
            })
        });
    }

    /// Asks a source now.
    pub fn refresh(&self, source: &crate::model::SourceName) {
        let known = self.sources.as_ref().is_some_and(|s| s.refresh(source));
        if !known {
            self.answer(Message::Said(match self.sources {
                Some(_) => format!("{source} is not a source that can be asked: it is followed by itself"),
                None => "nothing is asked in a replay".to_owned(),
            }));
        }
    }

    /// Has the orders of a stretch read first.
    pub fn want(&self, span: Span) {
        if let Some(sources) = &self.sources {
            sources.want(span);
        }
    }

    /// Has engines read what is in front of somebody.
    pub fn look(&self, span: Option<Span>) {
        if let Some(sources) = &self.sources {
            sources.look(span);
        }
    }

    /// Reads a stretch back from the recording.
    pub fn load(&self, span: Span) {
        let Some(folder) = self.recording.clone() else {
            let says = "nothing is recorded in this run, so its older details are gone: leave out --no-record";
            self.answer(Message::Past { span, batches: Err(says.to_owned()) });
            return;
        };
        self.blocking(move || match Reader::open(&folder) {
            Ok((reader, _)) => Message::Past { span, batches: Ok(reader.load(span)) },
            Err(e) => Message::Past { span, batches: Err(format!("the recording cannot be read back: {e}")) },
        });
    }

    /// Has what people did recorded, in the order they did it.
    pub fn record(&self, what: People) {
        if self.people.try_send(what).is_err() {
            // Only when the disk has been stuck for as long as it takes to do dozens of things by hand.
            self.answer(Message::Said(
                "not recorded: the recording does not keep up; do it again in a moment".to_owned(),
            ));
        }
    }

    /// Pace or place of a replay.
    pub fn play(&self, command: Command) {
        let Some(player) = self.player.clone() else { return };
        tokio::spawn(async move {
            // A player that has ended plays nothing.
            let _ = player.send(command).await;
        });
    }

    /// An answer that is known at once.
    pub fn answer(&self, message: Message) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let _ = answers.send(message).await;
        });
    }

    fn blocking(&self, work: impl FnOnce() -> Message + Send + 'static) {
        let answers = self.answers.clone();
        tokio::task::spawn_blocking(move || {
            let _ = answers.blocking_send(work());
        });
    }
}

/// What people did, numbered and handed to the recorder in the order they did it.
pub async fn record_people(mut done: mpsc::Receiver<People>, to: mpsc::Sender<Batch>) {
    let mut outlet = Outlet::new(Arc::from(PEOPLE), to);
    while let Some(what) = done.recv().await {
        let fact = match what {
            People::Mark(mark) => Fact::Mark(mark),
            People::Tick(tick) => Fact::Tick(tick),
            People::Override(verdict) => Fact::Override(verdict),
            People::Bind(binding) => Fact::Bind(binding),
            People::Note(note) => Fact::Note(note),
            People::Lane(chosen) => Fact::Lane(chosen),
        };
        if outlet.emit(vec![fact]).await.is_err() {
            return;
        }
    }
}

/// Writes a new file; one that is there already is never overwritten.
fn export(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || "-_. ".contains(c) { c } else { '-' }).collect();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, "txt"));
    for n in 1..1000 {
        let path = folder.join(if n == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{n}.{ending}") });
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(std::io::Error::other("a thousand files of this name are there already"))
}

/// Now, for messages.
pub fn now() -> Stamp {
    clock::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_never_overwrites_and_never_leaves_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = export(dir.path(), "../report.md", "one").unwrap();
        let second = export(dir.path(), "../report.md", "two").unwrap();
        assert!(first.starts_with(dir.path()) && second.starts_with(dir.path()) && first != second);
        assert_eq!(std::fs::read_to_string(first).unwrap(), "one");
        assert_eq!(std::fs::read_to_string(second).unwrap(), "two");
    }
}
