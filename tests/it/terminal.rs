//! What the program does to a terminal, and what it leaves behind, whatever happens to it.

use crate::pty::{Running, patiently, warroom};
use rustix::process::Signal;
use std::sync::Arc;
use warroom::model::log::{Level, LogLine};
use warroom::model::{Batch, Fact, Stamp, Untrusted};
use warroom::recording::{Options, Recorder};

fn demo(arguments: &[&str]) -> Running {
    let all: Vec<&str> = ["demo"].iter().chain(arguments).copied().collect();
    let running = warroom(&all).start();
    running.shows("DEMO");
    running
}

fn quit(running: &mut Running) {
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0, "{}", running.contents());
    running.is_clean();
}

#[test]
fn quitting_gives_the_terminal_back_as_it_was() {
    let mut running = demo(&["--mouse"]);
    assert_ne!(running.disciplines().0, running.disciplines().1, "the screen works in raw mode");
    running.send("q");
    running.shows("leave");
    running.send("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[test]
fn sigterm_and_sigint_give_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut running = demo(&["--mouse"]);
        running.signal(signal);
        assert_eq!(running.exit_code(), code);
        running.is_clean();
    }
}

#[test]
fn a_hang_up_ends_it_without_another_byte() {
    let mut running = demo(&[]);
    running.signal(Signal::HUP);
    assert_eq!(running.exit_code(), 129);
    assert!(!String::from_utf8_lossy(&running.raw()).contains("\x1b[?1049l"), "nothing is written after a hang-up");
}

#[test]
fn a_terminal_that_disappears_ends_it() {
    let mut running = demo(&[]);
    running.hang_up();
    assert_eq!(running.exit_code(), 129);
}

#[test]
fn a_panic_of_the_thread_that_draws_gives_the_terminal_back_and_is_reported() {
    let mut running = warroom(&["demo"]).env("WARROOM_PANIC", "ui").start();
    assert_eq!(running.exit_code(), 101);
    running.is_clean();
    assert!(running.contents().contains("asked to panic"), "{}", running.contents());
}

#[test]
fn a_panic_of_a_task_touches_nothing_and_is_in_the_log() {
    let mut running = warroom(&["demo"]).env("WARROOM_PANIC", "task").start();
    running.shows("DEMO");
    let log = |running: &Running| {
        let folder = running.home().join(".local/state/warroom");
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.filter_map(|f| std::fs::read_to_string(f.path()).ok()).collect::<String>()
    };
    let logged = patiently(|| log(&running).contains("asked to panic").then_some(()));
    assert!(logged.is_some(), "the log says: {}", log(&running));
    running.send("?");
    running.shows("Esc close");
    quit(&mut running);
    assert!(!String::from_utf8_lossy(&running.raw()).contains("asked to panic"), "it must not reach the screen");
}

#[test]
fn any_size_is_survived() {
    let mut running = demo(&[]);
    for (columns, rows) in [(1, 1), (2, 200), (40, 12), (79, 24), (80, 24), (300, 3), (200, 50), (500, 200)] {
        running.resize(columns, rows);
    }
    running.resize(120, 35);
    running.shows("DEMO");
    running.shows("Timeline");
    // A key that comes in the same instant as a change of size is read with the next one only: the crate that reads
    // the terminal is woken once for both.
    running.settles();
    quit(&mut running);
}

#[test]
fn pasted_text_is_never_commands() {
    let mut running = demo(&[]);
    running.paste(":q\rqqy\rqy");
    running.send("2");
    running.shows("Database");
    quit(&mut running);
}

#[test]
fn a_suspended_program_gives_the_terminal_back_and_takes_it_again() {
    for by in ["key", "signal"] {
        let mut running = demo(&["--mouse"]);
        match by {
            "key" => running.send("\x1a"),
            _ => running.signal(Signal::TSTP),
        }
        running.stopped();
        running.until("the main screen", |s| !s.alternate_screen() && !s.hide_cursor() && !s.bracketed_paste());
        let (now, before) = running.disciplines();
        assert_eq!(now, before, "by {by}");
        running.signal(Signal::CONT);
        running.until("our screen", |s| s.alternate_screen() && s.hide_cursor() && s.bracketed_paste());
        running.shows("DEMO");
        running.send("2");
        running.shows("Database");
        quit(&mut running);
    }
}

/// The parameters of every SGR sequence, and every other sequence whole; fails on anything else that is
/// not a printable character.
fn sequences(raw: &[u8]) -> (Vec<String>, Vec<String>) {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let (mut styles, mut others) = (Vec::new(), Vec::new());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            assert!(!c.is_control(), "control character {c:?} outside a sequence");
            continue;
        }
        assert_eq!(chars.next(), Some('['), "only CSI sequences are ours");
        let mut body = String::new();
        let end = loop {
            let c = chars.next().unwrap();
            if c.is_ascii_alphabetic() {
                break c;
            }
            assert!(c.is_ascii_digit() || c == ';' || c == '?', "{c:?} in a sequence");
            body.push(c);
        };
        if end == 'm' { styles.push(body) } else { others.push(format!("{body}{end}")) }
    }
    (styles, others)
}

/// What is written while the screen is ours: without the line that the shell would see.
fn demo_raw(setup: crate::pty::Setup) -> Vec<u8> {
    let mut running = setup.start();
    running.shows("DEMO");
    running.send("2");
    running.send("1");
    running.shows("Timeline");
    running.signal(Signal::TERM);
    assert_eq!(running.exit_code(), 143);
    running.is_clean();
    running.raw()
}

#[test]
fn no_color_means_none() {
    let colours = |styles: &[String]| {
        let numbers = styles.iter().flat_map(|s| s.split(';')).filter_map(|n| n.parse::<u32>().ok());
        numbers.filter(|n| (30..50).contains(n) || (90..108).contains(n)).count()
    };
    let (styles, _) = sequences(&demo_raw(warroom(&["demo"]).env("NO_COLOR", "1")));
    assert_eq!(colours(&styles), 0, "{styles:?}");
    assert!(styles.iter().any(|s| s.split(';').any(|n| n == "1" || n == "7")), "bold and reverse say it instead");
    let (styles, _) = sequences(&demo_raw(warroom(&["demo"])));
    assert_ne!(colours(&styles), 0);
}

#[test]
fn terminals_of_sixteen_colours_get_no_more() {
    for term in ["xterm", "screen", "linux"] {
        let (styles, _) = sequences(&demo_raw(warroom(&["demo"]).env("TERM", term)));
        assert!(styles.iter().all(|s| !s.contains("8;5;") && !s.contains("8;2;")), "{term}: {styles:?}");
        assert!(styles.iter().any(|s| s.split(';').any(|n| n.len() == 2 && n.starts_with(['3', '9']))), "{term}");
    }
}

#[test]
fn without_a_utf8_locale_only_ascii_goes_out() {
    let raw = demo_raw(warroom(&["demo"]).env("LC_ALL", "C"));
    let odd: Vec<_> = raw.iter().filter(|b| !b.is_ascii()).collect();
    assert!(odd.is_empty(), "{} bytes above 0x7F", odd.len());
    assert!(demo_raw(warroom(&["demo"])).iter().any(|b| !b.is_ascii()), "with one there is more to see");
}

#[test]
fn a_dumb_terminal_is_refused_in_a_sentence() {
    let mut running = warroom(&["demo"]).env("TERM", "dumb").start();
    assert_eq!(running.exit_code(), 2);
    running.shows("TERM is dumb");
    assert!(!running.raw().contains(&0x1b));
    running.is_clean();
}

/// What an attacker writes into a log, a name, a title.
const HOSTILE: &str = "a\u{1b}[31mRED\u{1b}]52;c;aGk=\u{7}\u{1b}]0;owned\u{1b}\\\u{9b}31m\u{90}q\u{9c}\t\r\n\u{8}\u{7f}\u{202e}rtl\u{200b}\u{feff}\u{1b}c end";

fn hostile_recording(folder: &std::path::Path) {
    let at = Stamp::parse_rfc3339("2025-01-12T19:24:00+07:00").unwrap();
    let mut incident = warroom::simulator::incident();
    incident.title = Untrusted::from(HOSTILE);
    incident.severity = Untrusted::from(HOSTILE);
    for card in &mut incident.sources {
        card.what = Untrusted::from(HOSTILE);
    }
    let line = LogLine {
        at,
        service: Arc::from(HOSTILE),
        level: Level::Error,
        order: Some(Arc::from(HOSTILE)),
        trace: None,
        message: Untrusted::from(HOSTILE),
        stack: vec![Untrusted::from(HOSTILE)],
    };
    let facts = vec![Fact::Incident(Box::new(incident)), Fact::Lines(vec![line; 5])];
    let mut recorder = Recorder::open(folder, Options::default()).unwrap();
    recorder.append(&Batch { source: Arc::from("logs"), seq: 1, seen: at, facts });
    recorder.close().unwrap();
}

#[test]
fn text_from_outside_never_reaches_the_terminal_as_commands() {
    let dir = tempfile::tempdir().unwrap();
    hostile_recording(dir.path());
    let mut running = warroom(&["replay", dir.path().to_str().unwrap()]).size(200, 50).start();
    running.shows("RED");
    for screen in ["2", "3", "4", "5", "6", "3", "\r", "\r"] {
        running.send(screen);
    }
    running.send("\x0c");
    running.send("?");
    running.shows("Esc close");
    running.signal(Signal::TERM);
    assert_eq!(running.exit_code(), 143);
    running.is_clean();
    let raw = running.raw();
    let (_, others) = sequences(&raw);
    let ours = |s: &String| {
        s.ends_with(['H', 'C', 'J'])
            || s.starts_with("?1049")
            || s.starts_with("?25")
            || s.starts_with("?2004")
            || s.starts_with("?2026")
    };
    assert!(others.iter().all(ours), "{:?}", others.iter().filter(|s| !ours(s)).collect::<Vec<_>>());
    let text = String::from_utf8(raw).unwrap();
    for invisible in ['\u{202e}', '\u{200b}', '\u{feff}'] {
        assert!(!text.contains(invisible), "{invisible:?} reached the terminal");
    }
}

#[test]
fn a_clock_that_moves_costs_few_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(&config, "[incident]\ntitle = 'quiet'\n").unwrap();
    let running = warroom(&["--config", config.to_str().unwrap(), "--no-record"]).size(200, 50).start();
    running.shows("LIVE");
    let header = |contents: &str| contents.lines().next().unwrap_or_default().to_owned();
    let below = |contents: &str| contents.lines().skip(1).collect::<Vec<_>>().join("\n");
    // Now and then the axis moves on by a cell, or a source says something new: such a second is not
    // the clock's alone. Nearly all of them are.
    let mut clock_alone = Vec::new();
    let mut last = running.contents_and_bytes();
    while clock_alone.len() < 3 {
        running.until("another second", |s| header(&s.contents()) != header(&last.0));
        running.settles();
        let (now, bytes) = running.contents_and_bytes();
        if below(&now) == below(&last.0) {
            clock_alone.push(bytes - last.1);
        }
        last = (now, bytes);
    }
    assert!(clock_alone.iter().all(|n| (1..=200).contains(n)), "{clock_alone:?}");
}
