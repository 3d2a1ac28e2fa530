//! Which class an order is in: where the order system, UPG and Head Office disagree about it.
//!
//! Classes are tried in a fixed order and the first that fits is the order's class. "Not asked" is a class
//! of its own: silence of a system that nobody asked says nothing.

pub mod facts;

use crate::model::order::OrderId;
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;

/// The classes, in the order they are tried in `CLASSES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// UPG or HO have not been asked about it yet.
    NotAsked,
    /// Paid more than once.
    ChargedTwice,
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
    /// Complete, paid, not at HO.
    ChargedNotRecorded,
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

/// Cards of all classes, in the order they are tried.
pub const CLASSES: &[ClassCard] = &[];

impl Class {
    /// Its card.
    pub fn card(self) -> Option<&'static ClassCard> {
        CLASSES.iter().find(|c| c.class == self)
    }
}

/// Counts orders born in `window` by class, as of `at`.
pub fn standing(store: &Store, window: Span, at: Stamp) -> Standing {
    let _ = (store, window, at);
    Standing::default()
}

/// Orders born in `window` that are in one of `classes` (all when empty), oldest first, as of `at`.
pub fn orders(store: &Store, window: Span, classes: &[Class], at: Stamp) -> Vec<ClassedOrder> {
    let _ = (store, window, classes, at);
    Vec::new()
}

/// A trait the stuck share, tested against all orders of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedTrait {
    /// `service`, `method`, `region`, `born`.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Stuck orders with it.
    pub stuck: usize,
    /// Share among the stuck, 0 to 100.
    pub of_stuck: f64,
    /// Share among all, 0 to 100.
    pub of_all: f64,
    /// `of_stuck / of_all`.
    pub lift: f64,
    /// Probability of this or more by chance, corrected for the number of traits tested (Holm).
    pub p: f64,
    /// Named: lift ≥ 1.5, at least 30 stuck, p < 0.01.
    pub named: bool,
}

/// Traits of the stuck, highest lift first, one row for the strongest value of each trait and more where named.
pub fn shared(store: &Store, window: Span, at: Stamp) -> Vec<SharedTrait> {
    let _ = (store, window, at);
    Vec::new()
}
