//! Deadlocks: two sessions that lock two rows crosswise, as often as is asked for.
//!
//! Owns the pair, opened when there is something to do, as an owner of the tables: a server that is full
//! still has seats for those, and only they may shorten `deadlock_timeout`, which they do for themselves
//! alone. May not know: scenes.

use super::{code, schema};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// After a failure, this long nothing is tried.
const REST: Duration = Duration::from_millis(500);

/// The pair, in a task of its own. Dropped, it is ended.
#[derive(Debug)]
pub struct Duel {
    wanted: watch::Sender<u64>,
    made: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Drop for Duel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Duel {
    /// Waits to be asked.
    pub fn start(system: &'static str, options: PgConnectOptions) -> Self {
        let (wanted, asked) = watch::channel(0);
        let made = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(fight(system, options, asked, Arc::clone(&made)));
        Self { wanted, made, task }
    }
    /// Asks for so many more.
    pub fn more(&self, n: u64) {
        if n > 0 {
            self.wanted.send_modify(|w| *w = w.saturating_add(n));
        }
    }
    /// How many there have been.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}

async fn fight(system: &'static str, options: PgConnectOptions, mut asked: watch::Receiver<u64>, made: Arc<AtomicU64>) {
    loop {
        let left = |wanted: &u64| *wanted > made.load(Ordering::Relaxed);
        if asked.wait_for(left).await.is_err() {
            return;
        }
        // Until all are made, or the pair is lost: the server may be on its way down or full to the last
        // seat, and both pass.
        if rounds(system, &options, &asked, &made).await.is_err() {
            sleep(REST).await;
        }
    }
}

async fn rounds(
    system: &str,
    options: &PgConnectOptions,
    asked: &watch::Receiver<u64>,
    made: &AtomicU64,
) -> Result<(), sqlx::Error> {
    let mut pair = [PgConnection::connect_with(options).await?, PgConnection::connect_with(options).await?];
    for conn in &mut pair {
        match schema::run(conn, "SET deadlock_timeout = '5ms'").await {
            // Without the right to it, the server's own second has to do.
            Err(e) if code(&e).as_deref() != Some("42501") => return Err(e),
            _ => {}
        }
    }
    while *asked.borrow() > made.load(Ordering::Relaxed) {
        made.fetch_add(u64::from(round(system, &mut pair).await?), Ordering::Relaxed);
    }
    for conn in pair {
        conn.close().await?;
    }
    Ok(())
}

/// One round: whether it came to a deadlock.
async fn round(system: &str, [one, other]: &mut [PgConnection; 2]) -> Result<bool, sqlx::Error> {
    let hot = schema::hot(system);
    let update = |id: u32| format!("UPDATE {hot} SET held = held + 1 WHERE id = {id}");
    let [mine, yours] = schema::DUEL;
    for (conn, id) in [(&mut *one, mine), (&mut *other, yours)] {
        schema::run(conn, "BEGIN").await?;
        schema::run(conn, &update(id)).await?;
    }
    let (mine, yours) = (update(mine), update(yours));
    let crossed = async {
        let first = async {
            let done = schema::run(one, &yours).await;
            // Whoever lost has let go already; whoever won must let the other one go on.
            (done, schema::run(one, "ROLLBACK").await)
        };
        let second = async {
            let done = schema::run(other, &mine).await;
            (done, schema::run(other, "ROLLBACK").await)
        };
        tokio::join!(first, second)
    };
    let ((first, ended), (second, ended_too)) = crossed.await;
    ended?;
    ended_too?;
    let mut dead = false;
    for done in [first, second] {
        match done {
            Err(e) if code(&e).as_deref() == Some("40P01") => dead = true,
            Err(e) => return Err(e),
            Ok(()) => {}
        }
    }
    Ok(dead)
}
