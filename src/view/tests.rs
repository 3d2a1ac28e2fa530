//! The whole draw: pictures of the demo's evening, hostile text, any size, bytes.

use super::look::{Colours, Glyphs, Look};
use super::scene::{MONO_ASCII, demo, drawn, encoded, lines, live, picture, press};
use crate::app::{Message, update};
use crate::model::Lapse;
use proptest::prelude::*;

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
    assert!(sent.len() < 24_000, "{} bytes", sent.len());
}

/// Scenes of the evening, each with the keys that lead there.
const SCENES: &[(&str, &str, &str, (u16, u16))] = &[
    ("the timeline after the recovery, wide", "20:52:10", "", WIDE),
    ("the timeline after the recovery, medium", "20:52:10", "", MEDIUM),
    ("the timeline after the recovery, narrow", "20:52:10", "", NARROW),
    ("the timeline while it breaks, wide", "19:52:00", "", WIDE),
    (
        "the timeline scrubbed back eighty minutes, wide",
        "20:52:10",
        "<S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left>",
        WIDE,
    ),
    (
        "a selection on the timeline, wide",
        "20:52:10",
        "<S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left><S-Left>v<S-Right><S-Right>",
        WIDE,
    ),
    ("help of the timeline, wide", "20:52:10", "?", WIDE),
    ("the palette, wide", "20:52:10", ":stuck", WIDE),
    ("the palette, narrow", "20:52:10", ":stuck", NARROW),
    ("the sources, wide", "20:52:10", "6", WIDE),
    ("the sources, medium", "20:52:10", "6", MEDIUM),
    ("the sources, narrow", "20:52:10", "6", NARROW),
    ("too small a screen", "20:52:10", "", (40, 12)),
];

#[test]
fn the_evening_in_pictures() {
    for (name, clock, keys, size) in SCENES {
        let mut app = live(clock, *size);
        press(&mut app, keys);
        insta::assert_snapshot!(*name, picture(name, &app, Look::default()));
    }
    insta::assert_snapshot!(
        "the demo before its onset, wide",
        picture("the demo before its onset, wide", &demo("19:09:00", WIDE), Look::default())
    );
    let look = Look { colours: Colours::Sixteen, glyphs: Glyphs::Unicode };
    picture("the timeline in sixteen colours", &live("20:52:10", WIDE), look);
}

#[test]
fn without_colours_and_beyond_ascii_the_answer_is_still_there() {
    let text = picture("timeline-mono-ascii", &live("20:52:10", WIDE), MONO_ASCII);
    assert!(text.is_ascii());
    assert!(text.contains("STUCK ORDERS") && text.contains("o LIVE"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_size_and_no_key_makes_the_draw_panic(
        width in 1u16..250, height in 1u16..70,
        keys in proptest::collection::vec(proptest::sample::select(vec![
            "1", "2", "3", "4", "5", "6", "<Left>", "<S-Left>", "<Right>", "<Up>", "<Down>", "<Enter>", "<Esc>", "<Tab>",
            "v", "z", "+", "-", "?", ":", "/", "b", "a", "x", "E", "<End>", "<Home>", "{", "}",
        ]), 0..8),
        ascii in any::<bool>(),
    ) {
        let mut app = demo("19:55:00", (width, height));
        for key in keys {
            press(&mut app, key);
        }
        let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let text = lines(&drawn(&app, Look { colours: Colours::Mono, glyphs }));
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        prop_assert!(!ascii || text.is_ascii(), "{text}");
    }
}
