//! The metadata service of an ECS host: temporary keys of the host's agency, renewed by whoever keeps them.
//!
//! A session token is asked for first; older services know none and are asked without. May not know: what
//! the keys are used for.

use crate::source::huawei::Service;
use crate::source::huawei::credentials::none;
use crate::source::huawei::identity::{self, Identity};
use crate::source::huawei::line::{Line, Tally, To};
use crate::source::huawei::trouble::{Kind, Trouble};
use crate::source::huawei::wire::{self, Outgoing};

/// Where it answers unless `metadata` in `[huawei.endpoints]` says otherwise.
const USUAL: &str = "http://169.254.169.254";
/// Path of the session token.
const TOKEN: &str = "/meta-data/latest/api/token";
/// Path of the keys.
const KEYS: &str = "/openstack/latest/securitykey";
/// How long a session token is wished to last: six hours, the most there is.
const TOKEN_LIFE: &str = "21600";
/// Neither answer is longer.
const LONGEST: usize = 64 * 1024;
/// What the service says when the host has no agency.
const NO_AGENCY: &str = "please configure cloud service agency first";

/// As people know it.
pub const FROM: &str = "the metadata service of this ECS host";

const TO: To<'static> = To { service: Service::Iam, paced: false, made: false, proof: FROM, known: &[] };

/// Gets keys. The trouble is always "no credentials", with the reason.
pub async fn fetch(line: &Line, tally: &mut Tally) -> Result<Identity, Trouble> {
    let base = line.config.endpoints.get("metadata").map_or(USUAL, String::as_str);
    let mut answer = keys(line, base, tally).await;
    if answer.as_ref().is_err_and(|t| t.status == Some(401) && !has_no_agency(t)) {
        // The session token ended, or the service has begun to want one.
        answer = keys(line, base, tally).await;
    }
    let answer = answer.map_err(|trouble| none(line, FROM, reason(&trouble, base)))?;
    let text = String::from_utf8_lossy(&answer.body);
    identity::from_json(&text, FROM).map_err(|says| none(line, FROM, says))
}

async fn keys(line: &Line, base: &str, tally: &mut Tally) -> Result<wire::Incoming, Trouble> {
    let wish = ("X-Metadata-Token-Ttl-Seconds".to_owned(), TOKEN_LIFE.to_owned());
    let token = match line.send(&TO, request(line, base, "PUT", TOKEN, vec![wish])?, tally).await {
        Ok(answer) => Some(String::from_utf8_lossy(&answer.body).trim().to_owned()).filter(|t| !t.is_empty()),
        // Older services know no session tokens.
        Err(trouble) if matches!(trouble.status, Some(404 | 405 | 503)) => None,
        Err(trouble) => return Err(trouble),
    };
    let secret = token.clone().unwrap_or_default();
    let headers = token.map(|t| ("X-Metadata-Token".to_owned(), t)).into_iter().collect();
    let out = request(line, base, "GET", KEYS, headers)?;
    line.send(&To { known: &[&secret], ..TO }, out, tally).await
}

fn request(
    line: &Line,
    base: &str,
    method: &str,
    path: &str,
    headers: Vec<(String, String)>,
) -> Result<Outgoing, Trouble> {
    let url = wire::url(base, path, "").map_err(|says| line.trouble(Kind::Setup, Service::Iam, base, says))?;
    Ok(Outgoing { method: method.to_owned(), url, headers, body: Vec::new(), most: LONGEST })
}

fn has_no_agency(trouble: &Trouble) -> bool {
    trouble.message.raw().to_ascii_lowercase().contains(NO_AGENCY)
}

fn reason(trouble: &Trouble, base: &str) -> String {
    if has_no_agency(trouble) || trouble.status == Some(404) {
        return "this ECS host has no agency: give it one in the console, under Management Information".to_owned();
    }
    match (trouble.kind, trouble.status) {
        (Kind::Unreachable | Kind::TimedOut, None) => {
            format!("the metadata service at {base} does not answer: this host is no ECS of Huawei Cloud")
        }
        (_, Some(status)) => format!("the metadata service at {base} answered HTTP {status}"),
        _ => format!("the metadata service at {base} cannot be used ({})", trouble.short()),
    }
}
