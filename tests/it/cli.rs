//! The command line as people and scripts meet it: no terminal needed, sentences with the remedy, exit codes.

use std::process::{Command, Output};

fn warroom(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm")
        .current_dir(home.path())
        .output()
        .unwrap()
}
fn out(o: &Output) -> String {
    String::from_utf8(o.stdout.clone()).unwrap()
}
fn err(o: &Output) -> String {
    String::from_utf8(o.stderr.clone()).unwrap()
}

#[test]
fn without_a_configuration_it_says_what_to_do_next() {
    let o = warroom(&[]);
    assert_eq!(o.status.code(), Some(2));
    let says = err(&o);
    assert!(says.contains("config.toml") && says.contains("warroom demo") && says.contains("warroom check"), "{says}");
    assert!(o.stdout.is_empty());
}

#[test]
fn a_wrong_argument_is_a_usage_error() {
    let o = warroom(&["--colours", "mono"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(err(&o).contains("--colors"), "{}", err(&o));
    assert_eq!(warroom(&["demo", "--pace", "fast"]).status.code(), Some(2));
}

#[test]
fn a_configuration_with_problems_lists_them_all() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "[[db]]\nname = 'mrg'\nurl = 'env:X'\nintervall = '5s'\n[scren]\n").unwrap();
    let o = warroom(&["--config", file.to_str().unwrap()]);
    assert_eq!(o.status.code(), Some(2));
    let says = err(&o);
    assert!(says.contains("c.toml:4") && says.contains("c.toml:5") && says.contains("did you mean screen?"), "{says}");
}

#[test]
fn a_screen_without_a_terminal_is_refused_in_a_sentence() {
    let o = warroom(&["demo"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(err(&o).contains("needs a terminal"), "{}", err(&o));
    assert!(o.stdout.is_empty(), "nothing is drawn into a pipe");
}

#[test]
fn the_key_table_has_every_command() {
    let o = warroom(&["keys"]);
    assert!(o.status.success());
    for command in warroom::app::command::COMMANDS {
        assert!(out(&o).contains(command.name), "{}", command.name);
    }
}

#[test]
fn keys_cut_short_by_a_pager_are_no_error() {
    let script = format!("{} keys | head -1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_warroom"));
    let o = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!((o.status.code(), o.stderr.len()), (Some(0), 0), "{}", err(&o));
}

#[test]
fn completions_and_the_man_page_know_every_subcommand() {
    let names = ["run", "demo", "record", "replay", "check", "simulate", "keys", "completions"];
    for shell in ["bash", "zsh", "fish"] {
        let o = warroom(&["completions", shell]);
        assert!(o.status.success() && names.iter().all(|n| out(&o).contains(n)), "{shell}");
    }
    let man = out(&warroom(&["man"]));
    assert!(man.starts_with(".ie") || man.contains(".TH warroom"), "{}", &man[..80]);
    assert!(names.iter().all(|n| man.contains(n)));
}

#[test]
fn a_recording_that_is_none_is_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let o = warroom(&["replay", dir.path().to_str().unwrap()]);
    assert_eq!(o.status.code(), Some(2));
    assert!(err(&o).contains("holds no recording"), "{}", err(&o));
}

#[test]
fn a_check_without_a_configuration_still_reports_the_terminal() {
    let o = warroom(&["check", "--json"]);
    assert_eq!(o.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_str(&out(&o)).unwrap();
    assert_eq!(report["ok"], false);
    assert!(report["terminal"].as_array().unwrap().iter().any(|l| l["what"] == "palette"));
}

#[test]
fn a_check_reads_the_note_and_says_what_it_found() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(dir.path().join("note.md"), "# Incident\n\n- [ ] look\n- [x] done\n").unwrap();
    std::fs::write(&file, "[incident]\nnote = 'note.md'\n").unwrap();
    let o = warroom(&["check", "--config", file.to_str().unwrap()]);
    assert_eq!(o.status.code(), Some(0), "{}{}", out(&o), err(&o));
    assert!(out(&o).contains("2 checkboxes"), "{}", out(&o));
    std::fs::write(&file, "[incident]\nnote = 'nowhere.md'\n").unwrap();
    let o = warroom(&["check", "--config", file.to_str().unwrap()]);
    assert_eq!(o.status.code(), Some(1));
    assert!(out(&o).contains("cannot be read") && out(&o).contains("incident.note"), "{}", out(&o));
}

#[test]
fn the_rules_are_listed_written_and_changed_by_a_file_whose_slips_are_named() {
    let all = out(&warroom(&["rules"]));
    assert!(all.lines().count() > 80 && all.contains("H1a") && all.contains("vendor.x"), "{all}");
    assert!(!all.contains('{'), "every number is said");
    let one = out(&warroom(&["rules", "h1a"]));
    assert!(one.contains("threshold   pool_full = 95 %") && one.contains("baseline    incident"), "{one}");
    assert!(out(&warroom(&["rules", "--measures"])).lines().any(|l| l == "pool_in_use"));
    let o = warroom(&["rules", "H1q"]);
    assert_eq!(
        (o.status.code(), err(&o).contains("there is no rule H1q; the nearest is H1")),
        (Some(2), true),
        "{}",
        err(&o)
    );

    let dir = tempfile::tempdir().unwrap();
    let written = out(&warroom(&["rules", "--write", dir.path().to_str().unwrap()]));
    assert!(written.contains("hypotheses.toml"));
    let again = out(&warroom(&["rules", "--write", dir.path().to_str().unwrap()]));
    assert!(again.contains("is there already and was left as it is"), "{again}");

    let config = dir.path().join("c.toml");
    std::fs::write(&config, "[rules]\nfiles = [\"mine.toml\", \"hypotheses.toml\"]\n").unwrap();
    let file = config.to_str().unwrap();
    let o = warroom(&["--config", file, "rules"]);
    assert!(err(&o).contains("mine.toml cannot be read") && err(&o).contains("rules.files"), "{}", err(&o));
    std::fs::write(dir.path().join("mine.toml"), "[[rule]]\nid = \"H1a\"\nthresholds = { pool_ful = 90 }\n").unwrap();
    let o = warroom(&["--config", file, "check"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(
        err(&o).contains(
            "mine.toml:3: rule H1a thresholds: no number is called \"pool_ful\"; the nearest is \"pool_full\""
        ),
        "{}",
        err(&o)
    );
    std::fs::write(dir.path().join("mine.toml"), "[numbers]\npool_full = 90\n").unwrap();
    let one = out(&warroom(&["--config", file, "rules", "H1a"]));
    assert!(one.contains("threshold   pool_full = 90 %") && one.contains("≥ 90 % for ≥ 3 min"), "{one}");
}

#[test]
fn a_demo_with_a_note_that_is_not_there_says_so() {
    let o = warroom(&["demo", "--note", "nowhere.md"]);
    assert_eq!(o.status.code(), Some(2), "{}", err(&o));
    assert!(err(&o).contains("nowhere.md") || err(&o).contains("needs a terminal"), "{}", err(&o));
}
