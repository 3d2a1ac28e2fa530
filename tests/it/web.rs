//! A small HTTP server on loopback whose answers a test scripts: as they should be, wrong, slow, cut off.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path with what stands behind the question mark.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
    /// Parameters of the URL and of a form.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let query = self.path.split_once('?').map_or("", |(_, q)| q);
        let pairs = query.split('&').chain(self.body.split('&')).filter(|p| !p.is_empty());
        pairs.filter_map(|p| p.split_once('=')).map(|(n, v)| (decoded(n), decoded(v))).collect()
    }
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let hex: String = [bytes.next().unwrap(), bytes.next().unwrap()].map(char::from).iter().collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            b => out.push(b),
        }
    }
    String::from_utf8(out).unwrap()
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Status, headers, body.
    Says(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The connection stays open and silent.
    Hangs,
    /// Half of the body, then the end.
    CutOff(Vec<u8>),
    /// The connection ends without a word.
    Hangup,
}

impl Answer {
    pub fn text(body: impl Into<String>) -> Self {
        let kind = ("content-type", "text/plain; version=0.0.4; charset=utf-8".to_owned());
        Self::Says(200, vec![kind], body.into().into_bytes())
    }
    pub fn json(body: impl Into<String>) -> Self {
        Self::Says(200, vec![("content-type", "application/json".to_owned())], body.into().into_bytes())
    }
    pub fn status(status: u16) -> Self {
        Self::Says(status, Vec::new(), b"no".to_vec())
    }
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Says(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

type Script = Arc<Mutex<Box<dyn FnMut(&Request) -> Answer + Send>>>;

/// A server; it ends when it is dropped.
pub struct Web {
    pub port: u16,
    script: Script,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Web {
    /// Serves what `script` answers, on a port of its own, which stays its own when it ends.
    pub async fn serve(script: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        Self::at(crate::pg::quiet_port(), script).await
    }
    /// The same on a port: a process that comes back.
    pub async fn at(port: u16, script: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Script = Arc::new(Mutex::new(Box::new(script)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (for_task, seen_there) = (Arc::clone(&script), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(one(stream, Arc::clone(&for_task), Arc::clone(&seen_there)));
            }
        });
        Self { port, script, seen, task }
    }
    pub fn now(&self, script: impl FnMut(&Request) -> Answer + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }
    /// Ends it: nothing listens on its port any more.
    pub async fn end(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
    /// Every request so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

async fn one(mut stream: TcpStream, script: Script, seen: Arc<Mutex<Vec<Request>>>) {
    let Some(request) = read(&mut stream).await else { return };
    seen.lock().unwrap().push(request.clone());
    let answer = (script.lock().unwrap())(&request);
    match answer {
        Answer::Says(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
            for (name, value) in headers {
                head.extend([name, ": ", &value, "\r\n"]);
            }
            let _ = stream.write_all(format!("{head}\r\n").as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
        Answer::CutOff(body) => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body[..body.len() / 2]).await;
        }
        Answer::Hangs => std::future::pending().await,
        Answer::Hangup => {}
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let length = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(0, |(_, v)| v.parse().unwrap());
    while bytes.len() < end + length {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
    }
    let body = String::from_utf8(bytes[end..end + length].to_vec()).ok()?;
    Some(Request { method, path, headers, body })
}
