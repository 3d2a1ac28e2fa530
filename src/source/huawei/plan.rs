//! What one metric request may ask for: points, spans, ages. Pure arithmetic over time.
//!
//! Limits are the service's documented ones: 3000 points in an answer (more, and `from` is moved without a
//! word), a longest span for each period, and how long data of each period is kept. May not know: requests.

use crate::model::{Lapse, Span, Stamp};

/// Points one answer holds: metrics × span ÷ period.
pub const POINTS: usize = 3000;

const HOUR: Lapse = Lapse::hours(1);
const DAY: Lapse = Lapse::hours(24);

/// How fine data is asked for, finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// As it was reported, about once a minute.
    Raw,
    /// Five minutes.
    Five,
    /// Twenty minutes.
    Twenty,
    /// An hour.
    Hour,
}

impl Period {
    /// Finest first.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Five, Self::Twenty, Self::Hour];

    /// The API's number.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Raw => "1",
            Self::Five => "300",
            Self::Twenty => "1200",
            Self::Hour => "3600",
        }
    }
    /// In a sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Five => "5 min",
            Self::Twenty => "20 min",
            Self::Hour => "1 h",
        }
    }
    /// Distance of points, as the limit of points counts it: a minute for raw ones.
    pub const fn step(self) -> Lapse {
        match self {
            Self::Raw => Lapse::minutes(1),
            Self::Five => Lapse::minutes(5),
            Self::Twenty => Lapse::minutes(20),
            Self::Hour => HOUR,
        }
    }
    /// The longest span that may be asked for at once.
    pub const fn longest(self) -> Lapse {
        match self {
            Self::Raw => Lapse::hours(4),
            Self::Five => DAY,
            Self::Twenty => Lapse::hours(3 * 24),
            Self::Hour => Lapse::hours(10 * 24),
        }
    }
    /// How long data of this period is kept.
    pub const fn kept(self) -> Lapse {
        match self {
            Self::Raw => Lapse::hours(2 * 24),
            Self::Five => Lapse::hours(10 * 24),
            Self::Twenty => Lapse::hours(20 * 24),
            Self::Hour => Lapse::hours(155 * 24),
        }
    }
    /// The next coarser one.
    pub fn coarser(self) -> Option<Self> {
        Self::ALL.into_iter().find(|p| *p > self)
    }
    /// The finest period that still has data of `at`, not finer than `least`; none when all of it is gone.
    /// What is about to be deleted is not counted on.
    pub fn of_age(at: Stamp, now: Stamp, least: Self) -> Option<Self> {
        Self::ALL.into_iter().find(|p| *p >= least && now.since(at) < p.kept() - SLACK)
    }
}

/// Data this close to its end is taken for gone.
const SLACK: Lapse = Lapse::minutes(10);

/// The longest span of one request for so many metrics: the smaller of both limits, a whole number of
/// steps, and at least one.
pub fn longest(metrics: usize, period: Period, points: usize) -> Lapse {
    let steps = (points / metrics.max(1)).max(1);
    let by_points = period.step().times(i64::try_from(steps).unwrap_or(i64::MAX));
    by_points.min(period.longest())
}

/// How many metrics one request for `span` may have, at most `batch`, at least one.
pub fn most_metrics(span: Lapse, period: Period, batch: usize, points: usize) -> usize {
    let step = period.step().0;
    let steps = span.0.max(0).saturating_add(step - 1) / step;
    let fit = points / usize::try_from(steps.max(1)).unwrap_or(usize::MAX).max(1);
    fit.min(batch).max(1)
}

/// A piece of a stretch that one request can bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What to ask for.
    pub span: Span,
    /// How fine.
    pub period: Period,
}

/// The newest piece of `whole` for so many metrics, none when everything in it is too old. Its beginning
/// lies on a whole step, except where `whole` begins or the data of a finer period ends.
pub fn newest_piece(whole: Span, metrics: usize, finest: Period, points: usize, now: Stamp) -> Option<Piece> {
    if whole.from >= whole.to {
        return None;
    }
    let newest = Stamp(whole.to.0.saturating_sub(1));
    let period = Period::of_age(newest, now, finest)?;
    let oldest = now - (period.kept() - SLACK);
    let step = period.step().0;
    let from = whole.to - longest(metrics, period, points);
    // Up to a whole step, so that the next piece ends where a rollup begins; never to nothing.
    let up = from.0.saturating_add(step - 1).div_euclid(step).saturating_mul(step);
    let from = if up < whole.to.0 { Stamp(up) } else { from };
    let from = from.max(whole.from).max(Stamp(oldest.0.saturating_add(1))).min(newest);
    Some(Piece { span: Span::new(from, whole.to), period })
}

/// What is left of `whole` without the parts in `done`, oldest first.
pub fn without(whole: Span, done: &[Span]) -> Vec<Span> {
    let mut left = vec![whole];
    for gone in done {
        left = left
            .into_iter()
            .flat_map(|s| {
                let before = Span { from: s.from, to: s.to.min(gone.from) };
                let after = Span { from: s.from.max(gone.to), to: s.to };
                [before, after]
            })
            .filter(|s| s.from < s.to)
            .collect();
    }
    left
}

/// A span that begins and ends on whole steps and holds `span`.
pub fn aligned(span: Span, step: Lapse) -> Span {
    let step = step.0.max(1);
    let down = span.from.0.div_euclid(step).saturating_mul(step);
    let up = span.to.0.saturating_add(step - 1).div_euclid(step).saturating_mul(step);
    Span { from: Stamp(down), to: Stamp(up) }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
