//! A stretch of lines that somebody has in front of them: engines that have more of it than was fetched read it
//! before anything else, until somebody looks elsewhere.
//!
//! Shared by the screen's side and all desks. May not know: how lines are asked for.

use crate::model::{Span, Stamp};
use std::sync::{Mutex, PoisonError};

/// What is looked at.
#[derive(Debug, Default)]
pub struct Looked(Mutex<Look>);

/// A look at a stretch, or at none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The stretch.
    pub span: Option<Span>,
    /// Which look it is, from 1; 0 before the first.
    pub number: u64,
}

impl Looked {
    /// Somebody looks at these lines now; at none, and whatever was under way for them ends.
    pub fn at(&self, span: Option<Span>) {
        let mut look = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *look = Look { span, number: look.number + 1 };
    }

    /// The newest look.
    pub fn now(&self) -> Look {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stretches of which every line is here, in order and apart.
#[derive(Clone, Debug, Default)]
pub struct Held(Vec<Span>);

impl Held {
    /// Every line of it is here now.
    pub fn add(&mut self, span: Span) {
        if span.from >= span.to {
            return;
        }
        self.0.push(span);
        self.0.sort_by_key(|s| s.from);
        let mut joined: Vec<Span> = Vec::with_capacity(self.0.len());
        for span in self.0.drain(..) {
            match joined.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => joined.push(span),
            }
        }
        self.0 = joined;
    }

    /// The parts of a stretch that are not here.
    pub fn missing(&self, span: Span) -> Vec<Span> {
        let mut out = Vec::new();
        let mut from: Stamp = span.from;
        for held in self.0.iter().filter(|h| h.overlaps(&span)) {
            if from < held.from {
                out.push(Span::new(from, held.from));
            }
            from = from.max(held.to);
        }
        if from < span.to {
            out.push(Span::new(from, span.to));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, to: i64) -> Span {
        Span::new(Stamp(from), Stamp(to))
    }

    #[test]
    fn what_is_missing_of_a_stretch_is_what_no_other_stretch_has() {
        let mut held = Held::default();
        assert_eq!(held.missing(span(0, 9)), [span(0, 9)]);
        for s in [span(10, 20), span(40, 50), span(20, 25), span(41, 42), span(5, 5)] {
            held.add(s);
        }
        assert_eq!(held.0, [span(10, 25), span(40, 50)]);
        assert_eq!(held.missing(span(0, 60)), [span(0, 10), span(25, 40), span(50, 60)]);
        assert_eq!(held.missing(span(12, 45)), [span(25, 40)]);
        assert_eq!(held.missing(span(12, 25)), []);
    }

    #[test]
    fn every_look_is_another_one() {
        let looked = Looked::default();
        assert_eq!(looked.now(), Look { span: None, number: 0 });
        looked.at(Some(span(1, 2)));
        looked.at(Some(span(1, 2)));
        assert_eq!(looked.now(), Look { span: Some(span(1, 2)), number: 2 });
        looked.at(None);
        assert_eq!(looked.now(), Look { span: None, number: 3 });
    }
}
