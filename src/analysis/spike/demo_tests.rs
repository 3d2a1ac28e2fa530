//! The spike of the demo's evening, as somebody would have seen it live.

use super::*;
use crate::simulator::day::Day;
use crate::simulator::scenario;
use crate::simulator::{self, SHARD};
use std::sync::Arc;

/// How long after its onset the spike may go unmarked.
const UNSEEN: Lapse = Lapse::minutes(2);
/// Its lane is later than that by nature.
const OF_ITS_OWN: Lapse = Lapse::minutes(5);

/// When the spike was first marked and by whom, when its own lane showed it, and what it was in the end.
struct Seen {
    marked: (Stamp, Spike),
    of_its_own: Stamp,
    end: Spike,
}

/// Plays an evening and asks every 15 s.
fn seen(name: &str, seed: u64) -> Seen {
    let day = Arc::new(Day::evening(scenario::named(name).unwrap(), seed).sharded(SHARD));
    let mut store = Store::default();
    let (mut marked, mut of_its_own) = (None, None);
    let mut next = simulator::START;
    for batch in simulator::play(day) {
        while of_its_own.is_none() && batch.seen > next {
            let found = spike(&store, next);
            of_its_own = of_its_own.or_else(|| found.as_ref().filter(|s| s.told_by.is_none()).map(|_| next));
            marked = marked.or_else(|| Some((next, found?)));
            next = next + Lapse::seconds(15);
        }
        store.apply(&batch);
    }
    Seen { marked: marked.unwrap(), of_its_own: of_its_own.unwrap(), end: spike(&store, simulator::END).unwrap() }
}

#[test]
fn the_spike_is_marked_within_two_minutes_by_what_is_known_first_and_keeps_its_onset() {
    for (name, seed) in [("pool", 1), ("callback", 2), ("calm", 3)] {
        let Seen { marked: (when, first), of_its_own, end } = seen(name, seed);
        let late = when.since(end.onset);
        assert!(late <= UNSEEN && late >= Lapse::ZERO, "{name}: marked after {} s", late.as_secs_f64());
        assert_eq!(first.told_by.as_deref(), Some("mrg commits"), "{name}: {first:?}");
        assert!(first.onset.since(end.onset).abs() <= Lapse::minutes(1), "{name}: {first:?} {end:?}");
        assert!(of_its_own.since(end.onset) <= OF_ITS_OWN && end.told_by.is_none(), "{name}");
    }
}
