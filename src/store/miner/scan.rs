//! One message to its pieces: words that stay, values that change, marks between them.
//!
//! One pass over the bytes, one setting for everything. What a piece means is not known here.

/// What a byte is to the scanner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    /// Ends a word and is a piece of its own.
    Mark,
    Letter,
    Digit,
    /// Part of a word, never all of one: `. - _ @ $ # %` and the like.
    Joint,
    Slash,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Letter; 256];
    let mut i = 0;
    while i < 128 {
        let b = i as u8;
        table[i] = match b {
            b'0'..=b'9' => Class::Digit,
            b'A'..=b'Z' | b'a'..=b'z' => Class::Letter,
            b'/' | b'\\' => Class::Slash,
            b'.' | b'-' | b'_' | b'@' | b'$' | b'#' | b'%' | b'+' | b'*' | b'~' | b'&' => Class::Joint,
            0..=b' ' | 127 => Class::Space,
            _ => Class::Mark,
        };
        i += 1;
    }
    table
}

/// A piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A word without digits.
    Word(&'a [u8]),
    /// A value: a number, an id, an address, a path, or several of them without a word between.
    Value(&'a [u8]),
    /// One character of punctuation.
    Mark(u8),
}

/// Whatever wants the pieces, in order.
pub trait Sink {
    /// Takes the next piece; `glued` when no space stands before it.
    fn take(&mut self, piece: Piece<'_>, glued: bool);
}

/// Longer messages are cut: what tells patterns apart stands at the front.
pub const LONGEST: usize = 1024;

/// Hands every piece of the message's first line to `sink`.
pub fn scan(message: &[u8], sink: &mut impl Sink) {
    let text = head(message);
    let mut scan = Scan { text, value: None, joint: None, sink };
    let mut at = 0;
    let mut glued = true;
    while at < text.len() {
        match CLASSES[usize::from(text[at])] {
            Class::Space => {
                if text[at] == b'\n' {
                    break;
                }
                at += 1;
                glued = false;
            }
            Class::Mark if text[at] == b'(' && !glued && scan.aside(at).is_some() => {
                // `18846 bytes (18.4 KB)`: the same value said twice.
                let end = scan.aside(at).unwrap_or(at + 1);
                scan.value(at, end, false);
                at = end;
                glued = true;
            }
            Class::Mark if !glued && matches!(text[at], b'<' | b'>') && digit_at(text, at + 1) => {
                // `<1 sec`: a bound is part of its value.
                let end = word(text, at + 1).0;
                scan.value(at, end, false);
                at = end;
                glued = true;
            }
            Class::Mark => {
                scan.mark(at, glued);
                at += 1;
                glued = true;
                match text[at - 1] {
                    // Nothing between brackets is an empty value.
                    open @ (b'(' | b'[' | b'{') if text.get(at) == Some(&(open + 1 + u8::from(open != b'('))) => {
                        scan.value(at, at, true);
                    }
                    b'"' => {
                        if let Some(end) = quoted(text, at) {
                            scan.value(at, end, true);
                            scan.flush();
                            scan.sink.take(Piece::Mark(b'"'), true);
                            at = end + 1;
                        }
                    }
                    _ => {}
                }
            }
            _ => {
                let (end, kind) = word(text, at);
                let joined = glued && scan.joint.is_some();
                match kind {
                    Kind::Value => scan.value(at, end, glued),
                    Kind::Hex if joined || (text.get(end) == Some(&b':') && hex_follows(text, end + 1)) => {
                        scan.value(at, end, glued);
                    }
                    Kind::Dotted if text.get(end) == Some(&b':') && digit_at(text, end + 1) => {
                        scan.value(at, end, glued);
                    }
                    _ if scan.is_unit(at, end) => scan.value(at, end, glued),
                    Kind::Hex | Kind::Dotted | Kind::Word => scan.word(at, end, glued),
                    Kind::Joints => {
                        for i in at..end {
                            scan.mark(i, glued || i > at);
                        }
                    }
                }
                at = end;
                glued = true;
            }
        }
    }
    scan.flush();
}

/// What is looked at: not more than [`LONGEST`], and no half word.
fn head(message: &[u8]) -> &[u8] {
    if message.len() <= LONGEST {
        return message;
    }
    let head = &message[..LONGEST];
    let word = head.iter().rposition(|b| *b == b' ').unwrap_or(LONGEST);
    &head[..word]
}

struct Scan<'a, S: Sink> {
    text: &'a [u8],
    /// A value is held back for as long as more of it may follow: `10.0.0.1:5432`, `1, 2, 3`.
    value: Option<(usize, usize, bool)>,
    /// A mark after the held value that belongs to it only if another value follows.
    joint: Option<usize>,
    sink: &'a mut S,
}

impl<S: Sink> Scan<'_, S> {
    fn value(&mut self, from: usize, to: usize, glued: bool) {
        self.value = Some(match self.value {
            // The next of a list, or the next part of one value.
            Some((first, _, before)) => (first, to, before),
            None => (from, to, glued),
        });
        self.joint = None;
    }

    /// Where the aside that opens at `at` closes, if it holds a value and follows one.
    fn aside(&self, at: usize) -> Option<usize> {
        if self.value.is_none() || self.joint.is_some() {
            return None;
        }
        let text = self.text;
        if text.get(at + 1) == Some(&b')') {
            return Some(at + 2);
        }
        let (mut end, kind) = word(text, at + 1);
        if !matches!(kind, Kind::Value) {
            return None;
        }
        if text.get(end) == Some(&b' ') {
            let (to, _) = word(text, end + 1);
            if unit(&text[end + 1..to]) {
                end = to;
            }
        }
        (text.get(end) == Some(&b')')).then_some(end + 1)
    }

    /// Whether the word is the unit of the number just before it.
    fn is_unit(&self, from: usize, to: usize) -> bool {
        self.joint.is_none()
            && self.value.is_some_and(|(_, end, _)| end + 1 == from && self.text[end - 1].is_ascii_digit())
            && unit(&self.text[from..to])
    }

    fn word(&mut self, from: usize, to: usize, glued: bool) {
        self.flush();
        self.sink.take(Piece::Word(&self.text[from..to]), glued);
    }

    fn mark(&mut self, at: usize, glued: bool) {
        let mark = self.text[at];
        if let Some((_, end, _)) = self.value
            && self.joint.is_none()
            && end == at
            && matches!(mark, b':' | b',' | b';')
        {
            self.joint = Some(at);
            return;
        }
        self.flush();
        self.sink.take(Piece::Mark(mark), glued);
    }

    fn flush(&mut self) {
        if let Some((from, to, glued)) = self.value.take() {
            self.sink.take(Piece::Value(&self.text[from..to]), glued);
            if let Some(at) = self.joint.take() {
                self.sink.take(Piece::Mark(self.text[at]), true);
            }
        }
    }
}

/// Where the quote that was opened before `from` closes.
fn quoted(text: &[u8], from: usize) -> Option<usize> {
    text[from..]
        .iter()
        .position(|b| *b == b'"')
        .map(|n| from + n)
        .filter(|end| *end > from && !text[from..*end].contains(&b' '))
}

fn hex_follows(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_hexdigit) && text.get(at + 1).is_some_and(u8::is_ascii_hexdigit)
}

enum Kind {
    Word,
    Value,
    /// A word with a dot inside: a host, a file.
    Dotted,
    /// Two or four letters that could be a part of an address.
    Hex,
    /// Nothing but joints: punctuation.
    Joints,
}

/// The word that begins at `at`: where it ends, and what it is.
fn word(text: &[u8], at: usize) -> (usize, Kind) {
    let leaders = text[at..].iter().take_while(|b| **b == b'.').count();
    if leaders > 1 {
        return (at + leaders, Kind::Joints);
    }
    let mut end = at;
    let mut digit = false;
    let mut slash = false;
    let mut letter = false;
    let mut dots = 0_usize;
    while end < text.len() {
        match CLASSES[usize::from(text[end])] {
            Class::Letter => letter = true,
            Class::Digit => digit = true,
            Class::Slash => slash = true,
            Class::Joint => {
                if text[end] == b'.' {
                    // Dots that lead to a value over some distance: punctuation.
                    if end > at && text.get(end + 1) == Some(&b'.') {
                        break;
                    }
                    dots += usize::from(end > at);
                }
            }
            Class::Space | Class::Mark => break,
        }
        end += 1;
    }
    // A full stop at the end is the sentence's.
    while end > at + 1 && text[end - 1] == b'.' {
        end -= 1;
        dots = dots.saturating_sub(1);
    }
    let word = &text[at..end];
    let kind = if digit || (slash && letter) || dots >= 2 || calendar(word) {
        Kind::Value
    } else if !letter {
        Kind::Joints
    } else if matches!(word.len(), 2 | 4) && word.iter().all(u8::is_ascii_hexdigit) {
        Kind::Hex
    } else if dots == 1 {
        Kind::Dotted
    } else {
        Kind::Word
    };
    (end, kind)
}

/// A day or a month, as times are written.
fn calendar(word: &[u8]) -> bool {
    matches!(
        word,
        b"Mon"
            | b"Tue"
            | b"Wed"
            | b"Thu"
            | b"Fri"
            | b"Sat"
            | b"Sun"
            | b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"May"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
    )
}

/// Units of amounts and lengths of time that are written apart from their number.
fn unit(word: &[u8]) -> bool {
    matches!(
        word,
        b"B" | b"KB"
            | b"kB"
            | b"MB"
            | b"GB"
            | b"TB"
            | b"KiB"
            | b"MiB"
            | b"GiB"
            | b"TiB"
            | b"byte"
            | b"bytes"
            | b"ns"
            | b"us"
            | b"ms"
            | b"s"
            | b"sec"
            | b"secs"
            | b"second"
            | b"seconds"
            | b"min"
            | b"mins"
            | b"minute"
            | b"minutes"
            | b"h"
            | b"hour"
            | b"hours"
            | b"day"
            | b"days"
            | b"millisecond"
            | b"milliseconds"
            | b"microsecond"
            | b"microseconds"
    )
}

fn digit_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}
