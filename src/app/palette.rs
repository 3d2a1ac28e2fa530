//! The palette: every command by name, found with a few letters in any place of it.

use crate::app::act::drill;
use crate::app::command::{COMMANDS, Command, Id, Spot};
use crate::app::hint;
use crate::app::state::{App, Mode};
use crate::model::incident::CAUSES;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};

/// One line of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// What it runs.
    pub id: Id,
    /// What stands in the prompt when it is completed.
    pub text: String,
    /// What it takes after that; empty when nothing.
    pub takes: &'static str,
    /// What it does, with the number it would give where one is known.
    pub does: String,
    /// Its keys here, as shown; empty when it has none.
    pub keys: String,
}

/// A command written out, and what stands after its name.
pub fn exact(typed: &str) -> Option<(&'static Command, &str)> {
    let typed = typed.trim();
    let fits = |c: &&Command| {
        typed
            .strip_prefix(c.name)
            .is_some_and(|rest| rest.is_empty() || (rest.starts_with(char::is_whitespace) && !c.takes.is_empty()))
    };
    let command = COMMANDS.iter().filter(fits).max_by_key(|c| c.name.len())?;
    Some((command, typed[command.name.len()..].trim()))
}

/// Commands that fit what was typed, best first. With nothing typed, those that work here.
pub fn suggestions(app: &App, typed: &str) -> Vec<Suggestion> {
    let typed = typed.trim_start();
    if let Some((command, _)) =
        exact(typed).filter(|(c, rest)| !c.takes.is_empty() && (!rest.is_empty() || typed.ends_with(' ')))
    {
        return arguments(app, command, typed);
    }
    let spot = Spot::of(app);
    let all = COMMANDS.iter().filter(|c| useful(app, c));
    if typed.is_empty() {
        return all.filter(|c| c.places.has(spot)).map(|c| suggestion(app, c)).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut scored: Vec<(u32, &Command)> = all
        .filter_map(|c| {
            let mut buffer = Vec::new();
            let name = pattern.score(nucleo_matcher::Utf32Str::new(c.name, &mut buffer), &mut matcher).map(|s| s * 3);
            let mut buffer = Vec::new();
            let does = pattern.score(nucleo_matcher::Utf32Str::new(c.does, &mut buffer), &mut matcher);
            name.max(does).map(|s| (s, c))
        })
        .collect();
    scored.sort_by_key(|(score, c)| (std::cmp::Reverse(*score), !c.places.has(spot)));
    scored.into_iter().map(|(_, c)| suggestion(app, c)).collect()
}

fn useful(app: &App, c: &Command) -> bool {
    match c.id {
        Id::Pace | Id::Seek => app.mode != Mode::Live,
        Id::Interrupt => false,
        _ => true,
    }
}

fn suggestion(app: &App, c: &'static Command) -> Suggestion {
    Suggestion { id: c.id, text: c.name.to_owned(), takes: c.takes, does: effect(app, c), keys: hint::keys(app, c.id) }
}

/// What a command does, with its number.
fn effect(app: &App, c: &Command) -> String {
    match c.id {
        Id::Enter => drill::target(app).map_or_else(|| c.does.to_owned(), |t| hint::target_words(app, &t)),
        Id::StuckOrders => format!("{} stuck orders of the window", hint::count(app.derived.standing.stuck)),
        _ => c.does.to_owned(),
    }
}

/// What can stand after a command's name.
fn arguments(app: &App, command: &'static Command, typed: &str) -> Vec<Suggestion> {
    let rest = typed[command.name.len()..].trim().to_lowercase();
    let zone = &app.store.incident.zone;
    let values: Vec<(String, String)> = match command.id {
        Id::Database => app.database_names().into_iter().map(|n| (n.to_owned(), "this database".to_owned())).collect(),
        Id::Glyphs => ["unicode", "ascii", "braille"].map(|n| (n.to_owned(), String::new())).to_vec(),
        Id::Goto | Id::Seek => ["onset", "peak", "recovery", "stuck", "now"]
            .iter()
            .filter_map(|n| {
                let at = crate::app::act::prompt::instant(app, n).ok()?;
                Some(((*n).to_owned(), zone.hms(at)))
            })
            .collect(),
        Id::Status => {
            ["investigating", "mitigated", "monitoring", "resolved"].map(|s| (s.to_owned(), String::new())).to_vec()
        }
        Id::Conclude => CAUSES.map(|(c, meaning)| (c.to_owned(), meaning.to_owned())).to_vec(),
        Id::Pace => ["0", "1", "10", "60", "600"].map(|n| (n.to_owned(), "seconds in a second".to_owned())).to_vec(),
        _ => Vec::new(),
    };
    let fits = values.into_iter().filter(|(v, _)| rest.is_empty() || v.to_lowercase().starts_with(&rest));
    let mut out: Vec<Suggestion> = fits
        .map(|(value, does)| Suggestion {
            id: command.id,
            text: format!("{} {value}", command.name),
            takes: "",
            does,
            keys: String::new(),
        })
        .collect();
    if out.is_empty() {
        out.push(suggestion(app, command));
    }
    out
}
