//! Which class an order is in: where the order system, UPG and Head Office disagree about it.
//!
//! Classes are tried in a fixed order and the first that fits is the order's class; what else is true of it
//! are its flags. "Not asked" is a class of its own: silence of a system that nobody asked says nothing.

pub mod card;
pub mod class;
pub mod curve;
pub mod day;
mod doubt;
pub mod facts;
pub mod flag;
pub mod shared;
pub mod standing;
pub mod worksheet;

use crate::model::order::{OrderId, OrderStatus, Role};
use crate::model::{Span, Stamp};
use crate::store::Store;
use crate::store::book::Entry;
pub use card::CLASSES;
pub use class::{Class, class_of};
use facts::{Asked, Facts, newest_order};
pub use flag::{Flag, Flags, flags_of};
pub use shared::{Bad, SharedTrait, Term, has_all, shared, shared_by};
pub use standing::{ClassCount, Standing, standing, tally};

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

/// One order of a class, for the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassedOrder {
    /// Identifier.
    pub id: OrderId,
    /// Class.
    pub class: Class,
    /// What else is true of it.
    pub flags: Flags,
    /// Birth.
    pub born: Stamp,
}

impl Class {
    /// Its card.
    pub fn card(self) -> Option<&'static ClassCard> {
        CLASSES.iter().find(|c| c.class == self)
    }
}

/// Tells every order born in `window`, with what is known of it as of `at`. The facts are lent: an order that is
/// settled is let go of when the next is looked at.
pub fn known<'s>(store: &'s Store, window: Span, at: Stamp, mut each: impl FnMut(&'s OrderId, &Facts<'_>)) {
    self::each(store, at, |id, _, facts| {
        if let Some(facts) = facts.filter(|f| window.contains(f.born)) {
            each(id, facts);
        }
    });
}

/// Tells every order with its rows and what is known of it as of `at`, if it was known then.
fn each<'s>(store: &'s Store, at: Stamp, mut each: impl FnMut(&'s OrderId, &Entry, Option<&Facts<'_>>)) {
    let asked = Asked::new(&store.orders, at);
    let settle_after = store.incident.rules.settle_after;
    for (id, entry) in store.orders.entries() {
        each(id, &entry, Facts::read(&entry, &asked, settle_after).as_ref());
    }
}

/// Orders born in `window` that are ACTIVE for too long as of `at`. The others are not looked into.
pub fn stuck(store: &Store, window: Span, at: Stamp) -> impl Iterator<Item = &OrderId> {
    let asked = Asked::new(&store.orders, at);
    let rules = &store.incident.rules;
    store.orders.entries().filter_map(move |(id, entry)| {
        let (_, order) = newest_order(&entry, at)?;
        let may_be = order.status == OrderStatus::Active && window.contains(order.created_at);
        let facts = may_be.then(|| Facts::read(&entry, &asked, rules.settle_after)).flatten()?;
        facts.stuck(rules.stuck_after).then_some(id)
    })
}

/// Orders born in `window` that are in one of `classes` (all when empty), oldest first, as of `at`.
pub fn orders(store: &Store, window: Span, classes: &[Class], at: Stamp) -> Vec<ClassedOrder> {
    let rules = &store.incident.rules;
    let mut out: Vec<ClassedOrder> = Vec::new();
    known(store, window, at, |id, facts| {
        let class = class_of(facts, rules);
        if classes.is_empty() || classes.contains(&class) {
            let flags = flags_of(facts, rules, &store.incident.zone);
            out.push(ClassedOrder { id: id.clone(), class, flags, born: facts.born });
        }
    });
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

#[cfg(test)]
mod fold_tests;
#[cfg(test)]
mod segment_tests;
#[cfg(test)]
mod tests;
