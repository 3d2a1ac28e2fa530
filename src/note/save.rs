//! Writes a note: read again, change, temporary file, fsync, rename; refused when it cannot be merged.
//!
//! Another editor may have written the file at any moment. So the change is applied to the text as it is
//! now, not as it was on the screen; right before the rename the file is read once more, and when it moved
//! meanwhile everything begins again, once. Two warrooms on one note wait for each other by a lock on its
//! folder.

use crate::note::edit::{Change, Refusal, change};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A note longer than this is a mistake in the path, not a note.
pub const LONGEST: u64 = 16 << 20;

/// Why a note was not written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The change does not fit the text that is there now.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Somebody removed or moved it.
    #[error(
        "the note {path} is gone: it was deleted or renamed; put it back or correct `note` in the configuration. The tick is only in the recording"
    )]
    Deleted {
        /// File.
        path: String,
    },
    /// A folder, a pipe or a device stands there.
    #[error("the note {path} is not a file; correct `note` in the configuration. The tick is only in the recording")]
    NotAFile {
        /// Path.
        path: String,
    },
    /// Nobody may write it.
    #[error(
        "the note was not written: {path} is read-only; chmod u+w {path} and tick again. The tick is only in the recording"
    )]
    ReadOnly {
        /// File or folder.
        path: String,
    },
    /// Bytes that no text has; they would not survive.
    #[error(
        "the note {path} is not UTF-8 from byte {byte} on and is left as it is; save it as UTF-8 in an editor and tick again. The tick is only in the recording"
    )]
    NotText {
        /// File.
        path: String,
        /// First bad byte, from 0.
        byte: usize,
    },
    /// Much too long.
    #[error(
        "the note {path} is longer than 16 MiB and is left as it is; correct `note` in the configuration. The tick is only in the recording"
    )]
    TooLong {
        /// File.
        path: String,
    },
    /// Somebody writes it all the time.
    #[error("another editor is writing the note {path} at this moment; nothing was written, tick again")]
    Busy {
        /// File.
        path: String,
    },
    /// The file system said no.
    #[error("the note {path} was not written: {source}; the tick is only in the recording")]
    Io {
        /// File.
        path: String,
        /// Cause.
        source: io::Error,
    },
}

/// Applies the change to the file as it is now and gives back the text written. A link is followed, and the
/// file it names is replaced. Blocks; call it where blocking is allowed.
pub fn save(path: &Path, wanted: &Change) -> Result<String, SaveError> {
    save_when(path, wanted, &mut || {})
}

/// How often the whole is tried when another editor writes in between.
const TRIES: usize = 2;

/// `save` with something to happen right before the last look, where another editor is most unwelcome.
fn save_when(path: &Path, wanted: &Change, before_rename: &mut dyn FnMut()) -> Result<String, SaveError> {
    let said = path.display().to_string();
    let io = |source| SaveError::Io { path: said.clone(), source };
    let target = fs::canonicalize(path).map_err(|e| trouble(path, e))?;
    let folder = target.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned);
    let held = File::open(&folder).map_err(io)?;
    // Best effort: some network file systems have no locks; the look before the rename stays.
    let _locked = held.lock().ok();
    for _ in 0..TRIES {
        let before = read(&target)?;
        may_write(&target, &folder)?;
        let text = text_of(path, &before)?;
        let after = change(text, wanted)?;
        let fresh = write_beside(&target, &folder, after.as_bytes()).map_err(io)?;
        before_rename();
        match read(&target) {
            Ok(now) if now == before => {}
            Ok(_) => continue,
            Err(e) => return Err(e),
        }
        fresh.persist(&target).map_err(|e| io(e.error))?;
        held.sync_all().map_err(io)?;
        return Ok(after);
    }
    Err(SaveError::Busy { path: said })
}

/// The file's bytes; only of a regular file, and not of a huge one.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, SaveError> {
    let said = || path.display().to_string();
    let about = fs::metadata(path).map_err(|e| trouble(path, e))?;
    if !about.is_file() {
        return Err(SaveError::NotAFile { path: said() });
    }
    if about.len() > LONGEST {
        return Err(SaveError::TooLong { path: said() });
    }
    fs::read(path).map_err(|e| trouble(path, e))
}

fn trouble(path: &Path, source: io::Error) -> SaveError {
    let path = path.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SaveError::Deleted { path },
        _ => SaveError::Io { path, source },
    }
}

fn text_of<'t>(path: &Path, bytes: &'t [u8]) -> Result<&'t str, SaveError> {
    std::str::from_utf8(bytes)
        .map_err(|e| SaveError::NotText { path: path.display().to_string(), byte: e.valid_up_to() })
}

/// A rename needs no right to the file itself, so whoever took that right away is asked first.
fn may_write(target: &Path, folder: &Path) -> Result<(), SaveError> {
    for path in [target, folder] {
        let about = fs::metadata(path).map_err(|e| trouble(path, e))?;
        if about.permissions().readonly() {
            return Err(SaveError::ReadOnly { path: path.display().to_string() });
        }
    }
    match OpenOptions::new().append(true).open(target) {
        Ok(_) => Ok(()),
        Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            Err(SaveError::ReadOnly { path: target.display().to_string() })
        }
        Err(e) => Err(trouble(target, e)),
    }
}

/// A complete, synced file beside the note, with the note's permissions and owner; gone again when dropped.
fn write_beside(target: &Path, folder: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let about = fs::metadata(target)?;
    let mut fresh = tempfile::Builder::new().prefix(".warroom-").suffix(".tmp").tempfile_in(folder)?;
    fresh.write_all(bytes)?;
    let mine = fresh.as_file().metadata()?;
    if (mine.uid(), mine.gid()) != (about.uid(), about.gid()) {
        // Only root may give files away; a group of one's own may be kept. The mode is set either way.
        std::os::unix::fs::fchown(fresh.as_file(), Some(about.uid()), Some(about.gid()))
            .or_else(|_| std::os::unix::fs::fchown(fresh.as_file(), None, Some(about.gid())))
            .or_else(|e| if e.kind() == io::ErrorKind::PermissionDenied { Ok(()) } else { Err(e) })?;
    }
    fresh.as_file().set_permissions(about.permissions())?;
    fresh.as_file().sync_all()?;
    Ok(fresh)
}

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
