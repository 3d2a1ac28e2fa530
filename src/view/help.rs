//! Help in place of the body: every key from the command table, then how to read the screen. The header
//! stays: the clock never disappears.

use crate::app::App;
use crate::app::act::HELP_ROWS;
use crate::app::grid::Size;
use crate::app::help::{self, Line};
use crate::view::canvas::{Canvas, dim, plain};
use crate::view::look::Role;
use crate::view::{chrome, text};

/// Cells of the keys before what they do.
const KEYS: u16 = 16;

/// One line of the help, placed on a sheet that may be longer than the screen.
struct Placed {
    x: u16,
    y: u16,
    end: u16,
    key: String,
    key_role: Role,
    says: String,
}

/// Draws the help in place of the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    chrome::scope(canvas, &[dim("the same table: warroom keys")]);
    let sheet = sheet(app, canvas.width());
    let top = chrome::body_top(app);
    let room = chrome::body_end(app).saturating_sub(top);
    let length = sheet.iter().map(|p| p.y + 1).max().unwrap_or(0);
    let scrolled = app.rows.get(HELP_ROWS).map_or(0, |r| r.top) as u16;
    let first = scrolled.min(length.saturating_sub(room));
    for p in sheet.iter().filter(|p| (first..first + room).contains(&p.y)) {
        let y = top + p.y - first;
        canvas.fit(p.x, y, p.end, &p.key, p.key_role);
        if !p.says.is_empty() {
            canvas.fit(p.x + KEYS, y, p.end, &p.says, Role::Dim);
        }
    }
    if first + room < length {
        let more = format!("{} more lines ↓", length - first - room);
        canvas.runs_right(2, canvas.width() - 1, chrome::body_end(app), &[plain(more)]);
    }
}

fn sheet(app: &App, width: u16) -> Vec<Placed> {
    let columns: u16 = match app.grid.size {
        Size::Wide => 3,
        Size::Medium => 2,
        _ => 1,
    };
    let pitch = width.saturating_sub(2) / columns;
    let mut out = Vec::new();
    let mut heights = vec![0u16; usize::from(columns)];
    for (group, lines) in help::groups(app) {
        // Each group goes where the sheet is shortest, so that the columns end together.
        let column = (0..heights.len()).min_by_key(|c| heights[*c]).unwrap_or(0);
        let x = 2 + column as u16 * pitch;
        let block = block(x, x + pitch - 2, group.title(), &lines);
        let height = block.iter().map(|p| p.y + 1).max().unwrap_or(0);
        out.extend(block.into_iter().map(|p| Placed { y: p.y + heights[column], ..p }));
        heights[column] += height + 1;
    }
    let column = (0..heights.len()).min_by_key(|c| heights[*c]).unwrap_or(0);
    let x = 2 + column as u16 * pitch;
    out.extend(reading(x, x + pitch - 2, heights[column]));
    let y = out.iter().map(|p| p.y + 1).max().unwrap_or(0);
    out.extend(numbers(app, width.saturating_sub(1), y + 1));
    out
}

fn block(x: u16, end: u16, title: &str, lines: &[Line]) -> Vec<Placed> {
    let mut out = vec![heading(x, 0, end, title)];
    let room = usize::from(end.saturating_sub(x + KEYS));
    for line in lines {
        // Keys of other places are listed too, quietly: the table is one.
        let key_role = if line.here { Role::Key } else { Role::Dim };
        for (i, says) in text::wrap(line.does, room).into_iter().enumerate() {
            let key = if i == 0 { text::cut(&line.keys, usize::from(KEYS) - 1) } else { String::new() };
            out.push(Placed { x, y: out.len() as u16, end, key, key_role, says });
        }
    }
    out
}

fn heading(x: u16, y: u16, end: u16, title: &str) -> Placed {
    Placed { x, y, end, key: title.to_uppercase(), key_role: Role::Strong, says: String::new() }
}

/// How signs are read.
fn reading(x: u16, end: u16, y: u16) -> Vec<Placed> {
    let mut out = vec![heading(x, y, end, "READING THE SCREEN")];
    let mut y = y + 1;
    for (sign, says) in help::READING {
        let key_role = match *sign {
            "▅▆▇" => Role::Ser,
            "▁" => Role::Faint,
            "blind" | "·" => Role::Stale,
            "│" => Role::Accent,
            "!" => Role::Bad,
            _ => Role::Text,
        };
        for (i, line) in text::wrap(says, usize::from(end.saturating_sub(x + KEYS))).into_iter().enumerate() {
            let key = if i == 0 { (*sign).to_owned() } else { String::new() };
            out.push(Placed { x, y, end, key, key_role, says: line });
            y += 1;
        }
    }
    out
}

/// How numbers are read, with the instants and limits of this incident.
fn numbers(app: &App, end: u16, y: u16) -> Vec<Placed> {
    let x = 2;
    let rules = &app.store.incident.rules;
    let zone = &app.store.incident.zone;
    let onset = app.derived.spike.as_ref().map_or_else(String::new, |s| format!(", {}", zone.hm(s.onset)));
    let (stuck, settle) = (super::number::span(rules.stuck_after), super::number::span(rules.settle_after));
    let mut out = vec![heading(x, y, end, "NUMBERS")];
    let mut y = y + 1;
    for says in [
        format!(
            "Times are {} (UTC{:+}). T+ counts from the onset{onset}. An age beside a number is how old the measurement is.",
            zone.name,
            zone.east / 3600
        ),
        format!(
            "stuck: ACTIVE for more than {stuck}. settling: paid less than {settle} ago. at risk: charged at UPG, not at HO."
        ),
    ] {
        for line in text::wrap(&says, usize::from(end.saturating_sub(x))) {
            out.push(Placed { x, y, end, key: line, key_role: Role::Dim, says: String::new() });
            y += 1;
        }
    }
    out
}
