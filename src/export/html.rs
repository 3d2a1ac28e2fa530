//! The report as one HTML page that needs nothing else: its style and its picture are inside, no script runs, and a
//! policy in its head forbids it to load anything.
//!
//! Owns the page. Everything that is not ours goes through [`escape`]. May not know: how anything was found.

use super::markdown::began;
use super::{basis, bytes, clock, figures, millis, moment, points, svg};
use crate::analysis::report::{Hypothesis, Item, Report, after};
use crate::view::number;
use std::fmt::Write as _;

const STYLE: &str = include_str!("report.css");

/// Nothing is loaded from anywhere, and nothing runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Text as it may stand in HTML, in an attribute too.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

/// The whole page.
pub fn html(r: &Report) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escape(&r.title)
    );
    head(&mut out, r);
    impact(&mut out, r);
    timeline(&mut out, r);
    logs(&mut out, r);
    out.push_str("<section>\n<h2>Hypotheses</h2>\n");
    r.hypotheses.iter().for_each(|h| hypothesis(&mut out, h));
    out.push_str("</section>\n");
    checklist(&mut out, r);
    unseen(&mut out, r);
    people(&mut out, r);
    worksheet(&mut out, r);
    cost(&mut out, r);
    out.push_str("</body>\n</html>\n");
    out
}

fn head(out: &mut String, r: &Report) {
    let _ = writeln!(out, "<header>\n<h1>{}</h1>", escape(&r.title));
    if r.demo {
        out.push_str("<p><span class=\"demo\">invented data: a demo</span></p>\n");
    }
    let said = [("severity", &r.severity), ("status", &r.status)];
    let said: Vec<String> =
        said.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k} {}", escape(v))).collect();
    let against = r.baseline.as_ref().map_or_else(
        || "held against no baseline".to_owned(),
        |b| format!("held against {} to {}", moment(&b.from), clock(&b.to)),
    );
    let judged = format!("judged {} to {}, {against}", moment(&r.window.from), clock(&r.window.to));
    let all: Vec<String> = said.into_iter().chain([format!("as of {}", moment(&r.at)), escape(&judged)]).collect();
    let _ = writeln!(out, "<p class=\"soft\">{}</p>\n</header>", all.join(" · "));
    out.push_str("<section>\n<h2>Summary</h2>\n");
    let _ = writeln!(out, "<p class=\"answer\">{}</p>", escape(&r.answer));
    if let Some(a) = &r.accepted {
        let (who, at) = (escape(&a.who), moment(&a.at));
        let _ = writeln!(out, "<p><strong>{who} concluded {}</strong> ({at}).</p>", a.causes.join(", "));
    }
    if !r.contributing.is_empty() {
        let _ = writeln!(out, "<p>Contributing: {}.</p>", r.contributing.join(", "));
    }
    out.push_str("<ul>\n");
    for says in r.summary.iter().filter(|s| **s != r.answer) {
        let _ = writeln!(out, "<li>{}</li>", escape(says));
    }
    out.push_str("</ul>\n</section>\n");
}

fn impact(out: &mut String, r: &Report) {
    out.push_str("<section>\n<h2>Impact</h2>\n<dl class=\"figures\">\n");
    for (what, much) in figures(r) {
        let _ = writeln!(out, "<div><dt>{what}</dt><dd>{}</dd></div>", escape(&much));
    }
    out.push_str("</dl>\n");
    if !r.impact.classes.is_empty() {
        open(out, &["class", "orders>", "amount>", "next safe action"]);
        for c in &r.impact.classes {
            let name = if c.fault { c.class.to_owned() } else { format!("{} (no fault)", c.class) };
            let amount = number::rupiah(c.amount);
            line(
                out,
                "",
                &[
                    ("", name),
                    ("n orders", number::count(c.orders as i64)),
                    ("n amount", amount),
                    ("next", c.action.to_owned()),
                ],
            );
        }
        close(out);
    }
    for says in &r.impact.doubts {
        let _ = writeln!(out, "<p class=\"inconclusive\"><strong>In doubt:</strong> {}</p>", escape(says));
    }
    for says in &r.impact.not_known {
        let _ = writeln!(out, "<p class=\"soft\">Not known: {}</p>", escape(says));
    }
    out.push_str("</section>\n");
}

fn timeline(out: &mut String, r: &Report) {
    out.push_str("<section>\n<h2>Timeline</h2>\n");
    open(out, &["stage", "began>", "after the spike>", "seen on"]);
    for l in &r.lags {
        let (at, lag) = began(l);
        let row = [
            ("", l.stage.name().to_owned()),
            ("n began", at.to_owned()),
            ("n after the spike", lag),
            ("on", l.what.join(", ")),
        ];
        line(out, "", &row);
    }
    close(out);
    out.push_str(&svg::svg(&r.picture));
    out.push_str(
        "<p class=\"small\">Grey band: what is usual. Red curve: outside it. Dashed red: a limit. Reddish ground: the \
         source told nothing. ▲ the spike begins, ◆ its peak, ▼ it is over; a bar where a lane left its usual, red for \
         the first that broke. A alarm, a cleared, D change, N remark.</p>\n",
    );
    if r.events.is_empty() {
        out.push_str("<p>Nothing was seen to leave its usual.</p>\n</section>\n");
        return;
    }
    open(out, &["time", "after>", "kind", "what"]);
    for e in &r.events {
        let class = if e.text.contains("first that broke") { "first" } else { "" };
        let row = [
            ("", clock(&e.at).to_owned()),
            ("n after", e.after_s.map(after).unwrap_or_default()),
            ("kind", e.kind.to_owned()),
            ("", e.text.clone()),
        ];
        line(out, class, &row);
    }
    close(out);
    out.push_str("</section>\n");
}

fn logs(out: &mut String, r: &Report) {
    if r.log_patterns.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Log lines that are not usual</h2>\n");
    open(out, &["words", "service", "lines>", "usually>", "first>", "stuck orders>"]);
    for s in &r.log_patterns {
        let row = [
            ("", s.template.clone()),
            ("service", format!("{} {}", s.level, s.service)),
            ("n lines", number::count(s.lines as i64)),
            ("n usually", super::usual(s)),
            ("n first", s.first.as_deref().map_or("", clock).to_owned()),
            ("n stuck orders", number::count(s.orders as i64)),
        ];
        line(out, "", &row);
    }
    close(out);
    out.push_str("</section>\n");
}

fn hypothesis(out: &mut String, h: &Hypothesis) {
    let class = match h.verdict {
        "leads" => "supports",
        "refuted" => "refutes",
        _ => "inconclusive",
    };
    let _ = writeln!(
        out,
        "<h3>{} {} <span class=\"verdict {class}\">{}, {} points</span></h3>",
        escape(&h.id),
        escape(&h.title),
        h.verdict,
        points(h.score)
    );
    let reasons = [("Because ", &h.because), ("But ", &h.but)];
    for (word, says) in reasons.iter().filter(|(_, says)| !says.is_empty()) {
        let _ = writeln!(out, "<p class=\"soft\">{word}{}.</p>", escape(says.trim_end_matches('.')));
    }
    checks(out, &h.items);
}

fn checks(out: &mut String, items: &[Item]) {
    if items.is_empty() {
        return;
    }
    open(out, &["check", "says", "measured", "rule", "basis"]);
    for c in items {
        let class = c.verdict.replace(' ', "");
        let stale = if c.stale { " <em>stale</em>" } else { "" };
        let over = c.overridden.as_ref().map(|o| format!("<br><em>{}</em>", escape(o))).unwrap_or_default();
        let more = c.evidence.iter().filter(|(label, _)| *label != "id");
        let more: String = more
            .map(|(label, text)| format!("<br><span class=\"small\">{}: {}</span>", escape(label), escape(text)))
            .collect();
        let _ = writeln!(
            out,
            "<tr><td><strong>{}</strong> {}</td><td data-is=\"says\"><span class=\"{class}\">{}</span>{stale}{over}</td>\
             <td data-is=\"measured\">{}{more}</td><td data-is=\"rule\" class=\"small\">{}</td>\
             <td data-is=\"basis\" class=\"small\">{}</td></tr>",
            escape(&c.item),
            escape(&c.title),
            c.verdict,
            escape(&c.value),
            escape(&c.rule),
            escape(&basis(c))
        );
    }
    close(out);
}

fn checklist(out: &mut String, r: &Report) {
    if r.checklist.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Checklist</h2>\n<ul>\n");
    for p in &r.phases {
        let _ = writeln!(out, "<li>{}: {} of {} ticked</li>", escape(&p.title), p.ticked, p.of);
    }
    out.push_str("</ul>\n");
    checks(out, &r.checklist);
    out.push_str("</section>\n");
}

fn unseen(out: &mut String, r: &Report) {
    out.push_str("<section>\n<h2>What was not measured</h2>\n<ul>\n");
    for m in &r.missing_sources {
        let _ = writeln!(out, "<li><strong>{}</strong>: {}</li>", escape(&m.checks.join(", ")), escape(&m.says));
    }
    for b in &r.blind {
        let _ = writeln!(
            out,
            "<li><strong>{}</strong> told nothing {}–{}: {}</li>",
            escape(&b.source),
            escape(clock(&b.from)),
            escape(clock(&b.to)),
            escape(&b.says)
        );
    }
    if r.missing_sources.is_empty() && r.blind.is_empty() {
        out.push_str("<li>Every check had data, and no source was silent.</li>\n");
    }
    out.push_str("</ul>\n</section>\n");
}

fn people(out: &mut String, r: &Report) {
    out.push_str("<section>\n<h2>What people said</h2>\n");
    if r.answers.is_empty() {
        out.push_str("<p>Nobody ticked, overruled or remarked anything here.</p>\n");
    } else {
        open(out, &["time", "who", "what", "says"]);
        for a in &r.answers {
            let at = a.at.as_deref().map_or("before", clock).to_owned();
            let what = format!("{} {}", a.kind, a.about);
            line(out, "", &[("", at), ("who", a.who.clone()), ("what", what), ("says", a.says.clone())]);
        }
        close(out);
    }
    if !r.questions.is_empty() {
        out.push_str("<p>The note asks people:</p>\n<ul>\n");
        for q in &r.questions {
            let _ = write!(out, "<li>{}: {}", escape(&q.group), escape(&q.text));
            if q.answers.is_empty() {
                out.push_str(" <em>nobody has answered</em>");
            }
            for a in &q.answers {
                let _ = write!(out, "<br><strong>{}</strong> ({})", escape(&a.text), escape(&a.given));
            }
            out.push_str("</li>\n");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

fn worksheet(out: &mut String, r: &Report) {
    let Some(w) = &r.worksheet else { return };
    out.push_str("<section>\n<h2>Worksheet</h2>\n");
    let _ = writeln!(out, "<p>{} orders, each with its next safe action.", number::count(w.orders as i64));
    match &w.file {
        Some(file) => {
            let _ = writeln!(
                out,
                "File: <a href=\"{}\">{}</a>, SHA-256 <code>{}</code>.</p>",
                escape(&relative(file)),
                escape(file),
                w.sha256
            );
        }
        None => out.push_str("It was not written: <code>warroom report … --worksheet FILE.csv</code> does.</p>\n"),
    }
    open(out, &["action", "orders>", "amount>", "only when"]);
    for t in &w.actions {
        let (orders, amount) = (number::count(t.orders as i64), number::rupiah(t.amount));
        line(
            out,
            "",
            &[
                ("", t.action.to_owned()),
                ("n orders", orders),
                ("n amount", amount),
                ("only when", t.precondition.to_owned()),
            ],
        );
    }
    close(out);
    out.push_str("</section>\n");
}

/// A file's name as a link: never a place elsewhere, whatever its name is.
fn relative(file: &str) -> String {
    let mut out = String::from("./");
    for byte in file.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn cost(out: &mut String, r: &Report) {
    out.push_str("<section>\n<h2>What watching cost</h2>\n");
    if r.cost.is_empty() {
        out.push_str("<p>No source says what it was asked.</p>\n</section>\n");
        return;
    }
    open(
        out,
        &[
            "source",
            "requests>",
            "failed>",
            "throttled>",
            "received>",
            "longest round>",
            "server's time>",
            "connections>",
        ],
    );
    for c in &r.cost {
        let row = [
            ("", c.source.clone()),
            (
                "n requests",
                format!("{} in {} rounds", number::count(c.requests as i64), number::count(c.rounds as i64)),
            ),
            ("n failed", number::count(c.failed as i64)),
            ("n throttled", number::count(c.throttled as i64)),
            ("n received", bytes(c.bytes)),
            ("n longest round", millis(c.longest_ms)),
            ("n server's time", c.server_ms.map_or_else(|| "not said".to_owned(), millis)),
            ("n connections", c.connections.to_string()),
        ];
        line(out, "", &row);
    }
    close(out);
    out.push_str("</section>\n");
}

/// The head of a table; `>` behind a name puts its column to the right.
fn open(out: &mut String, names: &[&str]) {
    out.push_str("<table class=\"rows\">\n<thead><tr>");
    for name in names {
        match name.strip_suffix('>') {
            Some(name) => {
                let _ = write!(out, "<th class=\"n\">{}</th>", escape(name));
            }
            None => {
                let _ = write!(out, "<th>{name}</th>");
            }
        }
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

/// A row: for each cell the word a narrow page puts in front of it, with `n ` where it is a number, and its text.
fn line(out: &mut String, class: &str, cells: &[(&str, String)]) {
    let _ = write!(out, "<tr{}>", if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") });
    for (word, text) in cells {
        let (class, word) = word.strip_prefix("n ").map_or(("", *word), |word| (" class=\"n\"", word));
        let is = if word.is_empty() { String::new() } else { format!(" data-is=\"{}\"", escape(word)) };
        let _ = write!(out, "<td{class}{is}>{}</td>", escape(text));
    }
    out.push_str("</tr>\n");
}

fn close(out: &mut String) {
    out.push_str("</tbody>\n</table>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_text_in_elements_and_in_attributes() {
        assert_eq!(
            escape("<img src=x onerror='a(\"&\")'>"),
            "&lt;img src=x onerror=&#39;a(&quot;&amp;&quot;)&#39;&gt;"
        );
    }

    #[test]
    fn a_link_stays_beside_the_page() {
        assert_eq!(relative("javascript:alert(1)"), "./javascript%3Aalert%281%29");
        assert_eq!(relative("a b/ä.csv"), "./a%20b/%C3%A4.csv");
    }
}
