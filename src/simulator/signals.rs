//! What the services and the cloud measure of the platform, a point a minute for each series.
//!
//! Everything is computed from counts, peaks and durations of that minute; nothing knows which scenario it is.

use super::day::Day;
use super::platform::agenda::Ms;
use super::platform::meter::{Bucket, together};
use super::platform::stamp;
use super::scenario::Settings;

/// A minute.
pub const MINUTE: Ms = 60_000;

/// How things stood in one minute.
#[derive(Clone, Copy, Debug)]
pub struct Minute<'d> {
    /// What was measured.
    pub bucket: Bucket,
    /// What the platform was set to.
    pub set: &'d Settings,
    /// Users on an ordinary evening: a load of 1.
    pub normal: f64,
}

/// A minute of the day, or of the usual Sunday; none when it was not lived.
pub fn minute(day: &Day, at: Ms, usual: bool) -> Option<Minute<'_>> {
    let meter = if usual { &day.usual } else { &day.history.meter };
    let buckets = meter.between(at, at + MINUTE);
    let set = if usual { day.scenario.first() } else { day.scenario.at(stamp(at)) };
    let normal = day.scenario.first().traffic.normal_users;
    (buckets.len() == 6).then(|| Minute { bucket: together(buckets), set, normal })
}

fn round(value: f64, to: f64) -> f64 {
    (value * to).round() / to
}

impl Minute<'_> {
    /// Users over those of an ordinary evening.
    pub fn load(&self) -> f64 {
        f64::from(self.bucket.users) / self.normal
    }

    /// Connections MRG's pools have.
    pub fn size(&self) -> f64 {
        f64::from(self.set.mrg.pods * self.set.mrg.pool)
    }

    /// Requests a second.
    pub fn requests(&self) -> f64 {
        f64::from(self.bucket.came) / 60.0
    }

    /// Share of requests that failed, 0 to 100.
    pub fn errors(&self) -> f64 {
        f64::from(self.bucket.errors().unwrap_or(0.0))
    }

    /// Seconds that 95 of 100 requests were faster than: the wait for a connection, and the work.
    pub fn latency_p95(&self) -> f64 {
        self.pool_wait() + 0.39 * f64::from(self.bucket.slow)
    }

    /// Seconds that 95 of 100 waited less for a connection.
    pub fn pool_wait(&self) -> f64 {
        f64::from(self.bucket.wait.quantile(0.95).unwrap_or(0.0)) / 1_000.0
    }

    /// Milliseconds the collector stops a pod for: as long as it has to mark.
    pub fn gc_pause(&self) -> f64 {
        let heap = f64::from(self.bucket.heap);
        0.000_9 * heap / 160.0 / (1.0 - f64::from(self.bucket.gc).min(0.9))
    }

    /// Share of the database's processors that is busy, 0 to 100.
    pub fn db_cpu(&self) -> f64 {
        (9.0 + 0.19 * f64::from(self.bucket.running)).min(100.0)
    }

    /// The series of the demo's lanes, by their names after the source's.
    pub fn series(&self) -> Vec<(&'static str, f64)> {
        let b = &self.bucket;
        let used = f64::from(b.used_mean());
        let mut values = vec![
            ("users", f64::from(b.users).round()),
            ("requests", round(self.requests(), 10.0)),
            ("latency_p95", round(self.latency_p95(), 1_000.0)),
            ("errors", round(self.errors(), 100.0)),
            ("pool_in_use", round(100.0 * used / self.size(), 10.0)),
            ("pool_acquired", used.round()),
            ("pool_wait", round(self.pool_wait(), 10_000.0)),
            ("pool_timeouts", f64::from(b.refused + b.starved).round()),
            ("breaker_open", f64::from(u8::from(b.open > 0.0))),
            ("goroutines", f64::from(b.goroutines).round()),
            ("gc_pause", round(self.gc_pause(), 100_000.0)),
            ("gc_cpu", round(100.0 * f64::from(b.gc), 10.0)),
            ("db_cpu", round(self.db_cpu(), 10.0)),
            ("callback_pending", f64::from(b.pending)),
            ("orchestrator_up", f64::from(b.up)),
        ];
        let seconds = |took: Option<f32>| took.map(|ms| round(f64::from(ms) / 1_000.0, 1_000.0));
        if let Some(p95) = seconds(b.upg.quantile(0.95)) {
            values.push(("upg_latency_p95", p95));
        }
        if let Some(p95) = seconds(b.gateway.quantile(0.95)) {
            values.push(("gateway_p95", p95));
        }
        if b.calls > 0.0 {
            values.push(("upg_timeouts", round(f64::from(100.0 * b.timeouts / b.calls), 100.0).min(100.0)));
        }
        if b.told > 0.0 {
            values.push(("callback_ok", round(f64::from(100.0 * b.acknowledged / b.told), 100.0).min(100.0)));
        }
        values
    }
}
