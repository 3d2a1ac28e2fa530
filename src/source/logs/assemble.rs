//! Keeps together what belongs together: a line and the stack trace or continued text below it.
//!
//! A line without a time of its own belongs to the line before it when the file's lines usually carry one,
//! or when it looks like a stack frame. The last line of a file waits for its continuation until the file
//! has been quiet for one reading.

use super::follow::RawLine;
use super::parse::{Parser, Said};
use crate::model::log::{Level, LogLine};
use crate::model::{Stamp, Untrusted};
use std::sync::Arc;

/// A trace longer than this keeps its head, and a line that says how much is missing.
const MOST_STACK: usize = 200;

/// Turns the raw lines of one file into log lines.
#[derive(Debug)]
pub struct Assembler {
    service: Arc<str>,
    last: Option<Stamp>,
    timed: bool,
    pending: Option<LogLine>,
    dropped: usize,
    grew: bool,
}

impl Assembler {
    /// For a file whose lines are of `service` unless they say otherwise.
    pub fn new(service: Arc<str>) -> Self {
        Self { service, last: None, timed: false, pending: None, dropped: 0, grew: false }
    }

    /// Takes in one raw line; gives the line before it when that is complete.
    pub fn take(&mut self, raw: &RawLine, parser: &Parser, now: Stamp) -> Option<LogLine> {
        if raw.bytes.iter().all(u8::is_ascii_whitespace) && raw.cut == 0 {
            return None;
        }
        self.grew = true;
        let said = parser.parse(raw, now);
        self.timed |= said.at.is_some();
        if self.pending.is_some() && self.continues(raw, &said) {
            self.append(parser.continuation(raw));
            return None;
        }
        let begins = begins_a_crash(&raw.bytes);
        let at = said.at.or(self.last).unwrap_or(now);
        self.last = Some(at);
        let line = LogLine {
            at,
            service: said.service.unwrap_or_else(|| self.service.clone()),
            level: said.level.unwrap_or(if begins { Level::Fatal } else { Level::Info }),
            order: said.order,
            trace: said.trace,
            message: said.message,
            stack: said.stack,
        };
        let complete = self.finish();
        self.pending = Some(line);
        complete
    }

    /// The end of a reading: gives the last line when the file has been quiet since the reading before.
    pub fn rest(&mut self) -> Option<LogLine> {
        if std::mem::take(&mut self.grew) { None } else { self.finish() }
    }

    /// Whether a line still waits for what may belong to it.
    pub fn waits(&self) -> bool {
        self.pending.is_some()
    }

    fn continues(&self, raw: &RawLine, said: &Said) -> bool {
        if said.whole || said.at.is_some() || begins_a_crash(&raw.bytes) {
            return false;
        }
        self.timed || looks_like_a_frame(&raw.bytes)
    }

    fn append(&mut self, text: Untrusted) {
        let Some(line) = &mut self.pending else { return };
        if line.stack.len() < MOST_STACK {
            line.stack.push(text);
        } else {
            self.dropped += 1;
        }
    }

    fn finish(&mut self) -> Option<LogLine> {
        let mut line = self.pending.take()?;
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            line.stack.push(format!("… {dropped} lines more, not kept").into());
        }
        Some(line)
    }
}

fn looks_like_a_frame(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    bytes.first().is_some_and(u8::is_ascii_whitespace)
        || ["at ", "Caused by", "... ", "goroutine ", "created by ", "File \"", "During handling"]
            .iter()
            .any(|p| text.starts_with(p.as_bytes()))
}

/// First lines of a crash, written past the logger and so without time or level.
fn begins_a_crash(bytes: &[u8]) -> bool {
    ["panic: ", "fatal error: ", "Traceback (most recent", "Exception in thread"]
        .iter()
        .any(|p| bytes.starts_with(p.as_bytes()))
}
