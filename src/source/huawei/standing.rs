//! How the metrics are, in words: which are refused, which have nothing, since when; never a zero for nothing.
//!
//! May not know: how they are asked for.

use crate::model::health::State;
use crate::model::{Lapse, Stamp, Zone};
use crate::source::huawei::fetch::Fetcher;
use crate::source::huawei::known::Known;
use crate::source::runner::Condition;
use std::collections::BTreeSet;

/// A series may be silent for so many of its own distances, and this much longer, before it is told.
const DISTANCES: i64 = 3;
const PATIENCE: Lapse = Lapse::minutes(7);
/// How many names stand in a sentence.
const NAMES: usize = 3;

/// Oddities that cost nothing but should be known.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    /// Series that an answer had twice.
    pub twice: BTreeSet<String>,
    /// Entries that nobody asked for.
    pub strange: usize,
    /// Points without an instant or a value.
    pub unusable: usize,
    /// Series with points in the future.
    pub future: BTreeSet<String>,
}

/// What the condition is made from.
#[derive(Debug)]
pub struct View<'v> {
    /// Name of the source.
    pub source: &'v str,
    /// What is known of each target.
    pub known: &'v [Known],
    /// From when on points were asked for.
    pub since: Stamp,
    /// Now.
    pub now: Stamp,
    /// Of the words.
    pub zone: &'v Zone,
}

/// The condition after a round that was answered.
pub fn condition(view: &View<'_>, fetcher: &Fetcher, remarks: &Remarks) -> Condition {
    let View { source, known, now, .. } = view;
    let refused: Vec<String> =
        fetcher.refused().map(|(t, says)| told(&t.namespace, &t.metric, &t.instance, says.raw())).collect();
    let newest = known.iter().filter_map(|k| k.newest).max();
    let targets = fetcher.targets();
    let patience = |i: usize| targets.get(i).map_or(PATIENCE, |t| t.raw.times(DISTANCES) + PATIENCE);
    let longest = (0..known.len()).map(patience).max().unwrap_or(PATIENCE);
    if !refused.is_empty() {
        let rest = known.len().saturating_sub(refused.len());
        let says = format!("{source}: the metric service refuses {}; the other {rest} come", listed(&refused));
        let remedy = "See with warroom huawei metrics whether the resource has this metric, or leave it out with only; it is tried again every half hour.";
        return Condition::late(format!("{} refused", refused.len()), says, remedy);
    }
    if newest.is_none_or(|n| now.since(n) > longest) && !known.is_empty() {
        let since = newest.unwrap_or(view.since);
        let says = format!(
            "{source}: no data since {}: the service answers, and has no point of any of our metrics",
            clock(view, since)
        );
        return Condition::late(
            "no data",
            says,
            "Check the ids in [[huawei.instance]] and the region; warroom huawei metrics lists what the account has.",
        );
    }
    let mut silent: Vec<(Stamp, String)> = Vec::new();
    let mut never = Vec::new();
    for (i, k) in known.iter().enumerate() {
        match k.newest {
            Some(at) if now.since(at) > patience(i) => silent.push((at, k.name().to_string())),
            None => never.push(k.name().to_string()),
            Some(_) => {}
        }
    }
    silent.sort();
    if let Some((first, _)) = silent.first() {
        let names: Vec<String> = silent.iter().map(|(at, name)| format!("{name} ({})", clock(view, *at))).collect();
        let says = format!("{source}: no data since {} of {}", clock(view, *first), listed(&names));
        return Condition::late(
            format!("{} silent", silent.len()),
            says,
            "The resource may be stopped, or its agent; other metrics come.",
        );
    }
    Condition { state: State::Well, says: remarks.says(source, &never).into(), ..Condition::well() }
}

impl Remarks {
    /// What is odd, in a sentence; empty when nothing is.
    fn says(&self, source: &str, never: &[String]) -> String {
        let mut out = Vec::new();
        if !never.is_empty() {
            out.push(format!("no data so far of {}", listed(never)));
        }
        if !self.twice.is_empty() {
            let names: Vec<String> = self.twice.iter().cloned().collect();
            out.push(format!("an answer had {} twice; the points were merged", listed(&names)));
        }
        if !self.future.is_empty() {
            let names: Vec<String> = self.future.iter().cloned().collect();
            out.push(format!("points of {} lay in the future and were left out", listed(&names)));
        }
        if self.unusable > 0 {
            out.push(format!("{} points had no instant or no value", self.unusable));
        }
        if self.strange > 0 {
            out.push(format!("{} entries were nobody's question", self.strange));
        }
        if out.is_empty() { String::new() } else { format!("{source}: {}", out.join("; ")) }
    }
}

/// A refused metric with the service's words.
fn told(namespace: &str, metric: &str, instance: &str, says: &str) -> String {
    if says.is_empty() {
        format!("{namespace} {metric} of {instance}")
    } else {
        format!("{namespace} {metric} of {instance} (\"{says}\")")
    }
}

/// The first few, and how many more.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `19:24`, with its day when that is another one.
fn clock(view: &View<'_>, at: Stamp) -> String {
    let zone = view.zone;
    let pattern = if zone.midnight(at) == zone.midnight(view.now) { "%H:%M" } else { "%-d %b %H:%M" };
    zone.format(at, pattern)
}
