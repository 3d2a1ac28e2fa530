//! Recordings and what can happen to them: kills, torn ends, flipped bytes, full disks, second writers.

mod damage;
mod disk;
mod random;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use warroom::model::batch::Samples;
use warroom::model::database::{Counters, DbSample};
use warroom::model::health::{Health, State};
use warroom::model::log::{Level, LogLine};
use warroom::model::{Batch, Fact, Lapse, Span, Stamp, Untrusted};
use warroom::recording::{OpenError, Options, Reader, Recorder};
use warroom::store::Store;

const T0: Stamp = Stamp::from_secs(1_736_683_200);

/// A second of five series.
fn second(n: i64) -> Batch {
    let at = T0 + Lapse::seconds(n);
    let values = (0..5).map(|s| (format!("metrics.s{s}").into(), (n * 10 + s) as f64 + 0.25)).collect();
    let facts = vec![Fact::Samples(Samples { at, values })];
    Batch { source: "metrics".into(), seq: n as u64 + 1, seen: at, facts }
}

/// A second of everything: samples, a look at a database, a log line, now and then a change of health.
fn busy(n: i64) -> [Batch; 3] {
    let at = T0 + Lapse::seconds(n);
    let counters = Counters { commits: n * 40, ..Counters::default() };
    let look = DbSample { at, max_connections: 500, counters: Some(counters), ..DbSample::default() };
    let mut facts = vec![Fact::Database(Box::new(look))];
    if n % 90 == 0 {
        let (code, says) = (String::new(), Untrusted::default());
        facts.push(Fact::Health(Health { at, state: State::Well, code, says, remedy: "".into(), next: None }));
    }
    let line = LogLine {
        at,
        service: "mrg-api".into(),
        level: if n % 3 == 0 { Level::Error } else { Level::Info },
        order: Some(format!("ORD-{}", n % 7).into()),
        trace: None,
        message: format!("acquire took {n} ms\u{1b}[2J").into(),
        stack: vec![],
    };
    let batch = |source: &str, facts| Batch { source: source.into(), seq: n as u64 + 1, seen: at, facts };
    [second(n), batch("mrg", facts), batch("logs", vec![Fact::Lines(vec![line])])]
}

fn small(segment_bytes: u64) -> Options {
    Options { segment_bytes, segment_lapse: Lapse::hours(48), keep_free: 0 }
}

fn record(folder: &Path, options: Options, batches: &[Batch]) -> Recorder {
    let mut recorder = Recorder::open(folder, options).unwrap();
    for batch in batches {
        assert_eq!(recorder.append(batch), None);
    }
    recorder
}

fn read(folder: &Path) -> (Vec<Batch>, Vec<String>) {
    let (reader, _) = Reader::open(folder).unwrap();
    let batches = reader.batches().map(Arc::unwrap_or_clone).collect();
    (batches, reader.damage().iter().map(ToString::to_string).collect())
}

fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = entries.filter(|p| p.to_string_lossy().ends_with(suffix)).collect();
    files.sort();
    files
}

fn applied<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> Store {
    let mut store = Store::default();
    batches.into_iter().for_each(|b| store.apply(b));
    store
}

#[test]
fn what_was_recorded_is_read_back_in_order_of_arrival() {
    let folder = tempfile::tempdir().unwrap();
    let mut batches: Vec<Batch> = (0..50).map(second).collect();
    // A clock that was set back by an hour half-way.
    batches[25..].iter_mut().for_each(|b| b.seen = b.seen - Lapse::hours(1));
    let recorder = record(folder.path(), small(1500), &batches);
    assert_eq!(read(folder.path()), (batches.clone(), vec![]), "while it is being written");
    assert!(recorder.state().segments > 2);
    recorder.finish().unwrap();
    assert_eq!(read(folder.path()), (batches, vec![]));
    assert!(files(folder.path(), ".jsonl").is_empty() && files(folder.path(), ".index").len() > 2);
    let plain = Command::new("gzip").arg("-dc").arg(&files(folder.path(), ".gz")[0]).output().unwrap();
    assert!(plain.status.success() && plain.stdout.starts_with(b"{\"warroom\":1"), "gzip reads it too");
}

#[test]
fn two_warrooms_do_not_write_one_recording() {
    let folder = tempfile::tempdir().unwrap();
    let first = record(folder.path(), small(1 << 20), &[second(0)]);
    let Err(refused) = Recorder::open(folder.path(), small(1 << 20)) else { panic!("it was let in") };
    assert!(matches!(refused, OpenError::Busy { process, .. } if process == Some(std::process::id())));
    assert!(refused.to_string().contains("quit that one, or choose another folder"), "{refused}");
    drop(first);
    // The lock file is still there; nobody holds it.
    record(folder.path(), small(1 << 20), &[second(1)]);
    assert_eq!(read(folder.path()).0, [second(0), second(1)]);
}

/// Not a test of its own: the process that the next test kills.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os("WARROOM_TEST_WRITES_INTO") else { return };
    let mut recorder = Recorder::open(Path::new(&folder), small(20_000)).unwrap();
    for n in 0.. {
        recorder.append(&second(n));
        println!("shown {n}");
    }
}

#[test]
fn a_kill_loses_nothing_that_was_shown() {
    let folder = tempfile::tempdir().unwrap();
    for run in 0..3 {
        let before = if run == 0 { 0 } else { read(folder.path()).0.len() };
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["recording::writes_until_it_is_killed", "--exact", "--nocapture"])
            .env("WARROOM_TEST_WRITES_INTO", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(writer.stdout.take().unwrap()).lines();
        let shown = |line: String| line.split("shown ").nth(1).and_then(|n| n.parse::<usize>().ok());
        let mut last = None;
        while last.is_none_or(|n| n < 300 + run * 77) {
            last = out.next().and_then(|line| shown(line.unwrap())).or(last);
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        // What stood in the pipe was shown too.
        let last = out.filter_map(|line| shown(line.unwrap())).last().or(last).unwrap();
        let (batches, damage) = read(folder.path());
        assert_eq!(damage, Vec::<String>::new());
        let written: Vec<Batch> = batches[before..].to_vec();
        assert!(written.len() > last, "{} of {last}", written.len());
        assert!(written.iter().zip(0..).all(|(b, n)| *b == second(n)));
    }
    let before = read(folder.path()).0;
    Recorder::open(folder.path(), small(20_000)).unwrap().finish().unwrap();
    assert_eq!(read(folder.path()), (before, vec![]), "closing what was left open changes nothing");
    assert!(files(folder.path(), ".jsonl").is_empty());
}

#[test]
fn a_recording_opens_from_its_indexes_and_a_stretch_from_the_parts_it_is_in() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..3 * 3600).flat_map(busy).collect();
    record(folder.path(), small(200_000), &batches).finish().unwrap();
    let segments = files(folder.path(), ".gz").len();
    assert!(segments > 20, "{segments}");
    let (reader, damage) = Reader::open(folder.path()).unwrap();
    assert!(damage.is_empty());
    let live = applied(&batches);
    let mut opened = reader.overview();
    let tail = reader.decoded();
    assert!(tail < segments && tail <= 24, "only the newest 4 MB of text are decoded: {tail} of {segments}");
    assert_eq!((opened.oldest, opened.newest), (live.oldest, live.newest));
    assert_eq!(opened.logs.arrived(), live.logs.arrived());
    for name in live.series_names() {
        let columns = |s: &Store| s.series(name).unwrap().columns(T0, Lapse::minutes(5), 40);
        assert_eq!(columns(&opened), columns(&live), "{name}");
    }

    let looked_at = Span::new(T0 + Lapse::seconds(1003), T0 + Lapse::seconds(1100));
    let missing = opened.missing(looked_at).unwrap();
    let loaded = reader.load(missing);
    assert!(reader.decoded() - tail <= 3, "{} parts for two minutes", reader.decoded() - tail);
    for _ in 0..2 {
        opened.insert_past(missing, &loaded);
    }
    assert_eq!(opened.missing(looked_at), None);
    for name in live.series_names() {
        let columns = |s: &Store| s.series(name).unwrap().columns(looked_at.from, Lapse::seconds(1), 97);
        assert_eq!(columns(&opened), columns(&live), "{name}");
    }
    let lines = |s: &Store| s.logs.within(looked_at).iter().map(|k| (k.number, k.line.clone())).collect::<Vec<_>>();
    assert_eq!(lines(&opened), lines(&live));
    let at = looked_at.from + Lapse(500_000);
    assert_eq!(opened.database("mrg").unwrap().at(at), live.database("mrg").unwrap().at(at));
    assert_eq!(opened.database("mrg").unwrap().at(T0 + Lapse::seconds(17)), None, "an older look is not passed off");
    assert_eq!(opened.logs.arrived(), live.logs.arrived());
}

#[test]
fn an_index_is_a_cache_and_is_made_again_with_the_same_content() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..4 * 3600).flat_map(busy).collect();
    record(folder.path(), small(500_000), &batches).finish().unwrap();
    let indexes = files(folder.path(), ".index");
    let written: Vec<Vec<u8>> = indexes.iter().map(|p| std::fs::read(p).unwrap()).collect();
    std::fs::remove_file(&indexes[0]).unwrap();
    let mut broken = written[1].clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    std::fs::write(&indexes[1], &broken).unwrap();
    std::fs::write(&indexes[2], &written[2][..100]).unwrap();
    let (reader, _) = Reader::open(folder.path()).unwrap();
    reader.overview();
    assert_eq!(reader.damage(), []);
    for (path, before) in indexes.iter().zip(&written) {
        assert!(std::fs::read(path).unwrap() == *before, "{}", path.display());
    }
}

#[test]
fn a_recording_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let header = b"{\"warroom\":2,\"segment\":1";
    let line = format!("{},\"c\":{}}}\n", str::from_utf8(header).unwrap(), warroom::recording::line::crc(header));
    std::fs::write(folder.path().join("000001.jsonl"), &line).unwrap();
    for refused in [
        Reader::open(folder.path()).err().unwrap().to_string(),
        Recorder::open(folder.path(), small(1)).err().unwrap().to_string(),
    ] {
        assert!(refused.contains("newer warroom (format 2, this one reads up to 1)"), "{refused}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("000001.jsonl")).unwrap(), line);
}

#[test]
fn values_of_five_hundred_series_take_few_bytes_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let values = |n: i64| (0..500).map(move |s| (format!("metrics.series_number_{s}").into(), ((n * s) % 997) as f64));
    let batch = |n: i64| {
        let samples = Samples { at: T0 + Lapse::seconds(n), values: values(n).collect() };
        Batch { source: "metrics".into(), seq: n as u64 + 1, seen: samples.at, facts: vec![Fact::Samples(samples)] }
    };
    let batches: Vec<Batch> = (0..600).map(batch).collect();
    let recorder = record(folder.path(), small(64 << 20), &batches);
    let open = recorder.state().bytes as f64 / 300_000.0;
    recorder.finish().unwrap();
    let size = |suffix| files(folder.path(), suffix).iter().map(|p| p.metadata().unwrap().len()).sum::<u64>() as f64;
    let (closed, index) = (size(".gz") / 300_000.0, size(".index") / 300_000.0);
    println!("bytes a point: {open:.2} while written, {closed:.2} closed, {index:.2} index");
    assert!(open < 5.0 && closed < 2.5 && index < 1.1, "{open} {closed} {index}");
}
