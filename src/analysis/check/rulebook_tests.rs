//! Rules as text: the built-in ones whole, changes over them, and what is said of slips of the pen.

use super::*;
use crate::analysis::check::world_tests::World;
use crate::model::note::Verdict;

fn file(text: &str) -> Vec<RuleFile> {
    vec![RuleFile { name: "mine.toml".to_owned(), text: text.to_owned() }]
}

fn faults(text: &str) -> Vec<String> {
    Rulebook::of(&file(text)).1.iter().map(ToString::to_string).collect()
}

fn verdict(world: &mut World, id: &str) -> (Verdict, String, String) {
    let f = world.check();
    let mut all = f.hypotheses.iter().flat_map(|h| &h.checks).chain(&f.others);
    let c = all.find(|c| c.id == id).unwrap_or_else(|| panic!("no check {id}"));
    (c.verdict, c.rule.clone(), c.measured.clone())
}

#[test]
fn the_built_in_files_are_whole() {
    assert_eq!(BUILT_IN.1, []);
    let book = Rulebook::built_in();
    assert_eq!((book.cards.len(), book.rules.len()), (10, 24 + 14 + 47));
    for (name, _) in Numbers::NAMES {
        assert!(FILES[0].1.contains(&format!("\n{name} = ")), "{name} has no value");
        let used = FILES[1..].iter().any(|(_, text)| text.contains(&format!("\"{name}\"")));
        let shared =
            ["lag", "stale", "few_minutes", "together", "late", "usual_load", "gc_times", "leak_none", "few_orders"];
        let shared = shared.contains(name) || ["crowd", "crowd_of_orders", "under_way", "nothing_stuck"].contains(name);
        let shared = shared || ["too_early", "contributes", "idle_in_transaction", "beside"].contains(name);
        assert!(used || shared, "no rule prints {name}");
    }
    for rule in &book.rules {
        let printed: Vec<&str> = Numbers::names(&rule.says).collect();
        let known = printed.iter().all(|n| rule.thresholds.iter().any(|t| t == n));
        assert!(known, "{} prints a number that it does not declare", rule.id);
        assert!(!rule.said().contains('{') && !rule.said().is_empty(), "{}", rule.said());
    }
}

#[test]
fn ids_are_given_once_and_every_measure_is_used() {
    let book = Rulebook::built_in();
    let mut ids: Vec<&str> = book.rules.iter().map(|r| r.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), book.rules.len());
    for (name, run) in MEASURES {
        let used = book.rules.iter().any(|r| r.measure == *name);
        assert!(used || matches!(run, Run::Own(_)), "{name}");
    }
}

#[test]
fn titles_of_several_languages_mean_the_same() {
    let book = Rulebook::built_in();
    for (title, topic) in [
        ("Database Connection Pool Exhaustion", Topic::Pool),
        ("接続プール枯渇", Topic::Pool),
        ("Payment callback ke HO gagal", Topic::Callback),
        ("Zeitüberschreitung zu kurz", Topic::Timeout),
        ("Race condition di alur pembayaran", Topic::Race),
    ] {
        assert_eq!(book.topic_of(title).map(|c| c.topic), Some(topic), "{title}");
    }
    assert!(book.topic_of("Sperren in der Datenbank").is_none());
}

#[test]
fn a_file_moves_a_threshold_and_the_verdict_with_it() {
    let mut world = World::new();
    world.all("m.pool_wait", 0.2);
    assert_eq!(verdict(&mut world, "H1c").0, Verdict::Inconclusive);
    // For one rule.
    world.rules("[[rule]]\nid = \"H1c\"\nthresholds = { wait_long = 0.15 }\nsupports = 7");
    let (said, rule, _) = verdict(&mut world, "H1c");
    assert_eq!((said, rule.as_str()), (Verdict::Supports, "≥ 0.15 s; not < 50 ms"));
    let f = world.check();
    let c = f.hypotheses.iter().flat_map(|h| &h.checks).find(|c| c.id == "H1c").unwrap();
    assert!((c.score - 7.0).abs() < 1e-9);
    // For all.
    world.rules("[numbers]\nwait_long = 0.1\nlasting = 4");
    assert_eq!(verdict(&mut world, "H1c").0, Verdict::Supports);
    assert!(verdict(&mut world, "H1a").1.contains("for ≥ 4 min"));
    // Its words.
    world.rules("[[rule]]\nid = \"H1c\"\nsays = \"longer than {wait_long} hurts\"");
    assert_eq!(verdict(&mut world, "H1c").1, "longer than 0.50 s hurts");
}

#[test]
fn a_rule_can_be_switched_off_and_its_checkbox_is_a_persons_then() {
    let mut world = World::new();
    world.all("m.pool_wait", 1.0);
    world.rules("[[rule]]\nid = \"H1c\"\noff = true");
    let f = world.check();
    let pool = f.hypotheses.iter().find(|h| h.cause == "H1").unwrap();
    assert!(pool.checks.iter().all(|c| c.id != "H1c"));
    assert!(pool.checks.iter().any(|c| c.missing == crate::analysis::check::desk::PERSON));
}

#[test]
fn coverage_window_and_baseline_are_a_rules_own() {
    let mut world = World::new();
    // Half of the minutes are measured: too few to refute, until half is enough.
    world.series("m.pool_in_use", 0..32, 50.0);
    world.series("m.pool_in_use", 58..61, 50.0);
    assert_eq!(verdict(&mut world, "H1a").0, Verdict::Inconclusive);
    world.rules("[[rule]]\nid = \"H1a\"\ncoverage = 50");
    assert_eq!(verdict(&mut world, "H1a").0, Verdict::Refutes);
    // The end of the stretch is quiet where its beginning was not.
    let mut world = World::new();
    world.series("m.pool_wait", 0..20, 1.0);
    world.series("m.pool_wait", 20..61, 0.01);
    assert_eq!(verdict(&mut world, "H1c").0, Verdict::Supports);
    world.rules("[[rule]]\nid = \"H1c\"\nwindow = \"last 30m\"");
    assert_eq!(verdict(&mut world, "H1c").0, Verdict::Refutes);
    // What is usual comes from the baseline, and without one there is nothing usual.
    let mut world = World::new();
    world.usual("m.callback_age", 10.0);
    world.all("m.callback_age", 40.0);
    let rule = "[[rule]]\nid = \"H1d\"\nhypothesis = \"H1\"\nmeasure = \"series\"\nseries = \"m.callback_age\"\nof_usual = true\nsupports_at = 3\nrefutes_below = 1.5";
    world.rules(rule);
    let (said, says, _) = verdict(&mut world, "H1d");
    assert_eq!((said, says.as_str()), (Verdict::Supports, "≥ 3 × usual for ≥ 3 min; not < 1.5 × usual"));
    world.rules(&format!("{rule}\nbaseline = \"none\""));
    assert_eq!(verdict(&mut world, "H1d").0, Verdict::NoData);
}

#[test]
fn rules_of_ones_own_read_series_lines_and_the_stuck_orders_lines() {
    let mut world = World::new();
    world.lines(10..20, "lookup upg.svc: no such host");
    world.stuck(20);
    world.said(0..20, "lookup upg.svc: no such host");
    world.rules(
        "[[rule]]\nid = \"H2n\"\nhypothesis = \"H2\"\nmeasure = \"lines\"\nlines = \"no such host | dns\"\nsupports_at = 1\nsupports = 2\n\
         [[rule]]\nid = \"H2o\"\nhypothesis = \"H2\"\nmeasure = \"orders_with_lines\"\nlines = \"no such host\"\n\
         [[rule]]\nid = \"H2s\"\nhypothesis = \"H2\"\nmeasure = \"series\"\nseries = \"m.callbak_ok\"\nsupports_at = 1",
    );
    world.all("m.callback_ok", 99.0);
    assert_eq!(verdict(&mut world, "H2n").0, Verdict::Supports);
    let (said, rule, measured) = verdict(&mut world, "H2o");
    assert_eq!((said, rule.as_str()), (Verdict::Supports, "30 % of ≥ 10 orders; not < 2 %"));
    assert!(measured.starts_with("20 of 20"), "{measured}");
    // An unknown signal is named, with the nearest.
    let f = world.check();
    let c = f.hypotheses.iter().flat_map(|h| &h.checks).find(|c| c.id == "H2s").unwrap();
    assert_eq!(
        c.missing,
        "the series m.callbak_ok has no value here: there is no such series; the nearest is m.callback_ok"
    );
}

#[test]
fn slips_of_the_pen_are_named_with_their_line_and_the_nearest_name_and_the_rest_counts() {
    assert_eq!(
        faults("[[rule]]\nid = \"H1a\"\nmeasure = \"pool_inuse\"\n"),
        [
            "mine.toml:3: rule H1a measure: nothing is measured by the name \"pool_inuse\"; the nearest is \"pool_in_use\""
        ]
    );
    assert_eq!(
        faults("[numbers]\npol_full = 90\nslack = 3\nshown = 30\ntoo_late = \"soon\""),
        [
            "mine.toml:2: numbers pol_full: no number is called \"pol_full\"; the nearest is \"pool_full\"",
            "mine.toml:4: numbers shown: is a share of one: 30 is more than all; write 0.3 for 30 %",
            "mine.toml:3: numbers slack: is a duration: write it like \"3m\"",
            "mine.toml:5: numbers too_late: \"soon\" is no duration: write it like \"3m\", \"30s\", \"100ms\", \"2h\" or \"7d\"",
        ]
    );
    for (text, said) in [
        ("[[rule]]\nid = \"X1\"", "rule X1 measure: is missing"),
        ("[[rule]]\nid = \"X1\"\nmeasure = \"series\"", "rule X1 series: is missing"),
        ("[[rule]]\nid = \"X1\"\nmeasure = \"lines\"\nlines = \"a\"", "rule X1: has no level"),
        ("[[rule]]\nid = \"H1a\"\nhypothesis = \"H9\"", "rule H1a hypothesis: is one of H1"),
        ("[[rule]]\nid = \"H1a\"\nwindow = \"yesterday\"", "rule H1a window: is \"stretch\""),
        ("[[rule]]\nid = \"H1a\"\nbaseline = \"last week\"", "rule H1a baseline: is \"incident\""),
        (
            "[[rule]]\nid = \"H1a\"\nsays = \"over {pool_ful}\"",
            "no number is called {pool_ful}; the nearest is \"pool_full\"",
        ),
        ("[[rule]]\nid = \"H1a\"\ncoverage = \"cover\"", "no share is called \"cover\"; the nearest is \"covered\""),
        ("[[rule]]\nid = \"H1aa\"\noff = true", "there is no such rule to switch off; the nearest is \"H1a\""),
        ("[[hypothesis]]\nid = \"H6\"", "no cause is called so"),
        ("[[rule]]\nid = \"H1a\"\nsupports = nan", "rule H1a supports: is a number of points from 0 on"),
        ("[[rule]]\nid = \"H1a\"\nrefutes = -2.0", "rule H1a refutes: is a number of points from 0 on"),
        ("[[rule]]\nid = \"X1\"\nmeasure = \"series\"\nseries = \"a.b\"\nsupports_at = inf", "is a number"),
        ("[[rule]]\nid = \"H1a\"\nmesure = \"x\"", "unknown field `mesure`"),
        ("[[rule]\nid", "nothing of this file counts until that is mended"),
        ("\u{0}\u{1}", "nothing of this file counts until that is mended"),
    ] {
        let all = faults(text);
        assert!(all.len() == 1 && all[0].contains(said), "{text}: {all:?}");
    }
    // What is right beside it counts, and the findings say what is not.
    let mut world = World::new();
    world.all("m.pool_wait", 0.2);
    world.rules("[[rule]]\nid = \"H1a\"\nmeasure = \"x\"\n[[rule]]\nid = \"H1c\"\nthresholds = { wait_long = 0.1 }");
    assert_eq!(verdict(&mut world, "H1c").0, Verdict::Supports);
    assert!(world.check().missing.iter().any(|(what, says)| what == "rules" && says.contains("mine.toml:3")));
}

#[test]
fn rules_for_a_hypothesis_that_only_the_note_knows_feed_it_by_its_number() {
    let mut world = World::new();
    world.all("m.dns_errors", 50.0);
    world.rules("[[rule]]\nid = \"H6a\"\nhypothesis = 6\nmeasure = \"series\"\nseries = \"m.dns_errors\"\nsupports_at = 10\nfinds = \"resolver\"\nsupports = 3");
    let note =
        "## Hypotheses\n### 1. Pool (HIGH)\n- [ ] pool metrics\n### 6. Name resolution (LOW)\n- [ ] ask the resolver\n";
    let f = world.check_note(note);
    let own = f.hypotheses.iter().find(|h| h.number == 6).unwrap();
    assert_eq!(own.checks.iter().map(|c| (c.id.as_str(), c.verdict)).collect::<Vec<_>>(), [("H6a", Verdict::Supports)]);
    assert!(own.checks[0].item.is_some() && own.score > 3.0);
}

#[test]
fn a_verdict_on_old_values_is_stale_and_says_so_and_what_happened_does_not_grow_old() {
    let mut world = World::new();
    world.series("m.pool_wait", 0..40, 1.0);
    world.series("m.pool_in_use", 0..61, 100.0);
    world.stuck(20);
    let f = world.check();
    let of = |id: &str| f.hypotheses.iter().flat_map(|h| &h.checks).find(|c| c.id == id).unwrap().clone();
    let old = of("H1c");
    assert!(old.verdict == Verdict::Supports && old.stale && old.score > 0.0, "{old:?}");
    assert!(
        old.evidence.iter().any(|(label, says)| *label == "stale" && says.contains("21 min old")),
        "{:?}",
        old.evidence
    );
    assert!(old.evidence_line.contains("supports, stale: 21 min old;"), "{}", old.evidence_line);
    assert!(!of("H1a").stale);
    // When the pool filled up is an hour ago, and stays so.
    let happened = of("H1y");
    assert!(happened.asof.is_some() && !happened.stale, "{happened:?}");
    world.rules("[numbers]\nstale = \"30m\"");
    let f = world.check();
    assert!(f.hypotheses.iter().flat_map(|h| &h.checks).all(|c| c.id != "H1c" || !c.stale));
}
