//! What analysis says for the instant and the stretch shown, kept until either or the store changes.

use crate::analysis::check::Findings;
use crate::analysis::gap::Gap;
use crate::analysis::lane::LaneColumns;
use crate::analysis::pattern::Pattern;
use crate::analysis::reconcile::{ClassedOrder, SharedTrait, Standing};
use crate::analysis::spike::{Onset, Spike};
use crate::analysis::trail::Trail;

/// Derived values; the view only reads them.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    /// One for each lane of the incident.
    pub lanes: Vec<LaneColumns>,
    /// The spike, when there is one.
    pub spike: Option<Spike>,
    /// What broke first.
    pub onsets: Vec<Onset>,
    /// Gaps on the axis.
    pub gaps: Vec<Gap>,
    /// Orders of the scope.
    pub standing: Standing,
    /// Traits the stuck share.
    pub shared: Vec<SharedTrait>,
    /// Orders of the list in front.
    pub orders: Vec<ClassedOrder>,
    /// The trail in front.
    pub trail: Option<Trail>,
    /// Log patterns of the scope; refreshed when the Logs screen or a drill needs them.
    pub patterns: Vec<Pattern>,
    /// Log lines of the list in front: their numbers, oldest first, after filter.
    pub lines: Vec<u64>,
    /// Hypotheses and checks.
    pub findings: Findings,
}
