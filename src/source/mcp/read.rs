//! A tool's answer as log lines, by the mapping: structured objects, JSON documents, JSON lines, plain lines,
//! rows in rows, messages that are documents themselves.
//!
//! May not know: how the answer came.

use crate::config::mcp_search::{Answer, MessageAs, Part, Search, TextAs};
use crate::config::{LogConfig, LogFormat};
use crate::model::log::{Level, LogLine};
use crate::model::untrusted::shown;
use crate::model::{Lapse, Stamp};
use crate::source::logs::follow::RawLine;
use crate::source::logs::parse::{Parser, Said};
use crate::source::mcp::link::text;
use crate::source::mcp::trouble::Trouble;
use regex::Regex;
use rmcp::model::CallToolResult;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// Where rows are looked for when nobody says where they are.
const ROWS: [&str; 10] =
    ["lines", "hits.hits", "data", "rows", "logs", "entries", "results", "result", "items", "events"];
/// The names under which a row's parts are handed to the reader of lines.
const PLAIN: [&str; 7] = ["ts", "service", "level", "message", "order_id", "trace_id", "stack"];

/// What an answer says.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Lines in the answer's order, each with what tells it from others.
    pub lines: Vec<(u64, LogLine)>,
    /// How many there are in all, when the tool says.
    pub total: Option<u64>,
    /// Where the next page begins, when there is one.
    pub next: Option<Value>,
    /// Whether the tool says that it cut the answer.
    pub truncated: bool,
    /// Rows that carry no time, and so are no lines.
    pub undated: usize,
    /// Rows that were there.
    pub rows: usize,
}

/// Reads the answers of one tool.
#[derive(Debug)]
pub struct Reader {
    answer: Answer,
    /// Reads what a row's parts were put together to.
    plain: Parser,
    /// Reads whole lines and documents, by the mapping's own names.
    whole: Parser,
    line: Option<Regex>,
    name: Arc<str>,
}

/// One row of an answer.
enum Row<'a> {
    Object(Cow<'a, Value>),
    Text(&'a str),
}

impl Reader {
    /// Compiles a mapping. Lines that name no service are of `name`.
    pub fn new(search: &Search, name: &str) -> Result<Self, Trouble> {
        let answer = search.result.clone();
        let names = |list: [&str; 1]| list.map(str::to_owned).to_vec();
        let plain = LogConfig {
            name: name.to_owned(),
            paths: Vec::new(),
            service: None,
            format: LogFormat::Json,
            time_fields: names(["ts"]),
            level_fields: names(["level"]),
            message_fields: names(["message"]),
            service_fields: names(["service"]),
            order_fields: names(["order_id"]),
            trace_fields: names(["trace_id"]),
            order_pattern: answer.order_pattern.clone(),
            time_format: answer.ts_format.clone(),
            zone: search.zone.clone(),
            read_back: Lapse::ZERO,
        };
        let whole = LogConfig {
            format: LogFormat::Auto,
            time_fields: answer.ts.clone(),
            level_fields: answer.level.clone(),
            message_fields: answer.message.clone(),
            service_fields: answer.service.clone(),
            order_fields: answer.order.clone(),
            trace_fields: answer.trace.clone(),
            ..plain.clone()
        };
        // A whole line goes by the names that lines of files have, whatever its row is called.
        let whole = if answer.parse_message == MessageAs::Line {
            LogConfig { order_pattern: answer.order_pattern.clone(), ..LogConfig::usual(name, &search.zone) }
        } else {
            whole
        };
        let line = answer.line_pattern.as_deref().map(Regex::new).transpose();
        Ok(Self {
            plain: Parser::new(&plain).map_err(Trouble::Mapping)?,
            whole: Parser::new(&whole).map_err(Trouble::Mapping)?,
            line: line.map_err(|e| Trouble::Mapping(format!("line_regex is no regular expression ({e})")))?,
            name: name.into(),
            answer,
        })
    }

    /// Reads an answer; `near` is when it came.
    pub fn read(&self, result: &CallToolResult, near: Stamp) -> Result<Page, Trouble> {
        if let (Part::Auto | Part::Structured, Some(document)) = (self.answer.from, &result.structured_content) {
            // A text tool of some kits comes as {"result": "the text"}.
            return match document.get("result").and_then(Value::as_str) {
                Some(words) if self.answer.rows.is_none() => self.words(words, near),
                _ => self.document(document, near),
            };
        }
        if self.answer.from == Part::Structured {
            return Err(Trouble::Unreadable(
                "the answer has no structured part: set from = \"text\" in its [mcp.search.result]".to_owned(),
            ));
        }
        self.words(&text(result), near)
    }

    fn words(&self, text: &str, near: Stamp) -> Result<Page, Trouble> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Page::default());
        }
        let document = |text: &str| serde_json::from_str::<Value>(text);
        match self.answer.text_as {
            TextAs::Json => match document(text) {
                Ok(document) => self.document(&document, near),
                Err(e) => Err(Trouble::Unreadable(format!("the answer is no JSON ({e})"))),
            },
            TextAs::JsonLines | TextAs::Lines => Ok(self.lines(text, near)),
            TextAs::Auto => match document(text) {
                // One JSON line is a line and no document of rows.
                Ok(one) if one.is_array() || self.rows(&one).is_some() => self.document(&one, near),
                _ => Ok(self.lines(text, near)),
            },
        }
    }

    /// Rows of a document.
    pub fn document(&self, document: &Value, near: Stamp) -> Result<Page, Trouble> {
        let Some(rows) = self.rows(document) else {
            let there = match document {
                Value::Object(o) => o.keys().take(12).cloned().collect::<Vec<_>>().join(", "),
                _ => "no object".to_owned(),
            };
            let path = self.answer.rows.as_deref().unwrap_or("any usual name");
            return Err(Trouble::Unreadable(format!("there are no rows under {path} in the answer; it has: {there}")));
        };
        let rows: Vec<Row<'_>> = rows
            .iter()
            .map(|row| match row {
                Value::String(text) => Row::Text(text),
                other => Row::Object(Cow::Borrowed(other)),
            })
            .collect();
        let mut page = self.page(&rows, near);
        page.total = whole_number(path(document, &self.answer.total));
        page.truncated = path(document, &self.answer.truncated).and_then(Value::as_bool).unwrap_or(false);
        page.next = path(document, &self.answer.next).filter(|v| !v.is_null()).cloned();
        Ok(page)
    }

    fn rows<'v>(&self, document: &'v Value) -> Option<&'v Vec<Value>> {
        match &self.answer.rows {
            Some(at) => path(document, at)?.as_array(),
            None => document.as_array().or_else(|| ROWS.iter().find_map(|at| path(document, at)?.as_array())),
        }
    }

    fn lines(&self, text: &str, near: Stamp) -> Page {
        let rows: Vec<Row<'_>> = text
            .lines()
            .filter(|l| !l.trim().is_empty())
            .map(|line| match serde_json::from_str::<Value>(line) {
                Ok(object @ Value::Object(_)) if self.answer.text_as != TextAs::Lines => {
                    Row::Object(Cow::Owned(object))
                }
                _ => Row::Text(line),
            })
            .collect();
        self.page(&rows, near)
    }

    fn page(&self, rows: &[Row<'_>], near: Stamp) -> Page {
        let mut page = Page { rows: rows.len(), ..Page::default() };
        for row in rows {
            if let (Row::Object(object), Some((_, above))) = (row, page.lines.last_mut())
                && let Some(text) = self.below(object, above)
            {
                above.stack.push(self.whole.continuation(&raw(text)));
                continue;
            }
            let (id, said) = match row {
                Row::Object(object) => (first(object, &self.answer.id).map(hash_of), self.object(object, near)),
                Row::Text(text) => (None, self.text(text, near)),
            };
            let Some(at) = said.at else {
                match (row, page.lines.last_mut()) {
                    // Text without a time below a line belongs to it: a stack, a message that goes on.
                    (Row::Text(text), Some((_, line))) if !said.whole => {
                        line.stack.push(self.whole.continuation(&raw(text)));
                    }
                    _ => page.undated += 1,
                }
                continue;
            };
            let line = LogLine {
                at,
                service: said.service.unwrap_or_else(|| Arc::clone(&self.name)),
                level: said.level.unwrap_or(Level::Info),
                order: said.order,
                trace: said.trace,
                message: said.message,
                stack: said.stack,
            };
            let key = id.unwrap_or_else(|| {
                let mut hash = DefaultHasher::new();
                (line.at, &line.service, line.message.raw()).hash(&mut hash);
                hash.finish()
            });
            page.lines.push((key, line));
        }
        page
    }

    fn object(&self, row: &Value, near: Stamp) -> Said {
        let a = &self.answer;
        let message = first(row, &a.message);
        let mut parts = Map::new();
        for (name, paths) in PLAIN.iter().zip([&a.ts, &a.service, &a.level, &a.message, &a.order, &a.trace, &a.stack]) {
            if let Some(value) = first(row, paths) {
                parts.insert((*name).to_owned(), value.clone());
            }
        }
        if message.is_none() {
            // Without a message the row itself is what it says.
            parts.insert("message".to_owned(), Value::from(row.to_string()));
        }
        let outer = self.plain.parse(&raw(&Value::Object(parts).to_string()), near);
        let inner = message.and_then(Value::as_str).and_then(|m| self.inner(m, near));
        match inner {
            Some(inner) => Said {
                at: inner.at.or(outer.at),
                level: inner.level.or(outer.level),
                service: inner.service.or(outer.service),
                order: inner.order.or(outer.order),
                trace: inner.trace.or(outer.trace),
                message: inner.message,
                stack: if inner.stack.is_empty() { outer.stack } else { inner.stack },
                whole: true,
            },
            None => outer,
        }
    }

    /// A row that is no line but belongs to the one above: a frame of a stack that a collector took for a line.
    fn below<'v>(&self, row: &'v Value, above: &LogLine) -> Option<&'v str> {
        let text = first(row, &self.answer.message)?.as_str()?;
        let service = first(row, &self.answer.service).and_then(Value::as_str).unwrap_or(&self.name);
        let is = self.answer.parse_message == MessageAs::Line
            && text.starts_with([' ', '\t'])
            && !text.trim().is_empty()
            && *above.service == *service;
        is.then_some(text)
    }

    /// A whole line, with what stands below it.
    fn line(&self, text: &str, near: Stamp) -> Said {
        // JSON may go over several lines of text; other lines end where they end.
        if text.trim_start().starts_with('{') {
            return self.whole.parse(&raw(text), near);
        }
        let mut lines = text.lines();
        let mut said = self.whole.parse(&raw(lines.next().unwrap_or_default()), near);
        said.stack.extend(lines.map(|below| self.whole.continuation(&raw(below))));
        said
    }

    /// A message that is a document of its own.
    fn inner(&self, message: &str, near: Stamp) -> Option<Said> {
        let document = match self.answer.parse_message {
            MessageAs::Words => false,
            MessageAs::Json => message.trim_start().starts_with('{'),
            MessageAs::Logfmt => message.contains('='),
            MessageAs::Line => return Some(self.line(message, near)),
        };
        document.then(|| self.whole.parse(&raw(message), near))
    }

    fn text(&self, line: &str, near: Stamp) -> Said {
        let Some(found) = self.line.as_ref().and_then(|r| r.captures(line)) else {
            return self.whole.parse(&raw(line), near);
        };
        let mut parts = Map::new();
        for name in PLAIN {
            if let Some(part) = found.name(name) {
                parts.insert(name.to_owned(), Value::from(part.as_str()));
            }
        }
        self.plain.parse(&raw(&Value::Object(parts).to_string()), near)
    }
}

/// An answer block by block, fit for a terminal.
pub fn as_it_is(result: &CallToolResult) -> String {
    let structured = result.structured_content.as_ref();
    let document = structured.map(|d| serde_json::to_string_pretty(d).unwrap_or_else(|e| e.to_string()));
    let blocks = result.content.iter().map(|b| b.as_text().map_or("(a part that is no text)", |t| t.text.as_str()));
    let heading = document.iter().flat_map(|d| ["structured", d.as_str()]);
    let lines = blocks.chain(heading).flat_map(str::lines);
    lines.map(|line| shown(line) + "\n").collect()
}

fn raw(text: &str) -> RawLine {
    RawLine { bytes: text.as_bytes().to_vec(), cut: 0 }
}

/// `a.b.c`; the empty path is the value itself. A key with dots in it is found too.
pub fn path<'v>(value: &'v Value, at: &str) -> Option<&'v Value> {
    if at.is_empty() {
        return Some(value);
    }
    if let Some(found) = value.get(at) {
        return Some(found);
    }
    at.char_indices().filter(|(_, c)| *c == '.').find_map(|(i, _)| path(value.get(at.get(..i)?)?, at.get(i + 1..)?))
}

fn first<'v>(row: &'v Value, paths: &[String]) -> Option<&'v Value> {
    paths.iter().find_map(|at| path(row, at).filter(|v| !v.is_null()))
}

fn whole_number(value: Option<&Value>) -> Option<u64> {
    // Elasticsearch says {"value": 480, "relation": "eq"}.
    let value = value?;
    value.as_u64().or_else(|| value.get("value")?.as_u64())
}

/// What tells a row from others, of what it is called.
pub fn hash_of(value: &Value) -> u64 {
    let mut hash = DefaultHasher::new();
    value.to_string().hash(&mut hash);
    hash.finish()
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
