//! The state: plain fields that `update` changes and the view reads.

use crate::analysis::lane::Axis;
use crate::analysis::reconcile::{Bad, Class, Term};
use crate::app::act;
use crate::app::derive::Made;
use crate::app::findings::Derived;
use crate::app::grid::Grid;
use crate::app::key::Key;
use crate::app::keymap::Keymap;
use crate::app::message::RecorderState;
use crate::model::database::Pid;
use crate::model::health::Health;
use crate::model::note::{ItemId, Note};
use crate::model::order::OrderId;
use crate::model::{Lapse, Mark, Span, Stamp, Untrusted};
use crate::note::edit::{Change, DiffLine};
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
        /// Values that all of them have: a segment; empty for no segment.
        terms: Vec<Term>,
        /// The check whose evidence they carry; none where that is not what they share.
        check: Option<String>,
    },
    /// One order's trail.
    Trail(OrderId),
    /// One hypothesis' checks, by its number in the note.
    Checks(u32),
    /// One session of the blocking tree.
    Session(Pid),
    /// Lines of one pattern: its template; empty for all lines.
    Lines(String),
    /// Lines with one stack trace, by the name of the trace.
    Stack(String),
    /// A phase, area or other section of the note, by index over phases, areas, others.
    Section(usize),
    /// A source's health in time.
    SourceLog(String),
    /// Limits beside what is measured against them.
    Limits,
    /// What was said so far.
    Messages,
    /// The note's questions to people.
    Questions,
}

impl Place {
    /// Which screen's tab is lit, and whose layout it has.
    pub const fn screen(&self) -> Option<Screen> {
        Some(match self {
            Self::Top(screen) => *screen,
            Self::OrderClasses | Self::OrderList { .. } | Self::Trail(_) => Screen::Orders,
            Self::Checks(_) | Self::Section(_) | Self::Questions => Screen::Hypotheses,
            Self::Session(_) => Screen::Database,
            Self::Lines(_) | Self::Stack(_) => Screen::Logs,
            Self::SourceLog(_) => Screen::Sources,
            Self::Limits => Screen::Timeline,
            Self::Messages => return None,
        })
    }
    /// A name under which the place's rows, filter and sort are remembered.
    pub fn key(&self) -> String {
        match self {
            Self::Top(screen) => screen.name().to_lowercase(),
            Self::OrderClasses => "classes".to_owned(),
            Self::OrderList { title, .. } => format!("orders/{title}"),
            Self::Trail(id) => format!("trail/{id}"),
            Self::Checks(number) => format!("checks/{number}"),
            Self::Session(pid) => format!("session/{pid}"),
            Self::Lines(template) => format!("lines/{template}"),
            Self::Stack(name) => format!("stack/{name}"),
            Self::Section(i) => format!("section/{i}"),
            Self::SourceLog(name) => format!("source/{name}"),
            Self::Limits => "limits".to_owned(),
            Self::Messages => "messages".to_owned(),
            Self::Questions => "questions".to_owned(),
        }
    }
}

/// Everything that says where one is: what history goes back to.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Screen whose tab is lit.
    pub screen: Screen,
    /// The drill.
    pub places: Vec<Place>,
    /// The stretch drilled into.
    pub window: Option<Span>,
    /// Windows to return to, with the depth of the place that replaced each.
    pub windows: Vec<(usize, Option<Span>)>,
    /// Focused panel.
    pub panel: usize,
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
    /// `E`: which checkbox gets the evidence, and the evidence.
    Attach(String),
    /// `A`: the answer to a question or a checkbox, with its words.
    Answer(Asked, Untrusted),
    /// `B`: which rule answers a checkbox, with its words.
    Bind(ItemId, Untrusted),
}

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A question of the note.
    Question(ItemId),
    /// A checkbox.
    Item(ItemId),
}

/// A change of the note shown as a difference, waiting for y or n.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The change.
    pub change: Change,
    /// What it writes.
    pub diff: Vec<DiffLine>,
    /// The item's or the question's words, for what is said and the recording.
    pub text: Untrusted,
    /// The evidence line that can be added.
    pub evidence: Option<String>,
    /// What stands on the timeline once it is written: an answer that names a time.
    pub marks: Vec<Mark>,
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
#[derive(Clone)]
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
    /// Views left, oldest first.
    pub back: Vec<View>,
    /// Views to go forward to again.
    pub forward: Vec<View>,
    /// Windows that back returns to, with the depth of the place that replaced each.
    pub windows: Vec<(usize, Option<Span>)>,
    /// Rows by place and panel (`rows::key`): each list remembers where it was.
    pub rows: BTreeMap<String, Rows>,
    /// Focused panel of the screen.
    pub panel: usize,
    /// Which database the Database screen shows.
    pub database: usize,
    /// Sort column and direction of the list in front.
    pub sort: BTreeMap<String, (usize, bool)>,
    /// Filter of the list in front.
    pub filter: String,
    /// Filters of the places that are not in front.
    pub filters: BTreeMap<String, String>,
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
    /// A tick handed over for writing and not answered yet.
    pub saving: Option<Pending>,
    /// Asked once to leave.
    pub leaving: bool,
    /// When Ctrl-C was pressed last.
    pub interrupted: Option<Stamp>,
    /// The first key of a two-key command (`t`, `H`).
    pub prefix: Option<Key>,
    /// Keys locked for viewers.
    pub locked: bool,
    /// `L` was pressed while locked: `y` unlocks.
    pub unlocking: bool,
    /// Which key means what.
    pub keymap: Keymap,
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
    pub previous: Option<View>,
    /// Whether the selection's head follows the cursor.
    pub selecting: bool,
    /// Which hypothesis' lanes the Timeline shows; all when none.
    pub lanes_of: Option<u32>,
    /// In a trail: only events, no log lines.
    pub events_only: bool,
    /// Which orders the shared traits are about.
    pub segments_of: Bad,
    /// The stretch the axis was last fitted to; fitted again on a resize.
    pub fitted: Option<Span>,
    /// The stretch whose lines engines were asked to read on for, while it is in front.
    pub looking: Option<Span>,
    /// When each source was last asked by hand.
    pub refreshed: BTreeMap<String, Stamp>,
    /// Stretches the recording could not give back: they are not asked again.
    pub unreadable: Vec<Span>,
    /// Whether the mouse is captured.
    pub mouse: bool,
    /// What `derived` was made for.
    pub(super) made: Made,
}

/// What a new program begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// Where facts come from.
    pub mode: Mode,
    /// The instant of the start.
    pub now: Stamp,
    /// Width and height of the screen.
    pub size: (u16, u16),
    /// Name of whoever drives.
    pub who: String,
    /// Whether the note may be written.
    pub may_write: bool,
    /// Keys.
    pub keymap: Keymap,
    /// Pace of a replay or demo.
    pub pace: f64,
    /// Whether the mouse is captured.
    pub mouse: bool,
}

impl App {
    /// The incident's heading: the configured one, else the note's own.
    pub fn title(&self) -> &Untrusted {
        let configured = &self.store.incident.title;
        if configured.is_empty() { &self.note.title } else { configured }
    }

    /// A program that has seen nothing yet.
    pub fn new(start: Start) -> Self {
        let grid = Grid::of(start.size.0, start.size.1);
        Self {
            now: start.now,
            grid,
            mode: start.mode,
            pace: start.pace,
            pace_before: start.pace,
            ended: false,
            played: None,
            store: Store::default(),
            note: Arc::default(),
            note_text: Arc::from(""),
            derived: Derived::default(),
            cursor: Cursor::Now,
            step: grid.usual_step(),
            axis_from: None,
            zooms: Vec::new(),
            selection: None,
            window: None,
            screen: Screen::Timeline,
            places: vec![Place::Top(Screen::Timeline)],
            back: Vec::new(),
            forward: Vec::new(),
            windows: Vec::new(),
            rows: BTreeMap::new(),
            panel: 0,
            database: 0,
            sort: BTreeMap::new(),
            filter: String::new(),
            filters: BTreeMap::new(),
            search: String::new(),
            baseline: true,
            zoomed: false,
            unfolded: Vec::new(),
            marked: std::collections::BTreeSet::new(),
            unmasked: false,
            help: false,
            prompt: None,
            pending: None,
            saving: None,
            leaving: false,
            interrupted: None,
            prefix: None,
            locked: false,
            unlocking: false,
            keymap: start.keymap,
            held: None,
            may_write: start.may_write,
            who: start.who,
            toast: None,
            messages: Vec::new(),
            copied: None,
            recorder: RecorderState::default(),
            loading: Vec::new(),
            last_key: start.now,
            previous: None,
            selecting: false,
            lanes_of: None,
            events_only: false,
            segments_of: Bad::Stuck,
            fitted: None,
            looking: None,
            refreshed: BTreeMap::new(),
            unreadable: Vec::new(),
            mouse: start.mouse,
            made: Made::default(),
        }
    }
    /// Goes on with a recording: what it holds is known from the start.
    pub fn go_on(&mut self, store: Store) {
        self.store = store;
        act::time::open_on_the_past(self);
    }
    /// Opens a recording that is known as a whole, its play head at `at`: the axis stands over the incident
    /// when the head is in it.
    pub fn open(&mut self, store: Store, at: Stamp, ended: bool) {
        self.store = store;
        self.played = Some(at);
        self.ended = ended;
        act::time::fit_incident(self);
        act::time::reveal(self);
        if ended {
            self.say("the whole recording is open at its end; ← goes back, :seek 19:24 plays from there");
        }
    }
    /// The newest instant there is: now when live, what has been played otherwise; while the picture is
    /// held, the instant it was held at.
    pub fn live_edge(&self) -> Stamp {
        self.held.unwrap_or_else(|| self.newest())
    }
    /// The newest instant there is, whether the picture is held or not.
    pub fn newest(&self) -> Stamp {
        match self.mode {
            Mode::Live => self.now,
            // Before the player has reported: not our own clock, which may be years away from the facts.
            Mode::Replay | Mode::Demo => {
                let begun = self.store.incident.window.map(|w| w.from);
                // What a demo knows of last week comes before it begins to play.
                let known =
                    if self.mode == Mode::Demo { begun.or(self.store.newest) } else { self.store.newest.or(begun) };
                self.played.or(known).unwrap_or(self.now)
            }
        }
    }
    /// When something that somebody does now happens: of a replay or demo as far as it has been played, so that it
    /// stands where it was done.
    pub fn acted_at(&self) -> Stamp {
        self.newest()
    }
    /// The instant all panels show.
    pub fn at(&self) -> Stamp {
        match self.cursor {
            Cursor::Now => self.live_edge(),
            Cursor::At(at) => at,
        }
    }
    /// The instant a source is shown at: that of the panels, but for one that had not said a word by then, as
    /// when a past is fetched that nobody watched. Of that its newest word is shown.
    pub fn at_of(&self, source: &str) -> Stamp {
        let at = self.at();
        if self.store.health(source, at).is_some() { at } else { self.live_edge() }
    }
    /// How a source is at the instant it is shown at.
    pub fn health(&self, source: &str) -> Option<&Health> {
        self.store.health(source, self.at_of(source))
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
            let following = self.live_edge().floor(self.step, zone) - self.step.times(columns as i64 - 1);
            // A demo fills its axis from the left before the axis begins to move.
            match (&self.mode, self.store.incident.window) {
                (Mode::Demo, Some(window)) => following.max(window.from.floor(self.step, zone)),
                _ => following,
            }
        });
        Axis { from, step: self.step, columns }
    }
    /// The stretch selected on the axis, whole columns, up to the newest instant.
    pub fn selected(&self) -> Option<Span> {
        let s = self.selection?;
        let zone = &self.store.incident.zone;
        let (from, to) = (s.anchor.min(s.head), s.anchor.max(s.head));
        Some(Span::new(from.floor(self.step, zone), to.floor(self.step, zone) + self.step))
    }
    /// The stretch of the column under the cursor.
    pub fn column(&self) -> Span {
        let from = self.at().floor(self.step, &self.store.incident.zone);
        Span::new(from, from + self.step)
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
