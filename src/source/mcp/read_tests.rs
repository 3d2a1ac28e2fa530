//! The same event in every shape an answer comes in, and answers that are none.

use super::*;
use crate::source::mcp::ask::tests::search;
use serde_json::json;

const NEAR: Stamp = Stamp(1_736_690_000_000_000);

fn reader(mapping: &str) -> Reader {
    Reader::new(&search(&format!("[mcp.search.result]\n{mapping}")), "logtool").unwrap()
}

fn texts(text: &str) -> CallToolResult {
    serde_json::from_value(json!({"content": [{"type": "text", "text": text}]})).unwrap()
}

fn structured(document: &Value) -> CallToolResult {
    serde_json::from_value(
        json!({"content": [{"type": "text", "text": "see structuredContent"}], "structuredContent": document}),
    )
    .unwrap()
}

fn at(text: &str) -> Stamp {
    Stamp::parse_rfc3339(text).unwrap()
}

/// What the same event says in every shape.
fn the_line(page: &Page) {
    let line = &page.lines[0].1;
    assert_eq!(line.at, at("2025-01-12T19:32:04.694+07:00"));
    assert_eq!((&*line.service, line.level, line.order.as_deref()), ("mrg", Level::Warn, Some("ORD-20250112-0000086")));
    assert_eq!(line.message.raw(), "acquire timeout after 5000ms for ORD-20250112-0000086");
}

#[test]
fn a_structured_object_with_a_cursor_that_may_be_empty() {
    let page = reader("").read(
        &structured(&json!({"lines": [{"ts": "2025-01-12T12:32:04.694Z", "service": "mrg", "level": "WARN",
            "msg": "acquire timeout after 5000ms for ORD-20250112-0000086", "order_id": "ORD-20250112-0000086"}],
            "total": 480, "next_cursor": "", "truncated": true})),
        NEAR,
    );
    let page = page.unwrap();
    the_line(&page);
    assert_eq!((page.total, page.next, page.truncated), (Some(480), Some(Value::from("")), true));
}

#[test]
fn plain_lines_with_a_stack_below_and_a_heading_above() {
    let text = "Found 2 results:\n2025-01-12T12:32:04.694Z WARN mrg acquire timeout after 5000ms for ORD-20250112-0000086\n\tat pool.Acquire(pool.go:88)\n2025-01-12T12:32:05Z INFO upg ok\n";
    let page = reader(r"line_regex = '^(?P<ts>\S+)\s+(?P<level>[A-Z]+)\s+(?P<service>\S+)\s+(?P<message>.*)$'")
        .read(&texts(text), NEAR)
        .unwrap();
    the_line(&page);
    assert_eq!((page.lines.len(), page.lines[0].1.stack.len(), page.undated), (2, 1, 1));
    let usual = reader("").read(&texts(text), NEAR).unwrap();
    assert_eq!((usual.lines.len(), usual.lines[0].1.level, &*usual.lines[0].1.service), (2, Level::Warn, "logtool"));
}

#[test]
fn json_lines_in_one_block() {
    let text = "{\"ts\":\"2025-01-12T12:32:04.694Z\",\"service\":\"mrg\",\"level\":\"warning\",\"message\":\"acquire timeout after 5000ms for ORD-20250112-0000086\"}\n{\"ts\":1736685125,\"message\":\"b\",\"stack\":\"x\\ny\"}";
    let page = reader("").read(&texts(text), NEAR).unwrap();
    the_line(&page);
    assert_eq!((page.lines.len(), page.lines[1].1.stack.len()), (2, 2));
    let one = reader("").read(&texts(text.lines().next().unwrap()), NEAR).unwrap();
    the_line(&one);
}

#[test]
fn the_nest_of_elasticsearch() {
    let document = json!({"took": 3, "hits": {"total": {"value": 2, "relation": "eq"}, "hits": [
        {"_id": "a", "_source": {"@timestamp": 1_736_685_124_694_i64, "service": "mrg", "level": "WARN", "message": "acquire timeout after 5000ms for ORD-20250112-0000086"}, "sort": [1]},
        {"_id": "b", "_source": {"service": "mrg", "message": "when?"}, "sort": [2]}]}});
    let page =
        reader("rows = \"hits.hits\"\ntotal = \"hits.total\"").read(&texts(&document.to_string()), NEAR).unwrap();
    the_line(&page);
    assert_eq!((page.rows, page.lines.len(), page.undated, page.total), (2, 1, 1, Some(2)));
}

#[test]
fn nanoseconds_in_a_string_with_a_line_that_is_json_again() {
    let line =
        json!({"id": 86, "level": "WARN", "msg": "acquire timeout after 5000ms for ORD-20250112-0000086"}).to_string();
    let text = json!({"data": [{"timestamp": "1736685124694000128", "line": line, "labels": {"app": "mrg", "level": "INFO"}}]}).to_string();
    let page = reader("rows = \"data\"\nparse_message = \"json\"").read(&texts(&text), NEAR).unwrap();
    the_line(&page);
}

#[test]
fn logfmt_inside_a_row_wins_over_the_row() {
    let text = json!([{"ts": "2025-01-12T12:00:00Z", "line": "ts=2025-01-12T12:32:04.694Z level=warn service=mrg msg=\"acquire timeout after 5000ms for ORD-20250112-0000086\""}]).to_string();
    the_line(&reader("parse_message = \"logfmt\"").read(&texts(&text), NEAR).unwrap());
}

#[test]
fn an_answer_without_rows_says_what_it_has() {
    let says = reader("rows = \"lines\"").read(&structured(&json!({"entries": [], "took": 1})), NEAR).unwrap_err();
    assert!(says.words().1.contains("entries, took"), "{says:?}");
    let says = reader("text_as = \"json\"").read(&texts("oops"), NEAR).unwrap_err();
    assert!(says.words().1.contains("no JSON"), "{says:?}");
    assert_eq!(reader("").read(&texts(""), NEAR).unwrap().rows, 0, "nothing found is no fault");
}

#[test]
fn controls_and_secrets_do_not_come_through() {
    let page =
        reader("").read(&texts("2025-01-12T12:32:04Z ERROR \u{1b}[2Jlogin password=hunter2 failed"), NEAR).unwrap();
    let said = &page.lines[0].1.message;
    assert!(!said.raw().contains("hunter2"));
    assert!(!format!("{said:?}").contains("login"), "it stays untrusted until the screen shows it");
}

#[test]
fn lines_are_told_apart_by_id_else_by_time_service_and_message() {
    let row = |id: u64| json!({"id": id, "ts": 1_736_685_124, "msg": "x"});
    let page = reader("").read(&structured(&json!({"lines": [row(1), row(1), row(2)]})), NEAR).unwrap();
    let keys: Vec<u64> = page.lines.iter().map(|(k, _)| *k).collect();
    assert!(keys[0] == keys[1] && keys[1] != keys[2]);
    let bare = json!({"ts": 1_736_685_124, "msg": "x"});
    let page = reader("").read(&structured(&json!({"lines": [bare, bare]})), NEAR).unwrap();
    assert_eq!(page.lines[0].0, page.lines[1].0);
}
