//! `[mcp.search]`: which arguments a log tool takes, and where in its answer a line's parts stand.
//!
//! May not know: how a call is made.

use crate::config::section::Section;
use crate::model::{Lapse, Zone};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use toml::de::DeValue;

/// What warroom says in a question; each may have an argument of the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Words that lines contain.
    Query,
    /// Service.
    Service,
    /// Least level.
    Level,
    /// From when on.
    From,
    /// Until when.
    To,
    /// How many lines at most.
    Limit,
    /// An order.
    OrderId,
    /// Where the page before ended.
    Cursor,
}

/// Their names in the configuration.
pub const FIELDS: [(&str, Field); 8] = [
    ("query", Field::Query),
    ("service", Field::Service),
    ("level", Field::Level),
    ("from", Field::From),
    ("to", Field::To),
    ("limit", Field::Limit),
    ("order_id", Field::OrderId),
    ("cursor", Field::Cursor),
];

/// How the tool wants instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2025-01-12T12:31:08Z`
    Rfc3339,
    /// `2025-01-12T12:31:08.250Z`
    Rfc3339Ms,
    /// A number of units since 1970, `1` a second.
    Epoch(i64),
    /// A pattern, in [`Search::zone`].
    Pattern(String),
}

/// How the tool is told several words of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyOf {
    /// With this between them.
    Between(String),
    /// It cannot be told: one call for each.
    OneByOne,
}

/// `[mcp.search]`
#[derive(Clone, Debug)]
pub struct Search {
    /// The tool.
    pub tool: String,
    /// Our fields and its arguments.
    pub args: BTreeMap<Field, String>,
    /// What stands in an argument, with `{field}` and `{field|otherwise}`.
    pub template: BTreeMap<Field, String>,
    /// Arguments that are always the same.
    pub fixed: Map<String, Value>,
    /// How it wants instants.
    pub time: TimeFormat,
    /// Zone of patterns, and of times in its answers that carry none.
    pub zone: Zone,
    /// How it is told several words.
    pub any_of: AnyOf,
    /// Our names of services and its own.
    pub service_names: BTreeMap<String, String>,
    /// Lines of one page.
    pub limit: u32,
    /// Longest stretch of one call.
    pub window: Lapse,
    /// What the live source asks for; all lines when empty.
    pub words: Vec<String>,
    /// How its answers are read.
    pub result: Answer,
}

impl Search {
    /// Whether the tool can be told from when on lines are wanted.
    pub fn is_timed(&self) -> bool {
        self.args.contains_key(&Field::From) || self.template.values().any(|t| placeholders(t).any(|p| p == "from"))
    }
}

/// Which part of a result is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The structured one, else the text.
    Auto,
    /// The structured one.
    Structured,
    /// The text.
    Text,
}

/// How text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextAs {
    /// As what it looks like.
    Auto,
    /// One JSON document.
    Json,
    /// A JSON object a line.
    JsonLines,
    /// Lines.
    Lines,
}

/// What a row's message may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAs {
    /// Words.
    Words,
    /// JSON, whose fields win over the row's.
    Json,
    /// `key=value`, whose fields win over the row's.
    Logfmt,
    /// A line as it stands in a file, whatever its form; what it says itself wins over the row.
    Line,
}

/// `[mcp.search.result]`: dotted paths; of a list the first that is there.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which part.
    pub from: Part,
    /// How text is read.
    pub text_as: TextAs,
    /// Where the rows are; found when absent, the root itself when empty.
    pub rows: Option<String>,
    /// Time.
    pub ts: Vec<String>,
    /// `strftime` pattern of it.
    pub ts_format: Option<String>,
    /// Service.
    pub service: Vec<String>,
    /// Level.
    pub level: Vec<String>,
    /// Message.
    pub message: Vec<String>,
    /// What the message is.
    pub parse_message: MessageAs,
    /// Order.
    pub order: Vec<String>,
    /// How an order is found in a message.
    pub order_pattern: Option<String>,
    /// Trace.
    pub trace: Vec<String>,
    /// Stack.
    pub stack: Vec<String>,
    /// What tells two equal lines apart.
    pub id: Vec<String>,
    /// How many lines there are in all.
    pub total: String,
    /// Cursor of the next page; empty: pages by time.
    pub next: String,
    /// Whether the answer was cut.
    pub truncated: String,
    /// Pattern of text lines, with named groups.
    pub line_pattern: Option<String>,
}

/// Reads `[mcp.search]`.
pub fn search(s: &Section<'_>) -> Option<Search> {
    let tool = s.needed("tool", "the name of the tool that gives log lines; warroom mcp probe lists them");
    let args = fields(s, "args");
    let template = fields(s, "template");
    for (name, field) in FIELDS {
        if template.contains_key(&field) && !args.contains_key(&field) {
            s.problem("template", format!("has {name}, which args does not map: say which argument it is for"));
        }
    }
    for text in template.values() {
        if let Some(wrong) = placeholders(text).find(|p| FIELDS.iter().all(|(name, _)| name != p)) {
            s.problem("template", format!("has {{{wrong}}}, which is none of {}", names()));
        }
    }
    let out = Search {
        tool: tool.clone().unwrap_or_default(),
        args,
        template,
        fixed: s.section("fixed").map(|f| constants(&f)).unwrap_or_default(),
        time: time(s),
        zone: s.zone("time_zone").unwrap_or_else(Zone::utc),
        any_of: match s.text("any_of") {
            Some(none) if none == "none" => AnyOf::OneByOne,
            Some(between) => AnyOf::Between(between),
            None => AnyOf::Between("|".to_owned()),
        },
        service_names: s.words("service_names", |t| Ok(t.to_owned())).into_iter().collect(),
        limit: s.whole("limit_max", 500, 1..=10_000),
        window: s.lapse("window_max", Lapse::minutes(30), Lapse::seconds(1)),
        words: s.texts("words").unwrap_or_default(),
        result: answer(s.section("result").as_ref(), true),
    };
    s.finish();
    tool.map(|_| out)
}

fn names() -> String {
    FIELDS.map(|(name, _)| name).join(", ")
}

/// A table whose keys are fields.
pub(super) fn fields(s: &Section<'_>, key: &str) -> BTreeMap<Field, String> {
    let mut out = BTreeMap::new();
    for (name, value) in s.words(key, |t| Ok(t.to_owned())) {
        match FIELDS.iter().find(|(n, _)| *n == name) {
            Some((_, field)) => {
                out.insert(*field, value);
            }
            None => s.problem(key, format!("\"{name}\" is no field of warroom; there are {}: on the left stands warroom's word, on the right the tool's", names())),
        }
    }
    out
}

/// The names in `{…}`, without what stands for them when they are empty.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(inner, _)| inner.split('|').next().unwrap_or(inner))
        .filter(
            // LogQL and JSON have braces of their own; ours hold one word.
            |name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
        )
}

pub(super) fn time(s: &Section<'_>) -> TimeFormat {
    let Some(text) = s.text("time_format") else { return TimeFormat::Rfc3339 };
    match text.as_str() {
        "rfc3339" => TimeFormat::Rfc3339,
        "rfc3339_ms" => TimeFormat::Rfc3339Ms,
        "epoch_s" => TimeFormat::Epoch(1),
        "epoch_ms" => TimeFormat::Epoch(1_000),
        "epoch_ns" => TimeFormat::Epoch(1_000_000_000),
        other => {
            if let Some(pattern) = other.strip_prefix("strftime:").filter(|p| pattern_works(p)) {
                return TimeFormat::Pattern(pattern.to_owned());
            }
            s.problem("time_format", format!("\"{other}\" is not one of rfc3339, rfc3339_ms, epoch_s, epoch_ms, epoch_ns or a pattern like \"strftime:%Y-%m-%d %H:%M:%S\""));
            TimeFormat::Rfc3339
        }
    }
}

fn pattern_works(pattern: &str) -> bool {
    !pattern.is_empty() && chrono::format::StrftimeItems::new(pattern).all(|i| i != chrono::format::Item::Error)
}

/// Any values.
pub(super) fn constants(s: &Section<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    for key in s.keys() {
        if let Some(value) = s.read(&key, json) {
            out.insert(key, value);
        }
    }
    out
}

fn json(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(b) => Value::from(*b),
        DeValue::Integer(n) => {
            let n = n.to_string().replace('_', "");
            n.parse::<i64>().map(Value::from).map_err(|_| format!("{n} is no number that a tool can be told"))?
        }
        DeValue::Float(n) => {
            let n = n.as_str().replace('_', "");
            n.parse::<f64>().map(Value::from).map_err(|_| format!("{n} is no number that a tool can be told"))?
        }
        DeValue::Array(items) => items.iter().map(|i| json(i.get_ref())).collect::<Result<_, _>>()?,
        DeValue::Table(table) => {
            let inner: Result<Map<_, _>, String> =
                table.iter().map(|(k, v)| Ok((k.get_ref().to_string(), json(v.get_ref())?))).collect();
            Value::Object(inner?)
        }
        DeValue::Datetime(_) => return Err("write instants as texts, in the tool's own format".to_owned()),
    })
}

/// Reads `[mcp.search.result]` and its like; without one the usual names are looked for. `parts`: whether an answer
/// may have several, as those of tools do.
pub(super) fn answer(s: Option<&Section<'_>>, parts: bool) -> Answer {
    let of_parts = s.filter(|_| parts);
    let list = |key: &str, usual: &[&str]| {
        s.and_then(|s| s.texts(key)).unwrap_or_else(|| usual.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>())
    };
    let text = |key: &str, usual: &str| s.and_then(|s| s.text(key)).unwrap_or_else(|| usual.to_owned());
    let from = [("auto", Part::Auto), ("structured", Part::Structured), ("text", Part::Text)];
    let texts =
        [("auto", TextAs::Auto), ("json", TextAs::Json), ("jsonl", TextAs::JsonLines), ("lines", TextAs::Lines)];
    let messages = [
        ("none", MessageAs::Words),
        ("json", MessageAs::Json),
        ("logfmt", MessageAs::Logfmt),
        ("line", MessageAs::Line),
    ];
    let out = Answer {
        from: of_parts.and_then(|s| s.choice("from", &from)).unwrap_or(Part::Auto),
        text_as: of_parts.and_then(|s| s.choice("text_as", &texts)).unwrap_or(TextAs::Auto),
        rows: s.and_then(|s| s.text("rows")),
        ts: list("ts", &["ts", "timestamp", "@timestamp", "time", "_source.@timestamp", "_source.ts"]),
        ts_format: s.and_then(|s| s.text("ts_format")).filter(|f| f != "auto"),
        service: list("service", &["service", "app", "labels.app", "labels.service", "_source.service"]),
        level: list("level", &["level", "severity", "labels.level", "_source.level"]),
        message: list("message", &["msg", "message", "line", "_source.message", "_source.msg"]),
        parse_message: s.and_then(|s| s.choice("parse_message", &messages)).unwrap_or(MessageAs::Words),
        order: list("order_id", &["order_id", "orderId", "labels.orderId", "_source.order_id", "_source.orderId"]),
        order_pattern: s.and_then(|s| s.text("order_id_regex")),
        trace: list("trace_id", &["trace_id", "traceId", "_source.trace_id"]),
        stack: list("stack", &["stack", "stacktrace", "error.stack", "_source.stack"]),
        id: list("id", &["id", "_id"]),
        total: text("total", "total"),
        next: text("next", "next_cursor"),
        truncated: text("truncated", "truncated"),
        line_pattern: s.and_then(|s| s.text("line_regex")),
    };
    let Some(s) = s else { return out };
    for (key, pattern) in [("order_id_regex", &out.order_pattern), ("line_regex", &out.line_pattern)] {
        if let Some(Err(e)) = pattern.as_deref().map(regex::Regex::new) {
            let first = e.to_string();
            let why = first.lines().last().unwrap_or_default().trim_start_matches("error: ");
            s.problem(key, format!("is no regular expression: {why}"));
        }
    }
    if out.line_pattern.as_deref().is_some_and(|p| !p.contains("(?P<message>") && !p.contains("(?<message>")) {
        s.problem(
            "line_regex",
            "has no group for the message: write (?P<message>.*), and ts, level, service beside it",
        );
    }
    if out.ts_format.as_deref().is_some_and(|p| !pattern_works(p)) {
        s.problem("ts_format", "is \"auto\" or a time pattern like \"%Y-%m-%d %H:%M:%S%.3f\"");
    }
    s.finish();
    out
}
