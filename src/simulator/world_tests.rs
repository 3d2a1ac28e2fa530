//! Every scenario's evening: nothing is lost or made up on the way, what the tables say is what the platform knows,
//! and the declared truth is what follows from it.

use super::day::Day;
use super::ledger::{Ledger, Write, first_payment, order_id};
use super::platform::agenda::Ms;
use super::platform::life::{Paid, Step};
use super::platform::ms;
use super::scenario::{self, truth};
use super::{END, START, rows, scenario::truth::Sum};
use crate::analysis::reconcile::{Class, standing};
use crate::analysis::trail::{first::Stage, trail};
use crate::model::order::{OrderStatus, PaymentStatus, Rows};
use crate::model::{Span, Stamp, Zone};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// One order as the four tables have it in the end.
#[derive(Debug, Default)]
struct Joined {
    status: Option<OrderStatus>,
    amount: i64,
    paid: Vec<i64>,
    pending: bool,
    told: u32,
    acknowledged: bool,
    booked: Vec<i64>,
}

/// All tables of a day, joined by their keys alone.
fn tables(day: &Arc<Day>) -> BTreeMap<String, Joined> {
    let ledger = Ledger::new(Arc::clone(day));
    let writes = ledger.writes(0, Ms::MAX);
    let mut out: BTreeMap<String, Joined> = BTreeMap::new();
    let mut payments: HashMap<Arc<str>, (String, i64, PaymentStatus)> = HashMap::new();
    let mut records = Vec::new();
    for database in 0..4 {
        for rows in rows(&ledger, &writes, database, true) {
            match rows {
                Rows::Orders(rows) => rows.into_iter().for_each(|o| {
                    let joined = out.entry(o.order_id.to_string()).or_default();
                    (joined.status, joined.amount) = (Some(o.status), o.amount.unwrap());
                }),
                Rows::Payments(rows) => rows.into_iter().for_each(|p| {
                    payments.insert(p.upg_ref.clone(), (p.order_id.to_string(), p.amount.unwrap(), p.status));
                }),
                Rows::Callbacks(rows) => rows.into_iter().for_each(|c| {
                    let joined = out.entry(c.order_id.unwrap().to_string()).or_default();
                    joined.told += 1;
                    joined.acknowledged |= c.http_status == Some(200);
                }),
                Rows::HoPayments(rows) => records.extend(rows),
                Rows::OrderEvents(_) | Rows::Saga(_) | Rows::OrdersAgg(_) | Rows::CallbackQueue(_) => {}
            }
        }
    }
    for record in records {
        let (order, amount, status) = &payments[record.upg_ref.as_ref().unwrap()];
        assert_eq!((record.amount, status), (Some(*amount), &PaymentStatus::Paid), "HO has only what was paid");
        assert_eq!(record.order_id.as_deref(), Some(order.as_str()));
        out.get_mut(order).unwrap().booked.push(record.amount.unwrap());
    }
    for (order, amount, status) in payments.into_values() {
        let joined = out.get_mut(&order).unwrap_or_else(|| panic!("a payment of {order}, which is no order"));
        match status {
            PaymentStatus::Paid => joined.paid.push(amount),
            PaymentStatus::Pending => joined.pending = true,
            _ => {}
        }
    }
    out
}

/// The class of an order by what the tables say, in the order of the classes.
fn class(o: &Joined) -> &'static str {
    let status = o.status.as_ref().expect("every order has a row");
    let (paid, booked, active) = (o.paid.len(), o.booked.len(), *status == OrderStatus::Active);
    match (paid, booked) {
        (2.., _) => "duplicate_charge",
        (0, 1..) => "recorded_not_charged",
        (p, b) if b > p => "duplicate_record",
        (1, 0) if active && o.told == 0 => "paid_stuck_unrecorded_never_sent",
        (1, 0) if active && !o.acknowledged => "paid_stuck_unrecorded_callback_failed",
        (1, 0) if o.acknowledged => "acked_not_recorded",
        (1, 1) if active => "paid_stuck_recorded",
        (1, 0) if *status == OrderStatus::Complete => "charged_not_recorded",
        (0, _) if *status == OrderStatus::Complete => "complete_not_charged",
        (1, _) if matches!(status, OrderStatus::Failed | OrderStatus::Expired) => "failed_but_charged",
        (0, _) if active && o.pending => "payment_pending_stuck",
        (0, _) if active => "unpaid_stuck",
        _ => "ok",
    }
}

fn clock(text: &str) -> Stamp {
    Zone::wib().on_day(START, text).unwrap()
}

/// Everything that must hold for a day, whatever its scenario.
fn conserved(day: &Arc<Day>) {
    let name = format!("{} {}", day.scenario.name, day.seed);
    let joined = tables(day);
    let born = day.history.lives.iter().filter(|l| l.born > 0).count();
    assert_eq!(joined.len(), born, "{name}: every order has a row, and every row an order");
    let ids: BTreeSet<String> = day.history.lives.iter().filter(|l| l.born > 0).map(order_id).collect();
    assert_eq!(ids.len(), born, "{name}: no number twice");
    let mut classes: BTreeMap<String, Sum> = BTreeMap::new();
    let by_order = truth::by_order(day);
    for (id, o) in &joined {
        assert!(o.paid.iter().chain(&o.booked).all(|a| *a == o.amount), "{name} {id}: {o:?}");
        assert!(o.booked.len() <= 1 && o.told <= 4, "{name} {id}: {o:?}");
        assert_eq!(by_order[id.as_str()], class(o), "{name} {id}: {o:?}");
        let sum = classes.entry(class(o).to_owned()).or_default();
        sum.orders += 1;
        sum.amount += o.amount * o.paid.len().max(1) as i64;
    }
    assert_eq!(truth::classes(day, 0, Ms::MAX), classes, "{name}");
    let money = |of: fn(&Joined) -> i64| joined.values().map(of).sum::<i64>();
    let (paid, booked) = (money(|o| o.paid.iter().sum()), money(|o| o.booked.iter().sum()));
    let missing = money(|o| o.paid.iter().sum::<i64>() - o.booked.iter().sum::<i64>());
    assert!(paid > 0 && paid - booked == missing && missing >= 0, "{name}");
}

/// What a scenario declares is what came of it.
fn true_to_its_word(day: &Day, scenario: &str) {
    let name = format!("{scenario} {}", day.seed);
    let declared = truth::declared(scenario).unwrap();
    let onsets = truth::onsets(day);
    for (what, [from, to]) in &declared.onsets {
        let at = onsets.get(what.as_str()).unwrap_or_else(|| panic!("{name}: {what} never began"));
        assert!(clock(from) <= *at && *at <= clock(to), "{name}: {what} began {}", Zone::wib().hm(*at));
    }
    let classes = truth::classes(day, ms(START), ms(END));
    let count = |of: &dyn Fn(&str) -> bool| classes.iter().filter(|(c, _)| of(c)).map(|(_, s)| s.orders).sum::<u64>();
    let stuck = |c: &str| c.contains("stuck");
    let share = 100.0 * count(&stuck) as f64 / count(&|_| true) as f64;
    let [least, most] = declared.stuck_percent;
    assert!((least..=most).contains(&share), "{name}: {share} % stay ACTIVE");
    if let Some(class) = &declared.most {
        let largest = classes.iter().filter(|(c, _)| stuck(c)).max_by_key(|(_, s)| s.orders).unwrap().0;
        assert_eq!(largest, class, "{name}");
    }
    if !declared.segment.is_empty() {
        let [inside, outside] = truth::stuck_in(day, &declared.segment, ms(clock("19:30")), ms(clock("20:30")));
        assert!(inside > 2.2 * outside, "{name}: {inside} % against {outside} %");
    }
}

/// The demo of a day from its first batch to its last: what the program counts in the end is what is true, for
/// orders old enough to have met their fate.
fn shown(day: Arc<Day>) {
    let name = day.scenario.name.clone();
    let old = ms(END) - 40 * 60_000;
    let true_ones = truth::classes(&day, ms(START), old);
    let mut store = Store::default();
    let mut last = START;
    for batch in super::play(Arc::clone(&day)) {
        last = last.max(batch.seen);
        store.apply(&batch);
    }
    assert_eq!(last, END, "{name} is played to its end");
    let counted = standing(&store, Span::new(START, super::platform::stamp(old)), END);
    let known = [
        ("paid_stuck_unrecorded_never_sent", Class::PaidStuckNeverSent),
        ("paid_stuck_unrecorded_callback_failed", Class::PaidStuckCallbackFailed),
        ("paid_stuck_recorded", Class::PaidStuckRecorded),
        ("payment_pending_stuck", Class::PaymentPendingStuck),
        ("unpaid_stuck", Class::UnpaidStuck),
        ("failed_but_charged", Class::FailedButCharged),
        ("duplicate_charge", Class::ChargedTwice),
    ];
    for (class, ours) in known {
        let seen = counted.classes.iter().find(|c| c.class == ours).map_or(0, |c| c.orders as u64);
        assert_eq!(seen, true_ones.get(class).map_or(0, |s| s.orders), "{name}: {class}");
    }
    stopped(&day, &store, old);
}

/// Of every stuck order of a day that is old enough, in steps: the trail names the step that it stopped before.
fn stopped(day: &Day, store: &Store, old: Ms) {
    let told = |payment| day.history.told.iter().any(|t| t.payment == payment);
    let stuck: Vec<_> =
        day.history.lives.iter().filter(|l| l.stuck() && day.holds(l) && (ms(START)..old).contains(&l.born)).collect();
    for life in stuck.iter().step_by((stuck.len() / 150).max(1)) {
        let id = order_id(life);
        let trail = trail(store, &id, END).unwrap_or_else(|| panic!("{id} has no trail"));
        let payment = first_payment(life).map(|p| (p, &day.history.payments[p as usize]));
        let expected = match payment {
            None if life.done_at(Step::Reserve).is_none() => Stage::Reserved,
            None => Stage::Begun,
            Some((_, p)) if p.paid != Paid::Paid => Stage::Settled,
            Some((_, p)) if p.booked => Stage::Completed,
            Some((_, p)) if p.acknowledged => Stage::Recorded,
            Some((n, _)) if told(n) => Stage::Acknowledged,
            Some(_) => Stage::Told,
        };
        let first = trail.first.unwrap_or_else(|| panic!("{} {id}: nothing is missing", day.scenario.name));
        assert_eq!(first.missing, expected, "{} {id}: {}", day.scenario.name, first.says.raw());
    }
}

/// Lives the scenarios of a list, and holds each other one that is only seen otherwise against its twin's day.
fn lived(names: &[&str], seed: u64) {
    for name in names {
        let day = Arc::new(Day::evening(scenario::named(name).unwrap(), seed));
        conserved(&day);
        let settings = &day.scenario.settings;
        let alike = |other: &&&str| scenario::named(other).unwrap().settings == *settings;
        let twins: Vec<&str> = scenario::list().iter().filter(alike).copied().collect();
        let mut day = Arc::try_unwrap(day).unwrap().sharded(super::SHARD);
        for twin in twins {
            true_to_its_word(&day, twin);
            day.scenario = scenario::named(twin).unwrap();
            let played = Arc::new(day);
            shown(Arc::clone(&played));
            day = Arc::try_unwrap(played).unwrap();
        }
    }
}

#[test]
fn every_world_accounts_for_every_order_and_every_rupiah_and_is_what_it_is_said_to_be() {
    lived(&["pool", "callback", "breaker", "timeout", "race", "calm", "orchestrator-down"], 77_000);
}

#[test]
fn so_does_every_world_of_a_cause_outside_the_five_or_of_several() {
    let rest = ["vendor-slow", "pool-and-callback", "bad-deployment", "sequence", "goroutine-leak"];
    lived(&rest, 77_000);
    lived(&["idle-in-transaction", "segment"], 77_000);
}

#[test]
fn no_scenario_is_left_out() {
    let settings = |name: &&str| scenario::named(name).unwrap().settings;
    let mut all: Vec<_> = Vec::new();
    for set in scenario::list().iter().map(settings) {
        if !all.contains(&set) {
            all.push(set);
        }
    }
    assert_eq!(all.len(), 14, "a scenario with a platform of its own is lived by one of the tests above");
}

#[test]
fn other_seeds_are_other_days_of_the_same_kind() {
    for (i, name) in ["callback", "timeout", "segment"].into_iter().enumerate() {
        lived(&[name], 3 + i as u64);
    }
}

#[test]
fn the_same_seed_is_the_same_day_row_for_row() {
    let made = || Arc::new(Day::evening(scenario::named("pool-and-callback").unwrap(), 5));
    let (a, b) = (made(), made());
    let writes = |day: &Arc<Day>| -> Vec<(Ms, Write)> { Ledger::new(Arc::clone(day)).writes(0, Ms::MAX) };
    assert!(writes(&a) == writes(&b));
    let span = (ms(clock("19:40")), ms(clock("19:50")));
    assert_eq!(super::lines::between(&a, span.0, span.1), super::lines::between(&b, span.0, span.1));
    let other = Arc::new(Day::evening(scenario::named("pool-and-callback").unwrap(), 6));
    assert!(writes(&a) != writes(&other));
}

#[test]
fn what_leaked_before_the_evening_is_about_what_a_whole_day_leaks() {
    // The sequence runs out by being used: lived from midnight or from the evening on, at about the same time.
    let s = scenario::named("sequence").unwrap();
    let whole = super::platform::live_from(&s, 4, 0, ms(clock("20:15")));
    let evening = super::platform::live_from(&s, 4, super::day::EVENING.0, ms(clock("20:15")));
    let ended = |h: &super::platform::History| {
        let no_ids = |l: &&super::platform::life::Line| l.says == super::platform::life::Says::NoIds;
        h.lines.iter().find(no_ids).unwrap().at
    };
    assert!((ended(&whole) - ended(&evening)).abs() < 8 * 60_000, "{} {}", ended(&whole), ended(&evening));
}
