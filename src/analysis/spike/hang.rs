//! What hangs under what: departures of lanes as a tree, by the call graph of the configuration.
//!
//! Knows services by the beginnings of their series. Where no service is configured, nothing hangs.

use super::Onset;
use crate::analysis::suspect::{self, Standing, Suspect, UNWELL};
use crate::model::incident::{Incident, Service};

/// Says of each departure what it is a consequence of, and gives back the names of those of causes.
pub(super) fn hang(onsets: &mut [Onset], incident: &Incident) -> Vec<String> {
    let services = &incident.rules.services;
    if services.is_empty() {
        return Vec::new();
    }
    // Which service each departure is of; traffic is nobody's fault.
    let of: Vec<Option<usize>> = onsets.iter().map(|o| service_of(o, incident)).collect();
    let unwell = |service: usize| of.contains(&Some(service));
    let strengths: Vec<Option<f64>> =
        (0..services.len()).map(|s| Some(if unwell(s) { 2.0 * UNWELL } else { 0.0 })).collect();
    let ranked = suspect::rank(&calls(services), &strengths, None);
    let suspect = |service: usize| ranked.iter().find(|s| s.service == service);
    let mut causes = Vec::new();
    for i in 0..onsets.len() {
        let Some(found) = of[i].and_then(suspect) else { continue };
        match found.standing {
            Standing::Cause => causes.push(onsets[i].name.clone()),
            _ => onsets[i].under = parent(found, &of, onsets),
        }
    }
    causes
}

/// The earliest departure of what a service suffers from.
fn parent(suspect: &Suspect, of: &[Option<usize>], onsets: &[Onset]) -> Option<String> {
    let suffers = |service: &Option<usize>| service.is_some_and(|s| suspect.suffers_from.contains(&s));
    let callee = onsets.iter().zip(of).filter(|(_, service)| suffers(service)).min_by_key(|(o, _)| o.at);
    callee.map(|(o, _)| o.name.clone())
}

fn calls(services: &[Service]) -> Vec<(usize, usize)> {
    let number = |name: &str| services.iter().position(|s| s.name == name);
    let of = |(caller, s): (usize, &Service)| -> Vec<(usize, usize)> {
        s.calls.iter().filter_map(|callee| Some((caller, number(callee)?))).collect()
    };
    services.iter().enumerate().flat_map(of).collect()
}

fn service_of(onset: &Onset, incident: &Incident) -> Option<usize> {
    if onset.trigger {
        return None;
    }
    let series = &*onset.series;
    let fits = |s: &Service| s.series.iter().filter(|p| series.starts_with(p.as_str())).map(String::len).max();
    let all = incident.rules.services.iter().enumerate().filter_map(|(i, s)| Some((fits(s)?, i)));
    all.max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1))).map(|(_, i)| i)
}

/// The list as it is drawn: what nothing else explains in order of time, first faults before the rest, and
/// under each its consequences.
pub fn hung(onsets: &[Onset]) -> Vec<Onset> {
    let mut out: Vec<Onset> = Vec::with_capacity(onsets.len());
    if onsets.iter().all(|o| o.under.is_none()) {
        return onsets.to_vec();
    }
    let mut roots: Vec<&Onset> = onsets.iter().filter(|o| o.under.is_none()).collect();
    roots.sort_by_key(|o| (!o.trigger, !o.first_fault));
    for root in roots {
        place(root, onsets, &mut out);
    }
    // A circle of calls has no root; nothing is left out for that.
    for left in onsets {
        place(left, onsets, &mut out);
    }
    out
}

fn place(onset: &Onset, all: &[Onset], out: &mut Vec<Onset>) {
    if out.iter().any(|o| o.name == onset.name) {
        return;
    }
    out.push(onset.clone());
    for under in all.iter().filter(|o| o.under.as_ref() == Some(&onset.name)) {
        place(under, all, out);
    }
}
