//! What covers cells because somebody asked: the palette over the middle; a prompt, a tick's difference or
//! the question whether to leave over the last rows.

use crate::app::act::{answer, bind, note};
use crate::app::command::COMMANDS;
use crate::app::grid::Size;
use crate::app::palette::{Suggestion, suggestions};
use crate::app::state::{App, Pending, Prompt, PromptKind};
use crate::model::{MarkKind, Untrusted};
use crate::note::edit::Change;
use crate::view::canvas::{Canvas, Run, dim, plain, run, strong};
use crate::view::look::{Ground, Role};
use crate::view::{chrome, lane, moment, text};

/// Draws whatever is open.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    if let Some(prompt) = &app.prompt {
        match &prompt.kind {
            PromptKind::Command => commands(app, canvas, prompt),
            PromptKind::Attach(evidence) => attach(app, canvas, prompt, evidence),
            PromptKind::Bind(_, item) => bound(app, canvas, prompt, item),
            kind => line(app, canvas, prompt, kind),
        }
    } else if let Some(pending) = &app.pending {
        difference(app, canvas, pending);
    } else if app.leaving {
        question(
            canvas,
            &[strong("Leave warroom?"), dim("  Asking stops; the recording and the note stay as they are.")],
        );
    }
}

/// The covered part of the screen.
struct Sheet {
    x: u16,
    y: u16,
    width: u16,
    rows: u16,
}

impl Sheet {
    /// A hundred columns in the middle; the whole width and ten rows on narrow screens.
    fn of(app: &App, canvas: &Canvas<'_>) -> Self {
        let (w, h) = (canvas.width(), canvas.height());
        let (width, y, rows) =
            if app.grid.size == Size::Narrow { (w - 4, 5, 10) } else { (100.min(w - 8), h / 4 + 1, 15) };
        Self { x: (w - width) / 2, y, width, rows }
    }
    fn end(&self) -> u16 {
        self.x + self.width
    }
    fn draw(&self, app: &App, canvas: &mut Canvas<'_>, title: &str, right: &str) {
        canvas.fade(3);
        let (x, width) = (self.x.saturating_sub(2), self.width + 4);
        canvas.clear(x, self.y - 1, width, self.rows + 2);
        canvas.ground(x, self.y - 1, width, self.rows + 2, Ground::Popup);
        let rule = "─".repeat(usize::from(width));
        for y in [self.y - 1, self.y + self.rows] {
            canvas.put(x, y, &rule, Role::Faint);
        }
        canvas.put(self.x, self.y - 1, &format!(" {title} "), Role::Strong);
        canvas.right(self.end(), self.y - 1, &format!(" {right} "), Role::Dim);
        chrome::footer(app, canvas);
    }
}

fn commands(app: &App, canvas: &mut Canvas<'_>, prompt: &Prompt) {
    let sheet = Sheet::of(app, canvas);
    let found = suggestions(app, prompt.input.value());
    sheet.draw(app, canvas, "Command", &format!("{} of {}", found.len(), COMMANDS.len()));
    typed(canvas, sheet.x, sheet.y, sheet.end(), ":", prompt);
    let room = usize::from(sheet.rows - 5);
    let first = (prompt.row + 1).saturating_sub(room);
    for (y, (i, s)) in (sheet.y + 2..).zip(found.iter().enumerate().skip(first).take(room)) {
        suggestion(app, canvas, &sheet, y, s, prompt.input.value());
        if i == prompt.row {
            canvas.focus_row(sheet.x, y, sheet.end() + 1, moment::accent(app));
        }
    }
    let y = sheet.y + sheet.rows - 2;
    match found.get(prompt.row) {
        Some(s) if !s.takes.is_empty() => {
            canvas.runs(sheet.x + 2, y, sheet.end(), &[dim(format!("{} ", s.text)), plain(s.takes)]);
        }
        Some(_) => {}
        None => {
            canvas.fit(sheet.x + 2, sheet.y + 2, sheet.end(), "no command has these letters", Role::Dim);
        }
    }
}

fn suggestion(app: &App, canvas: &mut Canvas<'_>, sheet: &Sheet, y: u16, s: &Suggestion, typed: &str) {
    let x = sheet.x + 2;
    let name = canvas.safe(&s.text);
    let needle = typed.trim().to_lowercase();
    let at = if needle.is_empty() || !needle.is_ascii() { None } else { name.to_lowercase().find(&needle) };
    let parts = at.and_then(|i| Some((name.get(..i)?, name.get(i..i + needle.len())?, name.get(i + needle.len()..)?)));
    let keys = if s.keys.is_empty() { 0 } else { text::width(&s.keys) as u16 + 2 };
    let does = x + if app.grid.size == Size::Narrow { 24 } else { 32 };
    match parts {
        Some((before, hit, after)) => canvas.runs(x, y, does - 1, &[plain(before), run(Role::Hit, hit), plain(after)]),
        None => canvas.fit(x, y, does - 1, &name, Role::Text),
    };
    let says = canvas.safe(&s.does);
    canvas.fit(does, y, sheet.end().saturating_sub(keys + 1), &says, Role::Dim);
    canvas.right(sheet.end() - 1, y, &s.keys, Role::Key);
}

fn attach(app: &App, canvas: &mut Canvas<'_>, prompt: &Prompt, evidence: &str) {
    let sheet = Sheet::of(app, canvas);
    let items = note::candidates(app, prompt.input.value());
    sheet.draw(app, canvas, "Attach to a check", &format!("{} of {}", items.len(), app.note.items.len()));
    typed(canvas, sheet.x, sheet.y, sheet.end(), "words of it", prompt);
    let room = usize::from(sheet.rows - 5);
    let first = (prompt.row + 1).saturating_sub(room);
    for (y, (i, item)) in (sheet.y + 2..).zip(items.iter().enumerate().skip(first).take(room)) {
        let mut says = vec![dim(if item.ticked { "[x] " } else { "[ ] " })];
        says.extend(canvas.outside(&item.text, Role::Text));
        canvas.runs(sheet.x + 2, y, sheet.end() - 1, &says);
        if i == prompt.row {
            canvas.focus_row(sheet.x, y, sheet.end() + 1, moment::accent(app));
        }
    }
    let evidence = canvas.safe(evidence);
    canvas.runs(sheet.x + 2, sheet.y + sheet.rows - 2, sheet.end(), &[dim("evidence  "), plain(evidence)]);
}

/// Rules, series and people to choose from for a checkbox.
fn bound(app: &App, canvas: &mut Canvas<'_>, prompt: &Prompt, item: &Untrusted) {
    let sheet = Sheet::of(app, canvas);
    let found = bind::candidates(app, prompt.input.value());
    sheet.draw(app, canvas, "What answers this checkbox", &format!("{} fit", found.len()));
    typed(canvas, sheet.x, sheet.y, sheet.end(), "words of it", prompt);
    let room = usize::from(sheet.rows - 5);
    let first = (prompt.row + 1).saturating_sub(room);
    let says_at = sheet.x + if app.grid.size == Size::Narrow { 22 } else { 30 };
    for (y, (i, c)) in (sheet.y + 2..).zip(found.iter().enumerate().skip(first).take(room)) {
        let (name, says) = (canvas.safe(&c.name), canvas.safe(&c.says));
        canvas.fit(sheet.x + 2, y, says_at - 1, &name, Role::Text);
        canvas.fit(says_at, y, sheet.end() - 1, &says, Role::Dim);
        if i == prompt.row {
            canvas.focus_row(sheet.x, y, sheet.end() + 1, moment::accent(app));
        }
    }
    let item = canvas.shown(item);
    canvas.runs(sheet.x + 2, sheet.y + sheet.rows - 2, sheet.end(), &[dim("checkbox  "), plain(item)]);
}

/// What is being typed, with its cursor; a long line scrolls so that the cursor stays in sight.
fn typed(canvas: &mut Canvas<'_>, x: u16, y: u16, end: u16, label: &str, prompt: &Prompt) {
    let x = canvas.put(x, y, label, Role::Key) + 1;
    let room = usize::from(end.saturating_sub(x + 1));
    let skip = prompt.input.visual_scroll(room);
    let value: String = prompt.input.value().chars().skip(skip).collect();
    let value = canvas.safe(&value);
    canvas.put(x, y, &text::cut(&value, room), Role::Strong);
    let cursor = x + prompt.input.visual_cursor().saturating_sub(skip) as u16;
    let under = canvas.symbol(cursor, y).to_owned();
    canvas.put(cursor.min(end.saturating_sub(1)), y, if under.is_empty() { " " } else { &under }, Role::Label);
}

/// A question on the row above the footer.
fn question(canvas: &mut Canvas<'_>, says: &[Run<'_>]) {
    let y = canvas.height().saturating_sub(2);
    canvas.clear(0, y, canvas.width(), 1);
    canvas.runs(2, y, canvas.width().saturating_sub(1), says);
}

fn line(app: &App, canvas: &mut Canvas<'_>, prompt: &Prompt, kind: &PromptKind) {
    let y = canvas.height().saturating_sub(2);
    let zone = &app.store.incident.zone;
    let label = match kind {
        PromptKind::Search => "/".to_owned(),
        PromptKind::Filter => "filter".to_owned(),
        PromptKind::Note => format!("note at {}", lane::clock(zone, app.at(), app.step)),
        PromptKind::Range => "from and to, like 19:24 20:41".to_owned(),
        PromptKind::Reason(check, verdict) => {
            let verdict = verdict.map_or("as measured", |v| match v {
                crate::model::note::Verdict::Supports => "supports",
                crate::model::note::Verdict::Refutes => "refutes",
                crate::model::note::Verdict::Inconclusive => "inconclusive",
                crate::model::note::Verdict::NoData => "no data",
            });
            format!("{} {verdict}, because", canvas.safe(check))
        }
        PromptKind::Verdict(check) => {
            let check = canvas.safe(check);
            return question(canvas, &[strong(check), dim("  what do you say of it?")]);
        }
        PromptKind::Answer(_, question) => {
            let zone = &app.store.incident.zone;
            let says = canvas.shown(question);
            let by = format!("  {} {}, {}", zone.hm(app.acted_at()), zone.name, canvas.safe(&app.who));
            canvas.clear(0, y - 1, canvas.width(), 1);
            canvas.runs(2, y - 1, canvas.width().saturating_sub(1), &[strong(says), dim(by)]);
            "answer".to_owned()
        }
        PromptKind::Command | PromptKind::Attach(_) | PromptKind::Bind(..) => return,
    };
    canvas.clear(0, y, canvas.width(), 1);
    typed(canvas, 2, y, canvas.width().saturating_sub(2), &label, prompt);
}

/// What a tick would write, byte for byte, on the rows above the footer.
fn difference(app: &App, canvas: &mut Canvas<'_>, pending: &Pending) {
    let h = canvas.height();
    let rows = (pending.diff.len() as u16).min(h / 3);
    let top = h.saturating_sub(rows + 4);
    canvas.clear(0, top, canvas.width(), rows + 3);
    let end = canvas.width().saturating_sub(1);
    let verb = match &pending.change {
        Change::Answer(_) => "ANSWER IN THE NOTE",
        Change::Status(_) => "STATUS OF THE NOTE",
        Change::Item(edit) if edit.evidence.as_deref().is_some_and(answer::is_answer) => "ANSWER IN THE NOTE",
        Change::Item(edit) if edit.ticked => "TICK IN THE NOTE",
        Change::Item(_) => "UNTICK IN THE NOTE",
    };
    let marked = pending.marks.first().map(|m| {
        let kind = if m.kind == MarkKind::Change { "a change" } else { "a remark" };
        format!("and {kind} on the timeline at {}", app.store.incident.zone.hm(m.at))
    });
    let name = app.store.note(app.at()).map_or_else(String::new, |n| canvas.shown(&n.name));
    canvas.head(
        2,
        top + 1,
        end,
        verb,
        &format!("{name}, this {}", marked.as_deref().unwrap_or("and nothing else")),
        crate::view::canvas::Focus::Here(Role::Accent),
    );
    for (i, d) in pending.diff.iter().take(usize::from(rows)).enumerate() {
        let (sign, role) = match d.sign {
            '+' => (run(Role::Ok, "+ "), Role::Strong),
            '-' => (run(Role::Var, "− "), Role::Dim),
            _ => (plain("  "), Role::Dim),
        };
        let number = d.line.map_or_else(String::new, |n| n.to_string());
        let mut says = vec![dim(format!("{number:>5}  ")), sign];
        says.extend(canvas.outside(&d.text, role));
        canvas.runs(2, top + 2 + i as u16, end, &says);
    }
}
