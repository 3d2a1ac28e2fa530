//! The tty itself: its own file description, its size, its line discipline, and whether it is still there.
//!
//! The device is opened a second time so that writing never blocks for ever and the shell's own
//! descriptors keep their flags. Knows bytes, not frames.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr, ttyname};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// How long one wait for room in the tty lasts before the `stop` flag is looked at again.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// A hang-up is seen at once; this long only where the system does not say.
const LOOK_AGAIN: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The terminal that standard output is connected to.
#[derive(Debug)]
pub struct Tty {
    fd: OwnedFd,
}

/// Why a write ended early.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The other side is gone: a hang-up.
    #[error("the terminal is gone")]
    Gone,
    /// The `stop` flag rose while the terminal took no more.
    #[error("the terminal takes no more output")]
    Stopped,
    /// Something else.
    #[error("writing to the terminal failed: {0}")]
    Io(#[from] io::Error),
}

impl Tty {
    /// Opens the terminal behind standard output; `None` when that is a file or a pipe, or when standard
    /// input is not a terminal.
    pub fn open() -> Option<Self> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        if !isatty(&stdin) || !isatty(&stdout) {
            return None;
        }
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        // Opening may be refused after `su`; the inherited descriptor then serves, blocking.
        let own = ttyname(&stdout, Vec::new()).and_then(|name| rustix::fs::open(name, flags, Mode::empty()));
        let fd = own.or_else(|_| {
            stdout.as_fd().try_clone_to_owned().map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))
        });
        fd.ok().map(|fd| Self { fd })
    }

    /// Columns and rows; 80×24 when the terminal does not know.
    pub fn size(&self) -> (u16, u16) {
        match tcgetwinsize(&self.fd) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => (80, 24),
        }
    }

    /// The line discipline as it is now.
    pub fn modes(&self) -> io::Result<Termios> {
        Ok(tcgetattr(&self.fd)?)
    }

    /// Keys one by one, no echo, no signals from keys.
    pub fn raw(&self, from: &Termios) -> io::Result<()> {
        let mut raw = from.clone();
        raw.make_raw();
        self.restore(&raw)
    }

    /// Sets a line discipline.
    pub fn restore(&self, modes: &Termios) -> io::Result<()> {
        Ok(tcsetattr(&self.fd, OptionalActions::Now, modes)?)
    }

    /// Whether the other side has hung up.
    pub fn gone(&self) -> bool {
        let mut fds = [PollFd::new(&self.fd, PollFlags::empty())];
        match poll(&mut fds, Some(&AT_ONCE)) {
            Ok(_) => fds.iter().any(|f| f.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)),
            Err(_) => false,
        }
    }

    /// Waits until the other side has hung up, or for a second; says whether it has.
    pub fn wait_for_hang_up(&self) -> bool {
        let mut fds = [PollFd::new(&self.fd, PollFlags::empty())];
        let _ = poll(&mut fds, Some(&LOOK_AGAIN));
        self.gone()
    }

    /// Writes everything, waiting for room as long as `stop` is not raised. Once it is, a terminal that
    /// takes nothing for a tenth of a second is given up.
    pub fn write_all(&self, mut bytes: &[u8], stop: &AtomicBool) -> Result<(), WriteError> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.fd, bytes) {
                Ok(0) | Err(Errno::IO | Errno::PIPE | Errno::NXIO | Errno::BADF) => return Err(WriteError::Gone),
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait_for_room(stop)?,
                Err(e) => return Err(WriteError::Io(e.into())),
            }
        }
        Ok(())
    }

    fn wait_for_room(&self, stop: &AtomicBool) -> Result<(), WriteError> {
        let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
        match poll(&mut fds, Some(&WAIT)) {
            Ok(0) if stop.load(Ordering::Acquire) => Err(WriteError::Stopped),
            Ok(_) | Err(Errno::INTR) if fds.iter().any(|f| f.revents().contains(PollFlags::HUP)) => {
                Err(WriteError::Gone)
            }
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(e) => Err(WriteError::Io(e.into())),
        }
    }
}
