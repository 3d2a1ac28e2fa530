//! Stories of log files, told to the desk without a runtime.

use super::*;
use crate::config::LogFormat;
use crate::model::Zone;
use crate::model::health::State;
use crate::model::log::{Level, LogLine};
use std::io::Write;

const NOW: &str = "2025-01-12T20:00:00+07:00";

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

pub(super) fn config(folder: &Path) -> LogConfig {
    LogConfig {
        name: "logs".to_owned(),
        paths: vec![folder.join("*.log")],
        service: None,
        format: LogFormat::Auto,
        time_fields: names(&["time", "ts", "@timestamp"]),
        level_fields: names(&["level", "severity"]),
        message_fields: names(&["msg", "message"]),
        service_fields: names(&["service"]),
        order_fields: names(&["order_id", "order.id"]),
        trace_fields: names(&["trace_id"]),
        order_pattern: None,
        time_format: None,
        zone: Zone::wib(),
        read_back: Lapse::hours(2),
    }
}

fn now() -> Stamp {
    Stamp::parse_rfc3339(NOW).unwrap()
}

pub(super) fn append(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::File::options().create(true).append(true).open(path).unwrap().write_all(text.as_ref()).unwrap();
}

/// Runs rounds until nothing waits; a line at the end of a file comes with the second quiet round.
fn rounds(desk: &mut Desk) -> (Vec<LogLine>, Vec<Loss>, Condition) {
    let (mut lines, mut losses) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        desk.round(now(), now());
        for fact in desk.hand_over().facts {
            match fact {
                Fact::Lines(l) => lines.extend(l),
                Fact::Loss(l) => losses.push(l),
                other => panic!("unexpected {other:?}"),
            }
        }
    }
    (lines, losses, desk.condition())
}

fn desk(folder: &Path) -> Desk {
    Desk::new(config(folder), now() - Lapse::hours(2))
}

#[test]
fn json_and_plain_files_are_merged_by_their_own_time() {
    let dir = tempfile::tempdir().unwrap();
    append(
        &dir.path().join("mrg-api-3.log"),
        "{\"time\":\"2025-01-12T12:31:09Z\",\"level\":\"error\",\"msg\":\"acquire timeout\",\"order_id\":\"ORD-1001\",\"trace_id\":\"t1\"}\n\
         {\"ts\":1736685071.5,\"severity\":\"warn\",\"message\":\"late\",\"order\":{\"id\":77123},\"service\":\"mrg-api-9\"}\n",
    );
    append(
        &dir.path().join("orch.log"),
        "2025-01-12 19:31:08.214 ERROR saga SG-1 of ORD-1001 gave up\n2025-01-12 19:31:10,001 [warn] slow\n",
    );
    let (lines, _, condition) = rounds(&mut desk(dir.path()));
    let short: Vec<_> = lines
        .iter()
        .map(|l| {
            (Zone::wib().hms_milli(l.at), l.service.to_string(), l.level, l.order.clone(), l.message.raw().to_owned())
        })
        .collect();
    let order = |id: &str| Some(Arc::<str>::from(id));
    assert_eq!(
        short,
        vec![
            (
                "19:31:08.214".into(),
                "orch".into(),
                Level::Error,
                order("ORD-1001"),
                "saga SG-1 of ORD-1001 gave up".into()
            ),
            ("19:31:09.000".into(), "mrg-api-3".into(), Level::Error, order("ORD-1001"), "acquire timeout".into()),
            ("19:31:10.001".into(), "orch".into(), Level::Warn, None, "slow".into()),
            ("19:31:11.500".into(), "mrg-api-9".into(), Level::Warn, order("77123"), "late".into()),
        ]
    );
    assert_eq!(condition.state, State::Well);
}

#[test]
fn a_stack_trace_stays_with_its_line_even_when_it_arrives_in_two_parts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mrg.log");
    append(&path, "2025-01-12 19:31:08 ERROR broken\ngoroutine 7 [running]:\nmain.f()\n");
    let mut desk = desk(dir.path());
    desk.round(now(), now());
    assert!(desk.hand_over().facts.is_empty(), "the trace may go on");
    append(&path, "\t/src/main.go:5\n2025-01-12 19:31:09 INFO next\n");
    let (lines, ..) = rounds(&mut desk);
    assert_eq!(lines.len(), 2);
    let stack: Vec<_> = lines[0].stack.iter().map(|s| s.raw().to_owned()).collect();
    assert_eq!(stack, ["goroutine 7 [running]:", "main.f()", "\t/src/main.go:5"]);
}

#[test]
fn a_crash_written_past_the_logger_is_a_line_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    append(
        &dir.path().join("mrg.log"),
        "{\"time\":\"2025-01-12T12:31:09Z\",\"level\":\"info\",\"msg\":\"fine\"}\npanic: nil map\n\ngoroutine 1 [running]:\nmain.g(0x1)\n",
    );
    let (lines, ..) = rounds(&mut desk(dir.path()));
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[1].level, lines[1].message.raw(), lines[1].stack.len()), (Level::Fatal, "panic: nil map", 2));
    assert_eq!(lines[1].at, lines[0].at, "it has no time and takes that of the line before");
}

#[test]
fn rubbish_is_kept_visible_and_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mrg.log");
    append(&path, b"2025-01-12 19:31:08 WARN caf\xe9 \x1b[2J\x07\n".as_slice());
    append(&path, b"{\"time\":\"2025-01-12T12:31:09Z\",\"msg\":\n".as_slice());
    append(&path, format!("2025-01-12 19:31:10 ERROR {}\n", "y".repeat(10 << 20)));
    append(&path, "2025-01-12 19:31:11 INFO after\n");
    let mut desk = desk(dir.path());
    let (mut lines, ..) = rounds(&mut desk);
    while desk.more || lines.len() < 3 {
        lines.extend(rounds(&mut desk).0);
    }
    assert_eq!(lines[0].message.raw(), "caf\\xE9 \u{1b}[2J\u{7}");
    assert!(lines[0].stack[0].raw().starts_with("{\"time\""), "half an object belongs to what stands above it");
    assert!(lines[1].message.len() < 9_000 && lines[1].message.raw().ends_with("bytes more, cut"));
    assert_eq!(lines[2].message.raw(), "after");
}

#[test]
fn lines_older_than_wanted_are_left_out_and_secrets_never_come_in() {
    let dir = tempfile::tempdir().unwrap();
    append(
        &dir.path().join("a.log"),
        "2025-01-12 10:00:00 ERROR long ago\n2025-01-12 19:00:00 ERROR login password=hunter2 failed\n",
    );
    let (lines, ..) = rounds(&mut desk(dir.path()));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].message.raw(), "login password=‹secret› failed");
}

#[test]
fn logfmt_is_read_by_its_keys() {
    let dir = tempfile::tempdir().unwrap();
    append(
        &dir.path().join("a.log"),
        "time=2025-01-12T19:31:08+07:00 level=warn msg=\"callback to \\\"HO\\\" failed\" order_id=ORD-55 err=EOF\n",
    );
    let (lines, ..) = rounds(&mut desk(dir.path()));
    assert_eq!(lines[0].message.raw(), "callback to \"HO\" failed: EOF");
    assert_eq!((lines[0].level, lines[0].order.as_deref()), (Level::Warn, Some("ORD-55")));
}

#[test]
fn a_file_that_appears_is_followed_and_an_absent_one_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path());
    let (_, _, condition) = rounds(&mut desk);
    assert_eq!((condition.state, condition.code.as_str()), (State::Down, "no file"));
    append(&dir.path().join("new.log"), "2025-01-12 19:59:59 INFO hello\n");
    desk.searched = Some(now() - Lapse::minutes(1));
    let (lines, _, condition) = rounds(&mut desk);
    assert_eq!((lines.len(), condition.state), (1, State::Well));
}

#[test]
fn a_truncation_is_a_loss_with_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    append(&path, "2025-01-12 19:59:00 INFO one\n2025-01-12 19:59:01 INFO two\n");
    let mut desk = desk(dir.path());
    rounds(&mut desk);
    std::fs::write(&path, "2025-01-12 19:59:30 INFO three\n").unwrap();
    let (lines, losses, _) = rounds(&mut desk);
    assert_eq!((lines.len(), losses.len()), (1, 1));
    assert!(losses[0].says.raw().contains("a.log"));
}

#[test]
fn a_pattern_that_does_not_compile_is_a_sentence_not_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut bad = config(dir.path());
    bad.order_pattern = Some("(".to_owned());
    let (_, _, condition) = rounds(&mut Desk::new(bad, now()));
    assert_eq!(condition.state, State::Down);
    assert!(condition.says.raw().contains("order_pattern"));
}

#[test]
fn a_burst_is_read_in_bounded_rounds_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.log", "b.log"] {
        let text: String = (0..60_000)
            .map(|i| format!("2025-01-12 19:{:02}:{:02}.{:03} INFO line {i}\n", i / 60_000, i / 1000 % 60, i % 1000))
            .collect();
        append(&dir.path().join(name), text);
    }
    let mut desk = desk(dir.path());
    let mut lines = 0;
    let mut rounds = 0;
    let mut quiet = 0;
    while quiet < 2 {
        desk.round(now(), now());
        let facts = desk.hand_over().facts;
        let n: usize = facts.iter().map(|f| if let Fact::Lines(l) = f { l.len() } else { 0 }).sum();
        assert!(n < MOST_LINES * 4, "{n} lines at once");
        quiet = if n == 0 { quiet + 1 } else { 0 };
        lines += n;
        rounds += 1;
    }
    assert_eq!(lines, 120_000);
    assert!(rounds > 2);
}
