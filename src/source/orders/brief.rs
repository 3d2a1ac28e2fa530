//! Rows as the server sends them, read in brief: the columns that decide a class, lent from the message they came
//! in, and what the page needs to go on. A million rows go this way; none of them allocates.
//!
//! May not know: where the rows go.

use crate::config::QueryConfig;
use crate::model::Stamp;
use crate::model::Zone;
use crate::model::brief::{Brief, Callback, HoPayment, Order, Payment};
use crate::model::order::{OrderStatus, PaymentStatus, Role};
use crate::source::orders::ask::{Key, Taker};
use crate::source::orders::fields::{self, Fault, lacks, small};
use crate::source::orders::row::{Shape, no_rupiah};
use crate::source::orders::wire::{self, Form};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Whoever wants the rows of a page.
pub trait Page {
    /// A page begins; what came of an earlier attempt at it is forgotten.
    fn begin(&mut self);
    /// A row.
    fn row(&mut self, row: &Brief<'_>);
}

/// Columns of a role that are read at most.
const MOST: usize = 6;
const ORDERS: [&str; 5] = ["order_id", "created_at", "status", "amount", "updated_at"];
const PAYMENTS: [&str; MOST] = ["upg_ref", "order_id", "created_at", "payment_status", "amount", "settled_at"];
const CALLBACKS: [&str; MOST] = ["order_id", "upg_ref", "attempt", "sent_at", "http_status", "target"];
const HO_PAYMENTS: [&str; MOST] = ["ho_ref", "upg_ref", "order_id", "amount", "recorded_at", "business_date"];

const fn names(role: Role) -> &'static [&'static str] {
    match role {
        Role::Orders => &ORDERS,
        Role::Payments => &PAYMENTS,
        Role::Callbacks => &CALLBACKS,
        Role::HoPayments => &HO_PAYMENTS,
        Role::OrderEvents | Role::OrdersAgg | Role::Saga | Role::CallbackQueue => &[],
    }
}

/// Words of a status column with what they mean: few, and met again in every row.
#[derive(Debug)]
struct Meanings<S>(Vec<(Box<str>, S)>);

impl<S: Clone> Meanings<S> {
    fn of(&mut self, word: &str, learn: impl FnOnce() -> S) -> S {
        if let Some((_, status)) = self.0.iter().find(|(known, _)| **known == *word) {
            return status.clone();
        }
        let status = learn();
        // A column of different words is no status; it is mapped anew each time.
        if self.0.len() < 64 {
            self.0.push((word.into(), status.clone()));
        }
        status
    }
}

/// Reads the rows of one query.
#[derive(Debug)]
pub struct Briefs {
    query: QueryConfig,
    zone: Option<Zone>,
    places: [Option<(usize, Form)>; MOST],
    watermark: Option<(usize, Form)>,
    orders: Meanings<OrderStatus>,
    payments: Meanings<PaymentStatus>,
    /// Status words that are not in the map, so far.
    pub unknown: BTreeSet<String>,
    now: Now,
}

/// What is known of the page that comes in.
#[derive(Debug, Default)]
pub struct Now {
    /// Its rows.
    pub rows: usize,
    /// Whether they came in the order of time.
    pub ordered: bool,
    /// What is wrong with one of them.
    pub fault: Option<Fault>,
    last: Option<Stamp>,
    id: String,
}

impl Now {
    /// The key of its last row.
    pub fn last(&self) -> Option<Key> {
        self.last.map(|at| (at, self.id.as_str().into()))
    }
}

impl Briefs {
    /// Rows of a query.
    pub fn new(query: QueryConfig) -> Self {
        Self {
            query,
            zone: None,
            places: [None; MOST],
            watermark: None,
            orders: Meanings(Vec::new()),
            payments: Meanings(Vec::new()),
            unknown: BTreeSet::new(),
            now: Now::default(),
        }
    }

    /// Reads a page for somebody.
    pub const fn to<'b, P>(&'b mut self, page: &'b mut P) -> To<'b, P> {
        To { briefs: self, page }
    }

    /// The page that came last.
    pub const fn now(&mut self) -> &mut Now {
        &mut self.now
    }

    fn begin(&mut self, shape: &Shape) {
        self.zone = shape.zone().cloned();
        self.places = [None; MOST];
        for (place, name) in self.places.iter_mut().zip(names(self.query.role)) {
            *place = shape.place(name);
        }
        self.watermark = self.query.watermark.as_ref().and_then(|name| shape.place(name));
        self.now.rows = 0;
        self.now.ordered = true;
        self.now.fault = None;
        self.now.last = None;
    }

    fn row(&mut self, row: &PgRow, page: &mut impl Page) -> Result<(), Fault> {
        let names = names(self.query.role);
        let values = Values { row, names, places: &self.places, zone: self.zone.as_ref() };
        let needs = |value: Option<Stamp>, name| value.ok_or_else(|| lacks(name));
        let watermark = match (&self.query.watermark, self.watermark) {
            (Some(name), place) => Some(needs(place.and_then(|place| values.stamp_in(place)), name)?),
            (None, _) => None,
        };
        match self.query.role {
            Role::Orders => {
                let id = values.need(0)?;
                let word = values.need(2)?;
                let (query, unknown) = (&self.query, &mut self.unknown);
                let status = self.orders.of(&word, || {
                    let status = fields::order_status(&word, query);
                    note(matches!(status, OrderStatus::Other(_)), &word, unknown);
                    status
                });
                let created_at = needs(values.stamp(1), "created_at")?;
                let (amount, updated_at) = (values.rupiah(3)?, values.stamp(4));
                page.row(&Brief::Order(Order { order_id: &id, created_at, status, amount, updated_at }));
                self.now.key(watermark.unwrap_or(created_at), &id);
            }
            Role::Payments => {
                let (upg_ref, order_id, word) = (values.need(0)?, values.need(1)?, values.need(3)?);
                let (query, unknown) = (&self.query, &mut self.unknown);
                let status = self.payments.of(&word, || {
                    let status = fields::payment_status(&word, query);
                    note(matches!(status, PaymentStatus::Other(_)), &word, unknown);
                    status
                });
                let created_at = needs(values.stamp(2), "created_at")?;
                let (amount, settled_at) = (values.rupiah(4)?, values.stamp(5));
                let (upg_ref, order_id) = (&*upg_ref, &*order_id);
                page.row(&Brief::Payment(Payment { upg_ref, order_id, amount, status, created_at, settled_at }));
                self.now.key(watermark.unwrap_or(created_at), upg_ref);
            }
            Role::Callbacks => {
                let (order_id, upg_ref, target) = (values.text(0), values.text(1), values.text(5));
                let attempt = values.int(2).map(small).ok_or_else(|| lacks("attempt"))?;
                let sent_at = needs(values.stamp(3), "sent_at")?;
                let (order_id, upg_ref) = (order_id.as_deref(), upg_ref.as_deref());
                let id = upg_ref.or(order_id).ok_or_else(|| lacks("upg_ref (or order_id)"))?;
                let (http_status, target) = (values.int(4).map(small), target.as_deref());
                page.row(&Brief::Callback(Callback { order_id, upg_ref, attempt, sent_at, http_status, target }));
                self.now.key(watermark.unwrap_or(sent_at), id);
            }
            Role::HoPayments => {
                let (ho_ref, upg_ref, order_id) = (values.need(0)?, values.text(1), values.text(2));
                let (amount, recorded_at) = (values.rupiah(3)?, needs(values.stamp(4), "recorded_at")?);
                let business_date = values.raw(5).and_then(|(_, bytes)| wire::day(bytes));
                let (upg_ref, order_id) = (upg_ref.as_deref(), order_id.as_deref());
                let row = HoPayment { ho_ref: &ho_ref, upg_ref, order_id, amount, recorded_at, business_date };
                page.row(&Brief::HoPayment(row));
                self.now.key(watermark.unwrap_or(recorded_at), &ho_ref);
            }
            // These are no ledgers: nobody walks through them.
            Role::OrderEvents | Role::OrdersAgg | Role::Saga | Role::CallbackQueue => {}
        }
        Ok(())
    }
}

impl Now {
    fn key(&mut self, at: Stamp, id: &str) {
        self.rows += 1;
        self.ordered &= self.last.is_none_or(|last| last <= at);
        self.last = Some(at);
        self.id.clear();
        self.id.push_str(id);
    }
}

fn note(unmapped: bool, word: &str, unknown: &mut BTreeSet<String>) {
    if unmapped {
        unknown.insert(word.to_owned());
    }
}

/// Rows of one page on their way to somebody.
pub struct To<'b, P> {
    briefs: &'b mut Briefs,
    page: &'b mut P,
}

impl<P: Page> Taker for To<'_, P> {
    fn begin(&mut self, shape: &Shape) {
        self.briefs.begin(shape);
        self.page.begin();
    }
    fn row(&mut self, row: &PgRow) {
        // The rest of the answer has to be read all the same, or the session would have to be given up.
        if self.briefs.now.fault.is_none()
            && let Err(fault) = self.briefs.row(row, self.page)
        {
            self.briefs.now.fault = Some(fault);
        }
    }
}

/// The values of one row, by their places.
struct Values<'r> {
    row: &'r PgRow,
    names: &'static [&'static str],
    places: &'r [Option<(usize, Form)>; MOST],
    zone: Option<&'r Zone>,
}

impl<'r> Values<'r> {
    fn raw(&self, i: usize) -> Option<(Form, &'r [u8])> {
        self.at((*self.places.get(i)?)?)
    }
    fn at(&self, (column, form): (usize, Form)) -> Option<(Form, &'r [u8])> {
        Some((form, self.row.try_get_raw(column).ok()?.as_bytes().ok()?))
    }
    fn text(&self, i: usize) -> Option<Cow<'r, str>> {
        self.raw(i).and_then(|(form, bytes)| wire::words(form, bytes))
    }
    fn stamp(&self, i: usize) -> Option<Stamp> {
        self.raw(i).and_then(|(form, bytes)| wire::stamp(form, bytes, self.zone))
    }
    fn stamp_in(&self, place: (usize, Form)) -> Option<Stamp> {
        self.at(place).and_then(|(form, bytes)| wire::stamp(form, bytes, self.zone))
    }
    fn int(&self, i: usize) -> Option<i64> {
        self.raw(i).and_then(|(form, bytes)| wire::int(form, bytes))
    }
    fn rupiah(&self, i: usize) -> Result<Option<i64>, Fault> {
        let Some((form, bytes)) = self.raw(i) else { return Ok(None) };
        wire::int(form, bytes).map(Some).ok_or_else(|| no_rupiah("amount"))
    }
    fn need(&self, i: usize) -> Result<Cow<'r, str>, Fault> {
        self.text(i).ok_or_else(|| lacks(self.names.get(i).copied().unwrap_or_default()))
    }
}
