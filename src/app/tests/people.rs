//! Stories of answers and bindings: what people say of the note's questions, and which rule answers a checkbox.

use super::*;
use crate::model::note::{Bound, NoteText};
use crate::model::{MarkKind, Untrusted};

impl Room {
    /// Records what the last effects record, as the recorder would, and lets it be known.
    fn recorded(&mut self) {
        let facts: Vec<Fact> = self
            .effects
            .drain(..)
            .filter_map(|e| match e {
                Effect::Record(People::Mark(m)) => Some(Fact::Mark(m)),
                Effect::Record(People::Bind(b)) => Some(Fact::Bind(b)),
                Effect::Record(People::Lane(l)) => Some(Fact::Lane(l)),
                _ => None,
            })
            .collect();
        let batch = Batch { source: "people".into(), seq: 1_000_000, seen: self.now, facts };
        self.send(Message::Batch(Arc::new(batch)));
        self.now = self.now + Lapse::seconds(10);
        self.send(Message::Tick);
    }
    /// The note as it is on disk after the pending change was written.
    fn write(&mut self) {
        self.keys("y");
        let pending = self.app.saving.clone().unwrap();
        let text = crate::note::edit::change(&self.app.note_text, &pending.change).unwrap();
        let name = self.app.store.note(self.app.at()).unwrap().name.clone();
        let fact = Fact::Note(NoteText { at: self.now, name, text: text.as_str().into() });
        let batch = Batch { source: "note".into(), seq: 1_000_000, seen: self.now, facts: vec![fact] };
        self.send(Message::Batch(Arc::new(batch)));
        self.send(Message::NoteSaved(Ok(NoteWritten { change: pending.change, text })));
    }
    fn questions_open(&self) -> usize {
        self.app.note.questions.iter().filter(|q| q.answers.is_empty()).count()
    }
}

#[test]
fn a_question_is_answered_with_who_and_when_and_a_time_becomes_a_mark() {
    let mut room = Room::live();
    room.keys("5 A");
    assert_eq!(room.app.place(), &Place::Questions);
    let open = room.questions_open();
    let asked = room.app.question(0).unwrap().clone();
    let before = room.app.note_text.clone();
    room.keys("A");
    room.type_in("yes, the promo began at 19:00");
    let pending = room.app.pending.clone().unwrap();
    assert_eq!(pending.diff.iter().filter(|d| d.sign == '+').count(), 1, "one line more: {:?}", pending.diff);
    assert!(!pending.diff.iter().any(|d| d.sign == '-'));
    room.write();
    let answered = room.app.note.questions.iter().find(|q| q.id == asked.id).unwrap();
    let [reply] = answered.answers.as_slice() else { panic!("{answered:?}") };
    assert_eq!(reply.text.raw(), "yes, the promo began at 19:00");
    assert!(reply.given.raw().starts_with("2025-01-12 ") && reply.given.raw().ends_with("WIB, lukman"), "{reply:?}");
    assert_eq!(room.questions_open(), open - 1);
    // Every other byte as before.
    let added = room.app.note_text.lines().find(|l| l.contains("answer (warroom")).unwrap().to_owned();
    assert_eq!(room.app.note_text.replacen(&format!("{added}\n"), "", 1), *before);
    let Some(Effect::Record(People::Mark(mark))) = room.effects.last() else { panic!("{:?}", room.effects) };
    assert_eq!(room.app.store.incident.zone.rfc3339(mark.at), "2025-01-12T19:00:00+07:00");
    assert_eq!(mark.kind, MarkKind::Note);
    // It stands behind the open ones now.
    assert_eq!(room.app.question(open - 1).map(|q| &q.id), Some(&asked.id));
    room.recorded();
    assert!(room.app.store.marks(room.now).iter().any(|m| m.text.raw().starts_with("yes, the promo began at 19:00")));
}

#[test]
fn an_answer_about_a_deployment_is_a_change_unless_it_says_there_was_none() {
    for (typed, kind) in
        [("deploy mrg 2.14 at 19.02", MarkKind::Change), ("no, the last one was 2025-01-10 21:15", MarkKind::Note)]
    {
        let mut room = Room::live();
        room.keys("5 A");
        let asked = |i: &usize| room.app.question(*i).is_some_and(|q| q.text.raw().contains("deployment"));
        let row = (0..room.app.len(Panel::Questions)).find(asked).unwrap();
        for _ in 0..row {
            room.keys("down");
        }
        room.keys("A");
        room.type_in(typed);
        room.write();
        let Some(Effect::Record(People::Mark(mark))) = room.effects.last() else { panic!("{:?}", room.effects) };
        let at = room.app.store.incident.zone.rfc3339(mark.at);
        let wanted = if kind == MarkKind::Change { "2025-01-12T19:02:00+07:00" } else { "2025-01-10T21:15:00+07:00" };
        assert_eq!((mark.kind, at.as_str()), (kind, wanted));
    }
}

#[test]
fn an_answer_can_be_left_and_an_empty_one_is_not_written() {
    let mut room = Room::live();
    room.keys("5 A A");
    room.keys("enter");
    assert!(room.app.prompt.is_some() && room.said() == "an empty answer is not written");
    room.type_in("nobody knows");
    room.keys("n");
    assert_eq!((room.app.pending.is_none(), room.said()), (true, "nothing was written"));
    let mut view = Room::live();
    view.app.may_write = false;
    view.keys("5 A A");
    assert!(view.app.prompt.is_none() && view.said().contains("--view"), "{}", view.said());
}

#[test]
fn the_status_of_the_note_is_changed_on_request_alone_and_shown_first() {
    let mut room = Room::live();
    let before = room.app.note_text.clone();
    room.keys(":");
    room.type_in("status resolved");
    let pending = room.app.pending.clone().unwrap();
    assert_eq!(pending.change, Change::Status("resolved".to_owned()));
    assert_eq!(*room.app.note_text, *before, "nothing is written before somebody says so");
    room.write();
    assert_eq!(room.app.note.status.as_ref().map(Untrusted::raw), Some("resolved"));
    assert_eq!(room.app.note_text.replace("status: resolved", "status: investigating"), *before);
    assert_eq!(room.said(), "the note's status is resolved now");
}

#[test]
fn a_checkbox_takes_an_answer_as_a_line_below_it_without_a_tick() {
    let mut room = Room::live();
    room.keys("5 tab enter A");
    room.type_in("exported by sari, on the shared disk");
    let Some(Change::Item(edit)) = room.app.pending.as_ref().map(|p| &p.change) else { panic!() };
    assert!(!edit.ticked && edit.evidence.as_deref().is_some_and(|l| l.starts_with("answer (warroom 2025-01-12 ")));
    room.write();
    assert!(room.app.note_text.contains("WIB, lukman): exported by sari, on the shared disk"));
    assert!(room.said().starts_with("answer written into the note"), "{}", room.said());
}

#[test]
fn a_checkbox_is_bound_to_a_rule_a_series_or_a_person_and_back() {
    let mut room = Room::live();
    room.keys("5 enter");
    let first = room.app.checks()[0].clone();
    assert_eq!(first.id, "H1a");
    let item = first.item.clone().unwrap();
    let answering = |room: &Room| {
        let all = room.app.derived.findings.hypotheses.iter().flat_map(|f| &f.checks);
        let all = all.chain(&room.app.derived.findings.others);
        let found: Vec<String> = all.filter(|c| c.item.as_ref() == Some(&item)).map(|c| c.id.clone()).collect();
        assert_eq!(found.len(), 1, "a checkbox has one answer: {found:?}");
        found[0].clone()
    };
    let bind = |room: &mut Room, words: &str| {
        room.keys("B");
        assert!(room.app.prompt.is_some());
        room.type_in(words);
        room.recorded();
    };
    bind(&mut room, "D5 CPU");
    assert_eq!(answering(&room), "D5");
    bind(&mut room, "mrg.lock_waits as it is measured");
    let id = answering(&room);
    assert!(id.starts_with('s'), "{id}");
    bind(&mut room, "no rule answers it");
    assert!(answering(&room).starts_with('p'));
    bind(&mut room, "as the words say");
    assert_eq!(answering(&room), "H1a");
    let bound: Vec<Bound> = room.app.store.bindings(room.now).into_values().cloned().collect();
    assert!(bound.is_empty(), "taken back: {bound:?}");
}

#[test]
fn what_a_file_of_rules_needs_to_keep_a_binding_is_copied() {
    let mut room = Room::live();
    room.keys("5 enter B");
    room.type_in("D5 CPU");
    let copied = room.effects.iter().find_map(|e| if let Effect::Copy(text) = e { Some(text.clone()) } else { None });
    let text = copied.unwrap();
    assert!(text.starts_with("[[rule]]\nid = \"D5\"\nfinds = \""), "{text}");
    let file = |text| crate::model::incident::RuleFile { name: "kept".to_owned(), text };
    assert_eq!(crate::analysis::check::rulebook::Rulebook::of(&[file(text)]).1, []);
    // A series, too: as it stands it gives no verdict, and somebody may give it a level.
    let mut room = Room::live();
    room.keys("5 enter B");
    room.type_in("mrg.lock_waits as it is measured");
    let copied = room.effects.iter().find_map(|e| if let Effect::Copy(text) = e { Some(text.clone()) } else { None });
    let files = [file(copied.unwrap())];
    let (book, faults) = crate::analysis::check::rulebook::Rulebook::of(&files);
    assert_eq!(faults, []);
    assert!(book.listed().any(|r| r.measure == "series" && r.says == "measured, without a verdict"));
}

#[test]
fn in_a_demo_at_its_end_a_tick_is_seen_and_stands_at_the_evenings_time() {
    let mut room = Room::live();
    room.app.mode = Mode::Demo;
    room.app.played = Some(room.now);
    let end = room.now;
    // Our own clock is somewhere else.
    room.now = room.now + Lapse::hours(24 * 300);
    room.send(Message::Tick);
    room.keys("5 tab enter x y");
    let saving = room.app.saving.clone().unwrap();
    let text = crate::note::edit::change(&room.app.note_text, &saving.change).unwrap();
    room.send(Message::NoteSaved(Ok(NoteWritten { change: saving.change, text })));
    let facts: Vec<Fact> = room
        .effects
        .drain(..)
        .filter_map(|e| match e {
            Effect::Record(People::Note(n)) => Some(Fact::Note(n)),
            Effect::Record(People::Tick(t)) => Some(Fact::Tick(t)),
            _ => None,
        })
        .collect();
    assert_eq!(facts.len(), 2);
    let batch = Batch { source: "people".into(), seq: 1_000_000, seen: end, facts };
    room.send(Message::Batch(Arc::new(batch)));
    room.send(Message::Tick);
    assert!(room.app.section_items().next().unwrap().ticked);
    assert!(room.app.store.ticks(end).any(|t| t.at == end), "and the tick is of that evening");
}

#[test]
fn from_a_check_to_the_orders_that_carry_its_evidence_and_to_one_of_them() {
    let mut room = Room::live();
    room.keys("5 enter");
    let row = room.app.checks().iter().position(|c| c.id == "H1x").unwrap();
    let check = room.app.checks()[row].clone();
    assert!(check.of_orders && check.measured.contains(" of "), "{check:?}");
    for _ in 0..row {
        room.keys("down");
    }
    assert!(room.footer().contains("its orders"), "{}", room.footer());
    room.keys("o");
    let Place::OrderList { check: Some(id), .. } = room.app.place() else { panic!("{:?}", room.app.place()) };
    assert_eq!(id, "H1x");
    let counted: usize = check.measured.split(' ').next().unwrap().replace(',', "").parse().unwrap();
    assert_eq!(room.app.derived.orders.len(), counted, "{}", check.measured);
    // Each of them has such a line of its own.
    let first = room.app.derived.orders[0].id.clone();
    let says = |l: &crate::model::log::LogLine| {
        l.order.as_deref() == Some(&*first) && l.message.raw().contains("no connection within")
    };
    let scope = room.app.scope();
    assert!(room.app.store.logs.within(scope).iter().any(|k| says(&k.line)));
    room.keys("enter");
    assert_eq!(room.app.place(), &Place::Trail(first));
    room.keys("esc esc");
    assert!(matches!(room.app.place(), Place::Checks(1)));
    // A check that looks at no orders says so and stays.
    room.keys("g o");
    assert!(
        matches!(room.app.place(), Place::Checks(1)) && room.said().contains("H1a names no orders"),
        "{}",
        room.said()
    );
}

#[test]
fn a_pattern_and_a_services_errors_are_lanes_on_the_timeline_until_they_are_taken_off() {
    let mut room = Room::live();
    let before = room.app.store.incident.lanes.len();
    room.keys("3");
    let pattern = room.app.derived.patterns[room.app.focus()].clone();
    room.keys("T");
    room.recorded();
    let lanes = &room.app.store.incident.lanes;
    assert_eq!(lanes.len(), before + 1);
    let lane = lanes.last().unwrap().clone();
    assert!(
        pattern.template.raw().starts_with(lane.name.split(' ').next().unwrap()),
        "{} {lane:?}",
        pattern.template.raw()
    );
    // Its columns hold the lines of the pattern, each once.
    let axis = room.app.axis();
    let minutes = axis.step.as_secs_f64() / 60.0;
    let id = room.app.store.logs.called(pattern.template.raw()).unwrap();
    let over = axis.column(room.app.at()).unwrap();
    let drawn: f64 = room.app.derived.lanes[before]
        .cells
        .iter()
        .take(over)
        .filter_map(crate::analysis::lane::Cell::value)
        .sum::<f64>()
        * minutes;
    let span = Span::new(axis.from, axis.start(over));
    let there = room.app.store.logs.within(span).iter().filter(|k| room.app.store.logs.template_of(k) == id).count();
    assert!(there > 100 && (drawn - there as f64).abs() < 0.5, "{drawn} {there}");
    // The errors of one service are a part of all errors.
    room.keys("tab T");
    room.recorded();
    let lanes = &room.app.store.incident.lanes;
    assert_eq!(lanes.len(), before + 2);
    assert!(lanes.last().unwrap().name.ends_with(" ERROR"), "{:?}", lanes.last());
    let all = lanes.iter().position(|l| &*l.series == "logs.ERROR").unwrap();
    let sum =
        |i: usize| room.app.derived.lanes[i].cells.iter().filter_map(crate::analysis::lane::Cell::value).sum::<f64>();
    assert!(sum(before + 1) > 0.0 && sum(before + 1) <= sum(all) + 1e-6, "{} {}", sum(before + 1), sum(all));
    room.keys("T");
    assert!(room.said().ends_with("ERROR is off the timeline"), "{}", room.said());
    room.recorded();
    room.keys("tab tab T");
    room.recorded();
    assert_eq!(room.app.store.incident.lanes.len(), before);
}
