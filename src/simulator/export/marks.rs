//! What people and deployments left on the timeline, and the alarms that were on, an object a line.
//!
//! May not know: files. Instants are UTC, RFC 3339 with milliseconds.

use super::sheet::instant;
use crate::model::{MarkKind, Stamp};
use crate::simulator::alarms::RULES;
use crate::simulator::day::Day;
use crate::simulator::platform::ms;
use serde::Serialize;
use std::io::{self, Write};

/// Keys of a line of [`marks`].
pub const MARKS: &[&str] = &["time", "kind", "text", "who"];
/// Keys of a line of [`alarms`]; `ended` is null while it lasts.
pub const ALARMS: &[&str] = &["name", "level", "over", "unit", "began", "ended", "points"];

#[derive(Serialize)]
struct Mark<'d> {
    time: String,
    kind: &'static str,
    text: &'d str,
    who: &'d str,
}

#[derive(Serialize)]
struct Alarm {
    name: &'static str,
    level: u8,
    over: f64,
    unit: &'static str,
    began: String,
    ended: Option<String>,
    points: Vec<Point>,
}

#[derive(Serialize)]
struct Point {
    time: String,
    value: f64,
}

fn time(at: Stamp) -> String {
    instant(ms(at))
}

fn lines<T: Serialize>(all: impl Iterator<Item = T>, out: &mut dyn Write) -> io::Result<u64> {
    let mut n = 0;
    for one in all {
        serde_json::to_writer(&mut *out, &one)?;
        out.write_all(b"\n")?;
        n += 1;
    }
    out.flush()?;
    Ok(n)
}

/// Changes and remarks within what was lived, by time.
pub fn marks(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let (from, to) = day.lived;
    let within = day.scenario.marks.iter().filter(|m| (from..to).contains(&ms(m.at)));
    let all = within.map(|m| Mark {
        time: time(m.at),
        kind: match m.kind {
            MarkKind::Change => "change",
            MarkKind::Alarm => "alarm",
            MarkKind::Cleared => "cleared",
            MarkKind::Note => "note",
        },
        text: &m.text,
        who: &m.who,
    });
    lines(all, out)
}

/// Alarms, by when they began, with the points that made them fire.
pub fn alarms(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let all = day.alarms().iter().map(|on| {
        let rule = &RULES[on.rule];
        Alarm {
            name: rule.name,
            level: rule.level,
            over: rule.over,
            unit: rule.unit,
            began: time(on.began),
            ended: on.ended.map(time),
            points: on.points.iter().map(|(at, value)| Point { time: time(*at), value: *value }).collect(),
        }
    });
    lines(all, out)
}
