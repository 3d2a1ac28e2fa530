//! Closes segments in the background: compressed in parts that can be unpacked alone, with their index.
//!
//! The lines stay where they are until the compressed file is on the disk under its own name; whatever
//! interrupts this, the segment is read from one or the other.

use crate::recording::index;
use crate::recording::line::Decoder;
use crate::recording::segment::{self, Form, Segment, Text, closed_name};
use crate::store::derive::Deriver;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// Text in one part: what a question about two minutes unpacks at least.
const PART: usize = 256 << 10;
/// Measured on samples: level 6 takes three times as long for a tenth less.
const LEVEL: Compression = Compression::new(4);

/// The thread that closes segments.
#[derive(Debug)]
pub struct Closer {
    queue: Option<mpsc::Sender<Segment>>,
    thread: Option<JoinHandle<()>>,
    /// What closing has made the recording larger or smaller by, in bytes.
    pub change: Arc<AtomicI64>,
}

impl Closer {
    /// Starts the thread; it first closes what an earlier run has left open.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(folder: PathBuf, left_open: Vec<Segment>) -> io::Result<Self> {
        let (queue, segments) = mpsc::channel();
        let change = Arc::new(AtomicI64::new(0));
        let told = change.clone();
        let body = move || {
            let mut work = Work { deriver: None, folder, change: told, open: left_open };
            work.close_open();
            while let Ok(segment) = segments.recv() {
                work.open.push(segment);
                work.close_open();
            }
        };
        let thread = std::thread::Builder::new().name("recorder-closer".to_owned()).spawn(body)?;
        Ok(Self { queue: Some(queue), thread: Some(thread), change })
    }

    /// Has a segment closed; nobody writes into it any more.
    pub fn close(&self, segment: Segment) {
        if let Some(queue) = &self.queue {
            // A thread that is gone leaves the segment open, and the next run closes it.
            let _ = queue.send(segment);
        }
    }

    /// Waits until all that was handed over is closed.
    pub fn finish(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("closing a segment ended in a panic; it is closed when the recording is opened again");
        }
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.finish();
    }
}

struct Work {
    /// Has seen the looks at databases of all segments before; made when the first one is closed.
    deriver: Option<Deriver>,
    folder: PathBuf,
    change: Arc<AtomicI64>,
    open: Vec<Segment>,
}

impl Work {
    /// Closes in order; one that cannot be closed (a full disk) is tried again after the next.
    fn close_open(&mut self) {
        while let Some(segment) = self.open.first() {
            let segment = segment.clone();
            if let Err(e) = self.close_one(&segment) {
                tracing::warn!(segment = %segment.path.display(), error = %e, "a segment stays uncompressed for now");
                return;
            }
            self.open.remove(0);
        }
    }

    fn close_one(&mut self, segment: &Segment) -> io::Result<()> {
        let mut text = segment.text()?;
        let whole = text.bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let before = text.on_disk;
        text.bytes.truncate(whole);
        let packed = pack(&mut text)?;
        let closed =
            Segment { number: segment.number, path: self.folder.join(closed_name(segment.number)), form: Form::Closed };
        let mut file = tempfile::Builder::new().prefix(".segment-").tempfile_in(&self.folder)?;
        file.write_all(&packed)?;
        file.as_file().sync_all()?;
        file.persist(&closed.path)?;
        File::open(&self.folder)?.sync_all()?;
        let mut decoder = Decoder::default();
        let deriver = self.deriver.get_or_insert_with(|| deriver_before(&self.folder, segment.number));
        let (head, summary) = index::make(&closed.name(), &text, deriver.clone(), &mut decoder);
        index::carry(deriver, &summary.light);
        index::write(&closed, &head, &summary)?;
        fs::remove_file(&segment.path)?;
        self.change.fetch_add(packed.len() as i64 - before as i64, Ordering::Relaxed);
        Ok(())
    }
}

/// A deriver that has seen the looks of all segments before one.
fn deriver_before(folder: &Path, number: u32) -> Deriver {
    let mut deriver = Deriver::default();
    let mut decoder = Decoder::default();
    for segment in segment::list(folder).unwrap_or_default().iter().filter(|s| s.number < number) {
        match (index::read(segment, &mut decoder), segment.text()) {
            (Some((_, summary)), _) => index::carry(&mut deriver, &summary.light),
            (None, Ok(text)) => {
                let (_, summary) = index::make(&segment.name(), &text, deriver.clone(), &mut decoder);
                index::carry(&mut deriver, &summary.light);
            }
            // What cannot be read is reported by the reader; here only the first rate after it is missing.
            (None, Err(_)) => {}
        }
    }
    deriver
}

/// Compresses a text in parts of whole lines and notes where each lies.
fn pack(text: &mut Text) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(text.bytes.len() / 3);
    let mut start = 0;
    while start < text.bytes.len() {
        let rest = &text.bytes[start..];
        let enough = rest.iter().skip(PART).position(|b| *b == b'\n');
        let end = enough.map_or(text.bytes.len(), |i| start + PART + i + 1);
        let from = packed.len() as u64;
        let mut encoder = GzEncoder::new(packed, LEVEL);
        encoder.write_all(&text.bytes[start..end])?;
        packed = encoder.finish()?;
        text.members.push((from..packed.len() as u64, start..end));
        start = end;
    }
    text.on_disk = packed.len() as u64;
    Ok(packed)
}
