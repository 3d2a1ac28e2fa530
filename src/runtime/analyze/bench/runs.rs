//! Sets whose cases are runs of one or several series: NAB and SKAB.

use super::files;
use crate::analysis::episode;
use crate::runtime::analyze::Table;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Numenta's benchmark: `DIR/data/CATEGORY/FILE.csv` of time and value. Answered are the instants at which
/// somebody would have been told.
pub fn nab(dir: &Path) -> Result<Map<String, Value>, String> {
    let mut out = Map::new();
    for (case, file) in files(&dir.join("data")) {
        let table = Table::read(&file)?;
        let reading = episode::read(&table.numbers(1)?);
        let told: Vec<&str> = reading.alarms().into_iter().map(|row| table.text(row, 0)).collect();
        out.insert(case, json!({ "detections": told }));
    }
    Ok(out)
}

/// Skoltech's benchmark: `DIR/GROUP/RUN.csv` of a time, eight sensors and two columns of labels. Answered
/// are row numbers.
pub fn skab(dir: &Path) -> Result<Map<String, Value>, String> {
    let mut out = Map::new();
    for (case, file) in files(dir) {
        let table = Table::read(&file)?;
        let is_signal = |c: &usize| !["datetime", "anomaly", "changepoint"].contains(&table.columns[*c].as_str());
        let columns = (0..table.columns.len()).filter(is_signal);
        let signals = columns.map(|c| table.numbers(c)).collect::<Result<Vec<_>, _>>()?;
        let found = episode::dated(&signals).into_iter();
        let told = found.map(|d| json!({ "onset": d.onset, "peak": d.peak, "recovery": d.recovery }));
        out.insert(case, Value::Array(told.collect()));
    }
    Ok(out)
}
