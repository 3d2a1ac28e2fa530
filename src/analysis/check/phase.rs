//! The note's phases: how much was collected, what the analysis says, what is left to recover. A phase item
//! is "done" (supports), "partly" (inconclusive, with the share) or has no source.

use super::answer::{Answer, verdict};
use super::lines::Lines;
use super::pool::no_orders;
use super::scene::Scene;
use super::words::{count, number, orders, percent, plain, rupiah, share};
use crate::analysis::limit;
use crate::analysis::reconcile::Class;
use crate::model::incident::SourceKind;
use crate::model::note::Verdict;
use crate::model::order::Role;
use crate::model::{Lapse, Span, Stamp};

/// Done from 95 % on, partly below, nothing without any.
fn progress(s: &Scene<'_>, part: usize, whole: usize, measured: String) -> Answer {
    let done = whole > 0 && part as f64 >= s.n.complete / 100.0 * whole as f64;
    Answer::new(
        verdict(done, false),
        if done { measured } else { format!("partly, {}: {measured}", share(part, whole)) },
    )
}

/// P1a: the whole day of every configured metric.
pub fn metrics(s: &Scene<'_>) -> Answer {
    let sources = &s.store.incident.sources;
    let of_metrics = |name: &str| {
        let source = name.split_once('.').map_or(name, |(source, _)| source);
        match sources.iter().find(|c| c.name == source) {
            Some(card) => card.kind == SourceKind::Metrics,
            None => source == "metrics",
        }
    };
    let midnight = s.store.incident.zone.midnight(s.window.from);
    let day = Span::new(midnight, (midnight + Lapse::hours(24)).min(s.at + Lapse(1)).max(midnight));
    let expected = (day.length().0 / Lapse::minutes(1).0) as usize;
    let mut worst: Option<(usize, &str)> = None;
    let (mut series, mut newest) = (0, None::<Stamp>);
    for name in s.store.series_names().filter(|name| of_metrics(name)) {
        let Some(found) = s.store.series(name) else { continue };
        let curve = s.curve((name, found), day);
        let have = curve.values().count();
        series += 1;
        newest = newest.max(curve.asof);
        worst = Some(worst.map_or((have, &**name), |w| if have < w.0 { (have, &**name) } else { w }));
    }
    let Some((have, name)) = worst else {
        return Answer::no_data("no metrics are read: configure a source of metrics");
    };
    let from = s.clock(midnight);
    progress(
        s,
        have,
        expected,
        format!("{series} series; the least, {name}, has {} of {} minutes since {from}", count(have), count(expected)),
    )
    .asof(newest)
}

/// P1b: log lines of every service in every minute.
pub fn logs(s: &Scene<'_>) -> Answer {
    let lines = s.lines();
    if lines.total == 0 {
        return Answer::no_data("no log lines in this stretch: configure [[logs]]");
    }
    let least = lines.services.iter().min_by_key(|(_, minutes)| **minutes);
    let (name, have) = least.map_or(("", 0), |(name, have)| (name.as_str(), *have));
    let lost = s
        .store
        .incident
        .sources
        .iter()
        .flat_map(|c| s.store.losses(&c.name))
        .filter(|l| l.span.overlaps(&s.span) && l.span.from <= s.at)
        .count();
    let text = format!(
        "{} lines of {} services; the least, {}, has lines in {} of {} minutes",
        count(lines.total),
        lines.services.len(),
        plain(&name.into()),
        have,
        lines.minutes
    );
    progress(s, have, lines.minutes, text)
        .asof(lines.newest)
        .with("lost", format!("{lost} known losses"))
        .spark(log_series(s))
}

fn log_series<'s>(s: &Scene<'s>) -> Option<&'s crate::model::series::SeriesName> {
    s.series(&["ERROR"], "").map(|c| c.0)
}

/// P1c and Q1: the orders that hang.
pub fn stuck_list(s: &Scene<'_>) -> Answer {
    let Some(asof) = s.answered(Role::Orders) else {
        return Answer::no_data("orders are not read: configure a [[query]] with role = \"orders\"");
    };
    let (stuck, money) = s.book().stuck_where(|_| true);
    let of = format!("of {} born {}–{}", count(s.book().total), s.clock(s.span.from), s.clock(s.span.to));
    Answer::new(
        Verdict::Supports,
        format!(
            "{} ACTIVE for over {}, {}, {of}",
            orders(stuck),
            super::words::lapse(s.rules().stuck_after),
            rupiah(money)
        ),
    )
    .asof(Some(asof))
    .spark(stuck_series(s))
}

fn stuck_series<'s>(s: &Scene<'s>) -> Option<&'s crate::model::series::SeriesName> {
    s.store.incident.lanes.iter().map(|l| &l.series).find(|name| name.ends_with("stuck_by_birth"))
}

/// P1d: UPG asked about every stuck order.
pub fn payments(s: &Scene<'_>) -> Answer {
    asked(s, Role::Payments, "UPG", "payments", |k| k.facts.payments_asked.is_some())
}

fn asked(s: &Scene<'_>, role: Role, who: &str, query: &str, was: impl Fn(&super::scene::Known<'_>) -> bool) -> Answer {
    let Some(asof) = s.answered(role) else {
        return Answer::no_data(format!("{who} was not asked: configure a [[query]] with role = \"{query}\""));
    };
    let (have, all) = (s.book().stuck_where(was).0, s.book().stuck.len());
    if all == 0 {
        return no_orders(s)
            .unwrap_or_else(|| Answer::new(Verdict::Inconclusive, "no order is stuck"))
            .asof(Some(asof));
    }
    progress(s, have, all, format!("{who} asked about {} of {} stuck orders", count(have), count(all))).asof(Some(asof))
}

/// P1e: HO asked about every payment, and what it lacks.
pub fn ho_records(s: &Scene<'_>) -> Answer {
    let Some(asof) = s.answered(Role::HoPayments) else {
        return Answer::no_data("HO was not asked: configure a [[query]] with role = \"ho_payments\"");
    };
    let (paid, known) = s.book().paid;
    let (missing, money) = s.book().not_at_ho;
    if paid == 0 {
        return Answer::new(Verdict::Inconclusive, "no order of this stretch is paid").asof(Some(asof));
    }
    progress(s, known, paid, format!("{} charged and not at HO, {}", orders(missing), rupiah(money)))
        .asof(Some(asof))
        .with("asked", format!("{} of {} paid orders", count(known), count(paid)))
}

/// P2a: patterns of errors against the baseline.
pub fn patterns(s: &Scene<'_>) -> Answer {
    let lines = s.lines();
    if lines.total == 0 {
        return Answer::no_data("no log lines in this stretch: configure [[logs]]");
    }
    let named: usize = lines.error_templates.values().filter(|lines| **lines >= 2).sum();
    let new =
        s.usual_lines().map(|u| lines.error_templates.keys().filter(|t| !u.error_templates.contains_key(t)).count());
    let text = format!(
        "{} ERROR lines in {} patterns{}",
        count(lines.errors),
        count(lines.error_templates.len()),
        new.map_or(", no baseline".to_owned(), |n| format!(", {n} new"))
    );
    if lines.errors == 0 {
        return Answer::new(Verdict::Supports, "no ERROR line").asof(lines.newest);
    }
    progress(s, named, lines.errors, text).asof(lines.newest).spark(log_series(s))
}

/// P2b: how far the three systems could be joined.
pub fn join(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let upg = payments(s);
    if upg.verdict == Verdict::NoData {
        return upg;
    }
    let stuck = s.book().stuck.len();
    let (at_upg, _) = s.book().stuck_where(|k| k.facts.paid > 0 || k.facts.pending);
    let (paid, _) = s.book().stuck_where(|k| k.facts.paid > 0);
    let (at_ho, _) = s.book().stuck_where(|k| k.facts.paid > 0 && k.facts.recorded > 0);
    let text = format!(
        "{} of {} stuck have a payment at UPG ({}); {} of {} paid are at HO ({})",
        count(at_upg),
        count(stuck),
        share(at_upg, stuck),
        count(at_ho),
        count(paid),
        share(at_ho, paid)
    );
    let both = s.answered(Role::HoPayments).is_some() && upg.verdict == Verdict::Supports;
    Answer::new(verdict(both, false), text).asof(s.answered(Role::HoPayments).or(upg.asof))
}

/// P2c and Q4: what the stuck orders share.
pub fn shared(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let traits = s.shared();
    let named: Vec<String> = traits
        .iter()
        .filter(|t| t.named)
        .map(|t| {
            format!(
                "{} {}: {} of the stuck against {} of all, ×{:.2}",
                t.name,
                plain(&t.value),
                percent(t.of_stuck),
                percent(t.of_all),
                t.lift
            )
        })
        .collect();
    let text =
        if named.is_empty() { format!("no segment stands out of {} tested", traits.len()) } else { named.join("; ") };
    Answer::new(Verdict::Supports, text)
        .asof(s.answered(Role::Orders))
        .with("rule", "Holm-corrected over every value tested")
}

/// P2d: the order in which things left their normal, as lags after the spike.
pub fn timeline(s: &Scene<'_>) -> Answer {
    let onsets = s.onsets();
    let Some(trigger) = onsets.iter().find(|o| o.trigger) else {
        return Answer::no_data("no spike was found: configure a [[lane]] with trigger = true and a baseline");
    };
    let lag = |o: &crate::analysis::spike::Onset| {
        let sign = if o.after.0 < 0 { "−" } else { "+" };
        format!("{} {sign}{} min", o.name, o.after.abs().whole_seconds() / 60)
    };
    let faults: Vec<String> = onsets.iter().filter(|o| !o.trigger).map(lag).collect();
    let before = onsets.iter().any(|o| !o.trigger && o.after.0 < -s.n.slack.0);
    let text = format!(
        "spike {}; {}",
        s.clock(trigger.at),
        if faults.is_empty() { "nothing else left its band".to_owned() } else { faults.join(", ") }
    );
    let answer = Answer::new(verdict(faults.len() >= 3, false), text).happened(onsets.last().map(|o| o.at));
    if before { answer.with("order", "a fault came before the spike: traffic is not what started it") } else { answer }
}

/// P3d and K3: what it costs.
pub fn impact(s: &Scene<'_>) -> Answer {
    let answer = stuck_list(s);
    if answer.verdict == Verdict::NoData {
        return answer;
    }
    let (missing, money) = s.book().not_at_ho;
    let (twice, refunds) = s.book().of(&[Class::ChargedTwice]);
    let (unpaid, lost) = s.book().of(&[Class::UnpaidStuck]);
    let text = format!(
        "not at HO {} ({}); charged twice {} ({}); unpaid and stuck {} ({}, an estimate of lost sales)",
        rupiah(money),
        orders(missing),
        rupiah(refunds),
        orders(twice),
        rupiah(lost),
        orders(unpaid)
    );
    let complete = [Role::Payments, Role::HoPayments].iter().all(|r| s.answered(*r).is_some());
    Answer::new(verdict(complete, false), text)
        .asof(answer.asof)
        .with("not known", "users and reputation: a person answers")
}

/// P4a: whether every stuck order has a class, and so a next safe action.
pub fn worksheet(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let (classed, all) = (s.book().stuck_where(|k| k.class != Class::NotAsked).0, s.book().stuck.len());
    progress(s, classed, all, format!("{} of {} stuck orders have a next safe action", count(classed), count(all)))
        .asof(s.answered(Role::Orders))
}

/// P4b: whether UPG and HO agree.
pub fn gap(s: &Scene<'_>) -> Answer {
    let Some(asof) = s.answered(Role::HoPayments) else {
        return Answer::no_data("HO was not asked: configure a [[query]] with role = \"ho_payments\"");
    };
    let (missing, money) = s.book().not_at_ho;
    Answer::new(verdict(missing == 0, false), format!("gap between UPG and HO: {}, {}", orders(missing), rupiah(money)))
        .asof(Some(asof))
        .spark(s.store.incident.lanes.iter().map(|l| &l.series).find(|x| x.ends_with("not_at_ho")))
}

/// P5b: what the users planned for would need of each limit, measured or estimated as in the table of limits.
pub fn capacity(s: &Scene<'_>) -> Answer {
    let users = s.rules().plan_users;
    let rows = limit::table(s.store, s.span, s.at, &[s.rules().normal_users, s.rules().peak_users, users]);
    let measured: Vec<&limit::Row> = rows.iter().filter(|r| !r.limit.series.is_empty()).collect();
    if measured.is_empty() {
        return Answer::no_data("no limits are configured: add [[limit]] entries");
    }
    let need = |r: &limit::Row| r.needs.last().copied().flatten();
    let known = measured.iter().filter(|r| need(r).is_some()).count();
    let short = measured.iter().filter(|r| need(r).is_some_and(|n| r.is_reached(n.value()))).count();
    let mut answer = Answer::new(verdict(known > 0, false), "");
    for r in &measured {
        let then = match need(r) {
            Some(limit::Need::Measured(v)) => number(v),
            Some(limit::Need::Estimated(v)) => format!("about {}", number(v)),
            Some(limit::Need::AtLeast(_)) => "more than it has".to_owned(),
            None => "–".to_owned(),
        };
        let peak = r.peak.map_or("–".to_owned(), |(_, v)| number(v));
        let (name, value) = (&r.limit.name, number(r.limit.value));
        answer = answer.with("limit", format!("{name}: {value} · peak {peak} · at {} users {then}", number(users)));
    }
    let of = measured.len();
    Answer {
        measured: format!("{short} of {of} limits are too small for {} users; {known} can be told", number(users)),
        ..answer
    }
}

/// P5e: a pool size that would have carried the peak.
pub fn proposal(s: &Scene<'_>) -> Answer {
    let limits = super::pool::limits(s);
    if limits.verdict == Verdict::NoData {
        return limits;
    }
    let need: Option<f64> = limits
        .measured
        .strip_prefix("need ")
        .and_then(|t| t.split_whitespace().next())
        .and_then(|t| t.replace(',', "").parse().ok());
    let text = need.map_or_else(String::new, |need| {
        format!(
            "all pods together {} connections = {:.1} × need {}, or hold each for less time",
            number((s.n.pool_room * need).ceil()),
            s.n.pool_room,
            number(need)
        )
    });
    Answer { measured: text, verdict: Verdict::Supports, ..limits }
}

/// L1: the four words people search for first.
pub fn words(s: &Scene<'_>) -> Answer {
    by_words(s, |l| {
        let each = super::lines::Says::WORDS.iter().map(|(word, bit)| format!("{word} {}", count(l.count(*bit))));
        each.collect::<Vec<_>>().join(", ")
    })
}

/// L2: errors by the minute.
pub fn error_rate(s: &Scene<'_>) -> Answer {
    by_words(s, |l| {
        format!("{} ERROR lines, {:.1} a minute", count(l.errors), l.errors as f64 / l.minutes.max(1) as f64)
    })
}

/// L4: stack traces.
pub fn stacks(s: &Scene<'_>) -> Answer {
    let none = s.lines().total > 0 && s.lines().stacks == 0;
    let answer = by_words(s, |l| format!("{} lines with a stack trace", count(l.stacks)));
    if none { Answer { verdict: Verdict::Inconclusive, ..answer } } else { answer }
}

fn by_words(s: &Scene<'_>, text: impl Fn(&Lines) -> String) -> Answer {
    let lines = s.lines();
    if lines.total == 0 {
        return Answer::no_data("no log lines in this stretch: configure [[logs]]");
    }
    let usual = s.usual_lines().map_or("no baseline".to_owned(), &text);
    Answer::new(Verdict::Supports, text(lines)).asof(lines.newest).spark(log_series(s)).with("baseline", usual)
}

/// L3: stuck orders with an error line.
pub fn errors_of_orders(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let (with_lines, with_errors) = s.shown(|t| t.error);
    if with_lines == 0 {
        return Answer::no_data("no stuck order has a log line: configure order_fields or order_pattern in [[logs]]");
    }
    let stuck = s.book().stuck.len();
    Answer::new(
        Verdict::Supports,
        format!(
            "{} of {} stuck orders have an ERROR line ({})",
            count(with_errors),
            count(stuck),
            share(with_errors, stuck)
        ),
    )
    .asof(s.lines().newest)
    .with("coverage", format!("{} have any line", count(with_lines)))
}

/// Q2: stuck although paid.
pub fn paid_and_stuck(s: &Scene<'_>) -> Answer {
    money_question(
        s,
        |k| k.facts.paid > 0,
        |s| {
            let parts = [
                (Class::PaidStuckNeverSent, "never sent to HO"),
                (Class::PaidStuckCallbackFailed, "callback failed"),
                (Class::PaidStuckNotRecorded, "callbacks not known"),
                (Class::PaidStuckRecorded, "recorded at HO"),
            ];
            let some = parts.iter().map(|(class, what)| (s.book().of(&[*class]).0, *what)).filter(|(n, _)| *n > 0);
            some.map(|(n, what)| format!("{} {what}", count(n))).collect::<Vec<_>>().join(", ")
        },
    )
}

/// Q3: stuck and not paid.
pub fn unpaid_and_stuck(s: &Scene<'_>) -> Answer {
    money_question(
        s,
        // What UPG has not said, or said in a word nobody mapped, may have been paid.
        |k| k.facts.paid == 0 && !matches!(k.class, Class::NotAsked | Class::UpgUnknown | Class::UnmappedPayment),
        |s| format!("{} wait for the gateway", count(s.book().of(&[Class::PaymentPendingStuck]).0)),
    )
}

fn money_question(
    s: &Scene<'_>,
    fits: impl Fn(&super::scene::Known<'_>) -> bool,
    detail: impl Fn(&Scene<'_>) -> String,
) -> Answer {
    let asked = payments(s);
    if asked.verdict == Verdict::NoData {
        return asked;
    }
    let (some, money) = s.book().stuck_where(fits);
    let all = s.book().stuck.len();
    let detail = detail(s);
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let complete = asked.verdict == Verdict::Supports || all == 0;
    let least = if complete { "" } else { "at least " };
    Answer::new(
        verdict(complete, false),
        format!("{least}{}, {}, of {} stuck{detail}", orders(some), rupiah(money), count(all)),
    )
    .asof(asked.asof)
    .with("asked", asked.measured)
}
