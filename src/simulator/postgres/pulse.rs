//! The one session that is not part of the scenery: it moves the counters of commits and rollbacks, and
//! cancels statements that wait although they should no longer.
//!
//! Owns its connection, opened first and kept, so that it still works when the server is full; and the
//! knowledge whether the server is there. May not know: scenes.

use super::{says, schema};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// So often the counters move.
const TICK: Duration = Duration::from_millis(250);
/// Commits in one statement. The texts are always the same: each new one would be an entry of its own in
/// `pg_stat_statements`.
const BUNDLE: u32 = 20;
const COMMITS: &str = "DO $$ BEGIN FOR i IN 1..20 LOOP COMMIT; END LOOP; END $$";
const ROLLBACK: &str = "DO $$ BEGIN ROLLBACK; END $$";
/// Bundles in a tick at most: 16 000 commits a second.
const MOST: u32 = 200;

/// Transactions a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Committed.
    pub commits: f64,
    /// Rolled back.
    pub rollbacks: f64,
}

/// Whether the server is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// How often it has been reached anew.
    pub times: u64,
    /// Why it is not there, when it is not.
    pub trouble: Option<String>,
}

/// The session, in a task of its own. Dropped, it is ended.
#[derive(Debug)]
pub struct Pulse {
    rates: watch::Sender<Rates>,
    cancels: mpsc::Sender<Vec<i32>>,
    contact: Arc<Mutex<Contact>>,
    task: JoinHandle<()>,
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pulse {
    /// Connects, again and again if need be.
    pub fn start(system: &str, options: PgConnectOptions) -> Self {
        let (rates, paced) = watch::channel(Rates::default());
        let (cancels, asked) = mpsc::channel(4);
        let contact =
            Arc::new(Mutex::new(Contact { times: 0, trouble: Some("the server has not answered yet".to_owned()) }));
        let touch = format!("SELECT held FROM {} LIMIT 1", schema::hot(system));
        let task = tokio::spawn(beat(touch, options, paced, asked, Arc::clone(&contact)));
        Self { rates, cancels, contact, task }
    }
    /// Sets the pace.
    pub fn pace(&self, rates: Rates) {
        self.rates.send_if_modified(|r| std::mem::replace(r, rates) != rates);
    }
    /// Cancels what these backends of ours wait for. What does not fit is asked for again by whoever asks.
    pub fn cancel(&self, pids: Vec<i32>) {
        if !pids.is_empty() {
            let _ = self.cancels.try_send(pids);
        }
    }
    /// Whether the server is there.
    pub fn contact(&self) -> Contact {
        self.contact.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn beat(
    touch: String,
    options: PgConnectOptions,
    rates: watch::Receiver<Rates>,
    mut asked: mpsc::Receiver<Vec<i32>>,
    contact: Arc<Mutex<Contact>>,
) {
    let tell = |change: &dyn Fn(&mut Contact)| change(&mut contact.lock().unwrap_or_else(PoisonError::into_inner));
    loop {
        let lost = match PgConnection::connect_with(&options).await {
            Ok(mut conn) => {
                tell(&|c| *c = Contact { times: c.times + 1, trouble: None });
                match work(&mut conn, &touch, &rates, &mut asked).await {
                    // Whoever paced us is gone.
                    Ok(()) => {
                        let _ = conn.close().await;
                        return;
                    }
                    Err(e) => e,
                }
            }
            Err(e) => e,
        };
        tell(&|c| c.trouble = Some(says(&lost)));
        sleep(2 * TICK).await;
    }
}

async fn work(
    conn: &mut PgConnection,
    touch: &str,
    rates: &watch::Receiver<Rates>,
    asked: &mut mpsc::Receiver<Vec<i32>>,
) -> Result<(), sqlx::Error> {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut owed = Rates::default();
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let now = *rates.borrow();
                owed.commits += now.commits * TICK.as_secs_f64();
                owed.rollbacks += now.rollbacks * TICK.as_secs_f64();
                pay(conn, &mut owed, touch).await?;
            }
            pids = asked.recv() => match pids {
                Some(pids) => cancel(conn, &pids).await?,
                None => return Ok(()),
            },
        }
    }
}

/// Whole bundles now, the rest later; never more than can be done.
async fn pay(conn: &mut PgConnection, owed: &mut Rates, touch: &str) -> Result<(), sqlx::Error> {
    let bundle = f64::from(BUNDLE);
    let bundles = (owed.commits / bundle).clamp(0.0, f64::from(MOST)) as u32;
    for _ in 0..bundles {
        schema::run(conn, COMMITS).await?;
    }
    owed.commits = (owed.commits - f64::from(bundles) * bundle).clamp(0.0, bundle);
    let rollbacks = owed.rollbacks.clamp(0.0, f64::from(MOST)) as u32;
    for _ in 0..rollbacks {
        schema::run(conn, ROLLBACK).await?;
    }
    owed.rollbacks = (owed.rollbacks - f64::from(rollbacks)).clamp(0.0, 1.0);
    if bundles + rollbacks > 0 {
        // A backend that has touched no table keeps the counts of its transactions to itself (seen on 15).
        schema::run(conn, touch).await?;
    }
    Ok(())
}

/// Only those that really wait, and are ours: a number may have gone to somebody else in the meantime.
async fn cancel(conn: &mut PgConnection, pids: &[i32]) -> Result<(), sqlx::Error> {
    let sql = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
               WHERE pid = ANY($1) AND usename = current_user AND wait_event_type = 'Lock'";
    sqlx::query_scalar::<_, i64>(sql).bind(pids).fetch_one(conn).await.map(|_cancelled| ())
}
