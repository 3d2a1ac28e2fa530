//! The screen as the runtime holds it: session, writer, look and one buffer. Draw a state, change the
//! look, suspend, leave.

use crate::app::App;
use crate::terminal::caps::Caps;
use crate::terminal::clipboard::Ways;
use crate::terminal::session::{Guard, Session};
use crate::terminal::tty::Tty;
use crate::terminal::writer::{Writer, Written};
use crate::view;
use crate::view::look::Glyphs;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Whom Ctrl-Z stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspend {
    /// Everything in the foreground: what the terminal itself would do (`cargo run` is our parent).
    Job,
    /// This process, because the signal came to it alone.
    Process,
}

/// The terminal with our screen on it.
#[derive(Debug)]
pub struct Screen {
    // Dropped first: no frame is written after the guard has left.
    writer: Writer,
    session: Arc<Session>,
    _guard: Guard,
    caps: Caps,
    buffer: Buffer,
    size: (u16, u16),
}

impl Screen {
    /// Takes the terminal over. `lost` is cancelled when it goes away. The error is a sentence.
    pub fn open(caps: Caps, mouse: bool, lost: CancellationToken) -> Result<Self, String> {
        let tty = Tty::open().ok_or_else(|| {
            "warroom needs a terminal for its screen: start it without redirecting, or use warroom record".to_owned()
        })?;
        let size = tty.size();
        let session = Session::enter(tty)?;
        let guard = Guard(session.clone());
        watchdog(Arc::clone(&session)).map_err(|e| format!("the system starts no more threads ({e})"))?;
        let writer = Writer::start(session.clone(), caps.wire(), lost)
            .map_err(|e| format!("the thread that writes to the terminal could not be started ({e})"))?;
        let screen = Self { writer, session, _guard: guard, caps, buffer: Buffer::empty(Rect::ZERO), size };
        if mouse {
            screen.mouse(true);
        }
        Ok(screen)
    }

    /// Columns and rows.
    pub const fn size(&self) -> (u16, u16) {
        self.size
    }
    /// Asks the terminal for its size again. The next frame is painted whole even when the size is the same:
    /// several resizes may arrive as one, and the terminal has cut its picture in between.
    pub fn resized(&mut self) -> (u16, u16) {
        self.size = self.session.tty().size();
        self.writer.repaint();
        self.size
    }
    /// Draws the state and hands the frame to the writer; returns at once.
    pub fn draw(&mut self, app: &App) {
        let (width, height) = self.size;
        self.buffer.resize(Rect::new(0, 0, width, height));
        self.buffer.reset();
        view::draw(app, &self.caps.look, &mut self.buffer);
        self.writer.submit(&mut self.buffer);
    }
    /// The next frame is painted whole.
    pub fn repaint(&self) {
        self.writer.repaint();
    }
    /// Mouse capture on or off.
    pub fn mouse(&self, on: bool) {
        let bytes = self.session.mouse(on);
        self.writer.extra(&bytes);
    }
    /// Other glyphs, from the next frame on.
    pub fn glyphs(&mut self, glyphs: Glyphs) {
        self.caps.look.glyphs = glyphs;
        self.writer.rewire(self.caps.wire());
    }
    /// Ways to copy from here.
    pub const fn ways(&self) -> Ways {
        self.caps.ways
    }
    /// A sequence of our own between two frames.
    pub fn send(&self, bytes: &[u8]) {
        self.writer.extra(bytes);
    }
    /// What has been written so far.
    pub fn written(&self) -> Arc<Written> {
        self.writer.written()
    }
    /// Whether the terminal went away without a signal (a `nohup` ignores the one that would have come).
    pub fn gone(&self) -> bool {
        self.session.tty().gone()
    }
    /// Nothing may be written any more.
    pub fn hang_up(&self) {
        self.session.hang_up();
    }
    /// Gives the terminal back, stops the whole process, and takes the terminal again when continued.
    pub fn suspend(&mut self, whom: Suspend) -> Result<(), String> {
        use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
        self.session.leave();
        // SIGSTOP because SIGTSTP would only reach our own handler again.
        let stopped = match whom {
            Suspend::Job => kill_current_process_group(Signal::STOP),
            Suspend::Process => kill_process(getpid(), Signal::STOP),
        };
        if let Err(e) = stopped {
            tracing::warn!(error = %e, "could not be suspended");
        }
        self.resume()
    }
    /// Takes the terminal again: after being continued, and when a shell may have changed it meanwhile.
    pub fn resume(&mut self) -> Result<(), String> {
        self.session.resume().map_err(|e| format!("the terminal could not be taken over again ({e})"))?;
        self.resized();
        Ok(())
    }
    /// Gives the terminal back for good.
    pub fn leave(&self) {
        self.session.end();
    }
}

/// What a shell reports for a program that ended by SIGHUP.
const HUNG_UP: i32 = 129;
/// How long the loop has to leave in order once its terminal is gone.
const IN_ORDER: std::time::Duration = std::time::Duration::from_secs(2);

/// Ends the program when its terminal is gone and the loop does not: crossterm 0.29 reads a vanished
/// terminal again and again without ever giving the loop back (crossterm#793). Nothing is lost by it:
/// every batch was handed to the system before it was shown.
fn watchdog(session: Arc<Session>) -> std::io::Result<()> {
    let watch = move || {
        while !session.tty().wait_for_hang_up() {}
        std::thread::sleep(IN_ORDER);
        if !session.has_ended() {
            std::process::exit(HUNG_UP);
        }
    };
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch).map(drop)
}
