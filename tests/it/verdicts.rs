//! The verdict over all scenarios: the true cause is named, a wrong one never, whatever source is missing, comes in
//! part or has a wrong clock.
//!
//! Every evening is played into a store batch by batch and the verdict is asked while it goes on, as a war room
//! would. A few are always run; all of them take a release build and a while:
//! `cargo test --release --test it verdicts -- --ignored` (`WARROOM_SEEDS=1-20`), which writes
//! `target/verdicts.md`.

mod played;

pub use played::Seen;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use warroom::analysis::check::{Findings, Given, findings_given};
use warroom::model::{Span, Stamp, Zone};
use warroom::note::parse::parse;
use warroom::simulator::day::Day;
use warroom::simulator::scenario::{self, truth};
use warroom::simulator::{END, NOTE, SHARD, START, play};
use warroom::store::Store;

/// When the verdict is asked: before it begins, while it goes on, and in the end.
pub const CLOCKS: [&str; 5] = ["19:10", "19:45", "20:00", "20:15", "21:25"];

/// What a verdict comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The true cause.
    Right,
    /// None, and why.
    Undetermined,
    /// Another, or that nothing broke.
    Wrong,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub scenario: &'static str,
    pub seed: u64,
    pub seen: Seen,
    pub clock: &'static str,
    pub verdict: Verdict,
    pub says: String,
}

fn clock(text: &str) -> Stamp {
    Zone::wib().on_day(START, text).unwrap()
}

fn asked(store: &Store, at: Stamp) -> Findings {
    // What broke first and what the stuck share are told beside the verdict and are no part of it.
    let given = Given { onsets: Some(Vec::new()), shared: Some(Vec::new()), ..Given::default() };
    findings_given(store, &parse("n.md", NOTE), Span::new(START, END), at, given)
}

/// Plays one evening for each condition and asks at each clock.
pub fn evening(scenario: &'static str, seed: u64, conditions: &[Seen], clocks: &[&'static str]) -> Vec<Answer> {
    let declared = truth::declared(scenario).unwrap();
    let day = Arc::new(Day::evening(scenario::named(scenario).unwrap(), seed).sharded(SHARD));
    // A breaker may open once by chance, long before, and nobody notices: it begins when it is declared to.
    let since = |(name, at): (&str, Stamp)| Some(at.max(clock(&declared.onsets.get(name)?[0])));
    let begun = truth::onsets(&day).into_iter().filter(|(name, _)| *name != "users").filter_map(since).min();
    let batches: Vec<_> = play(day).collect();
    let mut out = Vec::new();
    for seen in conditions {
        let mut store = Store::default();
        let mut left = clocks.iter().copied().peekable();
        let mut ask = |store: &Store, clock: &'static str, at: Stamp| {
            let f = asked(store, at);
            let quiet = begun.is_none_or(|t| at < t);
            let verdict = match f.primary {
                Some(cause) if cause == declared.cause => Verdict::Right,
                // Before anything broke it is so that nothing has.
                Some("none") if quiet => Verdict::Right,
                None => Verdict::Undetermined,
                Some(_) => Verdict::Wrong,
            };
            let says = format!("{:?} beside {:?}: {}", f.primary, f.contributing, f.answer);
            out.push(Answer { scenario, seed, seen: *seen, clock, verdict, says });
        };
        for batch in &batches {
            while let Some(next) = left.next_if(|c| batch.seen > self::clock(c)) {
                ask(&store, next, self::clock(next));
            }
            store.apply(&seen.of(batch.clone(), seed));
        }
        for next in left {
            ask(&store, next, self::clock(next));
        }
    }
    out
}

/// How many of a list are so.
fn count<'a>(all: impl Iterator<Item = &'a Answer>, verdict: Verdict) -> usize {
    all.filter(|a| a.verdict == verdict).count()
}

/// Scenario by condition: right, undetermined and wrong in the end, and the wrong ones of any earlier instant.
pub fn matrix(all: &[Answer]) -> String {
    let last = CLOCKS[CLOCKS.len() - 1];
    let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for scenario in scenario::list() {
        for seen in Seen::EACH {
            let of = || all.iter().filter(move |a| a.scenario == *scenario && a.seen == seen);
            let end = || of().filter(|a| a.clock == last);
            let [right, open, wrong] = [Verdict::Right, Verdict::Undetermined, Verdict::Wrong].map(|v| count(end(), v));
            let earlier = count(of(), Verdict::Wrong) - wrong;
            let early = if earlier > 0 { format!(" !{earlier}") } else { String::new() };
            rows.entry(scenario).or_default().push(format!("{right}/{open}/{wrong}{early}"));
        }
    }
    let mut text = format!("| right/undetermined/wrong | {} |\n", Seen::EACH.map(|s| format!("{s:?}")).join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(Seen::EACH.len() + 1));
    for (scenario, cells) in rows {
        let _ = writeln!(text, "| {scenario} | {} |", cells.join(" | "));
    }
    for wrong in all.iter().filter(|a| a.verdict == Verdict::Wrong) {
        let _ = writeln!(
            text,
            "\nwrong: {} {} {:?} {}: {}",
            wrong.scenario, wrong.seed, wrong.seen, wrong.clock, wrong.says
        );
    }
    text
}

/// What must hold of answers, whoever asked for them.
pub fn judged(all: &[Answer]) {
    let wrong: Vec<&Answer> = all.iter().filter(|a| a.verdict == Verdict::Wrong).collect();
    assert!(wrong.is_empty(), "a wrong cause is never named: {wrong:#?}");
    let last = CLOCKS[CLOCKS.len() - 1];
    let whole = || all.iter().filter(|a| a.seen == Seen::All && a.clock == last);
    let (right, asked) = (count(whole(), Verdict::Right), whole().count());
    assert!(100 * right >= 95 * asked, "{right} of {asked} are named with all sources");
}

#[test]
fn the_true_cause_is_named_and_a_wrong_one_never() {
    let some: [(&str, &[Seen]); 5] = [
        ("pool", &[Seen::All, Seen::NoLogs]),
        ("breaker", &[Seen::All, Seen::FewLogs]),
        ("vendor-slow", &[Seen::All, Seen::LostMetrics]),
        ("goroutine-leak", &[Seen::All, Seen::WrongClock]),
        ("calm", &[Seen::All]),
    ];
    let asked = |(name, seen): (&'static str, &'static [Seen])| evening(name, 77, seen, &["20:00", "20:15", "21:25"]);
    let answers: Vec<Answer> = some.into_iter().flat_map(asked).collect();
    assert_eq!(answers.len(), 27);
    judged(&answers);
    let of_pool: Vec<&str> =
        answers.iter().filter(|a| a.scenario == "vendor-slow" && a.clock == "21:25").map(|a| a.says.as_str()).collect();
    assert!(of_pool.iter().all(|says| says.starts_with("Some(\"vendor\") beside [\"H3\", \"H4\"]")), "{of_pool:#?}");
}

#[test]
fn who_sees_less_is_never_told_more() {
    // Without the table of callbacks nothing tells a failed callback from one that was never sent.
    let answers = evening("callback", 77, &[Seen::NoCallbacks, Seen::NoBooks], &["21:25"]);
    assert!(answers.iter().all(|a| a.verdict == Verdict::Undetermined), "{answers:#?}");
    assert!(answers.iter().all(|a| a.says.contains("undetermined, because ")), "{answers:#?}");
}

#[test]
#[ignore = "all scenarios × conditions × seeds take a release build and half an hour"]
fn over_all_scenarios_conditions_and_seeds() {
    let seeds = std::env::var("WARROOM_SEEDS").unwrap_or_else(|_| "1-20".to_owned());
    let (from, to) = seeds.split_once('-').unwrap_or((&seeds, &seeds));
    let seeds = from.parse::<u64>().unwrap()..=to.parse().unwrap();
    let mut all = Vec::new();
    for seed in seeds {
        for scenario in scenario::list() {
            all.extend(evening(scenario, seed, &Seen::EACH, &CLOCKS));
        }
        let to = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/verdicts.md");
        std::fs::write(to, matrix(&all)).unwrap();
    }
    judged(&all);
}
