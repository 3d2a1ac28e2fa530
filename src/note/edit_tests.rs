//! A tick is one byte; evidence is one line; nothing else of the note moves.

use super::*;
use crate::note::parse::parse;
use proptest::prelude::*;

fn id(text: &str, words: &str) -> ItemId {
    parse("n", text).items.into_iter().find(|i| i.text.raw() == words).map(|i| i.id).unwrap()
}

fn tick(text: &str, words: &str, evidence: Option<&str>) -> Result<String, Refusal> {
    apply(text, &Edit { item: id(text, words), ticked: true, evidence: evidence.map(str::to_owned) })
}

#[test]
fn a_tick_changes_one_byte_and_back() {
    let text = "# T\r\n- [ ] one\r\n- [x] two";
    let ticked = tick(text, "one", None).unwrap();
    assert_eq!(ticked, "# T\r\n- [x] one\r\n- [x] two");
    let back = Edit { item: id(text, "one"), ticked: false, evidence: None };
    assert_eq!(apply(&ticked, &back).unwrap(), text);
    assert_eq!(apply(text, &back), Err(Refusal::Already));
    assert_eq!(apply("# T\n", &back), Err(Refusal::Gone));
}

#[test]
fn evidence_goes_below_the_items_own_words_in_the_files_own_manner() {
    let cases = [
        ("- [ ] a\n- [ ] b\n", "- [x] a\n  - EV\n- [ ] b\n"),
        ("- [ ] a\r\n- [ ] b\r\n", "- [x] a\r\n  - EV\r\n- [ ] b\r\n"),
        ("- [ ] a", "- [x] a\n  - EV"),
        ("- [ ] a  \n  goes on\n- [ ] b\n", "- [x] a  \n  goes on\n  - EV\n- [ ] b\n"),
        ("- [ ] a\n\t- child\n", "- [x] a\n\t- EV\n\t- child\n"),
        ("- [ ] a\n    - [ ] child\n", "- [x] a\n    - EV\n    - [ ] child\n"),
        ("- [ ] a\n\n  more of it\n\n- [ ] b\n", "- [x] a\n  - EV\n\n  more of it\n\n- [ ] b\n"),
        ("12. [ ] a\n13. [ ] b\n", "12. [x] a\n    - EV\n13. [ ] b\n"),
        ("> - [ ] a\n> - [ ] b\n", "> - [x] a\n>   - EV\n> - [ ] b\n"),
        ("- x\n  * [ ] a\n", "- x\n  * [x] a\n    - EV\n"),
    ];
    for (before, after) in cases {
        let words = if before.contains("goes on") { "a goes on" } else { "a" };
        assert_eq!(tick(before, words, Some("EV")).as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn the_same_evidence_is_written_once_and_stays_when_unticked() {
    let text = "- [ ] a\n- [ ] b\n";
    let first = "evidence (warroom 2025-01-12 20:52 WIB): full; ev-51b09f";
    let later = "evidence (warroom 2025-01-12 20:59 WIB): full; ev-51b09f";
    let ticked = tick(text, "a", Some(first)).unwrap();
    assert_eq!(tick(&ticked, "a", Some(first)), Err(Refusal::Already));
    let unticked = apply(&ticked, &Edit { item: id(text, "a"), ticked: false, evidence: None }).unwrap();
    assert_eq!(unticked, format!("- [ ] a\n  - {first}\n- [ ] b\n"));
    assert_eq!(tick(&unticked, "a", Some(later)).unwrap(), ticked);
    let other = tick(&ticked, "a", Some("evidence (warroom 2025-01-12 21:10 WIB): empty; ev-000001")).unwrap();
    assert_eq!(other.lines().count(), 4, "new evidence is added to an item that is ticked already");
}

#[test]
fn evidence_cannot_break_out_of_its_line() {
    let ticked = tick("- [ ] a\n- [ ] b\n", "a", Some("- x\n- [ ] c\r\u{1b}[2J")).unwrap();
    assert_eq!(ticked, "- [x] a\n  - x - [ ] c [2J\n- [ ] b\n");
    assert_eq!(tick("- [ ] a\n", "a", Some("[ ] I am a checkbox")), Err(Refusal::Misfit));
}

#[test]
fn a_change_in_another_editor_is_kept() {
    let seen = "# T\n- [ ] one\n- [ ] two\n";
    let now = "# T\nnew words\n- [x] one\n- [ ] between\n- [ ] two, no: reworded\n- [ ] two\n";
    let edit = Edit { item: id(seen, "two"), ticked: true, evidence: None };
    assert_eq!(apply(now, &edit).unwrap(), now.replace("- [ ] two\n", "- [x] two\n"));
}

#[test]
fn a_difference_shows_the_line_and_one_around_it() {
    let before = "a\n- [ ] b\nc\nd\ne\n";
    let after = "a\n- [x] b\n  - EV\nc\nd\ne\n";
    let lines: Vec<(Option<usize>, char, String)> =
        diff(before, after).into_iter().map(|l| (l.line, l.sign, l.text.raw().to_owned())).collect();
    assert_eq!(
        lines,
        [
            (Some(1), ' ', "a".to_owned()),
            (None, '-', "- [ ] b".to_owned()),
            (Some(2), '+', "- [x] b".to_owned()),
            (Some(3), '+', "  - EV".to_owned()),
            (Some(4), ' ', "c".to_owned()),
        ]
    );
    assert_eq!(diff(before, before), []);
}

/// Lines of notes as people write them, joined at random.
fn notes() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => "(- |\\* |\\+ |1\\. |  - |\t- |    - |> - )\\[[ x]\\] [a-c]{1,2}( [?é日]| `c`|)",
        1 => "#{1,3} [A-C1](\\. x \\(HIGH\\))?",
        1 => "(- |  |\t|> |)[a-c?]{0,3}",
        1 => Just(String::new()),
        1 => Just("```".to_owned()),
        1 => Just("---".to_owned()),
        1 => Just("<!-- -->".to_owned()),
    ];
    (proptest::collection::vec(line, 0..24), prop_oneof![Just("\n"), Just("\r\n")], any::<bool>())
        .prop_map(|(lines, end, last)| lines.join(end) + if last { end } else { "" })
}

proptest! {
    #[test]
    fn any_tick_is_one_byte_and_twice_is_nothing(text in notes()) {
        for item in parse("n", &text).items {
            let edit = Edit { item: item.id.clone(), ticked: !item.ticked, evidence: None };
            let once = apply(&text, &edit).unwrap();
            prop_assert_eq!(once.len(), text.len());
            let differ: Vec<usize> = (0..text.len()).filter(|i| once.as_bytes()[*i] != text.as_bytes()[*i]).collect();
            prop_assert_eq!(differ, vec![item.mark]);
            let back = Edit { item: item.id, ticked: item.ticked, evidence: None };
            prop_assert_eq!(apply(&once, &back).unwrap(), text.clone());
        }
    }

    #[test]
    fn evidence_adds_one_line_and_moves_no_other(text in notes()) {
        for item in parse("n", &text).items {
            let edit = Edit { item: item.id, ticked: !item.ticked, evidence: Some("EV".to_owned()) };
            let Ok(after) = apply(&text, &edit) else { continue };
            let mut lines: Vec<&str> = after.lines().collect();
            let at = lines.iter().position(|l| l.ends_with("- EV")).unwrap();
            lines.remove(at);
            let plain = apply(&text, &Edit { evidence: None, ..edit.clone() }).unwrap();
            prop_assert_eq!(lines, plain.lines().collect::<Vec<_>>());
            prop_assert_eq!(apply(&after, &edit), Err(Refusal::Already));
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
        for item in parse("n", &text).items {
            prop_assert!(matches!(text.as_bytes()[item.mark], b' ' | b'\t' | b'x' | b'X' | 0x0b | 0x0c));
        }
    }
}

fn answered(text: &str, question: &str, words: &str) -> Result<String, Refusal> {
    let asked = crate::note::parse::parse("n", text).questions;
    let question =
        asked.into_iter().find(|q| q.text.raw() == question).map_or_else(|| ItemId("none".to_owned()), |q| q.id);
    answer(text, &Answer { question, given: "2025-01-12 20:31 WIB, sari".to_owned(), text: words.to_owned() })
}

#[test]
fn an_answer_stands_below_its_question_and_every_other_byte_as_before() {
    for (text, question, after) in [
        (
            "**Ops**:\n1. Was there a deployment?\n2. Did an alert fire?\n",
            "Was there a deployment?",
            "**Ops**:\n1. Was there a deployment?\n   - answer (warroom 2025-01-12 20:31 WIB, sari): no\n2. Did an alert fire?\n",
        ),
        ("- A?\r\n- B?\r\n", "B?", "- A?\r\n- B?\r\n  - answer (warroom 2025-01-12 20:31 WIB, sari): no"),
        (
            "Who knows?\n\nText.\n",
            "Who knows?",
            "Who knows?\n- answer (warroom 2025-01-12 20:31 WIB, sari): no\n\nText.\n",
        ),
        (
            "- Who knows? And when?\n",
            "And when?",
            "- Who knows? And when?\n  - answer (warroom 2025-01-12 20:31 WIB, sari): “And when?” no\n",
        ),
        (
            "- **Who** knows?\n  - a child\n",
            "Who knows?",
            "- **Who** knows?\n  - answer (warroom 2025-01-12 20:31 WIB, sari): no\n  - a child\n",
        ),
        ("10. Who?", "Who?", "10. Who?\n    - answer (warroom 2025-01-12 20:31 WIB, sari): no"),
    ] {
        let got = answered(text, question, "no").unwrap();
        assert_eq!(got.trim_end(), after.trim_end(), "{text}");
        let note = crate::note::parse::parse("n", &got);
        let q = note.questions.iter().find(|q| q.text.raw() == question).unwrap();
        assert_eq!(q.answers.iter().map(|a| a.text.raw()).collect::<Vec<_>>(), ["no"], "{got}");
        let others = note.questions.iter().filter(|o| o.text.raw() != question);
        assert!(others.into_iter().all(|o| o.answers.is_empty()), "{got}");
        // A second one stands there as well, and an answer that asks is no question.
        let twice = answered(&got, question, "or is it 19:02?").unwrap();
        let note = crate::note::parse::parse("n", &twice);
        let q = note.questions.iter().find(|q| q.text.raw() == question).unwrap();
        assert_eq!(q.answers.len(), 2, "{twice}");
        assert!(note.questions.iter().all(|q| !q.text.raw().contains("19:02")));
    }
}

#[test]
fn an_answer_to_a_question_that_is_gone_is_refused_and_hostile_words_stay_one_line() {
    assert_eq!(answered("- Who?\n", "What?", "no"), Err(Refusal::NoQuestion));
    assert_eq!(answered("- Who?\n", "Who?", " \n "), Err(Refusal::Empty));
    let got = answered("- Who?\n- [ ] box\n", "Who?", "- [x] x\n- [ ] y\n# heading\u{1b}[2J").unwrap();
    assert_eq!(got.lines().count(), 3);
    assert_eq!(crate::note::parse::parse("n", &got).items.len(), 1);
}
