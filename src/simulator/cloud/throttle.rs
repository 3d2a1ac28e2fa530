//! How often each API may be asked. A window slides: an instant counts until it is older than the window.

use super::api::Api;
use crate::model::{Lapse, Stamp};
use std::collections::{BTreeMap, VecDeque};

/// At most so many requests in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub requests: u32,
    /// In how long.
    pub window: Lapse,
}

impl Rate {
    /// So many a minute.
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, window: Lapse::minutes(1) }
    }
}

/// Rates by API and by log stream.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// By API. Cloud Eye's numbers are documented nowhere, so there are none by default.
    pub by_api: BTreeMap<Api, Rate>,
    /// Reads of one log stream (documented: 100 a minute; 10 with another operator).
    pub by_stream: Option<Rate>,
    /// Reads of one log group (documented: 500 a minute).
    pub by_group: Option<Rate>,
    /// Reads of all log streams of the account (documented: 1000 a minute).
    pub by_account: Option<Rate>,
}

impl Rates {
    /// What is documented.
    pub fn documented() -> Self {
        Self {
            by_api: BTreeMap::new(),
            by_stream: Some(Rate::per_minute(100)),
            by_group: Some(Rate::per_minute(500)),
            by_account: Some(Rate::per_minute(1000)),
        }
    }
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// Requests of an API.
    Api(Api),
    /// Reads of a log stream.
    Stream(String),
    /// Reads of a log group.
    Group(String),
    /// Reads of any log stream.
    Account,
}

/// A refusal: which limit, and when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The limit.
    pub rate: Rate,
    /// How long until one more would pass.
    pub wait: Lapse,
}

/// What has been asked lately.
#[derive(Debug, Default)]
pub struct Throttle {
    asked: BTreeMap<Counter, VecDeque<Stamp>>,
}

impl Throttle {
    /// Counts a request, or refuses it. One that is refused counts for nothing (our choice).
    pub fn ask(&mut self, counters: Vec<(Counter, Rate)>, now: Stamp) -> Result<(), Refused> {
        for (counter, rate) in &counters {
            let asked = self.asked.entry(counter.clone()).or_default();
            while asked.front().is_some_and(|t| *t + rate.window <= now) {
                asked.pop_front();
            }
            if asked.len() >= rate.requests as usize {
                let wait = asked.front().map_or(rate.window, |t| (*t + rate.window).since(now));
                return Err(Refused { rate: *rate, wait });
            }
        }
        for (counter, _) in counters {
            self.asked.entry(counter).or_default().push_back(now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_and_says_when_to_come_back() {
        let mut throttle = Throttle::default();
        let rate = Rate::per_minute(2);
        let mut ask = |s| throttle.ask(vec![(Counter::Api(Api::Batch), rate)], Stamp::from_secs(s));
        assert_eq!((ask(0), ask(20)), (Ok(()), Ok(())));
        assert_eq!(ask(50), Err(Refused { rate, wait: Lapse::seconds(10) }));
        assert_eq!((ask(60), ask(61).is_err(), ask(80)), (Ok(()), true, Ok(())));
    }

    #[test]
    fn what_one_limit_refuses_no_other_counts() {
        let mut throttle = Throttle::default();
        let stream = (Counter::Stream("s".to_owned()), Rate::per_minute(1));
        let group = (Counter::Group("g".to_owned()), Rate::per_minute(2));
        let now = Stamp::from_secs(0);
        assert!(throttle.ask(vec![group.clone(), stream.clone()], now).is_ok());
        assert!(throttle.ask(vec![group.clone(), stream], now).is_err());
        assert!(throttle.ask(vec![group], now).is_ok());
    }
}
