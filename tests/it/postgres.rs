//! Looks at real PostgreSQL servers: what they say, what they cost, and every way in which they fail.

#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

use crate::pg::{self, Installation, Server, number, scene, sql, until};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::BTreeMap;
use std::sync::Arc;
use warroom::config::{DatabaseConfig, Secret};
use warroom::model::database::{DbSample, Session};
use warroom::model::health::State;
use warroom::model::{Fact, Lapse};
use warroom::source::orders::{Asks, Board};
use warroom::source::postgres::Database;
use warroom::source::runner::{Failure, Poll as _, Round};

/// A `[[db]]` for a server, as a role.
pub fn config(server: &Server, role: &str) -> DatabaseConfig {
    config_of(&server.url(role))
}

fn config_of(url: &str) -> DatabaseConfig {
    DatabaseConfig {
        name: "mrg".into(),
        url: Secret::Plain(url.into()),
        interval: Lapse::seconds(1),
        // More than any answer takes, on any machine; tests of the limits set their own.
        statement_timeout: Lapse::minutes(1),
        lock_timeout: Lapse::minutes(1),
        connect_timeout: Lapse::minutes(1),
        watch: true,
    }
}

pub fn database(config: DatabaseConfig) -> Database {
    let (nobody, _) = tokio::sync::mpsc::channel(1);
    Database::new(config, Asks::new(Vec::new(), None, &Arc::new(Board::default()), nobody))
}

pub fn sample(round: Result<Round, Failure>) -> DbSample {
    let round = round.unwrap_or_else(|f| panic!("{}: {}", f.condition.code, f.condition.says.raw()));
    let looks = round.facts.into_iter().filter_map(|f| if let Fact::Database(s) = f { Some(*s) } else { None });
    looks.last().expect("a look")
}

fn failure(round: Result<Round, Failure>) -> Failure {
    round.map(|r| r.condition).expect_err("a failure")
}

fn named<'a>(sample: &'a DbSample, application: &str) -> Vec<&'a Session> {
    sample.sessions.iter().filter(|s| s.application.raw() == application).collect()
}

/// The edges by an independent query.
async fn edges(conn: &mut PgConnection) -> BTreeMap<i32, Vec<i32>> {
    let rows = sqlx::query(AssertSqlSafe(
        "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0",
    ))
    .fetch_all(conn)
    .await
    .unwrap();
    rows.iter().map(|r| (r.get(0), r.get(1))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_every_version_the_tree_is_what_pg_blocking_pids_says() {
    let all = pg::installations();
    eprintln!("PostgreSQL found: {:?}", all.iter().map(|i| i.major).collect::<Vec<_>>());
    assert!(!all.is_empty());
    for installation in all {
        one_version(&installation).await;
    }
}

async fn one_version(installation: &Installation) {
    let major = installation.major;
    let server = Server::start(installation, &["shared_preload_libraries='pg_stat_statements'"]);
    let mut admin = server.connect("test").await;
    sql(&mut admin, "CREATE EXTENSION pg_stat_statements; CREATE ROLE warroom LOGIN; GRANT pg_monitor TO warroom")
        .await;
    let scene = scene(&server, 12, 5).await;
    let mut mrg = database(config(&server, "warroom"));
    let s = sample(mrg.poll().await);

    let told: BTreeMap<i32, Vec<i32>> =
        s.sessions.iter().filter(|s| !s.blocked_by.is_empty()).map(|s| (s.pid, s.blocked_by.clone())).collect();
    assert_eq!(told, edges(&mut admin).await, "PostgreSQL {major}");
    assert_eq!(told.len(), scene.waiting);
    // Every blocker is there to be drawn.
    for pid in told.values().flatten() {
        assert!(s.sessions.iter().any(|s| s.pid == *pid), "PostgreSQL {major}: blocker {pid} is not named");
    }

    assert_eq!(s.version / 10_000, major as i32);
    assert_eq!((s.max_connections, s.replica), (60, false));
    assert_eq!(s.reserved, 3);
    assert_eq!(s.states.lock_waiting as usize, scene.waiting);
    assert_eq!(s.states.used(), s.applications.iter().map(|a| a.sessions).sum::<u32>());
    assert_eq!(s.states.used(), s.waits.iter().map(|w| w.sessions).sum::<u32>());
    assert_eq!(
        i64::from(s.states.used()),
        number(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").await
    );

    let root = named(&s, "chain-1")[0];
    assert!(root.holds.iter().any(|l| l.kind == "transactionid"), "{:?}", root.holds.len());
    let second = named(&s, "chain-2")[0];
    assert_eq!(second.wants.as_ref().map(|l| l.kind.as_str()), Some("transactionid"));
    assert!(second.holds.iter().any(|l| l.target.raw() == "row of orders (0,1)"), "it heads the queue for the row");
    let fan = named(&s, "fan");
    assert!(fan.iter().all(|f| f.wants.as_ref().is_some_and(|l| l.target.raw() == "row of orders (0,1)")));
    assert_eq!(named(&s, "scheduler")[0].holds.iter().map(|l| l.target.raw()).collect::<Vec<_>>(), ["advisory 4711"]);
    assert_eq!(
        named(&s, "migration")[0].wants.as_ref().map(|l| (l.target.raw(), l.mode.as_str())),
        Some(("settlements", "AccessExclusiveLock"))
    );
    assert_eq!(
        named(&s, "ho-api")[0].blocked_by,
        [named(&s, "migration")[0].pid],
        "queued DDL blocks the readers behind it"
    );
    assert!(s.sessions.iter().filter(|s| !s.blocked_by.is_empty()).all(|s| s.waiting.is_some()));

    assert!(s.counters.is_some(), "counters in the first look");
    let statements = s.statements.as_ref().expect("statements in the first look");
    let update =
        statements.iter().find(|t| t.query.raw().starts_with("INSERT INTO orders")).expect("its text is known");
    assert!(update.calls == 1 && update.rows == 100, "{} calls, {} rows", update.calls, update.rows);
    let words: Vec<&str> = s.limited.iter().map(|l| l.what.as_str()).collect();
    if major < 14 {
        assert!(words.len() == 1 && words[0].contains("from version 14 on"), "{words:?}");
    } else {
        assert!(words.is_empty(), "{words:?}");
    }
}

/// Statements of ours in the server's log, by their first words.
fn logged(server: &Server) -> Vec<String> {
    let log = server.log();
    let of = |line: &str| {
        let line = line.strip_prefix("warroom|LOG:  ")?;
        let text = line
            .strip_prefix("statement: ")
            .or_else(|| line.strip_prefix("execute ")?.split_once(": ").map(|(_, t)| t))?;
        Some(text.to_owned())
    };
    log.lines().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_is_three_statements_at_most_in_one_session_and_says_what_it_cost() {
    let settings = ["shared_preload_libraries='pg_stat_statements'", "log_statement=all", "log_line_prefix='%a|'"];
    let server = Server::start(&pg::any(), &settings);
    let mut admin = server.connect("test").await;
    sql(&mut admin, "CREATE EXTENSION pg_stat_statements; CREATE ROLE warroom LOGIN; GRANT pg_monitor TO warroom")
        .await;
    let _scene = scene(&server, 3, 2).await;
    let mut mrg = database(config(&server, "warroom"));
    sample(mrg.poll().await);
    let mut sent = logged(&server).len();
    for _ in 0..8 {
        let round = mrg.poll().await.expect("a look");
        let statements = logged(&server).split_off(sent);
        sent += statements.len();
        assert!((1..=3).contains(&statements.len()), "{statements:#?}");
        let cost = round.cost.expect("a cost");
        assert_eq!((cost.requests as usize, cost.connections, cost.failed), (statements.len(), 1, 0));
        assert!(cost.bytes > 500 && cost.server.is_some_and(|s| s > Lapse::ZERO) && cost.skew.is_some());
    }
    assert_eq!(number(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warroom'").await, 1);
    let all = logged(&server);
    let reads =
        |s: &&String| s.starts_with("SELECT") || s.starts_with("/* warroom:") || s.starts_with("SET client_connection");
    assert_eq!(all.iter().filter(reads).count(), all.len(), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_is_evidence_and_a_session_opened_before_goes_on_answering() {
    let server = Server::start(&pg::any(), &["max_connections=12"]);
    let mut admin = server.connect("test").await;
    sql(&mut admin, "CREATE ROLE warroom LOGIN; CREATE ROLE app LOGIN").await;
    let mut early = database(config(&server, "warroom"));
    sample(early.poll().await);
    let mut filler = Vec::new();
    while let Ok(c) = <PgConnection as sqlx::Connection>::connect(&server.url("app")).await {
        filler.push(c);
    }
    let mut late = database(config(&server, "warroom"));
    let refused = failure(late.poll().await);
    assert_eq!((refused.condition.state, refused.condition.code.as_str()), (State::Down, "53300"));
    assert!(refused.condition.says.raw().contains("evidence for pool exhaustion"));
    assert_eq!(refused.cost.map(|c| (c.failed, c.connections)), Some((1, 0)));
    let full = sample(early.poll().await);
    assert_eq!(full.states.used(), full.max_connections - full.reserved, "the early session sees the server full");
    drop(filler);
    until(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'", 0).await;
    sample(late.poll().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_and_returns_is_found_again() {
    let server = Server::start(&pg::any(), &[]);
    let mut mrg = database(config(&server, "postgres"));
    sample(mrg.poll().await);
    server.stop();
    let ended = failure(mrg.poll().await);
    assert_eq!(ended.condition.state, State::Down);
    assert!(["57P01", "closed"].contains(&ended.condition.code.as_str()), "{}", ended.condition.code);
    let gone = failure(mrg.poll().await);
    assert_eq!(gone.condition.code, "refused");
    assert!(gone.condition.says.raw().contains("nothing listens at 127.0.0.1"));
    server.launch();
    sample(mrg.poll().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_hang_in_the_server_are_dropped_and_never_more_than_two() {
    let server = Server::start(&pg::any(), &[]);
    let mut admin = server.connect("test").await;
    let quick = DatabaseConfig { statement_timeout: Lapse::seconds(2), ..config(&server, "postgres") };
    let mut mrg = database(quick);
    let ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warroom'";
    let newest = "SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'warroom' ORDER BY backend_start DESC LIMIT 1";
    let mut stopped = Vec::new();
    for _ in 0..2 {
        sample(mrg.poll().await);
        let pid = number(&mut admin, newest).await as i32;
        pg::signal_pid(pid, rustix::process::Signal::STOP);
        stopped.push(pid);
        let hung = failure(mrg.poll().await);
        assert_eq!((hung.condition.state, hung.condition.code.as_str()), (State::Down, "no answer"));
    }
    let refused = failure(mrg.poll().await);
    assert_eq!(refused.condition.code, "hanging");
    until(&mut admin, ours, 2).await;
    for pid in stopped {
        pg::signal_pid(pid, rustix::process::Signal::CONT);
    }
    until(&mut admin, ours, 0).await;
    sample(mrg.poll().await);
    assert_eq!(number(&mut admin, ours).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_does_not_keep_us_waiting_beyond_the_connect_timeout() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://warroom@{}/mrg", silent.local_addr().unwrap());
    let mut mrg = database(DatabaseConfig { connect_timeout: Lapse::millis(300), ..config_of(&url) });
    let f = failure(mrg.poll().await);
    assert_eq!((f.condition.state, f.condition.code.as_str()), (State::Down, "no answer"));
    assert!(f.condition.says.raw().contains("0.3 s"), "{}", f.condition.says.raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_keeps_us_out_is_named_with_the_remedy_and_no_secret() {
    let server = Server::start(&pg::any(), &[]);
    let mut admin = server.connect("test").await;
    sql(&mut admin, "CREATE ROLE knock LOGIN PASSWORD 'right'; CREATE ROLE outcast LOGIN; CREATE ROLE warroom LOGIN")
        .await;
    let port = server.port;
    // A label ends after 63 letters: known to be nobody's name without asking a name service.
    let nobody = format!("{}.invalid", "nobody-".repeat(10) + "x");
    let cases = [
        (format!("postgres://knock:hunter2@127.0.0.1:{port}/postgres"), "28P01", "refused the password of role knock"),
        (format!("postgres://outcast:hunter2@127.0.0.1:{port}/postgres"), "28000", "pg_hba.conf"),
        (format!("postgres://warroom:hunter2@127.0.0.1:{port}/nowhere"), "3D000", "no database nowhere"),
        (format!("postgres://warroom:hunter2@127.0.0.1:{port}/postgres?sslmode=require"), "TLS", "secure connection"),
        (format!("postgres://warroom:hunter2@{nobody}/postgres"), "no host", nobody.as_str()),
        ("postgres://warroom:hunter2@127.0.0.1:1/postgres".to_owned(), "refused", "nothing listens at 127.0.0.1:1"),
    ];
    for (url, code, words) in cases {
        let f = failure(database(config_of(&url)).poll().await);
        let (says, remedy) = (f.condition.says.raw(), f.condition.remedy.raw());
        assert_eq!((f.condition.state, f.condition.code.as_str()), (State::Down, code), "{says}");
        assert!(says.contains(words) || remedy.contains(words), "{says} · {remedy}");
        assert!(!remedy.is_empty() && !says.contains("hunter2") && !remedy.contains("hunter2"));
        assert_eq!(f.wait >= Lapse::seconds(30), code.starts_with("28"), "a wrong password is not tried often");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_grants_everything_is_counted_and_the_grant_is_named() {
    let server = Server::start(&pg::any(), &["shared_preload_libraries='pg_stat_statements'"]);
    let mut admin = server.connect("test").await;
    sql(&mut admin, "CREATE EXTENSION pg_stat_statements; CREATE ROLE warroom LOGIN").await;
    let scene = scene(&server, 2, 2).await;
    let mut mrg = database(config(&server, "warroom"));
    let s = sample(mrg.poll().await);
    let real = number(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").await;
    assert_eq!(i64::from(s.states.used()), real);
    assert_eq!(s.states.other, s.states.used() - 1, "only our own state is visible");
    let remedies: Vec<&str> = s.limited.iter().map(|l| l.remedy.as_str()).collect();
    assert_eq!(remedies, ["GRANT pg_monitor TO warroom;", "GRANT pg_read_all_stats TO warroom;"]);
    sql(&mut admin, "GRANT pg_monitor TO warroom").await;
    let s = sample(mrg.poll().await);
    assert_eq!(s.states.lock_waiting as usize, scene.waiting, "a grant helps at the next look");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_extension_the_look_goes_on_and_names_it_wherever_it_is_installed_later() {
    let server = Server::start(&pg::any(), &["shared_preload_libraries='pg_stat_statements'"]);
    let mut admin = server.connect("test").await;
    let mut mrg = database(config(&server, "postgres"));
    for _ in 0..2 {
        let s = sample(mrg.poll().await);
        assert_eq!(s.statements, None);
        assert!(
            s.limited.iter().any(|l| l.remedy.starts_with("CREATE EXTENSION pg_stat_statements")),
            "{:?}",
            s.limited
        );
    }
    sql(&mut admin, r#"CREATE SCHEMA "My Tools"; CREATE EXTENSION pg_stat_statements SCHEMA "My Tools""#).await;
    let mut again = database(config(&server, "postgres"));
    assert!(sample(again.poll().await).statements.is_some_and(|s| !s.is_empty()));

    let bare = Server::start(&pg::any(), &[]);
    let mut admin = bare.connect("test").await;
    sql(&mut admin, "CREATE EXTENSION pg_stat_statements").await;
    let s = sample(database(config(&bare, "postgres")).poll().await);
    assert!(s.limited.iter().any(|l| l.remedy.contains("shared_preload_libraries")), "{:?}", s.limited);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_meets_a_lock_or_takes_too_long_gives_up_and_keeps_its_session() {
    let server = Server::start(&pg::any(), &[]);
    let mut admin = server.connect("test").await;
    let cases = [(Lapse::seconds(1), Lapse::minutes(1), "55P03"), (Lapse::minutes(1), Lapse::seconds(2), "57014")];
    for (lock_timeout, statement_timeout, code) in cases {
        let mut mrg = database(DatabaseConfig { lock_timeout, statement_timeout, ..config(&server, "postgres") });
        sample(mrg.poll().await);
        sql(&mut admin, "BEGIN; LOCK TABLE pg_catalog.pg_authid IN ACCESS EXCLUSIVE MODE").await;
        let f = failure(mrg.poll().await);
        assert_eq!((f.condition.state, f.condition.code.as_str()), (State::Late, code), "{}", f.condition.says.raw());
        assert_eq!(f.cost.map(|c| c.connections), Some(1));
        sql(&mut admin, "ROLLBACK").await;
        let before = number(
            &mut admin,
            "SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'warroom' ORDER BY 1 DESC LIMIT 1",
        )
        .await;
        sample(mrg.poll().await);
        let after = number(
            &mut admin,
            "SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'warroom' ORDER BY 1 DESC LIMIT 1",
        )
        .await;
        assert_eq!(before, after, "the same session");
    }
}

/// A pooler as PgBouncer is: it refuses startup options it does not know, or drops them when told to.
async fn pooler(to: u16, refuse: bool) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let length = client.read_u32().await.unwrap() as usize;
            let mut packet = vec![0; length - 4];
            client.read_exact(&mut packet).await.unwrap();
            if refuse {
                let body = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
                client.write_u8(b'E').await.unwrap();
                client.write_u32(body.len() as u32 + 4).await.unwrap();
                client.write_all(body).await.unwrap();
                continue;
            }
            let mut server = tokio::net::TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let mut words: Vec<&[u8]> = packet[4..].split(|b| *b == 0).collect();
            if let Some(i) = words.iter().position(|w| *w == b"options") {
                words.drain(i..=i + 1);
            }
            let rest = words.join(&0);
            server.write_u32(rest.len() as u32 + 8).await.unwrap();
            server.write_all(&packet[..4]).await.unwrap();
            server.write_all(&rest).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_nothing_is_asked_since_our_limits_would_not_hold() {
    let server = Server::start(&pg::any(), &["log_statement=all", "log_line_prefix='%a|'"]);
    for refuse in [true, false] {
        let port = pooler(server.port, refuse).await;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
        let f = failure(database(config_of(&url)).poll().await);
        assert_eq!(
            (f.condition.state, f.condition.code.as_str()),
            (State::Down, "pooler"),
            "{}",
            f.condition.says.raw()
        );
    }
    let asked = logged(&server);
    assert_eq!(asked.len(), 1, "the greeting alone reached the server: {asked:?}");
}
