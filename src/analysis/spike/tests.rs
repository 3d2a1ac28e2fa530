//! Tests of `analysis::spike`, as stories.

use super::*;
use crate::model::series::{Rollup, Unit};
use crate::model::{Batch, Fact, Span, batch::Samples};

const T: Stamp = Stamp::from_secs(60 * 1_000_000);

fn minute(n: usize) -> Stamp {
    T + Lapse::minutes(n as i64)
}

fn lane(name: &str, trigger: bool) -> Lane {
    Lane {
        group: if trigger { "traffic".to_owned() } else { "database".to_owned() },
        name: name.to_owned(),
        series: format!("m.{name}").into(),
        unit: Unit::Count,
        rollup: Rollup::Last,
        bad: Bad::High,
        floor: 0.0,
        ceiling: None,
        lag: Lapse::ZERO,
        trigger,
        broken_at: None,
    }
}

fn store(series: &[(&str, &[f64])]) -> Store {
    let mut store = Store::default();
    store.incident.lanes = series.iter().map(|(name, _)| lane(name, *name == "users")).collect();
    let longest = series.iter().map(|(_, v)| v.len()).max().unwrap_or(0);
    store.incident.window = Some(Span::new(T, minute(longest)));
    for (name, values) in series {
        for (n, value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let values = vec![(format!("m.{name}").into(), *value)];
            let facts = vec![Fact::Samples(Samples { at: minute(n), values })];
            store.apply(&Batch { source: "m".into(), seq: 1, seen: T, facts });
        }
    }
    store
}

fn level(parts: &[(usize, f64)]) -> Vec<f64> {
    parts.iter().flat_map(|(n, v)| std::iter::repeat_n(*v, *n)).collect()
}

#[test]
fn without_a_baseline_the_quietest_earlier_stretch_is_compared_with() {
    let users = level(&[(20, 100.0), (5, 110.0), (10, 300.0), (1, 350.0), (5, 200.0), (10, 100.0)]);
    let store = store(&[("users", &users)]);
    let spike = spike(&store, minute(51)).unwrap();
    // It left its level at minute 20, before it reached the level of a spike.
    assert_eq!((spike.onset, spike.peak, spike.recovery), (minute(20), (minute(35), 350.0), Some(minute(41))));
}

#[test]
fn nothing_after_the_instant_is_used() {
    let users = level(&[(20, 100.0), (10, 300.0), (20, 100.0)]);
    let store = store(&[("users", &users)]);
    let seen = |n: usize| spike(&store, minute(n)).map(|s| (s.onset, s.recovery));
    assert_eq!(seen(22), None);
    assert_eq!(seen(23), Some((minute(20), None)));
    assert_eq!(seen(32), Some((minute(20), None)));
    assert_eq!(seen(33), Some((minute(20), Some(minute(30)))));
}

#[test]
fn two_high_minutes_are_no_spike_and_neither_is_a_start_without_anything_to_compare() {
    assert_eq!(spike(&store(&[("users", &level(&[(20, 100.0), (2, 300.0), (20, 100.0)]))]), minute(42)), None);
    assert_eq!(spike(&store(&[("users", &level(&[(30, 300.0)]))]), minute(30)), None);
    assert_eq!(spike(&store(&[("errors", &level(&[(20, 1.0), (20, 9.0)]))]), minute(40)), None);
    assert_eq!(spike(&Store::default(), T), None);
}

#[test]
fn a_hole_in_the_data_neither_starts_nor_ends_a_spike() {
    let users = level(&[(20, 100.0), (2, 300.0), (9, f64::NAN), (3, 300.0)]);
    let found = spike(&store(&[("users", &users)]), minute(34)).unwrap();
    assert_eq!((found.onset, found.recovery), (minute(20), None));
}

#[test]
fn faults_are_ordered_after_the_trigger_and_all_of_the_first_minute_are_first() {
    let users = level(&[(20, 100.0), (20, 300.0)]);
    let pool = level(&[(24, 10.0), (16, 90.0)]);
    let locks = level(&[(24, 0.0), (16, 9.0)]);
    let errors = level(&[(30, 1.0), (10, 50.0)]);
    let calm = level(&[(40, 5.0)]);
    let store = store(&[("errors", &errors), ("pool", &pool), ("locks", &locks), ("users", &users), ("calm", &calm)]);
    let told: Vec<_> =
        broke_first(&store, minute(40)).into_iter().map(|o| (o.name, o.after, o.trigger, o.first_fault)).collect();
    let after = Lapse::minutes;
    assert_eq!(
        told,
        [
            ("users".to_owned(), after(0), true, false),
            ("pool".to_owned(), after(4), false, true),
            ("locks".to_owned(), after(4), false, true),
            ("errors".to_owned(), after(10), false, false),
        ]
    );
}

#[test]
fn a_fault_before_the_spike_is_the_first_fault_all_the_same() {
    let users = level(&[(30, 100.0), (10, 300.0)]);
    let errors = level(&[(20, 1.0), (20, 50.0)]);
    let onsets = broke_first(&store(&[("users", &users), ("errors", &errors)]), minute(40));
    assert_eq!(
        (onsets[0].name.as_str(), onsets[0].after, onsets[0].first_fault),
        ("errors", Lapse::minutes(-10), true)
    );
}
