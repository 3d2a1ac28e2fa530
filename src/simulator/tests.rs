//! The evening as batches: reproducible, in order, and with the incident in it.

use super::*;
use crate::model::order::Rows;

fn facts() -> Vec<Fact> {
    demo(1).flat_map(|b| b.facts).collect()
}

#[test]
fn the_same_seed_gives_the_same_world() {
    assert!(demo(7).eq(demo(7)));
}

#[test]
fn batches_of_a_source_are_numbered_without_holes_and_never_go_back_in_time() {
    let mut last: BTreeMap<SourceName, u64> = BTreeMap::new();
    let mut seen = START;
    for batch in demo(1) {
        let n = last.entry(batch.source.clone()).or_default();
        assert_eq!(batch.seq, *n + 1);
        *n = batch.seq;
        assert!(batch.seen >= seen);
        seen = batch.seen;
    }
    assert_eq!(seen, END);
}

#[test]
fn the_crowd_grows_from_under_thirty_to_seventy_seven_thousand() {
    let users: Vec<f64> = facts()
        .iter()
        .filter_map(|f| if let Fact::Samples(s) = f { Some(s) } else { None })
        .filter(|s| s.at >= START)
        .filter_map(|s| s.values.iter().find(|(n, _)| n.as_ref() == "metrics.users").map(|(_, v)| *v))
        .collect();
    assert!(users[0] < 30_000.0);
    let peak = users.iter().copied().fold(0.0, f64::max);
    assert!((75_500.0..78_500.0).contains(&peak), "{peak}");
}

#[test]
fn mrg_is_silent_while_it_turns_us_away() {
    let silent = scenario::named(scenario::DEFAULT).unwrap().observed.turned_away.unwrap();
    let looks = demo(1).filter(|b| b.source.as_ref() == "mrg" && silent.contains(b.seen));
    assert!(looks.flat_map(|b| b.facts).all(|f| !matches!(f, Fact::Database(_))));
}

#[test]
fn orders_hang_and_some_of_them_were_charged() {
    let mut last = BTreeMap::new();
    let mut charged = std::collections::BTreeSet::new();
    for fact in facts() {
        let Fact::Ledger(ledger) = fact else { continue };
        match ledger.rows {
            Rows::Orders(rows) => last.extend(rows.into_iter().map(|o| (o.order_id.clone(), o.status))),
            Rows::Payments(rows) => {
                charged.extend(rows.into_iter().filter(|p| p.settled_at.is_some()).map(|p| p.order_id));
            }
            _ => {}
        }
    }
    let early: Vec<_> = last.iter().filter(|(_, s)| **s == crate::model::order::OrderStatus::Active).collect();
    assert!(early.len() > 900, "{} orders are still active", early.len());
    assert!(early.iter().filter(|(id, _)| charged.contains(*id)).count() > 300);
}
