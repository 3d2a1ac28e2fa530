//! What this terminal can show, decided once from flags, configuration and environment, with the reason in
//! words. Nothing is asked of the terminal itself: no answer may ever be waited for.

use crate::terminal::clipboard::Ways;
use crate::terminal::encode::Wire;
use crate::view::look::{Colours, Glyphs, Look};

/// What the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `TERM`
    pub term: String,
    /// `COLORTERM`
    pub colorterm: String,
    /// `NO_COLOR`
    pub no_color: String,
    /// The first of `LC_ALL`, `LC_CTYPE`, `LANG` that says something.
    pub locale: String,
    /// Inside tmux: its version when it tells, else empty.
    pub tmux: Option<String>,
    /// Inside GNU screen.
    pub screen: bool,
    /// Over SSH.
    pub ssh: bool,
    /// `WAYLAND_DISPLAY` or `DISPLAY` is there.
    pub display: bool,
}

/// What people asked for: `auto` or a name; a flag has won over the configuration already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// `auto`, `mono`, `16`, `256`, `rgb`.
    pub colors: String,
    /// `auto`, `unicode`, `ascii`, `braille`.
    pub glyphs: String,
    /// Slow link: no colour unless one was named.
    pub slow: bool,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { colors: "auto".to_owned(), glyphs: "auto".to_owned(), slow: false }
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Palette and glyphs.
    pub look: Look,
    /// Why this palette.
    pub colours_why: String,
    /// Why these glyphs.
    pub glyphs_why: String,
    /// Frames are marked as one picture (mode 2026).
    pub synchronized: bool,
    /// Ways to copy.
    pub ways: Ways,
}

impl Surroundings {
    /// Reads them through `get`, which is `std::env::var` in the program and a table in tests.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| get(name).unwrap_or_default();
        let is = |name: &str| get(name).is_some_and(|v| !v.is_empty());
        let in_tmux = is("TMUX") || var("TERM_PROGRAM") == "tmux";
        let version = if var("TERM_PROGRAM") == "tmux" { var("TERM_PROGRAM_VERSION") } else { String::new() };
        Self {
            term: var("TERM"),
            colorterm: var("COLORTERM"),
            no_color: var("NO_COLOR"),
            locale: ["LC_ALL", "LC_CTYPE", "LANG"].iter().map(|n| var(n)).find(|v| !v.is_empty()).unwrap_or_default(),
            tmux: in_tmux.then_some(version),
            screen: is("STY"),
            ssh: is("SSH_CONNECTION") || is("SSH_TTY"),
            display: is("WAYLAND_DISPLAY") || is("DISPLAY"),
        }
    }
    /// Those of this process.
    pub fn of_process() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }
}

/// Decides. The error is a sentence with the remedy: this terminal cannot carry a screen at all.
pub fn decide(around: &Surroundings, wishes: &Wishes) -> Result<Caps, String> {
    if around.term.is_empty() || around.term == "dumb" {
        let said =
            if around.term.is_empty() { "TERM is not set".to_owned() } else { format!("TERM is {}", around.term) };
        return Err(format!(
            "{said}: this terminal cannot show a screen; use another one, or set TERM to what it really is (xterm-256color, tmux-256color); warroom record and warroom check work without a screen"
        ));
    }
    let (colours, colours_why) = colours(around, wishes)?;
    let (glyphs, glyphs_why) = glyphs(around, &wishes.glyphs)?;
    let display = around.display && !around.ssh;
    Ok(Caps {
        look: Look { colours, glyphs },
        colours_why,
        glyphs_why,
        synchronized: synchronized(around),
        ways: Ways { tmux: around.tmux.is_some(), osc52: around.term != "linux" && !around.screen, display },
    })
}

fn colours(around: &Surroundings, wishes: &Wishes) -> Result<(Colours, String), String> {
    let asked = |c| Ok((c, format!("asked for: {}", wishes.colors)));
    match wishes.colors.as_str() {
        "auto" => {}
        "mono" | "none" => return asked(Colours::Mono),
        "16" => return asked(Colours::Sixteen),
        "256" => return asked(Colours::Indexed),
        "rgb" => return asked(Colours::Rgb),
        other => return Err(format!("no palette is called {other}: it is auto, mono, 16, 256 or rgb")),
    }
    if !around.no_color.is_empty() {
        return Ok((Colours::Mono, "NO_COLOR is set".to_owned()));
    }
    if wishes.slow {
        return Ok((Colours::Mono, "a slow link gets no colour unless one is asked for".to_owned()));
    }
    let term = around.term.as_str();
    if is_many(term) || is_true(&around.colorterm) {
        // RGB only when somebody asks: tmux converts it for each client and differs between them.
        let by = if is_many(term) { format!("TERM is {term}") } else { format!("COLORTERM is {}", around.colorterm) };
        return Ok((Colours::Indexed, by));
    }
    if term.ends_with("-m") || term.ends_with("-mono") || term.starts_with("vt1") || term.starts_with("vt2") {
        return Ok((Colours::Mono, format!("TERM is {term}, which has no colours")));
    }
    Ok((Colours::Sixteen, format!("TERM is {term}, which promises no more than 16 colours")))
}

fn is_true(colorterm: &str) -> bool {
    matches!(colorterm, "truecolor" | "24bit")
}

/// Terminals with 256 colours, by name.
fn is_many(term: &str) -> bool {
    const NAMES: [&str; 9] =
        ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour", "ghostty", "rio", "kitty"];
    term.contains("256") || term.ends_with("-direct") || NAMES.contains(&term)
}

fn glyphs(around: &Surroundings, wish: &str) -> Result<(Glyphs, String), String> {
    let asked = |g| Ok((g, format!("asked for: {wish}")));
    match wish {
        "auto" => {}
        "unicode" => return asked(Glyphs::Unicode),
        "ascii" => return asked(Glyphs::Ascii),
        "braille" => return asked(Glyphs::Braille),
        other => return Err(format!("no glyphs are called {other}: they are auto, unicode, ascii or braille")),
    }
    if around.term == "linux" {
        return Ok((Glyphs::Ascii, "the Linux console's font lacks most block characters".to_owned()));
    }
    let locale = around.locale.to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") {
        return Ok((Glyphs::Unicode, format!("the locale is {}", around.locale)));
    }
    if locale.is_empty() {
        return Ok((Glyphs::Ascii, "no locale is set (LANG=C.UTF-8 would give block characters)".to_owned()));
    }
    Ok((Glyphs::Ascii, format!("the locale {} is not UTF-8 (LANG=C.UTF-8 would give block characters)", around.locale)))
}

/// tmux knows mode 2026 from 3.7 on; the console and screen do not.
fn synchronized(around: &Surroundings) -> bool {
    match &around.tmux {
        Some(version) => tmux_version(version).is_some_and(|v| v >= (3, 7)),
        None => {
            !around.screen
                && !around.term.starts_with("screen")
                && !around.term.starts_with("tmux")
                && around.term != "linux"
        }
    }
}

/// `3.3a` as 3 and 3; `next-3.7` as 3 and 7.
pub fn tmux_version(text: &str) -> Option<(u32, u32)> {
    let text = text.trim().trim_start_matches("tmux ").trim_start_matches("next-");
    let (major, minor) = text.split_once('.')?;
    let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, digits.parse().ok()?))
}

impl Caps {
    /// What the writer needs to know of it.
    pub fn wire(&self) -> Wire {
        Wire {
            mono: self.look.colours == Colours::Mono,
            ascii: self.look.glyphs == Glyphs::Ascii,
            synchronized: self.synchronized,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(vars: &[(&str, &str)]) -> Surroundings {
        Surroundings::read(|n| vars.iter().find(|(k, _)| *k == n).map(|(_, v)| (*v).to_owned()))
    }
    fn auto(vars: &[(&str, &str)]) -> Caps {
        decide(&with(vars), &Wishes::default()).unwrap()
    }

    #[test]
    fn the_palette_follows_the_terminals_name_and_never_guesses_rgb() {
        let cases = [
            (&[("TERM", "tmux-256color")][..], Colours::Indexed),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Colours::Indexed),
            (&[("TERM", "xterm"), ("COLORTERM", "truecolor")], Colours::Indexed),
            (&[("TERM", "xterm")], Colours::Sixteen),
            (&[("TERM", "screen")], Colours::Sixteen),
            (&[("TERM", "linux")], Colours::Sixteen),
            (&[("TERM", "vt100")], Colours::Mono),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Colours::Mono),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Colours::Indexed),
        ];
        for (vars, colours) in cases {
            assert_eq!(auto(vars).look.colours, colours, "{vars:?}");
        }
    }

    #[test]
    fn what_was_asked_for_wins_over_no_color() {
        let wishes = Wishes { colors: "rgb".into(), ..Wishes::default() };
        let caps = decide(&with(&[("TERM", "xterm"), ("NO_COLOR", "1")]), &wishes).unwrap();
        assert_eq!((caps.look.colours, caps.colours_why.as_str()), (Colours::Rgb, "asked for: rgb"));
    }

    #[test]
    fn a_dumb_terminal_is_refused_with_the_remedy_whatever_was_asked_for() {
        let wishes = Wishes { colors: "256".into(), ..Wishes::default() };
        for vars in [&[("TERM", "dumb")][..], &[]] {
            let says = decide(&with(vars), &wishes).unwrap_err();
            assert!(says.contains("TERM") && says.contains("xterm-256color"), "{says}");
        }
    }

    #[test]
    fn glyphs_follow_the_locale_the_first_variable_wins() {
        let term = ("TERM", "xterm-256color");
        assert_eq!(auto(&[term, ("LANG", "id_ID.UTF-8")]).look.glyphs, Glyphs::Unicode);
        assert_eq!(auto(&[term, ("LANG", "C.utf8")]).look.glyphs, Glyphs::Unicode);
        assert_eq!(auto(&[term, ("LANG", "id_ID.UTF-8"), ("LC_ALL", "C")]).look.glyphs, Glyphs::Ascii);
        assert_eq!(auto(&[term]).look.glyphs, Glyphs::Ascii);
        assert_eq!(auto(&[("TERM", "linux"), ("LANG", "C.UTF-8")]).look.glyphs, Glyphs::Ascii);
    }

    #[test]
    fn frames_are_marked_only_where_the_marks_are_known() {
        let tmux = |v| {
            [("TERM", "tmux-256color"), ("TMUX", "/tmp/t,1,0"), ("TERM_PROGRAM", "tmux"), ("TERM_PROGRAM_VERSION", v)]
        };
        assert!(!auto(&tmux("3.3a")).synchronized);
        assert!(!auto(&tmux("")).synchronized);
        assert!(auto(&tmux("3.7")).synchronized);
        assert!(auto(&tmux("next-3.8")).synchronized);
        assert!(auto(&[("TERM", "xterm-256color")]).synchronized);
        assert!(!auto(&[("TERM", "screen")]).synchronized);
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        let wishes = Wishes { glyphs: "utf".into(), ..Wishes::default() };
        assert!(decide(&with(&[("TERM", "xterm")]), &wishes).unwrap_err().contains("braille"));
    }
}
