//! The moment between the last look and the rename, where another editor is most unwelcome. Everything
//! else about files is in `tests/it/note.rs`.

use super::*;
use crate::note::edit::Edit;
use crate::note::parse::parse;

fn tick(text: &str, words: &str) -> Change {
    let item = parse("n", text).items.into_iter().find(|i| i.text.raw() == words).unwrap();
    Change::Item(Edit { item: item.id, ticked: true, evidence: None })
}

const TEXT: &str = "# T\n- [ ] one\n- [ ] two\n";

fn note() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note.md");
    fs::write(&path, TEXT).unwrap();
    (folder, path)
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_rewrite_in_the_last_moment_is_merged() {
    let (folder, path) = note();
    let mut once = Some(());
    let written = save_when(&path, &tick(TEXT, "two"), &mut || {
        if once.take().is_some() {
            fs::write(&path, "# T\n- [x] one\n- [ ] new\n- [ ] two\n").unwrap();
        }
    });
    assert_eq!(written.unwrap(), "# T\n- [x] one\n- [ ] new\n- [x] two\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "# T\n- [x] one\n- [ ] new\n- [x] two\n");
    assert_eq!(names(&folder), ["note.md"], "no temporary file is left behind");
}

#[test]
fn an_editor_that_writes_all_the_time_wins() {
    let (folder, path) = note();
    let mut n = 0;
    let result = save_when(&path, &tick(TEXT, "two"), &mut || {
        n += 1;
        fs::write(&path, format!("{TEXT}- [ ] more {n}\n")).unwrap();
    });
    assert!(matches!(result, Err(SaveError::Busy { .. })), "{result:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{TEXT}- [ ] more 2\n"));
    assert_eq!(names(&folder), ["note.md"]);
}

#[test]
fn a_note_removed_in_the_last_moment_is_not_brought_back() {
    let (folder, path) = note();
    let result = save_when(&path, &tick(TEXT, "two"), &mut || fs::remove_file(&path).unwrap());
    assert!(matches!(result, Err(SaveError::Deleted { .. })), "{result:?}");
    assert_eq!(names(&folder), Vec::<String>::new());
}

#[test]
fn an_item_reworded_in_the_last_moment_is_refused() {
    let (_folder, path) = note();
    let result = save_when(&path, &tick(TEXT, "two"), &mut || fs::write(&path, "# T\n- [ ] zwei\n").unwrap());
    assert!(matches!(result, Err(SaveError::Refused(Refusal::Gone))), "{result:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "# T\n- [ ] zwei\n");
}
