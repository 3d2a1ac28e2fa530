//! A server that is a child process: its standard input and output as the protocol's wire.
//!
//! Programs print banners, warnings and progress where only messages belong; what is no JSON is let go, told
//! once and never fatal. What a child started goes with it: it has a process group of its own, which is closed,
//! asked and then killed. May not know: what the messages mean.

use crate::model::Lapse;
use rmcp::RoleClient;
use rmcp::model::ClientJsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A longer message is refused, and the server with it: where it ends nobody knows.
pub const LONGEST: usize = 8 << 20;
/// How long a child may take to end after its input was closed, and after it was asked to.
const GRACE: Lapse = Lapse::seconds(2);
/// What is kept of a child's standard error.
const TAIL: usize = 4 * 1024;

/// What is known of a child beside its messages; outlives it.
#[derive(Debug, Default)]
pub struct Notes {
    said: Mutex<VecDeque<u8>>,
    stray: Mutex<Option<String>>,
    too_long: AtomicBool,
}

impl Notes {
    /// The last words on its standard error.
    pub fn last_words(&self) -> String {
        let bytes: Vec<u8> = self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        lines.last().map(|l| (*l).to_owned()).unwrap_or_default()
    }
    /// The first line on its standard output that is no message.
    pub fn stray(&self) -> Option<String> {
        self.stray.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Whether it sent a message that is too long.
    pub fn too_long(&self) -> bool {
        self.too_long.load(Ordering::Relaxed)
    }
    fn hear(&self, bytes: &[u8]) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(bytes);
        let over = said.len().saturating_sub(TAIL);
        said.drain(..over);
    }
    fn let_go(&self, line: &[u8]) {
        let mut stray = self.stray.lock().unwrap_or_else(PoisonError::into_inner);
        if stray.is_none() {
            let shown = crate::model::untrusted::shown(&String::from_utf8_lossy(line));
            *stray = Some(shown.chars().take(120).collect());
        }
    }
}

/// The process and its group.
#[derive(Debug)]
struct Kin {
    child: Child,
    group: Option<Pid>,
}

impl Kin {
    fn tell(&self, signal: Signal) {
        if let Some(group) = self.group {
            // Already gone is as good.
            let _ = kill_process_group(group, signal);
        }
    }
    async fn ends_within(&mut self, patience: Lapse) -> bool {
        tokio::time::timeout(patience.to_std(), self.child.wait()).await.is_ok()
    }
}

impl Drop for Kin {
    fn drop(&mut self) {
        self.tell(Signal::KILL);
    }
}

/// The wire.
#[derive(Debug)]
pub struct Pipe {
    kin: Kin,
    to: Arc<tokio::sync::Mutex<Option<ChildStdin>>>,
    lines: Lines<ChildStdout>,
}

impl Pipe {
    /// Starts a program. What it says beside its messages is found in the notes.
    pub fn open(command: &[String], env: &[(String, String)]) -> std::io::Result<(Self, Arc<Notes>)> {
        let (program, arguments) = command.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let notes = Arc::new(Notes::default());
        let missing = || std::io::Error::other("the child has no standard streams");
        let (input, output) = (child.stdin.take().ok_or_else(missing)?, child.stdout.take().ok_or_else(missing)?);
        if let Some(mut words) = child.stderr.take() {
            let notes = Arc::clone(&notes);
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while let Ok(n @ 1..) = words.read(&mut buffer).await {
                    notes.hear(buffer.get(..n).unwrap_or_default());
                }
            });
        }
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pipe = Self {
            kin: Kin { child, group },
            to: Arc::new(tokio::sync::Mutex::new(Some(input))),
            lines: Lines {
                from: BufReader::with_capacity(64 * 1024, output),
                line: Vec::new(),
                notes: Arc::clone(&notes),
            },
        };
        Ok((pipe, notes))
    }
}

impl Transport<RoleClient> for Pipe {
    type Error = std::io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let to = Arc::clone(&self.to);
        async move {
            let mut line = encoded(&message)?;
            line.push(b'\n');
            let mut to = to.lock().await;
            let to = to.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
            to.write_all(&line).await?;
            to.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        self.lines.next().await
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        drop(self.to.lock().await.take());
        if !self.kin.ends_within(GRACE).await {
            self.kin.tell(Signal::TERM);
            if !self.kin.ends_within(GRACE).await {
                self.kin.tell(Signal::KILL);
                self.kin.child.wait().await?;
            }
        }
        // What it started and left behind.
        self.kin.tell(Signal::KILL);
        Ok(())
    }
}

fn encoded(message: &ClientJsonRpcMessage) -> std::io::Result<Vec<u8>> {
    serde_json::to_vec(message).map_err(std::io::Error::other)
}

/// Messages, one a line.
#[derive(Debug)]
struct Lines<R> {
    from: BufReader<R>,
    /// The part of a line that is here: `next` may be dropped while it waits for the rest.
    line: Vec<u8>,
    notes: Arc<Notes>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    async fn next(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let chunk = self.from.fill_buf().await.ok()?;
            if chunk.is_empty() {
                return None;
            }
            let end = chunk.iter().position(|b| *b == b'\n');
            let taken = end.map_or(chunk.len(), |at| at + 1);
            self.line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
            self.from.consume(taken);
            if self.line.len() > LONGEST {
                self.notes.too_long.store(true, Ordering::Relaxed);
                return None;
            }
            if end.is_none() {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(message) => return Some(message),
                Err(_) => self.notes.let_go(line),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(from: tokio::io::DuplexStream) -> Lines<tokio::io::DuplexStream> {
        Lines { from: BufReader::new(from), line: Vec::new(), notes: Arc::default() }
    }

    const ANSWER: &str =
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Pembayaran é 支払い"}]}}"#;

    #[tokio::test]
    async fn a_banner_is_let_go_and_told_and_two_messages_in_one_read_are_two() {
        let (mut to, from) = tokio::io::duplex(64 * 1024);
        let mut lines = lines(from);
        to.write_all(format!("\u{1b}[1mLogTool\u{1b}[0m 1.0\n\r\n{ANSWER}\r\n{ANSWER}\n").as_bytes()).await.unwrap();
        drop(to);
        assert!(lines.next().await.is_some() && lines.next().await.is_some());
        assert!(lines.next().await.is_none());
        assert_eq!(lines.notes.stray().as_deref(), Some("^[[1mLogTool^[[0m 1.0"));
    }

    #[tokio::test]
    async fn a_message_in_many_reads_is_whole_even_when_waiting_for_it_was_given_up() {
        let (mut to, from) = tokio::io::duplex(64 * 1024);
        let mut lines = lines(from);
        for byte in ANSWER.as_bytes() {
            to.write_all(&[*byte]).await.unwrap();
            let waited = tokio::time::timeout(std::time::Duration::from_millis(1), lines.next()).await;
            assert!(waited.is_err(), "there is no whole message yet");
        }
        to.write_all(b"\n").await.unwrap();
        let message = lines.next().await.unwrap();
        assert!(serde_json::to_string(&message).unwrap().contains("Pembayaran é 支払い"));
    }

    #[tokio::test]
    async fn nine_mebibytes_without_an_end_are_refused_and_not_kept() {
        let (mut to, from) = tokio::io::duplex(1 << 20);
        let mut lines = lines(from);
        let writing = tokio::spawn(async move {
            let chunk = vec![b'x'; 1 << 20];
            for _ in 0..9 {
                if to.write_all(&chunk).await.is_err() {
                    break;
                }
            }
        });
        assert!(lines.next().await.is_none());
        assert!(lines.notes.too_long() && lines.line.len() <= LONGEST + 64 * 1024);
        drop(lines);
        writing.await.unwrap();
    }
}
