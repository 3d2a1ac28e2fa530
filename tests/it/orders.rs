//! Order-side queries against real databases: pages and ids, what is handed on, and what is refused.

#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

use crate::pg::{self, Server, number, sql};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warroom::config::{
    Config, DatabaseConfig, IncidentConfig, QueryConfig, QueryMode, RecordingConfig, ScreenConfig, Secret,
};
use warroom::model::health::{Health, State};
use warroom::model::incident::Rules;
use warroom::model::order::{Asked, Ledger, OrderStatus, PaymentStatus, Role, Rows};
use warroom::model::{Batch, Fact, Lapse, Span, Stamp, Zone};
use warroom::source::{self, CheckOk};

pub const ORDERS: &str = "SELECT o.id AS order_id, o.born AS created_at, o.state AS status, o.total AS amount, o.region
    FROM orders o WHERE o.born >= :from AND o.born < :to AND (o.born, o.id) > (:after_at, :after_id) ORDER BY o.born, o.id LIMIT :limit";
pub const PAYMENTS: &str = "SELECT ref AS upg_ref, order_id, amount, state AS payment_status, at AS created_at FROM payments WHERE order_id = ANY(:ids)";
const HO: &str = "SELECT id AS ho_ref, upg_ref, amount, at AS recorded_at FROM books WHERE upg_ref = ANY(:refs)";

pub fn at(text: &str) -> Stamp {
    Stamp::parse_rfc3339(text).unwrap()
}

pub fn query(role: Role, sql: &str) -> QueryConfig {
    QueryConfig {
        role,
        db: "mrg".into(),
        sql: sql.into(),
        mode: if sql.contains(":limit") { QueryMode::Window } else { QueryMode::Ids },
        interval: Lapse::seconds(1),
        limit: 7,
        zone: None,
        order_status: BTreeMap::from([("GANTUNG".to_owned(), OrderStatus::Active)]),
        payment_status: BTreeMap::from([("CHARGED".to_owned(), PaymentStatus::Paid)]),
        ..QueryConfig::new(role, "mrg", sql)
    }
}

pub fn config(server: &Server, queries: Vec<QueryConfig>) -> Config {
    config_at(&server.url("warroom"), queries)
}

fn config_at(url: &str, queries: Vec<QueryConfig>) -> Config {
    let db = DatabaseConfig {
        name: "mrg".into(),
        url: Secret::Plain(url.into()),
        interval: Lapse::seconds(1),
        statement_timeout: Lapse::minutes(1),
        lock_timeout: Lapse::minutes(1),
        connect_timeout: Lapse::minutes(1),
        watch: false,
    };
    let window = Span::new(at("2025-01-12T18:00:00+07:00"), at("2025-01-12T22:00:00+07:00"));
    Config {
        file: PathBuf::from("config.toml"),
        incident: IncidentConfig {
            title: None,
            note: None,
            zone: Zone::wib(),
            window: Some(window),
            baseline: None,
            rules: Rules::default(),
            lanes: Vec::new(),
            limits: Vec::new(),
            probes: Vec::new(),
            rules_in: Vec::new(),
            rule_files: Vec::new(),
        },
        databases: vec![db],
        logs: Vec::new(),
        queries,
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

pub async fn world(settings: &[&str]) -> (Server, sqlx::postgres::PgConnection) {
    let server = Server::start(&pg::any(), settings);
    let mut admin = server.connect("test").await;
    sql(
        &mut admin,
        "CREATE TABLE orders (id text PRIMARY KEY, born timestamptz NOT NULL, state text NOT NULL, total numeric(14,2), region text);
         CREATE INDEX ON orders (born, id);
         CREATE TABLE payments (ref uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id text, amount bigint, state text, at timestamptz);
         CREATE TABLE books (id serial PRIMARY KEY, upg_ref uuid, amount int, at timestamptz);
         -- Five orders a minute at the same instant, so that pages end inside an instant.
         INSERT INTO orders SELECT 'ORD-' || g, '2025-01-12 18:00+07'::timestamptz + (g / 5) * interval '1 min',
           CASE WHEN g % 3 = 0 THEN 'GANTUNG' ELSE 'COMPLETE' END, 412500, 'JKT' FROM generate_series(0, 99) g;
         INSERT INTO orders VALUES ('ORD-old', '2025-01-12 17:59:59+07', 'COMPLETE', 1, 'JKT'), ('ORD-late', '2025-01-12 22:00+07', 'COMPLETE', 1, 'JKT');
         INSERT INTO payments (order_id, amount, state, at) SELECT id, 412500, 'CHARGED', born FROM orders WHERE id <> 'ORD-3';
         INSERT INTO books (upg_ref, amount, at) SELECT ref, amount, at FROM payments WHERE order_id NOT IN ('ORD-6', 'ORD-1');
         CREATE ROLE warroom LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO warroom",
    )
    .await;
    (server, admin)
}

/// Everything the source `orders` said, gathered until `enough`.
pub struct Heard {
    rx: mpsc::Receiver<Batch>,
    pub ledgers: Vec<Ledger>,
    pub health: Vec<Health>,
    pub requests: u32,
    pub sources: source::Sources,
    cancel: CancellationToken,
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

pub fn listen(config: &Config) -> Heard {
    let (tx, rx) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let sources = source::start(config, &tx, &cancel);
    Heard { rx, ledgers: Vec::new(), health: Vec::new(), requests: 0, sources, cancel }
}

impl Heard {
    pub async fn until(&mut self, what: &str, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            let batch = tokio::time::timeout(Duration::from_mins(2), self.rx.recv()).await;
            let batch =
                batch.unwrap_or_else(|_| panic!("waited in vain for: {what}; {:?}", self.said())).expect("sources run");
            if &*batch.source != "orders" {
                continue;
            }
            for fact in batch.facts {
                match fact {
                    Fact::Ledger(l) => self.ledgers.push(l),
                    Fact::Health(h) => self.health.push(h),
                    Fact::Cost(c) => self.requests += c.requests,
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    pub fn said(&self) -> Vec<&str> {
        self.health.iter().map(|h| h.says.raw()).collect()
    }
    pub fn state(&self) -> Option<State> {
        self.health.last().map(|h| h.state)
    }
    pub fn orders(&self) -> Vec<&warroom::model::order::Order> {
        self.ledgers
            .iter()
            .filter_map(|l| if let Rows::Orders(rows) = &l.rows { Some(rows) } else { None })
            .flatten()
            .collect()
    }
    pub fn asked(&self, role: Role) -> Vec<String> {
        let of = |l: &Ledger| {
            if let Asked::Ids(ids) = &l.asked { ids.iter().map(ToString::to_string).collect() } else { Vec::new() }
        };
        self.ledgers.iter().filter(|l| l.rows.role() == role).flat_map(of).collect()
    }
    /// Whether the windows told about a role cover the configured one without a hole.
    pub fn covers(&self, window: Span) -> bool {
        let mut reached = window.from;
        for l in &self.ledgers {
            if let (Role::Orders, Asked::Window(s)) = (l.rows.role(), l.asked.clone())
                && s.from <= reached
            {
                reached = reached.max(s.to);
            }
        }
        reached >= window.to
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_read_page_by_page_and_ids_are_followed_to_upg_and_ho() {
    let (server, mut admin) = world(&[]).await;
    let config = config(
        &server,
        vec![query(Role::Orders, ORDERS), query(Role::Payments, PAYMENTS), query(Role::HoPayments, HO)],
    );
    let window = config.incident.window.unwrap();
    let mut heard = listen(&config);
    heard
        .until("all orders, payments and records", |h| {
            h.covers(window) && h.asked(Role::HoPayments).len() >= 100 && h.state() == Some(State::Well)
        })
        .await;

    let orders = heard.orders();
    assert_eq!(orders.len(), 100, "each once, none of outside the window");
    let first = orders.iter().find(|o| &*o.order_id == "ORD-0").unwrap();
    assert_eq!(
        (first.status.clone(), first.amount, first.region.as_deref()),
        (OrderStatus::Active, Some(412_500), Some("JKT"))
    );
    assert_eq!(first.created_at, window.from);
    let payments: usize = heard.ledgers.iter().map(|l| if let Rows::Payments(p) = &l.rows { p.len() } else { 0 }).sum();
    assert_eq!(payments, 99, "ORD-3 was never paid");
    let asked = heard.asked(Role::Payments);
    assert!(
        (0..100).all(|g| asked.contains(&format!("ORD-{g}"))),
        "silence about ORD-3 means something: it was asked for"
    );
    let records: usize =
        heard.ledgers.iter().map(|l| if let Rows::HoPayments(p) = &l.rows { p.len() } else { 0 }).sum();
    assert_eq!(records, 97);

    // One order heals: that row alone is told again, and settled orders are not asked for any more.
    heard.ledgers.clear();
    sql(&mut admin, "UPDATE orders SET state = 'COMPLETE' WHERE id = 'ORD-9'").await;
    heard.until("the changed order", |h| !h.orders().is_empty()).await;
    assert_eq!(heard.orders().iter().map(|o| &*o.order_id).collect::<Vec<_>>(), ["ORD-9"]);
    heard.ledgers.clear();
    heard.until("a later question", |h| !h.asked(Role::Payments).is_empty()).await;
    assert!(!heard.asked(Role::Payments).contains(&"ORD-2".to_owned()), "complete, paid and recorded");
    assert_eq!(number(&mut admin, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warroom'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_writes_is_stopped_by_its_transaction() {
    let (server, mut admin) = world(&[]).await;
    sql(
        &mut admin,
        "CREATE FUNCTION heal() RETURNS text LANGUAGE plpgsql AS 'BEGIN UPDATE orders SET state = ''COMPLETE''; RETURN ''x''; END';
         GRANT ALL ON ALL TABLES IN SCHEMA public TO warroom; CREATE SEQUENCE s; GRANT ALL ON SEQUENCE s TO warroom",
    )
    .await;
    let tail =
        "WHERE born >= :from AND born < :to AND (born, id) > (:after_at, :after_id) ORDER BY born, id LIMIT :limit";
    let writes = [
        format!("SELECT heal() AS order_id, born AS created_at, state AS status FROM orders {tail}"),
        format!("SELECT nextval('s')::text AS order_id, born AS created_at, state AS status FROM orders {tail}"),
        "WITH gone AS (DELETE FROM orders WHERE born >= :from AND born < :to RETURNING *) SELECT id AS order_id, born AS created_at, state AS status FROM gone LIMIT :limit".to_owned(),
        format!("SELECT id AS order_id, born AS created_at, state AS status FROM orders {tail} FOR UPDATE"),
    ];
    for text in writes {
        let mut heard = listen(&config(&server, vec![query(Role::Orders, &text)]));
        heard.until("a refusal", |h| h.health.iter().any(|h| h.code == "25006")).await;
        assert!(heard.health.last().unwrap().says.raw().contains("read-only transaction"), "{:?}", heard.said());
    }
    assert_eq!(number(&mut admin, "SELECT count(*) FROM orders WHERE state = 'GANTUNG'").await, 34);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_without_a_zone_are_refused_until_the_zone_is_told() {
    let (server, mut admin) = world(&[]).await;
    sql(&mut admin, "ALTER TABLE orders ALTER born TYPE timestamp USING born AT TIME ZONE 'Asia/Jakarta'").await;
    let mut heard = listen(&config(&server, vec![query(Role::Orders, ORDERS)]));
    heard.until("a refusal", |h| h.health.iter().any(|h| h.code == "query")).await;
    let health = heard.health.last().unwrap();
    assert!(
        health.says.raw().contains("created_at") && health.remedy.raw().contains("zone = \"Asia/Jakarta\""),
        "{}",
        health.says.raw()
    );

    let zoned = QueryConfig { zone: Some(Zone::wib()), ..query(Role::Orders, ORDERS) };
    let config = config(&server, vec![zoned]);
    let mut heard = listen(&config);
    heard.until("all orders", |h| h.covers(config.incident.window.unwrap())).await;
    assert_eq!(heard.orders().len(), 100);
    assert_eq!(heard.orders()[0].created_at, at("2025-01-12T18:00:00+07:00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_may_be_numbers_and_statuses_an_enum() {
    let (server, mut admin) = world(&[]).await;
    sql(
        &mut admin,
        "CREATE TYPE stand AS ENUM ('ACTIVE', 'COMPLETE'); CREATE TABLE jobs (id bigserial PRIMARY KEY, born timestamptz, state stand, total int);
         INSERT INTO jobs (born, state, total) SELECT '2025-01-12 19:00+07', 'ACTIVE', 5000 FROM generate_series(1, 20);
         CREATE TABLE paid (ref text, job bigint, amount numeric, state stand, at timestamptz); INSERT INTO paid SELECT 'U' || id, id, 5000, 'COMPLETE', born FROM jobs;
         GRANT SELECT ON jobs, paid TO warroom",
    )
    .await;
    let orders = "SELECT id AS order_id, born AS created_at, state AS status, total AS amount FROM jobs
        WHERE born >= :from AND born < :to AND (born, id) > (:after_at, :after_id) ORDER BY born, id LIMIT :limit";
    let payments = "SELECT ref AS upg_ref, job AS order_id, amount, state AS payment_status, at AS created_at FROM paid WHERE job = ANY(:ids)";
    let mut heard = listen(&config(&server, vec![query(Role::Orders, orders), query(Role::Payments, payments)]));
    heard.until("payments of all", |h| h.asked(Role::Payments).len() >= 20).await;
    assert_eq!(heard.orders().len(), 20, "three pages within one instant");
    heard.until("the unknown word", |h| h.said().iter().any(|s| s.contains("COMPLETE is not one warroom knows"))).await;
    assert!(heard.health.last().unwrap().remedy.raw().contains("payment_status = { \"COMPLETE\" = \"paid\" }"));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_query_the_column_and_the_remedy() {
    let (server, mut admin) = world(&["shared_preload_libraries='pg_stat_statements'"]).await;
    sql(&mut admin, "CREATE EXTENSION pg_stat_statements; CREATE TABLE secret (x int); ALTER TABLE orders ADD price float8; INSERT INTO orders VALUES ('ORD-f', '2025-01-12 19:00+07', 'ACTIVE', 0.5, '')").await;
    let tail = "FROM orders WHERE born >= :from AND born < :to AND (born, id) > (:after_at, :after_id) ORDER BY born, id LIMIT :limit";
    let cases = [
        (ORDERS.to_owned(), CheckOk::Yes, "5 columns found", ""),
        (format!("SELECT id AS order_id, born AS created_at {tail}"), CheckOk::No, "no column status", "AS status"),
        (format!("SELECT id AS order_id, born AS created_at, state AS status, price AS amount {tail}"), CheckOk::No, "amount is float8", "bigint"),
        (format!("SELECT id AS order_id, born::text AS created_at, state AS status {tail}"), CheckOk::No, "created_at is text", "timestamptz"),
        (format!("SELECT id AS order_id, nope AS created_at, state AS status {tail}"), CheckOk::No, "column \"nope\" does not exist", "Correct the column"),
        ("SELECT x::text AS order_id, now() AS created_at, 'a' AS status FROM secret WHERE now() >= :from AND now() < :to LIMIT :limit".into(), CheckOk::No, "permission denied for table secret", "GRANT SELECT"),
        ("SELECT id AS order_id FROM orders; DELETE FROM orders".into(), CheckOk::No, "more than one statement", "Mend sql"),
        ("DELETE FROM orders".into(), CheckOk::No, "begins with DELETE", "Mend sql"),
        ("SELECT id AS order_id, born AS created_at, state AS status FROM orders WHERE born > :since".into(), CheckOk::No, ":since", "Mend sql"),
    ];
    for (text, ok, says, remedy) in cases {
        let mut config = config(&server, vec![QueryConfig { mode: QueryMode::Window, ..query(Role::Orders, &text) }]);
        config.databases[0].watch = true;
        let lines = source::check(&config).await;
        let whats: Vec<&str> = lines.iter().map(|l| l.what.as_str()).collect();
        assert_eq!(whats, ["connection", "statistics", "top statements", "query orders on mrg"]);
        assert_eq!((lines[0].ok, lines[1].ok, lines[2].ok), (CheckOk::Yes, CheckOk::Partly, CheckOk::Partly));
        assert!(lines[1].remedy.raw().contains("GRANT pg_monitor TO warroom"));
        let line = &lines[3];
        assert_eq!(line.ok, ok, "{text}: {}", line.says.raw());
        assert!(
            line.says.raw().contains(says) && line.remedy.raw().contains(remedy),
            "{text}: {} · {}",
            line.says.raw(),
            line.remedy.raw()
        );
    }
    // Money in fractions passes the check by type and is refused by its rows, never rounded in silence.
    let mut heard = listen(&config(&server, vec![query(Role::Orders, ORDERS)]));
    heard.until("a refusal", |h| h.said().iter().any(|s| s.contains("not a whole number of rupiah"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_reached_leaves_its_queries_and_not_the_note_without_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note.md");
    std::fs::write(&note, "# Incident\n\n- [ ] Check pool metrics\n").unwrap();
    let mut config = config_at("postgres://warroom:hunter2@127.0.0.1:1/mrg", vec![query(Role::Orders, ORDERS)]);
    config.incident.note = Some(note);
    let (tx, mut rx) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let sources = source::start(&config, &tx, &cancel);
    let (mut orders_down, mut mrg_down, mut text) = (false, false, String::new());
    while !(orders_down && mrg_down && !text.is_empty()) {
        let batch = tokio::time::timeout(Duration::from_mins(2), rx.recv()).await.expect("all three speak").unwrap();
        for fact in batch.facts {
            match (&*batch.source, fact) {
                ("orders", Fact::Health(h)) if h.state == State::Down => {
                    orders_down = h.says.raw().contains("nothing listens");
                }
                ("mrg", Fact::Health(h)) if h.state == State::Down => mrg_down = h.next.is_some(),
                ("note", Fact::Note(n)) => n.text.raw().clone_into(&mut text),
                _ => {}
            }
        }
    }
    assert!(text.contains("Check pool metrics"));
    assert!(sources.refresh(&"orders".into()) && !sources.refresh(&"nobody".into()));
    cancel.cancel();
    sources.ended().await;
}
