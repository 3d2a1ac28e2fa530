//! Things that were so from one instant until the next: kept in time order, asked as of an instant.

use crate::model::{Span, Stamp};

/// Values with the instant each began to hold.
#[derive(Clone, Debug)]
pub struct History<T> {
    entries: Vec<(Stamp, T)>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> History<T> {
    /// Adds one; late ones find their place, one of the same instant comes after.
    pub fn push(&mut self, at: Stamp, value: T) {
        let i = self.entries.partition_point(|(t, _)| *t <= at);
        self.entries.insert(i, (at, value));
    }
    /// The one in force at `at`.
    pub fn at(&self, at: Stamp) -> Option<&T> {
        self.index_at(at).map(|i| &self.entries[i].1)
    }
    /// The one in force at `at` and the one before it.
    pub fn at_and_before(&self, at: Stamp) -> Option<(&T, Option<&T>)> {
        let i = self.index_at(at)?;
        Some((&self.entries[i].1, i.checked_sub(1).map(|p| &self.entries[p].1)))
    }
    fn index_at(&self, at: Stamp) -> Option<usize> {
        self.entries.partition_point(|(t, _)| *t <= at).checked_sub(1)
    }
    /// Entries that began inside the span.
    pub fn within(&self, span: Span) -> impl Iterator<Item = &(Stamp, T)> {
        let from = self.entries.partition_point(|(t, _)| *t < span.from);
        let to = self.entries.partition_point(|(t, _)| *t < span.to);
        self.entries[from..to.max(from)].iter()
    }
    /// All, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &T)> {
        self.entries.iter().map(|(t, v)| (*t, v))
    }
    /// The newest.
    pub fn last(&self) -> Option<&T> {
        self.entries.last().map(|(_, v)| v)
    }
    /// How many.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
