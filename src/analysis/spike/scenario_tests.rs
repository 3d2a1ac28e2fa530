//! Spikes and onsets of the bundled scenarios, as somebody would have seen them live.

use super::*;
use crate::simulator::day::Day;
use crate::simulator::scenario::{self, Scenario};
use crate::simulator::{self};
use std::sync::Arc;

fn play(scenario: &Scenario) -> Vec<crate::model::Batch> {
    simulator::play(Arc::new(Day::evening(scenario.clone(), 1))).collect()
}

#[test]
fn zz_print() {
    for name in scenario::list() {
        let s = scenario::named(name).unwrap();
        let batches = play(&s);
        let mut store = Store::default();
        let truth = s.spike();
        let mut marked = None;
        let mut next = simulator::START;
        for batch in &batches {
            while batch.seen > next {
                if marked.is_none() && let Some(found) = spike(&store, next) {
                    marked = Some((next, found));
                }
                next = next + Lapse::seconds(30);
            }
            store.apply(batch);
        }
        let zone = &store.incident.zone;
        let end = simulator::END;
        let found = spike(&store, end);
        let t = |s: Stamp| zone.hms(s);
        eprintln!("{name}: truth {:?} marked {:?} found {:?}", truth.map(|(a, b, c)| (t(a), t(b), t(c))),
            marked.map(|(m, f)| (t(m), t(f.onset))), found.map(|f| (f.lane, t(f.onset), t(f.peak.0), f.recovery.map(t))));
        for o in broke_first(&store, end).iter().take(9) {
            eprintln!("    {} {} trigger {} first {}", t(o.at), o.name, o.trigger, o.first_fault);
        }
    }
}
