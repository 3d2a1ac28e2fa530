//! Asking over HTTP: deadlines, sizes, compression, who we are, and every way it can fail (`fault`).
//!
//! Follows no redirect (a login page is no metrics), reads no more than it was told, and shows no secret.
//! May not know: what the answer means.

use crate::config::prometheus::Auth;
use crate::model::{Lapse, Stamp};
use crate::source::clock::Clock;
use crate::source::huawei::refusal::{http_date, rest};
use crate::source::huawei::sign::encode;
use crate::source::prometheus::fault::Fault;
use crate::source::redact::Known;
use flate2::read::MultiGzDecoder;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use std::io::Read as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long connecting may take: half the answer's time, and no more than this.
const CONNECT: Lapse = Lapse::seconds(3);
/// Secrets from files and commands are fetched anew after this: tokens are exchanged while we run.
const SECRET_AGE: Duration = Duration::from_mins(5);
/// An answer that is longer than this is unpacked and read on a thread of its own.
pub const READ_AT_ONCE: usize = 128 * 1024;

const JSON: &str = "application/json";

/// Asks.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    auth: Auth,
    timeout: Lapse,
    /// Largest answer, unpacked.
    most: usize,
    proof: Mutex<Option<(Instant, Proof)>>,
    clock: Clock,
}

/// What says who we are.
#[derive(Clone, Debug, Default)]
struct Proof {
    headers: HeaderMap,
    /// What of it must not come back in words.
    known: Known,
}

/// A question.
#[derive(Clone, Debug)]
pub enum Ask {
    /// `GET` with parameters in the URL.
    Get(Vec<(String, String)>),
    /// `POST` with parameters as a form.
    Form(Vec<(String, String)>),
    /// `POST` with a JSON document.
    Json(String),
    /// `DELETE` with a JSON document: something that we opened there ourselves.
    End(String),
}

/// An answer of any status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body, unpacked.
    pub body: Vec<u8>,
    /// Bytes received for it.
    pub wire: u64,
    /// What it says it is.
    pub content_type: String,
    /// The server's clock minus ours, within a second, when it said what time it has.
    pub skew: Option<Lapse>,
    /// How long it wants to be left alone.
    pub retry_after: Option<Lapse>,
    /// What proved who we are: cut out of every word of the answer that is shown.
    pub known: Known,
}

impl Http {
    /// A client that has asked nothing yet; `most` is the largest answer that is read. `direct` leaves out
    /// the proxy of the environment: pods are asked by their addresses.
    pub fn new(auth: &Auth, timeout: Lapse, most: usize, direct: bool, clock: Clock) -> Result<Self, Fault> {
        // Somebody else may have chosen it already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT.min(timeout).to_std())
            .timeout(timeout.to_std())
            .user_agent(concat!("warroom/", env!("CARGO_PKG_VERSION")))
            .no_gzip();
        let builder = if direct { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|e| Fault::Other(format!("HTTP cannot be spoken here: {e}")))?;
        Ok(Self { client, auth: auth.clone(), timeout, most, proof: Mutex::default(), clock })
    }

    /// Asks once. The answer may have any status.
    pub async fn ask(&self, url: &str, accept: &'static str, ask: &Ask) -> Result<Reply, Fault> {
        let Proof { headers, known } = self.proof().await?;
        let request = match ask {
            Ask::Get(query) => self.client.get(url).query(query),
            Ask::Form(form) => {
                let body = form_encoded(form);
                self.client.post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
            }
            Ask::Json(body) => self.client.post(url).header(header::CONTENT_TYPE, JSON).body(body.clone()),
            Ask::End(body) => self.client.delete(url).header(header::CONTENT_TYPE, JSON).body(body.clone()),
        };
        let request = request.headers(headers).header(header::ACCEPT, accept).header(header::ACCEPT_ENCODING, "gzip");
        let before = self.clock.now();
        let mut response = request.send().await.map_err(|e| self.fault(&e))?;
        let half = Lapse(self.clock.now().since(before).0 / 2);
        let status = response.status().as_u16();
        if status == 401 {
            // It may have been exchanged meanwhile: fetched anew next time.
            *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let text = |name| response.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or_default();
        let packed = text(header::CONTENT_ENCODING).to_ascii_lowercase();
        let content_type = text(header::CONTENT_TYPE).to_ascii_lowercase();
        let skew = skew(text(header::DATE), before + half);
        let retry_after = rest(text(header::RETRY_AFTER), before + half);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.fault(&e))? {
            if body.len() + chunk.len() > self.most {
                return Err(Fault::TooLarge(self.most));
            }
            body.extend_from_slice(&chunk);
        }
        let wire = body.len() as u64;
        let body = match packed.as_str() {
            "" | "identity" => body,
            "gzip" | "x-gzip" => unpacked(body, self.most).await?,
            _ => return Err(Fault::Packed),
        };
        Ok(Reply { status, body, wire, content_type, skew, retry_after, known })
    }

    /// What says who we are, fetched anew from time to time.
    async fn proof(&self) -> Result<Proof, Fault> {
        if let Some((at, proof)) = &*self.proof.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < SECRET_AGE
        {
            return Ok(proof.clone());
        }
        let (mut map, mut known) = (HeaderMap::new(), Vec::new());
        let value = |text: &str| {
            let mut value = HeaderValue::from_str(text)
                .map_err(|_| Fault::Secret("a secret has characters that no HTTP header can carry".to_owned()))?;
            value.set_sensitive(true);
            Ok::<_, Fault>(value)
        };
        if let Some(bearer) = &self.auth.bearer {
            let secret = bearer.obtain().await.map_err(Fault::Secret)?;
            map.insert(header::AUTHORIZATION, value(&format!("Bearer {}", secret.expose_secret()))?);
            known.push(secret);
        }
        if let Some((user, password)) = &self.auth.basic {
            let secret = password.obtain().await.map_err(Fault::Secret)?;
            let encoded = base64(format!("{user}:{}", secret.expose_secret()).as_bytes());
            map.insert(header::AUTHORIZATION, value(&format!("Basic {encoded}"))?);
            known.extend([SecretString::from(encoded), secret]);
        }
        if let Some(key) = &self.auth.api_key {
            let secret = key.obtain().await.map_err(Fault::Secret)?;
            map.insert(header::AUTHORIZATION, value(&format!("ApiKey {}", secret.expose_secret()))?);
            known.push(secret);
        }
        for (name, secret) in &self.auth.headers {
            let secret = secret.obtain().await.map_err(Fault::Secret)?;
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Fault::Secret("a name in headers is no HTTP header".to_owned()))?;
            map.insert(name, value(secret.expose_secret())?);
            known.push(secret);
        }
        let proof = Proof { headers: map, known: Known::new(known) };
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), proof.clone()));
        Ok(proof)
    }

    /// A failure of the client, told apart by what lies at its root. Its own words can quote the URL.
    fn fault(&self, error: &reqwest::Error) -> Fault {
        if error.is_timeout() {
            return Fault::Overdue(self.timeout);
        }
        let mut root: &dyn std::error::Error = error;
        let mut words = String::new();
        while let Some(cause) = root.source() {
            root = cause;
            words = cause.to_string().to_lowercase();
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                use std::io::ErrorKind as K;
                match io.kind() {
                    K::ConnectionRefused => return Fault::Refused,
                    K::TimedOut | K::HostUnreachable | K::NetworkUnreachable => {
                        return Fault::Unreachable(io.to_string());
                    }
                    K::ConnectionReset | K::ConnectionAborted | K::UnexpectedEof | K::BrokenPipe => {
                        return Fault::CutOff;
                    }
                    _ => {}
                }
            }
            if words.contains("dns") || words.contains("lookup") {
                return Fault::NoHost;
            }
            if words.contains("certificate") || words.contains("tls") || words.contains("invalid message") {
                return Fault::Tls(cause.to_string());
            }
        }
        if error.is_body()
            || error.is_decode()
            || words.contains("connection closed")
            || words.contains("incomplete")
            || words.contains("end of file")
        {
            return Fault::CutOff;
        }
        if error.is_connect() { Fault::Unreachable(words) } else { Fault::Other(format!("no HTTP answer: {words}")) }
    }
}

/// Unpacks, and stops where it gets too long: a small answer can stand for gigabytes.
async fn unpacked(body: Vec<u8>, most: usize) -> Result<Vec<u8>, Fault> {
    let work = move || {
        let mut out = Vec::new();
        let read = MultiGzDecoder::new(body.as_slice()).take(most as u64 + 1).read_to_end(&mut out);
        match read {
            Ok(_) if out.len() > most => Err(Fault::TooLarge(most)),
            Ok(_) => Ok(out),
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Err(Fault::CutOff),
            Err(_) => Err(Fault::Packed),
        }
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Fault::Packed))
}

/// The server's clock minus ours. Its header knows whole seconds, cut off: half of one is added.
fn skew(date: &str, now: Stamp) -> Option<Lapse> {
    Some((http_date(date)? + Lapse::millis(500)).since(now))
}

/// Parameters as a form carries them.
fn form_encoded(form: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, value) in form {
        if !out.is_empty() {
            out.push('&');
        }
        out.extend([encode(name), "=".to_owned(), encode(value)]);
    }
    out
}

/// RFC 4648, with padding: what `Authorization: Basic` wants.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_packed_as_the_header_wants_it() {
        // RFC 4648, section 10.
        for (plain, packed) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), packed);
        }
    }

    #[test]
    fn a_query_survives_its_way_as_a_form() {
        let form = [("query".to_owned(), "rate(x{a=~\"5..\"}[2m]) + 1 % 2".to_owned())];
        assert_eq!(form_encoded(&form), "query=rate%28x%7Ba%3D~%225..%22%7D%5B2m%5D%29%20%2B%201%20%25%202");
    }
}
