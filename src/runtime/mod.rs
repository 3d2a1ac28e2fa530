//! The loop and its modes: select over signals, keys, facts, answers and the tick; run effects; ask for a
//! frame. Clocks are read here and in `source::clock`, nowhere else.

pub mod account;
pub mod analyze;
pub mod checkup;
pub mod demo;
pub mod earlier;
pub mod effects;
pub mod export;
pub mod feed;
pub mod folders;
pub mod live;
pub mod logfile;
pub mod logs;
pub mod reconcile;
mod report;
pub mod rules;
pub mod sheet;
pub mod signals;
pub mod simulate;
pub mod simulate_postgres;
pub mod stage;
pub mod start;
pub mod tools;

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As asked.
    Well,
    /// At a signal, with its exit code.
    Signal(u8),
    /// It could not go on: a sentence with the remedy.
    Failed(String),
    /// It could not start, because of how it was called or configured.
    Refused(String),
    /// Some of what was checked does not work; it has been said already.
    Unwell,
}

impl Ending {
    /// The exit code: 0, 1, 2, or 128 and the signal's number.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Well => ExitCode::SUCCESS,
            Self::Signal(code) => ExitCode::from(*code),
            Self::Failed(_) | Self::Unwell => ExitCode::FAILURE,
            Self::Refused(_) => ExitCode::from(2),
        }
    }
}
