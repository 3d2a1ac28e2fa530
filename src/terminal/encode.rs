//! Cells to bytes: only what changed, in as few bytes as a slow SSH link deserves.
//!
//! Nothing changed gives no byte at all. Nothing leaves here that could be a command to the terminal but
//! the sequences written below: a cell with a control character in it becomes `?`, whoever put it there.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;

/// What the wire can carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// No colour whatever the cells say.
    pub mono: bool,
    /// Nothing above 0x7E.
    pub ascii: bool,
    /// The terminal holds its picture between two marks (mode 2026).
    pub synchronized: bool,
}

/// Frames below this size are written at once anyhow; the marks would only add bytes.
const WORTH_MARKS: usize = 512;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Appends what turns a screen that shows `before` into one that shows `after`. With `repaint`, or when
/// the sizes differ, the screen is cleared first and `before` does not count. Assumes and leaves the
/// default style; the cursor may be anywhere.
pub fn encode(before: &Buffer, after: &Buffer, repaint: bool, wire: Wire, out: &mut Vec<u8>) {
    let start = out.len();
    if repaint || before.area != after.area {
        out.extend_from_slice(b"\x1b[m\x1b[2J");
        body(&Buffer::empty(after.area), after, wire, out);
    } else {
        body(before, after, wire, out);
    }
    if wire.synchronized && out.len() - start >= WORTH_MARKS {
        out.splice(start..start, *b"\x1b[?2026h");
        out.extend_from_slice(b"\x1b[?2026l");
    }
}

fn body(before: &Buffer, after: &Buffer, wire: Wire, out: &mut Vec<u8>) {
    let mut pen = PLAIN;
    // Where the terminal's cursor surely is; none after anything whose width terminals disagree about.
    let mut cursor: Option<(u16, u16)> = None;
    let mut text = String::with_capacity(256);
    for (x, y, cell) in before.diff_iter(after) {
        move_to(&mut text, cursor, (x, y));
        let modifier = cell.modifier & shown();
        let want = if wire.mono { Pen { modifier, ..PLAIN } } else { Pen { fg: cell.fg, bg: cell.bg, modifier } };
        if want != pen {
            restyle(&mut text, pen, want);
            pen = want;
        }
        let certain = put(&mut text, cell.symbol(), wire.ascii);
        // At the right edge terminals keep a pending wrap: the position is not one to count from.
        cursor = (certain && x + 1 < after.area.right()).then_some((x + 1, y));
        if text.len() > 192 {
            out.extend_from_slice(text.as_bytes());
            text.clear();
        }
    }
    if pen != PLAIN {
        text.push_str("\x1b[m");
    }
    out.extend_from_slice(text.as_bytes());
}

/// Attributes we send; blinking and hiding are nobody's business here.
fn shown() -> Modifier {
    Modifier::BOLD
        | Modifier::DIM
        | Modifier::ITALIC
        | Modifier::UNDERLINED
        | Modifier::REVERSED
        | Modifier::CROSSED_OUT
}

fn move_to(text: &mut String, from: Option<(u16, u16)>, (x, y): (u16, u16)) {
    match from {
        Some(at) if at == (x, y) => {}
        Some((fx, fy)) if fy == y && fx < x => {
            let n = x - fx;
            let _ = if n == 1 { write!(text, "\x1b[C") } else { write!(text, "\x1b[{n}C") };
        }
        _ => {
            let _ = match (y, x) {
                (0, 0) => write!(text, "\x1b[H"),
                (_, 0) => write!(text, "\x1b[{}H", y + 1),
                _ => write!(text, "\x1b[{};{}H", y + 1, x + 1),
            };
        }
    }
}

/// Writes a symbol so that it can be nothing but a symbol. Gives back whether every terminal agrees that
/// the cursor now stands one cell further.
fn put(text: &mut String, symbol: &str, ascii: bool) -> bool {
    let harmless = |c: char| !c.is_control() && !is_format(c);
    if symbol.is_empty() {
        text.push(' ');
        return true;
    }
    if !symbol.chars().all(harmless) || (ascii && !symbol.is_ascii()) {
        text.push('?');
        // A wide symbol was replaced by one cell; whatever follows is addressed anew.
        return false;
    }
    text.push_str(symbol);
    symbol.chars().count() == 1 && unicode_width::UnicodeWidthStr::width(symbol) == 1
}

/// Characters that show nothing and reorder or join what stands around them (bidi controls, zero width).
const fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One SGR sequence from one style to another, the shorter of changing and starting over.
fn restyle(text: &mut String, from: Pen, to: Pen) {
    if to == PLAIN {
        text.push_str("\x1b[m");
        return;
    }
    let mut fresh = String::from("0");
    codes(&mut fresh, PLAIN, to);
    let mut change = String::new();
    codes(&mut change, from, to);
    let change = change.trim_start_matches(';');
    let _ = write!(text, "\x1b[{}m", if change.len() <= fresh.len() { change } else { &fresh });
}

/// Parameters, each with a semicolon before it.
fn codes(out: &mut String, from: Pen, to: Pen) {
    const ONE: [(Modifier, u8, u8); 4] = [
        (Modifier::ITALIC, 3, 23),
        (Modifier::UNDERLINED, 4, 24),
        (Modifier::REVERSED, 7, 27),
        (Modifier::CROSSED_OUT, 9, 29),
    ];
    let weight = Modifier::BOLD | Modifier::DIM;
    let (had, want) = (from.modifier & weight, to.modifier & weight);
    let taken = !(had - want).is_empty();
    if taken {
        // 22 takes back bold and dim together.
        out.push_str(";22");
    }
    for (m, on) in [(Modifier::BOLD, 1), (Modifier::DIM, 2)] {
        if want.contains(m) && (taken || !had.contains(m)) {
            let _ = write!(out, ";{on}");
        }
    }
    for (m, on, off) in ONE {
        match (from.modifier.contains(m), to.modifier.contains(m)) {
            (false, true) => _ = write!(out, ";{on}"),
            (true, false) => _ = write!(out, ";{off}"),
            _ => {}
        }
    }
    if from.fg != to.fg {
        colour(out, to.fg, 30);
    }
    if from.bg != to.bg {
        colour(out, to.bg, 40);
    }
}

/// A colour parameter; `base` is 30 for letters and 40 for the ground (ECMA-48 8.3.117, xterm's 90 and 38;5).
fn colour(out: &mut String, colour: Color, base: u8) {
    let basic = |n: u8| base + n;
    let bright = |n: u8| base + 60 + n;
    let code = match colour {
        Color::Reset => base + 9,
        Color::Black => basic(0),
        Color::Red => basic(1),
        Color::Green => basic(2),
        Color::Yellow => basic(3),
        Color::Blue => basic(4),
        Color::Magenta => basic(5),
        Color::Cyan => basic(6),
        Color::Gray => basic(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => {
            let _ = write!(out, ";{};5;{n}", base + 8);
            return;
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(out, ";{};2;{r};{g};{b}", base + 8);
            return;
        }
    };
    let _ = write!(out, ";{code}");
}
