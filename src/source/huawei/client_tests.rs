//! What the client does around a request, with a network that answers as told and a clock that is turned.

use super::*;
use crate::config::{CredentialConfig, HuaweiConfig, Secret};
use crate::model::Stamp;
use crate::model::health::State;
use crate::source::huawei::stand_in::{AK, NOON, PROJECT as ID, SK, TOKEN, World, answer, config};
use crate::source::huawei::wire::Fault;

const PATH: &str = "/V1.0/{project_id}/metrics";

fn ask() -> Ask<'static> {
    Ask::get(Service::Ces, PATH).with("limit", 1)
}

fn client(config: &HuaweiConfig, world: &World) -> Client {
    Client::within(config, world.around.clone())
}

/// The gateway's refusal, as it echoes what it computed.
fn refusal(message: &str, code: &str) -> Incoming {
    let echo = format!("{message},canonicalRequest:GET|/x/||host:h|x-security-token:{TOKEN}||host|{SK}");
    answer(401, &[("x-request-id", "f00d")], &serde_json::json!({"error_msg": echo, "error_code": code}).to_string())
}

/// Nothing that is shown of a trouble holds a secret.
fn shows_nothing(trouble: &Trouble) {
    let condition = trouble.condition();
    let told = format!(
        "{} {} {} {:?} {} {}",
        condition.code,
        condition.says.raw(),
        condition.remedy.raw(),
        trouble,
        trouble.message.raw(),
        trouble.code
    );
    for secret in [AK, SK, TOKEN, "canonicalRequest", "Signature="] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_with_what_it_cost_and_the_clocks_difference() {
    let world = World::new(|_, _| Ok(answer(200, &[("Date", "Sun, 12 Jan 2025 12:18:00 GMT")], r#"{"metrics":[]}"#)));
    let client = client(&config(), &world);
    let got = client.call(ask()).await.unwrap();
    assert_eq!((got.status, got.requests, got.failed, got.throttled, got.bytes), (200, 1, 0, 0, 14));
    assert_eq!(got.skew.map(Lapse::whole_seconds), Some(180));
    assert_eq!(
        world.network.urls(),
        [format!("https://ces.ap-southeast-4.myhuaweicloud.com/V1.0/{ID}/metrics?limit=1")]
    );
    assert_eq!(world.network.header(0, "x-sdk-date").as_deref(), Some("20250112T121500Z"));
    let proof = world.network.header(0, "authorization").unwrap();
    assert!(proof.contains("SignedHeaders=host;x-project-id;x-sdk-date, "), "{proof}");
}

#[tokio::test(start_paused = true)]
async fn temporary_keys_sign_their_token_too() {
    let world = World::new(|_, _| Ok(answer(200, &[], "{}")));
    let mut config = config();
    let plain = |t: &str| Secret::Plain(t.into());
    config.credentials =
        CredentialConfig::Keys { access_key: plain(AK), secret_key: plain(SK), security_token: Some(plain(TOKEN)) };
    client(&config, &world).call(ask()).await.unwrap();
    assert_eq!(world.network.header(0, "x-security-token").as_deref(), Some(TOKEN));
    let proof = world.network.header(0, "authorization").unwrap();
    assert!(proof.contains("SignedHeaders=host;x-project-id;x-sdk-date;x-security-token, "), "{proof}");
}

#[tokio::test(start_paused = true)]
async fn every_401_costs_one_request_and_its_reason_stays() {
    for (message, code, kind) in [
        ("verify aksk signature fail", "APIGW.0301", Kind::BadSignature),
        ("Get secretKey failed,ak:QTWAOYTTINDUT2QVKYUC,err:ak not exist", "APIG.0301", Kind::UnknownKey),
        ("AK access failed to reach the limit,forbidden.", "APIGW.0301", Kind::Locked),
        ("calc ak sk signature fail:signature expired", "APIGW.0301", Kind::Skewed(None)),
        ("token expires, expires_at: 2025-01-12T00:00:00Z", "APIGW.0301", Kind::TokenExpired),
        ("something new", "APIGW.0301", Kind::Unauthorized),
    ] {
        let world = World::new(move |_, _| Ok(refusal(message, code)));
        let client = client(&config(), &world);
        let first = client.call(ask()).await.unwrap_err();
        assert_eq!((first.kind, first.cost.requests, first.request_id.as_str()), (kind, 1, "f00d"));
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            world.later(Lapse::seconds(20));
            let later = client.call(Ask::get(Service::Cts, "/v3/{project_id}/traces")).await.unwrap_err();
            assert_eq!((later.kind, later.cost.requests), (kind, 0), "{message}");
            assert!(later.says().contains("not asked again for"), "{}", later.says());
            assert!(later.wait() > Lapse::ZERO && !later.remedy().is_empty());
            shows_nothing(&later);
        }
        assert_eq!(world.network.sent(), 1, "{message}");
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert!(client.call(ask()).await.is_err());
        assert_eq!(world.network.sent(), 2, "a slow retry asks once");
        shows_nothing(&first);
    }
}

#[tokio::test(start_paused = true)]
async fn many_who_begin_together_with_a_wrong_key_cost_one_refusal() {
    let world = World::new(|_, _| Ok(refusal("verify aksk signature fail", "APIGW.0301")));
    let client = client(&config(), &world);
    let calls = Service::ALL.map(|service| {
        let client = client.clone();
        tokio::spawn(async move { client.call(Ask::get(service, "/x")).await.unwrap_err().kind })
    });
    for call in calls {
        assert_eq!(call.await.unwrap(), Kind::BadSignature);
    }
    assert_eq!(world.network.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_failure_has_its_kind_its_words_and_its_remedy_and_is_forgotten_when_it_is_over() {
    let html = |status| answer(status, &[("Content-Type", "text/html")], "<html><title>Proxy sign-in</title></html>");
    let gateway = r#"{"error_msg":"The throttling policy is wrong","error_code":"APIGW.0302","request_id":"f00d"}"#;
    let service = r#"{"error_code":"LTS.0009","error_msg":"Failed to validate the request body"}"#;
    let first =
        r#"{"http_code":"400","message":{"details":"Some content in message body is not correct","code":"ces.0014"}}"#;
    let prometheus = r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}"#;
    let sql = r#"{"message":{"details":"the query has no table"}}"#;
    let bad = Kind::BadRequest;
    let cases: [(Result<Incoming, Fault>, Kind, &str, &str); 14] = [
        // The five shapes of an error's body.
        (Ok(answer(403, &[], gateway)), Kind::Forbidden, "APIGW.0302, \"The throttling policy", "permission"),
        (Ok(answer(400, &[], service)), bad, "LTS.0009, \"Failed to validate", "warroom huawei metrics"),
        (Ok(answer(400, &[], first)), bad, "ces.0014, \"Some content in message body", "warroom huawei metrics"),
        (Ok(answer(422, &[], prometheus)), bad, "bad_data, \"parse error: unexpected end\"", "warroom huawei metrics"),
        (Ok(answer(400, &[], sql)), bad, "\"the query has no table\"", "warroom huawei metrics"),
        // A proxy, with and without an honest status.
        (Ok(html(502)), Kind::NotJson(Foreign::Html), "a web page came instead of an answer (HTTP 502", "HTTPS_PROXY"),
        (Ok(html(200)), Kind::NotJson(Foreign::Html), "Proxy sign-in", "HTTPS_PROXY"),
        // Hosts.
        (Err(Fault::Dns), Kind::NoRegion, "name service does not answer", "[huawei.endpoints]"),
        (Err(Fault::Unreachable("no route".to_owned())), Kind::Unreachable, "cannot be reached", "firewall"),
        (Err(Fault::TimedOut), Kind::TimedOut, "no answer from", "firewall"),
        // What services and networks do for a while.
        (Ok(answer(503, &[], "")), Kind::Server, "failed on its own side (HTTP 503)", "goes on trying"),
        (Ok(answer(500, &[], "{}")), Kind::Server, "failed on its own side (HTTP 500)", "request id"),
        (
            Ok(answer(429, &[], "Too Many Requests")),
            Kind::Throttled { after: None },
            "less often",
            "requests_per_second",
        ),
        (Err(Fault::Truncated), Kind::NotJson(Foreign::Truncated), "ends in the middle", "asks again"),
    ];
    let outcome = Arc::new(std::sync::Mutex::new(Ok(answer(200, &[], "{}"))));
    let world = World::new({
        let outcome = Arc::clone(&outcome);
        move |_, _| outcome.lock().unwrap().clone()
    });
    let client = client(&config(), &world);
    for (bad, kind, words, remedy) in cases {
        *outcome.lock().unwrap() = bad;
        let trouble = client.call(ask()).await.unwrap_err();
        let condition = trouble.condition();
        assert_eq!(trouble.kind, kind, "{}", trouble.says());
        let state = if matches!(kind, Kind::Throttled { .. }) { State::Late } else { State::Down };
        assert_eq!((condition.state, trouble.cost.failed), (state, trouble.cost.requests), "{}", trouble.says());
        assert!(trouble.says().contains(words), "{}", trouble.says());
        assert!(condition.remedy.raw().contains(remedy), "{}", condition.remedy.raw());
        *outcome.lock().unwrap() = Ok(answer(200, &[], "{}"));
        assert!(client.call(ask()).await.is_ok(), "after {kind:?}");
    }
    let mut config = config();
    config.endpoints.insert("ces".to_owned(), "https://ces.example.invalid".to_owned());
    *outcome.lock().unwrap() = Err(Fault::Dns);
    let trouble = Client::within(&config, world.around.clone()).call(ask()).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.short().as_str()), (Kind::Dns, "no host"));
    assert!(trouble.says().contains("ces.example.invalid") && trouble.says().contains("name service"));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_is_noticed_without_waiting_for_the_slow_retry() {
    let world = World::new(|_, number| match number {
        0 => {
            let body = r#"{"error_msg":"calc ak sk signature fail:signature expired","error_code":"APIGW.0301"}"#;
            Ok(answer(401, &[("Date", "Sun, 12 Jan 2025 12:55:00 GMT")], body))
        }
        _ => Ok(answer(200, &[], "{}")),
    });
    let client = client(&config(), &world);
    let after = async |seconds: u64| {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        world.later(Lapse::seconds(seconds as i64));
        client.call(ask()).await
    };
    let trouble = after(0).await.unwrap_err();
    assert_eq!(trouble.wait(), Lapse::seconds(30), "it is looked at again by then, and nothing is sent");
    assert!(after(31).await.is_err(), "nobody has set it");
    world.later(Lapse::minutes(40));
    assert!(after(31).await.is_ok());
    assert_eq!(world.network.sent(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_corrected_key_is_noticed_without_waiting_for_the_slow_retry() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        Secret::File(path)
    };
    let mut config = config();
    config.credentials =
        CredentialConfig::Keys { access_key: write("ak", AK), secret_key: write("sk", "wrong"), security_token: None };
    let world = World::new(|_, number| match number {
        0 => Ok(refusal("verify aksk signature fail", "APIGW.0301")),
        _ => Ok(answer(200, &[], "{}")),
    });
    let client = client(&config, &world);
    assert!(client.call(ask()).await.is_err());
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(client.call(ask()).await.is_err(), "nothing was corrected yet");
    write("sk", SK);
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(client.call(ask()).await.is_ok());
    assert_eq!(world.network.sent(), 2);
}

#[tokio::test(start_paused = true)]
async fn passing_failures_are_asked_again_after_1_2_and_4_seconds() {
    let world = World::new(|_, number| match number {
        0 => Ok(answer(503, &[], "")),
        1 => Err(Fault::TimedOut),
        2 => Ok(answer(502, &[], "<html><title>502 Bad Gateway</title>")),
        _ => Ok(answer(200, &[], "{}")),
    });
    let client = client(&config(), &world);
    let got = client.call(Ask::post(Service::Ces, PATH, b"{}".to_vec())).await.unwrap();
    assert_eq!((got.requests, got.failed), (4, 3));
    let at = world.network.seconds();
    // Up to half of each pause is added.
    assert!((1..=1).contains(&at[1]) && (3..=4).contains(&at[2]) && (7..=10).contains(&at[3]), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn after_four_attempts_the_trouble_is_told_with_what_it_cost() {
    let world = World::new(|_, _| Ok(answer(504, &[], r#"{"error_code":"APIGW.0201","error_msg":"backend timeout"}"#)));
    let trouble = client(&config(), &world).call(ask()).await.unwrap_err();
    assert_eq!(
        (trouble.kind, trouble.status, trouble.cost.requests, trouble.cost.failed),
        (Kind::Server, Some(504), 4, 4)
    );
    assert_eq!(trouble.says(), "huawei: CES failed on its own side (HTTP 504, APIGW.0201, \"backend timeout\")");
}

#[tokio::test(start_paused = true)]
async fn what_will_not_change_is_not_asked_again() {
    for (status, kind) in [
        (400, Kind::BadRequest),
        (403, Kind::Forbidden),
        (404, Kind::NotFound),
        (413, Kind::TooLong),
        (500, Kind::Server),
        (501, Kind::Server),
        (302, Kind::Proxy),
        (407, Kind::Proxy),
    ] {
        let world = World::new(move |_, _| Ok(answer(status, &[], "{}")));
        let trouble = client(&config(), &world).call(ask()).await.unwrap_err();
        assert_eq!((trouble.kind, world.network.sent()), (kind, 1), "{status}");
    }
    for (fault, kind) in [
        (Fault::Dns, Kind::NoRegion),
        (Fault::Unreachable("refused".to_owned()), Kind::Unreachable),
        (Fault::Tls("UnknownIssuer".to_owned()), Kind::Tls),
        (Fault::TooLarge, Kind::TooLarge),
    ] {
        let world = World::new(move |_, _| Err(fault.clone()));
        let trouble = client(&config(), &world).call(ask()).await.unwrap_err();
        assert_eq!((trouble.kind, world.network.sent()), (kind, 1));
        assert!(!trouble.remedy().is_empty(), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_retry_after_is_waited_for_and_a_long_one_is_told() {
    let world = World::new(|_, number| match number {
        0 => Ok(answer(429, &[("Retry-After", "6")], "")),
        _ => Ok(answer(200, &[], "{}")),
    });
    let got = client(&config(), &world).call(ask()).await.unwrap();
    assert_eq!((got.requests, got.throttled, world.network.seconds()), (2, 1, vec![0, 6]));

    let date = "Sun, 12 Jan 2025 12:17:00 GMT";
    let world = World::new(move |_, number| match number {
        0 => Ok(answer(429, &[("Retry-After", date)], "")),
        _ => Ok(answer(200, &[], "{}")),
    });
    let client = client(&config(), &world);
    let first = client.call(ask()).await.unwrap_err();
    assert_eq!((first.kind, first.wait()), (Kind::Throttled { after: Some(Lapse::minutes(2)) }, Lapse::minutes(2)));
    let second = client.call(ask()).await.unwrap_err();
    assert_eq!((second.cost.requests, world.network.sent()), (0, 1), "nobody asks before the time is over");
    let other = client.call(Ask::get(Service::Cts, "/x")).await;
    assert!(other.is_ok(), "another API has its own manners");
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(client.call(ask()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_service_under_repair_that_says_when_to_come_back_is_left_alone_until_then() {
    let world = World::new(|_, number| match number {
        0 => Ok(answer(503, &[("Retry-After", "60")], "")),
        _ => Ok(answer(200, &[], "{}")),
    });
    let client = client(&config(), &world);
    let trouble = client.call(ask()).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.wait(), trouble.cost.throttled), (Kind::Server, Lapse::minutes(1), 0));
    assert!(client.call(ask()).await.is_err());
    assert_eq!(world.network.sent(), 1);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(client.call(ask()).await.is_ok());
}

/// Remembers which thread read it.
struct Thread(std::thread::ThreadId);

impl<'de> serde::Deserialize<'de> for Thread {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self(std::thread::current().id()))
    }
}

#[tokio::test]
async fn a_long_answer_is_read_on_a_thread_of_its_own() {
    let long = serde_json::to_string(&vec![7_u64; 5 << 20]).unwrap();
    assert!(long.len() > 10_000_000);
    for (body, here) in [("[7]".to_owned(), true), (long, false)] {
        let world = World::new(move |_, _| Ok(answer(200, &[], &body)));
        let got = client(&config(), &world).call(ask()).await.unwrap();
        let Thread(reader) = got.json().await.unwrap();
        assert_eq!(reader == std::thread::current().id(), here);
        // So is what is made of it.
        let maker = got.read(|_: serde_json::Value| std::thread::current().id()).await.unwrap();
        assert_eq!(maker == std::thread::current().id(), here);
    }
}

#[tokio::test(start_paused = true)]
async fn no_api_gets_more_requests_than_configured() {
    let world = World::new(|_, _| Ok(answer(200, &[], "{}")));
    let mut config = config();
    config.requests_per_second = 2.0;
    let client = client(&config, &world);
    for _ in 0..9 {
        client.call(ask()).await.unwrap();
    }
    assert_eq!(world.network.seconds(), [0, 0, 0, 0, 1, 1, 2, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_project_is_found_by_the_regions_name_once() {
    let world = World::new(|out, _| {
        Ok(match out.url.path() {
            "/v3/projects" => answer(200, &[], r#"{"projects":[{"id":"abc123","name":"ap-southeast-4"}]}"#),
            _ => answer(200, &[], "{}"),
        })
    });
    let client = client(&HuaweiConfig { project_id: None, ..config() }, &world);
    for _ in 0..3 {
        client.call(ask()).await.unwrap();
    }
    let metrics = "https://ces.ap-southeast-4.myhuaweicloud.com/V1.0/abc123/metrics?limit=1";
    let iam = "https://iam.ap-southeast-4.myhuaweicloud.com/v3/projects?name=ap-southeast-4";
    assert_eq!(world.network.urls(), [iam, metrics, metrics, metrics]);
    assert_eq!(world.network.header(0, "x-project-id"), None);
    assert!(world.network.header(0, "authorization").unwrap().contains("SignedHeaders=host;x-sdk-date, "));
    assert_eq!(world.network.header(1, "x-project-id").as_deref(), Some("abc123"));
}

#[tokio::test(start_paused = true)]
async fn an_account_without_the_regions_project_is_told_in_a_sentence() {
    let world = World::new(|_, _| Ok(answer(200, &[], r#"{"projects":[]}"#)));
    let trouble = client(&HuaweiConfig { project_id: None, ..config() }, &world).call(ask()).await.unwrap_err();
    assert_eq!(
        trouble.says(),
        "huawei: this account has no project named ap-southeast-4: it never used that region, or region in [huawei] is wrong"
    );
    assert!(trouble.remedy().contains("project_id"));
}

fn iam() -> HuaweiConfig {
    let credentials = CredentialConfig::Iam {
        domain: "acme".to_owned(),
        user: "warroom".to_owned(),
        password: Secret::Plain("hunter2".into()),
    };
    HuaweiConfig { project_id: None, credentials, ..config() }
}

/// Tokens T0, T1, …: each lasts an hour from when it was asked for.
fn tokens(number: usize, now: Stamp) -> Incoming {
    let end = Zone::utc().format(now + Lapse::hours(1), "%Y-%m-%dT%H:%M:%S.000000Z");
    let body = format!(r#"{{"token":{{"expires_at":"{end}","project":{{"id":"{ID}","name":"ap-southeast-4"}}}}}}"#);
    answer(201, &[("X-Subject-Token", &format!("T{number}"))], &body)
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_in_the_middle_is_renewed_and_the_question_repeated_once() {
    let world = World::new(|out, number| {
        let token = out.headers.iter().find(|(n, _)| n == "X-Auth-Token").map(|(_, v)| v.as_str());
        Ok(match (out.url.path(), token) {
            ("/v3/auth/tokens", _) => tokens(number, NOON),
            (_, Some("T0")) if number > 1 => refusal("token expires, expires_at: 2025-01-12T00:00:00Z", "APIGW.0307"),
            _ => answer(200, &[], "{}"),
        })
    });
    let client = client(&iam(), &world);
    client.call(ask()).await.unwrap();
    let got = client.call(ask()).await.unwrap();
    assert_eq!((got.requests, got.failed), (3, 1));
    assert_eq!(world.network.header(4, "x-auth-token").as_deref(), Some("T3"));
    assert_eq!(world.network.header(4, "authorization"), None);
    let body = String::from_utf8(world.network.seen.lock().unwrap()[0].0.body.clone()).unwrap();
    assert_eq!(
        body.parse::<serde_json::Value>().unwrap().pointer("/auth/scope/project/name").unwrap(),
        "ap-southeast-4"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_its_end_and_never_sent_after_it() {
    let world = World::new(|out, number| {
        Ok(match out.url.path() {
            "/v3/auth/tokens" => tokens(number, NOON + Lapse::minutes(number as i64)),
            _ => answer(200, &[], "{}"),
        })
    });
    let client = client(&iam(), &world);
    let mut used = Vec::new();
    for _ in 0..90 {
        client.call(ask()).await.unwrap();
        used.push(world.network.header(world.network.sent() - 1, "x-auth-token").unwrap());
        world.later(Lapse::minutes(1));
    }
    used.dedup();
    // An hour's token is renewed 20 minutes before its end; the stand-in's second one begins a little late.
    assert_eq!(used.len(), 3, "{used:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_asked_with_once() {
    let wrong = r#"{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}}"#;
    let world = World::new(move |_, _| Ok(answer(401, &[], wrong)));
    let client = client(&iam(), &world);
    let first = client.call(ask()).await.unwrap_err();
    let second = client.call(ask()).await.unwrap_err();
    assert_eq!((first.kind, second.kind, world.network.sent()), (Kind::Unauthorized, Kind::Unauthorized, 1));
    assert!(first.remedy().contains("iam_password") && first.says().contains("password is wrong"), "{}", first.says());
    assert!(!format!("{first:?} {}", first.says()).contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn the_second_host_of_a_service_serves_while_the_first_is_away() {
    let world = World::new(|out, _| match out.url.host_str() {
        Some("cts.ap-southeast-4.myhuaweicloud.com") => Err(Fault::Dns),
        _ => Ok(answer(200, &[], "{}")),
    });
    let client = client(&config(), &world);
    for _ in 0..2 {
        client.call(Ask::get(Service::Cts, "/x")).await.unwrap();
    }
    let hosts: Vec<String> = world.network.urls().iter().map(|u| u.split('/').nth(2).unwrap().to_owned()).collect();
    let (first, second) = ("cts.ap-southeast-4.myhuaweicloud.com", "cts.ap-southeast-4.myhuaweicloud.cn");
    assert_eq!(hosts, [first, second, second], "the one that answered is asked first");
    let away = World::new(|_, _| Err(Fault::Dns));
    let trouble = self::client(&config(), &away).call(Ask::get(Service::Cts, "/x")).await.unwrap_err();
    assert_eq!(
        trouble.says(),
        "huawei: there is no host cts.ap-southeast-4.myhuaweicloud.com: CTS is not offered in this region, the region's name is wrong, or this machine's name service does not answer"
    );
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_comes_from_the_configuration_then_the_environment_then_the_region() {
    let world = World::new(|_, _| Ok(answer(200, &[], "{}")));
    world.set("HUAWEICLOUD_SDK_REGION_CES_AP_SOUTHEAST_4", "https://ces.elsewhere.example:8443/");
    client(&config(), &world).call(ask()).await.unwrap();
    let mut own = config();
    own.endpoints.insert("ces".to_owned(), "http://127.0.0.1:9".to_owned());
    client(&own, &world).call(ask()).await.unwrap();
    let hosts: Vec<String> = world.network.urls().iter().map(|u| u.split('/').nth(2).unwrap().to_owned()).collect();
    assert_eq!(hosts, ["ces.elsewhere.example:8443", "127.0.0.1:9"]);
    world.set("HUAWEICLOUD_SDK_REGION_CES_AP_SOUTHEAST_4", "http://far.example");
    let trouble = client(&config(), &world).call(ask()).await.unwrap_err();
    assert!(trouble.says().contains("HUAWEICLOUD_SDK_REGION_CES_AP_SOUTHEAST_4"), "{}", trouble.says());
    assert!(trouble.says().contains("in the open"), "{}", trouble.says());
}

#[derive(Debug, serde::Deserialize)]
struct Metrics {
    #[expect(dead_code, reason = "only its shape counts")]
    metrics: Vec<u8>,
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_shape_is_told_without_quoting_it() {
    for (body, foreign) in [
        ("{\"metrics\":[", Foreign::Truncated),
        ("{\"metrics\":\"hunter2\"}", Foreign::Other),
        ("hunter2", Foreign::Other),
        ("", Foreign::Truncated),
    ] {
        let world = World::new(move |_, _| Ok(answer(200, &[], body)));
        let got = client(&config(), &world).call(ask()).await.unwrap();
        let trouble = got.json::<Metrics>().await.unwrap_err();
        assert_eq!(trouble.kind, Kind::NotJson(foreign), "{body}");
        assert!(!trouble.says().contains("hunter2") && trouble.says().contains("CES"), "{}", trouble.says());
    }
    let world = World::new(|_, _| Ok(answer(200, &[], " <html><title>Sign in</title>")));
    let trouble = client(&config(), &world).call(ask()).await.unwrap_err();
    assert_eq!(trouble.kind, Kind::NotJson(Foreign::Html));
    assert!(trouble.says().contains("Sign in") && trouble.remedy().contains("HTTPS_PROXY"), "{}", trouble.says());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_said_in_words() {
    let world = World::new(|_, _| {
        let body = r#"{"error_msg":"calc ak sk signature fail:signature expired","error_code":"APIGW.0301"}"#;
        Ok(answer(401, &[("Date", "Sun, 12 Jan 2025 12:55:30 GMT")], body))
    });
    let trouble = client(&config(), &world).call(ask()).await.unwrap_err();
    assert!(trouble.says().contains("this machine's clock is 40 min behind its own"), "{}", trouble.says());
    assert!(trouble.remedy().contains("timedatectl"));
}
