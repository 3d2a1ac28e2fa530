//! One change to a note's text: a checkbox's byte, and an evidence line when asked; or an answer below a question.

use crate::model::Untrusted;
use crate::model::note::ItemId;
use crate::note::outline::{Checkbox, Outline};
use crate::note::{front, outline, parse};
use similar::{ChangeTag, TextDiff};

/// A change that somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The checkbox.
    pub item: ItemId,
    /// What it shall be.
    pub ticked: bool,
    /// A line to add below it as a list item of its own, without indentation and bullet.
    pub evidence: Option<String>,
}

/// An answer that somebody gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The question.
    pub question: ItemId,
    /// When and by whom: `2025-01-12 20:31 WIB, sari`.
    pub given: String,
    /// The answer.
    pub text: String,
}

/// What can be changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A checkbox, or the lines below it.
    Item(Edit),
    /// The lines below a question.
    Answer(Answer),
    /// The front matter's status.
    Status(String),
}

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The item is not in the text any more.
    #[error("this item is no longer in the note: it was removed or reworded in another editor; open the note and look")]
    Gone,
    /// It already is what it should become.
    #[error("this item was already changed in another editor")]
    Already,
    /// The evidence line would have changed what other lines mean.
    #[error("the evidence line does not fit below this item without changing others; tick it without evidence")]
    Misfit,
    /// The question is not in the text any more.
    #[error(
        "this question is no longer in the note: it was removed or reworded in another editor; open the note and look"
    )]
    NoQuestion,
    /// There is nothing to write.
    #[error("nothing was typed: nothing is written")]
    Empty,
    /// There is no place for a status.
    #[error("the note has no front matter: put a block between --- lines at its head, with a line status:")]
    NoFront,
    /// It is so already.
    #[error("that is the note's status already")]
    SameStatus,
    /// The answer would have changed what other lines mean.
    #[error("the answer does not fit below this question without changing others; write it in an editor")]
    NoPlace,
}

/// One line of a difference as shown before anything is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Line number in the new text, from 1; none for removed lines.
    pub line: Option<usize>,
    /// `' '`, `'-'` or `'+'`.
    pub sign: char,
    /// The line.
    pub text: Untrusted,
}

/// The text after the change. Exactly one byte differs, plus the evidence line when asked.
///
/// A tick writes `x`, an untick a blank. Evidence is added to an item that is ticked already, but the same
/// line never twice; unticking leaves evidence where it is.
pub fn apply(text: &str, edit: &Edit) -> Result<String, Refusal> {
    let before = read(text);
    let at = parse::ids(&before).iter().position(|id| *id == edit.item).ok_or(Refusal::Gone)?;
    let item = before.boxes.get(at).ok_or(Refusal::Gone)?;
    let line = edit.evidence.as_deref().map(one_line).filter(|l| !l.is_empty() && !is_there(text, item, l));
    if item.ticked == edit.ticked && line.is_none() {
        return Err(Refusal::Already);
    }
    let mut after = String::with_capacity(text.len() + 256);
    after.push_str(text.get(..item.mark).ok_or(Refusal::Gone)?);
    match (item.ticked == edit.ticked, edit.ticked) {
        (true, _) => after.push_str(text.get(item.mark..=item.mark).ok_or(Refusal::Gone)?),
        (false, true) => after.push('x'),
        (false, false) => after.push(' '),
    }
    after.push_str(text.get(item.mark + 1..).ok_or(Refusal::Gone)?);
    if let Some(line) = line {
        let words = item.mark.saturating_sub(1);
        let indent = indentation(&after, item.range.start, words, item.child);
        insert(&mut after, item.own_end, &indent, &line);
    }
    if same_but_for(&before, &read(&after), at, edit.ticked) { Ok(after) } else { Err(Refusal::Misfit) }
}

/// The text after a change.
pub fn change(text: &str, change: &Change) -> Result<String, Refusal> {
    match change {
        Change::Item(edit) => apply(text, edit),
        Change::Answer(given) => answer(text, given),
        Change::Status(status) => {
            let status = one_line(status);
            if status.is_empty() {
                return Err(Refusal::Empty);
            }
            let after = front::with_status(text, &status).ok_or(Refusal::NoFront)?;
            if after == text { Err(Refusal::SameStatus) } else { Ok(after) }
        }
    }
}

/// The text with an answer as a list item of its own below the question. Every other byte stays as it was.
pub fn answer(text: &str, given: &Answer) -> Result<String, Refusal> {
    let before = read(text);
    let at = parse::question_ids(&before).iter().position(|id| *id == given.question).ok_or(Refusal::NoQuestion)?;
    let asked = before.questions.get(at).ok_or(Refusal::NoQuestion)?;
    let words = one_line(&given.text);
    if words.is_empty() {
        return Err(Refusal::Empty);
    }
    let alone = before.questions.iter().filter(|q| q.place == asked.place).count() == 1;
    let which = if alone { String::new() } else { format!("{} ", parse::quoted(&asked.text)) };
    let by = one_line(&given.given).replace("):", ") :");
    let line = format!("{}{by}): {which}{words}", outline::ANSWER.to_owned() + " ");
    let mut after = String::with_capacity(text.len() + line.len() + 16);
    after.push_str(text);
    let place = &asked.place;
    let indent = if place.item { indentation(text, place.start, place.words, place.child) } else { String::new() };
    insert(&mut after, place.own_end, &indent, &line);
    let now = read(&after);
    let as_before = |o: &Outline| o.questions.iter().map(|q| (q.group.clone(), q.text.clone())).collect::<Vec<_>>();
    let more = now.questions.get(at).is_some_and(|q| q.answers.len() == asked.answers.len() + 1);
    let same = parse::ids(&before) == parse::ids(&now) && as_before(&before) == as_before(&now);
    let ticks = |o: &Outline| o.boxes.iter().map(|b| b.ticked).collect::<Vec<_>>();
    if more && same && ticks(&before) == ticks(&now) { Ok(after) } else { Err(Refusal::NoPlace) }
}

fn read(text: &str) -> Outline {
    outline::read(text, front::read(text).end)
}

/// Whether every checkbox is what and where it was, but for the one that should change.
fn same_but_for(before: &Outline, after: &Outline, at: usize, ticked: bool) -> bool {
    let states = |o: &Outline| o.boxes.iter().map(|b| b.ticked).collect::<Vec<_>>();
    let mut wanted = states(before);
    if let Some(state) = wanted.get_mut(at) {
        *state = ticked;
    }
    parse::ids(before) == parse::ids(after) && wanted == states(after)
}

/// Evidence as one line of text: no line ends, no control characters, no bullet of its own.
fn one_line(evidence: &str) -> String {
    let plain: String = evidence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    plain.trim_start_matches("- ").to_owned()
}

/// Whether the item carries this evidence already: the same line, or one with the same evidence id.
fn is_there(text: &str, item: &Checkbox, line: &str) -> bool {
    let id = |l: &str| l.split_whitespace().rfind(|w| w.starts_with("ev-")).map(str::to_owned);
    let below = text.get(item.own_end..item.range.end).unwrap_or_default();
    below
        .lines()
        .map(|l| l.trim_start_matches([' ', '\t', '>', '-']).trim_end())
        .any(|l| l == line || (l.starts_with(outline::EVIDENCE) && id(l).is_some() && id(l) == id(line)))
}

/// Puts the line below the item's own words, in the file's own indentation and line ends.
fn insert(text: &mut String, own_end: usize, indent: &str, line: &str) {
    let rest = text.get(own_end..).unwrap_or_default();
    let end = rest.find(['\n', '\r']).map_or(text.len(), |i| own_end + i);
    let newline = newline_at(text, end);
    text.insert_str(end, &format!("{newline}{indent}- {line}"));
}

/// The line end at `end`, or the file's first one where the text ends.
fn newline_at(text: &str, end: usize) -> &'static str {
    let from = |i: usize| match text.as_bytes().get(i..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Some("\r\n"),
        [b'\r', ..] => Some("\r"),
        [b'\n', ..] => Some("\n"),
        _ => None,
    };
    from(end).or_else(|| text.find(['\n', '\r']).and_then(from)).unwrap_or("\n")
}

/// What stands before a child of a list item from its start, its words (a checkbox's bracket) and its first child:
/// as that child has it, else as deep as the item's own words.
fn indentation(text: &str, start: usize, words: usize, child: Option<usize>) -> String {
    let before = |offset: usize| {
        let line = text.get(..offset).unwrap_or_default().rfind(['\n', '\r']).map_or(0, |i| i + 1);
        text.get(line..offset).unwrap_or_default()
    };
    let blank = |c: char| if matches!(c, ' ' | '\t' | '>') { c } else { ' ' };
    if let Some(child) = child {
        return before(child).chars().map(blank).collect();
    }
    let marker = text.get(start..words).unwrap_or_default();
    before(start).chars().chain(marker.chars()).map(blank).collect()
}

/// What the change would write, with one line of context on each side.
pub fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut out = Vec::new();
    for op in diff.grouped_ops(1).iter().flatten() {
        for change in diff.iter_changes(op) {
            let (sign, line) = match change.tag() {
                ChangeTag::Equal => (' ', change.new_index()),
                ChangeTag::Delete => ('-', None),
                ChangeTag::Insert => ('+', change.new_index()),
            };
            let text = change.value().trim_end_matches(['\n', '\r']);
            out.push(DiffLine { line: line.map(|l| l + 1), sign, text: text.into() });
        }
    }
    out
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
