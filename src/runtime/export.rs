//! `simulate --export DIR`: a simulated day as plain files in a folder.
//!
//! Owns the folder. An export is whole or not there: it is written beside its place and moved in when it is done;
//! whatever goes wrong, and Ctrl-C, leaves nothing behind. A folder with anything in it that is not of an earlier
//! export is left alone. May not know: what is in the files.

mod folder;

use crate::cli::Simulate;
use crate::model::Zone;
use crate::runtime::Ending;
use crate::runtime::signals::{Asked, Signals};
use crate::simulator::day::Day;
use crate::simulator::export::{self, ABOUT, Listed, Part};
use crate::simulator::platform::stamp;
use crate::simulator::scenario;
use folder::Place;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffer of a log file; tables bring their own.
const BUFFER: usize = 32 * 1024;
/// Threads that write.
const WRITERS: usize = 2;

/// Exports a day, until it is done or stopped.
pub async fn run(how: &Simulate, to: &Path) -> Ending {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(e) => return Ending::Failed(format!("signals cannot be listened to ({e})")),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let work = {
        let (how, to, stop) = (how.clone(), to.to_owned(), Arc::clone(&stop));
        tokio::task::spawn_blocking(move || export(&how, &to, &stop))
    };
    tokio::pin!(work);
    let mut code = None;
    loop {
        tokio::select! {
            done = &mut work => return match (done, code) {
                // It was done before the signal was heeded.
                (Ok(Ending::Well), _) => Ending::Well,
                (_, Some(code)) => Ending::Signal(code),
                (Ok(ending), None) => ending,
                (Err(e), None) => Ending::Failed(format!("the export ended early ({e})")),
            },
            // Whoever writes sees it with the next buffer, and tidies up.
            asked = signals.next(), if code.is_none() => if let Asked::Terminate | Asked::Interrupt | Asked::HangUp = asked {
                stop.store(true, Ordering::Relaxed);
                code = Some(asked.exit_code());
            },
        }
    }
}

fn export(how: &Simulate, to: &Path, stop: &AtomicBool) -> Ending {
    let scenario = match scenario::named(&how.scenario) {
        Ok(scenario) => scenario,
        Err(says) => return Ending::Refused(says),
    };
    // Before the day is lived: whoever is refused need not wait for it.
    let place = match Place::find(to) {
        Ok(place) => place,
        Err(says) => return Ending::Refused(says),
    };
    let day = if how.evening { Day::evening(scenario, how.seed) } else { Day::whole(scenario, how.seed) };
    let written = write(&day, place.folder(), stop).and_then(|files| {
        let text = export::about(&day, files.clone()).map_err(|says| (PathBuf::from(ABOUT), io::Error::other(says)))?;
        std::fs::write(place.folder().join(ABOUT), text).map_err(|e| (PathBuf::from(ABOUT), e))?;
        Ok(files)
    });
    let files = match written {
        Ok(files) => files,
        Err((file, e)) => return Ending::Failed(failed(to, &file, &e)),
    };
    if let Err(says) = place.settle() {
        return Ending::Failed(says);
    }
    match io::stdout().write_all(says(&day, to, &files).as_bytes()) {
        Ok(()) => Ending::Well,
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ending::Well,
        Err(e) => Ending::Failed(format!("standard output cannot be written ({e})")),
    }
}

fn failed(to: &Path, file: &Path, e: &io::Error) -> String {
    let (to, file) = (to.display(), file.display());
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk of {to} is full ({file}): a day needs up to 200 MiB; nothing was left there")
        }
        _ => format!("{file} of {to} cannot be written ({e}); nothing was left there"),
    }
}

fn says(day: &Day, to: &Path, files: &[Listed]) -> String {
    let wib = Zone::wib();
    let (rows, bytes) = files.iter().fold((0, 0), |(r, b), f| (r + f.rows.unwrap_or(0), b + f.bytes));
    format!(
        "{}, seed {}, {} to {} WIB: {} files with {rows} rows, {:.1} MiB, in {}\n\
         about.toml says what is in them; truth.toml has the answer: delete it before you let anybody guess.\n",
        day.scenario.name,
        day.seed,
        wib.format(stamp(day.lived.0), "%Y-%m-%d %H:%M"),
        // Midnight is the end of this day, not the beginning of the next.
        if day.lived.1 % 86_400_000 == 0 { "24:00".to_owned() } else { wib.hm(stamp(day.lived.1)) },
        files.len() + 1,
        bytes as f64 / f64::from(1 << 20),
        to.display(),
    )
}

/// What is left to write, in order of size: whoever is free takes the next.
enum Job {
    Logs,
    Part(&'static Part),
}

/// What was not to be written, and why.
type Failed = (PathBuf, io::Error);

/// Writes all files but `about.toml`, and lists them in their order.
fn write(day: &Day, into: &Path, stop: &AtomicBool) -> Result<Vec<Listed>, Failed> {
    for sub in ["mrg", "orch", "upg", "ho", "logs"] {
        std::fs::create_dir(into.join(sub)).map_err(|e| (PathBuf::from(sub), e))?;
    }
    let jobs = Mutex::new([Job::Logs].into_iter().chain(export::parts(&day.scenario).map(Job::Part)));
    // The lock is held to take a job, not while it is done.
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || -> Result<Vec<Listed>, Failed> {
        let mut listed = Vec::new();
        while let Some(job) = next() {
            let done = match job {
                Job::Logs => logs(day, into, stop),
                Job::Part(part) => one(day, part, into, stop).map(|listed| vec![listed]),
            };
            match done {
                Ok(files) => listed.extend(files),
                Err(failed) => {
                    // The others need not go on.
                    stop.store(true, Ordering::Relaxed);
                    return Err(failed);
                }
            }
        }
        Ok(listed)
    };
    let results = std::thread::scope(|scope| {
        let start = |i: usize| std::thread::Builder::new().name(format!("export-{i}")).spawn_scoped(scope, worker);
        let others: Vec<_> = (1..WRITERS).filter_map(|i| start(i).ok()).collect();
        let mut results = vec![worker()];
        for thread in others {
            results.push(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    let mut files = Vec::new();
    let mut failures = Vec::new();
    for result in results {
        match result {
            Ok(listed) => files.extend(listed),
            Err(failed) => failures.push(failed),
        }
    }
    // Whoever was stopped for somebody else's failure has nothing to say of it.
    failures.sort_by_key(|(_, e)| stopped(e));
    if let Some(failed) = failures.into_iter().next() {
        return Err(failed);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn one(day: &Day, part: &Part, into: &Path, stop: &AtomicBool) -> Result<Listed, Failed> {
    let done = Stoppable::create(&into.join(part.path), stop).and_then(|mut out| {
        let rows = part.write(day, &mut out)?;
        Ok(Listed::part(part, rows, out.file.metadata()?.len()))
    });
    done.map_err(|e| (PathBuf::from(part.path), e))
}

fn logs(day: &Day, into: &Path, stop: &AtomicBool) -> Result<Vec<Listed>, Failed> {
    let path = |name: &str| format!("logs/{name}");
    let open = |name: &str| {
        let file = Stoppable::create(&into.join(path(name)), stop)?;
        Ok(BufWriter::with_capacity(BUFFER, file))
    };
    let entries = export::logs(day, open).map_err(|e| (PathBuf::from("logs"), e))?;
    let listed = entries.into_iter().map(|(name, entries)| {
        let path = path(&name);
        let bytes = std::fs::metadata(into.join(&path)).map_err(|e| (PathBuf::from(&path), e))?.len();
        Ok(Listed::log(path, entries, bytes))
    });
    listed.collect()
}

/// A file that is not written on when somebody wants it to end.
struct Stoppable<'s> {
    file: File,
    stop: &'s AtomicBool,
}

impl<'s> Stoppable<'s> {
    fn create(path: &Path, stop: &'s AtomicBool) -> io::Result<Self> {
        File::create_new(path).map(|file| Self { file, stop })
    }
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            // Not `Interrupted`: that is tried again.
            return Err(io::Error::other(Stopped));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Why a file was not written on.
#[derive(Debug, thiserror::Error)]
#[error("it was stopped")]
struct Stopped;

fn stopped(e: &io::Error) -> bool {
    e.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Stopped>)
}
