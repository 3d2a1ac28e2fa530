//! Rows of the ledgers as a reconciliation needs them: what decides a class, lent by whoever holds it.
//!
//! A million rows go by in this form and none of them allocates; traits of an order (method, region, the
//! operator's own columns) are left out. May not know: where a row comes from, how it is put aside.

use crate::model::Stamp;
use crate::model::order::{self, OrderStatus, PaymentStatus, Role};
use chrono::NaiveDate;

/// An order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order<'r> {
    /// Identifier.
    pub order_id: &'r str,
    /// Birth.
    pub created_at: Stamp,
    /// Status.
    pub status: OrderStatus,
    /// Rupiah.
    pub amount: Option<i64>,
    /// Last change.
    pub updated_at: Option<Stamp>,
}

/// A payment at UPG.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment<'r> {
    /// UPG's reference.
    pub upg_ref: &'r str,
    /// The order it pays.
    pub order_id: &'r str,
    /// Rupiah.
    pub amount: Option<i64>,
    /// Status.
    pub status: PaymentStatus,
    /// Begun.
    pub created_at: Stamp,
    /// Settled.
    pub settled_at: Option<Stamp>,
}

/// A record at HO.
#[derive(Clone, Debug, PartialEq)]
pub struct HoPayment<'r> {
    /// HO's reference.
    pub ho_ref: &'r str,
    /// UPG's reference.
    pub upg_ref: Option<&'r str>,
    /// The order it names.
    pub order_id: Option<&'r str>,
    /// Rupiah.
    pub amount: Option<i64>,
    /// Written.
    pub recorded_at: Stamp,
    /// The day it was booked on.
    pub business_date: Option<NaiveDate>,
}

/// One attempt to tell another system.
#[derive(Clone, Debug, PartialEq)]
pub struct Callback<'r> {
    /// The order it names.
    pub order_id: Option<&'r str>,
    /// UPG's reference.
    pub upg_ref: Option<&'r str>,
    /// From 1.
    pub attempt: i32,
    /// Sent.
    pub sent_at: Stamp,
    /// HTTP status.
    pub http_status: Option<i32>,
    /// To whom.
    pub target: Option<&'r str>,
}

/// A row of one of the four ledgers that are compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Brief<'r> {
    /// An order.
    Order(Order<'r>),
    /// A payment.
    Payment(Payment<'r>),
    /// A callback.
    Callback(Callback<'r>),
    /// A record at HO.
    HoPayment(HoPayment<'r>),
}

impl Brief<'_> {
    /// Whose row it is.
    pub const fn role(&self) -> Role {
        match self {
            Self::Order(_) => Role::Orders,
            Self::Payment(_) => Role::Payments,
            Self::Callback(_) => Role::Callbacks,
            Self::HoPayment(_) => Role::HoPayments,
        }
    }
    /// Its amount, where rows of its role have one.
    pub const fn amount(&self) -> Option<i64> {
        match self {
            Self::Order(o) => o.amount,
            Self::Payment(p) => p.amount,
            Self::Callback(_) => None,
            Self::HoPayment(h) => h.amount,
        }
    }
}

impl<'r> From<&'r order::Order> for Order<'r> {
    fn from(o: &'r order::Order) -> Self {
        Self {
            order_id: &o.order_id,
            created_at: o.created_at,
            status: o.status.clone(),
            amount: o.amount,
            updated_at: o.updated_at,
        }
    }
}

impl<'r> From<&'r order::Payment> for Payment<'r> {
    fn from(p: &'r order::Payment) -> Self {
        Self {
            upg_ref: &p.upg_ref,
            order_id: &p.order_id,
            amount: p.amount,
            status: p.status.clone(),
            created_at: p.created_at,
            settled_at: p.settled_at,
        }
    }
}

impl<'r> From<&'r order::HoPayment> for HoPayment<'r> {
    fn from(h: &'r order::HoPayment) -> Self {
        Self {
            ho_ref: &h.ho_ref,
            upg_ref: h.upg_ref.as_deref(),
            order_id: h.order_id.as_deref(),
            amount: h.amount,
            recorded_at: h.recorded_at,
            business_date: h.business_date,
        }
    }
}

impl<'r> From<&'r order::Callback> for Callback<'r> {
    fn from(c: &'r order::Callback) -> Self {
        Self {
            order_id: c.order_id.as_deref(),
            upg_ref: c.upg_ref.as_deref(),
            attempt: c.attempt,
            sent_at: c.sent_at,
            http_status: c.http_status,
            target: c.target.as_deref(),
        }
    }
}
