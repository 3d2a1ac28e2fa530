//! Stories: keys in, state out. The world is the demo's, played to its end or to a given minute.

use crate::app::command::{COMMANDS, Id, Spot};
use crate::app::key::{Code, Key};
use crate::app::keymap::Keymap;
use crate::app::message::{NoteWritten, People, RecorderState};
use crate::app::rows::Panel;
use crate::app::state::{Cursor, Mode, Place, Screen, Start};
use crate::app::{App, Effect, Message, hint, palette, update};
use crate::model::incident::Incident;
use crate::model::note::Verdict;
use crate::model::order::Rows;
use crate::model::{Batch, Fact, Lapse, Span, Stamp};
use crate::note::edit::Change;
use crate::simulator;
use crate::store::LogIndex;
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};

mod people;

/// The demo's batches, made once for all stories.
fn world() -> &'static [Arc<Batch>] {
    static WORLD: OnceLock<Vec<Arc<Batch>>> = OnceLock::new();
    WORLD.get_or_init(|| simulator::demo(1).map(Arc::new).collect())
}

struct Room {
    app: App,
    now: Stamp,
    effects: Vec<Effect>,
}

impl Room {
    fn empty(mode: Mode) -> Self {
        let start = Start {
            mode,
            now: simulator::START,
            size: (200, 50),
            who: "lukman".to_owned(),
            may_write: true,
            keymap: Keymap::default(),
            pace: 60.0,
            mouse: false,
        };
        Self { app: App::new(start), now: simulator::START, effects: Vec::new() }
    }
    /// The demo's facts up to an instant, as a live room that has seen them all.
    fn live_at(at: Stamp) -> Self {
        Self::seen(world().iter().filter(|b| b.seen <= at).cloned(), at)
    }
    fn seen(batches: impl Iterator<Item = Arc<Batch>>, at: Stamp) -> Self {
        let mut room = Self::empty(Mode::Live);
        for batch in batches {
            room.app.store.apply(&batch);
        }
        room.now = at;
        room.send(Message::Tick);
        room
    }
    /// The whole evening; made once, copied for each story.
    fn live() -> Self {
        static LIVE: OnceLock<App> = OnceLock::new();
        let app = LIVE.get_or_init(|| Self::live_at(simulator::END).app).clone();
        Self { app, now: simulator::END, effects: Vec::new() }
    }
    /// A small evening until 19:36: four lanes, one order in forty, a few lines of each batch.
    fn small() -> Self {
        static SMALL: OnceLock<App> = OnceLock::new();
        let at = clock("19:36");
        let thinned = || world().iter().filter(|b| b.seen <= at).map(|b| Arc::new(thin(b)));
        let app = SMALL.get_or_init(|| Self::seen(thinned(), at).app).clone();
        Self { app, now: at, effects: Vec::new() }
    }
    fn send(&mut self, message: Message) {
        self.effects.extend(update(&mut self.app, self.now, message));
    }
    /// Keys as written in a configuration, separated by blanks.
    fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.now = self.now + Lapse::millis(10);
            self.send(Message::Key(Key::parse(key).unwrap()));
        }
        self
    }
    fn type_in(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.send(Message::Key(Key::char(c)));
        }
        self.keys("enter")
    }
    fn wait(&mut self, lapse: Lapse) -> &mut Self {
        self.now = self.now + lapse;
        self.send(Message::Tick);
        self
    }
    fn said(&self) -> &str {
        self.app.messages.last().map_or("", |(_, m)| m)
    }
    fn footer(&self) -> String {
        hint::footer(&self.app).iter().map(|(k, t)| format!("{k} {t}")).collect::<Vec<_>>().join("   ")
    }
    fn hm(&self) -> String {
        self.app.store.incident.zone.hm(self.app.at())
    }
}

fn thin(batch: &Batch) -> Batch {
    let mut batch = batch.clone();
    let one_in = |id: &str| id.bytes().fold(0u32, |a, b| a.wrapping_mul(31).wrapping_add(b.into())).is_multiple_of(40);
    for fact in &mut batch.facts {
        match fact {
            Fact::Incident(incident) => incident.lanes.truncate(4),
            Fact::Lines(lines) => lines.truncate(3),
            Fact::Ledger(ledger) => match &mut ledger.rows {
                Rows::Orders(rows) => rows.retain(|r| one_in(&r.order_id)),
                Rows::Payments(rows) => rows.retain(|r| one_in(&r.order_id)),
                Rows::HoPayments(rows) => rows.retain(|r| r.order_id.as_deref().is_some_and(one_in)),
                Rows::OrderEvents(rows) => rows.retain(|r| one_in(&r.order_id)),
                Rows::Saga(rows) => rows.retain(|r| one_in(&r.order_id)),
                Rows::OrdersAgg(_) | Rows::CallbackQueue(_) => {}
                Rows::Callbacks(rows) => rows.retain(|r| r.order_id.as_deref().is_some_and(one_in)),
            },
            _ => {}
        }
    }
    batch
}

fn clock(hm: &str) -> Stamp {
    crate::model::Zone::wib().on_day(simulator::START, hm).unwrap()
}

#[test]
fn from_the_spike_to_a_tick_by_keys_alone_and_back_to_the_same_rows() {
    let mut room = Room::live();
    room.keys("{ }");
    assert!(room.app.derived.spike.is_some(), "the demo has a spike");
    room.type_in(":goto onset");
    let onset = room.app.derived.spike.as_ref().map(|s| s.onset);
    assert_eq!(Some(room.app.at()), onset);

    room.keys("v shift-right shift-right shift-right shift-right");
    let selected = room.app.selected().unwrap();
    assert_eq!(selected.length(), Lapse::minutes(41));
    assert!(room.footer().starts_with("Enter "), "{}", room.footer());
    room.keys("enter");
    assert_eq!((room.app.place(), room.app.window), (&Place::OrderClasses, Some(selected)));
    assert_eq!(room.app.screen, Screen::Orders);
    assert!(room.app.derived.classes.len() >= 2, "{:?}", room.app.derived.classes);
    let class = room.app.derived.classes[1].class;

    room.keys("down enter");
    assert!(matches!(room.app.place(), Place::OrderList { classes, .. } if *classes == [class]));
    let counted = room.app.derived.classes[1].orders;
    assert_eq!(room.app.derived.orders.len(), counted, "the list has as many orders as its class");
    room.keys("end down down");
    let order = room.app.derived.orders[2].id.clone();

    room.keys("enter");
    assert_eq!(room.app.place(), &Place::Trail(order));
    assert!(room.app.derived.trail.is_some());

    room.keys("enter");
    assert!(matches!(room.app.place(), Place::Checks(_)), "{:?}: {}", room.app.place(), room.said());
    let check = room.app.checks().iter().position(|c| c.item.is_some()).unwrap();
    for _ in 0..check {
        room.keys("down");
    }
    room.keys("x");
    let pending = room.app.pending.clone().unwrap();
    let Change::Item(edit) = pending.change.clone() else { unreachable!() };
    assert!(edit.ticked && edit.evidence.is_none());
    assert_eq!(pending.diff.iter().filter(|d| d.sign == '+').count(), 1);
    room.effects.clear();
    room.keys("y");
    assert_eq!(room.effects, [Effect::SaveNote(pending.change.clone())]);
    room.send(Message::NoteSaved(Ok(NoteWritten { change: pending.change.clone(), text: String::new() })));
    let Some(Effect::Record(People::Tick(tick))) = room.effects.last() else { unreachable!("{:?}", room.effects) };
    assert_eq!((&tick.item, tick.ticked, tick.who.raw()), (&edit.item, true, "lukman"));
    assert!(room.said().starts_with("ticked in the note: "));

    room.keys("esc");
    assert!(matches!(room.app.place(), Place::Trail(_)));
    room.keys("backspace");
    assert_eq!(room.app.focus(), 2);
    room.keys("q");
    assert_eq!((room.app.place(), room.app.focus()), (&Place::OrderClasses, 1));
    room.keys("esc");
    assert_eq!((room.app.place(), room.app.window), (&Place::Top(Screen::Timeline), None));
    assert!(room.app.selection.is_some(), "the selection is still there to go in again");
    assert!(room.effects.iter().all(|e| *e != Effect::Quit));
}

#[test]
fn a_verdict_of_ones_own_needs_a_reason() {
    let mut room = Room::live();
    room.keys("5 enter v r");
    room.keys("enter");
    assert!(room.app.prompt.is_some() && room.said().starts_with("a reason is required"));
    room.type_in("pool was resized at 19:20");
    let Some(Effect::Record(People::Override(o))) = room.effects.last() else { unreachable!("{:?}", room.effects) };
    assert_eq!((o.verdict, o.reason.raw()), (Some(Verdict::Refutes), "pool was resized at 19:20"));
}

#[test]
fn a_checkbox_outside_the_hypotheses_is_ticked_from_its_section() {
    let mut room = Room::live();
    room.keys("5 tab enter");
    assert_eq!(room.app.place(), &Place::Section(0));
    assert!(room.app.len(Panel::Items) >= 3);
    room.keys("down x n");
    assert!(room.app.pending.is_none());
    assert_eq!(room.said(), "nothing was written");
    room.keys("x y");
    let item = room.app.section_items().nth(1).map(|i| i.id.clone());
    assert!(matches!(room.effects.last(), Some(Effect::SaveNote(Change::Item(e))) if Some(&e.item) == item.as_ref()));
    room.send(Message::NoteSaved(Err("the disk is full".to_owned())));
    assert_eq!(room.said(), "the disk is full");
    assert!(!room.effects.iter().any(|e| matches!(e, Effect::Record(_))), "nothing was ticked, nothing is recorded");
}

#[test]
fn a_viewer_started_with_view_cannot_tick_and_is_told_why() {
    let mut room = Room::live();
    room.app.may_write = false;
    room.keys("5 tab enter x");
    assert!(room.app.pending.is_none());
    assert!(room.said().contains("--view"), "{}", room.said());
    assert!(!room.footer().contains("tick"), "{}", room.footer());
}

#[test]
fn the_cursor_is_shared_by_all_screens_and_end_returns_to_live() {
    let mut room = Room::live();
    let edge = room.hm();
    room.keys("left shift-left");
    assert!(room.app.in_the_past());
    let at = room.app.at();
    for key in ["2", "3", "4", "5", "6", "1"] {
        room.keys(key);
        assert_eq!(room.app.at(), at);
    }
    assert!(room.footer().contains("End back to live"));
    room.keys("end");
    assert_eq!(room.app.cursor, Cursor::Now);
    assert_eq!(room.hm(), edge);
    assert!(!room.footer().contains("End "), "a key that does nothing is not in the footer: {}", room.footer());
}

#[test]
fn the_past_shows_fewer_stuck_orders_than_now() {
    let mut room = Room::live();
    let now = room.app.derived.standing.stuck;
    room.type_in(":goto 19:50");
    room.wait(Lapse::seconds(1));
    let then = room.app.derived.standing.stuck;
    assert!(0 < then && then < now, "{then} at 19:50, {now} at the end");
}

#[test]
fn right_at_the_newest_column_is_live_again() {
    let mut room = Room::live();
    room.keys("left left right");
    assert!(room.app.in_the_past());
    room.keys("right");
    assert_eq!(room.app.cursor, Cursor::Now);
    room.keys("right");
    assert_eq!(room.app.cursor, Cursor::Now);
}

#[test]
fn zoom_keeps_the_cursor_in_its_column_and_undo_takes_it_back() {
    let mut room = Room::live();
    room.type_in(":goto 19:57");
    let before = (room.app.axis_from, room.app.step);
    let column = room.app.axis().column(room.app.at());
    room.keys("+");
    assert_eq!(room.app.step, Lapse::seconds(30));
    assert_eq!(room.app.axis().column(room.app.at()), column);
    room.keys("- -");
    assert_eq!(room.app.step, Lapse::minutes(2), "minus zooms out on the timeline");
    room.keys("u u u");
    assert_eq!((room.app.axis_from, room.app.step), before);
    room.keys("u");
    assert!(room.said().starts_with("nothing to undo"));
}

#[test]
fn columns_begin_on_whole_steps_of_the_zone_at_every_zoom() {
    let mut room = Room::live();
    for _ in 0..20 {
        let (axis, zone) = (room.app.axis(), room.app.store.incident.zone.clone());
        assert_eq!(axis.from.floor(axis.step, &zone), axis.from);
        room.keys("_");
    }
    assert_eq!(room.app.step, Lapse::hours(1));
    assert_eq!(room.said(), "an hour a column is the widest");
}

#[test]
fn held_the_picture_stands_while_facts_go_on_coming() {
    let mut room = Room::live_at(clock("20:05"));
    room.keys("space");
    let (at, axis, stuck) = (room.app.at(), room.app.axis(), room.app.derived.standing.stuck);
    let before = room.app.store.generation;
    for batch in world().iter().filter(|b| b.seen > clock("20:05") && b.seen <= clock("20:07")) {
        room.now = batch.seen;
        room.send(Message::Batch(batch.clone()));
    }
    room.send(Message::Tick);
    assert!(room.app.store.generation > before, "polling goes on");
    assert_eq!((room.app.at(), room.app.axis(), room.app.derived.standing.stuck), (at, axis, stuck));
    room.keys("space");
    assert_eq!(room.app.at(), room.now);
    assert_ne!(room.app.derived.standing.stuck, stuck);
}

#[test]
fn in_a_demo_space_pauses_and_plays_at_the_pace_it_had() {
    let mut room = Room::empty(Mode::Demo);
    room.keys("space space");
    assert_eq!(room.effects, [Effect::Pace(0.0), Effect::Pace(60.0)]);
    room.type_in(":pace 10");
    assert_eq!(room.effects.last(), Some(&Effect::Pace(10.0)));
    room.type_in(":pace fast");
    assert!(room.said().contains("is no pace"));
    assert!(room.footer().starts_with("Space pause"), "{}", room.footer());
}

#[test]
fn an_incident_that_is_over_is_opened_at_its_end_and_one_that_goes_on_at_now() {
    for (ended, over) in [(Lapse::hours(30), true), (Lapse::minutes(10), false)] {
        let mut room = Room::empty(Mode::Live);
        let now = room.now;
        let window = Span::new(now - ended - Lapse::hours(1), now - ended);
        let incident = Incident { window: Some(window), ..simulator::incident() };
        let facts = vec![Fact::Incident(Box::new(incident))];
        room.send(Message::Batch(Arc::new(Batch { source: "warroom".into(), seq: 1, seen: now, facts })));
        assert_eq!((room.app.in_the_past(), room.app.axis().span().contains(window.from)), (over, true), "{ended:?}");
        assert_eq!(room.app.at(), if over { window.to - Lapse(1) } else { now });
    }
}

#[test]
fn a_replay_begins_with_the_axis_over_the_incident_and_scrubs_within_what_was_played() {
    let mut room = Room::empty(Mode::Replay);
    for batch in world().iter().filter(|b| b.seen <= clock("19:30")) {
        room.send(Message::Batch(batch.clone()));
    }
    room.send(Message::Played { at: clock("19:30"), ended: false });
    let axis = room.app.axis();
    assert!(axis.span().contains(simulator::START));
    assert_eq!(room.hm(), "19:30");
    room.keys("right");
    assert_eq!(room.hm(), "19:30", "what was not played yet cannot be looked at");
    room.keys("left");
    let before = clock("19:30") - room.app.step;
    assert_eq!(room.app.at(), before);
    room.send(Message::Played { at: clock("19:31"), ended: false });
    assert_eq!(room.app.at(), before);
    assert_eq!(room.app.axis(), axis, "the axis stands still while time is played into it");
}

#[test]
fn a_recording_opens_at_its_end_with_all_of_it_to_be_looked_at() {
    let mut room = Room::empty(Mode::Replay);
    room.app.open(Room::live().app.store, simulator::END, true);
    assert_eq!((room.app.at(), room.app.played), (simulator::END, Some(simulator::END)));
    assert!(room.app.axis().column(simulator::END).is_some(), "the axis shows where the head is");
    room.type_in(":goto 19:30");
    assert_eq!(room.hm(), "19:30");
    room.type_in(":seek 19:40");
    assert_eq!(room.effects.last(), Some(&Effect::Seek(clock("19:40"))));
    room.send(Message::Played { at: clock("19:40"), ended: false });
    assert_eq!(room.hm(), "19:40");
    assert!(room.app.axis().column(clock("19:40")).is_some(), "the axis follows the head");
}

#[test]
fn what_the_head_comes_to_is_read_back_one_stretch_at_a_time() {
    let mut room = Room::empty(Mode::Replay);
    let mut store = Room::live().app.store;
    store.logs = LogIndex::with_budget(200_000);
    store.logs.skip(1, simulator::END);
    room.app.open(store, clock("19:30"), false);
    let loads = |room: &Room| room.effects.iter().filter(|e| matches!(e, Effect::Load(_))).count();
    room.send(Message::Played { at: clock("19:30"), ended: false });
    let Some(Effect::Load(span)) = room.effects.last().cloned() else { unreachable!("{:?}", room.effects) };
    assert!(span.contains(clock("19:30")));
    room.send(Message::Played { at: clock("19:35"), ended: false });
    assert_eq!(loads(&room), 1, "the one before was not answered yet");
    room.send(Message::Past { span, batches: Ok(Vec::new()) });
    room.send(Message::Played { at: clock("19:35"), ended: false });
    assert_eq!(loads(&room), 2);
    assert!(!room.said().contains("nothing is recorded"), "nobody asked for that stretch");
}

#[test]
fn what_cannot_be_read_back_is_said_and_stays_unknown() {
    let mut room = Room::live();
    let before = room.app.store.generation;
    let span = Span::new(clock("19:10"), clock("19:14"));
    room.send(Message::Past { span, batches: Err("the recording cannot be read back".to_owned()) });
    assert_eq!(room.said(), "the recording cannot be read back");
    assert_eq!(room.app.store.generation, before, "no stretch without points was made of it");
}

#[test]
fn damage_of_a_recording_is_said_once() {
    let mut room = Room::empty(Mode::Replay);
    let damage = vec!["000002.jsonl: it is missing".to_owned(), "000003.jsonl.gz, byte 7: damaged".to_owned()];
    let state = RecorderState { damage, ..RecorderState::default() };
    room.send(Message::Recorder(state.clone()));
    assert!(room.said().contains("000002.jsonl: it is missing; and 1 more"), "{}", room.said());
    let said = room.app.messages.len();
    room.send(Message::Recorder(state));
    assert_eq!(room.app.messages.len(), said);
}

#[test]
fn what_is_older_than_memory_is_asked_from_the_recording_once() {
    let mut room = Room::live();
    let mut short = LogIndex::with_budget(200_000);
    for batch in world() {
        for fact in &batch.facts {
            if let Fact::Lines(lines) = fact {
                for line in lines {
                    short.push(&batch.source, line.clone());
                }
            }
        }
    }
    room.app.store.logs = short;
    let loads = |room: &Room| room.effects.iter().filter(|e| matches!(e, Effect::Load(_))).count();
    room.type_in(":goto 21:29");
    assert_eq!(loads(&room), 0, "memory holds the last minutes");
    room.type_in(":goto 19:10");
    let Some(Effect::Load(span)) = room.effects.last().cloned() else { unreachable!("{:?}", room.effects) };
    assert!(span.contains(clock("19:10")));
    room.keys("right left");
    room.type_in(":goto 19:10");
    let asked = loads(&room);
    room.send(Message::Past { span, batches: Ok(Vec::new()) });
    assert!(room.said().starts_with("nothing is recorded"), "{}", room.said());
    room.type_in(":goto 19:10");
    assert_eq!(loads(&room), asked, "what was answered is not asked again");
}

#[test]
fn locked_keys_do_nothing_until_l_and_y() {
    let mut room = Room::live();
    room.keys("L 4 left x : q ctrl-c ctrl-c");
    assert_eq!((room.app.screen, room.app.cursor), (Screen::Timeline, Cursor::Now));
    assert!(room.app.prompt.is_none() && room.effects.is_empty());
    assert!(room.said().contains("locked"));
    room.keys("y 4 L 4 y");
    assert!(room.app.locked, "y must follow L at once");
    room.keys("L y 4");
    assert_eq!(room.app.screen, Screen::Orders);
}

#[test]
fn q_at_the_top_asks_once_and_ctrl_c_needs_two() {
    let mut room = Room::live();
    room.keys("q n");
    assert!(room.effects.is_empty() && !room.app.leaving);
    room.keys("ctrl-c left ctrl-c");
    assert!(room.effects.is_empty(), "a key between takes the first Ctrl-C back");
    room.keys("ctrl-c");
    assert_eq!(room.effects, [Effect::Quit]);
    let mut room = Room::live();
    room.keys("q q");
    assert_eq!(room.effects, [Effect::Quit]);
    let mut room = Room::live();
    room.type_in(":q");
    assert_eq!(room.effects, [Effect::Quit]);
}

#[test]
fn pasted_text_is_never_a_command() {
    let mut room = Room::live();
    room.send(Message::Paste("q\nq\n4x".to_owned()));
    assert_eq!(room.said(), "paste is ignored here; open a prompt first: / f a or :");
    assert!(room.effects.is_empty() && room.app.screen == Screen::Timeline);
    room.keys("a");
    room.send(Message::Paste("promo\u{1b}[31m\nsent\r\n".to_owned()));
    assert!(room.app.prompt.is_some());
    room.keys("enter");
    let Some(Effect::Record(People::Mark(mark))) = room.effects.last() else { unreachable!("{:?}", room.effects) };
    assert_eq!(mark.text.raw(), "promo [31m sent");
    assert_eq!(mark.at, room.app.at());
}

#[test]
fn evidence_of_a_row_is_attached_to_the_checkbox_somebody_chooses() {
    let mut room = Room::live();
    room.keys("4 E");
    room.type_in("order_id gantung");
    let pending = room.app.pending.clone().unwrap();
    assert!(pending.text.raw().contains("order_id") && pending.text.raw().contains("gantung"));
    let Change::Item(edit) = pending.change else { unreachable!() };
    let line = edit.evidence.unwrap();
    assert!(line.contains("orders, Rp"), "{line}");
    assert!(!edit.ticked, "attaching is not ticking");
}

#[test]
fn a_resize_keeps_cursor_place_and_focus() {
    let mut room = Room::live();
    room.type_in(":goto 19:57");
    room.keys("4 down enter down down down");
    let before = (room.app.at(), room.app.places.clone(), room.app.focus());
    for (w, h) in [(80, 24), (120, 35), (40, 12), (1, 1), (0, 0), (300, 80), (200, 50)] {
        room.send(Message::Resize(w, h));
        assert_eq!((room.app.at(), room.app.places.clone(), room.app.focus()), before, "{w}×{h}");
        assert!(room.app.axis().column(room.app.at()).is_some(), "{w}×{h}");
    }
}

#[test]
fn an_unzoomed_axis_has_the_usual_step_of_each_size() {
    let mut room = Room::live();
    assert_eq!(room.app.step, Lapse::minutes(1));
    room.send(Message::Resize(80, 24));
    assert_eq!(room.app.step, Lapse::minutes(2));
    room.send(Message::Resize(200, 50));
    assert_eq!(room.app.step, Lapse::minutes(1));
}

#[test]
fn rows_under_a_hand_keep_their_order_and_the_focus_stays_with_its_row() {
    let mut room = Room::live_at(clock("19:32"));
    room.keys("3 down down");
    let order: Vec<String> = room.app.derived.patterns.iter().map(|p| p.template.raw().to_owned()).collect();
    let focused = order[room.app.focus()].clone();
    let later: Vec<_> = world().iter().filter(|b| b.seen > clock("19:32") && b.seen <= clock("19:45")).collect();
    for batch in later {
        room.app.store.apply(batch);
    }
    room.wait(Lapse::millis(1_500));
    let kept: Vec<String> = room.app.derived.patterns.iter().map(|p| p.template.raw().to_owned()).collect();
    assert_eq!(kept[..order.len()], order[..], "1.5 s after a key the rows stand still");
    room.now = clock("19:45");
    room.send(Message::Tick);
    assert_eq!(room.app.derived.patterns[room.app.focus()].template.raw(), focused);
}

#[test]
fn filters_belong_to_their_place() {
    let mut room = Room::live();
    room.keys("3");
    let all = room.app.len(Panel::Patterns);
    room.keys("f");
    room.type_in("timeout");
    let some = room.app.len(Panel::Patterns);
    assert!(0 < some && some < all, "{some} of {all}");
    assert_eq!(room.app.derived.unfiltered, all);
    room.keys("4");
    assert_eq!(room.app.filter, "");
    room.keys("3");
    assert_eq!((room.app.filter.as_str(), room.app.len(Panel::Patterns)), ("timeout", some));
    room.keys("esc");
    assert_eq!(room.app.len(Panel::Patterns), all);
}

#[test]
fn search_goes_round_and_same_order_goes_through_one_orders_lines() {
    let mut room = Room::live();
    room.keys("3 tab");
    assert_eq!(room.app.panel(), Panel::Lines);
    room.keys("g /");
    room.type_in("timeout");
    let first = room.app.focus();
    assert!(room.app.line(first).unwrap().line.message.raw().contains("timeout"));
    room.keys("n N");
    assert_eq!(room.app.focus(), first);
    let order = room.app.line(first).unwrap().line.order.clone();
    if order.is_some() {
        room.keys("o");
        assert_eq!(room.app.line(room.app.focus()).unwrap().line.order, order);
    }
}

#[test]
fn history_goes_back_and_forward_with_its_windows() {
    let mut room = Room::live();
    room.type_in(":goto 19:57");
    room.keys("enter");
    let window = room.app.window;
    room.keys("2 6 [ [");
    assert_eq!((room.app.place(), room.app.window), (&Place::OrderClasses, window));
    room.keys("] ]");
    assert_eq!(room.app.place(), &Place::Top(Screen::Sources));
    room.keys("-");
    assert_eq!(room.app.place(), &Place::Top(Screen::Database));
    room.keys("-");
    assert_eq!(room.app.place(), &Place::Top(Screen::Sources));
}

#[test]
fn a_window_typed_scopes_every_screen_until_it_is_dropped() {
    let mut room = Room::live();
    room.keys("t s");
    room.type_in("19:30 tea");
    assert!(room.app.prompt.is_some() && room.said().contains("is no time"));
    room.keys("ctrl-u");
    room.type_in("19:30 19:40");
    assert_eq!(room.app.scope(), Span::new(clock("19:30"), clock("19:40")));
    room.keys("4 3 esc");
    assert_eq!((room.app.screen, room.app.window.is_some()), (Screen::Timeline, true));
    room.keys("esc");
    assert_eq!(room.app.window, None);
}

#[test]
fn the_palette_finds_by_a_few_letters_and_runs() {
    let mut room = Room::live();
    room.type_in(":scrlog");
    assert_eq!(room.app.screen, Screen::Logs);
    room.type_in(":database upg");
    assert_eq!(room.app.database_name(), Some("upg"));
    room.type_in(":database nowhere");
    assert!(room.said().contains("there is no database nowhere; there are mrg, upg"), "{}", room.said());
    room.type_in(":orders stuck");
    let stuck = room.app.derived.standing.stuck;
    assert_eq!(room.app.derived.orders.len(), stuck);
    room.type_in(":zzzz");
    assert!(room.said().starts_with("no command is called"));
}

#[test]
fn every_command_is_found_in_the_palette_by_its_name() {
    let room = Room::live();
    for c in COMMANDS.iter().filter(|c| !matches!(c.id, Id::Interrupt | Id::Pace | Id::Seek)) {
        let found = palette::exact(c.name).map(|(c, _)| c.id);
        assert_eq!(found, Some(c.id), "{}", c.name);
        assert!(palette::suggestions(&room.app, c.name).iter().any(|s| s.id == c.id), "{}", c.name);
        assert!(!c.does.is_empty());
    }
}

#[test]
fn names_of_commands_are_unique() {
    let mut names: Vec<_> = COMMANDS.iter().map(|c| c.name).collect();
    names.sort_unstable();
    let n = names.len();
    names.dedup();
    assert_eq!(names.len(), n);
}

#[test]
fn a_footer_names_only_keys_that_are_bound_where_it_stands() {
    let mut room = Room::live();
    for keys in ["1", "2", "3", "4", "5", "6", "4 enter", "enter", "1 v left", "esc esc 5 enter"] {
        room.keys(keys);
        let spot = Spot::of(&room.app);
        let footer = hint::footer(&room.app);
        let (last, before) = (footer.last().unwrap(), &footer[footer.len() - 2]);
        assert_eq!((last.0.as_str(), before.0.as_str()), ("?", ":"), "{spot:?}");
        for (keys, text) in &footer {
            assert!(!keys.is_empty() && !text.is_empty(), "{spot:?}: {footer:?}");
        }
    }
}

#[test]
fn a_key_without_meaning_says_so_and_changes_nothing() {
    let mut room = Room::live();
    room.keys("% t %");
    assert_eq!(room.said(), "t % does nothing here; ? shows the keys");
    assert!(room.app.prefix.is_none());
}

#[test]
fn a_copy_is_markdown_with_time_and_scope_and_no_terminal_codes() {
    let mut room = Room::live();
    room.keys("4 Y");
    let Some(Effect::Copy(text)) = room.effects.last() else { unreachable!("{:?}", room.effects) };
    assert!(text.starts_with("### "), "{text}");
    assert!(text.contains("+07:00"));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    room.keys("w");
    let Some(Effect::Export { name, text }) = room.effects.last() else { unreachable!("{:?}", room.effects) };
    assert!(std::path::Path::new(name).extension().is_some_and(|e| e == "csv"));
    assert!(text.lines().count() > 10);
}

#[test]
fn a_toast_stays_four_seconds_and_its_words_stay_in_messages() {
    let mut room = Room::live();
    room.send(Message::Said("written".to_owned()));
    room.wait(Lapse::seconds(3));
    assert!(room.app.toast.is_some());
    room.wait(Lapse::seconds(1));
    assert!(room.app.toast.is_none());
    room.type_in(":messages");
    assert_eq!((room.app.place(), room.app.len(Panel::Messages)), (&Place::Messages, 1));
}

#[test]
fn asking_a_source_by_hand_is_rate_limited() {
    let mut room = Room::live();
    room.keys("6 r r");
    assert_eq!(room.effects.len(), 1);
    assert!(room.said().contains("again in"), "{}", room.said());
    room.wait(Lapse::seconds(6));
    room.keys("r");
    assert_eq!(room.effects.len(), 2);
}

fn any_key() -> impl Strategy<Value = Key> {
    let codes = prop_oneof![
        6 => prop::sample::select("hjklgGnNoOsSfabmvxXyYezELrwu+-_=<>{}[]123456789/:?HtqM !~\u{e9}".chars().collect::<Vec<_>>()).prop_map(Key::char),
        4 => prop::sample::select(vec![
            Code::Enter, Code::Esc, Code::Backspace, Code::Tab, Code::BackTab, Code::Up, Code::Down, Code::Left,
            Code::Right, Code::PageUp, Code::PageDown, Code::Home, Code::End, Code::Delete, Code::F(1),
        ]).prop_map(Key::plain),
        1 => prop::sample::select(vec!['l', 'u', 'd', 'w', 'k']).prop_map(Key::ctrl),
    ];
    (codes, prop::bool::weighted(0.1)).prop_map(|(k, shift)| Key { shift, ..k })
}

#[derive(Clone, Debug)]
enum Event {
    Key(Key),
    Resize(u16, u16),
    Wait(i64),
    Paste(String),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => any_key().prop_map(Event::Key),
        1 => (0u16..260, 0u16..70).prop_map(|(w, h)| Event::Resize(w, h)),
        1 => (0i64..3_000).prop_map(Event::Wait),
        1 => ".{0,20}".prop_map(Event::Paste),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_break_it_and_esc_always_leads_to_a_top(events in prop::collection::vec(any_event(), 1..60)) {
        let mut room = Room::small();
        for event in events {
            match event {
                Event::Key(key) => room.send(Message::Key(key)),
                Event::Resize(w, h) => room.send(Message::Resize(w, h)),
                Event::Wait(ms) => { room.wait(Lapse::millis(ms)); }
                Event::Paste(text) => room.send(Message::Paste(text)),
            }
            prop_assert!(matches!(room.app.places.first(), Some(Place::Top(_))));
            prop_assert!(room.app.at() <= room.app.live_edge());
            let panel = room.app.panel();
            prop_assert!(room.app.focus() < room.app.len(panel).max(1));
            prop_assert!(room.app.grid.columns() >= 1);
            prop_assert!(room.app.axis().column(room.app.at()).is_some());
            let _ = hint::footer(&room.app);
            let _ = crate::app::crumb::crumbs(&room.app);
        }
        if room.app.locked {
            room.keys("L y");
        }
        for _ in 0..150 {
            room.keys("esc");
        }
        prop_assert_eq!(room.app.places.len(), 1);
        prop_assert!(room.app.prompt.is_none() && room.app.pending.is_none() && !room.app.help);
    }
}

#[test]
fn enter_on_a_segment_opens_its_orders_and_esc_leads_back_to_it() {
    let mut room = Room::live();
    room.keys("4 tab");
    assert_eq!(room.app.panel(), Panel::Traits);
    let several = |room: &Room, row: usize| room.app.derived.shared[row].clone();
    for row in 0..room.app.derived.shared.len() {
        let segment = several(&room, row);
        room.keys("enter");
        let Place::OrderList { title, terms, .. } = room.app.place().clone() else { panic!("{:?}", room.app.place()) };
        assert_eq!((title.as_str(), &terms), (segment.value.raw(), &segment.terms));
        // All of the bad ones of the segment, and no other.
        assert_eq!(room.app.derived.orders.len(), segment.stuck, "{segment:?}");
        room.keys("esc");
        assert_eq!((room.app.panel(), room.app.focus()), (Panel::Traits, row));
        room.keys("down");
    }
}

#[test]
fn segments_are_of_the_stuck_or_of_those_not_at_ho_or_of_a_class() {
    use crate::analysis::reconcile::Bad;
    let mut room = Room::live();
    room.keys("4");
    let class = room.app.derived.classes[room.app.focus()].clone();
    let stuck = room.app.derived.shared.clone();
    room.keys("B");
    assert_eq!(room.app.segments_of, Bad::NotAtHo);
    assert!(room.app.derived.shared != stuck, "other orders share other things");
    room.keys("B");
    assert_eq!(room.app.segments_of, Bad::Class(class.class));
    let most = room.app.derived.shared.iter().map(|t| t.stuck).max();
    assert!(most.is_some_and(|n| n > 0 && n <= class.orders), "{most:?} of {}", class.orders);
    room.keys("tab enter");
    assert!(matches!(room.app.place(), Place::OrderList { classes, .. } if *classes == [class.class]));
    room.keys("esc B");
    assert_eq!((room.app.segments_of, &room.app.derived.shared), (Bad::Stuck, &stuck));
}

#[test]
fn who_sees_personal_data_and_until_when_is_recorded() {
    let mut room = Room::live();
    for text in ["personal data was shown", "personal data is masked"] {
        room.type_in(":unmask");
        let Some(Effect::Record(People::Mark(mark))) = room.effects.last() else { unreachable!("{:?}", room.effects) };
        assert_eq!((mark.text.raw(), mark.who.raw(), mark.at), (text, room.app.who.as_str(), room.app.now));
        assert_eq!(room.app.unmasked, text.ends_with("shown"));
    }
}

#[test]
fn the_words_of_the_note_are_one_key_and_the_lines_around_one_are_another() {
    let mut room = Room::live();
    room.type_in(":goto 20:10");
    room.keys("3");
    let mut found = Vec::new();
    for word in ["timeout", "connection", "circuit", "payment", "~timeout|connection|circuit|payment", "timeout"] {
        room.keys("K");
        assert_eq!((room.app.place(), room.app.filter.as_str()), (&Place::Lines(String::new()), word));
        let of = |n: &u64| room.app.store.logs.get(*n).unwrap().line.message.raw().to_lowercase();
        let any: Vec<&str> = word.trim_start_matches('~').split('|').collect();
        assert!(room.app.derived.lines.iter().all(|n| any.iter().any(|w| of(n).contains(w))), "{word}");
        found.push(room.app.derived.lines.len());
    }
    assert!(found[0] > 0 && found[1] > 0 && found[4] >= found[0].max(found[1]) && found[0] == found[5], "{found:?}");
    let number = room.app.derived.lines[room.app.focus()];
    room.keys("C");
    assert!(room.app.filter.is_empty() && room.app.derived.lines.len() > found[4]);
    assert_eq!(room.app.derived.lines[room.app.focus()], number, "the same line, with its neighbours");
}

#[test]
fn lines_of_a_pattern_that_is_nowhere_are_none_and_not_all() {
    let mut room = Room::live();
    room.type_in(":goto 20:10");
    room.keys("3");
    let some = room.app.derived.patterns[0].template.raw().to_owned();
    for (template, any) in [(some, true), ("a pattern of another night".to_owned(), false)] {
        let _ = crate::app::act::drill::enter(&mut room.app, Place::Lines(template.clone()));
        room.send(Message::Tick);
        let lines = &room.app.derived.lines;
        assert_eq!(!lines.is_empty(), any, "{template}");
        assert!(lines.len() < room.app.store.logs.within(room.app.lines_span()).len());
    }
}

/// An engine that counts more lines of a minute than it gave.
fn engine_with_more(at: Stamp) -> Vec<Arc<Batch>> {
    use crate::model::batch::Samples;
    use crate::model::incident::{SourceCard, SourceKind};
    use crate::model::series::{Counted, SeriesCard};
    let card = SeriesCard {
        name: "loki.all".into(),
        unit: None,
        unit_said: "".into(),
        from: "".into(),
        counted: Some(Counted::Engine),
    };
    let minute = Stamp(at.0.div_euclid(60_000_000) * 60_000_000);
    let counted = Samples { at: minute, values: vec![("loki.all".into(), 500.0)] };
    let source = SourceCard { name: "loki".to_owned(), kind: SourceKind::Logs, what: "x".into(), every: None };
    let incident = Incident { sources: vec![source], ..simulator::incident() };
    let facts = vec![Fact::Incident(Box::new(incident)), Fact::Series(vec![card]), Fact::Samples(counted)];
    vec![Arc::new(Batch { source: "loki".into(), seq: 1, seen: at, facts })]
}

#[test]
fn lines_that_an_engine_has_beyond_those_fetched_are_read_while_they_are_in_front_and_no_longer() {
    let at = clock("19:36");
    let seen = || Room::seen(engine_with_more(at - Lapse::minutes(5)).into_iter(), at);
    let mut room = seen();
    let looks = |room: &Room| -> Vec<Option<Span>> {
        room.effects.iter().filter_map(|e| if let Effect::Look(span) = e { Some(*span) } else { None }).collect()
    };
    assert_eq!(looks(&room), [], "the timeline shows counts");
    room.app.window = Some(Span::new(clock("19:28"), clock("19:34")));
    room.keys("3");
    assert_eq!(looks(&room), [Some(Span::new(clock("19:28"), clock("19:34")))]);
    room.wait(Lapse::seconds(1)).keys("tab down up").wait(Lapse::seconds(90));
    assert_eq!(looks(&room).len(), 1, "it is asked for once");
    room.keys("1");
    assert_eq!(looks(&room)[1..], [None], "somebody who leaves ends it");
    // A stretch of which all was counted as fetched, and a replay, ask nothing.
    let mut room = seen();
    room.app.window = Some(Span::new(clock("19:32"), clock("19:34")));
    room.keys("3");
    assert_eq!(looks(&room), []);
    let mut room = seen();
    room.app.mode = Mode::Replay;
    room.app.window = Some(Span::new(clock("19:28"), clock("19:34")));
    room.keys("3");
    assert_eq!(looks(&room), []);
}
