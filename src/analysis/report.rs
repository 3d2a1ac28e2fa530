//! The report of an incident: what is named and why, what it came to, when what began, and what was not measured.
//!
//! Owns its shape for machines and its words for people. May not know: files, recordings, screens.

use crate::analysis::check::{Check, Finding, Findings};
use crate::analysis::reconcile::standing;
use crate::analysis::spike::{broke_first, spike};
use crate::analysis::words::rupiah;
use crate::model::note::Verdict;
use crate::model::untrusted::shown;
use crate::model::{Span, Stamp};
use crate::store::Store;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A report. Times are RFC 3339 in the incident's zone, money is whole rupiah.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The incident's title.
    pub title: String,
    /// As of when.
    pub at: String,
    /// The cause that is named, by its word in `model::incident::CAUSES`; absent when it is undetermined.
    pub primary: Option<&'static str>,
    /// What else the orders show, and what follows from the cause.
    pub contributing: Vec<&'static str>,
    /// The verdict in words, with its reason.
    pub answer: String,
    /// The note's hypotheses first, then causes outside them, each best first.
    pub hypotheses: Vec<Hypothesis>,
    /// What no source answers, and the remedy; with the checks that lack it.
    pub missing_sources: Vec<Missing>,
    /// What it came to.
    pub impact: Impact,
    /// When what left its usual, by lane; `users` is the spike itself.
    pub onsets: BTreeMap<String, String>,
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
    /// Its checks.
    pub items: Vec<Item>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// `H1a`, and its words.
    pub item: String,
    /// The checkbox's or the check's words.
    pub title: String,
    /// `supports`, `refutes`, `inconclusive`, `no data`.
    pub verdict: &'static str,
    /// What was measured; what is missing where nothing was.
    pub value: String,
    /// By which rule.
    pub rule: String,
    /// Its newest measurement.
    pub source: Option<String>,
    /// How much of what should be there was there, where that is counted.
    pub coverage: Option<String>,
}

/// Something no source answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missing {
    /// What, with the remedy.
    pub says: String,
    /// Which checks lack it.
    pub checks: Vec<String>,
}

/// What the incident came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Impact {
    /// Orders placed in the window.
    pub orders: usize,
    /// ACTIVE for too long.
    pub stuck: usize,
    /// Their amounts.
    pub stuck_amount: i64,
    /// Stuck and charged.
    pub stuck_paid: usize,
    /// Stuck and not charged.
    pub stuck_unpaid: usize,
    /// Charged and not in HO's books.
    pub not_at_ho: usize,
    /// Their amounts.
    pub not_at_ho_amount: i64,
    /// By class.
    pub classes: Vec<Class>,
    /// Roles that never answered, and what is not known because of it.
    pub not_known: Vec<String>,
}

/// Orders of a class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Class {
    /// In words.
    pub class: &'static str,
    /// How many.
    pub orders: usize,
    /// Their amounts.
    pub amount: i64,
    /// The next safe action.
    pub action: &'static str,
}

/// The report of a stretch as of an instant, from what the checks found.
pub fn report(store: &Store, findings: &Findings, window: Span, at: Stamp) -> Report {
    let zone = &store.incident.zone;
    let mut missing: Vec<Missing> = Vec::new();
    for (check, says) in &findings.missing {
        match missing.iter_mut().find(|m| m.says == *says) {
            Some(known) => known.checks.push(check.clone()),
            None => missing.push(Missing { says: says.clone(), checks: vec![check.clone()] }),
        }
    }
    let began = spike(store, at).map(|s| ("users".to_owned(), zone.rfc3339(s.onset)));
    let left = broke_first(store, at).into_iter().filter(|o| !o.trigger);
    Report {
        title: shown(store.incident.title.raw()),
        at: zone.rfc3339(at),
        primary: findings.primary,
        contributing: findings.contributing.clone(),
        answer: findings.answer.clone(),
        hypotheses: findings.hypotheses.iter().chain(&findings.outside).map(|f| hypothesis(f, store)).collect(),
        missing_sources: missing,
        impact: impact(store, window, at),
        onsets: began.into_iter().chain(left.map(|o| (o.name, zone.rfc3339(o.at)))).collect(),
    }
}

fn hypothesis(f: &Finding, store: &Store) -> Hypothesis {
    Hypothesis {
        id: if f.number > 0 { format!("H{}", f.number) } else { f.cause.to_owned() },
        title: shown(f.title.raw()),
        verdict: f.verdict,
        score: (f.score * 10.0).round() / 10.0,
        items: f.checks.iter().map(|c| item(c, store)).collect(),
    }
}

fn item(c: &Check, store: &Store) -> Item {
    let coverage = c.evidence.iter().find(|(label, _)| *label == "coverage").map(|(_, text)| text.clone());
    Item {
        item: c.id.clone(),
        title: shown(c.title.raw()),
        verdict: word(c.verdict),
        value: if c.measured.is_empty() { c.missing.clone() } else { c.measured.clone() },
        rule: c.rule.clone(),
        source: c.asof.map(|t| store.incident.zone.rfc3339(t)),
        coverage,
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

fn impact(store: &Store, window: Span, at: Stamp) -> Impact {
    let s = standing(store, window, at);
    let class = |c: &crate::analysis::reconcile::ClassCount| {
        let card = c.class.card()?;
        Some(Class { class: card.name, orders: c.orders, amount: c.amount, action: card.action })
    };
    Impact {
        orders: s.total,
        stuck: s.stuck,
        stuck_amount: s.stuck_amount,
        stuck_paid: s.stuck_paid,
        stuck_unpaid: s.stuck_unpaid,
        not_at_ho: s.not_at_ho,
        not_at_ho_amount: s.not_at_ho_amount,
        classes: s.classes.iter().filter_map(class).collect(),
        not_known: s.missing,
    }
}

/// The report as Markdown.
pub fn markdown(r: &Report) -> String {
    let mut out = format!("# {}\n\nAs of {}.\n\n## Verdict\n\n{}\n", r.title, r.at, r.answer);
    if !r.contributing.is_empty() {
        let _ = writeln!(out, "\nContributing: {}.", r.contributing.join(", "));
    }
    let i = &r.impact;
    let _ = write!(
        out,
        "\n## Impact\n\n{} orders were placed; {} are stuck ({}): {} charged, {} not. {} charged payments are not in \
         HO's books ({}).\n\n| class | orders | amount | next safe action |\n| --- | ---: | ---: | --- |\n",
        i.orders,
        i.stuck,
        rupiah(i.stuck_amount),
        i.stuck_paid,
        i.stuck_unpaid,
        i.not_at_ho,
        rupiah(i.not_at_ho_amount)
    );
    for c in &i.classes {
        let _ = writeln!(out, "| {} | {} | {} | {} |", c.class, c.orders, rupiah(c.amount), cell(c.action));
    }
    for says in &i.not_known {
        let _ = writeln!(out, "\nNot known: {says}.");
    }
    out.push_str("\n## When what began\n\n");
    let mut onsets: Vec<(&String, &String)> = r.onsets.iter().collect();
    onsets.sort_by_key(|(_, at)| *at);
    for (name, at) in onsets {
        let _ = writeln!(out, "- {at} {name}");
    }
    if r.onsets.is_empty() {
        out.push_str("Nothing was seen to leave its usual.\n");
    }
    out.push_str("\n## Hypotheses\n");
    for h in &r.hypotheses {
        let _ = write!(
            out,
            "\n### {} {}: {}, {:.1} points\n\n| check | says | measured | rule |\n| --- | --- | --- | --- |\n",
            h.id, h.title, h.verdict, h.score
        );
        for c in &h.items {
            let _ = writeln!(
                out,
                "| {} {} | {} | {} | {} |",
                c.item,
                cell(&c.title),
                c.verdict,
                cell(&c.value),
                cell(&c.rule)
            );
        }
    }
    out.push_str("\n## What was not measured\n\n");
    for m in &r.missing_sources {
        let _ = writeln!(out, "- {}: {}", m.checks.join(", "), m.says);
    }
    if r.missing_sources.is_empty() {
        out.push_str("Every check had data.\n");
    }
    out
}

/// Text inside a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::check::findings;
    use crate::model::note::Note;

    #[test]
    fn a_report_of_nothing_names_nothing_and_says_what_is_missing() {
        let store = Store::default();
        let (window, at) = (Span::new(Stamp(0), Stamp(60_000_000)), Stamp(60_000_000));
        let made = report(&store, &findings(&store, &Note::default(), window, at), window, at);
        assert_eq!((made.primary, made.contributing.len(), made.hypotheses.len()), (None, 0, 10));
        assert!(
            made.missing_sources.iter().any(|m| m.says.contains("[[query]]") && m.checks.contains(&"H1x".to_owned()))
        );
        let text = markdown(&made);
        assert!(text.contains("undetermined") && text.contains("Nothing was seen to leave its usual."), "{text}");
    }
}
