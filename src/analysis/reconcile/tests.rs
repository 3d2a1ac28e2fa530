//! Tests of `analysis::reconcile`, as stories.

use super::*;
use crate::model::Lapse;
use crate::model::order::{
    Asked as Question, Attributes, Callback, HoPayment, Ledger, Order, OrderStatus, Payment, PaymentStatus, Rows,
};
use crate::model::{Batch, Fact};
use proptest::prelude::*;

const T: Stamp = Stamp::from_secs(60 * 1_000_000);

fn minute(n: i64) -> Stamp {
    T + Lapse::minutes(n)
}

fn window() -> Span {
    Span::new(T, minute(600))
}

fn tell(store: &mut Store, asof: Stamp, rows: Rows) {
    let asked = Question::Window(Span::new(T, minute(600)));
    let facts = vec![Fact::Ledger(Ledger { asof, asked, rows })];
    store.apply(&Batch { source: "db".into(), seq: 1, seen: asof, facts });
}

fn order(status: OrderStatus) -> Order {
    Order {
        order_id: "O".into(),
        created_at: T,
        status,
        amount: Some(500),
        payment_method: None,
        region: None,
        service_type: None,
        saga_step: None,
        trace_id: None,
        updated_at: Some(T),
        version: None,
        attributes: Attributes::default(),
    }
}

fn payment(upg_ref: &str, status: PaymentStatus, settled: i64) -> Payment {
    Payment {
        upg_ref: upg_ref.into(),
        order_id: "O".into(),
        amount: Some(500),
        status,
        created_at: T,
        settled_at: Some(minute(settled)),
        payment_method: None,
        gateway_ref: None,
        gateway_ms: None,
        idempotency_key: None,
    }
}

fn record(ho_ref: &str, amount: i64) -> HoPayment {
    let (ho_ref, order_id) = (ho_ref.into(), Some("O".into()));
    HoPayment { ho_ref, upg_ref: None, order_id, amount: Some(amount), recorded_at: minute(2), business_date: None }
}

fn callback(attempt: i32, http_status: Option<i32>) -> Callback {
    let order_id = Some("O".into());
    Callback {
        order_id,
        upg_ref: None,
        attempt,
        sent_at: minute(3),
        http_status,
        target: None,
        duration_ms: None,
        next_attempt_at: None,
        dead: None,
    }
}

/// What the systems held at one instant; a role that is none was never asked.
#[derive(Clone, Default)]
struct World {
    order: Option<OrderStatus>,
    payments: Option<Vec<Payment>>,
    callbacks: Option<Vec<Callback>>,
    ho: Option<Vec<HoPayment>>,
}

fn class_in(world: &World, at: Stamp) -> Option<Class> {
    let mut store = Store::default();
    tell(&mut store, at, Rows::Orders(world.order.clone().map(order).into_iter().collect()));
    if let Some(payments) = world.payments.clone() {
        tell(&mut store, at, Rows::Payments(payments));
    }
    if let Some(callbacks) = world.callbacks.clone() {
        tell(&mut store, at, Rows::Callbacks(callbacks));
    }
    if let Some(ho) = world.ho.clone() {
        tell(&mut store, at, Rows::HoPayments(ho));
    }
    orders(&store, window(), &[], at).first().map(|o| o.class)
}

#[test]
fn every_class_has_a_card_and_its_own_example() {
    use Class::*;
    use OrderStatus::{Active, Complete, Expired, Failed};
    let paid = || Some(vec![payment("U", PaymentStatus::Paid, 1)]);
    let twice = || Some(vec![payment("U", PaymentStatus::Paid, 1), payment("V", PaymentStatus::Paid, 1)]);
    let pending = || Some(vec![payment("U", PaymentStatus::Pending, 1)]);
    let at_ho = |n: &[i64]| Some(n.iter().enumerate().map(|(i, a)| record(&format!("H{i}"), *a)).collect::<Vec<_>>());
    let none = || Some(Vec::new());
    let none_paid = || Some(vec![payment("U", PaymentStatus::Failed, 1)]);
    let dear = || Some(vec![Payment { amount: Some(600), ..payment("U", PaymentStatus::Paid, 1) }]);
    let odd = || Some(vec![payment("U", PaymentStatus::Other("KEPT".into()), 1)]);
    let back = || Some(vec![payment("U", PaymentStatus::Refunded, 1)]);
    let tried = |status| Some(vec![callback(1, None), callback(2, status)]);
    let w = |order: OrderStatus, payments, callbacks, ho| World { order: Some(order), payments, callbacks, ho };
    let cases = [
        (20, w(Active, None, None, None), NotAsked),
        (20, w(Active, paid(), None, None), NotAsked),
        (5, w(Active, None, None, None), InFlight),
        (20, w(Active, twice(), None, None), ChargedTwice),
        (20, w(Complete, Some(vec![]), None, at_ho(&[500])), RecordedNotCharged),
        (20, w(Complete, paid(), None, at_ho(&[500, 500])), RecordedTwice),
        (20, w(Complete, paid(), None, at_ho(&[499])), AmountUpgHo),
        (5, w(Active, paid(), None, at_ho(&[])), Settling),
        (12, w(Active, paid(), None, at_ho(&[])), InFlight),
        (20, w(Active, paid(), Some(Vec::new()), at_ho(&[])), PaidStuckNeverSent),
        (20, w(Active, paid(), tried(Some(503)), at_ho(&[])), PaidStuckCallbackFailed),
        (20, w(Active, paid(), tried(Some(202)), at_ho(&[])), AcknowledgedNotRecorded),
        (20, w(Active, paid(), None, at_ho(&[])), PaidStuckNotRecorded),
        (20, w(Active, paid(), None, at_ho(&[500])), PaidStuckRecorded),
        (20, w(Complete, dear(), None, at_ho(&[600])), AmountOrderUpg),
        (20, w(Active, dear(), None, at_ho(&[])), AmountOrderUpg),
        (20, w(OrderStatus::Other("HELD".into()), paid(), None, at_ho(&[500])), UnmappedStatus),
        (20, w(OrderStatus::Other("HELD".into()), none_paid(), None, None), UnmappedStatus),
        (20, w(OrderStatus::Other("HELD".into()), twice(), None, None), ChargedTwice),
        (20, w(Active, odd(), None, at_ho(&[])), UnmappedPayment),
        (20, w(Complete, odd(), None, at_ho(&[500])), UnmappedPayment),
        (20, w(Failed, back(), None, at_ho(&[])), Ok),
        (20, w(Complete, back(), None, at_ho(&[])), CompleteNotCharged),
        (20, w(Active, back(), None, at_ho(&[500])), RecordedNotCharged),
        (20, w(OrderStatus::Created, paid(), None, at_ho(&[])), ChargedNotRecorded),
        (20, w(Complete, paid(), None, at_ho(&[])), ChargedNotRecorded),
        (20, w(Complete, Some(vec![]), None, at_ho(&[])), CompleteNotCharged),
        (20, w(Expired, paid(), None, at_ho(&[500])), FailedButCharged),
        (20, w(Active, pending(), None, None), PaymentPendingStuck),
        (20, w(Active, Some(vec![]), None, None), UnpaidStuck),
        (20, w(Expired, Some(vec![]), None, none()), Ok),
        (20, w(Complete, paid(), None, at_ho(&[500])), Ok),
        (20, World { payments: paid(), ..World::default() }, PaymentWithoutOrder),
    ];
    for (at, world, class) in &cases {
        assert_eq!(class_in(world, minute(*at)), Some(*class), "at minute {at}, want {class:?}");
    }
    for card in CLASSES {
        // A silent system needs two instants: it has its own tests.
        let told_elsewhere = matches!(card.class, UpgUnknown | HoUnknown);
        assert!(told_elsewhere || cases.iter().any(|(_, _, c)| *c == card.class), "{:?} has no example", card.class);
        assert!(card.name.len() <= 34 && !card.meaning.is_empty(), "{:?}", card.class);
    }
    assert!(cases.iter().all(|(_, _, c)| c.card().is_some()));
}

#[test]
fn an_answer_older_than_the_order_s_end_does_not_say_that_nobody_paid() {
    let mut store = Store::default();
    tell(&mut store, minute(1), Rows::Payments(Vec::new()));
    // UPG answers about others: it is not silent, only this order's turn has not come.
    let asked = Question::Ids(vec!["P".into()]);
    let other = Ledger { asof: minute(19), asked, rows: Rows::Payments(Vec::new()) };
    store.apply(&Batch { source: "db".into(), seq: 2, seen: minute(19), facts: vec![Fact::Ledger(other)] });
    tell(&mut store, minute(20), Rows::Orders(vec![order(OrderStatus::Active)]));
    let class = |store: &Store| orders(store, window(), &[], minute(20))[0].class;
    assert_eq!(class(&store), Class::NotAsked);
    tell(&mut store, minute(19), Rows::Payments(Vec::new()));
    assert_eq!(class(&store), Class::UnpaidStuck);
}

#[test]
fn a_system_that_fell_silent_makes_the_order_unknown_and_leaves_what_is_known() {
    let mut store = Store::default();
    tell(&mut store, minute(4), Rows::HoPayments(Vec::new()));
    tell(&mut store, minute(30), Rows::Payments(vec![payment("U", PaymentStatus::Paid, 5)]));
    tell(&mut store, minute(30), Rows::Orders(vec![order(OrderStatus::Complete)]));
    let class = |store: &Store, at| orders(store, window(), &[], minute(at))[0].class;
    // Settled at 5, due at 15; HO was last read at 4.
    assert_eq!(class(&store, 30), Class::HoUnknown);
    tell(
        &mut store,
        minute(31),
        Rows::Payments(vec![payment("U", PaymentStatus::Paid, 5), payment("V", PaymentStatus::Paid, 5)]),
    );
    assert_eq!(class(&store, 31), Class::ChargedTwice);
    tell(&mut store, minute(32), Rows::HoPayments(Vec::new()));
    assert_eq!((class(&store, 30), class(&store, 32)), (Class::HoUnknown, Class::ChargedTwice));
}

#[test]
fn upg_read_too_early_and_silent_since_is_unknown_and_not_unpaid() {
    let mut store = Store::default();
    tell(&mut store, minute(1), Rows::Payments(Vec::new()));
    tell(&mut store, minute(20), Rows::Orders(vec![order(OrderStatus::Active)]));
    assert_eq!(orders(&store, window(), &[], minute(20))[0].class, Class::UpgUnknown);
    tell(&mut store, minute(20), Rows::Payments(Vec::new()));
    assert_eq!(orders(&store, window(), &[], minute(20))[0].class, Class::UnpaidStuck);
}

#[test]
fn an_amount_that_is_missing_is_no_difference_and_not_zero() {
    let none = Payment { amount: None, ..payment("U", PaymentStatus::Paid, 1) };
    let world = World {
        order: Some(OrderStatus::Complete),
        payments: Some(vec![none]),
        callbacks: None,
        ho: Some(vec![record("H", 500)]),
    };
    assert_eq!(class_in(&world, minute(20)), Some(Class::Ok));
}

#[test]
fn the_newest_version_read_by_then_counts_and_a_payment_seen_twice_is_one() {
    let mut store = Store::default();
    tell(&mut store, minute(20), Rows::Orders(vec![order(OrderStatus::Active)]));
    tell(&mut store, minute(20), Rows::Payments(vec![payment("U", PaymentStatus::Pending, 1)]));
    tell(&mut store, minute(21), Rows::Payments(vec![payment("U", PaymentStatus::Paid, 1)]));
    tell(&mut store, minute(22), Rows::Payments(vec![payment("U", PaymentStatus::Paid, 1)]));
    tell(&mut store, minute(22), Rows::HoPayments(Vec::new()));
    let class = |at| orders(&store, window(), &[], at)[0].class;
    assert_eq!(class(minute(20)), Class::PaymentPendingStuck);
    assert_eq!(class(minute(22)), Class::PaidStuckNotRecorded);
    assert!(orders(&store, window(), &[], minute(19)).is_empty());
}

#[test]
fn a_clock_that_is_behind_makes_no_negative_age() {
    let mut store = Store::default();
    tell(&mut store, minute(-5), Rows::Orders(vec![order(OrderStatus::Active)]));
    let standing = standing(&store, window(), minute(0));
    assert_eq!((standing.stuck, standing.classes[0].oldest), (0, Some(Lapse::ZERO)));
}

#[test]
fn what_was_never_asked_is_said_with_the_remedy() {
    let mut store = Store::default();
    tell(&mut store, minute(20), Rows::Orders(vec![order(OrderStatus::Active)]));
    let standing = standing(&store, window(), minute(20));
    assert_eq!((standing.total, standing.stuck, standing.stuck_paid, standing.stuck_unpaid), (1, 1, 0, 0));
    assert_eq!((standing.asked, standing.not_at_ho), ((0, 1), 0));
    assert_eq!(standing.missing.len(), 3);
    assert!(standing.missing.iter().all(|m| m.contains("[[query]]")));
}

#[test]
fn one_trait_behind_the_stuck_is_named_and_an_even_one_is_not() {
    let mut store = Store::default();
    let rows = (0..1_000).map(|n| {
        let delivery = n % 5 == 0;
        Order {
            order_id: format!("O{n}").as_str().into(),
            status: if delivery && n % 2 == 0 { OrderStatus::Active } else { OrderStatus::Complete },
            service_type: Some(if delivery { "DELIVERY" } else { "PICKUP" }.into()),
            region: Some(if n % 3 == 0 { "JKT" } else { "SBY" }.into()),
            ..order(OrderStatus::Active)
        }
    });
    tell(&mut store, minute(20), Rows::Orders(rows.collect()));
    let shared = shared(&store, window(), minute(20));
    let named: Vec<_> = shared.iter().filter(|t| t.named).map(|t| (&*t.name, t.value.raw(), t.stuck)).collect();
    assert_eq!(named, [("service", "DELIVERY", 100)]);
    let region = shared.iter().find(|t| &*t.name == "region").unwrap();
    assert!(!region.named && region.p > 0.01 && (region.lift - 1.0).abs() < 0.1);
}

#[test]
fn too_few_stuck_name_nothing_and_none_at_all_share_nothing() {
    let mut store = Store::default();
    let rows = (0..200).map(|n| Order {
        order_id: format!("O{n}").as_str().into(),
        status: if n < 19 { OrderStatus::Active } else { OrderStatus::Complete },
        region: Some(if n < 19 { "JKT" } else { "SBY" }.into()),
        ..order(OrderStatus::Active)
    });
    tell(&mut store, minute(20), Rows::Orders(rows.collect()));
    assert!(shared(&store, window(), minute(20)).iter().all(|t| !t.named));
    assert_eq!(shared(&store, window(), minute(14)), []);
}

fn worlds() -> impl Strategy<Value = Vec<(u8, u8, u8, u8, i64)>> {
    prop::collection::vec((0_u8..5, 0_u8..4, 0_u8..3, 0_u8..3, 0_i64..40), 0..40)
}

fn told(all: &[(u8, u8, u8, u8, i64)]) -> Store {
    let mut store = Store::default();
    let (mut orders, mut payments, mut ho, mut calls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (i, (status, paid, recorded, tried, born)) in all.iter().enumerate() {
        let id: OrderId = format!("O{i}").as_str().into();
        let status = match status {
            0 => OrderStatus::Complete,
            1 => OrderStatus::Expired,
            2 => OrderStatus::Created,
            _ => OrderStatus::Active,
        };
        orders.push(Order { order_id: id.clone(), created_at: minute(*born), ..order(status) });
        payments.extend((0..*paid).map(|n| Payment {
            order_id: id.clone(),
            created_at: minute(*born),
            ..payment(&format!("U{i}-{n}"), if n == 2 { PaymentStatus::Pending } else { PaymentStatus::Paid }, born + 1)
        }));
        ho.extend(
            (0..*recorded).map(|n| HoPayment { order_id: Some(id.clone()), ..record(&format!("H{i}-{n}"), 500) }),
        );
        calls.extend((0..*tried).map(|n| Callback { order_id: Some(id.clone()), ..callback(i32::from(n), Some(503)) }));
    }
    tell(&mut store, minute(40), Rows::Orders(orders));
    tell(&mut store, minute(40), Rows::Payments(payments));
    tell(&mut store, minute(40), Rows::HoPayments(ho));
    tell(&mut store, minute(40), Rows::Callbacks(calls));
    store
}

proptest! {
    #[test]
    fn classes_part_the_orders_and_the_sums_agree(all in worlds()) {
        let store = told(&all);
        let standing = standing(&store, window(), minute(40));
        prop_assert_eq!(standing.total, all.len());
        prop_assert_eq!(standing.classes.iter().map(|c| c.orders).sum::<usize>(), all.len());
        let listed = orders(&store, window(), &[], minute(40));
        prop_assert_eq!(listed.len(), all.len());
        prop_assert!(listed.windows(2).all(|w| (w[0].born, &w[0].id) <= (w[1].born, &w[1].id)));
        for count in &standing.classes {
            prop_assert_eq!(orders(&store, window(), &[count.class], minute(40)).len(), count.orders);
        }
        prop_assert_eq!(standing.stuck, standing.stuck_paid + standing.stuck_unpaid);
        prop_assert_eq!(standing.asked.0, standing.asked.1);
        let old = all.iter().filter(|(status, .., born)| *status > 2 && *born < 25).count();
        prop_assert_eq!(standing.stuck, old);
    }
}

#[test]
fn two_traits_that_only_matter_together_are_told_together() {
    let mut store = Store::default();
    let rows = (0..3_000).map(|n| {
        let (service, method) = (["DELIVERY", "PICKUP", "RIDE"][n % 3], ["QRIS", "VA", "CARD"][n / 3 % 3]);
        let hangs = service == "DELIVERY" && method == "QRIS" && n % 4 != 0;
        Order {
            order_id: format!("O{n}").as_str().into(),
            status: if hangs || n % 500 == 0 { OrderStatus::Active } else { OrderStatus::Complete },
            service_type: Some(service.into()),
            payment_method: Some(method.into()),
            ..order(OrderStatus::Active)
        }
    });
    tell(&mut store, minute(20), Rows::Orders(rows.collect()));
    let shared = shared(&store, window(), minute(20));
    let first = &shared[0];
    assert_eq!((&*first.name, first.value.raw(), first.named), ("together", "DELIVERY + QRIS", true));
    assert!(first.lift > 8.0 && first.p < 1e-9, "{first:?}");
}

fn says(store: &Store, at: Stamp, words: &str) -> bool {
    let standing = standing(store, window(), at);
    assert_eq!(standing.broken, None);
    standing.doubts.iter().any(|d| d.contains(words))
}

#[test]
fn a_ledger_that_cannot_be_read_is_named_with_the_time_and_the_others_go_on() {
    let mut store = Store::default();
    tell(&mut store, minute(4), Rows::HoPayments(Vec::new()));
    tell(&mut store, minute(30), Rows::Payments(vec![payment("U", PaymentStatus::Paid, 5)]));
    let other = Order { order_id: "P".into(), ..order(OrderStatus::Active) };
    tell(&mut store, minute(30), Rows::Orders(vec![order(OrderStatus::Active), other]));
    let zone = store.incident.zone.clone();
    let words = format!("unknown: HO not read since {}: 1 order is unknown", zone.hm(minute(4)));
    assert!(says(&store, minute(30), &words));
    let standing = standing(&store, window(), minute(30));
    assert_eq!((standing.of(Class::HoUnknown), standing.of(Class::UnpaidStuck)), (1, 1));
    tell(&mut store, minute(31), Rows::HoPayments(vec![record("H", 500)]));
    assert!(!says(&store, minute(31), "HO not read"));
    assert_eq!(class_of_first(&store, 31), Class::PaidStuckRecorded);
}

fn class_of_first(store: &Store, at: i64) -> Class {
    orders(store, window(), &[], minute(at))[0].class
}

#[test]
fn a_word_nobody_mapped_is_named_with_its_count() {
    let mut store = Store::default();
    let held = |n: i64| Order { order_id: format!("O{n}").as_str().into(), ..order(OrderStatus::Other("HELD".into())) };
    tell(&mut store, minute(20), Rows::Orders((0..3).map(held).collect()));
    let kept = Payment { order_id: "O1".into(), ..payment("U", PaymentStatus::Other("KEPT\n".into()), 1) };
    tell(&mut store, minute(20), Rows::Payments(vec![kept]));
    assert!(says(&store, minute(20), "HELD (3 orders), KEPT↵ (1 payment); map.status"));
    let standing = standing(&store, window(), minute(20));
    assert_eq!((standing.of(Class::UnmappedStatus), standing.of(Class::UnmappedPayment)), (2, 1));
    assert_eq!(standing.classes.iter().map(|c| c.orders).sum::<usize>(), 3);
}

#[test]
fn amounts_that_are_missing_are_counted_and_left_out_of_the_sums() {
    let mut store = Store::default();
    let nothing = Order { order_id: "P".into(), amount: None, ..order(OrderStatus::Active) };
    tell(&mut store, minute(20), Rows::Orders(vec![order(OrderStatus::Active), nothing]));
    tell(&mut store, minute(20), Rows::Payments(Vec::new()));
    let unpaid = &standing(&store, window(), minute(20)).classes[0];
    assert_eq!((unpaid.orders, unpaid.amount, unpaid.without_amount), (2, 500, 1));
    assert!(says(&store, minute(20), "1 order without an amount: the sums leave them out"));
}

#[test]
fn one_key_twice_in_one_answer_is_said_and_the_later_row_counts() {
    let mut store = Store::default();
    tell(&mut store, minute(20), Rows::Orders(vec![order(OrderStatus::Active)]));
    let twice = vec![payment("U", PaymentStatus::Failed, 1), payment("U", PaymentStatus::Paid, 1)];
    tell(&mut store, minute(20), Rows::Payments(twice.clone()));
    tell(&mut store, minute(20), Rows::HoPayments(vec![record("H", 500)]));
    assert_eq!(class_of_first(&store, 20), Class::PaidStuckRecorded);
    assert!(says(&store, minute(20), "1 row came twice in one answer with different content (U)"));
    // The same content twice, or another content later, is no conflict.
    tell(&mut store, minute(21), Rows::Payments(vec![twice[0].clone(), twice[0].clone()]));
    assert!(says(&store, minute(21), "1 row came twice"));
}

#[test]
fn identifiers_that_are_written_differently_are_not_joined_and_not_silent() {
    let uuid = "3F2504E0-4F89-11D3-9A0C-0305E82C3301";
    let pairs = [("ord-7", "ORD-7"), ("7", "0007"), (uuid, "3f2504e04f8911d39a0c0305e82c3301"), ("A", " A ")];
    for (ours, theirs) in pairs {
        for (ours, theirs) in [(ours, theirs), (theirs, ours)] {
            let mut store = Store::default();
            let id = |o: Order| Order { order_id: ours.into(), ..o };
            tell(&mut store, minute(30), Rows::Orders(vec![id(order(OrderStatus::Active))]));
            let p = Payment { order_id: theirs.into(), ..payment("U", PaymentStatus::Paid, 1) };
            tell(&mut store, minute(30), Rows::Payments(vec![p]));
            let standing = standing(&store, window(), minute(30));
            assert_eq!((standing.of(Class::UnpaidStuck), standing.of(Class::PaymentWithoutOrder)), (1, 1));
            assert!(says(&store, minute(30), "1 identifier would fit"), "{ours:?} {theirs:?}");
        }
    }
}

#[test]
fn a_record_whose_payment_nobody_showed_is_counted() {
    let mut store = Store::default();
    tell(&mut store, minute(20), Rows::Orders(vec![order(OrderStatus::Active)]));
    let lost = HoPayment { upg_ref: Some("U9".into()), order_id: None, ..record("H", 500) };
    tell(&mut store, minute(20), Rows::HoPayments(vec![lost]));
    assert!(says(&store, minute(20), "1 HO record names a payment that UPG did not show"));
}

#[test]
fn ho_that_writes_days_later_is_recorded_and_missing_until_then() {
    let mut store = Store::default();
    let days = |n: i64| T + Lapse::hours(24 * n);
    tell(&mut store, days(1), Rows::Orders(vec![order(OrderStatus::Complete)]));
    tell(&mut store, days(1), Rows::Payments(vec![payment("U", PaymentStatus::Paid, 1)]));
    tell(&mut store, days(1), Rows::HoPayments(Vec::new()));
    let late = HoPayment { recorded_at: days(3), ..record("H", 500) };
    tell(&mut store, days(3) + Lapse::minutes(1), Rows::HoPayments(vec![late]));
    let class = |at| orders(&store, window(), &[], at)[0].class;
    assert_eq!((class(days(1)), class(days(4))), (Class::ChargedNotRecorded, Class::Ok));
}
