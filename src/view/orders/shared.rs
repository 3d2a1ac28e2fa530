//! What the stuck orders share, tested; and the note's questions with their answers.

use crate::analysis::check::Check;
use crate::analysis::reconcile::shared::{CHANCE, FEWEST, LIFT};
use crate::analysis::reconcile::{Bad, SharedTrait};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::note::Item;
use crate::view::canvas::{Canvas, Column, Focus, dim, left, plain, right, run, strong};
use crate::view::list::{Runs, bar, visible};
use crate::view::look::Role;
use crate::view::{moment, number};

/// Draws the traits between `y` and `end`; gives back the row of the next panel.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    if y + 2 > end {
        return end;
    }
    let focused = app.panel() == Panel::Traits;
    let focus = if focused { Focus::Here(moment::accent(app)) } else { Focus::Away };
    let title = format!("WHAT {} SHARE", whom(app));
    let remark = if app.grid.size == Size::Wide {
        format!("named from lift {LIFT}, n {FEWEST} and p {CHANCE} (Holm) on")
    } else {
        format!("named from lift {LIFT}, p {CHANCE}")
    };
    let mut y = canvas.head(x, y, end_x, &title, &remark, focus);
    let traits = &app.derived.shared;
    if traits.is_empty() {
        let says = if counted(app) == 0 {
            "no such order: there is nothing to compare"
        } else {
            "nothing compared yet: service type, method and region of the rows, and columns you name"
        };
        canvas.fit(x, y, end_x, says, Role::Dim);
        return y + 2;
    }
    let columns = columns(app.grid.size);
    canvas.table_head(x, y, &columns);
    y += 1;
    let rows = app.rows_in(Panel::Traits);
    for i in visible(traits.len(), usize::from(end.saturating_sub(y)), rows.top, rows.focus) {
        let Some(t) = traits.get(i) else { continue };
        canvas.table_row(x, y, &columns, &cells(app.grid.size, t, canvas));
        if focused && i == rows.focus {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += 1;
    }
    y + 1
}

/// How many bad ones there are.
fn counted(app: &App) -> usize {
    let standing = &app.derived.standing;
    match app.segments_of {
        Bad::Stuck => standing.stuck,
        Bad::NotAtHo => standing.not_at_ho,
        Bad::Class(class) => standing.classes.iter().find(|c| c.class == class).map_or(0, |c| c.orders),
    }
}

fn whom(app: &App) -> String {
    let n = number::count(counted(app) as i64);
    match app.segments_of {
        Bad::Stuck => format!("THE {n} STUCK"),
        Bad::NotAtHo => format!("THE {n} NOT AT HO"),
        Bad::Class(class) => format!("THE {n} “{}”", class.card().map_or("of no class", |c| c.name)),
    }
}

fn columns(size: Size) -> Vec<Column> {
    match size {
        Size::Wide => vec![
            left("trait", 14),
            left("value", 22),
            right("stuck", 7),
            right("of stuck", 8),
            right("of all", 8),
            right("bad in", 7),
            right("bad out", 7),
            right("lift", 5),
            left("", 14),
            right("p", 8),
            left("verdict", 60),
        ],
        Size::Medium => vec![
            left("trait", 12),
            left("value", 20),
            right("stuck", 6),
            right("of stuck", 8),
            right("of all", 7),
            right("lift", 5),
            right("p", 7),
            left("verdict", 30),
        ],
        Size::Narrow | Size::Tiny => {
            vec![
                left("trait", 8),
                left("value", 18),
                right("stuck", 6),
                right("of stuck", 8),
                right("lift", 5),
                left("verdict", 24),
            ]
        }
    }
}

fn cells(size: Size, t: &SharedTrait, canvas: &Canvas<'_>) -> Vec<Runs> {
    let strongly = t.lift >= LIFT;
    let role = if strongly { Role::Strong } else { Role::Text };
    let name = vec![dim(t.name.to_string())];
    let value = canvas.outside(&t.value, role);
    let stuck = vec![plain(number::count(t.stuck as i64))];
    let of_stuck = vec![plain(format!("{:.1} %", t.of_stuck))];
    let of_all = vec![dim(format!("{:.1} %", t.of_all))];
    let lift = vec![run(role, format!("{:.2}", t.lift))];
    let p = vec![dim(chance(t.p))];
    let verdict = vec![verdict(t)];
    let line = run(if strongly { Role::Hot } else { Role::Ser }, bar(t.lift / 2.0, 14));
    match size {
        Size::Wide => {
            let rate = |percent: f64| vec![plain(format!("{percent:.1} %"))];
            let (inside, outside) = (rate(t.inside), rate(t.outside));
            vec![name, value, stuck, of_stuck, of_all, inside, outside, lift, vec![line], p, verdict]
        }
        Size::Medium => vec![name, value, stuck, of_stuck, of_all, lift, p, verdict],
        Size::Narrow | Size::Tiny => vec![name, value, stuck, of_stuck, lift, verdict],
    }
}

/// A probability: `< 0.001`, `0.004`, `0.41`.
fn chance(p: f64) -> String {
    match p {
        p if p < 0.001 => "< 0.001".to_owned(),
        p if p < 0.095 => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}

fn verdict(t: &SharedTrait) -> crate::view::canvas::Run<'static> {
    match t {
        t if t.named => run(Role::Ok, "named"),
        t if t.p >= CHANCE => dim("noise: this much comes by chance"),
        t if t.lift < LIFT => dim(format!("not named: lift < {LIFT}")),
        _ => dim(format!("not named: fewer than {FEWEST} orders")),
    }
}

/// The strongest traits in one line, for the smallest screen.
pub fn in_words(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    if y >= end {
        return;
    }
    let mut runs: Runs = vec![strong("Shared ")];
    if app.derived.shared.is_empty() {
        runs.push(dim(if app.derived.standing.stuck == 0 { "no order is stuck" } else { "nothing compared yet" }));
    }
    for (i, t) in app.derived.shared.iter().take(3).enumerate() {
        if i > 0 {
            runs.push(dim(" · "));
        }
        runs.extend(canvas.outside(&t.value, if t.named { Role::Text } else { Role::Dim }));
        runs.push(run(if t.named { Role::Strong } else { Role::Dim }, format!(" {}", number::times(t.lift))));
        if !t.named {
            runs.push(dim(" not named"));
        }
    }
    canvas.runs(x, y, end_x, &runs);
    if let Some(t) = app.derived.shared.first().filter(|_| y + 1 < end) {
        let says =
            format!("{:.0} % of the stuck are {:.0} % of all orders; Holm p {}", t.of_stuck, t.of_all, chance(t.p));
        canvas.fit(x, y + 1, end_x, &says, Role::Dim);
    }
}

/// Questions of the note that the orders answer, with their checkbox.
fn asked(app: &App) -> impl Iterator<Item = (&Check, &Item)> {
    app.derived.findings.others.iter().filter(|c| c.id.starts_with('Q')).filter_map(|c| {
        let id = c.item.as_ref()?;
        Some((c, app.note.items.iter().find(|i| i.id == *id)?))
    })
}

/// How many there are.
pub fn question_count(app: &App) -> usize {
    asked(app).count()
}

/// Draws the questions with their answers.
pub fn questions(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    if question_count(app) == 0 || y + 1 >= end {
        return;
    }
    canvas.head(
        x,
        y,
        end_x,
        "QUESTIONS OF THE NOTE",
        "answered from the tables above; E attaches the answer",
        Focus::Away,
    );
    for (i, (check, item)) in asked(app).enumerate() {
        let y = y + 1 + i as u16;
        if y >= end {
            return;
        }
        let mut runs = vec![dim(if item.ticked { "[x] " } else { "[ ] " })];
        runs.extend(canvas.outside(&item.text, Role::Text));
        canvas.runs(x, y, x + 60, &runs);
        let answer = if check.measured.is_empty() {
            (check.missing.as_str(), Role::Stale)
        } else {
            (check.measured.as_str(), Role::Text)
        };
        let answer = super::outside(canvas, answer.0, answer.1);
        canvas.runs(x + 62, y, end_x, &answer);
    }
}
