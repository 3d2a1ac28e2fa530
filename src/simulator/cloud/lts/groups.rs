//! Groups and streams of logs. There are no pages.

use super::group;
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply};
use crate::simulator::cloud::world::{LogGroup, LogStream};
use serde_json::{Value, json};

/// `GET /v2/{project}/groups`
pub fn groups(call: &Call<'_>) -> Reply {
    let world = call.world();
    let all: Vec<Value> = world
        .groups
        .iter()
        .map(|g| {
            json!({"log_group_id": g.id, "log_group_name": g.name, "log_group_name_alias": g.name,
                   "creation_time": g.created.0.div_euclid(1_000), "ttl_in_days": g.days, "tag": {}})
        })
        .collect();
    Reply::ok(json!({ "log_groups": all }))
}

/// `GET /v2/{project}/groups/{group}/streams`
pub fn streams(call: &Call<'_>) -> Answer {
    let world = call.world();
    let group = group(&world, call.places.get("group"))?;
    let all: Vec<Value> = group.streams.iter().map(|s| stream(group, s)).collect();
    Ok(Reply::ok(json!({ "log_streams": all })))
}

/// `GET /v2/{project}/log-streams`, by the names of group and stream.
pub fn log_streams(call: &Call<'_>) -> Reply {
    let query = call.wire.query();
    let world = call.world();
    let all: Vec<Value> = world
        .groups
        .iter()
        .filter(|g| query.get("log_group_name").is_none_or(|n| n == g.name))
        .flat_map(|g| g.streams.iter().map(move |s| (g, s)))
        .filter(|(_, s)| query.get("log_stream_name").is_none_or(|n| n == s.name))
        .map(|(g, s)| {
            let mut entry = stream(g, s);
            entry["log_group_id"] = g.id.as_str().into();
            entry["log_group_name"] = g.name.as_str().into();
            entry
        })
        .collect();
    Reply::ok(json!({ "log_streams": all }))
}

fn stream(group: &LogGroup, s: &LogStream) -> Value {
    json!({"log_stream_id": s.id, "log_stream_name": s.name, "log_stream_name_alias": s.name,
           "creation_time": s.created.0.div_euclid(1_000), "ttl_in_days": group.days, "hot_storage_days": group.days,
           "filter_count": 0, "tag": {"_sys_enterprise_project_id": "0"}, "is_favorite": false})
}
