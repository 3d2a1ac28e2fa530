//! What broke first: which signals left their normal, when each of them did, and which did so most.
//!
//! The instant that is given as the beginning is what somebody noticed, and people notice late: the rows
//! before it may already hold a minute of the trouble. So the turn is looked for in the rows themselves,
//! over all signals at once, and what is normal is learnt before it. May not know: the store, time, units;
//! rows are numbers and a signal is told only which side is bad.

pub mod normal;
#[cfg(test)]
mod tests;
mod turn;

use crate::model::series::Bad;
pub use normal::Normal;

/// What a departure to the harmless side counts. Less work arrives where something upstream broke: falls
/// are mostly consequences, and they are many.
const HARMLESS: f64 = 0.25;
/// Rows without which nothing is called normal.
const FEWEST: usize = 8;
/// Strays from which a signal has left its band.
const LEFT: f64 = 3.0;
/// Of this many measured rows in succession…
const RUN: usize = 4;
/// …so many have to be outside for the first of them to be an onset.
const OUTSIDE: usize = 3;

/// A signal over the rows before and after what was noticed.
#[derive(Clone, Debug)]
pub struct Signal<'a> {
    /// One value a row; none where nothing was measured.
    pub values: &'a [Option<f64>],
    /// Which side of normal is bad.
    pub bad: Bad,
}

/// How one signal left its normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Departure {
    /// Which signal, by its place among those given.
    pub signal: usize,
    /// First row outside its band, staying there; none when it never left.
    pub onset: Option<usize>,
    /// Mean distance from normal since the turn, in strays; less for the harmless side.
    pub score: f64,
    /// Its level before the turn, in its own unit.
    pub usual: f64,
    /// Its mean since, in its own unit.
    pub since: f64,
}

/// All signals, the most departed first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The row at which the signals changed, all taken together; never after what was noticed.
    pub turn: usize,
    /// One for each signal that was measured before and after the turn and ever moves.
    pub departures: Vec<Departure>,
}

/// Why there is no ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blank {
    /// Nothing can be called normal.
    #[error("there are {0} rows before what was noticed, and at least {FEWEST} are needed to know what is normal")]
    TooFewBefore(usize),
    /// Nothing follows.
    #[error("there is no row after what was noticed")]
    NothingAfter,
    /// Every signal is constant or unmeasured.
    #[error("no signal was measured on both sides of the turn and moved")]
    NothingMoves,
}

/// Ranks `signals`; `noticed` is the first row that is called "after".
///
/// # Errors
/// When the rows cannot say anything: see [`Blank`].
pub fn rank(signals: &[Signal<'_>], noticed: usize) -> Result<Ranking, Blank> {
    let rows = signals.iter().map(|s| s.values.len()).max().unwrap_or(0);
    if noticed < FEWEST {
        return Err(Blank::TooFewBefore(noticed));
    }
    if noticed >= rows {
        return Err(Blank::NothingAfter);
    }
    let values: Vec<&[Option<f64>]> = signals.iter().map(|s| s.values).collect();
    let turn = turn::turn(&values, noticed, rows);
    let all = signals.iter().enumerate();
    let mut departures: Vec<Departure> = all.filter_map(|(i, s)| departure(i, s, turn, noticed)).collect();
    if departures.iter().all(|d| d.score <= 0.0) {
        return Err(Blank::NothingMoves);
    }
    departures.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.signal.cmp(&b.signal)));
    Ok(Ranking { turn, departures })
}

impl Ranking {
    /// The signals that left their band in the order in which they did, the more departed first among those
    /// of the same row.
    pub fn by_onset(&self) -> Vec<Departure> {
        let mut left: Vec<Departure> = self.departures.iter().filter(|d| d.onset.is_some()).copied().collect();
        left.sort_by(|a, b| a.onset.cmp(&b.onset).then(b.score.total_cmp(&a.score)));
        left
    }
}

fn departure(signal: usize, of: &Signal<'_>, turn: usize, noticed: usize) -> Option<Departure> {
    let (before, since) = of.values.split_at(turn.min(of.values.len()));
    let normal = Normal::of(before)?;
    let since = normal::mean(since)?;
    let away = normal.strays(since);
    let harmful = match of.bad {
        Bad::High => away > 0.0,
        Bad::Low => away < 0.0,
        Bad::Both => true,
    };
    let score = if harmful { away.abs() } else { HARMLESS * away.abs() };
    // A signal may go before the others do; not farther back than people are late.
    let from = turn - turn.min(noticed / 8);
    let onset = onset(of.values, &normal, from, away > 0.0);
    Some(Departure { signal, onset, score, usual: normal.level, since })
}

/// The first row from `from` on that is outside on the side it went to, and not alone.
fn onset(values: &[Option<f64>], normal: &Normal, from: usize, rose: bool) -> Option<usize> {
    let side = if rose { 1.0 } else { -1.0 };
    let measured = values.iter().enumerate().skip(from).filter_map(|(row, v)| Some((row, (*v)?)));
    let rows: Vec<(usize, bool)> = measured.map(|(row, v)| (row, side * normal.strays(v) > LEFT)).collect();
    let stays = |i: usize| {
        let next = rows.get(i..).unwrap_or_default().iter().take(RUN);
        next.filter(|(_, outside)| *outside).count() >= OUTSIDE.min(rows.len() - i)
    };
    rows.iter().enumerate().find(|(i, (_, outside))| *outside && stays(*i)).map(|(_, (row, _))| *row)
}
