//! A lane as columns on the shared axis: values, the normal band, gaps, and what is not measured yet.

pub mod band;
pub mod book;
pub mod measured;
pub mod said;

use crate::analysis::limit;
use crate::model::series::{Bad, Counted, Lane, Rollup};
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
use band::{Baseline, Normal};

/// The time axis all panels share: `columns` stretches of `step`, the first beginning at `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Start of the first column.
    pub from: Stamp,
    /// Length of a column.
    pub step: Lapse,
    /// How many.
    pub columns: usize,
}

impl Axis {
    /// The whole stretch shown.
    pub fn span(&self) -> Span {
        Span::new(self.from, self.from + self.step.times(self.columns as i64))
    }
    /// The column of an instant, when it is on the axis.
    pub fn column(&self, at: Stamp) -> Option<usize> {
        let i = at.since(self.from).0.div_euclid(self.step.0.max(1));
        usize::try_from(i).ok().filter(|i| *i < self.columns)
    }
    /// Start of a column.
    pub fn start(&self, column: usize) -> Stamp {
        self.from + self.step.times(column as i64)
    }
}

/// What one column of a lane shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Measured.
    Value {
        /// The value by the lane's roll-up.
        value: f64,
        /// Whether it is outside the band.
        outside: bool,
    },
    /// No sample, and the source was down or silent: a gap.
    Blind,
    /// Younger than the source's lag: may still come.
    NotYet,
    /// Before anything was known, or after now.
    Empty,
}

impl Cell {
    /// A measured value that nobody has compared with a band yet.
    pub const fn measured(value: f64) -> Self {
        Self::Value { value, outside: false }
    }
    /// The value, when there is one.
    pub const fn value(&self) -> Option<f64> {
        match self {
            Self::Value { value, .. } => Some(*value),
            Self::Blind | Self::NotYet | Self::Empty => None,
        }
    }
}

/// A lane ready to draw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneColumns {
    /// One for each column of the axis.
    pub cells: Vec<Cell>,
    /// The normal band at each column, low and high; none where there is no baseline.
    pub band: Vec<Option<(f64, f64)>>,
    /// The value at the cursor with its own instant; none when nothing was measured there.
    pub now: Option<(Stamp, f64)>,
    /// Whether that value is outside its band.
    pub now_outside: bool,
    /// Whether that value is broken by the lane's own limit.
    pub now_broken: bool,
    /// Normal at the cursor: the median of the baseline.
    pub normal: Option<f64>,
    /// The value farthest from normal on the bad side up to the cursor, and when.
    pub worst: Option<(Stamp, f64)>,
    /// The tightest limit of its series with its name, where it is in sight: at most twice what was measured.
    pub limit: Option<(String, f64)>,
    /// Top of the drawn scale.
    pub top: f64,
    /// Whether its source says that what it counts is a sample of more.
    pub sampled: bool,
}

/// Makes a lane's columns as of `cursor`; `now` is the newest instant played or lived so far.
///
/// Columns up to the cursor hold what was known at the cursor; later ones what is known now, for the view
/// to grey. The band comes from the baseline's same minutes when both windows are configured, from one
/// level of the whole baseline otherwise.
pub fn columns(store: &Store, lane: &Lane, axis: &Axis, cursor: Stamp, now: Stamp) -> LaneColumns {
    let mut cells = measured::cells(store, lane, axis, cursor, now);
    if cursor < now && book::Derived::of(&lane.series).is_some() {
        let later = measured::cells(store, lane, axis, now, now);
        for (column, (cell, later)) in cells.iter_mut().zip(later).enumerate() {
            if axis.start(column) > cursor {
                *cell = later;
            }
        }
    }
    let baseline = Baseline::read(store, lane, axis, now);
    for (column, cell) in cells.iter_mut().enumerate() {
        if let (Cell::Value { value, outside }, Some(normal)) = (cell, baseline.at(column)) {
            *outside = normal.is_outside(*value, lane);
        }
    }
    let usual = axis.column(cursor).map_or(baseline.level(), |column| baseline.at(column));
    let at_cursor = match axis.column(cursor) {
        Some(_) => value_at(store, lane, axis, &cells, cursor, now),
        None => off_axis(store, lane, axis, cursor, now),
    };
    let top = top(lane, &cells, &baseline);
    // A limit far above all that was measured would only flatten the bars.
    let limit = limit::of_series(store, &lane.series, cursor).map(|l| (l.name, l.value));
    let limit = limit.filter(|(_, value)| *value > lane.floor && *value - lane.floor <= 2.0 * (top - lane.floor));
    LaneColumns {
        band: (0..axis.columns).map(|i| baseline.at(i).map(|n| (n.low, n.high))).collect(),
        now: at_cursor,
        now_outside: at_cursor.zip(usual).is_some_and(|((_, v), normal)| normal.is_outside(v, lane)),
        now_broken: at_cursor.is_some_and(|(_, v)| is_broken(v, lane)),
        normal: usual.map(|n| n.median),
        worst: worst(axis, &cells, &baseline, lane, cursor),
        top: limit.as_ref().map_or(top, |(_, limit)| top.max(*limit)),
        limit,
        cells,
        sampled: store.card(&lane.series).and_then(|card| card.counted) == Some(Counted::Sample),
    }
}

/// The value at a cursor that is not on the axis: as much of an axis as ends there.
fn off_axis(store: &Store, lane: &Lane, axis: &Axis, cursor: Stamp, now: Stamp) -> Option<(Stamp, f64)> {
    let steps = cursor.since(axis.from).0.div_euclid(axis.step.0.max(1));
    let reach = 30;
    let there = Axis { from: axis.start(0) + axis.step.times(steps - reach + 1), columns: reach as usize, ..*axis };
    let cells = measured::cells(store, lane, &there, cursor, now);
    value_at(store, lane, &there, &cells, cursor, now)
}

/// The value at the cursor with its own instant. Counts are those of the newest column that is over; of a
/// gauge, what its column held up to the cursor, else its newest point while the source is not silent.
fn value_at(
    store: &Store,
    lane: &Lane,
    axis: &Axis,
    cells: &[Cell],
    cursor: Stamp,
    now: Stamp,
) -> Option<(Stamp, f64)> {
    let column = axis.column(cursor)?;
    if lane.rollup == Rollup::SumPerMinute || book::Derived::of(&lane.series).is_some() {
        let newest = (0..=column).rev().find(|i| !matches!(cells.get(*i), Some(Cell::NotYet)))?;
        // A hole in the counts is a hole; only what cannot be known yet is looked past.
        return cells.get(newest)?.value().map(|v| (axis.start(newest).min(cursor), v));
    }
    let series = store.series(&lane.series)?;
    let start = axis.start(column);
    let (newest, last) = series.at(cursor)?;
    if newest >= start {
        let so_far = series.columns(start, cursor.since(start) + Lapse(1), 1).first().copied().flatten();
        return Some((newest, so_far.map_or(last, |bucket| bucket.value(lane.rollup, axis.step))));
    }
    let source = measured::source_of(&lane.series);
    let spacing = measured::spacing(store, source, Some(series), now);
    let patience = lane.lag + spacing.times(3);
    let unseen = Span::new(newest, cursor + Lapse(1));
    let down = !store.blind(source, unseen, now).is_empty();
    (!down && cursor.since(newest) <= patience).then_some((newest, last))
}

/// Whether a lane is made from orders or lines each time: it takes milliseconds, and follows once a key was answered.
pub fn is_slow(store: &Store, lane: &Lane) -> bool {
    book::Derived::of(&lane.series).is_some() || said::of(store, &lane.series).is_some()
}

/// Whether a value is broken by the lane's own limit.
pub fn is_broken(value: f64, lane: &Lane) -> bool {
    lane.broken_at.is_some_and(|limit| match lane.bad {
        Bad::Low => value <= limit,
        Bad::High | Bad::Both => value >= limit,
    })
}

/// The measured value farthest from normal on the bad side, up to the cursor; the first of equals.
fn worst(axis: &Axis, cells: &[Cell], baseline: &Baseline, lane: &Lane, cursor: Stamp) -> Option<(Stamp, f64)> {
    let mut worst: Option<(f64, Stamp, f64)> = None;
    for (column, cell) in cells.iter().enumerate() {
        let start = axis.start(column);
        let Some(value) = cell.value().filter(|_| start <= cursor) else { continue };
        let usual = baseline.at(column).map_or(0.0, |n| n.median);
        let far = match lane.bad {
            Bad::High => value - usual,
            Bad::Low => usual - value,
            Bad::Both => (value - usual).abs(),
        };
        if worst.is_none_or(|(farthest, ..)| far > farthest) {
            worst = Some((far, start, value));
        }
    }
    worst.map(|(_, at, value)| (at, value))
}

/// Top of the scale: the ceiling when the lane has one, else the largest of values and band.
fn top(lane: &Lane, cells: &[Cell], baseline: &Baseline) -> f64 {
    let values = cells.iter().filter_map(Cell::value);
    let bands = (0..cells.len()).filter_map(|i| baseline.at(i)).map(|n: Normal| n.high);
    let largest = lane.ceiling.unwrap_or_else(|| values.chain(bands).fold(f64::MIN, f64::max));
    if largest > lane.floor { largest } else { lane.floor + 1.0 }
}

#[cfg(test)]
mod tests;
