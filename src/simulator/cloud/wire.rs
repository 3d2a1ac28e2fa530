//! A request as it came over the wire, before anything was decided about it, and the socket it came on,
//! which a fault may cut.

use super::text;
use axum::body::Bytes;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A request: raw path and query, header names in lower case, the body's bytes.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// `GET`.
    pub method: String,
    /// As sent, still percent-encoded.
    pub path: String,
    /// As sent, without the question mark.
    pub query: String,
    /// In order of arrival. A value that is not UTF-8 is shown with replacement characters and so never
    /// matches a signature (our choice).
    pub headers: Vec<(String, String)>,
    /// As sent.
    pub body: Bytes,
}

impl Wire {
    /// A header's first value; names in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The query's pairs as text.
    pub fn query(&self) -> Query {
        Query::read(&self.query)
    }

    /// The pairs of the query and, when the body is a form, of the body.
    pub fn query_and_form(&self) -> Query {
        let mut query = self.query();
        let form = self.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
        if form && let Ok(body) = std::str::from_utf8(&self.body) {
            query.0.extend(Query::read(body).0);
        }
        query
    }
}

/// Parameters by name.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    fn read(text: &str) -> Self {
        let lossy = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
        Self(text::pairs(text).into_iter().map(|(k, v)| (lossy(k), lossy(v))).collect())
    }

    /// The first value of a name, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|v| !v.is_empty())
    }

    /// Every value of a name.
    pub fn all<'q>(&'q self, name: &str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// A whole number: `Ok(None)` when absent, an error when it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, String> {
        self.get(name).map(|v| v.parse().map_err(|_| format!("{name} must be a whole number"))).transpose()
    }

    /// A whole number within bounds, or what stands for an absent one.
    pub fn within(&self, name: &str, bounds: std::ops::RangeInclusive<i64>, absent: i64) -> Result<i64, String> {
        let n = self.number(name)?.unwrap_or(absent);
        if bounds.contains(&n) {
            Ok(n)
        } else {
            Err(format!("{name} goes from {} to {}", bounds.start(), bounds.end()))
        }
    }
}

/// A listener whose connections can be cut by the one who answers on them.
#[derive(Debug)]
pub struct Door(pub TcpListener);

/// The knife for one connection.
#[derive(Clone, Debug, Default)]
pub struct Cut(Arc<AtomicBool>);

impl Cut {
    /// From now on nothing more is written, and the connection ends with a reset instead of a goodbye.
    pub fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A connection.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    cut: Cut,
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, from) = Listener::accept(&mut self.0).await;
        // Only slower without it.
        let _ = stream.set_nodelay(true);
        (Line { stream, cut: Cut::default() }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Cut {
    fn connect_info(line: IncomingStream<'_, Door>) -> Self {
        line.io().cut.clone()
    }
}

impl Line {
    fn check(&self) -> io::Result<()> {
        if self.cut.0.load(Ordering::Acquire) {
            // Without lingering, closing a socket sends a reset.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
