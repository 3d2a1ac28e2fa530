//! The classes, their sums and their flags against one independent SQL statement in a real PostgreSQL: for
//! every scenario as it is, and with every fault that rows can have planted into it.

use crate::pg::{self, Server, sql};
use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use warroom::analysis::reconcile::{Class, Flag, Standing, standing};
use warroom::model::order::{Asked, Callback, HoPayment, Ledger, Order, OrderStatus, Payment, PaymentStatus, Rows};
use warroom::model::{Batch, Fact, Span, Stamp};
use warroom::simulator::day::Day;
use warroom::simulator::ledger::{self, Write};
use warroom::simulator::platform::ms;
use warroom::simulator::{self, END, scenario};
use warroom::store::Store;

/// One order in so many is compared: a few thousand an evening.
const SHARD: u32 = 8;
/// Evenings into which faults are planted.
const PLANTED: [&str; 3] = ["callback", "race", "timeout"];

/// The ledgers of an evening as they stand at its end, each row once.
#[derive(Clone, Default)]
struct World {
    orders: BTreeMap<Arc<str>, Order>,
    payments: BTreeMap<Arc<str>, Payment>,
    callbacks: BTreeMap<(Arc<str>, i32), Callback>,
    records: BTreeMap<Arc<str>, HoPayment>,
}

impl World {
    fn of(day: Arc<Day>) -> Self {
        let ledger = ledger::Ledger::new(day);
        let writes: Vec<(_, Write)> = ledger.writes(0, ms(END));
        let mut out = Self::default();
        for database in 0..4 {
            for rows in simulator::rows(&ledger, &writes, database, true) {
                match rows {
                    Rows::Orders(rows) => out.orders.extend(rows.into_iter().map(|o| (o.order_id.clone(), o))),
                    Rows::Payments(rows) => out.payments.extend(rows.into_iter().map(|p| (p.upg_ref.clone(), p))),
                    Rows::Callbacks(rows) => {
                        out.callbacks.extend(rows.into_iter().map(|c| ((c.upg_ref.clone().unwrap(), c.attempt), c)));
                    }
                    Rows::HoPayments(rows) => out.records.extend(rows.into_iter().map(|h| (h.ho_ref.clone(), h))),
                    Rows::OrderEvents(_) | Rows::OrdersAgg(_) | Rows::Saga(_) | Rows::CallbackQueue(_) => {}
                }
            }
        }
        out
    }

    /// What the program makes of it.
    fn counted(&self) -> Standing {
        let all = Span::new(Stamp(0), Stamp(i64::MAX));
        let fact = |rows| Fact::Ledger(Ledger { asof: END, asked: Asked::Window(all), rows });
        let facts = vec![
            fact(Rows::Orders(self.orders.values().cloned().collect())),
            fact(Rows::Payments(self.payments.values().cloned().collect())),
            fact(Rows::Callbacks(self.callbacks.values().cloned().collect())),
            fact(Rows::HoPayments(self.records.values().cloned().collect())),
        ];
        let mut store = Store::default();
        store.apply(&Batch { source: "orders".into(), seq: 1, seen: END, facts });
        standing(&store, all, END)
    }

    /// Everything that can be wrong with rows, each in a few orders: more than one fault may meet.
    fn planted(mut self) -> Self {
        let number = |id: &str| id.bytes().filter(u8::is_ascii_digit).fold(0_u64, |n, d| n * 10 + u64::from(d - b'0'));
        let hit = |id: &str, prime: u64| number(id) / 8 % prime == 3;
        let mut more = Vec::new();
        for record in self.records.values_mut() {
            let order = record.order_id.clone().unwrap();
            if hit(&order, 31) {
                more.push(HoPayment { ho_ref: format!("{}-2", record.ho_ref).as_str().into(), ..record.clone() });
            }
            if hit(&order, 37) {
                record.amount = record.amount.map(|a| a - 1);
            }
            if hit(&order, 41) {
                record.amount = None;
            }
            if hit(&order, 43) {
                record.order_id = None;
            }
        }
        self.records.extend(more.into_iter().map(|h| (h.ho_ref.clone(), h)));
        self.records.retain(|_, h| !h.order_id.as_deref().is_some_and(|id| hit(id, 29)));
        self.callbacks.retain(|_, c| !c.order_id.as_deref().is_some_and(|id| hit(id, 29) && number(id) / 8 % 2 == 0));
        let mut again = Vec::new();
        for payment in self.payments.values_mut() {
            let order = payment.order_id.clone();
            if hit(&order, 47) {
                payment.status = PaymentStatus::Other("HELD_BY_BANK".into());
            } else if hit(&order, 53) {
                payment.status = PaymentStatus::Refunded;
            } else if hit(&order, 59) {
                payment.amount = None;
            } else if hit(&order, 61) {
                again.push(Payment { upg_ref: format!("{}-2", payment.upg_ref).as_str().into(), ..payment.clone() });
            }
        }
        self.payments.extend(again.into_iter().map(|p| (p.upg_ref.clone(), p)));
        self.payments.retain(|_, p| !hit(&p.order_id, 67));
        for order in self.orders.values_mut() {
            let id = order.order_id.clone();
            if hit(&id, 71) {
                order.amount = order.amount.map(|a| a + 1_000);
            } else if hit(&id, 73) {
                order.amount = None;
            }
            if hit(&id, 79) {
                order.status = OrderStatus::Other("PARKED".into());
            } else if hit(&id, 83) {
                order.status = OrderStatus::Cancelled;
            } else if hit(&id, 89) {
                order.status = OrderStatus::Active;
            }
        }
        self.orders.retain(|id, _| !hit(id, 97));
        self
    }

    /// The same rows in tables.
    async fn load(&self, conn: &mut PgConnection) {
        sql(conn, "TRUNCATE orders, payments, callbacks, ho_payments").await;
        let at = |t: Option<Stamp>| t.map_or("\\N".to_owned(), |t| t.0.to_string());
        let number = |n: Option<i64>| n.map_or("\\N".to_owned(), |n| n.to_string());
        let word = |s: Option<&str>| s.unwrap_or("\\N").to_owned();
        let mut text = [const { String::new() }; 4];
        for o in self.orders.values() {
            let status = order_word(&o.status);
            let _ = writeln!(
                text[0],
                "{}\t{}\t{status}\t{}\t{}",
                o.order_id,
                at(Some(o.created_at)),
                number(o.amount),
                at(o.updated_at)
            );
        }
        for p in self.payments.values() {
            let (status, amount) = (payment_word(&p.status), number(p.amount));
            let (begun, settled) = (at(Some(p.created_at)), at(p.settled_at));
            let _ = writeln!(text[1], "{}\t{}\t{amount}\t{status}\t{begun}\t{settled}", p.upg_ref, p.order_id);
        }
        for c in self.callbacks.values() {
            let (order, http) = (word(c.order_id.as_deref()), number(c.http_status.map(i64::from)));
            let _ = writeln!(
                text[2],
                "{order}\t{}\t{}\t{}\t{http}",
                word(c.target.as_deref()),
                c.attempt,
                at(Some(c.sent_at))
            );
        }
        for h in self.records.values() {
            let (of, order) = (word(h.upg_ref.as_deref()), word(h.order_id.as_deref()));
            let _ = writeln!(text[3], "{}\t{of}\t{order}\t{}\t{}", h.ho_ref, number(h.amount), at(Some(h.recorded_at)));
        }
        for (table, text) in ["orders", "payments", "callbacks", "ho_payments"].into_iter().zip(text) {
            let mut copy = conn.copy_in_raw(&format!("COPY raw_{table} FROM STDIN")).await.unwrap();
            copy.send(text.as_bytes()).await.unwrap();
            copy.finish().await.unwrap();
        }
        sql(
            conn,
            "INSERT INTO orders SELECT a, us(b), c, d, us(e) FROM raw_orders;
             INSERT INTO payments SELECT a, b, c, d, us(e), us(f) FROM raw_payments;
             INSERT INTO callbacks SELECT a, b, c, us(d), e FROM raw_callbacks;
             INSERT INTO ho_payments SELECT a, b, c, d, us(e) FROM raw_ho_payments;
             TRUNCATE raw_orders, raw_payments, raw_callbacks, raw_ho_payments;
             ANALYZE orders, payments, callbacks, ho_payments",
        )
        .await;
    }
}

fn order_word(status: &OrderStatus) -> String {
    match status {
        OrderStatus::Other(word) => word.clone(),
        known => format!("{known:?}").to_uppercase(),
    }
}

fn payment_word(status: &PaymentStatus) -> String {
    match status {
        PaymentStatus::Other(word) => word.clone(),
        known => format!("{known:?}").to_uppercase(),
    }
}

async fn tables(server: &Server) -> PgConnection {
    let mut conn = server.connect("test").await;
    // Instants travel as microseconds, so that nothing is rounded on the way.
    sql(
        &mut conn,
        "CREATE FUNCTION us(int8) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
             $$ SELECT 'epoch'::timestamptz + $1 * interval '1 microsecond' $$;
         CREATE UNLOGGED TABLE orders (order_id text PRIMARY KEY, created_at timestamptz, status text, amount int8, updated_at timestamptz);
         CREATE UNLOGGED TABLE payments (upg_ref text PRIMARY KEY, order_id text, amount int8, status text, created_at timestamptz, settled_at timestamptz);
         CREATE UNLOGGED TABLE callbacks (order_id text, target text, attempt int4, sent_at timestamptz, http_status int4);
         CREATE UNLOGGED TABLE ho_payments (ho_ref text PRIMARY KEY, upg_ref text, order_id text, amount int8, recorded_at timestamptz);
         CREATE UNLOGGED TABLE raw_orders (a text, b int8, c text, d int8, e int8);
         CREATE UNLOGGED TABLE raw_payments (a text, b text, c int8, d text, e int8, f int8);
         CREATE UNLOGGED TABLE raw_callbacks (a text, b text, c int4, d int8, e int4);
         CREATE UNLOGGED TABLE raw_ho_payments (a text, b text, c text, d int8, e int8);
         SET TIME ZONE 'America/Anchorage'",
    )
    .await;
    conn
}

/// Holds what the program counts against what the database counts; gives back the classes that occurred.
async fn compare(conn: &mut PgConnection, world: &World, name: &str) -> BTreeSet<Class> {
    world.load(conn).await;
    let now = chrono::DateTime::from_timestamp_micros(END.0).unwrap();
    let rows = sqlx::query(include_str!("classes.sql")).bind(now.to_rfc3339()).fetch_all(conn).await.unwrap();
    let ours = world.counted();
    assert_eq!(ours.broken, None, "{name}");
    let mut theirs = BTreeMap::new();
    let [mut hanging, mut missing, mut twice, mut late] = [0_i64; 4];
    for row in &rows {
        let get = |column: &str| row.get::<i64, _>(column);
        let class = Class::parse(row.get("class")).unwrap();
        theirs.insert(class, [get("orders"), get("amount"), get("paid"), get("recorded"), get("blank")]);
        hanging += get("hanging");
        missing += get("missing");
        twice += get("twice");
        late += get("late");
    }
    let count = |c: &warroom::analysis::reconcile::ClassCount| {
        (c.class, [c.orders as i64, c.amount, c.paid, c.recorded, c.without_amount as i64])
    };
    let counted: BTreeMap<_, _> = ours.classes.iter().map(count).collect();
    assert_eq!(counted, theirs, "{name}: class -> orders, amount, paid, recorded, without amount");
    let flag = |flag| ours.flags.iter().find(|(f, _)| *f == flag).map_or(0, |(_, n)| *n as i64);
    assert_eq!(
        [flag(Flag::Stuck), flag(Flag::NotAtHo), flag(Flag::DuplicateRecord), flag(Flag::LateCallback)],
        [hanging, missing, twice, late],
        "{name}: stuck, not at HO, recorded twice, late callback"
    );
    assert_eq!(ours.stuck as i64, hanging, "{name}");
    counted.into_keys().collect()
}

#[tokio::test]
async fn every_scenario_is_counted_as_an_independent_statement_counts_it() {
    let server = Server::start(&pg::any(), &[]);
    let mut conn = tables(&server).await;
    let mut lived: Vec<(String, World)> = Vec::new();
    let mut met = BTreeSet::new();
    for name in scenario::list() {
        let settings = scenario::named(name).unwrap().settings;
        let twin = scenario::list().iter().take_while(|n| *n != name);
        let twin = twin.copied().find(|n| scenario::named(n).unwrap().settings == settings);
        let world = match twin.and_then(|t| lived.iter().find(|(n, _)| n == t)) {
            // Another sight of the same evening: its ledgers are the same.
            Some((_, world)) => world.clone(),
            None => World::of(Arc::new(Day::evening(scenario::named(name).unwrap(), 77_000).sharded(SHARD))),
        };
        met.extend(compare(&mut conn, &world, name).await);
        if PLANTED.contains(name) {
            met.extend(compare(&mut conn, &world.clone().planted(), &format!("{name}, planted")).await);
        }
        lived.push(((*name).to_owned(), world));
    }
    assert_eq!(lived.len(), scenario::list().len());
    // Classes for silent, unasked or unconfigured systems cannot come of tables.
    let never = [Class::NotAsked, Class::UpgUnknown, Class::HoUnknown, Class::PaidStuckNotRecorded];
    let all = warroom::analysis::reconcile::class::ALL;
    let unseen: Vec<Class> = all.into_iter().filter(|c| !never.contains(c) && !met.contains(c)).collect();
    assert_eq!(unseen, [], "every class occurred");
}
