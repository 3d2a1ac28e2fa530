//! What happened, on disk: append-only segments of batches, a reader that tolerates a torn end and names
//! any other damage, roll-ups that make a day open at once.
//!
//! A recording is a folder. `000001.jsonl` is a segment being written, `000001.jsonl.gz` a closed one and
//! `000001.index` what makes it quick to open; the index is a cache and is made again when it is missing.
//! `lock` is held by the one process that writes. May not know: clocks (time is in the batches), screens.

pub mod closer;
pub mod index;
pub mod line;
pub mod lock;
pub mod reader;
pub mod recorder;
pub mod segment;
pub mod volume;

pub use crate::model::recording::RecorderState;
pub use reader::Reader;
pub use recorder::{Options, Recorded, Recorder};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a recording cannot be opened, with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes into it.
    #[error(
        "the recording {} is being written by another warroom{}; quit that one, or choose another folder",
        folder.display(),
        process.map(|p| format!(" (process {p})")).unwrap_or_default()
    )]
    Busy {
        /// The recording.
        folder: PathBuf,
        /// Who has it, when the lock says.
        process: Option<u32>,
    },
    /// A newer program wrote it.
    #[error(
        "{} was written by a newer warroom (format {format}, this one reads up to {}); open it with that version",
        path.display(),
        line::FORMAT
    )]
    TooNew {
        /// The segment that says so.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// There is no recording.
    #[error("{} holds no recording: there is no file like 000001.jsonl in it", folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// The operating system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// A part of a recording that could not be read. Everything else was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Damage {
    /// File name without the folder.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// What is wrong.
    pub says: String,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// A line, from 1.
    Line(usize),
    /// A byte, from 0.
    Byte(u64),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Whole => write!(f, "{}: {}", self.file, self.says),
            Place::Line(n) => write!(f, "{}, line {n}: {}", self.file, self.says),
            Place::Byte(n) => write!(f, "{}, byte {n}: {}", self.file, self.says),
        }
    }
}
