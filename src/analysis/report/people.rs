//! What people said: the cause they concluded, verdicts over measured ones, ticks, remarks and fixed answers.
//!
//! Owns what of it stands in a report, with who and when. May not know: how it is written.

use super::{text, word};
use crate::model::incident::{CAUSES, CONCLUDED};
use crate::model::note::{Item, Note, Section};
use crate::model::untrusted::shown;
use crate::model::{MarkKind, Stamp};
use crate::store::Store;
use serde::Serialize;

/// A cause that somebody concluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// Words of `model::incident::CAUSES`, the first one first.
    pub causes: Vec<&'static str>,
}

/// Something a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// When; none for what stands in the configuration.
    pub at: Option<String>,
    /// Who.
    pub who: String,
    /// `verdict`, `tick`, `untick`, `remark`, `configuration`.
    pub kind: &'static str,
    /// About what: a check, a checkbox; empty for a remark.
    pub about: String,
    /// What.
    pub says: String,
}

/// A phase of the note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Phase {
    /// Its heading.
    pub title: String,
    /// Ticked checkboxes.
    pub ticked: usize,
    /// All of them.
    pub of: usize,
}

/// A question of the note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Whom it is for.
    pub group: String,
    /// What.
    pub text: String,
    /// What was answered, oldest first.
    pub answers: Vec<Given>,
}

/// An answer as it stands in the note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Given {
    /// When and by whom.
    pub given: String,
    /// The answer.
    pub text: String,
}

/// The last conclusion up to `at`.
pub fn accepted(store: &Store, at: Stamp) -> Option<Accepted> {
    store.marks(at).iter().rev().find_map(|m| {
        let said = m.text.raw().strip_prefix(CONCLUDED)?;
        let known = |word: &str| CAUSES.iter().map(|(c, _)| *c).find(|c| *c == word);
        let causes: Vec<&'static str> = said.split(", ").filter_map(known).collect();
        let (at, who) = (store.incident.zone.rfc3339(m.at), text(&m.who));
        (!causes.is_empty()).then_some(Accepted { at, who, causes })
    })
}

/// Everything people said up to `at`, oldest first; the configuration's answers in front.
pub fn answers(store: &Store, at: Stamp) -> Vec<Answer> {
    let zone = &store.incident.zone;
    let mut out: Vec<(Option<Stamp>, Answer)> = Vec::new();
    for probe in &store.incident.probes {
        let Some((verdict, says)) = &probe.answer else { continue };
        let says = format!("{}: {}", word(*verdict), shown(says));
        let about = shown(&probe.id);
        let who = "the configuration".to_owned();
        out.push((None, Answer { at: None, who, kind: "configuration", about, says }));
    }
    for o in store.overrides(at) {
        let says = match o.verdict {
            Some(verdict) => format!("{}: {}", word(verdict), text(&o.reason)),
            None => "takes the own verdict back".to_owned(),
        };
        let about = shown(&o.check);
        out.push((Some(o.at), Answer { at: None, who: text(&o.who), kind: "verdict", about, says }));
    }
    for t in store.ticks(at) {
        let kind = if t.ticked { "tick" } else { "untick" };
        let says = t.evidence.as_ref().map_or_else(|| "without evidence".to_owned(), text);
        out.push((Some(t.at), Answer { at: None, who: text(&t.who), kind, about: text(&t.text), says }));
    }
    for m in store.marks(at).iter().filter(|m| m.kind == MarkKind::Note) {
        let (about, says) = (String::new(), text(&m.text));
        out.push((Some(m.at), Answer { at: None, who: text(&m.who), kind: "remark", about, says }));
    }
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(at, a)| Answer { at: at.map(|t| zone.rfc3339(t)), ..a }).collect()
}

/// How many checkboxes of each phase are ticked: in the note as it was last read, and from here since.
pub fn phases(store: &Store, note: &Note, at: Stamp) -> Vec<Phase> {
    let read = store.note(at).map_or(Stamp(i64::MIN), |n| n.at);
    let is_ticked = |item: &Item| {
        let since = store.ticks(at).filter(|t| t.item == item.id && t.at >= read).last();
        since.map_or(item.ticked, |t| t.ticked)
    };
    let phase = |s: &Section| {
        let ticked = s.items.iter().filter(|i| note.items.get(**i).is_some_and(is_ticked)).count();
        let number = s.number.map(|n| format!("{n} ")).unwrap_or_default();
        Phase { title: format!("{number}{}", text(&s.title)), ticked, of: s.items.len() }
    };
    note.phases.iter().map(phase).collect()
}

/// The note's questions to people.
pub fn questions(note: &Note) -> Vec<Question> {
    let question = |q: &crate::model::note::Question| Question {
        group: text(&q.group),
        text: text(&q.text),
        answers: q.answers.iter().map(|a| Given { given: text(&a.given), text: text(&a.text) }).collect(),
    };
    note.questions.iter().map(question).collect()
}
