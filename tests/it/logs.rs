//! `warroom logs` as people and scripts use it: real files, packed and broken, in every format; exit codes, bytes
//! and counts.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

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
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
        command.arg("logs").args(arguments).env_clear().env("HOME", self.dir.path()).current_dir(self.dir.path());
        command
    }
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
    fn text(&self, arguments: &[&str], code: i32) -> String {
        let o = self.run(arguments);
        assert_eq!(o.status.code(), Some(code), "{}", String::from_utf8_lossy(&o.stderr));
        String::from_utf8(o.stdout).unwrap()
    }
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(arguments, 0)).unwrap()
    }
    fn says(&self, arguments: &[&str], code: i32) -> String {
        let o = self.run(arguments);
        assert_eq!(o.status.code(), Some(code));
        String::from_utf8(o.stderr).unwrap()
    }
}

/// When a stretch begins, its lines, and those of level error.
fn buckets(histogram: &Value) -> Vec<(String, u64, u64)> {
    let row = |b: &Value| {
        (b["from"].as_str().unwrap()[11..16].to_owned(), b["lines"].as_u64().unwrap(), b["error"].as_u64().unwrap())
    };
    histogram["buckets"].as_array().unwrap().iter().map(row).collect()
}

fn line(minute: u32, second: u32, level: &str, service: &str, message: &str) -> String {
    format!(
        "{{\"time\":\"2025-01-12T19:{minute:02}:{second:02}.250+07:00\",\"level\":\"{level}\",\"service\":\"{service}\",\"msg\":\"{message}\"}}\n"
    )
}

/// Ten lines in three minutes, one error in each.
fn ten() -> String {
    let minute = |i: u32| 30 + i / 4;
    let level = |i: u32| if i.is_multiple_of(4) { "error" } else { "info" };
    (0..10)
        .map(|i| line(minute(i), i, level(i), &format!("mrg-api-{}", i % 2), &format!("ORD-{i} took {i} ms")))
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_histogram_is_the_same_however_the_lines_are_packed_and_adds_up_over_files() {
    let bench = Bench::new();
    bench.write("a.log", ten());
    bench.write("a.gz", gzip(&ten()));
    bench.write("a.zst", zstd::encode_all(ten().as_bytes(), 3).unwrap());
    let one = [("19:30".to_owned(), 4, 1), ("19:31".to_owned(), 4, 1), ("19:32".to_owned(), 2, 1)];
    for file in ["a.log", "a.gz", "a.zst"] {
        assert_eq!(buckets(&bench.json(&["histogram", "--json", file])), one, "{file}");
    }
    let all = bench.json(&["histogram", "--json", "a.log", "a.gz", "a.zst"]);
    let three: Vec<_> = one.iter().map(|(at, n, e)| (at.clone(), n * 3, e * 3)).collect();
    assert_eq!(buckets(&all), three);
    assert_eq!(all["bytes"], ten().len() * 3);
    let table = bench.text(&["histogram", "--by", "2m", "a.log"], 0);
    assert!(
        table.starts_with("10 lines with a time, every line of 1 file counted, by 2m, WIB (UTC+07:00)\n"),
        "{table}"
    );
    assert!(table.contains("2025-01-12 19:30:00           8           6           2  ####"), "{table}");
}

#[test]
fn a_histogram_counts_what_is_asked_for() {
    let bench = Bench::new();
    bench.write("a.log", ten());
    let count = |arguments: &[&str]| {
        let all = bench.json(&[&["histogram", "--json", "a.log"], arguments].concat());
        buckets(&all).iter().map(|b| b.1).sum::<u64>()
    };
    assert_eq!(count(&[]), 10);
    assert_eq!(count(&["--where", "took [0-3] ms"]), 4);
    assert_eq!(count(&["--level", "error"]), 3);
    assert_eq!(count(&["--service", "mrg-api"]), 10);
    assert_eq!(count(&["--service", "mrg-api-1"]), 5);
    assert_eq!(count(&["--order", "ORD-1"]), 1);
    assert_eq!(count(&["--from", "2025-01-12T19:31"]), 6);
    assert_eq!(count(&["--from", "2025-01-12 12:31:00Z", "--to", "2025-01-12 19:32"]), 4);
}

#[test]
fn six_ways_to_write_a_time_and_none_in_one_file_and_out_of_order() {
    let bench = Bench::new();
    let lines = [
        "2025-01-12T19:31:08.250+07:00 ERROR a",
        "Jan 12 19:33:08 host app[7]: level=error b",
        "E0112 19:31:09.250000 7 main.go:1] c",
        "1736685068.250 ERROR d",
        "10.0.4.31 - - [12/Jan/2025:19:31:08 +0700] \"GET / HTTP/1.1\" 500",
        "time=2025-01-12T12:31:08Z level=error msg=\"e f\"",
        "    at com.example.Pool.acquire(Pool.java:17)",
        "",
        "words",
    ];
    bench.write("mixed.log", lines.join("\r\n"));
    let all = bench.json(&["histogram", "--json", "mixed.log"]);
    let year = buckets(&all);
    assert_eq!(year.iter().map(|b| b.1).sum::<u64>(), 6, "{all}");
    assert_eq!(year.iter().map(|b| b.2).sum::<u64>(), 5);
    // Syslog and glog say no year; the others are of 2025.
    assert!(year.contains(&("19:31".to_owned(), 4, 3)) || year.contains(&("19:31".to_owned(), 5, 4)), "{all}");
    assert_eq!(all["without_time"], 2);
    assert!(all["out_of_order"].as_u64().unwrap() >= 1);
    let table = bench.text(&["histogram", "mixed.log"], 0);
    assert!(table.contains("2 lines have no time of their own"), "{table}");
}

#[test]
fn bytes_that_are_no_text_and_json_of_wrong_types_are_lines_like_any_other() {
    let bench = Bench::new();
    let mut bytes = ten().into_bytes();
    bytes.extend_from_slice(
        b"{\"time\":17,\"level\":[1],\"msg\":{\"a\":1}}\n{\"time\":true}\n{broken\n\0\0\0\n\xff\xfe\xe9t\xe9\n",
    );
    bytes.extend_from_slice(b"{\"time\":\"2025-01-12T19:30:59Z\",\"level\":50,\"msg\":\"cut in the mid");
    bench.write("odd.log", &bytes);
    let all = bench.json(&["histogram", "--json", "odd.log"]);
    assert_eq!(buckets(&all).iter().map(|b| (b.1, b.2)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)), (11, 4));
    assert_eq!(all["without_time"], 5);
    let raw = bench.run(&["search", r"(?-u)\xe9t", "odd.log", "--raw"]);
    assert_eq!(raw.stdout, b"\xff\xfe\xe9t\xe9\n");
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(ten().encode_utf16()).flat_map(u16::to_le_bytes).collect();
    bench.write("wide.log", wide);
    assert_eq!(bench.text(&["search", "--count", "took", "wide.log"], 0), "10\n");
}

#[test]
fn a_line_of_a_hundred_megabytes_costs_its_head_only() {
    let bench = Bench::new();
    let mut file = std::fs::File::create(bench.path("long.log")).unwrap();
    file.write_all(ten().as_bytes()).unwrap();
    file.write_all(b"2025-01-12T19:40:00+07:00 ERROR ").unwrap();
    for _ in 0..100 {
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    file.write_all(b"needle\n2025-01-12T19:41:00+07:00 INFO behind it\n").unwrap();
    let o = bench.run(&["histogram", "--json", "long.log"]);
    let all: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!((buckets(&all).len(), all["cut_lines"].as_u64()), (5, Some(1)));
    let says = String::from_utf8(o.stderr).unwrap();
    assert!(says.contains("1 of the lines are longer than 1024 KiB"), "{says}");
    assert_eq!(bench.text(&["search", "--count", "ERROR x|behind", "long.log"], 0), "2\n");
    assert_eq!(bench.text(&["search", "--count", "needle", "long.log"], 1), "0\n");
}

#[test]
fn what_is_found_is_fit_for_a_terminal_and_for_others_unless_it_is_wanted_raw() {
    let bench = Bench::new();
    let nasty = "2025-01-12 19:30:00 ERROR \x1b]0;x\x07pay budi@example.com token=abcdef123 ok";
    bench.write("a.log", format!("{nasty}\nother\n"));
    let shown = bench.text(&["search", "pay", "a.log"], 0);
    assert!(!shown.contains('\x1b') && !shown.contains("budi@") && !shown.contains("abcdef123"), "{shown}");
    assert!(shown.contains("ERROR") && shown.ends_with("ok\n"), "{shown}");
    assert_eq!(bench.run(&["search", "pay", "a.log", "--raw"]).stdout, format!("{nasty}\n").into_bytes());
    let object: Value = serde_json::from_str(&bench.text(&["search", "pay", "a.log", "--json"], 0)).unwrap();
    assert_eq!((object["level"].as_str(), object["file"].as_str()), (Some("error"), Some("a.log")));
    assert_eq!(object["time"], "2025-01-12T19:30:00+07:00");
    assert!(!object.to_string().contains("budi@") && !object.to_string().contains("abcdef123"));
}

#[test]
fn a_search_names_the_file_ends_at_its_limit_and_says_by_its_code_that_there_is_nothing() {
    let bench = Bench::new();
    bench.write("a.log", ten());
    bench.write("b.log", ten());
    let found = bench.text(&["search", "ORD-[37] ", "a.log", "b.log"], 0);
    let heads: Vec<&str> = found.lines().map(|l| &l[..7]).collect();
    assert_eq!(heads, ["a.log: ", "a.log: ", "b.log: ", "b.log: "]);
    assert_eq!(bench.text(&["search", "took", "a.log", "b.log", "--limit", "13", "--count"], 0), "13\n");
    assert_eq!(bench.text(&["search", "nowhere", "a.log"], 1), "");
    assert_eq!(bench.text(&["search", "--order", "ORD-1", "took", "a.log", "--count"], 0), "1\n");
}

#[test]
fn what_cannot_be_done_is_a_sentence_with_the_remedy() {
    let bench = Bench::new();
    bench.write("a.log", ten());
    let whole = gzip(&ten().repeat(500));
    bench.write("half.gz", &whole[..whole.len() / 2]);
    for (arguments, code, says) in [
        (&["search", "a(", "a.log"][..], 2, "'a(' is no regular expression: unclosed group"),
        (&["histogram", "none.log"], 1, "there is no file none.log"),
        (&["histogram", "."], 1, ". is a folder: name the files in it"),
        (&["histogram", "half.gz"], 1, "half.gz cannot be read on: "),
        (&["histogram", "--by", "soon", "a.log"], 2, "\"soon\" is no duration"),
        (&["search", "x", "a.log", "--level", "loud"], 2, "--level loud is no level: write trace, debug, info"),
        (&["search", "x", "a.log", "--from", "yesterday"], 2, "--from yesterday is no time: write it like 2025"),
        (&["patterns", "a.log", "--ids", "no/where"], 1, "no/where cannot be written"),
    ] {
        let said = bench.says(arguments, code);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}

#[test]
fn results_come_while_the_input_is_still_being_written_and_a_signal_ends_it() {
    let bench = Bench::new();
    let mut child =
        bench.command(&["search", "took 3", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(ten().as_bytes()).unwrap();
    to.flush().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("ORD-3 took 3 ms"), "{first}");
    assert!(child.try_wait().unwrap().is_none(), "it waits for more");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.signal(), Some(2));
}

#[test]
fn patterns_count_lines_name_their_places_and_number_every_line() {
    let bench = Bench::new();
    bench.write("a.log", ten() + &line(40, 0, "warn", "upg", "breaker open"));
    let list = bench.json(&["patterns", "--json", "a.log"]);
    let told: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["pattern"].as_str().unwrap(), p["lines"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("<id> took <duration>", 10), ("breaker open", 1)]);
    assert_eq!(list[0]["slots"][0]["looked_at"], 10);
    assert_eq!(bench.json(&["patterns", "--json", "a.log", "--level", "warn"]).as_array().unwrap().len(), 4 - 2);
    bench.write("messages.txt", "took 5 ms\n\nbreaker open\ntook 17 ms\nERROR: took 5 ms");
    bench.text(&["patterns", "messages.txt", "--ids", "ids.txt"], 0);
    let ids = std::fs::read_to_string(bench.path("ids.txt")).unwrap();
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(ids[0], ids[3]);
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
}
