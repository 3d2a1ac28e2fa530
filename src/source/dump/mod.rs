//! Dumps of logs: files of any size that do not grow, read once from front to back in bounded memory.
//!
//! Owns opening (plain, gzip, zstandard, UTF-16), cutting into lines, which lines are asked for, and the
//! histogram. What a line says is known by `source::logs`; what is shown of it is decided elsewhere.

mod ask;
pub mod blocks;
mod histogram;
mod input;
mod pattern;

pub use ask::{Ask, Service};
pub use blocks::{Blocks, lines};
pub use histogram::{Histogram, LEVELS};
pub use input::{name, open};

use crate::model::Stamp;
use crate::source::logs::glance::Glancer;
use std::path::Path;

/// What a reading of a file came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Bytes of text, unpacked.
    pub bytes: u64,
    /// Lines of which only the head was looked at, because they are longer than [`blocks::LONGEST`].
    pub cut: u64,
}

impl std::ops::AddAssign for Read {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.cut += other.cut;
    }
}

/// Hands every line that is asked for to `each`, in the file's order, until `each` has enough. `block` is told
/// whenever so much was read that it is time to show what there is.
pub fn search(
    path: &Path,
    ask: &Ask,
    glancer: &Glancer,
    near: Stamp,
    mut each: impl FnMut(&[u8]) -> bool,
    mut block: impl FnMut() -> bool,
) -> Result<Read, String> {
    let service = ask.of_file(path);
    let mut blocks = Blocks::new(open(path)?);
    loop {
        let said = blocks.next().map_err(|e| format!("{} cannot be read on: {e}", input::name(path)))?;
        let Some(bytes) = said else { break };
        let mut on = true;
        ask.candidates(bytes, |line| {
            on = !ask.passes(line, service, glancer, near) || each(line);
            on
        });
        if !on || !block() {
            break;
        }
    }
    Ok(blocks.read())
}

/// Counts the lines that are asked for by time and level; with `going` saying no it ends early.
pub fn histogram(
    path: &Path,
    ask: &Ask,
    glancer: &Glancer,
    near: Stamp,
    into: &mut Histogram,
    going: impl Fn() -> bool,
) -> Result<Read, String> {
    let service = ask.of_file(path);
    let mut blocks = Blocks::new(open(path)?);
    loop {
        let said = blocks.next().map_err(|e| format!("{} cannot be read on: {e}", input::name(path)))?;
        let Some(bytes) = said else { break };
        ask.candidates(bytes, |line| {
            if !line.is_empty() {
                let glance = glancer.at(line, near);
                if ask.passes_glance(line, glance, service, glancer, near) {
                    into.count(glance);
                }
            }
            true
        });
        if !going() {
            break;
        }
    }
    into.end_of_file();
    Ok(blocks.read())
}
