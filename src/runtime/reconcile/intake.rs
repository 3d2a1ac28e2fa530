//! Rows as they come from the ledgers, put aside by the order they belong to.
//!
//! A record at HO belongs to the order that UPG's reference pays, whatever it says itself; the order it
//! names counts only while no payment has the reference. Rows that carry a reference therefore wait until
//! all payments are there.

use crate::analysis::reconcile::day::Ledgers;
use crate::model::order::{Callback, HoPayment, Order, Payment, Role, Rows};
use crate::spill::record::{Kind, Pen, Record, Turn, rank};
use crate::spill::{Merge, Sorted, Sorter};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Rows on their way to their orders.
pub struct Intake {
    by_order: Sorter,
    by_ref: Sorter,
    pen: Pen,
    turn: u64,
    /// What was read.
    pub read: Ledgers,
    /// What no order can be named for.
    pub unplaced: Ledgers,
}

/// The orders that references pay, where they are known.
pub type Owners = HashMap<Arc<str>, Arc<str>>;

impl Intake {
    /// Empty, with `room` bytes of memory.
    pub fn new(folder: &Path, room: usize) -> Self {
        Self {
            by_order: Sorter::new(folder, room / 8 * 5),
            by_ref: Sorter::new(folder, room / 8 * 3),
            pen: Pen::default(),
            turn: 0,
            read: Ledgers::default(),
            unplaced: Ledgers::default(),
        }
    }

    fn turn(&mut self, by_id: bool) -> Turn {
        self.turn += 1;
        Turn { by_id, number: self.turn }
    }

    /// Rows of a window.
    pub fn take(&mut self, rows: &Rows) -> io::Result<()> {
        match rows {
            Rows::Orders(rows) => self.orders(rows, false),
            Rows::Payments(rows) => rows.iter().try_for_each(|p| {
                let turn = self.payment(p, false)?;
                self.by_ref.push(rank(p.upg_ref.as_bytes()), self.pen.owner(p, turn))
            }),
            Rows::HoPayments(rows) => rows.iter().try_for_each(|h| match &h.upg_ref {
                Some(upg_ref) => self.ho_by_ref(h, upg_ref, false),
                None => self.ho(h, h.order_id.clone(), false),
            }),
            Rows::Callbacks(rows) => rows.iter().try_for_each(|c| match (&c.order_id, &c.upg_ref) {
                (None, Some(upg_ref)) => {
                    self.read.of_mut(Role::Callbacks).row(None);
                    let turn = self.turn(false);
                    self.by_ref.push(rank(upg_ref.as_bytes()), self.pen.callback(upg_ref.as_bytes(), c, turn))
                }
                _ => self.callback(c, c.order_id.clone(), false),
            }),
            // These are no ledgers: nobody asks for them here.
            Rows::OrderEvents(_) | Rows::OrdersAgg(_) | Rows::Saga(_) | Rows::CallbackQueue(_) => Ok(()),
        }
    }

    /// Rows of orders that were asked for by name, with the orders their references pay.
    pub fn take_named(&mut self, rows: &Rows, owners: &Owners) -> io::Result<()> {
        let owner = |upg_ref: &Option<Arc<str>>| upg_ref.as_ref().and_then(|r| owners.get(r)).cloned();
        match rows {
            Rows::Orders(rows) => self.orders(rows, true),
            Rows::Payments(rows) => rows.iter().try_for_each(|p| self.payment(p, true).map(|_| ())),
            Rows::HoPayments(rows) => rows.iter().try_for_each(|h| match (&h.upg_ref, owner(&h.upg_ref)) {
                // Whoever was asked for need not be who paid with this reference.
                (Some(upg_ref), None) => self.ho_by_ref(h, upg_ref, true),
                (_, known) => self.ho(h, known.or_else(|| h.order_id.clone()), true),
            }),
            Rows::Callbacks(rows) => {
                rows.iter().try_for_each(|c| self.callback(c, c.order_id.clone().or_else(|| owner(&c.upg_ref)), true))
            }
            Rows::OrderEvents(_) | Rows::OrdersAgg(_) | Rows::Saga(_) | Rows::CallbackQueue(_) => Ok(()),
        }
    }

    fn orders(&mut self, rows: &[Order], by_id: bool) -> io::Result<()> {
        rows.iter().try_for_each(|o| {
            self.read.of_mut(Role::Orders).row(o.amount);
            let turn = self.turn(by_id);
            self.by_order.push(rank(o.order_id.as_bytes()), self.pen.order(o, turn))
        })
    }

    fn payment(&mut self, p: &Payment, by_id: bool) -> io::Result<Turn> {
        self.read.of_mut(Role::Payments).row(p.amount);
        let turn = self.turn(by_id);
        self.by_order.push(rank(p.order_id.as_bytes()), self.pen.payment(p, turn))?;
        Ok(turn)
    }

    fn ho_by_ref(&mut self, h: &HoPayment, upg_ref: &str, by_id: bool) -> io::Result<()> {
        self.read.of_mut(Role::HoPayments).row(h.amount);
        let turn = self.turn(by_id);
        self.by_ref.push(rank(upg_ref.as_bytes()), self.pen.ho(upg_ref.as_bytes(), h, turn))
    }

    fn ho(&mut self, h: &HoPayment, order: Option<Arc<str>>, by_id: bool) -> io::Result<()> {
        self.read.of_mut(Role::HoPayments).row(h.amount);
        let turn = self.turn(by_id);
        let Some(order) = order else {
            self.unplaced.of_mut(Role::HoPayments).row(h.amount);
            return Ok(());
        };
        self.by_order.push(rank(order.as_bytes()), self.pen.ho(order.as_bytes(), h, turn))
    }

    fn callback(&mut self, c: &Callback, order: Option<Arc<str>>, by_id: bool) -> io::Result<()> {
        self.read.of_mut(Role::Callbacks).row(None);
        let turn = self.turn(by_id);
        let Some(order) = order else {
            self.unplaced.of_mut(Role::Callbacks).row(None);
            return Ok(());
        };
        self.by_order.push(rank(order.as_bytes()), self.pen.callback(order.as_bytes(), c, turn))
    }

    /// Roles that an order was asked about by name.
    pub fn asked(&mut self, order: &str, roles: u8) -> io::Result<()> {
        self.by_order.push(rank(order.as_bytes()), self.pen.asked(order.as_bytes(), roles))
    }

    /// A record as it was, for the order it belongs to.
    pub fn again(&mut self, record: &[u8], key: &[u8]) -> io::Result<()> {
        self.by_order.push(rank(key), record)
    }

    /// Everything by its order. `known` are the references of an earlier intake.
    pub fn finish(mut self, known: Option<&Sorted>) -> io::Result<Taken> {
        let by_ref = std::mem::replace(&mut self.by_ref, Sorter::new(Path::new(""), 0)).finish()?;
        let mut known = known.map(Known::new).transpose()?;
        let mut merge = by_ref.read()?;
        let mut of: Vec<u8> = Vec::new();
        let mut owner: Option<Vec<u8>> = None;
        let mut begun = false;
        while let Some((rank_of_ref, bytes)) = merge.next()? {
            let record = Record::read(bytes).ok_or_else(damaged)?;
            if !begun || record.key != of {
                begun = true;
                of.clear();
                of.extend_from_slice(record.key);
                owner = match &mut known {
                    Some(known) => known.owner(rank_of_ref, &of)?,
                    None => None,
                };
            }
            // A reference's payments come before its records, the newest last.
            match (record.kind, &owner) {
                (Kind::Payment, _) => owner = Some(record.payload.to_vec()),
                (_, Some(owner)) => self.by_order.push(rank(owner), self.pen.moved(owner, &record))?,
                (_, None) => self.without_payment(&record)?,
            }
        }
        drop(merge);
        Ok(Taken { by_order: self.by_order.finish()?, by_ref, read: self.read, unplaced: self.unplaced })
    }

    /// No payment has its reference: it belongs to the order it names itself, if it does.
    fn without_payment(&mut self, record: &Record<'_>) -> io::Result<()> {
        let (order, amount, role) = match record.kind {
            Kind::HoPayment => {
                let ho = record.ho().ok_or_else(damaged)?;
                (ho.order_id, ho.amount, Role::HoPayments)
            }
            _ => (None, None, Role::Callbacks),
        };
        let Some(order) = order else {
            self.unplaced.of_mut(role).row(amount);
            return Ok(());
        };
        self.by_order.push(rank(order.as_bytes()), self.pen.moved(order.as_bytes(), record))
    }
}

/// Rows by their order.
pub struct Taken {
    /// The rows.
    pub by_order: Sorted,
    /// The references, with the orders they pay.
    pub by_ref: Sorted,
    /// What was read.
    pub read: Ledgers,
    /// What no order can be named for.
    pub unplaced: Ledgers,
}

/// The orders of references, read forward.
struct Known<'s> {
    merge: Merge<'s>,
    /// Rank, reference and order of the last payment met.
    at: Option<(u64, Vec<u8>, Vec<u8>)>,
    ended: bool,
}

impl<'s> Known<'s> {
    fn new(sorted: &'s Sorted) -> io::Result<Self> {
        Ok(Self { merge: sorted.read()?, at: None, ended: false })
    }

    /// The order a reference pays. References must be asked for in the order in which they are sorted.
    fn owner(&mut self, rank: u64, upg_ref: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let place = (rank, upg_ref.len(), upg_ref);
        let mut found = None;
        loop {
            if let Some((r, key, order)) = &self.at {
                match (*r, key.len(), key.as_slice()).cmp(&place) {
                    Ordering::Less => {}
                    // The newest payment of a reference is its last.
                    Ordering::Equal => found = Some(order.clone()),
                    Ordering::Greater => return Ok(found),
                }
            }
            if self.ended {
                return Ok(found);
            }
            self.at = None;
            match self.merge.next()? {
                None => self.ended = true,
                Some((r, bytes)) => {
                    let record = Record::read(bytes).ok_or_else(damaged)?;
                    if record.kind == Kind::Payment {
                        self.at = Some((r, record.key.to_vec(), record.payload.to_vec()));
                    }
                }
            }
        }
    }
}

/// The file of rows does not hold what was written.
pub fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "rows that were put aside come back damaged")
}
