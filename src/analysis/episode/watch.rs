//! One lane, point after point: when it goes where it has never been, since when, how far, until when.
//!
//! Three distances are kept in view: above the level, below it, and of the mean of the last thirty points
//! from the level before them. Each is held against the largest it has ever been on this lane. That is all
//! the tuning a lane needs: what a bursty lane does every hour is no news there, and a wobble is on a flat
//! one. May not know: time, units, the store; a point has a number that only ever grows.

mod block;

use crate::analysis::episode::memory::{BLOCK, Level, Memory};

/// An alarm goes this far beyond everything before.
pub const MARGIN: f64 = 1.08;
/// And farther in a lane's first points, where almost everything is a record: by this over their number.
const YOUNG: f64 = 5.0;
/// No distance below this many mean strays is an alarm, whatever was before.
const GATE: f64 = 3.0;
/// The same for the mean of thirty points, which strays less.
const MEAN_GATE: f64 = 1.5;
/// Points of the mean that shows a shift.
const MEAN: usize = 3 * BLOCK;
/// Points after an alarm in which nothing new is an alarm: it belongs to the same episode.
pub const QUIET: usize = 100;
/// Points back in the band that end an episode.
const CALM: usize = 5;
/// Strays that belong to no excursion when its beginning is dated; of a smaller one, half of it does not.
const SLACK: f64 = 2.0;
/// How many points an onset may lie before its alarm.
const REACH: usize = 2 * MEAN;

/// A stretch in which a lane was where it had never been before.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Number of the point where it left its level, as seen from the alarm.
    pub onset: usize,
    /// Numbers of the points at which somebody would have been told: the first, and each one later on that
    /// went beyond everything again.
    pub alarms: Vec<usize>,
    /// The point farthest from the level on the side of the first alarm, and its value.
    pub peak: (usize, f64),
    /// First point back in the band, staying there; none while it lasts.
    pub recovery: Option<usize>,
    /// The level it left.
    pub usual: f64,
    /// Mean distance of a point from that level before.
    pub stray: f64,
    /// Above the level, or below it.
    pub rose: bool,
    /// How far beyond everything before, from 0.5 (just) to 1: `r / (r + MARGIN)` for `r` times the record.
    pub confidence: f64,
}

/// Above the level, below it, and the shift of the mean.
type Distances = [f64; 3];
/// The place of the last.
const SHIFT: usize = 2;

/// The state of one lane. Taking a point costs the same however long the lane is.
#[derive(Clone, Debug)]
pub struct Watch {
    memory: Memory,
    /// The largest distances ever, without the newest points.
    records: Distances,
    /// Those of the last two blocks: an excursion must not be its own record before it is told.
    waiting: [Distances; 2],
    current: Distances,
    points: usize,
    recent: Recent,
    /// Point count at the last alarm.
    alarmed: Option<usize>,
    episode: Option<Episode>,
    /// Whether it was the mean that raised the episode: then it is the mean that ends it.
    by_mean: bool,
    calm: usize,
    calm_from: usize,
    done: Vec<Episode>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            memory: Memory::default(),
            records: [0.0; 3],
            waiting: [[0.0; 3]; 2],
            current: [0.0; 3],
            points: 0,
            recent: Recent::default(),
            alarmed: None,
            episode: None,
            by_mean: false,
            calm: 0,
            calm_from: 0,
            done: Vec::new(),
        }
    }
}

impl Watch {
    /// Takes the point `at` with a finite value; gives back how far it is beyond everything before, from 0
    /// to 1 with 0.5 at the alarm. A point that was not measured is simply not taken.
    pub fn take(&mut self, at: usize, value: f64) -> f64 {
        if !value.is_finite() {
            return 0.0;
        }
        self.points += 1;
        self.recent.push(at, value);
        let mut score = 0.0;
        if let Some(level) = self.memory.level() {
            let far = self.distances(&level, value);
            for (most, now) in self.current.iter_mut().zip(far) {
                *most = most.max(now);
            }
            if self.memory.is_settled() {
                score = self.judge(at, &level, far);
            }
            self.follow(at, value, &level);
        }
        if self.memory.take(value) {
            let most = std::mem::take(&mut self.current);
            self.turn_over(most);
        }
        score
    }

    /// A block is full: its largest distances wait for two more blocks before they are the record.
    fn turn_over(&mut self, most: Distances) {
        for (record, old) in self.records.iter_mut().zip(self.waiting[0]) {
            *record = record.max(old);
        }
        self.waiting = [self.waiting[1], most];
    }

    /// Whether the next point begins a block.
    pub(in crate::analysis::episode) const fn between_blocks(&self) -> bool {
        self.memory.is_between()
    }

    /// All episodes so far, oldest first; the last may still be open.
    pub fn episodes(&self) -> impl Iterator<Item = &Episode> {
        self.done.iter().chain(&self.episode)
    }

    /// Ends the watch.
    pub fn finish(mut self) -> Vec<Episode> {
        self.done.extend(self.episode);
        self.done
    }

    fn distances(&self, level: &Level, value: f64) -> Distances {
        let above = value - level.near;
        let shift = match self.recent.mean() {
            Some(mean) => (mean - level.far).abs() * level.per_stray,
            None => 0.0,
        };
        [above.max(0.0), (-above).max(0.0), shift]
    }

    fn judge(&mut self, at: usize, level: &Level, far: Distances) -> f64 {
        let gate = GATE * level.stray + Level::faint(level.near);
        if far[0] <= gate && far[1] <= gate && far[SHIFT] <= MEAN_GATE {
            return 0.0;
        }
        let mut best = (0.0_f64, 0);
        for (i, (distance, record)) in far.into_iter().zip(self.records).enumerate() {
            let least = if i == SHIFT { MEAN_GATE } else { gate };
            if distance > least && distance > best.0 * record {
                best = (distance / record.max(f64::MIN_POSITIVE), i);
            }
        }
        let (beyond, which) = best;
        let needed = MARGIN + YOUNG / self.points as f64;
        let score = if beyond.is_finite() { beyond / (beyond + needed) } else { 1.0 };
        if beyond > needed && self.alarmed.is_none_or(|last| self.points - last > QUIET) {
            self.alarmed = Some(self.points);
            self.tell(at, level, which, score);
        } else if beyond > needed && (which != SHIFT || self.by_mean) {
            // The same trouble once more: what had ended has not. A mean that is far only because of points
            // that have been told is no trouble once more.
            if let Some(episode) = &mut self.episode {
                episode.recovery = None;
                episode.confidence = episode.confidence.max(score);
            }
        }
        score
    }

    fn tell(&mut self, at: usize, level: &Level, which: usize, score: f64) {
        self.calm = 0;
        if let Some(open) = self.episode.as_mut().filter(|e| e.recovery.is_none()) {
            open.alarms.push(at);
            open.confidence = open.confidence.max(score);
            return;
        }
        self.done.extend(self.episode.take());
        self.by_mean = which == SHIFT;
        let usual = if self.by_mean { level.far } else { level.near };
        let rose = match which {
            0 => true,
            1 => false,
            _ => self.recent.mean().is_some_and(|mean| mean > usual),
        };
        let stray = level.stray;
        let away = if self.by_mean { self.recent.mean() } else { self.recent.newest_first().next().map(|p| p.1) };
        let slack = (SLACK * stray).min(away.map_or(0.0, |v| (v - usual).abs() / 2.0));
        let (onset, peak) = self.recent.began(usual, slack, rose);
        let alarms = vec![at];
        self.episode = Some(Episode { onset, alarms, peak, recovery: None, usual, stray, rose, confidence: score });
    }

    /// Peak and recovery of the open episode. The band is the one it left, or wherever the level has gone to
    /// since: a lane that found a new normal is not in trouble for ever.
    fn follow(&mut self, at: usize, value: f64, level: &Level) {
        let Some(episode) = self.episode.as_mut().filter(|e| e.recovery.is_none()) else { return };
        if (episode.rose && value > episode.peak.1) || (!episode.rose && value < episode.peak.1) {
            episode.peak = (at, value);
        }
        let (now, gate) = match self.recent.mean() {
            Some(mean) if self.by_mean => (mean, MEAN_GATE / 2.0),
            _ => (value, GATE),
        };
        let width = gate * episode.stray + Level::faint(episode.usual);
        let home = (now - episode.usual).abs() <= width || (now - level.near).abs() <= width;
        if !home {
            self.calm = 0;
            return;
        }
        if self.calm == 0 {
            self.calm_from = at;
        }
        self.calm += 1;
        if self.calm >= CALM {
            episode.recovery = Some(self.calm_from.max(episode.alarms[0]));
            self.calm = 0;
        }
    }
}

/// The last points, for the mean and for dating an onset.
#[derive(Clone, Debug)]
struct Recent {
    points: [(usize, f64); REACH],
    next: usize,
    len: usize,
    /// Of each of the last three full blocks, oldest first: the sum of its points from each of them on.
    tails: [[f64; BLOCK]; MEAN / BLOCK],
    /// The block that fills: how many points, and their sum.
    filled: usize,
    sum: f64,
}

impl Default for Recent {
    fn default() -> Self {
        Self { points: [(0, 0.0); REACH], next: 0, len: 0, tails: [[0.0; BLOCK]; MEAN / BLOCK], filled: 0, sum: 0.0 }
    }
}

impl Recent {
    fn push(&mut self, at: usize, value: f64) {
        self.points[self.next] = (at, value);
        self.next = if self.next + 1 == REACH { 0 } else { self.next + 1 };
        self.len = (self.len + 1).min(REACH);
        self.filled += 1;
        self.sum += value;
        if self.filled == BLOCK {
            let mut tail = [0.0; BLOCK];
            let mut sum = 0.0;
            for (place, (_, value)) in tail.iter_mut().rev().zip(self.newest_first()) {
                sum += value;
                *place = sum;
            }
            self.tails = [self.tails[1], self.tails[2], tail];
            (self.filled, self.sum) = (0, 0.0);
        }
    }

    /// Mean of the last `MEAN` points. Put together from sums of blocks: a running sum would keep the
    /// rounding of a value long gone.
    fn mean(&self) -> Option<f64> {
        let [oldest, middle, newest] = &self.tails;
        let sum = || oldest[self.filled] + middle[0] + newest[0] + self.sum;
        (self.len >= MEAN).then(|| sum() / MEAN as f64)
    }

    fn newest_first(&self) -> impl Iterator<Item = (usize, f64)> {
        (1..=self.len).map(|back| self.points[(self.next + REACH - back) % REACH])
    }

    /// Where an excursion began and its farthest point: the beginning from which the sum of what exceeds
    /// `slack` is largest, as Page's CUSUM dates a change.
    fn began(&self, usual: f64, slack: f64, rose: bool) -> (usize, (usize, f64)) {
        let side = if rose { 1.0 } else { -1.0 };
        let (mut sum, mut most) = (0.0, f64::NEG_INFINITY);
        let mut farthest = f64::NEG_INFINITY;
        let (mut onset, mut peak, mut so_far) = (0, (0, usual), (0, usual));
        for (at, value) in self.newest_first() {
            let away = side * (value - usual);
            sum += away - slack;
            if away > farthest {
                farthest = away;
                so_far = (at, value);
            }
            if sum > most {
                (most, onset, peak) = (sum, at, so_far);
            }
        }
        (onset, peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_the_last_thirty_points_and_forgets_what_is_gone() {
        let value = |i: usize| if i == 7 { 1e18 } else { (i * i % 17) as f64 };
        let mut recent = Recent::default();
        for i in 0..200 {
            recent.push(i, value(i));
            let plain = || (i + 1 - MEAN..=i).map(value).sum::<f64>() / MEAN as f64;
            match recent.mean() {
                None => assert!(i + 1 < MEAN),
                Some(mean) => assert!((mean - plain()).abs() <= 1e-12 * plain(), "{i}: {mean}"),
            }
        }
    }
}
