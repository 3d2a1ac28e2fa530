//! State to cells. Changes nothing, asks nothing: the same state and look give the same picture.
//!
//! `canvas` writes cells, `look` knows roles and glyphs, `text` lets outside text in, `number` writes
//! numbers; `chrome` is what every screen has, `strip` the time strip, and each screen has its own file.

pub mod answer;
pub mod big;
pub mod canvas;
pub mod checks;
pub mod chrome;
pub mod database;
pub mod help;
pub mod hypotheses;
pub mod lane;
pub mod limits;
pub mod list;
pub mod logs;
pub mod look;
pub mod marks;
pub mod messages;
pub mod moment;
pub mod number;
pub mod order_list;
pub mod orders;
pub mod palette;
pub mod questions;
pub mod session;
pub mod side;
pub mod sources;
pub mod strip;
pub mod text;
pub mod timeline;
pub mod tiny;
pub mod trail;

use crate::app::App;
use crate::app::grid::Size;
use crate::app::state::{Place, Screen};
use crate::view::canvas::Canvas;
use crate::view::look::{Look, Role};
use crate::view::text::Privacy;
use ratatui::buffer::Buffer;

/// Draws the whole screen. Any size, any state; never panics.
pub fn draw(app: &App, look: &Look, buf: &mut Buffer) {
    buf.reset();
    let privacy = if app.unmasked { Privacy::Open } else { Privacy::Masked };
    let canvas = &mut Canvas::new(buf, *look, privacy);
    if app.grid.size == Size::Tiny || canvas.width() < 80 || canvas.height() < 24 {
        tiny::draw(app, canvas);
        return;
    }
    chrome::draw(app, canvas);
    if app.help {
        help::draw(app, canvas);
    } else {
        body(app, canvas);
    }
    palette::draw(app, canvas);
}

fn body(app: &App, canvas: &mut Canvas<'_>) {
    match app.place() {
        Place::Top(Screen::Timeline) => timeline::draw(app, canvas),
        Place::Top(Screen::Database) => database::draw(app, canvas),
        Place::Session(pid) => session::draw(app, canvas, *pid),
        Place::Top(Screen::Logs) => logs::draw_patterns(app, canvas),
        Place::Lines(template) => logs::draw_lines(app, canvas, template),
        Place::Stack(name) => logs::draw_lines(app, canvas, name),
        Place::Top(Screen::Orders) | Place::OrderClasses => orders::draw(app, canvas),
        Place::OrderList { title, classes, .. } => order_list::draw(app, canvas, title, classes),
        Place::Trail(id) => trail::draw(app, canvas, id),
        Place::Top(Screen::Hypotheses) => hypotheses::draw(app, canvas),
        Place::Checks(number) => checks::draw(app, canvas, *number),
        Place::Section(index) => checks::draw_section(app, canvas, *index),
        Place::Top(Screen::Sources) => sources::draw(app, canvas),
        Place::SourceLog(name) => sources::draw_log(app, canvas, name),
        Place::Limits => limits::draw(app, canvas),
        Place::Messages => messages::draw(app, canvas),
        Place::Questions => questions::draw(app, canvas),
    }
}

/// An empty panel says why it is empty, on the first line of the body.
pub fn nothing(canvas: &mut Canvas<'_>, app: &App, says: &str) {
    let y = chrome::body_top(app);
    canvas.fit(app.grid.left, y, canvas.width().saturating_sub(1), says, Role::Dim);
}

#[cfg(test)]
mod lists_tests;

#[cfg(test)]
pub(crate) mod scene_tests;

#[cfg(test)]
mod tests;
