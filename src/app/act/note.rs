//! The note: ticks with their difference shown first, evidence, and a person's own verdict.

use crate::app::act::prompt;
use crate::app::copy;
use crate::app::key::{Code, Key};
use crate::app::message::{Effect, People};
use crate::app::rows::Panel;
use crate::app::state::{App, Pending, PromptKind};
use crate::model::note::{Item, Override, Verdict};
use crate::model::untrusted::shown;
use crate::model::{Mark, Untrusted};
use crate::note::edit::{self, Change, Edit, Refusal};

/// Whether the evidence goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// One byte only.
    Nothing,
    /// And a line below it.
    Evidence,
}

/// What is said when a checkbox is not in the note any more.
pub fn gone() -> String {
    Refusal::Gone.to_string()
}

/// Shows what ticking the focused checkbox would write.
pub fn tick(app: &mut App, with: With) {
    let Some(item) = focused_item(app) else {
        app.say("this check has no checkbox in the note");
        return;
    };
    let evidence = if item.ticked { None } else { evidence_of(app, &item) };
    if with == With::Evidence && evidence.is_none() {
        app.say(if item.ticked {
            "this item is ticked; x unticks it and leaves its evidence where it is"
        } else {
            "there is no measured evidence for this item; x ticks it without"
        });
        return;
    }
    let line = if with == With::Evidence { evidence.clone() } else { None };
    propose(app, &item, !item.ticked, line, evidence);
}

/// Makes a change pending when it can be made.
pub fn propose(app: &mut App, item: &Item, ticked: bool, line: Option<String>, evidence: Option<String>) {
    if !may_write(app) {
        return;
    }
    let change = Change::Item(Edit { item: item.id.clone(), ticked, evidence: line });
    pend(app, change, item.text.clone(), evidence, Vec::new());
}

/// Shows what a change would write; says why when it cannot be made.
pub fn pend(app: &mut App, change: Change, text: Untrusted, evidence: Option<String>, marks: Vec<Mark>) {
    match edit::change(&app.note_text, &change) {
        Ok(after) => {
            let diff = edit::diff(&app.note_text, &after);
            app.pending = Some(Pending { change, diff, text, evidence, marks });
        }
        Err(refusal) => app.say(&refusal.to_string()),
    }
}

/// Shows what another status in the front matter would write.
pub fn status(app: &mut App, status: &str) {
    if may_write(app) {
        let change = Change::Status(status.trim_matches('"').to_owned());
        pend(app, change, status.into(), None, Vec::new());
    }
}

/// Why nothing can be written right now; says so.
pub fn may_write(app: &mut App) -> bool {
    let says = if !app.may_write {
        "this warroom was started with --view: it writes nothing into the note"
    } else if app.in_the_past() && !is_newest(app) {
        "the note has changed since the instant shown; End goes back to now, then tick"
    } else if app.saving.is_some() {
        "the change before is still being written"
    } else {
        return true;
    };
    app.say(says);
    false
}

fn is_newest(app: &App) -> bool {
    app.store.note(app.newest()).is_some_and(|n| n.text.raw() == &*app.note_text)
}

/// The checkbox of the focused row.
pub fn focused_item(app: &App) -> Option<Item> {
    let row = app.focus();
    match app.panel() {
        Panel::Checks => {
            let id = app.checks().get(row)?.item.as_ref()?;
            app.note.items.iter().find(|i| i.id == *id).cloned()
        }
        Panel::Items => app.section_items().nth(row).cloned(),
        _ => None,
    }
}

/// The evidence line a check offers for an item, personal data masked: the note is read by many.
pub fn evidence_of(app: &App, item: &Item) -> Option<String> {
    let findings = &app.derived.findings;
    let mut checks = findings.hypotheses.iter().flat_map(|f| &f.checks).chain(&findings.others);
    let check = checks.find(|c| c.item.as_ref() == Some(&item.id))?;
    (!check.evidence_line.is_empty()).then(|| copy::masked(app, &check.evidence_line))
}

/// The answer to a pending change.
pub fn answer(app: &mut App, key: Key) -> Vec<Effect> {
    let Some(pending) = app.pending.take() else { return Vec::new() };
    match key.code {
        Code::Char('y') | Code::Enter => {
            let change = pending.change.clone();
            app.saving = Some(pending);
            return vec![Effect::SaveNote(change)];
        }
        Code::Char('e' | 'X') => toggle_evidence(app, pending),
        Code::Char('n' | 'q' | 'x') | Code::Esc | Code::Backspace => app.say("nothing was written"),
        _ => app.pending = Some(pending),
    }
    Vec::new()
}

fn toggle_evidence(app: &mut App, pending: Pending) {
    if pending.evidence.is_none() {
        app.pending = Some(pending);
        app.say("there is no measured evidence for this item");
        return;
    }
    let Change::Item(edit) = &pending.change else { return };
    let line = if edit.evidence.is_some() { None } else { pending.evidence.clone() };
    let change = Change::Item(Edit { evidence: line, ..edit.clone() });
    pend(app, change, pending.text, pending.evidence, pending.marks);
}

/// Asks which checkbox gets the focused row as evidence.
pub fn attach(app: &mut App) {
    if app.note.items.is_empty() {
        app.say("there is no note with checkboxes: [incident] note = \"…\"");
        return;
    }
    let words = evidence_words(app);
    if words.is_empty() {
        app.say("there is nothing to attach in this row");
        return;
    }
    prompt::open(app, PromptKind::Attach(words));
}

/// The focused row as an evidence line: when, what, and as of when.
fn evidence_words(app: &App) -> String {
    let panel = app.panel();
    if let (Panel::Checks, Some(check)) = (panel, app.checks().get(app.focus()))
        && !check.evidence_line.is_empty()
    {
        return copy::masked(app, &check.evidence_line);
    }
    let text = match panel {
        Panel::Lanes => copy::lane(app, app.focus()),
        _ => copy::row(app, panel, app.focus()),
    };
    if text.trim().is_empty() {
        return String::new();
    }
    let zone = &app.store.incident.zone;
    format!("evidence (warroom {} {}): {text}", zone.format(app.at(), "%Y-%m-%d %H:%M"), zone.name)
}

/// Asks for a verdict of one's own.
pub fn verdict(app: &mut App) {
    match app.checks().get(app.focus()).map(|c| c.id.clone()) {
        Some(id) => prompt::open(app, PromptKind::Verdict(id)),
        None => app.say("there is no check in this row"),
    }
}

/// Records a verdict with its reason.
pub fn override_verdict(app: &mut App, check: &str, verdict: Option<Verdict>, reason: &str) -> Vec<Effect> {
    let reason = reason.trim();
    if reason.is_empty() {
        app.say("a reason is required: who reads this later must know why");
        return Vec::new();
    }
    let said = match verdict {
        Some(v) => format!("{check}: {} by {}: {}", word(v), shown(&app.who), shown(reason)),
        None => format!("{check}: the measured verdict again"),
    };
    app.say(&said);
    vec![Effect::Record(People::Override(Override {
        at: app.acted_at(),
        check: check.to_owned(),
        verdict,
        reason: Untrusted::from(reason),
        who: Untrusted::from(app.who.as_str()),
    }))]
}

/// A verdict in a word.
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supports => "supports",
        Verdict::Refutes => "refutes",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "no data",
    }
}

/// Verdicts that can be chosen, with the letter that chooses each; none is the measured one.
pub const VERDICTS: [(char, &str, Option<Verdict>); 4] = [
    ('s', "supports", Some(Verdict::Supports)),
    ('r', "refutes", Some(Verdict::Refutes)),
    ('i', "inconclusive", Some(Verdict::Inconclusive)),
    ('a', "auto: as measured", None),
];

/// Checkboxes to choose from when something is attached: those that match what was typed, unticked first.
pub fn candidates<'a>(app: &'a App, typed: &str) -> Vec<&'a Item> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let mut items: Vec<&Item> = app
        .note
        .items
        .iter()
        .filter(|i| {
            let text = i.text.raw().to_lowercase();
            words.iter().all(|w| text.contains(w))
        })
        .collect();
    items.sort_by_key(|i| i.ticked);
    items
}
