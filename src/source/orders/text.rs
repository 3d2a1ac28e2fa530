//! The operator's SQL: `:name` parameters become `$n`, and what is not one harmless question is refused.
//!
//! The text is read as PostgreSQL reads it: strings, quoted names, comments, dollar quotes and `::` casts
//! hold no parameters. Refusals are sentences. Read-only is enforced by the transaction; the list of
//! functions here is for what a read-only transaction would let pass.

use std::fmt::Write as _;
use std::sync::Arc;

/// A parameter that warroom fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Begin of the window.
    From,
    /// End of the window, outside.
    To,
    /// Instant of the last row of the page before.
    AfterAt,
    /// Identifier of the last row of the page before.
    AfterId,
    /// Rows of a page.
    Limit,
    /// Order ids.
    Ids,
    /// UPG references.
    Refs,
}

const NAMES: [(&str, Name); 7] = [
    ("from", Name::From),
    ("to", Name::To),
    ("after_at", Name::AfterAt),
    ("after_id", Name::AfterId),
    ("limit", Name::Limit),
    ("ids", Name::Ids),
    ("refs", Name::Refs),
];

/// Functions that act although the transaction is read-only.
const ACTING: [&str; 14] = [
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_switch_wal",
    "pg_promote",
    "pg_create_restore_point",
    "pg_notify",
    "set_config",
    "pg_stat_reset",
    "pg_stat_statements_reset",
    "pg_export_snapshot",
    "dblink",
    "dblink_exec",
];

/// SQL that the server understands, and which parameter stands where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// With `$1`, `$2`, …
    pub sql: Arc<str>,
    /// `names[0]` is `$1`.
    pub names: Vec<Name>,
}

impl Rewritten {
    /// Whether a parameter occurs.
    pub fn has(&self, name: Name) -> bool {
        self.names.contains(&name)
    }
}

/// Rewrites one statement.
pub fn rewrite(sql: &str) -> Result<Rewritten, String> {
    let mut scan =
        Scan { text: sql, at: 0, out: String::with_capacity(sql.len()), names: Vec::new(), words: 0, ended: false };
    while let Some(c) = scan.peek() {
        scan.token(c)?;
    }
    if scan.words == 0 {
        return Err("it is empty".to_owned());
    }
    Ok(Rewritten { sql: scan.out.into(), names: scan.names })
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    out: String,
    names: Vec<Name>,
    words: usize,
    /// A semicolon was met.
    ended: bool,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    /// Copies the next `n` bytes; semicolons that end the text are left out.
    fn copy(&mut self, n: usize) {
        self.out.push_str(self.rest().get(..n).unwrap_or_default());
        self.at += n;
    }

    fn token(&mut self, c: char) -> Result<(), String> {
        let rest = self.rest();
        if c.is_whitespace() {
            self.copy(c.len_utf8());
            return Ok(());
        }
        if rest.starts_with("--") {
            self.copy(rest.find('\n').unwrap_or(rest.len()));
            return Ok(());
        }
        if rest.starts_with("/*") {
            self.copy(comment(rest)?);
            return Ok(());
        }
        if self.ended {
            return Err(
                "it has more than one statement: only the first is allowed, remove what follows the ;".to_owned()
            );
        }
        match c {
            ';' => {
                self.ended = true;
                self.at += 1;
            }
            '\'' => self.copy(quoted(rest, '\'', self.out.ends_with(['e', 'E']) && !self.inside_word())?),
            '"' => self.copy(quoted(rest, '"', false)?),
            '$' => self.dollar(rest)?,
            ':' => self.colon(rest)?,
            c if c.is_alphabetic() || c == '_' => self.word(rest)?,
            c => self.copy(c.len_utf8()),
        }
        Ok(())
    }

    /// Whether the `e` before a quote is the end of a longer word (`name'…'`), not the mark of a string
    /// with backslashes.
    fn inside_word(&self) -> bool {
        self.out.chars().rev().nth(1).is_some_and(|c| c.is_alphanumeric() || c == '_')
    }

    fn dollar(&mut self, rest: &str) -> Result<(), String> {
        let tag_end = rest.get(1..).and_then(|r| r.find(|c: char| !(c.is_alphanumeric() || c == '_'))).map(|n| n + 1);
        let tag = tag_end.and_then(|n| rest.get(..=n)).filter(|t| t.ends_with('$'));
        match tag {
            Some(tag) if !tag.get(1..).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit())) => {
                let after = rest.get(tag.len()..).unwrap_or_default();
                let end = after.find(tag).ok_or("a dollar-quoted string has no end")?;
                self.copy(tag.len() + end + tag.len());
                Ok(())
            }
            _ if rest.get(1..).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) => {
                Err("it has a parameter like $1: write it as a name, :from or :ids".to_owned())
            }
            _ => {
                self.copy(1);
                Ok(())
            }
        }
    }

    fn colon(&mut self, rest: &str) -> Result<(), String> {
        if rest.starts_with("::") || rest.starts_with(":=") {
            self.copy(2);
            return Ok(());
        }
        let after = rest.get(1..).unwrap_or_default();
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let word = after.get(..end).unwrap_or_default();
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
            self.copy(1);
            return Ok(());
        }
        let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == word) else {
            let known = NAMES.map(|(n, _)| format!(":{n}")).join(", ");
            return Err(format!("it has a parameter :{word} that is not one of {known}"));
        };
        let n = self.names.iter().position(|met| met == name).unwrap_or_else(|| {
            self.names.push(*name);
            self.names.len() - 1
        });
        let _ = write!(self.out, "${}", n + 1);
        self.at += 1 + end;
        Ok(())
    }

    fn word(&mut self, rest: &str) -> Result<(), String> {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_ascii_lowercase();
        if self.words == 0 && !["select", "with", "table", "values"].contains(&word.as_str()) {
            return Err(format!(
                "it begins with {}: a query begins with SELECT, WITH, TABLE or VALUES",
                word.to_uppercase()
            ));
        }
        if ACTING.contains(&word.as_str()) || word.contains("advisory_lock") || word.contains("advisory_xact_lock") {
            return Err(format!("it calls {word}, which acts on the server: warroom only reads"));
        }
        self.words += 1;
        self.copy(end);
        Ok(())
    }
}

/// Length of a comment; PostgreSQL's comments nest.
fn comment(rest: &str) -> Result<usize, String> {
    let (mut depth, mut at) = (0_usize, 0_usize);
    while let Some(here) = rest.get(at..).filter(|r| !r.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Ok(at);
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    Err("a comment /* has no end".to_owned())
}

/// Length of a quoted string or name; a doubled quote is one inside.
fn quoted(rest: &str, quote: char, backslashes: bool) -> Result<usize, String> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if backslashes && c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Ok(i + 1);
        }
    }
    Err(format!("a {quote} has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sql(text: &str) -> String {
        rewrite(text).unwrap().sql.to_string()
    }

    #[test]
    fn parameters_become_numbers_and_the_same_name_the_same_number() {
        let r = rewrite("SELECT * FROM o WHERE at >= :from AND at < :to AND (at, id) > (:after_at, :after_id) AND at <> :from LIMIT :limit").unwrap();
        assert_eq!(&*r.sql, "SELECT * FROM o WHERE at >= $1 AND at < $2 AND (at, id) > ($3, $4) AND at <> $1 LIMIT $5");
        assert_eq!(r.names, [Name::From, Name::To, Name::AfterAt, Name::AfterId, Name::Limit]);
    }

    #[test]
    fn strings_names_comments_casts_and_dollar_quotes_hold_no_parameters() {
        for same in [
            "SELECT ':ids', 'it''s :ids'",
            r"SELECT E'a\':ids'",
            r"SELECT 'a\', name",
            "SELECT \":ids\", \"a\"\":to\"",
            "SELECT 1 -- :ids\n, 2",
            "SELECT /* :ids /* :to */ :from */ 1",
            "SELECT now()::date, x::int[], a[1:2]",
            "SELECT $$ :ids $$, $a$ :ids $$ ; $a$",
            "SELECT u&'d\\0061t', name'x'",
            "SELECT 'für :ids' AS \"ünïcode :to\"",
        ] {
            assert_eq!(sql(same), same);
        }
        assert_eq!(sql("SELECT :ids::text[]"), "SELECT $1::text[]");
    }

    #[test]
    fn only_one_question_is_asked() {
        assert_eq!(sql("SELECT 1; -- done\n"), "SELECT 1 -- done\n");
        for (text, words) in [
            ("SELECT 1; SELECT 2", "more than one statement"),
            ("SELECT 1; DROP TABLE orders", "more than one statement"),
            ("UPDATE orders SET x = 1", "begins with UPDATE"),
            ("/* SELECT */ DELETE FROM orders", "begins with DELETE"),
            ("", "empty"),
            ("-- nothing", "empty"),
            ("SELECT :id", ":id that is not one of :from"),
            ("SELECT $1", "$1"),
            ("SELECT 'open", "no end"),
            ("SELECT $a$ open", "no end"),
            ("SELECT /* open", "no end"),
            ("SELECT pg_terminate_backend(1)", "acts on the server"),
            ("SELECT PG_ADVISORY_LOCK(1)", "acts on the server"),
        ] {
            let says = rewrite(text).unwrap_err();
            assert!(says.contains(words), "{text}: {says}");
        }
        assert!(rewrite("(SELECT 1)").is_ok() && rewrite("WITH a AS (SELECT 1) TABLE a").is_ok());
    }

    /// A piece of SQL and what becomes of it; parameters by their name.
    #[derive(Clone, Debug)]
    enum Piece {
        Inert(String),
        Live(&'static str),
    }

    fn piece() -> impl Strategy<Value = Piece> {
        let content = || "(:ids|:to|'|\"|\\$|\\$a|--|/|\\*|\\\\|;|é|x| ){0,8}";
        let without = |text: String, chars: &[char]| text.replace(chars, "");
        prop_oneof![
            content().prop_map(|c| Piece::Inert(format!("'{}'", c.replace('\'', "''")))),
            content().prop_map(|c| Piece::Inert(format!("E'{}'", c.replace('\\', r"\\").replace('\'', r"\'")))),
            content().prop_map(|c| Piece::Inert(format!("e'{}'", c.replace('\\', r"\\").replace('\'', "''")))),
            content().prop_map(|c| Piece::Inert(format!("\"{}\"", c.replace('"', "\"\"")))),
            content().prop_map(|c| Piece::Inert(format!("--{c}\n"))),
            (content(), content()).prop_map(move |(a, b)| {
                let (a, b) = (without(a, &['*', '/']), without(b, &['*', '/']));
                Piece::Inert(format!("/*{a}/*{b}*/{a}*/"))
            }),
            content().prop_map(move |c| Piece::Inert(format!("$${}$$", without(c, &['$'])))),
            content().prop_map(move |c| Piece::Inert(format!("$tag_1${}$ $tag_1$", without(c, &['$'])))),
            Just(Piece::Inert("x::ids".to_owned())),
            Just(Piece::Inert("a[1:2]".to_owned())),
            Just(Piece::Inert("f(a := 1)".to_owned())),
            prop::sample::select(NAMES.map(|(name, _)| name).to_vec()).prop_map(Piece::Live),
        ]
    }

    proptest! {
        /// Only what PostgreSQL would read as a parameter is one, whatever stands around it.
        #[test]
        fn nothing_inside_strings_names_comments_and_casts_is_a_parameter(
            pieces in prop::collection::vec(piece(), 0..12)
        ) {
            let (mut given, mut wanted, mut numbers) = ("SELECT 1".to_owned(), "SELECT 1".to_owned(), Vec::new());
            for piece in &pieces {
                given.push(' ');
                wanted.push(' ');
                match piece {
                    Piece::Inert(text) => {
                        given.push_str(text);
                        wanted.push_str(text);
                    }
                    Piece::Live(name) => {
                        let known = numbers.iter().position(|n| n == name);
                        let n = known.unwrap_or_else(|| {
                            numbers.push(*name);
                            numbers.len() - 1
                        });
                        write!(given, ":{name}").unwrap();
                        write!(wanted, "${}", n + 1).unwrap();
                    }
                }
            }
            let rewritten = rewrite(&given).unwrap();
            prop_assert_eq!(&*rewritten.sql, wanted);
            let names: Vec<Name> =
                numbers.iter().map(|n| NAMES.iter().find(|(name, _)| name == n).unwrap().1).collect();
            prop_assert_eq!(rewritten.names, names);
        }
    }
}
