//! Text that someone outside wrote: log messages, SQL, names in a database, a note's words.
//!
//! It has no `Display` and its `Debug` shows no content, so it cannot reach a terminal by accident. The
//! ways out are few and named: `view::text` (which shows control characters instead of sending them),
//! the recording (JSON escapes) and comparisons. A test of the sources keeps the list of callers short.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::sync::Arc;

/// A string from outside. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Untrusted(Arc<str>);

impl Untrusted {
    /// Wraps text from outside. Bytes that were not UTF-8 must already be shown as `\xNN`.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
    /// The text as it came. **Never** hand it to a terminal, a file name or a log: search, compare,
    /// parse, or pass it to the sanitiser.
    pub fn raw(&self) -> &str {
        &self.0
    }
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Wraps bytes that may not be UTF-8: what is not becomes a visible `\xNN`.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut out = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            out.push_str(chunk.valid());
            for b in chunk.invalid() {
                let _ = write!(out, "\\x{b:02X}");
            }
        }
        Self(out.into())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}
impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
impl From<Untrusted> for String {
    fn from(text: Untrusted) -> Self {
        text.0.as_ref().to_owned()
    }
}
impl std::fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", Untrusted::from("\u{1b}[2J")), "Untrusted(4 bytes)");
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_visible() {
        assert_eq!(Untrusted::from_bytes(b"caf\xe9 ok").raw(), "caf\\xE9 ok");
    }
}
