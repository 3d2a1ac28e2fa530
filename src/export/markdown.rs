//! The report as Markdown.
//!
//! Owns the order in which a person reads it. Text from outside is escaped where it stands, so that it is never
//! taken for Markdown or HTML. May not know: how anything was found.

use super::{basis, bytes, clock, millis, moment, points};
use crate::analysis::report::story::Lag;
use crate::analysis::report::{Hypothesis, Item, Report, after};
use crate::view::number;
use std::fmt::Write as _;

/// The whole report.
pub fn markdown(r: &Report) -> String {
    let mut out = String::new();
    head(&mut out, r);
    verdict(&mut out, r);
    impact(&mut out, r);
    timeline(&mut out, r);
    logs(&mut out, r);
    out.push_str("\n## Hypotheses\n");
    r.hypotheses.iter().for_each(|h| hypothesis(&mut out, h));
    checklist(&mut out, r);
    unseen(&mut out, r);
    people(&mut out, r);
    worksheet(&mut out, r);
    cost(&mut out, r);
    out
}

fn head(out: &mut String, r: &Report) {
    let _ = writeln!(out, "# {}\n", plain(&r.title));
    let said = [("Severity", &r.severity), ("status", &r.status)];
    let said: Vec<String> =
        said.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k} {}", plain(v))).collect();
    if !said.is_empty() {
        let _ = writeln!(out, "{}.", said.join(", "));
    }
    let against = r.baseline.as_ref().map_or_else(
        || "held against no baseline".to_owned(),
        |b| format!("held against {} to {}", moment(&b.from), clock(&b.to)),
    );
    let _ = writeln!(
        out,
        "As of {}. Judged: {} to {}, {against}.",
        moment(&r.at),
        moment(&r.window.from),
        moment(&r.window.to)
    );
    out.push_str("\n## Summary\n\n");
    for says in r.summary.iter().filter(|s| **s != r.answer) {
        let _ = writeln!(out, "- {}", plain(says));
    }
}

fn verdict(out: &mut String, r: &Report) {
    let _ = writeln!(out, "\n## Verdict\n\n{}", plain(&r.answer));
    if let Some(a) = &r.accepted {
        let _ = writeln!(out, "\n{} concluded {} ({}).", plain(&a.who), a.causes.join(", "), moment(&a.at));
    }
    if !r.contributing.is_empty() {
        let _ = writeln!(out, "\nContributing: {}.", r.contributing.join(", "));
    }
}

fn impact(out: &mut String, r: &Report) {
    let i = &r.impact;
    out.push_str("\n## Impact\n\n| what | how much |\n| --- | ---: |\n");
    for (what, much) in super::figures(r) {
        let _ = writeln!(out, "| {what} | {} |", cell(&much));
    }
    if !i.classes.is_empty() {
        out.push_str("\n| class | orders | amount | next safe action |\n| --- | ---: | ---: | --- |\n");
    }
    for c in &i.classes {
        let fine = if c.fault { "" } else { " (no fault)" };
        let amount = number::rupiah(c.amount);
        let _ = writeln!(out, "| {}{fine} | {} | {amount} | {} |", c.class, number::count(c.orders as i64), c.action);
    }
    for says in &i.doubts {
        let _ = writeln!(out, "\n**In doubt:** {}", plain(says));
    }
    for says in &i.not_known {
        let _ = writeln!(out, "\nNot known: {}", plain(says));
    }
}

fn timeline(out: &mut String, r: &Report) {
    out.push_str("\n## Timeline\n\n| stage | began | after the spike | seen on |\n| --- | --- | ---: | --- |\n");
    for l in &r.lags {
        let (at, lag) = began(l);
        let _ = writeln!(out, "| {} | {at} | {lag} | {} |", l.stage.name(), cell(&l.what.join(", ")));
    }
    if r.events.is_empty() {
        out.push_str("\nNothing was seen to leave its usual.\n");
        return;
    }
    out.push_str("\n| time | after | what | |\n| --- | ---: | --- | --- |\n");
    for e in &r.events {
        let lag = e.after_s.map(after).unwrap_or_default();
        let _ = writeln!(out, "| {} | {lag} | {} | {} |", clock(&e.at), e.kind, cell(&e.text));
    }
}

fn logs(out: &mut String, r: &Report) {
    if r.log_patterns.is_empty() {
        return;
    }
    out.push_str("\n## Log lines that are not usual\n\n");
    out.push_str(
        "| lines | usually | first | stuck orders | service | words |\n| ---: | ---: | --- | ---: | --- | --- |\n",
    );
    for s in &r.log_patterns {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} {} | {} |",
            number::count(s.lines as i64),
            super::usual(s),
            s.first.as_deref().map_or("", clock),
            number::count(s.orders as i64),
            s.level,
            cell(&s.service),
            cell(&s.template)
        );
    }
}

/// When a stage began, and how long after the spike.
pub(super) fn began(l: &Lag) -> (&str, String) {
    let lag = l.after_s.map(after).unwrap_or_default();
    l.at.as_deref().map_or(("not seen", String::new()), |at| (clock(at), lag))
}

fn hypothesis(out: &mut String, h: &Hypothesis) {
    let _ = writeln!(out, "\n### {} {}: {}, {} points\n", h.id, plain(&h.title), h.verdict, points(h.score));
    if !h.because.is_empty() {
        let _ = writeln!(out, "Because {}.", plain(h.because.trim_end_matches('.')));
    }
    if !h.but.is_empty() {
        let _ = writeln!(out, "But {}.", plain(h.but.trim_end_matches('.')));
    }
    checks(out, &h.items);
}

fn checks(out: &mut String, items: &[Item]) {
    if items.is_empty() {
        return;
    }
    out.push_str("\n| check | says | measured | rule | basis |\n| --- | --- | --- | --- | --- |\n");
    for c in items {
        let stale = if c.stale { ", stale" } else { "" };
        let over = c.overridden.as_ref().map(|o| format!(" ({})", cell(o))).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} {} | {}{stale}{over} | {} | {} | {} |",
            cell(&c.item),
            cell(&c.title),
            c.verdict,
            cell(&c.value),
            cell(&c.rule),
            cell(&basis(c))
        );
    }
}

fn checklist(out: &mut String, r: &Report) {
    if r.checklist.is_empty() {
        return;
    }
    out.push_str("\n## Checklist\n");
    for p in &r.phases {
        let _ = write!(out, "\n- {}: {} of {} ticked", plain(&p.title), p.ticked, p.of);
    }
    out.push('\n');
    checks(out, &r.checklist);
}

fn unseen(out: &mut String, r: &Report) {
    out.push_str("\n## What was not measured\n\n");
    for m in &r.missing_sources {
        let _ = writeln!(out, "- {}: {}", m.checks.join(", "), plain(&m.says));
    }
    for b in &r.blind {
        let _ = writeln!(
            out,
            "- {} told nothing {}–{}: {}",
            plain(&b.source),
            clock(&b.from),
            clock(&b.to),
            plain(&b.says)
        );
    }
    if r.missing_sources.is_empty() && r.blind.is_empty() {
        out.push_str("Every check had data, and no source was silent.\n");
    }
}

fn people(out: &mut String, r: &Report) {
    out.push_str("\n## What people said\n\n");
    for a in &r.answers {
        let at = a.at.as_deref().map_or("before", clock);
        let about = if a.about.is_empty() { String::new() } else { format!(" {}", plain(&a.about)) };
        let _ = writeln!(out, "- {at} {} ({}){about}: {}", plain(&a.who), a.kind, plain(&a.says));
    }
    if r.answers.is_empty() {
        out.push_str("Nobody ticked, overruled or remarked anything here.\n");
    }
    if !r.questions.is_empty() {
        out.push_str("\nThe note asks people:\n\n");
    }
    for q in &r.questions {
        let open = if q.answers.is_empty() { " (nobody has answered)" } else { "" };
        let _ = writeln!(out, "- {}: {}{open}", plain(&q.group), plain(&q.text));
        for a in &q.answers {
            let _ = writeln!(out, "  - {} ({})", plain(&a.text), plain(&a.given));
        }
    }
}

fn worksheet(out: &mut String, r: &Report) {
    let Some(w) = &r.worksheet else { return };
    let _ =
        writeln!(out, "\n## Worksheet\n\n{} orders, each with its next safe action.", number::count(w.orders as i64));
    match &w.file {
        Some(file) => {
            let _ =
                writeln!(out, "File: [{}](<{}>), SHA-256 `{}`.", plain(file), file.replace(['<', '>'], ""), w.sha256);
        }
        None => out.push_str("It was not written: `warroom report … --worksheet FILE.csv` does.\n"),
    }
    out.push_str("\n| action | orders | amount | only when |\n| --- | ---: | ---: | --- |\n");
    for t in &w.actions {
        let (orders, amount) = (number::count(t.orders as i64), number::rupiah(t.amount));
        let _ = writeln!(out, "| {} | {orders} | {amount} | {} |", t.action, cell(t.precondition));
    }
}

fn cost(out: &mut String, r: &Report) {
    out.push_str("\n## What watching cost\n\n");
    if r.cost.is_empty() {
        out.push_str("No source says what it was asked.\n");
        return;
    }
    out.push_str(
        "| source | rounds | requests | failed | throttled | received | longest round | time of the server | \
         connections |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for c in &r.cost {
        let server = c.server_ms.map_or_else(|| "not said".to_owned(), millis);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {server} | {} |",
            cell(&c.source),
            number::count(c.rounds as i64),
            number::count(c.requests as i64),
            c.failed,
            c.throttled,
            bytes(c.bytes),
            millis(c.longest_ms),
            c.connections
        );
    }
}

/// Text that is neither Markdown nor HTML, whatever is in it.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '*' | '`' | '[' | ']' | '\\' | '|' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The same inside a table.
fn cell(text: &str) -> String {
    plain(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_no_markdown_and_no_html() {
        assert_eq!(plain("a|b <script> [x](y) `c` *d*\n"), r"a\|b &lt;script&gt; \[x\](y) \`c\` \*d\* ");
    }
}
