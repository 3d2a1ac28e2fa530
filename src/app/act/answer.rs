//! Answers of people: to the note's questions and to checkboxes, with who and when, into the note; a time that an
//! answer names becomes a mark on the timeline.

use crate::app::act::{note, prompt};
use crate::app::message::{Effect, People};
use crate::app::rows::Panel;
use crate::app::state::{App, Asked, Pending, PromptKind};
use crate::model::note::Question;
use crate::model::untrusted::shown;
use crate::model::{Lapse, Mark, MarkKind, Span, Stamp, Untrusted};
use crate::note::edit::{Answer, Change, Edit};
use crate::note::outline::ANSWER;

/// Whether a line below a checkbox is an answer.
pub fn is_answer(line: &str) -> bool {
    line.starts_with(ANSWER)
}

/// The question of the focused row.
pub fn focused(app: &App) -> Option<&Question> {
    (app.panel() == Panel::Questions).then(|| app.question(app.focus())).flatten()
}

/// Asks for an answer to what is focused.
pub fn ask(app: &mut App) {
    let asked = focused(app).map(|q| (Asked::Question(q.id.clone()), q.text.clone()));
    let asked = asked.or_else(|| note::focused_item(app).map(|i| (Asked::Item(i.id), i.text)));
    let Some((asked, text)) = asked else {
        app.say("there is no question and no checkbox in this row");
        return;
    };
    if note::may_write(app) {
        prompt::open(app, PromptKind::Answer(asked, text));
    }
}

/// Shows what an answer would write; whether there is anything to show.
pub fn propose(app: &mut App, asked: &Asked, question: &Untrusted, typed: &str) -> bool {
    if typed.is_empty() {
        app.say("an empty answer is not written");
        return false;
    }
    if !note::may_write(app) {
        return false;
    }
    let zone = app.store.incident.zone.clone();
    let given = format!("{} {}, {}", zone.format(app.acted_at(), "%Y-%m-%d %H:%M"), zone.name, app.who);
    let marks = mark(app, question, typed).into_iter().collect();
    let change = match asked {
        Asked::Question(id) => Change::Answer(Answer { question: id.clone(), given, text: typed.to_owned() }),
        Asked::Item(id) => {
            let Some(item) = app.note.items.iter().find(|i| i.id == *id) else {
                app.say(&note::gone());
                return false;
            };
            let line = format!("{ANSWER} {given}): {typed}");
            Change::Item(Edit { item: id.clone(), ticked: item.ticked, evidence: Some(line) })
        }
    };
    note::pend(app, change, question.clone(), None, marks);
    app.pending.is_some()
}

/// What is said and recorded when an answer stands in the note.
pub fn written(app: &mut App, pending: Option<Pending>) -> Vec<Effect> {
    let Some(pending) = pending else { return Vec::new() };
    let zone = &app.store.incident.zone;
    let at = pending.marks.first().map_or_else(String::new, |m| format!(", and marked at {}", zone.hm(m.at)));
    app.say(&format!("answer written into the note{at}: {}", shown(pending.text.raw())));
    pending.marks.into_iter().map(People::Mark).map(Effect::Record).collect()
}

/// Words of a question about what somebody did to the system: an answer with a time is a change then, and the
/// rules look at it as at any other.
const CHANGES: &str = "deploy | release | rilis | change | perubahan | maintenance | pemeliharaan | config | konfig | migrasi | migration | rollback";
/// Words that an answer begins with that says there was none.
const NONE: [&str; 9] = ["no", "none", "tidak", "tak", "nggak", "belum", "nein", "not", "never"];

/// A mark at the time that an answer names.
fn mark(app: &App, question: &Untrusted, answer: &str) -> Option<Mark> {
    let at = named(app, answer)?;
    let first = answer.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty())?.to_lowercase();
    let denied = NONE.contains(&first.as_str());
    let about_a_change = crate::analysis::check::means(CHANGES, question.raw());
    let kind = if about_a_change && !denied { MarkKind::Change } else { MarkKind::Note };
    let text = format!("{answer} · answer to: {}", question.raw());
    Some(Mark { at, kind, text: text.into(), who: Untrusted::from(app.who.as_str()) })
}

/// The first instant an answer names: RFC 3339, or a wall clock (`19:26`, `19.26`, `2025-01-12 19:26`). Without a day
/// it is the one that lies nearest to the stretch looked at.
fn named(app: &App, answer: &str) -> Option<Stamp> {
    let zone = &app.store.incident.zone;
    let words: Vec<&str> = answer
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '~'))
        .map(|w| w.trim_end_matches(['.', ':', '!', '?']))
        .collect();
    if let Some(at) = words.iter().find_map(|w| Stamp::parse_rfc3339(w)) {
        return Some(at);
    }
    let (place, clock) = words.iter().enumerate().find_map(|(i, w)| Some((i, clock(w)?)))?;
    let day = place.checked_sub(1).and_then(|i| words.get(i)).and_then(|w| {
        let day = chrono::NaiveDate::parse_from_str(w, "%Y-%m-%d").ok()?;
        Stamp::parse_rfc3339(&format!("{day}T12:00:00Z"))
    });
    if let Some(day) = day {
        return zone.on_day(day, &clock);
    }
    let looked = app.window.unwrap_or_else(|| app.store.incident.window.unwrap_or(Span::new(app.at(), app.at())));
    let middle = looked.from + Lapse(looked.length().0 / 2);
    let days = [Lapse::hours(-24), Lapse::ZERO, Lapse::hours(24)].map(|by| zone.on_day(looked.from + by, &clock));
    days.into_iter().flatten().min_by_key(|at| at.since(middle).abs())
}

/// `19:26` of `19:26`, `19.26`, `19:26:08`, `19:26WIB`.
fn clock(word: &str) -> Option<String> {
    let word = word.trim_end_matches(char::is_alphabetic);
    let parts: Vec<&str> = word.split([':', '.']).collect();
    let two = |p: &&str| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    let [hours, minutes, rest @ ..] = parts.as_slice() else { return None };
    let whole = minutes.len() == 2 && rest.len() <= 1 && rest.iter().all(|r| r.len() == 2);
    let (h, m) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    // `2.50 s` is a duration more often than ten to three: a point needs both digits of the hour.
    let pointed = word.contains('.') && (hours.len() < 2 || word.contains(':'));
    (whole && parts.iter().all(two) && h < 24 && m < 60 && !pointed).then(|| {
        let seconds = rest.first().map_or_else(String::new, |s| format!(":{s}"));
        format!("{h:02}:{m:02}{seconds}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_is_found_in_words() {
        for (word, found) in [
            ("19:26", Some("19:26")),
            ("19.26", Some("19:26")),
            ("7:05", Some("07:05")),
            ("19:26:08", Some("19:26:08")),
            ("19:26WIB", Some("19:26")),
            ("24:10", None),
            ("19:66", None),
            ("1.5", None),
            ("2.50", None),
            ("10.0.0.7", None),
            ("12:3", None),
            ("77k", None),
        ] {
            assert_eq!(clock(word).as_deref(), found, "{word}");
        }
    }
}
