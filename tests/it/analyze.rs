//! `warroom analyze` as scripts use it: files in, JSON out, sentences and exit codes. All data is made here.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_warroom"))
            .arg("analyze")
            .args(arguments)
            .env_clear()
            .env("HOME", self.dir.path())
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let o = self.run(arguments);
        assert_eq!(o.status.code(), Some(code), "{}", String::from_utf8_lossy(&o.stderr));
        serde_json::from_slice(&o.stdout).unwrap()
    }
    fn refused(&self, arguments: &[&str]) -> String {
        let o = self.run(arguments);
        assert_eq!(o.status.code(), Some(2));
        assert!(o.stdout.is_empty());
        String::from_utf8(o.stderr).unwrap()
    }
}

/// Even noise between -1 and 1.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as f64 / f64::from(1_u32 << 31) - 1.0
    }
}

fn clock(row: usize) -> String {
    format!("2025-01-12 {:02}:{:02}:00", row / 60, row % 60)
}

/// Times and values that step up from row 400 to row 460.
fn spike(seed: u64) -> String {
    let mut noise = noise(seed);
    let mut out = "timestamp,value\n".to_owned();
    for row in 0..600 {
        let level = if (400..460).contains(&row) { 180.0 } else { 100.0 };
        let _ = writeln!(out, "{},{:.3}", clock(row), level + noise());
    }
    out
}

/// A wide file: each column with its usual level and the row from which it is three times that.
fn wide(columns: &[(&str, f64, usize)], rows: std::ops::Range<usize>) -> String {
    let mut noises: Vec<_> = (0..columns.len()).map(|i| noise(i as u64 + rows.start as u64)).collect();
    let names: Vec<&str> = columns.iter().map(|c| c.0).collect();
    let mut out = format!("time,{}\n", names.join(","));
    for row in rows {
        let cell = |(i, (_, level, from)): (usize, &(&str, f64, usize))| {
            let times = if row >= *from { 3.0 } else { 1.0 };
            format!("{:.4}", level * (times + 0.05 * noises[i]()))
        };
        let cells: Vec<String> = columns.iter().enumerate().map(cell).collect();
        let _ = writeln!(out, "{},{}", clock(row), cells.join(","));
    }
    out
}

#[test]
fn spikes_tells_onset_peak_and_recovery_and_a_score_for_each_row() {
    let bench = Bench::new();
    bench.write("m.csv", &spike(1));
    let answer = bench.json(&["spikes", "m.csv"], 0);
    let episodes = answer["episodes"].as_array().unwrap();
    assert_eq!(episodes.len(), 1, "{episodes:?}");
    let e = &episodes[0];
    assert_eq!((e["onset"].as_str(), e["recovery"].as_str()), (Some(&*clock(400)), Some(&*clock(460))));
    assert!((400..460).contains(&e["peak_row"].as_u64().unwrap()) && e["score"].as_f64().unwrap() > 0.9, "{e}");
    let scores = answer["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 600);
    assert!(scores[400].as_f64().unwrap() > 0.5 && scores[399].as_f64().unwrap() < 0.5);
}

#[test]
fn episode_dates_a_run_of_several_signals_or_says_why_not() {
    let bench = Bench::new();
    bench.write("run.csv", &wide(&[("calm", 5.0, 9999), ("flow", 30.0, 700)], 0..1000));
    let answer = bench.json(&["episode", "run.csv"], 0);
    let e = &answer["episodes"][0];
    assert_eq!(e["signal"], "flow");
    assert!(e["onset_row"].as_u64().unwrap().abs_diff(700) <= 10 && e["recovery"].is_null(), "{e}");
    bench.write("calm.csv", &wide(&[("calm", 5.0, 9999)], 0..1000));
    let answer = bench.json(&["episode", "calm.csv"], 1);
    assert!(answer["reason"].as_str().unwrap().contains("straight line"), "{answer}");
}

#[test]
fn rank_tells_what_broke_first_even_when_it_was_noticed_late() {
    let bench = Bench::new();
    let columns = [("pool", 40.0, 300), ("latency", 0.2, 312), ("idle", 7.0, 9999)];
    // "before" holds the first minute and a half of the trouble.
    bench.write("before.csv", &wide(&columns, 0..390));
    bench.write("after.csv", &wide(&columns, 390..600));
    let answer = bench.json(&["rank", "--before", "before.csv", "--after", "after.csv"], 0);
    let by_name =
        |name: &str| answer["suspects"].as_array().unwrap().iter().find(|s| s["name"] == name).unwrap().clone();
    assert_eq!(
        (by_name("pool")["onset"].as_str(), by_name("latency")["onset"].as_str()),
        (Some(&*clock(300)), Some(&*clock(312)))
    );
    assert!(by_name("idle")["onset"].is_null());
    assert_eq!(answer["suspects"][2]["name"], "idle", "{answer}");
}

#[test]
fn with_a_graph_the_deepest_unwell_service_is_the_cause() {
    let bench = Bench::new();
    let columns = [
        ("mrg.latency", 0.2, 300),
        ("upg.latency", 0.1, 300),
        ("vendor.latency", 0.05, 300),
        ("ho.latency", 0.3, 9999),
    ];
    bench.write("before.csv", &wide(&columns, 0..290));
    bench.write("after.csv", &wide(&columns, 290..360));
    bench.write("calls.csv", "caller,callee\nmrg,upg\nupg,vendor\nupg,ho\n");
    bench.write("square.csv", "service,mrg,upg,vendor,ho\nmrg,0,1,0,0\nupg,0,0,1,1\nvendor,,,,\nho,,,,\n");
    for graph in ["calls.csv", "square.csv"] {
        let files = ["rank", "--before", "before.csv", "--after", "after.csv", "--graph", graph];
        for alarm in [&[][..], &["--alarm", "mrg.latency"][..]] {
            let answer = bench.json(&[&files[..], alarm].concat(), 0);
            let found: Vec<(&str, &str)> = answer["suspects"]
                .as_array()
                .unwrap()
                .iter()
                .map(|s| (s["name"].as_str().unwrap(), s["standing"].as_str().unwrap()))
                .collect();
            let expected = [("vendor", "cause"), ("upg", "consequence"), ("mrg", "consequence"), ("ho", "well")];
            assert_eq!(found, expected, "{graph} {alarm:?}");
            assert_eq!(answer["suspects"][0]["explains"].as_array().unwrap().len(), 2);
        }
    }
}

#[test]
fn a_rank_without_an_answer_gives_its_reason() {
    let bench = Bench::new();
    bench.write("before.csv", "time,v\n1,2\n2,3\n");
    bench.write("after.csv", "time,v\n3,9\n");
    let answer = bench.json(&["rank", "--before", "before.csv", "--after", "after.csv"], 1);
    assert!(answer["reason"].as_str().unwrap().contains("2 rows before"), "{answer}");
}

/// Counts of two attributes; method `qris` fails at vendor `b` from minute 5 on.
fn counts() -> String {
    let mut out = "minute,method,vendor,failed,orders\n".to_owned();
    for minute in 0..8 {
        for method in ["qris", "va", "card"] {
            for vendor in ["a", "b"] {
                let failed = if minute >= 5 && method == "qris" && vendor == "b" { 90 } else { 4 };
                let _ = writeln!(out, "{minute},{method},{vendor},{failed},300");
            }
        }
    }
    out
}

#[test]
fn cohort_names_the_conjunction_or_says_that_none_stands_out() {
    let bench = Bench::new();
    bench.write("c.csv", &counts());
    let asked = ["cohort", "c.csv", "--bad", "failed", "--total", "orders", "--time", "minute", "--at"];
    let answer = bench.json(&[&asked[..], &["5"]].concat(), 0);
    let best = &answer["explanations"][0];
    assert_eq!((best["share"].as_str(), best["bad"].as_f64()), (Some("method=qris&vendor=b"), Some(90.0)));
    assert!(best["lift"].as_f64().unwrap() > 10.0 && best["p"].as_f64().unwrap() < 1e-6, "{best}");
    let answer = bench.json(&[&asked[..], &["3"]].concat(), 1);
    assert_eq!(answer["reason"], "no segment stands out");
}

#[test]
fn what_is_wrong_with_a_file_is_a_sentence_with_file_line_and_remedy() {
    let bench = Bench::new();
    bench.write("text.csv", "time,v\n1,2\n2,many\n");
    let says = bench.refused(&["spikes", "text.csv"]);
    assert!(
        says.contains("text.csv:3: column \"v\": \"many\" is no number") && says.contains("decimal point"),
        "{says}"
    );
    assert!(bench.refused(&["spikes", "absent.csv"]).contains("absent.csv cannot be read"));
    bench.write("wide.csv", "time,a,b\n1,2,3\n");
    assert!(bench.refused(&["spikes", "wide.csv"]).contains("warroom analyze episode"));
    let says = bench.refused(&["cohort", "wide.csv", "--bad", "x", "--total", "b"]);
    assert!(says.contains("no column \"x\": name one of \"time\", \"a\", \"b\""), "{says}");
    bench.write("c.csv", "k,bad,all\nx,5,3\n");
    assert!(bench.refused(&["cohort", "c.csv", "--bad", "bad", "--total", "all"]).contains("c.csv:2: more are bad"));
    bench.write("other.csv", "time,z\n1,2\n");
    let says = bench.refused(&["rank", "--before", "wide.csv", "--after", "other.csv"]);
    assert!(says.contains("share no column"), "{says}");
    assert!(bench.refused(&["--bench", "moon", "."]).contains("name nab, skab, sockshop, petshop or rs"));
    assert!(bench.refused(&["--bench", "nab", "."]).contains("holds no case of nab"));
    assert!(!bench.refused(&[]).is_empty());
}

fn bench_of(set: &str, bench: &Bench) -> Value {
    bench.json(&["--bench", set, bench.path("set").to_str().unwrap()], 0)
}

#[test]
fn bench_answers_in_the_form_of_the_scorers_of_runs() {
    let bench = Bench::new();
    bench.write("set/data/real/a.csv", &spike(2));
    assert_eq!(bench_of("nab", &bench)["real/a.csv"]["detections"][0], clock(400).as_str());
    let bench = Bench::new();
    let run = wide(&[("Flow", 30.0, 700), ("anomaly", 0.001, 9999), ("changepoint", 0.001, 9999)], 0..1000);
    bench.write("set/valve/0.csv", &run.replace("time,", "datetime,").replace(',', ";"));
    let e = &bench_of("skab", &bench)["valve/0.csv"][0];
    assert!(e["onset"].as_u64().unwrap().abs_diff(700) <= 10 && e["recovery"].is_null(), "{e}");
}

#[test]
fn bench_answers_in_the_form_of_the_scorers_of_incidents() {
    let bench = Bench::new();
    let columns = [("carts_cpu", 1.0, 300), ("carts_lat_50", 1.0, 200), ("user_mem", 9.0, 9999)];
    bench.write("set/carts-cpu/1/normal.csv", &wide(&columns, 0..300));
    bench.write("set/carts-cpu/1/anomalous.csv", &wide(&columns, 300..500));
    for late in ["0", "60"] {
        let set = bench.path("set");
        let answer = bench.json(&["--bench", "sockshop", set.to_str().unwrap(), "--late", late], 0);
        assert_eq!(answer["carts-cpu/1"], serde_json::json!(["carts_cpu", "user_mem"]));
    }
    let bench = Bench::new();
    bench.write(
        "set/anomaly.yaml",
        "- data: case1\n  timestamp: 6\n  cause: [{'method':'qris'}]\n- data: absent\n  timestamp: 6\n",
    );
    let case = counts().replace("minute,", "min,").replace("failed,orders", "value,cnt");
    bench.write("set/case1.csv", &case);
    let answer = bench_of("rs", &bench);
    assert_eq!((answer["case1"][0].as_str(), answer.as_object().unwrap().len()), (Some("method=qris&vendor=b"), 1));
}

#[test]
fn bench_reads_the_three_headings_of_petshop() {
    let bench = Bench::new();
    let heading = ",Site,Search,Search,Site\nmetric,latency,latency,latency,availability\nstatistic,Average,Average,p90,Average\nunix_timestamp,,,,\n";
    let rows = |n: usize, bad: bool| {
        let mut noise = noise(n as u64);
        let mut out = heading.to_owned();
        for row in 0..n {
            let times = if bad && row > 1 { 4.0 } else { 1.0 };
            let _ = writeln!(out, "{row},{:.4},{:.4},,100", times + 0.1 * noise(), times + 0.1 * noise());
        }
        out
    };
    bench.write("set/low/noissue/metrics.csv", &rows(100, false));
    bench.write("set/low/train/issue_0/metrics.csv", &rows(5, true));
    bench.write("set/low/graph.csv", ",Site,Search\nSite,0,1\nSearch,0,0\n");
    let target = r#"{"target":{"node":"Site","metric":"latency","agg":"Average"},"root_cause":{"node":"Search"}}"#;
    bench.write("set/low/train/issue_0/target.json", target);
    assert_eq!(bench_of("petshop", &bench)["low/train/issue_0"], serde_json::json!(["Search", "Site"]));
}

#[test]
fn a_folder_is_no_file() {
    let bench = Bench::new();
    let here = Path::new(".").to_str().unwrap();
    assert!(bench.refused(&["spikes", here]).contains("cannot be read"));
}
