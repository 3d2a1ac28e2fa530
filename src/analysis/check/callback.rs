//! Payment callback failure (H2): what UPG sent to Head Office, what came back, and whether the payments
//! that are missing there were ever sent at all.

use super::answer::{Answer, verdict};
use super::lines::Says;
use super::pool::no_orders;
use super::scene::{Known, Scene, Sight};
use super::words::{count, lapse, percent, share};
use crate::analysis::reconcile::Class;
use crate::analysis::reconcile::facts::to_ho;
use crate::model::Lapse;
use crate::model::note::Verdict;
use crate::model::order::Role;
use std::collections::BTreeMap;

const NO_CALLBACKS: &str = "callbacks are not read: configure a [[query]] with role = \"callbacks\"";

/// Attempts to HO by minute: how many, and how many failed.
#[derive(Default)]
pub struct Attempts {
    by_minute: BTreeMap<i64, (usize, usize)>,
    all: usize,
    failed: usize,
    most: i32,
}

impl Attempts {
    /// Counts the attempts sent in the stretch and known at the instant; of rows read twice the newest counts.
    pub fn count(s: &Sight<'_>) -> Self {
        let mut out = Self::default();
        for (_, entry) in s.store.orders.entries() {
            let mut seen: Vec<(Option<&str>, i32)> = Vec::new();
            for (read, c) in entry.callbacks.iter().rev() {
                let key = (c.upg_ref.as_deref(), c.attempt);
                if *read > s.at || !s.span.contains(c.sent_at) || !to_ho(c) || seen.contains(&key) {
                    continue;
                }
                seen.push(key);
                let failed = !c.http_status.is_some_and(|code| (200..300).contains(&code));
                let minute = out.by_minute.entry(c.sent_at.0.div_euclid(Lapse::minutes(1).0)).or_default();
                *minute = (minute.0 + 1, minute.1 + usize::from(failed));
                out.all += 1;
                out.failed += usize::from(failed);
                out.most = out.most.max(c.attempt);
            }
        }
        out
    }
    /// Percent failed in each minute with enough attempts, in order.
    fn failed_percent(&self, few: usize) -> Vec<f64> {
        let enough = self.by_minute.values().filter(|(all, _)| *all >= few);
        enough.map(|(all, failed)| 100.0 * *failed as f64 / *all as f64).collect()
    }
}

/// The longest run of values that fit.
fn longest(values: &[f64], fits: impl Fn(f64) -> bool) -> usize {
    let step = |(best, run): (usize, usize), v: &f64| {
        let run = if fits(*v) { run + 1 } else { 0 };
        (best.max(run), run)
    };
    values.iter().fold((0, 0), step).0
}

/// Percent failed a minute, from the rows or from the metric, with where it came from.
fn failures(s: &Scene<'_>) -> Option<(Vec<f64>, &'static str, Option<crate::model::Stamp>)> {
    if let Some(asof) = s.answered(Role::Callbacks) {
        let values = s.callbacks().failed_percent(s.n.few_callbacks);
        if !values.is_empty() {
            return Some((values, "rows of the callbacks query", Some(asof)));
        }
    }
    let curve = s.measured(&["callback_ok", "callback_success"], "callback ok")?;
    Some((curve.values().map(|v| 100.0 - v).collect(), "metric", curve.asof))
}

/// H2a: what waits to be sent again.
pub fn queue(s: &Scene<'_>) -> Answer {
    let answer = queue_of_rows(s);
    let Some(row) = s.answered(Role::CallbackQueue).and_then(|_| s.store.orders.queue(s.at)) else { return answer };
    let asof = s.store.orders.newest(Role::CallbackQueue, s.at);
    let oldest = row.oldest_at.zip(asof).map_or(Lapse::ZERO, |(since, at)| Lapse(at.since(since).0.max(0)));
    let old = row.n_pending > 0 && oldest > s.n.callback_old;
    let waiting = usize::try_from(row.n_pending).unwrap_or_default();
    let age = if row.n_pending > 0 { format!(", the oldest for {}", lapse(oldest)) } else { String::new() };
    let mut out =
        Answer::new(verdict(old, row.n_pending == 0), format!("{} callbacks wait at UPG{age}", count(waiting)))
            .asof(asof)
            .spark(s.series(&["callbacks_waiting"], "callbacks wait").map(|c| c.0));
    if let Some(dead) = row.n_dead {
        out = out.with("given up", count(usize::try_from(dead).unwrap_or_default()));
    }
    if answer.verdict == Verdict::NoData { out } else { out.with("rows", answer.measured) }
}

/// The same from the callbacks themselves, or from the logs.
fn queue_of_rows(s: &Scene<'_>) -> Answer {
    let lines = s.lines().count(Says::CALLBACK);
    let Some(asof) = s.answered(Role::Callbacks) else {
        if lines == 0 {
            return Answer::no_data(NO_CALLBACKS);
        }
        let text = format!("{} failed attempts in the logs; the queue is not read", count(lines));
        return Answer::new(Verdict::Inconclusive, text).asof(s.lines().newest).with("not known", NO_CALLBACKS);
    };
    let (mut tried, mut waiting, mut oldest) = (0, 0, Lapse::ZERO);
    for k in s.book().stuck.iter().chain(&s.book().faults) {
        tried += usize::from(k.facts.callbacks > 0);
        if let Some(settled) = k.facts.settled.filter(|_| k.facts.callbacks > 0 && !k.facts.acknowledged) {
            let age = asof.since(settled);
            waiting += usize::from(age > s.n.callback_old);
            oldest = oldest.max(age);
        }
    }
    let a = s.callbacks();
    let text = format!(
        "{} callbacks not accepted for over {}; up to {} attempts",
        count(waiting),
        lapse(s.n.callback_old),
        a.most.max(0)
    );
    // A handful left behind among ten thousand sent is how queues always look.
    let many = waiting as f64 >= (s.n.left_behind * a.all as f64).max(1.0);
    Answer::new(verdict(many, waiting == 0 && a.all >= s.n.few_callbacks), text)
        .asof(Some(asof))
        .with("sent", format!("{} attempts, {} failed", count(a.all), count(a.failed)))
        .with("oldest", if waiting > 0 { lapse(oldest) } else { "none".to_owned() })
        .with("orders", format!("{} orders at fault had a callback tried", count(tried)))
}

/// H2b: whether HO accepted callbacks all the time.
pub fn available(s: &Scene<'_>) -> Answer {
    let Some((failed, source, asof)) = failures(s) else {
        return Answer::no_data(format!(
            "{NO_CALLBACKS}, or add a [[lane]] whose series ends in .callback_ok (percent)"
        ));
    };
    let worst = 100.0 - failed.iter().copied().fold(0.0, f64::max);
    let down = longest(&failed, |f| 100.0 - f < s.n.accepted_low);
    Answer::new(
        verdict(down >= s.n.lasting, worst >= s.n.accepted_well),
        format!("worst minute {} accepted; below {} for {down} min", percent(worst), percent(s.n.accepted_low)),
    )
    .asof(asof)
    .spark(s.series(&["callback_ok"], "callback ok").map(|c| c.0))
    .with("source", source)
}

/// H2c: how many attempts failed.
pub fn error_rate(s: &Scene<'_>) -> Answer {
    let Some((failed, source, asof)) = failures(s) else {
        let lines = s.lines().count(Says::CALLBACK);
        if lines == 0 {
            return Answer::no_data(format!(
                "{NO_CALLBACKS}, or add a [[lane]] whose series ends in .callback_ok (percent)"
            ));
        }
        let text = format!("{} failed attempts in the logs, of an unknown number", count(lines));
        return Answer::new(Verdict::Inconclusive, text).asof(s.lines().newest).with("not known", NO_CALLBACKS);
    };
    let worst = failed.iter().copied().fold(0.0, f64::max);
    let bad = longest(&failed, |f| f >= s.n.failed_many);
    Answer::new(
        verdict(bad >= s.n.lasting, worst < s.n.failed_few),
        format!("worst minute {} failed; {bad} min at or above {}", percent(worst), percent(s.n.failed_many)),
    )
    .asof(asof)
    .spark(s.series(&["callback_ok"], "callback ok").map(|c| c.0))
    .with("source", source)
    .with("logs", format!("{} failed attempts in the logs", count(s.lines().count(Says::CALLBACK))))
}

/// H2x: of the payments that HO lacks, how many had a callback tried at all. This one bit tells a failed
/// callback from a saga that never came so far.
pub fn class_split(s: &Scene<'_>) -> Answer {
    for (role, says) in [
        (Role::Callbacks, NO_CALLBACKS),
        (Role::HoPayments, "HO was not asked: configure a [[query]] with role = \"ho_payments\""),
    ] {
        if s.answered(role).is_none() {
            return Answer::no_data(says);
        }
    }
    let unrecorded = |k: &&Known<'_>| {
        matches!(
            k.class,
            Class::PaidStuckNeverSent
                | Class::PaidStuckCallbackFailed
                | Class::AcknowledgedNotRecorded
                | Class::ChargedNotRecorded
        )
    };
    let all: Vec<&Known<'_>> = s.book().stuck.iter().chain(&s.book().faults).filter(unrecorded).collect();
    let tried = all.iter().filter(|k| k.facts.callbacks > 0).count();
    s.carry(|| all.iter().filter(|k| k.facts.callbacks > 0).map(|k| k.id).collect());
    let part = tried as f64 / all.len().max(1) as f64;
    let enough = all.len() >= s.n.shown_orders;
    Answer::new(
        verdict(enough && part >= s.n.tried_most, enough && part < s.n.tried_few),
        format!(
            "{} of {} unrecorded payments had a callback tried ({})",
            count(tried),
            count(all.len()),
            share(tried, all.len())
        ),
    )
    .asof(s.answered(Role::Callbacks))
}

/// H2y: how many of the stuck were charged and are not at HO. Weak: a full pool leaves the same mix.
pub fn unrecorded(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    if s.answered(Role::Payments).is_none() || s.answered(Role::HoPayments).is_none() {
        return Answer::no_data("UPG or HO was not asked: configure [[query]] for payments and ho_payments");
    }
    let settle = s.rules().settle_after;
    let (missing, _) = s.book().stuck_where(|k| k.facts.missing_at_ho(settle).is_some());
    s.carry(|| s.book().stuck.iter().filter(|k| k.facts.missing_at_ho(settle).is_some()).map(|k| k.id).collect());
    let stuck = s.book().stuck.len();
    let supports = missing as f64 >= s.n.unrecorded * stuck as f64;
    Answer::new(
        verdict(supports, false),
        format!(
            "{} of {} stuck orders are charged and not at HO ({})",
            count(missing),
            count(stuck),
            share(missing, stuck)
        ),
    )
    .asof(s.answered(Role::HoPayments))
}
