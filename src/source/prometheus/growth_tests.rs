//! Growth of counters through restarts, gaps, other processes and births; quantiles against a plain model.

use super::*;
use crate::config::preset::{PRESETS, Preset};
use crate::source::prometheus::exposition::Format;
use crate::source::prometheus::reading::Wanted;
use proptest::prelude::*;

const EVERY: Lapse = Lapse::seconds(15);

fn look(second: i64, text: &str) -> Look {
    let measures: Vec<_> = PRESETS.iter().flat_map(|(_, p)| p.measures()).collect();
    let at = Stamp::from_secs(second);
    let reading = Reading::of_text(text, Format::Text, &Wanted::by(&measures), at);
    assert_eq!(reading.report.broken, 0, "{text}");
    Look { at, skew: Lapse::ZERO, reading }
}

/// The value of a preset's measure between two looks at one pod.
fn value(preset: Preset, name: &str, before: &Look, now: &Look) -> Option<f64> {
    let measure = preset.measures().into_iter().find(|m| m.name == name).unwrap();
    let kin = now.kin(before, EVERY);
    measure.recipes.iter().find_map(|recipe| match make(recipe, now, Some((before, kin))) {
        Made::Parts(parts) => Some(together(measure.across, recipe, &parts)),
        Made::NotYet => Some(None),
        Made::Absent => None,
    })?
}

#[test]
fn a_counter_is_a_rate_and_a_restart_counts_from_zero() {
    let (a, b) =
        (look(0, "http_requests_total{code=\"200\"} 1000\n"), look(15, "http_requests_total{code=\"200\"} 1150\n"));
    assert_eq!(value(Preset::HttpServer, "requests", &a, &b), Some(10.0));
    let again = look(30, "http_requests_total{code=\"200\"} 30\n");
    assert_eq!(value(Preset::HttpServer, "requests", &b, &again), Some(2.0));
}

#[test]
fn a_restart_is_known_by_its_time_even_when_the_counter_has_overtaken() {
    let (a, b) = (
        look(10_000, "process_start_time_seconds 100\nhttp_requests_total 50\n"),
        look(10_015, "process_start_time_seconds 10003\nhttp_requests_total 60\n"),
    );
    assert_eq!(b.kin(&a, EVERY), Kin::Restarted);
    assert_eq!(value(Preset::HttpServer, "requests", &a, &b), Some(4.0), "60 since it began, not 10");
}

#[test]
fn an_answer_of_another_process_is_no_restart() {
    let a = look(10_000, "process_start_time_seconds 5000\nhttp_requests_total 50\n");
    let b = look(10_015, "process_start_time_seconds 7000\nhttp_requests_total 90\n");
    assert_eq!(b.kin(&a, EVERY), Kin::Another);
    assert_eq!(value(Preset::HttpServer, "requests", &a, &b), None);
    // The pod's clock is two minutes behind ours: its restart a second ago reads as long ago.
    let late = Look { skew: Lapse::seconds(-120), ..look(10_015, "process_start_time_seconds 9890\nup 1\n") };
    assert_eq!(late.kin(&a, EVERY), Kin::Restarted);
}

#[test]
fn a_first_look_and_a_long_gap_give_no_growth_and_one_missed_look_gives_all_of_it() {
    let a = look(0, "http_requests_total 100\n");
    assert_eq!(value(Preset::HttpServer, "requests", &a, &look(30, "http_requests_total 400\n")), Some(10.0));
    assert_eq!(value(Preset::HttpServer, "requests", &a, &look(61, "http_requests_total 400\n")), None);
    let empty = look(0, "up 1\n");
    assert_eq!(value(Preset::HttpServer, "requests", &empty, &look(15, "http_requests_total 9000\n")), None);
}

#[test]
fn a_child_that_is_born_between_two_looks_began_at_zero() {
    let a = look(0, "http_requests_total{code=\"200\"} 100\n");
    let b = look(15, "http_requests_total{code=\"200\"} 190\nhttp_requests_total{code=\"503\"} 10\n");
    assert_eq!(value(Preset::HttpServer, "errors", &a, &b), Some(10.0));
    assert_eq!(
        value(Preset::HttpServer, "errors", &a, &look(15, "http_requests_total{code=\"200\"} 190\n")),
        Some(0.0)
    );
    let idle = look(30, "http_requests_total{code=\"200\"} 190\nhttp_requests_total{code=\"503\"} 10\n");
    assert_eq!(value(Preset::HttpServer, "errors", &b, &idle), None, "no requests: no share, not zero");
}

#[test]
fn pools_of_every_family_of_names_say_the_same() {
    let families = [
        ("pgxpool_acquired_conns", "pgxpool_max_conns", "pgxpool_acquire_duration_ns", 1e9, "pgxpool_acquire_count"),
        (
            "pgx_pool_acquired_connections",
            "pgx_pool_max_connections",
            "pgx_pool_acquire_duration_seconds_total",
            1.0,
            "pgx_pool_acquire_count_total",
        ),
        (
            "pgxpool_acquired_connections",
            "pgxpool_max_connections",
            "pgxpool_acquire_duration_nanoseconds_total",
            1e9,
            "pgxpool_acquires_total",
        ),
    ];
    for (used, max, waited, scale, count) in families {
        let text = |seconds: f64, n: u32| format!("{used} 36\n{max} 40\n{waited} {}\n{count} {n}\n", seconds * scale);
        let (a, b) = (look(0, &text(10.0, 1000)), look(15, &text(70.0, 1100)));
        assert_eq!(value(Preset::Pgxpool, "pool_in_use", &a, &b), Some(90.0), "{used}");
        let wait = value(Preset::Pgxpool, "pool_wait", &a, &b).unwrap();
        assert!((wait - 0.6).abs() < 1e-9, "{waited}: {wait}");
    }
}

#[test]
fn two_pools_in_one_pod_are_told_apart_and_a_pool_without_a_limit_has_no_share() {
    let text = "go_sql_in_use_connections{db_name=\"a\"} 20\ngo_sql_max_open_connections{db_name=\"a\"} 20\n\
                go_sql_in_use_connections{db_name=\"b\"} 0\ngo_sql_max_open_connections{db_name=\"b\"} 80\n\
                go_sql_in_use_connections{db_name=\"c\"} 7\ngo_sql_max_open_connections{db_name=\"c\"} 0\n";
    let now = look(0, text);
    assert_eq!(value(Preset::Sql, "pool_in_use", &now, &now), Some(100.0), "the fuller one");
    assert_eq!(value(Preset::Sql, "pool_acquired", &now, &now), Some(27.0));
}

#[test]
fn a_breaker_is_open_when_its_label_or_its_library_says_so() {
    let open = |text: &str| value(Preset::Breaker, "breaker_open", &look(0, text), &look(15, text));
    let states = "circuit_breaker_state{name=\"upg\",state=\"closed\"} 0\ncircuit_breaker_state{name=\"upg\",state=\"open\"} 1\n";
    assert_eq!(open(states), Some(1.0));
    assert_eq!(open("gobreaker_state{name=\"upg\"} 2\n"), Some(1.0));
    assert_eq!(open("gobreaker_state{name=\"upg\"} 1\n"), Some(0.0), "half open lets requests through");
    assert_eq!(open("hystrix_upg_circuit_open 1\n"), Some(1.0));
    assert_eq!(open("circuit_breaker_state{name=\"upg\"} 1\n"), None, "a bare number could be either");
}

#[test]
fn values_that_are_none_are_left_out() {
    let now = look(0, "go_goroutines NaN\nprocess_resident_memory_bytes +Inf\n");
    assert_eq!(value(Preset::Go, "goroutines", &now, &now), None);
    assert_eq!(value(Preset::Process, "memory", &now, &now), None);
}

fn histogram(counts: [u32; 4]) -> String {
    let [a, b, c, all] = counts;
    format!(
        "http_request_duration_seconds_bucket{{le=\"0.1\"}} {a}\nhttp_request_duration_seconds_bucket{{le=\"0.5\"}} {b}\n\
         http_request_duration_seconds_bucket{{le=\"2\"}} {c}\nhttp_request_duration_seconds_bucket{{le=\"+Inf\"}} {all}\n"
    )
}

#[test]
fn a_quantile_is_of_what_came_between_two_looks() {
    let (a, b) = (look(0, &histogram([900, 990, 1000, 1000])), look(15, &histogram([900, 990, 1100, 1100])));
    let p95 = value(Preset::HttpServer, "latency_p95", &a, &b).unwrap();
    assert!((p95 - (0.5 + 1.5 * 0.95)).abs() < 1e-9, "{p95}: all the new ones took 0.5 to 2 s");
    let beyond = look(30, &histogram([900, 990, 1100, 1200]));
    assert_eq!(value(Preset::HttpServer, "latency_p95", &b, &beyond), Some(2.0), "at least the last bound");
    // Restarted without saying so: some buckets are larger than before and yet all began at zero.
    let again = look(45, &histogram([1000, 1000, 1000, 1000]));
    let p95 = value(Preset::HttpServer, "latency_p95", &beyond, &again).unwrap();
    assert!((p95 - 0.095).abs() < 1e-9, "{p95}: all were quick");
}

#[test]
fn pods_with_other_bounds_are_not_added_up() {
    let fast = Part::Buckets(vec![(0.1, 10.0), (f64::INFINITY, 10.0)]);
    let slow = Part::Buckets(vec![(1.0, 0.0), (5.0, 10.0), (f64::INFINITY, 10.0)]);
    let recipe = Recipe::Quantile(0.5, Pick::of("x"), 1.0);
    assert_eq!(together(Across::Mean, &recipe, &[fast.clone(), slow]), Some(3.0));
    assert_eq!(together(Across::Mean, &recipe, &[fast.clone(), fast]), Some(0.05));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// However often it begins again, what is seen of a counter is what was counted between the looks.
    #[test]
    fn the_growths_of_a_counter_add_up(steps in prop::collection::vec((0_u32..1000, any::<bool>()), 1..30)) {
        let (mut counter, mut seen) = (0_u64, 0.0);
        let mut before = look(0, "process_start_time_seconds 0\ngo_gc_duration_seconds_count 0\n");
        let (mut started, mut expected) = (0, 0);
        for (i, (by, restart)) in steps.iter().enumerate() {
            let second = 100 * (i as i64 + 1);
            if *restart {
                (counter, started) = (0, second - 1);
            }
            counter += u64::from(*by);
            expected += u64::from(*by);
            let text = format!("process_start_time_seconds {started}\ngo_gc_duration_seconds_count {counter}\n");
            let now = look(second, &text);
            let recipe = Recipe::Rate(Pick::of("go_gc_duration_seconds_count"), 1.0);
            let kin = now.kin(&before, Lapse::seconds(100));
            if let Made::Parts(parts) = make(&recipe, &now, Some((&before, kin))) {
                seen += together(Across::Sum, &recipe, &parts).unwrap() * 100.0;
            }
            before = now;
        }
        prop_assert!((seen - expected as f64).abs() < 1e-6, "{} of {}", seen, expected);
    }

    #[test]
    fn a_quantile_lies_where_its_bucket_is(counts in prop::collection::vec(0_u32..50, 1..12), q in 0.0_f64..=1.0) {
        let mut all = 0.0;
        let mut buckets: Vec<(f64, f64)> = counts.iter().enumerate().map(|(i, n)| {
            all += f64::from(*n);
            ((i + 1) as f64, all)
        }).collect();
        buckets.push((f64::INFINITY, all));
        prop_assume!(all > 0.0);
        let got = quantile(q, &buckets).unwrap();
        let at = buckets.iter().position(|(_, n)| *n >= q * all && *n > 0.0).unwrap();
        prop_assert!(got <= buckets[at].0 && got >= at as f64 - 1e-9, "{} in {:?}", got, buckets);
    }
}
