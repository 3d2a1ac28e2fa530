//! An order that is settled in few bytes: every row of it, to be had again exactly as it was.
//!
//! Nothing is thrown away, so whatever is asked of a folded order, as of any instant, has the answer it had before.
//! Words are numbers in the book's pool, times are distances from the birth, texts that the order's rows share are
//! written once. May not know: when an order is settled.

use crate::model::Stamp;
use crate::model::order::{
    Attributes, Callback, HoPayment, Order, OrderId, OrderStatus, Payment, PaymentStatus, ROLES, Role,
};
use crate::store::book::Entry;
use crate::store::rows::Rows;
use crate::store::words::Words;
use chrono::{Datelike as _, NaiveDate};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

type Text = Option<Arc<str>>;

/// Writes an order down; none when it has rows that cannot be written.
pub fn fold(id: &OrderId, entry: &Entry, words: &Words) -> Option<Box<[u8]>> {
    let mut pen = Pen { bytes: Vec::with_capacity(256), base: birth(entry), words, id };
    let mut upg_ref: Text = None;
    pen.signed(pen.base.0);
    let (mut trace, mut attributes): (Text, Attributes) = (None, Attributes::default());
    pen.rows(&entry.orders, |pen, o: &Order| {
        pen.named(&Some(o.order_id.clone()));
        pen.stamp(o.created_at);
        pen.order_status(&o.status);
        pen.number(o.amount);
        for word in [&o.payment_method, &o.region, &o.service_type, &o.saga_step] {
            pen.word(word.as_ref());
        }
        pen.text(&o.trace_id, &mut trace);
        pen.maybe_stamp(o.updated_at);
        pen.number(o.version);
        pen.attributes(&o.attributes, &mut attributes);
    });
    let (mut gateway, mut key) = (None, None);
    pen.rows(&entry.payments, |pen, p: &Payment| {
        pen.text(&Some(p.upg_ref.clone()), &mut upg_ref);
        pen.named(&Some(p.order_id.clone()));
        pen.number(p.amount);
        pen.payment_status(&p.status);
        pen.stamp(p.created_at);
        pen.maybe_stamp(p.settled_at);
        pen.word(p.payment_method.as_ref());
        pen.text(&p.gateway_ref, &mut gateway);
        pen.number(p.gateway_ms);
        pen.text(&p.idempotency_key, &mut key);
    });
    let mut ho_ref = None;
    pen.rows(&entry.ho, |pen, h: &HoPayment| {
        pen.text(&Some(h.ho_ref.clone()), &mut ho_ref);
        pen.text(&h.upg_ref, &mut upg_ref);
        pen.named(&h.order_id);
        pen.number(h.amount);
        pen.stamp(h.recorded_at);
        pen.number(h.business_date.map(|d| d.num_days_from_ce().into()));
    });
    pen.rows(&entry.callbacks, |pen, c: &Callback| {
        pen.named(&c.order_id);
        pen.text(&c.upg_ref, &mut upg_ref);
        pen.signed(c.attempt.into());
        pen.stamp(c.sent_at);
        pen.number(c.http_status.map(Into::into));
        pen.word(c.target.as_ref());
        pen.number(c.duration_ms);
        pen.maybe_stamp(c.next_attempt_at);
        pen.bytes.push(c.dead.map_or(2, u8::from));
    });
    pen.rows(&entry.asked, |pen, role: &Role| pen.bytes.push(*role as u8));
    // These belong to orders in trouble, which are rarely settled.
    pen.json(&entry.events)?;
    pen.json(&entry.saga)?;
    Some(pen.bytes.into_boxed_slice())
}

/// Reads an order again; none when the bytes are none that [`fold`] wrote.
pub fn unfold(id: &OrderId, bytes: &[u8], words: &Words) -> Option<Entry> {
    let mut eye = Eye { bytes, base: Stamp(0), words, id };
    eye.base = Stamp(eye.signed()?);
    let (mut trace, mut attributes): (Text, Attributes) = (None, Attributes::default());
    let orders = eye.rows(|eye| {
        Some(Order {
            order_id: eye.named()??,
            created_at: eye.stamp()?,
            status: eye.order_status()?,
            amount: eye.number()?,
            payment_method: eye.word()?,
            region: eye.word()?,
            service_type: eye.word()?,
            saga_step: eye.word()?,
            trace_id: eye.text(&mut trace)?,
            updated_at: eye.maybe_stamp()?,
            version: eye.number()?,
            attributes: eye.attributes(&mut attributes)?,
        })
    })?;
    let (mut upg_ref, mut gateway, mut key): (Text, Text, Text) = (None, None, None);
    let payments = eye.rows(|eye| {
        Some(Payment {
            upg_ref: eye.text(&mut upg_ref)??,
            order_id: eye.named()??,
            amount: eye.number()?,
            status: eye.payment_status()?,
            created_at: eye.stamp()?,
            settled_at: eye.maybe_stamp()?,
            payment_method: eye.word()?,
            gateway_ref: eye.text(&mut gateway)?,
            gateway_ms: eye.number()?,
            idempotency_key: eye.text(&mut key)?,
        })
    })?;
    let mut ho_ref: Text = None;
    let ho = eye.rows(|eye| {
        Some(HoPayment {
            ho_ref: eye.text(&mut ho_ref)??,
            upg_ref: eye.text(&mut upg_ref)?,
            order_id: eye.named()?,
            amount: eye.number()?,
            recorded_at: eye.stamp()?,
            business_date: eye.number()?.and_then(day),
        })
    })?;
    let callbacks = eye.rows(|eye| {
        Some(Callback {
            order_id: eye.named()?,
            upg_ref: eye.text(&mut upg_ref)?,
            attempt: i32::try_from(eye.signed()?).ok()?,
            sent_at: eye.stamp()?,
            http_status: eye.number()?.and_then(|n| i32::try_from(n).ok()),
            target: eye.word()?,
            duration_ms: eye.number()?,
            next_attempt_at: eye.maybe_stamp()?,
            dead: Some(eye.byte()?).filter(|b| *b < 2).map(|b| b == 1),
        })
    })?;
    let asked = eye.rows(|eye| {
        let number = eye.byte()?;
        ROLES.into_iter().find(|role| *role as u8 == number)
    })?;
    Some(Entry { orders, events: eye.json()?, payments, callbacks, saga: eye.json()?, ho, asked })
        .filter(|_| eye.bytes.is_empty())
}

/// What times are told from.
fn birth(entry: &Entry) -> Stamp {
    let order = entry.orders.first().map(|(_, o)| o.created_at);
    order.or_else(|| entry.payments.first().map(|(_, p)| p.created_at)).unwrap_or(Stamp(0))
}

fn day(number: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?)
}

/// A text that is not there, is written out, is the one before, or is the word of a number from here on.
const NONE: u64 = 0;
const WRITTEN: u64 = 1;
const AS_BEFORE: u64 = 2;
const FIRST_WORD: u64 = 3;
/// A status that is none of ours.
const OTHER: u8 = 255;

struct Pen<'w> {
    bytes: Vec<u8>,
    base: Stamp,
    words: &'w Words,
    id: &'w OrderId,
}

impl Pen<'_> {
    fn rows<T>(&mut self, rows: &Rows<T>, each: impl FnMut(&mut Self, &T)) {
        let mut each = each;
        self.unsigned(rows.len() as u64);
        for (read, row) in rows {
            self.stamp(*read);
            each(self, row);
        }
    }
    /// Seven bits a byte, the lowest first; the highest bit says that more come.
    fn unsigned(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.bytes.push(n as u8);
    }
    fn signed(&mut self, n: i64) {
        self.unsigned(((n << 1) ^ (n >> 63)) as u64);
    }
    fn stamp(&mut self, t: Stamp) {
        self.signed(t.0.wrapping_sub(self.base.0));
    }
    fn number(&mut self, n: Option<i64>) {
        self.bytes.push(u8::from(n.is_some()));
        if let Some(n) = n {
            self.signed(n);
        }
    }
    fn maybe_stamp(&mut self, t: Option<Stamp>) {
        self.bytes.push(u8::from(t.is_some()));
        if let Some(t) = t {
            self.stamp(t);
        }
    }
    fn written(&mut self, text: &str) {
        self.unsigned(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }
    fn text(&mut self, text: &Text, before: &mut Text) {
        match text {
            None => self.unsigned(NONE),
            Some(_) if text == before => self.unsigned(AS_BEFORE),
            Some(text) => {
                self.unsigned(WRITTEN);
                self.written(text);
                *before = Some(text.clone());
            }
        }
    }
    fn named(&mut self, order: &Text) {
        let mut own = Some(self.id.clone());
        self.text(order, &mut own);
    }
    fn word(&mut self, word: Option<&Arc<str>>) {
        match word.map(|word| (word, self.words.number(word))) {
            None => self.unsigned(NONE),
            Some((_, Some(number))) => self.unsigned(FIRST_WORD + u64::from(number)),
            Some((word, None)) => {
                self.unsigned(WRITTEN);
                self.written(word);
            }
        }
    }
    /// How many and one more, or nothing for those of the row before.
    fn attributes(&mut self, attributes: &Attributes, before: &mut Attributes) {
        if attributes == before {
            return self.unsigned(0);
        }
        self.unsigned(attributes.iter().count() as u64 + 1);
        for (name, value) in attributes.iter() {
            self.word(Some(name));
            self.word(Some(value));
        }
        before.clone_from(attributes);
    }
    fn order_status(&mut self, status: &OrderStatus) {
        let (number, other) = match status {
            OrderStatus::Created => (0, None),
            OrderStatus::Active => (1, None),
            OrderStatus::Complete => (2, None),
            OrderStatus::Failed => (3, None),
            OrderStatus::Cancelled => (4, None),
            OrderStatus::Expired => (5, None),
            OrderStatus::Other(word) => (OTHER, Some(word)),
        };
        self.bytes.push(number);
        if let Some(word) = other {
            self.written(word);
        }
    }
    fn payment_status(&mut self, status: &PaymentStatus) {
        let (number, other) = match status {
            PaymentStatus::Initiated => (0, None),
            PaymentStatus::Pending => (1, None),
            PaymentStatus::Authorized => (2, None),
            PaymentStatus::Paid => (3, None),
            PaymentStatus::Refunded => (4, None),
            PaymentStatus::Failed => (5, None),
            PaymentStatus::Other(word) => (OTHER, Some(word)),
        };
        self.bytes.push(number);
        if let Some(word) = other {
            self.written(word);
        }
    }
    fn json<T: Serialize>(&mut self, rows: &Rows<T>) -> Option<()> {
        if rows.is_empty() {
            self.unsigned(0);
            return Some(());
        }
        let json = serde_json::to_vec(&rows[..]).ok()?;
        self.unsigned(json.len() as u64);
        self.bytes.extend_from_slice(&json);
        Some(())
    }
}

struct Eye<'b> {
    bytes: &'b [u8],
    base: Stamp,
    words: &'b Words,
    id: &'b OrderId,
}

#[expect(clippy::option_option, reason = "damaged and absent are two things")]
impl<'b> Eye<'b> {
    fn rows<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Rows<T>> {
        let n = self.unsigned()?;
        (0..n).map(|_| Some((self.stamp()?, each(self)?))).collect()
    }
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*byte)
    }
    fn unsigned(&mut self) -> Option<u64> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(n);
            }
        }
        None
    }
    fn signed(&mut self) -> Option<i64> {
        let n = self.unsigned()?;
        Some((n >> 1) as i64 ^ -((n & 1) as i64))
    }
    fn stamp(&mut self) -> Option<Stamp> {
        Some(Stamp(self.signed()?.wrapping_add(self.base.0)))
    }
    fn number(&mut self) -> Option<Option<i64>> {
        if self.byte()? == 0 { Some(None) } else { self.signed().map(Some) }
    }
    fn maybe_stamp(&mut self) -> Option<Option<Stamp>> {
        if self.byte()? == 0 { Some(None) } else { self.stamp().map(Some) }
    }
    fn written(&mut self) -> Option<&'b str> {
        let len = usize::try_from(self.unsigned()?).ok()?;
        let (text, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok()
    }
    fn text(&mut self, before: &mut Text) -> Option<Text> {
        match self.unsigned()? {
            NONE => Some(None),
            AS_BEFORE => Some(before.clone()),
            _ => {
                *before = Some(self.written()?.into());
                Some(before.clone())
            }
        }
    }
    fn named(&mut self) -> Option<Text> {
        match self.unsigned()? {
            NONE => Some(None),
            AS_BEFORE => Some(Some(self.id.clone())),
            _ => Some(Some(self.written()?.into())),
        }
    }
    fn word(&mut self) -> Option<Text> {
        match self.unsigned()? {
            NONE => Some(None),
            WRITTEN => Some(Some(self.written()?.into())),
            number => Some(Some(self.words.numbered(number.checked_sub(FIRST_WORD)?)?.clone())),
        }
    }
    fn attributes(&mut self, before: &mut Attributes) -> Option<Attributes> {
        if let Some(n) = self.unsigned()?.checked_sub(1) {
            let pairs = (0..n).map(|_| Some((self.word()??, self.word()??)));
            *before = Attributes::in_order(pairs.collect::<Option<_>>()?)?;
        }
        Some(before.clone())
    }
    fn order_status(&mut self) -> Option<OrderStatus> {
        Some(match self.byte()? {
            0 => OrderStatus::Created,
            1 => OrderStatus::Active,
            2 => OrderStatus::Complete,
            3 => OrderStatus::Failed,
            4 => OrderStatus::Cancelled,
            5 => OrderStatus::Expired,
            _ => OrderStatus::Other(self.written()?.to_owned()),
        })
    }
    fn payment_status(&mut self) -> Option<PaymentStatus> {
        Some(match self.byte()? {
            0 => PaymentStatus::Initiated,
            1 => PaymentStatus::Pending,
            2 => PaymentStatus::Authorized,
            3 => PaymentStatus::Paid,
            4 => PaymentStatus::Refunded,
            5 => PaymentStatus::Failed,
            _ => PaymentStatus::Other(self.written()?.to_owned()),
        })
    }
    fn json<T: DeserializeOwned>(&mut self) -> Option<Rows<T>> {
        let len = usize::try_from(self.unsigned()?).ok()?;
        let (json, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        if json.is_empty() {
            return Some(Rows::default());
        }
        Some(serde_json::from_slice::<Vec<(Stamp, T)>>(json).ok()?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lapse;
    use crate::model::order::{OrderEvent, SagaState, SagaStep};

    /// An order with something in every field, and one of each that is empty.
    fn full(words: &mut Words) -> Entry {
        let mut pool = |word: &str| {
            let mut word: Arc<str> = word.into();
            words.one(&mut word);
            Some(word)
        };
        let bare = Order {
            order_id: "ORD-1".into(),
            created_at: Stamp(1_736_658_000_000_000),
            status: OrderStatus::Active,
            amount: None,
            payment_method: None,
            region: None,
            service_type: None,
            saga_step: None,
            trace_id: None,
            updated_at: None,
            version: None,
            attributes: Attributes::default(),
        };
        let done = Order {
            status: OrderStatus::Other("GANTUNG".to_owned()),
            amount: Some(i64::MIN),
            payment_method: pool("QRIS"),
            region: Some("not in the pool".into()),
            service_type: pool("QRIS"),
            saga_step: pool("PAY"),
            trace_id: Some("0af7".into()),
            updated_at: Some(Stamp(i64::MIN)),
            version: Some(i64::MAX),
            attributes: [("pod".into(), "mrg-1".into())].into_iter().collect(),
            ..bare.clone()
        };
        let payment = Payment {
            upg_ref: "U1".into(),
            order_id: "ORD-1".into(),
            amount: Some(7),
            status: PaymentStatus::Other("LUNAS".to_owned()),
            created_at: Stamp(5),
            settled_at: Some(Stamp(6)),
            payment_method: pool("CARD"),
            gateway_ref: Some("G".into()),
            gateway_ms: Some(-1),
            idempotency_key: Some("K".into()),
        };
        let again =
            Payment { upg_ref: "U2".into(), gateway_ref: None, idempotency_key: Some("K".into()), ..payment.clone() };
        let ho = HoPayment {
            ho_ref: "H".into(),
            upg_ref: Some("U2".into()),
            order_id: Some("ORD-2".into()),
            amount: None,
            recorded_at: Stamp(9),
            business_date: NaiveDate::from_ymd_opt(2025, 1, 13),
        };
        let callback = Callback {
            order_id: None,
            upg_ref: Some("U9".into()),
            attempt: i32::MIN,
            sent_at: Stamp(3),
            http_status: Some(503),
            target: Some("HO".into()),
            duration_ms: Some(1),
            next_attempt_at: Some(Stamp(4)),
            dead: Some(true),
        };
        let event = OrderEvent {
            order_id: "ORD-1".into(),
            at: Stamp(1),
            from: Some("ACTIVE".into()),
            to: "COMPLETE".into(),
            actor: None,
            version: Some(2),
        };
        let step = SagaStep {
            order_id: "ORD-1".into(),
            step: "PAY".into(),
            attempt: 1,
            state: SagaState::Other("?".to_owned()),
            at: Stamp(2),
            error: Some("no route\u{1b}".into()),
        };
        let quiet = Callback { order_id: Some("ORD-1".into()), dead: None, next_attempt_at: None, ..callback.clone() };
        let dead = Callback { dead: Some(false), ..quiet.clone() };
        Entry {
            orders: [(Stamp(7), bare.clone()), (Stamp(8), done.clone()), (Stamp(9), done), (Stamp(10), bare)]
                .into_iter()
                .collect(),
            events: [(Stamp(1), event)].into_iter().collect(),
            payments: [(Stamp(1), payment.clone()), (Stamp(2), payment), (Stamp(3), again)].into_iter().collect(),
            callbacks: [(Stamp(1), callback), (Stamp(1), quiet), (Stamp(1), dead)].into_iter().collect(),
            saga: [(Stamp(1), step)].into_iter().collect(),
            ho: [(Stamp(-1), ho.clone()), (Stamp(1), HoPayment { upg_ref: None, order_id: None, ..ho })]
                .into_iter()
                .collect(),
            asked: ROLES.into_iter().map(|role| (Stamp(4), role)).collect(),
        }
    }

    #[test]
    fn an_usual_order_is_two_hundred_bytes_at_most() {
        let mut words = Words::default();
        let id: OrderId = "ORD-000123456".into();
        let born = Stamp(1_736_658_000_000_000);
        let full = full(&mut words);
        let (done, paid) = (&full.orders[1].1, &full.payments[0].1);
        let order = |status, after| Order {
            order_id: id.clone(),
            created_at: born,
            status,
            amount: Some(412_500),
            region: done.payment_method.clone(),
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
            updated_at: Some(born + after),
            version: Some(2),
            attributes: Attributes::default(),
            ..done.clone()
        };
        let payment = |status, settled_at| Payment {
            upg_ref: "UPG-000123456".into(),
            order_id: id.clone(),
            amount: Some(412_500),
            status,
            created_at: born + Lapse::seconds(5),
            settled_at,
            gateway_ref: Some("GW0000123456".into()),
            gateway_ms: Some(300),
            idempotency_key: None,
            ..paid.clone()
        };
        let read = |seconds| born + Lapse::seconds(seconds);
        let record = HoPayment {
            ho_ref: "123456".into(),
            upg_ref: Some("UPG-000123456".into()),
            order_id: Some(id.clone()),
            amount: Some(412_500),
            recorded_at: read(35),
            business_date: None,
        };
        let entry = Entry {
            orders: [
                (read(15), order(OrderStatus::Active, Lapse::ZERO)),
                (read(60), order(OrderStatus::Complete, Lapse::seconds(40))),
            ]
            .into_iter()
            .collect(),
            payments: [
                (read(15), payment(PaymentStatus::Pending, None)),
                (read(60), payment(PaymentStatus::Paid, Some(read(20)))),
            ]
            .into_iter()
            .collect(),
            ho: [(read(60), record)].into_iter().collect(),
            ..Entry::default()
        };
        let bytes = fold(&id, &entry, &words).unwrap();
        assert!(bytes.len() <= 200, "{}", bytes.len());
        assert_eq!(unfold(&id, &bytes, &words), Some(entry));
    }

    #[test]
    fn every_field_of_every_row_comes_back() {
        let mut words = Words::default();
        let id: OrderId = "ORD-1".into();
        for entry in [full(&mut words), Entry::default()] {
            let bytes = fold(&id, &entry, &words).unwrap();
            assert_eq!(unfold(&id, &bytes, &words), Some(entry));
            for n in 0..bytes.len() {
                assert_eq!(unfold(&id, &bytes[..n], &words), None, "cut at {n}");
            }
        }
    }
}
