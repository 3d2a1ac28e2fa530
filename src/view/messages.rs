//! Everything said so far, newest first.

use crate::app::App;
use crate::app::rows::Panel;
use crate::model::Untrusted;
use crate::view::canvas::{Canvas, Focus};
use crate::view::chrome;
use crate::view::look::Role;

/// Draws the messages.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let (top, end) = (chrome::body_top(app), chrome::body_end(app));
    let (left, right) = (app.grid.left, canvas.width().saturating_sub(1));
    let accent = if app.in_the_past() { Role::Past } else { Role::Accent };
    if app.messages.is_empty() {
        crate::view::nothing(canvas, app, "nothing has been said yet");
        return;
    }
    canvas.head(left, top, right, "MESSAGES", "newest first", Focus::Here(accent));
    let rows = app.rows_in(Panel::Messages);
    let height = usize::from(end.saturating_sub(top + 2));
    let first = rows.first(height, app.messages.len());
    let zone = &app.store.incident.zone;
    for (i, (at, text)) in app.messages.iter().rev().enumerate().skip(first).take(height) {
        let y = top + 2 + (i - first) as u16;
        if i == rows.focus {
            canvas.focus_row(left, y, right, accent);
        }
        let x = canvas.put(left, y, &zone.hms(*at), Role::Dim);
        canvas.untrusted(x + 2, y, right, &Untrusted::from(text.as_str()), Role::Text);
    }
}
