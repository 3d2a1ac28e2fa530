//! Appends batches to a folder of segments, then hands them on: what is shown was recorded first.
//!
//! A batch goes to the operating system in one write before it is handed on, so a kill loses nothing that
//! anybody saw. A disk that is full or fails stops the writing, not the screen: it is said once as a
//! state, what is missed is named in the recording, and writing resumes by itself. Time is taken from the
//! batches.

use crate::model::health::Loss;
use crate::model::{Batch, Fact, Lapse, Span, Stamp, Untrusted};
use crate::recording::closer::Closer;
use crate::recording::index::is_leftover;
use crate::recording::line::{Encoder, FORMAT};
use crate::recording::lock::Lock;
use crate::recording::reader::format_of;
use crate::recording::segment::{self, Form, Segment};
use crate::recording::volume::{Append, Disk, Volume};
use crate::recording::{OpenError, RecorderState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;

/// The source that names what the recording itself has missed.
pub const SOURCE: &str = "recording";

/// After a failed write the disk is left alone for this long.
const RETRY: Lapse = Lapse::seconds(1);

/// How a recording is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// A segment is closed when it has this many bytes…
    pub segment_bytes: u64,
    /// …or spans this much time.
    pub segment_lapse: Lapse,
    /// Bytes left free on the disk: the recording stops before it takes a bastion down.
    pub keep_free: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 4 << 20, segment_lapse: Lapse::minutes(30), keep_free: 256 << 20 }
    }
}

/// What comes out of the recorder.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// A batch: it is in the recording, or the state says why not.
    Batch(Arc<Batch>),
    /// The recorder's state, whenever it changed.
    State(RecorderState),
}

/// Writes a recording; the only one to do so while it lives.
pub struct Recorder {
    folder: PathBuf,
    options: Options,
    volume: Arc<dyn Volume>,
    current: Option<Current>,
    next_number: u32,
    closer: Closer,
    closed_bytes: u64,
    closed_segments: usize,
    state: RecorderState,
    missed: Option<Missed>,
    losses: u64,
    buffer: Vec<u8>,
    looked_at_disk: Option<Stamp>,
    /// Last, so that it is given back after the closer has ended.
    _lock: Lock,
}

/// The segment being written.
struct Current {
    file: Box<dyn Append>,
    encoder: Encoder,
    segment: Segment,
    bytes: u64,
    began: Stamp,
}

/// What could not be written.
struct Missed {
    from: Stamp,
    batches: u64,
    tried: Stamp,
}

impl Recorder {
    /// Opens a folder for writing, making it when it is not there.
    ///
    /// # Errors
    /// When another warroom writes into it, a newer one did, or the folder cannot be used.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(Disk), folder, options)
    }

    /// The same on another volume.
    ///
    /// # Errors
    /// As [`Recorder::open`].
    pub fn open_on(volume: Arc<dyn Volume>, folder: &Path, options: Options) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
        let lock = Lock::take(folder)?;
        let segments = segment::list(folder)?;
        for s in &segments {
            if let Some(format) = format_of(s).filter(|f| *f > FORMAT) {
                return Err(OpenError::TooNew { path: s.path.clone(), format });
            }
        }
        for s in segments.iter().filter(|s| s.form == Form::Open) {
            cut_torn_end(&s.path).map_err(|source| OpenError::Io { path: s.path.clone(), source })?;
        }
        remove_leftovers(folder);
        let closed_bytes = segments.iter().filter_map(|s| s.path.metadata().ok()).map(|m| m.len()).sum();
        let left_open = segments.iter().filter(|s| s.form == Form::Open).cloned().collect();
        let closer = Closer::start(folder.to_owned(), left_open)
            .map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
        let mut recorder = Self {
            closer,
            folder: folder.to_owned(),
            options,
            volume,
            _lock: lock,
            current: None,
            next_number: segments.last().map_or(1, |s| s.number + 1),
            closed_bytes,
            closed_segments: segments.len(),
            state: RecorderState { folder: folder.display().to_string(), ..RecorderState::default() },
            missed: None,
            losses: 0,
            buffer: Vec::new(),
            looked_at_disk: None,
        };
        recorder.refresh();
        Ok(recorder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it is doing.
    pub fn state(&self) -> &RecorderState {
        &self.state
    }

    /// Appends a batch. Failure is in [`Recorder::state`] and as a `Loss` in the batch that comes back when
    /// writing works again: it stands in the recording before `batch` and is to be shown before it.
    pub fn append(&mut self, batch: &Batch) -> Option<Batch> {
        if let Some(missed) = &mut self.missed {
            let waited = batch.seen.since(missed.tried);
            // A clock that was set back must not stop the recording for hours.
            if Lapse::ZERO <= waited && waited < RETRY {
                missed.batches += 1;
                return None;
            }
            missed.tried = batch.seen;
        }
        let resumed = self.missed.as_ref().map(|missed| self.loss(missed, batch.seen));
        match self.write(resumed.as_ref(), batch) {
            Ok(()) => {
                self.losses += u64::from(resumed.is_some());
                self.missed = None;
                self.state.trouble = None;
                self.state.flushed = Some(batch.seen);
                self.refresh();
                resumed
            }
            Err(trouble) => {
                self.stop(batch.seen, trouble);
                None
            }
        }
    }

    fn loss(&self, missed: &Missed, now: Stamp) -> Batch {
        let says =
            format!("{} batches were not recorded: the disk of the recording was full or failed", missed.batches);
        let loss = Loss { span: Span::new(missed.from, now), says: Untrusted::from(says) };
        Batch { source: SOURCE.into(), seq: self.losses + 1, seen: now, facts: vec![Fact::Loss(loss)] }
    }

    fn stop(&mut self, seen: Stamp, trouble: String) {
        self.abandon();
        let missed = self.missed.get_or_insert(Missed { from: seen, batches: 0, tried: seen });
        missed.batches += 1;
        if self.state.trouble.is_none() {
            self.state.trouble = Some(trouble);
        }
        self.refresh();
    }

    fn write(&mut self, before: Option<&Batch>, batch: &Batch) -> Result<(), String> {
        self.check_free(batch.seen)?;
        let folder = self.folder.display().to_string();
        let failed = |e: io::Error| trouble(&folder, &e);
        if self.current.as_ref().is_some_and(|c| self.is_full(c, batch.seen)) {
            self.close().map_err(failed)?;
        }
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.begin(batch.seen).map_err(failed)?,
        };
        self.buffer.clear();
        let encoded = before
            .into_iter()
            .chain([batch])
            .try_for_each(|b| current.encoder.batch(b, &mut self.buffer))
            .map_err(|e| format!("a batch of {} cannot be recorded: {e}", batch.source));
        let written = encoded.and_then(|()| current.file.write_all(&self.buffer).map_err(failed));
        if written.is_ok() {
            current.bytes += self.buffer.len() as u64;
        }
        self.current = Some(current);
        written
    }

    fn is_full(&self, current: &Current, seen: Stamp) -> bool {
        current.bytes >= self.options.segment_bytes || seen.since(current.began).abs() >= self.options.segment_lapse
    }

    fn check_free(&mut self, seen: Stamp) -> Result<(), String> {
        if self.missed.is_none() && self.looked_at_disk.is_some_and(|t| seen.since(t).abs() < RETRY) {
            return Ok(());
        }
        self.looked_at_disk = Some(seen);
        self.state.free = self.volume.free(&self.folder).ok();
        match self.state.free {
            Some(free) if free < self.options.keep_free => Err(format!(
                "not recording: {} MB are free on the disk of {}, and {} MB are kept free; make room there and it resumes by itself",
                free >> 20,
                self.folder.display(),
                self.options.keep_free >> 20
            )),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, seen: Stamp) -> io::Result<Current> {
        let number = self.next_number;
        let path = self.folder.join(segment::open_name(number));
        let mut file = self.volume.create(&path)?;
        let encoder = Encoder::default();
        let mut header = Vec::new();
        encoder.header(number, &mut header);
        if let Err(e) = file.write_all(&header) {
            drop(file);
            // An empty segment says nothing; it may go, and its number is free again.
            self.next_number += u32::from(std::fs::remove_file(&path).is_err());
            return Err(e);
        }
        self.next_number += 1;
        let segment = Segment { number, path, form: Form::Open };
        Ok(Current { file, encoder, segment, bytes: header.len() as u64, began: seen })
    }

    /// Ends the current segment: it is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk does not confirm it.
    pub fn close(&mut self) -> io::Result<()> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        self.closed_bytes += current.bytes;
        self.closed_segments += 1;
        let synced = current.file.sync();
        self.closer.close(current.segment);
        synced
    }

    /// Ends the recording: everything is on the disk and compressed when this returns.
    ///
    /// # Errors
    /// When the disk does not confirm it.
    pub fn finish(mut self) -> io::Result<()> {
        let closed = self.close();
        self.closer.finish();
        closed
    }

    /// Leaves a segment that cannot be written any more; what a failed write left at its end is cut off.
    fn abandon(&mut self) {
        let Some(mut current) = self.current.take() else { return };
        self.closed_bytes += current.bytes;
        self.closed_segments += 1;
        if current.file.cut(current.bytes).is_err() {
            // A torn last line is what every reader tolerates.
            tracing::warn!(segment = %current.segment.path.display(), "the end of a failed write could not be cut off");
        }
        self.closer.close(current.segment);
    }

    fn refresh(&mut self) {
        let closed = self.closed_bytes.saturating_add_signed(self.closer.change.load(Ordering::Relaxed));
        self.state.bytes = closed + self.current.as_ref().map_or(0, |c| c.bytes);
        self.state.segments = self.closed_segments + usize::from(self.current.is_some());
    }

    /// Records on a thread of its own until `input` ends, handing every batch on to `output`. When nobody
    /// takes the output any more the recording goes on.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn spawn(
        mut self,
        mut input: mpsc::Receiver<Batch>,
        output: mpsc::Sender<Recorded>,
    ) -> io::Result<std::thread::JoinHandle<()>> {
        std::thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            let mut told = RecorderState::default();
            let mut told_at = None;
            while let Some(batch) = input.blocking_recv() {
                let seen = batch.seen;
                let loss = self.append(&batch);
                for batch in loss.into_iter().chain([batch]) {
                    // The screen may be gone while the collecting goes on.
                    let _ = output.blocking_send(Recorded::Batch(Arc::new(batch)));
                }
                let due = told_at.is_none_or(|t| seen.since(t).abs() >= Lapse::seconds(1));
                let matters = self.state.trouble != told.trouble || self.state.segments != told.segments;
                if matters || due {
                    told = self.state.clone();
                    told_at = Some(seen);
                    let _ = output.blocking_send(Recorded::State(told.clone()));
                }
            }
            if let Err(e) = self.finish() {
                tracing::warn!(error = %e, "the last segment was not confirmed by the disk");
            }
        })
    }
}

/// A failed write in a sentence with its remedy.
fn trouble(folder: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("not recording: the disk of {folder} is full; make room there and it resumes by itself")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("not recording: {folder} cannot be written ({error}); allow it and it resumes by itself")
        }
        _ => format!("not recording: writing to {folder} failed ({error}); it is tried again every second"),
    }
}

/// Removes what a kill left half-written beside the segments; it was never part of the recording.
fn remove_leftovers(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // Lines whose compressed form is in place were about to be removed.
    let closed_too = |p: &Path| p.extension().is_some_and(|e| e == "jsonl") && p.with_extension("jsonl.gz").exists();
    for path in entries.map(|e| e.path()).filter(|p| is_leftover(p) || closed_too(p)) {
        if let Err(e) = std::fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), error = %e, "a half-written file could not be removed");
        }
    }
}

/// Cuts a line that a kill left unfinished.
fn cut_torn_end(path: &Path) -> io::Result<()> {
    let bytes = std::fs::read(path)?;
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    if whole < bytes.len() {
        std::fs::OpenOptions::new().write(true).open(path)?.set_len(whole as u64)?;
    }
    Ok(())
}
