//! Circuit breaker (H3): whether it opened, whether it had a reason, and whether the stuck orders met it.
//! A breaker that opened after its callee had failed is a consequence.

use super::answer::{Answer, verdict};
use super::lines::Says;
use super::pool::{by_orders, no_orders};
use super::scene::{BREAKER, Scene};
use super::words::{count, lapse, percent};
use crate::model::note::Verdict;
use crate::model::series::SeriesName;
use crate::model::{Lapse, Span, Stamp};

const MISSING: &str =
    "no breaker metric and no log lines: add a [[lane]] whose series ends in .breaker_open, or [[logs]]";

/// H3a: whether it was ever open.
pub fn open(s: &Scene<'_>) -> Answer {
    let lines = s.lines();
    let said = lines.count(Says::BREAKER);
    let curve = s.measured(BREAKER, "breaker open");
    let (covered, asof) = match &curve {
        Some(c) => (c.coverage(), c.asof),
        None if lines.total > 0 => (lines.coverage(), lines.newest),
        None => return Answer::no_data(MISSING),
    };
    let spark = curve.as_ref().map(|c| c.name);
    let Some(first) = s.breaker_onset() else {
        let text = format!("never open; {} of the minutes are covered", percent(covered));
        return Answer::new(verdict(false, covered >= s.n.covered), text).asof(asof).spark(spark);
    };
    let minutes = curve.as_ref().map_or(lines.minutes_of(Says::BREAKER).0, |c| c.values().filter(|v| *v > 0.0).count());
    let healthy = dependency(s).verdict == Verdict::Supports;
    Answer::new(
        verdict(healthy, false),
        format!("open from {}, {minutes} min; {} refusals in the logs", s.clock(first), count(said)),
    )
    .asof(asof)
    .spark(spark)
    .with("needs", "opening alone supports nothing: the callee must have been healthy before it")
}

/// H3b: whether its threshold was near the usual failures.
pub fn threshold(s: &Scene<'_>) -> Answer {
    let Some(limit) = s.limits("breaker", "").next() else {
        return Answer::no_data(
            "the breaker's threshold is not configured: add a [[limit]] \"breaker failure ratio\" in percent with the errors' series",
        );
    };
    let usual = s.series(&["errors", "error_rate"], "errors").and_then(|c| s.usually(c.0)).and_then(|c| c.median());
    let Some(usual) = usual else {
        return Answer::no_data(
            "the usual failure ratio is not known: configure incident.baseline and a lane of errors in percent",
        );
    };
    let times = limit.value / usual.max(0.01);
    Answer::new(
        verdict(times < s.n.breaker_near, times >= s.n.breaker_far),
        format!("opens at {}, usual failures {}: {times:.1}×", percent(limit.value), percent(usual)),
    )
}

/// H3c: whether what it guards had been failing before it opened first.
pub fn dependency(s: &Scene<'_>) -> Answer {
    let Some(opened) = s.breaker_onset() else {
        return if s.measured(BREAKER, "breaker open").is_none() && s.lines().total == 0 {
            Answer::no_data(MISSING)
        } else {
            Answer::new(Verdict::Inconclusive, "the breaker never opened: nothing to look before")
        };
    };
    // A minute's value may hold what failed in its first seconds: the minute of the opening counts as before it.
    let before = Span::new(opened - s.n.callee_before, opened + Lapse::minutes(1));
    let signs: Vec<Sign> =
        [ratio(s, before), latency(s, before), lines(s, before), overall(s, opened)].into_iter().flatten().collect();
    if signs.is_empty() {
        return Answer::no_data(format!(
            "nothing tells how the callee was in the {} before {}: add a [[lane]] of its errors in percent, or [[logs]]",
            lapse(s.n.callee_before),
            s.clock(opened)
        ));
    }
    let failing = signs.iter().any(|sign| sign.verdict == Verdict::Refutes);
    let healthy = signs.iter().any(|sign| sign.verdict == Verdict::Supports);
    let text: Vec<&str> = signs.iter().map(|sign| sign.says.as_str()).collect();
    let mut answer = Answer::new(
        verdict(healthy && !failing, failing),
        format!("in the {} before {}: {}", lapse(s.n.callee_before), s.clock(opened), text.join("; ")),
    );
    answer.asof = signs.iter().filter_map(|sign| sign.asof).max();
    answer.spark = signs.iter().find_map(|sign| sign.series).cloned();
    answer
}

/// What one measure says of the callee: supports means healthy.
struct Sign<'s> {
    verdict: Verdict,
    says: String,
    asof: Option<Stamp>,
    series: Option<&'s SeriesName>,
}

/// The callee's own failures: the series that the breaker's limit bounds, or one of that name.
fn ratio<'s>(s: &Scene<'s>, before: Span) -> Option<Sign<'s>> {
    let named = || Some(s.curve(s.series(&["callee_errors"], "")?, before)).filter(|c| c.values().next().is_some());
    let curve = s.bounded("breaker", before).map(|b| b.1).or_else(named)?;
    let worst = curve.peak()?.1;
    Some(Sign {
        verdict: verdict(worst < s.n.callee_healthy, worst >= s.n.callee_failing),
        says: format!("{} of its calls failed at most", percent(worst)),
        asof: curve.asof,
        series: Some(curve.name),
    })
}

/// How long the callee took against its usual, where a client's time-out bounds a series.
fn latency<'s>(s: &Scene<'s>, before: Span) -> Option<Sign<'s>> {
    let (_, curve, usual) = s.bounded("client timeout", before)?;
    let (worst, usual) = (curve.peak()?.1, usual.filter(|u| *u > 0.0)?);
    let times = worst / usual;
    let healthy = if times < s.n.sick { Verdict::Inconclusive } else { Verdict::Refutes };
    Some(Sign {
        verdict: healthy,
        says: format!("it took {times:.1}× usual at most"),
        asof: curve.asof,
        series: Some(curve.name),
    })
}

/// Calls that ran into a deadline beside those the breaker refused. Lines may be sampled: shares hold, counts do not.
fn lines<'s>(s: &Scene<'s>, before: Span) -> Option<Sign<'s>> {
    let lines = s.lines();
    let minute = |t: Stamp| (t.since(s.span.from).0.max(0) / Lapse::minutes(1).0) as usize;
    let span = minute(before.from)..minute(before.to) + 1;
    let late = lines.in_minutes(Says::DEADLINE, span.clone());
    let refused = lines.in_minutes(Says::BREAKER, span);
    if refused < s.n.shown_orders && late < s.n.lasting {
        return None;
    }
    let many = late >= s.n.lasting && late as f64 >= s.n.beside * refused as f64;
    Some(Sign {
        verdict: verdict(late == 0 && refused >= s.n.shown_orders, many),
        says: format!("{} calls ran into a deadline beside {} refused", count(late), count(refused)),
        asof: lines.newest,
        series: None,
    })
}

/// Failures of everything together, before the minute of the opening.
fn overall<'s>(s: &Scene<'s>, opened: Stamp) -> Option<Sign<'s>> {
    let series = s.series(&["errors", "error_rate"], "errors")?;
    let curve = s.curve(series, Span::new(opened - s.n.callee_before, opened));
    let values: Vec<f64> = curve.values().collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let last = *values.last()?;
    // Somebody else's failures may hide the callee's: alone they tell little, unless nothing else is measured.
    let alone = s.bounded("breaker", s.span).is_none();
    Some(Sign {
        verdict: verdict(alone && mean < s.n.callee_healthy, mean >= s.n.callee_failing),
        says: format!("{} of all requests failed, {} in the last minute", percent(mean), percent(last)),
        asof: curve.asof,
        series: Some(series.0),
    })
}

/// H3x: whether the stuck orders met an open breaker.
pub fn shown(s: &Scene<'_>) -> Answer {
    let all = s.lines().count(Says::BREAKER);
    let named = s.lines().with_order(Says::BREAKER);
    if all > 0 && named == 0 {
        return Answer::no_data(format!(
            "none of {} breaker-open lines names an order: log the order id beside the refusal",
            count(all)
        ));
    }
    let answer = by_orders(s, "an open breaker", |t| t.says.has(Says::BREAKER));
    // Half of them is asked for here: a breaker that is open meets everyone.
    let (with_lines, some) = s.shown(|t| t.says.has(Says::BREAKER));
    if answer.verdict == Verdict::NoData || with_lines == 0 {
        return answer;
    }
    let supports = some as f64 >= s.n.breaker_met * with_lines as f64;
    Answer { verdict: verdict(supports, false), ..answer }
}

/// H3y: whether it opened before the first order hung.
pub fn before_stuck(s: &Scene<'_>) -> Answer {
    let Some(opened) = s.breaker_onset() else {
        return Answer::new(Verdict::Inconclusive, "the breaker was not seen open");
    };
    let Some(stuck) = s.book().first_stuck() else {
        return no_orders(s).unwrap_or_else(|| Answer::new(Verdict::Inconclusive, "no order is stuck"));
    };
    let early = opened <= stuck;
    let text = if early { "before" } else { "after" };
    Answer::new(
        verdict(early, opened > stuck + s.n.too_late),
        format!(
            "opened {}, {} {text} the first stuck order {}",
            s.clock(opened),
            lapse(opened.since(stuck)),
            s.clock(stuck)
        ),
    )
    .happened(Some(opened.max(stuck)))
}
