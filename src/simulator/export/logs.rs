//! A log file for each pod, in the words of its service.
//!
//! May not know: what a service says, or how it puts it; see `lines` and `text`.

use crate::simulator::day::Day;
use crate::simulator::text;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes what every pod of a day said. `open` is called once for each file, by its name, before anything is
/// written; a pod that says nothing has an empty file. Gives the entries of each file; an entry with a stack is
/// one, of several lines.
pub fn write<W: Write>(day: &Day, mut open: impl FnMut(&str) -> io::Result<W>) -> io::Result<Vec<(String, u64)>> {
    let mut files: BTreeMap<String, (W, u64)> = BTreeMap::new();
    for pod in text::pods(&day.scenario) {
        let name = text::file(&pod);
        files.insert(name.clone(), (open(&name)?, 0));
    }
    let (from, to) = day.lived;
    for line in text::files(day, from, to) {
        if !files.contains_key(&line.file) {
            files.insert(line.file.clone(), (open(&line.file)?, 0));
        }
        if let Some((file, entries)) = files.get_mut(&line.file) {
            file.write_all(line.text.as_bytes())?;
            file.write_all(b"\n")?;
            *entries += 1;
        }
    }
    let flushed = files.into_iter().map(|(name, (mut file, entries))| file.flush().map(|()| (name, entries)));
    flushed.collect()
}
