//! The one table of what common Go libraries export, and what of it matters in an incident.
//!
//! Names are those that the libraries register: client_golang's Go, process and database collectors, the
//! pgxpool collectors in use (four families of names, and OpenTelemetry's), instrumented HTTP handlers and
//! round trippers, hystrix-go's collector, gobreaker as people export it, and `expvar`. The measures' names
//! are those that the built-in checks look for.

use crate::config::measure::{Across, Measure, Pick, Recipe, Shape};
use crate::model::series::{Bad, Rollup, Unit};

/// A library, or a family of libraries, by the word the configuration uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Preset {
    /// The Go runtime: goroutines, heap, collector.
    Go,
    /// The process: CPU, memory, open files.
    Process,
    /// `database/sql` pools.
    Sql,
    /// pgx pools.
    Pgxpool,
    /// Requests that come in.
    HttpServer,
    /// Requests that go out.
    HttpClient,
    /// Circuit breakers.
    Breaker,
}

/// The configuration's words.
pub const PRESETS: [(&str, Preset); 7] = [
    ("go", Preset::Go),
    ("process", Preset::Process),
    ("sql", Preset::Sql),
    ("pgxpool", Preset::Pgxpool),
    ("http_server", Preset::HttpServer),
    ("http_client", Preset::HttpClient),
    ("breaker", Preset::Breaker),
];

impl Preset {
    /// Its word.
    pub fn word(self) -> &'static str {
        PRESETS.iter().find(|(_, p)| *p == self).map_or("", |(word, _)| word)
    }
    /// What it measures.
    pub fn measures(self) -> Vec<Measure> {
        match self {
            Self::Go => go(),
            Self::Process => process(),
            Self::Sql => sql(),
            Self::Pgxpool => pgxpool(),
            Self::HttpServer => http_server(),
            Self::HttpClient => http_client(),
            Self::Breaker => breaker(),
        }
    }
}

const NANO: f64 = 1e-9;
const PERCENT: f64 = 100.0;

fn measure(name: &str, unit: Unit, across: Across, recipes: Vec<Recipe>) -> Measure {
    Measure { name: name.to_owned(), unit, recipes, across, lane: None }
}

impl Measure {
    fn lane(mut self, group: &str, name: &str, rollup: Rollup) -> Self {
        let (group, name) = (group.to_owned(), name.to_owned());
        self.lane = Some(Shape { group, name, rollup, bad: Bad::High, ceiling: None, broken_at: None, trigger: false });
        self
    }
    fn scaled(mut self, ceiling: Option<f64>, broken_at: Option<f64>) -> Self {
        if let Some(lane) = &mut self.lane {
            (lane.ceiling, lane.broken_at) = (ceiling, broken_at);
        }
        self
    }
}

fn gauge(metric: &str) -> Recipe {
    Recipe::Gauge(Pick::of(metric), 1.0)
}
fn gauge_times(metric: &str, times: f64) -> Recipe {
    Recipe::Gauge(Pick::of(metric), times)
}
fn rate(metric: &str) -> Recipe {
    Recipe::Rate(Pick::of(metric), 1.0)
}
/// How many there were.
fn count(metric: &str) -> Recipe {
    Recipe::Count(Pick::of(metric))
}
fn part(of: &str, per: &str) -> Recipe {
    Recipe::Part { of: Pick::of(of), per: Pick::of(per), times: PERCENT }
}
fn share(of: &str, per: &str, times: f64) -> Recipe {
    Recipe::Share { of: Pick::of(of), per: Pick::of(per), times }
}
fn quantile(q: f64, metric: &str) -> Recipe {
    Recipe::Quantile(q, Pick::of(metric), 1.0)
}

/// Pauses: runtime/metrics gives their distribution (the name changed with Go 1.22); the older summary and
/// `expvar` give total and number, which is the mean pause between two scrapes.
fn go() -> Vec<Measure> {
    vec![
        measure(
            "goroutines",
            Unit::Count,
            Across::Sum,
            vec![
                gauge("go_goroutines"),
                gauge("go_sched_goroutines_goroutines"),
                gauge("go_goroutine_count"),
                gauge("goroutines"),
                gauge("Goroutines"),
            ],
        )
        .lane("application", "goroutines", Rollup::Max),
        measure(
            "gc_pause",
            Unit::Seconds,
            Across::Max,
            vec![
                quantile(0.99, "go_sched_pauses_total_gc_seconds"),
                quantile(0.99, "go_gc_pauses_seconds"),
                share("go_gc_duration_seconds_sum", "go_gc_duration_seconds_count", 1.0),
                share("memstats.PauseTotalNs", "memstats.NumGC", NANO),
            ],
        )
        .lane("application", "gc pause", Rollup::Max)
        .scaled(None, Some(0.1)),
        measure(
            "gc_cpu",
            Unit::Percent,
            Across::Max,
            vec![
                share("go_cpu_classes_gc_total_cpu_seconds_total", "go_cpu_classes_total_cpu_seconds_total", PERCENT),
                // These two are shares since the program began: they move slowly, and are better than nothing.
                gauge_times("go_memstats_gc_cpu_fraction", PERCENT),
                gauge_times("memstats.GCCPUFraction", PERCENT),
            ],
        ),
        measure(
            "heap",
            Unit::Bytes,
            Across::Sum,
            vec![
                gauge("go_memstats_heap_inuse_bytes"),
                gauge("go_memory_classes_heap_objects_bytes"),
                gauge("go_memstats_heap_alloc_bytes"),
                gauge("memstats.HeapInuse"),
                gauge("memstats.HeapAlloc"),
            ],
        ),
        measure(
            "gc_runs",
            Unit::PerMinute,
            Across::Sum,
            vec![
                count("go_gc_duration_seconds_count"),
                count("go_gc_cycles_total_gc_cycles_total"),
                count("memstats.NumGC"),
            ],
        ),
    ]
}

fn process() -> Vec<Measure> {
    vec![
        // Percent of one core, of all pods. Not named `cpu`: checks of the database read that.
        measure(
            "process_cpu",
            Unit::Percent,
            Across::Sum,
            vec![Recipe::Rate(Pick::of("process_cpu_seconds_total"), PERCENT)],
        ),
        measure("memory", Unit::Bytes, Across::Sum, vec![gauge("process_resident_memory_bytes")]),
        measure("open_files", Unit::Percent, Across::Max, vec![part("process_open_fds", "process_max_fds")])
            .lane("application", "open files", Rollup::Max)
            .scaled(Some(100.0), Some(90.0)),
    ]
}

/// A pool's measures from the names one collector gives them. `wait` is growth over growth, in seconds.
struct PoolNames {
    in_use: &'static [&'static str],
    max: &'static [&'static str],
    wait: &'static [(&'static str, &'static str, f64)],
    waits: &'static [&'static str],
    cancelled: &'static [&'static str],
}

fn pool(names: &PoolNames) -> Vec<Measure> {
    let each = |names: &[&str], make: fn(&str) -> Recipe| names.iter().map(|n| make(n)).collect::<Vec<_>>();
    let parts = names.in_use.iter().flat_map(|of| names.max.iter().map(|per| part(of, per))).collect();
    let mut out = vec![
        measure("pool_in_use", Unit::Percent, Across::Max, parts)
            .lane("database", "pool use", Rollup::Max)
            .scaled(Some(100.0), Some(95.0)),
        measure("pool_acquired", Unit::Count, Across::Sum, each(names.in_use, gauge)),
        measure("pool_max", Unit::Count, Across::Sum, each(names.max, gauge)),
        measure(
            "pool_wait",
            Unit::Seconds,
            Across::Max,
            names.wait.iter().map(|(of, per, times)| share(of, per, *times)).collect(),
        )
        .lane("database", "pool wait", Rollup::Max)
        .scaled(None, Some(0.5)),
        measure("pool_waits", Unit::PerMinute, Across::Sum, each(names.waits, count)),
    ];
    if !names.cancelled.is_empty() {
        out.push(measure("pool_timeouts", Unit::PerMinute, Across::Sum, each(names.cancelled, count)).lane(
            "database",
            "pool fails",
            Rollup::SumPerMinute,
        ));
    }
    out
}

/// client_golang's collector of `sql.DBStats`, and dlmiddlecote's older one (`go_sql_stats_…`). A wait is
/// a wait that ended with a connection; `database/sql` does not count those that were given up.
fn sql() -> Vec<Measure> {
    pool(&PoolNames {
        in_use: &["go_sql_in_use_connections", "go_sql_stats_connections_in_use"],
        max: &["go_sql_max_open_connections", "go_sql_stats_connections_max_open"],
        wait: &[
            ("go_sql_wait_duration_seconds_total", "go_sql_wait_count_total", 1.0),
            ("go_sql_stats_connections_blocked_seconds", "go_sql_stats_connections_waited_for", 1.0),
        ],
        waits: &["go_sql_wait_count_total", "go_sql_stats_connections_waited_for"],
        cancelled: &[],
    })
}

/// The collectors in use name the same numbers differently, with and without `_total`, in seconds and in
/// nanoseconds; the last of each list is OpenTelemetry's. `pool_wait` is what an acquire took on average,
/// those that found an idle connection included: it is near zero until the pool is short.
fn pgxpool() -> Vec<Measure> {
    pool(&PoolNames {
        in_use: &[
            "pgxpool_acquired_conns",
            "pgx_pool_acquired_conns",
            "pgx_pool_acquired_connections",
            "pgxpool_acquired_connections",
        ],
        max: &["pgxpool_max_conns", "pgx_pool_max_conns", "pgx_pool_max_connections", "pgxpool_max_connections"],
        wait: &[
            ("pgxpool_acquire_duration_ns", "pgxpool_acquire_count", NANO),
            ("pgxpool_acquire_duration_seconds_total", "pgxpool_acquire_count_total", 1.0),
            ("pgxpool_acquire_duration_seconds_total", "pgxpool_acquire_count", 1.0),
            ("pgxpool_acquire_duration_seconds", "pgxpool_acquire_count", 1.0),
            ("pgx_pool_acquire_duration_seconds_total", "pgx_pool_acquire_count_total", 1.0),
            ("pgx_pool_acquire_wait_seconds_total", "pgx_pool_acquire_count_total", 1.0),
            ("pgxpool_acquire_duration_nanoseconds_total", "pgxpool_acquires_total", NANO),
        ],
        waits: &[
            "pgxpool_empty_acquire",
            "pgxpool_empty_acquire_count_total",
            "pgxpool_empty_acquire_count",
            "pgx_pool_empty_acquire_count_total",
            "pgx_pool_empty_acquire_count",
            "pgxpool_empty_acquire_total",
        ],
        cancelled: &[
            "pgxpool_canceled_acquire_count",
            "pgxpool_canceled_acquire_count_total",
            "pgx_pool_canceled_acquire_count_total",
            "pgx_pool_canceled_acquire_count",
            "pgxpool_canceled_acquires_total",
        ],
    })
}

/// Labels that carry a status code: `promhttp` says `code`, others `status`, `status_code`, OpenTelemetry
/// `http_response_status_code`.
const STATUS: [&str; 5] = ["code", "status", "status_code", "http_response_status_code", "status_class"];

/// Answers of 5xx in percent of all, from the first counter that has one of the labels.
fn errors(counters: &[&str]) -> Vec<Recipe> {
    let one = |metric: &str, label: &str| Recipe::Share {
        of: Pick::of(metric).with(label, "5*"),
        per: Pick::of(metric),
        times: PERCENT,
    };
    counters.iter().flat_map(|metric| STATUS.iter().map(move |label| one(metric, label))).collect()
}

fn http_server() -> Vec<Measure> {
    let histograms = [
        "http_request_duration_seconds",
        "http_server_request_duration_seconds",
        "promhttp_request_duration_seconds",
        "request_duration_seconds",
    ];
    let counters =
        ["http_requests_total", "http_request_duration_seconds_count", "http_server_request_duration_seconds_count"];
    let of = |q: f64| histograms.iter().map(|h| quantile(q, h)).collect::<Vec<_>>();
    vec![
        measure("requests", Unit::PerSecond, Across::Sum, counters.iter().map(|c| rate(c)).collect()).lane(
            "traffic",
            "requests",
            Rollup::Mean,
        ),
        measure("errors", Unit::Percent, Across::Mean, errors(&counters))
            .lane("application", "errors", Rollup::Max)
            .scaled(None, Some(2.0)),
        measure("latency_p95", Unit::Seconds, Across::Mean, of(0.95))
            .lane("application", "p95", Rollup::Max)
            .scaled(None, Some(2.0)),
        measure("latency_p99", Unit::Seconds, Across::Mean, of(0.99)),
    ]
}

fn http_client() -> Vec<Measure> {
    let histograms = [
        "http_client_request_duration_seconds",
        "client_request_duration_seconds",
        "client_api_request_duration_seconds",
    ];
    let counters = [
        "http_client_requests_total",
        "client_api_requests_total",
        "http_client_request_duration_seconds_count",
        "client_request_duration_seconds_count",
    ];
    let of = |q: f64| histograms.iter().map(|h| quantile(q, h)).collect::<Vec<_>>();
    vec![
        measure("callee_requests", Unit::PerSecond, Across::Sum, counters.iter().map(|c| rate(c)).collect()),
        measure("callee_errors", Unit::Percent, Across::Mean, errors(&counters))
            .lane("application", "callee err", Rollup::Max)
            .scaled(None, Some(8.0)),
        measure("callee_p95", Unit::Seconds, Across::Mean, of(0.95)).lane("application", "callee p95", Rollup::Max),
    ]
}

/// One label for each state is beyond doubt. A bare number is not: gobreaker itself counts 0 closed, 1 half
/// open, 2 open, and many exporters of other breakers count otherwise, so only its own name is read so; for
/// others `[[scrape.metric]]` has `equals`.
fn breaker() -> Vec<Measure> {
    let open = |metric: &str| Recipe::Gauge(Pick::of(metric).with("state", "open"), 1.0);
    vec![
        measure(
            "breaker_open",
            Unit::Count,
            Across::Max,
            vec![
                open("circuit_breaker_state"),
                open("circuitbreaker_state"),
                open("resilience4j_circuitbreaker_state"),
                Recipe::Equals(Pick::of("gobreaker_state"), 2.0),
                Recipe::Equals(Pick::of("gobreaker_circuit_breaker_state"), 2.0),
                gauge("*circuit_open"),
            ],
        )
        .lane("application", "breaker", Rollup::Max)
        .scaled(Some(1.0), Some(1.0)),
        measure(
            "breaker_rejections",
            Unit::PerMinute,
            Across::Sum,
            vec![
                count("circuit_breaker_rejected_total"),
                count("circuit_breaker_rejections_total"),
                count("gobreaker_rejected_total"),
                count("*_short_circuits"),
                count("*_rejects"),
            ],
        )
        .lane("application", "rejections", Rollup::SumPerMinute),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_of_lanes_leave_room_for_the_service() {
        for measure in PRESETS.iter().flat_map(|(_, p)| p.measures()) {
            assert!(!measure.recipes.is_empty(), "{}", measure.name);
            if let Some(lane) = &measure.lane {
                assert!(lane.name.chars().count() <= 10, "{}", lane.name);
            }
        }
    }

    #[test]
    fn what_the_checks_look_for_is_measured() {
        let names: BTreeSet<String> = PRESETS.iter().flat_map(|(_, p)| p.measures()).map(|m| m.name).collect();
        let looked_for = [
            "pool_in_use",
            "pool_acquired",
            "pool_wait",
            "pool_timeouts",
            "latency_p95",
            "latency_p99",
            "errors",
            "callee_errors",
            "breaker_open",
            "goroutines",
            "gc_pause",
        ];
        for name in looked_for {
            assert!(names.contains(name), "{name}");
        }
        assert!(!names.contains("cpu"), "the checks take that for the database's");
    }

    #[test]
    fn two_presets_give_one_measure_only_where_a_service_has_one_of_the_two() {
        // sql and pgxpool: a service with both has two pools, and the configuration says so.
        let mut seen = BTreeSet::new();
        for (word, preset) in PRESETS.iter().filter(|(_, p)| *p != Preset::Pgxpool) {
            for measure in preset.measures() {
                assert!(seen.insert(measure.name.clone()), "{word}: {}", measure.name);
            }
        }
    }
}
