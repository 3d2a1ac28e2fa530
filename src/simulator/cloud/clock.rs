//! Time as it is given to the emulator: a question that somebody else answers.

use crate::model::{Lapse, Stamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Says what time it is. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Stamp + Send + Sync>);

impl Clock {
    /// A clock that asks this.
    pub fn new(ask: impl Fn() -> Stamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Now.
    pub fn now(&self) -> Stamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// A clock that stands until it is set. Cheap to clone; all clones are one watch.
#[derive(Clone, Debug)]
pub struct Watch(Arc<AtomicI64>);

impl Watch {
    /// A watch that stands at an instant.
    pub fn at(now: Stamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.0)))
    }

    /// Sets it.
    pub fn set(&self, now: Stamp) {
        self.0.store(now.0, Ordering::Release);
    }

    /// Sets it forward.
    pub fn advance(&self, by: Lapse) {
        self.set(self.now() + by);
    }

    /// Where it stands.
    pub fn now(&self) -> Stamp {
        Stamp(self.0.load(Ordering::Acquire))
    }

    /// The watch as a clock.
    pub fn clock(&self) -> Clock {
        let watch = self.clone();
        Clock::new(move || watch.now())
    }
}
