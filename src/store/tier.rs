//! Buckets of one length: what remains of a series when its points are gone.

use crate::model::{Lapse, Stamp};
use crate::store::series::Bucket;

/// What a stretch of a tier's step held, with the instant of its newest point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Start of the stretch, a multiple of the step since the epoch.
    pub start: Stamp,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sum of values.
    pub sum: f64,
    /// Newest value.
    pub last: f64,
    /// How many points.
    pub count: u32,
    /// Microseconds from `start` to the newest point.
    pub last_after: u32,
}

impl Cell {
    fn of(start: Stamp, at: Stamp, value: f64) -> Self {
        let last_after = at.since(start).0 as u32;
        Self { start, min: value, max: value, sum: value, last: value, count: 1, last_after }
    }
    /// Instant of the newest point.
    pub fn last_at(&self) -> Stamp {
        self.start + Lapse(i64::from(self.last_after))
    }
    /// The same without its instants.
    pub fn bucket(&self) -> Bucket {
        Bucket { min: self.min, max: self.max, sum: self.sum, last: self.last, count: self.count }
    }
    fn add(&mut self, at: Stamp, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
        self.count = self.count.saturating_add(1);
        if at >= self.last_at() {
            self.last = value;
            self.last_after = at.since(self.start).0 as u32;
        }
    }
    /// Takes in what a later part of the recording holds of the same stretch.
    fn merge(&mut self, later: &Self) {
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.sum += later.sum;
        self.count = self.count.saturating_add(later.count);
        if later.last_after >= self.last_after {
            self.last = later.last;
            self.last_after = later.last_after;
        }
    }
}

/// Cells of one step in time order; those without points do not exist.
#[derive(Clone, Debug)]
pub struct Tier {
    step: Lapse,
    cells: Vec<Cell>,
    from: Stamp,
}

impl Tier {
    /// An empty tier of a step of at most an hour.
    pub const fn new(step: Lapse) -> Self {
        Self { step, cells: Vec::new(), from: Stamp(i64::MIN) }
    }
    /// Length of a cell.
    pub const fn step(&self) -> Lapse {
        self.step
    }
    /// From here on every point has its cell.
    pub const fn from(&self) -> Stamp {
        self.from
    }
    /// Says that points before `at` were never seen here.
    pub fn begin(&mut self, at: Stamp) {
        self.from = self.from.max(at);
        self.cells.drain(..self.index(self.from));
    }
    /// Start of the cell that an instant falls into.
    pub const fn start(&self, at: Stamp) -> Stamp {
        Stamp(at.0.saturating_sub(at.0.rem_euclid(self.step.0)))
    }
    /// All cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }
    fn index(&self, start: Stamp) -> usize {
        match self.cells.last() {
            Some(last) if last.start < start => self.cells.len(),
            _ => self.cells.partition_point(|c| c.start < start),
        }
    }
    /// Adds a point. Whether it was there before is for the caller to know.
    pub fn add(&mut self, at: Stamp, value: f64) {
        if at < self.from {
            return;
        }
        let start = self.start(at);
        let i = self.index(start);
        match self.cells.get_mut(i) {
            Some(cell) if cell.start == start => cell.add(at, value),
            _ => {
                grow(&mut self.cells);
                self.cells.insert(i, Cell::of(start, at, value));
            }
        }
    }
    /// Makes the cell of `at` anew from all its points, which are in time order.
    pub fn remake(&mut self, at: Stamp, points: &[(Stamp, f64)]) {
        let start = self.start(at);
        let i = self.index(start);
        let Some(cell) = self.cells.get_mut(i).filter(|c| c.start == start) else { return };
        let Some((first, rest)) = points.split_first() else { return };
        *cell = Cell::of(start, first.0, first.1);
        for (t, v) in rest {
            cell.add(*t, *v);
        }
    }
    /// Adds to a count whose points are gone: the sum stays right, the rest nearly.
    pub fn more(&mut self, at: Stamp, by: f64) {
        let start = self.start(at);
        let i = self.index(start);
        match self.cells.get_mut(i) {
            Some(cell) if cell.start == start && cell.last_at() == at => {
                cell.sum += by;
                cell.last += by;
                cell.max = cell.max.max(cell.last);
            }
            _ => self.add(at, by),
        }
    }
    /// The newest cell whose newest point is at or before `at`.
    pub fn at(&self, at: Stamp) -> Option<&Cell> {
        let until = self.cells.partition_point(|c| c.start <= at);
        self.cells[..until].iter().rev().take(2).find(|c| c.last_at() <= at)
    }
    /// Cells that touch `from <= t < to`.
    pub fn touching(&self, from: Stamp, to: Stamp) -> &[Cell] {
        let a = self.cells.partition_point(|c| c.start + self.step <= from);
        let b = self.cells.partition_point(|c| c.start < to);
        &self.cells[a..b.max(a)]
    }
    /// Takes in cells of a later part of the recording.
    pub fn absorb(&mut self, cells: &[Cell]) {
        self.cells.reserve_exact(cells.len());
        for cell in cells {
            let i = self.index(cell.start);
            match self.cells.get_mut(i) {
                Some(known) if known.start == cell.start => known.merge(cell),
                _ => self.cells.insert(i, *cell),
            }
        }
    }
    /// Forgets the oldest beyond `limit` cells.
    pub fn trim(&mut self, limit: usize) {
        if self.cells.len() > limit + limit / 8 {
            self.cells.drain(..self.cells.len() - limit);
            self.from = self.cells.first().map_or(self.from, |c| c.start);
        }
    }
}

/// Grows by an eighth: a vector that doubles would waste half of what a day needs.
pub fn grow<T>(of: &mut Vec<T>) {
    if of.len() == of.capacity() {
        of.reserve_exact((of.len() / 8).max(16));
    }
}
