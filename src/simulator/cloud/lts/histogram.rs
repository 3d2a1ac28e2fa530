//! `POST /v2/{project}/lts/keyword-count`: how many lines hold a keyword, window by window.

use super::lines::{Range, found, keywords};
use super::{invalid, stream};
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply, plain};
use serde::Deserialize;
use serde_json::{Value, json};

/// Windows in one answer (our choice).
const MOST: usize = 10_000;

#[derive(Deserialize)]
struct Body {
    start_time: String,
    end_time: String,
    step_interval: i64,
    group_id: String,
    stream_id: String,
    key_word: String,
}

/// Answers with every window of the range; windows without a line are there with 0 (our choice).
pub fn answer(call: &Call<'_>) -> Answer {
    let body: Body =
        serde_json::from_slice(&call.wire.body).map_err(|e| invalid(format!("the request body is invalid: {e}")))?;
    let range = Range::read(&body.start_time, &body.end_time, 180)?;
    let wrong = |says: &str| plain(400, "LTS.0601", format!("step_interval {says}"));
    match body.step_interval {
        ..1_000 => return Err(wrong("must be greater than or equal to 1000")),
        86_400_001.. => return Err(wrong("must be less than or equal to 86400000")),
        _ => {}
    }
    let step = Lapse::millis(body.step_interval);
    let last = Stamp(range.to.0 - range.to.0.rem_euclid(1_000));
    let windows = last.since(range.from) + step - Lapse(1);
    let windows = usize::try_from(windows.0 / step.0).unwrap_or(usize::MAX);
    if windows > MOST {
        return Err(wrong("is too small for the range"));
    }
    let keywords = keywords(&body.key_word)?;
    let world = call.world();
    let stream = stream(&world, &body.group_id, &body.stream_id)?;
    let lines = found(stream, range, &keywords, call.now());
    let mut counts = vec![0_u64; windows];
    for line in &lines {
        let window = usize::try_from(line.at.since(range.from).0 / step.0).unwrap_or_default();
        // The end itself is inside, in the last window.
        if let Some(count) = counts.get_mut(window.min(windows.saturating_sub(1))) {
            *count += 1;
        }
    }
    let mut from = range.from;
    let mut histogram: Vec<Value> = Vec::with_capacity(counts.len());
    for num in counts {
        let to = (from + step).min(last);
        histogram.push(json!({"num": num, "startTime": from.0.div_euclid(1_000), "endTime": to.0.div_euclid(1_000)}));
        from = to;
    }
    Ok(Reply::ok(json!({"count": lines.len(), "histogram": histogram, "isQueryComplete": true})))
}
