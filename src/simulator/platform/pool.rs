//! MRG's connections: those that steps of orders hold, one by one, and those that users' requests hold, as a
//! flow. Whoever finds none waits in one queue, first come first served, and is refused after a while.
//!
//! The flow is worked out in ticks of 50 ms, longer ones while nobody could wait: requests of a tick are never told apart, and a step of an order has
//! its place somewhere among them, so that it fares as they do.

use super::agenda::{Ms, OrderNo};
use std::collections::VecDeque;

/// Length of a tick while anybody waits, or soon will.
pub const TICK: Ms = 50;
/// Length of a tick in quiet hours.
pub const LONG_TICK: Ms = 500;

/// Those who came in one tick and found none.
#[derive(Debug, Default)]
struct Cohort {
    since: Ms,
    /// Requests that came, and how many of them have got one.
    requests: f64,
    served: f64,
    /// Steps by their place among the requests, 0 to 1, the first in front.
    steps: VecDeque<(f64, OrderNo, u16)>,
}

impl Cohort {
    fn left(&self) -> f64 {
        (self.requests - self.served).max(0.0)
    }
}

/// What a connection that an order has is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Use {
    /// It has none.
    #[default]
    None,
    /// A statement runs, or the next one comes at once.
    Running,
    /// It waits for a row.
    Waiting,
    /// Its transaction is open and nothing happens.
    Idle,
}

/// The pool.
#[derive(Debug)]
pub struct Pool {
    /// Connections there are.
    pub size: f64,
    /// Held by requests.
    pub requests: f64,
    /// Held by steps, by what they do.
    pub running: u32,
    /// Those that wait for a row.
    pub waiting: u32,
    /// Those with a transaction left open.
    pub idle: u32,
    /// Never given back so far.
    pub leaked: u32,
    queue: VecDeque<Cohort>,
    queued: f64,
    again: f64,
}

/// What requests want of a tick.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How long it is.
    pub step: Ms,
    /// So many come.
    pub arriving: f64,
    /// Each holds a connection for about so many milliseconds.
    pub hold: f64,
    /// Whoever has waited for so long is refused.
    pub patience: Ms,
    /// Share of the refused that come again within seconds.
    pub insists: f64,
}

/// What a tick did for requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    /// That came, with those who tried again.
    pub came: f64,
    /// That got a connection without waiting.
    pub at_once: f64,
    /// That ended well.
    pub done: f64,
    /// That were refused.
    pub refused: f64,
}

/// Who got a connection, or waited too long for one, after so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// An order's step got one.
    Granted(OrderNo, u16, Ms),
    /// An order's step waited too long.
    Starved(OrderNo, u16, Ms),
    /// So many requests got one.
    Served(f64, Ms),
    /// So many requests waited too long.
    Refused(f64, Ms),
}

impl Pool {
    /// With so many connections.
    pub fn new(size: f64) -> Self {
        Self {
            size,
            requests: 0.0,
            running: 0,
            waiting: 0,
            idle: 0,
            leaked: 0,
            queue: VecDeque::new(),
            queued: 0.0,
            again: 0.0,
        }
    }

    /// Connections in use.
    pub fn used(&self) -> f64 {
        self.requests + f64::from(self.running + self.waiting + self.idle + self.leaked)
    }

    /// Who waits for a connection.
    pub fn queued(&self) -> f64 {
        self.queued
    }

    fn free(&self) -> f64 {
        self.size - self.used()
    }

    /// A step wants a connection. It has one at once when this is true, else it waits at its `place` among the
    /// requests that come with it, 0 to 1.
    pub fn ask(&mut self, now: Ms, place: f64, order: OrderNo, turn: u16) -> bool {
        if self.queue.is_empty() && self.free() >= 1.0 {
            self.running += 1;
            return true;
        }
        let steps = &mut self.cohort(now).steps;
        let i = steps.partition_point(|(p, _, _)| *p <= place);
        steps.insert(i, (place, order, turn));
        self.queued += 1.0;
        false
    }

    /// Those who come in the tick that ends at or after `now`.
    fn cohort(&mut self, now: Ms) -> &mut Cohort {
        let since = (now + TICK - 1).div_euclid(TICK) * TICK;
        if self.queue.back().is_none_or(|c| c.since != since) {
            self.queue.push_back(Cohort { since, ..Cohort::default() });
        }
        let last = self.queue.len() - 1;
        &mut self.queue[last]
    }

    /// What a step's connection does now; nothing any more gives it back.
    pub fn change(&mut self, from: Use, to: Use) {
        if let Some(n) = self.count(from) {
            *n = n.saturating_sub(1);
        }
        if let Some(n) = self.count(to) {
            *n += 1;
        }
    }

    fn count(&mut self, of: Use) -> Option<&mut u32> {
        match of {
            Use::None => None,
            Use::Running => Some(&mut self.running),
            Use::Waiting => Some(&mut self.waiting),
            Use::Idle => Some(&mut self.idle),
        }
    }

    /// How long the next tick may be: a long one never turns a wait into none.
    pub fn step(&self) -> Ms {
        if self.queue.is_empty() && self.used() < 0.55 * self.size { LONG_TICK } else { TICK }
    }

    /// A tick that ends `now`.
    pub fn tick(&mut self, now: Ms, wanted: Wanted, out: &mut Vec<Verdict>) -> Flow {
        let Wanted { step, arriving, hold, patience, insists } = wanted;
        let step = step as f64;
        let gone = 1.0 - (-step / hold).exp();
        // While somebody waits, what is given back is taken at once: more of them come and go in a tick.
        let done = if self.queue.is_empty() { gone } else { (step / hold).min(1.0) };
        let mut flow = Flow { done: self.requests * done, ..Flow::default() };
        self.requests -= flow.done;
        let back = self.again * step / 3_000.0;
        self.again -= back;
        flow.came = arriving + back;
        self.refuse(now, patience, insists, &mut flow, out);
        self.serve(now, out);
        // Who comes in the course of a tick is partly done by its end.
        let stays = hold / step * gone;
        let room = self.free().max(0.0) / stays;
        let at_once = if self.queue.is_empty() { flow.came.min(room) } else { 0.0 };
        self.requests += at_once * stays;
        flow.done += at_once * (1.0 - stays);
        flow.at_once = at_once;
        let rest = flow.came - at_once;
        if rest > 1e-9 {
            self.cohort(now).requests += rest;
            self.queued += rest;
        }
        flow
    }

    fn refuse(&mut self, now: Ms, patience: Ms, insists: f64, flow: &mut Flow, out: &mut Vec<Verdict>) {
        while let Some(cohort) = self.queue.pop_front_if(|c| now - c.since >= patience) {
            let waited = now - cohort.since;
            let left = cohort.left();
            if left > 0.0 {
                flow.refused += left;
                self.again += left * insists;
                out.push(Verdict::Refused(left, waited));
            }
            self.queued -= left + cohort.steps.len() as f64;
            out.extend(cohort.steps.iter().map(|(_, order, turn)| Verdict::Starved(*order, *turn, waited)));
        }
    }

    fn serve(&mut self, now: Ms, out: &mut Vec<Verdict>) {
        loop {
            let mut free = self.free().max(0.0);
            let Some(cohort) = self.queue.front_mut() else {
                self.queued = 0.0;
                return;
            };
            let waited = now - cohort.since;
            // Up to the first step's place the requests come first, then the step.
            let until = cohort.steps.front().map_or(cohort.requests, |(place, _, _)| place * cohort.requests);
            let granted = (until - cohort.served).clamp(0.0, free);
            if granted > 0.0 {
                cohort.served += granted;
                self.requests += granted;
                self.queued -= granted;
                free -= granted;
                out.push(Verdict::Served(granted, waited));
            }
            if cohort.served + 1e-9 < until {
                return;
            }
            match cohort.steps.front().copied() {
                Some((_, order, turn)) if free >= 1.0 => {
                    cohort.steps.pop_front();
                    self.queued -= 1.0;
                    self.running += 1;
                    out.push(Verdict::Granted(order, turn, waited));
                }
                Some(_) => return,
                None => {
                    self.queue.pop_front();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(step: Ms, arriving: f64, hold: f64) -> Wanted {
        Wanted { step, arriving, hold, patience: 5_000, insists: 0.0 }
    }

    /// Runs it with `load` connections' worth of requests; gives the share refused in the last of `seconds`.
    fn run(load: f64, seconds: i64) -> (Pool, f64) {
        let mut pool = Pool::new(100.0);
        let (mut came, mut refused) = (0.0, 0.0);
        for i in 0..seconds * 1_000 / TICK {
            if i == (seconds - 10) * 1_000 / TICK {
                (came, refused) = (0.0, 0.0);
            }
            let flow = pool.tick(i * TICK, wanted(TICK, load * TICK as f64 / 100.0, 100.0), &mut Vec::new());
            came += flow.came;
            refused += flow.refused;
        }
        (pool, refused / came)
    }

    #[test]
    fn below_its_size_nobody_waits_and_it_is_as_full_as_the_load() {
        let (pool, refused) = run(60.0, 30);
        assert!((pool.used() - 60.0).abs() < 2.0 && pool.queued() == 0.0 && refused == 0.0, "{pool:?}");
    }

    #[test]
    fn beyond_its_size_all_wait_as_long_as_they_may_and_the_excess_is_refused() {
        let (pool, refused) = run(150.0, 60);
        assert!((pool.used() - 100.0).abs() < 1e-6);
        assert!((refused - 1.0 / 3.0).abs() < 0.03, "{refused}");
        assert!(pool.queue.front().is_some_and(|c| 60_000 - c.since >= 4_900));
    }

    #[test]
    fn long_ticks_come_to_the_same_as_short_ones() {
        let mean = |step: Ms| {
            let mut pool = Pool::new(160.0);
            let mut sum = 0.0;
            for i in 0..60_000 / step {
                pool.tick(i * step, wanted(step, 0.431 * step as f64, 112.0), &mut Vec::new());
                sum += pool.used() * step as f64 / 60_000.0;
            }
            sum
        };
        assert!((mean(TICK) - mean(LONG_TICK)).abs() < 1.0, "{} {}", mean(TICK), mean(LONG_TICK));
    }

    #[test]
    fn steps_starve_as_often_as_requests_are_refused() {
        let (mut pool, _) = run(150.0, 30);
        let (mut out, mut starved, mut granted) = (Vec::new(), 0, 0);
        for i in 0..4_000_u32 {
            let at = 30_000 + i64::from(i) * TICK;
            if pool.ask(at, f64::from(i % 97) / 97.0, i, 0) {
                granted += 1;
                pool.change(Use::Running, Use::None);
            }
            pool.tick(at, wanted(TICK, 75.0, 100.0), &mut out);
            for verdict in out.drain(..) {
                match verdict {
                    Verdict::Granted(..) => {
                        granted += 1;
                        pool.change(Use::Running, Use::None);
                    }
                    Verdict::Starved(..) => starved += 1,
                    Verdict::Served(..) | Verdict::Refused(..) => {}
                }
            }
        }
        let share = f64::from(starved) / f64::from(starved + granted);
        assert!((share - 1.0 / 3.0).abs() < 0.05, "{share}");
    }

    #[test]
    fn a_step_that_finds_one_has_it_at_once_and_one_behind_a_queue_waits() {
        let (mut pool, _) = run(50.0, 10);
        assert!(pool.ask(10_000, 0.5, 1, 0));
        let (mut pool, _) = run(150.0, 30);
        assert!(!pool.ask(30_000, 0.5, 1, 0));
        let mut out = Vec::new();
        let mut at = 30_000 - TICK;
        while !out.iter().any(|v| matches!(v, Verdict::Granted(1, 0, _) | Verdict::Starved(1, 0, _))) {
            at += TICK;
            pool.tick(at, wanted(TICK, 75.0, 100.0), &mut out);
        }
        assert!((4_900..=5_050).contains(&(at - 30_000)), "{at}");
    }
}
