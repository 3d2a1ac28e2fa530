//! Numbers that can be read from the back of the room: three rows, three columns a digit.

use crate::view::canvas::Canvas;
use crate::view::look::{Glyphs, Role};

/// Rows of a big number.
pub const ROWS: u16 = 3;

/// A digit's three rows in half blocks.
const fn blocks(c: char) -> [&'static str; 3] {
    match c {
        '0' => ["█▀█", "█ █", "▀▀▀"],
        '1' => ["▀█ ", " █ ", "▀▀▀"],
        '2' => ["▀▀█", "█▀▀", "▀▀▀"],
        '3' => ["▀▀█", " ▀█", "▀▀▀"],
        '4' => ["█ █", "▀▀█", "  ▀"],
        '5' => ["█▀▀", "▀▀█", "▀▀▀"],
        '6' => ["█▀▀", "█▀█", "▀▀▀"],
        '7' => ["▀▀█", "  █", "  ▀"],
        '8' => ["█▀█", "█▀█", "▀▀▀"],
        '9' => ["█▀█", "▀▀█", "▀▀▀"],
        '.' => [" ", " ", "▀"],
        '-' | '−' | '–' => ["   ", "▀▀▀", "   "],
        '≥' => ["▀▄ ", "▄▀ ", "▀▀ "],
        _ => [" ", " ", " "],
    }
}

/// A digit's three rows as seven segments.
const fn segments(c: char) -> [&'static str; 3] {
    match c {
        '0' => [" _ ", "| |", "|_|"],
        '1' => ["   ", "  |", "  |"],
        '2' => [" _ ", " _|", "|_ "],
        '3' => [" _ ", " _|", " _|"],
        '4' => ["   ", "|_|", "  |"],
        '5' => [" _ ", "|_ ", " _|"],
        '6' => [" _ ", "|_ ", "|_|"],
        '7' => [" _ ", "  |", "  |"],
        '8' => [" _ ", "|_|", "|_|"],
        '9' => [" _ ", "|_|", " _|"],
        '.' => [" ", " ", "."],
        '-' | '−' | '–' => ["   ", " _ ", "   "],
        '≥' => ["   ", ">= ", "   "],
        _ => [" ", " ", " "],
    }
}

/// Draws digits, points and dashes; a comma is a blank column. Gives back the column after the number.
pub fn draw(canvas: &mut Canvas<'_>, x: u16, y: u16, digits: &str, role: Role) -> u16 {
    let ascii = canvas.look().glyphs == Glyphs::Ascii;
    let mut x = x;
    for c in digits.chars() {
        let rows = if ascii { segments(c) } else { blocks(c) };
        for (r, row) in rows.iter().enumerate() {
            canvas.put(x, y + r as u16, row, role);
        }
        let blank = matches!(c, ' ' | ',');
        x += rows[0].chars().count() as u16 + u16::from(!blank);
    }
    x
}
