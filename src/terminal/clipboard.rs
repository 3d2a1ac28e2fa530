//! Copying from a bastion: the ways there are, tried in order, and a sentence that says which one it was.
//! No terminal answers an OSC 52, so nothing here ever claims more than it knows.

use crate::terminal::tmux;
use crossterm::{Command as _, clipboard::CopyToClipboard};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Terminals drop a longer OSC 52, some of them with everything that follows.
const LONGEST_OSC52: usize = 8 * 1024;

/// Where this terminal is, as far as copying goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// Inside tmux.
    pub tmux: bool,
    /// The terminal is one that knows OSC 52 or ignores it.
    pub osc52: bool,
    /// A Wayland or X11 display belongs to this login, which is not a remote one.
    pub display: bool,
}

/// What was done, and what still has to be written to the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The sentence for the toast.
    pub says: String,
    /// The sequence for the terminal, when that is the way.
    pub sequence: Vec<u8>,
}

/// Copies by the best way there is and always keeps the text in the file `yank`. Waits for child processes
/// for a second or two, so not on the thread that draws.
pub fn copy(text: &str, ways: Ways, yank: &Path) -> Copied {
    let kept = keep(text, yank);
    let mut sequence = Vec::new();
    let way = by_tmux(text, ways).or_else(|| {
        let bytes = osc52(text).filter(|_| ways.osc52)?;
        sequence = bytes;
        Some("sent to the terminal's clipboard (OSC 52, which is never confirmed)".to_owned())
    });
    let way = way.or_else(|| by_display(text, ways));
    let shown = yank.display();
    let says = match (way, kept) {
        (Some(way), Ok(())) => format!("{way}; also in {shown}"),
        (Some(way), Err(e)) => format!("{way}; not kept in {shown} ({e})"),
        (None, Ok(())) => format!("no clipboard can be reached from here; it is in {shown}"),
        (None, Err(e)) => format!("not copied: no clipboard can be reached, and {shown} cannot be written ({e})"),
    };
    Copied { says, sequence }
}

fn by_tmux(text: &str, ways: Ways) -> Option<String> {
    if !ways.tmux {
        return None;
    }
    tmux::load_buffer(text).ok()?;
    Some("copied to tmux's buffer (prefix ] pastes it), passed on to your clipboard if tmux may".to_owned())
}

fn by_display(text: &str, ways: Ways) -> Option<String> {
    const TOOLS: [(&str, &[&str]); 2] = [("wl-copy", &[]), ("xclip", &["-selection", "clipboard"])];
    if !ways.display {
        return None;
    }
    let deadline = Duration::from_secs(1);
    TOOLS.iter().find_map(|(tool, args)| {
        tmux::run_program(tool, args, Some(text), deadline).ok().map(|_| format!("copied with {tool}"))
    })
}

/// The sequence that asks a terminal to take the text; none when it is too long to be taken.
pub fn osc52(text: &str) -> Option<Vec<u8>> {
    let mut out = String::new();
    CopyToClipboard::to_clipboard_from(text).write_ansi(&mut out).ok()?;
    (out.len() <= LONGEST_OSC52).then(|| out.into_bytes())
}

/// The file only its owner may read: what is copied may be an order's data.
fn keep(text: &str, yank: &Path) -> std::io::Result<()> {
    if let Some(folder) = yank.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(yank)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Ways = Ways { tmux: false, osc52: false, display: false };

    #[test]
    fn without_any_clipboard_the_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let yank = dir.path().join("warroom/yank");
        let copied = copy("ORD-88231", NOTHING, &yank);
        assert!(copied.says.starts_with("no clipboard") && copied.sequence.is_empty());
        assert_eq!(std::fs::read_to_string(yank).unwrap(), "ORD-88231");
    }

    #[test]
    fn osc_52_is_never_said_to_have_arrived() {
        let dir = tempfile::tempdir().unwrap();
        let copied = copy("hi", Ways { osc52: true, ..NOTHING }, &dir.path().join("yank"));
        assert!(copied.says.contains("never confirmed"), "{}", copied.says);
        assert_eq!(copied.sequence, b"\x1b]52;c;aGk=\x1b\\");
    }

    #[test]
    fn a_text_too_long_for_osc_52_goes_to_the_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let yank = dir.path().join("yank");
        let copied = copy(&"x".repeat(9000), Ways { osc52: true, ..NOTHING }, &yank);
        assert!(copied.sequence.is_empty() && copied.says.starts_with("no clipboard"), "{}", copied.says);
        assert_eq!(std::fs::metadata(yank).unwrap().len(), 9000);
    }

    #[test]
    fn when_nothing_works_it_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let copied = copy("x", NOTHING, dir.path());
        assert!(copied.says.starts_with("not copied"), "{}", copied.says);
    }
}
