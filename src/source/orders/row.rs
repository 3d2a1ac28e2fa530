//! Columns by name: which a role needs, what types they may have, and rows of them in our vocabulary.
//!
//! Types are checked when a query is prepared, so a wrong column is one sentence and not one error a row.

use crate::config::QueryConfig;
use crate::model::order::{
    Attributes, Callback, HoPayment, Order, OrderEvent, OrderStatus, Payment, PaymentStatus, Role, Rows,
};
use crate::model::{Stamp, Zone};
use crate::source::orders::wire::{self, Form};
use sqlx::postgres::{PgColumn, PgRow};
use sqlx::{Column as _, Row as _, TypeInfo as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Instant,
    Rupiah,
    Int,
}

/// Name, kind, whether a role cannot do without it.
type Spec = (&'static str, Kind, bool);

const ORDERS: &[Spec] = &[
    ("order_id", Kind::Text, true),
    ("created_at", Kind::Instant, true),
    ("status", Kind::Text, true),
    ("amount", Kind::Rupiah, false),
    ("payment_method", Kind::Text, false),
    ("region", Kind::Text, false),
    ("service_type", Kind::Text, false),
    ("saga_step", Kind::Text, false),
    ("trace_id", Kind::Text, false),
    ("updated_at", Kind::Instant, false),
];
const EVENTS: &[Spec] = &[
    ("order_id", Kind::Text, true),
    ("at", Kind::Instant, true),
    ("to_status", Kind::Text, true),
    ("from_status", Kind::Text, false),
    ("actor", Kind::Text, false),
    ("version", Kind::Int, false),
];
const PAYMENTS: &[Spec] = &[
    ("upg_ref", Kind::Text, true),
    ("order_id", Kind::Text, true),
    ("amount", Kind::Rupiah, true),
    ("payment_status", Kind::Text, true),
    ("created_at", Kind::Instant, true),
    ("settled_at", Kind::Instant, false),
    ("payment_method", Kind::Text, false),
];
const CALLBACKS: &[Spec] = &[
    ("attempt", Kind::Int, true),
    ("sent_at", Kind::Instant, true),
    ("order_id", Kind::Text, false),
    ("upg_ref", Kind::Text, false),
    ("http_status", Kind::Int, false),
    ("target", Kind::Text, false),
];
const HO_PAYMENTS: &[Spec] = &[
    ("ho_ref", Kind::Text, true),
    ("amount", Kind::Rupiah, true),
    ("recorded_at", Kind::Instant, true),
    ("upg_ref", Kind::Text, false),
    ("order_id", Kind::Text, false),
];

const fn specs(role: Role) -> &'static [Spec] {
    match role {
        Role::Orders => ORDERS,
        Role::OrderEvents => EVENTS,
        Role::Payments => PAYMENTS,
        Role::Callbacks => CALLBACKS,
        Role::HoPayments => HO_PAYMENTS,
    }
}

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

/// Where the columns of a role are in a query's rows.
#[derive(Clone, Debug)]
pub struct Shape {
    role: Role,
    zone: Option<Zone>,
    columns: BTreeMap<&'static str, (usize, Form)>,
}

impl Shape {
    /// Finds the columns and checks their types.
    pub fn of(query: &QueryConfig, columns: &[PgColumn]) -> Result<Self, Fault> {
        let mut found = BTreeMap::new();
        for (name, kind, needed) in specs(query.role) {
            match columns.iter().position(|c| c.name().eq_ignore_ascii_case(name)) {
                Some(i) => {
                    if let Some(column) = columns.get(i) {
                        found.insert(*name, (i, check(name, *kind, column, query.zone.as_ref())?));
                    }
                }
                None if *needed => return Err(missing(name, columns)),
                None => {}
            }
        }
        if matches!(query.role, Role::Callbacks | Role::HoPayments)
            && !found.contains_key("order_id")
            && !found.contains_key("upg_ref")
        {
            return Err(missing("upg_ref (or order_id)", columns));
        }
        Ok(Self { role: query.role, zone: query.zone.clone(), columns: found })
    }

    /// How many of the role's columns there are.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }
}

fn missing(name: &str, columns: &[PgColumn]) -> Fault {
    let has = columns.iter().map(sqlx::Column::name).collect::<Vec<_>>().join(", ");
    let first = name.split(' ').next().unwrap_or(name);
    Fault::new(
        format!("it has no column {name}; it has {has}"),
        format!("Name it in the SQL of [[query]]: SELECT … AS {first}."),
    )
}

fn check(name: &str, kind: Kind, column: &PgColumn, zone: Option<&Zone>) -> Result<Form, Fault> {
    let form = wire::form(column.type_info());
    let type_name = column.type_info().name().to_lowercase();
    let wrong =
        |wanted: &str, cast: String| Err(Fault::new(format!("its column {name} is {type_name}, not {wanted}"), cast));
    match (kind, form) {
        (Kind::Instant, Form::LocalTime) if zone.is_none() => wrong(
            "an instant: it is a time without a zone",
            format!(
                "Set zone = \"Asia/Jakarta\" in this [[query]], or select {name} AT TIME ZONE 'Asia/Jakarta' AS {name}."
            ),
        ),
        (Kind::Instant, Form::Instant | Form::LocalTime)
        | (Kind::Text, Form::Text | Form::Int(_) | Form::Numeric | Form::Uuid)
        | (Kind::Rupiah | Kind::Int, Form::Int(_) | Form::Numeric) => Ok(form),
        (Kind::Instant, _) => wrong("a time", format!("Select a timestamptz: {name}::timestamptz AS {name}.")),
        (Kind::Text, _) => wrong("text", format!("Select {name}::text AS {name}.")),
        (Kind::Rupiah, _) => {
            wrong("whole rupiah", format!("Select round({name})::bigint AS {name} if it holds whole rupiah."))
        }
        (Kind::Int, _) => wrong("a whole number", format!("Select {name}::int AS {name}.")),
    }
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

/// Reads rows.
pub fn read(shape: &Shape, query: &QueryConfig, rows: &[PgRow]) -> Result<Read, Fault> {
    let mut unknown = BTreeSet::new();
    let mut keys = Vec::with_capacity(rows.len());
    let rows = match shape.role {
        Role::Orders => Rows::Orders(collect(
            rows,
            |r| order(&Fields { row: r, shape }, query, &mut unknown),
            |o| keys.push((o.created_at, o.order_id.clone())),
        )?),
        Role::OrderEvents => Rows::OrderEvents(collect(
            rows,
            |r| event(&Fields { row: r, shape }),
            |e| keys.push((e.at, e.order_id.clone())),
        )?),
        Role::Payments => Rows::Payments(collect(
            rows,
            |r| payment(&Fields { row: r, shape }, query, &mut unknown),
            |p| keys.push((p.created_at, p.upg_ref.clone())),
        )?),
        Role::Callbacks => Rows::Callbacks(collect(
            rows,
            |r| callback(&Fields { row: r, shape }),
            |c| {
                keys.push((c.sent_at, c.upg_ref.clone().or_else(|| c.order_id.clone()).unwrap_or_default()));
            },
        )?),
        Role::HoPayments => Rows::HoPayments(collect(
            rows,
            |r| ho(&Fields { row: r, shape }),
            |h| keys.push((h.recorded_at, h.ho_ref.clone())),
        )?),
    };
    Ok(Read { rows, keys, unknown })
}

fn collect<T>(
    rows: &[PgRow],
    mut one: impl FnMut(&PgRow) -> Result<T, Fault>,
    mut key: impl FnMut(&T),
) -> Result<Vec<T>, Fault> {
    rows.iter().map(|row| one(row).inspect(&mut key)).collect()
}

struct Fields<'r> {
    row: &'r PgRow,
    shape: &'r Shape,
}

impl Fields<'_> {
    /// A column's form and bytes; nothing when it is NULL or not selected.
    fn raw(&self, name: &str) -> Option<(Form, &[u8])> {
        let (i, form) = self.shape.columns.get(name)?;
        Some((*form, self.row.try_get_raw(*i).ok()?.as_bytes().ok()?))
    }
    fn text(&self, name: &str) -> Option<Arc<str>> {
        self.raw(name).and_then(|(form, bytes)| wire::text(form, bytes))
    }
    fn stamp(&self, name: &str) -> Option<Stamp> {
        self.raw(name).and_then(|(form, bytes)| wire::stamp(form, bytes, self.shape.zone.as_ref()))
    }
    fn need<T>(name: &str, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| {
            Fault::new(
                format!("a row has no {name}"),
                format!("Leave such rows out in the SQL: WHERE {name} IS NOT NULL."),
            )
        })
    }
    fn rupiah(&self, name: &str) -> Result<Option<i64>, Fault> {
        let Some((form, bytes)) = self.raw(name) else { return Ok(None) };
        wire::int(form, bytes).map(Some).ok_or_else(|| {
            Fault::new(
                format!("a row's {name} is not a whole number of rupiah"),
                format!("Money is whole rupiah here: select round({name})::bigint AS {name}, or {name} / 100 if it holds sen."),
            )
        })
    }
    fn int(&self, name: &str) -> Option<i64> {
        self.raw(name).and_then(|(form, bytes)| wire::int(form, bytes))
    }
}

fn order(f: &Fields<'_>, query: &QueryConfig, unknown: &mut BTreeSet<String>) -> Result<Order, Fault> {
    let word = Fields::need("status", f.text("status"))?;
    let status = order_status(&word, query);
    if matches!(status, OrderStatus::Other(_)) {
        unknown.insert(word.to_string());
    }
    Ok(Order {
        order_id: Fields::need("order_id", f.text("order_id"))?,
        created_at: Fields::need("created_at", f.stamp("created_at"))?,
        status,
        amount: f.rupiah("amount")?,
        payment_method: f.text("payment_method"),
        region: f.text("region"),
        service_type: f.text("service_type"),
        saga_step: f.text("saga_step"),
        trace_id: f.text("trace_id"),
        updated_at: f.stamp("updated_at"),
        version: None,
        attributes: Attributes::default(),
    })
}

fn event(f: &Fields<'_>) -> Result<OrderEvent, Fault> {
    Ok(OrderEvent {
        order_id: Fields::need("order_id", f.text("order_id"))?,
        at: Fields::need("at", f.stamp("at"))?,
        from: f.text("from_status"),
        to: Fields::need("to_status", f.text("to_status"))?,
        actor: f.text("actor"),
        version: f.int("version"),
    })
}

fn payment(f: &Fields<'_>, query: &QueryConfig, unknown: &mut BTreeSet<String>) -> Result<Payment, Fault> {
    let word = Fields::need("payment_status", f.text("payment_status"))?;
    let status = payment_status(&word, query);
    if matches!(status, PaymentStatus::Other(_)) {
        unknown.insert(word.to_string());
    }
    Ok(Payment {
        upg_ref: Fields::need("upg_ref", f.text("upg_ref"))?,
        order_id: Fields::need("order_id", f.text("order_id"))?,
        amount: f.rupiah("amount")?,
        status,
        created_at: Fields::need("created_at", f.stamp("created_at"))?,
        settled_at: f.stamp("settled_at"),
        payment_method: f.text("payment_method"),
        gateway_ref: None,
        gateway_ms: None,
        idempotency_key: None,
    })
}

fn callback(f: &Fields<'_>) -> Result<Callback, Fault> {
    let small = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
    Ok(Callback {
        order_id: f.text("order_id"),
        upg_ref: f.text("upg_ref"),
        attempt: small(Fields::need("attempt", f.int("attempt"))?),
        sent_at: Fields::need("sent_at", f.stamp("sent_at"))?,
        http_status: f.int("http_status").map(small),
        target: f.text("target"),
        duration_ms: None,
        next_attempt_at: None,
        dead: None,
    })
}

fn ho(f: &Fields<'_>) -> Result<HoPayment, Fault> {
    Ok(HoPayment {
        ho_ref: Fields::need("ho_ref", f.text("ho_ref"))?,
        upg_ref: f.text("upg_ref"),
        order_id: f.text("order_id"),
        amount: f.rupiah("amount")?,
        recorded_at: Fields::need("recorded_at", f.stamp("recorded_at"))?,
        business_date: None,
    })
}

/// The operator's map first, then our own words in any case.
fn order_status(word: &str, query: &QueryConfig) -> OrderStatus {
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
fn payment_status(word: &str, query: &QueryConfig) -> PaymentStatus {
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
