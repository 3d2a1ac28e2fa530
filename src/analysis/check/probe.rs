//! Probes from the configuration: a series with two levels, or a person's fixed answer. One with the id of
//! a built-in rule takes its place.

use super::answer::{Answer, verdict};
use super::numbers as n;
use super::scene::Scene;
use super::words::{lapse, number, percent};
use crate::model::Lapse;
use crate::model::incident::Probe;

/// What the probe says as of the scene's instant.
pub fn run(s: &Scene<'_>, probe: &Probe) -> Answer {
    if let Some((verdict, text)) = &probe.answer {
        return Answer::new(*verdict, text.clone()).with("source", "the configuration");
    }
    let name = s.store.series_names().find(|x| ***x == *probe.series);
    let curve = name.and_then(|name| Some(s.curve((name, s.store.series(name)?), s.span)));
    let Some(curve) = curve.filter(|c| c.values().next().is_some()) else {
        return Answer::no_data(format!("the series {} has no value here: check [[probe]] {}", probe.series, probe.id));
    };
    let peak = curve.peak().map_or(0.0, |p| p.1);
    let minutes = (probe.for_.0 / Lapse::minutes(1).0).max(1) as usize;
    let high = probe.supports_at.is_some_and(|level| curve.longest(|v| v >= level).is_some_and(|r| r.1 >= minutes));
    let low = probe.refutes_below.is_some_and(|level| peak < level && curve.coverage() >= n::COVERED);
    Answer::new(verdict(high, low), format!("{} at most {}", probe.series, number(peak)))
        .asof(curve.asof)
        .spark(Some(curve.name))
        .with("coverage", percent(curve.coverage()))
}

/// Its rule in words.
pub fn says(probe: &Probe) -> String {
    let above = probe.supports_at.map(|level| format!("≥ {} for ≥ {}", number(level), lapse(probe.for_)));
    let below = probe.refutes_below.map(|level| format!("not < {}", number(level)));
    let parts: Vec<String> = above.into_iter().chain(below).collect();
    if parts.is_empty() { "answered in the configuration".to_owned() } else { parts.join("; ") }
}
