//! `POST /V1.0/{project}/batch-query-metric-data`: points of many metrics at once.

use super::points::{Filter, Period, Range, points};
use crate::model::Lapse;
use crate::simulator::cloud::faults::Fault;
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply, ces};
use crate::simulator::cloud::world::{Dimension, Metric};
use serde::Deserialize;
use serde_json::{Value, json};

/// Strictly what is documented: a period that is a number is refused (our choice).
#[derive(Deserialize)]
struct Body {
    metrics: Vec<Wanted>,
    period: String,
    filter: String,
    from: i64,
    to: i64,
}

#[derive(Deserialize)]
struct Wanted {
    namespace: String,
    metric_name: String,
    dimensions: Vec<WantedDimension>,
}

#[derive(Deserialize)]
struct WantedDimension {
    name: String,
    value: String,
}

fn invalid(says: impl Into<String>) -> Reply {
    ces(400, "ces.0014", says)
}

/// Answers a batch. `from` is moved in silence when there would be too many points.
pub fn answer(call: &Call<'_>) -> Answer {
    let limits = call.limits();
    if call.wire.body.is_empty() {
        return Err(ces(400, "ces.0001", "the request body is empty"));
    }
    if call.wire.body.len() > limits.batch_bytes {
        return Err(invalid(format!("the request body is larger than {} bytes", limits.batch_bytes)));
    }
    let body: Body =
        serde_json::from_slice(&call.wire.body).map_err(|e| invalid(format!("the request body is invalid: {e}")))?;
    let most = limits.batch_metrics;
    if !(1..=most).contains(&body.metrics.len()) {
        return Err(invalid(format!("metrics has {} entries, 1 to {most} are allowed", body.metrics.len())));
    }
    let seconds = body.period.parse().map_err(|_| invalid(format!("the period {} is no number", body.period)))?;
    let period = Period::read(seconds).map_err(invalid)?;
    let filter = Filter::read(&body.filter).map_err(invalid)?;
    let range = Range::read(body.from, body.to).map_err(invalid)?;
    let mut wanted: Vec<Metric> = body.metrics.into_iter().map(check).collect::<Result<_, _>>().map_err(invalid)?;
    if let Some(Fault::BadMetric(name)) = &call.fault {
        return Err(invalid(format!("the metric {name} is invalid")));
    }
    if limits.span_caps && range.length() > period.cap {
        let hours = period.cap.whole_seconds() / 3_600;
        return Err(invalid(format!("with the period {seconds} to - from is at most {hours} hours")));
    }
    let range = moved(range, period, wanted.len(), limits.batch_points);
    let range = match call.fault {
        Some(Fault::Moved(by)) => Range { from: (range.from + by).min(range.to), ..range },
        _ => range,
    };
    // Our choice, because no order is promised.
    wanted.sort_by_key(Metric::marker);
    let world = call.world();
    let now = call.now();
    let found = wanted.iter().map(|wanted| {
        let mut entry = json!({
            "namespace": wanted.namespace, "metric_name": wanted.name,
            "dimensions": dimensions(&wanted.dimensions), "datapoints": [],
        });
        if let Some(metric) = world.metrics.iter().find(|m| same(m, wanted)) {
            entry["datapoints"] = points(&world, metric, period, filter, range, now).into();
            if !metric.unit.is_empty() {
                entry["unit"] = metric.unit.as_str().into();
            }
        }
        entry
    });
    let found: Vec<Value> = found.collect();
    Ok(Reply::ok(json!({ "metrics": found })))
}

/// The range after the limit on points: so many metrics times so many points of the period.
fn moved(range: Range, period: Period, metrics: usize, most: i64) -> Range {
    let metrics = i64::try_from(metrics).unwrap_or(i64::MAX).max(1);
    let longest = Lapse(period.step().times(most).0 / metrics);
    Range { from: range.from.max(range.to - longest), ..range }
}

fn check(wanted: Wanted) -> Result<Metric, String> {
    let length = |what: &str, text: &str, bounds: std::ops::RangeInclusive<usize>| {
        if bounds.contains(&text.chars().count()) {
            Ok(())
        } else {
            Err(format!("{what} {text:?} must have {} to {} characters", bounds.start(), bounds.end()))
        }
    };
    length("namespace", &wanted.namespace, 3..=32)?;
    if !wanted.namespace.contains('.') {
        return Err(format!("namespace {:?} is not of the form service.item", wanted.namespace));
    }
    length("metric_name", &wanted.metric_name, 1..=96)?;
    if !(1..=4).contains(&wanted.dimensions.len()) {
        return Err(format!("{} has {} dimensions, 1 to 4 are allowed", wanted.metric_name, wanted.dimensions.len()));
    }
    for d in &wanted.dimensions {
        length("the dimension's name", &d.name, 1..=32)?;
        length("the dimension's value", &d.value, 1..=256)?;
    }
    let dimensions = wanted.dimensions.into_iter().map(|d| (d.name, d.value)).collect();
    Ok(Metric { namespace: wanted.namespace, name: wanted.metric_name, dimensions, ..Metric::default() })
}

/// Whether two are the same metric of the same resource, whatever the order of the dimensions.
pub fn same(a: &Metric, b: &Metric) -> bool {
    a.name == b.name
        && a.namespace == b.namespace
        && a.dimensions.len() == b.dimensions.len()
        && a.dimensions.iter().all(|d| b.dimensions.contains(d))
}

/// Dimensions as the wire writes them.
pub fn dimensions(all: &[Dimension]) -> Vec<Value> {
    all.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stamp;

    #[test]
    fn from_moves_as_in_the_published_example() {
        let range = Range { from: Stamp::from_secs(0), to: Stamp::from_secs(86_400) };
        let moved = moved(range, Period::read(1).unwrap(), 5, 3_000);
        assert_eq!(moved.length(), Lapse::millis(36_000_000));
        let short = Range { from: Stamp::from_secs(0), to: Stamp::from_secs(3_600) };
        assert_eq!(super::moved(short, Period::read(300).unwrap(), 5, 3_000), short);
    }
}
