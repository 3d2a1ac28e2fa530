//! Keys as the program knows them; `terminal` translates what crossterm reports into these.

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A printable character as typed (`G` is shift-g).
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Delete.
    Delete,
    /// Function key; only F1 is ever bound.
    F(u8),
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// With control.
    pub ctrl: bool,
    /// With shift; only meaningful for keys that print nothing.
    pub shift: bool,
}

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, shift: false }
    }
    /// A character.
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }
    /// A character with control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, shift: false }
    }
}

/// Why a written key cannot be one, in a clause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Not a key's name.
    #[error("`{0}` is not a key; write a character, or esc, enter, tab, space, up, f1, ctrl-d, shift-left")]
    Unknown(String),
    /// A key the terminal, tmux or the shell owns.
    #[error("`{0}` is never bound: {1}")]
    Forbidden(String, &'static str),
}

/// Names of keys that print nothing.
const NAMES: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("backspace", Code::Backspace),
    ("tab", Code::Tab),
    ("shift-tab", Code::BackTab),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("home", Code::Home),
    ("end", Code::End),
    ("delete", Code::Delete),
    ("space", Code::Char(' ')),
];

impl Key {
    /// Reads one key as configured: `G`, `ctrl-d`, `shift-left`, `f1`, `space`.
    ///
    /// # Errors
    /// When it is no key, or one that warroom leaves to tmux, the terminal or the shell.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return if c.is_control() { Err(BadKey::Unknown(text.to_owned())) } else { Ok(Self::char(c)) };
        }
        let lower = text.to_ascii_lowercase();
        if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == lower) {
            return Ok(Self::plain(*code));
        }
        if lower.starts_with("alt-") || lower.starts_with("meta-") {
            return Err(forbidden(text, "tmux delays Esc, so Alt and Esc cannot be told apart"));
        }
        if let Some(rest) = lower.strip_prefix("ctrl-") {
            return Self::parse_ctrl(text, rest);
        }
        if let Some(rest) = lower.strip_prefix("shift-")
            && let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == rest)
        {
            return Ok(Self { code: *code, ctrl: false, shift: true });
        }
        if let Some(n) = lower.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()) {
            let key = Self::plain(Code::F(n));
            return if n == 1 {
                Ok(key)
            } else {
                Err(forbidden(text, "terminals and tmux use the function keys but F1"))
            };
        }
        Err(BadKey::Unknown(text.to_owned()))
    }

    fn parse_ctrl(text: &str, rest: &str) -> Result<Self, BadKey> {
        if rest.starts_with("shift-") {
            return Err(forbidden(text, "most terminals do not report Ctrl and Shift together"));
        }
        let mut chars = rest.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else { return Err(BadKey::Unknown(text.to_owned())) };
        match c {
            'a' | 'b' => Err(forbidden(text, "it is the prefix of screen or tmux")),
            's' | 'q' => Err(forbidden(text, "terminals stop and start their output with it")),
            'z' | '\\' => Err(forbidden(text, "the shell suspends or aborts programs with it")),
            'h' | 'i' | 'j' | 'm' | '[' => Err(forbidden(text, "terminals send it for Backspace, Tab, Enter or Esc")),
            'a'..='z' => Ok(Self::ctrl(c)),
            _ => Err(BadKey::Unknown(text.to_owned())),
        }
    }

    /// As written in a configuration; `parse` reads it back.
    pub fn name(self) -> String {
        let base = match self.code {
            Code::F(n) => format!("f{n}"),
            Code::Char(c) if c != ' ' => c.to_string(),
            code => NAMES.iter().find(|(_, k)| *k == code).map_or(String::new(), |(n, _)| (*n).to_owned()),
        };
        match (self.ctrl, self.shift) {
            (true, _) => format!("ctrl-{base}"),
            (false, true) => format!("shift-{base}"),
            (false, false) => base,
        }
    }

    /// As shown to people: `←`, `⇧←`, `Ctrl-D`, `Enter`. The view swaps glyphs where there is only ASCII.
    pub fn shown(self) -> String {
        let base = match self.code {
            Code::Left => "←".to_owned(),
            Code::Right => "→".to_owned(),
            Code::Up => "↑".to_owned(),
            Code::Down => "↓".to_owned(),
            Code::BackTab => "⇧Tab".to_owned(),
            Code::PageUp => "PgUp".to_owned(),
            Code::PageDown => "PgDn".to_owned(),
            Code::Char(' ') => "Space".to_owned(),
            Code::Char(c) if self.ctrl => c.to_ascii_uppercase().to_string(),
            Code::Char(c) => c.to_string(),
            Code::F(n) => format!("F{n}"),
            Code::Enter => "Enter".to_owned(),
            Code::Esc => "Esc".to_owned(),
            Code::Backspace => "Backspace".to_owned(),
            Code::Tab => "Tab".to_owned(),
            Code::Home => "Home".to_owned(),
            Code::End => "End".to_owned(),
            Code::Delete => "Delete".to_owned(),
        };
        match (self.ctrl, self.shift) {
            (true, _) => format!("Ctrl-{base}"),
            (false, true) => format!("⇧{base}"),
            (false, false) => base,
        }
    }

    /// The same key as bound: a printed character carries its shift in itself.
    #[must_use]
    pub fn normal(self) -> Self {
        match self.code {
            Code::Char(c) if self.ctrl => Self { code: Code::Char(c.to_ascii_lowercase()), ctrl: true, shift: false },
            Code::Char(_) | Code::BackTab => Self { shift: false, ..self },
            Code::Tab if self.shift => Self::plain(Code::BackTab),
            _ => self,
        }
    }
}

fn forbidden(text: &str, why: &'static str) -> BadKey {
    BadKey::Forbidden(text.to_owned(), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_back_from_its_name() {
        for text in ["G", "g", "space", "ctrl-d", "shift-left", "f1", "esc", "shift-tab", "{", "-", "pagedown"] {
            let key = Key::parse(text).unwrap();
            assert_eq!(key.name(), text);
            assert_eq!(key.normal(), key);
        }
    }

    #[test]
    fn keys_of_tmux_the_terminal_and_the_shell_are_refused() {
        for text in
            ["ctrl-a", "ctrl-b", "ctrl-s", "ctrl-q", "ctrl-z", "ctrl-\\", "alt-x", "f2", "ctrl-shift-x", "Ctrl-A"]
        {
            assert!(matches!(Key::parse(text), Err(BadKey::Forbidden(..))), "{text}");
        }
        assert!(matches!(Key::parse("hyper-x"), Err(BadKey::Unknown(_))));
        assert!(matches!(Key::parse(""), Err(BadKey::Unknown(_))));
    }

    #[test]
    fn a_shifted_letter_is_the_letter_it_prints() {
        let typed = Key { code: Code::Char('G'), ctrl: false, shift: true };
        assert_eq!(typed.normal(), Key::char('G'));
        assert_eq!(Key { code: Code::Tab, ctrl: false, shift: true }.normal(), Key::plain(Code::BackTab));
    }
}
