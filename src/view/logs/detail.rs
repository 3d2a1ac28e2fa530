//! What the selected pattern holds: which pods wrote it, which values stand for its placeholders, its
//! stack, its orders, an example.

use crate::analysis::pattern::{Pattern, TREND};
use crate::app::App;
use crate::app::rows::Panel;
use crate::model::Lapse;
use crate::store::lines::Kept;
use crate::view::canvas::{Canvas, Focus, dim, plain, run, strong};
use crate::view::list::{Runs, spark};
use crate::view::look::Role;
use crate::view::number;
use std::collections::BTreeMap;

/// Rows it takes.
pub const ROWS: u16 = 9;
/// Lines looked at for the values of placeholders: enough to see what stands there.
const LOOKED_AT: usize = 2000;
/// Where its words begin.
const INDENT: u16 = 14;

/// Draws it between `y` and `end`.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    let Some(p) = app.derived.patterns.get(app.rows_in(Panel::Patterns).focus) else { return };
    let lines = members(app, p);
    canvas.head(x, y, end_x, "SELECTED", &canvas.shown(&p.template), Focus::Away);
    let mut rows: Vec<(String, Runs)> = vec![("by pod".to_owned(), pods(&lines, canvas))];
    rows.extend(values(p, &lines, canvas));
    rows.push(("stack".to_owned(), stack(&lines, canvas)));
    rows.push(("orders".to_owned(), orders(app, p)));
    rows.push(("of stuck".to_owned(), share(app, p)));
    if let Some(k) = lines.first() {
        let mut runs = vec![dim(format!("{} ", app.store.incident.zone.hms_milli(k.line.at)))];
        runs.extend(canvas.outside(&k.line.message, Role::Text));
        rows.push(("example".to_owned(), runs));
    }
    for (y, (label, runs)) in (y + 1..).zip(rows) {
        if y >= end {
            return;
        }
        canvas.fit(x, y, x + INDENT - 1, &label, Role::Dim);
        canvas.runs(x + INDENT, y, end_x, &runs);
    }
}

/// The pattern's lines, oldest first.
fn members<'a>(app: &'a App, p: &Pattern) -> Vec<&'a Kept> {
    let lines = app.store.logs.within(app.lines_span());
    let Some(first) = p.members.first().and_then(|n| lines.iter().find(|k| k.number == *n)) else { return Vec::new() };
    let (logs, template) = (&app.store.logs, app.store.logs.template_of(first));
    lines.iter().filter(|k| logs.template_of(k) == template).collect()
}

fn pods(lines: &[&Kept], canvas: &Canvas<'_>) -> Runs {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for k in lines {
        *counts.entry(&k.line.service).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    let all = lines.len().max(1) as f64;
    let even = counts.len() > 1 && {
        let each = all / counts.len() as f64;
        counts.iter().all(|(_, n)| (*n as f64 / each - 1.0).abs() <= 0.25)
    };
    if !even {
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    }
    let mut runs: Runs = Vec::new();
    for (name, n) in counts.iter().take(8) {
        runs.extend(canvas.outside(&crate::model::Untrusted::from(*name), Role::Text));
        runs.push(dim(format!(" {}   ", number::count(*n))));
    }
    match counts.len() {
        0 => runs.push(dim(number::NOTHING)),
        1 => runs.push(dim("the only one")),
        n if even => runs.push(dim(format!("even over {n}"))),
        n if n > 8 => runs.push(dim(format!("… {} more", n - 8))),
        _ => {}
    }
    runs
}

/// The values that stand for placeholders, most frequent first; at most two rows.
fn values(p: &Pattern, lines: &[&Kept], canvas: &Canvas<'_>) -> Vec<(String, Runs)> {
    let template = canvas.shown(&p.template);
    let parts = literals(&template);
    let holes = parts.len().saturating_sub(1);
    if holes == 0 {
        return Vec::new();
    }
    let mut counts: Vec<BTreeMap<String, usize>> = vec![BTreeMap::new(); holes];
    let looked: Vec<&&Kept> = lines.iter().take(LOOKED_AT).collect();
    for k in &looked {
        for (slot, value) in counts.iter_mut().zip(fill(&parts, &canvas.shown(&k.line.message))) {
            *slot.entry(value.to_owned()).or_default() += 1;
        }
    }
    let names = names(&template);
    let mut out = Vec::new();
    for (name, slot) in names.into_iter().zip(counts) {
        let distinct = slot.len();
        // Ids differ in every line and say nothing; the values worth showing repeat.
        if distinct == 0 || (distinct > 12 && distinct * 3 > looked.len()) {
            continue;
        }
        let mut by_count: Vec<_> = slot.into_iter().collect();
        by_count.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let mut runs: Runs = Vec::new();
        for (value, n) in by_count.iter().take(4) {
            runs.push(plain(value.clone()));
            runs.push(dim(format!(" in {}   ", number::count(*n as i64))));
        }
        let rest = distinct.saturating_sub(4);
        let more = if rest > 0 { format!("{rest} other values, ") } else { String::new() };
        let of = if looked.len() < lines.len() { "the first " } else { "" };
        runs.push(dim(format!("{more}of {of}{}", number::plural(looked.len(), "line", "lines"))));
        out.push((name, runs));
        if out.len() == 2 {
            break;
        }
    }
    out
}

/// The words of a template between its placeholders.
fn literals(template: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = hole(rest) {
        out.push(before);
        rest = after;
    }
    out.push(rest);
    out
}

fn hole(text: &str) -> Option<(&str, &str)> {
    text.match_indices('<').find_map(|(open, _)| {
        let close = open + text.get(open..)?.find('>')?;
        let name = text.get(open + 1..close)?;
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase());
        if named { Some((text.get(..open)?, text.get(close + 1..)?)) } else { None }
    })
}

/// How each placeholder is called: the word it stands in.
fn names(template: &str) -> Vec<String> {
    let mut out = Vec::new();
    for word in template.split_whitespace() {
        let mut rest = word;
        while let Some((before, after)) = hole(rest) {
            let key = before
                .rsplit(['(', '[', '{', '"', '\'', ',', '>'])
                .next()
                .unwrap_or(before)
                .trim_end_matches(['=', ':']);
            out.push(if key.is_empty() {
                word.trim_matches(['(', ')', '[', ']', ',', ';', ':']).to_owned()
            } else {
                key.to_owned()
            });
            rest = after;
        }
    }
    out
}

/// What stands for each placeholder in a message; empty when the message does not fit.
fn fill<'a>(parts: &[&str], message: &'a str) -> Vec<&'a str> {
    let Some((first, others)) = parts.split_first() else { return Vec::new() };
    let Some(mut rest) = message.strip_prefix(first) else { return Vec::new() };
    let mut out = Vec::new();
    for (i, part) in others.iter().enumerate() {
        let last = i + 1 == others.len();
        let end = if part.is_empty() || last && rest.ends_with(part) {
            rest.len().checked_sub(part.len())
        } else {
            rest.find(part)
        };
        let Some((value, after)) = end.and_then(|end| Some((rest.get(..end)?, rest.get(end + part.len()..)?))) else {
            return Vec::new();
        };
        out.push(value);
        rest = after;
    }
    out
}

fn stack(lines: &[&Kept], canvas: &Canvas<'_>) -> Runs {
    let with: Vec<_> = lines.iter().filter(|k| !k.line.stack.is_empty()).collect();
    let Some(first) = with.first() else { return vec![dim("none of its lines has one")] };
    let mut runs: Runs = vec![plain(super::lines::frames(&first.line.stack, canvas).join(" ← "))];
    let same = with.iter().filter(|k| k.line.stack == first.line.stack).count();
    let frames = number::plural(first.line.stack.len(), "frame", "frames");
    let how = if same == lines.len() {
        "the same in all lines".to_owned()
    } else {
        format!("in {} of {} lines", number::count(same as i64), number::count(lines.len() as i64))
    };
    runs.push(dim(format!("   {how}, {frames}")));
    runs
}

fn orders(app: &App, p: &Pattern) -> Runs {
    let stuck = app.derived.standing.stuck;
    if p.orders == 0 {
        return vec![dim("no stuck order has such a line")];
    }
    let mut runs = vec![
        strong(number::count(p.orders as i64)),
        plain(if p.orders == 1 { " stuck order has it" } else { " stuck orders have it" }),
    ];
    if stuck >= p.orders {
        let share = p.orders as f64 * 100.0 / stuck as f64;
        runs.push(dim(format!("   {} of the {} stuck", number::percent(share), number::count(stuck as i64))));
    }
    runs
}

/// The stuck orders that carry it among those that have any line at all, stretch by stretch: who left no line says
/// nothing about it either way.
fn share(app: &App, p: &Pattern) -> Runs {
    let (heard, shares) = (&p.heard, p.shares());
    if heard.all == 0 {
        return vec![dim("no stuck order has a line in this window")];
    }
    let count = |n: usize| number::count(n as i64);
    let mut runs = vec![
        run(Role::Hot, spark(&shares, 0.0, 100.0)),
        strong(format!("  {}", number::percent(p.orders as f64 * 100.0 / heard.all as f64))),
        dim(format!(": {} of the {} that have any line", count(p.orders), count(heard.all))),
    ];
    let most = shares.iter().enumerate().filter_map(|(i, s)| Some((i, (*s)?)));
    let most = most.max_by(|(_, a), (_, b)| a.total_cmp(b)).filter(|(_, s)| *s > 0.0);
    if let Some((i, share)) = most {
        let span = app.lines_span();
        let begin = |i: usize| span.from + Lapse(span.length().0 * i as i64 / TREND as i64);
        let zone = &app.store.incident.zone;
        let of = |counts: &[u32]| count(counts.get(i).map_or(0, |n| *n as usize));
        runs.push(dim(format!(
            "   most {}: {} of {}, {}–{}",
            number::percent(share),
            of(&p.carried),
            of(&heard.by_stretch),
            zone.hms(begin(i)),
            zone.hms(begin(i + 1))
        )));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_from_a_message() {
        let parts = literals("pool mrg: acquire timeout after <n>ms (in_use=<n> max=<n>)");
        assert_eq!(fill(&parts, "pool mrg: acquire timeout after 5000ms (in_use=20 max=20)"), ["5000", "20", "20"]);
        assert!(fill(&parts, "something else").is_empty());
        assert_eq!(fill(&literals("gave up at <word>"), "gave up at RECORD"), ["RECORD"]);
    }

    #[test]
    fn placeholders_are_called_by_the_word_they_stand_in() {
        assert_eq!(names("after <n>ms (in_use=<n> max=<n>)"), ["<n>ms", "in_use", "max"]);
    }
}
