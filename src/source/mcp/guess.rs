//! A first mapping for a server, guessed from the names of its tools and their arguments: for a person to correct.
//!
//! May not know: what the tools do; only what they are called.

use crate::config::mcp_search::{FIELDS, Field};
use crate::model::untrusted::shown;
use rmcp::model::Tool;
use serde_json::Value;
use std::fmt::Write as _;

/// What arguments are called that mean one of our fields, lower case without `_`, likeliest first.
const NAMES: [(Field, &[&str]); 8] = [
    (
        Field::Query,
        &[
            "query",
            "q",
            "logql",
            "search",
            "pattern",
            "text",
            "keyword",
            "keywords",
            "filter",
            "expression",
            "querystring",
        ],
    ),
    (Field::Service, &["service", "app", "servicename", "application", "component"]),
    (Field::Level, &["level", "severity", "minlevel", "loglevel"]),
    (
        Field::From,
        &["from", "start", "startrfc3339", "startms", "starttime", "since", "begin", "fromtime", "startns", "timefrom"],
    ),
    (Field::To, &["to", "end", "endrfc3339", "endms", "endtime", "until", "totime", "endns", "timeto"]),
    (Field::Limit, &["limit", "size", "max", "maxresults", "count", "pagesize", "head", "maxlines", "n"]),
    (Field::OrderId, &["orderid", "order"]),
    (Field::Cursor, &["cursor", "after", "pagetoken", "nexttoken", "searchafter", "nextcursor"]),
];
/// Parts of a log tool's name.
const LIKELY: [&str; 4] = ["log", "search", "query", "line"];

/// The arguments of a tool: each with its type and whether it has to be there.
pub fn arguments(tool: &Tool) -> Vec<(String, String)> {
    let required: Vec<&str> = tool
        .input_schema
        .get("required")
        .and_then(Value::as_array)
        .map(|r| r.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = tool.input_schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let one = |(name, schema): (&String, &Value)| {
        let kind = kind(schema);
        let must = if required.contains(&name.as_str()) { ", required" } else { "" };
        (name.clone(), format!("{kind}{must}"))
    };
    properties.iter().map(one).collect()
}

fn kind(schema: &Value) -> String {
    let plain = schema.get("type").and_then(Value::as_str).map(str::to_owned);
    // A kind that may be null comes as a choice of two.
    let choice = || {
        let kinds = schema.get("anyOf")?.as_array()?.iter().filter_map(|s| s.get("type")?.as_str());
        Some(kinds.filter(|k| *k != "null").collect::<Vec<_>>().join(" or "))
    };
    plain.or_else(choice).filter(|k| !k.is_empty()).unwrap_or_else(|| "any".to_owned())
}

/// Which argument each field probably is.
fn mapping(tool: &Tool) -> Vec<(&'static str, String)> {
    let there = arguments(tool);
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    FIELDS
        .iter()
        .filter_map(|(ours, field)| {
            let (_, names) = NAMES.iter().find(|(f, _)| f == field)?;
            let theirs = names.iter().find_map(|n| there.iter().find(|(name, _)| plain(name) == **n))?;
            Some((*ours, theirs.0.clone()))
        })
        .collect()
}

/// The tool that most likely gives log lines.
fn likely(tools: &[Tool]) -> Option<&Tool> {
    let score = |t: &&Tool| {
        let name = t.name.to_ascii_lowercase();
        let words = LIKELY.iter().filter(|w| name.contains(**w)).count() * 2;
        let mapped = mapping(t);
        let has = |field: &str| usize::from(mapped.iter().any(|(f, _)| *f == field));
        words + has("query") * 2 + has("from") * 3 + has("to") + has("limit")
    };
    tools.iter().max_by_key(score).filter(|t| !mapping(t).is_empty())
}

/// How an argument wants instants, by its name and what is said of it.
fn time_format(tool: &Tool, argument: &str) -> &'static str {
    let schema = tool.input_schema.get("properties").and_then(|p| p.get(argument));
    let words = schema.and_then(|s| s.get("description")).and_then(Value::as_str).unwrap_or_default();
    let words = format!("{argument} {words}").to_ascii_lowercase();
    let number = schema.is_some_and(|s| matches!(kind(s).as_str(), "integer" | "number"));
    let has = |needle: &str| words.contains(needle);
    match (number, has("nano") || has("_ns"), has("milli") || has("_ms") || has("epoch ms")) {
        (_, true, _) => "epoch_ns",
        (_, _, true) => "epoch_ms",
        (true, ..) => "epoch_s",
        _ => "rfc3339",
    }
}

/// A text of TOML in quotes.
fn quoted(text: &str) -> String {
    Value::from(shown(text)).to_string()
}

/// A mapping to paste behind the server's `[[mcp]]`.
pub fn toml(tools: &[Tool]) -> Option<String> {
    let tool = likely(tools)?;
    let mapped = mapping(tool);
    let mut out = String::from("[mcp.search]\n");
    let args: Vec<String> = mapped.iter().map(|(ours, theirs)| format!("{ours} = {}", quoted(theirs))).collect();
    let _ = writeln!(out, "tool = {}\nargs = {{ {} }}", quoted(&tool.name), args.join(", "));
    if let Some((_, from)) = mapped.iter().find(|(f, _)| *f == "from") {
        let _ = writeln!(out, "time_format = {}", quoted(time_format(tool, from)));
    }
    let left: Vec<String> = arguments(tool)
        .iter()
        .filter(|(name, _)| !mapped.iter().any(|(_, theirs)| theirs == name))
        .map(|(name, kind)| format!("{} ({kind})", shown(name)))
        .collect();
    if !left.is_empty() {
        let _ = writeln!(out, "# Not mapped; what is required goes into fixed = {{ … }}: {}", left.join(", "));
    }
    out.push_str("\n[mcp.search.result]\n# warroom mcp call shows an answer; with --lines as it is read by this mapping.\nfrom = \"auto\"\n");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(name: &str, properties: Value) -> Tool {
        serde_json::from_value(
            json!({"name": name, "inputSchema": {"type": "object", "properties": properties, "required": ["q"]}}),
        )
        .unwrap()
    }

    #[test]
    fn the_log_tool_is_found_and_mapped_and_what_comes_out_is_a_configuration() {
        let tools = [
            tool("list_orders", json!({"limit": {"type": "integer"}})),
            tool(
                "search_logs",
                json!({"q": {"type": "string"}, "start_ms": {"type": "integer"}, "end_ms": {"type": "integer"},
                "page_token": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "index": {"type": "string"}}),
            ),
        ];
        let text = toml(&tools).unwrap();
        assert!(
            text.contains("args = { query = \"q\", from = \"start_ms\", to = \"end_ms\", cursor = \"page_token\" }"),
            "{text}"
        );
        assert!(text.contains("epoch_ms") && text.contains("index (string)"), "{text}");
        let whole = format!("[[mcp]]\nname = \"m\"\ncommand = [\"x\"]\n\n{text}");
        crate::config::load::parse(std::path::Path::new("c.toml"), &whole).0.unwrap();
        assert_eq!(arguments(&tools[1])[0], ("end_ms".to_owned(), "integer".to_owned()));
        assert!(arguments(&tools[1]).contains(&("q".to_owned(), "string, required".to_owned())));
    }

    #[test]
    fn a_server_without_anything_like_it_gets_no_mapping() {
        assert_eq!(toml(&[tool("echo", json!({"message": {"type": "string"}}))]), None);
        assert_eq!(toml(&[]), None);
    }
}
