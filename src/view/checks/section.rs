//! A phase, an area or another section of the note: its checkboxes, each with what the checks say of it.

use super::{evidence, item, measured, tick_box, verdict};
use crate::analysis::check::Check;
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::note::ItemId;
use crate::view::canvas::{Canvas, Column, Focus, dim, left, run, strong};
use crate::view::hypotheses;
use crate::view::list::{Runs, visible};
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip};

/// Draws a section by its index over phases, areas and others.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, index: usize) {
    hypotheses::scope(app, canvas);
    let mut y = strip::draw(app, canvas, &["pool in use", "stuck, by birth"], &hypotheses::notes(app));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    let Some(section) = app.section(index) else {
        canvas.fit(x, y, end_x, "the note has no such section at this instant", Role::Dim);
        return;
    };
    let done = section.items.iter().filter_map(|i| app.note.items.get(*i)).filter(|i| i.ticked).count();
    let mut title = vec![strong(section.number.map_or(String::new(), |n| format!("{n} ")))];
    title.extend(canvas.outside(&section.title, Role::Strong));
    title.push(dim("   "));
    title.extend(canvas.outside(&section.priority, Role::Text));
    title.push(dim(format!("   {done} of {} ticked", section.items.len())));
    canvas.gutter(x.saturating_sub(1), y, moment::accent(app));
    canvas.runs(x, y, end_x, &title);
    y += if app.grid.size == Size::Narrow { 1 } else { 2 };
    let ids: Vec<ItemId> = app.section_items().map(|i| i.id.clone()).collect();
    if ids.is_empty() {
        canvas.fit(x, y, end_x, "no checkbox stands under this heading", Role::Dim);
        return;
    }
    if app.zoomed
        && let Some(id) = ids.get(app.rows_in(Panel::Items).focus)
    {
        let words = item(app, id).map_or_else(Vec::new, |i| canvas.outside(&i.text, Role::Strong));
        canvas.runs(x, y, end_x, &words);
        evidence::panels(app, canvas, answer(app, id), Some(id), (x, end_x), y + 2, end);
        return;
    }
    let columns = columns(app.grid.size, end_x.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    y += 1;
    let rows = app.rows_in(Panel::Items);
    let room = usize::from(end.saturating_sub(y)).saturating_sub(7).max(3);
    for i in visible(ids.len(), room, rows.top, rows.focus) {
        let Some(id) = ids.get(i) else { continue };
        canvas.table_row(x, y, &columns, &cells(app, id, canvas));
        if i == rows.focus {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += 1;
    }
    let focused = ids.get(rows.focus);
    let check = focused.and_then(|id| answer(app, id));
    if check.is_none() && y + 1 < end {
        canvas.head(x, y + 1, end_x, "EVIDENCE", "no check answers this one: it needs a person", Focus::Away);
        y += 1;
    }
    evidence::panels(app, canvas, check, focused, (x, end_x), y + 1, end);
}

/// The check that answers a checkbox, of a hypothesis or outside.
fn answer<'a>(app: &'a App, id: &ItemId) -> Option<&'a Check> {
    let findings = &app.derived.findings;
    let mut checks = findings.others.iter().chain(findings.hypotheses.iter().flat_map(|f| &f.checks));
    checks.find(|c| c.item.as_ref() == Some(id))
}

fn columns(size: Size, total: u16) -> Vec<Column> {
    match size {
        Size::Narrow | Size::Tiny => {
            vec![left("", 3), left("checkbox", 34), left("answer", total.saturating_sub(3 + 34 + 4))]
        }
        _ => vec![
            left("", 3),
            left("checkbox", if size == Size::Wide { 58 } else { 44 }),
            left("verdict", 14),
            left("answer", total.saturating_sub(3 + if size == Size::Wide { 58 } else { 44 } + 14 + 5 + 4 + 10)),
            left("age", 5),
            left("id", 4),
        ],
    }
}

fn cells(app: &App, id: &ItemId, canvas: &Canvas<'_>) -> Vec<Runs> {
    let item = item(app, id);
    let check = answer(app, id);
    let words = item.map_or_else(Vec::new, |i| canvas.outside(&i.text, Role::Strong));
    let says = check.map_or_else(|| vec![dim("needs a person")], |c| measured(c, canvas));
    if app.grid.size == Size::Narrow {
        return vec![tick_box(item), words, says];
    }
    let verdict = check.map_or_else(|| vec![run(Role::Dim, number::NOTHING)], verdict);
    let age = check.and_then(|c| c.asof).map_or(String::new(), |t| number::age(app.at().since(t)));
    vec![tick_box(item), words, verdict, says, vec![dim(age)], vec![dim(check.map_or(String::new(), |c| c.id.clone()))]]
}
