//! What each command does to the state. Every function changes `App` and gives back effects; none of them
//! decides whether a key was meant for it.

pub mod answer;
pub mod bind;
pub mod drill;
pub mod lane;
pub mod list;
pub mod look;
pub mod note;
pub mod prompt;
pub mod session;
pub mod time;

use crate::app::command::Id;
use crate::app::key::{Code, Key};
use crate::app::message::Effect;
use crate::app::state::{App, PromptKind};

/// Does a command; `key` is the key that meant it, none from the palette.
pub fn perform(app: &mut App, id: Id, key: Option<Key>) -> Vec<Effect> {
    match id {
        Id::Enter => return drill::open(app),
        Id::Back => return back(app, key),
        Id::Up => list::step(app, -1),
        Id::Down => list::step(app, 1),
        Id::PageUp => list::step(app, -list::page(app)),
        Id::PageDown => list::step(app, list::page(app)),
        Id::First => list::step(app, i64::MIN),
        Id::Last => list::step(app, i64::MAX),
        Id::NextPanel => list::panel(app, 1),
        Id::PreviousPanel => list::panel(app, -1),
        Id::Screen(screen) => drill::screen(app, screen),
        Id::LastView => drill::last_view(app),
        Id::HistoryBack => drill::history_back(app),
        Id::HistoryForward => drill::history_forward(app),
        Id::PreviousDatabase => list::database(app, -1),
        Id::NextDatabase => list::database(app, 1),
        Id::StuckOrders => drill::stuck_orders(app),
        Id::Keyword => drill::keyword(app),
        Id::Context => drill::context(app),
        Id::ChooseLane => return lane::choose(app),
        Id::Sort => list::sort(app),
        Id::SortReverse => list::reverse(app),
        Id::SearchNext => list::search(app, 1),
        Id::SearchPrevious => list::search(app, -1),
        Id::SameOrderNext => return list::same_order(app, 1),
        Id::SameOrderPrevious => return list::same_order(app, -1),
        Id::Fold => list::fold(app),
        Id::ZoomPanel => list::zoom(app),
        Id::Baseline => app.baseline = !app.baseline,
        Id::HypothesisLanes(n) => list::lanes_of(app, u32::from(n)),
        Id::MarkRow => list::mark(app),
        Id::Tick => note::tick(app, note::With::Nothing),
        Id::TickWithEvidence => note::tick(app, note::With::Evidence),
        Id::Verdict => note::verdict(app),
        Id::EvidenceOrders => drill::evidence_orders(app),
        Id::Attach => note::attach(app),
        Id::Answer => answer::ask(app),
        Id::Bind => bind::ask(app),
        Id::Filter => prompt::open(app, PromptKind::Filter),
        Id::Search => prompt::open(app, PromptKind::Search),
        Id::AddNote => prompt::open(app, PromptKind::Note),
        Id::TypeRange => prompt::open(app, PromptKind::Range),
        Id::Palette => prompt::open(app, PromptKind::Command),
        Id::Database | Id::Order | Id::Goto | Id::Pace | Id::Glyphs | Id::Conclude | Id::Status => {
            prompt::begin(app, id);
        }
        _ => return elsewhere(app, id),
    }
    Vec::new()
}

fn elsewhere(app: &mut App, id: Id) -> Vec<Effect> {
    match id {
        Id::Left => time::step(app, -1),
        Id::Right => time::step(app, 1),
        Id::LeftTen => time::step(app, -10),
        Id::RightTen => time::step(app, 10),
        Id::PreviousEvent => time::event(app, -1),
        Id::NextEvent => time::event(app, 1),
        Id::GoToRow => list::go_to_row(app),
        Id::FirstColumn => time::first_column(app),
        Id::Live => time::live(app),
        Id::Select => time::select(app),
        Id::OtherEnd => time::other_end(app),
        Id::UseAsWindow => time::use_as_window(app),
        Id::ZoomIn => time::zoom(app, -1),
        Id::ZoomOut => time::zoom(app, 1),
        Id::ZoomReset => time::reset(app),
        Id::ZoomUndo => time::undo(app),
        Id::ShowBaseline => time::show_baseline(app),
        Id::ShowIncident => time::show_incident(app),
        Id::ShowNow => time::show_now(app),
        Id::Copy => session::copy(app),
        Id::CopyMarkdown => session::copy_markdown(app),
        Id::Segments => {
            drill::next_segments(app);
            Vec::new()
        }
        Id::Worksheet => session::worksheet(app),
        Id::Refresh => session::refresh(app),
        Id::Hold => session::hold(app),
        Id::Seek => session::seek(app, None),
        Id::Lock => session::lock(app),
        Id::Unmask => session::unmask(app),
        Id::Mouse => session::mouse(app),
        Id::Limits => drill::enter(app, crate::app::state::Place::Limits),
        Id::Messages => drill::enter(app, crate::app::state::Place::Messages),
        Id::Questions => drill::enter(app, crate::app::state::Place::Questions),
        Id::Repaint => vec![Effect::Repaint],
        Id::Help => {
            app.help = !app.help;
            app.rows.remove(HELP_ROWS);
            Vec::new()
        }
        Id::Quit => vec![Effect::Quit],
        _ => Vec::new(),
    }
}

/// Under which name the help remembers how far it is scrolled.
pub const HELP_ROWS: &str = "help";

/// A key while the help is open: it scrolls, a screen's digit shows that screen, the rest closes it.
pub fn help_key(app: &mut App, key: Key) -> Vec<Effect> {
    let page = app.page();
    let rows = app.rows.entry(HELP_ROWS.to_owned()).or_default();
    match key.code {
        Code::Down | Code::Char('j') => rows.top += 1,
        Code::Up | Code::Char('k') => rows.top = rows.top.saturating_sub(1),
        Code::PageDown | Code::Char(' ') => rows.top += page,
        Code::PageUp => rows.top = rows.top.saturating_sub(page),
        Code::Home | Code::Char('g') => rows.top = 0,
        Code::Char(c) if c.is_ascii_digit() => {
            let screen = c.to_digit(10).and_then(|d| crate::app::state::Screen::ALL.get(d.checked_sub(1)? as usize));
            if let Some(screen) = screen {
                rows.top = 0;
                drill::screen(app, *screen);
            }
        }
        _ => app.help = false,
    }
    rows_within_help(app);
    Vec::new()
}

fn rows_within_help(app: &mut App) {
    let last = crate::app::help::length().saturating_sub(1);
    if let Some(rows) = app.rows.get_mut(HELP_ROWS) {
        rows.top = rows.top.min(last);
    }
}

fn back(app: &mut App, key: Option<Key>) -> Vec<Effect> {
    if app.help {
        app.help = false;
        return Vec::new();
    }
    if app.zoomed {
        app.zoomed = false;
        return Vec::new();
    }
    if drill::back(app) {
        return Vec::new();
    }
    if key.is_some_and(|k| k.code == Code::Char('q')) {
        app.leaving = true;
    }
    Vec::new()
}
