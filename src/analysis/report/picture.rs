//! The lanes of a report ready to be drawn: columns, bands, and what is marked on them.
//!
//! Owns how fine a picture is and what is on it. May not know: pixels, colours, files.

use super::story::Stage;
use super::text;
use crate::analysis::lane::{self, Axis, Cell};
use crate::analysis::spike::{Onset, Spike};
use crate::model::series::{Bad, Rollup, Unit};
use crate::model::untrusted::shown;
use crate::model::{Lapse, MarkKind, Span, Stamp, Zone};
use crate::store::Store;

/// Columns at most: as many as a wide page can tell apart.
const COLUMNS: i64 = 240;
/// Steps a column may have, in minutes.
const STEPS: [i64; 9] = [1, 2, 5, 10, 15, 30, 60, 120, 360];
/// Labels on the axis, about.
const LABELS: i64 = 6;

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// The stretch, whole columns.
    pub span: Option<Span>,
    /// The incident's zone, for times in words.
    pub zone: Option<Zone>,
    /// Length of a column.
    pub step: Lapse,
    /// Times on the axis, with their words.
    pub ticks: Vec<(Stamp, String)>,
    /// The rows, in the incident's order.
    pub strips: Vec<Strip>,
    /// Lines through all rows: the spike begins, is highest, is over.
    pub lines: Vec<(Stamp, Line)>,
    /// Alarms, changes and remarks, with their words.
    pub marks: Vec<(Stamp, MarkKind, String)>,
}

/// A line through all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The spike begins.
    Onset,
    /// It is highest.
    Peak,
    /// It is over.
    Recovery,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// Heading it stands under.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The series it draws.
    pub series: String,
    /// Which side of usual is bad.
    pub bad: Bad,
    /// Unit of its values.
    pub unit: Unit,
    /// One for each column.
    pub cells: Vec<Cell>,
    /// What is usual at each column, low and high.
    pub band: Vec<Option<(f64, f64)>>,
    /// Bottom of the scale.
    pub floor: f64,
    /// Top of it.
    pub top: f64,
    /// What is usual.
    pub normal: Option<f64>,
    /// The worst value and its column.
    pub worst: Option<(Stamp, f64)>,
    /// The limit in sight.
    pub limit: Option<(String, f64)>,
    /// When it left its usual, as which stage, and whether it was the first that broke.
    pub onset: Option<(Stamp, Stage, bool)>,
    /// It drives the rest.
    pub trigger: bool,
    /// Nothing is drawn between two columns of counts.
    pub counts: bool,
}

/// The picture of a stretch as known at `at`.
pub fn picture(store: &Store, window: Span, at: Stamp, spike: Option<&Spike>, onsets: &[Onset]) -> Picture {
    let zone = &store.incident.zone;
    let to = window.to.min(at).max(window.from);
    let minutes = (to.since(window.from).0 + 59_999_999) / 60_000_000;
    let step = STEPS.iter().find(|s| minutes <= COLUMNS * **s).unwrap_or(&STEPS[STEPS.len() - 1]);
    let step = Lapse::minutes(*step);
    let from = window.from.floor(step, zone);
    let columns = (to.since(from).0.max(0) + step.0 - 1) / step.0;
    let axis = Axis { from, step, columns: columns.min(4 * COLUMNS) as usize };
    let strip = |l: &crate::model::series::Lane| {
        let made = lane::columns(store, l, &axis, at, at);
        let onset = onsets.iter().find(|o| o.is_of(l));
        Strip {
            group: shown(&l.group),
            name: shown(&l.name),
            series: l.series.to_string(),
            bad: l.bad,
            unit: l.unit,
            floor: l.floor,
            top: made.top,
            normal: made.normal,
            worst: made.worst,
            limit: made.limit.map(|(name, v)| (shown(&name), v)),
            onset: onset.filter(|o| !o.trigger).map(|o| (o.at, Stage::of(o), o.first_fault)),
            trigger: l.trigger,
            counts: l.rollup == Rollup::SumPerMinute,
            cells: made.cells,
            band: made.band,
        }
    };
    let line = |s: &Spike| {
        let ends = [Some((s.onset, Line::Onset)), s.recovery.map(|t| (t, Line::Recovery))];
        let peak = s.told_by.is_none().then_some((s.peak.0, Line::Peak));
        ends.into_iter().chain([peak]).flatten().collect::<Vec<_>>()
    };
    let span = axis.span();
    let marks = store.marks(at).iter().filter(|m| span.contains(m.at));
    Picture {
        span: Some(span),
        zone: Some(zone.clone()),
        step,
        ticks: ticks(span, zone),
        strips: store.incident.lanes.iter().map(strip).collect(),
        lines: spike.map(line).unwrap_or_default(),
        marks: marks.map(|m| (m.at, m.kind, format!("{}: {}", text(&m.who), text(&m.text)))).collect(),
    }
}

/// Round times, few enough to be read on a narrow page.
fn ticks(span: Span, zone: &Zone) -> Vec<(Stamp, String)> {
    let minutes = span.length().0 / 60_000_000;
    let every = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].into_iter().find(|e| minutes <= LABELS * e);
    let every = Lapse::minutes(every.unwrap_or(1440 * (minutes / 1440 / LABELS + 1)));
    let mut at = span.from.floor(every, zone);
    let mut out = Vec::new();
    while at < span.to {
        if at >= span.from {
            let words = if every >= Lapse::hours(24) { zone.format(at, "%d %b") } else { zone.hm(at) };
            out.push((at, words));
        }
        at = at + every;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_few_round_times() {
        let zone = Zone::wib();
        let from = Stamp::parse_rfc3339("2025-01-12T18:45:00+07:00").unwrap();
        let words = |hours| -> Vec<String> {
            ticks(Span::new(from, from + Lapse::minutes(hours)), &zone).into_iter().map(|t| t.1).collect()
        };
        assert_eq!(words(165), ["19:00", "19:30", "20:00", "20:30", "21:00"]);
        assert_eq!(words(10), ["18:45", "18:50"]);
        assert!((3..=8).contains(&words(3 * 1440).len()) && words(30 * 1440).len() <= 8);
    }

    #[test]
    fn a_long_stretch_has_bounded_columns() {
        let store = Store::default();
        let picture =
            picture(&store, Span::new(Stamp(0), Stamp(0) + Lapse::hours(24 * 400)), Stamp(i64::MAX), None, &[]);
        let columns = picture.span.unwrap().length().0 / picture.step.0;
        assert!(columns <= 4 * COLUMNS, "{columns}");
    }
}
