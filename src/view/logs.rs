//! Screen 3: log patterns, and the lines of one.

use crate::app::App;
use crate::view::canvas::Canvas;

/// Draws the patterns.
pub fn draw_patterns(app: &App, canvas: &mut Canvas<'_>) {
    crate::view::nothing(canvas, app, "no log line in this window");
}

/// Draws the lines of one pattern; of all when the template is empty.
pub fn draw_lines(app: &App, canvas: &mut Canvas<'_>, template: &str) {
    let _ = template;
    crate::view::nothing(canvas, app, "no log line in this window");
}
