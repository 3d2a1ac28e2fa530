//! The live store with a million settled orders: bytes of resident memory for each, folded and not, and how long
//! the counts by class, one lane and the first look at one order take then.
//!
//! `cargo bench --bench book`; `WARROOM_BENCH_ORDERS` is how many (1000000). Memory that one store gave back is there
//! for the next, so each way has a process of its own: the bench starts itself again.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and fails loudly")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::Instant;
use warroom::analysis::reconcile::{Class, curve, standing};
use warroom::model::order::{Asked, HoPayment, Ledger, Order, OrderStatus, Payment, PaymentStatus, Rows};
use warroom::model::{Batch, Fact, Lapse, Span, Stamp};
use warroom::store::Store;

const BEGIN: Stamp = Stamp::from_secs(1_736_658_000);
const PAGE: usize = 2_000;
const METHODS: [&str; 4] = ["VA BCA", "QRIS", "CARD", "GOPAY"];

fn born(n: usize) -> Stamp {
    BEGIN + Lapse::millis(n as i64 * 10)
}

const fn amount(n: usize) -> i64 {
    50_000 + n as i64 % 700_000
}

fn order(n: usize, done: bool) -> Order {
    Order {
        order_id: format!("ORD-{n:09}").into(),
        created_at: born(n),
        status: if done { OrderStatus::Complete } else { OrderStatus::Active },
        amount: Some(amount(n)),
        payment_method: Some(METHODS[n % METHODS.len()].into()),
        region: Some(["JKT", "SBY", "BDG"][n % 3].into()),
        service_type: Some(["DELIVERY", "PICKUP"][n % 2].into()),
        saga_step: None,
        trace_id: Some(format!("{n:032x}").into()),
        updated_at: Some(born(n) + Lapse::seconds(if done { 40 } else { 0 })),
        version: Some(1 + i64::from(done)),
        attributes: [("pod".into(), format!("mrg-{}", n % 12).as_str().into())].into_iter().collect(),
    }
}

fn payment(n: usize, done: bool) -> Payment {
    Payment {
        upg_ref: format!("UPG-{n:09}").into(),
        order_id: format!("ORD-{n:09}").into(),
        amount: Some(amount(n)),
        status: if done { PaymentStatus::Paid } else { PaymentStatus::Pending },
        created_at: born(n) + Lapse::seconds(5),
        settled_at: done.then(|| born(n) + Lapse::seconds(20)),
        payment_method: Some(METHODS[n % METHODS.len()].into()),
        gateway_ref: Some(format!("GW{n:010}").into()),
        gateway_ms: Some(300),
        idempotency_key: None,
    }
}

fn record(n: usize) -> HoPayment {
    HoPayment {
        ho_ref: n.to_string().into(),
        upg_ref: Some(format!("UPG-{n:09}").into()),
        order_id: Some(format!("ORD-{n:09}").into()),
        amount: Some(amount(n)),
        recorded_at: born(n) + Lapse::seconds(35),
        business_date: None,
    }
}

/// The orders as they are read: under way first, done two minutes later.
fn read(store: &mut Store, orders: usize) {
    for from in (0..orders).step_by(PAGE) {
        let all = from..(from + PAGE).min(orders);
        let asked = Asked::Window(Span::new(born(from), born(all.end)));
        let (early, late) = (born(all.end), born(all.end) + Lapse::minutes(2));
        for (asof, rows) in [
            (early, Rows::Orders(all.clone().map(|n| order(n, false)).collect())),
            (early, Rows::Payments(all.clone().map(|n| payment(n, false)).collect())),
            (late, Rows::Orders(all.clone().map(|n| order(n, true)).collect())),
            (late, Rows::Payments(all.clone().map(|n| payment(n, true)).collect())),
            (late, Rows::HoPayments(all.clone().map(record).collect())),
        ] {
            let facts = vec![Fact::Ledger(Ledger { asof, asked: asked.clone(), rows })];
            store.apply(&Batch { source: "orders".into(), seq: from as u64, seen: asof, facts });
        }
    }
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed().as_secs_f64(), done)
}

fn main() {
    const WAY: &str = "WARROOM_BENCH_WAY";
    let orders = std::env::var("WARROOM_BENCH_ORDERS").ok().and_then(|t| t.parse().ok()).unwrap_or(1_000_000);
    match std::env::var(WAY).as_deref() {
        Ok("folded") => weigh("folded", Some(Lapse::minutes(30)), orders),
        Ok(_) => weigh("never folded", None, orders),
        Err(_) => {
            for way in ["never", "folded"] {
                let this = std::env::current_exe().unwrap();
                assert!(std::process::Command::new(this).env(WAY, way).status().unwrap().success());
            }
        }
    }
}

fn weigh(name: &str, after: Option<Lapse>, orders: usize) {
    let whole = Span::new(BEGIN, born(orders));
    let end = born(orders) + Lapse::minutes(3);
    let mut store = Store::default();
    store.orders.fold_after(after);
    let before = resident();
    let (took, ()) = timed(|| read(&mut store, orders));
    let each = resident().saturating_sub(before) / orders;
    println!("{name}: {each} bytes an order, {} of {orders} folded; read in {took:.2} s", store.orders.folded());
    let (took, counts) = timed(|| standing(&store, whole, end));
    let (lane, _) = timed(|| {
        let instants: Vec<Stamp> = (1..=160).map(|i| BEGIN + Lapse(end.since(BEGIN).0 / 160 * i)).collect();
        curve::counts(&store, Class::UnpaidStuck, &instants, |born| whole.contains(born))
    });
    let (one, seen) = timed(|| store.orders.entry("ORD-000000007").is_some());
    println!("{name}: counts by class {took:.2} s, one lane {lane:.2} s, one order {:.0} µs", one * 1e6);
    assert!(seen && counts.total == orders && counts.broken.is_none());
}
