//! Rows as they come from the ledgers, put aside by the order they belong to.
//!
//! A record at HO belongs to the order that UPG's reference pays, whatever it says itself; the order it
//! names counts only while no payment has the reference. Nearly always both are the same: so a record is put where
//! it says, beside a [claim](Claims), and only rows whose claim is disputed, or that name no order, are looked up
//! by reference once all payments are there.

use crate::analysis::reconcile::day::Ledgers;
use crate::model::brief::Brief;
use crate::model::order::{Role, Rows};
use crate::runtime::reconcile::parcel::{Parcel, Turns};
use crate::spill::claims::{Claims, Marks};
use crate::spill::record::{Kind, Pen, Record, rank};
use crate::spill::{Bins, Sorter};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Rows on their way to their orders.
pub struct Intake {
    by_order: Bins,
    claims: Claims,
    /// Rows that name a reference and no order.
    by_ref: Sorter,
    /// References that have to be looked up.
    lost: Marks,
    pen: Pen,
    /// Numbers its rows.
    pub turns: Turns,
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
            by_order: Bins::new(folder, room / 8 * 2),
            claims: Claims::new(folder, room / 16),
            by_ref: Sorter::new(folder, room / 8 * 2),
            lost: Marks::default(),
            pen: Pen::default(),
            turns: Turns::default(),
            read: Ledgers::default(),
            unplaced: Ledgers::default(),
        }
    }

    /// Puts aside what somebody read.
    pub fn put(&mut self, parcel: &Parcel) -> io::Result<()> {
        self.read.add(&parcel.read);
        self.unplaced.add(&parcel.unplaced);
        parcel.by_order.each(|rank, record| self.by_order.push(rank, record))?;
        parcel.claims.iter().try_for_each(|c| self.claims.put(c.upg_ref, c.order, c.paid))?;
        parcel.by_ref.each(|rank, record| {
            self.lost.mark(rank);
            self.by_ref.push(rank, record)
        })
    }

    /// Rows of a window.
    pub fn take(&mut self, rows: &Rows) -> io::Result<()> {
        let mut parcel = Parcel::new(&self.turns);
        each(rows, |row| parcel.take(&row));
        self.put(&parcel)
    }

    /// Rows of orders that were asked for by name, with the orders their references pay.
    pub fn take_named(&mut self, rows: &Rows, owners: &Owners) -> io::Result<()> {
        let mut parcel = Parcel::new(&self.turns);
        let owner = |upg_ref: Option<&str>| upg_ref.and_then(|r| owners.get(r)).map(|o| &**o);
        each(rows, |row| parcel.take_named(&row, owner));
        self.put(&parcel)
    }

    /// Roles that an order was asked about by name.
    pub fn asked(&mut self, order: &str, roles: u8) -> io::Result<()> {
        self.by_order.push(rank(order.as_bytes()), self.pen.asked(order.as_bytes(), roles))
    }

    /// A record as it was, for the order it belongs to.
    pub fn again(&mut self, record: &[u8], key: &[u8]) -> io::Result<()> {
        self.by_order.push(rank(key), record)
    }

    /// Everything by its order. `known` are the rows of an earlier intake, whose payments say whose the references
    /// are; its own rows stand where they belong then.
    pub fn finish(mut self, known: Option<&Taken>) -> io::Result<Taken> {
        if known.is_none() {
            self.claims.disputed(&mut self.lost)?;
        }
        if !self.lost.is_empty() {
            self.look_up(known)?;
        }
        let lost = if known.is_none() { self.lost } else { Marks::default() };
        Ok(Taken { by_order: self.by_order, lost, read: self.read, unplaced: self.unplaced })
    }

    /// Brings the payments of lost references and the rows that have them together.
    fn look_up(&mut self, known: Option<&Taken>) -> io::Result<()> {
        let mut by_ref = std::mem::replace(&mut self.by_ref, Sorter::new(Path::new(""), 0));
        let (lost, mut pen) = (&self.lost, Pen::default());
        known.map_or(&self.by_order, |k| &k.by_order).each(|_, bytes| {
            let record = Record::read(bytes).ok_or_else(damaged)?;
            if record.kind == Kind::Payment {
                let of = rank(record.sub);
                return if lost.has(of) { by_ref.push(of, pen.owner(&record)) } else { Ok(()) };
            }
            match record.claimed_by().filter(|_| known.is_none()) {
                Some(upg_ref) if lost.has(rank(upg_ref)) => by_ref.push(rank(upg_ref), pen.by_ref(upg_ref, &record)),
                _ => Ok(()),
            }
        })?;
        let by_ref = by_ref.finish()?;
        let mut merge = by_ref.read()?;
        let mut of: Vec<u8> = Vec::new();
        let mut owner: Option<Vec<u8>> = None;
        let mut begun = false;
        while let Some((_, bytes)) = merge.next()? {
            let record = Record::read(bytes).ok_or_else(damaged)?;
            if !begun || record.key != of {
                begun = true;
                of.clear();
                of.extend_from_slice(record.key);
                owner = None;
            }
            // A reference's payments come before its records, the newest last.
            match (record.kind, &owner) {
                (Kind::Payment, _) => owner = Some(record.payload.to_vec()),
                (_, Some(owner)) => self.by_order.push(rank(owner), self.pen.moved(owner, &record))?,
                (_, None) => self.without_payment(&record)?,
            }
        }
        Ok(())
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

/// Calls `each` for every row of the ledgers that are compared.
pub fn each<'r>(rows: &'r Rows, mut each: impl FnMut(Brief<'r>)) {
    match rows {
        Rows::Orders(v) => v.iter().for_each(|o| each(Brief::Order(o.into()))),
        Rows::Payments(v) => v.iter().for_each(|p| each(Brief::Payment(p.into()))),
        Rows::HoPayments(v) => v.iter().for_each(|h| each(Brief::HoPayment(h.into()))),
        Rows::Callbacks(v) => v.iter().for_each(|c| each(Brief::Callback(c.into()))),
        // These are no ledgers: nobody asks for them here.
        Rows::OrderEvents(_) | Rows::OrdersAgg(_) | Rows::Saga(_) | Rows::CallbackQueue(_) => {}
    }
}

/// Rows by their order.
pub struct Taken {
    /// The rows.
    pub by_order: Bins,
    /// References that were looked up: rows that claim their order themselves stand there a second time, and
    /// where they belong the first.
    pub lost: Marks,
    /// What was read.
    pub read: Ledgers,
    /// What no order can be named for.
    pub unplaced: Ledgers,
}

impl Taken {
    /// Whether a record stands where it belongs.
    pub fn belongs(&self, record: &Record<'_>) -> bool {
        self.lost.is_empty() || record.claimed_by().is_none_or(|upg_ref| !self.lost.has(rank(upg_ref)))
    }
}

/// The file of rows does not hold what was written.
pub fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "rows that were put aside come back damaged")
}
