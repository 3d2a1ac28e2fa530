//! The parts of the README that are made from the program: they are compared here, and renewed with
//! `WARROOM_WRITE_README=1`.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::fmt::Write as _;
use std::path::Path;
use warroom::app::keymap::Keymap;
use warroom::app::state::{Mode, Start};
use warroom::app::{App, Message, help, update};
use warroom::model::Lapse;
use warroom::simulator;
use warroom::view::look::Look;

const SIZE: (u16, u16) = (120, 35);

/// The Timeline of the demo two hours into its evening, as text.
fn screen() -> String {
    let at = simulator::START + Lapse::minutes(119);
    let mut app = App::new(Start {
        mode: Mode::Demo,
        now: at,
        size: SIZE,
        who: "reader".to_owned(),
        may_write: true,
        keymap: Keymap::default(),
        pace: 60.0,
        mouse: false,
    });
    for batch in simulator::demo(1).take_while(|b| b.seen <= at) {
        app.store.apply(&batch);
    }
    update(&mut app, at, Message::Played { at, ended: false });
    let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
    warroom::view::draw(&app, &Look::default(), &mut buffer);
    let rows = (0..SIZE.1).map(|y| (0..SIZE.0).map(|x| buffer[(x, y)].symbol()).collect::<String>());
    let text = rows.map(|r| r.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    format!("```text\n{}\n```\n", text.trim_end())
}

/// The key table, as `warroom keys` has it.
fn keys() -> String {
    let mut out = String::new();
    let mut group = "";
    for row in help::key_table(&Keymap::default()) {
        if row.keys.is_empty() {
            continue;
        }
        if row.group != group {
            group = row.group;
            let _ = writeln!(
                out,
                "{}| {} | |\n| --- | --- |",
                if out.is_empty() { "" } else { "\n" },
                group.to_lowercase()
            );
        }
        let keys: Vec<String> = row.keys.split("  ").map(|k| format!("`{}`", k.replace('|', "\\|"))).collect();
        let _ = writeln!(out, "| {} | {} |", keys.join(" "), row.does.replace('|', "\\|"));
    }
    out
}

fn with_part(readme: &str, name: &str, part: &str) -> String {
    let begin = readme.find(&format!("<!-- {name}:")).unwrap();
    let begin = begin + readme[begin..].find("-->\n").unwrap() + 4;
    let end = readme.find(&format!("<!-- /{name} -->")).unwrap();
    format!("{}{part}{}", &readme[..begin], &readme[end..])
}

#[test]
fn the_readme_shows_the_program_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let fresh = with_part(&with_part(&readme, "screen", &screen()), "keys", &keys());
    if std::env::var_os("WARROOM_WRITE_README").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    assert!(fresh == readme, "README.md is behind the program: WARROOM_WRITE_README=1 cargo test --test it readme");
}

#[test]
fn the_rules_in_the_readme_are_rules() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let block = text.split("```toml\n").find(|b| b.starts_with("# rules.toml")).unwrap();
    let text = block.split("```").next().unwrap().to_owned();
    let file = warroom::model::incident::RuleFile { name: "rules.toml".to_owned(), text };
    let (book, faults) = warroom::analysis::check::rulebook::Rulebook::of(&[file]);
    assert_eq!(faults, []);
    assert!(book.listed().any(|r| r.id == "H6a" && r.says.contains("20 lines a minute")), "{:?}", book.listed().last());
}
