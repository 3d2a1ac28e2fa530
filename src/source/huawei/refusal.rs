//! From an answer that is none to what it means: five shapes of error bodies, pages of proxies, halves.
//!
//! Pure. The shapes and codes are those of the API gateway and of the services behind it; the order in which
//! names are looked for is the SDK's. May not know: who asked, and when it is asked again.

use crate::model::{Lapse, Stamp};
use crate::source::huawei::trouble::{Foreign, Kind};
use crate::source::huawei::wire::Incoming;
use serde_json::{Map, Value};

/// What an answer says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its code; empty when it has none.
    pub code: String,
    /// Its words; empty when it has none. Not cleaned yet.
    pub message: String,
    /// What to name when asking the provider.
    pub request_id: String,
}

/// How deep errors are looked for inside errors.
const DEEPEST: u8 = 6;
/// Names that go together, in the order in which they are looked for. The last two are CES V1's inner object
/// and a Prometheus server's.
const PAIRS: [(&str, &str); 5] = [
    ("error_code", "error_msg"),
    ("errorCode", "errorMsg"),
    ("code", "message"),
    ("code", "details"),
    ("errorType", "error"),
];
/// Names of a message that stands alone.
const ALONE: [&str; 6] = ["error_msg", "errorMsg", "message", "error_description", "details", "error"];

/// Reads what an error says, whatever its shape.
pub fn said(answer: &Incoming) -> Said {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let mut out = value.as_ref().and_then(|v| pair(v, DEEPEST).or_else(|| alone(v, DEEPEST))).unwrap_or_default();
    if out.message.is_empty() {
        out.message = match (&value, page(answer)) {
            (_, Some(title)) => title,
            (Some(Value::Object(map)), None) if map.is_empty() => String::new(),
            _ => String::from_utf8_lossy(answer.body.get(..2000).unwrap_or(&answer.body)).trim().to_owned(),
        };
    }
    out.code = out.code.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(40).collect();
    let inside = value.as_ref().and_then(|v| text(v.get("request_id").or_else(|| v.get("requestId"))?));
    let ids =
        [inside.unwrap_or_default(), answer.header("x-request-id").into(), answer.header("x-iam-trace-id").into()];
    let id = ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
    out.request_id = id.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(64).collect();
    out
}

/// A text, or a number as its text: the services mix the two.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn pair(value: &Value, deep: u8) -> Option<Said> {
    let both = |map: &Map<String, Value>| {
        PAIRS.iter().find_map(|(code, message)| {
            let (code, message) = (text(map.get(*code)?)?, text(map.get(*message)?)?);
            Some(Said { code, message, ..Said::default() })
        })
    };
    here_or_inside(value, deep, &both)
}

fn alone(value: &Value, deep: u8) -> Option<Said> {
    let one = |map: &Map<String, Value>| {
        let message = ALONE.iter().find_map(|name| text(map.get(*name)?))?;
        let code = ["error_code", "errorCode", "code", "http_code"].iter().find_map(|name| text(map.get(*name)?));
        Some(Said { code: code.unwrap_or_default(), message, ..Said::default() })
    };
    here_or_inside(value, deep, &one)
}

fn here_or_inside(value: &Value, deep: u8, find: &impl Fn(&Map<String, Value>) -> Option<Said>) -> Option<Said> {
    let deep = deep.checked_sub(1)?;
    match value {
        Value::Object(map) => find(map).or_else(|| map.values().find_map(|v| here_or_inside(v, deep, find))),
        Value::Array(list) => list.iter().take(8).find_map(|v| here_or_inside(v, deep, find)),
        _ => None,
    }
}

/// The title of an HTML page; nothing when the answer is none.
pub fn page(answer: &Incoming) -> Option<String> {
    let start = answer.body.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or_default();
    let body = answer.body.get(start..).unwrap_or_default();
    let typed = answer.header("content-type").starts_with("text/html");
    if !typed && !body.starts_with(b"<") {
        return None;
    }
    let text = String::from_utf8_lossy(body.get(..8192).unwrap_or(body));
    let lower = text.to_ascii_lowercase();
    let title = ["title", "h1"].iter().find_map(|tag| {
        let from = lower.find(&format!("<{tag}"))?;
        let from = from + lower.get(from..)?.find('>')? + 1;
        let to = from + lower.get(from..)?.find("</")?;
        text.get(from..to).map(|t| t.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|t| !t.is_empty())
    });
    Some(title.unwrap_or_default())
}

/// What kind of trouble a status with these words is; `skew` is the server's clock minus ours.
pub fn kind(answer: &Incoming, said: &Said, skew: Option<Lapse>, now: Stamp) -> Kind {
    let message = said.message.to_ascii_lowercase();
    let (status, page) = (answer.status, page(answer).is_some());
    if status == 429 || said.code.ends_with(".0308") || said.code.ends_with(".0429") {
        return Kind::Throttled { after: retry_after(answer, now) };
    }
    match status {
        401 if page => Kind::Unauthorized,
        401 => unauthorized(&said.code, &message, skew),
        // A gateway may say 401's reasons with 403 and the other way round: its code is more exact.
        403 if said.code.ends_with(".0307") => Kind::TokenExpired,
        403 if said.code.ends_with(".0301") => unauthorized(&said.code, &message, skew),
        300..=399 | 407 => Kind::Proxy,
        _ if page => Kind::NotJson(Foreign::Html),
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        408 => Kind::TimedOut,
        413 | 414 => Kind::TooLong,
        500.. => Kind::Server,
        _ => Kind::BadRequest,
    }
}

/// The gateway's reasons behind one status.
fn unauthorized(code: &str, message: &str, skew: Option<Lapse>) -> Kind {
    let has = |words: &str| message.contains(words);
    if has("signature expired") {
        // A difference that is none would explain nothing.
        Kind::Skewed(skew.filter(|s| s.abs() >= Lapse::minutes(1)))
    } else if code.ends_with(".0307") || has("token expires") || has("token has expired") || has("token is expired") {
        Kind::TokenExpired
    } else if has("reach the limit") || has("locked") {
        Kind::Locked
    } else if has("not exist") {
        Kind::UnknownKey
    } else if has("signature") || has("aksk") {
        Kind::BadSignature
    } else {
        Kind::Unauthorized
    }
}

/// A server that wants to be left alone for longer is asked again all the same: it may have meant something
/// else, and an incident does not last for ever.
const LONGEST_AFTER: Lapse = Lapse::hours(1);

/// The answer's `Retry-After`.
pub fn retry_after(answer: &Incoming, now: Stamp) -> Option<Lapse> {
    rest(answer.header("retry-after"), now)
}

/// `Retry-After`: seconds, or an instant as HTTP writes it; an hour at most. Nothing when it is neither.
pub fn rest(text: &str, now: Stamp) -> Option<Lapse> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Lapse::seconds(i64::from(seconds)).min(LONGEST_AFTER));
    }
    http_date(text).map(|at| at.since(now).max(Lapse::ZERO).min(LONGEST_AFTER))
}

/// The server's clock minus ours, from its `Date`; `sent` and `now` are ours, around the request. A date has
/// whole seconds, so less than two is no difference at all.
pub fn skew(answer: &Incoming, sent: Stamp, now: Stamp) -> Option<Lapse> {
    let said = http_date(answer.header("date"))? + Lapse::millis(500);
    let half = Lapse(now.since(sent).0 / 2);
    let skew = said.since(sent + half);
    Some(if skew.abs() < Lapse::seconds(2) { Lapse::ZERO } else { skew })
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
pub fn http_date(text: &str) -> Option<Stamp> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(|t| Stamp(t.timestamp_micros()))
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
