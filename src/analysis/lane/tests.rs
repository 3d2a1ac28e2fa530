//! Tests of `analysis::lane`, as stories.

use super::*;
use crate::model::health::{Fetched, Health, Loss, State};
use crate::model::incident::{SourceCard, SourceKind};
use crate::model::log::{Level, LogLine};
use crate::model::order::{Asked, Attributes, HoPayment, Ledger, Order, OrderStatus, Payment, PaymentStatus, Rows};
use crate::model::series::Unit;
use crate::model::{Batch, Fact, batch::Samples};

/// A whole minute far enough from the epoch for a baseline a week earlier.
const T: Stamp = Stamp::from_secs(60 * 1_000_000);
const WEEK: Lapse = Lapse::hours(7 * 24);

fn minute(n: i64) -> Stamp {
    T + Lapse::minutes(n)
}

fn lane(series: &str, rollup: Rollup) -> Lane {
    Lane {
        group: "g".to_owned(),
        name: "n".to_owned(),
        series: series.into(),
        unit: Unit::Count,
        rollup,
        bad: Bad::High,
        floor: 0.0,
        ceiling: None,
        lag: Lapse::ZERO,
        trigger: false,
        broken_at: None,
    }
}

fn feed(store: &mut Store, source: &str, facts: Vec<Fact>) {
    store.apply(&Batch { source: source.into(), seq: store.generation + 1, seen: T, facts });
}

fn point(store: &mut Store, series: &str, at: Stamp, value: f64) {
    let source = measured::source_of(series).to_owned();
    feed(store, &source, vec![Fact::Samples(Samples { at, values: vec![(series.into(), value)] })]);
}

fn health(store: &mut Store, source: &str, at: Stamp, state: State) {
    let health = Health { at, state, code: String::new(), says: "".into(), remedy: "".into(), next: None };
    feed(store, source, vec![Fact::Health(health)]);
}

fn axis(columns: usize) -> Axis {
    Axis { from: T, step: Lapse::minutes(1), columns }
}

/// `5` measured, `0` a measured zero, `?` blind, `.` not yet, `_` empty.
fn drawn(cells: &[Cell]) -> String {
    let one = |c: &Cell| match c {
        Cell::Value { value, .. } => char::from_digit(*value as u32 % 10, 10).unwrap_or('!'),
        Cell::Blind => '?',
        Cell::NotYet => '.',
        Cell::Empty => '_',
    };
    cells.iter().map(one).collect()
}

#[test]
fn a_measured_zero_is_a_value_and_an_outage_is_a_gap_that_no_value_crosses() {
    let mut store = Store::default();
    for n in [0, 1, 2, 6, 7] {
        point(&mut store, "mrg.connections", minute(n), if n == 1 { 0.0 } else { 5.0 });
    }
    health(&mut store, "mrg", minute(3), State::Down);
    health(&mut store, "mrg", minute(6), State::Well);
    let lane = lane("mrg.connections", Rollup::Max);
    let now = minute(7);
    let shown = columns(&store, &lane, &axis(9), now, now);
    assert_eq!(drawn(&shown.cells), "505???55_");
    assert_eq!(shown.now, Some((minute(7), 5.0)));
    assert_eq!(columns(&store, &lane, &axis(9), minute(4), now).now, None);
}

#[test]
fn a_source_silent_for_three_times_its_spacing_is_blind_while_others_flow() {
    let mut store = Store::default();
    for n in 0..5 {
        point(&mut store, "a.x", minute(n), 5.0);
    }
    point(&mut store, "a.x", minute(6), 5.0);
    for n in 0..15 {
        point(&mut store, "b.y", minute(n), 1.0);
    }
    let shown = columns(&store, &lane("a.x", Rollup::Last), &axis(15), minute(14), minute(14));
    // One minute missed is within its habit; eight are not.
    assert_eq!(drawn(&shown.cells), "5555555???????.");
    assert_eq!(shown.now, None);
    // Nothing at all flows: whose fault the silence is, nobody knows.
    let alone = columns(&store, &lane("b.y", Rollup::Last), &axis(20), minute(19), minute(19));
    assert_eq!(drawn(&alone.cells), "111111111111111.....");
}

#[test]
fn coarse_points_of_long_ago_are_no_gaps_beside_fine_ones_of_today() {
    let mut store = Store::default();
    let (coarse, fine) = ([0, 5, 10, 15, 20], 60..130);
    for n in coarse.into_iter().chain(fine) {
        point(&mut store, "a.x", minute(n), 5.0);
    }
    let shown = columns(&store, &lane("a.x", Rollup::Last), &axis(65), minute(129), minute(129));
    let drawn = drawn(&shown.cells);
    assert_eq!(&drawn[..21], "5".repeat(21), "five minutes apart on both sides");
    assert_eq!(&drawn[21..60], "?".repeat(39), "a hole is one all the same");
}

#[test]
fn a_series_that_was_never_measured_is_empty_not_zero() {
    let mut store = Store::default();
    point(&mut store, "b.y", minute(3), 1.0);
    let shown = columns(&store, &lane("a.x", Rollup::Last), &axis(4), minute(3), minute(3));
    assert_eq!((drawn(&shown.cells).as_str(), shown.now, shown.worst), ("____", None, None));
    let before = columns(&store, &lane("b.y", Rollup::Last), &axis(4), minute(3), minute(3));
    assert_eq!(drawn(&before.cells), "___1");
}

#[test]
fn columns_younger_than_the_lag_are_not_measured_yet_and_a_late_point_fills_its_own() {
    let mut store = Store::default();
    let lane = Lane { lag: Lapse::minutes(2), ..lane("m.users", Rollup::Last) };
    for n in [0, 1, 2, 3, 5] {
        point(&mut store, "m.users", minute(n), 5.0);
    }
    point(&mut store, "b.y", minute(7), 1.0);
    assert_eq!(drawn(&columns(&store, &lane, &axis(8), minute(7), minute(7)).cells), "555555..");
    point(&mut store, "m.users", minute(4), 7.0);
    let shown = columns(&store, &lane, &axis(8), minute(7), minute(7));
    assert_eq!(drawn(&shown.cells), "555575..");
    assert_eq!(shown.now, Some((minute(5), 5.0)));
}

fn line(at: Stamp, level: Level) -> LogLine {
    let message = "x".into();
    LogLine { at, service: "mrg-api-1".into(), level, order: None, trace: None, message, stack: Vec::new() }
}

fn logs(well_from: Option<i64>) -> Store {
    let mut store = Store::default();
    store.incident.sources =
        vec![SourceCard { name: "logs".to_owned(), kind: SourceKind::Logs, what: "".into(), every: None }];
    if let Some(n) = well_from {
        health(&mut store, "logs", minute(n), State::Well);
    }
    let lines = vec![line(minute(0), Level::Error), line(minute(1), Level::Info), line(minute(5), Level::Error)];
    feed(&mut store, "logs", vec![Fact::Lines(lines)]);
    store
}

#[test]
fn a_minute_without_lines_is_zero_only_while_somebody_was_reading() {
    let errors = lane("logs.ERROR", Rollup::SumPerMinute);
    let shown = |store: &Store| drawn(&columns(store, &errors, &axis(8), minute(7), minute(7)).cells);
    // Minute 1 has a line of another level; from the health nothing is known.
    assert_eq!(shown(&logs(None)), "10???1?.");
    assert_eq!(shown(&logs(Some(0))), "1000010.");
    let mut lossy = logs(Some(0));
    let span = Span::new(minute(3), minute(4));
    feed(&mut lossy, "logs", vec![Fact::Loss(Loss { span, says: "rotated twice".into() })]);
    assert_eq!(shown(&lossy), "100?010.");
}

#[test]
fn a_minute_that_an_engine_has_not_counted_is_no_zero() {
    let mut store = logs(Some(0));
    for (i, n) in [(0, 7.0), (1, 0.0), (5, 3.0), (6, 0.0)] {
        point(&mut store, "logs.timeout", minute(i), n);
    }
    for rollup in [Rollup::Mean, Rollup::SumPerMinute] {
        let cells = columns(&store, &lane("logs.timeout", rollup), &axis(8), minute(7), minute(7)).cells;
        assert_eq!(drawn(&cells[..7]), "70???30");
    }
}

#[test]
fn a_count_is_that_of_the_newest_minute_that_is_over() {
    let store = logs(Some(0));
    let errors = lane("logs.ERROR", Rollup::SumPerMinute);
    let at = minute(6) + Lapse::seconds(10);
    assert_eq!(columns(&store, &errors, &axis(8), at, at).now, Some((minute(5), 1.0)));
}

#[test]
fn the_time_between_last_weeks_baseline_and_the_first_sign_of_a_source_is_no_gap() {
    let mut store = Store::default();
    store.incident.baseline = Some(Span::new(T - WEEK, minute(5) - WEEK));
    for i in 0..5 {
        point(&mut store, "a.x", minute(i) - WEEK, 5.0);
    }
    for i in [4, 5, 6, 7, 17] {
        point(&mut store, "a.x", minute(i), 5.0);
    }
    let cells = columns(&store, &lane("a.x", Rollup::Last), &axis(18), minute(17), minute(17)).cells;
    assert_eq!(drawn(&cells), "____5555?????????5");
    health(&mut store, "a", minute(2), State::Down);
    let cells = columns(&store, &lane("a.x", Rollup::Last), &axis(18), minute(17), minute(17)).cells;
    assert_eq!(drawn(&cells[..4]), "__??");
}

#[test]
fn before_the_first_report_only_what_was_fetched_can_have_a_gap() {
    let mut store = Store::default();
    health(&mut store, "a", minute(79), State::Well);
    for i in [0, 1, 2, 7, 8].into_iter().chain((50..=70).filter(|i| *i != 52)).chain([80]) {
        point(&mut store, "a.x", minute(i), 5.0);
    }
    let fetched = Fetched { what: "all".into(), span: Span::new(minute(0), minute(10)) };
    feed(&mut store, "a", vec![Fact::Fetched(fetched)]);
    let cells = columns(&store, &lane("a.x", Rollup::Last), &axis(81), minute(80), minute(80)).cells;
    let drawn = drawn(&cells);
    assert_eq!(&drawn[..10], "555????55?", "asked and not there is a gap");
    assert_eq!(&drawn[10..50], "_".repeat(40), "not asked is nothing");
    assert_eq!(&drawn[50..54], "5555", "a minute missed is within its habit, asked or not");
    assert_eq!(&drawn[71..80], "?".repeat(9), "a short hole is the data's own");
}

fn with_baseline(window: bool) -> Store {
    let mut store = Store::default();
    for n in 0..30 {
        point(&mut store, "m.x", minute(n) - WEEK, if n < 15 { 100.0 } else { 200.0 });
        point(&mut store, "m.x", minute(n), 150.0);
    }
    store.incident.baseline = Some(Span::new(T - WEEK, minute(30) - WEEK));
    store.incident.window = window.then(|| Span::new(T, minute(30)));
    store
}

#[test]
fn the_band_is_of_the_same_minutes_or_one_level_or_none() {
    let lane = lane("m.x", Rollup::Last);
    let now = minute(29);
    let same = columns(&with_baseline(true), &lane, &axis(30), minute(2), now);
    assert_eq!((same.band[2], same.band[25]), (Some((100.0, 100.0)), Some((200.0, 200.0))));
    assert_eq!((same.normal, same.now_outside), (Some(100.0), true));
    assert_eq!(same.cells[25], Cell::Value { value: 150.0, outside: false });
    let level = columns(&with_baseline(false), &lane, &axis(30), now, now);
    assert_eq!((level.band[2], level.normal), (Some((100.0, 200.0)), Some(150.0)));
    let mut bare = with_baseline(true);
    bare.incident.baseline = None;
    let none = columns(&bare, &lane, &axis(30), now, now);
    assert!(none.band.iter().all(Option::is_none) && none.normal.is_none() && !none.now_outside);
}

#[test]
fn outside_and_broken_are_judged_on_the_bad_side_only() {
    let normal = Normal { low: 99.8, median: 99.9, high: 100.0 };
    let share = Lane { bad: Bad::Low, floor: 96.0, broken_at: Some(97.0), ..lane("m.ok", Rollup::Min) };
    for (value, outside, broken) in
        [(100.0, false, false), (99.7, false, false), (98.1, true, false), (97.0, true, true)]
    {
        assert_eq!((normal.is_outside(value, &share), is_broken(value, &share)), (outside, broken), "{value}");
    }
    let quiet = Normal { low: 0.0, median: 0.0, high: 0.0 };
    assert!(
        quiet.is_outside(1.0, &lane("m.locks", Rollup::Max)) && !quiet.is_outside(0.0, &lane("m.locks", Rollup::Max))
    );
}

#[test]
fn worst_is_the_farthest_up_to_the_cursor_and_not_after_it() {
    let mut store = Store::default();
    for (n, v) in [(0, 1.0), (1, 8.0), (2, 3.0), (3, 9.0)] {
        point(&mut store, "m.x", minute(n), v);
    }
    let lane = lane("m.x", Rollup::Last);
    assert_eq!(columns(&store, &lane, &axis(4), minute(2), minute(3)).worst, Some((minute(1), 8.0)));
    assert_eq!(columns(&store, &lane, &axis(4), minute(3), minute(3)).worst, Some((minute(3), 9.0)));
}

fn order(n: i64, status: OrderStatus) -> Order {
    Order {
        order_id: format!("O{n}").as_str().into(),
        created_at: minute(n),
        status,
        amount: Some(1),
        payment_method: None,
        region: None,
        service_type: None,
        saga_step: None,
        trace_id: None,
        updated_at: None,
        version: None,
        attributes: Attributes::default(),
    }
}

fn ledger(store: &mut Store, asof: Stamp, rows: Rows) {
    let asked = Asked::Window(Span::new(T, asof));
    feed(store, "db", vec![Fact::Ledger(Ledger { asof, asked, rows })]);
}

#[test]
fn stuck_by_birth_is_unknown_until_an_order_could_be_stuck() {
    let mut store = Store::default();
    ledger(&mut store, minute(2), Rows::Orders(vec![order(1, OrderStatus::Active), order(0, OrderStatus::Complete)]));
    let stuck = lane("orders.stuck_by_birth", Rollup::SumPerMinute);
    let shown = |store: &Store, at: Stamp| drawn(&columns(store, &stuck, &axis(4), at, at).cells);
    assert_eq!(shown(&store, minute(3)), "....");
    ledger(&mut store, minute(17), Rows::Orders(Vec::new()));
    assert_eq!(shown(&store, minute(17)), "01..");
    // Twenty minutes later by the clock, but nobody has asked since: nothing more is known.
    assert_eq!(shown(&store, minute(40)), "01..");
    // As of the cursor it was not known, however much is known now.
    let back = columns(&store, &stuck, &axis(4), minute(3), minute(17));
    assert_eq!(drawn(&back.cells), "....");
}

#[test]
fn not_at_ho_sums_up_what_was_due_and_is_empty_when_ho_was_never_asked() {
    let mut store = Store::default();
    let paid = |n: i64| Payment {
        upg_ref: format!("U{n}").as_str().into(),
        order_id: format!("O{n}").as_str().into(),
        amount: Some(5),
        status: PaymentStatus::Paid,
        created_at: minute(n),
        settled_at: Some(minute(n)),
        payment_method: None,
        gateway_ref: None,
        gateway_ms: None,
        idempotency_key: None,
    };
    let now = minute(20);
    ledger(&mut store, now, Rows::Orders((0..4).map(|n| order(n, OrderStatus::Complete)).collect()));
    ledger(&mut store, now, Rows::Payments((0..4).map(paid).collect()));
    let lane = lane("orders.not_at_ho", Rollup::Last);
    assert_eq!(drawn(&columns(&store, &lane, &axis(14), now, now).cells), "_".repeat(14));
    let record = HoPayment {
        ho_ref: "H".into(),
        upg_ref: Some("U1".into()),
        order_id: None,
        amount: Some(5),
        recorded_at: now,
        business_date: None,
    };
    ledger(&mut store, now, Rows::HoPayments(vec![record]));
    assert_eq!(drawn(&columns(&store, &lane, &axis(14), now, now).cells), "00000000001123");
}

#[test]
fn the_quantile_of_ranks_is_interpolated() {
    let sorted = [1.0, 2.0, 3.0, 4.0, 5.0];
    for (q, value) in [(0.0, 1.0), (0.5, 3.0), (0.95, 4.8), (1.0, 5.0)] {
        assert!((band::quantile(&sorted, q).unwrap() - value).abs() < 1e-9);
    }
    assert_eq!(band::quantile(&[], 0.5), None);
}
