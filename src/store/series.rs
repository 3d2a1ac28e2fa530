//! One series: raw points while they fit, buckets of ten seconds and of a minute for longer, stretches of
//! raw points read back from the recording where somebody looks.
//!
//! Buckets hold every point ever seen, so a question about whole minutes is answered exactly without raw
//! points. May not know: where points come from.

use crate::model::series::Rollup;
use crate::model::{Lapse, Span, Stamp};
use crate::store::tier::{Cell, Tier, grow};

const MINUTE: Lapse = Lapse::minutes(1);
const TEN_SECONDS: Lapse = Lapse::seconds(10);

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
        self.merge(&Self::of(value));
    }
    /// Adds a later bucket.
    pub fn merge(&mut self, later: &Self) {
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.sum += later.sum;
        self.last = later.last;
        self.count = self.count.saturating_add(later.count);
    }
    /// The one value drawn for it; `over` is the stretch it covers.
    pub fn value(&self, rollup: Rollup, over: Lapse) -> f64 {
        match rollup {
            Rollup::Last => self.last,
            Rollup::Max => self.max,
            Rollup::Min => self.min,
            // A part of a longer bucket may have its count rounded; a mean is never outside its values.
            Rollup::Mean => (self.sum / f64::from(self.count.max(1))).clamp(self.min, self.max),
            Rollup::SumPerMinute => self.sum / (over.as_secs_f64() / 60.0).max(1e-9),
        }
    }
    /// The part of it that falls into `share` of its time, taken as evenly spread.
    fn part(&self, share: f64) -> Self {
        let count = (f64::from(self.count) * share).round().max(1.0) as u32;
        Self { sum: self.sum * share, count, ..*self }
    }
}

/// How much a series may keep: points, and buckets of each length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Raw points.
    pub raw: usize,
    /// Buckets of ten seconds.
    pub tens: usize,
    /// Buckets of a minute.
    pub minutes: usize,
}

impl Limits {
    /// What all series of a store may keep together: 32, 48 and 96 MB. Five hundred series at a point a
    /// second keep an hour of points, five hours of ten seconds and three days of minutes.
    pub const ALL: Self = Self { raw: 2_000_000, tens: 1_000_000, minutes: 2_000_000 };

    /// The share of one of `series`.
    #[must_use]
    pub fn shared(self, series: usize) -> Self {
        let n = series.max(1);
        Self { raw: (self.raw / n).max(64), tens: (self.tens / n).max(64), minutes: (self.minutes / n).max(64) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::ALL
    }
}

/// Points of one series in time order.
#[derive(Clone, Debug)]
pub struct Series {
    raw: Vec<(Stamp, f64)>,
    /// Raw points are complete from here on; always on a whole minute, so that no bucket is half known.
    raw_from: Stamp,
    tens: Tier,
    minutes: Tier,
    past: Vec<(Span, Vec<(Stamp, f64)>)>,
    limits: Limits,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            raw: Vec::new(),
            raw_from: Stamp(i64::MIN),
            tens: Tier::new(TEN_SECONDS),
            minutes: Tier::new(MINUTE),
            past: Vec::new(),
            limits: Limits::ALL,
        }
    }
}

/// Where the points of a piece of time are.
enum Grain<'a> {
    Raw(&'a [(Stamp, f64)]),
    Cells(&'a Tier),
}

impl Series {
    /// Adds a point; late points find their place, one of the same instant replaces the earlier one. A
    /// point so late that the raw points around it are gone is added to its buckets: an earlier one of the
    /// same instant can then no longer be told from another.
    pub fn push(&mut self, at: Stamp, value: f64) {
        if !value.is_finite() {
            return;
        }
        if at < self.raw_from {
            self.tens.add(at, value);
            self.minutes.add(at, value);
        } else if put(&mut self.raw, at, value) {
            self.remake(at);
        } else {
            self.tens.add(at, value);
            self.minutes.add(at, value);
        }
        self.trim();
    }

    /// Adds to the count at an instant: two batches that count the same second make one sum.
    pub fn more(&mut self, at: Stamp, by: f64) {
        if at >= self.raw_from {
            let known = point_at(&self.raw, at).filter(|(t, _)| *t == at).map_or(0.0, |(_, v)| v);
            self.push(at, known + by);
        } else if by.is_finite() {
            self.tens.more(at, by);
            self.minutes.more(at, by);
        }
    }

    /// The buckets of a replaced point, made from the raw points, which are all there.
    fn remake(&mut self, at: Stamp) {
        for tier in [&mut self.tens, &mut self.minutes] {
            let start = tier.start(at);
            let points = slice(&self.raw, start, start + tier.step());
            tier.remake(at, points);
        }
    }

    fn trim(&mut self) {
        self.tens.trim(self.limits.tens);
        self.minutes.trim(self.limits.minutes);
        let limit = self.limits.raw;
        if self.raw.len() <= limit + limit / 8 {
            return;
        }
        let oldest_kept = self.raw[self.raw.len() - limit].0;
        let mut from = self.minutes.start(oldest_kept);
        if self.raw.first().is_some_and(|(t, _)| *t >= from) && self.raw.len() > limit * 2 {
            // More points in one minute than may be kept.
            from = from + MINUTE;
        }
        let gone = self.raw.partition_point(|(t, _)| *t < from);
        if gone > 0 {
            self.raw.drain(..gone);
            self.raw_from = from;
        }
    }

    /// Sets how much may be kept and forgets what is beyond.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
        self.trim();
    }

    /// Takes in minutes of a part of the recording that comes after all that is known so far.
    pub fn absorb(&mut self, minutes: &[Cell]) {
        let Some(newest) = minutes.last() else { return };
        self.minutes.absorb(minutes);
        self.raw_from = self.raw_from.max(newest.start + MINUTE);
        self.tens.begin(self.raw_from);
        let gone = self.raw.partition_point(|(t, _)| *t < self.raw_from);
        self.raw.drain(..gone);
        self.trim();
    }

    /// All minutes known, for the roll-ups of a recording.
    pub fn minutes(&self) -> &[Cell] {
        self.minutes.cells()
    }

    /// Puts a stretch read back beside what is known; `span` begins and ends on whole minutes and `points`
    /// are all there were in it.
    pub fn insert_past(&mut self, span: Span, points: &[(Stamp, f64)]) {
        self.forget_past(span);
        self.past.push((span, slice(points, span.from, span.to).to_vec()));
        self.past.sort_by_key(|(span, _)| span.from);
    }
    /// Takes a stretch away again.
    pub fn forget_past(&mut self, span: Span) {
        self.past.retain(|(known, _)| *known != span);
    }
    /// Adds a point that arrived just now to a stretch read back before.
    pub fn late_for_past(&mut self, span: Span, at: Stamp, value: impl Fn(Option<f64>) -> f64) {
        if let Some((_, points)) = self.past.iter_mut().find(|(known, _)| *known == span && known.contains(at)) {
            let known = point_at(points, at).filter(|(t, _)| *t == at).map(|(_, v)| v);
            put(points, at, value(known));
        }
    }
    /// How many points of stretches read back are held.
    pub fn past_points(&self) -> usize {
        self.past.iter().map(|(_, points)| points.len()).sum()
    }
    /// From here on raw points are complete.
    pub fn raw_from(&self) -> Stamp {
        self.raw_from
    }

    /// Buckets for `columns` stretches of `step` from `from`; `None` where nothing was measured.
    ///
    /// Exact where the axis is on whole minutes, on ten seconds while those are kept, and wherever raw
    /// points are in memory. Elsewhere a longer bucket is spread evenly over its columns until the
    /// stretch is read back.
    pub fn columns(&self, from: Stamp, step: Lapse, columns: usize) -> Vec<Option<Bucket>> {
        let mut out = vec![None; columns];
        let step = Lapse(step.0.max(1));
        let to = from + step.times(columns as i64);
        let mut at = from;
        while at < to {
            let (end, grain) = self.grain(at, to, on_grid(from, step));
            match grain {
                Grain::Raw(points) => fill_raw(&mut out, from, step, slice(points, at, end)),
                Grain::Cells(tier) => fill_cells(&mut out, from, step, tier, Span { from: at, to: end }),
            }
            at = end;
        }
        out
    }

    /// What answers best for the time from `at`, and until when; `grid` is the tier the columns lie on.
    fn grain(&self, at: Stamp, to: Stamp, grid: Option<Lapse>) -> (Stamp, Grain<'_>) {
        if grid == Some(MINUTE) {
            return (to, Grain::Cells(&self.minutes));
        }
        if grid == Some(TEN_SECONDS) && at >= self.tens.from() {
            return (to, Grain::Cells(&self.tens));
        }
        if at >= self.raw_from {
            return (to, Grain::Raw(&self.raw));
        }
        if let Some((span, points)) = self.past.iter().find(|(span, _)| span.contains(at)) {
            return (span.to.min(to), Grain::Raw(points));
        }
        let next_past = self.past.iter().map(|(span, _)| span.from).find(|t| *t > at);
        let end = next_past.map_or(to, |t| t.min(to)).min(self.raw_from);
        if at >= self.tens.from() {
            return (end, Grain::Cells(&self.tens));
        }
        (end.min(self.tens.from()), Grain::Cells(&self.minutes))
    }

    /// The newest point at or before `at`, with its own instant. Where raw points are gone it is the newest
    /// point of a bucket, which may be up to a minute older than the newest there was.
    pub fn at(&self, at: Stamp) -> Option<(Stamp, f64)> {
        let raw = point_at(&self.raw, at);
        if raw.is_some() {
            return raw;
        }
        let cells = [&self.minutes, &self.tens].into_iter().filter_map(|t| t.at(at)).map(|c| (c.last_at(), c.last));
        let past = self.past.iter().filter_map(|(_, points)| point_at(points, at));
        cells.chain(past).max_by_key(|(t, _)| *t)
    }
    /// The newest point of all.
    pub fn last(&self) -> Option<(Stamp, f64)> {
        self.at(Stamp(i64::MAX))
    }
    /// Raw points inside the span, as far as they are in memory.
    pub fn raw(&self, span: Span) -> &[(Stamp, f64)] {
        let past = self.past.iter().find(|(p, _)| p.from <= span.from && span.to <= p.to);
        let points = match past {
            Some((_, points)) if span.from < self.raw_from => points,
            _ => &self.raw,
        };
        slice(points, span.from, span.to)
    }
}

/// The longest tier on whose cells the columns lie exactly.
fn on_grid(from: Stamp, step: Lapse) -> Option<Lapse> {
    [MINUTE, TEN_SECONDS].into_iter().find(|t| from.0 % t.0 == 0 && step.0 % t.0 == 0)
}

fn slice(points: &[(Stamp, f64)], from: Stamp, to: Stamp) -> &[(Stamp, f64)] {
    let a = points.partition_point(|(t, _)| *t < from);
    let b = points.partition_point(|(t, _)| *t < to);
    &points[a..b.max(a)]
}

fn point_at(points: &[(Stamp, f64)], at: Stamp) -> Option<(Stamp, f64)> {
    points.partition_point(|(t, _)| *t <= at).checked_sub(1).map(|i| points[i])
}

/// Puts a point in its place; true when it replaced one of the same instant.
fn put(points: &mut Vec<(Stamp, f64)>, at: Stamp, value: f64) -> bool {
    let i = match points.last() {
        Some((last, _)) if *last < at => points.len(),
        _ => points.partition_point(|(t, _)| *t < at),
    };
    match points.get_mut(i) {
        Some(p) if p.0 == at => {
            p.1 = value;
            true
        }
        _ => {
            grow(points);
            points.insert(i, (at, value));
            false
        }
    }
}

fn add(slot: &mut Option<Bucket>, bucket: Bucket) {
    match slot {
        Some(known) => known.merge(&bucket),
        None => *slot = Some(bucket),
    }
}

fn fill_raw(out: &mut [Option<Bucket>], from: Stamp, step: Lapse, points: &[(Stamp, f64)]) {
    for (t, v) in points {
        let column = (t.since(from).0 / step.0) as usize;
        if let Some(slot) = out.get_mut(column) {
            add(slot, Bucket::of(*v));
        }
    }
}

fn fill_cells(out: &mut [Option<Bucket>], from: Stamp, step: Lapse, tier: &Tier, within: Span) {
    let newest = tier.cells().last().map(|c| c.start);
    for cell in tier.touching(within.from, within.to) {
        // The newest cell is not over yet: it says nothing of the time after its newest point.
        let whole = if Some(cell.start) == newest { Lapse(i64::from(cell.last_after) + 1) } else { tier.step() };
        let (a, b) = (cell.start.max(within.from), (cell.start + whole).min(within.to));
        let mut t = a;
        while t < b {
            let column = t.since(from).0 / step.0;
            let end = (from + step.times(column + 1)).min(b);
            let share = end.since(t).0 as f64 / whole.0 as f64;
            if let Some(slot) = out.get_mut(column as usize) {
                let bucket = cell.bucket();
                add(slot, if end.since(t) == whole { bucket } else { bucket.part(share) });
            }
            t = end;
        }
    }
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
