//! The wall clock, read in one place; and clocks of other days, for worlds that are played.

use crate::model::Stamp;
use std::sync::Arc;

/// Now, in UTC microseconds.
#[expect(clippy::disallowed_methods, reason = "the one place below runtime where a source says when it saw something")]
pub fn now() -> Stamp {
    Stamp(chrono::Utc::now().timestamp_micros())
}

/// What a source takes for now: the wall's clock, or that of a world that is played on another day. Waiting
/// is always real time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Stamp + Send + Sync>);

impl Clock {
    /// The wall's.
    pub fn wall() -> Self {
        Self::by(now)
    }
    /// Any other.
    pub fn by(now: impl Fn() -> Stamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
    /// Now, by this clock.
    pub fn now(&self) -> Stamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::wall()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({})", self.now().0)
    }
}
