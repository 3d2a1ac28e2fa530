//! The filter of a list: plain words, `!` inverted, `~` a regular expression; upper and lower case are the
//! same. An expression that is not complete yet is said, and matches as plain text meanwhile.

use regex::{Regex, RegexBuilder};

/// A filter, ready to ask.
#[derive(Clone, Debug)]
pub struct Filter {
    inverted: bool,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    All,
    Words(Vec<String>),
    Expression(Regex),
}

impl Filter {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A sentence when the expression after `~` is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (inverted, rest) = text.strip_prefix('!').map_or((false, text), |r| (true, r.trim_start()));
        let how = match rest.strip_prefix('~') {
            Some(expression) if !expression.trim().is_empty() => How::Expression(
                RegexBuilder::new(expression.trim()).case_insensitive(true).size_limit(1 << 20).build().map_err(
                    |e| format!("`{}` is not a regular expression: {}", expression.trim(), last_line(&e.to_string())),
                )?,
            ),
            _ => {
                let words: Vec<String> =
                    rest.trim_start_matches('~').split_whitespace().map(str::to_lowercase).collect();
                if words.is_empty() { How::All } else { How::Words(words) }
            }
        };
        Ok(Self { inverted, how })
    }
    /// A filter that lets everything through.
    pub const fn all() -> Self {
        Self { inverted: false, how: How::All }
    }
    /// Whether it lets everything through.
    pub const fn is_all(&self) -> bool {
        matches!(self.how, How::All)
    }
    /// Whether a row passes: each part is one column; every word must be in some of them.
    pub fn passes(&self, parts: &[&str]) -> bool {
        let found = match &self.how {
            How::All => return true,
            How::Words(words) => words.iter().all(|w| parts.iter().any(|p| contains(p, w))),
            How::Expression(regex) => parts.iter().any(|p| regex.is_match(p)),
        };
        found != self.inverted
    }
}

/// Whether `text` holds `word` (lower case already). ASCII is compared without copying.
fn contains(text: &str, word: &str) -> bool {
    if word.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    }
    text.to_lowercase().contains(word)
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filter: &str, parts: &[&str]) -> bool {
        Filter::parse(filter).unwrap().passes(parts)
    }

    #[test]
    fn words_may_stand_in_different_columns_and_any_case() {
        assert!(passes("qris jkt", &["ORD-1", "QRIS", "JKT"]));
        assert!(!passes("qris mdn", &["ORD-1", "QRIS", "JKT"]));
        assert!(passes("É", &["café"]));
        assert!(passes("  ", &["anything"]));
    }

    #[test]
    fn an_exclamation_mark_inverts_and_a_tilde_is_an_expression() {
        assert!(!passes("!timeout", &["acquire Timeout"]));
        assert!(passes("~time(out|d)", &["acquire Timeout"]));
        assert!(passes("!~^pool", &["acquire timeout"]));
    }

    #[test]
    fn a_broken_expression_is_a_sentence() {
        let said = Filter::parse("~(").unwrap_err();
        assert!(said.starts_with("`(` is not a regular expression"), "{said}");
    }
}
