//! The place of an export: whether it may be there, and how it gets there whole.
//!
//! May not know: what is exported.

use crate::simulator::export::{ABOUT, earlier};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where an export will be, and where it is put together until then.
#[derive(Debug)]
pub struct Place {
    to: PathBuf,
    /// Beside `to`, so that it can be moved there; removed with all that is in it when this is dropped.
    beside: TempDir,
    new: PathBuf,
}

impl Place {
    /// Looks whether an export may be in this folder, and makes room for it beside. The error says what to do.
    pub fn find(to: &Path) -> Result<Self, String> {
        free(to)?;
        let Some(parent) = to.parent().filter(|_| to.file_name().is_some()) else {
            return Err(format!("{} cannot be the folder of an export: name a new one", to.display()));
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let no_room = |e: io::Error| {
            format!("nothing can be written into {} ({e}): name a folder in one that you may write", parent.display())
        };
        let beside = tempfile::Builder::new().prefix(".warroom-export-").tempdir_in(parent).map_err(no_room)?;
        let new = beside.path().join("new");
        std::fs::create_dir(&new).map_err(no_room)?;
        Ok(Self { to: to.to_owned(), beside, new })
    }

    /// Where to write.
    pub fn folder(&self) -> &Path {
        &self.new
    }

    /// Puts it in its place. An earlier export gives way only now, and is back when the new one does not get there.
    pub fn settle(self) -> Result<(), String> {
        free(&self.to)?;
        let failed = |e: io::Error| format!("{} cannot be put in its place ({e})", self.to.display());
        let old = self.beside.path().join("old");
        let was = self.to.exists();
        if was {
            std::fs::rename(&self.to, &old).map_err(failed)?;
        }
        std::fs::rename(&self.new, &self.to).map_err(|e| {
            let back = was.then(|| std::fs::rename(&old, &self.to)).transpose();
            failed(back.err().unwrap_or(e))
        })
    }
}

/// Whether nothing is lost when this folder gives way: it is not there, empty, or holds an earlier export and
/// nothing else.
fn free(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(format!("{shown} cannot be the folder of an export ({e}): name a new one")),
    };
    if entries.count() == 0 {
        return Ok(());
    }
    let about = std::fs::read_to_string(folder.join(ABOUT)).unwrap_or_default();
    let Some(files) = earlier(&about) else {
        return Err(format!("{shown} is not empty and holds no earlier export: name a new folder"));
    };
    let ours: BTreeSet<PathBuf> = files.iter().map(PathBuf::from).chain([PathBuf::from(ABOUT)]).collect();
    match foreign(folder, folder, &ours) {
        Ok(None) => Ok(()),
        Ok(Some(file)) => Err(format!(
            "{shown} holds an earlier export, and {} that is not of it: move that away, or name a new folder",
            file.display()
        )),
        Err(e) => Err(format!("{shown} cannot be looked through ({e}): name a new folder")),
    }
}

/// Anything below a folder that is not one of these files. A link is foreign, wherever it leads.
fn foreign(root: &Path, folder: &Path, ours: &BTreeSet<PathBuf>) -> io::Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let (entry, path) = entry.map(|e| (e.file_type(), e.path()))?;
        let inside = path.strip_prefix(root).unwrap_or(&path).to_owned();
        let kind = entry?;
        let found = if kind.is_dir() {
            foreign(root, &path, ours)?
        } else {
            (!kind.is_file() || !ours.contains(&inside)).then_some(inside)
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_place_that_is_given_up_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("day");
        let place = Place::find(&to).unwrap();
        std::fs::write(place.folder().join("half"), "x").unwrap();
        assert!(!to.exists());
        drop(place);
        assert_eq!(names(home.path()), Vec::<String>::new());
    }

    #[test]
    fn what_came_into_the_folder_meanwhile_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("day");
        std::fs::create_dir(&to).unwrap();
        let place = Place::find(&to).unwrap();
        std::fs::write(to.join("mine.txt"), "mine").unwrap();
        let says = place.settle().unwrap_err();
        assert!(says.contains("not empty"), "{says}");
        assert_eq!((names(home.path()), names(&to)), (vec!["day".to_owned()], vec!["mine.txt".to_owned()]));
    }

    #[test]
    fn a_file_and_a_missing_parent_are_refused_with_a_remedy() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "x").unwrap();
        for to in [file, home.path().join("missing/day"), PathBuf::from("/")] {
            let says = Place::find(&to).unwrap_err();
            assert!(says.contains("name a"), "{says}");
        }
        assert_eq!(names(home.path()), ["file"]);
    }
}
