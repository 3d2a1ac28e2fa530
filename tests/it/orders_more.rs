//! Order-side queries beyond pages and ids: further roles and columns, changes by watermark, plans that are
//! refused, tables that change under a query.

use crate::orders::{ORDERS, PAYMENTS, at, config, listen, query, world};
use crate::pg::sql;
use warroom::config::{QueryConfig, QueryMode};
use warroom::model::Span;
use warroom::model::health::State;
use warroom::model::order::{Asked, Role, Rows, SagaState};
use warroom::source::{self, CheckOk};

#[tokio::test(flavor = "multi_thread")]
async fn every_role_brings_its_columns_and_orders_those_of_the_operator() {
    let (server, mut admin) = world(&[]).await;
    sql(
        &mut admin,
        "ALTER TABLE orders ADD app text, ADD pod int, ADD rev int;
         UPDATE orders SET app = '2.4', pod = 7, rev = 3 WHERE id = 'ORD-0';
         CREATE TABLE steps (order_id text, step text, attempt int, state text, at timestamptz, error text);
         INSERT INTO steps VALUES ('ORD-0', 'PAY', 1, 'failed', '2025-01-12 18:01+07', 'timeout'), ('ORD-0', 'PAY', 2, 'DONE', '2025-01-12 18:02+07', NULL);
         CREATE TABLE calls (ref text, attempt int, at timestamptz, code int, ms int, again timestamptz, dead bool);
         INSERT INTO calls VALUES ('U-1', 1, '2025-01-12 18:03+07', 503, 5000, '2025-01-12 18:08+07', true), ('U-1', 2, '2025-01-12 18:08+07', NULL, NULL, NULL, NULL);
         CREATE TABLE days (ref text, upg text, amount int, at timestamptz, day date);
         INSERT INTO days VALUES ('H-1', 'U-1', 5, '2025-01-12 21:55+07', '2025-01-13');
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO warroom",
    )
    .await;
    let orders = "SELECT o.id AS order_id, o.born AS created_at, o.state AS status, o.rev AS version, o.app AS app_version, o.pod
        FROM orders o WHERE o.born >= :from AND o.born < :to AND (o.born, o.id) > (:after_at, :after_id) ORDER BY o.born, o.id LIMIT :limit";
    let counts =
        "SELECT date_trunc('minute', born) AS bucket, state AS status, count(*) AS n, sum(total)::bigint AS amount
        FROM orders WHERE born >= :from AND born < :to GROUP BY 1, 2";
    let saga = "SELECT * FROM steps WHERE order_id = ANY(:ids)";
    let queue = "SELECT count(*) FILTER (WHERE dead IS NULL) AS n_pending, min(at) AS oldest_at, count(*) FILTER (WHERE dead) AS n_dead FROM calls";
    let calls = "SELECT ref AS upg_ref, attempt, at AS sent_at, code AS http_status, ms AS duration_ms, again AS next_attempt_at, dead FROM calls
        WHERE at >= :from AND at < :to AND (at, ref) > (:after_at, :after_id) ORDER BY at, ref LIMIT :limit";
    let books = "SELECT ref AS ho_ref, upg AS upg_ref, amount, at AS recorded_at, day AS business_date FROM days
        WHERE at >= :from AND at < :to AND (at, ref) > (:after_at, :after_id) ORDER BY at, ref LIMIT :limit";
    let queries = vec![
        QueryConfig { columns: vec!["app_version".into(), "pod".into()], ..query(Role::Orders, orders) },
        QueryConfig { mode: QueryMode::Window, ..query(Role::OrdersAgg, counts) },
        query(Role::Saga, saga),
        QueryConfig { mode: QueryMode::Window, ..query(Role::CallbackQueue, queue) },
        query(Role::Callbacks, calls),
        query(Role::HoPayments, books),
    ];
    let mut heard = listen(&config(&server, queries));
    let has = |h: &crate::orders::Heard, role| h.ledgers.iter().any(|l| l.rows.role() == role && !l.rows.is_empty());
    let roles = [Role::Orders, Role::OrdersAgg, Role::Saga, Role::CallbackQueue, Role::Callbacks, Role::HoPayments];
    heard.until("rows of every role", |h| roles.iter().all(|r| has(h, *r)) && h.orders().len() >= 100).await;

    let first = heard.orders().into_iter().find(|o| &*o.order_id == "ORD-0").unwrap();
    let attribute = |name: &str| first.attribute(name).map(ToString::to_string);
    assert_eq!(
        (attribute("app_version"), attribute("pod"), first.version),
        (Some("2.4".into()), Some("7".into()), Some(3))
    );
    let bare = heard.orders().into_iter().find(|o| &*o.order_id == "ORD-1").unwrap();
    assert!(bare.attributes.is_empty(), "NULL is no attribute");
    let mut counted = 0;
    for ledger in &heard.ledgers {
        match &ledger.rows {
            Rows::OrdersAgg(v) => counted += v.iter().map(|c| c.n).sum::<i64>(),
            Rows::Saga(v) if !v.is_empty() => {
                let states: Vec<_> = v.iter().map(|s| (s.attempt, s.state.clone())).collect();
                assert_eq!(states, [(1, SagaState::Failed), (2, SagaState::Done)]);
                assert_eq!(v[0].error.as_ref().map(warroom::model::Untrusted::raw), Some("timeout"));
            }
            Rows::CallbackQueue(v) => {
                assert_eq!(
                    (v[0].n_pending, v[0].n_dead, v[0].oldest_at),
                    (1, Some(1), Some(at("2025-01-12T18:03:00+07:00")))
                );
            }
            Rows::Callbacks(v) if !v.is_empty() => {
                assert_eq!((v[0].duration_ms, v[0].dead, v[1].dead), (Some(5000), Some(true), None));
                assert_eq!(v[0].next_attempt_at, Some(at("2025-01-12T18:08:00+07:00")));
            }
            Rows::HoPayments(v) if !v.is_empty() => {
                assert_eq!(v[0].business_date.map(|d| d.to_string()).as_deref(), Some("2025-01-13"));
            }
            _ => {}
        }
    }
    assert_eq!(counted, 100, "of a hundred orders each is counted once");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_watermark_a_change_is_seen_without_reading_the_window_again() {
    let (server, mut admin) = world(&[]).await;
    sql(
        &mut admin,
        "ALTER TABLE orders ADD changed timestamptz; UPDATE orders SET changed = born + interval '1 min'; CREATE INDEX ON orders (changed, id)",
    )
    .await;
    let orders = "SELECT o.id AS order_id, o.born AS created_at, o.state AS status, o.changed FROM orders o
        WHERE o.changed >= :from AND o.changed < :to AND (o.changed, o.id) > (:after_at, :after_id) ORDER BY o.changed, o.id LIMIT :limit";
    let by_change =
        QueryConfig { mode: QueryMode::Watermark, watermark: Some("changed".into()), ..query(Role::Orders, orders) };
    let config = config(&server, vec![by_change]);
    let window = config.incident.window.unwrap();
    let mut heard = listen(&config);
    heard.until("the whole window", |h| h.covers(window)).await;
    assert_eq!(heard.orders().iter().filter(|o| window.contains(o.created_at)).count(), 100);
    // While pages in the order of changes are still coming, no stretch of births is known whole.
    let told: Vec<bool> = heard.ledgers.iter().map(|l| matches!(&l.asked, Asked::Window(s) if s.from < s.to)).collect();
    assert!(told.len() > 5 && told[..told.len() - 1].iter().all(|whole| !whole) && told[told.len() - 1]);

    heard.ledgers.clear();
    heard.requests = 0;
    sql(&mut admin, "UPDATE orders SET state = 'COMPLETE', changed = now() WHERE id = 'ORD-9'").await;
    heard.until("the changed order", |h| !h.orders().is_empty()).await;
    assert_eq!(heard.orders().iter().map(|o| &*o.order_id).collect::<Vec<_>>(), ["ORD-9"]);
    // A row whose time of change is not newer than what was read is not read again at all.
    sql(&mut admin, "UPDATE orders SET state = 'COMPLETE' WHERE id = 'ORD-6'").await;
    sql(&mut admin, "UPDATE orders SET state = 'COMPLETE', changed = now() WHERE id = 'ORD-12'").await;
    heard.until("the second change", |h| h.orders().len() == 2).await;
    assert_eq!(heard.orders().iter().map(|o| &*o.order_id).collect::<Vec<_>>(), ["ORD-9", "ORD-12"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_reads_a_large_table_from_end_to_end_is_refused_before_it_runs() {
    let (server, mut admin) = world(&[]).await;
    sql(&mut admin, "ANALYZE; CREATE TABLE slow (id text, born timestamptz, state text); INSERT INTO slow SELECT id, born, state FROM orders; GRANT SELECT ON slow TO warroom; ANALYZE slow").await;
    let slow = ORDERS.replace("FROM orders o", "FROM slow o").replace(", o.total AS amount, o.region", "");
    let tight = |sql: &str| QueryConfig { largest_scan: 50, ..query(Role::Orders, sql) };
    let line = |lines: Vec<source::CheckLine>| lines.into_iter().last().unwrap();

    let refused = line(source::check(&config(&server, vec![tight(&slow)])).await);
    assert_eq!(refused.ok, CheckOk::No, "{}", refused.says.raw());
    assert!(refused.says.raw().contains("public.slow (about 102 rows) from end to end"), "{}", refused.says.raw());
    assert!(refused.remedy.raw().contains("allow_seqscan = true"), "{}", refused.remedy.raw());
    let mut heard = listen(&config(&server, vec![tight(&slow)]));
    heard.until("a refusal", |h| h.said().iter().any(|s| s.contains("so it is not asked"))).await;
    assert!(heard.orders().is_empty());
    // An index mends it, and the query goes on by itself.
    sql(
        &mut admin,
        "SET enable_seqscan = off; CREATE INDEX ON slow (born, id); ALTER ROLE warroom SET enable_seqscan = off",
    )
    .await;
    let mut heard = listen(&config(&server, vec![tight(&slow)]));
    heard.until("all orders", |h| h.orders().len() == 100).await;
    sql(&mut admin, "DROP INDEX slow_born_id_idx").await;

    let allowed = QueryConfig { allow_seqscan: true, ..tight(&slow) };
    assert_eq!(line(source::check(&config(&server, vec![allowed.clone()])).await).ok, CheckOk::Yes);
    let mut heard = listen(&config(&server, vec![allowed]));
    heard.until("all orders", |h| h.orders().len() == 100).await;
    let few = QueryConfig { largest_scan: 102, ..tight(&slow) };
    assert_eq!(line(source::check(&config(&server, vec![few])).await).ok, CheckOk::Yes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_under_a_query_is_one_sentence_the_others_go_on_and_it_comes_back() {
    let (server, mut admin) = world(&[]).await;
    let mut heard = listen(&config(&server, vec![query(Role::Orders, ORDERS), query(Role::Payments, PAYMENTS)]));
    heard.until("both", |h| h.state() == Some(State::Well) && h.asked(Role::Payments).len() >= 100).await;

    heard.health.clear();
    sql(&mut admin, "ALTER TABLE orders RENAME total TO price").await;
    heard.until("the missing column", |h| h.said().iter().any(|s| s.contains("o.total does not exist"))).await;
    let said = heard.health.last().unwrap();
    assert!(said.says.raw().starts_with("query orders on mrg") && said.state == State::Late, "{}", said.says.raw());
    assert!(said.remedy.raw().contains("Correct the column"), "{}", said.remedy.raw());
    heard.ledgers.clear();
    heard.until("payments", |h| !h.asked(Role::Payments).is_empty()).await;

    heard.health.clear();
    sql(&mut admin, "ALTER TABLE orders RENAME price TO total; ALTER TABLE orders ALTER total TYPE float8").await;
    heard
        .until("the changed type", |h| h.said().iter().any(|s| s.contains("amount is float8, not whole rupiah")))
        .await;

    heard.ledgers.clear();
    sql(&mut admin, "ALTER TABLE orders ALTER total TYPE bigint; UPDATE orders SET total = 7 WHERE id = 'ORD-3'").await;
    heard.until("the change afterwards", |h| h.orders().iter().any(|o| o.amount == Some(7))).await;
    heard.until("all well", |h| h.state() == Some(State::Well)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_somebody_opens_is_read_and_asked_for_before_the_rest_of_the_window() {
    let (server, mut admin) = world(&[]).await;
    sql(
        &mut admin,
        "INSERT INTO orders SELECT 'ORD-n' || g, '2025-01-12 18:30+07'::timestamptz + (g / 50) * interval '1 min', 'GANTUNG', 1, 'JKT'
           FROM generate_series(0, 9999) g;
         CREATE INDEX ON payments (order_id)",
    )
    .await;
    let mut heard = listen(&config(&server, vec![query(Role::Orders, ORDERS), query(Role::Payments, PAYMENTS)]));
    heard.until("the first page", |h| !h.orders().is_empty()).await;
    let span = Span::new(at("2025-01-12T21:40:00+07:00"), at("2025-01-12T21:41:00+07:00"));
    heard.sources.want(span);
    let of = |h: &crate::orders::Heard| h.orders().iter().filter(|o| span.contains(o.created_at)).count();
    heard.until("the stretch", |h| of(h) == 50).await;
    // It came out of turn: the window is far from read.
    let before = heard.orders().iter().filter(|o| o.created_at < span.from).count();
    assert!(before < 3_000, "{before} orders were read first");
    let asked = |h: &crate::orders::Heard| {
        let wanted: Vec<_> = h.orders().into_iter().filter(|o| span.contains(o.created_at)).collect();
        let is = |id: &warroom::model::order::OrderId| wanted.iter().any(|o| o.order_id == *id);
        let ids = h.ledgers.iter().filter(|l| l.rows.role() == Role::Payments);
        ids.filter_map(|l| match &l.asked {
            Asked::Ids(ids) => Some(ids.iter().filter(|id| is(id)).count()),
            Asked::Window(_) => None,
        })
        .sum::<usize>()
    };
    heard.until("its payments", |h| asked(h) >= 50).await;
    assert!(heard.orders().len() < 6_000, "the rest of the window was read first");
    // And then the rest goes on where it was.
    heard.until("everything", |h| h.orders().len() >= 10_100).await;
    assert_eq!(heard.orders().iter().filter(|o| span.contains(o.created_at)).count(), 50, "nothing came twice");
}
