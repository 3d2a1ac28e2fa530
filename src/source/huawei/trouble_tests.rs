//! Every kind of trouble says what happened and what to do, in words that fit.

use super::*;

const ALL: [Kind; 27] = [
    Kind::Throttled { after: None },
    Kind::Throttled { after: Some(Lapse::seconds(90)) },
    Kind::BadSignature,
    Kind::UnknownKey,
    Kind::Locked,
    Kind::TokenExpired,
    Kind::Skewed(None),
    Kind::Skewed(Some(Lapse::minutes(-20))),
    Kind::Unauthorized,
    Kind::Forbidden,
    Kind::BadRequest,
    Kind::NotFound,
    Kind::TooLong,
    Kind::Server,
    Kind::Proxy,
    Kind::NoRegion,
    Kind::Dns,
    Kind::Unreachable,
    Kind::Tls,
    Kind::TimedOut,
    Kind::NotJson(Foreign::Html),
    Kind::NotJson(Foreign::Truncated),
    Kind::NotJson(Foreign::Other),
    Kind::TooLarge,
    Kind::NoCredentials,
    Kind::NoProject,
    Kind::Setup,
];

fn trouble(kind: Kind) -> Trouble {
    let mut trouble = Trouble::new(kind, "huawei", Service::Ces, "ces.x.myhuaweicloud.com", "the server's words");
    trouble.proof = "access_key and secret_key in [huawei]".to_owned();
    trouble
}

#[test]
fn every_kind_has_a_sentence_a_short_word_and_a_remedy() {
    for kind in ALL {
        let t = trouble(kind);
        assert!(t.says().starts_with("huawei: ") && t.says().len() > 25, "{kind:?}: {}", t.says());
        assert!(t.short().chars().count() <= 12 && !t.short().is_empty(), "{kind:?}: {}", t.short());
        for service in Service::ALL {
            let remedy = Trouble(Box::new(Told { service, ..(*t).clone() })).remedy();
            assert!(remedy.len() > 25 && remedy.ends_with('.'), "{kind:?}: {remedy}");
        }
    }
}

#[test]
fn a_trouble_quotes_status_code_words_and_request() {
    let mut t = trouble(Kind::Forbidden);
    t.status = Some(403);
    t.code = "APIGW.0302".to_owned();
    t.request_id = "f00d".to_owned();
    assert_eq!(
        t.says(),
        "huawei: CES does not permit this (HTTP 403, APIGW.0302, \"the server's words\", request f00d)"
    );
    assert!(t.remedy().contains("ces:metricData:list"));
    assert_eq!((t.short().as_str(), t.condition().state), ("403", State::Down));
    assert_eq!(
        trouble(Kind::Throttled { after: None }).condition().state,
        State::Late,
        "it answers, only not so often"
    );
}

#[test]
fn a_clock_that_is_ahead_and_one_that_is_behind_are_told_apart() {
    let ahead = trouble(Kind::Skewed(Some(Lapse::minutes(-20)))).says();
    assert!(ahead.contains("is 20 min ahead of its own"), "{ahead}");
    let behind = trouble(Kind::Skewed(Some(Lapse::hours(7)))).says();
    assert!(behind.contains("is 7 h behind its own"), "{behind}");
}

#[test]
fn a_length_of_time_is_said_as_people_say_it() {
    for (seconds, text) in [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (7800, "2 h 10 min"),
        (86_400 * 3, "3 days"),
        (-40, "40 s"),
    ] {
        assert_eq!(plainly(Lapse::seconds(seconds)), text);
    }
    assert!(plainly(Lapse(i64::MIN)).ends_with("days"));
}

#[test]
fn only_what_may_pass_by_itself_is_asked_again() {
    for kind in ALL {
        let passing = matches!(kind, Kind::Throttled { .. } | Kind::TimedOut | Kind::NotJson(Foreign::Truncated));
        assert_eq!(trouble(kind).is_passing(), passing, "{kind:?}");
        assert!(!(trouble(kind).is_passing() && trouble(kind).is_refusal()), "{kind:?}");
    }
    let mut gateway = trouble(Kind::NotJson(Foreign::Html));
    gateway.status = Some(502);
    assert!(gateway.is_passing(), "a page of a gateway in trouble");
    gateway.status = Some(200);
    assert!(!gateway.is_passing(), "a login page stays");
}
