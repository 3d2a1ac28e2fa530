//! `warroom report` and `warroom export runbook`: what a recording, or what is out there now, comes to.
//!
//! Owns reading the recording, choosing the instant and writing the files. May not know: how a verdict is made, how
//! a report is written.

mod live;

use crate::analysis::check::findings;
use crate::analysis::reconcile::class::ALL;
use crate::analysis::reconcile::worksheet::{self, Row};
use crate::analysis::report::cost::Costs;
use crate::analysis::report::{Made, Report, Todo, Worksheet, report};
use crate::cli::{Form, Options};
use crate::export::{html, markdown, runbook};
use crate::model::note::Note;
use crate::model::privacy::{Privacy, masked};
use crate::model::{Lapse, Span, Stamp};
use crate::note::parse::parse;
use crate::recording::Reader;
use crate::runtime::Ending;
use crate::runtime::start::{begin, print};
use crate::store::Store;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// How a report is made and where it goes.
#[derive(Clone, Debug)]
pub struct How {
    /// As of when, instead of the end.
    pub at: Option<String>,
    /// How it is written.
    pub form: Form,
    /// Where to, instead of standard output.
    pub to: Option<PathBuf>,
    /// Where the worksheet goes.
    pub worksheet: Option<PathBuf>,
}

/// Writes the report of a recording, as of its end or of an instant of it.
pub fn run(dir: &Path, how: &How) -> Ending {
    let done = read(dir, how.at.as_deref()).and_then(|known| write(&known, how));
    done.unwrap_or_else(|ending| ending)
}

/// The same of the configured sources, asked for so long at most.
pub async fn run_live(options: &Options, wait: Lapse, how: &How) -> Ending {
    let done = live::collect(options, wait).await.and_then(|known| write(&known, how));
    done.unwrap_or_else(|ending| ending)
}

/// Writes the runbook of a recording into a folder.
pub fn export(dir: &Path, to: &Path) -> Ending {
    read(dir, None).and_then(|known| keep(&known, to)).unwrap_or_else(|ending| ending)
}

/// The same of the configured sources.
pub async fn export_live(options: &Options, wait: Lapse, to: &Path) -> Ending {
    let done = live::collect(options, wait).await.and_then(|known| keep(&known, to));
    done.unwrap_or_else(|ending| ending)
}

fn keep(known: &Known, to: &Path) -> Result<Ending, Ending> {
    let files = [runbook::NOTE, runbook::CONFIG].map(|name| to.join(name));
    // A runbook is edited by hand: it is never written over.
    if let Some(there) = files.iter().find(|f| f.exists()) {
        return Err(Ending::Refused(format!("{} is there already: name another folder with --to", there.display())));
    }
    let how = How { at: None, form: Form::Md, to: None, worksheet: None };
    let made = made(known, &how)?;
    let note = known.store.note(known.at).map(|n| n.text.raw());
    let book = runbook::runbook(&made, &known.store.incident, note);
    std::fs::create_dir_all(to).map_err(|e| Ending::Failed(format!("{} cannot be made ({e})", to.display())))?;
    put(&files[0], &book.note)?;
    put(&files[1], &book.config)?;
    let mut written = format!("written: {} and {}\n", files[0].display(), files[1].display());
    for rules in &book.rules {
        let path = to.join(&rules.name);
        put(&path, &rules.text)?;
        let _ = writeln!(written, "written: {}", path.display());
    }
    Ok(print(&written))
}

/// What a report is made from.
pub struct Known {
    /// Everything that was seen.
    pub store: Store,
    /// What seeing it cost.
    pub costs: Costs,
    /// The stretch judged.
    pub window: Span,
    /// As of when.
    pub at: Stamp,
    /// What is wrong with where it came from, in words.
    pub doubts: Vec<String>,
}

fn read(dir: &Path, at: Option<&str>) -> Result<Known, Ending> {
    let (reader, damage) = Reader::open(dir).map_err(|e| Ending::Refused(e.to_string()))?;
    let opening = reader.opening();
    let begun = at.map(|text| begin(&opening, text)).transpose().map_err(Ending::Refused)?;
    let (Some(first), Some(last)) = (opening.first, opening.last) else {
        let why = "nothing has been recorded in it yet; let warroom run with --record first";
        return Err(Ending::Refused(format!("{} has no report: {why}", dir.display())));
    };
    let at = begun.unwrap_or(last);
    // All of it: a verdict looks at every order and line of the window, not at the newest ones.
    let (mut store, mut costs) = (Store::default(), Costs::default());
    for batch in reader.batches() {
        costs.take(&batch, at);
        store.apply(&batch);
    }
    let window = store.incident.window.unwrap_or(Span::new(first, last + Lapse(1)));
    let doubts = damage.iter().map(|d| format!("the recording is damaged: {d}")).collect();
    Ok(Known { store, costs, window, at, doubts })
}

/// Makes the report and writes it, the worksheet first.
pub fn write(known: &Known, how: &How) -> Result<Ending, Ending> {
    let made = made(known, how)?;
    let text = match how.form {
        Form::Md => markdown::markdown(&made),
        Form::Html => html::html(&made),
        Form::Json => serde_json::to_string_pretty(&made)
            .map(|text| text + "\n")
            .map_err(|e| Ending::Failed(format!("the report cannot be written as JSON ({e})")))?,
    };
    match &how.to {
        Some(file) => put(file, &text).map(|()| Ending::Well),
        None => Ok(print(&text)),
    }
}

fn made(known: &Known, how: &How) -> Result<Report, Ending> {
    let Known { store, window, at, .. } = known;
    let note = store.note(*at).map_or_else(Note::default, |n| parse(n.name.raw(), n.text.raw()));
    let found = findings(store, &note, *window, *at);
    let mut made = report(store, &Made { findings: &found, note: &note, window: *window, at: *at });
    made.impact.doubts.extend(known.doubts.iter().cloned());
    made.cost = known.costs.clone().rows();
    made.worksheet = sheet(known, how)?;
    Ok(made)
}

/// The worksheet of every order that is not as it should be; written where somebody asked for it.
fn sheet(known: &Known, how: &How) -> Result<Option<Worksheet>, Ending> {
    let Known { store, window, at, .. } = known;
    let wanted = ALL.into_iter().filter(|c| !c.card().is_some_and(|card| card.fine)).collect::<Vec<_>>();
    let rows = worksheet::rows(store, *window, &wanted, *at);
    if rows.is_empty() {
        return Ok(None);
    }
    let sheet = worksheet::sheet(&rows, *at, &store.incident.zone, |text| masked(text, Privacy::Masked));
    let mut file = None;
    if let Some(path) = &how.worksheet {
        put(path, &sheet.text)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sum = path.with_file_name(format!("{name}.sha256"));
        put(&sum, &format!("{}  {name}\n", sheet.sha256))?;
        file = Some(beside(path, how.to.as_deref()));
    }
    Ok(Some(Worksheet { file, sha256: sheet.sha256, orders: rows.len(), actions: todo(&rows) }))
}

/// A file as seen from the report: its name where both lie in one folder, its whole path elsewhere.
fn beside(file: &Path, report: Option<&Path>) -> String {
    let folder = |p: &Path| p.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let same = report.is_some_and(|r| folder(r) == folder(file));
    let name = if same { file.file_name().map_or(file, Path::new) } else { file };
    name.to_string_lossy().into_owned()
}

fn todo(rows: &[Row]) -> Vec<Todo> {
    let mut out: Vec<Todo> = Vec::new();
    for row in rows {
        let (action, amount) = (row.action.key(), row.amount.unwrap_or(0));
        match out.last_mut().filter(|t| t.action == action) {
            Some(t) => (t.orders, t.amount) = (t.orders + 1, t.amount.saturating_add(amount)),
            None => out.push(Todo { action, orders: 1, amount, precondition: row.action.precondition() }),
        }
    }
    out
}

/// Writes a file; one that is there is written over, because somebody named it.
pub fn put(file: &Path, text: &str) -> Result<(), Ending> {
    std::fs::write(file, text).map_err(|e| Ending::Failed(format!("{} cannot be written ({e})", file.display())))
}
