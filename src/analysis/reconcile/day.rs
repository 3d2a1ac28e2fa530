//! Reconciling more orders than a store holds: one order at a time, forgotten when it is counted.
//!
//! [`Case`] takes the rows of one order in and says what is known of it, by the same facts and the same
//! classes as the screen; [`Day`] adds the cases up. May not know: where the rows come from.

use crate::analysis::reconcile::Standing;
use crate::analysis::reconcile::class::{self, Class, SILENT, class_of};
use crate::analysis::reconcile::facts::Facts;
use crate::model::brief;
use crate::model::incident::Rules;
use crate::model::order::{Attributes, Order, Role};
use crate::model::{Lapse, Span, Stamp};
use std::collections::BTreeMap;

/// How many roles there are.
const ROLES: usize = 5;
/// One column of the curve.
const MINUTE: i64 = 60_000_000;

/// The place of a role in tables of this room, and its bit.
pub const fn slot(role: Role) -> usize {
    role as usize
}

/// A role as a bit.
pub const fn bit(role: Role) -> u8 {
    1 << slot(role)
}

/// What the ledgers were asked and when they answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    windows: [Option<(Span, Stamp)>; ROLES],
    by_id: [Option<Stamp>; ROLES],
    silent: [bool; ROLES],
}

impl Answers {
    /// A role was read over a window; its rows are at least as young as `asof`.
    pub const fn window(&mut self, role: Role, span: Span, asof: Stamp) {
        self.windows[slot(role)] = Some((span, asof));
    }
    /// A role was asked about orders by name, from `asof` on.
    pub const fn by_id(&mut self, role: Role, asof: Stamp) {
        if self.by_id[slot(role)].is_none() {
            self.by_id[slot(role)] = Some(asof);
        }
    }
    /// A role could not be read, or not to its end.
    pub const fn silent(&mut self, role: Role) {
        self.silent[slot(role)] = true;
    }
    /// The window a role was read over.
    pub fn span(&self, role: Role) -> Option<Span> {
        self.windows[slot(role)].map(|(span, _)| span)
    }
    /// As of when a role's rows are at least.
    pub fn asof(&self, role: Role) -> Option<Stamp> {
        self.windows[slot(role)].map(|(_, t)| t).or(self.by_id[slot(role)])
    }
    /// As of when rows of a role are that came by name, or in its window.
    fn read(&self, role: Role, by_id: bool) -> Stamp {
        let window = self.windows[slot(role)].map(|(_, t)| t);
        let named = self.by_id[slot(role)];
        if by_id { named.or(window) } else { window.or(named) }.unwrap_or(Stamp(i64::MIN))
    }
    /// As of when a role's answer covers an order: asked by name, or by a window with `time` inside.
    fn covers(&self, role: Role, time: Stamp, by_id: bool) -> Option<Stamp> {
        let window = self.windows[slot(role)].filter(|(span, _)| span.contains(time)).map(|(_, t)| t);
        window.max(self.by_id[slot(role)].filter(|_| by_id))
    }
    /// When a role last answered anybody. One that could not be read has been silent for ever.
    fn last(&self, role: Role, asof: Stamp) -> Option<Stamp> {
        if self.silent[slot(role)] { Some(asof - SILENT - Lapse(1)) } else { self.asof(role) }
    }
}

/// Rows of one ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// Their amounts, of those that name one.
    pub amount: i64,
}

impl Sum {
    /// One row more.
    pub const fn row(&mut self, amount: Option<i64>) {
        self.rows += 1;
        if let Some(amount) = amount {
            self.amount = self.amount.saturating_add(amount);
        }
    }
    /// All of another.
    pub const fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.amount = self.amount.saturating_add(other.amount);
    }
}

/// Rows by role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledgers([Sum; ROLES]);

impl Ledgers {
    /// Those of a role.
    pub const fn of(&self, role: Role) -> Sum {
        self.0[slot(role)]
    }
    /// Those of a role, to change.
    pub const fn of_mut(&mut self, role: Role) -> &mut Sum {
        &mut self.0[slot(role)]
    }
    /// All of another.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            sum.add(more);
        }
    }
}

/// One order while its rows come in.
#[derive(Debug, Default)]
pub struct Case {
    order: Option<(Stamp, Order)>,
    sum: Option<Facts<'static>>,
    first_payment: Option<Stamp>,
    asked: u8,
    /// Its rows.
    pub ledgers: Ledgers,
}

impl Case {
    /// Forgets all, for the next order.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
    fn sum(&mut self) -> &mut Facts<'static> {
        self.sum.get_or_insert(Facts::blank(Stamp(0), Stamp(0)))
    }
    /// Roles that were asked about it by name.
    pub const fn asked(&mut self, roles: u8) {
        self.asked |= roles;
    }
    /// Whether a row of the order itself is there.
    pub const fn has_order(&self) -> bool {
        self.order.is_some()
    }
    /// Its row, in its newest version.
    pub fn order(&mut self, answers: &Answers, by_id: bool, order: &brief::Order<'_>) {
        self.ledgers.of_mut(Role::Orders).row(order.amount);
        let order = Order {
            order_id: order.order_id.into(),
            created_at: order.created_at,
            status: order.status.clone(),
            amount: order.amount,
            payment_method: None,
            region: None,
            service_type: None,
            saga_step: None,
            trace_id: None,
            updated_at: order.updated_at,
            version: None,
            attributes: Attributes::default(),
        };
        self.order = Some((answers.read(Role::Orders, by_id), order));
    }
    /// One of its payments, in its newest version.
    pub fn payment(&mut self, answers: &Answers, by_id: bool, payment: &brief::Payment<'_>) {
        self.ledgers.of_mut(Role::Payments).row(payment.amount);
        let born = payment.created_at;
        self.first_payment = Some(self.first_payment.map_or(born, |t| t.min(born)));
        self.sum().add_payment(answers.read(Role::Payments, by_id), payment);
    }
    /// One of its records at HO, in its newest version.
    pub fn record(&mut self, answers: &Answers, by_id: bool, record: &brief::HoPayment<'_>) {
        self.ledgers.of_mut(Role::HoPayments).row(record.amount);
        self.sum().add_record(answers.read(Role::HoPayments, by_id), record);
    }
    /// One of its callbacks, in its newest version.
    pub fn callback(&mut self, answers: &Answers, by_id: bool, callback: &brief::Callback<'_>) {
        self.ledgers.of_mut(Role::Callbacks).row(None);
        self.sum().add_callback(answers.read(Role::Callbacks, by_id), callback);
    }

    /// What is known of it; none for rows whose order is not there, unless it was asked for by name well
    /// after a payment named it.
    pub fn facts(&self, answers: &Answers, rules: &Rules) -> Option<Facts<'_>> {
        let named = |role| self.asked & bit(role) != 0;
        let (order, born, asof) = if let Some((read, order)) = &self.order {
            let covered = answers.covers(Role::Orders, order.created_at, named(Role::Orders));
            (Some(order), order.created_at, covered.map_or(*read, |t| t.max(*read)))
        } else {
            let born = self.first_payment?;
            let asked = answers.by_id[slot(Role::Orders)].filter(|_| named(Role::Orders));
            (None, born, asked.filter(|t| *t >= born + rules.settle_after)?)
        };
        let sum = self.sum.unwrap_or(Facts::blank(born, asof));
        let money = sum.settled.unwrap_or(born);
        let covers = |role, time| answers.covers(role, time, named(role));
        Some(Facts {
            order,
            born,
            asof,
            payments_asked: sum.payments_asked.max(covers(Role::Payments, born)),
            ho_asked: sum.ho_asked.max(covers(Role::HoPayments, money)),
            callbacks_asked: sum.callbacks_asked.max(covers(Role::Callbacks, money)),
            payments_last: answers.last(Role::Payments, asof),
            ho_last: answers.last(Role::HoPayments, asof),
            ..sum
        })
    }

    /// Roles whose answer by name could change what is known: bits. A class that is no fault is left alone,
    /// unless it is one only because nobody was asked.
    pub fn wants(&self, facts: Option<&Facts<'_>>, class: Option<Class>, window: Span) -> u8 {
        let (Some(facts), Some(class)) = (facts, class) else {
            // Payments that name an order which is not among those born in the window.
            let stray = self.order.is_none() && self.first_payment.is_some_and(|t| window.contains(t));
            return if stray { bit(Role::Orders) & !self.asked } else { 0 };
        };
        if facts.order.is_none() {
            return 0;
        }
        let open = matches!(class, Class::NotAsked | Class::UpgUnknown | Class::HoUnknown);
        if !open && class.card().is_some_and(|c| c.fine) {
            return 0;
        }
        let mut roles = 0;
        if facts.paid == 0 {
            roles |= bit(Role::Payments);
        }
        // What is not paid as far as we know may turn out to be, and then HO and the callbacks decide.
        if facts.paid > facts.recorded || facts.paid == 0 {
            roles |= bit(Role::HoPayments) | bit(Role::Callbacks);
        }
        roles & !self.asked
    }
}

/// One row of the classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Orders.
    pub orders: u64,
    /// The money they are about: paid where money moved, else ordered.
    pub amount: i64,
    /// Orders that name no amount where one belongs.
    pub without_amount: u64,
    /// What UPG took for them.
    pub paid: i64,
    /// What HO has of them.
    pub recorded: i64,
}

/// How many classes there are.
const CLASSES: usize = class::ALL.len();

/// The orders of a window, added up.
#[derive(Clone, Debug)]
pub struct Day {
    /// By class, in the order of [`class::ALL`].
    pub classes: [Count; CLASSES],
    /// The sums over all classes that the screen has too.
    pub standing: Standing,
    /// Paid and stuck, in rupiah.
    pub paid_stuck_amount: i64,
    /// Stuck and not paid, in rupiah.
    pub unpaid_stuck_amount: i64,
    /// Orders by the minute of their birth and by class.
    pub curve: BTreeMap<Stamp, [u32; CLASSES]>,
    /// Rows of the orders that were counted.
    pub inside: Ledgers,
    /// Rows of orders born before or after the window, or of which nothing but these rows is known.
    pub outside: Ledgers,
}

impl Default for Day {
    fn default() -> Self {
        Self {
            classes: [Count::default(); CLASSES],
            standing: Standing::default(),
            paid_stuck_amount: 0,
            unpaid_stuck_amount: 0,
            curve: BTreeMap::new(),
            inside: Ledgers::default(),
            outside: Ledgers::default(),
        }
    }
}

impl Day {
    /// Counts an order born in the window.
    pub fn add(&mut self, facts: &Facts<'_>, class: Class, rules: &Rules, ledgers: &Ledgers) {
        let count = &mut self.classes[class.number()];
        count.orders += 1;
        count.amount = count.amount.saturating_add(facts.amount());
        count.without_amount += u64::from(facts.without_amount());
        count.paid = count.paid.saturating_add(facts.paid_amount);
        count.recorded = count.recorded.saturating_add(facts.recorded_amount);
        let before = (self.standing.stuck_paid, self.standing.stuck_unpaid);
        self.standing.add(facts, class, rules);
        if self.standing.stuck_paid > before.0 {
            self.paid_stuck_amount = self.paid_stuck_amount.saturating_add(facts.amount());
        }
        if self.standing.stuck_unpaid > before.1 {
            self.unpaid_stuck_amount = self.unpaid_stuck_amount.saturating_add(facts.amount());
        }
        let minute = Stamp(facts.born.0.div_euclid(MINUTE) * MINUTE);
        self.curve.entry(minute).or_insert([0; CLASSES])[class.number()] += 1;
        self.inside.add(ledgers);
    }

    /// Adds orders that were counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.classes.iter_mut().zip(&other.classes) {
            count.orders += more.orders;
            count.amount = count.amount.saturating_add(more.amount);
            count.without_amount += more.without_amount;
            count.paid = count.paid.saturating_add(more.paid);
            count.recorded = count.recorded.saturating_add(more.recorded);
        }
        self.standing.merge(&other.standing);
        self.paid_stuck_amount = self.paid_stuck_amount.saturating_add(other.paid_stuck_amount);
        self.unpaid_stuck_amount = self.unpaid_stuck_amount.saturating_add(other.unpaid_stuck_amount);
        for (minute, counts) in &other.curve {
            let here = self.curve.entry(*minute).or_insert([0; CLASSES]);
            here.iter_mut().zip(counts).for_each(|(n, more)| *n += more);
        }
        self.inside.add(&other.inside);
        self.outside.add(&other.outside);
    }

    /// Rows that belong to no order of the window.
    pub fn beside(&mut self, ledgers: &Ledgers) {
        self.outside.add(ledgers);
    }

    /// What does not add up, in words; `read` is what came from the ledgers, `again` those of its rows that
    /// came more than once, `unplaced` those for which no order can be named.
    pub fn broken(&self, read: &Ledgers, again: &Ledgers, unplaced: &Ledgers) -> Option<String> {
        let counted: u64 = self.classes.iter().map(|c| c.orders).sum();
        let orphans = self.classes[Class::PaymentWithoutOrder.number()].orders;
        let mut found = self.inside;
        found.add(&self.outside);
        found.add(again);
        found.add(unplaced);
        let curve: u64 = self.curve.values().flatten().map(|n| u64::from(*n)).sum();
        let orders = self.inside.of(Role::Orders).rows;
        if found == *read && counted == orders + orphans && counted == curve && self.standing.total as u64 == orders {
            return None;
        }
        Some(format!(
            "the classes do not add up: {counted} orders by class, {orders} in the window, rows {found:?} by class and {read:?} read; do not act on these counts, and report this"
        ))
    }
}

/// The class of an order that was born in the window; none for others.
pub fn placed(facts: Option<&Facts<'_>>, window: Span, rules: &Rules) -> Option<Class> {
    facts.filter(|f| window.contains(f.born)).map(|f| class_of(f, rules))
}
