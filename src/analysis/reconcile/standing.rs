//! Where the orders of a window stand: counts and sums by class, and whether they add up to the ledgers.
//!
//! May not know: screens.

use crate::analysis::reconcile::class::{self, Class, class_of};
use crate::analysis::reconcile::doubt;
use crate::analysis::reconcile::facts::{Facts, newest, newest_order};
use crate::analysis::reconcile::flag::{FLAGS, Flag, flags_of};
use crate::analysis::reconcile::{CLASSES, NEEDED, each, known};
use crate::model::incident::Rules;
use crate::model::order::{PaymentStatus, Role};
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
use crate::store::book::Entry;

/// One row of the classes table.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassCount {
    /// The class.
    pub class: Class,
    /// How many orders.
    pub orders: usize,
    /// Sum of their amounts in rupiah (paid amounts where money moved), of those that name one.
    pub amount: i64,
    /// How many of them name none.
    pub without_amount: usize,
    /// What UPG took for them.
    pub paid: i64,
    /// What HO has of them.
    pub recorded: i64,
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
    /// Flags that orders carry, whatever their class.
    pub flags: Vec<(Flag, usize)>,
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
    /// What else is in doubt, in words: a silent ledger, a word nobody mapped, rows that fit nowhere.
    pub doubts: Vec<String>,
    /// Ledgers that have answered before and are silent for too long, with their last answers: what
    /// [rests on](Class::rests_on) them was so then.
    pub silent: Vec<(Role, Stamp)>,
    /// The sums that do not agree with the ledgers, in words; none when all is well.
    pub broken: Option<String>,
    /// Orders asked for so far, of those that have to be.
    pub asked: (usize, usize),
}

/// Counts orders born in `window` by class, as of `at`.
pub fn standing(store: &Store, window: Span, at: Stamp) -> Standing {
    let rules = &store.incident.rules;
    let zone = &store.incident.zone;
    let mut out = Standing { asof: asof(store, at), missing: missing(store, at), ..Standing::default() };
    let blank =
        |class| ClassCount { class, orders: 0, amount: 0, without_amount: 0, paid: 0, recorded: 0, oldest: None };
    let mut counts = class::ALL.map(blank);
    let mut flags = [0_usize; FLAGS.len()];
    let mut sums = Sums::default();
    each(store, at, |_, entry, facts| {
        sums.order(entry, window, at);
        let Some(facts) = facts.filter(|f| window.contains(f.born)) else { return };
        let class = class_of(facts, rules);
        let count = &mut counts[class.number()];
        count.orders += 1;
        count.amount = count.amount.saturating_add(facts.amount());
        count.without_amount += usize::from(facts.without_amount());
        count.paid = count.paid.saturating_add(facts.paid_amount);
        count.recorded = count.recorded.saturating_add(facts.recorded_amount);
        count.oldest = count.oldest.max(Some(facts.age()));
        flags_of(facts, rules, zone).iter().for_each(|f| flags[f as usize] += 1);
        out.add(facts, class, rules);
    });
    out.broken = sums.compared(&counts, out.total);
    let row = |card: &super::ClassCard| counts[card.class.number()].clone();
    out.classes = CLASSES.iter().map(row).filter(|c| c.orders > 0).collect();
    out.flags = FLAGS.into_iter().zip(flags).filter(|(_, n)| *n > 0).collect();
    out.silent = [Role::HoPayments, Role::Payments, Role::Orders]
        .into_iter()
        .filter_map(|role| Some((role, silent_since(store, role, at)?)))
        .collect();
    out.doubts = doubt::doubts(store, window, at, &out);
    out
}

/// How many orders born in `window` were in each class as of `at`, by [`Class::number`]; none when the orders
/// had not been read by then. Cheaper than a standing.
pub fn tally(store: &Store, window: Span, at: Stamp) -> Option<[usize; class::ALL.len()]> {
    store.orders.asof(Role::Orders, at)?;
    let mut out = [0; class::ALL.len()];
    known(store, window, at, |_, facts| out[class_of(facts, &store.incident.rules).number()] += 1);
    Some(out)
}

impl Standing {
    /// How many orders are in a class.
    pub fn of(&self, class: Class) -> usize {
        self.classes.iter().find(|c| c.class == class).map_or(0, |c| c.orders)
    }

    /// As of when a class is counted, when that is not as of the whole: a ledger it rests on fell silent then.
    pub fn was_so(&self, class: Class) -> Option<Stamp> {
        let role = class.rests_on()?;
        self.silent.iter().find(|(r, _)| *r == role).map(|(_, since)| *since)
    }

    /// Adds the sums of orders that were added elsewhere.
    pub(super) fn merge(&mut self, other: &Self) {
        self.total += other.total;
        self.stuck += other.stuck;
        self.stuck_amount = self.stuck_amount.saturating_add(other.stuck_amount);
        self.stuck_paid += other.stuck_paid;
        self.stuck_unpaid += other.stuck_unpaid;
        self.not_at_ho += other.not_at_ho;
        self.not_at_ho_amount = self.not_at_ho_amount.saturating_add(other.not_at_ho_amount);
        self.asked = (self.asked.0 + other.asked.0, self.asked.1 + other.asked.1);
    }

    /// Adds an order; whoever adds keeps the classes' own counts.
    pub(super) fn add(&mut self, facts: &Facts<'_>, class: Class, rules: &Rules) {
        // A payment without order is no order; it has its own row in the table.
        if facts.order.is_none() {
            return;
        }
        self.total += 1;
        let unknown = matches!(class, Class::NotAsked | Class::UpgUnknown);
        if class != Class::InFlight {
            self.asked.1 += 1;
            self.asked.0 += usize::from(class != Class::NotAsked);
        }
        if facts.stuck(rules.stuck_after) {
            self.stuck += 1;
            self.stuck_amount = self.stuck_amount.saturating_add(facts.amount());
            if facts.paid > 0 {
                self.stuck_paid += 1;
            } else if !unknown && class != Class::UnmappedPayment {
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

/// What the ledgers hold of the orders born in a window, added up row by row and without any class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    orders: usize,
    paid: i64,
    recorded: i64,
}

impl Sums {
    /// An order, if it was born in the window.
    fn order(&mut self, entry: &Entry, window: Span, at: Stamp) {
        if newest_order(entry, at).is_some_and(|(_, o)| window.contains(o.created_at)) {
            self.orders += 1;
            self.add(entry, at);
        }
    }

    fn add(&mut self, entry: &Entry, at: Stamp) {
        for (i, (t, p)) in entry.payments.iter().enumerate() {
            let counts = p.status == PaymentStatus::Paid
                && newest(&entry.payments, i, *t, at, |later| later.upg_ref == p.upg_ref);
            self.paid = self.paid.saturating_add(p.amount.filter(|_| counts).unwrap_or(0));
        }
        for (i, (t, h)) in entry.ho.iter().enumerate() {
            let counts = newest(&entry.ho, i, *t, at, |later| later.ho_ref == h.ho_ref);
            self.recorded = self.recorded.saturating_add(h.amount.filter(|_| counts).unwrap_or(0));
        }
    }

    /// What differs from the classes, in words. Payments without an order are beside the ledger of orders.
    fn compared(self, counts: &[ClassCount], total: usize) -> Option<String> {
        let counts = || counts.iter().filter(|c| c.class != Class::PaymentWithoutOrder);
        let by_class = Self {
            orders: counts().map(|c| c.orders).sum(),
            paid: counts().map(|c| c.paid).sum(),
            recorded: counts().map(|c| c.recorded).sum(),
        };
        if by_class == self && total == self.orders {
            return None;
        }
        Some(format!(
            "the classes do not add up: {} orders, Rp {} paid, Rp {} at HO by class; {}, {} and {} in the ledgers; \
             do not act on these counts, and report this",
            by_class.orders, by_class.paid, by_class.recorded, self.orders, self.paid, self.recorded
        ))
    }
}

fn missing(store: &Store, at: Stamp) -> Vec<String> {
    let silent = NEEDED.iter().filter(|(role, _)| store.orders.asof(*role, at).is_none());
    silent.map(|(_, says)| (*says).to_owned()).collect()
}

fn asof(store: &Store, at: Stamp) -> Option<Stamp> {
    NEEDED.iter().filter_map(|(role, _)| store.orders.asof(*role, at)).min()
}

/// Since when a role that has answered before is silent for too long.
fn silent_since(store: &Store, role: Role, at: Stamp) -> Option<Stamp> {
    let last = store.orders.newest(role, at)?;
    (at.since(last) > class::SILENT).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_do_not_agree_are_said_with_both_numbers() {
        let blank = ClassCount {
            class: Class::Ok,
            orders: 2,
            amount: 5,
            without_amount: 0,
            paid: 5,
            recorded: 5,
            oldest: None,
        };
        let orphan = ClassCount { class: Class::PaymentWithoutOrder, orders: 1, paid: 9, ..blank.clone() };
        let ledger = Sums { orders: 2, paid: 5, recorded: 5 };
        assert_eq!(ledger.compared(&[blank.clone(), orphan], 2), None);
        let says = Sums { paid: 6, ..ledger }.compared(std::slice::from_ref(&blank), 2).unwrap();
        assert!(says.contains("Rp 5 paid") && says.contains("2, 6 and 5"), "{says}");
        assert!(ledger.compared(&[blank], 3).is_some());
    }
}
