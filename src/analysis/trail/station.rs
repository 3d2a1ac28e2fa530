//! The saga's stations of one order, from its transitions when they are there, else from what exists.

use crate::analysis::clocks::Clocks;
use crate::analysis::reconcile::ClassCard;
use crate::analysis::reconcile::facts::Facts;
use crate::analysis::trail::Station;
use crate::analysis::trail::row::{SAGA, events, versions};
use crate::model::Stamp;
use crate::model::order::{OrderStatus, Role};
use crate::store::Store;
use crate::store::book::Entry;

/// Whether sagas here have the step RESERVE: some order's row or transition names it. Transitions are read of
/// orders in trouble alone, so all are looked through; most books say so early.
pub fn reserves(store: &Store, at: Stamp) -> bool {
    let named = |e: &Entry| event_at(e, "RESERVE", at).or(seen_at(e, "RESERVE", at)).is_some();
    store.orders.entries().any(|(_, entry)| named(&entry))
}

/// Stations with the time each was reached, by our clock. RESERVE is left out where no saga has it.
pub fn stations(
    entry: &Entry,
    facts: &Facts<'_>,
    clocks: &Clocks,
    (card, reserves): (Option<&ClassCard>, bool),
    at: Stamp,
) -> Vec<Station> {
    let ours = |role: Role| move |t: Stamp| clocks.ours(role, t);
    let reached = |name: &str| {
        let event = event_at(entry, name, at).map(ours(Role::OrderEvents));
        event.or_else(|| seen_at(entry, name, at).map(ours(Role::Orders)))
    };
    let mut out: Vec<Station> = SAGA
        .into_iter()
        .map(|name| {
            let at = match name {
                "CREATE" => reached(name).or(facts.order.map(|o| ours(Role::Orders)(o.created_at))),
                "PAY" => reached(name).or(facts.settled.map(ours(Role::Payments))),
                "RECORD" => reached(name).or(facts.recorded_at.map(ours(Role::HoPayments))),
                _ => reached(name),
            };
            Station { name, at, broken: false }
        })
        .collect();
    out.retain(|s| s.name != "RESERVE" || reserves || s.at.is_some());
    // What is under way, or was never asked for, is not broken; neither is a step that a later one passed.
    let wrong = card.is_some_and(|c| !c.fine) && (facts.ho_asked.is_some() || facts.paid == 0);
    let passed = out.iter().rposition(|s| s.at.is_some());
    if let Some(station) = passed.filter(|_| wrong).and_then(|i| out.get_mut(i + 1)) {
        station.broken = true;
    }
    // Somebody wrote over it: it was reached and does not stand.
    if let Some(complete) = out.iter_mut().find(|s| s.name == "COMPLETE" && facts.active()) {
        complete.broken |= complete.at.is_some();
    }
    out
}

/// The station an order broke at.
pub fn broken(stations: &[Station]) -> Option<&'static str> {
    stations.iter().find(|s| s.broken).map(|s| s.name)
}

fn event_at(entry: &Entry, name: &str, at: Stamp) -> Option<Stamp> {
    let names =
        |to: &str| to.eq_ignore_ascii_case(name) || (name == "COMPLETE" && to.eq_ignore_ascii_case("COMPLETED"));
    events(entry, at).filter(|e| names(&e.to)).map(|e| e.at).min()
}

/// When the order's own row first said so.
fn seen_at(entry: &Entry, name: &str, at: Stamp) -> Option<Stamp> {
    versions(entry, at)
        .filter(|(_, o)| {
            let step = o.saga_step.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(name));
            step || (name == "COMPLETE" && o.status == OrderStatus::Complete)
        })
        .map(|(read, o)| o.updated_at.unwrap_or(*read))
        .min()
}
