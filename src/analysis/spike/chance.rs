//! How likely so many events are by chance. Knows counts and rates, nothing else.

/// An upper bound of the chance of `count` events or more where `mean` are expected: Chernoff's bound of a
/// Poisson tail, `exp(count − mean − count · ln(count / mean))`. It is never too sure, and costs one logarithm.
pub fn at_least(count: f64, mean: f64) -> f64 {
    if count <= mean {
        return 1.0;
    }
    if mean <= 0.0 {
        return 0.0;
    }
    (count - mean - count * (count / mean).ln()).exp()
}

/// The chance of `count` events or more in a stretch, after `before` of them in one that was `times` as long.
///
/// The rate itself is not known, only what was seen of it: with Jeffreys' prior for a rate (half an event in no
/// time) the count is distributed as a negative binomial of `before + ½`. So one event in a minute after two
/// quiet hours is no news, and five are.
pub fn after(count: u32, before: f64, times: f64) -> f64 {
    let shape = before + 0.5;
    let stays = times / (times + 1.0);
    let mut term = stays.powf(shape);
    let mut fewer = 0.0;
    for i in 0..count {
        fewer += term;
        if term < 1e-18 && f64::from(i) > shape / times.max(1e-9) {
            break;
        }
        term *= (shape + f64::from(i)) / f64::from(i + 1) * (1.0 - stays);
    }
    (1.0 - fewer).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_above_the_tail_and_not_by_much() {
        // Tails of Poisson distributions, from a table.
        for (count, mean, tail) in [(5.0, 1.0, 0.003_66), (10.0, 2.0, 4.65e-5), (30.0, 15.0, 4.18e-4)] {
            let bound = at_least(count, mean);
            assert!(bound >= tail && bound < 20.0 * tail, "{count} of {mean}: {bound}");
        }
        assert_eq!((at_least(2.0, 3.0), at_least(1.0, 0.0)), (1.0, 0.0));
    }

    #[test]
    fn what_never_happened_is_news_when_it_happens_more_than_once_or_twice() {
        // 0 events in 100 minutes, then in one minute: (½)(3/2)…(k−½)/k! · (1/101)^k, and a little more.
        let expected = [1.0, 0.004_96, 3.67e-5, 3.0e-7];
        for (count, expected) in expected.into_iter().enumerate() {
            let found = after(count as u32, 0.0, 100.0);
            assert!((found - expected).abs() <= 0.05 * expected, "{count}: {found}");
        }
        assert!(after(5, 100.0, 20.0) > 0.3, "five where five are usual");
        assert!(after(1_000_000, 3.0, 20.0) < 1e-9, "and counting ends");
    }
}
