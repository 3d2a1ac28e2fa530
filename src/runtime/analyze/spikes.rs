//! `analyze spikes` and `analyze episode`: one series read as it came in, and a whole run looked back on.

use super::{Answer, Table, rounded};
use crate::analysis::episode;
use serde_json::{Value, json};
use std::path::Path;

/// Episodes and scores of a file of two columns: time and value.
pub fn spikes(file: &Path) -> Result<Answer, String> {
    let table = Table::read(file)?;
    if table.columns.len() < 2 {
        return Err(format!("{}:1: a time and a value are expected in each line: add the value", file.display()));
    }
    if table.columns.len() > 2 {
        return Err(format!(
            "{}:1: one value is expected beside the time: keep two columns, or look at all of them with \
             `warroom analyze episode`",
            file.display()
        ));
    }
    let values = table.numbers(1)?;
    let reading = episode::read(&values);
    let time = |row: usize| table.text(row, 0);
    let told = |e: &episode::Episode| {
        json!({
            "onset": time(e.onset), "detected": time(e.alarms[0]), "peak": time(e.peak.0),
            "recovery": e.recovery.map(time), "score": rounded(e.confidence),
            "onset_row": e.onset, "detected_row": e.alarms[0], "peak_row": e.peak.0, "recovery_row": e.recovery,
            "alarms": e.alarms.iter().map(|row| time(*row)).collect::<Vec<_>>(),
            "usual": rounded(e.usual), "stray": rounded(e.stray), "value": rounded(e.peak.1),
        })
    };
    let episodes: Vec<Value> = reading.episodes.iter().map(told).collect();
    let scores: Vec<Value> = reading.scores.iter().map(|s| rounded(*s)).collect();
    Ok(Answer::found(json!({ "rows": values.len(), "episodes": episodes, "scores": scores })))
}

/// The one episode of a run of several signals: first column time, every other one a signal.
pub fn episode(file: &Path) -> Result<Answer, String> {
    let table = Table::read(file)?;
    let signals = (1..table.columns.len()).map(|c| table.numbers(c)).collect::<Result<Vec<_>, _>>()?;
    let Some(found) = episode::dated(&signals) else {
        return Ok(Answer::blank(json!({
            "episodes": [], "reason": "no signal is explained better by an episode than by a straight line",
        })));
    };
    let time = |row: usize| table.text(row, 0);
    Ok(Answer::found(json!({ "episodes": [{
        "onset": time(found.onset), "peak": time(found.peak), "recovery": found.recovery.map(time),
        "onset_row": found.onset, "peak_row": found.peak, "recovery_row": found.recovery,
        "signal": table.columns[found.signal + 1], "gain": rounded(found.gain),
    }] })))
}
