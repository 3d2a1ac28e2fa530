//! `[mcp.histogram]`: the tool of a server that counts lines by itself, and where in its answer the counts stand.
//!
//! May not know: how a call is made.

use crate::config::log_server::{Counter, counters};
use crate::config::mcp_search::{Field, constants, fields};
use crate::config::section::Section;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `[mcp.histogram]`
#[derive(Clone, Debug)]
pub struct Histogram {
    /// The tool.
    pub tool: String,
    /// Our fields and its arguments; instants are in the format of the search.
    pub args: BTreeMap<Field, String>,
    /// Arguments that are always the same.
    pub fixed: Map<String, Value>,
    /// The argument for the length of a window.
    pub step: String,
    /// Seconds are one, milliseconds a thousand to the second.
    pub step_per_second: i64,
    /// Where the rows are.
    pub rows: String,
    /// When a window begins.
    pub ts: String,
    /// How many lines it has.
    pub count: String,
    /// What is counted, minute by minute; the first is all lines.
    pub counters: Vec<Counter>,
}

/// Reads `[mcp.histogram]`.
pub fn histogram(s: &Section<'_>) -> Option<Histogram> {
    let tool = s.needed("tool", "the name of the tool that counts; warroom mcp probe lists them");
    let args = fields(s, "args");
    if !(args.contains_key(&Field::From) && args.contains_key(&Field::To)) {
        s.problem("args", "has no from and to: a count is one of a stretch");
    }
    let text = |key: &str, usual: &str| s.text(key).unwrap_or_else(|| usual.to_owned());
    let out = Histogram {
        tool: tool.clone().unwrap_or_default(),
        args,
        fixed: s.section("fixed").map(|f| constants(&f)).unwrap_or_default(),
        step: text("step", "step"),
        step_per_second: s.choice("step_unit", &[("s", 1), ("ms", 1000)]).unwrap_or(1),
        rows: text("rows", "buckets"),
        ts: text("ts", "ts"),
        count: text("count", "count"),
        counters: counters(s),
    };
    s.finish();
    tool.map(|_| out)
}
