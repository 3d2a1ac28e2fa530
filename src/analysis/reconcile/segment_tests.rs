//! What the stuck ones of a whole evening share, against what was planted.

use super::shared::FEWEST;
use super::{SharedTrait, shared};
use crate::model::{Span, Zone};
use crate::simulator::day::Day;
use crate::simulator::scenario::{self, truth};
use crate::simulator::{self, END, START};
use crate::store::Store;
use std::sync::Arc;

fn stuck_share(name: &str, seed: u64) -> Vec<SharedTrait> {
    let day = Arc::new(Day::evening(scenario::named(name).unwrap(), seed).sharded(simulator::SHARD));
    let mut store = Store::default();
    simulator::play(day).for_each(|batch| store.apply(&batch));
    let clock = |hm| Zone::wib().on_day(START, hm).unwrap();
    shared(&store, Span::new(clock("19:30"), clock("20:30")), END)
}

#[test]
fn the_planted_segment_is_named_first_whatever_the_hour() {
    let planted = truth::declared("segment").unwrap().segment;
    for seed in [1, 2, 3] {
        let found = stuck_share("segment", seed);
        let column = |name: &str| if name == "method" { "payment_method".to_owned() } else { name.to_owned() };
        let first = found.iter().filter(|t| t.named).find(|t| &*t.name != "born");
        let first = first.unwrap_or_else(|| panic!("seed {seed}: {found:#?}"));
        let said = first.terms.iter().map(|(name, value)| (column(name), value.to_string())).collect();
        assert_eq!(planted, said, "seed {seed}: {found:#?}");
        assert!(first.inside > 2.0 * first.outside && first.stuck >= FEWEST, "{first:?}");
    }
}

#[test]
fn where_nothing_is_planted_only_what_takes_a_step_more_is_named() {
    // A delivery is one step of the saga longer, so it asks a full pool once more than other orders.
    let longer = |t: &SharedTrait| t.terms == [("service".into(), "DELIVERY".into())];
    for name in ["pool", "callback"] {
        let found = stuck_share(name, 1);
        let other: Vec<_> = found.iter().filter(|t| t.named && &*t.name != "born" && !longer(t)).collect();
        assert!(other.is_empty(), "{name}: {other:#?}");
    }
}
