//! What a panic may do to the terminal: on the thread that draws, give it back and report; on any other
//! thread, nothing at all, because the program goes on drawing.

use crate::terminal::session::Session;
use std::io::Write as _;
use std::panic::PanicHookInfo;

/// Makes a report of a panic: words for people, with a backtrace when there is one.
pub type Report = Box<dyn Fn(&PanicHookInfo<'_>) -> String + Send + Sync>;

/// Installs the hook, once, before any thread is started.
pub fn install(report: Report) {
    std::panic::set_hook(Box::new(move |info| {
        let text = report(info);
        match Session::current() {
            Some(session) if session.is_ui_thread() => {
                session.leave();
                tracing::error!(panic = %plain(&text), "the thread that draws panicked");
                say(&text);
            }
            Some(_) => {
                let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
                tracing::error!(thread, panic = %plain(&text), "a task panicked; the program goes on");
            }
            None => say(&text),
        }
    }));
}

/// Standard error, where a closed one is nobody's problem any more.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A panic's message may hold anything, a log line's escape sequences included; a log file is read with
/// `cat`. Line ends stay.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
