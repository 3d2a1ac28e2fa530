//! Log lines grouped into patterns: the words that stay, with the numbers and ids taken out, counted
//! against the baseline.

use crate::model::log::Level;
use crate::model::{Span, Stamp, Untrusted};
use crate::store::Store;
use std::sync::Arc;

/// A pattern of log lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Words with placeholders: `acquire timeout after <n>ms`.
    pub template: Untrusted,
    /// Worst level seen.
    pub level: Level,
    /// Service without its replica number, `several` when more than one.
    pub service: Arc<str>,
    /// Lines in the window.
    pub lines: u64,
    /// Lines in a stretch of the same length of the baseline; none when there is no baseline data.
    pub normal: Option<f64>,
    /// First line inside the window; none when it is older than the window.
    pub first: Option<Stamp>,
    /// Absent from the baseline, and the baseline has lines.
    pub new: bool,
    /// Lines over the window in 24 equal stretches.
    pub trend: Vec<u32>,
    /// Stuck orders that carry it.
    pub orders: usize,
    /// Numbers (`Kept::number`) of the lines, oldest first.
    pub members: Vec<u64>,
}

/// Groups the lines of the window: new ones first, then by how much more than usual, then by count.
pub fn patterns(store: &Store, window: Span, baseline: Option<Span>) -> Vec<Pattern> {
    let _ = (store, window, baseline);
    Vec::new()
}

/// The pattern of one message.
pub fn template(message: &str) -> String {
    message.to_owned()
}
