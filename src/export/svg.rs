//! The timeline of a report as one picture: a row for each lane with its band, lines through all of them where the
//! spike begins, is highest and is over, a sign where a lane left its usual.
//!
//! Places along the time axis are shares of the width, so that the same picture fits a telephone and a sheet of
//! paper and its words keep their size. May not know: how the page around it looks.

use super::html::escape;
use crate::analysis::lane::Cell;
use crate::analysis::report::picture::{Line, Picture, Strip};
use crate::model::{MarkKind, Span, Stamp};
use crate::view::number;
use std::fmt::Write as _;

/// Height of a row's drawing, and of the words above it.
const ROW: usize = 34;
const WORDS: usize = 17;
const GAP: usize = 9;
/// Height of the signs above all rows, and of the times below them.
const TOP: usize = 34;
const BOTTOM: usize = 22;
/// The inner picture's own height; its width is the number of columns.
const INNER: f64 = 100.0;

/// The picture; nothing when there is no lane.
pub fn svg(p: &Picture) -> String {
    let Some(span) = p.span.filter(|s| s.length().0 > 0 && !p.strips.is_empty()) else { return String::new() };
    let height = TOP + p.strips.len() * (WORDS + ROW + GAP) + BOTTOM;
    let mut out = format!(
        "<svg class=\"timeline\" width=\"100%\" height=\"{height}\" role=\"img\" aria-label=\"timeline: {} lanes\">\n",
        p.strips.len()
    );
    grid(&mut out, p, span, height);
    for (i, strip) in p.strips.iter().enumerate() {
        row(&mut out, p, span, strip, TOP + i * (WORDS + ROW + GAP));
    }
    signs(&mut out, p, span, height);
    out.push_str("</svg>\n");
    out
}

/// A place on the axis as a share of the width.
fn x(span: Span, at: Stamp) -> f64 {
    (at.since(span.from).0 as f64 / span.length().0.max(1) as f64 * 100.0).clamp(0.0, 100.0)
}

fn grid(out: &mut String, p: &Picture, span: Span, height: usize) {
    for (at, words) in &p.ticks {
        let x = x(span, *at);
        let (low, anchor) = (height - BOTTOM, anchor(x));
        let _ = writeln!(out, "<line class=\"grid\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"{TOP}\" y2=\"{low}\"/>");
        let _ = writeln!(
            out,
            "<text class=\"time\" x=\"{x:.2}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            height - 6,
            escape(words)
        );
    }
}

/// Words at the edges stay inside.
fn anchor(x: f64) -> &'static str {
    match x {
        _ if x < 4.0 => "start",
        _ if x > 96.0 => "end",
        _ => "middle",
    }
}

fn row(out: &mut String, p: &Picture, span: Span, s: &Strip, y: usize) {
    let words = y + WORDS - 5;
    let name = if s.trigger { format!("{} (drives the rest)", s.name) } else { s.name.clone() };
    let _ = writeln!(out, "<text class=\"name\" x=\"0\" y=\"{words}\">{}</text>", escape(&name));
    let value = |v: f64| number::value(s.unit, v);
    let usual = s.normal.map(|n| format!("usual {}", value(n)));
    let worst = s.worst.map(|(at, v)| format!("worst {} at {}", value(v), clock(p, at)));
    let told: Vec<String> = [usual, worst].into_iter().flatten().collect();
    let _ = writeln!(
        out,
        "<text class=\"told\" x=\"100%\" y=\"{words}\" text-anchor=\"end\">{}</text>",
        escape(&told.join(" · "))
    );
    let _ = writeln!(
        out,
        "<svg x=\"0\" y=\"{}\" width=\"100%\" height=\"{ROW}\" viewBox=\"0 0 {} {INNER}\" \
         preserveAspectRatio=\"none\"><rect class=\"ground\" width=\"{}\" height=\"{INNER}\"/>",
        y + WORDS,
        s.cells.len().max(1),
        s.cells.len().max(1)
    );
    blind(out, s);
    area(out, s);
    band(out, s);
    if let Some((_, limit)) = &s.limit {
        let h = level(s, *limit);
        let _ = writeln!(out, "<line class=\"limit\" x1=\"0\" x2=\"{}\" y1=\"{h:.1}\" y2=\"{h:.1}\"/>", s.cells.len());
    }
    curve(out, s);
    out.push_str("</svg>\n");
    if let Some((at, stage, first)) = s.onset {
        let (x, low, class) = (x(span, at), y + WORDS + ROW, if first { "onset first" } else { "onset" });
        let _ = writeln!(
            out,
            "<line class=\"{class}\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"{}\" y2=\"{low}\"><title>{}: {}{}</title></line>",
            y + WORDS,
            escape(&s.name),
            stage.name(),
            if first { ", first that broke" } else { "" }
        );
    }
}

/// `19:55`, in the incident's zone.
fn clock(p: &Picture, at: Stamp) -> String {
    p.zone.as_ref().map_or_else(String::new, |zone| zone.hm(at))
}

/// How far down a value lies in the inner picture.
fn level(s: &Strip, value: f64) -> f64 {
    let share = (value - s.floor) / (s.top - s.floor).max(f64::MIN_POSITIVE);
    (INNER - share * (INNER - 4.0)).clamp(1.0, INNER)
}

/// Runs of columns that are alike.
fn runs(n: usize, is: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for i in (0..n).filter(|i| is(*i)) {
        match out.last_mut() {
            Some(last) if last.1 == i => last.1 = i + 1,
            _ => out.push((i, i + 1)),
        }
    }
    out
}

/// Nobody saw anything there: drawn as such, never as zero.
fn blind(out: &mut String, s: &Strip) {
    for (class, what, title) in
        [("blind", Cell::Blind, "no data: the source told nothing"), ("notyet", Cell::NotYet, "not in yet")]
    {
        for (from, to) in runs(s.cells.len(), |i| s.cells[i] == what) {
            let _ = writeln!(
                out,
                "<rect class=\"{class}\" x=\"{from}\" width=\"{}\" height=\"{INNER}\"><title>{title}</title></rect>",
                to - from
            );
        }
    }
}

fn band(out: &mut String, s: &Strip) {
    for (from, to) in runs(s.band.len(), |i| s.band[i].is_some()) {
        let edge = |i: usize, high: bool| {
            let (low, top) = s.band[i].unwrap_or_default();
            level(s, if high { top } else { low })
        };
        let upper = (from..to).flat_map(|i| [(i, edge(i, true)), (i + 1, edge(i, true))]);
        let lower = (from..to).rev().flat_map(|i| [(i + 1, edge(i, false)), (i, edge(i, false))]);
        let _ = writeln!(out, "<path class=\"band\" d=\"{}Z\"/>", path(upper.chain(lower)));
    }
}

/// What was measured, column by column: the height of each is its value.
fn steps(s: &Strip, from: usize, to: usize) -> impl Iterator<Item = (usize, f64)> {
    let height = |i: usize| level(s, s.cells[i].value().unwrap_or(s.floor));
    (from..to).flat_map(move |i| [(i, height(i)), (i + 1, height(i))])
}

fn area(out: &mut String, s: &Strip) {
    for (from, to) in runs(s.cells.len(), |i| s.cells[i].value().is_some()) {
        let whole = steps(s, from, to).chain([(to, INNER), (from, INNER)]);
        let _ = writeln!(out, "<path class=\"area\" d=\"{}Z\"/>", path(whole));
    }
}

fn curve(out: &mut String, s: &Strip) {
    for (from, to) in runs(s.cells.len(), |i| s.cells[i].value().is_some()) {
        let _ = writeln!(out, "<path class=\"curve\" d=\"{}\"/>", path(steps(s, from, to)));
    }
    for (from, to) in runs(s.cells.len(), |i| matches!(s.cells[i], Cell::Value { outside: true, .. })) {
        let _ = writeln!(out, "<path class=\"outside\" d=\"{}\"/>", path(steps(s, from, to)));
    }
}

fn path(points: impl Iterator<Item = (usize, f64)>) -> String {
    let mut out = String::new();
    for (i, (x, y)) in points.enumerate() {
        let _ = write!(out, "{}{x} {y:.1}", if i == 0 { "M" } else { "L" });
    }
    out
}

/// The spike through all rows, and marks above them.
fn signs(out: &mut String, p: &Picture, span: Span, height: usize) {
    let low = height - BOTTOM;
    for (at, line) in &p.lines {
        let x = x(span, *at);
        let (class, sign, words) = match line {
            Line::Onset => ("begin", "▲", "the spike begins"),
            Line::Peak => ("peak", "◆", "its peak"),
            Line::Recovery => ("end", "▼", "back below the spike"),
        };
        let (title, anchor) = (escape(&format!("{words} at {}", clock(p, *at))), anchor(x));
        let _ = writeln!(
            out,
            "<line class=\"spike {class}\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"16\" y2=\"{low}\"><title>{title}</title></line>\
             <text class=\"sign\" x=\"{x:.2}%\" y=\"12\" text-anchor=\"{anchor}\">{sign} {}<title>{title}</title></text>",
            escape(&clock(p, *at))
        );
    }
    for (at, kind, words) in &p.marks {
        let (class, letter) = match kind {
            MarkKind::Change => ("change", "D"),
            MarkKind::Alarm => ("alarm", "A"),
            MarkKind::Cleared => ("cleared", "a"),
            MarkKind::Note => ("remark", "N"),
        };
        let x = x(span, *at);
        let _ = writeln!(
            out,
            "<line class=\"mark {class}\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"29\" y2=\"{TOP}\"/>\
             <text class=\"mark {class}\" x=\"{x:.2}%\" y=\"28\" text-anchor=\"middle\">{letter}<title>{}</title></text>",
            escape(words)
        );
    }
}
