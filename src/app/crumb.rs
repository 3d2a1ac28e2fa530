//! The breadcrumb: where one is, from the timeline down.

use crate::app::state::{App, Cursor, Place, Screen};
use crate::model::Span;
use crate::model::untrusted::shown;

/// Crumbs from the outermost to the place in front, fit to be shown.
pub fn crumbs(app: &App) -> Vec<String> {
    let mut out = Vec::new();
    if app.help {
        out.push("help".to_owned());
    }
    let drilled = app.window.is_some() || app.places.len() > 1;
    for (i, place) in app.places.iter().enumerate() {
        if i == 0 && drilled && *place != Place::Top(Screen::Timeline) && app.window.is_some() {
            out.push("timeline".to_owned());
            out.extend(app.window.map(|w| window(app, w)));
        }
        if *place == Place::OrderClasses {
            out.extend(app.window.map(|w| window(app, w)));
        }
        out.push(name(app, place));
    }
    if app.places.len() == 1 && *app.place() == Place::Top(Screen::Timeline) {
        if let Some(span) = app.selected().or(app.window) {
            out.push(window(app, span));
        } else if let Cursor::At(_) = app.cursor {
            out.push(window(app, app.column()));
        }
    }
    out
}

fn window(app: &App, span: Span) -> String {
    let zone = &app.store.incident.zone;
    if span.length() <= app.step && app.step == crate::model::Lapse::minutes(1) {
        return format!("minute {}", zone.hm(span.from));
    }
    if span.length() < crate::model::Lapse::minutes(1) {
        return format!("window {}–{}", zone.hms(span.from), zone.hms(span.to));
    }
    format!("window {}–{}", zone.hm(span.from), zone.hm(span.to))
}

fn name(app: &App, place: &Place) -> String {
    match place {
        Place::Top(Screen::Database) => match app.database_name() {
            Some(name) => format!("database {}", shown(name)),
            None => "database".to_owned(),
        },
        // Behind another place its panel is not in front.
        Place::Top(Screen::Logs) if app.place() == place => format!("logs › {}", app.panel().name()),
        Place::Top(screen) => screen.name().to_lowercase(),
        Place::OrderClasses => "orders".to_owned(),
        Place::OrderList { title, .. } => shown(title),
        Place::Trail(id) => shown(id),
        Place::Checks(number) => {
            let title = app.note.hypotheses.iter().find(|h| h.number == *number).map(|h| shown(h.title.raw()));
            format!("H{number} {}", title.unwrap_or_default()).trim_end().to_owned()
        }
        Place::Session(pid) => format!("session {pid}"),
        Place::Lines(template) if template.is_empty() => "all".to_owned(),
        Place::Lines(text) | Place::Stack(text) => shown(text),
        Place::Section(i) => app.section(*i).map_or_else(|| "section".to_owned(), |s| shown(s.title.raw())),
        Place::SourceLog(name) => shown(name),
        Place::Limits => "limits".to_owned(),
        Place::Messages => "messages".to_owned(),
        Place::Questions => "questions".to_owned(),
    }
}
