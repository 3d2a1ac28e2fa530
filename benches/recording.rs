//! A day of five hundred series at a point a second: 43.2 million points through the real recorder, opened,
//! asked and read back. `cargo bench --bench recording`; the recording is made once, under `target/`.
//!
//! Budgets: open to a store ready for the first frame ≤ 1 s, resident ≤ 256 MiB, thirteen lanes of 120
//! columns well under the 16 ms of a key.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails may stop; it speaks to a person"
)]

use divan::{Bencher, black_box};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use warroom::model::batch::Samples;
use warroom::model::log::{Level, LogLine};
use warroom::model::{Batch, Fact, Lapse, Span, Stamp};
use warroom::recording::{Options, Reader, Recorder};
use warroom::store::{LogIndex, Store};

const SERIES: usize = 500;
const DAY: i64 = 86_400;
const T0: Stamp = Stamp::from_secs(1_736_614_800);

fn main() {
    let folder = day();
    let before = resident();
    let store = Reader::open(&folder).unwrap().0.overview();
    println!("points: {}, on disk {} MB", SERIES as i64 * DAY, bytes(&folder) >> 20);
    println!("resident with the day open: {} MB (before: {} MB)", resident() >> 10, before >> 10);
    drop(store);
    divan::main();
}

/// The recording, made when it is not there yet.
fn day() -> PathBuf {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let folder = target.join("bench-day-500");
    let done = folder.join("complete");
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&folder);
        println!("making 43.2 million points, once");
        let mut recorder = Recorder::open(&folder, Options::default()).unwrap();
        (0..DAY).for_each(|n| assert!(recorder.append(&second(n)).is_none()));
        assert_eq!(recorder.state().trouble, None);
        recorder.finish().unwrap();
        std::fs::write(done, "").unwrap();
    }
    folder
}

/// Values that wander like counts and latencies do: most change a little, some stay.
fn second(n: i64) -> Batch {
    static NAMES: LazyLock<Vec<Arc<str>>> =
        LazyLock::new(|| (0..SERIES).map(|s| format!("metrics.service_{}.measure_{s}", s % 12).into()).collect());
    let at = T0 + Lapse::seconds(n);
    let value = |s: usize| {
        let noise = (n.wrapping_mul(2_654_435_761).wrapping_add(s as i64 * 40_503) >> 7).rem_euclid(100);
        let slow = ((n / 60 + s as i64 * 7) % 1440) as f64;
        if s.is_multiple_of(4) {
            ((slow + noise as f64) * 10.0).round() / 1000.0
        } else {
            (slow * 3.0).round() + noise as f64
        }
    };
    let values = NAMES.iter().enumerate().map(|(s, name)| (name.clone(), value(s))).collect();
    let facts = vec![Fact::Samples(Samples { at, values })];
    Batch { source: "metrics".into(), seq: n as u64 + 1, seen: at, facts }
}

fn bytes(folder: &Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum()
}

/// Resident kilobytes of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

#[divan::bench(sample_count = 10)]
fn open_a_day_to_its_first_frame(bencher: Bencher) {
    let folder = day();
    bencher.bench_local(|| {
        let store = Reader::open(&folder).unwrap().0.overview();
        black_box(thirteen_lanes(&store, T0, Lapse::minutes(12)))
    });
}

/// What a frame of the timeline asks.
fn thirteen_lanes(store: &Store, from: Stamp, step: Lapse) -> usize {
    let lane = |s: &str| store.series(s).unwrap().columns(from, step, 120).iter().flatten().count();
    store.series_names().step_by(SERIES / 13).take(13).map(|name| lane(name)).sum()
}

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let (reader, _) = Reader::open(&day()).unwrap();
    let mut store = reader.overview();
    let span = store.missing(Span::new(T0 + Lapse::hours(12), T0 + Lapse::hours(12) + Lapse::minutes(10))).unwrap();
    store.insert_past(span, &reader.load(span));
    store
});

#[divan::bench(args = [1, 2, 5, 10, 60, 300, 720, 7])]
fn columns_of_thirteen_lanes_by_seconds_a_column(seconds: i64) -> usize {
    thirteen_lanes(&STORE, black_box(T0 + Lapse::hours(12)), Lapse::seconds(seconds))
}

#[divan::bench(sample_count = 20)]
fn load_two_minutes(bencher: Bencher) {
    let (reader, _) = Reader::open(&day()).unwrap();
    let from = T0 + Lapse::hours(7);
    bencher.bench_local(|| reader.load(Span::new(from, from + Lapse::minutes(2))).len());
}

#[divan::bench(sample_count = 10)]
fn take_in_two_minutes(bencher: Bencher) {
    let (reader, _) = Reader::open(&day()).unwrap();
    let from = T0 + Lapse::hours(7);
    let batches = reader.load(Span::new(from, from + Lapse::minutes(2)));
    let mut store = reader.overview();
    bencher.bench_local(|| store.insert_past(Span::new(from, from + Lapse::minutes(2)), &batches));
}

#[divan::bench(sample_count = 10)]
fn apply_a_minute_of_500_series(bencher: Bencher) {
    let batches: Vec<Batch> = (0..60).map(second).collect();
    bencher.with_inputs(Store::default).bench_local_values(|mut store| {
        for b in &batches {
            store.apply(b);
        }
        store
    });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_million_log_lines(bencher: Bencher) {
    let line = |n: i64| LogLine {
        at: T0 + Lapse::millis(n),
        service: "mrg-api".into(),
        level: Level::Error,
        order: Some(format!("ORD-{}", n % 5000).into()),
        trace: None,
        message: format!("acquire connection timeout after {n} ms").into(),
        stack: Vec::new(),
    };
    let lines: Vec<LogLine> = (0..1_000_000).map(line).collect();
    bencher.bench_local(|| {
        let mut index = LogIndex::default();
        for (seq, lines) in (1..).zip(lines.chunks(500)) {
            let batch = Batch { source: "logs".into(), seq, seen: T0, facts: Vec::new() };
            index.take(&batch, 0, lines);
        }
        index
    });
}
