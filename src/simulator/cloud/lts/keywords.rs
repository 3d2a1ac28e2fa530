//! The search syntax: words cut at delimiters, all of which must be there; `and or not && ||`, parentheses,
//! `"quoted"` keywords, `#"exact phrases"`, `field:value`, and `*` and `?` inside or at the end of a word.
//!
//! Our choices: case does not matter; fields are the collector's labels, and a field that is none matches
//! nothing; a comparison or a list of a field (`>=`, `in [..]`) needs an index and matches nothing either.

/// Where words end.
const DELIMITERS: &str = ", '\";=()[]{}@&<>/:\\?\n\t\r";

/// A search, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Keywords {
    /// Every line.
    Everything,
    /// No line.
    Nothing,
    /// A word, in lower case; it may hold wildcards.
    Word(String),
    /// Text that must stand there as it is.
    Phrase(String),
    /// A word in a field.
    Field(String, String),
    /// All of these.
    And(Vec<Keywords>),
    /// One of these.
    Or(Vec<Keywords>),
    /// Not this.
    Not(Box<Keywords>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Term(Keywords),
}

impl Keywords {
    /// Reads a search; what is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let tokens = Lexer { rest: text }.tokens()?;
        if tokens.is_empty() {
            return Ok(Self::Everything);
        }
        let mut parser = Parser { tokens: &tokens, depth: 0 };
        let all = parser.either()?;
        if parser.tokens.is_empty() { Ok(all) } else { Err("a parenthesis closes nothing".to_owned()) }
    }

    /// Whether a line holds them.
    pub fn hold(&self, content: &str, labels: &[(String, String)]) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Word(word) => places(content, word).next().is_some(),
            Self::Phrase(phrase) => content.to_lowercase().contains(phrase),
            Self::Field(field, value) => labels.iter().any(|(n, v)| {
                n.to_lowercase() == *field && (places(v, value).next().is_some() || v.to_lowercase() == *value)
            }),
            Self::And(all) => all.iter().all(|k| k.hold(content, labels)),
            Self::Or(any) => any.iter().any(|k| k.hold(content, labels)),
            Self::Not(k) => !k.hold(content, labels),
        }
    }

    /// The line with a tag around every word that was searched for.
    pub fn highlight(&self, content: &str) -> String {
        let mut spots = Vec::new();
        self.spots(content, &mut spots);
        spots.sort_unstable();
        let mut out = String::with_capacity(content.len());
        let mut done = 0;
        for (from, to) in spots {
            if from < done {
                continue;
            }
            out.extend([&content[done..from], "<HighLightTag>", &content[from..to], "</HighLightTag>"]);
            done = to;
        }
        out.push_str(&content[done..]);
        out
    }

    fn spots(&self, content: &str, spots: &mut Vec<(usize, usize)>) {
        match self {
            Self::Word(word) => spots.extend(places(content, word)),
            // Lower case may have another length; then there is nothing to mark.
            Self::Phrase(phrase) if content.is_ascii() => {
                let lower = content.to_lowercase();
                spots.extend(lower.match_indices(phrase.as_str()).map(|(i, m)| (i, i + m.len())));
            }
            Self::And(all) | Self::Or(all) => all.iter().for_each(|k| k.spots(content, spots)),
            _ => {}
        }
    }
}

/// Where the words of a text begin and end.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split(|c| DELIMITERS.contains(c)).filter(|w| !w.is_empty()).map(move |w| (w.as_ptr() as usize - start, w))
}

/// Where a word stands in a text.
fn places(text: &str, wanted: &str) -> impl Iterator<Item = (usize, usize)> {
    let wanted: Vec<char> = wanted.chars().collect();
    words(text).filter(move |(_, w)| fits(&wanted, w)).map(|(i, w)| (i, i + w.len()))
}

/// Whether a word is the wanted one. `?` is one character, `*` any number of them.
fn fits(wanted: &[char], word: &str) -> bool {
    if !wanted.iter().any(|c| matches!(c, '*' | '?')) {
        return word.chars().flat_map(char::to_lowercase).eq(wanted.iter().copied());
    }
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    // The place after the last star, and how far it had eaten then: enough to come back to.
    let (mut w, mut t, mut back) = (0, 0, None);
    while t < word.len() {
        match wanted.get(w) {
            Some('*') => {
                back = Some((w + 1, t));
                w += 1;
            }
            Some(c) if *c == '?' || *c == word[t] => {
                w += 1;
                t += 1;
            }
            _ => {
                let Some((star, eaten)) = back else { return false };
                back = Some((star, eaten + 1));
                (w, t) = (star, eaten + 1);
            }
        }
    }
    wanted[w..].iter().all(|c| *c == '*')
}

struct Lexer<'t> {
    rest: &'t str,
}

impl Lexer<'_> {
    fn tokens(mut self) -> Result<Vec<Token>, String> {
        let mut out = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c| ", \n\t\r;".contains(c));
            let Some(first) = self.rest.chars().next() else { return Ok(out) };
            let token = match first {
                '(' => self.eat(1, Token::Open),
                ')' => self.eat(1, Token::Close),
                '"' => Token::Term(quoted(&self.quote(1)?)?),
                '#' if self.rest.starts_with("#\"") => Token::Term(Keywords::Phrase(self.quote(2)?.to_lowercase())),
                _ if self.rest.starts_with("&&") => self.eat(2, Token::And),
                _ if self.rest.starts_with("||") => self.eat(2, Token::Or),
                _ => match self.word()? {
                    Some(token) => token,
                    None => continue,
                },
            };
            out.push(token);
        }
    }

    fn eat(&mut self, bytes: usize, token: Token) -> Token {
        self.rest = &self.rest[bytes..];
        token
    }

    /// The text in quotes, after `skip` bytes that open it; `\"` is a quote inside.
    fn quote(&mut self, skip: usize) -> Result<String, String> {
        let mut out = String::new();
        let mut letters = self.rest[skip..].char_indices();
        while let Some((i, c)) = letters.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[skip + i + 1..];
                    return Ok(out);
                }
                '\\' => out.extend(letters.next().map(|(_, c)| c)),
                c => out.push(c),
            }
        }
        Err("a quotation mark is not closed".to_owned())
    }

    /// A bare word, or a field with its value; None for a delimiter that stands alone.
    fn word(&mut self) -> Result<Option<Token>, String> {
        // A question mark is a wildcard here, though it cuts words of lines.
        let end = |text: &str| text.find(|c| c != '?' && DELIMITERS.contains(c)).unwrap_or(text.len());
        let (word, rest) = self.rest.split_at(end(self.rest));
        let (word, rest) = (word.to_lowercase(), rest);
        if word.is_empty() {
            self.rest = rest.strip_prefix(|_| true).unwrap_or_default();
            return Ok(None);
        }
        self.rest = rest;
        match word.as_str() {
            "and" => return Ok(Some(Token::And)),
            "or" => return Ok(Some(Token::Or)),
            "not" => return Ok(Some(Token::Not)),
            _ => {}
        }
        if rest.starts_with(['>', '<', '=']) {
            let value = rest.trim_start_matches(['>', '<', '=']);
            self.rest = &value[end(value)..];
            return Ok(Some(Token::Term(Keywords::Nothing)));
        }
        let Some(value) = rest.strip_prefix(':') else { return Ok(Some(Token::Term(one(&word)?))) };
        let value = value.trim_start();
        self.rest = value;
        let value = if value.starts_with('"') {
            self.quote(1)?.to_lowercase()
        } else {
            let (value, rest) = value.split_at(end(value));
            self.rest = rest;
            value.to_lowercase()
        };
        Ok(Some(Token::Term(Keywords::Field(word, value))))
    }
}

/// A word with its wildcards where they may stand.
fn one(word: &str) -> Result<Keywords, String> {
    if word.starts_with(['*', '?']) {
        return Err(format!("a keyword must not start with * or ?: {word}"));
    }
    Ok(Keywords::Word(word.to_owned()))
}

/// A quoted keyword: every word in it, in any order; `and`, `or` and `not` are words like others.
fn quoted(text: &str) -> Result<Keywords, String> {
    let text = text.to_lowercase();
    let mut all: Vec<Keywords> = words(&text).map(|(_, w)| one(w)).collect::<Result<_, _>>()?;
    if all.len() == 1 { Ok(all.remove(0)) } else { Ok(Keywords::And(all)) }
}

/// How deep parentheses may stand in each other (our choice).
const DEEPEST: usize = 64;

struct Parser<'t> {
    tokens: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn next_if(&mut self, token: &Token) -> bool {
        let yes = self.tokens.first() == Some(token);
        if yes {
            self.tokens = &self.tokens[1..];
        }
        yes
    }

    fn either(&mut self) -> Result<Keywords, String> {
        let mut any = vec![self.both()?];
        while self.next_if(&Token::Or) {
            any.push(self.both()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Keywords::Or(any) })
    }

    fn both(&mut self) -> Result<Keywords, String> {
        let mut all = vec![self.term()?];
        loop {
            let said = self.next_if(&Token::And);
            if !said && matches!(self.tokens.first(), None | Some(Token::Or | Token::Close)) {
                break;
            }
            all.push(self.term()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Keywords::And(all) })
    }

    fn term(&mut self) -> Result<Keywords, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the search is too deep".to_owned());
        }
        let Some((first, rest)) = self.tokens.split_first() else {
            return Err("the search ends where a keyword is expected".to_owned());
        };
        self.tokens = rest;
        let term = match first {
            Token::Not => Keywords::Not(Box::new(self.term()?)),
            Token::Open => {
                let inside = self.either()?;
                if !self.next_if(&Token::Close) {
                    return Err("a parenthesis is not closed".to_owned());
                }
                inside
            }
            Token::Term(term) => term.clone(),
            _ => return Err("a keyword is expected".to_owned()),
        };
        self.depth -= 1;
        Ok(term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "2025-01-12 18:57:03 ERROR pgxpool: connection pool exhausted, timeout order_id=ORD-20250112-001506";

    fn holds(search: &str) -> bool {
        let labels = [("appName".to_owned(), "mrg".to_owned())];
        Keywords::read(search).unwrap().hold(LINE, &labels)
    }

    #[test]
    fn words_are_whole_and_all_of_them_must_be_there() {
        assert!(holds("") && holds("timeout error") && holds("POOL and exhausted") && holds("ORD-20250112-001506"));
        assert!(!holds("time") && !holds("timeout success") && !holds("001506"));
    }

    #[test]
    fn or_binds_weaker_than_and_and_not() {
        assert!(holds("success or timeout") && holds("success and error or pool") && holds("error not success"));
        assert!(!holds("(success or nothing) and error") && !holds("error not pool") && !holds("not (error || x)"));
        assert!(holds("error && (x || pool)"));
    }

    #[test]
    fn phrases_keep_their_order_and_quoted_words_do_not() {
        assert!(holds("#\"connection pool exhausted\"") && !holds("#\"pool connection\""));
        assert!(holds("\"exhausted connection\"") && holds("\"18:57:03\"") && !holds("\"and\""));
    }

    #[test]
    fn wildcards_stand_inside_or_at_the_end() {
        assert!(holds("exh*") && holds("p?ol") && holds("ORD-*-001506") && !holds("p?l") && !holds("x*"));
        for bad in ["*out", "?ool", "\"*out\"", "error and *x"] {
            assert!(Keywords::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fields_are_labels_and_a_bare_time_is_a_field_that_is_none() {
        assert!(holds("appName:mrg") && holds("appname:\"mrg\" timeout") && !holds("appName:upg"));
        assert!(!holds("18:57"), "a colon makes a field, so times have to be quoted");
        assert!(!holds("latency>=60") && holds("latency>=60 or error"));
    }

    #[test]
    fn what_does_not_close_is_refused() {
        for bad in ["(a", "a)", "\"a", "a and", "or b", "()"] {
            assert!(Keywords::read(bad).is_err(), "{bad}");
        }
        assert!(Keywords::read(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn found_words_are_tagged_once() {
        let search = Keywords::read("pool \"timeout\" pool").unwrap();
        let tagged = search.highlight("pool: timeout, no pool");
        assert_eq!(
            tagged,
            "<HighLightTag>pool</HighLightTag>: <HighLightTag>timeout</HighLightTag>, no <HighLightTag>pool</HighLightTag>"
        );
    }
}
