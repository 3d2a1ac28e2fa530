//! Tests of the worksheet: what may be on which list, whatever the facts.

use super::*;
use crate::analysis::reconcile::class::ALL;
use crate::model::Lapse;
use crate::model::order::{Attributes, Order, OrderStatus};
use proptest::prelude::*;
use std::collections::BTreeSet;

const T: Stamp = Stamp::from_secs(1_736_694_000);

fn order(status: OrderStatus, amount: Option<i64>) -> Order {
    Order {
        order_id: "O".into(),
        created_at: T,
        status,
        amount,
        payment_method: Some("VA, \"BCA\"".into()),
        region: None,
        service_type: Some("=SUM(A1)".into()),
        saga_step: None,
        trace_id: None,
        updated_at: Some(T),
        version: None,
        attributes: Attributes::default(),
    }
}

fn statuses() -> impl Strategy<Value = OrderStatus> {
    prop::sample::select(vec![
        OrderStatus::Created,
        OrderStatus::Active,
        OrderStatus::Complete,
        OrderStatus::Failed,
        OrderStatus::Cancelled,
        OrderStatus::Expired,
        OrderStatus::Other("HELD".to_owned()),
    ])
}

/// Minutes after the birth; none is never.
fn minute() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(0_i64..90)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn money_that_moved_twice_or_may_move_yet_is_never_sent_again(
        status in prop::option::of(statuses()),
        counts in (0_usize..4, 0_usize..3, 0_usize..2, 0_usize..2, 0_usize..3),
        bits in (any::<bool>(), any::<bool>()),
        times in (minute(), minute(), minute(), minute(), 0_i64..90),
        amounts in (prop::option::of(1_i64..3), 1_i64..3, 0_i64..5),
    ) {
        let (paid, recorded, unmapped, refunded, callbacks) = counts;
        let (upg, ho, told, last, asof) = times;
        let at = |m: Option<i64>| m.map(|m| T + Lapse::minutes(m));
        let row = status.map(|s| order(s, amounts.0));
        let facts = Facts {
            order: row.as_ref(),
            payments_asked: at(upg),
            ho_asked: at(ho),
            callbacks_asked: at(told),
            payments_last: at(last.max(upg)),
            ho_last: at(last.max(ho)),
            paid,
            paid_amount: amounts.1 * paid as i64,
            refunded,
            unmapped_payments: unmapped,
            settled: (paid > 0).then_some(T + Lapse::minutes(1)),
            pending: bits.0,
            recorded,
            recorded_amount: amounts.2,
            recorded_at: (recorded > 0).then_some(T + Lapse::minutes(2)),
            callbacks,
            acknowledged: bits.1 && callbacks > 0,
            ..Facts::blank(T, T + Lapse::minutes(asof))
        };
        let rules = Rules::default();
        let class = class_of(&facts, &rules);
        let action = action_of(&facts, class, &rules);
        if action.sends_again() {
            prop_assert_eq!((paid, recorded, unmapped, bits.0), (1, 0, 0, false));
            prop_assert!(ho.is_some_and(|m| m >= 11), "HO was asked after the money was due there");
            prop_assert!(row.is_some() && !facts.acknowledged);
        }
        if paid > 1 {
            prop_assert!(!action.sends_again());
            prop_assert!(row.is_none() || upg.is_none() || class == Class::ChargedTwice);
        }
        if action == Action::ExpireOrder {
            prop_assert_eq!((paid, recorded, unmapped, bits.0), (0, 0, 0, false));
        }
        // The classes part the orders: one class, and a fault never rests.
        prop_assert_eq!(class.card().is_some_and(|c| c.fine), action == Action::Wait);
    }
}

#[test]
fn every_action_that_touches_money_says_what_has_to_be_true_before() {
    let facts = Facts::blank(T, T);
    let actions: BTreeSet<Action> = ALL.iter().map(|c| action_of(&facts, *c, &Rules::default())).collect();
    assert!(actions.iter().all(|a| *a == Action::Wait || a.precondition().len() > 20));
    // Without the facts of a payment nothing is sent, not even where the class would.
    assert!(actions.iter().all(|a| !a.sends_again()));
    assert_eq!(actions.iter().map(|a| a.key()).collect::<BTreeSet<_>>().len(), actions.len());
}

#[test]
fn a_row_says_as_of_when_and_the_sum_is_that_of_its_bytes() {
    let row = Row {
        action: Action::ReplayCallback,
        id: "+O, 1".into(),
        upg_refs: vec!["U1".into(), "U2".into()],
        class: Class::ChargedNotRecorded,
        flags: Flags::default(),
        born: T,
        amount: None,
        not_at_ho: 500,
        traits: [Some("VA, \"BCA\"".into()), Some("=SUM(A1)".into()), None],
        asof: [Some(T), Some(T + Lapse::minutes(1)), None],
    };
    let wib = Zone::wib();
    let sheet = sheet(&[row], T + Lapse::minutes(2), &wib, |text| text.replace("BCA", "…"));
    let mut lines = sheet.text.split("\r\n");
    assert_eq!(lines.next().unwrap(), COLUMNS.join(","));
    let line = lines.next().unwrap();
    assert!(line.starts_with("replay_callback,\"'+O, 1\",\"U1 U2\",charged_not_recorded,,"), "{line}");
    assert!(line.contains(",,500,\"VA, \"\"…\"\"\",'=SUM(A1),,\"HO confirms"), "{line}");
    let stamps = [T, T + Lapse::minutes(1)].map(|t| wib.rfc3339(t)).join(",");
    assert!(line.ends_with(&format!("{stamps},,{}", wib.rfc3339(T + Lapse::minutes(2)))), "{line}");
    assert_eq!((lines.next(), lines.next()), (Some(""), None));
    assert_eq!(sheet.sha256.len(), 64);
    let known = super::sheet(&[], T, &wib, str::to_owned);
    assert_ne!(known.sha256, sheet.sha256);
}

#[test]
fn a_csv_field_is_quoted_and_is_no_formula() {
    assert_eq!(field("VA BCA"), "\"VA BCA\"");
    assert_eq!(field("=1+1"), "'=1+1");
    assert_eq!(field("a\"b\n"), "\"a\"\"b↵\"");
    assert_eq!(field("ORD-1"), "ORD-1");
}
