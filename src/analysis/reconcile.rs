//! Which class an order is in: where the order system, UPG and Head Office disagree about it.
//!
//! Classes are tried in a fixed order and the first that fits is the order's class. "Not asked" is a class
//! of its own: silence of a system that nobody asked says nothing.

pub mod card;
pub mod class;
pub mod facts;
pub mod shared;

use crate::model::incident::Rules;
use crate::model::order::{OrderId, Role};
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
pub use card::CLASSES;
pub use class::{Class, class_of};
use facts::{Asked, Facts};
pub use shared::{SharedTrait, shared};

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
