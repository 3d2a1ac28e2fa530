//! A service that writes twenty thousand lines a second for ten minutes into a file that is rotated every twenty
//! seconds, followed as the program follows it: the real follower, the recorder, the store with its miner. Every
//! line has a number, so that what is lost or told twice is seen.
//!
//! `WARROOM_BENCH_FOLLOW=SECONDS cargo bench --bench logs`; the writer is a process of its own.

use crate::dump;
use crate::scale::peak;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warroom::config::LogConfig;
use warroom::model::{Batch, Fact, Lapse, Zone};
use warroom::recording::{Options, Recorder};
use warroom::source::clock::{Clock, now};
use warroom::source::logs::{Known, follow};
use warroom::store::Store;

const A_SECOND: u64 = 20_000;
/// Lines of a file before it is rotated.
const ROTATED: u64 = 400_000;
/// The writer writes so often a second.
const TICKS: u64 = 20;

/// The writer's part: `lines` of them at the promised pace.
pub fn write(folder: &Path, lines: u64) {
    let (path, zone) = (folder.join("app.log"), Zone::wib());
    let begun = Instant::now();
    let mut file = File::create(&path).unwrap();
    let mut page = Vec::new();
    let mut done = 0;
    while done < lines {
        let at = zone.format(now(), "%Y-%m-%dT%H:%M:%S%.3f");
        for i in done..lines.min(done + A_SECOND / TICKS) {
            dump::line(i, &at, &mut page).unwrap();
        }
        file.write_all(&page).unwrap();
        page.clear();
        let before = done;
        done = lines.min(done + A_SECOND / TICKS);
        if before / ROTATED != done / ROTATED {
            std::fs::rename(&path, folder.join("app.log.1")).unwrap();
            file = File::create(&path).unwrap();
        }
        let due = Duration::from_secs_f64(done as f64 / A_SECOND as f64);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
}

/// Processor seconds of this process.
fn own() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind = stat.rsplit(") ").next().unwrap();
    let fields: Vec<f64> = behind.split(' ').map(|f| f.parse().unwrap_or(0.0)).collect();
    (fields[11] + fields[12]) / 100.0
}

/// What came of the lines.
#[derive(Default)]
struct Came {
    lines: u64,
    /// Of the numbers of the lines, and of their squares: together they do not lie.
    sum: u128,
    squares: u128,
    losses: Vec<String>,
    latest: Lapse,
}

impl Came {
    fn take(&mut self, batch: &Batch) {
        for fact in &batch.facts {
            match fact {
                Fact::Lines(lines) => {
                    for line in lines {
                        let trace = line.trace.as_deref().unwrap();
                        let n = u128::from_str_radix(trace, 16).unwrap();
                        self.lines += 1;
                        self.sum += n;
                        self.squares += n * n;
                        self.latest = self.latest.max(now().since(line.at));
                    }
                }
                Fact::Loss(loss) => self.losses.push(loss.says.raw().to_owned()),
                _ => {}
            }
        }
    }
}

/// Follows for so long and says what it took.
pub fn measure(seconds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let lines = seconds * A_SECOND;
    let mut config = LogConfig::usual("app", &Zone::wib());
    config.paths = vec![folder.path().join("app.log")];
    config.order_fields = vec!["order_id".to_owned()];
    config.trace_fields = vec!["trace_id".to_owned()];
    let recording: PathBuf = folder.path().join("recording");
    let is_recorded = std::env::var_os("WARROOM_BENCH_UNRECORDED").is_none();
    let mut recorder = is_recorded.then(|| Recorder::open(&recording, Options::default()).unwrap());
    let (mut store, mut came) = (Store::default(), Came::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .env("WARROOM_BENCH_WRITE", folder.path())
        .env("WARROOM_BENCH_LINES", lines.to_string())
        .spawn()
        .unwrap();
    let (to, mut inbox) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let handle = {
        let _inside = runtime.enter();
        follow(config, now() - Lapse::minutes(5), Known::default(), &Clock::wall(), to, cancel.clone())
    };
    let (begun, before) = (Instant::now(), own());
    let mut told = 0;
    while came.lines < lines && begun.elapsed() < Duration::from_secs(seconds + 60) {
        let waiting = async { tokio::time::timeout(Duration::from_secs(1), inbox.recv()).await };
        let Ok(Some(batch)) = runtime.block_on(waiting) else { continue };
        came.take(&batch);
        if let Some(recorder) = &mut recorder {
            assert!(recorder.append(&batch).is_none());
        }
        store.apply(&batch);
        let minute = begun.elapsed().as_secs() / 60;
        if minute > told {
            told = minute;
            report(&came, begun, own() - before, &store);
        }
    }
    report(&came, begun, own() - before, &store);
    cancel.cancel();
    runtime.block_on(handle.ended());
    assert!(writer.wait().unwrap().success());
    let n = u128::from(lines);
    assert_eq!(came.losses, Vec::<String>::new());
    assert_eq!(came.lines, lines, "every line came");
    assert_eq!(came.sum, n * (n - 1) / 2, "and came once");
    assert_eq!(came.squares, (n - 1) * n * (2 * n - 1) / 6, "and is itself");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    println!("nothing lost of {lines} lines, nothing twice; load at the end {}", load.trim());
}

fn report(came: &Came, begun: Instant, cpu: f64, store: &Store) {
    let wall = begun.elapsed().as_secs_f64();
    println!(
        "{wall:>4.0} s: {} lines, {:.1} % of a core (budget 30), peak {} MiB, {} lines of them in memory ({} MiB), latest line {:.1} s behind",
        came.lines,
        cpu / wall * 100.0,
        peak(std::process::id()).unwrap_or_default() >> 10,
        store.logs.within(warroom::model::Span::new(warroom::model::Stamp(0), now() + Lapse::hours(1))).len(),
        store.logs.bytes() >> 20,
        came.latest.as_secs_f64(),
    );
}
