//! `GET /V1.0/{project}/alarms` and `GET /v2/{project}/alarms`: alarm rules, in the order of their ids.

use super::batch::dimensions;
use super::points::number;
use crate::model::Stamp;
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply, ces, ces_v2};
use crate::simulator::cloud::world::{Alarm, AlarmRecord, Condition, World};
use serde_json::{Value, json};

/// Rules of the first interface: pages are turned by the id of the last rule.
pub fn first(call: &Call<'_>) -> Answer {
    let invalid = |says: String| ces(400, "ces.0006", says);
    let query = call.wire.query();
    let limit = query.within("limit", 1..=100, 100).map_err(invalid)?;
    let descending = query.get("order") == Some("desc");
    let world = call.world();
    let mut all: Vec<&Alarm> = world.alarms.iter().collect();
    all.sort_by(|a, b| if descending { b.id.cmp(&a.id) } else { a.id.cmp(&b.id) });
    let total = all.len();
    if let Some(start) = query.get("start") {
        all.retain(|a| if descending { a.id.as_str() < start } else { a.id.as_str() > start });
    }
    all.truncate(usize::try_from(limit).unwrap_or(100));
    let marker = all.last().map_or("", |a| a.id.as_str());
    let now = call.now();
    let page: Vec<Value> = all
        .iter()
        .map(|a| {
            json!({
                "alarm_id": a.id, "alarm_name": a.name, "alarm_description": "", "alarm_enabled": true,
                "alarm_action_enabled": false, "alarm_level": a.level, "alarm_type": "ALL_INSTANCE",
                "alarm_state": state(&world, a, now), "metric": metric(a), "condition": condition(&a.condition),
                "update_time": a.updated.0.div_euclid(1_000),
            })
        })
        .collect();
    Ok(Reply::ok(json!({"metric_alarms": page, "meta_data": {"count": page.len(), "total": total, "marker": marker}})))
}

/// Rules of the second interface: pages are turned by number.
pub fn second(call: &Call<'_>) -> Answer {
    let invalid = |says: String| ces_v2(400, "ces.0013", says);
    let query = call.wire.query();
    let offset = query.within("offset", 0..=10_000, 0).map_err(invalid)?;
    let limit = query.within("limit", 1..=100, 10).map_err(invalid)?;
    let resource = query.get("resource_id");
    let fits = |a: &&Alarm| {
        query.get("alarm_id").is_none_or(|id| id == a.id)
            && query.get("name").is_none_or(|n| a.name.contains(n))
            && query.get("namespace").is_none_or(|n| n == a.metric.namespace)
            && resource.is_none_or(|r| a.metric.dimensions.iter().any(|(_, v)| v == r))
    };
    let world = call.world();
    let mut all: Vec<&Alarm> = world.alarms.iter().filter(fits).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let page: Vec<Value> = paged(&all, offset, limit)
        .map(|a| {
            let c = &a.condition;
            let policy = json!({
                "metric_name": a.metric.name, "period": c.period, "filter": c.filter, "comparison_operator": c.operator,
                "value": number(c.value), "unit": c.unit, "count": c.count, "suppress_duration": 0, "level": a.level,
            });
            json!({
                "alarm_id": a.id, "name": a.name, "description": "", "namespace": a.metric.namespace,
                "policies": [policy], "resources": [{"dimensions": dimensions(&a.metric.dimensions)}],
                "type": "MULTI_INSTANCE", "enabled": true, "notification_enabled": false, "enterprise_project_id": "0",
            })
        })
        .collect();
    Ok(Reply::ok(json!({"alarms": page, "count": all.len()})))
}

/// One page of a list.
pub fn paged<T: Copy>(all: &[T], offset: i64, limit: i64) -> impl Iterator<Item = T> {
    let number = |n: i64| usize::try_from(n).unwrap_or(0);
    all.iter().copied().skip(number(offset)).take(number(limit))
}

/// The metric of a rule as the wire writes it.
pub fn metric(alarm: &Alarm) -> Value {
    let m = &alarm.metric;
    json!({"namespace": m.namespace, "metric_name": m.name, "dimensions": dimensions(&m.dimensions)})
}

/// When a rule fires, as the wire writes it.
pub fn condition(c: &Condition) -> Value {
    json!({"period": c.period, "filter": c.filter, "comparison_operator": c.operator, "value": number(c.value),
           "unit": c.unit, "count": c.count, "suppress_duration": 0})
}

fn state(world: &World, alarm: &Alarm, now: Stamp) -> &'static str {
    let on = |r: &AlarmRecord| r.alarm.id == alarm.id && r.began <= now && r.ended.is_none_or(|t| t > now);
    if world.histories.iter().any(on) { "alarm" } else { "ok" }
}
