//! How many orders were in a class at each of a row of instants, by what was known then.
//!
//! An order that went its way smoothly was never in a fault's class and is not looked at for one. Of the
//! others the class is worked out only where it can have changed: at a row, at an answer, at a threshold, and
//! where a ledger fell silent or answered again. The classes that are no faults are counted from their ends.
//!
//! May not know: lanes, screens.

use crate::analysis::reconcile::class::{Class, SILENT, class_of};
use crate::analysis::reconcile::facts::{Asked, Facts, newest_order};
use crate::model::incident::Rules;
use crate::model::order::{OrderStatus, PaymentStatus, Role};
use crate::model::{Lapse, Stamp};
use crate::store::Store;
use crate::store::book::Entry;

/// Orders in `class` at each of `instants`, which rise; of those whose birth is `wanted`.
pub fn counts(store: &Store, class: Class, instants: &[Stamp], wanted: impl Fn(Stamp) -> bool) -> Vec<u32> {
    let rules = &store.incident.rules;
    let asked: Vec<Asked> = instants.iter().map(|t| Asked::new(&store.orders, *t)).collect();
    let shared = turns(&asked, instants);
    let fault = !class.card().is_some_and(|c| c.fine);
    let Some(last) = instants.last() else { return Vec::new() };
    let answers = Answers::new(store, *last);
    let mut steps = vec![0_i64; instants.len() + 1];
    let mut at: Vec<usize> = Vec::new();
    for (_, entry) in store.orders.entries() {
        let entry = &*entry;
        if fault && smooth(entry, rules, *last) {
            continue;
        }
        at.clear();
        at.extend_from_slice(&shared);
        changes(entry, rules, &answers, instants, &mut at);
        at.sort_unstable();
        at.dedup();
        let mut inside = false;
        for i in at.iter().copied() {
            let facts = Facts::read(entry, &asked[i], rules.settle_after).filter(|f| wanted(f.born));
            let now = facts.is_some_and(|f| class_of(&f, rules) == class);
            if now != inside {
                steps[i] += if now { 1 } else { -1 };
                inside = now;
            }
        }
    }
    let mut n = 0_i64;
    steps[..instants.len()]
        .iter()
        .map(|step| {
            n += step;
            u32::try_from(n).unwrap_or(0)
        })
        .collect()
}

/// Whether an order was complete, paid once and recorded once before anything could have been called late.
fn smooth(entry: &Entry, rules: &Rules, last: Stamp) -> bool {
    let Some((read, order)) = newest_order(entry, last) else { return false };
    let soon = rules.stuck_after.min(rules.settle_after);
    let in_time = |t: Stamp| t.since(order.created_at) < soon;
    let [(paid_at, payment)] = &entry.payments[..] else { return false };
    let [(recorded_at, record)] = &entry.ho[..] else { return false };
    order.status == OrderStatus::Complete
        && payment.status == PaymentStatus::Paid
        && order.amount == payment.amount
        && record.amount == payment.amount
        && [read, *paid_at, *recorded_at].into_iter().all(in_time)
        && entry.orders.len() < 64
}

/// Where the class of any order may change because a ledger fell silent or answered again, and the first.
fn turns(asked: &[Asked], instants: &[Stamp]) -> Vec<usize> {
    let silent = |i: usize, role| asked[i].last(role).is_none_or(|t| instants[i].since(t) > SILENT);
    let state = |i: usize| [silent(i, Role::Payments), silent(i, Role::HoPayments)];
    (0..asked.len()).filter(|i| *i == 0 || state(*i) != state(i - 1)).collect()
}

/// When each role answered about a window, up to the last instant.
struct Answers([(Role, Vec<Stamp>); 4]);

impl Answers {
    fn new(store: &Store, last: Stamp) -> Self {
        let roles = [Role::Orders, Role::Payments, Role::Callbacks, Role::HoPayments];
        Self(roles.map(|role| (role, store.orders.asks(role, last).map(|(t, _)| t).collect())))
    }

    /// The first answers from `t` on that an order can have been in, of every role.
    fn after(&self, entry: &Entry, t: Stamp, out: &mut Vec<Stamp>) {
        for (role, times) in &self.0 {
            out.extend(times.get(times.partition_point(|at| *at < t)));
            out.extend(entry.asked.iter().find(|(at, r)| r == role && *at >= t).map(|(at, _)| *at));
        }
    }
}

/// Where the class of one order may change: at its rows, at the thresholds that run from them, and at the
/// first answers after each of those.
fn changes(entry: &Entry, rules: &Rules, answers: &Answers, instants: &[Stamp], out: &mut Vec<usize>) {
    let mut times: Vec<Stamp> = Vec::new();
    let mut since: Vec<Stamp> = Vec::new();
    for (t, order) in &entry.orders {
        times.push(*t);
        since.extend([order.created_at, order.created_at + Lapse(rules.stuck_after.0 / 2)]);
        since.push(order.created_at + rules.stuck_after + Lapse(1));
        since.extend(order.updated_at.map(|u| u + rules.settle_after));
    }
    for (t, payment) in &entry.payments {
        times.push(*t);
        since.push(payment.created_at + rules.settle_after);
        since.extend(payment.settled_at.map(|s| s + rules.settle_after));
        since.extend(payment.settled_at);
    }
    for (t, record) in &entry.ho {
        times.push(*t);
        since.push(record.recorded_at + rules.settle_after);
    }
    times.extend(entry.callbacks.iter().map(|(t, _)| *t));
    since.sort_unstable();
    since.dedup();
    for t in &since {
        answers.after(entry, *t, &mut times);
    }
    times.extend(since);
    let index = |t: Stamp| instants.partition_point(|at| *at < t);
    out.extend(times.into_iter().map(index).filter(|i| *i < instants.len()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::reconcile::{class::ALL, standing};
    use crate::model::Span;
    use crate::simulator::day::Day;
    use crate::simulator::{END, START, scenario};
    use std::sync::Arc;

    /// Every class of a whole evening, at two dozen instants, is what counting anew at each of them gives.
    #[test]
    fn a_curve_is_what_counting_at_each_instant_gives() {
        let day = Day::evening(scenario::named("callback").unwrap(), 77_000).sharded(40);
        let mut store = Store::default();
        crate::simulator::play(Arc::new(day)).for_each(|batch| {
            store.apply(&batch);
        });
        let step = Lapse(END.since(START).0 / 24);
        let instants: Vec<Stamp> = (1..=24).map(|i| START + step.times(i)).collect();
        let counted: Vec<_> = instants.iter().map(|at| standing(&store, Span::new(START, END), *at)).collect();
        let mut moved = 0;
        for class in ALL {
            let wanted: Vec<u32> = counted.iter().map(|s| s.of(class) as u32).collect();
            assert_eq!(
                counts(&store, class, &instants, |born| Span::new(START, END).contains(born)),
                wanted,
                "{class:?}"
            );
            moved += usize::from(wanted.windows(2).any(|w| w[0] != w[1]));
        }
        assert!(moved > 5, "the evening was quiet");
    }
}
