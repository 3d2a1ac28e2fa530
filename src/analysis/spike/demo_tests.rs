//! The spike of the demo's evening, as somebody would have seen it live.

use super::*;
use crate::simulator;

/// How long after its onset the spike may go unmarked, once its source could be asked.
const UNSEEN: Lapse = Lapse::minutes(2);
/// How often the source is asked: what it has just got is known so much later at worst.
const ASKED: Lapse = Lapse::minutes(1);

#[test]
fn the_spike_is_marked_within_two_minutes_and_keeps_its_onset() {
    let mut store = Store::default();
    let mut marked = None;
    let mut next = simulator::START;
    for batch in simulator::demo(1) {
        while batch.seen > next {
            marked = marked.or_else(|| Some((next, spike(&store, next)?)));
            next = next + Lapse::seconds(30);
        }
        store.apply(&batch);
    }
    let (when, first) = marked.unwrap();
    let found = spike(&store, simulator::END).unwrap();
    let late = store.incident.lanes.iter().find(|l| l.trigger).unwrap().lag;
    assert!(
        when.since(found.onset) <= UNSEEN + late + ASKED,
        "{} s, of which its source is late by {}",
        when.since(found.onset).as_secs_f64(),
        late.as_secs_f64()
    );
    assert!(first.onset.since(found.onset).abs() <= Lapse::minutes(1), "{first:?} {found:?}");
}
