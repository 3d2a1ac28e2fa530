//! The incident's Markdown note: its text as a fact, and the structure that `note::parse` finds in it.

use crate::model::{Stamp, Untrusted};
use serde::{Deserialize, Serialize};

/// The note's whole text at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteText {
    /// When it was read.
    pub at: Stamp,
    /// File name without folders, for the screen.
    pub name: Untrusted,
    /// The text, byte for byte.
    pub text: Untrusted,
}

/// A checkbox changed from here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// When.
    pub at: Stamp,
    /// The item.
    pub item: ItemId,
    /// Its words, for the events list.
    pub text: Untrusted,
    /// Ticked or unticked.
    pub ticked: bool,
    /// Who.
    pub who: Untrusted,
    /// The evidence line that went with it, when one did.
    #[serde(default)]
    pub evidence: Option<Untrusted>,
}

/// A person's verdict over the measured one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// When.
    pub at: Stamp,
    /// The check (`H1a`) it is about.
    pub check: String,
    /// The verdict; none takes an earlier override back.
    pub verdict: Option<Verdict>,
    /// Why.
    pub reason: Untrusted,
    /// Who.
    pub who: Untrusted,
}

/// What answers a checkbox, as a person said on the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    /// When.
    pub at: Stamp,
    /// The checkbox.
    pub item: ItemId,
    /// What it is bound to.
    pub to: Bound,
    /// Who.
    pub who: Untrusted,
}

/// What a checkbox can be bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// A rule by its id.
    Rule(String),
    /// A series by its name.
    Series(String),
    /// Nobody but a person.
    Person,
    /// Whatever its words find: takes an earlier binding back.
    Words,
}

/// What a check says of its hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// `+`
    Supports,
    /// `−`
    Refutes,
    /// `?`
    Inconclusive,
    /// `○`: never counts for or against.
    NoData,
}

/// Names a checkbox across edits: a hash of its heading path, its words and how many like it came before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub String);

/// A note, taken apart by structure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Note {
    /// First heading, or the file's name.
    pub title: Untrusted,
    /// `status` of the front matter.
    pub status: Option<Untrusted>,
    /// `severity` of the front matter.
    pub severity: Option<Untrusted>,
    /// `date` of the front matter.
    pub date: Option<Untrusted>,
    /// Numbered headings that carry a priority and stand under one heading: what may have caused it.
    pub hypotheses: Vec<Hypothesis>,
    /// Numbered phases of the checklist.
    pub phases: Vec<Section>,
    /// Unnumbered headings with checkboxes side by side: services, database, integration.
    pub areas: Vec<Section>,
    /// Other headings with checkboxes (questions of data consistency, detective work).
    pub others: Vec<Section>,
    /// Sentences that end in a question mark and are no checkbox, with who they are for.
    pub questions: Vec<Question>,
    /// Every checkbox, in the file's order; the rest point in here.
    pub items: Vec<Item>,
}

/// A checkbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Stable name.
    pub id: ItemId,
    /// Line in the file, from 1.
    pub line: usize,
    /// Byte offset of the character between the brackets.
    pub mark: usize,
    /// Whether it is ticked.
    pub ticked: bool,
    /// Its words.
    pub text: Untrusted,
    /// Headings above it, outermost first.
    pub path: Vec<Untrusted>,
}

/// A numbered hypothesis.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// Its number in the note: 1 is H1.
    pub number: u32,
    /// Title without number and priority.
    pub title: Untrusted,
    /// The priority as written: `MEDIUM-HIGH`.
    pub priority: Untrusted,
    /// The priority as a prior from 0 to 1.
    pub prior: f64,
    /// First and last line of its section, from 1.
    pub lines: (usize, usize),
    /// First sentence under the heading, when there is one.
    pub reasoning: Untrusted,
    /// Indices into `Note::items`.
    pub items: Vec<usize>,
}

/// A heading with checkboxes.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Number, when the heading has one.
    pub number: Option<u32>,
    /// Title without number and priority.
    pub title: Untrusted,
    /// The priority as written; empty when there is none.
    pub priority: Untrusted,
    /// Indices into `Note::items`.
    pub items: Vec<usize>,
}

/// An open question.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Stable name, as of a checkbox.
    pub id: ItemId,
    /// Who it is for, as the note groups it.
    pub group: Untrusted,
    /// The question.
    pub text: Untrusted,
    /// Line in the file, from 1.
    pub line: usize,
    /// What was answered, oldest first.
    pub answers: Vec<Reply>,
}

/// An answer to a question, as it stands in the note.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// When and by whom, as written: `2025-01-12 20:31 WIB, sari`.
    pub given: Untrusted,
    /// The answer.
    pub text: Untrusted,
}
