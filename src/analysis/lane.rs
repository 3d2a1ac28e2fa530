//! A lane as columns on the shared axis: values, the normal band, gaps, and what is not measured yet.

use crate::model::series::Lane;
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;

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
    /// Top of the drawn scale.
    pub top: f64,
}

/// Makes a lane's columns as of `cursor`; `now` is the newest instant played or lived so far.
pub fn columns(store: &Store, lane: &Lane, axis: &Axis, cursor: Stamp, now: Stamp) -> LaneColumns {
    let _ = (store, lane, axis, cursor, now);
    LaneColumns::default()
}
