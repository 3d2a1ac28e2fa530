//! Any log API that answers with JSON, by a mapping: which parameters say what, where the lines stand, how the next
//! page is found.
//!
//! May not know: when it is asked.

use crate::config::log_server::{Counter, Histogram, Kind, LogServerConfig, Pages};
use crate::config::mcp_search::{Field, Search};
use crate::model::health::Cost;
use crate::model::series::Counted;
use crate::model::{Lapse, Span, Stamp};
use crate::source::clock::Clock;
use crate::source::engine::door::Door;
use crate::source::engine::{Ask, Counts, LogEngine, No, Page, STEP, counted_rows};
use crate::source::mcp::ask::{Question, arguments};
use crate::source::mcp::read::{self, Reader};
use crate::source::prometheus::http;
use crate::source::runner::Condition;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// An API.
#[derive(Debug)]
pub struct Api {
    door: Door,
    reader: Reader,
    name: String,
    url: String,
    post: bool,
    pages: Pages,
    histogram: Option<Histogram>,
    mapping: Search,
}

impl Api {
    /// One that was asked nothing yet.
    pub fn new(server: &LogServerConfig, clock: &Clock) -> Result<Self, Condition> {
        let Kind::Http { url, post, pages, histogram } = &server.kind else {
            return Err(Condition::down("setup", format!("{} is no log API", server.name), ""));
        };
        let reader = Reader::new(&server.mapping, &server.name)
            .map_err(|trouble| Condition::down("mapping", trouble.words().1, "Correct [log_server.result]."))?;
        Ok(Self {
            door: Door::new(server, url, clock)?,
            reader,
            name: server.name.clone(),
            url: url.clone(),
            post: *post,
            pages: *pages,
            histogram: histogram.clone(),
            mapping: server.mapping.clone(),
        })
    }

    async fn ask(&self, url: &str, arguments: Map<String, Value>, cost: &mut Cost) -> Result<Value, No> {
        let ask = if self.post {
            http::Ask::Json(Value::Object(arguments).to_string())
        } else {
            let plain = |v: Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            http::Ask::Get(arguments.into_iter().map(|(n, v)| (n, plain(v))).collect())
        };
        self.door.ask(url, &ask, cost).await
    }

    fn unreadable(&self, says: &str) -> No {
        let remedy = "Correct [log_server.result]; warroom check says what the answer has.";
        No::Server(Condition::down("unreadable", format!("{}: {says}", self.name), remedy), Lapse::minutes(1))
    }

    /// Where the next page is.
    fn next(&self, ask: &Ask, page: &read::Page, span: Span) -> (Option<Value>, Option<String>) {
        let full = page.rows >= ask.limit as usize || page.truncated;
        let by_time = || {
            if let Some(rest) = rest(page, span) {
                return (Some(json!({"from": rest.from.0, "to": rest.to.0})), None);
            }
            let of = page.total.map_or_else(String::new, |n| format!(" of {n}"));
            (None, Some(format!("an answer was cut after {}{of} lines of one instant; set pages", page.rows)))
        };
        let step = u64::try_from(page.rows).unwrap_or_default();
        let before = ask.cursor.as_ref();
        match self.pages {
            Pages::Cursor => (page.next.clone().filter(|n| n.as_str() != Some("")), None),
            _ if page.rows == 0 || !(full || page.total.is_some_and(|t| t > step)) => (None, None),
            Pages::Number(first) if full => {
                let here = before.and_then(Value::as_u64).unwrap_or(u64::from(first));
                (Some(Value::from(here + 1)), None)
            }
            Pages::Offset if full => {
                let here = before.and_then(Value::as_u64).unwrap_or_default();
                (Some(Value::from(here + step)), None)
            }
            Pages::Number(_) | Pages::Offset => (None, None),
            Pages::Time => by_time(),
        }
    }
}

/// What is left of a stretch whose answer was cut: behind its newest line, or before its oldest where the newest
/// come first; the instant at the edge comes again.
fn rest(page: &read::Page, span: Span) -> Option<Span> {
    let (first, last) = (page.lines.first()?.1.at, page.lines.last()?.1.at);
    let second = Lapse::seconds(1);
    let rest = match first.cmp(&last) {
        Ordering::Less => Span::new(last.clamp(span.from, span.to), span.to),
        Ordering::Greater => Span::new(span.from, (last + second).clamp(span.from, span.to)),
        Ordering::Equal => return None,
    };
    (rest.from < rest.to && rest != span).then_some(rest)
}

impl LogEngine for Api {
    fn name(&self) -> &'static str {
        "the log API"
    }

    fn counts_itself(&self) -> bool {
        self.histogram.is_some()
    }

    async fn lines(&self, ask: &Ask, cost: &mut Cost) -> Result<Page, No> {
        let mut span = ask.span;
        let mut cursor = ask.cursor.clone();
        match (self.pages, &ask.cursor) {
            (Pages::Time, Some(c)) => {
                let at = |name: &str| c.get(name).and_then(Value::as_i64).map(Stamp);
                span = Span::new(at("from").unwrap_or(span.from), at("to").unwrap_or(span.to));
                cursor = None;
            }
            (Pages::Number(first), None) => cursor = Some(Value::from(first)),
            _ => {}
        }
        let mapping = Search { limit: ask.limit, ..self.mapping.clone() };
        let question = Question { words: mapping.words.clone(), ..Question::all(span) };
        let answer = self.ask(&self.url, arguments(&mapping, &question, cursor.as_ref()), cost).await?;
        let page = self.reader.document(&answer, ask.near).map_err(|trouble| self.unreadable(&trouble.words().1))?;
        let (next, missing) = self.next(ask, &page, span);
        // APIs that know no time, or whole seconds only, give more than was asked for.
        let timed = mapping.args.contains_key(&Field::From);
        let wanted = |l: &crate::model::log::LogLine| timed || ask.span.contains(l.at);
        let undated = page.undated;
        let lines = page.lines.into_iter().filter(|(_, l)| wanted(l)).collect();
        Ok(Page { lines, names: BTreeMap::new(), next, reached: None, total: page.total, undated, missing })
    }

    async fn counts(&self, counter: &Counter, span: Span, cost: &mut Cost) -> Result<Counts, No> {
        let Some(histogram) = &self.histogram else {
            return Err(self.unreadable("there is no [log_server.histogram]"));
        };
        let words = counter.filter.clone().map_or_else(|| self.mapping.words.clone(), |f| vec![f]);
        let question = Question { words, ..Question::all(span) };
        let mut arguments = arguments(&self.mapping, &question, None);
        for field in [Field::Limit, Field::Cursor] {
            if let Some(name) = self.mapping.args.get(&field) {
                arguments.remove(name);
            }
        }
        let step = STEP.whole_seconds() * histogram.step_per_second;
        arguments.insert(histogram.step.clone(), Value::from(step));
        let answer = self.ask(&histogram.url, arguments, cost).await?;
        let place = (histogram.rows.as_str(), histogram.ts.as_str(), histogram.count.as_str());
        let Some(out) = counted_rows(&answer, place, span) else {
            return Err(self.unreadable(&format!("there are no rows under {} in its histogram", histogram.rows)));
        };
        Ok(Counts { how: Counted::Engine, by: "its histogram by the minute", windows: out })
    }
}
