//! Screen 1: the answer in big numbers, marks, a lane for each signal, what broke first.

use crate::app::App;
use crate::view::canvas::Canvas;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    crate::view::nothing(canvas, app, "no lane is configured");
}
