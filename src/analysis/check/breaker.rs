//! Circuit breaker (H3): whether it opened, whether it had a reason, and whether the stuck orders met it.
//! A breaker that opened after its callee had failed is a consequence.

use super::answer::{Answer, verdict};
use super::lines::Says;
use super::numbers as n;
use super::pool::{by_orders, no_orders};
use super::scene::{BREAKER, Scene};
use super::words::{count, lapse, percent};
use crate::model::note::Verdict;
use crate::model::{Lapse, Span};

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
        return Answer::new(verdict(false, covered >= n::COVERED), text).asof(asof).spark(spark);
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
        verdict(times < n::BREAKER_ROOM.0, times >= n::BREAKER_ROOM.1),
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
    let before = Span::new(opened - Lapse::minutes(5), opened);
    let Some(series) = s.series(&["callee_errors", "errors", "error_rate"], "errors") else {
        return Answer::no_data("no failure ratio: add a [[lane]] of errors in percent");
    };
    let curve = s.curve(series, before);
    let values: Vec<f64> = curve.values().collect();
    if values.is_empty() {
        return Answer::no_data(format!("{} has no value in the 5 min before {}", series.0, s.clock(opened)));
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let last = values.last().copied().unwrap_or(mean);
    Answer::new(
        verdict(mean < n::CALLEE.0, mean >= n::CALLEE.1),
        format!("{} failed in the 5 min before {}, {} in the last", percent(mean), s.clock(opened), percent(last)),
    )
    .asof(curve.asof)
    .spark(Some(series.0))
    .with("minutes", values.iter().map(|v| percent(*v)).collect::<Vec<_>>().join(", "))
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
    let supports = some * 2 >= with_lines;
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
        verdict(early, opened > stuck + n::TOO_LATE),
        format!(
            "opened {}, {} {text} the first stuck order {}",
            s.clock(opened),
            lapse(opened.since(stuck)),
            s.clock(stuck)
        ),
    )
    .asof(Some(opened.max(stuck)))
}
