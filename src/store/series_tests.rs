//! Series against a naive model: late, duplicate and missing points, with raw points there and gone.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const T0: i64 = 1_736_683_200;

/// The naive model: every point of every instant, the newest answer for each.
#[derive(Default)]
struct Model(BTreeMap<Stamp, f64>);

impl Model {
    fn columns(&self, from: Stamp, step: Lapse, columns: usize) -> Vec<Option<Bucket>> {
        let mut out: Vec<Option<Bucket>> = vec![None; columns];
        for (t, v) in &self.0 {
            let i = t.since(from).0.div_euclid(step.0);
            let Some(slot) = usize::try_from(i).ok().and_then(|i| out.get_mut(i)) else { continue };
            match slot {
                Some(b) => b.add(*v),
                None => *slot = Some(Bucket::of(*v)),
            }
        }
        out
    }
    fn at(&self, at: Stamp) -> Option<(Stamp, f64)> {
        self.0.range(..=at).next_back().map(|(t, v)| (*t, *v))
    }
}

/// Points in order of arrival, quarter seconds apart at least: some late, some twice.
fn arrivals() -> impl Strategy<Value = Vec<(i64, i32)>> {
    let drift = prop_oneof![8 => Just(0_i64), 1 => -400_i64..0, 1 => Just(-1_i64), 1 => 0_i64..600];
    prop::collection::vec((drift, 0_i64..8, -50_i32..1000), 1..400).prop_map(|steps| {
        let mut t = 0;
        let step = |(drift, by, value): (i64, i64, i32)| {
            t += by;
            (t + drift, value)
        };
        steps.into_iter().map(step).collect()
    })
}

fn quarter(n: i64) -> Stamp {
    Stamp::from_secs(T0) + Lapse::millis(250).times(n)
}

fn both(points: &[(i64, i32)], limits: Limits) -> (Series, Model) {
    let (mut series, mut model) = (Series::default(), Model::default());
    series.limit(limits);
    for (n, value) in points {
        series.push(quarter(*n), f64::from(*value));
        model.0.insert(quarter(*n), f64::from(*value));
    }
    (series, model)
}

/// Points whose instants never repeat, so that nothing is lost when raw points are gone.
fn distinct(points: Vec<(i64, i32)>) -> Vec<(i64, i32)> {
    let mut seen = std::collections::HashSet::new();
    points.into_iter().filter(|(n, _)| seen.insert(*n)).collect()
}

const SMALL: Limits = Limits { raw: 40, tens: 1_000, minutes: 1_000 };

proptest! {
    #[test]
    fn with_raw_points_every_axis_is_exact(points in arrivals(), offset in -900_i64..900, step in 1_i64..700) {
        let (series, model) = both(&points, Limits::ALL);
        let (from, step) = (quarter(offset), Lapse::millis(250).times(step));
        prop_assert_eq!(series.columns(from, step, 40), model.columns(from, step, 40));
        for n in (-500..2000).step_by(37) {
            prop_assert_eq!(series.at(quarter(n)), model.at(quarter(n)));
        }
    }

    #[test]
    fn whole_minutes_and_tens_of_seconds_are_exact_when_raw_points_are_gone(
        points in arrivals().prop_map(distinct), minutes in 1_i64..5, tens in 1_i64..12, back in 0_i64..20,
    ) {
        let (series, model) = both(&points, SMALL);
        for (unit, n) in [(MINUTE, minutes), (TEN_SECONDS, tens)] {
            let from = quarter(0) - unit.times(back);
            prop_assert_eq!(series.columns(from, unit.times(n), 60), model.columns(from, unit.times(n), 60));
        }
    }

    #[test]
    fn a_point_that_is_answered_is_a_point_there_was(points in arrivals().prop_map(distinct)) {
        let (series, model) = both(&points, SMALL);
        for n in (-500..3000).step_by(29) {
            let at = quarter(n);
            match (series.at(at), model.at(at)) {
                (None, None) => {}
                (Some((t, v)), Some((newest, _))) => {
                    prop_assert_eq!(model.0.get(&t), Some(&v));
                    prop_assert!(t <= at && at.since(t).0 - at.since(newest).0 <= 2 * MINUTE.0, "too old: {:?} for {:?}", t, at);
                }
                (None, Some((newest, _))) => prop_assert!(at.since(newest).0 < MINUTE.0, "lost {:?}", newest),
                (Some(point), None) => prop_assert!(false, "made up {:?}", point),
            }
        }
    }

    #[test]
    fn what_is_spread_over_short_columns_sums_up_to_what_there_was(points in arrivals().prop_map(distinct), step in 1_i64..40) {
        let (series, model) = both(&points, SMALL);
        let columns = series.columns(quarter(-4000), Lapse::millis(250).times(step), 8_800 / step as usize);
        let sum: f64 = columns.iter().flatten().map(|b| b.sum).sum();
        let all: f64 = model.0.values().sum();
        prop_assert!((sum - all).abs() < 1e-6 * all.abs().max(1.0), "{} for {}", sum, all);
        let (low, high) = model.0.values().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        for b in columns.iter().flatten() {
            let mean = b.value(Rollup::Mean, MINUTE);
            prop_assert!(low <= mean && mean <= high);
        }
    }

    #[test]
    fn counts_of_one_instant_are_summed(counts in prop::collection::vec((0_i64..30, 0_i32..9), 1..200)) {
        let (mut series, mut model) = (Series::default(), BTreeMap::new());
        for (second, n) in counts {
            let at = Stamp::from_secs(T0 + second);
            series.more(at, f64::from(n));
            *model.entry(at).or_insert(0.0) += f64::from(n);
        }
        prop_assert_eq!(series.raw(Span::new(Stamp(0), Stamp(i64::MAX))), &model.into_iter().collect::<Vec<_>>()[..]);
    }

    #[test]
    fn a_stretch_read_back_is_exact_again(points in arrivals().prop_map(distinct), minute in 0_i64..8, step in 1_i64..40) {
        let (mut series, model) = both(&points, SMALL);
        let from = quarter(minute * 240);
        let span = Span::new(from, from + MINUTE.times(2));
        let points: Vec<_> = model.0.range(span.from..span.to).map(|(t, v)| (*t, *v)).collect();
        for _ in 0..2 {
            series.insert_past(span, &points);
        }
        let step = Lapse::millis(250).times(step);
        let columns = (span.length().0 / step.0) as usize;
        prop_assert_eq!(series.columns(from, step, columns), model.columns(from, step, columns));
        prop_assert_eq!(series.raw(span), &points[..]);
        let whole = (quarter(0) - MINUTE.times(30), MINUTE, 120);
        prop_assert_eq!(series.columns(whole.0, whole.1, whole.2), model.columns(whole.0, whole.1, whole.2), "minutes count nothing twice");
    }
}

#[test]
fn a_day_of_five_hundred_series_fits() {
    let limits = Limits::ALL.shared(500);
    let mut series = Series::default();
    series.limit(limits);
    for second in 0..86_400 {
        series.push(Stamp::from_secs(T0 + second), second as f64);
    }
    let bytes = series.raw.capacity() * size_of::<(Stamp, f64)>()
        + (series.tens.cells().len() + series.minutes.cells().len()) * size_of::<Cell>() * 5 / 4;
    assert!(bytes * 500 < 192 << 20, "{} MB", (bytes * 500) >> 20);
    assert_eq!(series.minutes.cells().len(), 1440);
    assert!(series.raw.len() >= 3600, "an hour of points stays");
}

#[test]
fn nothing_measured_is_nothing_and_not_zero() {
    let (mut series, _) = both(&[(0, 5)], Limits::ALL);
    series.push(quarter(4), f64::NAN);
    series.push(quarter(8), f64::INFINITY);
    let columns = series.columns(quarter(0), Lapse::seconds(1), 3);
    assert_eq!(columns.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(series.at(quarter(-1)), None);
}
