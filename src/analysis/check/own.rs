//! Measures that a rule, or a probe of the configuration, points at something by itself: a series, lines with
//! words, or the stuck orders' lines, against two levels.

use super::answer::{Answer, verdict};
use super::measure::Own;
use super::pool::no_orders;
use super::rule::{Levels, finds};
use super::scene::Scene;
use super::words::{count, lapse, number, percent, plain, share};
use crate::model::Lapse;
use crate::store::miner::ShapeId;
use std::collections::{HashMap, HashSet};

const MINUTE: Lapse = Lapse::minutes(1);

/// What is said of a series that only is to be seen.
pub const NO_LEVEL: &str = "measured, without a verdict";

/// What the measure says of its levels.
pub fn run(s: &Scene<'_>, own: Own, levels: &Levels) -> Answer {
    match own {
        Own::Series => series(s, levels),
        Own::Lines => lines(s, levels),
        Own::OrdersWithLines => orders_with_lines(s, levels),
    }
}

/// Its levels in words.
pub fn says(own: Own, levels: &Levels) -> String {
    let unit = match (own, levels.of_usual) {
        (Own::OrdersWithLines, _) => return "{shown} of ≥ {shown_orders} orders; not < {hardly_shown}".to_owned(),
        (_, true) => " × usual",
        (Own::Lines, false) => " lines a minute",
        (Own::Series, false) => "",
    };
    let above = levels.supports_at.map(|level| format!("≥ {}{unit} for ≥ {}", number(level), lapse(levels.for_)));
    let below = levels.refutes_below.map(|level| format!("not < {}{unit}", number(level)));
    let parts: Vec<String> = above.into_iter().chain(below).collect();
    if parts.is_empty() { NO_LEVEL.to_owned() } else { parts.join("; ") }
}

/// Both levels as values, by what is usual where they are times that.
fn values(levels: &Levels, usual: Option<f64>) -> Option<(Option<f64>, Option<f64>)> {
    let one = if levels.of_usual { usual.filter(|u| *u > 0.0)? } else { 1.0 };
    Some((levels.supports_at.map(|l| l * one), levels.refutes_below.map(|l| l * one)))
}

/// Minutes that something must last.
fn minutes(levels: &Levels) -> usize {
    (levels.for_.0 / MINUTE.0).max(1) as usize
}

fn series(s: &Scene<'_>, levels: &Levels) -> Answer {
    let name = s.store.series_names().find(|x| ***x == *levels.of);
    let curve = name.and_then(|name| Some(s.curve((name, s.store.series(name)?), s.span)));
    let Some(curve) = curve.filter(|c| c.values().next().is_some()) else {
        let near = if name.is_some() { String::new() } else { nearest(s, &levels.of) };
        return Answer::no_data(format!("the series {} has no value here{near}", levels.of));
    };
    let peak = curve.peak().map_or(0.0, |p| p.1);
    let usual = s.usually(curve.name).and_then(|c| c.median());
    let Some((high, low)) = values(levels, usual) else {
        return Answer::no_data(format!("what is usual for {} is not known: configure incident.baseline", levels.of));
    };
    let supports = high.is_some_and(|level| curve.longest(|v| v >= level).is_some_and(|r| r.1 >= minutes(levels)));
    let refutes = low.is_some_and(|level| peak < level && curve.coverage() >= s.n.covered);
    let usual = usual.map_or_else(String::new, |u| format!(", usually {}", number(u)));
    Answer::new(verdict(supports, refutes), format!("{} at most {}{usual}", levels.of, number(peak)))
        .asof(curve.asof)
        .spark(Some(curve.name))
        .with("coverage", percent(curve.coverage()))
}

/// `; the nearest is upg.errors`: a series that nothing brings is most often one spelled otherwise.
fn nearest(s: &Scene<'_>, name: &str) -> String {
    let near = s.store.series_names().map(|n| (strsim::damerau_levenshtein(name, n), &**n)).min();
    near.map_or_else(
        || ": no series is known yet".to_owned(),
        |(_, n)| format!(": there is no such series; the nearest is {n}"),
    )
}

/// Whether lines of a shape have the words: judged once for each shape.
struct Judge<'l> {
    of: &'l str,
    shapes: HashMap<ShapeId, bool>,
}

impl Judge<'_> {
    fn has(&mut self, shape: ShapeId, message: &str) -> bool {
        let of = self.of;
        *self.shapes.entry(shape).or_insert_with(|| finds(of, message))
    }
}

fn lines(s: &Scene<'_>, levels: &Levels) -> Answer {
    if s.lines().total == 0 {
        return Answer::no_data("no log lines in this stretch: configure [[logs]]");
    }
    let by_minute = |span: crate::model::Span| {
        let all = ((span.length().0 + MINUTE.0 - 1) / MINUTE.0).clamp(1, 100_000) as usize;
        let mut out = vec![0.0; all];
        let mut judge = Judge { of: &levels.of, shapes: HashMap::new() };
        for kept in s.store.logs.within(span) {
            if judge.has(kept.shape, kept.line.message.raw())
                && let Some(slot) = out.get_mut((kept.line.at.since(span.from).0 / MINUTE.0) as usize)
            {
                *slot += 1.0;
            }
        }
        out
    };
    let now = by_minute(s.span);
    let usual = s
        .baseline()
        .filter(|b| !s.store.logs.within(*b).is_empty())
        .map(by_minute)
        .map(|minutes| minutes.iter().sum::<f64>() / minutes.len() as f64);
    // Where there are usually none, one a minute stands for it: nothing times three is nothing.
    let Some((high, low)) = values(levels, usual.map(|u| u.max(1.0))) else {
        return Answer::no_data("what is usual is not known: no lines in incident.baseline");
    };
    let most = now.iter().copied().fold(0.0, f64::max);
    let mut run = (0, 0);
    for v in &now {
        run.1 = if high.is_some_and(|h| *v >= h) { run.1 + 1 } else { 0 };
        run.0 = run.0.max(run.1);
    }
    let refutes = low.is_some_and(|level| most < level) && s.lines().coverage() >= s.n.covered;
    let text = format!(
        "{} lines with {}, most {} in a minute{}",
        count(now.iter().sum::<f64>() as usize),
        plain(&levels.of.as_str().into()),
        number(most),
        usual.map_or_else(String::new, |u| format!(", usually {} a minute", number(u)))
    );
    Answer::new(verdict(high.is_some() && run.0 >= minutes(levels), refutes), text)
        .asof(s.lines().newest)
        .with("coverage", format!("{} of the minutes have lines", percent(s.lines().coverage())))
}

fn orders_with_lines(s: &Scene<'_>, levels: &Levels) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let stuck: HashSet<&str> = s.book().stuck.iter().map(|k| &**k.id).collect();
    let mut judge = Judge { of: &levels.of, shapes: HashMap::new() };
    let (mut with_lines, mut with_words) = (HashSet::new(), HashSet::new());
    for kept in s.store.logs.within(s.span) {
        if let Some(order) = kept.line.order.as_deref().filter(|o| stuck.contains(o)) {
            with_lines.insert(order);
            if judge.has(kept.shape, kept.line.message.raw()) {
                with_words.insert(order);
            }
        }
    }
    s.carry(|| s.book().stuck.iter().filter(|k| with_words.contains(&**k.id)).map(|k| k.id).collect());
    let (all, some) = (with_lines.len(), with_words.len());
    let part = some as f64 / all.max(1) as f64;
    let supports = all >= s.n.shown_orders && part >= s.n.shown;
    if !supports && (all < s.n.shown_orders || (all as f64) < s.n.lined * stuck.len() as f64) {
        return Answer::no_data(format!(
            "only {} of {} stuck orders have any log line: too few to tell",
            count(all),
            count(stuck.len())
        ));
    }
    let refutes = part < s.n.hardly_shown && all >= s.n.hardly_shown_orders;
    let words = plain(&levels.of.as_str().into());
    let text = format!("{} of {} with lines = {} have {words}", count(some), count(all), share(some, all));
    Answer::new(verdict(supports, refutes), text)
        .asof(s.lines().newest)
        .with("coverage", format!("{} of {} stuck orders have a line", count(all), count(stuck.len())))
}
