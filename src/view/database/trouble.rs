//! Why a database does not answer: what, since when, what follows from it, the remedy, the next attempt.
//! Stands where the panels begin; everything below it is the last answer.

use super::Shown;
use crate::app::grid::Size;
use crate::model::health::{Health, State};
use crate::model::{Lapse, Stamp};
use crate::view::canvas::{Canvas, Run, dim, run, width_of};
use crate::view::list::Runs;
use crate::view::look::Role;
use crate::view::{number, text};
use std::fmt::Write as _;

/// Draws the sentences when there is trouble; gives back the row of the first panel.
pub fn draw(db: &Shown<'_>, canvas: &mut Canvas<'_>, y: u16) -> u16 {
    let Some(health) = db.health.filter(|h| h.state != State::Well) else { return y };
    let left = db.app.grid.left;
    let end = canvas.width().saturating_sub(1);
    let down = health.state == State::Down;
    canvas.gutter(left.saturating_sub(1), y, if down { Role::Bad } else { Role::Warn });
    let (says, since) = what(db, canvas, health);
    // Code and since stay on the first line: the words give way to them.
    let room = canvas.runs_right(left, end, y, &[since]);
    canvas.runs(left, y, room.saturating_sub(2), &says);
    let mut y = y + 1;
    let limit = if db.app.grid.size == Size::Narrow { 2 } else { 3 };
    let cut = width_of(&says) > usize::from(room.saturating_sub(left + 2));
    let whole = if cut { canvas.shown(&health.says) } else { String::new() };
    for sentence in [whole, remedy(db, canvas, health), below(db)] {
        for line in text::wrap(&sentence, usize::from(end.saturating_sub(left))).into_iter().take(limit) {
            canvas.put(left, y, &line, Role::Dim);
            y += 1;
        }
    }
    y + 1
}

/// The state in the source's own words, its code, and since when.
fn what(db: &Shown<'_>, canvas: &Canvas<'_>, health: &Health) -> (Runs, Run<'static>) {
    let zone = &db.app.store.incident.zone;
    let role = if health.state == State::Down { Role::Bad } else { Role::Warn };
    let says = if health.says.is_empty() {
        vec![run(role, format!("{} is {}", db.name, if role == Role::Bad { "down" } else { "late" }))]
    } else {
        canvas.outside(&health.says, role)
    };
    let since = since(db, health);
    let code = canvas.shown(&crate::model::Untrusted::from(health.code.as_str()));
    let code = if code.is_empty() { String::new() } else { format!("{code} · ") };
    (says, dim(format!("{code}since {}, {}", zone.hms(since), number::span(db.app.at().since(since)))))
}

/// When this state began: the first of an unbroken row of reports of the same state.
fn since(db: &Shown<'_>, health: &Health) -> Stamp {
    let at = db.app.at();
    let Some(history) = db.app.store.health_history(&db.name) else { return health.at };
    let before = history.iter().rev().skip_while(|(t, _)| *t > at);
    before.take_while(|(_, h)| h.state == health.state).map(|(t, _)| t).last().unwrap_or(health.at)
}

fn remedy(db: &Shown<'_>, canvas: &Canvas<'_>, health: &Health) -> String {
    let mut out = String::new();
    let remedy = canvas.shown(&health.remedy);
    if health.code.starts_with("53") && !canvas.shown(&health.says).contains("evidence") {
        out.push_str("This is evidence, not a fault of warroom: the refusal is recorded and the checks count it. ");
    }
    if !remedy.is_empty() {
        out.push_str("Remedy: ");
        out.push_str(remedy.trim_end_matches('.'));
        out.push_str(". ");
    }
    match health.next.map(|n| n.since(db.app.at())) {
        Some(wait) if wait > Lapse::ZERO => {
            let _ = write!(out, "Next attempt in {}. ", number::span(wait));
        }
        _ if health.state == State::Down && remedy.is_empty() => {
            out.push_str("It is asked again and again, at most once in 5 s. ");
        }
        _ => {}
    }
    out.push_str("One connection, never more.");
    out
}

fn below(db: &Shown<'_>) -> String {
    let zone = &db.app.store.incident.zone;
    let others = if db.app.database_names().len() > 1 { " The other databases are not affected." } else { "" };
    match db.sample {
        Some(s) if db.stale => format!(
            "Below: the last answer, {}, {}, kept and greyed.{others}",
            zone.hms(s.at),
            number::ago(db.app.at().since(s.at))
        ),
        Some(_) => String::new(),
        None => format!("It has never answered: nothing is known of it, and nothing is shown.{others}"),
    }
}
