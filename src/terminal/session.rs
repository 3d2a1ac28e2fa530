//! The screen is entered once and left once, whoever leaves it: the end of the loop, a `?`, a signal, or
//! the panic hook. Everything set is taken back in reverse order.
//!
//! The session also guards the pen: whoever writes to the tty holds it, so that a frame and the leaving
//! sequence never interleave, and nothing is written after leaving.

use crate::terminal::tty::{Tty, WriteError};
use crossterm::{cursor, event, queue, style, terminal};
use rustix::termios::Termios;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The session of this process, for the panic hook, which gets no arguments.
static CURRENT: OnceLock<Arc<Session>> = OnceLock::new();

/// The terminal while the program has its screen.
#[derive(Debug)]
pub struct Session {
    tty: Tty,
    before: Termios,
    thread: std::thread::ThreadId,
    inside: AtomicBool,
    gone: AtomicBool,
    leaving: AtomicBool,
    ended: AtomicBool,
    mouse: AtomicBool,
    pen: Mutex<()>,
}

impl Session {
    /// Takes the terminal over: raw mode, alternate screen, no cursor, bracketed paste. The calling thread
    /// becomes the one whose panic gives the terminal back. At most once in a process.
    pub fn enter(tty: Tty) -> Result<Arc<Self>, String> {
        // warroom decides about colour itself; see `caps`.
        style::force_color_output(true);
        let cannot = |e: io::Error| format!("the terminal cannot be set up ({e}): try another terminal, or `reset`");
        let before = tty.modes().map_err(cannot)?;
        let session = Arc::new(Self {
            tty,
            before,
            thread: std::thread::current().id(),
            inside: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            mouse: AtomicBool::new(false),
            pen: Mutex::new(()),
        });
        if CURRENT.set(session.clone()).is_err() {
            return Err("the terminal was already taken over once".to_owned());
        }
        session.resume().map_err(cannot)?;
        Ok(session)
    }

    /// The session of this process, when there is one.
    pub fn current() -> Option<&'static Arc<Self>> {
        CURRENT.get()
    }

    /// The device.
    pub const fn tty(&self) -> &Tty {
        &self.tty
    }

    /// Whether the calling thread is the one that draws.
    pub fn is_ui_thread(&self) -> bool {
        std::thread::current().id() == self.thread
    }

    /// Takes the screen (again, after a suspension). Setting the line discipline comes first: it stops a
    /// process that was continued in the background before anything is written.
    pub fn resume(&self) -> io::Result<()> {
        self.tty.raw(&self.before)?;
        let mut out = Vec::with_capacity(64);
        queue!(out, terminal::EnterAlternateScreen, cursor::Hide, event::EnableBracketedPaste)?;
        if self.mouse.load(Ordering::Acquire) {
            queue!(out, event::EnableMouseCapture)?;
        }
        self.leaving.store(false, Ordering::Release);
        self.inside.store(true, Ordering::Release);
        self.write(&out).map_err(|e| io::Error::other(e.to_string()))
    }

    /// Gives the terminal back. The first call does it, every other one does nothing.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.inside.swap(false, Ordering::AcqRel) || self.gone.load(Ordering::Acquire) {
            return;
        }
        let mut out = Vec::with_capacity(96);
        // Queueing into memory does not fail; and on the way out there is nobody left to tell.
        let _ = queue!(out, style::ResetColor, style::SetAttribute(style::Attribute::Reset));
        if self.mouse.load(Ordering::Acquire) {
            let _ = queue!(out, event::DisableMouseCapture);
        }
        let _ = queue!(out, event::DisableBracketedPaste, cursor::Show, terminal::LeaveAlternateScreen);
        let _ = self.tty.write_all(&out, &self.leaving);
        let _ = self.tty.restore(&self.before);
    }

    /// The loop is over: what follows is tidying up, which takes as long as it takes.
    pub fn end(&self) {
        self.leave();
        self.ended.store(true, Ordering::Release);
    }

    /// Whether the loop is over.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// The other side hung up: nothing is written any more, not even the way back.
    pub fn hang_up(&self) {
        self.gone.store(true, Ordering::Release);
        self.leaving.store(true, Ordering::Release);
    }

    /// Writes a whole piece, alone. Does nothing after leaving.
    pub fn write(&self, bytes: &[u8]) -> Result<(), WriteError> {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.inside.load(Ordering::Acquire) {
            return Ok(());
        }
        if self.gone.load(Ordering::Acquire) {
            return Err(WriteError::Gone);
        }
        self.tty.write_all(bytes, &self.leaving)
    }

    /// Mouse capture on or off, remembered over suspensions and undone on leaving.
    pub fn mouse(&self, on: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(40);
        if self.mouse.swap(on, Ordering::AcqRel) != on {
            // Queueing into memory does not fail.
            let _ = if on { queue!(out, event::EnableMouseCapture) } else { queue!(out, event::DisableMouseCapture) };
        }
        out
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Leaves when it goes out of scope: for every `?` between entering and the end.
#[derive(Debug)]
pub struct Guard(pub Arc<Session>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.leave();
    }
}
