//! A question in warroom's words as the arguments a tool takes.
//!
//! May not know: what comes back.

use crate::config::mcp_search::{AnyOf, Field, Search, TimeFormat};
use crate::model::log::{Level, LogLine};
use crate::model::{Span, Stamp};
use serde_json::{Map, Value};

/// What lines are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Words of which a line has at least one; any line when empty.
    pub words: Vec<String>,
    /// Of this service.
    pub service: Option<String>,
    /// At least this bad.
    pub level: Option<Level>,
    /// Of this order.
    pub order: Option<String>,
    /// Of this time.
    pub span: Span,
}

impl Question {
    /// All lines of a stretch of time.
    pub const fn all(span: Span) -> Self {
        Self { words: Vec::new(), service: None, level: None, order: None, span }
    }

    /// One question for each call the tool needs: as many as there are words where it knows no OR.
    pub fn apart(&self, search: &Search) -> Vec<Self> {
        let alone =
            self.words.len() < 2 || search.any_of != AnyOf::OneByOne || !search.args.contains_key(&Field::Query);
        if alone {
            return vec![self.clone()];
        }
        self.words.iter().map(|w| Self { words: vec![w.clone()], ..self.clone() }).collect()
    }

    /// Whether a line is what was asked for. Fields that the tool was told are its own business, except time:
    /// tools differ in whether an end belongs to a stretch.
    pub fn wants(&self, line: &LogLine, search: &Search) -> bool {
        let told = |field: Field| search.args.contains_key(&field);
        let words = || {
            let text = line.message.raw().to_lowercase();
            self.words.is_empty() || self.words.iter().any(|w| text.contains(&w.to_lowercase()))
        };
        let theirs = |s: &String| search.service_names.get(s).unwrap_or(s).clone();
        self.span.from <= line.at
            && line.at < self.span.to
            && (told(Field::Query) || words())
            && (told(Field::Service)
                || self.service.as_ref().is_none_or(|s| *line.service == **s || *line.service == *theirs(s)))
            && (told(Field::Level) || self.level.is_none_or(|l| line.level >= l))
            && (told(Field::OrderId) || self.order.as_ref().is_none_or(|o| line.order.as_deref() == Some(o.as_str())))
    }
}

/// The arguments of one page. `cursor` is the tool's own, given back as it came.
pub fn arguments(search: &Search, q: &Question, cursor: Option<&Value>) -> Map<String, Value> {
    let mut out = search.fixed.clone();
    for (field, argument) in &search.args {
        let value = match search.template.get(field) {
            Some(template) => Some(Value::from(filled(template, search, q))),
            None if *field == Field::Cursor => cursor.cloned(),
            None => plain(*field, search, q),
        };
        if let Some(value) = value {
            put(&mut out, argument, value);
        }
    }
    out
}

/// `a.b` is an argument inside an argument.
fn put(out: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        Some((first, rest)) => {
            let inner = out.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
        None => {
            out.insert(path.to_owned(), value);
        }
    }
}

/// A field's value, none when nothing is asked of it.
fn plain(field: Field, search: &Search, q: &Question) -> Option<Value> {
    match field {
        Field::Limit => Some(Value::from(search.limit)),
        Field::From => Some(instant(search, q.span.from)),
        Field::To => Some(instant(search, q.span.to)),
        Field::Cursor => None,
        Field::Query | Field::Service | Field::Level | Field::OrderId => {
            Some(words(field, search, q)).filter(|w| !w.is_empty()).map(Value::from)
        }
    }
}

fn words(field: Field, search: &Search, q: &Question) -> String {
    match field {
        Field::Query => {
            let between = match &search.any_of {
                AnyOf::Between(between) => between.as_str(),
                AnyOf::OneByOne => " ",
            };
            q.words.join(between)
        }
        Field::Service => {
            q.service.as_ref().map_or_else(String::new, |s| search.service_names.get(s).unwrap_or(s).clone())
        }
        Field::Level => q.level.map_or_else(String::new, |l| format!("{l:?}").to_uppercase()),
        Field::OrderId => q.order.clone().unwrap_or_default(),
        Field::Limit => search.limit.to_string(),
        Field::From => shown(&instant(search, q.span.from)),
        Field::To => shown(&instant(search, q.span.to)),
        Field::Cursor => String::new(),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Puts fields in the place of `{field}` and `{field|otherwise}`; other braces are the tool's own language.
fn filled(template: &str, search: &Search, q: &Question) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let inner = from.get(1..).and_then(|f| f.split_once('}')).map(|(inner, _)| inner);
        let name = inner.map(|i| i.split_once('|').unwrap_or((i, "")));
        let field = name.and_then(|(n, otherwise)| {
            let (_, field) = crate::config::mcp_search::FIELDS.iter().find(|(known, _)| *known == n)?;
            Some((*field, otherwise))
        });
        if let (Some(inner), Some((field, otherwise))) = (inner, field) {
            let value = words(field, search, q);
            out.push_str(if value.is_empty() { otherwise } else { &value });
            rest = from.get(inner.len() + 2..).unwrap_or_default();
        } else {
            out.push('{');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

/// An instant as the tool wants it.
pub fn instant(search: &Search, at: Stamp) -> Value {
    let utc = crate::model::Zone::utc();
    match &search.time {
        TimeFormat::Rfc3339 => Value::from(utc.format(at, "%Y-%m-%dT%H:%M:%SZ")),
        TimeFormat::Rfc3339Ms => Value::from(utc.format(at, "%Y-%m-%dT%H:%M:%S%.3fZ")),
        TimeFormat::Epoch(1) => Value::from(at.0.div_euclid(1_000_000)),
        TimeFormat::Epoch(1_000) => Value::from(at.0.div_euclid(1_000)),
        TimeFormat::Epoch(_) => Value::from(at.0.saturating_mul(1_000)),
        TimeFormat::Pattern(pattern) => Value::from(search.zone.format(at, pattern)),
    }
}

#[cfg(test)]
#[path = "ask_tests.rs"]
pub(super) mod tests;
