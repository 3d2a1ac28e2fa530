//! A caller of the cloud's emulator that is none of ours: raw bytes on a socket, and a signer written here,
//! so that neither the client's signer nor the emulator's check is tested against itself.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use warroom::model::{Stamp, Zone};
use warroom::simulator::cloud::Running;

/// Who calls, and what goes with every call.
#[derive(Clone, Debug)]
pub struct Caller {
    pub address: SocketAddr,
    pub ak: String,
    pub sk: String,
    pub project: String,
    /// What the signature is dated.
    pub date: Stamp,
    /// Goes with temporary keys.
    pub token: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Heard {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// A request that can still be spoiled before it is sent.
#[derive(Clone, Debug)]
pub struct Draft {
    pub method: String,
    /// Path and query as they go on the wire.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Draft {
    pub fn header(&mut self, name: &str) -> &mut String {
        &mut self.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)).unwrap().1
    }
}

impl Caller {
    pub fn of(cloud: &Running, date: Stamp) -> Self {
        let account = cloud.account();
        Self {
            address: cloud.address(),
            ak: account.ak.clone(),
            sk: account.sk.clone(),
            project: account.project().to_owned(),
            date,
            token: None,
        }
    }

    /// A signed request; `{project}` in the path stands for the project.
    pub fn draft(&self, method: &str, path: &str, query: &[(&str, &str)], body: &[u8]) -> Draft {
        let path = path.replace("{project}", &self.project);
        let mut pairs: Vec<_> = query.to_vec();
        pairs.sort_unstable();
        let query = pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect::<Vec<_>>().join("&");
        let date = Zone::utc().format(self.date, "%Y%m%dT%H%M%SZ");
        let mut headers = vec![
            ("host".to_owned(), self.address.to_string()),
            ("x-project-id".to_owned(), self.project.clone()),
            ("x-sdk-date".to_owned(), date.clone()),
        ];
        headers.extend(self.token.iter().map(|t| ("x-security-token".to_owned(), t.clone())));
        headers.sort();
        let lines: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let names = headers.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(";");
        let hash = hex(&Sha256::digest(body));
        let slash = if path.ends_with('/') { "" } else { "/" };
        let canonical = format!("{method}\n{path}{slash}\n{query}\n{lines}\n{names}\n{hash}");
        let text = format!("SDK-HMAC-SHA256\n{date}\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.sk.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        let authorization = format!("SDK-HMAC-SHA256 Access={}, SignedHeaders={names}, Signature={signature}", self.ak);
        headers.push(("authorization".to_owned(), authorization));
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        let target = if query.is_empty() { path } else { format!("{path}?{query}") };
        Draft { method: method.to_owned(), target, headers, body: body.to_vec() }
    }

    pub async fn send(&self, draft: &Draft) -> std::io::Result<Heard> {
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", draft.method, draft.target);
        for (name, value) in &draft.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", draft.body.len());
        let mut line = TcpStream::connect(self.address).await?;
        line.write_all(head.as_bytes()).await?;
        line.write_all(&draft.body).await?;
        let mut bytes = Vec::new();
        let end = line.read_to_end(&mut bytes).await;
        let Some(split) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            return Err(end.err().unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into()));
        };
        let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|l| l.split(' ').nth(1)?.parse().ok()).unwrap();
        let headers = lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let answer = Heard { status, headers, body: bytes[split + 4..].to_vec() };
        let length = answer.header("content-length").and_then(|l| l.parse().ok());
        if length.is_some_and(|l: usize| l != answer.body.len()) {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer)
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Heard {
        self.send(&self.draft("GET", path, query, b"")).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Heard {
        self.send(&self.draft("POST", path, &[], body.to_string().as_bytes())).await.unwrap()
    }
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(b)),
            _ => write!(out, "%{b:02X}").unwrap(),
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
