//! The one table of thresholds. Every rule prints the ones it used, so that nobody has to believe a verdict.
//!
//! Sources: PostgreSQL's and pgxpool's own meaning of "full", the load of the incident (77k against 30k
//! users) and simulated runs with a known cause; all of them are judgement, none is a law of nature.

use crate::model::Lapse;

/// Percent of a pool in use from which it is full.
pub const POOL_FULL: f64 = 95.0;
/// A pool that never reached this many percent was not the bottleneck.
pub const POOL_EASY: f64 = 80.0;
/// Something lasts when it lasted this many minutes.
pub const LASTING: usize = 3;
/// Share of a stretch's minutes that must be measured before its silence says anything, in percent.
pub const COVERED: f64 = 90.0;
/// A data collection is done from this many percent on.
pub const COMPLETE: f64 = 95.0;
/// Need over limit that is too tight, and that is comfortable.
pub const NEED: (f64, f64) = (0.9, 0.6);
/// Mean wait for a connection that hurts, and that is nothing, in seconds.
pub const WAIT: (f64, f64) = (0.5, 0.05);
/// Share of orders whose lines show it that supports, and at least this many orders.
pub const SHOWN: (f64, usize) = (0.30, 10);
/// Share of orders whose lines show it that refutes, and at least this many orders.
pub const HARDLY_SHOWN: (f64, usize) = (0.02, 20);
/// How much later than its consequence a cause may be seen.
pub const SLACK: Lapse = Lapse::minutes(2);
/// From this much later on it was no cause.
pub const TOO_LATE: Lapse = Lapse::minutes(5);
/// Callbacks accepted, in percent: below is unavailable, at or above in every minute is available.
pub const CALLBACK_OK: (f64, f64) = (90.0, 99.0);
/// Callbacks failed, in percent: from here on for `LASTING` minutes, and never as much as this.
pub const CALLBACK_FAILED: (f64, f64) = (10.0, 2.0);
/// Callbacks a minute below which its share means nothing.
pub const FEW_CALLBACKS: usize = 20;
/// A callback not accepted for this long is left behind.
pub const CALLBACK_OLD: Lapse = Lapse::minutes(5);
/// Share of unrecorded payments with a callback tried: supports from, refutes below; of at least 10.
pub const CLASS_SPLIT: (f64, f64) = (0.5, 0.1);
/// Charged and not at HO, of the stuck: a weak sign from here on.
pub const UNRECORDED: f64 = 0.8;
/// Failures of the callee before the breaker opened, in percent: it was healthy below, it was failing from.
pub const CALLEE: (f64, f64) = (3.0, 8.0);
/// Breaker threshold over the usual failure ratio: chance openings below, none from.
pub const BREAKER_ROOM: (f64, f64) = (3.0, 10.0);
/// A time-out this many times p99 was long enough.
pub const TIMEOUT_ROOM: f64 = 1.5;
/// More slowing than load explains, from this factor on.
pub const SICK: f64 = 2.0;
/// Utilisation assumed at normal load where none is measured; load then explains (1−ρ)/(1−ρ·load).
pub const USUAL_LOAD: f64 = 0.30;
/// Illegal transitions, share of the stuck orders.
pub const ILLEGAL: f64 = 0.01;
/// Two actors this close together with one version are a race.
pub const RACE_WITHIN: Lapse = Lapse::millis(100);
/// Minutes with deadlocks that count.
pub const DEADLOCK_MINUTES: usize = 5;
/// Stuck orders that HO has recorded, of the stuck: supports from, refutes below.
pub const RECORDED: (f64, f64) = (0.5, 0.05);
/// Waiting for locks, of the active sessions, in percent.
pub const LOCK_WAITS: f64 = 10.0;
/// Idle in transaction, of the used connections, in percent: connections held across calls.
pub const IDLE_IN_TRANSACTION: f64 = 30.0;
/// A statement this many times slower than usual that holds this many percent of all time.
pub const SLOW: (f64, f64) = (3.0, 20.0);
/// Rollbacks over usual, and at least this many percent.
pub const ROLLBACKS: (f64, f64) = (3.0, 1.0);
/// CPU in percent that is short, and that is not.
pub const CPU: (f64, f64) = (90.0, 60.0);
/// GC pause in seconds that hurts.
pub const GC_PAUSE: f64 = 0.1;
/// Goroutines over usual that do not fall again.
pub const GOROUTINES: f64 = 1.5;
/// Users below this many times normal have gone home.
pub const USERS_BACK: f64 = 1.1;
/// Write waits of active sessions, in percent: a bottleneck from, none below.
pub const WRITE_WAITS: (f64, f64) = (30.0, 5.0);
/// Attempts over payments that make a retry storm.
pub const RETRIES: f64 = 1.5;
/// One step that holds this share of the stuck is named.
pub const ONE_STEP: f64 = 0.6;
/// Two payments of one order this close together.
pub const TWICE_WITHIN: Lapse = Lapse::seconds(2);
/// Duplicate keys a minute that are more than chance.
pub const DUPLICATES: f64 = 10.0;
/// Headroom of a proposed pool over the need.
pub const POOL_ROOM: f64 = 1.3;
/// Below this share of stuck orders there is nothing to explain.
pub const NOTHING_STUCK: f64 = 0.005;
/// A cause is named from this score on, and this much ahead of the next.
pub const NAMED: (f64, f64) = (4.0, 2.0);
/// Orders that hang together are born within this.
pub const TOGETHER: Lapse = Lapse::minutes(3);
/// Minutes that a program must be gone before it counts as down.
pub const DOWN: usize = 2;
/// Whose saga began up to this long before its Orchestrator died was under way.
pub const UNDER_WAY: Lapse = Lapse::minutes(5);
/// Share of the stuck that must be born within a stretch that is to explain them.
pub const MOST_OF: f64 = 0.5;
/// How many times as often orders hang inside such a stretch as outside.
pub const TIMES: f64 = 5.0;
/// Share of the orders of an outage that hang at least.
pub const MOST_HANG: f64 = 0.3;
/// The gateway's response time over usual: sick from, well below.
pub const VENDOR: (f64, f64) = (2.0, 1.3);
/// A change explains what begins within this after it.
pub const AFTER_CHANGE: Lapse = Lapse::minutes(15);
/// Users over normal from which they are a crowd.
pub const CROWD: f64 = 1.2;
/// Orders below which a share of them means nothing.
pub const FEW_ORDERS: usize = 100;
/// Minutes below which a level means nothing.
pub const FEW_MINUTES: usize = 5;
/// Goroutines over usual that are none too many.
pub const LEAK_NONE: f64 = 1.25;
/// Share of the processors that collect garbage, in percent, that hurts.
pub const GC_CPU: f64 = 25.0;
/// What the orders show besides the cause contributes from this score on.
pub const CONTRIBUTES: f64 = 2.0;
/// Garbage collection over usual that is too much, with half of [`GC_CPU`] at least.
pub const GC_TIMES: f64 = 5.0;
/// An order that has not ended after this long is late, though not stuck yet.
pub const LATE: Lapse = Lapse::minutes(5);
/// Minutes that a measure may be late by nature.
pub const LAG: Lapse = Lapse::minutes(4);
/// Deadlines over refusals of the breaker from which the callee had been failing: one opening refuses many.
pub const BESIDE: f64 = 0.03;
/// Share of the stuck orders that must have a line before what no line says is taken as not said.
pub const LINED: f64 = 0.1;
/// Share of the young orders that have not ended from which it is too early to say that nothing hangs.
pub const TOO_EARLY: f64 = 0.03;
/// Orders a minute over the quietest quarter of an hour that are a crowd.
pub const CROWD_OF_ORDERS: f64 = 1.2;
/// A failed step should be undone within this time.
pub const COMPENSATED: Lapse = Lapse::minutes(10);
/// This share of orders with a failed step, left as they are, is no accident.
pub const UNCOMPENSATED: f64 = 0.5;
