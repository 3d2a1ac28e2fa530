//! The few things a recording asks of a disk, so that tests can hand it one that is full.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A file that is only appended to.
pub trait Append: Write + Send {
    /// Waits until the disk has it.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts it to a length: what a failed write left behind goes away.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Where segments are written.
pub trait Volume: Send + Sync {
    /// Makes a new file; one that exists already is an error.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Append>>;
    /// Bytes that an unprivileged user may still write in a folder.
    fn free(&self, folder: &Path) -> io::Result<u64>;
}

/// The file system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Append for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

impl Volume for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        Ok(Box::new(OpenOptions::new().append(true).create_new(true).open(path)?))
    }
    fn free(&self, folder: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
