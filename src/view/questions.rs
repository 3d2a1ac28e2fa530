//! The note's questions to people, with their answers: for whom, what, what was said, by whom and when.

use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::note::Question;
use crate::view::canvas::{Canvas, Column, Focus, dim, left, plain, run};
use crate::view::list::{Runs, visible};
use crate::view::look::Role;
use crate::view::{chrome, moment, text};

/// Draws the list, and the focused question whole below it.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let (y, end) = (chrome::body_top(app), chrome::body_end(app));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let all = &app.note.questions;
    if all.is_empty() {
        crate::view::nothing(
            canvas,
            app,
            "the note asks no question; a sentence that ends in ? is one, a checkbox is not",
        );
        return;
    }
    let open = all.iter().filter(|q| q.answers.is_empty()).count();
    let says = format!("{open} of {} open; A answers, and a time in an answer becomes a mark", all.len());
    canvas.head(x, y, end_x, "QUESTIONS TO PEOPLE", &says, Focus::Here(moment::accent(app)));
    let columns = columns(app.grid.size, end_x.saturating_sub(x));
    canvas.table_head(x, y + 1, &columns);
    let rows = app.rows_in(Panel::Questions);
    let below = 8.min(end.saturating_sub(y) / 3);
    let room = usize::from(end.saturating_sub(y + 2 + below)).max(1);
    let mut next = y + 2;
    for i in visible(all.len(), room, rows.top, rows.focus) {
        let Some(question) = app.question(i) else { continue };
        canvas.table_row(x, next, &columns, &cells(app, question, canvas));
        if i == rows.focus {
            canvas.focus_row(x, next, end_x, moment::accent(app));
        }
        next += 1;
    }
    if let Some(question) = app.question(rows.focus) {
        whole(canvas, question, (x, end_x), next + 1, end);
    }
}

fn columns(size: Size, total: u16) -> Vec<Column> {
    let (group, question) = match size {
        Size::Wide => (18, 66),
        Size::Medium => (12, 48),
        Size::Narrow | Size::Tiny => (0, 40),
    };
    let answer = left("answer", total.saturating_sub(group + question + 6));
    if group == 0 {
        return vec![left("", 2), left("question", question), answer];
    }
    vec![left("", 2), left("for", group), left("question", question), answer]
}

fn cells(app: &App, q: &Question, canvas: &Canvas<'_>) -> Vec<Runs> {
    let sign = if q.answers.is_empty() { run(Role::Warn, "?") } else { run(Role::Ok, "✓") };
    let answer = q.answers.last().map_or_else(|| vec![dim("open")], |a| canvas.outside(&a.text, Role::Text));
    let words = canvas.outside(&q.text, Role::Strong);
    match app.grid.size {
        Size::Narrow | Size::Tiny => vec![vec![sign], words, answer],
        _ => vec![vec![sign], canvas.outside(&q.group, Role::Dim), words, answer],
    }
}

/// The question over as many lines as it needs, and all its answers.
fn whole(canvas: &mut Canvas<'_>, q: &Question, (x, end_x): (u16, u16), y: u16, end: u16) {
    if y + 1 >= end {
        return;
    }
    let group = canvas.shown(&q.group);
    let mut y = canvas.head(x, y, end_x, "ASKED", &format!("{group}, line {} of the note", q.line), Focus::Away);
    let width = usize::from(end_x.saturating_sub(x));
    for line in text::wrap(&canvas.shown(&q.text), width) {
        if y >= end {
            return;
        }
        canvas.fit(x, y, end_x, &line, Role::Strong);
        y += 1;
    }
    if q.answers.is_empty() && y < end {
        canvas.fit(x, y, end_x, "nobody has answered yet", Role::Dim);
    }
    for answer in q.answers.iter().rev() {
        let says = format!("{}: {}", canvas.shown(&answer.given), canvas.shown(&answer.text));
        for (i, line) in text::wrap(&says, width.saturating_sub(2)).into_iter().enumerate() {
            if y >= end {
                return;
            }
            let lead = if i == 0 { run(Role::Ok, "✓ ") } else { plain("  ") };
            canvas.runs(x, y, end_x, &[lead, plain(line)]);
            y += 1;
        }
    }
}
