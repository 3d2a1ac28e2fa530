//! What is wrong with a configuration, so that a tired person can mend it: file, line, key, remedy.

use std::path::PathBuf;

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {key}: {says}", file.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
pub struct Problem {
    /// File.
    pub file: PathBuf,
    /// Line, from 1, when known.
    pub line: Option<usize>,
    /// Key with its table: `db.interval`.
    pub key: String,
    /// A sentence with the remedy.
    pub says: String,
}
