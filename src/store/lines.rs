//! The log index: the newest lines in memory, in time order, with counts that outlive them.

use crate::model::log::LogLine;
use crate::model::{SourceName, Span, Stamp, Untrusted};
use crate::store::template::{TemplateId, Templates};

/// A remembered line: where it came from and what it says.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The source that read it.
    pub source: SourceName,
    /// The line.
    pub line: LogLine,
    /// Grows with arrival: a stable name for the row.
    pub number: u64,
    /// Its template, see [`LogIndex::template`].
    pub template: TemplateId,
}

/// Lines in time order.
#[derive(Clone, Debug, Default)]
pub struct LogIndex {
    lines: Vec<Kept>,
    arrived: u64,
    templates: Templates,
}

impl LogIndex {
    /// Adds a line at its own time; equal times keep the order of arrival.
    pub fn push(&mut self, source: &SourceName, line: LogLine) {
        self.arrived += 1;
        let template = self.templates.of(line.message.raw());
        let i = self.lines.partition_point(|k| k.line.at <= line.at);
        self.lines.insert(i, Kept { source: source.clone(), line, number: self.arrived, template });
    }
    /// Lines whose own time is in the span, oldest first.
    pub fn within(&self, span: Span) -> &[Kept] {
        let a = self.lines.partition_point(|k| k.line.at < span.from);
        let b = self.lines.partition_point(|k| k.line.at < span.to);
        &self.lines[a..b.max(a)]
    }
    /// Lines that name the order, oldest first, up to `at`.
    pub fn of_order<'a>(&'a self, order: &'a str, at: Stamp) -> impl Iterator<Item = &'a Kept> {
        self.lines.iter().filter(move |k| k.line.at <= at && k.line.order.as_deref() == Some(order))
    }
    /// The words of a template.
    pub fn template(&self, id: TemplateId) -> Option<&Untrusted> {
        self.templates.text(id)
    }
    /// How many lines have come in since the start, forgotten ones included.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }
    /// The oldest line still in memory.
    pub fn oldest(&self) -> Option<Stamp> {
        self.lines.first().map(|k| k.line.at)
    }
}
