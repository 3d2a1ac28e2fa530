//! A day of the world: what happened on the platform, and the same hours of the usual Sunday before it.

use super::alarms::{self, On};
use super::platform::agenda::Ms;
use super::platform::life::{Life, Says};
use super::platform::meter::Meter;
use super::platform::{History, MIDNIGHT, live_from};
use super::scenario::Scenario;
use std::sync::OnceLock;

/// The evening that is played begins at 18:20, so that everything is in its stride by 18:53.
pub const EVENING: (Ms, Ms) = (at(18, 20), at(21, 33));

/// A clock of the day.
const fn at(h: i64, m: i64) -> Ms {
    (h * 60 + m) * 60_000
}

/// A day of the world.
#[derive(Debug)]
pub struct Day {
    /// What it is a day of.
    pub scenario: Scenario,
    /// The seed it fell from.
    pub seed: u64,
    /// From when to when orders were placed; their fates are waited for after that.
    pub lived: (Ms, Ms),
    /// What happened.
    pub history: History,
    /// What was measured on the Sunday before, at the same clock.
    pub usual: Meter,
    /// Of its orders one in so many has rows and lines; 1 is all of them.
    pub(super) shard: u32,
    alarms: OnceLock<Vec<On>>,
    deadlocks: OnceLock<Vec<Ms>>,
}

/// The seed of the Sunday before: another day, the same for everyone who looks back from this one.
const fn week_before(seed: u64) -> u64 {
    seed ^ 0x5eed_0000_0000_0007
}

impl Day {
    /// From midnight until the last order has met its fate.
    pub fn whole(scenario: Scenario, seed: u64) -> Self {
        Self::between(scenario, seed, (0, MIDNIGHT))
    }

    /// The evening alone: what leaked before is taken to have leaked at the usual pace.
    pub fn evening(scenario: Scenario, seed: u64) -> Self {
        Self::between(scenario, seed, EVENING)
    }

    /// The two Sundays do not know of each other: each is lived on a thread of its own.
    fn between(scenario: Scenario, seed: u64, lived: (Ms, Ms)) -> Self {
        let (from, to) = lived;
        let ordinary = scenario.ordinary();
        let sunday_before = || live_from(&ordinary, week_before(seed), from, to).meter;
        let (history, usual) = std::thread::scope(|scope| {
            let beside = std::thread::Builder::new().name("usual".to_owned()).spawn_scoped(scope, sunday_before);
            let history = live_from(&scenario, seed, from, to);
            let usual = match beside {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // A system that starts no more threads gets both days one after the other.
                Err(_) => sunday_before(),
            };
            (history, usual)
        });
        Self { scenario, seed, lived, history, usual, shard: 1, alarms: OnceLock::new(), deadlocks: OnceLock::new() }
    }

    /// The same day, with one order in `n` in its tables and logs.
    #[must_use]
    pub fn sharded(self, n: u32) -> Self {
        Self { shard: n.max(1), ..self }
    }

    /// Whether an order has rows and lines here.
    pub fn holds(&self, life: &Life) -> bool {
        life.born > 0 && life.number.is_multiple_of(self.shard)
    }

    /// When alarms were on.
    pub fn alarms(&self) -> &[On] {
        self.alarms.get_or_init(|| alarms::on(self, self.lived.0, self.lived.1))
    }

    /// Deadlocks up to an instant.
    pub fn deadlocks(&self, at: Ms) -> u64 {
        let all = self
            .deadlocks
            .get_or_init(|| self.history.lines.iter().filter(|l| l.says == Says::Deadlock).map(|l| l.at).collect());
        all.partition_point(|one| *one <= at) as u64
    }
}
