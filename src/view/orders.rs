//! Screen: orders.

use crate::app::App;
use crate::view::canvas::Canvas;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    crate::view::nothing(canvas, app, "nothing to show yet");
}
