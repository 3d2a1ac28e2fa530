//! How many requests an engine gets from us in a minute: a store of them that refills steadily.
//!
//! Nobody waits here: who has none left comes back later. May not know: what is asked.

use crate::model::Lapse;
use crate::source::runner::lapse;
use std::time::Duration;
use tokio::time::Instant;

/// The store. It begins full.
#[derive(Debug)]
pub struct Allowance {
    every: Duration,
    most: u32,
    left: u32,
    counted: Instant,
}

impl Allowance {
    /// So many in a minute; no more than half of them at once.
    pub fn new(per_minute: u32) -> Self {
        let per_minute = per_minute.max(1);
        let most = (per_minute / 2).max(1);
        Self { every: Duration::from_mins(1) / per_minute, most, left: most, counted: Instant::now() }
    }

    /// Takes one, or says how long until there is one.
    pub fn take(&mut self) -> Result<(), Lapse> {
        let passed = self.counted.elapsed();
        let fresh = u32::try_from(passed.as_nanos() / self.every.as_nanos().max(1)).unwrap_or(u32::MAX);
        if fresh > 0 {
            self.left = self.left.saturating_add(fresh).min(self.most);
            // What does not fill a whole one yet counts for the next.
            self.counted = if self.left == self.most { Instant::now() } else { self.counted + self.every * fresh };
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(lapse(self.every.saturating_sub(self.counted.elapsed())).max(Lapse::millis(10))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_a_minute_at_once_and_then_steadily() {
        let mut store = Allowance::new(8);
        let mut taken = 0;
        while store.take().is_ok() {
            taken += 1;
        }
        assert_eq!((taken, store.take()), (4, Err(Lapse::millis(7500))));
        let mut later = 0;
        for _ in 0..60 {
            tokio::time::advance(Duration::from_secs(1)).await;
            later += u32::from(store.take().is_ok());
        }
        assert_eq!(later, 8, "over a minute it is what was allowed");
        tokio::time::advance(Duration::from_hours(1)).await;
        let again = (0..100).filter(|_| store.take().is_ok()).count();
        assert_eq!(again, 4, "what nobody used is not saved up");
    }
}
