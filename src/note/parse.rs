//! Finds a note's structure: front matter, checkboxes with byte positions, hypotheses, phases, areas and
//! questions, by structure and priority words, in any language.
//!
//! Hypotheses are sibling headings with a number and a priority; phases are sibling headings with a number
//! and checkboxes; areas are sibling headings without numbers that have checkboxes and stand under a heading
//! of their own. Where several groups of siblings fit, the largest is meant, and of equals the first.

use crate::model::Untrusted;
use crate::model::note::{Hypothesis, Item, ItemId, Note, Question, Reply, Section};
use crate::note::outline::{Heading, Outline};
use crate::note::{front, outline, words};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Takes a note apart. Never fails: a text without structure is a note without items.
pub fn parse(name: &str, text: &str) -> Note {
    let front = front::read(text);
    let outline = outline::read(text, front.end);
    let hypotheses = hypotheses(&outline);
    let mut taken = hypotheses.clone();
    let mut take = |more: &[usize]| {
        taken.extend(more);
        taken.sort_unstable();
        taken.clone()
    };
    let phases = phases(&outline, &take(&[]));
    let areas = areas(&outline, &take(&phases));
    let taken = take(&areas);
    let mut under = items_under(&outline, &taken);
    let mut items_of = |h: usize| under.remove(&h).unwrap_or_default();
    Note {
        title: Untrusted::from(title(name, &outline)),
        status: front.status.map(Untrusted::from),
        severity: front.severity.map(Untrusted::from),
        date: front.date.map(Untrusted::from),
        hypotheses: hypotheses.iter().filter_map(|h| hypothesis(&outline, *h, items_of(*h))).collect(),
        phases: phases.iter().filter_map(|h| section(&outline, *h, items_of(*h))).collect(),
        areas: areas.iter().filter_map(|h| section(&outline, *h, items_of(*h))).collect(),
        others: others(name, &outline, &taken),
        questions: questions(&outline),
        items: items(&outline),
    }
}

fn title(name: &str, outline: &Outline) -> String {
    let first = outline.headings.iter().map(|h| &h.text).find(|t| !t.is_empty());
    first.cloned().unwrap_or_else(|| name.trim_end_matches(".md").to_owned())
}

/// Names for the checkboxes of an outline, in order: a hash of the headings above, the words, and how many
/// equal ones came before. An edit anywhere else leaves them as they are.
pub(crate) fn ids(outline: &Outline) -> Vec<ItemId> {
    let mut seen: BTreeMap<[u8; 32], u64> = BTreeMap::new();
    let mut names = Vec::with_capacity(outline.boxes.len());
    for b in &outline.boxes {
        let mut hash = Sha256::new();
        for heading in outline.path(b.heading).into_iter().filter_map(|h| outline.headings.get(h)) {
            hash.update(heading.text.as_bytes());
            hash.update([0x1f]);
        }
        hash.update([0x1e]);
        hash.update(b.text.as_bytes());
        let words: [u8; 32] = hash.clone().finalize().into();
        let ordinal = seen.entry(words).or_default();
        hash.update(ordinal.to_be_bytes());
        *ordinal += 1;
        let name: [u8; 32] = hash.finalize().into();
        let mut id = String::with_capacity(16);
        for byte in name.iter().take(8) {
            let _ = write!(id, "{byte:02x}");
        }
        names.push(ItemId(id));
    }
    names
}

/// Names for the questions of an outline, in order: a hash of whom each is for, its words, and how many equal ones
/// came before.
pub(crate) fn question_ids(outline: &Outline) -> Vec<ItemId> {
    let mut seen: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let name = |q: &'_ outline::Asked, ordinal: u64| {
        let mut hash = Sha256::new();
        hash.update(q.group.as_bytes());
        hash.update([0x1d]);
        hash.update(q.text.as_bytes());
        hash.update(ordinal.to_be_bytes());
        let name: [u8; 32] = hash.finalize().into();
        ItemId(name.iter().take(8).fold(String::with_capacity(17), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        }))
    };
    let mut names = Vec::with_capacity(outline.questions.len());
    for q in &outline.questions {
        let ordinal = seen.entry((&q.group, &q.text)).or_default();
        names.push(name(q, *ordinal));
        *ordinal += 1;
    }
    names
}

fn questions(outline: &Outline) -> Vec<Question> {
    let question = |(q, id): (&outline::Asked, ItemId)| {
        let beside = outline.questions.iter().filter(|o| o.place == q.place && o.text != q.text);
        let others: Vec<String> = beside.map(|o| quoted(&o.text)).collect();
        let replies = q.answers.iter().filter_map(|a| reply(a));
        // Of several questions in one sentence's place, each answer says which it means.
        let mine = replies.filter(|(_, text)| !others.iter().any(|o| text.starts_with(o.as_str())));
        let own = quoted(&q.text);
        let answers = mine.map(|(given, text)| Reply {
            given: given.into(),
            text: text.strip_prefix(own.as_str()).unwrap_or(text).trim_start().into(),
        });
        let answers = answers.collect();
        Question { id, group: q.group.as_str().into(), text: q.text.as_str().into(), line: q.line, answers }
    };
    outline.questions.iter().zip(question_ids(outline)).map(question).collect()
}

/// A question before its answer, where it does not stand alone.
pub(crate) fn quoted(question: &str) -> String {
    format!("“{question}”")
}

/// When and by whom, and the words of an answer's line.
fn reply(line: &str) -> Option<(&str, &str)> {
    let (given, text) = line.strip_prefix(outline::ANSWER)?.split_once("):")?;
    Some((given.trim(), text.trim()))
}

fn items(outline: &Outline) -> Vec<Item> {
    let untrusted = |h: usize| outline.headings.get(h).map(|h| Untrusted::from(h.text.as_str()));
    let item = |(b, id): (&outline::Checkbox, ItemId)| Item {
        id,
        line: outline.line(b.mark),
        mark: b.mark,
        ticked: b.ticked,
        text: b.text.as_str().into(),
        path: outline.path(b.heading).into_iter().filter_map(untrusted).collect(),
    };
    outline.boxes.iter().zip(ids(outline)).map(item).collect()
}

/// Headings by the heading they stand under, in the file's order.
fn siblings(outline: &Outline) -> BTreeMap<Option<usize>, Vec<usize>> {
    let mut groups: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (i, heading) in outline.headings.iter().enumerate() {
        groups.entry(heading.parent).or_default().push(i);
    }
    groups
}

/// The group with most headings that fit, the first of equals; only with at least `least` of them.
fn largest(outline: &Outline, least: usize, fits: impl Fn(usize, &Heading) -> bool) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::new();
    for group in siblings(outline).into_values() {
        let fitting: Vec<usize> =
            group.into_iter().filter(|i| outline.headings.get(*i).is_some_and(|h| fits(*i, h))).collect();
        let earlier = fitting.len() == best.len() && fitting.first() < best.first();
        if fitting.len() >= least && (fitting.len() > best.len() || earlier) {
            best = fitting;
        }
    }
    best
}

fn hypotheses(outline: &Outline) -> Vec<usize> {
    let sure = |h: &Heading| {
        words::numbered(&h.text).is_some_and(|n| {
            words::says_hypothesis(&n.word) || (words::means_hypothesis(&n.word) && words::priority(&h.text).is_some())
        })
    };
    let certain = largest(outline, 1, |_, h| sure(h));
    let Some(parent) = certain.first().and_then(|h| outline.headings.get(*h)).map(|h| h.parent) else {
        return Vec::new();
    };
    // A numbered brother whose priority somebody forgot is a hypothesis all the same.
    let brother =
        |h: &Heading| h.parent == parent && words::numbered(&h.text).is_some_and(|n| words::means_hypothesis(&n.word));
    outline.headings.iter().enumerate().filter(|(_, h)| brother(h)).map(|(i, _)| i).collect()
}

fn phases(outline: &Outline, taken: &[usize]) -> Vec<usize> {
    let full = with_items(outline);
    largest(outline, 2, |i, h| full.contains(&i) && words::numbered(&h.text).is_some() && !in_any(outline, i, taken))
}

fn areas(outline: &Outline, taken: &[usize]) -> Vec<usize> {
    let full = with_items(outline);
    // The note's own title is no group: sections side by side under it are just the note's sections.
    let top = outline.headings.iter().map(|h| h.level).min();
    let tops = outline.headings.iter().enumerate().filter(|(_, h)| Some(h.level) == top).map(|(i, _)| i);
    let tops: Vec<usize> = tops.take(2).collect();
    let is_title = |h: usize| tops == [h];
    largest(outline, 2, |i, h| {
        let grouped = h.parent.is_some_and(|p| !is_title(p));
        grouped && full.contains(&i) && words::numbered(&h.text).is_none() && !in_any(outline, i, taken)
    })
}

/// Whether the heading is one of `taken` (which is sorted) or stands under one.
fn in_any(outline: &Outline, heading: usize, taken: &[usize]) -> bool {
    outline.path(Some(heading)).iter().any(|h| taken.binary_search(h).is_ok())
}

/// Headings with checkboxes anywhere in their section.
fn with_items(outline: &Outline) -> BTreeSet<usize> {
    outline.boxes.iter().flat_map(|b| outline.path(b.heading)).collect()
}

/// The checkboxes of each heading's section, for the chosen headings only.
fn items_under(outline: &Outline, chosen: &[usize]) -> BTreeMap<usize, Vec<usize>> {
    let mut under: BTreeMap<usize, Vec<usize>> = chosen.iter().map(|h| (*h, Vec::new())).collect();
    for (i, b) in outline.boxes.iter().enumerate() {
        for heading in outline.path(b.heading) {
            if let Some(items) = under.get_mut(&heading) {
                items.push(i);
            }
        }
    }
    under
}

fn hypothesis(outline: &Outline, index: usize, items: Vec<usize>) -> Option<Hypothesis> {
    let heading = outline.headings.get(index)?;
    let numbered = words::numbered(&heading.text)?;
    let priority = words::priority(&numbered.rest);
    Some(Hypothesis {
        number: numbered.number,
        title: priority.as_ref().map_or(numbered.rest.as_str(), |p| &p.title).into(),
        priority: priority.as_ref().map_or("", |p| &p.written).into(),
        prior: priority.as_ref().map_or(words::UNKNOWN, |p| p.prior),
        lines: (heading.line, heading.last_line),
        reasoning: heading.reasoning.as_str().into(),
        items,
    })
}

fn section(outline: &Outline, index: usize, items: Vec<usize>) -> Option<Section> {
    Some(titled(&outline.headings.get(index)?.text, items))
}

fn titled(text: &str, items: Vec<usize>) -> Section {
    let numbered = words::numbered(text);
    let title = numbered.as_ref().map_or(text, |n| &n.rest);
    let priority = words::priority(title);
    Section {
        number: numbered.as_ref().map(|n| n.number),
        title: priority.as_ref().map_or(title, |p| &p.title).into(),
        priority: priority.as_ref().map_or("", |p| &p.written).into(),
        items,
    }
}

/// Checkboxes that belong to no hypothesis, phase or area, by the heading right above them.
fn others(name: &str, outline: &Outline, taken: &[usize]) -> Vec<Section> {
    let mut by_heading: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (i, b) in outline.boxes.iter().enumerate() {
        if b.heading.is_none_or(|h| !in_any(outline, h, taken)) {
            by_heading.entry(b.heading).or_default().push(i);
        }
    }
    let above = |h: Option<usize>| h.and_then(|h| outline.headings.get(h)).map(|h| h.text.clone());
    by_heading.into_iter().map(|(h, items)| titled(&above(h).unwrap_or_else(|| title(name, outline)), items)).collect()
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
