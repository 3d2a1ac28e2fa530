//! `analyze`: the analysis of the screens as commands, for scripts and for measuring it on public data.
//!
//! Files are read here; everything that is found is found by pure functions of `analysis`. Answers are JSON
//! on standard output.

mod bench;
mod cohort;
mod rank;
mod spikes;
mod table;

use crate::cli::{Analysis, Analyze};
use crate::runtime::Ending;
use crate::runtime::start::print;
use serde_json::Value;
pub use table::Table;

/// What a command has to say.
pub struct Answer {
    /// As JSON.
    json: Value,
    /// There is no answer, and the JSON says why.
    blank: bool,
}

impl Answer {
    fn found(json: Value) -> Self {
        Self { json, blank: false }
    }
    fn blank(json: Value) -> Self {
        Self { json, blank: true }
    }
}

/// Runs one.
pub fn run(how: &Analyze) -> Ending {
    let answer = match (&how.what, how.bench.as_deref()) {
        (Some(Analysis::Spikes { file }), None) => spikes::spikes(file),
        (Some(Analysis::Episode { file }), None) => spikes::episode(file),
        (Some(Analysis::Rank(what)), None) => rank::run(what),
        (Some(Analysis::Cohort(what)), None) => cohort::run(what),
        (None, Some([set, dir])) => bench::run(set, std::path::Path::new(dir), how.late),
        (Some(_), Some(_)) => Err("--bench names a whole data set: leave the other command out".to_owned()),
        (None, _) => Err("name what to analyze: spikes, episode, rank, cohort, or --bench SET DIR".to_owned()),
    };
    match answer {
        Ok(answer) => match print(&format!("{:#}\n", answer.json)) {
            Ending::Well if answer.blank => Ending::Unwell,
            ending => ending,
        },
        Err(says) => Ending::Refused(says),
    }
}

/// A number without the noise of its last digits: six significant ones.
fn rounded(value: f64) -> Value {
    let text = format!("{value:.5e}");
    text.parse::<f64>().map_or(Value::Null, Value::from)
}
