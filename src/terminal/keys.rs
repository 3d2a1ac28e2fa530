//! What crossterm reports, as the keys the program knows. Pasted text stays data; releases, mouse moves
//! and focus changes are nothing to us.

use crate::app::key::{Code, Key};
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind};
use futures_util::StreamExt as _;

/// What people do at the terminal, as it comes.
#[derive(Debug)]
pub struct Keyboard {
    events: EventStream,
}

impl Keyboard {
    /// Begins to read. One at a time: it reads from the tty as long as it lives.
    pub fn open() -> Self {
        Self { events: EventStream::new() }
    }
    /// What was done next, by [`translate`]; the error says why nothing can be read any more. Safe to give
    /// up in a `select!`.
    pub async fn next(&mut self) -> Result<[Option<Input>; 2], String> {
        match self.events.next().await {
            Some(Ok(event)) => Ok(translate(event)),
            // Dropping a reader of keys wakes the next one without an event.
            Some(Err(e)) if e.kind() == std::io::ErrorKind::Interrupted => Ok([None, None]),
            Some(Err(e)) => Err(e.to_string()),
            None => Err("they ended".to_owned()),
        }
    }
}

/// More than this is not typed into a one-line prompt by anybody.
const LONGEST_PASTE: usize = 64 * 1024;

/// One thing a person did at the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Pasted text: data, never commands.
    Paste(String),
    /// The size changed; ask the tty what it is.
    Resize,
    /// Ctrl-Z: raw mode makes it a key, the shell's job control shall work all the same.
    Suspend,
}

/// Translates one report into at most two inputs: a slow tmux (`escape-time` 500) joins Esc and the next
/// key into an Alt key, which is taken apart again; no Alt key is bound to anything.
pub fn translate(event: Event) -> [Option<Input>; 2] {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => [None, None],
        Event::Key(key) => keys(key),
        Event::Paste(text) => [Some(Input::Paste(shorten(text))), None],
        Event::Resize(..) => [Some(Input::Resize), None],
        Event::Mouse(mouse) => {
            let code = match mouse.kind {
                MouseEventKind::ScrollUp => Some(Code::Up),
                MouseEventKind::ScrollDown => Some(Code::Down),
                _ => None,
            };
            [code.map(|c| Input::Key(Key::plain(c))), None]
        }
        Event::FocusGained | Event::FocusLost => [None, None],
    }
}

fn keys(event: KeyEvent) -> [Option<Input>; 2] {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    if ctrl && event.code == KeyCode::Char('z') {
        return [Some(Input::Suspend), None];
    }
    let Some(key) = key(event, ctrl) else { return [None, None] };
    if event.modifiers.contains(KeyModifiers::ALT) {
        return [Some(Input::Key(Key::plain(Code::Esc))), Some(Input::Key(key))];
    }
    [Some(Input::Key(key)), None]
}

fn key(event: KeyEvent, ctrl: bool) -> Option<Key> {
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let code = match event.code {
        // What these control letters are on every terminal since the teletype.
        KeyCode::Char('h') if ctrl => return Some(Key::plain(Code::Backspace)),
        KeyCode::Char('j' | 'm') if ctrl => return Some(Key::plain(Code::Enter)),
        KeyCode::Char('i') if ctrl => return Some(Key::plain(Code::Tab)),
        KeyCode::Char(c) => return Some(Key { code: Code::Char(c), ctrl, shift: false }),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => return Some(Key::plain(Code::BackTab)),
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::Delete => Code::Delete,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    Some(Key { code, ctrl, shift })
}

fn shorten(mut text: String) -> String {
    if text.len() > LONGEST_PASTE {
        let end = (0..=LONGEST_PASTE).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> [Option<Input>; 2] {
        translate(Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn escape_and_a_letter_joined_by_tmux_are_two_keys_again() {
        let both = press(KeyCode::Char('q'), KeyModifiers::ALT);
        assert_eq!(both, [Some(Input::Key(Key::plain(Code::Esc))), Some(Input::Key(Key::char('q')))]);
    }

    #[test]
    fn releases_are_dropped() {
        let mut key = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        key.kind = KeyEventKind::Release;
        assert_eq!(translate(Event::Key(key)), [None, None]);
    }

    #[test]
    fn ctrl_z_is_the_shells_and_ctrl_h_a_backspace() {
        assert_eq!(press(KeyCode::Char('z'), KeyModifiers::CONTROL)[0], Some(Input::Suspend));
        assert_eq!(press(KeyCode::Char('h'), KeyModifiers::CONTROL)[0], Some(Input::Key(Key::plain(Code::Backspace))));
    }

    #[test]
    fn shift_is_in_the_letter_itself() {
        assert_eq!(press(KeyCode::Char('G'), KeyModifiers::SHIFT)[0], Some(Input::Key(Key::char('G'))));
        let left = Key { code: Code::Left, ctrl: false, shift: true };
        assert_eq!(press(KeyCode::Left, KeyModifiers::SHIFT)[0], Some(Input::Key(left)));
    }

    #[test]
    fn an_endless_paste_is_cut_between_characters() {
        let [Some(Input::Paste(text)), None] = translate(Event::Paste("é".repeat(40_000))) else {
            panic!("a paste is a paste")
        };
        assert!(text.len() <= LONGEST_PASTE && text.len() > LONGEST_PASTE - 2);
    }
}
