//! `GET /V1.0/{project}/alarm-histories` and `GET /v2/{project}/alarm-histories`: what alarms did, newest
//! first. A record whose end lies ahead of now is one of an alarm that is still on.

use super::alarms::{condition, metric, paged};
use super::points::number;
use crate::model::{Lapse, Stamp, Zone};
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply, ces, ces_v2};
use crate::simulator::cloud::wire::Query;
use crate::simulator::cloud::world::AlarmRecord;
use serde_json::{Value, json};
use std::cmp::Reverse;

/// From milliseconds; one that no clock shows is the end of time.
pub fn instant(milliseconds: i64) -> Stamp {
    Stamp(milliseconds.saturating_mul(1_000))
}

/// A record as it is known at an instant.
#[derive(Clone, Copy)]
struct Seen<'r> {
    record: &'r AlarmRecord,
    ended: Option<Stamp>,
}

impl<'r> Seen<'r> {
    fn at(record: &'r AlarmRecord, now: Stamp) -> Option<Self> {
        (record.began <= now).then(|| Self { record, ended: record.ended.filter(|t| *t <= now) })
    }

    fn status(self) -> &'static str {
        if self.ended.is_some() { "ok" } else { "alarm" }
    }

    fn updated(self) -> Stamp {
        self.ended.unwrap_or(self.record.began)
    }
}

/// Records of the first interface; of the last seven days when no time is given.
pub fn first(call: &Call<'_>) -> Answer {
    let invalid = |says: String| ces(400, "ces.0013", says);
    let query = call.wire.query();
    let start = query.within("start", 0..=i64::MAX, 0).map_err(invalid)?;
    let limit = query.within("limit", 1..=100, 100).map_err(invalid)?;
    let now = call.now();
    let milli = |name: &str| query.number(name).map(|n| n.map(instant)).map_err(invalid);
    let from = milli("from")?.unwrap_or(now - Lapse::hours(24 * 7));
    let to = milli("to")?.unwrap_or(now);
    let world = call.world();
    let mut all: Vec<Seen<'_>> = world.histories.iter().filter_map(|r| Seen::at(r, now)).collect();
    all.retain(|s| {
        let (r, level) = (s.record, s.record.alarm.level.to_string());
        (from..=to).contains(&s.updated())
            && query.get("alarm_id").is_none_or(|id| id == r.alarm.id)
            && query.get("alarm_name").is_none_or(|n| n == r.alarm.name)
            && query.get("alarm_status").is_none_or(|w| w == s.status())
            && query.get("alarm_level").is_none_or(|l| l == level)
            && query.get("namespace").is_none_or(|n| n == r.alarm.metric.namespace)
    });
    all.sort_by_key(|s| Reverse((s.updated(), s.record.id.as_str())));
    let milli = |at: Stamp| at.0.div_euclid(1_000);
    let page: Vec<Value> = paged(&all, start, limit)
        .map(|s| {
            let alarm = &s.record.alarm;
            let points: Vec<_> =
                s.record.points.iter().map(|(t, v)| json!({"time": milli(*t), "value": number(*v)})).collect();
            json!({
                "alarm_id": alarm.id, "alarm_name": alarm.name, "alarm_status": s.status(), "alarm_level": alarm.level,
                "trigger_time": milli(s.record.began), "update_time": milli(s.updated()), "metric": metric(alarm),
                "condition": condition(&alarm.condition), "datapoints": points, "additional_info": s.record.additional,
            })
        })
        .collect();
    Ok(Reply::ok(json!({"alarm_histories": page, "meta_data": {"total": all.len()}})))
}

/// Records of the second interface. `from` and `to` are about the last change of a record, `create_time_…`
/// about its beginning (our choice).
pub fn second(call: &Call<'_>) -> Answer {
    let invalid = |says: String| ces_v2(400, "ces.0013", says);
    let query = call.wire.query();
    let offset = query.within("offset", 0..=10_000, 0).map_err(invalid)?;
    let limit = query.within("limit", 1..=100, 100).map_err(invalid)?;
    let (alarms, statuses) =
        (list(&query, "alarm_id", 50).map_err(invalid)?, list(&query, "status", 3).map_err(invalid)?);
    let changed = Between::read(&query, "from", "to").map_err(invalid)?;
    let created = Between::read(&query, "create_time_from", "create_time_to").map_err(invalid)?;
    let kind = match query.get("alarm_type") {
        None | Some("metric") => true,
        // Every alarm of the world is about a metric.
        Some("event") => false,
        Some(other) => return Err(invalid(format!("alarm_type is event or metric, not {other}"))),
    };
    let now = call.now();
    let world = call.world();
    let mut all: Vec<Seen<'_>> = world.histories.iter().filter_map(|r| Seen::at(r, now)).collect();
    all.retain(|s| {
        let (alarm, level) = (&s.record.alarm, s.record.alarm.level.to_string());
        kind && changed.holds(s.updated())
            && created.holds(s.record.began)
            && (alarms.is_empty() || alarms.contains(&alarm.id.as_str()))
            && (statuses.is_empty() || statuses.contains(&s.status()))
            && query.get("name").is_none_or(|n| alarm.name.contains(n))
            && query.get("level").is_none_or(|l| l == level)
            && query.get("namespace").is_none_or(|n| n == alarm.metric.namespace)
            && query.get("resource_id").is_none_or(|r| alarm.metric.dimensions.iter().any(|(_, v)| v == r))
    });
    match query.get("order_by") {
        None | Some("update_time") => all.sort_by_key(|s| Reverse((s.updated(), s.record.id.as_str()))),
        Some("first_alarm_time") => all.sort_by_key(|s| Reverse((s.record.began, s.record.id.as_str()))),
        Some("alarm_level") => all.sort_by_key(|s| (s.record.alarm.level, s.record.id.as_str())),
        Some("record_id") => all.sort_by_key(|s| s.record.id.as_str()),
        Some(other) => return Err(invalid(format!("nothing can be ordered by {other}"))),
    }
    let page: Vec<Value> = paged(&all, offset, limit).map(record).collect();
    Ok(Reply::ok(json!({"alarm_histories": page, "count": all.len()})))
}

fn record(seen: Seen<'_>) -> Value {
    let (r, alarm) = (seen.record, &seen.record.alarm);
    let text = |at: Stamp| Zone::utc().format(at, "%Y-%m-%dT%H:%M:%SZ");
    let points: Vec<_> = r.points.iter().map(|(t, v)| json!({"time": text(*t), "value": number(*v)})).collect();
    json!({
        "record_id": r.id, "alarm_id": alarm.id, "name": alarm.name, "status": seen.status(), "level": alarm.level,
        "type": "MULTI_INSTANCE", "action_enabled": false, "begin_time": text(r.began), "end_time": seen.ended.map(text),
        "first_alarm_time": text(r.began), "last_alarm_time": text(r.points.last().map_or(r.began, |p| p.0)),
        "alarm_recovery_time": seen.ended.map(text), "metric": metric(alarm), "condition": condition(&alarm.condition),
        "additional_info": {"res_id": "", "event_id": ""}, "alarm_actions": [], "ok_actions": [],
        "data_points": points, "mask_status": "UN_MASKED",
    })
}

/// Every value of a key that may be repeated; some callers join them with commas.
fn list<'q>(query: &'q Query, name: &str, most: usize) -> Result<Vec<&'q str>, String> {
    let all: Vec<_> = query.all(name).flat_map(|v| v.split(',')).filter(|v| !v.is_empty()).collect();
    if all.len() > most { Err(format!("{name} may be given {most} times at most")) } else { Ok(all) }
}

/// A range whose ends may be missing.
struct Between(Option<Stamp>, Option<Stamp>);

impl Between {
    fn read(query: &Query, from: &str, to: &str) -> Result<Self, String> {
        let instant = |name: &str| {
            let read = |v| Stamp::parse_rfc3339(v).ok_or_else(|| format!("{name} is not RFC 3339 with its offset"));
            query.get(name).map(read).transpose()
        };
        Ok(Self(instant(from)?, instant(to)?))
    }

    fn holds(&self, at: Stamp) -> bool {
        self.0.is_none_or(|from| from <= at) && self.1.is_none_or(|to| at <= to)
    }
}
