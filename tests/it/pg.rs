//! A real PostgreSQL for a test: found, initialised, started on a free port of loopback, ended with it.
//!
//! Versions: every `/usr/lib/postgresql/*/bin`, plus the folders in `WARROOM_PG_BINS` (separated by `:`,
//! as `tests/postgres-versions` prints them). As root the server runs as an unprivileged user.

#![expect(clippy::expect_used, clippy::panic, reason = "a test without its server has failed")]

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A folder with `postgres` and `initdb` in it.
#[derive(Clone, Debug)]
pub struct Installation {
    pub bin: PathBuf,
    /// 12 to 18.
    pub major: u32,
}

/// Everything found, oldest first, one of each major version.
pub fn installations() -> Vec<Installation> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|e| e.path().join("bin")).collect())
        .unwrap_or_default();
    let more = std::env::var("WARROOM_PG_BINS").unwrap_or_default();
    folders.extend(more.split(':').filter(|p| !p.is_empty()).map(PathBuf::from));
    let mut found: Vec<Installation> =
        folders.into_iter().filter_map(|bin| Some(Installation { major: major(&bin)?, bin })).collect();
    found.sort_by_key(|i| i.major);
    found.dedup_by_key(|i| i.major);
    found
}

/// The one used by tests that need any: 15 when it is there, as in production, else the newest.
pub fn any() -> Installation {
    let all = installations();
    let preferred = all.iter().find(|i| i.major == 15).or(all.last());
    preferred.cloned().expect("no PostgreSQL found: apt-get install postgresql, or set WARROOM_PG_BINS")
}

fn major(bin: &Path) -> Option<u32> {
    let out = command(bin, "postgres").arg("--version").output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    text.split_whitespace().find_map(|w| w.split('.').next()?.parse().ok())
}

fn command(bin: &Path, program: &str) -> Command {
    let mut c = Command::new(bin.join(program));
    c.env("LD_LIBRARY_PATH", bin.join("../lib")).env("LC_ALL", "C");
    c
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The same as an unprivileged user, where we are root.
fn unprivileged(bin: &Path, program: &str) -> Command {
    if !root() {
        return command(bin, program);
    }
    let mut c = Command::new("runuser");
    c.args(["-u", "nobody", "--"]).arg(bin.join(program));
    c.env("LD_LIBRARY_PATH", bin.join("../lib")).env("LC_ALL", "C");
    c
}

/// A free port that stays free while nothing listens on it: from below those that the kernel hands out to
/// whoever asks for any, and to everyone who connects.
pub fn quiet_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id().wrapping_mul(97) % 10_000;
    loop {
        let n = NEXT.fetch_add(1, Ordering::SeqCst);
        let port = 20_000 + ((begin + u32::from(n)) % 10_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A running server; dropped, it is ended and its files are removed.
pub struct Server {
    pub installation: Installation,
    pub port: u16,
    folder: PathBuf,
    /// Removes the folder.
    _temporary: Option<TempDir>,
}

impl Server {
    /// Starts a fresh server with lines for its `postgresql.conf`.
    pub fn start(installation: &Installation, settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("warroom-pg").tempdir_in("/tmp").unwrap();
        let path = folder.path().to_owned();
        Self::start_in(installation, &path, Some(folder), settings)
    }

    #[allow(dead_code, reason = "one bench keeps its data")]
    /// Starts a server whose folder stays, for data that take long to make. Says whether it was there before.
    pub fn kept(installation: &Installation, folder: &Path, settings: &[&str]) -> (Self, bool) {
        if !folder.join("data/PG_VERSION").exists() {
            std::fs::create_dir_all(folder).unwrap();
            return (Self::start_in(installation, folder, None, settings), false);
        }
        let conf = std::fs::read_to_string(folder.join("data/postgresql.conf")).unwrap();
        let port = conf.lines().rev().find_map(|l| l.strip_prefix("port=")).unwrap().parse().unwrap();
        let server = Self { installation: installation.clone(), port, folder: folder.to_owned(), _temporary: None };
        server.launch();
        (server, true)
    }

    fn start_in(installation: &Installation, folder: &Path, temporary: Option<TempDir>, settings: &[&str]) -> Self {
        if root() {
            run(Command::new("chown").arg("nobody").arg(folder));
        }
        let data = folder.join("data");
        run(unprivileged(&installation.bin, "initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D"])
            .arg(&data));
        let port = quiet_port();
        let mut conf = std::fs::read_to_string(data.join("postgresql.conf")).unwrap();
        let _ = write!(
            conf,
            "\nport={port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{}'\nfsync=off\nlogging_collector=off\n\
             max_connections=60\nlog_min_messages=log\n",
            folder.display()
        );
        for line in settings {
            conf += line;
            conf.push('\n');
        }
        std::fs::write(data.join("postgresql.conf"), conf).unwrap();
        let hba = "host all knock 127.0.0.1/32 scram-sha-256\nhost all outcast 127.0.0.1/32 reject\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), hba).unwrap();
        let server =
            Self { installation: installation.clone(), port, folder: folder.to_owned(), _temporary: temporary };
        server.launch();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts the postmaster and waits until it takes connections.
    pub fn launch(&self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut postgres = unprivileged(&self.installation.bin, "postgres");
        postgres.arg("-D").arg(self.data()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = postgres.spawn().unwrap();
        // Somebody must wait for it, or it stays behind as a zombie.
        std::thread::spawn(move || child.wait());
        assert!(patiently(|| self.ready()), "PostgreSQL did not start: {}", self.log());
    }

    /// Whether the postmaster says that it takes connections.
    fn ready(&self) -> bool {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        text.lines().nth(7).is_some_and(|line| line.trim() == "ready")
    }

    /// Stops it: `fast` ends sessions with 57P01.
    pub fn stop(&self) {
        self.signal(rustix::process::Signal::INT);
        let gone = patiently(|| !self.data().join("postmaster.pid").exists());
        assert!(gone, "PostgreSQL did not stop: {}", self.log());
    }

    /// Sends a signal to the postmaster.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        if let Some(pid) = text.lines().next().and_then(|l| l.trim().parse().ok()) {
            signal_pid(pid, signal);
        }
    }

    /// The server's log so far.
    pub fn log(&self) -> String {
        let mut text = Vec::new();
        let _ = std::fs::File::open(self.folder.join("log")).and_then(|mut f| f.read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    }

    /// A URL for a role; the database is always `postgres`.
    pub fn url(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/postgres", self.port)
    }

    /// A connection of the test itself.
    pub async fn connect(&self, application: &str) -> PgConnection {
        let options: PgConnectOptions = self.url("postgres").parse().unwrap();
        PgConnection::connect_with(&options.application_name(application)).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asleep or not: continue, then end at once.
        self.signal(rustix::process::Signal::QUIT);
        self.signal(rustix::process::Signal::CONT);
        patiently(|| !self.data().join("postmaster.pid").exists());
    }
}

/// Looks again and again, for up to a minute, whether something has come true.
fn patiently(mut true_now: impl FnMut() -> bool) -> bool {
    (0..6_000).any(|_| {
        let so = true_now();
        if !so {
            std::thread::sleep(Duration::from_millis(10));
        }
        so
    })
}

/// Sends a signal to a process by its id.
pub fn signal_pid(pid: i32, signal: rustix::process::Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

fn run(command: &mut Command) {
    let out = command.stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// Runs statements on a connection.
pub async fn sql(conn: &mut PgConnection, text: &str) {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(conn).await.unwrap_or_else(|e| panic!("{text}: {e}"));
}

/// One number.
pub async fn number(conn: &mut PgConnection, text: &str) -> i64 {
    let row = sqlx::query(AssertSqlSafe(text.to_owned())).persistent(false).fetch_one(conn).await;
    row.unwrap_or_else(|e| panic!("{text}: {e}")).get(0)
}

/// Lets a statement that will wait run in the background; gives its connection back to the void.
pub fn later(mut conn: PgConnection, text: impl Into<String>) -> tokio::task::JoinHandle<()> {
    let text = text.into();
    tokio::spawn(async move {
        let _ = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut conn).await;
    })
}

/// Waits until a query of numbers gives what is wanted.
pub async fn until(conn: &mut PgConnection, text: &str, wanted: i64) {
    let mut n = number(conn, text).await;
    for _ in 0..12_000 {
        if n == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        n = number(conn, text).await;
    }
    panic!("{text} gives {n}, not {wanted}");
}

/// The scene of an incident: a chain of row locks with a fan at its root, an advisory lock, readers that
/// hold up an ALTER which holds up the others, and idle sessions.
pub struct Scene {
    _sessions: Vec<PgConnection>,
    /// Sessions that wait for a lock.
    pub waiting: usize,
}

pub async fn scene(server: &Server, fan: usize, idle: usize) -> Scene {
    let mut keep = Vec::new();
    let mut admin = server.connect("setup").await;
    sql(&mut admin, "CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders SELECT g, '' FROM generate_series(1, 100) g; CREATE TABLE settlements (id bigint)").await;
    let waiters = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let mut waiting = 0;
    for k in 1..=5 {
        let mut c = server.connect(&format!("chain-{k}")).await;
        sql(&mut c, &format!("BEGIN; UPDATE orders SET note = 'held' WHERE id = {k}")).await;
        if k == 1 {
            keep.push(c);
            continue;
        }
        later(c, format!("UPDATE orders SET note = 'wanted' WHERE id = {}", k - 1));
        waiting += 1;
        until(&mut admin, waiters, waiting).await;
    }
    for _ in 0..fan {
        let mut c = server.connect("fan").await;
        sql(&mut c, "BEGIN").await;
        later(c, "UPDATE orders SET note = 'fan' WHERE id = 1");
        waiting += 1;
        until(&mut admin, waiters, waiting).await;
    }
    for _ in 0..3 {
        let mut c = server.connect("reader").await;
        sql(&mut c, "BEGIN; SELECT count(*) FROM settlements").await;
        keep.push(c);
    }
    later(server.connect("migration").await, "ALTER TABLE settlements ADD COLUMN note text");
    waiting += 1;
    until(&mut admin, waiters, waiting).await;
    later(server.connect("ho-api").await, "SELECT * FROM settlements");
    waiting += 1;
    until(&mut admin, waiters, waiting).await;
    let mut c = server.connect("scheduler").await;
    sql(&mut c, "SELECT pg_advisory_lock(4711)").await;
    keep.push(c);
    later(server.connect("cron").await, "SELECT pg_advisory_lock(4711)");
    waiting += 1;
    until(&mut admin, waiters, waiting).await;
    for _ in 0..idle {
        keep.push(server.connect("idler").await);
    }
    keep.push(admin);
    Scene { _sessions: keep, waiting: waiting as usize }
}
