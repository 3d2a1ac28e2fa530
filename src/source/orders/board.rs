//! What the queries of all databases know of each other: which orders there are, which of them still have
//! to be asked for elsewhere, and under which UPG references.
//!
//! An order that is complete, paid once and recorded at HO is settled: it is never asked for again and
//! only its fingerprint is kept. The others are asked for again after a wait that doubles while nothing
//! changes, so that thousands of hung orders do not become thousands of questions a minute.
//!
//! Somebody who opens a stretch of time waits for it: its orders are read and asked for before all others.

use crate::model::order::{HoPayment, Order, OrderId, OrderStatus, Payment, PaymentStatus, Role, Rows};
use crate::model::{Lapse, Span, Stamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Longest wait between two questions about an order.
const LONGEST_GAP: Lapse = Lapse::minutes(5);

/// Shared by the tasks of all databases.
#[derive(Debug, Default)]
pub struct Board(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    wanted: Option<Wanted>,
    orders: HashMap<OrderId, Item>,
    by_ref: HashMap<Arc<str>, OrderId>,
    settled: HashSet<u64>,
    /// Orders by when a role wants to ask for them.
    due: BTreeMap<Role, BTreeSet<(Instant, OrderId)>>,
}

/// A stretch of time somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// When its orders were born.
    pub span: Span,
    /// Which wish it is, from 1.
    pub number: u64,
    /// When it was made: its orders stand in the queues as if they had waited since long before.
    since: Instant,
}

/// So much longer than it has waited counts what is wanted, so that it comes first.
const BEFORE: Lapse = Lapse::hours(1);

impl Wanted {
    /// The place in the queue of an order born then; where it would stand otherwise.
    fn place(wanted: Option<&Self>, born: Stamp, now: Instant) -> Instant {
        let first = wanted.filter(|w| w.span.contains(born)).map(|w| w.since);
        first.and_then(|t| t.checked_sub(BEFORE.to_std())).or(first).unwrap_or(now)
    }
}

#[derive(Debug, Default)]
struct Item {
    born: Stamp,
    complete: bool,
    paid: usize,
    recorded: usize,
    refs: Vec<Arc<str>>,
    asked: BTreeMap<Role, Asked>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    due: Instant,
    gap: Lapse,
    answered: bool,
    /// When something became known that an earlier question could not name.
    anew: Option<Instant>,
}

impl Asked {
    /// Not asked for yet.
    const fn first(due: Instant) -> Self {
        Self { due, gap: Lapse::ZERO, answered: false, anew: None }
    }
}

fn print(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Board {
    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic elsewhere leaves counts and sets that are still each true.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A role asks by ids: orders known already and later ones wait for it.
    pub fn asks_by_id(&self, role: Role, now: Instant) {
        let mut known = self.known();
        let Known { orders, due, .. } = &mut *known;
        let queue = due.entry(role).or_default();
        for (id, item) in orders.iter_mut() {
            item.asked.entry(role).or_insert_with(|| {
                queue.insert((now, id.clone()));
                Asked::first(now)
            });
        }
    }

    /// Somebody waits for the orders born in a stretch: those known and never asked for come first in the queues,
    /// those that become known after them too.
    pub fn want(&self, span: Span, now: Instant) {
        let mut known = self.known();
        let Known { orders, due, wanted, .. } = &mut *known;
        let number = wanted.map_or(0, |w| w.number) + 1;
        let wish = Wanted { span, number, since: now };
        *wanted = Some(wish);
        for (id, item) in orders.iter_mut().filter(|(_, item)| span.contains(item.born)) {
            for (role, asked) in item.asked.iter_mut().filter(|(_, asked)| !asked.answered) {
                if let Some(queue) = due.get_mut(role) {
                    queue.remove(&(asked.due, id.clone()));
                    asked.due = Wanted::place(Some(&wish), item.born, asked.due);
                    queue.insert((asked.due, id.clone()));
                }
            }
        }
    }

    /// What somebody waits for.
    pub fn wanted(&self) -> Option<Wanted> {
        self.known().wanted
    }

    /// Learns from rows, whoever asked for them.
    pub fn learn(&self, rows: &Rows, now: Instant) {
        let mut known = self.known();
        match rows {
            Rows::Orders(orders) => orders.iter().for_each(|o| known.order(o, now)),
            Rows::Payments(payments) => known.payments(payments, now),
            Rows::HoPayments(records) => known.records(records),
            Rows::OrderEvents(_) | Rows::Callbacks(_) | Rows::OrdersAgg(_) | Rows::Saga(_) | Rows::CallbackQueue(_) => {
            }
        }
    }

    /// Orders that a role should ask for now, those waiting longest first.
    pub fn due(&self, role: Role, most: usize, now: Instant) -> Vec<OrderId> {
        let known = self.known();
        let Some(queue) = known.due.get(&role) else { return Vec::new() };
        queue.iter().take_while(|(at, _)| *at <= now).take(most).map(|(_, id)| id.clone()).collect()
    }

    /// When a role has something to ask.
    pub fn next_due(&self, role: Role) -> Option<Instant> {
        self.known().due.get(&role)?.first().map(|(at, _)| *at)
    }

    /// UPG references of orders.
    pub fn refs(&self, ids: &[OrderId]) -> Vec<Arc<str>> {
        let known = self.known();
        ids.iter().filter_map(|id| known.orders.get(id)).flat_map(|item| item.refs.iter().cloned()).collect()
    }

    /// Those of the orders that have a UPG reference.
    pub fn with_refs(&self, ids: &[OrderId]) -> Vec<OrderId> {
        let known = self.known();
        let paid = |id: &&OrderId| known.orders.get(*id).is_some_and(|item| !item.refs.is_empty());
        ids.iter().filter(paid).cloned().collect()
    }

    /// A role has asked for these from `asked` on; `changed` are those with news. Gives back those whose question is
    /// out of date: a payment of theirs has become known since, and they are asked for again.
    pub fn answered(
        &self,
        role: Role,
        ids: &[OrderId],
        changed: &HashSet<OrderId>,
        interval: Lapse,
        (asked, now): (Instant, Instant),
    ) -> HashSet<OrderId> {
        let mut known = self.known();
        let late = |known: &Known, id: &OrderId| {
            let item = known.orders.get(id).and_then(|item| item.asked.get(&role));
            item.is_some_and(|a| a.anew.is_some_and(|anew| anew > asked))
        };
        let late: HashSet<OrderId> = ids.iter().filter(|id| late(&known, id)).cloned().collect();
        for id in ids.iter().filter(|id| !late.contains(*id)) {
            known.answered(role, id, changed.contains(id), interval, now);
        }
        late
    }

    /// How many orders are still to be watched.
    pub fn open(&self) -> usize {
        self.known().orders.len()
    }
}

impl Item {
    /// A new payment: whoever was asked about the order before could not know of it.
    fn ask_anew(&mut self, id: &OrderId, due: &mut BTreeMap<Role, BTreeSet<(Instant, OrderId)>>, now: Instant) {
        for (role, asked) in self.asked.iter_mut().filter(|(role, _)| **role != Role::Payments) {
            if let Some(queue) = due.get_mut(role) {
                queue.remove(&(asked.due, id.clone()));
                *asked = Asked { anew: Some(now), ..Asked::first(now.min(asked.due)) };
                queue.insert((asked.due, id.clone()));
            }
        }
    }
}

impl Known {
    fn order(&mut self, order: &Order, now: Instant) {
        if self.settled.contains(&print(&order.order_id)) {
            return;
        }
        let Self { orders, due, wanted, .. } = self;
        let item = orders.entry(order.order_id.clone()).or_default();
        item.born = order.created_at;
        let now = Wanted::place(wanted.as_ref(), item.born, now);
        item.complete = order.status == OrderStatus::Complete;
        for (role, queue) in due {
            item.asked.entry(*role).or_insert_with(|| {
                queue.insert((now, order.order_id.clone()));
                Asked::first(now)
            });
        }
    }

    fn payments(&mut self, payments: &[Payment], now: Instant) {
        let mut by_order: BTreeMap<&OrderId, Vec<&Payment>> = BTreeMap::new();
        for payment in payments {
            by_order.entry(&payment.order_id).or_default().push(payment);
        }
        for (id, payments) in by_order {
            let Some(item) = self.orders.get_mut(id) else { continue };
            item.paid = payments.iter().filter(|p| p.status == PaymentStatus::Paid).count();
            for payment in payments {
                if !item.refs.contains(&payment.upg_ref) {
                    item.refs.push(payment.upg_ref.clone());
                    self.by_ref.insert(payment.upg_ref.clone(), id.clone());
                    item.ask_anew(id, &mut self.due, now);
                }
            }
        }
    }

    fn records(&mut self, records: &[HoPayment]) {
        let mut counts: BTreeMap<OrderId, usize> = BTreeMap::new();
        for record in records {
            let by_ref = record.upg_ref.as_ref().and_then(|r| self.by_ref.get(r).cloned());
            if let Some(id) = by_ref.or_else(|| record.order_id.clone()) {
                *counts.entry(id).or_default() += 1;
            }
        }
        for (id, n) in counts {
            if let Some(item) = self.orders.get_mut(&id) {
                item.recorded = n;
            }
        }
    }

    fn answered(&mut self, role: Role, id: &OrderId, changed: bool, interval: Lapse, now: Instant) {
        let Some(item) = self.orders.get_mut(id) else { return };
        if let (Some(asked), Some(queue)) = (item.asked.get_mut(&role), self.due.get_mut(&role)) {
            queue.remove(&(asked.due, id.clone()));
            asked.gap =
                if changed || !asked.answered { interval } else { asked.gap.times(2).min(LONGEST_GAP.max(interval)) };
            asked.due = now + asked.gap.to_std();
            asked.answered = true;
            queue.insert((asked.due, id.clone()));
        }
        if item.complete && item.paid == 1 && item.recorded == 1 && item.asked.values().all(|a| a.answered) {
            for (role, asked) in std::mem::take(&mut item.asked) {
                if let Some(queue) = self.due.get_mut(&role) {
                    queue.remove(&(asked.due, id.clone()));
                }
            }
            for reference in self.orders.remove(id).map(|item| item.refs).unwrap_or_default() {
                self.by_ref.remove(&reference);
            }
            self.settled.insert(print(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stamp;
    use crate::model::order::Attributes;

    fn order(id: &str, status: OrderStatus) -> Order {
        Order {
            order_id: id.into(),
            created_at: Stamp(0),
            status,
            amount: None,
            payment_method: None,
            region: None,
            service_type: None,
            saga_step: None,
            trace_id: None,
            updated_at: None,
            version: None,
            attributes: Attributes::default(),
        }
    }
    fn paid(id: &str) -> Rows {
        Rows::Payments(vec![Payment {
            upg_ref: format!("U-{id}").into(),
            order_id: id.into(),
            amount: Some(1),
            status: PaymentStatus::Paid,
            created_at: Stamp(0),
            settled_at: None,
            payment_method: None,
            gateway_ref: None,
            gateway_ms: None,
            idempotency_key: None,
        }])
    }
    fn recorded(id: &str) -> Rows {
        Rows::HoPayments(vec![HoPayment {
            ho_ref: "H".into(),
            upg_ref: Some(format!("U-{id}").into()),
            order_id: None,
            amount: Some(1),
            recorded_at: Stamp(0),
            business_date: None,
        }])
    }
    fn ids(ids: &[&str]) -> Vec<OrderId> {
        ids.iter().map(|i| OrderId::from(*i)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_that_is_settled_and_recorded_is_never_asked_for_again() {
        let board = Board::default();
        let minute = Lapse::minutes(1);
        let now = Instant::now();
        board.asks_by_id(Role::Payments, now);
        board.asks_by_id(Role::HoPayments, now);
        board.learn(&Rows::Orders(vec![order("A", OrderStatus::Complete), order("B", OrderStatus::Active)]), now);
        assert_eq!(board.due(Role::Payments, 9, now), ids(&["A", "B"]));
        board.learn(&paid("A"), now);
        board.answered(Role::Payments, &ids(&["A", "B"]), &HashSet::new(), minute, (now, now));
        assert_eq!(board.refs(&ids(&["A", "B"])), [Arc::from("U-A")]);
        board.learn(&recorded("A"), now);
        board.answered(Role::HoPayments, &ids(&["A", "B"]), &HashSet::new(), minute, (now, now));
        assert_eq!(board.open(), 1);
        board.learn(&Rows::Orders(vec![order("A", OrderStatus::Complete)]), now);
        let later = now + Lapse::hours(1).to_std();
        assert_eq!(board.due(Role::Payments, 9, later), ids(&["B"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_payment_sends_the_others_out_again_at_once() {
        let board = Board::default();
        let now = Instant::now();
        board.asks_by_id(Role::Payments, now);
        board.asks_by_id(Role::HoPayments, now);
        board.learn(&Rows::Orders(vec![order("A", OrderStatus::Active), order("B", OrderStatus::Active)]), now);
        for role in [Role::Payments, Role::HoPayments] {
            board.answered(role, &ids(&["A", "B"]), &HashSet::new(), Lapse::minutes(5), (now, now));
        }
        assert_eq!(board.with_refs(&ids(&["A", "B"])), ids(&[]));
        board.learn(&paid("B"), now);
        assert_eq!(board.with_refs(&ids(&["A", "B"])), ids(&["B"]));
        assert_eq!((board.due(Role::HoPayments, 9, now), board.due(Role::Payments, 9, now)), (ids(&["B"]), ids(&[])));
        // The same payment again is no news.
        board.answered(Role::HoPayments, &ids(&["B"]), &HashSet::new(), Lapse::minutes(5), (now, now));
        board.learn(&paid("B"), now);
        assert_eq!(board.due(Role::HoPayments, 9, now), ids(&[]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_a_question_from_before_a_payment_was_known_is_none_about_it() {
        let board = Board::default();
        let begun = Instant::now();
        let (later, end) = (begun + Lapse::seconds(1).to_std(), begun + Lapse::seconds(2).to_std());
        board.asks_by_id(Role::HoPayments, begun);
        board.learn(&Rows::Orders(vec![order("A", OrderStatus::Complete), order("B", OrderStatus::Complete)]), begun);
        // HO is asked about both; while it looks, UPG tells of a payment of one.
        assert_eq!(board.due(Role::HoPayments, 9, begun), ids(&["A", "B"]));
        board.learn(&paid("B"), later);
        let late =
            board.answered(Role::HoPayments, &ids(&["A", "B"]), &HashSet::new(), Lapse::minutes(5), (begun, end));
        assert_eq!(late, ids(&["B"]).into_iter().collect());
        assert_eq!(board.due(Role::HoPayments, 9, end), ids(&["B"]));
        let late = board.answered(Role::HoPayments, &ids(&["B"]), &HashSet::new(), Lapse::minutes(5), (end, end));
        assert!(late.is_empty() && board.due(Role::HoPayments, 9, end).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn questions_about_an_order_without_news_grow_apart_and_news_brings_them_close() {
        let board = Board::default();
        let mut now = Instant::now();
        board.asks_by_id(Role::Payments, now);
        board.learn(&Rows::Orders(vec![order("B", OrderStatus::Active)]), now);
        let mut gaps = Vec::new();
        for news in [false, false, false, false, false, true] {
            let changed = if news { ids(&["B"]).into_iter().collect() } else { HashSet::new() };
            board.answered(Role::Payments, &ids(&["B"]), &changed, Lapse::seconds(30), (now, now));
            let next = board.next_due(Role::Payments).unwrap();
            gaps.push((next - now).as_secs());
            now = next;
        }
        assert_eq!(gaps, [30, 60, 120, 240, 300, 30]);
    }
}
