//! Lines that a recording holds already: a program that starts again reads its files back, and what was
//! kept once must not be counted twice.
//!
//! A line is known by its time, service and message; the same line written twice in the same instant is
//! two lines. May not know: where the lines were kept.

use crate::model::Stamp;
use crate::model::log::LogLine;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A bag of lines.
#[derive(Clone, Debug, Default)]
pub struct Known(HashMap<(Stamp, u64), u32>);

impl Known {
    /// Puts a line in.
    pub fn add(&mut self, line: &LogLine) {
        *self.0.entry(key(line)).or_default() += 1;
    }
    /// Takes a line out, once for each time it was put in; says whether it was there.
    pub fn take(&mut self, line: &LogLine) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let key = key(line);
        let Some(times) = self.0.get_mut(&key) else { return false };
        *times -= 1;
        if *times == 0 {
            self.0.remove(&key);
        }
        true
    }
}

fn key(line: &LogLine) -> (Stamp, u64) {
    let mut hash = DefaultHasher::new();
    (&line.service, line.message.raw()).hash(&mut hash);
    (line.at, hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::Level;

    fn line(at: i64, message: &str) -> LogLine {
        LogLine {
            at: Stamp(at),
            service: "mrg".into(),
            level: Level::Error,
            order: None,
            trace: None,
            message: message.into(),
            stack: Vec::new(),
        }
    }

    #[test]
    fn a_line_is_known_as_often_as_it_was_kept() {
        let mut known = Known::default();
        known.add(&line(1, "no connection"));
        known.add(&line(1, "no connection"));
        assert!(known.take(&line(1, "no connection")) && known.take(&line(1, "no connection")));
        assert!(!known.take(&line(1, "no connection")), "the third is new");
    }

    #[test]
    fn another_instant_or_other_words_are_another_line() {
        let mut known = Known::default();
        known.add(&line(1, "no connection"));
        assert!(!known.take(&line(2, "no connection")) && !known.take(&line(1, "no connections")));
    }
}
