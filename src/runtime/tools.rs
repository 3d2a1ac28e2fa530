//! `mcp probe` and `mcp call`: what a server of tools is, and what a tool answers, for a person who writes a
//! mapping. What comes from outside is shown, never obeyed.

use crate::cli::{Options, Tools};
use crate::config::mcp::Era;
use crate::model::untrusted::shown;
use crate::model::{Lapse, Zone};
use crate::runtime::effects::now;
use crate::runtime::folders::Folders;
use crate::runtime::start::{configuration, print};
use crate::runtime::{Ending, signals};
use crate::source::mcp::read::{self, Page, Reader};
use crate::source::mcp::{Again, Link, Trouble, guess};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Runs one of them. An interrupt ends the server as well.
pub async fn run(options: &Options, folders: &Folders, what: &Tools) -> Ending {
    let (Tools::Probe { name } | Tools::Call { name, .. }) = what;
    let config = match configuration(options, folders) {
        Ok(config) => config,
        Err(says) => return Ending::Refused(says),
    };
    let Some(mcp) = config.mcp.iter().find(|m| m.name == *name) else {
        let there: Vec<&str> = config.mcp.iter().map(|m| m.name.as_str()).collect();
        let there =
            if there.is_empty() { "there is none".to_owned() } else { format!("there are: {}", there.join(", ")) };
        return Ending::Refused(format!("{} has no [[mcp]] named \"{}\"; {there}", config.file.display(), shown(name)));
    };
    let link = Link::new(mcp.clone());
    let work = async {
        match what {
            Tools::Probe { .. } => probe(&link).await,
            Tools::Call { tool, arguments, lines, .. } => {
                call(&link, &config.incident.zone, tool, arguments, *lines).await
            }
        }
    };
    let ending = tokio::select! {
        ending = work => ending,
        ending = interrupted() => ending,
    };
    link.close().await;
    ending
}

/// Comes back when somebody wants to leave.
async fn interrupted() -> Ending {
    match signals::Signals::listen() {
        Ok(mut signals) => loop {
            match signals.next().await {
                signals::Asked::Stop | signals::Asked::Continue => {}
                asked => return Ending::Signal(asked.exit_code()),
            }
        },
        Err(e) => Ending::Failed(format!("signals cannot be listened to ({e})")),
    }
}

/// A failure in words, with the server's name.
fn failed(link: &Link, trouble: &Trouble) -> Ending {
    Ending::Failed(format!("{}: {}", link.config().name, trouble.sentence()))
}

async fn probe(link: &Link) -> Ending {
    let found = async { Ok((link.introduction().await?, link.tools().await?)) }.await;
    let (intro, tools) = match found {
        Ok(found) => found,
        Err(trouble) => return failed(link, &trouble),
    };
    let era = if intro.era == Era::Legacy { "legacy" } else { "modern" };
    let server = if intro.server.is_empty() { "says no name".to_owned() } else { shown(&intro.server) };
    let mut out = format!("server   {server}\nprotocol {} ({era})\n", shown(&intro.version));
    if let Some(stray) = intro.stray {
        let _ = writeln!(out, "output   has what is no message, which was let go: {stray}");
    }
    let _ = writeln!(out, "tools    {}", tools.len());
    for tool in &tools {
        let about = tool.description.as_deref().unwrap_or_default();
        let about: String = shown(about.lines().next().unwrap_or_default()).chars().take(80).collect();
        let _ = writeln!(out, "\n{}  {about}", shown(&tool.name));
        for (name, kind) in guess::arguments(tool) {
            let _ = writeln!(out, "    {:<20} {}", shown(&name), shown(&kind));
        }
    }
    match guess::toml(&tools) {
        Some(mapping) => {
            let _ = write!(out, "\n# Guessed; correct it and paste it behind this server's [[mcp]]:\n{mapping}");
        }
        None => out.push_str("\nNo tool looks as if it gave log lines.\n"),
    }
    print(&out)
}

async fn call(link: &Link, zone: &Zone, tool: &str, arguments: &str, lines: bool) -> Ending {
    let arguments = match serde_json::from_str::<Map<String, Value>>(arguments) {
        Ok(arguments) => arguments,
        Err(e) => {
            return Ending::Refused(format!(
                "the arguments are no JSON object ({e}): write them like '{{\"query\": \"timeout\"}}'"
            ));
        }
    };
    let reader = match (lines, &link.config().search) {
        (false, _) => None,
        (true, Some(search)) => match Reader::new(search, &link.config().name) {
            Ok(reader) => Some(reader),
            Err(trouble) => return failed(link, &trouble),
        },
        (true, None) => {
            return Ending::Refused(format!(
                "{} has no [mcp.search]: without a mapping an answer is no lines",
                link.config().name
            ));
        }
    };
    // Nobody knows what the tool does: it is called once, whatever happens.
    let reply = match link.call(tool, &arguments, Again::Never).await {
        Ok(reply) => reply,
        Err(trouble) => return failed(link, &trouble),
    };
    match reader {
        None => print(&read::as_it_is(&reply.result)),
        Some(reader) => match reader.read(&reply.result, now()) {
            Ok(page) => print(&as_lines(&page, zone, reply.bytes, reply.took)),
            Err(trouble) => failed(link, &trouble),
        },
    }
}

/// An answer as the lines it is read as, and what else it says.
fn as_lines(page: &Page, zone: &Zone, bytes: u64, took: Lapse) -> String {
    let mut out = String::new();
    for (_, line) in &page.lines {
        let order = line.order.as_deref().map_or_else(String::new, |o| format!(" {}", shown(o)));
        let at = zone.format(line.at, "%Y-%m-%d %H:%M:%S%.3f");
        let _ =
            writeln!(out, "{at} {} {}{order} {}", line.level.letter(), shown(&line.service), shown(line.message.raw()));
        for more in &line.stack {
            let _ = writeln!(out, "    {}", shown(more.raw()));
        }
    }
    let _ = write!(out, "{} lines of {} rows in {bytes} bytes, {} ms", page.lines.len(), page.rows, took.0 / 1_000);
    if page.undated > 0 {
        let _ = write!(out, "; {} rows have no time that is understood", page.undated);
    }
    if let Some(total) = page.total {
        let _ = write!(out, "; {total} in all");
    }
    if page.truncated {
        out.push_str("; the tool says that it cut the answer");
    }
    if page.next.is_some() {
        out.push_str("; there is a next page");
    }
    out.push('\n');
    out
}
