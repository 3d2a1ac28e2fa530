//! A private throw-away PostgreSQL: nobody else's, in a folder of its own, gone with whoever asked for it.
//!
//! Owns its start, its settings and its end. The server stands under a small shell that holds the reading
//! end of a pipe from us: when we end it, leave, or are killed in any way, the pipe closes, and the shell
//! stops the server and removes the folder. It listens on a socket inside the folder alone, which only its
//! owner may enter. May not know: what is put into it.

use super::find;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// The shell between us and the server.
const SHELL: &str = include_str!("../../../assets/postgres/private.sh");
/// Its superuser.
pub const OWNER: &str = "warroom";
/// The port in the name of its socket; there is no other.
const PORT: u16 = 5432;
/// A slow disk takes its time to make a cluster, but not more than this.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often, ten times a second, somebody looks whether the folder of a dropped server is empty.
const SWEEPS: u32 = 150;
/// A socket's path may have 107 bytes.
const LONGEST: usize = 90;

/// A running server. It ends with this value.
#[derive(Debug)]
pub struct Private {
    /// The shell; its standard input is the pipe whose end is the server's end.
    shell: Option<Child>,
    folder: PathBuf,
}

impl Private {
    /// Starts a fresh server that takes so many connections, and waits until it does.
    pub async fn start(max_connections: u32) -> Result<Self, String> {
        let bin = tokio::task::spawn_blocking(find::binaries)
            .await
            .map_err(|e| format!("looking for PostgreSQL failed ({e})"))??;
        Self::start_from(&bin, max_connections).await
    }

    /// The same with the programs in this folder.
    pub async fn start_from(bin: &Path, max_connections: u32) -> Result<Self, String> {
        let servant = servant()?;
        let folder = folder(servant)?;
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "sh"]).arg(folder.path()).arg(bin).args(settings(bin, &folder, max_connections));
        // Not the directory we stand in: an unprivileged user may not be allowed there.
        command.current_dir("/").env("LC_ALL", "C").env("LD_LIBRARY_PATH", bin.join("../lib"));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C at the terminal is for us; the server is ended by us, in order.
        command.process_group(0);
        if let Some((user, group)) = servant {
            command.uid(user).gid(group);
        }
        let shell = command.spawn().map_err(|e| format!("a shell for the private PostgreSQL does not start ({e})"))?;
        // From here on the folder goes with the shell.
        let mut server = Self { shell: Some(shell), folder: folder.keep() };
        match timeout(PATIENCE, server.ready()).await {
            Ok(Ok(())) => Ok(server),
            Ok(Err(says)) => Err(says),
            Err(_elapsed) => Err(format!(
                "the private PostgreSQL from {} was not ready after {} s: the machine may be too busy",
                bin.display(),
                PATIENCE.as_secs()
            )),
        }
    }

    /// Waits until it answers, or says why it never will.
    async fn ready(&mut self) -> Result<(), String> {
        let options = self.options("postgres");
        loop {
            if let Some(shell) = self.shell.as_mut()
                && let Ok(Some(status)) = shell.try_wait()
            {
                return Err(format!("the private PostgreSQL did not start ({status}): {}", last_words(shell).await));
            }
            if self.folder.join(format!(".s.PGSQL.{PORT}")).exists()
                && let Ok(conn) = PgConnection::connect_with(&options).await
            {
                let _ = conn.close().await;
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// How its superuser connects to one of its databases.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.folder)
            .port(PORT)
            .username(OWNER)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
            .disable_statement_logging()
    }

    /// The same as a URL, as role `role`.
    pub fn url(&self, role: &str, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('%', "%25").replace('/', "%2F").replace('&', "%26");
        format!("postgres://{role}@localhost:{PORT}/{database}?host={folder}")
    }

    /// Where all of it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends it, and waits until nothing is left.
    pub async fn stop(mut self) -> Result<(), String> {
        let Some(mut shell) = self.shell.take() else { return Ok(()) };
        drop(shell.stdin.take());
        match timeout(PATIENCE, shell.wait()).await {
            Ok(Ok(_status)) => {
                // The server's user may not be allowed to remove the folder itself; we are, and there may be none.
                let _ = std::fs::remove_dir(&self.folder);
                Ok(())
            }
            Ok(Err(e)) => Err(format!("the private PostgreSQL could not be waited for ({e})")),
            Err(_elapsed) => Err(format!(
                "the private PostgreSQL in {} does not end: look at what keeps its processes",
                self.folder.display()
            )),
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // The pipe closes, the shell does the rest; somebody must wait for it, or it stays as a zombie: the
        // runtime does, for as long as there is one.
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            // The server's user may not be allowed to remove the folder itself, once it is empty.
            let folder = std::mem::take(&mut self.folder);
            let swept = std::thread::Builder::new().name("sweep".to_owned()).spawn(move || sweep(&folder));
            drop(swept);
        }
    }
}

/// Removes a folder as soon as it is empty, or gone; gives up after a while.
fn sweep(folder: &Path) {
    for _ in 0..SWEEPS {
        if std::fs::remove_dir(folder).is_ok() || !folder.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    tracing::warn!(folder = %folder.display(), "a folder of a private PostgreSQL was left behind");
}

/// Who runs the server: PostgreSQL refuses to be run by root.
fn servant() -> Result<Option<(u32, u32)>, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    nobody(&users).map(Some).ok_or_else(|| {
        "PostgreSQL refuses to be run by root, and /etc/passwd has no user nobody to run it: start warroom as \
         another user"
            .to_owned()
    })
}

fn nobody(users: &str) -> Option<(u32, u32)> {
    let line = users.lines().find(|l| l.starts_with("nobody:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn folder(servant: Option<(u32, u32)>) -> Result<TempDir, String> {
    let at = std::env::temp_dir();
    let ours_alone = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let folder =
        tempfile::Builder::new().prefix("warroom-pg-").permissions(ours_alone).tempdir_in(&at).map_err(|e| {
            format!(
                "the private PostgreSQL needs a folder in {} ({e}): make room, or set TMPDIR to another one",
                at.display()
            )
        })?;
    if folder.path().as_os_str().len() > LONGEST {
        return Err(format!("{} is too long a path for a socket: set TMPDIR to a shorter one", at.display()));
    }
    if let Some((user, group)) = servant {
        std::os::unix::fs::chown(folder.path(), Some(user), Some(group))
            .map_err(|e| format!("{} cannot be given to nobody ({e})", folder.path().display()))?;
    }
    Ok(folder)
}

/// Nothing here has to survive a crash of the machine, and nothing may be reached from outside.
fn settings(bin: &Path, folder: &TempDir, max_connections: u32) -> Vec<String> {
    let mut lines = vec![
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={}", folder.path().display()),
        "unix_socket_permissions=0700".to_owned(),
        format!("port={PORT}"),
        format!("max_connections={max_connections}"),
        "fsync=off".to_owned(),
        "synchronous_commit=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "wal_level=minimal".to_owned(),
        "max_wal_senders=0".to_owned(),
        "shared_buffers=64MB".to_owned(),
        "max_wal_size=512MB".to_owned(),
        "logging_collector=off".to_owned(),
        "log_min_messages=fatal".to_owned(),
    ];
    if find::has_statements(bin) {
        lines.push("shared_preload_libraries=pg_stat_statements".to_owned());
    }
    lines.into_iter().flat_map(|line| ["-c".to_owned(), line]).collect()
}

/// What the shell said at its end, on one line.
async fn last_words(shell: &mut Child) -> String {
    use tokio::io::AsyncReadExt as _;
    let mut text = Vec::new();
    if let Some(mut pipe) = shell.stderr.take() {
        // A child of the shell may hold the pipe for longer; what came is enough.
        let _ = timeout(Duration::from_secs(1), pipe.read_to_end(&mut text)).await;
    }
    let text = String::from_utf8_lossy(&text);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() { "it said nothing".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_for_the_server_is_read_from_the_list_of_users() {
        let users = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\n";
        assert_eq!(nobody(users), Some((65_534, 65_533)));
        assert_eq!(nobody("root:x:0:0:root:/root:/bin/sh\n"), None);
    }
}
