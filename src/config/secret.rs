//! Secrets: never shown, fetched when needed from the environment, a file or a command.
//!
//! An error names where a secret was looked for, never what was found there. May not know: who asks.

use secrecy::{ExposeSecret, SecretString};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// A command that has not answered by then is ended.
const COMMAND_DEADLINE: Duration = Duration::from_secs(5);
/// A secret longer than this is a mistake, not a secret.
const LONGEST: u64 = 64 * 1024;

/// Where a secret comes from; its `Debug` shows no content.
#[derive(Clone, Debug)]
pub enum Secret {
    /// Written in the configuration.
    Plain(SecretString),
    /// An environment variable.
    Env(String),
    /// A file only its owner may read.
    File(PathBuf),
    /// A command's first line of output.
    Command(String),
    /// A URL with `${env:NAME}`, `${file:/path}` or `${cmd:…}` in it; what they give is percent-encoded.
    Template {
        /// The URL as written.
        text: SecretString,
        /// Folder that relative files in it are relative to.
        folder: PathBuf,
    },
    /// Words with `${…}` in them, as a header or a variable has them; what they give is put in as it is.
    Words {
        /// The words as written.
        text: SecretString,
        /// Folder that relative files in it are relative to.
        folder: PathBuf,
    },
}

impl Secret {
    /// Reads the notation of the configuration; `folder` is the configuration's own.
    pub fn parse(text: &str, folder: &Path) -> Self {
        if let Some(name) = text.strip_prefix("env:") {
            return Self::Env(name.trim().to_owned());
        }
        if let Some(path) = text.strip_prefix("file:") {
            return Self::File(folder.join(path.trim()));
        }
        if let Some(command) = text.strip_prefix("cmd:") {
            return Self::Command(command.trim().to_owned());
        }
        if let Some(whole) = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).filter(|t| !t.contains('}')) {
            return Self::parse(whole, folder);
        }
        if text.contains("${") {
            return Self::Template { text: text.into(), folder: folder.to_owned() };
        }
        Self::Plain(text.into())
    }

    /// The same for what is no URL: `Bearer ${env:TOKEN}`.
    pub fn words(text: &str, folder: &Path) -> Self {
        match Self::parse(text, folder) {
            Self::Template { text, folder } => Self::Words { text, folder },
            other => other,
        }
    }

    /// Gets the secret. Waits up to 5 s for a command, so not on the UI thread: see [`Self::obtain`].
    /// The error is a sentence with the remedy.
    pub fn fetch(&self) -> Result<SecretString, String> {
        match self {
            Self::Plain(text) => Ok(text.clone()),
            Self::Env(name) => from_env(name),
            Self::File(path) => secret_of_file(path),
            Self::Command(command) => secret_of_command(command, COMMAND_DEADLINE),
            Self::Template { text, folder } => fill(text.expose_secret(), folder, encode_into),
            Self::Words { text, folder } => fill(text.expose_secret(), folder, String::push_str),
        }
    }

    /// [`Self::fetch`] away from the async threads.
    pub async fn obtain(&self) -> Result<SecretString, String> {
        let secret = self.clone();
        tokio::task::spawn_blocking(move || secret.fetch())
            .await
            .unwrap_or_else(|_| Err("fetching the secret failed inside warroom; see its log file".to_owned()))
    }

    /// All that a file or a command gives, not only its first line; for the others as [`Self::obtain`].
    pub async fn document(&self) -> Result<SecretString, String> {
        let secret = self.clone();
        let read = move || match &secret {
            Self::File(path) => from_file(path).map(SecretString::from),
            Self::Command(command) => from_command(command, COMMAND_DEADLINE).map(SecretString::from),
            other => other.fetch(),
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|_| Err("fetching the secret failed inside warroom; see its log file".to_owned()))
    }

    /// Whether the secret itself stands in the configuration file.
    pub const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

fn from_env(name: &str) -> Result<SecretString, String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value.into()),
        Ok(_) => Err(format!("the environment variable {name} is empty: set it before starting warroom")),
        Err(_) => Err(format!("the environment variable {name} is not set: export it before starting warroom")),
    }
}

fn from_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let meta = std::fs::metadata(path)
        .map_err(|e| format!("the secret file {shown} cannot be read ({e}): check the path and its owner"))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!("the secret file {shown} can be read by others (mode {mode:03o}): run chmod 600 {shown}"));
    }
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|f| f.take(LONGEST).read_to_string(&mut text))
        .map_err(|e| format!("the secret file {shown} cannot be read ({e}): check its owner and content"))?;
    Ok(text)
}

fn secret_of_file(path: &Path) -> Result<SecretString, String> {
    let empty = || format!("the secret file {} is empty: write the secret on its first line", path.display());
    first_line(&from_file(path)?).ok_or_else(empty)
}

fn secret_of_command(command: &str, deadline: Duration) -> Result<SecretString, String> {
    let empty =
        || format!("the secret command {} printed nothing: its first line must be the secret", command_name(command));
    first_line(&from_command(command, deadline)?).ok_or_else(empty)
}

fn command_name(command: &str) -> &str {
    command.split_whitespace().next().unwrap_or("(empty)")
}

fn from_command(command: &str, deadline: Duration) -> Result<String, String> {
    let name = command_name(command);
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|e| {
            format!("the secret command {name} could not be started ({e}): check cmd: in the configuration")
        })?;
    let (tx, rx) = sync_channel(1);
    let out = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = out.map_or(Ok(0), |o| o.take(LONGEST).read_to_string(&mut text));
        // Nobody listens after the deadline; there is nothing left to tell then.
        let _ = tx.send(read.map(|_| text));
    });
    let text = match rx.recv_timeout(deadline) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            end(&mut child);
            return Err(format!("the secret command {name} printed something that is not text: run it by hand"));
        }
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            end(&mut child);
            return Err(format!(
                "the secret command {name} gave no answer within 5 s: run it by hand and see what it asks"
            ));
        }
    };
    let status = child.wait().map_err(|e| format!("the secret command {name} was lost ({e}): try again"))?;
    if !status.success() {
        return Err(format!("the secret command {name} failed ({status}): run it by hand to see why"));
    }
    Ok(text)
}

/// Ends a command with everything it started.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // Already gone is as good as ended.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

fn first_line(text: &str) -> Option<SecretString> {
    text.lines().next().map(str::trim_end).filter(|l| !l.is_empty()).map(SecretString::from)
}

/// Replaces each `${…}`; `put` writes what came out, percent-encoded where it stands in a URL.
fn fill(text: &str, folder: &Path, put: impl Fn(&mut String, &str)) -> Result<SecretString, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        let Some(end) = from.find('}') else {
            return Err("a ${ has no closing }: write ${env:NAME}".to_owned());
        };
        let inner = from.get(2..end).unwrap_or_default();
        let part = Secret::parse(inner, folder);
        if matches!(part, Secret::Plain(_) | Secret::Template { .. } | Secret::Words { .. }) {
            return Err("inside ${…} stands env:NAME, file:/path or cmd:COMMAND".to_owned());
        }
        out.push_str(before);
        put(&mut out, part.fetch()?.expose_secret());
        rest = from.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out.into())
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3.
fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> PathBuf {
        std::env::temp_dir()
    }
    fn shown(secret: Result<SecretString, String>) -> String {
        secret.unwrap().expose_secret().to_owned()
    }

    #[test]
    fn debug_never_shows_a_secret() {
        let url = "postgres://warroom:hunter2@db/mrg";
        assert!(!format!("{:?}", Secret::parse(url, &here())).contains("hunter2"));
        let template = Secret::parse("postgres://warroom:hunter2@${env:HOST}/mrg", &here());
        assert!(!format!("{template:?}").contains("hunter2"));
    }

    #[test]
    fn a_secret_in_a_url_is_percent_encoded() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pw");
        std::fs::write(&file, "p@ss/w:rd %1\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let url = Secret::parse("postgres://w:${file:pw}@h/d", dir.path());
        assert_eq!(shown(url.fetch()), "postgres://w:p%40ss%2Fw%3Ard%20%251@h/d");
    }

    #[test]
    fn a_secret_in_words_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "a/b+c==\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(shown(Secret::words("Bearer ${file:token}", dir.path()).fetch()), "Bearer a/b+c==");
    }

    #[test]
    fn a_whole_url_from_a_variable_is_taken_as_it_is() {
        assert!(matches!(Secret::parse("${env:WARROOM_MRG_URL}", &here()), Secret::Env(n) if n == "WARROOM_MRG_URL"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_chmod_that_mends_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pw");
        std::fs::write(&file, "secret\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let says = Secret::File(file.clone()).fetch().unwrap_err();
        assert!(says.contains("chmod 600") && says.contains("640") && !says.contains("secret\n"), "{says}");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(shown(Secret::File(file).fetch()), "secret");
    }

    #[test]
    fn a_command_gives_its_first_line_or_a_sentence() {
        assert_eq!(shown(Secret::Command("printf 'one\\ntwo\\n'".into()).fetch()), "one");
        let says = Secret::Command("exit 3".into()).fetch().unwrap_err();
        assert!(says.contains("exit status: 3"), "{says}");
        assert!(Secret::Command("true".into()).fetch().unwrap_err().contains("printed nothing"));
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_its_children() {
        let says = from_command("sleep 600 & sleep 600", Duration::from_millis(200)).unwrap_err();
        assert!(says.contains("no answer"), "{says}");
    }

    #[test]
    fn a_missing_variable_says_its_name_and_the_remedy() {
        let says = Secret::Env("WARROOM_NO_SUCH_VARIABLE".into()).fetch().unwrap_err();
        assert!(says.contains("WARROOM_NO_SUCH_VARIABLE") && says.contains("export"), "{says}");
    }
}
