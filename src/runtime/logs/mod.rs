//! `logs`: patterns, histograms and search in log files of any size, and what log servers have, for shells and scripts.
//!
//! Owns what the arguments mean and how answers are written. Files are read by `source::dump`, patterns are
//! mined by `store::miner`. Everything streams; Ctrl-C ends it at any time.

mod histogram;
mod patterns;
mod search;
mod server;

use crate::cli::{Lines, Logs};
use crate::config::{LogConfig, value};
use crate::model::{Span, Stamp, Zone};
use crate::runtime::Ending;
use crate::runtime::effects::now;
use crate::source::dump::{Ask, Read, blocks};
use crate::source::logs::glance::Glancer;
use crate::source::logs::instant::Instants;
use crate::source::logs::levels;
pub use server::run as server;
use std::io::{self, Write as _};

/// Runs one.
pub fn run(what: &Logs) -> Ending {
    let done = match what {
        Logs::Histogram(how) => histogram::run(how),
        Logs::Search(how) => search::run(how),
        Logs::Patterns(how) => patterns::run(how),
        // It asks the configuration's servers, and is started where that is read.
        Logs::Server(_) => Ok(Ending::Well),
    };
    done.unwrap_or_else(|ending| ending)
}

/// How lines are read and which are asked for.
struct Reading {
    ask: Ask,
    glancer: Glancer,
    zone: Zone,
    near: Stamp,
}

impl Reading {
    /// The error is a sentence about an argument.
    fn of(lines: &Lines, pattern: Option<&str>) -> Result<Self, Ending> {
        Self::from(lines, pattern).map_err(Ending::Refused)
    }

    fn from(lines: &Lines, pattern: Option<&str>) -> Result<Self, String> {
        let zone = value::zone(&lines.zone)?;
        let near = now();
        let mut ask = Ask::default();
        if let Some(pattern) = pattern {
            ask = ask.pattern(pattern)?;
        }
        if let Some(service) = &lines.service {
            ask = ask.service(service);
        }
        if let Some(order) = &lines.order {
            ask = ask.order(order);
        }
        if let Some(word) = &lines.level {
            let level = levels::of_word(word.as_bytes());
            ask = ask.level(level.ok_or_else(|| {
                format!("--level {word} is no level: write trace, debug, info, warn, error or fatal")
            })?);
        }
        let instants = Instants::new(zone.clone(), None);
        let time = |flag: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            // A time to the minute is enough for a person.
            let seconds = format!("{text}:00");
            let found = instants.of_text(text.as_bytes(), near).or_else(|| instants.of_text(seconds.as_bytes(), near));
            found.map(Some).ok_or_else(|| format!("{flag} {text} is no time: write it like 2025-01-12T19:24:00+07:00"))
        };
        let (from, to) = (time("--from", &lines.from)?, time("--to", &lines.to)?);
        if from.is_some() || to.is_some() {
            let (from, to) = (from.unwrap_or(Stamp(i64::MIN)), to.unwrap_or(Stamp(i64::MAX)));
            if from >= to {
                return Err("--from is not before --to: exchange them".to_owned());
            }
            ask = ask.span(Span::new(from, to));
        }
        let glancer = Glancer::new(&LogConfig::usual("logs", &zone))?;
        Ok(Self { ask, glancer, zone, near })
    }
}

/// Says on standard error what an answer does not contain.
fn remark(says: &str) {
    // Whoever closed standard error does not want it.
    let _ = writeln!(io::stderr(), "warroom: {says}");
}

fn remark_cut(read: Read) {
    if read.cut > 0 {
        let kib = blocks::LONGEST / 1024;
        remark(&format!("{} of the lines are longer than {kib} KiB; of those only the head was looked at", read.cut));
    }
}

/// What writing to standard output came to: a reader that has enough is no failure.
fn written(e: &io::Error) -> Ending {
    if e.kind() == io::ErrorKind::BrokenPipe {
        Ending::Well
    } else {
        Ending::Failed(format!("standard output cannot be written ({e})"))
    }
}

/// `5 000 000` as `5,000,000`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
