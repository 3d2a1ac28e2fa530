//! A log line as the program keeps it.

use crate::model::{Stamp, Untrusted};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Severity, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Chatter.
    Trace,
    /// For developers.
    Debug,
    /// As usual; also lines that name no level.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
    /// The process gave up.
    Fatal,
}

/// One event of a service, its stack trace kept with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// The line's own time, not that of its arrival. A line without one carries the time of the line before.
    pub at: Stamp,
    /// Which service wrote it (`mrg-api-3`).
    pub service: Arc<str>,
    /// How bad it says it is.
    pub level: Level,
    /// The order it names, when it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Arc<str>>,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Arc<str>>,
    /// What it says, secrets already taken out at the source.
    pub message: Untrusted,
    /// Lines that belong to it: a stack trace, a continued statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<Untrusted>,
}

impl Level {
    /// The one letter shown.
    pub const fn letter(self) -> char {
        match self {
            Self::Trace => 'T',
            Self::Debug => 'D',
            Self::Info => 'I',
            Self::Warn => 'W',
            Self::Error => 'E',
            Self::Fatal => 'F',
        }
    }
}
