//! What a metric answers for a range: raw points as they are, or windows of them, as far as they are kept.
//!
//! Source of the numbers: raw points are kept for two days, those of 5 minutes for 10, of 20 minutes for 20,
//! of an hour for 155. Windows stand at their beginning and appear when they are over.

use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::world::{Metric, World};
use serde_json::{Value, json};

/// How points become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    Average,
    Max,
    Min,
    Sum,
    /// Of the population (our choice).
    Variance,
}

const FILTERS: &[(&str, Filter)] = &[
    ("average", Filter::Average),
    ("max", Filter::Max),
    ("min", Filter::Min),
    ("sum", Filter::Sum),
    ("variance", Filter::Variance),
];

impl Filter {
    /// By its word on the wire.
    pub fn read(word: &str) -> Result<Self, String> {
        let found = FILTERS.iter().find(|(w, _)| *w == word);
        found.map(|(_, f)| *f).ok_or_else(|| format!("the filter {word} is none of average, max, min, sum, variance"))
    }

    /// Its word on the wire, which is also the name of the value.
    pub fn word(self) -> &'static str {
        FILTERS.iter().find(|(_, f)| *f == self).map_or("average", |(w, _)| w)
    }

    fn of(self, values: &[(Stamp, f64)]) -> f64 {
        let n = values.len().max(1) as f64;
        let values = values.iter().map(|(_, v)| *v);
        let sum: f64 = values.clone().sum();
        match self {
            Self::Average => sum / n,
            Self::Sum => sum,
            Self::Max => values.fold(f64::NEG_INFINITY, f64::max),
            Self::Min => values.fold(f64::INFINITY, f64::min),
            Self::Variance => values.map(|v| (v - sum / n).powi(2)).sum::<f64>() / n,
        }
    }
}

/// A period with what holds for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Seconds; 1 stands for raw points.
    pub seconds: i64,
    /// How long its points are kept.
    pub kept: Lapse,
    /// The longest span that may be asked for in a batch.
    pub cap: Lapse,
}

const fn period(seconds: i64, days: i64, cap_hours: i64) -> Period {
    Period { seconds, kept: Lapse::hours(24 * days), cap: Lapse::hours(cap_hours) }
}

const PERIODS: &[Period] = &[
    period(1, 2, 4),
    period(60, 2, 4),
    period(300, 10, 24),
    period(1_200, 20, 72),
    period(3_600, 155, 240),
    period(14_400, 365, 720),
    period(86_400, 365, 4_320),
];

impl Period {
    /// By its number of seconds.
    pub fn read(seconds: i64) -> Result<Self, String> {
        let found = PERIODS.iter().find(|p| p.seconds == seconds);
        found.copied().ok_or_else(|| format!("the period {seconds} is none of 1, 60, 300, 1200, 3600, 14400, 86400"))
    }

    /// What one point counts for in the limit on points: raw ones are taken for one a minute.
    pub fn step(self) -> Lapse {
        Lapse::seconds(self.seconds.max(60))
    }
}

/// A range as it is asked for. Both ends are included (our choice, after the published example).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: Stamp,
    pub to: Stamp,
}

impl Range {
    /// From milliseconds, within the documented bounds.
    pub fn read(from: i64, to: i64) -> Result<Self, String> {
        let bounds = 1_111_111_111_111..=9_999_999_999_999;
        if !bounds.contains(&from) || !bounds.contains(&to) {
            return Err("from and to are milliseconds from 1111111111111 to 9999999999999".to_owned());
        }
        if from >= to {
            return Err("from must be earlier than to".to_owned());
        }
        Ok(Self { from: Stamp::from_millis(from), to: Stamp::from_millis(to) })
    }

    /// How long it is.
    pub fn length(self) -> Lapse {
        self.to.since(self.from)
    }
}

/// The points of a metric, as the wire writes them.
pub fn points(world: &World, metric: &Metric, period: Period, filter: Filter, range: Range, now: Stamp) -> Vec<Value> {
    let oldest = now - period.kept;
    let newest = now - world.metrics_late;
    let write = |at: Stamp, value: f64| json!({filter.word(): number(value), "timestamp": at.0.div_euclid(1_000)});
    if period.seconds == 1 {
        let inside = between(metric, range.from.max(oldest), range.to.min(newest));
        return inside.iter().map(|(at, v)| write(*at, *v)).collect();
    }
    let length = Lapse::seconds(period.seconds);
    let begin = |at: Stamp| Stamp(at.0.div_euclid(length.0) * length.0);
    let last = begin(range.to).min(begin(newest) - length);
    let raw = between(metric, begin(range.from), last + length - Lapse(1));
    raw.chunk_by(|a, b| begin(a.0) == begin(b.0))
        .map(|window| (begin(window[0].0), filter.of(window)))
        .filter(|(at, _)| *at >= oldest)
        .map(|(at, v)| write(at, v))
        .collect()
}

fn between(metric: &Metric, from: Stamp, to: Stamp) -> &[(Stamp, f64)] {
    let first = metric.points.partition_point(|p| p.0 < from);
    let end = metric.points.partition_point(|p| p.0 <= to);
    metric.points.get(first..end).unwrap_or_default()
}

/// A number as the wire writes it: whole ones without a fraction.
pub fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let at = |s: i64| Stamp::from_secs(1_736_679_600 + s);
        let points = [(10, 1.0), (75, 2.0), (299, 6.0), (300, 4.0), (1_250, 8.0)].map(|(s, v)| (at(s), v));
        let metric = Metric::new("SYS.RDS", "m", &[("d", "v")], "%").with_points(points);
        World { metrics: vec![metric], ..World::default() }
    }

    fn asked(seconds: i64, filter: Filter, from: i64, to: i64, now: i64) -> Vec<(i64, f64)> {
        let world = world();
        let range = Range { from: Stamp::from_secs(1_736_679_600 + from), to: Stamp::from_secs(1_736_679_600 + to) };
        let now = Stamp::from_secs(1_736_679_600 + now);
        points(&world, &world.metrics[0], Period::read(seconds).unwrap(), filter, range, now)
            .iter()
            .map(|p| (p["timestamp"].as_i64().unwrap() / 1_000 - 1_736_679_600, p[filter.word()].as_f64().unwrap()))
            .collect()
    }

    #[test]
    fn raw_points_stay_where_they_were_taken() {
        assert_eq!(asked(1, Filter::Sum, 75, 300, 2_000), [(75, 2.0), (299, 6.0), (300, 4.0)]);
        assert_eq!(asked(1, Filter::Sum, 0, 3_000, 80), [(10, 1.0), (75, 2.0)], "nothing younger than now");
    }

    #[test]
    fn windows_stand_at_their_beginning_and_have_to_be_over() {
        assert_eq!(asked(300, Filter::Max, 20, 900, 2_000), [(0, 6.0), (300, 4.0)]);
        assert_eq!(asked(300, Filter::Average, 0, 900, 599), [(0, 3.0)], "the second window is not over");
        assert_eq!(asked(300, Filter::Max, 0, 900, 600).len(), 2);
        assert_eq!(asked(300, Filter::Max, 0, 300, 2_000).len(), 2, "the window that begins at the end is included");
        assert_eq!(asked(1_200, Filter::Sum, 0, 3_600, 4_000), [(0, 13.0), (1_200, 8.0)]);
    }

    #[test]
    fn what_is_too_old_is_gone_from_the_raw_points_first() {
        let days = |n: i64| n * 86_400;
        assert_eq!(asked(1, Filter::Max, 0, 2_000, days(2) + 200), [(299, 6.0), (300, 4.0), (1_250, 8.0)]);
        assert!(asked(60, Filter::Max, 0, 2_000, days(3)).is_empty());
        assert_eq!(asked(300, Filter::Max, 0, 2_000, days(9)).len(), 3);
        assert!(asked(300, Filter::Max, 0, 2_000, days(11)).is_empty());
        assert_eq!(asked(1_200, Filter::Max, 0, 2_000, days(19)).len(), 2);
        assert_eq!(asked(3_600, Filter::Max, 0, 2_000, days(150)).len(), 1);
    }
}
