//! One order's way through the systems.

use crate::app::App;
use crate::model::order::OrderId;
use crate::view::canvas::Canvas;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, id: &OrderId) {
    let _ = id;
    crate::view::nothing(canvas, app, "nobody knows this order at this instant");
}
