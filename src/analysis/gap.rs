//! Stretches in which we were blind, by source, with the reason in words.

use crate::model::{SourceName, Span, Stamp, Untrusted};
use crate::store::Store;

/// A stretch without data.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Whose.
    pub source: SourceName,
    /// When; the end is `now` while it lasts.
    pub span: Span,
    /// Whether it still lasts.
    pub open: bool,
    /// Code beside the dot (`53300`), may be empty.
    pub code: String,
    /// Why, in words.
    pub says: Untrusted,
}

/// All gaps that touch the span, oldest first.
pub fn gaps(store: &Store, within: Span, now: Stamp) -> Vec<Gap> {
    let _ = (store, within, now);
    Vec::new()
}
