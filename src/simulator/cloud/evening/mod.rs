//! A day as the cloud would tell it: 12 January 2025 and the Sunday before, as far as they were lived, from the
//! same platform as the demo. The same seed gives the same world. All of it is invented.

mod logs;
mod metrics;
mod records;
mod rows;
mod series;

use super::world::World;
use crate::model::{Lapse, Stamp};
use crate::simulator::day::Day;
use crate::simulator::platform::agenda::Ms;
use crate::simulator::platform::meter::Bucket;
use crate::simulator::platform::stamp;
use crate::simulator::signals::{self, MINUTE, Minute};
use crate::simulator::story::{self, clock};

pub use crate::simulator::story::{END, START};
pub use logs::{GROUP, STREAMS};

/// When the war room opened: what is broken is broken, and nothing is explained yet.
pub const OPENED: Stamp = clock(19, 50, 0);

/// What of it a configuration names: kind, name, id.
pub const INSTANCES: [(&str, &str, &str); 9] = [
    ("elb", "web", metrics::BALANCER),
    ("rds", "pg-order", metrics::MRG),
    ("rds", "pg-upg", metrics::OTHERS[0]),
    ("dcs", "cache", metrics::REDIS),
    ("dms", "kafka", metrics::KAFKA),
    ("agent", "mrg-01", metrics::HOSTS[0]),
    ("nat", "nat", metrics::NAT),
    ("as", "mrg-hosts", metrics::SCALING),
    ("apig", "gateway", metrics::GATEWAY),
];

/// The day's world, everything `by` later than it was; log lines say the time they have then.
pub fn evening(day: &Day, by: Lapse) -> World {
    let mut rng = fastrand::Rng::with_seed(day.seed);
    let (alarms, histories) = records::alarms(day);
    let moods = moods(day);
    let world = World {
        metrics: metrics::all(day, &moods, &mut rng),
        metrics_late: Lapse::seconds(75),
        alarms,
        histories,
        events: records::events(day),
        traces: records::traces(day),
        groups: vec![logs::group(day, by)],
        series: series::all(day, &moods, &mut rng),
    };
    world.moved(by)
}

/// How things stand at an instant, for whatever is measured to be computed from.
#[derive(Clone, Copy, Debug)]
struct Mood<'d> {
    /// What was measured of the platform in that minute.
    minute: Minute<'d>,
    /// Users.
    users: f64,
    /// Users over those of an ordinary Sunday evening: 1 is ordinary, 2.7 the peak.
    load: f64,
    /// Requests a second.
    requests: f64,
    /// Share of them that failed, 0 to 1.
    failed: f64,
    /// Seconds that 95 of 100 waited less for a connection.
    waiting: f64,
    /// MRG's connections in use.
    used: f64,
    /// Whether the breaker towards UPG is open.
    breaker: bool,
}

impl<'d> Mood<'d> {
    fn of(minute: &Minute<'d>) -> Self {
        Self {
            users: f64::from(minute.bucket.users),
            load: minute.load(),
            requests: minute.requests(),
            failed: minute.errors() / 100.0,
            waiting: minute.pool_wait(),
            used: f64::from(minute.bucket.used_mean()),
            breaker: minute.bucket.open > 0.0,
            minute: *minute,
        }
    }

    /// How much slower everything was for too many statements or too much garbage.
    fn slow(&self) -> f64 {
        f64::from(self.minute.bucket.slow).max(1.0)
    }

    /// Milliseconds a connection was waited for on average.
    fn wait_mean(&self) -> f64 {
        f64::from(self.minute.bucket.wait.mean().unwrap_or(0.0))
    }

    /// Transactions a second in MRG's database.
    fn commits(&self) -> f64 {
        self.second(|b| b.commits)
    }

    /// Requests a second of one pod that were answered within so many milliseconds: three of four at once, if they
    /// did not wait.
    fn within(&self, ms: f32) -> f64 {
        let wait = &self.minute.bucket.wait;
        let quick = if ms <= 100.0 { 0.75 } else { 0.985 + 0.015 * f64::from(u8::from(ms > 5_000.0)) };
        let share = if wait.n > 0.0 { f64::from(wait.up_to(ms) / wait.n) } else { 1.0 };
        self.requests / 8.0 * quick * share
    }

    /// Sessions of MRG's database: the pools' and everybody else's.
    fn connections(&self) -> f64 {
        (self.minute.size() * 0.4).max(self.used) + 13.0
    }

    /// Share of a host's processors that is busy: by requests, and by collecting garbage.
    fn host_cpu(&self) -> f64 {
        (0.033 * self.requests + 100.0 * self.now(|b| b.gc)).min(100.0)
    }

    /// A count of the minute as a second's.
    fn second(&self, of: fn(&Bucket) -> f32) -> f64 {
        f64::from(of(&self.minute.bucket)) / 60.0
    }

    /// A state or peak of the minute.
    fn now(&self, of: fn(&Bucket) -> f32) -> f64 {
        f64::from(of(&self.minute.bucket))
    }
}

/// How things stand, minute by minute, on the Sunday before and then on the day.
fn moods(day: &Day) -> Vec<(Stamp, Mood<'_>)> {
    let (from, to) = day.lived;
    let mut out = Vec::new();
    for (usual, back) in [(true, story::WEEK), (false, Lapse::ZERO)] {
        let mut at: Ms = from;
        while at < to {
            if let Some(minute) = signals::minute(day, at, usual) {
                out.push((stamp(at) - back, Mood::of(&minute)));
            }
            at += MINUTE;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;
    use crate::simulator::scenario::named;
    use std::sync::LazyLock;

    // Made once: an evening, and the one of the Sunday before.
    static DAY: LazyLock<Day> = LazyLock::new(|| Day::evening(named("pool").unwrap(), 1));
    static WORLD: LazyLock<World> = LazyLock::new(|| evening(&DAY, Lapse::ZERO));

    #[test]
    fn the_same_day_gives_the_same_world() {
        assert!(evening(&DAY, Lapse::ZERO) == *WORLD);
    }

    #[test]
    fn points_are_in_order_irregular_and_sometimes_missing() {
        let world = &*WORLD;
        assert!(
            world.metrics.len() > 180 && world.series.len() > 150,
            "{} {}",
            world.metrics.len(),
            world.series.len()
        );
        for metric in &world.metrics {
            assert!(metric.points.is_sorted_by_key(|p| p.0), "{}", metric.marker());
            assert!(metric.points.iter().all(|(_, v)| v.is_finite() && *v >= 0.0), "{}", metric.marker());
        }
        let qps = world.metrics.iter().find(|m| m.name == "mb_l7_qps").unwrap();
        assert!((370..400).contains(&qps.points.len()), "{}", qps.points.len());
        assert!(qps.points.windows(2).any(|w| w[1].0.since(w[0].0) != Lapse::minutes(1)));
    }

    #[test]
    fn the_evening_stands_out_from_the_sunday_before() {
        let world = &*WORLD;
        let peak = |name: &str, from: Stamp| {
            let m = world.metrics.iter().find(|m| m.name == name).unwrap();
            let span = Span::new(from, from + Lapse::hours(2));
            m.points.iter().filter(|p| span.contains(p.0)).map(|p| p.1).fold(0.0, f64::max)
        };
        let (today, before) = (clock(19, 0, 0), clock(19, 0, 0) - story::WEEK);
        assert!(peak("mb_l7_qps", today) > 2.0 * peak("mb_l7_qps", before));
        assert!(peak("rds083_conn_usage", today) > 80.0 && peak("rds083_conn_usage", before) < 60.0);
        assert!(peak("lock_waiting_sessions", today) > peak("lock_waiting_sessions", before));
    }

    #[test]
    fn every_stream_has_lines_and_every_alarm_its_rule() {
        let world = &*WORLD;
        assert_eq!(world.groups[0].streams.len(), 3);
        for stream in &world.groups[0].streams {
            assert!(stream.lines.len() > 100, "{} {}", stream.name, stream.lines.len());
            assert!(stream.lines.is_sorted_by_key(|l| (l.at, l.number)));
        }
        assert!(!world.histories.is_empty() && world.histories.iter().all(|r| world.alarms.contains(&r.alarm)));
    }
}
