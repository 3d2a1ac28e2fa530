//! Causes outside the note's hypotheses: what their rules measure. Each needs the orders themselves to show it
//! before it is named, as any other.

use super::answer::{Answer, verdict};
use super::lines::{Lines, Says};
use super::numbers::Numbers;
use super::pool::{by_orders, no_orders};
use super::scene::{Curve, Scene};
use super::words::{count, lapse, number, percent, plain, share};
use crate::model::note::Verdict;
use crate::model::order::Role;
use crate::model::{Lapse, Mark, MarkKind, Span, Stamp};

const MINUTE: Lapse = Lapse::minutes(1);
const UP: &[&str] = &["orchestrator_up", "up"];
const GATEWAY: &[&str] = &["gateway_p95", "vendor_p95", "gateway_latency_p95"];
const GOROUTINES: &[&str] = &["goroutines", "go_goroutines"];
const GC: &[&str] = &["gc_cpu", "gc_cpu_fraction"];

/// When the Orchestrator was not there: by its own measure, else by the lines of those whom it refused.
pub fn outage(s: &Scene<'_>) -> Option<(Span, &'static str)> {
    let measured = s.measured(UP, "").and_then(|c| {
        let (from, len) = c.longest(|v| v < 0.5).filter(|(_, len)| *len >= s.n.down)?;
        Some(Span::new(from, from + MINUTE.times(len as i64)))
    });
    if let Some(span) = measured {
        return Some((span, "not up"));
    }
    let lines = s.lines();
    let (minutes, most) = lines.minutes_of(Says::REFUSED);
    let (first, last) = lines.first(Says::REFUSED).zip(lines.last(Says::REFUSED))?;
    (minutes >= s.n.lasting && most as usize >= s.n.duplicates)
        .then(|| (Span::new(first, last + Lapse(1)), "connections refused"))
}

/// Xoa: whether the Orchestrator was there all the time.
pub fn up(s: &Scene<'_>) -> Answer {
    let curve = s.measured(UP, "");
    let lines = s.lines();
    if curve.is_none() && lines.total == 0 {
        return Answer::no_data(
            "whether the Orchestrator is up is not measured: add a [[lane]] or [[limit]] whose series ends in .orchestrator_up, or [[logs]]",
        );
    }
    let asof = curve.as_ref().and_then(|c| c.asof).or(lines.newest);
    let refused = format!("{} refused connections in the logs", count(lines.count(Says::REFUSED)));
    if let Some((span, how)) = outage(s) {
        let text = format!("{how} from {} to {}; {refused}", s.clock(span.from), s.clock(span.to));
        return Answer::new(Verdict::Supports, text).asof(asof).spark(curve.map(|c| c.name));
    }
    let covered = curve.as_ref().map_or(0.0, Curve::coverage);
    let text = format!("never seen down; {} of the minutes are measured; {refused}", percent(covered));
    Answer::new(verdict(false, covered >= s.n.covered), text).asof(asof).spark(curve.map(|c| c.name))
}

/// Xox: whether the stuck orders were placed while it was gone, and hardly any other hangs.
pub fn born_while_down(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let Some((span, how)) = outage(s) else {
        return Answer::new(Verdict::Inconclusive, "no outage of the Orchestrator was seen");
    };
    // A saga takes a while: who was under way when it died hangs as well.
    let span = Span::new(span.from - s.n.under_way, span.to + MINUTE);
    let answer = born_within(s, span, how);
    let ripe = s.at - s.rules().stuck_after;
    let hang = s.book().stuck.iter().filter(|k| span.contains(k.facts.born)).count();
    let many = hang as f64 >= s.n.most_hang * s.book().births_split(span, ripe).0 as f64;
    if answer.verdict == Verdict::Supports && !many {
        Answer { verdict: Verdict::Inconclusive, ..answer }
    } else {
        answer
    }
}

/// Stuck orders born within a stretch, against those born outside it: whether most of them were, and whether
/// orders hang there many times as often as elsewhere.
pub fn born_within(s: &Scene<'_>, span: Span, how: &str) -> Answer {
    let book = s.book();
    let ripe = s.at - s.rules().stuck_after;
    let inside = book.stuck.iter().filter(|k| span.contains(k.facts.born)).count();
    s.carry(|| book.stuck.iter().filter(|k| span.contains(k.facts.born)).map(|k| k.id).collect());
    let outside = book.stuck.len() - inside;
    let (within, without) = book.births_split(span, ripe);
    let (hot, cold) = (inside as f64 / within.max(1) as f64, (outside as f64 + 0.5) / without.max(1) as f64);
    let most = inside as f64 >= s.n.most_of * book.stuck.len() as f64;
    let supports = inside >= s.n.shown_orders && most && hot >= s.n.times * cold;
    let refutes = book.stuck.len() >= s.n.hardly_shown_orders && !most && within > 0;
    let text = format!(
        "{} of {} stuck orders were placed {}–{} ({how}): {} of those placed then, {} of the others",
        count(inside),
        count(book.stuck.len()),
        s.clock(span.from),
        s.clock(span.to),
        share(inside, within),
        share(outside, without)
    );
    Answer::new(verdict(supports, refutes), text).asof(s.answered(Role::Orders))
}

/// Xoy, Xsx: whether the stuck orders' lines say one thing.
pub fn refused(s: &Scene<'_>) -> Answer {
    by_orders(s, "a refused connection", |t| t.says.has(Says::REFUSED))
}

/// How slow the gateway was against its usual: the factor of the worst stretch that lasted, since when, and where
/// that is known from.
pub struct Slow {
    /// Over usual.
    pub times: f64,
    /// Since when.
    pub from: Stamp,
    /// Until when.
    pub to: Stamp,
    /// Whether enough of the stretch is measured.
    pub covered: bool,
    /// Its source, in words.
    pub source: &'static str,
}

/// The gateway against its usual; none when nobody measured it.
pub fn gateway(s: &Scene<'_>) -> Option<Slow> {
    let by_metric = s.measured(GATEWAY, "gateway p95").and_then(|curve| {
        let usual = s.usually(curve.name).and_then(|c| c.median()).filter(|u| *u > 0.0)?;
        slow(&s.n, &curve.minutes, usual, curve.from, curve.coverage() >= s.n.covered, "metric")
    });
    if by_metric.as_ref().is_some_and(|m| m.covered || m.times >= s.n.vendor_sick) {
        return by_metric;
    }
    let by_lines = || {
        let minutes = s.lines().gateway();
        let mut usual: Vec<f64> = s.usual_lines()?.gateway().iter().flatten().copied().collect();
        usual.sort_by(f64::total_cmp);
        let usual = usual.get(usual.len() / 2).copied().filter(|u| *u > 0.0)?;
        let measured = minutes.iter().flatten().count();
        let enough = 3 * measured >= minutes.len();
        slow(&s.n, minutes, usual, s.span.from, enough, "lines of the gateway")
    };
    by_lines().filter(|l| by_metric.is_none() || l.times >= s.n.vendor_sick).or(by_metric)
}

fn slow(
    n: &Numbers,
    minutes: &[Option<f64>],
    usual: f64,
    from: Stamp,
    covered: bool,
    source: &'static str,
) -> Option<Slow> {
    let known: Vec<(usize, f64)> = minutes.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?))).collect();
    let worst = known.windows(n.lasting).map(|w| (w, w.iter().map(|v| v.1).fold(f64::INFINITY, f64::min)));
    let (_, lowest) = worst.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let begins = |w: &&[(usize, f64)]| w.iter().all(|v| v.1 >= n.vendor_sick * usual);
    let first = known.windows(n.lasting).find(begins).and_then(|w| w.first()).map_or(0, |v| v.0);
    let last = known.iter().rev().find(|v| v.1 >= n.vendor_sick * usual).map_or(first, |v| v.0);
    let minute = |i: usize| from + MINUTE.times(i as i64);
    Some(Slow { times: lowest / usual, from: minute(first), to: minute(last + 1), covered, source })
}

/// Xva: whether the gateway took longer than usual.
pub fn gateway_slow(s: &Scene<'_>) -> Answer {
    let Some(slow) = gateway(s) else {
        return Answer::no_data(
            "the gateway's response time is not measured: add a [[lane]] whose series ends in .gateway_p95 (seconds)",
        );
    };
    let sick = slow.times >= s.n.vendor_sick;
    let since = if sick { format!(" from {}", s.clock(slow.from)) } else { String::new() };
    let text = format!("{:.1}× usual for ≥ {} min{since}, by {}", slow.times, s.n.lasting, slow.source);
    Answer::new(verdict(sick, slow.covered && slow.times < s.n.vendor_well), text)
}

/// Xvx: whether the stuck orders met what a slow gateway leaves behind, after it had become slow.
pub fn met_slow_gateway(s: &Scene<'_>) -> Answer {
    let Some(slow) = gateway(s).filter(|slow| slow.times >= s.n.vendor_sick) else {
        return match gateway(s) {
            Some(_) => Answer::new(Verdict::Inconclusive, "the gateway was not slow"),
            None => Answer::no_data("the gateway's response time is not measured: nothing to look for"),
        };
    };
    let told = s.told();
    let with_lines = told.iter().filter(|t| t.says.has(Lines::ANY)).count();
    if with_lines < s.n.shown_orders {
        return no_orders(s)
            .unwrap_or_else(|| born_within(s, Span::new(slow.from - s.n.under_way, slow.to), "gateway slow"));
    }
    by_orders(s, "a call of UPG that was given up or refused", |t| {
        t.says.has(Says::DEADLINE.and(Says::BREAKER)) && !t.says.has(Says::POOL)
    })
}

/// Xvy: whether it was slow before orders hung and before the breaker opened.
pub fn gateway_first(s: &Scene<'_>) -> Answer {
    let Some(slow) = gateway(s).filter(|slow| slow.times >= s.n.vendor_sick) else {
        return Answer::new(Verdict::Inconclusive, "the gateway was not seen slow");
    };
    let Some(stuck) = s.book().first_stuck() else {
        return no_orders(s).unwrap_or_else(|| Answer::new(Verdict::Inconclusive, "no order is stuck"));
    };
    let breaker = s.breaker_onset();
    let early = slow.from <= stuck + s.n.slack && breaker.is_none_or(|b| slow.from <= b + s.n.slack);
    let late = slow.from > stuck + s.n.too_late;
    let opened = breaker.map_or("breaker never open".to_owned(), |b| format!("breaker {}", s.clock(b)));
    let text = format!("gateway slow {}, stuck {}, {opened}", s.clock(slow.from), s.clock(stuck));
    Answer::new(verdict(early, late), text)
}

/// The change that the first orders to hang followed, when nothing else had begun by then.
fn change<'s>(s: &Scene<'s>) -> Option<(&'s Mark, Stamp)> {
    let stuck = s.book().first_stuck()?;
    let near = |m: &&Mark| {
        m.kind == MarkKind::Change
            && s.span.contains(m.at)
            && m.at <= stuck + s.n.slack
            && stuck.since(m.at) <= s.n.after_change
    };
    s.store.marks(s.at).iter().rev().find(near).map(|m| (m, stuck))
}

/// Xca: whether orders began to hang right after a change, with no more users than usual.
pub fn after_change(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    if !s.store.marks(s.at).iter().any(|m| m.kind == MarkKind::Change) {
        return Answer::no_data("no deployment or change is known: a person marks it (m), or a source of changes");
    }
    let Some((mark, stuck)) = change(s) else {
        return Answer::new(
            Verdict::Refutes,
            format!("no change in the {} before the first orders hung", lapse(s.n.after_change)),
        );
    };
    let users = s.measured(&["users"], "users");
    let crowd = users.as_ref().and_then(|c| c.first(|u| u >= s.n.crowd * s.rules().normal_users));
    let busy = crowd.is_some_and(|t| t <= stuck + s.n.slack);
    let known = users.is_some_and(|c| c.asof.is_some_and(|t| t >= stuck));
    let text = format!(
        "{} {}, first stuck order {}{}",
        plain(&mark.text),
        s.clock(mark.at),
        s.clock(stuck),
        if busy { ", when the users came as well" } else { "" }
    );
    Answer::new(verdict(known && !busy, false), text).happened(Some(stuck))
}

/// Xcx: whether orders placed after the change hang and those before it do not.
pub fn hang_since_change(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let Some((mark, _)) = change(s) else {
        return Answer::new(Verdict::Inconclusive, "no change shortly before the first orders hung");
    };
    let book = s.book();
    let cut = mark.at - s.n.slack;
    let quarter = Span::new(mark.at, (mark.at + s.n.after_change).min(s.at));
    let before = book.stuck.iter().filter(|k| k.facts.born < cut).count();
    let after = book.stuck.iter().filter(|k| quarter.contains(k.facts.born)).count();
    s.carry(|| book.stuck.iter().filter(|k| quarter.contains(k.facts.born)).map(|k| k.id).collect());
    let born_before = book.births_split(Span::new(s.window.from, cut), s.at).0;
    let born_after = book.births_split(quarter, s.at).0;
    let rate = |n: f64, of: usize| n / of.max(1) as f64;
    let (old, new) = (rate(before as f64 + 0.5, born_before), rate(after as f64, born_after));
    let text = format!(
        "{} of those placed in the {} after {} hang, {} of those before",
        share(after, born_after),
        lapse(s.n.after_change),
        plain(&mark.text),
        share(before, born_before)
    );
    let enough = born_before >= s.n.few_orders && after >= s.n.shown_orders;
    Answer::new(verdict(enough && new >= s.n.times * old, false), text).asof(s.answered(Role::Orders))
}

/// Xcy: whether the stuck orders' lines show a program that fell over its own code.
pub fn panics(s: &Scene<'_>) -> Answer {
    by_orders(s, "a panic", |t| t.says.has(Says::PANIC))
}

/// Xsa: whether a sequence ran out of numbers.
pub fn sequence_ended(s: &Scene<'_>) -> Answer {
    let lines = s.lines();
    if lines.total == 0 {
        return Answer::no_data("no log lines in this stretch: configure [[logs]]");
    }
    let (minutes, most) = lines.minutes_of(Says::SEQUENCE);
    let first = lines.first(Says::SEQUENCE).map_or(String::new(), |t| format!(" from {}", s.clock(t)));
    let text = format!(
        "{} lines of a sequence at its end{first}, {minutes} min, most {most} in one",
        count(lines.count(Says::SEQUENCE))
    );
    Answer::new(verdict(minutes >= s.n.lasting, minutes == 0 && lines.coverage() >= s.n.covered), text)
        .asof(lines.newest)
}

/// Xsx: whether the stuck orders' own lines say so.
pub fn without_number(s: &Scene<'_>) -> Answer {
    by_orders(s, "a sequence at its end", |t| t.says.has(Says::SEQUENCE))
}

/// Since when more goroutines were there than the users explain, and how many times as many.
fn leaking(s: &Scene<'_>) -> Option<(Stamp, f64, bool)> {
    let curve = s.measured(GOROUTINES, "goroutines")?;
    let usual = s.usually(curve.name).and_then(|c| c.median()).filter(|u| *u > 0.0)?;
    let users = s.measured(&["users"], "users")?;
    let normal = s.rules().normal_users;
    // Only minutes without a crowd tell a leak from waiting.
    let calm = |i: usize| users.minutes.get(i).copied().flatten().is_some_and(|u| u < s.n.users_back * normal);
    let quiet: Vec<(usize, f64)> =
        curve.minutes.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?))).filter(|(i, _)| calm(*i)).collect();
    let early: Vec<f64> = quiet.iter().take(30).map(|q| q.1 / usual).collect();
    let mut sorted = early.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied()?;
    let from = quiet
        .iter()
        .find(|q| q.1 > s.n.goroutines * usual)
        .map_or(curve.from, |q| curve.from + MINUTE.times(q.0 as i64));
    Some((from, middle, early.len() >= s.n.few_minutes))
}

/// Xla: whether there were more goroutines than usual before anybody came.
pub fn leak(s: &Scene<'_>) -> Answer {
    let Some((from, times, enough)) = leaking(s) else {
        return Answer::no_data(
            "goroutines are not measured, or their usual number: add a [[lane]] whose series ends in .goroutines and incident.baseline",
        );
    };
    let text = format!("{}× the usual goroutines with the usual users, seen from {}", number(times), s.clock(from));
    Answer::new(verdict(enough && times >= s.n.goroutines, enough && times < s.n.leak_none), text)
}

/// From how many percent of the processors on the collector works too much: many times the usual is enough.
fn gc_limit(s: &Scene<'_>, curve: &Curve<'_>) -> f64 {
    let usual = s.usually(curve.name).and_then(|c| c.median());
    usual.map_or(s.n.gc_cpu, |u| (s.n.gc_times * u).clamp(s.n.gc_cpu / 2.0, s.n.gc_cpu))
}

/// Since when the collector worked more than it may.
pub fn collecting(s: &Scene<'_>) -> Option<Stamp> {
    let by_metric = s.measured(GC, "gc cpu").and_then(|c| {
        let much = gc_limit(s, &c);
        let run = c.longest(|v| v >= much).filter(|(_, len)| *len >= s.n.lasting);
        run.map(|r| r.0)
    });
    let by_lines = || {
        let lines = s.lines();
        (lines.minutes_of(Says::MEMORY).0 >= s.n.lasting && lines.count(Says::MEMORY) >= s.n.shown_orders)
            .then(|| lines.first(Says::MEMORY))?
    };
    by_metric.or_else(by_lines)
}

/// Xlb: whether the collector took the processors.
pub fn collector(s: &Scene<'_>) -> Answer {
    let curve = s.measured(GC, "gc cpu");
    let said = s.lines().count(Says::MEMORY);
    if curve.is_none() && s.lines().total == 0 {
        return Answer::no_data("the collector is not measured: add a [[lane]] whose series ends in .gc_cpu (percent)");
    }
    let peak = curve.as_ref().and_then(Curve::peak).map_or(0.0, |p| p.1);
    let covered = curve.as_ref().is_some_and(|c| c.coverage() >= s.n.covered);
    let since = collecting(s);
    let at = since.map_or(String::new(), |t| format!(" from {}", s.clock(t)));
    let text =
        format!("at most {} of the processors{at}; {} lines of memory running short", percent(peak), count(said));
    Answer::new(verdict(since.is_some(), covered && since.is_none() && peak < s.n.gc_cpu / 2.0), text)
}

/// Xlx: whether the stuck orders waited for the program whose memory ran short, after it did.
pub fn waited_for_leaking(s: &Scene<'_>) -> Answer {
    let Some(since) = collecting(s) else {
        return Answer::new(Verdict::Inconclusive, "the collector was not seen at work");
    };
    let answer = by_orders(s, "a wait for a connection of the pods that collect", |t| t.says.has(Says::POOL));
    let first = s.pool_onset().map(|p| p.0);
    let before = first.is_none_or(|pool| since <= pool + s.n.slack);
    if answer.verdict == Verdict::Supports && !before {
        return Answer { verdict: Verdict::Inconclusive, ..answer }
            .with("order", "the pool was full before the collector worked: a consequence".to_owned());
    }
    answer.with(
        "order",
        format!("collector {}, pool {}", s.clock(since), first.map_or("never full".to_owned(), |t| s.clock(t))),
    )
}
