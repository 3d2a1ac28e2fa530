//! The classes and which of them an order is in: the first that fits, in the order of the enum.
//!
//! Where this says more than "paid P times, recorded H times, sent C times", and why:
//! - A system that was not asked, or not late enough to have seen the fault, proves nothing: the order is
//!   `not_asked` while the answer is on its way, `upg_unknown` or `ho_unknown` once that system has been
//!   silent for [`SILENT`]. What is known already (charged twice, recorded twice) stays known.
//! - A stuck class needs a stuck order: ACTIVE for longer than `stuck_after`. An order that HO recorded a
//!   second ago and that is still ACTIVE is in flight, not "only the order state is wrong"; so the stuck
//!   classes add up to the stuck orders.
//! - A word nobody mapped is a class of its own, for orders and for payments: the money may have moved.
//! - Without a callbacks query, never sent and sent in vain cannot be told apart: a third class says so.
//! - A given-back payment is no payment (`P` counts what is kept); the order carries the flag `refunded`.
//!
//! May not know: stores, screens.

use crate::analysis::reconcile::facts::Facts;
use crate::model::incident::Rules;
use crate::model::order::{OrderStatus, Role};
use crate::model::{Lapse, Stamp};

/// A system that has not answered for this long is silent: what it alone can say is unknown.
pub const SILENT: Lapse = Lapse::minutes(3);

/// The classes, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A payment that names an order nobody has.
    PaymentWithoutOrder,
    /// UPG has not been asked about it yet, or HO has not.
    NotAsked,
    /// UPG has been silent for too long to say whether it was paid.
    UpgUnknown,
    /// Paid more than once.
    ChargedTwice,
    /// A payment stands in a status nobody mapped: it may have taken money.
    UnmappedPayment,
    /// In HO's books, and UPG knows of no money.
    RecordedNotCharged,
    /// In HO's books more often than it was paid.
    RecordedTwice,
    /// UPG and HO name different amounts.
    AmountUpgHo,
    /// Order and UPG name different amounts.
    AmountOrderUpg,
    /// The order stands in a status nobody mapped.
    UnmappedStatus,
    /// Paid a moment ago; HO may still come.
    Settling,
    /// HO has been silent for too long to say whether it has a record.
    HoUnknown,
    /// Stuck, paid, not at HO, no callback was ever tried.
    PaidStuckNeverSent,
    /// Stuck, paid, not at HO, callbacks failed.
    PaidStuckCallbackFailed,
    /// Stuck, paid, not at HO; no callback table is configured, so the two above cannot be told apart.
    PaidStuckNotRecorded,
    /// HO acknowledged the callback and has no record.
    AcknowledgedNotRecorded,
    /// Stuck, paid and recorded at HO: only the order's state is wrong.
    PaidStuckRecorded,
    /// Complete, paid, not at HO.
    ChargedNotRecorded,
    /// Complete, and no money moved.
    CompleteNotCharged,
    /// Failed, cancelled or expired, and paid.
    FailedButCharged,
    /// Stuck while the gateway has not answered.
    PaymentPendingStuck,
    /// Stuck, and no money moved.
    UnpaidStuck,
    /// Active, not for long.
    InFlight,
    /// As it should be.
    Ok,
}

/// All of them, in the order in which they are tried.
pub const ALL: [Class; 24] = [
    Class::PaymentWithoutOrder,
    Class::NotAsked,
    Class::UpgUnknown,
    Class::ChargedTwice,
    Class::UnmappedPayment,
    Class::RecordedNotCharged,
    Class::RecordedTwice,
    Class::AmountUpgHo,
    Class::AmountOrderUpg,
    Class::UnmappedStatus,
    Class::Settling,
    Class::HoUnknown,
    Class::PaidStuckNeverSent,
    Class::PaidStuckCallbackFailed,
    Class::PaidStuckNotRecorded,
    Class::AcknowledgedNotRecorded,
    Class::PaidStuckRecorded,
    Class::ChargedNotRecorded,
    Class::CompleteNotCharged,
    Class::FailedButCharged,
    Class::PaymentPendingStuck,
    Class::UnpaidStuck,
    Class::InFlight,
    Class::Ok,
];

impl Class {
    /// The name for machines: in files, series and command lines. It never changes.
    pub const fn key(self) -> &'static str {
        match self {
            Self::PaymentWithoutOrder => "orphan_payment",
            Self::NotAsked => "not_asked",
            Self::UpgUnknown => "upg_unknown",
            Self::ChargedTwice => "duplicate_charge",
            Self::UnmappedPayment => "unmapped_payment_status",
            Self::RecordedNotCharged => "recorded_not_charged",
            Self::RecordedTwice => "duplicate_record",
            Self::AmountUpgHo => "amount_mismatch_upg_ho",
            Self::AmountOrderUpg => "amount_mismatch_order_upg",
            Self::UnmappedStatus => "unmapped_status",
            Self::Settling => "settling",
            Self::HoUnknown => "ho_unknown",
            Self::PaidStuckNeverSent => "paid_stuck_unrecorded_never_sent",
            Self::PaidStuckCallbackFailed => "paid_stuck_unrecorded_callback_failed",
            Self::PaidStuckNotRecorded => "paid_stuck_unrecorded_callbacks_unknown",
            Self::AcknowledgedNotRecorded => "acked_not_recorded",
            Self::PaidStuckRecorded => "paid_stuck_recorded",
            Self::ChargedNotRecorded => "charged_not_recorded",
            Self::CompleteNotCharged => "complete_not_charged",
            Self::FailedButCharged => "failed_but_charged",
            Self::PaymentPendingStuck => "payment_pending_stuck",
            Self::UnpaidStuck => "unpaid_stuck",
            Self::InFlight => "in_flight",
            Self::Ok => "ok",
        }
    }

    /// The class with this key, in any case, with `-` for `_` allowed.
    pub fn parse(key: &str) -> Option<Self> {
        let key = key.trim().to_ascii_lowercase().replace('-', "_");
        ALL.into_iter().find(|c| c.key() == key)
    }

    /// The ledger in which something is missing: what it said is as old as its last answer.
    pub const fn rests_on(self) -> Option<Role> {
        match self {
            Self::PaidStuckNeverSent
            | Self::PaidStuckCallbackFailed
            | Self::PaidStuckNotRecorded
            | Self::AcknowledgedNotRecorded
            | Self::ChargedNotRecorded
            | Self::HoUnknown => Some(Role::HoPayments),
            Self::UnpaidStuck
            | Self::PaymentPendingStuck
            | Self::CompleteNotCharged
            | Self::RecordedNotCharged
            | Self::UpgUnknown => Some(Role::Payments),
            _ => None,
        }
    }

    /// Its place in [`ALL`].
    pub const fn number(self) -> usize {
        self as usize
    }
}

/// The class of an order: the first that fits.
///
/// The systems are read seconds apart, so an answer counts against an order only when it is young enough
/// to have seen the fault: what may still be on its way is settling, not missing.
pub fn class_of(facts: &Facts<'_>, rules: &Rules) -> Class {
    let Some(order) = facts.order else { return Class::PaymentWithoutOrder };
    let stuck = facts.stuck(rules.stuck_after);
    let under_way = matches!(order.status, OrderStatus::Active | OrderStatus::Created);
    let Some(asked) = facts.payments_asked else {
        return if under_way && !stuck { Class::InFlight } else { upg_owes(facts) };
    };
    if facts.paid > 1 {
        return Class::ChargedTwice;
    }
    if facts.unmapped_payments > 0 {
        return Class::UnmappedPayment;
    }
    if facts.paid == 1 { paid(facts, order.status.clone(), rules) } else { unpaid(facts, asked, rules) }
}

/// UPG kept no money of it.
fn unpaid(facts: &Facts<'_>, asked: Stamp, rules: &Rules) -> Class {
    let Some(order) = facts.order else { return Class::PaymentWithoutOrder };
    let stuck = facts.stuck(rules.stuck_after);
    // An answer that may be older than the payment: it is on its way while UPG answers, unknown when not.
    let early = |since: Option<Stamp>| {
        let since = since.filter(|t| asked.since(*t) < rules.settle_after)?;
        let fresh = facts.asof.since(since) < rules.settle_after || !silent(facts.payments_last, facts.asof);
        Some(if fresh { Class::Settling } else { Class::UpgUnknown })
    };
    if facts.recorded > 0 {
        return early(facts.recorded_at).unwrap_or(Class::RecordedNotCharged);
    }
    match &order.status {
        OrderStatus::Other(_) => Class::UnmappedStatus,
        OrderStatus::Complete => early(order.updated_at).unwrap_or(Class::CompleteNotCharged),
        OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired => Class::Ok,
        _ if stuck && facts.pending => Class::PaymentPendingStuck,
        // An answer given soon after the birth cannot say that nobody paid since.
        _ if stuck && asked < facts.born + Lapse(rules.stuck_after.0 / 2) => upg_owes(facts),
        _ if stuck => Class::UnpaidStuck,
        OrderStatus::Active | OrderStatus::Created => Class::InFlight,
    }
}

/// UPG took money once.
fn paid(facts: &Facts<'_>, status: OrderStatus, rules: &Rules) -> Class {
    let stuck = facts.stuck(rules.stuck_after);
    if facts.recorded > 1 {
        return Class::RecordedTwice;
    }
    if facts.recorded == 1 && facts.upg_ho_differ() {
        return Class::AmountUpgHo;
    }
    if facts.order_upg_differ() {
        return Class::AmountOrderUpg;
    }
    if matches!(status, OrderStatus::Other(_)) {
        return Class::UnmappedStatus;
    }
    let ended = matches!(status, OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired);
    if facts.recorded == 0 {
        let settles = facts.settled.is_some_and(|t| facts.asof.since(t) < rules.settle_after);
        if settles {
            return Class::Settling;
        }
        if facts.missing_at_ho(rules.settle_after).is_none() {
            return ho_owes(facts, rules);
        }
        return match status {
            _ if stuck => stuck_and_not_recorded(facts),
            _ if facts.acknowledged => Class::AcknowledgedNotRecorded,
            _ if ended => Class::FailedButCharged,
            OrderStatus::Active => Class::InFlight,
            OrderStatus::Created if facts.age() <= rules.stuck_after => Class::InFlight,
            _ => Class::ChargedNotRecorded,
        };
    }
    match status {
        _ if stuck => Class::PaidStuckRecorded,
        _ if ended => Class::FailedButCharged,
        OrderStatus::Active | OrderStatus::Created => Class::InFlight,
        _ => Class::Ok,
    }
}

/// Charged, stuck and not at HO: the callbacks tell which of three it is, when anybody asked for them.
fn stuck_and_not_recorded(facts: &Facts<'_>) -> Class {
    let asked = facts.callbacks_asked.zip(facts.settled).is_some_and(|(asked, settled)| asked >= settled);
    match facts.callbacks {
        0 if asked => Class::PaidStuckNeverSent,
        0 => Class::PaidStuckNotRecorded,
        _ if facts.acknowledged => Class::AcknowledgedNotRecorded,
        _ => Class::PaidStuckCallbackFailed,
    }
}

/// Whether a system that answered once has been silent since.
fn silent(last: Option<Stamp>, asof: Stamp) -> bool {
    last.is_some_and(|t| asof.since(t) > SILENT)
}

/// UPG's answer is missing, or too old to count.
fn upg_owes(facts: &Facts<'_>) -> Class {
    if silent(facts.payments_last, facts.asof) { Class::UpgUnknown } else { Class::NotAsked }
}

/// HO's answer is missing, or too old to count. While it answers others, a late one is on its way.
fn ho_owes(facts: &Facts<'_>, rules: &Rules) -> Class {
    let late = |t: Stamp| facts.settled.is_some_and(|s| t.since(s) < rules.settle_after);
    match facts.ho_asked {
        _ if silent(facts.ho_last, facts.asof) => Class::HoUnknown,
        Some(t) if late(t) => Class::Settling,
        _ => Class::NotAsked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_class_is_found_by_its_key_and_stands_at_its_number() {
        for (i, class) in ALL.into_iter().enumerate() {
            assert_eq!((class.number(), Class::parse(class.key())), (i, Some(class)));
            assert!(class.card().is_some(), "{class:?}");
        }
        assert_eq!(ALL.map(Class::key).into_iter().collect::<BTreeSet<_>>().len(), ALL.len());
        assert!(ALL.is_sorted());
        assert_eq!(Class::parse("Unpaid-Stuck "), Some(Class::UnpaidStuck));
        assert_eq!(Class::parse("nonsense"), None);
    }
}
