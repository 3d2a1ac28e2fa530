//! The note as a source: its text whenever the file changed.
//!
//! The file is looked at once a second; editors replace, truncate and rewrite it in their own ways, and a
//! look sees them all. While it cannot be read, the last text stays and the health says why.

use crate::model::health::{Health, State};
use crate::model::note::NoteText;
use crate::model::{Fact, Stamp, Untrusted};
use crate::note::parse;
use crate::note::save::{SaveError, read};
use crate::source::clock;
use crate::source::runner::{Closed, Outlet};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// What the last look saw, so that only changes are told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    bytes: Option<[u8; 32]>,
    health: Option<(State, String)>,
}

/// Watches the note until told to stop. Links are followed; a file that comes back is read again.
pub async fn run(path: PathBuf, mut outlet: Outlet, cancel: CancellationToken) -> Result<(), Closed> {
    let mut seen = Seen::default();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            _ = tick.tick() => {}
        }
        let file = path.clone();
        // A file system that hangs holds up this task and no other.
        let looked = tokio::task::spawn_blocking(move || read(&file)).await;
        let Ok(looked) = looked else { continue };
        let facts = facts(&path, looked, &mut seen, clock::now());
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            sent = outlet.emit(facts) => sent?,
        }
    }
}

/// What a look says that the look before did not.
fn facts(path: &Path, looked: Result<Vec<u8>, SaveError>, seen: &mut Seen, at: Stamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    let health = match looked {
        Ok(bytes) => {
            let hash: [u8; 32] = Sha256::digest(&bytes).into();
            if seen.bytes == Some(hash) && seen.health.as_ref().is_some_and(|h| h.0 != State::Down) {
                return facts;
            }
            let text = Untrusted::from_bytes(&bytes);
            let health = well(path, &bytes, &text, at);
            if seen.bytes != Some(hash) {
                let name = path.file_name().map(|n| Untrusted::from_bytes(n.as_encoded_bytes())).unwrap_or_default();
                facts.push(Fact::Note(NoteText { at, name, text }));
            }
            seen.bytes = Some(hash);
            health
        }
        Err(e) => down(&e, at),
    };
    let now = (health.state, health.says.raw().to_owned());
    if seen.health.as_ref() != Some(&now) {
        seen.health = Some(now);
        facts.push(Fact::Health(health));
    }
    facts
}

fn well(path: &Path, bytes: &[u8], text: &Untrusted, at: Stamp) -> Health {
    let name = path.display().to_string();
    let note = parse::parse(&name, text.raw());
    let ticked = note.items.iter().filter(|i| i.ticked).count();
    let says = format!("{} items, {ticked} ticked", note.items.len());
    let health = Health {
        at,
        state: State::Well,
        code: String::new(),
        says: says.as_str().into(),
        remedy: Untrusted::default(),
        next: None,
    };
    match std::str::from_utf8(bytes) {
        Ok(_) => health,
        Err(e) => Health {
            state: State::Late,
            code: "not UTF-8".to_owned(),
            says: format!(
                "{says}; the file is not UTF-8 from byte {} on, so it is shown but not ticked",
                e.valid_up_to()
            )
            .into(),
            remedy: format!("save {name} as UTF-8 in an editor").into(),
            ..health
        },
    }
}

/// The last text stays on the screen; only the dot and the sentence change.
fn down(error: &SaveError, at: Stamp) -> Health {
    let (code, says, remedy) = match error {
        SaveError::Deleted { path } => (
            "gone",
            format!("{path} was deleted or renamed; the last text is kept"),
            format!("put {path} back, or correct incident.note in the configuration"),
        ),
        SaveError::NotAFile { path } => {
            ("no file", format!("{path} is not a file"), "correct incident.note in the configuration".to_owned())
        }
        SaveError::TooLong { path } => (
            "too long",
            format!("{path} is longer than 16 MiB"),
            "correct incident.note in the configuration".to_owned(),
        ),
        SaveError::Io { path, source } => (
            "unreadable",
            format!("{path} cannot be read: {source}; the last text is kept"),
            format!("chmod u+r {path}, or check the disk"),
        ),
        other => ("unreadable", other.to_string(), String::new()),
    };
    Health { at, state: State::Down, code: code.to_owned(), says: says.into(), remedy: remedy.into(), next: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Stamp = Stamp(1);

    fn look(seen: &mut Seen, bytes: &[u8]) -> Vec<Fact> {
        facts(Path::new("/n/note.md"), Ok(bytes.to_vec()), seen, AT)
    }

    fn gone(seen: &mut Seen) -> Vec<Fact> {
        facts(Path::new("/n/note.md"), Err(SaveError::Deleted { path: "/n/note.md".to_owned() }), seen, AT)
    }

    #[test]
    fn only_changes_are_told() {
        let mut seen = Seen::default();
        let first = look(&mut seen, b"- [ ] a\n- [x] b\n");
        assert!(matches!(&first[..], [Fact::Note(n), Fact::Health(h)]
            if n.name.raw() == "note.md" && h.state == State::Well && h.says.raw() == "2 items, 1 ticked"));
        assert_eq!(look(&mut seen, b"- [ ] a\n- [x] b\n"), []);
        let reworded = look(&mut seen, b"- [ ] c\n- [x] b\n");
        assert!(matches!(&reworded[..], [Fact::Note(_)]), "the counts are as they were");
    }

    #[test]
    fn a_note_that_goes_and_comes_back_is_told_once_each() {
        let mut seen = Seen::default();
        look(&mut seen, b"- [ ] a\n");
        assert!(matches!(&gone(&mut seen)[..], [Fact::Health(h)]
            if h.state == State::Down && h.remedy.raw().contains("put /n/note.md back")));
        assert_eq!(gone(&mut seen), []);
        assert!(matches!(&look(&mut seen, b"- [ ] a\n")[..], [Fact::Health(h)] if h.state == State::Well));
        assert_eq!(look(&mut seen, b"- [ ] a\n"), []);
    }

    #[test]
    fn bytes_that_are_not_text_are_shown_and_said() {
        let mut seen = Seen::default();
        let facts = look(&mut seen, b"- [ ] caf\xe9\n");
        assert!(matches!(&facts[..], [Fact::Note(n), Fact::Health(h)]
            if n.text.raw() == "- [ ] caf\\xE9\n" && h.state == State::Late && h.says.raw().contains("byte 9")));
    }
}
