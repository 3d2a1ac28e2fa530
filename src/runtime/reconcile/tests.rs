//! The join against the order book of the screen: whatever rows come, in whatever order and with however
//! little memory, both say the same.

use super::intake::{Intake, Owners};
use super::pass::{Asks, Broke, Found, Pass, Setting};
use crate::analysis::reconcile::class::{ALL, Class};
use crate::analysis::reconcile::day::{Answers, Day, bit};
use crate::analysis::reconcile::standing;
use crate::model::incident::Rules;
use crate::model::order::{
    Asked as Question, Attributes, Callback, HoPayment, Ledger, Order, OrderStatus, Payment, PaymentStatus, Role, Rows,
};
use crate::model::{Batch, Fact, Lapse, Span, Stamp};
use crate::spill::record::Record;
use crate::spill::{BINS, Scratch};
use crate::store::Store;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

const T: Stamp = Stamp::from_secs(60 * 1_000_000);

fn minute(n: i64) -> Stamp {
    T + Lapse::minutes(n)
}

const fn window() -> Span {
    Span { from: T, to: Stamp(T.0 + 600 * 60_000_000) }
}

fn order(id: u8, born: i64, status: OrderStatus, amount: Option<i64>) -> Order {
    Order {
        order_id: format!("O{id}").as_str().into(),
        created_at: minute(born),
        status,
        amount,
        payment_method: None,
        region: None,
        service_type: None,
        saga_step: None,
        trace_id: None,
        updated_at: Some(minute(born)),
        version: None,
        attributes: Attributes::default(),
    }
}

fn payment(upg_ref: u16, of: u8, at: i64, status: PaymentStatus, amount: Option<i64>) -> Payment {
    Payment {
        upg_ref: format!("U{upg_ref}").as_str().into(),
        order_id: format!("O{of}").as_str().into(),
        amount,
        status,
        created_at: minute(at),
        settled_at: Some(minute(at)),
        payment_method: None,
        gateway_ref: None,
        gateway_ms: None,
        idempotency_key: None,
    }
}

fn record(ho_ref: u16, upg_ref: Option<u16>, of: Option<u8>, at: i64, amount: Option<i64>) -> HoPayment {
    HoPayment {
        ho_ref: format!("H{ho_ref}").as_str().into(),
        upg_ref: upg_ref.map(|u| format!("U{u}").as_str().into()),
        order_id: of.map(|o| format!("O{o}").as_str().into()),
        amount,
        recorded_at: minute(at),
        business_date: None,
    }
}

fn callback(upg_ref: Option<u16>, of: Option<u8>, attempt: i32, http_status: Option<i32>) -> Callback {
    Callback {
        order_id: of.map(|o| format!("O{o}").as_str().into()),
        upg_ref: upg_ref.map(|u| format!("U{u}").as_str().into()),
        attempt,
        sent_at: minute(5),
        http_status,
        target: None,
        duration_ms: None,
        next_attempt_at: None,
        dead: None,
    }
}

/// Pages of rows as they come, in any order of roles.
fn pages() -> impl Strategy<Value = Vec<Rows>> {
    let amount = prop_oneof![3 => Just(Some(500)), 1 => Just(Some(499)), 1 => Just(None)];
    let status = prop_oneof![
        Just(OrderStatus::Active),
        Just(OrderStatus::Complete),
        Just(OrderStatus::Created),
        Just(OrderStatus::Expired),
        Just(OrderStatus::Other("GANTUNG".to_owned())),
    ];
    let paid = prop_oneof![
        4 => Just(PaymentStatus::Paid),
        1 => Just(PaymentStatus::Pending),
        1 => Just(PaymentStatus::Refunded),
        1 => Just(PaymentStatus::Other("LUNAS".to_owned())),
    ];
    // Everybody has a row of its own: a payment without order is for those that can be asked.
    let orders = prop::collection::vec((0_i64..60, status, amount.clone()), 1..12).prop_map(|all| {
        let rows = all.into_iter().enumerate();
        Rows::Orders(rows.map(|(i, (born, status, amount))| order(i as u8, born, status, amount)).collect())
    });
    // A reference has one payment; a second row of it is the same payment, read again.
    let payments = prop::collection::vec((0_u16..12, paid, amount.clone()), 0..10)
        .prop_map(|all| Rows::Payments(all.into_iter().map(|(u, s, a)| payment(u, (u % 6) as u8, 1, s, a)).collect()));
    let records =
        prop::collection::vec((0_u16..14, prop::option::of(0_u8..6), any::<bool>(), amount), 0..10).prop_map(|all| {
            let row = |(n, of, by_ref, amount): (u16, Option<u8>, bool, _)| {
                // A record is one record: its reference is always the same, though it may leave out its order.
                let upg_ref = (by_ref || of.is_none()).then_some(n);
                let number = n * 2 + u16::from(upg_ref.is_some());
                // One in four names another order than the one its reference pays.
                record(number, upg_ref, of.map(|_| ((n + u16::from(n % 4 == 3)) % 6) as u8), 2, amount)
            };
            Rows::HoPayments(all.into_iter().map(row).collect())
        });
    let callbacks =
        prop::collection::vec((0_u16..12, 1_i32..3, prop::option::of(200_i32..205)), 0..6).prop_map(|all| {
            Rows::Callbacks(all.into_iter().map(|(u, n, status)| callback(Some(u), None, n, status)).collect())
        });
    (orders, payments, records, callbacks).prop_map(|(a, b, c, d)| vec![a, b, c, d]).prop_shuffle()
}

fn answers() -> Answers {
    let mut answers = Answers::default();
    for role in [Role::Orders, Role::Payments, Role::HoPayments, Role::Callbacks] {
        answers.window(role, window(), minute(60));
    }
    answers
}

/// A day with what is left to ask, and the class of every order.
type Joined = (Day, Option<Asks>, Vec<(String, Class)>);

fn joined(pages: &[Rows], room: usize, asks: Option<Asks>) -> Result<Joined, Broke> {
    let folder = std::env::temp_dir();
    let mut intake = Intake::new(&folder, room);
    for page in pages {
        intake.take(page)?;
    }
    let taken = intake.finish(None)?;
    let (answers, rules, cancel) = (answers(), Rules::default(), CancellationToken::new());
    let mut found = Vec::new();
    let setting = Setting { answers: &answers, rules: &rules, window: window(), cancel: &cancel };
    let mut pass = Pass::new(setting, Day::default(), asks, |f: &Found<'_>| {
        found.push((f.id.to_owned(), f.class));
        Ok(())
    });
    pass.over(&taken, 0..BINS, room)?;
    let Pass { day, again, asks, .. } = pass;
    if asks.is_none() {
        assert_eq!(day.broken(&taken.read, &again, &taken.unplaced), None);
    }
    Ok((day, asks, found))
}

/// The screen's way: everything in the order book.
fn in_the_book(pages: &[Rows]) -> Store {
    let mut store = Store::default();
    for (i, rows) in pages.iter().enumerate() {
        let ledger = Ledger { asof: minute(60), asked: Question::Window(window()), rows: rows.clone() };
        let facts = vec![Fact::Ledger(ledger)];
        store.apply(&Batch { source: "db".into(), seq: i as u64, seen: minute(60), facts });
    }
    store
}

proptest! {
    #[test]
    fn the_join_says_what_the_screen_says(pages in pages(), room in prop_oneof![Just(0_usize), 200_usize..2_000, Just(1 << 20)]) {
        let (day, _, _) = joined(&pages, room, None).unwrap();
        let standing = standing(&in_the_book(&pages), window(), minute(60));
        for class in ALL.into_iter().filter(|c| *c != Class::PaymentWithoutOrder) {
            let screen = standing.classes.iter().find(|c| c.class == class);
            let ours = day.classes[class.number()];
            prop_assert_eq!(ours.orders as usize, screen.map_or(0, |c| c.orders), "{:?}", class);
            prop_assert_eq!(ours.amount, screen.map_or(0, |c| c.amount), "{:?}", class);
        }
        let ours = &day.standing;
        prop_assert_eq!((ours.total, ours.stuck, ours.stuck_paid, ours.stuck_unpaid), (standing.total, standing.stuck, standing.stuck_paid, standing.stuck_unpaid));
        prop_assert_eq!((ours.not_at_ho, ours.not_at_ho_amount), (standing.not_at_ho, standing.not_at_ho_amount));
    }
}

#[test]
fn an_order_with_more_rows_than_are_kept_is_asked_for_all_the_same() {
    let calls = (0..100_000).map(|n| callback(None, Some(1), n, Some(503))).collect();
    let pages = [
        Rows::Callbacks(calls),
        Rows::Orders(vec![order(1, 0, OrderStatus::Active, Some(500))]),
        Rows::Payments(vec![payment(1, 1, 1, PaymentStatus::Paid, Some(500))]),
    ];
    let folder = std::env::temp_dir();
    let (day, asks, found) = joined(&pages, 1 << 18, Some(Asks::new(&folder, 1 << 18, bit(Role::HoPayments)))).unwrap();
    assert_eq!((day.standing.total, found.len()), (0, 0), "it waits for HO's answer");
    let (mut rows, list) = asks.unwrap().finish().unwrap();
    assert_eq!(list.records(), 1);
    // HO had it after all, and says so by the reference alone.
    let owners = Owners::from([("U1".into(), "O1".into())]);
    rows.take_named(&Rows::HoPayments(vec![record(1, Some(1), None, 9_000, Some(500))]), &owners).unwrap();
    rows.asked("O1", bit(Role::HoPayments)).unwrap();
    let taken = rows.finish(None).unwrap();
    let (mut answers, rules, cancel) = (answers(), Rules::default(), CancellationToken::new());
    answers.by_id(Role::HoPayments, minute(61));
    let setting = Setting { answers: &answers, rules: &rules, window: window(), cancel: &cancel };
    let mut pass = Pass::new(setting, Day::default(), None, |_: &Found<'_>| Ok(()));
    pass.over(&taken, 0..BINS, 1 << 18).unwrap();
    assert_eq!(pass.day.classes[Class::PaidStuckRecorded.number()].orders, 1);
    assert_eq!(pass.day.inside.of(Role::Callbacks).rows, 100_000);
}

#[test]
fn a_record_that_was_asked_for_goes_to_who_paid_with_its_reference() {
    let folder = std::env::temp_dir();
    let mut first = Intake::new(&folder, 0);
    let payments = (0..50).map(|n| payment(n, n as u8, 1, PaymentStatus::Paid, Some(1))).collect();
    first.take(&Rows::Payments(payments)).unwrap();
    let known = first.finish(None).unwrap();
    let mut late = Intake::new(&folder, 0);
    // Asked about O200, HO hands out records that name it, for payments of others and of nobody.
    let records = [(1, 7), (2, 31), (3, 99)].map(|(h, u)| record(h, Some(u), Some(200), 3, Some(1)));
    late.take_named(&Rows::HoPayments(records.to_vec()), &Owners::new()).unwrap();
    let taken = late.finish(Some(&known)).unwrap();
    let mut got = Vec::new();
    for bin in 0..BINS {
        let sorted = taken.by_order.sorted(bin, 0, Scratch::default()).unwrap();
        let mut merge = sorted.read().unwrap();
        while let Some((_, bytes)) = merge.next().unwrap() {
            let record = Record::read(bytes).unwrap();
            got.push((String::from_utf8_lossy(record.key).into_owned(), record.ho().unwrap().ho_ref.to_owned()));
        }
    }
    got.sort();
    let wanted = [("O200", "H3"), ("O31", "H2"), ("O7", "H1")].map(|(o, h)| (o.to_owned(), h.to_owned()));
    assert_eq!(got, wanted);
}

#[test]
fn a_pass_stops_when_it_is_told() {
    let rows = (0..10_000).map(|n| callback(None, Some(1), n, None)).collect();
    let mut intake = Intake::new(&std::env::temp_dir(), 1 << 20);
    intake.take(&Rows::Callbacks(rows)).unwrap();
    let taken = intake.finish(None).unwrap();
    let (answers, rules, cancel) = (answers(), Rules::default(), CancellationToken::new());
    cancel.cancel();
    let setting = Setting { answers: &answers, rules: &rules, window: window(), cancel: &cancel };
    let mut pass = Pass::new(setting, Day::default(), None, |_: &Found<'_>| Ok(()));
    assert!(matches!(pass.over(&taken, 0..BINS, 1 << 20), Err(Broke::Cancelled)));
}
