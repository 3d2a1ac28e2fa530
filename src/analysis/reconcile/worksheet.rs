//! The worksheet: for each order that is not as it should be, the next safe action and what has to be true
//! before somebody takes it. warroom writes it and never does any of it.
//!
//! One table with an action column, sorted by action: a tired operator cannot mix up files, and one checksum
//! covers all of it. An order is on a list to be sent again or resumed only when UPG took its money exactly
//! once, nothing else may still take money, and HO was asked late enough and has no record.
//!
//! May not know: screens, files.

use crate::analysis::reconcile::class::{Class, class_of};
use crate::analysis::reconcile::facts::{Facts, newest};
use crate::analysis::reconcile::flag::{Flags, flags_of};
use crate::analysis::reconcile::known;
use crate::model::incident::Rules;
use crate::model::order::{OrderId, PaymentStatus};
use crate::model::untrusted::shown;
use crate::model::{Span, Stamp, Zone};
use crate::store::Store;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// What somebody does next, sorted as the worksheet is: what money waits for first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Give one charge back.
    RefundDuplicate,
    /// Give the charge back, or open the order again.
    RefundOrReopen,
    /// Go on with the saga at RECORD.
    ResumeSaga,
    /// Send the callback to HO again.
    ReplayCallback,
    /// HO looks for what it acknowledged.
    HoInvestigate,
    /// HO removes the copy.
    HoDeduplicate,
    /// Set the order complete, through its service.
    CompleteOrder,
    /// Ask the gateway what became of the payment.
    QueryGateway,
    /// Expire the order and tell the customer.
    ExpireOrder,
    /// Finance compares and decides.
    Finance,
    /// Hold the money; find the order by its trace.
    Hold,
    /// Find out whether a callback was sent.
    FindCallback,
    /// Say in the configuration what the word means.
    MapStatus,
    /// Wait for the answer of a system.
    AskAgain,
    /// Nothing.
    Wait,
}

impl Action {
    /// The name for machines.
    pub const fn key(self) -> &'static str {
        match self {
            Self::RefundDuplicate => "refund_duplicate",
            Self::RefundOrReopen => "refund_or_reopen",
            Self::ResumeSaga => "resume_saga_at_record",
            Self::ReplayCallback => "replay_callback",
            Self::HoInvestigate => "ho_investigate",
            Self::HoDeduplicate => "ho_deduplicate",
            Self::CompleteOrder => "complete_order",
            Self::QueryGateway => "query_gateway",
            Self::ExpireOrder => "expire_order",
            Self::Finance => "finance",
            Self::Hold => "hold",
            Self::FindCallback => "find_callback",
            Self::MapStatus => "map_status",
            Self::AskAgain => "ask_again",
            Self::Wait => "wait",
        }
    }

    /// Whether it makes HO hear of the payment again.
    pub const fn sends_again(self) -> bool {
        matches!(self, Self::ResumeSaga | Self::ReplayCallback)
    }

    /// What has to be true before somebody does it.
    pub const fn precondition(self) -> &'static str {
        match self {
            Self::RefundDuplicate => {
                "finance confirms with the gateway which charge stands; never send a callback for either"
            }
            Self::RefundOrReopen => "the customer or the shop decides; the charge still stands at UPG when it is done",
            Self::ResumeSaga => {
                "the Orchestrator is well and RECORD is idempotent by upg_ref; HO still has no record of it"
            }
            Self::ReplayCallback => "HO confirms that it is idempotent by upg_ref; HO still has no record of it",
            Self::HoInvestigate => "HO answers first; send again only after HO says that it lost the record",
            Self::HoDeduplicate => "HO keeps the record whose upg_ref stands at UPG",
            Self::CompleteOrder => {
                "through the service and not by SQL; the order is still ACTIVE and the record still at HO"
            }
            Self::QueryGateway => "nothing else is done until the gateway has answered",
            Self::ExpireOrder => "UPG still has no payment of it and none is pending",
            Self::Finance => "nobody sends, refunds or completes it before finance has decided",
            Self::Hold => "nobody refunds it before its order has been looked for by trace and upg_ref",
            Self::FindCallback => "UPG's log or outbox says whether a callback was sent; send nothing before",
            Self::MapStatus => "the owner of the system says whether the word means that money moved",
            Self::AskAgain => "the system answers again; nothing is done on a guess",
            Self::Wait => "",
        }
    }
}

/// The next safe action for an order.
pub fn action_of(facts: &Facts<'_>, class: Class, rules: &Rules) -> Action {
    // Whatever the class: money that moved twice, or may move yet, is never sent again.
    let once = facts.paid == 1 && facts.unmapped_payments == 0;
    let absent = facts.recorded == 0 && facts.missing_at_ho(rules.settle_after).is_some();
    let again = |action| match (once && absent, facts.pending) {
        (true, false) => action,
        (true, true) => Action::QueryGateway,
        (false, _) => Action::Finance,
    };
    match class {
        Class::ChargedTwice => Action::RefundDuplicate,
        Class::FailedButCharged => Action::RefundOrReopen,
        Class::PaidStuckNeverSent => again(Action::ResumeSaga),
        Class::PaidStuckCallbackFailed | Class::ChargedNotRecorded => again(Action::ReplayCallback),
        Class::AcknowledgedNotRecorded => Action::HoInvestigate,
        Class::RecordedTwice => Action::HoDeduplicate,
        Class::PaidStuckRecorded if facts.pending => Action::QueryGateway,
        Class::PaidStuckRecorded => Action::CompleteOrder,
        Class::PaymentPendingStuck => Action::QueryGateway,
        Class::UnpaidStuck => Action::ExpireOrder,
        Class::RecordedNotCharged | Class::AmountUpgHo | Class::AmountOrderUpg | Class::CompleteNotCharged => {
            Action::Finance
        }
        Class::PaymentWithoutOrder => Action::Hold,
        Class::PaidStuckNotRecorded => Action::FindCallback,
        Class::UnmappedStatus | Class::UnmappedPayment => Action::MapStatus,
        Class::NotAsked | Class::UpgUnknown | Class::HoUnknown => Action::AskAgain,
        Class::Settling | Class::InFlight | Class::Ok => Action::Wait,
    }
}

/// A row of the worksheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What somebody does next.
    pub action: Action,
    /// The order.
    pub id: OrderId,
    /// UPG's references of the payments it has.
    pub upg_refs: Vec<Arc<str>>,
    /// Its class.
    pub class: Class,
    /// What else is true of it.
    pub flags: Flags,
    /// Its birth.
    pub born: Stamp,
    /// The money it is about; none where a row names none.
    pub amount: Option<i64>,
    /// What UPG took and HO does not have.
    pub not_at_ho: i64,
    /// Method, service and region, as the row says them.
    pub traits: [Option<Arc<str>>; 3],
    /// As of when the orders, UPG and HO said so.
    pub asof: [Option<Stamp>; 3],
}

/// Rows of the orders born in `window` that are in one of `classes`, as of `at`: by action, oldest first.
pub fn rows(store: &Store, window: Span, classes: &[Class], at: Stamp) -> Vec<Row> {
    let (rules, zone) = (&store.incident.rules, &store.incident.zone);
    let mut out: Vec<Row> = Vec::new();
    known(store, window, at, |id, facts| {
        let class = class_of(facts, rules);
        if classes.contains(&class) {
            out.push(row(store, id, facts, class, at, (rules, zone)));
        }
    });
    out.sort_by(|a, b| (a.action, a.born, &a.id).cmp(&(b.action, b.born, &b.id)));
    out
}

fn row(store: &Store, id: &OrderId, facts: &Facts<'_>, class: Class, at: Stamp, (rules, zone): (&Rules, &Zone)) -> Row {
    let mut upg_refs: Vec<Arc<str>> = Vec::new();
    if let Some(entry) = store.orders.look(id) {
        for (i, (t, p)) in entry.payments.iter().enumerate() {
            let kept = !matches!(p.status, PaymentStatus::Failed);
            if kept && newest(&entry.payments, i, *t, at, |later| later.upg_ref == p.upg_ref) {
                upg_refs.push(p.upg_ref.clone());
            }
        }
    }
    let word = |of: fn(&crate::model::order::Order) -> &Option<Arc<str>>| facts.order.and_then(|o| of(o).clone());
    let missing = facts.missing_at_ho(rules.settle_after).is_some();
    Row {
        action: action_of(facts, class, rules),
        id: id.clone(),
        upg_refs,
        class,
        flags: flags_of(facts, rules, zone),
        born: facts.born,
        amount: Some(facts.amount()).filter(|_| !facts.without_amount()),
        not_at_ho: if missing { facts.paid_amount.saturating_sub(facts.recorded_amount).max(0) } else { 0 },
        traits: [word(|o| &o.payment_method), word(|o| &o.service_type), word(|o| &o.region)],
        asof: [Some(facts.asof), facts.payments_asked, facts.ho_asked],
    }
}

/// The worksheet as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// RFC 4180.
    pub text: String,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
}

/// Names of the columns.
pub const COLUMNS: [&str; 16] = [
    "action",
    "order_id",
    "upg_ref",
    "class",
    "flags",
    "born",
    "amount_rupiah",
    "not_at_ho_rupiah",
    "method",
    "service",
    "region",
    "precondition",
    "orders_as_of",
    "upg_as_of",
    "ho_as_of",
    "as_of",
];

/// Writes rows as CSV. Identifiers are whole; `masked` is applied to every other text from outside. What a
/// spreadsheet would take for a formula is kept from being one.
pub fn sheet(rows: &[Row], at: Stamp, zone: &Zone, masked: impl Fn(&str) -> String) -> Sheet {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    let time = |t: Option<Stamp>| t.map_or_else(String::new, |t| zone.rfc3339(t));
    for r in rows {
        let refs = r.upg_refs.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" ");
        let flags = r.flags.beside(r.class).map(super::Flag::key).collect::<Vec<_>>().join(" ");
        let part = |p: &Option<Arc<str>>| p.as_deref().map_or_else(String::new, |p| field(&masked(p)));
        let [method, service, region] = &r.traits;
        let [orders, upg, ho] = r.asof;
        let fields = [
            r.action.key().to_owned(),
            field(&r.id),
            field(&refs),
            r.class.key().to_owned(),
            field(&flags),
            zone.rfc3339(r.born),
            r.amount.map_or_else(String::new, |a| a.to_string()),
            r.not_at_ho.to_string(),
            part(method),
            part(service),
            part(region),
            field(r.action.precondition()),
            time(orders),
            time(upg),
            time(ho),
            zone.rfc3339(at),
        ];
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    let sha256 = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Sheet { text, sha256 }
}

/// One field of a CSV row.
pub fn field(text: &str) -> String {
    let text = shown(text);
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if text.contains([',', '"', ' ', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
#[path = "worksheet_tests.rs"]
mod tests;
