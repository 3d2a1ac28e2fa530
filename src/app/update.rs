//! `update`: one message in, the state changed, effects out. Nothing else changes the state.

use crate::app::message::{Effect, Message};
use crate::app::state::App;
use crate::model::Stamp;

/// Takes in one message that happened at `now`.
pub fn update(app: &mut App, now: Stamp, message: Message) -> Vec<Effect> {
    let _ = message;
    app.now = now;
    Vec::new()
}
