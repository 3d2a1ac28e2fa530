//! Below 80×24: the answer alone, then what would be needed. Below 20×4 only the title.

use crate::app::App;
use crate::model::series::Unit;
use crate::view::canvas::Canvas;
use crate::view::look::{Ground, Role};
use crate::view::{chrome, number, text};

/// Draws what fits; any size, 1×1 too.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let (w, h) = (canvas.width(), canvas.height());
    let past = app.in_the_past();
    canvas.ground(0, 0, w, 1, if past { Ground::HeaderPast } else { Ground::Header });
    let clock = app.store.incident.zone.hms(app.at());
    let end = w.saturating_sub(2);
    let start = if w >= 24 { canvas.right(end, 0, &clock, Role::Strong).saturating_sub(2) } else { w };
    if w >= 24 {
        let (glyph, role) = if past { ("◂", Role::Past) } else { chrome::dot(crate::model::health::State::Well) };
        canvas.put(start, 0, glyph, role);
    }
    let title = canvas.shown(app.title());
    // Without room for the day, what happened is what matters.
    let room = usize::from(start.saturating_sub(2));
    let title = if text::width(&title) > room { title.rsplit(" · ").next().unwrap_or(&title) } else { &title };
    canvas.fit(1.min(w.saturating_sub(1)), 0, start.saturating_sub(1).max(1), title, Role::Strong);
    if w < 20 || h < 4 {
        return;
    }
    let mut y = 2;
    for (value, role, words) in answers(app) {
        if y >= h {
            return;
        }
        canvas.put(1, y, &value, role);
        canvas.fit(8, y, w, &words, Role::Text);
        y += 1;
    }
    y += 1;
    let says = [
        format!("{w}×{h} is too small for the screens."),
        "From 80×24 they fit.".to_owned(),
        "Polling and recording go on.".to_owned(),
    ];
    for line in says {
        if y + 1 < h {
            canvas.fit(1, y, w, &line, Role::Dim);
        }
        y += 1;
    }
    if y < h {
        chrome::keys(canvas, 1, h - 1, w, &[("q".to_owned(), "leave".to_owned())]);
    }
}

fn answers(app: &App) -> Vec<(String, Role, String)> {
    let s = &app.derived.standing;
    let mut out = Vec::new();
    let judged = |n: usize| {
        if n > 0 { (format!("{}!", number::count(n as i64)), Role::Bad) } else { ("0".to_owned(), Role::Strong) }
    };
    if s.asof.is_some() {
        let (value, role) = judged(s.stuck);
        out.push((value, role, "stuck orders".to_owned()));
        let (value, role) = judged(s.not_at_ho);
        let words = format!("charged, not at HO, {}", number::rupiah_sum(s.not_at_ho_amount));
        out.push((value, role, words));
    } else {
        out.push((number::NOTHING.to_owned(), Role::Stale, "stuck orders: not asked yet".to_owned()));
    }
    let users = app.store.incident.lanes.iter().zip(&app.derived.lanes).find(|(l, _)| l.trigger);
    if let Some((lane, columns)) = users {
        let (value, role) = match columns.now {
            Some((_, v)) => (number::value(lane.unit, v), if columns.now_outside { Role::Warn } else { Role::Strong }),
            None => (number::NOTHING.to_owned(), Role::Stale),
        };
        let unit = if lane.unit == Unit::Users { "users" } else { lane.name.as_str() };
        out.push((value, role, unit.to_owned()));
    }
    out
}
