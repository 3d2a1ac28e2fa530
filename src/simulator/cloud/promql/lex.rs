//! Words, numbers, texts and signs of an expression.

use crate::model::Lapse;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name: metric, function, label, keyword.
    Name(String),
    /// A number.
    Number(f64),
    /// A length of time: `5m`.
    Length(Lapse),
    /// A text in quotes.
    Text(String),
    /// A sign: `{`, `=~`, `+`.
    Sign(&'static str),
}

/// Longer ones first, so that `=~` is not `=`.
const SIGNS: &[&str] = &[
    "=~", "!~", "!=", "==", ">=", "<=", "{", "}", "(", ")", "[", "]", ",", "=", "+", "-", "*", "/", "%", "^", ">", "<",
];

/// Cuts an expression into pieces; what cannot be read, in words.
pub fn lex(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text;
    let mut out = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(out) };
        let (token, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' | ':' => {
                let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
                let end = rest.find(|c| !name(c)).unwrap_or(rest.len());
                (Token::Name(rest[..end].to_owned()), end)
            }
            '0'..='9' | '.' => number(rest)?,
            '"' | '\'' => quoted(rest, first)?,
            _ => {
                let sign = SIGNS.iter().find(|s| rest.starts_with(**s));
                let sign = sign.ok_or_else(|| format!("unexpected character {first:?}"))?;
                (Token::Sign(sign), sign.len())
            }
        };
        out.push(token);
        rest = &rest[length..];
    }
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let mut end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(text.len());
    // The sign of an exponent belongs to the number.
    if text[..end].ends_with(['e', 'E']) && text[end..].starts_with(['+', '-']) {
        end += 1;
        end += text[end..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - end);
    }
    let piece = &text[..end];
    if let Ok(n) = piece.parse() {
        return Ok((Token::Number(n), end));
    }
    let length = duration(piece).ok_or_else(|| format!("{piece} is neither a number nor a duration"))?;
    Ok((Token::Length(length), end))
}

/// A length of time as PromQL writes it: `90s`, `1h30m`, `500ms`.
pub fn duration(text: &str) -> Option<Lapse> {
    let mut rest = text;
    let mut sum = Lapse::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: i64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let unit = match &after[..letters] {
            "ms" => Lapse::millis(1),
            "s" => Lapse::seconds(1),
            "m" => Lapse::minutes(1),
            "h" => Lapse::hours(1),
            "d" => Lapse::hours(24),
            "w" => Lapse::hours(24 * 7),
            "y" => Lapse::hours(24 * 365),
            _ => return None,
        };
        sum = sum + unit.times(n);
        rest = &after[letters..];
    }
    (sum > Lapse::ZERO).then_some(sum)
}

fn quoted(text: &str, quote: char) -> Result<(Token, usize), String> {
    let mut out = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((i, c)) = letters.next() {
        match c {
            c if c == quote => return Ok((Token::Text(out), i + 1)),
            '\\' => match letters.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, c @ ('\\' | '"' | '\''))) => out.push(c),
                _ => return Err("unknown escape sequence in a string".to_owned()),
            },
            c => out.push(c),
        }
    }
    Err("a string is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_of_time_are_told_apart() {
        let tokens = lex("1.5e-3 5m .5 1h30m 1e3").unwrap();
        let expected = [
            Token::Number(0.0015),
            Token::Length(Lapse::minutes(5)),
            Token::Number(0.5),
            Token::Length(Lapse::minutes(90)),
            Token::Number(1000.0),
        ];
        assert_eq!(tokens, expected);
        assert!(lex("5x").is_err() && lex("\"a").is_err() && lex("a ; b").is_err());
    }

    #[test]
    fn texts_are_unescaped() {
        assert_eq!(
            lex(r#""5..\\d" 'it"s'"#).unwrap(),
            [Token::Text(r"5..\d".to_owned()), Token::Text("it\"s".to_owned())]
        );
    }
}
