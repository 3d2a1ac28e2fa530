//! The tables of an export against the ledger that the other wires read.

use super::{CALLBACKS, parts, tables};
use crate::model::Zone;
use crate::model::order::{Order, OrderStatus};
use crate::simulator::day::Day;
use crate::simulator::ledger::{Ledger, Write};
use crate::simulator::platform::agenda::Ms;
use crate::simulator::scenario::{Scenario, named};
use std::collections::BTreeMap;
use std::sync::Arc;

fn time(at: crate::model::Stamp) -> String {
    Zone::utc().format(at, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

fn row(o: &Order) -> String {
    let status = match o.status {
        OrderStatus::Active => "ACTIVE",
        OrderStatus::Complete => "COMPLETE",
        OrderStatus::Failed => "FAILED",
        OrderStatus::Expired => "EXPIRED",
        _ => "?",
    };
    let word = |w: &Option<Arc<str>>| w.as_ref().unwrap().to_string();
    [
        o.order_id.to_string(),
        time(o.created_at),
        status.to_owned(),
        o.amount.unwrap().to_string(),
        word(&o.payment_method),
        word(&o.region),
        word(&o.service_type),
        word(&o.saga_step),
        time(o.updated_at.unwrap()),
    ]
    .join(",")
}

/// Of a world in which rows are written over by others, and of one in which sagas end in the middle.
#[test]
fn an_orders_row_is_the_last_that_the_ledger_wrote() {
    for name in ["race", "wrong-clock"] {
        let day = Arc::new(Day::evening(named(name).unwrap(), 3));
        let ledger = Ledger::new(Arc::clone(&day));
        let mut expected = BTreeMap::new();
        for (at, write) in ledger.writes(0, Ms::MAX) {
            if let Write::Order(order, status, step) = write {
                expected.insert(day.history.lives[order as usize].number, (order, at, status, step));
            }
        }
        let mut out = Vec::new();
        let rows = tables::orders(&day, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!((rows as usize, text.lines().count() - 1), (expected.len(), expected.len()));
        assert!(rows > 10_000);
        let mut expected: Vec<String> =
            expected.into_values().map(|(o, at, s, step)| row(&ledger.order(o, at, s, step))).collect();
        let mut written: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
        assert!(written.is_sorted_by_key(|l| l.split(',').nth(1).unwrap().to_owned()), "by birth");
        expected.sort_unstable();
        written.sort_unstable();
        let differs = expected.iter().zip(&written).find(|(a, b)| a != b);
        assert!(differs.is_none(), "{name}: {differs:?}");
    }
}

#[test]
fn attempts_that_upg_does_not_keep_are_not_written() {
    let mut scenario = named("pool").unwrap();
    let paths = |s: &Scenario| parts(s).map(|p| p.path).collect::<Vec<_>>();
    let all = paths(&scenario);
    scenario.observed.callbacks_kept = false;
    let without = paths(&scenario);
    assert!(all.contains(&CALLBACKS) && !without.contains(&CALLBACKS) && without.len() + 1 == all.len());
}
