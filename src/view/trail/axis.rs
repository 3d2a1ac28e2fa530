//! The trail's own axis: a lane of the machine and one lane for each system, zoomed to when the order was
//! under way, in the columns of the shared axis.

use super::rows::{glyph, happened};
use crate::analysis::clocks::EQUAL;
use crate::analysis::lane::Axis;
use crate::analysis::trail::{StepKind, System, Trail};
use crate::app::App;
use crate::app::grid::Size;
use crate::model::series::Lane;
use crate::model::{Lapse, Stamp};
use crate::view::canvas::{Canvas, dim, run};
use crate::view::look::Role;
use crate::view::{list, number};

/// The four systems with their names and colours, in the order of the columns.
pub const SYSTEMS: [(System, &str, &str, Role); 4] = [
    (System::Mrg, "MRG orders", "MRG", Role::Sys1),
    (System::Upg, "UPG payment", "UPG", Role::Sys2),
    (System::Orchestrator, "Orchestrator", "ORC", Role::Sys3),
    (System::Ho, "Head Office", "HO", Role::Sys4),
];

/// Lengths a column may have, in milliseconds.
const STEPS: [i64; 22] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    1_800_000, 3_600_000, 21_600_000,
];

/// The axis of a trail: as much zoom as shows everything that happened, with room at both ends.
fn axis(app: &App, trail: &Trail) -> Option<Axis> {
    let columns = app.grid.columns();
    let times = || trail.steps.iter().filter(|s| happened(s)).filter_map(|s| s.at);
    let (first, last) = (times().min()?, times().max()?);
    let usable = (columns as i64 * 85 / 100).max(1);
    let needed = last.since(first).0 / 1000 / usable + 1;
    let step = STEPS.into_iter().find(|s| *s >= needed).unwrap_or(STEPS[STEPS.len() - 1]);
    let step = Lapse::millis(step);
    let label = step.times(label_every(app) as i64);
    let from =
        (first - step.times(columns as i64 * 4 / 100)).floor(Lapse((label.0 / 2).max(1)), &app.store.incident.zone);
    Some(Axis { from, step, columns })
}

/// Columns between two labels: each label has eight cells and needs air.
fn label_every(app: &App) -> usize {
    if app.grid.size == Size::Wide { 20 } else { 15 }
}

/// Draws lanes and axis; gives back the row of the list.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, trail: &Trail, y: u16) -> u16 {
    let Some(axis) = axis(app, trail) else { return y };
    let grid = &app.grid;
    let (x, end) = grid.chart;
    let mut y = y;
    if let Some(lane) = lane(app) {
        machine(app, canvas, trail, lane, &axis, y);
        y += 1;
    }
    let top = y;
    for (system, name, _, role) in SYSTEMS {
        canvas.fit(grid.left, y, x, name, role);
        canvas.put(x, y, &"┈".repeat(usize::from(end.saturating_sub(x))), Role::Faint);
        steps(canvas, trail, system, role, &axis, (x, end), y);
        y += 1;
    }
    labels(app, canvas, &axis, y);
    if let (Size::Wide, Some((side, side_end))) = (grid.size, grid.side) {
        canvas.runs(side, top.saturating_sub(1), side_end, &[dim("● event ✕ error ! warn · info")]);
        canvas.runs(side, top, side_end, &[dim("○ missing where it was due")]);
        for (i, (role, says)) in clocks(trail).into_iter().enumerate() {
            canvas.fit(side, top + 1 + i as u16, side_end, &says, role);
        }
    }
    y + 2
}

/// How far the systems' clocks are from ours; those that are off are named, with what was done about it.
fn clocks(trail: &Trail) -> Vec<(Role, String)> {
    let (off, near): (Vec<_>, Vec<_>) = trail.clocks.all().into_iter().partition(|c| c.ahead.abs() >= EQUAL);
    let mut out: Vec<(Role, String)> = off
        .into_iter()
        .map(|clock| {
            let side = if clock.ahead > Lapse::ZERO { "ahead" } else { "behind" };
            (Role::Warn, format!("clock of {} {} {side}: moved", clock.source, super::rows::gap(clock.ahead.abs())))
        })
        .collect();
    if let Some(most) = near.iter().map(|c| c.ahead.abs()).max() {
        let which = if out.is_empty() { "clocks" } else { "other clocks" };
        out.push((Role::Dim, format!("{which} within {} of ours", super::rows::gap(most))));
    } else if out.is_empty() {
        out.push((Role::Dim, "clocks not measured".to_owned()));
    }
    out
}

/// The steps of one system; the more telling one wins where two share a column. Absence is said in words.
fn steps(
    canvas: &mut Canvas<'_>,
    trail: &Trail,
    system: System,
    role: Role,
    axis: &Axis,
    (x, end): (u16, u16),
    y: u16,
) {
    let of_system = || trail.steps.iter().filter(|s| s.system == system);
    if !of_system().any(happened) {
        let missing = of_system().any(|s| s.kind == StepKind::Missing);
        let says = if missing { " nothing of it came here " } else { " nothing known " };
        let middle = x + (end.saturating_sub(x).saturating_sub(says.len() as u16)) / 2;
        canvas.put(middle, y, says, if missing { Role::Bad } else { Role::Stale });
        return;
    }
    let rank = |k: StepKind| match k {
        StepKind::Line => 0,
        StepKind::Event => 1,
        StepKind::Warn => 2,
        StepKind::Error => 3,
        StepKind::Missing | StepKind::Silence => 4,
    };
    let mut drawn: Vec<_> = of_system().filter(|s| s.kind != StepKind::Silence).collect();
    drawn.sort_by_key(|s| rank(s.kind));
    for step in drawn {
        if let Some(column) = step.at.and_then(|t| axis.column(t)) {
            let (glyph, own) = glyph(step, role);
            canvas.put(x + column as u16, y, glyph, own);
        }
    }
}

fn labels(app: &App, canvas: &mut Canvas<'_>, axis: &Axis, y: u16) {
    let zone = &app.store.incident.zone;
    let (x, end) = app.grid.chart;
    let every = label_every(app);
    let fine = axis.step.times(every as i64) < Lapse::seconds(1);
    for column in (0..axis.columns).step_by(every) {
        let t = axis.start(column);
        let text = if fine { zone.format(t, "%S%.3f") } else { zone.hms(t) };
        let at = x + column as u16;
        if at + text.len() as u16 <= end {
            canvas.put(at, y, &text, Role::Dim);
        }
    }
}

/// The lane drawn above: the first of the database group that is a wait, else the first that broke.
fn lane(app: &App) -> Option<&Lane> {
    let lanes = &app.store.incident.lanes;
    let wait = lanes.iter().find(|l| l.group == "database" && l.unit == crate::model::series::Unit::Seconds);
    let broke = || app.derived.onsets.iter().find(|o| !o.trigger).and_then(|o| lanes.iter().find(|l| l.name == o.name));
    wait.or_else(broke).or_else(|| lanes.iter().find(|l| !l.trigger))
}

/// A value holds until the next one, for as long as its source takes to say it again; then it is unknown.
const HOLDS: Lapse = Lapse::seconds(90);

fn machine(app: &App, canvas: &mut Canvas<'_>, trail: &Trail, lane: &Lane, axis: &Axis, y: u16) {
    let grid = &app.grid;
    let at = super::moment_of(app, trail);
    let series = app.store.series(&lane.series);
    let value = |t: Stamp| {
        let (when, v) = series?.at(t.min(app.live_edge()))?;
        (t.since(when) <= HOLDS).then_some(v)
    };
    let columns: Vec<Option<f64>> = (0..axis.columns).map(|i| value(axis.start(i) + axis.step)).collect();
    let derived =
        app.store.incident.lanes.iter().position(|l| l.name == lane.name).and_then(|i| app.derived.lanes.get(i));
    let top = columns
        .iter()
        .flatten()
        .fold(derived.map_or(lane.floor, |d| d.worst.map_or(d.top, |(_, v)| v)), |a, b| a.max(*b));
    let normal = derived.and_then(|d| d.normal);
    let name = crate::view::lane::short(&lane.name, usize::from(grid.name.1.saturating_sub(grid.name.0)));
    canvas.fit(grid.left, y, grid.name.1, &name, Role::Dim);
    let now = value(at);
    let broken = now.zip(lane.broken_at).is_some_and(|(v, b)| v >= b);
    let said = now.map_or("no data".to_owned(), |v| number::value(lane.unit, v));
    let role = match (now, broken) {
        (None, _) => Role::Stale,
        (_, true) => Role::Bad,
        _ => Role::Strong,
    };
    canvas.runs_right(grid.left, grid.value_end, y, &[run(role, said)]);
    let bars = list::spark(&columns, lane.floor, top.max(lane.floor + f64::EPSILON));
    for (i, (bar, v)) in bars.chars().zip(&columns).enumerate() {
        let outside = v.zip(normal).is_some_and(|(v, n)| v > n * 1.5);
        canvas.put(
            grid.chart.0 + i as u16,
            y,
            bar.encode_utf8(&mut [0; 4]),
            if outside { Role::Hot } else { Role::Ser },
        );
    }
}
