//! The answer in numbers: a table for people, JSON for machines.

use crate::analysis::reconcile::CLASSES;
use crate::analysis::reconcile::class::Class;
use crate::model::Zone;
use crate::model::order::Role;
use crate::model::untrusted::shown;
use crate::runtime::reconcile::engine::Outcome;
use crate::runtime::reconcile::plan::ROLES;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A role's ledger as people call it.
const fn who(role: Role) -> &'static str {
    match role {
        Role::OrderEvents => "events",
        Role::Payments => "UPG",
        Role::HoPayments => "HO",
        role => role.name(),
    }
}

/// What is not known, and why, in sentences.
pub fn unknown(outcome: &Outcome, zone: &Zone) -> Vec<String> {
    let mut out = Vec::new();
    out.extend(outcome.broken.clone());
    for c in &outcome.coverage {
        let Some(condition) = &c.reached.failed else { continue };
        let since = c.reached.last.map_or_else(
            || format!("{} not read", who(c.role)),
            |t| format!("{} not read since {}", who(c.role), zone.hms(t)),
        );
        let remedy = shown(condition.remedy.raw());
        out.push(format!("unknown: {since}: {}. {remedy}", shown(condition.says.raw()).trim_end_matches('.')));
    }
    for role in &outcome.absent {
        out.push(format!("unknown: {} not asked; configure a [[query]] with role = \"{}\"", who(*role), role.name()));
    }
    for c in outcome.coverage.iter().filter(|c| !c.reached.unknown.is_empty()) {
        let words = c.reached.unknown.iter().take(5).map(|w| shown(w)).collect::<Vec<_>>().join(", ");
        let table = if c.role == Role::Payments { "payment_status" } else { "order_status" };
        out.push(format!("{}: status nobody mapped: {words}; {table} in [[query]] says what it means", who(c.role)));
    }
    let stray = outcome.unplaced.of(Role::HoPayments);
    if stray.rows > 0 {
        out.push(format!(
            "{} HO records (Rp {}) name a payment that UPG did not show, and no order",
            stray.rows, stray.amount
        ));
    }
    out
}

/// For machines.
pub fn json(outcome: &Outcome, zone: &Zone) -> String {
    let s = &outcome.day.standing;
    let time = |t| zone.rfc3339(t);
    let classes = CLASSES.iter().filter_map(|card| {
        let count = outcome.day.classes.get(card.class.number()).filter(|c| c.orders > 0)?;
        Some(json!({
            "class": card.class.key(), "name": card.name, "orders": count.orders, "amount": count.amount,
            "without_amount": count.without_amount, "paid": count.paid, "recorded": count.recorded,
        }))
    });
    let coverage = outcome.coverage.iter().map(|c| {
        json!({
            "role": c.role.name(), "source": c.reached.db, "rows": c.reached.rows, "asof": c.reached.asof.map(time),
            "from": c.span.map(|s| time(s.from)), "to": c.span.map(|s| time(s.to)), "asked_by_id": c.reached.asked,
            "complete": c.reached.failed.is_none(),
            "failed": c.reached.failed.as_ref().map(|f| shown(f.says.raw())),
        })
    });
    let rows = |of: &crate::analysis::reconcile::day::Ledgers| -> Value {
        ROLES
            .iter()
            .map(|r| (r.name().to_owned(), json!({"rows": of.of(*r).rows, "amount": of.of(*r).amount})))
            .collect()
    };
    let curve = outcome.day.curve.iter().map(|(minute, counts)| {
        let counts = CLASSES.iter().filter_map(|card| {
            let n = counts.get(card.class.number()).copied().filter(|n| *n > 0)?;
            Some((card.class.key().to_owned(), Value::from(n)))
        });
        json!({"minute": time(*minute), "orders": counts.collect::<serde_json::Map<_, _>>()})
    });
    let value = json!({
        "asof": outcome.asof.map(time),
        "window": {"from": time(outcome.window.from), "to": time(outcome.window.to)},
        "total": s.total,
        "stuck": s.stuck, "stuck_amount": s.stuck_amount,
        "paid_stuck": s.stuck_paid, "paid_stuck_amount": outcome.day.paid_stuck_amount,
        "unpaid_stuck": s.stuck_unpaid, "unpaid_stuck_amount": outcome.day.unpaid_stuck_amount,
        "not_at_ho": s.not_at_ho, "money_at_risk": s.not_at_ho_amount,
        "classes": classes.collect::<Vec<_>>(),
        "coverage": coverage.collect::<Vec<_>>(),
        "ledgers": {"read": rows(&outcome.read), "of_these_orders": rows(&outcome.day.inside),
            "of_other_orders": rows(&outcome.day.outside), "read_twice": rows(&outcome.again),
            "of_no_order": rows(&outcome.unplaced)},
        "adds_up": outcome.broken.is_none(),
        "unknown": unknown(outcome, zone),
        "by_minute": curve.collect::<Vec<_>>(),
    });
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

/// For people.
pub fn table(outcome: &Outcome, zone: &Zone) -> String {
    let s = &outcome.day.standing;
    let mut out = String::new();
    let asof = outcome.asof.map_or_else(|| "never".to_owned(), |t| zone.format(t, "%Y-%m-%d %H:%M:%S"));
    let (from, to) = (outcome.window.from, outcome.window.to);
    let pattern = "%Y-%m-%d %H:%M";
    let _ = writeln!(
        out,
        "Orders born from {} to {} {}, as of {asof}\n",
        zone.format(from, pattern),
        zone.format(to, pattern),
        zone.name
    );
    let _ = writeln!(out, "  {:<34} {:>10} {:>20}", "class", "orders", "rupiah");
    for card in CLASSES {
        let Some(count) = outcome.day.classes.get(card.class.number()).filter(|c| c.orders > 0) else { continue };
        let note =
            if count.without_amount > 0 { format!("  {} without amount", count.without_amount) } else { String::new() };
        let _ = writeln!(
            out,
            "  {:<34} {:>10} {:>20}{note}",
            card.name,
            grouped(count.orders as i64),
            grouped(count.amount)
        );
    }
    let orphans = outcome.day.classes.get(Class::PaymentWithoutOrder.number()).map_or(0, |c| c.orders);
    let beside = if orphans > 0 {
        format!("  beside {} payments without order", grouped(orphans as i64))
    } else {
        String::new()
    };
    let _ = writeln!(out, "  {:<34} {:>10}{beside}\n", "total", grouped(s.total as i64));
    let day = &outcome.day;
    for (words, orders, amount) in [
        ("stuck", s.stuck, s.stuck_amount),
        ("paid and stuck", s.stuck_paid, day.paid_stuck_amount),
        ("unpaid and stuck", s.stuck_unpaid, day.unpaid_stuck_amount),
        ("charged and not at HO", s.not_at_ho, s.not_at_ho_amount),
    ] {
        let _ = writeln!(out, "  {words:<34} {:>10} {:>20}", grouped(orders as i64), grouped(amount));
    }
    out.push('\n');
    for c in &outcome.coverage {
        let asof = c.reached.asof.map_or_else(|| "never".to_owned(), |t| format!("as of {}", zone.hms(t)));
        let span = c.span.map_or_else(String::new, |s| {
            format!(", from {} to {}", zone.format(s.from, pattern), zone.format(s.to, pattern))
        });
        let asked = match c.reached.asked {
            0 => String::new(),
            n => format!(", asked about {} orders by name", grouped(n as i64)),
        };
        let _ = writeln!(
            out,
            "  {:<10} {:<10} {} rows, {asof}{span}{asked}",
            who(c.role),
            shown(&c.reached.db),
            grouped(c.reached.rows as i64)
        );
    }
    let unknown = unknown(outcome, zone);
    if !unknown.is_empty() {
        out.push('\n');
    }
    for line in unknown {
        let _ = writeln!(out, "  ! {line}");
    }
    out
}

/// `412.500`: as rupiah are written.
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('.');
        }
        out.push(c);
    }
    if n < 0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn rupiah_are_grouped_by_dots() {
        assert_eq!([0, 999, 1_000, -1_234_567].map(grouped), ["0", "999", "1.000", "-1.234.567"]);
    }
}
