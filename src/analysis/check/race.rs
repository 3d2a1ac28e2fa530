//! Race condition (H5): transitions that must not happen, two actors on one version, deadlocks, and orders
//! that every system has finished but the order system.

use super::answer::{Answer, verdict};
use super::lines::Says;
use super::pool::no_orders;
use super::scene::{Known, Scene};
use super::words::{count, share};
use crate::analysis::reconcile::Class;
use crate::model::note::Verdict;
use crate::model::order::{OrderEvent, Role};
use crate::model::{Lapse, Stamp};
use std::collections::HashSet;

const NO_EVENTS: &str = "transitions are not read: configure a [[query]] with role = \"order_events\"";

/// An order's transitions read by the instant, in time order.
fn events<'s>(s: &Scene<'s>, order: &str) -> Vec<&'s OrderEvent> {
    let Some(entry) = s.store.orders.entry(order) else { return Vec::new() };
    let mut out: Vec<&OrderEvent> =
        entry.events.iter().filter(|(read, e)| *read <= s.at && e.at <= s.at).map(|(_, e)| e).collect();
    out.sort_by_key(|e| e.at);
    out
}

/// A transition the machine has no edge for: out of an end, from ACTIVE to itself, or back in version.
fn illegal(before: Option<&OrderEvent>, e: &OrderEvent) -> bool {
    let from = e.from.as_deref().or(before.map(|b| b.to.as_ref())).unwrap_or_default().to_uppercase();
    let to = e.to.to_uppercase();
    let ended = matches!(from.as_str(), "COMPLETE" | "FAILED" | "CANCELLED" | "EXPIRED");
    let paid = from == "PAID" && matches!(to.as_str(), "PENDING" | "INITIATED");
    let same = e.from.is_some() && from == "ACTIVE" && to == "ACTIVE";
    let back = before.and_then(|b| b.version).zip(e.version).is_some_and(|(old, new)| new <= old);
    (ended && to != from) || paid || same || back
}

/// Two actors that changed the same version this close together.
fn raced(before: &OrderEvent, e: &OrderEvent, within: Lapse) -> bool {
    let two = before.actor.is_some() && e.actor.is_some() && before.actor != e.actor;
    let same = before.version.is_some() && before.version == e.version;
    two && same && e.at.since(before.at) <= within
}

/// Which orders carry the evidence that is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Illegal,
    Races,
}

/// Stuck orders with transitions, those with an illegal one, those with a race.
fn seen(s: &Scene<'_>, names: Names) -> (usize, usize, usize) {
    s.book().stuck.iter().fold((0, 0, 0), |(all, bad, races), k| {
        let events = events(s, k.id);
        let with_before = |i: usize| i.checked_sub(1).and_then(|b| events.get(b)).copied();
        let is_bad = events.iter().enumerate().any(|(i, e)| illegal(with_before(i), e));
        let is_race =
            events.iter().enumerate().any(|(i, e)| with_before(i).is_some_and(|b| raced(b, e, s.n.race_within)));
        if (names == Names::Illegal && is_bad) || (names == Names::Races && is_race) {
            s.carry(|| vec![k.id]);
        }
        (all + usize::from(!events.is_empty()), bad + usize::from(is_bad), races + usize::from(is_race))
    })
}

fn without_events(s: &Scene<'_>) -> Option<Answer> {
    if s.answered(Role::OrderEvents).is_none() {
        return Some(Answer::no_data(NO_EVENTS));
    }
    no_orders(s)
}

/// H5a: transitions that must not happen.
pub fn transitions(s: &Scene<'_>) -> Answer {
    if let Some(answer) = without_events(s) {
        return answer;
    }
    let stuck = s.book().stuck.len();
    let (all, bad, _) = seen(s, Names::Illegal);
    let covered = all as f64 >= s.n.complete / 100.0 * stuck as f64;
    let many = bad as f64 >= s.n.illegal * stuck as f64 && bad > 0;
    Answer::new(
        verdict(many, covered && bad == 0),
        format!("{} illegal in {} stuck orders with transitions ({})", count(bad), count(all), share(bad, all)),
    )
    .asof(s.answered(Role::OrderEvents))
    .with("coverage", format!("{} of {} stuck orders have transitions", count(all), count(stuck)))
    .with("lines", format!("{} lines of an unexpected state", count(s.lines().count(Says::STATE))))
}

/// H5b: whether the database had to break conflicts. Whether locks are right is a question to people.
pub fn locking(s: &Scene<'_>) -> Answer {
    let mut minutes: HashSet<i64> = HashSet::new();
    let (mut found, mut looked, mut compared) = (0.0, None::<Stamp>, false);
    for (_, looks) in s.databases() {
        looked = looked.max(looks.last().map(|l| l.at));
        for pair in looks.windows(2) {
            let [old, new] = pair else { continue };
            let (Some(before), Some(after)) = (&old.counters, &new.counters) else { continue };
            compared |= before.reset == after.reset;
            let more = (after.deadlocks - before.deadlocks).max(0);
            if before.reset == after.reset && more > 0 {
                found += more as f64;
                minutes.insert(new.at.0.div_euclid(60_000_000));
            }
        }
    }
    let said = s.lines().count(Says::DEADLOCK);
    if !compared && s.lines().total == 0 {
        return Answer::no_data(match looked {
            Some(_) => "no two looks with counters at any database yet, and no log line",
            None => "deadlocks are not measured: configure a [[db]] or [[logs]]",
        });
    }
    let counted = compared.then(|| match minutes.len() {
        0 => "0 deadlocks counted".to_owned(),
        m => format!("{} deadlocks in {m} minutes", count(found as usize)),
    });
    let lines = (s.lines().total > 0).then(|| format!("{} log lines of a deadlock", count(said)));
    let measured: Vec<String> = counted.into_iter().chain(lines).collect();
    let many = minutes.len() >= s.n.deadlock_minutes || s.lines().minutes_of(Says::DEADLOCK).0 >= s.n.deadlock_minutes;
    Answer::new(verdict(many, false), measured.join("; "))
        .asof(looked.max(s.lines().newest))
        .with("not known", "whether there is a unique key and a version column: open question to Engineering")
}

/// H5c: two actors on one version.
pub fn conflicts(s: &Scene<'_>) -> Answer {
    if let Some(answer) = without_events(s) {
        return answer;
    }
    let (all, _, races) = seen(s, Names::Races);
    let versions =
        s.book().stuck.iter().any(|k| events(s, k.id).iter().any(|e| e.version.is_some() && e.actor.is_some()));
    if !versions {
        return Answer::no_data("transitions carry no actor and version: add both columns to the order_events query");
    }
    let part = races as f64 / all.max(1) as f64;
    let supports = all >= s.n.shown_orders && part >= s.n.shown;
    let refutes = all >= s.n.hardly_shown_orders && part < s.n.hardly_shown;
    Answer::new(
        verdict(supports, refutes),
        format!(
            "{} of {} stuck orders have two actors on one version ({})",
            count(races),
            count(all),
            share(races, all)
        ),
    )
    .asof(s.answered(Role::OrderEvents))
}

/// H5x: stuck orders that HO has recorded, and records made twice.
pub fn recorded(s: &Scene<'_>) -> Answer {
    if s.answered(Role::HoPayments).is_none() {
        return Answer::no_data("HO was not asked: configure a [[query]] with role = \"ho_payments\"");
    }
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let stuck = s.book().stuck.len();
    let twice_or_stuck = |k: &&Known<'_>| matches!(k.class, Class::PaidStuckRecorded | Class::RecordedTwice);
    s.carry(|| s.book().stuck.iter().chain(&s.book().faults).filter(twice_or_stuck).map(|k| k.id).collect());
    let (only_state, _) = s.book().of(&[Class::PaidStuckRecorded]);
    let (twice, _) = s.book().of(&[Class::RecordedTwice]);
    let part = only_state as f64 / stuck as f64;
    let supports = part >= s.n.recorded_most || twice > 0;
    Answer::new(
        verdict(supports, part < s.n.recorded_few),
        format!(
            "{} of {} stuck orders are recorded at HO ({}); {} recorded twice",
            count(only_state),
            count(stuck),
            share(only_state, stuck),
            count(twice)
        ),
    )
    .asof(s.answered(Role::HoPayments))
}

/// U3: two payments of one order at once.
pub fn double_payments(s: &Scene<'_>) -> Answer {
    if s.answered(Role::Payments).is_none() {
        return Answer::no_data("UPG was not asked: configure a [[query]] with role = \"payments\"");
    }
    let (mut all, mut twice) = (0, 0);
    for k in s.book().stuck.iter().chain(&s.book().faults) {
        let Some(entry) = s.store.orders.entry(k.id) else { continue };
        let mut begun: Vec<(Stamp, &str)> = entry
            .payments
            .iter()
            .filter(|(t, _)| *t <= s.at)
            .map(|(_, p)| (p.created_at, p.upg_ref.as_ref()))
            .collect();
        begun.sort_unstable();
        begun.dedup_by_key(|b| b.1);
        all += 1;
        twice += usize::from(
            begun.windows(2).any(|w| matches!(w, [a, b] if a.1 != b.1 && b.0.since(a.0) <= s.n.twice_within)),
        );
    }
    if all == 0 {
        return Answer::new(Verdict::Inconclusive, "no order is at fault");
    }
    let many = twice as f64 >= s.n.illegal * all as f64 && twice > 0;
    Answer::new(
        verdict(many, twice == 0),
        format!("{} of {} orders at fault have two payments within 2 s", count(twice), count(all)),
    )
    .asof(s.answered(Role::Payments))
}
