//! Spikes and episodes of single lanes: since when, how far, until when, how sure.
//!
//! Two questions, two ways. While points come in, [`Watch`] says when a lane goes where it has never been.
//! When a run is looked at as a whole, [`dated()`] says which one stretch of it explains its signals best.
//! Both take any lane as it is: no unit, no threshold, no period has to be named. May not know: the store,
//! time, screens; rows are numbers.

pub mod dated;
mod memory;
#[cfg(test)]
mod tests;
mod watch;

pub use dated::{Dated, dated};
use memory::BLOCK;
pub use watch::{Episode, MARGIN, QUIET, Watch};

/// What a whole series says when it is read from its beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Episodes, oldest first. Their numbers are positions in what was read.
    pub episodes: Vec<Episode>,
    /// How far each point was beyond everything before it, from 0 to 1; 0.5 is the alarm.
    pub scores: Vec<f64>,
}

impl Reading {
    /// Positions at which somebody would have been told, in order.
    pub fn alarms(&self) -> Vec<usize> {
        self.episodes.iter().flat_map(|e| e.alarms.iter().copied()).collect()
    }
}

/// Reads a series from its beginning as if its points came in one by one: nothing later than a point is
/// used for its score. A point that was not measured (none, or not finite) scores 0 and is not remembered.
pub fn read(values: &[Option<f64>]) -> Reading {
    let mut watch = Watch::default();
    let mut scores = vec![0.0; values.len()];
    let mut at = 0;
    // A quiet block is taken whole; what is not one, or not of one piece, goes point by point.
    while let Some(value) = values.get(at) {
        if watch.between_blocks() && whole(&values[at..]).is_some_and(|block| watch.takes_quiet(at, &block)) {
            at += BLOCK;
            continue;
        }
        scores[at] = value.map_or(0.0, |v| watch.take(at, v));
        at += 1;
    }
    Reading { scores, episodes: watch.finish() }
}

/// The first block of some rows, when all of it was measured.
fn whole(rows: &[Option<f64>]) -> Option<[f64; BLOCK]> {
    let rows: &[Option<f64>; BLOCK] = rows.first_chunk()?;
    let values = rows.map(|v| v.unwrap_or(f64::NAN));
    values.iter().all(|v| v.is_finite()).then_some(values)
}
