//! What every screen has: header band, tabs and source dots, breadcrumb and scope, footer and toast.

use crate::app::App;
use crate::app::grid::Size;
use crate::app::state::{Mode, Screen};
use crate::app::{crumb, hint};
use crate::model::health::State;
use crate::view::canvas::{self, Canvas, Run, dim, plain, run, strong};
use crate::view::look::{Ground, Role};
use crate::view::{number, text};

/// First row that belongs to the screen's own body.
pub fn body_top(app: &App) -> u16 {
    if app.grid.size == Size::Wide { 4 } else { 3 }
}

/// One past the last row of the body: the footer's row and one blank above it stay free.
pub fn body_end(app: &App) -> u16 {
    app.grid.height.saturating_sub(2)
}

/// Draws all of it but the scope, which each screen says for itself with [`scope`].
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    header(app, canvas);
    tabs(app, canvas);
    crumbs(app, canvas);
    footer(app, canvas);
}

fn header(app: &App, canvas: &mut Canvas<'_>) {
    let past = app.in_the_past();
    let w = canvas.width();
    canvas.ground(0, 0, w, 1, if past { Ground::HeaderPast } else { Ground::Header });
    let right = standing(app);
    let end = w.saturating_sub(1);
    let start = canvas.runs_right(30, end, 0, &right);
    let severity = app.note.severity.as_ref().unwrap_or(&app.store.incident.severity);
    let status = app.note.status.as_ref().unwrap_or(&app.store.incident.status);
    let title = canvas.shown(app.title());
    let title = if app.grid.size == Size::Narrow { brief(&title) } else { title };
    let mut left = vec![strong(title)];
    for (word, role) in [(severity, Role::Strong), (status, Role::Text)] {
        if !word.is_empty() {
            left.push(run(role, format!("  {}", shout(role, canvas.shown(word)))));
        }
    }
    canvas.runs(1, 0, start.saturating_sub(2), &left);
}

/// A severity is shouted however the note spells it.
fn shout(role: Role, word: String) -> String {
    if role == Role::Strong { word.to_uppercase() } else { word }
}

/// `12 Jan 2025 · order gantung` without its year and dot.
fn brief(title: &str) -> String {
    let year = |w: &&str| !(w.len() == 4 && w.starts_with("20") && w.bytes().all(|b| b.is_ascii_digit()));
    title.split(' ').filter(|w| *w != "·").filter(year).collect::<Vec<_>>().join(" ")
}

/// The right of the header: what is shown, its clock, T+. Clock and T+ keep their columns.
fn standing(app: &App) -> Vec<Run<'static>> {
    let zone = &app.store.incident.zone;
    let narrow = app.grid.size == Size::Narrow;
    let mut out = Vec::new();
    let name = match app.mode {
        Mode::Live => None,
        Mode::Demo => Some((" DEMO ", " invented data")),
        Mode::Replay => Some((" REPLAY ", " a recording")),
    };
    if let Some((badge, words)) = name {
        out.push(run(Role::Badge, badge));
        out.push(plain(if narrow || app.in_the_past() { "  " } else { words }));
        out.push(plain(pace(app)));
        out.push(plain("   "));
    }
    if let Some(since) = app.held {
        let held = app.now.since(since).whole_seconds().max(0);
        out.push(run(Role::Badge, format!(" PAUSED {:02}:{:02} ", held / 60, held % 60)));
        out.push(plain("   "));
    }
    if app.locked {
        out.push(run(Role::Badge, " LOCKED "));
        out.push(plain("   "));
    }
    let clock = zone.hms(app.at());
    if app.in_the_past() {
        if !narrow {
            out.push(plain(format!("live {} goes on · End returns   ", zone.hms(app.live_edge()))));
        }
        out.push(run(Role::PastLabel, format!(" ◂ PAST {clock} ")));
        out.push(plain(if narrow { "  ".to_owned() } else { format!(" {} ", zone.name) }));
    } else {
        if app.mode == Mode::Live {
            out.push(run(Role::Ok, "● "));
            out.push(strong("LIVE   "));
        }
        out.push(strong(clock));
        out.push(plain(format!(" {}  ", zone.name)));
    }
    out.push(strong(t_plus(app)));
    out
}

fn pace(app: &App) -> String {
    match app.pace {
        _ if app.ended => " · ended".to_owned(),
        0.0 => " · paused".to_owned(),
        p => format!(" · {p}×"),
    }
}

/// Time since the onset at the instant shown; eight cells, so that the clock beside it never moves.
fn t_plus(app: &App) -> String {
    match &app.derived.spike {
        Some(s) if app.at() >= s.onset => format!("{:>8}", number::t_plus(app.at().since(s.onset))),
        Some(_) => "before onset".to_owned(),
        None => "no onset yet".to_owned(),
    }
}

fn tabs(app: &App, canvas: &mut Canvas<'_>) {
    let narrow = app.grid.size == Size::Narrow;
    let mut x = 1;
    for (i, screen) in Screen::ALL.into_iter().enumerate() {
        let name = if narrow { short(screen) } else { screen.name() };
        let key = i + 1;
        if screen == app.screen {
            x = canvas.put(x, 1, &format!(" {key} {name} "), Role::Label);
        } else {
            x = canvas.put(x + 1, 1, &key.to_string(), Role::Key);
            x = canvas.put(x, 1, &format!(" {name} "), Role::Dim);
        }
        x += u16::from(!narrow);
    }
    dots(app, canvas, x);
}

const fn short(screen: Screen) -> &'static str {
    match screen {
        Screen::Timeline => "Time",
        Screen::Database => "Db",
        Screen::Logs => "Logs",
        Screen::Orders => "Ord",
        Screen::Hypotheses => "Hyp",
        Screen::Sources => "Src",
    }
}

/// Glyph and role of a source's state.
pub const fn dot(state: State) -> (&'static str, Role) {
    match state {
        State::Well => ("●", Role::Ok),
        State::Off => ("○", Role::Dim),
        State::Late => ("◐", Role::Warn),
        State::Down => ("✕", Role::Bad),
    }
}

/// Every source as a dot: with its name where all names fit, else names only of those not well.
fn dots(app: &App, canvas: &mut Canvas<'_>, from: u16) {
    let end = canvas.width().saturating_sub(1);
    let from = from + 1;
    let (mut wide, mut marks, mut unwell) = (Vec::new(), Vec::new(), Vec::new());
    for card in &app.store.incident.sources {
        let health = app.health(&card.name);
        // A source that has not said anything yet is not well, but not down either.
        let state = health.map_or(State::Off, |h| h.state);
        let code = health.map_or(String::new(), |h| canvas.safe(&h.code));
        let (glyph, role) = dot(state);
        let name = canvas.safe(&card.name);
        let label = if code.is_empty() || state == State::Well { name } else { format!("{name} {code}") };
        let calm = matches!(state, State::Well | State::Off);
        wide.extend([plain("   "), run(role, glyph), run(if calm { Role::Dim } else { role }, format!(" {label}"))]);
        marks.push(run(role, glyph));
        if !calm {
            unwell.push(run(role, format!(" {label}")));
        }
    }
    let room = usize::from(end.saturating_sub(from));
    let wide = wide.get(1..).unwrap_or_default();
    if app.grid.size == Size::Wide && canvas::width_of(wide) <= room {
        canvas.runs_right(from, end, 1, wide);
    } else {
        marks.extend(unwell);
        canvas.runs_right(from, end, 1, &marks);
    }
}

/// The drill stack as words, the last one strong; the left ones collapse first when room is short.
fn crumbs(app: &App, canvas: &mut Canvas<'_>) {
    let mut words: Vec<String> = crumb::crumbs(app).iter().map(|w| text::cut(&canvas.safe(w), 60)).collect();
    let end = canvas.width() / 2 + 10;
    let room = usize::from(end.saturating_sub(2));
    let long = |words: &[String]| words.iter().map(|w| text::width(w) + 3).sum::<usize>() > room;
    let mut cut = false;
    while words.len() > 1 && long(&words) {
        words.remove(0);
        cut = true;
    }
    let mut runs = Vec::new();
    if cut {
        runs.push(run(Role::Faint, "… › "));
    }
    let last = words.len().saturating_sub(1);
    for (i, word) in words.into_iter().enumerate() {
        if i > 0 {
            runs.push(run(Role::Faint, " › "));
        }
        runs.push(if i == last { strong(word) } else { dim(word) });
    }
    canvas.runs(2, 2, end, &runs);
}

/// What the numbers of this screen are of and how old, right on the breadcrumb's row.
pub fn scope(canvas: &mut Canvas<'_>, says: &[Run<'_>]) {
    let w = canvas.width();
    let crumbs_end = (0..w).rev().find(|x| canvas.symbol(*x, 2) != " ").unwrap_or(0);
    canvas.runs_right(crumbs_end + 4, w.saturating_sub(1), 2, says);
}

/// The keys that work here; a toast takes the right half.
pub fn footer(app: &App, canvas: &mut Canvas<'_>) {
    let y = canvas.height().saturating_sub(1);
    let w = canvas.width();
    let toast = app.toast.as_ref().filter(|t| t.until > app.now);
    let end = if toast.is_some() { w / 2 } else { w.saturating_sub(2) };
    keys(canvas, 2, y, end, &hint::footer(app));
    if let Some(toast) = toast {
        let said = canvas.safe(&toast.text);
        canvas.fit(w / 2 + 1, y, w.saturating_sub(1), &said, Role::Strong);
    }
}

/// Keys with what they do, as many as fit whole; the last ones (`:` and `?`) are kept before the others.
pub fn keys(canvas: &mut Canvas<'_>, x: u16, y: u16, end: u16, keys: &[(String, String)]) {
    let width = |k: &(String, String)| text::width(&k.0) + 1 + text::width(&k.1) + 3;
    let room = usize::from(end.saturating_sub(x)) + 3;
    let mut shown: Vec<&(String, String)> = keys.iter().collect();
    while shown.iter().map(|k| width(k)).sum::<usize>() > room && shown.len() > 1 {
        let drop = if shown.len() > 3 { shown.len() - 3 } else { 0 };
        shown.remove(drop);
    }
    let mut x = x;
    for (key, does) in shown {
        x = canvas.put(x, y, key, Role::Key);
        x = canvas.fit(x + 1, y, end, does, Role::Dim) + 3;
    }
}
