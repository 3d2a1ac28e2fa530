//! Servers of tools: badly behaved children and HTTP servers of our own here, real ones in [`real`], the program
//! and the live source in [`program`].

mod http;
mod program;
mod real;

use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use warroom::config::McpConfig;
use warroom::config::mcp::Era;
use warroom::source::mcp::read::Reader;
use warroom::source::mcp::{Again, Link, Trouble};

/// The script of the fake.
fn fake() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/mcp_fake.sh")
}

/// The one `[[mcp]]` of a configuration.
fn server(text: &str) -> McpConfig {
    let (config, _) = warroom::config::load::parse(Path::new("config.toml"), text);
    config.unwrap().mcp.remove(0)
}

/// A `[[mcp]]` of a fake child.
fn block(mode: &str, folder: &Path) -> String {
    format!(
        "[[mcp]]\nname = \"fake\"\nmin_interval_ms = 0\ntimeout_s = 20\ncommand = [\"/bin/sh\", \"{}\", \"{mode}\", \"{}\"]\n",
        fake().display(),
        folder.display()
    )
}

struct Fake {
    link: Link,
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(mode: &str, further: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::new(server(&format!("{}{further}", block(mode, folder.path()))));
        Self { link, folder }
    }
    async fn call(&self, tool: &str, again: Again) -> Result<String, Trouble> {
        let reply = self.link.call(tool, &Map::new(), again).await?;
        Ok(warroom::source::mcp::read::as_it_is(&reply.result))
    }
    /// Requests of a method that it got.
    fn asked(&self, method: &str) -> usize {
        let text = std::fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default();
        text.lines().filter(|l| l.contains(&format!("\"method\":\"{method}\""))).count()
    }
    /// Ends it, and waits until none of its processes is left.
    async fn gone(self) {
        self.link.close().await;
        none_left(self.folder.path()).await;
    }
}

/// Every process a fake wrote down.
fn processes(folder: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(folder.join("pids")).unwrap_or_default();
    text.lines().filter_map(|l| l.trim().parse().ok()).collect()
}

/// A process that nobody has waited for is gone too.
fn is_gone(id: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { return true };
    stat.rsplit(')').next().unwrap().trim_start().starts_with('Z')
}

async fn none_left(folder: &Path) {
    let all = processes(folder);
    assert!(!all.is_empty(), "the fake never ran");
    for _ in 0..200 {
        if all.iter().all(|id| is_gone(*id)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left: Vec<&u32> = all.iter().filter(|id| !is_gone(**id)).collect();
    assert!(left.is_empty(), "processes are left: {left:?}");
}

#[tokio::test]
async fn a_legacy_server_is_found_out_by_its_refusal_and_once_for_all_calls() {
    let fake = Fake::new("plain", "");
    let intro = fake.link.introduction().await.unwrap();
    assert_eq!((intro.era, intro.version.as_str(), intro.server.as_str()), (Era::Legacy, "2025-06-18", "fake 1.0"));
    assert!(fake.call("lines", Again::May).await.unwrap().contains("acquire timeout"));
    assert_eq!(
        (fake.asked("server/discover"), fake.asked("initialize"), processes(fake.folder.path()).len()),
        (1, 1, 2)
    );
    fake.gone().await;
}

#[tokio::test]
async fn a_server_that_is_silent_to_the_new_question_is_spoken_to_in_the_old_way() {
    let fake = Fake::new("mute", "");
    assert_eq!(fake.link.introduction().await.unwrap().era, Era::Legacy);
    fake.gone().await;
}

#[tokio::test]
async fn an_era_that_is_configured_is_not_found_out() {
    let fake = Fake::new("plain", "era = \"legacy\"\n");
    fake.link.introduction().await.unwrap();
    assert_eq!(fake.asked("server/discover"), 0);
    fake.gone().await;
    let fake = Fake::new("plain", "era = \"modern\"\n");
    assert!(matches!(fake.link.introduction().await, Err(Trouble::Handshake(_))));
    assert_eq!(fake.asked("initialize"), 0);
    fake.gone().await;
}

#[tokio::test]
async fn a_banner_on_its_output_kills_nothing_and_is_told() {
    let fake = Fake::new("banner", "");
    assert!(fake.call("lines", Again::May).await.unwrap().contains("acquire timeout"));
    let stray = fake.link.introduction().await.unwrap().stray.unwrap();
    assert_eq!(stray, "^[[1mFake Log Server^[[0m 1.0");
    fake.gone().await;
}

#[tokio::test]
async fn an_empty_cursor_is_a_cursor() {
    let fake = Fake::new("plain", "");
    let tools = fake.link.tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|t| t.name.as_ref()).collect();
    assert_eq!((names, fake.asked("tools/list")), (vec!["lines", "die", "slow"], 2));
    fake.gone().await;
}

#[tokio::test]
async fn a_server_that_died_in_a_call_is_started_again_and_asked_once_more() {
    let fake = Fake::new("plain", "era = \"legacy\"\n");
    assert!(fake.call("die_once", Again::May).await.unwrap().contains("back again"));
    assert_eq!((fake.asked("tools/call"), fake.asked("initialize")), (2, 2));
    fake.gone().await;
}

#[tokio::test]
async fn what_nobody_knows_to_be_harmless_is_called_once() {
    let fake = Fake::new("plain", "era = \"legacy\"\n");
    let says = fake.call("die_once", Again::Never).await.unwrap_err();
    assert_eq!(says, Trouble::Gone("out of memory".to_owned()));
    assert_eq!(fake.asked("tools/call"), 1);
    fake.gone().await;
}

#[tokio::test]
async fn a_server_that_dies_every_time_is_a_failure_with_its_last_words() {
    let fake = Fake::new("plain", "era = \"legacy\"\n");
    let says = fake.call("die", Again::May).await.unwrap_err().sentence();
    assert!(says.contains("out of memory") && says.contains("started again"), "{says}");
    assert_eq!(fake.asked("tools/call"), 2);
    assert!(fake.call("lines", Again::May).await.is_ok(), "the next call finds a new one");
    fake.gone().await;
}

#[tokio::test]
async fn nine_mebibytes_are_refused_and_the_next_call_works() {
    let fake = Fake::new("plain", "era = \"legacy\"\n");
    let trouble = fake.call("big", Again::May).await.unwrap_err();
    assert_eq!((trouble.clone(), fake.asked("tools/call")), (Trouble::TooLong, 1), "it would be as long again");
    assert!(trouble.sentence().contains("limit_max"));
    assert!(fake.call("lines", Again::May).await.is_ok());
    fake.gone().await;
}

#[tokio::test]
async fn a_call_without_an_answer_is_cancelled_and_the_late_answer_is_nobodys() {
    let fake = Fake::new("plain", "era = \"legacy\"\n");
    let folder = fake.folder.path().to_owned();
    let one = Link::new(server(&block("plain", &folder).replace("timeout_s = 20", "timeout_s = 1\nera = \"legacy\"")));
    one.introduction().await.unwrap();
    let trouble = one.call("slow", &Map::new(), Again::May).await.unwrap_err();
    assert_eq!(trouble, Trouble::Silent(1));
    for _ in 0..100 {
        if fake.asked("notifications/cancelled") > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((fake.asked("notifications/cancelled"), fake.asked("tools/call")), (1, 1), "silence is not asked again");
    let reply = one.call("lines", &Map::new(), Again::May).await.unwrap();
    assert!(warroom::source::mcp::read::as_it_is(&reply.result).contains("acquire timeout"));
    assert_eq!(fake.asked("initialize"), 1, "the same server goes on");
    one.close().await;
    none_left(&folder).await;
}

#[tokio::test]
async fn what_a_tool_says_of_its_failure_is_said_and_a_missing_tool_names_those_there_are() {
    let fake = Fake::new("plain", "era = \"legacy\"\n");
    assert_eq!(fake.call("fails", Again::May).await, Err(Trouble::Tool("index mrg-* is closed".to_owned())));
    let trouble = fake.call("search_lgos", Again::May).await.unwrap_err();
    let there = ["lines", "die", "slow"].map(str::to_owned).to_vec();
    assert_eq!(trouble, Trouble::NoTool("search_lgos".to_owned(), there));
    fake.gone().await;
}

#[tokio::test]
async fn a_server_that_does_not_want_to_end_is_ended_with_what_it_started() {
    let fake = Fake::new("stubborn", "era = \"legacy\"\n");
    fake.link.introduction().await.unwrap();
    assert_eq!(processes(fake.folder.path()).len(), 2);
    fake.gone().await;
}

#[tokio::test]
async fn a_connection_that_is_dropped_leaves_no_process() {
    let fake = Fake::new("stubborn", "era = \"legacy\"\n");
    fake.link.introduction().await.unwrap();
    let Fake { link, folder } = fake;
    drop(link);
    none_left(folder.path()).await;
}

#[tokio::test]
async fn a_program_that_is_not_there_and_a_secret_that_is_not_there_are_said_with_the_remedy() {
    let link = Link::new(server("[[mcp]]\nname = \"a\"\ncommand = [\"/nonexistent/mcp\"]\n"));
    let says = link.introduction().await.unwrap_err().sentence();
    assert!(says.contains("/nonexistent/mcp") && says.contains("absolute path"), "{says}");
    let link =
        Link::new(server("[[mcp]]\nname = \"a\"\ncommand = [\"/bin/true\"]\nenv = { T = \"env:WARROOM_NOT_SET\" }\n"));
    let says = link.introduction().await.unwrap_err().sentence();
    assert!(says.contains("WARROOM_NOT_SET") && says.contains("export"), "{says}");
}

#[test]
fn a_thousand_lines_are_a_thousand_lines() {
    let text = "[[mcp]]\nname = \"m\"\ncommand = [\"x\"]\n[mcp.search]\ntool = \"t\"\n";
    let reader = Reader::new(&server(text).search.unwrap(), "m").unwrap();
    let rows: Vec<Value> =
        (0..1000).map(|n| json!({"id": n, "ts": 1_736_685_124 + n, "msg": format!("line {n}")})).collect();
    let result = serde_json::from_value(json!({"content": [], "structuredContent": {"lines": rows}})).unwrap();
    let page = reader.read(&result, warroom::model::Stamp(0)).unwrap();
    assert_eq!((page.lines.len(), page.undated, page.lines[999].1.message.raw()), (1000, 0, "line 999"));
}
