//! Tests of `analysis::onset`, as stories of an evening.

use super::*;
use proptest::prelude::*;

fn series(rows: usize, seed: u64, mut at: impl FnMut(usize, f64) -> f64) -> Vec<Option<f64>> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as f64 / f64::from(1_u32 << 31) - 1.0
    };
    (0..rows).map(|i| Some(at(i, noise()))).collect()
}

fn step(seed: u64, from: usize, usual: f64, since: f64) -> Vec<Option<f64>> {
    series(400, seed, |i, n| if i < from { usual } else { since } + 0.02 * usual * n)
}

fn ranked(all: &[Vec<Option<f64>>], noticed: usize) -> Ranking {
    let signals: Vec<Signal<'_>> = all.iter().map(|v| Signal { values: v, bad: Bad::High }).collect();
    rank(&signals, noticed).unwrap()
}

/// Pool, latency and errors break one after the other; the fourth signal has nothing to do with it.
fn evening() -> Vec<Vec<Option<f64>>> {
    vec![step(1, 212, 0.2, 0.9), step(2, 205, 40.0, 95.0), step(3, 220, 1.0, 1.5), step(4, 999, 7.0, 7.0)]
}

#[test]
fn the_order_in_which_they_left_is_told_with_its_rows() {
    let ranking = ranked(&evening(), 205);
    let order: Vec<(usize, Option<usize>)> = ranking.by_onset().iter().map(|d| (d.signal, d.onset)).collect();
    assert_eq!(order, [(1, Some(205)), (0, Some(212)), (2, Some(220))]);
    assert_eq!(ranking.departures[0].signal, 0, "3.5 times the level is the largest departure");
}

#[test]
fn noticed_a_minute_late_the_answer_is_the_same() {
    let on_time = ranked(&evening(), 205);
    for late in [15, 45, 75, 120] {
        let ranking = ranked(&evening(), 205 + late);
        assert!(ranking.turn.abs_diff(on_time.turn) <= 15, "{late} rows late: {} {}", ranking.turn, on_time.turn);
        let order = |r: &Ranking| r.by_onset().iter().map(|d| (d.signal, d.onset)).collect::<Vec<_>>();
        assert_eq!(order(&ranking), order(&on_time), "{late} rows late");
    }
}

#[test]
fn a_constant_a_gap_and_what_was_never_measured_disturb_nobody() {
    let mut all = evening();
    all[1].iter_mut().skip(100).step_by(3).for_each(|v| *v = None);
    all.extend([vec![Some(5.0); 400], vec![None; 400], vec![Some(f64::NAN); 400]]);
    let ranking = ranked(&all, 215);
    assert!(ranking.departures.iter().all(|d| d.score.is_finite() && d.signal < 5), "{ranking:?}");
    assert_eq!(ranking.by_onset()[0].signal, 1);
}

#[test]
fn a_step_of_what_never_moved_is_large_and_not_infinite() {
    let flat: Vec<Option<f64>> = (0..400).map(|i| Some(if i < 300 { 8e6 } else { 8.1e6 })).collect();
    let ranking = ranked(&[flat, step(5, 300, 1.0, 30.0)], 300);
    assert_eq!(ranking.departures[0].signal, 1, "thirty times is more than one part in eighty");
    assert!(ranking.departures[1].score < 50.0, "{ranking:?}");
}

#[test]
fn a_fall_on_the_harmless_side_comes_after_a_rise() {
    let all = [step(6, 200, 100.0, 0.0), step(7, 200, 100.0, 180.0)];
    assert_eq!(ranked(&all, 200).departures[0].signal, 1);
    let signals = [Signal { values: &all[0], bad: Bad::Low }, Signal { values: &all[1], bad: Bad::High }];
    assert_eq!(rank(&signals, 200).unwrap().departures[0].signal, 0, "a success rate that falls is trouble");
}

#[test]
fn without_an_answer_there_is_a_reason() {
    let flat = vec![Some(1.0); 100];
    let signals = [Signal { values: &flat, bad: Bad::High }];
    assert_eq!(rank(&signals, 3), Err(Blank::TooFewBefore(3)));
    assert_eq!(rank(&signals, 100), Err(Blank::NothingAfter));
    assert_eq!(rank(&signals, 50), Err(Blank::NothingMoves));
    assert_eq!(rank(&[], 50), Err(Blank::NothingAfter));
    assert!(Blank::TooFewBefore(3).to_string().contains("3 rows before"));
}

proptest! {
    #[test]
    fn units_do_not_matter(power in -20..20_i32) {
        let unit = 2_f64.powi(power);
        let all = evening();
        let mut other = all.clone();
        other[0].iter_mut().flatten().for_each(|v| *v *= unit);
        prop_assert_eq!(ranked(&all, 230).by_onset()[0].signal, ranked(&other, 230).by_onset()[0].signal);
        let scores = |r: &Ranking| r.departures.iter().map(|d| d.score).collect::<Vec<_>>();
        prop_assert_eq!(scores(&ranked(&all, 230)), scores(&ranked(&other, 230)));
    }
}
