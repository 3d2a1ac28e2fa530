//! Tests of `analysis::trail`, as stories.

use super::StepKind::{Error, Event, Missing, Silence};
use super::*;
use crate::model::log::{Level, LogLine};
use crate::model::note::Verdict::{self, Inconclusive, NoData, Refutes, Supports};
use crate::model::order::{
    Asked as Question, Attributes, Callback, HoPayment, Ledger, Order, OrderEvent, OrderStatus, Payment, PaymentStatus,
    Rows,
};
use crate::model::{Batch, Fact, Span};

const T: Stamp = Stamp::from_secs(60 * 1_000_000);

fn second(n: i64) -> Stamp {
    T + Lapse::seconds(n)
}

/// Second, service and words of a line.
type Said<'a> = (i64, &'a str, &'a str);

const AT: Stamp = Stamp(T.0 + Lapse::hours(1).0);

fn tell(store: &mut Store, rows: Rows) {
    let asked = Question::Window(Span::new(T, AT));
    let facts = vec![Fact::Ledger(Ledger { asof: AT, asked, rows })];
    store.apply(&Batch { source: "db".into(), seq: 1, seen: AT, facts });
}

fn say(store: &mut Store, lines: &[(i64, &str, &str)]) {
    let line = |(n, service, message): &(i64, &str, &str)| LogLine {
        at: second(*n),
        service: (*service).into(),
        level: Level::Error,
        order: Some("O".into()),
        trace: None,
        message: (*message).into(),
        stack: Vec::new(),
    };
    let facts = vec![Fact::Lines(lines.iter().map(line).collect())];
    store.apply(&Batch { source: "logs".into(), seq: 1, seen: AT, facts });
}

fn stuck_order() -> Store {
    let mut store = Store::default();
    tell(&mut store, Rows::Orders(vec![an_order()]));
    store
}

fn an_order() -> Order {
    Order {
        order_id: "O".into(),
        created_at: T,
        status: OrderStatus::Active,
        amount: Some(412_500),
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

fn pay(store: &mut Store, callbacks: Vec<Callback>, ho: Vec<HoPayment>) {
    let payment = Payment {
        upg_ref: "U".into(),
        order_id: "O".into(),
        amount: Some(412_500),
        status: PaymentStatus::Paid,
        created_at: second(1),
        settled_at: Some(second(30)),
        payment_method: None,
        gateway_ref: None,
        gateway_ms: None,
        idempotency_key: None,
    };
    tell(store, Rows::Payments(vec![payment]));
    tell(store, Rows::Callbacks(callbacks));
    tell(store, Rows::HoPayments(ho));
}

fn shape(trail: &Trail) -> Vec<(StepKind, Option<i64>)> {
    trail.steps.iter().map(|s| (s.kind, s.at.map(|t| t.since(T).whole_seconds()))).collect()
}

fn verdict(trail: &Trail, hypothesis: u32) -> Option<Verdict> {
    trail.says.iter().find(|s| s.hypothesis == hypothesis).map(|s| s.verdict)
}

#[test]
fn nobody_knows_an_order_that_was_never_seen() {
    assert_eq!(trail(&stuck_order(), "other", AT), None);
}

#[test]
fn absence_is_a_row_silence_is_a_row_and_both_stand_where_they_belong() {
    let mut store = stuck_order();
    pay(&mut store, Vec::new(), Vec::new());
    say(&mut store, &[(35, "orch-1", "pool mrg: acquire timeout after 5000ms")]);
    let trail = trail(&store, "O", AT).unwrap();
    assert_eq!(trail.class, Class::PaidStuckNeverSent);
    assert_eq!(
        shape(&trail),
        [
            (Event, Some(0)),
            (Event, Some(1)),
            (Event, Some(30)),
            (Error, Some(35)),
            (Silence, None),
            (Missing, None),
            (Missing, Some(630)),
            (Missing, Some(630)),
            (Missing, Some(900)),
        ]
    );
    assert_eq!(trail.steps[3].after, Some(Lapse::seconds(5)));
    assert_eq!(trail.steps[3].system, System::Orchestrator);
    let stations: Vec<_> = trail.stations.iter().map(|s| (s.name, s.at.is_some(), s.broken)).collect();
    assert_eq!(
        stations,
        [("CREATE", true, false), ("PAY", true, false), ("RECORD", false, true), ("COMPLETE", false, false)]
    );
    assert_eq!(trail.active_for, Some(Lapse::hours(1)));
}

#[test]
fn a_step_that_was_due_before_a_later_line_stands_before_it() {
    let mut store = stuck_order();
    pay(&mut store, Vec::new(), Vec::new());
    say(&mut store, &[(2_000, "mrg-api-1", "sweeper looked at it")]);
    let trail = trail(&store, "O", AT).unwrap();
    let late = trail.steps.iter().position(|s| s.kind == StepKind::Error).unwrap();
    assert!(trail.steps[..late].iter().filter(|s| s.kind == StepKind::Missing).count() == 4);
}

#[test]
fn what_happened_after_the_instant_is_not_told() {
    let mut store = stuck_order();
    say(&mut store, &[(35, "orch-1", "first"), (4_000, "orch-1", "later")]);
    let steps = trail(&store, "O", AT).unwrap().steps;
    assert!(steps.iter().any(|s| s.what.raw() == "first") && !steps.iter().any(|s| s.what.raw() == "later"));
    assert_eq!(trail(&store, "O", T - Lapse(1)), None);
}

#[test]
fn without_lines_nothing_is_said_of_what_only_lines_can_tell() {
    let mut store = stuck_order();
    pay(&mut store, Vec::new(), Vec::new());
    let trail = trail(&store, "O", AT).unwrap();
    let all: Vec<_> = (1..=5).map(|h| verdict(&trail, h).unwrap()).collect();
    assert_eq!(all, [NoData, Refutes, NoData, NoData, NoData]);
}

#[test]
fn each_hypothesis_is_told_by_its_own_kind_of_line_and_a_consequence_supports_nothing() {
    let pool = (35, "orch-1", "pool mrg: no connection within 5000ms");
    let breaker = |n| (n, "mrg-api-1", "circuit breaker upg is open, request refused");
    let cases: [(&[Said], [Verdict; 3]); 6] = [
        (&[pool], [Supports, Inconclusive, Inconclusive]),
        // The pool's own wait began five seconds before its line, and so before the breaker's.
        (&[breaker(34), pool], [Supports, Inconclusive, Inconclusive]),
        (&[breaker(20), pool], [Supports, Supports, Inconclusive]),
        (&[(10, "orch-1", "saga gave up at PAY"), breaker(20)], [Inconclusive, Inconclusive, Inconclusive]),
        (&[pool, (36, "mrg-api-1", "set state: context deadline exceeded")], [Supports, Inconclusive, Inconclusive]),
        (&[(20, "upg-1", "Client.Timeout exceeded while awaiting headers")], [Inconclusive, Inconclusive, Supports]),
    ];
    for (lines, expected) in cases {
        let mut store = stuck_order();
        pay(&mut store, Vec::new(), Vec::new());
        say(&mut store, lines);
        let trail = trail(&store, "O", AT).unwrap();
        let told = [1, 3, 4].map(|h| verdict(&trail, h).unwrap());
        assert_eq!(told, expected, "{lines:?}");
    }
}

#[test]
fn callbacks_and_books_split_the_second_hypothesis_from_the_fifth() {
    let tried = |status| Callback {
        order_id: Some("O".into()),
        upg_ref: Some("U".into()),
        attempt: 1,
        sent_at: second(40),
        http_status: status,
        target: Some("HO".into()),
        duration_ms: None,
        next_attempt_at: None,
        dead: None,
    };
    let record = HoPayment {
        ho_ref: "H".into(),
        upg_ref: Some("U".into()),
        order_id: None,
        amount: Some(412_500),
        recorded_at: second(41),
        business_date: None,
    };
    for (callbacks, ho, second, fifth) in [
        (vec![tried(Some(503))], vec![], Verdict::Supports, Verdict::NoData),
        (vec![tried(Some(200))], vec![], Verdict::Inconclusive, Verdict::NoData),
        (vec![tried(Some(200))], vec![record], Verdict::Refutes, Verdict::Supports),
    ] {
        let mut store = stuck_order();
        pay(&mut store, callbacks, ho);
        let trail = trail(&store, "O", AT).unwrap();
        assert_eq!((verdict(&trail, 2), verdict(&trail, 5)), (Some(second), Some(fifth)), "{:?}", trail.class);
    }
}

#[test]
fn transitions_speak_of_races_and_of_stations() {
    let event = |n, from: Option<&str>, to: &str| OrderEvent {
        order_id: "O".into(),
        at: second(n),
        from: from.map(Into::into),
        to: to.into(),
        actor: None,
        version: None,
    };
    let mut store = stuck_order();
    pay(&mut store, Vec::new(), Vec::new());
    tell(&mut store, Rows::OrderEvents(vec![event(1, Some("CREATED"), "ACTIVE"), event(2, None, "RESERVE")]));
    let straight = trail(&store, "O", AT).unwrap();
    assert_eq!(verdict(&straight, 5), Some(Verdict::Refutes));
    assert!(straight.stations.iter().any(|s| s.name == "RESERVE" && s.at == Some(second(2))));
    tell(&mut store, Rows::OrderEvents(vec![event(9, Some("COMPLETE"), "ACTIVE")]));
    assert_eq!(verdict(&trail(&store, "O", AT).unwrap(), 5), Some(Verdict::Supports));
}

fn says_first(trail: &Trail) -> Option<&str> {
    trail.first.as_ref().map(|f| f.says.raw())
}

#[test]
fn the_first_missing_step_is_said_in_one_sentence_with_what_came_last() {
    let mut store = stuck_order();
    let never_asked = trail(&store, "O", AT).unwrap();
    assert_eq!(says_first(&never_asked), Some("created 17:40:00; UPG was not asked whether it was paid"));
    tell(&mut store, Rows::Payments(Vec::new()));
    let unpaid = trail(&store, "O", AT).unwrap();
    assert_eq!(says_first(&unpaid), Some("created 17:40:00; UPG knows of no payment (asked 18:40:00)"));
    pay(&mut store, Vec::new(), Vec::new());
    let paid = trail(&store, "O", AT).unwrap();
    assert_eq!(says_first(&paid), Some("UPG settled 17:40:30; no callback was ever sent (asked 18:40:00)"));
    let attempt = |attempt, n, http_status| Callback {
        order_id: None,
        upg_ref: Some("U".into()),
        attempt,
        sent_at: second(n),
        http_status,
        target: Some("HO".into()),
        duration_ms: None,
        next_attempt_at: None,
        dead: None,
    };
    pay(&mut store, vec![attempt(1, 31, Some(503)), attempt(2, 61, None)], Vec::new());
    let told = trail(&store, "O", AT).unwrap();
    assert_eq!(
        says_first(&told),
        Some("2 callbacks to HO since 17:40:31, the last 17:41:01: HO did not answer; none was accepted")
    );
    pay(&mut store, vec![attempt(3, 121, Some(200))], Vec::new());
    let lost = trail(&store, "O", AT).unwrap();
    assert_eq!(says_first(&lost), Some("HO answered 2xx 17:42:01; HO has no record (asked 18:40:00)"));
    assert_eq!(lost.first.unwrap().missing, first::Stage::Recorded);
}

#[test]
fn the_clock_of_a_system_that_is_ahead_turns_no_effect_into_its_own_cause() {
    let mut store = stuck_order();
    store.incident.ledgers = vec![(Role::HoPayments, "ho".into())];
    // HO wrote it twenty seconds after the money moved, and its clock says a minute before.
    let record = HoPayment {
        ho_ref: "H".into(),
        upg_ref: Some("U".into()),
        order_id: None,
        amount: Some(412_500),
        recorded_at: second(50) - Lapse::seconds(80),
        business_date: None,
    };
    pay(&mut store, Vec::new(), vec![record]);
    let order_of = |store: &Store| -> Vec<i64> {
        let trail = trail(store, "O", AT).unwrap();
        trail.steps.iter().filter(|s| s.kind == Event).map(|s| s.at.unwrap().since(T).whole_seconds()).collect()
    };
    assert_eq!(order_of(&store), [-30, 0, 1, 30], "nobody has measured the clock");
    let cost = crate::model::health::Cost { at: T, skew: Some(Lapse::seconds(-80)), ..Default::default() };
    store.apply(&Batch { source: "ho".into(), seq: 1, seen: T, facts: vec![Fact::Cost(cost)] });
    assert_eq!(order_of(&store), [0, 1, 30, 50]);
    assert_eq!(says_first(&trail(&store, "O", AT).unwrap()), Some("HO recorded 17:40:50; the order is still ACTIVE"));
}

#[test]
fn a_leg_is_slow_against_the_orders_that_went_straight_through_before() {
    let mut store = Store::default();
    let (mut orders, mut payments) = (Vec::new(), Vec::new());
    for i in 0..60 {
        let id: OrderId = format!("G{i}").into();
        let born = T + Lapse::seconds(i);
        orders.push(Order { order_id: id.clone(), created_at: born, status: OrderStatus::Complete, ..an_order() });
        payments.push(Payment {
            upg_ref: format!("U{i}").into(),
            order_id: id,
            amount: Some(1),
            status: PaymentStatus::Paid,
            created_at: born,
            settled_at: Some(born + Lapse::seconds(2 + i % 3)),
            payment_method: None,
            gateway_ref: None,
            gateway_ms: None,
            idempotency_key: None,
        });
    }
    tell(&mut store, Rows::Orders(orders));
    tell(&mut store, Rows::Payments(payments));
    let leg = usual::Usual::read(&store, AT, AT).leg("CREATE", "PAY").unwrap();
    assert_eq!((leg.middle, leg.long, leg.n), (Lapse::seconds(3), Lapse::seconds(4), 60));
    assert!(leg.slow(Lapse::seconds(10)) && !leg.slow(Lapse::seconds(5)));
    let stretches = |order: &str| -> Vec<(usual::Stretch, i64, bool, bool)> {
        let pace = usual::Usual::read(&store, AT, AT).pace(&store, order, AT);
        pace.iter().map(|p| (p.stretch, p.took.whole_seconds(), p.ended, p.slow())).collect()
    };
    assert_eq!(stretches("G1")[0], (usual::Stretch::Paying, 3, true, false));
    assert_eq!(stretches("nobody's"), []);
    let before = usual::Usual::read(&store, T + Lapse::seconds(20), AT);
    assert_eq!(before.leg("CREATE", "PAY"), None, "twenty orders are too few");
}
