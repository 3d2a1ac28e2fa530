//! Suspects with topology: who calls whom, who is unwell, and so who is the cause and who only suffers.
//!
//! Trouble climbs from callee to caller. An unwell service that calls an unwell one is a consequence; one
//! whose callees are all well is a cause. May not know: the store, time, units, names; services are numbers.

#[cfg(test)]
mod tests;

use crate::analysis::onset::Normal;
use crate::model::series::Bad;

/// Strays from which a service is unwell. One service in some thousand is beyond it by chance, and the
/// deepest of them heads the list.
pub const UNWELL: f64 = 4.0;

/// What a service is in the trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Unwell, and nothing it calls is; or it is unwell in a circle of calls that nothing else explains.
    Cause,
    /// Unwell, and so is something it calls.
    Consequence,
    /// Well.
    Well,
    /// Nothing was measured.
    Unmeasured,
}

/// One service in the ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// Which, by its number.
    pub service: usize,
    /// What it is.
    pub standing: Standing,
    /// How unwell it is, in strays; none when nothing was measured.
    pub strength: Option<f64>,
    /// Unwell services that call it, directly or through unwell ones: what it explains.
    pub explains: Vec<usize>,
    /// Unwell services it calls, directly: what it suffers from.
    pub suffers_from: Vec<usize>,
}

/// Ranks every service, so that the answer is never empty: causes first, the one that explains most before
/// the others; then consequences, the deepest first; then the rest by strength.
///
/// `calls` are pairs of caller and callee; `alarm` is the service somebody was alarmed about, which counts
/// as unwell, and whose callees come before everything it cannot reach.
pub fn rank(calls: &[(usize, usize)], strengths: &[Option<f64>], alarm: Option<usize>) -> Vec<Suspect> {
    let house = House::new(calls, strengths, alarm);
    let mut out: Vec<(Key, Suspect)> = (0..strengths.len()).map(|service| house.suspect(service)).collect();
    out.sort_by(|(a, x), (b, y)| a.compare(b).then(x.service.cmp(&y.service)));
    out.into_iter().map(|(_, suspect)| suspect).collect()
}

/// What the ranking is by.
struct Key {
    standing: Standing,
    unreached: bool,
    /// Larger comes first.
    weight: f64,
}

impl Key {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        // A cause that the alarm cannot reach is trouble of somebody else, and still trouble.
        (self.standing, self.unreached)
            .cmp(&(other.standing, other.unreached))
            .then(other.weight.total_cmp(&self.weight))
    }
}

struct House<'a> {
    strengths: &'a [Option<f64>],
    callees: Vec<Vec<usize>>,
    /// Calls among unwell services alone, and the same the other way round.
    unwell_below: Vec<Vec<usize>>,
    unwell_above: Vec<Vec<usize>>,
    unwell: Vec<bool>,
    /// Calls from the alarm down to each service.
    depth: Vec<Option<usize>>,
    alarmed: bool,
}

impl<'a> House<'a> {
    fn new(calls: &[(usize, usize)], strengths: &'a [Option<f64>], alarm: Option<usize>) -> Self {
        let n = strengths.len();
        let is_unwell = |i: usize| alarm == Some(i) || strengths[i].is_some_and(|s| s >= UNWELL);
        let unwell: Vec<bool> = (0..n).map(is_unwell).collect();
        let mut callees = vec![Vec::new(); n];
        let mut unwell_below = vec![Vec::new(); n];
        let mut unwell_above = vec![Vec::new(); n];
        for &(caller, callee) in calls.iter().filter(|(a, b)| *a < n && *b < n && a != b) {
            callees[caller].push(callee);
            if unwell[caller] && unwell[callee] {
                unwell_below[caller].push(callee);
                unwell_above[callee].push(caller);
            }
        }
        let depth = alarm.filter(|a| *a < n).map_or_else(|| vec![None; n], |a| reach(&callees, a));
        Self { strengths, callees, unwell_below, unwell_above, unwell, depth, alarmed: alarm.is_some() }
    }

    fn suspect(&self, service: usize) -> (Key, Suspect) {
        let explains = reached(&self.unwell_above, service);
        let standing = match (self.unwell[service], self.strengths[service]) {
            (true, _) if self.is_cause(service) => Standing::Cause,
            (true, _) => Standing::Consequence,
            (false, Some(_)) => Standing::Well,
            (false, None) => Standing::Unmeasured,
        };
        let weight = match standing {
            Standing::Cause => self.evidence(service) + explains.iter().map(|s| self.evidence(*s)).sum::<f64>(),
            Standing::Consequence if self.alarmed => self.depth[service].map_or(-1.0, |d| d as f64),
            Standing::Consequence => -(reached(&self.callees, service).len() as f64),
            Standing::Well | Standing::Unmeasured => self.strengths[service].unwrap_or(f64::MIN),
        };
        let unreached = self.alarmed && self.depth[service].is_none();
        let suffers_from = self.unwell_below[service].clone();
        let strength = self.strengths[service];
        (Key { standing, unreached, weight }, Suspect { service, standing, strength, explains, suffers_from })
    }

    /// Whether everything unwell below a service calls back to it: then nothing deeper explains it.
    fn is_cause(&self, service: usize) -> bool {
        let below = reached(&self.unwell_below, service);
        below.iter().all(|other| reached(&self.unwell_below, *other).contains(&service))
    }

    /// Grows slowly: ten times the strays is not ten times the evidence.
    fn evidence(&self, service: usize) -> f64 {
        self.strengths[service].unwrap_or(0.0).max(0.0).ln_1p()
    }
}

/// Steps from `start` to each number along `ways`.
fn reach(ways: &[Vec<usize>], start: usize) -> Vec<Option<usize>> {
    let mut steps = vec![None; ways.len()];
    steps[start] = Some(0);
    let mut next = std::collections::VecDeque::from([(start, 0)]);
    while let Some((at, so_far)) = next.pop_front() {
        for &to in &ways[at] {
            if steps[to].is_none() {
                steps[to] = Some(so_far + 1);
                next.push_back((to, so_far + 1));
            }
        }
    }
    steps
}

/// Everything reached from `start` but itself, in order of number.
fn reached(ways: &[Vec<usize>], start: usize) -> Vec<usize> {
    let steps = reach(ways, start);
    steps.iter().enumerate().filter(|(i, s)| *i != start && s.is_some()).map(|(i, _)| i).collect()
}

/// How much worse a service is while the alarm rings than while it does not, in strays.
///
/// What has been odd for days is odd in every row and comes to nothing here; what happens with the alarm
/// stands out. `alarm` and `service` are rows of the same instants, each with its own normal; the alarm
/// rings where it is at half its own worst or beyond. None when nothing was measured while it rang.
pub fn with_alarm(alarm: Measured<'_>, service: Measured<'_>) -> Option<f64> {
    let alarm: Vec<Option<f64>> = alarm.harm().collect();
    let worst = alarm.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut ringing, mut silent) = (Mean::default(), Mean::default());
    for (alarm, harm) in alarm.into_iter().zip(service.harm()) {
        let Some(harm) = harm else { continue };
        if alarm.is_some_and(|a| a >= worst / 2.0) { ringing.add(harm) } else { silent.add(harm) }
    }
    Some(ringing.get()? - silent.get().unwrap_or(0.0).max(0.0))
}

/// Rows with what is normal for them.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// One value a row.
    pub rows: &'a [Option<f64>],
    /// What is normal.
    pub normal: Normal,
    /// Which side is bad.
    pub bad: Bad,
}

impl Measured<'_> {
    /// Strays on the bad side of each row, negative on the other.
    fn harm(self) -> impl Iterator<Item = Option<f64>> {
        self.rows.iter().map(move |v| {
            let strays = self.normal.strays(v.filter(|v| v.is_finite())?);
            Some(match self.bad {
                Bad::High => strays,
                Bad::Low => -strays,
                Bad::Both => strays.abs(),
            })
        })
    }
}

#[derive(Default)]
struct Mean {
    sum: f64,
    n: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1.0;
    }
    fn get(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.sum / self.n)
    }
}
