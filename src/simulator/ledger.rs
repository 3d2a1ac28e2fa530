//! The platform's day as the four systems' tables have it: rows of orders, transitions, payments, callbacks and
//! Head Office's records, each at the instant it was written.
//!
//! May not know: databases, files, the screen. A system's clock that lies lies in its rows too.

use super::day::Day;
use super::platform::life::{Life, METHODS, Moved, NO_PAYMENT, Paid, REGIONS, SERVICES, Status, Step};
use super::platform::{History, agenda::Ms, agenda::OrderNo, agenda::PaymentNo, stamp};
use crate::model::order::{
    Attributes, Callback, HoPayment, Order, OrderEvent, OrderId, OrderStatus, Payment, PaymentStatus,
};
use crate::model::{Lapse, Stamp};
use std::sync::Arc;

/// Reads rows out of a day.
#[derive(Debug)]
pub struct Ledger {
    day: Arc<Day>,
    methods: Vec<Arc<str>>,
    regions: Vec<Arc<str>>,
    services: Vec<Arc<str>>,
    steps: Vec<Arc<str>>,
    orchestrator: Arc<str>,
    poller: Arc<str>,
    ho: Arc<str>,
    ahead_upg: Lapse,
    ahead_ho: Lapse,
    ahead_mrg: Lapse,
    ahead_orch: Lapse,
}

/// Something that is written into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// An order's row as it was after a step.
    Order(OrderNo, Status, Step),
    /// A transition of its saga.
    Step(OrderNo, Step),
    /// A change of its status: index into the history's.
    Moved(usize),
    /// A payment when it was begun.
    Begun(PaymentNo),
    /// A payment when it became what it is.
    Settled(PaymentNo),
    /// An attempt to tell Head Office: index into the history's.
    Told(usize),
    /// A record of Head Office: index into the history's.
    Booked(usize),
}

const STEPS: [Step; 5] = [Step::Create, Step::Reserve, Step::Pay, Step::Record, Step::Complete];

/// What an order's identifier begins with; its number follows.
pub const ORDER: &str = "ORD-";
/// What a reference of UPG begins with; the payment's [`reference()`] follows.
pub const UPG: &str = "UPG-";
/// The same for Head Office.
pub const HO: &str = "HO-";

/// The number of an order as the tables have it.
pub fn order_id(life: &Life) -> String {
    format!("{ORDER}{}", life.number)
}

/// A payment's number, in UPG's reference and in Head Office's.
pub const fn reference(payment: PaymentNo) -> u64 {
    77_410_000 + payment as u64 * 7
}

/// The reference of a payment at UPG.
pub fn upg_ref(payment: PaymentNo) -> String {
    format!("{UPG}{}", reference(payment))
}

/// The reference of its record at Head Office.
pub fn ho_ref(payment: PaymentNo) -> String {
    format!("{HO}{}", reference(payment))
}

/// A status as MRG's table has it; none for an order that never had a row.
pub const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Refused => "",
        Status::Active => "ACTIVE",
        Status::Complete => "COMPLETE",
        Status::Failed => "FAILED",
        Status::Expired => "EXPIRED",
    }
}

impl Ledger {
    /// The tables of a day.
    pub fn new(day: Arc<Day>) -> Self {
        let arcs = |names: &[(&str, u32)]| names.iter().map(|(n, _)| Arc::from(*n)).collect();
        let ahead = |system| Lapse::millis(day.scenario.ahead(system));
        Self {
            methods: arcs(&METHODS),
            regions: arcs(&REGIONS),
            services: arcs(&SERVICES),
            steps: STEPS.iter().map(|s| Arc::from(s.name())).collect(),
            orchestrator: "orchestrator".into(),
            poller: "poller".into(),
            ho: "HO".into(),
            ahead_upg: ahead("upg"),
            ahead_ho: ahead("ho"),
            ahead_mrg: ahead("mrg"),
            ahead_orch: ahead("orchestrator"),
            day,
        }
    }

    fn history(&self) -> &History {
        &self.day.history
    }

    fn life(&self, order: OrderNo) -> &Life {
        &self.history().lives[order as usize]
    }

    /// Whose row something is about.
    pub fn order_of(&self, write: Write) -> OrderNo {
        let h = self.history();
        match write {
            Write::Order(order, _, _) | Write::Step(order, _) => order,
            Write::Moved(i) => h.moved[i].order,
            Write::Begun(p) | Write::Settled(p) => h.payments[p as usize].order,
            Write::Told(i) => h.payments[h.told[i].payment as usize].order,
            Write::Booked(i) => h.payments[h.booked[i].payment as usize].order,
        }
    }

    fn id(&self, order: OrderNo) -> OrderId {
        order_id(self.life(order)).into()
    }

    /// Everything that was written from one instant up to another, in order of time. Transitions are kept of
    /// orders that went wrong; of the others their end alone.
    pub fn writes(&self, from: Ms, to: Ms) -> Vec<(Ms, Write)> {
        let within = |at: Ms| from <= at && at < to;
        let mut out = Vec::new();
        let mut put = |at: Ms, what: Write| {
            if within(at) {
                out.push((at, what));
            }
        };
        for (i, life) in self.history().lives.iter().enumerate() {
            if !self.day.holds(life) {
                continue;
            }
            let order = i as OrderNo;
            put(life.born, Write::Order(order, Status::Active, Step::Create));
            if let Some((_, _)) = life.gave_up {
                for step in STEPS.into_iter().take_while(|s| *s <= life.step) {
                    if let Some(at) = life.done_at(step) {
                        put(at, Write::Step(order, step));
                        if step == life.step && step != Step::Create {
                            put(at, Write::Order(order, Status::Active, step));
                        }
                    }
                }
            }
        }
        for (i, moved) in self.history().moved.iter().enumerate() {
            put(moved.at, Write::Moved(i));
            put(moved.at, Write::Order(moved.order, moved.to, step_after(moved)));
        }
        for (i, p) in self.history().payments.iter().enumerate() {
            put(p.created, Write::Begun(i as PaymentNo));
            if p.settled > 0 {
                put(p.settled, Write::Settled(i as PaymentNo));
            }
        }
        for (i, t) in self.history().told.iter().enumerate() {
            put(t.sent + Ms::from(t.took), Write::Told(i));
        }
        for (i, b) in self.history().booked.iter().enumerate() {
            put(b.at, Write::Booked(i));
        }
        out.retain(|(_, write)| self.day.holds(self.life(self.order_of(*write))));
        out.sort_by_key(|(at, _)| *at);
        out
    }

    /// An order's row.
    pub fn order(&self, order: OrderNo, at: Ms, status: Status, step: Step) -> Order {
        let life = self.life(order);
        Order {
            order_id: self.id(order),
            created_at: stamp(life.born) + self.ahead_mrg,
            status: match status {
                Status::Refused | Status::Active => OrderStatus::Active,
                Status::Complete => OrderStatus::Complete,
                Status::Failed => OrderStatus::Failed,
                Status::Expired => OrderStatus::Expired,
            },
            amount: Some(i64::from(life.amount)),
            payment_method: Some(self.methods[usize::from(life.method)].clone()),
            region: Some(self.regions[usize::from(life.region)].clone()),
            service_type: Some(self.services[usize::from(life.service)].clone()),
            saga_step: Some(self.steps[step as usize].clone()),
            trace_id: None,
            updated_at: Some(stamp(at) + self.ahead_mrg),
            version: None,
            attributes: Attributes::default(),
        }
    }

    /// A transition of a saga.
    pub fn step(&self, order: OrderNo, step: Step, at: Ms) -> OrderEvent {
        OrderEvent {
            order_id: self.id(order),
            at: stamp(at) + self.ahead_orch,
            from: None,
            to: self.steps[step as usize].clone(),
            actor: Some(self.orchestrator.clone()),
            version: None,
        }
    }

    /// A change of status.
    pub fn change(&self, i: usize) -> OrderEvent {
        let moved = &self.history().moved[i];
        OrderEvent {
            order_id: self.id(moved.order),
            at: stamp(moved.at) + self.ahead_orch,
            from: Some(status_name(moved.from).into()),
            to: status_name(moved.to).into(),
            actor: Some(if moved.poller { self.poller.clone() } else { self.orchestrator.clone() }),
            version: Some(i64::from(moved.version)),
        }
    }

    /// A payment's row, before or after it settled.
    pub fn payment(&self, payment: PaymentNo, settled: bool) -> Payment {
        let p = &self.history().payments[payment as usize];
        let life = self.life(p.order);
        let status = match (settled, p.paid) {
            (true, Paid::Paid) => PaymentStatus::Paid,
            (true, Paid::Failed) => PaymentStatus::Failed,
            _ => PaymentStatus::Pending,
        };
        Payment {
            upg_ref: upg_ref(payment).into(),
            order_id: self.id(p.order),
            amount: Some(i64::from(life.amount)),
            settled_at: (status == PaymentStatus::Paid).then(|| stamp(p.settled) + self.ahead_upg),
            status,
            created_at: stamp(p.created) + self.ahead_upg,
            payment_method: Some(self.methods[usize::from(life.method)].clone()),
            gateway_ref: None,
            gateway_ms: None,
            idempotency_key: None,
        }
    }

    /// An attempt to tell Head Office.
    pub fn told(&self, i: usize) -> Callback {
        let t = &self.history().told[i];
        Callback {
            order_id: Some(self.id(self.history().payments[t.payment as usize].order)),
            upg_ref: Some(upg_ref(t.payment).into()),
            attempt: i32::from(t.attempt),
            sent_at: stamp(t.sent) + self.ahead_upg,
            http_status: (t.http > 0).then(|| i32::from(t.http)),
            target: Some(self.ho.clone()),
            duration_ms: None,
            next_attempt_at: None,
            dead: None,
        }
    }

    /// A record of Head Office.
    pub fn booked(&self, i: usize) -> HoPayment {
        let b = &self.history().booked[i];
        let order = self.history().payments[b.payment as usize].order;
        HoPayment {
            ho_ref: ho_ref(b.payment).into(),
            upg_ref: Some(upg_ref(b.payment).into()),
            order_id: Some(self.id(order)),
            amount: Some(i64::from(self.life(order).amount)),
            recorded_at: stamp(b.at) + self.ahead_ho,
            business_date: None,
        }
    }

    /// Head Office's business day of a record: by its own clock, in WIB.
    pub fn business_date(&self, at: Ms) -> Stamp {
        stamp(at) + self.ahead_ho
    }
}

/// Which step an order's row names after a change of its status.
pub fn step_after(moved: &Moved) -> Step {
    match moved.to {
        Status::Complete => Step::Complete,
        Status::Active => Step::Record,
        Status::Failed | Status::Expired | Status::Refused => Step::Pay,
    }
}

/// The order's first payment, when it has one.
pub fn first_payment(life: &Life) -> Option<PaymentNo> {
    (life.payment != NO_PAYMENT).then_some(life.payment)
}
