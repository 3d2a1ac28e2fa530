//! Reads and checks a configuration file.

use crate::config::{Config, Problem};
use std::path::Path;

/// Reads a file. All problems found are given, not only the first.
pub fn load(file: &Path) -> Result<Config, Vec<Problem>> {
    Err(vec![Problem { file: file.to_owned(), line: None, key: String::new(), says: "not read yet".to_owned() }])
}
