//! The signals that may have broken: every lane, and every series of a metric source that no lane draws.

use super::fault::Watched;
use super::{Minutes, Onset, Spike, is_effect, name_of, turned};
use crate::analysis::lane::measured::source_of;
use crate::model::incident::SourceKind;
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::model::{Lapse, Stamp};
use crate::store::Store;

/// Series beside the lanes that are looked at, in the order of their names: looking costs the same for each.
const BESIDE: usize = 100;

/// What left its band, in order of time.
pub(super) fn departures(store: &Store, spike: Option<&Spike>, at: Stamp) -> Vec<Onset> {
    let lanes = &store.incident.lanes;
    let rules = &store.incident.rules;
    let drives: Vec<&str> = lanes.iter().filter(|l| l.trigger).map(|l| l.group.as_str()).collect();
    let beside = beside(store);
    let load = load(store, at);
    let signals = lanes.len() + beside.len();
    let read = |lane: &Lane| Minutes::read(store, lane, at);
    let broke = |lane: &Lane, minutes: &Minutes| {
        let load = load.get(..minutes.values.len())?;
        let (left, clear) = Watched { minutes, lane, rules, load, signals }.broke()?;
        Some(onset(store, lane, minutes.axis.start(left), false, Some(minutes.axis.start(clear))))
    };
    let turned = spike.map(|spike| turned(store, spike.onset, at)).unwrap_or_default();
    let mut out = Vec::new();
    for (i, lane) in lanes.iter().enumerate() {
        // Requests are as little a fault as the users who make them.
        let trigger = lane.trigger || drives.contains(&lane.group.as_str());
        let busy = |at: Stamp| onset(store, lane, at, trigger, None);
        let minutes = read(lane);
        let minutes = minutes.as_ref();
        let found = match spike {
            Some(spike) if lane.trigger && lane.name == spike.lane => Some(busy(spike.onset)),
            _ if trigger => None,
            _ => minutes.and_then(|m| broke(lane, m)),
        };
        let moved = || minutes.and_then(|m| m.departure(lane, rules)).map(busy);
        // Traffic makes nothing fall.
        let falls = lane.bad == Bad::Low && !trigger;
        let clearly =
            || turned.get(i).copied().flatten().map(|at| onset(store, lane, at, trigger, falls.then_some(at)));
        out.extend(found.or_else(moved).or_else(clearly));
    }
    out.extend(beside.iter().filter_map(|lane| broke(lane, &read(lane)?)));
    // Of those that left their bands in one minute, the one that was clear first comes first.
    out.sort_by_key(|o| (o.at, !o.trigger, is_effect(o), o.broke));
    out
}

fn onset(store: &Store, lane: &Lane, at: Stamp, trigger: bool, broke: Option<Stamp>) -> Onset {
    Onset {
        name: name_of(lane).to_owned(),
        series: lane.series.clone(),
        at,
        after: Lapse::ZERO,
        trigger,
        broke,
        first_fault: false,
        under: None,
        lines: crate::analysis::lane::measured::is_log(store, &lane.series),
    }
}

/// Series of metric sources that no lane draws, as lanes of which nobody said which side is bad.
fn beside(store: &Store) -> Vec<Lane> {
    let incident = &store.incident;
    let is_metric = |source: &str| incident.sources.iter().any(|c| c.name == source && c.kind == SourceKind::Metrics);
    let drawn = |series: &str| incident.lanes.iter().any(|l| &*l.series == series);
    let mut names: Vec<_> = store.series_names().filter(|n| is_metric(source_of(n)) && !drawn(n)).collect();
    names.sort_unstable();
    let lag = |source: &str| incident.lanes.iter().filter(|l| source_of(&l.series) == source).map(|l| l.lag).max();
    let lane = |series: &std::sync::Arc<str>| Lane {
        group: String::new(),
        name: series.split_once('.').map_or(&**series, |(_, measure)| measure).replace('_', " "),
        series: series.clone(),
        unit: store.card(series).and_then(|c| c.unit).unwrap_or_else(|| unit_of(series)),
        rollup: Rollup::Last,
        bad: Bad::Both,
        floor: 0.0,
        ceiling: None,
        lag: lag(source_of(series)).unwrap_or(Lapse::ZERO),
        trigger: false,
        broken_at: None,
    };
    names.into_iter().take(BESIDE).map(lane).collect()
}

/// The unit of a series by its name, where its source does not say: a quantile or seconds are a time.
fn unit_of(series: &str) -> Unit {
    let times = ["_p50", "_p90", "_p95", "_p99", "_seconds", "_latency"];
    if times.iter().any(|end| series.ends_with(end)) { Unit::Seconds } else { Unit::Count }
}

/// Users over normal at each minute, at least 1. Where they were not measured, what they were before; without
/// a lane of users all of it is 1, and traffic explains nothing.
fn load(store: &Store, at: Stamp) -> Vec<f64> {
    let trigger = store.incident.lanes.iter().find(|l| l.trigger).or(store.incident.lanes.first());
    let Some((lane, minutes)) = trigger.and_then(|lane| Some((lane, Minutes::read(store, lane, at)?))) else {
        return Vec::new();
    };
    let mut last = 1.0;
    let of = |column: usize| {
        let (value, normal) = minutes.values[column].zip(minutes.normal(column)).filter(|(_, n)| n.median > 0.0)?;
        lane.trigger.then_some(value / normal.median)
    };
    (0..minutes.values.len())
        .map(|column| {
            last = of(column).unwrap_or(last);
            f64::max(last, 1.0)
        })
        .collect()
}
