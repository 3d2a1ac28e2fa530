//! SDK-HMAC-SHA256: from a request to the header that proves who sent it.
//!
//! Pure: text in, text out. May not know: where keys come from, how a request is sent, what time it is.
//! The algorithm is the published one of the cloud's API gateway; `sign_tests.rs` holds it to vectors that
//! its own signer made.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Name of the algorithm, first word of the header.
pub const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// Header with the time of signing.
pub const DATE: &str = "X-Sdk-Date";
/// Header that tells how the body was hashed when it was not.
pub const CONTENT_HASH: &str = "X-Sdk-Content-Sha256";
/// The word in that header: the body is not covered by the signature.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// A request as it will stand on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Method, in any case.
    pub method: &'a str,
    /// Path as sent: percent-encoded, beginning with `/`.
    pub path: &'a str,
    /// Parameters, not encoded.
    pub query: &'a [(String, String)],
    /// The headers that are signed, `Host` and `X-Sdk-Date` among them; names with `_` never are.
    pub headers: &'a [(String, String)],
    /// The body as sent.
    pub body: &'a [u8],
}

/// Every step of a signature, so that a refusal can be compared with what the server computed.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// Path as it is signed.
    pub canonical_uri: String,
    /// Query as it is signed; exactly this stands on the wire.
    pub canonical_query: String,
    /// Names of the signed headers.
    pub signed_headers: String,
    /// SHA-256 of the body in hexadecimal, or the word for a body that is not signed.
    pub payload_hash: String,
    /// The canonical request. Holds the security token: never shown.
    pub canonical_request: String,
    /// What the key is applied to.
    pub string_to_sign: String,
    /// The signature.
    pub signature: String,
    /// Value of the `Authorization` header. Never shown.
    pub authorization: String,
}

/// Signs. `ak` is sent with the request, `sk` never is. Without an `X-Sdk-Date` among the headers the
/// signature is well formed and no gateway accepts it.
pub fn sign(request: &Request<'_>, ak: &str, sk: &str) -> Signed {
    let headers = signed(request.headers);
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    let signed_headers = names.join(";");
    let canonical_uri = canonical_uri(request.path);
    let canonical_query = canonical_query(request.query);
    let payload_hash = payload_hash(&headers, request.body);
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let method = request.method.to_ascii_uppercase();
    let canonical_request =
        format!("{method}\n{canonical_uri}\n{canonical_query}\n{lines}\n{signed_headers}\n{payload_hash}");
    let date = headers.get(&DATE.to_ascii_lowercase()).copied().unwrap_or_default();
    let string_to_sign = format!("{ALGORITHM}\n{date}\n{}", hex(&Sha256::digest(canonical_request.as_bytes())));
    let signature = hmac(sk, &string_to_sign);
    let authorization = format!("{ALGORITHM} Access={ak}, SignedHeaders={signed_headers}, Signature={signature}");
    Signed {
        canonical_uri,
        canonical_query,
        signed_headers,
        payload_hash,
        canonical_request,
        string_to_sign,
        signature,
        authorization,
    }
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").field("signed_headers", &self.signed_headers).finish_non_exhaustive()
    }
}

/// The headers that count: names in lower case and in order, values without the blanks around them. A name
/// with `_` is left out, because proxies drop such headers. Of two with the same name the last one counts.
fn signed(headers: &[(String, String)]) -> BTreeMap<String, &str> {
    let fit = headers.iter().filter(|(name, _)| !name.contains('_'));
    fit.map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect()
}

/// Whether a body with this content type is covered by the signature.
fn is_hashed(content_type: &str) -> bool {
    ["application/json", "application/bson"].iter().any(|t| content_type.starts_with(t))
}

/// The header that has to go along for this content type, if any. Put it among the headers before signing.
pub fn content_hash(content_type: Option<&str>) -> Option<(String, String)> {
    let unhashed = content_type.is_some_and(|t| !t.is_empty() && !is_hashed(t));
    unhashed.then(|| (CONTENT_HASH.to_owned(), UNSIGNED.to_owned()))
}

/// An empty body is hashed whatever the header says.
fn payload_hash(headers: &BTreeMap<String, &str>, body: &[u8]) -> String {
    match headers.get(&CONTENT_HASH.to_ascii_lowercase()) {
        Some(said) if !body.is_empty() => (*said).to_owned(),
        _ => hex(&Sha256::digest(body)),
    }
}

/// The path decoded, split at `/`, each part encoded again, with `/` at its end.
pub fn canonical_uri(path: &str) -> String {
    let decoded = decode(path);
    let mut out = decoded.split(|b| *b == b'/').map(encoded).collect::<Vec<_>>().join("/");
    if !out.ends_with('/') {
        out.push('/');
    }
    out
}

/// Parameters sorted by name and value before they are encoded; an empty value keeps its `=`.
pub fn canonical_query(query: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = query.iter().collect();
    sorted.sort();
    let parts: Vec<String> = sorted.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
    parts.join("&")
}

/// Percent-encodes everything but letters, digits and `-_.~`, in upper case.
pub fn encode(text: &str) -> String {
    encoded(text.as_bytes())
}

/// The same of bytes that need be no text: an escape in a path may stand for any byte.
fn encoded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes percent-encoding. What is no escape stays; the bytes need be no UTF-8.
pub fn decode(text: &str) -> Vec<u8> {
    let digit = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        let escape = (byte == b'%').then(|| digit(bytes.get(i + 1)).zip(digit(bytes.get(i + 2)))).flatten();
        if let Some((high, low)) = escape {
            out.push(high * 16 + low);
            i += 3;
        } else {
            out.push(byte);
            i += 1;
        }
    }
    out
}

fn hmac(key: &str, text: &str) -> String {
    // An HMAC takes a key of any length; the branch without one cannot be reached.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
