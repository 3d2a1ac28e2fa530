//! What the statements cost between two looks, against the baseline.

use super::Shown;
use crate::analysis::database::StatementRate;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::Lapse;
use crate::model::database::DbSample;
use crate::view::canvas::{Canvas, Column, Focus, dim, left, plain, right, run, strong};
use crate::view::list::{Runs, kept, visible};
use crate::view::look::Role;
use crate::view::{moment, number, text};

/// From this factor on a statement is slower than normal.
const SLOW: f64 = 1.5;

/// Draws the panel between `y` and `end`; gives back the row of the next panel.
pub fn draw(
    db: &Shown<'_>,
    sample: &DbSample,
    canvas: &mut Canvas<'_>,
    (x, right): (u16, u16),
    y: u16,
    end: u16,
) -> u16 {
    let (statements, over) = &db.app.derived.statements;
    canvas.head_apart(x, y, right, "TOP STATEMENTS", &remark(db, *over), db.focus(Panel::Statements));
    let mut y = y + 1;
    if statements.is_empty() {
        canvas.runs(x, y, right, &kept(why_not(db, sample, canvas), false));
        return y + 2;
    }
    let columns = columns(db.app.grid.size, right.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    y += 1;
    let rows = db.app.rows_in(Panel::Statements);
    let focused = matches!(db.focus(Panel::Statements), Focus::Here(_));
    for i in visible(statements.len(), usize::from(end.saturating_sub(y + 1)), rows.top, rows.focus) {
        let Some(statement) = statements.get(i) else { continue };
        let cells = cells(db, statement, canvas).map(|c| kept(c, db.stale));
        let cells = if columns.len() == 6 { cells.to_vec() } else { narrow(cells) };
        canvas.table_row(x, y, &columns, &cells);
        if focused && i == rows.focus {
            canvas.focus_row(x, y, right, moment::accent(db.app));
        }
        y += 1;
    }
    y + 1
}

fn remark(db: &Shown<'_>, over: Lapse) -> String {
    if over <= Lapse::ZERO {
        return String::new();
    }
    let zone = &db.app.store.incident.zone;
    let against = match db.app.store.incident.baseline_of(db.app.at()) {
        Some(t) => format!("against {}", zone.format(t, "%a %-d %b %H:%M")),
        None => "no baseline to compare with".to_owned(),
    };
    format!("difference of the last {} {against}", number::span(over))
}

/// Why there are no statements, with the remedy.
fn why_not(db: &Shown<'_>, sample: &DbSample, canvas: &Canvas<'_>) -> Runs {
    let says = |text: &str| canvas.shown(&crate::model::Untrusted::from(text));
    if sample.statements.is_none() {
        let limited =
            sample.limited.iter().find(|l| l.what.contains("statement") || l.remedy.contains("pg_stat_statements"));
        return match limited {
            Some(l) => vec![run(Role::Warn, says(&l.what)), dim("   "), plain(says(&l.remedy))],
            None => vec![
                run(Role::Warn, "pg_stat_statements cannot be read"),
                dim("   "),
                plain("CREATE EXTENSION pg_stat_statements; GRANT pg_read_all_stats TO warroom;"),
            ],
        };
    }
    let waits = if db.stale {
        "only one look was taken before the silence"
    } else {
        "differences need two looks: with the next one"
    };
    vec![dim(waits)]
}

fn columns(size: Size, total: u16) -> Vec<Column> {
    if size == Size::Narrow {
        return vec![
            right("mean", 8),
            right("×", 6),
            right("calls/s", 7),
            right("time", 5),
            left("statement", total.saturating_sub(34)),
        ];
    }
    vec![
        right("mean", 9),
        right("normal", 9),
        right("×", 6),
        right("calls/s", 8),
        right("time", 6),
        left("statement", total.saturating_sub(48)),
    ]
}

/// Without the normal.
fn narrow(cells: [Runs; 6]) -> Vec<Runs> {
    let [mean, _, rest @ ..] = cells;
    std::iter::once(mean).chain(rest).collect()
}

fn cells(db: &Shown<'_>, s: &StatementRate, canvas: &Canvas<'_>) -> [Runs; 6] {
    let mean = s.mean.as_secs_f64();
    let factor = s.normal.map(Lapse::as_secs_f64).filter(|n| *n > 0.0).map(|n| mean / n);
    let slow = factor.is_some_and(|f| f >= SLOW);
    let times = factor.map_or_else(
        || dim(number::NOTHING),
        |f| {
            let text = number::times(f).replace('×', "");
            if slow { strong(text) } else { dim(text) }
        },
    );
    let query = canvas.outside(&text::flat(&s.query), Role::Text);
    [
        vec![run(if slow { Role::Warn } else { db.role(Role::Text) }, number::seconds(mean))],
        vec![dim(s.normal.map_or(number::NOTHING.to_owned(), |n| number::seconds(n.as_secs_f64())))],
        vec![times],
        vec![plain(number::value(crate::model::series::Unit::PerSecond, s.calls).replace("/s", ""))],
        vec![plain(format!("{:.0} %", s.share))],
        query,
    ]
}
