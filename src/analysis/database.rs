//! What two looks at a database say together: rates, statements as differences, longest transactions.
//!
//! Counters are cumulative on the server; everything here is a difference that survives a reset. May not
//! know: screens.

use crate::analysis::lane::{self, Axis};
use crate::model::database::{DbSample, Lock, Statement};
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::model::{Lapse, Stamp, Untrusted};
use crate::store::{History, Store};
use std::collections::{BTreeMap, HashMap};

/// A statement's share between two looks.
#[derive(Clone, Debug, PartialEq)]
pub struct StatementRate {
    /// `queryid`.
    pub id: i64,
    /// Mean time of a call between the looks.
    pub mean: Lapse,
    /// Mean in the baseline, when it was seen there.
    pub normal: Option<Lapse>,
    /// Calls per second.
    pub calls: f64,
    /// Share of all execution time between the looks, 0 to 100.
    pub share: f64,
    /// Normalised text.
    pub query: Untrusted,
}

/// Statements between the look at `at` and the newest one at least `over` before it, heaviest first, with
/// the stretch they cover; a shorter stretch when there is no look as old as that. Empty when there is only
/// one look or the extension is not readable.
pub fn statements(store: &Store, database: &str, at: Stamp, over: Lapse) -> (Vec<StatementRate>, Lapse) {
    let none = (Vec::new(), Lapse::ZERO);
    let Some(history) = store.database(database) else { return none };
    let mut looks = Looks::new(history, at);
    let Some((now_at, now)) = looks.newest() else { return none };
    let Some((then_at, then)) = looks.before(now_at, over) else { return none };
    let stretch = now_at.since(then_at);
    let deltas = deltas(then, now);
    let total: f64 = deltas.iter().map(|d| d.ms).sum();
    let normal = normal_means(store, history);
    let mut out: Vec<StatementRate> = deltas
        .iter()
        .filter(|d| d.calls > 0)
        .map(|d| StatementRate {
            id: d.statement.id,
            mean: of_ms(d.ms / d.calls as f64),
            normal: normal.get(&d.statement.id).copied().map(of_ms),
            calls: d.calls as f64 / stretch.as_secs_f64().max(1e-6),
            share: if total > 0.0 { 100.0 * d.ms / total } else { 0.0 },
            query: d.statement.query.clone(),
        })
        .collect();
    out.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.id.cmp(&b.id)));
    (out, stretch)
}

fn of_ms(ms: f64) -> Lapse {
    Lapse((ms * 1_000.0).round() as i64)
}

/// Looks that could read statements, newest first.
struct Looks<'a> {
    looks: Vec<(Stamp, &'a [Statement])>,
}

impl<'a> Looks<'a> {
    fn new(history: &'a History<DbSample>, at: Stamp) -> Self {
        let with = |(t, look): (Stamp, &'a DbSample)| Some((t, look.statements.as_deref()?));
        Self { looks: history.iter().rev().skip_while(|(t, _)| *t > at).filter_map(with).collect() }
    }

    fn newest(&mut self) -> Option<(Stamp, &'a [Statement])> {
        self.looks.first().copied()
    }

    fn before(&self, newest: Stamp, over: Lapse) -> Option<(Stamp, &'a [Statement])> {
        let earlier = self.looks.iter().skip(1);
        let old_enough = earlier.clone().find(|(t, _)| newest.since(*t) >= over);
        old_enough.or_else(|| earlier.last()).copied().filter(|(t, _)| *t < newest)
    }
}

/// What one statement did between two looks.
struct Delta<'a> {
    statement: &'a Statement,
    calls: i64,
    ms: f64,
}

/// Differences of cumulative counters. Counters that went back were reset or the entry was evicted: what
/// stands there now has happened since. A statement that the earlier look does not have is counted whole
/// only when that look was not cut: else it may have been there all along, below the heaviest.
fn deltas<'a>(then: &[Statement], now: &'a [Statement]) -> Vec<Delta<'a>> {
    let before: HashMap<i64, &Statement> = then.iter().map(|s| (s.id, s)).collect();
    let lightest = then.iter().map(|s| s.total_ms).fold(f64::INFINITY, f64::min);
    let cut = then.len() >= now.len();
    now.iter()
        .filter_map(|s| match before.get(&s.id) {
            Some(b) if s.calls < b.calls || s.total_ms < b.total_ms => {
                Some(Delta { statement: s, calls: s.calls, ms: s.total_ms })
            }
            Some(b) => Some(Delta { statement: s, calls: s.calls - b.calls, ms: s.total_ms - b.total_ms }),
            // Lighter than anything the earlier look kept: it may have been cut off there.
            None if cut && s.total_ms <= lightest => None,
            None => Some(Delta { statement: s, calls: s.calls, ms: s.total_ms }),
        })
        .collect()
}

/// Mean milliseconds of each statement in the baseline: between its first and last look there, or since the
/// reset when there is only one.
fn normal_means(store: &Store, history: &History<DbSample>) -> HashMap<i64, f64> {
    let Some(baseline) = store.incident.baseline else { return HashMap::new() };
    let mut looks = history.within(baseline).filter_map(|(_, look)| look.statements.as_deref());
    let Some(first) = looks.next() else { return HashMap::new() };
    let means = |found: Vec<Delta<'_>>| -> HashMap<i64, f64> {
        found.iter().filter(|d| d.calls > 0).map(|d| (d.statement.id, d.ms / d.calls as f64)).collect()
    };
    match looks.last() {
        Some(last) => means(deltas(first, last)),
        None => means(deltas(&[], first)),
    }
}

/// A rate with its normal.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// `commits/s`.
    pub name: &'static str,
    /// Now.
    pub value: Option<f64>,
    /// In the baseline.
    pub normal: Option<f64>,
}

/// Commits, rollbacks, deadlocks and temporary bytes at `at`, with the baseline's same minutes as normal.
/// A rate is none when the database was silent or down: the last one known is not carried over a gap.
pub fn rates(store: &Store, database: &str, at: Stamp) -> Vec<Rate> {
    const RATES: [(&str, &str, f64); 4] = [
        ("commits/s", "commits", 1.0),
        ("rollbacks/s", "rollbacks", 1.0),
        ("deadlocks/min", "deadlocks", 60.0),
        ("temp MB/s", "temp_bytes", 1e-6),
    ];
    let axis = Axis { from: at - Lapse::minutes(1) + Lapse(1), step: Lapse::minutes(1), columns: 1 };
    let rate = |(name, measure, factor): (&'static str, &str, f64)| {
        let lane = Lane {
            group: String::new(),
            name: String::new(),
            series: format!("{database}.{measure}").into(),
            unit: Unit::PerSecond,
            rollup: Rollup::Mean,
            bad: Bad::High,
            floor: 0.0,
            ceiling: None,
            lag: Lapse::ZERO,
            trigger: false,
            broken_at: None,
        };
        let columns = lane::columns(store, &lane, &axis, at, at);
        Rate { name, value: columns.now.map(|(_, v)| v * factor), normal: columns.normal.map(|v| v * factor) }
    };
    RATES.into_iter().map(rate).collect()
}

/// A lock that several sessions want.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedLock {
    /// What is wanted.
    pub target: Untrusted,
    /// Mode and kind.
    pub mode: String,
    /// How many wait.
    pub waiting: usize,
    /// The longest wait.
    pub longest: Option<Lapse>,
}

/// Locks not granted, grouped, most wanted first.
pub fn wanted(sample: &DbSample) -> Vec<WantedLock> {
    let mut groups: BTreeMap<&Lock, (usize, Option<Lapse>)> = BTreeMap::new();
    for session in &sample.sessions {
        let Some(lock) = &session.wants else { continue };
        let (waiting, longest) = groups.entry(lock).or_default();
        *waiting += 1;
        *longest = (*longest).max(session.waiting.map(|since| sample.at.since(since)));
    }
    let mut out: Vec<WantedLock> = groups
        .into_iter()
        .map(|(lock, (waiting, longest))| WantedLock {
            target: lock.target.clone(),
            mode: match lock.kind.as_str() {
                "relation" | "" => lock.mode.clone(),
                kind => format!("{} on {kind}", lock.mode),
            },
            waiting,
            longest,
        })
        .collect();
    out.sort_by(|a, b| b.waiting.cmp(&a.waiting).then(b.longest.cmp(&a.longest)).then(a.target.cmp(&b.target)));
    out
}

#[cfg(test)]
mod tests;
