//! Every format in which a service of the demo's world writes is read back to the line it was.

use super::logs_tests::{append, config};
use super::*;
use crate::model::log::{Level, LogLine};
use crate::simulator::day::Day;
use crate::simulator::platform::{ms, stamp};
use crate::simulator::{lines, scenario, text};
use std::sync::LazyLock;

/// From when to when.
const STRETCH: (&str, &str) = ("2025-01-12T19:35:00+07:00", "2025-01-12T19:50:00+07:00");

/// Scenarios whose lines are of every kind.
const SCENARIOS: [&str; 3] = ["pool", "bad-deployment", "callback"];

/// A quarter of an hour of each, as it was said and as it is read from files.
static TOLD: LazyLock<Vec<(Vec<LogLine>, Vec<LogLine>)>> =
    LazyLock::new(|| SCENARIOS.iter().map(|name| said_and_read(name)).collect());

fn said_and_read(name: &str) -> (Vec<LogLine>, Vec<LogLine>) {
    let day = Day::evening(scenario::named(name).unwrap(), 1);
    let [from, to] = [STRETCH.0, STRETCH.1].map(|t| ms(Stamp::parse_rfc3339(t).unwrap()));
    let dir = tempfile::tempdir().unwrap();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for line in text::files(&day, from, to) {
        let file = files.entry(line.file).or_default();
        file.push_str(&line.text);
        file.push('\n');
    }
    for (name, text) in files {
        append(&dir.path().join(name), text);
    }
    let read = read(dir.path(), stamp(to));
    (sorted(lines::between(&day, from, to)), sorted(read))
}

/// Everything that is in the files.
fn read(folder: &Path, now: Stamp) -> Vec<LogLine> {
    let mut desk = Desk::new(config(folder), now - Lapse::hours(1));
    let mut read = Vec::new();
    // The last line of a file comes with the second quiet round.
    let mut quiet = 0;
    while quiet < 2 {
        desk.round(now, now);
        quiet = if desk.more { 0 } else { quiet + 1 };
        for fact in desk.hand_over().facts {
            match fact {
                Fact::Lines(lines) => read.extend(lines),
                other => panic!("{other:?}"),
            }
        }
    }
    read
}

fn sorted(mut lines: Vec<LogLine>) -> Vec<LogLine> {
    lines.sort_by_key(|l| (l.at, l.service.clone(), l.message.clone(), l.order.clone()));
    lines
}

#[test]
fn what_a_service_writes_is_read_back_as_it_was_meant() {
    for (name, (said, read)) in SCENARIOS.iter().zip(&*TOLD) {
        assert_eq!(said.len(), read.len(), "{name}");
        for (said, read) in said.iter().zip(read) {
            assert!(said == read, "{name}: {}\nis read as\n{}", text::of(said), text::of(read));
        }
    }
}

#[test]
fn among_them_is_everything_that_is_hard_to_read() {
    let some = |is: fn(&LogLine) -> bool| TOLD.iter().flat_map(|(_, read)| read).any(is);
    assert!(some(|l| l.message.raw().contains('\u{1b}')), "an escape sequence");
    assert!(some(|l| l.stack.len() > 3), "a stack trace");
    assert!(some(|l| l.service.starts_with("upg") && l.order.is_some()), "an order's id in plain text");
    assert!(some(|l| l.order.as_ref().is_some_and(|o| !l.message.raw().contains(&**o))), "one in a field alone");
    assert!(some(|l| l.message.raw().starts_with("panic") && !l.stack.is_empty()), "a panic");
}

#[test]
fn a_trace_stays_with_its_line_in_a_field_or_below_it() {
    let dir = tempfile::tempdir().unwrap();
    let line = |second: i64, service: &str, stack: &[&str]| LogLine {
        at: Stamp::parse_rfc3339(STRETCH.0).unwrap() + Lapse::millis(second * 1_000 + 7),
        service: service.into(),
        level: Level::Fatal,
        order: None,
        trace: None,
        message: "panic in the handler of \"callbacks\"".into(),
        stack: stack.iter().map(|s| (*s).into()).collect(),
    };
    let trace = ["goroutine 7 [running]:", "callback.(*Queue).Push(0x0)", "\t/src/queue.go:88 +0x1d"];
    let said =
        [line(1, "upg-3", &trace), line(2, "mrg-api-3", &trace), line(3, "upg-3", &[]), line(4, "mrg-api-3", &[])];
    for line in &said {
        append(&dir.path().join(text::file(&line.service)), text::of(line) + "\n");
    }
    assert_eq!(sorted(read(dir.path(), said[3].at)), said);
}
