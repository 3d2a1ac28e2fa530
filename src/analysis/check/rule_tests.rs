//! Every rule in each of its verdicts: supports, refutes, inconclusive, no data.

use super::world_tests::World;
use super::*;
use crate::model::order::Rows;
use Verdict::{Inconclusive as I, NoData as O, Refutes as R, Supports as S};

type Case = (&'static str, Verdict, fn(&mut World));

fn run(cases: &[Case]) {
    for (n, (id, expected, fill)) in cases.iter().enumerate() {
        let mut world = World::new();
        fill(&mut world);
        let f = world.check();
        let mut all = f.hypotheses.iter().flat_map(|h| &h.checks).chain(&f.others);
        let c = all.find(|c| c.id == *id).unwrap_or_else(|| panic!("no check {id}"));
        assert_eq!(c.verdict, *expected, "case {n}, {id}: {} {}", c.measured, c.missing);
        let counts = matches!(c.verdict, S | R);
        assert!(counts || c.score == 0.0, "{id}: only what supports or refutes counts");
        assert_eq!(c.verdict == O, c.measured.is_empty(), "{id}");
        assert_eq!(c.verdict == O, !c.missing.is_empty(), "{id}");
    }
}

const POOL: &str = "pool mrg: no connection within 5000ms";
const LATE: &str = "call upg: context deadline exceeded";
const OPEN: &str = "circuit breaker upg-payment is open, request refused";

#[test]
fn the_pool() {
    run(&[
        ("H1a", S, |w| {
            w.series("m.pool_in_use", 0..10, 50.0);
            w.series("m.pool_in_use", 10..61, 100.0);
            w.all("m.pool_wait", 1.0);
        }),
        ("H1a", I, |w| w.all("m.pool_in_use", 100.0)),
        ("H1a", R, |w| w.all("m.pool_in_use", 50.0)),
        ("H1a", I, |w| w.all("m.pool_in_use", 88.0)),
        ("H1a", I, |w| {
            w.series("m.pool_in_use", 0..5, 50.0);
            w.series("m.pool_in_use", 50..61, 50.0);
        }),
        ("H1a", I, |w| w.looks(0..61, 100, 0, 0, 0)),
        ("H1a", I, |w| w.looks(0..61, 30, 0, 0, 0)),
        ("H1a", S, |w| {
            w.looks(0..61, 100, 0, 0, 0);
            w.lines(10..20, POOL);
        }),
        ("H1a", S, |w| w.refuse(20)),
        ("H1a", O, |_| {}),
        ("H1b", S, |w| limited(w, 50.0)),
        ("H1b", R, |w| limited(w, 10.0)),
        ("H1b", I, |w| limited(w, 30.0)),
        ("H1b", S, |w| {
            limited(w, 10.0);
            w.limit("max_connections − reserved", 90.0, "mrg.connections");
        }),
        ("H1b", O, |_| {}),
        ("H1c", S, |w| w.all("m.pool_wait", 1.0)),
        ("H1c", R, |w| w.all("m.pool_wait", 0.01)),
        ("H1c", I, |w| w.all("m.pool_wait", 0.2)),
        ("H1c", S, |w| w.lines(10..20, POOL)),
        ("H1c", O, |w| w.lines(10..12, POOL)),
        ("H1x", S, |w| told(w, 20, 20, POOL)),
        ("H1x", R, |w| told(w, 30, 0, POOL)),
        ("H1x", I, |w| told(w, 30, 3, POOL)),
        ("H1x", O, |w| w.stuck(30)),
        ("H1x", O, |w| w.said(0..30, POOL)),
        ("H1y", S, |w| full_from(w, 3)),
        ("H1y", I, |w| full_from(w, 9)),
        ("H1y", R, |w| full_from(w, 30)),
        ("H1y", O, |w| w.stuck(20)),
    ]);
}

fn limited(w: &mut World, usual: f64) {
    w.limit("pool_max × pods", 100.0, "m.pool_acquired");
    w.usual("m.pool_acquired", usual);
    w.all("m.pool_acquired", usual);
}

fn full_from(w: &mut World, m: i64) {
    w.stuck(20);
    w.series("m.pool_in_use", 0..m, 50.0);
    w.series("m.pool_in_use", m..61, 100.0);
}

/// Stuck orders that all have a line, some of them the message.
fn told(w: &mut World, stuck: usize, with: usize, message: &str) {
    w.stuck(stuck);
    w.said(0..with, message);
    w.said(with..stuck, "order is waiting");
}

#[test]
fn the_callbacks() {
    run(&[
        ("H2a", S, |w| sent(w, 30, 500)),
        ("H2a", R, |w| sent(w, 30, 200)),
        ("H2a", I, |w| sent(w, 5, 200)),
        ("H2a", I, |w| w.lines(10..20, "callback to HO failed: 503")),
        ("H2a", O, |_| {}),
        ("H2b", S, |w| accepted(w, 80.0)),
        ("H2b", R, |w| w.all("m.callback_ok", 99.5)),
        ("H2b", I, |w| accepted(w, 95.0)),
        ("H2b", O, |_| {}),
        ("H2c", S, |w| accepted(w, 80.0)),
        ("H2c", R, |w| w.all("m.callback_ok", 99.5)),
        ("H2c", I, |w| accepted(w, 95.0)),
        ("H2c", I, |w| w.lines(10..20, "callback to HO failed: 503")),
        ("H2c", R, |w| sent(w, 30, 200)),
        ("H2c", O, |_| {}),
        ("H2x", S, |w| unrecorded(w, 20)),
        ("H2x", R, |w| unrecorded(w, 0)),
        ("H2x", I, |w| unrecorded(w, 5)),
        ("H2x", O, |w| {
            w.stuck(20);
            w.paid(0..20);
            w.recorded(0..0);
        }),
        ("H2y", S, |w| unrecorded(w, 0)),
        ("H2y", I, |w| {
            w.stuck(20);
            w.paid(0..10);
            w.recorded(0..0);
        }),
        ("H2y", O, |w| w.stuck(20)),
    ]);
}

fn sent(w: &mut World, n: usize, status: i32) {
    w.stuck(n);
    w.paid(0..n);
    w.recorded(0..0);
    w.called_back(0..n, status);
}

fn accepted(w: &mut World, percent: f64) {
    w.series("m.callback_ok", 0..10, 100.0);
    w.series("m.callback_ok", 10..15, percent);
    w.series("m.callback_ok", 15..61, 100.0);
}

fn unrecorded(w: &mut World, tried: usize) {
    w.stuck(20);
    w.paid(0..20);
    w.recorded(0..0);
    w.called_back(0..tried, 500);
}

#[test]
fn the_breaker() {
    run(&[
        ("H3a", S, |w| opened(w, 10, 1.0)),
        ("H3a", I, |w| opened(w, 10, 5.0)),
        ("H3a", R, |w| w.all("m.breaker_open", 0.0)),
        ("H3a", R, |w| w.lines(0..60, "order created")),
        ("H3a", I, |w| w.lines(0..20, "order created")),
        ("H3a", O, |_| {}),
        ("H3b", S, |w| threshold(w, 2.0)),
        ("H3b", R, |w| threshold(w, 20.0)),
        ("H3b", I, |w| threshold(w, 5.0)),
        ("H3b", O, |_| {}),
        ("H3c", S, |w| opened(w, 10, 1.0)),
        ("H3c", R, |w| opened(w, 10, 12.0)),
        ("H3c", I, |w| opened(w, 10, 5.0)),
        ("H3c", O, |w| w.series("m.breaker_open", 10..20, 1.0)),
        ("H3x", S, |w| told(w, 20, 15, OPEN)),
        ("H3x", I, |w| told(w, 20, 5, OPEN)),
        ("H3x", O, |w| {
            w.stuck(20);
            w.lines(0..60, OPEN);
        }),
        ("H3y", S, |w| opened(w, 2, 1.0)),
        ("H3y", R, |w| opened(w, 30, 1.0)),
        ("H3y", I, |w| w.stuck(20)),
    ]);
}

fn opened(w: &mut World, m: i64, errors: f64) {
    w.stuck(20);
    w.series("m.breaker_open", 0..m, 0.0);
    w.series("m.breaker_open", m..61, 1.0);
    w.all("m.errors", errors);
}

fn threshold(w: &mut World, percent: f64) {
    w.limit("breaker failure ratio", percent, "m.errors");
    w.usual("m.errors", 1.0);
    w.all("m.errors", 1.0);
}

#[test]
fn the_timeouts() {
    run(&[
        ("H4a", S, |w| slow(w, 2.0, 2.0, 1.0)),
        ("H4a", R, |w| slow(w, 1.0, 1.0, 10.0)),
        ("H4a", I, |w| slow(w, 1.0, 9.0, 10.0)),
        ("H4a", O, |_| {}),
        ("H4b", S, |w| slow(w, 1.0, 9.0, 5.0)),
        ("H4b", I, |w| slow(w, 1.0, 4.0, 5.0)),
        ("H4b", R, |w| {
            slow(w, 1.0, 2.0, 5.0);
            w.all("m.latency_p99", 3.0);
        }),
        ("H4b", O, |w| w.all("m.latency_p95", 3.0)),
        ("H4c", S, |w| told(w, 20, 20, LATE)),
        ("H4c", R, |w| told(w, 30, 0, LATE)),
        ("H4c", I, |w| told(w, 30, 3, LATE)),
        ("H4c", R, |w| {
            told(w, 30, 30, LATE);
            w.said(0..30, POOL);
        }),
        ("H4c", O, |w| w.stuck(20)),
        ("H4x", S, |w| {
            told(w, 20, 20, LATE);
            w.paid(0..20);
        }),
        ("H4x", R, |w| {
            told(w, 30, 30, LATE);
            w.paid(0..0);
        }),
        ("H4x", I, |w| {
            told(w, 20, 5, LATE);
            w.paid(0..5);
        }),
        ("H4x", O, |w| told(w, 20, 20, LATE)),
        ("H4y", R, |w| slow(w, 0.4, 10.0, 10.0)),
        ("H4y", I, |w| slow(w, 0.4, 0.8, 10.0)),
        ("H4y", O, |w| w.all("m.latency_p95", 3.0)),
    ]);
}

fn slow(w: &mut World, usual: f64, now: f64, limit: f64) {
    w.usual("m.latency_p95", usual);
    w.all("m.latency_p95", now);
    w.limit("client timeout", limit, "m.latency_p95");
}

#[test]
fn the_race() {
    run(&[
        ("H5a", S, |w| moved(w, 20, "COMPLETE", "ACTIVE")),
        ("H5a", R, |w| moved(w, 20, "CREATE", "PAY")),
        ("H5a", I, |w| moved(w, 10, "CREATE", "PAY")),
        ("H5a", O, |w| w.stuck(20)),
        ("H5b", S, |w| w.lines(0..6, "ERROR: deadlock detected")),
        ("H5b", S, |w| w.looks(0..61, 30, 0, 0, 1)),
        ("H5b", I, |w| w.looks(0..61, 30, 0, 0, 0)),
        ("H5b", O, |_| {}),
        ("H5c", S, |w| raced(w, 20)),
        ("H5c", R, |w| raced(w, 0)),
        ("H5c", I, |w| raced(w, 3)),
        ("H5c", O, |w| moved(w, 20, "CREATE", "PAY")),
        ("H5x", S, |w| recorded(w, 20)),
        ("H5x", R, |w| recorded(w, 0)),
        ("H5x", I, |w| recorded(w, 4)),
        ("H5x", O, |w| w.stuck(20)),
    ]);
}

fn moved(w: &mut World, n: usize, from: &str, to: &str) {
    w.stuck(20);
    w.moved(0..n, from, to, (None, None));
}

fn raced(w: &mut World, n: usize) {
    w.stuck(20);
    w.moved(0..n, "CREATE", "PAY", (Some("upg"), Some(1)));
    w.moved(n..20, "CREATE", "PAY", (Some("upg"), Some(2)));
}

fn recorded(w: &mut World, n: usize) {
    w.stuck(20);
    w.paid(0..20);
    w.recorded(0..n);
}

#[test]
fn the_databases_and_runtimes() {
    run(&[
        ("D1", S, |w| w.looks(0..61, 98, 0, 0, 0)),
        ("D1", R, |w| w.looks(0..61, 30, 0, 0, 0)),
        ("D1", I, |w| w.looks(0..61, 88, 0, 0, 0)),
        ("D1", S, |w| w.refuse(20)),
        ("D1", O, |_| {}),
        ("D2", O, |w| w.looks(0..61, 30, 0, 0, 0)),
        ("D3", S, |w| w.looks(0..61, 40, 10, 0, 0)),
        ("D3", R, |w| w.looks(0..61, 40, 0, 0, 0)),
        ("D3", I, |w| {
            w.looks(0..10, 40, 0, 0, 0);
            w.looks(10..11, 40, 10, 0, 0);
        }),
        ("D3", O, |_| {}),
        ("D4", S, |w| rolled_back(w, 100, 1)),
        ("D4", R, |w| rolled_back(w, 1, 1)),
        ("D4", I, |w| rolled_back(w, 20, 10)),
        ("D4", I, |w| w.looks(0..61, 30, 0, 100, 0)),
        ("D4", O, |_| {}),
        ("D5", S, |w| w.all("m.db_cpu", 95.0)),
        ("D5", R, |w| w.all("m.db_cpu", 40.0)),
        ("D5", I, |w| w.all("m.db_cpu", 70.0)),
        ("D5", O, |_| {}),
        ("M2", S, |w| goroutines(w, 5_000.0)),
        ("M2", R, |w| goroutines(w, 1_000.0)),
        ("M2", I, |w| w.all("m.goroutines", 5_000.0)),
        ("M2", O, |_| {}),
        ("M3", S, |w| w.all("m.gc_pause", 0.2)),
        ("M3", R, |w| w.all("m.gc_pause", 0.01)),
        ("M3", I, |w| w.all("m.gc_pause", 0.07)),
        ("M3", O, |_| {}),
        ("O1", S, |w| w.lines(0..30, "dial orch: connection refused")),
        ("O1", R, |w| w.lines(0..60, "order created")),
        ("O1", I, |w| w.lines(0..20, "order created")),
        ("O1", O, |_| {}),
    ]);
}

fn rolled_back(w: &mut World, now: i64, usual: i64) {
    w.looks(0..61, 30, 0, now, 0);
    w.usual_looks(usual);
}

fn goroutines(w: &mut World, now: f64) {
    w.usual("m.goroutines", 1_000.0);
    w.all("m.goroutines", now);
    w.all("m.users", 20_000.0);
}

#[test]
fn the_collections_and_questions() {
    run(&[
        ("P1b", S, |w| w.lines(0..61, "order created")),
        ("P1b", I, |w| w.lines(0..30, "order created")),
        ("P1b", O, |_| {}),
        ("P1c", S, |w| w.stuck(20)),
        ("P1c", O, |_| {}),
        ("P1d", S, |w| recorded(w, 0)),
        ("P1d", O, |w| w.stuck(20)),
        ("P1e", S, |w| recorded(w, 0)),
        ("P1e", O, |w| w.stuck(20)),
        ("P4a", S, |w| unrecorded(w, 0)),
        ("P4a", I, |w| w.stuck(20)),
        ("P4b", S, |w| recorded(w, 20)),
        ("P4b", I, |w| recorded(w, 3)),
        ("P4b", O, |_| {}),
        ("P2d", O, |_| {}),
        ("Q1", S, |w| w.ask(Rows::Orders(Vec::new()))),
        ("Q1", O, |_| {}),
        ("Q2", S, |w| recorded(w, 0)),
        ("Q2", O, |w| w.stuck(20)),
        ("Q3", S, |w| recorded(w, 0)),
        ("Q3", O, |w| w.stuck(20)),
        ("L1", S, |w| w.lines(0..10, "timeout")),
        ("L1", O, |_| {}),
        ("L3", S, |w| told(w, 20, 5, POOL)),
        ("L3", O, |w| w.stuck(20)),
    ]);
}

#[test]
fn counts_and_money_are_written_out() {
    let mut w = World::new();
    w.stuck(20);
    w.paid(0..12);
    w.recorded(0..2);
    w.called_back(2..5, 500);
    let f = w.check();
    let said = |id: &str| f.others.iter().find(|c| c.id == id).map(|c| c.measured.clone()).unwrap();
    assert_eq!(said("Q1"), "20 orders ACTIVE for over 15 min, Rp 2.0 jt, of 20 born 19:00–20:00");
    assert_eq!(
        said("Q2"),
        "12 orders, Rp 1.2 jt, of 20 stuck: 7 never sent to HO, 3 callback failed, 2 recorded at HO"
    );
    assert_eq!(said("Q3"), "8 orders, Rp 800,000, of 20 stuck: 0 wait for the gateway");
    assert_eq!(said("P1e"), "10 orders charged and not at HO, Rp 1.0 jt");
}
