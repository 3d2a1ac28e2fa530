//! SDK-HMAC-SHA256 as the gateway sees it: everything is computed again from the raw request, and nothing is
//! taken over from whoever signed. Written from the published description; the client's signer is not known
//! here and must not be.

use super::text::{escaped, hexed, pairs, unescaped};
use super::wire::Wire;
use crate::model::Stamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The algorithm's name, at the head of the header.
pub const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// A body that the caller chose not to sign.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What an `Authorization` header claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The access key's name.
    pub access: String,
    /// Names of the headers that were signed, in lower case, sorted.
    pub signed: Vec<String>,
    /// In hex.
    signature: String,
}

impl Claim {
    /// Reads the header; None when it is not of this algorithm or a part is missing.
    pub fn read(header: &str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let part = |name: &str| {
            rest.split(',').find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('=')).filter(|v| !v.is_empty())
        };
        let mut signed: Vec<String> = part("SignedHeaders")?.split(';').map(str::to_ascii_lowercase).collect();
        // Our choice: sorted here, so that a caller who did not sort is refused.
        signed.sort();
        Some(Self { access: part("Access")?.to_owned(), signed, signature: part("Signature")?.to_owned() })
    }

    /// Whether a header was signed.
    pub fn covers(&self, header: &str) -> bool {
        self.signed.iter().any(|s| s == header)
    }

    /// What is wrong with the list of headers, if anything.
    pub fn gap(&self, wire: &Wire) -> Option<String> {
        for must in ["host", "x-sdk-date"] {
            if !self.covers(must) {
                return Some(format!("{must} is not in SignedHeaders"));
            }
        }
        self.signed
            .iter()
            .find(|s| wire.header(s).is_none())
            .map(|s| format!("signed header {s} is not in the request"))
    }

    /// Whether the request was signed with this secret. The canonical request that was computed comes back
    /// in both cases, because the gateway echoes it in a refusal.
    pub fn verify(&self, wire: &Wire, secret: &str) -> (bool, String) {
        let canonical = canonical_request(wire, self);
        let date = wire.header("x-sdk-date").unwrap_or_default();
        let text = format!("{ALGORITHM}\n{date}\n{}", hexed(&Sha256::digest(canonical.as_bytes())));
        // HMAC takes a key of any length.
        let expected = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
            mac.update(text.as_bytes());
            hexed(&mac.finalize().into_bytes())
        });
        (expected.is_ok_and(|e| e == self.signature), canonical)
    }
}

/// When the request says it was signed: `20250112T121500Z`.
pub fn date(text: &str) -> Option<Stamp> {
    let at = chrono::NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?;
    Some(Stamp(at.and_utc().timestamp_micros()))
}

fn canonical_request(wire: &Wire, claim: &Claim) -> String {
    let mut headers = String::new();
    for name in &claim.signed {
        let value = wire.header(name).unwrap_or_default().trim();
        headers.extend([name, ":", value, "\n"]);
    }
    let parts = [
        wire.method.to_ascii_uppercase(),
        canonical_path(&wire.path),
        canonical_query(&wire.query),
        headers,
        claim.signed.join(";"),
        payload(wire, claim),
    ];
    parts.join("\n")
}

/// Unescaped as a whole, cut at slashes, each piece escaped again, with a slash at the end: an escaped slash
/// inside a piece becomes a plain one.
fn canonical_path(raw: &str) -> String {
    let plain = unescaped(raw);
    let mut path = plain.split(|b| *b == b'/').map(escaped).collect::<Vec<_>>().join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// Pairs in the order of their unescaped keys, then values.
fn canonical_query(raw: &str) -> String {
    let mut pairs = pairs(raw);
    pairs.sort();
    pairs.iter().map(|(k, v)| format!("{}={}", escaped(k), escaped(v))).collect::<Vec<_>>().join("&")
}

/// The body's hash, or the word that stands for it. The word counts only when the header itself is signed
/// and there is a body: else anybody on the way could take the body out of the signature (our choice: a
/// signed hash must be the body's own).
fn payload(wire: &Wire, claim: &Claim) -> String {
    let chosen = wire.header("x-sdk-content-sha256").filter(|_| claim.covers("x-sdk-content-sha256"));
    match chosen {
        Some(UNSIGNED) if !wire.body.is_empty() => UNSIGNED.to_owned(),
        _ => hexed(&Sha256::digest(&wire.body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_in_any_order_of_its_parts() {
        let claim = Claim::read("SDK-HMAC-SHA256 SignedHeaders=x-sdk-date;Host, Signature=ab, Access=AK").unwrap();
        assert_eq!((claim.access.as_str(), claim.signed.join(";").as_str()), ("AK", "host;x-sdk-date"));
        assert_eq!(Claim::read("SDK-HMAC-SHA256 Access=AK, SignedHeaders=host"), None);
        assert_eq!(Claim::read("AWS4-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=a"), None);
    }

    #[test]
    fn an_escaped_slash_becomes_a_plain_one_and_the_end_gets_one() {
        assert_eq!(canonical_path("/v1/a%2Fb/c d%20e/%2b"), "/v1/a/b/c%20d%20e/%2B/");
        assert_eq!(canonical_path("/"), "/");
        assert_eq!(canonical_path("/v1//x/"), "/v1//x/");
    }

    #[test]
    fn pairs_are_sorted_before_they_are_escaped() {
        assert_eq!(canonical_query("b=2&a=%3A&a=1&c"), "a=1&a=%3A&b=2&c=");
    }

    #[test]
    fn the_date_is_utc_without_any_mark_of_it_but_the_letter() {
        assert_eq!(date("20250112T121500Z"), Stamp::parse_rfc3339("2025-01-12T12:15:00Z"));
        assert_eq!(date("2025-01-12T12:15:00Z"), None);
    }
}
