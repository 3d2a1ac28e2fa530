//! The emulator met by the official Python SDK: what the SDK signs, sends and can read is what any client of
//! the cloud does. Needs a Python that has it, named by WARROOM_SDK_PYTHON; `tests/run` prepares one.

use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use warroom::model::Lapse;
use warroom::runtime::effects::now;
use warroom::simulator::cloud::{Clock, Cloud, OPENED, Running, evening};

const GROUP: &str = "00330565-5baf-4e0d-bd16-ba0c6b951d9a";
const STREAM: &str = "715cda3b-e17f-492a-a6ca-98a1ba16ad8c";

async fn ask(python: &str, cloud: &Running) -> Value {
    let account = cloud.account();
    let region = account.region().to_uppercase().replace('-', "_");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/official_sdk.py");
    let home = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(python);
    command.env_clear().env("HOME", home.path()).env("PATH", std::env::var("PATH").unwrap_or_default());
    if let Ok(path) = std::env::var("PYTHONPATH") {
        command.env("PYTHONPATH", path);
    }
    command.env("HUAWEICLOUD_SDK_AK", &account.ak).env("HUAWEICLOUD_SDK_SK", &account.sk);
    command.env("HUAWEICLOUD_SDK_IAM_ENDPOINT", cloud.endpoint());
    for service in ["CES", "CTS", "LTS", "IAM", "AOM"] {
        command.env(format!("HUAWEICLOUD_SDK_REGION_{service}_{region}"), cloud.endpoint());
    }
    let milliseconds = (now().0 / 1_000).to_string();
    command.arg(script).args([account.region(), &milliseconds, GROUP, STREAM]).kill_on_drop(true);
    let out = tokio::time::timeout(Duration::from_mins(5), command.output()).await.unwrap().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn list<'v>(value: &'v Value, of: &str) -> &'v Vec<Value> {
    value[of].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_signs_asks_and_reads_everything() {
    let Some(python) = std::env::var("WARROOM_SDK_PYTHON").ok().filter(|p| !p.is_empty()) else {
        println!(
            "skipped: WARROOM_SDK_PYTHON names no Python with the official SDK; tests/run prepares one where it can"
        );
        return;
    };
    let by = now().since(OPENED);
    let cloud = Cloud::new(
        evening(
            &warroom::simulator::day::Day::evening(warroom::simulator::scenario::named("pool").unwrap(), 77_000),
            by,
        ),
        Clock::new(now),
    )
    .listen(SocketAddr::from(([127, 0, 0, 1], 0)))
    .await
    .unwrap();
    let heard = ask(&python, &cloud).await;

    assert_eq!(heard["projects"]["projects"][0]["id"], cloud.account().project());
    let listed = &heard["metrics"];
    assert!(list(listed, "names").len() > 60 && listed["total"] == list(listed, "names").len());

    let batch = list(&heard, "batch");
    let of = |name: &str| batch.iter().find(|m| m["name"] == name).unwrap();
    assert_eq!((of("mb_l7_qps")["unit"].as_str(), list(of("nothing"), "points").len()), (Some("Count/s"), 0));
    let full = list(of("rds083_conn_usage"), "points").iter().map(|p| p[1].as_f64().unwrap()).fold(0.0, f64::max);
    assert!(full > 85.0, "{full}");
    let one = list(&heard, "one");
    assert!((50..=60).contains(&one.len()) && one[0][2] == "%", "{one:?}");
    assert!(one.iter().all(|p| p[0].as_i64().unwrap() <= now().0 / 1_000));

    let alarm = list(&heard, "histories").iter().find(|h| h["name"] == "connections of mrg above 85 %").unwrap();
    assert_eq!((alarm["status"].as_str(), alarm["level"].as_i64()), (Some("alarm"), Some(1)));
    assert_eq!(
        (list(&heard, "rules").len(), list(&heard, "histories_v1").len(), list(&heard, "events").len()),
        (6, 4, 1)
    );
    let traces = list(&heard, "traces");
    assert!(traces.iter().any(|t| t["what"] == "mrg 2.41.3" && t["by"] == "pipeline"));
    assert!(!traces.iter().any(|t| t["by"] == "orch"), "the flag is still to come");

    assert_eq!((list(&heard, "groups").len(), list(&heard, "streams").len()), (1, 3));
    let lines = list(&heard["logs"], "lines");
    assert!(lines.len() == 5 && heard["logs"]["count"].as_i64().unwrap() > 1_000);
    let (last, next) = (lines[4][0].as_str().unwrap(), heard["more"][0].as_str().unwrap());
    assert!(next < last, "newest first: the next page is older");
    let windows = list(&heard["histogram"], "histogram");
    let sum: i64 = windows.iter().map(|w| w["num"].as_i64().unwrap()).sum();
    assert_eq!((windows.len(), Some(sum)), (6, heard["histogram"]["count"].as_i64()));
    assert_eq!(list(&heard, "context").iter().map(|n| n.as_i64().unwrap()).collect::<Vec<_>>(), [6, 3, 2]);

    let pods = list(&heard["range"]["data"], "result");
    assert_eq!(pods.len(), 8, "{pods:?}");
    assert_eq!((heard["refused"][0].as_i64(), heard["wrong"][0].as_i64()), (Some(400), Some(401)));
    assert_eq!(heard["wrong"][1], "APIGW.0301");
    assert!(cloud.requests().all().len() > 20);
    let late = cloud.requests().all().iter().filter(|a| a.when > now() + Lapse::ZERO).count();
    assert_eq!(late, 0);
}
