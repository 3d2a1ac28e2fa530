//! One series: raw points while they fit, minute buckets for as long as an incident lasts.

use crate::model::series::Rollup;
use crate::model::{Lapse, Span, Stamp};

/// What a stretch of time held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sum of values.
    pub sum: f64,
    /// Newest value.
    pub last: f64,
    /// How many points; a bucket without points does not exist.
    pub count: u32,
}

impl Bucket {
    fn of(value: f64) -> Self {
        Self { min: value, max: value, sum: value, last: value, count: 1 }
    }
    /// Adds a later point.
    pub fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
        self.last = value;
        self.count += 1;
    }
    /// The one value drawn for it; `over` is the stretch it covers.
    pub fn value(&self, rollup: Rollup, over: Lapse) -> f64 {
        match rollup {
            Rollup::Last => self.last,
            Rollup::Max => self.max,
            Rollup::Min => self.min,
            Rollup::Mean => self.sum / f64::from(self.count.max(1)),
            Rollup::SumPerMinute => self.sum / (over.as_secs_f64() / 60.0).max(1e-9),
        }
    }
}

/// Points of one series in time order.
#[derive(Clone, Debug, Default)]
pub struct Series {
    points: Vec<(Stamp, f64)>,
}

impl Series {
    /// Adds a point; late points find their place, one of the same instant replaces the earlier one.
    pub fn push(&mut self, at: Stamp, value: f64) {
        if !value.is_finite() {
            return;
        }
        let i = self.points.partition_point(|(t, _)| *t < at);
        match self.points.get_mut(i) {
            Some(p) if p.0 == at => p.1 = value,
            _ => self.points.insert(i, (at, value)),
        }
    }
    /// Buckets for `columns` stretches of `step` from `from`; `None` where nothing was measured.
    pub fn columns(&self, from: Stamp, step: Lapse, columns: usize) -> Vec<Option<Bucket>> {
        let mut out = vec![None; columns];
        let step = step.0.max(1);
        let start = self.points.partition_point(|(t, _)| *t < from);
        for &(t, v) in &self.points[start..] {
            let i = ((t.0 - from.0) / step) as usize;
            let Some(slot) = out.get_mut(i) else { break };
            match slot {
                Some(b) => Bucket::add(b, v),
                None => *slot = Some(Bucket::of(v)),
            }
        }
        out
    }
    /// The newest point at or before `at`.
    pub fn at(&self, at: Stamp) -> Option<(Stamp, f64)> {
        self.points.partition_point(|(t, _)| *t <= at).checked_sub(1).map(|i| self.points[i])
    }
    /// The newest point of all.
    pub fn last(&self) -> Option<(Stamp, f64)> {
        self.points.last().copied()
    }
    /// Raw points inside the span, as far as they are still in memory.
    pub fn raw(&self, span: Span) -> &[(Stamp, f64)] {
        let a = self.points.partition_point(|(t, _)| *t < span.from);
        let b = self.points.partition_point(|(t, _)| *t < span.to);
        &self.points[a..b.max(a)]
    }
}
