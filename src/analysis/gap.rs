//! Stretches in which we were blind, by source, with the reason in words.

use crate::model::health::State;
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

/// All gaps that touch the span, oldest first: stretches in which a source was down, and what a source
/// knows it lost.
pub fn gaps(store: &Store, within: Span, now: Stamp) -> Vec<Gap> {
    let mut out = Vec::new();
    for card in &store.incident.sources {
        let source: SourceName = card.name.as_str().into();
        for (span, health) in store.blind(&source, within, now) {
            let open = store.health(&source, now).is_some_and(|h| h.state == State::Down) && span.to >= now;
            let (code, says) = (health.code.clone(), health.says.clone());
            out.push(Gap { source: source.clone(), span, open, code, says });
        }
        for loss in store.losses(&source) {
            if loss.span.overlaps(&within) && loss.span.from <= now {
                let (span, says) = (loss.span, loss.says.clone());
                out.push(Gap { source: source.clone(), span, open: false, code: String::new(), says });
            }
        }
    }
    out.sort_by(|a, b| (a.span.from, &a.source, a.span.to).cmp(&(b.span.from, &b.source, b.span.to)));
    out
}
