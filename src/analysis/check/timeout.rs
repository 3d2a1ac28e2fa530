//! Time-outs (H4): what is configured against what things take, and what the stuck orders' lines say once
//! the pool's own deadlines are taken out. A callee that was slower than load explains is the cause then.

use super::answer::{Answer, verdict};
use super::cause::gateway;
use super::lines::{Says, Told};
use super::pool::{by_orders, no_orders};
use super::scene::{Curve, Scene};
use super::words::{count, seconds, share};
use crate::model::incident::Limit;
use crate::model::note::Verdict;
use crate::model::order::Role;

const P95: &[&str] = &["latency_p95", "response_p95", "duration_p95"];
const P99: &[&str] = &["latency_p99", "response_p99", "duration_p99"];

fn timeouts<'s>(s: &Scene<'s>) -> Vec<&'s Limit> {
    let mut all: Vec<&Limit> = s.limits("timeout", "").chain(s.limits("time-out", "")).collect();
    all.retain(|l| l.value > 0.0);
    all
}

fn curve_of<'s>(s: &Scene<'s>, series: &str) -> Option<Curve<'s>> {
    let name = s.store.series_names().find(|x| ***x == *series)?;
    let curve = s.curve((name, s.store.series(name)?), s.span);
    Some(curve).filter(|c| c.values().next().is_some())
}

/// H4a: every configured time-out against what its hop takes at normal load and at the peak.
pub fn configured(s: &Scene<'_>) -> Answer {
    let all = timeouts(s);
    if all.is_empty() {
        return Answer::no_data(
            "no time-outs are configured: add a [[limit]] \"… timeout\" in seconds for each hop, with the series it bounds",
        );
    }
    let (mut inverted, mut roomy, mut measured) = (0, 0, 0);
    let mut answer = Answer::new(Verdict::Inconclusive, "");
    for limit in &all {
        let usual =
            s.store.series_names().find(|x| ***x == *limit.series).and_then(|x| s.usually(x)).and_then(|c| c.peak());
        let peak = curve_of(s, &limit.series).and_then(|c| c.peak()).map(|p| p.1);
        inverted += usize::from(usual.is_some_and(|u| limit.value < u.1));
        roomy += usize::from(peak.is_some_and(|p| limit.value >= s.n.timeout_room * p));
        measured += usize::from(peak.is_some());
        let seen = peak.map_or("not measured".to_owned(), |p| format!("at most {}", seconds(p)));
        answer = answer.with("timeout", format!("{} {}: {seen}", limit.name, seconds(limit.value)));
    }
    Answer {
        verdict: verdict(inverted > 0, roomy == all.len()),
        measured: format!(
            "{} configured, {measured} measured, {inverted} below what is usual, {roomy} with room at the peak",
            all.len()
        ),
        ..answer
    }
}

/// H4b: response times at the peak against the client's time-out: of the series that the time-out bounds, where it
/// is a response time; else of the response time there is.
pub fn response(s: &Scene<'_>) -> Answer {
    let is_latency = |name: &str| name.split_once('.').is_some_and(|(_, m)| m.ends_with("p95") || m.ends_with("p99"));
    let all = timeouts(s);
    let bound = all.iter().filter(|l| is_latency(&l.series)).find_map(|l| Some((*l, curve_of(s, &l.series)?)));
    let Some(p95) = bound.as_ref().map(|b| &b.1).cloned().or_else(|| s.measured(P95, "latency p95")) else {
        return Answer::no_data("no response times: add a [[lane]] whose series ends in .latency_p95 (seconds)");
    };
    let bounds =
        |l: &&&Limit| l.series == **p95.name || l.series.split_once('.').is_some_and(|(_, m)| P99.contains(&m));
    let named = || all.iter().find(|l| l.name.to_lowercase().contains("client"));
    let Some(limit) = all.iter().find(bounds).or_else(named) else {
        return Answer::no_data(format!(
            "the client's time-out is not configured: add a [[limit]] \"client timeout\" in seconds with series = \"{}\"",
            p95.name
        ));
    };
    let high = p95.peak().map_or(0.0, |p| p.1);
    let p99 = s.measured(P99, "latency p99").and_then(|c| c.peak()).map(|p| p.1);
    let long = p99.is_some_and(|p| limit.value > s.n.timeout_room * p);
    let tail = p99.map_or("p99 is not measured".to_owned(), |p| format!("p99 {}", seconds(p)));
    Answer::new(
        verdict(limit.value < high, long),
        format!("p95 up to {}, {tail}, {} {}", seconds(high), limit.name, seconds(limit.value)),
    )
    .asof(p95.asof)
    .spark(Some(p95.name))
    .with("caveat", "the series is taken as the server's side; a client's own histogram ends at its time-out")
}

/// A deadline that is not explained by a pool: the same order's lines show no acquire timeout.
fn own_deadline(t: Told) -> bool {
    t.says.has(Says::DEADLINE) && !t.says.has(Says::POOL)
}

/// H4c: the stuck orders whose lines show a deadline of its own.
pub fn shown(s: &Scene<'_>) -> Answer {
    let (_, both) = s.shown(|t| t.says.has(Says::DEADLINE) && t.says.has(Says::POOL));
    let answer = by_orders(s, "a deadline without an acquire timeout", own_deadline);
    if answer.verdict == Verdict::NoData {
        return answer;
    }
    answer
        .with("split", format!("{} more show a deadline and an acquire timeout: counted for the pool", count(both)))
        .with(
            "lines",
            format!(
                "{} deadlines, {} acquire timeouts",
                count(s.lines().count(Says::DEADLINE)),
                count(s.lines().count(Says::POOL))
            ),
        )
}

/// H4x: whether the work went on after the caller had given up.
pub fn went_on(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    if s.answered(Role::Payments).is_none() {
        return Answer::no_data("UPG was not asked: configure a [[query]] with role = \"payments\"");
    }
    let late = s.book().stuck.iter().zip(s.told()).filter(|(_, t)| own_deadline(**t));
    s.carry(|| late.clone().filter(|(k, _)| k.facts.paid > 0).map(|(k, _)| k.id).collect());
    let (all, paid) = late.fold((0, 0), |(all, paid), (k, _)| (all + 1, paid + usize::from(k.facts.paid > 0)));
    let supports = all >= s.n.shown_orders && paid as f64 >= s.n.paid_late * all as f64;
    Answer::new(
        verdict(supports, all >= s.n.hardly_shown_orders && paid == 0),
        format!("{} of {} timed-out orders were paid all the same ({})", count(paid), count(all), share(paid, all)),
    )
    .asof(s.answered(Role::Payments))
}

/// H4y: whether things took longer than load explains. Then the time-out only shows where it hurts.
pub fn sick(s: &Scene<'_>) -> Answer {
    if let Some(slow) = gateway(s).filter(|slow| slow.times >= s.n.vendor_sick) {
        let text = format!("the gateway took {:.1}× usual from {}, by {}", slow.times, s.clock(slow.from), slow.source);
        return Answer::new(Verdict::Refutes, text);
    }
    let Some(p95) = s.measured(P95, "latency p95") else {
        return Answer::no_data("no response times: add a [[lane]] whose series ends in .latency_p95 (seconds)");
    };
    let Some(usual) = s.usually(p95.name).and_then(|c| c.median()).filter(|u| *u > 0.0) else {
        return Answer::no_data("the usual response time is not known: configure incident.baseline");
    };
    let high = p95.peak().map_or(0.0, |p| p.1);
    let load = load(s);
    let explained = (1.0 - s.n.usual_load) / (1.0 - s.n.usual_load * load).max(0.05);
    let slower = high / usual;
    let more = slower / explained.max(1.0);
    Answer::new(
        verdict(false, more > s.n.sick),
        format!("{slower:.1}× slower; load {load:.2}× explains {explained:.1}×: {more:.1}× more"),
    )
    .asof(p95.asof)
    .spark(Some(p95.name))
    .with("assumed", format!("{:.0} % utilisation at normal load", 100.0 * s.n.usual_load))
}

/// Users at the peak over normal: measured where there is a trigger, else as configured.
fn load(s: &Scene<'_>) -> f64 {
    let rules = s.rules();
    let peak = s.measured(&["users"], "users").and_then(|c| c.peak()).map(|p| p.1);
    let usual = s.series(&["users"], "users").and_then(|c| s.usually(c.0)).and_then(|c| c.median());
    (peak.unwrap_or(rules.peak_users) / usual.unwrap_or(rules.normal_users).max(1.0)).max(1.0)
}
