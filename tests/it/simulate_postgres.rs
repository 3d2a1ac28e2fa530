//! A real PostgreSQL that shows the simulated world: what stands there is what was asked for, it is ours
//! alone to be touched, and nothing is left of it.

#![expect(clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

use crate::pg::{self, Server, number, sql, until};
use crate::postgres::{config, database, sample};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Row as _};
use std::collections::BTreeMap;
use std::time::Duration;
use warroom::model::database::DbSample;
use warroom::model::order::{Callback, HoPayment, Order, OrderEvent, OrderStatus, Payment, PaymentStatus, Rows};
use warroom::model::{Lapse, Stamp};
use warroom::simulator::postgres::{Claim, Ground, Limits, Loader, Private, Standing, Workload};
use warroom::simulator::scene::{Crew, Root, Scene};
use warroom::source::runner::Poll as _;

fn crew(application: &str, [running, idle, idle_in_transaction, waiting]: [u32; 4]) -> Crew {
    Crew { application: application.to_owned(), running, idle, idle_in_transaction, waiting }
}

/// A chain of 4, a fan of 8, 5 behind a batch job, 60 idle, 20 idle in transaction.
fn bad_evening() -> Scene {
    Scene {
        max_connections: 200,
        crews: vec![
            crew("mrg-api", [6, 60, 19, 14]),
            crew("orchestrator", [0, 0, 1, 3]),
            crew("cron-settle", [2, 0, 0, 0]),
        ],
        root: Some(Root { application: "orchestrator".to_owned(), idle: true, open_for: Lapse::minutes(3) }),
        chain: 4,
        fan: 8,
        advisory: 5,
        deadlocks: 0,
        commits: 0.0,
        rollbacks: 0.0,
    }
}

fn options(server: &Server) -> PgConnectOptions {
    server.url("postgres").parse().unwrap()
}

async fn claim(server: &Server) -> Ground {
    Ground::claim(&options(server), Claim::default()).await.unwrap_or_else(|e| panic!("{e}"))
}

fn start(max_connections: u32) -> Server {
    Server::start(&pg::any(), &[&format!("max_connections={max_connections}")])
}

/// Plays a scene until the director says that it stands, and what is asked for has come true.
async fn play(workload: &mut Workload, scene: &Scene, so: impl Fn(&Standing) -> bool) -> Standing {
    let mut standing = Standing::default();
    for _ in 0..1_200 {
        standing = workload.perform(scene);
        if so(&standing) {
            return standing;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to that: {standing:?}");
}

/// Looks with the program's own source until a look is as wanted, while the scene goes on.
async fn look(workload: &mut Workload, scene: &Scene, server: &Server, so: impl Fn(&DbSample) -> bool) -> DbSample {
    let mut source = database(config(server, "postgres"));
    let mut last = None;
    for _ in 0..300 {
        workload.perform(scene);
        let seen = sample(source.poll().await);
        if so(&seen) {
            return seen;
        }
        last = Some(seen.states);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it was never seen: {last:?}");
}

const OURS: &str = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'warroom_simulate'";

async fn count(conn: &mut PgConnection, what: &str) -> i64 {
    number(conn, &format!("SELECT count(*) {what}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_evening_is_really_seen_by_the_programs_own_source() {
    let server = start(200);
    let ground = claim(&server).await;
    let mut mrg = Workload::new(&ground, "mrg", Limits::default());
    let scene = bad_evening();
    play(&mut mrg, &scene, Standing::settled).await;
    let of = |s: &DbSample, name: &str, state: &str| -> u32 {
        let these = s.applications.iter().filter(|a| a.name.raw() == name && a.state == state);
        these.map(|a| a.sessions).sum()
    };
    let seen = look(&mut mrg, &scene, &server, |s| {
        let all = [("mrg-api", "active", 20), ("mrg-api", "idle", 60), ("mrg-api", "idle in transaction", 19)];
        let others =
            [("orchestrator", "idle in transaction", 1), ("orchestrator", "active", 3), ("cron-settle", "active", 2)];
        s.states.lock_waiting == 17 && all.iter().chain(&others).all(|(app, state, n)| of(s, app, state) == *n)
    })
    .await;
    let by_pid: BTreeMap<i32, _> = seen.sessions.iter().map(|s| (s.pid, s)).collect();
    let behind = |pid: i32| seen.sessions.iter().filter(move |s| s.blocked_by.contains(&pid)).collect::<Vec<_>>();
    let heads: Vec<i32> =
        seen.sessions.iter().filter(|s| s.blocked_by.is_empty() && !behind(s.pid).is_empty()).map(|s| s.pid).collect();
    assert_eq!(heads.len(), 2, "a transaction and a batch job");
    let [root, batch] = ["orchestrator", "cron-settle"]
        .map(|app| by_pid[heads.iter().find(|pid| by_pid[pid].application.raw() == app).unwrap()]);
    assert_eq!((root.state.as_str(), batch.state.as_str()), ("idle in transaction", "active"));
    let next_to_root = behind(root.pid);
    assert_eq!(next_to_root.len(), 9, "the fan and the first of the chain");
    assert!(next_to_root.iter().all(|s| s.blocked_by.len() == 1), "side by side");
    assert_eq!(behind(batch.pid).len(), 5);
    assert!(batch.holds.iter().any(|l| l.target.raw() == "advisory 4711"));
    let mut depth = 0;
    let mut next = behind(root.pid).into_iter().find(|s| !behind(s.pid).is_empty());
    while let Some(s) = next {
        depth += 1;
        next = behind(s.pid).first().copied();
    }
    assert_eq!(depth, 4, "the chain");

    // The server's own word for it.
    let mut admin = server.connect("test").await;
    let waiting = "FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0";
    assert_eq!(count(&mut admin, waiting).await, 17);
    assert_eq!(count(&mut admin, "FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = 'mrg')").await, 5);

    // Everybody goes home: who waited is let go, and the same sessions go on.
    let calm =
        Scene { crews: vec![crew("mrg-api", [2, 70, 0, 0])], root: None, chain: 0, fan: 0, advisory: 0, ..scene };
    play(&mut mrg, &calm, Standing::settled).await;
    until(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", 0).await;
    until(
        &mut admin,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mrg-api' AND state = 'idle'",
        70,
    )
    .await;
    mrg.close().await;
    until(&mut admin, OURS, 0).await;
    ground.clear().await.unwrap();
    assert_eq!(count(&mut admin, "FROM pg_database WHERE datname IN ('mrg', 'orch', 'upg', 'ho')").await, 0);
    assert_eq!(count(&mut admin, "FROM pg_roles WHERE rolname = 'warroom_simulate'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_waits_is_called_off_while_the_head_stays_and_a_new_head_is_another_transaction() {
    let server = start(100);
    let ground = claim(&server).await;
    let mut mrg = Workload::new(&ground, "mrg", Limits::default());
    let mut scene = Scene { crews: vec![crew("a", [0, 2, 0, 7]), crew("orchestrator", [0, 0, 1, 0])], ..bad_evening() };
    (scene.chain, scene.fan, scene.advisory) = (2, 5, 0);
    play(&mut mrg, &scene, Standing::settled).await;
    let mut admin = server.connect("test").await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    until(&mut admin, waiting, 7).await;
    let root = "SELECT (extract(epoch FROM xact_start) * 1000000)::bigint FROM pg_stat_activity WHERE application_name = 'orchestrator'";
    let began = number(&mut admin, root).await;
    scene.crews[0] = crew("a", [0, 6, 0, 3]);
    scene.fan = 1;
    play(&mut mrg, &scene, Standing::settled).await;
    until(&mut admin, waiting, 3).await;
    assert_eq!(number(&mut admin, root).await, began, "the head has not moved");
    if let Some(root) = &mut scene.root {
        root.open_for = Lapse::seconds(1);
    }
    play(&mut mrg, &scene, Standing::settled).await;
    until(&mut admin, waiting, 3).await;
    assert!(number(&mut admin, root).await > began);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlocks_and_transactions_are_counted_by_the_server() {
    let server = start(60);
    let ground = claim(&server).await;
    let mut mrg = Workload::new(&ground, "mrg", Limits::default());
    let scene = Scene { deadlocks: 7, commits: 400.0, rollbacks: 12.0, max_connections: 60, ..Scene::default() };
    play(&mut mrg, &scene, |s| s.deadlocks >= 7).await;
    let mut admin = server.connect("test").await;
    let of = |column: &str| format!("SELECT {column} FROM pg_stat_database WHERE datname = 'mrg'");
    until(&mut admin, &of("deadlocks"), 7).await;
    let (commits, rollbacks) =
        (number(&mut admin, &of("xact_commit")).await, number(&mut admin, &of("xact_rollback")).await);
    let grown = |column: &str, by: i64| {
        format!("SELECT ({column} >= {by})::int::bigint FROM pg_stat_database WHERE datname = 'mrg'")
    };
    until(&mut admin, &grown("xact_commit", commits + 800), 1).await;
    until(&mut admin, &grown("xact_rollback", rollbacks + 12), 1).await;
    assert_eq!(mrg.perform(&scene).deadlocks, 7, "the same number again asks for no more");
    // The server's own setting is as it was for everybody else.
    assert_eq!(
        number(&mut admin, "SELECT setting::bigint FROM pg_settings WHERE name = 'deadlock_timeout'").await,
        1000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scene_that_fills_its_server_makes_this_one_refuse_us() {
    let server = start(40);
    let ground = claim(&server).await;
    let mut mrg = Workload::new(&ground, "mrg", Limits { seats: ground.usable(), ..Limits::default() });
    let full = Scene {
        max_connections: 200,
        crews: vec![crew("mrg-api", [90, 70, 30, 0]), crew("orchestrator", [0, 0, 7, 0])],
        ..Scene::default()
    };
    let mut admin = server.connect("test").await;
    sql(&mut admin, "CREATE ROLE warroom LOGIN").await;
    let standing = play(&mut mrg, &full, |s| s.full && s.refusals > 0).await;
    assert!(standing.at_post <= 37);
    // From now on the program is refused like everybody.
    let mut refused = database(config(&server, "warroom"));
    let mut code = String::new();
    for _ in 0..300 {
        mrg.perform(&full);
        match refused.poll().await {
            Err(failure) => {
                code = failure.condition.code;
                break;
            }
            Ok(_) => refused = database(config(&server, "warroom")),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(code, "53300");
    // A calmer scene gives the seats back.
    let calm = Scene { crews: vec![crew("mrg-api", [2, 40, 0, 0])], ..full };
    play(&mut mrg, &calm, |s| s.settled() && !s.full).await;
    until(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mrg-api'", 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenery_comes_back_after_the_server_was_restarted() {
    let server = start(100);
    let ground = claim(&server).await;
    let mut mrg = Workload::new(&ground, "mrg", Limits::default());
    let scene = bad_evening();
    let scene = Scene { crews: vec![crew("mrg-api", [2, 5, 1, 6])], chain: 2, fan: 3, advisory: 1, ..scene };
    play(&mut mrg, &scene, Standing::settled).await;
    server.stop();
    play(&mut mrg, &scene, |s| s.trouble.is_some()).await;
    server.launch();
    play(&mut mrg, &scene, Standing::settled).await;
    let mut admin = server.connect("test").await;
    for _ in 0..3 {
        mrg.perform(&scene);
    }
    until(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", 6).await;
    // And without a word to anybody: dropped, everything ends.
    drop(mrg);
    until(&mut admin, OURS, 0).await;
    // The session that claimed the server was lost in the restart; it is cleared all the same.
    ground.clear().await.unwrap();
    assert_eq!(count(&mut admin, "FROM pg_database WHERE datname = 'mrg'").await, 0);
}

fn order(n: u32, status: OrderStatus) -> Order {
    let at = Stamp::parse_rfc3339("2025-01-12T19:24:00.123456+07:00").unwrap() + Lapse::millis(i64::from(n));
    Order {
        order_id: format!("ORD-{n}").into(),
        created_at: at,
        status,
        amount: (!n.is_multiple_of(7)).then_some(i64::from(n) * 500),
        payment_method: Some("QR\tIS \\N\n\"x\"".into()),
        region: Some("JKT".into()),
        service_type: None,
        saga_step: Some("RESERVE".into()),
        trace_id: None,
        updated_at: Some(at),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_loaded_is_what_was_given_and_later_rows_replace_earlier_ones() {
    let server = start(60);
    let ground = claim(&server).await;
    let mut loader = Loader::new(&ground, Lapse::hours(1));
    let n = 45_000;
    let first: Vec<Order> = (0..n).map(|i| order(i, OrderStatus::Active)).collect();
    let sum: i64 = first.iter().filter_map(|o| o.amount).sum();
    assert_eq!(loader.load(&Rows::Orders(first.clone())).await.unwrap(), u64::from(n));
    let second: Vec<Order> = (0..n / 3).map(|i| order(i * 3, OrderStatus::Other("HELD".into()))).collect();
    // The same order twice in one hand-over: the later one counts.
    let twice = second.iter().cloned().chain([order(3, OrderStatus::Complete)]).collect();
    assert_eq!(loader.load(&Rows::Orders(twice)).await.unwrap(), u64::from(n / 3));
    let mut mrg = PgConnection::connect_with(&ground.options("mrg")).await.unwrap();
    for (query, wanted) in [
        ("SELECT count(*) FROM orders", i64::from(n)),
        ("SELECT sum(amount)::bigint FROM orders", sum),
        ("SELECT count(*) FROM orders WHERE status = 'ACTIVE' AND version = 1", i64::from(n - n / 3)),
        ("SELECT count(*) FROM orders WHERE status = 'HELD' AND version = 2", i64::from(n / 3 - 1)),
        ("SELECT count(*) FROM orders WHERE order_id = 'ORD-3' AND status = 'COMPLETE'", 1),
        ("SELECT count(*) FROM orders WHERE amount IS NULL", i64::from(n.div_ceil(7))),
        (
            "SELECT count(*) FROM orders WHERE service_type IS NULL AND trace_id IS NULL AND pod LIKE 'mrg-api-%'",
            i64::from(n),
        ),
    ] {
        assert_eq!(number(&mut mrg, query).await, wanted, "{query}");
    }
    let row = sqlx::query(
        "SELECT payment_method, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM orders WHERE order_id = 'ORD-0'",
    );
    let row = row.fetch_one(&mut mrg).await.unwrap();
    assert_eq!(row.get::<&str, _>(0), "QR\tIS \\N\n\"x\"");
    assert_eq!(row.get::<&str, _>(1), "2025-01-12 13:24:00.123456", "an hour later than it was");

    let at = Stamp::parse_rfc3339("2025-01-12T23:30:00+07:00").unwrap();
    let id = || "ORD-1".into();
    let payment = |status, settled_at| Payment {
        upg_ref: "UPG-1".into(),
        order_id: id(),
        amount: 500,
        status,
        created_at: at,
        settled_at,
        payment_method: None,
    };
    loader.load(&Rows::Payments(vec![payment(PaymentStatus::Pending, None)])).await.unwrap();
    loader.load(&Rows::Payments(vec![payment(PaymentStatus::Paid, Some(at + Lapse::millis(900)))])).await.unwrap();
    let callback = |attempt, http_status| Callback {
        order_id: Some(id()),
        upg_ref: Some("UPG-1".into()),
        attempt,
        sent_at: at,
        http_status,
        target: Some("HO".into()),
    };
    loader
        .load(&Rows::Callbacks(vec![callback(1, None), callback(2, Some(200)), callback(1, Some(503))]))
        .await
        .unwrap();
    let event = |to: &str, actor: &str| OrderEvent {
        order_id: id(),
        at,
        from: Some("CREATED".into()),
        to: to.into(),
        actor: Some(actor.into()),
        version: Some(2),
    };
    let events =
        vec![event("ACTIVE", "mrg"), event("ACTIVE", "orch"), event("RESERVE", "orch"), event("ACTIVE", "mrg")];
    loader.load(&Rows::OrderEvents(events)).await.unwrap();
    let book = HoPayment {
        ho_ref: "HO-1".into(),
        upg_ref: Some("UPG-1".into()),
        order_id: None,
        amount: 500,
        recorded_at: at,
    };
    loader.load(&Rows::HoPayments(vec![book])).await.unwrap();
    loader.number(i32::MAX).await.unwrap();
    for (system, query, wanted) in [
        ("upg", "SELECT count(*) FROM payments WHERE payment_status = 'PAID' AND gateway_ms = 900 AND amount = 500", 1),
        ("upg", "SELECT count(*) FROM callbacks", 2),
        ("upg", "SELECT count(*) FROM callbacks WHERE attempt = 1 AND http_status = 503 AND target = 'HO'", 1),
        ("orch", "SELECT count(*) FROM order_events", 3),
        ("orch", "SELECT count(*) FROM saga WHERE step = 'RESERVE' AND state = 'DONE'", 1),
        // Half past midnight in Jakarta, after the hour was added: the next day's books.
        ("ho", "SELECT count(*) FROM ho_payments WHERE business_date = '2025-01-13' AND order_id IS NULL", 1),
        ("mrg", "SELECT last_value FROM order_number", i64::from(i32::MAX)),
    ] {
        let mut conn = PgConnection::connect_with(&ground.options(system)).await.unwrap();
        assert_eq!(number(&mut conn, query).await, wanted, "{query}");
    }
    loader.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_ours_is_refused_untouched() {
    let server = start(60);
    let mut admin = server.connect("test").await;
    let attempt = async || Ground::claim(&options(&server), Claim::default()).await.map(|_| ()).unwrap_err();
    sql(&mut admin, "CREATE DATABASE upg").await;
    let says = attempt().await;
    assert!(says.contains("database upg") && says.contains("did not make"), "{says}");
    assert_eq!(count(&mut admin, "FROM pg_database WHERE datname IN ('mrg', 'orch', 'ho')").await, 0);
    sql(&mut admin, "DROP DATABASE upg").await;
    sql(&mut admin, "CREATE ROLE warroom_simulate").await;
    let says = attempt().await;
    assert!(says.contains("role warroom_simulate"), "{says}");
    sql(&mut admin, "DROP ROLE warroom_simulate").await;

    let ground = claim(&server).await;
    let says = attempt().await;
    assert!(says.contains("another warroom simulate"), "{says}");
    // What a simulation that was killed left behind is ours to take.
    drop(ground);
    let mut again = None;
    for _ in 0..200 {
        again = Ground::claim(&options(&server), Claim { keep: true, ..Claim::default() }).await.ok();
        if again.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    again.unwrap().clear().await.unwrap();
    assert_eq!(count(&mut admin, "FROM pg_database WHERE datname IN ('mrg', 'orch', 'upg', 'ho')").await, 4, "kept");

    let elsewhere: PgConnectOptions = "postgres://w:hunter2@db.example.com/mrg".parse().unwrap();
    let says = Ground::claim(&elsewhere, Claim::default()).await.map(|_| ()).unwrap_err();
    assert!(says.contains("--anywhere") && !says.contains("hunter2"), "{says}");
    let says = Ground::claim_url("host=x password=hunter2", Claim::default()).await.map(|_| ()).unwrap_err();
    assert!(says.contains("postgres://") && !says.contains("hunter2"), "{says}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_make_databases_schemas_do() {
    let server = start(60);
    let mut admin = server.connect("test").await;
    sql(&mut admin, "CREATE ROLE tenant LOGIN").await;
    sql(&mut admin, "CREATE DATABASE sandbox OWNER tenant").await;
    let url = server.url("tenant").replace("/postgres", "/sandbox");
    let ground = Ground::claim_url(&url, Claim::default()).await.unwrap();
    assert!(ground.describe().contains("schemas mrg, orch, upg, ho"), "{}", ground.describe());
    let mut loader = Loader::new(&ground, Lapse::ZERO);
    loader.load(&Rows::Orders(vec![order(1, OrderStatus::Active)])).await.unwrap();
    let mut orch = Workload::new(&ground, "orch", Limits::default());
    let scene =
        Scene { crews: vec![crew("orchestrator", [1, 1, 1, 2])], chain: 1, fan: 1, advisory: 0, ..bad_evening() };
    let scene = Scene { deadlocks: 1, ..scene };
    play(&mut orch, &scene, |s| s.settled() && s.deadlocks == 1).await;
    until(
        &mut admin,
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'sandbox'",
        2,
    )
    .await;
    orch.close().await;
    loader.close().await;
    ground.clear().await.unwrap();
    let mut sandbox = PgConnection::connect(&url).await.unwrap();
    assert_eq!(count(&mut sandbox, "FROM pg_namespace WHERE nspname IN ('mrg', 'orch', 'upg', 'ho')").await, 0);
}

/// The rest of what a child wrote, once it has ended by itself.
async fn ended(mut child: tokio::process::Child) -> (Option<i32>, String) {
    let status = tokio::time::timeout(Duration::from_mins(1), child.wait()).await.unwrap().unwrap();
    let mut text = String::new();
    for pipe in [child.stderr.take().map(Pipe::Err), child.stdout.take().map(Pipe::Out)].into_iter().flatten() {
        let mut bytes = Vec::new();
        match pipe {
            Pipe::Err(mut p) => tokio::io::AsyncReadExt::read_to_end(&mut p, &mut bytes).await.unwrap(),
            Pipe::Out(mut p) => tokio::io::AsyncReadExt::read_to_end(&mut p, &mut bytes).await.unwrap(),
        };
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    (status.code(), text)
}

enum Pipe {
    Out(tokio::process::ChildStdout),
    Err(tokio::process::ChildStderr),
}

fn simulate(url: &str, more: &[&str]) -> tokio::process::Child {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["simulate", "--postgres", url])
        .args(more)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_the_evening_until_it_is_told_to_end_and_takes_everything_with_it() {
    let server = start(120);
    let mut admin = server.connect("test").await;
    let (status, says) = ended(simulate("postgres://w:hunter2@db.example.com/x", &[])).await;
    assert_eq!(status, Some(2));
    assert!(says.contains("--anywhere") && !says.contains("hunter2"), "{says}");

    let child = simulate(&server.url("postgres"), &["--now", "19:50"]);
    let pid = child.id().unwrap() as i32;
    until(&mut admin, "SELECT count(*) FROM pg_database WHERE datname IN ('mrg', 'orch', 'upg', 'ho')", 4).await;
    let tree = "SELECT (count(*) >= 5)::int::bigint FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND datname = 'mrg'";
    until(&mut admin, tree, 1).await;
    let mut mrg = PgConnection::connect_with(&options(&server).database("mrg")).await.unwrap();
    // Rows of this very evening, moved to now, and more of them as it goes on.
    let orders = number(&mut mrg, "SELECT count(*) FROM mrg.orders WHERE created_at > now() - interval '1 hour'").await;
    assert!(orders > 5_000, "{orders}");
    let grown = format!("SELECT (count(*) > {orders})::int::bigint FROM mrg.orders");
    until(&mut mrg, &grown, 1).await;
    assert_eq!(
        number(&mut mrg, "SELECT count(*) FROM mrg.orders WHERE created_at > now() + interval '1 minute'").await,
        0
    );
    drop(mrg);
    pg::signal_pid(pid, rustix::process::Signal::INT);
    let (status, says) = ended(child).await;
    assert_eq!(status, Some(0), "{says}");
    assert!(says.contains("mrg, orch, upg, ho and the role warroom_simulate"), "{says}");
    assert_eq!(number(&mut admin, OURS).await, 0);
    assert_eq!(count(&mut admin, "FROM pg_database WHERE datname IN ('mrg', 'orch', 'upg', 'ho')").await, 0);
}

/// Processes whose command line names this folder.
fn processes(folder: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let named = entries.filter(|e| e.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    named
        .filter(|e| std::fs::read(e.path().join("cmdline")).is_ok_and(|c| String::from_utf8_lossy(&c).contains(folder)))
        .count()
}

async fn gone(folder: &str) {
    for _ in 0..1_200 {
        if processes(folder) == 0 && !std::path::Path::new(folder).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "{} processes of {folder} are left; the folder is there: {}",
        processes(folder),
        std::path::Path::new(folder).exists()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_server_starts_is_nobody_elses_and_leaves_nothing() {
    let bin = pg::any().bin;
    let server = Private::start_from(&bin, 37).await.unwrap_or_else(|e| panic!("{e}"));
    let folder = server.folder().display().to_string();
    let mut conn = PgConnection::connect(&server.url("warroom", "postgres")).await.unwrap();
    assert_eq!(number(&mut conn, "SELECT current_setting('max_connections')::bigint").await, 37);
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM pg_settings WHERE name = 'listen_addresses' AND setting = ''").await,
        1
    );
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&folder).unwrap());
    assert_eq!(mode & 0o777, 0o700);
    assert!(processes(&folder) > 1);
    // The whole world on it.
    let ground = Ground::claim(&server.options("postgres"), Claim { keep: true, ..Claim::default() }).await.unwrap();
    let mut mrg = Workload::new(&ground, "mrg", Limits { seats: 30, ..Limits::default() });
    play(&mut mrg, &bad_evening(), Standing::settled).await;
    server.stop().await.unwrap();
    assert_eq!((processes(&folder), std::path::Path::new(&folder).exists()), (0, false));
    play(&mut mrg, &bad_evening(), |s| s.trouble.is_some()).await;

    let server = Private::start_from(&bin, 20).await.unwrap_or_else(|e| panic!("{e}"));
    let folder = server.folder().display().to_string();
    drop(server);
    gone(&folder).await;

    let says = Private::start_from(&bin, 0).await.map(|_| ()).unwrap_err();
    assert!(says.contains("did not start") && says.contains("max_connections"), "{says}");
}

/// The name of the environment by which the test below tells its copy what it is.
const CHILD: &str = "WARROOM_TEST_PRIVATE_CHILD";

#[tokio::test(flavor = "multi_thread")]
async fn a_private_server_does_not_outlive_a_program_that_is_killed() {
    if std::env::var_os(CHILD).is_some() {
        let server = Private::start_from(&pg::any().bin, 20).await.unwrap_or_else(|e| panic!("{e}"));
        println!("at {} .", server.folder().display());
        tokio::time::sleep(Duration::from_mins(10)).await;
        return;
    }
    // This very test in a process of its own, that can be killed.
    let name = "simulate_postgres::a_private_server_does_not_outlive_a_program_that_is_killed";
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut text = String::new();
    let mut out = child.stdout.take().unwrap();
    let folder = loop {
        let mut bytes = [0; 256];
        let n = tokio::io::AsyncReadExt::read(&mut out, &mut bytes).await.unwrap();
        assert!(n > 0, "it ended: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..n]));
        if let Some((_, rest)) = text.split_once("at /")
            && let Some((folder, _)) = rest.split_once(" .")
        {
            break format!("/{folder}");
        }
    };
    assert!(processes(&folder) > 1);
    // SIGKILL: nothing of ours runs any more.
    child.kill().await.unwrap();
    gone(&folder).await;
}
