//! The query interface of Prometheus, as AOM has it behind the gateway and as a plain server has it: ranges,
//! instants, labels, values, metadata. Instants are seconds.

use super::gateway::Call;
use super::promql::{Expr, Labels, Value, duration, evaluate, parse, parse_selector, select, visible};
use super::reply::{Answer, Reply, prometheus};
use super::wire::Query;
use super::world::Series;
use crate::model::{Lapse, Stamp};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

fn bad(says: impl Into<String>) -> Reply {
    prometheus(400, "bad_data", says)
}

fn good(data: Json) -> Reply {
    Reply::ok(json!({"status": "success", "data": data}))
}

fn expression(query: &Query) -> Result<Expr, Reply> {
    let text = query.get("query").ok_or_else(|| bad("invalid parameter \"query\": it is missing"))?;
    parse(text).map_err(|says| bad(format!("invalid parameter \"query\": {says}")))
}

/// Seconds with a fraction, or RFC 3339.
fn instant(query: &Query, name: &str) -> Result<Option<Stamp>, Reply> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let seconds = text.parse::<f64>().ok().filter(|s| s.abs() < 9e11).map(|s| Stamp((s * 1e6) as i64));
    let read = seconds.or_else(|| Stamp::parse_rfc3339(text));
    read.map(Some).ok_or_else(|| bad(format!("invalid parameter {name:?}: cannot parse {text:?} to a valid timestamp")))
}

/// `query_range`
pub fn range(call: &Call<'_>) -> Answer {
    let query = call.wire.query_and_form();
    let needed =
        |name: &str| instant(&query, name)?.ok_or_else(|| bad(format!("invalid parameter {name:?}: it is missing")));
    let (start, end) = (needed("start")?, needed("end")?);
    let step = query.get("step").and_then(|s| match s.parse::<f64>() {
        Ok(seconds) => (seconds < 9e11).then_some(Lapse((seconds * 1e6) as i64)),
        Err(_) => duration(s),
    });
    let step = step
        .filter(|s| *s > Lapse::ZERO)
        .ok_or_else(|| bad("invalid parameter \"step\": zero or negative or no duration"))?;
    if end < start {
        return Err(bad("invalid parameter \"end\": end timestamp must not be before start time"));
    }
    let most = call.limits().series_points;
    if end.since(start).0 / step.0 >= most {
        let says = format!("exceeded maximum resolution of {most} points per timeseries; use a longer step");
        return Err(bad(says));
    }
    let expr = expression(&query)?;
    let (world, now) = (call.world(), call.now());
    let mut found: BTreeMap<Labels, Vec<Json>> = BTreeMap::new();
    let mut at = start;
    while at <= end {
        let made = evaluate(&expr, &world, at, now).map_err(bad)?;
        let vector = match made {
            Value::Scalar(n) => vec![(Labels::new(), n)],
            Value::Vector(v) => v,
        };
        for (labels, value) in vector {
            found.entry(labels).or_default().push(point(at, value));
        }
        at = at + step;
    }
    let result: Vec<Json> =
        found.into_iter().map(|(metric, values)| json!({"metric": metric, "values": values})).collect();
    Ok(good(json!({"resultType": "matrix", "result": result})))
}

/// `query`
pub fn query(call: &Call<'_>) -> Answer {
    let query = call.wire.query_and_form();
    let at = instant(&query, "time")?.unwrap_or(call.now());
    let expr = expression(&query)?;
    let data = match evaluate(&expr, &call.world(), at, call.now()).map_err(bad)? {
        Value::Scalar(n) => json!({"resultType": "scalar", "result": point(at, n)}),
        Value::Vector(v) => {
            let entries: Vec<Json> =
                v.into_iter().map(|(metric, n)| json!({"metric": metric, "value": point(at, n)})).collect();
            json!({"resultType": "vector", "result": entries})
        }
    };
    Ok(good(data))
}

/// A point as the wire writes it: seconds, and the value as a text.
fn point(at: Stamp, value: f64) -> Json {
    let text = match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        v => v.to_string(),
    };
    let milliseconds = at.0.div_euclid(1_000);
    let whole = milliseconds % 1_000 == 0;
    let seconds = if whole { json!(milliseconds / 1_000) } else { json!(milliseconds as f64 / 1e3) };
    json!([seconds, text])
}

/// Does something with every series that `match[]` means and that has begun.
fn matched(call: &Call<'_>, mut work: impl FnMut(&Series)) -> Result<(), Reply> {
    let query = call.wire.query_and_form();
    let selectors: Vec<_> = query.all("match[]").map(parse_selector).collect::<Result<_, _>>().map_err(bad)?;
    let (world, now) = (call.world(), call.now());
    let begun = |s: &&Series| !visible(s, now).is_empty();
    if selectors.is_empty() {
        world.series.iter().filter(begun).for_each(&mut work);
    }
    for selector in selectors {
        select(&world, &selector).filter(begun).for_each(&mut work);
    }
    Ok(())
}

/// `labels`
pub fn labels(call: &Call<'_>) -> Answer {
    let mut names = BTreeSet::new();
    matched(call, |s| names.extend(s.labels.iter().map(|(n, _)| n.clone())))?;
    Ok(good(json!(names)))
}

/// `label/{name}/values`
pub fn values(call: &Call<'_>) -> Answer {
    let label = call.places.get("name");
    let mut values = BTreeSet::new();
    matched(call, |s| values.extend(s.labels.iter().filter(|(n, _)| n == label).map(|(_, v)| v.clone())))?;
    Ok(good(json!(values)))
}

/// `metadata`
pub fn metadata(call: &Call<'_>) -> Answer {
    let query = call.wire.query();
    let wanted = query.get("metric");
    let mut all = Map::new();
    matched(call, |s| {
        let name = s.labels.iter().find(|(n, _)| n == "__name__").map(|(_, v)| v);
        if let Some(name) = name.filter(|n| wanted.is_none_or(|w| w == *n) && !s.kind.is_empty()) {
            all.insert(name.clone(), json!([{"type": s.kind, "help": s.help, "unit": ""}]));
        }
    })?;
    Ok(good(Json::Object(all)))
}
