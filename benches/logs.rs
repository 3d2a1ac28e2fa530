//! Logs at disk speed: a generated JSON dump counted and searched (budget for 1 GiB: 1.5 s, and twice what a
//! dedicated search program takes), and messages mined (budget: 1 µs a line).
//!
//! `cargo bench --bench logs`

#![expect(clippy::unwrap_used, reason = "a bench without its file is none")]

use divan::counter::{BytesCount, ItemsCount};
use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;
use warroom::config::LogConfig;
use warroom::model::{Lapse, Stamp, Zone};
use warroom::source::dump::{self, Ask, Histogram};
use warroom::source::logs::glance::Glancer;
use warroom::store::miner::Miner;

/// Lines of the dump: 64 MB.
const LINES: u64 = 300_000;

fn main() {
    divan::main();
}

fn message(n: u64) -> String {
    const SAID: [&str; 6] = [
        "payment request accepted",
        "no connection within 5000ms (in_use=20 max=20)",
        "callback received from upg",
        "circuit breaker opened for upg",
        "saga step RECORD done",
        "timeout waiting for upg response",
    ];
    format!("{} after {} ms", SAID[(n / 64 % 6) as usize], n % 9_000)
}

/// A number without a pattern.
fn odd(n: u64) -> u64 {
    n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33
}

static DUMP: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
    const LEVELS: [&str; 5] = ["info", "info", "debug", "warn", "error"];
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut out = std::io::BufWriter::new(&mut file);
    for i in 0..LINES {
        let n = odd(i);
        let (minute, second) = (i / 6_000 % 60, i / 100 % 60);
        let wrote = writeln!(
            out,
            "{{\"time\":\"2025-01-12T19:{minute:02}:{second:02}.{:03}+07:00\",\"level\":\"{}\",\"service\":\"mrg-api-{}\",\"order_id\":\"ORD-2025011200{:07}\",\"trace_id\":\"{n:016x}{i:016x}\",\"msg\":\"{}\",\"attempt\":{},\"node\":\"10.0.4.{}\"}}",
            i % 1_000,
            LEVELS[(n % 5) as usize],
            n / 16 % 4,
            n % 4_000_000,
            message(n),
            n % 5,
            n % 250
        );
        wrote.unwrap();
    }
    drop(out);
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
        let read = dump::histogram(DUMP.path(), &Ask::default(), &glancer, Stamp(0), &mut histogram, || true);
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
        let read = dump::search(DUMP.path(), &ask, &glancer, Stamp(0), each, || true);
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
