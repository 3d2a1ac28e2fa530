//! A real PostgreSQL that shows the simulated world: what stands there is what was asked for, it is ours
//! alone to be touched, and nothing is left of it.

#![expect(clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

mod command;
mod ground;
mod ledgers;
mod private;

use crate::pg::{self, Server, number, sql, until};
use crate::postgres::{config, database, sample};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::collections::BTreeMap;
use std::time::Duration;
use warroom::model::Lapse;
use warroom::model::database::DbSample;
use warroom::simulator::postgres::{Claim, Ground, Limits, Standing, Workload};
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
    let anew = root.replace(
        "(extract(epoch FROM xact_start) * 1000000)::bigint",
        &format!("((extract(epoch FROM xact_start) * 1000000)::bigint > {began})::int::bigint"),
    );
    // Between two transactions there is no beginning to compare.
    until(&mut admin, &format!("SELECT coalesce(({anew}), 0)"), 1).await;
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
