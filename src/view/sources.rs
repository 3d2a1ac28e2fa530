//! Screen 6: every source with its state in words, what asking costs, the recording, gaps.

use crate::app::App;
use crate::view::canvas::Canvas;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    crate::view::nothing(canvas, app, "no source is configured");
}

/// Draws one source's health in time.
pub fn draw_log(app: &App, canvas: &mut Canvas<'_>, name: &str) {
    crate::view::nothing(canvas, app, &format!("{name} has said nothing yet"));
}
