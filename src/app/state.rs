//! The state: plain fields that `update` changes and the view reads.

use crate::analysis::lane::Axis;
use crate::analysis::reconcile::Class;
use crate::app::findings::Derived;
use crate::app::grid::Grid;
use crate::app::message::RecorderState;
use crate::model::database::Pid;
use crate::model::note::{ItemId, Note};
use crate::model::order::OrderId;
use crate::model::{Lapse, Span, Stamp};
use crate::note::edit::{DiffLine, Edit};
use crate::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the facts come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Sources are asked now.
    Live,
    /// A recording is played.
    Replay,
    /// The bundled incident is played.
    Demo,
}

/// The six screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// 1
    Timeline,
    /// 2
    Database,
    /// 3
    Logs,
    /// 4
    Orders,
    /// 5
    Hypotheses,
    /// 6
    Sources,
}

impl Screen {
    /// All, in the order of their keys.
    pub const ALL: [Self; 6] =
        [Self::Timeline, Self::Database, Self::Logs, Self::Orders, Self::Hypotheses, Self::Sources];
    /// Full name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeline => "Timeline",
            Self::Database => "Database",
            Self::Logs => "Logs",
            Self::Orders => "Orders",
            Self::Hypotheses => "Hypotheses",
            Self::Sources => "Sources",
        }
    }
}

/// One step of the drill: a place one can be in. The stack of places is the breadcrumb.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// The top of a screen.
    Top(Screen),
    /// Orders of the stretch drilled into, by class.
    OrderClasses,
    /// Orders of some classes: title and classes (empty: all stuck).
    OrderList {
        /// Crumb and heading.
        title: String,
        /// Which.
        classes: Vec<Class>,
    },
    /// One order's trail.
    Trail(OrderId),
    /// One hypothesis' checks, by its number in the note.
    Checks(u32),
    /// One session of the blocking tree.
    Session(Pid),
    /// Lines of one pattern: its template; empty for all lines.
    Lines(String),
    /// A phase, area or other section of the note, by index over phases, areas, others.
    Section(usize),
    /// A source's health in time.
    SourceLog(String),
}

/// Which instant the panels show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The newest there is.
    Now,
    /// This instant.
    At(Stamp),
}

/// A selection on the time axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where it began.
    pub anchor: Stamp,
    /// The end that the cursor moves.
    pub head: Stamp,
}

/// The focused row of a list and the first row shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Focused.
    pub focus: usize,
    /// First visible; kept so that the focus stays inside.
    pub top: usize,
}

/// A question at the bottom of the screen.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// The line being typed.
    pub input: tui_input::Input,
    /// Focused row of its suggestions.
    pub row: usize,
}

/// What a prompt asks.
#[derive(Clone, Debug, PartialEq)]
pub enum PromptKind {
    /// `:` the palette.
    Command,
    /// `/` search.
    Search,
    /// `f` filter.
    Filter,
    /// `a` a note at the cursor.
    Note,
    /// `t s` from and to, typed.
    Range,
    /// `v` on a check: the reason of an override, and the verdict chosen.
    Reason(String, Option<crate::model::note::Verdict>),
    /// `v` on a check: which verdict.
    Verdict(String),
    /// `E`: which checkbox gets the evidence.
    Attach(Vec<ItemId>),
}

/// A tick shown as a difference, waiting for y or n.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The change.
    pub edit: Edit,
    /// What it writes.
    pub diff: Vec<DiffLine>,
}

/// A sentence that stays for a few seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    /// What.
    pub text: String,
    /// Until when.
    pub until: Stamp,
}

/// The whole state.
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with its own key")]
pub struct App {
    /// The one `now` of this frame.
    pub now: Stamp,
    /// Screen geometry.
    pub grid: Grid,
    /// Where facts come from.
    pub mode: Mode,
    /// Pace of a replay or demo, in seconds a second; 0 is paused.
    pub pace: f64,
    /// The pace to return to after a pause.
    pub pace_before: f64,
    /// Whether a replay or demo has reached its end.
    pub ended: bool,
    /// How far a replay or demo has been played: its "now".
    pub played: Option<Stamp>,
    /// All facts.
    pub store: Store,
    /// The note, taken apart, as of the cursor.
    pub note: Arc<Note>,
    /// Its raw text as of the cursor.
    pub note_text: Arc<str>,
    /// What analysis says for the cursor and window; refreshed by `update` when either or the store moved.
    pub derived: Derived,
    /// The instant shown.
    pub cursor: Cursor,
    /// Length of one column of the axis.
    pub step: Lapse,
    /// Start of the axis when it does not follow now.
    pub axis_from: Option<Stamp>,
    /// Earlier zooms, for undo.
    pub zooms: Vec<(Option<Stamp>, Lapse)>,
    /// Selection, when there is one.
    pub selection: Option<Selection>,
    /// Stretch drilled into; every panel is scoped to it.
    pub window: Option<Span>,
    /// Screen shown.
    pub screen: Screen,
    /// The drill: never empty, the first is a `Top`.
    pub places: Vec<Place>,
    /// Places left with history back.
    pub back: Vec<Vec<Place>>,
    /// Places to go forward to again.
    pub forward: Vec<Vec<Place>>,
    /// Rows by place name (`Place::key`): each list remembers where it was.
    pub rows: BTreeMap<String, Rows>,
    /// Focused panel of the screen.
    pub panel: usize,
    /// Which database the Database screen shows.
    pub database: usize,
    /// Sort column and direction of the list in front.
    pub sort: BTreeMap<String, (usize, bool)>,
    /// Filter of the list in front.
    pub filter: String,
    /// What was searched for.
    pub search: String,
    /// Baseline overlay on.
    pub baseline: bool,
    /// Focused panel over the whole screen.
    pub zoomed: bool,
    /// Log stacks or folds opened: by row number or pid.
    pub unfolded: Vec<i64>,
    /// Rows marked by people.
    pub marked: std::collections::BTreeSet<String>,
    /// Personal data shown because somebody asked.
    pub unmasked: bool,
    /// Help instead of the body.
    pub help: bool,
    /// Prompt, when one is open.
    pub prompt: Option<Prompt>,
    /// A tick waiting for its answer.
    pub pending: Option<Pending>,
    /// Asked once to leave.
    pub leaving: bool,
    /// The first key of a two-key command (`t`, `H`).
    pub prefix: Option<char>,
    /// Keys locked for viewers.
    pub locked: bool,
    /// The picture is held; polling goes on. Since when.
    pub held: Option<Stamp>,
    /// Whether the note may be written.
    pub may_write: bool,
    /// Name of whoever drives, for ticks and notes.
    pub who: String,
    /// Toast.
    pub toast: Option<Toast>,
    /// Everything said so far, oldest first.
    pub messages: Vec<(Stamp, String)>,
    /// Last thing copied.
    pub copied: Option<String>,
    /// The recorder.
    pub recorder: RecorderState,
    /// Stretches asked back from the recording and not answered yet.
    pub loading: Vec<Span>,
    /// Last key, so that rows under the focus are not re-ordered under a hand.
    pub last_key: Stamp,
    /// The view before this one, for `-`.
    pub previous: Option<(Screen, Vec<Place>)>,
}

impl App {
    /// The newest instant there is: now when live, what has been played otherwise.
    pub fn live_edge(&self) -> Stamp {
        match self.mode {
            Mode::Live => self.now,
            // Before the player has reported: not our own clock, which may be years away from the facts.
            Mode::Replay | Mode::Demo => self.played.or(self.store.newest).unwrap_or(self.now),
        }
    }
    /// The instant all panels show.
    pub fn at(&self) -> Stamp {
        match self.cursor {
            Cursor::Now => self.live_edge(),
            Cursor::At(at) => at,
        }
    }
    /// Whether the cursor has left now.
    pub fn in_the_past(&self) -> bool {
        matches!(self.cursor, Cursor::At(_))
    }
    /// The shared axis.
    pub fn axis(&self) -> Axis {
        let columns = self.grid.columns();
        let from = self.axis_from.unwrap_or_else(|| {
            let zone = &self.store.incident.zone;
            self.live_edge().floor(self.step, zone) - self.step.times(columns as i64 - 1)
        });
        Axis { from, step: self.step, columns }
    }
    /// The place in front.
    pub fn place(&self) -> &Place {
        static TOP: Place = Place::Top(Screen::Timeline);
        self.places.last().unwrap_or(&TOP)
    }
    /// The stretch every query is scoped to: the drilled window, else the configured one up to the edge,
    /// else what the axis shows.
    pub fn scope(&self) -> Span {
        self.window.or(self.store.incident.window).unwrap_or_else(|| self.axis().span())
    }
}
