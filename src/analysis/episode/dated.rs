//! The one episode of a run that is over or still going on, dated over all its signals at once.
//!
//! An episode has flanks: a valve closes over a minute, a pool drains over two. A step fitted to such a
//! change is dated to the middle of its flank, half a minute late; so what is fitted is a trapezoid on top
//! of a straight line, and its foot is the onset. May not know: the store, time, units.

/// Columns a run is boiled down to.
const COLUMNS: usize = 115;
/// Widths of the flanks that are tried, in columns.
const FLANKS: [usize; 4] = [0, 4, 8, 12];
/// The first part of a run teaches what is normal: no episode begins in it.
const LEARNT: usize = 3;
/// An episode is at least this many columns long.
const SHORTEST: usize = 4;
/// Mean distances from the median beyond which a column counts no more: one outlier is no episode.
const CLIPPED: f64 = 8.0;
/// What an episode must explain before it is called one, in units of log likelihood. A trapezoid has four
/// free numbers, and some ten thousand of them are tried: ln(10⁴) and half a unit for each number.
const ENOUGH: f64 = 11.0;

/// The episode of a run, in rows of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dated {
    /// First row of the rising flank.
    pub onset: usize,
    /// Row of the middle of the column farthest from the line of the run, inside the episode.
    pub peak: usize,
    /// First row after the falling flank; none when the run ends before it.
    pub recovery: Option<usize>,
    /// Which signal dates it: the one that shows it most clearly.
    pub signal: usize,
    /// How much better the signal is explained with it than without, as log likelihood; points that follow
    /// each other closely are counted as fewer.
    pub gain: f64,
}

/// Dates the episode of `signals`, all of the same length, one value a row. None when no signal shows one,
/// or the run is too short to hold one.
pub fn dated(signals: &[Vec<Option<f64>>]) -> Option<Dated> {
    let rows = signals.iter().map(Vec::len).max()?;
    let step = rows.div_ceil(COLUMNS).max(1);
    let columns = rows / step;
    if columns < LEARNT * SHORTEST {
        return None;
    }
    let shapes: Vec<Shape> = FLANKS.iter().map(|flank| Shape::new(columns, *flank)).collect();
    let best = signals.iter().enumerate().filter_map(|(i, signal)| {
        let line = Residual::of(&boiled(signal, step, columns)?)?;
        let fit = shapes.iter().filter_map(|s| s.fit(&line)).max_by(|a, b| a.share.total_cmp(&b.share))?;
        Some((i, line.gain(&fit, shapes.iter().find(|s| s.flank == fit.flank)?), fit, line))
    });
    let (signal, gain, fit, line) = best.max_by(|(i, a, ..), (j, b, ..)| a.total_cmp(b).then(j.cmp(i)))?;
    if gain < ENOUGH {
        return None;
    }
    let half = fit.flank as f64 / 2.0;
    let onset = ((fit.from as f64 - half).max(0.0) * step as f64) as usize;
    let end = ((fit.to as f64 + half) * step as f64) as usize;
    let inside = line.values.iter().enumerate().take(fit.to).skip(fit.from);
    let peak = inside.max_by(|(i, a), (j, b)| a.abs().total_cmp(&b.abs()).then(j.cmp(i))).map_or(fit.from, |(i, _)| i);
    let recovery = (fit.to < columns && end < rows).then_some(end);
    Some(Dated { onset, peak: peak * step + step / 2, recovery, signal, gain })
}

/// Means of `step` rows each, as mean distances from their median; a column without a value repeats the one
/// before. None for a signal that never moves or was hardly measured.
fn boiled(signal: &[Option<f64>], step: usize, columns: usize) -> Option<Vec<f64>> {
    let mean = |rows: &[Option<f64>]| {
        let (mut sum, mut n) = (0.0, 0.0);
        for value in rows.iter().flatten().filter(|v| v.is_finite()) {
            sum += value;
            n += 1.0;
        }
        (n > 0.0).then(|| sum / n)
    };
    let means: Vec<Option<f64>> = signal.chunks(step).take(columns).map(mean).collect();
    let mut known: Vec<f64> = means.iter().flatten().copied().collect();
    if known.len() * 2 < columns {
        return None;
    }
    known.sort_by(f64::total_cmp);
    let median = known[known.len() / 2];
    let stray = known.iter().map(|v| (v - median).abs()).sum::<f64>() / known.len() as f64;
    if stray <= f64::EPSILON * median.abs() {
        return None;
    }
    let mut held = 0.0;
    let mut out = Vec::with_capacity(columns);
    for i in 0..columns {
        if let Some(value) = means.get(i).copied().flatten() {
            held = ((value - median) / stray).clamp(-CLIPPED, CLIPPED);
        }
        out.push(held);
    }
    Some(out)
}

/// Takes the straight line out of some numbers: what is left has no level and no slope.
fn straightened(values: &mut [f64]) {
    let n = values.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / n;
    let spread: f64 = (0..values.len()).map(|i| (i as f64 - middle).powi(2)).sum();
    let slope = values.iter().enumerate().map(|(i, v)| (i as f64 - middle) * v).sum::<f64>() / spread.max(1.0);
    for (i, value) in values.iter_mut().enumerate() {
        *value -= mean + slope * (i as f64 - middle);
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// A signal without its straight line.
struct Residual {
    values: Vec<f64>,
    squares: f64,
}

impl Residual {
    fn of(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        straightened(&mut values);
        let squares = product(&values, &values);
        (squares > 1e-9).then_some(Self { values, squares })
    }

    /// Log likelihood won by a fit. What is left after it tells how far points follow each other: with a
    /// correlation of `r` between neighbours, `n` of them are worth `n (1 - r) / (1 + r)` independent ones.
    fn gain(&self, fit: &Fit, shape: &Shape) -> f64 {
        let (from, to) = (&shape.ramps[fit.from], &shape.ramps[fit.to]);
        let left: Vec<f64> =
            self.values.iter().zip(from.iter().zip(to)).map(|(v, (a, b))| v - fit.height * (a - b)).collect();
        let neighbours = product(left.get(1..).unwrap_or_default(), &left);
        let r = (neighbours / product(&left, &left).max(1e-12)).clamp(0.0, 0.999);
        let worth = left.len() as f64 * (1.0 - r) / (1.0 + r);
        -0.5 * worth * (1.0 - fit.share).ln()
    }
}

/// A trapezoid that explains a share of a signal.
struct Fit {
    from: usize,
    to: usize,
    flank: usize,
    height: f64,
    share: f64,
}

/// Ramps of one width, centred before each column; a trapezoid is one ramp less a later one.
struct Shape {
    flank: usize,
    ramps: Vec<Vec<f64>>,
    /// Products of every two ramps.
    products: Vec<Vec<f64>>,
}

impl Shape {
    fn new(columns: usize, flank: usize) -> Self {
        let ramp = |centre: usize| {
            let climbed = |i: usize| {
                let past = i as f64 + 0.5 - centre as f64;
                if flank == 0 { f64::from(past > 0.0) } else { (past / flank as f64 + 0.5).clamp(0.0, 1.0) }
            };
            let mut values: Vec<f64> = (0..columns).map(climbed).collect();
            straightened(&mut values);
            values
        };
        let ramps: Vec<Vec<f64>> = (0..=columns).map(ramp).collect();
        let products = ramps.iter().map(|a| ramps.iter().map(|b| product(a, b)).collect()).collect();
        Self { flank, ramps, products }
    }

    /// The trapezoid of this width that explains the largest share of a signal.
    fn fit(&self, line: &Residual) -> Option<Fit> {
        let columns = line.values.len();
        let heights: Vec<f64> = self.ramps.iter().map(|r| product(r, &line.values)).collect();
        let mut best: Option<Fit> = None;
        for from in columns / LEARNT..=columns {
            for to in from + SHORTEST.max(self.flank)..=columns {
                let size = self.products[from][from] + self.products[to][to] - 2.0 * self.products[from][to];
                if size < 1e-9 {
                    continue;
                }
                let rise = heights[from] - heights[to];
                let share = (rise * rise / size / line.squares).min(0.99999);
                if best.as_ref().is_none_or(|b| share > b.share) {
                    best = Some(Fit { from, to, flank: self.flank, height: rise / size, share });
                }
            }
        }
        best
    }
}
