//! Orders of some classes, a row each: what the order system, UPG, HO and the logs have of them.

use crate::analysis::reconcile::facts::{Asked, Facts, newest_order};
use crate::analysis::reconcile::{Class, ClassedOrder, Flag};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::order::{OrderId, Payment};
use crate::model::{Span, Stamp, Untrusted};
use crate::store::book::Entry;
use crate::view::canvas::{Canvas, Column, Focus, Run, dim, left, plain, right, run};
use crate::view::list::{Runs, hits, visible};
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip, text};
use std::collections::HashMap;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, title: &str, classes: &[Class]) {
    let rows = app.rows_in(Panel::Orders);
    scope(app, canvas);
    let y = strip::draw(app, canvas, &["stuck, by birth", "not at HO, Σ"], &notes(app, rows.focus));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    let mut y = heading(app, canvas, title, classes, (x, end_x), y);
    if app.derived.orders.is_empty() {
        canvas.fit(x, y, end_x, &nothing(app), Role::Dim);
        return;
    }
    let columns = columns(app, end_x.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    y += 1;
    let len = app.derived.orders.len();
    let shown = visible(len, usize::from(end.saturating_sub(y + 2)), rows.top, rows.focus);
    let desk = Desk::new(app, &shown);
    for i in shown.clone() {
        let Some(order) = app.derived.orders.get(i) else { continue };
        let cells = desk.cells(canvas, i, order, columns.len());
        canvas.table_row(x, y, &columns, &cells.into_iter().map(|c| hits(c, &app.search)).collect::<Vec<_>>());
        if i == rows.focus {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += 1;
    }
    let says =
        format!("{} of {} · row {}", shown.len(), number::count(len as i64), number::count(rows.focus as i64 + 1));
    canvas.fit(x, y + 1, end_x, &says, Role::Dim);
}

fn scope(app: &App, canvas: &mut Canvas<'_>) {
    let zone = &app.store.incident.zone;
    let classes: Vec<Class> = match app.place() {
        crate::app::state::Place::OrderList { classes, .. } => classes.clone(),
        _ => Vec::new(),
    };
    let counted = app.derived.standing.classes.iter().filter(|c| classes.contains(&c.class));
    let amount: i64 =
        if classes.is_empty() { app.derived.standing.stuck_amount } else { counted.map(|c| c.amount).sum() };
    let n = number::plural(app.derived.orders.len(), "order", "orders");
    let asof = app.derived.standing.asof.map_or("not asked yet".to_owned(), |t| {
        if app.grid.size == Size::Wide {
            format!("as of {}, {}", zone.hms(t), number::ago(app.at().since(t)))
        } else {
            format!("as of {}", zone.hms(t))
        }
    });
    // Of a segment, or of what carries a check's evidence, the sum of the class would say too much.
    let part = matches!(app.place(), crate::app::state::Place::OrderList { terms, check, .. } if !terms.is_empty() || check.is_some());
    let says = if app.grid.size == Size::Narrow || !app.filter.is_empty() || part {
        format!("{n} · {asof}")
    } else {
        format!("{n} · {} · {asof}", number::rupiah_sum(amount))
    };
    chrome::scope(canvas, &[dim(says)]);
}

fn notes(app: &App, focus: usize) -> Vec<Vec<Run<'static>>> {
    let Some(order) = app.derived.orders.get(focus) else { return Vec::new() };
    let zone = &app.store.incident.zone;
    let after =
        app.derived.spike.as_ref().map_or(String::new(), |s| format!(" T{}", number::after(order.born.since(s.onset))));
    vec![
        vec![
            dim(format!("row {} of ", number::count(focus as i64 + 1))),
            plain(number::count(app.derived.orders.len() as i64)),
        ],
        vec![dim("born "), plain(zone.hms(order.born)), dim(after)],
    ]
}

fn heading(app: &App, canvas: &mut Canvas<'_>, title: &str, classes: &[Class], (x, end_x): (u16, u16), y: u16) -> u16 {
    let meaning = match classes {
        [one] => one.card().map_or(String::new(), |c| format!("{} · ", c.meaning)),
        _ => format!("{} · ", text::show_str(title, canvas.privacy)),
    };
    let sorted = app.sorted_by().map_or("oldest first".to_owned(), |(name, reversed)| {
        format!(
            "{}{}",
            if name.contains("first") { "" } else { "by " },
            if reversed { format!("{name}, reversed") } else { name.to_owned() }
        )
    });
    let filter = if app.filter.is_empty() {
        String::new()
    } else {
        format!(" · filter {}", text::show_str(&app.filter, canvas.privacy))
    };
    canvas.head(x, y, end_x, "ORDERS", &format!("{meaning}{sorted}{filter}"), Focus::Here(moment::accent(app)))
}

fn nothing(app: &App) -> String {
    if app.derived.unfiltered > 0 {
        return format!("no order matches; {} without the filter", number::count(app.derived.unfiltered as i64));
    }
    let place = app.place();
    if let crate::app::state::Place::OrderList { check: Some(check), .. } = place {
        let told = app.derived.findings.carriers.as_ref().is_some_and(|(id, _)| id == check);
        return if told {
            "no order carries this evidence"
        } else {
            "the rules are being asked which orders carry this evidence"
        }
        .to_owned();
    }
    match app.derived.standing.asof {
        None => "no order was read yet: a [[query]] with role = \"orders\" says where they are".to_owned(),
        Some(_) => "no order of this class was born in the window".to_owned(),
    }
}

/// What is least needed on a smaller screen goes first: references and lines, then traits.
fn columns(app: &App, total: u16) -> Vec<Column> {
    let size = app.grid.size;
    let mut out = vec![left("order", 11)];
    match size {
        Size::Wide => out.extend([
            left("born WIB", 12),
            right("stuck", 6),
            right("Rp", 10),
            left("method", 9),
            left("service", 9),
            left("region", 6),
            left("last step", 10),
            left("UPG ref", 12),
            left("settled", 8),
            left("HO", 8),
            right("callbacks", 9),
            right("lines", 5),
        ]),
        Size::Medium => out.extend([
            left("born WIB", 8),
            right("stuck", 6),
            right("Rp", 10),
            left("method", 8),
            left("service", 8),
            left("region", 6),
            left("settled", 8),
            left("HO", 8),
            right("callbacks", 9),
        ]),
        Size::Narrow | Size::Tiny => out.extend([
            left("born WIB", 8),
            right("stuck", 6),
            right("Rp", 10),
            left("method", 8),
            left("settled", 8),
            left("HO", 8),
        ]),
    }
    let taken: u16 = out.iter().map(|c| c.width + 2).sum();
    if size == Size::Medium && total > taken + 6 {
        out.push(left("also", total - taken));
    }
    if size == Size::Wide {
        out.push(left("also", 18));
        let taken = taken + 20;
        out.push(left("last line", total.saturating_sub(taken)));
    }
    out
}

/// Everything the rows need, looked up once for a frame.
struct Desk<'a> {
    app: &'a App,
    asked: Asked,
    lines: HashMap<&'a str, (usize, &'a Untrusted)>,
}

impl<'a> Desk<'a> {
    fn new(app: &'a App, shown: &std::ops::Range<usize>) -> Self {
        let ids = app.derived.orders.get(shown.clone()).unwrap_or_default();
        let mut lines: HashMap<&str, (usize, &Untrusted)> = HashMap::new();
        if app.grid.size == Size::Wide {
            let wanted: std::collections::HashSet<&str> = ids.iter().map(|o| &*o.id).collect();
            let from = ids.iter().map(|o| o.born).min().unwrap_or(app.at());
            for k in app.store.logs.within(Span::new(from, app.at())) {
                if let Some(id) = k.line.order.as_deref().filter(|id| wanted.contains(id)) {
                    let entry = lines.entry(id).or_insert((0, &k.line.message));
                    entry.0 += 1;
                    entry.1 = &k.line.message;
                }
            }
        }
        Self { app, asked: Asked::new(&app.store.orders, app.at()), lines }
    }

    fn cells(&self, canvas: &Canvas<'_>, row: usize, order: &ClassedOrder, columns: usize) -> Vec<Runs> {
        let app = self.app;
        let (id, born) = (&order.id, order.born);
        let also = also(order);
        let zone = &app.store.incident.zone;
        let entry = app.store.orders.entry(id);
        let facts = entry.and_then(|e| Facts::read(e, &self.asked, app.store.incident.rules.settle_after));
        let order = entry.and_then(|e| newest_order(e, app.at())).map(|(_, o)| o);
        let outside = |s: Option<&str>| {
            s.map_or_else(|| vec![dim(number::NOTHING)], |s| canvas.outside(&Untrusted::from(s), Role::Text))
        };
        let marked = app.is_marked(Panel::Orders, row);
        let mut name = canvas.outside(&Untrusted::from(&**id), if marked { Role::Strong } else { Role::Var });
        if marked {
            name.push(run(Role::Warn, "*"));
        }
        let clock = if app.grid.size == Size::Wide { zone.hms_milli(born) } else { zone.hms(born) };
        let stuck = facts.as_ref().filter(|f| f.active()).map_or(number::NOTHING.to_owned(), |f| number::age(f.age()));
        let amount = order.and_then(|o| o.amount).map_or(number::NOTHING.to_owned(), number::count);
        let method = outside(order.and_then(|o| o.payment_method.as_deref()));
        let service = outside(order.and_then(|o| o.service_type.as_deref()));
        let region = outside(order.and_then(|o| o.region.as_deref()));
        let payment = entry.and_then(|e| payment(e, app.at()));
        let settled = payment.and_then(|p| p.settled_at).map_or(number::NOTHING.to_owned(), |t| zone.hms(t));
        let ho = ho(facts.as_ref(), app);
        let callbacks = callbacks(facts.as_ref());
        let mut out = vec![name, vec![dim(clock)], vec![plain(stuck)], vec![plain(amount)], method];
        match columns {
            0..=7 => out.extend([vec![dim(settled)], ho]),
            8..=11 => out.extend([service, region, vec![dim(settled)], ho, callbacks, also]),
            _ => {
                let step = outside(order.and_then(|o| o.saga_step.as_deref()));
                let reference = payment.map_or_else(
                    || vec![dim(number::NOTHING)],
                    |p| canvas.outside(&Untrusted::from(&*p.upg_ref), Role::Dim),
                );
                out.extend([service, region, step, reference, vec![dim(settled)], ho, callbacks]);
                let [n, last] = self.line(canvas, id);
                out.extend([n, also, last]);
            }
        }
        out
    }

    fn line(&self, canvas: &Canvas<'_>, id: &OrderId) -> [Runs; 2] {
        match self.lines.get(&**id) {
            Some((n, last)) => [vec![plain(number::count(*n as i64))], canvas.outside(last, Role::Text)],
            None => [vec![dim(number::NOTHING)], vec![run(Role::Stale, "no line names it")]],
        }
    }
}

/// What else is true of an order than its class says, in few letters.
fn also(order: &ClassedOrder) -> Runs {
    let flags: Vec<&str> = order.flags.beside(order.class).map(Flag::short).collect();
    vec![run(Role::Warn, flags.join(" "))]
}

/// The newest version of the newest payment known at `at`.
fn payment(entry: &Entry, at: Stamp) -> Option<&Payment> {
    entry.payments.iter().filter(|(t, _)| *t <= at).map(|(_, p)| p).max_by_key(|p| (p.settled_at, p.created_at))
}

/// Whether HO has it: a time, `none`, not due yet, or that nobody asked since the money moved.
fn ho(facts: Option<&Facts<'_>>, app: &App) -> Runs {
    let rules = &app.store.incident.rules;
    match facts {
        Some(f) if f.recorded > 0 => {
            vec![dim(f.recorded_at.map_or("yes".to_owned(), |t| app.store.incident.zone.hms(t)))]
        }
        Some(f) if f.paid == 0 => vec![dim(number::NOTHING)],
        Some(f) if f.ho_asked.is_none() => vec![run(Role::Stale, "unasked")],
        Some(f) if f.missing_at_ho(rules.settle_after).is_some() => vec![run(Role::Warn, "none")],
        Some(_) => vec![dim("not due")],
        None => vec![dim(number::NOTHING)],
    }
}

fn callbacks(facts: Option<&Facts<'_>>) -> Runs {
    match facts {
        Some(f) if f.callbacks > 0 => vec![plain(f.callbacks.to_string())],
        Some(f) if f.callbacks_asked.is_none() => vec![run(Role::Stale, "not asked")],
        Some(f) if f.paid > 0 => vec![run(Role::Warn, "0")],
        _ => vec![dim(number::NOTHING)],
    }
}
