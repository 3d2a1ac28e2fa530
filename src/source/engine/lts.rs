//! One stream of Huawei's Log Tank Service: pages behind the last line's number, counts by its histogram, the
//! neighbours of a line. The cloud's client signs, waits its turn and says what went wrong.
//!
//! Both ends of a range belong to it, and `highlight` is off, or words that were searched would stand in tags.
//! May not know: when it is asked.

use crate::config::log_server::{Counter, Kind, LogServerConfig, joined};
use crate::model::health::Cost;
use crate::model::log::LogLine;
use crate::model::series::Counted;
use crate::model::{Lapse, Span, Stamp};
use crate::source::engine::{Ask, Counts, LogEngine, No, Page, count_in, windows};
use crate::source::huawei::{self, Client, Kind as Wrong, Service, Trouble};
use crate::source::mcp::read::{Reader, hash_of};
use crate::source::runner::Condition;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often an answer that is not complete is asked for again, and after which pause.
const AGAIN: (u32, Duration) = (3, Duration::from_millis(500));

/// A stream.
#[derive(Debug)]
pub struct Lts {
    client: Client,
    reader: Reader,
    group: String,
    stream: String,
    query: String,
    custom_time: bool,
}

/// A line and its neighbours.
#[derive(Clone, Debug)]
pub struct Around {
    /// Oldest first, the line itself among them.
    pub lines: Vec<LogLine>,
    /// How many of them stand before it.
    pub before: usize,
}

impl Lts {
    /// A stream that was asked nothing yet. `cloud` is the client of `[huawei]`.
    pub fn new(server: &LogServerConfig, cloud: Option<&Client>) -> Result<Self, Condition> {
        let Kind::Lts { group, stream, query, custom_time } = &server.kind else {
            return Err(Condition::down("setup", format!("{} is no stream of LTS", server.name), ""));
        };
        let Some(client) = cloud else {
            return Err(Condition::down(
                "no cloud",
                format!("{}: LTS is asked with the keys of [huawei], which is not configured", server.name),
                "Add [huawei] with region and credentials.",
            ));
        };
        let reader = Reader::new(&server.mapping, &server.name).map_err(|trouble| {
            Condition::down("mapping", trouble.words().1, "Correct order_pattern in its [[log_server]].")
        })?;
        Ok(Self {
            client: client.clone(),
            reader,
            group: group.clone(),
            stream: stream.clone(),
            query: query.clone(),
            custom_time: *custom_time,
        })
    }

    /// Asks until the answer is complete.
    async fn ask(&self, path: String, body: &Value, cost: &mut Cost) -> Result<Value, No> {
        let bytes = body.to_string().into_bytes();
        for _ in 0..AGAIN.0 {
            let ask = huawei::Ask::post(Service::Lts, path.clone(), bytes.clone());
            let answer = match self.client.call(ask).await {
                Ok(answer) => answer,
                Err(trouble) => {
                    cost.add(&trouble.cost);
                    return Err(Self::no(&trouble));
                }
            };
            cost.add(&answer.cost());
            let value: Value = answer.json().await.map_err(|trouble| {
                cost.failed += 1;
                Self::no(&trouble)
            })?;
            // A truth may come as a word.
            let complete = value.get("isQueryComplete");
            if !complete.is_some_and(|c| c.as_bool() == Some(false) || c.as_str() == Some("false")) {
                return Ok(value);
            }
            tokio::time::sleep(AGAIN.1).await;
        }
        let says = format!("{}: LTS says that its answer is not complete yet", self.stream);
        Err(No::Server(Condition::late("incomplete", says, "Lower window_max in its [[log_server]]."), Lapse::ZERO))
    }

    fn no(trouble: &Trouble) -> No {
        let said = trouble.message.raw().to_lowercase();
        match trouble.kind {
            Wrong::TooLarge | Wrong::TooLong => No::Amount(trouble.condition()),
            Wrong::BadRequest if said.contains("line_num") || said.contains("__time__") || said.contains("scroll") => {
                No::Cursor(trouble.happened())
            }
            Wrong::BadRequest | Wrong::NotFound => {
                let remedy = match trouble.code.as_str() {
                    "LTS.0201" => "Correct group in its [[log_server]]: the console shows its id.",
                    "LTS.0208" => "Correct stream in its [[log_server]]: the console shows its id.",
                    "LTS.0301" => {
                        "A keyword may not begin with * or ?: correct query and counts in its [[log_server]]."
                    }
                    _ => "Correct query and counts in its [[log_server]].",
                };
                No::Question(Condition::down(trouble.short(), trouble.happened(), remedy))
            }
            _ => No::Server(trouble.condition(), trouble.wait()),
        }
    }

    fn path(&self, what: &str) -> String {
        format!("/v2/{{project_id}}/groups/{}/streams/{}/{what}", self.group, self.stream)
    }

    /// The lines around the one of a number, `each` on either side.
    pub async fn around(&self, number: &str, each: u32, near: Stamp, cost: &mut Cost) -> Result<Around, No> {
        let body = json!({"line_num": number, "backwards_size": each, "forwards_size": each});
        let answer = self.ask(self.path("context"), &body, cost).await?;
        let page = self.read(&answer, near)?;
        let before = answer.get("backwards_count").and_then(Value::as_u64).unwrap_or_default();
        Ok(Around { lines: page.into_iter().map(|(_, l)| l).collect(), before: before as usize })
    }

    fn read(&self, answer: &Value, near: Stamp) -> Result<Vec<(u64, LogLine)>, No> {
        let Some(logs) = answer.get("logs").filter(|l| l.is_array()) else { return Err(self.shapeless("logs")) };
        // The number of a line is when it came, which serves where it says no time itself.
        let row = |l: &Value| {
            let number = l.get("line_num").cloned().unwrap_or_default();
            json!({"id": self.id(l), "ts": text(&number), "content": l.get("content"), "labels": l.get("labels")})
        };
        let rows = Value::Array(logs.as_array().into_iter().flatten().map(row).collect());
        let page = self.reader.document(&rows, near).map_err(|_| self.shapeless("logs"))?;
        Ok(page.lines)
    }

    /// What a line is called: its number in its stream.
    fn id(&self, line: &Value) -> Value {
        format!("{} {}", self.stream, line.get("line_num").map_or_else(String::new, text)).into()
    }

    fn shapeless(&self, what: &str) -> No {
        let says = format!("{}: LTS answered without {what}", self.stream);
        No::Server(Condition::down("not LTS", says, "Correct lts in [huawei.endpoints]."), Lapse::ZERO)
    }
}

/// A text, or a number as its text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Milliseconds as LTS wants them, both ends inside.
fn range(span: Span) -> (String, String) {
    let from = span.from.0.div_euclid(1_000);
    let to = (span.to.0.saturating_sub(1)).div_euclid(1_000);
    (from.to_string(), to.max(from + 1).to_string())
}

impl LogEngine for Lts {
    fn name(&self) -> &'static str {
        "LTS"
    }

    async fn lines(&self, ask: &Ask, cost: &mut Cost) -> Result<Page, No> {
        let (from, to) = range(ask.span);
        let mut body = json!({
            "start_time": from, "end_time": to, "is_desc": false, "limit": ask.limit,
            "highlight": false, "is_count": ask.cursor.is_none(), "search_type": "init",
        });
        if !self.query.trim().is_empty() {
            body["keywords"] = self.query.as_str().into();
        }
        if let (Some(Value::Object(cursor)), Some(body)) = (&ask.cursor, body.as_object_mut()) {
            body.insert("search_type".to_owned(), "forwards".into());
            body.extend(cursor.clone());
        }
        let answer = self.ask(self.path("content/query"), &body, cost).await?;
        let logs = answer.get("logs").and_then(Value::as_array).map_or(0, Vec::len);
        let lines = self.read(&answer, ask.near)?;
        let last =
            answer.pointer("/logs").and_then(Value::as_array).and_then(|l| l.last()).and_then(|l| l.get("line_num"));
        // A page may be shorter than asked for because it is full of long lines; only an empty one is the last then.
        let heavy = answer.to_string().len() > (1 << 20);
        let more = logs >= ask.limit as usize || (heavy && logs > 0);
        let newest = lines.last().map(|(_, l)| l.at);
        let next = last.filter(|_| more).map(|number| {
            let mut cursor = json!({"line_num": text(number)});
            if self.custom_time
                && let Some(at) = newest
            {
                cursor["__time__"] = at.0.div_euclid(1_000).to_string().into();
            }
            if let Some(scroll) = answer.get("scrollId").filter(|s| s.is_string()) {
                cursor["scroll_id"] = scroll.clone();
            }
            cursor
        });
        // The stream goes by when lines came or by their own time; either way not beyond what was told.
        let reached = newest.filter(|_| next.is_some() && self.custom_time);
        let total = answer.get("count").and_then(|c| c.as_u64().or_else(|| c.as_str()?.parse().ok()));
        let number = |l: &Value| Some((hash_of(&self.id(l)), text(l.get("line_num")?)));
        let names: BTreeMap<u64, String> =
            answer.get("logs").and_then(Value::as_array).into_iter().flatten().filter_map(number).collect();
        Ok(Page { lines, names, next, reached, total, undated: 0, missing: None })
    }

    async fn counts(&self, counter: &Counter, span: Span, cost: &mut Cost) -> Result<Counts, No> {
        let (from, to) = range(span);
        let body = json!({
            "start_time": from, "end_time": to, "step_interval": crate::source::engine::STEP.0 / 1_000,
            "group_id": self.group, "stream_id": self.stream, "key_word": joined(&self.query, " and ", counter.filter.as_deref().unwrap_or_default()),
        });
        let answer = self.ask("/v2/{project_id}/lts/keyword-count".to_owned(), &body, cost).await?;
        let Some(rows) = answer.get("histogram").and_then(Value::as_array) else {
            return Err(self.shapeless("histogram"));
        };
        let whole = |v: Option<&Value>| v.and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
        let mut out = windows(span);
        for row in rows {
            if let (Some(at), Some(n)) = (whole(row.get("startTime")), whole(row.get("num"))) {
                count_in(&mut out, Stamp::from_millis(at), u64::try_from(n).unwrap_or_default());
            }
        }
        Ok(Counts { how: Counted::Engine, by: "its histogram by the minute", windows: out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_range_are_inside_and_never_the_same() {
        let span = |from, to| Span::new(Stamp(from), Stamp(to));
        assert_eq!(range(span(1_000_000, 2_000_000)), ("1000".to_owned(), "1999".to_owned()));
        assert_eq!(range(span(1_000_000, 1_000_500)), ("1000".to_owned(), "1001".to_owned()));
    }
}
