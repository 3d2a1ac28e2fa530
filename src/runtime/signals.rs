//! Signals as values. SIGHUP that was ignored at the start (`nohup`) stays ignored.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the system asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM: leave, with this number.
    Terminate,
    /// SIGINT from outside; Ctrl-C is a key while the screen is up.
    Interrupt,
    /// SIGHUP: the terminal is gone, or going.
    HangUp,
    /// SIGTSTP from outside; Ctrl-Z is a key while the screen is up.
    Stop,
    /// SIGCONT.
    Continue,
}

impl Asked {
    /// The exit code by which shells know a process that ended at a signal: 128 and its number.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Stop | Self::Continue => 0,
        }
    }
}

/// The signals the program listens to.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    int: Signal,
    hup: Option<Signal>,
    stop: Signal,
    cont: Signal,
}

impl Signals {
    /// Takes the signals over. Call it within the tokio runtime.
    pub fn listen() -> io::Result<Self> {
        let kind = |s: rustix::process::Signal| SignalKind::from_raw(s.as_raw());
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: if ignored(rustix::process::Signal::HUP.as_raw()) {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
            stop: signal(kind(rustix::process::Signal::TSTP))?,
            cont: signal(kind(rustix::process::Signal::CONT))?,
        })
    }

    /// The next one. Safe to give up in a `select!`.
    pub async fn next(&mut self) -> Asked {
        let hup = async {
            match &mut self.hup {
                Some(hup) => hup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.term.recv() => Asked::Terminate,
            _ = self.int.recv() => Asked::Interrupt,
            _ = hup => Asked::HangUp,
            _ = self.stop.recv() => Asked::Stop,
            _ = self.cont.recv() => Asked::Continue,
        }
    }
}

/// Whether the process was started with a signal ignored (proc(5), `SigIgn`: bit n−1 for signal n).
fn ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_ignored(&status, signal)
}

fn is_ignored(status: &str, signal: i32) -> bool {
    status
        .lines()
        .find_map(|l| l.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_shows_in_the_mask_of_ignored_signals() {
        assert!(is_ignored("Name:\tx\nSigIgn:\t0000000000000001\n", 1));
        assert!(!is_ignored("Name:\tx\nSigIgn:\t0000000000001000\n", 1));
        assert!(!is_ignored("", 1));
    }
}
