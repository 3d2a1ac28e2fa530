//! So many at once, the rest in line: UPG's workers, Head Office's writers.

use super::agenda::Ms;
use std::collections::VecDeque;

/// A place where things are worked on.
#[derive(Debug)]
pub struct Station<T> {
    /// How many at once.
    pub workers: u32,
    /// How many are.
    pub busy: u32,
    line: VecDeque<(Ms, T)>,
}

impl<T> Station<T> {
    /// With so many workers.
    pub fn new(workers: u32) -> Self {
        Self { workers, busy: 0, line: VecDeque::new() }
    }

    /// Who waits.
    pub fn waiting(&self) -> usize {
        self.line.len()
    }

    /// Puts it in line.
    pub fn arrive(&mut self, now: Ms, what: T) {
        self.line.push_back((now, what));
    }

    /// Somebody is free again.
    pub fn leave(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// The next that can be begun, and since when it waited.
    pub fn begin(&mut self) -> Option<(Ms, T)> {
        if self.busy >= self.workers {
            return None;
        }
        let next = self.line.pop_front()?;
        self.busy += 1;
        Some(next)
    }
}
