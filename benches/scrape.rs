//! What one look at a pod costs us: two megabytes of metrics read, of which some dozens are wanted, and the
//! measures made of two looks. Two megabytes are what a service with too many labels says, and they are read on
//! a thread of their own, so that they delay no key and no other source.
//!
//! `cargo bench --bench scrape`

#![expect(clippy::unwrap_used, reason = "a bench fails loudly")]

use divan::counter::BytesCount;
use std::fmt::Write as _;
use warroom::config::measure::Measure;
use warroom::config::preset::PRESETS;
use warroom::model::{Lapse, Stamp};
use warroom::source::prometheus::exposition::{self, Format};
use warroom::source::prometheus::growth::{Kin, Look, Made, make, together};
use warroom::source::prometheus::reading::{Reading, Wanted};

const NOW: Stamp = Stamp::from_secs(1_736_686_800);

fn main() {
    divan::main();
}

/// A service with everything the presets know, and two megabytes of what they do not.
fn text(look: u32) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "go_goroutines 1900\ngo_gc_duration_seconds_sum {look}\ngo_gc_duration_seconds_count {look}");
    let _ = writeln!(out, "pgxpool_acquired_conns 36\npgxpool_max_conns 40\npgxpool_acquire_count {}", 1000 * look);
    let _ = writeln!(out, "pgxpool_acquire_duration_ns {}", 1_000_000_000_u64 * u64::from(look));
    for route in 0..40 {
        for code in [200, 404, 503] {
            let _ = writeln!(out, "http_requests_total{{route=\"/v1/{route}\",code=\"{code}\"}} {}", 100 * look);
        }
        for (i, le) in ["0.005", "0.01", "0.05", "0.1", "0.5", "1", "5", "+Inf"].iter().enumerate() {
            let n = (i as u32 + 1) * 10 * look;
            let _ = writeln!(out, "http_request_duration_seconds_bucket{{route=\"/v1/{route}\",le=\"{le}\"}} {n}");
        }
    }
    let mut i = 0;
    while out.len() < 2 << 20 {
        let _ = writeln!(out, "orders_total{{shop=\"shop-{i}\",region=\"jakarta\",status=\"paid\"}} {i}.5");
        i += 1;
    }
    out
}

fn measures() -> Vec<Measure> {
    PRESETS.iter().flat_map(|(_, p)| p.measures()).collect()
}

#[divan::bench]
fn every_sample_of_2_mb(bencher: divan::Bencher<'_, '_>) {
    let text = text(1);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| exposition::read(&text, Format::Text, |_| Ok(())).samples);
}

#[divan::bench]
fn what_is_wanted_of_2_mb(bencher: divan::Bencher<'_, '_>) {
    let (text, wanted) = (text(1), Wanted::by(&measures()));
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| Reading::of_text(&text, Format::Text, &wanted, NOW).rows.len());
}

#[divan::bench]
fn measures_of_two_looks(bencher: divan::Bencher<'_, '_>) {
    let measures = measures();
    let wanted = Wanted::by(&measures);
    let look = |n: u32| {
        let at = NOW + Lapse::seconds(15 * i64::from(n));
        Look { at, skew: Lapse::ZERO, reading: Reading::of_text(&text(n), Format::Text, &wanted, at) }
    };
    let (before, now) = (look(1), look(2));
    let made = || {
        let value = |m: &Measure| {
            m.recipes.iter().find_map(|r| match make(r, &now, Some((&before, Kin::Same))) {
                Made::Parts(parts) => together(m.across, r, &parts),
                Made::Absent | Made::NotYet => None,
            })
        };
        measures.iter().filter_map(value).count()
    };
    assert!(made() > 10);
    bencher.bench_local(made);
}

#[divan::bench]
fn debug_vars(bencher: divan::Bencher<'_, '_>) {
    let pauses: Vec<String> = (0..256).map(|i| i.to_string()).collect();
    let vars = format!(
        "{{\"goroutines\":1900,\"memstats\":{{\"HeapInuse\":1,\"NumGC\":7,\"PauseTotalNs\":9,\"PauseNs\":[{}]}}}}",
        pauses.join(",")
    );
    let wanted = Wanted::by(&measures());
    bencher.bench_local(|| Reading::of_vars(vars.as_bytes(), &wanted).unwrap().rows.len());
}
