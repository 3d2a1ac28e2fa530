//! One database session: what it does, holds, wants, and whom it holds up.

use crate::app::App;
use crate::model::database::Pid;
use crate::view::canvas::Canvas;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, pid: Pid) {
    crate::view::nothing(canvas, app, &format!("session {pid} is not in the look of this instant"));
}
