//! Elasticsearch and OpenSearch: `search_after` for lines, `date_histogram` for counts.
//!
//! Documents of one instant are told apart by a tiebreaker, or within a point in time by its own; without either
//! the next page begins at the instant of the last document, whose documents come again. May not know: when it is
//! asked.

use crate::config::log_server::{Counter, Kind, LogServerConfig};
use crate::model::health::Cost;
use crate::model::series::Counted;
use crate::model::{Lapse, Span, Stamp, Zone};
use crate::source::clock::Clock;
use crate::source::engine::door::Door;
use crate::source::engine::{Ask, Counts, LogEngine, No, Page, STEP, count_in, windows};
use crate::source::mcp::read::Reader;
use crate::source::prometheus::http;
use crate::source::runner::Condition;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long a point in time is held for the next page.
const HELD: &str = "1m";

/// An index.
#[derive(Debug)]
pub struct Elastic {
    door: Door,
    reader: Reader,
    name: String,
    url: String,
    index: String,
    query: String,
    field: String,
    tiebreaker: Option<String>,
    pit: bool,
}

impl Elastic {
    /// One that was asked nothing yet.
    pub fn new(server: &LogServerConfig, clock: &Clock) -> Result<Self, Condition> {
        let Kind::Elastic { url, index, query, time_field, tiebreaker, pit } = &server.kind else {
            return Err(Condition::down("setup", format!("{} is no Elasticsearch", server.name), ""));
        };
        let reader = Reader::new(&server.mapping, &server.name)
            .map_err(|trouble| Condition::down("mapping", trouble.words().1, "Correct [log_server.result]."))?;
        Ok(Self {
            door: Door::new(server, url, clock)?,
            reader,
            name: server.name.clone(),
            url: url.clone(),
            index: index.clone(),
            query: query.clone(),
            field: time_field.clone(),
            tiebreaker: tiebreaker.clone(),
            pit: *pit,
        })
    }

    /// Which documents: of a stretch, of the source's query, of a count's.
    fn which(&self, from: Value, to: Stamp, filter: Option<&str>) -> Value {
        let words = |q: &str| json!({"query_string": {"query": q, "analyze_wildcard": true}});
        let mut all = vec![json!({"range": {&self.field: {"gte": from, "lt": instant(to)}}})];
        all.extend(Some(self.query.as_str()).into_iter().chain(filter).filter(|q| !q.trim().is_empty()).map(words));
        json!({"bool": {"filter": all}})
    }

    async fn search(&self, place: &str, body: &Value, cost: &mut Cost) -> Result<Value, No> {
        // A part of the shards would be a part of the lines, and nobody would see it.
        let partial = if place.is_empty() { "" } else { "?allow_partial_search_results=false&ignore_unavailable=true" };
        let url = format!("{}{place}/_search{partial}", self.url);
        let answer = self.door.ask(&url, &http::Ask::Json(body.to_string()), cost).await?;
        let failed = answer.pointer("/_shards/failed").and_then(Value::as_u64).unwrap_or_default();
        if answer.get("timed_out").and_then(Value::as_bool) == Some(true) || failed > 0 {
            let says = format!("{}: only a part of the shards answered", self.name);
            return Err(No::Server(
                Condition::late("partly", says, "See the cluster's health; it is asked again."),
                Lapse::ZERO,
            ));
        }
        Ok(answer)
    }

    /// Opens a point in time: Elasticsearch's way, or OpenSearch's where that is not known.
    async fn open(&self, cost: &mut Cost) -> Result<Value, No> {
        let index = &self.index;
        let ask = http::Ask::Json("{}".to_owned());
        let first = self.door.ask(&format!("{}/{index}/_pit?keep_alive={HELD}", self.url), &ask, cost).await;
        let answer = match first {
            Err(No::Question(_)) => {
                let url = format!("{}/{index}/_search/point_in_time?keep_alive={HELD}", self.url);
                self.door.ask(&url, &ask, cost).await?
            }
            other => other?,
        };
        let id = answer.get("id").or_else(|| answer.get("pit_id")).filter(|id| id.is_string());
        id.cloned().ok_or_else(|| self.shapeless())
    }

    /// Ends a point in time. One that cannot be ended ends by itself.
    async fn close(&self, id: &Value, cost: &mut Cost) {
        let url = format!("{}/_pit", self.url);
        let ended = self.door.ask(&url, &http::Ask::End(json!({"id": id}).to_string()), cost).await;
        if matches!(ended, Err(No::Question(_))) {
            let url = format!("{}/_search/point_in_time", self.url);
            let _ = self.door.ask(&url, &http::Ask::End(json!({"pit_id": [id]}).to_string()), cost).await;
        }
    }

    fn shapeless(&self) -> No {
        let says = format!("{}: the answer is JSON, but not that of a search", self.name);
        let remedy = "Correct url and index in its [[log_server]].";
        No::Server(Condition::down("not Elastic", says, remedy), Lapse::ZERO)
    }

    fn sort(&self, pit: bool) -> Value {
        let time = json!({&self.field: {"order": "asc", "unmapped_type": "date"}});
        match (&self.tiebreaker, pit) {
            (Some(field), _) => json!([time, {field: {"order": "asc", "unmapped_type": "long"}}]),
            (None, true) => json!([time, {"_shard_doc": "asc"}]),
            (None, false) => json!([time]),
        }
    }
}

/// As every version reads it, to the microsecond.
fn instant(at: Stamp) -> String {
    Zone::utc().format(at, "%Y-%m-%dT%H:%M:%S%.6fZ")
}

/// The time that a document was sorted by: milliseconds, nanoseconds, or a text.
fn sorted_at(value: &Value) -> Option<Stamp> {
    match value.as_i64() {
        Some(nanos) if nanos > 100_000_000_000_000_000 => Some(Stamp(nanos / 1_000)),
        Some(millis) => Some(Stamp::from_millis(millis)),
        None => Stamp::parse_rfc3339(value.as_str()?),
    }
}

impl LogEngine for Elastic {
    fn name(&self) -> &'static str {
        "Elasticsearch"
    }

    async fn lines(&self, ask: &Ask, cost: &mut Cost) -> Result<Page, No> {
        let cursor = ask.cursor.clone().unwrap_or_default();
        let pit = match cursor.get("pit") {
            Some(Value::Bool(true)) => Some(self.open(cost).await?),
            Some(id) if id.is_string() => Some(id.clone()),
            _ => None,
        };
        let from = cursor.get("from").cloned().unwrap_or_else(|| instant(ask.span.from).into());
        let mut body = json!({
            "size": ask.limit, "query": self.which(from.clone(), ask.span.to, None), "sort": self.sort(pit.is_some()),
            "track_total_hits": false,
        });
        if let Some(after) = cursor.get("after") {
            body["search_after"] = after.clone();
        }
        if let Some(id) = &pit {
            body["pit"] = json!({"id": id, "keep_alive": HELD});
        }
        // A point in time knows its index itself.
        let place = if pit.is_some() { String::new() } else { format!("/{}", self.index) };
        let answer = self.search(&place, &body, cost).await?;
        let hits = answer.pointer("/hits/hits").and_then(Value::as_array).ok_or_else(|| self.shapeless())?;
        let full = hits.len() >= ask.limit as usize;
        let last = hits.last().and_then(|h| h.get("sort")).filter(|_| full).cloned();
        let page = self.reader.document(&answer, ask.near).map_err(|_| self.shapeless())?;
        let id = answer.get("pit_id").cloned().or(pit);
        if let (Some(id), false) = (&id, full) {
            self.close(id, cost).await;
        }
        let reached = last.as_ref().and_then(|l| sorted_at(l.get(0)?));
        let time = reached.map(instant);
        let mut missing = None;
        let next = last.map(|after| match (&self.tiebreaker, id, self.pit) {
            (_, Some(id), _) => json!({"pit": id, "after": after, "from": from}),
            (Some(_), None, _) => json!({"after": after, "from": from}),
            // The first page was asked without; from here on it is worth one.
            (None, None, true) => json!({"pit": true, "from": time}),
            (None, None, false) => {
                let first = hits.first().and_then(|h| sorted_at(h.pointer("/sort/0")?));
                if first == reached {
                    missing = Some(format!("more than {} documents of one instant: set tiebreaker or pit", ask.limit));
                    return json!({"from": reached.map(|r| instant(r + Lapse::millis(1)))});
                }
                json!({"from": time})
            }
        });
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
        let step = format!("{}s", STEP.whole_seconds());
        let body = json!({
            "size": 0, "track_total_hits": false,
            "query": self.which(instant(span.from).into(), span.to, counter.filter.as_deref()),
            "aggs": {"n": {"date_histogram": {"field": self.field, "fixed_interval": step, "min_doc_count": 1}}},
        });
        let answer = self.search(&format!("/{}", self.index), &body, cost).await?;
        let Some(buckets) = answer.pointer("/aggregations/n/buckets").and_then(Value::as_array) else {
            // An index that is not there yet has no buckets and no hits.
            let none = answer.pointer("/hits/hits").is_some();
            let counts = Counts { how: Counted::Engine, by: "date_histogram", windows: windows(span) };
            return if none { Ok(counts) } else { Err(self.shapeless()) };
        };
        let mut out = windows(span);
        for bucket in buckets {
            let (at, n) = (bucket.get("key").and_then(Value::as_i64), bucket.get("doc_count").and_then(Value::as_u64));
            if let (Some(at), Some(n)) = (at, n) {
                count_in(&mut out, Stamp::from_millis(at), n);
            }
        }
        Ok(Counts { how: Counted::Engine, by: "date_histogram of 1 min", windows: out })
    }
}
