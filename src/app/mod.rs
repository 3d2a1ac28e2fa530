//! State and decisions: `update(&mut App, now, Message) -> Vec<Effect>` is the program.
//!
//! Owns the cursor, the axis, the selection, the drill stack, rows in focus, prompts and toasts. May not
//! know: clocks (every message brings `now`), sockets, files, colours or glyphs.

pub mod act;
pub mod command;
pub mod copy;
pub mod crumb;
mod derive;
pub mod filter;
pub mod findings;
pub mod grid;
pub mod help;
pub mod hint;
pub mod key;
pub mod keymap;
mod lists;
pub mod message;
pub mod palette;
pub mod rows;
pub mod state;
#[cfg(test)]
mod tests;
pub mod update;

pub use derive::{hasten, settle, settle_piece, unsettled};
pub use message::{Effect, Message};
pub use state::{App, Start};
pub use update::{react, update};
