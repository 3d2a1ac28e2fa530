//! Servers of tools (MCP): reached over a child's standard streams or HTTP, in both eras of the protocol, and
//! asked for log lines by a mapping.
//!
//! A tool's answer is data: read by the mapping, never obeyed. May not know: what the lines are good for.

pub mod ask;
mod count;
pub mod guess;
pub mod link;
mod live;
mod pipe;
pub mod read;
pub mod search;
pub mod trouble;

use crate::config::Config;
use crate::model::Batch;
use crate::source::Recorded;
use crate::source::check::{CheckLine, Ok as CheckOk};
use crate::source::clock::Clock;
use crate::source::runner::{Handle, spawn};
pub use link::{Again, Link};
pub use live::since;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
pub use trouble::Trouble;

/// Starts asking every `[[mcp]]` that has a log tool; with the askers come those who end the connections, and
/// the children with them.
pub fn start(
    config: &Config,
    recorded: &Recorded,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> (Vec<Handle>, Vec<JoinHandle<()>>) {
    let clock = Clock::wall();
    let one = |mcp: &crate::config::McpConfig| {
        let link = Arc::new(Link::new(mcp.clone()));
        let desk = Arc::new(Mutex::new(live::Desk::new(Arc::clone(&link), config, recorded, &clock)));
        let make = move || live::Asker(Arc::clone(&desk));
        let handle = spawn(live::plan(mcp), make, to.clone(), cancel.clone());
        let cancel = cancel.clone();
        let ending = tokio::spawn(async move {
            cancel.cancelled().await;
            link.close().await;
        });
        (handle, ending)
    };
    config.mcp.iter().filter(|m| m.search.is_some()).map(one).unzip()
}

/// Reaches every server once, for `warroom check`.
pub async fn check(config: &Config) -> Vec<CheckLine> {
    let all = config.mcp.iter().map(|mcp| async {
        let link = Link::new(mcp.clone());
        let lines = reach(&link).await;
        link.close().await;
        lines
    });
    futures_util::future::join_all(all).await.into_iter().flatten().collect()
}

async fn reach(link: &Link) -> Vec<CheckLine> {
    let name = &link.config().name;
    let not = |what: &str, trouble: &Trouble| {
        let (_, says, remedy) = trouble.words();
        CheckLine::not(name, what, CheckOk::No, says, remedy)
    };
    let intro = match link.introduction().await {
        Ok(intro) => intro,
        Err(trouble) => return vec![not("connection", &trouble)],
    };
    let mut out = vec![CheckLine::yes(name, "connection", format!("{}, MCP {}", intro.server, intro.version))];
    if let Some(stray) = intro.stray {
        let says = format!("its standard output has what is no message: {stray}");
        out.push(CheckLine::not(
            name,
            "output",
            CheckOk::Partly,
            says,
            "harmless here; such words belong on standard error",
        ));
    }
    let tools = match link.tools().await {
        Ok(tools) => tools,
        Err(trouble) => {
            out.push(not("tools", &trouble));
            return out;
        }
    };
    let names: Vec<String> = tools.iter().map(|t| t.name.to_string()).collect();
    let Some(search) = &link.config().search else {
        out.push(CheckLine::yes(
            name,
            "tools",
            format!("{} tools; none is asked for lines: it has no [mcp.search]", names.len()),
        ));
        return out;
    };
    if let Some(histogram) = &link.config().histogram {
        out.push(if names.contains(&histogram.tool) {
            CheckLine::yes(name, format!("tool {}", histogram.tool), "there; it counts by the minute")
        } else {
            not("tools", &Trouble::NoTool(histogram.tool.clone(), names.clone()))
        });
    }
    match tools.iter().find(|t| t.name == search.tool) {
        None => out.push(not("tools", &Trouble::NoTool(search.tool.clone(), names))),
        Some(tool) => {
            let there = guess::arguments(tool);
            let wrong: Vec<&str> = search
                .args
                .values()
                .map(|a| a.split('.').next().unwrap_or(a))
                .filter(|a| !there.is_empty() && !there.iter().any(|(n, _)| n == a))
                .collect();
            if wrong.is_empty() {
                out.push(CheckLine::yes(
                    name,
                    format!("tool {}", search.tool),
                    format!("there, with {} arguments", there.len()),
                ));
            } else {
                let says = format!(
                    "has no argument {}; it has: {}",
                    wrong.join(", "),
                    there.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ")
                );
                out.push(CheckLine::not(
                    name,
                    format!("tool {}", search.tool),
                    CheckOk::No,
                    says,
                    "correct args in its [mcp.search]; warroom mcp probe writes one",
                ));
            }
        }
    }
    out
}
