//! Connections by state against what is usable, as one stacked bar with its legend.

use super::Shown;
use crate::app::grid::Size;
use crate::model::database::DbSample;
use crate::view::canvas::{Canvas, Focus, Run, dim, run};
use crate::view::list::Runs;
use crate::view::look::Role;
use crate::view::number;

/// One state of the bar.
struct Part {
    glyph: char,
    sessions: u32,
    role: Role,
    name: &'static str,
}

fn parts(sample: &DbSample) -> [Part; 5] {
    let s = &sample.states;
    let waiting = if s.lock_waiting > 0 { Role::Bad } else { Role::Dim };
    [
        Part { glyph: '█', sessions: s.running, role: Role::Ser, name: "running" },
        Part { glyph: '▓', sessions: s.lock_waiting, role: waiting, name: "waiting on a lock" },
        Part { glyph: '▒', sessions: s.idle_in_transaction, role: Role::Hot, name: "idle in transaction" },
        Part { glyph: '░', sessions: s.idle, role: Role::Dim, name: "idle" },
        Part { glyph: '·', sessions: s.other, role: Role::Stale, name: "state not visible to us" },
    ]
}

/// Draws heading, bar and legend; gives back the row of the next panel.
pub fn draw(db: &Shown<'_>, sample: &DbSample, canvas: &mut Canvas<'_>, y: u16) -> u16 {
    let grid = &db.app.grid;
    let (x, chart_end) = grid.chart;
    let used = sample.states.used();
    let usable = Shown::usable(sample);
    if grid.size == Size::Narrow {
        canvas.right(grid.value_end, y, &format!("{used}/{usable} used"), db.role(used_role(used, usable)));
    } else {
        canvas.head(grid.left, y, x, "CONNECTIONS", "", Focus::Away);
        let end = grid.worst_end.or(grid.normal_end).unwrap_or(grid.value_end).saturating_sub(1);
        canvas.right(end, y, &format!("{used} of {usable}"), db.role(used_role(used, usable)));
    }
    let parts = parts(sample);
    bar(db, canvas, &parts, (x, chart_end), y, used.max(usable).max(1));
    legend(db, canvas, &parts, y + 1);
    if let (Size::Wide, Some((side, end))) = (grid.size, grid.side) {
        canvas.runs(
            side,
            y,
            end,
            &[dim(format!("usable {usable} = {} − {} reserved", sample.max_connections, sample.reserved))],
        );
        canvas.runs(side, y + 1, end, &held(db, sample));
    }
    y + 3
}

const fn used_role(used: u32, usable: u32) -> Role {
    // 95 % of what is usable is broken: the next burst is refused.
    match (used * 100).checked_div(usable) {
        Some(p) if p >= 95 => Role::Bad,
        Some(p) if p >= 80 => Role::Warn,
        _ => Role::Strong,
    }
}

fn bar(db: &Shown<'_>, canvas: &mut Canvas<'_>, parts: &[Part], (x, end): (u16, u16), y: u16, whole: u32) {
    let cells = u64::from(end.saturating_sub(x));
    let column = |n: u32| ((u64::from(n) * cells * 2 + u64::from(whole)) / (2 * u64::from(whole))) as u16;
    let mut sum = 0;
    for p in parts {
        let (from, to) = (column(sum), column(sum + p.sessions));
        sum += p.sessions;
        let text: String = std::iter::repeat_n(p.glyph, usize::from(to.saturating_sub(from))).collect();
        canvas.fit(x + from, y, end, &text, db.role(p.role));
    }
}

fn legend(db: &Shown<'_>, canvas: &mut Canvas<'_>, parts: &[Part], y: u16) {
    let grid = &db.app.grid;
    let narrow = grid.size == Size::Narrow;
    let mut runs: Runs = Vec::new();
    // A state nobody is in is left out, but for the four that every reader looks for.
    for (i, p) in parts.iter().enumerate().filter(|(i, p)| *i < 4 || p.sessions > 0) {
        if i > 0 {
            runs.push(dim(if narrow { "  " } else { "   " }));
        }
        let name = match (narrow, p.name) {
            (true, "waiting on a lock") => "on a lock",
            (true, "idle in transaction") => "idle in tx",
            (true, "state not visible to us") => "not visible",
            (_, name) => name,
        };
        runs.push(run(db.role(p.role), p.glyph.to_string()));
        runs.push(super::value(db, format!(" {}", p.sessions)));
        runs.push(dim(format!(" {name}")));
    }
    let x = if narrow { grid.left } else { grid.chart.0 };
    if !narrow {
        canvas.runs(grid.left, y, x, &[dim(normal(db))]);
    }
    canvas.runs(x, y, if grid.size == Size::Wide { grid.chart.1 } else { canvas.width().saturating_sub(1) }, &runs);
}

/// Connections in the baseline: from the lane when there is one, else from the look of that minute.
fn normal(db: &Shown<'_>) -> String {
    let series = format!("{}.connections", db.name);
    let lane = db.app.store.incident.lanes.iter().position(|l| *l.series == *series);
    let level = lane.and_then(|i| db.app.derived.lanes.get(i)?.normal);
    let level = level.or_else(|| db.normal.map(|n| f64::from(n.states.used())));
    level.map_or("no baseline".to_owned(), |n| format!("normal {}", number::count(n.round() as i64)))
}

fn held<'a>(db: &Shown<'_>, sample: &DbSample) -> Vec<Run<'a>> {
    let used = sample.states.used();
    let share = (sample.states.idle_in_transaction * 100).checked_div(used).unwrap_or(0);
    let role = if share >= 20 { Role::Warn } else { Role::Text };
    vec![run(db.role(role), format!("{share} %")), dim(" held open, doing nothing")]
}
