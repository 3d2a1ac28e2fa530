//! Sets whose cases are incidents with a cause: Sock Shop, PetShop and RobustSpot.

use super::{inside, name};
use crate::analysis::cohort::{self, Shared};
use crate::model::series::Bad;
use crate::runtime::analyze::Table;
use crate::runtime::analyze::cohort::{Counts, When};
use crate::runtime::analyze::rank::{Column, Graph, Joined, blamed, with_alarm};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Sock Shop: `DIR/SERVICE-FAULT/RUN/{normal,anomalous}.csv`. The medians and the largest percentile of
/// latency are left out, as is usual with this set. With `late`, so many rows of trouble pass for normal.
pub fn sockshop(dir: &Path, late: usize) -> Result<Map<String, Value>, String> {
    let mut out = Map::new();
    for fault in inside(dir) {
        for run in inside(&fault) {
            let (before, after) = (run.join("normal.csv"), run.join("anomalous.csv"));
            if !after.exists() {
                continue;
            }
            let mut joined = Joined::read(&before, &after, &[])?;
            joined.columns.retain(|c| !c.name.ends_with("lat_50") && !c.name.ends_with("lat_99"));
            let ranked = joined.ranking(joined.noticed + late).map_err(|why| format!("{}: {why}", run.display()))?;
            let names: Vec<&str> = ranked.departures.iter().map(|d| joined.columns[d.signal].name.as_str()).collect();
            out.insert(format!("{}/{}", name(&fault), name(&run)), json!(names));
        }
    }
    Ok(out)
}

/// PetShop: `DIR/TRAFFIC/{train,test}/ISSUE/metrics.csv` beside `target.json`, which names the service and
/// the measure of the alarm, with `noissue/metrics.csv` and `graph.csv` for each traffic. Only the columns
/// of that measure are looked at.
pub fn petshop(dir: &Path) -> Result<Map<String, Value>, String> {
    let mut out = Map::new();
    for traffic in inside(dir) {
        for half in ["train", "test"] {
            for issue in inside(&traffic.join(half)) {
                if !issue.join("target.json").exists() || !traffic.join("noissue/metrics.csv").exists() {
                    continue;
                }
                let ranked = petshop_case(&traffic, &issue)?;
                out.insert(format!("{}/{half}/{}", name(&traffic), name(&issue)), json!(ranked));
            }
        }
    }
    Ok(out)
}

fn petshop_case(traffic: &Path, issue: &Path) -> Result<Vec<String>, String> {
    let file = issue.join("target.json");
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{} cannot be read ({e})", file.display()))?;
    let target: Value = serde_json::from_str(&text).map_err(|e| format!("{} is no JSON ({e})", file.display()))?;
    let field = |key: &str| target["target"][key].as_str().unwrap_or_default().to_owned();
    let (node, metric, statistic) = (field("node"), field("metric"), field("agg"));
    let bad = if metric == "availability" { Bad::Low } else { Bad::High };
    let before = Table::read_raw(&traffic.join("noissue/metrics.csv"))?;
    let after = Table::read_raw(&issue.join("metrics.csv"))?;
    // Three lines of heading (service, measure, statistic) and the name of the index: the first is taken off.
    let place = |table: &Table, node: &str| {
        (1..table.columns.len())
            .find(|c| table.columns[*c] == node && table.text(0, *c) == metric && table.text(1, *c) == statistic)
    };
    let mut columns: Vec<Column> = Vec::new();
    for (c, service) in after.columns.iter().enumerate().skip(1) {
        let first = place(&after, service) == Some(c);
        let Some(there) = place(&before, service).filter(|_| first) else { continue };
        let values = [before.numbers_from(there, 3)?, after.numbers_from(c, 3)?].concat();
        columns.push(Column { name: service.clone(), values, bad });
    }
    let joined = Joined::of(columns, before.len().saturating_sub(3));
    let graph = Graph::read(&traffic.join("graph.csv"))?;
    let alarm = joined.columns.iter().position(|c| c.name == node);
    let Some(alarm) = alarm else {
        return Err(format!("{}: there is no column of {metric} of {node}", issue.join("metrics.csv").display()));
    };
    let strength = with_alarm(&joined, alarm);
    let found = blamed(&joined, graph, Some(alarm), &strength);
    Ok(found.suspects.iter().map(|s| found.graph.services[s.service].clone()).collect())
}

/// RobustSpot: `DIR/CASE.csv` of counts by minute and attributes; `DIR/anomaly.yaml` names the minute of
/// each case. Its causes are not read.
pub fn rs(dir: &Path) -> Result<Map<String, Value>, String> {
    let file = dir.join("anomaly.yaml");
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{} cannot be read ({e})", file.display()))?;
    let mut out = Map::new();
    let mut case = "";
    for line in text.lines() {
        let line = line.trim_start_matches([' ', '-']);
        if let Some(named) = line.strip_prefix("data:") {
            case = named.trim();
        }
        let Some(at) = line.strip_prefix("timestamp:").map(str::trim) else { continue };
        let counts = dir.join(format!("{case}.csv"));
        if !counts.exists() {
            continue;
        }
        let counts = Counts::of(&Table::read(&counts)?, "value", "cnt", Some(&When { column: "min", at }))?;
        let found = match cohort::explain(&counts.cells) {
            Shared::Explained(found) => found.iter().map(|e| counts.words(e)).collect(),
            Shared::NothingStandsOut(_) | Shared::NothingBad => Vec::new(),
        };
        out.insert(case.to_owned(), json!(found));
    }
    Ok(out)
}
