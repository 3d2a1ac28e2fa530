//! What a `[[log_server]]` may say, and what is said about one that says something else.

use super::*;
use crate::config::load::parse;
use std::path::Path;

fn read(text: &str) -> Result<LogServerConfig, String> {
    let huawei = if text.contains("lts") { "[huawei]\nregion = 'ap-southeast-4'\n" } else { "" };
    let whole = format!("{huawei}[[log_server]]\nname = 'l'\n{text}");
    let problems = |p: Vec<crate::config::Problem>| p.iter().map(|p| format!("{p}\n")).collect::<String>();
    Ok(parse(Path::new("c.toml"), &whole).0.map_err(problems)?.log_servers.remove(0))
}

#[test]
fn each_kind_has_manners_of_its_own() {
    let lts = read("kind = 'lts'\ngroup = '0033-5baf'\nstream = '715c-3b'").unwrap();
    assert_eq!((lts.per_minute, lts.interval, lts.page), (8, Lapse::seconds(30), 1000));
    let loki = read("kind = 'loki'\nurl = 'http://loki:3100/loki/api/v1/'\nquery = '{app=\"mrg\"}'\ncounts = { timeout = '|= \"timeout\"' }").unwrap();
    let Kind::Loki { url, .. } = &loki.kind else { panic!("{loki:?}") };
    assert_eq!((url.as_str(), loki.per_minute), ("http://loki:3100", 60));
    let names: Vec<_> = loki.counters.iter().map(|c| (c.name.as_str(), c.filter.is_some())).collect();
    assert_eq!(names, [("all", false), ("timeout", true)]);
}

#[test]
fn what_cannot_be_asked_is_told_with_its_key() {
    for (text, told) in [
        ("kind = 'splunk'", "is not one of lts, loki, elastic, http"),
        ("kind = 'lts'\nstream = 'a'", "log_server.group: is missing"),
        ("kind = 'lts'\ngroup = '../x'\nstream = 'a'", "is no id"),
        ("kind = 'loki'\nurl = 'loki:3100'\nquery = '{a=\"b\"}'", "http://"),
        ("kind = 'loki'\nurl = 'http://loki'\nquery = 'timeout'", "begins with a selector"),
        ("kind = 'elastic'\nurl = 'http://e'\nindex = 'a/b'", "no index has"),
        ("kind = 'http'\nurl = 'http://h/logs'\npages = 'cursor'", "needs cursor in args"),
        ("kind = 'http'\nurl = 'http://h/logs'\ncounts = { lines = 'x' }", "is no name of a count"),
        ("kind = 'loki'\nurl = 'http://l'\nquery = '{a=\"b\"}'\ngroup = 'x'", "log_server.group: is not a key"),
    ] {
        let says = read(text).unwrap_err();
        assert!(says.contains(told), "{text}\n{says}");
    }
    let alone = parse(Path::new("c.toml"), "[[log_server]]\nname = 'l'\nkind = 'lts'\ngroup = 'a'\nstream = 'b'\n");
    assert!(alone.0.unwrap_err()[0].to_string().contains("asks LTS without [huawei]"));
}

#[test]
fn a_filter_narrows_what_is_asked_in_the_words_of_each_kind() {
    let query = |text: &str| match read(text).unwrap().narrowed("timeout").kind {
        Kind::Lts { query, .. } | Kind::Loki { query, .. } | Kind::Elastic { query, .. } => query,
        Kind::Http { .. } => String::new(),
    };
    assert_eq!(query("kind = 'lts'\ngroup = 'a'\nstream = 'b'"), "timeout");
    assert_eq!(query("kind = 'lts'\ngroup = 'a'\nstream = 'b'\nquery = 'x or y'"), "(x or y) and (timeout)");
    assert_eq!(query("kind = 'elastic'\nurl = 'http://e'\nindex = 'i'\nquery = 'a:b'"), "(a:b) AND (timeout)");
    assert_eq!(query("kind = 'loki'\nurl = 'http://l'\nquery = '{a=\"b\"}'"), "{a=\"b\"} timeout");
    let http = read("kind = 'http'\nurl = 'http://h/logs'").unwrap();
    assert_eq!(http.narrowed("timeout").mapping.words, ["timeout"]);
}
