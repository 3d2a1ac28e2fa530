//! One change to a note's text: a checkbox's byte, and an evidence line when asked.

use crate::model::note::ItemId;

/// A change that somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The checkbox.
    pub item: ItemId,
    /// What it shall be.
    pub ticked: bool,
    /// A line to add below it, indented, without its own indentation.
    pub evidence: Option<String>,
}

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The item is not in the text any more.
    #[error("this item is no longer in the note: it was removed or reworded in another editor; open the note and look")]
    Gone,
    /// It already is what it should become.
    #[error("this item was already changed in another editor")]
    Already,
}

/// One line of a difference as shown before anything is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Line number in the new text, from 1; none for removed lines.
    pub line: Option<usize>,
    /// `' '`, `'-'` or `'+'`.
    pub sign: char,
    /// The line.
    pub text: crate::model::Untrusted,
}

/// The text after the change. Exactly one byte differs, plus the evidence line when asked.
pub fn apply(text: &str, edit: &Edit) -> Result<String, Refusal> {
    let _ = (text, edit);
    Err(Refusal::Gone)
}

/// What the change would write, with one line of context on each side.
pub fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    let _ = (before, after);
    Vec::new()
}
