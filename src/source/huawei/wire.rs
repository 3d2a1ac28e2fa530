//! One HTTP request and its answer: connection, time limits, a cap on the body, no redirects.
//!
//! May not know: who is asked, why, or what a status means. Behind a trait, so that tests can stand in for
//! the network and turn the clock.

use crate::config::huawei::is_loopback;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use tokio::sync::OnceCell;

/// A request as it goes out.
#[derive(Clone)]
pub struct Outgoing {
    /// Method in upper case.
    pub method: String,
    /// The URL, exactly as signed.
    pub url: Url,
    /// Headers besides `Host`. May hold secrets.
    pub headers: Vec<(String, String)>,
    /// The body, exactly as signed.
    pub body: Vec<u8>,
    /// An answer longer than this many bytes, decompressed, is not read to its end.
    pub most: usize,
}

/// What came back, whatever its status. Its headers may hold a token, so its `Debug` shows neither them nor
/// the body.
#[derive(Clone)]
pub struct Incoming {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Incoming {
    /// A header as text; empty when it is absent or no text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

/// Why nothing whole came back. The words are of the network's libraries and hold nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such host.
    Dns,
    /// No connection.
    Unreachable(String),
    /// No secure connection.
    Tls(String),
    /// No answer in time.
    TimedOut,
    /// The connection ended in the middle of the answer.
    Truncated,
    /// The answer is longer than was allowed.
    TooLarge,
    /// The request cannot be made at all.
    Unfit(String),
}

/// Sends requests.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends one request and reads its answer to the end.
    fn send(&self, out: Outgoing) -> BoxFuture<'_, Result<Incoming, Fault>>;
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the answer is read.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), total: Duration::from_secs(10) }
    }
}

/// The network. HTTP/1.1 only: the host is signed as the header `Host`, and that is where it then stands.
#[derive(Debug)]
pub struct Network {
    limits: Limits,
    /// For this machine and the metadata service: no proxy, no certificates.
    near: OnceCell<reqwest::Client>,
    /// For everything else. Reads the machine's certificates when it is first used.
    far: OnceCell<reqwest::Client>,
}

impl Network {
    /// A network with nothing open yet.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, near: OnceCell::const_new(), far: OnceCell::const_new() }
    }

    async fn client(&self, url: &Url) -> Result<&reqwest::Client, Fault> {
        let limits = self.limits;
        if url.scheme() == "http" && url.host_str().is_some_and(is_near) {
            return self.near.get_or_try_init(|| async move { built(plain(limits)) }).await;
        }
        // Certificates are files: read where nobody waits.
        let far = move || built(base(limits));
        let make = || async move {
            let made = tokio::task::spawn_blocking(far).await;
            made.unwrap_or_else(|_| Err(Fault::Unfit("the HTTP client could not be made".to_owned())))
        };
        self.far.get_or_try_init(make).await
    }

    async fn exchange(&self, out: Outgoing) -> Result<Incoming, Fault> {
        let client = self.client(&out.url).await?;
        let method = reqwest::Method::from_bytes(out.method.as_bytes()).map_err(|e| Fault::Unfit(e.to_string()))?;
        let headers = headers(&out.headers)?;
        let request = client.request(method, out.url).headers(headers).body(out.body);
        let mut answer = request.send().await.map_err(fault)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(fault)? {
            if body.len().saturating_add(part.len()) > out.most {
                return Err(Fault::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok(Incoming { status, headers, body: body.freeze() })
    }
}

impl Transport for Network {
    fn send(&self, out: Outgoing) -> BoxFuture<'_, Result<Incoming, Fault>> {
        Box::pin(self.exchange(out))
    }
}

/// This machine, or the address that clouds give their metadata service.
fn is_near(host: &str) -> bool {
    host == "169.254.169.254" || is_loopback(host.trim_start_matches('[').trim_end_matches(']'))
}

fn base(limits: Limits) -> reqwest::ClientBuilder {
    // Whoever installed one first is right; without any the builder would panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .timeout(limits.total)
        .pool_idle_timeout(Duration::from_secs(50))
        .user_agent(concat!("warroom/", env!("CARGO_PKG_VERSION")))
}

fn plain(limits: Limits) -> reqwest::ClientBuilder {
    base(limits).no_proxy().tls_certs_only([])
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Fault> {
    builder.build().map_err(|e| Fault::Tls(deepest(&e)))
}

fn headers(list: &[(String, String)]) -> Result<HeaderMap, Fault> {
    let mut out = HeaderMap::new();
    for (name, value) in list {
        // The value is not said: it may be a token.
        let unfit = || Fault::Unfit(format!("the header {name} has a value that no header can have"));
        let key = HeaderName::try_from(name.as_str()).map_err(|_| unfit())?;
        let mut value = HeaderValue::try_from(value.as_bytes()).map_err(|_| unfit())?;
        value.set_sensitive(true);
        out.insert(key, value);
    }
    Ok(out)
}

fn fault(e: reqwest::Error) -> Fault {
    let e = e.without_url();
    let says = deepest(&e);
    if e.is_dns() {
        Fault::Dns
    } else if e.is_timeout() {
        Fault::TimedOut
    } else if is_tls(&e) {
        Fault::Tls(says)
    } else if e.is_connect() {
        Fault::Unreachable(says)
    } else if e.is_builder() {
        Fault::Unfit(says)
    } else {
        // There was a connection, and it ended before the answer did.
        Fault::Truncated
    }
}

/// Whether the reason, or a reason inside it, is the TLS library's. An I/O error hides what it was made of
/// from `source`.
fn is_tls(e: &(dyn std::error::Error + 'static)) -> bool {
    let inside = e.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    e.is::<rustls::Error>() || inside.is_some_and(|i| is_tls(i)) || e.source().is_some_and(is_tls)
}

/// The innermost reason: the outer ones only repeat that a request failed.
fn deepest(e: &dyn std::error::Error) -> String {
    let mut e = e;
    while let Some(source) = e.source() {
        e = source;
    }
    e.to_string()
}

/// The URL of a request: host, path as given (dots and odd characters are settled here, so it is this URL's
/// path that has to be signed) and the canonical query.
pub fn url(base: &str, path: &str, canonical_query: &str) -> Result<Url, String> {
    let mut url = Url::parse(base).map_err(|e| format!("{base} is no URL ({e})"))?;
    url.set_path(path);
    url.set_query((!canonical_query.is_empty()).then_some(canonical_query));
    Ok(url)
}

/// The host as it is signed and sent: with its port when that is not the usual one.
pub fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
