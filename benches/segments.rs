//! What a million orders share: words of eight columns into numbers, and the conjunctions that stand out
//! (budget: 2 s and 200 MiB; the process's peak is printed by `/usr/bin/time -v`).
//!
//! `cargo bench --bench segments`

use divan::counter::ItemsCount;
use std::sync::Arc;
use warroom::analysis::cohort::Table;

const ROWS: usize = 1_000_000;
/// Values of each column; the last is a pod with a name of its own for each deployment.
const VALUES: [usize; 8] = [12, 6, 5, 8, 48, 4, 40, 2_000];

fn main() {
    divan::main();
}

fn rows() -> Vec<([u16; 8], bool)> {
    let mut state = 7_u64;
    let mut next = move |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let row = |_| {
        let values: [u16; 8] = std::array::from_fn(|column| next(VALUES[column]) as u16);
        let planted = values[0] == 3 && values[2] == 1 && values[5] == 2;
        (values, next(1_000) < if planted { 120 } else { 20 })
    };
    (0..ROWS).map(row).collect()
}

#[divan::bench(sample_count = 5)]
fn what_a_million_orders_share(bencher: divan::Bencher<'_, '_>) {
    let word = |column: usize, value: usize| format!("column{column}-value{value}");
    let words: Vec<Vec<String>> =
        VALUES.iter().enumerate().map(|(column, n)| (0..*n).map(|value| word(column, value)).collect()).collect();
    let rows = rows();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut table = Table::new((0..VALUES.len()).map(|c| Arc::from(format!("column{c}"))));
        for (values, bad) in &rows {
            let said = values.iter().enumerate().map(|(column, value)| Some(&*words[column][usize::from(*value)]));
            table.add(said, u32::from(*bad), 1);
        }
        let found = table.segments();
        assert_eq!(found[0].terms.len(), 3, "the planted segment is found");
        found.len()
    });
}
