//! What leaves by copy and worksheet: plain text and Markdown, sanitised, with personal data masked like on
//! the screen, with scope and time beside it.

use crate::analysis::reconcile::class::{ALL, Class};
use crate::analysis::reconcile::worksheet::{self, Sheet};
use crate::app::act::list;
use crate::app::crumb;
use crate::app::rows::Panel;
use crate::app::state::{App, Place};
use crate::model::privacy::{self, Privacy};
use crate::model::untrusted::shown;
use std::fmt::Write as _;

/// How many rows a Markdown copy takes at most; it says when there were more.
const MOST: usize = 200;

/// Text that is about to leave, with personal data masked unless somebody asked to see it.
pub fn masked(app: &App, text: &str) -> String {
    privacy::masked(text, if app.unmasked { Privacy::Open } else { Privacy::Masked })
}

/// The value of a row: an id, a template, a line, a name. The id of an order is whole: half an id is none.
pub fn value(app: &App, panel: Panel, row: usize) -> String {
    match panel {
        Panel::Lines => masked(app, &line(app, row)),
        Panel::Lanes => masked(app, &lane(app, row)),
        Panel::Orders => list::words(app, panel, row),
        Panel::Steps | Panel::Session => match app.place() {
            Place::Trail(id) => shown(id),
            _ => masked(app, &list::words(app, panel, row)),
        },
        _ => masked(app, &list::words(app, panel, row)),
    }
}

/// A lane and its value at the cursor: `connections 197 at 19:36:00 (normal 74)`.
pub fn lane(app: &App, row: usize) -> String {
    let Some(i) = app.derived.shown.get(row) else { return String::new() };
    let Some(lane) = app.store.incident.lanes.get(*i) else { return String::new() };
    let zone = &app.store.incident.zone;
    let columns = app.derived.lanes.get(*i);
    let mut out = shown(&lane.name);
    match columns.and_then(|c| c.now) {
        Some((at, v)) => {
            let _ = write!(out, " {} at {}", number(v), zone.hms(at));
        }
        None => {
            let _ = write!(out, " no data at {}", zone.hms(app.at()));
        }
    }
    if let Some(normal) = columns.and_then(|c| c.normal) {
        let _ = write!(out, " (normal {})", number(normal));
    }
    if let Some((at, v)) = columns.and_then(|c| c.worst) {
        let _ = write!(out, ", worst {} at {}", number(v), zone.hm(at));
    }
    out
}

fn number(v: f64) -> String {
    let rounded = if v.abs() >= 100.0 { format!("{v:.0}") } else { format!("{v:.2}") };
    if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.').to_owned() } else { rounded }
}

fn line(app: &App, row: usize) -> String {
    let Some(kept) = app.line(row) else { return String::new() };
    let zone = &app.store.incident.zone;
    let l = &kept.line;
    let order = l.order.as_deref().map(|o| format!(" {}", shown(o))).unwrap_or_default();
    let head = format!("{} {} {}{order}", zone.hms_milli(l.at), l.level.letter(), shown(&l.service));
    format!("{head} {}", shown(l.message.raw()))
}

/// A row in words with its numbers, for Markdown and evidence, personal data masked.
pub fn row(app: &App, panel: Panel, row: usize) -> String {
    masked(app, &row_as_written(app, panel, row))
}

fn row_as_written(app: &App, panel: Panel, row: usize) -> String {
    let d = &app.derived;
    let zone = &app.store.incident.zone;
    match panel {
        Panel::Lanes => lane(app, row),
        Panel::Lines => line(app, row),
        Panel::Patterns => d.patterns.get(row).map_or_else(String::new, |p| {
            let normal = p.normal.map_or_else(|| "no baseline".to_owned(), |n| format!("normal {}", number(n)));
            format!(
                "{} lines ({normal}), {} stuck orders, {} {}: {}",
                p.lines,
                p.orders,
                p.level.letter(),
                shown(&p.service),
                shown(p.template.raw())
            )
        }),
        Panel::Stacks => d.traces.get(row).map_or_else(String::new, |t| {
            let says = (shown(t.name.raw()), shown(t.says.raw()));
            format!("{} lines, {} orders, {} of them stuck: {}: {}", t.lines, t.orders, t.stuck, says.0, says.1)
        }),
        Panel::Classes => d.classes.get(row).map_or_else(String::new, |c| {
            let name = c.class.card().map_or("", |card| card.name);
            format!("{name}: {} orders, Rp {}", c.orders, rupiah(c.amount))
        }),
        Panel::Traits => d.shared.get(row).map_or_else(String::new, |t| {
            format!(
                "{} {}: {} stuck, {:.1} % of stuck, {:.1} % of all, lift {:.2}",
                t.name,
                shown(t.value.raw()),
                t.stuck,
                t.of_stuck,
                t.of_all,
                t.lift
            )
        }),
        Panel::Orders => d.orders.get(row).map_or_else(String::new, |o| {
            let class = o.class.card().map_or("", |card| card.name);
            format!("{} born {}, {class}", shown(&o.id), zone.hms_milli(o.born))
        }),
        Panel::Steps => list::step_of(app, row).map_or_else(String::new, |s| {
            let at = s.at.map_or_else(|| "–".to_owned(), |t| zone.hms_milli(t));
            format!("{at} {}: {}", shown(&s.says), shown(s.what.raw()))
        }),
        Panel::Checks => app.checks().get(row).map_or_else(String::new, |c| {
            let verdict = crate::app::act::note::word(c.verdict);
            let measured = if c.measured.is_empty() { &c.missing } else { &c.measured };
            format!(
                "{} {}: {}; rule {}; {verdict}",
                shown(&c.id),
                shown(c.title.raw()),
                shown(measured),
                shown(&c.rule)
            )
        }),
        Panel::Hypotheses => d.findings.hypotheses.get(row).map_or_else(String::new, |f| {
            format!(
                "H{} {}: score {:.1}, {}; {}",
                f.number,
                shown(f.title.raw()),
                f.score,
                f.verdict,
                shown(&f.because)
            )
        }),
        Panel::Health => app
            .health_rows()
            .nth(row)
            .map_or_else(String::new, |(at, h)| format!("{} {} {}", zone.hms(at), shown(&h.code), shown(h.says.raw()))),
        _ => list::words(app, panel, row),
    }
}

/// The list in front as Markdown: what it is, as of when, its scope, then its rows.
pub fn markdown(app: &App) -> String {
    let panel = app.panel();
    let n = app.len(panel);
    let zone = &app.store.incident.zone;
    let scope = app.scope();
    let mut out = format!("### {}\n\n", masked(app, &crumb::crumbs(app).join(" › ")));
    let _ = writeln!(
        out,
        "as of {}; scope {} to {}",
        zone.rfc3339(app.at()),
        zone.rfc3339(scope.from),
        zone.rfc3339(scope.to)
    );
    if !app.filter.is_empty() {
        let _ = writeln!(out, "filter: `{}`", masked(app, &shown(&app.filter)).replace('`', "'"));
    }
    out.push('\n');
    for i in 0..n.min(MOST) {
        let _ = writeln!(out, "- {}", escaped(&row(app, panel, i)));
    }
    if n > MOST {
        let _ = writeln!(out, "\n{MOST} of {n} rows");
    }
    if n == 0 {
        let words = masked(app, &list::words(app, panel, 0));
        let _ = writeln!(out, "- {}", if words.is_empty() { "no rows".to_owned() } else { escaped(&words) });
    }
    out
}

/// Markdown's own signs in somebody else's text stay text.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '<' | '[' | ']' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn rupiah(amount: i64) -> String {
    let sign = if amount < 0 { "−" } else { "" };
    format!("{sign}{}", crate::app::hint::count(amount.unsigned_abs() as usize))
}

/// The worksheet of the list in front, or of every order of the scope that is not as it should be; none
/// without such orders.
pub fn worksheet(app: &App) -> Option<Sheet> {
    let in_list = matches!(app.place(), Place::OrderList { .. });
    let wanted = |c: &Class| in_list || !c.card().is_some_and(|card| card.fine);
    let classes: Vec<Class> = ALL.into_iter().filter(wanted).collect();
    let mut rows = worksheet::rows(&app.store, app.scope(), &classes, app.at());
    if in_list {
        let listed: std::collections::HashSet<&str> = app.derived.orders.iter().map(|o| o.id.as_ref()).collect();
        rows.retain(|r| listed.contains(r.id.as_ref()));
    }
    let mask = |text: &str| masked(app, text);
    (!rows.is_empty()).then(|| worksheet::sheet(&rows, app.at(), &app.store.incident.zone, mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_two_decimals_below_a_hundred() {
        assert_eq!(number(197.0), "197");
        assert_eq!(number(0.61), "0.61");
        assert_eq!(number(3.5), "3.5");
        assert_eq!(number(100.0), "100");
    }
}
