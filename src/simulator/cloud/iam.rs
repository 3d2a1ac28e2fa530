//! Identity: projects by name, tokens for passwords, temporary keys for keys.

use super::gateway::Call;
use super::keyring::instant;
use super::reply::{Answer, Reply, iam};
use crate::model::{Lapse, Zone};
use serde_json::{Value, json};

/// Projects, all or those of a name.
pub fn projects(call: &Call<'_>) -> Reply {
    let account = call.keyring(|k| k.account.clone());
    let query = call.wire.query();
    let name = query.get("name");
    let domain = domain_id(&account.domain);
    let found: Vec<Value> = account
        .projects
        .iter()
        .filter(|(n, _)| name.is_none_or(|wanted| wanted == n))
        .map(|(name, id)| {
            let links = json!({"self": format!("https://iam.myhuaweicloud.com/v3/projects/{id}"), "previous": null, "next": null});
            json!({"id": id, "name": name, "domain_id": domain, "parent_id": domain, "enabled": true, "is_domain": false,
                   "description": "", "links": links})
        })
        .collect();
    let links = json!({"self": "https://iam.myhuaweicloud.com/v3/projects", "previous": null, "next": null});
    Reply::ok(json!({"projects": found, "links": links})).with("X-IAM-Trace-Id", "token_emulator_null_null")
}

/// A token for a user's password.
pub fn tokens(call: &Call<'_>) -> Answer {
    let body: Value = serde_json::from_slice(&call.wire.body)
        .map_err(|e| iam(400, "Bad Request", format!("the request body is not JSON ({e})")))?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let user = "/auth/identity/password/user";
    let domain = text(&format!("{user}/domain/name"));
    let name = text(&format!("{user}/name"));
    let password = text(&format!("{user}/password"));
    let now = call.wall();
    let token = call.keyring(|k| k.password(domain, name, password, now));
    let Some((token, expires)) = token else {
        return Err(iam(401, "Unauthorized", "The username or password is wrong."));
    };
    let account = call.keyring(|k| k.account.clone());
    let domain = json!({"id": domain_id(&account.domain), "name": account.domain});
    let project = json!({"id": account.project(), "name": account.region(), "domain": domain});
    let body = json!({"token": {
        "expires_at": instant(expires), "issued_at": instant(now), "methods": ["password"], "catalog": [],
        "project": project, "user": {"id": "0605observer", "name": account.user, "domain": domain}, "roles": [],
    }});
    Ok(Reply::json(201, body).with("X-Subject-Token", token))
}

/// Temporary keys: for 15 minutes unless the request says otherwise, at most 24 hours.
pub fn security_tokens(call: &Call<'_>) -> Answer {
    let body: Value = serde_json::from_slice(&call.wire.body)
        .map_err(|e| iam(400, "Bad Request", format!("the request body is not JSON ({e})")))?;
    let identity = &body["auth"]["identity"];
    let life = ["token", "assume_role"].iter().find_map(|m| identity[m]["duration_seconds"].as_i64()).unwrap_or(900);
    if !(900..=86_400).contains(&life) {
        return Err(iam(400, "Bad Request", "duration_seconds goes from 900 to 86400"));
    }
    let now = call.wall();
    let keys = call.keyring(|k| k.lend(now, Lapse::seconds(life)));
    Ok(Reply::json(201, credential(&keys)))
}

/// Temporary keys as IAM and the metadata service write them.
pub fn credential(keys: &super::Temporary) -> Value {
    let expires = Zone::utc().format(keys.expires, "%Y-%m-%dT%H:%M:%S%.6fZ");
    json!({"credential": {"access": keys.ak, "secret": keys.sk, "securitytoken": keys.token, "expires_at": expires}})
}

fn domain_id(name: &str) -> String {
    super::text::hexed(name.as_bytes()).chars().take(32).collect()
}
