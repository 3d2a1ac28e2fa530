//! Rows of ledgers as bytes: the key they are brought together by first, then what tells them apart, then
//! what a reconciliation needs of them. The order of the bytes is the order of the fold.
//!
//! Rows are lent both ways: nothing is allocated for one that is written, nor for one that is read.

use crate::model::Stamp;
use crate::model::brief::{Callback, HoPayment, Order, Payment};
use crate::model::order::{OrderStatus, PaymentStatus};
use chrono::{Datelike as _, NaiveDate};
use std::hash::{DefaultHasher, Hasher as _};

/// What a record is, in the order of the fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Roles that were asked about the key by name, as bits.
    Asked = 0,
    /// A row of the orders.
    Order = 1,
    /// A row of the payments.
    Payment = 2,
    /// A callback.
    Callback = 3,
    /// A record at HO.
    HoPayment = 4,
}

const KINDS: [Kind; 5] = [Kind::Asked, Kind::Order, Kind::Payment, Kind::Callback, Kind::HoPayment];

/// When a row was read: rows of one key and one `sub` are the same row, and the youngest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Asked by name, which is always after the window was read.
    pub by_id: bool,
    /// Grows with every row.
    pub number: u64,
}

impl Turn {
    const BY_ID: u64 = 1 << 63;
    const fn bits(self) -> u64 {
        self.number | if self.by_id { Self::BY_ID } else { 0 }
    }
}

/// A record taken apart; the payload is not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'r> {
    /// What brings records together: an order's id, or a reference.
    pub key: &'r [u8],
    /// What it is.
    pub kind: Kind,
    /// What tells it from others of its kind.
    pub sub: &'r [u8],
    /// When it was read.
    pub turn: Turn,
    /// The rest.
    pub payload: &'r [u8],
}

/// Where records of a key are sorted to: spread evenly, the same in every run of the program.
pub fn rank(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish()
}

impl<'r> Record<'r> {
    /// Takes a record apart; none when it is damaged.
    pub fn read(bytes: &'r [u8]) -> Option<Self> {
        let mut from = Bytes(bytes);
        let key = from.bytes()?;
        let kind = *KINDS.get(usize::from(from.byte()?))?;
        let sub = from.bytes()?;
        let turn = u64::from_be_bytes(from.array()?);
        let turn = Turn { by_id: turn & Turn::BY_ID != 0, number: turn & !Turn::BY_ID };
        Some(Self { key, kind, sub, turn, payload: from.0 })
    }

    /// The payload as an order.
    pub fn order(&self) -> Option<Order<'r>> {
        let mut from = Bytes(self.payload);
        Some(Order {
            order_id: text(self.key)?,
            created_at: from.stamp()?,
            status: order_status(&mut from)?,
            amount: from.maybe()?,
            updated_at: from.maybe()?.map(Stamp),
        })
    }

    /// The payload as a payment.
    pub fn payment(&self) -> Option<Payment<'r>> {
        let mut from = Bytes(self.payload);
        Some(Payment {
            upg_ref: text(self.sub)?,
            order_id: text(self.key)?,
            created_at: from.stamp()?,
            status: payment_status(&mut from)?,
            amount: from.maybe()?,
            settled_at: from.maybe()?.map(Stamp),
        })
    }

    /// The payload as a record at HO. Its order is the key only where it was found.
    pub fn ho(&self) -> Option<HoPayment<'r>> {
        let mut from = Bytes(self.payload);
        from.byte()?;
        Some(HoPayment {
            ho_ref: text(self.sub)?,
            recorded_at: from.stamp()?,
            amount: from.maybe()?,
            business_date: from.maybe()?.and_then(day),
            upg_ref: from.maybe_text()?,
            order_id: from.maybe_text()?,
        })
    }

    /// The payload as a callback.
    pub fn callback(&self) -> Option<Callback<'r>> {
        let mut from = Bytes(self.payload);
        Some(Callback {
            sent_at: from.stamp()?,
            attempt: i32::try_from(from.maybe()??).ok()?,
            http_status: from.maybe()?.and_then(|s| i32::try_from(s).ok()),
            target: from.maybe_text()?,
            upg_ref: from.maybe_text()?,
            order_id: from.maybe_text()?,
        })
    }

    /// The reference of a record at HO that stands where its own word put it, not where its payment is.
    pub fn claimed_by(&self) -> Option<&'r [u8]> {
        if self.kind != Kind::HoPayment {
            return None;
        }
        let mut from = Bytes(self.payload);
        let own = Place::Claimed as u8 == from.byte()?;
        from.stamp()?;
        from.maybe()?;
        from.maybe()?;
        from.maybe_bytes()?.filter(|_| own)
    }
}

/// How a record at HO came to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It names the key itself; a payment with its reference may know better.
    Claimed = 0,
    /// It was looked up.
    Settled = 1,
}

/// Writes records into one buffer, one after the other.
#[derive(Debug, Default)]
pub struct Pen(Vec<u8>);

impl Pen {
    fn begin(&mut self, key: &[u8], kind: Kind, sub: &[&[u8]], turn: Turn) {
        self.0.clear();
        self.bytes(key);
        self.0.push(kind as u8);
        let len: usize = sub.iter().map(|s| s.len()).sum();
        self.0.extend_from_slice(&(len as u32).to_be_bytes());
        for s in sub {
            self.0.extend_from_slice(s);
        }
        self.0.extend_from_slice(&turn.bits().to_be_bytes());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }
    fn stamp(&mut self, t: Stamp) {
        self.0.extend_from_slice(&t.0.to_be_bytes());
    }
    fn maybe(&mut self, n: Option<i64>) {
        self.0.push(u8::from(n.is_some()));
        if let Some(n) = n {
            self.0.extend_from_slice(&n.to_be_bytes());
        }
    }
    fn maybe_text(&mut self, text: Option<&str>) {
        self.0.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.bytes(text.as_bytes());
        }
    }

    /// Roles asked about an order by name, as bits.
    pub fn asked(&mut self, key: &[u8], roles: u8) -> &[u8] {
        self.begin(key, Kind::Asked, &[&[roles]], Turn { by_id: true, number: 0 });
        &self.0
    }

    /// An order, by its id.
    pub fn order(&mut self, o: &Order<'_>, turn: Turn) -> &[u8] {
        self.begin(o.order_id.as_bytes(), Kind::Order, &[], turn);
        self.stamp(o.created_at);
        let (word, other) = match &o.status {
            OrderStatus::Created => (0, None),
            OrderStatus::Active => (1, None),
            OrderStatus::Complete => (2, None),
            OrderStatus::Failed => (3, None),
            OrderStatus::Cancelled => (4, None),
            OrderStatus::Expired => (5, None),
            OrderStatus::Other(word) => (OTHER, Some(word)),
        };
        self.word(word, other);
        self.maybe(o.amount);
        self.maybe(o.updated_at.map(|t| t.0));
        &self.0
    }

    /// A payment, by its order.
    pub fn payment(&mut self, p: &Payment<'_>, turn: Turn) -> &[u8] {
        self.begin(p.order_id.as_bytes(), Kind::Payment, &[p.upg_ref.as_bytes()], turn);
        self.stamp(p.created_at);
        let (word, other) = match &p.status {
            PaymentStatus::Initiated => (0, None),
            PaymentStatus::Pending => (1, None),
            PaymentStatus::Authorized => (2, None),
            PaymentStatus::Paid => (3, None),
            PaymentStatus::Refunded => (4, None),
            PaymentStatus::Failed => (5, None),
            PaymentStatus::Other(word) => (OTHER, Some(word)),
        };
        self.word(word, other);
        self.maybe(p.amount);
        self.maybe(p.settled_at.map(|t| t.0));
        &self.0
    }

    /// Whose reference it is: a payment by its reference, saying only the order.
    pub fn owner(&mut self, payment: &Record<'_>) -> &[u8] {
        self.begin(payment.sub, Kind::Payment, &[], payment.turn);
        self.0.extend_from_slice(payment.key);
        &self.0
    }

    /// A record at HO, by `key`.
    pub fn ho(&mut self, key: &[u8], h: &HoPayment<'_>, place: Place, turn: Turn) -> &[u8] {
        self.begin(key, Kind::HoPayment, &[h.ho_ref.as_bytes()], turn);
        self.0.push(place as u8);
        self.stamp(h.recorded_at);
        self.maybe(h.amount);
        self.maybe(h.business_date.map(|d| i64::from(d.num_days_from_ce())));
        self.maybe_text(h.upg_ref);
        self.maybe_text(h.order_id);
        &self.0
    }

    /// A callback, by `key`. Attempts to one target for one reference are told apart by their number.
    pub fn callback(&mut self, key: &[u8], c: &Callback<'_>, turn: Turn) -> &[u8] {
        let (upg_ref, target) = (c.upg_ref.unwrap_or_default(), c.target.unwrap_or_default());
        let attempt = c.attempt.to_be_bytes();
        self.begin(key, Kind::Callback, &[upg_ref.as_bytes(), &[0], target.as_bytes(), &[0], &attempt], turn);
        self.stamp(c.sent_at);
        self.maybe(Some(c.attempt.into()));
        self.maybe(c.http_status.map(Into::into));
        self.maybe_text(c.target);
        self.maybe_text(c.upg_ref);
        self.maybe_text(c.order_id);
        &self.0
    }

    /// The same record by its reference, to be looked up.
    pub fn by_ref(&mut self, upg_ref: &[u8], record: &Record<'_>) -> &[u8] {
        self.begin(upg_ref, record.kind, &[record.sub], record.turn);
        self.0.extend_from_slice(record.payload);
        &self.0
    }

    /// The same record by another key, where it was looked up.
    pub fn moved(&mut self, key: &[u8], record: &Record<'_>) -> &[u8] {
        self.begin(key, record.kind, &[record.sub], record.turn);
        let payload = match record.payload {
            [_, rest @ ..] if record.kind == Kind::HoPayment => {
                self.0.push(Place::Settled as u8);
                rest
            }
            payload => payload,
        };
        self.0.extend_from_slice(payload);
        &self.0
    }

    fn word(&mut self, word: u8, other: Option<&String>) {
        self.0.push(word);
        if let Some(other) = other {
            self.bytes(other.as_bytes());
        }
    }
}

/// A status that is none of ours, followed by its word.
const OTHER: u8 = 255;

fn order_status(from: &mut Bytes<'_>) -> Option<OrderStatus> {
    Some(match from.byte()? {
        0 => OrderStatus::Created,
        1 => OrderStatus::Active,
        2 => OrderStatus::Complete,
        3 => OrderStatus::Failed,
        4 => OrderStatus::Cancelled,
        5 => OrderStatus::Expired,
        OTHER => OrderStatus::Other(String::from_utf8_lossy(from.bytes()?).into_owned()),
        _ => return None,
    })
}

fn payment_status(from: &mut Bytes<'_>) -> Option<PaymentStatus> {
    Some(match from.byte()? {
        0 => PaymentStatus::Initiated,
        1 => PaymentStatus::Pending,
        2 => PaymentStatus::Authorized,
        3 => PaymentStatus::Paid,
        4 => PaymentStatus::Refunded,
        5 => PaymentStatus::Failed,
        OTHER => PaymentStatus::Other(String::from_utf8_lossy(from.bytes()?).into_owned()),
        _ => return None,
    })
}

/// Text that was text when it was written.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

struct Bytes<'r>(&'r [u8]);

impl<'r> Bytes<'r> {
    fn take(&mut self, n: usize) -> Option<&'r [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[b]| b)
    }
    fn bytes(&mut self) -> Option<&'r [u8]> {
        let n = u32::from_be_bytes(self.array()?);
        self.take(n as usize)
    }
    fn stamp(&mut self) -> Option<Stamp> {
        Some(Stamp(i64::from_be_bytes(self.array()?)))
    }
    /// None: damaged. `Some(None)`: there is none.
    #[expect(clippy::option_option, reason = "damaged and absent are two things")]
    fn maybe(&mut self) -> Option<Option<i64>> {
        if self.byte()? == 0 { Some(None) } else { Some(Some(i64::from_be_bytes(self.array()?))) }
    }
    #[expect(clippy::option_option, reason = "damaged and absent are two things")]
    fn maybe_bytes(&mut self) -> Option<Option<&'r [u8]>> {
        if self.byte()? == 0 { Some(None) } else { Some(Some(self.bytes()?)) }
    }
    #[expect(clippy::option_option, reason = "damaged and absent are two things")]
    fn maybe_text(&mut self) -> Option<Option<&'r str>> {
        match self.maybe_bytes()? {
            None => Some(None),
            Some(bytes) => text(bytes).map(Some),
        }
    }
}

/// A calendar day by its number.
fn day(number: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Turn = Turn { by_id: false, number: 7 };

    #[test]
    fn rows_come_back_as_they_were_written() {
        let order = Order {
            order_id: "ORD-1",
            created_at: Stamp(-5),
            status: OrderStatus::Other("GANTUNG".into()),
            amount: None,
            updated_at: Some(Stamp(9)),
        };
        let payment = Payment {
            upg_ref: "U\u{e9}",
            order_id: "ORD-1",
            amount: Some(i64::MIN),
            status: PaymentStatus::Paid,
            created_at: Stamp(1),
            settled_at: None,
        };
        let ho = HoPayment {
            ho_ref: "H",
            upg_ref: Some("U"),
            order_id: None,
            amount: Some(1),
            recorded_at: Stamp(2),
            business_date: NaiveDate::from_ymd_opt(2025, 1, 13),
        };
        let callback = Callback {
            order_id: None,
            upg_ref: Some("U"),
            attempt: -3,
            sent_at: Stamp(3),
            http_status: Some(503),
            target: None,
        };
        let mut pen = Pen::default();
        assert_eq!(Record::read(pen.order(&order, TURN)).unwrap().order(), Some(order));
        assert_eq!(Record::read(pen.callback(b"ORD-1", &callback, TURN)).unwrap().callback(), Some(callback));
        let paid = pen.payment(&payment, TURN).to_vec();
        let paid = Record::read(&paid).unwrap();
        assert_eq!(paid.payment(), Some(payment.clone()));
        let owner = Record::read(pen.owner(&paid)).unwrap();
        assert_eq!((owner.key, owner.payload), (payment.upg_ref.as_bytes(), &b"ORD-1"[..]));
        let bytes = pen.ho(b"O", &ho, Place::Claimed, TURN).to_vec();
        let record = Record::read(&bytes).unwrap();
        assert_eq!((record.ho(), record.claimed_by()), (Some(ho.clone()), Some(&b"U"[..])));
        let moved = Record::read(pen.moved(b"ORD-2", &record)).unwrap();
        assert_eq!((moved.key, moved.ho(), moved.claimed_by()), (&b"ORD-2"[..], Some(ho), None));
        for n in 0..bytes.len() - 1 {
            assert!(Record::read(&bytes[..n]).and_then(|r| r.ho()).is_none(), "damaged at {n}");
        }
    }

    #[test]
    fn rows_of_one_key_stand_together_and_the_youngest_last() {
        let ho = |ho_ref| HoPayment {
            ho_ref,
            upg_ref: None,
            order_id: None,
            amount: None,
            recorded_at: Stamp(0),
            business_date: None,
        };
        let mut pen = Pen::default();
        let late = Turn { by_id: true, number: 1 };
        let mut all: Vec<Vec<u8>> = vec![
            pen.ho(b"A", &ho("H2"), Place::Settled, TURN).to_vec(),
            pen.ho(b"A", &ho("H1"), Place::Settled, late).to_vec(),
            pen.ho(b"A", &ho("H1"), Place::Settled, TURN).to_vec(),
            pen.asked(b"A", 4).to_vec(),
        ];
        all.sort();
        let got: Vec<_> = all.iter().map(|r| Record::read(r).unwrap()).map(|r| (r.kind, r.sub, r.turn)).collect();
        assert_eq!(got[0].0, Kind::Asked);
        assert_eq!(
            &got[1..],
            [
                (Kind::HoPayment, &b"H1"[..], TURN),
                (Kind::HoPayment, &b"H1"[..], late),
                (Kind::HoPayment, &b"H2"[..], TURN)
            ]
        );
    }
}
