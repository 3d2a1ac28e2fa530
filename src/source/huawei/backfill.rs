//! The past, piece by piece: what of a window, its baseline or an outage still has to be asked for, how fine,
//! and what each answer means for the rest. Pure: told what is now and what came, it says what is next.
//!
//! The newest piece is next, for all metrics before an older one for any. A piece is over when it was
//! answered; what was over before the program started is not asked for again. May not know: requests.

use crate::config::cloud_metrics::Target;
use crate::config::cloud_presets::Filter;
use crate::model::health::Fetched;
use crate::model::{Lapse, Span, Stamp, Zone};
use crate::source::huawei::plan::{self, Period};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Metrics that are asked for together in the past: of one filter, because rolled up values differ by it.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The question in words that stay the same: what was fetched is known by them.
    pub what: String,
    /// How points become one.
    pub filter: Filter,
    /// Places in the configuration.
    pub members: Vec<usize>,
}

/// The bundles of all targets, at most `batch` in each.
pub fn bundles(targets: &[Target], batch: usize) -> Vec<Bundle> {
    let mut by_filter: BTreeMap<Filter, Vec<usize>> = BTreeMap::new();
    for (i, target) in targets.iter().enumerate() {
        by_filter.entry(target.filter).or_default().push(i);
    }
    let mut out = Vec::new();
    for (filter, members) in by_filter {
        for members in members.chunks(batch.max(1)) {
            let what = format!("{} {} metrics {}", members.len(), filter.word(), print(targets, members));
            out.push(Bundle { what, filter, members: members.to_vec() });
        }
    }
    out
}

/// Tells one set of metrics from another.
fn print(targets: &[Target], members: &[usize]) -> String {
    let mut hash = Sha256::new();
    for target in members.iter().filter_map(|i| targets.get(*i)) {
        for part in [&target.series, &target.namespace, &target.metric] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        for (name, value) in &target.dimensions {
            hash.update(name.as_bytes());
            hash.update([1]);
            hash.update(value.as_bytes());
            hash.update([1]);
        }
        hash.update([2]);
    }
    hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect()
}

/// Why a stretch is asked for; the first is the most urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nothing could be asked while it was now.
    Missed,
    /// The incident.
    Window,
    /// When all was well.
    Baseline,
    /// Just before the program started.
    Before,
}

/// What is left of one stretch for one bundle.
#[derive(Clone, Debug)]
struct Stretch {
    bundle: usize,
    span: Span,
    why: Why,
    /// Nothing finer than this is there.
    finest: Period,
    /// The whole it is a part of, for words.
    whole: Span,
    /// An answer began later than asked: this is the part that was left out, if it was.
    moved: Option<Moved>,
}

/// An answer that began later than asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What was asked.
    pub asked: Stamp,
    /// Where the answer began.
    pub began: Stamp,
    /// Points that the answer's stretch has room for.
    pub points: usize,
}

/// The next thing to ask for.
#[derive(Clone, Debug)]
pub struct Part {
    stretch: usize,
    /// Which bundle.
    pub bundle: usize,
    /// Which stretch.
    pub span: Span,
    /// How fine.
    pub period: Period,
}

/// What a part brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// Nothing at all.
    Nothing,
    /// Points, the earliest at this instant; raw points of these metrics are this far apart at most.
    Points {
        /// The earliest.
        earliest: Stamp,
        /// Distance of points.
        apart: Lapse,
    },
}

/// What follows from a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A stretch that need not be asked for again.
    pub fetched: Option<Fetched>,
    /// `from` was moved: known now, because what was left out came when it was asked for again.
    pub moved: Option<Moved>,
}

/// All that is left.
#[derive(Clone, Debug)]
pub struct Backfill {
    bundles: Vec<Bundle>,
    stretches: Vec<Stretch>,
    /// Points of one answer, as far as the service keeps to what is documented.
    pub points: usize,
    done: u64,
    /// How often a bundle had nothing at any period: two times are enough.
    barren: BTreeMap<usize, u32>,
    too_old: Vec<Span>,
}

/// Parts do not shrink below this, whatever a strange answer seems to teach.
const LEAST_POINTS: usize = 30;
/// Empty answers about a younger past than this may fill up later by themselves.
const OLD: Lapse = Lapse::hours(1);
/// A bundle that had nothing at any period so often is not looked for at coarser ones again.
const BARREN: u32 = 2;

impl Backfill {
    /// Nothing to do yet.
    pub fn new(bundles: Vec<Bundle>, points: usize) -> Self {
        Self { bundles, stretches: Vec::new(), points, done: 0, barren: BTreeMap::new(), too_old: Vec::new() }
    }

    /// The bundles.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// Adds a stretch for all bundles, without what they have already.
    pub fn want(&mut self, span: Span, why: Why, have: &[Fetched]) {
        let span = plan::aligned(span, Period::Raw.step());
        for (bundle, b) in self.bundles.iter().enumerate() {
            let done: Vec<Span> = have.iter().filter(|f| f.what == b.what).map(|f| f.span).collect();
            // What is wanted twice (a baseline that overlaps the window) is asked for once.
            let mut known = done;
            known.extend(self.stretches.iter().filter(|s| s.bundle == bundle).map(|s| s.span));
            for left in plan::without(span, &known) {
                let finest = Period::Raw;
                self.stretches.push(Stretch { bundle, span: left, why, finest, whole: span, moved: None });
            }
        }
    }

    /// Whether anything is left.
    pub fn is_over(&self) -> bool {
        self.stretches.is_empty()
    }

    /// What to ask for next. Stretches that are too old for anything
    /// are dropped on the way, see [`Self::too_old`].
    pub fn next(&mut self, now: Stamp) -> Option<Part> {
        loop {
            let stretch = (0..self.stretches.len()).min_by_key(|i| {
                let s = &self.stretches[*i];
                (s.why, std::cmp::Reverse(s.span.to), s.bundle)
            })?;
            let s = self.stretches.get(stretch)?;
            let metrics = self.bundles.get(s.bundle).map_or(1, |b| b.members.len());
            if let Some(piece) = plan::newest_piece(s.span, metrics, s.finest, self.points, now) {
                return Some(Part { stretch, bundle: s.bundle, span: piece.span, period: piece.period });
            }
            let gone = self.stretches.swap_remove(stretch);
            if !self.too_old.contains(&gone.span) {
                self.too_old.push(gone.span);
            }
            self.done += 1;
        }
    }

    /// Stretches that were older than everything the service keeps; told once.
    pub fn too_old(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.too_old)
    }

    /// Learns what a part brought. It must be the part that [`Self::next`] gave last.
    pub fn learn(&mut self, part: &Part, brought: Brought, now: Stamp) -> Outcome {
        let Some(stretch) = self.stretches.get_mut(part.stretch) else { return Outcome::default() };
        let moved = stretch.moved;
        let (why, whole) = (stretch.why, stretch.whole);
        stretch.span.to = part.span.from;
        if stretch.span.from >= stretch.span.to {
            self.stretches.swap_remove(part.stretch);
        }
        let what = self.bundles.get(part.bundle).map(|b| b.what.clone()).unwrap_or_default();
        let fetched = |span: Span| Some(Fetched { what: what.clone(), span });
        match brought {
            Brought::Nothing => {
                if let Some(finest) = self.coarser(part, moved, now) {
                    let bundle = part.bundle;
                    self.stretches.push(Stretch { bundle, span: part.span, why, finest, whole, moved: None });
                    return Outcome::default();
                }
                self.done += 1;
                Outcome { fetched: fetched(part.span), moved: None }
            }
            Brought::Points { earliest, apart } => {
                self.done += 1;
                self.barren.remove(&part.bundle);
                self.follow_period(part, now);
                if let Some(moved) = moved {
                    self.points = self.points.min(moved.points.max(LEAST_POINTS));
                }
                let step = part.period.step().max(apart);
                let late = earliest.since(part.span.from) > step.times(3);
                let mut got = part.span;
                // What was left out is asked for again; when nothing is there, that is how it was.
                if late {
                    let metrics = self.bundles.get(part.bundle).map_or(1, |b| b.members.len());
                    let room = part.span.to.since(earliest).0.max(0) / part.period.step().0;
                    let points = usize::try_from(room).unwrap_or(usize::MAX).saturating_mul(metrics);
                    let left_out = Moved { asked: part.span.from, began: earliest, points };
                    self.stretches.push(Stretch {
                        bundle: part.bundle,
                        span: Span::new(part.span.from, earliest),
                        why,
                        finest: part.period,
                        whole,
                        moved: Some(left_out),
                    });
                    got.from = earliest;
                }
                Outcome { fetched: fetched(got), moved }
            }
        }
    }

    /// The period to look at when there was nothing at this one.
    fn coarser(&mut self, part: &Part, moved: Option<Moved>, now: Stamp) -> Option<Period> {
        if moved.is_some() || now.since(part.span.to) < OLD {
            return None;
        }
        let barren = self.barren.entry(part.bundle).or_default();
        let coarser = part.period.coarser().filter(|_| *barren < BARREN);
        if coarser.is_none() {
            *barren = barren.saturating_add(1);
        }
        coarser
    }

    /// Where a coarser period had what a finer one had not, everything older is asked for at that one too.
    fn follow_period(&mut self, part: &Part, now: Stamp) {
        let by_age = Period::of_age(part.span.from, now, Period::Raw);
        if by_age.is_some_and(|p| p < part.period) {
            for s in self.stretches.iter_mut().filter(|s| s.bundle == part.bundle && s.span.to <= part.span.to) {
                s.finest = s.finest.max(part.period);
            }
        }
    }

    /// Parts done, and parts in all as far as that can be said.
    pub fn progress(&self, now: Stamp) -> (u64, u64) {
        let left = self.stretches.iter().map(|s| {
            let metrics = self.bundles.get(s.bundle).map_or(1, |b| b.members.len());
            let period = Period::of_age(s.span.from, now, s.finest).unwrap_or(Period::Hour);
            let one = plan::longest(metrics, period, self.points).0.max(1);
            let parts = s.span.length().0.saturating_add(one - 1) / one;
            u64::try_from(parts).unwrap_or(0)
        });
        (self.done, self.done.saturating_add(left.fold(0, u64::saturating_add)))
    }

    /// What is being done, at most 40 cells.
    pub fn doing(&self, zone: &Zone, part: &Part) -> String {
        let whole = self.stretches.get(part.stretch).map_or(part.span, |s| s.whole);
        format!("fetching {}–{} of {}", zone.hm(whole.from), zone.hm(whole.to), zone.format(whole.from, "%-d %b"))
    }
}

#[cfg(test)]
#[path = "backfill_tests.rs"]
mod tests;
