//! `POST …/context`: a line with its neighbours in the stream.

use super::keywords::Keywords;
use super::query::written;
use super::{invalid, stream};
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply};
use serde::Deserialize;
use serde_json::json;

/// Sizes are in snake_case as the SDK sends them, or in camelCase as a page of the documentation has them.
#[derive(Deserialize)]
struct Body {
    line_num: String,
    #[serde(default = "hundred", alias = "backwardsSize")]
    backwards_size: i64,
    #[serde(default = "hundred", alias = "forwardsSize")]
    forwards_size: i64,
}

fn hundred() -> i64 {
    100
}

/// Answers with the lines before, the line, and the lines after, oldest first.
pub fn answer(call: &Call<'_>) -> Answer {
    let body: Body =
        serde_json::from_slice(&call.wire.body).map_err(|e| invalid(format!("the request body is invalid: {e}")))?;
    let size = |name: &str, n: i64| match usize::try_from(n) {
        Ok(n @ 0..=500) => Ok(n),
        _ => Err(invalid(format!("{name} goes from 0 to 500"))),
    };
    let (before, after) = (size("backwards_size", body.backwards_size)?, size("forwards_size", body.forwards_size)?);
    let number: i64 = body.line_num.parse().map_err(|_| invalid("line_num is no number"))?;
    let world = call.world();
    let stream = stream(&world, call.places.get("group"), call.places.get("stream"))?;
    let visible = stream.lines.partition_point(|l| l.at <= call.now());
    let lines = stream.lines.get(..visible).unwrap_or_default();
    let Some(here) = lines.iter().position(|l| l.number == number) else {
        return Err(invalid(format!("there is no line {number}")));
    };
    let first = here.saturating_sub(before);
    let end = (here + 1).saturating_add(after).min(lines.len());
    let around: Vec<_> = lines[first..end].iter().collect();
    Ok(Reply::ok(json!({
        "logs": written(&around, &Keywords::Everything, false), "total_count": around.len(),
        "backwards_count": here - first, "forwards_count": end - here - 1, "isQueryComplete": true,
    })))
}
