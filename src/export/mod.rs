//! What leaves as a file for people: the report as Markdown and as one HTML page with its timeline as a picture, the
//! runbook for the next incident.
//!
//! Pure: it makes text of what analysis found. May not know: files, clocks, screens; it borrows from the screen only
//! how numbers are written.

pub mod html;
pub mod markdown;
pub mod runbook;
mod svg;

use crate::analysis::report::said::Said;
use crate::analysis::report::{Item, Report};
use crate::view::number;

/// `19:24` of `2025-01-12T19:24:00+07:00`; the whole of anything else.
fn clock(rfc3339: &str) -> &str {
    rfc3339.get(11..16).unwrap_or(rfc3339)
}

/// `2025-01-12 19:24 +07:00`.
fn moment(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16), rfc3339.get(19..)) {
        (Some(day), Some(time), Some(zone)) => format!("{day} {time} {zone}"),
        _ => rfc3339.to_owned(),
    }
}

/// Points with a real minus sign.
fn points(score: f64) -> String {
    if score < 0.0 { format!("−{:.1}", -score) } else { format!("{score:.1}") }
}

/// What was read for a check, how much of it was there, and as of when; empty when none of it is known.
fn basis(item: &Item) -> String {
    let coverage = item.coverage.as_ref().map(|c| format!("coverage {c}"));
    let asof = item.asof.as_ref().map(|t| format!("as of {}", clock(t)));
    [item.source.clone(), coverage, asof].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What the incident came to: what, and how much of it, as people read it.
fn figures(r: &Report) -> Vec<(&'static str, String)> {
    let i = &r.impact;
    let orders = |n: usize, amount: i64| format!("{} · {}", number::count(n as i64), money(amount));
    let mut out = Vec::new();
    if let Some(u) = &i.users {
        let normal = u.normal.map(|n| format!(", usual {}", number::users(n))).unwrap_or_default();
        out.push(("users at the peak", format!("{}{normal} ({})", number::users(u.peak), clock(&u.peak_at))));
    }
    out.push(("orders placed", number::count(i.orders as i64)));
    out.push(("orders that hang", orders(i.stuck, i.stuck_amount)));
    if let Some(customers) = i.customers {
        out.push(("customers with one", number::count(customers as i64)));
    }
    out.push(("hang and charged", number::count(i.stuck_paid as i64)));
    out.push(("hang and not charged: lost if they expire", orders(i.stuck_unpaid, i.stuck_unpaid_amount)));
    out.push(("charged, not in HO's books: revenue not recorded", orders(i.not_at_ho, i.not_at_ho_amount)));
    out.push(("charged beyond the order: refunds due", money(i.refunds_due)));
    if let Some(asof) = &i.asof {
        out.push(("the slowest ledger is as of", moment(asof)));
    }
    out
}

/// How often a pattern usually comes.
fn usual(s: &Said) -> String {
    match s.usual {
        _ if s.new => "never".to_owned(),
        Some(n) => number::count(n.round() as i64),
        None => "not known".to_owned(),
    }
}

/// An amount in full, which no line breaks.
fn money(amount: i64) -> String {
    number::rupiah(amount).replace(' ', "\u{a0}")
}

/// A number of bytes as people say it.
fn bytes(n: u64) -> String {
    number::bytes(n as f64)
}

/// Milliseconds as people say them.
fn millis(ms: u64) -> String {
    number::seconds(ms as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_keep_their_zone_once() {
        assert_eq!(clock("2025-01-12T19:24:00+07:00"), "19:24");
        assert_eq!(moment("2025-01-12T19:24:00+07:00"), "2025-01-12 19:24 +07:00");
        assert_eq!((clock("?"), moment("?").as_str(), points(-2.84).as_str()), ("?", "?", "−2.8"));
    }
}
