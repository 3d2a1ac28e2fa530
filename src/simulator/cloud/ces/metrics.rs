//! `GET /V1.0/{project}/metrics`: what is measured, page by page until a page is empty.

use super::batch::dimensions;
use super::data::read_dimensions;
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply, ces};
use crate::simulator::cloud::world::Metric;
use serde_json::{Value, json};

/// Answers one page: what comes after the marker, in the order of markers.
pub fn answer(call: &Call<'_>) -> Answer {
    let invalid = |says: String| ces(400, "ces.0006", says);
    let query = call.wire.query();
    let limit = query.within("limit", 1..=1_000, 1_000).map_err(invalid)?;
    let descending = match query.get("order") {
        None | Some("desc") => query.get("order").is_some(),
        Some("asc") => false,
        Some(other) => return Err(invalid(format!("order is asc or desc, not {other}"))),
    };
    let wanted = read_dimensions(&query).map_err(|e| ces(400, "ces.0013", e))?;
    let fits = |m: &&Metric| {
        query.get("namespace").is_none_or(|n| n == m.namespace)
            && query.get("metric_name").is_none_or(|n| n == m.name)
            && wanted.iter().all(|d| m.dimensions.contains(d))
    };
    let world = call.world();
    let mut all: Vec<(String, &Metric)> = world.metrics.iter().filter(fits).map(|m| (m.marker(), m)).collect();
    all.sort_by(|a, b| if descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
    let total = all.len();
    if let Some(start) = query.get("start") {
        all.retain(|(marker, _)| if descending { marker.as_str() < start } else { marker.as_str() > start });
    }
    all.truncate(usize::try_from(limit).unwrap_or(1_000));
    let marker = all.last().map_or("", |(marker, _)| marker);
    let page: Vec<Value> = all
        .iter()
        .map(|(_, m)| {
            json!({"namespace": m.namespace, "metric_name": m.name, "unit": m.unit, "dimensions": dimensions(&m.dimensions)})
        })
        .collect();
    Ok(Reply::ok(json!({"metrics": page, "meta_data": {"count": page.len(), "total": total, "marker": marker}})))
}
