//! The plan against every documented limit, for any span, age and number of metrics.

use super::*;
use proptest::prelude::*;

const NOW: Stamp = Stamp::from_secs(1_737_000_000);

fn at(minutes_ago: i64) -> Stamp {
    NOW - Lapse::minutes(minutes_ago)
}

/// Walks a stretch from its newest end as a backfill does.
fn walk(whole: Span, metrics: usize, points: usize) -> Vec<Piece> {
    let mut left = whole;
    let mut out = Vec::new();
    while let Some(piece) = newest_piece(left, metrics, Period::Raw, points, NOW) {
        assert!(out.len() < 200_000, "it does not end");
        left.to = piece.span.from;
        out.push(piece);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_asks_for_more_than_the_service_gives(
        from in 0_i64..300_000, length in 1_i64..20_000, metrics in 1_usize..600,
    ) {
        let whole = Span::new(at(from + length), at(from));
        for piece in walk(whole, metrics, POINTS) {
            let length = piece.span.length();
            let points = metrics as i64 * length.0 / piece.period.step().0;
            prop_assert!(points <= POINTS as i64, "{points} points of {metrics} metrics");
            prop_assert!(length <= piece.period.longest());
            prop_assert!(NOW.since(piece.span.from) <= piece.period.kept(), "older than what is kept");
        }
    }

    #[test]
    fn pieces_meet_without_holes_and_cover_everything_that_still_exists(
        from in 0_i64..300_000, length in 1_i64..20_000, metrics in 1_usize..600,
    ) {
        let whole = Span::new(at(from + length), at(from));
        let pieces = walk(whole, metrics, POINTS);
        let mut end = whole.to;
        for piece in &pieces {
            prop_assert_eq!(piece.span.to, end);
            prop_assert!(piece.span.from < piece.span.to);
            end = piece.span.from;
        }
        let gone = NOW - Period::Hour.kept();
        prop_assert!(end <= whole.from || end.since(gone) <= Lapse::minutes(11), "{end:?} of {whole:?}");
    }

    #[test]
    fn the_finest_period_that_still_has_the_data_is_asked(age in 0_i64..230_000) {
        let got = Period::of_age(at(age), NOW, Period::Raw);
        for period in Period::ALL {
            let has = Lapse::minutes(age) < period.kept() - Lapse::minutes(10);
            prop_assert_eq!(has, got.is_some_and(|g| g <= period));
        }
    }

    #[test]
    fn a_request_for_a_span_never_has_too_many_metrics(minutes in 1_i64..240, batch in 1_usize..500) {
        let most = most_metrics(Lapse::minutes(minutes), Period::Raw, batch, POINTS);
        prop_assert!(most >= 1 && most <= batch);
        prop_assert!(most as i64 * minutes <= POINTS as i64);
        // One more would not fit, unless the batch ends there.
        prop_assert!(most == batch || (most as i64 + 1) * minutes > POINTS as i64);
    }

    #[test]
    fn what_is_left_and_what_is_done_are_the_whole(
        cuts in proptest::collection::vec((0_i64..1000, 1_i64..200), 0..8),
    ) {
        let whole = Span::new(Stamp(100), Stamp(900));
        let done: Vec<Span> = cuts.iter().map(|(a, l)| Span::new(Stamp(*a), Stamp(a + l))).collect();
        let left = without(whole, &done);
        for t in (0..1000).map(Stamp) {
            let wanted = whole.contains(t) && !done.iter().any(|d| d.contains(t));
            prop_assert_eq!(wanted, left.iter().any(|s| s.contains(t)), "{:?}", t);
        }
        prop_assert!(left.windows(2).all(|w| w[0].to <= w[1].from));
    }
}

#[test]
fn the_official_example_fits_exactly() {
    // Five metrics, raw: from is moved to ten hours before to; by the span's own limit four hours fit.
    assert_eq!(Lapse::minutes(POINTS as i64 / 5), Lapse(36_000_000_000));
    assert_eq!(longest(5, Period::Raw, POINTS), Lapse::hours(4));
    assert_eq!(longest(100, Period::Raw, POINTS), Lapse::minutes(30));
    assert_eq!(longest(500, Period::Raw, POINTS), Lapse::minutes(6));
    assert_eq!(longest(1, Period::Hour, POINTS), Lapse::hours(240));
    assert_eq!(longest(10_000, Period::Raw, POINTS), Lapse::minutes(1));
}

#[test]
fn a_stretch_over_the_end_of_raw_data_changes_its_period_there() {
    let whole = Span::new(at(2 * 24 * 60 + 60), at(2 * 24 * 60 - 60));
    let pieces = walk(whole, 10, POINTS);
    let periods: Vec<Period> = pieces.iter().map(|p| p.period).collect();
    assert_eq!(periods, [Period::Raw, Period::Five]);
    assert_eq!(pieces[0].span.length(), Lapse::minutes(50) - Lapse(1));
}

#[test]
fn what_is_older_than_everything_kept_is_not_asked_for() {
    let old = Span::new(at(160 * 24 * 60), at(156 * 24 * 60));
    assert_eq!(newest_piece(old, 10, Period::Raw, POINTS, NOW), None);
}
