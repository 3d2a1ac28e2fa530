//! From two looks at a pod to the parts of a measure, and from the parts of all pods to one value.
//!
//! Counters grow; what counts is their growth between two looks at the same process. A counter that is
//! smaller than before, or whose process began since, began again at zero. Nothing is invented: a first
//! look, a gap of several intervals and an answer of another process give no growth. May not know: HTTP.

use crate::config::measure::{Across, Pick, Recipe};
use crate::model::{Lapse, Stamp};
use crate::source::prometheus::reading::{Labels, Reading, Rows};
use std::collections::BTreeMap;

/// Growth is not looked at across more than this many intervals: it would be spread over time nobody saw.
const MOST_INTERVALS: i64 = 4;
/// Two clocks may differ by this much, on top of what is known of it, before a process is called another.
const DOUBT: f64 = 30.0;

/// A look at a pod with its time.
#[derive(Clone, Debug)]
pub struct Look {
    /// When, by our clock.
    pub at: Stamp,
    /// The pod's clock minus ours.
    pub skew: Lapse,
    /// What it said.
    pub reading: Reading,
}

/// What two looks at one address have to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kin {
    /// One process: counters that shrank began again.
    Same,
    /// It was started again in between: all counters began at zero.
    Restarted,
    /// Another process that had been running all the time: an address with several behind it.
    Another,
    /// Too long ago, or out of order.
    Apart,
}

impl Look {
    /// How this look goes with an earlier one, at an interval.
    pub fn kin(&self, before: &Self, interval: Lapse) -> Kin {
        let gap = self.at.since(before.at);
        if gap.0 <= 0 || gap > interval.times(MOST_INTERVALS) {
            return Kin::Apart;
        }
        let (Some(old), Some(new)) = (before.reading.started(), self.reading.started()) else { return Kin::Same };
        if (new - old).abs() <= 1.0 {
            return Kin::Same;
        }
        let by_our_clock = new - self.skew.as_secs_f64();
        let earliest = before.at.0 as f64 / 1e6 - DOUBT;
        if new > old && by_our_clock >= earliest { Kin::Restarted } else { Kin::Another }
    }
}

/// One value of a pod before it is put together with others.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A number.
    One(f64),
    /// Above and below the line.
    Pair(f64, f64),
    /// Buckets of one histogram: upper bound and growth, cumulative, in the order of the bounds.
    Buckets(Vec<(f64, f64)>),
}

/// What a recipe gives for one pod.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// The pod has no such metric.
    Absent,
    /// The pod has it, and another look is needed to see it grow.
    NotYet,
    /// Its parts, one for each set of labels that counts by itself; none when nothing happened.
    Parts(Vec<Part>),
}

/// Carries out a recipe for a pod: `before` is an earlier look that goes with this one.
pub fn make(recipe: &Recipe, now: &Look, before: Option<(&Look, Kin)>) -> Made {
    let rows = &now.reading.rows;
    match recipe {
        Recipe::Gauge(pick, times) => match picked(rows, pick) {
            None => Made::Absent,
            Some(found) => parts(found.into_values().map(|v| v * times).map(Part::One)),
        },
        Recipe::Equals(pick, number) => match picked(rows, pick) {
            None => Made::Absent,
            Some(found) => {
                parts(found.into_values().map(|v| f64::from(u8::from((v - number).abs() < 1e-9))).map(Part::One))
            }
        },
        Recipe::Part { of, per, times } => match (picked(rows, of), picked(rows, per)) {
            (Some(of), Some(per)) => parts(paired(&of, &per, *times).into_iter()),
            _ => Made::Absent,
        },
        Recipe::Rate(pick, times) => match grown(pick, now, before) {
            Grown::Absent => Made::Absent,
            Grown::NotYet => Made::NotYet,
            Grown::By(by, seconds) => parts(std::iter::once(Part::One(by.values().sum::<f64>() / seconds * times))),
        },
        Recipe::Count(pick) => match grown(pick, now, before) {
            Grown::Absent => Made::Absent,
            Grown::NotYet => Made::NotYet,
            Grown::By(by, _) => parts(std::iter::once(Part::One(by.values().sum()))),
        },
        Recipe::Share { of, per, times } => match (grown(of, now, before), grown(per, now, before)) {
            (Grown::Absent, _) | (_, Grown::Absent) => Made::Absent,
            (Grown::By(of, _), Grown::By(per, _)) => {
                let (above, below) = (of.values().sum::<f64>() * times, per.values().sum::<f64>());
                parts(Some(Part::Pair(above, below)).filter(|_| below > 0.0).into_iter())
            }
            _ => Made::NotYet,
        },
        Recipe::Quantile(_, pick, times) => {
            let buckets = Pick { metric: format!("{}_bucket", pick.metric), labels: pick.labels.clone() };
            match grown(&buckets, now, before) {
                Grown::Absent => Made::Absent,
                Grown::NotYet => Made::NotYet,
                Grown::By(by, _) => parts(cumulative(&by, *times).map(Part::Buckets).into_iter()),
            }
        }
    }
}

fn parts(parts: impl Iterator<Item = Part>) -> Made {
    let finite = |p: &Part| match p {
        Part::One(v) => v.is_finite(),
        Part::Pair(a, b) => a.is_finite() && b.is_finite(),
        Part::Buckets(_) => true,
    };
    Made::Parts(parts.filter(finite).collect())
}

/// The samples that are meant. A label that a metric does not have at all makes the metric another one; one
/// that it has without the wanted value gives no samples, which for a counter means that it is zero.
fn picked(rows: &BTreeMap<String, Rows>, pick: &Pick) -> Option<BTreeMap<Labels, f64>> {
    let mut out = None::<BTreeMap<Labels, f64>>;
    for (_, rows) in rows.iter().filter(|(name, _)| pick.is_named(name)) {
        let has = |labels: &Labels, name: &str| labels.iter().any(|(n, _)| n == name);
        if !pick.labels.iter().all(|(name, _)| rows.keys().any(|l| has(l, name))) {
            continue;
        }
        let fits = |labels: &Labels| {
            let value = |name: &str| labels.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
            pick.labels.iter().all(|(name, wanted)| wanted.fits(value(name)))
        };
        let found = rows.iter().filter(|(labels, v)| fits(labels) && !v.is_nan()).map(|(l, v)| (l.clone(), *v));
        out.get_or_insert_default().extend(found);
    }
    out
}

/// One over the other for each set of labels both have; over the only one where the other has just one.
fn paired(of: &Rows, per: &Rows, times: f64) -> Vec<Part> {
    let only = per.values().next().filter(|_| per.len() == 1);
    of.iter()
        .filter_map(|(labels, above)| {
            let below = per.get(labels).or(only).copied().filter(|b| *b > 0.0)?;
            Some(Part::Pair(above * times, below))
        })
        .collect()
}

enum Grown {
    Absent,
    NotYet,
    /// Growth of each sample, and the seconds it took.
    By(Rows, f64),
}

fn grown(pick: &Pick, now: &Look, before: Option<(&Look, Kin)>) -> Grown {
    let Some(found) = picked(&now.reading.rows, pick) else { return Grown::Absent };
    let Some((before, kin)) = before else { return Grown::NotYet };
    if !matches!(kin, Kin::Same | Kin::Restarted) {
        return Grown::NotYet;
    }
    // A metric that was not there at all may have been counting for long without being shown.
    let all = Pick { labels: Vec::new(), ..pick.clone() };
    let Some(earlier) = picked(&before.reading.rows, &all) else { return Grown::NotYet };
    let seconds = now.at.since(before.at).as_secs_f64();
    // The buckets of a histogram begin again together, also those that are larger than before already.
    let shrank = |(l, v): (&Labels, &f64)| earlier.get(l).is_some_and(|old| v < old);
    let again = kin == Kin::Restarted || (pick.metric.ends_with("_bucket") && found.iter().any(shrank));
    let growth = |labels: &Labels, value: f64| match earlier.get(labels) {
        Some(old) if !again && value >= *old => value - old,
        // Began again at zero, or is a child of the metric that was born since.
        _ => value,
    };
    let by = found.into_iter().filter(|(_, v)| v.is_finite() && *v >= 0.0).map(|(l, v)| {
        let grew = growth(&l, v);
        (l, grew)
    });
    Grown::By(by.collect(), seconds)
}

/// The buckets of all label sets as one histogram; none without a bound that has no end, or without growth.
fn cumulative(by: &Rows, times: f64) -> Option<Vec<(f64, f64)>> {
    let mut sums: Vec<(f64, f64)> = Vec::new();
    for (labels, grew) in by {
        let bound: f64 = labels.iter().find(|(n, _)| n == "le").and_then(|(_, v)| v.parse().ok())?;
        if bound.is_nan() {
            return None;
        }
        match sums.iter_mut().find(|(b, _)| b.total_cmp(&(bound * times)).is_eq()) {
            Some((_, sum)) => *sum += grew,
            None => sums.push((bound * times, *grew)),
        }
    }
    sums.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (last, all) = *sums.last()?;
    (last == f64::INFINITY && all > 0.0).then_some(sums)
}

/// The `q`-quantile of cumulative buckets, straight lines within one. In the last bucket, which has no end,
/// it is at least the bound before: that is what is given.
pub fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let all = buckets.last()?.1;
    let rank = q.clamp(0.0, 1.0) * all;
    let (mut low, mut under) = (0.0_f64, 0.0_f64);
    for (bound, count) in buckets {
        if *count >= rank && *count > under {
            if bound.is_infinite() {
                return Some(low);
            }
            let low = low.min(*bound);
            return Some(low + (bound - low) * ((rank - under) / (count - under)).clamp(0.0, 1.0));
        }
        if bound.is_finite() {
            low = *bound;
        }
        under = under.max(*count);
    }
    None
}

/// Puts the parts of all pods together. `None` when there is nothing to put together.
pub fn together(across: Across, recipe: &Recipe, parts: &[Part]) -> Option<f64> {
    let value = match recipe {
        Recipe::Quantile(q, ..) => quantiles(across, *q, parts),
        Recipe::Part { .. } | Recipe::Share { .. } => pairs(across, parts),
        Recipe::Gauge(..) | Recipe::Equals(..) | Recipe::Rate(..) | Recipe::Count(..) => {
            fold(across, parts.iter().filter_map(|p| if let Part::One(v) = p { Some(*v) } else { None }))
        }
    };
    value.filter(|v| v.is_finite())
}

/// Puts values together.
pub fn fold(across: Across, values: impl Iterator<Item = f64>) -> Option<f64> {
    let all: Vec<f64> = values.collect();
    let sum: f64 = all.iter().sum();
    match across {
        Across::Sum => (!all.is_empty()).then_some(sum),
        Across::Mean => (!all.is_empty()).then(|| sum / all.len() as f64),
        Across::Max => all.into_iter().reduce(f64::max),
        Across::Min => all.into_iter().reduce(f64::min),
    }
}

/// A share of all is the sum above over the sum below: a pod that does little counts little.
fn pairs(across: Across, parts: &[Part]) -> Option<f64> {
    let pairs = parts.iter().filter_map(|p| if let Part::Pair(a, b) = p { Some((*a, *b)) } else { None });
    match across {
        Across::Sum | Across::Mean => {
            let (above, below) = pairs.fold((0.0, 0.0), |(x, y), (a, b)| (x + a, y + b));
            (below > 0.0).then(|| above / below)
        }
        Across::Max | Across::Min => fold(across, pairs.map(|(a, b)| a / b)),
    }
}

/// Histograms with the same bounds are added up. Where pods have other bounds (a rollout that changes
/// them) no sum is right: the worst of them is given.
fn quantiles(across: Across, q: f64, parts: &[Part]) -> Option<f64> {
    let all = parts.iter().filter_map(|p| if let Part::Buckets(b) = p { Some(b) } else { None });
    if matches!(across, Across::Max | Across::Min) {
        return fold(across, all.filter_map(|b| quantile(q, b)));
    }
    let mut groups: Vec<Vec<(f64, f64)>> = Vec::new();
    for buckets in all {
        let alike = |g: &&mut Vec<(f64, f64)>| {
            g.len() == buckets.len() && g.iter().zip(buckets).all(|(a, b)| a.0.total_cmp(&b.0).is_eq())
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.iter_mut().zip(buckets).for_each(|(a, b)| a.1 += b.1),
            None => groups.push(buckets.clone()),
        }
    }
    groups.iter().filter_map(|g| quantile(q, g)).reduce(f64::max)
}

#[cfg(test)]
#[path = "growth_tests.rs"]
mod tests;
