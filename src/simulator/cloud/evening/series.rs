//! What the services say about themselves to Prometheus: twice a minute from 17:00 to 23:00 on both days.
//! Counters of MRG's pods begin again when the evening's deployment reaches them.

use super::{Mood, days};
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::world::Series;
use crate::simulator::story::clock;

const EVERY: Lapse = Lapse::seconds(30);
const FROM: Lapse = Lapse::hours(17);
const FOR: Lapse = Lapse::hours(6);

/// A measure of one pod: its name, what more labels it has, whether it is a counter, and its value now or
/// its growth a second.
type Measure = (&'static str, &'static [(&'static str, &'static str)], &'static str, fn(&Mood) -> f64);

const GO: &[Measure] = &[
    ("up", &[], "gauge", |_| 1.0),
    ("go_goroutines", &[], "gauge", |m| (240.0 * m.load + 650.0 * m.harm).round()),
    ("go_memstats_heap_inuse_bytes", &[], "gauge", |m| (1.6e8 * (0.6 + 0.4 * m.load) + 2.1e8 * m.harm).round()),
    ("process_cpu_seconds_total", &[], "counter", |m| 0.31 * m.load + 0.1 * m.harm),
    ("go_gc_duration_seconds_sum", &[], "counter", |m| 0.000_4 * m.load + 0.001 * m.harm),
    ("go_gc_duration_seconds_count", &[], "counter", |m| 0.4 * m.load + 0.3 * m.harm),
    ("go_cpu_classes_gc_total_cpu_seconds_total", &[], "counter", |m| 0.02 * m.load + 0.03 * m.harm),
    ("go_cpu_classes_total_cpu_seconds_total", &[], "counter", |_| 2.0),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "0.0001")], "histogram", |m| 0.4 * m.load),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "0.001")], "histogram", |m| 0.7 * m.load),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "0.01")], "histogram", |m| 0.8 * m.load + 0.4 * m.harm),
    ("go_sched_pauses_total_gc_seconds_bucket", &[("le", "+Inf")], "histogram", |m| 0.8 * m.load + 0.6 * m.harm),
    ("container_cpu_cfs_throttled_seconds_total", &[], "counter", |m| 0.002 * m.load + 0.04 * m.harm),
];

const MRG: &[Measure] = &[
    ("pgxpool_acquired_conns", &[], "gauge", |m| (m.pool / 5.0).round()),
    ("pgxpool_max_conns", &[], "gauge", |_| 20.0),
    ("pgxpool_empty_acquire_total", &[], "counter", |m| 0.2 * m.load + 46.0 * m.pressure),
    ("pgxpool_canceled_acquire_count_total", &[], "counter", |m| 2.4 * m.harm),
    ("pgxpool_acquire_count_total", &[], "counter", |m| 60.0 * m.load * (1.0 - 0.4 * m.harm)),
    ("pgxpool_acquire_duration_seconds_total", &[], "counter", |m| 0.01 * m.load + 60.0 * m.waiting),
    ("http_requests_total", &[("code", "200")], "counter", |m| 53.0 * m.load * (1.0 - 0.14 * m.harm)),
    ("http_requests_total", &[("code", "500")], "counter", |m| 0.15 * m.load + 10.0 * m.harm),
    ("http_requests_total", &[("code", "504")], "counter", |m| 8.0 * m.harm),
    ("http_request_duration_seconds_bucket", &[("le", "0.1")], "histogram", |m| {
        40.0 * m.load * (1.0 - 0.5 * m.pressure)
    }),
    ("http_request_duration_seconds_bucket", &[("le", "1")], "histogram", |m| 52.0 * m.load * (1.0 - 0.4 * m.pressure)),
    ("http_request_duration_seconds_bucket", &[("le", "10")], "histogram", |m| 53.0 * m.load * (1.0 - 0.1 * m.harm)),
    ("http_request_duration_seconds_bucket", &[("le", "+Inf")], "histogram", |m| 53.2 * m.load),
    ("http_request_duration_seconds_count", &[], "histogram", |m| 53.2 * m.load),
    ("http_request_duration_seconds_sum", &[], "histogram", |m| 53.2 * m.load * (0.08 + 2.1 * m.harm)),
    ("circuit_breaker_state", &[("name", "upg-payment"), ("state", "open")], "gauge", |m| {
        f64::from(u8::from(m.breaker))
    }),
    ("circuit_breaker_state", &[("name", "upg-payment"), ("state", "closed")], "gauge", |m| {
        f64::from(u8::from(!m.breaker))
    }),
    ("circuit_breaker_rejections_total", &[("name", "upg-payment")], "counter", |m| {
        if m.breaker { 15.0 * m.harm } else { 0.0 }
    }),
];

const WHOLE: &[Measure] = &[("app_sessions_active", &[], "gauge", |m| m.users.round())];

/// Every series.
pub fn all(rng: &mut fastrand::Rng) -> Vec<Series> {
    let mut out = Vec::new();
    for pod in 1..=8 {
        let restart = clock(18, 55, 0) + Lapse::seconds(25 * pod);
        let name = format!("mrg-api-{pod}");
        out.extend(GO.iter().chain(MRG).map(|m| series(m, "mrg-api", &name, Some(restart), rng)));
    }
    for (app, pods) in [("upg", 4), ("orchestrator", 2)] {
        for pod in 1..=pods {
            let name = format!("{app}-{pod}");
            out.extend(GO.iter().map(|m| series(m, app, &name, None, rng)));
        }
    }
    out.extend(WHOLE.iter().map(|m| series(m, "gateway", "gateway-1", None, rng)));
    out
}

fn series(measure: &Measure, app: &str, pod: &str, restart: Option<Stamp>, rng: &mut fastrand::Rng) -> Series {
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
    for day in days() {
        let mut count = 1_000.0 * value(&Mood::at(day + FROM));
        let mut before = day + FROM;
        for i in 0..FOR.0 / EVERY.0 {
            let at = day + FROM + EVERY.times(i) + phase;
            let now = value(&Mood::at(at)) * busy;
            if restart.is_some_and(|r| before < r && r <= at) {
                count = 0.0;
            }
            let noise = if alike { 1.0 } else { 0.97 + 0.06 * rng.f64() };
            count += now * at.since(before).as_secs_f64() * noise;
            points.push((at, if gauge { now } else { count }));
            before = at;
        }
    }
    Series::new(name, &labels, kind).with_points(points)
}
