//! The server table: a mapping that is read, what is wrong with its line, secrets that do not show.

use super::*;
use crate::config::load::parse;
use crate::config::mcp_search::{AnyOf, Field, TimeFormat, placeholders};
use std::path::Path;

fn says(text: &str) -> Vec<String> {
    parse(Path::new("config.toml"), text).0.unwrap_err().iter().map(ToString::to_string).collect()
}

fn one(text: &str) -> McpConfig {
    parse(Path::new("config.toml"), text).0.unwrap().mcp.remove(0)
}

#[test]
fn a_server_with_a_mapping() {
    let c = one(r#"
[[mcp]]
name = "logtool"
command = ["/opt/logtool", "--mcp"]
env = { TOKEN = "${env:T}", LANG = "C" }
timeout_s = 30
[mcp.search]
tool = "search_logs"
args = { query = "q", from = "start", to = "end" }
template.query = '{app=~"{service|.+}"} |= `{query}`'
time_format = "epoch_ns"
any_of = "none"
fixed = { index = "mrg-*", size = 5, deep = { on = true } }
[mcp.search.result]
rows = "hits.hits"
"#);
    let s = c.search.unwrap();
    assert_eq!(c.timeout, Lapse::seconds(30));
    assert!(matches!(&c.door, Door::Stdio { command, env } if command.len() == 2 && env.len() == 2));
    assert_eq!(
        (s.any_of, s.time, s.result.rows.as_deref()),
        (AnyOf::OneByOne, TimeFormat::Epoch(1_000_000_000), Some("hits.hits"))
    );
    assert_eq!(s.fixed["deep"]["on"], true);
    assert_eq!(s.args[&Field::From], "start");
    assert_eq!(placeholders(&s.template[&Field::Query]).collect::<Vec<_>>(), ["service", "query"]);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_remedy() {
    let text = r#"
[[mcp]]
name = "a"
transport = "http"
command = ["x"]
[[mcp]]
name = "b"
command = ["x"]
timeout_s = 300
[mcp.search]
args = { qery = "q", to = "end" }
template.query = "{queri}"
time_format = "epoch"
[mcp.search.result]
line_regex = "("
"#;
    let all = says(text).join("\n");
    for (line, words) in [
        (2, "mcp.url: is missing"),
        (5, "mcp.command: does not go with transport = \"http\""),
        (9, "from 1 to 60"),
        (10, "mcp.search.tool: is missing"),
        (11, "\"qery\" is no field of warroom"),
        (12, "which args does not map"),
        (12, "{queri}"),
        (13, "rfc3339_ms"),
        (15, "is no regular expression"),
    ] {
        assert!(
            all.lines().any(|l| l.starts_with(&format!("config.toml:{line}:")) && l.contains(words)),
            "{line} {words}\n{all}"
        );
    }
}

#[test]
fn a_secret_written_into_the_file_is_known_for_one_and_never_shown() {
    let with = |env: &str| one(&format!("[[mcp]]\nname = \"a\"\ncommand = [\"x\"]\nenv = {{ {env} }}\n"));
    assert!(with("LOG_TOKEN = \"hunter2\"").is_plain());
    assert!(!with("LOG_TOKEN = \"env:T\", LANG = \"C\"").is_plain());
    assert!(!format!("{:?}", with("LOG_TOKEN = \"hunter2\"")).contains("hunter2"));
    assert!(!format!("{:?}", with("LOG_TOKEN = \"hunter2 ${env:T}\"")).contains("hunter2"));
}
