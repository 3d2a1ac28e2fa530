//! The rows of a `[[query]]` with `file`: which files there are, read again when they change, told like the
//! answers of a window.
//!
//! A file is as of its time of modification. Each piece goes out as it is read; the stretch that the file
//! covers, from its oldest to its newest row, goes out with the last.

use crate::config::{Config, QueryConfig};
use crate::model::order::{Asked, Ledger, Rows};
use crate::model::{Fact, Lapse, Span, Stamp};
use crate::source::check::{CheckLine, Ok as Works};
use crate::source::clock;
use crate::source::orders::board::Board;
use crate::source::orders::collect::Report;
use crate::source::orders::fields::{Fault, Read};
use crate::source::orders::file::{self, Found, Unread};
use crate::source::orders::prints::Prints;
use crate::source::orders::{faulty, name_of, unknown};
use crate::source::runner::Condition;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A file that nobody has written to for this long is taken for finished.
const QUIET: Lapse = Lapse::seconds(10);

/// Starts a task for each query whose rows are files.
pub fn start(
    config: &Config,
    board: &Arc<Board>,
    to: &mpsc::Sender<Report>,
    cancel: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let queries = config.queries.iter().filter(|q| q.file.is_some());
    let one = |query: &QueryConfig| {
        let files =
            Files { query: query.clone(), read: BTreeMap::new(), prints: Prints::default(), board: Arc::clone(board) };
        let (to, cancel) = (to.clone(), cancel.clone());
        tokio::spawn(async move {
            let _ = cancel.clone().run_until_cancelled(files.watch(to)).await;
        })
    };
    queries.map(one).collect()
}

/// A file as it was when it was read last, and what was wrong with it.
struct Seen {
    size: u64,
    modified: SystemTime,
    /// Its last line was left for the next time.
    unfinished: bool,
    trouble: Option<Fault>,
}

struct Files {
    query: QueryConfig,
    read: BTreeMap<PathBuf, Seen>,
    prints: Prints,
    board: Arc<Board>,
}

impl Files {
    async fn watch(mut self, to: mpsc::Sender<Report>) {
        let interval = self.query.interval.to_std();
        loop {
            let sender = to.clone();
            let pass = tokio::task::spawn_blocking(move || {
                let going_on = self.pass(&sender);
                (self, going_on)
            });
            // A panic of the reader was told by the panic hook; nothing of it is left to go on with.
            let Ok((files, going_on)) = pass.await else { return };
            self = files;
            if !going_on {
                return;
            }
            tokio::time::sleep(interval).await;
        }
    }

    /// Reads what has changed; false when nobody listens any more.
    fn pass(&mut self, to: &mpsc::Sender<Report>) -> bool {
        let found = listed(&self.query);
        let paths = match found {
            Ok(paths) => paths,
            Err(fault) => return self.tell(to, faulty(&name_of(&self.query), &fault), Vec::new()),
        };
        self.read.retain(|path, _| paths.contains(path));
        let mut words = Vec::new();
        for path in paths {
            let trouble = match self.one(&path, to) {
                Ok(Some(found)) => {
                    words.extend(found.unknown.iter().cloned());
                    complaint(&path, &found)
                }
                Ok(None) => continue,
                Err(None) => return false,
                Err(Some(fault)) => Some(fault),
            };
            if let Some(seen) = self.read.get_mut(&path) {
                seen.trouble = trouble;
            }
        }
        let first = self.read.values().find_map(|seen| seen.trouble.clone());
        let condition = first.or_else(|| unknown(&self.query, &words));
        let condition = condition.map_or_else(Condition::well, |f| faulty(&name_of(&self.query), &f));
        self.tell(to, condition, Vec::new())
    }

    /// Reads one file when it has changed. `Err(None)`: nobody listens.
    fn one(&mut self, path: &Path, to: &mpsc::Sender<Report>) -> Result<Option<Found>, Option<Fault>> {
        let meta = std::fs::metadata(path).map_err(|e| Some(unreadable(path, &e.to_string())))?;
        let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let quiet = clock::now().since(stamp(modified)) >= QUIET;
        let same = |seen: &Seen| seen.size == meta.len() && seen.modified == modified && !(seen.unfinished && quiet);
        if self.read.get(path).is_some_and(same) {
            return Ok(None);
        }
        let asof = stamp(modified);
        let seen = Seen { size: meta.len(), modified, unfinished: false, trouble: None };
        self.read.insert(path.to_owned(), seen);
        let query = self.query.clone();
        let mut listening = true;
        let found = file::read(path, &query, quiet, &mut |piece: Read| {
            self.board.learn(&piece.rows, Instant::now());
            let rows = self.prints.changed(piece.rows);
            // What the file covers is known at its end; a piece covers nothing by itself.
            let asked = Asked::Window(Span { from: asof, to: asof });
            let facts = if rows.is_empty() { Vec::new() } else { vec![Fact::Ledger(Ledger { asof, asked, rows })] };
            listening = facts.is_empty() || self.tell(to, Condition::well(), facts);
            listening
        });
        if !listening {
            return Err(None);
        }
        let found = found.map_err(|e| {
            Some(match e {
                Unread::Io(e) => unreadable(path, &e.to_string()),
                Unread::Fault(fault) => Fault::new(format!("{}: {}", name(path), fault.says), fault.remedy),
            })
        })?;
        if let Some(seen) = self.read.get_mut(path) {
            seen.unfinished = found.left_last;
        }
        if let Some(span) = found.span {
            let ledger = Ledger { asof, asked: Asked::Window(span), rows: Rows::none(self.query.role) };
            if !self.tell(to, Condition::well(), vec![Fact::Ledger(ledger)]) {
                return Err(None);
            }
        }
        Ok(Some(found))
    }

    fn tell(&self, to: &mpsc::Sender<Report>, condition: Condition, facts: Vec<Fact>) -> bool {
        to.blocking_send(Report { query: name_of(&self.query), condition, facts, cost: None }).is_ok()
    }
}

fn stamp(t: SystemTime) -> Stamp {
    let micros = t.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros());
    // A file from the future would make everything older than it look late.
    Stamp(i64::try_from(micros).unwrap_or(i64::MAX)).min(clock::now())
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn unreadable(path: &Path, why: &str) -> Fault {
    Fault::new(
        format!("{} cannot be read: {why}", path.display()),
        "Let the user who runs warroom read it (chmod, chown).",
    )
}

/// What a person must know of a file that was read.
fn complaint(path: &Path, found: &Found) -> Option<Fault> {
    let (line, fault) = found.first.as_ref()?;
    let all = found.rows + found.broken;
    let says = format!(
        "{} of {all} rows of {} cannot be read; the first, line {line}: {}",
        found.broken,
        name(path),
        fault.says
    );
    Some(Fault::new(says, fault.remedy.clone()))
}

/// The files there are, in the order of their names.
fn listed(query: &QueryConfig) -> Result<Vec<PathBuf>, Fault> {
    let pattern = query.file.clone().unwrap_or_default();
    let listed = glob::glob(&pattern.to_string_lossy())
        .map_err(|e| Fault::new(format!("file is no pattern: {e}"), "Write it like \"/srv/export/ho-*.csv\"."))?;
    let files: Vec<PathBuf> = listed.flatten().filter(|p| p.is_file()).collect();
    if files.is_empty() {
        return Err(Fault::new(
            format!("there is no file {}", pattern.display()),
            "Correct file in [[query]], or put the export there; it is looked for again.",
        ));
    }
    Ok(files)
}

/// What `warroom check` says of a query whose rows are files: each is read to its end, nothing is kept.
pub fn check(query: &QueryConfig) -> Option<CheckLine> {
    query.file.as_ref()?;
    let name_of = name_of(query);
    let line = |fault: &Fault, ok| {
        CheckLine::not(&query.db, name_of.clone(), ok, format!("{name_of}: {}", fault.says), fault.remedy.clone())
    };
    let paths = match listed(query) {
        Ok(paths) => paths,
        Err(fault) => return Some(line(&fault, Works::No)),
    };
    let mut rows = 0;
    for path in &paths {
        match file::read(path, query, true, &mut |_| true) {
            Ok(found) => {
                rows += found.rows;
                if let Some(fault) = complaint(path, &found) {
                    return Some(line(&fault, Works::Partly));
                }
            }
            Err(Unread::Io(e)) => return Some(line(&unreadable(path, &e.to_string()), Works::No)),
            Err(Unread::Fault(fault)) => {
                let fault = Fault::new(format!("{}: {}", name(path), fault.says), fault.remedy);
                return Some(line(&fault, Works::No));
            }
        }
    }
    Some(CheckLine::yes(&query.db, name_of, format!("{rows} rows of {} files read", paths.len())))
}
