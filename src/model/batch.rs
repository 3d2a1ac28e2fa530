//! Facts, and the batches they arrive in: the only way anything enters the program besides keys.
//!
//! A recording is these batches in order of arrival, so their serde form is a file format: fields may be
//! added with a default, never renamed or given another meaning.

use crate::model::database::DbSample;
use crate::model::health::{Cost, Fetched, Health, Loss, Progress};
use crate::model::incident::Incident;
use crate::model::log::LogLine;
use crate::model::note::{Binding, NoteText, Override, Tick};
use crate::model::order::Ledger;
use crate::model::series::{Lane, SeriesCard, SeriesName};
use crate::model::{Stamp, Untrusted};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The name an operator gave a source: `mrg`, `logs`, `note`; `people` for what people did here.
pub type SourceName = Arc<str>;

/// Counts the batches of one source from 1, so that a loss would be seen.
pub type Seq = u64;

/// The source name under which ticks, marks and overrides of people are recorded.
pub const PEOPLE: &str = "people";

/// What one source learned at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Who says so.
    pub source: SourceName,
    /// The how-manieth of that source.
    pub seq: Seq,
    /// When it reached us, by our clock. Facts carry the remote's own time.
    pub seen: Stamp,
    /// In the source's order.
    pub facts: Vec<Fact>,
}

/// One thing that was observed. Raw: whatever can be computed from facts is computed, not stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// What the incident is and how to look at it: first in every recording, again when it changes.
    Incident(Box<Incident>),
    /// Values of several series at one instant. A series that is absent was not measured.
    Samples(Samples),
    /// One look at a PostgreSQL server.
    Database(Box<DbSample>),
    /// Log lines, in time order within the batch.
    Lines(Vec<LogLine>),
    /// Rows of an order-side role with what exactly was asked.
    Ledger(Ledger),
    /// How the source is.
    Health(Health),
    /// What asking cost it and us.
    Cost(Cost),
    /// Something this source knows it lost (a rotation, a truncated fetch).
    Loss(Loss),
    /// What series are, as their source says: units come with the answers.
    Series(Vec<SeriesCard>),
    /// How far a long piece of work of the source is.
    Progress(Progress),
    /// A stretch of the past that was fetched and need not be asked for again.
    Fetched(Fetched),
    /// A deployment, an alarm, a remark of a person.
    Mark(Mark),
    /// The note's text, whole, whenever it changed.
    Note(NoteText),
    /// A checkbox that was ticked or unticked from here.
    Tick(Tick),
    /// A person's own verdict over a measured one.
    Override(Override),
    /// A lane that somebody chose to see, or does not want to see any more.
    Lane(Chosen),
    /// A checkbox that a person bound to what answers it.
    Bind(Binding),
}

/// A lane that a person put on the timeline, or took off it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// When.
    pub at: Stamp,
    /// Which.
    pub lane: Lane,
    /// Whether it is there from now on.
    pub shown: bool,
    /// Who.
    pub who: Untrusted,
}

/// Values of several series at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// When they were true, by the remote's clock.
    pub at: Stamp,
    /// Name and value; finite numbers only.
    pub values: Vec<(SeriesName, f64)>,
}

/// A point on the timeline that somebody or something named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When it happened.
    pub at: Stamp,
    /// What kind.
    pub kind: MarkKind,
    /// At most a line.
    pub text: Untrusted,
    /// Who said so: a person's name, a source.
    pub who: Untrusted,
}

/// Kinds of marks, with the letter each is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A deployment, a flag, a parameter: `D`.
    Change,
    /// An alarm raised: `A`.
    Alarm,
    /// An alarm that is over: `a`.
    Cleared,
    /// A remark of a person: `N`.
    Note,
}
