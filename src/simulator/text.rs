//! A log line as the service that writes it puts it: MRG and the Orchestrator as Go's `slog` writes JSON, UPG as
//! plain text with what belongs to a line below it. The files of the demo, the emulated log service and the export
//! all say it in these words.
//!
//! May not know: where the text goes.

use super::day::Day;
use super::lines;
use super::platform::agenda::Ms;
use super::scenario::Scenario;
use crate::model::log::{Level, LogLine};
use crate::model::{Stamp, Untrusted, Zone};
use serde::Serialize;

/// Lines are made for so long at a time: a whole day of them is never in memory.
const STRETCH: Ms = 60_000;
/// UPG's pods; the Orchestrator has one.
const UPG_PODS: u32 = 4;

/// A line of a file, without its newline; it may be several lines of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file's name: `mrg-api-3.log`.
    pub file: String,
    /// The line's own time.
    pub at: Stamp,
    /// The text.
    pub text: String,
}

/// An entry as `slog.JSONHandler` writes it: the built-in fields first, in this order.
#[derive(Serialize)]
struct Entry<'a> {
    time: String,
    level: &'static str,
    msg: &'a str,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
}

/// The text of a line.
pub fn of(line: &LogLine) -> String {
    if line.service.starts_with("upg") { plain(line) } else { json(line) }
}

/// The name of the file that a pod writes.
pub fn file(service: &str) -> String {
    format!("{service}.log")
}

/// Every pod of the platform that writes a log.
pub fn pods(scenario: &Scenario) -> Vec<String> {
    let mrg = (1..=scenario.first().mrg.pods).map(|n| format!("mrg-api-{n}"));
    let upg = (1..=UPG_PODS).map(|n| format!("upg-{n}"));
    mrg.chain(["orch-1".to_owned()]).chain(upg).collect()
}

/// All that is written in a stretch of a day, in the order in which each file has it.
pub fn files(day: &Day, from: Ms, to: Ms) -> impl Iterator<Item = Written> {
    let steps = (from..to).step_by(STRETCH as usize);
    steps.flat_map(move |at| {
        let lines = lines::between(day, at, to.min(at + STRETCH));
        lines.into_iter().map(|l| Written { file: file(&l.service), at: l.at, text: of(&l) })
    })
}

fn json(line: &LogLine) -> String {
    let entry = Entry {
        time: Zone::wib().format(line.at, "%Y-%m-%dT%H:%M:%S%.3f%:z"),
        level: level(line.level),
        msg: line.message.raw(),
        service: &line.service,
        order_id: line.order.as_deref(),
        stack: (!line.stack.is_empty()).then(|| stack(line).collect::<Vec<_>>().join("\n")),
    };
    // An entry of words alone has nothing that JSON cannot say.
    serde_json::to_string(&entry).unwrap_or_default()
}

/// A time without a zone, as many services still write it: whoever reads it has to know that it is WIB.
fn plain(line: &LogLine) -> String {
    let time = Zone::wib().format(line.at, "%Y-%m-%d %H:%M:%S%.3f");
    let mut text = format!("{time} {} {}", level(line.level), line.message.raw());
    for below in stack(line) {
        text.push('\n');
        text.push_str(below);
    }
    text
}

fn stack(line: &LogLine) -> impl Iterator<Item = &str> {
    line.stack.iter().map(Untrusted::raw)
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
        Level::Fatal => "FATAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::platform::ms;
    use crate::simulator::scenario::named;
    use crate::simulator::story::clock;
    use std::collections::BTreeSet;

    fn line(service: &str) -> LogLine {
        LogLine {
            at: clock(19, 41, 7) + crate::model::Lapse::millis(123),
            service: service.into(),
            level: Level::Error,
            order: Some("ORD-5118001".into()),
            trace: None,
            message: "no \"connection\" \u{1b}[2J".into(),
            stack: vec!["goroutine 7 [running]:".into(), "    /src/pool.go:212".into()],
        }
    }

    #[test]
    fn go_services_write_json_and_upg_plain_text() {
        assert_eq!(
            of(&line("orch-1")),
            r#"{"time":"2025-01-12T19:41:07.123+07:00","level":"ERROR","msg":"no \"connection\" \u001b[2J","service":"orch-1","order_id":"ORD-5118001","stack":"goroutine 7 [running]:\n    /src/pool.go:212"}"#
        );
        assert_eq!(
            of(&line("upg-2")),
            "2025-01-12 19:41:07.123 ERROR no \"connection\" \u{1b}[2J\ngoroutine 7 [running]:\n    /src/pool.go:212"
        );
    }

    #[test]
    fn the_files_of_a_stretch_hold_its_lines_once_and_are_those_of_the_pods() {
        let day = Day::evening(named("sampled-logs").unwrap(), 1);
        let (from, to) = (ms(clock(19, 30, 3)), ms(clock(19, 41, 0)));
        let mut written: Vec<Written> = files(&day, from, to).collect();
        let lines = lines::between(&day, from, to);
        let mut expected: Vec<Written> =
            lines.iter().map(|l| Written { file: file(&l.service), at: l.at, text: of(l) }).collect();
        let by = |w: &Written| (w.at, w.file.clone(), w.text.clone());
        written.sort_by_key(by);
        expected.sort_by_key(by);
        assert!(written.len() > 100, "{}", written.len());
        assert!(written == expected, "which lines are kept does not depend on who asks for how much");
        let pods: BTreeSet<String> = pods(&day.scenario).iter().map(|p| file(p)).collect();
        assert!(written.iter().all(|w| pods.contains(&w.file)));
    }
}
