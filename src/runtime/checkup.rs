//! `check`: every source reached once, the note read, the terminal looked at; for each what works, what is
//! refused and the exact remedy. For people, or as JSON for machines.

use crate::cli::Options;
use crate::config::Config;
use crate::model::untrusted::shown;
use crate::runtime::folders::Folders;
use crate::runtime::{Ending, start};
use crate::source::{CheckLine, CheckOk, check};
use crate::terminal::caps::Surroundings;
use crate::terminal::report::{self, Line};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Everything that was found.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether nothing is wrong with the sources. The terminal's advice does not count.
    ok: bool,
    configuration: String,
    sources: Vec<CheckLine>,
    terminal: Vec<Line>,
}

/// Checks and prints.
pub async fn run(options: &Options, json: bool) -> Ending {
    let folders = Folders::of_process();
    let config = start::configuration(options, &folders);
    let caps = start::caps(options, config.as_ref().ok());
    let terminal = tokio::task::spawn_blocking(move || report::report(&Surroundings::of_process(), &caps))
        .await
        .unwrap_or_default();
    let (configuration, sources, ending) = match config {
        Ok(config) => {
            let mut lines = check(&config).await;
            lines.extend(note(&config));
            let ending = if lines.iter().all(|l| l.ok != CheckOk::No) { Ending::Well } else { Ending::Unwell };
            (config.file.display().to_string(), lines, ending)
        }
        Err(says) => (String::new(), Vec::new(), Ending::Refused(says)),
    };
    let report = Report { ok: ending == Ending::Well, configuration, sources, terminal };
    let text = if json { as_json(&report) } else { as_text(&report) };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ending,
        Err(e) => Ending::Failed(format!("standard output cannot be written ({e})")),
    }
}

/// Whether the note can be read, and written when a tick asks for it.
fn note(config: &Config) -> Option<CheckLine> {
    let path = config.incident.note.as_ref()?;
    let shown = path.display();
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) => {
            let says = format!("{shown} cannot be read ({e})");
            return Some(CheckLine::not(
                "note",
                "read",
                CheckOk::No,
                says,
                "check incident.note and who owns the file",
            ));
        }
    };
    let parsed = crate::note::parse::parse(&shown.to_string(), &text);
    let found = format!("{} checkboxes, {} hypotheses", parsed.items.len(), parsed.hypotheses.len());
    if !writable(path) {
        let remedy = "allow writing to the file and its folder, or start with --view";
        return Some(CheckLine::not(
            "note",
            "write",
            CheckOk::Partly,
            format!("{found}; it cannot be written"),
            remedy,
        ));
    }
    Some(CheckLine::yes("note", "read and write", found))
}

/// A note is saved beside itself and renamed, so the folder counts too.
fn writable(path: &Path) -> bool {
    let may = |p: &Path| rustix::fs::access(p, rustix::fs::Access::WRITE_OK).is_ok();
    may(path) && path.parent().is_none_or(|p| may(if p.as_os_str().is_empty() { Path::new(".") } else { p }))
}

fn as_json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_else(|e| format!("{{\"error\": \"{e}\"}}"));
    text.push('\n');
    text
}

fn as_text(report: &Report) -> String {
    let mut out = String::new();
    if !report.configuration.is_empty() {
        let _ = writeln!(out, "configuration  {}", report.configuration);
    }
    for line in &report.sources {
        let sign = match line.ok {
            CheckOk::Yes => "ok",
            CheckOk::Partly => "~ ",
            CheckOk::No => "x ",
        };
        let _ =
            writeln!(out, "{sign}  {:<12} {:<20} {}", plain(&line.source), plain(&line.what), shown(line.says.raw()));
        if !line.remedy.is_empty() {
            let _ = writeln!(out, "      → {}", shown(line.remedy.raw()));
        }
    }
    out.push_str("\nterminal\n");
    for line in &report.terminal {
        let sign = if line.ok { "ok" } else { "~ " };
        let _ = writeln!(out, "{sign}  {:<18} {}", line.what, plain(&line.says));
        if !line.remedy.is_empty() {
            let _ = writeln!(out, "      → {}", plain(&line.remedy));
        }
    }
    out
}

/// Names from the configuration and the environment, fit for a terminal.
fn plain(text: &str) -> String {
    shown(text)
}
