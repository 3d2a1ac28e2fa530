//! What comes in and what is asked for: the two ends of `update`.

use crate::app::key::Key;
use crate::model::batch::Chosen;
use crate::model::note::{Binding, NoteText, Override, Tick};
pub use crate::model::recording::RecorderState;
use crate::model::{Batch, Mark, SourceName, Span, Stamp};
use crate::note::edit::Change;
use std::sync::Arc;

/// Everything that can happen.
#[derive(Clone, Debug)]
pub enum Message {
    /// Facts, recorded already.
    Batch(Arc<Batch>),
    /// A key.
    Key(Key),
    /// Pasted text: data, never commands.
    Paste(String),
    /// The screen has this size now.
    Resize(u16, u16),
    /// Time went on; sent once a second at least.
    Tick,
    /// Facts read back from the recording because somebody looked there.
    Past {
        /// What was asked for.
        span: Span,
        /// What there was, in order of arrival; or why it cannot be known.
        batches: Result<Vec<Arc<Batch>>, String>,
    },
    /// The note was written or not.
    NoteSaved(Result<NoteWritten, String>),
    /// A copy was made; the sentence says by which way.
    Copied(String),
    /// A file was written or not: the sentence to show.
    Said(String),
    /// How far a replay or demo has played, and whether it is at its end.
    Played {
        /// Instant reached.
        at: Stamp,
        /// Nothing follows.
        ended: bool,
    },
    /// The recorder's own state, for the Sources screen and the header.
    Recorder(RecorderState),
}

/// What was written into the note.
#[derive(Clone, Debug)]
pub struct NoteWritten {
    /// The change.
    pub change: Change,
    /// The whole text as it is now.
    pub text: String,
}

/// What `update` wants done. None of them can change anything in the systems watched.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Write the note.
    SaveNote(Change),
    /// Record what people did.
    Record(People),
    /// Copy text; the terminal finds the way and answers with `Copied`.
    Copy(String),
    /// Write a file into the export folder and answer with `Said`.
    Export {
        /// File name.
        name: String,
        /// Content.
        text: String,
    },
    /// Ask a source now.
    Refresh(SourceName),
    /// Read the orders born in this stretch before any others: somebody waits for them.
    Want(Span),
    /// Read the lines of this stretch that engines have beyond those fetched: somebody has them in front. Of none:
    /// stop reading.
    Look(Option<Span>),
    /// Read this stretch back from the recording.
    Load(Span),
    /// Set the pace of a replay or demo; 0 pauses.
    Pace(f64),
    /// Continue a replay or demo from this instant.
    Seek(Stamp),
    /// Paint everything anew.
    Repaint,
    /// Mouse capture on or off.
    Mouse(bool),
    /// Another set of glyphs: `unicode`, `ascii`, `braille`.
    Glyphs(String),
}

/// What people did, to be recorded under the source `people`.
#[derive(Clone, Debug, PartialEq)]
pub enum People {
    /// A remark on the timeline.
    Mark(Mark),
    /// A tick in the note.
    Tick(Tick),
    /// A verdict of their own.
    Override(Override),
    /// What answers a checkbox.
    Bind(Binding),
    /// A lane chosen, or let go of.
    Lane(Chosen),
    /// The note as somebody's change left it, where no source watches its file.
    Note(NoteText),
}
