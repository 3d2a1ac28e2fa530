//! The day's log lines as LTS would hold them: one stream for each service, the Go services' own formats.

use crate::model::log::{Level, LogLine};
use crate::model::{Lapse, Zone};
use crate::simulator::cloud::world::{LogGroup, LogStream};
use crate::simulator::day::Day;
use crate::simulator::{lines, story};
use serde_json::json;

const STREAMS: [(&str, &str, &str); 3] = [
    ("mrg", "mrg-api", "715cda3b-e17f-492a-a6ca-98a1ba16ad8c"),
    ("upg", "upg", "0b8e5c1d-3a4f-4e2b-9d6c-7f8091a2b3c4"),
    ("orch", "orchestrator", "c3d4e5f6-a7b8-4c9d-8e0f-112233445566"),
];

/// The group, with every line that arrives; each says a time `by` later than it stands at.
pub fn group(day: &Day, by: Lapse) -> LogGroup {
    let created = story::START - Lapse::hours(24 * 90);
    let mut streams: Vec<LogStream> =
        STREAMS.iter().map(|(_, name, id)| LogStream { created, ..LogStream::new(id, name) }).collect();
    let lines: Vec<LogLine> = lines::between(day, day.lived.0, day.lived.1);
    for line in &lines {
        let found = STREAMS.iter().position(|(prefix, ..)| line.service.starts_with(prefix));
        let Some((stream, (app, ..))) = found.map(|i| (&mut streams[i], STREAMS[i])) else { continue };
        let labels =
            [("appName", app), ("podName", line.service.as_ref()), ("nameSpace", "pay"), ("hostName", "cce-node")];
        stream.write(line.at, content(line, app, by), &labels);
    }
    let id = "00330565-5baf-4e0d-bd16-ba0c6b951d9a".to_owned();
    LogGroup { id, name: "pay-prod".to_owned(), created, days: 30, streams }
}

/// MRG and the Orchestrator write JSON, UPG plain text; stack traces follow their line.
fn content(line: &LogLine, app: &str, by: Lapse) -> String {
    let level = match line.level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error | Level::Fatal => "ERROR",
    };
    let time = Zone::wib().format(line.at + by, "%Y-%m-%dT%H:%M:%S%.3f%:z");
    if app == "upg" {
        return format!("{} {level} {}", time.replacen('T', " ", 1), line.message.raw());
    }
    let mut entry = json!({"time": time, "level": level, "msg": line.message.raw(), "service": line.service.as_ref()});
    if let Some(order) = &line.order {
        entry["order_id"] = order.as_ref().into();
    }
    if !line.stack.is_empty() {
        let stack: Vec<&str> = line.stack.iter().map(crate::model::Untrusted::raw).collect();
        entry["stack"] = stack.join("\n").into();
    }
    entry.to_string()
}
