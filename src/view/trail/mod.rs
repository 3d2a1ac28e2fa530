//! One order's way through the systems: who it is, the saga's stations, four lanes on its own axis, every
//! step with the missing ones, what it says of the hypotheses, the next safe action.
//!
//! The axis is zoomed to the trail; it stands in the columns of the shared one. Nothing is drawn that no
//! row or line says.

mod axis;
mod rows;

use crate::analysis::reconcile::facts::newest_order;
use crate::analysis::trail::usual::{Leg, Stretch};
use crate::analysis::trail::{Station, Trail};
use crate::app::App;
use crate::app::grid::Size;
use crate::model::note::Verdict;
use crate::model::order::{Order, OrderId};
use crate::model::privacy;
use crate::model::{Stamp, Untrusted};
use crate::view::canvas::{Canvas, Focus, dim, plain, run, strong};
use crate::view::list::Runs;
use crate::view::look::Role;
use crate::view::{chrome, number};

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, id: &OrderId) {
    let Some(trail) = app.derived.trail.as_ref().filter(|t| t.id == *id) else {
        unknown(app, canvas, id);
        return;
    };
    scope(app, canvas);
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    let mut y = identity(app, canvas, trail, (x, end_x), chrome::body_top(app));
    y = stations(app, canvas, trail, (x, end_x), y);
    if app.grid.size != Size::Narrow {
        y = axis::draw(app, canvas, trail, y);
    }
    let below = match app.grid.size {
        // Heading, a row a hypothesis, and three panels of one row with a blank each.
        Size::Wide => trail.says.len() as u16 + 7,
        _ => 2,
    };
    let most = rows::height(app) + 1;
    let room = end.saturating_sub(y);
    let rows_end = y + most.min(room.saturating_sub(below.min(room.saturating_sub(5))));
    y = rows::draw(app, canvas, trail, (x, end_x), y, rows_end);
    if app.grid.size == Size::Wide {
        conclusions(app, canvas, trail, (x, end_x), y + 1, end);
    } else {
        in_words(app, canvas, trail, (x, end_x), y + 1, end);
    }
}

fn unknown(app: &App, canvas: &mut Canvas<'_>, id: &OrderId) {
    let known = app.store.orders.entry(id).is_some();
    let id = canvas.shown(&Untrusted::from(&**id));
    let zone = &app.store.incident.zone;
    let says = if known {
        format!("{id} was not known yet at {}: End returns to live", zone.hms(app.at()))
    } else {
        format!(
            "nobody knows {id}: no row of it was read and no log line names it; is it written as the order system writes it?"
        )
    };
    crate::view::nothing(canvas, app, &says);
}

fn scope(app: &App, canvas: &mut Canvas<'_>) {
    let zone = &app.store.incident.zone;
    let says = match (app.derived.standing.asof, app.grid.size) {
        (Some(t), Size::Wide) => format!("orders, payments, HO asked {}", zone.hms(t)),
        (Some(t), _) => format!("as of {}", zone.hms(t)),
        (None, _) => "the order side was not asked yet".to_owned(),
    };
    chrome::scope(canvas, &[dim(says)]);
}

/// The order's newest row at the instant shown.
fn row<'a>(app: &'a App, id: &str) -> Option<&'a Order> {
    newest_order(app.store.orders.entry(id)?, app.at()).map(|(_, order)| order)
}

/// Who and what.
fn identity(app: &App, canvas: &mut Canvas<'_>, trail: &Trail, (x, end_x): (u16, u16), y: u16) -> u16 {
    let card = trail.class.card();
    let order = row(app, &trail.id);
    let wide = app.grid.size == Size::Wide;
    let gap = if wide { "   " } else { "  " };
    let broken = card.is_some_and(|c| !c.fine);
    let class = run(if broken { Role::Bad } else { Role::Text }, card.map_or("", |c| c.name));
    let also = also(trail);
    let mut who = canvas.outside(&Untrusted::from(&*trail.id), Role::Strong);
    if wide {
        who.extend([plain(gap), class.clone()]);
        who.extend(also.clone());
    }
    if let Some(amount) = order.and_then(|o| o.amount) {
        who.push(strong(format!("{gap}{}", number::rupiah(amount))));
    }
    who.push(plain(gap));
    who.extend(traits(order, &app.store.incident.masks, canvas));
    let right = standing(app, trail, order);
    let start = canvas.runs_right(x, end_x, y, &right);
    canvas.runs(x, y, start.saturating_sub(2), &who);
    let first = first(trail, canvas);
    match app.grid.size {
        Size::Wide if first.is_empty() => y + 2,
        Size::Wide => {
            canvas.runs(x, y + 1, end_x, &first);
            y + 3
        }
        Size::Medium => {
            let meaning = || vec![dim(card.map_or("", |c| c.meaning))];
            let mut runs = vec![class];
            runs.extend(also);
            runs.push(dim(": "));
            runs.extend(if first.is_empty() { meaning() } else { first });
            canvas.runs(x, y + 1, end_x, &runs);
            y + 3
        }
        Size::Narrow | Size::Tiny if first.is_empty() => y + 1,
        Size::Narrow | Size::Tiny => {
            canvas.runs(x, y + 1, end_x, &first);
            y + 2
        }
    }
}

/// What else is true of the order than its class says.
fn also(trail: &Trail) -> Runs {
    let flags: Vec<&str> = trail.flags.beside(trail.class).map(crate::analysis::reconcile::Flag::name).collect();
    if flags.is_empty() { Runs::new() } else { vec![run(Role::Warn, format!(" + {}", flags.join(" + ")))] }
}

/// What came last and what did not follow, the latter as loud as the fault it is.
fn first(trail: &Trail, canvas: &Canvas<'_>) -> Runs {
    let Some(first) = &trail.first else { return Runs::new() };
    let says = canvas.shown(&first.says);
    match says.split_once("; ") {
        Some((came, missing)) => vec![plain(format!("{came}; ")), run(Role::Bad, missing.to_owned())],
        None => vec![plain(says)],
    }
}

fn traits(order: Option<&Order>, masks: &[String], canvas: &Canvas<'_>) -> Runs {
    let Some(order) = order else { return vec![run(Role::Stale, "no row of the order itself")] };
    let words = [&order.payment_method, &order.service_type, &order.region];
    let mut runs: Runs = Vec::new();
    for word in words.into_iter().flatten() {
        if !runs.is_empty() {
            runs.push(dim(" · "));
        }
        runs.extend(canvas.outside(&Untrusted::from(&**word), Role::Dim));
    }
    for (name, value) in order.attributes.iter() {
        if !runs.is_empty() {
            runs.push(dim(" · "));
        }
        let value = privacy::of_column(name, value, masks, canvas.privacy);
        runs.extend(canvas.outside(&Untrusted::from(format!("{name} {value}")), Role::Dim));
    }
    runs
}

/// Born when, and for how long ACTIVE.
fn standing(app: &App, trail: &Trail, order: Option<&Order>) -> Runs {
    let zone = &app.store.incident.zone;
    let mut runs: Runs = Vec::new();
    if let (Some(order), Size::Wide) = (order, app.grid.size) {
        runs.push(dim("born "));
        runs.push(plain(zone.hms(order.created_at)));
        if let Some(spike) = &app.derived.spike {
            runs.push(dim(format!(" · T{}in", number::after(order.created_at.since(spike.onset)))));
        }
        runs.push(dim(" · "));
    }
    match trail.active_for {
        Some(age) => runs.extend([dim("ACTIVE for "), strong(number::span(age))]),
        None => runs.push(dim(order.map_or("state unknown".to_owned(), |o| state(&o.status)))),
    }
    runs
}

fn state(status: &crate::model::order::OrderStatus) -> String {
    match status {
        crate::model::order::OrderStatus::Other(word) => {
            crate::view::text::show_str(word, crate::view::text::Privacy::Masked)
        }
        known => format!("{known:?}").to_uppercase(),
    }
}

/// The saga as a row of stations; the line is broken where the order stopped.
fn stations(app: &App, canvas: &mut Canvas<'_>, trail: &Trail, (x, end_x): (u16, u16), y: u16) -> u16 {
    if trail.stations.is_empty() {
        return y;
    }
    let narrow = app.grid.size == Size::Narrow;
    let line = match app.grid.size {
        Size::Wide => 24,
        Size::Medium => 8,
        Size::Narrow | Size::Tiny => 3,
    };
    let zone = &app.store.incident.zone;
    let done = trail.stations.iter().all(|s| s.at.is_some());
    let mut runs: Runs = Vec::new();
    for (i, station) in trail.stations.iter().enumerate() {
        if let Some(before) = i.checked_sub(1).and_then(|i| trail.stations.get(i)) {
            runs.push(plain(" "));
            runs.extend(leg(app, before, station, line));
            runs.push(plain(" "));
        }
        let (glyph, role, name, word) = match (station.at, station.broken) {
            (Some(_), true) => ("✕", Role::Bad, Role::Strong, "undone".to_owned()),
            (Some(t), false) => ("✓", Role::Ok, Role::Strong, zone.format(t, "%S%.3f")),
            (None, true) => ("✕", Role::Bad, Role::Strong, "never".to_owned()),
            (None, false) => ("○", Role::Dim, Role::Dim, if done { String::new() } else { "waits".to_owned() }),
        };
        runs.extend([run(role, glyph), run(name, format!(" {}", station.name))]);
        if !word.is_empty() && (!narrow || station.broken) {
            runs.push(dim(format!(" {word}")));
        }
    }
    canvas.runs(x, y, end_x, &runs);
    if narrow {
        return y + 1;
    }
    let pace = pace(app);
    if pace.is_empty() {
        return y + 2;
    }
    canvas.runs(x, y + 1, end_x, &pace);
    y + 3
}

/// How long the order took, beside what was usual before the trouble began; amber where it is not.
fn pace(app: &App) -> Runs {
    let mut runs: Runs = Vec::new();
    for pace in &app.derived.pace {
        if !runs.is_empty() {
            runs.push(dim("  ·  "));
        }
        let (what, open) = match pace.stretch {
            Stretch::Paying => ("paid after ", "not paid for "),
            Stretch::Recording => ("at HO after ", "not at HO for "),
            Stretch::Whole => ("complete after ", "not complete for "),
        };
        runs.push(dim(if pace.ended { what } else { open }));
        runs.push(run(if pace.slow() { Role::Warn } else { Role::Text }, rows::gap(pace.took)));
        let usual = |leg: Leg| format!(", usually {}", rows::gap(leg.middle));
        runs.push(dim(pace.usual.map_or_else(|| ", no usual length known".to_owned(), usual)));
    }
    runs
}

/// The line between two stations, with the time it took where there is room; amber when that is unusual.
fn leg(app: &App, from: &Station, to: &Station, line: usize) -> Runs {
    let Some(took) = from.at.zip(to.at).map(|(a, b)| b.since(a)) else {
        return vec![run(Role::Faint, if to.at.is_some() { "─" } else { "╌" }.repeat(line))];
    };
    let usual = app.derived.usual.leg(from.name, to.name);
    let slow = usual.filter(|leg| leg.slow(took));
    let mut text = rows::gap(took);
    if let Some(times) = slow.filter(|leg| leg.middle.0 > 0) {
        let longer = format!("{text}, usually {}", rows::gap(times.middle));
        if longer.len() + 4 <= line {
            text = longer;
        }
    }
    let room = line.saturating_sub(text.len() + 2);
    if text.len() + 2 > line {
        return vec![run(if slow.is_some() { Role::Warn } else { Role::Faint }, "─".repeat(line))];
    }
    let role = if slow.is_some() { Role::Warn } else { Role::Dim };
    vec![
        run(Role::Faint, "─".repeat(room / 2)),
        run(role, format!(" {text} ")),
        run(Role::Faint, "─".repeat(room - room / 2)),
    ]
}

/// Sign, role and words of a verdict.
pub fn verdict(verdict: Verdict) -> (&'static str, Role, &'static str) {
    match verdict {
        Verdict::Supports => ("+", Role::Ok, "supports"),
        Verdict::Refutes => ("−", Role::Var, "refutes"),
        Verdict::Inconclusive => ("?", Role::Warn, "inconclusive"),
        Verdict::NoData => ("○", Role::Stale, "no data"),
    }
}

/// Title of a hypothesis of the note.
fn title(app: &App, number: u32, canvas: &Canvas<'_>) -> String {
    let found = app.note.hypotheses.iter().find(|h| h.number == number);
    found.map_or(String::new(), |h| canvas.shown(&h.title))
}

/// What the order says, what to do next, and what the machine did then.
fn conclusions(app: &App, canvas: &mut Canvas<'_>, trail: &Trail, (x, end_x): (u16, u16), y: u16, end: u16) {
    let mut y = y;
    if y < end {
        canvas.head(x, y, end_x, "WHAT THIS ORDER SAYS", "Enter opens the checks it feeds", Focus::Away);
        y += 1;
    }
    if trail.says.is_empty() && y < end {
        canvas.fit(x, y, end_x, "nothing of any hypothesis: it is no fault, or too little is known of it", Role::Dim);
        y += 1;
    }
    for s in &trail.says {
        if y >= end {
            return;
        }
        let (sign, role, word) = verdict(s.verdict);
        canvas.fit(x, y, x + 38, &format!("H{}  {}", s.hypothesis, title(app, s.hypothesis, canvas)), Role::Text);
        canvas.runs(x + 40, y, x + 56, &[run(role, format!("{sign} {word}"))]);
        canvas.fit(x + 57, y, end_x, &canvas.shown(&Untrusted::from(s.because.as_str())), Role::Text);
        y += 1;
    }
    y += 1;
    if y < end {
        canvas.head(x, y, end_x, "NEXT SAFE ACTION", "", Focus::Away);
        canvas.runs(x + 40, y, end_x, &action(trail));
        y += 2;
    }
    if y < end {
        let at = moment_of(app, trail);
        canvas.head(x, y, end_x, "THE MACHINE AT THAT MOMENT", "", Focus::Away);
        let mut runs = vec![dim(format!("{}   ", app.store.incident.zone.hms(at)))];
        runs.extend(crate::view::logs::machine(app, at));
        canvas.runs(x + 40, y, end_x, &runs);
    }
}

fn action(trail: &Trail) -> Runs {
    let action = trail.class.card().map_or("", |c| c.action);
    if action.is_empty() {
        return vec![dim("none: nothing is wrong with it")];
    }
    vec![plain(action), dim(" · somebody else does it, from the worksheet; warroom never changes an order")]
}

/// The instant of the focused step; of the last one that happened when it has none.
fn moment_of(app: &App, trail: &Trail) -> Stamp {
    let focus = app.rows_in(crate::app::rows::Panel::Steps).focus;
    let step = app.derived.steps.get(focus).and_then(|i| trail.steps.get(*i));
    let last = trail.steps.iter().rev().find(|s| rows::happened(s)).and_then(|s| s.at);
    step.and_then(|s| s.at).or(last).unwrap_or_else(|| app.at()).min(app.at())
}

/// The same in one line or two for smaller screens.
fn in_words(app: &App, canvas: &mut Canvas<'_>, trail: &Trail, (x, end_x): (u16, u16), y: u16, end: u16) {
    if y >= end {
        return;
    }
    let mut runs: Runs = Vec::new();
    let told = trail.says.iter().filter(|s| matches!(s.verdict, Verdict::Supports | Verdict::Refutes));
    for s in told.take(3) {
        let (_, role, word) = verdict(s.verdict);
        if !runs.is_empty() {
            runs.push(dim(" · "));
        }
        let first = if role == Role::Ok { "S" } else { "R" };
        let word = if runs.is_empty() { word.replacen(['s', 'r'], first, 1) } else { word.to_owned() };
        runs.push(run(if role == Role::Ok { Role::Strong } else { Role::Dim }, word));
        runs.push(plain(format!(" H{} {}", s.hypothesis, title(app, s.hypothesis, canvas))));
        if s.verdict == Verdict::Refutes {
            runs.push(dim(format!(": {}", canvas.shown(&Untrusted::from(s.because.as_str())))));
        }
    }
    if runs.is_empty() {
        runs.push(dim("it says nothing of any hypothesis"));
    }
    canvas.runs(x, y, end_x, &runs);
    if y + 1 < end {
        let mut next = vec![dim("next safe action: ")];
        next.extend(action(trail));
        canvas.runs(x, y + 1, end_x, &next);
    }
}
