//! Rows, panels, sorting, searching and folding of the list in front.

use crate::app::filter::Filter;
use crate::app::message::Effect;
use crate::app::rows::{Panel, RowId, panels};
use crate::app::state::{App, Place};
use crate::app::{act::drill, act::time};
use crate::model::untrusted::shown;

/// A page as a step.
pub fn page(app: &App) -> i64 {
    app.page() as i64
}

/// Moves the focus by rows; the extremes are the ends.
pub fn step(app: &mut App, by: i64) {
    let panel = app.panel();
    let last = app.len(panel).saturating_sub(1) as i64;
    let row = (app.focus() as i64).saturating_add(by).clamp(0, last);
    app.focus_row(panel, row as usize);
}

/// The next or previous panel of the place.
pub fn panel(app: &mut App, by: i64) {
    let n = panels(app.place()).len().max(1) as i64;
    app.panel = (app.panel as i64 + by).rem_euclid(n) as usize;
}

/// The next or previous database; a session is left, it belongs to the one before.
pub fn database(app: &mut App, by: i64) {
    let n = app.database_names().len() as i64;
    if n == 0 {
        app.say("no database is configured: [[db]] in the configuration");
        return;
    }
    app.database = (app.database as i64 + by).rem_euclid(n) as usize;
    if matches!(app.place(), Place::Session(_)) {
        drill::back(app);
    }
}

/// Columns a list can be sorted by; the first is its own order.
pub const fn sort_columns(panel: Panel) -> &'static [&'static str] {
    match panel {
        Panel::Patterns => &["new first", "lines", "first seen", "service", "orders"],
        Panel::Stacks => &["lines", "first seen", "stuck orders"],
        Panel::Orders => &["oldest first", "amount", "method", "service", "region", "id"],
        _ => &[],
    }
}

/// Sorts by the next column.
pub fn sort(app: &mut App) {
    let columns = sort_columns(app.panel());
    if columns.is_empty() {
        app.say("this list has one order");
        return;
    }
    let entry = app.sort.entry(app.sort_key()).or_default();
    *entry = ((entry.0 + 1) % columns.len(), false);
    let name = columns[entry.0];
    app.say(&format!("sorted by {name}"));
}

/// Sorts the other way round.
pub fn reverse(app: &mut App) {
    if sort_columns(app.panel()).is_empty() {
        app.say("this list has one order");
        return;
    }
    let entry = app.sort.entry(app.sort_key()).or_default();
    entry.1 = !entry.1;
}

/// The words of a row, for search, copy and attaching.
pub fn words(app: &App, panel: Panel, row: usize) -> String {
    let d = &app.derived;
    let text = match panel {
        Panel::Lanes => d.shown.get(row).and_then(|i| app.store.incident.lanes.get(*i)).map(|l| l.name.clone()),
        Panel::Onsets => d.onsets.get(row).map(|o| format!("{} {}", app.store.incident.zone.hm(o.at), o.name)),
        Panel::Events => d.events.get(row).map(|e| format!("{} {}", app.store.incident.zone.hms(e.at), e.text)),
        Panel::Tree => d.tree.rows.get(row).and_then(|r| {
            let s = app.look()?.sessions.get(r.session)?;
            Some(format!("{} {} {}", r.pid, s.application.raw(), s.query.raw()))
        }),
        Panel::Statements => d.statements.0.get(row).map(|s| s.query.raw().to_owned()),
        Panel::Wanted => d.wanted.get(row).map(|w| format!("{} {}", w.target.raw(), w.mode)),
        Panel::Patterns => d.patterns.get(row).map(|p| p.template.raw().to_owned()),
        Panel::Lines => app.line(row).map(|k| k.line.message.raw().to_owned()),
        Panel::Stacks => d.traces.get(row).map(|t| format!("{}: {}", t.name.raw(), t.says.raw())),
        Panel::Classes => d.classes.get(row).and_then(|c| c.class.card()).map(|c| c.name.to_owned()),
        Panel::Traits => d.shared.get(row).map(|t| format!("{} {}", t.name, t.value.raw())),
        Panel::Orders => d.orders.get(row).map(|o| o.id.to_string()),
        Panel::Steps => step_of(app, row).map(|s| s.what.raw().to_owned()),
        Panel::Hypotheses => d.findings.hypotheses.get(row).map(|f| format!("H{} {}", f.number, f.title.raw())),
        Panel::Sections => app.section(row).map(|s| s.title.raw().to_owned()),
        Panel::Ready => d
            .findings
            .ready
            .get(row)
            .and_then(|id| app.note.items.iter().find(|i| i.id == *id).map(|i| i.text.raw().to_owned())),
        Panel::Checks => app.checks().get(row).map(|c| c.title.raw().to_owned()),
        Panel::Items => app.section_items().nth(row).map(|i| i.text.raw().to_owned()),
        Panel::Sources => app.store.incident.sources.get(row).map(|s| s.name.clone()),
        Panel::Health => app.health_rows().nth(row).map(|(_, h)| h.says.raw().to_owned()),
        Panel::Limits => d.limits.get(row).map(|l| l.limit.name.clone()),
        Panel::Messages => app.messages.iter().rev().nth(row).map(|(_, m)| m.clone()),
        Panel::Questions => app.question(row).map(|q| q.text.raw().to_owned()),
        Panel::Activity => None,
        Panel::Session => app.place_session().map(|s| s.query.raw().to_owned()),
    };
    shown(&text.unwrap_or_default())
}

/// The step of the trail in a visible row.
pub fn step_of(app: &App, row: usize) -> Option<&crate::analysis::trail::Step> {
    app.derived.trail.as_ref()?.steps.get(*app.derived.steps.get(row)?)
}

/// Goes to the next (`1`) or previous (`-1`) row that has what is searched for, around the end.
pub fn search(app: &mut App, by: i64) {
    if app.search.is_empty() {
        app.say("nothing is searched for; / begins a search");
        return;
    }
    let filter = match Filter::parse(&app.search) {
        Ok(filter) => filter,
        Err(sentence) => return app.say(&sentence),
    };
    let panel = app.panel();
    let n = app.len(panel) as i64;
    let from = app.focus() as i64;
    let found = (1..=n)
        .map(|i| (from + by * i).rem_euclid(n.max(1)) as usize)
        .find(|row| filter.passes(&[&words(app, panel, *row)]));
    if let Some(row) = found {
        app.focus_row(panel, row);
    } else {
        let text = format!("no row matches {}", shown(&app.search));
        app.say(&text);
    }
}

/// In lines the next row of the same order; in a trail or a list the list's next order.
pub fn same_order(app: &mut App, by: i64) -> Vec<Effect> {
    match app.panel() {
        Panel::Steps => neighbour(app, by),
        Panel::Orders => step(app, by),
        Panel::Lines => {
            let row = app.focus();
            let Some(order) = app.line(row).and_then(|k| k.line.order.clone()) else {
                app.say("this line names no order");
                return Vec::new();
            };
            let n = app.len(Panel::Lines) as i64;
            let same = |row: &i64| app.line(*row as usize).is_some_and(|k| k.line.order.as_ref() == Some(&order));
            let found = if by > 0 { (row as i64 + 1..n).find(same) } else { (0..row as i64).rev().find(same) };
            match found {
                Some(row) => app.focus_row(Panel::Lines, row as usize),
                None => app.say(&format!("no further line names {}", shown(&order))),
            }
        }
        _ => app.say("this row names no order"),
    }
    Vec::new()
}

/// The next order of the list the trail was opened from.
fn neighbour(app: &mut App, by: i64) {
    let Place::Trail(id) = app.place().clone() else { return };
    let row = app.derived.orders.iter().position(|o| o.id == id).map(|i| i as i64 + by);
    let next = row.and_then(|i| app.derived.orders.get(usize::try_from(i).ok()?)).map(|o| o.id.clone());
    let Some(next) = next else {
        app.say(if by > 0 { "no further order in the list" } else { "no order before it in the list" });
        return;
    };
    let depth = app.places.len();
    if let Some(list) =
        depth.checked_sub(2).and_then(|i| app.places.get(i)).filter(|p| matches!(p, Place::OrderList { .. }))
    {
        let key = format!("{}#{}", list.key(), Panel::Orders.name());
        let rows = app.rows.entry(key).or_default();
        rows.focus = row.unwrap_or_default().max(0) as usize;
    }
    if let Some(place) = app.places.last_mut() {
        *place = Place::Trail(next);
    }
}

/// The focused row over the whole screen, and back.
pub fn zoom(app: &mut App) {
    if !app.zoomed && !matches!(app.panel(), Panel::Lanes | Panel::Checks | Panel::Items) {
        app.say("z shows one lane alone: go to the lanes with Tab first");
        return;
    }
    app.zoomed = !app.zoomed;
}

/// Folds or unfolds the row; in a trail it hides what is no event.
pub fn fold(app: &mut App) {
    let row = app.focus();
    let key = match app.panel() {
        Panel::Tree => app
            .derived
            .tree
            .rows
            .get(row)
            .filter(|r| !r.folded.is_empty() || app.unfolded.contains(&i64::from(r.pid)))
            .map(|r| i64::from(r.pid)),
        Panel::Lines => app.derived.lines.get(row).map(|n| *n as i64),
        Panel::Steps => {
            app.events_only = !app.events_only;
            return;
        }
        _ => None,
    };
    let Some(key) = key else {
        app.say("there is nothing to unfold in this row");
        return;
    };
    if let Some(i) = app.unfolded.iter().position(|k| *k == key) {
        app.unfolded.remove(i);
    } else {
        app.unfolded.push(key);
    }
}

/// The Timeline shows the lanes of one hypothesis, or all again.
pub fn lanes_of(app: &mut App, number: u32) {
    let known = app.note.hypotheses.iter().any(|h| h.number == number);
    if !known {
        app.say(&format!("the note has no hypothesis {number}"));
        return;
    }
    app.lanes_of = if app.lanes_of == Some(number) { None } else { Some(number) };
    if app.lanes_of.is_some() {
        drill::screen(app, crate::app::state::Screen::Timeline);
        app.say(&format!("only the signals of H{number}; H {number} again or Esc shows all"));
    }
}

/// Marks the row or takes its mark away.
pub fn mark(app: &mut App) {
    let panel = app.panel();
    let row = app.focus();
    let Some(key) = mark_key(app, panel, row) else {
        app.say("there is no row to mark");
        return;
    };
    if !app.marked.remove(&key) {
        app.marked.insert(key);
    }
}

/// Under which name a row's mark is kept.
pub fn mark_key(app: &App, panel: Panel, row: usize) -> Option<String> {
    if row >= app.len(panel) {
        return None;
    }
    Some(match app.row_id(panel, row) {
        Some(RowId::Number(n)) => format!("{} {n}", panel.name()),
        Some(RowId::Name(name)) => format!("{} {name}", panel.name()),
        Some(RowId::Order(id)) => format!("orders {id}"),
        None => format!("{} {row}", app.rows_key(panel)),
    })
}

/// Puts the cursor where the focused row is in time.
pub fn instant(app: &App) -> Option<crate::model::Stamp> {
    match app.panel() {
        Panel::Lines => app.line(app.focus()).map(|k| k.line.at),
        Panel::Steps => step_of(app, app.focus()).and_then(|s| s.at),
        Panel::Orders => app.derived.orders.get(app.focus()).map(|o| o.born),
        Panel::Events => app.derived.events.get(app.focus()).map(|e| e.at),
        _ => None,
    }
}

/// The cursor to the instant of the focused row.
pub fn go_to_row(app: &mut App) -> Vec<Effect> {
    let Some(at) = instant(app) else {
        app.say("this row has no instant of its own");
        return Vec::new();
    };
    time::go(app, at)
}

impl App {
    /// The session of the place in front.
    pub fn place_session(&self) -> Option<&crate::model::database::Session> {
        let Place::Session(pid) = self.place() else { return None };
        self.look()?.sessions.iter().find(|s| s.pid == *pid)
    }
    /// Under which name the order of the list in front is kept: traces have columns of their own.
    pub fn sort_key(&self) -> String {
        let of = if self.panel() == Panel::Stacks { "#traces" } else { "" };
        format!("{}{of}", self.place().key())
    }
    /// Whether a row carries somebody's mark.
    pub fn is_marked(&self, panel: Panel, row: usize) -> bool {
        mark_key(self, panel, row).is_some_and(|k| self.marked.contains(&k))
    }
    /// Name of the column the list in front is sorted by, and whether it is reversed.
    pub fn sorted_by(&self) -> Option<(&'static str, bool)> {
        let (column, reversed) = self.sort.get(&self.sort_key()).copied().unwrap_or_default();
        sort_columns(self.panel()).get(column).map(|name| (*name, reversed))
    }
}
