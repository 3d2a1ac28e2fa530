//! The cloud's client over real sockets: against the emulator, which checks every signature by itself, and
//! against servers that answer raw bytes.

use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use warroom::config::load::parse;
use warroom::config::{CredentialConfig, HuaweiConfig, Secret};
use warroom::model::{Lapse, Stamp};
use warroom::simulator::cloud::signature::Claim;
use warroom::simulator::cloud::wire::Wire;
use warroom::simulator::cloud::{Account, Agency, Api, Cloud, Fault, Running, Watch, World};
use warroom::source::huawei::line::Surroundings;
use warroom::source::huawei::trouble::Foreign;
use warroom::source::huawei::wire::{Limits, Network};
use warroom::source::huawei::{Ask, Client, Kind, Service, Trouble};

const AK: &str = "QTWAOYTTINDUT2QVKYUC";
const SK: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
const TOKEN: &str = "gQpjbi1ub3J0aC00iJ0EXAMPLETOKEN/abc+def==";
/// 12 January 2025, 20:00 WIB.
const NOW: Stamp = Stamp::from_secs(1_736_686_800);

/// A block whose services all answer at one place.
fn block(place: &str) -> HuaweiConfig {
    let text = format!(
        "[huawei]\nregion = 'ap-southeast-4'\nproject_id = '0605767e1b00d5762fd0c003d4d1f4a8'\n\
         access_key = '{AK}'\nsecret_key = '{SK}'\nsecurity_token = '{TOKEN}'\nrequests_per_second = 10\n\
         [huawei.endpoints]\nces = '{place}'\ncts = '{place}'\naom = '{place}'\nlts = '{place}'\niam = '{place}'\n\
         rds = '{place}'\nmetadata = '{place}'\n"
    );
    parse(Path::new("/etc/warroom/config.toml"), &text).0.unwrap().huawei.unwrap()
}

/// More than any answer takes, on any machine.
const PATIENT: Limits = Limits { connect: Duration::from_mins(1), total: Duration::from_mins(2) };

/// A client with a clock that stands and an empty environment.
fn client(config: &HuaweiConfig) -> Client {
    let around = Surroundings {
        variable: Arc::new(|_| None),
        home: None,
        transport: Arc::new(Network::new(PATIENT)),
        now: Arc::new(|| NOW),
    };
    Client::within(config, around)
}

fn ask() -> Ask<'static> {
    Ask::get(Service::Ces, "/V1.0/{project_id}/metrics").with("limit", 1)
}

// ── Servers that answer raw bytes ──────────────────────────────────────────────────────────────────────

/// Requests as they came: the head as text, the body as bytes.
type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

async fn read(line: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let split = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        if let Some(split) = split {
            let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
            let length =
                head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let whole = split + 4 + length.unwrap_or(0);
            if bytes.len() >= whole {
                return Some((head, bytes[split + 4..whole].to_vec()));
            }
        }
        let mut part = [0; 4096];
        match line.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&part[..n]),
        }
    }
}

/// A server on loopback: answers each request with the bytes that `answer` makes of it, then hangs up.
async fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let log = Heard::default();
    let kept = log.clone();
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            let Some((head, body)) = read(&mut line).await else { continue };
            let bytes = answer(&head);
            kept.lock().unwrap().push((head, body));
            // Whoever asked may have hung up already.
            let _ = line.write_all(&bytes).await;
        }
    });
    (place, log)
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into()
}

/// What was heard, as the emulator's check reads it.
fn wire(head: &str, body: &[u8]) -> Wire {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap().split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Wire {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: lines
            .map(|l| l.split_once(": ").unwrap())
            .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()))
            .collect(),
        body: body.to_vec().into(),
    }
}

fn verifies(wire: &Wire, secret: &str) -> bool {
    let claim = Claim::read(wire.header("authorization").unwrap()).unwrap();
    claim.gap(wire).is_none() && claim.verify(wire, secret).0
}

/// Nothing that can be shown, recorded or logged of a trouble holds a secret.
fn shows_nothing(trouble: &Trouble) {
    let c = trouble.condition();
    let told = format!("{trouble:?} {} {} {} {}", c.code, c.says.raw(), c.remedy.raw(), trouble.message.raw());
    for secret in [AK, SK, TOKEN, "EXAMPLETOKEN", "anonicalRequest", "encoded_authorization", "hunter2"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[tokio::test]
async fn what_stands_on_the_wire_is_what_was_signed() {
    let (place, heard) = serve(|_| http("200 OK", "", "{}")).await;
    let client = client(&block(&place));
    let promql = "sum by (service) (rate(http_requests_total{code=~\"5..\",env!=\"dev\"}[5m])) > 0.5";
    let asks = [
        ask(),
        Ask::post(Service::Aom, "/v1/{project_id}/aom/api/v1/query_range", Vec::new())
            .with("query", promql)
            .with("start", 1),
        Ask::post(Service::Ces, "/V1.0/{project_id}/batch-query-metric-data", b"{\"a\": [1, 2]}".to_vec()),
        Ask::get(Service::Cts, "/v3/a%2Fb c/é/../d+e'(f)*").with("status", "ok").with("status", "alarm").with("e", ""),
        Ask::get(Service::Ces, "/").with("from", "2025-01-12T10:00:00+07:00"),
        Ask {
            headers: vec![("X_Odd".to_owned(), "1".to_owned()), ("X-Language".to_owned(), " en-us ".to_owned())],
            ..Ask::get(Service::Rds, "/v3/x/")
        },
        Ask {
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            ..Ask::post(Service::Lts, "/v2/x", b"a=1".to_vec())
        },
    ];
    let count = asks.len();
    for ask in asks {
        client.call(ask).await.unwrap();
    }
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), count);
    for (head, body) in heard.iter() {
        let wire = wire(head, body);
        assert!(verifies(&wire, SK), "{head}");
        assert!(!verifies(&wire, "another"), "{head}");
        assert_eq!(wire.header("host"), place.strip_prefix("http://"), "the port is signed with the host");
        assert_eq!(wire.header("x-security-token"), Some(TOKEN));
        assert!(!head.contains(SK));
    }
    assert!(heard[1].0.starts_with(
        "POST /v1/0605767e1b00d5762fd0c003d4d1f4a8/aom/api/v1/query_range?query=sum%20by%20%28service%29%20%28rate%28http_requests_total%7Bcode%3D~%225..%22%2Cenv%21%3D%22dev%22%7D%5B5m%5D%29%29%20%3E%200.5&start=1 HTTP/1.1"
    ), "{}", heard[1].0);
    assert!(heard[3].0.starts_with("GET /v3/a%2Fb%20c/d+e'(f)*?e=&status=alarm&status=ok HTTP/1.1"), "{}", heard[3].0);
    let signed = wire(&heard[6].0, &heard[6].1).header("authorization").unwrap().to_owned();
    assert!(signed.contains("x-sdk-content-sha256"), "{signed}");
}

#[test]
fn any_path_query_and_body_verifies_at_the_other_end() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    let (place, log) = runtime.block_on(serve(|_| http("200 OK", "", "{}")));
    let mut config = block(&place);
    config.requests_per_second = 1000.0;
    let client = client(&config);
    let odd = "[ -~é¥€]{0,12}";
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let asked = (odd, prop::collection::vec((odd, odd), 0..4), prop::collection::vec(any::<u8>(), 0..64));
    let outcome = runner.run(&asked, |(path, query, body)| {
        let ask = Ask { query: query.clone(), ..Ask::post(Service::Ces, format!("/v/{path}"), body.clone()) };
        runtime.block_on(client.call(ask)).map_err(|t| TestCaseError::fail(t.says()))?;
        let (head, sent) = log.lock().unwrap().pop().unwrap();
        let wire = wire(&head, &sent);
        prop_assert_eq!(&sent, &body);
        prop_assert!(verifies(&wire, SK), "{}", head);
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_server_that_echoes_everything_gets_no_secret_onto_the_screen() {
    let (place, heard) = serve(|head| {
        let said = format!(
            "Incorrect IAM authentication information: verify aksk signature fail,ak:{AK},canonicalRequest:{}",
            head.replace("\r\n", "|")
        );
        let body = serde_json::json!({
            "error_msg": said, "error_code": "APIGW.0301", "request_id": "f00dcafe",
            "encoded_authorization_message": format!("{TOKEN}{SK}")
        });
        http("401 Unauthorized", "", &body.to_string())
    })
    .await;
    let client = client(&block(&place));
    for _ in 0..3 {
        let trouble = client.call(ask()).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.request_id.as_str()), (Kind::BadSignature, "f00dcafe"));
        assert!(trouble.says().contains("verify aksk signature fail"), "{}", trouble.says());
        shows_nothing(&trouble);
    }
    assert_eq!(heard.lock().unwrap().len(), 1, "a refused key is sent once");
    // The same as a raw text, as a page, as half of an answer, in a status that is not 401.
    for (status, wrap) in
        [("403 Forbidden", ""), ("502 Bad Gateway", "<html><title>"), ("500 Oops", "{\"error_msg\":\"")]
    {
        let (place, log) = serve(move |head| http(status, "", &format!("{wrap}{head} {AK} {SK} {TOKEN}"))).await;
        let trouble = self::client(&block(&place)).call(ask()).await.unwrap_err();
        shows_nothing(&trouble);
        let sent = log.lock().unwrap()[0].0.clone();
        let signature = sent.split("Signature=").nth(1).unwrap().lines().next().unwrap();
        assert!(signature.len() == 64 && !trouble.says().contains(signature), "{}", trouble.says());
    }
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let (elsewhere, followed) = serve(|_| http("200 OK", "", "{}")).await;
    let (place, _) = serve(move |_| http("302 Found", &format!("location: {elsewhere}/login\r\n"), "")).await;
    let trouble = client(&block(&place)).call(ask()).await.unwrap_err();
    assert_eq!((trouble.kind, followed.lock().unwrap().len()), (Kind::Proxy, 0), "our token stays with us");
    shows_nothing(&trouble);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let written = Arc::new(Mutex::new(0_usize));
    let count = written.clone();
    tokio::spawn(async move {
        let (mut line, _) = listener.accept().await.unwrap();
        read(&mut line).await;
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        line.write_all(head.as_bytes()).await.unwrap();
        let part = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        while line.write_all(part.as_bytes()).await.is_ok() {
            *count.lock().unwrap() += part.len();
        }
    });
    let config = block(&place);
    let trouble = Client::new(&config).call(ask()).await.unwrap_err();
    assert_eq!(trouble.kind, Kind::TooLarge);
    assert!(trouble.says().contains("16 MiB") && trouble.cost.failed == 1, "{}", trouble.says());
    assert!(*written.lock().unwrap() < 40 << 20, "it was cut off");
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_and_its_cap_counts_unpacked_bytes() {
    use std::io::Write as _;
    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).unwrap();
        let body = packer.finish().unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    }
    let (place, _) = serve(|_| packed(b"{\"metrics\":[]}")).await;
    assert_eq!(&client(&block(&place)).call(ask()).await.unwrap().body[..], b"{\"metrics\":[]}");
    let bomb = packed(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let (place, _) = serve(move |_| bomb.clone()).await;
    assert_eq!(Client::new(&block(&place)).call(ask()).await.unwrap_err().kind, Kind::TooLarge);
}

/// No host has this name, and nobody has to be asked: a label ends after 63 letters. What a name service would
/// say of a name that is merely unknown, and when, is up to the machine.
const NOBODY: &str = "nobody-nobody-nobody-nobody-nobody-nobody-nobody-nobody-nobody-nobody";

#[tokio::test]
async fn hosts_that_are_not_there_and_hosts_that_speak_otherwise_are_told_apart() {
    let mut config = block("http://127.0.0.1:1");
    let trouble = client(&config).call(ask()).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.cost.requests), (Kind::Unreachable, 1));
    config.endpoints.insert("ces".to_owned(), format!("http://{NOBODY}.invalid"));
    assert_eq!(client(&config).call(ask()).await.unwrap_err().kind, Kind::Dns);
    config.endpoints.remove("ces");
    // Here the name service is asked, for as long as it takes: with TLS such a long name goes nowhere.
    config.region = "no-such-region.invalid.x".to_owned();
    let trouble = client(&config).call(ask()).await.unwrap_err();
    assert_eq!(trouble.kind, Kind::NoRegion);
    assert!(trouble.says().contains("is not offered in this region"), "{}", trouble.says());
    // Plain HTTP where TLS is expected: the machine's certificates are read, the handshake fails.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.endpoints.insert("ces".to_owned(), format!("https://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            // Whoever asked may have hung up already.
            let _ = line.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let trouble = client(&config).call(ask()).await.unwrap_err();
    assert_eq!(trouble.kind, Kind::Tls, "{}", trouble.says());
    shows_nothing(&trouble);
}

// ── The emulator ───────────────────────────────────────────────────────────────────────────────────────

async fn emulator() -> (Running, Watch) {
    emulator_of(Account::default()).await
}

async fn emulator_of(account: Account) -> (Running, Watch) {
    let watch = Watch::at(NOW);
    let cloud = Cloud::new(World::default(), watch.clock()).account(account);
    (cloud.listen(([127, 0, 0, 1], 0).into()).await.unwrap(), watch)
}

/// A block of the emulator's account that finds its project by itself.
fn of(cloud: &Running) -> HuaweiConfig {
    let account = cloud.account();
    let credentials = CredentialConfig::Keys {
        access_key: Secret::Plain(account.ak.into()),
        secret_key: Secret::Plain(account.sk.into()),
        security_token: None,
    };
    HuaweiConfig { project_id: None, credentials, ..block(&cloud.endpoint()) }
}

/// A client with the emulator's clock.
fn client_of(config: &HuaweiConfig, watch: &Watch) -> Client {
    client_with(PATIENT, config, watch)
}

fn client_with(limits: Limits, config: &HuaweiConfig, watch: &Watch) -> Client {
    let clock = watch.clock();
    let around = Surroundings {
        variable: Arc::new(|_| None),
        home: None,
        transport: Arc::new(Network::new(limits)),
        now: Arc::new(move || clock.now()),
    };
    Client::within(config, around)
}

#[tokio::test]
async fn the_emulator_accepts_keys_and_finds_the_project() {
    let (cloud, watch) = emulator().await;
    let client = client_of(&of(&cloud), &watch);
    for _ in 0..3 {
        assert_eq!(client.call(ask()).await.unwrap().status, 200);
        client.call(Ask::get(Service::Cts, "/v3/{project_id}/traces").with("trace_type", "system")).await.unwrap();
    }
    let requests = cloud.requests();
    assert_eq!((requests.count(Api::Projects), requests.count(Api::Metrics), requests.count(Api::Traces)), (1, 3, 3));
    assert!(requests.all().iter().all(|r| r.status == Some(200)));
}

#[tokio::test]
async fn a_wrong_key_reaches_the_gateway_once_and_locks_nobody_out() {
    let (cloud, watch) = emulator().await;
    let mut config = of(&cloud);
    config.credentials = CredentialConfig::Keys {
        access_key: Secret::Plain(cloud.account().ak.into()),
        secret_key: Secret::Plain("hunter2hunter2".into()),
        security_token: None,
    };
    let wrong = client_of(&config, &watch);
    for service in Service::ALL.repeat(3) {
        let trouble = wrong.call(Ask::get(service, "/V1.0/{project_id}/metrics")).await.unwrap_err();
        assert_eq!(trouble.kind, Kind::BadSignature);
        assert!(trouble.remedy().contains("secret_key"), "{}", trouble.remedy());
        shows_nothing(&trouble);
    }
    assert_eq!(cloud.requests().all().len(), 1);
    client_of(&of(&cloud), &watch).call(ask()).await.unwrap();
}

#[tokio::test]
async fn keys_of_the_hosts_agency_are_fetched_and_renewed_before_they_end() {
    for agency in [Agency::Token, Agency::Open] {
        let (cloud, watch) = emulator_of(Account { agency, ..Account::default() }).await;
        let config = HuaweiConfig { credentials: CredentialConfig::Metadata, ..of(&cloud) };
        let client = client_of(&config, &watch);
        // Two days, hour by hour: nothing is ever refused.
        for _ in 0..48 {
            client.call(ask()).await.unwrap();
            watch.advance(Lapse::hours(1));
        }
        let fetched = cloud.requests().of(Api::SecurityKey).iter().filter(|r| r.status == Some(200)).count();
        assert_eq!(fetched, 2, "24 hours each, renewed 40 minutes before the end");
        let refused =
            cloud.requests().all().iter().filter(|r| r.api == Some(Api::Metrics) && r.status != Some(200)).count();
        assert_eq!(refused, 0);
    }
    let (cloud, watch) = emulator_of(Account { agency: Agency::None, ..Account::default() }).await;
    let config = HuaweiConfig { credentials: CredentialConfig::Metadata, ..of(&cloud) };
    let trouble = client_of(&config, &watch).call(ask()).await.unwrap_err();
    assert!(trouble.says().contains("no agency"), "{}", trouble.says());
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_renewed_without_a_word() {
    let (cloud, watch) = emulator().await;
    let account = cloud.account();
    let iam = |password: &str| CredentialConfig::Iam {
        domain: account.domain.clone(),
        user: account.user.clone(),
        password: Secret::Plain(password.into()),
    };
    let config = HuaweiConfig { credentials: iam(&account.password), ..of(&cloud) };
    let client = client_of(&config, &watch);
    client.call(ask()).await.unwrap();
    cloud.expire_keys();
    let got = client.call(ask()).await.unwrap();
    assert_eq!((got.requests, got.failed), (3, 1), "refused, a new token, answered");
    watch.advance(Lapse::hours(47));
    client.call(ask()).await.unwrap();
    assert_eq!(cloud.requests().count(Api::Tokens), 3);
    assert_eq!(cloud.requests().count(Api::Projects), 0, "a token knows its project");
    let wrong = HuaweiConfig { credentials: iam("hunter2"), ..of(&cloud) };
    let wrong = client_of(&wrong, &watch);
    for _ in 0..3 {
        let trouble = wrong.call(ask()).await.unwrap_err();
        assert!(trouble.is_refusal() && trouble.remedy().contains("iam_password"), "{}", trouble.says());
        shows_nothing(&trouble);
    }
    assert_eq!(cloud.requests().count(Api::Tokens), 4, "a wrong password is sent once");
}

#[tokio::test]
async fn keys_of_the_agency_that_end_in_the_middle_are_fetched_again() {
    let (cloud, watch) = emulator().await;
    let config = HuaweiConfig { credentials: CredentialConfig::Metadata, ..of(&cloud) };
    let client = client_of(&config, &watch);
    for _ in 0..3 {
        client.call(ask()).await.unwrap();
        cloud.expire_keys();
    }
    let got = client.call(ask()).await.unwrap();
    assert!(got.failed == 1 && cloud.requests().count(Api::SecurityKey) == 4, "{got:?}");
}

#[tokio::test]
async fn temporary_keys_that_ended_are_said_and_not_sent_again() {
    let (cloud, watch) = emulator().await;
    let lent = cloud.lend(Lapse::hours(1));
    let plain = |text: &str| Secret::Plain(text.into());
    let mut config = of(&cloud);
    config.credentials = CredentialConfig::Keys {
        access_key: plain(&lent.ak),
        secret_key: plain(&lent.sk),
        security_token: Some(plain(&lent.token)),
    };
    let client = client_of(&config, &watch);
    client.call(ask()).await.unwrap();
    cloud.expire_keys();
    let before = cloud.requests().all().len();
    for _ in 0..3 {
        let trouble = client.call(ask()).await.unwrap_err();
        assert!(trouble.is_refusal(), "{}", trouble.says());
        assert!(!trouble.says().contains(&lent.token) && !trouble.says().contains(&lent.sk));
    }
    assert_eq!(cloud.requests().all().len(), before + 1);
}

#[tokio::test]
async fn each_fault_of_the_network_is_told_as_what_it_is() {
    let cases = [
        (Fault::Html, Kind::NotJson(Foreign::Html), 4),
        (Fault::Login, Kind::NotJson(Foreign::Html), 1),
        (Fault::Forbidden, Kind::Forbidden, 1),
        (Fault::Status(500), Kind::Server, 1),
        (Fault::Status(404), Kind::NotFound, 1),
        (Fault::Status(413), Kind::TooLong, 1),
        (Fault::Throttled(Some(3600)), Kind::Throttled { after: Some(Lapse::hours(1)) }, 1),
        (Fault::Reset, Kind::NotJson(Foreign::Truncated), 4),
    ];
    let checks = cases.map(|(fault, kind, attempts)| async move {
        let (cloud, watch) = emulator().await;
        let client = client_of(&of(&cloud), &watch);
        client.call(ask()).await.unwrap();
        cloud.requests().clear();
        cloud.faults().always(Api::Metrics, fault.clone());
        let trouble = client.call(ask()).await.unwrap_err();
        assert_eq!((trouble.kind, cloud.requests().all().len()), (kind, attempts), "{fault:?}: {}", trouble.says());
        assert_eq!(trouble.cost.requests, u32::try_from(attempts).unwrap());
        assert!(trouble.says().starts_with("huawei: "), "{}", trouble.says());
        cloud.faults().clear();
        if !matches!(kind, Kind::Throttled { .. }) {
            client.call(ask()).await.unwrap();
        }
    });
    futures_util::future::join_all(checks).await;
}

#[tokio::test]
async fn what_passes_by_itself_is_asked_again_and_then_answered() {
    let faults = [Fault::Throttled(Some(1)), Fault::Status(503), Fault::Truncated, Fault::Hang];
    let checks = faults.map(|fault| async move {
        let (cloud, watch) = emulator().await;
        // Nobody waits minutes for what never comes.
        let total = if fault == Fault::Hang { Duration::from_secs(3) } else { PATIENT.total };
        let client = client_with(Limits { total, ..PATIENT }, &of(&cloud), &watch);
        client.call(ask()).await.unwrap();
        cloud.faults().next(Api::Metrics, fault.clone(), 1);
        let got = client.call(ask()).await.unwrap_or_else(|t| panic!("{fault:?}: {}", t.says()));
        assert_eq!((got.requests, got.failed), (2, 1), "{fault:?}");
        assert_eq!(got.throttled, u32::from(matches!(fault, Fault::Throttled(_))));
    });
    futures_util::future::join_all(checks).await;
}

#[tokio::test]
async fn half_an_answer_that_says_it_is_whole_is_noticed_when_it_is_read() {
    let (cloud, watch) = emulator().await;
    let client = client_of(&of(&cloud), &watch);
    cloud.faults().always(Api::Metrics, Fault::Malformed);
    let got = client.call(ask()).await.unwrap();
    let trouble = got.json::<serde_json::Value>().await.unwrap_err();
    assert_eq!(trouble.kind, Kind::NotJson(Foreign::Truncated));
    assert!(trouble.says().contains("ends in the middle"), "{}", trouble.says());
}

#[tokio::test]
async fn a_clock_that_is_off_is_refused_once_and_said_in_words() {
    let (cloud, watch) = emulator().await;
    let config = of(&cloud);
    let late = Watch::at(watch.now() - Lapse::minutes(40));
    let trouble = client_of(&config, &late).call(ask()).await.unwrap_err();
    assert!(matches!(trouble.kind, Kind::Skewed(_)), "{}", trouble.says());
    assert_eq!(cloud.requests().all().len(), 1);
    assert!(trouble.remedy().contains("timedatectl"), "{}", trouble.remedy());
}

// ── warroom check ──────────────────────────────────────────────────────────────────────────────────────

async fn checked(config: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
    let out = command.arg("--config").arg(&file).arg("check").args(arguments).output().await.unwrap();
    (out.status.code(), String::from_utf8(out.stdout).unwrap())
}

/// The emulator with the real clock, since the program has no other.
async fn emulator_of_today() -> Running {
    #[expect(clippy::disallowed_methods, reason = "the program under test reads the real clock")]
    let clock = warroom::simulator::cloud::Clock::new(|| Stamp(chrono::Utc::now().timestamp_micros()));
    Cloud::new(World::default(), clock).listen(([127, 0, 0, 1], 0).into()).await.unwrap()
}

fn text_of(cloud: &Running, secret: &str) -> String {
    let mut text = format!(
        "[huawei]\nregion = 'ap-southeast-4'\naccess_key = '{}'\nsecret_key = '{secret}'\ntraces = true\n[huawei.endpoints]\n",
        cloud.account().ak
    );
    for service in ["ces", "cts", "iam"] {
        let _ = writeln!(text, "{service} = '{}'", cloud.endpoint());
    }
    text
}

#[tokio::test]
async fn check_says_what_works_and_for_what_does_not_the_remedy() {
    let cloud = emulator_of_today().await;
    let (code, out) = checked(&text_of(&cloud, &cloud.account().sk), &["--json"]).await;
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let lines: Vec<(String, String)> = report["sources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|l| l["source"] == "huawei")
        .map(|l| (l["what"].as_str().unwrap().to_owned(), l["ok"].as_str().unwrap().to_owned()))
        .collect();
    let expected = ["credentials", "project", "CES", "CTS"].map(|w| (w.to_owned(), "yes".to_owned()));
    assert_eq!(lines[..4], expected, "{out}");
    assert_eq!(code, Some(0), "{out}");

    let (code, out) = checked(&text_of(&cloud, "hunter2hunter2"), &[]).await;
    assert_ne!(code, Some(0));
    assert!(out.contains("refused our signature") && out.contains("→ Put the secret key (SK)"), "{out}");
    assert!(!out.contains("hunter2") && !out.contains("not asked again"), "{out}");
}
