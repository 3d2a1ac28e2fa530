//! `warroom record` and a slow link: the program without a screen, and with hardly one.

use crate::pty::{patiently, warroom};
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use warroom::model::{Fact, Zone};

/// A configuration whose only source is a log file.
fn config(dir: &Path) -> String {
    let log = dir.join("mrg.log");
    std::fs::write(&log, "").unwrap();
    let path = dir.join("config.toml");
    let text = format!("[incident]\ntitle = 'kept'\n[[logs]]\nname = 'logs'\npaths = [{:?}]\n", log.to_str().unwrap());
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn write(dir: &Path, from: u32, to: u32) {
    use std::io::Write as _;
    let mut log = std::fs::OpenOptions::new().append(true).open(dir.join("mrg.log")).unwrap();
    for i in from..to {
        let at = Zone::utc().rfc3339(warroom::source::clock::now());
        writeln!(log, r#"{{"time":"{at}","level":"ERROR","msg":"acquire timed out {i}"}}"#).unwrap();
    }
}

/// The collector, running; its status lines come out of standard error.
fn record(config: &str, folder: &Path) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["--config", config, "--record", folder.to_str().unwrap(), "record"])
        .env("HOME", folder.parent().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    (child, said)
}

fn end(child: &mut Child, signal: Signal) -> i32 {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
    let status = patiently(|| child.try_wait().unwrap());
    status.unwrap().code().unwrap()
}

/// The messages of all lines that are recorded.
fn recorded(folder: &Path) -> Vec<String> {
    let (reader, _) = warroom::recording::Reader::open(folder).unwrap();
    let mut out = Vec::new();
    for batch in reader.batches() {
        for fact in &batch.facts {
            if let Fact::Lines(lines) = fact {
                out.extend(lines.iter().map(|l| l.message.raw().to_owned()));
            }
        }
    }
    out
}

/// Waits until so many lines are in the recording.
fn waits_for(folder: &Path, lines: usize) -> Vec<String> {
    let came = patiently(|| Some(recorded(folder)).filter(|r| r.len() >= lines));
    assert!(came.is_some(), "{lines} lines never came: {:?}", recorded(folder));
    came.unwrap()
}

#[test]
fn a_collector_without_a_screen_keeps_what_it_sees_until_it_is_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let (config, folder) = (config(dir.path()), dir.path().join("kept"));
    let (mut child, mut said) = record(&config, &folder);
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    assert!(first.contains("recording into") && first.contains("Ctrl-C or SIGTERM"), "{first}");
    write(dir.path(), 0, 50);
    assert_eq!(waits_for(&folder, 50)[49], "acquire timed out 49");
    assert_eq!(end(&mut child, Signal::TERM), 0);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("error"), "{rest}");

    // What was collected opens on a screen, and a second collector goes on in the same folder.
    let mut running = warroom(&["replay", folder.to_str().unwrap()]).size(120, 35).start();
    running.shows("kept");
    running.send("3");
    running.shows("acquire timed out");
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0);
    let (mut child, mut said) = record(&config, &folder);
    said.read_line(&mut first).unwrap();
    write(dir.path(), 50, 60);
    patiently(|| recorded(&folder).iter().any(|m| m == "acquire timed out 59").then_some(())).unwrap();
    assert_eq!(recorded(&folder).len(), 60, "what was kept is not read again");
    assert_eq!(end(&mut child, Signal::INT), 0);
    assert_eq!(recorded(&folder)[0], "acquire timed out 0", "nothing that was kept is gone");
}

#[test]
fn a_screen_that_goes_on_with_a_recording_shows_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let (config, folder) = (config(dir.path()), dir.path().join("kept"));
    let (mut child, mut said) = record(&config, &folder);
    said.read_line(&mut String::new()).unwrap();
    write(dir.path(), 0, 7);
    waits_for(&folder, 7);
    assert_eq!(end(&mut child, Signal::TERM), 0);
    // The file is gone, so nothing but the recording can tell.
    std::fs::remove_file(dir.path().join("mrg.log")).unwrap();
    let mut running = warroom(&["--config", &config, "--record", folder.to_str().unwrap()]).size(120, 35).start();
    running.send("3");
    running.shows("acquire timed out");
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0);
}

#[test]
fn a_slow_link_gets_no_colour_unless_one_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    for (arguments, coloured) in [(&["--slow"][..], false), (&["--slow", "--colors", "256"], true)] {
        let mut running = warroom(&[&["--config", &config, "--no-record"], arguments].concat()).size(80, 24).start();
        running.shows("kept");
        running.send("6");
        running.shows("SOURCES");
        let raw = String::from_utf8_lossy(&running.raw()).into_owned();
        assert_eq!(raw.contains("8;5;"), coloured, "{arguments:?}");
        running.send(":q\r");
        assert_eq!(running.exit_code(), 0);
    }
}
