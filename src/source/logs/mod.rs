//! Log files: followed across rotation and truncation, merged by their own time.
//!
//! Owns finding the files, reading a bounded amount of each in turn, and the source's health in words.
//! Files are read on a blocking thread; a disk that hangs makes this source late and nothing else.

mod assemble;
pub(super) mod follow;
pub mod glance;
pub mod instant;
mod known;
pub mod levels;
pub mod parse;
pub mod secrets;

use crate::config::{Config, LogConfig};
use crate::model::health::{Cost, Loss};
use crate::model::{Batch, Fact, Lapse, Span, Stamp};
use crate::source::Recorded;
use crate::source::check::{CheckLine, Ok as CheckOk};
use crate::source::clock::{self, Clock};
use crate::source::runner::{Condition, Failure, Handle, Next, Plan, Poll, Round, spawn_by};
use assemble::Assembler;
use follow::Follower;
pub use instant::Instants;
pub use known::Known;
use parse::Parser;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Bytes read from all files of a source in one round; the rest waits its turn.
const BUDGET: usize = 4 << 20;
/// Lines handed over at once.
const MOST_LINES: usize = 20_000;
/// How often files are looked at.
const EVERY: Lapse = Lapse::millis(250);
/// How often folders are searched for files that appeared.
const SEARCH: Lapse = Lapse::seconds(5);

/// Starts following every `[[logs]]`, each from the earlier of its `read_back` and the incident's window.
pub fn start(
    config: &Config,
    recorded: &Recorded,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> Vec<Handle> {
    let one = |logs: &LogConfig| {
        let known = recorded.lines.get(logs.name.as_str()).cloned().unwrap_or_default();
        let clock = Clock::wall();
        follow(logs.clone(), since(config, logs, clock.now()), known, &clock, to.clone(), cancel.clone())
    };
    config.logs.iter().map(one).collect()
}

/// From when on lines are wanted by a program that starts at `now`.
pub fn since(config: &Config, logs: &LogConfig, now: Stamp) -> Stamp {
    let back = now - logs.read_back;
    config.incident.window.map_or(back, |w| back.min(w.from))
}

/// Follows one source; lines that are `known` are left out. `clock` is that of the world the lines are of.
pub fn follow(
    logs: LogConfig,
    since: Stamp,
    known: Known,
    clock: &Clock,
    to: mpsc::Sender<Batch>,
    cancel: CancellationToken,
) -> Handle {
    let plan = Plan {
        name: logs.name.as_str().into(),
        interval: EVERY,
        deadline: Lapse::seconds(10),
        floor: Lapse::seconds(1),
        doing: "opening",
    };
    // The desk outlives a crash or a missed deadline of a round, so no place in a file is ever forgotten.
    let desk = Arc::new(Mutex::new(Desk { known, ..Desk::new(logs, since) }));
    let world = clock.clone();
    let make = move || Files { desk: Arc::clone(&desk), clock: world.clone() };
    spawn_by(plan, clock.clone(), make, to, cancel)
}

/// Reaches every file of a source once, for `warroom check`.
pub fn check(logs: &LogConfig) -> Vec<CheckLine> {
    let line = |what: String, ok: CheckOk, says: String, remedy: String| CheckLine {
        source: logs.name.clone(),
        what,
        ok,
        says: says.into(),
        remedy: remedy.into(),
    };
    let parser = match Parser::new(logs) {
        Ok(parser) => parser,
        Err(says) => return vec![line("patterns".to_owned(), CheckOk::No, says, String::new())],
    };
    let files = search(&logs.paths);
    if files.is_empty() {
        let (says, remedy) = nothing_there(&logs.paths);
        return vec![line("files".to_owned(), CheckOk::No, says, remedy)];
    }
    files
        .into_iter()
        .map(|path| match sample(&path, &parser) {
            Ok((lines, timed)) if lines > 0 && timed == 0 => line(
                follow::name(&path),
                CheckOk::Partly,
                format!("readable, but none of its last {lines} lines has a time that is understood"),
                "set time_format (strftime) or time_fields in its [[logs]]; lines get the time of reading until then"
                    .to_owned(),
            ),
            Ok((lines, _)) => {
                line(follow::name(&path), CheckOk::Yes, format!("readable, {lines} lines looked at"), String::new())
            }
            Err(e) => line(follow::name(&path), CheckOk::No, e.to_string(), unreadable(&path, &e)),
        })
        .collect()
}

/// Lines at the end of a file, and how many of them carry a time.
fn sample(path: &Path, parser: &Parser) -> std::io::Result<(usize, usize)> {
    let length = std::fs::metadata(path)?.len();
    let mut follower = Follower::new(path.to_owned(), length.saturating_sub(16 * 1024))?;
    let found = follower.read(16 * 1024, std::time::SystemTime::UNIX_EPOCH)?;
    let lines: Vec<_> = found.lines.iter().skip(usize::from(length > 16 * 1024)).collect();
    let timed = lines.iter().filter(|l| parser.parse(l, clock::now()).at.is_some()).count();
    Ok((lines.len(), timed))
}

struct Files {
    desk: Arc<Mutex<Desk>>,
    clock: Clock,
}

impl Poll for Files {
    async fn poll(&mut self) -> Result<Round, Failure> {
        let (desk, now) = (Arc::clone(&self.desk), self.clock.now());
        let reading = tokio::task::spawn_blocking(move || {
            // A round that is still hanging on its disk holds the desk; this one then has nothing to add.
            if let Ok(mut desk) = desk.try_lock() {
                desk.round(now, clock::now());
            }
        });
        if let Err(e) = reading.await
            && let Ok(panic) = e.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
        let mut desk = match self.desk.try_lock() {
            Ok(desk) => desk,
            Err(std::sync::TryLockError::Poisoned(p)) => PoisonError::into_inner(p),
            Err(std::sync::TryLockError::WouldBlock) => {
                let condition = Condition::late("disk", "the disk with the log files does not answer", "");
                return Err(Failure { condition, facts: Vec::new(), cost: None, wait: Lapse::seconds(1) });
            }
        };
        Ok(desk.hand_over())
    }
}

/// A file with what has been read of it.
struct Followed {
    follower: Follower,
    assembler: Assembler,
    trouble: Option<String>,
    /// When it was read, by the clock of the lines and by that of the file system.
    read: Stamp,
    looked: Stamp,
}

/// All files of one source.
struct Desk {
    config: LogConfig,
    parser: Result<Parser, String>,
    since: Stamp,
    files: BTreeMap<PathBuf, Followed>,
    refused: BTreeMap<PathBuf, (String, String)>,
    searched: Option<Stamp>,
    turn: usize,
    facts: Vec<Fact>,
    bytes: u64,
    more: bool,
    newest: Option<Stamp>,
    /// Lines that were kept by an earlier run.
    known: Known,
}

impl Desk {
    fn new(config: LogConfig, since: Stamp) -> Self {
        Self {
            parser: Parser::new(&config),
            config,
            since,
            files: BTreeMap::new(),
            refused: BTreeMap::new(),
            searched: None,
            turn: 0,
            facts: Vec::new(),
            bytes: 0,
            more: false,
            newest: None,
            known: Known::default(),
        }
    }

    /// Reads a bounded amount of every file; what it finds waits in `facts`. `now` is when by the clock of the
    /// lines, `wall` by that of the file system: in a world that is played they are days apart, and run
    /// differently.
    fn round(&mut self, now: Stamp, wall: Stamp) {
        let Ok(parser) = self.parser.clone() else { return };
        if self.searched.is_none_or(|t| wall.since(t) >= SEARCH || wall < t) {
            self.search(&parser, now, wall);
        }
        self.more = false;
        let count = self.files.len().max(1);
        let share = (BUDGET / count).max(64 * 1024);
        let mut lines = Vec::new();
        let mut losses = Vec::new();
        // Files take turns at being first, so that a busy one cannot starve the others of the line budget.
        self.turn = (self.turn + 1) % count;
        let order: Vec<PathBuf> = self.files.keys().cycle().skip(self.turn).take(self.files.len()).cloned().collect();
        for path in order {
            let Some(file) = self.files.get_mut(&path) else { continue };
            if lines.len() >= MOST_LINES {
                self.more = true;
                break;
            }
            match file.follower.read(share, system_time(wall)) {
                Ok(found) => {
                    file.trouble = None;
                    self.bytes += found.bytes;
                    self.more |= found.more;
                    for raw in &found.lines {
                        lines.extend(file.assembler.take(raw, &parser, now));
                    }
                    if !found.more {
                        lines.extend(file.assembler.rest());
                    }
                    let span = Span::new(file.read, now);
                    losses.extend(found.losses.into_iter().map(|says| Fact::Loss(Loss { span, says: says.into() })));
                    (file.read, file.looked) = (now, wall);
                }
                Err(e) => file.trouble = Some(format!("{}: {e}", follow::name(&path))),
            }
        }
        lines.retain(|l| l.at >= self.since && !self.known.take(l));
        lines.sort_by_key(|l| l.at);
        if let Some(last) = lines.last() {
            self.newest = Some(self.newest.map_or(last.at, |n| n.max(last.at)));
            self.facts.push(Fact::Lines(lines));
        }
        self.facts.extend(losses);
    }

    fn search(&mut self, parser: &Parser, now: Stamp, wall: Stamp) {
        let first = self.searched.is_none();
        self.searched = Some(wall);
        self.refused.clear();
        for path in search(&self.config.paths) {
            if self.files.contains_key(&path) {
                continue;
            }
            let time = |bytes: &[u8]| parser.time_of(bytes, now).map(|t| t.0);
            // A file that appears while we watch is new: all of it is wanted.
            let position = if first { follow::position_of(&path, self.since.0, &time) } else { Ok(0) };
            match position.and_then(|p| Follower::new(path.clone(), p)) {
                Ok(follower) => {
                    let service = self.config.service.clone().unwrap_or_else(|| service_of(&path));
                    let assembler = Assembler::new(service.into());
                    let file = Followed { follower, assembler, trouble: None, read: now, looked: wall };
                    self.files.insert(path, file);
                }
                Err(e) => {
                    let remedy = unreadable(&path, &e);
                    self.refused.insert(path.clone(), (format!("{}: {e}", follow::name(&path)), remedy));
                }
            }
        }
        // A file whose path is gone and that has nothing left to say is let go after a while.
        self.files.retain(|path, f| path.exists() || f.assembler.waits() || wall.since(f.looked) < Lapse::minutes(1));
    }

    fn hand_over(&mut self) -> Round {
        let facts = std::mem::take(&mut self.facts);
        let bytes = std::mem::take(&mut self.bytes);
        let cost = (bytes > 0).then(|| Cost { bytes, ..Cost::default() });
        let next = Next::After(if self.more { Lapse::millis(1) } else { EVERY });
        Round { facts, cost, condition: self.condition(), next }
    }

    fn condition(&self) -> Condition {
        if let Err(says) = &self.parser {
            return Condition::down("pattern", says.clone(), "");
        }
        let troubles: Vec<&String> = self
            .refused
            .values()
            .map(|(s, _)| s)
            .chain(self.files.values().filter_map(|f| f.trouble.as_ref()))
            .collect();
        if self.files.is_empty() {
            if let Some((says, remedy)) = self.refused.values().next() {
                return Condition::down("refused", says.clone(), remedy.clone());
            }
            let (says, remedy) = nothing_there(&self.config.paths);
            return Condition::down("no file", says, remedy);
        }
        if let Some(first) = troubles.first() {
            let says = format!("{} files are followed, {} are not; {first}", self.files.len(), troubles.len());
            let remedy = self.refused.values().next().map(|(_, r)| r.clone()).unwrap_or_default();
            return Condition::late("partly", says, remedy);
        }
        if self.more {
            return Condition::late("reading", "reading back what was written before", "");
        }
        let files = self.files.len();
        let says = format!("{files} {} followed", if files == 1 { "file is" } else { "files are" });
        Condition { says: says.into(), ..Condition::well() }
    }
}

/// Files that match, sorted; compressed ones are left out, they do not grow.
fn search(patterns: &[PathBuf]) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = patterns
        .iter()
        .filter_map(|p| glob::glob(&p.to_string_lossy()).ok())
        .flatten()
        .filter_map(Result::ok)
        .filter(|p| p.is_file() || p.symlink_metadata().is_ok_and(|m| !m.is_dir()))
        .filter(|p| !p.extension().is_some_and(|e| e == "gz" || e == "zst" || e == "xz"))
        .collect();
    out.sort();
    out.dedup();
    out
}

fn nothing_there(patterns: &[PathBuf]) -> (String, String) {
    let list: Vec<String> = patterns.iter().map(|p| p.display().to_string()).collect();
    (
        format!("no file matches {}", list.join(", ")),
        "check paths in its [[logs]]; files that appear are followed".to_owned(),
    )
}

fn unreadable(path: &Path, e: &std::io::Error) -> String {
    if e.kind() == std::io::ErrorKind::PermissionDenied {
        format!("let this user read it: setfacl -m u:$(id -un):r {}", path.display())
    } else {
        String::new()
    }
}

/// `mrg-api-3.log` is of `mrg-api-3`.
pub fn service_of(path: &Path) -> String {
    let name = follow::name(path);
    name.split('.').next().filter(|s| !s.is_empty()).unwrap_or(&name).to_owned()
}

fn system_time(at: Stamp) -> std::time::SystemTime {
    std::time::UNIX_EPOCH + at.since(Stamp(0)).to_std()
}

#[cfg(test)]
mod busy_tests;
#[cfg(test)]
mod formats_tests;
#[cfg(test)]
mod logs_tests;
