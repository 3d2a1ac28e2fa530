//! What one refresh of a database costs, in the scene of an incident: 205 sessions, a blocking chain of 5
//! with a fan of 12, an advisory lock, queued DDL.
//!
//! `cargo bench --bench postgres` starts its own PostgreSQL and prints, beside the wall time: CPU of ours
//! for each refresh (the thread's own time from the kernel) and time the server spent on it, planning
//! included, both as it says itself in `pg_stat_statements` and as warroom shows it. Budgets: 4 ms of CPU,
//! 2 ms on the server, 3 statements, 1 connection.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench prints, and fails loudly")]

#[expect(dead_code, reason = "the helper serves the tests as well")]
#[path = "../tests/it/pg.rs"]
mod pg;

use pg::{Server, number, scene, sql};
use std::sync::Arc;
use warroom::config::{DatabaseConfig, Secret};
use warroom::model::Lapse;
use warroom::source::orders::{Asks, Board};
use warroom::source::postgres::Database;
use warroom::source::runner::Poll as _;

/// Refreshes that are measured; every fourth reads `pg_stat_statements` too.
const REFRESHES: u32 = 200;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn refresh_with_205_sessions(bencher: divan::Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let settings = [
        "max_connections=300",
        "shared_preload_libraries='pg_stat_statements'",
        "pg_stat_statements.track_planning=on",
    ];
    let server = Server::start(&pg::any(), &settings);
    let (mut admin, _scene, mut mrg) = runtime.block_on(async {
        let mut admin = server.connect("bench").await;
        sql(&mut admin, "CREATE EXTENSION pg_stat_statements; CREATE ROLE warroom LOGIN; GRANT pg_monitor TO warroom")
            .await;
        let scene = scene(&server, 12, 179).await;
        let config = DatabaseConfig {
            name: "mrg".into(),
            url: Secret::Plain(server.url("warroom").into()),
            interval: Lapse::seconds(1),
            statement_timeout: Lapse::seconds(3),
            lock_timeout: Lapse::millis(200),
            connect_timeout: Lapse::seconds(5),
            watch: true,
        };
        let (nobody, _) = tokio::sync::mpsc::channel(1);
        let mut mrg = Database::new(config, Asks::new(Vec::new(), None, &Arc::new(Board::default()), nobody));
        // The first ones prepare the statements; a session lives for days.
        for _ in 0..8 {
            mrg.poll().await.expect("a look");
        }
        sql(&mut admin, "SELECT pg_stat_statements_reset()").await;
        (admin, scene, mrg)
    });
    let (mut cpu, mut said, mut requests, mut bytes) = (0, Lapse::ZERO, 0, 0);
    bencher.bench_local(|| {
        let before = thread_cpu();
        for _ in 0..REFRESHES {
            let round = runtime.block_on(mrg.poll()).expect("a look");
            let cost = round.cost.expect("a cost");
            said = said + cost.server.unwrap_or_default();
            requests += cost.requests;
            bytes += cost.bytes;
        }
        cpu += thread_cpu() - before;
    });
    let ours = "SELECT (sum(total_exec_time + total_plan_time) * 1000)::bigint FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = 'warroom'";
    let (server_us, sessions) = runtime.block_on(async {
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
        (number(&mut admin, ours).await, number(&mut admin, sessions).await)
    });
    let each = f64::from(REFRESHES);
    println!("\n{sessions} sessions, each refresh on average:");
    println!("  CPU of warroom         {:.2} ms   (budget 4)", cpu as f64 / each / 1e6);
    println!("  server, by its own     {:.2} ms   (budget 2)", server_us as f64 / each / 1e3);
    println!("  server, as we show it  {:.2} ms", said.0 as f64 / each / 1e3);
    println!("  statements             {:.2}      (budget 3)", f64::from(requests) / each);
    println!("  bytes of values        {:.0}", bytes as f64 / each);
}

/// CPU time of this thread in nanoseconds, from the scheduler.
fn thread_cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}
