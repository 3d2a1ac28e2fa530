//! A tool that counts: asked by its mapping, its answer read as counts by the minute.
//!
//! May not know: when it is asked.

use crate::config::log_server::Counter;
use crate::config::mcp_histogram::Histogram;
use crate::config::mcp_search::Search;
use crate::model::Span;
use crate::model::series::Counted;
use crate::source::engine::{Counts, STEP, counted_rows};
use crate::source::mcp::ask::{Question, arguments};
use crate::source::mcp::link::{Again, Link, text};
use crate::source::mcp::trouble::Trouble;
use rmcp::model::CallToolResult;
use serde_json::Value;

/// Asks for the counts of a stretch, which begins and ends on whole minutes. With them comes what it cost in bytes.
pub async fn counts(
    link: &Link,
    search: &Search,
    histogram: &Histogram,
    counter: &Counter,
    span: Span,
) -> Result<(Counts, u64), Trouble> {
    let mapping = Search { args: histogram.args.clone(), fixed: histogram.fixed.clone(), ..search.clone() };
    let mapping = Search { template: std::collections::BTreeMap::new(), ..mapping };
    let question = Question { words: counter.filter.clone().into_iter().collect(), ..Question::all(span) };
    let mut arguments = arguments(&mapping, &question, None);
    let step = STEP.whole_seconds() * histogram.step_per_second;
    arguments.insert(histogram.step.clone(), Value::from(step));
    let reply = link.call(&histogram.tool, &arguments, Again::May).await?;
    let place = (histogram.rows.as_str(), histogram.ts.as_str(), histogram.count.as_str());
    let windows = document(&reply.result).and_then(|d| counted_rows(&d, place, span));
    let missing = || format!("there are no rows under {} in what {} answers", histogram.rows, histogram.tool);
    let windows = windows.ok_or_else(|| Trouble::Unreadable(missing()))?;
    Ok((Counts { how: Counted::Engine, by: "its own histogram by the minute", windows }, reply.bytes))
}

/// The structured part, else the text as JSON; some kits put the text into a structured part once more.
fn document(result: &CallToolResult) -> Option<Value> {
    let inner = |d: &Value| serde_json::from_str(d.get("result")?.as_str()?).ok();
    match &result.structured_content {
        Some(document) => inner(document).or_else(|| Some(document.clone())),
        None => serde_json::from_str(&text(result)).ok(),
    }
}
