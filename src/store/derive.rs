//! Points that follow from other facts: connections from a database look, ERROR lines from log lines.
//! The same function feeds the live store and the recording's roll-ups, so the two cannot drift apart.

use crate::model::database::{Counters, DbSample};
use crate::model::log::Level;
use crate::model::series::SeriesName;
use crate::model::{Batch, Fact, SourceName, Stamp};
use std::collections::BTreeMap;

/// Turns batches into points. Keeps the last counters of each database to take differences.
#[derive(Clone, Debug, Default)]
pub struct Deriver {
    counters: BTreeMap<SourceName, (Stamp, Counters)>,
}

impl Deriver {
    /// Calls `point` for every value the batch holds or implies.
    ///
    /// From a look at database `mrg`: `mrg.connections`, `mrg.lock_waits`, `mrg.idle_in_transaction`,
    /// `mrg.running`, and per second since the look before `mrg.commits`, `mrg.rollbacks`,
    /// `mrg.deadlocks`, `mrg.temp_bytes`. From log lines, one each: `logs.lines`, `logs.WARN`,
    /// `logs.ERROR` (FATAL included), the source's name in place of `logs`.
    pub fn feed(&mut self, batch: &Batch, point: &mut dyn FnMut(SeriesName, Stamp, f64)) {
        let source = &batch.source;
        for fact in &batch.facts {
            match fact {
                Fact::Samples(samples) => {
                    for (name, value) in &samples.values {
                        point(name.clone(), samples.at, *value);
                    }
                }
                Fact::Database(sample) => self.database(source, sample, point),
                Fact::Lines(lines) => {
                    let mut counts: BTreeMap<Stamp, [u32; 3]> = BTreeMap::new();
                    for line in lines {
                        let second = Stamp(line.at.0.div_euclid(1_000_000) * 1_000_000);
                        let c = counts.entry(second).or_default();
                        c[0] += 1;
                        c[1] += u32::from(line.level == Level::Warn);
                        c[2] += u32::from(line.level >= Level::Error);
                    }
                    for (at, c) in counts {
                        for (measure, n) in ["lines", "WARN", "ERROR"].iter().zip(c) {
                            point(format!("{source}.{measure}").into(), at, f64::from(n));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn database(&mut self, source: &SourceName, s: &DbSample, point: &mut dyn FnMut(SeriesName, Stamp, f64)) {
        let mut put = |measure: &str, v: f64| point(format!("{source}.{measure}").into(), s.at, v);
        put("connections", f64::from(s.states.used()));
        put("lock_waits", f64::from(s.states.lock_waiting));
        put("idle_in_transaction", f64::from(s.states.idle_in_transaction));
        put("running", f64::from(s.states.running));
        let Some(now) = &s.counters else { return };
        if let Some((then_at, then)) = self.counters.get(source) {
            let seconds = s.at.since(*then_at).as_secs_f64();
            if seconds > 0.0 && then.reset == now.reset && now.commits >= then.commits {
                put("commits", (now.commits - then.commits) as f64 / seconds);
                put("rollbacks", (now.rollbacks - then.rollbacks) as f64 / seconds);
                put("deadlocks", (now.deadlocks - then.deadlocks) as f64 / seconds);
                put("temp_bytes", (now.temp_bytes - then.temp_bytes) as f64 / seconds);
            }
        }
        self.counters.insert(source.clone(), (s.at, now.clone()));
    }
}
