//! How long an order's way usually takes, leg by leg: from orders that went straight through before the
//! trouble began. A leg is known between the saga's stations, and between what the ledgers themselves say.
//!
//! May not know: which order is looked at, words.

use crate::analysis::clocks::Clocks;
use crate::analysis::reconcile::facts::{Asked, Facts};
use crate::analysis::trail::{Station, station};
use crate::model::order::{OrderStatus, Role};
use crate::model::{Lapse, Stamp};
use crate::store::Store;
use crate::store::book::Entry;
use std::collections::BTreeMap;

/// Orders that what is usual is taken from, at most.
const ENOUGH: usize = 400;
/// Orders looked at for them, at most: the work is the same in a book of any size.
const LOOKED_AT: usize = 4_000;
/// From so many on, a leg has a usual length.
const FEWEST: usize = 30;
/// A leg is slow when it took longer than this share of them…
const SLOW: f64 = 0.99;
/// …and this many times the middle one: what is always short may vary without being slow.
const TIMES: i64 = 3;

/// A leg's usual length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Half of them took less.
    pub middle: Lapse,
    /// Ninety-nine of a hundred took less.
    pub long: Lapse,
    /// From so many.
    pub n: usize,
}

/// A stretch of the way that every ledger tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stretch {
    /// From the payment's begin until UPG had the money.
    Paying,
    /// From the money until HO had the record.
    Recording,
    /// From birth to COMPLETE.
    Whole,
}

/// A stretch of one order, beside what is usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Which.
    pub stretch: Stretch,
    /// How long it took; while it lasts, how long it has lasted.
    pub took: Lapse,
    /// Whether it ended.
    pub ended: bool,
    /// How long it usually takes, when that is known.
    pub usual: Option<Leg>,
}

/// Legs by the stations they go between.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usual {
    legs: BTreeMap<(&'static str, &'static str), Leg>,
    stretches: BTreeMap<Stretch, Leg>,
}

impl Pace {
    /// Whether it is beyond what is usual.
    pub fn slow(&self) -> bool {
        self.usual.is_some_and(|leg| leg.slow(self.took))
    }
}

impl Leg {
    /// Whether a length is beyond what is usual.
    pub fn slow(&self, took: Lapse) -> bool {
        took > self.long && took > self.middle.times(TIMES)
    }
}

impl Usual {
    /// From orders that were born before `before` and complete by `at`.
    pub fn read(store: &Store, before: Stamp, at: Stamp) -> Self {
        let asked = Asked::new(&store.orders, at);
        let clocks = Clocks::read(store, at);
        let settle_after = store.incident.rules.settle_after;
        let mut lengths: BTreeMap<(&str, &str), Vec<Lapse>> = BTreeMap::new();
        let mut along: BTreeMap<Stretch, Vec<Lapse>> = BTreeMap::new();
        let mut taken = 0;
        for (_, entry) in store.orders.entries().take(LOOKED_AT) {
            let entry = &*entry;
            let Some(facts) = Facts::read(entry, &asked, settle_after) else { continue };
            let complete = facts.order.is_some_and(|o| o.status == OrderStatus::Complete);
            if !complete || facts.paid != 1 || facts.born >= before {
                continue;
            }
            if taken == ENOUGH {
                break;
            }
            taken += 1;
            let stations = station::stations(entry, &facts, &clocks, (None, false), at);
            for pair in stations.windows(2) {
                if let [from, to] = pair
                    && let (Some(left), Some(came)) = (from.at, to.at)
                {
                    lengths.entry((from.name, to.name)).or_default().push(came.since(left));
                }
            }
            for (stretch, took, _) in stretches(&facts, entry, &stations, &clocks, at).into_iter().filter(|s| s.2) {
                along.entry(stretch).or_default().push(took);
            }
        }
        Self { legs: legs(lengths), stretches: legs(along) }
    }

    /// An order's own stretches beside the usual ones.
    pub fn pace(&self, store: &Store, order: &str, at: Stamp) -> Vec<Pace> {
        let asked = Asked::new(&store.orders, at);
        let known = store.orders.entry(order);
        let known = known.and_then(|e| Some((e, Facts::read(e, &asked, store.incident.rules.settle_after)?)));
        let Some((entry, facts)) = known else { return Vec::new() };
        let clocks = Clocks::read(store, at);
        let stations = station::stations(entry, &facts, &clocks, (None, false), at);
        let pace = |(stretch, took, ended)| {
            let usual = self.stretches.get(&stretch).copied();
            Pace { stretch, took, ended, usual }
        };
        stretches(&facts, entry, &stations, &clocks, at).into_iter().map(pace).collect()
    }

    /// The leg between two stations.
    pub fn leg(&self, from: &str, to: &str) -> Option<Leg> {
        self.legs.iter().find(|((a, b), _)| *a == from && *b == to).map(|(_, leg)| *leg)
    }
}

/// The stretches an order has begun: which, how long, and whether it ended.
fn stretches(
    facts: &Facts<'_>,
    entry: &Entry,
    stations: &[Station],
    clocks: &Clocks,
    at: Stamp,
) -> Vec<(Stretch, Lapse, bool)> {
    let mut out = Vec::new();
    let mut add = |stretch, from: Stamp, to: Option<Stamp>, open: bool| match to {
        Some(to) => out.push((stretch, to.since(from), true)),
        None if open => out.push((stretch, facts.asof.since(from), false)),
        None => {}
    };
    let begun = entry.payments.iter().filter(|(t, _)| *t <= at).map(|(_, p)| p.created_at).min();
    let settled = facts.settled.map(|t| clocks.ours(Role::Payments, t));
    if let Some(begun) = begun.map(|t| clocks.ours(Role::Payments, t)) {
        add(Stretch::Paying, begun, settled, facts.pending);
    }
    if let Some(settled) = settled {
        let recorded = facts.recorded_at.map(|t| clocks.ours(Role::HoPayments, t));
        add(Stretch::Recording, settled, recorded, facts.ho_asked.is_some());
    }
    let complete = stations.iter().find(|s| s.name == "COMPLETE" && !s.broken).and_then(|s| s.at);
    add(Stretch::Whole, clocks.ours(Role::Orders, facts.born), complete, facts.active());
    out
}

/// The usual length of each, where there are enough of them.
fn legs<K: Ord>(lengths: BTreeMap<K, Vec<Lapse>>) -> BTreeMap<K, Leg> {
    let enough = lengths.into_iter().filter(|(_, all)| all.len() >= FEWEST);
    let leg = |(ends, mut all): (K, Vec<Lapse>)| {
        all.sort_unstable();
        let of = |share: f64| all.get(((all.len() - 1) as f64 * share).round() as usize).copied();
        Some((ends, Leg { middle: of(0.5)?, long: of(SLOW)?, n: all.len() }))
    };
    enough.filter_map(leg).collect()
}
