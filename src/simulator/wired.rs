//! What of the evening comes over a real wire: the points that the world would hand over itself, as metrics of an
//! emulated cloud, so that the demo asks for them like anybody asks a real one; and what is left of the batches
//! when metrics, log lines or databases are asked for elsewhere.

use super::cloud::World;
use super::cloud::world::Metric;
use super::day::Day;
use super::platform::ms;
use super::{END, START, points, signals, stage};
use crate::model::{Batch, Fact, Lapse, Stamp};
use std::collections::BTreeMap;

/// The source whose points come over the wire.
pub const SOURCE: &str = "metrics";
/// The source whose log lines come from files.
pub const LOGS: &str = "logs";
/// Their namespace: metrics that the services push themselves.
pub const NAMESPACE: &str = "DEMO.STORY";
/// The one dimension they have, and its value.
pub const DIMENSION: (&str, &str) = ("story", "order-gantung");

/// How long after its minute a point can be asked for.
const LATE: Lapse = Lapse::seconds(75);

/// The evening's points as an emulated cloud has them.
pub fn world(day: &Day) -> World {
    let mut all: BTreeMap<String, Vec<(Stamp, f64)>> = BTreeMap::new();
    let mut at = START;
    while ms(at) < ms(END) {
        for (name, value) in points(day, at).into_iter().flat_map(|s| s.values) {
            all.entry(measure(&name).to_owned()).or_default().push((at, value));
        }
        at = at + Lapse::millis(signals::MINUTE);
    }
    let metric = |(name, points): (String, Vec<(Stamp, f64)>)| {
        Metric::new(NAMESPACE, &name, &[DIMENSION], "").with_points(points)
    };
    World { metrics: all.into_iter().map(metric).collect(), metrics_late: LATE, ..World::default() }
}

/// What comes over wires of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wires {
    /// Points, from the emulated cloud.
    pub metrics: bool,
    /// Log lines, from files.
    pub logs: bool,
    /// Databases, from a server.
    pub databases: bool,
}

/// How many batches of a source of log lines, or of a database, are handed over even when it is wired: that of the
/// Sunday before. What comes over the wire is numbered on from there.
pub const BEFORE: u64 = 1;

impl Wires {
    /// What is left of a batch: what nobody could ask for there. What is left of the metrics gets another name,
    /// because batches of one source are numbered without holes.
    pub fn rest(self, mut batch: Batch) -> Option<Batch> {
        let wired = match batch.source.as_ref() {
            SOURCE => self.metrics,
            LOGS => self.logs,
            source => self.databases && stage::DATABASES.contains(&source),
        };
        if wired {
            batch.facts.retain(|fact| match fact {
                Fact::Samples(samples) => samples.at < START,
                Fact::Lines(lines) => lines.first().is_some_and(|l| l.at < START),
                Fact::Database(sample) => sample.at < START,
                fact => matches!(fact, Fact::Mark(_)),
            });
            if batch.source.as_ref() == SOURCE {
                batch.source = "story".into();
            }
        }
        (!batch.facts.is_empty()).then_some(batch)
    }
}

/// `metrics.users` is `users` on the wire.
fn measure(series: &str) -> &str {
    series.split_once('.').map_or(series, |(_, measure)| measure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::{play, scenario};
    use std::sync::Arc;

    fn day() -> Arc<Day> {
        Arc::new(Day::evening(scenario::named("pool").unwrap(), 1))
    }

    fn points_of(batches: impl Iterator<Item = Batch>) -> Vec<(Stamp, String)> {
        let samples =
            batches.flat_map(|b| b.facts).filter_map(|f| if let Fact::Samples(s) = f { Some(s) } else { None });
        samples.flat_map(|s| s.values.into_iter().map(move |(n, _)| (s.at, measure(&n).to_owned()))).collect()
    }

    #[test]
    fn every_point_of_the_evening_is_on_the_wire_or_left_and_none_is_both() {
        let day = day();
        let wires = Wires { metrics: true, logs: true, databases: true };
        let on_wire: std::collections::BTreeSet<(Stamp, String)> = world(&day)
            .metrics
            .into_iter()
            .flat_map(|m| m.points.into_iter().map(move |p| (p.0, m.name.clone())))
            .collect();
        let (played, before): (Vec<_>, Vec<_>) =
            points_of(play(Arc::clone(&day))).into_iter().partition(|(at, _)| *at >= START);
        let left = points_of(play(day).filter_map(|b| wires.rest(b)));
        assert!(played.len() > 1_000 && played.iter().all(|p| on_wire.contains(p)));
        assert_eq!(left, before);
    }

    #[test]
    fn what_is_wired_is_not_handed_over_as_well_and_nothing_else_is_lost() {
        let day = day();
        let count = |wires: Wires, of: fn(&Fact) -> bool| {
            play(Arc::clone(&day)).filter_map(|b| wires.rest(b)).flat_map(|b| b.facts).filter(of).count()
        };
        let (none, all) = (Wires::default(), Wires { metrics: true, logs: true, databases: true });
        let kept: [fn(&Fact) -> bool; 3] =
            [|f| matches!(f, Fact::Mark(_)), |f| matches!(f, Fact::Note(_)), |f| matches!(f, Fact::Incident(_))];
        for of in kept {
            assert!(count(none, of) > 0 && count(none, of) == count(all, of));
        }
        assert!(count(none, |f| matches!(f, Fact::Ledger(_))) > 1_000);
        assert_eq!(count(all, |f| matches!(f, Fact::Ledger(_))), 0);
        assert_eq!(count(all, |f| matches!(f, Fact::Lines(_))), 1, "only those of the Sunday before");
        for source in [&[LOGS], stage::DATABASES.as_slice()].concat() {
            let left = play(Arc::clone(&day)).filter_map(|b| all.rest(b)).filter(|b| b.source.as_ref() == source);
            assert_eq!(left.map(|b| b.seq).collect::<Vec<_>>(), [BEFORE], "{source} is numbered on from there");
        }
    }
}
