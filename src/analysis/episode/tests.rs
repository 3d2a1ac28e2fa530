//! Tests of `analysis::episode`, as stories of lanes.

use super::*;
use proptest::prelude::*;
use std::f64::consts::TAU;

/// Even noise between -1 and 1, the same for the same seed.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as f64 / f64::from(1_u32 << 31) - 1.0
    }
}

fn lane(points: usize, seed: u64, mut at: impl FnMut(usize, f64) -> f64) -> Vec<Option<f64>> {
    let mut noise = noise(seed);
    (0..points).map(|i| Some(at(i, noise()))).collect()
}

fn alarms_after(values: &[Option<f64>], learnt: usize) -> Vec<usize> {
    read(values).alarms().into_iter().filter(|at| *at >= learnt).collect()
}

#[test]
fn a_step_is_told_at_once_and_dated_to_its_first_point() {
    let values = lane(600, 1, |i, n| if (400..460).contains(&i) { 180.0 } else { 100.0 } + 2.0 * n);
    let reading = read(&values);
    let [episode] = reading.episodes.as_slice() else { panic!("{:?}", reading.episodes) };
    assert_eq!((episode.onset, episode.alarms[0], episode.recovery), (400, 400, Some(460)));
    assert!((400..460).contains(&episode.peak.0) && episode.peak.1 > 179.0 && episode.rose, "{episode:?}");
    assert!((episode.usual - 100.0).abs() < 1.0 && episode.confidence > 0.9, "{episode:?}");
    assert!(reading.scores[400] > 0.9 && reading.scores[..400].iter().all(|s| *s < 0.5));
}

#[test]
fn a_single_point_is_an_episode_and_so_is_a_fall() {
    let up = lane(500, 2, |i, n| if i == 300 { 130.0 } else { 100.0 + n });
    let [episode] = &read(&up).episodes[..] else { panic!() };
    assert_eq!((episode.onset, episode.peak, episode.recovery), (300, (300, 130.0), Some(301)));
    let down = lane(500, 3, |i, n| if (300..340).contains(&i) { 60.0 + n } else { 100.0 + n });
    let [episode] = &read(&down).episodes[..] else { panic!() };
    assert!(!episode.rose && episode.onset == 300 && episode.recovery == Some(340), "{episode:?}");
}

#[test]
fn a_slow_shift_is_dated_to_where_it_began() {
    // A third of the noise, for good: no single point is news, thirty of them are.
    let values = lane(900, 4, |i, n| if i < 600 { 50.0 + 6.0 * n } else { 57.0 + 6.0 * n });
    let [episode, ..] = &read(&values).episodes[..] else { panic!("not seen") };
    assert!(episode.alarms[0] < 640, "told at {}", episode.alarms[0]);
    assert!(episode.onset.abs_diff(600) <= 8, "dated to {}", episode.onset);
}

#[test]
fn what_comes_again_with_the_season_is_no_news() {
    let day = 288;
    let values = lane(day * 14, 5, |i, n| 100.0 + 60.0 * (i as f64 / day as f64 * TAU).sin() + 4.0 * n);
    assert_eq!(alarms_after(&values, day), [0; 0]);
}

#[test]
fn bursts_that_a_lane_always_had_are_no_news_and_a_greater_one_is() {
    let burst = |i: usize, n: f64| if i % 37 < 2 { 300.0 + 40.0 * n } else { 5.0 + 2.0 * n };
    assert_eq!(alarms_after(&lane(4000, 6, burst), 300), [0; 0]);
    let values = lane(4000, 6, |i, n| if i == 3000 { 700.0 } else { burst(i, n) });
    assert_eq!(alarms_after(&values, 300), [3000]);
}

#[test]
fn a_counter_that_climbs_is_no_news_and_its_reset_is() {
    let values = lane(3000, 7, |i, n| if i < 2000 { 10.0 * i as f64 + n } else { 10.0 * (i - 2000) as f64 + n });
    assert_eq!(alarms_after(&values, 100).first(), Some(&2000));
}

#[test]
fn a_gauge_that_never_moved_may_twitch_by_a_last_digit() {
    let values = lane(1000, 8, |i, _| if i == 500 { 1_000.000_1 } else { 1000.0 });
    assert_eq!(read(&values).episodes, []);
    let values = lane(1000, 8, |i, _| if i == 500 { 1010.0 } else { 1000.0 });
    assert_eq!(read(&values).alarms(), [500]);
    let errors = lane(1000, 8, |i, _| f64::from(u8::from(i == 700)));
    assert_eq!(read(&errors).alarms(), [700], "the first error ever");
}

#[test]
fn nothing_comes_of_nothing() {
    for values in [vec![], vec![Some(1.0)], vec![None; 50], vec![Some(f64::NAN); 50], vec![Some(f64::INFINITY)]] {
        let reading = read(&values);
        assert_eq!(reading.episodes, []);
        assert_eq!(reading.scores, vec![0.0; values.len()]);
    }
}

#[test]
fn points_that_were_not_measured_move_nothing() {
    let whole = lane(800, 9, |i, n| if (500..560).contains(&i) { 40.0 } else { 10.0 } + n);
    let mut gappy = whole.clone();
    gappy.iter_mut().enumerate().filter(|(i, _)| i % 3 == 1 || (200..260).contains(i)).for_each(|(_, v)| *v = None);
    let [episode] = &read(&gappy).episodes[..] else { panic!() };
    assert!(episode.onset.abs_diff(500) <= 1 && episode.recovery.is_some_and(|r| r.abs_diff(560) <= 1), "{episode:?}");
}

#[test]
fn a_new_normal_ends_an_episode() {
    let values = lane(1500, 10, |i, n| if i < 500 { 20.0 } else { 30.0 } + n);
    let [episode, ..] = &read(&values).episodes[..] else { panic!() };
    assert_eq!(episode.onset, 500);
    assert!(episode.recovery.is_some_and(|r| (600..900).contains(&r)), "{episode:?}");
}

#[test]
fn trouble_that_comes_back_within_the_quiet_is_the_same_episode() {
    let values = lane(900, 11, |i, n| if (500..520).contains(&i) || (560..580).contains(&i) { 90.0 } else { 20.0 } + n);
    assert_eq!(read(&values).episodes.len(), 1);
}

proptest! {
    #[test]
    fn nothing_later_than_a_point_is_used_for_it(values in prop::collection::vec(-1e6..1e6_f64, 0..300), cut in 0..300_usize) {
        let values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
        let cut = cut.min(values.len());
        let (whole, part) = (read(&values), read(&values[..cut]));
        prop_assert_eq!(&whole.scores[..cut], &part.scores[..]);
        prop_assert!(whole.scores.iter().all(|s| (0.0..=1.0).contains(s)));
    }

    #[test]
    fn a_day_read_at_once_is_the_day_point_by_point(
        seed in 0..1000_u64, stray in 0.0..8.0_f64, step in prop::option::of((100..900_usize, 1..200_usize)), gap in 0..40_usize,
    ) {
        // Quiet stretches, troubles of any height, holes anywhere.
        let inside = |i: usize| step.is_some_and(|(from, long)| (from..from + long).contains(&i));
        let mut values = lane(1000, seed, |i, n| 50.0 + stray * n + if inside(i) { seed as f64 / 20.0 } else { 0.0 });
        values.iter_mut().skip(7).step_by(gap + 1).for_each(|v| *v = v.filter(|_| gap < 3));
        let mut watch = Watch::default();
        let scores: Vec<f64> = values.iter().enumerate().map(|(at, v)| v.map_or(0.0, |v| watch.take(at, v))).collect();
        let once = read(&values);
        prop_assert_eq!(&once.scores, &scores);
        prop_assert_eq!(once.episodes, watch.finish());
    }

    #[test]
    fn the_unit_does_not_matter(values in prop::collection::vec(1.0..100.0_f64, 100..400), power in -2..10_i32) {
        // A power of two changes no digit, so even the rounding is the same.
        let unit = 2_f64.powi(power);
        let here: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
        let there: Vec<Option<f64>> = values.iter().map(|v| Some(v * unit)).collect();
        prop_assert_eq!(read(&here).alarms(), read(&there).alarms());
    }

    #[test]
    fn episodes_are_in_order_and_hold_together(values in prop::collection::vec(prop::option::of(-1e3..1e3_f64), 0..600)) {
        let episodes = read(&values).episodes;
        for e in &episodes {
            prop_assert!(e.onset <= e.alarms[0] && e.onset <= e.peak.0);
            prop_assert!(e.recovery.is_none_or(|r| r >= e.alarms[0]));
            prop_assert_eq!(values[e.peak.0], Some(e.peak.1));
        }
        prop_assert!(episodes.windows(2).all(|w| w[0].alarms[0] < w[1].alarms[0]));
    }
}

/// A run that rises over `flank` rows from `onset` on and is back at `over`.
fn flanked(rows: usize, (onset, over, flank): (usize, usize, f64), seed: u64) -> Vec<Option<f64>> {
    lane(rows, seed, |i, n| {
        let up = ((i as f64 - onset as f64) / flank).clamp(0.0, 1.0);
        let down = ((over as f64 - i as f64) / flank).clamp(0.0, 1.0);
        30.0 + 4.0 * up.min(down) + n
    })
}

#[test]
fn a_run_is_dated_to_the_foot_of_its_flank() {
    let calm = lane(1100, 20, |_, n| 7.0 + n);
    let found = dated(&[calm, flanked(1100, (560, 960, 90.0), 21)]).unwrap();
    assert_eq!(found.signal, 1);
    assert!(found.onset.abs_diff(560) <= 30, "{found:?}");
    assert!(found.recovery.is_some_and(|r| r.abs_diff(960) <= 30), "{found:?}");
    assert!((600..960).contains(&found.peak), "{found:?}");
}

#[test]
fn a_run_that_is_not_over_has_no_recovery() {
    let found = dated(&[flanked(1000, (700, 5000, 1.0), 22)]).unwrap();
    assert!(found.onset.abs_diff(700) <= 10 && found.recovery.is_none(), "{found:?}");
}

#[test]
fn neither_noise_nor_a_slope_nor_a_constant_is_an_episode() {
    let noise = lane(1000, 23, |_, n| n);
    let slope = lane(1000, 24, |i, n| 0.5 * i as f64 + n);
    assert_eq!(dated(&[noise, slope, vec![Some(3.0); 1000], vec![None; 1000]]), None);
    assert_eq!(dated(&[]), None);
    assert_eq!(dated(&[vec![Some(1.0); 5]]), None);
}
