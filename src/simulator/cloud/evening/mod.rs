//! The bundled evening as the cloud would tell it: 12 January 2025 and the Sunday before, each as a whole
//! day, from the same story as the demo. The same seed gives the same world. All of it is invented.

mod logs;
mod metrics;
mod records;
mod rows;
mod series;

use super::world::World;
use crate::model::{Lapse, Stamp};
use crate::simulator::metrics::{CROWD, NORMAL_USERS, ramp_wait};
use crate::simulator::story::{self, clock};

pub use crate::simulator::story::{END, START};

/// Both days begin at midnight WIB and last this long.
const DAY: Lapse = Lapse::hours(24);

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

/// The evening's world, everything `by` later than it was; log lines say the time they have then.
pub fn evening(seed: u64, by: Lapse) -> World {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (alarms, histories) = records::alarms();
    let world = World {
        metrics: metrics::all(&mut rng),
        metrics_late: Lapse::seconds(75),
        alarms,
        histories,
        events: records::events(),
        traces: records::traces(),
        groups: vec![logs::group(seed, by)],
        series: series::all(&mut rng),
    };
    world.moved(by)
}

/// The midnights at which the days begin, the older one first.
fn days() -> [Stamp; 2] {
    let midnight = clock(0, 0, 0);
    [midnight - story::WEEK, midnight]
}

/// How things stand at an instant, for whatever is measured to be computed from.
#[derive(Clone, Copy, Debug)]
struct Mood {
    /// Users.
    users: f64,
    /// Users over those of an ordinary Sunday evening: 1 is ordinary, 2.7 the peak.
    load: f64,
    /// How full MRG's pools are beyond normal, 0 to 1.
    pressure: f64,
    /// How badly orders fare, 0 to 1.
    harm: f64,
    /// How long a connection is waited for, 0 to 1.
    waiting: f64,
    /// MRG's pools, 0 to 100.
    pool: f64,
    /// Whether the breaker towards UPG is open.
    breaker: bool,
}

impl Mood {
    fn at(at: Stamp) -> Self {
        let crowd = story::crowd(at).max(0.0);
        let pressure = story::pressure(at);
        let users = NORMAL_USERS * hours(at) + CROWD * crowd;
        let load = users / NORMAL_USERS;
        let pool = (38.0 * hours(at) + 9.0 * crowd + 70.0 * pressure).min(100.0);
        let breaker = story::breaker_open(at);
        Self { users, load, pressure, harm: story::harm(at), waiting: ramp_wait(at), pool, breaker }
    }
}

/// How busy an hour of a Sunday is: 1 in the evening, a fifth before dawn.
fn hours(at: Stamp) -> f64 {
    let today = if at < clock(0, 0, 0) { story::WEEK } else { Lapse::ZERO };
    let at = at + today;
    let up = story::ramp(at, clock(5, 0, 0), clock(10, 0, 0)) * 0.5
        + story::ramp(at, clock(15, 0, 0), clock(18, 0, 0)) * 0.3;
    0.2 + up - 0.5 * story::ramp(at, clock(22, 0, 0), clock(24, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    // Made once: it is the whole of two days.
    static WORLD: LazyLock<World> = LazyLock::new(|| evening(1, Lapse::ZERO));

    #[test]
    fn the_same_seed_gives_the_same_world() {
        assert!(evening(1, Lapse::ZERO) == *WORLD);
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
        assert!((2_700..2_880).contains(&qps.points.len()), "{}", qps.points.len());
        assert!(qps.points.windows(2).any(|w| w[1].0.since(w[0].0) != Lapse::minutes(1)));
    }

    #[test]
    fn the_evening_stands_out_from_the_sunday_before() {
        let world = &*WORLD;
        let peak = |name: &str, from: Stamp| {
            let m = world.metrics.iter().find(|m| m.name == name).unwrap();
            let to = from + Lapse::hours(2);
            m.points.iter().filter(|p| from <= p.0 && p.0 < to).map(|p| p.1).fold(0.0, f64::max)
        };
        let (today, before) = (clock(19, 0, 0), clock(19, 0, 0) - story::WEEK);
        assert!(peak("mb_l7_qps", today) > 2.0 * peak("mb_l7_qps", before));
        assert!(peak("rds083_conn_usage", today) > 95.0 && peak("rds083_conn_usage", before) < 60.0);
        assert!(peak("lock_waiting_sessions", before) < 3.0);
    }

    #[test]
    fn every_stream_has_lines_and_every_alarm_its_rule() {
        let world = &*WORLD;
        assert_eq!(world.groups[0].streams.len(), 3);
        for stream in &world.groups[0].streams {
            assert!(stream.lines.len() > 100, "{} {}", stream.name, stream.lines.len());
            assert!(stream.lines.is_sorted_by_key(|l| (l.at, l.number)));
        }
        assert!(world.histories.iter().all(|r| world.alarms.contains(&r.alarm)));
    }
}
