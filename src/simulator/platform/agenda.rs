//! What is to happen when: events in order of time, and of their arrival where times are equal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Milliseconds since midnight.
pub type Ms = i64;
/// Index of an order.
pub type OrderNo = u32;
/// Index of a payment.
pub type PaymentNo = u32;

/// Something that happens to somebody. A `turn` is the order's turn it was meant for: when the order has
/// moved on meanwhile, the event is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The next order is placed.
    Arrive,
    /// A user who was refused tries again.
    Insist,
    /// A step has done its work and ends its transaction.
    Held { order: OrderNo, turn: u16 },
    /// A step tries again.
    Again { order: OrderNo, turn: u16 },
    /// A statement was cancelled while it waited for a row.
    RowTimeout { order: OrderNo, turn: u16 },
    /// UPG has finished a call: it made the payment, or only looked it up.
    UpgDone { order: OrderNo, call: u8, payment: PaymentNo, made: bool },
    /// UPG has answered a poller's question.
    PollDone { order: OrderNo },
    /// The caller has waited long enough for UPG.
    UpgTimeout { order: OrderNo, turn: u16 },
    /// The user has paid, or the bank has declined.
    Settle { payment: PaymentNo, well: bool },
    /// UPG tells the Orchestrator so.
    Webhook { payment: PaymentNo, attempt: u8 },
    /// UPG tells Head Office.
    Callback { payment: PaymentNo, attempt: u8 },
    /// Head Office has written a record.
    HoDone { payment: PaymentNo, attempt: u8, asked: Ms },
    /// A callback was waited for long enough.
    CallbackTimeout { payment: PaymentNo, attempt: u8, asked: Ms },
    /// An order nobody paid.
    Expire { order: OrderNo },
    /// The poller visits an order.
    Poll { order: OrderNo },
    /// A transaction nobody ended is ended.
    Mended,
    /// Something is set otherwise.
    Change { which: u8 },
}

/// Events to come.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    events: BinaryHeap<Reverse<(Ms, u32, Event)>>,
    number: u32,
}

impl Agenda {
    /// Plans an event.
    pub fn add(&mut self, at: Ms, event: Event) {
        self.number = self.number.wrapping_add(1);
        self.events.push(Reverse((at, self.number, event)));
    }

    /// When the next one is due.
    pub fn next_at(&self) -> Option<Ms> {
        self.events.peek().map(|Reverse((at, _, _))| *at)
    }

    /// The next one, when it is due by `at`.
    pub fn due(&mut self, at: Ms) -> Option<(Ms, Event)> {
        if self.next_at()? > at {
            return None;
        }
        self.events.pop().map(|Reverse((at, _, event))| (at, event))
    }
}
