//! What watching costs us: a day of 500 lanes read anew (budget: 100 ms), one point of one lane (budget:
//! 1 µs), what broke first in an hour of 500 lanes, and what 30,000 orders share.
//!
//! `cargo bench --bench analysis`

use divan::counter::ItemsCount;
use warroom::analysis::cohort::{self, Cell};
use warroom::analysis::episode::{self, Watch};
use warroom::analysis::onset::{self, Signal};
use warroom::model::series::Bad;

const LANES: usize = 500;
/// A day at 10 s.
const DAY: usize = 8_640;

fn main() {
    divan::main();
}

/// A lane with a day's wave, noise, and an hour of trouble in every seventh.
fn lane(seed: usize, points: usize) -> Vec<Option<f64>> {
    let mut state = seed as u64 * 2_654_435_761 + 1;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
    };
    let value = |i: usize| {
        let wave = 100.0 + 40.0 * (i as f64 / DAY as f64 * std::f64::consts::TAU).sin();
        let trouble = if seed.is_multiple_of(7) && i > points * 3 / 4 && i < points * 3 / 4 + 360 { 3.0 } else { 1.0 };
        Some(wave * trouble + 10.0 * noise())
    };
    (0..points).map(value).collect()
}

fn lanes(points: usize) -> Vec<Vec<Option<f64>>> {
    (0..LANES).map(|seed| lane(seed, points)).collect()
}

#[divan::bench(sample_count = 20)]
fn a_day_of_500_lanes_read_anew(bencher: divan::Bencher<'_, '_>) {
    let lanes = lanes(DAY);
    bencher
        .counter(ItemsCount::new(LANES * DAY))
        .bench_local(|| lanes.iter().map(|l| episode::read(divan::black_box(l)).episodes.len()).sum::<usize>());
}

#[divan::bench]
fn one_point_of_500_lanes(bencher: divan::Bencher<'_, '_>) {
    let lanes = lanes(DAY);
    let mut watches: Vec<Watch> = vec![Watch::default(); LANES];
    let mut at = 0;
    bencher.counter(ItemsCount::new(LANES)).bench_local(|| {
        let mut told = 0.0;
        for (watch, lane) in watches.iter_mut().zip(&lanes) {
            told += watch.take(at, lane[at % DAY].unwrap_or(0.0));
        }
        at += 1;
        told
    });
}

#[divan::bench(sample_count = 20)]
fn what_broke_first_in_an_hour_of_500_lanes(bencher: divan::Bencher<'_, '_>) {
    let lanes = lanes(360);
    bencher.bench_local(|| {
        let signals: Vec<Signal<'_>> = lanes.iter().map(|l| Signal { values: l, bad: Bad::High }).collect();
        onset::rank(divan::black_box(&signals), 270).map(|r| r.departures.len())
    });
}

#[divan::bench(sample_count = 20)]
fn what_30_000_orders_share(bencher: divan::Bencher<'_, '_>) {
    let sizes = [12_u32, 4, 8, 3, 6];
    let mut cells: std::collections::BTreeMap<Vec<u32>, Cell> = std::collections::BTreeMap::new();
    for order in 0..30_000_u32 {
        let mixed = order.wrapping_mul(2_654_435_761);
        let values: Vec<u32> = sizes.iter().enumerate().map(|(i, n)| (mixed >> (5 * i)) % n).collect();
        let bad = f64::from(u8::from(values[1] == 2 && values[3] == 1 && order % 3 == 0));
        let cell = cells.entry(values.clone());
        let cell = cell.or_insert(Cell { values, bad: 0.0, total: 0.0, before: (0.0, 0.0) });
        cell.bad += bad;
        cell.total += 1.0;
    }
    let cells: Vec<Cell> = cells.into_values().collect();
    bencher.bench_local(|| cohort::explain(divan::black_box(&cells)));
}
