//! The help and `warroom keys`, made from the command table and the keys in force.

use crate::app::command::{COMMANDS, Command, Group, Places, Spot};
use crate::app::keymap::{Keymap, shown};
use crate::app::state::App;

/// One line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Keys as shown, two spaces between alternatives.
    pub keys: String,
    /// What they do.
    pub does: &'static str,
    /// Whether they do something in the place in front.
    pub here: bool,
}

/// The help, group by group, in the table's order. The view lays it out.
pub fn groups(app: &App) -> Vec<(Group, Vec<Line>)> {
    let spot = Spot::of(app);
    Group::ALL
        .iter()
        .map(|group| {
            let commands = COMMANDS.iter().filter(|c| c.group == *group);
            let lines = commands.filter_map(|c| line(&app.keymap, c, spot)).collect();
            (*group, lines)
        })
        .collect()
}

fn line(keymap: &Keymap, c: &'static Command, spot: Spot) -> Option<Line> {
    let keys = all_keys(keymap, c);
    (!keys.is_empty()).then(|| Line { keys, does: c.does, here: c.places.has(spot) })
}

fn all_keys(keymap: &Keymap, c: &Command) -> String {
    keymap.bindings_of(c.id).map(|b| shown(&b.keys)).collect::<Vec<_>>().join("  ")
}

/// How many lines the help has at most, for scrolling.
pub fn length() -> usize {
    COMMANDS.len() + 2 * Group::ALL.len()
}

/// How to read what a screen shows: sign and meaning, in the order of the help.
pub const READING: &[(&str, &str)] = &[
    ("▅▆▇", "inside the normal band, in the colour of bars; outside it in the other colour"),
    ("▁", "zero, measured"),
    ("blind", "a gap: no sample; its reason is in 6 Sources"),
    ("·", "not measured yet: this source is late"),
    ("~", "sampled: there are more lines than were counted"),
    ("│", "the cursor, the same instant on every screen"),
    ("▲ ◆ ▼", "spike: onset, peak, recovery"),
    ("↓", "on a lane: it left its band here"),
    ("D A N S", "deployment or change, alarm, note of a person, first stuck order"),
    ("!", "broken at the instant shown"),
    ("+ − ? ○", "a check supports, refutes, is inconclusive, has no data"),
    ("jt", "juta, a million rupiah; 1,284 is one thousand two hundred eighty-four"),
    ("T+", "time since the onset"),
    ("est.", "an estimate; sampled marks a sample; no data is never a zero"),
];

/// A row of `warroom keys`: name, keys, where they work, what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Heading.
    pub group: &'static str,
    /// Name, with what it takes.
    pub name: String,
    /// Keys in the syntax of the configuration, separated by two spaces; empty when the palette alone has it.
    pub keys: String,
    /// `everywhere`, or the places.
    pub places: String,
    /// What it does.
    pub does: &'static str,
}

/// The whole table, in the order of the help.
pub fn key_table(keymap: &Keymap) -> Vec<KeyRow> {
    let mut rows = Vec::new();
    for group in Group::ALL {
        for c in COMMANDS.iter().filter(|c| c.group == group) {
            let takes = if c.takes.is_empty() { String::new() } else { format!(" {}", c.takes) };
            let keys = keymap.bindings_of(c.id).map(|b| crate::app::keymap::written(&b.keys));
            rows.push(KeyRow {
                group: group.title(),
                name: format!("{}{takes}", c.name),
                keys: keys.collect::<Vec<_>>().join("  "),
                places: place_names(c.places),
                does: c.does,
            });
        }
    }
    rows
}

fn place_names(places: Places) -> String {
    if places == Places::ALL {
        return "everywhere".to_owned();
    }
    let (here, rest): (Vec<Spot>, Vec<Spot>) = Spot::ALL.iter().partition(|s| places.has(**s));
    if rest.len() < here.len() {
        return format!("not {}", rest.iter().map(|s| s.name()).collect::<Vec<_>>().join(", "));
    }
    here.iter().map(|s| s.name()).collect::<Vec<_>>().join(", ")
}
