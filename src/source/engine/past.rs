//! What is wanted of the past: the incident's window and its baseline, and the last minutes; cut into questions.
//!
//! Pure. May not know: how anything is asked.

use crate::config::Config;
use crate::config::log_server::LogServerConfig;
use crate::model::{Lapse, Span, Stamp};
use crate::source::engine::STEP;

/// Counts of so long are one question.
const COUNTED_AT_ONCE: Lapse = Lapse::hours(24);

/// From when on a recording may hold lines of an engine.
pub fn since(config: &Config, server: &LogServerConfig, now: Stamp) -> Stamp {
    wanted(config, server, now).iter().map(|s| s.from).fold(now, Stamp::min)
}

/// The last minutes first, then the incident's window, then when all was well.
pub fn wanted(config: &Config, server: &LogServerConfig, now: Stamp) -> Vec<Span> {
    let recent = Span::new(now - server.read_back, now);
    let i = &config.incident;
    let cut = |s: Span| Span::new(s.from, s.to.min(recent.from).max(s.from));
    let mut out = vec![recent];
    out.extend(i.window.into_iter().chain(i.baseline).map(cut));
    out.retain(|s| s.from < s.to);
    out
}

/// Stretches for lines, the newest of each first.
pub fn for_lines(wanted: &[Span], longest: Lapse) -> Vec<Span> {
    wanted.iter().flat_map(|s| parts(*s, longest).into_iter().rev()).collect()
}

/// Stretches for counts, on whole windows; none reaches beyond `now`.
pub fn for_counts(wanted: &[Span], now: Stamp) -> Vec<Span> {
    wanted
        .iter()
        .map(|s| whole(*s))
        .map(|s| Span::new(s.from, s.to.min(floor(now)).max(s.from)))
        .flat_map(|s| parts(s, COUNTED_AT_ONCE))
        .collect()
}

/// The beginning of the window that holds `at`.
pub fn floor(at: Stamp) -> Stamp {
    Stamp(at.0.div_euclid(STEP.0).saturating_mul(STEP.0))
}

/// A stretch that begins and ends on whole windows and holds `span`.
pub fn whole(span: Span) -> Span {
    let up = floor(Stamp(span.to.0.saturating_add(STEP.0 - 1)));
    Span::new(floor(span.from), up.max(floor(span.from)))
}

fn parts(span: Span, longest: Lapse) -> Vec<Span> {
    let mut out = Vec::new();
    let mut from = span.from;
    while from < span.to {
        let to = (from + longest).min(span.to);
        out.push(Span::new(from, to));
        from = to;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, to: i64) -> Span {
        Span::new(Stamp::from_secs(from), Stamp::from_secs(to))
    }

    #[test]
    fn lines_are_asked_newest_first_and_counts_by_whole_minutes_up_to_the_last_whole_one() {
        let asked = for_lines(&[span(0, 150)], Lapse::minutes(1));
        assert_eq!(asked, [span(120, 150), span(60, 120), span(0, 60)]);
        assert_eq!(for_counts(&[span(30, 150)], Stamp::from_secs(170)), [span(0, 120)]);
        assert_eq!(for_counts(&[span(30, 150)], Stamp::from_secs(500)), [span(0, 180)]);
        assert!(for_counts(&[span(30, 40)], Stamp::from_secs(45)).is_empty());
        assert_eq!(for_counts(&[span(0, 2 * 86_400)], Stamp::from_secs(1_000_000)).len(), 2);
    }
}
