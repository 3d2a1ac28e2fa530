//! Cuts out of a server's words whatever proves who we are: keys, tokens, passwords, signatures and the
//! canonical request that gateways echo.
//!
//! Two nets, one behind the other: what we know (the keys in use) is found wherever it stands, and what looks
//! like a secret is cut even when it is nobody's we know. May not know: what the words mean.

use crate::source::huawei::sign;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// What stands in the place of what was cut.
pub const CUT: &str = "‹cut›";
/// Words longer than this, without a slash or a dot in them, are hashes, keys or tokens. Ids of the cloud
/// have 32 or 36 characters, its secret keys 40.
const LONGEST_ID: usize = 39;
/// The words that a metric's name is made of are shorter.
const LONGEST_PART: usize = 15;
/// More of a message than this helps nobody at night.
const LONGEST_MESSAGE: usize = 400;
/// What follows one of these, and the blanks, signs and quotes behind it, is cut.
const LABELS: [&str; 13] = [
    "access=",
    "signature=",
    "access_key",
    "secret_key",
    "secretkey",
    "accesskey",
    "security-token",
    "securitytoken",
    "auth-token",
    "subject-token",
    "encoded_authorization_message",
    "ak:",
    "sk:",
];

/// Secrets in use. Its `Debug` shows how many.
#[derive(Clone, Default)]
pub struct Known(Arc<[SecretString]>);

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Known {
    /// These are known.
    pub fn new(secrets: Vec<SecretString>) -> Self {
        Self(secrets.into())
    }
    /// A message without them, and without what looks like one.
    pub fn clean(&self, text: &str) -> String {
        clean(text, &self.0.iter().map(SecretString::expose_secret).collect::<Vec<_>>())
    }
}

/// A message without secrets. `known` are the secrets in use.
pub fn clean(text: &str, known: &[&str]) -> String {
    let mut out = without_echo(text).to_owned();
    for secret in known.iter().filter(|s| s.len() > 3) {
        for form in [(*secret).to_owned(), sign::encode(secret), secret.replace('/', "\\/")] {
            out = replace(&out, &form);
        }
    }
    out = without_labelled(&out);
    out = without_long_words(&out);
    shortened(out.trim())
}

/// The gateway repeats the request it computed, with `|` for line breaks, up to the end of its message.
fn without_echo(text: &str) -> &str {
    let end = find(text, "canonicalrequest", 0).or_else(|| find(text, "canonical request", 0));
    end.map_or(text, |at| text.get(..at).unwrap_or_default().trim_end_matches([',', ' ', ';']))
}

/// Where `needle`, in lower case, stands at or behind `from`, whatever the case.
fn find(text: &str, needle: &str, from: usize) -> Option<usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let rest = text.get(from..)?;
    rest.windows(needle.len().max(1)).position(|w| w.eq_ignore_ascii_case(needle)).map(|at| at + from)
}

fn replace(text: &str, secret: &str) -> String {
    let lower = secret.to_ascii_lowercase();
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    while let Some(at) = find(text, &lower, from) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(CUT);
        from = at + lower.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Characters that a key or token is written with.
const fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'~' | b'%' | b'\\')
}

fn without_labelled(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut kept, mut i) = (String::with_capacity(text.len()), 0, 0);
    while i < bytes.len() {
        let label = LABELS.iter().find(|l| {
            let here = bytes.get(i..i + l.len()).is_some_and(|b| b.eq_ignore_ascii_case(l.as_bytes()));
            // `ak:` is a label at the beginning of a word only: `leak:` is none.
            here && (l.len() > 3 || i == 0 || !bytes.get(i - 1).is_some_and(u8::is_ascii_alphanumeric))
        });
        let Some(label) = label else {
            i += 1;
            continue;
        };
        let behind = i + label.len();
        let from = bytes.iter().skip(behind).position(|b| !b" :=\"'|".contains(b)).map_or(bytes.len(), |n| behind + n);
        // A name is only a label when a sign gives it a value: "Get secretKey failed" gives none.
        if !bytes.get(behind - 1..from).is_some_and(|between| between.iter().any(|b| b":=".contains(b))) {
            i = behind;
            continue;
        }
        let to = bytes.iter().skip(from).position(|b| !is_word(*b)).map_or(bytes.len(), |n| from + n);
        // The ends stand beside ASCII characters, so both are between characters.
        out.push_str(text.get(kept..from).unwrap_or_default());
        if to > from {
            out.push_str(CUT);
        }
        kept = to;
        i = to.max(i + 1);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    out
}

fn without_long_words(text: &str) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || "+=_-%".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(inside) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !inside(c)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(if word.len() > LONGEST_ID && !is_name(word) { CUT } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether a long word is the name of a metric: parts in lower case with underscores between them, of which
/// each is short. A token has capitals or goes on for longer.
fn is_name(word: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    word.split('_').all(|part| part.len() <= LONGEST_PART && part.bytes().all(lower))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AK: &str = "QTWAOYTTINDUT2QVKYUC";
    const SK: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
    const TOKEN: &str = "gQpjbi1ub3J0aC00iJ0EXAMPLETOKEN/abc+def==";

    #[test]
    fn the_echoed_request_goes_and_the_reason_stays() {
        let said = format!(
            "Incorrect IAM authentication information: verify aksk signature fail,canonicalRequest:PUT|/v2/x/||host:h|x-security-token:{TOKEN}||host|e3b0"
        );
        assert_eq!(
            clean(&said, &[AK, SK, TOKEN]),
            "Incorrect IAM authentication information: verify aksk signature fail"
        );
    }

    #[test]
    fn keys_that_are_known_go_wherever_they_stand() {
        for (said, left) in [
            (
                format!("Get secretKey failed,ak:{AK},err:ak not exist"),
                "Get secretKey failed,ak:‹cut›,err:ak not exist",
            ),
            (format!("ak {AK} not exist"), "ak ‹cut› not exist"),
            (format!("token {} is over", sign::encode(TOKEN)), "token ‹cut› is over"),
            (format!("token {} is over", TOKEN.replace('/', "\\/")), "token ‹cut› is over"),
            (format!("«{}»", AK.to_lowercase()), "«‹cut›»"),
        ] {
            assert_eq!(clean(&said, &[AK, SK, TOKEN]), left);
        }
    }

    #[test]
    fn what_looks_like_a_secret_goes_even_when_nobody_knows_it() {
        for said in [
            format!("bad header Authorization: SDK-HMAC-SHA256 Access={AK}, SignedHeaders=host, Signature=4c9470d9c1"),
            format!("{{\"X-Auth-Token\":\"{TOKEN}\"}}"),
            format!("secret_key = {SK}"),
            format!("odd word {SK}"),
            format!("encoded_authorization_message: {TOKEN}"),
            format!("ak: {AK}"),
            "odd word c0ffee00c0ffee00c0ffee00_4c9470d9c1_c0ffee00".to_owned(),
        ] {
            let left = clean(&said, &[]);
            assert!(![AK, SK, TOKEN, "4c9470d9c1", "EXAMPLETOKEN"].iter().any(|s| left.contains(s)), "{said}\n{left}");
        }
    }

    #[test]
    fn ordinary_words_ids_and_paths_stay() {
        for said in [
            "The API does not exist: /V1.0/0605767e1b00d5762fd0c003d4d1f4a8/metric-data",
            "instance 3c8cc15614ab46f5b8743317555e0de2in03, group 00330565-5baf-4e0d-bd16-ba0c6b951d9a",
            "throttling threshold: policy ip over ratelimit,limit:5,time:1 minute",
            "a leak: small; Perücke überall",
            "parse error: container_network_receive_packets_dropped_total",
        ] {
            assert_eq!(clean(said, &[AK]), said);
        }
        assert_eq!(clean(&"word ".repeat(1000), &[]).chars().count(), LONGEST_MESSAGE + 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_around_a_known_secret_saves_it(before in "\\PC{0,20}", after in "\\PC{0,20}") {
            for secret in [AK, SK, TOKEN] {
                let left = clean(&format!("{before}{secret}{after}"), &[AK, SK, TOKEN]);
                prop_assert!(!left.contains(secret), "{}", left);
            }
        }
    }
}
