//! The text format of COPY: columns between tabs, rows on lines, `\N` for nothing.
//!
//! Owns its escaping. May not know: tables.

use crate::model::{Stamp, Zone};
use std::fmt::Write as _;

/// Rows for a COPY, written one after the other.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    text: String,
    /// Whether a column of the row has been written.
    begun: bool,
}

impl Sheet {
    fn next(&mut self) {
        if self.begun {
            self.text.push('\t');
        }
        self.begun = true;
    }
    /// Text, or nothing.
    pub fn text(&mut self, value: Option<&str>) -> &mut Self {
        self.next();
        match value {
            None => self.text.push_str("\\N"),
            Some(value) => {
                for c in value.chars() {
                    match c {
                        '\\' => self.text.push_str("\\\\"),
                        '\t' => self.text.push_str("\\t"),
                        '\n' => self.text.push_str("\\n"),
                        '\r' => self.text.push_str("\\r"),
                        // The one character that no text in PostgreSQL can hold.
                        '\0' => self.text.push(char::REPLACEMENT_CHARACTER),
                        c => self.text.push(c),
                    }
                }
            }
        }
        self
    }
    /// A whole number, or nothing.
    pub fn number(&mut self, value: Option<i64>) -> &mut Self {
        self.next();
        match value {
            None => self.text.push_str("\\N"),
            Some(n) => {
                let _ = write!(self.text, "{n}");
            }
        }
        self
    }
    /// An instant to the microsecond, or nothing.
    pub fn stamp(&mut self, value: Option<Stamp>) -> &mut Self {
        self.next();
        match value {
            None => self.text.push_str("\\N"),
            Some(at) => self.text.push_str(&Zone::utc().format(at, "%Y-%m-%d %H:%M:%S%.6f+00")),
        }
        self
    }
    /// Ends the row.
    pub fn row(&mut self) {
        self.text.push('\n');
        self.begun = false;
    }
    /// What goes over the wire.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_column_or_a_row_is_escaped_and_nothing_differs_from_empty() {
        let mut sheet = Sheet::default();
        sheet.text(Some("a\tb\\c\nd\re")).text(None).text(Some("")).text(Some("\\N")).row();
        sheet.number(Some(-7)).number(None).stamp(Some(Stamp(1_500_000))).row();
        let wanted = "a\\tb\\\\c\\nd\\re\t\\N\t\t\\\\N\n-7\t\\N\t1970-01-01 00:00:01.500000+00\n";
        assert_eq!(std::str::from_utf8(sheet.bytes()).unwrap(), wanted);
    }
}
