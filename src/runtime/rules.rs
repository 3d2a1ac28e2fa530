//! `rules`: the rules that judge, as the program has them with the configuration's files over them.
//!
//! Prints, and writes the built-in files for somebody to change. May not know: what a measure does.

use crate::analysis::check::rulebook::{FILES, Listed, Rulebook};
use crate::cli::{Options, RuleList};
use crate::runtime::folders::Folders;
use crate::runtime::{Ending, start};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Does what was asked.
pub fn run(options: &Options, how: &RuleList) -> Ending {
    if how.measures {
        let names: Vec<&str> = Rulebook::measures().collect();
        return start::print(&format!("{}\n", names.join("\n")));
    }
    if let Some(folder) = &how.write {
        return write(folder);
    }
    let folders = Folders::of_process();
    // Without a configuration the built-in rules are all there are.
    let configured = options.config.is_some() || folders.config_file().exists();
    let files = match configured.then(|| start::configuration(options, &folders)).transpose() {
        Ok(config) => config.map(|c| c.incident.rule_files).unwrap_or_default(),
        Err(says) => return Ending::Refused(says),
    };
    let (book, _) = Rulebook::of(&files);
    match &how.id {
        None => start::print(&table(book.listed())),
        Some(id) => {
            if let Some(rule) = book.listed().find(|r| r.id.eq_ignore_ascii_case(id)) {
                start::print(&whole(&rule))
            } else {
                let near = book.listed().map(|r| (strsim::damerau_levenshtein(id, &r.id), r.id)).min();
                let near = near.map(|n| n.1).unwrap_or_default();
                Ending::Refused(format!("there is no rule {id}; the nearest is {near}. warroom rules lists them all"))
            }
        }
    }
}

/// `+3/−3`; nothing where it counts for nothing.
fn points(of: (f64, f64)) -> String {
    if of == (0.0, 0.0) { String::new() } else { format!("+{}/−{}", of.0, of.1) }
}

fn table(rules: impl Iterator<Item = Listed>) -> String {
    let rows: Vec<Listed> = rules.collect();
    let measure = rows.iter().map(|r| r.measure.len()).max().unwrap_or_default();
    let id = rows.iter().map(|r| r.id.len()).max().unwrap_or_default();
    let mut out = String::new();
    for r in &rows {
        let _ = writeln!(out, "{:<id$}  {:<measure$}  {:<6}  {}", r.id, r.measure, points(r.points), r.says);
    }
    out
}

fn whole(r: &Listed) -> String {
    let mut out = String::new();
    let mut row = |label: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "{label:<12}{text}");
        }
    };
    row("id", &r.id);
    row("title", &r.title);
    row("speaks for", &r.feeds);
    row("measure", r.measure);
    row("finds", &r.finds);
    row("window", &r.window);
    row("baseline", &r.baseline);
    row("coverage", &r.coverage);
    for (name, value) in &r.thresholds {
        row("threshold", &format!("{name} = {value}"));
    }
    row("says", &r.says);
    row("orders", if r.of_orders { "looks at the orders themselves" } else { "" });
    row("points", &points(r.points));
    out
}

/// Writes the built-in files; one that is there is left alone.
fn write(folder: &Path) -> Ending {
    let failed = |e: std::io::Error| Ending::Failed(format!("{} cannot be written ({e})", folder.display()));
    if let Err(e) = std::fs::create_dir_all(folder) {
        return failed(e);
    }
    let mut out = String::new();
    for (name, text) in FILES {
        let path = folder.join(name);
        match std::fs::File::create_new(&path).and_then(|mut f| f.write_all(text.as_bytes())) {
            Ok(()) => {
                let _ = writeln!(out, "{}", path.display());
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                let _ = writeln!(out, "{} is there already and was left as it is", path.display());
            }
            Err(e) => return failed(e),
        }
    }
    out.push_str(
        "Keep what you change and name it: [rules] files = [\"…\"]; what a file does not say stays built in.\n",
    );
    start::print(&out)
}
