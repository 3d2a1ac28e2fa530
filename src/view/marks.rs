//! What happened, above the lanes: the spike's onset, peak and recovery, and the letters of deployments,
//! alarms, notes and the first stuck order, each with a label where there is room.

use crate::analysis::spike::Onset;
use crate::app::App;
use crate::model::batch::MarkKind;
use crate::model::series::Unit;
use crate::model::{Stamp, Untrusted};
use crate::view::canvas::Canvas;
use crate::view::look::Role;
use crate::view::{number, text};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Stamp,
    /// Its glyph or letter.
    pub glyph: &'static str,
    /// What, ready to be shown.
    pub says: String,
    /// Not known yet at a past cursor.
    pub later: bool,
}

/// The spike's three marks that are on record, greyed where they come after the cursor.
pub fn spike(app: &App) -> Vec<Event> {
    let Some(s) = &app.derived.spike else { return Vec::new() };
    let at = app.at();
    let zone = &app.store.incident.zone;
    let unit = unit_of(app, &s.lane);
    let event = |when: Stamp, glyph, says| Event { at: when, glyph, says, later: when > at };
    let mut out = vec![event(s.onset, "▲", format!("{} onset", zone.hm(s.onset)))];
    let (when, value) = s.peak;
    out.push(event(when, "◆", format!("{} peak {}", zone.hm(when), number::value(unit, value))));
    if let Some(when) = s.recovery {
        out.push(event(when, "▼", "recovery".to_owned()));
    }
    out
}

/// Unit of a lane by name.
pub fn unit_of(app: &App, lane: &str) -> Unit {
    app.store.incident.lanes.iter().find(|l| l.name == lane).map_or(Unit::Count, |l| l.unit)
}

/// The letter a kind of mark is drawn as.
pub const fn letter(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Change => "D",
        MarkKind::Alarm => "A",
        MarkKind::Note => "N",
    }
}

/// Marks up to the newest instant, the first stuck order among them, in order of time.
pub fn events(app: &App, canvas: &Canvas<'_>) -> Vec<Event> {
    let at = app.at();
    let mut out: Vec<Event> = app
        .store
        .marks(app.live_edge())
        .iter()
        .map(|m| Event {
            at: m.at,
            glyph: letter(m.kind),
            says: said(canvas, &m.text, &m.who, m.kind),
            later: m.at > at,
        })
        .collect();
    if let Some(first) = first_stuck(app) {
        out.push(Event { at: first.at, glyph: "S", says: "1st stuck".to_owned(), later: first.at > at });
    }
    out.sort_by_key(|e| e.at);
    out
}

fn said(canvas: &Canvas<'_>, what: &Untrusted, who: &Untrusted, kind: MarkKind) -> String {
    let what = canvas.shown(what);
    if kind == MarkKind::Note && !who.is_empty() { format!("{}: {what}", canvas.shown(who)) } else { what }
}

/// The onset of the lane that counts stuck orders, when it is among what broke.
pub fn first_stuck(app: &App) -> Option<&Onset> {
    app.derived.onsets.iter().find(|o| o.name.contains("stuck"))
}

/// Both rows: the spike with its labels, and the events below it.
pub fn two_rows(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let spike = spike(app);
    labelled(app, canvas, y, &spike, Role::Strong);
    let events: Vec<Event> =
        events(app, canvas).into_iter().map(|e| Event { says: without_who(&e.says), ..e }).collect();
    labelled(app, canvas, y + 1, &events, Role::Text);
}

fn without_who(says: &str) -> String {
    says.split_once(": ").map_or(says, |(_, what)| what).to_owned()
}

/// Glyphs only, all on one row.
pub fn one_row(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let axis = app.axis();
    let events = events(app, canvas);
    let spike = spike(app);
    for (e, role) in events.iter().map(|e| (e, Role::Text)).chain(spike.iter().map(|e| (e, Role::Strong))) {
        if let Some(column) = axis.column(e.at) {
            let role = if e.later { Role::Later } else { role };
            canvas.put(app.grid.chart.0 + column as u16, y, e.glyph, role);
        }
    }
}

fn labelled(app: &App, canvas: &mut Canvas<'_>, y: u16, events: &[Event], role: Role) {
    let axis = app.axis();
    let (x0, x1) = app.grid.chart;
    let placed: Vec<(u16, &Event)> =
        events.iter().filter_map(|e| axis.column(e.at).map(|c| (x0 + c as u16, e))).collect();
    for (i, (x, e)) in placed.iter().enumerate() {
        canvas.put(*x, y, e.glyph, if e.later { Role::Later } else { role });
        let end = placed.get(i + 1).map_or(x1, |(next, _)| next.saturating_sub(1));
        let room = usize::from(end.saturating_sub(x + 2));
        // A cut label is worth its cells only while it still names something.
        if text::width(&e.says) <= room || room >= 8 {
            canvas.fit(x + 2, y, end, &e.says, if e.later { Role::Later } else { Role::Dim });
        }
    }
}
