//! One signal on the shared axis: bars in eighths, the normal band behind them, gaps that say so, and its
//! name and numbers to the left. Also the axis itself, the cursor line and the marks above.
//!
//! Knows lanes and columns, no incident.

use crate::analysis::lane::{Axis, Cell, LaneColumns, is_broken};
use crate::app::grid::Grid;
use crate::model::series::Lane;
use crate::model::{Lapse, Stamp, Zone};
use crate::view::canvas::Canvas;
use crate::view::look::{Glyphs, Ground, Role};
use crate::view::{number, text};
use std::ops::Range;

const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Both dot columns of a Braille cell filled from below by zero to four.
const DOTS: [char; 4] = ['⣀', '⣤', '⣶', '⣿'];

/// Behind the name of a lane that is a sample.
const SAMPLED: &str = " sampled";

/// Where a lane's bars stand.
#[derive(Clone, Debug)]
pub struct Plot {
    /// First chart column on screen.
    pub x: u16,
    /// Top row.
    pub y: u16,
    /// Rows.
    pub rows: u16,
    /// Columns of the axis drawn in their colours; the others are greyed (after a past cursor, outside a
    /// selection). All when nothing is greyed.
    pub lit: Range<usize>,
    /// Whether the band is drawn.
    pub band: bool,
}

/// Draws a lane's bars.
pub fn bars(canvas: &mut Canvas<'_>, plot: &Plot, lane: &Lane, columns: &LaneColumns) {
    let scale = Scale { low: lane.floor, high: columns.top.max(lane.floor + f64::MIN_POSITIVE), rows: plot.rows };
    for (i, cell) in columns.cells.iter().enumerate() {
        let x = plot.x.saturating_add(i as u16);
        let band = columns.band.get(i).copied().flatten().filter(|_| plot.band);
        if let (Cell::Value { .. } | Cell::NotYet, Some(band)) = (cell, band) {
            shade(canvas, plot, &scale, x, band);
        }
        match *cell {
            Cell::Value { value, outside } => {
                let outside = outside || is_broken(value, lane);
                let role = match (plot.lit.contains(&i), outside, value <= lane.floor) {
                    (false, ..) => Role::Later,
                    (_, true, _) => Role::Hot,
                    (_, _, true) => Role::Faint,
                    _ => Role::Ser,
                };
                bar(canvas, plot, scale.level(value), x, role);
            }
            Cell::NotYet => {
                canvas.put(x, plot.y + plot.rows.saturating_sub(1), "·", Role::Stale);
            }
            Cell::Blind | Cell::Empty => {}
        }
    }
    if let Some((name, value)) = &columns.limit {
        limit(canvas, plot, lane, columns, &scale, (name, *value));
    }
    gaps(canvas, plot, &columns.cells);
}

/// The limit as a line through what is blank of its row, with its name at the end of the longest blank. A
/// lane of one row has no room for it.
fn limit(
    canvas: &mut Canvas<'_>,
    plot: &Plot,
    lane: &Lane,
    columns: &LaneColumns,
    scale: &Scale,
    (name, value): (&str, f64),
) {
    if plot.rows < 2 {
        return;
    }
    let y = plot.y + plot.rows - scale.level(value).div_ceil(8).clamp(1, plot.rows);
    let width = columns.cells.len() as u16;
    let blank: Vec<bool> = (0..width).map(|i| matches!(canvas.symbol(plot.x + i, y), " " | "╌" | "-")).collect();
    let mut longest = 0..0;
    let mut from = 0;
    for run in blank.chunk_by(|a, b| a == b) {
        let to = from + run.len();
        if run[0] {
            (from..to).for_each(|i| {
                canvas.put(plot.x + i as u16, y, "┄", Role::Faint);
            });
            longest = if run.len() > longest.len() { from..to } else { longest };
        }
        from = to;
    }
    let label = canvas.safe(&format!(" {} {name} ", number::of_lane(lane, value)));
    if text::width(&label) + 2 <= longest.len() {
        let x = plot.x + (longest.end - text::width(&label) - 1) as u16;
        canvas.put(x, y, &label, Role::Dim);
    }
}

struct Scale {
    low: f64,
    high: f64,
    rows: u16,
}

impl Scale {
    /// Eighths filled from below. Two eighths stay free above the highest bar (one in a single row), so
    /// that lanes below one another never touch; a measured value is never invisible.
    fn level(&self, value: f64) -> u16 {
        let top = 8 * self.rows - if self.rows > 1 { 2 } else { 1 };
        let share = (value - self.low) / (self.high - self.low);
        let level = if share.is_finite() { (share * f64::from(top)).round() } else { 1.0 };
        level.clamp(1.0, f64::from(top)) as u16
    }
    /// The values that a row stands for, `r` counted from the top.
    fn row(&self, r: u16) -> (f64, f64) {
        let (n, span) = (f64::from(self.rows), self.high - self.low);
        let below = f64::from(self.rows - 1 - r);
        (self.low + span * below / n, self.low + span * (below + 1.0) / n)
    }
}

fn bar(canvas: &mut Canvas<'_>, plot: &Plot, level: u16, x: u16, role: Role) {
    let braille = canvas.look().glyphs == Glyphs::Braille;
    for r in 0..plot.rows {
        let filled = level.saturating_sub(8 * (plot.rows - 1 - r)).min(8);
        if filled > 0 {
            let i = usize::from(filled - 1);
            let glyph = if braille { DOTS[i / 2] } else { EIGHTHS[i] };
            canvas.put(x, plot.y + r, glyph.encode_utf8(&mut [0; 4]), role);
        }
    }
}

fn shade(canvas: &mut Canvas<'_>, plot: &Plot, scale: &Scale, x: u16, (low, high): (f64, f64)) {
    let shades = canvas.look().shades();
    for r in 0..plot.rows {
        let (from, to) = scale.row(r);
        if shades && low < to && high > from {
            canvas.ground(x, plot.y + r, 1, 1, Ground::Band);
        } else if !shades && plot.rows > 1 && from < high && high <= to && high < scale.high {
            canvas.put(x, plot.y + r, "╌", Role::Faint);
        }
    }
}

/// A gap has neither bar nor band and says what it is: `blind` from five columns on, `?` below.
fn gaps(canvas: &mut Canvas<'_>, plot: &Plot, cells: &[Cell]) {
    let mut i = 0;
    while i < cells.len() {
        let n = cells[i..].iter().take_while(|c| **c == Cell::Blind).count();
        if n > 0 {
            let word = if n >= 5 { "blind" } else { "?" };
            let x = plot.x + (i + (n - word.len()) / 2) as u16;
            canvas.put(x, plot.y + plot.rows.saturating_sub(1), word, Role::Stale);
        }
        i += n.max(1);
    }
}

/// What is counted from a sample of more says so behind its name: in a word where there is room, else by a sign.
fn name(canvas: &mut Canvas<'_>, grid: &Grid, y: u16, lane: &Lane, columns: &LaneColumns) {
    let (from, end) = grid.name;
    let room = usize::from(end.saturating_sub(from));
    let mark = match text::width(&lane.name) {
        _ if !columns.sampled => "",
        width if width + text::width(SAMPLED) <= room => SAMPLED,
        _ => " ~",
    };
    let name = short(&lane.name, room.saturating_sub(text::width(mark)));
    canvas.fit(from, y, end, &name, Role::Text);
    canvas.fit(from + text::width(&name) as u16, y, end, mark, Role::Stale);
}

/// Everything left of a lane's chart: name, value at the cursor, normal, worst. One row.
pub fn numbers(
    canvas: &mut Canvas<'_>,
    grid: &Grid,
    y: u16,
    lane: &Lane,
    columns: &LaneColumns,
    axis: &Axis,
    at: Stamp,
) {
    name(canvas, grid, y, lane, columns);
    let known = |v: Option<f64>| v.map_or_else(|| number::NOTHING.to_owned(), |v| number::of_lane(lane, v));
    let Some((measured, value)) = columns.now else {
        canvas.right(grid.value_end, y, number::NOTHING, Role::Stale);
        if let Some(end) = grid.normal_end {
            canvas.right(end, y, &known(columns.normal), Role::Dim);
        }
        if let Some(end) = grid.worst_end {
            canvas.right(end, y, &known(columns.worst.map(|(_, v)| v)), Role::Dim);
        }
        return;
    };
    let age = at.since(measured);
    // Late by nature is not stale: the columns between say "not measured yet".
    let coming = axis.column(at).and_then(|c| columns.cells.get(c)) == Some(&Cell::NotYet);
    let stale = !coming && age > lane.lag + axis.step.times(2) + Lapse::minutes(1);
    let role = match (stale, columns.now_broken, columns.now_outside) {
        (true, ..) => Role::Stale,
        (_, true, _) => Role::Bad,
        (_, _, true) => Role::Warn,
        _ => Role::Strong,
    };
    canvas.right(grid.value_end, y, &number::of_lane(lane, value), role);
    if canvas.look().colours == crate::view::look::Colours::Mono {
        let sign = match role {
            Role::Bad => "!",
            Role::Warn => "^",
            Role::Stale => "~",
            _ => "",
        };
        canvas.put(grid.value_end, y, sign, role);
    }
    if let Some(end) = grid.normal_end {
        let beside = if stale { number::age(age) } else { known(columns.normal) };
        canvas.right(end, y, &beside, if stale { Role::Stale } else { Role::Dim });
    }
    if let Some(end) = grid.worst_end {
        canvas.right(end, y, &known(columns.worst.map(|(_, v)| v)), Role::Dim);
    }
}

/// A lane's name in the room there is: whole, else without what follows a comma, else without its last
/// word (`pool wait p95` becomes `pool wait`), else cut.
pub fn short(name: &str, room: usize) -> String {
    if text::width(name) <= room {
        return name.to_owned();
    }
    let before_comma = name.split(',').next().unwrap_or(name).trim();
    let without_last = before_comma.rsplit_once(' ').map_or(before_comma, |(head, _)| head);
    let best = [before_comma, without_last].into_iter().find(|n| text::width(n) <= room);
    text::cut(best.unwrap_or(before_comma), room)
}

/// The time at the cursor and the column titles, on the row of the marks.
pub fn titles(canvas: &mut Canvas<'_>, grid: &Grid, y: u16, clock: &str, role: Role) {
    canvas.right(grid.value_end, y, clock, role);
    if let Some(end) = grid.normal_end {
        canvas.right(end, y, "normal", Role::Dim);
    }
    if let Some(end) = grid.worst_end {
        canvas.right(end, y, "worst", Role::Dim);
    }
}

/// The cursor: a line through what is blank, the accent on what is not.
pub fn cursor(canvas: &mut Canvas<'_>, x: u16, rows: Range<u16>, role: Role) {
    for y in rows {
        let glyph = canvas.symbol(x, y);
        if matches!(glyph, " " | "·" | "." | "╌" | "┄" | "-" | "│" | "|") {
            canvas.put(x, y, "│", role);
        } else {
            canvas.recolour(x, y, role);
        }
    }
}

/// Distances between two labels of the axis that people count in.
const LABELS: [Lapse; 14] = [
    Lapse::seconds(10),
    Lapse::seconds(30),
    Lapse::minutes(1),
    Lapse::minutes(2),
    Lapse::minutes(5),
    Lapse::minutes(15),
    Lapse::minutes(30),
    Lapse::hours(1),
    Lapse::hours(2),
    Lapse::hours(3),
    Lapse::hours(6),
    Lapse::hours(12),
    Lapse::hours(24),
    Lapse::hours(168),
];

/// How an instant of the axis is written: with seconds, as clock, or as a day when columns are hours.
pub fn clock(zone: &Zone, at: Stamp, step: Lapse) -> String {
    if step < Lapse::minutes(1) { zone.hms(at) } else { zone.hm(at) }
}

/// Draws the axis with its labels, and the label of the cursor (or of a selection) over them.
pub fn axis(canvas: &mut Canvas<'_>, grid: &Grid, y: u16, axis: &Axis, zone: &Zone, over: Option<&AxisLabel>) {
    let (x0, x1) = grid.chart;
    let step = axis.step.0.max(1);
    let distance = LABELS.into_iter().find(|d| {
        let room = if *d < Lapse::minutes(1) { 11 } else { 7 };
        d.0 / step >= room
    });
    let Some(distance) = distance else { return };
    let taken = over.map(|o| o.place(x0, x1));
    let mut at = axis.from.floor(distance, zone);
    while at < axis.span().to {
        if let Some(column) = axis.column(at) {
            let midnight = zone.midnight(at) == at;
            let label = match (
                distance >= Lapse::hours(24) || (midnight && distance >= Lapse::hours(1)),
                distance < Lapse::minutes(1),
            ) {
                (true, _) => zone.format(at, "%d %b"),
                (_, true) => zone.hms(at),
                _ => zone.hm(at),
            };
            let x = x0 + column as u16;
            let free = taken.as_ref().is_none_or(|t| x + label.len() as u16 + 1 < t.start || x > t.end + 1);
            if free && x + label.len() as u16 <= x1 {
                canvas.put(x, y, &label, Role::Dim);
            }
        }
        at = at + distance;
    }
    if let (Some(over), Some(taken)) = (over, taken) {
        canvas.put(taken.start, y, &over.text, over.role);
    }
}

/// A label that stands over the axis at a column.
#[derive(Clone, Debug)]
pub struct AxisLabel {
    /// Column of the axis it belongs to.
    pub column: usize,
    /// What it says.
    pub text: String,
    /// Role: the accent's label.
    pub role: Role,
    /// Begins at its column instead of being centred on it (a selection).
    pub starts: bool,
}

impl AxisLabel {
    fn place(&self, x0: u16, x1: u16) -> Range<u16> {
        let w = text::width(&self.text) as u16;
        let x = x0 + self.column as u16;
        let x = if self.starts { x } else { x.saturating_sub(w / 2) };
        let x = x.min(x1.saturating_sub(w)).max(x0);
        x..x + w
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::series::{Bad, Rollup, Unit};
    use crate::view::look::Look;
    use crate::view::text::Privacy;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    #[test]
    fn a_lane_that_is_a_sample_says_so_behind_its_name_whatever_room_there_is() {
        let drawn = |name: &str, sampled: bool| {
            let lane = Lane {
                group: "logs".to_owned(),
                name: name.to_owned(),
                series: "loki.ERROR".into(),
                unit: Unit::PerMinute,
                rollup: Rollup::SumPerMinute,
                bad: Bad::High,
                floor: 0.0,
                ceiling: None,
                lag: Lapse::ZERO,
                trigger: false,
                broken_at: None,
            };
            let columns = LaneColumns { sampled, ..LaneColumns::default() };
            let grid = Grid::of(200, 50);
            let mut buf = Buffer::empty(Rect::new(0, 0, 40, 1));
            self::name(&mut Canvas::new(&mut buf, Look::default(), Privacy::Masked), &grid, 0, &lane, &columns);
            let text: String = buf.content().iter().map(ratatui::buffer::Cell::symbol).collect();
            text.trim().to_owned()
        };
        assert_eq!(drawn("ERROR lines", false), "ERROR lines");
        assert_eq!(drawn("errors", true), "errors sampled");
        assert_eq!(drawn("ERROR lines", true), "ERROR lines ~");
        assert!(drawn("a name that is far too long for it", true).ends_with(" ~"));
    }
}
