//! A glance at a line: its time and level, without reading the rest of it.
//!
//! For counting millions of lines. Says what [`Parser`] says of whole lines; what a glance cannot tell is
//! asked of it. A line that is cut off in the middle still gives what stands before the cut.

use super::follow::RawLine;
use super::instant::Instants;
use super::levels;
use super::parse::{Parser, Said};
use crate::config::{LogConfig, LogFormat};
use crate::model::Stamp;
use crate::model::log::Level;

/// What a glance found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Glance {
    /// The line's own time.
    pub at: Option<Stamp>,
    /// Its level.
    pub level: Option<Level>,
}

/// Which of the wanted fields a name is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Time,
    Level,
    Message,
}

/// A name, what it is for, and its place among the names for the same.
type Name = (Box<[u8]>, Wanted, usize);

/// Glances at lines of one source.
#[derive(Clone, Debug)]
pub struct Glancer {
    parser: Parser,
    format: LogFormat,
    instants: Instants,
    /// By the length of the name.
    names: Vec<Vec<Name>>,
    /// Names that look inside objects are left to the parser.
    plain_names: bool,
}

/// A field's value as it stands in the line.
#[derive(Clone, Copy, Debug)]
struct Raw<'a> {
    bytes: &'a [u8],
    text: bool,
    escaped: bool,
}

/// The best candidates so far.
#[derive(Default)]
struct Best<'a> {
    time: Option<(usize, Raw<'a>)>,
    level: Option<(usize, Raw<'a>)>,
    message: bool,
}

impl Glancer {
    /// The error is a sentence about the configured patterns.
    pub fn new(config: &LogConfig) -> Result<Self, String> {
        let mut names: Vec<Vec<_>> = Vec::new();
        let mut plain_names = true;
        let wanted = [
            (&config.time_fields, Wanted::Time),
            (&config.level_fields, Wanted::Level),
            (&config.message_fields, Wanted::Message),
        ];
        for (fields, what) in wanted {
            for (place, name) in fields.iter().enumerate() {
                plain_names &= !name.contains('.');
                if names.len() <= name.len() {
                    names.resize(name.len() + 1, Vec::new());
                }
                names[name.len()].push((name.as_bytes().into(), what, place));
            }
        }
        let instants = Instants::new(config.zone.clone(), config.time_format.clone());
        Ok(Self { parser: Parser::new(config)?, format: config.format, instants, names, plain_names })
    }

    /// Looks at a line; `near` is the moment of reading.
    pub fn at(&self, line: &[u8], near: Stamp) -> Glance {
        if !self.plain_names {
            return self.by_whole(line, near);
        }
        let object = match self.format {
            LogFormat::Plain => None,
            LogFormat::Auto | LogFormat::Json => {
                let from = line.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
                (line.get(from) == Some(&b'{')).then(|| &line[from..])
            }
        };
        match object {
            Some(object) => self.object(object, line, near),
            None => self.plain(line, near),
        }
    }

    /// Reads all of a line.
    pub fn whole(&self, line: &[u8], near: Stamp) -> Said {
        self.parser.parse(&RawLine { bytes: line.to_vec(), cut: 0 }, near)
    }

    fn by_whole(&self, line: &[u8], near: Stamp) -> Glance {
        let said = self.whole(line, near);
        Glance { at: said.at, level: said.level }
    }

    fn object(&self, object: &[u8], line: &[u8], near: Stamp) -> Glance {
        let mut best = Best::default();
        let walked = walk(object, |name, value| {
            self.note(&mut best, name, value);
            let first = |found: &Option<(usize, Raw<'_>)>| found.as_ref().is_some_and(|(place, _)| *place == 0);
            !(first(&best.time) && first(&best.level))
        });
        let escaped = [&best.time, &best.level].into_iter().flatten().any(|(_, raw)| raw.escaped);
        if escaped || (walked.is_none() && best.time.is_none()) {
            return self.by_whole(line, near);
        }
        self.told(&best, near)
    }

    fn note<'a>(&self, best: &mut Best<'a>, name: &[u8], value: Raw<'a>) {
        let Some(known) = self.names.get(name.len()) else { return };
        for (known, what, place) in known {
            if known.as_ref() == name {
                let best = match what {
                    Wanted::Time => &mut best.time,
                    Wanted::Level => &mut best.level,
                    Wanted::Message => {
                        best.message = true;
                        continue;
                    }
                };
                if best.is_none_or(|(b, _)| *place < b) {
                    *best = Some((*place, value));
                }
            }
        }
    }

    fn told(&self, best: &Best<'_>, near: Stamp) -> Glance {
        let number = |raw: &Raw<'_>| std::str::from_utf8(raw.bytes).ok()?.parse::<f64>().ok();
        let at = best.time.as_ref().and_then(|(_, raw)| {
            let said = if raw.text { self.instants.of_text(raw.bytes, near) } else { None };
            said.or_else(|| Instants::of_number(number(raw)?))
        });
        let level = best.level.as_ref().and_then(|(_, raw)| {
            let said = if raw.text { levels::of_word(raw.bytes) } else { None };
            said.or_else(|| levels::of_number(std::str::from_utf8(raw.bytes).ok()?.parse().ok()?))
        });
        Glance { at, level }
    }

    fn plain(&self, line: &[u8], near: Stamp) -> Glance {
        let head = self.instants.at_head(line, near);
        if let Some(glance) = self.logfmt(line, head.map(|(at, _)| at), near) {
            return glance;
        }
        let rest = &line[head.map_or(0, |(_, end)| end)..];
        let skip = if head.is_some() { rest.iter().take_while(|b| b"] \t".contains(b)).count() } else { 0 };
        let rest = &rest[skip..];
        let mut level = levels::in_text(&rest[..rest.len().min(80)]).map(|(level, _)| level);
        if level.is_none() && head.is_some() && line.get(1).is_some_and(u8::is_ascii_digit) {
            level = levels::of_letter(line[0]);
        }
        Glance { at: head.map(|(at, _)| at), level }
    }

    /// `time=… level=error msg="…"`: taken as such when it has a message and a time or level.
    fn logfmt(&self, line: &[u8], head: Option<Stamp>, near: Stamp) -> Option<Glance> {
        let mut best = Best::default();
        pairs(line, |name, value| self.note(&mut best, name, value));
        if !best.message || (best.time.is_none() && best.level.is_none()) {
            return None;
        }
        let mut glance = self.told(&best, near);
        glance.at = glance.at.or(head);
        Some(glance)
    }
}

/// Hands the fields of a JSON object to `each` until it has enough; none when it is no object.
fn walk<'a>(line: &'a [u8], mut each: impl FnMut(&[u8], Raw<'a>) -> bool) -> Option<()> {
    let mut at = 1;
    loop {
        at = space(line, at);
        match line.get(at)? {
            b'}' => return Some(()),
            b',' => at += 1,
            b'"' => {
                let (name, end) = string(line, at)?;
                at = space(line, end);
                if line.get(at) != Some(&b':') {
                    return None;
                }
                at = space(line, at + 1);
                let (value, end) = value(line, at)?;
                at = end;
                if !each(name.bytes, value) {
                    return Some(());
                }
            }
            _ => return None,
        }
    }
}

fn space(line: &[u8], mut at: usize) -> usize {
    while line.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The string that opens at `at`, and where it ends behind its quote.
fn string(line: &[u8], at: usize) -> Option<(Raw<'_>, usize)> {
    let from = at + 1;
    let mut to = from;
    let mut escaped = false;
    loop {
        to += memchr::memchr2(b'"', b'\\', line.get(to..)?)?;
        if line[to] == b'"' {
            return Some((Raw { bytes: &line[from..to], text: true, escaped }, to + 1));
        }
        escaped = true;
        to += 2;
    }
}

fn value(line: &[u8], at: usize) -> Option<(Raw<'_>, usize)> {
    match line.get(at)? {
        b'"' => string(line, at),
        b'{' | b'[' => {
            let mut depth = 0;
            let mut to = at;
            loop {
                match line.get(to)? {
                    b'"' => {
                        to = string(line, to)?.1;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                to += 1;
                if depth == 0 {
                    return Some((Raw { bytes: &line[at..to], text: false, escaped: false }, to));
                }
            }
        }
        _ => {
            let end = line[at..].iter().position(|b| matches!(b, b',' | b'}') || b.is_ascii_whitespace())?;
            Some((Raw { bytes: &line[at..at + end], text: false, escaped: false }, at + end))
        }
    }
}

/// Hands every `name=value` and `name="value"` to `each`.
fn pairs<'a>(line: &'a [u8], mut each: impl FnMut(&[u8], Raw<'a>)) {
    let named = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b'-');
    let mut at = 0;
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr(b'=', rest)) {
        let equals = at + found;
        let name = line[at..equals].iter().rposition(|b| !named(b)).map_or(at, |n| at + n + 1);
        if name == equals {
            at = equals + 1;
            continue;
        }
        let from = equals + 1;
        let (value, end) = if line.get(from) == Some(&b'"') {
            let Some(found) = string(line, from) else { return };
            found
        } else {
            let end = line[from..].iter().position(|b| b.is_ascii_whitespace() || *b == b'"');
            let to = end.map_or(line.len(), |n| from + n);
            (Raw { bytes: &line[from..to], text: true, escaped: false }, to)
        };
        each(&line[name..equals], value);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Zone;

    /// Every kind of line that is told apart; the glance and the whole reading must agree on each.
    const LINES: [&str; 30] = [
        r#"{"time":"2025-01-12T19:31:08.250+07:00","level":"error","msg":"x"}"#,
        r#" { "msg" : "a \"quoted\" } thing" , "severity" : "Warn", "ts":1736685068.25 }"#,
        r#"{"timestamp":"2025-01-12 19:31:08,250","time":"2025-01-12T12:31:09Z","lvl":50}"#,
        r#"{"a":{"time":"2020-01-01T00:00:00Z","x":"}"},"b":[1,"]"],"ts":"1736685068250","level":null}"#,
        r#"{"time":17,"level":"40"}"#,
        r#"{"time":true,"level":{"a":1},"msg":[1]}"#,
        r#"{"time":"2025-01-12T19:31:08\u002b07:00","level":"\u0065rror"}"#,
        r#"{"level":"error"}"#,
        r"{}",
        r"{broken ERROR",
        r#"{"msg":"no end"#,
        r#"[{"time":"2025-01-12T19:31:08Z"}]"#,
        "2025-01-12 19:31:08,250 ERROR x",
        "2025-01-12 12:31:08.250 UTC [77] LOG:  checkpoint",
        "[2025/01/12 19:31:08.25] [warn] x",
        "E0112 19:31:08.250000 7 main.go:1] x",
        "Jan 12 19:31:08 host app[7]: level=warn x",
        "Jan  2 19:31:08 host app[7]: x",
        "1736685068.250 DEBUG x",
        "10.0.0.1 - - [12/Jan/2025:19:31:08 +0700] \"GET / HTTP/1.1\" 200",
        r#"time=2025-01-12T19:31:08Z level=error msg="a b" order=1"#,
        r#"level=error msg="an \"inner\" quote" ts=1736685068"#,
        "2025-01-12T19:31:08Z lvl=info message=x",
        "msg=alone",
        "x=1 y=2 ERROR",
        "an error in words",
        "    at com.x.Y(Z.java:1)",
        "",
        "\u{1b}[31mERROR\u{1b}[0m coloured",
        "caf\u{e9} 2025-01-12T19:31:08Z",
    ];

    #[test]
    fn a_glance_says_what_the_whole_line_says() {
        let glancer = Glancer::new(&LogConfig::usual("x", &Zone::wib())).unwrap();
        let near = Stamp::parse_rfc3339("2025-01-13T00:00:00+07:00").unwrap();
        let mut timed = 0;
        for line in LINES {
            let (glance, whole) = (glancer.at(line.as_bytes(), near), glancer.by_whole(line.as_bytes(), near));
            assert_eq!(glance, whole, "{line}");
            timed += usize::from(glance.at.is_some());
        }
        assert_eq!(timed, 16);
    }

    #[test]
    fn a_line_that_is_cut_off_gives_what_stands_before_the_cut() {
        let glancer = Glancer::new(&LogConfig::usual("x", &Zone::wib())).unwrap();
        let line = br#"{"time":"2025-01-12T12:31:08Z","level":"error","msg":"and then the disk was fu"#;
        let glance = glancer.at(line, Stamp(0));
        assert_eq!(glance, Glance { at: Stamp::parse_rfc3339("2025-01-12T12:31:08Z"), level: Some(Level::Error) });
    }

    #[test]
    fn any_bytes_may_come() {
        let glancer = Glancer::new(&LogConfig::usual("x", &Zone::wib())).unwrap();
        for line in LINES {
            let bytes = line.as_bytes();
            for cut in 0..bytes.len() {
                glancer.at(&bytes[..cut], Stamp(0));
                glancer.at(&bytes[cut..], Stamp(0));
                let mut odd = bytes.to_vec();
                odd[cut] = [0, 0xff, b'"', b'\\', b'{'][cut % 5];
                glancer.at(&odd, Stamp(0));
            }
        }
    }
}
