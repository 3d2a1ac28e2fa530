//! The checks of a hypothesis, and the checkboxes of any other section of the note, each with what was
//! measured, the rule, the verdict, the evidence in full and the exact change a tick would write.

mod change;
mod evidence;
mod section;

use crate::analysis::check::{Check, Finding};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::note::{Item, ItemId};
use crate::model::{Lapse, Untrusted};
use crate::view::canvas::{Canvas, Column, dim, left, plain, right, run, strong};
use crate::view::hypotheses;
use crate::view::list::{Runs, spark, visible};
use crate::view::look::Role;
use crate::view::trail::verdict as sign_of;
use crate::view::{chrome, moment, number, strip};
pub use section::draw as draw_section;

/// Draws a hypothesis by its number in the note.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, number: u32) {
    hypotheses::scope(app, canvas);
    let mut y = strip::draw(app, canvas, &["pool in use", "stuck, by birth"], &hypotheses::notes(app));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    let Some(finding) = app.derived.findings.hypotheses.iter().find(|f| f.number == number) else {
        canvas.fit(x, y, end_x, &format!("the note has no hypothesis {number} at this instant"), Role::Dim);
        return;
    };
    y = title(app, canvas, finding, (x, end_x), y);
    if app.zoomed
        && let Some(check) = finding.checks.get(app.rows_in(Panel::Checks).focus)
    {
        canvas.runs(x, y, end_x, &canvas.outside(&check.title, Role::Strong));
        evidence::panels(app, canvas, Some(check), None, (x, end_x), y + 2, end);
        return;
    }
    let columns = columns(app, end_x.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    if app.grid.size == Size::Wide {
        let (zone, span) = (&app.store.incident.zone, app.scope());
        let spark_x = x + columns.iter().take(6).map(|c| c.width + 2).sum::<u16>();
        canvas.fit(spark_x, y, spark_x + 24, &format!("{} – {}", zone.hm(span.from), zone.hm(span.to)), Role::Dim);
    }
    y += 1;
    let rows = app.rows_in(Panel::Checks);
    let len = finding.checks.len();
    let room =
        usize::from(end.saturating_sub(y)).saturating_sub(if app.grid.size == Size::Narrow { 4 } else { 8 }).max(3);
    for i in visible(len, room, rows.top, rows.focus) {
        let Some(check) = finding.checks.get(i) else { continue };
        canvas.table_row(x, y, &columns, &cells(app, check, canvas));
        if i == rows.focus {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += 1;
    }
    if len == 0 {
        canvas.fit(
            x,
            y,
            end_x,
            "no checkbox stands under this hypothesis, and no check of warroom's own feeds it",
            Role::Dim,
        );
        y += 1;
    }
    sum(canvas, finding, &columns, x, y);
    evidence::panels(app, canvas, finding.checks.get(rows.focus), None, (x, end_x), y + 2, end);
}

/// Number, title, prior, score, verdict; the note's own reasoning at the right.
fn title(app: &App, canvas: &mut Canvas<'_>, f: &Finding, (x, end_x): (u16, u16), y: u16) -> u16 {
    let mut runs = vec![strong(format!("H{} ", f.number))];
    runs.extend(canvas.outside(&f.title, Role::Strong));
    runs.push(dim("   prior "));
    runs.extend(canvas.outside(&f.priority, Role::Text));
    runs.push(plain(format!(" {}", number::score(f.prior))));
    runs.push(dim("   score "));
    runs.push(strong(number::score(f.score)));
    runs.push(run(hypotheses::verdict_role(f.verdict), format!("   {}", f.verdict)));
    let next = app
        .derived
        .findings
        .hypotheses
        .iter()
        .filter(|o| o.number != f.number)
        .max_by(|a, b| a.score.total_cmp(&b.score));
    if let Some(next) = next {
        runs.push(dim(format!("   next H{} {}", next.number, number::score(next.score))));
    }
    let after = canvas.runs(x, y, end_x, &runs);
    let reasoning = app.note.hypotheses.iter().find(|h| h.number == f.number).map(|h| canvas.shown(&h.reasoning));
    if let Some(reasoning) = reasoning.filter(|_| app.grid.size == Size::Wide) {
        let room = usize::from(end_x.saturating_sub(after + 4));
        canvas.right(end_x, y, &crate::view::text::cut(&reasoning, room), Role::Dim);
    }
    if app.grid.size == Size::Narrow { y + 1 } else { y + 2 }
}

fn columns(app: &App, total: u16) -> Vec<Column> {
    match app.grid.size {
        Size::Wide => vec![
            left("", 3),
            left("check of the note", 38),
            left("measured", 38),
            left("rule: supports when", 46),
            left("verdict", 14),
            right("score", 5),
            left("", 24),
            right("age", 5),
            left("id", 4),
        ],
        Size::Medium => vec![
            left("", 3),
            left("check of the note", 34),
            left("measured", total.saturating_sub(3 + 34 + 14 + 5 + 5 + 4 + 12)),
            left("verdict", 14),
            right("score", 5),
            right("age", 5),
            left("id", 4),
        ],
        Size::Narrow | Size::Tiny => {
            vec![
                left("", 3),
                left("check of the note", 26),
                left("measured", total.saturating_sub(3 + 26 + 14 + 5 + 8)),
                left("verdict", 14),
                right("score", 5),
            ]
        }
    }
}

/// The checkbox as in the note; checks of warroom's own have none.
fn tick_box(item: Option<&Item>) -> Runs {
    match item {
        Some(i) if i.ticked => vec![plain("[x]")],
        Some(_) => vec![plain("[ ]")],
        None => vec![dim("·")],
    }
}

fn item<'a>(app: &'a App, id: &ItemId) -> Option<&'a Item> {
    app.note.items.iter().find(|i| i.id == *id)
}

/// The verdict with its sign; a person's own stands with `v`, the measured one is in the evidence.
fn verdict(check: &Check) -> Runs {
    let (sign, role, words) = sign_of(check.verdict);
    if check.overridden.is_some() {
        return vec![strong("v "), run(role, words)];
    }
    if check.stale {
        return vec![run(Role::Stale, format!("~ {words}"))];
    }
    vec![run(role, format!("{sign} {words}"))]
}

fn measured(check: &Check, canvas: &Canvas<'_>) -> Runs {
    if check.measured.is_empty() {
        return canvas.outside(&Untrusted::from(check.missing.as_str()), Role::Stale);
    }
    canvas.outside(&Untrusted::from(check.measured.as_str()), Role::Text)
}

fn signed(score: f64) -> crate::view::canvas::Run<'static> {
    match number::score(score) {
        zero if zero == "0.0" => dim(zero),
        text if score > 0.0 => strong(format!("+{text}")),
        text => strong(text),
    }
}

fn cells(app: &App, check: &Check, canvas: &Canvas<'_>) -> Vec<Runs> {
    let item = check.item.as_ref().and_then(|id| item(app, id));
    let title = canvas.outside(&check.title, if item.is_some() { Role::Strong } else { Role::Text });
    let rule = canvas.outside(&Untrusted::from(check.rule.as_str()), Role::Dim);
    let age = vec![dim(check.asof.map_or(number::NOTHING.to_owned(), |t| number::age(app.at().since(t))))];
    let id = vec![dim(check.id.clone())];
    let mut out = vec![tick_box(item), title, measured(check, canvas)];
    match app.grid.size {
        Size::Wide => out.extend([
            rule,
            verdict(check),
            vec![signed(check.score)],
            vec![run(Role::Hot, trend(app, check))],
            age,
            id,
        ]),
        Size::Medium => out.extend([verdict(check), vec![signed(check.score)], age, id]),
        Size::Narrow | Size::Tiny => out.extend([verdict(check), vec![signed(check.score)]]),
    }
    out
}

/// The check's series over the window in 24 stretches, the largest value of each.
fn trend(app: &App, check: &Check) -> String {
    let span = app.scope();
    let Some(series) = check.spark.as_ref().and_then(|s| app.store.series(s)) else { return String::new() };
    let step = Lapse((span.length().0 / 24).max(1));
    let at = app.at();
    let values: Vec<Option<f64>> = series
        .columns(span.from, step, 24)
        .into_iter()
        .enumerate()
        .map(|(i, b)| b.filter(|_| span.from + step.times(i as i64) <= at).map(|b| b.max))
        .collect();
    let top = values.iter().flatten().fold(0.0_f64, |a, b| a.max(*b));
    let low = values.iter().flatten().fold(0.0_f64, |a, b| a.min(*b));
    spark(&values, low, if top > low { top } else { low + 1.0 })
}

/// Prior and total under the scores: they add up where everybody can see it.
fn sum(canvas: &mut Canvas<'_>, f: &Finding, columns: &[Column], x: u16, y: u16) {
    let Some(score) = columns.iter().position(|c| c.title == "score") else { return };
    let end = x + columns.iter().take(score + 1).map(|c| c.width + 2).sum::<u16>() - 2;
    canvas.runs_right(
        x,
        end,
        y,
        &[dim(format!("prior {}   ", number::score(f.prior))), strong(number::score(f.score))],
    );
}
