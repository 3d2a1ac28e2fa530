//! Probes from the configuration: a series with two levels, or a person's fixed answer. One with the id of
//! a built-in rule takes its place.

use super::answer::Answer;
use super::measure::Own;
use super::own;
use super::rule::Levels;
use super::scene::Scene;
use crate::model::incident::Probe;

/// What the probe says as of the scene's instant.
pub fn run(s: &Scene<'_>, probe: &Probe) -> Answer {
    if let Some((verdict, text)) = &probe.answer {
        return Answer::new(*verdict, text.clone()).with("source", "the configuration");
    }
    let answer = own::run(s, Own::Series, &levels(probe));
    if answer.missing.is_empty() { answer } else { Answer::no_data(format!("{} (probe {})", answer.missing, probe.id)) }
}

/// Its rule in words.
pub fn says(probe: &Probe) -> String {
    if probe.answer.is_some() {
        return "answered in the configuration".to_owned();
    }
    own::says(Own::Series, &levels(probe))
}

fn levels(probe: &Probe) -> Levels {
    Levels {
        of: probe.series.clone(),
        supports_at: probe.supports_at,
        refutes_below: probe.refutes_below,
        for_: probe.for_,
        of_usual: false,
    }
}
