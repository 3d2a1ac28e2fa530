//! Ten points at once, where nothing happens in them: what a day costs when it is read anew.
//!
//! Of a quiet block only its median, its strays and its largest distances are remembered, and none of its
//! points scores. That can be seen before anything is changed; so such a block is taken whole, to the same
//! bits as point by point, and every other one is left to [`Watch::take`].

use super::{Distances, GATE, MEAN, MEAN_GATE, Recent, SHIFT, Watch};
use crate::analysis::episode::memory::{BLOCK, Level};

impl Watch {
    /// Takes a whole block of finite points, the first of which is number `at`, when none of them scores;
    /// says whether it did. Nothing is taken when it did not.
    pub(in crate::analysis::episode) fn takes_quiet(&mut self, at: usize, values: &[f64; BLOCK]) -> bool {
        let open = self.episode.as_ref().is_some_and(|e| e.recovery.is_none());
        let Some(level) = self.memory.level().filter(|_| !open && self.memory.is_settled()) else { return false };
        let Some(sums) = self.recent.sums(values) else { return false };
        let most = farthest(&level, values, &sums.means);
        let gate = GATE * level.stray + Level::faint(level.near);
        if !(most[0] <= gate && most[1] <= gate && most[SHIFT] <= MEAN_GATE) {
            return false;
        }
        self.points += BLOCK;
        self.recent.push_block(at, values, sums.tail);
        self.memory.take_block(&level, values);
        self.turn_over(most);
        true
    }
}

/// The largest distances among the points of a block.
fn farthest(level: &Level, values: &[f64; BLOCK], means: &[f64; BLOCK]) -> Distances {
    let mut most = [0.0; 3];
    for (value, mean) in values.iter().zip(means) {
        let above = value - level.near;
        let shift = (mean - level.far).abs() * level.per_stray;
        for (most, now) in most.iter_mut().zip([above, -above, shift]) {
            *most = if now > *most { now } else { *most };
        }
    }
    most
}

/// Sums of a block that is not taken yet.
struct Sums {
    /// Mean of the last thirty points at each of its points.
    means: [f64; BLOCK],
    /// The sum of its points from each of them on.
    tail: [f64; BLOCK],
}

impl Recent {
    /// None in the middle of a block, and as long as there are too few points for a mean.
    fn sums(&self, values: &[f64; BLOCK]) -> Option<Sums> {
        if self.filled != 0 || self.len < MEAN {
            return None;
        }
        let [oldest, middle, newest] = &self.tails;
        let mut tail = [0.0; BLOCK];
        let mut sum = 0.0;
        for (place, value) in tail.iter_mut().zip(values).rev() {
            sum += value;
            *place = sum;
        }
        let mut means = [0.0; BLOCK];
        let mut sum = 0.0;
        for ((mean, value), oldest) in means.iter_mut().zip(values).zip(&oldest[1..]) {
            sum += value;
            *mean = (oldest + middle[0] + newest[0] + sum) / MEAN as f64;
        }
        means[BLOCK - 1] = (middle[0] + newest[0] + tail[0]) / MEAN as f64;
        Some(Sums { means, tail })
    }

    fn push_block(&mut self, at: usize, values: &[f64; BLOCK], tail: [f64; BLOCK]) {
        let places = self.points[self.next..].iter_mut().zip(values);
        for (i, (place, value)) in places.enumerate() {
            *place = (at + i, *value);
        }
        self.next = if self.next + BLOCK == self.points.len() { 0 } else { self.next + BLOCK };
        self.len = (self.len + BLOCK).min(self.points.len());
        self.tails = [self.tails[1], self.tails[2], tail];
    }
}
