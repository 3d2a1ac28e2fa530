//! A disk that fills up while recording: said once, the screen goes on, writing resumes by itself.

use super::{read, second, small};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use warroom::model::{Batch, Fact};
use warroom::recording::volume::{Append, Disk, Volume};
use warroom::recording::{Options, Recorded, Recorder};

/// A disk with so much room.
#[derive(Clone)]
struct Small(Arc<AtomicU64>);

struct Appended(Box<dyn Append>, Small);

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Like a real one, it takes what still fits before it refuses.
        let room = (self.1.0.load(Ordering::SeqCst) as usize).min(bytes.len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.1.0.fetch_sub(room as u64, Ordering::SeqCst);
        self.0.write(&bytes[..room])
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Append for Appended {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.0.cut(length)
    }
}

impl Volume for Small {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        Ok(Box::new(Appended(Disk.create(path)?, self.clone())))
    }
    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

fn losses(batches: &[Batch]) -> Vec<String> {
    let loss = |f: &Fact| if let Fact::Loss(l) = f { Some(l.says.raw().to_owned()) } else { None };
    batches.iter().flat_map(|b| &b.facts).filter_map(loss).collect()
}

#[test]
fn a_full_disk_is_said_once_and_recording_resumes_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Small(Arc::new(AtomicU64::new(2000)));
    let mut recorder = Recorder::open_on(Arc::new(disk.clone()), folder.path(), small(1 << 20)).unwrap();
    let mut troubles = Vec::new();
    let mut back = Vec::new();
    for n in 0..60 {
        if n == 40 {
            disk.0.store(1 << 20, Ordering::SeqCst);
        }
        back.extend(recorder.append(&second(n)));
        let trouble = recorder.state().trouble.clone();
        if troubles.last() != Some(&trouble) {
            troubles.push(trouble);
        }
    }
    let [None, Some(said), None] = &troubles[..] else { panic!("{troubles:?}") };
    assert!(said.contains("is full; make room there and it resumes by itself"), "{said}");
    recorder.finish().unwrap();
    let (got, damage) = read(folder.path());
    assert_eq!(damage, Vec::<String>::new(), "the half-written line was cut off");
    let seconds: Vec<Batch> = got.iter().filter(|b| &*b.source == "metrics").cloned().collect();
    let kept = seconds.iter().take_while(|b| b.seq <= 40).count();
    assert!(kept > 3 && kept < 30);
    assert_eq!(seconds[..kept], (0..kept as i64).map(second).collect::<Vec<_>>());
    assert_eq!(seconds[kept..], (40..60).map(second).collect::<Vec<_>>());
    let missed = format!("{} batches were not recorded: the disk of the recording was full or failed", 40 - kept);
    assert_eq!((losses(&got), losses(&back)), (vec![missed.clone()], vec![missed]), "recorded and shown");
}

#[test]
fn the_last_room_of_a_disk_is_left_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Small(Arc::new(AtomicU64::new(10 << 20)));
    let options = Options { keep_free: (10 << 20) - 1500, ..Options::default() };
    let mut recorder = Recorder::open_on(Arc::new(disk.clone()), folder.path(), options).unwrap();
    for n in 0..100 {
        recorder.append(&second(n));
    }
    let trouble = recorder.state().trouble.clone().unwrap();
    assert!(trouble.contains("9 MB are free") && trouble.contains("kept free"), "{trouble}");
    assert!(disk.0.load(Ordering::SeqCst) > (10 << 20) - 4000);
}

#[test]
fn every_batch_goes_on_to_the_screen_while_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Small(Arc::new(AtomicU64::new(1500)));
    let recorder = Recorder::open_on(Arc::new(disk), folder.path(), small(1 << 20)).unwrap();
    let (sources, input) = tokio::sync::mpsc::channel(4);
    let (output, mut screen) = tokio::sync::mpsc::channel(4);
    let thread = recorder.spawn(input, output).unwrap();
    let feeder = std::thread::spawn(move || {
        for n in 0..50 {
            sources.blocking_send(second(n)).unwrap();
        }
    });
    let (mut shown, mut troubles) = (Vec::new(), 0);
    while let Some(recorded) = screen.blocking_recv() {
        match recorded {
            Recorded::Batch(batch) => shown.push(Arc::unwrap_or_clone(batch)),
            Recorded::State(state) => troubles += usize::from(state.trouble.is_some()),
        }
    }
    feeder.join().unwrap();
    thread.join().unwrap();
    assert_eq!(shown, (0..50).map(second).collect::<Vec<_>>());
    assert!(troubles > 0);
}
