//! The order book: every version of every row the order-side roles returned, asked as of an instant.
//!
//! A role's silence about an order means something only when the order was asked for: the book keeps both.
//! Rows that name a payment nobody has seen yet wait for it; they are never lost and never guessed.
//!
//! Nothing that was read is forgotten, but in a large book an order that is settled is held in few bytes
//! until somebody asks for it or a row of it comes: see `fold`. What it was at any instant is what it would be unfolded.

use crate::model::order::{
    Asked, Callback, CallbackQueue, HoPayment, Ledger, Order, OrderCount, OrderEvent, OrderId, OrderStatus, Payment,
    PaymentStatus, Role, Rows, SagaStep,
};
use crate::model::{Lapse, Span, Stamp};
use crate::store::words::{Kept, Words};
use crate::store::{fold, rows};
use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::{Debug, Formatter};
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Questions by id remembered for one order; beyond that every second of the older ones goes, so that an
/// older time is named for an answer than there was, never a younger one.
const ASKED: usize = 256;

/// Rows of one kind that are kept of one order. A key that a million rows share is a mistake of the query or of
/// the ledger: what is over is counted and said, never compared with all that came before.
const ROWS_OF_ONE: usize = 1_000;

/// All that is known of one order. Each list is in the order of the times the rows were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Versions of the order's row by the time they were read; one for each change.
    pub orders: rows::Rows<Order>,
    /// Its transitions.
    pub events: rows::Rows<OrderEvent>,
    /// Versions of its payments; several references are several payments.
    pub payments: rows::Rows<Payment>,
    /// Callback attempts.
    pub callbacks: rows::Rows<Callback>,
    /// Attempts at the steps of its saga.
    pub saga: rows::Rows<SagaStep>,
    /// Records at HO.
    pub ho: rows::Rows<HoPayment>,
    /// When it was asked for by id, by role, in time order.
    pub asked: rows::Rows<Role>,
}

/// A row whose order is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Orphan<'a> {
    /// A callback for a payment nobody has seen.
    Callback(Stamp, &'a Callback),
    /// A record at HO of a payment nobody has seen.
    HoPayment(Stamp, &'a HoPayment),
}

/// Rows that wait for the payment of one reference.
#[derive(Clone, Debug, Default)]
struct Waiting {
    callbacks: rows::Rows<Callback>,
    ho: rows::Rows<HoPayment>,
    /// Those of them that came again with the order they name, by time and HO's reference: the later row stands
    /// at that order.
    overtaken: Vec<(Stamp, Arc<str>)>,
    /// The order they name themselves and stand at until the payment says better.
    meanwhile: Option<OrderId>,
}

impl Waiting {
    /// A record of this reference has come, `named` when it names its order.
    fn came(&mut self, asof: Stamp, ho_ref: &Arc<str>, named: bool) {
        let this = |(t, r): &(Stamp, Arc<str>)| *t == asof && r == ho_ref;
        if !named {
            self.overtaken.retain(|row| !this(row));
        } else if !self.overtaken.iter().any(this) && self.ho.iter().any(|(t, h)| *t == asof && h.ho_ref == *ho_ref) {
            self.overtaken.push((asof, ho_ref.clone()));
        }
    }

    /// The records in the order in which they came, with those that stood elsewhere meanwhile.
    fn in_order(&mut self, named: impl Iterator<Item = (Stamp, HoPayment)>) -> Vec<(Stamp, HoPayment)> {
        let overtaken = |row: &(Stamp, HoPayment)| self.overtaken.iter().any(|o| o.0 == row.0 && o.1 == row.1.ho_ref);
        let mut all = self.ho.take_out(overtaken);
        all.extend(named);
        all.extend(self.ho.take_out(|_| true));
        all
    }
}

/// What a role was asked and when its answer was so, in time order.
#[derive(Clone, Debug, Default)]
struct Answers {
    windows: Vec<(Stamp, Span)>,
    by_id: Vec<Stamp>,
}

/// An order has been left alone for so long when it is folded: later than anything that runs from its rows.
const LEFT_ALONE: Lapse = Lapse::minutes(30);
/// Orders from which on any is folded: fewer are had faster as they are.
const MANY: usize = 500_000;
/// Rows of an order that is folded, at most: to unfold one is to read all of them.
const FEW: usize = 64;

/// One order, held in one of two ways. In boxes: a tree that grows at its end is half empty.
#[derive(Clone, Debug, Default)]
struct Slot {
    /// Under way, in trouble, or of late.
    open: Option<Box<Entry>>,
    /// Settled.
    folded: Option<Box<Folded>>,
    /// Whether somebody will look whether it is settled.
    queued: bool,
}

#[derive(Clone, Debug)]
struct Folded {
    bytes: Box<[u8]>,
    /// Somebody wanted to see it since the last answer came.
    seen: OnceLock<Box<Entry>>,
}

impl Slot {
    /// The order for as long as the book is not changed.
    fn see(&self, id: &OrderId, words: &Words, seen: &Seen) -> Option<&Entry> {
        let read = |f: &Folded| {
            seen.0.lock().unwrap_or_else(PoisonError::into_inner).push(id.clone());
            Box::new(unfolded(id, &f.bytes, words))
        };
        let folded = || self.folded.as_ref().map(|f| &**f.seen.get_or_init(|| read(f)));
        self.open.as_deref().or_else(folded)
    }
}

fn unfolded(id: &OrderId, bytes: &[u8], words: &Words) -> Entry {
    // What `fold` wrote it reads.
    fold::unfold(id, bytes, words).unwrap_or_default()
}

/// An order that is looked at in passing: one that is folded is read when somebody looks into it, and let go.
pub struct Held<'b> {
    id: &'b OrderId,
    slot: &'b Slot,
    words: &'b Words,
    read: OnceCell<Entry>,
}

impl Deref for Held<'_> {
    type Target = Entry;
    fn deref(&self) -> &Entry {
        let seen = || self.slot.folded.as_ref().and_then(|f| f.seen.get()).map(|e| &**e);
        let read = || {
            let bytes = self.slot.folded.as_ref().map_or(&[][..], |f| &f.bytes);
            self.read.get_or_init(|| unfolded(self.id, bytes, self.words))
        };
        self.slot.open.as_deref().or_else(seen).unwrap_or_else(read)
    }
}

impl Debug for Held<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Debug::fmt(&**self, f)
    }
}

/// Folded orders that somebody has seen since the last answer came.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<OrderId>>);

impl Clone for Seen {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

/// Which orders may be settled, by the times they were last heard of.
#[derive(Clone, Debug)]
struct Folding {
    after: Option<Lapse>,
    /// Orders from which on it is done.
    from: usize,
    /// The longest left alone first.
    queue: BinaryHeap<Reverse<(Stamp, OrderId)>>,
    newest: Stamp,
    folded: usize,
}

impl Default for Folding {
    fn default() -> Self {
        Self { after: Some(LEFT_ALONE), from: MANY, queue: BinaryHeap::new(), newest: Stamp(i64::MIN), folded: 0 }
    }
}

impl Folding {
    /// The next order that was put down by `before`.
    fn due(&mut self, before: Stamp) -> Option<OrderId> {
        let first = self.queue.peek_mut().filter(|first| first.0.0 <= before)?;
        Some(PeekMut::pop(first).0.1)
    }
}

/// Whether nothing more is to be expected of an order that was last heard of by `before`.
fn settled(entry: &Entry, before: Stamp) -> bool {
    let ended = entry.orders.last().is_some_and(|(_, o)| {
        matches!(o.status, OrderStatus::Complete | OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired)
    });
    ended && entry.rows() <= FEW && entry.last().is_some_and(|t| t <= before)
}

impl Entry {
    fn rows(&self) -> usize {
        let told = self.orders.len() + self.events.len() + self.payments.len() + self.callbacks.len();
        told + self.saga.len() + self.ho.len() + self.asked.len()
    }
    /// When the last of it was read.
    fn last(&self) -> Option<Stamp> {
        fn of<T>(rows: &rows::Rows<T>) -> Option<Stamp> {
            rows.last().map(|(t, _)| *t)
        }
        let told = of(&self.orders).max(of(&self.events)).max(of(&self.payments)).max(of(&self.callbacks));
        told.max(of(&self.saga)).max(of(&self.ho)).max(of(&self.asked))
    }
}

/// Orders by identifier.
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    entries: BTreeMap<OrderId, Slot>,
    folding: Folding,
    seen: Seen,
    by_upg_ref: BTreeMap<Arc<str>, OrderId>,
    waiting: BTreeMap<Arc<str>, Waiting>,
    answers: BTreeMap<Role, Answers>,
    conflicts: (usize, Option<Arc<str>>),
    crowded: (usize, Option<Arc<str>>),
    /// Counts by bucket, each with its versions.
    counts: BTreeMap<Stamp, rows::Rows<OrderCount>>,
    queue: rows::Rows<CallbackQueue>,
    words: Words,
    generation: u64,
}

impl OrderBook {
    /// Takes in an answer.
    pub fn apply(&mut self, ledger: &Ledger) {
        self.generation += 1;
        let asof = ledger.asof;
        for id in self.seen.0.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if let Some(folded) = self.entries.get_mut(&id).and_then(|slot| slot.folded.as_mut()) {
                folded.seen.take();
            }
        }
        self.take_in(ledger);
        self.folding.newest = self.folding.newest.max(asof);
        self.fold();
    }

    fn take_in(&mut self, ledger: &Ledger) {
        let asof = ledger.asof;
        self.asked(asof, ledger.rows.role(), &ledger.asked);
        match &ledger.rows {
            Rows::Orders(rows) => {
                for r in rows {
                    let entry = open(&mut self.entries, &mut self.folding, &self.words, asof, &r.order_id);
                    let words = &mut self.words;
                    let kept = Kept::of(entry, None);
                    let keep = |known: Option<&Order>| words.order(r, &kept, known);
                    let came = version(&mut entry.orders, asof, r, keep, |_| true, two_orders);
                    self.note(came, &r.order_id);
                }
            }
            Rows::OrderEvents(rows) => {
                for r in rows {
                    let same = |o: &OrderEvent| o.at == r.at && o.to == r.to;
                    let entry = open(&mut self.entries, &mut self.folding, &self.words, asof, &r.order_id);
                    let words = &mut self.words;
                    let kept = Kept::of(entry, None);
                    let came = version(&mut entry.events, asof, r, |_| words.event(r, &kept), same, never);
                    self.note(came, &r.order_id);
                }
            }
            Rows::Payments(rows) => rows.iter().for_each(|r| self.payment(asof, r)),
            Rows::Callbacks(rows) => rows.iter().for_each(|r| self.callback(asof, r)),
            Rows::HoPayments(rows) => rows.iter().for_each(|r| self.ho(asof, r)),
            Rows::OrdersAgg(rows) => {
                for r in rows {
                    let counts = self.counts.entry(r.bucket).or_default();
                    version(counts, asof, r, |_| r.clone(), |o| o.status == r.status, never);
                }
            }
            Rows::Saga(rows) => {
                for r in rows {
                    let same = |o: &SagaStep| o.step == r.step && o.attempt == r.attempt;
                    let entry = open(&mut self.entries, &mut self.folding, &self.words, asof, &r.order_id);
                    let words = &mut self.words;
                    let kept = Kept::of(entry, None);
                    let came = version(&mut entry.saga, asof, r, |_| words.step(r, &kept), same, never);
                    self.note(came, &r.order_id);
                }
            }
            Rows::CallbackQueue(rows) => {
                for r in rows {
                    version(&mut self.queue, asof, r, |_| r.clone(), |_| true, never);
                }
            }
        }
    }

    fn asked(&mut self, asof: Stamp, role: Role, asked: &Asked) {
        let answers = self.answers.entry(role).or_default();
        match asked {
            Asked::Window(span) => {
                let i = answers.windows.partition_point(|(t, _)| *t <= asof);
                answers.windows.insert(i, (asof, *span));
            }
            Asked::Ids(ids) => {
                let i = answers.by_id.partition_point(|t| *t < asof);
                if answers.by_id.get(i) != Some(&asof) {
                    answers.by_id.insert(i, asof);
                }
                for id in ids {
                    let asked = &mut open(&mut self.entries, &mut self.folding, &self.words, asof, id).asked;
                    let i = asked.partition_point(|(t, _)| *t <= asof);
                    asked.insert(i, (asof, role));
                    thin(asked);
                }
            }
        }
    }

    fn payment(&mut self, asof: Stamp, r: &Payment) {
        let same = |o: &Payment| o.upg_ref == r.upg_ref;
        let entry = open(&mut self.entries, &mut self.folding, &self.words, asof, &r.order_id);
        let words = &mut self.words;
        let kept = Kept::of(entry, None);
        let keep = |known: Option<&Payment>| words.payment(r, &kept, known);
        let came = version(&mut entry.payments, asof, r, keep, same, two_payments);
        // The texts that are kept in the rows, not those that came with this one.
        let stands = entry.payments.iter().map(|(_, p)| p).find(|p| same(p)).unwrap_or(r);
        self.by_upg_ref.insert(stands.upg_ref.clone(), stands.order_id.clone());
        self.note(came, if came == Came::Over { &r.order_id } else { &r.upg_ref });
        let Some(mut waiting) = self.waiting.remove(&r.upg_ref) else { return };
        // Also where they stand at the right order already: what waited may have come before or after them.
        let meanwhile = waiting.meanwhile.take().filter(|id| self.entries.contains_key(id));
        let meanwhile = meanwhile.map(|id| open(&mut self.entries, &mut self.folding, &self.words, asof, &id));
        let named = meanwhile.map(|e| e.ho.take_out(|(_, h)| h.upg_ref.as_ref() == Some(&r.upg_ref)));
        let records = waiting.in_order(named.into_iter().flatten());
        for (asof, row) in &waiting.callbacks {
            let came = self.keep_callback(&r.order_id, *asof, row);
            self.note(came, &r.order_id);
        }
        for (asof, row) in &records {
            let came = self.keep_record(&r.order_id, *asof, row);
            // A row that came again while it waited was said then.
            self.note(if came == Came::Again { Came::Well } else { came }, &r.order_id);
        }
    }

    /// Keeps a callback at its order.
    fn keep_callback(&mut self, order: &OrderId, asof: Stamp, r: &Callback) -> Came {
        let entry = open(&mut self.entries, &mut self.folding, &self.words, asof, order);
        let words = &mut self.words;
        let kept = Kept::of(entry, r.upg_ref.as_ref());
        version(&mut entry.callbacks, asof, r, |_| words.callback(r, &kept), |o| same_callback(o, r), never)
    }

    /// Keeps a record at HO at its order.
    fn keep_record(&mut self, order: &OrderId, asof: Stamp, r: &HoPayment) -> Came {
        let entry = open(&mut self.entries, &mut self.folding, &self.words, asof, order);
        let kept = Kept::of(entry, r.upg_ref.as_ref());
        let keep = |known: Option<&HoPayment>| Words::record(r, &kept, known);
        version(&mut entry.ho, asof, r, keep, |o| o.ho_ref == r.ho_ref, always)
    }

    fn note(&mut self, came: Came, key: &Arc<str>) {
        match came {
            Came::Well => {}
            Came::Again => self.conflicts = (self.conflicts.0 + 1, Some(key.clone())),
            Came::Over => self.crowded = (self.crowded.0 + 1, Some(key.clone())),
        }
    }

    fn callback(&mut self, asof: Stamp, r: &Callback) {
        let by_ref = || r.upg_ref.as_ref().and_then(|u| self.by_upg_ref.get(u)).cloned();
        let order = r.order_id.clone().or_else(by_ref);
        let key = order.clone().or_else(|| r.upg_ref.clone()).unwrap_or_default();
        let came = if let Some(id) = order {
            self.keep_callback(&id, asof, r)
        } else {
            let waiting = &mut self.waiting.entry(key.clone()).or_default().callbacks;
            version(waiting, asof, r, |_| r.clone(), |o| same_callback(o, r), never)
        };
        self.note(came, &key);
    }

    /// UPG's reference decides, the order's id only while no payment of that reference is known.
    fn ho(&mut self, asof: Stamp, r: &HoPayment) {
        let by_ref = r.upg_ref.as_ref().and_then(|u| self.by_upg_ref.get(u)).cloned();
        if let Some(id) = &by_ref {
            let came = self.keep_record(id, asof, r);
            return self.note(came, if came == Came::Over { id } else { &r.ho_ref });
        }
        if let Some(id) = &r.order_id {
            if let Some(upg_ref) = &r.upg_ref {
                let waiting = self.waiting.entry(upg_ref.clone()).or_default();
                waiting.meanwhile = Some(id.clone());
                waiting.came(asof, &r.ho_ref, true);
            }
            let came = self.keep_record(id, asof, r);
            return self.note(came, if came == Came::Over { id } else { &r.ho_ref });
        }
        let key = r.upg_ref.clone().unwrap_or_default();
        let waiting = self.waiting.entry(key.clone()).or_default();
        waiting.came(asof, &r.ho_ref, false);
        let came = version(&mut waiting.ho, asof, r, |_| r.clone(), |o| o.ho_ref == r.ho_ref, always);
        self.note(came, if came == Came::Over { &key } else { &r.ho_ref });
    }

    /// Rows that came twice in one answer with different content, and the key of the last of them.
    pub fn conflicts(&self) -> (usize, Option<&str>) {
        (self.conflicts.0, self.conflicts.1.as_deref())
    }
    /// Rows that were not kept because one order has too many of their kind, and the last such order.
    pub fn crowded(&self) -> (usize, Option<&str>) {
        (self.crowded.0, self.crowded.1.as_deref())
    }
    /// Everything about one order, for somebody who looks at many: it is let go of after the look.
    pub fn look(&self, order: &str) -> Option<Held<'_>> {
        let (id, slot) = self.entries.get_key_value(order)?;
        Some(Held { id, slot, words: &self.words, read: OnceCell::new() })
    }
    /// Everything about one order; one that is folded is had for as long as the book does not change.
    pub fn entry(&self, order: &str) -> Option<&Entry> {
        self.entries.get_key_value(order).and_then(|(id, slot)| slot.see(id, &self.words, &self.seen))
    }
    /// All orders, by identifier.
    pub fn entries(&self) -> impl Iterator<Item = (&OrderId, Held<'_>)> {
        let held = |(id, slot)| (id, Held { id, slot, words: &self.words, read: OnceCell::new() });
        self.entries.iter().map(held)
    }
    /// How many orders are folded.
    pub const fn folded(&self) -> usize {
        self.folding.folded
    }
    /// How many folded orders somebody has seen since the last answer came: what they cost is given back then.
    pub fn seen(&self) -> usize {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
    /// From now on orders are folded when they were left alone for so long, in a book of any size, or never.
    pub const fn fold_after(&mut self, after: Option<Lapse>) {
        self.folding.after = after;
        self.folding.from = 0;
    }

    /// Folds orders that were left alone for long enough.
    fn fold(&mut self) {
        let Some(after) = self.folding.after.filter(|_| self.entries.len() >= self.folding.from) else { return };
        let before = self.folding.newest - after;
        while let Some(id) = self.folding.due(before) {
            let Some(slot) = self.entries.get_mut(&id) else { continue };
            slot.queued = false;
            let Some(entry) = &slot.open else { continue };
            if let Some(last) = entry.last().filter(|t| *t > before) {
                // It was heard of since.
                slot.queued = true;
                self.folding.queue.push(Reverse((last, id)));
            } else if settled(entry, before)
                && let Some(bytes) = fold::fold(&id, entry, &self.words)
            {
                slot.folded = Some(Box::new(Folded { bytes, seen: OnceLock::new() }));
                slot.open = None;
                self.folding.folded += 1;
            }
        }
    }
    /// Rows read by `at` whose order is not known: they name a payment nobody has seen, or nothing.
    pub fn orphans(&self, at: Stamp) -> impl Iterator<Item = Orphan<'_>> {
        let read = move |t: &Stamp| *t <= at;
        self.waiting.values().flat_map(move |w| {
            let callbacks = w.callbacks.iter().filter(move |(t, _)| read(t)).map(|(t, r)| Orphan::Callback(*t, r));
            callbacks.chain(w.ho.iter().filter(move |(t, _)| read(t)).map(|(t, r)| Orphan::HoPayment(*t, r)))
        })
    }
    /// Whether a role has ever answered.
    pub fn has(&self, role: Role) -> bool {
        self.answers.contains_key(&role)
    }
    /// The newest answer of a role at or before `at`: of those about a window, else of those about ids.
    pub fn asof(&self, role: Role, at: Stamp) -> Option<Stamp> {
        let answers = self.answers.get(&role)?;
        let window = answers.windows.partition_point(|(t, _)| *t <= at).checked_sub(1).map(|i| answers.windows[i].0);
        let by_id = || answers.by_id.partition_point(|t| *t <= at).checked_sub(1).map(|i| answers.by_id[i]);
        window.or_else(by_id)
    }
    /// The newest answer of a role at or before `at`, whatever it was asked.
    pub fn newest(&self, role: Role, at: Stamp) -> Option<Stamp> {
        let answers = self.answers.get(&role)?;
        let window = answers.windows.partition_point(|(t, _)| *t <= at).checked_sub(1).map(|i| answers.windows[i].0);
        let by_id = answers.by_id.partition_point(|t| *t <= at).checked_sub(1).map(|i| answers.by_id[i]);
        window.max(by_id)
    }
    /// Windows asked of a role up to `at`, each with the time its answer was so, oldest first.
    pub fn asks(&self, role: Role, at: Stamp) -> impl Iterator<Item = (Stamp, Span)> {
        let windows = self.answers.get(&role).map_or(&[][..], |a| &a.windows);
        windows[..windows.partition_point(|(t, _)| *t <= at)].iter().copied()
    }
    /// Windows asked of a role up to `at`.
    pub fn windows(&self, role: Role, at: Stamp) -> impl Iterator<Item = Span> {
        self.asks(role, at).map(|(_, span)| span)
    }
    /// Counts of orders whose bucket begins in a span, the newest read by `at` for each bucket and status.
    pub fn counts(&self, within: Span, at: Stamp) -> impl Iterator<Item = &OrderCount> {
        self.counts.range(within.from..within.to).flat_map(move |(_, versions)| {
            let newest = move |i: usize, row: &OrderCount| {
                !versions[i + 1..].iter().any(|(t, later)| *t <= at && later.status == row.status)
            };
            let known = versions.iter().enumerate().filter(move |(i, (t, row))| *t <= at && newest(*i, row));
            known.map(|(_, (_, row))| row)
        })
    }
    /// What waited at UPG when that was read last by `at`. The reading itself may be younger than the row:
    /// a queue that stays as it is is told once.
    pub fn queue(&self, at: Stamp) -> Option<&CallbackQueue> {
        let i = self.queue.partition_point(|(t, _)| *t <= at).checked_sub(1)?;
        self.queue.get(i).map(|(_, row)| row)
    }
    /// Grows with every answer: whoever caches something derived compares it.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

/// An order to write to, unfolded where it has to be; somebody will look at it again when it was left alone.
fn open<'e>(
    entries: &'e mut BTreeMap<OrderId, Slot>,
    folding: &mut Folding,
    words: &Words,
    asof: Stamp,
    id: &OrderId,
) -> &'e mut Entry {
    let slot = entries.entry(id.clone()).or_default();
    if let Some(folded) = slot.folded.take() {
        let Folded { bytes, seen } = *folded;
        slot.open = Some(seen.into_inner().unwrap_or_else(|| Box::new(unfolded(id, &bytes, words))));
        folding.folded -= 1;
    }
    if !slot.queued {
        slot.queued = true;
        folding.queue.push(Reverse((asof, id.clone())));
    }
    slot.open.get_or_insert_default()
}

fn same_callback(a: &Callback, b: &Callback) -> bool {
    a.upg_ref == b.upg_ref && a.attempt == b.attempt && a.target == b.target
}

/// Two rows of one order that are not an earlier and a later state of it.
fn two_orders(a: &Order, b: &Order) -> bool {
    a.updated_at == b.updated_at || a.updated_at.is_none() || b.updated_at.is_none()
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// It is kept, or known.
    Well,
    /// It came twice in one answer with different content.
    Again,
    /// There are too many.
    Over,
}

/// A later row of the same instant is simply the newer one.
const fn never<T>(_: &T, _: &T) -> bool {
    false
}

const fn always<T>(_: &T, _: &T) -> bool {
    true
}

/// Two rows of one payment that are not its beginning and its end.
fn two_payments(a: &Payment, b: &Payment) -> bool {
    let open = matches!(a.status, PaymentStatus::Initiated | PaymentStatus::Pending | PaymentStatus::Authorized);
    !open || a.amount != b.amount || a.order_id != b.order_id
}

/// Adds what was read of a row at `asof`, unless the version before it says the same. `same` tells rows of
/// one key; a second row of the same instant replaces the first. `keep` makes what is kept, from the version
/// before it where there is one. Says whether the two `clash`: both cannot be true, whichever came first.
fn version<T: PartialEq>(
    versions: &mut rows::Rows<T>,
    asof: Stamp,
    row: &T,
    keep: impl FnOnce(Option<&T>) -> T,
    same: impl Fn(&T) -> bool,
    clash: impl Fn(&T, &T) -> bool,
) -> Came {
    let i = versions.partition_point(|(t, _)| *t <= asof);
    let full = versions.len() >= ROWS_OF_ONE;
    match versions[..i].iter_mut().rev().find(|(_, known)| same(known)) {
        Some((_, known)) if known == row => Came::Well,
        Some((t, known)) if *t == asof => {
            let clashes = clash(known, row);
            *known = keep(Some(known));
            if clashes { Came::Again } else { Came::Well }
        }
        None if full => Came::Over,
        known => {
            let row = keep(known.map(|(_, known)| &*known));
            versions.insert(i, (asof, row));
            // Of a row that changes all the time the oldest state goes.
            if versions.len() > ROWS_OF_ONE
                && let Some(oldest) = versions.iter().position(|(_, known)| same(known))
            {
                versions.change(|list| list.remove(oldest));
            }
            Came::Well
        }
    }
}

fn thin(asked: &mut rows::Rows<Role>) {
    if asked.len() <= ASKED {
        return;
    }
    let mut met: BTreeMap<Role, usize> = BTreeMap::new();
    let mut i = 0;
    asked.change(|asked| {
        asked.retain(|(_, role)| {
            let n = met.entry(*role).or_default();
            *n += 1;
            i += 1;
            i > ASKED / 2 || *n % 2 == 1
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::order::{Attributes, OrderStatus, PaymentStatus};

    fn ledger(asof: i64, rows: Rows) -> Ledger {
        let asked = Asked::Window(Span::new(Stamp(0), Stamp(1000)));
        Ledger { asof: Stamp(asof), asked, rows }
    }
    fn order(id: &str, status: OrderStatus) -> Rows {
        Rows::Orders(vec![Order {
            order_id: id.into(),
            created_at: Stamp(1),
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
        }])
    }
    fn payment(upg_ref: &str, order: &str) -> Rows {
        Rows::Payments(vec![Payment {
            upg_ref: upg_ref.into(),
            order_id: order.into(),
            amount: Some(75_000),
            status: PaymentStatus::Paid,
            created_at: Stamp(2),
            settled_at: None,
            payment_method: None,
            gateway_ref: None,
            gateway_ms: None,
            idempotency_key: None,
        }])
    }
    fn ho(ho_ref: &str, upg_ref: Option<&str>, order: Option<&str>) -> Rows {
        Rows::HoPayments(vec![HoPayment {
            ho_ref: ho_ref.into(),
            upg_ref: upg_ref.map(Into::into),
            order_id: order.map(Into::into),
            amount: Some(75_000),
            recorded_at: Stamp(3),
            business_date: None,
        }])
    }
    fn callback(upg_ref: &str, attempt: i32) -> Rows {
        Rows::Callbacks(vec![Callback {
            order_id: None,
            upg_ref: Some(upg_ref.into()),
            attempt,
            sent_at: Stamp(4),
            http_status: None,
            target: None,
            duration_ms: None,
            next_attempt_at: None,
            dead: None,
        }])
    }
    fn book(ledgers: impl IntoIterator<Item = Ledger>) -> OrderBook {
        let mut book = OrderBook::default();
        for l in ledgers {
            book.apply(&l);
        }
        book
    }

    #[test]
    fn an_order_read_every_few_seconds_has_one_version_for_each_change() {
        let active = (10..20).map(|t| ledger(t, order("A", OrderStatus::Active)));
        let complete = (20..30).map(|t| ledger(t, order("A", OrderStatus::Complete)));
        let book = book(complete.chain(active));
        let versions: Vec<_> = book.entry("A").unwrap().orders.iter().map(|(t, o)| (t.0, o.status.clone())).collect();
        assert!(versions.contains(&(20, OrderStatus::Complete)), "{versions:?}");
        assert!(versions.iter().take_while(|(t, _)| *t < 20).all(|(_, s)| *s == OrderStatus::Active));
        assert_eq!(versions[0].0, 10);
        assert_eq!(book.asof(Role::Orders, Stamp(15)), Some(Stamp(15)));
        assert_eq!((book.asof(Role::Orders, Stamp(9)), book.asof(Role::Payments, Stamp(99))), (None, None));
    }

    #[test]
    fn rows_that_come_before_their_payment_wait_for_it() {
        let mut book = book([
            ledger(10, callback("U1", 1)),
            ledger(11, ho("H1", Some("U1"), None)),
            ledger(11, callback("U2", 1)),
        ]);
        assert_eq!((book.orphans(Stamp(10)).count(), book.orphans(Stamp(11)).count()), (1, 3));
        book.apply(&ledger(12, payment("U1", "A")));
        let entry = book.entry("A").unwrap();
        assert_eq!((entry.callbacks.len(), entry.ho.len(), entry.payments.len()), (1, 1, 1));
        assert!(matches!(book.orphans(Stamp(99)).collect::<Vec<_>>()[..], [Orphan::Callback(..)]));
    }

    #[test]
    fn a_record_at_ho_belongs_to_the_order_its_payment_pays_whatever_it_says_itself() {
        let mut book = book([ledger(10, ho("H1", Some("U1"), Some("B")))]);
        assert_eq!(book.entry("B").unwrap().ho.len(), 1);
        book.apply(&ledger(11, payment("U1", "A")));
        assert_eq!((book.entry("B").unwrap().ho.len(), book.entry("A").unwrap().ho.len()), (0, 1));
        assert_eq!(book.orphans(Stamp(99)).count(), 0);
    }

    #[test]
    fn of_a_record_that_came_with_and_without_its_order_the_later_row_counts_whenever_its_payment_comes() {
        let named = |amount| {
            let Rows::HoPayments(mut rows) = ho("H1", Some("U1"), Some("A")) else { unreachable!() };
            rows[0].amount = Some(amount);
            Rows::HoPayments(rows)
        };
        let alone = |amount| {
            let Rows::HoPayments(mut rows) = ho("H1", Some("U1"), None) else { unreachable!() };
            rows[0].amount = Some(amount);
            Rows::HoPayments(rows)
        };
        for (rows, last) in [
            (vec![named(1), alone(2)], 2),
            (vec![alone(1), named(2)], 2),
            (vec![alone(1), named(2), alone(3)], 3),
            (vec![named(1), alone(2), named(3)], 3),
        ] {
            let came = || rows.iter().map(|r| ledger(10, r.clone()));
            for ledgers in [
                came().chain([ledger(10, payment("U1", "A"))]).collect::<Vec<_>>(),
                [ledger(10, payment("U1", "A"))].into_iter().chain(came()).collect(),
            ] {
                let book = book(ledgers);
                let records: Vec<_> = book.entry("A").unwrap().ho.iter().map(|(_, h)| h.amount).collect();
                assert_eq!(records, [Some(last)]);
            }
        }
    }

    #[test]
    fn rows_of_one_order_keep_its_names_once() {
        let mut book = OrderBook::default();
        let mut named = ho("H1", Some("U1"), Some("A"));
        for rows in [order("A", OrderStatus::Active), payment("U1", "A"), named.clone()] {
            book.apply(&ledger(10, rows));
        }
        book.apply(&ledger(11, order("A", OrderStatus::Complete)));
        if let Rows::HoPayments(rows) = &mut named {
            rows[0].amount = None;
        }
        book.apply(&ledger(11, named));
        let (id, entry) = book.entries().next().unwrap();
        let upg_ref = &entry.payments[0].1.upg_ref;
        assert!(entry.orders.iter().all(|(_, o)| Arc::ptr_eq(&o.order_id, id)) && entry.orders.len() == 2);
        assert!(entry.ho.iter().all(|(_, h)| h.upg_ref.as_ref().is_some_and(|r| Arc::ptr_eq(r, upg_ref))));
        assert!(entry.ho.iter().all(|(_, h)| Arc::ptr_eq(&h.ho_ref, &entry.ho[0].1.ho_ref)) && entry.ho.len() == 2);
    }

    #[test]
    fn questions_by_id_are_bounded_and_never_answered_younger() {
        let ask = |t| Ledger { asof: Stamp(t), asked: Asked::Ids(vec!["A".into()]), rows: Rows::Payments(Vec::new()) };
        let book = book((0..5000).map(ask));
        let asked = &book.entry("A").unwrap().asked;
        assert!(asked.len() <= ASKED && asked.is_sorted());
        assert_eq!((asked.first().unwrap().0, asked.last().unwrap().0), (Stamp(0), Stamp(4999)));
        assert_eq!(book.asof(Role::Payments, Stamp(77)), Some(Stamp(77)));
    }

    #[test]
    fn a_million_rows_of_one_order_are_a_thousand_and_a_number() {
        let Rows::Callbacks(one) = callback("U", 0) else { unreachable!() };
        let mut book = book([ledger(1, payment("U", "A"))]);
        for page in 0..1_000 {
            let rows = (0..1_000).map(|n| Callback { attempt: page * 1_000 + n, ..one[0].clone() });
            book.apply(&ledger(1, Rows::Callbacks(rows.collect())));
        }
        assert_eq!(book.entry("A").unwrap().callbacks.len(), ROWS_OF_ONE);
        assert_eq!(book.crowded(), (999_000, Some("A")));
        // A row that is there goes on changing.
        let changed = Callback { attempt: 5, http_status: Some(200), ..one[0].clone() };
        book.apply(&ledger(2, Rows::Callbacks(vec![changed])));
        let callbacks = &book.entry("A").unwrap().callbacks;
        assert_eq!((callbacks.len(), callbacks.last().unwrap().1.http_status), (ROWS_OF_ONE, Some(200)));
    }
}
