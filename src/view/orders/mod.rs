//! Screen 4: where the orders of the window stand, what the stuck ones share, the note's questions answered.
//!
//! Counts that are not complete say so; what nobody asked is never guessed.

mod shared;

use crate::analysis::reconcile::{Class, ClassCard, ClassCount, Flag};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::{Lapse, Untrusted};
use crate::view::canvas::{Canvas, Column, Focus, Run, dim, left, plain, right, run, strong};
use crate::view::list::{Runs, bar, visible};
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip};

/// Answers older than this are marked with their age.
const OLD: Lapse = Lapse::minutes(3);

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    scope(app, canvas);
    let y = strip::draw(app, canvas, &["stuck, by birth", "not at HO, Σ"], &notes(app));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    let y = warnings(app, canvas, (x, end_x), y);
    if app.derived.classes.is_empty() {
        canvas.fit(x, y, end_x, &nothing(app), Role::Dim);
        return;
    }
    match app.grid.size {
        Size::Wide => {
            let shared = if app.derived.shared.is_empty() { 3 } else { 10 };
            let questions = shared::question_count(app).min(6) as u16;
            let below = shared + if questions > 0 { questions + 2 } else { 0 };
            let next = classes(app, canvas, (x, end_x), y, end.saturating_sub(below).max(y + 6).min(end));
            let next = shared::draw(
                app,
                canvas,
                (x, end_x),
                next,
                end.saturating_sub(if questions > 0 { questions + 2 } else { 0 }),
            );
            shared::questions(app, canvas, (x, end_x), next, end);
        }
        Size::Medium => {
            let next = classes(app, canvas, (x, end_x), y, end.saturating_sub(5).max(y + 6).min(end));
            shared::draw(app, canvas, (x, end_x), next, end);
        }
        Size::Narrow | Size::Tiny if app.panel() == Panel::Traits => {
            shared::draw(app, canvas, (x, end_x), y, end);
        }
        Size::Narrow | Size::Tiny => {
            let next = classes(app, canvas, (x, end_x), y, end.saturating_sub(2).max(y + 4).min(end));
            shared::in_words(app, canvas, (x, end_x), next, end);
        }
    }
}

/// How many orders, asked when.
fn scope(app: &App, canvas: &mut Canvas<'_>) {
    let standing = &app.derived.standing;
    let zone = &app.store.incident.zone;
    let Some(asof) = standing.asof else {
        chrome::scope(canvas, &[dim("not asked yet")]);
        return;
    };
    let role = if app.at().since(asof) > OLD { Role::Warn } else { Role::Dim };
    let age = number::ago(app.at().since(asof));
    let says = if app.grid.size == Size::Narrow {
        vec![run(role, format!("as of {}", zone.hms(asof)))]
    } else {
        vec![
            dim(format!("{} · ", number::plural(standing.total, "order", "orders"))),
            run(role, format!("asked {}, {age}", zone.hms(asof))),
        ]
    };
    chrome::scope(canvas, &says);
}

fn notes(app: &App) -> Vec<Vec<Run<'static>>> {
    let standing = &app.derived.standing;
    if standing.asof.is_none() {
        return Vec::new();
    }
    let count = |n: usize| run(if n > 0 { Role::Bad } else { Role::Strong }, number::count(n as i64));
    vec![vec![count(standing.stuck), plain(" stuck")], vec![count(standing.not_at_ho), plain(" charged, not at HO")]]
}

/// What is not known and why, before any number.
fn warnings(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16) -> u16 {
    let standing = &app.derived.standing;
    let mut y = y;
    if let Some(broken) = &standing.broken {
        canvas.runs(x, y, end_x, &[run(Role::Bad, "✕ "), run(Role::Bad, broken.as_str())]);
        y += 1;
    }
    let says: Vec<&String> = standing.missing.iter().chain(&standing.doubts).collect();
    let most = if app.grid.size == Size::Wide { 4 } else { 2 };
    // The last line there is room for counts what it hides.
    let whole = if says.len() > most { most - 1 } else { most };
    for line in says.iter().take(whole) {
        canvas.runs(x, y, end_x, &[run(Role::Warn, "○ "), run(Role::Warn, line.as_str())]);
        y += 1;
    }
    if let Some(next) = says.get(whole) {
        let more = format!("○ {} more: {next}", says.len() - whole);
        canvas.fit(x, y, end_x, &more, Role::Warn);
        y += 1;
    }
    if says.is_empty() || app.grid.size == Size::Narrow { y } else { y + 1 }
}

fn nothing(app: &App) -> String {
    let standing = &app.derived.standing;
    let zone = &app.store.incident.zone;
    let span = app.scope();
    match standing.asof {
        None => "no order was read yet: a [[query]] with role = \"orders\" says where they are; Sources tells what it answers".to_owned(),
        Some(_) => format!("no order was born between {} and {}", zone.hm(span.from), zone.hm(span.to)),
    }
}

fn columns(size: Size) -> Vec<Column> {
    match size {
        Size::Wide => vec![
            left("class", 30),
            right("orders", 7),
            right("5 min", 6),
            left("", 20),
            right("Rp jt", 8),
            right("oldest", 6),
            right("at risk", 7),
            left("what it means", 40),
            left("next safe action (worksheet only)", 34),
            left("points to", 9),
        ],
        Size::Medium => vec![
            left("class", 30),
            right("orders", 7),
            right("5 min", 6),
            left("", 6),
            right("Rp jt", 7),
            right("oldest", 6),
            left("next safe action", 33),
            left("points", 8),
        ],
        Size::Narrow | Size::Tiny => {
            vec![
                left("class", 29),
                right("orders", 7),
                right("5 min", 5),
                right("Rp jt", 7),
                left("next safe action", 22),
            ]
        }
    }
}

/// A line of the table.
enum Line {
    Blank,
    Total(&'static str, usize, i64),
    Remark(&'static str),
    Flags(String),
    Class(usize),
}

/// Classes under their subtotals.
fn lines(app: &App) -> Vec<Line> {
    let standing = &app.derived.standing;
    let roomy = app.grid.size == Size::Wide;
    let mut out = Vec::new();
    if standing.stuck > 0 || app.derived.classes.iter().any(|c| part(c) == Part::Stuck) {
        out.push(Line::Total("Stuck", standing.stuck, standing.stuck_amount));
    }
    let mut before = Part::Stuck;
    let mut charged = standing.not_at_ho > 0;
    for (i, class) in app.derived.classes.iter().enumerate() {
        let now = part(class);
        if now != Part::Stuck && charged {
            total_not_at_ho(app, &mut out, now);
            charged = false;
        }
        if now != before && now != Part::Charged {
            if roomy && !out.is_empty() {
                out.push(Line::Blank);
            }
            if roomy {
                out.push(Line::Remark(if now == Part::Fine { "Not faults" } else { "Other" }));
            }
        }
        before = now;
        out.push(Line::Class(i));
    }
    if charged {
        total_not_at_ho(app, &mut out, Part::Fine);
    }
    let beside = |f: &&(Flag, usize)| !matches!(f.0, Flag::Stuck | Flag::NotAtHo);
    let flags = standing.flags.iter().filter(beside);
    let flags: Vec<String> = flags.map(|(f, n)| format!("{} {}", f.name(), number::count(*n as i64))).collect();
    if !flags.is_empty() && app.grid.size != Size::Narrow {
        out.push(Line::Flags(format!("Flags, whatever the class: {}", flags.join(" · "))));
    }
    out
}

fn total_not_at_ho(app: &App, out: &mut Vec<Line>, next: Part) {
    let standing = &app.derived.standing;
    let roomy = app.grid.size == Size::Wide;
    if roomy {
        out.push(Line::Blank);
    }
    out.push(Line::Total("Charged, not at HO", standing.not_at_ho, standing.not_at_ho_amount));
    if next == Part::Charged && app.grid.size != Size::Narrow {
        out.push(Line::Remark("  of these not stuck:"));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Stuck,
    Charged,
    Other,
    Fine,
}

fn part(class: &ClassCount) -> Part {
    match class.class.card() {
        Some(c) if c.stuck => Part::Stuck,
        Some(c) if c.fine => Part::Fine,
        Some(c) if c.not_at_ho => Part::Charged,
        _ => Part::Other,
    }
}

/// Draws the table between `y` and `end`; gives back the row of the next panel.
fn classes(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let size = app.grid.size;
    let focus = if app.panel() == Panel::Classes { Focus::Here(moment::accent(app)) } else { Focus::Away };
    let mut y = y;
    if size == Size::Narrow {
        if let Focus::Here(role) = focus {
            canvas.gutter(x.saturating_sub(1), y, role);
        }
    } else {
        let (asked, of) = app.derived.standing.asked;
        let remark = match (asked < of, size) {
            (true, _) => {
                format!("{} of {} asked; counts can only grow", number::count(asked as i64), number::count(of as i64))
            }
            (false, Size::Wide) => "the first that fits is an order's class".to_owned(),
            (false, _) => String::new(),
        };
        y = canvas.head(x, y, end_x, "CLASSES", &remark, focus);
    }
    let columns = columns(size);
    canvas.table_head(x, y, &columns);
    y += 1;
    let lines = lines(app);
    let rows = app.rows_in(Panel::Classes);
    let at = lines.iter().position(|l| matches!(l, Line::Class(i) if *i == rows.focus)).unwrap_or(0);
    let at = if rows.focus == 0 { at.max(1) } else { at };
    for i in visible(lines.len(), usize::from(end.saturating_sub(y)), 0, at) {
        match lines.get(i) {
            Some(Line::Class(i)) => {
                if let Some(class) = app.derived.classes.get(*i) {
                    canvas.table_row(x, y, &columns, &cells(app, class));
                }
                if *i == rows.focus && matches!(focus, Focus::Here(_)) {
                    canvas.focus_row(x, y, end_x, moment::accent(app));
                }
            }
            Some(Line::Total(title, orders, amount)) => total(app, canvas, &columns, x, y, (title, *orders, *amount)),
            Some(Line::Remark(says)) => {
                canvas.fit(x, y, end_x, says, if says.starts_with(' ') { Role::Dim } else { Role::Strong });
            }
            Some(Line::Flags(says)) => {
                canvas.fit(x, y, end_x, says, Role::Dim);
            }
            Some(Line::Blank) | None => {}
        }
        y += 1;
    }
    if size == Size::Narrow { y } else { y + 1 }
}

fn total(
    app: &App,
    canvas: &mut Canvas<'_>,
    columns: &[Column],
    x: u16,
    y: u16,
    (title, orders, amount): (&str, usize, i64),
) {
    let after = number::span(app.store.incident.rules.stuck_after);
    let title = if title == "Stuck" { format!("Stuck: ACTIVE > {after}") } else { title.to_owned() };
    let role = if orders > 0 { Role::Bad } else { Role::Dim };
    let mut cells: Vec<Runs> = vec![vec![run(role, title)], vec![run(role, at_least(app, orders))], Vec::new()];
    if columns.len() > 5 {
        cells.push(Vec::new());
    }
    cells.push(vec![strong(juta(amount))]);
    canvas.table_row(x, y, columns, &cells);
}

/// A count; with `≥` while not all orders have been asked for.
fn at_least(app: &App, n: usize) -> String {
    let (asked, of) = app.derived.standing.asked;
    let sign = if asked < of && n > 0 { "≥" } else { "" };
    format!("{sign}{}", number::count(n as i64))
}

/// Millions of rupiah without the unit, which stands in the heading.
fn juta(amount: i64) -> String {
    number::juta(amount).trim_end_matches(" jt").to_owned()
}

fn cells(app: &App, class: &ClassCount) -> Vec<Runs> {
    let size = app.grid.size;
    let part = part(class);
    let card = class.class.card();
    let text = |of: fn(&ClassCard) -> &'static str| card.map_or("", of);
    let old = app.derived.standing.asof.is_some_and(|t| app.at().since(t) > OLD);
    let faulty = part != Part::Fine;
    let count = run(
        if faulty { Role::Strong } else { Role::Text },
        if faulty { at_least(app, class.orders) } else { number::count(class.orders as i64) },
    );
    let money = run(if old { Role::Stale } else { Role::Text }, juta(class.amount));
    let most =
        app.derived.classes.iter().filter(|c| self::part(c) != Part::Fine).map(|c| c.orders).max().unwrap_or(1).max(1);
    let width = if size == Size::Wide { 20 } else { 6 };
    let trend = trend(app, class.class, faulty);
    let bars = if faulty { bar(class.orders as f64 / most as f64, width) } else { String::new() };
    let oldest = class.oldest.filter(|_| class.class != Class::Ok);
    let oldest = dim(oldest.map_or(number::NOTHING.to_owned(), number::age));
    let name = vec![plain(text(|c| c.name))];
    // What a ledger that fell silent has not got may have come since.
    let then = app.derived.standing.was_so(class.class);
    let count = if then.is_some() { run(Role::Stale, count.text) } else { count };
    let then = then.map(|t| format!("as of {}: ", app.store.incident.zone.hm(t)));
    let remark = |says: &str| match &then {
        Some(then) => vec![run(Role::Warn, then.clone()), dim(says.to_owned())],
        None => vec![dim(says.to_owned())],
    };
    let meaning = remark(text(|c| c.meaning));
    let action = match (&then, size) {
        (Some(then), Size::Medium | Size::Narrow | Size::Tiny) => {
            vec![run(Role::Warn, then.clone()), plain(text(|c| c.action))]
        }
        _ => vec![plain(text(|c| c.action))],
    };
    match size {
        Size::Wide => {
            let risk = if card.is_some_and(|c| c.not_at_ho) { run(Role::Warn, "yes") } else { dim(number::NOTHING) };
            vec![
                name,
                vec![count],
                vec![trend],
                vec![run(Role::Hot, bars)],
                vec![money],
                vec![oldest],
                vec![risk],
                meaning,
                action,
                vec![plain(text(|c| c.points_to))],
            ]
        }
        Size::Medium => vec![
            name,
            vec![count],
            vec![trend],
            vec![run(Role::Hot, bars)],
            vec![money],
            vec![oldest],
            action,
            vec![dim(text(|c| c.points_to))],
        ],
        Size::Narrow | Size::Tiny => vec![name, vec![count], vec![trend], vec![money], action],
    }
}

/// How many more than five minutes before: a fault that grows is loud, one that empties is good news.
fn trend(app: &App, class: Class, faulty: bool) -> Run<'static> {
    match app.derived.trend(class) {
        None => dim(number::NOTHING),
        Some(0) => dim("="),
        Some(n) if n > 0 => run(if faulty { Role::Bad } else { Role::Dim }, format!("+{}", number::count(n))),
        Some(n) => run(if faulty { Role::Ok } else { Role::Dim }, format!("−{}", number::count(-n))),
    }
}

/// Text of the operator's rows.
fn outside(canvas: &Canvas<'_>, text: &str, role: Role) -> Runs {
    canvas.outside(&Untrusted::from(text), role)
}
