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

/// Text from outside in parts: what can be sent as it is, and signs for what cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// As written.
    Calm(&'t str),
    /// Stands for one character that a terminal would obey or hide: `^[`, `<9b>`, `↵`.
    Odd(String),
}

/// Splits text at every character that must not take effect. A tab is a blank. The one table that the
/// screen and everything that leaves by copy share.
pub fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let odd = |c: char| c.is_control() || is_obeyed(c);
        let len = if odd(first) { first.len_utf8() } else { rest.find(odd).unwrap_or(rest.len()) };
        let (part, after) = rest.split_at(len);
        rest = after;
        Some(match first {
            '\t' => Part::Calm(" "),
            c if odd(c) => Part::Odd(sign(c)),
            _ => Part::Calm(part),
        })
    })
}

/// What stands for a character that must not take effect: C0 as a caret and a letter, a line break as its
/// arrow, everything else as its number.
fn sign(c: char) -> String {
    match c {
        '\n' => "↵".to_owned(),
        '\0'..='\u{1f}' => format!("^{}", char::from(c as u8 + 0x40)),
        '\u{7f}' => "^?".to_owned(),
        c => format!("<{:x}>", u32::from(c)),
    }
}

/// Text from outside made fit for a terminal, a file name's neighbourhood or a copy: every control
/// character, and every character that changes direction or has no width, becomes visible instead of
/// taking effect.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Calm(calm) => out.push_str(calm),
            Part::Odd(sign) => out.push_str(&sign),
        }
    }
    out
}

/// Characters that a terminal obeys or that change how their neighbours are read: C1 controls, bidi
/// controls, zero-width characters, variation selectors, tags, line and paragraph separators, the private
/// use areas and noncharacters.
pub const fn is_obeyed(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}' | '\u{e000}'..='\u{f8ff}' | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}'
        | '\u{110bd}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'..='\u{10ffff}')
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
    fn controls_and_direction_changes_are_shown_and_take_no_effect() {
        assert_eq!(shown("a\u{1b}[31mb\r\n\tc"), "a^[[31mb^M↵ c");
        assert_eq!(shown("x\u{9b}2J\u{202e}y\u{200b}\u{7f}"), "x<9b>2J<202e>y<200b>^?");
        assert_eq!(shown("Pembayaran é 支払い"), "Pembayaran é 支払い");
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_visible() {
        assert_eq!(Untrusted::from_bytes(b"caf\xe9 ok").raw(), "caf\\xE9 ok");
    }
}
