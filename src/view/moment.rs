//! What the cursor and the selection do to every chart: the accent, which columns keep their colours, the
//! lines through the lanes and the label on the axis.

use crate::app::App;
use crate::model::{Lapse, Span, Stamp};
use crate::view::canvas::Canvas;
use crate::view::lane::{self, AxisLabel};
use crate::view::look::Role;
use crate::view::number;
use std::ops::Range;

/// The role of everything that belongs to the cursor and the focus: cyan at now, violet in the past.
pub fn accent(app: &App) -> Role {
    if app.in_the_past() { Role::Past } else { Role::Accent }
}

/// The role of a label in that colour: the active tab is always cyan, the time at the cursor follows it.
pub fn accent_label(app: &App) -> Role {
    if app.in_the_past() { Role::PastLabel } else { Role::Label }
}

/// Whether the spike has begun at the instant shown.
pub fn after_onset(app: &App) -> bool {
    app.derived.spike.as_ref().is_some_and(|s| s.onset <= app.at())
}

/// The selection as a stretch of whole columns, the one Enter opens: what is written is what is counted.
pub fn selected(app: &App) -> Option<Span> {
    app.selected()
}

/// The stretch that is marked on the charts: the selection, else the window drilled into.
pub fn marked(app: &App) -> Option<Span> {
    selected(app).or(app.window)
}

/// Columns that keep their colours: those of the selection or window, or those up to a past cursor.
pub fn lit(app: &App) -> Range<usize> {
    let axis = app.axis();
    let column = |at: Stamp| match axis.column(at) {
        Some(c) => c,
        None if at < axis.from => 0,
        None => axis.columns,
    };
    match marked(app) {
        Some(span) => column(span.from)..column(span.to - Lapse(1)).saturating_add(1),
        None if app.in_the_past() => 0..column(app.at()).saturating_add(1),
        None => 0..usize::MAX,
    }
}

/// What stands over the axis: the selection from–to with its length, else the instant at the cursor.
pub fn axis_label(app: &App) -> Option<AxisLabel> {
    let axis = app.axis();
    let zone = &app.store.incident.zone;
    let role = accent_label(app);
    if let Some(span) = selected(app) {
        let column = axis.column(span.from).unwrap_or(0);
        let (from, to) = (lane::clock(zone, span.from, axis.step), lane::clock(zone, span.to, axis.step));
        return Some(AxisLabel {
            column,
            text: format!(" {from} – {to}  {} ", number::span(span.length())),
            role,
            starts: true,
        });
    }
    let column = axis.column(app.at())?;
    Some(AxisLabel { column, text: lane::clock(zone, app.at(), axis.step), role, starts: false })
}

/// Draws the line of the cursor through the rows, and both edges of a selection.
pub fn cursor_lines(app: &App, canvas: &mut Canvas<'_>, rows: Range<u16>) {
    let axis = app.axis();
    let edges = match selected(app) {
        Some(span) => vec![span.from, span.to - Lapse(1)],
        None => vec![app.at()],
    };
    for at in edges {
        if let Some(column) = axis.column(at) {
            lane::cursor(canvas, app.grid.chart.0.saturating_add(column as u16), rows.clone(), accent(app));
        }
    }
}
