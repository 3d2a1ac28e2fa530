//! Takes secrets out of a message before it is kept anywhere: passwords, tokens, keys, authorisations.
//!
//! Personal data is another matter: it stays in the recording and is masked on the screen.

use regex::Regex;
use std::borrow::Cow;

/// What stands in a secret's place.
const TAKEN: &str = "‹secret›";

/// Finds secrets.
#[derive(Clone, Debug)]
pub struct Secrets {
    hints: Regex,
    rules: Vec<(Regex, String)>,
}

impl Secrets {
    /// The built-in rules.
    pub fn new() -> Result<Self, regex::Error> {
        let rules = [
            // user:password@host in a URL
            (r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", format!("${{1}}:{TAKEN}@")),
            // Authorization: Bearer xyz, and bare bearer tokens
            (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", format!("${{1}} {TAKEN}")),
            // password=xyz, "api_key": "xyz", X-Auth-Token: xyz
            (
                r#"(?i)([\w-]*(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signature|otp|cvv|pin)"?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&}\])]+)"#,
                format!("${{1}}{TAKEN}"),
            ),
            // JSON web tokens
            (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*", TAKEN.to_owned()),
        ];
        let hints = Regex::new(r"(?i)://|bearer|basic|pass|pwd|secret|token|key|signature|otp|cvv|pin|eyJ")?;
        let rules =
            rules.into_iter().map(|(p, with)| Ok((Regex::new(p)?, with))).collect::<Result<_, regex::Error>>()?;
        Ok(Self { hints, rules })
    }

    /// The text without its secrets; the same text when there are none.
    pub fn out_of<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        if !self.hints.is_match(text) {
            return out;
        }
        for (rule, with) in &self.rules {
            if let Cow::Owned(changed) = rule.replace_all(&out, with.as_str()) {
                out = Cow::Owned(changed);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_words_around_them_stay() {
        let s = Secrets::new().unwrap();
        for (text, expected) in [
            ("connect postgres://app:hunter2@db:5432/x failed", "connect postgres://app:‹secret›@db:5432/x failed"),
            ("header Authorization: Bearer abc.def-123456", "header Authorization: Bearer ‹secret›"),
            ("login password=hunter2, user=budi", "login password=‹secret›, user=budi"),
            (r#"{"api_key": "abc def", "n": 1}"#, r#"{"api_key": ‹secret›, "n": 1}"#),
            ("X-Auth-Token: MIIabc== sent", "X-Auth-Token: ‹secret› sent"),
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.sig", "got ‹secret›"),
        ] {
            assert_eq!(s.out_of(text), expected);
        }
    }

    #[test]
    fn ordinary_lines_are_not_touched() {
        let s = Secrets::new().unwrap();
        for text in ["acquire timeout after 5000ms", "key not found", "pinned version 3", "GET https://ho/api/1 200"] {
            assert!(matches!(s.out_of(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
