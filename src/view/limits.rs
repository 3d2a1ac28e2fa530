//! Limits beside what is measured: the value now and at its peak, and what is left with as many users as
//! usual, as at the peak and as planned for. Every row says whether that was measured or is an estimate.

use crate::analysis::limit::{Need, Row};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::view::canvas::{Canvas, Column, Focus, Run, dim, left, plain, right, run, stretched, strong};
use crate::view::lane::Plot;
use crate::view::list::bar;
use crate::view::look::Role;
use crate::view::{chrome, lane, moment, number, strip, text};

/// Cells of the bar that shows how much of a limit is used.
const BAR: u16 = 12;

/// What a column shows of a row.
type Cellist = fn(&Shown<'_>, &Canvas<'_>) -> Vec<Run<'static>>;

struct Shown<'a> {
    app: &'a App,
    row: &'a Row,
}

/// Draws the table.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let users: Vec<String> = app.loads().iter().map(|n| round(*n)).collect();
    chrome::scope(canvas, &[dim(format!("{} users: normal, at the peak, planned for", users.join(" · ")))]);
    let top = strip::draw(app, canvas, &["connections", "latency p95"], &[]);
    let (x, end) = (app.grid.left, canvas.width().saturating_sub(2));
    let y = canvas.head(
        x,
        top,
        end,
        "LIMITS",
        "configured, and told by the sources themselves",
        Focus::Here(moment::accent(app)),
    );
    let rows = &app.derived.limits;
    if rows.is_empty() {
        let says = "no limit is known: add [[limit]] to the configuration; watched databases bring their own";
        canvas.fit(x, y, end, says, Role::Dim);
        return;
    }
    let (layout, fill): (Vec<Column>, Vec<Cellist>) = columns(app.grid.size).into_iter().unzip();
    let layout = stretched(&layout, 0, end.saturating_sub(x));
    let first = canvas.table_head(x, y, &layout);
    users_above(canvas, (x, y), &layout, &users);
    // Two lines below the table say what its words mean; they and the row's own words keep their room.
    let bottom = chrome::body_end(app).saturating_sub(4);
    let room = usize::from(bottom.saturating_sub(first));
    let focus = app.rows_in(Panel::Limits);
    let mut y = first;
    for (i, row) in rows.iter().enumerate().skip(focus.first(room, rows.len())).take(room) {
        let shown = Shown { app, row };
        let cells: Vec<_> = fill.iter().map(|f| f(&shown, canvas)).collect();
        canvas.table_row(x, y, &layout, &cells);
        if i == focus.focus {
            canvas.focus_row(x, y, end, moment::accent(app));
        }
        y += 1;
    }
    if let Some(row) = rows.get(focus.focus) {
        canvas.runs(x, y + 1, end, &about(app, canvas, row));
    }
    let legend = legend(app, usize::from(end.saturating_sub(x)));
    for (i, says) in legend.iter().enumerate().take(2) {
        canvas.fit(x, y + 2 + i as u16, end, says, Role::Dim);
    }
    if let Some(row) = rows.get(focus.focus) {
        chart(app, canvas, row, y + 2 + legend.len().min(2) as u16 + 1);
    }
}

/// Rows of the chart at most.
const TALL: u16 = 10;

/// The focused limit in time, where its series is a lane: the lane's bars with the limit through them.
fn chart(app: &App, canvas: &mut Canvas<'_>, row: &Row, y: u16) {
    let lanes = &app.store.incident.lanes;
    let Some(i) = lanes.iter().position(|l| *l.series == *row.limit.series) else { return };
    let Some(columns) = app.derived.lanes.get(i) else { return };
    let rows = chrome::body_end(app).saturating_sub(y + 2).min(TALL);
    if rows < 3 {
        return;
    }
    let plot = Plot { x: app.grid.chart.0, y, rows, lit: moment::lit(app), band: app.baseline };
    lane::bars(canvas, &plot, &lanes[i], columns);
    lane::numbers(canvas, &app.grid, y + rows - 1, &lanes[i], columns, &app.axis(), app.at());
    let label = moment::axis_label(app);
    lane::axis(canvas, &app.grid, y + rows, &app.axis(), &app.store.incident.zone, label.as_ref());
    moment::cursor_lines(app, canvas, y..y + rows);
}

fn columns(size: Size) -> Vec<(Column, Cellist)> {
    let all: [(Column, Cellist, Size); 9] = [
        (left("limit", 20), name, Size::Narrow),
        (right("value", 9), |s, _| vec![strong(number::value(s.row.unit, s.row.limit.value))], Size::Narrow),
        (right("now", 9), now, Size::Medium),
        (right("peak", 9), peak, Size::Narrow),
        (right("at", 6), when, Size::Medium),
        (left("used at the peak", BAR + 6), used, Size::Wide),
        (right("", 13), |s, _| vec![left_over(s.row, 0)], Size::Medium),
        (right("", 13), |s, _| vec![left_over(s.row, 1)], Size::Narrow),
        (right("", 13), |s, _| vec![left_over(s.row, 2)], Size::Narrow),
    ];
    all.into_iter().filter(|(.., from)| size >= *from).map(|(c, f, _)| (c, f)).collect()
}

/// `30k`, without a fraction where there is none.
fn round(users: f64) -> String {
    number::users(users).replace(".0k", "k")
}

/// The last columns are headed by the numbers of users they are for.
fn users_above(canvas: &mut Canvas<'_>, (x, y): (u16, u16), layout: &[Column], users: &[String]) {
    let mut at = x;
    let shown = layout.iter().filter(|c| c.title.is_empty()).count();
    let mut loads = users.iter().skip(users.len().saturating_sub(shown));
    for column in layout {
        if column.title.is_empty()
            && let Some(users) = loads.next()
        {
            canvas.right(at + column.width, y, &format!("left at {users}"), Role::Dim);
        }
        at += column.width + crate::view::canvas::GUTTER;
    }
}

fn name(s: &Shown<'_>, canvas: &Canvas<'_>) -> Vec<Run<'static>> {
    let limit = &s.row.limit;
    let mut out = vec![plain(canvas.safe(&limit.name))];
    if !limit.of.is_empty() {
        out.push(dim(format!("  {}", canvas.safe(&limit.of))));
    }
    out
}

fn measured(s: &Shown<'_>, value: Option<f64>, hot: Role) -> Vec<Run<'static>> {
    vec![value.map_or_else(
        || run(Role::Stale, number::NOTHING),
        |v| run(if s.row.is_reached(v) { hot } else { Role::Text }, number::value(s.row.unit, v)),
    )]
}

fn now(s: &Shown<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    measured(s, s.row.now.map(|n| n.1), Role::Bad)
}

fn peak(s: &Shown<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    measured(s, s.row.peak.map(|p| p.1), Role::Warn)
}

fn when(s: &Shown<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    vec![s.row.peak.map_or_else(|| dim(""), |(at, _)| dim(s.app.store.incident.zone.hm(at)))]
}

fn used(s: &Shown<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    let Some(share) = s.row.peak.map(|p| p.1 / s.row.limit.value).filter(|v| v.is_finite()) else {
        return vec![run(Role::Stale, "not measured")];
    };
    let full = bar(share, BAR);
    let rest = usize::from(BAR).saturating_sub(text::width(&full));
    let role = if s.row.is_reached(s.row.limit.value * share) { Role::Warn } else { Role::Ser };
    vec![
        run(role, full),
        run(Role::Faint, "┈".repeat(rest)),
        dim(format!("{:>5}", format!("{:.0}%", (share * 100.0).min(999.0)))),
    ]
}

/// What is left of a limit with the users of a column: `+42`, `0`, `−91 est.`, or that nothing tells.
fn left_over(row: &Row, load: usize) -> Run<'static> {
    let Some(need) = row.needs.get(load).copied().flatten() else {
        return run(Role::Stale, number::NOTHING);
    };
    let left = row.limit.value - need.value();
    let short = row.is_reached(need.value());
    let sign = match left {
        _ if left.abs() < f64::EPSILON => "",
        v if v < 0.0 => "−",
        _ => "+",
    };
    let word = match need {
        Need::AtLeast(_) => return run(Role::Warn, "none"),
        Need::Estimated(_) => " est.",
        Need::Measured(_) => "",
    };
    run(if short { Role::Warn } else { Role::Text }, format!("{sign}{}{word}", number::value(row.unit, left.abs())))
}

/// The focused limit in a sentence: what is measured against it, and since when it was reached.
fn about(app: &App, canvas: &Canvas<'_>, row: &Row) -> Vec<Run<'static>> {
    let zone = &app.store.incident.zone;
    let mut out = vec![strong(canvas.safe(&row.limit.name)), dim(" ")];
    if row.limit.series.is_empty() {
        out.push(plain("is a number that nothing measures"));
        return out;
    }
    let series = canvas.safe(&row.limit.series);
    match (row.peak, row.now) {
        (Some((at, v)), _) if row.is_reached(v) => {
            out.push(run(Role::Warn, format!("was reached at {}", zone.hm(at))));
            out.push(dim(format!(" by {series}")));
        }
        (Some((at, v)), _) => {
            let left = number::value(row.unit, row.limit.value - v);
            out.push(plain(format!("was never reached: {left} were left at {} of {series}", zone.hm(at))));
        }
        (None, Some((at, _))) => {
            out.push(run(Role::Stale, format!("was not measured here; {series} last at {}", zone.hm(at))));
        }
        (None, None) => out.push(run(Role::Stale, format!("is not measured: there are no points of {series}"))),
    }
    if let Some((at, _)) = row.now {
        out.push(dim(format!(" · {}", number::ago(app.at().since(at)))));
    }
    if !row.configured {
        out.push(dim(" · told by the source itself"));
    }
    out
}

/// What the last columns mean.
fn legend(app: &App, room: usize) -> Vec<String> {
    let driven = app.store.incident.lanes.iter().any(|l| l.trigger);
    let says = if driven {
        "left at: the limit less the median of the minutes with about so many users. est.: there were none; a line \
         through the minutes below the limit. none: fewer users reached it already. –: nothing tells"
    } else {
        "no lane is the traffic (trigger = true), so nothing tells what a number of users needs"
    };
    text::wrap(says, room)
}
