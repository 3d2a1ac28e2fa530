//! The private server: nobody else's, and nothing of it is left.

#![expect(clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

use super::{bad_evening, play};
use crate::pg::{self, number};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::time::Duration;
use warroom::simulator::postgres::{Claim, Ground, Limits, Private, Standing, Workload};

/// Processes whose command line names this folder.
fn processes(folder: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let named = entries.filter(|e| e.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    named
        .filter(|e| std::fs::read(e.path().join("cmdline")).is_ok_and(|c| String::from_utf8_lossy(&c).contains(folder)))
        .count()
}

async fn gone(folder: &str) {
    for _ in 0..1_200 {
        if processes(folder) == 0 && !std::path::Path::new(folder).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "{} processes of {folder} are left; the folder is there: {}",
        processes(folder),
        std::path::Path::new(folder).exists()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_server_starts_is_nobody_elses_and_leaves_nothing() {
    let bin = pg::any().bin;
    let server = Private::start_from(&bin, 37).await.unwrap_or_else(|e| panic!("{e}"));
    let folder = server.folder().display().to_string();
    let mut conn = PgConnection::connect(&server.url("warroom", "postgres")).await.unwrap();
    assert_eq!(number(&mut conn, "SELECT current_setting('max_connections')::bigint").await, 37);
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM pg_settings WHERE name = 'listen_addresses' AND setting = ''").await,
        1
    );
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&folder).unwrap());
    assert_eq!(mode & 0o777, 0o700);
    assert!(processes(&folder) > 1);
    // The whole world on it.
    let ground = Ground::claim(&server.options("postgres"), Claim { keep: true, ..Claim::default() }).await.unwrap();
    let mut mrg = Workload::new(&ground, "mrg", Limits { seats: 30, ..Limits::default() });
    play(&mut mrg, &bad_evening(), Standing::settled).await;
    server.stop().await.unwrap();
    assert_eq!((processes(&folder), std::path::Path::new(&folder).exists()), (0, false));
    play(&mut mrg, &bad_evening(), |s| s.trouble.is_some()).await;

    let server = Private::start_from(&bin, 20).await.unwrap_or_else(|e| panic!("{e}"));
    let folder = server.folder().display().to_string();
    drop(server);
    gone(&folder).await;

    let says = Private::start_from(&bin, 0).await.map(|_| ()).unwrap_err();
    assert!(says.contains("did not start") && says.contains("max_connections"), "{says}");
}

/// The name of the environment by which the test below tells its copy what it is.
const CHILD: &str = "WARROOM_TEST_PRIVATE_CHILD";

#[tokio::test(flavor = "multi_thread")]
async fn a_private_server_does_not_outlive_a_program_that_is_killed() {
    if std::env::var_os(CHILD).is_some() {
        let server = Private::start_from(&pg::any().bin, 20).await.unwrap_or_else(|e| panic!("{e}"));
        println!("at {} .", server.folder().display());
        tokio::time::sleep(Duration::from_mins(10)).await;
        return;
    }
    // This very test in a process of its own, that can be killed.
    let name = "simulate_postgres::private::a_private_server_does_not_outlive_a_program_that_is_killed";
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut text = String::new();
    let mut out = child.stdout.take().unwrap();
    let folder = loop {
        let mut bytes = [0; 256];
        let n = tokio::io::AsyncReadExt::read(&mut out, &mut bytes).await.unwrap();
        assert!(n > 0, "it ended: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..n]));
        if let Some((_, rest)) = text.split_once("at /")
            && let Some((folder, _)) = rest.split_once(" .")
        {
            break format!("/{folder}");
        }
    };
    assert!(processes(&folder) > 1);
    // SIGKILL: nothing of ours runs any more.
    child.kill().await.unwrap();
    gone(&folder).await;
}
