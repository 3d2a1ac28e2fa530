//! A circuit breaker: closed while calls go well, open when too many failed, half open for one call after a
//! while.

use super::agenda::Ms;
use crate::simulator::scenario::settings;
use std::collections::VecDeque;

/// Where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Calls go through.
    #[default]
    Closed,
    /// None does, until then.
    Open(Ms),
    /// One is let through.
    HalfOpen,
}

/// The breaker.
#[derive(Debug, Default)]
pub struct Breaker {
    state: State,
    calls: VecDeque<(Ms, bool)>,
    failed: u32,
    /// How often it opened.
    pub opened: u32,
}

impl Breaker {
    /// Whether a call may go out.
    pub fn lets_through(&mut self, now: Ms) -> bool {
        match self.state {
            State::Closed => true,
            State::Open(until) if now >= until => {
                self.state = State::HalfOpen;
                true
            }
            State::Open(_) | State::HalfOpen => false,
        }
    }

    /// Whether it refuses at the moment.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// How a call ended. True when this opened it.
    pub fn heard(&mut self, now: Ms, well: bool, how: &settings::Breaker) -> bool {
        match self.state {
            State::HalfOpen if well => {
                self.calls.clear();
                self.failed = 0;
                self.state = State::Closed;
                return false;
            }
            State::HalfOpen => return self.open(now, how),
            State::Open(_) => return false,
            State::Closed => {}
        }
        self.calls.push_back((now, well));
        self.failed += u32::from(!well);
        while let Some((_, well)) = self.calls.pop_front_if(|(at, _)| *at <= now - how.window) {
            self.failed -= u32::from(!well);
        }
        let calls = self.calls.len() as u32;
        let by_share = calls >= how.calls && f64::from(self.failed) >= how.ratio * f64::from(calls);
        let by_count = how.count > 0 && self.failed >= how.count;
        (by_share || by_count) && self.open(now, how)
    }

    fn open(&mut self, now: Ms, how: &settings::Breaker) -> bool {
        let first = self.state == State::Closed;
        self.state = State::Open(now + how.open);
        self.opened += u32::from(first);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::scenario::named;

    fn usual() -> settings::Breaker {
        named("calm").unwrap().first().breaker.clone()
    }

    #[test]
    fn half_of_twenty_open_it_and_one_success_after_the_pause_closes_it() {
        let (mut b, how) = (Breaker::default(), usual());
        let opened: Vec<_> = (0..20).filter(|i| b.heard(i * 100, i % 2 == 0, &how)).collect();
        assert_eq!(opened, [19]);
        assert!(!b.lets_through(1_950) && b.lets_through(31_900) && !b.lets_through(31_900));
        b.heard(32_000, true, &how);
        assert!(!b.is_open() && b.opened == 1);
    }

    #[test]
    fn failures_older_than_its_window_are_forgotten() {
        let (mut b, how) = (Breaker::default(), settings::Breaker { count: 3, ratio: 2.0, ..usual() });
        assert!(!b.heard(0, false, &how) && !b.heard(5_000, false, &how) && !b.heard(10_000, false, &how));
        assert!(b.heard(11_000, false, &how));
    }
}
