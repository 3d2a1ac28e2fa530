//! What is normal for a signal, without a unit: its level and how far it strays from it.

/// What no instrument tells apart from the level, as a share of it. Without it a gauge that never moved
/// would be infinitely far from normal after its first step.
const FAINT: f64 = 5e-4;
/// Rows without which nothing is called normal.
const FEWEST: usize = 5;
/// A mean distance, times this, is the standard deviation of a normal distribution: √(π/2).
const TO_DEVIATION: f64 = 1.253_314;

/// Level and stray of a signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// Median, in the signal's unit.
    pub level: f64,
    /// How far it strays, in the signal's unit; never zero.
    pub stray: f64,
}

impl Normal {
    /// From the rows of quiet times; none when too few were measured.
    pub fn of(rows: &[Option<f64>]) -> Option<Self> {
        let mut values: Vec<f64> = rows.iter().flatten().copied().filter(|v| v.is_finite()).collect();
        if values.len() < FEWEST {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let level = crate::analysis::lane::band::quantile(&values, 0.5)?;
        let distance = values.iter().map(|v| (v - level).abs()).sum::<f64>() / values.len() as f64;
        let stray = (TO_DEVIATION * distance).hypot(FAINT * level.abs()).max(1e-12);
        Some(Self { level, stray })
    }

    /// How many strays a value lies above the level; negative below it.
    pub fn strays(&self, value: f64) -> f64 {
        (value - self.level) / self.stray
    }
}

/// Mean of what was measured.
pub fn mean(rows: &[Option<f64>]) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0_usize);
    for value in rows.iter().flatten().filter(|v| v.is_finite()) {
        sum += value;
        n += 1;
    }
    (n > 0).then(|| sum / n as f64)
}
