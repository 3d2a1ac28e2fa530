//! The first lines of a report: what somebody has to know who reads nothing else.
//!
//! Every number in it stands in the report too. May not know: how it is written.

use super::impact::{crowd, name};
use super::story::Stage;
use super::{Report, after};
use crate::analysis::spike::{Onset, Spike};
use crate::analysis::words::{count, lasting, rupiah, thousands};
use crate::model::untrusted::shown;
use crate::store::Store;
use std::fmt::Write as _;

/// What happened, in a few sentences.
pub fn summary(store: &Store, r: &Report, spike: Option<&Spike>, onsets: &[Onset]) -> Vec<String> {
    let mut out = Vec::new();
    if r.demo {
        out.push("All of this is invented: it is the demo's evening.".to_owned());
    }
    out.push(trigger(store, r, spike));
    out.extend(broke(store, r, onsets));
    out.push(orders(r));
    out.push(r.answer.clone());
    if let Some(a) = &r.accepted {
        out.push(format!("{} concluded {}, at {}.", a.who, a.causes.join(", "), a.at));
    }
    let unseen = r.missing_sources.len() + r.blind.len() + r.impact.not_known.len();
    if unseen > 0 {
        out.push(format!("{} were not measured; they are listed at the end.", count(unseen, "thing", "things")));
    }
    out
}

fn trigger(store: &Store, r: &Report, spike: Option<&Spike>) -> String {
    let Some(s) = spike else {
        return "No spike was found on the lane that drives the rest.".to_owned();
    };
    let zone = &store.incident.zone;
    let mut says = format!("{} began to rise at {} {}", name(s), zone.hm(s.onset), zone.name);
    if let Some(u) = &r.impact.users {
        let times = u.normal.filter(|n| *n > 0.0).map(|n| format!(" ({:.1} × the usual {})", u.peak / n, crowd(n)));
        let _ = write!(says, ", were {} at {}{}", crowd(u.peak), zone.hm(s.peak.0), times.unwrap_or_default());
    }
    match s.recovery {
        Some(t) => {
            let lasted = lasting(t.since(s.onset));
            let _ = write!(says, ", and were back below the spike at {}, after {lasted}.", zone.hm(t));
        }
        None => says.push_str(", and the spike was not over."),
    }
    says
}

fn broke(store: &Store, r: &Report, onsets: &[Onset]) -> Option<String> {
    let first: Vec<&Onset> = onsets.iter().filter(|o| o.first_fault).collect();
    let at = first.first()?.at;
    let names: Vec<String> = first.iter().map(|o| shown(&o.name)).collect();
    let zone = &store.incident.zone;
    let since = r.lags.iter().find(|l| l.stage == Stage::Spike).and_then(|l| l.after_s);
    let lag = |stage: Stage| {
        let lag = r.lags.iter().find(|l| l.stage == stage)?;
        Some(format!("{} {}", stage.name(), after(lag.after_s?)))
    };
    let chain: Vec<String> = Stage::CHAIN.into_iter().skip(1).filter_map(lag).collect();
    let chain = match since {
        Some(_) if !chain.is_empty() => format!("; after the spike: {}", chain.join(", ")),
        _ => String::new(),
    };
    Some(format!("First to break, at {}: {}{chain}.", zone.hm(at), names.join(", ")))
}

fn orders(r: &Report) -> String {
    let i = &r.impact;
    if i.orders == 0 {
        return "No orders were read for this stretch.".to_owned();
    }
    let customers = i.customers.map(|n| format!(", of {}", count(n, "customer", "customers"))).unwrap_or_default();
    format!(
        "Of {} orders placed {} hang{customers} ({}): {} charged, {} not. {} are not in HO's books ({}).",
        thousands(i.orders as u64),
        thousands(i.stuck as u64),
        rupiah(i.stuck_amount),
        thousands(i.stuck_paid as u64),
        thousands(i.stuck_unpaid as u64),
        count(i.not_at_ho, "charged order", "charged orders"),
        rupiah(i.not_at_ho_amount)
    )
}
