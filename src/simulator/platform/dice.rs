//! Chance, from one seed.

/// The dice of a world.
#[derive(Debug)]
pub struct Dice {
    rng: fastrand::Rng,
    spare: Option<f64>,
}

impl Dice {
    /// The same seed falls the same way.
    pub fn new(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), spare: None }
    }

    /// From 0 up to 1.
    pub fn share(&mut self) -> f64 {
        self.rng.f64()
    }

    /// True so often.
    pub fn chance(&mut self, share: f64) -> bool {
        self.rng.f64() < share
    }

    /// From `a` up to `b`.
    pub fn between(&mut self, a: f64, b: f64) -> f64 {
        a + (b - a) * self.rng.f64()
    }

    /// A whole number below `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        self.rng.u32(0..n.max(1))
    }

    /// By weight.
    pub fn pick<T>(&mut self, from: &[(T, u32)]) -> u8 {
        let mut n = self.rng.u32(0..from.iter().map(|(_, w)| w).sum());
        for (i, (_, weight)) in from.iter().enumerate() {
            if n < *weight {
                return i as u8;
            }
            n -= weight;
        }
        0
    }

    /// A bell around 0 with deviation 1, two at a time by the method of Box and Muller.
    pub fn bell(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.rng.f64()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.rng.f64()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Around `median`, never below 0, with a long tail upwards.
    pub fn tailed(&mut self, median: f64, spread: f64) -> f64 {
        median * (spread * self.bell()).exp()
    }

    /// Until the next of something that happens `rate` times a second, in milliseconds.
    pub fn next_in(&mut self, rate: f64) -> f64 {
        -(1.0 - self.rng.f64()).ln() * 1_000.0 / rate.max(1e-6)
    }
}
