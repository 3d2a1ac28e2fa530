//! `warroom report`: the verdict of a recording with its evidence, for people or for machines.
//!
//! Owns reading the recording and choosing the instant. May not know: how a verdict is made.

use crate::analysis::check::findings;
use crate::analysis::report::{markdown, report};
use crate::cli::Form;
use crate::model::note::Note;
use crate::model::{Lapse, Span};
use crate::note::parse::parse;
use crate::recording::Reader;
use crate::runtime::Ending;
use crate::runtime::start::{begin, print};
use crate::store::Store;
use std::path::Path;

/// Writes the report of a recording to standard output, as of its end or of an instant of it.
pub fn run(dir: &Path, at: Option<&str>, form: Form) -> Ending {
    match made(dir, at, form) {
        Ok(text) => print(&text),
        Err(ending) => ending,
    }
}

fn made(dir: &Path, at: Option<&str>, form: Form) -> Result<String, Ending> {
    let (reader, damage) = Reader::open(dir).map_err(|e| Ending::Refused(e.to_string()))?;
    let opening = reader.opening();
    let begun = at.map(|text| begin(&opening, text)).transpose().map_err(Ending::Refused)?;
    let (Some(first), Some(last)) = (opening.first, opening.last) else {
        let why = "nothing has been recorded in it yet; let warroom run with --record first";
        return Err(Ending::Refused(format!("{} has no report: {why}", dir.display())));
    };
    // All of it: a verdict looks at every order and line of the window, not at the newest ones.
    let mut store = Store::default();
    for batch in reader.batches() {
        store.apply(&batch);
    }
    let at = begun.unwrap_or(last);
    let window = store.incident.window.unwrap_or(Span::new(first, last + Lapse(1)));
    let note = store.note(at).map_or_else(Note::default, |n| parse(n.name.raw(), n.text.raw()));
    let mut made = report(&store, &findings(&store, &note, window, at), window, at);
    made.impact.not_known.extend(damage.iter().map(|d| format!("the recording is damaged: {d}")));
    match form {
        Form::Md => Ok(markdown(&made)),
        Form::Json => serde_json::to_string_pretty(&made)
            .map(|text| text + "\n")
            .map_err(|e| Ending::Failed(format!("the report cannot be written as JSON ({e})"))),
    }
}
