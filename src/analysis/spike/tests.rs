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

/// Pool and latency of `upg` break with the traffic, and `mrg`, which calls it, a minute earlier.
fn called(calls: &[(&str, &str)]) -> Vec<Onset> {
    let users = level(&[(30, 100.0), (20, 300.0)]);
    let mrg = level(&[(30, 10.0), (20, 40.0)]);
    let upg = level(&[(31, 10.0), (19, 90.0)]);
    let mut store = store(&[("users", &users), ("mrg", &mrg), ("upg", &upg)]);
    store.incident.rules.services = ["mrg", "upg"]
        .map(|name| crate::model::incident::Service {
            name: name.to_owned(),
            calls: calls.iter().filter(|c| c.0 == name).map(|c| c.1.to_owned()).collect(),
            series: vec![format!("m.{name}")],
        })
        .to_vec();
    broke_first(&store, minute(50))
}

#[test]
fn a_consequence_hangs_under_its_cause_even_when_it_was_seen_earlier() {
    let list =
        |onsets: &[Onset]| onsets.iter().map(|o| (o.name.clone(), o.under.clone(), o.first_fault)).collect::<Vec<_>>();
    let of = |name: &str, under: Option<&str>, first| (name.to_owned(), under.map(str::to_owned), first);
    let without = called(&[]);
    assert_eq!(list(&hung(&without)), [of("users", None, false), of("mrg", None, true), of("upg", None, false)]);
    let with = called(&[("mrg", "upg")]);
    assert_eq!(list(&hung(&with)), [of("users", None, false), of("upg", None, true), of("mrg", Some("upg"), false)]);
    // In a circle neither is below the other.
    let circle = called(&[("mrg", "upg"), ("upg", "mrg")]);
    assert_eq!(list(&hung(&circle)), [of("users", None, false), of("mrg", None, true), of("upg", None, false)]);
}

#[test]
fn without_a_baseline_a_lane_that_left_by_less_than_the_ratio_is_still_listed() {
    let users = level(&[(30, 100.0), (20, 300.0)]);
    // One percent of a share that never moved by a tenth: a wobble makes it measured, not constant.
    let share: Vec<f64> = (0..50).map(|i| if i < 32 { 99.9 - 0.05 * f64::from(i % 2) } else { 98.0 }).collect();
    let mut store = store(&[("users", &users), ("share", &share)]);
    store.incident.lanes[1].bad = Bad::Low;
    let onsets = broke_first(&store, minute(50));
    assert_eq!(
        onsets.iter().map(|o| (o.name.as_str(), o.at)).collect::<Vec<_>>(),
        [("users", minute(30)), ("share", minute(32))]
    );
}

#[test]
fn a_rise_is_marked_before_it_has_lasted_and_forgotten_when_it_does_not() {
    let rising = level(&[(20, 100.0), (1, 112.0), (1, 130.0), (20, 100.0)]);
    let store = store(&[("users", &rising)]);
    assert_eq!(spike(&store, minute(21)), None, "one minute is a wobble");
    assert_eq!(spike(&store, minute(22)).map(|s| s.onset), Some(minute(20)));
    assert_eq!(spike(&store, minute(24)), None, "it came to nothing");
}
