//! The spike: onset, peak and recovery of the trigger lane, and what broke first after it.
//!
//! Deliberately simple: a level held against a baseline. It says so, and says when it finds none. Where there
//! is no baseline, signals are compared with what they were before they all turned; where the call graph is
//! known, a consequence hangs under its cause.

mod chance;
mod fault;
mod hang;
mod herald;
mod signal;

use crate::analysis::lane::band::{Baseline, Normal};
use crate::analysis::lane::{Axis, Cell, measured};
use crate::analysis::onset::{self, Signal};
use crate::model::incident::Rules;
use crate::model::series::{Bad, Lane, SeriesName};
use crate::model::{Lapse, Stamp};
use crate::store::Store;

/// Resolution of everything here.
const STEP: Lapse = Lapse::minutes(1);
/// How far back is looked when no window is configured.
const FARTHEST: Lapse = Lapse::hours(24);
/// Columns without which a departure that is younger than `spike_for` is no spike yet.
const YOUNG: usize = 2;
/// Share of the way to `spike_ratio` that such a departure has to have gone.
const PART_WAY: f64 = 0.25;
/// Strays from normal that make a departure of a lane which did not reach `spike_ratio`.
const CLEARLY: f64 = 6.0;
/// Length of the quiet stretch that stands in for a baseline, in columns.
const QUIET: usize = 15;

/// The spike of the trigger lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Spike {
    /// Lane it was found on.
    pub lane: String,
    /// First minute outside its band, on its way to `spike_ratio` × normal.
    pub onset: Stamp,
    /// First minute of those that stayed at `spike_ratio` × normal; none as long as it is too young for that.
    pub reached: Option<Stamp>,
    /// Largest value and when.
    pub peak: (Stamp, f64),
    /// First minute back below, staying there; none while it lasts.
    pub recovery: Option<Stamp>,
    /// Who tells of it, as long as its own lane is not in: then `peak` is the newest look of that one.
    pub told_by: Option<String>,
}

/// A signal that left its band.
#[derive(Clone, Debug, PartialEq)]
pub struct Onset {
    /// The lane's name; of a series that no lane draws, its measure in words.
    pub name: String,
    /// Which series it was seen on.
    pub series: SeriesName,
    /// When it left.
    pub at: Stamp,
    /// `at` minus the spike's onset.
    pub after: Lapse,
    /// It drives the rest: named trigger, never a fault.
    pub trigger: bool,
    /// Since when it is clear that it broke: it stays farther out than the traffic explains, or at its own limit.
    /// None for one that is only busy.
    pub broke: Option<Stamp>,
    /// A first fault: broken, no trigger, under nothing, and of the earliest minute in which such a one departed.
    pub first_fault: bool,
    /// The departure it is a consequence of, by name, where the call graph says so.
    pub under: Option<String>,
    /// It counts log lines.
    pub lines: bool,
}

pub use hang::hung;

impl Onset {
    /// Whether it is a departure of this lane.
    pub fn is_of(&self, lane: &Lane) -> bool {
        self.series == lane.series && self.name == name_of(lane)
    }
}

/// Finds the spike in what is known up to `at`: the stretch with the highest peak among those that stayed
/// at or above `spike_ratio` × normal for `spike_for`, dated back to the minute the lane left its band. As
/// long as there is none, a stretch that is still too young for that and goes on rising is taken for one.
/// And as long as the lane shows nothing at all, because what counts it is late, a rise of what our own
/// databases do is. None without a trigger lane, and none as long as there is neither a baseline nor an
/// earlier quiet stretch to compare with.
pub fn spike(store: &Store, at: Stamp) -> Option<Spike> {
    let lane = store.incident.lanes.iter().find(|l| l.trigger)?;
    let minutes = Minutes::read(store, lane, at)?;
    let rules = &store.incident.rules;
    let mut stretches = minutes.departures(lane, rules);
    if stretches.is_empty() {
        stretches.extend(minutes.young(lane, rules));
    }
    if stretches.is_empty() {
        return herald::spike(store, lane, at);
    }
    let peak_of = |s: &Stretch| minutes.peak(s.from, s.to.unwrap_or(minutes.values.len()));
    let (stretch, (column, value)) = stretches
        .iter()
        .filter_map(|s| Some((s, peak_of(s)?)))
        .max_by(|(a, (_, x)), (b, (_, y))| x.total_cmp(y).then(b.from.cmp(&a.from)))?;
    Some(Spike {
        lane: lane.name.clone(),
        onset: minutes.axis.start(stretch.from),
        reached: stretch.reached.map(|c| minutes.axis.start(c)),
        peak: (minutes.axis.start(column), value),
        recovery: stretch.to.map(|c| minutes.axis.start(c)),
        told_by: None,
    })
}

/// Every signal's departure from its band, as known at `at`: what drives the rest and what broke in the order
/// in which they did, then what only moved with the traffic.
///
/// The first fault may precede the spike: then traffic is not what started it. That an order hangs and that a
/// line says so are effects: within a minute they come after what was measured of the systems themselves, and
/// an order that hangs was born up to `stuck_after` before that which hung it.
pub fn broke_first(store: &Store, at: Stamp) -> Vec<Onset> {
    let spike = spike(store, at);
    let mut found = signal::departures(store, spike.as_ref(), at);
    let causes = hang::hang(&mut found, &store.incident);
    let may_be_first = |o: &Onset| {
        o.broke.is_some() && !o.trigger && o.under.is_none() && (causes.is_empty() || causes.contains(&o.name))
    };
    // Within a minute nobody knows which came first, so all of that minute are first.
    let head = first(found.iter().filter(|o| may_be_first(o)), store.incident.rules.stuck_after).cloned();
    for onset in &mut found {
        let with = |head: &Onset| onset.at == head.at && is_effect(onset) == is_effect(head);
        onset.first_fault = may_be_first(onset) && head.as_ref().is_some_and(with);
    }
    // What a fault did is told after it, although the order it hit was born before.
    let told = |o: &Onset| head.as_ref().filter(|_| is_effect(o)).map_or(o.at, |head| o.at.max(head.at));
    found.sort_by_key(|o| (!o.trigger && o.broke.is_none(), told(o), !o.trigger, !o.first_fault, is_effect(o)));
    let zero = spike.map(|s| s.onset).or_else(|| found.first().map(|o| o.at));
    for onset in &mut found {
        onset.after = zero.map_or(Lapse::ZERO, |zero| onset.at.since(zero));
    }
    found
}

/// Whether a signal shows what became of orders, or what was written about it: the effect of something.
fn is_effect(onset: &Onset) -> bool {
    is_of_orders(onset) || onset.lines
}

fn is_of_orders(onset: &Onset) -> bool {
    crate::analysis::lane::book::Derived::of(&onset.series).is_some()
}

/// The earliest; an effect only where nothing measured broke in the time it may have been ahead of its cause.
fn first<'a>(faults: impl Iterator<Item = &'a Onset> + Clone, hangs_after: Lapse) -> Option<&'a Onset> {
    let earliest = faults.clone().min_by_key(|o| (o.at, is_effect(o)))?;
    if !is_effect(earliest) {
        return Some(earliest);
    }
    let ahead = if is_of_orders(earliest) { hangs_after } else { STEP };
    let cause = faults.filter(|o| !is_effect(o) && o.at <= earliest.at + ahead).min_by_key(|o| o.at);
    cause.or(Some(earliest))
}

/// Where there is no baseline: for each lane, when it left what it was before all of them turned, if it did
/// so clearly.
fn turned(store: &Store, noticed: Stamp, at: Stamp) -> Vec<Option<Stamp>> {
    if store.incident.baseline.is_some() {
        return Vec::new();
    }
    let Some(axis) = axis(store, at) else { return Vec::new() };
    let read = |lane: &Lane| -> Vec<Option<f64>> {
        measured::cells(store, lane, &axis, at, at).iter().map(Cell::value).collect()
    };
    let lanes: Vec<(Vec<Option<f64>>, Bad)> = store.incident.lanes.iter().map(|l| (read(l), l.bad)).collect();
    let signals: Vec<Signal<'_>> = lanes.iter().map(|(values, bad)| Signal { values, bad: *bad }).collect();
    let noticed = axis.column(noticed).unwrap_or(axis.columns);
    let mut out = vec![None; lanes.len()];
    let ranking = onset::rank(&signals, noticed).map(|r| r.departures).unwrap_or_default();
    for departure in ranking.iter().filter(|d| d.score >= CLEARLY) {
        out[departure.signal] = departure.onset.map(|column| axis.start(column));
    }
    out
}

/// What a lane is called in a list of onsets.
fn name_of(lane: &Lane) -> &str {
    if &*lane.series == "orders.stuck_by_birth" { "1st stuck order" } else { &lane.name }
}

/// How many measured minutes a departure has to last; at least one.
fn lasting(rules: &Rules) -> usize {
    (rules.spike_for.0.div_euclid(STEP.0)).max(1) as usize
}

/// A stretch of columns: the first departed one, and the first that is back for good.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    from: usize,
    /// The first column that had departed, where `from` is dated back.
    reached: Option<usize>,
    to: Option<usize>,
}

/// A lane by the minute, with what is normal at each.
struct Minutes {
    axis: Axis,
    values: Vec<Option<f64>>,
    baseline: Option<Baseline>,
    quiet: Vec<Option<Normal>>,
}

impl Minutes {
    fn read(store: &Store, lane: &Lane, at: Stamp) -> Option<Self> {
        let axis = axis(store, at)?;
        let cells = measured::cells(store, lane, &axis, at, at);
        let values: Vec<Option<f64>> = cells.iter().map(Cell::value).collect();
        let baseline = Some(Baseline::read(store, lane, &axis, at)).filter(|b| b.level().is_some());
        let quiet = if baseline.is_none() { quietest(&values, lane.bad) } else { Vec::new() };
        Some(Self { axis, values, baseline, quiet })
    }

    fn normal(&self, column: usize) -> Option<Normal> {
        match &self.baseline {
            Some(baseline) => baseline.at(column),
            None => self.quiet.get(column).copied().flatten(),
        }
    }

    /// Stretches that held `spike_ratio` × normal for `spike_for`. The level tells that it is one; it began
    /// where the lane had left its band for good.
    fn departures(&self, lane: &Lane, rules: &Rules) -> Vec<Stretch> {
        let is = |test: &dyn Fn(Normal, f64) -> bool, column: usize, value: f64| {
            self.normal(column).is_some_and(|n| test(n, value))
        };
        let left = |n: Normal, value: f64| n.has_left(value, lane);
        let departed = |n: Normal, value: f64| left(n, value) && n.departed(value, lane, rules.spike_ratio);
        let mut stretches = self.stretches(lasting(rules), |column, value| is(&departed, column, value));
        for stretch in &mut stretches {
            let before = (0..stretch.from).rev().filter_map(|c| Some((c, self.values[c]?)));
            stretch.from =
                before.take_while(|(c, value)| is(&left, *c, *value)).last().map_or(stretch.from, |(c, _)| c);
        }
        stretches
    }

    /// When the first of them began.
    fn departure(&self, lane: &Lane, rules: &Rules) -> Option<Stamp> {
        Some(self.axis.start(self.departures(lane, rules).first()?.from))
    }

    /// A departure at the very end that has not lasted long enough to be one: the lane has been outside its
    /// band for some columns, is part of the way to `spike_ratio`, and farther out than ever since.
    fn young(&self, lane: &Lane, rules: &Rules) -> Option<Stretch> {
        let part_way = 1.0 + (rules.spike_ratio - 1.0) * PART_WAY;
        let known = (0..self.values.len()).rev().filter_map(|c| Some((c, self.values[c]?, self.normal(c)?)));
        let outside: Vec<(usize, f64)> =
            known.take_while(|(_, v, n)| n.has_left(*v, lane)).map(|(c, v, n)| (c, (v - n.median).abs())).collect();
        let (last, farthest) = *outside.first()?;
        let grows = outside.iter().skip(1).all(|(_, far)| *far < farthest);
        let departed = self.normal(last)?.departed(self.values[last]?, lane, part_way);
        let from = outside.last()?.0;
        (outside.len() >= YOUNG && grows && departed).then_some(Stretch { from, reached: None, to: None })
    }

    /// Departures that held for `lasting` measured columns, each until the lane was back for as long.
    /// Columns without a value neither hold nor end a stretch.
    fn stretches(&self, lasting: usize, departed: impl Fn(usize, f64) -> bool) -> Vec<Stretch> {
        let mut out: Vec<Stretch> = Vec::new();
        let mut inside = false;
        let mut run: Option<(usize, usize)> = None;
        for (column, value) in self.values.iter().enumerate() {
            let Some(value) = value else { continue };
            if departed(column, *value) == inside {
                run = None;
                continue;
            }
            let (start, length) = run.map_or((column, 1), |(start, n)| (start, n + 1));
            run = Some((start, length));
            if length >= lasting {
                match out.last_mut() {
                    Some(stretch) if inside => stretch.to = Some(start),
                    _ => out.push(Stretch { from: start, reached: Some(start), to: None }),
                }
                inside = !inside;
                run = None;
            }
        }
        out
    }

    fn peak(&self, from: usize, to: usize) -> Option<(usize, f64)> {
        let measured = (from..to).filter_map(|c| Some((c, self.values.get(c).copied().flatten()?)));
        measured.max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i)))
    }
}

/// Whole minutes from the window's start, or from as far back as anything is known, up to `at`.
fn axis(store: &Store, at: Stamp) -> Option<Axis> {
    let zone = &store.incident.zone;
    let from = match store.incident.window {
        Some(window) => window.from,
        None => store.oldest?.max(at - FARTHEST),
    }
    .floor(STEP, zone);
    // A window of last year, watched live, is not read up to this year.
    let longest = store.incident.window.map_or(FARTHEST, |w| w.length().max(FARTHEST));
    let columns = usize::try_from(at.since(from).min(longest).0.div_euclid(STEP.0)).ok()?;
    Some(Axis { from, step: STEP, columns })
}

/// For each column the level of the quietest stretch of `QUIET` measured columns wholly before it: what
/// stands in for a baseline when none is configured. For a lane that is bad when low, quiet says nothing;
/// there it is the first such stretch.
fn quietest(values: &[Option<f64>], bad: Bad) -> Vec<Option<Normal>> {
    let mut out = vec![None; values.len()];
    let mut best: Option<Normal> = None;
    let mut recent: Vec<f64> = Vec::with_capacity(QUIET);
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = best;
        let Some(value) = value else { continue };
        if recent.len() == QUIET {
            recent.remove(0);
        }
        recent.push(*value);
        let Some(normal) = (recent.len() == QUIET).then(|| Normal::of(&mut recent.clone())).flatten() else {
            continue;
        };
        let quieter = best.is_none_or(|b| match bad {
            Bad::High => normal.median < b.median,
            Bad::Low | Bad::Both => false,
        });
        if quieter {
            best = Some(normal);
        }
    }
    out
}

#[cfg(test)]
mod demo_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world_tests;
