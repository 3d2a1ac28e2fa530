//! How things look: one table of roles with a colour for each kind of terminal, and one table of glyphs.
//!
//! View code names roles (`Role::Bad`), never colours; it writes Unicode glyphs, and the canvas replaces
//! them where the terminal has only ASCII. Colour never carries meaning alone: each role that judges has a
//! glyph or a word beside it, so that the mono palette says everything.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Body.
    Text,
    /// Values, names, the current crumb, headings.
    Strong,
    /// Labels, units, ages, times.
    Dim,
    /// Rules, measured zero, crumb marks: never the only carrier of anything.
    Faint,
    /// Cursor line, focus gutter: nothing else.
    Accent,
    /// The same while the cursor is not at now.
    Past,
    /// The active tab, the time at the cursor.
    Label,
    /// The same in the past, and the PAST badge.
    PastLabel,
    /// Broken at the instant shown; always with `!`, `✕` or words.
    Bad,
    /// Outside normal; late.
    Warn,
    /// Well; supports.
    Ok,
    /// Old data kept, masked text, gaps, no data.
    Stale,
    /// Bars inside the band.
    Ser,
    /// Bars outside the band.
    Hot,
    /// Columns after a past cursor or outside the selection.
    Later,
    /// Ids, placeholders; refutes.
    Var,
    /// What was searched for.
    Hit,
    /// A key in the footer, in help.
    Key,
    /// MRG in a trail.
    Sys1,
    /// UPG in a trail.
    Sys2,
    /// Orchestrator in a trail.
    Sys3,
    /// HO in a trail.
    Sys4,
    /// DEMO, PAUSED, REPLAY.
    Badge,
}

/// What lies behind text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ground {
    /// The header band.
    Header,
    /// The header band in the past.
    HeaderPast,
    /// The normal band behind bars.
    Band,
    /// The focused row.
    Row,
    /// The palette.
    Popup,
}

/// What the terminal can colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colours {
    /// None: bold, reverse, underline and letters.
    Mono,
    /// The sixteen that every theme redefines.
    Sixteen,
    /// 256 indexed colours: what tmux and SSH carry best.
    Indexed,
    /// 24 bits; only when configured.
    Rgb,
}

/// Which characters the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glyphs {
    /// Blocks and symbols of width one.
    Unicode,
    /// Nothing above 0x7E.
    Ascii,
    /// As Unicode, with lanes in Braille dots at twice the resolution.
    Braille,
}

/// Palette and glyphs of this terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// Palette.
    pub colours: Colours,
    /// Glyphs.
    pub glyphs: Glyphs,
}

impl Default for Look {
    fn default() -> Self {
        Self { colours: Colours::Indexed, glyphs: Glyphs::Unicode }
    }
}

/// One role in all palettes. `None` for a colour is the terminal's own.
struct Paint {
    fg: Option<u8>,
    bg: Option<u8>,
    fg16: Color,
    bg16: Color,
    /// Attributes with colours.
    marks: Modifier,
    /// Attributes without colours.
    mono: Modifier,
}

const fn ink(fg: u8, fg16: Color, marks: Modifier, mono: Modifier) -> Paint {
    Paint { fg: Some(fg), bg: None, fg16, bg16: Color::Reset, marks, mono }
}
const fn label(bg: u8, bg16: Color) -> Paint {
    let mono = Modifier::BOLD.union(Modifier::REVERSED);
    Paint { fg: Some(16), bg: Some(bg), fg16: Color::Black, bg16, marks: Modifier::BOLD, mono }
}

const PLAIN: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const UNDER: Modifier = Modifier::UNDERLINED;

/// The table of roles. Blue against tan and the shapes of the glyphs stay apart for the common colour
/// blindnesses; nothing is told apart by red against green.
const fn paint(role: Role) -> Paint {
    match role {
        Role::Text => ink(252, Color::Reset, PLAIN, PLAIN),
        Role::Strong => ink(231, Color::White, BOLD, BOLD),
        Role::Dim => ink(246, Color::Gray, PLAIN, PLAIN),
        Role::Faint => ink(240, Color::DarkGray, PLAIN, PLAIN),
        Role::Accent => ink(45, Color::LightCyan, PLAIN, BOLD),
        Role::Past => ink(141, Color::LightMagenta, PLAIN, BOLD),
        Role::Label => label(45, Color::LightCyan),
        Role::PastLabel => label(141, Color::LightMagenta),
        Role::Bad => ink(203, Color::LightRed, BOLD, BOLD),
        Role::Warn => ink(215, Color::LightYellow, PLAIN, PLAIN),
        Role::Ok => ink(114, Color::LightGreen, PLAIN, PLAIN),
        Role::Stale => ink(103, Color::Cyan, PLAIN, PLAIN),
        Role::Ser => ink(67, Color::Blue, PLAIN, PLAIN),
        Role::Hot => ink(137, Color::Yellow, PLAIN, BOLD),
        Role::Later => ink(239, Color::DarkGray, PLAIN, PLAIN),
        Role::Var => ink(109, Color::Cyan, PLAIN, PLAIN),
        Role::Hit => ink(231, Color::White, UNDER, UNDER),
        Role::Key => ink(252, Color::Reset, BOLD, BOLD),
        Role::Sys1 => ink(110, Color::LightBlue, PLAIN, PLAIN),
        Role::Sys2 => ink(150, Color::LightGreen, PLAIN, PLAIN),
        Role::Sys3 => ink(180, Color::Yellow, PLAIN, PLAIN),
        Role::Sys4 => ink(175, Color::LightMagenta, PLAIN, PLAIN),
        Role::Badge => label(215, Color::LightYellow),
    }
}

impl Look {
    /// The style of a role. It says nothing of the ground unless the role brings its own.
    pub fn style(&self, role: Role) -> Style {
        let p = paint(role);
        match self.colours {
            Colours::Mono => Style::new().add_modifier(p.mono),
            Colours::Sixteen => with(Style::new().fg(p.fg16), (p.bg16 != Color::Reset).then_some(p.bg16), p.marks),
            Colours::Indexed => with(colour(p.fg, Color::Indexed), p.bg.map(Color::Indexed), p.marks),
            Colours::Rgb => with(colour(p.fg, rgb), p.bg.map(rgb), p.marks),
        }
    }
    /// What a ground adds to the cells it lies behind.
    pub fn ground(&self, ground: Ground) -> Style {
        let (index, sixteen, mono) = match ground {
            Ground::Header => (236, Some(Color::Blue), Modifier::REVERSED),
            Ground::HeaderPast => (54, Some(Color::Magenta), Modifier::REVERSED),
            Ground::Band => (235, None, PLAIN),
            Ground::Row => (238, None, Modifier::REVERSED),
            Ground::Popup => (234, None, PLAIN),
        };
        match (self.colours, sixteen) {
            (Colours::Sixteen, Some(bg)) => Style::new().bg(bg),
            (Colours::Mono | Colours::Sixteen, _) => Style::new().add_modifier(mono),
            (Colours::Indexed, _) => Style::new().bg(Color::Indexed(index)),
            (Colours::Rgb, _) => Style::new().bg(rgb(index)),
        }
    }
    /// Whether a ground is visible as a colour, so that nothing else has to mark it.
    pub const fn shades(&self) -> bool {
        matches!(self.colours, Colours::Indexed | Colours::Rgb)
    }
    /// The character to send for one that the view wrote.
    pub fn glyph(&self, c: char) -> char {
        if self.glyphs == Glyphs::Ascii { ascii(c) } else { c }
    }
}

fn with(style: Style, bg: Option<Color>, marks: Modifier) -> Style {
    let style = style.add_modifier(marks);
    bg.map_or(style, |bg| style.bg(bg))
}
fn colour(index: Option<u8>, of: impl Fn(u8) -> Color) -> Style {
    index.map_or_else(Style::new, |i| Style::new().fg(of(i)))
}

/// The 24-bit value of an indexed colour from 16 on, as xterm defines its cube and its greys.
fn rgb(index: u8) -> Color {
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    if index >= 232 {
        let g = 8 + 10 * (index - 232);
        Color::Rgb(g, g, g)
    } else {
        let n = index.saturating_sub(16);
        Color::Rgb(level(n / 36), level(n / 6 % 6), level(n % 6))
    }
}

/// What stands for a glyph where only ASCII can be shown. Letters of other scripts become `?`.
pub const fn ascii(c: char) -> char {
    match c {
        ' '..='~' => c,
        '▁' | '·' | '░' | '○' | '□' | '•' => '.',
        '▂' | '╎' | '┊' => ':',
        '▃' | '─' | '┈' | '╌' | '┄' | '−' | '–' | '—' | '▾' => '-',
        '▄' | '▒' | '━' | '═' => '=',
        '▅' | '▸' | '┌' | '┐' | '┘' | '┬' | '┴' | '┼' => '+',
        '▆' | '◆' => '*',
        '▇' | '▓' => '%',
        '█' | '■' | '▀' => '#',
        '│' | '├' | '┤' | '▐' => '|',
        '└' => '`',
        '▲' | '↑' | '⇧' => '^',
        '▼' | '↓' | '✓' => 'v',
        '●' => 'o',
        '◐' | '…' => '~',
        '✕' | '×' => 'x',
        '›' | '→' | '≥' | '▌' | '▶' => '>',
        '←' | '◂' | '≤' => '<',
        'Σ' => 'S',
        '∧' => '&',
        'Δ' => 'd',
        '÷' => '/',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 23] = [
        Role::Text,
        Role::Strong,
        Role::Dim,
        Role::Faint,
        Role::Accent,
        Role::Past,
        Role::Label,
        Role::PastLabel,
        Role::Bad,
        Role::Warn,
        Role::Ok,
        Role::Stale,
        Role::Ser,
        Role::Hot,
        Role::Later,
        Role::Var,
        Role::Hit,
        Role::Key,
        Role::Sys1,
        Role::Sys2,
        Role::Sys3,
        Role::Sys4,
        Role::Badge,
    ];

    #[test]
    fn without_colours_no_style_carries_one() {
        let look = Look { colours: Colours::Mono, glyphs: Glyphs::Ascii };
        for role in ROLES {
            let style = look.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn broken_is_bold_in_every_palette() {
        for colours in [Colours::Mono, Colours::Sixteen, Colours::Indexed, Colours::Rgb] {
            let style = Look { colours, glyphs: Glyphs::Unicode }.style(Role::Bad);
            assert!(style.add_modifier.contains(Modifier::BOLD), "{colours:?}");
        }
    }

    #[test]
    fn the_cube_and_the_greys_are_those_of_xterm() {
        assert_eq!(rgb(231), Color::Rgb(255, 255, 255));
        assert_eq!(rgb(45), Color::Rgb(0, 215, 255));
        assert_eq!(rgb(203), Color::Rgb(255, 95, 95));
        assert_eq!(rgb(252), Color::Rgb(208, 208, 208));
    }
}
