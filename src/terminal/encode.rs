//! Cells to bytes: only what changed, in as few bytes as a slow SSH link deserves.
//!
//! Nothing changed gives no byte at all. Nothing leaves here that could be a command to the terminal but
//! the sequences written below: a cell with a control character in it becomes `?`, whoever put it there.

use ratatui::buffer::{Buffer, Cell};
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
    } else if let Some(before) = without_wide(before, after) {
        body(&before, after, wire, out);
    } else {
        body(before, after, wire, out);
    }
    if wire.synchronized && out.len() - start >= WORTH_MARKS {
        out.splice(start..start, *b"\x1b[?2026h");
        out.extend_from_slice(b"\x1b[?2026l");
    }
}

/// A changed row that held a symbol of two cells is written whole: overwriting one half of it makes the
/// terminal blank the other half in whatever style it has, which ratatui's difference does not foresee.
fn without_wide(before: &Buffer, after: &Buffer) -> Option<Buffer> {
    let width = usize::from(before.area.width).max(1);
    let wide = |row: &[Cell]| row.iter().any(|c| unicode_width::UnicodeWidthStr::width(c.symbol()) > 1);
    let rows = before.content.chunks(width).zip(after.content.chunks(width)).enumerate();
    let dirty: Vec<usize> = rows.filter(|(_, (old, new))| old != new && wide(old)).map(|(y, _)| y).collect();
    if dirty.is_empty() {
        return None;
    }
    let mut out = before.clone();
    for y in dirty {
        for cell in out.content.iter_mut().skip(y * width).take(width) {
            cell.reset();
            // A colour that no role has: the cell is unlike every cell of ours.
            cell.underline_color = Color::Rgb(1, 2, 3);
        }
    }
    Some(out)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    const SIZE: Rect = Rect::new(0, 0, 20, 4);

    fn written(before: &Buffer, after: &Buffer, repaint: bool) -> Vec<u8> {
        let mut out = Vec::new();
        encode(before, after, repaint, Wire::default(), &mut out);
        out
    }
    fn with(text: &str, style: Style) -> Buffer {
        let mut buffer = Buffer::empty(SIZE);
        buffer.set_string(2, 1, text, style);
        buffer
    }

    #[test]
    fn nothing_changed_writes_nothing() {
        let frame = with("order gantung", Style::new().fg(Color::Indexed(203)));
        assert_eq!(written(&frame, &frame, false), b"");
    }

    #[test]
    fn a_second_that_passes_is_one_short_sequence() {
        let style = Style::new().fg(Color::Indexed(252));
        let bytes = written(&with("20:52:10", style), &with("20:52:11", style), false);
        assert_eq!(bytes, b"\x1b[2;10H\x1b[38;5;252m1\x1b[m");
    }

    #[test]
    fn a_cell_with_a_command_in_it_becomes_a_question_mark() {
        for evil in ["\x1b]52;c;aGk=\x07", "\x1b", "\u{9b}31m", "\r", "\n", "\u{202e}", "\u{200b}", "a\x08"] {
            // Directly: in a debug build ratatui itself already refuses such a cell.
            let mut out = String::new();
            put(&mut out, evil, false);
            assert_eq!(out, "?", "{evil:?}");
        }
    }

    #[test]
    fn ascii_means_ascii_and_mono_means_no_colour() {
        let frame = with(
            "Rp 412 · é ▁▂",
            Style::new().fg(Color::LightRed).bg(Color::Indexed(235)).add_modifier(Modifier::BOLD),
        );
        let wire = Wire { mono: true, ascii: true, synchronized: false };
        let mut out = Vec::new();
        encode(&Buffer::empty(SIZE), &frame, true, wire, &mut out);
        assert!(out.is_ascii());
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("\x1b[1m") && !text.contains("38;") && !text.contains("48;") && !text.contains("91"),
            "{text:?}"
        );
    }

    #[test]
    fn only_large_frames_are_marked_as_one_picture() {
        let wire = Wire { synchronized: true, ..Wire::default() };
        let marked = |frame: &Buffer| {
            let mut out = Vec::new();
            encode(&Buffer::empty(frame.area), frame, false, wire, &mut out);
            out.starts_with(b"\x1b[?2026h") && out.ends_with(b"\x1b[?2026l")
        };
        let mut large = Buffer::empty(Rect::new(0, 0, 200, 50));
        large.set_string(0, 0, "x".repeat(2000), Style::new());
        for y in 0..10 {
            large.set_string(0, y, "y".repeat(150), Style::new());
        }
        assert!(marked(&large) && !marked(&with("small", Style::new())));
    }

    fn any_style() -> impl Strategy<Value = Style> {
        let colour = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::White),
            (0..=255_u8).prop_map(Color::Indexed),
            (0..=255_u8, 0..=255_u8, 0..=255_u8).prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
        ];
        let marks = (0..16_u8).prop_map(|n| {
            let all = [Modifier::BOLD, Modifier::ITALIC, Modifier::UNDERLINED, Modifier::REVERSED];
            all.into_iter().enumerate().filter(|(i, _)| n & (1 << i) != 0).fold(Modifier::empty(), |m, (_, x)| m | x)
        });
        (colour.clone(), colour, marks).prop_map(|(fg, bg, m)| Style::new().fg(fg).bg(bg).add_modifier(m))
    }
    fn any_frame() -> impl Strategy<Value = Buffer> {
        proptest::collection::vec((0..20_u16, 0..4_u16, "[a-c ▁é漢]{0,6}", any_style()), 0..12).prop_map(|writes| {
            let mut buffer = Buffer::empty(SIZE);
            for (x, y, text, style) in writes {
                buffer.set_string(x, y, text, style);
            }
            buffer
        })
    }
    fn glass(parts: &[Vec<u8>]) -> Vec<vt100::Cell> {
        let cells = |n| std::num::NonZero::new(n).unwrap();
        let mut terminal = vt100::Parser::new(cells(SIZE.height), cells(SIZE.width), 0);
        for part in parts {
            terminal.process(part);
        }
        let screen = terminal.screen();
        let at = |i: u16| screen.cell(i / SIZE.width, i % SIZE.width).unwrap().clone();
        (0..SIZE.width * SIZE.height).map(at).collect()
    }

    proptest! {
        #[test]
        fn a_difference_shows_the_same_as_a_full_paint(before in any_frame(), after in any_frame()) {
            let empty = Buffer::empty(SIZE);
            let step = glass(&[written(&empty, &before, true), written(&before, &after, false)]);
            let whole = glass(&[written(&empty, &after, true)]);
            for (a, b) in step.iter().zip(&whole).filter(|(a, _)| !a.is_wide_continuation()) {
                // An untouched cell and a written blank look the same.
                let text = |c: &vt100::Cell| if c.has_contents() { c.contents().to_owned() } else { " ".to_owned() };
                prop_assert_eq!(text(a), text(b));
                prop_assert_eq!((a.bgcolor(), a.inverse(), a.underline()), (b.bgcolor(), b.inverse(), b.underline()));
                // The colour of a letter that is not there shows nothing.
                if text(b) != " " || b.inverse() || b.underline() {
                    prop_assert_eq!((a.fgcolor(), a.bold()), (b.fgcolor(), b.bold()));
                }
            }
        }
    }
}
