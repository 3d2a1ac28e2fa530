//! Whose server it is, and what may be made on it.

use super::{bad_evening, claim, count, crew, options, play, start};
use crate::pg::{sql, until};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::time::Duration;
use warroom::model::Lapse;
use warroom::model::order::{OrderStatus, Rows};
use warroom::simulator::postgres::{Claim, Ground, Limits, Loader, Workload};
use warroom::simulator::scene::Scene;

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
    loader.load(&Rows::Orders(vec![super::ledgers::order(1, OrderStatus::Active)])).await.unwrap();
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
