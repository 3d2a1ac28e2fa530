//! Points that follow from other facts: connections from a database look, ERROR lines from log lines.
//! The same function feeds the live store and the recording's roll-ups, so the two cannot drift apart.

use crate::model::database::{Counters, DbSample};
use crate::model::log::{Level, LogLine};
use crate::model::order::{Ledger, OrderStatus, Rows};
use crate::model::series::SeriesName;
use crate::model::{Batch, Fact, SourceName, Stamp};
use std::collections::BTreeMap;

/// A point, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// The value at that instant; a later one of the same instant replaces it.
    Is(f64),
    /// So many more at that instant: batches that count the same second make one sum.
    More(f64),
}

/// Turns batches into points. Keeps the last counters of each database to take differences.
#[derive(Clone, Debug, Default)]
pub struct Deriver {
    counters: BTreeMap<SourceName, (Stamp, Counters)>,
    names: BTreeMap<SourceName, BTreeMap<&'static str, SeriesName>>,
}

impl Deriver {
    /// Calls `point` for every value the batch holds or implies.
    ///
    /// From a look at database `mrg`: `mrg.connections`, `mrg.lock_waits`, `mrg.idle_in_transaction`,
    /// `mrg.running`, and per second since the look before `mrg.commits`, `mrg.rollbacks`,
    /// `mrg.deadlocks`, `mrg.temp_bytes`; where a counter began anew there is no rate. From log lines, one
    /// more each: `logs.lines`, `logs.WARN`, `logs.ERROR` (FATAL included), the source's name in place of
    /// `logs`, at the line's own second. From counts of orders, at the begin of their bucket:
    /// `orders.n_active`, `orders.n_complete`, `orders.n_failed` and so on. From UPG's queue:
    /// `orders.callbacks_waiting`, `orders.callbacks_dead`, and `orders.callbacks_oldest` in seconds.
    pub fn feed(&mut self, batch: &Batch, point: &mut dyn FnMut(SeriesName, Stamp, Value)) {
        for fact in &batch.facts {
            match fact {
                Fact::Samples(samples) => {
                    for (name, value) in &samples.values {
                        point(name.clone(), samples.at, Value::Is(*value));
                    }
                }
                Fact::Database(sample) => self.database(&batch.source, sample, point),
                Fact::Lines(lines) => self.lines(&batch.source, lines, point),
                Fact::Ledger(ledger) => self.counts(&batch.source, ledger, point),
                _ => {}
            }
        }
    }

    /// Remembers a look without making points of it: the next one is a difference to it.
    pub fn seed(&mut self, source: &SourceName, look: &DbSample) {
        let known = self.counters.get(source).map(|(at, _)| *at);
        if let Some(counters) = look.counters.as_ref().filter(|_| known.is_none_or(|at| at < look.at)) {
            self.counters.insert(source.clone(), (look.at, counters.clone()));
        }
    }

    fn name(&mut self, source: &SourceName, measure: &'static str) -> SeriesName {
        let names = self.names.entry(source.clone()).or_default();
        names.entry(measure).or_insert_with(|| format!("{source}.{measure}").into()).clone()
    }

    fn counts(&mut self, source: &SourceName, ledger: &Ledger, point: &mut dyn FnMut(SeriesName, Stamp, Value)) {
        match &ledger.rows {
            Rows::OrdersAgg(rows) => {
                for row in rows {
                    let measure = match row.status {
                        OrderStatus::Created => "n_created",
                        OrderStatus::Active => "n_active",
                        OrderStatus::Complete => "n_complete",
                        OrderStatus::Failed => "n_failed",
                        OrderStatus::Cancelled => "n_cancelled",
                        OrderStatus::Expired => "n_expired",
                        // Several such words would overwrite each other; their counts stay in the book.
                        OrderStatus::Other(_) => continue,
                    };
                    point(self.name(source, measure), row.bucket, Value::Is(row.n as f64));
                }
            }
            Rows::CallbackQueue(rows) => {
                for row in rows {
                    let mut put = |measure, v: f64| point(self.name(source, measure), ledger.asof, Value::Is(v));
                    put("callbacks_waiting", row.n_pending as f64);
                    if let Some(dead) = row.n_dead {
                        put("callbacks_dead", dead as f64);
                    }
                    let age = row.oldest_at.map_or(0.0, |t| ledger.asof.since(t).as_secs_f64().max(0.0));
                    put("callbacks_oldest", age);
                }
            }
            _ => {}
        }
    }

    fn lines(&mut self, source: &SourceName, lines: &[LogLine], point: &mut dyn FnMut(SeriesName, Stamp, Value)) {
        let mut counts: BTreeMap<Stamp, [u32; 3]> = BTreeMap::new();
        for line in lines {
            let second = Stamp(line.at.0.div_euclid(1_000_000) * 1_000_000);
            let c = counts.entry(second).or_default();
            c[0] += 1;
            c[1] += u32::from(line.level == Level::Warn);
            c[2] += u32::from(line.level >= Level::Error);
        }
        for (at, c) in counts {
            for (measure, n) in ["lines", "WARN", "ERROR"].into_iter().zip(c) {
                point(self.name(source, measure), at, Value::More(f64::from(n)));
            }
        }
    }

    fn database(&mut self, source: &SourceName, s: &DbSample, point: &mut dyn FnMut(SeriesName, Stamp, Value)) {
        let mut put = |measure, v: f64| point(self.name(source, measure), s.at, Value::Is(v));
        put("connections", f64::from(s.states.used()));
        put("lock_waits", f64::from(s.states.lock_waiting));
        put("idle_in_transaction", f64::from(s.states.idle_in_transaction));
        put("running", f64::from(s.states.running));
        let Some(now) = &s.counters else { return };
        let before = self.counters.get(source).filter(|(at, then)| *at < s.at && continues(then, now)).cloned();
        if let Some((at, then)) = before {
            let seconds = s.at.since(at).as_secs_f64();
            let mut rate = |measure, new: i64, old: i64| {
                point(self.name(source, measure), s.at, Value::Is((new - old) as f64 / seconds));
            };
            rate("commits", now.commits, then.commits);
            rate("rollbacks", now.rollbacks, then.rollbacks);
            rate("deadlocks", now.deadlocks, then.deadlocks);
            rate("temp_bytes", now.temp_bytes, then.temp_bytes);
        }
        self.seed(source, s);
    }
}

/// Whether the counters went on from `then`: after a reset or a crash they began anew, and a difference
/// would be a rate that never was.
fn continues(then: &Counters, now: &Counters) -> bool {
    then.reset == now.reset
        && now.commits >= then.commits
        && now.rollbacks >= then.rollbacks
        && now.deadlocks >= then.deadlocks
        && now.temp_bytes >= then.temp_bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;
    use crate::model::order::{Asked, CallbackQueue, OrderCount};

    fn look(at: i64, commits: i64, reset: Option<i64>) -> Batch {
        let counters = Counters { commits, reset: reset.map(Stamp), ..Counters::default() };
        let sample = DbSample { at: Stamp::from_secs(at), counters: Some(counters), ..DbSample::default() };
        Batch { source: "mrg".into(), seq: 1, seen: Stamp(0), facts: vec![Fact::Database(Box::new(sample))] }
    }

    fn commits(looks: &[Batch]) -> Vec<(i64, f64)> {
        let (mut deriver, mut out) = (Deriver::default(), Vec::new());
        for batch in looks {
            deriver.feed(batch, &mut |name, at, value| match value {
                Value::Is(v) if &*name == "mrg.commits" => out.push((at.0 / 1_000_000, v)),
                _ => {}
            });
        }
        out
    }

    #[test]
    fn counts_of_orders_are_points_of_their_minute_and_a_queue_is_a_point_of_its_look() {
        let count = |bucket, status, n| OrderCount { bucket: Stamp::from_secs(bucket), status, n, amount: None };
        let queue = CallbackQueue { n_pending: 40, oldest_at: Some(Stamp::from_secs(70)), n_dead: None };
        let rows = [
            Rows::OrdersAgg(vec![count(0, OrderStatus::Active, 7), count(60, OrderStatus::Other("X".into()), 9)]),
            Rows::OrdersAgg(vec![count(0, OrderStatus::Active, 5)]),
            Rows::CallbackQueue(vec![queue]),
        ];
        let asked = || Asked::Window(Span::new(Stamp(0), Stamp::from_secs(100)));
        let ledger = |rows| Fact::Ledger(Ledger { asof: Stamp::from_secs(100), asked: asked(), rows });
        let facts = rows.map(ledger).into();
        let (mut deriver, mut out) = (Deriver::default(), Vec::new());
        deriver.feed(&Batch { source: "orders".into(), seq: 1, seen: Stamp(0), facts }, &mut |name, at, value| {
            out.push((name.to_string(), at.0 / 1_000_000, value));
        });
        let point = |name: &str, at, value| (format!("orders.{name}"), at, Value::Is(value));
        assert_eq!(
            out,
            [
                point("n_active", 0, 7.0),
                point("n_active", 0, 5.0),
                point("callbacks_waiting", 100, 40.0),
                point("callbacks_oldest", 100, 30.0),
            ]
        );
    }

    #[test]
    fn a_rate_is_the_difference_to_the_look_before() {
        assert_eq!(commits(&[look(10, 100, None), look(15, 150, None)]), [(15, 10.0)]);
    }

    #[test]
    fn counters_that_begin_anew_leave_a_gap_and_no_negative_rate() {
        assert_eq!(commits(&[look(10, 100, None), look(15, 3, None), look(20, 13, None)]), [(20, 2.0)]);
        assert_eq!(commits(&[look(10, 100, None), look(15, 200, Some(12)), look(20, 210, Some(12))]), [(20, 2.0)]);
    }

    #[test]
    fn a_look_that_comes_late_does_not_turn_the_difference_around() {
        assert_eq!(
            commits(&[look(10, 100, None), look(20, 200, None), look(15, 150, None), look(25, 250, None)]),
            [(20, 10.0), (25, 10.0)]
        );
    }
}
