//! One log file, followed: appended lines, rotation by rename, copy-and-truncate, rewriting in place.
//!
//! Holds the file open, so a rename loses nothing; remembers the last bytes before its position, so a
//! file that was cut and has grown past that position again is noticed. Reads bounded amounts and hands
//! out whole lines as bytes. Knows nothing of what a line means.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A longer line is cut: its head is kept, the rest up to the newline is counted and let go.
pub const LONGEST_LINE: usize = 256 * 1024;
/// Files that were rotated away are remembered, so many of them.
const MOST_FINISHED: usize = 16;
/// How many bytes before the position are compared to notice a rewritten file.
const FINGERPRINT: usize = 64;

/// A line as bytes, without its newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLine {
    /// The bytes, at most [`LONGEST_LINE`] of them.
    pub bytes: Vec<u8>,
    /// How many bytes of the line were let go.
    pub cut: u64,
}

/// What one reading found.
#[derive(Debug, Default)]
pub struct Found {
    /// Whole lines in the file's order.
    pub lines: Vec<RawLine>,
    /// Bytes read.
    pub bytes: u64,
    /// Whether there is more to read right now.
    pub more: bool,
    /// What happened to the file that may have cost lines, in words.
    pub losses: Vec<String>,
}

/// A followed file.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    open: Option<Open>,
    looked: Option<SystemTime>,
    waiting: Vec<Open>,
    /// Files that were rotated away and read to their end: one that looks as if it had been written to since is not
    /// read again from its beginning.
    finished: VecDeque<Finished>,
}

/// How far a file was read that is not held open any more.
#[derive(Debug)]
struct Finished {
    device: u64,
    inode: u64,
    position: u64,
    before: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    file: File,
    device: u64,
    inode: u64,
    position: u64,
    before: Vec<u8>,
    partial: Vec<u8>,
    cut: u64,
}

impl Open {
    fn at(path: &Path, position: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let position = position.min(meta.len());
        file.seek(SeekFrom::Start(position))?;
        let mut open = Self {
            file,
            device: meta.dev(),
            inode: meta.ino(),
            position,
            before: Vec::new(),
            partial: Vec::new(),
            cut: 0,
        };
        open.remember()?;
        Ok(open)
    }

    fn is(&self, meta: &Metadata) -> bool {
        self.device == meta.dev() && self.inode == meta.ino()
    }

    /// Keeps the bytes just before the position.
    fn remember(&mut self) -> io::Result<()> {
        let n = (FINGERPRINT as u64).min(self.position) as usize;
        self.before.resize(n, 0);
        self.file.read_exact_at(&mut self.before, self.position - n as u64)
    }

    /// Whether the file was shortened or written anew since.
    fn rewritten(&self) -> io::Result<bool> {
        if self.file.metadata()?.len() < self.position {
            return Ok(true);
        }
        let mut now = vec![0; self.before.len()];
        let from = self.position - now.len() as u64;
        match self.file.read_exact_at(&mut now, from) {
            Ok(()) => Ok(now != self.before),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
            Err(e) => Err(e),
        }
    }

    /// What tells it apart later from one that was written since, or that has its number.
    fn finished(&self) -> Finished {
        let (device, inode, position, before) = (self.device, self.inode, self.position, self.before.clone());
        Finished { device, inode, position, before }
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.position = 0;
        self.before.clear();
        self.partial.clear();
        self.cut = 0;
        Ok(())
    }

    /// Reads at most `budget` bytes and appends the whole lines among them.
    fn read(&mut self, budget: usize, found: &mut Found) -> io::Result<()> {
        let mut buffer = vec![0; budget.min(256 * 1024)];
        let mut left = budget;
        while left > 0 {
            let want = left.min(buffer.len());
            let n = match self.file.read(&mut buffer[..want]) {
                Ok(0) => {
                    self.remember()?;
                    return Ok(());
                }
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            self.position += n as u64;
            found.bytes += n as u64;
            left -= n;
            self.split(&buffer[..n], &mut found.lines);
        }
        self.remember()?;
        found.more = true;
        Ok(())
    }

    fn split(&mut self, mut bytes: &[u8], lines: &mut Vec<RawLine>) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.keep(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let mut line = std::mem::take(&mut self.partial);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            lines.push(RawLine { bytes: line, cut: std::mem::take(&mut self.cut) });
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.cut += bytes.len().saturating_sub(room) as u64;
    }

    /// The last line of a file that nobody will write to any more, though it has no newline.
    fn finish(&mut self, lines: &mut Vec<RawLine>) {
        if !self.partial.is_empty() {
            lines.push(RawLine { bytes: std::mem::take(&mut self.partial), cut: std::mem::take(&mut self.cut) });
        }
    }
}

impl Follower {
    /// Follows `path` from byte `position`.
    pub fn new(path: PathBuf, position: u64) -> io::Result<Self> {
        let open = Open::at(&path, position)?;
        Ok(Self { path, open: Some(open), looked: None, waiting: Vec::new(), finished: VecDeque::new() })
    }

    /// Reads what is new, at most about `budget` bytes. `now` is when, by the file system's clock.
    pub fn read(&mut self, budget: usize, now: SystemTime) -> io::Result<Found> {
        let mut found = Found::default();
        self.notice_rotation(&mut found)?;
        self.looked = Some(now);
        while !self.waiting.is_empty() {
            // Files that were rotated away are read to their end before the one that took their place.
            let left = budget.saturating_sub(found.bytes as usize);
            if let Some(open) = &mut self.open {
                found.more = false;
                open.read(left.max(1), &mut found)?;
                if found.more {
                    return Ok(found);
                }
                open.finish(&mut found.lines);
                self.finished.push_back(open.finished());
                if self.finished.len() > MOST_FINISHED {
                    self.finished.pop_front();
                }
            }
            self.open = Some(self.waiting.remove(0));
        }
        if let Some(open) = &mut self.open {
            if open.rewritten()? {
                found.losses.push(format!(
                    "{} was cut or written anew; lines between the last reading and the cut are lost",
                    name(&self.path)
                ));
                open.begin_anew()?;
            }
            found.more = false;
            open.read(budget.saturating_sub(found.bytes as usize).max(1), &mut found)?;
        }
        Ok(found)
    }

    /// When another file stands at the path: queue it, and before it any that came and went meanwhile.
    fn notice_rotation(&mut self, found: &mut Found) -> io::Result<()> {
        let meta = match std::fs::metadata(&self.path) {
            Ok(meta) => meta,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        let known = self.open.iter().chain(&self.waiting).any(|o| o.is(&meta));
        if known {
            return Ok(());
        }
        for sibling in self.siblings_since_last_look() {
            // One that cannot be opened is gone, or not ours.
            let Ok(Some(open)) = self.go_on_with(&sibling) else { continue };
            if sibling.extension().is_some_and(|e| e == "gz" || e == "zst" || e == "xz") {
                found.losses.push(format!(
                    "{} was rotated twice and {} is compressed already; its lines are not read",
                    name(&self.path),
                    name(&sibling)
                ));
            } else {
                self.waiting.push(open);
            }
        }
        self.waiting.push(Open::at(&self.path, 0)?);
        Ok(())
    }

    /// A sibling that has lines we have not read: from its beginning, or from where it ended when it was read.
    fn go_on_with(&self, sibling: &Path) -> io::Result<Option<Open>> {
        let open = Open::at(sibling, 0)?;
        if self.is_known(&open) {
            return Ok(None);
        }
        let Some(before) = self.finished.iter().rev().find(|f| f.device == open.device && f.inode == open.inode) else {
            return Ok(Some(open));
        };
        let rest = Open::at(sibling, before.position)?;
        // The number of a file that is gone is given to another one.
        if rest.position != before.position || rest.before != before.before {
            return Ok(Some(open));
        }
        Ok((rest.file.metadata()?.len() > rest.position).then_some(rest))
    }

    fn is_known(&self, other: &Open) -> bool {
        self.open.iter().chain(&self.waiting).any(|o| o.device == other.device && o.inode == other.inode)
    }

    /// `app.log.1` and the like, last written since our last look, oldest first.
    fn siblings_since_last_look(&self) -> Vec<PathBuf> {
        let (Some(folder), Some(own), Some(looked)) = (self.path.parent(), self.path.file_name(), self.looked) else {
            return Vec::new();
        };
        let own = own.to_string_lossy();
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut out: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(Result::ok)
            .filter(|e| {
                let name = e.file_name();
                let name = name.to_string_lossy();
                name.len() > own.len() && name.starts_with(own.as_ref())
            })
            .filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path())))
            .filter(|(written, _)| *written >= looked)
            .collect();
        out.sort();
        out.into_iter().map(|(_, p)| p).collect()
    }
}

/// File name without its folders, for sentences.
pub fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// The byte at which lines of `since` or later begin, found by bisection: `time_of` gives a line's own
/// time in microseconds, none for lines without one. Files whose lines carry no time are read whole.
pub fn position_of(path: &Path, since: i64, time_of: &dyn Fn(&[u8]) -> Option<i64>) -> io::Result<u64> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let (mut low, mut high) = (0, length);
    while high - low > 64 * 1024 {
        let middle = low + (high - low) / 2;
        match first_time(&file, middle, high, time_of)? {
            Some(at) if at < since => low = middle,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Time of the first whole line after `from` that has one; looks at most 128 KiB far.
fn first_time(file: &File, from: u64, until: u64, time_of: &dyn Fn(&[u8]) -> Option<i64>) -> io::Result<Option<i64>> {
    let mut buffer = vec![0; (until - from).min(128 * 1024) as usize];
    let n = file.read_at(&mut buffer, from)?;
    let mut lines = buffer[..n].split(|b| *b == b'\n').skip(1);
    Ok(lines.find_map(time_of))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests compare file times with the system's own clock")]
mod tests {
    use super::*;
    use std::io::Write;

    fn texts(found: &Found) -> Vec<String> {
        found.lines.iter().map(|l| String::from_utf8_lossy(&l.bytes).into_owned()).collect()
    }

    fn append(path: &Path, text: &str) {
        File::options().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn read(f: &mut Follower) -> Found {
        f.read(1 << 20, SystemTime::now()).unwrap()
    }

    #[test]
    fn half_a_line_waits_for_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, "one\r\ntw");
        let mut f = Follower::new(path.clone(), 0).unwrap();
        assert_eq!(texts(&read(&mut f)), ["one"]);
        append(&path, "o\nthree\n");
        assert_eq!(texts(&read(&mut f)), ["two", "three"]);
    }

    #[test]
    fn a_rename_loses_nothing_even_what_was_written_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, "one\n");
        let mut f = Follower::new(path.clone(), 0).unwrap();
        read(&mut f);
        std::fs::rename(&path, dir.path().join("a.log.1")).unwrap();
        append(&dir.path().join("a.log.1"), "two\nlast without newline");
        assert_eq!(texts(&read(&mut f)), ["two"]);
        append(&path, "three\n");
        let found = read(&mut f);
        assert_eq!(texts(&found), ["last without newline", "three"]);
        assert!(found.losses.is_empty());
    }

    #[test]
    fn two_rotations_between_looks_are_both_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, "one\n");
        let mut f = Follower::new(path.clone(), 0).unwrap();
        read(&mut f);
        std::fs::rename(&path, dir.path().join("a.log.2")).unwrap();
        append(&path, "two\n");
        std::fs::rename(&path, dir.path().join("a.log.1")).unwrap();
        append(&path, "three\n");
        assert_eq!(texts(&read(&mut f)), ["two", "three"]);
    }

    #[test]
    fn a_rotated_file_that_was_read_is_not_read_again_and_what_was_written_to_it_late_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, "one\n");
        let mut f = Follower::new(path.clone(), 0).unwrap();
        // A clock behind that of the files: all of them look as if they had been written since the last look.
        let behind = SystemTime::UNIX_EPOCH;
        let mut look = || texts(&f.read(1 << 20, behind).unwrap());
        assert_eq!(look(), ["one"]);
        for (n, line, late) in [(1, "two\n", ""), (2, "three\n", ""), (3, "four\n", "late\n")] {
            std::fs::rename(&path, dir.path().join(format!("a.log.{n}"))).unwrap();
            append(&path, line);
            // A service that has not noticed yet that its file has another name.
            append(&dir.path().join("a.log.1"), late);
            let expected: Vec<&str> = late.lines().chain(line.lines()).collect();
            assert_eq!(look(), expected, "{n}");
        }
    }

    #[test]
    fn a_truncated_file_is_read_from_its_start_and_the_loss_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, "one\ntwo\n");
        let mut f = Follower::new(path.clone(), 0).unwrap();
        read(&mut f);
        std::fs::write(&path, "new\n").unwrap();
        let found = read(&mut f);
        assert_eq!(texts(&found), ["new"]);
        assert_eq!(found.losses.len(), 1);
    }

    #[test]
    fn a_file_cut_and_grown_past_our_place_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, "one\ntwo\n");
        let mut f = Follower::new(path.clone(), 0).unwrap();
        read(&mut f);
        std::fs::write(&path, "eins\nzwei\ndrei\n").unwrap();
        let found = read(&mut f);
        assert_eq!(texts(&found), ["eins", "zwei", "drei"]);
        assert_eq!(found.losses.len(), 1);
    }

    #[test]
    fn a_file_that_goes_and_comes_back_is_followed_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, "one\n");
        let mut f = Follower::new(path.clone(), 0).unwrap();
        read(&mut f);
        std::fs::remove_file(&path).unwrap();
        assert!(texts(&read(&mut f)).is_empty());
        append(&path, "two\n");
        assert_eq!(texts(&read(&mut f)), ["two"]);
    }

    #[test]
    fn a_line_of_ten_megabytes_keeps_its_head_and_says_how_much_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        append(&path, &format!("{}\nnext\n", "x".repeat(10 << 20)));
        let mut f = Follower::new(path, 0).unwrap();
        let mut lines = Vec::new();
        loop {
            let found = f.read(1 << 20, SystemTime::now()).unwrap();
            lines.extend(found.lines);
            if !found.more {
                break;
            }
        }
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].bytes.len(), LONGEST_LINE);
        assert_eq!(lines[0].cut as usize, (10 << 20) - LONGEST_LINE);
        assert_eq!(lines[1].bytes, b"next");
    }

    #[test]
    fn the_place_of_an_instant_is_found_without_reading_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let text: String = (0..100_000).map(|i| format!("{i:08} some words of a line\n")).collect();
        std::fs::write(&path, &text).unwrap();
        let time = |l: &[u8]| std::str::from_utf8(l.get(..8)?).ok()?.parse().ok();
        let at = position_of(&path, 70_000, &time).unwrap() as usize;
        let line = text.find("00070000").unwrap();
        assert!(at <= line && line - at <= 64 * 1024);
    }
}
