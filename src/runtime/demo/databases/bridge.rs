//! The servers' clock and the world's: servers live in our own time, their stamps belong into the evening.
//!
//! Owns what was when: pairs of an instant of ours and one of the evening, noted as the play head moves. A pause is
//! a stretch of ours in which the evening stands still. May not know: what carries the stamps.

use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::Watch;
use crate::source::clock;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So many pairs are kept: at four a second an hour and more, and nothing of interest is older.
const MOST: usize = 20_000;

/// An instant of ours and one of the evening.
type Pair = (Stamp, Stamp);

/// The way from our own time into the evening.
#[derive(Debug)]
pub struct Bridge {
    head: Watch,
    heads: Mutex<Pairs>,
    loaded: Mutex<Pairs>,
}

impl Bridge {
    /// From now on, behind this play head.
    pub fn new(head: Watch) -> Self {
        let bridge = Self { head, heads: Mutex::default(), loaded: Mutex::default() };
        bridge.note();
        bridge.loaded(bridge.head.now());
        bridge
    }

    /// Notes where the play head is.
    pub fn note(&self) -> Stamp {
        let head = self.head.now();
        lock(&self.heads).push(clock::now(), head);
        head
    }

    /// Notes that all rows up to `until` are in their tables.
    pub fn loaded(&self, until: Stamp) {
        lock(&self.loaded).push(clock::now(), until);
    }

    /// What the evening's clock showed at an instant of ours.
    pub fn world(&self, real: Stamp) -> Stamp {
        lock(&self.heads).between(real)
    }

    /// Up to when the tables knew the evening at an instant of ours.
    pub fn known(&self, real: Stamp) -> Stamp {
        lock(&self.loaded).before(real)
    }

    /// How much of the evening passed in a stretch of ours that has just ended.
    pub fn passed(&self, lapse: Lapse) -> Lapse {
        let now = clock::now();
        self.world(now).since(self.world(now - lapse))
    }
}

fn lock(pairs: &Mutex<Pairs>) -> std::sync::MutexGuard<'_, Pairs> {
    pairs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Pairs in their order.
#[derive(Debug, Default)]
struct Pairs(VecDeque<Pair>);

impl Pairs {
    /// A clock of ours that was set back is waited for; the evening's never goes back.
    fn push(&mut self, real: Stamp, world: Stamp) {
        if self.0.back().is_some_and(|(r, w)| real <= *r || world < *w) {
            return;
        }
        // Of a pause only its ends matter.
        let n = self.0.len();
        if n >= 2 && self.0[n - 1].1 == world && self.0[n - 2].1 == world {
            self.0[n - 1].0 = real;
            return;
        }
        self.0.push_back((real, world));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Between two pairs the evening went evenly; what was before all of them, is when it began. What is yet to
    /// come goes on at the pace of late.
    fn between(&self, real: Stamp) -> Stamp {
        let after = self.0.partition_point(|(r, _)| *r <= real);
        let (a, b) = match (after.checked_sub(1), self.0.get(after)) {
            (Some(i), Some(b)) => (self.0[i], *b),
            (Some(i), None) if i > 0 => (self.0[i - 1], self.0[i]),
            (Some(i), None) => return self.0[i].1,
            (None, first) => return first.map_or(real, |(_, world)| *world),
        };
        let part = real.since(a.0).as_secs_f64() / b.0.since(a.0).as_secs_f64();
        a.1 + Lapse((b.1.since(a.1).0 as f64 * part) as i64)
    }

    /// The last one up to an instant; before all of them, the first.
    fn before(&self, real: Stamp) -> Stamp {
        let after = self.0.partition_point(|(r, _)| *r <= real);
        self.0.get(after.saturating_sub(1)).map_or(real, |(_, world)| *world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(i64, i64)]) -> Pairs {
        let mut pairs = Pairs::default();
        for (real, world) in of {
            pairs.push(Stamp::from_secs(*real), Stamp::from_secs(*world));
        }
        pairs
    }

    #[test]
    fn a_stamp_of_ours_lies_where_the_evening_was_and_a_pause_is_no_time() {
        // A second is a minute; a pause of a hundred seconds; then a second is ten minutes.
        let pairs =
            pairs(&[(10, 1_000), (11, 1_060), (12, 1_120), (50, 1_120), (80, 1_120), (112, 1_120), (113, 1_720)]);
        assert_eq!(pairs.0.len(), 5, "of the pause only its ends are kept");
        let world = |real: f64| pairs.between(Stamp((real * 1e6) as i64)).0 / 1_000_000;
        assert_eq!([world(9.0), world(10.0), world(10.5), world(12.0)], [1_000, 1_000, 1_030, 1_120]);
        assert_eq!([world(60.0), world(112.0), world(112.5), world(113.0)], [1_120, 1_120, 1_420, 1_720]);
        assert_eq!(world(114.0), 2_320, "at the pace of late");
    }

    #[test]
    fn clocks_that_go_back_are_not_believed_and_tables_know_what_was_loaded() {
        let pairs = pairs(&[(10, 1_000), (9, 1_010), (11, 900), (12, 1_060)]);
        assert_eq!(pairs.0.len(), 2);
        let before = |real: i64| pairs.before(Stamp::from_secs(real)).0 / 1_000_000;
        assert_eq!([before(5), before(10), before(11), before(12), before(99)], [1_000, 1_000, 1_000, 1_060, 1_060]);
    }
}
