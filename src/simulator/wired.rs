//! The demo's metrics for the wire: the points that the world would hand over itself, as metrics of an
//! emulated cloud, so that the demo asks for them like anybody asks a real one.

use super::cloud::World;
use super::cloud::world::Metric;
use super::{START, demo};
use crate::model::{Batch, Fact, Lapse, Stamp};
use std::collections::BTreeMap;

/// The source whose points come over the wire.
pub const SOURCE: &str = "metrics";
/// Their namespace: metrics that the services push themselves.
pub const NAMESPACE: &str = "DEMO.STORY";
/// The one dimension they have, and its value.
pub const DIMENSION: (&str, &str) = ("story", "order-gantung");

/// How long after its minute a point can be asked for.
const LATE: Lapse = Lapse::seconds(75);

/// The demo's evening as an emulated cloud has it.
pub fn world(seed: u64) -> World {
    let mut points: BTreeMap<String, Vec<(Stamp, f64)>> = BTreeMap::new();
    for batch in demo(seed).filter(|b| b.source.as_ref() == SOURCE) {
        for fact in &batch.facts {
            let Fact::Samples(samples) = fact else { continue };
            for (name, value) in samples.values.iter().filter(|_| samples.at >= START) {
                points.entry(measure(name).to_owned()).or_default().push((samples.at, *value));
            }
        }
    }
    let metric = |(name, points): (String, Vec<(Stamp, f64)>)| {
        Metric::new(NAMESPACE, &name, &[DIMENSION], "").with_points(points)
    };
    World { metrics: points.into_iter().map(metric).collect(), metrics_late: LATE, ..World::default() }
}

/// What is left of a batch when its points come over the wire: what nobody could ask for there. It gets
/// another name, because batches of one source are numbered without holes.
pub fn rest(mut batch: Batch) -> Option<Batch> {
    if batch.source.as_ref() == SOURCE {
        batch.facts.retain(|fact| match fact {
            Fact::Samples(samples) => samples.at < START,
            fact => matches!(fact, Fact::Mark(_)),
        });
        batch.source = "story".into();
    }
    (!batch.facts.is_empty()).then_some(batch)
}

/// `metrics.users` is `users` on the wire.
fn measure(series: &str) -> &str {
    series.split_once('.').map_or(series, |(_, measure)| measure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_of_the_evening_is_on_the_wire_or_left_and_none_is_both() {
        let wired: usize = world(1).metrics.iter().map(|m| m.points.len()).sum();
        let points = |batches: &mut dyn Iterator<Item = Batch>| -> usize {
            let facts = batches.flat_map(|b| b.facts);
            facts.map(|f| if let Fact::Samples(s) = f { s.values.len() } else { 0 }).sum()
        };
        let left = points(&mut demo(1).filter_map(rest));
        assert_eq!(wired + left, points(&mut demo(1)));
        assert!(wired > 1_000 && left > 1_000, "{wired} {left}");
    }

    #[test]
    fn nothing_else_of_the_evening_is_lost() {
        let marks = |batches: &mut dyn Iterator<Item = Batch>| {
            batches
                .flat_map(|b| b.facts)
                .filter(|f| matches!(f, Fact::Mark(_) | Fact::Lines(_) | Fact::Ledger(_)))
                .count()
        };
        assert_eq!(marks(&mut demo(1).filter_map(rest)), marks(&mut demo(1)));
    }
}
