//! The first law: what was recorded shows the same frames again.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;
use warroom::app::key::{Code, Key};
use warroom::app::keymap::Keymap;
use warroom::app::state::{Mode, Start};
use warroom::app::{App, Message, update};
use warroom::model::{Batch, Lapse, Stamp};
use warroom::recording::{Options, Reader, Recorder};
use warroom::simulator;
use warroom::view::look::Look;

/// Plays batches and photographs every screen at three moments of the evening: calm, refused, recovered.
fn frames(batches: impl Iterator<Item = Arc<Batch>>, size: (u16, u16)) -> Vec<String> {
    let mut app = App::new(Start {
        mode: Mode::Demo,
        now: simulator::START,
        size,
        who: "tester".to_owned(),
        may_write: true,
        keymap: Keymap::default(),
        pace: 60.0,
        mouse: false,
    });
    let mut moments = [20, 52, 125].map(|m| simulator::START + Lapse::minutes(m)).into_iter().peekable();
    let mut out = Vec::new();
    for batch in batches {
        while let Some(at) = moments.next_if(|at| batch.seen > *at) {
            out.extend(photographs(&mut app, at, size));
        }
        app.store.apply(&batch);
    }
    assert_eq!(moments.count(), 0, "the evening was too short");
    out
}

fn photographs(app: &mut App, at: Stamp, size: (u16, u16)) -> Vec<String> {
    update(app, at, Message::Played { at, ended: false });
    let mut out = Vec::new();
    for digit in '1'..='6' {
        update(app, at, Message::Key(Key::char(digit)));
        update(app, at, Message::Tick);
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        warroom::view::draw(app, &Look::default(), &mut buffer);
        out.push(format!("{buffer:?}"));
        update(app, at, Message::Key(Key::plain(Code::Esc)));
    }
    out
}

#[test]
fn a_replayed_recording_shows_the_frames_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::open(folder.path(), Options::default()).unwrap();
    let run: Vec<Arc<Batch>> = simulator::demo(1).map(Arc::new).collect();
    for batch in &run {
        assert_eq!(recorder.append(batch), None);
    }
    recorder.close().unwrap();
    let (reader, damage) = Reader::open(folder.path()).unwrap();
    assert!(damage.is_empty());
    let shown = frames(run.iter().cloned(), (200, 50));
    let again = frames(reader.batches(), (200, 50));
    assert_eq!(shown.len(), 18);
    for (i, (a, b)) in shown.iter().zip(&again).enumerate() {
        assert!(a == b, "frame {i} differs:\n{a}\n\nreplayed:\n{b}");
    }
    assert!(shown.iter().collect::<std::collections::BTreeSet<_>>().len() == 18, "every screen and moment differs");
}
