//! `warroom logs server`, `warroom check`, and a run that continues a recording.

use super::loki::{evening, serve};
use super::lts::{GROUP, STREAM, listen, small};
use super::*;
use std::process::{Command, Output};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warroom::model::Batch;
use warroom::simulator::cloud::Rates;
use warroom::source::Recorded;
use warroom::source::engine::{self, since};

/// Runs the program beside the servers of a test.
async fn warroom(config: &str, arguments: &[&str]) -> (Output, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.arg("--config").arg(&file).args(arguments).env("XDG_STATE_HOME", dir.path()).env("HOME", dir.path());
    let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    (out, text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_asked_from_the_shell_for_its_own_counts_and_its_first_lines_masked() {
    let entries = evening();
    let late = i128::from(ago(1).0) * 1_000;
    entries.lock().unwrap().push((late, "mrg-1", "refund of budi@example.com stopped".to_owned()));
    let web = serve(&entries).await;
    let config = format!(
        "[incident.window]\nfrom = \"2025-01-12T19:00:00+07:00\"\nto = \"2025-01-12T20:00:00+07:00\"\n[[log_server]]\nname = 'loki'\nkind = 'loki'\nurl = '{}'\nquery = '{{namespace=\"pay\"}}'\n",
        web.url("")
    );
    let (out, text) = warroom(&config, &["logs", "server", "loki", "|= \"timeout\"", "--lines", "3"]).await;
    assert!(out.status.success(), "{text}");
    assert!(text.contains("300 lines, counted by the engine (count_over_time of 1 min)"), "{text}");
    assert!(text.contains("3 lines, and there are more") && text.contains("E mrg-1 acquire timeout 000"), "{text}");
    assert_eq!(text.matches("2025-01-12 19:").count(), 60 + 3, "a row for every minute, then lines\n{text}");
    let (_, text) = warroom(&config, &["logs", "server", "loki", "--from", "19:58"]).await;
    assert!(text.contains("refund of") && !text.contains("budi@"), "{text}");
    let (out, text) = warroom(&config, &["logs", "server", "lok"]).await;
    assert!(out.status.code() == Some(2) && text.contains("there are: loki"), "{text}");
    web.end().await;
    let (out, text) = warroom(&config, &["logs", "server", "loki"]).await;
    assert!(out.status.code() == Some(1) && text.contains("connection refused"), "{text}");
    let (out, text) = warroom(&config, &["check"]).await;
    assert!(out.status.code() == Some(1) && text.contains("connection refused"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_lts_is_shown_with_its_neighbours() {
    let (cloud, _watch) = listen(small(false), Rates::default()).await;
    let account = cloud.account();
    let config = format!(
        "[huawei]\nregion = \"{}\"\nproject_id = \"{}\"\naccess_key = \"{}\"\nsecret_key = \"{}\"\n[huawei.endpoints]\nlts = \"{}\"\n[[log_server]]\nname = \"lts\"\nkind = \"lts\"\ngroup = \"{GROUP}\"\nstream = \"{STREAM}\"\n",
        account.region(),
        account.project(),
        account.ak,
        account.sk,
        cloud.endpoint()
    );
    let stretch = ["--from", "2025-01-12T19:51:00+07:00", "--to", "2025-01-12T19:53:00+07:00"];
    let ask = |more: &[&'static str]| {
        ["logs", "server", "lts"].into_iter().chain(stretch).chain(more.to_vec()).collect::<Vec<_>>()
    };
    let (out, text) = warroom(&config, &ask(&["--lines", "1"])).await;
    assert!(out.status.success() && text.contains("120 lines, counted by the engine"), "{text}");
    let number = text.split('#').nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let (_, text) = warroom(&config, &["logs", "server", "lts", "--around", &number]).await;
    let here = text.lines().find(|l| l.starts_with("> ")).unwrap();
    assert!(here.contains("acquire timeout 060") && text.lines().count() == 21, "{text}");
}

/// Lines and counts that a source tells until it has told `most` lines, and nothing more comes.
async fn told(config: &warroom::config::Config, recorded: &Recorded, most: usize) -> Vec<LogLine> {
    let (to, mut inbox) = mpsc::channel::<Batch>(64);
    let cancel = CancellationToken::new();
    let handles =
        engine::start(config, None, recorded, &std::sync::Arc::default(), &Turned::now().clock(), &to, &cancel);
    let mut out = Vec::new();
    let mut well = false;
    while out.len() < most || !well {
        let batch = tokio::time::timeout(std::time::Duration::from_mins(1), inbox.recv()).await.unwrap().unwrap();
        for fact in batch.facts {
            match fact {
                Fact::Lines(lines) => out.extend(lines),
                Fact::Health(health) => well = health.state == State::Well,
                _ => {}
            }
        }
    }
    cancel.cancel();
    for handle in handles {
        handle.ended().await;
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_continues_a_recording_tells_no_line_again() {
    let entries = evening();
    let web = serve(&entries).await;
    let text = format!(
        "[[log_server]]\nname = 'l'\nkind = 'loki'\nurl = '{}'\nquery = '{{a=\"b\"}}'\nread_back = '1h'\nper_minute = 6000\ntimeout = '1m'\n",
        web.url("")
    );
    let config = parse(Path::new("c.toml"), &text).0.unwrap();
    assert_eq!(since(&config, &config.log_servers[0], NOW), ago(60));
    let first = told(&config, &Recorded::default(), 900).await;
    assert_eq!(first.len(), 900);
    let mut recorded = Recorded::default();
    let known = recorded.lines.entry("l".into()).or_default();
    for line in &first {
        known.add(line);
    }
    let again = told(&config, &recorded, 0).await;
    assert_eq!(again.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_were_only_counted_are_read_once_somebody_looks_at_them() {
    let web = serve(&evening()).await;
    let text = format!(
        "[incident.window]\nfrom = \"2025-01-12T19:00:00+07:00\"\nto = \"2025-01-12T20:00:00+07:00\"\n[[log_server]]\nname = 'l'\n\
         kind = 'loki'\nurl = '{}'\nquery = '{{a=\"b\"}}'\nper_minute = 6000\npage = 50\nmost_lines = 100\n",
        web.url("")
    );
    let config = parse(Path::new("c.toml"), &text).0.unwrap();
    let (to, mut inbox) = mpsc::channel::<Batch>(64);
    let cancel = CancellationToken::new();
    let sources = warroom::source::start(&config, &to, &cancel);
    let (mut lines, mut counted, mut fetched) = (Vec::new(), BTreeMap::new(), Vec::new());
    let mut looked = false;
    let span = Span::new(ago(20), ago(18));
    let waiting = async {
        while fetched.is_empty() {
            for fact in inbox.recv().await.unwrap().facts {
                match fact {
                    Fact::Lines(more) => lines.extend(more),
                    Fact::Samples(s) => counted.extend(s.values.iter().map(|(n, v)| ((n.to_string(), s.at), *v))),
                    Fact::Fetched(f) => fetched.push(f.span),
                    _ => {}
                }
            }
            if !looked && counted.len() >= 60 && lines.len() >= 150 {
                assert!(lines.iter().all(|l: &LogLine| !span.contains(l.at)), "a window keeps its first hundred");
                sources.look(Some(span));
                looked = true;
            }
        }
    };
    let came = tokio::time::timeout(std::time::Duration::from_secs(40), waiting).await.is_ok();
    assert!(came, "{} lines, {} counts, looked at: {looked}", lines.len(), counted.len());
    assert_eq!(fetched, [span]);
    let inside = lines.iter().filter(|l| span.contains(l.at)).count();
    let by_engine: f64 = counted.iter().filter(|((n, at), _)| n == "l.all" && span.contains(*at)).map(|(_, v)| v).sum();
    assert_eq!((inside, by_engine as usize), (30, 30), "a line every four seconds for two minutes");
    // What is in front no more is not read on.
    sources.look(None);
    cancel.cancel();
    inbox.close();
    sources.ended().await;
}
