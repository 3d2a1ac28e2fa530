//! Below the table: the evidence in full, what a tick would write, and configured limits beside measured
//! values.

use super::change;
use crate::analysis::check::Check;
use crate::app::App;
use crate::app::grid::Size;
use crate::model::Span;
use crate::model::incident::Limit;
use crate::model::note::ItemId;
use crate::model::series::Unit;
use crate::view::canvas::{Canvas, Focus, dim, left, plain, right, run};
use crate::view::list::Runs;
use crate::view::look::Role;
use crate::view::trail::verdict as sign_of;
use crate::view::{number, text};

/// Where the words of the evidence begin.
const INDENT: u16 = 12;

/// Draws evidence and change side by side where there is room, else the change below.
pub fn panels(
    app: &App,
    canvas: &mut Canvas<'_>,
    check: Option<&Check>,
    item: Option<&ItemId>,
    (x, end_x): (u16, u16),
    y: u16,
    end: u16,
) {
    let item = item.or_else(|| check.and_then(|c| c.item.as_ref()));
    if app.grid.size == Size::Wide {
        let half = x + 100;
        let (mut left_y, right_y) = (y, change::draw(app, canvas, check, item, (half + 2, end_x), y, end));
        if let Some(check) = check {
            left_y = evidence(app, canvas, check, (x, half), y, end);
        }
        limits(app, canvas, (x, end_x), left_y.max(right_y) + 1, end);
        return;
    }
    // A change that waits for its answer goes before anything else.
    if app.pending.is_some() {
        change::draw(app, canvas, check, item, (x, end_x), y, end);
        return;
    }
    let mut y = y;
    if let Some(check) = check {
        let keep = if app.grid.size == Size::Medium { 6 } else { 3 };
        y = evidence(app, canvas, check, (x, end_x), y, end.saturating_sub(keep).max(y + 3).min(end)) + 1;
    }
    change::draw(app, canvas, check, item, (x, end_x), y, end);
}

/// Rule, missing data and override first, then every label of the evidence.
fn evidence(app: &App, canvas: &mut Canvas<'_>, check: &Check, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    if y >= end {
        return y;
    }
    canvas.head(x, y, end_x, "EVIDENCE", &check.id, Focus::Away);
    let mut rows: Vec<(&str, String, Role)> = Vec::new();
    if !check.missing.is_empty() {
        rows.push(("no data", check.missing.clone(), Role::Stale));
    }
    if let Some((measured, who, why)) = &check.overridden {
        let said = format!(
            "{} says {}: {}; measured: {}",
            canvas.shown(who),
            sign_of(check.verdict).2,
            canvas.shown(why),
            sign_of(*measured).2
        );
        rows.push(("override", said, Role::Warn));
    }
    if !check.evidence.iter().any(|(label, _)| *label == "rule") && !check.rule.is_empty() {
        rows.push(("rule", check.rule.clone(), Role::Text));
    }
    let role = |label: &str| if label == "stale" { Role::Stale } else { Role::Text };
    rows.extend(check.evidence.iter().map(|(label, words)| (*label, words.clone(), role(label))));
    if let Some(asof) = check.asof {
        let read = format!("{}, {}", app.store.incident.zone.hms(asof), number::ago(app.at().since(asof)));
        rows.push(("newest", read, Role::Dim));
    }
    let mut y = y + 1;
    for (label, words, role) in rows {
        let words = text::show_str(&words, canvas.privacy);
        for (i, line) in text::wrap(&words, usize::from(end_x.saturating_sub(x + INDENT))).into_iter().enumerate() {
            if y >= end {
                return y;
            }
            canvas.fit(x, y, x + INDENT - 1, if i == 0 { label } else { "" }, Role::Dim);
            canvas.fit(x + INDENT, y, end_x, &line, role);
            y += 1;
        }
    }
    y
}

/// Limits from the configuration with what was measured against them.
fn limits(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    let limits = &app.store.incident.limits;
    if limits.is_empty() || y + 2 >= end {
        return;
    }
    canvas.head(x, y, end_x, "CONFIGURED LIMITS BESIDE MEASURED", "", Focus::Away);
    let columns = [
        left("limit", 30),
        right("configured", 12),
        right("in baseline", 12),
        right("worst in window", 15),
        right("now", 10),
        right("headroom at worst", 17),
    ];
    canvas.table_head(x, y + 1, &columns);
    for (i, limit) in limits.iter().enumerate() {
        let y = y + 2 + i as u16;
        if y >= end {
            return;
        }
        canvas.table_row(x, y, &columns, &limit_cells(app, limit));
    }
}

fn limit_cells(app: &App, limit: &Limit) -> Vec<Runs> {
    let lane = app.store.incident.lanes.iter().find(|l| *l.series == *limit.series);
    let unit = lane.map_or(Unit::Count, |l| l.unit);
    let series = app.store.series(&limit.series);
    let at = app.at();
    let most = |span: Span| {
        let step = span.length();
        series?.columns(span.from, step, 1).first().copied().flatten().map(|b| b.max)
    };
    let scope = app.scope();
    let worst = most(Span::new(scope.from, scope.to.min(at + crate::model::Lapse(1)).max(scope.from)));
    let normal = app.store.incident.baseline.and_then(most);
    let now = series.and_then(|s| s.at(at)).map(|(_, v)| v);
    let say = |v: Option<f64>| v.map_or(number::NOTHING.to_owned(), |v| number::value(unit, v));
    // Reached within one per cent is reached: pools are full in whole connections.
    let reached = |v: f64| v >= limit.value * 0.99;
    let worst_role = if worst.is_some_and(reached) { Role::Warn } else { Role::Text };
    let now_role = if now.is_some_and(reached) { Role::Bad } else { Role::Text };
    let room = worst.map(|w| (limit.value - w).max(0.0));
    let name = text::show_str(&limit.name, text::Privacy::Masked);
    vec![
        vec![plain(name)],
        vec![plain(number::value(unit, limit.value))],
        vec![dim(say(normal))],
        vec![run(worst_role, say(worst))],
        vec![run(now_role, say(now))],
        vec![run(worst_role, say(room))],
    ]
}
