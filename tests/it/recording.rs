//! Recordings and what can happen to them.

use std::path::Path;
use std::sync::Arc;
use warroom::model::batch::Samples;
use warroom::model::{Batch, Fact, Stamp};
use warroom::recording::{OpenError, Options, Reader, Recorder};

fn second(n: i64) -> Batch {
    let at = Stamp::from_secs(1_736_683_200 + n);
    let values = (0..5).map(|s| (format!("metrics.s{s}").into(), (n * 10 + s) as f64)).collect();
    let facts = vec![Fact::Samples(Samples { at, values })];
    Batch { source: "metrics".into(), seq: n as u64 + 1, seen: at, facts }
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

#[test]
fn what_was_recorded_is_read_back_in_order_of_arrival() {
    let folder = tempfile::tempdir().unwrap();
    let mut batches: Vec<Batch> = (0..50).map(second).collect();
    // A clock that was set back by an hour half-way.
    batches[25..].iter_mut().for_each(|b| b.seen = Stamp(b.seen.0 - 3_600_000_000));
    let options = Options { segment_bytes: 1500, ..Options::default() };
    let mut recorder = record(folder.path(), options, &batches);
    assert_eq!(read(folder.path()), (batches.clone(), vec![]), "while it is being written");
    assert!(recorder.state().segments > 2);
    recorder.close().unwrap();
    drop(recorder);
    assert_eq!(read(folder.path()), (batches, vec![]));
}

#[test]
fn two_warrooms_do_not_write_one_recording() {
    let folder = tempfile::tempdir().unwrap();
    let first = record(folder.path(), Options::default(), &[second(0)]);
    let Err(refused) = Recorder::open(folder.path(), Options::default()) else { panic!("it was let in") };
    assert!(matches!(refused, OpenError::Busy { process, .. } if process == Some(std::process::id())));
    assert!(refused.to_string().contains("quit that one, or choose another folder"), "{refused}");
    drop(first);
    // The lock file is still there; nobody holds it.
    record(folder.path(), Options::default(), &[second(1)]);
    assert_eq!(read(folder.path()).0, [second(0), second(1)]);
}
