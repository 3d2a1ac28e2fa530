//! What was measured, minute by minute: the cloud's series and the sessions of the four databases, of the day and
//! of the usual Sunday before it, each under its own date. What was lost is not there.
//!
//! May not know: files, what a series means.

use super::sheet::Sheet;
use crate::simulator::day::Day;
use crate::simulator::platform::agenda::Ms;
use crate::simulator::platform::stamp;
use crate::simulator::scene::Crew;
use crate::simulator::signals::{self, MINUTE};
use crate::simulator::stage::{DATABASES, scene};
use std::io::{self, Write};

/// Columns of [`metrics`].
pub const METRICS: &[&str] = &["time", "series", "value"];
/// Columns of [`databases`]; commits and rollbacks are a second's, deadlocks are counted since the day began.
pub const SESSIONS: &[&str] = &[
    "time",
    "database",
    "max_connections",
    "running",
    "idle",
    "idle_in_transaction",
    "lock_waiting",
    "oldest_blocker_ms",
    "commits_per_second",
    "rollbacks_per_second",
    "deadlocks",
];
/// Connections that PostgreSQL keeps for superusers.
const RESERVED: u32 = 3;
/// From the usual Sunday to the day.
const WEEK: Ms = 7 * 24 * 3_600_000;

/// The minutes of the usual Sunday, then those of the day: when, and of which.
fn minutes(day: &Day) -> impl Iterator<Item = (Ms, bool)> {
    let (from, to) = day.lived;
    [true, false].into_iter().flat_map(move |usual| (from..to).step_by(MINUTE as usize).map(move |at| (at, usual)))
}

/// The date a minute is written under.
fn dated(at: Ms, usual: bool) -> Ms {
    if usual { at - WEEK } else { at }
}

/// All series, a point a minute, at the minute's beginning.
pub fn metrics(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let mut sheet = Sheet::new(out, METRICS);
    for (at, usual) in minutes(day) {
        let lost = day.scenario.observed.metrics_lost.is_some_and(|s| !usual && s.contains(stamp(at)));
        let Some(minute) = signals::minute(day, at, usual).filter(|_| !lost) else { continue };
        for (series, value) in minute.series() {
            sheet.time(dated(at, usual)).word(series).value(value).end()?;
        }
    }
    sheet.close()
}

/// Sessions of each database by state, a look a minute; none where it turned everybody away.
pub fn databases(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let mut sheet = Sheet::new(out, SESSIONS);
    for (at, usual) in minutes(day) {
        for database in DATABASES {
            let away = day.scenario.observed.turned_away.filter(|_| !usual && database == "mrg");
            if away.is_some_and(|s| s.contains(stamp(at))) {
                continue;
            }
            let scene = scene(day, database, at, usual);
            let sum = |of: fn(&Crew) -> u32| scene.crews.iter().map(of).sum::<u32>();
            let (running, waiting) = (sum(|c| c.running), sum(|c| c.waiting));
            let open = sum(|c| c.idle_in_transaction);
            // Pools that want more sessions than there are do not get them.
            let most = scene.max_connections.saturating_sub(RESERVED + running + waiting + open);
            sheet
                .time(dated(at, usual))
                .word(database)
                .number(scene.max_connections.into())
                .number(running.into())
                .number(sum(|c| c.idle).min(most).into())
                .number(open.into())
                .number(waiting.into());
            match &scene.root {
                Some(root) => sheet.number(root.open_for.0 / 1_000),
                None => sheet.nothing(),
            };
            sheet
                .value((scene.commits * 10.0).round() / 10.0)
                .value((scene.rollbacks * 100.0).round() / 100.0)
                .number(if usual { 0 } else { scene.deadlocks as i64 })
                .end()?;
        }
    }
    sheet.close()
}
