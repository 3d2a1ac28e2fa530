//! What the miner must tell apart, what it must not, and its bounds.

use super::{Gathered, Kind, Miner, OTHER, ShapeId};

fn mined(lines: &[&str]) -> (Miner, Vec<ShapeId>, Gathered) {
    let mut miner = Miner::default();
    let ids = lines.iter().map(|l| miner.take(l.as_bytes())).collect();
    let gathered = miner.gather();
    (miner, ids, gathered)
}

/// The templates of `lines`, one for each line.
fn texts(lines: &[&str]) -> Vec<String> {
    let (_, ids, all) = mined(lines);
    ids.iter().map(|i| all.templates[all.of(*i).unwrap() as usize].text.clone()).collect()
}

#[test]
fn values_go_and_words_stay() {
    for (message, expected) in [
        ("saga SG-88120 gave up at RECORD after 3 attempts", "saga <id> gave up at RECORD after <n> attempts"),
        ("GET https://host/orders/1234?x=1 from 10.0.4.31:5432", "GET https:<path>?x=<n> from <ip>"),
        ("note \"kept\" and \"not kept\".", "note \"<text>\" and \"not kept\"."),
        ("request 6f1c0a2e-77aa-4f0b-9c11-0123456789ab done", "request <id> done"),
        ("link 00:1b:44:11:3a:b7 and fe:ed:be:ef:00:01 up", "link <id> and <id> up"),
        ("took 0.61s, read 18846 bytes (18.4 KB) in <1 sec", "took <duration>, read <size> in <duration>"),
        ("at Sun Jul 10 03:55:15 2005 () ok", "at <time> ok"),
        ("instruction......17", "instruction......<n>"),
        ("pid 7 (x) init() list [1, 2, 3]", "pid <n> (x) init() list [<id>]"),
        ("an unclosed \"quote 5", "an unclosed \"quote <n>"),
    ] {
        let got = texts(&[message]);
        assert_eq!(got[0], expected, "{message}");
    }
}

#[test]
fn few_words_at_a_place_are_sentences_and_many_are_a_value() {
    let few = texts(&["cups startup of the service succeeded", "cups shutdown of the service succeeded"]);
    assert_ne!(few[0], few[1]);
    let names = ["ana", "budi", "citra", "dewi", "eko"];
    let many: Vec<String> = names.iter().map(|n| format!("session opened for user {n} by the gate")).collect();
    let many = texts(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(many, vec!["session opened for user <text> by the gate"; 5]);
}

#[test]
fn a_short_sentence_with_very_many_words_at_one_place_is_one_template_and_single_words_are_none() {
    let word = |i: u8| format!("{}{}", char::from(b'g' + i), char::from(b'p' - i % 7));
    let lines: Vec<String> = (0..18).map(|i| format!("hello {}", word(i))).collect();
    assert!(texts(&lines.iter().map(String::as_str).collect::<Vec<_>>()).iter().all(|t| t == "hello <text>"));
    let alone: Vec<String> = (0..18).map(word).collect();
    let alone = texts(&alone.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(alone.iter().collect::<std::collections::HashSet<_>>().len(), 18);
}

#[test]
fn slots_know_their_type_and_their_most_frequent_values() {
    let mut lines: Vec<String> = (0..20).map(|i| format!("node mrg-{} waited {}ms", i % 2, 100 + i)).collect();
    lines.push("node mrg-0 waited 100ms".to_owned());
    let (_, ids, all) = mined(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let template = &all.templates[all.of(ids[0]).unwrap() as usize];
    assert_eq!((template.lines, template.slots.len()), (21, 2));
    let (node, wait) = (&template.slots[0], &template.slots[1]);
    assert_eq!((node.kind(), wait.kind()), (Kind::Id, Kind::Duration));
    assert_eq!(node.top(), [("mrg-0".into(), 11), ("mrg-1".into(), 10)]);
    assert!(!node.more() && wait.more() && wait.top().len() <= 6);
    assert_eq!((node.seen(), wait.seen()), (21, 21));
}

#[test]
fn text_without_templates_cannot_grow_for_ever_and_known_templates_are_still_found() {
    let letters = |i: u32| -> String { format!("{i:06}").bytes().map(|b| char::from(b - b'0' + b'g')).collect() };
    let mut miner = Miner::default();
    for name in ["ana", "budi", "citra", "dewi", "eko"] {
        miner.take(format!("session opened for user {name} by the gate").as_bytes());
    }
    for i in 0..super::MOST as u32 + 50 {
        miner.take(format!("{} {}", letters(i), letters(i + 7)).as_bytes());
    }
    assert_eq!(miner.shapes(), super::MOST);
    let late = miner.take(b"session opened for user late by the gate");
    let all = miner.gather();
    assert_eq!(all.templates[all.of(late).unwrap() as usize].text, "session opened for user <text> by the gate");
    assert_eq!(miner.take(b"zzz yyy"), OTHER);
}

#[test]
fn any_bytes_are_a_message() {
    let mut miner = Miner::default();
    for message in [
        &b""[..],
        b"\0\x1b[31m\xff\xfe",
        b"((((",
        b"\"\"",
        b"()",
        b"<",
        b"a:",
        b"1:",
        b"....",
        b"1 (",
        b"\n",
        b"1..2....",
    ] {
        miner.take(message);
        miner.take(&message.repeat(2_000));
    }
    assert_eq!(miner.gather().templates.iter().map(|t| t.lines).sum::<u64>(), 24);
}
