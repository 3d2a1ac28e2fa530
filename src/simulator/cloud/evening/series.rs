//! What the services say about themselves to Prometheus, twice a minute on both days. Counters of MRG's pods
//! begin again when a deployment reaches them.

use super::Mood;
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::world::Series;
use crate::simulator::day::Day;

const EVERY: Lapse = Lapse::seconds(30);
/// A gap of this length lies between the days.
const APART: Lapse = Lapse::hours(12);

/// A measure of one pod: its name, what more labels it has, whether it is a counter, and its value now or
/// its growth a second.
type Measure = (&'static str, &'static [(&'static str, &'static str)], &'static str, fn(&Mood<'_>) -> f64);

const GO: &[Measure] = &[
    ("up", &[], "gauge", |_| 1.0),
    ("go_goroutines", &[], "gauge", |m| (m.now(|b| b.goroutines) / 8.0).round()),
    ("go_memstats_heap_inuse_bytes", &[], "gauge", |m| (1_048_576.0 * m.now(|b| b.heap)).round()),
    ("process_cpu_seconds_total", &[], "counter", |m| 0.02 * m.host_cpu()),
    ("go_gc_duration_seconds_sum", &[], "counter", |m| 0.4 * m.load * m.minute.gc_pause()),
    ("go_gc_duration_seconds_count", &[], "counter", |m| 0.4 * m.load),
    ("go_cpu_classes_gc_total_cpu_seconds_total", &[], "counter", |m| 2.0 * m.now(|b| b.gc)),
    ("go_cpu_classes_total_cpu_seconds_total", &[], "counter", |_| 2.0),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "0.0001")], "histogram", |m| 0.4 * m.load),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "0.001")], "histogram", |m| 0.7 * m.load),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "0.01")], "histogram", |m| 0.8 * m.load),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "+Inf")], "histogram", |m| {
        0.8 * m.load + 0.2 * m.now(|b| b.gc)
    }),
    ("container_cpu_cfs_throttled_seconds_total", &[], "counter", |m| 0.002 * m.load + 0.1 * m.now(|b| b.gc)),
];

const MRG: &[Measure] = &[
    ("pgxpool_acquired_conns", &[], "gauge", |m| (m.used / 8.0).round()),
    ("pgxpool_max_conns", &[], "gauge", |m| f64::from(m.minute.set.mrg.pool)),
    ("pgxpool_empty_acquire_total", &[], "counter", |m| m.second(|b| b.waited) / 8.0),
    ("pgxpool_canceled_acquire_count_total", &[], "counter", |m| m.second(|b| b.refused + b.starved) / 8.0),
    ("pgxpool_acquire_count_total", &[], "counter", |m| m.second(|b| b.wait.n - b.refused - b.starved) / 8.0),
    ("pgxpool_acquire_duration_seconds_total", &[], "counter", |m| m.second(|b| b.wait.sum) / 8_000.0),
    ("http_requests_total", &[("code", "200")], "counter", |m| m.requests * (1.0 - m.failed) / 8.0),
    ("http_requests_total", &[("code", "500")], "counter", |m| m.second(|b| b.faults) / 8.0),
    ("http_requests_total", &[("code", "503")], "counter", |m| m.second(|b| b.refused) / 8.0),
    ("http_request_duration_seconds_bucket", &[("le", "0.1")], "histogram", |m| m.within(100.0)),
    ("http_request_duration_seconds_bucket", &[("le", "1")], "histogram", |m| m.within(1_000.0)),
    ("http_request_duration_seconds_bucket", &[("le", "10")], "histogram", |m| m.within(10_000.0)),
    ("http_request_duration_seconds_bucket", &[("le", "+Inf")], "histogram", |m| m.requests / 8.0),
    ("http_request_duration_seconds_count", &[], "histogram", |m| m.requests / 8.0),
    ("http_request_duration_seconds_sum", &[], "histogram", |m| {
        m.requests / 8.0 * (0.08 * m.slow() + m.wait_mean() / 1_000.0)
    }),
    ("circuit_breaker_state", &[("name", "upg-payment"), ("state", "open")], "gauge", |m| {
        f64::from(u8::from(m.breaker))
    }),
    ("circuit_breaker_state", &[("name", "upg-payment"), ("state", "closed")], "gauge", |m| {
        f64::from(u8::from(!m.breaker))
    }),
    ("circuit_breaker_rejections_total", &[("name", "upg-payment")], "counter", |m| m.second(|b| b.rejected) / 8.0),
];

const WHOLE: &[Measure] = &[("app_sessions_active", &[], "gauge", |m| m.users.round())];

/// Every series.
pub fn all(day: &Day, moods: &[(Stamp, Mood<'_>)], rng: &mut fastrand::Rng) -> Vec<Series> {
    let mut out = Vec::new();
    let deployed = deployments(day);
    for pod in 1..=8 {
        let restarts: Vec<Stamp> = deployed.iter().map(|at| *at + Lapse::seconds(25 * pod)).collect();
        let name = format!("mrg-api-{pod}");
        out.extend(GO.iter().chain(MRG).map(|m| series(m, "mrg-api", &name, &restarts, moods, rng)));
    }
    for (app, pods) in [("upg", 4), ("orchestrator", 2)] {
        for pod in 1..=pods {
            let name = format!("{app}-{pod}");
            out.extend(GO.iter().map(|m| series(m, app, &name, &[], moods, rng)));
        }
    }
    out.extend(WHOLE.iter().map(|m| series(m, "gateway", "gateway-1", &[], moods, rng)));
    if let Some(lost) = day.scenario.observed.metrics_lost {
        for series in &mut out {
            series.points.retain(|(at, _)| !lost.contains(*at));
        }
    }
    out
}

/// When another version of MRG was deployed.
fn deployments(day: &Day) -> Vec<Stamp> {
    let versions = day.scenario.settings.windows(2);
    versions.filter(|w| w[0].1.mrg.version != w[1].1.mrg.version).map(|w| w[1].0).collect()
}

fn series(
    measure: &Measure,
    app: &str,
    pod: &str,
    restarts: &[Stamp],
    moods: &[(Stamp, Mood<'_>)],
    rng: &mut fastrand::Rng,
) -> Series {
    let (name, more, kind, value) = measure;
    let mut labels = vec![("app", app), ("pod", pod), ("namespace", "pay"), ("job", app)];
    labels.extend_from_slice(more);
    let gauge = *kind == "gauge";
    let phase = if *kind == "histogram" { Lapse::ZERO } else { Lapse::millis(rng.i64(0..29_000)) };
    // Pods are not all equally busy, and each stays as busy as it is.
    // The buckets of a histogram are counted together: one must not fall behind the one inside it.
    let alike = gauge || *kind == "histogram";
    let busy = if alike { 1.0 } else { 0.9 + 0.2 * rng.f64() };
    let mut points = Vec::new();
    let mut count = 0.0;
    let mut before: Option<Stamp> = None;
    for (minute, mood) in moods {
        for half in 0..2 {
            let at = *minute + EVERY.times(half) + phase;
            let now = value(mood) * busy;
            // A day's counters begin with what a pod has counted since it was started.
            if before.is_none_or(|b| at.since(b) > APART) {
                count = 1_000.0 * now;
            } else if let Some(b) = before {
                if restarts.iter().any(|r| b < *r && *r <= at) {
                    count = 0.0;
                }
                let noise = if alike { 1.0 } else { 0.97 + 0.06 * rng.f64() };
                count += now * at.since(b).as_secs_f64() * noise;
            }
            points.push((at, if gauge { now } else { count }));
            before = Some(at);
        }
    }
    Series::new(name, &labels, kind).with_points(points)
}
