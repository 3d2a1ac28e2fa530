//! The writer thread: the newest frame wins, the loop never waits for a slow terminal, and frames never
//! interleave. What is on the glass is known here and nowhere else.

use crate::terminal::encode::{Wire, encode};
use crate::terminal::session::Session;
use crate::terminal::tty::WriteError;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What has been written since the start.
#[derive(Debug, Default)]
pub struct Written {
    bytes: AtomicU64,
    frames: AtomicU64,
}

impl Written {
    /// Bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
    /// Frames in which something changed.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Slot {
    frame: Option<Buffer>,
    spare: Option<Buffer>,
    extra: Vec<u8>,
    repaint: bool,
    stop: bool,
    wire: Wire,
}

#[derive(Debug)]
struct Desk {
    slot: Mutex<Slot>,
    wake: Condvar,
    written: Arc<Written>,
}

impl Desk {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The UI's end of the writer thread.
#[derive(Debug)]
pub struct Writer {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `lost` is cancelled when the terminal is gone or refuses to be written to.
    pub fn start(session: Arc<Session>, wire: Wire, lost: CancellationToken) -> io::Result<Self> {
        let slot = Slot { frame: None, spare: None, extra: Vec::new(), repaint: true, stop: false, wire };
        let desk =
            Arc::new(Desk { slot: Mutex::new(slot), wake: Condvar::new(), written: Arc::new(Written::default()) });
        let theirs = desk.clone();
        let thread = std::thread::Builder::new().name("terminal writer".to_owned()).spawn(move || {
            // Also when the thread itself dies: the loop must not go on drawing into nothing.
            let _gone = lost.clone().drop_guard();
            write_frames(&theirs, &session);
        })?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// Hands a frame over and takes a buffer back for the next one. A frame that was not written yet is
    /// replaced.
    pub fn submit(&self, frame: &mut Buffer) {
        let mut slot = self.desk.slot();
        let back = slot.frame.take().or_else(|| slot.spare.take()).unwrap_or_else(|| Buffer::empty(Rect::ZERO));
        slot.frame = Some(std::mem::replace(frame, back));
        drop(slot);
        self.desk.wake.notify_one();
    }

    /// The next frame is painted whole.
    pub fn repaint(&self) {
        self.desk.slot().repaint = true;
    }

    /// Bytes of our own between two frames: a clipboard sequence, mouse modes.
    pub fn extra(&self, bytes: &[u8]) {
        self.desk.slot().extra.extend_from_slice(bytes);
        self.desk.wake.notify_one();
    }

    /// What the wire can carry, from the next frame on, which is painted whole.
    pub fn rewire(&self, wire: Wire) {
        let mut slot = self.desk.slot();
        slot.wire = wire;
        slot.repaint = true;
    }

    /// Counters.
    pub fn written(&self) -> Arc<Written> {
        self.desk.written.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.desk.slot().stop = true;
        self.desk.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its panic has been reported by the hook already.
            let _ = thread.join();
        }
    }
}

fn write_frames(desk: &Desk, session: &Session) {
    let mut glass = Buffer::empty(Rect::ZERO);
    let mut out: Vec<u8> = Vec::with_capacity(16 * 1024);
    loop {
        let (frame, repaint, wire) = {
            let mut slot = desk.slot();
            while slot.frame.is_none() && slot.extra.is_empty() && !slot.stop {
                slot = desk.wake.wait(slot).unwrap_or_else(PoisonError::into_inner);
            }
            if slot.stop {
                return;
            }
            out.clear();
            out.append(&mut slot.extra);
            let frame = slot.frame.take();
            let repaint = frame.is_some() && std::mem::take(&mut slot.repaint);
            (frame, repaint, slot.wire)
        };
        if let Some(frame) = frame {
            encode(&glass, &frame, repaint, wire, &mut out);
            desk.slot().spare = Some(std::mem::replace(&mut glass, frame));
        }
        if out.is_empty() {
            continue;
        }
        match session.write(&out) {
            Ok(()) => {
                desk.written.bytes.fetch_add(out.len() as u64, Ordering::Relaxed);
                desk.written.frames.fetch_add(1, Ordering::Relaxed);
            }
            // Given up while leaving: half a frame may be on the glass, the next one is painted whole.
            Err(WriteError::Stopped) => desk.slot().repaint = true,
            Err(WriteError::Gone | WriteError::Io(_)) => {
                session.hang_up();
                return;
            }
        }
    }
}
