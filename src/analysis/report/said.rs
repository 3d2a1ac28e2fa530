//! What the services wrote that they do not usually write.
//!
//! Owns which patterns are worth a line of a report. May not know: how they are written.

use super::text;
use crate::analysis::pattern;
use crate::model::log::Level;
use crate::model::untrusted::shown;
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
use serde::Serialize;

/// Patterns at most.
const MOST: usize = 12;

/// A pattern of log lines that is new, or comes much more often than usual.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// Its words, with signs for what varies.
    pub template: String,
    /// Who wrote it.
    pub service: String,
    /// The worst level it was written with.
    pub level: char,
    /// How often.
    pub lines: u64,
    /// How often usually, in as long a stretch; none without a baseline.
    pub usual: Option<f64>,
    /// Whether it never came before.
    pub new: bool,
    /// The first line, of one that began in the window.
    pub first: Option<String>,
    /// Stuck orders that carry it.
    pub orders: usize,
}

/// Those of the stretch, by what most stuck orders carry, then by how often they came.
pub fn said(store: &Store, window: Span, at: Stamp) -> Vec<Said> {
    let until = Span::new(window.from, window.to.min(at + Lapse(1)).max(window.from));
    let zone = &store.incident.zone;
    let mut out: Vec<Said> = pattern::patterns(store, until, store.incident.baseline)
        .into_iter()
        .filter(|p| p.level >= Level::Warn && (p.new || p.more_than_usual()))
        .map(|p| Said {
            template: text(&p.template),
            service: shown(&p.service),
            level: p.level.letter(),
            lines: p.lines,
            usual: p.normal,
            new: p.new,
            first: p.first.map(|t| zone.rfc3339(t)),
            orders: p.orders,
        })
        .collect();
    out.sort_by_key(|s| (std::cmp::Reverse(s.orders), std::cmp::Reverse(s.lines)));
    out.truncate(MOST);
    out
}
