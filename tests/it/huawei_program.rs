//! The whole program with a cloud account: what it lists, what it records, and where it goes on.

use crate::huawei_ces::NOW;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use warroom::model::{Fact, Lapse, Stamp, Zone};
use warroom::recording::Reader;
use warroom::simulator::cloud::world::Metric;
use warroom::simulator::cloud::{Api, Clock, Cloud, Rates, Running, World};
use warroom::source::clock::now;

const RDS: &str = "3c8cc15614ab46f5b8743317555e0de2in03";

/// An account whose world is at the wall's time, with a point a minute of the last 44 hours.
async fn account() -> (Running, Stamp) {
    let now_ = now();
    let points = (0..44 * 60).map(|m| (now_ - Lapse::minutes(m) - Lapse::seconds(7), 61.0));
    let metric =
        |name| Metric::new("SYS.RDS", name, &[("postgresql_cluster_id", RDS)], "%").with_points(points.clone());
    let world = World { metrics: vec![metric("rds083_conn_usage"), metric("rds_unheard_of")], ..World::default() };
    let cloud = Cloud::new(world, Clock::new(now)).rates(Rates::default());
    (cloud.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap(), now_)
}

/// A configuration of that account; the incident was 40 to 12 hours ago.
fn config(folder: &Path, cloud: &Running, at: Stamp) -> PathBuf {
    let (account, endpoint, zone) = (cloud.account(), cloud.endpoint(), Zone::wib());
    let time = |hours| zone.rfc3339(at - Lapse::hours(hours));
    let text = format!(
        "[incident]\nwindow = {{ from = \"{}\", to = \"{}\" }}\n[huawei]\nregion = \"{}\"\nrequests_per_second = 10\n\
         access_key = \"{}\"\nsecret_key = \"{}\"\n[huawei.endpoints]\nces = \"{endpoint}\"\ncts = \"{endpoint}\"\n\
         iam = \"{endpoint}\"\n[[huawei.instance]]\nkind = \"rds\"\nname = \"pg\"\nid = \"{RDS}\"\nonly = [\"conn_usage\"]\n",
        time(40),
        time(12),
        account.region(),
        account.ak,
        account.sk
    );
    let path = folder.join("config.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn warroom(home: &Path, config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
    command.arg("--config").arg(config).stdin(Stdio::null()).kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_has_is_printed_as_blocks_and_as_json() {
    let (cloud, at) = account().await;
    let home = tempfile::tempdir().unwrap();
    let config = config(home.path(), &cloud, at);
    let run = async |arguments: &[&str]| -> Output {
        warroom(home.path(), &config).args(["huawei", "metrics"]).args(arguments).output().await.unwrap()
    };
    let o = run(&[]).await;
    let text = String::from_utf8(o.stdout).unwrap();
    assert!(o.status.success(), "{}", String::from_utf8_lossy(&o.stderr));
    assert!(text.contains("#   * rds083_conn_usage  %") && text.contains("#     rds_unheard_of"), "{text}");
    assert!(text.contains(&format!("[[huawei.instance]]\nkind = \"rds\"\nname = \"rds-3c8cc156\"\nid = \"{RDS}\"")));
    let o = run(&["--json", "--namespace", "SYS.RDS"]).await;
    let json: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(json[0]["metrics"].as_array().map(Vec::len), Some(2));
    // A secret that is wrong: a sentence with the remedy, and no secret in it.
    let account = cloud.account();
    let text = std::fs::read_to_string(&config).unwrap().replace(&account.sk, "wrong-secret");
    std::fs::write(&config, text).unwrap();
    let o = run(&[]).await;
    let says = String::from_utf8(o.stderr).unwrap();
    assert!(!o.status.success() && says.contains("secret key") && !says.contains("wrong-secret"), "{says}");
}

/// Waits until so much of the past is recorded as fetched.
async fn until_fetched(folder: &Path, wanted: Lapse) {
    let fetched = || {
        let Ok((reader, _)) = Reader::open(folder) else { return Lapse::ZERO };
        let mut spans = Vec::new();
        for batch in reader.batches() {
            spans.extend(batch.facts.iter().filter_map(|f| if let Fact::Fetched(f) = f { Some(f.span) } else { None }));
        }
        spans.sort_by_key(|s| s.from);
        let (mut sum, mut reached) = (Lapse::ZERO, Stamp(i64::MIN));
        for span in spans.into_iter().filter(|s| s.from < s.to) {
            let from = span.from.max(reached);
            reached = reached.max(span.to);
            sum = sum + reached.since(from);
        }
        sum
    };
    for _ in 0..600 {
        if fetched() >= wanted {
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
    assert!(fetched() >= wanted, "only {:?} of the past ever came", fetched());
}

/// Waits until the program has asked something, and then nothing more for a while.
async fn until_quiet(cloud: &Running) {
    let limit = Instant::now() + Duration::from_mins(2);
    let mut before = (0, Instant::now());
    while Instant::now() < limit {
        let asked = cloud.requests().count(Api::Batch);
        if asked != before.0 {
            before = (asked, Instant::now());
        } else if asked > 0 && before.1.elapsed() > Duration::from_secs(3) {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!(before.0 > 0, "it never asked");
}

async fn end(mut child: Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_is_continued_has_the_day_already() {
    let (cloud, at) = account().await;
    assert!(at > NOW, "the wall's time is later than the incident's");
    let home = tempfile::tempdir().unwrap();
    let (config, folder) = (config(home.path(), &cloud, at), home.path().join("recording"));
    let record = || {
        let mut command = warroom(home.path(), &config);
        command.arg("--record").arg(&folder).arg("record").stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let child = record();
    until_fetched(&folder, Lapse::hours(28)).await;
    end(child).await;
    let first = cloud.requests().count(Api::Batch);
    assert!(first >= 8, "29 hours in parts of four, and what is new: {first}");
    let (reader, _) = Reader::open(&folder).unwrap();
    let store = reader.overview();
    let recorded = store.series("huawei.pg_conn_usage").map_or(0, |s| s.minutes().len());
    assert!(recorded >= 28 * 60, "{recorded} minutes");
    cloud.requests().clear();
    let child = record();
    until_quiet(&cloud).await;
    end(child).await;
    let second = cloud.requests().count(Api::Batch);
    assert!((1..=4).contains(&second), "only what is new: {second}");
}
