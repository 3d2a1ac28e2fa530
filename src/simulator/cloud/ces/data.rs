//! `GET /V1.0/{project}/metric-data`: points of one metric; the unit stands in each of them.

use super::batch::same;
use super::points::{Filter, Period, Range, points};
use crate::simulator::cloud::faults::Fault;
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply, ces};
use crate::simulator::cloud::wire::Query;
use crate::simulator::cloud::world::{Dimension, Metric};
use serde_json::json;

fn invalid(says: impl Into<String>) -> Reply {
    ces(400, "ces.0013", says)
}

/// Answers for one metric. No `from` is moved and no span refused (our choice).
pub fn answer(call: &Call<'_>) -> Answer {
    let query = call.wire.query();
    let text = |name: &str| query.get(name).ok_or_else(|| invalid(format!("{name} is missing")));
    let number = |name: &str| query.number(name).map_err(invalid)?.ok_or_else(|| invalid(format!("{name} is missing")));
    let wanted = Metric {
        namespace: text("namespace")?.to_owned(),
        name: text("metric_name")?.to_owned(),
        dimensions: read_dimensions(&query).map_err(invalid)?,
        ..Metric::default()
    };
    if wanted.dimensions.is_empty() {
        return Err(invalid("dim.0 is missing"));
    }
    let filter = Filter::read(text("filter")?).map_err(invalid)?;
    let period = Period::read(number("period")?).map_err(invalid)?;
    let range = Range::read(number("from")?, number("to")?).map_err(invalid)?;
    let range = match call.fault {
        Some(Fault::Moved(by)) => Range { from: (range.from + by).min(range.to), ..range },
        _ => range,
    };
    let world = call.world();
    let mut found = Vec::new();
    if let Some(metric) = world.metrics.iter().find(|m| same(m, &wanted)) {
        found = points(&world, metric, period, filter, range, call.now());
        if !metric.unit.is_empty() {
            for point in &mut found {
                point["unit"] = metric.unit.as_str().into();
            }
        }
    }
    Ok(Reply::ok(json!({"datapoints": found, "metric_name": wanted.name})))
}

/// `dim.0=name,value` to `dim.3`.
pub fn read_dimensions(query: &Query) -> Result<Vec<Dimension>, String> {
    let given = (0..4).filter_map(|i| query.get(&format!("dim.{i}")).map(|d| (i, d)));
    given
        .map(|(i, d)| match d.split_once(',') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(format!("dim.{i} is not of the form name,value")),
        })
        .collect()
}
