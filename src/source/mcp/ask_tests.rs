//! Questions as arguments: every field, every format of time, templates, words one by one.

use super::*;
use crate::config::load::parse;
use std::path::Path;

pub(in crate::source::mcp) fn search(rest: &str) -> Search {
    let text = format!("[[mcp]]\nname = \"m\"\ncommand = [\"x\"]\n[mcp.search]\ntool = \"t\"\n{rest}");
    parse(Path::new("c.toml"), &text).0.unwrap().mcp.remove(0).search.unwrap()
}

fn span() -> Span {
    let at = |t: &str| Stamp::parse_rfc3339(t).unwrap();
    Span::new(at("2025-01-12T19:30:00+07:00"), at("2025-01-12T19:45:00.250+07:00"))
}

fn question() -> Question {
    Question {
        words: vec!["timeout".into(), "circuit".into()],
        service: Some("orch".into()),
        level: Some(Level::Warn),
        order: Some("ORD-1".into()),
        span: span(),
    }
}

const ALL: &str = "args = { query = \"q\", service = \"svc\", level = \"lvl\", from = \"f\", to = \"t\", limit = \"n\", order_id = \"o\", cursor = \"c\" }\n";

#[test]
fn every_field_has_its_argument_and_an_empty_cursor_is_given_back() {
    let s =
        search(&format!("{ALL}service_names = {{ orch = \"order-orchestrator\" }}\nfixed = {{ index = \"mrg-*\" }}"));
    let got = Value::Object(arguments(&s, &question(), Some(&Value::from(""))));
    assert_eq!(
        got,
        serde_json::json!({"index": "mrg-*", "q": "timeout|circuit", "svc": "order-orchestrator", "lvl": "WARN", "n": 500, "o": "ORD-1",
            "c": "", "f": "2025-01-12T12:30:00Z", "t": "2025-01-12T12:45:00Z"})
    );
    let all = arguments(&s, &Question::all(span()), None);
    assert_eq!(
        all.keys().map(String::as_str).collect::<Vec<_>>(),
        ["f", "index", "n", "t"],
        "what is not asked is not said"
    );
}

#[test]
fn instants_in_every_format() {
    for (format, expected) in [
        ("rfc3339_ms", Value::from("2025-01-12T12:45:00.250Z")),
        ("epoch_s", Value::from(1_736_685_900)),
        ("epoch_ms", Value::from(1_736_685_900_250_i64)),
        ("epoch_ns", Value::from(1_736_685_900_250_000_000_i64)),
        ("strftime:%d.%m.%Y %H:%M", Value::from("12.01.2025 19:45")),
    ] {
        let s = search(&format!("{ALL}time_format = \"{format}\"\ntime_zone = \"WIB\""));
        assert_eq!(arguments(&s, &question(), None)["t"], expected, "{format}");
    }
}

#[test]
fn a_template_keeps_the_braces_of_the_tools_language() {
    let s = search(
        "args = { query = \"logql\" }\ntemplate.query = '{app=~\"{service|.+}\"} |= `{query}` |= `{order_id}` {a=1}'",
    );
    assert_eq!(arguments(&s, &Question::all(span()), None)["logql"], "{app=~\".+\"} |= `` |= `` {a=1}");
    assert_eq!(arguments(&s, &question(), None)["logql"], "{app=~\"orch\"} |= `timeout|circuit` |= `ORD-1` {a=1}");
}

#[test]
fn a_tool_without_or_is_called_once_for_each_word() {
    let one = search(&format!("{ALL}any_of = \"none\""));
    let words: Vec<Vec<String>> = question().apart(&one).into_iter().map(|q| q.words).collect();
    assert_eq!(words, [vec!["timeout".to_owned()], vec!["circuit".to_owned()]]);
    assert_eq!(question().apart(&search(ALL)).len(), 1);
    let or = search(&format!("{ALL}any_of = \" OR \""));
    assert_eq!(arguments(&or, &question(), None)["q"], "timeout OR circuit");
}

#[test]
fn what_the_tool_cannot_be_told_is_sorted_out_here() {
    let line = |at: Stamp, message: &str, level: Level| LogLine {
        at,
        service: "orch".into(),
        level,
        order: Some("ORD-1".into()),
        trace: None,
        message: message.into(),
        stack: Vec::new(),
    };
    let s = search("args = { limit = \"n\" }");
    let (q, inside) = (question(), span().from);
    assert!(q.wants(&line(inside, "acquire Timeout", Level::Error), &s));
    assert!(!q.wants(&line(inside, "all is well", Level::Error), &s), "a word");
    assert!(!q.wants(&line(inside, "timeout", Level::Info), &s), "a level");
    assert!(!q.wants(&line(span().to, "timeout", Level::Error), &s), "the end does not belong to it");
    let told = search(ALL);
    assert!(q.wants(&line(inside, "what the tool found by itself", Level::Info), &told));
}
