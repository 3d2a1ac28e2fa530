//! Which columns of a lane were measured, which are gaps and which may still come, without a baseline.
//!
//! A value between two samples of a gauge is held only as long as the source is not silent for longer
//! than usual; counts of log lines are zero only where somebody was reading. May not know: bands, cursors.

use crate::analysis::lane::{Axis, Cell, book, said};
use crate::model::health::State;
use crate::model::incident::SourceKind;
use crate::model::series::{Lane, Rollup};
use crate::model::{Lapse, Span, Stamp};
use crate::store::{Series, Store};

/// A source is silent when nothing came for this many times its usual spacing.
const SILENT_AFTER: i64 = 3;
/// What is taken for the spacing of a series that has too few points to tell.
const UNKNOWN_SPACING: Lapse = Lapse::minutes(1);
/// What a first look at a source that keeps its own past reaches back.
const LOOKED_BACK: Lapse = Lapse::minutes(30);
/// Points looked at to learn a spacing.
const SPACING_POINTS: usize = 64;

/// The source of a series: what stands before the first dot.
pub fn source_of(series: &str) -> &str {
    series.split_once('.').map_or(series, |(source, _)| source)
}

/// The cells of a lane; `asof` is the instant order-side facts are asked for, `now` the newest lived.
pub fn cells(store: &Store, lane: &Lane, axis: &Axis, asof: Stamp, now: Stamp) -> Vec<Cell> {
    if let Some(kind) = book::Derived::of(&lane.series) {
        return book::cells(store, kind, axis, asof, now);
    }
    let mut cells = vec![Cell::Empty; axis.columns];
    let series = store.series(&lane.series);
    if let Some(series) = series {
        for (cell, bucket) in cells.iter_mut().zip(series.columns(axis.from, axis.step, axis.columns)) {
            if let Some(bucket) = bucket {
                *cell = Cell::measured(bucket.value(lane.rollup, axis.step));
            }
        }
    }
    let said = said::of(store, &lane.series).filter(|_| is_log(store, &lane.series));
    if let Some(said) = said {
        said::count(store, said, axis, &mut cells);
    }
    let holes = Holes::new(store, lane, series, now);
    holes.unfinished(axis, &mut cells);
    holes.fill(axis, &mut cells);
    if said.is_some() {
        said::forget(store, axis, &mut cells);
    }
    for (column, cell) in cells.iter_mut().enumerate() {
        if axis.start(column) > now {
            *cell = Cell::Empty;
        }
    }
    cells
}

/// What is needed to say why a column has no sample.
struct Holes<'a> {
    store: &'a Store,
    lane: &'a Lane,
    series: Option<&'a Series>,
    source: &'a str,
    /// Data up to here could be in by now.
    settled: Stamp,
    now: Stamp,
    spacing: Lapse,
    counts_lines: bool,
    /// Between the baseline and the first sign of the source after it nobody was looking: nothing is known
    /// there, and nothing was lost.
    unwatched: Option<Span>,
    /// For a source that fetches the past: its first report, and what it has fetched of the time before.
    fetched: Option<(Stamp, Vec<Span>)>,
}

impl<'a> Holes<'a> {
    fn new(store: &'a Store, lane: &'a Lane, series: Option<&'a Series>, now: Stamp) -> Self {
        let source = source_of(&lane.series);
        // When nothing at all comes in any more, silence of one source says nothing about it.
        let flowing = store.newest.map_or(now, |newest| newest.min(now));
        Self {
            store,
            lane,
            series,
            source,
            settled: flowing - lane.lag,
            now,
            spacing: spacing(store, source, series, now),
            counts_lines: lane.rollup == Rollup::SumPerMinute && is_log(store, &lane.series),
            unwatched: unwatched(store, source, series, now),
            fetched: fetched(store, source, now),
        }
    }

    fn silence(&self) -> Lapse {
        self.spacing.times(SILENT_AFTER)
    }

    /// A count of a column that is not over yet is no rate; it becomes one when the column is over.
    fn unfinished(&self, axis: &Axis, cells: &mut [Cell]) {
        if self.lane.rollup != Rollup::SumPerMinute {
            return;
        }
        let over = self.now - self.lane.lag;
        for (column, cell) in cells.iter_mut().enumerate() {
            let start = axis.start(column);
            if start > over {
                *cell = Cell::NotYet;
            } else if over < start + axis.step {
                let elapsed = over.since(start);
                *cell = match *cell {
                    Cell::Value { value, .. } if elapsed >= Lapse::minutes(1) => {
                        Cell::measured(value * axis.step.as_secs_f64() / elapsed.as_secs_f64())
                    }
                    _ => Cell::NotYet,
                };
            }
        }
    }

    fn fill(&self, axis: &Axis, cells: &mut [Cell]) {
        let down = self.store.blind(self.source, axis.span(), self.now);
        let is_down = |span: &Span| down.iter().any(|(blind, _)| blind.overlaps(span));
        let mut column = 0;
        while column < cells.len() {
            if !matches!(cells[column], Cell::Empty) {
                column += 1;
                continue;
            }
            let end = (column..cells.len()).find(|i| !matches!(cells[*i], Cell::Empty)).unwrap_or(cells.len());
            let held = self.held(axis, cells, column, end);
            let hole = Span::new(axis.start(column), axis.start(end));
            for (i, cell) in cells.iter_mut().enumerate().take(end).skip(column) {
                let span = Span::new(axis.start(i), axis.start(i + 1));
                *cell = if self.is_unwatched(&span, &hole) {
                    Cell::Empty
                } else if self.counts_lines {
                    self.line_count(&span, is_down(&span))
                } else if is_down(&span) {
                    Cell::Blind
                } else {
                    self.gauge(&span, held)
                };
            }
            column = end;
        }
    }

    /// Whether nobody looked at a stretch of a hole: nothing is known there, and nothing was lost.
    fn is_unwatched(&self, span: &Span, hole: &Span) -> bool {
        if let Some((first, asked)) = &self.fetched {
            // The first look reaches back a little and is no fetched past: a short hole is one of the data's.
            let long = hole.length() >= LOOKED_BACK;
            return long && span.to <= *first && !asked.iter().any(|s| s.overlaps(span));
        }
        self.unwatched.is_some_and(|u| u.from <= span.from && span.to <= u.to)
    }

    /// The value that still holds in the empty run `from..to` of columns: the one before it, while the
    /// hole is no longer than the source is usually quiet. A count never holds.
    fn held(&self, axis: &Axis, cells: &[Cell], from: usize, to: usize) -> Option<f64> {
        let ends_measured = cells.get(to).is_some_and(|c| c.value().is_some());
        if self.lane.rollup == Rollup::SumPerMinute || !ends_measured {
            return None;
        }
        let (last, value) = self.series?.at(axis.start(from) - Lapse(1))?;
        let quiet = axis.start(to).since(axis.start(from)).max(axis.start(to).since(last) - axis.step);
        let usual = self.spacing.max(self.apart(axis.start(from), axis.start(to)));
        (quiet < usual.times(SILENT_AFTER)).then_some(value)
    }

    /// How far apart points are on both sides of a hole: what is left of a past week is coarser than today.
    fn apart(&self, from: Stamp, to: Stamp) -> Lapse {
        let minutes = self.series.map_or(&[] as &[_], Series::minutes);
        let before = &minutes[..minutes.partition_point(|m| m.start < from)];
        let after = &minutes[minutes.partition_point(|m| m.start < to)..];
        let before = before.len().checked_sub(2).map(|i| before[i + 1].start.since(before[i].start));
        let after = after.get(1).map(|second| second.start.since(after[0].start));
        // The smaller of both, so that one hole does not excuse the next; at an end there is only one.
        before.into_iter().chain(after).min().unwrap_or(Lapse::ZERO)
    }

    fn gauge(&self, span: &Span, held: Option<f64>) -> Cell {
        if let Some(value) = held {
            return Cell::measured(value);
        }
        let Some(series) = self.series else { return Cell::Empty };
        let before = series.at(span.from);
        if before.is_none() {
            return Cell::Empty;
        }
        let Some((last, _)) = series.at(self.now) else { return Cell::Empty };
        if span.from > last && span.from > self.now {
            Cell::Empty
        } else if span.from > last && (span.to > self.settled || self.settled.since(last) <= self.silence()) {
            Cell::NotYet
        } else {
            Cell::Blind
        }
    }

    /// A minute without lines is a zero when lines of any level came in it, or the source was well
    /// throughout; otherwise nobody knows what was written.
    fn line_count(&self, span: &Span, down: bool) -> Cell {
        if span.from > self.now {
            return Cell::Empty;
        }
        if span.to > self.now - self.lane.lag {
            return if down { Cell::Blind } else { Cell::NotYet };
        }
        let lines = self.store.series(&format!("{}.lines", self.source));
        let any = lines.is_some_and(|s| s.columns(span.from, span.length(), 1).iter().any(Option::is_some));
        if any {
            return Cell::measured(0.0);
        }
        let lost = self.store.losses(self.source).iter().any(|loss| loss.span.overlaps(span));
        let well = self.was_well(span);
        if well && !lost && !down {
            return Cell::measured(0.0);
        }
        let known = down || lost || lines.is_some_and(|s| s.at(span.from).is_some());
        if known { Cell::Blind } else { Cell::Empty }
    }

    fn was_well(&self, span: &Span) -> bool {
        let at_start = self.store.health(self.source, span.from).is_some_and(|h| h.state == State::Well);
        let history = self.store.health_history(self.source);
        at_start && history.is_some_and(|h| h.within(*span).all(|(_, health)| health.state == State::Well))
    }
}

/// When a source that fetches the past first reported, and the stretches it has fetched, put together.
/// None for a source that fetches nothing.
fn fetched(store: &Store, source: &str, now: Stamp) -> Option<(Stamp, Vec<Span>)> {
    let mut spans: Vec<Span> = store.fetched(source).map(|f| f.span).collect();
    if spans.is_empty() && store.progress(source, now).is_none() {
        return None;
    }
    let (first, _) = store.health_history(source)?.iter().next()?;
    spans.sort_unstable();
    let mut asked: Vec<Span> = Vec::new();
    for span in spans {
        match asked.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => asked.push(span),
        }
    }
    Some((first, asked))
}

/// From the end of the baseline to the first report, sample or line of a source after it, when there is a
/// baseline: the evening before the recording began is not a gap.
fn unwatched(store: &Store, source: &str, series: Option<&Series>, now: Stamp) -> Option<Span> {
    let from = store.incident.baseline?.to;
    let report = store.health_history(source).and_then(|h| h.within(Span::new(from, now)).next()).map(|(at, _)| *at);
    let first = |s: &Series| {
        let minutes = s.minutes();
        minutes.get(minutes.partition_point(|m| m.start < from)).map(|m| m.start)
    };
    let point = series.and_then(first);
    let line = store.series(&format!("{source}.lines")).and_then(first);
    let until = [report, point, line].into_iter().flatten().min().unwrap_or(now);
    (from < until).then(|| Span::new(from, until))
}

/// How far apart the points of a series usually are: what the source says of its interval, stretched
/// ones included, or the median distance of its newest points.
pub fn spacing(store: &Store, source: &str, series: Option<&Series>, now: Stamp) -> Lapse {
    let card = store.incident.sources.iter().find(|c| c.name == source).and_then(|c| c.every);
    let in_force = store.costs(source).and_then(|h| h.at(now)).map(|c| c.interval);
    let told = card.max(in_force).filter(|l| l.0 > 0);
    let seen = series.and_then(|s| {
        let (last, _) = s.at(now)?;
        let raw = s.raw(Span::new(last - Lapse::hours(2), last + Lapse(1)));
        let newest = &raw[raw.len().saturating_sub(SPACING_POINTS)..];
        let mut steps: Vec<i64> = newest.windows(2).map(|w| w[1].0.since(w[0].0).0).collect();
        let middle = steps.len() / 2;
        (!steps.is_empty()).then(|| Lapse(*steps.select_nth_unstable(middle).1))
    });
    told.max(seen).unwrap_or(UNKNOWN_SPACING)
}

/// Whether a series counts log lines as they come in. What an engine counts by itself comes minute by minute, zeros
/// too, and a minute without a point is one that nobody has counted.
pub fn is_log(store: &Store, series: &str) -> bool {
    let source = source_of(series);
    let card = store.incident.sources.iter().find(|c| c.name == source);
    let ours = series.rsplit_once('.').is_some_and(|(_, m)| matches!(m, "lines" | "WARN" | "ERROR"));
    ours && card.is_none_or(|card| matches!(card.kind, SourceKind::Logs | SourceKind::Mcp))
}
