//! What can be measured of the platform, in buckets of ten seconds: sums, peaks and how long things took.

use super::agenda::Ms;

/// Length of a bucket.
pub const BUCKET: Ms = 10_000;

/// Upper bounds of the histogram of durations, in milliseconds; the last bucket has none.
pub const BOUNDS: [f32; 23] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 350.0, 500.0, 700.0, 900.0, 1_200.0, 1_500.0, 1_800.0, 2_200.0,
    2_700.0, 3_500.0, 4_500.0, 5_500.0, 7_500.0, 10_500.0, 15_000.0,
];

/// How often something took how long.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    counts: [f32; BOUNDS.len() + 1],
    /// How many.
    pub n: f32,
    /// Their sum in milliseconds.
    pub sum: f32,
}

impl Took {
    /// `n` times `ms`.
    pub fn add(&mut self, n: f64, ms: f64) {
        let (n, ms) = (n as f32, ms as f32);
        self.counts[BOUNDS.partition_point(|b| *b < ms)] += n;
        self.n += n;
        self.sum += n * ms;
    }

    /// How many took at most so long.
    pub fn up_to(&self, ms: f32) -> f32 {
        self.counts[..=BOUNDS.partition_point(|b| *b < ms).min(BOUNDS.len())].iter().sum()
    }

    /// All of both.
    pub fn join(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(a, b)| *a += b);
        self.n += other.n;
        self.sum += other.sum;
    }

    /// The share `q` of them took at most so many milliseconds, as far as the histogram knows; none of nothing.
    pub fn quantile(&self, q: f32) -> Option<f32> {
        let rank = self.n * q;
        let mut below = 0.0;
        for (i, n) in self.counts.iter().enumerate() {
            if below + n >= rank && *n > 0.0 {
                let (from, to) = (if i == 0 { 0.0 } else { BOUNDS[i - 1] }, BOUNDS.get(i).unwrap_or(&20_000.0));
                return Some(from + (to - from) * ((rank - below) / n).clamp(0.0, 1.0));
            }
            below += n;
        }
        None
    }

    /// On average.
    pub fn mean(&self) -> Option<f32> {
        (self.n > 0.0).then(|| self.sum / self.n)
    }
}

/// Ten seconds. Counts are of the bucket, peaks of its worst tick, states as of its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// Users.
    pub users: f32,
    /// Requests that came, and those that failed for any reason.
    pub came: f32,
    /// Requests that were refused a connection.
    pub refused: f32,
    /// Requests that failed by themselves.
    pub faults: f32,
    /// Waits for a connection, of requests and of steps.
    pub wait: Took,
    /// Of them, those that found none at once.
    pub waited: f32,
    /// Steps of orders that gave up waiting.
    pub starved: f32,
    /// Connections in use at the worst, and on average.
    pub used: f32,
    /// Connections in use, times milliseconds.
    pub used_sum: f32,
    /// Milliseconds.
    pub ticks: f32,
    /// Waiting for a connection at the worst.
    pub queued: f32,
    /// Sessions that run a statement, at the worst.
    pub running: f32,
    /// That wait for a row.
    pub locked: f32,
    /// The longest line at one row.
    pub line: f32,
    /// With an idle transaction open.
    pub idle_open: f32,
    /// How much slower statements were.
    pub slow: f32,
    /// Transactions ended well, and rolled back.
    pub commits: f32,
    /// Rolled back.
    pub rollbacks: f32,
    /// Deadlocks.
    pub deadlocks: f32,
    /// Orders born, completed, failed or expired.
    pub born: f32,
    /// Completed.
    pub completed: f32,
    /// Sagas that gave up.
    pub gave_up: f32,
    /// Calls to UPG.
    pub calls: f32,
    /// Calls that the caller gave up on.
    pub timeouts: f32,
    /// Calls that failed for the breaker.
    pub failed: f32,
    /// Calls that the breaker refused.
    pub rejected: f32,
    /// Share of ticks the breaker was open.
    pub open: f32,
    /// Times it opened.
    pub opened: f32,
    /// How long UPG took, by its own clock.
    pub upg: Took,
    /// How long the gateway took.
    pub gateway: Took,
    /// UPG's workers that are busy, at the worst.
    pub upg_busy: f32,
    /// Payments waiting for one.
    pub upg_line: f32,
    /// Payments that settled.
    pub paid: f32,
    /// Attempts to tell Head Office.
    pub told: f32,
    /// Of them acknowledged.
    pub acknowledged: f32,
    /// How long Head Office took.
    pub ho: Took,
    /// Callbacks that are neither acknowledged nor given up.
    pub pending: f32,
    /// Callbacks given up.
    pub dead: f32,
    /// Head Office's records.
    pub booked: f32,
    /// Goroutines of all MRG pods.
    pub goroutines: f32,
    /// Memory of the fullest pod, MiB.
    pub heap: f32,
    /// Share of the processor that collects garbage.
    pub gc: f32,
    /// Whether the Orchestrator answers: 1 or 0.
    pub up: f32,
    /// Pods that were ended.
    pub restarts: f32,
    /// Numbers used so far.
    pub ids: f32,
}

/// All buckets of a day.
#[derive(Clone, Debug, Default)]
pub struct Meter(Vec<Bucket>);

impl Meter {
    /// The bucket of an instant.
    pub fn at(&mut self, at: Ms) -> &mut Bucket {
        let i = (at.max(0) / BUCKET) as usize;
        if i >= self.0.len() {
            self.0.resize(i + 1, Bucket::default());
        }
        &mut self.0[i]
    }

    /// Buckets from one instant to another; what there is of them.
    pub fn between(&self, from: Ms, to: Ms) -> &[Bucket] {
        let n = self.0.len();
        let (a, b) = ((from.max(0) / BUCKET) as usize, (to.max(0) / BUCKET) as usize);
        &self.0[a.min(n)..b.clamp(a.min(n), n)]
    }
}

/// Several buckets as one.
pub fn together(buckets: &[Bucket]) -> Bucket {
    let mut all = Bucket::default();
    for b in buckets {
        all.join(b);
    }
    let n = buckets.len().max(1) as f32;
    all.users /= n;
    all.slow /= n;
    all.open /= n;
    all
}

impl Bucket {
    fn join(&mut self, b: &Self) {
        self.wait.join(&b.wait);
        self.upg.join(&b.upg);
        self.gateway.join(&b.gateway);
        self.ho.join(&b.ho);
        for (sum, x) in [
            (&mut self.users, b.users),
            (&mut self.came, b.came),
            (&mut self.refused, b.refused),
            (&mut self.faults, b.faults),
            (&mut self.waited, b.waited),
            (&mut self.starved, b.starved),
            (&mut self.used_sum, b.used_sum),
            (&mut self.ticks, b.ticks),
            (&mut self.slow, b.slow),
            (&mut self.commits, b.commits),
            (&mut self.rollbacks, b.rollbacks),
            (&mut self.deadlocks, b.deadlocks),
            (&mut self.born, b.born),
            (&mut self.completed, b.completed),
            (&mut self.gave_up, b.gave_up),
            (&mut self.calls, b.calls),
            (&mut self.timeouts, b.timeouts),
            (&mut self.failed, b.failed),
            (&mut self.rejected, b.rejected),
            (&mut self.open, b.open),
            (&mut self.opened, b.opened),
            (&mut self.paid, b.paid),
            (&mut self.told, b.told),
            (&mut self.acknowledged, b.acknowledged),
            (&mut self.dead, b.dead),
            (&mut self.booked, b.booked),
            (&mut self.restarts, b.restarts),
        ] {
            *sum += x;
        }
        for (most, x) in [
            (&mut self.used, b.used),
            (&mut self.queued, b.queued),
            (&mut self.running, b.running),
            (&mut self.locked, b.locked),
            (&mut self.line, b.line),
            (&mut self.idle_open, b.idle_open),
            (&mut self.upg_busy, b.upg_busy),
            (&mut self.upg_line, b.upg_line),
            (&mut self.goroutines, b.goroutines),
            (&mut self.heap, b.heap),
            (&mut self.gc, b.gc),
        ] {
            *most = most.max(x);
        }
        (self.pending, self.up, self.ids) = (b.pending, b.up, b.ids);
    }

    /// Connections in use on average.
    pub fn used_mean(&self) -> f32 {
        if self.ticks > 0.0 { self.used_sum / self.ticks } else { 0.0 }
    }

    /// Share of requests that failed, 0 to 100; none when none came.
    pub fn errors(&self) -> Option<f32> {
        (self.came > 0.0).then(|| 100.0 * (self.refused + self.faults) / self.came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_the_bounds_of_its_bucket() {
        let mut took = Took::default();
        (1..=100).for_each(|i| took.add(1.0, f64::from(i) * 10.0));
        let p95 = took.quantile(0.95).unwrap();
        assert!((900.0..=1_200.0).contains(&p95), "{p95}");
        assert!((took.mean().unwrap() - 505.0).abs() < 0.1 && Took::default().quantile(0.5).is_none());
        assert!((took.up_to(500.0) - 50.0).abs() < 0.1);
    }

    #[test]
    fn counts_are_added_and_peaks_are_not() {
        let b = Bucket { came: 5.0, used: 80.0, pending: 3.0, ..Bucket::default() };
        let all = together(&[b, Bucket { used: 60.0, pending: 1.0, ..b }]);
        assert_eq!((all.came, all.used, all.pending), (10.0, 80.0, 1.0));
    }
}
