//! Rows in a real server: what is there is what was given.

use super::{claim, start};
use crate::pg::number;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use warroom::model::order::{
    Attributes, Callback, HoPayment, Order, OrderEvent, OrderStatus, Payment, PaymentStatus, Rows,
};
use warroom::model::{Lapse, Stamp};
use warroom::simulator::postgres::Loader;

/// An order with every kind of column.
pub fn order(n: u32, status: OrderStatus) -> Order {
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
        version: None,
        attributes: Attributes::default(),
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
        amount: Some(500),
        status,
        created_at: at,
        settled_at,
        payment_method: None,
        gateway_ref: None,
        gateway_ms: None,
        idempotency_key: None,
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
        duration_ms: None,
        next_attempt_at: None,
        dead: None,
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
        amount: Some(500),
        recorded_at: at,
        business_date: None,
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
