//! The incident's Markdown note: where its parts are, one byte changed for a tick, and saving that loses
//! nothing another editor wrote meanwhile.
//!
//! The text is never re-serialised. `parse` and `edit` are pure; `save` is the only file access.

pub mod edit;
mod front;
pub mod outline;
pub mod parse;
pub mod save;
mod words;
