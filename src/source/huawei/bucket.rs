//! How often an API may be asked: one bucket for each, filled at a steady rate, shut while the server wants
//! to be left alone.
//!
//! Waiting is tokio's time, so tests can turn its clock. May not know: what is asked.

use crate::model::Lapse;
use crate::source::runner::lapse;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Requests that may follow each other at once after a pause.
const BURST: u32 = 3;

/// One bucket.
#[derive(Debug)]
pub struct Bucket {
    /// Time between two requests at the steady rate.
    every: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the request after the ones so far would be due at the steady rate.
    due: Instant,
    /// Not before this, because the server said so.
    shut: Option<Instant>,
}

impl Bucket {
    /// A full bucket of so many requests a second; the rate is kept between one in an hour and 1000.
    pub fn new(per_second: f64) -> Self {
        let every = Duration::from_secs_f64(1.0 / per_second.clamp(1.0 / 3600.0, 1000.0));
        Self { every, state: Mutex::new(State { due: Instant::now(), shut: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for one's turn. When the server wants to be left alone for longer than `patience`, the time
    /// that is left is the error, and the turn is not used up.
    pub async fn turn(&self, patience: Duration) -> Result<(), Lapse> {
        let now = Instant::now();
        let when = {
            let mut state = self.state();
            let shut = state.shut.filter(|until| *until > now);
            if let Some(until) = shut.filter(|until| *until - now > patience) {
                return Err(lapse(until - now));
            }
            let slack = self.every * (BURST - 1);
            let due = state.due.max(now);
            state.due = due + self.every;
            due.checked_sub(slack).unwrap_or(now).max(shut.unwrap_or(now))
        };
        if when > now {
            sleep_until(when).await;
        }
        Ok(())
    }

    /// Nobody asks for this long.
    pub fn shut(&self, time: Lapse) {
        let until = Instant::now() + time.to_std().min(LONGEST_SHUT);
        let mut state = self.state();
        state.shut = state.shut.max(Some(until));
    }
}

/// No longer than this, whatever is asked for.
const LONGEST_SHUT: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn after_a_burst_requests_come_at_the_steady_rate() {
        let bucket = Bucket::new(2.0);
        let begun = Instant::now();
        let mut at = Vec::new();
        for _ in 0..6 {
            bucket.turn(PATIENT).await.unwrap();
            at.push(begun.elapsed().as_millis());
        }
        assert_eq!(at, [0, 0, 0, 500, 1000, 1500]);
        tokio::time::advance(Duration::from_mins(1)).await;
        let begun = Instant::now();
        for _ in 0..4 {
            bucket.turn(PATIENT).await.unwrap();
        }
        assert_eq!(begun.elapsed().as_millis(), 500, "a long pause fills the bucket once, not more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_wish_to_be_left_alone_is_waited_for_and_a_long_one_is_told() {
        let bucket = Bucket::new(10.0);
        bucket.shut(Lapse::seconds(4));
        let begun = Instant::now();
        bucket.turn(PATIENT).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 4);
        bucket.shut(Lapse::seconds(120));
        bucket.shut(Lapse::seconds(5));
        assert_eq!(bucket.turn(PATIENT).await, Err(Lapse::seconds(120)), "the longer wish counts");
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_eq!(bucket.turn(PATIENT).await, Ok(()));
        bucket.shut(Lapse(i64::MAX));
        assert_eq!(bucket.turn(PATIENT).await, Err(Lapse::seconds(3600)));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_together_come_one_after_the_other() {
        let bucket = std::sync::Arc::new(Bucket::new(1.0));
        let begun = Instant::now();
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let bucket = bucket.clone();
                tokio::spawn(async move {
                    bucket.turn(PATIENT).await.unwrap();
                    begun.elapsed().as_secs()
                })
            })
            .collect();
        let mut at = Vec::new();
        for task in tasks {
            at.push(task.await.unwrap());
        }
        at.sort_unstable();
        assert_eq!(at, [0, 0, 0, 1, 2]);
    }
}
