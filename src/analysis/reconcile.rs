//! Which class an order is in: where the order system, UPG and Head Office disagree about it.
//!
//! Classes are tried in a fixed order and the first that fits is the order's class. "Not asked" is a class
//! of its own: silence of a system that nobody asked says nothing.

pub mod card;
pub mod facts;
pub mod shared;

use crate::model::incident::Rules;
use crate::model::order::{OrderId, OrderStatus, Role};
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
pub use card::CLASSES;
use facts::{Asked, Facts};
pub use shared::{SharedTrait, shared};

/// The classes, in the order they are tried in `CLASSES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// UPG or HO have not been asked about it yet.
    NotAsked,
    /// A payment that names an order nobody has.
    PaymentWithoutOrder,
    /// Paid more than once.
    ChargedTwice,
    /// In HO's books, and UPG knows of no money.
    RecordedNotCharged,
    /// In HO's books more often than it was paid.
    RecordedTwice,
    /// Order, UPG and HO name different amounts.
    AmountsDiffer,
    /// Paid a moment ago; HO may still come.
    Settling,
    /// Stuck, paid, not at HO, no callback was ever tried.
    PaidStuckNeverSent,
    /// Stuck, paid, not at HO, callbacks failed.
    PaidStuckCallbackFailed,
    /// Stuck, paid, not at HO; no callback table is configured, so the two above cannot be told apart.
    PaidStuckNotRecorded,
    /// Stuck, paid and recorded at HO: only the order's state is wrong.
    PaidStuckRecorded,
    /// HO acknowledged the callback and has no record.
    AcknowledgedNotRecorded,
    /// Complete, paid, not at HO.
    ChargedNotRecorded,
    /// Complete, and no money moved.
    CompleteNotCharged,
    /// Failed, cancelled or expired, and paid.
    FailedButCharged,
    /// Stuck while the gateway has not answered.
    PaymentPendingStuck,
    /// Stuck, and no money moved.
    UnpaidStuck,
    /// Active, not for long.
    InFlight,
    /// As it should be.
    Ok,
}

/// What a class means, for people.
#[derive(Clone, Copy, Debug)]
pub struct ClassCard {
    /// The class.
    pub class: Class,
    /// `paid, stuck, never sent to HO`.
    pub name: &'static str,
    /// One clause.
    pub meaning: &'static str,
    /// The next safe action, which somebody else does.
    pub action: &'static str,
    /// Hypotheses it points to: `H1 H4`.
    pub points_to: &'static str,
    /// ACTIVE for too long.
    pub stuck: bool,
    /// Charged at UPG and not in HO's books.
    pub not_at_ho: bool,
    /// Not a fault.
    pub fine: bool,
}

/// One row of the classes table.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassCount {
    /// The class.
    pub class: Class,
    /// How many orders.
    pub orders: usize,
    /// Sum of their amounts in rupiah (paid amounts where money moved).
    pub amount: i64,
    /// Age of the oldest.
    pub oldest: Option<Lapse>,
}

/// Where the orders of a window stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// As of when the data were so: the oldest of the roles' newest answers.
    pub asof: Option<Stamp>,
    /// Classes that have orders, in the table's order.
    pub classes: Vec<ClassCount>,
    /// All orders born in the window.
    pub total: usize,
    /// ACTIVE for longer than `stuck_after`.
    pub stuck: usize,
    /// Their amounts.
    pub stuck_amount: i64,
    /// Stuck and charged.
    pub stuck_paid: usize,
    /// Stuck and not charged.
    pub stuck_unpaid: usize,
    /// Charged and not at HO, settled longer ago than `settle_after`.
    pub not_at_ho: usize,
    /// Their amounts.
    pub not_at_ho_amount: i64,
    /// Roles nobody configured or that never answered, in words: what is not known because of it.
    pub missing: Vec<String>,
    /// Orders asked for so far, of those that have to be.
    pub asked: (usize, usize),
}

/// One order of a class, for the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassedOrder {
    /// Identifier.
    pub id: OrderId,
    /// Class.
    pub class: Class,
    /// Birth.
    pub born: Stamp,
}

impl Class {
    /// Its card.
    pub fn card(self) -> Option<&'static ClassCard> {
        CLASSES.iter().find(|c| c.class == self)
    }
}

/// The class of an order: the first that fits.
///
/// The systems are read seconds apart, so an answer counts against an order only when it is young enough
/// to have seen the fault: what may still be on its way is settling, not missing.
pub fn class_of(facts: &Facts<'_>, rules: &Rules) -> Class {
    let Some(order) = facts.order else { return Class::PaymentWithoutOrder };
    let stuck = facts.stuck(rules.stuck_after);
    let under_way = matches!(order.status, OrderStatus::Active | OrderStatus::Created);
    let Some(asked) = facts.payments_asked else {
        return if under_way && !stuck { Class::InFlight } else { Class::NotAsked };
    };
    let ended = matches!(order.status, OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired);
    match (facts.paid, facts.recorded) {
        (2.., _) => Class::ChargedTwice,
        (0, 1..) if settles(facts.recorded_at, asked, rules) => Class::Settling,
        (0, 1..) => Class::RecordedNotCharged,
        (0, 0) if stuck && facts.pending => Class::PaymentPendingStuck,
        // An answer given soon after the birth cannot say that nobody paid since.
        (0, 0) if stuck && asked < facts.born + Lapse(rules.stuck_after.0 / 2) => Class::NotAsked,
        (0, 0) if stuck => Class::UnpaidStuck,
        (0, 0) if under_way => Class::InFlight,
        (0, 0) if order.status != OrderStatus::Complete => Class::Ok,
        (0, 0) if settles(order.updated_at, asked, rules) => Class::Settling,
        (0, 0) => Class::CompleteNotCharged,
        (1, 2..) => Class::RecordedTwice,
        (1, 1) if amounts_differ(facts) => Class::AmountsDiffer,
        (1, 0) if settles(facts.settled, facts.ho_asked.unwrap_or(facts.asof), rules) => Class::Settling,
        (1, 0) if facts.missing_at_ho(rules.settle_after).is_none() => Class::NotAsked,
        (1, 0) if stuck => stuck_and_not_recorded(facts),
        (1, _) if stuck => Class::PaidStuckRecorded,
        (1, _) if ended => Class::FailedButCharged,
        (1, 0) if facts.acknowledged => Class::AcknowledgedNotRecorded,
        (1, _) if under_way => Class::InFlight,
        (1, 0) => Class::ChargedNotRecorded,
        (1, _) => Class::Ok,
    }
}

/// Whether what happened at `since` may still be on its way to a system that was asked at `asked`.
fn settles(since: Option<Stamp>, asked: Stamp, rules: &Rules) -> bool {
    since.is_some_and(|t| asked.since(t) < rules.settle_after)
}

/// Charged, stuck and not at HO: the callbacks tell which of three it is, when anybody asked for them.
fn stuck_and_not_recorded(facts: &Facts<'_>) -> Class {
    let asked = facts.callbacks_asked.zip(facts.settled).is_some_and(|(asked, settled)| asked >= settled);
    match facts.callbacks {
        0 if asked => Class::PaidStuckNeverSent,
        0 => Class::PaidStuckNotRecorded,
        _ if facts.acknowledged => Class::AcknowledgedNotRecorded,
        _ => Class::PaidStuckCallbackFailed,
    }
}

fn amounts_differ(facts: &Facts<'_>) -> bool {
    let ordered = facts.order.and_then(|o| o.amount).unwrap_or(facts.paid_amount);
    facts.paid_amount != facts.recorded_amount || facts.paid_amount != ordered
}

/// Every order born in `window`, with what is known of it as of `at`.
pub fn known(store: &Store, window: Span, at: Stamp) -> impl Iterator<Item = (&OrderId, Facts<'_>)> {
    let asked = Asked::new(&store.orders, at);
    let settle_after = store.incident.rules.settle_after;
    store.orders.entries().filter_map(move |(id, entry)| {
        let facts = Facts::read(entry, &asked, settle_after)?;
        window.contains(facts.born).then_some((id, facts))
    })
}

/// Counts orders born in `window` by class, as of `at`.
pub fn standing(store: &Store, window: Span, at: Stamp) -> Standing {
    let rules = &store.incident.rules;
    let mut out = Standing { asof: asof(store, at), missing: missing(store, at), ..Standing::default() };
    let mut classes: Vec<ClassCount> =
        CLASSES.iter().map(|card| ClassCount { class: card.class, orders: 0, amount: 0, oldest: None }).collect();
    for (_, facts) in known(store, window, at) {
        let class = class_of(&facts, rules);
        if let Some(count) = classes.iter_mut().find(|c| c.class == class) {
            count.orders += 1;
            count.amount = count.amount.saturating_add(facts.amount());
            count.oldest = count.oldest.max(Some(facts.age()));
        }
        out.add(&facts, class, rules);
    }
    classes.retain(|c| c.orders > 0);
    out.classes = classes;
    out
}

impl Standing {
    fn add(&mut self, facts: &Facts<'_>, class: Class, rules: &Rules) {
        // A payment without order is no order; it has its own row in the table.
        if facts.order.is_none() {
            return;
        }
        self.total += 1;
        if class != Class::InFlight {
            self.asked.1 += 1;
            self.asked.0 += usize::from(class != Class::NotAsked);
        }
        if facts.stuck(rules.stuck_after) {
            self.stuck += 1;
            self.stuck_amount = self.stuck_amount.saturating_add(facts.amount());
            if facts.paid > 0 {
                self.stuck_paid += 1;
            } else if class != Class::NotAsked {
                self.stuck_unpaid += 1;
            }
        }
        if facts.missing_at_ho(rules.settle_after).is_some() {
            self.not_at_ho += 1;
            // Of an order that was charged twice and recorded once, one charge is missing.
            let missing = facts.paid_amount.saturating_sub(facts.recorded_amount);
            self.not_at_ho_amount = self.not_at_ho_amount.saturating_add(missing.max(0));
        }
    }
}

/// Orders born in `window` that are in one of `classes` (all when empty), oldest first, as of `at`.
pub fn orders(store: &Store, window: Span, classes: &[Class], at: Stamp) -> Vec<ClassedOrder> {
    let rules = &store.incident.rules;
    let mut out: Vec<ClassedOrder> = known(store, window, at)
        .filter_map(|(id, facts)| {
            let class = class_of(&facts, rules);
            let wanted = classes.is_empty() || classes.contains(&class);
            wanted.then(|| ClassedOrder { id: id.clone(), class, born: facts.born })
        })
        .collect();
    out.sort_by(|a, b| (a.born, &a.id).cmp(&(b.born, &b.id)));
    out
}

/// The roles without which classes cannot be told, with what is unknown then.
const NEEDED: [(Role, &str); 4] = [
    (Role::Orders, "no orders were read: configure a [[query]] with role = \"orders\""),
    (
        Role::Payments,
        "UPG was not asked: nobody knows which orders were paid; configure a [[query]] with role = \"payments\"",
    ),
    (
        Role::HoPayments,
        "HO was not asked: nobody knows what is in its books; configure a [[query]] with role = \"ho_payments\"",
    ),
    (
        Role::Callbacks,
        "callbacks were not asked: never sent and sent in vain look the same; configure a [[query]] with role = \"callbacks\"",
    ),
];

fn missing(store: &Store, at: Stamp) -> Vec<String> {
    let silent = NEEDED.iter().filter(|(role, _)| store.orders.asof(*role, at).is_none());
    silent.map(|(_, says)| (*says).to_owned()).collect()
}

fn asof(store: &Store, at: Stamp) -> Option<Stamp> {
    NEEDED.iter().filter_map(|(role, _)| store.orders.asof(*role, at)).min()
}

#[cfg(test)]
mod tests;
