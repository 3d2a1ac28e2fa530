//! The one table of commands: keys, help, palette, footer, `warroom keys` and the README come from it.
//!
//! Owns names, default keys, places and words. What a command does is in `act`; whether it can do anything
//! right now is `works`.

use crate::app::state::{App, Place, Screen};

/// Every command. The order is the table's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is described in the table below, once")]
pub enum Id {
    Enter,
    Back,
    Up,
    Down,
    Left,
    Right,
    LeftTen,
    RightTen,
    PageUp,
    PageDown,
    First,
    Last,
    FirstColumn,
    Live,
    PreviousEvent,
    NextEvent,
    Select,
    OtherEnd,
    UseAsWindow,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    ZoomUndo,
    ShowBaseline,
    ShowIncident,
    ShowNow,
    TypeRange,
    Goto,
    NextPanel,
    PreviousPanel,
    Screen(Screen),
    LastView,
    HistoryBack,
    HistoryForward,
    PreviousDatabase,
    NextDatabase,
    Database,
    Order,
    StuckOrders,
    Keyword,
    Context,
    ChooseLane,
    Sort,
    SortReverse,
    Filter,
    Search,
    SearchNext,
    SearchPrevious,
    SameOrderNext,
    SameOrderPrevious,
    Fold,
    ZoomPanel,
    Baseline,
    HypothesisLanes(u8),
    Tick,
    TickWithEvidence,
    Verdict,
    EvidenceOrders,
    Attach,
    Questions,
    Answer,
    Bind,
    AddNote,
    Conclude,
    Status,
    MarkRow,
    GoToRow,
    Limits,
    Copy,
    CopyMarkdown,
    Worksheet,
    /// What the shared traits are about.
    Segments,
    Refresh,
    Hold,
    Pace,
    Seek,
    Lock,
    Unmask,
    Mouse,
    Glyphs,
    Messages,
    Repaint,
    Palette,
    Help,
    Quit,
    Interrupt,
}

/// A set of places, so that two commands may share a key where they never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places(pub u32);

/// Where one is, as far as keys are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Spot {
    /// Timeline.
    Timeline,
    /// Timeline while a selection is being made or stands.
    Selection,
    /// Database, its top.
    Database,
    /// One session.
    Session,
    /// Logs, its top.
    Logs,
    /// Lines of a pattern.
    Lines,
    /// Order classes, drilled or top.
    Classes,
    /// A list of orders.
    Orders,
    /// A trail.
    Trail,
    /// Hypotheses, its top.
    Hypotheses,
    /// Checks of one.
    Checks,
    /// Another section of the note.
    Section,
    /// Sources, its top.
    Sources,
    /// One source's health.
    SourceLog,
    /// Limits beside what is measured.
    Limits,
    /// What was said.
    Messages,
    /// The note's questions.
    Questions,
}

impl Spot {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Timeline,
        Self::Selection,
        Self::Database,
        Self::Session,
        Self::Logs,
        Self::Lines,
        Self::Classes,
        Self::Orders,
        Self::Trail,
        Self::Hypotheses,
        Self::Checks,
        Self::Section,
        Self::Sources,
        Self::SourceLog,
        Self::Limits,
        Self::Messages,
        Self::Questions,
    ];
    /// Where the program is.
    pub fn of(app: &App) -> Self {
        match app.place() {
            Place::Top(Screen::Timeline) if app.selection.is_some() => Self::Selection,
            Place::Top(Screen::Timeline) => Self::Timeline,
            Place::Top(Screen::Database) => Self::Database,
            Place::Top(Screen::Logs) => Self::Logs,
            Place::Top(Screen::Orders) | Place::OrderClasses => Self::Classes,
            Place::Top(Screen::Hypotheses) => Self::Hypotheses,
            Place::Top(Screen::Sources) => Self::Sources,
            Place::OrderList { .. } => Self::Orders,
            Place::Trail(_) => Self::Trail,
            Place::Checks(_) => Self::Checks,
            Place::Session(_) => Self::Session,
            Place::Lines(_) | Place::Stack(_) => Self::Lines,
            Place::Section(_) => Self::Section,
            Place::SourceLog(_) => Self::SourceLog,
            Place::Limits => Self::Limits,
            Place::Messages => Self::Messages,
            Place::Questions => Self::Questions,
        }
    }
    /// How it is called in help and `warroom keys`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::Selection => "selection",
            Self::Database => "database",
            Self::Session => "session",
            Self::Logs => "logs",
            Self::Lines => "log lines",
            Self::Classes => "orders",
            Self::Orders => "order list",
            Self::Trail => "trail",
            Self::Hypotheses => "hypotheses",
            Self::Checks => "checks",
            Self::Section => "checklist",
            Self::Sources => "sources",
            Self::SourceLog => "source",
            Self::Limits => "limits",
            Self::Messages => "messages",
            Self::Questions => "questions",
        }
    }
    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl Places {
    /// Everywhere.
    pub const ALL: Self = Self((1 << Spot::ALL.len()) - 1);
    /// These.
    pub const fn of(spots: &[Spot]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < spots.len() {
            bits |= spots[i].bit();
            i += 1;
        }
        Self(bits)
    }
    /// Everywhere but these.
    pub const fn but(spots: &[Spot]) -> Self {
        Self(Self::ALL.0 & !Self::of(spots).0)
    }
    /// Whether a spot is among them.
    pub const fn has(self, spot: Spot) -> bool {
        self.0 & spot.bit() != 0
    }
    /// Whether the two have a spot in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Headings of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Moving.
    Move,
    /// Time.
    Time,
    /// Drilling.
    Drill,
    /// Looking.
    Look,
    /// Evidence.
    Evidence,
    /// The session itself.
    Session,
}

impl Group {
    /// All, in the order of the help.
    pub const ALL: [Self; 6] = [Self::Move, Self::Time, Self::Drill, Self::Look, Self::Evidence, Self::Session];
    /// Heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "MOVE",
            Self::Time => "TIME",
            Self::Drill => "DRILL",
            Self::Look => "LOOK",
            Self::Evidence => "EVIDENCE",
            Self::Session => "SESSION",
        }
    }
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Which.
    pub id: Id,
    /// Name in the palette and in `[keys]` of the configuration.
    pub name: &'static str,
    /// What it takes after its name, as shown; empty when nothing.
    pub takes: &'static str,
    /// What it does, for help, palette and `warroom keys`.
    pub does: &'static str,
    /// Default keys, in the syntax of the configuration; two keys with a space between are typed one after
    /// the other.
    pub keys: &'static [&'static str],
    /// Where its keys work.
    pub places: Places,
    /// Under which heading it is explained.
    pub group: Group,
    /// Text in the footer; empty when it is never there. `footer` may say more.
    pub hint: &'static str,
}

const CHARTS: Places = Places::of(&[Spot::Timeline, Spot::Selection]);
const LISTS: Places = Places::of(&[
    Spot::Logs,
    Spot::Lines,
    Spot::Orders,
    Spot::Sources,
    Spot::SourceLog,
    Spot::Messages,
    Spot::Trail,
    Spot::Classes,
]);
const NOTE: Places = Places::of(&[Spot::Checks, Spot::Section]);
const SORTED: Places = Places::of(&[Spot::Logs, Spot::Orders, Spot::Classes, Spot::Sources]);
const SAME_ORDER: Places = Places::of(&[Spot::Logs, Spot::Lines, Spot::Orders, Spot::Trail]);
const TIMED: Places = Places::of(&[Spot::Logs, Spot::Lines, Spot::Orders, Spot::Trail]);
/// Where a row over the whole screen shows more of it.
const ZOOMED: Places = Places::of(&[Spot::Timeline, Spot::Selection, Spot::Checks, Spot::Section]);
const FOLDS: Places = Places::of(&[Spot::Database, Spot::Lines, Spot::Trail]);

macro_rules! commands {
    ($($id:expr, $name:literal $(<$takes:literal>)?, [$($key:literal),*], $places:expr, $group:ident, $hint:literal, $does:literal;)*) => {
        &[$(Command {
            id: $id,
            name: $name,
            takes: concat!("", $($takes)?),
            does: $does,
            keys: &[$($key),*],
            places: $places,
            group: Group::$group,
            hint: $hint,
        }),*]
    };
}

/// The table. Footers keep this order.
pub const COMMANDS: &[Command] = commands![
    Id::Enter, "open", ["enter"], Places::ALL, Drill, "open", "in: the window's orders, a class, an order's trail, its hypotheses";
    Id::Live, "live", ["end"], Places::ALL, Move, "back to live", "the cursor back to now; in a replay to the newest instant played";
    Id::Tick, "tick", ["x"], NOTE, Evidence, "tick in the note", "tick or untick the checkbox in the note; shows the change and asks";
    Id::TickWithEvidence, "tick with evidence", ["X"], NOTE, Evidence, "with evidence", "the same, with the measured evidence on a line below it";
    Id::Verdict, "verdict", ["v"], Places::of(&[Spot::Checks]), Evidence, "override the verdict", "your own verdict over the measured one; a reason is required";
    Id::EvidenceOrders, "orders of the check", ["o"], Places::of(&[Spot::Checks]), Drill, "its orders", "the orders that carry the evidence of this check";
    Id::Answer, "answer", ["A"], Places::of(&[Spot::Checks, Spot::Section, Spot::Questions]), Evidence, "answer", "answer this question or checkbox in words, with who and when, into the note; a time in it becomes a mark";
    Id::Questions, "questions", ["A"], Places::of(&[Spot::Hypotheses]), Evidence, "questions", "the note's questions to people, with their answers";
    Id::Bind, "bind", ["B"], NOTE, Evidence, "bind", "choose which rule, series or person answers this checkbox";
    Id::NextPanel, "panel next", ["tab"], Places::ALL, Drill, "next panel", "next panel of this screen";
    Id::PreviousPanel, "panel previous", ["shift-tab"], Places::ALL, Drill, "", "previous panel of this screen";
    Id::PreviousDatabase, "database previous", ["<"], Places::of(&[Spot::Database, Spot::Session]), Look, "next database", "previous database";
    Id::NextDatabase, "database next", [">"], Places::of(&[Spot::Database, Spot::Session]), Look, "", "next database";
    Id::Left, "cursor left", ["left", "h"], Places::ALL, Move, "cursor", "time cursor one column back, on every screen";
    Id::Right, "cursor right", ["right", "l"], Places::ALL, Move, "", "time cursor one column on";
    Id::LeftTen, "cursor left ten", ["shift-left"], Places::ALL, Move, "×10", "time cursor ten columns back";
    Id::RightTen, "cursor right ten", ["shift-right"], Places::ALL, Move, "", "time cursor ten columns on";
    Id::OtherEnd, "selection other end", ["o"], Places::of(&[Spot::Selection]), Time, "other end", "move the other end of the selection";
    Id::PreviousEvent, "event previous", ["{"], Places::ALL, Move, "events", "cursor to the previous mark, onset or peak";
    Id::NextEvent, "event next", ["}"], Places::ALL, Move, "", "cursor to the next mark, onset or peak";
    Id::Select, "select", ["v"], CHARTS, Time, "select", "begin or end a selection on the time axis";
    Id::UseAsWindow, "window selection", [], Places::of(&[Spot::Selection]), Time, "", "scope every screen to the selection";
    Id::ZoomIn, "zoom in", ["+"], Places::ALL, Time, "zoom", "fewer minutes a column, about the cursor";
    Id::ZoomOut, "zoom out", ["_"], Places::ALL, Time, "", "more minutes a column; on the timeline − too";
    Id::ZoomReset, "zoom incident", ["="], Places::ALL, Time, "", "the incident's window, or the usual zoom up to now";
    Id::ZoomUndo, "zoom undo", ["u"], Places::ALL, Time, "", "the zoom before";
    Id::ShowBaseline, "show baseline", ["t b"], Places::ALL, Time, "", "the axis over the baseline";
    Id::ShowIncident, "show incident", ["t i"], Places::ALL, Time, "", "the axis over the incident; a selection becomes the window";
    Id::ShowNow, "show now", ["t n"], Places::ALL, Time, "", "the axis follows now";
    Id::TypeRange, "window" <"19:24 20:41">, ["t s"], Places::ALL, Time, "", "type from and to; every screen is scoped to it";
    Id::Goto, "goto" <"19:31">, [], Places::ALL, Time, "", "cursor to a time, or to onset, peak, recovery";
    Id::Up, "row up", ["up", "k"], Places::ALL, Move, "", "row up";
    Id::Down, "row down", ["down", "j"], Places::ALL, Move, "", "row down";
    Id::PageUp, "page up", ["pageup", "ctrl-u"], Places::ALL, Move, "", "page up";
    Id::PageDown, "page down", ["pagedown", "ctrl-d"], Places::ALL, Move, "", "page down";
    Id::First, "row first", ["g"], Places::ALL, Move, "", "first row";
    Id::Last, "row last", ["G"], Places::ALL, Move, "", "last row";
    Id::FirstColumn, "cursor first", ["home"], Places::ALL, Move, "", "cursor to the first column";
    Id::Screen(Screen::Timeline), "screen timeline", ["1"], Places::ALL, Drill, "", "Timeline";
    Id::Screen(Screen::Database), "screen database", ["2"], Places::ALL, Drill, "", "Database";
    Id::Screen(Screen::Logs), "screen logs", ["3"], Places::ALL, Drill, "", "Logs";
    Id::Screen(Screen::Orders), "screen orders", ["4"], Places::ALL, Drill, "", "Orders";
    Id::Screen(Screen::Hypotheses), "screen hypotheses", ["5"], Places::ALL, Drill, "", "Hypotheses";
    Id::Screen(Screen::Sources), "screen sources", ["6"], Places::ALL, Drill, "", "Sources";
    Id::LastView, "view last", ["-"], Places::but(&[Spot::Timeline, Spot::Selection]), Drill, "", "the view before this one; on the timeline − zooms out";
    Id::HistoryBack, "history back", ["["], Places::ALL, Drill, "", "back in the views visited";
    Id::HistoryForward, "history forward", ["]"], Places::ALL, Drill, "", "forward in them";
    Id::Database, "database" <"upg">, [], Places::ALL, Look, "", "the Database screen of that database";
    Id::Order, "order" <"ORD-4418920">, [], Places::ALL, Drill, "", "the trail of that order";
    Id::StuckOrders, "orders stuck", [], Places::ALL, Drill, "", "the list of stuck orders of the window";
    Id::Search, "search" <"text">, ["/"], LISTS, Look, "search", "search in the list";
    Id::SearchNext, "search next", ["n"], LISTS, Look, "next, previous", "next row that matches";
    Id::SearchPrevious, "search previous", ["N"], LISTS, Look, "", "previous row that matches";
    Id::SameOrderNext, "order next", ["o"], SAME_ORDER, Look, "next, previous order", "next row of the same order; in a trail the list's next order";
    Id::SameOrderPrevious, "order previous", ["O"], SAME_ORDER, Look, "", "previous row of the same order, or the list's previous order";
    Id::Filter, "filter" <"text">, ["f"], LISTS, Look, "filter", "only rows with this text; ! inverts, ~ is a regular expression";
    Id::Keyword, "words of the note", ["K"], Places::of(&[Spot::Logs, Spot::Lines]), Look, "words of the note", "lines with the next word that the note asks to search for; after the last one lines with any of them";
    Id::Context, "context", ["C"], Places::of(&[Spot::Lines]), Look, "context", "the lines before and after this one, of all services and patterns";
    Id::ChooseLane, "on the timeline", ["T"], Places::of(&[Spot::Logs, Spot::Lines]), Look, "on the timeline", "a lane for this pattern, or for the ERROR lines of this line's service; again takes it off";
    Id::Sort, "sort", ["s"], SORTED, Look, "sort", "sort by the next column";
    Id::SortReverse, "sort reverse", ["S"], SORTED, Look, "", "the other way round";
    Id::Fold, "fold", ["z"], FOLDS, Look, "unfold", "fold or unfold: stack, equal waiters; in a trail only the events";
    Id::ZoomPanel, "panel full", ["z"], ZOOMED, Look, "", "the focused lane, or the evidence of the focused check, over the whole screen";
    Id::Baseline, "baseline", ["b"], Places::ALL, Look, "baseline", "baseline band on or off";
    Id::HypothesisLanes(1), "lanes H1", ["H 1"], Places::ALL, Look, "", "the signals of hypothesis 1 on the timeline; again: all lanes";
    Id::HypothesisLanes(2), "lanes H2", ["H 2"], Places::ALL, Look, "", "the signals of hypothesis 2";
    Id::HypothesisLanes(3), "lanes H3", ["H 3"], Places::ALL, Look, "", "the signals of hypothesis 3";
    Id::HypothesisLanes(4), "lanes H4", ["H 4"], Places::ALL, Look, "", "the signals of hypothesis 4";
    Id::HypothesisLanes(5), "lanes H5", ["H 5"], Places::ALL, Look, "", "the signals of hypothesis 5";
    Id::MarkRow, "mark", ["m"], LISTS, Evidence, "mark", "mark the row, or take its mark away";
    Id::GoToRow, "goto row", ["."], TIMED, Move, "cursor there", "cursor to the instant of the row";
    Id::Limits, "limits", ["c"], Places::but(&[Spot::Limits]), Look, "limits", "limits beside what is measured, and what is left of them at 30k, 77k and 100k users";
    Id::AddNote, "note" <"text">, ["a"], Places::ALL, Evidence, "note", "a remark at the cursor, on the timeline and in the recording";
    Id::Conclude, "conclude" <"H1, vendor">, [], Places::ALL, Evidence, "", "the cause as the team sees it, contributing ones behind it; on the timeline, and compared with the truth after a game day";
    Id::Status, "status" <"resolved">, [], Places::ALL, Evidence, "", "the note's status in its front matter; shows the change and asks";
    Id::Attach, "attach", ["E"], Places::ALL, Evidence, "attach to a check", "attach this row's evidence to a checkbox of the note; asks which";
    Id::Copy, "copy", ["y"], Places::ALL, Session, "copy", "copy the row's value";
    Id::CopyMarkdown, "copy markdown", ["Y"], Places::ALL, Session, "copy as Markdown", "copy the list as Markdown, with its scope and time";
    Id::Segments, "segments", ["B"], Places::of(&[Spot::Classes]), Look, "traits of others", "what the shared traits are about: the stuck, those not at HO, the class in focus";
    Id::Worksheet, "worksheet", ["w"], Places::of(&[Spot::Classes, Spot::Orders]), Session, "worksheet CSV", "write the orders with their next safe action as CSV";
    Id::Refresh, "refresh", ["r"], Places::of(&[Spot::Database, Spot::Session, Spot::Sources, Spot::SourceLog]), Session, "ask now", "ask this source now, at most once in 5 s";
    Id::Hold, "hold", ["space"], Places::ALL, Session, "hold", "hold the picture, polling goes on; in a replay pause";
    Id::Pace, "pace" <"60">, [], Places::ALL, Session, "", "seconds of a replay or demo in one second; 0 pauses";
    Id::Seek, "seek" <"19:24">, [], Places::ALL, Session, "", "play a replay or demo from there; without a time from the cursor";
    Id::Lock, "lock", ["L"], Places::ALL, Session, "", "lock the keys for viewers; L and y unlock";
    Id::Unmask, "unmask", [], Places::ALL, Session, "", "show or mask personal data";
    Id::Mouse, "mouse", ["M"], Places::ALL, Session, "", "mouse capture on or off; off leaves selecting to the terminal";
    Id::Glyphs, "glyphs" <"unicode|ascii|braille">, [], Places::ALL, Session, "", "characters that charts are drawn with";
    Id::Messages, "messages", [], Places::ALL, Session, "", "everything said so far";
    Id::Repaint, "repaint", ["ctrl-l"], Places::ALL, Session, "", "paint the screen anew";
    Id::Back, "back", ["esc", "backspace", "q"], Places::ALL, Drill, "back", "back one; q at the top asks whether to leave";
    Id::Palette, "commands", [":"], Places::ALL, Session, "commands", "every command by name";
    Id::Help, "help", ["?", "f1"], Places::ALL, Session, "help", "keys and how to read this screen";
    Id::Quit, "quit", [], Places::ALL, Session, "", "leave";
    Id::Interrupt, "interrupt", ["ctrl-c"], Places::ALL, Session, "", "leave; twice within 2 s";
];

/// Keys that mean a command in some places only: on the timeline minus zooms out, as `+ −` promises there;
/// elsewhere it is the last view.
pub const LOCAL_KEYS: &[(&str, Id, Places)] = &[("-", Id::ZoomOut, CHARTS)];

impl Id {
    /// Its row of the table.
    pub fn command(self) -> &'static Command {
        COMMANDS.iter().find(|c| c.id == self).unwrap_or(&COMMANDS[0])
    }
}

/// A command by its name.
pub fn by_name(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.name == name)
}
