//! What is known of one order as of an instant: the newest version of each of its rows, and which systems
//! had been asked about it by then. Nothing is allocated for an order.
//!
//! May not know: classes, screens.

use crate::model::brief;
use crate::model::order::{Callback, Order, OrderStatus, PaymentStatus, ROLES, Role};
use crate::model::{Lapse, Span, Stamp};
use crate::store::OrderBook;
use crate::store::book::Entry;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// What every role had been asked by an instant.
pub struct Asked {
    at: Stamp,
    /// For each role stretches side by side, in order, with the newest answer about each.
    spans: [Vec<(Span, Stamp)>; ROLES.len()],
    last: [Option<Stamp>; ROLES.len()],
    configured: [bool; ROLES.len()],
}

const fn slot(role: Role) -> usize {
    match role {
        Role::Orders => 0,
        Role::OrderEvents => 1,
        Role::Payments => 2,
        Role::Callbacks => 3,
        Role::HoPayments => 4,
        Role::OrdersAgg => 5,
        Role::Saga => 6,
        Role::CallbackQueue => 7,
    }
}

impl Asked {
    /// Reads the questions asked up to `at`.
    pub fn new(book: &OrderBook, at: Stamp) -> Self {
        Self {
            at,
            spans: ROLES.map(|role| newest_cover(book.asks(role, at).collect())),
            last: ROLES.map(|role| book.newest(role, at)),
            configured: ROLES.map(|role| book.has(role)),
        }
    }

    /// Whether a role has ever answered.
    pub fn has(&self, role: Role) -> bool {
        self.configured[slot(role)]
    }

    /// When a role last answered anything.
    pub fn last(&self, role: Role) -> Option<Stamp> {
        self.last[slot(role)]
    }

    /// As of when a role's answer covers an order: asked by its id, or by a window with `time` inside.
    pub fn asof(&self, role: Role, entry: &Entry, time: Stamp) -> Option<Stamp> {
        let by_id = entry.asked.iter().rev().find(|(t, r)| *r == role && *t <= self.at).map(|(t, _)| *t);
        // Every order asks this for every role: a stretch is found by halving.
        let spans = &self.spans[slot(role)];
        let before = spans.partition_point(|(s, _)| s.from <= time);
        let by_window = before.checked_sub(1).map(|i| spans[i]).filter(|(s, _)| s.contains(time)).map(|(_, t)| t);
        by_id.max(by_window)
    }
}

/// Stretches side by side, each with the newest answer about it: a newer question covers what an older one asked.
fn newest_cover(mut asks: Vec<(Stamp, Span)>) -> Vec<(Span, Stamp)> {
    asks.sort_by_key(|(t, _)| *t);
    let mut kept: BTreeMap<Stamp, (Stamp, Stamp)> = BTreeMap::new();
    for (asof, span) in asks.into_iter().filter(|(_, s)| s.from < s.to) {
        // What reaches in from before keeps its head, and its tail when it reaches out behind.
        if let Some((from, (to, t))) = kept.range(..span.from).next_back().map(|(f, v)| (*f, *v))
            && to > span.from
        {
            kept.insert(from, (span.from, t));
            if to > span.to {
                kept.insert(span.to, (to, t));
            }
        }
        while let Some((from, (to, t))) = kept.range(span.from..span.to).next().map(|(f, v)| (*f, *v)) {
            kept.remove(&from);
            if to > span.to {
                kept.insert(span.to, (to, t));
            }
        }
        kept.insert(span.from, (span.to, asof));
    }
    kept.into_iter().map(|(from, (to, t))| (Span::new(from, to), t)).collect()
}

/// An order as of an instant.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its row; none for a payment whose order nobody has, though it was asked for.
    pub order: Option<&'a Order>,
    /// Its birth; for a payment without order, the payment's.
    pub born: Stamp,
    /// When the orders were so: ages are measured from here, not from the clock.
    pub asof: Stamp,
    /// As of when UPG was asked about it.
    pub payments_asked: Option<Stamp>,
    /// As of when HO was asked about it.
    pub ho_asked: Option<Stamp>,
    /// As of when the callbacks were asked about it.
    pub callbacks_asked: Option<Stamp>,
    /// When UPG last answered anything, about any order.
    pub payments_last: Option<Stamp>,
    /// When HO last answered anything, about any order.
    pub ho_last: Option<Stamp>,
    /// Payments that moved money and were not given back.
    pub paid: usize,
    /// Their sum, of those that name an amount.
    pub paid_amount: i64,
    /// Those of them that name none.
    pub paid_without_amount: usize,
    /// Payments that were given back.
    pub refunded: usize,
    /// Payments in a status nobody mapped.
    pub unmapped_payments: usize,
    /// When the first of them settled.
    pub settled: Option<Stamp>,
    /// Whether a payment waits for the gateway.
    pub pending: bool,
    /// Records at HO.
    pub recorded: usize,
    /// Their sum, of those that name an amount.
    pub recorded_amount: i64,
    /// Those of them that name none.
    pub recorded_without_amount: usize,
    /// When the first was written.
    pub recorded_first: Option<Stamp>,
    /// When the newest was written.
    pub recorded_at: Option<Stamp>,
    /// The day HO booked the newest dated record on, with when it was written.
    pub booked: Option<(NaiveDate, Stamp)>,
    /// Attempts to tell HO.
    pub callbacks: usize,
    /// Whether HO said 2xx to one.
    pub acknowledged: bool,
    /// When the last of them was sent.
    pub called_last: Option<Stamp>,
    /// When the last one that HO said 2xx to was sent.
    pub acked_last: Option<Stamp>,
}

impl<'a> Facts<'a> {
    /// Reads an order; none when no row of the order itself was known by then, unless it was asked for
    /// well after a payment named it.
    pub fn read(entry: &'a Entry, asked: &Asked, settle_after: Lapse) -> Option<Self> {
        let row = newest_order(entry, asked.at);
        let born = match row {
            Some((_, order)) => order.created_at,
            None => first_payment(entry, asked.at)?,
        };
        let covered = asked.asof(Role::Orders, entry, born);
        let asof = match row {
            Some((read_at, _)) => covered.map_or(read_at, |t| t.max(read_at)),
            None => covered.filter(|t| *t >= born + settle_after)?,
        };
        let mut facts = Self {
            order: row.map(|(_, order)| order),
            born,
            asof,
            payments_asked: asked.asof(Role::Payments, entry, born),
            payments_last: asked.last(Role::Payments),
            ho_last: asked.last(Role::HoPayments),
            ..Self::blank(born, asof)
        };
        facts.read_payments(entry, asked.at);
        let money_time = facts.settled.unwrap_or(born);
        facts.ho_asked = asked.asof(Role::HoPayments, entry, money_time);
        facts.callbacks_asked = asked.asof(Role::Callbacks, entry, money_time);
        facts.read_ho(entry, asked.at);
        Some(facts)
    }

    /// Nothing is known but when it was born, as of when the orders were read.
    pub const fn blank(born: Stamp, asof: Stamp) -> Self {
        Self {
            order: None,
            born,
            asof,
            payments_asked: None,
            ho_asked: None,
            callbacks_asked: None,
            payments_last: None,
            ho_last: None,
            paid: 0,
            paid_amount: 0,
            paid_without_amount: 0,
            refunded: 0,
            unmapped_payments: 0,
            settled: None,
            pending: false,
            recorded: 0,
            recorded_amount: 0,
            recorded_without_amount: 0,
            recorded_first: None,
            recorded_at: None,
            booked: None,
            callbacks: 0,
            acknowledged: false,
            called_last: None,
            acked_last: None,
        }
    }

    fn read_ho(&mut self, entry: &Entry, at: Stamp) {
        for (i, (t, record)) in entry.ho.iter().enumerate() {
            if newest(&entry.ho, i, *t, at, |later| later.ho_ref == record.ho_ref) {
                self.add_record(*t, &record.into());
            }
        }
        for (i, (t, callback)) in entry.callbacks.iter().enumerate() {
            let same = |later: &Callback| later.upg_ref == callback.upg_ref && later.attempt == callback.attempt;
            if newest(&entry.callbacks, i, *t, at, same) {
                self.add_callback(*t, &callback.into());
            }
        }
    }

    fn read_payments(&mut self, entry: &Entry, at: Stamp) {
        for (i, (t, payment)) in entry.payments.iter().enumerate() {
            if newest(&entry.payments, i, *t, at, |later| later.upg_ref == payment.upg_ref) {
                self.add_payment(*t, &payment.into());
            }
        }
    }

    /// Takes in a record at HO, read at `t`; each record once, in its newest version.
    pub fn add_record(&mut self, t: Stamp, record: &brief::HoPayment<'_>) {
        self.recorded += 1;
        self.recorded_amount = self.recorded_amount.saturating_add(record.amount.unwrap_or(0));
        self.recorded_without_amount += usize::from(record.amount.is_none());
        let first = self.recorded_first.map_or(record.recorded_at, |t| t.min(record.recorded_at));
        self.recorded_first = Some(first);
        self.recorded_at = self.recorded_at.max(Some(record.recorded_at));
        if let Some(day) = record.business_date
            && self.booked.is_none_or(|(_, at)| at <= record.recorded_at)
        {
            self.booked = Some((day, record.recorded_at));
        }
        self.ho_asked = self.ho_asked.max(Some(t));
    }

    /// Takes in a callback, read at `t`, if it goes to HO; each attempt once, in its newest version.
    pub fn add_callback(&mut self, t: Stamp, callback: &brief::Callback<'_>) {
        if !is_ho(callback.target) {
            return;
        }
        self.callbacks += 1;
        self.called_last = self.called_last.max(Some(callback.sent_at));
        if callback.http_status.is_some_and(|s| (200..300).contains(&s)) {
            self.acknowledged = true;
            self.acked_last = self.acked_last.max(Some(callback.sent_at));
        }
        self.callbacks_asked = self.callbacks_asked.max(Some(t));
    }

    /// Takes in a payment, read at `t`; each payment once, in its newest version.
    pub fn add_payment(&mut self, t: Stamp, payment: &brief::Payment<'_>) {
        // A row is an answer, even when the question was not kept.
        self.payments_asked = self.payments_asked.max(Some(t));
        match payment.status {
            PaymentStatus::Paid => {
                let settled = payment.settled_at.unwrap_or(payment.created_at);
                self.paid += 1;
                self.paid_amount = self.paid_amount.saturating_add(payment.amount.unwrap_or(0));
                self.paid_without_amount += usize::from(payment.amount.is_none());
                self.settled = Some(self.settled.map_or(settled, |s| s.min(settled)));
            }
            PaymentStatus::Pending | PaymentStatus::Authorized | PaymentStatus::Initiated => self.pending = true,
            PaymentStatus::Refunded => self.refunded += 1,
            PaymentStatus::Other(_) => self.unmapped_payments += 1,
            PaymentStatus::Failed => {}
        }
    }

    /// Under way and not ended.
    pub fn active(&self) -> bool {
        self.order.is_some_and(|o| o.status == OrderStatus::Active)
    }

    /// Its age when the orders were read; never negative, whatever the clocks say.
    pub fn age(&self) -> Lapse {
        Lapse(self.asof.since(self.born).0.max(0))
    }

    /// ACTIVE for longer than `stuck_after`.
    pub fn stuck(&self, stuck_after: Lapse) -> bool {
        self.active() && self.age() > stuck_after
    }

    /// When HO should have had the money, for an order of which HO was asked after that and has fewer
    /// records than UPG has payments.
    pub fn missing_at_ho(&self, settle_after: Lapse) -> Option<Stamp> {
        let due = self.settled? + settle_after;
        (self.paid > self.recorded && self.ho_asked? >= due).then_some(due)
    }

    /// The money it is about: what was paid where money moved, else the order's own amount. Zero where
    /// nobody names one; [`Self::without_amount`] tells that apart.
    pub fn amount(&self) -> i64 {
        let ordered = || self.order.and_then(|o| o.amount).unwrap_or(0);
        if self.paid > 0 { self.paid_amount } else { ordered() }
    }

    /// Whether [`Self::amount`] misses an amount that a row should have named.
    pub fn without_amount(&self) -> bool {
        if self.paid > 0 { self.paid_without_amount > 0 } else { self.order.is_some_and(|o| o.amount.is_none()) }
    }

    /// UPG and HO name different sums; an amount that is missing is no difference.
    pub fn upg_ho_differ(&self) -> bool {
        let named = self.paid_without_amount == 0 && self.recorded_without_amount == 0;
        named && self.paid > 0 && self.recorded > 0 && self.paid_amount != self.recorded_amount
    }

    /// Order and UPG name different sums; an amount that is missing is no difference.
    pub fn order_upg_differ(&self) -> bool {
        let ordered = self.order.and_then(|o| o.amount);
        self.paid > 0 && self.paid_without_amount == 0 && ordered.is_some_and(|a| a != self.paid_amount)
    }
}

fn first_payment(entry: &Entry, at: Stamp) -> Option<Stamp> {
    entry.payments.iter().filter(|(t, _)| *t <= at).map(|(_, p)| p.created_at).min()
}

/// The newest version of the order's row read by `at`.
pub fn newest_order(entry: &Entry, at: Stamp) -> Option<(Stamp, &Order)> {
    entry.orders.iter().filter(|(t, _)| *t <= at).max_by_key(|(t, _)| *t).map(|(t, o)| (*t, o))
}

/// Whether the version at `i`, read at `t`, is the newest of its key read by `at`.
pub fn newest<T>(rows: &[(Stamp, T)], i: usize, t: Stamp, at: Stamp, same: impl Fn(&T) -> bool) -> bool {
    let replaced = |(j, (u, row)): (usize, &(Stamp, T))| *u <= at && (*u > t || (*u == t && j > i)) && same(row);
    t <= at && !rows.iter().enumerate().any(replaced)
}

/// Whether a callback goes to Head Office; one without a target does.
pub fn to_ho(callback: &Callback) -> bool {
    is_ho(callback.target.as_deref())
}

fn is_ho(target: Option<&str>) -> bool {
    let Some(target) = target else { return true };
    let first = target.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    first.eq_ignore_ascii_case("ho") || first.eq_ignore_ascii_case("head") || first.eq_ignore_ascii_case("headoffice")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_newest_answer_about_a_time_is_found_whatever_was_asked(
            asks in prop::collection::vec((0_i64..40, 0_i64..30, 0_i64..12), 0..40),
            time in -2_i64..50,
        ) {
            let asks: Vec<(Stamp, Span)> =
                asks.into_iter().map(|(t, from, len)| (Stamp(t), Span::new(Stamp(from), Stamp(from + len)))).collect();
            let time = Stamp(time);
            let naive = asks.iter().filter(|(_, s)| s.contains(time)).map(|(t, _)| *t).max();
            let cover = newest_cover(asks);
            prop_assert!(cover.windows(2).all(|w| w[0].0.to <= w[1].0.from));
            prop_assert_eq!(cover.iter().find(|(s, _)| s.contains(time)).map(|(_, t)| *t), naive);
        }
    }
}
