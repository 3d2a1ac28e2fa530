//! `update`: one message in, the state changed, effects out. Nothing else changes the state.

use crate::app::act::{self, answer};
use crate::app::command::{Id, Spot};
use crate::app::derive;
use crate::app::key::{Code, Key};
use crate::app::keymap::Found;
use crate::app::message::{Effect, Message, NoteWritten, People};
use crate::app::state::{App, Mode, Pending, Toast};
use crate::model::note::{ItemId, NoteText, Tick};
use crate::model::untrusted::shown;
use crate::model::{Batch, Lapse, Mark, MarkKind, Span, Stamp, Untrusted};
use crate::note::edit::Change;
use std::sync::Arc;

/// How long a toast stays.
const TOAST: Lapse = Lapse::seconds(4);
/// How many sentences are remembered.
const MESSAGES: usize = 500;

/// Takes in one message that happened at `now`; everything derived is made before it returns.
pub fn update(app: &mut App, now: Stamp, message: Message) -> Vec<Effect> {
    let is_facts = matches!(message, Message::Batch(_));
    let effects = react(app, now, message);
    if !is_facts {
        derive::settle(app);
    }
    effects
}

/// As [`update()`], but what takes long to derive is left for [`super::settle_piece`]: what a screen calls,
/// so that a key never waits for orders to be counted.
pub fn react(app: &mut App, now: Stamp, message: Message) -> Vec<Effect> {
    app.now = now;
    if app.toast.as_ref().is_some_and(|t| t.until <= now) {
        app.toast = None;
    }
    let effects = match message {
        Message::Batch(batch) => {
            take(app, &batch);
            derive::facts_came(app);
            return Vec::new();
        }
        Message::Past { span, batches } => past(app, span, batches),
        Message::Key(key) => {
            app.last_key = now;
            let key = key.normal();
            // A key that acts on rows acts on those of now, not on those of the frame before.
            let typing = app.prompt.is_some() && key.code != Code::Enter;
            if derive::unsettled(app) && !typing && !only_looks(key) {
                derive::settle(app);
            }
            press(app, key)
        }
        Message::Paste(text) => act::prompt::paste(app, &text),
        Message::Resize(width, height) => {
            act::time::resize(app, width, height);
            Vec::new()
        }
        Message::Tick => Vec::new(),
        Message::NoteSaved(result) => note_saved(app, result),
        Message::Copied(says) | Message::Said(says) => {
            app.say(&says);
            Vec::new()
        }
        Message::Played { at, ended } => {
            if ended && !app.ended {
                app.say("the recording is at its end; ← goes back, q leaves");
            }
            act::time::played(app, at);
            app.ended = ended;
            act::time::load_played(app)
        }
        Message::Recorder(state) => {
            if let Some(trouble) = state.trouble.as_ref().filter(|t| app.recorder.trouble.as_ref() != Some(t)) {
                let sentence = trouble.clone();
                app.say(&sentence);
            }
            if let Some(first) = state.damage.first().filter(|_| state.damage != app.recorder.damage) {
                let sentence = match state.damage.len() - 1 {
                    0 => format!("a part of the recording cannot be read: {first}"),
                    more => format!("parts of the recording cannot be read: {first}; and {more} more, on Sources"),
                };
                app.say(&shown(&sentence));
            }
            app.recorder = state;
            Vec::new()
        }
    };
    derive::hasten(app);
    effects.into_iter().chain(act::look::look(app)).collect()
}

/// Keys that move in time or between screens, and touch no row.
fn only_looks(key: Key) -> bool {
    matches!(
        key.code,
        Code::Left
            | Code::Right
            | Code::Home
            | Code::End
            | Code::Up
            | Code::Down
            | Code::Esc
            | Code::Backspace
            | Code::Tab
            | Code::BackTab
    ) || matches!(
        key.code,
        Code::Char('h' | 'l' | 'j' | 'k' | '1'..='6' | '+' | '-' | '=' | '_' | ' ' | '?' | ':' | 'b' | 'u')
    )
}

fn take(app: &mut App, batch: &Batch) {
    let window = app.store.incident.window;
    app.store.apply(batch);
    if app.store.incident.window == window || !app.zooms.is_empty() {
        return;
    }
    match app.mode {
        Mode::Replay => act::time::fit_incident(app),
        Mode::Live => act::time::open_on_the_past(app),
        Mode::Demo => {}
    }
}

fn past(app: &mut App, span: Span, batches: Result<Vec<Arc<Batch>>, String>) -> Vec<Effect> {
    app.loading.retain(|s| *s != span);
    let batches = match batches {
        Ok(batches) => batches,
        Err(says) => {
            app.unreadable.push(span);
            app.say(&says);
            return Vec::new();
        }
    };
    let facts: usize = batches.iter().map(|b| b.facts.len()).sum();
    app.store.insert_past(span, &batches);
    // Whoever plays through a gap sees it; whoever went there is told.
    if facts == 0 && app.in_the_past() {
        let zone = app.store.incident.zone.clone();
        app.say(&format!("nothing is recorded between {} and {}", zone.hm(span.from), zone.hm(span.to)));
    }
    Vec::new()
}

fn note_saved(app: &mut App, result: Result<NoteWritten, String>) -> Vec<Effect> {
    let pending = app.saving.take();
    let mut effects = Vec::new();
    // Live, the note's source reads what was written; a demo has none.
    if let (Ok(written), Mode::Demo) = (&result, &app.mode) {
        let at = app.acted_at();
        let name = app.store.note(at).map(|n| n.name.clone()).unwrap_or_default();
        let text = written.text.as_str().into();
        effects.push(Effect::Record(People::Note(NoteText { at, name, text })));
    }
    effects.extend(said_of(app, result, pending));
    effects
}

fn said_of(app: &mut App, result: Result<NoteWritten, String>, pending: Option<Pending>) -> Vec<Effect> {
    match result {
        Ok(NoteWritten { change: Change::Item(edit), .. }) => {
            let marks = pending.as_ref().map_or_else(Vec::new, |p| p.marks.clone());
            let text = pending.map_or_else(|| item_text(app, &edit.item), |p| p.text);
            let answered = edit.evidence.as_deref().is_some_and(answer::is_answer);
            let verb = match (edit.ticked, &edit.evidence) {
                (_, Some(_)) if answered => "answer written into the note",
                (true, None) => "ticked in the note",
                (true, Some(_)) => "written into the note with its evidence",
                (false, None) => "unticked in the note",
                (false, Some(_)) => "evidence written into the note",
            };
            app.say(&format!("{verb}: {}", shown(text.raw())));
            let tick = People::Tick(Tick {
                at: app.acted_at(),
                item: edit.item,
                text,
                ticked: edit.ticked,
                who: Untrusted::from(app.who.as_str()),
                evidence: edit.evidence.map(Untrusted::from),
            });
            std::iter::once(tick).chain(marks.into_iter().map(People::Mark)).map(Effect::Record).collect()
        }
        Ok(NoteWritten { change: Change::Answer(_), .. }) => answer::written(app, pending),
        Ok(NoteWritten { change: Change::Status(status), .. }) => {
            app.say(&format!("the note's status is {} now", shown(&status)));
            let text = Untrusted::from(format!("status: {status}"));
            let who = Untrusted::from(app.who.as_str());
            vec![Effect::Record(People::Mark(Mark { at: app.acted_at(), kind: MarkKind::Note, text, who }))]
        }
        Err(sentence) => {
            app.say(&sentence);
            Vec::new()
        }
    }
}

fn item_text(app: &App, id: &ItemId) -> Untrusted {
    let item = app.note.items.iter().find(|i| i.id == *id);
    item.map(|i| i.text.clone()).unwrap_or_default()
}

fn press(app: &mut App, key: Key) -> Vec<Effect> {
    if app.locked {
        unlock(app, key);
        return Vec::new();
    }
    if key == Key::ctrl('c') {
        return interrupt(app);
    }
    app.interrupted = None;
    if app.prompt.is_some() {
        return act::prompt::press(app, key);
    }
    if app.pending.is_some() {
        return act::note::answer(app, key);
    }
    if app.leaving {
        app.leaving = false;
        if matches!(key.code, Code::Char('y' | 'q') | Code::Enter) {
            return vec![Effect::Quit];
        }
        return Vec::new();
    }
    if app.help
        && !matches!(app.keymap.find(None, key, Spot::of(app)), Found::Command(Id::Help | Id::Back | Id::Repaint))
    {
        return act::help_key(app, key);
    }
    let prefix = app.prefix.take();
    match app.keymap.find(prefix, key, Spot::of(app)) {
        Found::Command(id) => act::perform(app, id, Some(key)),
        Found::Prefix => {
            app.prefix = Some(key);
            Vec::new()
        }
        Found::Nothing => {
            let typed = prefix.into_iter().chain([key]).map(Key::shown).collect::<Vec<_>>().join(" ");
            app.say(&format!("{typed} does nothing here; ? shows the keys"));
            Vec::new()
        }
    }
}

fn unlock(app: &mut App, key: Key) {
    let asked = std::mem::take(&mut app.unlocking);
    match key.code {
        Code::Char('L') => {
            app.unlocking = true;
            app.say("unlock the keys? y unlocks");
        }
        Code::Char('y') if asked => {
            app.locked = false;
            app.say("keys unlocked");
        }
        _ => app.say("the keys are locked for viewers; L and then y unlocks"),
    }
}

fn interrupt(app: &mut App) -> Vec<Effect> {
    let twice = app.interrupted.is_some_and(|t| app.now.since(t) <= Lapse::seconds(2));
    if twice {
        return vec![Effect::Quit];
    }
    app.interrupted = Some(app.now);
    app.prompt = None;
    app.pending = None;
    app.prefix = None;
    app.leaving = false;
    app.say("Ctrl-C again leaves");
    Vec::new()
}

impl App {
    /// Shows a sentence for a few seconds and remembers it.
    pub fn say(&mut self, text: &str) {
        self.toast = Some(Toast { text: text.to_owned(), until: self.now + TOAST });
        self.messages.push((self.now, text.to_owned()));
        let over = self.messages.len().saturating_sub(MESSAGES);
        self.messages.drain(..over);
    }
}
