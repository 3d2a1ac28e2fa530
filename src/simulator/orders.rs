//! Orders of the evening: each with its way through MRG, UPG, the Orchestrator and HO, decided when the
//! demo opens and told as the ledgers would tell it.

use super::lines::{Script, Told};
use super::story::{self, END, START, breaker_open, crowd, harm};
use crate::model::order::{
    Asked, Callback, HoPayment, Ledger, Order, OrderEvent, OrderId, OrderStatus, Payment, PaymentStatus, Rows,
};
use crate::model::{Fact, Lapse, Span, Stamp};
use std::sync::Arc;

/// How an order ends, which is all the difference between classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Paid, recorded, complete.
    Fine,
    /// The payment failed, and the order with it.
    PaymentFailed,
    /// Nobody paid; it expired in time.
    Expired,
    /// Charged; the saga stopped before RECORD.
    PaidNeverSent,
    /// Stopped before any money moved.
    Unpaid,
    /// The gateway never answered.
    Pending,
    /// Charged; HO never said 2xx.
    CallbackFailed,
    /// Charged and recorded; only the order's state is wrong.
    Recorded,
    /// Expired, and charged afterwards.
    FailedButCharged,
    /// Complete, but HO has nothing.
    CompleteNotAtHo,
    /// Charged twice by a retry.
    ChargedTwice,
}

impl Fate {
    const fn stuck(self) -> bool {
        matches!(self, Self::PaidNeverSent | Self::Unpaid | Self::Pending | Self::CallbackFailed | Self::Recorded)
    }
}

/// Rows in the order the systems wrote them, and how far each has been read.
#[derive(Debug)]
struct Feed<T> {
    rows: Vec<(Stamp, T)>,
    read: usize,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), read: 0 }
    }
}

impl<T: Clone> Feed<T> {
    fn add(&mut self, at: Stamp, row: T) {
        self.rows.push((at, row));
    }
    fn sort(&mut self) {
        self.rows.sort_by_key(|(at, _)| *at);
    }
    fn until(&mut self, at: Stamp) -> Vec<T> {
        let end = self.rows.partition_point(|(t, _)| *t <= at);
        let rows = self.rows[self.read..end.max(self.read)].iter().map(|(_, r)| r.clone()).collect();
        self.read = end.max(self.read);
        rows
    }
}

/// All orders of the evening.
#[derive(Debug, Default)]
pub struct Desk {
    orders: Feed<Order>,
    events: Feed<OrderEvent>,
    payments: Feed<Payment>,
    callbacks: Feed<Callback>,
    books: Feed<HoPayment>,
    told: Vec<Told>,
    first_stuck: Option<OrderId>,
    references: u32,
}

const METHODS: [(&str, u32); 5] = [("VA BCA", 34), ("QRIS", 26), ("CARD", 19), ("EWALLET", 14), ("VA BRI", 7)];
const REGIONS: [(&str, u32); 6] = [("JKT", 38), ("BDG", 17), ("SBY", 16), ("MDN", 11), ("DPS", 9), ("SMG", 9)];
const SERVICES: [(&str, u32); 3] = [("DELIVERY", 43), ("DINE-IN", 32), ("PICKUP", 25)];
const AMOUNTS: [i64; 11] =
    [38_500, 74_500, 95_500, 112_000, 143_750, 186_000, 241_500, 318_250, 412_500, 529_000, 1_204_000];

fn pick<'a>(from: &[(&'a str, u32)], rng: &mut fastrand::Rng) -> &'a str {
    let mut n = rng.u32(0..from.iter().map(|(_, w)| w).sum());
    for (name, weight) in from {
        if n < *weight {
            return name;
        }
        n -= weight;
    }
    from[0].0
}

impl Desk {
    /// Decides the evening.
    pub fn open(rng: &mut fastrand::Rng) -> Self {
        let mut desk = Self { references: 77_410_000, ..Self::default() };
        let mut number = 5_118_000_u32;
        let mut minute = START;
        while minute < END {
            let births = (168.0 + 66.0 * crowd(minute).max(0.0) + 14.0 * (rng.f64() - 0.5)) as u32;
            let mut born: Vec<i64> = (0..births).map(|_| rng.i64(0..60_000)).collect();
            born.sort_unstable();
            for ms in born {
                number += 1;
                desk.order(number, minute + Lapse::millis(ms), rng);
            }
            minute = minute + Lapse::minutes(1);
        }
        desk.orders.sort();
        desk.events.sort();
        desk.payments.sort();
        desk.callbacks.sort();
        desk.books.sort();
        desk.told.sort_by_key(|t| t.at);
        desk
    }

    /// The order that hung first.
    pub fn first_stuck(&self) -> Option<OrderId> {
        self.first_stuck.clone()
    }

    /// Callbacks to HO sent in a stretch, and those HO acknowledged.
    pub fn callbacks(&self, from: Stamp, to: Stamp) -> (usize, usize) {
        let a = self.callbacks.rows.partition_point(|(t, _)| *t < from);
        let b = self.callbacks.rows.partition_point(|(t, _)| *t < to);
        let rows = &self.callbacks.rows[a..b.max(a)];
        (rows.len(), rows.iter().filter(|(_, c)| c.http_status == Some(200)).count())
    }

    /// Log lines that orders leave behind in a stretch.
    pub fn told(&self, span: Span) -> &[Told] {
        let a = self.told.partition_point(|t| t.at < span.from);
        let b = self.told.partition_point(|t| t.at < span.to);
        &self.told[a..b.max(a)]
    }

    /// What the database of that name answers about orders at `at`: rows written since it was last asked.
    pub fn answers(&mut self, database: &str, at: Stamp) -> Vec<Fact> {
        let asked = Asked::Window(Span::new(START, at));
        let ledger = |rows| Fact::Ledger(Ledger { asof: at, asked: asked.clone(), rows });
        match database {
            "mrg" => vec![ledger(Rows::Orders(self.orders.until(at)))],
            "orch" => vec![ledger(Rows::OrderEvents(self.events.until(at)))],
            "upg" => {
                vec![ledger(Rows::Payments(self.payments.until(at))), ledger(Rows::Callbacks(self.callbacks.until(at)))]
            }
            "ho" => vec![ledger(Rows::HoPayments(self.books.until(at)))],
            _ => Vec::new(),
        }
    }

    fn fate(born: Stamp, service: &str, rng: &mut fastrand::Rng) -> Fate {
        let harm = harm(born);
        let weight = if service == "DELIVERY" { 1.55 } else { 0.62 };
        if rng.f64() < 0.107 * harm * weight {
            return match rng.u32(0..1000) {
                0..445 => Fate::PaidNeverSent,
                445..880 => Fate::Unpaid,
                880..955 => Fate::Pending,
                955..983 => Fate::CallbackFailed,
                _ => Fate::Recorded,
            };
        }
        let x = rng.f64();
        if x < 0.0011 * harm {
            return Fate::FailedButCharged;
        }
        if x < 0.0019 * harm {
            return Fate::CompleteNotAtHo;
        }
        if x < 0.0024 * harm {
            return Fate::ChargedTwice;
        }
        match rng.u32(0..100) {
            0..3 => Fate::PaymentFailed,
            3..5 => Fate::Expired,
            _ => Fate::Fine,
        }
    }

    fn order(&mut self, number: u32, born: Stamp, rng: &mut fastrand::Rng) {
        let service = pick(&SERVICES, rng);
        let fate = Self::fate(born, service, rng);
        let id: OrderId = format!("ORD-{number}").into();
        let amount = AMOUNTS[rng.usize(..AMOUNTS.len())];
        let base = Order {
            order_id: id.clone(),
            created_at: born,
            status: OrderStatus::Active,
            amount: Some(amount),
            payment_method: Some(pick(&METHODS, rng).into()),
            region: Some(pick(&REGIONS, rng).into()),
            service_type: Some(service.into()),
            saga_step: Some("RESERVE".into()),
            trace_id: None,
            updated_at: Some(born),
        };
        let slow = 1.0 + 2.2 * story::pressure(born) * crowd(born).max(0.1);
        let paid = born + Lapse::millis((f64::from(rng.u32(7_000..32_000)) * slow) as i64);
        let mut life = Life { desk: self, base, born, paid, slow, rng };
        life.open(fate);
        life.run(fate);
        if fate.stuck() && self.first_stuck.is_none() {
            self.first_stuck = Some(id);
        }
    }

    fn reference(&mut self) -> Arc<str> {
        self.references += 7;
        format!("UPG-{}", self.references).into()
    }
}

/// One order while it is being decided.
struct Life<'a> {
    desk: &'a mut Desk,
    base: Order,
    born: Stamp,
    paid: Stamp,
    slow: f64,
    rng: &'a mut fastrand::Rng,
}

impl Life<'_> {
    fn row(&mut self, at: Stamp, status: OrderStatus, step: &str) {
        let row = Order { status, saga_step: Some(step.into()), updated_at: Some(at), ..self.base.clone() };
        self.desk.orders.add(at, row);
    }

    fn step(&mut self, at: Stamp, to: &str) {
        let order_id = self.base.order_id.clone();
        let actor = Some("orchestrator".into());
        self.desk.events.add(at, OrderEvent { order_id, at, from: None, to: to.into(), actor, version: None });
    }

    fn tell(&mut self, at: Stamp, script: Script) {
        self.desk.told.push(Told { at, order: self.base.order_id.clone(), script });
    }

    /// Born, and the saga's first steps; only orders that go wrong keep their transitions.
    fn open(&mut self, fate: Fate) {
        let reserved = self.born + Lapse::millis((320.0 * self.slow) as i64 + self.rng.i64(0..600));
        self.row(self.born, OrderStatus::Active, "CREATE");
        if fate != Fate::Fine {
            let created = self.born + Lapse::millis(self.rng.i64(40..190));
            self.step(created, "CREATE");
            self.step(reserved, "RESERVE");
        }
        if self.rng.u32(0..10) == 0 {
            self.tell(self.born, Script::Created);
        }
    }

    /// A payment in its final state, after it was begun; gives its reference.
    fn payment(&mut self, status: PaymentStatus, at: Stamp) -> Arc<str> {
        let upg_ref = self.desk.reference();
        let begun = self.born + Lapse::millis(900 + self.rng.i64(0..900));
        let row = Payment {
            upg_ref: upg_ref.clone(),
            order_id: self.base.order_id.clone(),
            amount: self.base.amount.unwrap_or_default(),
            status: PaymentStatus::Pending,
            created_at: begun,
            settled_at: None,
            payment_method: self.base.payment_method.clone(),
        };
        self.desk.payments.add(begun, row.clone());
        if status != PaymentStatus::Pending {
            let settled_at = (status == PaymentStatus::Paid).then_some(at);
            self.desk.payments.add(at, Payment { status, settled_at, ..row });
        }
        upg_ref
    }

    fn callback(&mut self, upg_ref: &Arc<str>, attempt: i32, at: Stamp, http_status: Option<i32>) {
        let row = Callback {
            order_id: Some(self.base.order_id.clone()),
            upg_ref: Some(upg_ref.clone()),
            attempt,
            sent_at: at,
            http_status,
            target: Some("HO".into()),
        };
        self.desk.callbacks.add(at, row);
    }

    fn book(&mut self, upg_ref: &Arc<str>, at: Stamp) {
        let row = HoPayment {
            ho_ref: format!("HO-{}", &upg_ref[4..]).into(),
            upg_ref: Some(upg_ref.clone()),
            order_id: Some(self.base.order_id.clone()),
            amount: self.base.amount.unwrap_or_default(),
            recorded_at: at,
        };
        self.desk.books.add(at, row);
    }

    /// Tells HO, sometimes twice, and has it in the books a second later.
    fn recorded(&mut self, upg_ref: &Arc<str>) -> Stamp {
        let mut sent = self.paid + Lapse::millis((2_400.0 * self.slow) as i64);
        let trouble = if harm(sent) > 0.0 { 0.018 } else { 0.001 };
        let mut attempt = 1;
        if self.rng.f64() < trouble {
            self.callback(upg_ref, attempt, sent, Some(503));
            self.tell(sent, Script::CallbackFailed(attempt));
            sent = sent + Lapse::seconds(30);
            attempt += 1;
        }
        self.callback(upg_ref, attempt, sent, Some(200));
        let booked = sent + Lapse::millis(self.rng.i64(400..1_300));
        self.book(upg_ref, booked);
        booked
    }

    fn run(&mut self, fate: Fate) {
        match fate {
            Fate::Fine => {
                let upg_ref = self.payment(PaymentStatus::Paid, self.paid);
                let booked = self.recorded(&upg_ref);
                self.row(booked + Lapse::millis(600), OrderStatus::Complete, "COMPLETE");
                if self.rng.u32(0..10) == 0 {
                    self.tell(self.paid, Script::Paid);
                }
            }
            Fate::PaymentFailed => {
                self.payment(PaymentStatus::Failed, self.paid);
                self.row(self.paid + Lapse::seconds(1), OrderStatus::Failed, "PAY");
                self.tell(self.paid, Script::PaymentRefused);
            }
            Fate::Expired => self.row(self.born + Lapse::minutes(10), OrderStatus::Expired, "RESERVE"),
            Fate::PaidNeverSent => {
                self.payment(PaymentStatus::Paid, self.paid);
                let known = self.paid + Lapse::millis(self.rng.i64(20..60));
                self.step(known, "PAY");
                self.row(self.paid + Lapse::millis(80), OrderStatus::Active, "PAY");
                self.gave_up(self.paid, "RECORD");
            }
            Fate::Unpaid => self.gave_up(self.born + Lapse::millis(1_300), "PAY"),
            Fate::Pending => {
                self.payment(PaymentStatus::Pending, self.paid);
                if self.rng.u32(0..10) < 6 {
                    self.tell(self.paid + Lapse::seconds(10), Script::GatewayDeadline);
                }
            }
            Fate::CallbackFailed => {
                let upg_ref = self.payment(PaymentStatus::Paid, self.paid);
                self.step(self.paid + Lapse::millis(40), "PAY");
                for attempt in 1..=4 {
                    let at = self.paid + Lapse::seconds(3) + Lapse::seconds(i64::from(1 << (2 * attempt)));
                    let status = if attempt % 2 == 0 { None } else { Some(503) };
                    self.callback(&upg_ref, attempt, at, status);
                    self.tell(at, Script::CallbackFailed(attempt));
                }
            }
            Fate::Recorded => {
                let upg_ref = self.payment(PaymentStatus::Paid, self.paid);
                self.step(self.paid + Lapse::millis(40), "PAY");
                let booked = self.recorded(&upg_ref);
                self.step(booked, "RECORD");
                self.gave_up(booked, "COMPLETE");
            }
            Fate::FailedButCharged => {
                self.row(self.born + Lapse::minutes(10), OrderStatus::Expired, "RESERVE");
                self.paid = self.born + Lapse::minutes(10) + Lapse::seconds(self.rng.i64(20..200));
                self.payment(PaymentStatus::Paid, self.paid);
            }
            Fate::CompleteNotAtHo => {
                let upg_ref = self.payment(PaymentStatus::Paid, self.paid);
                self.callback(&upg_ref, 1, self.paid + Lapse::seconds(3), Some(502));
                self.row(self.paid + Lapse::seconds(5), OrderStatus::Complete, "COMPLETE");
            }
            Fate::ChargedTwice => {
                let first = self.payment(PaymentStatus::Paid, self.paid);
                self.payment(PaymentStatus::Paid, self.paid + Lapse::millis(1_700));
                let booked = self.recorded(&first);
                self.row(booked + Lapse::millis(600), OrderStatus::Complete, "COMPLETE");
            }
        }
    }

    /// Three attempts that find no connection, five seconds each; seven of ten leave their lines.
    fn gave_up(&mut self, from: Stamp, step: &'static str) {
        let kept = self.rng.u32(0..10) < 7 || self.desk.first_stuck.is_none();
        if !kept {
            return;
        }
        let mut at = from;
        for attempt in 1..=3 {
            at = at + Lapse::millis(5_000 + self.rng.i64(4..520));
            if attempt == 1 && breaker_open(at) && self.rng.u32(0..10) < 4 {
                self.tell(at - Lapse::millis(900), Script::BreakerOpen);
            }
            if attempt == 3 && self.rng.u32(0..10) < 4 {
                self.tell(at, Script::StateDeadline);
            } else {
                self.tell(at, Script::AcquireTimeout { step, attempt });
            }
        }
        self.tell(at + Lapse::millis(2), Script::GaveUp { step });
    }
}
