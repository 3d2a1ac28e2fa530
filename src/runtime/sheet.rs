//! The score sheet of a game day: what the team concluded, counted and saw, beside what is true of the world.
//!
//! The one place of the program that reads a scenario's truth, and only after everybody has left the screen.

use crate::analysis::reconcile::{Class, standing};
use crate::app::state::App;
use crate::model::incident::{CAUSES, CONCLUDED};
use crate::model::untrusted::shown;
use crate::model::{Lapse, Span, Stamp, Zone};
use crate::simulator::day::Day;
use crate::simulator::platform::ms;
use crate::simulator::scenario::{self, truth};
use crate::simulator::{END, START};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The classes a sheet compares: the truth's names and ours.
const CLASSES: [(&str, Class); 7] = [
    ("paid_stuck_unrecorded_never_sent", Class::PaidStuckNeverSent),
    ("paid_stuck_unrecorded_callback_failed", Class::PaidStuckCallbackFailed),
    ("paid_stuck_recorded", Class::PaidStuckRecorded),
    ("payment_pending_stuck", Class::PaymentPendingStuck),
    ("unpaid_stuck", Class::UnpaidStuck),
    ("failed_but_charged", Class::FailedButCharged),
    ("duplicate_charge", Class::ChargedTwice),
];

/// A scenario by chance, the same for the same seed.
pub fn drawn(seed: u64) -> &'static str {
    let all = scenario::list();
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x0d21_1100_5eed);
    all[dice.usize(..all.len())]
}

/// What the team concluded, when, and who said it.
#[derive(Clone, Debug, PartialEq)]
struct Concluded {
    at: Stamp,
    causes: Vec<String>,
    who: String,
}

/// Everything a sheet compares, besides the truth.
#[derive(Clone, Debug)]
struct Answers {
    concluded: Vec<Concluded>,
    /// What the program itself said at the end.
    program: String,
    /// Orders by class as of the end.
    classes: BTreeMap<&'static str, u64>,
    /// Onset of the spike on the screen, and what broke first, by lane.
    onset: Option<Stamp>,
    first: Option<(String, Stamp)>,
    ticks: usize,
    /// Until when the evening was played, and how long that took.
    until: Stamp,
    took: Lapse,
}

/// The sheet of a drill that has just ended, as Markdown. The error says why there is none.
pub fn sheet(app: &App, day: &Day, took: Lapse) -> Result<String, String> {
    let until = app.played.unwrap_or(START).min(END);
    let last = until - app.store.incident.rules.stuck_after;
    let truth = truth::of(day, ms(START), ms(last).max(ms(START)))?;
    Ok(written(&answers(app, until, last, took), &truth, day, last))
}

fn answers(app: &App, until: Stamp, last: Stamp, took: Lapse) -> Answers {
    let concluded = app.store.marks(END).iter().filter_map(|m| {
        let causes = m.text.raw().strip_prefix(CONCLUDED)?;
        let causes = causes.split(", ").map(str::to_owned).collect();
        Some(Concluded { at: m.at, causes, who: shown(m.who.raw()) })
    });
    let counted = standing(&app.store, Span::new(START, last.max(START)), until);
    let count = |class| counted.classes.iter().find(|c| c.class == class).map_or(0, |c| c.orders as u64);
    let first = app.derived.onsets.iter().find(|o| o.first_fault);
    Answers {
        concluded: concluded.collect(),
        program: app.derived.findings.answer.clone(),
        classes: CLASSES.iter().map(|(name, class)| (*name, count(*class))).collect(),
        onset: app.derived.spike.as_ref().and_then(|s| s.reached),
        first: first.map(|o| (o.name.clone(), o.at)),
        ticks: app.store.ticks(END).count(),
        until,
        took,
    }
}

fn meaning(cause: &str) -> String {
    let words = CAUSES.iter().find(|(c, _)| *c == cause).map(|(_, words)| *words);
    words.map_or_else(|| cause.to_owned(), |words| format!("{cause} ({words})"))
}

/// `+12 min` after something.
fn after(at: Stamp, since: Stamp) -> String {
    format!("{:+} min", at.since(since).0 / 60_000_000)
}

fn written(a: &Answers, truth: &truth::Truth, day: &Day, last: Stamp) -> String {
    let wib = Zone::wib();
    let mut out = format!(
        "\n# Game day: {} (seed {})\n\n{}\n\nPlayed until {} WIB, in {} real minutes.\n\n## Verdict\n\n",
        truth.scenario,
        truth.seed,
        day.scenario.about,
        wib.hm(a.until),
        a.took.0 / 60_000_000,
    );
    let began = truth::onsets(day).get("users").copied();
    let _ = writeln!(out, "- truth: **{}**", meaning(&truth.cause));
    if !truth.contributing.is_empty() {
        let _ = writeln!(out, "- contributing: {}", truth.contributing.join(", "));
    }
    verdict(&mut out, a, truth, began);
    let _ = writeln!(out, "- warroom itself: {}", a.program);
    let _ = write!(
        out,
        "\n## Orders, of those born before {} (stuck ones show after 15 minutes)\n\n| class | on screen | truth |\n\
         | --- | ---: | ---: |\n",
        wib.hm(last)
    );
    let mut right = 0;
    for (name, _) in CLASSES {
        let (seen, is) = (a.classes.get(name).copied().unwrap_or(0), truth.classes.get(name).map_or(0, |s| s.orders));
        right += usize::from(seen == is);
        let _ = writeln!(out, "| {name} | {seen} | {is} |");
    }
    let _ = writeln!(out, "\n{right} of {} classes as they are.\n\n## Onsets\n", CLASSES.len());
    match (a.onset, began) {
        (Some(seen), Some(is)) => {
            let _ = writeln!(out, "- spike: {} on screen, {} in truth ({})", wib.hm(seen), wib.hm(is), after(seen, is));
        }
        (None, Some(is)) => {
            let _ = writeln!(out, "- spike: none on screen, {} in truth", wib.hm(is));
        }
        (_, None) => {}
    }
    if let Some((lane, at)) = &a.first {
        let _ = writeln!(out, "- broke first on screen: {lane}, {}", wib.hm(*at));
    }
    for (name, at) in truth::onsets(day).iter().filter(|(name, _)| **name != "users") {
        let lag = began.map_or_else(String::new, |b| format!(", {} after the spike", after(*at, b)));
        let _ = writeln!(out, "- {name}: {}{lag}", wib.hm(*at));
    }
    let _ = writeln!(out, "\n{} checkboxes were ticked.", a.ticks);
    out
}

fn verdict(out: &mut String, a: &Answers, truth: &truth::Truth, began: Option<Stamp>) {
    let wib = Zone::wib();
    let (Some(first), Some(last)) = (a.concluded.first(), a.concluded.last()) else {
        out.push_str("- team: **none given** (`:conclude H1` gives one)\n");
        return;
    };
    let named = last.causes.first().map_or("", String::as_str);
    let judged = if named == truth.cause {
        "right"
    } else if last.causes.contains(&truth.cause) {
        "named, but not as the cause"
    } else {
        "wrong"
    };
    let since = began.map_or_else(String::new, |b| format!(", {} after the spike began", after(last.at, b)));
    let _ = writeln!(
        out,
        "- team: **{}**: {judged}; by {} at {} WIB{since}",
        last.causes.iter().map(|c| meaning(c)).collect::<Vec<_>>().join(", "),
        last.who,
        wib.hm(last.at)
    );
    let also = truth.contributing.iter().filter(|c| CAUSES.iter().any(|(known, _)| known == c));
    for cause in also {
        let found = if last.causes[1..].contains(cause) { "named" } else { "not named" };
        let _ = writeln!(out, "- contributing {}: {found}", meaning(cause));
    }
    if a.concluded.len() > 1 {
        let _ = writeln!(
            out,
            "- first thought: {} at {} WIB, of {} in all",
            first.causes.join(", "),
            wib.hm(first.at),
            a.concluded.len()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(cause: &str, contributing: &[&str]) -> truth::Truth {
        truth::Truth {
            scenario: "x".to_owned(),
            seed: 1,
            cause: cause.to_owned(),
            contributing: contributing.iter().map(|c| (*c).to_owned()).collect(),
            first: Vec::new(),
            segment: BTreeMap::new(),
            onsets: BTreeMap::new(),
            classes: BTreeMap::new(),
        }
    }

    fn said(verdicts: &[(&[&str], i64)], truth: &truth::Truth) -> String {
        let concluded = verdicts.iter().map(|(causes, minute)| Concluded {
            at: START + Lapse::minutes(*minute),
            causes: causes.iter().map(|c| (*c).to_owned()).collect(),
            who: "rara".to_owned(),
        });
        let a = Answers {
            concluded: concluded.collect(),
            program: String::new(),
            classes: BTreeMap::new(),
            onset: None,
            first: None,
            ticks: 0,
            until: END,
            took: Lapse::ZERO,
        };
        let mut out = String::new();
        verdict(&mut out, &a, truth, Some(START + Lapse::minutes(30)));
        out
    }

    #[test]
    fn a_verdict_is_right_half_right_wrong_or_missing() {
        assert!(said(&[(&["H2"], 60)], &truth("H2", &[])).contains("right; by rara at 19:53 WIB, +30 min after"));
        assert!(said(&[(&["H3", "vendor"], 60)], &truth("vendor", &[])).contains("named, but not as the cause"));
        assert!(said(&[(&["H1"], 60)], &truth("H2", &[])).contains("wrong"));
        assert!(said(&[(&["none"], 60)], &truth("none", &[])).contains("right"));
        assert!(said(&[], &truth("H1", &[])).contains("none given"));
    }

    #[test]
    fn the_last_verdict_counts_and_the_first_is_kept() {
        let text = said(&[(&["H3"], 40), (&["H1", "H2"], 70)], &truth("H1", &["H2"]));
        assert!(text.contains("right; by rara at 20:03") && text.contains("first thought: H3 at 19:33 WIB, of 2"));
        assert!(text.contains("contributing H2 (payment callback failure): named"), "{text}");
    }

    #[test]
    fn every_scenario_can_be_drawn_and_the_same_seed_draws_the_same() {
        let drawn: std::collections::BTreeSet<_> = (0..400).map(drawn).collect();
        assert_eq!(drawn.len(), scenario::list().len());
        assert_eq!(super::drawn(7), super::drawn(7));
    }

    #[test]
    fn every_declared_cause_is_one_a_team_can_conclude() {
        for name in scenario::list() {
            let declared = truth::declared(name).unwrap();
            assert!(CAUSES.iter().any(|(c, _)| *c == declared.cause), "{name}: {}", declared.cause);
        }
    }
}
