//! The footer: the keys that do something here, in the table's order, Enter first with what it opens.

use crate::app::act::drill::{self, Target};
use crate::app::act::list;
use crate::app::command::{COMMANDS, Command, Id, Spot};
use crate::app::key::Key;
use crate::app::keymap::shown;
use crate::app::rows::{Panel, panels};
use crate::app::state::{App, Cursor, Mode, Place, PromptKind, Screen};
use crate::note::edit::Change;
use std::fmt::Write as _;

/// Keys and text of the footer, most important first; `:` and `?` are the last two.
pub fn footer(app: &App) -> Vec<(String, String)> {
    if let Some(fixed) = question(app) {
        return fixed.iter().map(|(k, t)| ((*k).to_owned(), (*t).to_owned())).collect();
    }
    let mut out = Vec::new();
    for c in COMMANDS {
        if let Some(text) = text(app, c) {
            let keys = pair_keys(app, c.id);
            if !keys.is_empty() {
                out.push((keys, text));
            }
        }
    }
    if app.mode != Mode::Live && *app.place() == Place::Top(Screen::Timeline) {
        let space = out.iter().position(|(k, _)| k == "Space");
        if let Some(i) = space {
            let hold = out.remove(i);
            out.insert(0, hold);
        }
    }
    out
}

/// Footers while something is asked.
fn question(app: &App) -> Option<&'static [(&'static str, &'static str)]> {
    if app.locked {
        return Some(if app.unlocking { &[("y", "unlock")] } else { &[("L", "unlock the keys")] });
    }
    if let Some(prompt) = &app.prompt {
        return Some(match prompt.kind {
            PromptKind::Command => &[("Enter", "run"), ("Tab", "complete"), ("↑↓", "choose"), ("Esc", "close")],
            PromptKind::Answer(..) => &[("Enter", "show what it writes"), ("Esc", "close")],
            PromptKind::Bind(..) => &[("Enter", "bind it to this"), ("↑↓", "choose"), ("Esc", "close")],
            PromptKind::Attach(_) => &[("Enter", "show what it writes"), ("↑↓", "choose"), ("Esc", "close")],
            PromptKind::Verdict(_) => {
                &[("s", "supports"), ("r", "refutes"), ("i", "inconclusive"), ("a", "as measured"), ("Esc", "close")]
            }
            PromptKind::Reason(..) => &[("Enter", "record it with this reason"), ("Esc", "close")],
            PromptKind::Filter => &[("Enter", "keep"), ("!", "inverts"), ("~", "expression"), ("Esc", "close")],
            PromptKind::Search | PromptKind::Note | PromptKind::Range => &[("Enter", "done"), ("Esc", "close")],
        });
    }
    if let Some(pending) = &app.pending {
        let with = if let Change::Item(edit) = &pending.change { edit.evidence.as_ref() } else { None };
        return Some(match (&pending.evidence, with) {
            (None, _) => &[("y", "write it"), ("n", "leave the note as it is")],
            (Some(_), None) => &[("y", "write it"), ("e", "with the evidence line"), ("n", "leave the note as it is")],
            (Some(_), Some(_)) => {
                &[("y", "write it"), ("e", "without the evidence line"), ("n", "leave the note as it is")]
            }
        });
    }
    if app.leaving {
        return Some(&[("y", "leave"), ("n", "stay")]);
    }
    if app.help {
        return Some(&[("↑↓", "scroll"), ("1 … 6", "help of that screen"), ("Esc", "close")]);
    }
    None
}

/// The footer's text of a command; none when it does nothing here.
fn text(app: &App, c: &Command) -> Option<String> {
    let spot = Spot::of(app);
    if c.hint.is_empty() || !c.places.has(spot) || !works(app, c.id) {
        return None;
    }
    Some(match c.id {
        Id::Enter => target_words(app, &drill::target(app)?),
        Id::Left if app.selecting => "move the end".to_owned(),
        Id::Select if app.selecting => "end selection".to_owned(),
        Id::Hold if app.mode != Mode::Live => if app.pace > 0.0 { "pause" } else { "play" }.to_owned(),
        Id::Hold if app.held.is_some() => "let go".to_owned(),
        Id::SameOrderNext if spot == Spot::Lines || spot == Spot::Logs => "same order".to_owned(),
        Id::Fold if spot == Spot::Trail => if app.events_only { "all lines" } else { "only events" }.to_owned(),
        Id::NextPanel => next_panel(app),
        Id::Live if app.mode != Mode::Live => "catch up".to_owned(),
        Id::Back => back_words(app),
        _ => c.hint.to_owned(),
    })
}

/// Whether a command's key would do something now, as far as the footer is concerned.
pub fn works(app: &App, id: Id) -> bool {
    let panel = app.panel();
    let rows = !app.is_empty(panel);
    match id {
        Id::Enter => drill::target(app).is_some(),
        Id::Live => app.cursor != Cursor::Now || app.held.is_some(),
        Id::NextPanel => panels(app.place()).len() > 1,
        Id::PreviousDatabase => app.database_names().len() > 1,
        Id::Back => {
            app.places.len() > 1
                || app.zoomed
                || app.window.is_some()
                || app.selection.is_some()
                || !app.filter.is_empty()
        }
        Id::PreviousEvent => !app.derived.events.is_empty(),
        Id::Baseline => app.store.incident.baseline.is_some(),
        Id::Limits => matches!(app.place(), Place::Top(Screen::Timeline) | Place::Checks(_)),
        Id::Sort => rows && !list::sort_columns(panel).is_empty(),
        Id::SearchNext => !app.search.is_empty() && rows,
        Id::Tick => app.may_write && crate::app::act::note::focused_item(app).is_some(),
        Id::TickWithEvidence => {
            app.may_write
                && crate::app::act::note::focused_item(app)
                    .is_some_and(|i| crate::app::act::note::evidence_of(app, &i).is_some())
        }
        Id::Answer => {
            app.may_write && (rows && panel == Panel::Questions || crate::app::act::note::focused_item(app).is_some())
        }
        Id::Questions => !app.note.questions.is_empty(),
        Id::EvidenceOrders => app.checks().get(app.focus()).is_some_and(|c| c.of_orders),
        Id::Bind => crate::app::act::note::focused_item(app).is_some(),
        Id::Attach => app.may_write && rows && !app.note.items.is_empty(),
        Id::Keyword => app.store.logs.arrived() > 0,
        Id::ChooseLane => rows && matches!(panel, Panel::Patterns | Panel::Lines),
        Id::Context => rows && app.narrowed_lines(),
        Id::SameOrderNext => matches!(panel, Panel::Lines | Panel::Steps) && rows,
        Id::Fold => fold_works(app, panel),
        Id::Refresh => app.mode == Mode::Live,
        Id::MarkRow | Id::Search | Id::Copy | Id::CopyMarkdown | Id::Verdict => rows,
        Id::Filter => {
            matches!(panel, Panel::Patterns | Panel::Lines | Panel::Stacks | Panel::Orders)
                && (rows || !app.filter.is_empty())
        }
        Id::Worksheet | Id::Segments => app.derived.standing.total > 0,
        Id::GoToRow => list::instant(app).is_some(),
        Id::LeftTen => app.grid.size >= crate::app::grid::Size::Medium,
        Id::Hold => app.mode != Mode::Live || app.held.is_some(),
        _ => true,
    }
}

fn fold_works(app: &App, panel: Panel) -> bool {
    let row = app.focus();
    match panel {
        Panel::Tree => app
            .derived
            .tree
            .rows
            .get(row)
            .is_some_and(|r| !r.folded.is_empty() || app.unfolded.contains(&i64::from(r.pid))),
        Panel::Lines => app.line(row).is_some_and(|k| !k.line.stack.is_empty()),
        Panel::Steps => !app.derived.steps.is_empty() || app.events_only,
        _ => false,
    }
}

fn next_panel(app: &App) -> String {
    let all = panels(app.place());
    let next = all.get((app.panel + 1) % all.len().max(1)).copied();
    next.map_or_else(|| "next panel".to_owned(), |p| p.name().to_owned())
}

fn back_words(app: &App) -> String {
    let what = if app.zoomed {
        "all panels"
    } else if app.places.len() > 1 {
        "back"
    } else if !app.filter.is_empty() {
        "drop the filter"
    } else if *app.place() != Place::Top(Screen::Timeline) {
        "timeline"
    } else if app.selection.is_some() {
        "drop selection"
    } else {
        "drop the window"
    };
    what.to_owned()
}

/// What Enter opens, in words.
pub fn target_words(app: &App, target: &Target) -> String {
    match target {
        Target::Window(span) => match orders_in(app, *span) {
            Some(n) => format!("{} affected orders", count(n)),
            None if app.selection.is_some() => "orders of the selection".to_owned(),
            None => "orders of this minute".to_owned(),
        },
        Target::Instant(_) => "cursor there".to_owned(),
        Target::Whole => "the evidence".to_owned(),
        Target::Item(_) => "its checkbox".to_owned(),
        Target::Place(place) => match place {
            Place::OrderList { .. } => "its orders",
            Place::Trail(_) if app.panel() == Panel::Lines => "the order",
            Place::Trail(_) => "its trail",
            Place::Checks(_) if app.panel() == Panel::Steps => "its hypotheses",
            Place::Checks(_) => "its checks",
            Place::Session(_) => "open the session",
            Place::Lines(_) | Place::Stack(_) => "its lines",
            Place::Section(_) => "its checkboxes",
            Place::SourceLog(_) => "its log",
            _ => "open",
        }
        .to_owned(),
    }
}

/// Affected orders of a stretch, when they have been counted for it and there are any.
fn orders_in(app: &App, span: crate::model::Span) -> Option<usize> {
    let born = app.derived.born.as_ref().filter(|b| b.span == span && b.standing.asof.is_some())?;
    Some(born.affected()).filter(|n| *n > 0)
}

/// `1,284`.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// The first key of a command where one is, as shown; empty when it has none.
pub fn keys(app: &App, id: Id) -> String {
    app.keymap.keys_of(id, Spot::of(app)).next().map(shown).unwrap_or_default()
}

/// Two commands that share one place in the footer.
const PAIRS: &[(Id, Id, &str)] = &[
    (Id::Left, Id::Right, ""),
    (Id::LeftTen, Id::RightTen, ""),
    (Id::PreviousEvent, Id::NextEvent, " "),
    (Id::ZoomIn, Id::ZoomOut, " "),
    (Id::PreviousDatabase, Id::NextDatabase, " "),
    (Id::SearchNext, Id::SearchPrevious, " "),
    (Id::SameOrderNext, Id::SameOrderPrevious, " "),
];

fn pair_keys(app: &App, id: Id) -> String {
    let mut first = keys(app, id);
    if let Some((_, other, between)) = PAIRS.iter().find(|(a, ..)| *a == id) {
        let second = preferred(app, *other);
        let second = second.strip_prefix('⇧').filter(|_| first.starts_with('⇧')).unwrap_or(&second);
        let _ = write!(first, "{between}{second}");
    }
    first
}

/// On charts minus is the key that `+ −` promises.
fn preferred(app: &App, id: Id) -> String {
    let minus = [Key::char('-')];
    let local = app.keymap.keys_of(id, Spot::of(app)).any(|k| k == minus);
    if local { "−".to_owned() } else { keys(app, id) }
}
