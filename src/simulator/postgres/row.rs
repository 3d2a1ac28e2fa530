//! What of each row goes into which column.
//!
//! Owns the order of columns that `load` names, and the words for what they hold. May not know: connections.

use super::copy::Sheet;
use crate::model::order::{Callback, HoPayment, Order, OrderEvent, OrderStatus, Payment, PaymentStatus};
use crate::model::{Lapse, Stamp};

/// An order; MRG's balancer gives it to a pod by its number.
pub fn order(sheet: &mut Sheet, o: &Order, by: Lapse) {
    sheet.text(Some(&o.order_id)).stamp(Some(o.created_at + by)).text(Some(order_status(&o.status))).number(o.amount);
    for text in [&o.payment_method, &o.region, &o.service_type, &o.saga_step, &o.trace_id] {
        sheet.text(text.as_deref());
    }
    sheet.text(Some(&pod(&o.order_id))).stamp(o.updated_at.map(|t| t + by));
}

/// MRG's balancer gives an order to a pod by its number.
fn pod(order: &str) -> String {
    let sum: u32 = order.bytes().map(u32::from).sum();
    format!("mrg-api-{}", sum % 8 + 1)
}

/// A transition.
pub fn event(sheet: &mut Sheet, e: &OrderEvent, by: Lapse) {
    sheet.text(Some(&e.order_id)).stamp(Some(e.at + by)).text(e.from.as_deref()).text(Some(&e.to));
    sheet.text(Some(e.actor.as_deref().unwrap_or_default())).number(e.version);
}

/// A transition that is a step of the saga.
pub fn saga(sheet: &mut Sheet, e: &OrderEvent, by: Lapse) {
    sheet
        .text(Some(&e.order_id))
        .text(Some(&e.to))
        .number(Some(1))
        .text(Some("DONE"))
        .stamp(Some(e.at + by))
        .text(None);
}

/// A payment; the gateway's time is that until it was settled.
pub fn payment(sheet: &mut Sheet, p: &Payment, by: Lapse) {
    sheet.text(Some(&p.upg_ref)).text(Some(&p.order_id)).number(p.amount).text(Some(payment_status(&p.status)));
    sheet.text(p.payment_method.as_deref()).stamp(Some(p.created_at + by)).stamp(p.settled_at.map(|t| t + by));
    sheet.number(p.settled_at.map(|t: Stamp| t.since(p.created_at).0 / 1000));
}

/// An attempt to tell somebody. Without a key it has an empty one, which a primary key can hold.
pub fn callback(sheet: &mut Sheet, c: &Callback, by: Lapse) {
    for key in [&c.upg_ref, &c.order_id, &c.target] {
        sheet.text(Some(key.as_deref().unwrap_or_default()));
    }
    sheet.number(Some(c.attempt.into())).stamp(Some(c.sent_at + by)).number(c.http_status.map(i64::from));
}

/// A record of Head Office.
pub fn book(sheet: &mut Sheet, h: &HoPayment, by: Lapse) {
    sheet.text(Some(&h.ho_ref)).text(h.upg_ref.as_deref()).text(h.order_id.as_deref());
    sheet.number(h.amount).stamp(Some(h.recorded_at + by));
}

fn order_status(status: &OrderStatus) -> &str {
    match status {
        OrderStatus::Created => "CREATED",
        OrderStatus::Active => "ACTIVE",
        OrderStatus::Complete => "COMPLETE",
        OrderStatus::Failed => "FAILED",
        OrderStatus::Cancelled => "CANCELLED",
        OrderStatus::Expired => "EXPIRED",
        OrderStatus::Other(word) => word,
    }
}

fn payment_status(status: &PaymentStatus) -> &str {
    match status {
        PaymentStatus::Initiated => "INITIATED",
        PaymentStatus::Pending => "PENDING",
        PaymentStatus::Authorized => "AUTHORIZED",
        PaymentStatus::Paid => "PAID",
        PaymentStatus::Refunded => "REFUNDED",
        PaymentStatus::Failed => "FAILED",
        PaymentStatus::Other(word) => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_stays_with_its_pod() {
        assert_eq!(pod("ORD-5118001"), pod("ORD-5118001"));
        assert_ne!(pod("ORD-5118001"), pod("ORD-5118002"));
    }
}
