//! A day of a million orders among ten, reconciled against UPG and HO: three real PostgreSQL servers, the
//! generator included.
//!
//! `cargo bench --bench orders` makes the data (minutes), then prints, beside the `COPY … ORDER BY` of the same
//! rows: the reconciliation of the last day, the count of 2 h 45, the first 50 affected orders of a spike, and
//! the peak of our resident memory. Budgets: 1.5 times the COPY, 100 MiB, 3 s, 1 s.
//!
//! `WARROOM_BENCH_ORDERS` is the orders of one day (1000000), `WARROOM_BENCH_FOLDER` a folder in which the
//! servers' data stay for the next time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::large_futures,
    reason = "a bench prints, and fails loudly"
)]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[expect(dead_code, reason = "the helper serves the tests as well")]
#[path = "../tests/it/pg.rs"]
mod pg;

use futures_util::TryStreamExt as _;
use pg::{Server, number, sql};
use sqlx::postgres::PgPoolCopyExt as _;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use warroom::config::{
    Config, DatabaseConfig, IncidentConfig, QueryConfig, QueryMode, RecordingConfig, ScreenConfig, Secret,
};
use warroom::model::incident::Rules;
use warroom::model::order::{OrderStatus, PaymentStatus, Role};
use warroom::model::{Lapse, Span, Stamp, Zone};
use warroom::runtime::reconcile::engine::{self, Outcome};
use warroom::runtime::reconcile::plan::Job;
use warroom::runtime::reconcile::progress::Progress;
use warroom::runtime::reconcile::{ROOM, first};

const DAYS: i64 = 10;
const BEGIN: &str = "2025-01-03T00:00:00+07:00";

const ORDERS: &str = "id AS order_id, created_at, state AS status, total AS amount, pay_method AS payment_method, region, updated_at FROM orders";
const PAYMENTS: &str = "ref AS upg_ref, order_id, amount, status AS payment_status, method AS payment_method, created_at, settled_at FROM payments";
const HO: &str = "id AS ho_ref, upg_ref, order_id, amount, recorded_at FROM ledger";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(bench());
}

struct Servers {
    mrg: Server,
    upg: Server,
    ho: Server,
}

async fn servers(per_day: i64) -> Servers {
    let folder = std::env::var_os("WARROOM_BENCH_FOLDER").map(PathBuf::from);
    let settings = [
        "shared_buffers=256MB",
        "max_wal_size=8GB",
        "wal_level=minimal",
        "max_wal_senders=0",
        "maintenance_work_mem=256MB",
        "synchronous_commit=off",
        "full_page_writes=off",
        "autovacuum=off",
    ];
    let n = per_day * DAYS;
    let step = 86_400.0 / per_day as f64;
    let born = format!("('{BEGIN}'::timestamptz + g * interval '{step} s')");
    let start = async |name: &str, text: String| {
        let (server, there) = match &folder {
            Some(folder) => Server::kept(&pg::any(), &folder.join(format!("{name}-{per_day}")), &settings),
            None => (Server::start(&pg::any(), &settings), false),
        };
        if !there {
            let begun = Instant::now();
            let mut admin = server.connect("bench").await;
            sql(&mut admin, &text).await;
            println!("{name}: data made in {:.0} s", begun.elapsed().as_secs_f64());
        }
        server
    };
    let grant = "CREATE ROLE warroom LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO warroom; CHECKPOINT";
    let mrg = start("mrg", format!(
        "CREATE TABLE orders (id text NOT NULL, created_at timestamptz NOT NULL, state text NOT NULL, total bigint, pay_method text, region text, updated_at timestamptz);
         INSERT INTO orders SELECT 'ORD-' || lpad(g::text, 9, '0'), {born},
           CASE WHEN g % 5 = 0 THEN CASE WHEN g % 2000 = 0 THEN 'ACTIVE' ELSE 'EXPIRED' END WHEN g % 500 = 1 THEN 'ACTIVE' ELSE 'COMPLETE' END,
           50000 + g % 700000, (ARRAY['VA BCA', 'QRIS', 'CARD', 'GOPAY'])[1 + g % 4], (ARRAY['JKT', 'SBY', 'BDG'])[1 + g % 3], {born} + interval '40 s'
           FROM generate_series(0, {n} - 1) g;
         ALTER TABLE orders ADD PRIMARY KEY (id); CREATE INDEX ON orders (created_at, id); ANALYZE orders")).await;
    let upg = start("upg", format!(
        "CREATE TABLE payments (ref text NOT NULL, order_id text NOT NULL, amount bigint, status text NOT NULL, method text, created_at timestamptz NOT NULL, settled_at timestamptz);
         INSERT INTO payments SELECT 'UPG-' || lpad(g::text, 9, '0'), 'ORD-' || lpad(g::text, 9, '0'), 50000 + g % 700000, 'SETTLED',
           (ARRAY['VA BCA', 'QRIS', 'CARD', 'GOPAY'])[1 + g % 4], {born} + interval '5 s', {born} + interval '20 s'
           FROM generate_series(0, {n} - 1) g WHERE g % 5 <> 0;
         ALTER TABLE payments ADD PRIMARY KEY (ref); CREATE INDEX ON payments (created_at, ref); CREATE INDEX ON payments (order_id); ANALYZE payments")).await;
    let ho = start("ho", format!(
        "CREATE TABLE ledger (id bigint NOT NULL, upg_ref text, order_id text, amount bigint, recorded_at timestamptz NOT NULL);
         INSERT INTO ledger SELECT g, 'UPG-' || lpad(g::text, 9, '0'), 'ORD-' || lpad(g::text, 9, '0'), 50000 + g % 700000, {born} + interval '35 s'
           FROM generate_series(0, {n} - 1) g WHERE g % 5 <> 0 AND g % 1000 <> 1 AND g % 10000 <> 3;
         ALTER TABLE ledger ADD PRIMARY KEY (id); CREATE INDEX ON ledger (recorded_at, id); CREATE INDEX ON ledger (order_id); CREATE INDEX ON ledger (upg_ref); ANALYZE ledger")).await;
    for server in [&mrg, &upg, &ho] {
        let mut admin = server.connect("bench").await;
        if number(&mut admin, "SELECT count(*) FROM pg_roles WHERE rolname = 'warroom'").await == 0 {
            sql(&mut admin, "VACUUM").await;
            sql(&mut admin, grant).await;
        }
    }
    Servers { mrg, upg, ho }
}

fn query(role: Role, db: &str, mode: QueryMode, text: String) -> QueryConfig {
    QueryConfig {
        role,
        db: db.into(),
        sql: text,
        mode,
        interval: Lapse::minutes(1),
        limit: 500,
        zone: None,
        order_status: BTreeMap::from([("ACTIVE".to_owned(), OrderStatus::Active)]),
        payment_status: BTreeMap::from([("SETTLED".to_owned(), PaymentStatus::Paid)]),
        ..QueryConfig::new(role, db, "")
    }
}

fn config(s: &Servers) -> Config {
    let db = |name: &str, server: &Server| DatabaseConfig {
        name: name.into(),
        url: Secret::Plain(server.url("warroom").into()),
        interval: Lapse::seconds(15),
        statement_timeout: Lapse::seconds(3),
        lock_timeout: Lapse::millis(200),
        connect_timeout: Lapse::seconds(5),
        watch: false,
    };
    let pages = |of: &str, at: &str, id: &str| {
        format!(
            "SELECT {of} WHERE {at} >= :from AND {at} < :to AND ({at}, {id}) > (:after_at, :after_id) ORDER BY {at}, {id} LIMIT :limit"
        )
    };
    let ids = |of: &str| format!("SELECT {of} WHERE order_id = ANY(:ids)");
    let (w, i) = (QueryMode::Window, QueryMode::Ids);
    Config {
        file: PathBuf::from("config.toml"),
        incident: IncidentConfig {
            title: None,
            note: None,
            zone: Zone::wib(),
            window: None,
            baseline: None,
            rules: Rules::default(),
            lanes: Vec::new(),
            limits: Vec::new(),
            probes: Vec::new(),
            rules_in: Vec::new(),
            rule_files: Vec::new(),
        },
        databases: vec![db("mrg", &s.mrg), db("upg", &s.upg), db("ho", &s.ho)],
        logs: Vec::new(),
        queries: vec![
            query(Role::Orders, "mrg", w, pages(ORDERS, "created_at", "id")),
            query(Role::Payments, "upg", w, pages(PAYMENTS, "created_at", "ref")),
            query(Role::Payments, "upg", i, ids(PAYMENTS)),
            query(Role::HoPayments, "ho", w, pages(HO, "recorded_at", "id")),
            query(Role::HoPayments, "ho", i, ids(HO)),
        ],
        huawei: None,
        prometheus: Vec::new(),
        scrapes: Vec::new(),
        mcp: Vec::new(),
        log_servers: Vec::new(),
        screen: ScreenConfig { colors: "auto".into(), glyphs: "auto".into(), mouse: false, slow: false, who: None },
        recording: RecordingConfig { folder: None, keep_free: 0 },
        keys: BTreeMap::new(),
    }
}

/// Copies the rows out and throws them away; how many bytes they were.
async fn copy(server: &Server, of: &str, at: &str, id: &str, window: Span) -> usize {
    let zone = Zone::wib();
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect(&server.url("postgres")).await.unwrap();
    let text = format!(
        "COPY (SELECT {of} WHERE {at} >= '{}' AND {at} < '{}' ORDER BY {at}, {id}) TO STDOUT",
        zone.rfc3339(window.from),
        zone.rfc3339(window.to)
    );
    let mut rows = pool.copy_out_raw(&text).await.unwrap();
    let mut bytes = 0;
    while let Some(part) = rows.try_next().await.unwrap() {
        bytes += part.len();
    }
    bytes
}

fn job(config: &Config, window: Span, list: Option<Vec<warroom::analysis::reconcile::Class>>) -> Job {
    Job {
        config: config.clone(),
        window,
        folder: std::env::temp_dir(),
        room: ROOM,
        list,
        cancel: CancellationToken::new(),
        progress: Arc::new(Progress::default()),
    }
}

/// Peak of our resident memory in MiB; writing 5 to `clear_refs` sets it back.
fn peak() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Processor seconds of this process so far: what it costs whoever else is on the machine.
fn spent() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = text.rsplit(')').next().unwrap();
    let ticks = |n: usize| after_name.split_whitespace().nth(n).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

async fn timed<T>(work: impl Future<Output = T>) -> (f64, T) {
    let begun = Instant::now();
    let done = work.await;
    (begun.elapsed().as_secs_f64(), done)
}

async fn bench() {
    let per_day = std::env::var("WARROOM_BENCH_ORDERS").ok().and_then(|t| t.parse().ok()).unwrap_or(1_000_000);
    let s = servers(per_day).await;
    let config = config(&s);
    let begin = Stamp::parse_rfc3339(BEGIN).unwrap() + Lapse::hours(24 * (DAYS - 1));
    let day = Span { from: begin, to: begin + Lapse::hours(24) };

    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..2 {
        let (a, _) = timed(copy(&s.mrg, ORDERS, "created_at", "id", day)).await;
        let (b, _) = timed(copy(&s.upg, PAYMENTS, "created_at", "ref", day)).await;
        let (c, _) = timed(copy(&s.ho, HO, "recorded_at", "id", day)).await;
        let (together, _) = timed(async {
            tokio::join!(
                copy(&s.mrg, ORDERS, "created_at", "id", day),
                copy(&s.upg, PAYMENTS, "created_at", "ref", day),
                copy(&s.ho, HO, "recorded_at", "id", day)
            )
        })
        .await;
        println!(
            "COPY: orders {a:.2} s + payments {b:.2} s + HO {c:.2} s = {:.2} s; all at once {together:.2} s",
            a + b + c
        );
        best = (best.0.min(a + b + c), best.1.min(together));
    }
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    // More than once: memory that is given back in pieces is not given back.
    for _ in 0..5 {
        let before = spent();
        let (t, outcome) = timed(engine::run(&job(&config, day, None))).await;
        let cost = spent() - before;
        let outcome: Outcome = outcome.expect("a result");
        assert!(outcome.whole(), "{:?}", outcome.broken);
        assert_eq!(outcome.day.standing.total as i64, per_day);
        println!(
            "reconcile: {t:.2} s = {:.2} of the COPYs in turn, {:.2} of them at once (budget 1.5), {cost:.2} s of it our processor time; {} stuck, {} not at HO; peak {:.0} MiB (budget 100)",
            t / best.0,
            t / best.1,
            outcome.day.standing.stuck,
            outcome.day.standing.not_at_ho,
            peak()
        );
    }
    let from = begin + Lapse::hours(18);
    let (t, outcome) = timed(engine::run(&job(&config, Span { from, to: from + Lapse::minutes(165) }, None))).await;
    println!("count of 2 h 45: {t:.2} s for {} orders (budget 3)", outcome.expect("a result").day.standing.total);
    let spike = Span { from: begin + Lapse::hours(19), to: begin + Lapse::hours(20) };
    let (t, outcome) = timed(first::first(&job(&config, spike, Some(first::faults())), 50)).await;
    let found = outcome.expect("a result").list.map_or(0, |l| l.records());
    println!("first {found} affected orders: {t:.2} s (budget 1)");
    println!("peak of resident memory: {:.0} MiB (budget 100)", peak());
}
