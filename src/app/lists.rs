//! The lists in front, cut from what was derived: filtered, sorted, with the focus kept on its row.
//!
//! May not know: when the heavy parts they are cut from are made, and how rows are drawn.

use crate::analysis::reconcile::ClassedOrder;
use crate::analysis::reconcile::facts::newest_order;
use crate::analysis::stack::{self, Trace};
use crate::analysis::{reconcile, trail};
use crate::app::filter::Filter;
use crate::app::rows::{Panel, RowId, panels};
use crate::app::state::{App, Cursor, Place};
use crate::model::order::Order;
use crate::model::{Span, Stamp};
use crate::store::OrderBook;
use crate::store::lines::Kept;
use std::sync::Arc;

/// What a list was cut by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List {
    /// The heavy parts the list was cut from.
    heavy: (u64, Stamp),
    cursor: Cursor,
    scope: Span,
    place: Place,
    panel: usize,
    filter: String,
    sort: Option<(usize, bool)>,
    events_only: bool,
}

/// Puts the rows that were there before in their old order, new ones behind them.
pub(super) fn keep_order<T, K: PartialEq>(before: &[K], now: &mut [T], key: impl Fn(&T) -> K) {
    if before.is_empty() {
        return;
    }
    now.sort_by_cached_key(|t| {
        let k = key(t);
        before.iter().position(|b| *b == k).unwrap_or(usize::MAX)
    });
}

/// Cuts the lists of the place in front anew when what they are cut from has changed.
pub(super) fn cut(app: &mut App) {
    let want = List {
        heavy: (app.made.heavy_generation, app.made.heavy_at),
        cursor: app.cursor,
        scope: app.scope(),
        place: app.place().clone(),
        panel: app.panel,
        filter: app.filter.clone(),
        sort: app.sort.get(&app.sort_key()).copied(),
        events_only: app.events_only,
    };
    if app.made.list.as_ref() == Some(&want) {
        return;
    }
    for panel in panels(app.place()) {
        let focus = app.row_id(*panel, app.rows_in(*panel).focus);
        let at_end = app.focus() + 1 >= app.len(*panel);
        match panel {
            Panel::Patterns => patterns(app),
            Panel::Lines => lines(app),
            Panel::Stacks => traces(app),
            Panel::Orders => orders(app, &want),
            Panel::Steps => steps(app),
            _ => continue,
        }
        if *panel == Panel::Lines && at_end && app.cursor == Cursor::Now && focus.is_some() {
            app.focus_row(Panel::Lines, usize::MAX);
        } else {
            follow(app, *panel, focus);
        }
    }
    app.made.list = Some(want);
}

/// Keeps the focus on the row it was on.
pub(super) fn follow(app: &mut App, panel: Panel, row: Option<RowId>) {
    let Some(row) = row else { return };
    if !panels(app.place()).contains(&panel) || !app.rows.contains_key(&app.rows_key(panel)) {
        return;
    }
    if let Some(i) = (0..app.len(panel)).find(|i| app.row_id(panel, *i).as_ref() == Some(&row)) {
        app.focus_row(panel, i);
    }
}

fn filter_of(app: &App) -> Filter {
    Filter::parse(&app.filter).unwrap_or_else(|_| Filter::all())
}

/// The patterns that pass the filter, in the order somebody chose.
pub(super) fn patterns(app: &mut App) {
    let filter = filter_of(app);
    let all = &app.derived.all_patterns;
    let kept = all.iter().filter(|p| filter.passes(&[p.template.raw(), &p.service, &p.level.letter().to_string()]));
    let mut kept: Vec<_> = kept.cloned().collect();
    if let Some((column, reverse)) = app.sort.get(&app.place().key()).copied() {
        match column {
            1 => kept.sort_by_key(|p| std::cmp::Reverse(p.lines)),
            2 => kept.sort_by_key(|p| p.first.unwrap_or(Stamp(i64::MIN))),
            3 => kept.sort_by(|a, b| a.service.cmp(&b.service)),
            4 => kept.sort_by_key(|p| std::cmp::Reverse(p.orders)),
            _ => {}
        }
        if reverse {
            kept.reverse();
        }
    }
    if app.panel() == Panel::Patterns {
        app.derived.unfiltered = all.len();
    }
    app.derived.patterns = kept;
}

/// The stack traces that pass the filter, in the order somebody chose.
pub(super) fn traces(app: &mut App) {
    let filter = filter_of(app);
    let all = &app.derived.all_traces;
    let passes = |t: &&Trace| {
        let services = t.services.join(" ");
        filter.passes(&[t.name.raw(), t.says.raw(), &services])
    };
    let mut kept: Vec<_> = all.iter().filter(passes).cloned().collect();
    if let Some((column, reverse)) = app.sort.get(&format!("{}#traces", app.place().key())).copied() {
        match column {
            1 => kept.sort_by_key(|t| t.first),
            2 => kept.sort_by_key(|t| std::cmp::Reverse(t.stuck)),
            _ => {}
        }
        if reverse {
            kept.reverse();
        }
    }
    if app.panel() == Panel::Stacks {
        app.derived.unfiltered = all.len();
    }
    app.derived.traces = kept;
}

fn lines(app: &mut App) {
    let filter = filter_of(app);
    let span = app.lines_span();
    let (template, trace) = match app.place() {
        Place::Lines(template) => (template.clone(), None),
        Place::Stack(name) => (String::new(), Some(name.clone())),
        _ => (String::new(), None),
    };
    let logs = &app.store.logs;
    // Its words may have changed since it was opened; what came a moment ago is known by its words alone.
    let wanted = logs.called(&template);
    let is = |id| wanted.map_or_else(|| logs.template(id).is_some_and(|t| t.raw() == template), |w| w == id);
    let of_template = |k: &&Kept| template.is_empty() || is(logs.template_of(k));
    let of_trace = |k: &&Kept| trace.as_ref().is_none_or(|t| stack::is_of(&k.line.stack, t));
    let all: Vec<_> = logs.within(span).iter().filter(of_template).filter(of_trace).collect();
    if app.panel() == Panel::Lines {
        app.derived.unfiltered = all.len();
    }
    app.derived.lines = all
        .into_iter()
        .filter(|k| {
            let order = k.line.order.as_deref().unwrap_or_default();
            filter.is_all() || filter.passes(&[k.line.message.raw(), &k.line.service, order])
        })
        .map(|k| k.number)
        .collect();
}

fn orders(app: &mut App, want: &List) {
    let Place::OrderList { classes, terms, check, .. } = app.place().clone() else { return };
    let classes = if check.is_some() {
        // Whatever class they are in.
        Vec::new()
    } else if classes.is_empty() {
        reconcile::CLASSES.iter().filter(|c| c.stuck).map(|c| c.class).collect()
    } else {
        classes
    };
    let filter = filter_of(app);
    let mut rows = reconcile::orders(&app.store, want.scope, &classes, app.at());
    if let Some(check) = &check {
        // The rules name them the next time they are asked, which is at once.
        let named = app.derived.findings.carriers.as_ref().filter(|(id, _)| id == check);
        rows.retain(|r| named.is_some_and(|(_, orders)| orders.contains(&r.id)));
    }
    if !terms.is_empty() {
        let (book, zone, at) = (&app.store.orders, &app.store.incident.zone, app.at());
        rows.retain(|r| {
            let entry = book.look(&r.id);
            let order = entry.as_deref().and_then(|e| newest_order(e, at)).map(|(_, order)| order);
            order.is_some_and(|order| reconcile::has_all(&terms, order, r.born, zone))
        });
    }
    app.derived.unfiltered = rows.len();
    let book = &app.store.orders;
    if !filter.is_all() {
        rows.retain(|r| {
            let entry = book.look(&r.id);
            let o = entry.as_deref().and_then(|e| e.orders.last()).map(|(_, o)| o);
            let part = |p: Option<&Arc<str>>| p.map_or("", |p| p).to_owned();
            let (method, service, region) = (
                part(o.and_then(|o| o.payment_method.as_ref())),
                part(o.and_then(|o| o.service_type.as_ref())),
                part(o.and_then(|o| o.region.as_ref())),
            );
            let class = r.class.card().map_or("", |c| c.name);
            filter.passes(&[&r.id, class, &method, &service, &region])
        });
    }
    if let Some((column, reverse)) = want.sort {
        // Looked up once for each: a long list is mostly of orders that are folded.
        match column {
            1 => rows.sort_by_cached_key(|r| std::cmp::Reverse(last(book, r, |o| o.amount).unwrap_or(0))),
            2 => rows.sort_by_cached_key(|r| last(book, r, |o| o.payment_method.clone())),
            3 => rows.sort_by_cached_key(|r| last(book, r, |o| o.service_type.clone())),
            4 => rows.sort_by_cached_key(|r| last(book, r, |o| o.region.clone())),
            5 => rows.sort_by(|a, b| a.id.cmp(&b.id)),
            _ => {}
        }
        if reverse {
            rows.reverse();
        }
    }
    app.derived.orders = rows;
}

/// Something that the last row of an order says.
fn last<T>(book: &OrderBook, of: &ClassedOrder, says: impl Fn(&Order) -> Option<T>) -> Option<T> {
    book.look(&of.id)?.orders.last().and_then(|(_, order)| says(order))
}

fn steps(app: &mut App) {
    let Place::Trail(id) = app.place().clone() else { return };
    let trail = trail::trail(&app.store, &id, app.at());
    let only = app.events_only;
    let line = |k| matches!(k, trail::StepKind::Line | trail::StepKind::Warn | trail::StepKind::Error);
    app.derived.steps = trail.as_ref().map_or_else(Vec::new, |t| {
        t.steps.iter().enumerate().filter(|(_, s)| !only || !line(s.kind)).map(|(i, _)| i).collect()
    });
    app.derived.trail = trail;
    let before = app.derived.spike.as_ref().map_or(app.at(), |s| s.onset);
    app.derived.usual = trail::usual::Usual::read(&app.store, before, app.at());
    app.derived.pace = app.derived.usual.pace(&app.store, &id, app.at());
}
