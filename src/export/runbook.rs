//! The runbook: what this incident asked and measured, as a note for the next one to fill in, and the
//! configuration that goes with it.
//!
//! Of the incident's own note it keeps headings, checkboxes, questions and commands, all of them open again; what was
//! told of that evening goes. May not know: files, stores.

use super::{clock, moment};
use crate::analysis::report::picture::Strip;
use crate::analysis::report::story::Stage;
use crate::analysis::report::{Item, Report};
use crate::model::incident::{Incident, Probe, RuleFile, Rules};
use crate::model::note::Verdict;
use crate::model::series::{Bad, Lane};
use crate::model::untrusted::shown;
use crate::model::{Lapse, Zone};
use crate::view::number;
use serde::Serialize;
use std::fmt::Write as _;

/// The name the note has beside its configuration.
pub const NOTE: &str = "runbook.md";
/// The configuration's.
pub const CONFIG: &str = "runbook.toml";

/// A note and its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runbook {
    /// Markdown.
    pub note: String,
    /// TOML.
    pub config: String,
    /// The files that changed the rules of this incident: the configuration names them.
    pub rules: Vec<RuleFile>,
}

/// Makes both from a report, the incident as configured, and the text of its note when there is one.
pub fn runbook(r: &Report, incident: &Incident, note: Option<&str>) -> Runbook {
    let signals = signals(r);
    // Only their own names: where they lay that evening is nobody's concern.
    let named =
        |(i, f): (usize, &RuleFile)| RuleFile { name: format!("runbook-rules-{}.toml", i + 1), text: f.text.clone() };
    let rules = incident.rule_files.iter().enumerate().map(named).collect();
    Runbook { note: of_note(r, note, &signals), config: config(r, incident, &signals), rules }
}

/// A lane that told something in this incident, with what to look for next time.
struct Signal<'r> {
    id: String,
    strip: &'r Strip,
    stage: Stage,
    usual: f64,
    worst: f64,
}

impl Signal<'_> {
    /// Half the way from what is usual to the worst of this incident.
    fn supports_at(&self) -> f64 {
        round(self.usual + (self.worst - self.usual) / 2.0)
    }
    /// A tenth of it.
    fn refutes_below(&self) -> f64 {
        round(self.usual + (self.worst - self.usual) / 10.0)
    }
}

/// Three digits are enough to look for.
fn round(v: f64) -> f64 {
    if v == 0.0 || !v.is_finite() {
        return 0.0;
    }
    let digits = 10_f64.powi(2 - v.abs().log10().floor() as i32);
    (v * digits).round() / digits
}

/// Lanes that left their usual upwards and are measured by a source, not made of orders.
fn signals(r: &Report) -> Vec<Signal<'_>> {
    let made_of_orders = |s: &Strip| s.series.starts_with("orders.");
    let told = r.picture.strips.iter().filter(|s| s.bad != Bad::Low && !s.trigger && !made_of_orders(s));
    let signal = |(i, s): (usize, &'_ Strip)| {
        let ((_, stage, _), usual, (_, worst)) = (s.onset?, s.normal?, s.worst?);
        let told = worst > usual && matches!(stage, Stage::Saturation | Stage::Errors);
        told.then_some((i, stage, usual, worst))
    };
    told.enumerate()
        .filter_map(|(i, s)| signal((i, s)).map(|(_, stage, usual, worst)| (s, stage, usual, worst)))
        .enumerate()
        .map(|(i, (strip, stage, usual, worst))| Signal { id: format!("R{}", i + 1), strip, stage, usual, worst })
        .collect()
}

fn of_note(r: &Report, note: Option<&str>, signals: &[Signal<'_>]) -> String {
    let day = r.at.get(..10).unwrap_or_default();
    let mut out = format!(
        "---\ndate: ''\ntags:\n  - incident\nstatus: investigating\nseverity: ''\n---\n# Runbook after {}\n\n\
         Made by `warroom export runbook` from the incident of {day}. Copy it for the next one together with {CONFIG}; \
         below each checkbox stands what it came to last time, and by which rule.\n",
        line(&r.title)
    );
    match note {
        Some(text) => kept(&mut out, r, text, day),
        None => from_findings(&mut out, r, day),
    }
    if !signals.is_empty() {
        let _ = write!(out, "\n## Signals of {day}\n\n");
    }
    for s in signals {
        let value = |v: f64| number::value(s.strip.unit, v);
        let _ = writeln!(
            out,
            "- [ ] {} {}: {}\n  - {}; usual {}, worst {}; supports from {} on, refutes below {}",
            s.id,
            line(&s.strip.series),
            line(&s.strip.name),
            s.stage.name(),
            value(s.usual),
            value(s.worst),
            value(s.supports_at()),
            value(s.refutes_below())
        );
    }
    out
}

/// What of a note is as good for the next incident.
fn kept(out: &mut String, r: &Report, text: &str, day: &str) {
    let mut fenced = false;
    let mut headed = false;
    // Headings under which nothing has been kept yet, with their depths.
    let mut above: Vec<(usize, &str)> = Vec::new();
    let body = text.strip_prefix("---").and_then(|t| t.split_once("\n---")).map_or(text, |(_, body)| body);
    for raw in body.lines() {
        let row = raw.trim_end();
        let bare = row.trim_start();
        let fence = bare.starts_with("```") || bare.starts_with("~~~");
        if !fenced && bare.starts_with('#') {
            let depth = bare.len() - bare.trim_start_matches('#').len();
            above.retain(|(d, _)| *d < depth);
            // The first heading is that of the evening.
            if std::mem::replace(&mut headed, true) || depth > 1 {
                above.push((depth, row));
            }
            continue;
        }
        let group = bare.starts_with("**") && bare.ends_with(':');
        // What was answered that evening may ask back; it is no question of the note.
        let answer = bare.trim_start_matches(['-', '*', '+', ' ']).starts_with("answer (warroom");
        let asks = (bare.ends_with('?') && is_listed(bare) && !answer) || group;
        if !fence && !fenced && !asks && checkbox(row).is_none() {
            continue;
        }
        for (_, heading) in above.drain(..) {
            let _ = write!(out, "\n{heading}\n\n");
        }
        if fence {
            fenced = !fenced;
        }
        if let Some((open, words)) = checkbox(row).filter(|_| !fence && !fenced) {
            let _ = writeln!(out, "{open}{words}");
            let indent = " ".repeat(row.len() - bare.len() + 2);
            if let Some(item) = items(r).find(|i| i.title == shown(words)) {
                let _ = writeln!(out, "{indent}- {}", last_time(item, day));
            }
        } else {
            let gap = if group { "\n" } else { "" };
            let _ = writeln!(out, "{gap}{row}");
        }
    }
}

/// A checkbox's line up to its words, open again, and its words.
fn checkbox(row: &str) -> Option<(String, &str)> {
    let at = row.find("[ ] ").or_else(|| row.find("[x] ")).or_else(|| row.find("[X] "))?;
    let before = row.get(..at)?;
    is_listed(before.trim_start()).then_some((format!("{before}[ ] "), row.get(at + 4..)?.trim()))
}

fn is_listed(bare: &str) -> bool {
    let number = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    bare.starts_with(['-', '*', '+']) || (number.len() < bare.len() && number.starts_with(['.', ')']))
}

fn items(r: &Report) -> impl Iterator<Item = &Item> {
    r.hypotheses.iter().flat_map(|h| &h.items).chain(&r.checklist)
}

/// What a check came to.
fn last_time(item: &Item, day: &str) -> String {
    if item.rule == "a person answers" {
        return "a person answers".to_owned();
    }
    let source = item.source.as_ref().map(|s| format!("; reads {}", line(s))).unwrap_or_default();
    format!("{}: {}{source}; on {day}: {}, {}", item.item, line(&item.rule), item.verdict, line(&item.value))
}

/// Without a note: the hypotheses that were judged, as headings with checkboxes.
fn from_findings(out: &mut String, r: &Report, day: &str) {
    out.push_str("\n## Hypotheses\n");
    for (i, h) in r.hypotheses.iter().filter(|h| h.id.starts_with('H')).enumerate() {
        let _ = writeln!(out, "\n### {}. {} (MEDIUM Priority)\n", i + 1, line(&h.title));
        for item in &h.items {
            let _ = writeln!(out, "- [ ] {}\n  - {}", line(&item.title), last_time(item, day));
        }
    }
}

/// Text in one line.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn config(r: &Report, incident: &Incident, signals: &[Signal<'_>]) -> String {
    let judged = format!("{} to {}", moment(&r.window.from), clock(&r.window.to));
    let mut out = format!(
        "# Made by warroom export runbook from {} ({judged}).\n\
         # Your own [[db]], [[logs]], [[query]], [huawei] and so on belong beside it: see config.example.toml.\n\n\
         [incident]\ntitle = \"the next one\"\nnote = {}\nzone = {}\n\
         # The time looked into, and one when all was well:\n\
         # window = {{ from = \"…T18:45:00+07:00\", to = \"…T21:30:00+07:00\" }}\n\
         # baseline = {{ from = \"…T18:45:00+07:00\", to = \"…T21:30:00+07:00\" }}\n",
        line(&r.title),
        text(NOTE),
        text(&zone(&incident.zone))
    );
    rules(&mut out, &incident.rules, incident.rule_files.len());
    incident.lanes.iter().for_each(|l| lane(&mut out, l));
    for l in &incident.limits {
        let _ = write!(out, "\n[[limit]]\nname = {}\n", text(&l.name));
        let _ = match l.of.as_str() {
            "" => writeln!(out, "value = {}", l.value),
            of => writeln!(out, "value = {}", text(of)),
        };
        if !l.series.is_empty() {
            let _ = writeln!(out, "series = {}", text(&l.series));
        }
        if let Some(unit) = l.unit {
            let _ = writeln!(out, "unit = {}", word(unit));
        }
    }
    incident.probes.iter().for_each(|p| probe(&mut out, p));
    for s in signals {
        let _ = write!(
            out,
            "\n# {}: usual {}, worst {} that evening. It stands beside its checkbox and feeds no hypothesis.\n[[probe]]\n\
             id = {}\nhypothesis = 0\nmatches = [{}, {}]\nseries = {}\nsupports_at = {}\nrefutes_below = {}\n",
            line(&s.strip.name),
            round(s.usual),
            round(s.worst),
            text(&s.id),
            text(&s.id),
            text(&s.strip.series),
            text(&s.strip.series),
            s.supports_at(),
            s.refutes_below()
        );
    }
    out
}

fn rules(out: &mut String, r: &Rules, files: usize) {
    let _ = write!(
        out,
        "\n[rules]\nstuck_after = {}\nsettle_after = {}\nnormal_users = {}\npeak_users = {}\nplan_users = {}\n\
         spike_ratio = {}\nspike_for = {}\n",
        lapse(r.stuck_after),
        lapse(r.settle_after),
        r.normal_users,
        r.peak_users,
        r.plan_users,
        r.spike_ratio,
        lapse(r.spike_for)
    );
    if files > 0 {
        let names: Vec<String> = (1..=files).map(|i| format!("\"runbook-rules-{i}.toml\"")).collect();
        let _ = writeln!(out, "files = [{}]", names.join(", "));
    }
    for s in &r.services {
        let list = |all: &[String]| all.iter().map(|t| text(t)).collect::<Vec<_>>().join(", ");
        let _ = write!(
            out,
            "\n[[service]]\nname = {}\ncalls = [{}]\nseries = [{}]\n",
            text(&s.name),
            list(&s.calls),
            list(&s.series)
        );
    }
}

fn lane(out: &mut String, l: &Lane) {
    let _ = write!(
        out,
        "\n[[lane]]\ngroup = {}\nname = {}\nseries = {}\nunit = {}\nrollup = {}\nbad = {}\n",
        text(&l.group),
        text(&l.name),
        text(&l.series),
        word(l.unit),
        word(l.rollup),
        word(l.bad)
    );
    let numbers = [("floor", Some(l.floor).filter(|f| *f != 0.0)), ("ceiling", l.ceiling), ("broken_at", l.broken_at)];
    for (key, value) in numbers.iter().filter_map(|(key, v)| Some((key, (*v)?))) {
        let _ = writeln!(out, "{key} = {value}");
    }
    if l.lag > Lapse::ZERO {
        let _ = writeln!(out, "lag = {}", lapse(l.lag));
    }
    if l.trigger {
        out.push_str("trigger = true\n");
    }
}

fn probe(out: &mut String, p: &Probe) {
    let matches: Vec<String> = p.matches.iter().map(|m| text(m)).collect();
    let _ = write!(
        out,
        "\n[[probe]]\nid = {}\nhypothesis = {}\nmatches = [{}]\nseries = {}\nfor = {}\n",
        text(&p.id),
        p.hypothesis,
        matches.join(", "),
        text(&p.series),
        lapse(p.for_)
    );
    if p.weight > 0.0 {
        let _ = writeln!(out, "weight = {}", p.weight);
    }
    for (key, value) in [("supports_at", p.supports_at), ("refutes_below", p.refutes_below)] {
        if let Some(value) = value {
            let _ = writeln!(out, "{key} = {value}");
        }
    }
    if let Some((verdict, because)) = &p.answer {
        let verdict = match verdict {
            Verdict::Supports => "supports",
            Verdict::Refutes => "refutes",
            Verdict::Inconclusive | Verdict::NoData => "inconclusive",
        };
        let _ =
            write!(out, "# What was answered last time:\n# answer = \"{verdict}\"\n# because = {}\n", text(because));
    }
}

/// A text as TOML has it.
fn text(t: &str) -> String {
    toml::Value::from(line(t)).to_string()
}

/// One of our words as the configuration has it.
fn word(w: impl Serialize) -> String {
    serde_json::to_string(&w).unwrap_or_default()
}

fn lapse(l: Lapse) -> String {
    let ms = l.0 / 1000;
    match ms {
        _ if ms % 60_000 == 0 => format!("\"{}m\"", ms / 60_000),
        _ if ms % 1000 == 0 => format!("\"{}s\"", ms / 1000),
        _ => format!("\"{ms}ms\""),
    }
}

fn zone(z: &Zone) -> String {
    if ["WIB", "WITA", "WIT", "UTC"].contains(&z.name.as_str()) {
        return z.name.clone();
    }
    let (sign, east) = if z.east < 0 { ('-', -z.east) } else { ('+', z.east) };
    format!("{sign}{:02}:{:02}", east / 3600, east / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkboxes_are_open_again_and_other_lines_are_none() {
        assert_eq!(checkbox("  - [x] Ukur wait time"), Some(("  - [ ] ".to_owned(), "Ukur wait time")));
        assert_eq!(checkbox("1. [ ] one"), Some(("1. [ ] ".to_owned(), "one")));
        assert_eq!((checkbox("text [x] inside"), checkbox("- no box")), (None, None));
    }

    #[test]
    fn numbers_keep_three_digits() {
        let told = [3.12345, 0.000_454_9, 98_765.0, 0.0].map(|v| round(v).to_string());
        assert_eq!(told, ["3.12", "0.000455", "98800", "0"]);
    }
}
