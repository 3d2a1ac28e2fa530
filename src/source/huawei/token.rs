//! An IAM user's password exchanged for a token, the alternative to signing.
//!
//! May not know: who keeps the token and when it is renewed.

use crate::config::Secret;
use crate::model::Stamp;
use crate::source::huawei::Service;
use crate::source::huawei::credentials::none;
use crate::source::huawei::endpoint;
use crate::source::huawei::identity::{Identity, Proof};
use crate::source::huawei::line::{Line, Tally, To};
use crate::source::huawei::trouble::{Foreign, Kind, Trouble};
use crate::source::huawei::wire::{self, Incoming, Outgoing};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// As people know it.
pub const FROM: &str = "iam_user and iam_password in [huawei]";
/// The answer lists the user's roles; it is asked to leave out the catalogue of services.
const LONGEST: usize = 1 << 20;

/// Asks for a token for the region's project.
pub async fn fetch(
    line: &Line,
    domain: &str,
    user: &str,
    password: &Secret,
    tally: &mut Tally,
) -> Result<Identity, Trouble> {
    let password = password.obtain().await.map_err(|says| none(line, FROM, format!("iam_password: {says}")))?;
    let endpoint = endpoint::of(&line.config, Service::Iam, |name| (line.around.variable)(name))
        .map_err(|says| line.trouble(Kind::Setup, Service::Iam, "", says))?;
    let scope = line
        .config
        .project_id
        .as_ref()
        .map_or_else(|| json!({"project": {"name": line.config.region}}), |id| json!({"project": {"id": id}}));
    let identity = json!({"methods": ["password"], "password": {"user": {
        "domain": {"name": domain}, "name": user, "password": password.expose_secret()
    }}});
    let body = json!({"auth": {"identity": identity, "scope": scope}}).to_string().into_bytes();
    let known = [password.expose_secret()];
    let to = To { service: Service::Iam, paced: true, made: endpoint.made, proof: FROM, known: &known };
    let mut last = None;
    for base in &endpoint.urls {
        let url = wire::url(base, "/v3/auth/tokens", "nocatalog=true")
            .map_err(|says| line.trouble(Kind::Setup, Service::Iam, base, says))?;
        let headers = vec![("Content-Type".to_owned(), "application/json;charset=UTF-8".to_owned())];
        let out = Outgoing { method: "POST".to_owned(), url, headers, body: body.clone(), most: LONGEST };
        match line.send(&to, out, tally).await {
            Ok(answer) => return read(line, base, &answer),
            Err(trouble) if trouble.is_elsewhere() => last = Some(trouble),
            Err(trouble) => return Err(trouble),
        }
    }
    Err(last.unwrap_or_else(|| line.trouble(Kind::Setup, Service::Iam, "", "IAM has no endpoint")))
}

fn read(line: &Line, base: &str, answer: &Incoming) -> Result<Identity, Trouble> {
    let wrong = |says: &str| {
        let mut trouble = line.trouble(Kind::NotJson(Foreign::Other), Service::Iam, base, says);
        (trouble.status, trouble.proof) = (Some(answer.status), FROM.to_owned());
        trouble
    };
    let token = answer.header("x-subject-token");
    if token.is_empty() {
        return Err(wrong("there is no token in its header X-Subject-Token"));
    }
    let body: Value =
        serde_json::from_slice(&answer.body).map_err(|_| wrong("what it says of the token is no JSON"))?;
    let inside = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let expires = inside("/token/expires_at").as_deref().and_then(Stamp::parse_rfc3339);
    Ok(Identity {
        proof: Proof::Token(token.into()),
        project: inside("/token/project/id"),
        domain: inside("/token/project/domain/id"),
        // Without its end a token is taken to serve for the usual 24 hours, less one to be safe.
        expires: Some(expires.unwrap_or(line.now() + crate::model::Lapse::hours(23))),
        from: FROM.to_owned(),
        rereadable: false,
        warning: None,
    })
}
