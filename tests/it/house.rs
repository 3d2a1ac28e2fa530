//! The house rules that a compiler does not keep: who may import whom, what every file opens with, and
//! where text from outside may be opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Room, and the rooms it may import. A room always knows itself.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("store", &["model"]),
    ("note", &["model"]),
    ("config", &["model"]),
    ("simulator", &["model"]),
    ("spill", &["model"]),
    ("recording", &["model", "store"]),
    ("analysis", &["model", "store"]),
    ("app", &["model", "store", "analysis", "note"]),
    ("view", &["model", "store", "analysis", "note", "app"]),
    ("export", &["model", "analysis", "view"]),
    ("terminal", &["model", "app", "view"]),
    ("source", &["model", "config", "recording", "simulator", "note"]),
];

/// Crates that only some rooms may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("ratatui", &["view", "terminal"]),
    ("crossterm", &["terminal"]),
    ("sqlx", &["source", "simulator"]),
    ("reqwest", &["source"]),
    ("rmcp", &["source"]),
    ("axum", &["simulator"]),
    ("color_eyre", &["main"]),
];

fn sources() -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, out: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                out.insert(path, text);
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(out.len() > 50, "the sources were not found");
    out
}

/// `src/view/lane.rs` is in the room `view`, `src/runtime.rs` in `runtime`.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The lines that are code and not tests: a file's own test module stands last.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, l)| !l.starts_with("#[cfg(test)]"))
        .map(|(i, l)| (i + 1, l))
        .filter(|(_, l)| !l.trim_start().starts_with("//"))
}

fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    name.ends_with("_tests") || name == "tests" || path.components().any(|c| c.as_os_str() == "tests")
}

fn rooms_named(line: &str) -> Vec<String> {
    line.match_indices("crate::")
        .map(|(i, m)| line[i + m.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|r| !r.is_empty() && r.chars().next().is_some_and(char::is_lowercase))
        .collect()
}

#[test]
fn rooms_import_only_what_the_map_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let here = room(&path);
        let Some(may) = allowed.get(here.as_str()) else { continue };
        if is_test_file(&path) {
            continue;
        }
        for (number, line) in code(&text) {
            for there in rooms_named(line) {
                if there != here && !may.contains(&there.as_str()) {
                    wrong.push(format!("{}:{number}: {here} may not know {there}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_of_the_outside_world_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let here = room(&path);
        for (number, line) in code(&text) {
            for (name, rooms) in ONLY_IN {
                if line.contains(&format!("{name}::")) && !rooms.contains(&here.as_str()) {
                    wrong.push(format!("{}:{number}: {name} belongs to {rooms:?}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_true_of_a_scenario_is_read_by_the_world_and_by_sheets_alone() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let sheet = path.file_name().is_some_and(|f| f == "sheet.rs");
        if room(&path) == "simulator" || sheet || is_test_file(&path) {
            continue;
        }
        for (number, line) in code(&text) {
            if line.contains("truth::") || line.contains("scenario::truth") {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "whoever judges may not know the truth:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<_> = sources().into_iter().filter(|(_, t)| !t.starts_with("//!")).map(|(p, _)| p).collect();
    assert!(silent.is_empty(), "no //! at the top: {silent:?}");
}

#[test]
fn views_reach_text_from_outside_only_through_the_sanitiser() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let guarded = matches!(room(&path).as_str(), "view" | "terminal") && file != "text.rs" && !is_test_file(&path);
        if !guarded {
            continue;
        }
        for (number, line) in code(&text) {
            if line.contains(".raw()") {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "text from outside opened outside view::text:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_names_the_place_it_was_written_in() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = sources().into_keys().collect();
    files.extend(["README.md", "CHANGELOG.md", "config.example.toml", "Cargo.toml"].map(|f| here.join(f)));
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(!text.contains(concat!("/wo", "rk/")), "{} names a folder of a workplace", path.display());
    }
}
