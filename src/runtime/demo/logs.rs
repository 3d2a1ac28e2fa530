//! The demo's log lines over a real wire: the services' own files in the demo's folder, written as the evening goes
//! on, rotated once, and followed by the same source that follows real ones. They go with the folder.
//!
//! The world's clock is the play head. Where no file can be written, the demo goes on without the wire; a disk that
//! fills up later makes lines late, and none is lost or told twice.

use super::wiring::Evening;
use crate::config::{LogConfig, LogFormat};
use crate::model::{Lapse, Stamp, Zone};
use crate::simulator::cloud::Watch;
use crate::simulator::day::Day;
use crate::simulator::platform::ms;
use crate::simulator::scenario::Scenario;
use crate::simulator::wired::{BEFORE, LOGS};
use crate::simulator::{END, START, text};
use crate::source::clock::Clock;
use crate::source::logs::{Known, follow};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often the services write, in our own time.
const EVERY: Duration = Duration::from_millis(100);
/// Lines are written for so long of the evening at a time.
const STRETCH: Lapse = Lapse::seconds(5);
/// At most so many stretches before somebody may say stop: after a leap of the play head there are many.
const MOST: usize = 60;
/// The services' logs are rotated at 20:00.
const ROTATED: Stamp = Stamp(START.0 + Lapse::minutes(67).0);

/// The log files, for as long as this is kept.
#[derive(Debug)]
pub struct DemoLogs {
    folder: PathBuf,
    pods: Vec<String>,
    cancel: CancellationToken,
}

impl Drop for DemoLogs {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl DemoLogs {
    /// How late lines are by nature, in the evening's time at the usual pace: written ten times a second and read
    /// four times, with room for a slow machine.
    pub const LAG: Lapse = Lapse::minutes(1);

    /// A file for each pod below `folder`, empty yet.
    pub fn open(folder: &Path, scenario: &Scenario) -> io::Result<Self> {
        let folder = folder.join("logs");
        std::fs::create_dir(&folder)?;
        let pods = text::pods(scenario);
        for pod in &pods {
            File::create_new(folder.join(text::file(pod)))?;
        }
        Ok(Self { folder, pods, cancel: CancellationToken::new() })
    }

    /// What it is, for the screen of sources.
    pub fn what(&self) -> String {
        format!("temporary files of {} pods", self.pods.len())
    }

    /// Lets the services write from now on, and follows them. What is read is recorded and goes to the screen.
    pub fn ask(&self, evening: &Evening) {
        let (enter, entered) = mpsc::channel(64);
        let head = evening.head.clone();
        let clock = Clock::by(move || head.now());
        // Whatever the files hold is of this evening, however wrong a clock.
        let since = START - Lapse::hours(24);
        follow(config(&self.folder), since, Known::default(), &clock, enter, self.cancel.clone());
        // The Sunday before has been handed over under the same name.
        evening.hand_on(entered, |batch| batch.seq += BEFORE);
        let (made, head, cancel) = (evening.made.clone(), evening.head.clone(), self.cancel.clone());
        let folder = self.folder.clone();
        tokio::spawn(async move {
            // Making the evening takes a moment; the screen does not wait for it.
            let Ok(day) = tokio::task::spawn_blocking(move || made.day()).await else { return };
            cancel.run_until_cancelled(write(Services::new(folder, day), &head)).await;
        });
    }
}

/// Lets the services write until the evening is over.
async fn write(mut services: Services, head: &Watch) {
    while !services.done() {
        let now = head.now();
        let Ok(after) = tokio::task::spawn_blocking(move || services.write_until(now)).await else { return };
        services = after;
        if !services.behind(now) {
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// The services as far as they write logs.
struct Services {
    folder: PathBuf,
    day: Arc<Day>,
    until: Stamp,
    pages: BTreeMap<String, Page>,
}

impl Services {
    const fn new(folder: PathBuf, day: Arc<Day>) -> Self {
        Self { folder, day, until: START, pages: BTreeMap::new() }
    }

    fn behind(&self, head: Stamp) -> bool {
        self.until + STRETCH <= head.min(END)
    }

    fn done(&self) -> bool {
        self.until >= END && self.pages.values().all(|p| p.waiting.is_empty())
    }

    /// Writes what has been said before `head`, some stretches of it.
    fn write_until(mut self, head: Stamp) -> Self {
        for _ in 0..MOST {
            if !self.behind(head) {
                break;
            }
            let to = self.until + STRETCH;
            for line in text::files(&self.day, ms(self.until), ms(to)) {
                let page = self.pages.entry(line.file).or_default();
                page.waiting.extend_from_slice(line.text.as_bytes());
                page.waiting.push(b'\n');
            }
            self.until = to;
            if to == ROTATED {
                self.write_pages();
                self.rotate();
            }
        }
        self.write_pages();
        self
    }

    fn write_pages(&mut self) {
        for (name, page) in &mut self.pages {
            if let Err(e) = page.write(&self.folder.join(name)) {
                tracing::warn!(error = %e, name, "lines of the demo wait for room");
            }
        }
    }

    /// The old file gets another name, and a new one takes its place: as logrotate does it.
    fn rotate(&mut self) {
        for (name, page) in self.pages.iter_mut().filter(|(_, p)| p.waiting.is_empty()) {
            match std::fs::rename(self.folder.join(name), self.folder.join(format!("{name}.1"))) {
                Ok(()) => page.file = None,
                Err(e) => tracing::warn!(error = %e, name, "the demo's file is not rotated"),
            }
        }
    }
}

/// A file that is being written.
#[derive(Default)]
struct Page {
    file: Option<File>,
    waiting: Vec<u8>,
}

impl Page {
    /// Appends what waits. What finds no room goes on waiting, and nothing is written twice.
    fn write(&mut self, path: &Path) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().append(true).create(true).open(path)?),
        };
        while !self.waiting.is_empty() {
            match file.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => drop(self.waiting.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// What a configuration would say to follow them.
fn config(folder: &Path) -> LogConfig {
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    LogConfig {
        name: LOGS.to_owned(),
        paths: vec![folder.join("*.log")],
        service: None,
        format: LogFormat::Auto,
        time_fields: names(&["time"]),
        level_fields: names(&["level"]),
        message_fields: names(&["msg"]),
        service_fields: names(&["service"]),
        order_fields: names(&["order_id"]),
        trace_fields: Vec::new(),
        order_pattern: None,
        time_format: None,
        zone: Zone::wib(),
        read_back: Lapse::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::{lines, scenario};

    #[test]
    fn a_full_disk_makes_lines_wait_and_none_is_written_twice() {
        let dir = tempfile::tempdir().unwrap();
        let mut page = Page { waiting: b"said before\n".to_vec(), ..Page::default() };
        assert!(page.write(Path::new("/dev/full")).is_err());
        page.waiting.extend_from_slice(b"said meanwhile\n");
        assert!(page.write(Path::new("/dev/full")).is_err());
        page.file = None;
        let room = dir.path().join("orch-1.log");
        page.write(&room).unwrap();
        page.write(&room).unwrap();
        assert_eq!(std::fs::read_to_string(room).unwrap(), "said before\nsaid meanwhile\n");
    }

    #[test]
    fn only_what_has_been_said_by_the_play_head_is_written_however_it_moves() {
        let dir = tempfile::tempdir().unwrap();
        let day = Arc::new(Day::evening(scenario::named("pool").unwrap(), 1));
        let written = || -> usize {
            let files =
                std::fs::read_dir(dir.path()).unwrap().map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap());
            files.map(|text| text.lines().filter(|l| l.contains("2025-01-12")).count()).sum()
        };
        let said = |until: Stamp| lines::between(&day, ms(START), ms(until)).len();
        let at = |seconds: i64| START + Lapse::seconds(seconds);
        let services = Services::new(dir.path().to_owned(), Arc::clone(&day)).write_until(at(3));
        assert_eq!(written(), 0, "a stretch is written when it is over");
        let services = services.write_until(at(64));
        assert_eq!(written(), said(at(60)));
        // A pause, and somebody who looks back.
        let services = services.write_until(at(64)).write_until(at(10));
        assert_eq!(written(), said(at(60)));
        let mut services = services.write_until(END);
        assert!(services.behind(END), "a leap is made in several steps");
        while services.behind(END) {
            services = services.write_until(END);
        }
        assert_eq!(written(), said(END));
        assert!(services.done());
    }
}
