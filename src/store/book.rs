//! The order book: every version of every row the order-side roles returned, asked as of an instant.
//!
//! A role's silence about an order means something only when the order was asked for: the book keeps both.

use crate::model::order::{Asked, Callback, HoPayment, Ledger, Order, OrderEvent, OrderId, Payment, Role, Rows};
use crate::model::{Span, Stamp};
use std::collections::BTreeMap;

/// All that is known of one order.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Versions of the order's row by the time they were read.
    pub orders: Vec<(Stamp, Order)>,
    /// Its transitions.
    pub events: Vec<(Stamp, OrderEvent)>,
    /// Versions of its payments; several references are several payments.
    pub payments: Vec<(Stamp, Payment)>,
    /// Callback attempts.
    pub callbacks: Vec<(Stamp, Callback)>,
    /// Records at HO.
    pub ho: Vec<(Stamp, HoPayment)>,
    /// When it was asked for by id, by role, in time order.
    pub asked: Vec<(Stamp, Role)>,
}

/// Orders by identifier.
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    entries: BTreeMap<OrderId, Entry>,
    by_upg_ref: BTreeMap<std::sync::Arc<str>, OrderId>,
    windows: Vec<(Stamp, Role, Span)>,
    roles: std::collections::BTreeSet<Role>,
}

impl OrderBook {
    /// Takes in an answer.
    pub fn apply(&mut self, ledger: &Ledger) {
        let asof = ledger.asof;
        let role = ledger.rows.role();
        self.roles.insert(role);
        match &ledger.asked {
            Asked::Window(span) => self.windows.push((asof, role, *span)),
            Asked::Ids(ids) => {
                for id in ids {
                    self.entries.entry(id.clone()).or_default().asked.push((asof, role));
                }
            }
        }
        match &ledger.rows {
            Rows::Orders(rows) => {
                for r in rows {
                    self.entries.entry(r.order_id.clone()).or_default().orders.push((asof, r.clone()));
                }
            }
            Rows::OrderEvents(rows) => {
                for r in rows {
                    self.entries.entry(r.order_id.clone()).or_default().events.push((asof, r.clone()));
                }
            }
            Rows::Payments(rows) => {
                for r in rows {
                    self.by_upg_ref.insert(r.upg_ref.clone(), r.order_id.clone());
                    self.entries.entry(r.order_id.clone()).or_default().payments.push((asof, r.clone()));
                }
            }
            Rows::Callbacks(rows) => {
                for r in rows {
                    let id = r.order_id.clone().or_else(|| self.by_upg_ref.get(r.upg_ref.as_ref()?).cloned());
                    if let Some(id) = id {
                        self.entries.entry(id).or_default().callbacks.push((asof, r.clone()));
                    }
                }
            }
            Rows::HoPayments(rows) => {
                for r in rows {
                    let by_ref = r.upg_ref.as_ref().and_then(|u| self.by_upg_ref.get(u).cloned());
                    if let Some(id) = by_ref.or_else(|| r.order_id.clone()) {
                        self.entries.entry(id).or_default().ho.push((asof, r.clone()));
                    }
                }
            }
        }
    }
    /// Everything about one order.
    pub fn entry(&self, order: &str) -> Option<&Entry> {
        self.entries.get(order)
    }
    /// All orders, by identifier.
    pub fn entries(&self) -> impl Iterator<Item = (&OrderId, &Entry)> {
        self.entries.iter()
    }
    /// Whether a role has ever answered.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
    /// The newest answer of a role at or before `at`.
    pub fn asof(&self, role: Role, at: Stamp) -> Option<Stamp> {
        let windows = self.windows.iter().filter(|(t, r, _)| *r == role && *t <= at).map(|(t, _, _)| *t).max();
        windows.or_else(|| {
            self.entries.values().flat_map(|e| &e.asked).filter(|(t, r)| *r == role && *t <= at).map(|(t, _)| *t).max()
        })
    }
    /// Windows asked of a role up to `at`, each with the time its answer was so.
    pub fn asks(&self, role: Role, at: Stamp) -> impl Iterator<Item = (Stamp, Span)> {
        self.windows.iter().filter(move |(t, r, _)| *r == role && *t <= at).map(|(t, _, s)| (*t, *s))
    }
    /// Windows asked of a role up to `at`.
    pub fn windows(&self, role: Role, at: Stamp) -> impl Iterator<Item = Span> {
        self.windows.iter().filter(move |(t, r, _)| *r == role && *t <= at).map(|(_, _, s)| *s)
    }
}
