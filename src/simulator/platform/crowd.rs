//! How many users there are: the hours of a Sunday, and the spike on top.

use super::agenda::Ms;
use crate::simulator::scenario::{Scenario, Settings};
use crate::simulator::story::clock;

const HOUR: f64 = 3_600_000.0;

/// The crowd of one day.
#[derive(Clone, Debug)]
pub struct Crowd {
    normal: f64,
    more: f64,
    spike: Option<(Ms, Ms, Ms)>,
}

impl Crowd {
    /// As a scenario has it.
    pub fn new(scenario: &Scenario, first: &Settings) -> Self {
        let ms = |at: crate::model::Stamp| at.since(clock(0, 0, 0)).0 / 1_000;
        let spike = scenario.spike().map(|(a, b, c)| (ms(a), ms(b), ms(c)));
        let t = &first.traffic;
        Self { normal: t.normal_users, more: t.peak_users - t.normal_users, spike }
    }

    /// Users at an instant, before any noise.
    pub fn users(&self, at: Ms) -> f64 {
        self.normal * hours(at) + self.more * self.spike(at)
    }

    /// 0 without a spike, 1 at its peak; 4 of 100 of it stay.
    fn spike(&self, at: Ms) -> f64 {
        let Some((from, peak, until)) = self.spike else { return 0.0 };
        ramp(at, from, peak) - 0.96 * ramp(at, peak + 120_000, until)
    }
}

/// 0 before `from`, 1 after `to`, smooth between.
fn ramp(at: Ms, from: Ms, to: Ms) -> f64 {
    let x = ((at - from) as f64 / (to - from).max(1) as f64).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// How busy an hour of a Sunday is: 1 in the evening, a fifth before dawn.
fn hours(at: Ms) -> f64 {
    let h = at as f64 / HOUR;
    let up = |from: f64, to: f64| {
        let x = ((h - from) / (to - from)).clamp(0.0, 1.0);
        x * x * (3.0 - 2.0 * x)
    };
    0.2 + 0.5 * up(5.0, 10.0) + 0.3 * up(15.0, 18.0) - 0.5 * up(22.0, 24.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::scenario::named;

    #[test]
    fn the_crowd_is_77_000_at_the_peak_and_under_30_000_before() {
        let s = named("pool").unwrap();
        let crowd = Crowd::new(&s, s.first());
        let at = |h: i64, m: i64| crowd.users((h * 60 + m) * 60_000);
        assert!((at(19, 55) - 77_000.0).abs() < 1.0, "{}", at(19, 55));
        assert!(at(19, 0) < 30_000.0 && at(3, 0) < 6_000.0 && at(21, 30) < 31_000.0);
    }
}
