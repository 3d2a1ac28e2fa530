//! A game day from its beginning to its sheet: nothing tells the scenario while it is played, the team's
//! conclusion is taken, and when it leaves, the sheet compares both.

use crate::pty::warroom;

#[test]
fn a_game_day_hides_its_scenario_takes_a_conclusion_and_ends_in_a_sheet() {
    let mut running = warroom(&["demo", "--drill", "--scenario", "wrong-clock", "--seed", "3", "--pace", "120"])
        .size(160, 50)
        .start();
    running.shows("DEMO");
    // What lies before the evening comes at once; only what is played can be concluded from.
    running.until("the evening under way", |s| {
        s.contents().lines().next().is_some_and(|l| [" 19:", " 20:", " 21:"].iter().any(|hour| l.contains(hour)))
    });
    running.send(":conclude h9\r");
    running.shows("h9 is none of H1");
    running.send(":conclude H1\r");
    running.shows("concluded: H1");
    running.send(":conclude h2, vendor\r");
    running.shows("concluded: H2, vendor");
    let played = String::from_utf8_lossy(&running.raw()).into_owned();
    assert!(!played.contains("wrong-clock") && !played.contains("keep up with the callbacks"), "it tells itself");
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0);
    let said = String::from_utf8_lossy(&running.raw()).into_owned();
    let sheet = said.split_once("# Game day: ").expect("a sheet").1;
    assert!(sheet.starts_with("wrong-clock (seed 3)"), "{sheet}");
    assert!(sheet.contains("truth: **H2 (payment callback failure)**"), "{sheet}");
    assert!(sheet.contains("team: **H2 (payment callback failure), vendor"), "{sheet}");
    assert!(sheet.contains(": right; by ") && sheet.contains("first thought: H1"), "{sheet}");
    assert!(sheet.contains("| unpaid_stuck |") && sheet.contains("- callbacks: 19:"), "{sheet}");
}

#[test]
fn without_a_game_day_there_is_no_sheet() {
    let mut running = warroom(&["demo", "--scenario", "calm", "--pace", "600"]).size(120, 35).start();
    running.shows("DEMO");
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0);
    assert!(!String::from_utf8_lossy(&running.raw()).contains("Game day"));
}
