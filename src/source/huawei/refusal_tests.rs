//! What the services say when they refuse, in all their shapes.

use super::*;
use crate::source::huawei::stand_in::{NOON, answer};
use proptest::prelude::*;

fn said_of(status: u16, body: &str) -> (Said, Kind) {
    let answer = answer(status, &[], body);
    let said = said(&answer);
    let kind = kind(&answer, &said, None, NOON);
    (said, kind)
}

#[test]
fn each_shape_gives_its_code_its_words_and_its_id() {
    let cases = [
        (
            401,
            r#"{"error_msg":"Incorrect IAM authentication information: verify aksk signature fail","error_code":"APIGW.0301","request_id":"f00d"}"#,
            ("APIGW.0301", "Incorrect IAM authentication information: verify aksk signature fail", "f00d"),
            Kind::BadSignature,
        ),
        (400, r#"{"error_code":"LTS.0009","error_msg":"bad body"}"#, ("LTS.0009", "bad body", ""), Kind::BadRequest),
        (
            403,
            r#"{"http_code":"403","message":{"details":"no right","code":"403"}}"#,
            ("403", "no right", ""),
            Kind::Forbidden,
        ),
        (
            400,
            r#"{"http_code":400,"message":{"details":"wrong body","code":"ces.0014"}}"#,
            ("ces.0014", "wrong body", ""),
            Kind::BadRequest,
        ),
        (
            422,
            r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
            ("bad_data", "parse error", ""),
            Kind::BadRequest,
        ),
        (400, r#"{"message":{"deep":{"error_msg":"bad SQL"}}}"#, ("", "bad SQL", ""), Kind::BadRequest),
        (
            401,
            r#"{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}}"#,
            ("401", "The username or password is wrong.", ""),
            Kind::Unauthorized,
        ),
        (500, r#"{"errorCode":"ces.0007","errorMsg":"inner"}"#, ("ces.0007", "inner", ""), Kind::Server),
        (404, r#"{"code":"X.1","message":"none"}"#, ("X.1", "none", ""), Kind::NotFound),
    ];
    for (status, body, (code, message, id), kind) in cases {
        let (said, found) = said_of(status, body);
        assert_eq!(
            (said.code.as_str(), said.message.as_str(), said.request_id.as_str()),
            (code, message, id),
            "{body}"
        );
        assert_eq!(found, kind, "{body}");
    }
}

#[test]
fn the_gateways_reasons_for_one_status_are_told_apart() {
    let cases = [
        ("verify aksk signature fail", "APIGW.0301", Kind::BadSignature),
        ("Get secretKey failed,ak:‹cut›,err:ak not exist", "APIG.0301", Kind::UnknownKey),
        ("AK access failed to reach the limit,forbidden.", "APIGW.0301", Kind::Locked),
        ("calc ak sk signature fail:signature expired", "APIGW.0301", Kind::Skewed(None)),
        ("token expires, expires_at: 2025-01-12T00:00:00Z", "APIGW.0301", Kind::TokenExpired),
        ("renew it", "APIGW.0307", Kind::TokenExpired),
        ("decrypt token fail", "APIGW.0301", Kind::Unauthorized),
        ("x-auth-token not found", "APIGW.0301", Kind::Unauthorized),
        ("", "", Kind::Unauthorized),
    ];
    for (message, code, kind) in cases {
        let body = serde_json::json!({"error_msg": message, "error_code": code}).to_string();
        assert_eq!(said_of(401, &body).1, kind, "{message}");
    }
    assert_eq!(said_of(403, r#"{"error_code":"APIGW.0307","error_msg":"x"}"#).1, Kind::TokenExpired);
}

#[test]
fn being_turned_away_is_known_by_status_and_by_code() {
    let policy = "The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute";
    for (status, code) in [(429, "APIGW.0308"), (429, ""), (403, "APIG.0308"), (400, "ces.0429")] {
        let body = serde_json::json!({"error_msg": policy, "error_code": code}).to_string();
        assert_eq!(said_of(status, &body).1, Kind::Throttled { after: None }, "{status} {code}");
    }
    assert_eq!(said_of(429, "<html><title>Too Many Requests</title>").1, Kind::Throttled { after: None });
}

#[test]
fn retry_after_is_seconds_or_an_instant() {
    let after = |text: &str| retry_after(&answer(429, &[("Retry-After", text)], ""), NOON);
    assert_eq!(after("7"), Some(Lapse::seconds(7)));
    assert_eq!(after("Sun, 12 Jan 2025 12:16:30 GMT"), Some(Lapse::seconds(90)));
    assert_eq!(after("Sun, 12 Jan 2025 12:00:00 GMT"), Some(Lapse::ZERO), "the past is now");
    assert_eq!(after("4294967295"), Some(Lapse::hours(1)), "nobody waits for years");
    assert_eq!(after("Fri, 31 Dec 9999 23:59:59 GMT"), Some(Lapse::hours(1)));
    for wrong in ["", "-3", "soon", "7.5", "99999999999999999999"] {
        assert_eq!(after(wrong), None, "{wrong}");
    }
}

#[test]
fn the_difference_of_the_clocks_comes_from_the_date() {
    let at = |seconds| NOON + Lapse::seconds(seconds);
    let skew = |date: &str, sent, now| skew(&answer(200, &[("Date", date)], ""), sent, now);
    assert_eq!(skew("Sun, 12 Jan 2025 12:15:00 GMT", at(0), at(1)), Some(Lapse::ZERO));
    let ahead = skew("Sun, 12 Jan 2025 12:35:00 GMT", at(0), at(2)).unwrap();
    assert_eq!(ahead.whole_seconds(), 20 * 60 - 1, "half of the time on the way is not the clock's");
    assert_eq!(skew("yesterday", at(0), at(0)), None);
}

#[test]
fn a_page_is_a_page_whatever_its_status() {
    let page = "<!DOCTYPE html><html><head><TITLE>\n  502 Bad\tGateway </TITLE></head>";
    let (said, kind) = said_of(502, page);
    assert_eq!((said.message.as_str(), kind), ("502 Bad Gateway", Kind::NotJson(Foreign::Html)));
    assert_eq!(said_of(403, "<h1>Blocked by the proxy</h1>").0.message, "Blocked by the proxy");
    assert_eq!(said_of(407, "<h1>x</h1>").1, Kind::Proxy);
    assert_eq!(said_of(302, "").1, Kind::Proxy);
    assert_eq!(said_of(401, "<html>").1, Kind::Unauthorized, "it may be the service: nobody asks again");
}

#[test]
fn halves_and_wrong_types_are_told_as_they_came() {
    for body in
        [r#"{"error_msg":"half"#, r#"{"error_code":{},"error_msg":[1]}"#, "[]", "null", "7", "\"text\"", "", "{}"]
    {
        let (said, kind) = said_of(500, body);
        assert_eq!(kind, Kind::Server, "{body}");
        assert!(said.code.is_empty(), "{body}");
    }
    let deep = format!("{}{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    assert_eq!(said_of(400, &deep).1, Kind::BadRequest);
    let id = |text: &str| said(&answer(500, &[("X-Request-Id", text)], "")).request_id;
    assert_eq!(id("ab-12"), "ab-12");
    assert_eq!(id("a;b c\tgr\u{fc}n"), "", "a header that is no text is as good as none");
    assert_eq!(id("a;b c"), "abc");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_makes_it_panic(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..200), typed in any::<bool>()) {
        let mut answer = answer(status, if typed { &[("content-type", "text/html")] } else { &[] }, "");
        answer.body = body.into();
        let said = said(&answer);
        let _ = kind(&answer, &said, None, NOON);
    }
}
