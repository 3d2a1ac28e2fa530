//! Stack traces of the window, one a row by its own frames; below it what the selected one is about.

use super::{level_role, notes, nothing, scope};
use crate::analysis::stack::Trace;
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::Untrusted;
use crate::view::canvas::{Canvas, Column, Focus, dim, left, plain, right, run, strong};
use crate::view::list::{Runs, hits, spark};
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip, text};

/// Rows of what is said of the selected trace, its heading and the space above it.
const DETAIL: u16 = 6;
/// Where its words begin.
const INDENT: u16 = 14;

/// Draws the list.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    scope(app, canvas);
    let mut y = strip::draw(app, canvas, &["ERROR lines", "stuck, by birth"], &notes(app));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    y = heading(app, canvas, (x, end_x), y);
    if app.derived.traces.is_empty() {
        let says = match app.derived.all_traces.len() {
            0 if !app.store.logs.within(app.lines_span()).is_empty() => {
                "no line of this window has a stack trace".to_owned()
            }
            all => nothing(app, canvas, "stack trace", all),
        };
        canvas.fit(x, y, end_x, &says, Role::Dim);
        return;
    }
    let columns = columns(app.grid.size, end_x.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    y += 1;
    let detail = if app.grid.size == Size::Narrow { 0 } else { DETAIL };
    let rows = app.rows_in(Panel::Stacks);
    let room = usize::from(end.saturating_sub(y + detail));
    let first = rows.first(room, app.derived.traces.len());
    for (i, trace) in app.derived.traces.iter().enumerate().skip(first).take(room) {
        canvas.table_row(x, y, &columns, &cells(app, trace, columns.len(), canvas));
        if i == rows.focus {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += 1;
    }
    if let Some(trace) = app.derived.traces.get(rows.focus).filter(|_| detail > 0) {
        selected(app, canvas, trace, (x, end_x), y + 1, end);
    }
}

fn heading(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16) -> u16 {
    canvas.gutter(x.saturating_sub(1), y, moment::accent(app));
    let (shown, all) = (app.derived.traces.len(), app.derived.all_traces.len());
    let mut runs = vec![strong("STACK TRACES"), plain(format!("   {}", number::count(shown as i64)))];
    if all > shown {
        runs.push(dim(format!(" of {}", number::count(all as i64))));
    }
    runs.push(dim(" by the innermost frames of own packages   sorted by "));
    runs.push(plain(app.sorted_by().map_or("lines", |(name, _)| name)));
    if !app.filter.is_empty() {
        runs.push(dim("   filter "));
        runs.push(run(Role::Hit, canvas.shown(&Untrusted::from(app.filter.as_str()))));
    }
    canvas.runs(x, y, end_x, &runs);
    if app.grid.size == Size::Narrow { y + 1 } else { y + 2 }
}

const WIDE: usize = 9;

fn columns(size: Size, total: u16) -> Vec<Column> {
    let mut out = vec![right("lines", 7)];
    match size {
        Size::Wide => out.extend([right("normal", 7), right("first seen", 10), left("", 24)]),
        Size::Medium => out.extend([right("normal", 7), right("first seen", 10)]),
        Size::Narrow | Size::Tiny => {}
    }
    out.extend([left("", 1), left("service", 10), right("orders", 6), right("stuck", 6)]);
    let taken: u16 = out.iter().map(|c| c.width + 2).sum();
    out.push(left("frames, innermost first", total.saturating_sub(taken)));
    out
}

fn cells(app: &App, t: &Trace, columns: usize, canvas: &Canvas<'_>) -> Vec<Runs> {
    let zone = &app.store.incident.zone;
    let mut out = vec![vec![strong(number::count(t.lines as i64))]];
    if columns >= WIDE - 1 {
        let normal = t.normal.map_or(number::NOTHING.to_owned(), |n| number::count(n.round() as i64));
        out.extend([vec![dim(normal)], vec![plain(zone.hms(t.first))]]);
    }
    if columns == WIDE {
        let values: Vec<Option<f64>> = t.trend.iter().map(|n| Some(f64::from(*n))).collect();
        let top = t.trend.iter().max().map_or(1.0, |n| f64::from(*n));
        out.push(vec![run(Role::Hot, spark(&values, 0.0, top.max(1.0)))]);
    }
    let service = match t.services.as_slice() {
        [one] => canvas.outside(&Untrusted::from(&**one), Role::Text),
        several => vec![dim(format!("{} of them", several.len()))],
    };
    let frames = canvas.outside(&t.name, if t.own { Role::Text } else { Role::Dim });
    out.extend([
        vec![run(level_role(t.level), t.level.letter().to_string())],
        service,
        vec![dim(number::count(t.orders as i64))],
        vec![if t.stuck > 0 { strong(number::count(t.stuck as i64)) } else { dim("0") }],
        hits(frames, &app.search),
    ]);
    out
}

/// What the selected trace is about.
fn selected(app: &App, canvas: &mut Canvas<'_>, t: &Trace, (x, end_x): (u16, u16), y: u16, end: u16) {
    let zone = &app.store.incident.zone;
    canvas.head(x, y, end_x, "SELECTED", &canvas.shown(&t.name), Focus::Away);
    let mut rows: Vec<(&str, Runs)> = vec![("says", canvas.outside(&t.says, Role::Text))];
    let seen = format!("{} – {}", zone.hms(t.first), zone.hms(t.last));
    rows.push(("seen", vec![plain(seen), dim(format!("   {}", number::plural(t.members.len(), "line", "lines")))]));
    let of = match (t.orders, t.stuck) {
        (0, _) => vec![dim("none of its lines names one")],
        (n, stuck) => vec![
            strong(number::plural(n, "order", "orders")),
            dim(format!(", {} of them stuck", number::count(stuck as i64))),
        ],
    };
    rows.push(("orders", of));
    if !t.own {
        rows.push((
            "frames",
            vec![dim("none of the trace is of a package of ours: these are the innermost of others")],
        ));
    }
    // The whole of the first one, as far as there is room below the list.
    let first = t.members.first().and_then(|n| app.store.logs.get(*n));
    for (i, frame) in first.iter().flat_map(|k| &k.line.stack).enumerate() {
        let label = if i == 0 { "the first" } else { "" };
        rows.push((label, hits(canvas.outside(&text::flat(frame), Role::Dim), &app.search)));
    }
    for (y, (label, runs)) in (y + 1..end).zip(rows) {
        canvas.fit(x, y, x + INDENT - 1, label, Role::Dim);
        canvas.runs(x + INDENT, y, end_x, &runs);
    }
}
