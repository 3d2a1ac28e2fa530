//! The saga's stations of one order, from its transitions when they are there, else from what exists.

use crate::analysis::reconcile::ClassCard;
use crate::analysis::reconcile::facts::Facts;
use crate::analysis::trail::Station;
use crate::analysis::trail::row::{SAGA, events, versions};
use crate::model::Stamp;
use crate::model::order::OrderStatus;
use crate::store::book::Entry;

/// Stations with the time each was reached. RESERVE is left out when nothing tells of it.
pub fn stations(entry: &Entry, facts: &Facts<'_>, card: Option<&ClassCard>, at: Stamp) -> Vec<Station> {
    let reached = |name: &str| event_at(entry, name, at).or_else(|| seen_at(entry, name, at));
    let mut out: Vec<Station> = SAGA
        .into_iter()
        .map(|name| {
            let at = match name {
                "CREATE" => reached(name).or(facts.order.map(|o| o.created_at)),
                "PAY" => reached(name).or(facts.settled),
                "RECORD" => reached(name).or(facts.recorded_at),
                _ => reached(name),
            };
            Station { name, at, broken: false }
        })
        .collect();
    out.retain(|s| s.name != "RESERVE" || s.at.is_some());
    // What is under way, or was never asked for, is not broken; neither is a step that a later one passed.
    let wrong = card.is_some_and(|c| !c.fine) && (facts.ho_asked.is_some() || facts.paid == 0);
    let passed = out.iter().rposition(|s| s.at.is_some());
    if let Some(station) = passed.filter(|_| wrong).and_then(|i| out.get_mut(i + 1)) {
        station.broken = true;
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
