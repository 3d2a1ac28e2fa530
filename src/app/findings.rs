//! What analysis says for the instant and the stretch shown, kept until either or the store changes.

use crate::analysis::blocking::Tree;
use crate::analysis::check::Findings;
use crate::analysis::database::{StatementRate, WantedLock};
use crate::analysis::gap::Gap;
use crate::analysis::lane::LaneColumns;
use crate::analysis::limit::Row as LimitRow;
use crate::analysis::pattern::Pattern;
use crate::analysis::reconcile::class::{ALL, Class};
use crate::analysis::reconcile::{ClassCount, ClassedOrder, SharedTrait, Standing};
use crate::analysis::spike::{Onset, Spike};
use crate::analysis::stack::Trace;
use crate::analysis::trail::Trail;
use crate::analysis::trail::usual::{Pace, Usual};
use crate::model::{Lapse, MarkKind, Span, Stamp};

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
    /// How many orders of the scope were in each class five minutes before, by [`Class::number`]; none when
    /// nobody had asked yet.
    pub before: Option<[usize; ALL.len()]>,
    /// Traits the stuck share.
    pub shared: Vec<SharedTrait>,
    /// Orders of the list in front.
    pub orders: Vec<ClassedOrder>,
    /// The trail in front.
    pub trail: Option<Trail>,
    /// How long the legs of a trail usually take.
    pub usual: Usual,
    /// How long the order in front took, beside that.
    pub pace: Vec<Pace>,
    /// Log patterns of the scope; refreshed when the Logs screen or a drill needs them.
    pub patterns: Vec<Pattern>,
    /// Log lines of the list in front: their numbers, oldest first, after filter.
    pub lines: Vec<u64>,
    /// Hypotheses and checks.
    pub findings: Findings,
    /// As of when the rules were asked for them.
    pub findings_at: Option<Stamp>,
    /// Points of the timeline up to the newest instant, oldest first; `{` and `}` go through them.
    pub events: Vec<Event>,
    /// Rows of the classes table, in its order.
    pub classes: Vec<ClassCount>,
    /// Visible steps of the trail, by index.
    pub steps: Vec<usize>,
    /// Lanes shown, by index into the incident's lanes.
    pub shown: Vec<usize>,
    /// The blocking tree of the database in front.
    pub tree: Tree,
    /// Statements of the database in front, heaviest first, with the stretch they cover.
    pub statements: (Vec<StatementRate>, Lapse),
    /// Locks not granted of the database in front.
    pub wanted: Vec<WantedLock>,
    /// All patterns of the scope, before the filter.
    pub all_patterns: Vec<Pattern>,
    /// Stack traces of the scope, filtered and in the order somebody chose.
    pub traces: Vec<Trace>,
    /// All stack traces of the scope, before the filter.
    pub all_traces: Vec<Trace>,
    /// The first stuck order of the scope and its birth.
    pub first_stuck: Option<(std::sync::Arc<str>, Stamp)>,
    /// What belongs to the stretch Enter would open on the timeline, once counted.
    pub born: Option<Born>,
    /// Limits beside what is measured, while they are in front.
    pub limits: Vec<LimitRow>,
    /// How many rows the list in front would have without its filter.
    pub unfiltered: usize,
}

impl Derived {
    /// How many orders more than five minutes before are in a class; negative when it empties.
    pub fn trend(&self, class: Class) -> Option<i64> {
        let before = *self.before.as_ref()?.get(class.number())?;
        Some(self.standing.of(class) as i64 - before as i64)
    }
}

/// The stretch Enter would open on the timeline: the selection, else the column under the cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct Born {
    /// The stretch.
    pub span: Span,
    /// Where the orders born in it stand.
    pub standing: Standing,
    /// Log patterns that are new in it; looked for in selections alone.
    pub fresh: Vec<Pattern>,
}

impl Born {
    /// Orders whose class is a fault.
    pub fn affected(&self) -> usize {
        let fault = |c: &&ClassCount| c.class.card().is_none_or(|card| !card.fine);
        self.standing.classes.iter().filter(fault).map(|c| c.orders).sum()
    }
}

/// A point on the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Stamp,
    /// What kind.
    pub kind: EventKind,
    /// A line about it, fit to be shown.
    pub text: String,
}

/// Kinds of points, each with its sign on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// The spike begins: `▲`.
    Onset,
    /// Its largest value: `◆`.
    Peak,
    /// It is over: `▼`.
    Recovery,
    /// A signal left its band: no sign of its own.
    Broke,
    /// The first stuck order's birth: `S`.
    FirstStuck,
    /// A deployment, an alarm, a remark: `D A N`.
    Mark(MarkKind),
    /// A checkbox ticked or unticked from here.
    Tick,
}
