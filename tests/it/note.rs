//! The note on a real file system: other editors, deletions, links, rights, and two writers that lose nothing.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warroom::model::health::State;
use warroom::model::note::ItemId;
use warroom::model::{Batch, Fact};
use warroom::note::edit::{Change, Edit};
use warroom::note::parse::parse;
use warroom::note::save::{SaveError, save};
use warroom::source::runner::Outlet;

const NOTE: &str = include_str!("../../assets/incident-note.md");

fn folder_with(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note.md");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn items(path: &Path) -> Vec<(ItemId, bool)> {
    parse("n", &fs::read_to_string(path).unwrap()).items.into_iter().map(|i| (i.id, i.ticked)).collect()
}

fn tick(item: &ItemId, ticked: bool) -> Change {
    Change::Item(Edit { item: item.clone(), ticked, evidence: None })
}

fn first(path: &Path) -> Change {
    tick(&items(path)[0].0, true)
}

fn numbered(n: usize) -> String {
    (0..n).map(|i| format!("- [ ] item {i}")).collect::<Vec<_>>().join("\n") + "\n"
}

fn leftovers(folder: &TempDir) -> usize {
    fs::read_dir(folder.path())
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'))
        .count()
}

#[test]
fn a_tick_is_one_byte_on_disk_and_keeps_rights() {
    let (folder, path) = folder_with(NOTE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let written = save(&path, &first(&path)).unwrap();
    let now = fs::read(&path).unwrap();
    assert_eq!(now, written.as_bytes());
    assert_eq!(now.iter().zip(NOTE.as_bytes()).filter(|(a, b)| a != b).count(), 1);
    assert_eq!(now.len(), NOTE.len());
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    assert_eq!(leftovers(&folder), 0);
}

#[test]
fn what_another_process_wrote_since_the_screen_was_drawn_is_kept() {
    let (_folder, path) = folder_with(NOTE);
    let seen = items(&path);
    let (a, b) = (&seen[3].0, &seen[40].0);
    // `sed -i` writes a new file and renames it, as most editors do.
    let line = NOTE.lines().position(|l| l.contains("antrean callback")).unwrap() + 1;
    let done = Command::new("sed")
        .arg("-i")
        .arg(format!("{line}s/\\[ \\]/[x]/; 1,3s/2025-01-12/2025-01-13/"))
        .arg(&path)
        .status();
    assert!(done.unwrap().success());
    save(&path, &tick(b, true)).unwrap();
    let now = items(&path);
    assert_eq!(now.iter().filter(|(_, t)| *t).map(|(i, _)| i).collect::<Vec<_>>(), [a, b]);
    assert!(fs::read_to_string(&path).unwrap().contains("2025-01-13"));
}

#[test]
fn a_thousand_alternating_edits_of_two_writers_lose_nothing() {
    let lines = numbered(40);
    let (_folder, path) = folder_with(&format!("# T\n{lines}"));
    let names: Vec<ItemId> = items(&path).into_iter().map(|(i, _)| i).collect();
    let mut wanted = vec![false; 40];
    for round in 0..1_000_usize {
        let i = (round * 7) % 40;
        wanted[i] = !wanted[i];
        if round % 2 == 0 {
            save(&path, &tick(&names[i], wanted[i])).unwrap();
        } else {
            // The other editor: whole file, its own words, rewritten in place.
            let text = fs::read_to_string(&path).unwrap();
            let (from, to) = if wanted[i] { ("[ ]", "[x]") } else { ("[x]", "[ ]") };
            let text = text.replace(&format!("- {from} item {i}\n"), &format!("- {to} item {i}\n"));
            fs::write(&path, format!("{text}remark {round}\n\n")).unwrap();
        }
    }
    assert_eq!(items(&path).into_iter().map(|(_, t)| t).collect::<Vec<_>>(), wanted);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().filter(|l| l.starts_with("remark")).count(), 500);
}

#[test]
fn two_warrooms_at_once_wait_for_each_other() {
    let lines = numbered(200);
    let (folder, path) = folder_with(&lines);
    let names: Vec<ItemId> = items(&path).into_iter().map(|(i, _)| i).collect();
    std::thread::scope(|scope| {
        for half in names.chunks(100) {
            let path = &path;
            scope.spawn(move || half.iter().for_each(|name| drop(save(path, &tick(name, true)).unwrap())));
        }
    });
    assert!(items(&path).iter().all(|(_, ticked)| *ticked));
    assert_eq!(leftovers(&folder), 0);
}

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let (folder, path) = folder_with("- [ ] a\n");
    let link = folder.path().join("link.md");
    symlink(&path, &link).unwrap();
    save(&link, &first(&path)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), "- [x] a\n");
}

#[test]
fn whatever_stands_in_the_way_is_a_sentence_and_the_file_is_left_alone() {
    let (folder, path) = folder_with("- [ ] a\n");
    let edit = first(&path);
    let says = |path: &Path| save(path, &edit).unwrap_err().to_string();

    assert!(says(folder.path()).contains("is not a file"));
    assert!(says(&folder.path().join("none.md")).contains("deleted or renamed"));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    assert!(says(&path).contains("read-only; chmod u+w"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    assert!(says(&path).contains("read-only"));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();

    fs::rename(&path, folder.path().join("moved.md")).unwrap();
    assert!(matches!(save(&path, &edit), Err(SaveError::Deleted { .. })));
    fs::rename(folder.path().join("moved.md"), &path).unwrap();

    fs::write(&path, b"- [ ] a\n\xff\xfe\n").unwrap();
    assert!(says(&path).contains("not UTF-8 from byte 8"));
    assert_eq!(fs::read(&path).unwrap(), b"- [ ] a\n\xff\xfe\n");

    fs::write(&path, "- [ ] reworded\n").unwrap();
    assert!(says(&path).contains("no longer in the note"));
    assert_eq!(leftovers(&folder), 0);
}

/// The next batch, or a failed test when none comes.
async fn next(from: &mut mpsc::Receiver<Batch>) -> Vec<Fact> {
    tokio::time::timeout(Duration::from_mins(2), from.recv()).await.unwrap().unwrap().facts
}

#[tokio::test]
async fn the_source_tells_every_change_and_survives_a_deletion() {
    let (_folder, path) = folder_with("- [ ] a\n");
    let (to, mut from) = mpsc::channel(4);
    let cancel = CancellationToken::new();
    let task = tokio::spawn(warroom::source::note::run(path.clone(), Outlet::new("note".into(), to), cancel.clone()));

    assert!(matches!(&next(&mut from).await[..], [Fact::Note(n), Fact::Health(h)]
        if n.text.raw() == "- [ ] a\n" && h.state == State::Well));
    save(&path, &first(&path)).unwrap();
    assert!(matches!(&next(&mut from).await[..], [Fact::Note(n), Fact::Health(h)]
        if n.text.raw() == "- [x] a\n" && h.says.raw() == "1 items, 1 ticked"));
    fs::remove_file(&path).unwrap();
    assert!(matches!(&next(&mut from).await[..], [Fact::Health(h)] if h.state == State::Down && h.code == "gone"));
    fs::write(&path, "- [x] a\n").unwrap();
    assert!(matches!(&next(&mut from).await[..], [Fact::Health(h)] if h.state == State::Well));

    cancel.cancel();
    task.await.unwrap().unwrap();
}
