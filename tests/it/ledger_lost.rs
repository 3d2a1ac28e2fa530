//! A ledger that dies while it is watched, and comes back: what needs it is unknown meanwhile, the rest goes on.

#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail like the tests themselves")]

use crate::pg::{self, Server, sql};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warroom::analysis::reconcile::{Class, Standing, standing};
use warroom::config::{self, Config};
use warroom::model::order::Asked;
use warroom::model::{Batch, Fact, Lapse, Span, Stamp};
use warroom::source;
use warroom::store::Store;

const WINDOW: &str = "from = \"2025-01-12T18:00:00+07:00\", to = \"2025-01-12T22:00:00+07:00\"";

/// A configuration as an operator writes it, over two servers.
fn written(orders: &Server, books: &Server) -> Config {
    let text = format!(
        r#"
        [incident]
        zone = "WIB"
        window = {{ {WINDOW} }}
        [[db]]
        name = "mrg"
        url = "{}"
        interval = "1s"
        [[db]]
        name = "ho"
        url = "{}"
        interval = "1s"
        [[query]]
        role = "orders"
        db = "mrg"
        interval = "5s"
        sql = """SELECT id AS order_id, born AS created_at, state AS status, total AS amount FROM orders
            WHERE born >= :from AND born < :to AND (born, id) > (:after_at, :after_id) ORDER BY born, id LIMIT :limit"""
        [[query]]
        role = "payments"
        db = "mrg"
        mode = "ids"
        interval = "5s"
        sql = "SELECT ref AS upg_ref, order_id, amount, state AS payment_status, at AS created_at FROM payments WHERE order_id = ANY(:ids)"
        [[query]]
        role = "ho_payments"
        db = "ho"
        mode = "ids"
        interval = "5s"
        sql = "SELECT id::text AS ho_ref, upg_ref, amount, at AS recorded_at FROM books WHERE upg_ref = ANY(:refs)"
        "#,
        orders.url("warroom"),
        books.url("warroom")
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    config::load::load(&file).unwrap_or_else(|e| panic!("{e:?}"))
}

/// What is heard, as a store that lives so much later than the servers.
struct Heard {
    rx: mpsc::Receiver<Batch>,
    store: Store,
    later: Lapse,
    now: Stamp,
}

impl Heard {
    fn standing(&self) -> Standing {
        let window = Span::new(Stamp(0), self.now);
        standing(&self.store, window, self.now)
    }
    fn of(&self, class: Class) -> usize {
        self.standing().classes.iter().find(|c| c.class == class).map_or(0, |c| c.orders)
    }
    async fn until(&mut self, what: &str, enough: impl Fn(&Self) -> bool) {
        let end = tokio::time::Instant::now() + Duration::from_mins(1);
        while !enough(self) {
            let batch = tokio::time::timeout_at(end, self.rx.recv()).await;
            let mut batch = batch
                .unwrap_or_else(|_| panic!("waited in vain for: {what}; {:#?}", self.standing()))
                .expect("sources run");
            batch.seen = batch.seen + self.later;
            for fact in &mut batch.facts {
                match fact {
                    Fact::Ledger(ledger) => {
                        ledger.asof = ledger.asof + self.later;
                        if let Asked::Window(span) = &mut ledger.asked {
                            span.to = span.to.max(span.from);
                        }
                    }
                    Fact::Health(health) => health.at = health.at + self.later,
                    Fact::Cost(cost) => cost.at = cost.at + self.later,
                    _ => {}
                }
            }
            self.now = self.now.max(batch.seen);
            self.store.apply(&batch);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_dies_leaves_its_classes_unknown_and_its_return_is_taken_up() {
    let (orders, books) = (Server::start(&pg::any(), &[]), Server::start(&pg::any(), &[]));
    let mut mrg = orders.connect("test").await;
    sql(
        &mut mrg,
        "CREATE TABLE orders (id text PRIMARY KEY, born timestamptz NOT NULL, state text NOT NULL, total bigint);
         CREATE INDEX ON orders (born, id);
         CREATE TABLE payments (ref text PRIMARY KEY, order_id text, amount bigint, state text, at timestamptz);
         INSERT INTO orders SELECT 'ORD-' || g, '2025-01-12 18:00+07'::timestamptz + g * interval '1 min',
           CASE WHEN g % 3 = 0 THEN 'ACTIVE' ELSE 'COMPLETE' END, 412500 FROM generate_series(0, 29) g;
         INSERT INTO payments SELECT 'U-' || id, id, 412500, 'PAID', born FROM orders WHERE id <> 'ORD-3';
         CREATE ROLE warroom LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO warroom",
    )
    .await;
    let mut ho = books.connect("test").await;
    sql(
        &mut ho,
        "CREATE TABLE books (id serial PRIMARY KEY, upg_ref text, amount bigint, at timestamptz);
         INSERT INTO books (upg_ref, amount, at) SELECT 'U-ORD-' || g, 412500, '2025-01-12 18:00+07'::timestamptz + g * interval '1 min'
           FROM generate_series(0, 29) g WHERE g NOT IN (1, 3, 6);
         CREATE ROLE warroom LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO warroom",
    )
    .await;
    let config = written(&orders, &books);
    let (tx, rx) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let sources = source::start(&config, &tx, &cancel);
    let mut store = Store::default();
    store.incident = config::incident::incident(&config);
    let mut heard = Heard { rx, store, later: Lapse::ZERO, now: Stamp(0) };
    heard
        .until("all is known", |h| h.of(Class::PaidStuckNotRecorded) == 1 && h.of(Class::ChargedNotRecorded) == 1)
        .await;
    assert_eq!((heard.of(Class::UnpaidStuck), heard.of(Class::PaidStuckRecorded)), (1, 8));
    assert!(heard.standing().doubts.iter().all(|d| !d.contains("HO not read")), "{:?}", heard.standing().doubts);

    drop(ho);
    books.stop();
    // Half an hour of the incident passes.
    heard.later = Lapse::minutes(30);
    sql(
        &mut mrg,
        "INSERT INTO orders VALUES ('ORD-new', '2025-01-12 19:00+07', 'ACTIVE', 99000);
         INSERT INTO payments VALUES ('U-new', 'ORD-new', 99000, 'PAID', '2025-01-12 19:00+07')",
    )
    .await;
    heard.until("HO is missed", |h| h.of(Class::HoUnknown) == 1 && h.standing().total == 31).await;
    let standing = heard.standing();
    let doubt = standing.doubts.iter().find(|d| d.starts_with("unknown: HO not read since "));
    let doubt = doubt.unwrap_or_else(|| panic!("{:?}", standing.doubts));
    assert!(doubt.ends_with(": 1 order is unknown, 2 orders are counted as they were then"), "{doubt}");
    assert!(standing.was_so(Class::ChargedNotRecorded).is_some() && standing.was_so(Class::Ok).is_none());
    assert_eq!(heard.of(Class::UnpaidStuck), 1, "no money, no record: that needs no HO");
    assert_eq!(standing.stuck, 11, "how many are stuck needs no HO either");
    assert_eq!(standing.broken, None);

    books.launch();
    heard.later = Lapse::minutes(60);
    heard.until("HO is back", |h| h.of(Class::HoUnknown) == 0 && h.of(Class::PaidStuckNotRecorded) == 2).await;
    let standing = heard.standing();
    assert!(standing.doubts.iter().all(|d| !d.contains("HO not read")), "{:?}", standing.doubts);
    assert_eq!((standing.total, standing.broken), (31, None));
    cancel.cancel();
    sources.ended().await;
}
