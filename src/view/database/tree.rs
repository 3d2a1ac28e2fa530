//! The blocking tree as a list: roots first, waiters below whom they wait for, in queue order.

use super::Shown;
use super::lock::{lock_name, state_of};
use crate::analysis::blocking::{self, Row};
use crate::analysis::pattern::family;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::Untrusted;
use crate::model::database::{DbSample, Session};
use crate::view::canvas::{Canvas, Column, Focus, dim, left, plain, right, run, strong};
use crate::view::list::{self, Runs, kept};
use crate::view::look::Role;
use crate::view::{moment, number, text};
use std::collections::BTreeSet;

/// Draws the panel between `y` and `end`; gives back the row of the next panel.
pub fn draw(
    db: &Shown<'_>,
    sample: &DbSample,
    canvas: &mut Canvas<'_>,
    (x, right): (u16, u16),
    y: u16,
    end: u16,
) -> u16 {
    let tree = &db.app.derived.tree;
    let cycle = if tree.cycle { " · a circle: the server will end one of them" } else { "" };
    let remark = match (tree.waiting, tree.roots) {
        (0, _) => String::new(),
        (w, r) => format!("{w} wait · {} · as pg_blocking_pids had it{cycle}", number::plural(r, "root", "roots")),
    };
    canvas.head_apart(x, y, right, "BLOCKING TREE", &remark, db.focus(Panel::Tree));
    let mut y = y + 1;
    if tree.rows.is_empty() {
        let waiting = sample.states.lock_waiting;
        let says = if waiting > 0 {
            // Counted, but gone by the time the sessions were read, or not visible to our role.
            &format!(
                "{} for a lock by the server's count; the look names none of them",
                number::plural(waiting as usize, "session waits", "sessions wait")
            )
        } else if db.stale {
            "nobody waited for a lock then"
        } else {
            "nobody waits for a lock"
        };
        canvas.fit(x, y, right, says, db.role(Role::Dim));
        return y + 2;
    }
    let columns = columns(db.app.grid.size, right.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    y += 1;
    let rows = db.app.rows_in(Panel::Tree);
    let lines = lines(&tree.rows);
    let at = lines.iter().position(|l| *l == Some(rows.focus)).unwrap_or(0);
    let room = usize::from(end.saturating_sub(y + if db.app.grid.size == Size::Narrow { 2 } else { 3 }));
    let shown = list::visible(lines.len(), room, 0, at);
    let below = lines.get(shown.end..).unwrap_or_default().iter().flatten().count();
    for line in lines.get(shown).unwrap_or_default() {
        if let Some((i, row)) = line.and_then(|i| Some((i, tree.rows.get(i)?))) {
            canvas.table_row(x, y, &columns, &cells(db, sample, row, canvas));
            if i == rows.focus && matches!(db.focus(Panel::Tree), Focus::Here(_)) {
                canvas.focus_row(x, y, right, moment::accent(db.app));
            }
        }
        y += 1;
    }
    sentence(db, sample, canvas, (x, right), y, below) + 1
}

/// What is focused, in one sentence; how many rows are not visible.
fn sentence(
    db: &Shown<'_>,
    sample: &DbSample,
    canvas: &mut Canvas<'_>,
    (x, right): (u16, u16),
    y: u16,
    below: usize,
) -> u16 {
    let tree = &db.app.derived.tree;
    let focus = db.app.rows_in(Panel::Tree).focus;
    // The root above the focused row explains the rows below it.
    let root = tree.rows.iter().take(focus + 1).rposition(|r| r.depth == 0).and_then(|i| tree.rows.get(i));
    let said = root.map_or(String::new(), |r| blocking::sentence(sample, r.session, db.at));
    let said = canvas.shown(&Untrusted::from(said));
    let more = if below > 0 { format!("… {below} more below   ") } else { String::new() };
    let lines = text::wrap(&format!("{more}{said}"), usize::from(right.saturating_sub(x)));
    let most = if db.app.grid.size == Size::Narrow { 1 } else { 2 };
    let mut y = y;
    for (i, line) in lines.iter().take(most).enumerate() {
        let rest = if i + 1 == most { lines.get(i..).unwrap_or_default().join(" ") } else { line.clone() };
        canvas.fit(x, y, right, &rest, db.role(Role::Dim));
        y += 1;
    }
    y
}

/// Rows with a blank one between the trees of two roots.
fn lines(rows: &[Row]) -> Vec<Option<usize>> {
    let mut out = Vec::with_capacity(rows.len() + 4);
    for (i, row) in rows.iter().enumerate() {
        if row.depth == 0 && i > 0 {
            out.push(None);
        }
        out.push(Some(i));
    }
    out
}

/// The statement gives way first, then what is held and wanted.
fn columns(size: Size, total: u16) -> Vec<Column> {
    if size == Size::Narrow {
        let state = 24;
        return vec![
            left("pid", 20),
            right("waits", 7),
            left("in state", state),
            left("application", total.saturating_sub(20 + 7 + state + 6)),
        ];
    }
    let fixed = 16 + 6 + 20 + 12 + 4 * 2;
    let rest = total.saturating_sub(fixed);
    let holds = 38.min(rest);
    let statement = rest.saturating_sub(holds + 2);
    let mut out = vec![
        left("pid", 16),
        right("waits", 6),
        left("in state", 20),
        left("application", 12),
        left("holds → wants", holds),
    ];
    if statement >= 12 {
        out.push(left("statement", statement));
    }
    out
}

fn cells(db: &Shown<'_>, sample: &DbSample, row: &Row, canvas: &Canvas<'_>) -> Vec<Runs> {
    let Some(session) = sample.sessions.get(row.session) else { return unseen(row) };
    let waits = row.waits.map_or_else(|| dim(number::NOTHING), |w| plain(number::duration(w)));
    let root = row.depth == 0;
    let state = if root { Role::Text } else { Role::Dim };
    let out = vec![
        pid(row, session),
        vec![waits],
        vec![run(state, state_of(session))],
        application(sample, row, session, canvas),
        locks(row, session, canvas),
        canvas.outside(&text::flat(&session.query), Role::Text),
    ];
    out.into_iter().map(|runs| kept(runs, db.stale)).collect()
}

/// A blocker that no look shows: the sentence below says why.
fn unseen(row: &Row) -> Vec<Runs> {
    let pid = if row.pid == 0 { "prepared".to_owned() } else { row.pid.to_string() };
    let blocks = dim(format!("  blocks {}", row.blocks));
    vec![vec![strong(pid), blocks], vec![dim(number::NOTHING)], vec![dim("not among the sessions")]]
}

fn pid(row: &Row, session: &Session) -> Runs {
    let mut guides = String::new();
    let own = row.guides.len().saturating_sub(1);
    for (level, more) in row.guides.iter().enumerate() {
        guides.push_str(match (level == own, more) {
            (true, true) => "├ ",
            (true, false) => "└ ",
            (false, true) => "│ ",
            (false, false) => "  ",
        });
    }
    let mut out = vec![dim(guides)];
    if row.folded.len() > 1 {
        out.extend([strong(format!("{} sessions", row.folded.len())), dim(" ▸")]);
        return out;
    }
    out.push(strong(if row.pid == 0 { "prepared".to_owned() } else { session.pid.to_string() }));
    if row.depth == 0 && row.blocks > 0 {
        out.push(dim(format!("  blocks {}", row.blocks)));
    }
    out
}

/// The application, of a fold with how many.
fn application(sample: &DbSample, row: &Row, session: &Session, canvas: &Canvas<'_>) -> Runs {
    if row.folded.len() < 2 {
        return canvas.outside(&session.application, Role::Text);
    }
    let names = row
        .folded
        .iter()
        .filter_map(|i| sample.sessions.get(*i))
        .map(|s| family(&canvas.shown(&s.application)).to_owned());
    let names: BTreeSet<String> = names.collect();
    match names.first() {
        Some(one) if names.len() == 1 => {
            let count = format!(" ×{}", row.folded.len());
            let name = text::cut(one, 12usize.saturating_sub(text::width(&count)));
            vec![plain(name), plain(count)]
        }
        _ => vec![plain(format!("{} names", names.len()))],
    }
}

/// A root's locks; of a waiter what it wants first, then what it holds itself.
fn locks(row: &Row, session: &Session, canvas: &Canvas<'_>) -> Runs {
    let role = if row.depth == 0 { Role::Text } else { Role::Dim };
    let mut out: Runs = Vec::new();
    if let Some(lock) = &session.wants {
        out.push(run(role, if row.folded.len() > 1 { "want " } else { "wants " }));
        out.extend(canvas.outside(&lock_name(lock), role));
    }
    // The locks of folded sessions are not the same; what one of them holds says nothing of the others.
    if row.folded.len() > 1 || session.holds.is_empty() {
        return out;
    }
    out.push(run(role, if out.is_empty() { "holds " } else { " ← holds " }));
    for (i, lock) in session.holds.iter().enumerate() {
        if i > 0 {
            out.push(run(role, ", "));
        }
        out.extend(canvas.outside(&lock_name(lock), role));
    }
    out
}
