//! `warroom mcp`, `warroom check` and the live source, against a child of our own.

use super::{block, none_left};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use warroom::model::health::State;
use warroom::model::{Batch, Fact};

const SEARCH: &str = "[mcp.search]\ntool = \"lines\"\nargs = { query = \"query\" }\n";
/// The two lines of the fake lie in it.
const WINDOW: &str = "[incident.window]\nfrom = \"2025-01-12T19:00:00+07:00\"\nto = \"2025-01-12T20:00:00+07:00\"\n";

fn warroom(folder: &Path, mode: &str, further: &str, arguments: &[&str]) -> Output {
    let config = folder.join("config.toml");
    std::fs::write(&config, format!("{}{further}", block(mode, folder))).unwrap();
    Command::new(env!("CARGO_BIN_EXE_warroom"))
        .arg("--config")
        .arg(config)
        .args(arguments)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("HOME", folder)
        .output()
        .unwrap()
}

fn said(out: &Output) -> (String, String) {
    (String::from_utf8_lossy(&out.stdout).into_owned(), String::from_utf8_lossy(&out.stderr).into_owned())
}

#[tokio::test]
async fn probe_says_who_it_is_and_guesses_a_mapping_that_is_a_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let out = warroom(dir.path(), "banner", "", &["mcp", "probe", "fake"]);
    let (text, _) = said(&out);
    assert!(out.status.success());
    for part in [
        "server   fake 1.0",
        "protocol 2025-06-18 (legacy)",
        "Fake Log Server",
        "tools    3",
        "query                string",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let (_, mapping) = text.split_once("[[mcp]]:\n").unwrap();
    let again = warroom(dir.path(), "plain", mapping, &["mcp", "call", "--lines", "fake", "lines"]);
    assert!(again.status.success(), "{:?}", said(&again));
    none_left(dir.path()).await;
}

#[tokio::test]
async fn call_prints_the_answer_or_its_lines_and_leaves_a_line_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (text, _) =
        said(&warroom(dir.path(), "plain", SEARCH, &["mcp", "call", "fake", "lines", "{\"query\": \"timeout\"}"]));
    assert_eq!(
        text,
        "2025-01-12T12:31:08Z ERROR acquire timeout for ORD-20250112-0000001\n2025-01-12T12:31:09Z INFO ok\n"
    );
    let (text, _) = said(&warroom(dir.path(), "plain", SEARCH, &["mcp", "call", "--lines", "fake", "lines"]));
    assert!(text.starts_with("2025-01-12 19:31:08.000 E fake ORD-20250112-0000001 acquire timeout"), "{text}");
    assert!(text.contains("2 lines of 2 rows in 96 bytes"), "{text}");
    let log = std::fs::read_dir(dir.path().join("state/warroom"))
        .unwrap()
        .map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap())
        .collect::<String>();
    let audit: Vec<&str> = log.lines().filter(|l| l.contains("mcp fake: lines")).collect();
    assert_eq!(audit.len(), 2, "{log}");
    assert!(audit[0].contains("{\"query\":\"timeout\"}: 96 bytes in"), "{audit:?}");
    assert!(!log.contains("acquire"), "what came is not logged");
}

#[tokio::test]
async fn what_is_wrong_is_an_exit_code_and_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, code, words) in [
        (&["mcp", "call", "fake", "fails"][..], 1, "index mrg-* is closed"),
        (&["mcp", "call", "fake", "lines", "[1]"], 2, "no JSON object"),
        (&["mcp", "call", "--lines", "fake", "lines"], 2, "has no [mcp.search]"),
        (&["mcp", "probe", "other"], 2, "there are: fake"),
    ] {
        let out = warroom(dir.path(), "plain", "", arguments);
        let (_, text) = said(&out);
        assert!(out.status.code() == Some(code) && text.contains(words), "{arguments:?} {out:?}");
    }
}

#[tokio::test]
async fn check_reaches_it_and_names_an_argument_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let out = warroom(dir.path(), "plain", SEARCH, &["check"]);
    let (text, _) = said(&out);
    assert!(out.status.success() && text.contains("fake 1.0, MCP 2025-06-18") && text.contains("tool lines"), "{text}");
    let out = warroom(dir.path(), "plain", &SEARCH.replace("\"query\" }", "\"logql\" }"), &["check"]);
    let (text, _) = said(&out);
    assert!(!out.status.success() && text.contains("has no argument logql; it has: query"), "{text}");
    let (text, _) = said(&warroom(dir.path(), "plain", &SEARCH.replace("lines", "liens"), &["check"]));
    assert!(text.contains("there are: lines, die, slow"), "{text}");
    none_left(dir.path()).await;
}

/// Batches of the live source until `enough`.
async fn live(text: &str, enough: impl Fn(&[Batch]) -> bool) -> Vec<Batch> {
    let config = warroom::config::load::parse(Path::new("config.toml"), text).0.unwrap();
    let (to, mut from) = tokio::sync::mpsc::channel(64);
    let cancel = CancellationToken::new();
    let sources = warroom::source::start(&config, &to, &cancel);
    drop(to);
    let mut batches = Vec::new();
    let waiting = async {
        while let Some(batch) = from.recv().await {
            batches.push(batch);
            if enough(&batches) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap();
    cancel.cancel();
    from.close();
    sources.ended().await;
    batches
}

fn facts(batches: &[Batch]) -> impl Iterator<Item = &Fact> {
    batches.iter().flat_map(|b| &b.facts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_tool_is_a_source_whose_lines_come_once_and_whose_child_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{WINDOW}{}interval = \"1s\"\n{SEARCH}", block("plain", dir.path()));
    let costs = |b: &[Batch]| facts(b).filter(|f| matches!(f, Fact::Cost(_))).count();
    let batches = live(&text, |b| costs(b) >= 4).await;
    let lines: Vec<_> =
        facts(&batches).filter_map(|f| if let Fact::Lines(l) = f { Some(l) } else { None }).flatten().collect();
    assert_eq!(lines.len(), 2, "asked for four times and more, told once");
    assert_eq!(lines[0].order.as_deref(), Some("ORD-20250112-0000001"));
    let health: Vec<State> =
        facts(&batches).filter_map(|f| if let Fact::Health(h) = f { Some(h.state) } else { None }).collect();
    assert_eq!(health.last(), Some(&State::Well), "{health:?}");
    assert!(facts(&batches).any(|f| matches!(f, Fact::Cost(c) if c.requests >= 1 && c.bytes >= 96)));
    none_left(dir.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_counts_is_asked_minute_by_minute_and_one_that_refuses_leaves_the_lines_alone() {
    const HISTOGRAM: &str = "[mcp.histogram]\ntool = \"histogram\"\nargs = { query = \"query\", from = \"from\", to = \"to\" }\ncounts = { bad = \"refused\" }\n";
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{WINDOW}{}interval = \"1s\"\n{SEARCH}{HISTOGRAM}", block("plain", dir.path()));
    let partly = |f: &Fact| matches!(f, Fact::Health(h) if h.says.raw().contains("a count is refused: the tool says: no such word"));
    let batches = live(&text, |b| facts(b).any(partly)).await;
    let points: Vec<_> = facts(&batches)
        .filter_map(|f| if let Fact::Samples(s) = f { Some((s.at, &s.values[0])) } else { None })
        .filter(|(_, (_, n))| *n > 0.0)
        .map(|(at, (name, n))| (at, name.to_string(), *n as u64))
        .collect();
    let minute = warroom::model::Stamp::parse_rfc3339("2025-01-12T12:31:00Z").unwrap();
    assert_eq!(points, [(minute, "fake.all".to_owned(), 2)]);
    assert!(facts(&batches).all(|f| !matches!(f, Fact::Samples(s) if &*s.values[0].0 == "fake.bad")), "no zero");
    assert!(facts(&batches).any(|f| matches!(f, Fact::Lines(l) if l.len() == 2)));
    none_left(dir.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_tool_that_dies_is_a_source_that_is_down_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{}era = \"legacy\"\n{}", block("plain", dir.path()), SEARCH.replace("lines", "die"));
    let down =
        |f: &Fact| matches!(f, Fact::Health(h) if h.state == State::Down && h.says.raw().contains("out of memory"));
    let batches = live(&text, |b| facts(b).any(down)).await;
    let failed: u32 = facts(&batches).map(|f| if let Fact::Cost(c) = f { c.failed } else { 0 }).sum();
    assert!(failed >= 1);
    assert!(!facts(&batches).any(|f| matches!(f, Fact::Lines(_))));
    none_left(dir.path()).await;
}
