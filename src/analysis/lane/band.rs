//! The normal of a lane: what the baseline's same minutes held, or one level of the whole baseline.
//!
//! May not know: how a lane is drawn.

use crate::analysis::lane::{Axis, measured};
use crate::model::series::{Bad, Lane};
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;

/// How far around an instant the baseline's "same minutes" reach, to each side.
const AROUND: Lapse = Lapse::minutes(5);
/// Same minutes with fewer values than this say nothing; the whole baseline's level is used instead.
const FEWEST: usize = 3;

/// 5th percentile, median and 95th percentile of some stretch of the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// 5th percentile.
    pub low: f64,
    /// Median.
    pub median: f64,
    /// 95th percentile.
    pub high: f64,
}

impl Normal {
    /// From values in any order; none when there are none.
    pub fn of(values: &mut [f64]) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        Some(Self { low: quantile(values, 0.05)?, median: quantile(values, 0.5)?, high: quantile(values, 0.95)? })
    }

    /// The level above the lane's floor: what shares of the level are taken of.
    fn level(&self, lane: &Lane) -> f64 {
        (self.median - lane.floor).abs()
    }

    /// Whether a value has left the band on the lane's bad side: beyond its edge by more than half the
    /// band's own width and by 2 % of the level. One value in ten of the baseline itself lies beyond p5 or
    /// p95, so the bare edges would call healthy noise a departure.
    pub fn has_left(&self, value: f64, lane: &Lane) -> bool {
        let margin = ((self.high - self.low) / 2.0).max(self.level(lane) * 0.02);
        is_bad(value, lane.bad, self.low - margin, self.high + margin)
    }

    /// Whether a value is outside the band for the eye: it has left it, and is a tenth of the level away
    /// from the median too. Two evenings differ by some percent without anything being wrong.
    pub fn is_outside(&self, value: f64, lane: &Lane) -> bool {
        self.has_left(value, lane) && self.departed(value, lane, 1.1)
    }

    /// Whether a value is at `ratio` times the level or worse, on the lane's bad side.
    pub fn departed(&self, value: f64, lane: &Lane, ratio: f64) -> bool {
        let far = self.level(lane) * (ratio - 1.0);
        (value - self.median).abs() >= far && is_bad(value, lane.bad, self.median, self.median)
    }
}

/// Whether a value is beyond an edge on the bad side.
fn is_bad(value: f64, bad: Bad, low: f64, high: f64) -> bool {
    match bad {
        Bad::High => value > high,
        Bad::Low => value < low,
        Bad::Both => value > high || value < low,
    }
}

/// The normal of each column of an axis.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    columns: Vec<Option<Normal>>,
    level: Option<Normal>,
}

impl Baseline {
    /// Reads the baseline of `lane` for the columns of `axis`, as known at `asof`.
    pub fn read(store: &Store, lane: &Lane, axis: &Axis, asof: Stamp) -> Self {
        let Some(span) = store.incident.baseline else { return Self::default() };
        let whole = values(store, lane, &aligned(span, axis.step), span, asof);
        let level = Normal::of(&mut whole.iter().flatten().copied().collect::<Vec<_>>());
        let columns = match store.incident.window {
            Some(window) if level.is_some() => {
                same_minutes(store, lane, axis, span, span.from.since(window.from), asof)
            }
            _ => Vec::new(),
        };
        Self { columns, level }
    }

    /// The normal of a column: of the same minutes where they have data, else of the whole baseline.
    pub fn at(&self, column: usize) -> Option<Normal> {
        self.columns.get(column).copied().flatten().or(self.level)
    }

    /// The whole baseline's level.
    pub fn level(&self) -> Option<Normal> {
        self.level
    }
}

fn same_minutes(
    store: &Store,
    lane: &Lane,
    axis: &Axis,
    span: Span,
    offset: Lapse,
    asof: Stamp,
) -> Vec<Option<Normal>> {
    let reach = (AROUND.0 / axis.step.0.max(1)).max(2) as usize;
    let from = axis.from + offset - axis.step.times(reach as i64);
    let there = Axis { from, step: axis.step, columns: axis.columns + 2 * reach };
    let found = values(store, lane, &there, span, asof);
    let mut near = Vec::with_capacity(2 * reach + 1);
    (0..axis.columns)
        .map(|column| {
            near.clear();
            near.extend(found.iter().skip(column).take(2 * reach + 1).flatten());
            (near.len() >= FEWEST).then(|| Normal::of(&mut near)).flatten()
        })
        .collect()
}

/// Measured values of whole columns inside the baseline.
fn values(store: &Store, lane: &Lane, axis: &Axis, inside: Span, asof: Stamp) -> Vec<Option<f64>> {
    let cells = measured::cells(store, lane, axis, asof, asof);
    cells
        .iter()
        .enumerate()
        .map(|(column, cell)| {
            let start = axis.start(column);
            let within = inside.from <= start && start + axis.step <= inside.to && start + axis.step <= asof;
            cell.value().filter(|_| within)
        })
        .collect()
}

/// An axis over a span in whole columns of `step`.
fn aligned(span: Span, step: Lapse) -> Axis {
    Axis { from: span.from, step, columns: (span.length().0 / step.0.max(1)).clamp(0, 100_000) as usize }
}

/// Linear interpolation between the closest ranks of sorted values (type 7 of Hyndman and Fan).
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = q.clamp(0.0, 1.0) * last as f64;
    let low = rank.floor() as usize;
    let (a, b) = (*sorted.get(low)?, *sorted.get((low + 1).min(last))?);
    Some(a + (b - a) * (rank - low as f64))
}
