//! The drill: what Enter opens, what back leaves, and the views visited.

use crate::analysis::reconcile::{Bad, CLASSES, Class, SharedTrait};
use crate::app::act::{note, time};
use crate::app::message::Effect;
use crate::app::rows::Panel;
use crate::app::state::{App, Mode, Place, Rows, Screen, View};
use crate::model::Span;
use crate::model::note::{ItemId, Verdict};
use crate::model::order::OrderId;
use crate::model::untrusted::shown;

/// How many views history keeps.
const HISTORY: usize = 100;

/// What Enter would open from the focused row.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A place.
    Place(Place),
    /// Orders born in this stretch; it becomes the window.
    Window(Span),
    /// The cursor to an instant.
    Instant(crate::model::Stamp),
    /// The focused row over the whole screen.
    Whole,
    /// The checkbox, wherever it is.
    Item(ItemId),
}

/// What Enter opens; none when it does nothing here.
pub fn target(app: &App) -> Option<Target> {
    let d = &app.derived;
    let row = app.focus();
    let place = |p| Some(Target::Place(p));
    match app.panel() {
        Panel::Lanes => Some(Target::Window(app.selected().unwrap_or_else(|| app.column()))),
        Panel::Onsets => d.onsets.get(row).map(|o| Target::Instant(o.at)),
        Panel::Events => d.events.get(row).map(|e| Target::Instant(e.at)),
        Panel::Tree => d.tree.rows.get(row).and_then(|r| place(Place::Session(r.pid))),
        Panel::Patterns => d.patterns.get(row).and_then(|p| place(Place::Lines(p.template.raw().to_owned()))),
        Panel::Stacks => d.traces.get(row).and_then(|t| place(Place::Stack(t.name.raw().to_owned()))),
        Panel::Lines => app.line(row).and_then(|k| k.line.order.clone()).and_then(|id| place(Place::Trail(id))),
        Panel::Classes => d.classes.get(row).and_then(|c| place(of_class(c.class))),
        Panel::Traits => d.shared.get(row).and_then(|t| place(of_segment(app.segments_of, t))),
        Panel::Orders => d.orders.get(row).and_then(|o| place(Place::Trail(o.id.clone()))),
        Panel::Steps => strongest(app).and_then(|n| place(Place::Checks(n))),
        Panel::Hypotheses => d.findings.hypotheses.get(row).and_then(|f| place(Place::Checks(f.number))),
        Panel::Sections => app.section(row).and_then(|_| place(Place::Section(row))),
        Panel::Ready => d.findings.ready.get(row).map(|id| Target::Item(id.clone())),
        Panel::Checks | Panel::Items if !app.zoomed && !app.is_empty(app.panel()) => Some(Target::Whole),
        Panel::Sources => app.store.incident.sources.get(row).and_then(|s| place(Place::SourceLog(s.name.clone()))),
        Panel::Health => app.health_rows().nth(row).map(|(at, _)| Target::Instant(at)),
        Panel::Limits => d.limits.get(row).and_then(|l| l.peak).map(|(at, _)| Target::Instant(at)),
        Panel::Messages => app.messages.iter().rev().nth(row).map(|(at, _)| Target::Instant(*at)),
        _ => None,
    }
}

fn of_class(class: Class) -> Place {
    let title = class.card().map_or("orders", |c| c.name).to_owned();
    Place::OrderList { title, classes: vec![class], terms: Vec::new(), check: None }
}

/// The bad orders of a segment.
fn of_segment(bad: Bad, segment: &SharedTrait) -> Place {
    let classes = match bad {
        Bad::Stuck => Vec::new(),
        Bad::NotAtHo => CLASSES.iter().filter(|c| c.not_at_ho).map(|c| c.class).collect(),
        Bad::Class(class) => vec![class],
    };
    Place::OrderList { title: segment.value.raw().to_owned(), classes, terms: segment.terms.clone(), check: None }
}

/// The traits of other orders: the stuck, those charged and not at HO, those of the class in focus.
pub fn next_segments(app: &mut App) {
    let focus = app.rows_in(Panel::Classes).focus;
    let class = || app.derived.classes.get(focus).map(|c| Bad::Class(c.class));
    app.segments_of = match app.segments_of {
        Bad::Stuck => Bad::NotAtHo,
        Bad::NotAtHo => class().unwrap_or_default(),
        Bad::Class(_) => Bad::Stuck,
    };
}

/// The hypothesis the trail in front supports most; the leading one when it supports none.
pub fn strongest(app: &App) -> Option<u32> {
    let says = app.derived.trail.as_ref().map_or(&[][..], |t| t.says.as_slice());
    let known = |n: u32| app.derived.findings.hypotheses.iter().any(|f| f.number == n);
    let supported = says.iter().find(|s| s.verdict == Verdict::Supports && known(s.hypothesis)).map(|s| s.hypothesis);
    supported.or_else(|| app.derived.findings.hypotheses.first().map(|f| f.number))
}

/// Enter.
pub fn open(app: &mut App) -> Vec<Effect> {
    match target(app) {
        Some(Target::Place(place)) => enter(app, place),
        Some(Target::Window(span)) => {
            let before = app.window;
            visit(app);
            app.window = Some(span);
            app.selecting = false;
            push(app, Place::OrderClasses);
            app.windows.push((app.places.len(), before));
            if app.mode == Mode::Live { vec![Effect::Want(span)] } else { Vec::new() }
        }
        Some(Target::Instant(at)) => time::go(app, at),
        Some(Target::Whole) => {
            app.zoomed = true;
            Vec::new()
        }
        Some(Target::Item(id)) => {
            to_item(app, &id);
            Vec::new()
        }
        None => {
            app.say("nothing to open here");
            Vec::new()
        }
    }
}

/// Goes one place deeper.
pub fn enter(app: &mut App, place: Place) -> Vec<Effect> {
    if *app.place() != place {
        visit(app);
        push(app, place);
    }
    Vec::new()
}

/// The list of all stuck orders of the scope.
pub fn stuck_orders(app: &mut App) {
    enter(app, Place::OrderList { title: "stuck".to_owned(), classes: Vec::new(), terms: Vec::new(), check: None });
}

/// The orders that carry the evidence of the check in focus.
pub fn evidence_orders(app: &mut App) {
    let Some(check) = app.checks().get(app.focus()) else {
        app.say("there is no check in this row");
        return;
    };
    let (id, words, names) = (check.id.clone(), check.title.raw().to_owned(), check.of_orders);
    if !names {
        app.say(&format!("{id} names no orders: it looks at none"));
        return;
    }
    let title = format!("{id} {words}");
    enter(app, Place::OrderList { title, classes: Vec::new(), terms: Vec::new(), check: Some(id) });
}

/// What is searched for when the note names no words: what hung orders leave in logs.
const WORDS: [&str; 4] = ["timeout", "connection", "circuit", "payment"];
/// A checkbox with so many quoted words asks to search for them.
const ENOUGH: usize = 3;

/// Lines with the next word of the note, from the first; after the last word lines with any of them.
pub fn keyword(app: &mut App) {
    let words = words_of_the_note(app);
    let any = format!("~{}", words.iter().map(|w| regex::escape(w)).collect::<Vec<_>>().join("|"));
    let steps: Vec<String> = words.into_iter().chain([any]).collect();
    let all = Place::Lines(String::new());
    let now = (*app.place() == all).then(|| steps.iter().position(|s| *s == app.filter)).flatten();
    let next = now.map_or(0, |i| (i + 1) % steps.len());
    enter(app, all);
    steps[next].clone_into(&mut app.filter);
    let after = shown(&steps[(next + 1) % steps.len()]);
    app.say(&format!("lines with {}; K: {after}; Esc Esc: back to all", shown(&steps[next])));
}

/// The quoted words of the first checkbox that has several.
fn words_of_the_note(app: &App) -> Vec<String> {
    let quoted = |text: &str| -> Vec<String> {
        let text = text.replace(['“', '”', '„'], "\"");
        let words = text.split('"').skip(1).step_by(2).map(|w| w.trim().to_lowercase());
        words.filter(|w| !w.is_empty() && !w.contains(char::is_whitespace)).collect()
    };
    let named = app.note.items.iter().map(|i| quoted(i.text.raw())).find(|words| words.len() >= ENOUGH);
    named.unwrap_or_else(|| WORDS.map(str::to_owned).to_vec())
}

/// The lines around the one in focus, whatever pattern and filter it was found by.
pub fn context(app: &mut App) {
    let number = app.line(app.focus()).map(|k| k.number);
    let place = |n| app.store.logs.within(app.lines_span()).iter().position(|k| k.number == n);
    let Some(row) = number.and_then(place) else {
        app.say("the lines around it are not in memory");
        return;
    };
    let all = Place::Lines(String::new());
    if *app.place() == all {
        // A focus that was set stays with its line.
        let (key, rows) = (app.rows_key(Panel::Lines), app.rows_in(Panel::Lines));
        app.rows.entry(key).or_insert(rows);
        app.filter.clear();
        return;
    }
    enter(app, all);
    app.filter.clear();
    let page = app.page();
    let key = app.rows_key(Panel::Lines);
    app.rows.insert(key, Rows { focus: row, top: row.saturating_sub(page / 2) });
}

/// The trail of an order by its id, in any case.
pub fn order(app: &mut App, id: &str) {
    let exact = app.store.orders.entry(id).map(|_| OrderId::from(id));
    let found =
        exact.or_else(|| app.store.orders.entries().find(|(k, _)| k.eq_ignore_ascii_case(id)).map(|(k, _)| k.clone()));
    match found {
        Some(id) => {
            enter(app, Place::Trail(id));
        }
        None => app.say(&format!("order {} is not known here; it was not in any answer so far", shown(id))),
    }
}

/// The checks or the section that hold a checkbox, with the focus on it.
pub fn to_item(app: &mut App, id: &ItemId) {
    let hypothesis = app.derived.findings.hypotheses.iter().find_map(|f| {
        let i = f.checks.iter().position(|c| c.item.as_ref() == Some(id))?;
        Some((f.number, i))
    });
    if let Some((number, row)) = hypothesis {
        enter(app, Place::Checks(number));
        app.focus_row(Panel::Checks, row);
        return;
    }
    let mut sections = app.note.phases.iter().chain(&app.note.areas).chain(&app.note.others).enumerate();
    let found = sections.find_map(|(i, s)| {
        let row = s.items.iter().position(|n| app.note.items.get(*n).is_some_and(|item| item.id == *id))?;
        Some((i, row))
    });
    if let Some((i, row)) = found {
        enter(app, Place::Section(i));
        app.focus_row(Panel::Items, row);
    } else {
        app.say(&note::gone());
    }
}

/// A screen by its number; the window and the cursor stay.
pub fn screen(app: &mut App, screen: Screen) {
    if app.places == [Place::Top(screen)] {
        return;
    }
    visit(app);
    swap_filter(app, &Place::Top(screen));
    app.places = vec![Place::Top(screen)];
    app.windows.clear();
    app.screen = screen;
    arrived(app);
}

/// One step back: a place, else the selection or the window. Whether there was anything to leave.
pub fn back(app: &mut App) -> bool {
    if app.places.len() > 1 {
        visit(app);
        let depth = app.places.len();
        let to = app.places.get(depth - 2).cloned().unwrap_or(Place::Top(app.screen));
        swap_filter(app, &to);
        app.places.pop();
        if app.windows.last().is_some_and(|(d, _)| *d == depth)
            && let Some((_, before)) = app.windows.pop()
        {
            app.window = before;
        }
        app.screen = to.screen().unwrap_or(app.screen);
        arrived(app);
        // Back to the panel one came from, not to the first.
        if let Some(left) = app.back.iter().rev().find(|v| v.places == app.places) {
            app.panel = left.panel;
        }
        return true;
    }
    if !app.filter.is_empty() {
        app.filter.clear();
        return true;
    }
    if *app.place() != Place::Top(Screen::Timeline) {
        if app.window.is_some() {
            screen(app, Screen::Timeline);
            return true;
        }
        return false;
    }
    if app.selection.take().is_some() {
        app.selecting = false;
        return true;
    }
    if app.window.take().is_some() {
        return true;
    }
    app.lanes_of.take().is_some()
}

fn push(app: &mut App, place: Place) {
    swap_filter(app, &place);
    app.screen = place.screen().unwrap_or(app.screen);
    app.places.push(place);
    arrived(app);
}

fn arrived(app: &mut App) {
    app.panel = 0;
    app.zoomed = false;
    app.leaving = false;
}

/// Each place keeps its own filter.
fn swap_filter(app: &mut App, to: &Place) {
    let from = app.place().key();
    let filter = std::mem::take(&mut app.filter);
    if filter.is_empty() {
        app.filters.remove(&from);
    } else {
        app.filters.insert(from, filter);
    }
    app.filter = app.filters.get(&to.key()).cloned().unwrap_or_default();
}

fn view(app: &App) -> View {
    View {
        screen: app.screen,
        places: app.places.clone(),
        window: app.window,
        windows: app.windows.clone(),
        panel: app.panel,
    }
}

/// The view in front goes into history because another one comes.
fn visit(app: &mut App) {
    let now = view(app);
    app.previous = Some(now.clone());
    if app.back.last() != Some(&now) {
        app.back.push(now);
    }
    let over = app.back.len().saturating_sub(HISTORY);
    app.back.drain(..over);
    app.forward.clear();
}

fn show(app: &mut App, view: View) {
    let front = view.places.last().cloned().unwrap_or(Place::Top(view.screen));
    swap_filter(app, &front);
    app.screen = view.screen;
    app.places = if view.places.is_empty() { vec![front] } else { view.places };
    app.window = view.window;
    app.windows = view.windows;
    arrived(app);
    app.panel = view.panel;
}

/// The view before this one, and back again.
pub fn last_view(app: &mut App) {
    let now = view(app);
    match app.previous.take() {
        Some(before) => {
            show(app, before);
            app.previous = Some(now);
        }
        None => app.say("there was no view before this one"),
    }
}

/// Back in history.
pub fn history_back(app: &mut App) {
    let now = view(app);
    match app.back.pop() {
        Some(before) => {
            app.forward.push(now.clone());
            app.previous = Some(now);
            show(app, before);
        }
        None => app.say("history begins here"),
    }
}

/// Forward in history.
pub fn history_forward(app: &mut App) {
    let now = view(app);
    match app.forward.pop() {
        Some(next) => {
            app.back.push(now.clone());
            app.previous = Some(now);
            show(app, next);
        }
        None => app.say("history ends here"),
    }
}
