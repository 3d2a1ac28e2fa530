//! What a simulated day costs: living it with the usual Sunday beside it, and writing it as the files of an export,
//! which somebody who wants data waits for.
//!
//! `cargo bench --bench simulator`

#![expect(clippy::unwrap_used, reason = "a bench fails loudly")]

use divan::counter::{BytesCount, ItemsCount};
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use warroom::simulator::day::Day;
use warroom::simulator::{export, scenario};

fn main() {
    divan::main();
}

/// Takes everything and remembers how much it was; many files may share one.
#[derive(Clone, Copy)]
struct Sink<'c>(&'c AtomicU64);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lived() -> Day {
    Day::whole(scenario::named("pool").unwrap(), 1)
}

fn day() -> &'static Day {
    static DAY: OnceLock<Day> = OnceLock::new();
    DAY.get_or_init(lived)
}

fn tables() -> u64 {
    let bytes = AtomicU64::new(0);
    for part in export::parts(&day().scenario) {
        part.write(day(), &mut Sink(&bytes)).unwrap();
    }
    bytes.into_inner()
}

fn logs() -> u64 {
    let bytes = AtomicU64::new(0);
    export::logs(day(), |_| Ok(Sink(&bytes))).unwrap();
    bytes.into_inner()
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_whole_day_lived(bencher: divan::Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(day().history.lives.len())).bench_local(lived);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn tables_of_a_whole_day(bencher: divan::Bencher<'_, '_>) {
    bencher.counter(BytesCount::new(tables())).bench_local(tables);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn logs_of_a_whole_day(bencher: divan::Bencher<'_, '_>) {
    bencher.counter(BytesCount::new(logs())).bench_local(logs);
}
