//! The side column: connections by application, what they wait for, the longest transactions, rates.

use super::Shown;
use super::lock::since;
use crate::analysis::database;
use crate::analysis::pattern::family;
use crate::app::rows::Panel;
use crate::model::Untrusted;
use crate::model::database::DbSample;
use crate::view::canvas::{Canvas, Focus, Run, dim, plain, run, strong};
use crate::view::list::{Runs, kept};
use crate::view::look::Role;
use crate::view::number;
use std::collections::{BTreeMap, BTreeSet};

/// A line of the column: name, value, normal.
type Line = (Runs, Run<'static>, Option<Run<'static>>);

/// Draws the column between `y` and `end`: a list each, cut where room ends.
pub fn draw(db: &Shown<'_>, sample: &DbSample, canvas: &mut Canvas<'_>, x: (u16, u16), y: u16, end: u16) {
    let lists = [
        ("BY APPLICATION", "normal", applications(db, sample, canvas), 8),
        ("WAITS", "sessions", waits(sample, canvas), 8),
        ("LONGEST TRANSACTIONS", "age", longest(db, sample, canvas), 5),
        ("RATES", "normal", rates(db), 4),
    ];
    let mut y = y;
    for (i, (title, beside, lines, most)) in lists.into_iter().enumerate() {
        if y + 1 >= end {
            return;
        }
        let focus = if i == 0 { db.focus(Panel::Activity) } else { Focus::Away };
        canvas.head_apart(x.0, y, x.1, title, beside, focus);
        y += 1;
        let hidden = lines.len().saturating_sub(most);
        for line in lines.into_iter().take(most) {
            if y >= end {
                return;
            }
            draw_line(db, canvas, x, y, line);
            y += 1;
        }
        if hidden > 0 && y < end {
            canvas.fit(x.0, y, x.1, &format!("… {hidden} more"), Role::Dim);
            y += 1;
        }
        y += 1;
    }
}

fn draw_line(db: &Shown<'_>, canvas: &mut Canvas<'_>, (x, end): (u16, u16), y: u16, (name, value, normal): Line) {
    let stale = |r: Run<'static>| kept(vec![r], db.stale);
    let value_end = if normal.is_some() { end.saturating_sub(7) } else { end };
    let mut from = canvas.runs_right(x, value_end, y, &stale(value));
    if let Some(normal) = normal {
        from = from.min(canvas.runs_right(x, end, y, &stale(normal)));
    }
    canvas.runs(x, y, from.saturating_sub(1), &kept(name, db.stale));
}

/// Sessions by application, replicas taken together.
fn by_application(sample: &DbSample, canvas: &Canvas<'_>) -> BTreeMap<String, (u32, BTreeSet<String>)> {
    let mut out: BTreeMap<String, (u32, BTreeSet<String>)> = BTreeMap::new();
    for a in &sample.applications {
        let name = canvas.shown(&a.name);
        let entry = out.entry(family(&name).to_owned()).or_default();
        entry.0 += a.sessions;
        entry.1.insert(name);
    }
    out
}

fn applications(db: &Shown<'_>, sample: &DbSample, canvas: &Canvas<'_>) -> Vec<Line> {
    let normals = db.normal.map(|n| by_application(n, canvas));
    let mut rows: Vec<_> = by_application(sample, canvas).into_iter().collect();
    rows.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    rows.into_iter()
        .map(|(name, (sessions, replicas))| {
            let mut said = vec![plain(if name.is_empty() { "no name".to_owned() } else { name.clone() })];
            if replicas.len() > 1 {
                said.push(plain(format!(" {} pods", replicas.len())));
            }
            let normal = normals.as_ref().map(|n| n.get(&name).map_or(0, |(n, _)| *n));
            let normal = dim(normal.map_or(number::NOTHING.to_owned(), |n| n.to_string()));
            (said, strong(sessions.to_string()), Some(normal))
        })
        .collect()
}

fn waits(sample: &DbSample, canvas: &Canvas<'_>) -> Vec<Line> {
    let line = |w: &crate::model::database::Wait| {
        let name = if w.kind.is_empty() { "running on CPU".to_owned() } else { format!("{} {}", w.kind, w.event) };
        (canvas.outside(&Untrusted::from(name), Role::Text), strong(w.sessions.to_string()), None)
    };
    sample.waits.iter().map(line).collect()
}

fn longest(db: &Shown<'_>, sample: &DbSample, canvas: &Canvas<'_>) -> Vec<Line> {
    let mut rows: Vec<_> = sample.sessions.iter().filter_map(|s| Some((since(s.in_transaction, db.at)?, s))).collect();
    rows.sort_by_key(|(age, _)| std::cmp::Reverse(*age));
    rows.into_iter()
        .map(|(age, s)| {
            let mut said = vec![plain(format!("{} ", s.pid))];
            said.extend(canvas.outside(&s.application, Role::Text));
            if s.state.starts_with("idle") {
                said.push(plain(" idle"));
            }
            (said, strong(number::duration(age)), None)
        })
        .collect()
}

fn rates(db: &Shown<'_>) -> Vec<Line> {
    let value = |v: Option<f64>| {
        v.map_or(number::NOTHING.to_owned(), |v| {
            if v.abs() < 9.95 { format!("{v:.1}").replace(".0", "") } else { number::count(v.round() as i64) }
        })
    };
    let line = |r: database::Rate| {
        let high = r.value.zip(r.normal).is_some_and(|(v, n)| r.name.starts_with("rollback") && v > n.max(0.1) * 3.0);
        let role = match (r.value, high) {
            (None, _) => Role::Dim,
            (_, true) => Role::Warn,
            _ => Role::Strong,
        };
        (vec![plain(r.name)], run(role, value(r.value)), Some(dim(value(r.normal))))
    };
    database::rates(&db.app.store, &db.name, db.at).into_iter().map(line).collect()
}
