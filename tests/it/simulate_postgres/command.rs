//! `warroom simulate --postgres`, from its start to its end.

use super::{OURS, count, options, start};
use crate::pg::{self, number, until};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::time::Duration;

/// The rest of what a child wrote, once it has ended by itself.
async fn ended(mut child: tokio::process::Child) -> (Option<i32>, String) {
    let status = tokio::time::timeout(Duration::from_mins(1), child.wait()).await.unwrap().unwrap();
    let mut text = String::new();
    for pipe in [child.stderr.take().map(Pipe::Err), child.stdout.take().map(Pipe::Out)].into_iter().flatten() {
        let mut bytes = Vec::new();
        match pipe {
            Pipe::Err(mut p) => tokio::io::AsyncReadExt::read_to_end(&mut p, &mut bytes).await.unwrap(),
            Pipe::Out(mut p) => tokio::io::AsyncReadExt::read_to_end(&mut p, &mut bytes).await.unwrap(),
        };
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    (status.code(), text)
}

enum Pipe {
    Out(tokio::process::ChildStdout),
    Err(tokio::process::ChildStderr),
}

fn simulate(url: &str, more: &[&str]) -> tokio::process::Child {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["simulate", "--postgres", url])
        .args(more)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_the_evening_until_it_is_told_to_end_and_takes_everything_with_it() {
    let server = start(120);
    let mut admin = server.connect("test").await;
    let (status, says) = ended(simulate("postgres://w:hunter2@db.example.com/x", &[])).await;
    assert_eq!(status, Some(2));
    assert!(says.contains("--anywhere") && !says.contains("hunter2"), "{says}");

    let child = simulate(&server.url("postgres"), &["--now", "19:50"]);
    let pid = child.id().unwrap() as i32;
    until(&mut admin, "SELECT count(*) FROM pg_database WHERE datname IN ('mrg', 'orch', 'upg', 'ho')", 4).await;
    let tree = "SELECT (count(*) >= 1)::int::bigint FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND datname = 'mrg'";
    until(&mut admin, tree, 1).await;
    let mut mrg = PgConnection::connect_with(&options(&server).database("mrg")).await.unwrap();
    // Rows of this very evening, moved to now, and more of them as it goes on.
    let orders = number(&mut mrg, "SELECT count(*) FROM mrg.orders WHERE created_at > now() - interval '1 hour'").await;
    assert!(orders > 5_000, "{orders}");
    let grown = format!("SELECT (count(*) > {orders})::int::bigint FROM mrg.orders");
    until(&mut mrg, &grown, 1).await;
    assert_eq!(
        number(&mut mrg, "SELECT count(*) FROM mrg.orders WHERE created_at > now() + interval '1 minute'").await,
        0
    );
    drop(mrg);
    pg::signal_pid(pid, rustix::process::Signal::INT);
    let (status, says) = ended(child).await;
    assert_eq!(status, Some(0), "{says}");
    assert!(says.contains("mrg, orch, upg, ho and the role warroom_simulate"), "{says}");
    assert_eq!(number(&mut admin, OURS).await, 0);
    assert_eq!(count(&mut admin, "FROM pg_database WHERE datname IN ('mrg', 'orch', 'upg', 'ho')").await, 0);
}
