//! Real servers of the public registries, prepared by `tests/mcp-servers`: the official Python SDK in its two
//! majors over both wires, the official Node servers. Where one is missing the test says so.

use super::server;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use warroom::config::McpConfig;
use warroom::config::mcp::Era;
use warroom::model::{Lapse, Span, Stamp};
use warroom::source::mcp::ask::Question;
use warroom::source::mcp::read::{Reader, as_it_is};
use warroom::source::mcp::search::{Found, Seen, search};
use warroom::source::mcp::{Again, Link};

const BY_CURSOR: &str = r#"
[mcp.search]
tool = "search_logs"
args = { query = "query", from = "start", to = "end", limit = "limit", cursor = "cursor" }
time_format = "strftime:%Y-%m-%dT%H:%M:%S+00:00"
limit_max = 100
window_max = "5m"
"#;
const BY_TIME: &str = r#"
[mcp.search]
tool = "recent_logs"
args = { from = "start", to = "end", limit = "limit" }
time_format = "strftime:%Y-%m-%dT%H:%M:%S+00:00"
limit_max = 100
window_max = "5m"
"#;

/// A file of the prepared folder, when it is there.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn prepared(file: &str) -> Option<PathBuf> {
    let folder = std::env::var("WARROOM_MCP_SERVERS").ok().filter(|f| !f.is_empty());
    let path = folder.map(|f| Path::new(&f).join(file)).filter(|p| p.exists());
    if path.is_none() {
        println!("skipped: WARROOM_MCP_SERVERS has no {file}; tests/run prepares it where it can");
    }
    path
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/mcp_logs.py")
}

fn child(command: &[&str], more: &str) -> McpConfig {
    let head = format!("[[mcp]]\nname = \"real\"\ncommand = {}\nmin_interval_ms = 0\ntimeout_s = 60\n", json!(command));
    server(&format!("{head}{more}"))
}

async fn all(link: &Link, words: &[&str]) -> Found {
    let mapping = link.config().search.clone().unwrap();
    let reader = Reader::new(&mapping, "real").unwrap();
    let from = Stamp::parse_rfc3339("2025-01-12T19:30:00+07:00").unwrap();
    let span = Span::new(from, from + Lapse::minutes(10));
    let question = Question { words: words.iter().map(|w| (*w).to_owned()).collect(), ..Question::all(span) };
    search(link, &mapping, &reader, &question, &mut Seen::default(), span.to).await.unwrap()
}

fn whole(found: &Found) {
    assert_eq!(found.missing, Vec::<String>::new());
    let orders: BTreeSet<&str> = found.lines.iter().filter_map(|l| l.order.as_deref()).collect();
    assert_eq!((found.lines.len(), orders.len()), (600, 600), "each line once, each with its order");
    assert!(found.lines.is_sorted_by_key(|l| l.at));
}

/// Both ways of paging, the words, and a failing tool.
async fn speaks(link: impl Fn(&str) -> McpConfig, era: Era) {
    let by_cursor = Link::new(link(BY_CURSOR));
    assert_eq!(by_cursor.introduction().await.unwrap().era, era);
    let found = all(&by_cursor, &[]).await;
    whole(&found);
    assert_eq!(found.calls, 6, "two windows of three pages");
    assert_eq!(found.lines.iter().filter(|l| &*l.service == "upg").count(), 200);
    assert_eq!(all(&by_cursor, &["timeout", "circuit"]).await.lines.len(), 120);
    assert!(
        by_cursor
            .call("broken", &Map::new(), Again::May)
            .await
            .unwrap_err()
            .sentence()
            .contains("Error executing tool broken")
    );
    by_cursor.close().await;

    let by_time = Link::new(link(BY_TIME));
    whole(&all(&by_time, &[]).await);
    by_time.close().await;
    let one_by_one = Link::new(link(&format!("{BY_CURSOR}any_of = \"none\"\n")));
    let found = all(&one_by_one, &["timeout", "acquire"]).await;
    assert_eq!((found.lines.len(), found.calls), (120, 4), "two words in two windows, each line once");
    one_by_one.close().await;
}

async fn python(major: &str, era: Era) {
    let Some(python) = prepared(&format!("python{major}/bin/python")) else { return };
    let command = [python.to_str().unwrap(), script().to_str().unwrap()].map(str::to_owned);
    speaks(|more| child(&[&command[0], &command[1]], &format!("era = \"auto\"\n{more}")), era).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_sdk_of_the_legacy_era_as_a_child() {
    python("1", Era::Legacy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_sdk_of_both_eras_as_a_child() {
    let Some(python) = prepared("python2/bin/python") else { return };
    // A machine that is busy may need longer to start it than its era is waited for.
    let command = [python.to_str().unwrap(), script().to_str().unwrap()].map(str::to_owned);
    for (word, era) in [("modern", Era::Modern), ("legacy", Era::Legacy)] {
        speaks(|more| child(&[&command[0], &command[1]], &format!("era = \"{word}\"\n{more}")), era).await;
    }
}

async fn over_http(major: &str, era: Era) {
    let Some(python) = prepared(&format!("python{major}/bin/python")) else { return };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = tokio::process::Command::new(python);
    command.arg(script()).args(["--http", &port.to_string()]).stderr(Stdio::null()).kill_on_drop(true);
    let _running = command.spawn().unwrap();
    for _ in 0..600 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let head = format!(
        "[[mcp]]\nname = \"real\"\nurl = \"http://127.0.0.1:{port}/mcp\"\nmin_interval_ms = 0\ntimeout_s = 60\n"
    );
    speaks(|more| server(&format!("{head}{more}")), era).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_sdk_of_the_legacy_era_over_http() {
    over_http("1", Era::Legacy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_sdk_of_both_eras_over_http() {
    over_http("2", Era::Modern).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_node_servers() {
    if let Some(program) = prepared("node/node_modules/.bin/mcp-server-everything") {
        let link = Link::new(child(&[program.to_str().unwrap()], ""));
        assert_eq!(link.introduction().await.unwrap().era, Era::Legacy);
        assert!(link.tools().await.unwrap().iter().any(|t| t.name == "echo"));
        let hello = Map::from_iter([("message".to_owned(), Value::from("halo"))]);
        let reply = link.call("echo", &hello, Again::May).await.unwrap();
        assert!(as_it_is(&reply.result).contains("halo"));
        link.close().await;
    }
    if let Some(program) = prepared("node/node_modules/.bin/mcp-server-filesystem") {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let file = folder.join("mrg.log");
        std::fs::write(&file, "2025-01-12T12:31:08Z ERROR acquire timeout\n2025-01-12T12:31:09Z INFO ok\n").unwrap();
        let search = format!(
            "[mcp.search]\ntool = \"read_text_file\"\nargs = {{}}\nfixed = {{ path = {} }}\n[mcp.search.result]\nfrom = \"text\"\n",
            json!(file.to_str().unwrap())
        );
        let link = Link::new(child(&[program.to_str().unwrap(), folder.to_str().unwrap()], &search));
        let found = all(&link, &["timeout"]).await;
        assert_eq!((found.lines.len(), found.calls), (1, 1), "words and time are sorted out here");
        assert_eq!(found.lines[0].message.raw(), "acquire timeout");
        link.close().await;
    }
}
