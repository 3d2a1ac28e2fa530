//! One hypothesis with its checks, or another section of the note with its items.

use crate::app::App;
use crate::view::canvas::Canvas;

/// Draws a hypothesis by its number in the note.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, number: u32) {
    crate::view::nothing(canvas, app, &format!("the note has no hypothesis {number} at this instant"));
}

/// Draws a section by its index over phases, areas and others.
pub fn draw_section(app: &App, canvas: &mut Canvas<'_>, index: usize) {
    let _ = index;
    crate::view::nothing(canvas, app, "the note has no such section at this instant");
}
