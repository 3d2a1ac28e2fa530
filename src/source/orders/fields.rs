//! A row of any source in our vocabulary: which values a role takes by which name, and what is wrong with
//! a row that lacks one.
//!
//! May not know: where a row comes from; [`Fields`] is all it sees of one.

use crate::config::QueryConfig;
use crate::model::Stamp;
use crate::model::order::{
    Attributes, Callback, CallbackQueue, HoPayment, Order, OrderCount, OrderEvent, OrderStatus, Payment, PaymentStatus,
    Role, Rows, SagaState, SagaStep,
};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is wrong with a query: a sentence and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The sentence, without the query's name.
    pub says: String,
    /// What to change.
    pub remedy: String,
}

impl Fault {
    /// A fault with its remedy.
    pub fn new(says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { says: says.into(), remedy: remedy.into() }
    }
}

/// Values of one row by the names of our columns. Nothing stands for NULL and for a column that is not
/// there; a value that cannot be read is a fault.
pub trait Fields {
    /// Text.
    fn text(&self, name: &str) -> Option<Arc<str>>;
    /// An instant.
    fn stamp(&self, name: &str) -> Result<Option<Stamp>, Fault>;
    /// Whole rupiah.
    fn rupiah(&self, name: &str) -> Result<Option<i64>, Fault>;
    /// A whole number.
    fn int(&self, name: &str) -> Result<Option<i64>, Fault>;
    /// Yes or no.
    fn flag(&self, name: &str) -> Option<bool>;
    /// A day.
    fn day(&self, name: &str) -> Option<NaiveDate>;
    /// The operator's further columns.
    fn attributes(&self) -> Attributes;
}

/// Rows read, with what the page needs to go on and what a person must know.
#[derive(Debug)]
pub struct Read {
    /// The rows.
    pub rows: Rows,
    /// Instant and identifier of each, in the query's order: the keys of pages.
    pub keys: Vec<(Stamp, Arc<str>)>,
    /// Status words that are not in the map.
    pub unknown: BTreeSet<String>,
}

impl Read {
    /// Nothing yet, of a role.
    pub const fn new(role: Role) -> Self {
        Self { rows: Rows::none(role), keys: Vec::new(), unknown: BTreeSet::new() }
    }

    /// Takes in one row.
    pub fn push(&mut self, f: &impl Fields, query: &QueryConfig) -> Result<(), Fault> {
        let Self { rows, keys, unknown } = self;
        let mut key = |at: Stamp, id: Arc<str>| {
            let at = query.watermark.as_ref().map_or(Ok(at), |column| need(column, f.stamp(column)?))?;
            keys.push((at, id));
            Ok::<(), Fault>(())
        };
        match rows {
            Rows::Orders(v) => {
                let row = order(f, query, unknown)?;
                key(row.created_at, row.order_id.clone())?;
                v.push(row);
            }
            Rows::OrderEvents(v) => {
                let row = event(f)?;
                key(row.at, row.order_id.clone())?;
                v.push(row);
            }
            Rows::Payments(v) => {
                let row = payment(f, query, unknown)?;
                key(row.created_at, row.upg_ref.clone())?;
                v.push(row);
            }
            Rows::Callbacks(v) => {
                let row = callback(f)?;
                let id = row.upg_ref.clone().or_else(|| row.order_id.clone());
                key(row.sent_at, id.ok_or_else(|| lacks("upg_ref (or order_id)"))?)?;
                v.push(row);
            }
            Rows::HoPayments(v) => {
                let row = ho(f)?;
                key(row.recorded_at, row.ho_ref.clone())?;
                v.push(row);
            }
            Rows::OrdersAgg(v) => {
                let (row, word) = count(f, query, unknown)?;
                key(row.bucket, word)?;
                v.push(row);
            }
            Rows::Saga(v) => {
                let row = saga(f)?;
                key(row.at, row.order_id.clone())?;
                v.push(row);
            }
            Rows::CallbackQueue(v) => {
                let n_pending = need("n_pending", f.int("n_pending")?)?;
                v.push(CallbackQueue { n_pending, oldest_at: f.stamp("oldest_at")?, n_dead: f.int("n_dead")? });
            }
        }
        Ok(())
    }
}

/// A value that is missing where one has to be.
pub fn lacks(name: &str) -> Fault {
    Fault::new(format!("a row has no {name}"), format!("Leave such rows out in the SQL: WHERE {name} IS NOT NULL."))
}

fn need<T>(name: &str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| lacks(name))
}

fn order(f: &impl Fields, query: &QueryConfig, unknown: &mut BTreeSet<String>) -> Result<Order, Fault> {
    Ok(Order {
        order_id: need("order_id", f.text("order_id"))?,
        created_at: need("created_at", f.stamp("created_at")?)?,
        status: status_of(f, query, unknown)?.0,
        amount: f.rupiah("amount")?,
        payment_method: f.text("payment_method"),
        region: f.text("region"),
        service_type: f.text("service_type"),
        saga_step: f.text("saga_step"),
        trace_id: f.text("trace_id"),
        updated_at: f.stamp("updated_at")?,
        version: f.int("version")?,
        attributes: f.attributes(),
    })
}

fn status_of(
    f: &impl Fields,
    query: &QueryConfig,
    unknown: &mut BTreeSet<String>,
) -> Result<(OrderStatus, Arc<str>), Fault> {
    let word = need("status", f.text("status"))?;
    let status = order_status(&word, query);
    if matches!(status, OrderStatus::Other(_)) {
        unknown.insert(word.to_string());
    }
    Ok((status, word))
}

fn event(f: &impl Fields) -> Result<OrderEvent, Fault> {
    Ok(OrderEvent {
        order_id: need("order_id", f.text("order_id"))?,
        at: need("at", f.stamp("at")?)?,
        from: f.text("from_status"),
        to: need("to_status", f.text("to_status"))?,
        actor: f.text("actor"),
        version: f.int("version")?,
    })
}

fn payment(f: &impl Fields, query: &QueryConfig, unknown: &mut BTreeSet<String>) -> Result<Payment, Fault> {
    let word = need("payment_status", f.text("payment_status"))?;
    let status = payment_status(&word, query);
    if matches!(status, PaymentStatus::Other(_)) {
        unknown.insert(word.to_string());
    }
    Ok(Payment {
        upg_ref: need("upg_ref", f.text("upg_ref"))?,
        order_id: need("order_id", f.text("order_id"))?,
        amount: f.rupiah("amount")?,
        status,
        created_at: need("created_at", f.stamp("created_at")?)?,
        settled_at: f.stamp("settled_at")?,
        payment_method: f.text("payment_method"),
        gateway_ref: f.text("gateway_ref"),
        gateway_ms: f.int("gateway_ms")?,
        idempotency_key: f.text("idempotency_key"),
    })
}

/// A number that has no reason to be large.
pub fn small(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn callback(f: &impl Fields) -> Result<Callback, Fault> {
    Ok(Callback {
        order_id: f.text("order_id"),
        upg_ref: f.text("upg_ref"),
        attempt: small(need("attempt", f.int("attempt")?)?),
        sent_at: need("sent_at", f.stamp("sent_at")?)?,
        http_status: f.int("http_status")?.map(small),
        target: f.text("target"),
        duration_ms: f.int("duration_ms")?,
        next_attempt_at: f.stamp("next_attempt_at")?,
        dead: f.flag("dead"),
    })
}

fn ho(f: &impl Fields) -> Result<HoPayment, Fault> {
    Ok(HoPayment {
        ho_ref: need("ho_ref", f.text("ho_ref"))?,
        upg_ref: f.text("upg_ref"),
        order_id: f.text("order_id"),
        amount: f.rupiah("amount")?,
        recorded_at: need("recorded_at", f.stamp("recorded_at")?)?,
        business_date: f.day("business_date"),
    })
}

fn count(
    f: &impl Fields,
    query: &QueryConfig,
    unknown: &mut BTreeSet<String>,
) -> Result<(OrderCount, Arc<str>), Fault> {
    let (status, word) = status_of(f, query, unknown)?;
    let bucket = need("bucket", f.stamp("bucket")?)?;
    Ok((OrderCount { bucket, status, n: need("n", f.int("n")?)?, amount: f.rupiah("amount")? }, word))
}

fn saga(f: &impl Fields) -> Result<SagaStep, Fault> {
    let word = need("state", f.text("state"))?;
    Ok(SagaStep {
        order_id: need("order_id", f.text("order_id"))?,
        step: need("step", f.text("step"))?,
        attempt: small(f.int("attempt")?.unwrap_or(1)),
        state: match word.to_ascii_uppercase().as_str() {
            "PENDING" | "STARTED" => SagaState::Pending,
            "DONE" | "COMPLETED" => SagaState::Done,
            "FAILED" => SagaState::Failed,
            "COMPENSATED" | "RELEASED" => SagaState::Compensated,
            _ => SagaState::Other(word.to_string()),
        },
        at: need("at", f.stamp("at")?)?,
        error: f.text("error").map(crate::model::Untrusted::new),
    })
}

/// The operator's map first, then our own words in any case.
pub fn order_status(word: &str, query: &QueryConfig) -> OrderStatus {
    if let Some(status) = query.order_status.get(word) {
        return status.clone();
    }
    match word.to_ascii_uppercase().as_str() {
        "CREATED" => OrderStatus::Created,
        "ACTIVE" => OrderStatus::Active,
        "COMPLETE" | "COMPLETED" => OrderStatus::Complete,
        "FAILED" => OrderStatus::Failed,
        "CANCELLED" | "CANCELED" => OrderStatus::Cancelled,
        "EXPIRED" => OrderStatus::Expired,
        _ => OrderStatus::Other(word.to_owned()),
    }
}

/// The operator's map first, then our own words in any case.
pub fn payment_status(word: &str, query: &QueryConfig) -> PaymentStatus {
    if let Some(status) = query.payment_status.get(word) {
        return status.clone();
    }
    match word.to_ascii_uppercase().as_str() {
        "INITIATED" => PaymentStatus::Initiated,
        "PENDING" => PaymentStatus::Pending,
        "AUTHORIZED" => PaymentStatus::Authorized,
        "PAID" => PaymentStatus::Paid,
        "REFUNDED" => PaymentStatus::Refunded,
        "FAILED" | "EXPIRED" | "CANCELLED" | "CANCELED" => PaymentStatus::Failed,
        _ => PaymentStatus::Other(word.to_owned()),
    }
}
