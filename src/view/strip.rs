//! The time strip that the screens 2 to 6 carry above their panels: two lanes and the axis in the very
//! columns of the Timeline, so that nobody has to ask which time is shown.

use crate::app::App;
use crate::app::grid::Size;
use crate::model::series::Lane;
use crate::view::canvas::{Canvas, Run};
use crate::view::lane::{self, Plot};
use crate::view::{chrome, marks, moment};

/// Draws the strip with the lanes of these names (those that exist; at most two, one when narrow) and up to
/// two lines in the side column. Gives back the row of the first panel.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, lanes: &[&str], notes: &[Vec<Run<'_>>]) -> u16 {
    let grid = &app.grid;
    let mut y = chrome::body_top(app);
    let top = y;
    let narrow = grid.size == Size::Narrow;
    let axis = app.axis();
    let zone = &app.store.incident.zone;
    let at = app.at();
    if !narrow {
        lane::titles(canvas, grid, y, &lane::clock(zone, at, axis.step), moment::accent(app));
        marks::one_row(app, canvas, y);
        y += 1;
    }
    let first = y;
    for i in chosen(&app.store.incident.lanes, &lanes[..lanes.len().min(if narrow { 1 } else { 2 })]) {
        let Some((l, columns)) = app.store.incident.lanes.get(i).zip(app.derived.lanes.get(i)) else { continue };
        let plot = Plot { x: grid.chart.0, y, rows: 1, lit: moment::lit(app), band: app.baseline };
        lane::bars(canvas, &plot, l, columns);
        lane::numbers(canvas, grid, y, l, columns, &axis, at);
        y += 1;
    }
    let label = moment::axis_label(app);
    lane::axis(canvas, grid, y, &axis, zone, label.as_ref());
    moment::cursor_lines(app, canvas, first..y);
    if let Some((x, end)) = grid.side {
        for (i, note) in notes.iter().take(2).enumerate() {
            canvas.runs(x, top + 1 + i as u16, end, note);
        }
    }
    y + 2
}

/// Which lanes the strip has: those named; in place of names that no lane has, the traffic and then the
/// first of the others, so that a strip is never empty where there are lanes.
fn chosen(all: &[Lane], names: &[&str]) -> Vec<usize> {
    let mut out: Vec<usize> = names.iter().filter_map(|name| all.iter().position(|l| l.name == *name)).collect();
    let traffic = all.iter().position(|l| l.trigger);
    let others = (0..all.len()).filter(|i| all[*i].group != "traffic").chain(0..all.len());
    for i in traffic.into_iter().chain(others) {
        if out.len() >= names.len() {
            break;
        }
        if !out.contains(&i) {
            out.push(i);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_has_the_lanes_it_names_or_the_traffic_and_another() {
        let lanes = crate::simulator::incident().lanes;
        let names = |names: &[&str]| chosen(&lanes, names).iter().map(|i| lanes[*i].name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&["connections", "ERROR lines"]), ["connections", "ERROR lines"]);
        assert_eq!(names(&["nothing", "ERROR lines"]), ["ERROR lines", "users"]);
        assert_eq!(names(&["nothing", "either"]), ["users", "latency p95"]);
        assert!(names(&[]).is_empty() && chosen(&[], &["nothing"]).is_empty());
    }
}
