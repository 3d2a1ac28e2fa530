//! The log index: the newest lines in memory, in time order, and stretches read back from the recording.
//! Counts outlive lines because they are series.

use crate::model::log::LogLine;
use crate::model::{Batch, SourceName, Span, Stamp, Untrusted};
use crate::store::miner::{ShapeId, Slot};
use crate::store::template::{TemplateId, Templates};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Bytes of lines kept, their index included; about a hundred thousand lines.
const BUDGET: usize = 32 << 20;

/// A remembered line: where it came from and what it says.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The source that read it.
    pub source: SourceName,
    /// The line.
    pub line: LogLine,
    /// A stable name for the row: the same in a replay and after the line was read back. Below 2^63.
    pub number: u64,
    /// Its shape, see [`LogIndex::template_of`].
    pub shape: ShapeId,
}

impl Kept {
    /// What it takes in memory, with its entries in the index.
    fn bytes(&self) -> usize {
        let text = |t: &Untrusted| t.len() + 32;
        let line = &self.line;
        let ids = [&line.order, &line.trace].into_iter().flatten().map(|s| s.len() + 32).sum::<usize>();
        // 32: the map of numbers; service and source are shared by their lines as a rule.
        size_of::<Self>() + text(&line.message) + line.stack.iter().map(text).sum::<usize>() + ids + 32
    }
}

/// Lines in time order with their index.
#[derive(Clone, Debug, Default)]
struct Shelf {
    lines: Vec<Kept>,
    at: HashMap<u64, Stamp>,
    of_order: HashMap<Arc<str>, Vec<u64>>,
    bytes: usize,
}

impl Shelf {
    /// Adds lines; those of an equal time come after the ones that are there.
    fn extend(&mut self, mut new: Vec<Kept>) {
        new.sort_by_key(|k| k.line.at);
        let Some(first) = new.first().map(|k| k.line.at) else { return };
        for k in &new {
            self.at.insert(k.number, k.line.at);
            self.bytes += k.bytes();
            if let Some(order) = &k.line.order {
                self.of_order.entry(order.clone()).or_default().push(k.number);
            }
        }
        let place = self.lines.partition_point(|k| k.line.at <= first);
        self.lines.append(&mut new);
        // Two sorted runs: the standard sort merges them in one pass and keeps the order of arrival.
        self.lines[place..].sort_by_key(|k| k.line.at);
    }
    fn within(&self, span: Span) -> &[Kept] {
        let a = self.lines.partition_point(|k| k.line.at < span.from);
        let b = self.lines.partition_point(|k| k.line.at < span.to);
        &self.lines[a..b.max(a)]
    }
    fn get(&self, number: u64) -> Option<&Kept> {
        let at = *self.at.get(&number)?;
        let first = self.lines.partition_point(|k| k.line.at < at);
        self.lines[first..].iter().take_while(|k| k.line.at == at).find(|k| k.number == number)
    }
    fn of_order(&self, order: &str) -> impl Iterator<Item = &Kept> {
        self.of_order.get(order).into_iter().flatten().filter_map(|n| self.get(*n))
    }
    /// Drops the oldest until `budget` is kept; answers from when on nothing was dropped.
    fn trim(&mut self, budget: usize) -> Option<Stamp> {
        if self.bytes <= budget {
            return None;
        }
        let goal = budget - budget / 16;
        let mut left = self.bytes;
        let gone = self.lines.iter().take_while(|k| {
            let over = left > goal;
            left -= if over { k.bytes() } else { 0 };
            over
        });
        let gone = gone.count();
        let newest_gone = self.lines[..gone].last().map(|k| k.line.at)?;
        let numbers: HashSet<u64> = self.lines[..gone].iter().map(|k| k.number).collect();
        let orders: HashSet<Arc<str>> = self.lines[..gone].iter().filter_map(|k| k.line.order.clone()).collect();
        for order in orders {
            if let Some(left) = self.of_order.get_mut(&order) {
                left.retain(|n| !numbers.contains(n));
                if left.is_empty() {
                    self.of_order.remove(&order);
                }
            }
        }
        self.at.retain(|n, _| !numbers.contains(n));
        self.lines.drain(..gone);
        self.bytes = left;
        Some(Stamp(newest_gone.0.saturating_add(1)))
    }
}

/// Lines in time order.
#[derive(Clone, Debug)]
pub struct LogIndex {
    shelf: Shelf,
    past: Vec<(Span, Shelf)>,
    arrived: u64,
    /// Lines are complete from here on.
    from: Stamp,
    templates: Templates,
    budget: usize,
}

impl Default for LogIndex {
    fn default() -> Self {
        Self {
            shelf: Shelf::default(),
            past: Vec::new(),
            arrived: 0,
            from: Stamp(i64::MIN),
            templates: Templates::default(),
            budget: BUDGET,
        }
    }
}

impl LogIndex {
    /// An index that keeps so many bytes of lines.
    pub fn with_budget(bytes: usize) -> Self {
        Self { budget: bytes, ..Self::default() }
    }
    /// Adds a line at its own time; equal times keep the order of arrival. Many lines at once are better
    /// handed to [`LogIndex::take`].
    pub fn push(&mut self, source: &SourceName, line: LogLine) {
        self.arrived += 1;
        let shape = self.templates.take(line.message.raw());
        self.templates.tidy();
        let kept = Kept { source: source.clone(), line, number: self.arrived, shape };
        self.shelf.extend(vec![kept]);
        self.trim();
    }
    /// Adds lines of a batch; `first` counts the batch's lines before them.
    pub fn take(&mut self, batch: &Batch, first: usize, lines: &[LogLine]) {
        self.arrived += lines.len() as u64;
        let kept = self.keep(batch, first, lines);
        // Lines of long ago that are fetched only now, because somebody looks there, would be the first to be
        // forgotten: where a stretch was read back they belong to it.
        for (span, shelf) in &mut self.past {
            let late: Vec<Kept> = kept.iter().filter(|k| span.contains(k.line.at)).cloned().collect();
            shelf.extend(late);
        }
        self.shelf.extend(kept);
        self.trim();
    }
    fn keep(&mut self, batch: &Batch, first: usize, lines: &[LogLine]) -> Vec<Kept> {
        let kept = |(i, line): (usize, &LogLine)| {
            let shape = self.templates.take(line.message.raw());
            Kept { source: batch.source.clone(), line: line.clone(), number: number(batch, first + i), shape }
        };
        let kept = lines.iter().enumerate().map(kept).collect();
        self.templates.tidy();
        kept
    }
    fn trim(&mut self) {
        if let Some(from) = self.shelf.trim(self.budget) {
            self.from = self.from.max(from);
        }
    }
    /// Says that `lines` came in before of which none are here; the last was before `from`.
    pub fn skip(&mut self, lines: u64, from: Stamp) {
        self.arrived += lines;
        if lines > 0 {
            self.from = self.from.max(from);
        }
    }
    /// Begins a stretch read back from the recording; it replaces one of the same span.
    pub fn begin_past(&mut self, span: Span) {
        self.forget_past(span);
        self.past.push((span, Shelf::default()));
    }
    /// Adds those of a batch's lines to a stretch that are inside it.
    pub fn take_past(&mut self, span: Span, batch: &Batch, first: usize, lines: &[LogLine]) {
        if !lines.iter().any(|l| span.contains(l.at)) {
            return;
        }
        let mut kept = self.keep(batch, first, lines);
        kept.retain(|k| span.contains(k.line.at));
        if let Some((_, shelf)) = self.past.iter_mut().find(|(known, _)| *known == span) {
            shelf.extend(kept);
        }
    }
    /// Takes a stretch away again.
    pub fn forget_past(&mut self, span: Span) {
        self.past.retain(|(known, _)| *known != span);
    }
    /// Bytes held for stretches read back.
    pub fn past_bytes(&self) -> usize {
        self.past.iter().map(|(_, shelf)| shelf.bytes).sum()
    }
    /// From here on every line is in memory.
    pub fn complete_from(&self) -> Stamp {
        self.from
    }
    /// Lines in memory whose own time is in the span, oldest first.
    pub fn within(&self, span: Span) -> &[Kept] {
        let past = self.past.iter().find(|(p, _)| p.from <= span.from && span.to <= p.to);
        match past {
            Some((_, lines)) if span.from < self.from => lines.within(span),
            _ => self.shelf.within(span),
        }
    }
    /// The line of a number, when it is in memory.
    pub fn get(&self, number: u64) -> Option<&Kept> {
        self.shelf.get(number).or_else(|| self.past.iter().find_map(|(_, shelf)| shelf.get(number)))
    }
    /// Lines in memory that name the order, oldest first, up to `at`.
    pub fn of_order<'a>(&'a self, order: &str, at: Stamp) -> impl Iterator<Item = &'a Kept> + use<'a> {
        let mut found: Vec<&Kept> = self.shelf.of_order(order).collect();
        for (_, shelf) in &self.past {
            found.extend(shelf.of_order(order).filter(|k| k.line.at < self.from));
        }
        found.retain(|k| k.line.at <= at);
        found.sort_by_key(|k| k.line.at);
        let mut seen = HashSet::new();
        found.retain(|k| seen.insert(k.number));
        found.into_iter()
    }
    /// The words of a template.
    pub fn template(&self, id: TemplateId) -> Option<Untrusted> {
        self.templates.text(id)
    }
    /// The template of a line.
    pub fn template_of(&self, kept: &Kept) -> TemplateId {
        self.templates.of(kept.shape)
    }
    /// The template of all lines of a shape.
    pub fn template_of_shape(&self, shape: ShapeId) -> TemplateId {
        self.templates.of(shape)
    }
    /// The template that was once called so, whatever its words are now.
    pub fn called(&self, text: &str) -> Option<TemplateId> {
        self.templates.called(text)
    }
    /// What varies in a template, in order, over all lines since the start.
    pub fn slots(&self, id: TemplateId) -> &[Slot] {
        self.templates.slots(id)
    }
    /// How many lines have come in since the start, forgotten ones included.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }
    /// The oldest of the newest lines in memory.
    pub fn oldest(&self) -> Option<Stamp> {
        self.shelf.lines.first().map(|k| k.line.at)
    }
    /// Bytes of the newest lines in memory.
    pub fn bytes(&self) -> usize {
        self.shelf.bytes
    }
}

/// The name of a batch's line. `seen` is part of it because every run of a source counts from 1.
fn number(batch: &Batch, index: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&batch.source, batch.seq, batch.seen, index).hash(&mut hasher);
    hasher.finish() >> 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::Level;

    fn line(at: i64, order: Option<&str>) -> LogLine {
        LogLine {
            at: Stamp(at),
            service: "mrg-api-1".into(),
            level: Level::Error,
            order: order.map(Into::into),
            trace: None,
            message: format!("acquire timeout after {at} ms").as_str().into(),
            stack: Vec::new(),
        }
    }

    fn batch(seq: u64) -> Batch {
        Batch { source: "logs".into(), seq, seen: Stamp(seq as i64), facts: Vec::new() }
    }

    fn times(lines: &[Kept]) -> Vec<i64> {
        lines.iter().map(|k| k.line.at.0).collect()
    }

    const ALL: Span = Span { from: Stamp(i64::MIN), to: Stamp(i64::MAX) };

    #[test]
    fn lines_of_several_files_are_one_row_in_time_and_keep_their_order_within_an_instant() {
        let mut index = LogIndex::default();
        index.take(&batch(1), 0, &[line(10, Some("a")), line(30, None), line(30, Some("b"))]);
        index.take(&batch(2), 0, &[line(5, None), line(30, Some("a")), line(20, None)]);
        assert_eq!(times(index.within(ALL)), [5, 10, 20, 30, 30, 30]);
        assert_eq!(times(index.within(Span::new(Stamp(10), Stamp(30)))), [10, 20]);
        let orders: Vec<_> = index.within(ALL)[3..].iter().map(|k| k.line.order.as_deref()).collect();
        assert_eq!(orders, [None, Some("b"), Some("a")]);
        assert_eq!(index.of_order("a", Stamp(30)).map(|k| k.line.at.0).collect::<Vec<_>>(), [10, 30]);
        assert_eq!(index.of_order("a", Stamp(29)).count(), 1);
        assert!(index.within(ALL).iter().all(|k| index.get(k.number).is_some_and(|g| g.line == k.line)));
    }

    #[test]
    fn many_lines_stay_within_the_budget_and_the_newest_stay() {
        let mut index = LogIndex::with_budget(1 << 20);
        let orders = ["ORD-1", "ORD-2", "ORD-3"];
        for seq in 0..400_u64 {
            let lines: Vec<_> = (0..500).map(|i| line((seq * 500 + i) as i64, Some(orders[i as usize % 3]))).collect();
            index.take(&batch(seq), 0, &lines);
        }
        assert_eq!(index.arrived(), 200_000);
        assert!(index.bytes() <= 1 << 20 && index.bytes() > 900 << 10, "{}", index.bytes());
        let kept = index.within(ALL);
        assert_eq!(kept.last().map(|k| k.line.at.0), Some(199_999));
        assert_eq!(Some(index.complete_from()), index.oldest());
        assert_eq!(index.shelf.at.len(), kept.len());
        assert_eq!(orders.iter().map(|o| index.of_order(o, Stamp(i64::MAX)).count()).sum::<usize>(), kept.len());
    }

    #[test]
    fn a_stretch_read_back_has_the_same_numbers_and_is_there_once() {
        let mut index = LogIndex::with_budget(20_000);
        let lines: Vec<_> = (0..200).map(|t| line(t, Some("a"))).collect();
        let mut numbers = Vec::new();
        for (seq, lines) in lines.chunks(10).enumerate() {
            index.take(&batch(seq as u64), 0, lines);
            numbers.extend(index.within(ALL).iter().rev().take(10).rev().map(|k| k.number));
        }
        let early = Span::new(Stamp(5), Stamp(25));
        assert!(index.within(early).is_empty() && index.get(numbers[7]).is_none());
        for _ in 0..2 {
            index.begin_past(early);
            for (seq, lines) in lines[..30].chunks(10).enumerate() {
                index.take_past(early, &batch(seq as u64), 0, lines);
            }
        }
        assert_eq!(times(index.within(early)), (5..25).collect::<Vec<_>>());
        assert_eq!(index.get(numbers[7]).map(|k| k.line.at.0), Some(7));
        let of_order: Vec<_> = index.of_order("a", Stamp(i64::MAX)).map(|k| k.line.at.0).collect();
        assert!(of_order.is_sorted() && of_order.starts_with(&[5, 6]), "{of_order:?}");
        assert_eq!(index.arrived(), 200, "what is read back has not arrived again");
        // What comes late for a stretch in front is seen there, though the newest lines leave it no room.
        index.take(&batch(99), 0, &[line(7, Some("late")), line(3, None)]);
        assert_eq!(times(index.within(early)), (5..8).chain(7..25).collect::<Vec<_>>());
        assert_eq!(index.of_order("late", Stamp(i64::MAX)).count(), 1);
    }
}
