//! The note beside the hypotheses: phases and areas with their progress, what is ready to tick, the last
//! ticks, open questions, what no source answers.

use super::focus;
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::note::{Item, ItemId, Section};
use crate::view::canvas::{Canvas, Focus, dim, plain, run, strong};
use crate::view::list::{Runs, visible};
use crate::view::look::Role;
use crate::view::{moment, number, text};

/// Draws the column between `y` and `end`.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    let ready = app.derived.findings.ready.len();
    // On the smallest screen the column is the whole body and holds the focused panel only.
    if app.grid.size == Size::Narrow && app.panel() == Panel::Ready {
        self::ready(app, canvas, (x, end_x), y, end);
        return;
    }
    let keep = if app.grid.size == Size::Narrow { 0 } else { (ready.clamp(1, 6) + 2) as u16 };
    let mut y = sections(app, canvas, (x, end_x), y, end.saturating_sub(keep));
    if app.grid.size == Size::Narrow {
        return;
    }
    let ticks = app.store.ticks(app.at()).count();
    let keep = if app.grid.size == Size::Wide && ticks > 0 { ticks.min(4) as u16 + 2 } else { 0 };
    y = self::ready(app, canvas, (x, end_x), y, end.saturating_sub(keep));
    if app.grid.size == Size::Wide {
        last_ticks(app, canvas, (x, end_x), y, end);
    }
}

/// A line of the sections list.
enum Line {
    Blank,
    Head(&'static str),
    Section(usize),
}

/// Phases, areas and other sections, each kind under its heading.
fn lines(app: &App) -> Vec<Line> {
    let wide = app.grid.size == Size::Wide;
    let kinds = [
        (if wide { "PHASES OF THE NOTE" } else { "PHASES" }, app.note.phases.len()),
        ("AREAS", app.note.areas.len()),
        ("OTHER CHECKBOXES", app.note.others.len()),
    ];
    let mut out = Vec::new();
    let mut at = 0;
    for (title, n) in kinds {
        if n == 0 {
            continue;
        }
        if !out.is_empty() {
            out.push(Line::Blank);
        }
        out.push(Line::Head(title));
        out.extend((at..at + n).map(Line::Section));
        at += n;
    }
    out
}

fn sections(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let lines = lines(app);
    let rows = app.rows_in(Panel::Sections);
    if lines.is_empty() {
        canvas.fit(x, y, end_x, "the note has no checkboxes outside its hypotheses", Role::Dim);
        return y + 2;
    }
    let focused = app.panel() == Panel::Sections;
    let at = lines.iter().position(|l| matches!(l, Line::Section(i) if *i == rows.focus)).unwrap_or(0);
    let at = if focused && rows.focus > 0 { at } else { 0 };
    let mut y = y;
    for i in visible(lines.len(), usize::from(end.saturating_sub(y)), 0, at) {
        match lines.get(i) {
            Some(Line::Head(title)) => {
                let here = if focused && i == 0 { focus(app, Panel::Sections) } else { Focus::Away };
                canvas.head_apart(x, y, end_x, title, "ticked", here);
            }
            Some(Line::Section(i)) => {
                if let Some(section) = app.section(*i) {
                    progress(app, canvas, section, (x, end_x), y);
                }
                if focused && *i == rows.focus {
                    canvas.focus_row(x, y, end_x, moment::accent(app));
                }
            }
            Some(Line::Blank) | None => {}
        }
        y += 1;
    }
    y + 1
}

fn item<'a>(app: &'a App, id: &ItemId) -> Option<&'a Item> {
    app.note.items.iter().find(|i| i.id == *id)
}

/// One section: title, priority, bar, how many of how many.
fn progress(app: &App, canvas: &mut Canvas<'_>, section: &Section, (x, end_x): (u16, u16), y: u16) {
    let items: Vec<&Item> = section.items.iter().filter_map(|i| app.note.items.get(*i)).collect();
    let done = items.iter().filter(|i| i.ticked).count();
    let ready = items.iter().filter(|i| app.derived.findings.ready.contains(&i.id)).count();
    let wide = app.grid.size != Size::Medium;
    let number = section.number.map_or(String::new(), |n| format!("{n} "));
    let title = format!("{number}{}", canvas.shown(&section.title));
    let cells = if wide { 16 } else { 4 };
    let bar = if wide { x + 29 } else { x + 18 };
    let title_end = if section.priority.is_empty() || !wide { bar.saturating_sub(1) } else { x + 19 };
    canvas.fit(x, y, title_end, &title, Role::Text);
    if wide && !section.priority.is_empty() {
        canvas.untrusted(x + 20, y, bar.saturating_sub(1), &section.priority, Role::Dim);
    }
    let full = (done * cells).checked_div(items.len()).unwrap_or(0);
    canvas.put(bar, y, &"━".repeat(full), Role::Ser);
    canvas.put(bar + full as u16, y, &"┈".repeat(cells - full), Role::Faint);
    let mut runs: Runs = Vec::new();
    if wide && ready > 0 {
        runs.push(run(Role::Ok, format!("{ready} ready  ")));
    }
    runs.push(strong(done.to_string()));
    runs.push(dim(if wide { format!(" of {}", items.len()) } else { format!("/{}", items.len()) }));
    canvas.runs_right(bar + cells as u16 + 1, end_x, y, &runs);
}

/// Checkboxes whose evidence is complete.
fn ready(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    if y + 1 >= end {
        return y;
    }
    let ready = &app.derived.findings.ready;
    let wide = app.grid.size != Size::Medium;
    let remark = if wide { "evidence is complete".to_owned() } else { ready.len().to_string() };
    let mut y = canvas.head_apart(x, y, end_x, "READY TO TICK", &remark, focus(app, Panel::Ready));
    if ready.is_empty() {
        canvas.fit(x, y, end_x, "nothing yet: evidence is not complete", Role::Dim);
        return y + 2;
    }
    let rows = app.rows_in(Panel::Ready);
    let room = usize::from(end.saturating_sub(y));
    let shown =
        visible(ready.len(), room.min(if app.grid.size == Size::Narrow { room } else { 8 }), rows.top, rows.focus);
    let more = ready.len() - shown.len();
    for i in shown {
        let Some(item) = ready.get(i).and_then(|id| item(app, id)) else { continue };
        let id = check_id(app, &item.id);
        let stop = if wide { canvas.right(end_x, y, &id, Role::Dim).saturating_sub(1) } else { end_x };
        let mut runs = vec![dim("[ ] ")];
        runs.extend(canvas.outside(&item.text, Role::Text));
        canvas.runs(x, y, stop, &runs);
        if i == rows.focus && app.panel() == Panel::Ready {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += 1;
    }
    if more > 0 && y < end {
        canvas.fit(x, y, end_x, &format!("… {more} more"), Role::Dim);
        y += 1;
    }
    y + 1
}

/// The check that answers a checkbox.
fn check_id(app: &App, id: &ItemId) -> String {
    let findings = &app.derived.findings;
    let checks = findings.hypotheses.iter().flat_map(|f| &f.checks).chain(&findings.others);
    checks.into_iter().find(|c| c.item.as_ref() == Some(id)).map_or(String::new(), |c| c.id.clone())
}

fn last_ticks(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    let mut ticks: Vec<_> = app.store.ticks(app.at()).collect();
    if ticks.is_empty() || y + 1 >= end {
        return;
    }
    ticks.reverse();
    let zone = &app.store.incident.zone;
    canvas.head_apart(x, y, end_x, "LAST TICKS", "who", Focus::Away);
    for (i, tick) in ticks.into_iter().take(usize::from(end.saturating_sub(y + 1))).enumerate() {
        let y = y + 1 + i as u16;
        let who = canvas.outside(&tick.who, Role::Dim);
        let stop = canvas.runs_right(x, end_x, y, &who).saturating_sub(2);
        let mut runs = vec![dim(format!("[{}] {}  ", if tick.ticked { 'x' } else { ' ' }, zone.hm(tick.at)))];
        runs.extend(canvas.outside(&tick.text, Role::Dim));
        canvas.runs(x, y, stop, &runs);
    }
}

/// How many questions nobody has answered.
fn open(app: &App) -> usize {
    app.note.questions.iter().filter(|q| q.answers.is_empty()).count()
}

/// Questions of the note to people: the open ones first, then those with their answers.
pub fn questions(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let questions = &app.note.questions;
    if questions.is_empty() || y + 1 >= end {
        return y;
    }
    canvas.head(
        x,
        y,
        end_x,
        "QUESTIONS TO PEOPLE",
        &format!("{} open; A lists and answers them", open(app)),
        Focus::Away,
    );
    let mut y = y + 1;
    let room = usize::from(end.saturating_sub(y));
    let most = if questions.len() > room { room.saturating_sub(1) } else { questions.len() };
    for q in (0..most).filter_map(|i| app.question(i)) {
        canvas.untrusted(x, y, x + 17, &q.group, Role::Dim);
        let stop = match q.answers.last() {
            Some(answer) => {
                let says = text::cut(&canvas.shown(&answer.text), usize::from(end_x.saturating_sub(x + 18)) / 2);
                canvas.runs_right(x, end_x, y, &[run(Role::Ok, "✓ "), plain(says)])
            }
            None => canvas.right(end_x, y, &format!("line {}", q.line), Role::Dim),
        };
        canvas.untrusted(x + 18, y, stop.saturating_sub(2), &q.text, Role::Text);
        y += 1;
    }
    if most < questions.len() {
        canvas.fit(x, y, end_x, &format!("… {} more", questions.len() - most), Role::Dim);
        y += 1;
    }
    y + 1
}

/// What no source answers, with the remedy.
pub fn missing(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    let missing = &app.derived.findings.missing;
    if missing.is_empty() || y + 1 >= end {
        return;
    }
    canvas.head(x, y, end_x, "WHAT IS MISSING", "no source answers these", Focus::Away);
    let room = usize::from(end.saturating_sub(y + 1));
    let most = if missing.len() > room { room.saturating_sub(1) } else { missing.len() };
    for (i, (what, remedy)) in missing.iter().take(most).enumerate() {
        let y = y + 1 + i as u16;
        let says = |s: &str| text::show_str(s, canvas.privacy);
        let (what, remedy) = (says(what), says(remedy));
        canvas.runs(x, y, end_x, &[run(Role::Stale, "○ "), plain(what), dim(format!("   {remedy}"))]);
    }
    if most < missing.len() {
        canvas.fit(x, y + 1 + most as u16, end_x, &format!("… {} more", missing.len() - most), Role::Dim);
    }
}

/// Phases, what is ready and what is open in a line or two, for smaller screens.
pub fn in_words(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    if y >= end {
        return;
    }
    let mut runs: Runs = Vec::new();
    if app.grid.size == Size::Narrow {
        runs.push(strong("Phases "));
        for (i, p) in app.note.phases.iter().enumerate() {
            let done = p.items.iter().filter_map(|i| app.note.items.get(*i)).filter(|i| i.ticked).count();
            runs.push(dim(format!("{} ", p.number.unwrap_or(i as u32 + 1))));
            runs.push(plain(format!("{done}/{}  ", p.items.len())));
        }
        runs.extend([strong(" Ready "), plain(format!("{}  ", app.derived.findings.ready.len()))]);
        runs.extend([strong(" Open "), plain(open(app).to_string())]);
        canvas.runs(x, y, end_x, &runs);
        return;
    }
    runs.push(strong("Open "));
    match (open(app), app.question(0)) {
        (0, _) | (_, None) => runs.push(plain("no question")),
        (all, Some(q)) => {
            runs.extend(canvas.outside(&q.text, Role::Text));
            if all > 1 {
                runs.push(dim(format!(" and {} more", all - 1)));
            }
        }
    }
    canvas.runs(x, y, end_x, &runs);
    let missing = &app.derived.findings.missing;
    if let Some((what, remedy)) = missing.first().filter(|_| y + 1 < end) {
        let says = text::show_str(&format!("{what}: {remedy}"), canvas.privacy);
        let more = if missing.len() > 1 {
            format!("{} missing, first: ", number::count(missing.len() as i64))
        } else {
            String::new()
        };
        canvas.runs(x, y + 1, end_x, &[run(Role::Stale, "○ "), dim(more), plain(says)]);
    }
}
