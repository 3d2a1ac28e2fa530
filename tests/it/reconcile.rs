//! Reconciling whole windows against real databases: counts against SQL of its own, faults of ledgers, memory.

#![expect(clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

use crate::pg::{self, Server, number, sql};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use warroom::analysis::reconcile::class::{ALL, Class};
use warroom::config::Config;
use warroom::model::order::Role;
use warroom::runtime::reconcile::engine::{self, Outcome};
use warroom::runtime::reconcile::plan::Job;
use warroom::runtime::reconcile::progress::Progress;
use warroom::runtime::reconcile::{Ended, first};

/// Three days of orders, ten thousand each; the middle one is looked at.
const WORLD: &str = "
CREATE TABLE orders (id text PRIMARY KEY, born timestamptz NOT NULL, state text NOT NULL, total bigint);
CREATE TABLE payments (ref text PRIMARY KEY, order_id text NOT NULL, amount bigint, state text NOT NULL, born timestamptz NOT NULL, settled timestamptz);
CREATE TABLE ledger (id bigint PRIMARY KEY, upg_ref text, order_id text, amount bigint, at timestamptz NOT NULL);
CREATE TABLE calls (ref text, n int, at timestamptz, http int);
INSERT INTO orders SELECT 'O' || g, '2025-01-11 00:00+07'::timestamptz + g * interval '8.64 s',
  CASE g % 13 WHEN 0 THEN 'ACTIVE' WHEN 1 THEN 'EXPIRED' WHEN 2 THEN 'FAILED' WHEN 3 THEN 'CREATED' WHEN 4 THEN 'WEIRD' ELSE 'COMPLETE' END,
  CASE WHEN g % 17 = 0 THEN NULL ELSE 1000 + g % 977 END FROM generate_series(0, 29999) g;
INSERT INTO payments SELECT 'U' || g, 'O' || g, CASE WHEN g % 29 = 0 THEN NULL WHEN g % 23 = 0 THEN 1001 + g % 977 ELSE 1000 + g % 977 END,
  CASE g % 19 WHEN 0 THEN 'PENDING' WHEN 1 THEN 'REFUNDED' WHEN 2 THEN 'FAILED' WHEN 3 THEN 'LUNAS' ELSE 'PAID' END,
  o.born + interval '3 s', o.born + interval '10 s' FROM generate_series(0, 29999) g JOIN orders o ON o.id = 'O' || g WHERE g % 5 <> 0;
INSERT INTO payments SELECT 'V' || g, 'O' || g, 1000, 'PAID', o.born + interval '4 s', NULL FROM generate_series(0, 29999) g JOIN orders o ON o.id = 'O' || g WHERE g % 31 = 0;
INSERT INTO payments SELECT 'X' || g, 'NOBODY-' || g, 700, 'PAID', '2025-01-12 10:00+07'::timestamptz + g * interval '1 s', NULL FROM generate_series(1, 50) g;
-- HO names the order, or nothing, or the wrong one; some is days late; some is there twice.
INSERT INTO ledger SELECT g, 'U' || g, CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN 'O' || g ELSE 'O' || (g + 1) END,
  1000 + g % 977 + CASE WHEN g % 37 = 0 THEN 5 ELSE 0 END,
  o.born + CASE WHEN g % 11 = 0 AND g % 5 <> 0 AND g % 19 > 3 AND g % 41 <> 0 AND g % 15 <> 6 THEN interval '3 days' ELSE interval '30 s' END
  FROM generate_series(0, 29999) g JOIN orders o ON o.id = 'O' || g WHERE g % 7 <> 0;
INSERT INTO ledger SELECT 1000000 + g, 'U' || g, NULL, 1000 + g % 977, o.born + interval '40 s' FROM generate_series(0, 29999) g JOIN orders o ON o.id = 'O' || g WHERE g % 41 = 0;
-- Of what is not at HO, some was tried in vain, some acknowledged.
INSERT INTO calls SELECT 'U' || g, n, o.born + n * interval '1 min', CASE WHEN g % 2 = 0 THEN 503 WHEN n = 2 THEN 200 END
  FROM generate_series(0, 29999, 7) g JOIN orders o ON o.id = 'O' || g, generate_series(1, 2) n WHERE g % 4 <> 0;
CREATE INDEX ON orders (born, id); CREATE INDEX ON payments (born, ref); CREATE INDEX ON payments (order_id);
CREATE INDEX ON ledger (at, id); CREATE INDEX ON ledger (order_id); CREATE INDEX ON ledger (upg_ref); CREATE INDEX ON calls (ref);
CREATE ROLE warroom LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO warroom; ANALYZE";

/// The same in SQL: everything is long settled, so only the states count.
const TRUTH: &str = "
WITH p AS (SELECT order_id, count(*) FILTER (WHERE state = 'PAID') AS n, coalesce(sum(amount) FILTER (WHERE state = 'PAID'), 0)::bigint AS amount,
    count(*) FILTER (WHERE state = 'PAID' AND amount IS NULL) AS unnamed, count(*) FILTER (WHERE state = 'PENDING') AS pending,
    count(*) FILTER (WHERE state = 'LUNAS') AS unmapped FROM payments GROUP BY 1),
  h AS (SELECT coalesce(p.order_id, l.order_id) AS order_id, count(*) AS n, sum(l.amount)::bigint AS amount
    FROM ledger l LEFT JOIN payments p ON p.ref = l.upg_ref GROUP BY 1),
  c AS (SELECT p.order_id, count(*) AS n, bool_or(http BETWEEN 200 AND 299) AS acked FROM calls JOIN payments p USING (ref) GROUP BY 1),
  classed AS (SELECT o.total, coalesce(p.n, 0) AS pn, coalesce(p.amount, 0) AS pa, coalesce(h.n, 0) AS hn, coalesce(h.amount, 0) AS ha, o.state = 'ACTIVE' AS stuck,
    CASE WHEN p.n > 1 THEN 'duplicate_charge' WHEN p.unmapped > 0 THEN 'unmapped_payment_status'
      WHEN coalesce(p.n, 0) = 0 THEN CASE WHEN h.n > 0 THEN 'recorded_not_charged' WHEN o.state = 'WEIRD' THEN 'unmapped_status'
        WHEN o.state = 'COMPLETE' THEN 'complete_not_charged' WHEN o.state IN ('FAILED', 'EXPIRED') THEN 'ok'
        WHEN o.state = 'ACTIVE' AND p.pending > 0 THEN 'payment_pending_stuck' WHEN o.state = 'ACTIVE' THEN 'unpaid_stuck' ELSE 'in_flight' END
      WHEN h.n > 1 THEN 'duplicate_record'
      WHEN h.n = 1 AND p.unnamed = 0 AND p.amount <> h.amount THEN 'amount_mismatch_upg_ho'
      WHEN p.unnamed = 0 AND o.total <> p.amount THEN 'amount_mismatch_order_upg'
      WHEN o.state = 'WEIRD' THEN 'unmapped_status'
      WHEN coalesce(h.n, 0) = 0 THEN CASE
        WHEN o.state = 'ACTIVE' THEN CASE WHEN c.acked THEN 'acked_not_recorded' WHEN c.n > 0 THEN 'paid_stuck_unrecorded_callback_failed' ELSE 'paid_stuck_unrecorded_never_sent' END
        WHEN c.acked THEN 'acked_not_recorded' WHEN o.state IN ('FAILED', 'EXPIRED') THEN 'failed_but_charged' ELSE 'charged_not_recorded' END
      WHEN o.state = 'ACTIVE' THEN 'paid_stuck_recorded' WHEN o.state IN ('FAILED', 'EXPIRED') THEN 'failed_but_charged'
      WHEN o.state = 'CREATED' THEN 'in_flight' ELSE 'ok' END AS class
    FROM orders o LEFT JOIN p ON p.order_id = o.id LEFT JOIN h ON h.order_id = o.id LEFT JOIN c ON c.order_id = o.id
    WHERE o.born >= '2025-01-12 00:00+07' AND o.born < '2025-01-13 00:00+07'
    UNION ALL SELECT NULL, p.n, p.amount, 0, 0, false, 'orphan_payment' FROM p WHERE order_id LIKE 'NOBODY-%')
SELECT class, count(*), sum(CASE WHEN pn > 0 THEN pa ELSE coalesce(total, 0) END)::bigint, sum(pa)::bigint, sum(ha)::bigint,
  count(*) FILTER (WHERE stuck), count(*) FILTER (WHERE stuck AND pn > 0) FROM classed GROUP BY 1 ORDER BY 1";

const MAPS: &str = "order_status = { GANTUNG = \"active\" }\n";
const ORDERS: &str = "SELECT id AS order_id, born AS created_at, state AS status, total AS amount FROM orders";
const PAYMENTS: &str = "SELECT ref AS upg_ref, order_id, amount, state AS payment_status, born AS created_at, settled AS settled_at FROM payments";
const HO: &str = "SELECT id AS ho_ref, upg_ref, order_id, amount, at AS recorded_at FROM ledger";
const CALLS: &str =
    "SELECT ref AS upg_ref, n AS attempt, at AS sent_at, http AS http_status FROM calls WHERE ref = ANY(:refs)";

fn pages(of: &str, at: &str, id: &str) -> String {
    format!(
        "{of} WHERE {at} >= :from AND {at} < :to AND ({at}, {id}) > (:after_at, :after_id) ORDER BY {at}, {id} LIMIT :limit"
    )
}

fn query(role: &str, db: &str, mode: &str, text: &str) -> String {
    let maps = if role == "orders" { MAPS } else { "" };
    format!("[[query]]\nrole = \"{role}\"\ndb = \"{db}\"\nmode = \"{mode}\"\nsql = \"{text}\"\n{maps}")
}

/// Every role in both modes.
fn queries() -> Vec<String> {
    vec![
        query("orders", "mrg", "window", &pages(ORDERS, "born", "id")),
        query("orders", "mrg", "ids", &format!("{ORDERS} WHERE id = ANY(:ids)")),
        query("payments", "upg", "window", &pages(PAYMENTS, "born", "ref")),
        query("payments", "upg", "ids", &format!("{PAYMENTS} WHERE order_id = ANY(:ids)")),
        query("ho_payments", "ho", "window", &pages(HO, "at", "id")),
        query("ho_payments", "ho", "ids", &format!("{HO} WHERE order_id = ANY(:ids) OR upg_ref = ANY(:refs)")),
        query("callbacks", "upg", "ids", CALLS),
    ]
}

struct World {
    server: Server,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let server = Server::start(&pg::any(), &[]);
        sql(&mut server.connect("test").await, WORLD).await;
        Self { server, folder: tempfile::tempdir().unwrap() }
    }

    /// A configuration file; a ledger may stand at another address.
    fn file(&self, queries: &[String], urls: &[(&str, &str)]) -> PathBuf {
        let mut text = String::from(
            "[incident]\nwindow = { from = \"2025-01-12T00:00:00+07:00\", to = \"2025-01-13T00:00:00+07:00\" }\n",
        );
        for db in ["mrg", "upg", "ho"] {
            let own = self.server.url("warroom");
            let url = urls.iter().find(|(name, _)| *name == db).map_or(own.as_str(), |(_, url)| url);
            let db = format!("[[db]]\nname = \"{db}\"\nurl = \"{url}\"\nwatch = false\nstatement_timeout = \"20s\"\n");
            text.push_str(&db);
        }
        text += &queries.join("\n");
        let path = self.folder.path().join("config.toml");
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path
    }

    fn job(&self, queries: &[String], urls: &[(&str, &str)]) -> Job {
        let config: Config = warroom::config::load::load(&self.file(queries, urls)).unwrap_or_else(|e| panic!("{e:?}"));
        Job {
            window: config.incident.window.unwrap(),
            config,
            folder: std::env::temp_dir(),
            // So little that everything goes over the disk in many runs.
            room: 256 << 10,
            list: None,
            cancel: CancellationToken::new(),
            progress: Arc::new(Progress::default()),
        }
    }

    async fn truth(&self) -> BTreeMap<String, [i64; 6]> {
        let mut admin: PgConnection = self.server.connect("test").await;
        let rows = sqlx::query(AssertSqlSafe(TRUTH)).fetch_all(&mut admin).await.unwrap();
        rows.iter().map(|r| (r.get(0), [1, 2, 3, 4, 5, 6].map(|i| r.get::<i64, _>(i)))).collect()
    }
}

fn counts(outcome: &Outcome) -> BTreeMap<String, [i64; 4]> {
    let of = |c: Class| {
        let n = outcome.day.classes[c.number()];
        (c.key().to_owned(), [n.orders as i64, n.amount, n.paid, n.recorded])
    };
    ALL.into_iter().map(of).filter(|(_, n)| n[0] > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_class_and_every_sum_is_what_sql_says() {
    let world = World::new().await;
    let outcome = engine::run(&world.job(&queries(), &[])).await.expect("a result");
    let truth = world.truth().await;
    let four = |n: &[i64; 6]| [n[0], n[1], n[2], n[3]];
    let wanted: BTreeMap<_, _> = truth.iter().map(|(class, n)| (class.clone(), four(n))).collect();
    assert_eq!(counts(&outcome), wanted);
    assert!(wanted.len() >= 18, "the world has too few classes to tell: {:?}", wanted.keys());
    let s = &outcome.day.standing;
    let sum = |i: usize| truth.values().map(|n| n[i]).sum::<i64>();
    assert_eq!((s.total, s.stuck as i64, s.stuck_paid as i64), (10_000, sum(4), sum(5)));
    assert_eq!(outcome.broken, None);
    assert!(outcome.coverage.iter().all(|c| c.reached.failed.is_none()) && outcome.asof.is_some());
    assert_eq!(outcome.day.curve.len(), 1_440, "an order every 8.64 s: one in each minute at least");
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_and_books_that_can_only_be_asked_by_name_give_the_same() {
    let world = World::new().await;
    let all = queries();
    let fewer: Vec<String> = [0, 1, 3, 5, 6].map(|i| all[i].clone()).to_vec();
    let outcome = engine::run(&world.job(&fewer, &[])).await.expect("a result");
    let got = counts(&outcome);
    let wanted = world.truth().await;
    // Without a window nobody sees payments of orders that are not there, nor records of those that ended
    // well and unpaid.
    for (class, n) in wanted
        .iter()
        .filter(|(c, _)| !matches!(c.as_str(), "orphan_payment" | "ok" | "in_flight" | "recorded_not_charged"))
    {
        assert_eq!(got.get(class).map(|n| (n[0], n[1])), Some((n[0], n[1])), "{class}");
    }
    assert_eq!((outcome.broken, outcome.day.standing.total), (None, 10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_reached_is_unknown_and_the_rest_goes_on() {
    let world = World::new().await;
    let nobody = format!("postgres://warroom@127.0.0.1:{}/ho", pg::quiet_port());
    let outcome = engine::run(&world.job(&queries(), &[("ho", &nobody)])).await.expect("a result");
    let truth = world.truth().await;
    let got = counts(&outcome);
    for same in ["duplicate_charge", "unmapped_payment_status", "orphan_payment"] {
        assert_eq!(got[same][0], truth[same][0], "{same} does not need HO");
    }
    assert!(got["ho_unknown"][0] > 4_000, "{got:?}");
    for needs_it in ["charged_not_recorded", "failed_but_charged", "paid_stuck_recorded", "duplicate_record"] {
        assert!(!got.contains_key(needs_it), "nobody looked into HO's books: {needs_it}");
    }
    assert_eq!((outcome.day.standing.total, outcome.broken.clone()), (10_000, None));
    assert!(!outcome.whole());
    let failed = outcome.coverage.iter().find(|c| c.role == Role::HoPayments).and_then(|c| c.reached.failed.clone());
    assert!(failed.unwrap().says.raw().contains("nothing listens"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_on_where_its_session_was_ended() {
    let world = World::new().await;
    let job = world.job(&queries(), &[]);
    let mut admin = world.server.connect("test").await;
    let progress = Arc::clone(&job.progress);
    let work = tokio::spawn(async move { engine::run(&job).await });
    let (mut killed, mut seen) = (0, 0);
    while !work.is_finished() && killed < 12 {
        // Whenever a page has come, so that every session was met and none is only being opened.
        let rows = [Role::Orders, Role::Payments, Role::HoPayments].map(|r| progress.of(r).rows);
        if rows.contains(&0) || rows.iter().sum::<u64>() == seen {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        seen = rows.iter().sum();
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'warroom'";
        killed += number(&mut admin, ended).await;
    }
    let outcome = work.await.unwrap().expect("a result");
    assert!(killed > 2, "no session was there to be ended");
    let truth = world.truth().await;
    let wanted: BTreeMap<_, _> = truth.iter().map(|(c, n)| (c.clone(), [n[0], n[1], n[2], n[3]])).collect();
    assert_eq!(counts(&outcome), wanted);
    assert_eq!(progress.of(Role::Orders).rows, 10_000, "no page was counted twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_it_is_told_and_leaves_no_statement_behind() {
    let world = World::new().await;
    let slow = query(
        "orders",
        "mrg",
        "window",
        &pages(ORDERS, "born", "id").replace("WHERE", "WHERE pg_sleep(10) IS NOT NULL AND"),
    );
    let job = world.job(&[slow], &[]);
    let cancel = job.cancel.clone();
    let mut admin = world.server.connect("test").await;
    let work = tokio::spawn(async move { engine::run(&job).await.map(|_| ()) });
    let ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warroom' AND query LIKE '%pg_sleep%' AND state = 'active'";
    pg::until(&mut admin, ours, 1).await;
    cancel.cancel();
    assert_eq!(work.await.unwrap(), Err(Ended::Cancelled));
    pg::until(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warroom'", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_rows_of_one_order_and_rows_that_come_twice_are_counted_right() {
    let world = World::new().await;
    let mut admin = world.server.connect("test").await;
    sql(
        &mut admin,
        "INSERT INTO payments SELECT 'M' || g, 'O15001', 10, 'PAID', '2025-01-12 12:00:10+07', NULL FROM generate_series(1, 100000) g;
         CREATE VIEW twice AS SELECT * FROM orders UNION ALL SELECT * FROM orders WHERE id LIKE '%77'; GRANT SELECT ON twice TO warroom",
    )
    .await;
    let mut all = queries();
    all[0] = query("orders", "mrg", "window", &pages(&ORDERS.replace("FROM orders", "FROM twice"), "born", "id"));
    let mut job = world.job(&all, &[]);
    job.list = Some(vec![Class::ChargedTwice]);
    let outcome = engine::run(&job).await.expect("a result");
    let truth = world.truth().await;
    assert_eq!(counts(&outcome)["duplicate_charge"], [0, 1, 2, 3].map(|i| truth["duplicate_charge"][i]));
    assert_eq!(outcome.broken, None);
    let again = number(&mut admin, "SELECT count(*) FROM orders WHERE id LIKE '%77' AND born >= '2025-01-12 00:00+07' AND born < '2025-01-13 00:00+07'").await;
    assert!(outcome.again.of(Role::Orders).rows as i64 >= again - 2, "{:?}, {again}", outcome.again.of(Role::Orders));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_affected_orders_come_without_the_rest_of_the_window() {
    let world = World::new().await;
    let mut job = world.job(&queries(), &[]);
    job.list = Some(first::faults());
    assert!(first::possible(&job));
    let outcome = first::first(&job, 50).await.expect("a result");
    assert!(outcome.list.as_ref().unwrap().records() >= 50);
    assert!(job.progress.of(Role::Orders).rows <= 1_000, "{:?}", job.progress.of(Role::Orders));
}

fn warroom(world: &World, arguments: &[&str]) -> Output {
    let home = world.folder.path();
    Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["--config", home.join("config.toml").to_str().unwrap()])
        .args(arguments)
        .env("HOME", home)
        .env_remove("WARROOM_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_say_the_same_numbers_to_people_machines_and_spreadsheets() {
    let world = World::new().await;
    world.file(&queries(), &[]);
    let truth = world.truth().await;
    let out = warroom(&world, &["reconcile", "--json"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&json["total"], &json["adds_up"]), (&10_000.into(), &true.into()));
    for class in json["classes"].as_array().unwrap() {
        let key = class["class"].as_str().unwrap();
        assert_eq!(
            (class["orders"].as_i64(), class["amount"].as_i64()),
            (Some(truth[key][0]), Some(truth[key][1])),
            "{key}"
        );
    }
    assert!(json["unknown"].to_string().contains("WEIRD"), "{}", json["unknown"]);

    let out = warroom(&world, &["reconcile"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("complete, not at HO") && text.contains("10.000"), "{text}");

    let out = warroom(&world, &["orders", "--class", "charged_not_recorded,acked-not-recorded"]);
    let text = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).skip(1).collect();
    assert_eq!(lines.len() as i64, truth["charged_not_recorded"][0] + truth["acked_not_recorded"][0]);
    let body: String = lines.iter().map(|l| format!("{l}\n")).collect();
    let sha256 = <sha2::Sha256 as sha2::Digest>::digest(body.as_bytes());
    let sha256: String = sha256.iter().map(|b| format!("{b:02x}")).collect();
    assert!(text.contains(&sha256) && text.contains("# as of 20"), "{}", text.lines().take(4).collect::<String>());

    let out = warroom(
        &world,
        &[
            "orders",
            "--class",
            "unpaid_stuck",
            "--format",
            "json",
            "--from",
            "06:00",
            "--to",
            "2025-01-12T18:00:00+07:00",
        ],
    );
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let orders = json["orders"].as_array().unwrap();
    assert!(!orders.is_empty() && json["count"] == orders.len());
    assert!(orders.iter().all(|o| o["next"] == "expire_order" && !o["precondition"].as_str().unwrap().is_empty()));
    assert!(orders.iter().all(|o| o["class"] == "unpaid_stuck" && o["born"].as_str().unwrap() >= "2025-01-12T06:00"));

    assert_eq!(warroom(&world, &["orders", "--class", "nonsense"]).status.code(), Some(2));
    assert_eq!(warroom(&world, &["reconcile", "--from", "soon"]).status.code(), Some(2));
    let nobody = format!("postgres://warroom@127.0.0.1:{}/ho", pg::quiet_port());
    world.file(&queries(), &[("ho", &nobody)]);
    let out = warroom(&world, &["reconcile"]);
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("unknown: HO not read"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_report_of_real_databases_says_what_sql_says() {
    let world = World::new().await;
    world.file(&queries(), &[]);
    let truth = world.truth().await;
    let out = warroom(&world, &["--no-record", "report", "--format", "json", "--wait", "90s"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let r: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let impact = &r["impact"];
    let sum = |i: usize| truth.values().map(|n| n[i]).sum::<i64>();
    assert_eq!(
        (impact["orders"].as_i64(), impact["stuck"].as_i64(), impact["stuck_paid"].as_i64()),
        (Some(10_000), Some(sum(4)), Some(sum(5))),
        "{impact}"
    );
    let said: BTreeMap<String, [i64; 2]> = impact["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            (c["key"].as_str().unwrap().to_owned(), [c["orders"].as_i64().unwrap(), c["amount"].as_i64().unwrap()])
        })
        .collect();
    let wanted: BTreeMap<String, [i64; 2]> = truth.iter().map(|(class, n)| (class.clone(), [n[0], n[1]])).collect();
    assert_eq!(said, wanted, "{}", impact["doubts"]);
}
