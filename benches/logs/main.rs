//! Logs at disk speed: a generated JSON dump counted and searched (budget for 1 GiB: 1.5 s, and twice what a
//! dedicated search program takes), and messages mined (budget: 1 µs a line).
//!
//! `cargo bench --bench logs`. With a folder in `WARROOM_BENCH_DUMP` the promise's own scale instead, see
//! [`scale`]; with seconds in `WARROOM_BENCH_FOLLOW` a file that grows, see [`follow`].

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench without its file is none; it measures with the clock and speaks to a person"
)]

mod dump;
mod follow;
mod scale;

use crate::dump::{message, odd};
use divan::counter::{BytesCount, ItemsCount};
use std::path::Path;
use std::sync::LazyLock;
use warroom::config::LogConfig;
use warroom::model::{Lapse, Stamp, Zone};
use warroom::source::dump::{self as reading, Ask, Histogram};
use warroom::source::logs::glance::Glancer;
use warroom::store::miner::Miner;

/// Lines of the dump: 64 MB.
const LINES: u64 = 300_000;

fn main() {
    let given = |name: &str| std::env::var_os(name);
    let number = |name: &str| given(name).map(|n| n.to_str().unwrap().parse::<u64>().unwrap());
    if let (Some(folder), Some(lines)) = (given("WARROOM_BENCH_WRITE"), number("WARROOM_BENCH_LINES")) {
        follow::write(Path::new(&folder), lines);
    } else if let Some(folder) = given("WARROOM_BENCH_DUMP") {
        scale::measure(Path::new(&folder));
    } else if let Some(seconds) = number("WARROOM_BENCH_FOLLOW") {
        follow::measure(seconds);
    } else {
        divan::main();
    }
}

static DUMP: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
    let file = tempfile::NamedTempFile::new().unwrap();
    dump::write(0..LINES, file.as_file()).unwrap();
    file
});

fn glancer() -> Glancer {
    Glancer::new(&LogConfig::usual("dump", &Zone::wib())).unwrap()
}

fn size(path: &Path) -> BytesCount {
    BytesCount::new(std::fs::metadata(path).map_or(0, |m| m.len()))
}

#[divan::bench(sample_count = 20)]
fn a_histogram(bencher: divan::Bencher<'_, '_>) {
    let glancer = glancer();
    bencher.counter(size(DUMP.path())).bench_local(|| {
        let mut histogram = Histogram::new(Lapse::minutes(1), &Zone::wib());
        let read = reading::histogram(DUMP.path(), &Ask::default(), &glancer, Stamp(0), &mut histogram, || true);
        (read, histogram.buckets().count())
    });
}

#[divan::bench(sample_count = 20, args = ["no connection within", "upg.*[0-9]{4} ms", "(?i)circuit|refused", "nowhere"])]
fn a_search(bencher: divan::Bencher<'_, '_>, pattern: &str) {
    let glancer = glancer();
    let ask = Ask::default().pattern(pattern).unwrap();
    bencher.counter(size(DUMP.path())).bench_local(|| {
        let mut found = 0_u64;
        let each = |line: &[u8]| {
            found += u64::from(!line.is_empty());
            true
        };
        let read = reading::search(DUMP.path(), &ask, &glancer, Stamp(0), each, || true);
        (read, found)
    });
}

#[divan::bench(sample_count = 20)]
fn messages_mined(bencher: divan::Bencher<'_, '_>) {
    let messages: Vec<String> = (0..100_000).map(|n| message(odd(n))).collect();
    bencher.counter(ItemsCount::new(messages.len())).bench_local(|| {
        let mut miner = Miner::default();
        messages.iter().map(|m| u64::from(miner.take(m.as_bytes()))).sum::<u64>()
    });
}

#[divan::bench]
fn a_thousand_shapes_gathered(bencher: divan::Bencher<'_, '_>) {
    let mut miner = Miner::default();
    let letters = |n: u64| -> String { n.to_string().bytes().map(|b| char::from(b - b'0' + b'g')).collect() };
    for n in 0..1_000 {
        miner.take(format!("{} {} of {}", message(n), letters(n / 10), letters(n % 97)).as_bytes());
    }
    bencher.bench_local(|| miner.gather().templates.len());
}
