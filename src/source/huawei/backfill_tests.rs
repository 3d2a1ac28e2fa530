//! The backfill against a service that has data in some places, loses it with age and cuts answers short.

use super::*;

const NOW: Stamp = Stamp::from_secs(1_737_000_000);

fn ago(minutes: i64) -> Stamp {
    Stamp(NOW.0.div_euclid(60_000_000) * 60_000_000) - Lapse::minutes(minutes)
}

fn targets(count: usize) -> Vec<Target> {
    let one = |i: usize| Target {
        series: format!("h.m{i}"),
        instance: "i".into(),
        namespace: "SYS.RDS".into(),
        metric: format!("m{i}"),
        dimensions: vec![("id".into(), "x".into())],
        filter: if i.is_multiple_of(2) { Filter::Max } else { Filter::Average },
        said: "",
        raw: Lapse::minutes(1),
        lane: None,
    };
    (0..count).map(one).collect()
}

/// A service: whether it has a point of a bundle at an instant in a period, and how many points it gives.
struct Service<'s> {
    has: &'s dyn Fn(Stamp, Period) -> bool,
    most: usize,
}

impl Service<'_> {
    fn answer(&self, part: &Part, metrics: usize) -> Brought {
        let step = part.period.step();
        let room = step.times((self.most / metrics).max(1) as i64);
        let from = part.span.from.max(part.span.to - room);
        let mut at = plan::aligned(Span::new(from, from), step).from;
        while at < part.span.to {
            if at >= from && (self.has)(at, part.period) {
                return Brought::Points { earliest: at, apart: Lapse::minutes(1) };
            }
            at = at + step;
        }
        Brought::Nothing
    }
}

struct Run {
    parts: Vec<(usize, Span, Period)>,
    fetched: Vec<Fetched>,
    /// Stretches whose points really came.
    came: Vec<Fetched>,
    moved: Vec<Moved>,
}

fn run(backfill: &mut Backfill, service: &Service<'_>) -> Run {
    let mut out = Run { parts: Vec::new(), fetched: Vec::new(), came: Vec::new(), moved: Vec::new() };
    while let Some(part) = backfill.next(NOW) {
        assert!(out.parts.len() < 10_000, "it does not end");
        let metrics = backfill.bundles()[part.bundle].members.len();
        let brought = service.answer(&part, metrics);
        if let Brought::Points { earliest, .. } = brought {
            let what = backfill.bundles()[part.bundle].what.clone();
            out.came.push(Fetched { what, span: Span::new(earliest, part.span.to) });
        }
        let outcome = backfill.learn(&part, brought, NOW);
        out.parts.push((part.bundle, part.span, part.period));
        out.fetched.extend(outcome.fetched);
        out.moved.extend(outcome.moved);
    }
    out
}

fn always(_: Stamp, _: Period) -> bool {
    true
}

/// The minutes of a stretch that no fetched part covers.
fn uncovered(whole: Span, fetched: &[Fetched], what: &str) -> usize {
    let done: Vec<Span> = fetched.iter().filter(|f| f.what == what).map(|f| f.span).collect();
    plan::without(whole, &done).len()
}

#[test]
fn a_stretch_is_fetched_whole_newest_first_for_all_bundles_in_turn() {
    let mut backfill = Backfill::new(bundles(&targets(400), 100), plan::POINTS);
    let window = Span::new(ago(400), ago(235));
    backfill.want(window, Why::Window, &[]);
    let (done, of) = backfill.progress(NOW);
    assert_eq!((done, of), (0, 4 * 6), "two filters, two bundles of each");
    let run = run(&mut backfill, &Service { has: &always, most: plan::POINTS });
    for bundle in backfill.bundles() {
        assert_eq!(uncovered(window, &run.fetched, &bundle.what), 0);
        assert_eq!(uncovered(window, &run.came, &bundle.what), 0);
    }
    let ends: Vec<Stamp> = run.parts.iter().map(|p| p.1.to).collect();
    assert!(ends.windows(2).all(|w| w[0] >= w[1]), "newest first");
    assert_eq!(run.parts[..4].iter().map(|p| p.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(backfill.is_over() && run.moved.is_empty());
    let (done, of) = backfill.progress(NOW);
    assert_eq!(done, of);
}

#[test]
fn the_window_comes_before_the_baseline_and_what_was_missed_before_both() {
    let mut backfill = Backfill::new(bundles(&targets(1), 100), plan::POINTS);
    backfill.want(Span::new(ago(60), ago(30)), Why::Baseline, &[]);
    backfill.want(Span::new(ago(600), ago(500)), Why::Window, &[]);
    backfill.want(Span::new(ago(900), ago(800)), Why::Missed, &[]);
    let run = run(&mut backfill, &Service { has: &always, most: plan::POINTS });
    assert_eq!(run.parts.iter().map(|p| p.1.to).collect::<Vec<_>>(), [ago(800), ago(500), ago(30)]);
}

#[test]
fn what_was_fetched_before_is_not_asked_for_again() {
    let all = targets(10);
    let mut first = Backfill::new(bundles(&all, 100), plan::POINTS);
    let window = Span::new(ago(2000), ago(1000));
    first.want(window, Why::Window, &[]);
    let mut have = Vec::new();
    for _ in 0..3 {
        let part = first.next(NOW).unwrap();
        let brought = Brought::Points { earliest: part.span.from, apart: Lapse::minutes(1) };
        have.extend(first.learn(&part, brought, NOW).fetched);
    }
    let mut second = Backfill::new(bundles(&all, 100), plan::POINTS);
    second.want(window, Why::Window, &have);
    let run = run(&mut second, &Service { has: &always, most: plan::POINTS });
    for (bundle, span, _) in &run.parts {
        let what = &second.bundles()[*bundle].what;
        assert!(have.iter().all(|f| f.what != *what || !f.span.overlaps(span)), "asked twice");
    }
    have.extend(run.fetched);
    for bundle in second.bundles() {
        assert_eq!(uncovered(window, &have, &bundle.what), 0);
    }
    let mut third = Backfill::new(bundles(&all, 100), plan::POINTS);
    third.want(window, Why::Window, &have);
    assert!(third.is_over());
}

#[test]
fn other_metrics_are_another_question() {
    let (ten, eleven) = (bundles(&targets(10), 100), bundles(&targets(11), 100));
    assert_ne!(ten[1].what, eleven[1].what);
    assert_eq!(ten[0].what, eleven[0].what, "the one that is new has another filter");
    assert_eq!(ten[0].what, bundles(&targets(10), 100)[0].what);
}

#[test]
fn where_raw_data_is_gone_coarser_data_is_taken_and_the_rest_is_asked_at_that() {
    let mut backfill = Backfill::new(bundles(&targets(1), 100), plan::POINTS);
    let window = Span::new(ago(20 * 60), ago(8 * 60));
    backfill.want(window, Why::Window, &[]);
    // This region keeps raw data for less long than documented.
    let has = |_: Stamp, p: Period| p >= Period::Five;
    let run = run(&mut backfill, &Service { has: &has, most: plan::POINTS });
    let periods: Vec<Period> = run.parts.iter().map(|p| p.2).collect();
    assert_eq!(periods, [Period::Raw, Period::Five, Period::Five]);
    assert_eq!(uncovered(window, &run.fetched, &backfill.bundles()[0].what), 0);
}

#[test]
fn a_day_without_data_costs_a_few_questions_not_hundreds() {
    let mut backfill = Backfill::new(bundles(&targets(100), 100), plan::POINTS);
    backfill.want(Span::new(ago(47 * 60), ago(23 * 60)), Why::Window, &[]);
    let parts = 2 * 24;
    let run = run(&mut backfill, &Service { has: &|_, _| false, most: plan::POINTS });
    assert!(run.parts.len() <= parts + 2 * 2 * 3, "{} questions", run.parts.len());
}

#[test]
fn an_answer_cut_short_is_noticed_the_rest_comes_and_later_parts_are_smaller() {
    let mut backfill = Backfill::new(bundles(&targets(2), 100), plan::POINTS);
    let window = Span::new(ago(1000), ago(400));
    backfill.want(window, Why::Window, &[]);
    // Half an hour of one metric is all this service gives at once.
    let run = run(&mut backfill, &Service { has: &always, most: 30 });
    for bundle in backfill.bundles() {
        assert_eq!(uncovered(window, &run.fetched, &bundle.what), 0, "{:?}", run.parts);
        assert_eq!(uncovered(window, &run.came, &bundle.what), 0, "{:?}", run.parts);
    }
    assert!(!run.moved.is_empty());
    assert!(backfill.points <= 60, "{} points", backfill.points);
}

#[test]
fn a_late_beginning_that_is_simply_empty_is_asked_for_once_and_not_called_moved() {
    let mut backfill = Backfill::new(bundles(&targets(1), 100), plan::POINTS);
    let window = Span::new(ago(300), ago(180));
    backfill.want(window, Why::Window, &[]);
    let has = |at: Stamp, _: Period| at >= ago(240);
    let run = run(&mut backfill, &Service { has: &has, most: plan::POINTS });
    assert_eq!((run.parts.len(), run.moved.len(), backfill.points), (2, 0, plan::POINTS));
    assert_eq!(uncovered(window, &run.fetched, &backfill.bundles()[0].what), 0);
}

#[test]
fn what_is_older_than_everything_kept_is_told_once() {
    let mut backfill = Backfill::new(bundles(&targets(10), 100), plan::POINTS);
    let old = Span::new(ago(200 * 24 * 60), ago(199 * 24 * 60));
    backfill.want(old, Why::Window, &[]);
    assert!(backfill.next(NOW).is_none() && backfill.is_over());
    assert_eq!(backfill.too_old(), [old]);
    assert!(backfill.too_old().is_empty());
}

#[test]
fn what_is_done_is_said_in_forty_cells() {
    let mut backfill = Backfill::new(bundles(&targets(1), 100), plan::POINTS);
    backfill.want(Span::new(ago(300), ago(180)), Why::Window, &[]);
    let part = backfill.next(NOW).unwrap();
    let says = backfill.doing(&Zone::wib(), &part);
    assert_eq!(says, "fetching 06:00–08:00 of 16 Jan");
}

#[test]
fn a_day_of_three_hundred_metrics_is_a_hundred_and_forty_four_questions() {
    let mut all = targets(300);
    for target in &mut all {
        target.filter = Filter::Max;
    }
    let mut backfill = Backfill::new(bundles(&all, 100), plan::POINTS);
    backfill.want(Span::new(ago(36 * 60), ago(12 * 60)), Why::Window, &[]);
    let run = run(&mut backfill, &Service { has: &always, most: plan::POINTS });
    // 300 metrics × 1440 minutes ÷ 3000 points: at two a second a minute and a quarter.
    assert_eq!(run.parts.len(), 144);
}
