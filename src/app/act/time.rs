//! The cursor, the axis and the selection: moving in time.

use crate::app::grid::Grid;
use crate::app::message::Effect;
use crate::app::state::{App, Cursor, Mode, Selection};
use crate::model::{Lapse, Span, Stamp};

/// Lengths of a column, shortest first.
pub const STEPS: [Lapse; 13] = [
    Lapse::seconds(1),
    Lapse::seconds(2),
    Lapse::seconds(5),
    Lapse::seconds(10),
    Lapse::seconds(15),
    Lapse::seconds(30),
    Lapse::minutes(1),
    Lapse::minutes(2),
    Lapse::minutes(5),
    Lapse::minutes(10),
    Lapse::minutes(15),
    Lapse::minutes(30),
    Lapse::hours(1),
];
/// How much around the cursor is read back from the recording.
const AROUND: Lapse = Lapse::minutes(2);
/// How many zooms can be undone.
const ZOOMS: usize = 50;
/// Earlier than this nobody looks: the year 2000.
const EARLIEST: Stamp = Stamp::from_secs(946_684_800);

/// Moves the cursor by columns.
pub fn step(app: &mut App, columns: i64) -> Vec<Effect> {
    let zone = &app.store.incident.zone;
    let to = app.at().floor(app.step, zone) + app.step.times(columns);
    let edge = app.live_edge().floor(app.step, zone);
    if to >= edge && columns > 0 { live(app) } else { go(app, to) }
}

/// Puts the cursor on an instant, clipped to what can be known, and the axis around it.
pub fn go(app: &mut App, to: Stamp) -> Vec<Effect> {
    let to = to.max(EARLIEST);
    if to >= app.live_edge() {
        return live(app);
    }
    app.cursor = Cursor::At(to);
    follow(app);
    reveal(app);
    load(app)
}

/// Back to the newest instant; an axis that was moved away follows again when it does not show it.
pub fn live(app: &mut App) -> Vec<Effect> {
    app.cursor = Cursor::Now;
    if let Some(held) = app.held.take() {
        let zone = app.store.incident.zone.clone();
        app.say(&format!("back to live; the picture was held at {}", zone.hms(held)));
    }
    follow(app);
    reveal(app);
    Vec::new()
}

/// The selection's head goes with the cursor while it is being made.
fn follow(app: &mut App) {
    let at = app.column().from;
    if app.selecting
        && let Some(s) = &mut app.selection
    {
        s.head = at;
    }
}

/// Moves the axis by whole columns until the cursor is on it.
pub fn reveal(app: &mut App) {
    let axis = app.axis();
    let at = app.at();
    if axis.column(at).is_some() {
        return;
    }
    if app.cursor == Cursor::Now && app.axis_from.is_some() {
        app.axis_from = None;
        return;
    }
    let start = app.column().from;
    let from = if at < axis.from { start } else { start - app.step.times(axis.columns as i64 - 1) };
    app.axis_from = Some(from);
}

/// The play head has moved: an axis that showed it goes on showing it.
pub fn played(app: &mut App, to: Stamp) {
    let shown = app.axis().column(app.at()).is_some();
    app.played = Some(to);
    if shown {
        reveal(app);
    }
}

/// While a recording plays, what memory does not hold is read back as the head comes to it: one stretch at
/// a time, and what is played faster than it is read shows its minutes.
pub fn load_played(app: &mut App) -> Vec<Effect> {
    let plays = app.mode == Mode::Replay && !app.in_the_past() && app.loading.is_empty();
    if plays { load(app) } else { Vec::new() }
}

/// Asks the recording, once, for what memory no longer holds around the cursor.
fn load(app: &mut App) -> Vec<Effect> {
    if app.mode == Mode::Demo {
        return Vec::new();
    }
    let at = app.at();
    let Some(span) = app.store.missing(Span::new(at - AROUND, at + AROUND)) else { return Vec::new() };
    if app.loading.contains(&span) || app.unreadable.contains(&span) {
        return Vec::new();
    }
    app.loading.push(span);
    vec![Effect::Load(span)]
}

/// The previous or next event.
pub fn event(app: &mut App, by: i64) -> Vec<Effect> {
    let at = app.at();
    let edge = app.live_edge();
    let mut times = app.derived.events.iter().map(|e| e.at).filter(|t| *t <= edge);
    let found = if by < 0 { times.rfind(|t| *t < at) } else { times.find(|t| *t > at) };
    if let Some(to) = found {
        let text = app.derived.events.iter().find(|e| e.at == to).map(|e| e.text.clone());
        let effects = go(app, to);
        if let Some(text) = text {
            let when = app.store.incident.zone.hm(to);
            app.say(&format!("{when} {text}"));
        }
        return effects;
    }
    app.say(if by < 0 { "no earlier event" } else { "no later event" });
    Vec::new()
}

/// The axis' first column.
pub fn first_column(app: &mut App) -> Vec<Effect> {
    let from = app.axis().from;
    go(app, from)
}

/// Begins a selection at the cursor, ends one that is being made, begins anew when one stands.
pub fn select(app: &mut App) -> Vec<Effect> {
    if app.selecting {
        app.selecting = false;
    } else {
        let at = app.column().from;
        app.selection = Some(Selection { anchor: at, head: at });
        app.selecting = true;
    }
    Vec::new()
}

/// Makes the selection's other end the one that moves.
pub fn other_end(app: &mut App) -> Vec<Effect> {
    let Some(s) = app.selection.as_mut() else { return Vec::new() };
    std::mem::swap(&mut s.anchor, &mut s.head);
    let head = s.head;
    app.selecting = true;
    go(app, head)
}

/// Every screen is scoped to the selection.
pub fn use_as_window(app: &mut App) -> Vec<Effect> {
    match app.selected() {
        Some(span) => set_window(app, span),
        None => app.say("nothing is selected; v on the timeline begins a selection"),
    }
    Vec::new()
}

/// Scopes every screen to a stretch.
pub fn set_window(app: &mut App, span: Span) {
    app.window = Some(span);
    app.selection = None;
    app.selecting = false;
    let zone = app.store.incident.zone.clone();
    app.say(&format!("every screen shows {}–{}; Esc on the timeline drops it", zone.hm(span.from), zone.hm(span.to)));
}

/// Shorter (`-1`) or longer (`1`) columns about the cursor, which keeps its column.
pub fn zoom(app: &mut App, by: i64) -> Vec<Effect> {
    let i = STEPS.iter().position(|s| *s >= app.step).unwrap_or(STEPS.len() - 1);
    let Some(step) = i.checked_add_signed(by as isize).and_then(|i| STEPS.get(i)).copied() else {
        app.say(if by < 0 { "one second a column is the closest" } else { "an hour a column is the widest" });
        return Vec::new();
    };
    let axis = app.axis();
    let follows = app.axis_from.is_none() && app.cursor == Cursor::Now;
    let column = axis.column(app.at()).unwrap_or(axis.columns - 1);
    remember(app);
    app.step = step;
    if !follows {
        let start = app.at().floor(step, &app.store.incident.zone);
        app.axis_from = Some(start - step.times(column as i64));
        settle_on_edge(app);
    }
    app.fitted = None;
    Vec::new()
}

/// An axis that would show nothing but the future at its end goes back; when it ends at now it follows.
fn settle_on_edge(app: &mut App) {
    if app.mode != Mode::Live || app.cursor != Cursor::Now {
        return;
    }
    let axis = app.axis();
    if axis.column(app.live_edge()).is_none_or(|c| c + 1 == axis.columns) {
        app.axis_from = None;
    }
}

fn remember(app: &mut App) {
    app.zooms.push((app.axis_from, app.step));
    let over = app.zooms.len().saturating_sub(ZOOMS);
    app.zooms.drain(..over);
}

/// The zoom before.
pub fn undo(app: &mut App) -> Vec<Effect> {
    let Some((from, step)) = app.zooms.pop() else {
        app.say("nothing to undo: this is the first zoom");
        return Vec::new();
    };
    app.axis_from = from;
    app.step = step;
    app.fitted = None;
    reveal(app);
    Vec::new()
}

/// The incident's window when there is one, else the usual zoom up to now.
pub fn reset(app: &mut App) -> Vec<Effect> {
    remember(app);
    if app.store.incident.window.is_some() {
        fit_incident(app);
    } else {
        app.step = app.grid.usual_step();
        app.axis_from = None;
        app.fitted = None;
    }
    reveal(app);
    Vec::new()
}

/// Lays the axis over the incident's window, with the usual zoom when that is enough.
pub fn fit_incident(app: &mut App) {
    if let Some(window) = app.store.incident.window {
        fit(app, window);
    }
}

/// An incident whose window is long over is opened at its end, not at a now that has nothing to do with
/// it: what happened then is fetched while one looks.
pub fn open_on_the_past(app: &mut App) {
    const OVER: Lapse = Lapse::hours(1);
    let Some(window) = app.store.incident.window.filter(|w| w.to + OVER < app.now) else { return };
    if app.axis_from.is_some() || app.cursor != Cursor::Now {
        return;
    }
    app.cursor = Cursor::At(window.to - Lapse(1));
    fit(app, window);
    reveal(app);
    let day = app.store.incident.zone.format(window.from, "%-d %b");
    app.say(&format!("the incident is over: this is its end, {day}; End goes to now, t n shows it"));
}

/// Lays the axis over a stretch: the shortest usual step that shows all of it, the rest around it.
fn fit(app: &mut App, span: Span) {
    let columns = app.grid.columns() as i64;
    let zone = &app.store.incident.zone;
    let usual = app.grid.usual_step();
    let fits = |s: &&Lapse| span.from.floor(**s, zone) + s.times(columns) >= span.to;
    let wide_enough = STEPS.iter().find(fits).copied().unwrap_or(STEPS[STEPS.len() - 1]);
    // A stretch a little shorter than the axis keeps the usual zoom; a short one is looked at closely.
    let step = if wide_enough < usual && span.length() >= usual.times(columns / 2) { usual } else { wide_enough };
    let from = span.from.floor(step, zone);
    let used = (span.to.since(from).0 + step.0 - 1).div_euclid(step.0);
    // A little of what came before; the rest is left for what comes after.
    let before = ((columns - used).max(0) / 4).min(columns / 10);
    app.step = step;
    app.axis_from = Some(from - step.times(before));
    app.fitted = Some(span);
    settle_on_edge(app);
}

/// The axis over the baseline.
pub fn show_baseline(app: &mut App) -> Vec<Effect> {
    let Some(baseline) = app.store.incident.baseline else {
        app.say("no baseline is configured: [incident] baseline = [\"…\", \"…\"]");
        return Vec::new();
    };
    remember(app);
    fit(app, baseline);
    go(app, baseline.from)
}

/// A selection becomes the window; else the axis over the incident.
pub fn show_incident(app: &mut App) -> Vec<Effect> {
    if app.selection.is_some() {
        return use_as_window(app);
    }
    if app.store.incident.window.is_none() {
        app.say("no incident window is configured; select one with v and press t i");
        return Vec::new();
    }
    remember(app);
    fit_incident(app);
    if app.axis().column(app.at()).is_none() {
        let from = app.store.incident.window.map_or(app.at(), |w| w.from);
        return go(app, from);
    }
    Vec::new()
}

/// The axis follows now.
pub fn show_now(app: &mut App) -> Vec<Effect> {
    remember(app);
    app.step = app.grid.usual_step();
    app.axis_from = None;
    app.fitted = None;
    live(app)
}

/// Another screen size: cursor, focus and zoom stay; the axis stays around the cursor.
pub fn resize(app: &mut App, width: u16, height: u16) {
    let before = app.grid;
    app.grid = Grid::of(width, height);
    if app.step == before.usual_step() && app.axis_from.is_none() && app.zooms.is_empty() {
        app.step = app.grid.usual_step();
    }
    if let Some(span) = app.fitted {
        fit(app, span);
    }
    reveal(app);
}
