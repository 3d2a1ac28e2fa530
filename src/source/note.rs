//! The note as a source: its text whenever the file changed.
