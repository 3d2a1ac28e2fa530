//! `warroom simulate` as people run it: what it prints, how it is steered over HTTP, how it ends, what it refuses.

use crate::caller::{Caller, Draft};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use warroom::simulator::cloud::Account;

#[tokio::test]
async fn it_prints_what_a_client_needs_takes_faults_over_http_and_ends_at_ctrl_c() {
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["simulate", "--listen", "127.0.0.1:0", "--now", "20:10"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while said.last().is_none_or(|l: &String| !l.starts_with("[[prometheus.query]]")) {
        said.push(tokio::time::timeout(Duration::from_mins(2), lines.next_line()).await.unwrap().unwrap().unwrap());
    }
    let value = |name: &str| {
        let line = said.iter().find_map(|l| l.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().to_owned()
    };
    let endpoint = value("HUAWEICLOUD_SDK_REGION_CES_AP_SOUTHEAST_4");
    let caller = Caller {
        address: endpoint.strip_prefix("http://").unwrap().parse().unwrap(),
        ak: value("HUAWEICLOUD_SDK_AK"),
        sk: value("HUAWEICLOUD_SDK_SK"),
        project: value("HUAWEICLOUD_SDK_PROJECT_ID"),
        date: warroom::source::clock::now(),
        token: None,
    };
    assert_eq!(caller.sk, Account::default().sk);
    let alarms = caller.get("/v2/{project}/alarm-histories", &[("status", "alarm")]).await.json();
    assert_eq!(alarms["count"], 3, "it is 20:10 of the evening");

    let control = |method: &str, body: &str| Draft {
        method: method.to_owned(),
        target: "/emulator/faults".to_owned(),
        headers: vec![("host".to_owned(), "x".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    let set = caller.send(&control("POST", "ces.metrics=503*2\nlts.groups=403")).await.unwrap().json();
    assert_eq!(set["faults"][0], serde_json::json!({"api": "ces.metrics", "fault": "503", "times": 2}));
    assert_eq!(caller.get("/V1.0/{project}/metrics", &[]).await.status, 503);
    assert_eq!(caller.send(&control("POST", "ces.metrics=sleepy")).await.unwrap().status, 400);
    let cleared = caller.send(&control("DELETE", "")).await.unwrap().json();
    assert_eq!(cleared["faults"].as_array().map(Vec::len), Some(0));
    assert_eq!(caller.get("/V1.0/{project}/metrics", &[]).await.status, 200);

    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = tokio::time::timeout(Duration::from_mins(2), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn it_refuses_the_world_outside_bad_times_and_bad_faults_in_a_sentence() {
    let refused = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_warroom")).arg("simulate").args(arguments).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(out.stderr).unwrap()
    };
    assert!(refused(&["--listen", "0.0.0.0:0"]).contains("--anywhere"));
    assert!(refused(&["--now", "soon"]).contains("HH:MM"));
    assert!(refused(&["--listen", "127.0.0.1:0", "--faults", "ces.batch=sleepy"]).contains("sleepy is no fault"));
}
