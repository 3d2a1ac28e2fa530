//! Cloud Trace Service, `GET /v3/{project}/traces`: who did what in the last seven days, newest first.

use super::gateway::Call;
use super::reply::{Answer, Reply, plain};
use super::wire::Query;
use super::world::Trace;
use crate::model::{Lapse, Stamp};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// How long traces are kept.
const KEPT: Lapse = Lapse::hours(24 * 7);

fn invalid(says: impl Into<String>) -> Reply {
    plain(400, "CTS.0003", says)
}

/// Answers a page: later than `from`, up to `to`, behind the marker. Of the last hour when no time is given.
pub fn answer(call: &Call<'_>) -> Answer {
    let query = call.wire.query();
    let data = match query.get("trace_type") {
        Some("system") => false,
        Some("data") => true,
        _ => return Err(invalid("trace_type is system or data")),
    };
    let limit = query.within("limit", 1..=200, 10).map_err(invalid)?;
    let now = call.now();
    let instant = |name: &str| query.number(name).map(|n| n.map(|ms| Stamp(ms.saturating_mul(1_000)))).map_err(invalid);
    let to = instant("to")?.unwrap_or(now).min(now);
    let from = instant("from")?.unwrap_or(now - Lapse::hours(1)).max(now - KEPT);
    let world = call.world();
    let by_id = query.get("trace_id");
    let mut all: Vec<&Trace> = world
        .traces
        .iter()
        .filter(|t| t.data == data && t.at <= now && t.at > now - KEPT)
        .filter(|t| match by_id {
            Some(id) => t.id == id,
            None => from < t.at && t.at <= to && fits(t, &query),
        })
        .collect();
    all.sort_by_key(|t| Reverse((t.at, t.id.as_str())));
    if let Some(marker) = query.get("next") {
        let Some(last) = all.iter().position(|t| t.id == marker) else {
            return Err(invalid(format!("next is no marker of these traces: {marker}")));
        };
        all.drain(..=last);
    }
    let limit = usize::try_from(limit).unwrap_or(10);
    let more = all.len() > limit;
    all.truncate(limit);
    let marker = all.last().filter(|_| more).map(|t| t.id.as_str());
    let page: Vec<Value> = all.iter().map(|t| write(t, call)).collect();
    Ok(Reply::ok(json!({"traces": page, "meta_data": {"count": page.len(), "marker": marker}})))
}

fn fits(trace: &Trace, query: &Query) -> bool {
    let same = |name: &str, value: &str| query.get(name).is_none_or(|wanted| wanted == value);
    same("service_type", &trace.service)
        && same("resource_type", &trace.resource_type)
        && same("resource_name", &trace.resource_name)
        && same("resource_id", &trace.resource_id)
        && same("trace_name", &trace.name)
        && same("trace_rating", &trace.rating)
        && same("user", &trace.user)
        && same("access_key_id", &trace.access_key)
}

fn write(t: &Trace, call: &Call<'_>) -> Value {
    let domain = call.keyring(|k| k.account.domain.clone());
    let user = json!({
        "id": format!("id-of-{}", t.user), "name": t.user, "user_name": t.user, "access_key_id": t.access_key,
        "domain": {"id": "0605767e1b00d5762fd0c003d4d1f4a9", "name": domain}, "type": "User",
    });
    json!({
        "trace_id": t.id, "trace_name": t.name, "trace_rating": t.rating, "trace_type": t.kind,
        "time": t.at.0.div_euclid(1_000), "record_time": (t.at + Lapse::seconds(1)).0.div_euclid(1_000),
        "service_type": t.service, "resource_type": t.resource_type, "resource_name": t.resource_name,
        "resource_id": t.resource_id, "code": t.code, "request": t.request, "response": t.response,
        "source_ip": t.ip, "read_only": t.read_only, "operation_id": t.name, "user": user,
    })
}
