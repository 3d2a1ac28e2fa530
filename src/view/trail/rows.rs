//! The steps, time downwards, systems as columns; what should have come and did not is a row too.

use super::axis::SYSTEMS;
use crate::analysis::trail::{Step, StepKind, Trail};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::{Lapse, Untrusted};
use crate::view::canvas::{Canvas, dim, run};
use crate::view::list::{Runs, visible};
use crate::view::look::Role;
use crate::view::{moment, number, text};

/// A failure that took this long to come was waited for.
const SLOW: Lapse = Lapse::seconds(2);

/// Whether the step is something that happened.
pub const fn happened(step: &Step) -> bool {
    !matches!(step.kind, StepKind::Missing | StepKind::Silence)
}

/// Sign and colour of a step.
pub const fn glyph(step: &Step, system: Role) -> (&'static str, Role) {
    match step.kind {
        StepKind::Event => ("●", system),
        StepKind::Line => ("·", Role::Dim),
        StepKind::Warn => ("!", Role::Warn),
        StepKind::Error => ("✕", Role::Bad),
        StepKind::Missing => ("○", Role::Bad),
        StepKind::Silence => ("┊", Role::Faint),
    }
}

/// Rows of the list with its heading.
pub fn height(app: &App) -> u16 {
    app.derived.steps.len().min(500) as u16 + 1
}

/// Columns of the list: where each part begins.
struct Columns {
    /// End of the time since the step before.
    after: u16,
    /// First system.
    systems: u16,
    /// What.
    what: u16,
    /// Who says so; none when it is dropped.
    says: Option<u16>,
}

fn columns(app: &App, x: u16) -> Columns {
    match app.grid.size {
        Size::Wide => Columns { after: x + 22, systems: x + 25, what: x + 52, says: Some(x + 148) },
        Size::Medium => Columns { after: x + 22, systems: x + 25, what: x + 52, says: None },
        Size::Narrow | Size::Tiny => Columns { after: x + 20, systems: x + 22, what: x + 29, says: None },
    }
}

/// Draws heading and rows between `y` and `end`; gives back the row after them.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, trail: &Trail, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    if y >= end {
        return y;
    }
    let at = columns(app, x);
    if app.grid.size != Size::Narrow {
        canvas.gutter(x.saturating_sub(1), y, moment::accent(app));
    }
    canvas.put(x, y, &app.store.incident.zone.name, Role::Dim);
    canvas.right(at.after, y, "after", Role::Dim);
    if app.grid.size == Size::Narrow {
        canvas.put(at.systems, y, "in", Role::Dim);
    } else {
        for (i, (_, _, short, role)) in SYSTEMS.into_iter().enumerate() {
            canvas.put(at.systems + 6 * i as u16, y, short, role);
        }
    }
    canvas.put(at.what, y, "what", Role::Dim);
    if let Some(says) = at.says {
        canvas.put(says, y, "says", Role::Dim);
    }
    let mut y = y + 1;
    let rows = app.rows_in(Panel::Steps);
    let len = app.derived.steps.len();
    let shown = visible(len, usize::from(end.saturating_sub(y)), rows.top, rows.focus);
    let hidden = len - shown.len();
    let last = shown.end;
    for i in shown {
        let Some(step) = app.derived.steps.get(i).and_then(|s| trail.steps.get(*s)) else { continue };
        line(app, canvas, step, &at, (x, end_x), y);
        if i == rows.focus {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += 1;
    }
    if hidden > 0 {
        let says = format!("… {} of {len} steps above or below", hidden.min(len));
        canvas.right(end_x, y.saturating_sub(u16::from(last == len)), &says, Role::Dim);
    }
    y
}

fn line(app: &App, canvas: &mut Canvas<'_>, step: &Step, at: &Columns, (x, end_x): (u16, u16), y: u16) {
    let zone = &app.store.incident.zone;
    let missing = step.kind == StepKind::Missing;
    match (step.at, step.kind) {
        (_, StepKind::Silence) => canvas.put(x + 3, y, "┊", Role::Dim),
        (Some(t), StepKind::Missing) => canvas.put(x, y, &zone.hms(t), Role::Warn),
        (Some(t), _) => canvas.put(x, y, &zone.hms_milli(t), Role::Dim),
        (None, _) => x,
    };
    if let Some(after) = step.after.filter(|_| happened(step)) {
        let slow = after >= SLOW && matches!(step.kind, StepKind::Warn | StepKind::Error);
        let role = if slow { Role::Warn } else { Role::Dim };
        canvas.right(at.after, y, &gap(after), role);
    }
    systems(app, canvas, step, at, y);
    let end = at.says.map_or(end_x, |s| s.saturating_sub(2));
    canvas.runs(at.what, y, end, &what(step, canvas));
    if let Some(says) = at.says.filter(|_| !missing) {
        canvas.fit(says, y, end_x, &canvas.shown(&Untrusted::from(step.says.as_str())), Role::Dim);
    }
}

/// The time since the step before, with three digits that count: `19 ms`, `2.28 s`, `32.6 s`.
pub fn gap(l: Lapse) -> String {
    match l.0 {
        us if us < 1_000_000 => format!("{} ms", us / 1000),
        us if us < 10_000_000 => format!("{:.2} s", l.as_secs_f64()),
        us if us < 100_000_000 => format!("{:.1} s", l.as_secs_f64()),
        _ => number::duration(l),
    }
}

fn systems(app: &App, canvas: &mut Canvas<'_>, step: &Step, at: &Columns, y: u16) {
    let own = SYSTEMS.iter().position(|s| s.0 == step.system).unwrap_or(0);
    let role = SYSTEMS.get(own).map_or(Role::Text, |s| s.3);
    let (sign, sign_role) = glyph(step, role);
    let silent = step.kind == StepKind::Silence;
    if app.grid.size == Size::Narrow {
        if !silent {
            canvas.put(at.systems, y, SYSTEMS.get(own).map_or("", |s| s.2), role);
            canvas.put(at.what - 2, y, sign, sign_role);
        }
        return;
    }
    let line = if happened(step) { "│" } else { "┊" };
    for i in 0..SYSTEMS.len() {
        let x = at.systems + 6 * i as u16 + 1;
        if i == own && !silent {
            canvas.put(x, y, sign, sign_role);
        } else {
            canvas.put(x, y, line, Role::Faint);
        }
    }
}

fn what(step: &Step, canvas: &Canvas<'_>) -> Runs {
    let role = match step.kind {
        StepKind::Event => Role::Strong,
        StepKind::Line | StepKind::Silence => Role::Dim,
        StepKind::Warn | StepKind::Error | StepKind::Missing => Role::Text,
    };
    let mut runs = canvas.outside(&text::flat(&step.what), role);
    if step.kind == StepKind::Missing {
        let first = runs.first().and_then(|r| r.text.strip_prefix("missing:").map(str::to_owned));
        if let (Some(rest), Some(r)) = (first, runs.first_mut()) {
            *r = run(Role::Text, rest);
            runs.insert(0, run(Role::Bad, "missing:"));
        }
    }
    if !step.stack.is_empty() {
        runs.push(dim(format!("   ▸ stack {}", number::plural(step.stack.len(), "frame", "frames"))));
    }
    runs
}
