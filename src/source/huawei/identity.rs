//! Who we are: keys or a token, with what is known about them. Shows nothing of itself.
//!
//! May not know: where it came from beyond a name for people, and how it is used.

use crate::model::{Lapse, Stamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// What proves who we are.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A key pair; requests are signed with it.
    Keys {
        /// Access key.
        ak: SecretString,
        /// Secret key; never sent.
        sk: SecretString,
        /// Goes with temporary keys.
        token: Option<SecretString>,
    },
    /// A token that is sent instead of a signature.
    Token(SecretString),
}

/// Credentials.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The proof.
    pub proof: Proof,
    /// The project they say they belong to.
    pub project: Option<String>,
    /// The account they say they belong to.
    pub domain: Option<String>,
    /// When they end; never when absent.
    pub expires: Option<Stamp>,
    /// Where they come from, as people know it: `the environment (HUAWEICLOUD_SDK_AK, _SK)`.
    pub from: String,
    /// Whether the place can be read again at no cost, to see if somebody corrected it.
    pub rereadable: bool,
    /// What is unwise about the place, with the remedy.
    pub warning: Option<(String, String)>,
}

/// The longest time before their end at which credentials are renewed.
const EARLIEST: Lapse = Lapse::minutes(40);
/// Credentials are not used any more when they have less than this left: a request takes a while, and
/// clocks differ.
pub const LAST_USE: Lapse = Lapse::seconds(15);

impl Identity {
    /// Keys from a place that people know by this name.
    pub fn keys(ak: SecretString, sk: SecretString, token: Option<SecretString>, from: impl Into<String>) -> Self {
        Self {
            proof: Proof::Keys { ak, sk, token },
            project: None,
            domain: None,
            expires: None,
            from: from.into(),
            rereadable: false,
            warning: None,
        }
    }

    /// Everything in them that must never be shown.
    pub fn secrets(&self) -> Vec<&str> {
        match &self.proof {
            Proof::Keys { ak, sk, token } => {
                let mut out = vec![ak.expose_secret(), sk.expose_secret()];
                out.extend(token.as_ref().map(SecretString::expose_secret));
                out
            }
            Proof::Token(token) => vec![token.expose_secret()],
        }
    }

    /// Whether both prove the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.secrets() == other.secrets()
    }

    /// Whether it is time to renew them: a third of their life before the end, 40 minutes at most.
    pub fn is_due(&self, fetched: Stamp, now: Stamp) -> bool {
        self.expires.is_some_and(|end| {
            let margin = Lapse(end.since(fetched).0 / 3).min(EARLIEST);
            now >= end - margin
        })
    }

    /// Whether they can still be used.
    pub fn is_usable(&self, now: Stamp) -> bool {
        self.expires.is_none_or(|end| now < end - LAST_USE)
    }
}

/// Reads a credential object: the metadata service's and IAM's own, or the same names without the object
/// around them. The error says what is missing; it never quotes the text.
pub fn from_json(text: &str, from: &str) -> Result<Identity, String> {
    let value: Value = serde_json::from_str(text)
        .map_err(|e| format!("what it gives is no JSON (line {}, column {})", e.line(), e.column()))?;
    let inside = value.get("credential").unwrap_or(&value);
    let find = |names: &[&str]| {
        let found = names.iter().find_map(|n| inside.get(n)).or_else(|| names.iter().find_map(|n| value.get(n)));
        found.and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
    };
    let ak = find(&["access", "ak", "access_key", "access_key_id"]).ok_or("it gives no \"access\" (the access key)")?;
    let sk =
        find(&["secret", "sk", "secret_key", "secret_access_key"]).ok_or("it gives no \"secret\" (the secret key)")?;
    let token = find(&["securitytoken", "security_token", "session_token"]);
    let mut identity = Identity::keys(ak.into(), sk.into(), token.map(SecretString::from), from);
    if let Some(end) = find(&["expires_at", "expiration"]) {
        let end = Stamp::parse_rfc3339(&end)
            .ok_or("its \"expires_at\" is no instant with a zone, like 2026-11-23T15:22:49Z")?;
        identity.expires = Some(end);
    }
    (identity.project, identity.domain) = (find(&["project_id"]), find(&["domain_id"]));
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_read_with_and_without_the_object_around_it() {
        let bare = r#"{"access":"A","secret":"S","securitytoken":"T","expires_at":"2026-11-23T15:22:49.231000Z"}"#;
        for text in [bare.to_owned(), format!("{{\"credential\":{bare},\"more\":1}}")] {
            let identity = from_json(&text, "here").unwrap();
            assert_eq!(identity.secrets(), ["A", "S", "T"]);
            assert_eq!(identity.expires, Stamp::parse_rfc3339("2026-11-23T15:22:49.231Z"));
        }
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_is_quoted() {
        for (text, word) in [
            ("hunter2", "no JSON"),
            (r#"{"ak":"hunter2"}"#, "\"secret\""),
            (r#"{"sk":"hunter2","ak":7}"#, "\"access\""),
            (r#"{"ak":"a","sk":"hunter2","expires_at":"2026-11-23 15:22"}"#, "expires_at"),
            ("[]", "\"access\""),
        ] {
            let says = from_json(text, "here").unwrap_err();
            assert!(says.contains(word) && !says.contains("hunter2"), "{says}");
        }
    }

    #[test]
    fn credentials_are_due_a_third_of_their_life_before_the_end_and_never_used_after_it() {
        let mut identity = Identity::keys("a".into(), "s".into(), None, "here");
        let at = |minutes| Stamp(0) + Lapse::minutes(minutes);
        assert!(!identity.is_due(at(0), at(1_000_000)) && identity.is_usable(at(1_000_000)), "keys do not end");
        identity.expires = Some(at(15));
        assert_eq!((identity.is_due(at(0), at(9)), identity.is_due(at(0), at(10))), (false, true));
        identity.expires = Some(at(24 * 60));
        assert_eq!((identity.is_due(at(0), at(1399)), identity.is_due(at(0), at(1400))), (false, true));
        assert!(identity.is_usable(at(1439)) && !identity.is_usable(at(1440)));
    }

    #[test]
    fn debug_shows_nothing() {
        let identity = Identity::keys("AKAKAK".into(), "SKSKSK".into(), Some("TOTOTO".into()), "here");
        let shown = format!("{identity:?}");
        assert!(!shown.contains("AKAK") && !shown.contains("SKSK") && !shown.contains("TOTO"), "{shown}");
    }
}
