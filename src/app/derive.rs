//! Keeps `App::derived` true to the store, the cursor and the place in front, without doing work twice.
//!
//! Cheap parts follow every change. Heavy ones (orders, patterns, findings) are made only where they are
//! seen, and while facts pour in at most once a second; a list under somebody's hand keeps its order.

use crate::analysis::lane::Axis;
use crate::analysis::reconcile::{self, Class, ClassCount, Standing};
use crate::analysis::{blocking, check, database, gap, lane, limit, pattern, spike, stack};
use crate::app::findings::{Born, Event, EventKind};
use crate::app::lists::{self, List, follow, keep_order};
use crate::app::rows::Panel;
use crate::app::state::{App, Cursor, Place, Screen};
use crate::model::note::Note;
use crate::model::order::OrderId;
use crate::model::series::Lane;
use crate::model::untrusted::shown;
use crate::model::{Lapse, Span, Stamp};
use std::sync::Arc;

/// How long facts may go on coming before heavy parts are made again.
const HEAVY_EVERY: Lapse = Lapse::seconds(1);
/// What broke first is dated by whole minutes, and made again this often.
const STORY_EVERY: Lapse = Lapse::seconds(5);
/// The rules look at everything there is: while facts pour in they are asked again this often, and at once when
/// somebody looks elsewhere or says something. The screen says as of when they were.
const RULES_EVERY: Lapse = Lapse::seconds(10);
/// Orders grow old without new facts; after this long they are counted again.
const AGED: Lapse = Lapse::seconds(10);
/// How far back the trend of a class looks.
const TREND: Lapse = Lapse::minutes(5);
/// Rows under the focus keep their order this long after a key.
const HANDS_OFF: Lapse = Lapse::seconds(2);
/// How far apart two looks at the statements are, about.
const STATEMENTS_OVER: Lapse = Lapse::seconds(60);

/// What derived values were made for; equal means nothing is to be done.
#[derive(Clone, Debug, Default)]
pub struct Made {
    light: Option<Light>,
    heavy: Option<Heavy>,
    pub(super) list: Option<List>,
    /// How often the note was read anew; none while there is none.
    note: Option<u64>,
    light_at: Stamp,
    pub(super) heavy_at: Stamp,
    pub(super) heavy_generation: u64,
    story: Option<u64>,
    story_at: Stamp,
    /// What the lanes of the order book were made for, when that is known.
    book: Option<Book>,
    /// Heavy parts in the making, and how many of their pieces are done.
    making: Option<(Heavy, usize)>,
    /// What the counts of five minutes before were made for.
    before: Option<(Span, Cursor, i64)>,
    /// Orders that hang, for the piece that reads their lines.
    hung: Vec<OrderId>,
    /// Worked out by earlier pieces for the findings.
    given: check::Given,
    /// What the findings were made for, and when by the clock.
    findings: Option<(Asked, Stamp)>,
    /// What broke first as of the newest instant, and which that was.
    onsets: Option<(Stamp, Vec<spike::Onset>)>,
    /// What the baseline's lines say.
    usual: Option<check::Usual>,
    dirty: bool,
}

/// What the rules were asked; the same question has a younger answer only every [`RULES_EVERY`].
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    cursor: Cursor,
    /// Of a cursor that stands; one that follows now is the same question.
    at: Option<Stamp>,
    scope: Span,
    note: Option<u64>,
    /// Verdicts of people, and what they bound.
    said: usize,
    /// The check whose orders are in front.
    carry: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Book {
    generation: u64,
    cursor: Cursor,
    /// Orders grow old without new facts.
    aged: i64,
    axis: Axis,
    /// How many lanes there are: somebody may choose another.
    lanes: usize,
}

#[derive(Clone, Debug, PartialEq)]
struct Light {
    generation: u64,
    cursor: Cursor,
    /// Whole seconds: time alone moves the picture once a second.
    edge: i64,
    axis: Axis,
    database: usize,
    unfolded: Vec<i64>,
    lanes_of: Option<u32>,
    database_screen: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Heavy {
    cursor: Cursor,
    at: Stamp,
    scope: Span,
    /// The stretch Enter would open, while the timeline is in front.
    born: Option<Span>,
    segments_of: reconcile::Bad,
    needs: Needs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of parts, each made or not")]
struct Needs {
    orders: bool,
    traits: bool,
    patterns: bool,
    findings: bool,
    limits: bool,
}

impl Needs {
    fn of(app: &App) -> Self {
        let place = app.place();
        let screen = place.screen().unwrap_or(app.screen);
        Self {
            orders: matches!(screen, Screen::Timeline | Screen::Orders),
            traits: matches!(place, Place::OrderClasses | Place::Top(Screen::Orders)),
            patterns: screen == Screen::Logs,
            findings: matches!(screen, Screen::Timeline | Screen::Orders | Screen::Hypotheses)
                || matches!(place, Place::Trail(_)),
            limits: *place == Place::Limits,
        }
    }
    const fn covers(self, other: Self) -> bool {
        (self.orders || !other.orders)
            && (self.traits || !other.traits)
            && (self.patterns || !other.patterns)
            && (self.findings || !other.findings)
            && (self.limits || !other.limits)
    }
}

/// Facts came: what is derived will be made at the next settling, before the next frame. Never here: a
/// burst of batches must not keep a key waiting.
pub(super) fn facts_came(app: &mut App) {
    app.made.dirty = true;
}

/// Makes everything that is out of date.
pub fn settle(app: &mut App) {
    hasten(app);
    while settle_piece(app) {}
}

/// What a key waits for: the cheap parts. What takes longer is left as it was, and [`unsettled`] says so.
pub fn hasten(app: &mut App) {
    note(app);
    light(app);
    lists::cut(app);
    app.made.dirty = slow_wanted(app);
}

fn slow_wanted(app: &App) -> bool {
    book_wanted(app) || story_wanted(app) || heavy_wanted(app).is_some()
}

/// Makes one piece of what [`hasten`] left, short enough for a key to come in between; says whether more
/// is left.
pub fn settle_piece(app: &mut App) -> bool {
    if app.made.dirty && app.made.light.as_ref().is_none_or(|l| l.generation != app.store.generation) {
        hasten(app);
    }
    if book_wanted(app) {
        book_lanes(app);
    } else if story_wanted(app) {
        story(app);
    } else if let Some(want) = heavy_wanted(app) {
        heavy_piece(app, want);
    }
    let more = slow_wanted(app);
    if !more {
        lists::cut(app);
    }
    app.made.dirty = more;
    more
}

/// Whether derived values are behind the facts or the cursor.
pub fn unsettled(app: &App) -> bool {
    app.made.dirty
}

fn note(app: &mut App) {
    let at = app.at();
    let Some(text) = app.store.note(at) else {
        if app.made.note.take().is_some() {
            app.note = Arc::new(Note::default());
            app.note_text = Arc::from("");
        }
        return;
    };
    // By its words: a tick changes neither the length nor, in a demo that stands still, the time.
    if app.made.note.is_some() && text.text.raw() == &*app.note_text {
        return;
    }
    app.made.note = Some(app.made.note.unwrap_or_default() + 1);
    let raw: Arc<str> = Arc::from(text.text.raw());
    app.note = Arc::new(crate::note::parse::parse(text.name.raw(), &raw));
    app.note_text = raw;
    app.made.heavy = None;
}

fn light(app: &mut App) {
    let want = Light {
        generation: app.store.generation,
        cursor: app.cursor,
        edge: app.live_edge().0.div_euclid(1_000_000),
        axis: app.axis(),
        database: app.database,
        unfolded: app.unfolded.clone(),
        lanes_of: app.lanes_of,
        database_screen: app.place().screen() == Some(Screen::Database),
    };
    if app.made.light.as_ref() == Some(&want) {
        return;
    }
    let (at, edge, axis) = (app.at(), app.live_edge(), want.axis);
    let store = &app.store;
    let d = &mut app.derived;
    let before = std::mem::take(&mut d.lanes);
    let kept = |i: usize, l: &Lane| before.get(i).filter(|b| lane::is_slow(store, l) && !b.cells.is_empty()).cloned();
    let lanes = store.incident.lanes.iter().enumerate();
    d.lanes = lanes.map(|(i, l)| kept(i, l).unwrap_or_else(|| lane::columns(store, l, &axis, at, edge))).collect();
    d.gaps = gap::gaps(store, axis.span(), edge);
    d.shown = (0..store.incident.lanes.len()).collect();
    if let Some(number) = app.lanes_of {
        let of = lanes_of(app, number);
        app.derived.shown.retain(|i| of.contains(i));
    }
    app.derived.events = events(app, edge);
    if want.database_screen {
        database_panels(app);
    }
    app.made.light_at = app.now;
    app.made.light = Some(want);
}

/// Spike and onsets depend on the facts alone, not on the cursor: made at most once a second.
fn story_wanted(app: &App) -> bool {
    let waited = app.now.since(app.made.story_at) >= STORY_EVERY || app.now < app.made.story_at;
    app.made.story.is_none() || (app.made.story != Some(app.store.generation) && waited)
}

fn story(app: &mut App) {
    let edge = app.live_edge();
    app.derived.spike = spike::spike(&app.store, edge);
    let onsets = spike::broke_first(&app.store, edge);
    app.derived.onsets = spike::hung(&onsets);
    app.made.onsets = Some((edge, onsets));
    app.made.story = Some(app.store.generation);
    app.made.story_at = app.now;
    app.derived.events = events(app, edge);
}

fn database_panels(app: &mut App) {
    let focus = app.row_id(Panel::Tree, app.rows_in(Panel::Tree).focus);
    let unfolded: Vec<i32> = app.unfolded.iter().filter_map(|n| i32::try_from(*n).ok()).collect();
    let tree = app.look().map(|s| blocking::tree(s, &unfolded)).unwrap_or_default();
    let wanted = app.look().map(database::wanted).unwrap_or_default();
    let statements = app
        .database_name()
        .map(|name| database::statements(&app.store, name, app.at(), STATEMENTS_OVER))
        .unwrap_or_default();
    app.derived.tree = tree;
    app.derived.wanted = wanted;
    app.derived.statements = statements;
    follow(app, Panel::Tree, focus);
}

/// Lanes whose series the checks of a hypothesis look at; the trigger is always among them.
fn lanes_of(app: &App, number: u32) -> Vec<usize> {
    let finding = app.derived.findings.hypotheses.iter().find(|f| f.number == number);
    let series: Vec<_> = finding.into_iter().flat_map(|f| &f.checks).filter_map(|c| c.spark.clone()).collect();
    let lanes = app.store.incident.lanes.iter().enumerate();
    let of: Vec<usize> = lanes.filter(|(_, l)| l.trigger || series.contains(&l.series)).map(|(i, _)| i).collect();
    if of.len() <= 1 { (0..app.store.incident.lanes.len()).collect() } else { of }
}

fn events(app: &App, edge: Stamp) -> Vec<Event> {
    let mut out = Vec::new();
    if let Some(s) = &app.derived.spike {
        let begins = match &s.told_by {
            None => format!("{}: spike begins", shown(&s.lane)),
            Some(by) => format!("{}: spike begins, by {}; {0} not in yet", shown(&s.lane), shown(by)),
        };
        out.push(Event { at: s.onset, kind: EventKind::Onset, text: begins });
        if s.told_by.is_none() {
            out.push(Event { at: s.peak.0, kind: EventKind::Peak, text: format!("{}: peak", shown(&s.lane)) });
        }
        if let Some(at) = s.recovery {
            out.push(Event {
                at,
                kind: EventKind::Recovery,
                text: format!("{}: back below the spike", shown(&s.lane)),
            });
        }
    }
    for o in app.derived.onsets.iter().filter(|o| !o.trigger) {
        out.push(Event { at: o.at, kind: EventKind::Broke, text: format!("{} leaves its band", shown(&o.name)) });
    }
    if let Some(first) = &app.derived.first_stuck {
        out.push(Event { at: first.1, kind: EventKind::FirstStuck, text: format!("first stuck: {}", shown(&first.0)) });
    }
    for m in app.store.marks(edge) {
        let text = format!("{}: {}", shown(m.who.raw()), shown(m.text.raw()));
        out.push(Event { at: m.at, kind: EventKind::Mark(m.kind), text });
    }
    for t in app.store.ticks(edge) {
        let verb = match (t.ticked, &t.evidence) {
            (true, _) => "ticked",
            (false, None) => "unticked",
            (false, Some(_)) => "attached evidence to",
        };
        let text = format!("{} {verb}: {}", shown(t.who.raw()), shown(t.text.raw()));
        out.push(Event { at: t.at, kind: EventKind::Tick, text });
    }
    out.retain(|e| e.at <= edge);
    out.sort_by_key(|e| (e.at, e.kind));
    out
}

fn book(app: &App) -> Book {
    let aged = app.at().0.div_euclid(AGED.0);
    let lanes = app.store.incident.lanes.len();
    Book { generation: app.store.orders.generation(), cursor: app.cursor, aged, axis: app.axis(), lanes }
}

fn book_wanted(app: &App) -> bool {
    app.made.book.as_ref() != Some(&book(app)) && app.store.incident.lanes.iter().any(|l| lane::is_slow(&app.store, l))
}

fn book_lanes(app: &mut App) {
    let want = book(app);
    let (at, edge) = (app.at(), app.live_edge());
    // The lane of a class looks at an order at many instants: it follows time and not every answer.
    let older = |made: &Book| {
        made.cursor != want.cursor || made.aged != want.aged || made.axis != want.axis || made.lanes != want.lanes
    };
    let classes = app.made.book.as_ref().is_none_or(older);
    let (store, lanes) = (&app.store, &mut app.derived.lanes);
    let due = |l: &Lane, made: &lane::LaneColumns| {
        classes
            || made.cells.is_empty()
            || matches!(lane::book::Derived::of(&l.series), Some(kind) if !matches!(kind, lane::book::Derived::Class(_)))
    };
    let slow = |l: &Lane| lane::is_slow(store, l);
    for (lane, made) in store.incident.lanes.iter().zip(lanes).filter(|(l, m)| slow(l) && due(l, m)) {
        *made = lane::columns(store, lane, &want.axis, at, edge);
    }
    app.made.book = Some(want);
}

/// What the heavy parts should be made for, when they are not.
fn heavy_wanted(app: &App) -> Option<Heavy> {
    let (scope, born) = (app.scope(), born_in(app));
    let segments_of = app.segments_of;
    let mut needs = Needs::of(app);
    needs.findings = needs.findings && !findings_are_fresh(app, scope);
    let want = Heavy { cursor: app.cursor, at: app.at(), scope, born, segments_of, needs };
    let moved = app.made.heavy.as_ref().is_none_or(|made| {
        let follows = made.cursor == Cursor::Now && want.cursor == Cursor::Now;
        let same_instant = made.at == want.at || (follows && want.at.since(made.at).abs() < AGED);
        // The column under now moves by itself; what belongs to it comes with the facts.
        let length = |b: Option<Span>| b.map(|s| s.length());
        let same_born = made.born == want.born || (follows && length(made.born) == length(want.born));
        !same_instant
            || !same_born
            || made.segments_of != want.segments_of
            || !same_scope(app, made.scope, want.scope)
            || !made.needs.covers(want.needs)
    });
    let stale = app.made.heavy_generation != app.store.generation
        && (app.now.since(app.made.heavy_at) >= HEAVY_EVERY || app.now < app.made.heavy_at);
    (moved || stale).then_some(want)
}

fn asked(app: &App, scope: Span, at: Stamp) -> Asked {
    let standing = app.cursor != Cursor::Now;
    let said = app.store.overrides(at).count() + app.store.bindings_said(at);
    Asked { cursor: app.cursor, at: standing.then_some(at), scope, note: app.made.note, said, carry: carry(app) }
}

/// The check whose orders are in front.
fn carry(app: &App) -> Option<String> {
    if let Place::OrderList { check, .. } = app.place() { check.clone() } else { None }
}

/// Whether the rules were asked the same a moment ago. Where nothing comes in, an old answer is as good.
fn findings_are_fresh(app: &App, scope: Span) -> bool {
    let Some((made, when)) = &app.made.findings else { return false };
    let now = asked(app, scope, app.at());
    let same = same_scope(app, made.scope, scope) && Asked { scope: made.scope, ..now } == *made;
    same && (Lapse::ZERO..RULES_EVERY).contains(&app.now.since(*when))
}

/// One piece of the heavy parts. They are all made for the instant at which the first of them was begun,
/// unless the cursor or the place moves meanwhile: then they begin anew.
fn heavy_piece(app: &mut App, want: Heavy) {
    let begun = app.made.making.take().filter(|(making, _)| {
        making.cursor == want.cursor
            && making.needs == want.needs
            && making.segments_of == want.segments_of
            && same_scope(app, making.scope, want.scope)
    });
    let (making, done) = begun.unwrap_or_else(|| {
        app.made.given = check::Given::default();
        (want, 0)
    });
    let next = (done..PIECES.len()).find(|i| (PIECES[*i].needed)(making.needs));
    if let Some(i) = next {
        (PIECES[i].make)(app, making.scope, making.at);
        if (i + 1..PIECES.len()).any(|i| (PIECES[i].needed)(making.needs)) {
            app.made.making = Some((making, i + 1));
            return;
        }
    }
    app.made.heavy_at = app.now;
    app.made.heavy_generation = app.store.generation;
    app.made.heavy = Some(making);
}

/// A scope that follows now is the same scope; its numbers come with the facts.
fn same_scope(app: &App, a: Span, b: Span) -> bool {
    let follows = app.window.is_none() && app.store.incident.window.is_none() && app.axis_from.is_none();
    a == b || (follows && a.length() == b.length())
}

/// A part of the heavy values.
struct Piece {
    needed: fn(Needs) -> bool,
    make: fn(&mut App, Span, Stamp),
}

/// In the order in which they are missed most.
const PIECES: [Piece; 13] = [
    Piece { needed: |n| n.limits, make: make_limits },
    Piece { needed: |n| n.orders, make: make_standing },
    Piece { needed: |n| n.orders, make: make_first_stuck },
    Piece { needed: |n| n.orders, make: make_born },
    Piece { needed: |n| n.traits, make: make_before },
    Piece { needed: |n| n.traits, make: make_shared },
    Piece { needed: |n| n.patterns, make: make_patterns },
    Piece { needed: |n| n.findings, make: give_onsets },
    Piece { needed: |n| n.findings, make: give_shared },
    Piece { needed: |n| n.findings, make: give_usual },
    Piece { needed: |n| n.findings, make: give_hung },
    Piece { needed: |n| n.findings, make: give_spoken },
    Piece { needed: |n| n.findings, make: make_findings },
];

fn make_limits(app: &mut App, scope: Span, at: Stamp) {
    app.derived.limits = limit::table(&app.store, scope, at, &app.loads());
}

fn make_standing(app: &mut App, scope: Span, at: Stamp) {
    app.derived.standing = reconcile::standing(&app.store, scope, at);
    app.derived.classes = class_rows(&app.derived.standing);
}

/// The counts of a while before: they change slowly, so they are made again as rarely as orders grow old.
fn make_before(app: &mut App, scope: Span, at: Stamp) {
    let want = (scope, app.cursor, at.0.div_euclid(AGED.0));
    if app.made.before != Some(want) {
        app.derived.before = reconcile::tally(&app.store, scope, at - TREND);
        app.made.before = Some(want);
    }
}

fn make_first_stuck(app: &mut App, scope: Span, at: Stamp) {
    app.derived.first_stuck = first_stuck(app, scope, at);
    app.derived.events = events(app, app.live_edge());
}

/// The stretch Enter would open, while the timeline is in front.
fn born_in(app: &App) -> Option<Span> {
    (*app.place() == Place::Top(Screen::Timeline)).then(|| app.selected().unwrap_or_else(|| app.column()))
}

fn make_born(app: &mut App, _: Span, at: Stamp) {
    app.derived.born = born_in(app).map(|span| born(app, span, at));
}

fn make_shared(app: &mut App, scope: Span, at: Stamp) {
    app.derived.shared = reconcile::shared_by(&app.store, scope, at, app.segments_of);
}

fn make_patterns(app: &mut App, scope: Span, at: Stamp) {
    let focus = app.row_id(Panel::Patterns, app.rows_in(Panel::Patterns).focus);
    let until = Span::new(scope.from, scope.to.min(at + Lapse(1)).max(scope.from));
    let mut made = pattern::patterns(&app.store, until, app.store.incident.baseline);
    if app.now.since(app.last_key) < HANDS_OFF {
        let before: Vec<String> = app.derived.all_patterns.iter().map(|p| p.template.raw().to_owned()).collect();
        keep_order(&before, &mut made, |p| p.template.raw().to_owned());
    }
    app.derived.all_patterns = made;
    app.made.list = None;
    lists::patterns(app);
    follow(app, Panel::Patterns, focus);
    let focus = app.row_id(Panel::Stacks, app.rows_in(Panel::Stacks).focus);
    app.derived.all_traces = stack::traces(&app.store, until, app.store.incident.baseline);
    lists::traces(app);
    follow(app, Panel::Stacks, focus);
}

fn give_onsets(app: &mut App, _: Span, at: Stamp) {
    let told = app.made.onsets.as_ref().filter(|(edge, _)| (Lapse::ZERO..AGED).contains(&at.since(*edge)));
    let known = told.filter(|_| app.cursor == Cursor::Now).map(|(_, onsets)| onsets.clone());
    app.made.given.onsets = Some(known.unwrap_or_else(|| spike::broke_first(&app.store, at)));
}

fn give_shared(app: &mut App, scope: Span, at: Stamp) {
    app.made.given.shared = Some(reconcile::shared(&app.store, scope, at));
}

/// The baseline's lines stay as they are, so they are read once.
fn give_usual(app: &mut App, _: Span, _: Stamp) {
    let kept = app.made.usual.take().filter(|u| u.holds(&app.store));
    let usual = kept.unwrap_or_else(|| check::Usual::read(&app.store));
    app.made.given.usual = Some(usual.clone());
    app.made.usual = Some(usual);
}

fn give_hung(app: &mut App, scope: Span, at: Stamp) {
    app.made.hung = check::hung(&app.store, scope, at);
}

fn give_spoken(app: &mut App, scope: Span, at: Stamp) {
    let hung = std::mem::take(&mut app.made.hung);
    app.made.given.spoken = Some(check::spoken(&app.store, scope, at, &hung));
}

fn make_findings(app: &mut App, scope: Span, at: Stamp) {
    let given = check::Given { carry: carry(app), ..std::mem::take(&mut app.made.given) };
    let focus = app.row_id(Panel::Hypotheses, app.rows_in(Panel::Hypotheses).focus);
    let mut made = check::findings_given(&app.store, &app.note, scope, at, given);
    if app.now.since(app.last_key) < HANDS_OFF {
        let before: Vec<u32> = app.derived.findings.hypotheses.iter().map(|f| f.number).collect();
        keep_order(&before, &mut made.hypotheses, |f| f.number);
    }
    app.derived.findings = made;
    if carry(app).is_some() {
        app.made.list = None;
    }
    app.derived.findings_at = Some(at);
    app.made.findings = Some((asked(app, scope, at), app.now));
    follow(app, Panel::Hypotheses, focus);
}

/// What belongs to the stretch Enter would open. Patterns cost a look at every line: selections alone.
fn born(app: &App, span: Span, at: Stamp) -> Born {
    let until = Span::new(span.from, span.to.min(at + Lapse(1)).max(span.from));
    let selected = app.selection.is_some();
    let made = if selected { pattern::patterns(&app.store, until, app.store.incident.baseline) } else { Vec::new() };
    Born {
        span,
        standing: reconcile::standing(&app.store, span, at),
        fresh: made.into_iter().filter(|p| p.new).collect(),
    }
}

/// Rows of the classes table: stuck ones, then charged ones not at HO, then those that are no fault.
fn class_rows(standing: &Standing) -> Vec<ClassCount> {
    let rank = |c: Class| match c.card() {
        Some(card) if card.stuck => 0,
        Some(card) if card.fine => 2,
        _ => 1,
    };
    let mut rows: Vec<ClassCount> = standing.classes.iter().filter(|c| c.orders > 0).cloned().collect();
    rows.sort_by_key(|c| rank(c.class));
    rows
}

fn first_stuck(app: &App, scope: Span, at: Stamp) -> Option<(Arc<str>, Stamp)> {
    if app.derived.standing.stuck == 0 {
        return None;
    }
    let stuck: Vec<Class> = reconcile::CLASSES.iter().filter(|c| c.stuck).map(|c| c.class).collect();
    let first = reconcile::orders(&app.store, scope, &stuck, at).into_iter().min_by_key(|o| o.born)?;
    Some((first.id, first.born))
}
