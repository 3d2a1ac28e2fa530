//! Help: the command table as the keys that work, and how to read the screen.

use crate::app::App;
use crate::view::canvas::Canvas;

/// Draws the help in place of the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    crate::view::nothing(canvas, app, "help");
}
