//! The report of an incident: what is named and why, what it came to, when what began, what people said and what
//! was not measured.
//!
//! Owns its shape, which is the JSON for machines. May not know: files, recordings, screens, how it is written for
//! people.

pub mod cost;
pub mod impact;
pub mod people;
pub mod picture;
pub mod said;
pub mod story;
mod summary;

use crate::analysis::check::{Check, Finding, Findings};
use crate::analysis::gap;
use crate::analysis::spike::{broke_first, spike};
use crate::analysis::words::lasting;
use crate::model::note::{Note, Verdict};
use crate::model::privacy::{Privacy, masked};
use crate::model::untrusted::shown;
use crate::model::{Span, Stamp, Untrusted, Zone};
use crate::store::Store;
use cost::Cost;
use impact::Impact;
use people::{Accepted, Answer, Phase, Question};
use picture::Picture;
use said::Said;
use serde::Serialize;
use std::collections::BTreeMap;
use story::{Event, Lag};

/// Stretches without data that are listed one by one.
const GAPS: usize = 40;

/// A report. Times are RFC 3339 in the incident's zone, money is whole rupiah.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The incident's title.
    pub title: String,
    /// As the note or the configuration says it; empty when neither does.
    pub severity: String,
    /// The same.
    pub status: String,
    /// Whether all of it is invented.
    pub demo: bool,
    /// As of when.
    pub at: String,
    /// The stretch that is judged.
    pub window: Stretch,
    /// The one it is held against.
    pub baseline: Option<Stretch>,
    /// What happened, in a few sentences.
    pub summary: Vec<String>,
    /// The cause that is named, by its word in `model::incident::CAUSES`; absent when it is undetermined.
    pub primary: Option<&'static str>,
    /// What the team concluded, when it has.
    pub accepted: Option<Accepted>,
    /// What else the orders show, and what follows from the cause.
    pub contributing: Vec<&'static str>,
    /// The verdict in words, with its reason.
    pub answer: String,
    /// What it came to.
    pub impact: Impact,
    /// From the spike to the gap at HO: when each stage began.
    pub lags: Vec<Lag>,
    /// When what left its usual, by lane; `users` is the spike itself.
    pub onsets: BTreeMap<String, String>,
    /// Everything with a time, oldest first.
    pub events: Vec<Event>,
    /// What the services wrote that they do not usually write.
    pub log_patterns: Vec<Said>,
    /// The note's hypotheses first, then causes outside them, each best first.
    pub hypotheses: Vec<Hypothesis>,
    /// The note's other checkboxes: phases, areas, questions of the data.
    pub checklist: Vec<Item>,
    /// How far the note's phases are.
    pub phases: Vec<Phase>,
    /// What no source answers, and the remedy; with the checks that lack it.
    pub missing_sources: Vec<Missing>,
    /// When nobody could see, and why.
    pub blind: Vec<Blind>,
    /// What people said: verdicts over measured ones, ticks, remarks, answers in the configuration.
    pub answers: Vec<Answer>,
    /// What the note asks people, with the answers that stand in it.
    pub questions: Vec<Question>,
    /// The orders with their next safe action, when there are any.
    pub worksheet: Option<Worksheet>,
    /// What watching cost the systems watched.
    pub cost: Vec<Cost>,
    /// The lanes, to be drawn.
    #[serde(skip)]
    pub picture: Picture,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// First instant inside.
    pub from: String,
    /// First instant outside.
    pub to: String,
}

/// A hypothesis with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hypothesis {
    /// `H1`; the cause's word outside the note.
    pub id: String,
    /// Its words.
    pub title: String,
    /// `leads`, `consequence`, `open`, `refuted`, `undetermined`.
    pub verdict: &'static str,
    /// Points; a gate, never a probability.
    pub score: f64,
    /// The strongest reason for that verdict.
    pub because: String,
    /// The strongest one against it, or what is missing.
    pub but: String,
    /// Its checks.
    pub items: Vec<Item>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// `H1a`.
    pub item: String,
    /// The checkbox's or the check's words.
    pub title: String,
    /// `supports`, `refutes`, `inconclusive`, `no data`.
    pub verdict: &'static str,
    /// What was measured; what is missing where nothing was.
    pub value: String,
    /// By which rule.
    pub rule: String,
    /// What was read: a series, or the ledgers of orders.
    pub source: Option<String>,
    /// Its newest measurement.
    pub asof: Option<String>,
    /// Whether that was old: the verdict is of then.
    pub stale: bool,
    /// How much of what should be there was there, where that is counted.
    pub coverage: Option<String>,
    /// A person's verdict stands over the measured one: what was measured, who says otherwise, and why.
    pub overridden: Option<String>,
    /// What else was seen: label and text.
    pub evidence: Vec<(&'static str, String)>,
}

/// Something no source answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What, with the remedy.
    pub says: String,
    /// Which checks lack it.
    pub checks: Vec<String>,
}

/// A stretch in which a source told nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blind {
    /// Which.
    pub source: String,
    /// Since when.
    pub from: String,
    /// Until when; the instant of the report while it lasts.
    pub to: String,
    /// Why.
    pub says: String,
}

/// The worksheet of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Worksheet {
    /// Where it was written, as seen from the report; none when nobody asked for it.
    pub file: Option<String>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Orders in it.
    pub orders: usize,
    /// Orders and money by what somebody does next.
    pub actions: Vec<Todo>,
}

/// One next action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Todo {
    /// By its key in the worksheet.
    pub action: &'static str,
    /// For how many.
    pub orders: usize,
    /// Their amounts.
    pub amount: i64,
    /// What has to be true before.
    pub precondition: &'static str,
}

/// What a report is made of, besides the store.
pub struct Made<'a> {
    /// What the checks found.
    pub findings: &'a Findings,
    /// The incident's note.
    pub note: &'a Note,
    /// The stretch judged.
    pub window: Span,
    /// As of when.
    pub at: Stamp,
}

/// The report of a stretch as of an instant, from what the checks found. What it cost and the worksheet are put in
/// by whoever read the batches.
pub fn report(store: &Store, made: &Made<'_>) -> Report {
    let (findings, note, at) = (made.findings, made.note, made.at);
    let zone = &store.incident.zone;
    let spike = spike(store, at);
    let onsets = broke_first(store, at);
    let began = spike.as_ref().map(|s| ("users".to_owned(), zone.rfc3339(s.onset)));
    let left = onsets.iter().filter(|o| !o.trigger);
    let words = |of_note: &Option<Untrusted>, told: &Untrusted| text(of_note.as_ref().unwrap_or(told));
    let title = [&store.incident.title, &note.title].into_iter().find(|t| !t.is_empty());
    let mut out = Report {
        title: title.map_or_else(|| "an incident without a title".to_owned(), text),
        severity: words(&note.severity, &store.incident.severity),
        status: words(&note.status, &store.incident.status),
        demo: store.incident.demo,
        at: zone.rfc3339(at),
        window: stretch(zone, made.window),
        baseline: store.incident.baseline.map(|b| stretch(zone, b)),
        summary: Vec::new(),
        primary: findings.primary,
        accepted: people::accepted(store, at),
        contributing: findings.contributing.clone(),
        answer: findings.answer.clone(),
        impact: impact::impact(store, made.window, at, spike.as_ref()),
        lags: story::lags(store, spike.as_ref(), &onsets),
        onsets: began.into_iter().chain(left.map(|o| (shown(&o.name), zone.rfc3339(o.at)))).collect(),
        events: story::events(store, spike.as_ref(), &onsets, made.window, at),
        log_patterns: said::said(store, made.window, at),
        hypotheses: findings.hypotheses.iter().chain(&findings.outside).map(|f| hypothesis(f, store)).collect(),
        checklist: findings.others.iter().map(|c| item(c, store)).collect(),
        phases: people::phases(store, note, at),
        missing_sources: missing(findings),
        blind: blind(store, made.window, at),
        answers: people::answers(store, at),
        questions: people::questions(note),
        worksheet: None,
        cost: Vec::new(),
        picture: picture::picture(store, made.window, at, spike.as_ref(), &onsets),
    };
    out.summary = summary::summary(store, &out, spike.as_ref(), &onsets);
    out
}

/// Text from outside as it may leave: nothing that takes effect, personal data masked.
fn text(outside: &Untrusted) -> String {
    masked(&shown(outside.raw()), Privacy::Masked)
}

fn stretch(zone: &Zone, span: Span) -> Stretch {
    Stretch { from: zone.rfc3339(span.from), to: zone.rfc3339(span.to) }
}

fn missing(findings: &Findings) -> Vec<Missing> {
    let mut out: Vec<Missing> = Vec::new();
    for (check, says) in &findings.missing {
        match out.iter_mut().find(|m| m.says == *says) {
            Some(known) => known.checks.push(check.clone()),
            None => out.push(Missing { says: says.clone(), checks: vec![check.clone()] }),
        }
    }
    out
}

fn blind(store: &Store, window: Span, at: Stamp) -> Vec<Blind> {
    let zone = &store.incident.zone;
    let within = Span::new(window.from, window.to.min(at).max(window.from));
    let all = gap::gaps(store, within, at);
    let row = |g: &gap::Gap| Blind {
        source: shown(&g.source),
        from: zone.rfc3339(g.span.from),
        to: zone.rfc3339(g.span.to),
        says: if g.code.is_empty() { text(&g.says) } else { format!("{}: {}", shown(&g.code), text(&g.says)) },
    };
    let mut out: Vec<Blind> = all.iter().take(GAPS).map(row).collect();
    if let (Some(next), Some(last)) = (all.get(GAPS), all.last()) {
        out.push(Blind {
            source: "several".to_owned(),
            from: zone.rfc3339(next.span.from),
            to: zone.rfc3339(last.span.to),
            says: format!("{} more stretches", all.len() - GAPS),
        });
    }
    out
}

fn hypothesis(f: &Finding, store: &Store) -> Hypothesis {
    Hypothesis {
        id: if f.number > 0 { format!("H{}", f.number) } else { f.cause.to_owned() },
        title: text(&f.title),
        verdict: f.verdict,
        score: (f.score * 10.0).round() / 10.0,
        because: f.because.clone(),
        but: f.but.clone(),
        items: f.checks.iter().map(|c| item(c, store)).collect(),
    }
}

fn item(c: &Check, store: &Store) -> Item {
    let labelled = |label: &str| c.evidence.iter().find(|(l, _)| *l == label).map(|(_, text)| text.clone());
    // What stands in a field of its own is not said twice.
    let beside = |(label, _): &&(&str, String)| !matches!(*label, "value" | "rule" | "coverage" | "source" | "window");
    let over = c.overridden.as_ref();
    Item {
        item: c.id.clone(),
        title: text(&c.title),
        verdict: word(c.verdict),
        value: if c.measured.is_empty() { c.missing.clone() } else { c.measured.clone() },
        rule: c.rule.clone(),
        source: c.spark.as_ref().map(|s| shown(s)).or_else(|| (!c.reads.is_empty()).then(|| c.reads.clone())),
        asof: c.asof.map(|t| store.incident.zone.rfc3339(t)),
        stale: c.stale,
        coverage: labelled("coverage"),
        overridden: over.map(|(v, who, why)| format!("measured: {}; {} says: {}", word(*v), text(who), text(why))),
        evidence: c.evidence.iter().filter(beside).cloned().collect(),
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supports => "supports",
        Verdict::Refutes => "refutes",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "no data",
    }
}

/// `+10 min`, `−1 min 30 s`: how long after the spike.
pub fn after(seconds: i64) -> String {
    let sign = if seconds < 0 { "−" } else { "+" };
    let lapse = crate::model::Lapse::seconds(seconds.saturating_abs());
    if lapse.0 == 0 { "+0 min".to_owned() } else { format!("{sign}{}", lasting(lapse)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::check::findings;

    #[test]
    fn a_report_of_nothing_names_nothing_and_says_what_is_missing() {
        let store = Store::default();
        let (window, at) = (Span::new(Stamp(0), Stamp(60_000_000)), Stamp(60_000_000));
        let note = Note::default();
        let found = findings(&store, &note, window, at);
        let made = report(&store, &Made { findings: &found, note: &note, window, at });
        assert_eq!((made.primary, made.contributing.len(), made.hypotheses.len()), (None, 0, 10));
        assert!(
            made.missing_sources.iter().any(|m| m.says.contains("[[query]]") && m.checks.contains(&"H1x".to_owned()))
        );
        assert!(made.answer.contains("undetermined") && made.onsets.is_empty());
        assert!(made.lags.iter().all(|l| l.at.is_none()), "what was not seen is not dated: {:?}", made.lags);
        assert!(made.impact.users.is_none() && !made.impact.not_known.is_empty());
    }

    #[test]
    fn lags_are_said_with_their_sign() {
        assert_eq!([after(600), after(0), after(-90)], ["+10 min", "+0 min", "−1 min 30 s"]);
    }
}
