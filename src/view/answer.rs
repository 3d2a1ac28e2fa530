//! The answer, first on the first screen: how many users, how slow, how many failing, how many orders are
//! stuck and how much money is missing; as big numbers where there is room, else on one line.

use crate::analysis::lane::{Cell, LaneColumns};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::state::Mode;
use crate::model::order::Role as Asked;
use crate::model::series::{Bad, Lane, Unit};
use crate::model::{Lapse, Stamp};
use crate::view::canvas::{Canvas, Run, dim, plain, run, strong};
use crate::view::look::Role;
use crate::view::{big, lane, number};

/// Rows of the big numbers: label, three rows of digits, a line of context.
pub const ROWS: u16 = big::ROWS + 2;

/// One of the five.
struct Answer {
    /// Which of the five places it has; a missing one leaves its place empty.
    slot: usize,
    /// `LATENCY p95`.
    title: String,
    /// `p95`, for the one line.
    short: String,
    /// `0.61`; a dash when not known.
    digits: String,
    /// `s`.
    unit: String,
    /// Value with unit, for the one line.
    value: String,
    /// Role of the number.
    role: Role,
    /// `2 min ago`; empty in the past, where the instant shown is the age.
    age: String,
    /// What keeps the next question from being asked.
    context: Vec<Run<'static>>,
}

/// Draws the five as big numbers from row `y` on.
pub fn draw_big(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let pitch = (canvas.width() / 5).min(44);
    for a in answers(app, canvas) {
        let x = app.grid.left + a.slot as u16 * pitch;
        let end = x + pitch - 2;
        let after = canvas.fit(x, y, end, &a.title, Role::Text);
        canvas.fit(after + 2, y, end, &a.age, Role::Dim);
        let after = big::draw(canvas, x, y + 1, &a.digits, a.role);
        canvas.fit(after, y + big::ROWS, end, &a.unit, a.role);
        if a.role == Role::Bad {
            canvas.put(after, y + 1, "!", a.role);
        }
        canvas.runs(x, y + 1 + big::ROWS, if a.slot == 4 { canvas.width() } else { end }, &a.context);
    }
}

/// Draws the five on one line; when narrow the red ones come first and errors are left out.
pub fn draw_line(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let w = canvas.width();
    // Columns by slot, so that nothing moves when a number grows.
    let columns: [Option<u16>; 5] = match app.grid.size {
        Size::Wide => [2, 42, 82, 122, 162].map(Some),
        Size::Medium => [2, 20, 37, 58, 78].map(Some),
        _ => [Some(49), Some(64), None, Some(1), Some(16)],
    };
    for a in answers(app, canvas) {
        let Some(x) = columns[a.slot] else { continue };
        let next = columns.iter().flatten().copied().filter(|c| *c > x).min().unwrap_or(w);
        let sign = if a.role == Role::Bad { "!" } else { "" };
        canvas.runs(
            x,
            y,
            next.saturating_sub(1),
            &[dim(format!("{} ", a.short)), run(a.role, format!("{}{sign}", a.value))],
        );
    }
}

fn answers(app: &App, canvas: &Canvas<'_>) -> Vec<Answer> {
    let mut out: Vec<Answer> = measured_lanes(app)
        .into_iter()
        .enumerate()
        .filter_map(|(slot, i)| {
            let i = i?;
            Some(of_lane(app, canvas, slot, app.store.incident.lanes.get(i)?, app.derived.lanes.get(i)))
        })
        .collect();
    out.push(stuck(app));
    out.push(not_at_ho(app));
    out
}

/// The lanes behind users, latency and errors: the trigger, the first of seconds, the first share that is
/// bad when high, application before anything else.
fn measured_lanes(app: &App) -> [Option<usize>; 3] {
    let lanes = &app.store.incident.lanes;
    let first = |fits: &dyn Fn(&Lane) -> bool| {
        let of = |group: bool| lanes.iter().position(|l| fits(l) && (!group || l.group == "application"));
        of(true).or_else(|| of(false))
    };
    [
        lanes.iter().position(|l| l.trigger),
        first(&|l| l.unit == Unit::Seconds),
        first(&|l| l.unit == Unit::Percent && l.bad == Bad::High && l.ceiling.is_none()),
    ]
}

/// `latency p95` becomes `LATENCY p95`: only words are shouted.
fn title(name: &str) -> String {
    let mut words = name.split(' ');
    let first = words.next().unwrap_or_default().to_uppercase();
    words.fold(first, |all, w| all + " " + w)
}

fn of_lane(app: &App, canvas: &Canvas<'_>, slot: usize, l: &Lane, columns: Option<&LaneColumns>) -> Answer {
    let short = l.name.split_once(' ').map_or_else(|| l.name.to_uppercase(), |(_, rest)| rest.to_owned());
    let base = Answer {
        slot,
        title: title(&l.name),
        short,
        digits: "-".to_owned(),
        unit: String::new(),
        value: number::NOTHING.to_owned(),
        role: Role::Stale,
        age: String::new(),
        context: Vec::new(),
    };
    let Some((columns, (at, value))) = columns.and_then(|c| Some((c, c.now?))) else {
        let source = l.series.split('.').next().unwrap_or_default();
        return Answer { context: vec![run(Role::Stale, silence(app, canvas, source))], ..base };
    };
    let (digits, unit) = number::split(&number::of_lane(l, value));
    let role = match (columns.now_broken, columns.now_outside) {
        (true, _) => Role::Bad,
        (_, true) => Role::Warn,
        _ => Role::Strong,
    };
    let age = age(app, at);
    Answer { digits, unit, value: number::of_lane(l, value), role, age, context: beside(app, l, columns), ..base }
}

/// Why a source has nothing to say, in a few words.
fn silence(app: &App, canvas: &Canvas<'_>, source: &str) -> String {
    match app.health(source) {
        Some(h) if !h.code.is_empty() => format!("{source}: {}", canvas.shown(&h.code.as_str().into())),
        Some(_) => format!("{source} has no value here"),
        None => format!("{source} has not answered yet"),
    }
}

/// Normal, and where the number stands between its worst and that.
fn beside(app: &App, l: &Lane, columns: &LaneColumns) -> Vec<Run<'static>> {
    let mut out = Vec::new();
    match columns.normal {
        Some(n) => out.extend([dim("normal "), plain(number::of_lane(l, n))]),
        None => out.push(dim("no baseline")),
    }
    let axis = app.axis();
    let here = axis.column(app.at());
    let worst = columns.worst.filter(|(at, _)| {
        matches!(axis.column(*at).and_then(|c| columns.cells.get(c)), Some(Cell::Value { outside: true, .. }))
    });
    if let Some(per_minute) = slope(app, columns).filter(|_| l.trigger && app.in_the_past()) {
        let way = if per_minute > 0.0 { "rising" } else { "falling" };
        out.push(dim(format!("   {way} {} a minute", number::of_lane(l, per_minute.abs()))));
    } else if let Some((at, value)) = worst {
        let says = if axis.column(at) == here {
            "   the peak".to_owned()
        } else {
            let word = if l.bad == Bad::Low { "lowest" } else { "peak" };
            let clock = lane::clock(&app.store.incident.zone, at, axis.step);
            format!("   {word} {} at {clock}", number::of_lane(l, value))
        };
        out.push(dim(says));
    }
    out
}

/// Change a minute over the last five minutes before the cursor, when it is more than a fiftieth of normal.
fn slope(app: &App, columns: &LaneColumns) -> Option<f64> {
    let axis = app.axis();
    let value = |at: Stamp| axis.column(at).and_then(|c| columns.cells.get(c)?.value());
    let then = value(app.at() - Lapse::minutes(5))?;
    let per_minute = (columns.now?.1 - then) / 5.0;
    (per_minute.abs() > columns.normal? / 50.0).then_some(per_minute)
}

fn age(app: &App, at: Stamp) -> String {
    // A demo plays an hour a minute: ages would only flicker.
    if app.in_the_past() || app.mode == Mode::Demo { String::new() } else { number::ago(app.at().since(at)) }
}

fn counted(app: &App, slot: usize, title: &str, short: &str, n: usize) -> Answer {
    let s = &app.derived.standing;
    let partly = s.asked.0 < s.asked.1;
    let digits = format!("{}{}", if partly { "≥" } else { "" }, number::count(n as i64));
    let (value, role) = (digits.clone(), if n > 0 { Role::Bad } else { Role::Strong });
    let age = s.asof.map_or_else(String::new, |at| age(app, at));
    let context = if partly {
        let (done, all) = (number::count(s.asked.0 as i64), number::count(s.asked.1 as i64));
        vec![run(Role::Stale, format!("{done} of {all} asked so far"))]
    } else {
        Vec::new()
    };
    let (title, short, unit) = (title.to_owned(), short.to_owned(), String::new());
    Answer { slot, title, short, digits, unit, value, role, age, context }
}

fn unknown(app: &App, answer: Answer, says: &str) -> Answer {
    let missing = app.derived.standing.missing.first().map_or(says, String::as_str);
    Answer {
        digits: "-".to_owned(),
        value: number::NOTHING.to_owned(),
        role: Role::Stale,
        context: vec![run(Role::Stale, missing.to_owned())],
        ..answer
    }
}

fn stuck(app: &App) -> Answer {
    let s = &app.derived.standing;
    let answer = counted(app, 3, "STUCK ORDERS", "STUCK", s.stuck);
    if !app.store.orders.has(Asked::Orders) {
        return unknown(app, answer, "orders have not been asked for");
    }
    if !answer.context.is_empty() {
        return answer;
    }
    let limit = number::span(app.store.incident.rules.stuck_after);
    let context = if s.stuck == 0 {
        vec![dim(format!("none ACTIVE > {limit}"))]
    } else if app.store.orders.has(Asked::Payments) {
        vec![
            dim(format!("ACTIVE > {limit}: ")),
            plain(format!("{} paid", number::count(s.stuck_paid as i64))),
            dim(", "),
            plain(format!("{} unpaid", number::count(s.stuck_unpaid as i64))),
        ]
    } else {
        vec![dim(format!("ACTIVE > {limit}; payments not asked"))]
    };
    Answer { context, ..answer }
}

fn not_at_ho(app: &App) -> Answer {
    let s = &app.derived.standing;
    let answer = counted(app, 4, "CHARGED, NOT AT HO", "NOT AT HO", s.not_at_ho);
    if !app.store.orders.has(Asked::Payments) || !app.store.orders.has(Asked::HoPayments) {
        return unknown(app, answer, "payments and HO have not been asked for");
    }
    if s.not_at_ho == 0 {
        let limit = number::span(app.store.incident.rules.settle_after);
        let context =
            if answer.context.is_empty() { vec![dim(format!("none settled > {limit} ago"))] } else { answer.context };
        return Answer { context, ..answer };
    }
    let money = number::rupiah_sum(s.not_at_ho_amount);
    let value = format!("{} · {money}", answer.value);
    let mut context = vec![strong(money), dim(" at risk")];
    if app.in_the_past() {
        context.push(dim(format!(" at {}", lane::clock(&app.store.incident.zone, app.at(), app.step))));
    } else {
        context.extend(flat_since(app).map(dim));
    }
    Answer { value, context, ..answer }
}

/// Since when the number of missing payments stands still, or that it does not.
fn flat_since(app: &App) -> Option<String> {
    let i = app.store.incident.lanes.iter().position(|l| &*l.series == "orders.not_at_ho")?;
    let columns = app.derived.lanes.get(i)?;
    let axis = app.axis();
    let last = axis.column(app.at())?;
    let values: Vec<(usize, f64)> =
        columns.cells.iter().take(last + 1).enumerate().filter_map(|(i, c)| Some((i, c.value()?))).collect();
    let now = values.last()?.1;
    let since = values.iter().rev().take_while(|(_, v)| (v - now).abs() < 0.5).last()?.0;
    let still = axis.start(last).since(axis.start(since));
    let clock = lane::clock(&app.store.incident.zone, axis.start(since), axis.step);
    Some(if still >= Lapse::minutes(3) { format!(", flat since {clock}") } else { ", still growing".to_owned() })
}
