//! What else is true of an order beside its class: an order that HO recorded twice may be stuck as well.
//!
//! A flag never decides a class, and no class hides a flag. May not know: stores, screens.

use crate::analysis::reconcile::class::Class;
use crate::analysis::reconcile::facts::Facts;
use crate::model::incident::Rules;
use crate::model::order::OrderStatus;
use crate::model::{Lapse, Stamp, Zone};

/// How near the border of the business day a record is suspected to be on the wrong side of it.
const CUT: Lapse = Lapse::hours(1);

/// Something that is true of an order, whatever its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// ACTIVE for longer than `stuck_after`.
    Stuck,
    /// Charged, and HO was asked late enough and has fewer records than there are payments.
    NotAtHo,
    /// Paid more than once.
    DuplicateCharge,
    /// In HO's books more often than it was paid.
    DuplicateRecord,
    /// UPG and HO name different amounts.
    AmountUpgHo,
    /// Order and UPG name different amounts.
    AmountOrderUpg,
    /// HO was told later than `settle_after` after the payment settled, or after the order had ended.
    LateCallback,
    /// Recorded within an hour of midnight: the business date may be the wrong one.
    HoClockCut,
    /// A payment was given back.
    Refunded,
    /// A row names no amount: sums leave it out.
    NoAmount,
    /// The order stands in a status nobody mapped.
    UnmappedStatus,
    /// A payment stands in a status nobody mapped.
    UnmappedPayment,
}

/// All flags, in order.
pub const FLAGS: [Flag; 12] = [
    Flag::Stuck,
    Flag::NotAtHo,
    Flag::DuplicateCharge,
    Flag::DuplicateRecord,
    Flag::AmountUpgHo,
    Flag::AmountOrderUpg,
    Flag::LateCallback,
    Flag::HoClockCut,
    Flag::Refunded,
    Flag::NoAmount,
    Flag::UnmappedStatus,
    Flag::UnmappedPayment,
];

impl Flag {
    /// The name for machines.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::NotAtHo => "not_at_ho",
            Self::DuplicateCharge => "duplicate_charge",
            Self::DuplicateRecord => "duplicate_record",
            Self::AmountUpgHo => "amount_mismatch_upg_ho",
            Self::AmountOrderUpg => "amount_mismatch_order_upg",
            Self::LateCallback => "late_callback",
            Self::HoClockCut => "ho_clock_cut",
            Self::Refunded => "refunded",
            Self::NoAmount => "no_amount",
            Self::UnmappedStatus => "unmapped_status",
            Self::UnmappedPayment => "unmapped_payment_status",
        }
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::NotAtHo => "not at HO",
            Self::DuplicateCharge => "charged more than once",
            Self::DuplicateRecord => "recorded more than once",
            Self::AmountUpgHo => "amounts differ, UPG and HO",
            Self::AmountOrderUpg => "amounts differ, order and UPG",
            Self::LateCallback => "late callback",
            Self::HoClockCut => "HO near the day's border",
            Self::Refunded => "refunded",
            Self::NoAmount => "no amount",
            Self::UnmappedStatus => "status nobody mapped",
            Self::UnmappedPayment => "payment status nobody mapped",
        }
    }
}

impl Flag {
    /// The name in a narrow column.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::NotAtHo => "not-at-HO",
            Self::DuplicateCharge => "paid-2x",
            Self::DuplicateRecord => "HO-2x",
            Self::AmountUpgHo => "UPG≠HO",
            Self::AmountOrderUpg => "order≠UPG",
            Self::LateCallback => "late-callback",
            Self::HoClockCut => "day-border",
            Self::Refunded => "refunded",
            Self::NoAmount => "no-amount",
            Self::UnmappedStatus => "status?",
            Self::UnmappedPayment => "payment?",
        }
    }
}

/// The flags of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    /// Whether it is among them.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u16) != 0
    }
    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        FLAGS.into_iter().filter(move |f| self.has(*f))
    }
    /// Those that the class does not say already.
    pub fn beside(self, class: Class) -> impl Iterator<Item = Flag> {
        let card = class.card();
        let said = move |flag: &Flag| match flag {
            Flag::Stuck => card.is_some_and(|c| c.stuck),
            Flag::NotAtHo => card.is_some_and(|c| c.not_at_ho) && class != Class::FailedButCharged,
            flag => flag.key() == class.key(),
        };
        self.iter().filter(move |f| !said(f))
    }
    fn set(&mut self, flag: Flag, is: bool) {
        self.0 |= u16::from(is) << flag as u16;
    }
}

/// Everything that is true of an order beside its class.
pub fn flags_of(facts: &Facts<'_>, rules: &Rules, zone: &Zone) -> Flags {
    let mut flags = Flags::default();
    let record_amount = facts.recorded_without_amount > 0;
    flags.set(Flag::Stuck, facts.stuck(rules.stuck_after));
    flags.set(Flag::NotAtHo, facts.missing_at_ho(rules.settle_after).is_some());
    flags.set(Flag::DuplicateCharge, facts.paid > 1);
    flags.set(Flag::DuplicateRecord, facts.recorded > facts.paid.max(1));
    // Of an order with a payment too many or a record too few, the sums differ by that alone.
    flags.set(Flag::AmountUpgHo, facts.recorded == facts.paid && facts.upg_ho_differ());
    flags.set(Flag::AmountOrderUpg, facts.paid == 1 && facts.order_upg_differ());
    flags.set(Flag::LateCallback, late_callback(facts, rules));
    let near = |t: Option<Stamp>| t.is_some_and(|t| near_midnight(t, zone));
    flags.set(Flag::HoClockCut, near(facts.recorded_first) || near(facts.recorded_at) || other_day(facts, zone));
    flags.set(Flag::Refunded, facts.refunded > 0);
    flags.set(Flag::NoAmount, facts.without_amount() || record_amount);
    let other = facts.order.is_some_and(|o| matches!(o.status, OrderStatus::Other(_)));
    flags.set(Flag::UnmappedStatus, other);
    flags.set(Flag::UnmappedPayment, facts.unmapped_payments > 0);
    flags
}

fn late_callback(facts: &Facts<'_>, rules: &Rules) -> bool {
    let after_settling =
        facts.called_last.zip(facts.settled).is_some_and(|(sent, settled)| sent.since(settled) > rules.settle_after);
    let ended = facts.order.filter(|o| !matches!(o.status, OrderStatus::Active | OrderStatus::Created));
    // The last change of an ended order is its end or later, so a callback after it was surely late.
    let after_end = facts.acked_last.zip(ended.and_then(|o| o.updated_at)).is_some_and(|(sent, end)| sent > end);
    after_settling || after_end
}

/// HO booked it on another day than the one it was written on.
fn other_day(facts: &Facts<'_>, zone: &Zone) -> bool {
    facts.booked.is_some_and(|(day, at)| zone.day(at) != day)
}

fn near_midnight(t: Stamp, zone: &Zone) -> bool {
    let into = t.since(zone.midnight(t));
    into <= CUT || Lapse::hours(24) - into <= CUT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::order::{Attributes, Order};
    use std::collections::BTreeSet;

    const T: Stamp = Stamp::from_secs(1_736_694_000);

    fn order(status: OrderStatus) -> Order {
        Order {
            order_id: "O".into(),
            created_at: T,
            status,
            amount: Some(500),
            payment_method: None,
            region: None,
            service_type: None,
            saga_step: None,
            trace_id: None,
            updated_at: Some(T + Lapse::minutes(1)),
            version: None,
            attributes: Attributes::default(),
        }
    }

    fn paid(order: &Order, recorded: usize) -> Facts<'_> {
        Facts {
            order: Some(order),
            payments_asked: Some(T + Lapse::hours(1)),
            ho_asked: Some(T + Lapse::hours(1)),
            paid: 1,
            paid_amount: 500,
            settled: Some(T + Lapse::seconds(2)),
            recorded,
            recorded_amount: 500 * recorded as i64,
            ..Facts::blank(T, T + Lapse::hours(1))
        }
    }

    fn keys(facts: &Facts<'_>) -> Vec<&'static str> {
        flags_of(facts, &Rules::default(), &Zone::wib()).iter().map(Flag::key).collect()
    }

    #[test]
    fn keys_and_names_are_unique_and_flags_stand_in_their_order() {
        assert_eq!(FLAGS.map(Flag::key).into_iter().collect::<BTreeSet<_>>().len(), FLAGS.len());
        assert_eq!(FLAGS.map(Flag::name).into_iter().collect::<BTreeSet<_>>().len(), FLAGS.len());
        assert!(FLAGS.is_sorted() && FLAGS.iter().enumerate().all(|(i, f)| *f as usize == i));
    }

    #[test]
    fn an_order_is_recorded_twice_and_stuck_at_once() {
        let active = order(OrderStatus::Active);
        let facts = paid(&active, 2);
        let class = crate::analysis::reconcile::class_of(&facts, &Rules::default());
        assert_eq!((class, keys(&facts)), (Class::RecordedTwice, vec!["stuck", "duplicate_record"]));
        let flags = flags_of(&facts, &Rules::default(), &Zone::wib());
        assert_eq!(flags.beside(class).collect::<Vec<_>>(), [Flag::Stuck]);
        assert_eq!(flags.beside(Class::PaidStuckRecorded).collect::<Vec<_>>(), [Flag::DuplicateRecord]);
    }

    #[test]
    fn a_callback_is_late_after_settling_and_after_the_end() {
        let complete = order(OrderStatus::Complete);
        let told = |sent: Lapse, acked| Facts {
            callbacks: 1,
            acknowledged: acked,
            called_last: Some(T + sent),
            acked_last: acked.then_some(T + sent),
            ..paid(&complete, 1)
        };
        assert_eq!(keys(&told(Lapse::seconds(40), true)), Vec::<&str>::new());
        assert_eq!(keys(&told(Lapse::minutes(2), false)), Vec::<&str>::new());
        assert_eq!(keys(&told(Lapse::minutes(2), true)), ["late_callback"]);
        assert_eq!(keys(&told(Lapse::minutes(11), false)), ["late_callback"]);
    }

    #[test]
    fn the_day_s_border_is_that_of_the_incident_s_zone() {
        let complete = order(OrderStatus::Complete);
        let midnight = Zone::wib().midnight(T);
        let at = |by: Lapse| {
            let recorded_at = Some(midnight + by);
            keys(&Facts { recorded_at, recorded_first: recorded_at, ..paid(&complete, 1) })
        };
        let booked = |days: i64| {
            let noon = midnight + Lapse::hours(12);
            let day = Zone::wib().day(noon + Lapse::hours(24 * days));
            keys(&Facts { booked: Some((day, noon)), ..paid(&complete, 1) })
        };
        assert_eq!((booked(0), booked(1)), (Vec::new(), vec!["ho_clock_cut"]), "HO's day is another one");
        assert_eq!(at(Lapse::minutes(60)), ["ho_clock_cut"]);
        assert_eq!(at(Lapse::minutes(61)), Vec::<&str>::new());
        assert_eq!(at(Lapse::minutes(-60)), ["ho_clock_cut"]);
        assert_eq!(at(Lapse::minutes(-61)), Vec::<&str>::new());
        // Midnight in UTC is seven in the morning.
        assert_eq!(at(Lapse::hours(7)), Vec::<&str>::new());
    }

    #[test]
    fn money_given_back_and_amounts_that_are_missing_are_flags() {
        let failed = order(OrderStatus::Failed);
        let back = Facts { paid: 0, paid_amount: 0, settled: None, refunded: 1, ..paid(&failed, 0) };
        assert_eq!(keys(&back), ["refunded"]);
        let none = Facts { paid_without_amount: 1, paid_amount: 0, ..paid(&failed, 1) };
        assert_eq!(keys(&none), ["no_amount"]);
        let record = Facts { recorded_without_amount: 1, recorded_amount: 0, ..paid(&failed, 1) };
        assert_eq!(keys(&record), ["no_amount"]);
        let dear = Facts { paid_amount: 600, recorded_amount: 600, ..paid(&failed, 1) };
        assert_eq!(keys(&dear), ["amount_mismatch_order_upg"]);
    }
}
