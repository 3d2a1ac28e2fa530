//! Orders, payments and the books: rows as the operator's SQL returns them, by role.
//!
//! Money is integer rupiah. Identifiers are text and join exactly; a join by amount and time is never made.

pub use crate::model::attributes::Attributes;
use crate::model::{Span, Stamp, Untrusted};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An order's identifier.
pub type OrderId = Arc<str>;

/// What a configured query answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The orders themselves (MRG or the Orchestrator).
    Orders,
    /// Their transitions.
    OrderEvents,
    /// Payments at UPG.
    Payments,
    /// Callbacks to HO or the Orchestrator.
    Callbacks,
    /// Records at Head Office.
    HoPayments,
    /// Counts of orders by minute and status, cheap enough for a panel.
    OrdersAgg,
    /// Steps of the sagas, with their attempts.
    Saga,
    /// How many callbacks wait at UPG.
    CallbackQueue,
}

/// All of them, in the order in which they are asked.
pub const ROLES: [Role; 8] = [
    Role::Orders,
    Role::OrderEvents,
    Role::Payments,
    Role::Callbacks,
    Role::HoPayments,
    Role::OrdersAgg,
    Role::Saga,
    Role::CallbackQueue,
];

impl Role {
    /// Its name in the configuration and in sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::OrderEvents => "order_events",
            Self::Payments => "payments",
            Self::Callbacks => "callbacks",
            Self::HoPayments => "ho_payments",
            Self::OrdersAgg => "orders_agg",
            Self::Saga => "saga",
            Self::CallbackQueue => "callback_queue",
        }
    }
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Made, not started.
    Created,
    /// Under way; for too long it is an order gantung.
    Active,
    /// Done.
    Complete,
    /// Ended without success.
    Failed,
    /// Ended by somebody.
    Cancelled,
    /// Ended by time.
    Expired,
    /// A word the map does not know.
    Other(String),
}

/// Where a payment stands at UPG.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Begun.
    Initiated,
    /// The gateway has not answered.
    Pending,
    /// Reserved, not taken.
    Authorized,
    /// Money moved.
    Paid,
    /// Money went back.
    Refunded,
    /// Ended without money.
    Failed,
    /// A word the map does not know.
    Other(String),
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Identifier.
    pub order_id: OrderId,
    /// Birth, by the order system's clock.
    pub created_at: Stamp,
    /// Status.
    pub status: OrderStatus,
    /// Rupiah.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// `VA BCA`, `QRIS`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Arc<str>>,
    /// `JKT`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Arc<str>>,
    /// `DELIVERY`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<Arc<str>>,
    /// Last step of the saga, when the table says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saga_step: Option<Arc<str>>,
    /// Trace, for the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Arc<str>>,
    /// Last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Stamp>,
    /// Version of the row, where the system counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Columns the operator named besides: `app_version`, `pod`, `partner`, ….
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Order {
    /// An attribute by name: one of the operator's own columns, or one that every order may have.
    pub fn attribute(&self, name: &str) -> Option<&Arc<str>> {
        match name {
            "payment_method" => self.payment_method.as_ref(),
            "region" => self.region.as_ref(),
            "service_type" => self.service_type.as_ref(),
            "saga_step" => self.saga_step.as_ref(),
            _ => self.attributes.get(name),
        }
    }
}

/// A payment at UPG.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// UPG's reference.
    pub upg_ref: Arc<str>,
    /// The order it pays.
    pub order_id: OrderId,
    /// Rupiah; none when the row has none, which is not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// Status.
    pub status: PaymentStatus,
    /// Begun.
    pub created_at: Stamp,
    /// Settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Stamp>,
    /// Method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Arc<str>>,
    /// The gateway's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_ref: Option<Arc<str>>,
    /// How long the gateway took to answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_ms: Option<i64>,
    /// What should make a second attempt the same payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Arc<str>>,
}

/// A record in the books of Head Office.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoPayment {
    /// HO's reference.
    pub ho_ref: Arc<str>,
    /// UPG's reference, the first key of the join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upg_ref: Option<Arc<str>>,
    /// The order, the second key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// Rupiah; none when the row has none, which is not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// When HO wrote it.
    pub recorded_at: Stamp,
    /// The business day HO booked it on, by its own cut-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_date: Option<NaiveDate>,
}

/// One attempt to tell another system of a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Callback {
    /// The order, when the row names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// UPG's reference, when the row names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upg_ref: Option<Arc<str>>,
    /// From 1.
    pub attempt: i32,
    /// Sent.
    pub sent_at: Stamp,
    /// HTTP status; none when no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<i32>,
    /// To whom: `HO`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Arc<str>>,
    /// How long the other side took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Stamp>,
    /// Whether it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<bool>,
}

/// One transition of an order, or a step of its saga.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// The order.
    pub order_id: OrderId,
    /// When.
    pub at: Stamp,
    /// From, when the row says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Arc<str>>,
    /// To.
    pub to: Arc<str>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Arc<str>>,
    /// The row's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// Where a step of a saga stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SagaState {
    /// Begun, no answer.
    Pending,
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Undone after a failure.
    Compensated,
    /// Another word.
    Other(String),
}

/// One attempt at one step of an order's saga.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SagaStep {
    /// The order.
    pub order_id: OrderId,
    /// `RESERVE`, `PAY`, …
    pub step: Arc<str>,
    /// From 1.
    pub attempt: i32,
    /// State.
    pub state: SagaState,
    /// Since when.
    pub at: Stamp,
    /// What went wrong, when the row says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Untrusted>,
}

/// Orders of one status born in one bucket of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCount {
    /// Begin of the bucket.
    pub bucket: Stamp,
    /// Status.
    pub status: OrderStatus,
    /// How many.
    pub n: i64,
    /// Their sum in rupiah, when the row says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
}

/// What waits at UPG to be told to others, at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallbackQueue {
    /// Callbacks not accepted yet.
    pub n_pending: i64,
    /// Since when the oldest of them waits; none in an empty queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Stamp>,
    /// Given up, when the row says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_dead: Option<i64>,
}

/// The rows of one role. Rows replace earlier rows of the same key (order id, UPG reference, HO
/// reference, reference and attempt, order and instant, bucket and status, order and step and attempt).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// Orders.
    Orders(Vec<Order>),
    /// Transitions.
    OrderEvents(Vec<OrderEvent>),
    /// Payments.
    Payments(Vec<Payment>),
    /// Callbacks.
    Callbacks(Vec<Callback>),
    /// HO records.
    HoPayments(Vec<HoPayment>),
    /// Counts of orders.
    OrdersAgg(Vec<OrderCount>),
    /// Steps of sagas.
    Saga(Vec<SagaStep>),
    /// What waits at UPG.
    CallbackQueue(Vec<CallbackQueue>),
}

/// What was asked: it makes the difference between "not there" and "nobody looked".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Everything whose own time is in the span; the answer may hold only what changed since before.
    Window(Span),
    /// Everything that belongs to these orders; an id without a row has none.
    Ids(Vec<OrderId>),
}

/// An answer of one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// When the data were so, by the database's clock.
    pub asof: Stamp,
    /// What was asked.
    pub asked: Asked,
    /// What came; only rows that are new or differ from the last answer.
    pub rows: Rows,
}

impl Rows {
    /// No rows, of a role.
    pub const fn none(role: Role) -> Self {
        match role {
            Role::Orders => Self::Orders(Vec::new()),
            Role::OrderEvents => Self::OrderEvents(Vec::new()),
            Role::Payments => Self::Payments(Vec::new()),
            Role::Callbacks => Self::Callbacks(Vec::new()),
            Role::HoPayments => Self::HoPayments(Vec::new()),
            Role::OrdersAgg => Self::OrdersAgg(Vec::new()),
            Role::Saga => Self::Saga(Vec::new()),
            Role::CallbackQueue => Self::CallbackQueue(Vec::new()),
        }
    }
    /// Whose rows these are.
    pub const fn role(&self) -> Role {
        match self {
            Self::Orders(_) => Role::Orders,
            Self::OrderEvents(_) => Role::OrderEvents,
            Self::Payments(_) => Role::Payments,
            Self::Callbacks(_) => Role::Callbacks,
            Self::HoPayments(_) => Role::HoPayments,
            Self::OrdersAgg(_) => Role::OrdersAgg,
            Self::Saga(_) => Role::Saga,
            Self::CallbackQueue(_) => Role::CallbackQueue,
        }
    }
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        match self {
            Self::Orders(v) => v.is_empty(),
            Self::OrderEvents(v) => v.is_empty(),
            Self::Payments(v) => v.is_empty(),
            Self::Callbacks(v) => v.is_empty(),
            Self::HoPayments(v) => v.is_empty(),
            Self::OrdersAgg(v) => v.is_empty(),
            Self::Saga(v) => v.is_empty(),
            Self::CallbackQueue(v) => v.is_empty(),
        }
    }
}
