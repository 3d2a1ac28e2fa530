//! What happened, above the lanes: the spike's onset, peak and recovery, and the letters of deployments,
//! alarms, notes, ticks and the first stuck order, each with a label where there is room.

use crate::app::App;
use crate::app::findings::{Event, EventKind};
use crate::model::MarkKind;
use crate::model::series::Unit;
use crate::view::canvas::Canvas;
use crate::view::look::Role;
use crate::view::{number, text};

/// The sign of an event; onsets of signals have none of their own.
pub const fn glyph(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Onset => "▲",
        EventKind::Peak => "◆",
        EventKind::Recovery => "▼",
        EventKind::Broke => "·",
        EventKind::FirstStuck => "S",
        EventKind::Mark(MarkKind::Change) => "D",
        EventKind::Mark(MarkKind::Alarm) => "A",
        EventKind::Mark(MarkKind::Cleared) => "a",
        EventKind::Mark(MarkKind::Note) => "N",
        EventKind::Tick => "✓",
    }
}

const fn is_spike(kind: EventKind) -> bool {
    matches!(kind, EventKind::Onset | EventKind::Peak | EventKind::Recovery)
}

/// Whether an event stands in the list of events. That a signal left its band is said by "what broke
/// first", and so is the onset; only the drill panel of a window, which has no such list, tells them too.
pub fn is_told(app: &App, e: &Event, in_window: bool) -> bool {
    match e.kind {
        EventKind::Broke | EventKind::Peak | EventKind::Onset => in_window,
        // Dated by the order's birth, so it is known only later.
        EventKind::FirstStuck => app.at() >= e.at + app.store.incident.rules.stuck_after,
        EventKind::Recovery | EventKind::Mark(_) | EventKind::Tick => true,
    }
}

/// What an event says in a list, within `room` cells: who said it goes first when room is short.
pub fn says(app: &App, canvas: &Canvas<'_>, e: &Event, room: usize) -> String {
    match (e.kind, &app.derived.spike) {
        (EventKind::Recovery, Some(s)) => {
            format!("{} < {} × normal", canvas.safe(&s.lane), app.store.incident.rules.spike_ratio)
        }
        (EventKind::Peak, Some(s)) => {
            format!("peak {} {}", number::value(unit_of(app, &s.lane), s.peak.1), canvas.safe(&s.lane))
        }
        (EventKind::FirstStuck, _) => canvas.safe(&e.text).replacen("first stuck", "1st stuck", 1),
        _ => {
            let whole = canvas.safe(&e.text);
            if text::width(&whole) <= room { whole } else { what(&whole).to_owned() }
        }
    }
}

/// What was said, without who said it.
fn what(says: &str) -> &str {
    says.split_once(": ").map_or(says, |(_, what)| what)
}

/// Unit of a lane by name.
fn unit_of(app: &App, lane: &str) -> Unit {
    app.store.incident.lanes.iter().find(|l| l.name == lane).map_or(Unit::Count, |l| l.unit)
}

/// What an event is called above the lanes.
fn label(app: &App, canvas: &Canvas<'_>, e: &Event) -> String {
    let clock = app.store.incident.zone.hm(e.at);
    match (e.kind, &app.derived.spike) {
        (EventKind::Onset, _) => format!("{clock} onset"),
        (EventKind::Peak, Some(s)) => format!("{clock} peak {}", number::value(unit_of(app, &s.lane), s.peak.1)),
        (EventKind::Recovery, _) => "recovery".to_owned(),
        (EventKind::FirstStuck, _) => "1st stuck".to_owned(),
        (EventKind::Tick, _) => String::new(),
        _ => what(&canvas.safe(&e.text)).to_owned(),
    }
}

fn is_later(app: &App, e: &Event) -> bool {
    e.at > app.at() || (e.kind == EventKind::FirstStuck && !is_told(app, e, false))
}

/// Both rows: the spike with its labels, and the events below it.
pub fn two_rows(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let of = |spike: bool| {
        app.derived.events.iter().filter(move |e| is_spike(e.kind) == spike && e.kind != EventKind::Broke)
    };
    labelled(app, canvas, y, &of(true).collect::<Vec<_>>(), Role::Strong);
    labelled(app, canvas, y + 1, &of(false).collect::<Vec<_>>(), Role::Text);
}

/// Signs only, all on one row; the spike's stand over the others.
pub fn one_row(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let axis = app.axis();
    for spike in [false, true] {
        for e in app.derived.events.iter().filter(|e| is_spike(e.kind) == spike && e.kind != EventKind::Broke) {
            if let Some(column) = axis.column(e.at) {
                let role = if spike { Role::Strong } else { Role::Text };
                canvas.put(
                    app.grid.chart.0 + column as u16,
                    y,
                    glyph(e.kind),
                    if is_later(app, e) { Role::Later } else { role },
                );
            }
        }
    }
}

fn labelled(app: &App, canvas: &mut Canvas<'_>, y: u16, events: &[&Event], role: Role) {
    let axis = app.axis();
    let (x0, x1) = app.grid.chart;
    let placed: Vec<(u16, &Event)> =
        events.iter().filter_map(|e| axis.column(e.at).map(|c| (x0 + c as u16, *e))).collect();
    for (i, (x, e)) in placed.iter().enumerate() {
        let later = is_later(app, e);
        canvas.put(*x, y, glyph(e.kind), if later { Role::Later } else { role });
        let end = placed.get(i + 1).map_or(x1, |(next, _)| next.saturating_sub(1));
        let says = label(app, canvas, e);
        let room = usize::from(end.saturating_sub(x + 2));
        canvas.put(x + 2, y, &words(&says, room), if later { Role::Later } else { Role::Dim });
    }
}

/// As many whole words as fit, marked when some are missing; nothing when not even a telling one fits.
fn words(says: &str, room: usize) -> String {
    if text::width(says) <= room {
        return says.to_owned();
    }
    let mut out = String::new();
    for word in says.split(' ') {
        if text::width(&out) + text::width(word) + 1 > room {
            break;
        }
        out.push_str(word);
        out.push(' ');
    }
    let out = out.trim_end();
    if text::width(out) < 5 { String::new() } else { format!("{out}…") }
}
