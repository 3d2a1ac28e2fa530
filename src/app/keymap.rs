//! Which key means which command where: the table's defaults with the operator's own keys over them.

use crate::app::command::{self, COMMANDS, Id, LOCAL_KEYS, Places, Spot};
use crate::app::key::Key;
use std::collections::BTreeMap;

/// One binding: one key, or two typed one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The keys.
    pub keys: Vec<Key>,
    /// What they mean.
    pub id: Id,
    /// Where.
    pub places: Places,
}

/// What a key turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A command.
    Command(Id),
    /// The first of two keys.
    Prefix,
    /// Nothing here.
    Nothing,
}

/// All bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut bindings = Vec::new();
        for c in COMMANDS {
            bindings.extend(c.keys.iter().filter_map(|k| binding(k, c.id, c.places).ok()));
        }
        for (keys, id, places) in LOCAL_KEYS {
            bindings.extend(binding(keys, *id, *places));
        }
        Self { bindings }
    }
}

impl Keymap {
    /// The defaults with `overrides` (command name to keys; no keys unbind it) over them. A key given to
    /// a command is taken from the commands that had it by default.
    ///
    /// # Errors
    /// A sentence for every unknown command, every text that is no key or a forbidden one, and every key
    /// given to two commands that meet in one place.
    pub fn new(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut own = Vec::new();
        let mut named = Vec::new();
        for (name, keys) in overrides {
            let Some(c) = command::by_name(name) else {
                problems.push(unknown(name));
                continue;
            };
            if c.id == Id::Interrupt {
                problems
                    .push("`interrupt` keeps ctrl-c: it is the way out that always works; remove the line".to_owned());
                continue;
            }
            named.push(c.id);
            for text in keys {
                match binding(text, c.id, c.places) {
                    Ok(b) if b.keys == [Key::ctrl('c')] => {
                        problems.push(format!("`{name}` cannot have ctrl-c: it is the way out that always works"));
                    }
                    Ok(b) => own.push(b),
                    Err(why) => problems.push(format!("`{name}`: {why}")),
                }
            }
        }
        problems.extend(clashes(&own));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut bindings = Self::default().bindings;
        bindings.retain(|b| !named.contains(&b.id) && !own.iter().any(|o| collide(o, b)));
        bindings.extend(own);
        Ok(Self { bindings })
    }

    /// What `key` means at `spot` after `prefix`.
    pub fn find(&self, prefix: Option<Key>, key: Key, spot: Spot) -> Found {
        let here = self.bindings.iter().filter(|b| b.places.has(spot));
        let typed: Vec<Key> = prefix.into_iter().chain([key]).collect();
        let mut first_of_two = false;
        for b in here {
            if b.keys == typed {
                return Found::Command(b.id);
            }
            first_of_two |= b.keys.len() > typed.len() && b.keys.starts_with(&typed);
        }
        if first_of_two { Found::Prefix } else { Found::Nothing }
    }

    /// Keys of a command at a spot, in order of preference.
    pub fn keys_of(&self, id: Id, spot: Spot) -> impl Iterator<Item = &[Key]> {
        self.bindings.iter().filter(move |b| b.id == id && b.places.has(spot)).map(|b| b.keys.as_slice())
    }

    /// All bindings of a command.
    pub fn bindings_of(&self, id: Id) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |b| b.id == id)
    }

    /// Pairs of bindings that cannot both work: same keys, or one the beginning of the other, in one place.
    pub fn conflicts(&self) -> Vec<(&Binding, &Binding)> {
        let mut out = Vec::new();
        for (i, a) in self.bindings.iter().enumerate() {
            out.extend(self.bindings[i + 1..].iter().filter(|b| collide(a, b)).map(|b| (a, b)));
        }
        out
    }
}

fn binding(text: &str, id: Id, places: Places) -> Result<Binding, String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.is_empty() || parts.len() > 2 {
        return Err(format!("`{text}` must be one key, or two with a space between"));
    }
    let keys = parts.iter().map(|p| Key::parse(p)).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    Ok(Binding { keys, id, places })
}

fn collide(a: &Binding, b: &Binding) -> bool {
    a.id != b.id && a.places.meets(b.places) && (a.keys.starts_with(&b.keys) || b.keys.starts_with(&a.keys))
}

fn clashes(own: &[Binding]) -> Vec<String> {
    let mut out = Vec::new();
    for (i, a) in own.iter().enumerate() {
        for b in own[i + 1..].iter().filter(|b| collide(a, b)) {
            let (x, y) = (a.id.command().name, b.id.command().name);
            out.push(format!("`{}` is given to both `{x}` and `{y}`, which work in the same place", written(&a.keys)));
        }
    }
    out
}

/// As in the configuration: `t b`.
pub fn written(keys: &[Key]) -> String {
    keys.iter().map(|k| k.name()).collect::<Vec<_>>().join(" ")
}

/// As shown to people: `t b`, `⇧←`.
pub fn shown(keys: &[Key]) -> String {
    keys.iter().map(|k| k.shown()).collect::<Vec<_>>().join(" ")
}

fn unknown(name: &str) -> String {
    let nearest = COMMANDS.iter().map(|c| (distance(name, c.name), c.name)).min();
    match nearest {
        Some((d, near)) if d <= 3 => format!("`{name}` is not a command; did you mean `{near}`?"),
        _ => format!("`{name}` is not a command; `warroom keys` lists them"),
    }
}

/// Edit distance, for "did you mean".
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(n, k)| ((*n).to_owned(), k.iter().map(|k| (*k).to_owned()).collect())).collect()
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let map = Keymap::default();
        let said: Vec<String> =
            map.conflicts().iter().map(|(a, b)| format!("{}: {:?} {:?}", written(&a.keys), a.id, b.id)).collect();
        assert_eq!(said, Vec::<String>::new());
    }

    #[test]
    fn every_default_key_can_be_written_in_a_configuration() {
        for c in COMMANDS {
            for k in c.keys {
                assert!(binding(k, c.id, c.places).is_ok(), "{k} of {}", c.name);
            }
        }
    }

    #[test]
    fn two_keys_are_found_one_after_the_other() {
        let map = Keymap::default();
        assert_eq!(map.find(None, Key::char('t'), Spot::Timeline), Found::Prefix);
        assert_eq!(map.find(Some(Key::char('t')), Key::char('b'), Spot::Timeline), Found::Command(Id::ShowBaseline));
        assert_eq!(map.find(Some(Key::char('t')), Key::char('x'), Spot::Timeline), Found::Nothing);
    }

    #[test]
    fn a_key_may_mean_different_things_in_different_places() {
        let map = Keymap::default();
        assert_eq!(map.find(None, Key::char('v'), Spot::Timeline), Found::Command(Id::Select));
        assert_eq!(map.find(None, Key::char('v'), Spot::Checks), Found::Command(Id::Verdict));
        assert_eq!(map.find(None, Key::char('-'), Spot::Timeline), Found::Command(Id::ZoomOut));
        assert_eq!(map.find(None, Key::char('-'), Spot::Trail), Found::Command(Id::LastView));
    }

    #[test]
    fn an_own_key_is_taken_from_whoever_had_it() {
        let map = Keymap::new(&overrides(&[("baseline", &["e", "m"]), ("copy", &["g g"])])).unwrap();
        assert_eq!(map.find(None, Key::char('m'), Spot::Logs), Found::Command(Id::Baseline));
        assert_eq!(map.find(None, Key::char('b'), Spot::Logs), Found::Nothing);
        assert_eq!(map.find(None, Key::char('g'), Spot::Logs), Found::Prefix);
        assert!(map.conflicts().is_empty());
    }

    #[test]
    fn mistakes_in_the_configuration_are_said_in_sentences() {
        let wrong = overrides(&[
            ("baselin", &["e"]),
            ("copy", &["ctrl-b"]),
            ("lock", &["hyper-q"]),
            ("mark", &["e"]),
            ("filter", &["e"]),
            ("interrupt", &["e"]),
        ]);
        let said = Keymap::new(&wrong).unwrap_err();
        assert!(said.contains(&"`baselin` is not a command; did you mean `baseline`?".to_owned()), "{said:?}");
        assert!(said.iter().any(|s| s.starts_with("`copy`: `ctrl-b` is never bound")), "{said:?}");
        assert!(said.iter().any(|s| s.contains("`hyper-q` is not a key")), "{said:?}");
        assert!(said.iter().any(|s| s.contains("given to both `filter` and `mark`")), "{said:?}");
        assert_eq!(said.len(), 5);
    }
}
