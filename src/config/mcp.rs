//! `[[mcp]]`: a server of tools, how it is reached, and which of its tools answers with log lines.
//!
//! May not know: the protocol, and what a tool's answer looks like on the wire.

use crate::config::Secret;
use crate::config::mcp_histogram::{Histogram, histogram};
use crate::config::mcp_search::{Search, search};
use crate::config::prometheus::checked;
use crate::config::section::Section;
use crate::model::Lapse;

/// `[[mcp]]`
#[derive(Clone, Debug)]
pub struct McpConfig {
    /// Name on the dot.
    pub name: String,
    /// Where it is.
    pub door: Door,
    /// Which era of the protocol it is spoken to in.
    pub era: Era,
    /// How long one call may take.
    pub timeout: Lapse,
    /// Calls that wait for their answers at the same time.
    pub max_in_flight: u32,
    /// Shortest time between the beginnings of two calls.
    pub min_interval: Lapse,
    /// How often the newest lines are asked for.
    pub interval: Lapse,
    /// How far back lines are asked for at the start.
    pub read_back: Lapse,
    /// Its tool for log lines; without one it is only reached by `warroom mcp`.
    pub search: Option<Search>,
    /// Its tool that counts them.
    pub histogram: Option<Histogram>,
}

/// Where a server is.
#[derive(Clone, Debug)]
pub enum Door {
    /// A program of this machine, spoken to over its standard input and output.
    Stdio {
        /// The program and its arguments.
        command: Vec<String>,
        /// Variables it gets besides ours.
        env: Vec<(String, Secret)>,
    },
    /// A URL.
    Http {
        /// It.
        url: String,
        /// Headers of every request.
        headers: Vec<(String, Secret)>,
    },
}

/// Eras of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Found out.
    Auto,
    /// 2026-07-28 and later: no session, every request says who asks.
    Modern,
    /// Up to 2025-11-25: a handshake first.
    Legacy,
}

/// Names of variables and headers whose values are secrets, whatever stands in them.
const SECRET_NAMES: [&str; 7] = ["token", "key", "secret", "password", "passwd", "authorization", "cookie"];

impl McpConfig {
    /// Whether a secret stands in the configuration itself.
    pub fn is_plain(&self) -> bool {
        let secret = |name: &str| {
            let name = name.to_ascii_lowercase();
            SECRET_NAMES.iter().any(|s| name.contains(s))
        };
        self.door.secrets().iter().any(|(name, value)| secret(name) && value.is_plain())
    }
}

impl Door {
    /// What may hold secrets, with the names it goes by.
    pub fn secrets(&self) -> &[(String, Secret)] {
        match self {
            Self::Stdio { env, .. } => env,
            Self::Http { headers, .. } => headers,
        }
    }
}

/// Reads one `[[mcp]]`.
pub fn mcp(s: &Section<'_>) -> Option<McpConfig> {
    let name = s.needed("name", "it stands beside the server's dot, and warroom mcp takes it");
    let door = door(s);
    let eras = [("auto", Era::Auto), ("modern", Era::Modern), ("legacy", Era::Legacy)];
    let out = McpConfig {
        name: name.clone().unwrap_or_default(),
        era: s.choice("era", &eras).unwrap_or(Era::Auto),
        timeout: Lapse::seconds(i64::from(s.whole("timeout_s", 20, 1..=60))),
        max_in_flight: s.whole("max_in_flight", 2, 1..=4),
        min_interval: Lapse::millis(i64::from(s.whole("min_interval_ms", 500, 0..=60_000))),
        interval: s.lapse("interval", Lapse::seconds(15), Lapse::seconds(1)),
        read_back: s.lapse("read_back", Lapse::minutes(15), Lapse::ZERO),
        search: s.section("search").and_then(|s| search(&s)),
        histogram: s.section("histogram").and_then(|s| histogram(&s)),
        door: door.clone().unwrap_or(Door::Stdio { command: Vec::new(), env: Vec::new() }),
    };
    if out.histogram.is_some() && out.search.is_none() {
        s.problem("histogram", "goes with [mcp.search], which is missing: a source of lines has both");
    }
    s.finish();
    name.and(door).map(|_| out)
}

fn door(s: &Section<'_>) -> Option<Door> {
    let kind = s.choice("transport", &[("stdio", false), ("http", true)]);
    let http = kind.unwrap_or_else(|| s.has("url"));
    let command = s.texts("command").unwrap_or_default();
    let url = s.text("url");
    let env = secrets(s, "env");
    let headers = secrets(s, "headers");
    for (key, of_http) in [("command", false), ("env", false), ("url", true), ("headers", true)] {
        if s.has(key) && http != of_http {
            let kind = if http { "http" } else { "stdio" };
            s.problem(
                key,
                format!(
                    "does not go with transport = \"{kind}\": command and env are for stdio, url and headers for http"
                ),
            );
        }
    }
    if http {
        let Some(url) = url else {
            s.problem("url", "is missing: transport = \"http\" needs it, like \"https://logs.internal/mcp\"");
            return None;
        };
        for (name, _) in &headers {
            if name.bytes().any(|b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'_')) {
                s.problem("headers", format!("\"{name}\" is no name of a header"));
            }
        }
        return match checked(&url) {
            Ok(url) => Some(Door::Http { url, headers }),
            Err(says) => {
                s.problem("url", says);
                None
            }
        };
    }
    if command.first().is_none_or(String::is_empty) {
        s.problem("command", "is missing or empty: name the program and its arguments, like [\"/opt/logs/bin/mcp\", \"--profile\", \"prod\"]; or write url");
        return None;
    }
    Some(Door::Stdio { command, env })
}

fn secrets(s: &Section<'_>, key: &str) -> Vec<(String, Secret)> {
    s.words(key, |t| Ok(Secret::words(t, s.page().folder())))
}

#[cfg(test)]
#[path = "mcp_tests.rs"]
mod tests;
