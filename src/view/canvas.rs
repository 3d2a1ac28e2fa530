//! Cells: text with a role at a place, clipped; right-aligned numbers; tables; grounds behind.
//!
//! The only code that writes into the buffer. Whatever reaches it, no control character becomes a cell and
//! nothing is written outside; in ASCII every character is replaced from the one table in `look`.

use crate::model::Untrusted;
use crate::view::look::{Glyphs, Ground, Look, Role};
use crate::view::text::{self, Kind, Privacy};
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A piece of text with its role. Build it with [`strong`], [`dim`] and the others.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// Text of ours, or text from outside that went through `view::text`.
    pub text: Cow<'a, str>,
    /// What it is for.
    pub role: Role,
}

impl Run<'_> {
    /// Cells it takes.
    pub fn width(&self) -> usize {
        self.text.width()
    }
}

/// Text in a role.
pub fn run<'a>(role: Role, text: impl Into<Cow<'a, str>>) -> Run<'a> {
    Run { text: text.into(), role }
}
/// Body text.
pub fn plain<'a>(text: impl Into<Cow<'a, str>>) -> Run<'a> {
    run(Role::Text, text)
}
/// A value, a name, a heading.
pub fn strong<'a>(text: impl Into<Cow<'a, str>>) -> Run<'a> {
    run(Role::Strong, text)
}
/// A label, a unit, an age.
pub fn dim<'a>(text: impl Into<Cow<'a, str>>) -> Run<'a> {
    run(Role::Dim, text)
}
/// Cells that runs take together.
pub fn width_of(runs: &[Run<'_>]) -> usize {
    runs.iter().map(Run::width).sum()
}

/// Which edge of a column its cells stand at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Heading.
    pub title: &'static str,
    /// Cells.
    pub width: u16,
    /// Edge.
    pub align: Align,
}

/// A text column.
pub const fn left(title: &'static str, width: u16) -> Column {
    Column { title, width, align: Align::Left }
}
/// A column of numbers.
pub const fn right(title: &'static str, width: u16) -> Column {
    Column { title, width, align: Align::Right }
}

/// A row of a table: one list of runs for each column.
pub type TableRow<'a> = Vec<Vec<Run<'a>>>;

/// Blank cells between two columns of a table.
pub const GUTTER: u16 = 2;

/// A buffer seen through a look.
pub struct Canvas<'b> {
    buf: &'b mut Buffer,
    look: Look,
    /// Whether personal data is shown.
    pub privacy: Privacy,
}

impl<'b> Canvas<'b> {
    /// A canvas over the whole buffer.
    pub fn new(buf: &'b mut Buffer, look: Look, privacy: Privacy) -> Self {
        Self { buf, look, privacy }
    }
    /// Columns.
    pub fn width(&self) -> u16 {
        self.buf.area.width
    }
    /// Rows.
    pub fn height(&self) -> u16 {
        self.buf.area.height
    }
    /// The look.
    pub fn look(&self) -> Look {
        self.look
    }

    /// Writes from column `x` on; gives back the column after it. Clipped at the screen's edge.
    pub fn put(&mut self, x: u16, y: u16, text: &str, role: Role) -> u16 {
        self.clip(x, y, self.width(), text, role)
    }
    /// Writes between `x` and `end` (exclusive); what does not fit ends in `…`.
    pub fn fit(&mut self, x: u16, y: u16, end: u16, text: &str, role: Role) -> u16 {
        let end = end.min(self.width());
        let room = usize::from(end.saturating_sub(x));
        if text.width() <= room {
            self.clip(x, y, end, text, role)
        } else {
            self.clip(x, y, end, &text::cut(text, room), role)
        }
    }
    /// Writes so that the text ends before `end`; gives back its first column. Never cut: a number that does
    /// not fit would be another number, so it moves left instead.
    pub fn right(&mut self, end: u16, y: u16, text: &str, role: Role) -> u16 {
        let x = end.saturating_sub(text.width() as u16);
        self.clip(x, y, end, text, role);
        x
    }
    /// Writes runs one after another between `x` and `end`; the one that does not fit ends in `…`.
    pub fn runs(&mut self, x: u16, y: u16, end: u16, runs: &[Run<'_>]) -> u16 {
        let mut x = x;
        let mut left = width_of(runs);
        for r in runs {
            let w = r.width();
            let room = usize::from(end.saturating_sub(x));
            if left > room && w >= room {
                // The rest will not fit: this run carries the mark.
                let marked =
                    if w > room || left > w { text::cut(&format!("{} ", r.text), room) } else { r.text.to_string() };
                return self.clip(x, y, end, &marked, r.role);
            }
            x = self.clip(x, y, end, &r.text, r.role);
            left -= w;
        }
        x
    }
    /// Writes runs so that they end before `end`, but not left of `x`.
    pub fn runs_right(&mut self, x: u16, end: u16, y: u16, runs: &[Run<'_>]) -> u16 {
        let start = end.saturating_sub(width_of(runs).min(usize::from(u16::MAX)) as u16).max(x);
        self.runs(start, y, end, runs);
        start
    }
    /// Writes text from outside between `x` and `end`: what had to be shown differently in the stale role.
    pub fn untrusted(&mut self, x: u16, y: u16, end: u16, text: &Untrusted, role: Role) -> u16 {
        let runs = self.outside(text, role);
        self.runs(x, y, end, &runs)
    }
    /// Text from outside as runs, to be joined with others.
    pub fn outside<'a>(&self, text: &Untrusted, role: Role) -> Vec<Run<'a>> {
        text::pieces(text, self.privacy)
            .into_iter()
            .map(|p| run(if p.kind == Kind::Plain { role } else { Role::Stale }, p.text))
            .collect()
    }
    /// Text from outside as a string that may go into a run.
    pub fn shown(&self, text: &Untrusted) -> String {
        text::show(text, self.privacy)
    }

    /// A string that holds text from outside (a name of the configuration, a sentence of a library).
    pub fn safe(&self, text: &str) -> String {
        text::show_str(text, self.privacy)
    }

    fn clip(&mut self, x: u16, y: u16, end: u16, text: &str, role: Role) -> u16 {
        let style = self.look.style(role);
        let end = end.min(self.width());
        let ascii = self.look.glyphs == Glyphs::Ascii;
        let mut x = x;
        for cluster in text.graphemes(true) {
            let w = cluster.width() as u16;
            if cluster.chars().any(char::is_control) || w == 0 {
                continue;
            }
            if x.saturating_add(w) > end || y >= self.height() {
                break;
            }
            let mut small = [0; 4];
            let symbol = match cluster.chars().next() {
                Some(c) if ascii => &*self.look.glyph(c).encode_utf8(&mut small),
                _ => cluster,
            };
            for i in 0..w {
                let Some(cell) = self.buf.cell_mut((x + i, y)) else { break };
                // A cell keeps the ground behind it; in mono the ground is the reversal itself.
                let ground = cell.modifier & Modifier::REVERSED;
                cell.modifier = ground;
                cell.set_style(style);
                if style.fg.is_none() {
                    cell.fg = ratatui::style::Color::Reset;
                }
                if i == 0 {
                    cell.set_symbol(symbol);
                } else {
                    cell.set_symbol(" ");
                }
            }
            x += w;
        }
        x
    }

    /// Lays a ground behind cells; what is written there before or after keeps it.
    pub fn ground(&mut self, x: u16, y: u16, width: u16, height: u16, ground: Ground) {
        let style = self.look.ground(ground);
        for yy in y..y.saturating_add(height).min(self.height()) {
            for xx in x..x.saturating_add(width).min(self.width()) {
                if let Some(cell) = self.buf.cell_mut((xx, yy)) {
                    cell.set_style(style);
                }
            }
        }
    }
    /// Empties cells, ground and all.
    pub fn clear(&mut self, x: u16, y: u16, width: u16, height: u16) {
        for yy in y..y.saturating_add(height).min(self.height()) {
            for xx in x..x.saturating_add(width).min(self.width()) {
                if let Some(cell) = self.buf.cell_mut((xx, yy)) {
                    cell.reset();
                }
            }
        }
    }
    /// Turns everything from row `y` on faint and groundless: something else is in front.
    pub fn fade(&mut self, y: u16) {
        let style = self.look.style(Role::Faint);
        for yy in y..self.height() {
            for xx in 0..self.width() {
                if let Some(cell) = self.buf.cell_mut((xx, yy)) {
                    cell.modifier = Modifier::empty();
                    cell.bg = ratatui::style::Color::Reset;
                    cell.fg = style.fg.unwrap_or_default();
                }
            }
        }
    }
    /// What stands in a cell, for code that draws lines only where nothing is.
    pub fn symbol(&self, x: u16, y: u16) -> &str {
        self.buf.cell((x, y)).map_or("", |c| c.symbol())
    }
    /// Gives a cell another role without changing what stands in it.
    pub fn recolour(&mut self, x: u16, y: u16, role: Role) {
        let symbol = self.symbol(x, y).to_owned();
        self.put(x, y, &symbol, role);
    }

    /// The focus mark in column `x`.
    pub fn gutter(&mut self, x: u16, y: u16, role: Role) {
        self.put(x, y, "▌", role);
    }
    /// A panel's heading: bold capitals, a dim remark behind, the focus mark before it when focused.
    pub fn head(&mut self, x: u16, y: u16, end: u16, title: &str, remark: &str, focus: Focus) -> u16 {
        if let Focus::Here(role) = focus {
            self.gutter(x.saturating_sub(1), y, role);
        }
        let after = self.fit(x, y, end, title, Role::Strong);
        if !remark.is_empty() {
            self.fit(after + 3, y, end, remark, Role::Dim);
        }
        y + 1
    }
    /// A panel's heading with its remark at the right edge.
    pub fn head_apart(&mut self, x: u16, y: u16, end: u16, title: &str, remark: &str, focus: Focus) -> u16 {
        self.head(x, y, end, title, "", focus);
        let room = usize::from(end.saturating_sub(x)).saturating_sub(title.width() + 2);
        if remark.width() <= room {
            self.right(end, y, remark, Role::Dim);
        }
        y + 1
    }

    /// Column headings of a table.
    pub fn table_head(&mut self, x: u16, y: u16, columns: &[Column]) -> u16 {
        let mut x = x;
        for c in columns {
            match c.align {
                Align::Left => self.fit(x, y, x + c.width, c.title, Role::Dim),
                Align::Right => self.right(x + c.width, y, c.title, Role::Dim),
            };
            x += c.width + GUTTER;
        }
        y + 1
    }
    /// One row of a table. Cells that are missing stay empty.
    pub fn table_row(&mut self, x: u16, y: u16, columns: &[Column], row: &[Vec<Run<'_>>]) -> u16 {
        let mut x = x;
        for (c, cell) in columns.iter().zip(row) {
            let end = x + c.width;
            match c.align {
                Align::Left => self.runs(x, y, end, cell),
                Align::Right => self.runs_right(x, end, y, cell),
            };
            x += c.width + GUTTER;
        }
        y + 1
    }
    /// Marks a row as focused: ground from `x` to `end`, the focus mark in the column before.
    pub fn focus_row(&mut self, x: u16, y: u16, end: u16, accent: Role) {
        let from = x.saturating_sub(1);
        self.ground(from, y, end.saturating_sub(from), 1, Ground::Row);
        self.gutter(from, y, accent);
    }
}

/// Whether a panel has the focus, and in which colour (`Role::Accent`, in the past `Role::Past`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// Elsewhere.
    Away,
    /// Here.
    Here(Role),
}

/// Columns of a table as wide as `total` allows: the column at `flexible` takes what the others leave.
pub fn stretched(columns: &[Column], flexible: usize, total: u16) -> Vec<Column> {
    let mut out = columns.to_vec();
    let others: u16 = out.iter().enumerate().filter(|(i, _)| *i != flexible).map(|(_, c)| c.width + GUTTER).sum();
    if let Some(c) = out.get_mut(flexible) {
        c.width = total.saturating_sub(others);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::look::Colours;
    use ratatui::layout::Rect;

    fn on(width: u16, look: Look, draw: impl FnOnce(&mut Canvas<'_>)) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        draw(&mut Canvas::new(&mut buf, look, Privacy::Masked));
        (0..width).map(|x| buf[(x, 0)].symbol().to_owned()).collect()
    }

    #[test]
    fn text_that_does_not_fit_ends_in_a_mark_and_never_passes_its_end() {
        let look = Look::default();
        assert_eq!(
            on(12, look, |c| {
                c.fit(1, 0, 7, "pool wait", Role::Text);
            }),
            " pool …     "
        );
        assert_eq!(
            on(12, look, |c| {
                c.runs(1, 0, 8, &[dim("mrg "), strong("84/197")]);
            }),
            " mrg 84…    "
        );
        assert_eq!(
            on(12, look, |c| {
                c.runs(1, 0, 12, &[dim("mrg "), strong("84/197")]);
            }),
            " mrg 84/197 "
        );
    }

    #[test]
    fn a_number_that_is_too_long_moves_left_instead_of_losing_digits() {
        assert_eq!(
            on(8, Look::default(), |c| {
                c.right(6, 0, "1,284", Role::Strong);
            }),
            " 1,284  "
        );
    }

    #[test]
    fn no_control_character_becomes_a_cell_even_by_mistake() {
        assert_eq!(
            on(8, Look::default(), |c| {
                c.put(0, 0, "a\u{1b}[b\u{9b}c", Role::Text);
            }),
            "a[bc    "
        );
    }

    #[test]
    fn ascii_terminals_get_ascii_only() {
        let look = Look { colours: Colours::Mono, glyphs: Glyphs::Ascii };
        assert_eq!(
            on(9, look, |c| {
                c.put(0, 0, "●▁█ › é支", Role::Text);
            }),
            "o.# > ?? "
        );
    }

    #[test]
    fn the_ground_stays_under_text_written_later() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        let mut c = Canvas::new(&mut buf, Look::default(), Privacy::Masked);
        c.ground(0, 0, 4, 1, Ground::Row);
        c.put(1, 0, "x", Role::Strong);
        assert_eq!(buf[(1, 0)].bg, buf[(3, 0)].bg);
    }
}
