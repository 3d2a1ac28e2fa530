//! Screen 1: the answer in big numbers, marks, a lane for each signal on one axis, and beside them what
//! broke first. Owns how rows are given out: a row for each lane, then gaps between groups, then second
//! rows, then third ones, then the big numbers.

use crate::analysis::lane::Cell;
use crate::analysis::spike::Onset;
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::app::state::Mode;
use crate::model::series::Lane;
use crate::view::canvas::{Canvas, Run, dim, plain, run};
use crate::view::lane::Plot;
use crate::view::look::{Colours, Role};
use crate::view::{answer, chrome, lane, marks, moment, number, side};

/// From this height on a wide screen has the big numbers.
const TALL: u16 = 45;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    chrome::scope(canvas, &scope(app));
    let grid = &app.grid;
    let height = canvas.height();
    let (wide, narrow) = (grid.size == Size::Wide, grid.size == Size::Narrow);
    let mut y = 3;
    if wide && height >= TALL {
        answer::draw_big(app, canvas, 4);
        y = 4 + answer::ROWS + 1;
    } else {
        let roomy = !narrow && height >= 32;
        y += u16::from(roomy);
        answer::draw_line(app, canvas, y);
        y += 1 + u16::from(roomy);
    }
    let side_top = y;
    if wide {
        marks::two_rows(app, canvas, y);
        y += 1;
    } else {
        marks::one_row(app, canvas, y);
    }
    let zone = &app.store.incident.zone;
    let axis = app.axis();
    lane::titles(canvas, grid, y, &lane::clock(zone, app.at(), axis.step), moment::accent(app));
    y += 1;
    // Below the lanes: the axis, what stands for the side column, a blank row, the footer.
    let below = 1 + if narrow { 3 } else { u16::from(height >= 30) * 2 } + u16::from(narrow || height < 30) + 1;
    let bottom = height.saturating_sub(below);
    let first = y;
    y = lanes(app, canvas, y, bottom);
    let label = moment::axis_label(app);
    lane::axis(canvas, grid, y, &axis, zone, label.as_ref());
    moment::cursor_lines(app, canvas, first..y);
    if narrow {
        side::draw_lines(app, canvas, y + 1, height.saturating_sub(1));
        return;
    }
    let legend_row = height.saturating_sub(3);
    side::draw(app, canvas, side_top, if wide { legend_row.saturating_sub(1) } else { height.saturating_sub(2) });
    if wide && legend_row > y {
        let says = legend(app, canvas);
        canvas.runs(grid.left, legend_row, canvas.width().saturating_sub(1), &says);
    }
}

fn scope(app: &App) -> Vec<Run<'static>> {
    let axis = app.axis();
    let zone = &app.store.incident.zone;
    let last = axis.start(axis.columns.saturating_sub(1));
    let (from, to) = (lane::clock(zone, axis.from, axis.step), lane::clock(zone, last, axis.step));
    let step = number::span(axis.step);
    if app.grid.size == Size::Narrow {
        return vec![dim(format!("{from}–{to} · {step} a column"))];
    }
    let length = number::span(axis.span().length());
    let band = match app.store.incident.baseline {
        Some(b) if app.baseline => format!("band = {}", zone.format(b.from, "%a %-d %b")),
        Some(_) => "band off".to_owned(),
        None => "no baseline".to_owned(),
    };
    vec![dim(format!("{from}–{to} · {length} · {step} a column · {band}"))]
}

/// How many rows each lane has, and whether groups are set apart.
struct Rows {
    heights: Vec<u16>,
    gaps: bool,
}

/// Gives out `room` rows. Lanes that do not fit with one row each have to be scrolled to.
fn rows(lanes: &[&Lane], room: u16) -> Rows {
    let mut heights = vec![1u16; lanes.len()];
    let starts: Vec<bool> = (0..lanes.len()).map(|i| i == 0 || lanes[i - 1].group != lanes[i].group).collect();
    let groups = starts.iter().filter(|s| **s).count() as u16;
    let mut left = room.saturating_sub(lanes.len() as u16);
    let gaps = left >= groups.saturating_sub(1);
    left -= if gaps { groups.saturating_sub(1) } else { 0 };
    let leads = |i: usize| lanes[i].trigger || (starts[i] && lanes[i].group == "orders");
    // A share that lives near its top says all it has to say in one row; so does the last of a long group.
    let modest = |i: usize| {
        let before = lanes[..i].iter().filter(|l| l.group == lanes[i].group).count();
        lanes[i].floor > 0.0 || before >= 3
    };
    let wishes: [&dyn Fn(usize) -> bool; 4] =
        [&|i| starts[i] && leads(i), &|i| starts[i] && !leads(i), &|i| !starts[i] && !modest(i), &leads];
    for (n, wish) in wishes.iter().enumerate() {
        for (i, height) in heights.iter_mut().enumerate() {
            if left > 0 && wish(i) && (*height == 1 || n == 3) {
                *height += 1;
                left -= 1;
            }
        }
    }
    Rows { heights, gaps }
}

/// Draws the lanes from row `y` on, never below `bottom` (exclusive); gives back the row after the last.
fn lanes(app: &App, canvas: &mut Canvas<'_>, y: u16, bottom: u16) -> u16 {
    let incident = &app.store.incident.lanes;
    let shown: Vec<(usize, &Lane)> = app.derived.shown.iter().filter_map(|i| Some((*i, incident.get(*i)?))).collect();
    let room = bottom.saturating_sub(y).max(1);
    if shown.is_empty() {
        canvas.fit(
            app.grid.left,
            y,
            canvas.width(),
            "no lane is configured: add [[lane]] to the configuration",
            Role::Dim,
        );
        return y + 1;
    }
    let at = app.rows_in(Panel::Lanes);
    // The focus is marked once somebody has moved it: until then the screen is for reading.
    let touched = app.panel() == Panel::Lanes && app.rows.contains_key(&app.rows_key(Panel::Lanes));
    let mark = |i: usize| touched && i == at.focus;
    if app.zoomed && app.panel() == Panel::Lanes {
        let (i, l) = shown[at.focus.min(shown.len() - 1)];
        one(app, canvas, (i, l), (y, room), mark(at.focus));
        return y + room;
    }
    let drawn: Vec<&Lane> = shown.iter().map(|(_, l)| *l).collect();
    let plan = rows(&drawn, room);
    // More lanes than rows: those around the focus are shown.
    let fitting = drawn.len().min(usize::from(room));
    let from = if fitting < drawn.len() { at.first(fitting, drawn.len()) } else { 0 };
    let mut y = y;
    for n in from..from + fitting {
        let height = plan.heights[n];
        if n == 0 || drawn[n - 1].group != drawn[n].group {
            let above = y;
            y += u16::from(plan.gaps && n > from);
            // The group's name stands above its first lane's own name: on a row of the lane, else in the gap.
            let row = if height > 1 { Some(y + height - 2) } else { (y > above).then_some(above) };
            if let Some(row) = row {
                canvas.fit(app.grid.name.0, row, app.grid.name.1 + 4, &drawn[n].group, Role::Dim);
            }
        }
        one(app, canvas, shown[n], (y, height), mark(n));
        y += height;
    }
    y
}

fn one(app: &App, canvas: &mut Canvas<'_>, (i, l): (usize, &Lane), (y, rows): (u16, u16), focused: bool) {
    let Some(columns) = app.derived.lanes.get(i) else { return };
    let plot = Plot { x: app.grid.chart.0, y, rows, lit: moment::lit(app), band: app.baseline };
    lane::bars(canvas, &plot, l, columns);
    let last = y + rows - 1;
    broke(app, canvas, l, (y, rows));
    lane::numbers(canvas, &app.grid, last, l, columns, &app.axis(), app.at());
    if focused {
        canvas.gutter(0, last, moment::accent(app));
    }
    let edge = app.axis().column(app.live_edge());
    if let (Some(edge), 0, true) = (edge, i, app.mode != Mode::Live)
        && edge + 20 < columns.cells.len()
    {
        canvas.put(app.grid.chart.0 + edge as u16 + 3, last, "not played yet", Role::Dim);
    }
}

/// Marks where a signal left its band, as far as that is known at the cursor: above the bars, where nothing
/// else stands. A lane of one row has no such place, and its bars change their colour there.
fn broke(app: &App, canvas: &mut Canvas<'_>, lane: &Lane, (y, rows): (u16, u16)) {
    let of_lane = |o: &&Onset| !o.trigger && o.at <= app.at() && o.is_of(lane);
    let Some(onset) = app.derived.onsets.iter().find(of_lane).filter(|_| rows > 1) else { return };
    let Some(column) = app.axis().column(onset.at) else { return };
    let x = app.grid.chart.0 + column as u16;
    if matches!(canvas.symbol(x, y), " " | "") {
        canvas.put(x, y, "↓", if onset.first_fault { Role::Warn } else { Role::Dim });
    }
}

/// What the picture needs to be understood, or that it is the past.
fn legend(app: &App, canvas: &Canvas<'_>) -> Vec<Run<'static>> {
    let zone = &app.store.incident.zone;
    if let Some(span) = app.loading.first() {
        let (from, to) = (zone.hm(span.from), zone.hm(span.to));
        return vec![run(Role::Stale, format!("reading {from}–{to} back from the recording"))];
    }
    let fetching = app.store.incident.sources.iter().find_map(|c| app.store.progress(&c.name, app.live_edge()));
    if let Some(p) = fetching {
        return crate::view::sources::progress(canvas, p);
    }
    if app.in_the_past() && app.selection.is_none() {
        return vec![
            run(Role::Past, format!("You see {} as it was known then. ", zone.hms(app.at()))),
            dim(
                "Grey is the later record, and what only became known later. All six screens follow; live polling goes on.",
            ),
        ];
    }
    let mut out = Vec::new();
    let any = |fits: fn(&Cell) -> bool| app.derived.lanes.iter().any(|l| l.cells.iter().any(fits));
    if any(|c| *c == Cell::NotYet) {
        let late = app.store.incident.lanes.iter().max_by_key(|l| l.lag);
        let why = late.map_or_else(String::new, |l| {
            format!(" ({} comes {} late)", l.series.split('.').next().unwrap_or_default(), number::span(l.lag))
        });
        out.extend([run(Role::Stale, "·"), dim(format!(" not measured yet{why}   "))]);
    }
    if any(|c| *c == Cell::Blind)
        && let Some(gap) = app.derived.gaps.iter().rev().max_by_key(|g| g.span.length())
    {
        let code =
            if gap.code.is_empty() { String::new() } else { format!(" ({})", canvas.shown(&gap.code.as_str().into())) };
        let (from, to) = (zone.hm(gap.span.from), zone.hm(gap.span.to));
        let source = canvas.shown(&gap.source.as_ref().into());
        out.extend([run(Role::Stale, "blind"), dim(format!(" no sample: {source} {from}–{to}{code}   "))]);
    }
    if let Some(b) = app.store.incident.baseline {
        let bold = if canvas.look().colours == Colours::Mono { ", bold" } else { "" };
        let day = zone.format(b.from, "%a %-d %b");
        out.extend([
            run(Role::Hot, "█"),
            dim(format!(" outside the band of {day}{bold}   ")),
            run(Role::Ser, "█"),
            dim(" inside"),
        ]);
    } else {
        out.push(plain("no baseline is configured: nothing can be called outside normal"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heights(room: u16) -> (Vec<u16>, bool) {
        let incident = crate::simulator::incident();
        let plan = rows(&incident.lanes.iter().collect::<Vec<_>>(), room);
        (plan.heights, plan.gaps)
    }

    #[test]
    fn rows_go_to_lanes_then_gaps_then_the_first_of_each_group_then_the_rest() {
        assert_eq!(heights(13), (vec![1; 13], false));
        assert_eq!(heights(18), (vec![1; 13], true));
        assert_eq!(heights(24), (vec![2, 1, 2, 1, 2, 1, 1, 1, 2, 1, 2, 1, 2], true));
        assert_eq!(heights(31), (vec![3, 2, 2, 2, 2, 2, 2, 1, 2, 1, 3, 2, 2], true));
    }

    #[test]
    fn no_more_rows_are_given_out_than_there_are() {
        for room in 0..80 {
            let (heights, gaps) = heights(room);
            let used = heights.iter().sum::<u16>() + if gaps { 5 } else { 0 };
            assert!(used <= room.max(13), "{room}: {used}");
        }
    }
}
