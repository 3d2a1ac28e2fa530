//! Scenarios: readable TOML in `assets/scenarios`, each saying only what is different from the usual evening.
//!
//! Owns how they are found, laid over each other and checked. What a scenario's true cause is stands in another
//! file and is read by [`truth`] alone, for scoring. May not know: what the world makes of a scenario.

mod bundle;
pub mod settings;
pub mod truth;

pub use bundle::{DEFAULT, list};
pub use settings::Settings;

use super::story::clock;
use crate::model::{MarkKind, Span, Stamp};
use serde::Deserialize;
use toml::Table;

/// A scenario, laid over the ones it is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its file's name: `pool`.
    pub name: String,
    /// What an incident of it is called on the screen; says nothing of the cause.
    pub title: String,
    /// One sentence that says what happens, for whoever may know.
    pub about: String,
    /// What holds from when on; the first from midnight, each later than the one before.
    pub settings: Vec<(Stamp, Settings)>,
    /// What people and deployments leave on the timeline.
    pub marks: Vec<Mark>,
    /// How the world is seen.
    pub observed: Observed,
}

/// What somebody saw or did.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// When.
    pub at: Stamp,
    /// What kind.
    pub kind: MarkKind,
    /// What.
    pub text: String,
    /// Who.
    pub who: String,
}

/// How the world is seen: what is lost on the way, and whose clock lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// No metric of this stretch arrives.
    pub metrics_lost: Option<Span>,
    /// No log line of this stretch arrives.
    pub logs_lost: Option<Span>,
    /// Of these services only; all when empty.
    pub logs_lost_of: Vec<String>,
    /// MRG's database has no room for our session.
    pub turned_away: Option<Span>,
    /// Share of log lines that arrive.
    pub logs_kept: f64,
    /// Milliseconds that a system's clock is ahead: `ho`, `upg`, `orchestrator`, `mrg`.
    pub ahead: Vec<(String, i64)>,
    /// Whether UPG keeps its attempts to tell Head Office in a table.
    pub callbacks_kept: bool,
}

/// A file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    about: String,
    #[serde(default)]
    like: Option<String>,
    set: Settings,
    #[serde(default)]
    change: Vec<Change>,
    #[serde(default)]
    note: Vec<Note>,
    observed: Seen,
}

/// Something that is set otherwise from an instant on, announced or not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    at: String,
    #[serde(default)]
    until: Option<String>,
    set: Table,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    who: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    at: String,
    text: String,
    who: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    #[serde(default)]
    metrics_lost: Vec<String>,
    #[serde(default)]
    logs_lost: Vec<String>,
    #[serde(default)]
    logs_lost_of: Vec<String>,
    #[serde(default)]
    turned_away: Vec<String>,
    logs_kept: f64,
    #[serde(default)]
    ahead: Table,
    callbacks_kept: bool,
}

/// The bundled scenario of that name. The error names what there is.
pub fn named(name: &str) -> Result<Scenario, String> {
    let table = layered(name, 0)?;
    let file: File = table.clone().try_into().map_err(|e| format!("scenario {name}: {e}"))?;
    read(name, file, &table)
}

/// The text of a file over those it is like; a list of a file comes after the list below.
fn layered(name: &str, depth: u8) -> Result<Table, String> {
    let Some(text) = bundle::text(name) else {
        return Err(format!("there is no scenario {name}: {}", bundle::nearest(name)));
    };
    let mut table: Table = toml::from_str(text).map_err(|e| format!("scenario {name}: {e}"))?;
    let below = match table.remove("like") {
        Some(toml::Value::String(like)) => like,
        Some(_) => return Err(format!("scenario {name}: like is the name of another scenario")),
        None if name == bundle::USUAL => return Ok(table),
        None => bundle::USUAL.to_owned(),
    };
    if depth > 4 {
        return Err(format!("scenario {name}: it is like itself, by way of {below}"));
    }
    let mut under = layered(&below, depth + 1)?;
    lay(&mut under, table);
    Ok(under)
}

/// Lays one table over another.
fn lay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(a)), toml::Value::Table(b)) => lay(a, b),
            (Some(toml::Value::Array(a)), toml::Value::Array(b)) if b.iter().all(toml::Value::is_table) => a.extend(b),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn read(name: &str, file: File, table: &Table) -> Result<Scenario, String> {
    debug_assert!(file.like.is_none());
    let at = |text: &str| instant(text).ok_or_else(|| format!("scenario {name}: {text} is no clock: write HH:MM:SS"));
    let span = |pair: &[String]| match pair {
        [] => Ok(None),
        [from, to] => Ok(Some(Span::new(at(from)?, at(to)?))),
        _ => Err(format!("scenario {name}: a stretch has two clocks, from and to")),
    };
    let traffic = &file.set.traffic;
    for text in [&traffic.from, &traffic.peak, &traffic.until] {
        at(text)?;
    }
    let mut marks = Vec::new();
    let mut changes = Vec::new();
    for change in &file.change {
        let from = at(&change.at)?;
        if let Some(text) = &change.text {
            marks.push(Mark { at: from, kind: MarkKind::Change, text: text.clone(), who: change.who.clone() });
        }
        changes.push((from, change.until.as_deref().map(at).transpose()?, &change.set));
    }
    for note in &file.note {
        let (text, who) = (note.text.clone(), note.who.clone());
        marks.push(Mark { at: at(&note.at)?, kind: MarkKind::Note, text, who });
    }
    marks.sort_by_key(|m| m.at);
    let seen = file.observed;
    let mut ahead = Vec::new();
    for (system, by) in &seen.ahead {
        let by = by.as_integer().ok_or_else(|| format!("scenario {name}: ahead.{system} is in whole milliseconds"))?;
        ahead.push((system.clone(), by));
    }
    let observed = Observed {
        metrics_lost: span(&seen.metrics_lost)?,
        logs_lost: span(&seen.logs_lost)?,
        logs_lost_of: seen.logs_lost_of,
        turned_away: span(&seen.turned_away)?,
        logs_kept: seen.logs_kept,
        ahead,
        callbacks_kept: seen.callbacks_kept,
    };
    let settings = in_time(name, table, &changes)?;
    Ok(Scenario { name: name.to_owned(), title: file.title, about: file.about, settings, marks, observed })
}

/// What holds from when on.
fn in_time(
    name: &str,
    table: &Table,
    changes: &[(Stamp, Option<Stamp>, &Table)],
) -> Result<Vec<(Stamp, Settings)>, String> {
    let mut moments = vec![clock(0, 0, 0)];
    moments.extend(changes.iter().flat_map(|(from, until, _)| [Some(*from), *until]).flatten());
    moments.sort_unstable();
    moments.dedup();
    let mut out = Vec::new();
    for moment in moments {
        let mut set = table.get("set").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        for (from, until, change) in changes {
            if *from <= moment && until.is_none_or(|u| moment < u) {
                lay(&mut set, (*change).clone());
            }
        }
        let settings = set.try_into().map_err(|e| format!("scenario {name}: a change: {e}"))?;
        out.push((moment, settings));
    }
    Ok(out)
}

/// A clock of the day: `19:21:30` or `19:55`.
fn instant(text: &str) -> Option<Stamp> {
    let mut parts = text.split(':').map(str::parse::<i64>);
    let (h, m) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let s = parts.next().transpose().ok()?.unwrap_or(0);
    let valid = (0..=24).contains(&h) && (0..60).contains(&m) && (0..60).contains(&s) && parts.next().is_none();
    valid.then(|| clock(h, m, s))
}

impl Scenario {
    /// What holds at midnight.
    pub fn first(&self) -> &Settings {
        &self.settings[0].1
    }

    /// What holds at an instant.
    pub fn at(&self, at: Stamp) -> &Settings {
        let i = self.settings.partition_point(|(from, _)| *from <= at);
        &self.settings[i.saturating_sub(1)].1
    }

    /// From the beginning of the spike to its peak and its end; none when no more users come than usual.
    pub fn spike(&self) -> Option<(Stamp, Stamp, Stamp)> {
        let traffic = &self.first().traffic;
        let at = |text: &str| instant(text);
        let spike = (at(&traffic.from)?, at(&traffic.peak)?, at(&traffic.until)?);
        (traffic.peak_users > traffic.normal_users).then_some(spike)
    }

    /// Milliseconds that a system's clock is ahead.
    pub fn ahead(&self, system: &str) -> i64 {
        self.observed.ahead.iter().find(|(s, _)| s == system).map_or(0, |(_, by)| *by)
    }

    /// The same platform on an ordinary Sunday: no more users than usual, nothing changed, everything seen.
    #[must_use]
    pub fn ordinary(&self) -> Self {
        let mut settings = self.first().clone();
        settings.traffic.peak_users = settings.traffic.normal_users;
        settings.leak.order_kib = 0.0;
        settings.leak.open_share = 0.0;
        settings.saga.ids_left = None;
        let observed = Observed { logs_kept: 1.0, callbacks_kept: true, ..Observed::default() };
        Self { settings: vec![(clock(0, 0, 0), settings)], marks: Vec::new(), observed, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_scenario_can_be_read_and_says_what_it_is() {
        for name in list() {
            let scenario = named(name).unwrap_or_else(|e| panic!("{e}"));
            assert!(scenario.about.len() > 20 && !scenario.title.is_empty(), "{name}");
            assert!(scenario.settings.is_sorted_by_key(|(at, _)| *at), "{name}");
        }
        assert!(list().len() >= 17);
    }

    #[test]
    fn a_change_holds_until_it_is_taken_back() {
        let s = named("vendor-slow").unwrap();
        let factor = |h, m| s.at(clock(h, m, 0)).vendor.factor;
        assert!((factor(19, 0) - 1.0).abs() < 1e-9 && factor(19, 50) > 3.0 && (factor(21, 30) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        assert!(named("vendor_slow").unwrap_err().contains("vendor-slow"));
    }

    #[test]
    fn a_key_nobody_knows_is_refused_where_it_stands() {
        let mut table = layered("pool", 0).unwrap();
        lay(&mut table, toml::from_str("[set.mrg]\npoll = 3").unwrap());
        let refused: Result<File, _> = table.try_into();
        assert!(refused.unwrap_err().to_string().contains("poll"));
    }

    #[test]
    fn clocks_are_clocks() {
        assert_eq!(instant("19:21:30"), Some(clock(19, 21, 30)));
        assert_eq!((instant("19:61"), instant("noon"), instant("1:2:3:4")), (None, None, None));
    }
}
