//! `[[log_server]]`: an engine that keeps log lines, how it is asked, what it counts for us, and how its answers
//! are read.
//!
//! May not know: how a question is put on the wire.

use crate::config::Secret;
use crate::config::mcp_search::{self, Answer, AnyOf, Field, MessageAs, Part, Search, TextAs, TimeFormat};
use crate::config::prometheus::{Auth, auth, checked};
use crate::config::section::Section;
use crate::model::{Lapse, Zone};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `[[log_server]]`
#[derive(Clone, Debug)]
pub struct LogServerConfig {
    /// Name on the dot.
    pub name: String,
    /// What it is, where it is, and which of its lines are meant.
    pub kind: Kind,
    /// How we show who we are; LTS goes by `[huawei]`.
    pub auth: Auth,
    /// How often the newest lines are asked for.
    pub interval: Lapse,
    /// How long one answer may take.
    pub timeout: Lapse,
    /// How far back lines are asked for at the start.
    pub read_back: Lapse,
    /// How much later than written a line may come.
    pub late: Lapse,
    /// Longest stretch of one question for lines.
    pub window: Lapse,
    /// Lines of one page.
    pub page: u32,
    /// Lines fetched of one window at most.
    pub most: u32,
    /// Requests it gets from us in a minute at most.
    pub per_minute: u32,
    /// What it counts for us, minute by minute; the first is all lines.
    pub counters: Vec<Counter>,
    /// How rows become lines, and for `http` how questions become parameters.
    pub mapping: Search,
}

impl LogServerConfig {
    /// The same with those lines alone that fit `filter` too, which is in the engine's own words.
    #[must_use]
    pub fn narrowed(&self, filter: &str) -> Self {
        let mut out = self.clone();
        match &mut out.kind {
            Kind::Lts { query, .. } => *query = joined(query, " and ", filter),
            Kind::Elastic { query, .. } => *query = joined(query, " AND ", filter),
            Kind::Loki { query, .. } => *query = format!("{query} {filter}"),
            Kind::Http { .. } => out.mapping.words = vec![filter.to_owned()],
        }
        out
    }
}

/// Both of two searches.
pub fn joined(query: &str, between: &str, filter: &str) -> String {
    match (query.trim(), filter.trim()) {
        ("", one) | (one, "") => one.to_owned(),
        (query, filter) => format!("({query}){between}({filter})"),
    }
}

/// A count that the engine is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// What stands behind the dot.
    pub name: String,
    /// Which lines, in the engine's own words; none for all that the source has.
    pub filter: Option<String>,
}

/// The name of the count of all lines.
pub const ALL: &str = "all";

/// What kind of engine it is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Log Tank Service of Huawei Cloud, through `[huawei]`: one stream.
    Lts {
        /// Id of the group.
        group: String,
        /// Id of the stream.
        stream: String,
        /// Keywords.
        query: String,
        /// Whether the stream goes by a time in its lines, which a cursor then has to name.
        custom_time: bool,
    },
    /// Grafana Loki.
    Loki {
        /// Where it is; `/loki/api/v1/…` is added.
        url: String,
        /// `X-Scope-OrgID`.
        tenant: Option<String>,
        /// A selector with what follows it: `{namespace="pay"} |= "x"`.
        query: String,
    },
    /// Elasticsearch or OpenSearch.
    Elastic {
        /// Where it is.
        url: String,
        /// Index, data stream or pattern.
        index: String,
        /// Which documents, in the words of `query_string`.
        query: String,
        /// The field of the time.
        time_field: String,
        /// A field that tells documents of one instant apart, and has doc values.
        tiebreaker: Option<String>,
        /// Whether long readings hold a point in time open.
        pit: bool,
    },
    /// Any API that answers with JSON.
    Http {
        /// Where lines are.
        url: String,
        /// Whether it is asked by POST with a JSON document.
        post: bool,
        /// How the next page is found.
        pages: Pages,
        /// Where counts are, when it has any.
        histogram: Option<Histogram>,
    },
}

impl Kind {
    /// As people say it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Lts { .. } => "LTS",
            Self::Loki { .. } => "Loki",
            Self::Elastic { .. } => "Elasticsearch",
            Self::Http { .. } => "the log API",
        }
    }
    /// Where it is.
    pub fn place(&self) -> String {
        match self {
            Self::Lts { stream, .. } => format!("stream {stream}"),
            Self::Loki { url, .. } | Self::Http { url, .. } => url.clone(),
            Self::Elastic { url, index, .. } => format!("{url}/{index}"),
        }
    }
}

/// How the next page of an API is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// The answer names it.
    Cursor,
    /// The cursor is a number of the page, from this one on.
    Number(u32),
    /// The cursor is how many lines are skipped.
    Offset,
    /// By the time of the last line.
    Time,
}

/// `[log_server.histogram]`
#[derive(Clone, Debug)]
pub struct Histogram {
    /// Where it is.
    pub url: String,
    /// The parameter for the length of a window.
    pub step: String,
    /// Seconds are one, milliseconds a thousand to the second.
    pub step_per_second: i64,
    /// Where the rows are.
    pub rows: String,
    /// When a window begins.
    pub ts: String,
    /// How many.
    pub count: String,
}

/// What differs from engine to engine where nobody says anything.
struct Usual {
    interval: i64,
    late: i64,
    page: (u32, u32),
    per_minute: u32,
}

/// Reads one `[[log_server]]`; times in lines that carry no zone are of `zone`.
pub fn log_server(s: &Section<'_>, zone: &Zone) -> Option<LogServerConfig> {
    let name = s.needed("name", "it stands beside the server's dot");
    let word = s.needed("kind", "lts, loki, elastic or http");
    let kind = match word.as_deref() {
        Some("lts") => lts(s),
        Some("loki") => loki(s),
        Some("elastic") => elastic(s),
        Some("http") => http(s),
        Some(other) => {
            s.problem("kind", format!("\"{other}\" is not one of lts, loki, elastic, http"));
            return None;
        }
        None => return None,
    };
    let usual = match word.as_deref() {
        // A stream may be read ten times a minute with some operators, by all who look into it together.
        Some("lts") => Usual { interval: 30, late: 60, page: (1000, 5000), per_minute: 8 },
        Some("elastic") => Usual { interval: 15, late: 30, page: (1000, 10_000), per_minute: 60 },
        _ => Usual { interval: 15, late: 30, page: (1000, 5000), per_minute: 60 },
    };
    let is_http = word.as_deref() == Some("http");
    let second = Lapse::seconds(1);
    let page = s.whole("page", usual.page.0, 1..=usual.page.1);
    let out = LogServerConfig {
        name: name.clone().unwrap_or_default(),
        auth: who(s, word.as_deref().unwrap_or_default()),
        interval: s.lapse("interval", Lapse::seconds(usual.interval), Lapse::seconds(5)),
        timeout: s.lapse("timeout", Lapse::seconds(10), second),
        read_back: s.lapse("read_back", Lapse::minutes(15), Lapse::ZERO),
        late: s.lapse("late", Lapse::seconds(usual.late), Lapse::ZERO),
        window: s.lapse("window_max", Lapse::minutes(30), Lapse::minutes(1)),
        page,
        most: s.whole("most_lines", 20_000, 1..=1_000_000),
        per_minute: s.whole("per_minute", usual.per_minute, 1..=6000),
        counters: counters(s),
        mapping: Search {
            tool: String::new(),
            args: if is_http { mcp_search::fields(s, "args") } else { BTreeMap::new() },
            template: BTreeMap::new(),
            fixed: if is_http { s.section("fixed").map(|f| mcp_search::constants(&f)) } else { None }
                .unwrap_or_else(Map::<String, Value>::new),
            time: if is_http { mcp_search::time(s) } else { TimeFormat::Rfc3339Ms },
            zone: s.zone("zone").unwrap_or_else(|| zone.clone()),
            any_of: AnyOf::Between(s.text("any_of").filter(|_| is_http).unwrap_or_else(|| " OR ".to_owned())),
            service_names: BTreeMap::new(),
            limit: page,
            window: Lapse::minutes(30),
            words: s.texts("words").filter(|_| is_http).unwrap_or_default(),
            result: result(s, word.as_deref().unwrap_or_default()),
        },
        kind: kind.clone().unwrap_or(Kind::Loki { url: String::new(), tenant: None, query: String::new() }),
    };
    if let Kind::Http { pages: Pages::Cursor | Pages::Number(_) | Pages::Offset, .. } = &out.kind
        && !out.mapping.args.contains_key(&Field::Cursor)
    {
        s.problem("pages", "needs cursor in args: the parameter that says where a page begins");
    }
    s.finish();
    name.and(kind).map(|_| out)
}

/// How we show who we are: LTS goes by `[huawei]`, Elasticsearch has keys of its own.
fn who(s: &Section<'_>, kind: &str) -> Auth {
    if kind == "lts" {
        return Auth::default();
    }
    let mut out = auth(s);
    if kind == "elastic" {
        out.api_key = s.text("api_key").map(|t| Secret::parse(&t, s.page().folder()));
        if out.api_key.is_some() && (out.bearer.is_some() || out.basic.is_some()) {
            s.problem("api_key", "and bearer or user are two ways to say who we are: keep one");
        }
    }
    out
}

/// What is counted: all lines, and what `counts` names.
pub(super) fn counters(s: &Section<'_>) -> Vec<Counter> {
    let mut out = vec![Counter { name: ALL.to_owned(), filter: None }];
    for (name, filter) in s.words("counts", |t| Ok(t.to_owned())) {
        let fit = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fit || [ALL, "lines", "WARN", "ERROR"].contains(&name.as_str()) {
            s.problem(
                "counts",
                format!(
                    "\"{name}\" is no name of a count: letters, digits and _, and none of all, lines, WARN, ERROR, which are counted anyway"
                ),
            );
            continue;
        }
        out.push(Counter { name, filter: Some(filter) });
    }
    out
}

fn lts(s: &Section<'_>) -> Option<Kind> {
    let (group, stream) = (id(s, "group"), id(s, "stream"));
    let query = s.text("query").unwrap_or_default();
    let custom_time = s.switch("custom_time", false);
    Some(Kind::Lts { group: group?, stream: stream?, query, custom_time })
}

fn id(s: &Section<'_>, key: &str) -> Option<String> {
    let id = s.needed(key, "its id of 36 characters, as the LTS console shows it")?;
    if id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Some(id);
    }
    s.problem(key, "is no id: letters, digits and -");
    None
}

fn loki(s: &Section<'_>) -> Option<Kind> {
    let url = base(s, "http://loki:3100", "/loki/api/v1");
    let query = s.needed("query", "a selector, like {namespace=\"pay\"}");
    if query.as_ref().is_some_and(|q| !q.trim_start().starts_with('{')) {
        s.problem("query", "is no query for lines: it begins with a selector, like {namespace=\"pay\"}");
    }
    let tenant = s.text("tenant");
    Some(Kind::Loki { url: url?, tenant, query: query? })
}

fn elastic(s: &Section<'_>) -> Option<Kind> {
    let url = base(s, "https://elastic:9200", "/_search");
    let index = s.needed("index", "an index, a data stream or a pattern, like logs-pay-*");
    let fit = |i: &String| i.chars().all(|c| c.is_ascii_alphanumeric() || "-_.*,:+".contains(c));
    if index.as_ref().is_some_and(|i| !fit(i)) {
        s.problem("index", "has characters that no index has: letters, digits and - _ . * ,");
    }
    let query = s.text("query").unwrap_or_default();
    let time_field = s.text("time_field").unwrap_or_else(|| "@timestamp".to_owned());
    let tiebreaker = s.text("tiebreaker");
    let pit = s.switch("pit", false);
    Some(Kind::Elastic { url: url?, index: index?, query, time_field, tiebreaker, pit })
}

fn http(s: &Section<'_>) -> Option<Kind> {
    let url = whole_url(s);
    let post = s.choice("method", &[("GET", false), ("POST", true)]).unwrap_or(false);
    let first = s.whole("first_page", 1, 0..=1);
    let words =
        [("cursor", Pages::Cursor), ("number", Pages::Number(first)), ("offset", Pages::Offset), ("time", Pages::Time)];
    let pages = s.choice("pages", &words).unwrap_or(Pages::Time);
    let histogram = s.section("histogram").and_then(|h| {
        let url = whole_url(&h);
        let step = h.text("step").unwrap_or_else(|| "step".to_owned());
        let per = h.choice("step_unit", &[("s", 1), ("ms", 1000)]).unwrap_or(1);
        let text = |key: &str, usual: &str| h.text(key).unwrap_or_else(|| usual.to_owned());
        let (rows, ts, count) = (text("rows", "buckets"), text("ts", "ts"), text("count", "count"));
        h.finish();
        url.map(|url| Histogram { url, step, step_per_second: per, rows, ts, count })
    });
    Some(Kind::Http { url: url?, post, pages, histogram })
}

fn whole_url(s: &Section<'_>) -> Option<String> {
    let url = s.needed("url", "the whole URL, path included")?;
    checked(&url).map_err(|says| s.problem("url", says)).ok()
}

/// A server's URL without what we add ourselves.
fn base(s: &Section<'_>, like: &str, ours: &str) -> Option<String> {
    let url = s.needed("url", &format!("where it is, like {like}"))?;
    match checked(&url) {
        Ok(url) if url.contains('?') => {
            s.problem("url", "has a query in it: warroom adds that itself");
            None
        }
        Ok(url) => {
            let url = url.trim_end_matches('/');
            Some(url.strip_suffix(ours).unwrap_or(url).to_owned())
        }
        Err(says) => {
            s.problem("url", says);
            None
        }
    }
}

/// Where a line's parts stand: by the engine, or as `[log_server.result]` says.
fn result(s: &Section<'_>, kind: &str) -> Answer {
    let of_rows = |message: &str, service: &[&str], level: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let service = s.texts("service").unwrap_or_else(|| list(service));
        Answer {
            from: Part::Structured,
            text_as: TextAs::Json,
            rows: Some(String::new()),
            ts: list(&["ts"]),
            ts_format: None,
            service,
            level: list(level),
            message: list(&[message]),
            parse_message: MessageAs::Line,
            order: Vec::new(),
            order_pattern: order_pattern(s),
            trace: Vec::new(),
            stack: Vec::new(),
            id: list(&["id"]),
            total: String::new(),
            next: String::new(),
            truncated: String::new(),
            line_pattern: None,
        }
    };
    let section = if matches!(kind, "elastic" | "http") { s.section("result") } else { None };
    match kind {
        "lts" => of_rows("content", &["labels.podName", "labels.containerName", "labels.appName"], &[]),
        "loki" => of_rows(
            "line",
            &["labels.pod", "labels.service_name", "labels.service", "labels.app", "labels.container", "labels.job"],
            &["labels.level", "labels.detected_level"],
        ),
        _ => {
            let mut out = mcp_search::answer(section.as_ref(), false);
            if kind == "elastic" {
                out.rows = Some("hits.hits".to_owned());
                let field = s.text("time_field").unwrap_or_else(|| "@timestamp".to_owned());
                out.ts.insert(0, format!("_source.{field}"));
                for (key, paths, more) in [
                    ("service", &mut out.service, ["_source.service.name", "_source.kubernetes.pod.name"]),
                    ("level", &mut out.level, ["_source.log.level", "_source.severity"]),
                ] {
                    if section.as_ref().is_none_or(|s| !s.has(key)) {
                        // `service` and `log` are objects where names go by ECS.
                        paths.splice(0..0, more.map(str::to_owned));
                    }
                }
            }
            out
        }
    }
}

fn order_pattern(s: &Section<'_>) -> Option<String> {
    let pattern = s.text("order_pattern")?;
    if let Err(e) = regex::Regex::new(&pattern) {
        let words = e.to_string();
        let why = words.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        s.problem("order_pattern", format!("is no regular expression: {why}"));
        return None;
    }
    Some(pattern)
}

#[cfg(test)]
#[path = "log_server_tests.rs"]
mod tests;
