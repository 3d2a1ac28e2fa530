//! Lanes that somebody chose on the Logs screen: the ERROR lines of one service, the lines of one pattern. They are
//! counted from the lines in memory; of a time whose lines have left it nothing is drawn.
//!
//! May not know: bands, cursors, screens.

use crate::analysis::lane::{Axis, Cell};
use crate::analysis::pattern::family;
use crate::model::Lapse;
use crate::model::log::Level;
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::store::Store;
use crate::store::lines::Kept;

/// What such a lane counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'s> {
    /// `logs.mrg-api.ERROR`: ERROR and FATAL lines of a service, all its replicas together.
    Errors(&'s str),
    /// `logs.~pool: no connection.lines`: lines of a pattern, by its words.
    Pattern(&'s str),
}

/// What stands before a pattern's words, so that no measure is taken for one.
const PATTERN: char = '~';

/// What a lane counts when its series is one of these; a series that is really measured never is.
pub fn of<'s>(store: &Store, series: &'s str) -> Option<Said<'s>> {
    let (_, rest) = series.split_once('.')?;
    let said = match (rest.strip_prefix(PATTERN), rest.strip_suffix(".ERROR")) {
        (Some(pattern), _) => Said::Pattern(pattern.strip_suffix(".lines")?),
        (None, Some(service)) => Said::Errors(service),
        (None, None) => return None,
    };
    store.series(series).is_none().then_some(said)
}

/// A lane of the ERROR lines of a line's service.
pub fn errors(line: &Kept) -> Lane {
    let service = family(&line.line.service);
    lane(format!("{service} ERROR"), format!("{}.{service}.ERROR", line.source))
}

/// A lane of a pattern's lines, read by a source.
pub fn pattern(source: &str, template: &str) -> Lane {
    // What varies says nothing in a name of a few cells.
    let words: Vec<&str> = template.split_whitespace().filter(|w| !w.contains(['<', '>'])).collect();
    let name: String = words.join(" ").chars().take(40).collect();
    let name = if name.is_empty() { template.chars().take(40).collect() } else { name };
    lane(name, format!("{source}.{PATTERN}{template}.lines"))
}

fn lane(name: String, series: String) -> Lane {
    Lane {
        group: "logs".to_owned(),
        name,
        series: series.as_str().into(),
        unit: Unit::PerMinute,
        rollup: Rollup::SumPerMinute,
        bad: Bad::High,
        floor: 0.0,
        ceiling: None,
        lag: Lapse::ZERO,
        trigger: false,
        broken_at: None,
    }
}

/// Lines a minute in each column that has any.
pub fn count(store: &Store, said: Said<'_>, axis: &Axis, cells: &mut [Cell]) {
    let wanted = match said {
        Said::Pattern(words) => store.logs.called(words),
        Said::Errors(_) => None,
    };
    let is = |kept: &Kept| match said {
        Said::Errors(service) => kept.line.level >= Level::Error && family(&kept.line.service) == service,
        Said::Pattern(words) => match wanted {
            Some(id) => store.logs.template_of(kept) == id,
            None => store.logs.template(store.logs.template_of(kept)).is_some_and(|t| t.raw() == words),
        },
    };
    let mut counts = vec![0_u32; cells.len()];
    for kept in store.logs.within(axis.span()).iter().filter(|k| is(k)) {
        if let Some(slot) = axis.column(kept.line.at).and_then(|column| counts.get_mut(column)) {
            *slot += 1;
        }
    }
    let minutes = (axis.step.as_secs_f64() / 60.0).max(f64::MIN_POSITIVE);
    for (cell, n) in cells.iter_mut().zip(counts).filter(|(_, n)| *n > 0) {
        *cell = Cell::measured(f64::from(n) / minutes);
    }
}

/// Takes away what is not known: columns whose lines may have left the memory.
pub fn forget(store: &Store, axis: &Axis, cells: &mut [Cell]) {
    let from = store.logs.complete_from();
    for (column, cell) in cells.iter_mut().enumerate() {
        if axis.start(column) < from {
            *cell = Cell::Empty;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_says_what_is_counted_and_a_measured_one_is_no_such_lane() {
        let store = Store::default();
        assert_eq!(of(&store, "logs.mrg-api.ERROR"), Some(Said::Errors("mrg-api")));
        assert_eq!(of(&store, "logs.~took 5.2 s of <n>.lines"), Some(Said::Pattern("took 5.2 s of <n>")));
        assert_eq!(of(&store, "logs.ERROR"), None);
        assert_eq!(of(&store, "mrg.connections"), None);
        let lane = pattern("logs", "pool mrg: no connection within <duration> (in_use=<n>)");
        assert_eq!(lane.name, "pool mrg: no connection within");
        assert_eq!(pattern("logs", "<n> <n>").name, "<n> <n>");
    }
}
