//! What a lane remembers of itself: its level and how far it strays from it, in a fixed few hundred bytes.
//!
//! Points are taken ten at a time. Ten points leave one median, so that a burst inside them counts once, and
//! the median of the last forty medians is the level: half of four hundred points may be wrong before it
//! moves. May not know: time, units, what an alarm is.

/// Points that make one block.
pub const BLOCK: usize = 10;
/// Blocks the level is made of.
const KEPT: usize = 40;
/// Blocks without which nothing is called a level.
const FEWEST: usize = 2;
/// Blocks by which the farther of the two levels lies behind the nearer.
const BEHIND: usize = 2;
/// What no instrument tells apart from the level, as a share of it.
const FAINT: f64 = 1e-3;
/// What no instrument tells apart from zero.
const TINY: f64 = 1e-9;

/// The level of a lane and how far it strays, as known before the current block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Median of the block medians, without the newest block.
    pub near: f64,
    /// The same two blocks earlier: what a shift of the last three blocks is held against.
    pub far: f64,
    /// Mean distance of a point from the level; infinite as long as too little is known to say.
    pub stray: f64,
    /// One over what a shift from `far` is measured in. Kept, because a division for each point is a fifth of
    /// what a point costs.
    pub per_stray: f64,
}

impl Level {
    /// The least distance from `level` that counts at all.
    pub fn faint(level: f64) -> f64 {
        FAINT * level.abs() + TINY
    }
}

/// The last points of a lane, boiled down.
#[derive(Clone, Debug)]
pub struct Memory {
    block: [f64; BLOCK],
    filled: usize,
    strayed: f64,
    /// The median of the newest block: it joins the level when the next block is full.
    waiting: Option<f64>,
    /// Distance of the newest block, waiting likewise.
    waiting_stray: Option<f64>,
    medians: Ring,
    sorted: Sorted,
    strays: Ring,
    nears: [f64; BEHIND],
    known: usize,
    level: Option<Level>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            block: [0.0; BLOCK],
            filled: 0,
            strayed: 0.0,
            waiting: None,
            waiting_stray: None,
            medians: Ring::default(),
            sorted: Sorted::default(),
            strays: Ring::default(),
            nears: [0.0; BEHIND],
            known: 0,
            level: None,
        }
    }
}

impl Memory {
    /// The level, when enough is known.
    pub const fn level(&self) -> Option<Level> {
        self.level
    }

    /// Whether the record of the past can be compared with: some blocks have been held against a level.
    pub const fn is_settled(&self) -> bool {
        self.strays.len > 0
    }

    /// Takes a finite point; says whether it made a block full.
    pub fn take(&mut self, value: f64) -> bool {
        // The block is kept sorted while it fills: its median is then in its middle.
        let mut i = self.filled;
        while i > 0 && self.block[i - 1] > value {
            self.block[i] = self.block[i - 1];
            i -= 1;
        }
        self.block[i] = value;
        self.filled += 1;
        if let Some(level) = &self.level {
            self.strayed += (value - level.near).abs();
        }
        if self.filled < BLOCK {
            return false;
        }
        self.close(f64::midpoint(self.block[BLOCK / 2 - 1], self.block[BLOCK / 2]));
        true
    }

    /// Whether the next point begins a block.
    pub const fn is_between(&self) -> bool {
        self.filled == 0
    }

    /// Takes a whole block of finite points, between blocks, at the level that is known.
    pub fn take_block(&mut self, level: &Level, values: &[f64; BLOCK]) {
        self.strayed = values.iter().fold(self.strayed, |sum, value| sum + (value - level.near).abs());
        self.close(middle(*values));
    }

    fn close(&mut self, median: f64) {
        if let Some(old) = self.waiting.replace(median) {
            match self.medians.push(old) {
                Some(dropped) => self.sorted.replace(dropped, old),
                None => self.sorted.insert(old),
            }
        }
        if let Some(level) = self.level {
            if let Some(old) = self.waiting_stray.replace(self.strayed / BLOCK as f64) {
                self.strays.push(old);
            }
            self.nears = [self.nears[1], level.near];
            self.known += 1;
        }
        self.filled = 0;
        self.strayed = 0.0;
        if self.medians.len < FEWEST {
            return;
        }
        let near = self.sorted.median();
        let far = if self.known >= BEHIND { self.nears[0] } else { near };
        let stray = self.strays.mean().unwrap_or(f64::INFINITY);
        self.level = Some(Level { near, far, stray, per_stray: 1.0 / (stray + Level::faint(far)) });
    }
}

/// Comparisons that put ten numbers in order, whichever they are: the shortest network for ten known (29
/// comparators, Waksman 1969, in Knuth's "The Art of Computer Programming", volume 3, 5.3.4). No branch of
/// it has to be guessed, and half of what a point costs was guessing wrong.
const NETWORK: [(usize, usize); 29] = [
    (0, 8),
    (1, 9),
    (2, 7),
    (3, 5),
    (4, 6),
    (0, 2),
    (1, 4),
    (5, 8),
    (7, 9),
    (0, 3),
    (2, 4),
    (5, 7),
    (6, 9),
    (0, 1),
    (3, 6),
    (8, 9),
    (1, 5),
    (2, 3),
    (4, 8),
    (6, 7),
    (1, 2),
    (3, 5),
    (4, 6),
    (7, 8),
    (2, 3),
    (4, 5),
    (6, 7),
    (3, 4),
    (5, 6),
];

/// The median of a block of finite numbers.
fn middle(mut block: [f64; BLOCK]) -> f64 {
    for (i, j) in NETWORK {
        let (a, b) = (block[i], block[j]);
        (block[i], block[j]) = if b < a { (b, a) } else { (a, b) };
    }
    f64::midpoint(block[BLOCK / 2 - 1], block[BLOCK / 2])
}

/// The last `KEPT` numbers in order of arrival.
#[derive(Clone, Debug)]
struct Ring {
    values: [f64; KEPT],
    next: usize,
    len: usize,
}

impl Default for Ring {
    fn default() -> Self {
        Self { values: [0.0; KEPT], next: 0, len: 0 }
    }
}

impl Ring {
    /// Takes one in; gives back the one that had to go.
    fn push(&mut self, value: f64) -> Option<f64> {
        let old = std::mem::replace(&mut self.values[self.next], value);
        self.next = (self.next + 1) % KEPT;
        if self.len == KEPT {
            return Some(old);
        }
        self.len += 1;
        None
    }

    /// Summed anew each time: a running sum would keep the rounding of a value long gone. In four sums side
    /// by side, for a processor adds faster than it can wait for a sum; places not yet taken hold zero.
    fn mean(&self) -> Option<f64> {
        let mut sums = [0.0; 4];
        for four in self.values.chunks_exact(4) {
            sums.iter_mut().zip(four).for_each(|(sum, v)| *sum += v);
        }
        (self.len > 0).then(|| sums.iter().sum::<f64>() / self.len as f64)
    }
}

/// The same numbers by size.
#[derive(Clone, Debug)]
struct Sorted {
    values: [f64; KEPT],
    len: usize,
}

impl Default for Sorted {
    fn default() -> Self {
        Self { values: [0.0; KEPT], len: 0 }
    }
}

impl Sorted {
    fn insert(&mut self, value: f64) {
        let at = self.below(value);
        self.values.copy_within(at..self.len, at + 1);
        self.values[at] = value;
        self.len += 1;
    }

    /// Takes `new` in for `old`, which is there. Only what lies between the two moves.
    fn replace(&mut self, old: f64, new: f64) {
        let (from, to) = (self.below(old), self.below(new));
        if from < to {
            self.values.copy_within(from + 1..to, from);
            self.values[to - 1] = new;
        } else {
            self.values.copy_within(to..from, to + 1);
            self.values[to] = new;
        }
    }

    /// How many are smaller: counted, for forty comparisons side by side cost less than six in a row.
    fn below(&self, value: f64) -> usize {
        self.values[..self.len].iter().map(|v| usize::from(*v < value)).sum()
    }

    fn median(&self) -> f64 {
        let half = self.len / 2;
        if self.len.is_multiple_of(2) {
            f64::midpoint(self.values[half - 1], self.values[half])
        } else {
            self.values[half]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_puts_whatever_there_is_in_order() {
        // What orders every ten zeros and ones orders every ten numbers (Knuth's 0-1 principle).
        for which in 0..1_u32 << BLOCK {
            let block: [f64; BLOCK] = std::array::from_fn(|i| f64::from(which >> i & 1));
            let ones = which.count_ones() as usize;
            let expected = match ones.cmp(&(BLOCK / 2)) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 1.0,
            };
            assert!((middle(block) - expected).abs() < 1e-9, "{which:b}");
        }
    }

    #[test]
    fn what_is_replaced_stays_in_order() {
        let mut sorted = Sorted::default();
        let mut plain: Vec<f64> = (0..KEPT).map(|i| (i * 17 % 23) as f64).collect();
        for value in &plain {
            sorted.insert(*value);
        }
        for i in 0..200 {
            let (old, new) = (plain[i % KEPT], (i * 31 % 29) as f64);
            plain[i % KEPT] = new;
            sorted.replace(old, new);
            let mut expected = plain.clone();
            expected.sort_by(f64::total_cmp);
            assert_eq!(sorted.values.to_vec(), expected);
        }
    }
}
