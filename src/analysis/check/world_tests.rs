//! A small world for the rules: one hour, minute by minute, and only what a case puts into it.

use super::*;
use crate::model::batch::Samples;
use crate::model::database::{Counters, DbSample, States};
use crate::model::health::{Health, State};
use crate::model::incident::{Incident, Limit, SourceCard, SourceKind};
use crate::model::log::{Level, LogLine};
use crate::model::order::{
    Asked, Attributes, Callback, HoPayment, Ledger, Order, OrderEvent, OrderId, OrderStatus, Payment, PaymentStatus,
    Rows,
};
use crate::model::{Batch, Fact, Lapse, Zone};
use crate::note::parse::parse;
use std::ops::Range;

/// 19:00 WIB on 12 January 2025.
pub const T0: Stamp = Stamp(1_736_683_200_000_000);
const WEEK: Lapse = Lapse::hours(7 * 24);
/// Minute in which orders are born.
pub const BORN: i64 = 5;

/// The store being filled.
pub struct World {
    store: Store,
    incident: Incident,
    seq: u64,
}

pub fn minute(m: i64) -> Stamp {
    T0 + Lapse::minutes(m)
}

fn id(i: usize) -> OrderId {
    format!("ORD-{i:04}").as_str().into()
}

fn payment_of(i: usize) -> std::sync::Arc<str> {
    format!("UPG-{i:04}").as_str().into()
}

impl World {
    pub fn new() -> Self {
        let window = Span::new(T0, minute(60));
        let mut incident = Incident::unnamed(Zone::wib());
        incident.window = Some(window);
        incident.baseline = Some(window.moved(Lapse(-WEEK.0)));
        let card = |name: &str, kind| SourceCard { name: name.into(), kind, what: "".into(), every: None };
        incident.sources = vec![card("mrg", SourceKind::Database), card("logs", SourceKind::Logs)];
        Self { store: Store::default(), incident, seq: 0 }
    }

    fn put(&mut self, source: &str, facts: Vec<Fact>) {
        self.seq += 1;
        self.store.apply(&Batch { source: source.into(), seq: self.seq, seen: minute(60), facts });
    }

    /// Checks everything at the end of the hour.
    pub fn check(&mut self) -> Findings {
        self.check_note(crate::simulator::NOTE)
    }
    /// The same with another note.
    pub fn check_note(&mut self, note: &str) -> Findings {
        let incident = Box::new(self.incident.clone());
        self.put("people", vec![Fact::Incident(incident)]);
        findings(&self.store, &parse("n.md", note), Span::new(T0, minute(60)), minute(60))
    }
    /// A file over the rules.
    pub fn rules(&mut self, text: &str) {
        let file = crate::model::incident::RuleFile { name: "mine.toml".into(), text: text.into() };
        self.incident.rule_files = vec![file];
    }

    fn points(&mut self, name: &str, minutes: Range<i64>, value: f64, moved: Lapse) {
        let at = |m: i64| Samples { at: minute(m) + moved, values: vec![(name.into(), value)] };
        let facts = minutes.map(|m| Fact::Samples(at(m))).collect();
        self.put("metrics", facts);
    }
    /// A value each minute of a stretch of the hour.
    pub fn series(&mut self, name: &str, minutes: Range<i64>, value: f64) {
        self.points(name, minutes, value, Lapse::ZERO);
    }
    /// The same value all hour.
    pub fn all(&mut self, name: &str, value: f64) {
        self.series(name, 0..61, value);
    }
    /// The value a week ago.
    pub fn usual(&mut self, name: &str, value: f64) {
        self.points(name, 0..60, value, Lapse(-WEEK.0));
    }
    pub fn limit(&mut self, name: &str, value: f64, series: &str) {
        self.incident.limits.push(Limit {
            name: name.into(),
            value,
            series: series.into(),
            unit: None,
            of: String::new(),
        });
    }

    fn line(m: i64, order: Option<OrderId>, message: &str) -> LogLine {
        LogLine {
            at: minute(m),
            service: "mrg-api-1".into(),
            level: Level::Error,
            order,
            trace: None,
            message: message.into(),
            stack: Vec::new(),
        }
    }
    /// A line in each minute of a stretch.
    pub fn lines(&mut self, minutes: Range<i64>, message: &str) {
        let lines = minutes.map(|m| Self::line(m, None, message)).collect();
        self.put("logs", vec![Fact::Lines(lines)]);
    }
    /// A line of each of some orders.
    pub fn said(&mut self, orders: Range<usize>, message: &str) {
        let lines = orders.map(|i| Self::line(BORN + 1, Some(id(i)), message)).collect();
        self.put("logs", vec![Fact::Lines(lines)]);
    }

    pub fn ask(&mut self, rows: Rows) {
        let asked = Asked::Window(Span::new(T0, minute(60)));
        self.put("mrg", vec![Fact::Ledger(Ledger { asof: minute(60), asked, rows })]);
    }
    /// Orders that hang since `BORN`.
    pub fn stuck(&mut self, n: usize) {
        let order = |i| Order {
            order_id: id(i),
            created_at: minute(BORN) + Lapse::seconds(i as i64),
            status: OrderStatus::Active,
            amount: Some(100_000),
            payment_method: None,
            region: None,
            service_type: None,
            saga_step: None,
            trace_id: None,
            updated_at: None,
            version: None,
            attributes: Attributes::default(),
        };
        self.ask(Rows::Orders((0..n).map(order).collect()));
    }
    pub fn paid(&mut self, orders: Range<usize>) {
        let payment = |i| Payment {
            upg_ref: payment_of(i),
            order_id: id(i),
            amount: Some(100_000),
            status: PaymentStatus::Paid,
            created_at: minute(BORN + 1),
            settled_at: Some(minute(BORN + 2)),
            payment_method: None,
            gateway_ref: None,
            gateway_ms: None,
            idempotency_key: None,
        };
        self.ask(Rows::Payments(orders.map(payment).collect()));
    }
    pub fn recorded(&mut self, orders: Range<usize>) {
        let record = |i| HoPayment {
            ho_ref: format!("HO-{i}").as_str().into(),
            upg_ref: Some(payment_of(i)),
            order_id: Some(id(i)),
            amount: Some(100_000),
            recorded_at: minute(BORN + 3),
            business_date: None,
        };
        self.ask(Rows::HoPayments(orders.map(record).collect()));
    }
    pub fn called_back(&mut self, orders: Range<usize>, status: i32) {
        let callback = |i| Callback {
            order_id: Some(id(i)),
            upg_ref: Some(payment_of(i)),
            attempt: 1,
            sent_at: minute(BORN + 3),
            http_status: Some(status),
            target: None,
            duration_ms: None,
            next_attempt_at: None,
            dead: None,
        };
        self.ask(Rows::Callbacks(orders.map(callback).collect()));
    }
    /// Two transitions of each order, the second `to` by `actor` with `version`.
    pub fn moved(&mut self, orders: Range<usize>, from: &str, to: &str, second: (Option<&str>, Option<i64>)) {
        let event = |i: usize, n: i64, to: &str, actor: Option<&str>, version| OrderEvent {
            order_id: id(i),
            at: minute(BORN + 1) + Lapse::millis(50 * n),
            from: None,
            to: to.into(),
            actor: actor.map(Into::into),
            version,
        };
        let first = second.1.map(|_| 1);
        let rows = orders
            .flat_map(|i| [event(i, 0, from, second.0.map(|_| "mrg"), first), event(i, 1, to, second.0, second.1)]);
        self.ask(Rows::OrderEvents(rows.collect()));
    }

    /// A look each minute of a stretch: used of 100 usable connections, waiting for locks, rollbacks and
    /// deadlocks of each 1,000 transactions.
    pub fn looks(&mut self, minutes: Range<i64>, used: u32, waiting: u32, rolled_back: i64, deadlocks: i64) {
        self.looks_moved(minutes, (used, waiting), (rolled_back, deadlocks), Lapse::ZERO);
    }
    pub fn usual_looks(&mut self, rolled_back: i64) {
        self.looks_moved(0..60, (30, 0), (rolled_back, 0), Lapse(-WEEK.0));
    }
    fn looks_moved(&mut self, minutes: Range<i64>, sessions: (u32, u32), counts: (i64, i64), moved: Lapse) {
        let look = |m: i64| DbSample {
            at: minute(m) + moved,
            version: 150_018,
            max_connections: 103,
            reserved: 3,
            states: States {
                running: 10,
                lock_waiting: sessions.1,
                idle: sessions.0 - 10 - sessions.1,
                ..States::default()
            },
            counters: Some(Counters {
                commits: 1_000 * m,
                rollbacks: counts.0 * m,
                deadlocks: counts.1 * m,
                ..Counters::default()
            }),
            ..DbSample::default()
        };
        let facts = minutes.map(|m| Fact::Database(Box::new(look(m)))).collect();
        self.put("mrg", facts);
    }
    /// The database turns us away.
    pub fn refuse(&mut self, m: i64) {
        let health = Health {
            at: minute(m),
            state: State::Down,
            code: "53300".into(),
            says: Untrusted::default(),
            remedy: Untrusted::default(),
            next: None,
        };
        self.put("mrg", vec![Fact::Health(health)]);
    }
}
