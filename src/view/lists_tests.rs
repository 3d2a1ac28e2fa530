//! Pictures of the screens with lists: the demo's evening at fixed instants, every size, without colours
//! and above ASCII, and what they must say when something is missing.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --lib lists_tests`, then look at the diff.

use super::look::Look;
use super::scene_tests::{MONO_ASCII, at, blank, drawn, lines, live, picture, press};
use crate::app::state::Mode;
use crate::app::{App, Message, update};
use crate::model::health::{Health, State};
use crate::model::{Batch, Fact, Untrusted};

const SIZES: [(&str, (u16, u16)); 3] = [("200x50", (200, 50)), ("120x35", (120, 35)), ("80x24", (80, 24))];

/// The rows that belong to the screen itself: header, tabs, crumbs and footer have pictures of their own.
fn body(text: &str) -> String {
    let rows: Vec<&str> = text.lines().collect();
    let body = rows.get(3..rows.len().saturating_sub(1)).unwrap_or_default();
    body.iter().map(|l| format!("{l}\n")).collect()
}

/// Draws the places of a walk at every size, each a picture with a sentence for its name.
fn walk(clock: &str, steps: &[(&str, &str)]) {
    let mut app = live(clock, (200, 50));
    for (what, keys) in steps {
        press(&mut app, keys);
        for (size, (width, height)) in SIZES {
            let now = app.now;
            update(&mut app, now, Message::Resize(width, height));
            let text = picture(&format!("{what} {size}").replace(' ', "-"), &app, Look::default());
            insta::assert_snapshot!(format!("{what} {size}").replace(' ', "_"), body(&text));
        }
        let now = app.now;
        update(&mut app, now, Message::Resize(200, 50));
        let text = picture(&format!("{what} mono").replace(' ', "-"), &app, MONO_ASCII);
        assert!(text.is_ascii(), "{what}");
    }
}

#[test]
fn a_database_whose_pool_is_full() {
    walk(
        "19:36:00",
        &[
            ("who blocks whom in a full pool", "2"),
            ("what the statements cost", "<Tab>"),
            ("which locks are wanted", "<Tab>"),
            ("what the connections do", "<Tab>"),
            ("the session that holds everybody up", "<Tab><Enter>"),
        ],
    );
}

#[test]
fn a_database_that_refuses_us() {
    walk("19:45:12", &[("the last answer of a database that refuses us", "2")]);
}

#[test]
fn what_people_are_asked_and_what_answers_a_checkbox() {
    walk(
        "20:30:00",
        &[
            ("what the note asks people", "5A"),
            ("an answer while it is typed", "Ayes, from 19:00"),
            ("what an answer would write", "<Enter>"),
            ("what could answer a checkbox", "n<Esc><Enter>B"),
        ],
    );
}

#[test]
fn from_patterns_to_lines() {
    walk(
        "20:52:10",
        &[
            ("patterns that the baseline did not have", "3"),
            ("lines of the loudest pattern", "<Enter>"),
            ("a stack unfolded", "<Esc><Down><Down><Down><Down><Enter>z<Down>"),
        ],
    );
}

#[test]
fn from_classes_to_one_order() {
    walk(
        "20:52:10",
        &[
            ("where the orders stand", "4"),
            ("orders that were paid and never sent to HO", "<Enter>"),
            ("the trail of an order that stopped before RECORD", "<Enter>"),
        ],
    );
}

#[test]
fn from_the_answer_to_the_tick() {
    walk(
        "20:52:10",
        &[
            ("the hypothesis that leads", "5"),
            ("its checks with their evidence", "<Enter>"),
            ("what a tick would write", "x"),
            ("a phase of the note", "n<Esc><Tab><Enter>"),
        ],
    );
}

/// The screen of a program that knows nothing, at the place the keys lead to.
fn cold(keys: &str) -> String {
    let mut app = blank(Mode::Live, at("20:52:10"), (200, 50));
    press(&mut app, keys);
    lines(&drawn(&app, Look::default()))
}

#[test]
fn with_nothing_configured_every_screen_says_what_to_add() {
    for (keys, says) in [("2", "[[db]]"), ("3", "[[logs]]"), ("4", "[[query]]"), ("5", "[incident] note")] {
        let text = cold(keys);
        assert!(text.contains(says), "{keys} {text}");
    }
}

fn told(app: &mut App, source: &str, health: Health) {
    let batch = Batch { source: source.into(), seq: 1_000_000, seen: health.at, facts: vec![Fact::Health(health)] };
    app.store.apply(&batch);
    let now = app.now;
    update(app, now, Message::Tick);
}

#[test]
fn a_server_that_hangs_keeps_its_last_answer_with_its_time_and_the_remedy() {
    let mut app = live("19:36:00", (200, 50));
    let says = Untrusted::from("mrg does not answer\u{1b}[2J");
    let remedy = Untrusted::from("look at the server's load");
    let now = app.now;
    told(&mut app, "mrg", Health { at: now, state: State::Down, code: "no answer".into(), says, remedy, next: None });
    press(&mut app, "2");
    let text = lines(&drawn(&app, Look::default()));
    for part in [
        "mrg does not answer^[[2J",
        "no answer · since 19:36:00",
        "Remedy: look at the server's load",
        "Below: the last answer, 19:36:00",
        "BLOCKING TREE",
        "48211",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_filter_that_nothing_passes_says_how_many_there_are_without_it() {
    let mut app = live("20:52:10", (120, 35));
    press(&mut app, "3<Enter>fno such words<Enter>");
    let text = lines(&drawn(&app, Look::default()));
    assert!(text.contains("no line matches") && text.contains("without the filter"), "{text}");
}

#[test]
fn orders_that_nobody_asked_about_are_never_guessed() {
    let mut app = live("18:53:30", (200, 50));
    press(&mut app, "4");
    let text = lines(&drawn(&app, Look::default()));
    assert!(!text.contains("never sent to HO"), "{text}");
}
