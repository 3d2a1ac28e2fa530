//! One writer for each recording: a lock the operating system holds, so that a dead process holds none.

use crate::recording::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// The right to write into a folder, given back when dropped or when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a folder.
    ///
    /// # Errors
    /// [`OpenError::Busy`] names the process that has it.
    pub fn take(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join("lock");
        let failed = |source| OpenError::Io { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                // Only for the sentence: a lock file that cannot be read is still a lock.
                let _ = file.read_to_string(&mut process);
                let process = process.trim().parse().ok();
                return Err(OpenError::Busy { folder: folder.to_owned(), process });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        // On a full disk the number may be missing; the lock holds all the same.
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Self { _file: file })
    }
}
