//! Rows of one page, written down by whoever reads them: each under the order it belongs to as far as the row
//! itself says, ready to be put aside.
//!
//! May not know: other rows, files.

use crate::analysis::reconcile::day::Ledgers;
use crate::model::brief::{Brief, Callback, HoPayment};
use crate::model::order::Role;
use crate::source::orders::brief::Page;
use crate::spill::Loose;
use crate::spill::record::{Pen, Place, Turn, rank};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers rows in the order in which they are read, for all readers together.
pub type Turns = Arc<AtomicU64>;

/// A payment or a record at HO with the reference it has and the order it names, by their ranks.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The reference.
    pub upg_ref: u64,
    /// The order.
    pub order: u64,
    /// Whether it is the payment.
    pub paid: bool,
}

/// The rows.
#[derive(Debug, Default)]
pub struct Parcel {
    /// Rows by the order they name.
    pub by_order: Loose,
    /// Rows that name a reference and no order, by it.
    pub by_ref: Loose,
    /// Who has which reference.
    pub claims: Vec<Claim>,
    /// What was read.
    pub read: Ledgers,
    /// What no order can be named for.
    pub unplaced: Ledgers,
    turns: Turns,
    pen: Pen,
}

impl Parcel {
    /// Empty; its rows are numbered by `turns`.
    pub fn new(turns: &Turns) -> Self {
        Self { turns: Arc::clone(turns), ..Self::default() }
    }

    /// Forgets its rows.
    pub fn clear(&mut self) {
        self.by_order.clear();
        self.by_ref.clear();
        self.claims.clear();
        self.read = Ledgers::default();
        self.unplaced = Ledgers::default();
    }

    /// A row comes.
    fn turn(&mut self, row: &Brief<'_>, by_id: bool) -> Turn {
        self.read.of_mut(row.role()).row(row.amount());
        Turn { by_id, number: self.turns.fetch_add(1, Ordering::Relaxed) + 1 }
    }

    /// Takes a row of a window.
    pub fn take(&mut self, row: &Brief<'_>) {
        let turn = self.turn(row, false);
        match row {
            Brief::Order(o) => self.by_order.push(rank(o.order_id.as_bytes()), self.pen.order(o, turn)),
            Brief::Payment(p) => {
                let order = rank(p.order_id.as_bytes());
                self.by_order.push(order, self.pen.payment(p, turn));
                self.claims.push(Claim { upg_ref: rank(p.upg_ref.as_bytes()), order, paid: true });
            }
            Brief::HoPayment(h) => match (h.upg_ref, h.order_id) {
                (Some(upg_ref), Some(named)) => {
                    let order = rank(named.as_bytes());
                    self.by_order.push(order, self.pen.ho(named.as_bytes(), h, Place::Claimed, turn));
                    self.claims.push(Claim { upg_ref: rank(upg_ref.as_bytes()), order, paid: false });
                }
                (Some(upg_ref), None) => self.ho_by_ref(h, upg_ref, turn),
                (None, order) => self.ho(h, order, turn),
            },
            Brief::Callback(c) => match (c.order_id, c.upg_ref) {
                (None, Some(upg_ref)) => {
                    self.by_ref.push(rank(upg_ref.as_bytes()), self.pen.callback(upg_ref.as_bytes(), c, turn));
                }
                (order, _) => self.callback(c, order, turn),
            },
        }
    }

    /// Takes a row of an order that was asked for by name; `owner` says who pays with a reference.
    pub fn take_named<'a>(&mut self, row: &Brief<'a>, owner: impl Fn(Option<&str>) -> Option<&'a str>) {
        let turn = self.turn(row, true);
        match row {
            Brief::Order(o) => self.by_order.push(rank(o.order_id.as_bytes()), self.pen.order(o, turn)),
            Brief::Payment(p) => self.by_order.push(rank(p.order_id.as_bytes()), self.pen.payment(p, turn)),
            Brief::HoPayment(h) => match (h.upg_ref, owner(h.upg_ref)) {
                // Whoever was asked for need not be who paid with this reference.
                (Some(upg_ref), None) => self.ho_by_ref(h, upg_ref, turn),
                (_, known) => self.ho(h, known.or(h.order_id), turn),
            },
            Brief::Callback(c) => self.callback(c, c.order_id.or_else(|| owner(c.upg_ref)), turn),
        }
    }

    fn ho_by_ref(&mut self, h: &HoPayment<'_>, upg_ref: &str, turn: Turn) {
        self.by_ref.push(rank(upg_ref.as_bytes()), self.pen.ho(upg_ref.as_bytes(), h, Place::Claimed, turn));
    }

    fn ho(&mut self, h: &HoPayment<'_>, order: Option<&str>, turn: Turn) {
        let Some(order) = order else { return self.unplaced.of_mut(Role::HoPayments).row(h.amount) };
        self.by_order.push(rank(order.as_bytes()), self.pen.ho(order.as_bytes(), h, Place::Settled, turn));
    }

    fn callback(&mut self, c: &Callback<'_>, order: Option<&str>, turn: Turn) {
        let Some(order) = order else { return self.unplaced.of_mut(Role::Callbacks).row(None) };
        self.by_order.push(rank(order.as_bytes()), self.pen.callback(order.as_bytes(), c, turn));
    }
}

impl Page for Parcel {
    fn begin(&mut self) {
        self.clear();
    }
    fn row(&mut self, row: &Brief<'_>) {
        self.take(row);
    }
}
