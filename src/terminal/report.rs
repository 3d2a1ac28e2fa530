//! What `warroom check` says of the terminal: what was found, what was chosen and why, whether copying can
//! work, and the exact lines for tmux.conf.

use crate::terminal::caps::{Caps, Surroundings, tmux_version};
use crate::terminal::tmux;
use crate::terminal::tty::Tty;
use crate::view::look::{Colours, Glyphs};
use serde::Serialize;

/// One thing about the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is about: `size`, `palette`, `tmux`.
    pub what: String,
    /// Whether it is as warroom would like it.
    pub ok: bool,
    /// What was found.
    pub says: String,
    /// What a person can do, exactly; empty when nothing is needed.
    pub remedy: String,
}

impl Line {
    fn well(what: &str, says: impl Into<String>) -> Self {
        Self { what: what.to_owned(), ok: true, says: says.into(), remedy: String::new() }
    }
    fn ill(what: &str, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.to_owned(), ok: false, says: says.into(), remedy: remedy.into() }
    }
}

/// What tmux says of itself; each is none when it did not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TmuxOptions {
    /// `-V`, or what the pane was told.
    pub version: Option<String>,
    /// `set-clipboard`
    pub set_clipboard: Option<String>,
    /// `escape-time`, milliseconds.
    pub escape_time: Option<String>,
    /// `focus-events`
    pub focus_events: Option<String>,
    /// `default-terminal`
    pub default_terminal: Option<String>,
    /// Features of the client that looks at this pane.
    pub features: Option<String>,
}

impl TmuxOptions {
    /// Asks the tmux this process runs in.
    pub fn ask() -> Self {
        Self {
            version: tmux::display("#{version}"),
            set_clipboard: tmux::option("-s", "set-clipboard"),
            escape_time: tmux::option("-s", "escape-time"),
            focus_events: tmux::option("-s", "focus-events"),
            default_terminal: tmux::option("-s", "default-terminal"),
            features: tmux::display("#{client_termfeatures}"),
        }
    }
}

/// Everything about the terminal. Waits for tmux for a few seconds at worst.
pub fn report(around: &Surroundings, caps: &Result<Caps, String>) -> Vec<Line> {
    let options = around.tmux.is_some().then(TmuxOptions::ask);
    lines(around, caps, Tty::open().map(|t| t.size()), options.as_ref())
}

fn lines(
    around: &Surroundings,
    caps: &Result<Caps, String>,
    size: Option<(u16, u16)>,
    options: Option<&TmuxOptions>,
) -> Vec<Line> {
    let mut out = vec![Line::well("TERM", if around.term.is_empty() { "not set" } else { &around.term })];
    out.push(match size {
        Some((w, h)) if w >= 80 && h >= 24 => Line::well("size", format!("{w}×{h}")),
        Some((w, h)) => Line::ill(
            "size",
            format!("{w}×{h}: only the answer alone fits"),
            "make it 80×24 or larger; 200×50 shows everything",
        ),
        None => Line::well("size", "no terminal here (output is redirected)"),
    });
    out.push(Line::well("link", if around.ssh { "over SSH" } else { "no sign of SSH" }));
    let locale = if around.locale.is_empty() { "none set" } else { &around.locale };
    out.push(Line::well("locale", locale));
    match caps {
        Ok(caps) => chosen(&mut out, caps),
        Err(says) => out.push(Line::ill("screen", says.clone(), "")),
    }
    if let Some(options) = options {
        tmux_lines(&mut out, around, options);
    }
    out
}

fn chosen(out: &mut Vec<Line>, caps: &Caps) {
    let palette = match caps.look.colours {
        Colours::Mono => "no colour",
        Colours::Sixteen => "16 colours",
        Colours::Indexed => "256 colours",
        Colours::Rgb => "24 bits",
    };
    out.push(Line::well("palette", format!("{palette}, because {}", caps.colours_why)));
    let glyphs = match caps.look.glyphs {
        Glyphs::Unicode => "unicode",
        Glyphs::Ascii => "ASCII",
        Glyphs::Braille => "braille",
    };
    out.push(Line::well("glyphs", format!("{glyphs}, because {}", caps.glyphs_why)));
    if caps.look.glyphs != Glyphs::Ascii {
        out.push(Line::well(
            "sample",
            "blocks ▁▂▃▄▅▆▇█ marks ▲◆▼●◐○✕ braille ⡇⣀⣤⣶⣿: boxes or gaps here mean --glyphs ascii",
        ));
    }
    let copy = match (caps.ways.tmux, caps.ways.osc52, caps.ways.display) {
        (true, ..) => "into tmux's buffer, and to your clipboard if tmux may",
        (false, true, _) => "by OSC 52, which the terminal may ignore without telling",
        (false, false, true) => "by wl-copy or xclip",
        (false, false, false) => "only into a file",
    };
    out.push(Line::well("copy", format!("{copy}; always into the yank file as well")));
}

fn tmux_lines(out: &mut Vec<Line>, around: &Surroundings, options: &TmuxOptions) {
    let unknown = || "not answered".to_owned();
    let version = options.version.clone().or_else(|| around.tmux.clone().filter(|v| !v.is_empty()));
    let new = version.as_deref().and_then(tmux_version).is_some_and(|v| v >= (3, 7));
    let frames = if new {
        "frames are marked as one picture"
    } else {
        "too old to mark frames as one picture; they are kept small"
    };
    out.push(Line::well("tmux", format!("{} ({frames})", version.unwrap_or_else(unknown))));
    match options.escape_time.as_deref().and_then(|t| t.parse::<u32>().ok()) {
        Some(ms) if ms > 50 => out.push(Line::ill(
            "escape-time",
            format!("{ms} ms: Esc arrives late"),
            "in tmux.conf: set -s escape-time 20",
        )),
        Some(ms) => out.push(Line::well("escape-time", format!("{ms} ms"))),
        None => out.push(Line::well("escape-time", unknown())),
    }
    match options.set_clipboard.as_deref() {
        Some("on") => out.push(Line::well("set-clipboard", "on")),
        Some(other) => out.push(Line::ill(
            "set-clipboard",
            format!("{other}: copies stay in tmux unless it passes them on"),
            "in tmux.conf: set -s set-clipboard on",
        )),
        None => out.push(Line::well("set-clipboard", unknown())),
    }
    out.push(Line::well("focus-events", options.focus_events.clone().unwrap_or_else(unknown)));
    match options.default_terminal.as_deref() {
        Some(term) if !term.contains("256") => {
            out.push(Line::ill("default-terminal", term, "in tmux.conf: set -s default-terminal tmux-256color"));
        }
        term => out.push(Line::well("default-terminal", term.map_or_else(unknown, str::to_owned))),
    }
    out.push(Line::well("client features", options.features.clone().unwrap_or_else(unknown)));
    out.push(Line::well("viewers", "they attach with: tmux attach -r"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::caps::{Wishes, decide};

    fn tmux() -> Surroundings {
        let vars = [("TERM", "screen"), ("TMUX", "x"), ("LANG", "C.UTF-8")];
        Surroundings::read(|n| vars.iter().find(|(k, _)| *k == n).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn a_default_tmux_gets_the_lines_to_paste() {
        let options = TmuxOptions {
            version: Some("3.3a".into()),
            set_clipboard: Some("external".into()),
            escape_time: Some("500".into()),
            default_terminal: Some("screen".into()),
            ..TmuxOptions::default()
        };
        let caps = decide(&tmux(), &Wishes::default());
        let all = lines(&tmux(), &caps, Some((200, 50)), Some(&options));
        let remedies: Vec<&str> = all.iter().filter(|l| !l.ok).map(|l| l.remedy.as_str()).collect();
        assert_eq!(
            remedies,
            [
                "in tmux.conf: set -s escape-time 20",
                "in tmux.conf: set -s set-clipboard on",
                "in tmux.conf: set -s default-terminal tmux-256color",
            ]
        );
    }

    #[test]
    fn a_terminal_too_small_is_not_well() {
        let caps = decide(&tmux(), &Wishes::default());
        assert!(lines(&tmux(), &caps, Some((40, 12)), None).iter().any(|l| l.what == "size" && !l.ok));
    }
}
