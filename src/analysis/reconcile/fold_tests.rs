//! A book that folds what is settled beside one that never does: whatever is asked of them, as of any instant, has
//! one answer.

use super::curve;
use super::{Bad, class::ALL, orders, shared_by, standing, tally, worksheet};
use crate::analysis::trail::{trail, usual::Usual};
use crate::model::{Fact, Lapse, Span, Stamp};
use crate::simulator::day::Day;
use crate::simulator::{END, START, scenario};
use crate::store::Store;
use std::sync::Arc;

/// The same evening in a book that folds after so long, or never.
fn evening(scenario: &str, after: Option<Lapse>) -> Store {
    let day = Day::evening(scenario::named(scenario).unwrap(), 77_000).sharded(40);
    let mut store = Store::default();
    store.orders.fold_after(after);
    crate::simulator::play(Arc::new(day)).for_each(|batch| store.apply(&batch));
    store
}

#[test]
fn folding_changes_no_answer() {
    let plain = evening("pool-and-callback", None);
    let all = plain.orders.entries().count();
    assert_eq!(plain.orders.folded(), 0);
    // As it is, and as soon as an order has ended, so that many are unfolded again.
    for after in [Lapse::minutes(30), Lapse::ZERO] {
        let folding = evening("pool-and-callback", Some(after));
        assert!(folding.orders.folded() * 2 > all, "{} of {all} are folded", folding.orders.folded());
        assert_eq!(folding.orders.entries().count(), all);
        for ((a, x), (b, y)) in plain.orders.entries().zip(folding.orders.entries()) {
            assert_eq!((a, &*x), (b, &*y));
        }
        same(&plain, &folding);
    }
}

fn same(plain: &Store, folding: &Store) {
    let window = Span::new(START, END);
    let step = Lapse(END.since(START).0 / 6);
    let instants: Vec<Stamp> = (1..=6).map(|i| START + step.times(i)).collect();
    for at in instants.iter().copied() {
        assert_eq!(standing(plain, window, at), standing(folding, window, at));
        assert_eq!(tally(plain, window, at), tally(folding, window, at));
        assert_eq!(orders(plain, window, &[], at), orders(folding, window, &[], at));
        assert_eq!(Usual::read(plain, at, at), Usual::read(folding, at, at));
    }
    for class in ALL {
        let counts = |store| curve::counts(store, class, &instants, |born| window.contains(born));
        assert_eq!(counts(plain), counts(folding), "{class:?}");
    }
    let shared = |store| shared_by(store, window, END, Bad::Stuck);
    assert_eq!(shared(plain), shared(folding));
    let rows = |store| worksheet::rows(store, window, &ALL, END);
    assert_eq!(format!("{:?}", rows(plain)), format!("{:?}", rows(folding)));
    for (id, _) in plain.orders.entries().step_by(197) {
        assert_eq!(format!("{:?}", trail(plain, id, END)), format!("{:?}", trail(folding, id, END)));
    }
}

/// What was seen is let go of when the next answer comes.
#[test]
fn an_order_that_was_looked_at_goes_back_to_its_few_bytes() {
    let mut store = evening("callback", Some(Lapse::ZERO));
    let folded = store.orders.folded();
    let ids: Vec<_> = store.orders.entries().map(|(id, _)| id.clone()).collect();
    for id in &ids {
        assert!(store.orders.entry(id).is_some());
    }
    assert!(store.orders.seen() >= folded);
    let ledger = crate::model::order::Ledger {
        asof: END,
        asked: crate::model::order::Asked::Ids(Vec::new()),
        rows: crate::model::order::Rows::Orders(Vec::new()),
    };
    store.apply(&crate::model::Batch { source: "orders".into(), seq: 0, seen: END, facts: vec![Fact::Ledger(ledger)] });
    assert_eq!((store.orders.seen(), store.orders.folded()), (0, folded));
}
