//! Things that were so from one instant until the next: kept in time order, asked as of an instant,
//! bounded by weight. What was forgotten leaves its instant behind, so that an older value is never taken
//! for the one that was in force.

use crate::model::{Span, Stamp};

/// Values with the instant each began to hold.
#[derive(Clone, Debug)]
pub struct History<T> {
    entries: Vec<(Stamp, T)>,
    /// Bytes of each entry, as far as somebody weighed them.
    weights: Vec<u32>,
    weight: usize,
    forgotten: Vec<Stamp>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), weights: Vec::new(), weight: 0, forgotten: Vec::new() }
    }
}

impl<T> History<T> {
    /// Adds one; late ones find their place, one of the same instant comes after.
    pub fn push(&mut self, at: Stamp, value: T) {
        self.push_weighed(at, value, 0);
    }
    /// Adds one of so many bytes.
    pub fn push_weighed(&mut self, at: Stamp, value: T, bytes: usize) {
        let i = self.entries.partition_point(|(t, _)| *t <= at);
        self.entries.insert(i, (at, value));
        self.weights.insert(i, u32::try_from(bytes).unwrap_or(u32::MAX));
        self.weight += bytes;
    }
    /// Says that there was one at `at` that is not in memory.
    pub fn note_forgotten(&mut self, at: Stamp) {
        let i = self.forgotten.partition_point(|t| *t <= at);
        self.forgotten.insert(i, at);
    }
    /// Puts one back that was forgotten; nothing happens when it is there already.
    pub fn remember(&mut self, at: Stamp, value: T, bytes: usize) {
        if let Ok(i) = self.forgotten.binary_search(&at) {
            self.forgotten.remove(i);
            self.push_weighed(at, value, bytes);
        }
    }
    /// Forgets the oldest until the rest weighs at most `bytes`; those in `pinned` and the newest stay.
    pub fn trim(&mut self, bytes: usize, pinned: &[Span]) {
        if self.weight <= bytes {
            return;
        }
        // A little more than needed, so that not every push has to move everything.
        let goal = bytes - bytes / 8;
        let mut excess = self.weight.saturating_sub(goal);
        let newest = self.entries.len().saturating_sub(1);
        let mut keep = Vec::with_capacity(self.entries.len());
        for (i, (at, _)) in self.entries.iter().enumerate() {
            let goes = excess > 0 && i < newest && !pinned.iter().any(|p| p.contains(*at));
            if goes {
                excess = excess.saturating_sub(self.weights[i] as usize);
                self.weight -= self.weights[i] as usize;
                self.forgotten.push(*at);
            }
            keep.push(!goes);
        }
        let mut kept = keep.iter();
        self.entries.retain(|_| kept.next().is_none_or(|k| *k));
        let mut kept = keep.iter();
        self.weights.retain(|_| kept.next().is_none_or(|k| *k));
        self.forgotten.sort_unstable();
    }
    /// The one in force at `at`; none when that one is not in memory.
    pub fn at(&self, at: Stamp) -> Option<&T> {
        self.index_at(at).map(|i| &self.entries[i].1)
    }
    /// The one in force at `at` and the one before it, when that is in memory.
    pub fn at_and_before(&self, at: Stamp) -> Option<(&T, Option<&T>)> {
        let i = self.index_at(at)?;
        let before = i.checked_sub(1).filter(|p| !self.forgets(self.entries[*p].0, self.entries[i].0));
        Some((&self.entries[i].1, before.map(|p| &self.entries[p].1)))
    }
    fn index_at(&self, at: Stamp) -> Option<usize> {
        let i = self.entries.partition_point(|(t, _)| *t <= at).checked_sub(1)?;
        (!self.forgets(self.entries[i].0, at)).then_some(i)
    }
    /// Whether one that began after `after` and up to `until` is not in memory.
    fn forgets(&self, after: Stamp, until: Stamp) -> bool {
        let i = self.forgotten.partition_point(|t| *t <= after);
        self.forgotten.get(i).is_some_and(|t| *t <= until)
    }
    /// Whether something that was in force in the span is not in memory.
    pub fn lacks(&self, span: Span) -> bool {
        let first = self.entries.partition_point(|(t, _)| *t <= span.from);
        let after = first.checked_sub(1).map_or(Stamp(i64::MIN), |i| self.entries[i].0);
        self.forgets(after, Stamp(span.to.0.saturating_sub(1)))
    }
    /// Entries that began inside the span, as far as they are in memory.
    pub fn within(&self, span: Span) -> impl Iterator<Item = &(Stamp, T)> {
        let from = self.entries.partition_point(|(t, _)| *t < span.from);
        let to = self.entries.partition_point(|(t, _)| *t < span.to);
        self.entries[from..to.max(from)].iter()
    }
    /// All in memory, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &T)> {
        self.entries.iter().map(|(t, v)| (*t, v))
    }
    /// The newest.
    pub fn last(&self) -> Option<&T> {
        self.entries.last().map(|(_, v)| v)
    }
    /// How many in memory.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether there is none in memory.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// Bytes in memory, as far as they were weighed.
    pub fn weight(&self) -> usize {
        self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five() -> History<i64> {
        let mut history = History::default();
        for t in [30, 10, 20, 50, 40] {
            history.push_weighed(Stamp(t), t, 100);
        }
        history
    }

    #[test]
    fn late_ones_find_their_place() {
        assert_eq!(five().iter().map(|(_, v)| *v).collect::<Vec<_>>(), [10, 20, 30, 40, 50]);
        assert_eq!(five().at_and_before(Stamp(35)), Some((&30, Some(&20))));
    }

    #[test]
    fn what_is_forgotten_is_not_answered_by_an_older_one() {
        let mut history = five();
        history.trim(350, &[Span::new(Stamp(10), Stamp(11))]);
        assert_eq!(history.iter().map(|(_, v)| *v).collect::<Vec<_>>(), [10, 40, 50], "the pinned one stays");
        assert_eq!((history.at(Stamp(15)), history.at(Stamp(25)), history.at(Stamp(45))), (Some(&10), None, Some(&40)));
        assert_eq!(history.at_and_before(Stamp(45)), Some((&40, None)));
        assert!(history.lacks(Span::new(Stamp(35), Stamp(36))) && !history.lacks(Span::new(Stamp(40), Stamp(99))));
    }

    #[test]
    fn what_is_read_back_is_there_once() {
        let mut history = five();
        history.trim(350, &[]);
        for _ in 0..2 {
            for t in [10, 20, 30, 40] {
                history.remember(Stamp(t), t, 100);
            }
        }
        assert_eq!(history.iter().map(|(_, v)| *v).collect::<Vec<_>>(), [10, 20, 30, 40, 50]);
        assert_eq!(history.at(Stamp(25)), Some(&20));
    }
}
