//! The exact change a tick would write into the note, line by line, before anything is written.

use crate::analysis::check::Check;
use crate::app::App;
use crate::model::note::ItemId;
use crate::note::edit::{self, DiffLine, Edit};
use crate::view::canvas::{Canvas, Focus, dim, plain, run, strong};
use crate::view::list::Runs;
use crate::view::look::Role;
use crate::view::text;

/// Draws the panel between `y` and `end`; gives back the row after it.
pub fn draw(
    app: &App,
    canvas: &mut Canvas<'_>,
    check: Option<&Check>,
    item: Option<&ItemId>,
    (x, end_x): (u16, u16),
    y: u16,
    end: u16,
) -> u16 {
    if y >= end {
        return y;
    }
    let name = app.store.note(app.at()).map_or(String::new(), |n| canvas.shown(&n.name));
    let mut y = canvas.head(x, y, end_x, "WHAT x WRITES", &name, Focus::Away);
    if let Some(pending) = &app.pending {
        y = lines(canvas, &pending.diff, (x, end_x), y, end.saturating_sub(1));
        if y < end {
            canvas.runs(
                x,
                y,
                end_x,
                &[
                    strong("write this into the note?  "),
                    run(Role::Key, "y"),
                    dim(" writes it   "),
                    run(Role::Key, "e"),
                    dim(" with the evidence line   "),
                    run(Role::Key, "n"),
                    dim(" leaves the note as it is"),
                ],
            );
        }
        return y + 1;
    }
    let Some(item) = item else {
        canvas.fit(
            x,
            y,
            end_x,
            "nothing: the note has no checkbox for this check; E attaches its evidence to one",
            Role::Dim,
        );
        return y + 1;
    };
    let ticked = app.note.items.iter().find(|i| i.id == *item).is_some_and(|i| i.ticked);
    let edit = Edit { item: item.clone(), ticked: !ticked, evidence: None };
    match edit::apply(&app.note_text, &edit) {
        Ok(after) => y = lines(canvas, &edit::diff(&app.note_text, &after), (x, end_x), y, end),
        Err(refusal) => {
            canvas.fit(x, y, end_x, &refusal.to_string(), Role::Warn);
            return y + 1;
        }
    }
    y = with_evidence(canvas, check, (x, end_x), y, end);
    footnote(app, canvas, (x, end_x), y + 1, end)
}

fn lines(canvas: &mut Canvas<'_>, diff: &[DiffLine], (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let mut y = y;
    for (i, line) in diff.iter().enumerate() {
        if y >= end {
            return y;
        }
        let (sign, role, words) = match line.sign {
            '+' => ("+", Role::Ok, Role::Text),
            '-' => ("−", Role::Bad, Role::Text),
            _ => (" ", Role::Dim, Role::Dim),
        };
        // A line that goes away stood where the next one stands.
        let stood = || diff.get(i + 1..).unwrap_or_default().iter().find_map(|l| l.line);
        let number = line.line.or_else(stood).map_or(String::new(), |n| n.to_string());
        let mut runs: Runs = vec![run(role, format!("{sign} {number:>4}   "))];
        runs.extend(canvas.outside(&line.text, words));
        canvas.runs(x, y, end_x, &runs);
        y += 1;
    }
    y
}

/// What `X` adds below the item.
fn with_evidence(canvas: &mut Canvas<'_>, check: Option<&Check>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let Some(line) = check.map(|c| c.evidence_line.as_str()).filter(|l| !l.is_empty()) else { return y };
    let mut y = y;
    let shown = text::show_str(line, canvas.privacy);
    for (i, line) in text::wrap(&shown, usize::from(end_x.saturating_sub(x + 13))).into_iter().enumerate() {
        if y >= end {
            return y;
        }
        let sign = if i == 0 { "+ with X     - " } else { "               " };
        canvas.runs(x, y, end_x, &[run(Role::Ok, sign), plain(line)]);
        y += 1;
    }
    y
}

fn footnote(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let mut says: Vec<Runs> = vec![
        vec![dim(
            "One byte; with X one indented line more. Refused if this line was changed in another editor meanwhile.",
        )],
        vec![run(Role::Key, "x"), dim(" shows this and asks "), run(Role::Key, "y"), dim(" or "), run(Role::Key, "n")],
    ];
    if !app.may_write {
        says = vec![vec![run(
            Role::Warn,
            "nothing is written here: this is a view, a replay, or the note is not configured to be written",
        )]];
    }
    let mut y = y;
    for runs in says {
        if y >= end {
            return y;
        }
        canvas.runs(x, y, end_x, &runs);
        y += 1;
    }
    y
}
