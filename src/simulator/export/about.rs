//! What an export says of itself, of the platform's settings, and, apart from them, of the truth.
//!
//! May not know: folders, disks.

use super::Part;
use super::sheet::instant;
use crate::simulator::day::Day;
use crate::simulator::platform::{DRAIN, agenda::Ms, ms};
use crate::simulator::scenario::{Settings, truth as truths};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The file that says what an export is. A folder with one is an earlier export.
pub const ABOUT: &str = "about.toml";
/// What its `format` is.
pub const FORMAT: &str = "warroom-export/1";

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Listed {
    /// Where it is, below the export's folder.
    pub path: String,
    /// What it is.
    pub what: String,
    /// Columns, or the keys of a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Rows, lines or entries; none of a file without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Its length.
    pub bytes: u64,
}

impl Listed {
    /// A part that was written.
    pub fn part(part: &Part, rows: u64, bytes: u64) -> Self {
        Self {
            path: part.path.to_owned(),
            what: part.what.to_owned(),
            columns: part.columns.iter().map(|c| (*c).to_owned()).collect(),
            rows: (!part.columns.is_empty()).then_some(rows),
            bytes,
        }
    }

    /// A pod's log that was written.
    pub fn log(path: String, entries: u64, bytes: u64) -> Self {
        let what = "what the pod wrote, in its service's format; an entry with a stack has several lines".to_owned();
        Self { path, what, columns: Vec::new(), rows: Some(entries), bytes }
    }
}

#[derive(Serialize)]
struct About {
    format: String,
    scenario: String,
    title: String,
    seed: u64,
    zone: String,
    from: String,
    to: String,
    fates_until: String,
    usual_from: String,
    usual_to: String,
    times: String,
    money: String,
    rows: String,
    file: Vec<Listed>,
}

/// From the usual Sunday to the day.
const WEEK: Ms = 7 * 24 * 3_600_000;

/// The text of `about.toml`.
pub fn about(day: &Day, files: Vec<Listed>) -> Result<String, String> {
    let (from, to) = day.lived;
    let about = About {
        format: FORMAT.to_owned(),
        scenario: day.scenario.name.clone(),
        title: day.scenario.title.clone(),
        seed: day.seed,
        zone: "Asia/Jakarta".to_owned(),
        from: instant(from),
        to: instant(to),
        fates_until: instant(to + DRAIN),
        usual_from: instant(from - WEEK),
        usual_to: instant(to - WEEK),
        times: "UTC, RFC 3339 with milliseconds, by the clock of the system that wrote the row; in logs as the \
                service writes them, which is WIB"
            .to_owned(),
        money: "whole rupiah".to_owned(),
        rows: "tables hold the orders placed between from and to, as they stood when the last had met its fate; \
               metrics, sessions and logs end at to"
            .to_owned(),
        file: files,
    };
    let text = toml::to_string(&about).map_err(|e| format!("{ABOUT}: {e}"))?;
    Ok(format!("# Written by `warroom simulate --export`. Every number in these files is invented.\n{text}"))
}

/// The files of an earlier export, by the text of its `about.toml`; none when it is no such text.
pub fn earlier(text: &str) -> Option<Vec<String>> {
    let said: Said = toml::from_str(text).ok()?;
    (said.format == FORMAT).then(|| said.file.into_iter().map(|f| f.path).collect())
}

/// As much of it as has to be understood to replace it.
#[derive(Deserialize)]
struct Said {
    format: String,
    file: Vec<Listed>,
}

/// What the platform was set to, without a word on why.
#[derive(Serialize)]
struct Effective<'d> {
    name: &'d str,
    observed: Observed,
    settings: Vec<Since<'d>>,
}

#[derive(Serialize)]
struct Since<'d> {
    from: String,
    #[serde(flatten)]
    set: &'d Settings,
}

/// How the world was seen; what was lost is a gap in these files too.
#[derive(Serialize)]
struct Observed {
    logs_kept: f64,
    callbacks_kept: bool,
    metrics_lost: Vec<String>,
    logs_lost: Vec<String>,
    logs_lost_of: Vec<String>,
    turned_away: Vec<String>,
    clock_ahead_ms: BTreeMap<String, i64>,
}

/// Writes `scenario.toml`.
pub(super) fn scenario(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let seen = &day.scenario.observed;
    let pair = |s: &Option<crate::model::Span>| {
        s.iter().flat_map(|s| [s.from, s.to]).map(|at| instant(ms(at))).collect::<Vec<_>>()
    };
    let effective = Effective {
        name: &day.scenario.name,
        observed: Observed {
            logs_kept: seen.logs_kept,
            callbacks_kept: seen.callbacks_kept,
            metrics_lost: pair(&seen.metrics_lost),
            logs_lost: pair(&seen.logs_lost),
            logs_lost_of: seen.logs_lost_of.clone(),
            turned_away: pair(&seen.turned_away),
            clock_ahead_ms: seen.ahead.iter().cloned().collect(),
        },
        settings: day.scenario.settings.iter().map(|(at, set)| Since { from: instant(ms(*at)), set }).collect(),
    };
    put(&effective, out)
}

/// Writes `truth.toml`: of all orders, whenever they were born.
pub(super) fn truth(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let truth = truths::of(day, 0, Ms::MAX).map_err(io::Error::other)?;
    put(&truth, out)
}

fn put(what: &impl Serialize, out: &mut dyn Write) -> io::Result<u64> {
    let text = toml::to_string(what).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(0)
}
