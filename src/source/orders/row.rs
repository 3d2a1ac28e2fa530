//! Columns by name: which a role needs, what types they may have, and rows of them in our vocabulary.
//!
//! Types are checked when a query is prepared, so a wrong column is one sentence and not one error a row.

use crate::config::QueryConfig;
use crate::model::order::{Attributes, Role};
use crate::model::{Stamp, Zone};
use crate::source::orders::fields::{Fault, Fields, Read};
use crate::source::orders::wire::{self, Form};
use chrono::NaiveDate;
use sqlx::postgres::{PgColumn, PgRow};
use sqlx::{Column as _, Row as _, TypeInfo as _};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Instant,
    Rupiah,
    Int,
    Flag,
    Day,
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
    ("version", Kind::Int, false),
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
    ("gateway_ref", Kind::Text, false),
    ("gateway_ms", Kind::Int, false),
    ("idempotency_key", Kind::Text, false),
];
const CALLBACKS: &[Spec] = &[
    ("attempt", Kind::Int, true),
    ("sent_at", Kind::Instant, true),
    ("order_id", Kind::Text, false),
    ("upg_ref", Kind::Text, false),
    ("http_status", Kind::Int, false),
    ("target", Kind::Text, false),
    ("duration_ms", Kind::Int, false),
    ("next_attempt_at", Kind::Instant, false),
    ("dead", Kind::Flag, false),
];
const HO_PAYMENTS: &[Spec] = &[
    ("ho_ref", Kind::Text, true),
    ("amount", Kind::Rupiah, true),
    ("recorded_at", Kind::Instant, true),
    ("upg_ref", Kind::Text, false),
    ("order_id", Kind::Text, false),
    ("business_date", Kind::Day, false),
];
const ORDERS_AGG: &[Spec] = &[
    ("bucket", Kind::Instant, true),
    ("status", Kind::Text, true),
    ("n", Kind::Int, true),
    ("amount", Kind::Rupiah, false),
];
const SAGA: &[Spec] = &[
    ("order_id", Kind::Text, true),
    ("step", Kind::Text, true),
    ("state", Kind::Text, true),
    ("at", Kind::Instant, true),
    ("attempt", Kind::Int, false),
    ("error", Kind::Text, false),
];
const CALLBACK_QUEUE: &[Spec] =
    &[("n_pending", Kind::Int, true), ("oldest_at", Kind::Instant, false), ("n_dead", Kind::Int, false)];

/// The columns of a role, by name; with each whether the role cannot do without it.
pub fn columns(role: Role) -> impl Iterator<Item = (&'static str, bool)> {
    specs(role).iter().map(|(name, _, needed)| (*name, *needed))
}

const fn specs(role: Role) -> &'static [Spec] {
    match role {
        Role::Orders => ORDERS,
        Role::OrderEvents => EVENTS,
        Role::Payments => PAYMENTS,
        Role::Callbacks => CALLBACKS,
        Role::HoPayments => HO_PAYMENTS,
        Role::OrdersAgg => ORDERS_AGG,
        Role::Saga => SAGA,
        Role::CallbackQueue => CALLBACK_QUEUE,
    }
}

/// Where the columns of a role are in a query's rows.
#[derive(Clone, Debug)]
pub struct Shape {
    role: Role,
    zone: Option<Zone>,
    /// Few: a search from the first is faster than any index, and it is done for every value of every row.
    columns: Vec<(Box<str>, usize, Form)>,
    /// The operator's further columns.
    further: Vec<Arc<str>>,
}

impl Shape {
    /// Finds the columns and checks their types.
    pub fn of(query: &QueryConfig, columns: &[PgColumn]) -> Result<Self, Fault> {
        let mut found: BTreeMap<String, (usize, Form)> = BTreeMap::new();
        let mut take = |name: &str, kind: Kind, needed: bool| {
            let at = columns.iter().position(|c| c.name().eq_ignore_ascii_case(name));
            match at.and_then(|i| Some((i, columns.get(i)?))) {
                Some((i, column)) => {
                    found.insert(name.to_owned(), (i, check(name, kind, column, query.zone.as_ref())?));
                    Ok(())
                }
                None if needed => Err(missing(name, columns)),
                None => Ok(()),
            }
        };
        for (name, kind, needed) in specs(query.role) {
            take(name, *kind, *needed)?;
        }
        let known = |name: &&String| specs(query.role).iter().all(|(known, ..)| known != name);
        let further: Vec<Arc<str>> = query.columns.iter().filter(known).map(|name| name.as_str().into()).collect();
        for name in &further {
            take(name, Kind::Text, true)?;
        }
        if let Some(name) = &query.watermark {
            take(name, Kind::Instant, true)?;
        }
        if matches!(query.role, Role::Callbacks | Role::HoPayments)
            && !found.contains_key("order_id")
            && !found.contains_key("upg_ref")
        {
            return Err(missing("upg_ref (or order_id)", columns));
        }
        let columns = found.into_iter().map(|(name, (i, form))| (name.into_boxed_str(), i, form)).collect();
        Ok(Self { role: query.role, zone: query.zone.clone(), columns, further })
    }

    /// Where a column is, and in what form.
    pub fn place(&self, name: &str) -> Option<(usize, Form)> {
        self.columns.iter().find(|(known, ..)| **known == *name).map(|(_, i, form)| (*i, *form))
    }

    /// Where its times are.
    pub const fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
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
        | (Kind::Text, Form::Text | Form::Int(_) | Form::Numeric | Form::Uuid | Form::Flag)
        | (Kind::Flag, Form::Flag)
        | (Kind::Day, Form::Day)
        | (Kind::Rupiah | Kind::Int, Form::Int(_) | Form::Numeric) => Ok(form),
        (Kind::Instant, _) => wrong("a time", format!("Select a timestamptz: {name}::timestamptz AS {name}.")),
        (Kind::Text, _) => wrong("text", format!("Select {name}::text AS {name}.")),
        (Kind::Rupiah, _) => {
            wrong("whole rupiah", format!("Select round({name})::bigint AS {name} if it holds whole rupiah."))
        }
        (Kind::Flag, _) => wrong("yes or no", format!("Select {name}::boolean AS {name}.")),
        (Kind::Day, _) => wrong("a day", format!("Select {name}::date AS {name}.")),
        (Kind::Int, _) => wrong("a whole number", format!("Select {name}::int AS {name}.")),
    }
}

/// Reads rows.
pub fn read(shape: &Shape, query: &QueryConfig, rows: &[PgRow]) -> Result<Read, Fault> {
    let mut read = Read::new(shape.role);
    for row in rows {
        read.push(&Row { row, shape }, query)?;
    }
    Ok(read)
}

struct Row<'r> {
    row: &'r PgRow,
    shape: &'r Shape,
}

impl Row<'_> {
    /// A column's form and bytes; nothing when it is NULL or not selected.
    fn raw(&self, name: &str) -> Option<(Form, &[u8])> {
        let (i, form) = self.shape.place(name)?;
        Some((form, self.row.try_get_raw(i).ok()?.as_bytes().ok()?))
    }
}

/// An amount that is none.
pub fn no_rupiah(name: &str) -> Fault {
    Fault::new(
        format!("a row's {name} is not a whole number of rupiah"),
        format!("Money is whole rupiah here: select round({name})::bigint AS {name}, or {name} / 100 if it holds sen."),
    )
}

impl Fields for Row<'_> {
    fn text(&self, name: &str) -> Option<Arc<str>> {
        self.raw(name).and_then(|(form, bytes)| wire::text(form, bytes))
    }
    fn stamp(&self, name: &str) -> Result<Option<Stamp>, Fault> {
        Ok(self.raw(name).and_then(|(form, bytes)| wire::stamp(form, bytes, self.shape.zone.as_ref())))
    }
    fn rupiah(&self, name: &str) -> Result<Option<i64>, Fault> {
        let Some((form, bytes)) = self.raw(name) else { return Ok(None) };
        wire::int(form, bytes).map(Some).ok_or_else(|| no_rupiah(name))
    }
    fn int(&self, name: &str) -> Result<Option<i64>, Fault> {
        Ok(self.raw(name).and_then(|(form, bytes)| wire::int(form, bytes)))
    }
    fn flag(&self, name: &str) -> Option<bool> {
        self.raw(name).and_then(|(_, bytes)| bytes.first()).map(|b| *b != 0)
    }
    fn day(&self, name: &str) -> Option<NaiveDate> {
        self.raw(name).and_then(|(_, bytes)| wire::day(bytes))
    }
    fn attributes(&self) -> Attributes {
        let value = |name: &Arc<str>| Some((name.clone(), self.text(name)?));
        self.shape.further.iter().filter_map(value).collect()
    }
}
