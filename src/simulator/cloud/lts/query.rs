//! `POST …/content/query`: lines of a stream by range and keyword, page by page from a cursor.
//!
//! A page is always in the order asked for. `forwards` goes on in that order, `backwards` against it… which the
//! service's own table says for lines 1 to 9, a cursor on 5 and pages of 3: ascending and forwards 6 7 8,
//! descending and backwards 8 7 6, ascending and backwards 2 3 4, descending and forwards 4 3 2.

use super::keywords::Keywords;
use super::lines::{Range, found, keywords};
use super::{invalid, stream};
use crate::model::Stamp;
use crate::simulator::cloud::gateway::Call;
use crate::simulator::cloud::reply::{Answer, Reply};
use crate::simulator::cloud::world::{LogEntry, LogStream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Bytes of content in one page.
const LARGEST_PAGE: usize = 10 << 20;

/// Strictly what is documented: times and cursors are texts.
#[derive(Deserialize)]
struct Body {
    start_time: String,
    end_time: String,
    #[serde(default)]
    keywords: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    is_desc: bool,
    #[serde(default)]
    search_type: Way,
    line_num: Option<String>,
    #[serde(rename = "__time__")]
    time: Option<String>,
    #[serde(default = "fifty")]
    limit: i64,
    #[serde(default)]
    is_count: bool,
    #[serde(default = "yes")]
    highlight: bool,
}

fn fifty() -> i64 {
    50
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Way {
    #[default]
    Init,
    Forwards,
    Backwards,
}

/// Answers one page.
pub fn answer(call: &Call<'_>) -> Answer {
    let body: Body =
        serde_json::from_slice(&call.wire.body).map_err(|e| invalid(format!("the request body is invalid: {e}")))?;
    let range = Range::read(&body.start_time, &body.end_time, 30)?;
    if !(1..=5_000).contains(&body.limit) {
        return Err(invalid("limit goes from 1 to 5000"));
    }
    let keywords = keywords(&body.keywords)?;
    let world = call.world();
    let stream = stream(&world, call.places.get("group"), call.places.get("stream"))?;
    let mut lines = found(stream, range, &keywords, call.now());
    lines.retain(|l| body.labels.iter().all(|(n, v)| l.labels.iter().any(|(ln, lv)| ln == n && lv == v)));
    let count = lines.len();
    let page = paged(lines, &body, stream)?;
    let mut answer = json!({"logs": written(&page, &keywords, body.highlight), "isQueryComplete": true});
    if body.is_count {
        answer["count"] = count.into();
    }
    Ok(Reply::ok(answer))
}

/// The lines of one page, in the order asked for.
fn paged<'s>(mut lines: Vec<&'s LogEntry>, body: &Body, stream: &LogStream) -> Result<Vec<&'s LogEntry>, Reply> {
    if body.search_type != Way::Init {
        let cursor = cursor(body, stream)?;
        // Later lines for forwards in ascending order, and for backwards in descending order.
        if (body.search_type == Way::Forwards) == body.is_desc {
            lines.retain(|l| (l.at_for(stream), l.number) < cursor);
        } else {
            lines.retain(|l| (l.at_for(stream), l.number) > cursor);
        }
    }
    // The page is the part next to the cursor: at the front of what is later, at the end of what is earlier.
    let nearest_is_last = match body.search_type {
        Way::Init | Way::Forwards => body.is_desc,
        Way::Backwards => !body.is_desc,
    };
    let limit = usize::try_from(body.limit).unwrap_or(50);
    let mut page = if nearest_is_last { lines.split_off(lines.len().saturating_sub(limit)) } else { lines };
    page.truncate(limit);
    if body.is_desc {
        page.reverse();
    }
    Ok(page)
}

impl LogEntry {
    /// What comes first in the order of lines: the line's own time where a stream goes by it.
    fn at_for(&self, stream: &LogStream) -> Stamp {
        if stream.custom_time { Stamp(self.at.0.div_euclid(1_000)) } else { Stamp(0) }
    }
}

/// The line that a page begins behind: by number, and by time as well where a stream goes by time.
fn cursor(body: &Body, stream: &LogStream) -> Result<(Stamp, i64), Reply> {
    let whole = |name: &str, text: &Option<String>| {
        let number = text.as_ref().and_then(|t| t.parse::<i64>().ok());
        number.ok_or_else(|| invalid(format!("{name} is missing or no number, and there is a cursor")))
    };
    let number = whole("line_num", &body.line_num)?;
    let time = if stream.custom_time { whole("__time__", &body.time)? } else { 0 };
    Ok((Stamp(time), number))
}

/// Lines as the wire writes them, as many as fit into a page.
pub fn written(lines: &[&LogEntry], keywords: &Keywords, highlight: bool) -> Vec<Value> {
    let mut bytes = 0;
    lines
        .iter()
        .take_while(|l| {
            bytes += l.content.len();
            bytes <= LARGEST_PAGE
        })
        .map(|l| {
            let content = if highlight { keywords.highlight(&l.content) } else { l.content.clone() };
            let labels: BTreeMap<_, _> = l.labels.iter().cloned().collect();
            json!({"content": content, "line_num": l.number.to_string(), "labels": labels})
        })
        .collect()
}
