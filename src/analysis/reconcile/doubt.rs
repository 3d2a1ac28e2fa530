//! What stands behind the counts of the classes and is in doubt, in sentences with the remedy: a ledger
//! that fell silent, a word nobody mapped, amounts that are missing, rows that fit nowhere.
//!
//! May not know: screens.

use crate::analysis::reconcile::class::Class;
use crate::analysis::reconcile::facts::{newest, newest_order};
use crate::analysis::reconcile::standing::Standing;
use crate::analysis::words::count;
use crate::model::order::{OrderId, OrderStatus, PaymentStatus, Role};
use crate::model::untrusted::shown;
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
use crate::store::book::{Entry, Orphan};
use std::collections::{BTreeMap, HashMap};

/// Shorter stretches without an answer are the edges of questions.
const EDGE: Lapse = Lapse::minutes(1);
/// Words named in one sentence.
const NAMED: usize = 3;
/// Payments without order that are looked for under another spelling.
const STRAYS: usize = 10_000;

/// The doubts about `standing`, the gravest first.
pub(super) fn doubts(store: &Store, window: Span, at: Stamp, standing: &Standing) -> Vec<String> {
    let mut out = Vec::new();
    for (role, since) in &standing.silent {
        let (who, class) = match role {
            Role::HoPayments => ("HO", Some(Class::HoUnknown)),
            Role::Payments => ("UPG", Some(Class::UpgUnknown)),
            _ => (role.name(), None),
        };
        let of = class.map(|c| standing.of(c)).filter(|n| *n > 0);
        let of = of.map(|n| format!("{} unknown", count(n, "order is", "orders are")));
        let then = standing.classes.iter().filter(|c| c.class.rests_on() == Some(*role) && Some(c.class) != class);
        let then = Some(then.map(|c| c.orders).sum()).filter(|n| *n > 0);
        let then = then.map(|n| format!("{} counted as they were then", count(n, "order is", "orders are")));
        let rest: Vec<String> = of.into_iter().chain(then).collect();
        let rest = if rest.is_empty() { String::new() } else { format!(": {}", rest.join(", ")) };
        out.push(format!("unknown: {who} not read since {}{rest}", store.incident.zone.hm(*since)));
    }
    if let Some(says) = unread(store, window, at) {
        out.push(says);
    }
    if let Some(says) = unmapped(store, window, at, standing) {
        out.push(says);
    }
    let without: usize = standing.classes.iter().map(|c| c.without_amount).sum();
    if without > 0 {
        out.push(format!("{} without an amount: the sums leave them out", count(without, "order", "orders")));
    }
    out.extend(formats(store, at));
    let unplaced = store.orders.orphans(at).filter(|o| placed_in(o, window)).count();
    if unplaced > 0 {
        let records = count(unplaced, "HO record names", "HO records name");
        out.push(format!("{records} a payment that UPG did not show: no order can be found for it"));
    }
    let (rows, example) = store.orders.conflicts();
    if rows > 0 {
        let example = example.map_or_else(String::new, |key| format!(" ({})", shown(key)));
        out.push(format!(
            "{} came twice in one answer with different content{example}: the later one counts; make the key unique in the SQL",
            count(rows, "row", "rows")
        ));
    }
    let (rows, example) = store.orders.crowded();
    if rows > 0 {
        let example = example.map_or_else(String::new, |key| format!(" ({})", shown(key)));
        out.push(format!(
            "{} not kept, of an order that has more than a thousand of a kind{example}: \
             is order_id of the [[query]] really the order's?",
            count(rows, "row was", "rows were")
        ));
    }
    out
}

/// Stretches of the window whose orders nobody has read, while others of it were.
fn unread(store: &Store, window: Span, at: Stamp) -> Option<String> {
    let to = window.to.min(store.orders.newest(Role::Orders, at)?);
    let mut read: Vec<Span> = store.orders.windows(Role::Orders, at).filter(|s| s.overlaps(&window)).collect();
    read.sort_by_key(|s| s.from);
    let mut gaps: Vec<Span> = Vec::new();
    let mut upto = window.from;
    for span in read.into_iter().chain([Span { from: to, to }]) {
        let until = span.from.min(to);
        if until.since(upto) > EDGE {
            gaps.push(Span { from: upto, to: until });
        }
        upto = upto.max(span.to);
    }
    let (first, zone) = (gaps.first()?, &store.incident.zone);
    let more = if gaps.len() > 1 { format!(" and {} more stretches", gaps.len() - 1) } else { String::new() };
    Some(format!(
        "orders born {}–{}{more} are not read yet: counts can only grow",
        zone.hm(first.from),
        zone.hm(first.to)
    ))
}

fn placed_in(orphan: &Orphan<'_>, window: Span) -> bool {
    matches!(orphan, Orphan::HoPayment(_, h) if window.contains(h.recorded_at))
}

/// Words that the maps do not know, with how many orders stand there.
fn unmapped(store: &Store, window: Span, at: Stamp, standing: &Standing) -> Option<String> {
    use crate::analysis::reconcile::flag::Flag;
    let flagged = |f: &(Flag, usize)| matches!(f.0, Flag::UnmappedStatus | Flag::UnmappedPayment);
    if !standing.flags.iter().any(flagged) {
        return None;
    }
    let mut words: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (_, entry) in store.orders.entries() {
        let Some((_, order)) = newest_order(&entry, at).filter(|(_, o)| window.contains(o.created_at)) else {
            continue;
        };
        if let OrderStatus::Other(word) = &order.status {
            *words.entry(("order", word.clone())).or_default() += 1;
        }
        for (i, (t, p)) in entry.payments.iter().enumerate() {
            if let PaymentStatus::Other(word) = &p.status
                && newest(&entry.payments, i, *t, at, |later| later.upg_ref == p.upg_ref)
            {
                *words.entry(("payment", word.clone())).or_default() += 1;
            }
        }
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let named = words.iter().take(NAMED).map(|((what, word), n)| {
        let many = if *what == "order" { "orders" } else { "payments" };
        format!("{} ({})", shown(word), count(*n, what, many))
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = words.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("status nobody mapped: {named}{more}; map.status in [[query]] says what it means"))
}

/// Payments whose order is there under another spelling: identifiers join exactly, so this is said.
fn formats(store: &Store, at: Stamp) -> Option<String> {
    let read = |entry: &Entry| entry.payments.iter().any(|(t, _)| *t <= at) || entry.ho.iter().any(|(t, _)| *t <= at);
    let there = |entry: &Entry| newest_order(entry, at).is_some();
    let strays = store.orders.entries().filter(|(_, entry)| !there(entry) && read(entry)).take(STRAYS);
    let strays: HashMap<String, &OrderId> = strays.map(|(id, _)| (spelled(id), id)).collect();
    if strays.is_empty() {
        return None;
    }
    let ours = store.orders.entries().filter(|(_, entry)| there(entry));
    let mut fits = ours.filter_map(|(id, _)| Some((id, *strays.get(&spelled(id))?)));
    let (ours, theirs) = fits.next()?;
    let n = 1 + fits.count();
    Some(format!(
        "{} would fit if case, blanks, dashes and leading zeros did not count ({} there, {} among the orders): \
         write order_id alike in both queries",
        count(n, "identifier", "identifiers"),
        shown(theirs),
        shown(ours)
    ))
}

/// An identifier without what people write differently.
fn spelled(id: &str) -> String {
    let bare: String = id.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    bare.trim_start_matches('0').to_lowercase()
}
