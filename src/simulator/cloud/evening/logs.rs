//! The day's log lines as LTS would hold them: one stream for each service, in the words the service writes.

use crate::model::Lapse;
use crate::model::log::LogLine;
use crate::simulator::cloud::world::{LogGroup, LogStream};
use crate::simulator::day::Day;
use crate::simulator::{lines, story, text};

/// The one group.
pub const GROUP: &str = "00330565-5baf-4e0d-bd16-ba0c6b951d9a";
/// What the services of a stream are called at the front, the stream's name and its id.
pub const STREAMS: [(&str, &str, &str); 3] = [
    ("mrg", "mrg-api", "715cda3b-e17f-492a-a6ca-98a1ba16ad8c"),
    ("upg", "upg", "0b8e5c1d-3a4f-4e2b-9d6c-7f8091a2b3c4"),
    ("orch", "orchestrator", "c3d4e5f6-a7b8-4c9d-8e0f-112233445566"),
];

/// The group, with every line that arrives; each says a time `by` later than it stands at.
pub fn group(day: &Day, by: Lapse) -> LogGroup {
    let created = story::START - Lapse::hours(24 * 90);
    let mut streams: Vec<LogStream> =
        STREAMS.iter().map(|(_, name, id)| LogStream { created, ..LogStream::new(id, name) }).collect();
    for line in lines::between(day, day.lived.0, day.lived.1) {
        let found = STREAMS.iter().position(|(prefix, ..)| line.service.starts_with(prefix));
        let Some((stream, (app, ..))) = found.map(|i| (&mut streams[i], STREAMS[i])) else { continue };
        let labels =
            [("appName", app), ("podName", line.service.as_ref()), ("nameSpace", "pay"), ("hostName", "cce-node")];
        let said = LogLine { at: line.at + by, ..line.clone() };
        stream.write(line.at, text::of(&said), &labels);
    }
    LogGroup { id: GROUP.to_owned(), name: "pay-prod".to_owned(), created, days: 30, streams }
}
