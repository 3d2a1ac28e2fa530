//! The one door from text written outside to the screen. What a terminal would obey is shown, not sent and
//! not silently dropped: an injected escape is evidence. Personal data is masked until somebody asks.
//!
//! Knows nothing of the canvas; gives back pieces that are safe to put into cells.

use crate::model::Untrusted;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Longest text looked at, in bytes: a line of ten megabytes costs no more than one of four kilobytes.
pub const CAP: usize = 4096;

/// Whether personal data is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// E-mail addresses, telephone, card and identity numbers are replaced by what they are.
    Masked,
    /// As written, because somebody asked for it.
    Open,
}

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

fn pieces_of(raw: &str, privacy: Privacy) -> Vec<Piece> {
    let mut end = raw.len().min(CAP);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = Vec::new();
    for (text, masked) in privately(&raw[..end], privacy) {
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
    for cluster in text.graphemes(true) {
        if is_calm(cluster) {
            push(out, cluster, Kind::Plain);
            continue;
        }
        for c in cluster.chars() {
            match c {
                '\t' => push(out, " ", Kind::Plain),
                '\n' => push(out, "↵", Kind::Odd),
                '\r' => push(out, "^M", Kind::Odd),
                '\0'..='\u{1f}' => push(out, &format!("^{}", char::from(c as u8 + 0x40)), Kind::Odd),
                '\u{7f}' => push(out, "^?", Kind::Odd),
                c if is_obeyed(c) => push(out, &format!("<{:x}>", u32::from(c)), Kind::Odd),
                c => push(out, c.encode_utf8(&mut [0; 4]), Kind::Plain),
            }
        }
    }
}

/// A cluster that can be sent as it is: nothing in it steers the terminal, and it is as wide as terminals
/// agree on. Marks piled on a letter are kept while they are few.
fn is_calm(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => !is_obeyed(c) && !c.is_control(),
        _ => cluster.chars().count() <= 4 && !cluster.chars().any(|c| c.is_control() || is_obeyed(c)),
    }
}

/// Characters that a terminal obeys or that change how their neighbours are read: C1 controls, bidi
/// controls, zero-width characters, variation selectors, tags, line and paragraph separators, the private
/// use areas and noncharacters.
const fn is_obeyed(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}' | '\u{e000}'..='\u{f8ff}' | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}'
        | '\u{110bd}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'..='\u{10ffff}')
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

/// Splits text into what may be shown and what is masked, the latter with the word that replaces it.
fn privately(text: &str, privacy: Privacy) -> Vec<(&str, Option<&'static str>)> {
    if privacy == Privacy::Open || !text.bytes().any(|b| b == b'@' || b.is_ascii_digit()) {
        return vec![(text, None)];
    }
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let (mut i, mut kept) = (0, 0);
    while i < bytes.len() {
        let found = email_at(bytes, kept, i).or_else(|| number_at(bytes, i));
        match found {
            Some((from, to, word)) => {
                if kept < from {
                    out.push((&text[kept..from], None));
                }
                out.push((&text[from..to], Some(word)));
                (i, kept) = (to, to);
            }
            None => i = skip(bytes, i),
        }
    }
    if kept < bytes.len() {
        out.push((&text[kept..], None));
    }
    out
}

type Found = (usize, usize, &'static str);

/// From here on: the next place where something can begin. A word with letters and digits (an order id, a
/// reference, a hash) is passed over whole, so that no part of it is taken for a telephone number.
fn skip(bytes: &[u8], i: usize) -> usize {
    if !bytes[i].is_ascii_alphanumeric() {
        return i + 1;
    }
    let mut j = i;
    let mut letters = false;
    while let Some(b) = bytes.get(j).filter(|b| b.is_ascii_alphanumeric() || **b >= 0x80) {
        letters |= b.is_ascii_alphabetic();
        j += 1;
    }
    // A prefix joined by dash, underscore or dot belongs to its number: ORD-4418920, upg_ref.20250112.
    while letters
        && j + 1 < bytes.len()
        && matches!(bytes[j], b'-' | b'_' | b'.' | b'/' | b'#' | b':')
        && bytes[j + 1].is_ascii_digit()
        && bytes[j] != b':'
    {
        j += 1;
        while bytes.get(j).is_some_and(u8::is_ascii_alphanumeric) {
            j += 1;
        }
    }
    j.max(i + 1)
}

/// An e-mail address whose `@` is at `i`.
fn email_at(bytes: &[u8], kept: usize, i: usize) -> Option<Found> {
    if bytes[i] != b'@' {
        return None;
    }
    let local = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-') || *b >= 0x80;
    let host = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let from = i - bytes[kept..i].iter().rev().take_while(|b| local(b)).count();
    let mut to = i + 1 + bytes[i + 1..].iter().take_while(|b| host(b)).count();
    while to > i + 1 && matches!(bytes[to - 1], b'.' | b'-') {
        to -= 1;
    }
    (from < i && bytes[i + 1..to].contains(&b'.')).then_some((from, to, "[e-mail]"))
}

/// A telephone, card or identity number that begins at `i`.
fn number_at(bytes: &[u8], i: usize) -> Option<Found> {
    let starts = bytes[i].is_ascii_digit() || (bytes[i] == b'+' && bytes.get(i + 1).is_some_and(u8::is_ascii_digit));
    let joined = i.checked_sub(1).and_then(|p| bytes.get(p));
    if !starts || joined.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'#')) {
        return None;
    }
    let mut digits = Vec::with_capacity(20);
    let mut end = i;
    let mut j = i;
    while j < bytes.len() && digits.len() < 20 {
        match bytes[j] {
            b @ b'0'..=b'9' => {
                digits.push(b - b'0');
                end = j + 1;
            }
            b'+' if j == i => {}
            b' ' | b'-' if bytes.get(j + 1).is_some_and(u8::is_ascii_digit) && j + 1 - end == 1 => {}
            _ => break,
        }
        j += 1;
    }
    let after = bytes.get(end);
    if after.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return None;
    }
    let word = if is_phone(&digits, bytes[i] == b'+') {
        "[phone]"
    } else if is_card(&digits) {
        "[card]"
    } else if is_identity(&digits) && end - i == 16 {
        "[id number]"
    } else {
        return None;
    };
    Some((i, end, word))
}

/// Indonesian mobile numbers (08…, 62 8…) and anything written with a plus and a country code.
fn is_phone(digits: &[u8], plus: bool) -> bool {
    let n = digits.len();
    match digits {
        _ if plus => (9..=15).contains(&n),
        [0, 8, ..] => (10..=13).contains(&n),
        [6, 2, 8, ..] => (11..=14).contains(&n),
        _ => false,
    }
}

/// A payment card: 13 to 19 digits, a first digit that networks issue, and Luhn's check digit (ISO/IEC 7812).
fn is_card(digits: &[u8]) -> bool {
    let n = digits.len();
    let issued = match digits {
        [4, ..] => matches!(n, 13 | 16 | 19),
        [3, 4 | 7, ..] => n == 15,
        [2 | 3 | 5 | 6 | 9, ..] => (16..=19).contains(&n),
        _ => false,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| match u32::from(*d) {
            d if i % 2 == 0 => d,
            d if d > 4 => 2 * d - 9,
            d => 2 * d,
        })
        .sum();
    issued && sum.is_multiple_of(10)
}

/// An Indonesian identity number (NIK): 16 digits, the 7th to 12th a birthday, the day plus 40 for women.
fn is_identity(digits: &[u8]) -> bool {
    let two = |i: usize| digits.get(i).zip(digits.get(i + 1)).map_or(0, |(a, b)| a * 10 + b);
    digits.len() == 16
        && (11..=94).contains(&two(0))
        && matches!(two(6), 1..=31 | 41..=71)
        && (1..=12).contains(&two(8))
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
                prop_assert!(!shown.chars().any(|c| c.is_control() || is_obeyed(c)), "{shown:?}");
            }
        }
        #[test]
        fn a_cut_never_exceeds_its_room(text in "(?s:.)*", room in 0usize..50) {
            prop_assert!(width(&cut(&show_str(&text, Privacy::Open), room)) <= room);
        }
    }
}
