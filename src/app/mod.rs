//! State and decisions: `update(&mut App, now, Message) -> Vec<Effect>` is the program.
//!
//! Owns the cursor, the axis, the selection, the drill stack, rows in focus, prompts and toasts. May not
//! know: clocks (every message brings `now`), sockets, files, colours or glyphs.

pub mod command;
pub mod findings;
pub mod grid;
pub mod key;
pub mod message;
pub mod state;
pub mod update;

pub use message::{Effect, Message};
pub use state::App;
pub use update::update;
