//! Lanes that come from the order book instead of a series: orders born, paid and stuck by birth, the
//! charges that HO does not have, and the orders in a class as time goes by.
//!
//! May not know: bands, cursors, screens.

use crate::analysis::lane::{Axis, Cell};
use crate::analysis::reconcile::class::Class;
use crate::analysis::reconcile::curve;
use crate::analysis::reconcile::facts::{Asked, Facts, newest, newest_order};
use crate::model::order::{OrderStatus, Payment, PaymentStatus, Role};
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
use crate::store::book::Entry;

/// A lane made from orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derived {
    /// `orders.born`: orders born per minute.
    Born,
    /// `orders.paid`: payments that settled, per minute.
    Paid,
    /// `orders.stuck_by_birth`: of the orders born in a minute, those that are stuck, per minute.
    StuckByBirth,
    /// `orders.not_at_ho`: charged and not at HO, summed up, by the time HO should have had it.
    NotAtHo,
    /// `orders.unpaid_stuck`, or any class by its key: the orders in the class at the end of a column, by
    /// what was known then.
    Class(Class),
}

impl Derived {
    /// The lane behind a series name, when it is one of these.
    pub fn of(series: &str) -> Option<Self> {
        match series {
            "orders.born" => Some(Self::Born),
            "orders.paid" => Some(Self::Paid),
            "orders.stuck_by_birth" => Some(Self::StuckByBirth),
            "orders.not_at_ho" => Some(Self::NotAtHo),
            _ => {
                let key = series.strip_prefix("orders.")?;
                Class::parse(key.strip_prefix("class.").unwrap_or(key)).map(Self::Class)
            }
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Born | Self::StuckByBirth | Self::Class(_) => Role::Orders,
            Self::Paid => Role::Payments,
            Self::NotAtHo => Role::HoPayments,
        }
    }
}

/// The cells of a lane of the order book, as known at `asof`; nothing is drawn after `now`.
pub fn cells(store: &Store, kind: Derived, axis: &Axis, asof: Stamp, now: Stamp) -> Vec<Cell> {
    let mut cells = vec![Cell::Empty; axis.columns];
    let Some(answered) = store.orders.asof(kind.role(), asof) else { return cells };
    // Of a time before anybody was asked nothing is known, and no order need be looked at: a baseline, mostly.
    let first = first_asked(store, kind, asof);
    if first.is_none_or(|first| axis.span().to <= first) {
        return cells;
    }
    let era = Era::of(store, axis);
    if let Derived::Class(class) = kind {
        class_cells(store, class, axis, &era, (asof.min(now), answered), &mut cells);
        return cells;
    }
    let mut counts = vec![0_u32; axis.columns];
    let mut before = 0_u32;
    each_time(store, kind, asof, &mut |born, time| {
        if era.contains(born) {
            match axis.column(time) {
                Some(column) => counts[column] += 1,
                None if time < axis.from => before += 1,
                None => {}
            }
        }
    });
    let known = Known { first, last: answered, delay: delay(store, kind), now };
    let mut total = before;
    for (column, cell) in cells.iter_mut().enumerate() {
        total += counts[column];
        let minutes = axis.step.as_secs_f64() / 60.0;
        let value = if kind == Derived::NotAtHo { f64::from(total) } else { f64::from(counts[column]) / minutes };
        *cell = known.cell(axis, column, kind, value);
    }
    cells
}

/// Orders in a class at the end of each column: what was not asked yet is not drawn.
fn class_cells(
    store: &Store,
    class: Class,
    axis: &Axis,
    era: &Era,
    (until, answered): (Stamp, Stamp),
    cells: &mut [Cell],
) {
    let first = first_asked(store, Derived::Class(class), until);
    let mut columns = Vec::new();
    let mut instants = Vec::new();
    for (column, cell) in cells.iter_mut().enumerate() {
        let span = Span::new(axis.start(column), axis.start(column + 1));
        if span.from > until || first.is_none_or(|first| span.to <= first) {
            continue;
        }
        if span.from > answered {
            *cell = Cell::NotYet;
            continue;
        }
        columns.push(column);
        instants.push((span.to - Lapse(1)).min(until));
    }
    let counts = curve::counts(store, class, &instants, |born| era.contains(born));
    for (column, n) in columns.into_iter().zip(counts) {
        cells[column] = Cell::measured(f64::from(n));
    }
}

/// Calls `counted` with the birth and the time of everything the lane counts.
fn each_time(store: &Store, kind: Derived, asof: Stamp, counted: &mut dyn FnMut(Stamp, Stamp)) {
    let rules = &store.incident.rules;
    let asked = Asked::new(&store.orders, asof);
    for (_, entry) in store.orders.entries() {
        let entry = &*entry;
        match kind {
            Derived::Born => {
                if let Some((_, order)) = newest_order(entry, asof) {
                    counted(order.created_at, order.created_at);
                }
            }
            // Payments count by themselves: UPG may answer while the order system does not.
            Derived::Paid => {
                for (settled, payment) in paid(entry, asof) {
                    counted(payment.created_at, settled);
                }
            }
            Derived::StuckByBirth => {
                let facts = active(entry, asof).then(|| Facts::read(entry, &asked, rules.settle_after)).flatten();
                if let Some(facts) = facts.filter(|f| f.stuck(rules.stuck_after)) {
                    counted(facts.born, facts.born);
                }
            }
            // Without a payment there is nothing that HO could lack.
            Derived::NotAtHo => {
                let paid = !entry.payments.is_empty();
                let facts = paid.then(|| Facts::read(entry, &asked, rules.settle_after)).flatten();
                if let Some((born, due)) = facts.and_then(|f| Some((f.born, f.missing_at_ho(rules.settle_after)?))) {
                    counted(born, due);
                }
            }
            Derived::Class(_) => {}
        }
    }
}

fn active(entry: &Entry, asof: Stamp) -> bool {
    newest_order(entry, asof).is_some_and(|(_, order)| order.status == OrderStatus::Active)
}

/// Payments that moved money, newest versions, with the time they settled.
fn paid(entry: &Entry, asof: Stamp) -> impl Iterator<Item = (Stamp, &Payment)> {
    entry.payments.iter().enumerate().filter_map(move |(i, (t, p))| {
        let paid = p.status == PaymentStatus::Paid;
        let counts = paid && newest(&entry.payments, i, *t, asof, |later| later.upg_ref == p.upg_ref);
        counts.then_some((p.settled_at.unwrap_or(p.created_at), p))
    })
}

/// How long after its minute a column of this kind can be known at all.
fn delay(store: &Store, kind: Derived) -> Lapse {
    match kind {
        Derived::StuckByBirth => store.incident.rules.stuck_after,
        Derived::Born | Derived::Paid | Derived::NotAtHo | Derived::Class(_) => Lapse::ZERO,
    }
}

/// The stretch that what was asked covers.
fn first_asked(store: &Store, kind: Derived, asof: Stamp) -> Option<Stamp> {
    let windows = store.orders.asks(kind.role(), asof).map(|(_, span)| span.from).min();
    // Asked by id only: the orders themselves tell from when on.
    windows.or_else(|| store.orders.asks(Role::Orders, asof).map(|(_, span)| span.from).min())
}

struct Known {
    first: Option<Stamp>,
    last: Stamp,
    delay: Lapse,
    now: Stamp,
}

impl Known {
    fn cell(&self, axis: &Axis, column: usize, kind: Derived, value: f64) -> Cell {
        let span = Span::new(axis.start(column), axis.start(column + 1));
        let over = self.last - self.delay;
        if span.from > self.now || self.first.is_none_or(|first| span.to <= first) {
            Cell::Empty
        } else if span.from > over || (kind != Derived::NotAtHo && span.to > over) {
            Cell::NotYet
        } else {
            Cell::measured(value)
        }
    }
}

/// Which orders an axis is about: those of the baseline are not mixed with those of the incident.
struct Era {
    baseline: Option<Span>,
    inside: bool,
}

impl Era {
    fn of(store: &Store, axis: &Axis) -> Self {
        let baseline = store.incident.baseline;
        let span = axis.span();
        let middle = span.from + Lapse(span.length().0 / 2);
        Self { baseline, inside: baseline.is_some_and(|b| b.contains(middle)) }
    }
    fn contains(&self, born: Stamp) -> bool {
        self.baseline.is_none_or(|b| b.contains(born) == self.inside)
    }
}
