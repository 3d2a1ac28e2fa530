//! The one door from text written outside to the screen. What a terminal would obey is shown, not sent and
//! not silently dropped: an injected escape is evidence. Personal data is masked until somebody asks.
//!
//! Knows nothing of the canvas; gives back pieces that are safe to put into cells.

use crate::model::Untrusted;
use crate::model::privacy;
pub use crate::model::privacy::Privacy;
use crate::model::untrusted::{self, Part};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Longest text looked at, in bytes: a line of ten megabytes costs no more than one of four kilobytes.
pub const CAP: usize = 4096;

/// What a piece of shown text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As written.
    Plain,
    /// Stands for something a terminal would obey or hide: `^[`, `<9b>`, `<202e>`.
    Odd,
    /// Stands for personal data.
    Masked,
}

/// A run of shown text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Safe to put into cells.
    pub text: String,
    /// What it is.
    pub kind: Kind,
}

/// The text, safe to put into cells, on one line.
pub fn show(text: &Untrusted, privacy: Privacy) -> String {
    pieces(text, privacy).into_iter().map(|p| p.text).collect()
}

/// The same for text that is at hand as a plain string (a file name, an error of a library).
pub fn show_str(text: &str, privacy: Privacy) -> String {
    pieces_of(text, privacy).into_iter().map(|p| p.text).collect()
}

/// The text in pieces, so that what is not as written can be drawn apart.
pub fn pieces(text: &Untrusted, privacy: Privacy) -> Vec<Piece> {
    pieces_of(text.raw(), privacy)
}

fn pieces_of(raw: &str, wish: Privacy) -> Vec<Piece> {
    let mut end = raw.len().min(CAP);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = Vec::new();
    for (text, masked) in privacy::split(&raw[..end], wish) {
        match masked {
            Some(word) => push(&mut out, word, Kind::Masked),
            None => visible(text, &mut out),
        }
    }
    if end < raw.len() {
        push(&mut out, &format!("… <{} bytes more>", raw.len() - end), Kind::Odd);
    }
    out
}

fn push(out: &mut Vec<Piece>, text: &str, kind: Kind) {
    match out.last_mut() {
        Some(last) if last.kind == kind => last.text.push_str(text),
        _ => out.push(Piece { text: text.to_owned(), kind }),
    }
}

/// Splits text where something in it must be shown differently.
fn visible(text: &str, out: &mut Vec<Piece>) {
    for part in untrusted::parts(text) {
        match part {
            Part::Calm(calm) => push(out, calm, Kind::Plain),
            Part::Odd(sign) => push(out, &sign, Kind::Odd),
        }
    }
}

/// Text of several lines as one: line ends and tabs become single blanks, so that SQL reads as a sentence.
/// Everything else a terminal could obey is left for the sanitiser to show.
#[must_use]
pub fn flat(text: &Untrusted) -> Untrusted {
    let words: Vec<&str> = text.raw().split([' ', '\n', '\r', '\t']).filter(|w| !w.is_empty()).collect();
    Untrusted::from(words.join(" "))
}

/// Cells the text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to `cells`, with `…` as its last cell when something was cut away.
pub fn cut(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let Some(room) = cells.checked_sub(1) else { return String::new() };
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let w = cluster.width();
        if used + w > room {
            break;
        }
        used += w;
        out.push_str(cluster);
    }
    out.push('…');
    out
}

/// The text in lines of at most `cells`, broken between words; a longer word is cut.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > cells {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&cut(word, cells));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(text: &str) -> String {
        show_str(text, Privacy::Masked)
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_not_sent() {
        assert_eq!(seen("a\u{1b}[31mRED"), "a^[[31mRED");
        assert_eq!(seen("\u{1b}]52;c;aGk=\u{7}"), "^[]52;c;aGk=^G");
        assert_eq!(seen("x\u{9b}31m\r\ny\tz\u{7f}"), "x<9b>31m^M↵y z^?");
        assert_eq!(seen("in\u{202e}voice\u{200b}!\u{feff}"), "in<202e>voice<200b>!<feff>");
    }

    #[test]
    fn personal_data_is_masked_until_somebody_asks() {
        assert_eq!(seen("mail budi.s+x@mail.co.id, ok"), "mail [e-mail], ok");
        assert_eq!(seen("call 0812-3456-7890 now"), "call [phone] now");
        assert_eq!(seen("call +62 812 3456 7890."), "call [phone].");
        assert_eq!(seen("card 4111 1111 1111 1111 declined"), "card [card] declined");
        assert_eq!(seen("nik=3174096801900002"), "nik=[id number]");
        assert_eq!(show_str("call 081234567890", Privacy::Open), "call 081234567890");
    }

    #[test]
    fn order_ids_references_times_and_amounts_are_never_masked() {
        for kept in [
            "ORD-4418920 UPG-20250112-0812345678901",
            "upg_ref=UPG.0812345678901 pid 91822407",
            "2025-01-12T19:31:08.214+07:00",
            "ts=1736685068214 us=1736685068214123",
            "0812345678901a7 a0812345678901",
            "amount 412500 of 1000000 (12,4)",
        ] {
            assert_eq!(seen(kept), kept);
        }
    }

    #[test]
    fn an_endless_line_is_cut_and_says_so() {
        let shown = seen(&"x".repeat(10_000_000));
        assert!(shown.len() < CAP + 40);
        assert!(shown.ends_with("… <9995904 bytes more>"), "{}", &shown[CAP..]);
    }

    #[test]
    fn cutting_respects_wide_characters_and_marks_the_cut() {
        assert_eq!(cut("pembayaran", 6), "pemba…");
        assert_eq!(cut("支付成功", 5), "支付…");
        assert_eq!(cut("ok", 2), "ok");
        assert_eq!(cut("ok", 0), "");
    }

    #[test]
    fn words_are_wrapped_between_spaces() {
        assert_eq!(wrap("no order counts as stuck before 19:46", 20), ["no order counts as", "stuck before 19:46"]);
    }

    #[test]
    fn a_statement_of_several_lines_reads_as_one_but_keeps_what_is_odd() {
        assert_eq!(flat(&Untrusted::from("SELECT 1\n\t FROM\r\n t\u{b}x")).raw(), "SELECT 1 FROM t\u{b}x");
    }

    proptest! {
        #[test]
        fn nothing_shown_can_steer_a_terminal(text in "\\PC*|[\\x00-\\x{ff}]*|(?s:.)*") {
            for privacy in [Privacy::Masked, Privacy::Open] {
                let shown = show_str(&text, privacy);
                prop_assert!(!shown.chars().any(|c| c.is_control() || untrusted::is_obeyed(c)), "{shown:?}");
            }
        }
        #[test]
        fn a_cut_never_exceeds_its_room(text in "(?s:.)*", room in 0usize..50) {
            prop_assert!(width(&cut(&show_str(&text, Privacy::Open), room)) <= room);
        }
    }
}
