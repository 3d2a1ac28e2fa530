//! Scenes for tests: the demo's world played up to an instant, keys pressed, drawn, read back as text.
//!
//! With `WARROOM_PICTURES=DIR` every scene that is drawn is also left there as text with colours, to be
//! looked at with `cat` in a terminal of that size.

use crate::app::key::{Code, Key};
use crate::app::keymap::Keymap;
use crate::app::state::{Mode, Start};
use crate::app::{App, Message, update};
use crate::model::{Batch, Lapse, Stamp};
use crate::view::look::{Colours, Glyphs, Look};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// The demo's batches, made once.
pub fn batches() -> &'static [Arc<Batch>] {
    static ALL: OnceLock<Vec<Arc<Batch>>> = OnceLock::new();
    ALL.get_or_init(|| crate::simulator::demo(12).map(Arc::new).collect())
}

/// `20:52:10` on the evening of the demo.
pub fn at(clock: &str) -> Stamp {
    crate::simulator::incident().zone.on_day(crate::simulator::START, clock).unwrap()
}

/// A program that has seen nothing.
pub fn blank(mode: Mode, now: Stamp, size: (u16, u16)) -> App {
    let (who, keymap) = ("ana".to_owned(), Keymap::default());
    App::new(Start { mode, now, size, who, may_write: true, keymap, pace: 60.0, mouse: false })
}

/// The evening as if it were live, at a time of day.
pub fn live(clock: &str, size: (u16, u16)) -> App {
    let now = at(clock);
    played(blank(Mode::Live, now, size), now)
}

/// The demo, played up to a time of day.
pub fn demo(clock: &str, size: (u16, u16)) -> App {
    let now = at(clock);
    let mut app = blank(Mode::Demo, now, size);
    update(&mut app, now, Message::Played { at: now, ended: false });
    played(app, now)
}

fn played(mut app: App, now: Stamp) -> App {
    for batch in batches().iter().take_while(|b| b.seen <= now) {
        update(&mut app, now - Lapse::seconds(1), Message::Batch(batch.clone()));
    }
    // Twice: what the first tick finds out about orders is an event of the second.
    update(&mut app, now - Lapse::seconds(1), Message::Tick);
    update(&mut app, now, Message::Tick);
    app
}

/// Presses keys: one character each, `<Enter>` and the like in angle brackets.
pub fn press(app: &mut App, keys: &str) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|r| r.split_once('>'));
        let (key, after) = match named {
            Some((name, after)) if name.len() > 1 => (named_key(name), after),
            _ => (Key::char(c), &rest[c.len_utf8()..]),
        };
        let now = app.now;
        update(app, now, Message::Key(key));
        rest = after;
    }
}

fn named_key(name: &str) -> Key {
    let code = match name {
        "Enter" => Code::Enter,
        "Esc" => Code::Esc,
        "Tab" => Code::Tab,
        "Up" => Code::Up,
        "Down" => Code::Down,
        "Left" | "S-Left" => Code::Left,
        "Right" | "S-Right" => Code::Right,
        "End" => Code::End,
        "Home" => Code::Home,
        other => panic!("no key is called {other}"),
    };
    Key { shift: name.starts_with("S-"), ..Key::plain(code) }
}

/// Draws.
pub fn drawn(app: &App, look: Look) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, app.grid.width, app.grid.height));
    crate::view::draw(app, &look, &mut buf);
    buf
}

/// Cells as lines of text without trailing blanks.
pub fn lines(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let line: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A look without colours and above ASCII.
pub const MONO_ASCII: Look = Look { colours: Colours::Mono, glyphs: Glyphs::Ascii };

/// The text of a scene, left as a picture too when pictures are asked for.
pub fn picture(name: &str, app: &App, look: Look) -> String {
    let buf = drawn(app, look);
    if let Ok(folder) = std::env::var("WARROOM_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.ans")), encoded(None, &buf)).unwrap();
    }
    lines(&buf)
}

/// What a terminal would be sent to turn one frame into the other, with the shortest moves and attribute
/// changes that a plain encoder makes; for counting bytes.
pub fn encoded(before: Option<&Buffer>, after: &Buffer) -> String {
    let mut out = String::new();
    let mut style = (Color::Reset, Color::Reset, Modifier::empty());
    for y in 0..after.area.height {
        let mut next = None;
        for x in 0..after.area.width {
            let cell = &after[(x, y)];
            if before.is_some_and(|b| b[(x, y)] == *cell) {
                continue;
            }
            if next != Some(x) {
                let _ = write!(out, "\x1b[{};{}H", y + 1, x + 1);
            }
            let want = (cell.fg, cell.bg, cell.modifier);
            if want != style {
                let _ = write!(out, "\x1b[0{}{}{}m", marks(want.2), ink(want.0, 38), ink(want.1, 48));
                style = want;
            }
            out.push_str(cell.symbol());
            next = Some(x + 1);
        }
    }
    out.push_str("\x1b[0m");
    out
}

fn marks(m: Modifier) -> String {
    let all = [(Modifier::BOLD, ";1"), (Modifier::UNDERLINED, ";4"), (Modifier::REVERSED, ";7")];
    all.iter().filter(|(bit, _)| m.contains(*bit)).map(|(_, code)| *code).collect()
}

fn ink(color: Color, base: u8) -> String {
    let sixteen = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match color {
        Color::Indexed(i) => format!(";{base};5;{i}"),
        Color::Rgb(r, g, b) => format!(";{base};2;{r};{g};{b}"),
        c => sixteen.iter().position(|s| *s == c).map_or(String::new(), |i| {
            let code = usize::from(base) - 8 + if i < 8 { i } else { i + 52 };
            format!(";{code}")
        }),
    }
}
