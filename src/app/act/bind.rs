//! Binding a checkbox to what answers it: a rule, a series, or a person. It holds in the recording; a file of rules
//! keeps it for the next start, and what that file needs is copied along.

use crate::analysis::check::rulebook::Rulebook;
use crate::app::act::{note, prompt};
use crate::app::message::{Effect, People};
use crate::app::state::{App, PromptKind};
use crate::model::Untrusted;
use crate::model::note::{Binding, Bound, ItemId};
use crate::model::untrusted::shown;

/// Something a checkbox can be bound to.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What.
    pub to: Bound,
    /// Its name: `D3`, `mrg.lock_waits`.
    pub name: String,
    /// What it says.
    pub says: String,
}

/// Asks what shall answer the focused checkbox.
pub fn ask(app: &mut App) {
    match note::focused_item(app) {
        Some(item) => prompt::open(app, PromptKind::Bind(item.id, item.text)),
        None => app.say("this check has no checkbox in the note to be bound"),
    }
}

/// What has all the typed words: nothing of ours first, then rules, then series.
pub fn candidates(app: &App, typed: &str) -> Vec<Candidate> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let (book, _) = Rulebook::of(&app.store.incident.rule_files);
    let fixed = [
        (Bound::Words, "as the words say", "the rule that its words find, or a person where there is none"),
        (Bound::Person, "a person", "no rule answers it; v and A do"),
    ];
    let fixed = fixed.map(|(to, name, says)| Candidate { to, name: name.to_owned(), says: says.to_owned() });
    let rules = book.listed().filter(|r| !r.measure.is_empty()).map(|r| Candidate {
        to: Bound::Rule(r.id.clone()),
        says: format!("{} · {}", if r.title.is_empty() { r.measure } else { &r.title }, r.says),
        name: r.id,
    });
    let series = app.store.series_names().map(|name| Candidate {
        to: Bound::Series(name.to_string()),
        name: name.to_string(),
        says: "the series as it is measured, without a verdict".to_owned(),
    });
    let fits = |c: &Candidate| {
        let text = format!("{} {}", c.name, c.says).to_lowercase();
        words.iter().all(|w| text.contains(w.as_str()))
    };
    fixed.into_iter().chain(rules).chain(series).filter(fits).collect()
}

/// Binds the checkbox to the candidate in a row.
pub fn choose(app: &mut App, item: &ItemId, typed: &str, row: usize) -> Vec<Effect> {
    let Some(chosen) = candidates(app, typed).into_iter().nth(row) else {
        app.say("no rule and no series has these words");
        return Vec::new();
    };
    let Some(found) = app.note.items.iter().find(|i| i.id == *item) else {
        app.say(&note::gone());
        return Vec::new();
    };
    let words = quoted(&found.text);
    let keep = match &chosen.to {
        Bound::Rule(id) => format!("[[rule]]\nid = \"{id}\"\nfinds = {words}\n"),
        Bound::Series(name) => format!(
            "[[rule]]\nid = \"{}\"\nmeasure = \"series\"\nseries = \"{name}\"\nfinds = {words}\n# supports_at = 10\n",
            item.0.chars().take(5).collect::<String>()
        ),
        Bound::Person | Bound::Words => String::new(),
    };
    let what = shown(found.text.raw());
    let mut effects = Vec::new();
    if keep.is_empty() {
        app.say(&format!("{what}: {}", chosen.name));
    } else {
        app.say(&format!(
            "{what}: answered by {}; what a file in [rules] files needs to keep it was copied",
            chosen.name
        ));
        effects.push(Effect::Copy(keep));
    }
    let who = Untrusted::from(app.who.as_str());
    let binding = Binding { at: app.acted_at(), item: item.clone(), to: chosen.to, who };
    effects.push(Effect::Record(People::Bind(binding)));
    effects
}

/// The words as TOML, one line, without what divides alternatives.
fn quoted(text: &Untrusted) -> String {
    let words: String = text.raw().to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    format!("\"{}\"", words.split_whitespace().collect::<Vec<_>>().join(" "))
}
