//! Grafana Loki: `query_range` for lines, oldest first, and `count_over_time` for counts.
//!
//! Loki has no cursor: the next page begins at the nanosecond of the last line, whose lines come again. May not
//! know: when it is asked.

use crate::config::Secret;
use crate::config::log_server::{Counter, Kind, LogServerConfig};
use crate::model::health::Cost;
use crate::model::series::Counted;
use crate::model::{Lapse, Span, Stamp};
use crate::source::clock::Clock;
use crate::source::engine::door::Door;
use crate::source::engine::{Ask, Counts, LogEngine, No, Page, STEP, count_in, windows};
use crate::source::mcp::read::Reader;
use crate::source::prometheus::http;
use crate::source::runner::Condition;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// A Loki.
#[derive(Debug)]
pub struct Loki {
    door: Door,
    reader: Reader,
    name: String,
    url: String,
    query: String,
    /// Whether it knows no offset as short as ours.
    plain: AtomicBool,
}

impl Loki {
    /// One that was asked nothing yet.
    pub fn new(server: &LogServerConfig, clock: &Clock) -> Result<Self, Condition> {
        let Kind::Loki { url, tenant, query } = &server.kind else {
            return Err(Condition::down("setup", format!("{} is no Loki", server.name), ""));
        };
        let server = with_tenant(server, tenant.as_deref());
        let reader = Reader::new(&server.mapping, &server.name).map_err(|trouble| {
            Condition::down("mapping", trouble.words().1, "Correct order_pattern in its [[log_server]].")
        })?;
        let door = Door::new(&server, url, clock)?;
        Ok(Self {
            door,
            reader,
            name: server.name,
            url: url.clone(),
            query: query.clone(),
            plain: AtomicBool::new(false),
        })
    }

    async fn range(&self, query: &str, more: &[(&str, String)], cost: &mut Cost) -> Result<Value, No> {
        let mut parameters = vec![("query".to_owned(), query.to_owned())];
        parameters.extend(more.iter().map(|(n, v)| ((*n).to_owned(), v.clone())));
        let url = format!("{}/loki/api/v1/query_range", self.url);
        let answer = self.door.ask(&url, &http::Ask::Get(parameters), cost).await?;
        if answer.get("status").and_then(Value::as_str) == Some("success") {
            return Ok(answer.pointer("/data/result").cloned().unwrap_or_default());
        }
        Err(self.shapeless())
    }

    /// What its index says of a stretch: entries, about.
    pub async fn about(&self, span: Span, cost: &mut Cost) -> Result<u64, No> {
        // The index knows selectors, no filters.
        let selector = self.query.find('}').and_then(|end| self.query.get(..=end)).unwrap_or(&self.query);
        let parameters = [
            ("query", selector.to_owned()),
            ("start", nanos(span.from).to_string()),
            ("end", nanos(span.to).to_string()),
        ];
        let parameters = parameters.map(|(n, v)| (n.to_owned(), v)).to_vec();
        let url = format!("{}/loki/api/v1/index/stats", self.url);
        let answer = self.door.ask(&url, &http::Ask::Get(parameters), cost).await?;
        answer.get("entries").and_then(Value::as_u64).ok_or_else(|| self.shapeless())
    }

    fn shapeless(&self) -> No {
        let says = format!("{}: the answer is JSON, but not that of a Loki", self.name);
        No::Server(Condition::down("not Loki", says, "Correct url in its [[log_server]]."), Lapse::ZERO)
    }
}

fn with_tenant(server: &LogServerConfig, tenant: Option<&str>) -> LogServerConfig {
    let mut out = server.clone();
    let tenant = tenant.map(|t| ("X-Scope-OrgID".to_owned(), Secret::Plain(t.to_owned().into())));
    out.auth.headers.extend(tenant);
    out
}

fn nanos(at: Stamp) -> i128 {
    i128::from(at.0) * 1_000
}

/// Where a page begins: the cursor's nanosecond, or the stretch's.
fn beginning(ask: &Ask) -> i128 {
    let cursor = ask.cursor.as_ref().and_then(Value::as_str).and_then(|c| c.parse().ok());
    cursor.unwrap_or_else(|| nanos(ask.span.from))
}

impl LogEngine for Loki {
    fn name(&self) -> &'static str {
        "Loki"
    }

    async fn lines(&self, ask: &Ask, cost: &mut Cost) -> Result<Page, No> {
        let begin = beginning(ask);
        let more = [
            ("start", begin.to_string()),
            ("end", nanos(ask.span.to).to_string()),
            ("limit", ask.limit.to_string()),
            ("direction", "forward".to_owned()),
        ];
        let result = self.range(&self.query, &more, cost).await?;
        let mut rows: Vec<(i128, Value)> = Vec::new();
        for stream in result.as_array().ok_or_else(|| self.shapeless())? {
            let labels = stream.get("stream").ok_or_else(|| self.shapeless())?;
            for value in stream.get("values").and_then(Value::as_array).into_iter().flatten() {
                let (Some(at), Some(line)) = (value.get(0).and_then(Value::as_str), value.get(1)) else { continue };
                let Ok(at_nanos) = at.parse::<i128>() else { continue };
                let id = json!([labels, at, line]).to_string();
                rows.push((at_nanos, json!({"ts": at, "line": line, "labels": labels, "id": id})));
            }
        }
        rows.sort_by_key(|(at, _)| *at);
        let last = rows.last().map(|(at, _)| *at);
        let full = rows.len() >= ask.limit as usize;
        let rows = Value::Array(rows.into_iter().map(|(_, row)| row).collect());
        let page = self.reader.document(&rows, ask.near).map_err(|_| self.shapeless())?;
        // A page that begins and ends in the same nanosecond would come again for ever.
        let stuck = full && last == Some(begin);
        let next = last.filter(|_| full).map(|last| Value::from((last + i128::from(stuck)).to_string()));
        let missing = stuck.then(|| format!("more than {} lines of one nanosecond; raise page", ask.limit));
        let reached = last.filter(|_| full).and_then(|l| i64::try_from(l / 1_000).ok()).map(Stamp);
        Ok(Page {
            lines: page.lines,
            names: BTreeMap::new(),
            next,
            reached,
            total: None,
            undated: page.undated,
            missing,
        })
    }

    async fn counts(&self, counter: &Counter, span: Span, cost: &mut Cost) -> Result<Counts, No> {
        let filter = counter.filter.as_deref().unwrap_or_default();
        // A point counts what is behind it, its own instant included; one that is a nanosecond old counts from whole
        // minute to whole minute. Points lie on whole minutes, where proxies that align questions leave them.
        let plain = format!("sum(count_over_time({} {filter} [1m]))", self.query);
        let exact = format!("sum(count_over_time({} {filter} [1m] offset 1ns))", self.query);
        let more = [
            ("start", nanos(span.from + STEP).to_string()),
            ("end", nanos(span.to).to_string()),
            ("step", STEP.whole_seconds().to_string()),
        ];
        let result = if self.plain.load(Ordering::Relaxed) {
            self.range(&plain, &more, cost).await?
        } else {
            match self.range(&exact, &more, cost).await {
                Err(No::Question(_)) => {
                    // Either Loki is too old for that, or the question is wrong as it stands.
                    let result = self.range(&plain, &more, cost).await?;
                    self.plain.store(true, Ordering::Relaxed);
                    result
                }
                other => other?,
            }
        };
        let mut out = windows(span);
        for series in result.as_array().ok_or_else(|| self.shapeless())? {
            for point in series.get("values").and_then(Value::as_array).into_iter().flatten() {
                let at = point.get(0).and_then(Value::as_f64);
                let n = point.get(1).and_then(Value::as_str).and_then(|n| n.parse::<f64>().ok());
                if let (Some(at), Some(n)) = (at, n) {
                    // Half a window back is inside it.
                    let inside = Stamp((at * 1e6) as i64) - Lapse(STEP.0 / 2);
                    count_in(&mut out, inside, n as u64);
                }
            }
        }
        Ok(Counts { how: Counted::Engine, by: "count_over_time of 1 min", windows: out })
    }
}
