//! Questions at the bottom of the screen: typing, suggestions, and what an answer does.

use crate::app::act::{self, answer, bind, drill, list, note, session, time};
use crate::app::command::{self, Id};
use crate::app::filter::Filter;
use crate::app::key::{Code, Key};
use crate::app::message::{Effect, People};
use crate::app::palette;
use crate::app::state::{App, Mode, Place, Prompt, PromptKind};
use crate::model::incident::{CAUSES, CONCLUDED};
use crate::model::untrusted::shown;
use crate::model::{Mark, MarkKind, Span, Stamp, Untrusted};
use tui_input::{Input, InputRequest};

/// A line typed or pasted is cut here, in characters.
const LONGEST: usize = 2_000;

/// Opens a prompt; a filter or a search begins with what it was.
pub fn open(app: &mut App, kind: PromptKind) {
    let text = match &kind {
        PromptKind::Filter => app.filter.clone(),
        _ => String::new(),
    };
    app.prompt = Some(Prompt { kind, input: Input::new(text), row: 0 });
}

/// Opens the palette with a command's name, waiting for what it takes.
pub fn begin(app: &mut App, id: Id) {
    let text = format!("{} ", id.command().name);
    app.prompt = Some(Prompt { kind: PromptKind::Command, input: Input::new(text), row: 0 });
}

/// Pasted text goes into the prompt as one line; anywhere else it is data nobody asked for.
pub fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    let locked = app.locked;
    let Some(prompt) = app.prompt.as_mut().filter(|_| !locked) else {
        app.say("paste is ignored here; open a prompt first: / f a or :");
        return Vec::new();
    };
    if matches!(prompt.kind, PromptKind::Verdict(_)) {
        app.say("paste is ignored here; choose with a letter");
        return Vec::new();
    }
    let line: String = text.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for c in line.chars() {
        type_in(&mut prompt.input, InputRequest::InsertChar(c));
    }
    changed(app);
    Vec::new()
}

fn type_in(input: &mut Input, request: InputRequest) {
    let insert = matches!(request, InputRequest::InsertChar(_));
    if !insert || input.value().chars().count() < LONGEST {
        input.handle(request);
    }
}

/// A key while a prompt is open.
pub fn press(app: &mut App, key: Key) -> Vec<Effect> {
    let Some(prompt) = app.prompt.as_ref() else { return Vec::new() };
    if let PromptKind::Verdict(check) = &prompt.kind {
        let check = check.clone();
        return choose_verdict(app, &check, key);
    }
    match key.code {
        Code::Esc => {
            close(app);
            return Vec::new();
        }
        Code::Enter => return entered(app),
        Code::Up => return suggestion(app, -1),
        Code::Down => return suggestion(app, 1),
        Code::Tab => return complete(app),
        _ => {}
    }
    if key.code == Code::Backspace && prompt.input.value().is_empty() {
        close(app);
        return Vec::new();
    }
    if let (Some(request), Some(prompt)) = (request(key), app.prompt.as_mut()) {
        type_in(&mut prompt.input, request);
        changed(app);
    }
    Vec::new()
}

fn request(key: Key) -> Option<InputRequest> {
    Some(match (key.code, key.ctrl) {
        (Code::Char('u'), true) => InputRequest::DeleteLine,
        (Code::Char('w'), true) => InputRequest::DeletePrevWord,
        (Code::Char('k'), true) => InputRequest::DeleteTillEnd,
        (Code::Char(c), false) => InputRequest::InsertChar(c),
        (Code::Backspace, _) => InputRequest::DeletePrevChar,
        (Code::Delete, _) => InputRequest::DeleteNextChar,
        (Code::Left, _) => InputRequest::GoToPrevChar,
        (Code::Right, _) => InputRequest::GoToNextChar,
        (Code::Home, _) => InputRequest::GoToStart,
        (Code::End, _) => InputRequest::GoToEnd,
        _ => return None,
    })
}

/// A filter is felt while it is typed.
fn changed(app: &mut App) {
    let Some(prompt) = app.prompt.as_mut() else { return };
    prompt.row = 0;
    if prompt.kind == PromptKind::Filter {
        let text = prompt.input.value().to_owned();
        if Filter::parse(&text).is_ok() {
            app.filter = text;
        }
    }
}

fn close(app: &mut App) {
    app.prompt = None;
}

fn suggestion(app: &mut App, by: i64) -> Vec<Effect> {
    let n = match app.prompt.as_ref().map(|p| (&p.kind, p.input.value())) {
        Some((PromptKind::Command, typed)) => palette::suggestions(app, typed).len(),
        Some((PromptKind::Attach(_), typed)) => note::candidates(app, typed).len(),
        Some((PromptKind::Bind(..), typed)) => bind::candidates(app, typed).len(),
        _ => 0,
    };
    if let Some(prompt) = app.prompt.as_mut() {
        prompt.row = (prompt.row as i64 + by).clamp(0, (n as i64 - 1).max(0)) as usize;
    }
    Vec::new()
}

fn complete(app: &mut App) -> Vec<Effect> {
    let Some(prompt) = app.prompt.as_ref().filter(|p| p.kind == PromptKind::Command) else { return Vec::new() };
    let found = palette::suggestions(app, prompt.input.value());
    if let Some(s) = found.get(prompt.row) {
        let text = if s.takes.is_empty() { s.text.clone() } else { format!("{} ", s.text) };
        if let Some(prompt) = app.prompt.as_mut() {
            prompt.input = Input::new(text);
            prompt.row = 0;
        }
    }
    Vec::new()
}

fn choose_verdict(app: &mut App, check: &str, key: Key) -> Vec<Effect> {
    match key.code {
        Code::Esc | Code::Backspace | Code::Char('q') => close(app),
        Code::Char(c) => {
            if let Some((_, _, verdict)) = note::VERDICTS.iter().find(|(letter, ..)| *letter == c) {
                open(app, PromptKind::Reason(check.to_owned(), *verdict));
            }
        }
        _ => {}
    }
    Vec::new()
}

fn entered(app: &mut App) -> Vec<Effect> {
    let Some(prompt) = app.prompt.take() else { return Vec::new() };
    let typed = prompt.input.value().trim().to_owned();
    match &prompt.kind {
        PromptKind::Command => run(app, &typed, prompt.row),
        PromptKind::Search => {
            if !typed.is_empty() {
                app.search = typed;
            }
            list::search(app, 1);
            Vec::new()
        }
        PromptKind::Filter => {
            set_filter(app, &typed);
            Vec::new()
        }
        PromptKind::Note => add_note(app, &typed),
        PromptKind::Range => {
            let said = window(app, &typed);
            retry(app, prompt, said);
            Vec::new()
        }
        PromptKind::Reason(check, verdict) => {
            let (check, verdict) = (check.clone(), *verdict);
            let effects = note::override_verdict(app, &check, verdict, &typed);
            if effects.is_empty() {
                app.prompt = Some(prompt);
            }
            effects
        }
        PromptKind::Attach(words) => {
            let words = words.clone();
            attach(app, &words, &typed, prompt.row);
            Vec::new()
        }
        PromptKind::Answer(asked, question) => {
            let (asked, question) = (asked.clone(), question.clone());
            if !answer::propose(app, &asked, &question, &typed) {
                app.prompt = Some(prompt);
            }
            Vec::new()
        }
        PromptKind::Bind(item, _) => {
            let item = item.clone();
            bind::choose(app, &item, &typed, prompt.row)
        }
        PromptKind::Verdict(_) => Vec::new(),
    }
}

/// A sentence about what was typed keeps the prompt open, so that it can be mended.
fn retry(app: &mut App, prompt: Prompt, said: Result<(), String>) {
    if let Err(sentence) = said {
        app.say(&sentence);
        app.prompt = Some(prompt);
    }
}

fn set_filter(app: &mut App, typed: &str) {
    match Filter::parse(typed) {
        Ok(_) => typed.clone_into(&mut app.filter),
        Err(sentence) => app.say(&sentence),
    }
}

fn attach(app: &mut App, words: &str, typed: &str, row: usize) {
    let Some(item) = note::candidates(app, typed).get(row).map(|i| (*i).clone()) else {
        app.say("no checkbox of the note has these words");
        return;
    };
    let line = Some(words.to_owned());
    note::propose(app, &item, item.ticked, line.clone(), line);
}

/// What the team takes for the cause, as a remark at the newest instant known: the last one counts.
fn conclude(app: &mut App, typed: &str) -> Vec<Effect> {
    let mut causes = Vec::new();
    for word in typed.split([',', ' ']).filter(|w| !w.is_empty()) {
        let Some((cause, _)) = CAUSES.iter().find(|(c, _)| c.eq_ignore_ascii_case(word)) else {
            let known = CAUSES.map(|(c, _)| c).join(", ");
            app.say(&format!("{} is none of {known}", shown(word)));
            return Vec::new();
        };
        causes.push(*cause);
    }
    if causes.is_empty() {
        let known = CAUSES.map(|(c, meaning)| format!("{c} {meaning}")).join(" · ");
        app.say(&format!("conclude what: {known}"));
        return Vec::new();
    }
    let Some(at) = app.played.or((app.mode == Mode::Live).then_some(app.now)) else {
        app.say("nothing has been played yet: there is nothing to conclude from");
        return Vec::new();
    };
    let text = format!("{CONCLUDED}{}", causes.join(", "));
    app.say(&format!("{text}, at {}", app.store.incident.zone.hms(at)));
    let (text, who) = (Untrusted::from(text), Untrusted::from(app.who.as_str()));
    vec![Effect::Record(People::Mark(Mark { at, kind: MarkKind::Note, text, who }))]
}

fn add_note(app: &mut App, text: &str) -> Vec<Effect> {
    if text.is_empty() {
        app.say("an empty note is not kept");
        return Vec::new();
    }
    let at = app.at();
    let when = app.store.incident.zone.hms(at);
    app.say(&format!("noted at {when}: {}", shown(text)));
    let text = Untrusted::from(text);
    let who = Untrusted::from(app.who.as_str());
    vec![Effect::Record(People::Mark(Mark { at, kind: MarkKind::Note, text, who }))]
}

/// Runs what was typed into the palette, or the suggestion in focus.
fn run(app: &mut App, typed: &str, row: usize) -> Vec<Effect> {
    if typed == "q" {
        return vec![Effect::Quit];
    }
    if let Some((command, argument)) = palette::exact(typed) {
        return with_argument(app, command.id, argument);
    }
    let Some(found) = palette::suggestions(app, typed).into_iter().nth(row) else {
        app.say(&format!("no command is called {}", shown(typed)));
        return Vec::new();
    };
    match palette::exact(&found.text) {
        Some((command, argument)) => with_argument(app, command.id, argument),
        None => act::perform(app, found.id, None),
    }
}

/// Runs a command with what was typed after its name.
fn with_argument(app: &mut App, id: Id, argument: &str) -> Vec<Effect> {
    if id.command().takes.is_empty() || argument.is_empty() {
        return without_argument(app, id);
    }
    let said = match id {
        Id::Goto => match instant(app, argument) {
            Ok(at) => return time::go(app, at),
            Err(sentence) => Err(sentence),
        },
        Id::TypeRange => window(app, argument),
        Id::Seek => match instant(app, argument) {
            Ok(at) => return session::seek(app, Some(at)),
            Err(sentence) => Err(sentence),
        },
        Id::Pace => return session::pace(app, argument),
        Id::Glyphs => return session::glyphs(app, argument),
        Id::AddNote => return add_note(app, argument.trim_matches('"')),
        Id::Conclude => return conclude(app, argument),
        Id::Status => {
            note::status(app, argument);
            Ok(())
        }
        Id::Filter => {
            set_filter(app, argument);
            Ok(())
        }
        Id::Search => {
            argument.clone_into(&mut app.search);
            list::search(app, 1);
            Ok(())
        }
        Id::Database => database(app, argument),
        Id::Order => {
            drill::order(app, argument);
            Ok(())
        }
        _ => return act::perform(app, id, None),
    };
    if let Err(sentence) = said {
        app.say(&sentence);
    }
    Vec::new()
}

fn without_argument(app: &mut App, id: Id) -> Vec<Effect> {
    if id == Id::Database {
        drill::screen(app, crate::app::state::Screen::Database);
        return Vec::new();
    }
    let spot = command::Spot::of(app);
    if !id.command().places.has(spot) {
        let name = id.command().name;
        app.say(&format!("`{name}` does nothing in {}", spot.name()));
        return Vec::new();
    }
    act::perform(app, id, None)
}

fn database(app: &mut App, name: &str) -> Result<(), String> {
    let names = app.database_names();
    let found = names.iter().position(|n| n.eq_ignore_ascii_case(name));
    let Some(i) = found else {
        return Err(format!("there is no database {}; there are {}", shown(name), names.join(", ")));
    };
    app.database = i;
    if *app.place() != Place::Top(crate::app::state::Screen::Database) {
        drill::screen(app, crate::app::state::Screen::Database);
    }
    Ok(())
}

/// `19:31`, `19:31:08`, `2025-01-12T19:31:00+07:00`, `onset`, `peak`, `recovery`, `stuck`, `now`.
///
/// # Errors
/// A sentence when it is none of these.
pub fn instant(app: &App, text: &str) -> Result<Stamp, String> {
    let spike = app.derived.spike.as_ref();
    let none = |what: &str| format!("no {what} was found in this window");
    match text.trim() {
        "now" | "live" => Ok(app.newest()),
        "onset" => spike.map(|s| s.onset).ok_or_else(|| none("onset")),
        "peak" => spike.map(|s| s.peak.0).ok_or_else(|| none("peak")),
        "recovery" => spike.and_then(|s| s.recovery).ok_or_else(|| none("recovery")),
        "stuck" | "first stuck" => app.derived.first_stuck.as_ref().map(|f| f.1).ok_or_else(|| none("stuck order")),
        clock => {
            let day = app.at();
            let zone = &app.store.incident.zone;
            Stamp::parse_rfc3339(clock).or_else(|| zone.on_day(day, clock)).ok_or_else(|| {
                format!("`{}` is no time; write 19:31, 19:31:08, onset, peak, recovery or now", shown(clock))
            })
        }
    }
}

fn window(app: &mut App, text: &str) -> Result<(), String> {
    let clean = text.replace(['–', '…'], " ").replace(" - ", " ").replace("to ", " ");
    let parts: Vec<&str> = clean.split_whitespace().collect();
    let [from, to] = parts[..] else {
        return Err("write from and to: 19:24 20:41".to_owned());
    };
    let (from, to) = (instant(app, from)?, instant(app, to)?);
    if from >= to {
        return Err("the end must come after the start".to_owned());
    }
    time::set_window(app, Span::new(from, to));
    Ok(())
}
