//! The numbers that the rules use: their names, what they are in, and how they are said. Their values stand in
//! `assets/rules/numbers.toml`; every rule prints those it used, so that nobody has to believe a verdict.

use super::words::{lapse, number, percent, seconds};
use crate::model::Lapse;

/// What a number is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of a hundred.
    Percent,
    /// Of one; said as a percentage.
    Share,
    /// Times something.
    Times,
    /// A count.
    Count,
    /// Whole minutes.
    Minutes,
    /// A duration, written like `5m`.
    Lapse,
    /// Seconds with a fraction.
    Seconds,
    /// Points of a score.
    Points,
}

/// How a value of the table is kept.
trait Kept: Copy {
    fn put(value: f64) -> Self;
    fn get(self) -> f64;
}
impl Kept for f64 {
    fn put(value: f64) -> Self {
        value
    }
    fn get(self) -> f64 {
        self
    }
}
impl Kept for usize {
    fn put(value: f64) -> Self {
        value.max(0.0).round() as Self
    }
    fn get(self) -> f64 {
        self as f64
    }
}
/// In milliseconds.
impl Kept for Lapse {
    fn put(value: f64) -> Self {
        Self::millis(value as i64)
    }
    fn get(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $unit:ident;)*) => {
        /// One value of each.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct Numbers {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Numbers {
            /// Every name with its unit.
            pub const NAMES: &[(&str, Unit)] = &[$((stringify!($name), Unit::$unit),)*];

            /// Gives one another value; durations in milliseconds. Whether there is one of this name.
            pub fn set(&mut self, name: &str, value: f64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = Kept::put(value),)*
                    _ => return false,
                }
                true
            }
            /// Its value; durations in milliseconds.
            pub fn get(&self, name: &str) -> Option<f64> {
                match name {
                    $(stringify!($name) => Some(Kept::get(self.$name)),)*
                    _ => None,
                }
            }
        }
    };
}

numbers! {
    /// Something lasts when it lasted this many minutes.
    lasting: usize = Minutes;
    /// Percent of a stretch's minutes that must be measured before its silence says anything.
    covered: f64 = Percent;
    /// A collection of data is done from this many percent on.
    complete: f64 = Percent;
    /// A measure may be late by this much by nature.
    lag: Lapse = Lapse;
    /// A value this old says what was so then.
    stale: Lapse = Lapse;
    /// Minutes below which a level means nothing.
    few_minutes: usize = Minutes;
    /// Share of the stuck orders with lines whose lines show a thing: supports from here on.
    shown: f64 = Share;
    /// … of at least this many orders.
    shown_orders: usize = Count;
    /// Share below which the same refutes.
    hardly_shown: f64 = Share;
    /// … of at least this many orders.
    hardly_shown_orders: usize = Count;
    /// Share of the stuck orders that must have a line before what no line says is taken as not said.
    lined: f64 = Share;
    /// A cause may be seen this much later than what it causes.
    slack: Lapse = Lapse;
    /// What was seen this much later was no cause.
    too_late: Lapse = Lapse;
    /// Orders that hang together are born within this.
    together: Lapse = Lapse;
    /// An order that has not ended after this long is late, though not stuck yet.
    late: Lapse = Lapse;
    /// Percent in use from which a pool is full.
    pool_full: f64 = Percent;
    /// A pool that never reached this many percent was not the bottleneck.
    pool_easy: f64 = Percent;
    /// Need over limit that is too tight.
    need_tight: f64 = Times;
    /// Need over limit that is comfortable.
    need_roomy: f64 = Times;
    /// Wait for a connection that hurts, in seconds.
    wait_long: f64 = Seconds;
    /// Wait for a connection that is nothing, in seconds.
    wait_short: f64 = Seconds;
    /// Headroom of a proposed pool over the need.
    pool_room: f64 = Times;
    /// Percent of callbacks accepted below which HO was not available.
    accepted_low: f64 = Percent;
    /// Percent accepted in every minute from which it was.
    accepted_well: f64 = Percent;
    /// Percent of callbacks failed that supports, for as long as `lasting`.
    failed_many: f64 = Percent;
    /// Percent failed that was never reached when it refutes.
    failed_few: f64 = Percent;
    /// Callbacks a minute below which their share means nothing.
    few_callbacks: usize = Count;
    /// A callback not accepted for this long is left behind.
    callback_old: Lapse = Lapse;
    /// Share of the attempts left behind that is no accident.
    left_behind: f64 = Share;
    /// Share of the unrecorded payments with a callback tried that supports.
    tried_most: f64 = Share;
    /// Share below which it refutes.
    tried_few: f64 = Share;
    /// Share of the stuck charged and not at HO: a weak sign from here on.
    unrecorded: f64 = Share;
    /// Attempts over payments that make a storm of retries.
    retries: f64 = Times;
    /// Attempts over payments that make none.
    retries_none: f64 = Times;
    /// Percent of the callee's calls failed before the breaker opened: it was healthy below.
    callee_healthy: f64 = Percent;
    /// … and it was failing from here on.
    callee_failing: f64 = Percent;
    /// How long before the opening is looked at.
    callee_before: Lapse = Lapse;
    /// Threshold over the usual failures below which chance opens it.
    breaker_near: f64 = Times;
    /// Threshold over the usual failures from which chance does not.
    breaker_far: f64 = Times;
    /// Share of the stuck orders that met it open: one that is open meets everybody.
    breaker_met: f64 = Share;
    /// Deadlines over refusals from which the callee had been failing: one opening refuses many.
    beside: f64 = Share;
    /// A time-out this many times the slowest was long enough.
    timeout_room: f64 = Times;
    /// More slowing than load explains, from this factor on.
    sick: f64 = Times;
    /// Utilisation assumed at normal load ρ; load then explains (1−ρ)/(1−ρ·load).
    usual_load: f64 = Share;
    /// Share of the timed-out orders that were paid all the same: a weak sign.
    paid_late: f64 = Share;
    /// Share of the stuck orders with a transition that must not happen.
    illegal: f64 = Share;
    /// Two actors this close together on one version are a race.
    race_within: Lapse = Lapse;
    /// Two payments of one order this close together.
    twice_within: Lapse = Lapse;
    /// Minutes with deadlocks that count.
    deadlock_minutes: usize = Minutes;
    /// Share of the stuck that HO has recorded which supports.
    recorded_most: f64 = Share;
    /// Share below which it refutes.
    recorded_few: f64 = Share;
    /// Percent of the active sessions that wait for locks.
    lock_waits: f64 = Percent;
    /// Percent of the used connections idle in transaction: held across calls.
    idle_in_transaction: f64 = Percent;
    /// A statement this many times slower than usual …
    slow_times: f64 = Times;
    /// … that holds this many percent of all time.
    slow_share: f64 = Percent;
    /// Rollbacks over usual …
    rollback_times: f64 = Times;
    /// … and at least this many percent of all transactions.
    rollback_least: f64 = Percent;
    /// Percent of CPU that is short.
    cpu_short: f64 = Percent;
    /// Percent of CPU that is enough.
    cpu_enough: f64 = Percent;
    /// Minutes that CPU must be short.
    cpu_minutes: usize = Minutes;
    /// Percent of the active sessions that wait to write: a bottleneck from here on.
    write_waits: f64 = Percent;
    /// … and none below.
    write_waits_none: f64 = Percent;
    /// Pause of the garbage collector that hurts, in seconds; half of it is nothing.
    gc_pause: f64 = Seconds;
    /// Percent of the processors that collect garbage which hurts.
    gc_cpu: f64 = Percent;
    /// Garbage collection over usual that is too much, with half of `gc_cpu` at least.
    gc_times: f64 = Times;
    /// Goroutines over usual that do not fall again.
    goroutines: f64 = Times;
    /// Goroutines over usual that are none too many.
    leak_none: f64 = Times;
    /// Users below this many times normal have gone home.
    users_back: f64 = Times;
    /// Lines of one kind over usual that are many.
    more_lines: f64 = Times;
    /// Lines a minute of keys or refusals that are more than chance.
    duplicates: usize = Count;
    /// One step that holds this share of the stuck is named.
    one_step: f64 = Share;
    /// A failed step should be undone within this.
    compensated: Lapse = Lapse;
    /// Share of the orders with a failed step, left as they are, that is no accident.
    uncompensated: f64 = Share;
    /// Minutes that a program must be gone before it counts as down.
    down: usize = Minutes;
    /// An order that began up to this long before a fault was under way when it began.
    under_way: Lapse = Lapse;
    /// Share of the stuck that must be born within a stretch that is to explain them.
    most_of: f64 = Share;
    /// How many times as often orders hang inside such a stretch as outside.
    times: f64 = Times;
    /// Share of the orders of an outage that hang at least.
    most_hang: f64 = Share;
    /// The gateway's response time over usual that is sick.
    vendor_sick: f64 = Times;
    /// … and below which it is well.
    vendor_well: f64 = Times;
    /// A change explains what begins within this after it.
    after_change: Lapse = Lapse;
    /// Users over normal from which they are a crowd.
    crowd: f64 = Times;
    /// Orders over the quietest quarter of an hour that are a crowd.
    crowd_of_orders: f64 = Times;
    /// Orders below which a share of them means nothing.
    few_orders: usize = Count;
    /// Share of stuck orders below which there is nothing to explain.
    nothing_stuck: f64 = Share;
    /// Share of the young orders that have not ended from which it is too early to say that nothing hangs.
    too_early: f64 = Share;
    /// A cause is named from this score on …
    named: f64 = Points;
    /// … and this much ahead of the next.
    ahead: f64 = Points;
    /// What the orders show besides the cause contributes from this score on.
    contributes: f64 = Points;
}

impl Numbers {
    /// Its unit.
    pub fn unit(name: &str) -> Option<Unit> {
        Self::NAMES.iter().find(|(n, _)| *n == name).map(|(_, unit)| *unit)
    }

    /// A number as a sentence says it: `95 %`, `5 min`, `3`.
    pub fn said(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        Some(match Self::unit(name)? {
            Unit::Percent => percent(value),
            Unit::Share => percent(100.0 * value),
            Unit::Seconds => seconds(value),
            Unit::Lapse if value < 1_000.0 => format!("{value:.0} ms"),
            Unit::Lapse => lapse(Lapse::millis(value as i64)),
            Unit::Times if (value * 10.0 - (value * 10.0).round()).abs() > 0.01 => format!("{value:.2}"),
            Unit::Times | Unit::Count | Unit::Minutes | Unit::Points => number(value),
        })
    }

    /// A sentence with its `{names}` said. What has no name stays as it stands.
    pub fn fill(&self, sentence: &str) -> String {
        let mut out = String::with_capacity(sentence.len() + 16);
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else { break };
            out.push_str(before);
            match self.said(name) {
                Some(said) => out.push_str(&said),
                None => out.extend(["{", name, "}"]),
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }

    /// The names in a sentence's braces.
    pub fn names(sentence: &str) -> impl Iterator<Item = &str> {
        sentence.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
    }
}
