//! What the screens with lists share: which rows are visible, old data in the stale role, search hits
//! underlined, bars and sparklines of a row.
//!
//! Knows runs and numbers; knows nothing of incidents.

use crate::view::canvas::{Run, run};
use crate::view::look::Role;
use std::borrow::Cow;
use std::ops::Range;

/// Runs that own their text.
pub type Runs = Vec<Run<'static>>;

/// Which rows of a list of `len` are visible in `room` rows when `focus` is focused and `top` was the first.
pub fn visible(len: usize, room: usize, top: usize, focus: usize) -> Range<usize> {
    if room == 0 || len == 0 {
        return 0..0;
    }
    let focus = focus.min(len - 1);
    let top = top.min(focus).max((focus + 1).saturating_sub(room)).min(len.saturating_sub(room));
    top..(top + room).min(len)
}

/// The runs in the stale role when they are old data kept; what is faint stays faint.
#[must_use]
pub fn kept(mut runs: Runs, stale: bool) -> Runs {
    if stale {
        for r in runs.iter_mut().filter(|r| r.role != Role::Faint) {
            r.role = Role::Stale;
        }
    }
    runs
}

/// The runs with each occurrence of `needle` in the role of hits; upper and lower case are alike.
#[must_use]
pub fn hits(runs: Runs, needle: &str) -> Runs {
    let needle = needle.trim().to_lowercase();
    if needle.is_empty() {
        return runs;
    }
    let mut out = Vec::with_capacity(runs.len());
    for r in runs {
        for (piece, hit) in split(&r.text, &needle) {
            out.push(run(if hit { Role::Hit } else { r.role }, piece.to_owned()));
        }
    }
    out
}

/// The pieces of `text`, telling which are `needle` (in lower case already).
fn split<'a>(text: &'a str, needle: &str) -> Vec<(&'a str, bool)> {
    let lower = text.to_lowercase();
    // Lower case can have another length (İ): then positions mean nothing and nothing is marked.
    if lower.len() != text.len() {
        return vec![(text, false)];
    }
    let mut out = Vec::new();
    let mut from = 0;
    for (at, found) in lower.match_indices(needle) {
        let end = at + found.len();
        let (Some(before), Some(hit)) = (text.get(from..at), text.get(at..end)) else { continue };
        if !before.is_empty() {
            out.push((before, false));
        }
        out.push((hit, true));
        from = end;
    }
    match text.get(from..) {
        Some("") | None => {}
        Some(rest) => out.push((rest, false)),
    }
    out
}

/// A horizontal bar of `share` (0 to 1) of `cells`; what is not nothing has at least one cell.
pub fn bar(share: f64, cells: u16) -> String {
    if share.is_nan() || share <= 0.0 {
        return String::new();
    }
    let n = (share.min(1.0) * f64::from(cells)).round() as usize;
    "━".repeat(n.max(1).min(usize::from(cells)))
}

/// One sparkline row: each value between `low` and `high`; a missing one stays blank.
pub fn spark(values: &[Option<f64>], low: f64, high: f64) -> String {
    const LEVELS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
    let height = (high - low).max(f64::MIN_POSITIVE);
    let level = |v: f64| ((v - low) / height * 6.0).round().clamp(0.0, 6.0) as usize;
    values.iter().map(|v| v.filter(|v| v.is_finite()).map_or(' ', |v| LEVELS[level(v).min(6)])).collect()
}

/// Text with placeholders (`<n>`, `<id>`) in the role of names that stand for something.
pub fn template(text: &str, role: Role) -> Runs {
    let mut out: Runs = Vec::new();
    let mut rest = text;
    while let Some((open, close)) = placeholder(rest) {
        push(&mut out, role, &rest[..open]);
        push(&mut out, Role::Var, &rest[open..close]);
        rest = &rest[close..];
    }
    push(&mut out, role, rest);
    out
}

fn push(out: &mut Runs, role: Role, text: &str) {
    if !text.is_empty() {
        out.push(Run { text: Cow::Owned(text.to_owned()), role });
    }
}

/// Where the first placeholder stands: `<`, lower-case letters, `>`.
fn placeholder(text: &str) -> Option<(usize, usize)> {
    text.match_indices('<').find_map(|(open, _)| {
        let inner = text[open + 1..].find('>')?;
        let name = &text[open + 1..open + 1 + inner];
        let named = !name.is_empty() && name.len() <= 12 && name.bytes().all(|b| b.is_ascii_lowercase());
        named.then_some((open, open + inner + 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::canvas::plain;

    fn said(runs: &Runs) -> Vec<(Role, &str)> {
        runs.iter().map(|r| (r.role, r.text.as_ref())).collect()
    }

    #[test]
    fn the_focused_row_is_always_visible() {
        assert_eq!(visible(100, 10, 0, 25), 16..26);
        assert_eq!(visible(100, 10, 20, 5), 5..15);
        assert_eq!(visible(3, 10, 7, 9), 0..3);
        assert_eq!(visible(3, 0, 0, 0), 0..0);
    }

    #[test]
    fn what_was_searched_for_is_marked_wherever_it_stands_in_any_case() {
        let runs = hits(vec![plain("Acquire timeout, acquire")], "acquire ");
        assert_eq!(said(&runs), [(Role::Hit, "Acquire"), (Role::Text, " timeout, "), (Role::Hit, "acquire")]);
        assert_eq!(said(&hits(vec![plain("İstanbul")], "istanbul")), [(Role::Text, "İstanbul")]);
    }

    #[test]
    fn old_data_is_stale_as_a_whole() {
        let runs = kept(vec![run(Role::Bad, "197"), run(Role::Faint, "│")], true);
        assert_eq!(said(&runs), [(Role::Stale, "197"), (Role::Faint, "│")]);
    }

    #[test]
    fn placeholders_stand_apart_but_comparisons_do_not() {
        let runs = template("took <n>ms < 5 <ID>", Role::Text);
        assert_eq!(said(&runs), [(Role::Text, "took "), (Role::Var, "<n>"), (Role::Text, "ms < 5 <ID>")]);
    }

    #[test]
    fn nothing_measured_leaves_a_blank_in_a_sparkline_and_zero_does_not() {
        assert_eq!(spark(&[Some(0.0), None, Some(6.0)], 0.0, 6.0), "▁ ▇");
        assert_eq!(spark(&[Some(3.0)], 3.0, 3.0), "▁");
    }
}
