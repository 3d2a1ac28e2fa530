//! One session of the scenery: it connects under an application's name and does what its post demands.
//!
//! Owns the connection, in a task of its own, and what is said of it. Everything in it is short or ends by
//! itself: when this program is gone in whatever way, the server is rid of the session within seconds. May
//! not know: why it is to do what it does.

use super::plan::Post;
use super::stage::{BATCH, Stage};
use super::{code, says, schema};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The key of the advisory lock that a batch job holds.
const KEY: u32 = 4711;

/// What a session is told. Another turn of the same post ends its transaction and begins it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// To do this.
    Hold(Post, u32),
    /// To go.
    Leave,
}

/// How far a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// On its way to what it was told.
    Moving,
    /// At its post.
    At(Post),
    /// The server had no seat.
    Refused,
    /// Its connection is gone; why.
    Lost(String),
}

/// Where its sessions are, and what they share.
#[derive(Debug)]
pub struct House {
    /// Name of the system.
    pub system: &'static str,
    /// How to connect.
    pub options: PgConnectOptions,
    /// How many may connect at a time.
    pub doors: Semaphore,
    /// What they know of each other.
    pub stage: Stage,
}

#[derive(Debug)]
struct Report {
    phase: Phase,
    pid: Option<i32>,
}

/// A session, as its director sees it. Dropped, it is ended.
#[derive(Debug)]
pub struct Seat {
    /// Its `application_name`.
    pub application: String,
    /// What it was told.
    pub order: Order,
    orders: watch::Sender<Order>,
    report: Arc<Mutex<Report>>,
    task: JoinHandle<()>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seat {
    /// Sends somebody to take a seat.
    pub fn open(house: &Arc<House>, application: String, post: Post, turn: u32) -> Self {
        let order = Order::Hold(post, turn);
        let (orders, told) = watch::channel(order);
        let report = Arc::new(Mutex::new(Report { phase: Phase::Moving, pid: None }));
        let session = sit(Arc::clone(house), application.clone(), told, Arc::clone(&report));
        Self { application, order, orders, report, task: tokio::spawn(session) }
    }

    /// Tells it something else.
    pub fn tell(&mut self, order: Order) {
        if self.order != order {
            self.order = order;
            self.orders.send_replace(order);
        }
    }

    /// Its post, while it has one.
    pub const fn post(&self) -> Option<Post> {
        match self.order {
            Order::Hold(post, _) => Some(post),
            Order::Leave => None,
        }
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        read(&self.report).phase.clone()
    }

    /// Whether it has come to its end.
    pub fn over(&self) -> bool {
        self.task.is_finished()
    }

    /// Its backend, when that waits for somebody although it has been told something else.
    pub fn stale(&self) -> Option<i32> {
        let report = read(&self.report);
        match report.phase {
            Phase::At(post) if post.waits() && self.post() != Some(post) => report.pid,
            _ => None,
        }
    }
}

fn read(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn sit(house: Arc<House>, application: String, told: watch::Receiver<Order>, report: Arc<Mutex<Report>>) {
    let phase = |phase| read(&report).phase = phase;
    let options = house.options.clone().application_name(&application);
    let opened = {
        // It is never closed.
        let _door = house.doors.acquire().await;
        PgConnection::connect_with(&options).await
    };
    let conn = match opened {
        Ok(conn) => conn,
        Err(e) if code(&e).as_deref() == Some("53300") => return phase(Phase::Refused),
        Err(e) => return phase(Phase::Lost(says(&e))),
    };
    let mut session = Session { conn, house: &house, told, report: &report };
    match session.work().await {
        Ok(()) => {
            let _ = session.conn.close().await;
        }
        Err(e) => phase(Phase::Lost(says(&e))),
    }
}

struct Session<'a> {
    conn: PgConnection,
    house: &'a House,
    told: watch::Receiver<Order>,
    report: &'a Mutex<Report>,
}

type Done = Result<(), sqlx::Error>;

impl Session<'_> {
    /// Does what it is told until it is told to leave.
    async fn work(&mut self) -> Done {
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").persistent(false).fetch_one(&mut self.conn).await?;
        read(self.report).pid = Some(pid);
        loop {
            let Order::Hold(post, _) = *self.told.borrow_and_update() else { return Ok(()) };
            read(self.report).phase = Phase::Moving;
            let Err(e) = self.hold(post).await else { continue };
            self.let_go(post);
            // Cancelled because it is to do something else, or the loser of a deadlock: nothing is lost.
            if !matches!(code(&e).as_deref(), Some("57014" | "40P01")) {
                return Err(e);
            }
            self.run("ROLLBACK").await?;
        }
    }

    async fn run(&mut self, sql: &str) -> Done {
        schema::run(&mut self.conn, sql).await
    }

    fn at(&self, post: Post) {
        read(self.report).phase = Phase::At(post);
    }

    /// Whether it has been told something since it began.
    fn told(&self) -> bool {
        self.told.has_changed().unwrap_or(true)
    }

    fn let_go(&self, post: Post) {
        match post {
            Post::RootIdle | Post::RootRunning => self.house.stage.free(0),
            Post::Batch => self.house.stage.free(BATCH),
            Post::Chain(n) => self.house.stage.free(n),
            _ => {}
        }
    }

    /// Is at its post until it is told something else. A post that demands waiting may also end because
    /// whoever was waited for is gone; then it begins anew.
    async fn hold(&mut self, post: Post) -> Done {
        match post {
            Post::Idle => self.idle().await,
            Post::Running => self.running().await,
            Post::InTransaction => self.in_transaction().await,
            Post::RootIdle | Post::RootRunning => self.root(post).await,
            Post::Batch => self.batch().await,
            Post::Chain(n) => self.chain(n).await,
            Post::Fan => self.fan().await,
            Post::Advisory => self.advisory().await,
        }
    }

    async fn idle(&mut self) -> Done {
        self.at(Post::Idle);
        loop {
            tokio::select! {
                _ = self.told.changed() => return Ok(()),
                () = sleep(about(5.0)) => {}
            }
            // A connection that was ended from the other side is noticed only when it is used.
            self.run("SELECT 1").await?;
        }
    }

    async fn running(&mut self) -> Done {
        self.at(Post::Running);
        while !self.told() {
            self.toil().await?;
        }
        Ok(())
    }

    /// A statement that takes a second and costs nothing.
    async fn toil(&mut self) -> Done {
        let seconds = about(1.0).as_secs_f64();
        let hot = schema::hot(self.house.system);
        self.run(&format!("SELECT held FROM {hot}, pg_sleep({seconds:.1}) WHERE id = {}", fastrand::u32(10..90))).await
    }

    async fn in_transaction(&mut self) -> Done {
        let sql = format!("SELECT order_id FROM {} LIMIT 1", schema::book(self.house.system));
        while !self.told() {
            self.run("BEGIN").await?;
            self.run(&sql).await?;
            self.at(Post::InTransaction);
            tokio::select! {
                _ = self.told.changed() => return self.run("COMMIT").await,
                () = sleep(about(2.0)) => {}
            }
            self.run("COMMIT").await?;
        }
        Ok(())
    }

    async fn root(&mut self, post: Post) -> Done {
        let hot = schema::hot(self.house.system);
        let sql = format!("UPDATE {hot} SET held = held + 1 WHERE id IN (0, {})", schema::FAN);
        self.run("BEGIN").await?;
        self.run(&sql).await?;
        self.at(post);
        self.house.stage.hold(0);
        while !self.told() {
            if post == Post::RootRunning {
                self.toil().await?;
            } else {
                tokio::select! {
                    _ = self.told.changed() => break,
                    // Somebody got what is ours: our session may be gone. If it is not, nothing changes.
                    () = self.house.stage.freed(0) => self.run(&sql).await?,
                }
            }
            self.house.stage.hold(0);
        }
        self.house.stage.free(0);
        self.run("COMMIT").await
    }

    async fn batch(&mut self) -> Done {
        self.run("BEGIN").await?;
        self.run(&format!("SELECT pg_advisory_xact_lock({KEY})")).await?;
        self.at(Post::Batch);
        while !self.told() {
            self.house.stage.hold(BATCH);
            self.toil().await?;
        }
        self.house.stage.free(BATCH);
        self.run("COMMIT").await
    }

    async fn chain(&mut self, n: u32) -> Done {
        let hot = schema::hot(self.house.system);
        let update = |id: u32| format!("UPDATE {hot} SET held = held + 1 WHERE id = {id}");
        self.run("BEGIN").await?;
        self.run(&update(n)).await?;
        self.house.stage.hold(n);
        let waited = self.behind(n - 1, Post::Chain(n), &update(n - 1)).await;
        self.house.stage.free(n);
        waited?;
        self.run("COMMIT").await
    }

    async fn fan(&mut self) -> Done {
        // Readers that share the row wait for its writer side by side; writers would queue behind each other.
        let hot = schema::hot(self.house.system);
        self.behind(0, Post::Fan, &format!("SELECT held FROM {hot} WHERE id = {} FOR SHARE", schema::FAN)).await
    }

    async fn advisory(&mut self) -> Done {
        self.behind(BATCH, Post::Advisory, &format!("SELECT pg_advisory_xact_lock({KEY})")).await
    }

    /// Waits in the server for what somebody holds, and not before somebody does.
    async fn behind(&mut self, lock: u32, post: Post, sql: &str) -> Done {
        tokio::select! {
            _ = self.told.changed() => return Ok(()),
            () = self.house.stage.held(lock) => {}
        }
        self.at(post);
        self.run(sql).await?;
        read(self.report).phase = Phase::Moving;
        if !self.told() {
            // It was to wait, and has got it: nobody holds it any more, whatever was said.
            self.house.stage.free(lock);
        }
        Ok(())
    }
}

/// About so many seconds; not all sessions do the same at the same time.
fn about(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds * (0.75 + 0.5 * fastrand::f64()))
}
