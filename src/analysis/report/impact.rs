//! What an incident came to: orders, users and money, by class.
//!
//! Owns the sums of a report. May not know: how they are written.

use super::text;
use crate::analysis::lane::{self, Axis};
use crate::analysis::reconcile::facts::Facts;
use crate::analysis::reconcile::{Class as Kind, ClassCount, class_of, known, standing};
use crate::analysis::spike::Spike;
use crate::model::untrusted::shown;
use crate::model::{Lapse, Span, Stamp, Untrusted};
use crate::store::Store;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Columns of orders that name a customer, in the order in which they are looked for.
const CUSTOMERS: [&str; 6] = ["customer_id", "user_id", "customer", "account_id", "member_id", "msisdn"];

/// What the incident came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Impact {
    /// As of when the slowest ledger said so.
    pub asof: Option<String>,
    /// The crowd, where somebody measures it.
    pub users: Option<Users>,
    /// Different customers with a stuck order, where orders name them.
    pub customers: Option<usize>,
    /// Orders placed in the window.
    pub orders: usize,
    /// ACTIVE for too long.
    pub stuck: usize,
    /// Their amounts.
    pub stuck_amount: i64,
    /// Stuck and charged.
    pub stuck_paid: usize,
    /// Stuck and not charged.
    pub stuck_unpaid: usize,
    /// What the stuck that nobody charged were worth: lost when they expire.
    pub stuck_unpaid_amount: i64,
    /// Charged and not in HO's books.
    pub not_at_ho: usize,
    /// Their amounts: revenue that is not recorded.
    pub not_at_ho_amount: i64,
    /// Charges beyond what the order costs, to be given back.
    pub refunds_due: i64,
    /// By class: faults first, what is no fault last.
    pub classes: Vec<Class>,
    /// What makes the sums doubtful, in words; sums that do not add up come first.
    pub doubts: Vec<String>,
    /// Roles that never answered, and what is not known because of it.
    pub not_known: Vec<String>,
}

/// The crowd.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Users {
    /// What was usual, when there is a baseline.
    pub normal: Option<f64>,
    /// The most there were.
    pub peak: f64,
    /// When.
    pub peak_at: String,
}

/// Orders of a class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Class {
    /// Its key.
    pub key: &'static str,
    /// In words.
    pub class: &'static str,
    /// Whether something is wrong with them.
    pub fault: bool,
    /// How many.
    pub orders: usize,
    /// Their amounts.
    pub amount: i64,
    /// The next safe action.
    pub action: &'static str,
}

/// Counts the orders of the stretch.
pub fn impact(store: &Store, window: Span, at: Stamp, spike: Option<&Spike>) -> Impact {
    let zone = &store.incident.zone;
    let s = standing(store, window, at);
    let class = |c: &ClassCount| {
        let card = c.class.card()?;
        let (key, fault) = (c.class.key(), !card.fine);
        Some(Class { key, class: card.name, fault, orders: c.orders, amount: c.amount, action: card.action })
    };
    let unpaid = |c: &&ClassCount| matches!(c.class, Kind::UnpaidStuck | Kind::PaymentPendingStuck);
    let more = More::of(store, window, at);
    let mut not_known = s.missing.clone();
    if more.named == 0 && s.total > 0 {
        not_known.push(
            "how many customers: the orders carry no column that names one; add customer_id to `columns` of the \
             orders query"
                .to_owned(),
        );
    }
    let users = spike.and_then(|s| users(store, s, window, at));
    if users.is_none() {
        not_known.push("how many users there were: no spike was found on a lane with trigger = true".to_owned());
    }
    Impact {
        asof: s.asof.map(|t| zone.rfc3339(t)),
        users,
        customers: (more.named > 0).then_some(more.customers.len()),
        orders: s.total,
        stuck: s.stuck,
        stuck_amount: s.stuck_amount,
        stuck_paid: s.stuck_paid,
        stuck_unpaid: s.stuck_unpaid,
        stuck_unpaid_amount: s.classes.iter().filter(unpaid).map(|c| c.amount).sum(),
        not_at_ho: s.not_at_ho,
        not_at_ho_amount: s.not_at_ho_amount,
        refunds_due: more.refunds,
        classes: s.classes.iter().filter_map(class).collect(),
        doubts: s.broken.iter().chain(&s.doubts).map(|d| text(&Untrusted::from(d.as_str()))).collect(),
        not_known,
    }
}

/// What a standing does not count.
#[derive(Default)]
struct More {
    refunds: i64,
    /// Stuck orders that name a customer.
    named: usize,
    customers: BTreeSet<Arc<str>>,
}

impl More {
    fn of(store: &Store, window: Span, at: Stamp) -> Self {
        let rules = &store.incident.rules;
        let mut out = Self::default();
        known(store, window, at, |_, facts| {
            if class_of(facts, rules) == Kind::ChargedTwice {
                out.refunds = out.refunds.saturating_add(beyond(facts));
            }
            let Some(order) = facts.order.filter(|_| facts.stuck(rules.stuck_after)) else { return };
            let customer = CUSTOMERS.iter().find_map(|name| order.attributes.get(name));
            if let Some(customer) = customer {
                out.named += 1;
                out.customers.insert(Arc::clone(customer));
            }
        });
        out
    }
}

/// What was charged beyond the order's own amount; beyond an equal share where the order names none.
fn beyond(facts: &Facts<'_>) -> i64 {
    let once = facts.order.and_then(|o| o.amount).unwrap_or(facts.paid_amount / (facts.paid.max(1) as i64));
    facts.paid_amount.saturating_sub(once).max(0)
}

/// The lane the spike was found on, over the stretch.
fn users(store: &Store, spike: &Spike, window: Span, at: Stamp) -> Option<Users> {
    let lane = store.incident.lanes.iter().find(|l| l.name == spike.lane)?;
    let step = Lapse::minutes(1);
    let to = window.to.min(at);
    let axis = Axis { from: window.from, step, columns: (to.since(window.from).0.max(0) / step.0) as usize };
    let columns = lane::columns(store, lane, &axis, to, at);
    let peak_at = store.incident.zone.rfc3339(spike.peak.0);
    Some(Users { normal: columns.normal, peak: spike.peak.1, peak_at })
}

/// `30.2k`, `842`: so many users.
pub fn crowd(users: f64) -> String {
    if users < 1000.0 { format!("{users:.0}") } else { format!("{:.1}k", users / 1000.0) }
}

/// The lane's name, fit to leave.
pub fn name(spike: &Spike) -> String {
    shown(&spike.lane)
}
