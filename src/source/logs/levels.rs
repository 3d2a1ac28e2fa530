//! The level of a line, from a field's word or from the head of plain text.

use crate::model::log::Level;
use std::ops::Range;

/// The words, most usual first.
const WORDS: [(&[u8], Level); 22] = [
    (b"info", Level::Info),
    (b"error", Level::Error),
    (b"warn", Level::Warn),
    (b"debug", Level::Debug),
    (b"warning", Level::Warn),
    (b"fatal", Level::Fatal),
    (b"trace", Level::Trace),
    (b"notice", Level::Info),
    (b"information", Level::Info),
    (b"log", Level::Info),
    (b"err", Level::Error),
    (b"severe", Level::Error),
    (b"crit", Level::Error),
    (b"critical", Level::Error),
    (b"dpanic", Level::Error),
    (b"panic", Level::Fatal),
    (b"alert", Level::Fatal),
    (b"emerg", Level::Fatal),
    (b"emergency", Level::Fatal),
    (b"informational", Level::Info),
    (b"verbose", Level::Debug),
    (b"fine", Level::Debug),
];

/// The level that a word means, in any case.
pub fn of_word(word: &[u8]) -> Option<Level> {
    let first = word.first()?.to_ascii_lowercase();
    WORDS
        .iter()
        .find(|(w, _)| w.len() == word.len() && w[0] == first && w.eq_ignore_ascii_case(word))
        .map(|(_, level)| *level)
}

/// Numbers as pino and bunyan write them.
pub const fn of_number(n: i64) -> Option<Level> {
    Some(match n {
        10 => Level::Trace,
        20 => Level::Debug,
        30 => Level::Info,
        40 => Level::Warn,
        50 => Level::Error,
        60 => Level::Fatal,
        _ => return None,
    })
}

/// The letter before a date, as glog writes it.
pub const fn of_letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' => Level::Fatal,
        _ => return None,
    })
}

/// The first level in the head of a plain line and where it stands: `ERROR`, `[error]`, `level=error`.
/// Small letters alone are words of the sentence.
pub fn in_text(head: &[u8]) -> Option<(Level, Range<usize>)> {
    let mut at = 0;
    while at < head.len() {
        if !in_word(head[at]) {
            at += 1;
            continue;
        }
        let end = word_end(head, at);
        let word = &head[at..end];
        if let Some(level) = of_word(word) {
            if at > 0 && head[at - 1] == b'[' && head.get(end) == Some(&b']') {
                return Some((level, at - 1..end + 1));
            }
            if word.iter().all(u8::is_ascii_uppercase) {
                return Some((level, at..end));
            }
        }
        if [&b"level"[..], b"lvl", b"severity"].iter().any(|w| w.eq_ignore_ascii_case(word))
            && matches!(head.get(end), Some(b'=' | b':'))
        {
            let from = end + 1 + usize::from(head.get(end + 1) == Some(&b'"'));
            let to = word_end(head, from.min(head.len()));
            if let Some(level) = head.get(from..to).and_then(of_word) {
                return Some((level, at..to));
            }
        }
        at = end;
    }
    None
}

fn word_end(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|b| !in_word(*b)).map_or(text.len(), |n| from + n)
}

fn in_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_where_they_are_meant() {
        for (text, expected) in [
            (" ERROR x", Some((Level::Error, 1..6))),
            ("[warn] x", Some((Level::Warn, 0..6))),
            ("a level=\"Critical\" x", Some((Level::Error, 2..17))),
            ("severity:debug", Some((Level::Debug, 0..14))),
            ("[77] LOG:  checkpoint", Some((Level::Info, 5..8))),
            ("an error in the log", None),
            ("level=17 INFORM", None),
            ("level=", None),
            ("MY_ERROR x", None),
            ("", None),
        ] {
            assert_eq!(in_text(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn words_and_numbers_have_one_meaning() {
        assert_eq!((of_word(b"WaRn"), of_word(b"warned"), of_word(b"")), (Some(Level::Warn), None, None));
        assert_eq!((of_number(50), of_number(3), of_letter(b'E')), (Some(Level::Error), None, Some(Level::Error)));
    }
}
