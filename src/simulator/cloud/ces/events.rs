//! `GET /V1.0/{project}/events` and `GET /V1.0/{project}/event/{name}`: events by name, then one by one.

use super::alarms::paged;
use super::histories::instant;
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply, ces};
use crate::simulator::cloud::wire::Query;
use crate::simulator::cloud::world::Event;
use serde_json::{Value, json};
use std::cmp::Reverse;

fn invalid(says: String) -> Reply {
    ces(400, "ces.0013", says)
}

/// Of which kind and when; of the last seven days when no time is given (our choice).
struct Wanted {
    system: Option<bool>,
    from: Stamp,
    to: Stamp,
    start: i64,
    limit: i64,
}

impl Wanted {
    fn read(query: &Query, now: Stamp) -> Result<Self, String> {
        let system = match query.get("event_type") {
            None => None,
            Some("EVENT.SYS") => Some(true),
            Some("EVENT.CUSTOM") => Some(false),
            Some(other) => return Err(format!("event_type is EVENT.SYS or EVENT.CUSTOM, not {other}")),
        };
        Ok(Self {
            system,
            from: query.number("from")?.map_or(now - Lapse::hours(24 * 7), instant),
            to: query.number("to")?.map_or(now, instant).min(now),
            start: query.within("start", 0..=i64::MAX, 0)?,
            limit: query.within("limit", 1..=100, 100)?,
        })
    }

    fn fits(&self, event: &Event) -> bool {
        self.system.is_none_or(|s| s == event.system) && self.from <= event.at && event.at <= self.to
    }
}

fn kind(event: &Event) -> &'static str {
    if event.system { "EVENT.SYS" } else { "EVENT.CUSTOM" }
}

/// Names with how often and when last, newest first.
pub fn list(call: &Call<'_>) -> Answer {
    let wanted = Wanted::read(&call.wire.query(), call.now()).map_err(invalid)?;
    let world = call.world();
    let mut inside: Vec<&Event> = world.events.iter().filter(|e| wanted.fits(e)).collect();
    inside.sort_by_key(|e| (&e.name, e.system, e.at));
    let mut names: Vec<(&Event, usize)> = inside
        .chunk_by(|a, b| (&a.name, a.system) == (&b.name, b.system))
        .filter_map(|c| c.last().map(|last| (*last, c.len())))
        .collect();
    names.sort_by_key(|(last, _)| Reverse(last.at));
    let page: Vec<Value> = paged(&names, wanted.start, wanted.limit)
        .map(|(last, count)| {
            json!({"event_name": last.name, "event_type": kind(last), "event_count": count,
                   "latest_occur_time": last.at.0.div_euclid(1_000), "latest_event_source": last.source})
        })
        .collect();
    Ok(Reply::ok(json!({"events": page, "meta_data": {"total": names.len()}})))
}

/// Every occurrence of one name, newest first.
pub fn detail(call: &Call<'_>) -> Answer {
    let query = call.wire.query();
    let wanted = Wanted::read(&query, call.now()).map_err(invalid)?;
    let Some(system) = wanted.system else {
        return Err(invalid("event_type is missing".to_owned()));
    };
    let name = call.places.get("name");
    let world = call.world();
    let mut inside: Vec<&Event> = world.events.iter().filter(|e| e.name == name && wanted.fits(e)).collect();
    inside.sort_by_key(|e| Reverse(e.at));
    let page: Vec<Value> = paged(&inside, wanted.start, wanted.limit)
        .map(|e| {
            let detail = json!({
                "content": e.content, "resource_id": e.resource_id, "resource_name": e.resource_name,
                "event_state": e.state, "event_level": e.level, "event_user": "", "group_id": "", "event_type": kind(e),
            });
            json!({"event_id": e.id, "event_name": e.name, "event_source": e.source,
                   "time": e.at.0.div_euclid(1_000), "detail": detail})
        })
        .collect();
    let kind = if system { "EVENT.SYS" } else { "EVENT.CUSTOM" };
    let users: Vec<Value> = Vec::new();
    Ok(Reply::ok(json!({
        "event_name": name, "event_type": kind, "event_users": users, "event_sources": sources(&inside),
        "event_info": page, "meta_data": {"total": inside.len()},
    })))
}

fn sources<'e>(events: &[&'e Event]) -> Vec<&'e str> {
    let mut all: Vec<&str> = events.iter().map(|e| e.source.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
