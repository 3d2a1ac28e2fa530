//! One raw line to what it says: JSON, logfmt or plain text, by configurable fields and patterns.

use super::follow::RawLine;
use super::instant::Instants;
use super::levels;
use super::secrets::Secrets;
use crate::config::{LogConfig, LogFormat};
use crate::model::log::Level;
use crate::model::{Stamp, Untrusted};
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Order ids as most services write them, when no pattern is configured.
const ORDER: &str = r"\bORD[-_]?\d[\w-]{2,40}";
/// Longer messages are cut with a visible mark: nobody reads them, and they would push the rest out.
const LONGEST_MESSAGE: usize = 8 * 1024;
/// Fields that carry a stack trace in JSON lines.
const STACK_FIELDS: [&str; 6] = ["stack", "stacktrace", "stack_trace", "error.stack", "exception", "trace_back"];

/// What a line says; what it does not say is none.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Its own time.
    pub at: Option<Stamp>,
    /// Its level.
    pub level: Option<Level>,
    /// Its service.
    pub service: Option<Arc<str>>,
    /// The order it names.
    pub order: Option<Arc<str>>,
    /// Its trace.
    pub trace: Option<Arc<str>>,
    /// The words.
    pub message: Untrusted,
    /// Stack lines that came inside it.
    pub stack: Vec<Untrusted>,
    /// It is an object of its own, never the continuation of the line before.
    pub whole: bool,
}

/// Reads lines of one source.
#[derive(Clone, Debug)]
pub struct Parser {
    format: LogFormat,
    instants: Instants,
    secrets: Secrets,
    pair: Regex,
    order: Regex,
    fields: Fields,
}

#[derive(Clone, Debug)]
struct Fields {
    time: Vec<String>,
    level: Vec<String>,
    message: Vec<String>,
    service: Vec<String>,
    order: Vec<String>,
    trace: Vec<String>,
}

impl Parser {
    /// Compiles the patterns; the error is a sentence about the configured one.
    pub fn new(config: &LogConfig) -> Result<Self, String> {
        let built_in = |e: regex::Error| format!("a built-in pattern does not compile: {e}");
        let pattern = config.order_pattern.as_deref().unwrap_or(ORDER);
        Ok(Self {
            format: config.format,
            instants: Instants::new(config.zone.clone(), config.time_format.clone()),
            secrets: Secrets::new().map_err(built_in)?,
            pair: Regex::new(r#"([\w.@-]+)=("((?:[^"\\]|\\.)*)"|[^\s"]*)"#).map_err(built_in)?,
            order: Regex::new(pattern)
                .map_err(|e| format!("order_pattern is not a regular expression ({e}); mend it or leave it out"))?,
            fields: Fields {
                time: config.time_fields.clone(),
                level: config.level_fields.clone(),
                message: config.message_fields.clone(),
                service: config.service_fields.clone(),
                order: config.order_fields.clone(),
                trace: config.trace_fields.clone(),
            },
        })
    }

    /// Reads a line; `near` is the moment of reading.
    pub fn parse(&self, raw: &RawLine, near: Stamp) -> Said {
        let text = Untrusted::from_bytes(&raw.bytes);
        let text = text.raw();
        let json = match self.format {
            LogFormat::Json => serde_json::from_str::<Map<String, Value>>(text).ok(),
            LogFormat::Auto if text.trim_start().starts_with('{') => serde_json::from_str(text).ok(),
            LogFormat::Plain | LogFormat::Auto => None,
        };
        let mut said = match json {
            Some(object) => self.object(&object, near),
            None => self.plain(text, near),
        };
        said.message = self.keep(said.message.raw(), raw.cut);
        said.stack = said.stack.iter().map(|s| self.keep(s.raw(), 0)).collect();
        if said.order.is_none() {
            said.order = self.order_in(said.message.raw());
        }
        said
    }

    /// Only the time of a line, for finding one's place in a file.
    pub fn time_of(&self, bytes: &[u8], near: Stamp) -> Option<Stamp> {
        self.parse(&RawLine { bytes: bytes.to_vec(), cut: 0 }, near).at
    }

    /// A continuation line as it is kept.
    pub fn continuation(&self, raw: &RawLine) -> Untrusted {
        self.keep(Untrusted::from_bytes(&raw.bytes).raw(), raw.cut)
    }

    /// Without secrets and not too long.
    fn keep(&self, text: &str, cut: u64) -> Untrusted {
        let clean = self.secrets.out_of(text);
        if clean.len() <= LONGEST_MESSAGE && cut == 0 {
            return Untrusted::from(clean.into_owned());
        }
        let end = clean.floor_char_boundary(LONGEST_MESSAGE);
        let gone = cut + (clean.len() - end) as u64;
        Untrusted::from(format!("{}… {gone} bytes more, cut", &clean[..end]))
    }

    fn order_in(&self, text: &str) -> Option<Arc<str>> {
        let c = self.order.captures(text)?;
        let m = c.get(1).or_else(|| c.get(0))?;
        (!m.is_empty() && m.len() <= 64).then(|| m.as_str().into())
    }

    fn object(&self, o: &Map<String, Value>, near: Stamp) -> Said {
        let f = &self.fields;
        let at = first(o, &f.time).and_then(|v| match v {
            Value::String(s) => {
                self.instants.of_text(s.as_bytes(), near).or_else(|| Instants::of_number(s.parse().ok()?))
            }
            Value::Number(n) => Instants::of_number(n.as_f64()?),
            _ => None,
        });
        let message = first(o, &f.message).map_or_else(|| Value::Object(o.clone()).to_string(), words);
        let mut said = Said {
            at,
            level: first(o, &f.level).and_then(level_of_value),
            service: first(o, &f.service).and_then(short),
            order: first(o, &f.order).and_then(short),
            trace: first(o, &f.trace).and_then(short),
            message: Untrusted::default(),
            stack: Vec::new(),
            whole: true,
        };
        // A message of several lines carries its stack with it.
        let mut lines = message.lines();
        said.message = lines.next().unwrap_or_default().into();
        said.stack = lines.map(Untrusted::from).collect();
        for field in STACK_FIELDS {
            if let Some(Value::String(s)) = o.get(field) {
                said.stack.extend(s.lines().map(Untrusted::from));
            }
        }
        if let Some(error) = o.get("error").or_else(|| o.get("err")).filter(|v| !v.is_null()) {
            let error = words(error);
            if !error.is_empty() && !said.message.raw().contains(&error) {
                said.message = format!("{}: {error}", said.message.raw()).into();
            }
        }
        said
    }

    fn plain(&self, text: &str, near: Stamp) -> Said {
        if let Some(said) = self.logfmt(text, near) {
            return said;
        }
        let (at, rest) = match self.instants.at_head(text.as_bytes(), near) {
            Some((at, end)) => (Some(at), text.get(end..).unwrap_or_default().trim_start_matches([']', ' ', '\t'])),
            None => (None, text),
        };
        let found = levels::in_text(&rest.as_bytes()[..rest.len().min(80)]);
        let mut level = found.as_ref().map(|(level, _)| *level);
        if level.is_none() && at.is_some() && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
            level = levels::of_letter(text.as_bytes()[0]);
        }
        // The level at the very front is shown in its own column; elsewhere it is part of the sentence.
        let message = match found {
            Some((_, r)) if r.start <= 1 => {
                rest.get(r.end..).unwrap_or_default().trim_start_matches([']', ':', ' ', '\t'])
            }
            _ => rest,
        };
        Said { at, level, message: message.into(), ..Said::default() }
    }

    /// `time=… level=error msg="…" order=…`: taken as such when it has a message field.
    fn logfmt(&self, text: &str, near: Stamp) -> Option<Said> {
        let mut object = Map::new();
        for c in self.pair.captures_iter(text) {
            let value = c.get(3).or_else(|| c.get(2))?.as_str().replace("\\\"", "\"");
            object.entry(c[1].to_owned()).or_insert(Value::String(value));
        }
        first(&object, &self.fields.message)?;
        first(&object, &self.fields.level).or_else(|| first(&object, &self.fields.time))?;
        let head = self.instants.at_head(text.as_bytes(), near).map(|(at, _)| at);
        let mut said = self.object(&object, near);
        said.at = said.at.or(head);
        Some(said)
    }
}

/// The first field that is there; `a.b` is also looked for inside `a`.
fn first<'a>(o: &'a Map<String, Value>, names: &[String]) -> Option<&'a Value> {
    names
        .iter()
        .find_map(|name| o.get(name).or_else(|| name.split_once('.').and_then(|(a, b)| o.get(a)?.as_object()?.get(b))))
}

fn words(v: &Value) -> String {
    match v {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// A short identifier; anything longer is no identifier.
fn short(v: &Value) -> Option<Arc<str>> {
    let text = match v {
        Value::String(s) => s.clone(),
        Value::Number(n) => n.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text.len() <= 64).then(|| text.into())
}

fn level_of_value(v: &Value) -> Option<Level> {
    match v {
        Value::String(s) => levels::of_word(s.as_bytes()).or_else(|| levels::of_number(s.parse().ok()?)),
        Value::Number(n) => levels::of_number(n.as_i64()?),
        _ => None,
    }
}
