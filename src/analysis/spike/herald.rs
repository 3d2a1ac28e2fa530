//! Who tells of the spike before the lane that it is defined on: users are counted by a cloud that is minutes
//! late, and what they do is counted by our own databases every few seconds.
//!
//! A rise is told by a CUSUM (Page 1954) of how far each look is above this evening's level, in its own strays;
//! it says when, and where it began. It is a mark until the lane itself is in, and gone if that says otherwise.

use super::{Minutes, PART_WAY, Spike, YOUNG};
use crate::model::incident::SourceKind;
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
use std::sync::Arc;

/// How far back the level of the evening is learnt…
const LEARNT: Lapse = Lapse::minutes(45);
/// …up to this long ago, and where the search for a rise begins.
const SEARCHED: Lapse = Lapse::minutes(12);
/// Looks without which no level is known.
const FEWEST: usize = 40;
/// Strays that belong to no rise.
const SLACK: f64 = 0.5;
/// What a rise has to add up to, in strays beyond the slack. Were looks independent, one in `e⁹` would tell a
/// rise that is none: one in a day and a half of looks each 15 s.
const ENOUGH: f64 = 9.0;
/// Looks that have to stand part of the way to a spike together, the newest ones.
const TOGETHER: usize = 2;
/// A mean distance, times this, is the standard deviation of a normal distribution: √(π/2).
const TO_DEVIATION: f64 = 1.253_314;

/// The spike as our own databases tell it, as long as the trigger lane has no minute that says otherwise.
pub(super) fn spike(store: &Store, trigger: &Lane, at: Stamp) -> Option<Spike> {
    let databases = store.incident.sources.iter().filter(|c| c.kind == SourceKind::Database);
    let found = databases.filter_map(|card| rise(store, &card.name, at)).min_by_key(|s| s.onset)?;
    let minutes = Minutes::read(store, trigger, at)?;
    let since = minutes.axis.column(found.onset)?;
    let known = (since..minutes.values.len()).filter(|c| minutes.values[*c].is_some()).count();
    // Minutes of the lane itself that reach past the onset: were it a spike, they would have told.
    (known <= YOUNG).then_some(Spike { lane: trigger.name.clone(), ..found })
}

/// A rise of a database's commits that is going on.
fn rise(store: &Store, database: &str, at: Stamp) -> Option<Spike> {
    let series: Arc<str> = format!("{database}.commits").into();
    let points = store.series(&series)?.raw(Span::new(at - LEARNT, at + Lapse(1)));
    if points.len() < FEWEST || at.since(points.last()?.0) > Lapse::minutes(1) {
        return None;
    }
    let lane = Lane {
        group: String::new(),
        name: format!("{database} commits"),
        series,
        unit: Unit::PerSecond,
        rollup: Rollup::Mean,
        bad: Bad::High,
        floor: 0.0,
        ceiling: None,
        lag: Lapse::ZERO,
        trigger: false,
        broken_at: None,
    };
    let minutes = Minutes::read(store, &lane, at)?;
    minutes.baseline.as_ref()?;
    let over = |(when, value): &(Stamp, f64)| {
        let column = minutes.axis.column(*when).or(minutes.axis.columns.checked_sub(1))?;
        let usual = minutes.normal(column)?.median;
        (usual > 0.0).then(|| (*when, value / usual))
    };
    let shares: Vec<(Stamp, f64)> = points.iter().filter_map(over).collect();
    let (before, since) = shares.split_at(shares.partition_point(|(when, _)| *when < at - SEARCHED));
    let (level, stray) = level(before)?;
    let (mut sum, mut from) = (0.0, None);
    for (when, share) in since {
        let farther = sum + (share - level) / stray - SLACK;
        if farther <= 0.0 {
            (sum, from) = (0.0, None);
        } else {
            (sum, from) = (farther, from.or(Some(*when)));
        }
    }
    let part_way = level * (1.0 + (store.incident.rules.spike_ratio - 1.0) * PART_WAY);
    let newest = &since[since.len().checked_sub(TOGETHER)?..];
    let mean = newest.iter().map(|(_, share)| share).sum::<f64>() / TOGETHER as f64;
    let told = sum > ENOUGH && mean >= part_way;
    let onset = from.filter(|_| told)?.floor(Lapse::minutes(1), &store.incident.zone);
    let peak = *points.last()?;
    Some(Spike { onset, reached: None, peak, recovery: None, lane: String::new(), told_by: Some(lane.name) })
}

/// Median of some shares, and how far they stray from it.
fn level(shares: &[(Stamp, f64)]) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = shares.iter().map(|(_, share)| *share).collect();
    if values.len() < FEWEST {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let level = values[values.len() / 2];
    let distance = values.iter().map(|v| (v - level).abs()).sum::<f64>() / values.len() as f64;
    let stray = TO_DEVIATION * distance;
    (stray > 0.0 && level > 0.0).then_some((level, stray))
}
