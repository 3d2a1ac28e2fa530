//! The whole draw: pictures of the demo's evening, hostile text, any size, bytes.

use super::look::{Colours, Glyphs, Look};
use super::scene_tests::{MONO_ASCII, demo, drawn, encoded, lines, live, picture, press};
use crate::app::{App, Message, update};
use crate::model::health::{Health, State};
use crate::model::log::{Level, LogLine};
use crate::model::note::NoteText;
use crate::model::{Batch, Fact, Lapse, Mark, MarkKind};
use proptest::prelude::*;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const WIDE: (u16, u16) = (200, 50);
const MEDIUM: (u16, u16) = (120, 35);
const NARROW: (u16, u16) = (80, 24);

#[test]
fn the_same_state_gives_the_same_picture() {
    let app = live("20:52:10", WIDE);
    assert_eq!(drawn(&app, Look::default()), drawn(&app, Look::default()));
}

#[test]
fn a_clock_that_ticks_changes_a_handful_of_cells() {
    let mut app = live("20:52:11", WIDE);
    let before = drawn(&app, Look::default());
    let now = app.now + Lapse::seconds(1);
    update(&mut app, now, Message::Tick);
    let after = drawn(&app, Look::default());
    let sent = encoded(Some(&before), &after);
    assert!(sent.len() <= 60, "{sent:?}");
}

#[test]
fn a_full_wide_frame_stays_below_24_kilobytes() {
    let app = live("20:52:10", WIDE);
    let sent = encoded(None, &drawn(&app, Look::default()));
    assert!(sent.len() < 24 * 1024, "{} bytes", sent.len());
}

/// Scenes of the end of the evening: the keys that lead to each, and those that lead back.
const SCENES: &[(&str, (u16, u16), &str, &str)] = &[
    ("the timeline after the recovery, wide", WIDE, "", ""),
    ("the timeline after the recovery, medium", MEDIUM, "", ""),
    ("the timeline after the recovery, narrow", NARROW, "", ""),
    ("the timeline scrubbed back eighty minutes, wide", WIDE, BACK_80, "<End>"),
    ("a selection on the timeline, wide", WIDE, SELECT_20, "<Esc><End>"),
    ("help of the timeline, wide", WIDE, "?", "?"),
    ("the palette, wide", WIDE, ":stuck", "<Esc>"),
    ("the palette, narrow", NARROW, ":stuck", "<Esc>"),
    ("a note being typed, narrow", NARROW, "apromo", "<Esc>"),
    ("the sources, wide", WIDE, "6", "1"),
    ("the sources, medium", MEDIUM, "6", "1"),
    ("the sources, narrow", NARROW, "6", "1"),
    ("too small a screen", (40, 12), "", ""),
];
const BACK_80: &str = "<S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left>";
const SELECT_20: &str = "<S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left>v<S-Right><S-Right>";

#[test]
fn the_evening_in_pictures() {
    let look = Look::default();
    let mut app = live("20:52:10", WIDE);
    for (name, (width, height), there, back) in SCENES {
        let now = app.now;
        update(&mut app, now, Message::Resize(*width, *height));
        press(&mut app, there);
        insta::assert_snapshot!(*name, picture(name, &app, look));
        press(&mut app, back);
    }
    let now = app.now;
    update(&mut app, now, Message::Resize(200, 50));
    let name = "the timeline without colours beyond ascii, wide";
    insta::assert_snapshot!(name, picture(name, &app, MONO_ASCII));
    let sixteen = Look { colours: Colours::Sixteen, glyphs: Glyphs::Unicode };
    let name = "the timeline in sixteen colours, wide";
    assert_eq!(picture(name, &app, sixteen).lines().count(), 50);
    for (name, clock) in
        [("the demo before its onset, wide", "19:09:00"), ("the demo while it breaks, wide", "19:52:00")]
    {
        insta::assert_snapshot!(name, picture(name, &demo(clock, WIDE), look));
    }
}

/// Text that a terminal would obey, in every place where text from outside is shown.
#[test]
fn hostile_text_never_reaches_a_cell_as_what_it_is() {
    const EVIL: &str =
        "\u{1b}[31mred\u{1b}]52;c;aGk=\u{7}\u{9b}2J\u{202e}rtl\u{200b}\r\n\tbudi@mail.co.id 081234567890";
    let mut app = live("19:20:00", WIDE);
    let now = app.now;
    let mut incident = app.store.incident.clone();
    incident.title = EVIL.into();
    incident.status = EVIL.into();
    for card in &mut incident.sources {
        card.what = EVIL.into();
    }
    let mark = Mark { at: now - Lapse::minutes(3), kind: MarkKind::Note, text: EVIL.into(), who: EVIL.into() };
    let health = Health {
        at: now,
        state: State::Down,
        code: EVIL.to_owned(),
        says: EVIL.into(),
        remedy: EVIL.into(),
        next: None,
    };
    let line = LogLine {
        at: now,
        service: EVIL.into(),
        level: Level::Error,
        order: Some(EVIL.into()),
        trace: None,
        message: EVIL.into(),
        stack: vec![EVIL.into()],
    };
    let note =
        NoteText { at: now, name: EVIL.into(), text: format!("# {EVIL}\n## Phase 1: {EVIL}\n- [ ] {EVIL}\n").into() };
    let facts = vec![
        Fact::Incident(Box::new(incident)),
        Fact::Mark(mark),
        Fact::Health(health),
        Fact::Lines(vec![line]),
        Fact::Note(note),
    ];
    for source in ["mrg", "logs", "note"] {
        let batch = Batch { source: source.into(), seq: 1, seen: now, facts: facts.clone() };
        update(&mut app, now, Message::Batch(Arc::new(batch)));
    }
    update(&mut app, now, Message::Said(EVIL.to_owned()));
    for keys in
        ["", "2", "3", "<Enter>", "4", "<Enter>", "5", "<Tab><Enter>", "6", "<Enter>", "?", "1:", "<Esc>a", "<Esc>"]
    {
        press(&mut app, keys);
        let text = lines(&drawn(&app, Look::default()));
        let bad = |c: char| {
            (c.is_control() && c != '\n')
                || ('\u{200b}'..='\u{200f}').contains(&c)
                || ('\u{202a}'..='\u{202e}').contains(&c)
        };
        assert!(!text.chars().any(bad), "after {keys}: {text}");
        assert!(!text.contains("budi@mail") && !text.contains("081234567890"), "after {keys}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_size_and_no_key_makes_the_draw_panic(
        width in 1u16..250, height in 1u16..70,
        keys in proptest::collection::vec(proptest::sample::select(vec![
            "1", "2", "3", "4", "5", "6", "<Left>", "<S-Left>", "<Right>", "<Up>", "<Down>", "<Enter>", "<Esc>", "<Tab>",
            "v", "z", "+", "-", "?", ":", "/", "b", "a", "x", "E", "<End>", "<Home>", "{", "}",
        ]), 0..8),
        ascii in any::<bool>(),
    ) {
        // One long walk over all cases: playing the evening anew for each would cost seconds.
        static WALK: OnceLock<Mutex<App>> = OnceLock::new();
        let walk = WALK.get_or_init(|| Mutex::new(demo("19:55:00", WIDE)));
        let app = &mut *walk.lock().unwrap_or_else(PoisonError::into_inner);
        let now = app.now;
        update(app, now, Message::Resize(width, height));
        for key in keys {
            press(app, key);
        }
        let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let text = lines(&drawn(app, Look { colours: Colours::Mono, glyphs }));
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        prop_assert!(!ascii || text.is_ascii(), "{text}");
    }
}
