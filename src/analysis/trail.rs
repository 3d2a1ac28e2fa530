//! One order's way through MRG, UPG, the Orchestrator and HO, with the log lines that name it, on one time
//! axis; steps that should have come and did not are rows too.

use crate::analysis::reconcile::Class;
use crate::model::order::OrderId;
use crate::model::{Lapse, Stamp, Untrusted};
use crate::store::Store;

/// Which system a step belongs to; columns of the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// Orders.
    Mrg,
    /// Payments.
    Upg,
    /// Sagas.
    Orchestrator,
    /// Books.
    Ho,
}

/// What kind of step it is; decides its glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Something happened: `●`.
    Event,
    /// A log line at INFO or below: `·`.
    Line,
    /// A warning: `!`.
    Warn,
    /// An error: `✕`.
    Error,
    /// Should have happened and did not: `○`.
    Missing,
    /// A long silence: `┊`.
    Silence,
}

/// One row of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When; for a missing step when it was due, none when that is not known.
    pub at: Option<Stamp>,
    /// Time since the step before.
    pub after: Option<Lapse>,
    /// System.
    pub system: System,
    /// Kind.
    pub kind: StepKind,
    /// What, in words.
    pub what: Untrusted,
    /// Who says so: the role or the service.
    pub says: String,
    /// Stack lines folded below it.
    pub stack: Vec<Untrusted>,
}

/// A station of the saga.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// CREATE, RESERVE, PAY, RECORD, COMPLETE.
    pub name: &'static str,
    /// When it was reached.
    pub at: Option<Stamp>,
    /// The first one not reached while an earlier one was.
    pub broken: bool,
}

/// What the order says of a hypothesis.
#[derive(Clone, Debug, PartialEq)]
pub struct Says {
    /// Number of the hypothesis.
    pub hypothesis: u32,
    /// What.
    pub verdict: crate::model::note::Verdict,
    /// Why, in a sentence.
    pub because: String,
}

/// The whole trail.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// Which order.
    pub id: OrderId,
    /// Its class.
    pub class: Class,
    /// Rows, time downwards, missing ones last or where they were due.
    pub steps: Vec<Step>,
    /// Saga stations.
    pub stations: Vec<Station>,
    /// Hypotheses it speaks to, strongest first.
    pub says: Vec<Says>,
    /// Since when it has been ACTIVE, when it is.
    pub active_for: Option<Lapse>,
}

/// The trail of an order as of `at`; none when nobody knows the order.
pub fn trail(store: &Store, order: &str, at: Stamp) -> Option<Trail> {
    let _ = (store, order, at);
    None
}
